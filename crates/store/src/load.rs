//! Reads the stored past that a run needs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{EntityId, HistoryPoint, List, RunId, Stream, SystemId};
use rusqlite::Connection;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cells::Cells;
use crate::rows::table;
use crate::state::{Counters, Known, OpenVersion, State, StreamState};
use crate::{Store, StoreError, conclusion, finding, people, snapshot};

/// Runs in the trend: a month of nights.
const HISTORY_MAX: usize = 30;

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
    let history = runs(connection)?;
    let times: FxHashMap<RunId, DateTime<Utc>> =
        history.iter().map(|it| (it.run, it.now)).collect();
    Ok(State {
        fingerprint_key: fingerprint_key(connection)?,
        last_run: history.last().map(|it| (it.run, it.now)),
        streams: streams(connection)?,
        links: conclusion::load_links(connection)?,
        standings: conclusion::load_standings(connection, &times)?,
        episodes: conclusion::load_episodes(connection)?,
        findings: finding::load(connection)?,
        decisions: people::load_decisions(connection)?,
        waivers: people::load_waivers(connection)?,
        nonhumans: people::load_nonhumans(connection)?,
        judged_apps: judged_apps(connection)?,
        next: counters(connection)?,
        history: history.into_iter().rev().take(HISTORY_MAX).rev().collect(),
    })
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
pub(crate) fn runs(connection: &Connection) -> Result<Vec<HistoryPoint>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, now_ms, n_open, n_pending, n_critical FROM run ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "run")?;
        runs.push(HistoryPoint {
            run: RunId(cells.key()),
            now: cells.time("now_ms")?,
            n_open: cells.count("n_open")?,
            n_pending: cells.count("n_pending")?,
            n_critical: cells.count("n_critical")?,
        });
    }
    Ok(runs)
}

fn judged_apps(connection: &Connection) -> Result<Vec<SystemId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT first_run, app FROM judged_app ORDER BY app")?;
    let mut rows = statement.query([])?;
    let mut apps = Vec::new();
    while let Some(row) = rows.next()? {
        apps.push(Cells::keyed(row, "judged_app")?.system("app")?);
    }
    Ok(apps)
}

fn counters(connection: &Connection) -> Result<Counters, StoreError> {
    let next = |table: &str| -> Result<i64, StoreError> {
        let sql = format!("SELECT max(id) FROM {table}");
        let last: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(last.unwrap_or(0) + 1)
    };
    let mut row = next("entity")?;
    for list in List::ALL {
        row = row.max(next(table(*list))?);
    }
    Ok(Counters { run: next("run")?, snapshot: next("snapshot")?, row, finding: next("finding")? })
}

fn streams(connection: &Connection) -> Result<BTreeMap<Stream, StreamState>, StoreError> {
    let numbers = snapshot::streams(connection)?;
    let mut states: BTreeMap<i64, StreamState> = BTreeMap::new();
    for line in snapshot::newest(connection)? {
        let state = states.entry(line.stream).or_default();
        if line.reference.supports_absence() {
            state.base = Some(line.reference.clone());
        }
        // A hint, and so no reason to fail: the stated number may be a damaged one.
        state.known.try_reserve(usize::try_from(line.reference.n_rows).unwrap_or(0)).ok();
        state.latest = Some(line.reference); // In order of number: the last one is the newest.
    }
    load_known(connection, &mut states)?;
    Ok(numbers
        .into_iter()
        .map(|(number, stream)| (stream, states.remove(&number).unwrap_or_default()))
        .collect())
}

/// Fills in every row ever seen, with its current version.
fn load_known(
    connection: &Connection,
    states: &mut BTreeMap<i64, StreamState>,
) -> Result<(), StoreError> {
    let mut open = open_versions(connection)?.into_iter().peekable();
    let mut statement =
        connection.prepare_cached("SELECT id, stream, key FROM entity ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "entity")?;
        let stream = cells.int("stream")?;
        let known = &mut states.get_mut(&stream).ok_or_else(|| cells.corrupt("stream"))?.known;
        let entity = EntityId(cells.key());
        while open.next_if(|(other, _)| *other < entity).is_some() {}
        let open = open.next_if(|(other, _)| *other == entity).map(|(_, version)| version);
        known.insert(cells.str("key")?.into(), Known { entity, open, enrolled: 0 });
    }
    Ok(())
}

/// The version of each row that the newest snapshot of its stream shows, in order of entity: a
/// walk beside the entities is faster than a look-up for each.
fn open_versions(connection: &Connection) -> Result<Vec<(EntityId, OpenVersion)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT version FROM ended")?;
    let ended: FxHashSet<i64> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut open = Vec::new();
    for list in List::ALL {
        let table = table(*list);
        let mut statement = connection
            .prepare_cached(&format!("SELECT id, coalesce(entity, id), hash FROM {table}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut cells = Cells::keyed(row, table)?;
            let id = cells.key();
            if !ended.contains(&id) {
                let entity = cells.entity("entity")?;
                open.push((entity, OpenVersion { id, hash: cells.bytes("hash")? }));
            }
        }
    }
    open.sort_by_key(|(entity, _)| *entity); // A few sorted runs: little more than a merge.
    Ok(open)
}
