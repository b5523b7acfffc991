//! Okta over its API: users, who is assigned to one app, what its log says, and whether it
//! deactivates anybody at all.
//!
//! Source: Okta Admin Management API 2026.06.3. Needs the scopes `okta.users.read`,
//! `okta.apps.read` and `okta.logs.read` with a read-only admin role, or an API token of such an
//! admin. Sends nothing but GET. *Partial* means that the page without a next one was not
//! reached, that the list changed while it was read, twice, that a canary was not in it, or that
//! somebody is assigned who is not among the users.

mod doctor;
pub(crate) mod event;
mod groups;
mod health;
pub(crate) mod link;
mod paths;
mod poll;
mod pull;
mod refusal;
mod reread;

use std::sync::Arc;

use domain::{SystemId, Text};
use outbound::Reader;

use crate::files::{Profile, ProfileError, Profiles};

/// Where the API lies on the organisation's host. Everything that is asked is below it.
pub const API: &str = "/api/v1/";

/// What an operator says about one app of one Okta organisation.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this identity provider.
    pub system: SystemId,
    /// The name of the app that its assignments are for.
    pub app: SystemId,
    /// Okta's id of that app, as `0oa1gjh63g214q0Hq0g4`.
    pub app_id: Text,
    /// Ids of users who must be among the users; empty: none are known.
    pub canaries: Vec<Text>,
    /// Ids of users who must be assigned to the app; empty: none are known.
    pub assigned_canaries: Vec<Text>,
    /// As whom Okta is asked. Only the doctor wants to know.
    pub credential: Credential,
    /// Most pages of the log in one run, of 1000 events each; the next run goes on after them.
    pub log_pages: u32,
}

/// As whom Okta is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An API token. It may do what the admin may who made it.
    ApiToken,
    /// A service app, with the scopes that its tokens are asked for.
    ServiceApp {
        /// As `okta.users.read`.
        scopes: Vec<String>,
    },
}

/// One app of one Okta organisation.
#[derive(Clone, Debug)]
pub struct Okta {
    config: Config,
    reader: Reader,
    users: Arc<Profile>,
    app_users: Arc<Profile>,
}

impl Okta {
    /// Connects. Nothing is sent before something is asked for. `reader` stays below the
    /// organisation's address, `https://acme.okta.com`.
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError`] when `profiles` lacks `okta-users` or `okta-app-users`.
    pub fn new(config: Config, reader: Reader, profiles: &Profiles) -> Result<Self, ProfileError> {
        let users = profiles.needed("okta-users", "Okta")?;
        let app_users = profiles.needed("okta-app-users", "Okta")?;
        Ok(Self { config, reader, users, app_users })
    }

    /// The system's name.
    #[must_use]
    pub fn system(&self) -> &SystemId {
        &self.config.system
    }

    /// The name of the app that its assignments are for.
    #[must_use]
    pub fn app(&self) -> &SystemId {
        &self.config.app
    }
}
