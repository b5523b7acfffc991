//! Anchors: which checkpoints are to be taken out of reach, and what came of it. Asked for in the
//! transaction of a run, settled together with the entry that tells of it. A try is written down
//! before it is made.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AnchorKind, AnchorName, AnchorStand, Text};
use ledger::{Event, sha256};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError, entry};

/// An anchor is asked for with the first run that comes so long after the last time: each night,
/// also when one begins somewhat earlier than the night before.
const EVERY: TimeDelta = TimeDelta::hours(20);

/// An anchor whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueAnchor {
    /// Its number.
    pub id: i64,
    /// Its name in the settings.
    pub name: Text,
    /// The checkpoint, as it is kept.
    pub note: String,
    /// How often it was tried.
    pub n_attempts: u32,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnchorSettled {
    /// The checkpoint is out of reach.
    Made {
        /// Where, for people.
        place: String,
        /// What the place gave, whole.
        proof: Vec<u8>,
    },
    /// To be tried again.
    Later {
        /// When.
        due_at: DateTime<Utc>,
        /// What happened.
        why: String,
    },
}

/// One anchor of one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorLine {
    /// Its name in the settings.
    pub name: AnchorName,
    /// Entries under the checkpoint.
    pub size: u64,
    /// The checkpoint, as it is kept.
    pub note: String,
    /// When it was asked for.
    pub asked_at: DateTime<Utc>,
    /// How it stands.
    pub state: AnchorState,
    /// What happened at the last try that failed; `None`: none did.
    pub why: Option<String>,
}

/// How an anchor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnchorState {
    /// Not made yet.
    Pending,
    /// Never made: a later checkpoint took its place.
    Failed,
    /// The checkpoint is out of reach.
    Made {
        /// Since when.
        at: DateTime<Utc>,
        /// Where, for people.
        place: String,
        /// What the place gave, whole.
        proof: Vec<u8>,
    },
}

impl AnchorState {
    /// Its word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Made { .. } => "made",
        }
    }
}

impl Store {
    /// Anchors whose time has come, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn due_anchors(&self, now: DateTime<Utc>) -> Result<Vec<DueAnchor>, StoreError> {
        self.read("read the anchors", move |connection| due(connection, now)).await
    }

    /// When the next of these anchors is to be tried; `None`: none of them waits.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn next_anchor(&self, names: Vec<Text>) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read("read the anchors", move |connection| {
            let sql = "SELECT id, name, due_at_ms FROM anchor WHERE state = 'pending'";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut next = None;
            while let Some(row) = rows.next()? {
                let mut cells = Cells::keyed(row, "anchor")?;
                let name = cells.str("name")?;
                let due_at = cells.time("due_at_ms")?;
                if names.iter().any(|it| **it == *name) {
                    next = next.into_iter().chain([due_at]).min();
                }
            }
            Ok(next)
        })
        .await
    }

    /// Writes down that an anchor is about to be tried, and when it is to be tried again unless
    /// something else is written down by then: what cannot be written down is not done all the time.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved: then it must not be tried.
    pub async fn begin_anchor(&self, id: i64, again_at: DateTime<Utc>) -> Result<(), StoreError> {
        self.write("save that an anchor is tried", move |connection| {
            connection
                .prepare_cached(
                    "UPDATE anchor SET n_attempts = n_attempts + 1, due_at_ms = ?2
                     WHERE id = ?1 AND state = 'pending'",
                )?
                .execute([id, ms(again_at)])?;
            Ok(())
        })
        .await
    }

    /// Writes down what came of a try; with an entry of the ledger when the anchor was made.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`]: it is tried again then.
    pub async fn settle_anchor(
        &self,
        id: i64,
        what: AnchorSettled,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("save what became of an anchor", move |connection| match what {
            AnchorSettled::Made { place, proof } => {
                let Some((name, size)) = pending(connection, id)? else { return Ok(()) };
                let event = Event::anchor_made(&name, size, &sha256(&proof), now);
                entry::append(connection, signer.as_deref(), vec![event])?;
                connection
                    .prepare_cached(
                        "UPDATE anchor SET state = 'made', made_at_ms = ?2, place = ?3, proof = ?4,
                                           why = NULL
                         WHERE id = ?1 AND state = 'pending'",
                    )?
                    .execute(params![id, ms(now), place, proof])?;
                Ok(())
            }
            AnchorSettled::Later { due_at, why } => {
                connection
                    .prepare_cached(
                        "UPDATE anchor SET due_at_ms = ?2, why = ?3
                         WHERE id = ?1 AND state = 'pending'",
                    )?
                    .execute(params![id, ms(due_at), why])?;
                Ok(())
            }
        })
        .await
    }

    /// Every anchor, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn anchors(&self) -> Result<Vec<AnchorLine>, StoreError> {
        self.read("list the anchors", lines).await
    }

    /// How each anchor that was ever asked for stands, by name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn anchor_stands(&self) -> Result<Vec<AnchorStand>, StoreError> {
        self.read("read the anchors", load_stands).await
    }
}

/// Which of the anchors of the settings a run asks for; and what the ledger is told of those that
/// waited until now and never will be made.
pub(crate) fn wanted<'a>(
    connection: &Connection,
    anchors: &'a [AnchorName],
    now: DateTime<Utc>,
) -> Result<(Vec<&'a AnchorName>, Vec<Event>), StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT 0, max(asked_at_ms) FROM anchor WHERE name = ?1")?;
    let mut wanted = Vec::new();
    for anchor in anchors {
        let mut rows = statement.query([&*anchor.name])?;
        let row = rows.next()?;
        let last =
            row.map(|it| Cells::keyed(it, "anchor")?.maybe_time("asked_at_ms")).transpose()?;
        // A clock that was set back must not stop it.
        let is_recent = |last: &DateTime<Utc>| (TimeDelta::zero()..EVERY).contains(&(now - *last));
        if !last.flatten().is_some_and(|it| is_recent(&it)) {
            wanted.push(anchor);
        }
    }
    let events = give_up(connection, anchors, &wanted, now)?;
    Ok((wanted, events))
}

/// Gives up what waits, where a later checkpoint takes its place or the settings name it no more.
/// Of what was never tried, as of a night that was judged together with the next, nothing is told.
fn give_up(
    connection: &Connection,
    anchors: &[AnchorName],
    wanted: &[&AnchorName],
    now: DateTime<Utc>,
) -> Result<Vec<Event>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, kind, size, n_attempts, why FROM anchor WHERE state = 'pending' ORDER BY id",
    )?;
    let mut fail =
        connection.prepare_cached("UPDATE anchor SET state = 'failed', why = ?2 WHERE id = ?1")?;
    let mut rows = statement.query([])?;
    let (mut failed, mut events) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "anchor")?;
        let name = read_name(&mut cells)?;
        let size: u64 = cells.count("size")?;
        let n_attempts: u32 = cells.count("n_attempts")?;
        let last = cells.maybe_str("why")?.unwrap_or("it was not tried to its end");
        if !wanted.contains(&&name) && anchors.contains(&name) {
            continue;
        }
        if n_attempts > 0 {
            events.push(Event::anchor_failed(&name, (size, n_attempts), last, now));
        }
        failed.push((cells.key(), last.to_owned()));
    }
    drop(rows);
    for (id, why) in failed {
        fail.execute(params![id, why])?;
    }
    Ok(events)
}

/// Asks for anchors of the newest checkpoint.
pub(crate) fn ask(
    connection: &Connection,
    wanted: &[&AnchorName],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO anchor (size, name, kind, state, asked_at_ms, due_at_ms, n_attempts)
         VALUES ((SELECT max(size) FROM checkpoint), ?1, ?2, 'pending', ?3, ?3, 0)",
    )?;
    for AnchorName { name, kind } in wanted {
        insert.execute(params![name, kind.name(), ms(now)])?;
    }
    Ok(())
}

pub(crate) fn load_stands(connection: &Connection) -> Result<Vec<AnchorStand>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT max(id), name, min(asked_at_ms), max(made_at_ms),
                (SELECT why FROM anchor n WHERE n.name = a.name ORDER BY n.id DESC LIMIT 1)
         FROM anchor a GROUP BY name ORDER BY name",
    )?;
    let mut rows = statement.query([])?;
    let mut stands = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "anchor")?;
        stands.push(AnchorStand {
            name: cells.str("name")?.into(),
            first_asked_at: cells.time("asked_at_ms")?,
            last_made_at: cells.maybe_time("made_at_ms")?,
            why: cells.maybe_str("why")?.map(str::to_owned),
        });
    }
    Ok(stands)
}

fn due(connection: &Connection, now: DateTime<Utc>) -> Result<Vec<DueAnchor>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.id, a.name, c.note, a.n_attempts FROM anchor a JOIN checkpoint c USING (size)
         WHERE a.state = 'pending' AND a.due_at_ms <= ?1 ORDER BY a.id",
    )?;
    let mut rows = statement.query([ms(now)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "anchor")?;
        all.push(DueAnchor {
            id: cells.key(),
            name: cells.str("name")?.into(),
            note: cells.string("note")?,
            n_attempts: cells.count("n_attempts")?,
        });
    }
    Ok(all)
}

/// Name and size of an anchor that waits; `None`: it does not.
fn pending(connection: &Connection, id: i64) -> Result<Option<(AnchorName, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, kind, size FROM anchor WHERE id = ?1 AND state = 'pending'",
    )?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "anchor")?;
    Ok(Some((read_name(&mut cells)?, cells.count("size")?)))
}

fn read_name(cells: &mut Cells<'_, '_>) -> Result<AnchorName, StoreError> {
    let name = cells.str("name")?.into();
    Ok(AnchorName { name, kind: cells.name("kind", AnchorKind::parse)? })
}

pub(crate) fn lines(connection: &Connection) -> Result<Vec<AnchorLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.id, a.name, a.kind, a.size, c.note, a.asked_at_ms, a.state, a.why, a.made_at_ms,
                a.place, a.proof
         FROM anchor a JOIN checkpoint c USING (size) ORDER BY a.id DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "anchor")?;
        let name = read_name(&mut cells)?;
        let (size, note) = (cells.count("size")?, cells.string("note")?);
        let asked_at = cells.time("asked_at_ms")?;
        let state = cells.string("state")?;
        let why = cells.maybe_str("why")?.map(str::to_owned);
        let state = match &*state {
            "pending" => AnchorState::Pending,
            "failed" => AnchorState::Failed,
            "made" => AnchorState::Made {
                at: cells.time("made_at_ms")?,
                place: cells.string("place")?,
                proof: cells.blob("proof")?.to_vec(),
            },
            _ => return Err(cells.corrupt("state")),
        };
        lines.push(AnchorLine { name, size, note, asked_at, state, why });
    }
    Ok(lines)
}
