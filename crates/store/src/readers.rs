//! Read-only connections, run on blocking threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::StoreError;
use crate::error::Doing as _;
use crate::open;
use crate::work::{Answer, Work};

/// Reads at a time: as many as a small machine has disks and cores for.
const READERS_MAX: usize = 4;

/// Up to four read-only connections, opened as they are needed.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    permits: Semaphore,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            permits: Semaphore::new(READERS_MAX),
            idle: Arc::default(),
        }
    }

    /// Runs `work` on one connection, in one read transaction: it sees one state throughout.
    pub(crate) async fn read(&self, doing: &'static str, work: Work) -> Result<Answer, StoreError> {
        let permit = self.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let result = tokio::task::spawn_blocking(move || {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => open_read_only(&path)?,
            };
            let transaction = connection.transaction().doing(&path, doing)?;
            let value = work(&transaction).map_err(|error| error.at(&path, doing))?;
            drop(transaction);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(value)
        })
        .await;
        drop(permit);
        result.map_err(|_| StoreError::Closed)?
    }
}

/// Opens a database that is there, for reading only.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).doing(path, "open the database")?;
    open::configure_reader(&connection).doing(path, "configure the database")?;
    Ok(connection)
}
