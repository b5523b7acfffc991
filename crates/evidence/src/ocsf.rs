//! What happened to findings in the period, as Compliance Findings (class 2003) of the Open
//! Cybersecurity Schema Framework, one JSON object a line. They are made of entries of the ledger and
//! of the mapping of controls, and of nothing else: an entry names nobody, and so does an event.

use chrono::{DateTime, Utc};
use domain::{Cause, FindingState, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bag::hex;
use crate::contents::Contents;
use crate::controls::Control;

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

/// Compliance Finding, in the category of findings.
const CLASS: u64 = 2003;

/// An entry that tells of a finding.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    at: String,
    seq: u64,
    subject: String,
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    finding: String,
    fingerprint: String,
    app: String,
    cause: String,
    severity: String,
    state: String,
    resolution: Option<String>,
    detected_at: String,
}

/// A number of OCSF, and its word.
type Coded = (u64, &'static str);

/// The events of the period, in the order of the ledger.
pub(crate) fn events(contents: &Contents) -> Vec<u8> {
    let mut lines = Vec::new();
    for (at, entry) in &contents.ledger.entries {
        let told: Option<Entry> = serde_json::from_slice(entry).ok();
        let of_app = |it: &Entry| {
            it.kind.starts_with("finding.")
                && it.seq == *at
                && it.body.app == contents.scope.app.as_str()
        };
        if let Some(event) = told.filter(of_app).and_then(|it| event(contents, &it)) {
            lines.extend(event.to_string().into_bytes());
            lines.push(b'\n');
        }
    }
    lines
}

/// `None`: the entry has a word or a time that this program does not know.
fn event(contents: &Contents, entry: &Entry) -> Option<Value> {
    let body = &entry.body;
    let cause = Cause::parse(&body.cause)?;
    let state = FindingState::parse(&body.state)?;
    let (severity_id, severity) = severity(Severity::parse(&body.severity)?);
    let (activity_id, activity) = activity(entry);
    let (status_id, status) = status(state);
    let title = format!("{} in {}", cause.name().replace('_', " "), body.app);
    let checkpoint = &contents.ledger.checkpoint;
    let hash = usize::try_from(entry.seq).ok().and_then(|it| contents.ledger.hashes.get(it))?;
    let ms = |at: &str| at.parse::<DateTime<Utc>>().ok().map(|it| it.timestamp_millis());
    let (name, version) =
        contents.scope.software.split_once(' ').unwrap_or((&contents.scope.software, ""));
    Some(json!({
        "class_uid": CLASS, "class_name": "Compliance Finding",
        "category_uid": CLASS / 1000, "category_name": "Findings",
        "activity_id": activity_id, "activity_name": activity,
        "type_uid": CLASS * 100 + activity_id, "type_name": format!("Compliance Finding: {activity}"),
        "time": ms(&entry.at)?, "time_dt": entry.at,
        "severity_id": severity_id, "severity": severity,
        "status_id": status_id, "status": status,
        "message": format!("{} {title}: {}", body.finding, body.state.replace('_', " ")),
        "metadata": {
            "version": contents.scope.ocsf.name(),
            "profiles": ["datetime"],
            "product": {"name": name, "vendor_name": "Driftline", "version": version},
            "log_name": checkpoint.origin,
            "uid": format!("{}/{}", checkpoint.origin, entry.seq),
            "sequence": entry.seq,
            "event_code": entry.kind,
        },
        "finding_info": {
            "uid": body.fingerprint, "uid_alt": body.finding, "title": title,
            "types": [cause.family().name()],
            "created_time": ms(&body.detected_at)?, "created_time_dt": body.detected_at,
        },
        "compliance": compliance(&contents.scope.controls.controls, cause, state, (severity_id, severity)),
        "resources": [{"uid": entry.subject, "namespace": body.app}],
        "unmapped": {
            "ledger_origin": checkpoint.origin, "leaf_index": entry.seq, "leaf_hash": hex(hash),
            "resolution": body.resolution,
        },
    }))
}

/// The check is the rule that the finding is of; the requirements are the controls that name it.
fn compliance(
    controls: &[Control],
    cause: Cause,
    state: FindingState,
    (severity_id, severity): Coded,
) -> Value {
    let bearing: Vec<&Control> = controls.iter().filter(|it| it.causes.contains(&cause)).collect();
    let mut standards: Vec<&str> = Vec::new();
    for it in &bearing {
        if !standards.contains(&&*it.framework) {
            standards.push(&it.framework);
        }
    }
    let (status_id, status) = verdict(state);
    json!({
        "control": cause.name(),
        "requirements": bearing.iter().map(|it| format!("{} {}", it.framework, it.id)).collect::<Vec<String>>(),
        "standards": standards,
        "status_id": status_id, "status": status,
        "checks": [{
            "uid": cause.name(), "name": cause.name().replace('_', " "), "standards": standards,
            "status_id": status_id, "status": status,
            "severity_id": severity_id, "severity": severity,
        }],
    })
}

fn activity(entry: &Entry) -> Coded {
    match &*entry.kind {
        "finding.closed" | "finding.false_positive" => (3, "Close"),
        _ if entry.at == entry.body.detected_at => (1, "Create"),
        _ => (2, "Update"),
    }
}

const fn severity(severity: Severity) -> Coded {
    match severity {
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// Where the finding stands.
const fn status(state: FindingState) -> Coded {
    match state {
        FindingState::Pending | FindingState::Open => (1, "New"),
        FindingState::Acknowledged => (2, "In Progress"),
        FindingState::Waived | FindingState::FalsePositive => (3, "Suppressed"),
        FindingState::Resolved => (4, "Resolved"),
        FindingState::Held => (99, "Held"),
        FindingState::NotVisible => (99, "Not visible"),
    }
}

/// Whether what the finding is about holds at that time. A waiver does not end it, and what was not
/// seen is neither. That it is over says nothing of the deadline.
const fn verdict(state: FindingState) -> Coded {
    match state {
        FindingState::Open | FindingState::Acknowledged | FindingState::Waived => (3, "Fail"),
        FindingState::Pending => (2, "Warning"),
        FindingState::Resolved => (1, "Pass"),
        FindingState::Held | FindingState::NotVisible => (0, "Unknown"),
        FindingState::FalsePositive => (99, "False positive"),
    }
}
