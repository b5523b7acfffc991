//! What is written: the settings file as serde reads it. What it means is [`super::Settings`].
//!
//! The doc comments are the descriptions of the JSON Schema. Unknown keys are refused
//! everywhere; nothing is flattened and nothing untagged, so that errors name the key.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::alert::{Alert, Alerting, ReportTable, Route};
use super::anchor::AnchorTable;
use super::entra::EntraApi;
use super::http::Http;
use super::onelogin::OneLoginApi;
use super::secureframe::SecureframeApi;
use super::service::{HeartbeatTable, ScheduleTable, WebTable};
use super::words::{
    Channel, Deprovision, Entitlement, ExternalId, Lifecycle, OcsfVersion, PersonKey, Severity,
    SlaClock, Weekday,
};

/// The settings of Driftline. Paths are relative to the file; durations are a number and a
/// unit (`90m`, `26h`, `14d`); secrets are references (`env:NAME`, `file:PATH`,
/// `credential:NAME`).
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, schemars(title = "Settings of Driftline"))]
pub(super) struct File {
    /// The SQLite database, made when it is not there.
    pub(super) database: String,
    /// The folder of reports, made when it is not there.
    pub(super) reports: String,
    /// Pages older than this are taken out of the folder of reports; the database keeps every
    /// report. 1d or more. Default: all are kept.
    pub(super) reports_keep: Option<String>,
    /// A folder of column-mapping profiles (`NAME.toml`) that add to the built-in ones or
    /// replace them. Default: the built-in ones alone.
    pub(super) profiles: Option<String>,
    /// Exports in one folder a night. Default: the files' paths lead to the newest exports.
    pub(super) nights: Option<Nights>,
    /// When `driftline run` looks, judges and reports.
    pub(super) schedule: Option<ScheduleTable>,
    /// Health and metrics over HTTP. Default: nothing is served.
    pub(super) web: Option<WebTable>,
    /// A dead man's switch. Default: nobody is told.
    pub(super) heartbeat: Option<HeartbeatTable>,
    /// What counts as drift, how much it matters, and by when it must be over.
    pub(super) policy: Policy,
    /// Which keys join what.
    pub(super) keys: Keys,
    /// What belongs to this installation alone.
    pub(super) deployment: Deployment,
    /// The evidence log.
    pub(super) ledger: Ledger,
    /// Where checkpoints of the evidence log are taken out of reach, by the name that you give
    /// each place. Default: nowhere.
    pub(super) anchor: BTreeMap<String, AnchorTable>,
    /// What auditors are given.
    pub(super) evidence: Evidence,
    /// How long what is kept of people must be kept before they can be erased.
    pub(super) retention: RetentionTable,
    /// Identity providers, by the name that you give them: who should have access.
    pub(super) idp: BTreeMap<String, Idp>,
    /// Apps, by the name that you give them: who has it.
    pub(super) app: BTreeMap<String, App>,
    /// HR systems, by the name that you give them: who leaves.
    pub(super) hr: BTreeMap<String, Listing>,
    /// Registers of accounts that belong to no person, by the name that you give them.
    pub(super) register: BTreeMap<String, Listing>,
    /// What all alerts have in common.
    pub(super) alerting: Alerting,
    /// Channels by which people are told, by the name that you give them.
    pub(super) alert: BTreeMap<String, Alert>,
    /// Who is told what. Default: every channel is told of critical remains of access, and of
    /// lists that are too old.
    pub(super) route: Vec<Route>,
    /// Who gets the report of each run, besides the folder of reports.
    pub(super) report: ReportTable,
}

impl Default for File {
    fn default() -> Self {
        Self {
            database: "driftline.db".to_owned(),
            reports: "reports".to_owned(),
            reports_keep: None,
            profiles: None,
            nights: None,
            schedule: None,
            web: None,
            heartbeat: None,
            policy: Policy::default(),
            keys: Keys::default(),
            deployment: Deployment::default(),
            ledger: Ledger::default(),
            anchor: BTreeMap::new(),
            evidence: Evidence::default(),
            retention: RetentionTable::default(),
            idp: BTreeMap::new(),
            app: BTreeMap::new(),
            hr: BTreeMap::new(),
            register: BTreeMap::new(),
            alerting: Alerting::default(),
            alert: BTreeMap::new(),
            route: Vec::new(),
            report: ReportTable::default(),
        }
    }
}

/// Exports in one folder a night, named by its date (`2026-11-20`). `run --once` works through
/// every night that is not judged yet, oldest first, each as of its own time. The paths of all
/// files are then relative to the night's folder.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct Nights {
    /// The folder that holds the folders.
    pub(super) folder: String,
    /// The time of day at which each night is judged, with a zone.
    #[serde(default = "Nights::time")]
    pub(super) time: String,
}

impl Nights {
    fn time() -> String {
        "02:00:00Z".to_owned()
    }
}

/// What counts as drift, how much it matters, and by when it must be over.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Policy {
    /// Count it up when you change the policy: it is stored with every result.
    pub(super) version: u32,
    /// The zone of dates that name none, and of times in reports (IANA, `Europe/Berlin`).
    pub(super) zone: String,
    /// A list older than this supports no new claim.
    pub(super) max_age: String,
    /// Entitled again after this long begins a new employment.
    pub(super) rehire_after: String,
    /// Access must be off within this time: a duration, or business days (`1 business day`).
    pub(super) sla: String,
    /// From which event the SLA runs.
    pub(super) sla_clock: SlaClock,
    /// A list that falls by more than this share, in percent, is held. 1 to 100.
    #[cfg_attr(test, schemars(range(min = 1, max = 100)))]
    pub(super) shrink_max_percent: u32,
    /// How much may change at once before it is held.
    pub(super) guard: Guard,
    /// The business days that a limit counts.
    pub(super) calendar: Calendar,
    /// Grace by cause, where it is not the cause's own.
    pub(super) grace: BTreeMap<String, String>,
    /// Severity by cause, where it is not the cause's own.
    pub(super) severity: BTreeMap<String, Severity>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            zone: "UTC".to_owned(),
            max_age: "26h".to_owned(),
            rehire_after: "24h".to_owned(),
            sla: "24h".to_owned(),
            sla_clock: SlaClock::EarliestKnown,
            shrink_max_percent: 20,
            guard: Guard::default(),
            calendar: Calendar::default(),
            grace: BTreeMap::new(),
            severity: BTreeMap::new(),
        }
    }
}

/// How much may change in one app at once: new findings that rest on not seeing something, and
/// findings that close. More is held until two people release it. Limits can be raised, and not
/// switched off. Percents are of the accounts that the app lists.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Guard {
    /// So many in one run are always let through. At least 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(super) run_min: u64,
    /// More than this share in one run never is, however much is usual. 1 to 100.
    #[cfg_attr(test, schemars(range(min = 1, max = 100)))]
    pub(super) run_max_percent: u32,
    /// So many in seven days are always let through. At least 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(super) week_min: u64,
    /// More than this share in seven days never is. 1 to 100.
    #[cfg_attr(test, schemars(range(min = 1, max = 100)))]
    pub(super) week_max_percent: u32,
    /// So long a release holds.
    pub(super) release_for: String,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            run_min: 20,
            run_max_percent: 5,
            week_min: 40,
            week_max_percent: 15,
            release_for: "24h".to_owned(),
        }
    }
}

/// The business days that a limit counts.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Calendar {
    /// The zone in which days begin and end. Default: the policy's.
    pub(super) zone: Option<String>,
    /// Days of the week on which people work.
    pub(super) workdays: Vec<Weekday>,
    /// Days on which nobody does, as `2026-12-25`.
    pub(super) holidays: Vec<String>,
}

impl Default for Calendar {
    fn default() -> Self {
        use Weekday::{Fri, Mon, Thu, Tue, Wed};
        Self { zone: None, workdays: vec![Mon, Tue, Wed, Thu, Fri], holidays: Vec::new() }
    }
}

/// Which keys join what.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Keys {
    /// Keys that make two identities one person. The same address alone never does.
    pub(super) person: Vec<PersonKey>,
    /// Mail domains that are one: the alias, and the domain it stands for.
    pub(super) domain_aliases: BTreeMap<String, String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { person: vec![PersonKey::EmployeeNumber], domain_aliases: BTreeMap::new() }
    }
}

/// What belongs to this installation alone.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Deployment {
    /// Its name, which stands in the key of every alert: two that tell one channel need two names.
    pub(super) name: String,
    /// The key under which the fingerprints of findings are made: `env:NAME` or `file:PATH`, at
    /// least 16 bytes. Default: one made at random and kept in the database.
    pub(super) fingerprint_key: Option<String>,
}

impl Default for Deployment {
    fn default() -> Self {
        Self { name: "main".to_owned(), fingerprint_key: None }
    }
}

/// How long what is kept of people must be kept before they can be erased: after they are gone from
/// every list, their access was seen to be over and their findings are.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionTable {
    /// Of whom there never was a finding.
    pub(super) leavers: String,
    /// Of whom there was one.
    pub(super) findings: String,
}

impl Default for RetentionTable {
    fn default() -> Self {
        Self { leavers: "400d".to_owned(), findings: "400d".to_owned() }
    }
}

/// The evidence log.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ledger {
    /// The key that signs its checkpoints: `file:PATH`, `credential:NAME` or `env:NAME`. Default:
    /// none, and the ledger is not signed. `driftline ledger key new` makes one.
    pub(super) signing_key: Option<String>,
    /// The key before that one: both sign until it is revoked, so that whoever trusts it alone has
    /// the time to learn of the new one. Default: none.
    pub(super) previous_key: Option<String>,
}

/// What auditors are given.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Evidence {
    /// The key that signs bags: `file:PATH`, `credential:NAME` or `env:NAME` of an OpenSSH private
    /// key. Default: none, and bags are not signed. `driftline evidence key new` makes one.
    pub(super) signing_key: Option<String>,
    /// Which control asks for what, and which part of a bag is evidence for it: a TOML file. Default:
    /// the mapping in the program, which `driftline evidence controls` prints to begin with.
    pub(super) controls: Option<String>,
    /// The version of OCSF that the events of a bag have.
    pub(super) ocsf_version: OcsfVersion,
    /// A program of this machine that prints the page of a bag as PDF. Default: none, and bags have
    /// none.
    pub(super) pdf: Option<Pdf>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { signing_key: None, controls: None, ocsf_version: OcsfVersion::V1_5_0, pdf: None }
    }
}

/// A program that prints a page. No shell reads its arguments.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct Pdf {
    /// The program, by its path.
    pub(super) program: String,
    /// Its arguments, with `{html}` in place of the page and `{pdf}` in place of the file to make.
    pub(super) args: Vec<String>,
}

/// One identity provider.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Idp {
    /// Does it provision the app over SCIM? `false`: its users are only looked at.
    pub(super) scim: bool,
    /// It is read over Okta's API, and not from files.
    pub(super) okta: Option<OktaApi>,
    /// It is Microsoft Entra ID, read over Microsoft Graph and not from files.
    pub(super) entra: Option<EntraApi>,
    /// It is read over OneLogin's API, and not from files.
    pub(super) onelogin: Option<OneLoginApi>,
    /// Its export files.
    pub(super) file: Vec<SourceFile>,
}

impl Default for Idp {
    fn default() -> Self {
        Self { scim: true, okta: None, entra: None, onelogin: None, file: Vec::new() }
    }
}

/// One app: what is judged, and whose word counts for it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct App {
    /// The identity providers bound to it.
    pub(super) idps: Vec<String>,
    /// Is one identity provider's assignment enough?
    pub(super) entitlement: Entitlement,
    /// Whose word that somebody left beats everybody's assignment: an identity provider or an
    /// HR system. Default: nobody's.
    pub(super) authority: Option<String>,
    /// What the app does with an account that is switched off. Default: what its vendor documents,
    /// by the profile of its SCIM endpoint where that is the only view of it, else `unknown`.
    pub(super) deprovision: Option<Deprovision>,
    /// Channels that must all say so before an account counts as inactive. Default: all.
    pub(super) required_channels: Vec<Channel>,
    /// Role values that count as privileged. Default: those of the profile of its SCIM endpoint.
    pub(super) privileged_roles: Option<Vec<String>>,
    /// Ids, user names or addresses of accounts that must be in every list of the app. Without
    /// one there is no grade A.
    pub(super) canaries: Vec<String>,
    /// Likewise of accounts known to be switched off: where they are missing from a list, the
    /// app is shown to hide inactive accounts. Over the network by the id alone: it must be there
    /// when asked for, and off.
    pub(super) inactive_canaries: Vec<String>,
    /// What `externalId` carries, by identity provider. Unlisted: `idp_id`.
    pub(super) external_id: BTreeMap<String, ExternalId>,
    /// Identity providers whose users are all in scope, assigned or not (Entra: "Sync all
    /// users and groups").
    pub(super) assigns_everyone: Vec<String>,
    /// Its SCIM 2.0 endpoint, which is read over the network.
    pub(super) scim: Option<ScimApi>,
    /// Secureframe's own REST API, which is read over the network: another view of the same app.
    pub(super) secureframe_api: Option<SecureframeApi>,
    /// Its export files.
    pub(super) file: Vec<SourceFile>,
}

impl Default for App {
    fn default() -> Self {
        Self {
            idps: Vec::new(),
            entitlement: Entitlement::Any,
            authority: None,
            deprovision: None,
            required_channels: Vec::new(),
            privileged_roles: None,
            canaries: Vec::new(),
            inactive_canaries: Vec::new(),
            external_id: BTreeMap::new(),
            assigns_everyone: Vec::new(),
            scim: None,
            secureframe_api: None,
            file: Vec::new(),
        }
    }
}

/// One app of one Okta organisation, read over Okta's API.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct OktaApi {
    /// The organisation's address, `https://acme.okta.com`.
    pub(super) url: String,
    /// The app's id in Okta, `0oa...`.
    pub(super) app_id: String,
    /// Which `[app.NAME]` that is. Default: the only one that names this identity provider.
    #[serde(default)]
    pub(super) app: Option<String>,
    /// An API token: `env:NAME` or `file:PATH`. Or give a service app.
    #[serde(default)]
    pub(super) token: Option<String>,
    /// The client id of a service app.
    #[serde(default)]
    pub(super) client_id: Option<String>,
    /// Its private key, PEM or JWK: `env:NAME` or `file:PATH`.
    #[serde(default)]
    pub(super) private_key: Option<String>,
    /// The id of that key, where Okta knows several.
    #[serde(default)]
    pub(super) key_id: Option<String>,
    /// What the service app asks for.
    #[serde(default = "OktaApi::scopes")]
    pub(super) scopes: Vec<String>,
    /// Bind tokens to a key of this process (DPoP, RFC 9449).
    #[serde(default)]
    pub(super) dpop: bool,
    /// Ids of users who must be among the users.
    #[serde(default)]
    pub(super) canaries: Vec<String>,
    /// Ids of users who must be assigned to the app.
    #[serde(default)]
    pub(super) assigned_canaries: Vec<String>,
    /// How it is reached, and how far a pull may go.
    #[serde(default)]
    pub(super) http: Http,
}

impl OktaApi {
    fn scopes() -> Vec<String> {
        ["okta.users.read", "okta.apps.read", "okta.logs.read"].map(str::to_owned).into()
    }
}

/// A SCIM 2.0 endpoint.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct ScimApi {
    /// The address above `/Users`, `https://app.example.com/scim/v2`.
    pub(super) url: String,
    /// The bearer token: `env:NAME` or `file:PATH`.
    pub(super) token: String,
    /// What is known of the app: its profile, by name (docs/connectors/scim.md).
    #[serde(default = "ScimApi::profile")]
    pub(super) profile: String,
    /// Accounts to ask for at a time. Default: as the profile says.
    #[serde(default)]
    pub(super) page_size: Option<u32>,
    /// With what `driftline probe deprovision` may switch which canaries off. Default: it may not.
    #[serde(default)]
    pub(super) probe: Option<Probe>,
    /// How it is reached, and how far a pull may go.
    #[serde(default)]
    pub(super) http: Http,
}

/// What a probe may do. No run uses it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct Probe {
    /// A bearer token that may write users: `env:NAME` or `file:PATH`.
    pub(super) token: String,
    /// Ids of the accounts that it may switch off: nobody's, and none of `canaries`.
    pub(super) canaries: Vec<String>,
}

impl ScimApi {
    fn profile() -> String {
        "generic-scim".to_owned()
    }
}

/// A system of which nothing but its files is said.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listing {
    /// Its export files.
    pub(super) file: Vec<SourceFile>,
}

/// One export file, or one folder of page files.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct SourceFile {
    /// A file, or a folder of page files, read in natural order of their names.
    pub(super) path: String,
    /// The column-mapping profile that reads it. Default: recognised by its columns.
    #[serde(default)]
    pub(super) profile: Option<String>,
    /// As of when it speaks (`2026-11-20T02:00:00Z`). Default: the night's time; without
    /// nights, what the data says, else the file's time, marked as assumed.
    #[serde(default)]
    pub(super) as_of: Option<String>,
    /// The zone of its dates that name none. Default: the policy's.
    #[serde(default)]
    pub(super) zone: Option<String>,
    /// How many rows it must have; another number makes it partial.
    #[serde(default)]
    pub(super) rows: Option<u64>,
    /// Does it hold the whole list? Default: what the profile says.
    #[serde(default)]
    pub(super) whole: Option<bool>,
    /// The id of the group whose members it lists. Identity providers only.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// The way in which its accounts were seen. Apps only. Default: what the profile says.
    #[serde(default)]
    pub(super) channel: Option<Channel>,
    /// What raw statuses of identities mean, over what the profile says.
    #[serde(default)]
    pub(super) statuses: BTreeMap<String, Lifecycle>,
}
