//! Snapshots without their rows, the streams they belong to, and the requests behind them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    AsOf, AsOfBasis, Channel, Coverage, IdForm, List, Population, Proof, Request, RunId, Snapshot,
    SnapshotId, SnapshotRef, Stream, SystemId,
};
use rusqlite::{Connection, params};

use crate::cells::{Cells, maybe_ms, ms};
use crate::{Enrolled, Store, StoreError};

impl Store {
    /// The lists that were read by runs of a time, with its beginning and without its end, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn snapshots_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<(RunId, SnapshotRef)>, StoreError> {
        self.read("list snapshots", move |connection| between(connection, (from, to))).await
    }

    /// The requests or files behind a snapshot, in the order they were read. Empty for a number
    /// that no snapshot has.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn requests(&self, snapshot: SnapshotId) -> Result<Vec<Request>, StoreError> {
        self.read("read requests", move |connection| read_requests(connection, snapshot)).await
    }
}

/// The snapshots of runs that judged in a time, with its beginning and without its end, in order.
pub(crate) fn between(
    connection: &Connection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(RunId, SnapshotRef)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.id, s.run FROM snapshot s JOIN run r ON r.id = s.run
         WHERE r.now_ms >= ?1 AND r.now_ms < ?2 ORDER BY s.id",
    )?;
    let mut rows = statement.query([ms(from), ms(to)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "snapshot")?;
        let (id, run) = (SnapshotId(cells.key()), cells.run("run")?);
        let line = one(connection, id)?.ok_or_else(|| cells.corrupt("id"))?;
        found.push((run, line.reference));
    }
    Ok(found)
}

/// Every stream, by number.
pub(crate) fn streams(connection: &Connection) -> Result<BTreeMap<i64, Stream>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, system, list, channel FROM stream")?;
    let mut rows = statement.query([])?;
    let mut streams = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "stream")?;
        let stream = Stream {
            system: cells.system("system")?,
            list: cells.name("list", List::parse)?,
            channel: cells.maybe_name("channel", Channel::parse)?,
        };
        streams.insert(cells.key(), stream);
    }
    Ok(streams)
}

/// The number of a stream, a new one if it has none.
pub(crate) fn stream_id(connection: &Connection, stream: &Stream) -> Result<i64, StoreError> {
    let known = streams(connection)?;
    if let Some((id, _)) = known.iter().find(|(_, it)| *it == stream) {
        return Ok(*id);
    }
    connection
        .prepare_cached("INSERT INTO stream (system, list, channel) VALUES (?1, ?2, ?3)")?
        .execute(params![
            stream.system.as_str(),
            stream.list.name(),
            stream.channel.map(Channel::name)
        ])?;
    Ok(connection.last_insert_rowid())
}

/// Writes a snapshot and its requests, without its rows.
pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    stream: i64,
    snapshot: &Snapshot,
    enrolled: &Enrolled,
) -> Result<(), StoreError> {
    let reference = &enrolled.reference;
    let (proof, reason) = match &reference.coverage {
        Coverage::Complete(proof) => (Some(proof.name()), None),
        Coverage::Partial { reason } => (None, Some(reason)),
    };
    let notes = serde_json::Value::from(snapshot.notes.clone()).to_string();
    connection
        .prepare_cached(
            "INSERT INTO snapshot (id, run, stream, as_of_ms, as_of_basis, proof, partial_reason,
                                   population, id_form, held, n_rows, first_version, n_versions, digest,
                                   body_digest, notes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            reference.id.0,
            run.0,
            stream,
            ms(reference.as_of.at),
            reference.as_of.basis.name(),
            proof,
            reason,
            reference.population.name(),
            reference.id_form.map(IdForm::name),
            reference.held,
            reference.n_rows.cast_signed(),
            if enrolled.begun.is_empty() { 0 } else { enrolled.first_version },
            i64::try_from(enrolled.begun.len()).unwrap_or(i64::MAX),
            &reference.digest[..],
            &reference.body_digest[..],
            notes,
        ])?;
    for (nth, request) in (0_i64..).zip(&snapshot.requests) {
        insert_request(connection, reference.id, nth, request)?;
    }
    Ok(())
}

/// Writes requests of a run that are behind no snapshot.
pub(crate) fn insert_other_requests(
    connection: &Connection,
    run: RunId,
    requests: &[(SystemId, Request)],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO other_request (run, nth, system, method, url, status, n_bytes, sha256,
                                    date_ms, request_id, n_rows, duration_ms, waited_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for (nth, (system, request)) in (0_i64..).zip(requests) {
        insert.execute(params![
            run.0,
            nth,
            system.as_str(),
            request.method,
            request.url,
            request.status,
            request.n_bytes.cast_signed(),
            &request.sha256[..],
            maybe_ms(request.date),
            request.request_id,
            request.n_rows.cast_signed(),
            request.duration_ms.cast_signed(),
            request.waited_ms.cast_signed(),
        ])?;
    }
    Ok(())
}

fn insert_request(
    connection: &Connection,
    snapshot: SnapshotId,
    nth: i64,
    request: &Request,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO request (snapshot, nth, method, url, status, n_bytes, sha256, date_ms,
                                  request_id, n_rows, duration_ms, waited_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            snapshot.0,
            nth,
            request.method,
            request.url,
            request.status,
            request.n_bytes.cast_signed(),
            &request.sha256[..],
            maybe_ms(request.date),
            request.request_id,
            request.n_rows.cast_signed(),
            request.duration_ms.cast_signed(),
            request.waited_ms.cast_signed(),
        ])?;
    Ok(())
}

pub(crate) fn read_requests(
    connection: &Connection,
    snapshot: SnapshotId,
) -> Result<Vec<Request>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT snapshot, method, url, status, n_bytes, sha256, date_ms, request_id, n_rows, duration_ms,
                waited_ms
         FROM request WHERE snapshot = ?1 ORDER BY nth",
    )?;
    let mut rows = statement.query([snapshot.0])?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "request")?;
        requests.push(Request {
            method: cells.str("method")?.into(),
            url: cells.str("url")?.into(),
            status: match cells.maybe_int("status")? {
                None => None,
                Some(status) => Some(status.try_into().map_err(|_| cells.corrupt("status"))?),
            },
            n_bytes: cells.count("n_bytes")?,
            sha256: cells.digest("sha256")?,
            date: cells.maybe_time("date_ms")?,
            request_id: cells.maybe_text("request_id")?,
            n_rows: cells.count("n_rows")?,
            duration_ms: cells.count("duration_ms")?,
            waited_ms: cells.count("waited_ms")?,
        });
    }
    Ok(requests)
}

/// A snapshot as it is stored, beside its reference.
pub(crate) struct SnapshotLine {
    pub reference: SnapshotRef,
    /// Number of its stream.
    pub stream: i64,
    pub notes: Vec<String>,
}

/// All snapshots that `condition` lets through, in order. The condition is ours, never a text
/// from outside.
fn select(
    connection: &Connection,
    condition: &str,
    value: i64,
) -> Result<Vec<SnapshotLine>, StoreError> {
    let streams = streams(connection)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, stream, as_of_ms, as_of_basis, proof, partial_reason, population, id_form, held,
                n_rows, digest, body_digest, notes
         FROM snapshot WHERE {condition} ORDER BY id"
    ))?;
    let mut rows = statement.query([value])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "snapshot")?;
        let stream = cells.int("stream")?;
        let reference = SnapshotRef {
            id: SnapshotId(cells.key()),
            stream: streams.get(&stream).cloned().ok_or_else(|| cells.corrupt("stream"))?,
            as_of: AsOf {
                at: cells.time("as_of_ms")?,
                basis: cells.name("as_of_basis", AsOfBasis::parse)?,
            },
            coverage: {
                let proof = cells.maybe_name("proof", Proof::parse)?;
                match (proof, cells.maybe_str("partial_reason")?) {
                    (Some(proof), None) => Coverage::Complete(proof),
                    (None, Some(reason)) => Coverage::Partial { reason: reason.to_owned() },
                    _ => return Err(cells.corrupt("partial_reason")),
                }
            },
            population: cells.name("population", Population::parse)?,
            id_form: cells.maybe_name("id_form", IdForm::parse)?,
            held: cells.maybe_str("held")?.map(str::to_owned),
            n_rows: cells.count("n_rows")?,
            digest: cells.digest("digest")?,
            body_digest: cells.digest("body_digest")?,
        };
        lines.push(SnapshotLine { reference, stream, notes: cells.json("notes")? });
    }
    Ok(lines)
}

/// One snapshot; `None` when there is none of that number.
pub(crate) fn one(
    connection: &Connection,
    id: SnapshotId,
) -> Result<Option<SnapshotLine>, StoreError> {
    Ok(select(connection, "id = ?1", id.0)?.pop())
}

/// All snapshots of one stream, oldest first.
pub(crate) fn of_stream(
    connection: &Connection,
    stream: i64,
) -> Result<Vec<SnapshotLine>, StoreError> {
    select(connection, "stream = ?1", stream)
}

/// All snapshots, oldest first.
pub(crate) fn all(connection: &Connection) -> Result<Vec<SnapshotLine>, StoreError> {
    select(connection, "id >= ?1", 0)
}

/// The newest snapshot of each stream, and the newest whose absences count.
pub(crate) fn newest(connection: &Connection) -> Result<Vec<SnapshotLine>, StoreError> {
    select(
        connection,
        "?1 = 0 AND id IN (
             SELECT max(id) FROM snapshot GROUP BY stream
             UNION SELECT max(id) FROM snapshot WHERE proof IS NOT NULL AND held IS NULL GROUP BY stream
         )",
        0,
    )
}
