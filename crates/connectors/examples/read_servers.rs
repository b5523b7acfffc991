//! Reads servers that others wrote and compares with what they hold. Run by `tests/servers/run`,
//! which starts and fills them: `tests/servers/run -- cargo run -p connectors --example read_servers`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example is a program of its own, with a clock, an environment and a terminal"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectors::entra::{self, Clause, Entra, Operator, ProvisioningLog, Scope, ScopingFilters};
use connectors::files::Profiles;
use connectors::live::{Answer, LivePull, Question, SwitchedOff};
use connectors::okta::{self, Okta};
use connectors::onelogin::{self, OneLogin};
use connectors::scim::{self, AppProfiles, Scim};
use domain::{ActiveFlag, Clock, Coverage, Rows, SystemId};
use outbound::{Auth, Client, Config, Limits, Pace, Secret, Url};
use serde::Deserialize;

/// The servers over SCIM: the variable with the address, and the file of what it holds.
const SCIM: [(&str, &str); 5] = [
    ("SCIM2_INDEX_URL", "scim2-index"),
    ("SCIM2_CURSOR_URL", "scim2-cursor"),
    ("SCIMMY_HARD_URL", "scimmy-hard"),
    ("SCIMMY_SOFT_URL", "scimmy-soft"),
    ("SCIMMY_HIDE_URL", "scimmy-hide"),
];

#[derive(Clone, Copy, Debug)]
struct Machine;

impl Clock for Machine {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// What a server holds.
#[derive(Deserialize)]
struct Expected {
    accounts: Vec<Holds>,
}

#[derive(Deserialize)]
struct Holds {
    id: String,
    #[serde(rename = "userName")]
    user_name: String,
    /// `None`: not stated.
    active: Option<bool>,
    listed: bool,
    /// The status of `GET` by its id.
    by_id: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut problems = Vec::new();
    for (variable, name) in SCIM {
        let path = format!("{}/{name}.json", std::env::var("EXPECTED_DIR")?);
        let expected: Expected = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let token = Auth::Bearer(Secret::new(std::env::var("SCIM_TOKEN")?));
        let reader = client(&std::env::var(variable)?, token, Pace::RetryAfter)?.reader();
        let app = AppProfiles::builtin()?.get("generic-scim").ok_or("no generic profile")?;
        let system = SystemId::parse(name)?;
        let config = scim::Config {
            system,
            app,
            canaries: Vec::new(),
            inactive_canaries: Vec::new(),
            page_size: Some(10),
        };
        problems.extend(compare(name, &Scim::new(config, reader), &expected).await);
    }
    problems.extend(okta(&std::env::var("PRISM_OKTA_URL")?).await?);
    problems.extend(graph(&std::env::var("PRISM_GRAPH_URL")?).await?);
    problems.extend(onelogin(&std::env::var("PRISM_ONELOGIN_URL")?).await?);
    for problem in &problems {
        println!("{problem}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn client(base: &str, auth: Auth, pace: Pace) -> Result<Client, Box<dyn Error>> {
    let config = Config {
        base: Url::parse(base)?,
        ca_bundle: None,
        proxy: None,
        limits: Limits::default(),
        user_agent: "driftline/tests".to_owned(),
        auth,
        pace,
        accept: "application/scim+json, application/json",
    };
    Ok(Client::new(config, Arc::new(Machine))?)
}

/// Reads a whole server, and each account by its id. Returns what is not as it should be.
async fn compare(name: &str, scim: &Scim, expected: &Expected) -> Vec<String> {
    let mut problems = Vec::new();
    let pull = scim.pull(&Machine).await;
    let Some(snapshot) = pull.snapshots.first() else {
        return vec![format!("{name}: no list: {:?}", pull.failures)];
    };
    if !matches!(snapshot.coverage, Coverage::Complete(_)) {
        problems.push(format!("{name}: {:?}", snapshot.coverage));
    }
    let read = accounts(&snapshot.rows);
    let wanted: BTreeMap<String, String> = expected
        .accounts
        .iter()
        .filter(|it| it.listed)
        .map(|it| (it.id.clone(), shown(it)))
        .collect();
    if read != wanted {
        problems.push(format!("{name}: read {read:?}, and it holds {wanted:?}"));
    }
    for holds in &expected.accounts {
        let question = Question::Account(holds.id.as_str().into());
        let reply = scim.reread(&Machine, &[question]).await.pop();
        let said = match reply.map(|it| it.answer) {
            Some(Answer::Found { row, .. }) => accounts(&row).remove(&holds.id),
            Some(Answer::Gone) => None,
            other => Some(format!("{other:?}")),
        };
        let wanted = (holds.by_id == 200).then(|| shown(holds));
        if said != wanted {
            problems.push(format!("{name}: {} by id: {said:?}, not {wanted:?}", holds.id));
        }
    }
    println!("{name}: {} accounts, {:?}, {:?}", read.len(), snapshot.coverage, snapshot.notes);
    problems
}

/// `userName on`, by id.
fn accounts(rows: &Rows) -> BTreeMap<String, String> {
    let Rows::Accounts(accounts) = rows else { return BTreeMap::new() };
    let active = |flag: &ActiveFlag| match flag {
        ActiveFlag::Set(is_on) => Some(*is_on),
        ActiveFlag::Null | ActiveFlag::Absent | ActiveFlag::Unparseable(_) => None,
    };
    let shown = |it: &domain::Account| {
        format!("{} {:?}", it.user_name.as_deref().unwrap_or("-"), active(&it.active))
    };
    accounts.iter().map(|it| (it.id.to_string(), shown(&it))).collect()
}

fn shown(holds: &Holds) -> String {
    format!("{} {:?}", holds.user_name, holds.active)
}

/// Reads Okta's own examples, as Prism serves them.
async fn okta(base: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let reader = client(
        &format!("{base}{}", okta::API),
        Auth::Ssws(Secret::new("00any-token".to_owned())),
        Pace::Okta,
    )?
    .reader();
    let config = okta::Config {
        system: SystemId::parse("okta")?,
        app: SystemId::parse("app")?,
        app_id: "0oa1gjh63g214q0Hq0g4".into(),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        credential: okta::Credential::ApiToken,
        log_pages: 1,
    };
    let okta = Okta::new(config, reader, &Profiles::builtin()?)?;
    Ok(read_whole("okta", &okta.pull(&Machine, None).await))
}

/// Reads the examples of Microsoft Graph, as Prism serves them.
async fn graph(base: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let reader = client(&format!("{base}{}", entra::API), any_token(), Pace::RetryAfter)?.reader();
    let clause = Clause::new("department", Operator::IsNotNull).ok_or("no such attribute")?;
    let config = entra::Config {
        system: SystemId::parse("entra")?,
        app: SystemId::parse("app")?,
        app_id: "c2000000-0000-4000-8000-000000000001".into(),
        scope: Scope::Assigned,
        scoping_filters: ScopingFilters(vec![vec![clause]]),
        disabled: SwitchedOff::Left,
        log: ProvisioningLog::Pages(1),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
    };
    let entra = Entra::new(config, reader, &Profiles::builtin()?)?;
    Ok(read_whole("graph", &entra.pull(&Machine, None).await))
}

/// Reads the examples of OneLogin's description, as Prism serves them.
async fn onelogin(base: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let reader = client(&format!("{base}{}", onelogin::API), any_token(), Pace::OneLogin)?.reader();
    let config = onelogin::Config {
        system: SystemId::parse("onelogin")?,
        app: SystemId::parse("app")?,
        // The app of the example.
        app_id: "775664".into(),
        suspended: SwitchedOff::Left,
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        event_pages: 1,
    };
    let onelogin = OneLogin::new(config, reader, &Profiles::builtin()?)?;
    Ok(read_whole("onelogin", &onelogin.pull(&Machine, None).await))
}

fn any_token() -> Auth {
    Auth::Bearer(Secret::new("any-token".to_owned()))
}

/// Says what a pull brought of the examples that Prism serves, and what it did not.
fn read_whole(name: &str, pull: &LivePull) -> Vec<String> {
    for snapshot in &pull.snapshots {
        let (stream, n_rows) = (&snapshot.stream, snapshot.rows.len());
        println!("prism: {stream}, {n_rows} rows, {:?}", snapshot.coverage);
    }
    for trouble in &pull.troubles {
        println!("prism: {name}: {}: {}", trouble.kind, trouble.text);
    }
    let failed = pull.failures.iter().map(|it| format!("prism: {name}: {}", it.error));
    let empty = pull.snapshots.iter().filter(|it| it.rows.is_empty());
    failed.chain(empty.map(|it| format!("prism: no rows of {}", it.stream))).collect()
}
