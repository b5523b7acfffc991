//! Profiles: what the columns or members of an export mean. Data (TOML), not code.
//!
//! The format is described in the `README.md` of the folder of shipped profiles. A profile
//! is checked when it is read: unknown keys and words are errors that name the place.

mod named;
mod shape;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;
use domain::{Channel, IdForm, SystemKind};
use rustc_hash::FxHashMap;
use serde::Deserialize;

pub(crate) use shape::{
    AccountShape, AssignmentShape, Field, IdentityShape, LeaverShape, MembershipShape,
    NonHumanShape, PrincipalType, Words,
};

use super::capture::Names;
use super::json::Envelope;
use super::limits::PROFILE_BYTES_MAX;
use super::path::Node;
use super::record::plain;

/// The profiles that are known, by name.
#[derive(Clone, Debug)]
pub struct Profiles {
    profiles: Vec<Arc<Profile>>,
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
        let profile = Arc::new(written.compiled().map_err(invalid)?);
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

    /// The profile of that name, to keep.
    pub(crate) fn shared(&self, name: &str) -> Option<Arc<Profile>> {
        self.profiles.iter().find(|it| it.name == name).map(Arc::clone)
    }

    /// The profile of that name, which a live system is read with.
    pub(crate) fn needed(&self, name: &str, vendor: &str) -> Result<Arc<Profile>, ProfileError> {
        self.shared(name).ok_or_else(|| ProfileError::Invalid {
            name: name.to_owned(),
            what: format!("it is not among the profiles, and {vendor} is read with it"),
        })
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
    #[serde(deserialize_with = "named::system_kind")]
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
    /// Whether pages are bare arrays, too.
    #[serde(default)]
    bare_lists: bool,
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
    #[serde(default, deserialize_with = "named::id_form")]
    pub(crate) id_form: Option<IdForm>,
    #[serde(default, deserialize_with = "named::channel")]
    pub(crate) channel: Option<Channel>,
    #[serde(default, deserialize_with = "named::zone")]
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

impl Profile {
    /// Whether a bare array is a page: the source writes some so, or an object around it would
    /// state nothing.
    pub(crate) const fn takes_bare_lists(&self) -> bool {
        self.bare_lists || self.rows.is_empty() || self.total.is_none() && self.next.is_none()
    }

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

    /// The field that names a row of its first list.
    pub(crate) fn key(&self) -> Option<&Field> {
        let identities = self.identities.as_ref().map(|it| &it.fields.id);
        let assignments = self.assignments.as_ref().map(|it| &it.fields.principal);
        let memberships = self.memberships.as_ref().map(|it| &it.fields.member);
        let accounts = self.accounts.as_ref().map(|it| &it.fields.id);
        identities.or(assignments).or(memberships).or(accounts)
    }

    /// Resolves the paths of every field.
    fn compiled(mut self) -> Result<Self, String> {
        let mut layout = Layout::default();
        let has_members = self.formats.contains(&Format::Json);
        for field in self.fields() {
            for path in &field.paths {
                field.slots.push(layout.slot(path, has_members)?);
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
        all.extend(self.identities.iter_mut().flat_map(|it| it.fields.all()));
        all.extend(self.assignments.iter_mut().flat_map(|it| it.fields.all()));
        all.extend(self.memberships.iter_mut().flat_map(|it| it.fields.all()));
        all.extend(self.accounts.iter_mut().flat_map(|it| it.fields.all()));
        all.extend(self.nonhumans.iter_mut().flat_map(|it| it.fields.all()));
        all.extend(self.leavers.iter_mut().flat_map(|it| it.fields.all()));
        all
    }
}

impl Layout {
    /// The slot of a path, a new one for a new path. Names of columns alone need be no paths.
    fn slot(&mut self, path: &str, has_members: bool) -> Result<usize, String> {
        if let Some(slot) = self.paths.iter().position(|it| it == path) {
            return Ok(slot);
        }
        let slot = self.paths.len();
        if has_members {
            self.tree.add(path, slot)?;
        }
        self.paths.push(path.to_owned());
        self.columns.entry(plain(path)).or_default().push(slot);
        Ok(slot)
    }
}
