//! The leavers of every app as runs saw them. Lines are only added, and the newest of one leaver
//! holds. Never here: who has left, and whether that was in time.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Activity, Calendar, ClockStart, EntityId, FindingId, Interval, Leaver, LeaverAccount,
    LeaverClocks, LeaverKey, LeaverKind, LeaversBegin, List, RunId, SaidBy, SlaLimit, SlaOutcome,
    SlaResult, SlaTerms, SystemId, Tier,
};
use ledger::{Broken, Event, Kind};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cells::{Cells, maybe_ms, ms};
use crate::finding::{ExposureJson, json};
use crate::{Store, StoreError};

/// A leaver as the newest line has them.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaverLine {
    /// The run that wrote it.
    pub run: RunId,
    /// The entry of the ledger that says the same.
    pub entry: u64,
    /// The leaver, without what people call them: that is disclosed beside the entry alone.
    pub leaver: Leaver,
}

impl Store {
    /// Every leaver of every app, each as the newest run that saw something new of them; in order of
    /// first line.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a line is not what we write; otherwise what disks do.
    pub async fn leavers(&self) -> Result<Vec<LeaverLine>, StoreError> {
        self.read("read the leavers", load).await
    }

    /// Since when the leavers of each app are listed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a line is not what we write; otherwise what disks do.
    pub async fn leavers_begin(&self) -> Result<Vec<LeaversBegin>, StoreError> {
        self.read("read since when leavers are listed", load_begins).await
    }
}

/// Writes leavers that are new or changed, each with the entry that says so.
pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    leavers: &[(u64, Leaver)],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO leaver (run, entry, app, entity, episode, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (entry, leaver) in leavers {
        insert.execute(params![
            run.0,
            entry.cast_signed(),
            leaver.app.as_str(),
            leaver.person.entity.0,
            leaver.episode,
            json(&LeaverJson::of(leaver))?,
        ])?;
    }
    Ok(())
}

pub(crate) fn insert_begins(
    connection: &Connection,
    run: RunId,
    begins: &[LeaversBegin],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO leavers_begin (run, app, at_ms, n_left_out, since_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for it in begins {
        let n_left_out = it.n_left_out.cast_signed();
        insert.execute(params![run.0, it.app.as_str(), ms(it.at), n_left_out, ms(it.since)])?;
    }
    Ok(())
}

pub(crate) fn load(connection: &Connection) -> Result<Vec<LeaverLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, run, entry, app, entity, episode, record FROM leaver ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut lines: Vec<LeaverLine> = Vec::new();
    let mut places: FxHashMap<(String, i64, i64, u32), usize> = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "leaver")?;
        let (run, entry) = (cells.run("run")?, cells.count("entry")?);
        let (app, entity) = (cells.string("app")?, cells.int("entity")?);
        let episode = cells.int("episode")?;
        let record: LeaverJson = cells.json("record")?;
        let key = (app, entity, episode, record.leave);
        let app = SystemId::parse(&key.0).map_err(|_| cells.corrupt("app"))?;
        let entity = EntityId(key.1);
        let leaver = record.into_leaver(app, entity).ok_or_else(|| cells.corrupt("record"))?;
        let line = LeaverLine { run, entry, leaver };
        match places.get(&key).and_then(|at| lines.get_mut(*at)) {
            Some(older) => *older = line,
            None => {
                places.insert(key, lines.len());
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

pub(crate) fn load_begins(connection: &Connection) -> Result<Vec<LeaversBegin>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, app, at_ms, n_left_out, since_ms FROM leavers_begin ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut begins = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "leavers_begin")?;
        begins.push(read_begin(&mut cells)?);
    }
    Ok(begins)
}

/// Every line of a leaver is what the entry says that it names, and every entry about one, and about
/// since when an app's are listed, has its line.
pub(crate) fn check_told(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare(
        "SELECT l.id, l.entry, l.app, l.entity, l.record, r.id, r.now_ms
         FROM leaver l JOIN run r ON r.id = l.run ORDER BY l.entry",
    )?;
    let mut rows = statement.query([])?;
    let (found, changed) = (Kind::LeaverFound.name(), Kind::LeaverChanged.name());
    each_told(connection, [found, changed], |seq, told| {
        let table = "leaver";
        let Some(row) = rows.next()? else { return Err(Broken::Leaver { seq, table }.into()) };
        let mut cells = Cells::keyed(row, table)?;
        let entry: u64 = cells.count("entry")?;
        let (app, entity) = (cells.system("app")?, cells.entity("entity")?);
        let record: LeaverJson = cells.json("record")?;
        let leaver = record.into_leaver(app, entity).ok_or_else(|| cells.corrupt("record"))?;
        let at = (cells.run("run")?, cells.time("now_ms")?);
        let is_its = entry == seq && told.says(&Event::leaver(at, &leaver, true));
        if is_its { Ok(()) } else { Err(Broken::Leaver { seq: seq.min(entry), table }.into()) }
    })?;
    if let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>("entry")?.cast_unsigned();
        return Err(Broken::Leaver { seq, table: "leaver" }.into());
    }
    check_begins(connection)
}

fn check_begins(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare(
        "SELECT b.id, b.app, b.at_ms, b.n_left_out, b.since_ms, r.id, r.now_ms
         FROM leavers_begin b JOIN run r ON r.id = b.run ORDER BY b.id",
    )?;
    let mut rows = statement.query([])?;
    let (table, kind) = ("leavers_begin", Kind::LeaversListed.name());
    let mut last = 0;
    each_told(connection, [kind; 2], |seq, told| {
        last = seq;
        let Some(row) = rows.next()? else { return Err(Broken::Leaver { seq, table }.into()) };
        let mut cells = Cells::keyed(row, table)?;
        let begin = read_begin(&mut cells)?;
        let at = (cells.run("run")?, cells.time("now_ms")?);
        let is_its = told.says(&Event::leavers_listed(at, &begin));
        if is_its { Ok(()) } else { Err(Broken::Leaver { seq, table }.into()) }
    })?;
    match rows.next()? {
        Some(_) => Err(Broken::Leaver { seq: last, table }.into()),
        None => Ok(()),
    }
}

/// What an entry of a run says.
#[derive(Deserialize)]
struct Told {
    run: i64,
    at: String,
    body: Value,
}

impl Told {
    fn says(&self, event: &Event) -> bool {
        let is_of_run = event.run == Some(RunId(self.run)) && self.at.parse() == Ok(event.at);
        is_of_run && event.body == self.body
    }
}

/// Hands over every entry of these types in order.
fn each_told(
    connection: &Connection,
    kinds: [&str; 2],
    mut take: impl FnMut(u64, Told) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = "SELECT seq, entry FROM ledger_entry WHERE kind IN (?1, ?2) ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(kinds)?;
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "ledger_entry")?;
        let seq = cells.key().cast_unsigned();
        let told = serde_json::from_slice(cells.blob("entry")?);
        take(seq, told.map_err(|_| Broken::Altered { seq })?)?;
    }
    Ok(())
}

fn read_begin(cells: &mut Cells<'_, '_>) -> Result<LeaversBegin, StoreError> {
    Ok(LeaversBegin {
        app: cells.system("app")?,
        at: cells.time("at_ms")?,
        n_left_out: cells.count("n_left_out")?,
        since: cells.time("since_ms")?,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaverJson {
    system: String,
    list: String,
    key: String,
    episode: u32,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    leave: u32,
    kind: String,
    said_by: Vec<SaidByJson>,
    hr_termination_ms: Option<i64>,
    idp_deactivated_ms: Option<i64>,
    idp_unassigned_ms: Option<i64>,
    stated_end_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terms: Option<TermsJson>,
    started_earliest_ms: Option<i64>,
    started_latest_ms: Option<i64>,
    accounts: Vec<AccountJson>,
    sla: SlaJson,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<u64>,
    found_at_begin_ms: Option<i64>,
    returned_at_ms: Option<i64>,
    found_at_ms: i64,
}

const fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_first(leave: &u32) -> bool {
    *leave == first()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidByJson {
    system: String,
    list: String,
    key: String,
    at_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_back_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was_back_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountJson {
    key: String,
    entity: i64,
    tier: Option<String>,
    activity: String,
    #[serde(default, rename = "n_quiet", skip_serializing)]
    _n_quiet: usize, // Written by earlier versions.
    stretches: Vec<ExposureJson>,
    findings: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlaJson {
    outcome: String,
    clock: String,
    deadline_ms: Option<i64>,
    limit: String,
    policy_version: u32,
    because: String,
}

/// What a leaver is held to. One of the two limits is there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsJson {
    clock: String,
    policy_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    business_days: Option<u32>,
    zone: String,
    workdays: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holidays: Vec<String>,
}

impl TermsJson {
    fn of(it: &SlaTerms) -> Self {
        let (span_ms, business_days) = match it.limit {
            SlaLimit::Span(span) => (Some(span.num_milliseconds()), None),
            SlaLimit::BusinessDays(n) => (None, Some(n)),
        };
        Self {
            clock: it.clock.to_string(),
            policy_version: it.policy_version,
            span_ms,
            business_days,
            zone: it.calendar.zone.name().to_owned(),
            workdays: it.calendar.workdays.iter().map(ToString::to_string).collect(),
            holidays: it.calendar.holidays.iter().map(ToString::to_string).collect(),
        }
    }

    fn into_terms(self) -> Option<SlaTerms> {
        let limit = match (self.span_ms, self.business_days) {
            (Some(ms), None) => SlaLimit::Span(TimeDelta::try_milliseconds(ms)?),
            (None, Some(n)) => SlaLimit::BusinessDays(n),
            _ => return None,
        };
        Some(SlaTerms {
            clock: ClockStart::parse(&self.clock)?,
            limit,
            calendar: Calendar {
                zone: self.zone.parse().ok()?,
                workdays: self.workdays.iter().map(|it| it.parse().ok()).collect::<Option<_>>()?,
                holidays: self.holidays.iter().map(|it| it.parse().ok()).collect::<Option<_>>()?,
            },
            policy_version: self.policy_version,
        })
    }
}

impl LeaverJson {
    fn of(it: &Leaver) -> Self {
        Self {
            system: it.person.system.to_string(),
            list: it.person.list.to_string(),
            key: it.person.key.to_string(),
            episode: it.episode,
            leave: it.leave,
            kind: it.kind.to_string(),
            said_by: it.said_by.iter().map(SaidByJson::of).collect(),
            hr_termination_ms: maybe_ms(it.clocks.hr_termination_at),
            idp_deactivated_ms: maybe_ms(it.clocks.idp_deactivated_at),
            idp_unassigned_ms: maybe_ms(it.clocks.idp_unassigned_at),
            stated_end_ms: maybe_ms(it.clocks.stated_end_at),
            terms: it.terms.as_ref().map(TermsJson::of),
            started_earliest_ms: maybe_ms(it.started.earliest),
            started_latest_ms: maybe_ms(it.started.latest),
            accounts: it.accounts.iter().map(AccountJson::of).collect(),
            sla: SlaJson {
                outcome: it.sla.outcome.to_string(),
                clock: it.sla.clock.to_string(),
                deadline_ms: maybe_ms(it.sla.deadline_at),
                limit: it.sla.limit.clone(),
                policy_version: it.sla.policy_version,
                because: it.sla.because.clone(),
            },
            decisions: it.decisions.clone(),
            found_at_begin_ms: maybe_ms(it.found_at_begin),
            returned_at_ms: maybe_ms(it.returned_at),
            found_at_ms: ms(it.found_at),
        }
    }

    fn into_leaver(self, app: SystemId, entity: EntityId) -> Option<Leaver> {
        Some(Leaver {
            app,
            person: LeaverKey {
                system: SystemId::parse(&self.system).ok()?,
                list: List::parse(&self.list)?,
                key: self.key.as_str().into(),
                entity,
            },
            episode: self.episode,
            leave: self.leave,
            kind: LeaverKind::parse(&self.kind)?,
            said_by: self
                .said_by
                .into_iter()
                .map(SaidByJson::into_said_by)
                .collect::<Option<_>>()?,
            clocks: LeaverClocks {
                hr_termination_at: time(self.hr_termination_ms)?,
                idp_deactivated_at: time(self.idp_deactivated_ms)?,
                idp_unassigned_at: time(self.idp_unassigned_ms)?,
                stated_end_at: time(self.stated_end_ms)?,
            },
            terms: match self.terms {
                None => None,
                Some(terms) => Some(terms.into_terms()?),
            },
            started: Interval {
                earliest: time(self.started_earliest_ms)?,
                latest: time(self.started_latest_ms)?,
            },
            accounts: self
                .accounts
                .into_iter()
                .map(AccountJson::into_account)
                .collect::<Option<_>>()?,
            sla: SlaResult {
                outcome: SlaOutcome::parse(&self.sla.outcome)?,
                clock: ClockStart::parse(&self.sla.clock)?,
                deadline_at: time(self.sla.deadline_ms)?,
                limit: self.sla.limit,
                policy_version: self.sla.policy_version,
                because: self.sla.because,
            },
            decisions: self.decisions,
            found_at_begin: time(self.found_at_begin_ms)?,
            returned_at: time(self.returned_at_ms)?,
            found_at: DateTime::from_timestamp_millis(self.found_at_ms)?,
            name: None,
            login: None,
        })
    }
}

impl SaidByJson {
    fn of(it: &SaidBy) -> Self {
        let (system, list) = (it.system.to_string(), it.list.to_string());
        Self {
            system,
            list,
            key: it.key.to_string(),
            at_ms: maybe_ms(it.at),
            heard_ms: maybe_ms(it.heard_at),
            taken_back_ms: maybe_ms(it.taken_back_at),
            was_back_ms: maybe_ms(it.was_back_at),
        }
    }

    fn into_said_by(self) -> Option<SaidBy> {
        let (system, list) = (SystemId::parse(&self.system).ok()?, List::parse(&self.list)?);
        Some(SaidBy {
            system,
            list,
            key: self.key.as_str().into(),
            at: time(self.at_ms)?,
            heard_at: time(self.heard_ms)?,
            taken_back_at: time(self.taken_back_ms)?,
            was_back_at: time(self.was_back_ms)?,
        })
    }
}

impl AccountJson {
    fn of(it: &LeaverAccount) -> Self {
        Self {
            key: it.key.to_string(),
            entity: it.entity.0,
            tier: it.tier.map(|it| it.to_string()),
            activity: it.activity.to_string(),
            _n_quiet: 0,
            stretches: it.stretches.iter().map(ExposureJson::of).collect(),
            findings: it.findings.iter().map(|it| it.0).collect(),
        }
    }

    fn into_account(self) -> Option<LeaverAccount> {
        let tier = match self.tier {
            None => None,
            Some(name) => Some(Tier::parse(&name)?),
        };
        let stretches = self.stretches.into_iter().map(ExposureJson::into_exposure);
        Some(LeaverAccount {
            key: self.key.as_str().into(),
            entity: EntityId(self.entity),
            tier,
            activity: Activity::parse(&self.activity)?,
            stretches: stretches.collect::<Option<_>>()?,
            findings: self.findings.into_iter().map(FindingId).collect(),
        })
    }
}

/// A time as it was written; `None`: it is none.
fn time(ms: Option<i64>) -> Option<Option<DateTime<Utc>>> {
    match ms {
        None => Some(None),
        Some(ms) => DateTime::from_timestamp_millis(ms).map(Some),
    }
}
