//! What can go wrong with the database, one variant per reaction.
//!
//! Messages name tables, keys and paths, never names or addresses of people.

use std::path::{Path, PathBuf};

use domain::{FindingId, RunId};
use rusqlite::ErrorCode;

/// Why the store could not do what it was asked. Nothing was saved then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the database. Wait for it, or stop it.
    #[error(
        "`{path}` is in use by another driftline process: wait until it is done, or stop it",
        path = .path.display()
    )]
    Locked {
        /// The database.
        path: PathBuf,
    },

    /// There is no database, or no folder to make one in. Check the settings.
    #[error(
        "no database at `{path}`: check the path in the settings, or run `driftline run --once` first",
        path = .path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },

    /// Made by a newer driftline. Update this one.
    #[error(
        "`{path}` was made by a newer driftline (database version {found}, this one knows up to {known}): \
         use that version, or restore the backup made before",
        path = .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },

    /// Made by an older driftline, and opened only for reading. A run migrates it.
    #[error(
        "`{path}` was made by an older driftline (database version {found}, this one needs {known}): \
         the next `driftline run` brings it up to date",
        path = .path.display()
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The version that this program needs.
        known: usize,
    },

    /// The disk is full. Make room; the last commit stands.
    #[error("no room left on the disk of `{path}`: make room and run again", path = .path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },

    /// The file, or its folder, may not be written to.
    #[error(
        "`{path}` cannot be written to: check the owner and mode of the file and its folder",
        path = .path.display()
    )]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },

    /// Made by a run that could not go on; nothing was ever committed.
    #[error("`{path}` holds no run yet: run `driftline run --once`", path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// The file is something else. Check the path in the settings.
    #[error("`{path}` is not a driftline database: check the path in the settings", path = .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },

    /// SQLite finds the file damaged. Restore a backup.
    #[error(
        "`{path}` is damaged, found while trying to {doing}: restore a backup, and check the disk",
        path = .path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What we were doing.
        doing: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },

    /// A row cannot be what we wrote. Restore a backup.
    #[error(
        "table `{table}`, column `{column}`, key {key} holds what driftline never writes: restore a backup"
    )]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// The row's key.
        key: i64,
    },

    /// The stored report is not what was written. Restore a backup.
    #[error("the report of run {run} does not match its digest: restore a backup")]
    ReportDamaged {
        /// Which run.
        run: RunId,
    },

    /// The ledger is not what was written. Keep the database as it is, and look at both.
    #[error(
        "the ledger is broken: {0}; keep this database for whoever looks into it, and compare it with a backup"
    )]
    Ledger(ledger::Broken),

    /// An entry cannot be appended. See why.
    #[error(transparent)]
    Entry(#[from] ledger::LedgerError),

    /// The rules of what two people sign, or of findings, say no. Tell the person.
    #[error(transparent)]
    Refused(#[from] Refusal),

    /// The state was loaded before another commit. Load again.
    #[error("run {run} was prepared on a state that has changed since: load again")]
    Stale {
        /// The run that was to be committed.
        run: RunId,
    },

    /// The writer has ended, after a bug of ours. End the process.
    #[error("the database is closed")]
    Closed,

    /// SQLite failed otherwise. See its own words.
    #[error("failed to {doing}")]
    Sqlite {
        /// What we were doing.
        doing: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },

    /// The disk or its limits refused to read or write. Look at the disk.
    #[error(
        "failed to {doing} in `{path}`: the system cannot read or write there; make room, raise the limit on file size, or check the disk",
        path = .path.display()
    )]
    Io {
        /// The database.
        path: PathBuf,
        /// What we were doing.
        doing: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },

    /// The file system failed otherwise.
    #[error("failed to {doing} `{path}`", path = .path.display())]
    File {
        /// What we were doing.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Why a person's word was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none of that number.
    #[error("there is no waiver {0}")]
    NoSuchWaiver(i64),
    /// Two people have to agree.
    #[error("waiver {0} must be approved by somebody else than who asked for it")]
    OwnRequest(i64),
    /// Its time is over.
    #[error("waiver {0} has expired: ask for a new one")]
    Expired(i64),
    /// Approved before.
    #[error("waiver {0} is approved already")]
    Approved(i64),
    /// The facts it was asked for have changed.
    #[error("waiver {0} is void, the facts have changed: ask for a new one")]
    Void(i64),
    /// There is none of that number.
    #[error("there is no release {0}: `driftline guard status` has them")]
    NoSuchRelease(i64),
    /// Two people have to agree.
    #[error("release {0} must be approved by somebody else than who asked for it")]
    OwnRelease(i64),
    /// Its time is over.
    #[error("release {0} has expired: look at what is held, and ask for a new one")]
    ReleaseExpired(i64),
    /// Approved before.
    #[error("release {0} is approved already")]
    ReleaseApproved(i64),
    /// Something happened to the finding since it was looked at.
    #[error("{0} has changed since: look at it again")]
    Changed(FindingId),
    /// There is none of that number.
    #[error("there is no legal hold {0} in force: `driftline hold list` has them")]
    NoSuchHold(i64),
    /// Somebody asked for it.
    #[error("that legal hold {0} be lifted was asked for already: somebody else approves it")]
    LiftAsked(i64),
    /// Nobody asked for it.
    #[error("nobody asked to lift legal hold {0}: `driftline hold lift {0}`")]
    LiftNotAsked(i64),
    /// Two people have to agree.
    #[error(
        "that legal hold {0} be lifted must be approved by somebody else than who asked for it"
    )]
    OwnLift(i64),
    /// Asked for until a time that is already over.
    #[error("a waiver must end after it begins")]
    NeverInForce,
}

impl From<ledger::Broken> for StoreError {
    fn from(broken: ledger::Broken) -> Self {
        Self::Ledger(broken)
    }
}

/// Stands for our action until the call that knows it fills it in.
const UNNAMED: &str = "use the database";

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite { doing: UNNAMED, source }
    }
}

impl StoreError {
    /// Names what we were doing with which database, and sorts SQLite's errors by reaction.
    pub(crate) fn at(self, path: &Path, doing: &'static str) -> Self {
        let Self::Sqlite { source, .. } = self else { return self };
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, doing, source },
            Some(ErrorCode::SystemIoFailure) => Self::Io { path, doing, source },
            _ => Self::Sqlite { doing, source },
        }
    }

    /// Sorts an error of the file system by reaction.
    pub(crate) fn file(path: &Path, doing: &'static str, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let path = path.to_path_buf();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing { path },
            _ => Self::File { doing, path, source },
        }
    }

    /// Returns true when waiting, and nothing else, may cure the error.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }
}

/// Names our action in an error of SQLite that arises outside a read or write.
pub(crate) trait Doing<T> {
    /// What we were doing, with which database.
    fn doing(self, path: &Path, action: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, rusqlite::Error> {
    fn doing(self, path: &Path, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::from(error).at(path, action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// What SQLite itself answers to `sql`, sorted.
    fn answer(setting: &str, sql: &str) -> StoreError {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        connection.execute_batch(setting).unwrap();
        let error = connection.execute_batch(sql).unwrap_err();
        StoreError::from(error).at(Path::new("a.db"), "save a run")
    }

    #[test]
    fn errors_of_sqlite_are_sorted_by_reaction() {
        let fill = "INSERT INTO t VALUES (zeroblob(100000))";
        assert!(matches!(answer("PRAGMA max_page_count = 3", fill), StoreError::Full { .. }));
        assert!(matches!(answer("PRAGMA query_only = ON", fill), StoreError::ReadOnly { .. }));
        let other = answer("", "INSERT INTO nowhere VALUES (1)");
        assert_eq!(other.to_string(), "failed to save a run");
    }

    #[test]
    fn errors_of_the_file_system_are_sorted_by_reaction() {
        use io::ErrorKind::{NotFound, Other, PermissionDenied, ReadOnlyFilesystem, StorageFull};
        let sorted = |kind: io::ErrorKind| StoreError::file(Path::new("a.db"), "lock", kind.into());
        assert!(matches!(sorted(StorageFull), StoreError::Full { .. }));
        assert!(matches!(sorted(PermissionDenied), StoreError::ReadOnly { .. }));
        assert!(matches!(sorted(ReadOnlyFilesystem), StoreError::ReadOnly { .. }));
        assert!(matches!(sorted(NotFound), StoreError::Missing { .. }));
        assert_eq!(sorted(Other).to_string(), "failed to lock `a.db`");
    }
}
