//! Lists that were asked for and never seen whole, as the last run left them.

use domain::{List, Unseen};
use rusqlite::{Connection, params};

use crate::StoreError;
use crate::cells::{Cells, ms};

pub(crate) fn replace(connection: &Connection, unseen: &[Unseen]) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM unseen")?.execute([])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO unseen (system, list, since_ms) VALUES (?1, ?2, ?3)")?;
    for Unseen { system, list, since } in unseen {
        insert.execute(params![system.as_str(), list.map(List::name), ms(*since)])?;
    }
    Ok(())
}

pub(crate) fn load(connection: &Connection) -> Result<Vec<Unseen>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, system, list, since_ms FROM unseen ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut unseen = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "unseen")?;
        unseen.push(Unseen {
            system: cells.system("system")?,
            list: cells.maybe_name("list", List::parse)?,
            since: cells.time("since_ms")?,
        });
    }
    Ok(unseen)
}
