//! What happened to findings, as Compliance Findings.

use domain::{Cause, FindingState, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{COMPLIANCE_FINDING, Coded, Event, Frame, ms};
use crate::Entry;
use crate::controls::Control;

/// What an entry that tells of a finding says.
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

/// `None`: the entry is of another app, or has a word or a time that this program does not know.
pub(super) fn event(
    frame: Frame<'_>,
    entry: &Entry,
    bearing: impl FnOnce(Cause) -> Bearing,
) -> Option<Value> {
    let body: Body = entry.says()?;
    if body.app != frame.app {
        return None;
    }
    let cause = Cause::parse(&body.cause)?;
    let state = FindingState::parse(&body.state)?;
    let activity = match &*entry.kind {
        "finding.closed" | "finding.false_positive" => (3, "Close"),
        _ if entry.at == body.detected_at => (1, "Create"),
        _ => (2, "Update"),
    };
    let (severity, status) = (severity(Severity::parse(&body.severity)?), status(state));
    let title = format!("{} in {}", cause.name().replace('_', " "), body.app);
    let event = Event {
        class: COMPLIANCE_FINDING,
        activity,
        severity,
        at: &entry.at,
        nth: 0,
        message: format!("{} {title}: {}", body.finding, body.state.replace('_', " ")),
    };
    let own = json!({
        "status_id": status.0, "status": status.1,
        "finding_info": {
            "uid": body.fingerprint, "uid_alt": body.finding, "title": title,
            "types": [cause.family().name()],
            "created_time": ms(&body.detected_at)?, "created_time_dt": body.detected_at,
        },
        "compliance": compliance(&bearing(cause), cause, state, severity),
        "resources": [{"uid": entry.subject.as_ref()?, "namespace": body.app}],
        "unmapped": {"resolution": body.resolution},
    });
    event.with(frame, entry, own)
}

/// The controls that name a cause, which the mapping says and no entry.
pub(crate) struct Bearing {
    /// Each with its framework.
    pub(crate) requirements: Value,
    /// The frameworks, each once.
    pub(crate) standards: Value,
}

impl Bearing {
    pub(super) fn of(controls: &[Control], cause: Cause) -> Self {
        let bearing = || controls.iter().filter(|it| it.causes.contains(&cause));
        let mut standards: Vec<&str> = Vec::new();
        for it in bearing() {
            if !standards.contains(&&*it.framework) {
                standards.push(&it.framework);
            }
        }
        let requirements = bearing().map(|it| format!("{} {}", it.framework, it.id));
        Self {
            requirements: json!(requirements.collect::<Vec<String>>()),
            standards: json!(standards),
        }
    }
}

/// The check is the rule that the finding is of; the requirements are the controls that name it.
fn compliance(
    Bearing { requirements, standards }: &Bearing,
    cause: Cause,
    state: FindingState,
    (severity_id, severity): Coded,
) -> Value {
    let (status_id, status) = verdict(state);
    json!({
        "control": cause.name(),
        "requirements": requirements,
        "standards": standards,
        "status_id": status_id, "status": status,
        "checks": [{
            "uid": cause.name(), "name": cause.name().replace('_', " "), "standards": standards,
            "status_id": status_id, "status": status,
            "severity_id": severity_id, "severity": severity,
        }],
    })
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
