//! Was access removed in time? From bounds, never from a guess.

use chrono::{DateTime, Utc};
use domain::{Cause, ClockStart, Exposure, Interval, SlaOutcome, SlaResult};

use crate::policy::Policy;
use crate::starts::Starts;

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
    // Seen to be over before any clock ran: between two looks, of which the second is known.
    if let Some(by) = starts.missed_by.filter(|by| known.is_some_and(|it| it > *by)) {
        return Interval { earliest: None, latest: Some(by) };
    }
    let is_idps =
        matches!(policy.sla_clock, ClockStart::IdpDeactivated | ClockStart::EarliestKnown);
    match (known, starts.between) {
        // Whichever came first: the clock that is known, or what happened between two looks.
        (Some(at), Some(between)) if is_idps => Interval {
            earliest: between.earliest.map(|it| it.min(at)),
            latest: Some(between.latest.map_or(at, |it| it.min(at))),
        },
        // It was over by an earlier look, and may have been before the clock that is known.
        (Some(at), None) if is_idps && starts.missed_by.is_some() => {
            Interval { earliest: None, latest: Some(at) }
        }
        (Some(at), _) => Interval { earliest: Some(at), latest: Some(at) },
        (None, Some(between)) => between,
        (None, None) => Interval { earliest: None, latest: starts.earliest().or(seen_at) },
    }
}

/// The result over all stretches of one finding, as of `now`. `exceptions` are its waivers, each from
/// when it was approved to when it ends: one that is in force at the deadline puts it off until it ends.
#[must_use]
pub fn sla(
    policy: &Policy,
    cause: Cause,
    exposures: &[Exposure],
    exceptions: &[(DateTime<Utc>, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> SlaResult {
    let latest = exposures.last().and_then(|it| it.started.latest);
    let result = |outcome, because: String| SlaResult {
        outcome,
        clock: policy.sla_clock,
        deadline_at: latest
            .filter(|_| outcome != SlaOutcome::OutOfScope)
            .map(|it| policy.deadline(it)),
        limit: policy.calendar.describe(&policy.sla),
        policy_version: policy.version,
        because,
    };
    if matches!(cause, Cause::SuspendedActive | Cause::AccessInvited) {
        let why = "the limit is for people who lost the right, not for suspensions and invitations";
        return result(SlaOutcome::OutOfScope, why.to_owned());
    }
    let Some(last) = exposures.last() else {
        return result(SlaOutcome::NotProven, "no exposure was seen".to_owned());
    };
    let stretches: Vec<SlaOutcome> =
        exposures.iter().map(|it| of_stretch(policy, it, exceptions, now)).collect();
    let any = |outcome| stretches.contains(&outcome);
    if any(SlaOutcome::Missed) {
        let is_excused = |it: &Exposure| {
            it.started.latest.is_some_and(|it| {
                let due = policy.deadline(it);
                put_off(due, exceptions) > due
            })
        };
        let why = match exposures.iter().any(is_excused) {
            true => "seen active after the deadline, and after the exceptions that put it off",
            false => "seen active at or after the deadline, counted from the latest possible start",
        };
        return result(SlaOutcome::Missed, why.to_owned());
    }
    if any(SlaOutcome::NotProven) {
        let mut why = why_not_proven(last).to_owned();
        let due = last.started.latest.map(|it| policy.deadline(it));
        if let Some(until) = due.map(|it| put_off(it, exceptions)).filter(|it| Some(*it) > due) {
            let until = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            why.push_str(&format!("; an exception puts the deadline off to {until}"));
        }
        return result(SlaOutcome::NotProven, why);
    }
    if any(SlaOutcome::Exception) {
        let why = "an exception was approved before the deadline";
        return result(SlaOutcome::Exception, why.to_owned());
    }
    let why = "first seen inactive before the deadline, counted from the earliest possible start";
    result(SlaOutcome::Met, why.to_owned())
}

/// What one stretch shows by itself.
fn of_stretch(
    policy: &Policy,
    stretch: &Exposure,
    exceptions: &[(DateTime<Utc>, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> SlaOutcome {
    let at_the_latest = stretch.started.latest.map(|it| put_off(policy.deadline(it), exceptions));
    if at_the_latest.zip(stretch.last_seen_active).is_some_and(|(due, seen)| seen >= due) {
        return SlaOutcome::Missed;
    }
    let Some(due) = stretch.started.earliest.map(|it| policy.deadline(it)) else {
        return SlaOutcome::NotProven;
    };
    let off = stretch.first_seen_inactive;
    if off.is_some_and(|it| it <= due) {
        return SlaOutcome::Met;
    }
    let until = put_off(due, exceptions);
    let is_excused = until > due && off.map_or(now < until, |it| it <= until);
    if is_excused { SlaOutcome::Exception } else { SlaOutcome::NotProven }
}

/// Until when a deadline is put off: to the end of the last of the exceptions that follow on it
/// without a gap. An exception that is not in force at the deadline puts nothing off.
fn put_off(
    deadline: DateTime<Utc>,
    exceptions: &[(DateTime<Utc>, DateTime<Utc>)],
) -> DateTime<Utc> {
    let mut until = deadline;
    // Each time round one more of them is used up.
    for _ in exceptions {
        let in_force = exceptions.iter().filter(|it| it.0 <= until && until < it.1);
        let Some(ends_at) = in_force.map(|it| it.1).max() else { break };
        until = ends_at;
    }
    until
}

fn why_not_proven(last: &Exposure) -> &'static str {
    match (last.started.earliest, last.first_seen_inactive) {
        (None, _) => "the source does not say when the right ended: found when it was first seen",
        (Some(_), None) => {
            "the deadline has not passed in what was seen, and the account is still on"
        }
        (Some(_), Some(_)) => "no look at the account falls between its removal and the deadline",
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use domain::SlaLimit;

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
            let result = sla(&policy, Cause::LeaverActive, &[exposure], &[], at(50));
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
            sla(&policy, Cause::LeaverActive, &[exposure], &[], off)
        };
        // To the end of Monday, 1970-01-05.
        assert_eq!(removed_after(81).outcome, SlaOutcome::Met);
        assert_eq!(removed_after(82).outcome, SlaOutcome::Missed);
        let result = removed_after(81);
        assert_eq!(result.deadline_at, Some(DateTime::UNIX_EPOCH + TimeDelta::days(5)));
        assert_eq!(result.limit, "1 business day (Mon Tue Wed Thu Fri, 0 holidays, UTC)");
    }

    #[test]
    fn an_exception_puts_off_the_deadline_at_which_it_is_in_force_until_it_ends() {
        #[rustfmt::skip]
        let table = [
            // approved, ends        | on | off     | now | result                  | case
            (&[(24, 90)][..],          48,  None,      49,  SlaOutcome::Exception,    "approved at the deadline"),
            (&[(25, 90)][..],          48,  None,      49,  SlaOutcome::Missed,       "approved after the deadline"),
            (&[(-900, -600)][..],      48,  None,      49,  SlaOutcome::Missed,       "ended long before"),
            (&[(2, 24)][..],           48,  None,      49,  SlaOutcome::Missed,       "ended by the deadline"),
            (&[(2, 90)][..],           90,  None,      91,  SlaOutcome::Missed,       "access went on when it had ended"),
            (&[(2, 90)][..],           48,  None,      90,  SlaOutcome::NotProven,    "it has ended, and nobody has looked since"),
            (&[(2, 90)][..],           48,  Some(90),  200, SlaOutcome::Exception,    "off by its end"),
            (&[(2, 90)][..],           48,  Some(95),  200, SlaOutcome::NotProven,    "off some time between, perhaps by its end"),
            (&[(2, 90)][..],           12,  Some(20),  200, SlaOutcome::Met,          "not needed"),
            (&[(80, 200), (2, 90)][..],150, None,      151, SlaOutcome::Exception,    "renewed in time"),
            (&[(95, 200), (2, 90)][..],150, None,      151, SlaOutcome::Missed,       "renewed too late"),
        ];
        for (exceptions, on, off, now, outcome, case) in table {
            let exposure = Exposure {
                started: Interval { earliest: Some(at(0)), latest: Some(at(0)) },
                last_seen_active: Some(at(on)),
                first_seen_inactive: off.map(at),
            };
            let waivers: Vec<_> = exceptions.iter().map(|it| (at(it.0), at(it.1))).collect();
            let policy = Policy::default();
            let result = sla(&policy, Cause::LeaverActive, &[exposure], &waivers, at(now));
            assert_eq!(result.outcome, outcome, "{case}");
        }
    }

    #[test]
    fn each_stretch_is_held_to_its_own_deadline_and_excused_by_its_own_exception() {
        let stretch = |start, on, off: Option<i64>| Exposure {
            started: Interval { earliest: Some(at(start)), latest: Some(at(start)) },
            last_seen_active: Some(at(on)),
            first_seen_inactive: off.map(at),
        };
        let outcome = |exposures: &[Exposure]| {
            let waiver = (at(10), at(100));
            sla(&Policy::default(), Cause::LeaverActive, exposures, &[waiver], at(1_000)).outcome
        };
        let (excused, late) = (stretch(0, 48, Some(50)), stretch(300, 400, Some(401)));
        let in_time = stretch(500, 501, Some(502));
        assert_eq!(outcome(&[excused, in_time]), SlaOutcome::Exception);
        assert_eq!(outcome(&[in_time, in_time]), SlaOutcome::Met);
        assert_eq!(outcome(&[late, in_time]), SlaOutcome::Missed);
        // Missed without an exception, and again with one.
        assert_eq!(outcome(&[stretch(-300, -200, Some(-190)), excused]), SlaOutcome::Missed);
    }

    #[test]
    fn an_exception_to_a_deadline_that_nobody_knows_makes_it_neither_kept_nor_missed() {
        let exposure = Exposure {
            started: Interval { earliest: None, latest: Some(at(0)) },
            last_seen_active: Some(at(48)),
            first_seen_inactive: None,
        };
        let outcome = |exceptions: &[_]| {
            let policy = Policy::default();
            sla(&policy, Cause::LeaverActive, &[exposure], exceptions, at(49)).outcome
        };
        assert_eq!(outcome(&[]), SlaOutcome::Missed);
        assert_eq!(outcome(&[(at(2), at(90))]), SlaOutcome::NotProven);
    }
}
