//! The ledger alone: how fast entries are appended in one batch, and how fast all are verified.

use std::io::Write as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use domain::{
    Cause, Change, EntityId, Finding, FindingEvent, FindingId, FindingState, Fingerprint, Pass,
    RunId, Severity, Subject, SubjectKind, SystemId,
};
use ledger::{Event, Hashed, Kind};
use store::{Commit, FindingChanges, Held, Inputs, Judged, RunSummary, Store, Told};
use tokio::time::Instant;

/// How much to append.
#[derive(Debug, Args)]
pub(crate) struct Ledger {
    /// Entries in all.
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
    /// Entries in one save.
    #[arg(long, default_value_t = 100_000)]
    batch: usize,
}

/// Appends, verifies, and prints both times.
///
/// # Errors
///
/// Returns an error when the store fails, or the ledger is not what was appended.
pub(crate) async fn run(Ledger { entries, batch }: Ledger) -> anyhow::Result<()> {
    anyhow::ensure!(batch > 0, "a batch has at least one entry");
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("bench.db"))?;
    let finding = finding()?;
    let (mut appending, mut n_runs) = (Duration::ZERO, 0);
    for first in (0..entries).step_by(batch) {
        let n = batch.min(entries - first);
        let run = store.load().await?.next_run();
        let commit = commit(run, &finding, n);
        let began = Instant::now();
        store.commit(commit).await?;
        appending += began.elapsed();
        n_runs += 1;
    }
    let began = Instant::now();
    let verified = store.verify_ledger(Held::default()).await?;
    let verifying = began.elapsed();
    let (size, _) = verified.size_and_root();
    anyhow::ensure!(size == entries as u64, "{size} entries are there, not {entries}");
    let per_second = entries as f64 / appending.as_secs_f64();
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{entries} entries in {n_runs} saves in {appending:.2?}: {per_second:.0} a second"
    )?;
    writeln!(out, "{entries} entries verified in {verifying:.2?}")?;
    Ok(())
}

/// A run of which nothing is saved but its entries, the last one its own.
fn commit(run: RunId, finding: &Finding, n: usize) -> Commit {
    let now = DateTime::UNIX_EPOCH;
    let report_json = Hashed::new(b"{}".to_vec());
    let mut entries: Vec<Event> = (1..n).flat_map(|at| opened(run, now, finding, at)).collect();
    let digest = Fingerprint(*report_json.sha256()).to_string();
    let body = serde_json::json!({"run": run.0, "report_sha256": digest});
    let any = Event::exception_voided((run, now), 0);
    entries.push(Event { kind: Kind::RunCompleted, body, ..any });
    let judged = Judged {
        run: RunSummary {
            id: run,
            pass: Pass::Full,
            now,
            started_at: now,
            software: "bench".to_owned(),
            settings_digest: [0; 32],
            policy_version: 1,
            n_open: 0,
            n_pending: 0,
            n_critical: 0,
            judged_apps: Vec::new(),
        },
        turn: None,
        snapshots: Vec::new(),
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
        report_json,
        bodies: Vec::new(),
        entries,
        anchors: Vec::new(),
        leavers: Vec::new(),
        leavers_begin: Vec::new(),
        inputs: Inputs::default(),
        notices: Vec::new(),
    };
    Commit { judged, told }
}

/// The entry of a finding that opens: of one account, with two facts that can be erased.
fn opened(run: RunId, at: DateTime<Utc>, finding: &Finding, n: usize) -> Vec<Event> {
    let mut finding = finding.clone();
    finding.id = FindingId(i64::try_from(n).unwrap_or(i64::MAX));
    finding.subject.key = (&*format!("acct-{:06}", n % 10_000)).into();
    let event = FindingEvent {
        finding: finding.id,
        at,
        run: Some(run),
        change: Change::Opened,
        cause: finding.cause,
        severity: finding.severity,
        state: finding.state,
        because: "seen again by later lists, and grace is over".to_owned(),
    };
    Event::finding(&event, &finding)
}

fn finding() -> anyhow::Result<Finding> {
    let (app, now) = (SystemId::parse("app")?, DateTime::UNIX_EPOCH);
    Ok(Finding {
        id: FindingId(1),
        fingerprint: Fingerprint([7; 32]),
        subject: Subject {
            kind: SubjectKind::Account,
            system: app.clone(),
            key: "acct".into(),
            entity: EntityId(1),
        },
        app,
        cause: Cause::LeaverActive,
        severity: Severity::Critical,
        state: FindingState::Open,
        episode: 1,
        detected_at: now,
        detected_run: RunId(1),
        looks: Vec::new(),
        clock_from: now,
        grace_until: now,
        opened_at: Some(now),
        resolved_at: None,
        resolution: None,
        state_until: None,
        last_seen_at: now,
        exposures: Vec::new(),
        n_reopened: 0,
        owner: None,
        breached_at: None,
        held: None,
    })
}
