//! What there is in the company's Entra tenant: plain data that a test may change at any time. It
//! knows nothing of HTTP.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::entra::token::EntraTokens;

/// An Entra tenant with one enterprise app that matters.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// How it lets callers in.
    pub door: EntraDoor,
    /// The enterprise app whose assignments are read.
    pub app: EntraApp,
    /// Every user, by object id, those included who were deleted less than 30 days ago.
    pub users: BTreeMap<String, EntraUser>,
    /// Groups, by object id.
    pub groups: BTreeMap<String, EntraGroup>,
    /// Who is assigned to the app, by the id of the assignment.
    pub assigned: BTreeMap<String, EntraAssignment>,
    /// The provisioning log, in the order in which it was written.
    pub log: Vec<ProvisioningEvent>,
    pub(crate) tokens: EntraTokens,
}

/// Who may ask Graph, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraDoor {
    /// The tenant's id, which is in the address of the token endpoint.
    pub tenant: String,
    /// The client id of the app registration.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: String,
    /// A token of an issuer that it trusts.
    pub federated_token: String,
    /// Application permissions granted to it.
    pub permissions: BTreeSet<String>,
    /// Has the tenant Entra ID P1 or P2?
    pub is_licensed: bool,
    /// Seconds that an access token lives. Entra: 3599.
    pub token_lives_s: u32,
    /// Rows of a page at most, whatever is asked for.
    pub page_max: usize,
}

/// The enterprise app in the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraApp {
    /// Its object id.
    pub id: String,
    /// Its application id.
    pub app_id: String,
    /// Name that people see.
    pub name: String,
    /// May anybody sign in at all?
    pub is_enabled: bool,
    /// May only those sign in who are assigned?
    pub needs_assignment: bool,
    /// How its provisioning job does; `None`: there is none.
    pub job: Option<EntraJob>,
}

/// A provisioning job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraJob {
    /// `Active`, `Paused`, `Quarantine`, ...
    pub code: String,
    /// Why it is in quarantine; `None`: it is not.
    pub quarantine: Option<String>,
}

/// A user of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraUser {
    /// Sign-in name.
    pub principal_name: String,
    /// Primary address; `None`: null on the wire.
    pub mail: Option<String>,
    /// May they sign in? `None`: null on the wire.
    pub is_enabled: Option<bool>,
    /// Were they invited from elsewhere?
    pub is_guest: bool,
    /// Employee number; `None`: null on the wire.
    pub employee_number: Option<String>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it was deleted; `None`: it was not.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When the employment ends; `None`: null on the wire.
    pub leaves_at: Option<DateTime<Utc>>,
    /// Other members, as they stand on the wire, for whoever selects them.
    pub more: BTreeMap<String, Value>,
}

/// A group of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntraGroup {
    /// Name that people see.
    pub name: String,
    /// Direct members, by user id.
    pub members: BTreeSet<String>,
    /// Groups that are members, by id. Their members get nothing through this one.
    pub groups: BTreeSet<String>,
    /// Is its membership hidden from those without `Member.Read.Hidden`?
    pub hides_members: bool,
}

/// That somebody is assigned to the app, in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraAssignment {
    /// A user or a group, by id.
    pub principal: String,
    /// Is it a group?
    pub is_group: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// One event of the provisioning log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisioningEvent {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// `disable`, `delete`, `create`, ...
    pub action: String,
    /// `success`, `failure`, `skipped`.
    pub status: String,
    /// The user it is about, by id.
    pub user: String,
}

impl Tenant {
    /// Assigns the app to a user or a group.
    pub fn assign(&mut self, principal: &str, is_group: bool, now: DateTime<Utc>) {
        let id = format!("assignment-{principal}-{}", self.assigned.len());
        let principal = principal.to_owned();
        self.assigned.insert(id, EntraAssignment { principal, is_group, created_at: now });
    }

    /// Takes every assignment of a user or a group away.
    pub fn unassign(&mut self, principal: &str) {
        self.assigned.retain(|_, it| it.principal != principal);
    }

    /// Every credential that there is.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        let fixed = [&self.door.client_secret, &self.door.federated_token];
        fixed.into_iter().chain(self.tokens.secrets())
    }
}

impl Default for EntraDoor {
    fn default() -> Self {
        let permissions = [
            "User.Read.All",
            "Application.Read.All",
            "GroupMember.Read.All",
            "Directory.Read.All",
            "AuditLog.Read.All",
            "Synchronization.Read.All",
        ];
        Self {
            tenant: "f1000000-0000-4000-8000-000000000001".to_owned(),
            client_id: "c9000000-0000-4000-8000-000000000009".to_owned(),
            client_secret: "sim-entra-client-secret".to_owned(),
            federated_token: "sim.federated.token".to_owned(),
            permissions: permissions.map(str::to_owned).into(),
            is_licensed: true,
            token_lives_s: 3_599,
            page_max: usize::MAX,
        }
    }
}

impl Default for EntraApp {
    fn default() -> Self {
        Self {
            id: "c1000000-0000-4000-8000-000000000001".to_owned(),
            app_id: "c2000000-0000-4000-8000-000000000002".to_owned(),
            name: "Secureframe".to_owned(),
            is_enabled: true,
            needs_assignment: true,
            job: Some(EntraJob { code: "Active".to_owned(), quarantine: None }),
        }
    }
}
