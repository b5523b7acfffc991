//! Sets what people did, as tables keep it, against the entries that tell of it. A line that somebody
//! put there by hand has no entry, and the entry of one that somebody took out has no line. Never
//! changes either.

use chrono::{DateTime, Utc};
use domain::{FindingId, NonHuman, RunId, Word};
use ledger::{Actor, Broken, Event, Kind};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cells::Cells;
use crate::{StoreError, entry, erase, guard, people, probe};

/// An entry about what a person did, with what is disclosed of it.
pub(crate) struct SaidTold {
    seq: u64,
    kind: String,
    at: DateTime<Utc>,
    body: Map<String, Value>,
    facts: Vec<(String, Value)>,
}

/// Whether a line of a table is behind entries of a type.
pub(crate) fn is_said(kind: &str) -> bool {
    let whole = ["register.changed", "match.changed"];
    let families = ["exception.", "release.", "finding.", "hold.", "probe."];
    whole.contains(&kind) || families.iter().any(|it| kind.starts_with(it))
}

impl SaidTold {
    /// `None`: a run wrote it, and no line is behind it; or it is of another form.
    pub(crate) fn read(seq: u64, entry: &[u8], facts: Vec<(String, Value)>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "type")]
            kind: String,
            at: String,
            actor: String,
        }
        #[derive(Deserialize)]
        struct Body {
            body: Map<String, Value>,
        }
        // Nearly every entry is a run's, and its body is not looked at.
        let Head { kind, at, actor } = serde_json::from_slice(entry).ok()?;
        if actor == "driftline" && kind != Kind::ExceptionVoided.name() {
            return None;
        }
        let Body { body } = serde_json::from_slice(entry).ok()?;
        let at = at.parse().ok()?;
        Some(Self { seq, kind, at, body, facts })
    }

    /// Whether it tells of this, which was at its time. What is not disclosed was erased, and an erasure
    /// also changes lines, so that what they hash to is another.
    fn tells(&self, event: &Event, last_erasure: Option<u64>) -> bool {
        let mut in_clear = event.body.as_object().into_iter().flatten();
        let is_after_erasure = last_erasure.is_some_and(|it| it > self.seq);
        self.kind == event.kind.name()
            && in_clear.all(|(name, value)| {
                self.body.get(name) == Some(value)
                    || is_after_erasure
                        && event.kind == Kind::ProbeEnded
                        && name == "requests_sha256"
                        && self.body.contains_key(name)
            })
            && (is_after_erasure
                || event.facts.iter().all(|(name, value)| {
                    let told = self.facts.iter().find(|it| it.0 == *name);
                    told.is_none_or(|it| it.1 == *value)
                }))
    }
}

/// A line of a table, as the entry about it was made.
pub(crate) type Line = (&'static str, i64, Event);

/// Every line of what people did has an entry of its own that says the same, and every such entry
/// its line.
pub(crate) fn check_said(
    connection: &Connection,
    told: Vec<SaidTold>,
    last_erasure: Option<u64>,
) -> Result<(), StoreError> {
    let mut by_time: FxHashMap<i64, Vec<SaidTold>> = FxHashMap::default();
    for it in told {
        by_time.entry(it.at.timestamp_millis()).or_default().push(it);
    }
    // Before there was a ledger, people's words had no entries.
    let begins = match entry::first_run(connection)? {
        RunId(1) => None,
        _ => begins(connection)?,
    };
    let decided = places_of_decisions(connection)?;
    for (table, id, event) in lines(connection)? {
        let told = by_time.entry(event.at.timestamp_millis()).or_default();
        let place = decided.get(&id).filter(|_| table == "decision");
        let is_its = |it: &SaidTold| {
            place.is_none_or(|place| it.seq == *place) && it.tells(&event, last_erasure)
        };
        match told.iter().position(is_its) {
            Some(at) => drop(told.remove(at)),
            None if begins.is_some_and(|it| event.at < it) => {}
            None => return Err(Broken::NotSaid { table, id }.into()),
        }
    }
    match by_time.into_values().flatten().min_by_key(|it| it.seq) {
        Some(SaidTold { seq, kind, .. }) => Err(Broken::NotKept { seq, kind }.into()),
        None => Ok(()),
    }
}

/// The entries that lines of decisions name.
fn places_of_decisions(connection: &Connection) -> Result<FxHashMap<i64, u64>, StoreError> {
    let decisions = (1..).zip(people::load_decisions(connection)?);
    Ok(decisions.filter_map(|(nth, it)| Some((nth, it.entry?))).collect())
}

/// When the first entry was written.
fn begins(connection: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    #[derive(Deserialize)]
    struct Entry {
        at: String,
    }
    let mut statement = connection.prepare("SELECT seq, entry FROM ledger_entry WHERE seq = 0")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "ledger_entry")?;
    let first: Option<Entry> = serde_json::from_slice(cells.blob("entry")?).ok();
    Ok(first.and_then(|it| it.at.parse().ok()))
}

fn lines(connection: &Connection) -> Result<Vec<Line>, StoreError> {
    let mut lines: Vec<Line> = Vec::new();
    for it in people::load_waivers(connection)? {
        lines.push(("waiver", it.id, Event::exception_requested(&it)));
        let approved = it.approved.as_ref().map(|by| Event::exception_approved(&it, by));
        lines.extend(approved.map(|event| ("waiver_approval", it.id, event)));
        // The run that made it void is in the entry alone.
        let voided = it.voided_at.map(|at| Event::exception_voided((RunId(0), at), it.id));
        lines.extend(voided.map(|event| ("waiver_void", it.id, event)));
    }
    for it in guard::load_releases(connection)? {
        if !guard::is_what_was_looked_at(connection, &it)? {
            let (table, id) = ("guard_release", it.id);
            return Err(Broken::NotSaid { table, id }.into());
        }
        let what = (it.id, &it.digest, &*it.reason);
        let event = Event::release_requested(what, &it.requested, it.expires_at);
        lines.push(("guard_release", it.id, event));
        let approved = it.approved.as_ref();
        let approved = approved.map(|by| Event::release_approved(it.id, &it.digest, by));
        lines.extend(approved.map(|event| ("guard_release_approval", it.id, event)));
    }
    let decisions = (1..).zip(people::load_decisions(connection)?);
    lines.extend(decisions.map(|(nth, it)| ("decision", nth, Event::decided(&it))));
    for (probe, end) in probe::load(connection)? {
        lines.push(("probe", probe.id, Event::probe_begun(&probe)));
        let ended = end.map(|end| ("probe_end", probe.id, Event::probe_ended(&probe, &end)));
        lines.extend(ended);
    }
    lines.extend(registered(connection)?);
    lines.extend(dispositions(connection)?);
    lines.extend(erase::hold_lines(connection)?);
    Ok(lines)
}

/// Accounts that were registered as non-human, also those that were registered again since.
fn registered(connection: &Connection) -> Result<Vec<Line>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT id, account, owner, purpose, attest_by_ms, by, at_ms, place FROM nonhuman ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "nonhuman")?;
        let nonhuman = NonHuman {
            account: cells.str("account")?.into(),
            owner: cells.maybe_text("owner")?,
            purpose: cells.maybe_text("purpose")?,
            attest_by: cells.maybe_time("attest_by_ms")?,
        };
        let by = cells.signature()?;
        lines.push(("nonhuman", cells.key(), Event::registered(&nonhuman, &by)));
    }
    Ok(lines)
}

/// What people said of findings. Of the entry, no more than the line has.
fn dispositions(connection: &Connection) -> Result<Vec<Line>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT id, finding, word, reason, by, at_ms, place FROM disposition ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "disposition")?;
        let finding = FindingId(cells.int("finding")?).to_string();
        let kind = match cells.name("word", Word::parse)? {
            Word::Acknowledge => Kind::FindingAcknowledged,
            Word::FalsePositive => Kind::FindingFalsePositive,
            Word::Close => Kind::FindingClosed,
            Word::Reopen => Kind::FindingReopened,
        };
        let reason = cells.string("reason")?;
        let by = cells.signature()?;
        let event = Event {
            kind,
            at: by.at,
            run: None,
            actor: Actor::Person(by.by.clone()),
            subject: None,
            body: json!({"finding": finding}),
            facts: vec![
                ("by", json!(by.by)),
                ("place", json!(by.place)),
                ("reason", json!(reason)),
            ],
        };
        lines.push(("disposition", cells.key(), event));
    }
    Ok(lines)
}
