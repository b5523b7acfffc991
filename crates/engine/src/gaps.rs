//! What was not watched: runs that were due and did not take place, and systems that are watched
//! no more. Says so; decides nothing about people.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{Severity, SystemId, Turn, Watcher, WatcherFinding, counted};
use store::State;

use crate::plan::Plan;
use crate::schedule::MISSED_MAX;

/// A run that begins later than this after its due time is told as late: longer than a run that
/// went before it should take, and than any jitter.
const LATE_MIN: TimeDelta = TimeDelta::hours(1);

/// Findings about what this run makes up for, and about what it does not look at any more.
pub(crate) fn gaps(plan: &Plan, state: &State, now: DateTime<Utc>) -> Vec<WatcherFinding> {
    let mut found = Vec::new();
    found.extend(plan.turn.as_ref().and_then(missed));
    found.extend(dropped(plan, state, now).into_iter().map(|system| WatcherFinding {
        kind: Watcher::CoverageDropped,
        severity: Severity::Medium,
        text: format!("{system} was read by the run before, and the settings name it no more"),
        next_action: "If that is not meant, name it in the settings again.".to_owned(),
        system: Some(system),
        root: None,
    }));
    found
}

/// Due times that had no run, and a run that comes late.
fn missed(turn: &Turn) -> Option<WatcherFinding> {
    let time = |it: DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Secs, true);
    let late = turn.began - turn.due;
    let (severity, text) = match (turn.n_missed, turn.first_missed) {
        (n, Some(first)) if n > 0 => {
            let at_least = if n >= MISSED_MAX { "at least " } else { "" };
            let text = format!(
                "{at_least}{} did not take place, the first due at {}; this one began at {}",
                counted(n, "scheduled run"),
                time(first),
                time(turn.began)
            );
            (Severity::High, text)
        }
        _ if late > LATE_MIN => {
            let (due, began) = (time(turn.due), time(turn.began));
            (Severity::Medium, format!("the run due at {due} began at {began}"))
        }
        _ => return None,
    };
    Some(WatcherFinding {
        kind: Watcher::RunMissed,
        system: None,
        severity,
        text,
        next_action: "Find out why driftline was not running, or what kept its runs from ending: \
                      its log says when it began and ended."
            .to_owned(),
        root: None,
    })
}

/// Systems that the run before saw and that this one has no source for. Told as long as what was
/// seen of them would still count.
fn dropped(plan: &Plan, state: &State, now: DateTime<Utc>) -> BTreeSet<SystemId> {
    let is_planned = |system: &SystemId| plan.sources.iter().any(|it| it.system() == system);
    let recent = state.streams.iter().filter(|(_, it)| {
        let seen = it.latest.as_ref().map(|it| it.as_of.at);
        seen.is_some_and(|it| now - it <= plan.policy.max_age)
    });
    recent.map(|it| it.0.system.clone()).filter(|it| !is_planned(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn missed_and_late_runs_are_told_and_others_are_not() {
        let turn = |began: &str, n_missed, first: Option<&str>| Turn {
            due: at("2026-11-26T01:00:00Z"),
            began: at(began),
            n_missed,
            first_missed: first.map(at),
            schedule: String::new(),
        };
        for (turn, told) in [
            (turn("2026-11-26T01:04:59Z", 0, None), None),
            (
                turn("2026-11-26T08:00:00Z", 0, None),
                Some("the run due at 2026-11-26T01:00:00Z began at 2026-11-26T08:00:00Z"),
            ),
            (
                turn("2026-11-26T08:00:00Z", 2, Some("2026-11-24T01:00:00Z")),
                Some(
                    "2 scheduled runs did not take place, the first due at 2026-11-24T01:00:00Z; \
                     this one began at 2026-11-26T08:00:00Z",
                ),
            ),
            (
                turn("2026-11-26T01:00:00Z", MISSED_MAX, Some("2025-11-24T01:00:00Z")),
                Some(
                    "at least 10000 scheduled runs did not take place, the first due at \
                     2025-11-24T01:00:00Z; this one began at 2026-11-26T01:00:00Z",
                ),
            ),
        ] {
            assert_eq!(missed(&turn).map(|it| it.text).as_deref(), told);
        }
    }
}
