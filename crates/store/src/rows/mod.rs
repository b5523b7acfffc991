//! The rows of the six lists: their keys, canonical forms, and versions.
//!
//! Each file of this folder has one kind of row: how it is written, and read again. This one
//! sends a list to its kind. Versions of rows of all kinds are kept in packs.

mod account;
mod assignment;
mod identity;
mod leaver;
mod membership;
mod nonhuman;
pub(crate) mod pack;

use std::borrow::Cow;

use domain::{Digest, EntityId, List, Rows, Snapshot, SnapshotId};
use rusqlite::Connection;

use self::pack::{Packed, Packer, Place};
use crate::canon::{Canon, Fields, Pool};
use crate::codes::{LISTS, code};
use crate::{Enrolled, StoreError};

/// Bytes of a row hash that are kept with the row: 128 bits show every change.
pub(crate) type ShortHash = [u8; 16];

/// What is kept of a row hash.
pub(crate) fn short(hash: &Digest) -> ShortHash {
    let mut short = ShortHash::default();
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    short
}

/// A version to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    /// Its number.
    pub id: i64,
    /// Whose version it is; equal to `id` for the first.
    pub entity: EntityId,
    /// Which of the snapshot's rows.
    pub row: usize,
    /// Its hash.
    pub hash: ShortHash,
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

/// The keys of all rows, in their order.
pub(crate) fn keys(rows: &Rows) -> Vec<Cow<'_, str>> {
    fn all<T>(rows: &[T], key: fn(&T) -> Cow<'_, str>) -> Vec<Cow<'_, str>> {
        rows.iter().map(key).collect()
    }
    match rows {
        Rows::Identities(rows) => all(rows, identity::key),
        Rows::Assignments(rows) => all(rows, assignment::key),
        Rows::Memberships(rows) => all(rows, membership::key),
        Rows::Accounts(rows) => all(rows, account::key),
        Rows::NonHumans(rows) => all(rows, nonhuman::key),
        Rows::Leavers(rows) => all(rows, leaver::key),
    }
}

/// The canonical bytes of one row after the other, each handed to `take` with its place.
fn encode_each<E>(
    rows: &Rows,
    places: impl Iterator<Item = usize>,
    mut take: impl FnMut(usize, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut canon = Canon::new();
    let list = code(LISTS, &rows.list());
    for place in places {
        canon.begin(list);
        macro_rules! encode {
            ($rows:expr, $kind:ident) => {
                match $rows.get(place) {
                    Some(row) => $kind::encode(row, &mut canon),
                    None => continue,
                }
            };
        }
        match rows {
            Rows::Identities(rows) => encode!(rows, identity),
            Rows::Assignments(rows) => encode!(rows, assignment),
            Rows::Memberships(rows) => encode!(rows, membership),
            Rows::Accounts(rows) => encode!(rows, account),
            Rows::NonHumans(rows) => encode!(rows, nonhuman),
            Rows::Leavers(rows) => encode!(rows, leaver),
        }
        take(place, canon.bytes())?;
    }
    Ok(())
}

/// The hashes of the rows in `range`, in their order.
pub(crate) fn hashes(rows: &Rows, range: std::ops::Range<usize>) -> Vec<Digest> {
    let mut hashes = Vec::with_capacity(range.len());
    let hashed: Result<(), std::convert::Infallible> = encode_each(rows, range, |_, bytes| {
        hashes.push(ledger::leaf_hash(bytes));
        Ok(())
    });
    match hashed {
        Ok(()) => hashes,
    }
}

/// Writes the versions that `snapshot` began.
pub(crate) fn insert(
    connection: &Connection,
    snapshot: &Snapshot,
    enrolled: &Enrolled,
) -> Result<(), StoreError> {
    let mut packer = Packer::new(connection, enrolled.reference.id)?;
    let mut versions = enrolled.versions.iter();
    let places = enrolled.versions.iter().map(|it| it.row);
    encode_each(&snapshot.rows, places, |place, bytes| {
        let Some(version) = versions.next() else { return Ok(()) };
        let origin = snapshot.origins.get(place);
        let place = Place {
            nth: enrolled.repeated.get(&place).copied().unwrap_or(1),
            request: origin.map_or(0, |it| it.request),
            line: origin.map_or(0, |it| it.line),
        };
        packer.add(version, place, bytes)
    })?;
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
    macro_rules! all {
        ($variant:ident, $kind:ident) => {
            StoredRows::$variant(read_all(connection, list, which, $kind::decode)?)
        };
    }
    Ok(match list {
        List::Identities => all!(Identities, identity),
        List::Assignments => all!(Assignments, assignment),
        List::Memberships => all!(Memberships, membership),
        List::Accounts => all!(Accounts, account),
        List::NonHumans => all!(NonHumans, nonhuman),
        List::Leavers => all!(Leavers, leaver),
    })
}

fn read_all<T>(
    connection: &Connection,
    list: List,
    which: Which,
    decode: fn(&mut Fields<'_, '_>) -> Option<T>,
) -> Result<Vec<Stored<T>>, StoreError> {
    let (mut versions, mut pool) = (Vec::new(), Pool::default());
    let mut take = |valid_from: SnapshotId, packed: Packed<'_>| {
        if is_erased(packed.row) {
            return Ok(()); // Nobody's row any more.
        }
        let row = row_of(list, packed.row, &mut pool, decode).ok_or_else(|| packed.corrupt())?;
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

fn row_of<T>(
    list: List,
    bytes: &[u8],
    pool: &mut Pool,
    decode: fn(&mut Fields<'_, '_>) -> Option<T>,
) -> Option<T> {
    let mut fields = Fields::of(bytes, code(LISTS, &list), pool)?;
    let row = decode(&mut fields)?;
    fields.end()?;
    Some(row)
}

/// The canonical bytes of the first of these rows; `None` when there is none.
pub(crate) fn first_encoded(rows: &Rows) -> Option<Vec<u8>> {
    let mut encoded = None;
    let done: Result<(), std::convert::Infallible> = encode_each(rows, 0..1, |_, bytes| {
        encoded = Some(bytes.to_vec());
        Ok(())
    });
    match done {
        Ok(()) => encoded,
    }
}

/// A row from its canonical bytes; `None` for bytes that are none.
pub(crate) fn decoded(list: List, bytes: &[u8], pool: &mut Pool) -> Option<Rows> {
    macro_rules! one {
        ($variant:ident, $kind:ident) => {
            Rows::$variant(vec![row_of(list, bytes, pool, $kind::decode)?])
        };
    }
    Some(match list {
        List::Identities => one!(Identities, identity),
        List::Assignments => one!(Assignments, assignment),
        List::Memberships => one!(Memberships, membership),
        List::Accounts => one!(Accounts, account),
        List::NonHumans => one!(NonHumans, nonhuman),
        List::Leavers => one!(Leavers, leaver),
    })
}

/// The key of a row in its canonical form; `None` for bytes that are none.
pub(crate) fn key_in<'b>(list: List, bytes: &'b [u8], pool: &mut Pool) -> Option<Cow<'b, str>> {
    let mut fields = Fields::of(bytes, code(LISTS, &list), pool)?;
    match list {
        // Their key is the first field.
        List::Identities | List::Accounts | List::NonHumans | List::Leavers => {
            fields.str().map(Cow::Borrowed)
        }
        List::Assignments => assignment::key_in(&mut fields).map(Cow::Owned),
        List::Memberships => membership::key_in(&mut fields).map(Cow::Owned),
    }
}

/// Stands between a key and its count where a list has one key more than once.
const SEPARATOR: char = '\u{1f}';

/// The key under which the `nth` row of that key (from 1) is known. Lists have each key once;
/// where one does not, nothing is lost.
pub(crate) fn numbered(key: &str, nth: u32) -> Cow<'_, str> {
    if nth == 1 && !key.contains(SEPARATOR) {
        key.into()
    } else {
        format!("{key}{SEPARATOR}{nth}").into()
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
        fn sort<T>(versions: &mut [Stored<T>], key: fn(&T) -> Cow<'_, str>) {
            versions.sort_by_cached_key(|it| (key(&it.row).into_owned(), it.nth, it.id));
        }
        match self {
            Self::Identities(versions) => sort(versions, identity::key),
            Self::Assignments(versions) => sort(versions, assignment::key),
            Self::Memberships(versions) => sort(versions, membership::key),
            Self::Accounts(versions) => sort(versions, account::key),
            Self::NonHumans(versions) => sort(versions, nonhuman::key),
            Self::Leavers(versions) => sort(versions, leaver::key),
        }
    }

    /// The rows alone.
    pub(crate) fn into_rows(self) -> Rows {
        fn rows<T>(versions: Vec<Stored<T>>) -> Vec<T> {
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
