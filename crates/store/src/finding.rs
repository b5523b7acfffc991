//! Findings as they stand, and what happened to them.

use chrono::{DateTime, Utc};
use domain::{
    Cause, Change, Channel, Direction, EntityId, Exposure, Finding, FindingEvent, FindingId,
    FindingState, Fingerprint, Interval, List, Look, Resolution, Severity, Stream, Subject,
    SubjectKind, SystemId,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::cells::{Cells, maybe_ms, ms};
use crate::overwritten::{self, Overwritten};
use crate::{Store, StoreError};

impl Store {
    /// All findings that live, and the latest of each that is over; by number.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        self.read("read findings", load).await
    }

    /// Every finding that there ever was of an app, by number.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn findings_of(&self, app: SystemId) -> Result<Vec<Finding>, StoreError> {
        self.read("read the findings of an app", move |connection| {
            let mut findings = select(connection, "f.id >= ?1", 0)?;
            findings.retain(|it| it.app == app);
            Ok(findings)
        })
        .await
    }

    /// What happened to a finding, oldest first. Empty for a number that no finding has.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn finding_events(
        &self,
        finding: FindingId,
    ) -> Result<Vec<FindingEvent>, StoreError> {
        self.read("read the events of a finding", move |connection| events(connection, finding))
            .await
    }
}

/// What becomes of findings.
#[derive(Clone, Debug, Default)]
pub struct FindingChanges {
    /// Those that are new or changed.
    pub changed: Vec<Finding>,
    /// Those that are as they were: when they were seen before, and again.
    pub seen_again: Vec<(FindingId, DateTime<Utc>, DateTime<Utc>)>,
}

/// Writes what becomes of findings, and keeps what it writes over. Of one that was only seen again,
/// only that is written.
pub(crate) fn save(connection: &Connection, changes: &FindingChanges) -> Result<(), StoreError> {
    let mut overwritten = Overwritten::default();
    for (id, before, seen_at) in &changes.seen_again {
        save_seen(connection, *id, *seen_at)?;
        overwritten.add_seen(*id, *before, *seen_at);
    }
    for finding in &changes.changed {
        let before = overwritten::columns(connection, finding.id)?;
        upsert(connection, finding)?;
        save_seen(connection, finding.id, finding.last_seen_at)?;
        if let Some(before) = before
            && let Some(after) = overwritten::columns(connection, finding.id)?
        {
            overwritten.add(finding.id, before, &after);
        }
    }
    overwritten.keep(connection)
}

fn save_seen(
    connection: &Connection,
    id: FindingId,
    seen_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO finding_seen (finding, last_seen_at_ms) VALUES (?1, ?2)
             ON CONFLICT (finding) DO UPDATE SET last_seen_at_ms = excluded.last_seen_at_ms",
        )?
        .execute([id.0, ms(seen_at)])?;
    Ok(())
}

fn upsert(connection: &Connection, finding: &Finding) -> Result<(), StoreError> {
    let looks: Vec<LookJson> = finding.looks.iter().map(LookJson::of).collect();
    let exposures: Vec<ExposureJson> = finding.exposures.iter().map(ExposureJson::of).collect();
    connection
        .prepare_cached(
            "INSERT INTO finding (id, fingerprint, app, subject_kind, subject_system, subject_key,
                 subject_entity, cause, severity, state, episode, detected_at_ms, detected_run, looks,
                 clock_from_ms, grace_until_ms, opened_at_ms, resolved_at_ms, resolution,
                 state_until_ms, exposures, n_reopened, owner, breached_at_ms, held)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                 ?19, ?20, ?21, ?22, ?23, ?24, ?25)
             ON CONFLICT (id) DO UPDATE SET fingerprint = ?2, app = ?3, subject_kind = ?4,
                 subject_system = ?5, subject_key = ?6, subject_entity = ?7, cause = ?8,
                 severity = ?9, state = ?10, episode = ?11, detected_at_ms = ?12, detected_run = ?13,
                 looks = ?14, clock_from_ms = ?15, grace_until_ms = ?16, opened_at_ms = ?17,
                 resolved_at_ms = ?18, resolution = ?19, state_until_ms = ?20, exposures = ?21,
                 n_reopened = ?22, owner = ?23, breached_at_ms = ?24, held = ?25",
        )?
        .execute(params![
            finding.id.0,
            &finding.fingerprint.0[..],
            finding.app.as_str(),
            finding.subject.kind.name(),
            finding.subject.system.as_str(),
            finding.subject.key,
            finding.subject.entity.0,
            finding.cause.name(),
            finding.severity.name(),
            finding.state.name(),
            finding.episode,
            ms(finding.detected_at),
            finding.detected_run.0,
            json(&looks)?,
            ms(finding.clock_from),
            ms(finding.grace_until),
            maybe_ms(finding.opened_at),
            maybe_ms(finding.resolved_at),
            finding.resolution.map(Resolution::name),
            maybe_ms(finding.state_until),
            json(&exposures)?,
            finding.n_reopened,
            finding.owner.map(|it| it.0),
            maybe_ms(finding.breached_at),
            finding.held.map(Direction::name),
        ])?;
    Ok(())
}

/// All that live, and the latest resolved one of each fingerprint; by number.
pub(crate) fn load(connection: &Connection) -> Result<Vec<Finding>, StoreError> {
    select(
        connection,
        "?1 = 0 AND (f.state NOT IN ('resolved', 'false_positive')
             OR f.id IN (SELECT max(id) FROM finding GROUP BY fingerprint))",
        0,
    )
}

/// The finding of that number; `None` when there is none.
pub(crate) fn one(connection: &Connection, id: FindingId) -> Result<Option<Finding>, StoreError> {
    Ok(select(connection, "f.id = ?1", id.0)?.pop())
}

/// The condition is ours, never a text from outside.
pub(crate) fn select(
    connection: &Connection,
    condition: &str,
    value: i64,
) -> Result<Vec<Finding>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT f.id, f.fingerprint, f.app, f.subject_kind, f.subject_system, f.subject_key,
                f.subject_entity, f.cause, f.severity, f.state, f.episode, f.detected_at_ms,
                f.detected_run, f.looks, f.clock_from_ms, f.grace_until_ms, f.opened_at_ms,
                f.resolved_at_ms, f.resolution, f.state_until_ms, s.last_seen_at_ms, f.exposures,
                f.n_reopened, f.owner, f.breached_at_ms, f.held
         FROM finding f JOIN finding_seen s ON s.finding = f.id WHERE {condition} ORDER BY f.id"
    ))?;
    let mut rows = statement.query([value])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        findings.push(read(&mut Cells::keyed(row, "finding")?)?);
    }
    Ok(findings)
}

fn read(cells: &mut Cells<'_, '_>) -> Result<Finding, StoreError> {
    Ok(Finding {
        id: FindingId(cells.key()),
        fingerprint: Fingerprint(cells.bytes("fingerprint")?),
        app: cells.system("app")?,
        subject: Subject {
            kind: cells.name("subject_kind", SubjectKind::parse)?,
            system: cells.system("subject_system")?,
            key: cells.str("subject_key")?.into(),
            entity: cells.entity("subject_entity")?,
        },
        cause: cells.name("cause", Cause::parse)?,
        severity: cells.name("severity", Severity::parse)?,
        state: cells.name("state", FindingState::parse)?,
        episode: cells.count("episode")?,
        detected_at: cells.time("detected_at_ms")?,
        detected_run: cells.run("detected_run")?,
        looks: {
            let looks: Vec<LookJson> = cells.json("looks")?;
            let looks: Option<Vec<Look>> = looks.into_iter().map(LookJson::into_look).collect();
            looks.ok_or_else(|| cells.corrupt("looks"))?
        },
        clock_from: cells.time("clock_from_ms")?,
        grace_until: cells.time("grace_until_ms")?,
        opened_at: cells.maybe_time("opened_at_ms")?,
        resolved_at: cells.maybe_time("resolved_at_ms")?,
        resolution: cells.maybe_name("resolution", Resolution::parse)?,
        state_until: cells.maybe_time("state_until_ms")?,
        last_seen_at: cells.time("last_seen_at_ms")?,
        exposures: {
            let exposures: Vec<ExposureJson> = cells.json("exposures")?;
            let exposures: Option<Vec<Exposure>> =
                exposures.into_iter().map(ExposureJson::into_exposure).collect();
            exposures.ok_or_else(|| cells.corrupt("exposures"))?
        },
        n_reopened: cells.count("n_reopened")?,
        owner: cells.maybe_int("owner")?.map(EntityId),
        breached_at: cells.maybe_time("breached_at_ms")?,
        held: cells.maybe_name("held", Direction::parse)?,
    })
}

pub(crate) fn insert_events(
    connection: &Connection,
    events: &[FindingEvent],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO finding_event (finding, at_ms, run, change, cause, severity, state, because)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for event in events {
        insert.execute(params![
            event.finding.0,
            ms(event.at),
            event.run.map(|it| it.0),
            event.change.name(),
            event.cause.name(),
            event.severity.name(),
            event.state.name(),
            event.because,
        ])?;
    }
    Ok(())
}

fn events(connection: &Connection, finding: FindingId) -> Result<Vec<FindingEvent>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, finding, at_ms, run, change, cause, severity, state, because
         FROM finding_event WHERE finding = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([finding.0])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "finding_event")?;
        events.push(FindingEvent {
            finding: FindingId(cells.int("finding")?),
            at: cells.time("at_ms")?,
            run: cells.maybe_int("run")?.map(domain::RunId),
            change: cells.name("change", Change::parse)?,
            cause: cells.name("cause", Cause::parse)?,
            severity: cells.name("severity", Severity::parse)?,
            state: cells.name("state", FindingState::parse)?,
            because: cells.string("because")?,
        });
    }
    Ok(events)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)).into())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LookJson {
    system: String,
    list: String,
    channel: Option<String>,
    as_of_ms: i64,
    is_assumed: bool,
    body_digest: String,
}

impl LookJson {
    fn of(look: &Look) -> Self {
        Self {
            system: look.stream.system.to_string(),
            list: look.stream.list.to_string(),
            channel: look.stream.channel.map(|it| it.to_string()),
            as_of_ms: ms(look.as_of),
            is_assumed: look.is_assumed,
            body_digest: Fingerprint(look.body_digest).to_string(),
        }
    }

    fn into_look(self) -> Option<Look> {
        let channel = match self.channel {
            None => None,
            Some(name) => Some(Channel::parse(&name)?),
        };
        Some(Look {
            stream: Stream {
                system: SystemId::parse(&self.system).ok()?,
                list: List::parse(&self.list)?,
                channel,
            },
            as_of: DateTime::from_timestamp_millis(self.as_of_ms)?,
            is_assumed: self.is_assumed,
            body_digest: unhex(&self.body_digest)?,
        })
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let is_whole = text.len() == 64 && text.is_ascii();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    is_whole.then_some(bytes)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExposureJson {
    started_earliest_ms: Option<i64>,
    started_latest_ms: Option<i64>,
    last_seen_active_ms: Option<i64>,
    first_seen_inactive_ms: Option<i64>,
}

impl ExposureJson {
    pub(crate) fn of(exposure: &Exposure) -> Self {
        Self {
            started_earliest_ms: maybe_ms(exposure.started.earliest),
            started_latest_ms: maybe_ms(exposure.started.latest),
            last_seen_active_ms: maybe_ms(exposure.last_seen_active),
            first_seen_inactive_ms: maybe_ms(exposure.first_seen_inactive),
        }
    }

    pub(crate) fn into_exposure(self) -> Option<Exposure> {
        fn time(ms: Option<i64>) -> Option<Option<DateTime<Utc>>> {
            match ms {
                None => Some(None),
                Some(ms) => DateTime::from_timestamp_millis(ms).map(Some),
            }
        }
        Some(Exposure {
            started: Interval {
                earliest: time(self.started_earliest_ms)?,
                latest: time(self.started_latest_ms)?,
            },
            last_seen_active: time(self.last_seen_active_ms)?,
            first_seen_inactive: time(self.first_seen_inactive_ms)?,
        })
    }
}
