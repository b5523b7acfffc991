//! The rows of the six lists: their keys, canonical forms, and tables.
//!
//! Each file of this folder has one kind of row: `encode` for its hash, `insert` and `read` for
//! its table. This one sends a list to its kind.

mod account;
mod assignment;
mod identity;
mod leaver;
mod membership;
mod nonhuman;

use std::borrow::Cow;

use domain::{Digest, EntityId, List, RowOrigin, Rows, Snapshot, SnapshotId};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use crate::canon::Canon;
use crate::cells::Cells;
use crate::codes::{LISTS, code};
use crate::words::Words;
use crate::{Enrolled, StoreError};

/// Bytes of a row hash that are kept with the row: 128 bits show every change.
pub(crate) type ShortHash = [u8; 16];

/// What is kept of a row hash.
pub(crate) fn short(hash: &Digest) -> ShortHash {
    let mut short = ShortHash::default();
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    short
}

/// A version to be written: what all six tables begin with.
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
    /// The entity's key.
    pub key: Box<str>,
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

/// The table of a list's versions.
pub(crate) const fn table(list: List) -> &'static str {
    match list {
        List::Identities => identity::TABLE,
        List::Assignments => assignment::TABLE,
        List::Memberships => membership::TABLE,
        List::Accounts => account::TABLE,
        List::NonHumans => nonhuman::TABLE,
        List::Leavers => leaver::TABLE,
    }
}

/// The keys of all rows, in their order.
pub(crate) fn keys(rows: &Rows) -> Vec<Cow<'_, str>> {
    match rows {
        Rows::Identities(rows) => rows.iter().map(|it| Cow::from(&*it.id)).collect(),
        Rows::Assignments(rows) => rows.iter().map(|it| assignment::key(it).into()).collect(),
        Rows::Memberships(rows) => rows.iter().map(|it| membership::key(it).into()).collect(),
        Rows::Accounts(rows) => rows.iter().map(|it| Cow::from(&*it.id)).collect(),
        Rows::NonHumans(rows) => rows.iter().map(|it| Cow::from(&*it.account)).collect(),
        Rows::Leavers(rows) => rows.iter().map(|it| Cow::from(&*it.id)).collect(),
    }
}

/// The hashes of the rows in `range`, in their order.
pub(crate) fn hashes(rows: &Rows, range: std::ops::Range<usize>) -> Vec<Digest> {
    fn all<T>(list: List, rows: Option<&[T]>, encode: fn(&T, &mut Canon)) -> Vec<Digest> {
        let mut canon = Canon::new();
        let code = code(LISTS, &list);
        rows.unwrap_or_default()
            .iter()
            .map(|row| {
                canon.begin(code);
                encode(row, &mut canon);
                crate::merkle::leaf(canon.bytes())
            })
            .collect()
    }
    let list = rows.list();
    match rows {
        Rows::Identities(rows) => all(list, rows.get(range), identity::encode),
        Rows::Assignments(rows) => all(list, rows.get(range), assignment::encode),
        Rows::Memberships(rows) => all(list, rows.get(range), membership::encode),
        Rows::Accounts(rows) => all(list, rows.get(range), account::encode),
        Rows::NonHumans(rows) => all(list, rows.get(range), nonhuman::encode),
        Rows::Leavers(rows) => all(list, rows.get(range), leaver::encode),
    }
}

/// Writes the versions that `snapshot` began.
pub(crate) fn insert(
    connection: &Connection,
    snapshot: &Snapshot,
    enrolled: &Enrolled,
    words: &mut Words,
) -> Result<(), StoreError> {
    let list = snapshot.rows.list();
    let keys = keys(&snapshot.rows);
    let key_of = |version: &Version| {
        let numbered = enrolled.numbered.get(&version.row).map(|it| &**it);
        numbered.or_else(|| keys.get(version.row).map(|it| &**it))
    };
    macro_rules! all {
        ($rows:expr, $kind:ident) => {{
            let mut statement = connection.prepare_cached(&insert_sql(list, $kind::COLUMNS))?;
            let mut bind = Bind::new(&mut statement);
            for version in &enrolled.versions {
                if let Some(row) = $rows.get(version.row) {
                    let origin = snapshot.origins.get(version.row);
                    bind.head(enrolled.reference.id, version, key_of(version), origin)?;
                    $kind::bind(row, &mut bind, words)?;
                    bind.execute()?;
                }
            }
        }};
    }
    match &snapshot.rows {
        Rows::Identities(rows) => all!(rows, identity),
        Rows::Assignments(rows) => all!(rows, assignment),
        Rows::Memberships(rows) => all!(rows, membership),
        Rows::Accounts(rows) => all!(rows, account),
        Rows::NonHumans(rows) => all!(rows, nonhuman),
        Rows::Leavers(rows) => all!(rows, leaver),
    }
    Ok(())
}

const HEAD: &str = "id, entity, key, valid_from, request, line, hash";

fn insert_sql(list: List, columns: &str) -> String {
    let n_columns = HEAD.split(',').count() + columns.split(',').count();
    let places = vec!["?"; n_columns].join(", ");
    format!("INSERT INTO {} ({HEAD}, {columns}) VALUES ({places})", table(list))
}

/// Binds the cells of a row, in the order of its columns.
struct Bind<'a, 's> {
    statement: &'a mut Statement<'s>,
    /// Cells of this row that are bound.
    n_bound: usize,
    /// Cells that were NULL in the row before: many are in nearly all rows, and bound but once.
    nulls: Vec<bool>,
}

impl<'a, 's> Bind<'a, 's> {
    /// Begins with a statement of which no cell is bound: all are NULL.
    fn new(statement: &'a mut Statement<'s>) -> Self {
        let nulls = vec![true; statement.parameter_count()];
        Self { statement, n_bound: 0, nulls }
    }

    fn head(
        &mut self,
        snapshot: SnapshotId,
        version: &Version,
        key: Option<&str>,
        origin: Option<&RowOrigin>,
    ) -> Result<(), rusqlite::Error> {
        let is_first = version.id == version.entity.0;
        self.cell(version.id)?;
        self.cell((!is_first).then_some(version.entity.0))?;
        self.cell(key.filter(|_| is_first))?;
        self.cell(snapshot.0)?;
        self.cell(origin.map_or(0, |it| it.request))?;
        self.cell(origin.map_or(0, |it| it.line))?;
        self.cell(&version.hash[..])
    }

    fn cell(&mut self, value: impl ToSql) -> Result<(), rusqlite::Error> {
        self.n_bound += 1;
        let is_null = matches!(
            value.to_sql()?,
            ToSqlOutput::Borrowed(ValueRef::Null) | ToSqlOutput::Owned(Value::Null)
        );
        let was_null = self.nulls.get_mut(self.n_bound - 1);
        if was_null.is_some_and(|it| std::mem::replace(it, is_null) && is_null) {
            return Ok(());
        }
        self.statement.raw_bind_parameter(self.n_bound, value)
    }

    fn execute(&mut self) -> Result<(), rusqlite::Error> {
        self.n_bound = 0;
        self.statement.raw_execute()?;
        Ok(())
    }
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

/// Reads versions of a list, in order of their numbers, which is the order of time.
pub(crate) fn read(
    connection: &Connection,
    list: List,
    which: Which,
    words: &Words,
) -> Result<StoredRows, StoreError> {
    macro_rules! all {
        ($variant:ident, $kind:ident) => {
            StoredRows::$variant(read_all(
                connection,
                $kind::TABLE,
                $kind::COLUMNS,
                which,
                words,
                $kind::read,
            )?)
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
    table: &'static str,
    columns: &str,
    which: Which,
    words: &Words,
    read: fn(&mut Cells<'_, '_>, &Words, &str) -> Result<T, StoreError>,
) -> Result<Vec<Stored<T>>, StoreError> {
    let columns: Vec<String> = columns.split(',').map(|it| format!("v.{}", it.trim())).collect();
    let (condition, a, b) = match which {
        Which::Stream { stream, until } => {
            ("v.valid_from IN (SELECT id FROM snapshot WHERE stream = ?1)", stream, until.0)
        }
        // The first version has the entity's number; later ones are in the small index.
        Which::Entity { entity, until } => ("(v.id = ?1 OR v.entity = ?1)", entity.0, until.0),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT v.id, coalesce(v.entity, v.id), v.valid_from, v.request, v.line, v.hash,
                coalesce(v.key, first.key), {}
         FROM {table} v LEFT JOIN {table} first ON first.id = v.entity
         WHERE {condition} AND v.valid_from <= ?2 ORDER BY v.id",
        columns.join(", ")
    ))?;
    let mut rows = statement.query([a, b])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, table)?;
        let entity = cells.entity("entity")?;
        let valid_from = cells.snapshot("valid_from")?;
        let (request, line) = (cells.count("request")?, cells.count("line")?);
        let hash = cells.bytes("hash")?;
        let key = cells.str("key")?;
        let row = read(&mut cells, words, unnumbered(key).0)?;
        versions.push(Stored {
            id: cells.key(),
            entity,
            valid_from,
            request,
            line,
            hash,
            key: key.into(),
            row,
        });
    }
    Ok(versions)
}

/// Stands between a key and its count where a list has one key more than once.
const SEPARATOR: char = '\u{1f}';

/// The key under which the `nth` row of that key (from 1) is kept. Lists have each key once;
/// where one does not, nothing is lost.
pub(crate) fn numbered(key: &str, nth: usize) -> Cow<'_, str> {
    if nth == 1 && !key.contains(SEPARATOR) {
        key.into()
    } else {
        format!("{key}{SEPARATOR}{nth}").into()
    }
}

/// The source's own key, and which row of that key it is.
pub(crate) fn unnumbered(key: &str) -> (&str, usize) {
    match key.rsplit_once(SEPARATOR) {
        Some((own, nth)) => (own, nth.parse().unwrap_or(1)),
        None => (key, 1),
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
