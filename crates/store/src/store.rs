//! The store: one writer, read-only readers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use crate::entry::Signer;
use crate::readers::Readers;
use crate::work::{Answer, Work, boxed};
use crate::writer::{Outcome, Writer};
use crate::{StoreError, open};

/// The database. Clones share it; when the last one is dropped the file is closed.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
    /// Signs what is appended to the ledger; `None`: nobody does.
    pub(crate) signer: Option<Arc<Signer>>,
}

/// A run that goes on, from its first look at the past to its commit.
#[derive(Debug)]
pub struct Running {
    /// `None`: in memory. Falls with the process, however that ends.
    _lock: Option<File>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// `None`: in memory, where only the writer's connection sees the data. Dropped before the
    /// writer: the last connection to close empties the WAL, and a reader cannot.
    readers: Option<Readers>,
    /// `None`: opened for reading only.
    writer: Option<Writer>,
}

impl Store {
    /// Opens the database at `path` and locks it for this process; makes it when there is none.
    /// One of an older version is copied to `<path>.v<version>.bak` and brought up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Newer`] when a newer
    /// program made it, [`StoreError::NotADatabase`] when it is something else,
    /// [`StoreError::Missing`] when there is no such folder, and what disks do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (connection, lock) = open::open_for_writing(path)?;
        let writer = Some(Writer::spawn(path, connection, Some(lock))?);
        Ok(Self::new(path, writer, Some(Readers::new(path))))
    }

    /// Opens a database that is there, to write what a person says. A daemon may have it open, but
    /// no run may go on: a run would overwrite what it does not know of.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] while a run goes on, or another word is written;
    /// [`StoreError::Missing`], [`StoreError::Older`], [`StoreError::Newer`],
    /// [`StoreError::NotADatabase`], and what disks do.
    pub fn open_beside_runs(path: &Path) -> Result<Self, StoreError> {
        let (connection, lock) = open::open_beside_runs(path)?;
        let writer = Some(Writer::spawn(path, connection, Some(lock))?);
        Ok(Self::new(path, writer, Some(Readers::new(path))))
    }

    /// Begins a run: nobody's word is written until what this returns is dropped. Waits for one
    /// that is being written.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::File`] when the file beside the database cannot be locked.
    pub async fn begin_run(&self) -> Result<Running, StoreError> {
        if self.is_in_memory() {
            return Ok(Running { _lock: None }); // In memory, where nobody else can write.
        }
        let path = self.inner.path.clone();
        let locked = tokio::task::spawn_blocking(move || {
            let file = open::run_lock(&path)?;
            file.lock().map_err(|error| StoreError::file(&path, "lock", error))?;
            Ok(Running { _lock: Some(file) })
        });
        locked.await.map_err(|_| StoreError::Closed)?
    }

    /// Opens an empty database that ends with the process.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when there is no memory for it.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Self::of_memory(open::open_in_memory(Path::new(":memory:"))?)
    }

    /// A copy of a database that ends with the process.
    pub(crate) fn of_memory(connection: Connection) -> Result<Self, StoreError> {
        let path = Path::new(":memory:");
        Ok(Self::new(path, Some(Writer::spawn(path, connection, None)?), None))
    }

    /// Opens a database that is there, for reading. Needs no lock, so a run may go on beside it.
    /// Every call that writes answers [`StoreError::ReadOnly`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is none, [`StoreError::Older`] or
    /// [`StoreError::Newer`] when it is of another version, [`StoreError::NotADatabase`].
    pub fn open_existing_read_only(path: &Path) -> Result<Self, StoreError> {
        open::check_for_reading(path)?;
        Ok(Self::new(path, None, Some(Readers::new(path))))
    }

    fn new(path: &Path, writer: Option<Writer>, readers: Option<Readers>) -> Self {
        let inner = Inner { path: path.to_path_buf(), writer, readers };
        Self { inner: Arc::new(inner), signer: None }
    }

    /// The file, as it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Whether it ends with the process, and only its writer sees what it holds.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.inner.readers.is_none()
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        let path = &self.inner.path;
        self.inner.writer.as_ref().ok_or_else(|| StoreError::ReadOnly { path: path.clone() })
    }

    /// Writes in one transaction: all of it is saved, or none.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer()?.write(doing, boxed(work)).await?.take()
    }

    /// Begins to write in one transaction, for work that waits for more. Whoever drops the store waits for
    /// it: it has to end by itself.
    pub(crate) async fn begin_write(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Outcome, StoreError> {
        self.writer()?.begin(doing, boxed(work)).await
    }

    /// Reads in one transaction: one state of the database throughout.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(doing, boxed(work)).await?.take()
    }

    /// Works outside a transaction, with the writer's connection to itself.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let path = self.inner.path.clone();
        let work = move |connection: &mut Connection| {
            work(connection).map(Answer::new).map_err(|error| error.at(&path, doing))
        };
        self.writer()?.run(Box::new(work)).await?.take()
    }

    async fn ask(&self, doing: &'static str, work: Work) -> Result<Answer, StoreError> {
        if let Some(readers) = &self.inner.readers {
            return readers.read(doing, work).await;
        }
        let path = self.inner.path.clone();
        let alone = move |connection: &mut Connection| {
            work(connection).map_err(|error| error.at(&path, doing))
        };
        self.writer()?.run(Box::new(alone)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_said_and_leaves_the_last_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("driftline.db");
        let store = Store::open(&path).unwrap();
        let limit = |pages: i64| {
            let work = move |connection: &Connection| {
                connection.pragma_update(None, "max_page_count", pages).map_err(StoreError::from)
            };
            store.write("limit the file", work)
        };
        limit(1).await.unwrap(); // As many pages as there are.
        let fill = |connection: &Connection| {
            let sql = "INSERT INTO body_pack (n_bytes, zstd) VALUES (1, zeroblob(100000))";
            connection.execute(sql, []).map_err(StoreError::from)
        };
        let error = store.write("save a run", fill).await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(error.to_string().contains("driftline.db"));

        limit(1_000_000).await.unwrap(); // Somebody made room.
        store.write("save a run", fill).await.unwrap();
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_write_that_panics_closes_the_store_and_saves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("driftline.db");
        let store = Store::open(&path).unwrap();
        let bug = |connection: &Connection| -> Result<(), StoreError> {
            connection.execute("INSERT INTO meta (key, value) VALUES ('half', x'00')", [])?;
            panic!("a bug of ours");
        };
        assert!(matches!(store.write("save a run", bug).await, Err(StoreError::Closed)));
        assert!(matches!(store.write("save a run", |_| Ok(())).await, Err(StoreError::Closed)));
        drop(store);
        let store = Store::open(&path).unwrap();
        let count = |connection: &Connection| {
            connection
                .query_row("SELECT count(*) FROM meta WHERE key = 'half'", [], |row| row.get(0))
                .map_err(StoreError::from)
        };
        let n_half: i64 = store.read("count", count).await.unwrap();
        assert_eq!(n_half, 0);
    }
}
