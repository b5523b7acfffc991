//! What happened in the period as events of the Open Cybersecurity Schema Framework, one JSON object a
//! line: to findings, to accounts, to assignments and to the settings. They are made of entries of the
//! ledger and of the mapping of controls, and of nothing else: an entry names nobody, and so does an event.

mod finding;
mod seen;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Cause, Digest};
use serde_json::{Value, json};

use crate::Entry;
use crate::contents::{Contents, LedgerPart};

pub(crate) use finding::Bearing;
pub(crate) use seen::{ENABLE, changes, of_leaver};

/// Where the events are.
pub(crate) const OCSF: &str = "data/machine/ocsf.ndjson";

/// The versions that a verifier knows.
pub(crate) const VERSIONS: [&str; 2] = [OcsfVersion::V1_5_0.name(), OcsfVersion::V1_8_0.name()];

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

/// What every event of a bag has, and no entry tells of.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'f> {
    /// The app of the bag.
    pub(crate) app: &'f str,
    /// The name of the ledger.
    pub(crate) origin: &'f str,
    /// Program and version.
    pub(crate) software: &'f str,
    /// The version of OCSF.
    pub(crate) version: &'f str,
    /// The hash of the entry.
    pub(crate) hash: Digest,
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
    let (scope, LedgerPart { checkpoint, hashes, entries, .. }) =
        (&contents.scope, &contents.ledger);
    let entries: Vec<(Entry, &[u8])> = entries
        .iter()
        .filter_map(|(place, bytes)| Some((Entry::read(*place, bytes)?, &**bytes)))
        .collect();
    let mut accounts = seen::Accounts::of(&entries, scope);
    let mut lines = Vec::new();
    for (it, bytes) in &entries {
        let Some(hash) = usize::try_from(it.seq).ok().and_then(|at| hashes.get(at)) else {
            continue;
        };
        let frame = Frame {
            app: scope.app.as_str(),
            origin: &checkpoint.origin,
            software: &scope.software,
            version: scope.ocsf.name(),
            hash: *hash,
        };
        let events = if it.is_of_leaver() {
            accounts.of_leaver(frame, it, bytes)
        } else if scope.has(&it.at) {
            let bearing = |cause| Bearing::of(&scope.controls.controls, cause);
            of_entry(frame, it, bearing).into_iter().collect()
        } else {
            Vec::new()
        };
        for event in events {
            lines.extend(event.to_string().into_bytes());
            lines.push(b'\n');
        }
    }
    lines
}

/// The event of an entry that tells of one thing; `None`: it has none.
pub(crate) fn of_entry(
    frame: Frame<'_>,
    entry: &Entry,
    bearing: impl FnOnce(Cause) -> Bearing,
) -> Option<Value> {
    match &*entry.kind {
        "config.changed" | "policy.changed" | "software.started" => seen::of_settings(frame, entry),
        "observation.changed" => seen::of_observation(frame, entry),
        kind if kind.starts_with("finding.") => finding::event(frame, entry, bearing),
        _ => None,
    }
}

pub(crate) fn ms(at: &str) -> Option<i64> {
    at.parse::<DateTime<Utc>>().ok().map(|it| it.timestamp_millis())
}

impl Event<'_> {
    /// The event with what is of its class alone; `None`: the entry has a time that there is not.
    fn with(self, frame: Frame<'_>, entry: &Entry, own: Value) -> Option<Value> {
        let Frame { origin, software, version, hash, .. } = frame;
        let (class_uid, class) = self.class;
        let (activity_id, activity) = self.activity;
        let category =
            if class_uid / 1000 == 2 { "Findings" } else { "Identity & Access Management" };
        let (name, of_program) = software.split_once(' ').unwrap_or((software, ""));
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
                "version": version,
                "profiles": ["datetime"],
                "product": {"name": name, "vendor_name": "Driftline", "version": of_program},
                "log_name": origin,
                "logged_time": ms(&entry.at)?, "logged_time_dt": entry.at,
                "uid": format!("{origin}/{}{nth}", entry.seq),
                "sequence": entry.seq,
                "event_code": entry.kind,
            },
            "unmapped": {
                "ledger_origin": origin, "leaf_index": entry.seq, "leaf_hash": HEXLOWER.encode(&hash),
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
