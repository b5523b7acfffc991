//! Reading back what was seen: a whole snapshot, rows that are gone, the history of one row.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{Activity, EntityId, PastLook, Rows, SnapshotId, SnapshotRef, Stream};
use rusqlite::{Connection, OptionalExtension as _};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cells::Cells;
use crate::commit::load_last_uses;
use crate::rows::{Stored, StoredRows, Which, each_kind, pack, read};
use crate::{Store, StoreError, snapshot};

/// A snapshot as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// The snapshot without its rows.
    pub reference: SnapshotRef,
    /// Its rows, in order of key. `Account::last_used_at` is volatile: it is filled in for the
    /// newest snapshot of its stream only. Times are kept to the millisecond.
    pub rows: Rows,
    /// The numbers of the rows, in their order.
    pub entities: Vec<EntityId>,
    /// Where each row was first read as it is, in their order.
    pub seen: Vec<Seen>,
    /// Rows of this stream seen before and not in this snapshot, in order of number.
    pub absent: Vec<EntityId>,
    /// Peculiarities that the pull noted.
    pub notes: Vec<String>,
}

/// Where a version of a row was first read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// In which snapshot.
    pub snapshot: SnapshotId,
    /// In which of its requests, from 0.
    pub request: u32,
    /// In which line, or row of an array; from 1.
    pub line: u32,
}

/// A row that a snapshot does not show, as it was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Gone {
    /// Which row.
    pub entity: EntityId,
    /// The row: one.
    pub row: Rows,
    /// Where this version of it was first read.
    pub seen: Seen,
    /// The last snapshot that showed it.
    pub last_seen: Arc<SnapshotRef>,
    /// By when an earlier list, whole and the first without it, had been read. `None`: the list that
    /// was asked about is the first.
    pub missed_by: Option<DateTime<Utc>>,
}

/// One version of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredVersion {
    /// The row: one.
    pub row: Rows,
    /// Where it was first read.
    pub seen: Seen,
    /// The snapshot that showed it first.
    pub first_seen: SnapshotRef,
    /// The last snapshot that showed it.
    pub last_seen: SnapshotRef,
    /// The first later one that did not; `None` while it is current.
    pub ended: Option<SnapshotRef>,
}

impl Store {
    /// Reads a snapshot back, exactly as it was seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when there is none of that number, or a row is not what we write.
    pub async fn rows(&self, id: SnapshotId) -> Result<StoredSnapshot, StoreError> {
        self.read("read a snapshot", move |connection| rows(connection, id)).await
    }

    /// Reads the last version of each of these rows up to snapshot `at`, in order of number:
    /// those that `at`, committed or about to be, does not show ([`crate::Enrolled::absent`],
    /// [`StoredSnapshot::absent`]).
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn gone(
        &self,
        absent: Vec<EntityId>,
        at: SnapshotId,
    ) -> Result<Vec<Gone>, StoreError> {
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        self.read("read rows that are gone", move |connection| gone(connection, &absent, at)).await
    }

    /// How earlier snapshots show these accounts, oldest first; nothing of a number that no account
    /// has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn looks_at(
        &self,
        accounts: Vec<EntityId>,
    ) -> Result<FxHashMap<EntityId, Vec<PastLook>>, StoreError> {
        if accounts.is_empty() {
            return Ok(FxHashMap::default());
        }
        self.read("read how accounts were seen", move |connection| looks(connection, &accounts))
            .await
    }

    /// Reads all versions of one row, oldest first. Empty for a number that no row has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn history_of(&self, entity: EntityId) -> Result<Vec<StoredVersion>, StoreError> {
        self.read("read the history of a row", move |connection| history(connection, entity)).await
    }
}

fn rows(connection: &Connection, id: SnapshotId) -> Result<StoredSnapshot, StoreError> {
    let missing = StoreError::Corrupt { table: "snapshot", column: "id", key: id.0 };
    let line = snapshot::one(connection, id)?.ok_or(missing)?;
    let ends = ends(connection, line.stream)?;
    let which = Which::Stream { stream: line.stream, until: id };
    let mut stored = read(connection, line.reference.stream.list, which)?;
    stored.sort();
    let is_shown = |version: i64| ends.get(&version).is_none_or(|end| *end > id);
    let mut chosen =
        each_kind!(StoredRows, stored, rows => Chosen::new(rows, is_shown, StoredRows::from));
    let newest = newest_of(connection, line.stream)?;
    if let (Rows::Accounts(accounts), true) = (&mut chosen.rows, newest == id) {
        let uses = load_last_uses(connection, line.stream)?;
        for (at, entity) in chosen.entities.iter().enumerate() {
            accounts.set_beside(at, uses.get(entity).copied());
        }
    }
    Ok(StoredSnapshot {
        reference: line.reference,
        rows: chosen.rows,
        entities: chosen.entities,
        seen: chosen.seen,
        absent: chosen.absent,
        notes: line.notes,
    })
}

/// The rows that a snapshot shows, and the others.
struct Chosen {
    rows: Rows,
    entities: Vec<EntityId>,
    seen: Vec<Seen>,
    absent: Vec<EntityId>,
}

impl Chosen {
    fn new<T>(
        versions: Vec<Stored<T>>,
        is_shown: impl Fn(i64) -> bool,
        wrap: impl Fn(Vec<Stored<T>>) -> StoredRows,
    ) -> Self {
        let (shown, others): (Vec<_>, Vec<_>) =
            versions.into_iter().partition(|it| is_shown(it.id));
        let entities: Vec<EntityId> = shown.iter().map(|it| it.entity).collect();
        let present: FxHashSet<EntityId> = entities.iter().copied().collect();
        let mut absent: Vec<EntityId> =
            others.iter().map(|it| it.entity).filter(|it| !present.contains(it)).collect();
        absent.sort_unstable();
        absent.dedup();
        let seen = shown.iter().map(Stored::seen).collect();
        Self { rows: wrap(shown).into_rows(), entities, seen, absent }
    }
}

fn gone(
    connection: &Connection,
    absent: &[EntityId],
    at: SnapshotId,
) -> Result<Vec<Gone>, StoreError> {
    /// From this many rows of a stream on, reading all of it is faster than one after the other.
    const WHOLE_MIN: usize = 500;

    let mut by_stream: BTreeMap<i64, Vec<EntityId>> = BTreeMap::new();
    for entity in absent {
        if let Some(stream) = home(connection, *entity)? {
            by_stream.entry(stream).or_default().push(*entity);
        }
    }
    let mut all = Vec::new();
    for (stream, entities) in by_stream {
        let chain = Chain::of(connection, stream)?;
        let list = chain.stream.list;
        let n_before = all.len();
        if entities.len() < WHOLE_MIN {
            for entity in entities {
                let which = Which::Entity { entity, until: at };
                last_of_each(read(connection, list, which)?, &chain, at, &mut all, |_| true)?;
            }
        } else {
            let wanted: FxHashSet<EntityId> = entities.into_iter().collect();
            let stored = read(connection, list, Which::Stream { stream, until: at })?;
            last_of_each(stored, &chain, at, &mut all, |it| wanted.contains(&it))?;
        }
        let mut known: BTreeMap<SnapshotId, Option<DateTime<Utc>>> = BTreeMap::new();
        for it in all.iter_mut().skip(n_before) {
            it.missed_by = match known.entry(it.last_seen.id) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    *new.insert(chain.whole_after(connection, it.last_seen.id, at)?)
                }
            };
        }
    }
    all.sort_unstable_by_key(|it| it.entity);
    Ok(all)
}

/// Adds the last version of each wanted entity to `all`, without [`Gone::missed_by`].
fn last_of_each(
    stored: StoredRows,
    chain: &Chain,
    at: SnapshotId,
    all: &mut Vec<Gone>,
    is_wanted: impl Fn(EntityId) -> bool,
) -> Result<(), StoreError> {
    each_kind!(StoredRows, stored, versions => {
        let mut last = FxHashMap::default();
        for version in versions.into_iter().filter(|it| is_wanted(it.entity)) {
            last.insert(version.entity, version); // In order of time: the last one stays.
        }
        for (entity, version) in last {
            let end = chain.ends.get(&version.id).copied().filter(|end| *end <= at).unwrap_or(at);
            let seen = version.seen();
            // What `at` itself showed was not seen before it.
            let last_seen = match seen.snapshot < end {
                true => chain.before(end, version.id)?,
                false => chain.get(seen.snapshot, version.id)?,
            };
            let last_seen = Arc::clone(last_seen);
            let row = StoredRows::from(vec![version]).into_rows();
            all.push(Gone { entity, row, seen, last_seen, missed_by: None });
        }
    });
    Ok(())
}

fn looks(
    connection: &Connection,
    accounts: &[EntityId],
) -> Result<FxHashMap<EntityId, Vec<PastLook>>, StoreError> {
    let mut chains: BTreeMap<i64, Chain> = BTreeMap::new();
    let mut all = FxHashMap::default();
    for entity in accounts {
        let Some(stream) = home(connection, *entity)? else { continue };
        let chain = match chains.entry(stream) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Chain::of(connection, stream)?),
        };
        let which = Which::Entity { entity: *entity, until: SnapshotId(i64::MAX) };
        let StoredRows::Accounts(versions) = read(connection, chain.stream.list, which)? else {
            continue;
        };
        let mut looks = Vec::with_capacity(versions.len());
        for version in versions {
            let first = chain.get(version.valid_from, version.id)?;
            let end = chain.ends.get(&version.id).copied().unwrap_or(SnapshotId(i64::MAX));
            looks.push(PastLook {
                from: first.as_of.at,
                from_read_by: read_by(connection, version.valid_from)?.unwrap_or(first.as_of.at),
                until: chain.before(end, version.id)?.as_of.at,
                activity: Activity::of(&version.row),
            });
        }
        all.insert(*entity, looks);
    }
    Ok(all)
}

/// By when a snapshot that came over the network had been read; `None` for an export, which shows
/// one moment.
fn read_by(
    connection: &Connection,
    snapshot: SnapshotId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT r.id, r.now_ms FROM snapshot s JOIN run r ON r.id = s.run
         WHERE s.id = ?1 AND EXISTS
             (SELECT 1 FROM request q WHERE q.snapshot = s.id AND q.status IS NOT NULL)",
    )?;
    let mut rows = statement.query([snapshot.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Cells::keyed(row, "run")?.time("now_ms")?))
}

fn history(connection: &Connection, entity: EntityId) -> Result<Vec<StoredVersion>, StoreError> {
    let Some(stream) = home(connection, entity)? else { return Ok(Vec::new()) };
    let chain = Chain::of(connection, stream)?;
    let which = Which::Entity { entity, until: SnapshotId(i64::MAX) };
    let stored = read(connection, chain.stream.list, which)?;
    let mut history = Vec::new();
    each_kind!(StoredRows, stored, versions => {
        for version in versions {
            let end = chain.ends.get(&version.id).copied();
            let seen = version.seen();
            history.push(StoredVersion {
                seen,
                first_seen: chain.get(seen.snapshot, version.id)?.as_ref().clone(),
                last_seen: chain.before(end.unwrap_or(SnapshotId(i64::MAX)), version.id)?.as_ref().clone(),
                ended: match end {
                    None => None,
                    Some(end) => Some(chain.get(end, version.id)?.as_ref().clone()),
                },
                row: StoredRows::from(vec![version]).into_rows(),
            });
        }
    });
    Ok(history)
}

/// The snapshots of one stream, and which of them ended which version.
struct Chain {
    stream: Stream,
    snapshots: BTreeMap<SnapshotId, Arc<SnapshotRef>>,
    ends: FxHashMap<i64, SnapshotId>,
}

impl Chain {
    fn of(connection: &Connection, stream: i64) -> Result<Self, StoreError> {
        let missing = StoreError::Corrupt { table: "stream", column: "id", key: stream };
        Ok(Self {
            stream: snapshot::streams(connection)?.remove(&stream).ok_or(missing)?,
            snapshots: snapshot::of_stream(connection, stream)?
                .into_iter()
                .map(|it| (it.reference.id, Arc::new(it.reference)))
                .collect(),
            ends: ends(connection, stream)?,
        })
    }

    fn get(&self, id: SnapshotId, version: i64) -> Result<&Arc<SnapshotRef>, StoreError> {
        let missing = StoreError::Corrupt { table: "version", column: "valid_from", key: version };
        self.snapshots.get(&id).ok_or(missing)
    }

    /// The last snapshot before `end`.
    fn before(&self, end: SnapshotId, version: i64) -> Result<&Arc<SnapshotRef>, StoreError> {
        let missing = StoreError::Corrupt { table: "ended", column: "snapshot", key: version };
        self.snapshots.range(..end).next_back().map(|(_, it)| it).ok_or(missing)
    }

    /// By when the first whole list after `last` and before `at` had been read.
    fn whole_after(
        &self,
        connection: &Connection,
        last: SnapshotId,
        at: SnapshotId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        if last >= at {
            return Ok(None);
        }
        let mut between = self.snapshots.range((Bound::Excluded(last), Bound::Excluded(at)));
        let Some((id, first)) = between.find(|(_, it)| it.supports_absence()) else {
            return Ok(None);
        };
        Ok(Some(read_by(connection, *id)?.unwrap_or(first.as_of.at)))
    }
}

/// The snapshot that ended each version of a stream.
pub(crate) fn ends(
    connection: &Connection,
    stream: i64,
) -> Result<FxHashMap<i64, SnapshotId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, snapshot FROM ended WHERE snapshot IN (SELECT id FROM snapshot WHERE stream = ?1)",
    )?;
    let mut rows = statement.query([stream])?;
    let mut ends = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "ended")?;
        ends.insert(cells.key(), cells.snapshot("snapshot")?);
    }
    Ok(ends)
}

/// The stream of a row; `None` for a number that no row has.
pub(crate) fn home(connection: &Connection, entity: EntityId) -> Result<Option<i64>, StoreError> {
    let Some(snapshot) = pack::snapshot_of(connection, entity.0)? else { return Ok(None) };
    let mut statement = connection.prepare_cached("SELECT stream FROM snapshot WHERE id = ?1")?;
    Ok(statement.query_row([snapshot.0], |row| row.get(0)).optional()?)
}

fn newest_of(connection: &Connection, stream: i64) -> Result<SnapshotId, StoreError> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(id) FROM snapshot WHERE stream = ?1")?
        .query_row([stream], |row| row.get(0))?;
    Ok(SnapshotId(newest.unwrap_or(0)))
}
