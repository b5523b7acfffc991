//! What apps were seen to do with accounts that are switched off.

use domain::{Channel, DeprovisionSeen, DeprovisionWitness, Deprovisioned, RunId};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError};

impl Store {
    /// All that was seen, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn deprovisions(&self) -> Result<Vec<DeprovisionSeen>, StoreError> {
        self.read("read what becomes of accounts that are switched off", load).await
    }
}

pub(crate) fn insert(connection: &Connection, seen: &[DeprovisionSeen]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO deprovision (run, probe, app, channel, account, behaviour, seen_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for it in seen {
        let (run, probe) = match it.by {
            DeprovisionWitness::Run(run) => (Some(run.0), None),
            DeprovisionWitness::Probe(probe) => (None, Some(probe)),
        };
        let (app, channel, behaviour) = (it.app.as_str(), it.channel.name(), it.behaviour.name());
        insert.execute(params![run, probe, app, channel, it.account, behaviour, ms(it.at)])?;
    }
    Ok(())
}

pub(crate) fn load(connection: &Connection) -> Result<Vec<DeprovisionSeen>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, run, probe, app, channel, account, behaviour, seen_ms FROM deprovision ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "deprovision")?;
        let by = match (cells.maybe_int("run")?, cells.maybe_int("probe")?) {
            (Some(run), None) => DeprovisionWitness::Run(RunId(run)),
            (None, Some(probe)) => DeprovisionWitness::Probe(probe),
            _ => return Err(cells.corrupt("run")),
        };
        seen.push(DeprovisionSeen {
            app: cells.system("app")?,
            channel: cells.name("channel", Channel::parse)?,
            account: cells.str("account")?.into(),
            behaviour: cells.name("behaviour", Deprovisioned::parse)?,
            at: cells.time("seen_ms")?,
            by,
        });
    }
    Ok(seen)
}
