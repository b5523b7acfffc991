//! OneLogin over its API: users, who has one app, whether it provisions that app at all, and what its
//! events tell.
//!
//! Source: OneLogin API 2, and API 1 for events (OpenAPI 3.1.1 of 2023-07 and its reference pages).
//! Needs an API credential with the scope Read All. Sends nothing but GET. *Partial* means that
//! the page without a cursor was not reached, that what was read is not what the list states of
//! itself, twice, that a canary was not in it, or that somebody has the app who is not among the
//! users.

mod doctor;
mod events;
mod health;
mod paths;
mod pull;
mod refusal;
mod reread;

use std::sync::Arc;

use domain::{SystemId, Text};
use outbound::Reader;

use crate::files::{Profile, ProfileError, Profiles};
use crate::live::SwitchedOff;

/// Where the API lies on the subdomain's host. Everything that is asked is below it.
pub const API: &str = "/api/";

/// Where tokens are given on the same host.
pub const TOKEN: &str = "/auth/oauth2/v2/token";

/// What an operator says about one app of one OneLogin subdomain.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this identity provider.
    pub system: SystemId,
    /// The name of the app that its assignments are for.
    pub app: SystemId,
    /// OneLogin's id of that app, a number.
    pub app_id: Text,
    /// What a suspended user (status 2) is.
    pub suspended: SwitchedOff,
    /// Ids of users who must be among the users; empty: none are known.
    pub canaries: Vec<Text>,
    /// Ids of users who must have the app; empty: none are known.
    pub assigned_canaries: Vec<Text>,
    /// Pages of events that one pull reads, of 50 each.
    pub event_pages: u32,
}

/// One app of one OneLogin subdomain.
#[derive(Clone, Debug)]
pub struct OneLogin {
    config: Config,
    reader: Reader,
    users: Arc<Profile>,
    app_users: Arc<Profile>,
}

impl OneLogin {
    /// Connects. Nothing is sent before something is asked for. `reader` stays below the
    /// subdomain's API, `https://acme.onelogin.com/api/`.
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError`] when `profiles` lacks `onelogin-users` or `onelogin-app-users`.
    pub fn new(config: Config, reader: Reader, profiles: &Profiles) -> Result<Self, ProfileError> {
        let users = profiles.needed("onelogin-users", "OneLogin")?;
        let app_users = profiles.needed("onelogin-app-users", "OneLogin")?;
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
