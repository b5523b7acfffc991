//! Reads the stored past that a run needs.

use std::collections::BTreeMap;
use std::num::NonZero;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{EntityId, Pass, RunId, Stream, SystemId};
use rusqlite::Connection;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cells::Cells;
use crate::known::{Known, OpenVersion};
use crate::rows::pack::{self, Packed};
use crate::rows::{as_erased, is_erased, numbered, stored_key};
use crate::state::{Counters, State, StreamState};
use crate::{
    RunLine, Store, StoreError, anchor, conclusion, deprovision, finding, guard, leaver, log,
    notice, people, snapshot, unseen,
};

/// Runs in the trend: a month of nights.
const HISTORY_MAX: usize = 30;

/// So long back the guard looks for what is usual.
const USUAL: TimeDelta = TimeDelta::days(30);

impl Store {
    /// Reads what earlier runs left behind. On an empty database, that is nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn load(&self) -> Result<State, StoreError> {
        self.read("load the past", load).await
    }
}

fn load(connection: &Connection) -> Result<State, StoreError> {
    let runs = runs(connection)?;
    let times: FxHashMap<RunId, DateTime<Utc>> = runs.iter().map(|it| (it.id, it.now)).collect();
    let full: Vec<&RunLine> = runs.iter().filter(|it| it.pass == Pass::Full).collect();
    Ok(State {
        fingerprint_key: fingerprint_key(connection)?,
        last_run: runs.last().map(|it| (it.id, it.now)),
        last_full_run: full.last().map(|it| (it.id, it.now)),
        streams: streams(connection)?,
        links: conclusion::load_links(connection)?,
        standings: conclusion::load_standings(connection, &times)?,
        episodes: conclusion::load_episodes(connection)?,
        findings: finding::load(connection)?,
        decisions: people::load_decisions(connection)?,
        waivers: people::load_waivers(connection)?,
        releases: guard::load_releases(connection)?,
        changes: guard::load_counts(connection, usual_since(&runs))?,
        nonhumans: people::load_nonhumans(connection)?,
        judged_apps: judged_apps(connection)?,
        log_cursors: log::load_cursors(connection)?,
        log_events: log::load_events(connection)?,
        leavers: leaver::load(connection)?,
        leavers_begin: leaver::load_begins(connection)?,
        unseen: unseen::load(connection)?,
        deprovisions: deprovision::load(connection)?,
        told: notice::load_told(connection)?,
        dead_channels: notice::load_dead(connection)?,
        anchors: anchor::load_stands(connection)?,
        next: counters(connection)?,
        history: full.iter().rev().take(HISTORY_MAX).rev().map(|it| (**it).into()).collect(),
    })
}

/// Since when the guard looks back: from the last run, as no clock is here.
fn usual_since(runs: &[RunLine]) -> DateTime<Utc> {
    runs.last().map_or(DateTime::UNIX_EPOCH, |it| it.now - USUAL)
}

fn fingerprint_key(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT 0, value FROM meta WHERE key = 'fingerprint_key'")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Cells::keyed(row, "meta")?.bytes("value"),
        None => Err(StoreError::Corrupt { table: "meta", column: "key", key: 0 }),
    }
}

/// Every run, oldest first.
pub(crate) fn runs(connection: &Connection) -> Result<Vec<RunLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, pass, now_ms, n_open, n_pending, n_critical FROM run ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "run")?;
        runs.push(RunLine {
            id: RunId(cells.key()),
            pass: cells.name("pass", Pass::parse)?,
            now: cells.time("now_ms")?,
            n_open: cells.count("n_open")?,
            n_pending: cells.count("n_pending")?,
            n_critical: cells.count("n_critical")?,
        });
    }
    Ok(runs)
}

fn judged_apps(connection: &Connection) -> Result<BTreeMap<SystemId, RunId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT first_run, app FROM judged_app ORDER BY app")?;
    let mut rows = statement.query([])?;
    let mut apps = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "judged_app")?;
        apps.insert(cells.system("app")?, RunId(cells.key()));
    }
    Ok(apps)
}

fn counters(connection: &Connection) -> Result<Counters, StoreError> {
    let next = |table: &str| -> Result<i64, StoreError> {
        let sql = format!("SELECT max(id) FROM {table}");
        let last: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(last.unwrap_or(0) + 1)
    };
    Ok(Counters {
        run: next("run")?,
        snapshot: next("snapshot")?,
        row: pack::next_number(connection)?,
        finding: next("finding")?,
    })
}

fn streams(connection: &Connection) -> Result<BTreeMap<Stream, StreamState>, StoreError> {
    let numbers = snapshot::streams(connection)?;
    let mut states: BTreeMap<i64, StreamState> = BTreeMap::new();
    for line in snapshot::newest(connection)? {
        let state = states.entry(line.stream).or_default();
        if line.reference.supports_absence() {
            state.base = Some(line.reference.clone());
        }
        state.known.reserve(usize::try_from(line.reference.n_rows).unwrap_or(0));
        state.latest = Some(line.reference); // In order of number: the last one is the newest.
    }
    load_known(connection, &numbers, &mut states)?;
    Ok(numbers
        .into_iter()
        .map(|(number, stream)| (stream, states.remove(&number).unwrap_or_default()))
        .collect())
}

/// Fills in every row ever seen, with its current version.
fn load_known(
    connection: &Connection,
    streams: &BTreeMap<i64, Stream>,
    states: &mut BTreeMap<i64, StreamState>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT version FROM ended")?;
    let ended: FxHashSet<i64> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for (number, state) in states {
        let Some(list) = streams.get(number).map(|it| it.list) else { continue };
        let mut open_later = FxHashMap::default();
        let mut has_later: FxHashSet<EntityId> = FxHashSet::default();
        // When a row's first version comes, its current one has been met.
        pack::each_of_stream_newest_first(connection, *number, |_, version| {
            let Packed { id, entity, hash, .. } = version;
            let number = NonZero::new(id).ok_or_else(|| version.corrupt())?;
            let open = (!ended.contains(&id)).then_some(OpenVersion { id: number, hash });
            if !version.is_first() {
                if !is_erased(version.row) {
                    has_later.insert(entity);
                }
                open_later.extend(open.map(|it| (entity, it)));
                return Ok(());
            }
            let open = open.or_else(|| open_later.remove(&entity));
            let key = match as_erased(list, version.row) {
                // Nothing of it is left that a list could be set against.
                Some(_) if !has_later.contains(&entity) => return Ok(()),
                Some(left) => left.key.to_owned().into(),
                None => stored_key(list, version.row).ok_or_else(|| version.corrupt())?,
            };
            let known = Known { entity, open };
            state.known.add(&numbered(key, version.nth), known);
            Ok(())
        })?;
    }
    Ok(())
}
