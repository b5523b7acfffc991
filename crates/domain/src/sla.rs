//! Was access removed in time?

use chrono::{DateTime, Utc};

use crate::calendar::{Calendar, SlaLimit};
use crate::named;

named! {
    /// The word an auditor reads. Never `Met` without an observation.
    pub enum SlaOutcome {
        /// First seen inactive at or before the deadline, counted from the earliest possible start.
        Met = "met",
        /// Seen active at or after the deadline, counted from the latest possible start.
        Missed = "missed",
        /// What was seen supports neither.
        NotProven = "not_proven",
        /// Approved before the deadline.
        Exception = "exception",
        /// The policy does not apply, with the reason beside it.
        OutOfScope = "out_of_scope",
    }
}

named! {
    /// From which event the clock runs.
    pub enum ClockStart {
        /// HR's last day.
        HrTermination = "hr_termination_at",
        /// The IdP deactivated the identity.
        IdpDeactivated = "idp_deactivated_at",
        /// The IdP took the app away.
        IdpUnassigned = "idp_unassigned_at",
        /// The earliest of those that are known.
        EarliestKnown = "earliest_known",
    }
}

/// What a leaver is held to: the policy of the run that found them. A policy that is changed later
/// changes no result of those who had left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaTerms {
    /// From which event the clock runs.
    pub clock: ClockStart,
    /// Access must be off within this time.
    pub limit: SlaLimit,
    /// The business days that such a limit counts.
    pub calendar: Calendar,
    /// Version of the policy.
    pub policy_version: u32,
}

/// The result, with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaResult {
    /// The word.
    pub outcome: SlaOutcome,
    /// Which clock was used.
    pub clock: ClockStart,
    /// The deadline at the latest possible start; `None` when no start is known.
    pub deadline_at: Option<DateTime<Utc>>,
    /// The limit, with calendar and zone where it counts business days.
    pub limit: String,
    /// Version of the policy that set the limit.
    pub policy_version: u32,
    /// Why, in a sentence.
    pub because: String,
}
