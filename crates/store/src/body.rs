//! Raw rows that conclusions rest on: each once by its SHA-256, packed together, because many
//! alike compress ten times better than one by one.

use std::io::Read as _;

use domain::{Body, Digest, EntityId, RunId};
use ledger::sha256;
use rayon::prelude::*;
use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cells::Cells;
use crate::known::Known;
use crate::{State, Store, StoreError};

/// Bytes in a pack: enough to compress well, and little to unpack for one row.
const PACK_MIN: usize = 128 << 10;

/// zstd's own default.
const LEVEL: i32 = 3;

impl Store {
    /// The raw forms of a row that were kept, oldest first, with the run that brought each.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when one does not match its digest.
    pub async fn bodies(&self, entity: EntityId) -> Result<Vec<(RunId, Vec<u8>)>, StoreError> {
        self.read("read raw rows", move |connection| bodies(connection, entity)).await
    }

    /// Rows of `state` that say what they said when a raw form of theirs was kept last.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn rows_with_body(&self, state: &State) -> Result<FxHashSet<EntityId>, StoreError> {
        let kept = self.read("see which raw rows are kept", kept).await?;
        let rows = state.streams.values().flat_map(|it| it.known.rows());
        let is_kept = |it: &&Known| {
            let next = kept.get(&it.entity);
            it.open.zip(next).is_some_and(|(open, next)| open.id.get() < *next)
        };
        Ok(rows.filter(is_kept).map(|it| it.entity).collect())
    }
}

/// Writes bodies that are new, and ties them to their rows.
pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    bodies: &[Body],
) -> Result<(), StoreError> {
    if bodies.is_empty() {
        return Ok(());
    }
    // No index on the digest: its pages would all be written anew every night. One look over the
    // table finds the same.
    let mut known = known(connection)?;
    let mut tied = ties(connection)?;
    let mut next = next_id(connection, "body")?;
    let (mut new, mut ties) = (Vec::new(), Vec::new());
    let digests: Vec<Digest> = bodies.par_iter().map(|it| sha256(&it.bytes)).collect();
    for (body, sha256) in bodies.iter().zip(digests) {
        let id = *known.entry(sha256).or_insert_with(|| {
            new.push(New { id: next, sha256, bytes: &body.bytes });
            next += 1;
            next - 1
        });
        if tied.insert((body.entity, id)) {
            ties.push((body.entity, id));
        }
    }
    insert_packs(connection, &new)?;
    ties.sort_unstable();
    let mut tie = connection
        .prepare_cached("INSERT INTO row_body (run, entity, body) VALUES (?1, ?2, ?3)")?;
    for (entity, body) in ties {
        tie.execute([run.0, entity.0, body])?;
    }
    Ok(())
}

/// A body that is not kept yet.
struct New<'b> {
    id: i64,
    sha256: Digest,
    bytes: &'b [u8],
}

fn insert_packs(connection: &Connection, new: &[New<'_>]) -> Result<(), StoreError> {
    let mut insert_pack = connection
        .prepare_cached("INSERT INTO body_pack (id, n_bytes, zstd) VALUES (?1, ?2, ?3)")?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO body (id, sha256, pack, offset, len) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let packs: Vec<&[New<'_>]> = packed_together(new).collect();
    let bytes = |pack: &&[New<'_>]| pack.iter().map(|it| it.bytes).collect::<Vec<_>>().concat();
    let compressed: Vec<_> = packs.par_iter().map(|it| compress(&bytes(it))).collect();
    for (id, (pack, zstd)) in
        (next_id(connection, "body_pack")?..).zip(packs.iter().zip(compressed))
    {
        let n_bytes: usize = pack.iter().map(|it| it.bytes.len()).sum();
        insert_pack.execute(params![id, n_bytes.cast_signed(), zstd?])?;
        let mut offset = 0;
        for New { id: body, sha256, bytes } in *pack {
            let len = bytes.len().cast_signed();
            insert.execute(params![body, &sha256[..], id, offset, len])?;
            offset += len;
        }
    }
    Ok(())
}

/// Those that go into one pack, for each pack.
fn packed_together<'n, 'b>(mut new: &'n [New<'b>]) -> impl Iterator<Item = &'n [New<'b>]> {
    std::iter::from_fn(move || {
        let mut n_bytes = 0;
        let is_full = |it: &New<'_>| {
            n_bytes += it.bytes.len();
            n_bytes >= PACK_MIN
        };
        let n = new.iter().position(is_full).map_or(new.len(), |last| last + 1);
        let (pack, rest) = new.split_at_checked(n)?;
        new = rest;
        (!pack.is_empty()).then_some(pack)
    })
}

fn compress(pack: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(pack, LEVEL)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)).into())
}

/// By row, the number that the next version of any row had when a raw form of it was kept last.
fn kept(connection: &Connection) -> Result<FxHashMap<EntityId, i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kept.entity, begun.next
         FROM (SELECT entity, max(run) AS run FROM row_body
               WHERE body NOT IN (SELECT id FROM erased WHERE what = 'body')
               GROUP BY entity) kept
         JOIN (SELECT run, max(first_version + n_versions) AS next
               FROM snapshot GROUP BY run) begun ON begun.run = kept.run",
    )?;
    let kept = statement.query_map([], |row| Ok((EntityId(row.get(0)?), row.get(1)?)))?;
    Ok(kept.collect::<Result<_, _>>()?)
}

fn next_id(connection: &Connection, table: &str) -> Result<i64, StoreError> {
    let sql = format!("SELECT max(id) FROM {table}");
    let last: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(last.unwrap_or(0) + 1)
}

fn known(connection: &Connection) -> Result<FxHashMap<Digest, i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, sha256 FROM body WHERE id NOT IN (SELECT id FROM erased WHERE what = 'body')",
    )?;
    let mut rows = statement.query([])?;
    let mut known = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "body")?;
        known.insert(cells.digest("sha256")?, cells.key());
    }
    Ok(known)
}

fn ties(connection: &Connection) -> Result<FxHashSet<(EntityId, i64)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT body, entity FROM row_body")?;
    let mut rows = statement.query([])?;
    let mut ties = FxHashSet::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "row_body")?;
        ties.insert((cells.entity("entity")?, cells.key()));
    }
    Ok(ties)
}

fn bodies(connection: &Connection, entity: EntityId) -> Result<Vec<(RunId, Vec<u8>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT b.id, t.run, b.sha256, b.pack, b.offset, b.len
         FROM row_body t JOIN body b ON b.id = t.body
         WHERE t.entity = ?1 AND b.id NOT IN (SELECT id FROM erased WHERE what = 'body')
         ORDER BY t.run, b.id",
    )?;
    let mut rows = statement.query([entity.0])?;
    let mut bodies = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "body")?;
        let run = cells.run("run")?;
        let line = Line::read(&mut cells)?;
        let pack = unpack(connection, line.pack)?;
        let bytes = line.cut(&pack).ok_or_else(|| cells.corrupt("sha256"))?;
        bodies.push((run, bytes.to_vec()));
    }
    Ok(bodies)
}

/// Where a body lies.
struct Line {
    sha256: Digest,
    pack: i64,
    offset: usize,
    len: usize,
}

impl Line {
    fn read(cells: &mut Cells<'_, '_>) -> Result<Self, StoreError> {
        Ok(Self {
            sha256: cells.digest("sha256")?,
            pack: cells.int("pack")?,
            offset: cells.count("offset")?,
            len: cells.count("len")?,
        })
    }

    /// The body; `None` when it is not what was written.
    fn cut<'a>(&self, pack: &'a [u8]) -> Option<&'a [u8]> {
        let bytes = pack.get(self.offset..self.offset.checked_add(self.len)?)?;
        (sha256(bytes) == self.sha256).then_some(bytes)
    }
}

fn unpack(connection: &Connection, id: i64) -> Result<Vec<u8>, StoreError> {
    let missing = StoreError::Corrupt { table: "body", column: "pack", key: id };
    let mut statement =
        connection.prepare_cached("SELECT id, n_bytes, zstd FROM body_pack WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(missing)?;
    let mut cells = Cells::keyed(row, "body_pack")?;
    let n_bytes: u64 = cells.count("n_bytes")?;
    let zstd = cells.blob("zstd")?;
    let mut bytes = Vec::new();
    zstd::stream::read::Decoder::new(zstd)
        .and_then(|it| it.take(n_bytes.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|_| cells.corrupt("zstd"))?;
    Ok(bytes)
}

/// Checks every body against its digest, and adds a sentence for each that differs.
pub(crate) fn verify(
    connection: &Connection,
    problems: &mut Vec<String>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, sha256, pack, offset, len FROM body
             WHERE id NOT IN (SELECT id FROM erased WHERE what = 'body') ORDER BY pack, id",
    )?;
    let mut rows = statement.query([])?;
    let mut pack = (0, Vec::new());
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "body")?;
        let line = Line::read(&mut cells)?;
        if pack.0 != line.pack {
            pack = (line.pack, unpack(connection, line.pack).unwrap_or_default());
        }
        if line.cut(&pack.1).is_none() {
            problems.push(format!("raw row {} does not match its digest", cells.key()));
        }
    }
    Ok(())
}

/// Takes raw rows out of their packs, and returns number and SHA-256 of each: those are left.
pub(crate) fn erase(
    connection: &Connection,
    is_named: impl Fn(i64, &[u8]) -> bool,
) -> Result<Vec<(i64, Digest)>, StoreError> {
    let mut erased = Vec::new();
    for pack in packs(connection)? {
        let bytes = unpack(connection, pack)?;
        let (gone, kept): (Vec<_>, Vec<_>) = lines(connection, pack)?
            .into_iter()
            .filter(|(_, line)| line.len > 0)
            .partition(|(id, line)| line.cut(&bytes).is_some_and(|it| is_named(*id, it)));
        if gone.is_empty() {
            continue;
        }
        let mut left = Vec::with_capacity(bytes.len());
        let sql = "UPDATE body SET offset = ?2, len = ?3 WHERE id = ?1";
        let mut update = connection.prepare_cached(sql)?;
        for (id, line) in kept {
            let end = line.offset.saturating_add(line.len);
            let offset = left.len().cast_signed();
            left.extend(bytes.get(line.offset..end).unwrap_or_default());
            update.execute(params![id, offset, line.len.cast_signed()])?;
        }
        for (id, line) in gone {
            update.execute(params![id, 0, 0])?;
            erased.push((id, line.sha256));
        }
        let zstd = compress(&left)?;
        connection
            .prepare_cached("UPDATE body_pack SET n_bytes = ?2, zstd = ?3 WHERE id = ?1")?
            .execute(params![pack, left.len().cast_signed(), zstd])?;
    }
    Ok(erased)
}

fn packs(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM body_pack ORDER BY id")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn lines(connection: &Connection, pack: i64) -> Result<Vec<(i64, Line)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, sha256, pack, offset, len FROM body WHERE pack = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([pack])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "body")?;
        lines.push((cells.key(), Line::read(&mut cells)?));
    }
    Ok(lines)
}
