//! A connector to a server of a test, and what an operator would see of what it brought.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connectors::live::LivePull;
use connectors::scim::{AppProfiles, Config, Scim};
use domain::{Account, ActiveFlag, At, Coverage, Rows, SystemId};
use outbound::{Auth, Client, Limits, Pace, Secret};

use crate::server::Server;

pub(crate) const TOKEN: &str = "s3cret-scim-token";

/// The clock of every test.
pub(crate) fn clock() -> At {
    At("2026-11-23T18:00:00Z".parse::<DateTime<Utc>>().unwrap())
}

/// An app of which the given lines are known.
pub(crate) fn scim(server: &Server, app: &str) -> Scim {
    with_canaries(server, app, &[], &[])
}

/// Likewise, with accounts that are kept on, and accounts that are kept off.
pub(crate) fn with_canaries(
    server: &Server,
    app: &str,
    canaries: &[&str],
    inactive_canaries: &[&str],
) -> Scim {
    let toml = format!("name = \"test\"\ntitle = \"Test\"\n{app}");
    let app = AppProfiles::builtin().unwrap().with_profile(&toml).unwrap().get("test").unwrap();
    let limits =
        Limits { attempts: 2, backoff: Duration::from_millis(1), pages: 1000, ..Limits::default() };
    let config = outbound::Config {
        base: server.base.clone(),
        ca_bundle: None,
        proxy: None,
        limits,
        user_agent: "driftline".to_owned(),
        auth: Auth::Bearer(Secret::new(TOKEN.to_owned())),
        pace: Pace::RetryAfter,
        accept: app.accept(),
    };
    let reader = Client::new(config, Arc::new(clock())).unwrap().reader();
    let system = SystemId::parse("app").unwrap();
    let ids = |all: &[&str]| all.iter().map(|it| (*it).into()).collect();
    let (canaries, inactive_canaries) = (ids(canaries), ids(inactive_canaries));
    Scim::new(Config { system, app, canaries, inactive_canaries, page_size: None }, reader)
}

/// The rows that were read.
pub(crate) fn accounts(pulled: &LivePull) -> Vec<Account> {
    match pulled.snapshots.first().map(|it| &it.rows) {
        Some(Rows::Accounts(accounts)) => accounts.to_vec(),
        _ => Vec::new(),
    }
}

/// What an operator would see: accounts, coverage, notes, failures, requests.
pub(crate) fn shown(pulled: &LivePull) -> String {
    let mut lines = Vec::new();
    for snapshot in &pulled.snapshots {
        let names = accounts(pulled).into_iter().map(|it| {
            let name = it.user_name.as_deref().or(Some(&it.id)).unwrap_or_default();
            format!("{} {}", name.split('@').next().unwrap_or_default(), active(&it.active))
        });
        lines.push(format!("accounts: {}", names.collect::<Vec<_>>().join(", ")));
        lines.push(match &snapshot.coverage {
            Coverage::Complete(proof) => format!("complete: {proof}"),
            Coverage::Partial { reason } => format!("partial: {reason}"),
        });
        lines.extend(snapshot.notes.iter().map(|it| format!("note: {it}")));
        let n_rows: Vec<_> = snapshot.requests.iter().map(|it| it.n_rows.to_string()).collect();
        lines.push(format!("rows by request: {}", n_rows.join(" ")));
        assert_eq!(snapshot.origins.len(), snapshot.rows.len());
        assert_eq!(pulled.bodies[0].len(), snapshot.rows.len());
    }
    lines.extend(pulled.failures.iter().map(|it| {
        let port = it.error.to_string();
        let url = port.find("127.0.0.1:").map(|at| port[at + 10..].split('/').next().unwrap());
        format!("failed: {}", port.replace(url.unwrap_or("-"), "PORT"))
    }));
    lines.extend(pulled.troubles.iter().map(|it| format!("{}: {}", it.kind, it.text)));
    lines.join("\n")
}

fn active(flag: &ActiveFlag) -> String {
    match flag {
        ActiveFlag::Set(true) => "on".to_owned(),
        ActiveFlag::Set(false) => "off".to_owned(),
        ActiveFlag::Null => "null".to_owned(),
        ActiveFlag::Absent => "-".to_owned(),
        ActiveFlag::Unparseable(raw) => format!("?{raw}"),
    }
}
