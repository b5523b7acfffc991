//! What a run concluded, as names and values, so that two answers to the same question can be set
//! side by side. Never here: which of the two is right.

use std::collections::{BTreeMap, BTreeSet};

use domain::{EntityId, FindingId, RunId};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::codes::{VERDICTS, value};
use crate::{LinkChange, Store, StoreError, cells, conclusion, erase, inputs, overwritten};

/// One thing that is otherwise than when it is judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What, as `verdict of okta/00u1` or `finding DL-14`.
    pub what: String,
    /// Which part of it; empty: it is there once only.
    pub field: String,
    /// As it is stored; `None`: it is not.
    pub stored: Option<String>,
    /// As it is when judged again; `None`: it is not.
    pub again: Option<String>,
}

/// What a run concluded: by what it is about, each part with its value.
type Conclusions = BTreeMap<String, Map<String, Value>>;

/// Conclusions that have a line of their own for each thing: what they are called, and the query,
/// which gives the name first.
const LINES: [(&str, &str); 12] = [
    ("run", "SELECT id, pass, n_open, n_pending, n_critical FROM run WHERE id = ?1"),
    (
        "list",
        "SELECT t.system || ' ' || t.list || coalesce(' (' || t.channel || ')', ''), s.id, s.held,
                s.n_rows, s.first_version, s.n_versions, s.digest, s.body_digest, s.notes
         FROM snapshot s JOIN stream t ON t.id = s.stream WHERE s.run = ?1",
    ),
    (
        "verdict of",
        "SELECT entity, verdict, seen_until_ms FROM standing WHERE run = ?1 ORDER BY id",
    ),
    (
        "employment of",
        "SELECT entity, number, began_at_ms, ended_at_ms FROM episode WHERE run = ?1 ORDER BY id",
    ),
    (
        "what happened to",
        "SELECT 'DL-' || finding, change, cause, severity, state, because, at_ms
         FROM finding_event WHERE run = ?1 ORDER BY id",
    ),
    ("guard of", "SELECT app, n_openings, n_closings FROM guard_count WHERE run = ?1"),
    (
        "waiver",
        "SELECT v.waiver, v.at_ms FROM waiver_void v JOIN run r ON r.now_ms = v.at_ms WHERE r.id = ?1",
    ),
    ("leaver", "SELECT entity, app, episode, record FROM leaver WHERE run = ?1 ORDER BY id"),
    ("leavers of", "SELECT app, at_ms, n_left_out, since_ms FROM leavers_begin WHERE run = ?1"),
    (
        "question about",
        "SELECT system || ' ' || list || coalesce(' (' || channel || ')', '') || ' ' || key, row, why, sent_at_ms, received_at_ms
         FROM observation WHERE run = ?1 ORDER BY id",
    ),
    (
        "what became of",
        "SELECT app || ' ' || channel || ' ' || account, behaviour, seen_ms
         FROM deprovision WHERE run = ?1 ORDER BY id",
    ),
    ("first run of", "SELECT app, first_run FROM judged_app WHERE first_run = ?1"),
];

impl Store {
    /// What a run concluded here and is otherwise in `again`, a copy in which it was judged again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn differences(
        &self,
        again: &Self,
        run: RunId,
    ) -> Result<Vec<Difference>, StoreError> {
        const DOING: &str = "read what a run concluded";
        let stored = self.read(DOING, move |connection| conclusions(connection, run)).await?;
        let again = again.read(DOING, move |connection| conclusions(connection, run)).await?;
        Ok(compare(&stored, &again))
    }
}

fn compare(stored: &Conclusions, again: &Conclusions) -> Vec<Difference> {
    let mut differences = Vec::new();
    let all: BTreeSet<&String> = stored.keys().chain(again.keys()).collect();
    for what in all {
        let mut differs = |field: &str, stored: Option<String>, again: Option<String>| {
            let (what, field) = (what.clone(), field.to_owned());
            differences.push(Difference { what, field, stored, again });
        };
        match (stored.get(what), again.get(what)) {
            (Some(stored), Some(again)) => {
                let fields: BTreeSet<&String> = stored.keys().chain(again.keys()).collect();
                for field in fields {
                    let (stored, again) = (stored.get(field), again.get(field));
                    if stored != again {
                        differs(field, stored.map(Value::to_string), again.map(Value::to_string));
                    }
                }
            }
            (Some(stored), None) => {
                differs("", Some(Value::from(stored.clone()).to_string()), None);
            }
            (None, again) => {
                differs("", None, again.map(|it| Value::from(it.clone()).to_string()));
            }
        }
    }
    differences
}

fn conclusions(connection: &Connection, run: RunId) -> Result<Conclusions, StoreError> {
    let mut all = Conclusions::new();
    let mut names_of = Names { connection, known: FxHashMap::default() };
    for (what, sql) in LINES {
        let mut statement = connection.prepare(sql)?;
        let names: Vec<String> =
            statement.column_names().iter().map(|it| (*it).to_owned()).collect();
        let mut rows = statement.query([run.0])?;
        while let Some(row) = rows.next()? {
            let name = match cells::value(row.get_ref(0)?) {
                Value::Number(entity) if names.first().is_some_and(|it| it == "entity") => {
                    names_of.of(EntityId(entity.as_i64().unwrap_or_default()))
                }
                Value::String(name) => name,
                other => other.to_string(),
            };
            let mut parts = Map::new();
            for (at, column) in names.iter().enumerate().skip(1) {
                put(&mut parts, column, cells::value(row.get_ref(at)?));
            }
            add(&mut all, format!("{what} {name}"), parts);
        }
    }
    for LinkChange { account, link } in conclusion::links_of(connection, run)? {
        let owner = link.map(|it| names_of.of(it.0));
        let mut parts = Map::new();
        parts.insert("owner".to_owned(), owner.into());
        parts.insert("key".to_owned(), link.map(|it| it.1.name()).into());
        add(&mut all, format!("owner of {}", names_of.of(account)), parts);
    }
    for (id, columns) in findings(connection, run)? {
        add(&mut all, format!("finding {}", FindingId(id)), columns);
    }
    Ok(all)
}

/// One that is there twice has a number behind its name.
fn add(all: &mut Conclusions, what: String, parts: Map<String, Value>) {
    let nth = (2..).map(|nth| format!("{what} ({nth})"));
    let free = std::iter::once(what.clone()).chain(nth).find(|it| !all.contains_key(it));
    all.extend(free.map(|it| (it, parts)));
}

/// Codes by their names, and what is JSON by its parts.
fn put(parts: &mut Map<String, Value>, column: &str, cell: Value) {
    match (column, &cell) {
        ("verdict", Value::Number(code)) => {
            let verdict = code.as_i64().and_then(|it| value(VERDICTS, it));
            let name = verdict.map_or(cell, |it| it.name().into());
            parts.insert(column.to_owned(), name);
        }
        ("record", Value::String(json)) => match serde_json::from_str(json) {
            Ok(Value::Object(record)) => parts.extend(record),
            _ => {
                parts.insert(column.to_owned(), cell);
            }
        },
        _ => {
            parts.insert(column.to_owned(), cell);
        }
    }
}

/// All findings as they stood when the run was saved.
fn findings(
    connection: &Connection,
    run: RunId,
) -> Result<BTreeMap<i64, Map<String, Value>>, StoreError> {
    let Some(kept) = inputs::load(connection, run)? else { return Ok(BTreeMap::new()) };
    let mut findings = overwritten::findings_after(connection, kept.overwritten, i64::MAX)?;
    let is_earlier = |it: &Value| it.as_i64().is_some_and(|it| it <= run.0);
    findings.retain(|_, it| it.get("detected_run").is_some_and(is_earlier));
    Ok(findings)
}

/// What rows are called.
struct Names<'c> {
    connection: &'c Connection,
    known: FxHashMap<EntityId, String>,
}

impl Names<'_> {
    /// System and key of a row, or its number where that is not to be read: its list says so.
    fn of(&mut self, entity: EntityId) -> String {
        if !self.known.contains_key(&entity) {
            self.known.extend(erase::keys_beside(self.connection, entity).unwrap_or_default());
        }
        let name = self.known.entry(entity).or_insert_with(|| format!("row {}", entity.0));
        name.clone()
    }
}
