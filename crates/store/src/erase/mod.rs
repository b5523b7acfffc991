//! Erasing one person: what names them goes, and what evidence rests on stays verifiable. Keys, hashes
//! of rows and digests are kept; the erasure is an entry of the ledger, in the same transaction.
//!
//! Never here: whether it may be done. The caller asks for the [`ErasureScope`], and decides.

mod hold;
mod sweep;
mod whom;
mod words;

use domain::{EntityId, List, Signature, SnapshotId, Stream};
use ledger::Who;
use rusqlite::{Connection, OptionalExtension as _};

pub(crate) use hold::lines as hold_lines;
pub use hold::{HeldOn, LegalHold};
pub use sweep::{Erased, ErasedCounts};
pub(crate) use sweep::{digest_of, erased_lines, erased_versions};
pub use whom::{ErasureRow, ErasureScope};

use crate::rows::{as_erased, pack, stored_key};
use crate::{Store, StoreError, snapshot, tails};

/// The row of `meta` that says that bytes of somebody erased may still be in free pages.
const UNFINISHED: &str = "erasure_unfinished";

/// Whom somebody means.
#[derive(Clone, Debug)]
pub enum Meant {
    /// Nobody is called so in any list that there ever was.
    Nobody,
    /// Several people are; the key of each row.
    Several(Vec<String>),
    /// One person.
    One(Box<ErasureScope>),
}

impl Store {
    /// All that is kept of whom `who` names: a name, login, address, `SYSTEM/ID`, random name of the
    /// ledger, or number of a finding.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn erasure_scope(&self, who: String) -> Result<Meant, StoreError> {
        self.read("look for a person", move |connection| {
            Ok(match whom::scope(connection, &who)? {
                None => Meant::Nobody,
                Some(Err(several)) => Meant::Several(several),
                Some(Ok(scope)) => Meant::One(Box::new(scope)),
            })
        })
        .await
    }

    /// What an erasure would take out: it is done, counted, and undone.
    ///
    /// # Errors
    ///
    /// As [`Store::erase`].
    pub async fn try_erasure(
        &self,
        scope: ErasureScope,
        basis: String,
        by: Signature,
    ) -> Result<Erased, StoreError> {
        let signer = self.signer.clone();
        self.write("try to erase a person", move |connection| {
            connection.execute_batch("SAVEPOINT erasure")?;
            let tried = sweep::erase(connection, signer.as_deref(), &scope, &basis, &by);
            connection.execute_batch("ROLLBACK TO erasure; RELEASE erasure")?;
            tried
        })
        .await
    }

    /// Erases what names somebody, with the entry that says so: all of it, or nothing. Their bytes are
    /// in free pages until [`Store::finish_erasure`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be saved; nothing is erased then.
    pub async fn erase(
        &self,
        scope: ErasureScope,
        basis: String,
        by: Signature,
    ) -> Result<Erased, StoreError> {
        let signer = self.signer.clone();
        self.write("erase a person", move |connection| {
            connection.execute_batch("PRAGMA secure_delete = ON")?;
            let erased = sweep::erase(connection, signer.as_deref(), &scope, &basis, &by)?;
            let sql = "INSERT INTO meta (key, value) VALUES (?1, x'01')
                       ON CONFLICT (key) DO NOTHING";
            connection.execute(sql, [UNFINISHED])?;
            Ok(erased)
        })
        .await
    }

    /// Writes the file anew without free pages, and empties the write-ahead log, if an erasure was not
    /// followed by that. Returns false when there was nothing to do.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] while somebody reads; otherwise what disks do. Try again then.
    pub async fn finish_erasure(&self) -> Result<bool, StoreError> {
        self.alone("write the file anew after an erasure", finish).await
    }

    /// The entry by which a row of this key, as `okta/00u1`, was erased; `None`: none was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn erased_by(&self, key: String) -> Result<Option<u64>, StoreError> {
        self.read("look for erased rows", move |connection| erased_by(connection, &key)).await
    }

    /// The entries by which something was taken out of the report of a run, in order.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn erased_in_report(&self, run: domain::RunId) -> Result<Vec<u64>, StoreError> {
        self.read("read what was erased", move |connection| {
            let sql = "SELECT entry FROM erased WHERE what = 'report' AND id = ?1 ORDER BY entry";
            let mut statement = connection.prepare_cached(sql)?;
            let entries = statement.query_map([run.0], |row| row.get::<_, i64>(0))?;
            let entries: Vec<i64> = entries.collect::<Result<_, _>>()?;
            Ok(entries.into_iter().map(i64::cast_unsigned).collect())
        })
        .await
    }
}

/// Empties free pages and the write-ahead log, where that is still to be done.
pub(crate) fn finish(connection: &mut Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM meta WHERE key = ?1";
    if connection.query_row(sql, [UNFINISHED], |_| Ok(())).optional()?.is_none() {
        return Ok(false);
    }
    connection.execute_batch("VACUUM")?;
    empty_log(connection)?;
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM meta WHERE key = ?1", [UNFINISHED])?;
    tails::note(&transaction)?; // Rows without a number of their own have new ones.
    transaction.commit()?;
    empty_log(connection)?;
    Ok(true)
}

fn empty_log(connection: &Connection) -> Result<(), rusqlite::Error> {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if is_busy == 0 {
        return Ok(());
    }
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(busy, None))
}

/// Whom an entry about a row is about.
fn who(stream: &Stream, key: &str) -> Who {
    match stream.list {
        List::Accounts => Who::account(&stream.system, key),
        _ => Who::identity(&stream.system, key),
    }
}

/// The key of a row, erased or not, as `okta/00u1`.
pub(crate) fn key_of(
    connection: &Connection,
    entity: EntityId,
) -> Result<Option<String>, StoreError> {
    let row = row_of(connection, entity)?;
    Ok(row.map(|(stream, key)| format!("{}/{key}", stream.system)))
}

/// The same of a row and of all that were written beside it: whoever asks for one will ask for more.
pub(crate) fn keys_beside(
    connection: &Connection,
    entity: EntityId,
) -> Result<Vec<(EntityId, String)>, StoreError> {
    let Some(snapshot) = pack::snapshot_of(connection, entity.0)? else { return Ok(Vec::new()) };
    let Some(line) = snapshot::one(connection, snapshot)? else { return Ok(Vec::new()) };
    let Stream { system, list, .. } = line.reference.stream;
    let mut keys = Vec::new();
    pack::each_beside(connection, entity.0, |packed| {
        let left = as_erased(list, packed.row).map(|it| it.key.to_owned());
        let key = left.or_else(|| Some(stored_key(list, packed.row)?.to_string()));
        keys.extend(key.map(|key| (EntityId(packed.id), format!("{system}/{key}"))));
        Ok(())
    })?;
    Ok(keys)
}

/// The list of a row, erased or not, and its key there.
fn row_of(
    connection: &Connection,
    entity: EntityId,
) -> Result<Option<(Stream, String)>, StoreError> {
    let Some(snapshot) = pack::snapshot_of(connection, entity.0)? else { return Ok(None) };
    let Some(line) = snapshot::one(connection, snapshot)? else { return Ok(None) };
    let stream = line.reference.stream;
    let mut key = None;
    pack::one(connection, entity.0, |_, packed| {
        let left = as_erased(stream.list, packed.row).map(|it| it.key.to_owned());
        key = left.or_else(|| Some(stored_key(stream.list, packed.row)?.to_string()));
        Ok(())
    })?;
    Ok(key.map(|key| (stream, key)))
}

fn erased_by(connection: &Connection, key: &str) -> Result<Option<u64>, StoreError> {
    let mut found = None;
    for (number, stream) in snapshot::streams(connection)? {
        let system = stream.system.as_str();
        let bare = key.split_once('/').filter(|it| it.0 == system).map_or(key, |it| it.1);
        pack::each_of_stream(connection, number, SnapshotId(i64::MAX), |_, packed| {
            if as_erased(stream.list, packed.row).is_some_and(|it| it.key == bare) {
                found = Some(packed.id);
            }
            Ok(())
        })?;
    }
    let Some(version) = found else { return Ok(None) };
    let sql = "SELECT entry FROM erased WHERE what = 'version' AND id = ?1";
    let entry: Option<i64> = connection.query_row(sql, [version], |row| row.get(0)).optional()?;
    Ok(entry.map(i64::cast_unsigned))
}
