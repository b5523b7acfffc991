//! Legal holds: whose rows are kept whatever anybody asks for. One person sets a hold; two lift it.

use chrono::{DateTime, Utc};
use domain::{EntityId, Signature, SystemId};
use ledger::{Broken, Event};
use rusqlite::{Connection, params};

use crate::cells::{Cells, ms};
use crate::said::Line;
use crate::{Refusal, Store, StoreError, entry};

/// A legal hold in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Its number.
    pub id: i64,
    /// What must be kept.
    pub on: HeldOn,
    /// Why it was set.
    pub reason: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked to lift it; `None`: nobody.
    pub lift_asked_by: Option<String>,
}

/// What a hold is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldOn {
    /// All rows of a person.
    Person {
        /// One of them.
        entity: EntityId,
        /// Its key, as `okta/00u1`.
        key: String,
    },
    /// Whoever had an account in an app, left it, or was found there, in a time.
    Period {
        /// The app.
        app: SystemId,
        /// The first instant.
        from: DateTime<Utc>,
        /// The first instant after it.
        to: DateTime<Utc>,
    },
}

impl Store {
    /// The legal holds in force, by number.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn legal_holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        self.read("read legal holds", in_force).await
    }

    /// Sets a hold on whom a row is about, and returns its number.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn set_legal_hold(
        &self,
        row: super::ErasureRow,
        reason: String,
        by: Signature,
    ) -> Result<i64, StoreError> {
        let signer = self.signer.clone();
        self.write("save a legal hold", move |connection| {
            let id = insert(connection, row.entity, &reason, &by)?;
            let event = Event::hold_set((id, &reason), super::who(&row.stream, &row.key), &by);
            entry::append(connection, signer.as_deref(), vec![event])?;
            Ok(id)
        })
        .await
    }

    /// Sets a hold on whatever is kept of an app and a time, and returns its number.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn set_legal_hold_on_period(
        &self,
        app: SystemId,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        reason: String,
        by: Signature,
    ) -> Result<i64, StoreError> {
        /// Of no row.
        const NOBODY: EntityId = EntityId(0);
        let signer = self.signer.clone();
        self.write("save a legal hold", move |connection| {
            let id = insert(connection, NOBODY, &reason, &by)?;
            connection
                .prepare_cached(
                    "INSERT INTO legal_hold_period (hold, app, from_ms, to_ms)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![id, app.as_str(), ms(from), ms(to)])?;
            let event = Event::hold_set_on_period((id, &reason), &app, (from, to), &by);
            entry::append(connection, signer.as_deref(), vec![event])?;
            Ok(id)
        })
        .await
    }

    /// Asks to lift a hold. It stays in force until somebody else approves.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when no such hold is in force, or that was asked for before.
    pub async fn ask_to_lift_hold(
        &self,
        id: i64,
        reason: String,
        by: Signature,
    ) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("ask to lift a legal hold", move |connection| {
            let hold = one(connection, id)?;
            if hold.lift_asked_by.is_some() {
                return Err(Refusal::LiftAsked(id).into());
            }
            connection
                .prepare_cached(
                    "INSERT INTO legal_hold_lift (hold, reason, by, at_ms, place)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![id, reason, by.by, ms(by.at), by.place])?;
            let event = Event::hold_lift_requested((id, &reason), &by);
            entry::append(connection, signer.as_deref(), vec![event]).map(drop)
        })
        .await
    }

    /// Lifts a hold as the second person.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when no such hold is in force, nobody asked, or the same person did.
    pub async fn approve_lift_of_hold(&self, id: i64, by: Signature) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("lift a legal hold", move |connection| {
            let hold = one(connection, id)?;
            let asked = hold.lift_asked_by.ok_or(Refusal::LiftNotAsked(id))?;
            if by.is_by(&asked) {
                return Err(Refusal::OwnLift(id).into());
            }
            connection
                .prepare_cached(
                    "INSERT INTO legal_hold_lifted (hold, by, at_ms, place) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![id, by.by, ms(by.at), by.place])?;
            let event = Event::hold_lifted(id, &by);
            entry::append(connection, signer.as_deref(), vec![event]).map(drop)
        })
        .await
    }
}

/// What people did about holds, in force or lifted, as the entries about it were made.
pub(crate) fn lines(connection: &Connection) -> Result<Vec<Line>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT h.id, h.entity, h.reason, h.by, h.at_ms, h.place, p.app, p.from_ms, p.to_ms,
                l.reason, l.by, l.at_ms, l.place, d.by, d.at_ms, d.place
         FROM legal_hold h LEFT JOIN legal_hold_period p ON p.hold = h.id
             LEFT JOIN legal_hold_lift l ON l.hold = h.id
             LEFT JOIN legal_hold_lifted d ON d.hold = h.id ORDER BY h.id",
    )?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "legal_hold")?;
        let (id, entity) = (cells.key(), cells.entity("entity")?);
        let reason = cells.string("reason")?;
        let by = cells.signature()?;
        let app = cells.maybe_name("app", |it| SystemId::parse(it).ok())?;
        let period = (cells.maybe_time("from_ms")?, cells.maybe_time("to_ms")?);
        let set = match (app, period, super::row_of(connection, entity)?) {
            (Some(app), (Some(from), Some(to)), None) => {
                Event::hold_set_on_period((id, &reason), &app, (from, to), &by)
            }
            (None, (None, None), Some((stream, key))) => {
                Event::hold_set((id, &reason), super::who(&stream, &key), &by)
            }
            _ => return Err(Broken::NotSaid { table: "legal_hold", id }.into()),
        };
        lines.push(("legal_hold", id, set));
        let reason = cells.maybe_text("legal_hold_lift.reason")?;
        if let Some(by) = cells.maybe_signature()? {
            let reason = reason.unwrap_or_default();
            lines.push(("legal_hold_lift", id, Event::hold_lift_requested((id, &reason), &by)));
        }
        if let Some(by) = cells.maybe_signature()? {
            lines.push(("legal_hold_lifted", id, Event::hold_lifted(id, &by)));
        }
    }
    Ok(lines)
}

fn insert(
    connection: &Connection,
    entity: EntityId,
    reason: &str,
    by: &Signature,
) -> Result<i64, StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO legal_hold (entity, reason, by, at_ms, place) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![entity.0, reason, by.by, ms(by.at), by.place])?;
    Ok(connection.last_insert_rowid())
}

fn one(connection: &Connection, id: i64) -> Result<LegalHold, StoreError> {
    let found = in_force(connection)?.into_iter().find(|it| it.id == id);
    found.ok_or_else(|| Refusal::NoSuchHold(id).into())
}

pub(crate) fn in_force(connection: &Connection) -> Result<Vec<LegalHold>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.id, p.app, p.from_ms, p.to_ms, h.entity, h.reason, h.by, h.at_ms, l.by
         FROM legal_hold h LEFT JOIN legal_hold_period p ON p.hold = h.id
             LEFT JOIN legal_hold_lift l ON l.hold = h.id
         WHERE h.id NOT IN (SELECT hold FROM legal_hold_lifted) ORDER BY h.id",
    )?;
    let mut rows = statement.query([])?;
    let mut holds = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "legal_hold")?;
        let id = cells.key();
        let app = cells.maybe_name("app", |it| SystemId::parse(it).ok())?;
        let period = (cells.maybe_time("from_ms")?, cells.maybe_time("to_ms")?);
        let entity = cells.entity("entity")?;
        let on = match (app, period) {
            (Some(app), (Some(from), Some(to))) => HeldOn::Period { app, from, to },
            _ => {
                let key = super::key_of(connection, entity)?.unwrap_or_default();
                HeldOn::Person { entity, key }
            }
        };
        holds.push(LegalHold {
            id,
            on,
            reason: cells.string("reason")?,
            by: cells.string("by")?,
            at: cells.time("at_ms")?,
            lift_asked_by: cells.maybe_text("legal_hold_lift.by")?.map(String::from),
        });
    }
    Ok(holds)
}
