//! Notices as they were decided, and what channels were told by them.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use domain::{
    Cause, DeliveryState, FindingId, Notice, NoticeId, NoticeItem, NotifyReason, PersonLabel,
    Severity, SlaOutcome, Text, Told,
};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::cells::{Cells, ms};
use crate::finding::json;
use crate::state::DeadChannel;

/// Tries in vain after which a channel counts as dead: one may be a hiccup.
pub(crate) const FAILURES_MAX: i64 = 2;

/// Writes notices with a pending delivery for each of their channels. What waits under the same key
/// for the same channel says less than the new one: it is not sent any more. What is due before the
/// new one stays due then. What was due already and was not sent is due with the new one: the hours
/// that it waited for are over. Only a digest whose time has come is not put off by the next one.
pub(crate) fn insert(connection: &Connection, notices: &[Notice]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO notice (key, reason, severity, app, run, at_ms, title, lines, findings, items)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut waits = connection.prepare_cached(
        "SELECT min(due_at_ms), min(first_due_ms) FROM delivery WHERE state = 'pending' AND channel = ?2
             AND notice IN (SELECT id FROM notice WHERE key = ?1)",
    )?;
    let mut supersede = connection.prepare_cached(
        "UPDATE delivery SET state = 'superseded', why = ?3
         WHERE state = 'pending' AND channel = ?2
             AND notice IN (SELECT id FROM notice WHERE key = ?1)",
    )?;
    let mut deliver = connection.prepare_cached(
        "INSERT INTO delivery (notice, channel, state, first_due_ms, due_at_ms, n_attempts)
         VALUES (?1, ?2, 'pending', ?3, ?4, 0)",
    )?;
    let mut person = connection.prepare_cached(
        "INSERT INTO notice_person (notice, finding, name, login) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for notice in notices {
        let findings: Vec<i64> = notice.findings.iter().map(|it| it.0).collect();
        let items: Vec<ItemJson> = notice.items.iter().map(ItemJson::of).collect();
        insert.execute(params![
            notice.key,
            notice.reason.name(),
            notice.severity.name(),
            notice.app.as_ref().map(|it| it.as_str()),
            notice.run.map(|it| it.0),
            ms(notice.at),
            notice.title,
            json(&notice.lines)?,
            json(&findings)?,
            json(&items)?,
        ])?;
        let id = connection.last_insert_rowid();
        for NoticeItem { finding, person: PersonLabel { name, login, .. }, .. } in &notice.items {
            if name.is_some() || login.is_some() {
                person.execute(params![id, finding.0, name, login])?;
            }
        }
        for (channel, due_at) in &notice.to {
            let waited: (Option<i64>, Option<i64>) = waits
                .query_row(params![notice.key, channel], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let why = format!("notice {id} says more");
            supersede.execute(params![notice.key, channel, why])?;
            let earlier = |waited: Option<i64>| waited.unwrap_or(i64::MAX).min(ms(*due_at));
            let is_still_due =
                |it: &i64| notice.reason == NotifyReason::Digest || *it > ms(notice.at);
            let due = earlier(waited.0.filter(is_still_due));
            deliver.execute(params![id, channel, earlier(waited.1), due])?;
        }
    }
    Ok(())
}

/// One notice. Its `to` is empty: deliveries are rows of their own.
pub(crate) fn read(connection: &Connection, id: NoticeId) -> Result<Option<Notice>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, key, reason, severity, app, run, at_ms, title, lines, findings, items
         FROM notice WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "notice")?;
    let mut notice = Notice {
        key: cells.str("key")?.into(),
        reason: cells.name("reason", NotifyReason::parse)?,
        severity: cells.name("severity", Severity::parse)?,
        app: cells.maybe_name("app", |it| domain::SystemId::parse(it).ok())?,
        run: cells.maybe_int("run")?.map(domain::RunId),
        at: cells.time("at_ms")?,
        title: cells.string("title")?,
        lines: cells.json("lines")?,
        findings: numbers(&mut cells)?,
        items: {
            let items: Vec<ItemJson> = cells.json("items")?;
            let items: Option<Vec<NoticeItem>> =
                items.into_iter().map(ItemJson::into_item).collect();
            items.ok_or_else(|| cells.corrupt("items"))?
        },
        to: Vec::new(),
    };
    let mut people = people(connection, id)?;
    for item in &mut notice.items {
        if let Some(person) = people.remove(&item.finding) {
            item.person = person;
        }
    }
    Ok(Some(notice))
}

pub(crate) fn numbers(cells: &mut Cells<'_, '_>) -> Result<Vec<FindingId>, StoreError> {
    let numbers: Vec<i64> = cells.json("findings")?;
    Ok(numbers.into_iter().map(FindingId).collect())
}

fn people(
    connection: &Connection,
    id: NoticeId,
) -> Result<FxHashMap<FindingId, PersonLabel>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT notice, finding, name, login FROM notice_person WHERE notice = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut people = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "notice_person")?;
        let finding = FindingId(cells.int("finding")?);
        let name = cells.maybe_text("name")?.map(String::from);
        let login = cells.maybe_text("login")?.map(String::from);
        people.insert(finding, PersonLabel { name, login, ..PersonLabel::default() });
    }
    Ok(people)
}

/// What channels were told, will be or may have been of what runs decide on, and is not over. What was
/// dropped or superseded before it was sent was not told.
pub(crate) fn load_told(connection: &Connection) -> Result<Vec<Told>, StoreError> {
    told(
        connection,
        "n.reason NOT IN ('digest', 'undelivered', 'report', 'test')
             AND (d.state IN ('pending', 'delivered') OR d.n_attempts > 0)",
    )
}

/// What channels were told, or will be, of others that do not take notices, and is not over.
pub(crate) fn load_outages(connection: &Connection) -> Result<Vec<Told>, StoreError> {
    let mut outages = told(
        connection,
        "n.key IN (SELECT key FROM notice WHERE reason = 'undelivered')
             AND (d.state IN ('pending', 'delivered') OR d.n_attempts > 0)",
    )?;
    outages.retain(|it| !it.was_only_tried);
    Ok(outages)
}

fn told(connection: &Connection, which: &str) -> Result<Vec<Told>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT n.id, n.key, d.channel, n.reason, n.severity, n.app, n.at_ms, n.findings, d.state,
                d.first_due_ms
         FROM notice n JOIN delivery d ON d.notice = n.id WHERE {which} ORDER BY n.id, d.id"
    ))?;
    let mut rows = statement.query([])?;
    let mut told: BTreeMap<(Text, Text), Told> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "notice")?;
        let one = Told {
            key: cells.str("key")?.into(),
            channel: cells.str("channel")?.into(),
            reason: cells.name("reason", NotifyReason::parse)?,
            severity: cells.name("severity", Severity::parse)?,
            app: cells.maybe_name("app", |it| domain::SystemId::parse(it).ok())?,
            last_at: cells.time("at_ms")?,
            findings: numbers(&mut cells)?,
            was_only_tried: false,
            first_due_at: DateTime::UNIX_EPOCH,
        };
        let state = cells.name("state", DeliveryState::parse)?;
        let first_due_at = cells.time("first_due_ms")?;
        add(&mut told, Told { first_due_at, ..one }, state);
    }
    Ok(told.into_values().collect())
}

/// Adds what a channel was told by one notice to what it was told under the same key before.
fn add(told: &mut BTreeMap<(Text, Text), Told>, one: Told, state: DeliveryState) {
    let place = (one.key.clone(), one.channel.clone());
    let is_told = matches!(state, DeliveryState::Pending | DeliveryState::Delivered);
    let before = told.remove(&place);
    if one.reason == NotifyReason::Resolved {
        // What was not even taken, and what was told of another channel, is called over once, taken or
        // not.
        let is_enough = |it: &Told| it.was_only_tried || it.reason == NotifyReason::Undelivered;
        let is_over =
            is_told || (state == DeliveryState::GivenUp && before.as_ref().is_some_and(is_enough));
        told.extend(before.filter(|_| !is_over).map(|it| (place, it)));
        return;
    }
    let of = match before {
        None => Told { was_only_tried: !is_told, ..one },
        Some(before) if !before.was_only_tried && !is_told => before,
        Some(before) => {
            let is_more = before.was_only_tried != is_told;
            let mut findings = if is_more { before.findings } else { Vec::new() };
            findings.extend(one.findings);
            findings.sort_unstable();
            findings.dedup();
            Told {
                severity: if is_more { before.severity.max(one.severity) } else { one.severity },
                last_at: one.last_at,
                was_only_tried: !is_told,
                findings,
                ..before
            }
        }
    };
    told.insert(place, of);
}

/// Channels whose last tries were all in vain.
pub(crate) fn load_dead(connection: &Connection) -> Result<Vec<DeadChannel>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT max(d.id), d.channel, count(*), d.why FROM delivery d
         WHERE d.state <> 'delivered' AND (d.state = 'given_up' OR d.n_attempts >= ?1)
             AND d.tried_at_ms > coalesce((SELECT max(tried_at_ms) FROM delivery g
                                           WHERE g.channel = d.channel AND g.state = 'delivered'), 0)
         GROUP BY d.channel ORDER BY d.channel",
    )?;
    let mut rows = statement.query([FAILURES_MAX])?;
    let mut dead = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        dead.push(DeadChannel {
            channel: cells.str("channel")?.into(),
            n_notices: cells.count("count(*)")?,
            why: cells.maybe_str("why")?.unwrap_or("it did not answer").to_owned(),
        });
    }
    Ok(dead)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemJson {
    finding: i64,
    cause: String,
    severity: String,
    subject: String,
    owners: Vec<String>,
    exposed_for_ms: Option<i64>,
    is_on: bool,
    sla: Option<String>,
    because: String,
    next_action: String,
}

impl ItemJson {
    fn of(item: &NoticeItem) -> Self {
        Self {
            finding: item.finding.0,
            cause: item.cause.name().to_owned(),
            severity: item.severity.name().to_owned(),
            subject: item.subject.clone(),
            owners: item.owners.clone(),
            exposed_for_ms: item.exposed_for.map(|it| it.num_milliseconds()),
            is_on: item.is_on,
            sla: item.sla.map(|it| it.name().to_owned()),
            because: item.because.clone(),
            next_action: item.next_action.clone(),
        }
    }

    fn into_item(self) -> Option<NoticeItem> {
        let sla = match self.sla {
            None => None,
            Some(name) => Some(SlaOutcome::parse(&name)?),
        };
        Some(NoticeItem {
            finding: FindingId(self.finding),
            cause: Cause::parse(&self.cause)?,
            severity: Severity::parse(&self.severity)?,
            subject: self.subject,
            owners: self.owners,
            person: PersonLabel::default(),
            exposed_for: self.exposed_for_ms.map(TimeDelta::milliseconds),
            is_on: self.is_on,
            sla,
            because: self.because,
            next_action: self.next_action,
        })
    }
}
