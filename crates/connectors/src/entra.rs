//! Microsoft Entra ID over Microsoft Graph: users and deleted users, who is assigned to one
//! enterprise app, the direct members of its groups, how its provisioning does, and what that
//! logged.
//!
//! Source: Microsoft Graph v1.0 (CSDL of 2026-08-20 and its reference pages). Needs the
//! application permissions `User.Read.All`, `Application.Read.All`, `GroupMember.Read.All`,
//! `Synchronization.Read.All` and `AuditLog.Read.All`; `Directory.Read.All` to ask about one
//! person's assignment. Sends nothing but GET. *Partial* means that the page without a next one
//! was not reached, that the list changed while it was read, twice, that the deleted users or the
//! members of a group could not be read, that a canary was not in it, or that somebody has the app
//! who is not among the users.

mod doctor;
mod groups;
mod health;
mod log;
mod paths;
mod pull;
mod refusal;
mod reread;
mod scoping;

use std::sync::Arc;

use domain::{SystemId, Text};
use outbound::Reader;

use crate::files::{Profile, ProfileError, Profiles};
use crate::live::SwitchedOff;

pub use scoping::{ATTRIBUTES, Clause, Operator, Pattern, ScopingFilters};

/// Where the API lies on Graph's host. Everything that is asked is below it.
pub const API: &str = "/v1.0/";

/// What an operator says about one enterprise app of one tenant.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this identity provider.
    pub system: SystemId,
    /// The name of the app that its assignments are for.
    pub app: SystemId,
    /// The application id (client id) of the enterprise app, a GUID.
    pub app_id: Text,
    /// Whom provisioning is for.
    pub scope: Scope,
    /// Whom the provisioning job leaves out by attributes.
    pub scoping_filters: ScopingFilters,
    /// What `accountEnabled = false` means.
    pub disabled: SwitchedOff,
    /// Whether the provisioning log is read.
    pub log: ProvisioningLog,
    /// Object ids of users who must be among the users; empty: none are known.
    pub canaries: Vec<Text>,
    /// Object ids of users who must have the app, by hand or through a group; empty: none are
    /// known.
    pub assigned_canaries: Vec<Text>,
}

/// Whom provisioning is for, as the app's provisioning settings say. Graph does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// "Sync only assigned users and groups".
    Assigned,
    /// "Sync all users and groups": nobody needs an assignment, and none is read.
    Everyone,
}

/// Whether the provisioning log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvisioningLog {
    /// At most so many pages in one run.
    Pages(u32),
    /// The settings say that it is not.
    Unwanted,
    /// The cloud has none (China).
    NotInCloud,
}

/// One enterprise app of one tenant.
#[derive(Clone, Debug)]
pub struct Entra {
    config: Config,
    reader: Reader,
    users: Arc<Profile>,
    deleted: Arc<Profile>,
    assigned: Arc<Profile>,
    members: Arc<Profile>,
}

impl Entra {
    /// Connects. Nothing is sent before something is asked for. `reader` stays below Graph's
    /// address with its version, `https://graph.microsoft.com/v1.0/`.
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError`] when `profiles` lacks one of the four that Graph is read with.
    pub fn new(config: Config, reader: Reader, profiles: &Profiles) -> Result<Self, ProfileError> {
        let profile = |name| profiles.needed(name, "Entra");
        let (users, deleted) = (profile("entra-users")?, profile("entra-deleted-users")?);
        let assigned = profile("entra-app-role-assigned-to")?;
        let members = profile("entra-group-members")?;
        Ok(Self { config, reader, users, deleted, assigned, members })
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
