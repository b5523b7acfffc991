//! Where each table ends, written down with every write. A copy of the bare files that was torn
//! between two writes ends elsewhere in some table, though each page of it is sound. Never knows
//! what a table is for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::{Connection, OptionalExtension as _};

use crate::StoreError;

/// The row of `meta` that says it: `table=last row`, a line each.
const KEY: &str = "tails";

/// Writes down where each table ends now.
pub(crate) fn note(connection: &Connection) -> Result<(), rusqlite::Error> {
    let ends = ends(connection, &tables(connection)?)?;
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute((KEY, ends.into_bytes()))?;
    Ok(())
}

/// Adds a problem when some table ends elsewhere than was written down. A database that no write
/// has gone into since this is kept says nothing.
pub(crate) fn check(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let sql = "SELECT value FROM meta WHERE key = ?1";
    let kept: Option<Vec<u8>> = connection.query_row(sql, [KEY], |row| row.get(0)).optional()?;
    let Some(kept) = kept else { return Ok(()) };
    let kept = String::from_utf8_lossy(&kept).into_owned();
    let tables: Vec<String> =
        kept.lines().filter_map(|it| Some(it.split_once('=')?.0.to_owned())).collect();
    let found = ends(connection, &tables)?;
    for (kept, found) in kept.lines().zip(found.lines()).filter(|(kept, found)| kept != found) {
        problems.push(format!(
            "a table ends at `{found}` and not at `{kept}`: this is a copy of two moments, \
             make copies with `driftline db backup`"
        ));
    }
    Ok(())
}

/// Where each table ends now.
pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut all = BTreeMap::new();
    for table in tables(connection)? {
        let last = last_row(connection, &table)?;
        all.insert(table, last);
    }
    Ok(all)
}

/// The tables whose rows are numbered, in order of name.
fn tables(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let sql = "SELECT name FROM pragma_table_list
               WHERE schema = 'main' AND type = 'table' AND wr = 0 AND name NOT LIKE 'sqlite_%'
               ORDER BY name";
    connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// A line for each: its name and its last row, 0 where it has none.
fn ends(connection: &Connection, tables: &[String]) -> Result<String, rusqlite::Error> {
    let mut ends = String::new();
    for table in tables {
        let last = last_row(connection, table)?;
        writeln!(ends, "{table}={last}").ok(); // Text never refuses.
    }
    Ok(ends)
}

fn last_row(connection: &Connection, table: &str) -> Result<i64, rusqlite::Error> {
    let sql = format!("SELECT coalesce(max(rowid), 0) FROM \"{table}\"");
    connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
}
