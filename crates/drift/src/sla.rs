//! Was access removed in time? From bounds, never from a guess.

use chrono::{DateTime, Utc};
use domain::{Cause, ClockStart, Exposure, Interval, SlaOutcome, SlaResult};

use crate::policy::Policy;
use crate::right::Starts;

/// When exposure began, by the policy's clock. `seen_at` bounds it where no clock is known: it
/// was on then, and should not have been.
#[must_use]
pub fn started(policy: &Policy, starts: &Starts, seen_at: Option<DateTime<Utc>>) -> Interval {
    let known = match policy.sla_clock {
        ClockStart::HrTermination => starts.hr,
        ClockStart::IdpDeactivated => starts.deactivated,
        ClockStart::IdpUnassigned => starts.unassigned,
        ClockStart::EarliestKnown => starts.earliest(),
    };
    let is_hr = matches!(policy.sla_clock, ClockStart::HrTermination | ClockStart::EarliestKnown);
    if let Some(struck_out) = starts.struck_out.filter(|_| is_hr) {
        return Interval { earliest: Some(struck_out), latest: starts.earliest() };
    }
    match (known, starts.between) {
        (Some(at), _) => Interval { earliest: Some(at), latest: Some(at) },
        (None, Some(between)) => between,
        (None, None) => Interval { earliest: None, latest: starts.earliest().or(seen_at) },
    }
}

/// The result over all stretches of one finding. `exceptions` are its waivers, each from when it was
/// approved to when it ends: one that is not in force at the deadline excuses nothing.
#[must_use]
pub fn sla(
    policy: &Policy,
    cause: Cause,
    exposures: &[Exposure],
    exceptions: &[(DateTime<Utc>, DateTime<Utc>)],
) -> SlaResult {
    let result = |outcome, deadline_at, because: String| SlaResult {
        outcome,
        clock: policy.sla_clock,
        deadline_at,
        limit: policy.calendar.describe(&policy.sla),
        policy_version: policy.version,
        because,
    };
    if matches!(cause, Cause::SuspendedActive | Cause::AccessInvited) {
        let why = "the limit is for people who lost the right, not for suspensions and invitations";
        return result(SlaOutcome::OutOfScope, None, why.to_owned());
    }
    let Some(last) = exposures.last() else {
        return result(SlaOutcome::NotProven, None, "no exposure was seen".to_owned());
    };
    let deadline = |start: Option<DateTime<Utc>>| start.map(|it| policy.deadline(it));
    let latest = deadline(last.started.latest);
    let is_in_force = |at: DateTime<Utc>| {
        exceptions.iter().any(|(approved_at, ends_at)| *approved_at <= at && at < *ends_at)
    };
    if deadline(last.started.earliest).is_some_and(is_in_force) {
        let why = "an exception was approved before the deadline";
        return result(SlaOutcome::Exception, latest, why.to_owned());
    }
    let missed = exposures.iter().any(|it| is_missed(it, policy));
    if missed {
        let why = "seen active at or after the deadline, counted from the latest possible start";
        return result(SlaOutcome::Missed, latest, why.to_owned());
    }
    if exposures.iter().all(|it| is_met(it, policy)) {
        let why =
            "first seen inactive before the deadline, counted from the earliest possible start";
        return result(SlaOutcome::Met, latest, why.to_owned());
    }
    let why = match (last.started.earliest, last.first_seen_inactive) {
        (None, _) => "the source does not say when the right ended: found when it was first seen",
        (Some(_), None) => {
            "the deadline has not passed in what was seen, and the account is still on"
        }
        (Some(_), Some(_)) => "no look at the account falls between its removal and the deadline",
    };
    result(SlaOutcome::NotProven, latest, why.to_owned())
}

fn is_missed(exposure: &Exposure, policy: &Policy) -> bool {
    match (exposure.started.latest, exposure.last_seen_active) {
        (Some(start), Some(seen)) => seen >= policy.deadline(start),
        _ => false,
    }
}

fn is_met(exposure: &Exposure, policy: &Policy) -> bool {
    match (exposure.started.earliest, exposure.first_seen_inactive) {
        (Some(start), Some(off)) => off <= policy.deadline(start),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::calendar::SlaLimit;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    #[test]
    fn bounds_decide_and_nothing_else_does() {
        #[rustfmt::skip]
        let table = [
            // started, h          | last on | first off | result                  | case
            ((Some(0), Some(0)),     Some(2),  Some(20),   SlaOutcome::Met,          "removed within the limit"),
            ((Some(0), Some(0)),     Some(20), Some(24),   SlaOutcome::Met,          "at the deadline"),
            ((Some(0), Some(0)),     Some(24), None,       SlaOutcome::Missed,       "seen on at the deadline"),
            ((Some(0), Some(0)),     Some(20), Some(30),   SlaOutcome::NotProven,    "off some time between, perhaps in time"),
            ((Some(0), Some(0)),     Some(20), None,       SlaOutcome::NotProven,    "still on, the deadline ahead"),
            ((Some(0), Some(12)),    Some(30), None,       SlaOutcome::NotProven,    "late from one start, not from the other"),
            ((Some(0), Some(12)),    Some(36), None,       SlaOutcome::Missed,       "late from every start"),
            ((Some(0), Some(12)),    Some(13), Some(30),   SlaOutcome::NotProven,    "in time from one start only"),
            ((None,    Some(12)),    Some(13), Some(14),   SlaOutcome::NotProven,    "no earliest start is known"),
            ((None,    Some(12)),    Some(40), None,       SlaOutcome::Missed,       "late even from the latest start"),
            ((None,    None),        Some(40), None,       SlaOutcome::NotProven,    "no start at all"),
        ];
        for ((earliest, latest), on, off, outcome, case) in table {
            let exposure = Exposure {
                started: Interval { earliest: earliest.map(at), latest: latest.map(at) },
                last_seen_active: on.map(at),
                first_seen_inactive: off.map(at),
            };
            let policy = Policy::default();
            let result = sla(&policy, Cause::LeaverActive, &[exposure], &[]);
            assert_eq!(result.outcome, outcome, "{case}");
        }
    }

    #[test]
    fn a_limit_of_business_days_is_kept_over_a_weekend() {
        let friday = DateTime::UNIX_EPOCH + TimeDelta::days(1) + TimeDelta::hours(15);
        let policy = Policy { sla: SlaLimit::BusinessDays(1), ..Policy::default() };
        let removed_after = |hours| {
            let start = Interval { earliest: Some(friday), latest: Some(friday) };
            let off = friday + TimeDelta::hours(hours);
            let exposure = Exposure {
                started: start,
                last_seen_active: Some(off - TimeDelta::minutes(10)),
                first_seen_inactive: Some(off),
            };
            sla(&policy, Cause::LeaverActive, &[exposure], &[])
        };
        // To the end of Monday, 1970-01-05.
        assert_eq!(removed_after(81).outcome, SlaOutcome::Met);
        assert_eq!(removed_after(82).outcome, SlaOutcome::Missed);
        let result = removed_after(81);
        assert_eq!(result.deadline_at, Some(DateTime::UNIX_EPOCH + TimeDelta::days(5)));
        assert_eq!(result.limit, "1 business day (Mon Tue Wed Thu Fri, 0 holidays, UTC)");
    }

    #[test]
    fn an_exception_counts_only_when_approved_before_the_deadline_and_in_force_at_it() {
        let exposure = Exposure {
            started: Interval { earliest: Some(at(0)), latest: Some(at(0)) },
            last_seen_active: Some(at(48)),
            first_seen_inactive: None,
        };
        let outcome = |approved, ends| {
            let waiver = (at(approved), at(ends));
            sla(&Policy::default(), Cause::LeaverActive, &[exposure], &[waiver]).outcome
        };
        assert_eq!(outcome(24, 90), SlaOutcome::Exception);
        assert_eq!(outcome(25, 90), SlaOutcome::Missed);
        assert_eq!(outcome(-900, -600), SlaOutcome::Missed, "ended long before");
        assert_eq!(outcome(2, 24), SlaOutcome::Missed, "ended by the deadline");
    }
}
