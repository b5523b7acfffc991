//! Small worlds: lists, findings and commits in a line each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Account, ActiveFlag, AsOf, AsOfBasis, Cause, Channel, Coverage, EntityId, Exposure, Finding,
    FindingId, FindingState, Fingerprint, Identity, IdentityKind, Interval, Invitation, Lifecycle,
    List, Look, Pass, Population, Proof, Request, RowOrigin, Rows, RunId, Severity, Signature,
    Snapshot, Stream, Subject, SubjectKind, SystemId,
};
use ledger::{Event, Hashed, Kind};
use store::{
    Commit, Digested, Enrolled, FindingChanges, Inputs, Judged, RunSummary, State, Store, Told,
};

pub(crate) fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(hours)
}

pub(crate) fn system(name: &str) -> SystemId {
    SystemId::parse(name).unwrap()
}

pub(crate) fn stream(name: &str, list: List) -> Stream {
    let channel = (list == List::Accounts).then_some(Channel::Scim);
    Stream { system: system(name), list, channel }
}

pub(crate) fn complete() -> Coverage {
    Coverage::Complete(Proof::StatedTotal)
}

pub(crate) fn partial() -> Coverage {
    Coverage::Partial { reason: "page 2 answered 502".to_owned() }
}

pub(crate) fn snapshot(name: &str, coverage: Coverage, rows: Rows) -> Snapshot {
    let origins = (0..u32::try_from(rows.len()).unwrap())
        .map(|at| RowOrigin { request: 0, line: at + 1, offset: u64::from(at) * 10, len: 10 })
        .collect();
    Snapshot {
        stream: stream(name, rows.list()),
        as_of: AsOf { at: at(0), basis: AsOfBasis::Stated },
        coverage,
        population: Population::Everyone,
        id_form: None,
        requests: vec![Request {
            method: "FILE".into(),
            url: "users.jsonl".into(),
            status: None,
            n_bytes: 10,
            sha256: [u8::try_from(rows.len()).unwrap_or(255); 32],
            date: Some(at(-1)),
            request_id: None,
            n_rows: rows.len() as u64,
            duration_ms: 3,
            waited_ms: 2,
        }],
        rows,
        origins,
        notes: vec!["column `x` is unknown".to_owned()],
    }
}

pub(crate) fn identity(id: &str, name: &str) -> Identity {
    Identity {
        id: id.into(),
        user_name: Some(format!("{name}@example.com").into()),
        email: Some(format!("{name}@example.com").into()),
        employee_number: None,
        immutable_id: None,
        display_name: Some(name.into()),
        kind: IdentityKind::Member,
        lifecycle: Lifecycle::Active,
        raw_status: Some("ACTIVE".into()),
        created_at: Some(at(-100)),
        status_changed_at: None,
        starts_at: None,
        ends_at: None,
    }
}

pub(crate) fn account(id: &str, active: bool) -> Account {
    Account {
        id: id.into(),
        external_id: None,
        user_name: Some(format!("{id}@example.com").into()),
        email: None,
        employee_number: None,
        display_name: None,
        active: ActiveFlag::Set(active),
        invitation: Invitation::NotStated,
        raw_status: None,
        active_source: None,
        roles: Some(vec!["Admin".into(), "say \"hi\"".into()]),
        groups: None,
        ends_at: None,
        created_at: None,
        modified_at: None,
        last_used_at: None,
    }
}

/// Identities `u1` to `u<n>` of `okta`.
pub(crate) fn people(n: usize) -> Rows {
    Rows::Identities((1..=n).map(|it| identity(&format!("u{it}"), &format!("p{it}"))).collect())
}

/// Accounts of `app` by id, active or not.
pub(crate) fn accounts(all: &[(&str, bool)]) -> Rows {
    Rows::Accounts(all.iter().map(|(id, active)| account(id, *active)).collect())
}

pub(crate) fn finding(id: FindingId, run: RunId, entity: EntityId) -> Finding {
    Finding {
        id,
        fingerprint: Fingerprint([u8::try_from(id.0).unwrap(); 32]),
        app: system("app"),
        subject: Subject {
            kind: SubjectKind::Account,
            system: system("app"),
            key: "a1".into(),
            entity,
        },
        cause: Cause::LeaverActive,
        severity: Severity::Critical,
        state: FindingState::Open,
        episode: 1,
        detected_at: at(1),
        detected_run: run,
        looks: vec![Look {
            stream: stream("app", List::Accounts),
            as_of: at(0),
            is_assumed: true,
            body_digest: [7; 32],
        }],
        clock_from: at(0),
        grace_until: at(4),
        opened_at: Some(at(5)),
        resolved_at: None,
        resolution: None,
        state_until: None,
        last_seen_at: at(5),
        exposures: vec![Exposure {
            started: Interval { earliest: None, latest: Some(at(0)) },
            last_seen_active: Some(at(5)),
            first_seen_inactive: None,
        }],
        n_reopened: 0,
        owner: Some(entity),
        breached_at: Some(at(30)),
        held: None,
    }
}

pub(crate) fn signature(by: &str) -> Signature {
    Signature { by: by.to_owned(), at: at(0), place: "root@host".to_owned() }
}

/// A run with these lists and nothing concluded.
pub(crate) fn commit(state: &mut State, snapshots: Vec<Snapshot>) -> Commit {
    let enrolled = |it: Snapshot| {
        let enrolled = state.enrol(&it, Digested::of(&it.rows));
        (Arc::new(it), Arc::new(enrolled))
    };
    let snapshots = snapshots.into_iter().map(enrolled).collect();
    let run = state.next_run();
    let (now, same) = (at(24 * run.0), "the same ".repeat(500));
    let report_json = Hashed::new(format!("{{\"run\": {run}, \"text\": \"{same}\"}}").into_bytes());
    let judged = Judged {
        run: RunSummary {
            id: run,
            pass: Pass::Full,
            now,
            started_at: at(24 * run.0 - 1),
            software: "driftline 0.0.0".to_owned(),
            settings_digest: [1; 32],
            policy_version: 1,
            n_open: 2,
            n_pending: 1,
            n_critical: 1,
            judged_apps: vec![system("app")],
        },
        turn: None,
        snapshots,
        log: Vec::new(),
        observations: Vec::new(),
        other_requests: Vec::new(),
        links: Vec::new(),
        standings: Vec::new(),
        episodes: Vec::new(),
        findings: FindingChanges::default(),
        events: Vec::new(),
        changes: Vec::new(),
        voided_waivers: Vec::new(),
        unseen: Vec::new(),
        deprovisions: Vec::new(),
    };
    let told = Told {
        bodies: Vec::new(),
        entries: vec![completed(run, now, report_json.sha256())],
        report_json,
        anchors: Vec::new(),
        leavers: Vec::new(),
        leavers_begin: Vec::new(),
        inputs: Inputs::default(),
        notices: Vec::new(),
    };
    Commit { judged, told }
}

/// Holds the first list of a run, for a reason.
pub(crate) fn hold(commit: &mut Commit, why: Option<String>) {
    Arc::get_mut(&mut commit.judged.snapshots[0].1).unwrap().reference.held = why;
}

/// The entry of a run.
fn completed(run: RunId, now: DateTime<Utc>, report: &domain::Digest) -> Event {
    let digest = Fingerprint(*report).to_string();
    let body = serde_json::json!({"run": run.0, "report_sha256": digest});
    Event { kind: Kind::RunCompleted, body, ..Event::exception_voided((run, now), 0) }
}

/// Loads, enrols and commits these lists; returns the enrolled ones.
pub(crate) async fn run(store: &Store, snapshots: Vec<Snapshot>) -> Vec<Arc<Enrolled>> {
    let mut state = store.load().await.unwrap();
    let commit = commit(&mut state, snapshots);
    let enrolled = commit.judged.snapshots.iter().map(|it| Arc::clone(&it.1)).collect();
    store.commit(commit).await.unwrap();
    enrolled
}

/// A folder of its own, and the path of a database in it.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("driftline.db");
    (folder, path)
}

/// Asks the file directly, as an auditor would.
pub(crate) fn count(path: &Path, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
