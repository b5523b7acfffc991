//! What a cause of a finding is made of. One file under `rules/` for each.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{Cause, Family, Severity};

use crate::case::Case;
use domain::{day_of, end_of_day};

/// A rule: what it is called, how much it matters, how long it waits, and what to say.
#[derive(Debug)]
pub struct Rule {
    /// Its cause, and with hyphens the name of its page under `docs/rules/`.
    pub cause: Cause,
    /// One line for lists, without a trailing period.
    pub title: &'static str,
    /// How much its findings matter unless the policy says otherwise.
    pub severity: Severity,
    /// How long it waits unless the policy says otherwise.
    pub grace: Grace,
    /// When it speaks.
    pub when: When,
    /// Says what is the matter, in a sentence or two.
    pub summary: fn(&Case<'_>) -> String,
    /// What to do next, in a sentence. [`Rule::next`] says it of one case.
    pub next_action: &'static str,
}

/// When a rule speaks.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// Exactly when the verdict is its cause.
    Verdict,
    /// Beside the verdict, when this holds. Returns how severe, and how long it waits.
    Beside(fn(&Case<'_>) -> Option<(Severity, Grace)>),
}

/// How long a finding waits before it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// Not at all.
    None,
    /// That many hours.
    Hours(i64),
    /// To the end of the day on which the clock began, in the policy's zone.
    EndOfDay,
}

/// What to do about access that is missing of somebody who has left by another source.
const SETTLE: &str = "Settle which source is right; give no access meanwhile. If they have left, take the \
                      assignment away.";

impl Rule {
    /// What to do next, in a sentence. `has_left_elsewhere`: another source says that the owner has left.
    #[must_use]
    pub fn next(&self, has_left_elsewhere: bool) -> &'static str {
        match self.cause.family() {
            Family::AccessMissing if has_left_elsewhere => SETTLE,
            _ => self.next_action,
        }
    }

    /// Severity and grace of one case: the rule's own, changed by the policy, one step graver and
    /// a quarter as long for a privileged account.
    #[must_use]
    pub fn weigh(&self, case: &Case<'_>, clock_from: DateTime<Utc>) -> (Severity, DateTime<Utc>) {
        let policy = case.cx.policy;
        let own = match self.when {
            When::Verdict => None,
            When::Beside(when) => when(case),
        };
        let (severity, grace) = own.unwrap_or((self.severity, self.grace));
        let severity = policy.severity.get(&self.cause).copied().unwrap_or(severity);
        let until = match policy.grace.get(&self.cause) {
            Some(grace) => clock_from + *grace,
            None => grace.until(clock_from, policy.zone),
        };
        if policy.is_immediate {
            return (
                if case.is_privileged() == Some(true) { severity.raised() } else { severity },
                clock_from,
            );
        }
        match case.is_privileged() {
            Some(true) => (severity.raised(), clock_from + (until - clock_from) / 4),
            Some(false) | None => (severity, until),
        }
    }
}

impl Grace {
    /// When it ends, counted from `clock_from`.
    #[must_use]
    pub fn until(self, clock_from: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::None => clock_from,
            Self::Hours(hours) => clock_from + TimeDelta::hours(hours),
            Self::EndOfDay => end_of_day(day_of(clock_from, zone), zone)
                .unwrap_or(clock_from + TimeDelta::days(1)),
        }
    }
}

/// The rule of a cause.
#[must_use]
pub fn rule(cause: Cause) -> &'static Rule {
    let found = crate::rules::RULES.iter().find(|it| it.cause == cause);
    // A test holds that every cause has its rule.
    found.copied().unwrap_or(&crate::rules::leaver_active::RULE)
}

/// Hours in a day, for graces that are counted in days.
pub(crate) const DAY_H: i64 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_to_the_end_of_the_day_is_no_day_longer_for_who_states_days() {
        let until = |from: &str| {
            let until = Grace::EndOfDay.until(from.parse().unwrap(), Tz::Europe__Berlin);
            until.to_rfc3339()
        };
        // The 20th, by an hour of it, and as a day: that one is over at midnight.
        assert_eq!(until("2026-11-20T16:00:00Z"), "2026-11-20T23:00:00+00:00");
        assert_eq!(until("2026-11-20T23:00:00Z"), "2026-11-20T23:00:00+00:00");
    }
}
