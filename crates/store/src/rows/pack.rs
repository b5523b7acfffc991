//! Packs of versions: some hundred rows of one snapshot in one cell of the database.
//!
//! A row of SQLite costs more than what is in it. Versions of a snapshot are written together and
//! have numbers in a row, so that a pack needs to say only where it begins. For each version:
//!
//! | field | bytes |
//! |---|---|
//! | entity | count: 0 in the first version, which has its entity's number |
//! | which row of its key | count, from 1 |
//! | request, line | a count each: where the row stood in the snapshot |
//! | hash | the first 16 bytes of the row hash |
//! | row | count of its bytes, then its canonical form |
//!
//! A count is written as in `canon.rs`.

use domain::{EntityId, SnapshotId};
use rusqlite::{Connection, Statement, params};
use rustc_hash::FxHashSet;

use super::ShortHash;
use crate::StoreError;
use crate::cells::Cells;
use domain::rows::{put_count, take_count};

/// Versions in one pack. More would make the history of one row slow, fewer the first night.
const VERSIONS_MAX: i64 = 1024;

/// Bytes at which a pack of long rows is closed before it has so many.
const BYTES_MAX: usize = 1 << 20;

/// Writes the versions that one snapshot began, in order of their numbers.
pub(super) struct Packer<'c> {
    pack: Statement<'c>,
    later: Statement<'c>,
    snapshot: SnapshotId,
    /// The number of the first version in `bytes`, and how many there are.
    first: i64,
    n: i64,
    bytes: Vec<u8>,
}

impl<'c> Packer<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        snapshot: SnapshotId,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            pack: connection.prepare(
                "INSERT INTO version_pack (first, n, snapshot, versions) VALUES (?1, ?2, ?3, ?4)",
            )?,
            later: connection
                .prepare("INSERT INTO later_version (entity, version) VALUES (?1, ?2)")?,
            snapshot,
            first: 0,
            n: 0,
            bytes: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, version: &Packed<'_>) -> Result<(), StoreError> {
        if self.n == VERSIONS_MAX || self.bytes.len() >= BYTES_MAX {
            self.close()?;
        }
        if self.n == 0 {
            self.first = version.id;
        }
        if !version.is_first() {
            self.later.execute([version.entity.0, version.id])?;
        }
        version.put(&mut self.bytes, version.row);
        self.n += 1;
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        if self.n > 0 {
            self.pack.execute(params![self.first, self.n, self.snapshot.0, self.bytes])?;
            self.n = 0;
            self.bytes.clear();
        }
        Ok(())
    }
}

/// A version as it stands in its pack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'b> {
    pub(crate) id: i64,
    pub(crate) entity: EntityId,
    pub(crate) nth: u32,
    pub(crate) request: u32,
    pub(crate) line: u32,
    pub(crate) hash: ShortHash,
    /// The row in its canonical form.
    pub(crate) row: &'b [u8],
}

impl Packed<'_> {
    /// Writes it behind others, with these bytes as its row.
    pub(crate) fn put(&self, bytes: &mut Vec<u8>, row: &[u8]) {
        let entity = if self.is_first() { 0 } else { self.entity.0.unsigned_abs() };
        put_count(bytes, entity);
        for number in [self.nth, self.request, self.line] {
            put_count(bytes, u64::from(number));
        }
        bytes.extend(self.hash);
        put_count(bytes, row.len() as u64);
        bytes.extend(row);
    }

    /// Returns true in the first version of its row.
    pub(crate) const fn is_first(&self) -> bool {
        self.id == self.entity.0
    }

    /// That this version cannot be read.
    pub(crate) const fn corrupt(&self) -> StoreError {
        corrupt(self.id)
    }
}

const fn corrupt(key: i64) -> StoreError {
    StoreError::Corrupt { table: "version_pack", column: "versions", key }
}

/// The versions of one pack, in order of their numbers.
pub(crate) struct Unpack<'b> {
    bytes: &'b [u8],
    next: i64,
    end: i64,
}

impl<'b> Unpack<'b> {
    /// Reads the rest of a line: the number of its first version and how many there are were read
    /// as the key and the next cell.
    pub(crate) fn new(cells: &mut Cells<'b, '_>) -> Result<Self, StoreError> {
        let (first, n) = (cells.key(), cells.int("n")?);
        let end = first.checked_add(n).ok_or_else(|| cells.corrupt("n"))?;
        Ok(Self { bytes: cells.blob("versions")?, next: first, end })
    }

    /// The version of this number; `None` when the pack does not have it.
    pub(crate) fn find(self, id: i64) -> Result<Option<Packed<'b>>, StoreError> {
        if id >= self.end {
            return Ok(None);
        }
        for version in self {
            let version = version?;
            if version.id == id {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    fn version(&mut self) -> Option<Packed<'b>> {
        let id = self.next;
        let entity = match take_count(&mut self.bytes)? {
            0 => id,
            entity => i64::try_from(entity).ok()?,
        };
        let mut number = || u32::try_from(take_count(&mut self.bytes)?).ok();
        let (nth, request, line) = (number()?, number()?, number()?);
        let (hash, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        let n = usize::try_from(take_count(&mut self.bytes)?).ok()?;
        let (row, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        self.next += 1;
        Some(Packed { id, entity: EntityId(entity), nth, request, line, hash: *hash, row })
    }
}

impl<'b> Iterator for Unpack<'b> {
    type Item = Result<Packed<'b>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            let is_whole = self.bytes.is_empty();
            self.bytes = &[];
            return (!is_whole).then(|| Err(corrupt(self.next)));
        }
        let version = self.version();
        if version.is_none() {
            // Nothing after it can be found either.
            (self.bytes, self.end) = (&[], self.next);
        }
        Some(version.ok_or_else(|| corrupt(self.next)))
    }
}

/// Hands over every version of a stream up to a snapshot, in order of number, which is the order
/// of time, with the snapshot that showed it first.
pub(crate) fn each_of_stream(
    connection: &Connection,
    stream: i64,
    until: SnapshotId,
    take: impl FnMut(SnapshotId, Packed<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = "SELECT p.first, p.snapshot, p.n, p.versions
         FROM snapshot s CROSS JOIN version_pack p
             ON p.first >= s.first_version AND p.first < s.first_version + s.n_versions
         WHERE s.stream = ?1 AND s.id <= ?2 ORDER BY s.id, p.first";
    each(connection, sql, [stream, until.0], take)
}

/// Hands over every version of a stream, those of the newest snapshot first.
pub(crate) fn each_of_stream_newest_first(
    connection: &Connection,
    stream: i64,
    take: impl FnMut(SnapshotId, Packed<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = "SELECT p.first, p.snapshot, p.n, p.versions
         FROM snapshot s CROSS JOIN version_pack p
             ON p.first >= s.first_version AND p.first < s.first_version + s.n_versions
         WHERE s.stream = ?1 ORDER BY s.id DESC, p.first";
    each(connection, sql, [stream], take)
}

/// Hands over the version of this number, if there is one.
pub(crate) fn one(
    connection: &Connection,
    id: i64,
    take: impl FnOnce(SnapshotId, Packed<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    pack_of(connection, id, |snapshot, pack| match pack.find(id)? {
        Some(version) => take(snapshot, version),
        None => Ok(()),
    })
}

/// Hands over all versions of the pack that has a version.
pub(crate) fn each_beside(
    connection: &Connection,
    id: i64,
    mut take: impl FnMut(Packed<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    pack_of(connection, id, |_, mut pack| pack.try_for_each(|version| take(version?)))
}

/// Hands over the pack that would have the version of this number, and its snapshot.
fn pack_of(
    connection: &Connection,
    id: i64,
    take: impl FnOnce(SnapshotId, Unpack<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT first, snapshot, n, versions FROM version_pack WHERE first <= ?1
         ORDER BY first DESC LIMIT 1",
    )?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let mut cells = Cells::keyed(row, "version_pack")?;
    let snapshot = cells.snapshot("snapshot")?;
    take(snapshot, Unpack::new(&mut cells)?)
}

/// The numbers of all versions of a row, the first one first.
pub(super) fn numbers_of(
    connection: &Connection,
    entity: EntityId,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT version FROM later_version WHERE entity = ?1 ORDER BY version")?;
    let mut numbers = vec![entity.0];
    for number in statement.query_map([entity.0], |row| row.get(0))? {
        numbers.push(number?);
    }
    Ok(numbers)
}

/// The number that the next new version gets.
pub(crate) fn next_number(connection: &Connection) -> Result<i64, StoreError> {
    let sql =
        "SELECT coalesce((SELECT first + n FROM version_pack ORDER BY first DESC LIMIT 1), 1)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// The snapshot that began the version of this number; `None` when there is no such version.
pub(crate) fn snapshot_of(
    connection: &Connection,
    id: i64,
) -> Result<Option<SnapshotId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT first, n, snapshot FROM version_pack WHERE first <= ?1
         ORDER BY first DESC LIMIT 1",
    )?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "version_pack")?;
    let is_in_it = id - cells.key() < cells.int("n")?;
    let snapshot = cells.snapshot("snapshot")?;
    Ok(is_in_it.then_some(snapshot))
}

/// The numbers of all first versions, which are those of the rows themselves; and the number that
/// each later version gives for its row.
pub(crate) fn entities(connection: &Connection) -> Result<(FxHashSet<i64>, Vec<i64>), StoreError> {
    let (mut first, mut later) = (FxHashSet::default(), Vec::new());
    let sql = "SELECT first, snapshot, n, versions FROM version_pack";
    each(connection, sql, [], |_, version| {
        if version.is_first() {
            first.insert(version.id);
        } else {
            later.push(version.entity.0);
        }
        Ok(())
    })?;
    Ok((first, later))
}

fn each(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    mut take: impl FnMut(SnapshotId, Packed<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "version_pack")?;
        let snapshot = cells.snapshot("snapshot")?;
        for version in Unpack::new(&mut cells)? {
            take(snapshot, version?)?;
        }
    }
    Ok(())
}
