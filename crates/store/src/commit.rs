//! One run, saved in one transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    AnchorName, Body, Changes, DeprovisionSeen, Digest, EntityId, Episode, FindingEvent, Leaver,
    LeaversBegin, Notice, Observation, Pass, Request, RunId, Snapshot, SystemId, Tier, Turn,
    Unseen, Verdict,
};
use ledger::Hashed;
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::cells::{Cells, ms};
use crate::entry::Signer;
use crate::moment::Moment;
use crate::{
    Enrolled, FindingChanges, Inputs, LogPart, StoreError, anchor, body, conclusion, deprovision,
    entry, finding, guard, inputs, leaver, log, notice, observation, people, report, rows,
    snapshot, turn, unseen,
};

/// Everything one run saw, concluded and tells.
#[derive(Clone, Debug)]
pub struct Commit {
    /// What it saw and concluded.
    pub judged: Judged,
    /// What it tells of it.
    pub told: Told,
}

/// What one run saw and concluded.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The run itself.
    pub run: RunSummary,
    /// The turn of the schedule that it was done for; `None`: somebody asked for it.
    pub turn: Option<Turn>,
    /// The lists it pulled, each as [`crate::State::enrol`] set it against the past.
    pub snapshots: Vec<(Arc<Snapshot>, Arc<Enrolled>)>,
    /// What it read of the logs of sources.
    pub log: Vec<LogPart>,
    /// What it asked again by id.
    pub observations: Vec<Observation>,
    /// Requests behind no snapshot, with the system that was asked.
    pub other_requests: Vec<(SystemId, Request)>,
    /// Links that are new, changed or over.
    pub links: Vec<LinkChange>,
    /// Verdicts that changed, on accounts and on identities without an account.
    /// One with a time says that the verdict before it was seen until then, and that this run
    /// cannot tell.
    pub standings: Vec<(EntityId, Verdict, Option<DateTime<Utc>>)>,
    /// Employments that began anew, changed or ended.
    pub episodes: Vec<(EntityId, Episode)>,
    /// What becomes of findings.
    pub findings: FindingChanges,
    /// What happened to findings.
    pub events: Vec<FindingEvent>,
    /// How much it let change, by app.
    pub changes: Vec<Changes>,
    /// Waivers that changed facts made void, and when.
    pub voided_waivers: Vec<(i64, DateTime<Utc>)>,
    /// Lists that it asked for and that were never seen whole, all of them.
    pub unseen: Vec<Unseen>,
    /// What it saw become of accounts that were switched off.
    pub deprovisions: Vec<DeprovisionSeen>,
}

/// What one run tells, and what it rests on.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its report as a JSON document, given back byte for byte by [`crate::Store::report`].
    pub report_json: Hashed,
    /// Raw rows to keep. One that its entity already has is not kept twice.
    pub bodies: Vec<Body>,
    /// What the ledger is told of it.
    pub entries: Vec<ledger::Event>,
    /// The anchors of the settings. Those whose day it is are asked for with its checkpoint.
    pub anchors: Vec<AnchorName>,
    /// Leavers that are new or changed, each with the place in `entries` of what says so.
    pub leavers: Vec<(usize, Leaver)>,
    /// Apps whose leavers are listed from this run on.
    pub leavers_begin: Vec<LeaversBegin>,
    /// What it was given that is kept nowhere else.
    pub inputs: Inputs,
    /// What there is to tell of it. Delivered after the commit, from the saved rows.
    pub notices: Vec<Notice>,
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number, from [`crate::State::next_run`].
    pub id: RunId,
    /// How much it looked at.
    pub pass: Pass,
    /// The time of its judgement.
    pub now: DateTime<Utc>,
    /// When it was made, by the clock of the machine: of a dated night, when that was judged.
    pub started_at: DateTime<Utc>,
    /// Program and version.
    pub software: String,
    /// SHA-256 of the settings in force.
    pub settings_digest: Digest,
    /// Version of the policy.
    pub policy_version: u32,
    /// Findings open, acknowledged or held at its end.
    pub n_open: u64,
    /// Pending at its end.
    pub n_pending: u64,
    /// Open and critical at its end.
    pub n_critical: u64,
    /// Apps that it judged.
    pub judged_apps: Vec<SystemId>,
}

/// A link that is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// Whose link.
    pub account: EntityId,
    /// The owner and the key that says so; `None`: no longer linked.
    pub link: Option<(EntityId, Tier)>,
}

/// That a run is the one after the last.
pub(crate) fn check_next(connection: &Connection, run: RunId) -> Result<(), StoreError> {
    let last: Option<i64> =
        connection.query_row("SELECT max(id) FROM run", [], |row| row.get(0))?;
    if run.0 == last.unwrap_or(0) + 1 { Ok(()) } else { Err(StoreError::Stale { run }) }
}

/// Saves what a run saw and concluded.
pub(crate) fn save_judged(connection: &Connection, judged: Judged) -> Result<(), StoreError> {
    let run = judged.run.id;
    insert_run(connection, &judged.run)?;
    turn::insert(connection, run, judged.turn.as_ref())?;
    for (snapshot, enrolled) in &judged.snapshots {
        insert_snapshot(connection, run, snapshot, enrolled)?;
    }
    snapshot::insert_other_requests(connection, run, &judged.other_requests)?;
    observation::insert(connection, run, &judged.observations)?;
    log::insert(connection, run, &judged.log)?;
    finding::save(connection, &judged.findings)?;
    finding::insert_events(connection, &judged.events)?;
    conclusion::insert_links(connection, run, judged.links)?;
    conclusion::insert_standings(connection, run, judged.standings)?;
    conclusion::insert_episodes(connection, run, &judged.episodes)?;
    guard::insert_counts(connection, run, &judged.changes)?;
    people::insert_voids(connection, &judged.voided_waivers)?;
    unseen::replace(connection, &judged.unseen)?;
    deprovision::insert(connection, &judged.deprovisions)
}

/// Saves what a run tells, when what it concluded is saved. `before` is the moment before anything of it
/// was written.
pub(crate) fn save_told(
    connection: &Connection,
    (run, now): (RunId, DateTime<Utc>),
    mut told: Told,
    before: Moment,
    signer: Option<&Signer>,
) -> Result<(), StoreError> {
    let inputs = inputs::insert(connection, run, before, &told.inputs)?;
    let (wanted, mut entries) = anchor::wanted(connection, &told.anchors, now)?;
    let n_before = entries.len() as u64;
    entries.append(&mut told.entries);
    entries.iter_mut().for_each(|it| it.add_inputs(&inputs));
    let first = entry::append(connection, signer, entries)?;
    anchor::ask(connection, &wanted, now)?;
    save_beside_ledger(connection, run, told, first + n_before)
}

/// Saves what a run tells in other places than the ledger, where its entries begin with `first`.
pub(crate) fn save_beside_ledger(
    connection: &Connection,
    run: RunId,
    told: Told,
    first: u64,
) -> Result<(), StoreError> {
    body::insert(connection, run, &told.bodies)?;
    let entry_of = |(at, leaver): (usize, Leaver)| (first + at as u64, leaver);
    let leavers: Vec<(u64, Leaver)> = told.leavers.into_iter().map(entry_of).collect();
    leaver::insert(connection, run, &leavers)?;
    leaver::insert_begins(connection, run, &told.leavers_begin)?;
    notice::insert(connection, &told.notices)?;
    report::insert(connection, run, &told.report_json)
}

fn insert_run(connection: &Connection, run: &RunSummary) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO run (id, now_ms, started_at_ms, software, settings_digest, policy_version,
                              n_open, n_pending, n_critical, pass)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            run.id.0,
            ms(run.now),
            ms(run.started_at),
            run.software,
            &run.settings_digest[..],
            run.policy_version,
            run.n_open.cast_signed(),
            run.n_pending.cast_signed(),
            run.n_critical.cast_signed(),
            run.pass.name(),
        ])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO judged_app (app, first_run) VALUES (?1, ?2) ON CONFLICT (app) DO NOTHING",
    )?;
    for app in &run.judged_apps {
        insert.execute(params![app.as_str(), run.id.0])?;
    }
    Ok(())
}

/// Writes what a snapshot showed that the one before did not, and nothing else.
fn insert_snapshot(
    connection: &Connection,
    run: RunId,
    snapshot: &Snapshot,
    enrolled: &Enrolled,
) -> Result<(), StoreError> {
    let id = enrolled.reference.id;
    let stream = snapshot::stream_id(connection, &snapshot.stream)?;
    snapshot::insert(connection, run, stream, snapshot, enrolled)?;
    if let Some(hashes) = &enrolled.hashes {
        rows::insert(connection, snapshot, enrolled, hashes)?;
    }

    let mut end =
        connection.prepare_cached("INSERT INTO ended (snapshot, version) VALUES (?1, ?2)")?;
    for version in &enrolled.ended {
        end.execute([id.0, *version])?;
    }
    save_last_uses(connection, stream, snapshot, enrolled)
}

/// Brings the last use of the accounts that were seen up to date, where it changed.
fn save_last_uses(
    connection: &Connection,
    stream: i64,
    snapshot: &Snapshot,
    enrolled: &Enrolled,
) -> Result<(), StoreError> {
    let domain::Rows::Accounts(accounts) = &snapshot.rows else { return Ok(()) };
    let mut stored = load_last_uses(connection, stream)?;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO account_use (entity, last_used_at_ms) VALUES (?1, ?2)
         ON CONFLICT (entity) DO UPDATE SET last_used_at_ms = excluded.last_used_at_ms",
    )?;
    let mut delete = connection.prepare_cached("DELETE FROM account_use WHERE entity = ?1")?;
    for (last_used_at, entity) in accounts.beside().iter().zip(&enrolled.entities) {
        match (*last_used_at, stored.remove(entity)) {
            (Some(at), before) if before.map(ms) != Some(ms(at)) => {
                upsert.execute([entity.0, ms(at)])?;
            }
            (None, Some(_)) => {
                delete.execute([entity.0])?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The last use of the accounts of one stream, as the last snapshot that showed each said.
pub(crate) fn load_last_uses(
    connection: &Connection,
    stream: i64,
) -> Result<FxHashMap<EntityId, DateTime<Utc>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT u.entity, u.last_used_at_ms
         FROM snapshot s CROSS JOIN account_use u
             ON u.entity >= s.first_version AND u.entity < s.first_version + s.n_versions
         WHERE s.stream = ?1",
    )?;
    let mut rows = statement.query([stream])?;
    let mut uses = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "account_use")?;
        uses.insert(EntityId(cells.key()), cells.time("last_used_at_ms")?);
    }
    Ok(uses)
}
