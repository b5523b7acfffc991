//! Soft holds: more changes of findings in one run, or in a week, than can be believed.
//!
//! Only what was not seen opens in a mass by mistake, and a list that is wrong closes in a mass: so
//! claims from absence and closings are counted, and people's words are not.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Changes, Digest, Direction, Finding, FindingId, Hold, SystemId};
use rustc_hash::FxHashSet;
use sha2::{Digest as _, Sha256};

use crate::policy::Guard;

/// Days whose changes tell what is usual.
pub const USUAL_DAYS: i64 = 30;
/// Days whose changes are summed up.
const WEEK_DAYS: i64 = 7;
/// Usual days that one run may be worth.
const USUAL_TIMES: u64 = 6;

/// What one run is about to change in one app, and what it may.
#[derive(Debug)]
pub(crate) struct Allowance<'a> {
    pub(crate) guard: &'a Guard,
    pub(crate) app: &'a SystemId,
    /// Accounts that the app lists.
    pub(crate) n_accounts: u64,
    /// What earlier runs changed.
    pub(crate) history: &'a [Changes],
    pub(crate) now: DateTime<Utc>,
}

impl Allowance<'_> {
    /// Why so many changes are too many; `None` when they are not.
    pub(crate) fn why_too_many(&self, direction: Direction, n: u64) -> Option<String> {
        if n == 0 {
            return None;
        }
        let most = self.most(direction);
        if n > most {
            return Some(format!("{n} in this run, and at most {most} are let through"));
        }
        let past = self.in_days(direction, WEEK_DAYS).iter().sum::<u64>();
        let week = self.share(self.guard.week_max_percent).max(self.guard.week_min);
        (past + n > week).then(|| {
            format!("{n} in this run after {past} in {WEEK_DAYS} days, and at most {week} are let through")
        })
    }

    /// How many one run may change.
    fn most(&self, direction: Direction) -> u64 {
        let usual = median(self.in_days(direction, USUAL_DAYS)) * USUAL_TIMES;
        let share = self.share(self.guard.run_max_percent).min(usual.max(self.share(1)));
        share.max(self.guard.run_min)
    }

    fn share(&self, percent: u32) -> u64 {
        self.n_accounts * u64::from(percent) / 100
    }

    /// The changes of each of the last days that had a run.
    fn in_days(&self, direction: Direction, n_days: i64) -> Vec<u64> {
        let mut days: std::collections::BTreeMap<i64, u64> = std::collections::BTreeMap::new();
        for it in self.history.iter().filter(|it| it.app == *self.app) {
            let day = (self.now - it.at).num_seconds().div_euclid(TimeDelta::days(1).num_seconds());
            if (0..n_days).contains(&day) {
                *days.entry(day).or_default() += it.count(direction);
            }
        }
        days.into_values().collect()
    }
}

fn median(mut counts: Vec<u64>) -> u64 {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}

/// What the guard holds, as findings stand: one hold for each app and direction, in that order.
#[must_use]
pub fn holds(findings: &[Finding]) -> Vec<(Hold, Vec<FindingId>)> {
    let apps: std::collections::BTreeSet<&SystemId> = findings.iter().map(|it| &it.app).collect();
    let each = apps.into_iter().flat_map(|app| Direction::ALL.iter().map(move |it| (app, *it)));
    each.filter_map(|(app, direction)| {
        let held: Vec<&Finding> =
            findings.iter().filter(|it| it.app == *app && it.held == Some(direction)).collect();
        let n = u64::try_from(held.len()).unwrap_or(u64::MAX);
        let digest = digest(app, direction, &held);
        let hold = Hold { app: app.clone(), direction, n, digest, because: String::new() };
        (n > 0).then(|| (hold, held.iter().map(|it| it.id).collect()))
    })
    .collect()
}

fn digest(app: &SystemId, direction: Direction, held: &[&Finding]) -> Digest {
    let prints = held.iter().map(|it| it.fingerprint).collect();
    Sha256::digest(Hold::digested(app, direction, prints)).into()
}

/// The findings that releases in force let through.
#[must_use]
pub fn released(releases: &[domain::Release], now: DateTime<Utc>) -> FxHashSet<FindingId> {
    let in_force = releases.iter().filter(|it| it.is_in_force(now));
    in_force
        .flat_map(|it| match &it.what {
            domain::Released::Changes { findings, .. } => findings.as_slice(),
            domain::Released::List { .. } => &[],
        })
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_decides_within_bounds() {
        let app = SystemId::parse("app").unwrap();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(100);
        #[rustfmt::skip]
        let table = [
            // accounts | each day | now | let through | case
            (     100,      0,       20,   true,  "twenty are always let through"),
            (     100,      0,       21,   false, "in a small app no more"),
            (  10_000,      0,      100,   true,  "one percent of a big one"),
            (  10_000,      0,      101,   false, "no more where nothing is usual"),
            (  10_000,     50,      300,   true,  "six times the usual"),
            (  10_000,     50,      301,   false, "and no more"),
            (  10_000,    100,      500,   true,  "five percent"),
            (  10_000,    100,      501,   false, "are the most, however much is usual"),
            (     100,      5,        5,   true,  "forty in a week"),
            (     100,      5,        6,   false, "and no more"),
        ];
        for (n_accounts, each_day, n, is_let_through, case) in table {
            let history: Vec<Changes> = (1..=30)
                .map(|day| Changes {
                    app: app.clone(),
                    at: now - TimeDelta::days(day) + TimeDelta::minutes(1),
                    n_openings: each_day,
                    n_closings: 1_000,
                })
                .collect();
            let guard = Guard::default();
            let allowance =
                Allowance { guard: &guard, app: &app, n_accounts, history: &history, now };
            let why = allowance.why_too_many(Direction::Openings, n);
            assert_eq!(why.is_none(), is_let_through, "{case}: {why:?}");
        }
    }
}
