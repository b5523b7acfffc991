//! Backup, and checking the database against its own digests.

use std::collections::BTreeMap;
use std::path::Path;

use domain::{Digest, RunId, SnapshotId};
use ledger::ListSeen;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use crate::audit::{self, Held};
use crate::past::ends;
use crate::rows::{
    ErasedVersion, ShortHash, StoredRows, Which, each_kind, hashes, pack, read, read_erased, short,
};
use crate::snapshot::SnapshotLine;
use crate::{Store, StoreError, body, conclusion, erase, load, report, snapshot, tails};

/// Looks at one thing, and adds a sentence for each problem.
type Check = fn(&Connection, &mut Vec<String>) -> Result<(), StoreError>;

const CHECKS: [Check; 9] = [
    structure,
    tails::check,
    references,
    snapshots,
    told_lists,
    erasures,
    reports,
    body::verify,
    the_ledger,
];

impl Store {
    /// Copies the database to `to`, as one state, while it may be in use.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] when there is something at `to` already; otherwise what disks do.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        const DOING: &str = "back up the database to";
        let to = to.to_path_buf();
        // Made here and not by SQLite, so that nothing is ever written over.
        std::fs::File::create_new(&to).map_err(|error| StoreError::file(&to, DOING, error))?;
        let copied = to.clone();
        let result = self
            .read(DOING, move |connection| {
                // The copy comes from a snapshot of the database: no writer waits for it.
                let copy = connection.backup(rusqlite::MAIN_DB, &copied, None);
                copy.map_err(|error| StoreError::from(error).at(&copied, DOING))
            })
            .await;
        if result.is_err() {
            std::fs::remove_file(&to).ok(); // Half a copy is none.
        }
        result
    }

    /// Checks the whole database: SQLite's own structure, where each table ends, references, the
    /// count and digest of every snapshot from its rows and from the entry of its run, every report and raw row against its
    /// digest, and the ledger in itself. Returns what is wrong, a sentence each; empty when nothing
    /// is.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be read at all.
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.read("verify the database", |connection| {
            let mut problems = Vec::new();
            for check in CHECKS {
                // One check that fails does not spare the others.
                if let Err(error) = check(connection, &mut problems) {
                    problems.push(sentence(&error));
                }
            }
            Ok(problems)
        })
        .await
    }
}

/// The error with its causes.
fn sentence(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn structure(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            problems.push(format!("SQLite finds: {}", text.trim()));
        }
    }
    Ok(())
}

/// References: those that foreign keys hold, and those that are spared their cost.
fn references(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
        problems.push(format!("table `{from}` refers to a row of `{to}` that is not there"));
    }
    let others = [
        ("snapshot", "stream", "stream"),
        ("ended", "snapshot", "snapshot"),
        ("version_pack", "snapshot", "snapshot"),
        ("row_body", "run", "run"),
        ("link", "run", "run"),
        ("standing", "run", "run"),
    ];
    for (from, column, to) in others {
        let sql = format!(
            "SELECT count(*) FROM {from}
             WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {to})"
        );
        let n: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if n > 0 {
            problems
                .push(format!("table `{from}` refers to {n} rows of `{to}` that are not there"));
        }
    }
    entities(connection, problems)
}

/// Every row that something is said of.
fn entities(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let (known, later) = pack::entities(connection)?;
    let mut check = |from: &str, numbers: Vec<i64>| {
        let n = numbers.iter().filter(|it| !known.contains(it)).count();
        if n > 0 {
            problems.push(format!("table `{from}` refers to {n} rows of lists that are not there"));
        }
    };
    check("version_pack", later);
    let mut linked = Vec::new();
    conclusion::each_link(connection, |_, account, link| {
        linked.push(account.0);
        linked.extend(link.map(|it| it.0.0));
    })?;
    check("link", linked);
    let columns = [
        ("later_version", "entity"),
        ("account_use", "entity"),
        ("row_body", "entity"),
        ("standing", "entity"),
        ("episode", "entity"),
        ("finding", "subject_entity"),
    ];
    for (from, column) in columns {
        let sql = format!("SELECT {column} FROM {from} WHERE {column} IS NOT NULL");
        let mut statement = connection.prepare(&sql)?;
        let numbers = statement.query_map([], |row| row.get(0))?;
        check(from, numbers.collect::<Result<_, _>>()?);
    }
    Ok(())
}

/// Every snapshot's count and digest, from its rows.
fn snapshots(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let mut by_stream: BTreeMap<i64, Vec<SnapshotLine>> = BTreeMap::new();
    for line in snapshot::all(connection)? {
        by_stream.entry(line.stream).or_default().push(line);
    }
    for (stream, lines) in by_stream {
        let Some(list) = lines.first().map(|it| it.reference.stream.list) else { continue };
        let which = Which::Stream { stream, until: SnapshotId(i64::MAX) };
        let stored = read(connection, list, which)?;
        let ends = ends(connection, stream)?;
        let end = |version| ends.get(&version).copied();
        let erased = read_erased(connection, list, stream)?;
        let versions = spans(stored, erased, end, problems);
        for line in lines {
            check_snapshot(&line, &versions, problems);
        }
    }
    Ok(())
}

/// Every list, with the requests behind it, is one that the entry of its run tells of. An erasure
/// takes what names somebody out of the addresses of requests.
fn told_lists(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let mut by_run: BTreeMap<i64, Vec<SnapshotLine>> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT run FROM snapshot WHERE id = ?1")?;
    for line in snapshot::all(connection)? {
        let run = statement.query_row([line.reference.id.0], |row| row.get(0))?;
        by_run.entry(run).or_default().push(line);
    }
    let last_erasure = audit::last_erasure(connection)?;
    for (run, seq, told) in audit::lists_told(connection)? {
        let is_erased = last_erasure.is_some_and(|it| it > seq);
        let kept = by_run.get(&run).map_or(&[][..], Vec::as_slice);
        if kept.len() != told.len() {
            let (n_kept, n_told) = (kept.len(), told.len());
            problems
                .push(format!("run {run} has {n_kept} lists, and entry {seq} tells of {n_told}"));
        }
        for SnapshotLine { reference, .. } in kept {
            let requests = snapshot::read_requests(connection, reference.id)?;
            let seen = ListSeen { snapshot: reference, requests: &requests }.told();
            let is_seen = |told: &serde_json::Value| {
                let but = |name: &str| is_erased && name == "requests_sha256";
                let mut members = seen.as_object().into_iter().flatten();
                members.all(|(name, value)| but(name) || told.get(name) == Some(value))
            };
            if !told.iter().any(is_seen) {
                problems.push(format!(
                    "snapshot {} of {}, or a request behind it, is not the one that entry {seq} tells of",
                    reference.id.0, reference.stream
                ));
            }
        }
    }
    Ok(())
}

/// When a version was shown, and the hash of its row.
struct Span {
    from: SnapshotId,
    end: Option<SnapshotId>,
    hash: Digest,
}

/// The versions in order of key, with their hashes computed anew. Of those that were erased the hash
/// is left, and the key that gives its place.
fn spans(
    mut stored: StoredRows,
    erased: Vec<ErasedVersion>,
    end: impl Fn(i64) -> Option<SnapshotId>,
    problems: &mut Vec<String>,
) -> Vec<Span> {
    let mut span = |id: i64, from: SnapshotId, kept: ShortHash, hash: Digest| {
        if short(&hash) != kept {
            problems.push(format!("table `version_pack`, version {id} does not match its hash"));
        }
        Span { from, end: end(id), hash }
    };
    stored.sort();
    each_kind!(StoredRows, stored, versions => {
        let heads: Vec<_> =
            versions.iter().map(|it| (it.id, it.valid_from, it.hash, it.nth)).collect();
        let rows = StoredRows::from(versions).into_rows();
        let hashes = hashes(&rows);
        let hashed = heads.iter().zip(hashes).map(|(it, hash)| span(it.0, it.1, it.2, hash));
        if erased.is_empty() {
            return hashed.collect();
        }
        let places = (0..rows.len()).filter_map(|at| rows.key(at)).zip(&heads).map(|(key, it)| (key.to_string(), it.3, it.0));
        let mut placed: Vec<_> = places.zip(hashed).collect();
        placed.extend(erased.into_iter().map(|it| {
            let span = span(it.id, it.valid_from, it.kept, it.hash);
            ((it.key, it.nth, it.id), span)
        }));
        placed.sort_by(|one, other| one.0.cmp(&other.0));
        placed.into_iter().map(|it| it.1).collect()
    })
}

fn check_snapshot(line: &SnapshotLine, versions: &[Span], problems: &mut Vec<String>) {
    let SnapshotLine { reference, .. } = line;
    let id = reference.id;
    let leaves: Vec<Digest> = versions
        .iter()
        .filter(|it| it.from <= id && it.end.is_none_or(|end| end > id))
        .map(|it| it.hash)
        .collect();
    let n_found = leaves.len() as u64;
    if n_found != reference.n_rows {
        let n_rows = reference.n_rows;
        problems.push(format!(
            "snapshot {} of {} has {n_found} rows, not {n_rows}",
            id.0, reference.stream
        ));
    } else if ledger::root_of(leaves) != reference.digest {
        problems
            .push(format!("snapshot {} of {} does not match its digest", id.0, reference.stream));
    }
}

/// A row of which the hash alone is left is one that an erasure tells of, and the other way round.
fn erasures(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let told = erase::erased_lines(connection)?.into_values().flatten();
    let told: FxHashMap<i64, Digest> =
        told.filter(|it| it.what == "version").map(|it| (it.id, it.was)).collect();
    let found = erase::erased_versions(connection)?;
    let differ = found.iter().filter(|(id, hash)| told.get(id) != Some(*hash)).count()
        + told.keys().filter(|it| !found.contains_key(it)).count();
    if differ > 0 {
        problems.push(format!("{differ} rows were erased otherwise than the ledger tells"));
    }
    Ok(())
}

fn the_ledger(connection: &Connection, _: &mut Vec<String>) -> Result<(), StoreError> {
    audit::verify(connection, Held::default()).map(drop)
}

/// Every run has its report, and the report its digest.
fn reports(connection: &Connection, problems: &mut Vec<String>) -> Result<(), StoreError> {
    for point in load::runs(connection)? {
        let RunId(run) = point.id;
        match report::read(connection, point.id) {
            Ok(Some(_)) => {}
            Ok(None) => problems.push(format!("run {run} has no report")),
            Err(error) => problems.push(sentence(&error)),
        }
    }
    Ok(())
}
