//! Versions of rows: their hashes, how they are written, and read again.
//!
//! Versions of rows of all kinds are kept in packs, each in its canonical form.

pub(crate) mod pack;

use domain::rows::codes::{LISTS, code};
use domain::rows::{Pool, Row, RowKey, canonical_key, from_canonical};
use domain::{Digest, EntityId, List, Rows, Snapshot, SnapshotId};
use rayon::prelude::*;
use rusqlite::Connection;

use self::pack::{Packed, Packer};
use crate::{Enrolled, StoreError};

/// Bytes of a row hash that are kept with the row: 128 bits show every change.
pub(crate) type ShortHash = [u8; 16];

/// What is kept of a row hash.
pub(crate) fn short(hash: &Digest) -> ShortHash {
    let mut short = ShortHash::default();
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    short
}

/// A version as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Stored<T> {
    pub id: i64,
    pub entity: EntityId,
    pub valid_from: SnapshotId,
    pub request: u32,
    pub line: u32,
    pub hash: ShortHash,
    /// Which of several rows with its key; 1 for nearly all.
    pub nth: u32,
    pub row: T,
}

/// Versions of one list, as they were read.
#[derive(Clone, Debug)]
pub(crate) enum StoredRows {
    Identities(Vec<Stored<domain::Identity>>),
    Assignments(Vec<Stored<domain::Assignment>>),
    Memberships(Vec<Stored<domain::Membership>>),
    Accounts(Vec<Stored<domain::Account>>),
    NonHumans(Vec<Stored<domain::NonHuman>>),
    Leavers(Vec<Stored<domain::HrLeaver>>),
}

/// Calls the same code for whichever kind of rows there is.
macro_rules! each_kind {
    ($from:ident, $rows:expr, $it:ident => $do:expr) => {
        match $rows {
            $from::Identities($it) => $do,
            $from::Assignments($it) => $do,
            $from::Memberships($it) => $do,
            $from::Accounts($it) => $do,
            $from::NonHumans($it) => $do,
            $from::Leavers($it) => $do,
        }
    };
}
pub(crate) use each_kind;

/// The hashes of all rows, in their order.
pub(crate) fn hashes(rows: &Rows) -> Vec<Digest> {
    /// Rows that are hashed one after the other.
    const AT_ONCE: usize = 4096;
    let hash = |at| rows.canonical(at).map(ledger::leaf_hash).unwrap_or_default();
    (0..rows.len()).into_par_iter().with_min_len(AT_ONCE).map(hash).collect()
}

/// Writes the versions that `snapshot` began, with their hashes.
pub(crate) fn insert(
    connection: &Connection,
    snapshot: &Snapshot,
    enrolled: &Enrolled,
    hashes: &[ShortHash],
) -> Result<(), StoreError> {
    let mut packer = Packer::new(connection, enrolled.reference.id)?;
    for (id, (row, hash)) in (enrolled.first_version..).zip(enrolled.begun.iter().zip(hashes)) {
        let (at, entity) = (*row as usize, enrolled.entity_at(*row));
        let Some((entity, row)) = entity.zip(snapshot.rows.canonical(at)) else { continue };
        let origin = snapshot.origins.get(at);
        let nth = enrolled.repeated.get(&at).copied().unwrap_or(1);
        let (request, line) = origin.map_or((0, 0), |it| (it.request, it.line));
        packer.add(&Packed { id, entity, nth, request, line, hash: *hash, row })?;
    }
    packer.close()
}

/// Which versions to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// All of one stream up to a snapshot.
    Stream {
        /// The stream's number.
        stream: i64,
        /// The last snapshot that counts.
        until: SnapshotId,
    },
    /// All of one row up to a snapshot.
    Entity {
        /// Which row.
        entity: EntityId,
        /// The last snapshot that counts.
        until: SnapshotId,
    },
}

/// Reads versions of a list, in order of their numbers, which is the order of time. Those that were
/// erased are not among them.
pub(crate) fn read(
    connection: &Connection,
    list: List,
    which: Which,
) -> Result<StoredRows, StoreError> {
    Ok(match list {
        List::Identities => StoredRows::Identities(read_all(connection, which)?),
        List::Assignments => StoredRows::Assignments(read_all(connection, which)?),
        List::Memberships => StoredRows::Memberships(read_all(connection, which)?),
        List::Accounts => StoredRows::Accounts(read_all(connection, which)?),
        List::NonHumans => StoredRows::NonHumans(read_all(connection, which)?),
        List::Leavers => StoredRows::Leavers(read_all(connection, which)?),
    })
}

fn read_all<T: Row>(connection: &Connection, which: Which) -> Result<Vec<Stored<T>>, StoreError> {
    let (mut versions, mut pool) = (Vec::new(), Pool::default());
    let mut take = |valid_from: SnapshotId, packed: Packed<'_>| {
        if is_erased(packed.row) {
            return Ok(()); // Nobody's row any more.
        }
        let row = from_canonical(packed.row, &mut pool).ok_or_else(|| packed.corrupt())?;
        let Packed { id, entity, nth, request, line, hash, .. } = packed;
        versions.push(Stored { id, entity, valid_from, request, line, hash, nth, row });
        Ok(())
    };
    match which {
        Which::Stream { stream, until } => pack::each_of_stream(connection, stream, until, take)?,
        Which::Entity { entity, until } => {
            for id in pack::numbers_of(connection, entity)? {
                pack::one(connection, id, |valid_from, packed| {
                    let is_its = packed.entity == entity && valid_from <= until;
                    if is_its { take(valid_from, packed) } else { Ok(()) }
                })?;
            }
        }
    }
    Ok(versions)
}

/// The key of a stored row; `None` for bytes that are none.
pub(crate) fn stored_key(list: List, row: &[u8]) -> Option<RowKey<'_>> {
    canonical_key(list, row).filter(RowKey::is_text)
}

/// Stands between a key and its count where a list has one key more than once.
const SEPARATOR: u8 = 0x1f;

/// The key under which the `nth` row of that key (from 1) is known. Lists have each key once;
/// where one does not, nothing is lost.
pub(crate) fn numbered(key: RowKey<'_>, nth: u32) -> RowKey<'_> {
    if nth == 1 && memchr::memchr(SEPARATOR, key.parts().1).is_none() {
        key
    } else {
        key.followed_by(&format!("{}{nth}", char::from(SEPARATOR)))
    }
}

impl<T> Stored<T> {
    /// Where it was first read.
    pub(crate) const fn seen(&self) -> crate::Seen {
        crate::Seen { snapshot: self.valid_from, request: self.request, line: self.line }
    }
}

/// A kind of row, from its versions.
macro_rules! stored_rows_from {
    ($($variant:ident $row:ty,)+) => {$(
        impl From<Vec<Stored<$row>>> for StoredRows {
            fn from(versions: Vec<Stored<$row>>) -> Self {
                Self::$variant(versions)
            }
        }
    )+};
}
stored_rows_from! {
    Identities domain::Identity,
    Assignments domain::Assignment,
    Memberships domain::Membership,
    Accounts domain::Account,
    NonHumans domain::NonHuman,
    Leavers domain::HrLeaver,
}

impl StoredRows {
    /// Puts them in order of key, which is that of the digest.
    pub(crate) fn sort(&mut self) {
        fn sort<T: Row>(versions: &mut [Stored<T>]) {
            versions.sort_by_cached_key(|it| (it.row.key().to_string(), it.nth, it.id));
        }
        each_kind!(Self, self, versions => sort(versions));
    }

    /// The rows alone.
    pub(crate) fn into_rows(self) -> Rows {
        fn rows<T: Row>(versions: Vec<Stored<T>>) -> domain::Table<T> {
            versions.into_iter().map(|it| it.row).collect()
        }
        match self {
            Self::Identities(versions) => Rows::Identities(rows(versions)),
            Self::Assignments(versions) => Rows::Assignments(rows(versions)),
            Self::Memberships(versions) => Rows::Memberships(rows(versions)),
            Self::Accounts(versions) => Rows::Accounts(rows(versions)),
            Self::NonHumans(versions) => Rows::NonHumans(rows(versions)),
            Self::Leavers(versions) => Rows::Leavers(rows(versions)),
        }
    }
}

/// In place of the version byte of a canonical form: of this row its key and its hash are left.
const ERASED: u8 = 0;

/// What is left of a row that was erased. Its hash is still a leaf of the digests of snapshots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErasedRow<'b> {
    pub(crate) hash: Digest,
    pub(crate) key: &'b str,
}

/// A version that was erased.
#[derive(Clone, Debug)]
pub(crate) struct ErasedVersion {
    pub(crate) id: i64,
    pub(crate) valid_from: SnapshotId,
    pub(crate) nth: u32,
    pub(crate) kept: ShortHash,
    pub(crate) hash: Digest,
    pub(crate) key: String,
}

/// The form of a row of which its key and hash are left.
pub(crate) fn erased_form(list: List, key: &str, hash: &Digest) -> Vec<u8> {
    let mut bytes = vec![ERASED, code(LISTS, &list)];
    bytes.extend(hash);
    bytes.extend(key.as_bytes());
    bytes
}

pub(crate) fn is_erased(row: &[u8]) -> bool {
    row.first() == Some(&ERASED)
}

/// What is left of an erased row; `None` for any other.
pub(crate) fn as_erased(list: List, row: &[u8]) -> Option<ErasedRow<'_>> {
    let rest = row.strip_prefix(&[ERASED, code(LISTS, &list)])?;
    let (hash, key) = rest.split_first_chunk()?;
    Some(ErasedRow { hash: *hash, key: str::from_utf8(key).ok()? })
}

/// The erased versions of a stream.
pub(crate) fn read_erased(
    connection: &Connection,
    list: List,
    stream: i64,
) -> Result<Vec<ErasedVersion>, StoreError> {
    let mut all = Vec::new();
    pack::each_of_stream(connection, stream, SnapshotId(i64::MAX), |valid_from, packed| {
        if is_erased(packed.row) {
            let left = as_erased(list, packed.row).ok_or_else(|| packed.corrupt())?;
            let (key, hash) = (left.key.to_owned(), left.hash);
            let Packed { id, nth, hash: kept, .. } = packed;
            all.push(ErasedVersion { id, valid_from, nth, kept, hash, key });
        }
        Ok(())
    })?;
    Ok(all)
}
