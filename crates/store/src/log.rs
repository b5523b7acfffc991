//! The logs of sources: what they say happened to people's access, and where to go on reading.

use std::collections::BTreeMap;

use domain::{LogEvent, LogEventKind, RunId, SystemId};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError};

/// What one run read of the log of one source.
#[derive(Clone, Debug)]
pub struct LogPart {
    /// Whose log.
    pub system: SystemId,
    /// What it says. An event that is stored already is not stored again.
    pub events: Vec<LogEvent>,
    /// Where the next run goes on; `None`: where this one did.
    pub cursor: Option<String>,
}

impl Store {
    /// Every event of every log that runs were told, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn log_events(&self) -> Result<BTreeMap<SystemId, Vec<LogEvent>>, StoreError> {
        self.read("read what logs tell", load_events).await
    }
}

pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    parts: &[LogPart],
) -> Result<(), StoreError> {
    let mut event = connection.prepare_cached(
        "INSERT INTO log_event (run, system, event, at_ms, kind, identity)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (system, event) DO NOTHING",
    )?;
    let mut cursor = connection.prepare_cached(
        "INSERT INTO log_cursor (system, cursor) VALUES (?1, ?2)
         ON CONFLICT (system) DO UPDATE SET cursor = excluded.cursor",
    )?;
    for part in parts {
        let system = part.system.as_str();
        for it in &part.events {
            event.execute(params![run.0, system, it.id, ms(it.at), it.kind.name(), it.identity])?;
        }
        if let Some(at) = &part.cursor {
            cursor.execute(params![system, at])?;
        }
    }
    Ok(())
}

/// What one run was told that no run before it had been.
pub(crate) fn of_run(connection: &Connection, run: RunId) -> Result<Vec<LogPart>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, system, event, at_ms, kind, identity FROM log_event WHERE run = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([run.0])?;
    let mut parts: Vec<LogPart> = Vec::new();
    while let Some(row) = rows.next()? {
        let (system, event) = read(&mut Cells::keyed(row, "log_event")?)?;
        match parts.last_mut().filter(|it| it.system == system) {
            Some(part) => part.events.push(event),
            None => parts.push(LogPart { system, events: vec![event], cursor: None }),
        }
    }
    Ok(parts)
}

fn read(cells: &mut Cells<'_, '_>) -> Result<(SystemId, LogEvent), StoreError> {
    let system = cells.system("system")?;
    let event = LogEvent {
        id: cells.str("event")?.into(),
        at: cells.time("at_ms")?,
        kind: cells.name("kind", LogEventKind::parse)?,
        identity: cells.str("identity")?.into(),
    };
    Ok((system, event))
}

/// Where to go on reading each log.
pub(crate) fn load_cursors(
    connection: &Connection,
) -> Result<BTreeMap<SystemId, String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 0, system, cursor FROM log_cursor")?;
    let mut rows = statement.query([])?;
    let mut cursors = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "log_cursor")?;
        cursors.insert(cells.system("system")?, cells.string("cursor")?);
    }
    Ok(cursors)
}

/// Every event of every log, oldest first.
pub(crate) fn load_events(
    connection: &Connection,
) -> Result<BTreeMap<SystemId, Vec<LogEvent>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, system, event, at_ms, kind, identity FROM log_event ORDER BY at_ms, id",
    )?;
    let mut rows = statement.query([])?;
    let mut events: BTreeMap<SystemId, Vec<LogEvent>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (system, event) = read(&mut Cells::keyed(row, "log_event")?)?;
        events.entry(system).or_default().push(event);
    }
    Ok(events)
}
