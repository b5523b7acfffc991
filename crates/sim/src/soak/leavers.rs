//! Compares what is on record of leavers with the truth, when it is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{ClockStart, Exposure, Leaver, LeaverAccount, Pass, SlaOutcome};
use drift::Policy;
use store::LeaverLine;

use super::check::Look;
use super::console::{self, account_of};
use super::provider::Provider;
use super::truth::{Right, Truth, has_not_left};

/// So far may a look and what it shows be apart; and `clock_ahead` more, by the provider's clock.
const LOOK: TimeDelta = TimeDelta::minutes(1);

/// Compares all that is on record of leavers after a run, and remembers whose leaves are `past`.
pub(super) fn compare_leavers(
    look: &Look<'_>,
    lines: &[LeaverLine],
    past: &mut Past,
) -> Vec<String> {
    let mut problems = false_records(look, lines);
    problems.extend(left_out(look, lines));
    problems.extend(forgotten(lines, look.policy, past));
    problems
}

/// What a run put on record of leavers, of all `lines`, and that is not so.
fn false_records(look: &Look<'_>, lines: &[LeaverLine]) -> Vec<String> {
    let (truth, now, slack) = (look.truth, look.record.now, look.clock_ahead + LOOK);
    let written = lines.iter().filter(|it| it.run == look.record.id).map(|it| &it.leaver);
    let mut problems = Vec::new();
    let is_clear = |it: &&Leaver| !truth.is_unclear(&it.person.key);
    for leaver in written.filter(|it| it.returned_at.is_none()).filter(is_clear) {
        for account in leaver.accounts.iter().filter(|it| it.tier.is_some()) {
            let record = Record { truth, policy: look.policy, leaver, account, now, slack };
            problems.extend(record.problem().map(|what| {
                let (key, sla) = (&leaver.person.key, leaver.sla.outcome);
                format!("RECORD of {key}, {sla}, {}: {what}: {leaver:?}", account.key)
            }));
        }
    }
    problems
}

/// Whom a full run that saw everything left out of all leavers, although they have left since an earlier one
/// saw them.
fn left_out(look: &Look<'_>, lines: &[LeaverLine]) -> Vec<String> {
    let (truth, from, until) = (look.truth, look.began_at, look.record.now);
    if !look.is_undisturbed || look.record.pass != Pass::Full {
        return Vec::new();
    }
    let gone = lines.iter().map(|it| &it.leaver).filter(|it| it.returned_at.is_none());
    let listed: BTreeSet<&str> = gone.map(|it| &*it.person.key).collect();
    let is_gone = |user: &str| {
        let at = |at| truth.right(user, at) == Some(Right::Leaver) && truth.is_out(user, at);
        at(from) && at(until)
    };
    let is_listed = |user: &str| {
        let number = truth.numbers.get(user).map(String::as_str);
        truth.users_of(user).chain(number).any(|it| listed.contains(it))
    };
    // Of whom nobody asks, because no account of theirs is on or they are in files, it is not known that
    // they were deleted: they may be back with another provider.
    let is_back = |user: &str| {
        let mut theirs = truth.users_of(user);
        let is_theirs =
            |it: &str| truth.owner(it, until).is_some_and(|it| truth.is_same_person(it, user));
        let mut accounts = look.world.app.accounts.iter();
        let is_on = accounts.any(|it| console::is_on(look.world, it) && is_theirs(&it.id));
        let is_asked = is_on && Provider::of(user) != Provider::Exports;
        !is_asked && theirs.any(|it| has_not_left(look.world, it))
    };
    let is_left_out =
        |it: &&String| is_gone(it) && !is_back(it) && !is_listed(it) && !truth.is_unclear(it);
    let left_out = look.seen_here.iter().filter(is_left_out);
    left_out.map(|it| format!("LEFT OUT of the leavers: {it}")).collect()
}

/// A leave of somebody who was back since: whose, which employment, which leave of it; and when it was found.
pub(super) type Past = BTreeMap<(String, u32, u32), DateTime<Utc>>;

/// Leaves of which somebody was back, after so long that they count, and that are on record no more.
fn forgotten(lines: &[LeaverLine], policy: &Policy, past: &mut Past) -> Vec<String> {
    let found_at: Past = lines
        .iter()
        .map(|it| &it.leaver)
        .map(|it| ((it.person.key.to_string(), it.episode, it.leave), it.found_at))
        .collect();
    let is_lost = |(leave, at): &(&(String, u32, u32), &DateTime<Utc>)| {
        found_at.get(leave).is_none_or(|it| it != *at)
    };
    let lost = past.iter().filter(is_lost);
    let lost = lost.map(|(it, at)| format!("FORGOTTEN leave {it:?}, found at {at}")).collect();
    let is_past = |it: &&LeaverLine| {
        let leaver = &it.leaver;
        leaver.returned_at.is_some_and(|back| back - leaver.found_at >= policy.rehire_after)
    };
    let over = lines.iter().filter(is_past).map(|it| &it.leaver);
    let over = over.map(|it| ((it.person.key.to_string(), it.episode, it.leave), it.found_at));
    past.extend(over);
    lost
}

/// One account in the record of one leaver.
struct Record<'r> {
    truth: &'r Truth,
    policy: &'r Policy,
    leaver: &'r Leaver,
    account: &'r LeaverAccount,
    now: DateTime<Utc>,
    slack: TimeDelta,
}

impl Record<'_> {
    fn problem(&self) -> Option<&'static str> {
        let last = self.account.stretches.last()?;
        let (on, off) = (last.last_seen_active, last.first_seen_inactive);
        if off.is_some_and(|it| self.is_theirs(it) && self.looks(it).all(|it| it)) {
            return Some("said to be off, and was on");
        }
        if on.is_some_and(|it| !self.looks(it).any(|it| it)) {
            return Some("said to be on, and was off");
        }
        match self.leaver.sla.outcome {
            // By a later clock there is more time.
            SlaOutcome::Met if self.policy.sla_clock == ClockStart::EarliestKnown => {
                // A suspension before it had no deadline.
                let users = self.truth.users_of(&self.leaver.person.key);
                let left_at = users.filter_map(|it| self.truth.left_at(it, self.now)).max();
                let is_late = |at: &DateTime<Utc>| {
                    left_at.is_some_and(|it| *at > self.policy.deadline(it) + self.slack)
                };
                if off.is_some_and(|it| is_late(&it)) {
                    return Some("said to be met, and was first seen off after the deadline");
                }
                on.filter(|it| self.is_theirs(*it) && is_late(it))
                    .map(|_| "said to be met, and was seen on after the deadline")
            }
            SlaOutcome::Missed if self.account.stretches.len() == 1 => {
                let began_at = |on| self.truth.over_since(self.key(), on);
                let in_time = |on: DateTime<Utc>| {
                    self.is_theirs(on)
                        && began_at(on)
                            .is_some_and(|began| on + self.slack < self.policy.deadline(began))
                };
                let is_only = self.leaver.accounts.len() == 1;
                (is_only && on.is_some_and(|on| in_time(on) && !self.was_missed(last, on)))
                    .then_some("said to be missed, and was not seen after the deadline")
            }
            _ => None,
        }
    }

    /// Did the access remain for too long once more in this stretch of the record? Who had the right
    /// again in between, and lost it before the next look, had it by no list.
    fn was_missed(&self, stretch: &Exposure, on: DateTime<Utc>) -> bool {
        let since = stretch.started.earliest;
        let stretches = self.truth.stretches(self.key());
        stretches.into_iter().filter(|it| self.is_theirs(it.0)).any(|(begin, end)| {
            let over_since = self.truth.over_since(self.key(), begin).unwrap_or(begin);
            end.filter(|end| *end <= on && since.is_none_or(|since| *end > since))
                .is_some_and(|end| end + self.slack >= self.policy.deadline(over_since))
        })
    }

    fn key(&self) -> &str {
        account_of(&self.account.key)
    }

    /// Could it be used shortly before, then, and shortly after?
    fn looks(&self, at: DateTime<Utc>) -> impl Iterator<Item = bool> {
        [at - LOOK, at, at + LOOK].into_iter().map(|it| self.truth.is_on(self.key(), it))
    }

    fn is_theirs(&self, at: DateTime<Utc>) -> bool {
        let owner = self.truth.owner(self.key(), at);
        owner.is_some_and(|it| self.truth.is_same_person(it, &self.leaver.person.key))
    }
}
