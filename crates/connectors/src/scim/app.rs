//! What is known of one SCIM app. Data (TOML), not code: a new app is a new file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::files::{Profile, ProfileError, Profiles};

/// The profiles in the program.
const BUILTIN: &[&str] = &[
    include_str!("../../profiles/apps/generic-scim.toml"),
    include_str!("../../profiles/apps/secureframe.toml"),
    include_str!("../../profiles/apps/atlassian.toml"),
    include_str!("../../profiles/apps/coder.toml"),
    include_str!("../../profiles/apps/github-enterprise.toml"),
    include_str!("../../profiles/apps/github-organization.toml"),
    include_str!("../../profiles/apps/gitlab.toml"),
    include_str!("../../profiles/apps/hcp-terraform.toml"),
    include_str!("../../profiles/apps/ory-polis.toml"),
    include_str!("../../profiles/apps/pagerduty.toml"),
    include_str!("../../profiles/apps/sentry.toml"),
    include_str!("../../profiles/apps/workos.toml"),
];

/// How the rows of `GET /Users` are mapped, for exports and live pulls alike.
const USERS: &str = include_str!("../../profiles/scim-users.toml");

/// Name of the profile in [`USERS`].
const USERS_NAME: &str = "scim-users";

/// The largest page that is asked for: a thousand accounts are a few megabytes.
const PAGE_SIZE_MAX: u32 = 1000;

/// The app profiles that are known, by name.
#[derive(Clone, Debug)]
pub struct AppProfiles {
    profiles: Vec<Arc<AppProfile>>,
}

impl AppProfiles {
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
    /// Returns [`ProfileError::Invalid`] when the text is no app profile.
    pub fn with_profile(mut self, toml: &str) -> Result<Self, ProfileError> {
        let profile = Arc::new(AppProfile::parse(toml)?);
        match self.profiles.iter_mut().find(|it| it.written.name == profile.written.name) {
            Some(earlier) => *earlier = profile,
            None => self.profiles.push(profile),
        }
        Ok(self)
    }

    /// The names, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|it| it.name())
    }

    /// The profile of that name; `None` when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<AppProfile>> {
        self.profiles.iter().find(|it| it.name() == name).cloned()
    }
}

/// What is known of one SCIM app.
#[derive(Debug)]
pub struct AppProfile {
    written: Written,
    /// How its rows are mapped.
    pub(super) mapping: Arc<Profile>,
}

/// How sure it is that an app has a habit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Habit {
    /// Nobody has looked. Nothing is concluded from it.
    #[default]
    Unknown,
    /// It does not.
    No,
    /// The vendor says that it does.
    Documented,
    /// It was seen to, at this tenant.
    Observed,
}

/// What a vendor documents that its app does with an account that is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deprovision {
    /// Keeps it in the list, inactive.
    Lists,
    /// Keeps it, and leaves it out of the list.
    Hides,
    /// Deletes it.
    Deletes,
    /// Who is gone from the list may have access all the same, whatever became of others: absence never
    /// shows removal.
    NeverShown,
}

/// Which media type the server wants to be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MediaType {
    /// `application/scim+json` (RFC 7644, 8.1).
    Scim,
    /// `application/json`.
    Json,
    #[default]
    Either,
}

/// Something that must be so, and that SCIM cannot show.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// What, in a few words.
    pub name: String,
    /// Why, a sentence.
    pub text: String,
    /// What to do, a sentence.
    pub next: String,
}

/// An app profile as a file writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    title: String,
    #[serde(default = "page_size")]
    page_size: u32,
    #[serde(default)]
    shows_users: Habit,
    #[serde(default)]
    filters: Habit,
    #[serde(default)]
    deprovision: Option<Deprovision>,
    #[serde(default)]
    media_type: MediaType,
    #[serde(default)]
    external_id: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    invitation: Vec<String>,
    #[serde(default)]
    invitations: BTreeMap<String, String>,
    #[serde(default)]
    privileged_roles: Vec<String>,
    #[serde(default)]
    prerequisites: Vec<Prerequisite>,
}

/// Okta asks for so many (its import), so servers are used to it.
const fn page_size() -> u32 {
    100
}

impl AppProfile {
    /// Reads an app profile.
    fn parse(toml: &str) -> Result<Self, ProfileError> {
        let invalid = |what| ProfileError::Invalid { name: "the app profile".to_owned(), what };
        let written: Written = toml::from_str(toml).map_err(|error| invalid(error.to_string()))?;
        if !(1..=PAGE_SIZE_MAX).contains(&written.page_size) {
            return Err(invalid(format!("`page_size` must be 1 to {PAGE_SIZE_MAX}")));
        }
        let mapping = mapping(&written)?;
        Ok(Self { written, mapping })
    }

    /// Its name, as settings write it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.written.name
    }

    /// The app, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.written.title
    }

    /// Accounts to ask for at a time.
    #[must_use]
    pub const fn page_size(&self) -> u32 {
        self.written.page_size
    }

    /// Whether `GET /Users` shows who has an account. `No`: what it says of anybody is worth nothing.
    #[must_use]
    pub const fn shows_users(&self) -> Habit {
        self.written.shows_users
    }

    /// What the vendor documents of an account that is switched off; `None`: nothing, or not for
    /// every tenant.
    #[must_use]
    pub const fn deprovision(&self) -> Option<Deprovision> {
        self.written.deprovision
    }

    /// Whether filters can be trusted. Each run proves it again, unless the answer is no.
    #[must_use]
    pub const fn filters(&self) -> Habit {
        self.written.filters
    }

    /// The `Accept` header to ask with.
    #[must_use]
    pub const fn accept(&self) -> &'static str {
        match self.written.media_type {
            MediaType::Scim => "application/scim+json",
            MediaType::Json => "application/json",
            MediaType::Either => "application/scim+json, application/json;q=0.9",
        }
    }

    /// Roles that count as privileged. Empty: not known.
    #[must_use]
    pub fn privileged_roles(&self) -> &[String] {
        &self.written.privileged_roles
    }

    /// What must be so, and SCIM cannot show.
    #[must_use]
    pub fn prerequisites(&self) -> &[Prerequisite] {
        &self.written.prerequisites
    }
}

/// How rows are mapped: as every SCIM list, with what the app carries elsewhere.
fn mapping(written: &Written) -> Result<Arc<Profile>, ProfileError> {
    let invalid = |what: String| ProfileError::Invalid { name: written.name.clone(), what };
    let mut users: toml::Table =
        toml::from_str(USERS).map_err(|error| invalid(error.to_string()))?;
    if let Some(toml::Value::Table(accounts)) = users.get_mut("accounts") {
        let words = written.invitations.iter().map(|(raw, word)| (raw.clone(), word.clone()));
        let words: toml::Table =
            words.map(|(raw, word)| (raw, toml::Value::String(word))).collect();
        accounts.insert("invitations".to_owned(), words.into());
        if let Some(toml::Value::Table(fields)) = accounts.get_mut("fields") {
            let own = [
                ("invitation", &written.invitation),
                ("external_id", &written.external_id),
                ("roles", &written.roles),
            ];
            for (field, members) in own.into_iter().filter(|it| !it.1.is_empty()) {
                fields.insert(field.to_owned(), members.clone().into());
            }
        }
    }
    let toml = toml::to_string(&users).map_err(|error| invalid(error.to_string()))?;
    let profiles = Profiles::builtin()?.with_profile(&toml).map_err(|error| match error {
        ProfileError::Invalid { what, .. } => invalid(what),
        other => other,
    })?;
    profiles.shared(USERS_NAME).ok_or_else(|| invalid(format!("`{USERS_NAME}` is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profiles_say_nothing_that_nobody_confirmed() {
        let profiles = AppProfiles::builtin().unwrap();
        let told = profiles.names().map(|name| {
            let app = profiles.get(name).unwrap();
            let known = [
                app.deprovision().map(|it| format!("{it:?}")),
                (app.filters() != Habit::Unknown).then(|| format!("filters {:?}", app.filters())),
                (app.shows_users() != Habit::Unknown).then(|| "shows nobody".to_owned()),
                (app.page_size() != page_size()).then(|| format!("pages of {}", app.page_size())),
                (!app.privileged_roles().is_empty()).then(|| app.privileged_roles().join(" ")),
            ];
            let known: Vec<String> = known.into_iter().flatten().collect();
            if known.is_empty() {
                format!("{name}: nothing")
            } else {
                format!("{name}: {}", known.join(", "))
            }
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
        generic-scim: nothing
        secureframe: Super Admin Admin
        atlassian: Hides
        coder: shows nobody
        github-enterprise: Lists, enterprise_owner billing_manager
        github-organization: NeverShown
        gitlab: nothing
        hcp-terraform: filters Documented, pages of 200
        ory-polis: filters No
        pagerduty: Deletes, owner admin
        sentry: Deletes, owner manager
        workos: nothing
        ");
        for name in ["generic-scim", "secureframe"] {
            assert_eq!(profiles.get(name).unwrap().deprovision(), None);
        }
        assert_eq!(profiles.get("secureframe").unwrap().prerequisites().len(), 5);
    }

    #[test]
    fn a_wrong_word_or_key_names_its_place() {
        let wrong = |more: &str| {
            let toml = format!("name = \"x\"\ntitle = \"X\"\n{more}");
            AppProfile::parse(&toml).unwrap_err().to_string()
        };
        assert!(wrong("filter = \"no\"").contains("filter"));
        assert!(wrong("filters = \"maybe\"").contains("maybe"));
        assert!(wrong("page_size = 0").contains("1 to 1000"));
        assert!(wrong("invitations = { sent = \"perhaps\" }").contains("perhaps"));
    }
}
