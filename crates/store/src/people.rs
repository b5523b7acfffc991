//! What people did: decisions on links, waivers, registrations. Lines are added, never changed.

use chrono::{DateTime, Utc};
use domain::{Cause, Decision, Fingerprint, NonHuman, Signature, Waiver};
use ledger::Event;
use rusqlite::{Connection, params};

use crate::cells::{Cells, maybe_ms, ms};
use crate::{Refusal, Store, StoreError, entry};

/// A waiver that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWaiver {
    /// For which finding, over its reopenings.
    pub fingerprint: Fingerprint,
    /// Its cause now.
    pub cause: Cause,
    /// Its employment now.
    pub episode: u32,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub requested: Signature,
    /// When it shall end.
    pub expires_at: DateTime<Utc>,
}

impl NewWaiver {
    /// The waiver of this number, which nobody has approved yet.
    fn asked_as(self, id: i64) -> Waiver {
        let Self { fingerprint, cause, episode, reason, requested, expires_at } = self;
        let (approved, voided_at) = (None, None);
        Waiver {
            id,
            fingerprint,
            cause,
            episode,
            reason,
            requested,
            approved,
            expires_at,
            voided_at,
        }
    }
}

impl Store {
    /// Records decisions on whose accounts they are: all of them, or none. They count from the
    /// next run on.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn add_decisions(&self, decisions: Vec<Decision>) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("save decisions", move |connection| {
            let events: Vec<Event> = decisions.iter().map(Event::decided).collect();
            let first = entry::append(connection, signer.as_deref(), events)?;
            let mut insert = connection.prepare_cached(
                "INSERT INTO decision (app, account, identity_system, identity, is_owner, by, at_ms,
                                       reason, entry)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for (entry, decision) in (first..).zip(decisions) {
                insert.execute(params![
                    decision.app.as_str(),
                    decision.account,
                    decision.identity.0.as_str(),
                    decision.identity.1,
                    decision.is_owner,
                    decision.by,
                    ms(decision.at),
                    decision.reason,
                    entry.cast_signed(),
                ])?;
            }
            Ok(())
        })
        .await
    }

    /// Records that somebody asks for waivers, of all findings or of none, and returns their
    /// numbers. None is in force until somebody else approves it.
    ///
    /// # Errors
    ///
    /// [`Refusal::NeverInForce`] when one would end before it begins; [`StoreError`] when they
    /// cannot be saved.
    pub async fn add_waivers(&self, waivers: Vec<NewWaiver>) -> Result<Vec<i64>, StoreError> {
        if waivers.iter().any(|it| it.expires_at <= it.requested.at) {
            return Err(Refusal::NeverInForce.into());
        }
        let signer = self.signer.clone();
        self.write("save waivers", move |connection| {
            let (mut ids, mut events) = (Vec::new(), Vec::new());
            for waiver in waivers {
                let id = insert_waiver(connection, &waiver)?;
                events.push(Event::exception_requested(&waiver.asked_as(id)));
                ids.push(id);
            }
            entry::append(connection, signer.as_deref(), events)?;
            Ok(ids)
        })
        .await
    }

    /// Approves waivers: all of them, or none.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when there is none of such a number, when the approver asked for it, and when
    /// it is approved already, expired or void; [`StoreError`] when it cannot be saved.
    pub async fn approve_waivers(
        &self,
        ids: Vec<i64>,
        approved: Signature,
    ) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("approve waivers", move |connection| {
            let mut events = Vec::new();
            for id in ids {
                let waiver = approve(connection, id, &approved)?;
                events.push(Event::exception_approved(&waiver, &approved));
            }
            entry::append(connection, signer.as_deref(), events)?;
            Ok(())
        })
        .await
    }

    /// All waivers, in force or not, by number.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn waivers(&self) -> Result<Vec<Waiver>, StoreError> {
        self.read("read waivers", load_waivers).await
    }

    /// Registers accounts as non-human. A later registration of the same account replaces the
    /// earlier one, which stays on record.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when they cannot be saved; none of them is then.
    pub async fn register_nonhumans(
        &self,
        nonhumans: Vec<NonHuman>,
        by: Signature,
    ) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("register non-human accounts", move |connection| {
            let events: Vec<Event> =
                nonhumans.iter().map(|it| Event::registered(it, &by)).collect();
            entry::append(connection, signer.as_deref(), events)?;
            let mut insert = connection.prepare_cached(
                "INSERT INTO nonhuman (account, owner, purpose, attest_by_ms, by, at_ms, place)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for it in &nonhumans {
                let attest_by = maybe_ms(it.attest_by);
                insert.execute(params![
                    it.account,
                    it.owner,
                    it.purpose,
                    attest_by,
                    by.by,
                    ms(by.at),
                    by.place
                ])?;
            }
            Ok(())
        })
        .await
    }
}

fn insert_waiver(connection: &Connection, waiver: &NewWaiver) -> Result<i64, StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO waiver (fingerprint, cause, episode, reason, by, at_ms, place, expires_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            &waiver.fingerprint.0[..],
            waiver.cause.name(),
            waiver.episode,
            waiver.reason,
            waiver.requested.by,
            ms(waiver.requested.at),
            waiver.requested.place,
            ms(waiver.expires_at),
        ])?;
    Ok(connection.last_insert_rowid())
}

fn approve(connection: &Connection, id: i64, approved: &Signature) -> Result<Waiver, StoreError> {
    let waiver =
        select_waivers(connection, "w.id = ?1", id)?.pop().ok_or(Refusal::NoSuchWaiver(id))?;
    check_approval(&waiver, approved)?;
    connection
        .prepare_cached(
            "INSERT INTO waiver_approval (waiver, by, at_ms, place) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, approved.by, ms(approved.at), approved.place])?;
    Ok(waiver)
}

/// Two people have to agree, in time, on facts that still hold.
fn check_approval(waiver: &Waiver, approved: &Signature) -> Result<(), Refusal> {
    let id = waiver.id;
    if approved.is_by(&waiver.requested.by) {
        Err(Refusal::OwnRequest(id))
    } else if waiver.voided_at.is_some() {
        Err(Refusal::Void(id))
    } else if waiver.approved.is_some() {
        Err(Refusal::Approved(id))
    } else if waiver.expires_at <= approved.at {
        Err(Refusal::Expired(id))
    } else {
        Ok(())
    }
}

pub(crate) fn load_decisions(connection: &Connection) -> Result<Vec<Decision>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, app, account, identity_system, identity, is_owner, by, at_ms, reason, entry
         FROM decision ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut decisions = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "decision")?;
        decisions.push(Decision {
            app: cells.system("app")?,
            account: cells.str("account")?.into(),
            identity: (cells.system("identity_system")?, cells.str("identity")?.into()),
            is_owner: cells.int("is_owner")? == 1,
            by: cells.string("by")?,
            at: cells.time("at_ms")?,
            reason: cells.string("reason")?,
            entry: cells.maybe_int("entry")?.map(i64::cast_unsigned),
        });
    }
    Ok(decisions)
}

pub(crate) fn load_waivers(connection: &Connection) -> Result<Vec<Waiver>, StoreError> {
    select_waivers(connection, "w.id >= ?1", 0)
}

/// The condition is ours, never a text from outside.
fn select_waivers(
    connection: &Connection,
    condition: &str,
    value: i64,
) -> Result<Vec<Waiver>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT w.id, w.fingerprint, w.cause, w.episode, w.reason, w.by, w.at_ms, w.place,
                a.by, a.at_ms, a.place, w.expires_at_ms, v.at_ms
         FROM waiver w LEFT JOIN waiver_approval a ON a.waiver = w.id
                       LEFT JOIN waiver_void v ON v.waiver = w.id
         WHERE {condition} ORDER BY w.id"
    ))?;
    let mut rows = statement.query([value])?;
    let mut waivers = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "waiver")?;
        waivers.push(Waiver {
            id: cells.key(),
            fingerprint: Fingerprint(cells.bytes("fingerprint")?),
            cause: cells.name("cause", Cause::parse)?,
            episode: cells.count("episode")?,
            reason: cells.string("reason")?,
            requested: cells.signature()?,
            approved: cells.maybe_signature()?,
            expires_at: cells.time("expires_at_ms")?,
            voided_at: cells.maybe_time("waiver_void.at_ms")?,
        });
    }
    Ok(waivers)
}

pub(crate) fn insert_voids(
    connection: &Connection,
    voided: &[(i64, DateTime<Utc>)],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO waiver_void (waiver, at_ms) VALUES (?1, ?2) ON CONFLICT (waiver) DO NOTHING",
    )?;
    for (waiver, at) in voided {
        insert.execute([*waiver, ms(*at)])?;
    }
    Ok(())
}

pub(crate) fn load_nonhumans(connection: &Connection) -> Result<Vec<NonHuman>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, account, owner, purpose, attest_by_ms FROM nonhuman
         WHERE id IN (SELECT max(id) FROM nonhuman GROUP BY account) ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut nonhumans = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "nonhuman")?;
        nonhumans.push(NonHuman {
            account: cells.str("account")?.into(),
            owner: cells.maybe_text("owner")?,
            purpose: cells.maybe_text("purpose")?,
            attest_by: cells.maybe_time("attest_by_ms")?,
        });
    }
    Ok(nonhumans)
}
