//! What was asked again by id, and answered.

use domain::rows::Pool;
use domain::{Answer, Channel, List, Observation, Question, Rows, RunId};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError};

impl Store {
    /// What a run asked again by id, in the order in which it was asked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn observations(&self, run: RunId) -> Result<Vec<Observation>, StoreError> {
        self.read("read what was asked again", move |connection| load(connection, run)).await
    }
}

pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    observations: &[Observation],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO observation (run, system, list, channel, key, row, why, sent_at_ms, received_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for Observation { question, answer, sent_at, received_at } in observations {
        let (row, why) = match answer {
            Answer::Found(row) => (row.canonical(0), None),
            Answer::Gone => (None, None),
            Answer::Unknown(why) => (None, Some(why)),
        };
        let (system, list) = (question.system.as_str(), question.list.name());
        insert.execute(params![
            run.0,
            system,
            list,
            question.channel.map(Channel::name),
            question.id,
            row,
            why,
            ms(*sent_at),
            ms(*received_at)
        ])?;
    }
    Ok(())
}

fn load(connection: &Connection, run: RunId) -> Result<Vec<Observation>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, system, list, channel, key, row, why, sent_at_ms, received_at_ms
         FROM observation WHERE run = ?1 ORDER BY id",
    )?;
    let mut found = statement.query([run.0])?;
    let (mut observations, mut pool) = (Vec::new(), Pool::default());
    while let Some(row) = found.next()? {
        let mut cells = Cells::keyed(row, "observation")?;
        let system = cells.system("system")?;
        let list = cells.name("list", List::parse)?;
        let channel = cells.maybe_name("channel", Channel::parse)?;
        let question = Question { system, list, channel, id: cells.str("key")?.into() };
        let bytes = cells.maybe_blob("row")?;
        let row = match bytes {
            Some(bytes) => {
                Some(Rows::one(list, bytes, &mut pool).ok_or_else(|| cells.corrupt("row"))?)
            }
            None => None,
        };
        let answer = match (row, cells.maybe_str("why")?) {
            (Some(row), None) => Answer::Found(row),
            (None, Some(why)) => Answer::Unknown(why.to_owned()),
            (None, None) => Answer::Gone,
            (Some(_), Some(_)) => return Err(cells.corrupt("why")),
        };
        observations.push(Observation {
            question,
            answer,
            sent_at: cells.time("sent_at_ms")?,
            received_at: cells.time("received_at_ms")?,
        });
    }
    Ok(observations)
}
