//! Profiles: what the columns or members of an export mean. Data (TOML), not code.
//!
//! The format is described in the `README.md` of the folder of shipped profiles. A profile
//! is checked when it is read: unknown keys and words are errors that name the place.

use std::fs;
use std::path::Path;

use chrono_tz::Tz;
use domain::{Channel, Grant, IdForm, IdentityKind, Invitation, Lifecycle, Population, SystemKind};
use rustc_hash::FxHashMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::capture::Names;
use super::json::Envelope;
use super::limits::PROFILE_BYTES_MAX;
use super::path::Node;
use super::record::plain;

/// The profiles that are known, by name.
#[derive(Clone, Debug)]
pub struct Profiles {
    profiles: Vec<std::sync::Arc<Profile>>,
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It is no profile.
    #[error("`{name}` is not a profile: {what}")]
    Invalid {
        /// The file, or the profile's own name.
        name: String,
        /// What is wrong, and where.
        what: String,
    },
    /// The folder or a file in it cannot be read.
    #[error("failed to read the profiles in `{path}`: check the path and the permissions")]
    Unreadable {
        /// Folder or file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// The profiles in the program.
const BUILTIN: &[&str] = &[
    include_str!("../../profiles/okta-users.toml"),
    include_str!("../../profiles/okta-app-users.toml"),
    include_str!("../../profiles/okta-current-assignments.toml"),
    include_str!("../../profiles/okta-password-health.toml"),
    include_str!("../../profiles/okta-recent-unassignments.toml"),
    include_str!("../../profiles/entra-download-users.toml"),
    include_str!("../../profiles/entra-users.toml"),
    include_str!("../../profiles/entra-deleted-users.toml"),
    include_str!("../../profiles/entra-app-role-assigned-to.toml"),
    include_str!("../../profiles/entra-group-members.toml"),
    include_str!("../../profiles/onelogin-users.toml"),
    include_str!("../../profiles/onelogin-users-csv.toml"),
    include_str!("../../profiles/onelogin-app-users.toml"),
    include_str!("../../profiles/scim-users.toml"),
    include_str!("../../profiles/secureframe-personnel.toml"),
    include_str!("../../profiles/secureframe-personnel-csv.toml"),
    include_str!("../../profiles/nonhuman-register.toml"),
    include_str!("../../profiles/hr-leavers.toml"),
    include_str!("../../profiles/generic-identities.toml"),
    include_str!("../../profiles/generic-assignments.toml"),
    include_str!("../../profiles/generic-accounts.toml"),
];

impl Profiles {
    /// The profiles in the program.
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError::Invalid`] when one does not parse, which a test rules out.
    pub fn builtin() -> Result<Self, ProfileError> {
        BUILTIN
            .iter()
            .try_fold(Self { profiles: Vec::new() }, |profiles, toml| profiles.with_profile(toml))
    }

    /// Adds a profile; one of the same name is replaced.
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError::Invalid`] when the text is no profile.
    pub fn with_profile(self, toml: &str) -> Result<Self, ProfileError> {
        self.with_text("the profile", toml)
    }

    /// Adds every `.toml` file of a folder, in order of name.
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError`] when the folder cannot be read or a file is no profile.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, ProfileError> {
        let unreadable =
            |source| ProfileError::Unreadable { path: folder.display().to_string(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|it| it == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        for path in paths {
            let shown = path.display().to_string();
            let unreadable = |source| ProfileError::Unreadable { path: shown.clone(), source };
            if fs::metadata(&path).map_err(unreadable)?.len() > PROFILE_BYTES_MAX {
                return Err(ProfileError::Invalid {
                    name: shown,
                    what: "it is too large for one".to_owned(),
                });
            }
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            self = self.with_text(&shown, &text)?;
        }
        Ok(self)
    }

    fn with_text(mut self, shown: &str, toml: &str) -> Result<Self, ProfileError> {
        let invalid = |what| ProfileError::Invalid { name: shown.to_owned(), what };
        let written: Profile = toml::from_str(toml).map_err(|error| invalid(error.to_string()))?;
        let profile = std::sync::Arc::new(written.compiled().map_err(invalid)?);
        match self.profiles.iter_mut().find(|it| it.name == profile.name) {
            Some(earlier) => *earlier = profile,
            None => self.profiles.push(profile),
        }
        Ok(self)
    }

    /// The names, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|it| it.name.as_str())
    }

    /// The profile of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|it| it.name == name).map(AsRef::as_ref)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter().map(AsRef::as_ref)
    }
}

/// One profile. Its fields are as the file writes them; slots are resolved once it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub(crate) name: String,
    pub(crate) title: String,
    #[serde(deserialize_with = "system_kind")]
    pub(crate) kind: SystemKind,
    pub(crate) formats: Vec<Format>,
    /// Columns or members that must be there, `a | b` for either.
    #[serde(default)]
    pub(crate) recognise: Vec<String>,
    /// Considered only when no other profile fits.
    #[serde(default)]
    pub(crate) fallback: bool,
    #[serde(default)]
    pub(crate) any_case: bool,
    /// Members that hold the list where the file is an object.
    #[serde(default)]
    pub(crate) rows: Vec<String>,
    #[serde(default)]
    total: Option<String>,
    /// Whether a page that states no total says too little.
    #[serde(default)]
    pub(crate) needs_total: bool,
    #[serde(default)]
    next: Option<String>,
    /// Whether a last page without `next` proves the end also where no page carries one.
    #[serde(default)]
    pub(crate) ends_without_next: bool,
    #[serde(default)]
    pub(crate) whole: Option<bool>,
    #[serde(default, deserialize_with = "id_form")]
    pub(crate) id_form: Option<IdForm>,
    #[serde(default, deserialize_with = "channel")]
    pub(crate) channel: Option<Channel>,
    #[serde(default, deserialize_with = "zone")]
    pub(crate) zone: Option<Tz>,
    #[serde(default)]
    pub(crate) date_formats: Vec<String>,
    #[serde(default)]
    pub(crate) as_of: Field,
    #[serde(default)]
    pub(crate) identities: Option<IdentityShape>,
    #[serde(default)]
    pub(crate) assignments: Option<AssignmentShape>,
    #[serde(default)]
    pub(crate) memberships: Option<MembershipShape>,
    #[serde(default)]
    pub(crate) accounts: Option<AccountShape>,
    #[serde(default)]
    pub(crate) nonhumans: Option<NonHumanShape>,
    #[serde(default)]
    pub(crate) leavers: Option<LeaverShape>,
    #[serde(skip)]
    pub(crate) layout: Layout,
    #[serde(skip)]
    pub(crate) envelope: Envelope,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Comma, semicolon or tab separated, with a header.
    Csv,
    /// An array, an object with a list, or JSON Lines.
    Json,
}

/// Where the wanted values of a row go.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Paths as written, by slot.
    pub(crate) paths: Vec<String>,
    /// The same for JSON.
    pub(crate) tree: Node,
    /// Slots by plain name, for CSV.
    pub(crate) columns: FxHashMap<String, Vec<usize>>,
}

/// A field: the columns or members that may hold it, the first that states something wins.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Field {
    pub(crate) paths: Vec<String>,
    pub(crate) slots: Vec<usize>,
}

impl From<Vec<String>> for Field {
    fn from(paths: Vec<String>) -> Self {
        Self { paths, slots: Vec::new() }
    }
}

impl Field {
    /// How an error names it.
    pub(crate) fn shown(&self) -> String {
        self.paths.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" or ")
    }
}

/// Raw words and what they mean, by plain form.
pub(crate) type Words<T> = FxHashMap<String, T>;

/// How a row becomes an identity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityShape {
    #[serde(deserialize_with = "population")]
    pub(crate) lists: Population,
    pub(crate) lifecycle: bool,
    /// What every row of such a list is, whatever its status says.
    #[serde(default, deserialize_with = "lifecycle")]
    pub(crate) always: Option<Lifecycle>,
    /// What a row without a status is; by default unknown where the lifecycle is known, else not stated.
    #[serde(default, deserialize_with = "lifecycle")]
    pub(crate) without_status: Option<Lifecycle>,
    #[serde(default, deserialize_with = "lifecycles")]
    pub(crate) statuses: Words<Lifecycle>,
    #[serde(default, deserialize_with = "identity_kinds")]
    pub(crate) kinds: Words<IdentityKind>,
    /// States in which assignments give access. Empty: all do.
    #[serde(default)]
    pub(crate) approved_states: Vec<String>,
    pub(crate) fields: IdentityFields,
}

/// Where the fields of an identity are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdentityFields {
    pub(crate) id: Field,
    pub(crate) user_name: Field,
    pub(crate) email: Field,
    pub(crate) employee_number: Field,
    pub(crate) immutable_id: Field,
    pub(crate) display_name: Field,
    pub(crate) first_name: Field,
    pub(crate) last_name: Field,
    pub(crate) kind: Field,
    pub(crate) status: Field,
    pub(crate) state: Field,
    pub(crate) created_at: Field,
    pub(crate) status_changed_at: Field,
    pub(crate) starts_at: Field,
    pub(crate) ends_at: Field,
}

/// How a row becomes an assignment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentShape {
    /// What a row without a status says.
    #[serde(default, deserialize_with = "grant")]
    pub(crate) without_status: Option<Grant>,
    #[serde(default, deserialize_with = "grants")]
    pub(crate) statuses: Words<Grant>,
    #[serde(default)]
    pub(crate) direct_words: Vec<String>,
    #[serde(default)]
    pub(crate) group_words: Vec<String>,
    #[serde(default, deserialize_with = "principals")]
    pub(crate) principal_types: Words<PrincipalType>,
    /// Whether several rows of one principal are usual; they become one.
    #[serde(default)]
    pub(crate) folds: bool,
    pub(crate) fields: AssignmentFields,
}

/// Where the fields of an assignment are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AssignmentFields {
    pub(crate) principal: Field,
    pub(crate) principal_type: Field,
    pub(crate) status: Field,
    pub(crate) via: Field,
    pub(crate) group: Field,
    pub(crate) group_name: Field,
    pub(crate) account_id: Field,
    pub(crate) user_name: Field,
    pub(crate) changed_at: Field,
    /// A stated end means that access was taken then.
    pub(crate) ended_at: Field,
    /// The app: a file must not mix several.
    pub(crate) app: Field,
}

/// What a principal or member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalType {
    Identity,
    Group,
    /// A program or a device: not judged.
    Ignored,
}

/// How a row becomes a membership.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembershipShape {
    #[serde(default, deserialize_with = "principals")]
    pub(crate) member_types: Words<PrincipalType>,
    pub(crate) fields: MembershipFields,
}

/// Where the fields of a membership are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MembershipFields {
    pub(crate) member: Field,
    pub(crate) member_type: Field,
    /// The group; where a row has none, the operator names it for the file.
    pub(crate) group: Field,
}

/// How a row becomes an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountShape {
    /// Words for on, beside JSON `true` and the text `true`.
    #[serde(default)]
    pub(crate) on_words: Vec<String>,
    /// Words for off, beside JSON `false` and the text `false`.
    #[serde(default)]
    pub(crate) off_words: Vec<String>,
    /// Whether JSON `null` says that there is no role; else it says nothing.
    #[serde(default)]
    pub(crate) null_is_no_role: bool,
    /// Words of the role column that mean no role.
    #[serde(default)]
    pub(crate) no_role_words: Vec<String>,
    #[serde(default, deserialize_with = "invitations")]
    pub(crate) invitations: Words<Invitation>,
    pub(crate) fields: AccountFields,
}

/// Where the fields of an account are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountFields {
    pub(crate) id: Field,
    pub(crate) external_id: Field,
    pub(crate) user_name: Field,
    pub(crate) email: Field,
    pub(crate) employee_number: Field,
    pub(crate) display_name: Field,
    pub(crate) first_name: Field,
    pub(crate) last_name: Field,
    pub(crate) active: Field,
    pub(crate) invitation: Field,
    pub(crate) status: Field,
    pub(crate) active_source: Field,
    pub(crate) roles: Field,
    pub(crate) groups: Field,
    pub(crate) ends_at: Field,
    pub(crate) created_at: Field,
    pub(crate) modified_at: Field,
    pub(crate) last_used_at: Field,
}

/// How a row becomes a registered non-human account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NonHumanShape {
    pub(crate) fields: NonHumanFields,
}

/// Where the fields of a non-human account are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NonHumanFields {
    pub(crate) account: Field,
    pub(crate) owner: Field,
    pub(crate) purpose: Field,
    pub(crate) attest_by: Field,
}

/// How a row becomes a leaver.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeaverShape {
    pub(crate) fields: LeaverFields,
}

/// Where the fields of a leaver are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LeaverFields {
    pub(crate) employee_number: Field,
    pub(crate) email: Field,
    pub(crate) display_name: Field,
    pub(crate) first_name: Field,
    pub(crate) last_name: Field,
    pub(crate) left_at: Field,
    pub(crate) reason: Field,
}

impl Profile {
    /// Its name, as settings write it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it reads, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// For which kind of system.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        self.kind
    }

    /// Resolves the paths of every field.
    fn compiled(mut self) -> Result<Self, String> {
        let mut layout = Layout::default();
        for field in self.fields() {
            for path in &field.paths {
                field.slots.push(layout.slot(path)?);
            }
        }
        if layout.paths.is_empty() {
            return Err(
                "it maps no field: add a table such as `[identities]` with `fields`".to_owned()
            );
        }
        self.check()?;
        let names = if self.any_case { Names::AnyCase } else { Names::Exact };
        self.envelope = Envelope {
            lists: self.rows.clone(),
            total: self.total.clone(),
            next: self.next.clone(),
            names,
        };
        self.layout = layout;
        Ok(self)
    }

    fn check(&self) -> Result<(), String> {
        let required = [
            ("identities.fields.id", self.identities.as_ref().map(|it| &it.fields.id)),
            (
                "assignments.fields.principal",
                self.assignments.as_ref().map(|it| &it.fields.principal),
            ),
            ("memberships.fields.member", self.memberships.as_ref().map(|it| &it.fields.member)),
            ("accounts.fields.id", self.accounts.as_ref().map(|it| &it.fields.id)),
            ("nonhumans.fields.account", self.nonhumans.as_ref().map(|it| &it.fields.account)),
            ("leavers.fields.left_at", self.leavers.as_ref().map(|it| &it.fields.left_at)),
        ];
        for (name, field) in required {
            if field.is_some_and(|it| it.paths.is_empty()) {
                return Err(format!("`{name}` must name the column or member that holds it"));
            }
        }
        let is_empty = self.formats.is_empty();
        if is_empty { Err("`formats` must name `csv`, `json` or both".to_owned()) } else { Ok(()) }
    }

    fn fields(&mut self) -> Vec<&mut Field> {
        let mut all = vec![&mut self.as_of];
        if let Some(IdentityShape { fields: it, .. }) = &mut self.identities {
            all.extend([
                &mut it.id,
                &mut it.user_name,
                &mut it.email,
                &mut it.employee_number,
                &mut it.immutable_id,
            ]);
            all.extend([
                &mut it.display_name,
                &mut it.first_name,
                &mut it.last_name,
                &mut it.kind,
                &mut it.status,
            ]);
            all.extend([
                &mut it.state,
                &mut it.created_at,
                &mut it.status_changed_at,
                &mut it.starts_at,
                &mut it.ends_at,
            ]);
        }
        if let Some(AssignmentShape { fields: it, .. }) = &mut self.assignments {
            all.extend([
                &mut it.principal,
                &mut it.principal_type,
                &mut it.status,
                &mut it.via,
                &mut it.group,
            ]);
            all.extend([
                &mut it.group_name,
                &mut it.account_id,
                &mut it.user_name,
                &mut it.changed_at,
            ]);
            all.extend([&mut it.ended_at, &mut it.app]);
        }
        if let Some(MembershipShape { fields: it, .. }) = &mut self.memberships {
            all.extend([&mut it.member, &mut it.member_type, &mut it.group]);
        }
        if let Some(AccountShape { fields: it, .. }) = &mut self.accounts {
            all.extend([
                &mut it.id,
                &mut it.external_id,
                &mut it.user_name,
                &mut it.email,
                &mut it.employee_number,
            ]);
            all.extend([
                &mut it.display_name,
                &mut it.first_name,
                &mut it.last_name,
                &mut it.active,
                &mut it.invitation,
            ]);
            all.extend([
                &mut it.status,
                &mut it.active_source,
                &mut it.roles,
                &mut it.groups,
                &mut it.ends_at,
            ]);
            all.extend([&mut it.created_at, &mut it.modified_at, &mut it.last_used_at]);
        }
        if let Some(NonHumanShape { fields: it }) = &mut self.nonhumans {
            all.extend([&mut it.account, &mut it.owner, &mut it.purpose, &mut it.attest_by]);
        }
        if let Some(LeaverShape { fields: it }) = &mut self.leavers {
            all.extend([
                &mut it.employee_number,
                &mut it.email,
                &mut it.display_name,
                &mut it.first_name,
            ]);
            all.extend([&mut it.last_name, &mut it.left_at, &mut it.reason]);
        }
        all
    }
}

impl Layout {
    /// The slot of a path, a new one for a new path.
    fn slot(&mut self, path: &str) -> Result<usize, String> {
        if let Some(slot) = self.paths.iter().position(|it| it == path) {
            return Ok(slot);
        }
        let slot = self.paths.len();
        self.tree.add(path, slot)?;
        self.paths.push(path.to_owned());
        self.columns.entry(plain(path)).or_default().push(slot);
        Ok(slot)
    }
}

/// Reads a name of a `named!` enum.
fn named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    parse(&name)
        .ok_or_else(|| D::Error::custom(format!("`{name}` is not one of the words for this key")))
}

/// Reads a table from raw words to names.
fn words<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Option<T>,
) -> Result<Words<T>, D::Error> {
    let written = FxHashMap::<String, String>::deserialize(deserializer)?;
    let mut words = Words::default();
    for (raw, name) in written {
        let meaning = parse(&name)
            .ok_or_else(|| D::Error::custom(format!("`{raw}` cannot mean `{name}`")))?;
        words.insert(plain(&raw), meaning);
    }
    Ok(words)
}

fn system_kind<'de, D: Deserializer<'de>>(it: D) -> Result<SystemKind, D::Error> {
    named(it, SystemKind::parse)
}

fn population<'de, D: Deserializer<'de>>(it: D) -> Result<Population, D::Error> {
    named(it, Population::parse)
}

fn id_form<'de, D: Deserializer<'de>>(it: D) -> Result<Option<IdForm>, D::Error> {
    named(it, IdForm::parse).map(Some)
}

fn channel<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Channel>, D::Error> {
    named(it, Channel::parse).map(Some)
}

fn zone<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Tz>, D::Error> {
    named(it, |name| name.parse::<Tz>().ok()).map(Some)
}

fn lifecycle<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Lifecycle>, D::Error> {
    named(it, Lifecycle::parse).map(Some)
}

fn grant<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Grant>, D::Error> {
    named(it, Grant::parse).map(Some)
}

fn lifecycles<'de, D: Deserializer<'de>>(it: D) -> Result<Words<Lifecycle>, D::Error> {
    words(it, Lifecycle::parse)
}

fn identity_kinds<'de, D: Deserializer<'de>>(it: D) -> Result<Words<IdentityKind>, D::Error> {
    words(it, IdentityKind::parse)
}

fn grants<'de, D: Deserializer<'de>>(it: D) -> Result<Words<Grant>, D::Error> {
    words(it, Grant::parse)
}

fn invitations<'de, D: Deserializer<'de>>(it: D) -> Result<Words<Invitation>, D::Error> {
    words(it, Invitation::parse)
}

fn principals<'de, D: Deserializer<'de>>(it: D) -> Result<Words<PrincipalType>, D::Error> {
    words(it, |name| match name {
        "identity" => Some(PrincipalType::Identity),
        "group" => Some(PrincipalType::Group),
        "ignored" => Some(PrincipalType::Ignored),
        _ => None,
    })
}
