//! What stood in a finding before it was written over. Findings change in place; with this, how
//! they stood at an earlier moment can be read. Never knows what a column means.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::FindingId;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{StoreError, cells};

/// A finding as its columns have it. Blobs are hexadecimal.
pub(crate) type Columns = Map<String, Value>;

/// When a finding was last seen changes every night, and is the one column of another table.
const LAST_SEEN: &str = "last_seen_at_ms";

/// What one write wrote over.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Overwritten {
    /// Findings that were only seen again, by when they had been seen before.
    seen: BTreeMap<i64, Vec<i64>>,
    /// Of all others the columns that were different.
    changed: BTreeMap<i64, Columns>,
}

impl Overwritten {
    /// Notes how a finding stood.
    pub(crate) fn add(&mut self, id: FindingId, mut before: Columns, after: &Columns) {
        before.retain(|column, value| after.get(column) != Some(value));
        match (before.len(), before.get(LAST_SEEN).and_then(Value::as_i64)) {
            (0, _) => {}
            (1, Some(seen_at)) => self.seen.entry(seen_at).or_default().push(id.0),
            _ => {
                self.changed.insert(id.0, before);
            }
        }
    }

    /// Notes when a finding that is only seen again had been seen before.
    pub(crate) fn add_seen(&mut self, id: FindingId, before: DateTime<Utc>, after: DateTime<Utc>) {
        let (before, after) = (cells::ms(before), cells::ms(after));
        if before != after {
            self.seen.entry(before).or_default().push(id.0);
        }
    }

    /// Keeps it under the next number; nothing where nothing was written over.
    pub(crate) fn keep(&self, connection: &Connection) -> Result<(), StoreError> {
        if self.seen.is_empty() && self.changed.is_empty() {
            return Ok(());
        }
        let number = last(connection)? + 1;
        let bytes = cells::packed(self)?;
        connection
            .prepare_cached("INSERT INTO meta (key, value) VALUES (?1, ?2)")?
            .execute(params![key(number), bytes])?;
        Ok(())
    }
}

fn key(number: i64) -> String {
    format!("overwritten/{number:012}")
}

/// The number of the newest; 0 before the first.
pub(crate) fn last(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT max(key) FROM meta WHERE key >= 'overwritten/' AND key < 'overwritten0'";
    let key: Option<String> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let number = key.map(|it| it.trim_start_matches("overwritten/").parse());
    number.transpose().map(Option::unwrap_or_default).map_err(|_| corrupt(0))
}

fn read(connection: &Connection, number: i64) -> Result<Overwritten, StoreError> {
    let sql = "SELECT value FROM meta WHERE key = ?1";
    let bytes: Vec<u8> = connection
        .prepare_cached(sql)?
        .query_row([key(number)], |row| row.get(0))
        .map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => corrupt(number),
            other => other.into(),
        })?;
    cells::unpacked(&bytes).ok_or_else(|| corrupt(number))
}

const fn corrupt(number: i64) -> StoreError {
    StoreError::Corrupt { table: "meta", column: "overwritten", key: number }
}

/// One finding as it stands; `None` when there is none of that number.
pub(crate) fn columns(
    connection: &Connection,
    id: FindingId,
) -> Result<Option<Columns>, StoreError> {
    Ok(select(connection, "f.id = ?1", id.0)?.remove(&id.0))
}

/// Every finding up to number `until` as it stood after write `number`.
pub(crate) fn findings_after(
    connection: &Connection,
    number: i64,
    until: i64,
) -> Result<BTreeMap<i64, Columns>, StoreError> {
    let mut findings = select(connection, "f.id <= ?1", until)?;
    for number in (number + 1..=last(connection)?).rev() {
        let Overwritten { seen, changed } = read(connection, number)?;
        for (seen_at, ids) in seen {
            for id in ids {
                if let Some(finding) = findings.get_mut(&id) {
                    finding.insert(LAST_SEEN.to_owned(), seen_at.into());
                }
            }
        }
        for (id, columns) in changed {
            if let Some(finding) = findings.get_mut(&id) {
                finding.extend(columns);
            }
        }
    }
    Ok(findings)
}

/// Brings the findings of a copy back to how they stood after write `number`.
pub(crate) fn bring_back(
    connection: &Connection,
    number: i64,
    until: i64,
) -> Result<(), StoreError> {
    let now = select(connection, "f.id <= ?1", until)?;
    for (id, then) in findings_after(connection, number, until)? {
        let Some(now) = now.get(&id) else { continue };
        for (column, value) in then.iter().filter(|(column, value)| now.get(*column) != Some(value))
        {
            let (table, key) =
                if column == LAST_SEEN { ("finding_seen", "finding") } else { ("finding", "id") };
            if !now.contains_key(column) {
                return Err(corrupt(number));
            }
            let sql = format!("UPDATE {table} SET \"{column}\" = ?1 WHERE {key} = ?2");
            connection.prepare(&sql)?.execute(params![cell(value), id])?;
        }
    }
    Ok(())
}

/// The condition is ours, never a text from outside.
fn select(
    connection: &Connection,
    condition: &str,
    value: i64,
) -> Result<BTreeMap<i64, Columns>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT f.*, s.last_seen_at_ms FROM finding f JOIN finding_seen s ON s.finding = f.id
         WHERE {condition}"
    ))?;
    let names: Vec<String> = statement.column_names().iter().map(|it| (*it).to_owned()).collect();
    let mut rows = statement.query([value])?;
    let mut findings = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new();
        for (at, name) in names.iter().enumerate() {
            columns.insert(name.clone(), cells::value(row.get_ref(at)?));
        }
        findings.insert(row.get(0)?, columns);
    }
    Ok(findings)
}

/// Only numbers and texts of a finding ever change: its fingerprint names it.
fn cell(value: &Value) -> Cell {
    match value {
        Value::Number(number) => number.as_i64().map_or(Cell::Null, Cell::Integer),
        Value::String(text) => Cell::Text(text.clone()),
        _ => Cell::Null,
    }
}
