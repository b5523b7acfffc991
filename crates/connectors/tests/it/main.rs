//! Export files in, what an operator sees out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod coding;
mod laws;
mod lists;
mod profiles;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectors::files::{Config, FileConfig, Files, Profiles, Pull};
use domain::{
    Account, Assignment, Clock, Coverage, Identity, Principal, Rows, SystemId, SystemKind, Via,
};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> DateTime<Utc> {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }
}

/// The settings of a system whose files lie in `folder`; every file as of one known time.
fn config(kind: SystemKind, folder: &Path, names: &[&str]) -> Config {
    let file = |name: &&str| FileConfig {
        shown_as: (*name).to_owned(),
        as_of: Some("2026-11-23T06:00:00Z".parse().unwrap()),
        ..FileConfig::new(folder.join(name))
    };
    Config {
        system: SystemId::parse("sys").unwrap(),
        kind,
        files: names.iter().map(file).collect(),
        zone: None,
    }
}

fn run(config: Config) -> Pull {
    let files = Files::new(config, Arc::new(Profiles::builtin().unwrap()));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(files.pull(&Noon))
}

/// Pulls one file of these bytes.
fn pull(
    kind: SystemKind,
    name: &str,
    bytes: impl AsRef<[u8]>,
    tweak: impl FnOnce(&mut Config),
) -> Pull {
    pull_all(kind, &[(name, bytes.as_ref())], tweak)
}

/// Pulls several.
fn pull_all(kind: SystemKind, files: &[(&str, &[u8])], tweak: impl FnOnce(&mut Config)) -> Pull {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let mut config = config(kind, folder.path(), &names);
    tweak(&mut config);
    run(config)
}

/// The same as text.
fn see(kind: SystemKind, name: &str, text: &str) -> String {
    shown(&pull(kind, name, text, |_| {}))
}

/// What a pull brought, as an operator would read it.
fn shown(pull: &Pull) -> String {
    let mut out = String::new();
    for snapshot in &pull.snapshots {
        let coverage = match &snapshot.coverage {
            Coverage::Complete(proof) => format!("complete, {proof}"),
            Coverage::Partial { reason } => format!("partial: {reason}"),
        };
        writeln!(out, "{} ({}), {coverage}", snapshot.stream, snapshot.population).unwrap();
        rows(&mut out, &snapshot.rows);
        for note in &snapshot.notes {
            writeln!(out, "  note: {note}").unwrap();
        }
    }
    for it in &pull.unmapped {
        writeln!(out, "unmapped {} `{}` x{}", it.field, it.raw, it.count).unwrap();
    }
    for failure in &pull.failures {
        let streams: Vec<String> = failure.lists.iter().map(ToString::to_string).collect();
        writeln!(out, "failed [{}]: {}", streams.join(", "), chain(&failure.error)).unwrap();
    }
    out
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn rows(out: &mut String, rows: &Rows) {
    let lines: Vec<String> = match rows {
        Rows::Identities(rows) => rows.iter().map(|it| identity(&it)).collect(),
        Rows::Assignments(rows) => rows.iter().map(|it| assignment(&it)).collect(),
        Rows::Accounts(rows) => rows.iter().map(|it| account(&it)).collect(),
        Rows::Memberships(rows) => {
            rows.iter().map(|it| format!("{} has {}", it.group, principal(&it.member))).collect()
        }
        Rows::NonHumans(rows) => rows
            .iter()
            .map(|it| {
                format!(
                    "{} owner={} until={}",
                    it.account,
                    or_dash(&it.owner),
                    or_dash(&it.attest_by)
                )
            })
            .collect(),
        Rows::Leavers(rows) => rows
            .iter()
            .map(|it| format!("{} left={} {}", it.id, it.left_at.to_rfc3339(), or_dash(&it.reason)))
            .collect(),
    };
    for line in lines {
        writeln!(out, "  {line}").unwrap();
    }
}

fn or_dash(it: &Option<impl ToString>) -> String {
    it.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn principal(it: &Principal) -> String {
    match it {
        Principal::Identity(id) => id.to_string(),
        Principal::Group(id) => format!("group {id}"),
    }
}

fn identity(it: &Identity) -> String {
    format!(
        "{} {} {} name={} mail={} no={} ends={}",
        it.id,
        it.kind,
        it.lifecycle,
        or_dash(&it.user_name),
        or_dash(&it.email),
        or_dash(&it.employee_number),
        or_dash(&it.ends_at)
    )
}

fn assignment(it: &Assignment) -> String {
    let via = match &it.via {
        Via::Direct => "direct".to_owned(),
        Via::Groups(groups) => {
            format!("groups {:?}", groups.iter().map(|it| &*it.id).collect::<Vec<_>>())
        }
        Via::NotStated => "?".to_owned(),
    };
    format!(
        "{} {} ({}) via {via} account={} as={} at={}",
        principal(&it.principal),
        it.grant,
        or_dash(&it.raw_status),
        or_dash(&it.account_id),
        or_dash(&it.user_name),
        or_dash(&it.changed_at)
    )
}

fn account(it: &Account) -> String {
    format!(
        "{} ext={} name={} mail={} no={} active={:?} invitation={} roles={:?} groups={:?} ends={}",
        it.id,
        or_dash(&it.external_id),
        or_dash(&it.user_name),
        or_dash(&it.email),
        or_dash(&it.employee_number),
        it.active,
        it.invitation,
        it.roles,
        it.groups,
        or_dash(&it.ends_at)
    )
}
