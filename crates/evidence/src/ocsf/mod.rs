//! What happened in the period as events of the Open Cybersecurity Schema Framework, one JSON object a
//! line: to findings, to accounts, to assignments and to the settings. They are made of entries of the
//! ledger and of the mapping of controls, and of nothing else: an entry names nobody, and so does an event.

mod finding;
mod seen;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bag::hex;
use crate::contents::Contents;

pub(crate) use finding::codes;
pub(crate) use seen::{ChangeTold, ENABLE, changes, observed};

/// A version of OCSF whose schema our events are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OcsfVersion {
    /// What Amazon's parsers read.
    #[default]
    V1_5_0,
    /// The newest of 2026.
    V1_8_0,
}

impl OcsfVersion {
    /// As events have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_5_0 => "1.5.0",
            Self::V1_8_0 => "1.8.0",
        }
    }
}

/// A number of OCSF, and its word.
pub(crate) type Coded = (u64, &'static str);

const COMPLIANCE_FINDING: Coded = (2003, "Compliance Finding");
const ACCOUNT_CHANGE: Coded = (3001, "Account Change");
const ENTITY_MANAGEMENT: Coded = (3004, "Entity Management");
const USER_ACCESS: Coded = (3005, "User Access Management");

/// An entry of the ledger.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    at: String,
    seq: u64,
    #[serde(default)]
    subject: Option<String>,
    body: Value,
}

impl Entry {
    /// What its body says; `None`: it is of another form.
    fn says<T: for<'d> Deserialize<'d>>(&self) -> Option<T> {
        T::deserialize(&self.body).ok()
    }
}

/// What every event has.
struct Event<'e> {
    class: Coded,
    activity: Coded,
    severity: Coded,
    /// When it happened, or was seen.
    at: &'e str,
    /// Which of its entry, where that makes several.
    nth: usize,
    message: String,
}

/// The events of the period, in the order of the ledger.
pub(crate) fn events(contents: &Contents) -> Vec<u8> {
    let entries: Vec<Entry> = contents.ledger.entries.iter().filter_map(entry).collect();
    let mut accounts = seen::Accounts::of(&entries, &contents.scope);
    let mut lines = Vec::new();
    let is_within = |at: &str| {
        let at = at.parse::<DateTime<Utc>>();
        at.is_ok_and(|it| it >= contents.scope.from && it < contents.scope.to)
    };
    for it in &entries {
        let events = match &*it.kind {
            "leaver.found" | "leaver.changed" => accounts.of_leaver(contents, it),
            _ if !is_within(&it.at) => Vec::new(),
            "config.changed" | "policy.changed" | "software.started" => {
                seen::of_settings(contents, it).into_iter().collect()
            }
            "observation.changed" => accounts.of_observation(contents, it).into_iter().collect(),
            kind if kind.starts_with("finding.") => {
                finding::event(contents, it).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for event in events {
            lines.extend(event.to_string().into_bytes());
            lines.push(b'\n');
        }
    }
    lines
}

/// `None`: it is none, or one of another place.
fn entry((at, bytes): &(u64, Vec<u8>)) -> Option<Entry> {
    serde_json::from_slice(bytes).ok().filter(|it: &Entry| it.seq == *at)
}

pub(crate) fn ms(at: &str) -> Option<i64> {
    at.parse::<DateTime<Utc>>().ok().map(|it| it.timestamp_millis())
}

impl Event<'_> {
    /// The event with what is of its class alone; `None`: the entry has a time or a place that there
    /// is not.
    fn with(self, contents: &Contents, entry: &Entry, own: Value) -> Option<Value> {
        let (class_uid, class) = self.class;
        let (activity_id, activity) = self.activity;
        let category =
            if class_uid / 1000 == 2 { "Findings" } else { "Identity & Access Management" };
        let checkpoint = &contents.ledger.checkpoint;
        let hash = usize::try_from(entry.seq).ok().and_then(|it| contents.ledger.hashes.get(it))?;
        let software = &contents.scope.software;
        let (name, version) = software.split_once(' ').unwrap_or((software, ""));
        let nth = if self.nth == 0 { String::new() } else { format!("/{}", self.nth) };
        let mut event = json!({
            "class_uid": class_uid, "class_name": class,
            "category_uid": class_uid / 1000, "category_name": category,
            "activity_id": activity_id, "activity_name": activity,
            "type_uid": class_uid * 100 + activity_id, "type_name": format!("{class}: {activity}"),
            "time": ms(self.at)?, "time_dt": self.at,
            "severity_id": self.severity.0, "severity": self.severity.1,
            "message": self.message,
            "metadata": {
                "version": contents.scope.ocsf.name(),
                "profiles": ["datetime"],
                "product": {"name": name, "vendor_name": "Driftline", "version": version},
                "log_name": checkpoint.origin,
                "logged_time": ms(&entry.at)?, "logged_time_dt": entry.at,
                "uid": format!("{}/{}{nth}", checkpoint.origin, entry.seq),
                "sequence": entry.seq,
                "event_code": entry.kind,
            },
            "unmapped": {
                "ledger_origin": checkpoint.origin, "leaf_index": entry.seq, "leaf_hash": hex(hash),
            },
        });
        merge(&mut event, own);
        Some(event)
    }
}

/// Puts members of one object into another, and into objects within.
fn merge(into: &mut Value, own: Value) {
    match (into, own) {
        (Value::Object(into), Value::Object(own)) => {
            for (name, value) in own {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, own) => *into = own,
    }
}
