//! What there is in the company: its people, its Okta organization and its app. Plain data that a
//! test may change at any time; it knows nothing of HTTP. Another system is another field here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use crate::describe::{self, DescribeError};
use crate::fault::Plan;
use crate::okta::token::Tokens;
use crate::personnel::Personnel;
use crate::subdomain::Subdomain;
use crate::tenant::Tenant;

/// A company. What a real one would not know of itself (who really left) is in [`World::people`].
#[derive(Clone, Debug)]
pub struct World {
    /// What its clock shows when the servers start.
    pub begins_at: DateTime<Utc>,
    /// Everybody who works or worked here, by employee number: the truth.
    pub people: BTreeMap<String, Person>,
    /// The identity provider.
    pub okta: Org,
    /// Another identity provider.
    pub entra: Tenant,
    /// A third one.
    pub onelogin: Subdomain,
    /// The app that everybody signs in to.
    pub app: App,
    /// The app's own view, which is another than its SCIM server's.
    pub personnel: Personnel,
    /// What goes wrong from the start.
    pub faults: Vec<Plan>,
}

/// Somebody who works or worked for the company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// When the employment ended; `None`: it did not.
    pub left_at: Option<DateTime<Utc>>,
}

/// An Okta organization with one application that matters.
#[derive(Clone, Debug)]
pub struct Org {
    /// How it lets callers in.
    pub door: Door,
    /// The application whose assignments are read.
    pub app: OktaApp,
    /// Every user, by id, whatever the status.
    pub users: BTreeMap<String, OktaUser>,
    /// Users of the application, by user id.
    pub app_users: BTreeMap<String, AppUser>,
    /// Groups, by id.
    pub groups: BTreeMap<String, Group>,
    /// The system log in the order in which it was written, which is not always that of time.
    pub log: Vec<LogEvent>,
    /// Of the users here, by id, also the deleted ones, those whom another provider of the company
    /// has: Okta shows none of them, and its provisioning does nothing for them.
    pub elsewhere: BTreeSet<String>,
    /// How far the `Date` of its answers is ahead of the company's clock; negative: behind.
    pub clock_ahead: TimeDelta,
    pub(crate) tokens: Tokens,
}

/// Who may ask Okta, how often, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// The API token that `Authorization: SSWS` must carry.
    pub api_token: String,
    /// The client id of the service app.
    pub client_id: String,
    /// Scopes granted to the service app.
    pub scopes: BTreeSet<String>,
    /// What the administrator role of the credential allows.
    pub role: Role,
    /// Do token requests have to carry a DPoP proof?
    pub needs_dpop: bool,
    /// Seconds that an access token lives. Okta: 3600.
    pub token_lives_s: u32,
    /// Rows of a page at most, whatever is asked for.
    pub page_max: usize,
    /// Requests a minute that each bucket allows. So many by default that nobody has to wait.
    pub per_minute: u32,
}

/// What an administrator role lets a credential see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, and nothing can be written.
    Reader,
    /// Nothing: every call is refused with E0000006.
    Refused,
    /// Nothing: every list is answered with 200 and no row.
    Blind,
}

/// The application in Okta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OktaApp {
    /// Its id, `0oa...`.
    pub id: String,
    /// Name in the catalogue.
    pub name: String,
    /// Name that people see.
    pub label: String,
    /// `ACTIVE`, `INACTIVE` or `DELETED`.
    pub status: String,
    /// What Okta does in the app; `None`: provisioning is not set up.
    pub provisioning: Option<Provisioning>,
}

/// The switches of Okta's provisioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provisioning {
    /// Are accounts created?
    pub creates: bool,
    /// Are profiles kept up to date?
    pub updates: bool,
    /// Are accounts switched off? Where not, every unassignment becomes drift.
    pub deactivates: bool,
}

/// A user of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OktaUser {
    /// Whose it is, by employee number; `None`: nobody's, or not known.
    pub employee_number: Option<String>,
    /// Sign-in name.
    pub login: String,
    /// Primary address; `None`: null on the wire.
    pub email: Option<String>,
    /// `STAGED`, `PROVISIONED`, `ACTIVE`, `RECOVERY`, `PASSWORD_EXPIRED`, `LOCKED_OUT`, `SUSPENDED`,
    /// `DEPROVISIONED`, or what nobody has heard of.
    pub status: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the status last changed; `None`: null on the wire.
    pub status_changed_at: Option<DateTime<Utc>>,
    /// When profile or status last changed.
    pub updated_at: DateTime<Utc>,
    /// Last sign-in; `None`: never.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Last day of a contract, in a member of its own; `None`: left out on the wire.
    pub ends_on: Option<NaiveDate>,
}

/// That a user may use the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppUser {
    /// The group through which; `None`: directly (scope `USER`).
    pub group: Option<String>,
    /// One of Okta's thirteen, or what nobody has heard of.
    pub status: String,
    /// Id of the account in the app; `None`: left out on the wire.
    pub external_id: Option<String>,
    /// The name that Okta sends to the app; `None`: null on the wire.
    pub user_name: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the status last changed.
    pub status_changed_at: Option<DateTime<Utc>>,
}

/// A group of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Name that people see.
    pub name: String,
    /// Members, by user id. Groups do not nest.
    pub members: BTreeSet<String>,
    /// Does it give its members the application?
    pub is_assigned: bool,
}

/// The event of the system log for a push that is to switch an account off.
pub(crate) const DEACTIVATED_IN_APP: &str = "application.provision.user.deactivate";

/// One event of the system log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened.
    pub published_at: DateTime<Utc>,
    /// `user.lifecycle.deactivate` and so on.
    pub event_type: String,
    /// `SUCCESS`, `FAILURE`, ...
    pub result: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// The user it is about, by id.
    pub user: String,
}

/// The app, as its SCIM server shows it.
#[derive(Clone, Debug)]
pub struct App {
    /// The bearer token that it wants.
    pub token: String,
    /// How the server behaves.
    pub habits: Habits,
    /// Accounts in the order in which they were made.
    pub accounts: Vec<Account>,
    /// Accounts that provisioning has made, also those that are gone: ids are never used again.
    pub n_made: u64,
    /// Groups, by id.
    pub groups: BTreeMap<String, AppGroup>,
    /// How far the `Date` of its answers is ahead of the company's clock; negative: behind.
    pub clock_ahead: TimeDelta,
}

/// One login in the app.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The server's id.
    pub id: String,
    /// What the provisioning client calls it; `None`: left out on the wire.
    pub external_id: Option<String>,
    /// Sign-in name; `None`: null on the wire.
    pub user_name: Option<String>,
    /// Address; `None`: no addresses at all.
    pub email: Option<String>,
    /// Whether it can be used, as the server writes it.
    pub active: Active,
    /// Names of roles; empty: none.
    pub roles: Vec<String>,
    /// Employee number of the enterprise extension; `None`: no extension.
    pub employee_number: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
    /// Further members, as they stand on the wire.
    pub more: BTreeMap<String, Value>,
}

/// The four ways in which a SCIM server says `active` (RFC 7643, 4.1.1 gives it no default).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Active {
    /// A boolean.
    Set(bool),
    /// `null`.
    Null,
    /// Not there.
    Absent,
    /// Some text.
    Text(String),
}

/// A group of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppGroup {
    /// Name that people see.
    pub name: String,
    /// Members, by account id.
    pub members: BTreeSet<String>,
}

/// How a SCIM server behaves, each as some real server does.
#[expect(clippy::struct_excessive_bools, reason = "each habit stands for itself")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Accounts that are off are in no list; by id they are.
    pub hides_inactive: bool,
    /// An account that is switched off is gone for good.
    pub deletes_inactive: bool,
    /// The list is empty and every id is unknown, whoever has an account.
    pub shows_nobody: bool,
    /// Who has the token for it may switch accounts off and on (RFC 7644, 3.5.2).
    pub takes_writes: bool,
    /// A write is answered with 204, and changes nothing.
    pub ignores_writes: bool,
    /// A filter changes nothing.
    pub ignores_filters: bool,
    /// A start beyond the end serves the first page again.
    pub restarts_past_end: bool,
    /// The newest account comes first, so that a new one shifts every page.
    pub lists_newest_first: bool,
    /// `active` is `"True"` or `"False"`.
    pub writes_booleans_as_text: bool,
    /// Lists are answered with `200 {}`.
    pub answers_empty_object: bool,
    /// `resources` for `Resources`, `totalresults` for `totalResults`.
    pub writes_members_in_lower_case: bool,
    /// `application/json` for `application/scim+json`.
    pub says_plain_json: bool,
    /// There is no ServiceProviderConfig.
    pub has_no_config: bool,
    /// Which ways of paging there are.
    pub paging: Paging,
    /// Rows that a page holds at most, whatever is asked for.
    pub page_max: usize,
}

/// Ways of paging through a SCIM list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// `startIndex` only (RFC 7644, 3.4.2.4).
    Index,
    /// Both, `startIndex` where nothing is asked for.
    Both,
    /// Both, cursors where nothing is asked for (RFC 9865).
    Cursor,
}

impl World {
    /// Reads a company from its description; see [`describe`] for the language.
    ///
    /// Its clock begins at 2026-11-20 03:00 UTC.
    ///
    /// # Errors
    ///
    /// Returns the first line that cannot be read, and what would be right.
    pub fn describe(text: &str) -> Result<Self, DescribeError> {
        describe::world(text, DateTime::from_timestamp(1_795_143_600, 0).unwrap_or_default())
    }

    /// As [`World::describe`], with a clock that begins at `begins_at`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn describe_at(text: &str, begins_at: DateTime<Utc>) -> Result<Self, DescribeError> {
        describe::world(text, begins_at)
    }

    /// A company with systems and nobody in them.
    #[must_use]
    pub fn empty(begins_at: DateTime<Utc>) -> Self {
        Self {
            begins_at,
            people: BTreeMap::new(),
            okta: Org::default(),
            entra: Tenant::default(),
            onelogin: Subdomain::default(),
            app: App::default(),
            personnel: Personnel::default(),
            faults: Vec::new(),
        }
    }
}

impl Org {
    /// Does Okta show this user?
    pub(crate) fn shows(&self, user: &str) -> bool {
        !self.elsewhere.contains(user)
    }
}

impl Default for Org {
    fn default() -> Self {
        Self {
            door: Door::default(),
            app: OktaApp {
                id: "0oaapp".to_owned(),
                name: "secureframe".to_owned(),
                label: "Secureframe".to_owned(),
                status: "ACTIVE".to_owned(),
                provisioning: Some(Provisioning {
                    creates: true,
                    updates: true,
                    deactivates: true,
                }),
            },
            users: BTreeMap::new(),
            app_users: BTreeMap::new(),
            groups: BTreeMap::new(),
            log: Vec::new(),
            elsewhere: BTreeSet::new(),
            clock_ahead: TimeDelta::zero(),
            tokens: Tokens::default(),
        }
    }
}

impl Default for Door {
    fn default() -> Self {
        let scopes = ["okta.users.read", "okta.apps.read", "okta.groups.read", "okta.logs.read"];
        Self {
            api_token: "00sim-api-token".to_owned(),
            client_id: "0oasimclient".to_owned(),
            scopes: scopes.map(str::to_owned).into(),
            role: Role::Reader,
            needs_dpop: false,
            token_lives_s: 3_600,
            page_max: usize::MAX,
            per_minute: 100_000,
        }
    }
}

impl Default for App {
    fn default() -> Self {
        Self {
            token: "sim-scim-token".to_owned(),
            habits: Habits::default(),
            accounts: Vec::new(),
            n_made: 0,
            groups: BTreeMap::new(),
            clock_ahead: TimeDelta::zero(),
        }
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            hides_inactive: false,
            takes_writes: false,
            ignores_writes: false,
            deletes_inactive: false,
            shows_nobody: false,
            ignores_filters: false,
            restarts_past_end: false,
            lists_newest_first: false,
            writes_booleans_as_text: false,
            answers_empty_object: false,
            writes_members_in_lower_case: false,
            says_plain_json: false,
            has_no_config: false,
            paging: Paging::Index,
            page_max: 100,
        }
    }
}
