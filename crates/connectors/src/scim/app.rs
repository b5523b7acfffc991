//! What is known of one SCIM app. Data (TOML), not code: a new app is a new file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::files::{Profile, ProfileError, Profiles};

/// The profiles in the program.
const BUILTIN: &[&str] = &[
    include_str!("../../profiles/apps/generic-scim.toml"),
    include_str!("../../profiles/apps/secureframe.toml"),
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
    filters: Habit,
    #[serde(default)]
    media_type: MediaType,
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

/// How rows are mapped: as every SCIM list, with the app's own states of invitations.
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
            fields.insert("invitation".to_owned(), written.invitation.clone().into());
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
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["generic-scim", "secureframe"]);
        for name in ["generic-scim", "secureframe"] {
            let app = profiles.get(name).unwrap();
            assert_eq!(app.filters(), Habit::Unknown);
            assert_eq!(app.page_size(), 100);
        }
        let secureframe = profiles.get("secureframe").unwrap();
        assert_eq!(secureframe.privileged_roles(), ["Super Admin", "Admin"]);
        assert_eq!(secureframe.prerequisites().len(), 5);
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
