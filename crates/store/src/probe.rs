//! Probes: what was asked for is kept before anything is sent, and what came of it afterwards.

use domain::{
    Channel, DeprovisionSeen, DeprovisionWitness, Deprovisioned, Probe, ProbeEnd, ProbeRequest,
    Signature, SystemId, Text,
};
use ledger::Event;
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::{Store, StoreError, deprovision, entry};

impl Store {
    /// Keeps that somebody asked for a probe, with its entry in the ledger. Nothing may be sent before.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn begin_probe(
        &self,
        app: SystemId,
        account: Text,
        asked: Signature,
    ) -> Result<Probe, StoreError> {
        let signer = self.signer.clone();
        self.write("save a probe", move |connection| {
            let sql = "INSERT INTO probe (app, account, by, place, at_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![app.as_str(), account, asked.by, asked.place, ms(asked.at)];
            connection.prepare_cached(sql)?.execute(row)?;
            let probe = Probe { id: connection.last_insert_rowid(), app, account, asked };
            entry::append(connection, signer.as_deref(), vec![Event::probe_begun(&probe)])?;
            Ok(probe)
        })
        .await
    }

    /// Keeps what came of it, with every request and its entry in the ledger.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn end_probe(&self, probe: Probe, end: ProbeEnd) -> Result<(), StoreError> {
        let (signer, end) = (self.signer.clone(), end.to_the_millisecond());
        self.write("save what came of a probe", move |connection| {
            insert_end(connection, &probe, &end)?;
            entry::append(connection, signer.as_deref(), vec![Event::probe_ended(&probe, &end)])
                .map(drop)
        })
        .await
    }

    /// All probes, each with what came of it; `None`: it was cut off.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn probes(&self) -> Result<Vec<(Probe, Option<ProbeEnd>)>, StoreError> {
        self.read("read probes", load).await
    }
}

fn insert_end(connection: &Connection, probe: &Probe, end: &ProbeEnd) -> Result<(), StoreError> {
    let sql = "INSERT INTO probe_end (probe, ended_ms, behaviour, outcome, is_back_on)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let behaviour = end.behaviour.map(Deprovisioned::name);
    let row = params![probe.id, ms(end.at), behaviour, end.outcome, end.is_back_on];
    connection.prepare_cached(sql)?.execute(row)?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO probe_request (probe, method, url, status, n_bytes, body_sha256, sent_sha256, sent_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for it in &end.requests {
        let sent = it.sent_sha256.as_ref().map(|it| &it[..]);
        insert.execute(params![
            probe.id,
            it.method,
            it.url,
            it.status,
            it.n_bytes.cast_signed(),
            &it.sha256[..],
            sent,
            ms(it.at)
        ])?;
    }
    let seen = end.behaviour.map(|behaviour| DeprovisionSeen {
        app: probe.app.clone(),
        channel: Channel::Scim,
        account: probe.account.clone(),
        behaviour,
        at: end.at,
        by: DeprovisionWitness::Probe(probe.id),
    });
    deprovision::insert(connection, seen.as_slice())
}

pub(crate) fn load(connection: &Connection) -> Result<Vec<(Probe, Option<ProbeEnd>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, app, account, by, place, at_ms, ended_ms, behaviour, outcome, is_back_on
         FROM probe LEFT JOIN probe_end ON probe_end.probe = probe.id ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut probes = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "probe")?;
        let probe = Probe {
            id: cells.key(),
            app: cells.system("app")?,
            account: cells.str("account")?.into(),
            asked: Signature {
                by: cells.string("by")?,
                place: cells.string("place")?,
                at: cells.time("at_ms")?,
            },
        };
        let end = match cells.maybe_time("ended_ms")? {
            Some(at) => Some(ProbeEnd {
                at,
                behaviour: cells.maybe_name("behaviour", Deprovisioned::parse)?,
                outcome: cells.string("outcome")?,
                is_back_on: cells.int("is_back_on")? != 0,
                requests: requests(connection, probe.id)?,
            }),
            None => None,
        };
        probes.push((probe, end));
    }
    Ok(probes)
}

fn requests(connection: &Connection, probe: i64) -> Result<Vec<ProbeRequest>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, method, url, status, n_bytes, body_sha256, sent_sha256, sent_ms
         FROM probe_request WHERE probe = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([probe])?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "probe_request")?;
        let (method, url) = (cells.str("method")?.into(), cells.str("url")?.into());
        let status = cells.maybe_int("status")?.map(u16::try_from).transpose();
        let status = status.map_err(|_| cells.corrupt("status"))?;
        let (n_bytes, sha256) = (cells.count("n_bytes")?, cells.digest("body_sha256")?);
        let sent = cells.maybe_blob("sent_sha256")?.map(TryInto::try_into).transpose();
        let sent_sha256 = sent.map_err(|_| cells.corrupt("sent_sha256"))?;
        let at = cells.time("sent_ms")?;
        requests.push(ProbeRequest { method, url, status, n_bytes, sha256, sent_sha256, at });
    }
    Ok(requests)
}
