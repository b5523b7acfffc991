//! The one thread that writes. It holds the lock on the database until it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::error::Doing as _;
use crate::tails;
use crate::work::{Answer, Work};

/// Writes that may wait. A full queue makes callers wait, not memory grow.
const QUEUE_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Work that has the connection to itself.
pub(crate) type Alone = Box<dyn FnOnce(&mut Connection) -> Result<Answer, StoreError> + Send>;

/// What will have come of work. An error in place of it: the thread has ended.
pub(crate) type Outcome = oneshot::Receiver<Result<Answer, StoreError>>;

/// The door to the thread. Dropping it waits until the thread is done and the file is closed.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Writer {
    /// Starts the thread. It ends when this is dropped, or when a job panics: later calls then
    /// answer [`StoreError::Closed`], and the daemon ends.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::File`] when the system has no thread to give.
    pub(crate) fn spawn(
        path: &Path,
        mut connection: Connection,
        lock: Option<File>,
    ) -> Result<Self, StoreError> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_MAX);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut connection);
                }
                // The file is closed before the next process may have it.
                drop(connection);
                drop(lock);
            })
            .map_err(|error| StoreError::file(path, "start the writer of", error))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), path: path.to_path_buf() })
    }

    /// Runs `work` in one transaction: all of it is saved, or none.
    pub(crate) async fn write(
        &self,
        doing: &'static str,
        work: Work,
    ) -> Result<Answer, StoreError> {
        self.begin(doing, work).await?.await.map_err(|_| StoreError::Closed)?
    }

    /// The same for work that waits for more: what this returns says what came of it.
    pub(crate) async fn begin(
        &self,
        doing: &'static str,
        work: Work,
    ) -> Result<Outcome, StoreError> {
        let path = self.path.clone();
        self.queue(Box::new(move |connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .doing(&path, doing)?;
            let value = work(&transaction).map_err(|error| error.at(&path, doing))?;
            tails::note(&transaction).doing(&path, doing)?;
            transaction.commit().doing(&path, doing)?;
            Ok(value)
        }))
        .await
    }

    /// Runs `work` outside a transaction: backups, and reads of a database in memory.
    pub(crate) async fn run(&self, work: Alone) -> Result<Answer, StoreError> {
        self.queue(work).await?.await.map_err(|_| StoreError::Closed)?
    }

    async fn queue(&self, work: Alone) -> Result<Outcome, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            reply.send(work(connection)).ok(); // The caller may have given up; the write stands.
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        Ok(answer)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panic has been printed, and callers have had `Closed`.
        }
    }
}
