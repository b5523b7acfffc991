//! What a health check asks of the database: when each list was last seen whole, what was
//! requested, and how large the file is. Reads only.

use std::fs;

use chrono::{DateTime, Utc};
use domain::{Channel, List, RunId, Stream, SystemId};
use rusqlite::Connection;

use crate::cells::Cells;
use crate::{Store, StoreError};

/// Requests of one run to one system that were answered alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// Who was asked.
    pub system: SystemId,
    /// The HTTP status; `None`: no answer, or a file.
    pub status: Option<u16>,
    /// How many.
    pub n: u64,
    /// How long they took together, in milliseconds.
    pub duration_ms: u64,
    /// How long was waited before them together, in milliseconds.
    pub waited_ms: u64,
}

/// How large the database is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The file itself.
    pub database: u64,
    /// What was written and is not in it yet.
    pub wal: u64,
}

impl Store {
    /// As of when each list was last seen whole and believed, by list. Lists that never were are
    /// not among them.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn last_whole(&self) -> Result<Vec<(Stream, DateTime<Utc>)>, StoreError> {
        self.read("read when lists were last seen whole", last_whole).await
    }

    /// The requests of a run, by system and status. Empty for a number that no run has.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn requested(&self, run: RunId) -> Result<Vec<Requested>, StoreError> {
        self.read("count requests", move |connection| requested(connection, run)).await
    }

    /// How large the database is.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::File`] when the file cannot be looked at.
    pub fn sizes(&self) -> Result<Sizes, StoreError> {
        let path = self.path();
        let database =
            fs::metadata(path).map_err(|error| StoreError::file(path, "look at", error))?.len();
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        // It is there only while somebody writes.
        let wal = fs::metadata(wal).map_or(0, |it| it.len());
        Ok(Sizes { database, wal })
    }
}

fn last_whole(connection: &Connection) -> Result<Vec<(Stream, DateTime<Utc>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.id, s.system, s.list, s.channel, n.as_of_ms
         FROM stream s JOIN snapshot n ON n.id = (
             SELECT max(id) FROM snapshot
             WHERE stream = s.id AND proof IS NOT NULL AND held IS NULL)
         ORDER BY s.id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "stream")?;
        let stream = Stream {
            system: cells.system("system")?,
            list: cells.name("list", List::parse)?,
            channel: cells.maybe_name("channel", Channel::parse)?,
        };
        found.push((stream, cells.time("as_of_ms")?));
    }
    Ok(found)
}

fn requested(connection: &Connection, run: RunId) -> Result<Vec<Requested>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT 0, system, status, count(*), sum(duration_ms), sum(waited_ms)
         FROM (SELECT s.system, r.status, r.duration_ms, r.waited_ms
               FROM snapshot n JOIN stream s ON s.id = n.stream JOIN request r ON r.snapshot = n.id
               WHERE n.run = ?1
               UNION ALL
               SELECT system, status, duration_ms, waited_ms FROM other_request WHERE run = ?1)
         GROUP BY system, status ORDER BY system, status",
    )?;
    let mut rows = statement.query([run.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "request")?;
        let system = cells.system("system")?;
        let status = cells.maybe_int("status")?;
        found.push(Requested {
            system,
            status: status.map(u16::try_from).transpose().map_err(|_| cells.corrupt("status"))?,
            n: cells.count("n")?,
            duration_ms: cells.count("duration_ms")?,
            waited_ms: cells.count("waited_ms")?,
        });
    }
    Ok(found)
}
