//! What the run rests on: the lists, what no mapping knows, and what ails the watching.

use data_encoding::HEXLOWER;
use domain::SourceRecord;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AsOfBasis, Cause, Channel, Grade, List, Proof, Severity, SystemKind, Time, Watcher};

/// One list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Whose.
    pub system: String,
    /// What the system is to Driftline.
    pub kind: SystemKind,
    /// Which list.
    pub list: List,
    /// Seen how; `null` for all but accounts.
    pub channel: Option<Channel>,
    /// How sure what rests on it is.
    pub grade: Grade,
    /// The number of the snapshot used; `null` when there is none at all.
    pub snapshot: Option<i64>,
    /// As of when; `null` without a snapshot.
    pub as_of: Option<AsOf>,
    /// How much was seen; `null` without a snapshot.
    pub coverage: Option<Coverage>,
    /// Why its absences do not count; `null` when they do.
    pub held: Option<String>,
    /// Why the pull failed in this run; `null` when it did not.
    pub failed: Option<String>,
    /// Unique rows.
    pub n_rows: u64,
    /// Rows new, changed or gone since the snapshot before; `null` on the first.
    pub n_changed: Option<u64>,
    /// Merkle root over the sorted row hashes, hexadecimal; `null` without a snapshot.
    pub digest: Option<String>,
    /// Files or requests read.
    pub n_requests: u64,
    /// Their bytes.
    pub n_bytes: u64,
    /// Their names, the first few.
    pub requests: Vec<String>,
    /// Peculiarities.
    pub notes: Vec<String>,
}

/// As of when a list speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// The instant.
    pub at: Time,
    /// How it is known.
    pub basis: AsOfBasis,
}

/// How much of a list was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// All or some.
    pub kind: CoverageKind,
    /// Why it counts as complete; `null` when partial.
    pub proof: Option<Proof>,
    /// Why it is partial; `null` when complete.
    pub reason: Option<String>,
}

/// All of a list, or some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum CoverageKind {
    Complete,
    Partial,
}

/// A raw value that no mapping knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unmapped {
    /// Whose.
    pub system: String,
    /// Which field.
    pub field: String,
    /// The value as written.
    pub raw: String,
    /// In how many rows.
    pub count: u64,
}

/// A finding about the watching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WatcherFinding {
    /// What.
    pub kind: Watcher,
    /// Where; `null` when it is not one system's.
    pub system: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// What happened.
    pub text: String,
    /// What to do next.
    pub next_action: String,
    /// The findings about people that it is behind; not there: it is no cause of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<RootCause>,
}

/// Trouble of provisioning, and the findings that come of it. It changes none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RootCause {
    /// What is wrong, in one word that stays the same from run to run.
    pub name: String,
    /// Causes of findings that can come of it.
    pub causes: Vec<Cause>,
    /// It began after this; `null` when that is not known.
    pub began_after: Option<Time>,
    /// It was so at this time; `null` when that is not known.
    pub began_by: Option<Time>,
    /// Numbers of findings of people who lost the app while it was so.
    pub explains: Vec<String>,
    /// Numbers of findings that fit, but of which it is not known that it was so when the person lost
    /// the app, or that no other provider was to act.
    pub may_explain: Vec<String>,
}

impl Source {
    /// Returns true when the list was read in this run, whole and believable.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let coverage = self.coverage.as_ref().map(|it| it.kind);
        self.failed.is_none() && self.held.is_none() && coverage == Some(CoverageKind::Complete)
    }

    pub(super) fn of(record: &SourceRecord) -> Self {
        Self {
            system: record.system.as_str().to_owned(),
            kind: record.kind.into(),
            list: record.list.into(),
            channel: record.channel.map(Channel::from),
            grade: record.grade.into(),
            snapshot: record.snapshot.map(|it| it.0),
            as_of: record.as_of.map(|it| AsOf { at: Time(it.at), basis: it.basis.into() }),
            coverage: record.coverage.as_ref().map(Coverage::of),
            held: record.held.clone(),
            failed: record.failed.clone(),
            n_rows: record.n_rows,
            n_changed: record.n_changed,
            digest: record.digest.map(|it| HEXLOWER.encode(&it)),
            n_requests: record.n_requests,
            n_bytes: record.n_bytes,
            requests: record.requests.clone(),
            notes: record.notes.clone(),
        }
    }
}

impl Coverage {
    fn of(coverage: &domain::Coverage) -> Self {
        match coverage {
            domain::Coverage::Complete(proof) => {
                Self { kind: CoverageKind::Complete, proof: Some((*proof).into()), reason: None }
            }
            domain::Coverage::Partial { reason } => {
                Self { kind: CoverageKind::Partial, proof: None, reason: Some(reason.clone()) }
            }
        }
    }
}

impl Unmapped {
    pub(super) fn of(unmapped: &domain::Unmapped) -> Self {
        Self {
            system: unmapped.system.as_str().to_owned(),
            field: unmapped.field.clone(),
            raw: unmapped.raw.clone(),
            count: unmapped.count,
        }
    }
}

impl WatcherFinding {
    /// Whether findings about people come of it: then it is named over them, and nowhere else.
    #[must_use]
    pub fn is_over_findings(&self) -> bool {
        self.root_cause.as_ref().is_some_and(RootCause::has_findings)
    }

    pub(super) fn of(finding: &domain::WatcherFinding) -> Self {
        Self {
            kind: finding.kind.into(),
            system: finding.system.as_ref().map(|it| it.as_str().to_owned()),
            severity: finding.severity.into(),
            text: finding.text.clone(),
            next_action: finding.next_action.clone(),
            root_cause: finding.root.as_ref().map(RootCause::of),
        }
    }
}

impl RootCause {
    fn of(root: &domain::RootCause) -> Self {
        let numbers = |of: &[domain::FindingId]| of.iter().map(ToString::to_string).collect();
        Self {
            name: root.name.clone(),
            causes: root.causes.iter().map(|it| (*it).into()).collect(),
            began_after: root.began.earliest.map(Time),
            began_by: root.began.latest.map(Time),
            explains: numbers(&root.explains),
            may_explain: numbers(&root.may_explain),
        }
    }

    /// Whether any finding may come of it.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        !self.explains.is_empty() || !self.may_explain.is_empty()
    }
}
