//! Opening a database: lock, pragmas, migrations, and what may be wrong with the file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::error::Doing as _;
use crate::readers::open_read_only;
use crate::{StoreError, erase, tails};

/// Every migration, oldest first. A released one is never edited: the next one mends it.
const STEPS: &[M<'_>] = &[
    M::up(include_str!("../migrations/0001_first.sql")),
    M::up(include_str!("../migrations/0002_life.sql")),
    M::up(include_str!("../migrations/0003_alerts.sql")),
    M::up(include_str!("../migrations/0004_ledger.sql")),
    M::up(include_str!("../migrations/0005_turns.sql")),
    M::up(include_str!("../migrations/0006_reports_told.sql")),
    M::up(include_str!("../migrations/0007_pass.sql")),
    M::up(include_str!("../migrations/0008_anchors.sql")),
    M::up(include_str!("../migrations/0009_leavers.sql")),
    M::up(include_str!("../migrations/0010_unseen.sql")),
    M::up(include_str!("../migrations/0011_erasure.sql")),
    M::up(include_str!("../migrations/0012_hold_of_period.sql")),
    M::up(include_str!("../migrations/0013_channels.sql")),
    M::up(include_str!("../migrations/0014_deprovision.sql")),
    M::up(include_str!("../migrations/0015_entry_of_decision.sql")),
    M::up(include_str!("../migrations/0016_by_run.sql")),
];

/// Marks the file as ours: "DRFT".
const APPLICATION_ID: i64 = 0x4452_4654;

/// Opens the database for the writer, makes it when there is none, and brings it up to date. An
/// older database is copied to `<db>.v<version>.bak` first.
pub(crate) fn open_for_writing(path: &Path) -> Result<(Connection, File), StoreError> {
    let lock = lock(path)?;
    let mut connection = Connection::open(path).doing(path, "open the database")?;
    version(path, &connection)?; // Somebody else's file is refused before a byte of it changes.
    configure_writer(&connection).doing(path, "configure the database")?;
    migrate(path, &mut connection, STEPS)?;
    if let Err(error) = erase::finish(&mut connection) {
        let error = error.at(path, "finish an erasure");
        tracing::warn!("Bytes of somebody who was erased may be in the file still: {error}");
    }
    Ok((connection, lock))
}

/// Opens a database in memory, for a run whose past nobody keeps.
pub(crate) fn open_in_memory(name: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory().doing(name, "open the database")?;
    configure_writer(&connection).doing(name, "configure the database")?;
    migrate(name, &mut connection, STEPS)?;
    Ok(connection)
}

/// Checks that the database is there, ours, and of this program's version.
pub(crate) fn check_for_reading(path: &Path) -> Result<(), StoreError> {
    fs::metadata(path).map_err(|error| StoreError::file(path, "find", error))?;
    let connection = open_read_only(path)?;
    let found = version(path, &connection)?;
    let known = STEPS.len();
    match found.cmp(&known) {
        std::cmp::Ordering::Less if found == 0 => {
            Err(StoreError::Empty { path: path.to_path_buf() })
        }
        std::cmp::Ordering::Less => {
            Err(StoreError::Older { path: path.to_path_buf(), found, known })
        }
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => {
            Err(StoreError::Newer { path: path.to_path_buf(), found, known })
        }
    }
}

/// Opens the database for what people say while a daemon has it, and between two of its runs.
pub(crate) fn open_beside_runs(path: &Path) -> Result<(Connection, File), StoreError> {
    check_for_reading(path)?;
    let lock = try_lock(path, run_lock(path)?)?;
    let connection = Connection::open(path).doing(path, "open the database")?;
    configure_writer(&connection).doing(path, "configure the database")?;
    Ok((connection, lock))
}

/// Takes `<db>.lock` for this process. It falls with the process, however that ends.
fn lock(path: &Path) -> Result<File, StoreError> {
    try_lock(path, lock_file(path, ".lock")?)
}

/// The file that a run locks from its first look at the past to its commit, and a person's word
/// while it is written: neither overwrites the other.
pub(crate) fn run_lock(path: &Path) -> Result<File, StoreError> {
    lock_file(path, ".run")
}

fn lock_file(path: &Path, suffix: &str) -> Result<File, StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, suffix))
        .map_err(|error| StoreError::file(path, "lock", error))
}

fn try_lock(path: &Path, file: File) -> Result<File, StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(StoreError::file(path, "lock", error)),
    }
}

/// `path` with `suffix` after its last part.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    name.into()
}

fn configure_writer(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(
        "PRAGMA page_size = 16384; -- Of a new database. Fewer pages, less work for each row.
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL; -- A commit must survive a power cut.
         PRAGMA foreign_keys = ON;
         PRAGMA busy_timeout = 5000; -- Milliseconds; a reader of a copy may hold the lock.
         PRAGMA cache_size = -16384; -- KiB. Tables are only added to: few pages are met again.
         PRAGMA journal_size_limit = 4194304; -- After a first run, the WAL shrinks again.",
    )?;
    keep_statements(connection);
    Ok(())
}

pub(crate) fn configure_reader(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;")?;
    keep_statements(connection);
    Ok(())
}

fn keep_statements(connection: &Connection) {
    /// More than one commit uses.
    const STATEMENTS_MAX: usize = 128;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
}

/// The version of the database; 0 for an empty file.
fn version(path: &Path, connection: &Connection) -> Result<usize, StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let doing = "read the version of the database";
    let found = pragma("user_version").doing(path, doing)?;
    let n_tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .doing(path, doing)?;
    let is_ours = pragma("application_id").doing(path, doing)? == APPLICATION_ID;
    match usize::try_from(found) {
        Ok(found) if is_ours || (found == 0 && n_tables == 0) => Ok(found),
        _ => Err(StoreError::NotADatabase { path: path.to_path_buf() }),
    }
}

fn migrate(path: &Path, connection: &mut Connection, steps: &[M<'_>]) -> Result<(), StoreError> {
    let (found, known) = (version(path, connection)?, steps.len());
    if found > known {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known });
    }
    if 0 < found && found < known {
        let copy = beside(path, &format!(".v{found}.bak"));
        connection
            .backup(rusqlite::MAIN_DB, &copy, None)
            .doing(&copy, "back up the database before bringing it up to date")?;
        tracing::info!(found, known, "Bringing the database up to date; a copy is beside it");
    }
    const DOING: &str = "bring the database up to date";
    let is_older = found < known;
    Migrations::from_slice(steps).to_latest(connection).map_err(|error| {
        let source = match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => err,
            other => rusqlite::Error::ToSqlConversionFailure(Box::new(other)),
        };
        StoreError::from(source).at(path, DOING)
    })?;
    if is_older {
        tails::note(connection).doing(path, DOING)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_valid() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }

    #[test]
    fn an_older_database_is_copied_before_it_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("driftline.db");
        drop(open_for_writing(&path).unwrap());
        let copy = beside(&path, &format!(".v{}.bak", STEPS.len()));
        drop(open_for_writing(&path).unwrap());
        assert!(!copy.exists(), "nothing to bring up to date, nothing to copy");

        let mut newer = STEPS.to_vec();
        newer.push(M::up("CREATE TABLE later (id INTEGER) STRICT;"));
        let mut connection = Connection::open(&path).unwrap();
        migrate(&path, &mut connection, &newer).unwrap();
        assert_eq!(version(&path, &connection).unwrap(), STEPS.len() + 1);
        let old = Connection::open(&copy).unwrap();
        assert_eq!(version(&copy, &old).unwrap(), STEPS.len());

        let error = migrate(&path, &mut connection, STEPS).unwrap_err();
        assert!(matches!(error, StoreError::Newer { .. }), "{error}");
    }

    #[test]
    fn an_outbox_from_before_reports_were_told_keeps_what_waits_and_what_was_told() {
        const BEFORE: usize = 5;
        let mut connection = Connection::open_in_memory().unwrap();
        configure_writer(&connection).unwrap();
        let path = Path::new("memory");
        migrate(path, &mut connection, STEPS.get(..BEFORE).unwrap()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO notice VALUES (7, 'k', 'opened', 'high', NULL, NULL, 100, 't', '[]',
                                            '[]', '[]');
                 INSERT INTO notice_person VALUES (7, 1, 'Ada', 'ada');
                 INSERT INTO delivery VALUES
                     (1, 7, 'a', 'delivered', 100, 1, 110, 'x', NULL, 0),
                     (2, 7, 'b', 'pending', 900, 3, 600, NULL, 'busy', 1),
                     (3, 7, 'c', 'pending', 500, 0, NULL, NULL, NULL, 0);",
            )
            .unwrap();
        Migrations::from_slice(STEPS).to_latest(&mut connection).unwrap();
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let deliveries = "SELECT group_concat(id || channel || state || first_due_ms || '/' ||
                              due_at_ms || '/' || n_attempts || forwarded, ' ')
                          FROM delivery JOIN notice_person USING (notice) WHERE notice = 7";
        assert_eq!(
            one(deliveries),
            "1adelivered100/100/10 2bpending100/900/31 3cpending500/500/00"
        );
        connection.execute("DELETE FROM delivery", []).unwrap_err();
        connection
            .execute(
                "INSERT INTO delivery (notice, channel, state, first_due_ms, due_at_ms,
                                            n_attempts) VALUES (8, 'a', 'pending', 1, 1, 0)",
                [],
            )
            .unwrap_err(); // There is no such notice.
    }
}
