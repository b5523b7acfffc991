//! What a run was given that no table keeps as it was then, so that it can be judged again: what
//! its pulls said beside their lists, in which order rows came, and how the database stood.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{
    AnchorStand, Cause, Channel, Digest, EntityId, Interval, List, Reach, RunId, Stream, SystemId,
    Unmapped, Watcher, Whom,
};
use ledger::sha256;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cells::{self, maybe_ms, ms, packed, unpacked};
use crate::moment::Moment;
use crate::places::Places;
use crate::{DeadChannel, StoreError, overwritten};

/// What a run was given, beside its lists, answers and log.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// When its lists were there: it may have judged later, after asking again.
    pub pulled_at: DateTime<Utc>,
    /// The settings as they were written; `None`: not kept.
    pub settings: Option<String>,
    /// Its lists, in the order of their snapshots.
    pub lists: Vec<ListInput>,
    /// Lists that it has not, and why.
    pub failed: Vec<(Stream, String)>,
    /// Failures of which it is not known what list of the system they cost.
    pub lost: Vec<(SystemId, String)>,
    /// Systems that refused the credential, and what they said.
    pub refused: Vec<(SystemId, String)>,
    /// What sources said is wrong with provisioning, or with our view of it.
    pub troubles: Vec<TroubleInput>,
    /// Values that no mapping knew.
    pub unmapped: Vec<Unmapped>,
    /// Apps whose accounts came in a list that was not taken, for its time.
    pub apps_of_refused_lists: Vec<SystemId>,
    /// When accounts that findings are about were last used, as far as the app said.
    pub last_uses: Vec<(EntityId, DateTime<Utc>)>,
    /// Channels that took no notice.
    pub dead_channels: Vec<DeadChannel>,
    /// How anchors stood.
    pub anchors: Vec<AnchorStand>,
    /// Entries of the ledger that it found; `None`: it had none, or is broken.
    pub n_entries: Option<u64>,
}

/// What one source said is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubleInput {
    /// Which source.
    pub system: SystemId,
    /// What it is.
    pub kind: Watcher,
    /// What is wrong and what to do.
    pub text: String,
    /// What it can be behind; empty: of no finding is that known.
    pub reach: Vec<Reach>,
}

/// What a list was beside its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListInput {
    /// Its rows in the order in which they came.
    pub rows: Places,
    /// Of its notes, those that the pull made.
    pub n_notes: usize,
}

/// Inputs as they were kept, and the moments before and after the run.
pub(crate) struct Kept {
    pub inputs: Inputs,
    pub before: Moment,
    /// What was written over in findings until the run was saved.
    pub overwritten: i64,
}

/// Times are milliseconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputsJson {
    pulled_at_ms: i64,
    before: Moment,
    overwritten: i64,
    n_notes: Vec<usize>,
    failed: Vec<(String, String, Option<String>, String)>,
    lost: Vec<(String, String)>,
    refused: Vec<(String, String)>,
    troubles: Vec<(String, String, String)>,
    unmapped: Vec<(String, String, String, u64)>,
    last_uses: Vec<(i64, i64)>,
    dead_channels: Vec<(String, u64, String)>,
    anchors: Vec<(String, i64, Option<i64>, Option<String>)>,
    #[serde(default)]
    apps_of_refused_lists: Vec<String>,
    /// What each of `troubles` can be behind, in their order; empty: kept before that was known.
    #[serde(default)]
    reach: Vec<Vec<ReachJson>>,
    /// What the digests are salted with; empty: kept before they were.
    #[serde(default)]
    salt: String,
    /// The digest of each part, by name.
    #[serde(default)]
    digests: Digests,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReachJson {
    name: String,
    causes: Vec<String>,
    /// Ids; `None`: everybody.
    users: Option<Vec<String>>,
    since_earliest_ms: Option<i64>,
    since_latest_ms: Option<i64>,
}

impl ReachJson {
    /// What each trouble can be behind.
    fn of_all(troubles: &[TroubleInput]) -> Vec<Vec<Self>> {
        troubles.iter().map(|it| it.reach.iter().map(Self::of).collect()).collect()
    }

    fn of(reach: &Reach) -> Self {
        let (users, since) = match &reach.whom {
            Whom::Users(ids) => (Some(ids.iter().map(ToString::to_string).collect()), None),
            Whom::EverybodySince(since) => (None, Some(since)),
        };
        Self {
            name: reach.name.clone(),
            causes: reach.causes.iter().map(|it| it.name().to_owned()).collect(),
            users,
            since_earliest_ms: maybe_ms(since.and_then(|it| it.earliest)),
            since_latest_ms: maybe_ms(since.and_then(|it| it.latest)),
        }
    }

    /// `None`: it is not what is written here.
    fn read(self) -> Option<Reach> {
        let time = |ms: Option<i64>| match ms {
            Some(ms) => DateTime::from_timestamp_millis(ms).map(Some),
            None => Some(None),
        };
        let since = Interval {
            earliest: time(self.since_earliest_ms)?,
            latest: time(self.since_latest_ms)?,
        };
        let whom = self.users.map_or(Whom::EverybodySince(since), |ids| {
            Whom::Users(ids.into_iter().map(Into::into).collect())
        });
        let causes = self.causes.iter().map(|it| Cause::parse(it)).collect::<Option<_>>()?;
        Some(Reach { name: self.name, causes, whom })
    }
}

type Digests = BTreeMap<String, String>;

fn key(run: RunId) -> String {
    format!("inputs/{:012}", run.0)
}

fn key_of_rows(run: RunId) -> String {
    format!("rows/{:012}", run.0)
}

fn key_of_settings(digest: &Digest) -> String {
    format!("settings/{}", HEXLOWER.encode(digest))
}

/// Keeps what a run was given, and returns the digest over it. Its findings, answers and log are saved
/// already.
pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    before: Moment,
    inputs: &Inputs,
) -> Result<Digest, StoreError> {
    let named = |it: &(SystemId, String)| (it.0.to_string(), it.1.clone());
    let before = match inputs.n_entries {
        Some(n) => before.with_entries(n),
        None => before,
    };
    let salt = connection
        .prepare_cached("SELECT lower(hex(randomblob(16)))")?
        .query_row([], |row| row.get(0))?;
    let mut json = InputsJson {
        pulled_at_ms: ms(inputs.pulled_at),
        before,
        overwritten: overwritten::last(connection)?,
        n_notes: inputs.lists.iter().map(|it| it.n_notes).collect(),
        failed: inputs
            .failed
            .iter()
            .map(|(stream, why)| {
                let channel = stream.channel.map(|it| it.name().to_owned());
                (stream.system.to_string(), stream.list.name().to_owned(), channel, why.clone())
            })
            .collect(),
        lost: inputs.lost.iter().map(named).collect(),
        refused: inputs.refused.iter().map(named).collect(),
        troubles: inputs
            .troubles
            .iter()
            .map(|it| (it.system.to_string(), it.kind.name().to_owned(), it.text.clone()))
            .collect(),
        reach: ReachJson::of_all(&inputs.troubles),
        unmapped: inputs
            .unmapped
            .iter()
            .map(|it| (it.system.to_string(), it.field.clone(), it.raw.clone(), it.count))
            .collect(),
        apps_of_refused_lists: inputs
            .apps_of_refused_lists
            .iter()
            .map(ToString::to_string)
            .collect(),
        last_uses: inputs.last_uses.iter().map(|(entity, at)| (entity.0, ms(*at))).collect(),
        dead_channels: inputs
            .dead_channels
            .iter()
            .map(|it| (it.channel.to_string(), it.n_notices, it.why.clone()))
            .collect(),
        anchors: inputs
            .anchors
            .iter()
            .map(|it| {
                let (first, last) = (ms(it.first_asked_at), maybe_ms(it.last_made_at));
                (it.name.to_string(), first, last, it.why.clone())
            })
            .collect(),
        salt,
        digests: Digests::new(),
    };
    let rows = pack_rows(&inputs.lists)?;
    json.digests = digests(connection, run, &cells::packed(&json)?, &rows)?;
    let mut insert = connection.prepare_cached("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
    insert.execute(params![key(run), packed(&json)?])?;
    insert.execute(params![key_of_rows(run), rows])?;
    if let Some(settings) = &inputs.settings {
        connection
            .prepare_cached("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![key_of_settings(&sha256(settings.as_bytes())), packed(settings)?])?;
    }
    Ok(over_all(&json.digests))
}

/// SHA-256 over the salt and each part: each member of the document as it is kept, whatever a later
/// version adds to it, the order of rows, and what was answered by id and told by logs. Settings have
/// a digest of their own.
fn digests(
    connection: &Connection,
    run: RunId,
    document: &[u8],
    rows: &[u8],
) -> Result<Digests, StoreError> {
    let corrupt = StoreError::Corrupt { table: "meta", column: "inputs", key: run.0 };
    let mut parts: Map<String, Value> = unpacked(document).ok_or(corrupt)?;
    let salt = parts.remove("salt").unwrap_or_default();
    parts.remove("digests");
    let mut add = |name: &str, value| parts.insert(name.to_owned(), value);
    add("rows", Value::String(HEXLOWER.encode(&sha256(rows))));
    let sql = "SELECT system, list, key, row, why, sent_at_ms, received_at_ms
               FROM observation WHERE run = ?1 ORDER BY id";
    add("answers", lines(connection, sql, run)?);
    let sql = "SELECT system, event, at_ms, kind, identity FROM log_event WHERE run = ?1
               ORDER BY id";
    add("logs", lines(connection, sql, run)?);
    let salted = |(name, value): (String, Value)| {
        let text = format!("{salt}\n{name}\n{}", sorted(value));
        (name, HEXLOWER.encode(&sha256(text.as_bytes())))
    };
    Ok(parts.into_iter().map(salted).collect())
}

/// The same with the members of each object in order of their names.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().collect();
            members.into_iter().map(|(name, it)| (name, sorted(it))).collect()
        }
        Value::Array(all) => all.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The rows that a query finds, column by column.
fn lines(connection: &Connection, sql: &str, run: RunId) -> Result<Value, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let n_columns = statement.column_count();
    let mut rows = statement.query([run.0])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let line = (0..n_columns).map(|at| Ok(cells::value(row.get_ref(at)?)));
        lines.push(line.collect::<Result<Value, rusqlite::Error>>()?);
    }
    Ok(Value::Array(lines))
}

/// SHA-256 over the digests of all parts, a line each.
fn over_all(digests: &Digests) -> Digest {
    let lines: String = digests.iter().map(|(name, it)| format!("{name} {it}\n")).collect();
    sha256(lines.as_bytes())
}

/// Which parts of what a run was given are not those of the digest that the ledger was told; `None`:
/// nothing is kept.
pub(crate) fn changed(
    connection: &Connection,
    run: RunId,
    told: &str,
) -> Result<Option<Vec<String>>, StoreError> {
    let corrupt = || StoreError::Corrupt { table: "meta", column: "inputs", key: run.0 };
    let Some(document) = value(connection, &key(run))? else { return Ok(None) };
    let json: InputsJson = unpacked(&document).ok_or_else(corrupt)?;
    let rows = value(connection, &key_of_rows(run))?.ok_or_else(corrupt)?;
    let kept = json.digests;
    let now = digests(connection, run, &document, &rows)?;
    if HEXLOWER.encode(&over_all(&now)) == told {
        return Ok(Some(Vec::new()));
    }
    let differ: Vec<String> = now
        .iter()
        .filter(|(name, it)| kept.get(*name) != Some(it))
        .map(|it| it.0.clone())
        .collect();
    if differ.is_empty() || HEXLOWER.encode(&over_all(&kept)) != told {
        return Ok(Some(vec!["all of it, with the digests of its parts".to_owned()]));
    }
    Ok(Some(differ))
}

/// Forgets what runs so far were given, and what was written over in findings since.
pub(crate) fn forget(connection: &Connection) -> Result<(), StoreError> {
    for kind in ["inputs", "rows", "settings", "overwritten"] {
        connection
            .prepare_cached("DELETE FROM meta WHERE key >= ?1 || '/' AND key < ?1 || '0'")?
            .execute([kind])?;
    }
    Ok(())
}

/// What a run was given; `None`: that was not kept yet when it was made, or was forgotten.
pub(crate) fn load(connection: &Connection, run: RunId) -> Result<Option<Kept>, StoreError> {
    let corrupt = || StoreError::Corrupt { table: "meta", column: "inputs", key: run.0 };
    let Some(json) = value(connection, &key(run))? else { return Ok(None) };
    let json: InputsJson = unpacked(&json).ok_or_else(corrupt)?;
    let rows = value(connection, &key_of_rows(run))?.ok_or_else(corrupt)?;
    let rows = unpack_rows(&rows, json.n_notes.len()).ok_or_else(corrupt)?;
    let (before, overwritten) = (json.before.clone(), json.overwritten);
    let inputs = json.into_inputs(rows).ok_or_else(corrupt)?;
    Ok(Some(Kept { inputs, before, overwritten }))
}

/// The settings of this digest; `None`: they are not kept, or are others by now.
pub(crate) fn settings(connection: &Connection, of: &Digest) -> Result<Option<String>, StoreError> {
    let kept: Option<String> =
        value(connection, &key_of_settings(of))?.and_then(|it| unpacked(&it));
    Ok(kept.filter(|it| sha256(it.as_bytes()) == *of))
}

fn value(connection: &Connection, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

impl InputsJson {
    fn into_inputs(self, rows: Vec<Places>) -> Option<Inputs> {
        let system = |it: &str| SystemId::parse(it).ok();
        let time = DateTime::from_timestamp_millis;
        let named = |all: Vec<(String, String)>| -> Option<Vec<(SystemId, String)>> {
            all.into_iter().map(|(it, why)| Some((system(&it)?, why))).collect()
        };
        let lists = rows.into_iter().zip(self.n_notes);
        let failed = self.failed.into_iter().map(|(of, list, channel, why)| {
            let channel = match channel {
                Some(name) => Some(Channel::parse(&name)?),
                None => None,
            };
            Some((Stream { system: system(&of)?, list: List::parse(&list)?, channel }, why))
        });
        let reaches = self.reach.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let troubles = self.troubles.into_iter().zip(reaches).map(|((of, kind, text), reach)| {
            let reach = reach.unwrap_or_default().into_iter().map(ReachJson::read);
            Some(TroubleInput {
                system: system(&of)?,
                kind: Watcher::parse(&kind)?,
                text,
                reach: reach.collect::<Option<_>>()?,
            })
        });
        let unmapped = self.unmapped.into_iter().map(|(of, field, raw, count)| {
            Some(Unmapped { system: system(&of)?, field, raw, count })
        });
        let anchors = self.anchors.into_iter().map(|(name, first, last, why)| {
            let last_made_at = match last {
                Some(at) => Some(time(at)?),
                None => None,
            };
            Some(AnchorStand { name: name.into(), first_asked_at: time(first)?, last_made_at, why })
        });
        let refused = self.apps_of_refused_lists.iter().map(|it| system(it));
        let last_uses =
            self.last_uses.into_iter().map(|(entity, at)| Some((EntityId(entity), time(at)?)));
        Some(Inputs {
            pulled_at: time(self.pulled_at_ms)?,
            settings: None,
            lists: lists.map(|(rows, n_notes)| ListInput { rows, n_notes }).collect(),
            failed: failed.collect::<Option<_>>()?,
            lost: named(self.lost)?,
            refused: named(self.refused)?,
            troubles: troubles.collect::<Option<_>>()?,
            unmapped: unmapped.collect::<Option<_>>()?,
            apps_of_refused_lists: refused.collect::<Option<_>>()?,
            last_uses: last_uses.collect::<Option<_>>()?,
            dead_channels: self
                .dead_channels
                .into_iter()
                .map(|(channel, n_notices, why)| DeadChannel {
                    channel: channel.into(),
                    n_notices,
                    why,
                })
                .collect(),
            anchors: anchors.collect::<Option<_>>()?,
            n_entries: None,
        })
    }
}

fn pack_rows(lists: &[ListInput]) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    lists.iter().for_each(|it| it.rows.put(&mut bytes));
    zstd::bulk::compress(&bytes, 0)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)).into())
}

fn unpack_rows(packed: &[u8], n_lists: usize) -> Option<Vec<Places>> {
    let bytes = zstd::decode_all(packed).ok()?;
    let mut rest = &*bytes;
    let lists = (0..n_lists).map(|_| Places::take(&mut rest)).collect::<Option<_>>()?;
    rest.is_empty().then_some(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_comes_back_and_bytes_that_are_none_do_not() {
        let rows = |all: &[(i64, u32, u32)]| ListInput {
            rows: all.iter().map(|(entity, at, line)| (EntityId(*entity), *at, *line)).collect(),
            n_notes: 0,
        };
        let all = [(7, 0, 1), (8, 0, 2), (3, u32::MAX, 1), (i64::MAX, 0, u32::MAX)];
        let lists = [rows(&all), rows(&[])];
        let packed = pack_rows(&lists).unwrap();
        let read = unpack_rows(&packed, 2).unwrap();
        assert_eq!(read, lists.map(|it| it.rows));
        let read: Vec<_> = read.iter().map(|it| it.iter().collect::<Vec<_>>()).collect();
        let all = all.map(|(entity, at, line)| (EntityId(entity), at, line));
        assert_eq!(read, [all.to_vec(), Vec::new()]);
        assert_eq!(unpack_rows(&packed, 1), None);
        assert_eq!(unpack_rows(&packed, 3), None);
        assert_eq!(unpack_rows(b"x", 2), None);
    }
}
