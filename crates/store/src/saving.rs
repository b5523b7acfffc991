//! The one transaction in which a run is saved, open while the run judges.
//!
//! Rows are most of what there is to save, and most of what a run holds in memory. They are written as
//! soon as nothing can be asked any more, so that a run need not hold those of whom there is nothing to
//! weigh until it has judged the others; and what it concluded, while it puts that into words. Nothing of
//! it is there for anybody before the commit.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{RunId, Snapshot, SnapshotId};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::commit::{self, Commit, Judged, Told};
use crate::moment::Moment;
use crate::rows::ShortHash;
use crate::writer::Outcome;
use crate::{Enrolled, Store, StoreError, inputs, rows};

/// A run that is being saved. Dropped before its commit, nothing of it is.
#[derive(Debug)]
pub struct Saving {
    /// `None`: nothing was written yet. Dropped before the store, which waits for its writer.
    open: Option<Open>,
    /// What was not written ahead.
    judged: Option<Box<Judged>>,
    store: Store,
    run: RunId,
}

/// An open transaction, which has the writer to itself. When no more steps can come, it ends.
#[derive(Debug)]
struct Open {
    steps: mpsc::Sender<Step>,
    /// Whether the rows that were begun are written; `None`: nobody waits for any.
    written: Option<oneshot::Receiver<()>>,
    end: Outcome,
}

/// Rows to write, with the hash of each.
struct Rows {
    snapshot: Arc<Snapshot>,
    enrolled: Arc<Enrolled>,
    hashes: Vec<ShortHash>,
}

/// What there is to do next.
enum Step {
    /// Write these, and say so when nothing of them is held any more.
    Rows(Vec<Rows>, oneshot::Sender<()>),
    /// Write what the run concluded.
    Judged(Box<Judged>),
    /// Write what it tells, and end.
    Told(Box<Told>),
}

/// No run has more steps: each is handed over at once, and whoever gives up waiting for the commit has it all
/// the same.
const STEPS_MAX: usize = 3;

impl Store {
    /// Prepares to save a run. It keeps nobody waiting before something of it is written.
    #[must_use]
    pub fn saving(&self, run: RunId) -> Saving {
        Saving { open: None, judged: None, store: self.clone(), run }
    }

    /// Saves a run: all of it, or none. The state it was prepared on is of no more use then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when another run was saved since the state was loaded; otherwise
    /// what disks do. Nothing is saved then.
    pub async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let mut saving = self.saving(commit.judged.run.id);
        saving.begin_judged(commit.judged).await?;
        saving.commit(commit.told).await
    }
}

impl Saving {
    /// Begins to write the rows of these lists ahead of everything else, while they can be read. From then on
    /// nothing else is written until the commit; without lists everything else is. In memory nothing is
    /// written ahead, as nobody could read meanwhile: [`Enrolled::is_written`] says which it was.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`]. Nothing is saved then.
    pub async fn begin_rows(
        &mut self,
        lists: impl Iterator<Item = (&Arc<Snapshot>, &mut Arc<Enrolled>)>,
    ) -> Result<(), StoreError> {
        if self.store.is_in_memory() {
            return Ok(());
        }
        let rows = lists.filter_map(|(snapshot, enrolled)| {
            let hashes = Arc::get_mut(enrolled)?.hashes.take()?;
            Some(Rows { snapshot: Arc::clone(snapshot), enrolled: Arc::clone(enrolled), hashes })
        });
        let rows: Vec<Rows> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        let (say, written) = oneshot::channel();
        self.step(Step::Rows(rows, say)).await?;
        if let Some(open) = &mut self.open {
            open.written = Some(written);
        }
        Ok(())
    }

    /// Waits until the rows that were begun are written, and their lists are nobody else's any more.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`]. Nothing is saved then.
    pub async fn rows_written(&mut self) -> Result<(), StoreError> {
        let Some(written) = self.open.as_mut().and_then(|it| it.written.take()) else {
            return Ok(());
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(_) => self.end().await.and(Err(StoreError::Closed)),
        }
    }

    /// Begins to write what the run concluded; in memory with the rest of it.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`]. Nothing is saved then.
    pub async fn begin_judged(&mut self, judged: Judged) -> Result<(), StoreError> {
        let judged = Box::new(judged);
        if self.store.is_in_memory() {
            self.judged = Some(judged);
            return Ok(());
        }
        self.step(Step::Judged(judged)).await
    }

    /// Saves the run, with what it tells of what it concluded.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    pub async fn commit(mut self, told: Told) -> Result<(), StoreError> {
        if let Some(judged) = self.judged.take() {
            self.step(Step::Judged(judged)).await?;
        }
        self.step(Step::Told(Box::new(told))).await?;
        self.end().await
    }

    /// Saves a run that was judged again, in a copy in memory of the database as it was before it. The
    /// ledger is told nothing of it.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    pub async fn keep_again(self, told: Told) -> Result<(), StoreError> {
        let Self { judged: Some(judged), store, run, .. } = self else {
            return Err(StoreError::Closed);
        };
        store
            .write("save a run again", move |connection| {
                commit::check_next(connection, run)?;
                let before = Moment::of(connection)?;
                commit::save_judged(connection, *judged)?;
                inputs::insert(connection, run, before, &told.inputs)?;
                commit::save_beside_ledger(connection, run, told, 0)
            })
            .await
    }

    async fn step(&mut self, step: Step) -> Result<(), StoreError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::begin(&self.store, self.run).await?,
        };
        open.steps.send(step).await.ok(); // What ended it early is what its end says.
        self.open = Some(open);
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        let Some(Open { end, .. }) = self.open.take() else { return Err(StoreError::Closed) };
        end.await.map_err(|_| StoreError::Closed)??.take()
    }
}

impl Open {
    async fn begin(store: &Store, run: RunId) -> Result<Self, StoreError> {
        let (steps, mut todo) = mpsc::channel(STEPS_MAX);
        let signer = store.signer.clone();
        let work = move |connection: &Connection| {
            commit::check_next(connection, run)?;
            let before = Moment::of(connection)?;
            let mut written: Vec<SnapshotId> = Vec::new();
            let mut judged_at: Option<DateTime<Utc>> = None;
            while let Some(step) = todo.blocking_recv() {
                match step {
                    Step::Rows(lists, say) => {
                        for Rows { snapshot, enrolled, hashes } in lists {
                            rows::insert(connection, &snapshot, &enrolled, &hashes)?;
                            written.push(enrolled.reference.id);
                        }
                        say.send(()).ok(); // Whoever does not wait for them has given up.
                    }
                    Step::Judged(judged) => {
                        let mut lists = judged.snapshots.iter().map(|it| &it.1);
                        if lists.any(|it| it.is_written() && !written.contains(&it.reference.id)) {
                            return Err(StoreError::Stale { run }); // It was written, and taken back.
                        }
                        judged_at = Some(judged.run.now);
                        commit::save_judged(connection, *judged)?;
                    }
                    Step::Told(told) => {
                        let at = (run, judged_at.ok_or(StoreError::Closed)?);
                        return commit::save_told(connection, at, *told, before, signer.as_deref());
                    }
                }
            }
            Err(StoreError::Closed) // Given up: what was written is taken back.
        };
        let end = store.begin_write("save a run", work).await?;
        Ok(Self { steps, written: None, end })
    }
}
