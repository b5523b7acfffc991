//! One finding: whom it is about, why there is one, how long, and what to do next.

use chrono::TimeDelta;
use data_encoding::HEXLOWER;
use domain::FindingRecord;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Cause, Change, Channel, ClockStart, Family, FindingState, List, Resolution, Severity,
    SlaOutcome, SubjectKind, Tier, Time,
};

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The number by which people call it, as `DL-17`.
    pub id: String,
    /// Its identity over time, hexadecimal; the dedup key of alerts.
    pub fingerprint: String,
    /// The app.
    pub app: String,
    /// Its family.
    pub family: Family,
    /// Why there is one.
    pub cause: Cause,
    /// How much it matters now.
    pub severity: Severity,
    /// Where it stands.
    pub state: FindingState,
    /// What was done to it since the full run before.
    pub change: Change,
    /// Why the run did that.
    pub because: String,
    /// What to do next.
    pub next_action: String,
    /// Whom it is about, by key.
    pub subject: Subject,
    /// Whom it is about, by name. Personal data.
    pub person: Person,
    /// The employment it belongs to, from 1; 0 where there is no owner.
    pub episode: u32,
    /// Whether a role counts as privileged; `null` when no role was shown.
    pub is_privileged: Option<bool>,
    /// When a run first saw it.
    pub detected_at: Time,
    /// That run.
    pub detected_run: i64,
    /// When the clock of its grace began: the effective time where known, else detection.
    pub clock_from: Time,
    /// When grace ends.
    pub grace_until: Time,
    /// When it was opened; `null` while pending.
    pub opened_at: Option<Time>,
    /// When a run last saw the condition hold.
    pub last_seen_at: Time,
    /// When an acknowledgement or waiver ends; `null` in other states.
    pub state_until: Option<Time>,
    /// When it was resolved; `null` while it lives.
    pub resolved_at: Option<Time>,
    /// Why it is over; `null` while it lives.
    pub resolution: Option<Resolution>,
    /// How often it came back.
    pub n_reopened: u32,
    /// The lists that showed it first.
    pub looks: Vec<Look>,
    /// Stretches of exposure, oldest first; empty for families without exposure.
    pub exposures: Vec<Exposure>,
    /// All stretches together; `null` where there is none.
    pub exposure: Option<Bounds>,
    /// Was access removed in time? `null` for families without a deadline.
    pub sla: Option<SlaResult>,
    /// Why there is a finding.
    pub explanation: Explanation,
}

/// Whom a finding is about, by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Account or identity.
    pub kind: SubjectKind,
    /// Of which system.
    pub system: String,
    /// Its id there.
    pub key: String,
}

/// Whom a finding is about, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Display name; `null` when no row has one.
    pub name: Option<String>,
    /// Login or address; `null` when no row has one.
    pub login: Option<String>,
    /// The owner's keys, as `okta/00u1`; empty when nobody owns it.
    pub identities: Vec<String>,
}

/// One look that showed the finding first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Whose list.
    pub system: String,
    /// Which list.
    pub list: List,
    /// Seen how; `null` for all but accounts.
    pub channel: Option<Channel>,
    /// As of when.
    pub as_of: Time,
    /// True when that time is only the file's modification time.
    pub is_assumed: bool,
    /// SHA-256 over the digests of the requests, hexadecimal.
    pub body_sha256: String,
}

/// One stretch of exposure. The true removal lies in `(last_seen_active, first_seen_inactive]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// The earliest time at which the right can have ended; `null` is unbounded.
    pub started_earliest: Option<Time>,
    /// The latest time at which the right can have ended; `null` is unbounded.
    pub started_latest: Option<Time>,
    /// The last look that showed the account on; `null` when it never was seen on.
    pub last_seen_active: Option<Time>,
    /// The first later look that showed it off; `null` while it is on.
    pub first_seen_inactive: Option<Time>,
    /// How long, at least and at most.
    pub bounds: Bounds,
}

/// A duration known to lie between two others, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// At least, rounded down.
    pub at_least_s: i64,
    /// At most, rounded up; `null` when there is no bound, or not yet.
    pub at_most_s: Option<i64>,
}

/// Was access removed in time, and what that was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlaResult {
    /// The word.
    pub outcome: SlaOutcome,
    /// From which event the clock ran.
    pub clock: ClockStart,
    /// The deadline at the latest possible start; `null` when no start is known.
    pub deadline_at: Option<Time>,
    /// The limit, with calendar and zone where it counts business days.
    pub limit: String,
    /// Version of the policy that set the limit.
    pub policy_version: u32,
    /// Why.
    pub because: String,
}

/// The reasons behind a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// For a reader in a hurry.
    pub summary: String,
    /// What was seen, where, and when.
    pub facts: Vec<Fact>,
    /// Which keys were tried, strongest first.
    pub trials: Vec<KeyTrial>,
    /// What is claimed from not seeing something.
    pub absences: Vec<String>,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What the row says.
    pub text: String,
    /// Where: system, list, and the row in it.
    pub source: String,
    /// As of when.
    pub at: Time,
}

/// One key that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyTrial {
    /// Which key.
    pub tier: Tier,
    /// Its value, as compared.
    pub value: String,
    /// What it gave.
    pub outcome: TrialOutcome,
    /// Whom it names, or why it was rejected; `null` when it gave nothing.
    pub detail: Option<String>,
}

/// What a key gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    /// It decided.
    Decided,
    /// It names the same owner as a stronger key.
    Agrees,
    /// It was rejected.
    Rejected,
    /// It matched nobody.
    NoMatch,
    /// The account or the identity does not carry it.
    NotStated,
}

impl Finding {
    pub(super) fn of(record: &FindingRecord) -> Self {
        let finding = &record.finding;
        let exposures: Vec<Exposure> = finding.exposures.iter().map(Exposure::of).collect();
        Self {
            id: finding.id.to_string(),
            fingerprint: finding.fingerprint.to_string(),
            app: finding.app.as_str().to_owned(),
            family: finding.family().into(),
            cause: finding.cause.into(),
            severity: finding.severity.into(),
            state: finding.state.into(),
            change: record.change.into(),
            because: record.because.clone(),
            next_action: record.next_action.clone(),
            subject: Subject {
                kind: finding.subject.kind.into(),
                system: finding.subject.system.as_str().to_owned(),
                key: finding.subject.key.to_string(),
            },
            person: Person {
                name: record.person.name.clone(),
                login: record.person.login.clone(),
                identities: record.person.identities.clone(),
            },
            episode: finding.episode,
            is_privileged: record.is_privileged,
            detected_at: Time(finding.detected_at),
            detected_run: finding.detected_run.0,
            clock_from: Time(finding.clock_from),
            grace_until: Time(finding.grace_until),
            opened_at: finding.opened_at.map(Time),
            last_seen_at: Time(finding.last_seen_at),
            state_until: finding.state_until.map(Time),
            resolved_at: finding.resolved_at.map(Time),
            resolution: finding.resolution.map(Resolution::from),
            n_reopened: finding.n_reopened,
            looks: finding.looks.iter().map(Look::of).collect(),
            exposure: Bounds::sum(&exposures),
            exposures,
            sla: record.sla.as_ref().map(SlaResult::of),
            explanation: Explanation::of(&record.explanation),
        }
    }

    /// Returns true when the last look at it showed the account on.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.exposures.last().is_some_and(|it| it.first_seen_inactive.is_none())
    }
}

impl Look {
    fn of(look: &domain::Look) -> Self {
        Self {
            system: look.stream.system.as_str().to_owned(),
            list: look.stream.list.into(),
            channel: look.stream.channel.map(Channel::from),
            as_of: Time(look.as_of),
            is_assumed: look.is_assumed,
            body_sha256: HEXLOWER.encode(&look.body_digest),
        }
    }
}

impl Exposure {
    fn of(exposure: &domain::Exposure) -> Self {
        Self {
            started_earliest: exposure.started.earliest.map(Time),
            started_latest: exposure.started.latest.map(Time),
            last_seen_active: exposure.last_seen_active.map(Time),
            first_seen_inactive: exposure.first_seen_inactive.map(Time),
            bounds: Bounds::of(exposure.at_least(), exposure.at_most()),
        }
    }
}

impl Bounds {
    /// Rounds outwards to whole seconds.
    pub(super) fn of(at_least: TimeDelta, at_most: Option<TimeDelta>) -> Self {
        Self {
            at_least_s: at_least.num_seconds(),
            at_most_s: at_most.map(|it| it.num_seconds() + i64::from(it.subsec_nanos() > 0)),
        }
    }

    /// All stretches together; `None` when there is none. One without an upper bound leaves
    /// the sum without one.
    fn sum(exposures: &[Exposure]) -> Option<Self> {
        let mut stretches = exposures.iter().map(|it| it.bounds);
        let first = stretches.next()?;
        Some(stretches.fold(first, |sum, it| Self {
            at_least_s: sum.at_least_s.saturating_add(it.at_least_s),
            at_most_s:
                sum.at_most_s.zip(it.at_most_s).map(|(some, more)| some.saturating_add(more)),
        }))
    }
}

impl SlaResult {
    fn of(sla: &domain::SlaResult) -> Self {
        Self {
            outcome: sla.outcome.into(),
            clock: sla.clock.into(),
            deadline_at: sla.deadline_at.map(Time),
            limit: sla.limit.clone(),
            policy_version: sla.policy_version,
            because: sla.because.clone(),
        }
    }
}

impl Explanation {
    fn of(explanation: &domain::Explanation) -> Self {
        Self {
            summary: explanation.summary.clone(),
            facts: explanation
                .facts
                .iter()
                .map(|it| Fact {
                    text: it.text.clone(),
                    source: it.source.clone(),
                    at: Time(it.at),
                })
                .collect(),
            trials: explanation.trials.iter().map(KeyTrial::of).collect(),
            absences: explanation.absences.clone(),
        }
    }
}

impl KeyTrial {
    fn of(trial: &domain::KeyTrial) -> Self {
        let (outcome, detail) = match &trial.outcome {
            domain::TrialOutcome::Decided(owner) => (TrialOutcome::Decided, Some(owner)),
            domain::TrialOutcome::Agrees(owner) => (TrialOutcome::Agrees, Some(owner)),
            domain::TrialOutcome::Rejected(why) => (TrialOutcome::Rejected, Some(why)),
            domain::TrialOutcome::NoMatch => (TrialOutcome::NoMatch, None),
            domain::TrialOutcome::NotStated => (TrialOutcome::NotStated, None),
        };
        Self {
            tier: trial.tier.into(),
            value: trial.value.clone(),
            outcome,
            detail: detail.cloned(),
        }
    }
}
