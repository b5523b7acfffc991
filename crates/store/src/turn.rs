//! The turns of the schedule: saved with their runs, and read by whoever begins to wait.

use domain::{RunId, Turn};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError};

/// All turns in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The newest that was a full run; `None` before the first.
    pub last: Option<Turn>,
    /// Due times that had no run, in all.
    pub n_missed: u64,
}

impl Store {
    /// Every turn of the schedule, with the run that was done for it.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn all_turns(&self) -> Result<Vec<(RunId, Turn)>, StoreError> {
        self.read("read all turns of the schedule", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT run, due_ms, began_ms, schedule, n_missed, first_missed_ms FROM turn
                 ORDER BY run",
            )?;
            let mut rows = statement.query([])?;
            let mut turns = Vec::new();
            while let Some(row) = rows.next()? {
                let mut cells = Cells::keyed(row, "turn")?;
                turns.push((RunId(cells.key()), read(&mut cells)?));
            }
            Ok(turns)
        })
        .await
    }

    /// The newest turn of the schedule that was a full run, and how many were missed.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn turns(&self) -> Result<Turns, StoreError> {
        self.read("read the turns of the schedule", load).await
    }
}

pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    turn: Option<&Turn>,
) -> Result<(), StoreError> {
    let Some(turn) = turn else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO turn (run, due_ms, began_ms, schedule, n_missed, first_missed_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            run.0,
            ms(turn.due),
            ms(turn.began),
            turn.schedule,
            turn.n_missed,
            turn.first_missed.map(ms),
        ])?;
    Ok(())
}

/// The turn that a run was done for; `None`: somebody asked for the run.
pub(crate) fn of_run(connection: &Connection, run: RunId) -> Result<Option<Turn>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT run, due_ms, began_ms, schedule, n_missed, first_missed_ms FROM turn WHERE run = ?1",
    )?;
    let mut rows = statement.query([run.0])?;
    rows.next()?.map(|row| read(&mut Cells::keyed(row, "turn")?)).transpose()
}

fn load(connection: &Connection) -> Result<Turns, StoreError> {
    let sum = "SELECT coalesce(sum(n_missed), 0) FROM turn";
    let n_missed: i64 = connection.query_row(sum, [], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "SELECT t.run, t.due_ms, t.began_ms, t.schedule, t.n_missed, t.first_missed_ms
         FROM turn t JOIN run r ON r.id = t.run WHERE r.pass = 'full' ORDER BY t.run DESC LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    let last = rows.next()?.map(|row| {
        let mut cells = Cells::keyed(row, "turn")?;
        read(&mut cells)
    });
    Ok(Turns { last: last.transpose()?, n_missed: n_missed.unsigned_abs() })
}

fn read(cells: &mut Cells<'_, '_>) -> Result<Turn, StoreError> {
    Ok(Turn {
        due: cells.time("due_ms")?,
        began: cells.time("began_ms")?,
        schedule: cells.string("schedule")?,
        n_missed: cells.count("n_missed")?,
        first_missed: cells.maybe_time("first_missed_ms")?,
    })
}
