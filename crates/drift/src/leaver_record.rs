//! The record of one leaver: what a run sees, laid over what earlier runs saw. It says when each
//! account was seen on last and off first, and whether that was in time; never more than was seen.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Activity, Cause, EntityId, Exposure, Family, Finding, Interval, Leaver, LeaverAccount,
    LeaverClocks, LeaverKind, LeaversBegin, List, PastLook, SaidBy, SlaOutcome, SlaResult,
    SystemId, Text, Waiver,
};
use rustc_hash::FxHashMap;

use crate::leavers::{AccountSeen, Decided, LeaverSeen};
use crate::policy::Policy;
use crate::sla::{sla, started};

/// Leavers of so long before an app was first judged are listed then: an audit period of a year,
/// and the month in which it begins.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(400);

/// What is known besides what the run sees of one leaver.
#[derive(Clone, Copy, Debug)]
pub struct LeaverContext<'c> {
    /// The app.
    pub app: &'c SystemId,
    /// What the operator chose.
    pub policy: &'c Policy,
    /// When the listing of this app's leavers began: this run, or an earlier one.
    pub begin: &'c LeaversBegin,
    /// Findings of the app as they are after this run, by the row that they are about.
    pub findings: &'c FxHashMap<EntityId, Vec<&'c Finding>>,
    /// Waivers, in force or not.
    pub waivers: &'c [Waiver],
    /// The time of the run.
    pub now: DateTime<Utc>,
}

impl LeaverContext<'_> {
    /// Returns true when somebody left too long before the listing began, and is off: they are
    /// counted then, and not listed. Who is off by a person's word alone is listed.
    #[must_use]
    pub fn is_left_out(&self, seen: &LeaverSeen) -> bool {
        let is_off =
            |it: &AccountSeen| matches!(it.activity, Activity::Inactive | Activity::Absent);
        let starts = &seen.starts;
        let known = starts.earliest().into_iter().chain(starts.struck_out).min();
        let latest = known.or_else(|| starts.between.and_then(|it| it.latest));
        let is_old = match latest {
            Some(at) => at < self.begin.since,
            None => {
                self.begin.at == self.now || seen.was_over_at.is_some_and(|it| it <= self.begin.at)
            }
        };
        is_old && seen.decided.is_empty() && seen.accounts.iter().all(is_off)
    }

    /// The record after this run. `looks_at` gives what earlier snapshots show of a row of an account
    /// that this run sees off and of which nothing is on record.
    #[must_use]
    pub fn record(
        &self,
        seen: &LeaverSeen,
        past: Option<&Leaver>,
        looks_at: impl Fn(EntityId) -> Vec<PastLook>,
    ) -> Leaver {
        let clocks = clocks(seen).to_the_millisecond();
        let started = match past {
            Some(past) if past.clocks == clocks => past.started,
            _ => started(self.policy, &seen.starts, Some(self.now)),
        };
        let mut accounts: Vec<LeaverAccount> = Vec::with_capacity(seen.accounts.len());
        for it in &seen.accounts {
            let known = past.map(|past| seen.on_record(it, past)).unwrap_or_default();
            accounts.extend(self.accounts(seen.episode, it, &known, started, &looks_at));
        }
        accounts.sort_by(|one, other| one.key.cmp(&other.key));
        let found_at_begin = match past {
            Some(past) => past.found_at_begin,
            None => Some(self.begin.at).filter(|it| *it == self.now),
        };
        let mut leaver = Leaver {
            app: self.app.clone(),
            person: past.map_or_else(|| seen.person.clone(), |it| it.person.clone()),
            episode: seen.episode,
            kind: seen.kind,
            said_by: self.said_by(seen, past),
            clocks,
            started,
            sla: self.sla_of(seen.kind, started, &accounts),
            accounts,
            decisions: seen.decided.iter().filter_map(|it| it.entry).collect(),
            found_at_begin,
            returned_at: None,
            found_at: past.map_or(self.now, |it| it.found_at),
            name: seen.label.name.as_deref().map(Into::into),
            login: seen.label.login.as_deref().map(Into::into),
        };
        if leaver.accounts.is_empty() {
            let (outcome, why) = without_account(&leaver, seen);
            leaver.sla = SlaResult { outcome, because: why.to_owned(), ..leaver.sla };
        }
        leaver.sla.because.push_str(&by_decision(&seen.decided));
        leaver.to_the_millisecond()
    }

    /// Who says that they left, and who did and has taken it back: that they were here in between is
    /// not known otherwise where a provider dates nothing.
    fn said_by(&self, seen: &LeaverSeen, past: Option<&Leaver>) -> Vec<SaidBy> {
        fn row(it: &SaidBy) -> (&SystemId, List, &Text) {
            (&it.system, it.list, &it.key)
        }
        let is_denied = |it: &SaidBy| {
            let mut denied = seen.denied_by.iter();
            denied.any(|(system, list, key)| (system, *list, key) == row(it))
        };
        let known = past.map(|it| &*it.said_by).unwrap_or_default().iter();
        let silent = known.filter(|it| !seen.said_by.iter().any(|said| row(said) == row(it)));
        let taken_back = silent.filter_map(|it| {
            let at = it.taken_back_at.or_else(|| is_denied(it).then_some(self.now))?;
            Some(SaidBy { taken_back_at: Some(at), ..it.clone() })
        });
        let mut all: Vec<SaidBy> = seen.said_by.iter().cloned().chain(taken_back).collect();
        all.sort_by(|one, other| (&one.system, &one.key).cmp(&(&other.system, &other.key)));
        all
    }

    /// The record of somebody who has the right again, or may have it.
    #[must_use]
    pub fn returned(&self, past: &Leaver) -> Leaver {
        let mut leaver = Leaver { returned_at: Some(self.now), ..past.clone() };
        if self.now - past.found_at < self.policy.rehire_after {
            let why = "the leave was taken back before it counted as one";
            let outcome = SlaOutcome::OutOfScope;
            leaver.sla = SlaResult { outcome, because: why.to_owned(), ..leaver.sla };
        }
        leaver.to_the_millisecond()
    }

    /// The records of one account: one under its leading row, or those that there are of its rows.
    /// What was an account of its own when nothing joined it to the other keeps its record.
    fn accounts(
        &self,
        episode: u32,
        it: &AccountSeen,
        known: &[&LeaverAccount],
        started: Interval,
        looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
    ) -> Vec<LeaverAccount> {
        let findings_of = |row: &EntityId| self.findings_of(*row, episode);
        let is_apart = |row: &EntityId| known.iter().skip(1).any(|it| it.entity == *row);
        let rows = it.rows.iter().map(|it| it.0);
        let mine: Vec<EntityId> = rows.filter(|it| !is_apart(it)).collect();
        let findings = mine.iter().flat_map(findings_of).collect();
        let first = self.account(it, known.first().copied(), started, findings, looks_at);
        let apart = known.iter().skip(1).map(|old| {
            // The first record tells of it where it comes on again.
            let it = AccountSeen { on_at: None, ..it.clone() };
            let findings = findings_of(&old.entity).collect();
            self.account(&it, Some(*old), started, findings, looks_at)
        });
        std::iter::once(first).chain(apart).collect()
    }

    fn account(
        &self,
        it: &AccountSeen,
        past: Option<&LeaverAccount>,
        started: Interval,
        findings: Vec<&Finding>,
        looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
    ) -> LeaverAccount {
        let by_row = past.filter(|old| it.rows.iter().any(|row| row.0 == old.entity));
        let (key, entity) = by_row.map_or((&it.key, it.entity), |old| (&old.key, old.entity));
        let mut quiet = past.map(|it| it.quiet.clone()).unwrap_or_default();
        if findings.is_empty() {
            lengthen(&mut quiet, it, started, looks_at);
        } else {
            // A finding tells of it from its beginning.
            quiet.retain(|it| it.first_seen_inactive.is_some());
        }
        let told = findings.iter().flat_map(|it| it.exposures.iter().copied());
        let stretches = quiet.iter().copied().chain(told).collect();
        let is_seen = !matches!(it.activity, Activity::Unknown);
        LeaverAccount {
            key: key.clone(),
            entity,
            tier: it.tier,
            activity: past
                .map_or(it.activity, |past| if is_seen { it.activity } else { past.activity }),
            quiet,
            stretches,
            findings: findings.iter().map(|it| it.id).collect(),
        }
    }

    /// Findings of a row that access remained after this employment.
    fn findings_of(&self, row: EntityId, episode: u32) -> impl Iterator<Item = &Finding> {
        self.findings.get(&row).into_iter().flatten().copied().filter(move |finding| {
            finding.family() == Family::AccessRemains
                && (finding.episode == episode || finding.episode == 0)
                && !finding.exposures.is_empty()
        })
    }

    /// The result over all accounts: the one that is worst. An account that may be somebody else's
    /// convicts nobody, and acquits nobody.
    fn sla_of(&self, kind: LeaverKind, started: Interval, accounts: &[LeaverAccount]) -> SlaResult {
        let cause = match kind {
            LeaverKind::Left => Cause::LeaverActive,
            LeaverKind::Expired => Cause::ExternalExpired,
            LeaverKind::Gone => Cause::SourceGoneActive,
        };
        let unseen = Exposure { started, last_seen_active: None, first_seen_inactive: None };
        let result = |stretches: &[Exposure], exceptions: &[_]| {
            sla(self.policy, cause, stretches, exceptions, self.now)
        };
        let of_account = |it: &LeaverAccount| {
            if it.stretches.is_empty() {
                let because = "the account was not seen on or off since".to_owned();
                return SlaResult { because, ..result(&[unseen], &[]) };
            }
            let found = result(&it.stretches, &self.exceptions(it));
            let is_proven = matches!(found.outcome, SlaOutcome::Met | SlaOutcome::Missed);
            if it.tier.is_none() && is_proven {
                let because = format!("whose account it is, is not certain; {}", found.because);
                return SlaResult { outcome: SlaOutcome::NotProven, because, ..found };
            }
            found
        };
        let worst = accounts.iter().map(of_account).min_by_key(|it| rank(it.outcome));
        worst.unwrap_or_else(|| result(&[unseen], &[]))
    }

    /// From when each exception to the findings of an account was approved, and until when it holds.
    fn exceptions(&self, account: &LeaverAccount) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        if account.findings.is_empty() || self.waivers.is_empty() {
            return Vec::new();
        }
        let all = self.findings.values().flatten();
        let theirs = all.filter(|it| account.findings.contains(&it.id));
        let prints: Vec<_> = theirs.map(|it| it.fingerprint).collect();
        let mine = self.waivers.iter().filter(|it| prints.contains(&it.fingerprint));
        let valid = mine.filter(|it| it.voided_at.is_none());
        valid.filter_map(|it| Some((it.approved.as_ref()?.at, it.expires_at))).collect()
    }
}

const fn rank(outcome: SlaOutcome) -> u8 {
    match outcome {
        SlaOutcome::Missed => 0,
        SlaOutcome::NotProven => 1,
        SlaOutcome::Exception => 2,
        SlaOutcome::Met => 3,
        SlaOutcome::OutOfScope => 4,
    }
}

fn without_account(leaver: &Leaver, seen: &LeaverSeen) -> (SlaOutcome, &'static str) {
    let why = if seen.may_mean_others {
        "HR's row may mean somebody whom it does not name for certain"
    } else if !seen.is_app_seen {
        "no account was seen, and the app was not seen whole"
    } else if leaver.found_at_begin.is_some() {
        "left before the listing of leavers began: whether they had an account was not seen"
    } else if !seen.decided.is_empty() {
        return (SlaOutcome::OutOfScope, "no other account of theirs was ever seen");
    } else {
        let why = "no account of theirs was ever seen in the app's complete lists";
        return (SlaOutcome::OutOfScope, why);
    };
    (SlaOutcome::NotProven, why)
}

/// What people decided about accounts of theirs, as the rest of a sentence; empty: nothing.
fn by_decision(decided: &[Decided]) -> String {
    let by = |it: &Decided| match it.entry {
        Some(entry) => format!("by entry {entry} of the ledger"),
        None => format!("on {}", it.at.format("%Y-%m-%d")),
    };
    let by: Vec<String> = decided.iter().map(by).collect();
    match &*by {
        [] => String::new(),
        [by] => {
            format!("; a person decided {by} that an account whose keys name them is not theirs")
        }
        _ => format!(
            "; people decided that {} accounts whose keys name them are not theirs: {}",
            by.len(),
            by.join(", ")
        ),
    }
}

fn clocks(seen: &LeaverSeen) -> LeaverClocks {
    LeaverClocks {
        hr_termination_at: seen.starts.hr.or(seen.starts.struck_out),
        idp_deactivated_at: seen.starts.deactivated,
        idp_unassigned_at: seen.starts.unassigned,
        stated_end_at: seen.starts.ended,
    }
}

/// Lays this look over the stretches of which no finding tells.
fn lengthen(
    quiet: &mut Vec<Exposure>,
    it: &AccountSeen,
    started: Interval,
    looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
) {
    let is_off = matches!(it.activity, Activity::Inactive | Activity::Absent);
    match quiet.last_mut() {
        Some(last) if last.first_seen_inactive.is_none() => {
            last.started = started;
            last.last_seen_active = last.last_seen_active.max(it.on_at);
            last.first_seen_inactive = Some(it.read_by).filter(|_| is_off);
        }
        Some(last) if it.on_at.is_some() => {
            let started = Interval { earliest: last.first_seen_inactive, latest: it.on_at };
            let (last_seen_active, first_seen_inactive) = (it.on_at, None);
            quiet.push(Exposure { started, last_seen_active, first_seen_inactive });
        }
        Some(_) => {}
        None if is_off => {
            let (last_seen_active, first_seen_inactive) = bounds_of(it, looks_at);
            quiet.push(Exposure { started, last_seen_active, first_seen_inactive });
        }
        None if it.on_at.is_some() => {
            let (last_seen_active, first_seen_inactive) = (it.on_at, None);
            quiet.push(Exposure { started, last_seen_active, first_seen_inactive });
        }
        None => {}
    }
}

/// When an account that is off was seen on last in any view, and off first in all that must show it
/// off, without a break since.
fn bounds_of(
    it: &AccountSeen,
    looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let (mut on, mut off) = (None, it.unlisted_by);
    for (row, is_required) in &it.rows {
        let (row_on, row_off) = bounds(&looks_at(*row), it.read_by);
        on = on.max(row_on);
        off = off.max(row_off.filter(|_| *is_required));
    }
    // On in a view that need not show it off: it was off by today, whenever that began.
    let off = off.filter(|off| on.is_none_or(|on| on < *off));
    (on, Some(off.unwrap_or(it.read_by)))
}

/// When a row that is off was seen on last, and off first, without a break since.
fn bounds(
    looks: &[PastLook],
    read_by: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let mut first_off = read_by;
    for look in looks.iter().rev() {
        match look.activity {
            Activity::Active => return (Some(look.until), Some(first_off)),
            Activity::Inactive | Activity::Absent => first_off = look.from_read_by,
            // Neither on nor off: what came before it is no neighbour.
            Activity::Invited | Activity::NotStated | Activity::Unknown => {
                return (None, Some(first_off));
            }
        }
    }
    (None, Some(first_off))
}

#[cfg(test)]
mod tests {
    use domain::{EntityId, Tier};

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn look(from: i64, until: i64, activity: Activity) -> PastLook {
        PastLook { from: at(from), from_read_by: at(from + 1), until: at(until), activity }
    }

    #[test]
    fn an_account_that_is_off_was_on_until_the_last_look_that_showed_it_on() {
        use Activity::{Active, Inactive, Invited};
        #[rustfmt::skip]
        let table: [(&[PastLook], Option<i64>, i64); 5] = [
            // looks before                                        | on last | off first
            (&[],                                                    None,     100),
            (&[look(0, 40, Active)],                                 Some(40), 100),
            (&[look(0, 40, Active), look(50, 90, Inactive)],         Some(40), 51),
            (&[look(50, 90, Inactive)],                              None,     51),
            (&[look(0, 40, Active), look(50, 60, Invited), look(70, 90, Inactive)], None, 71),
        ];
        for (looks, on, off) in table {
            assert_eq!(bounds(looks, at(100)), (on.map(at), Some(at(off))), "{looks:?}");
        }
    }

    fn account(tier: Option<Tier>, on: Option<i64>, off: Option<i64>) -> LeaverAccount {
        let started = Interval { earliest: Some(at(0)), latest: Some(at(0)) };
        let seen = on.is_some() || off.is_some();
        let stretch =
            Exposure { started, last_seen_active: on.map(at), first_seen_inactive: off.map(at) };
        LeaverAccount {
            key: "a-1".into(),
            entity: EntityId(1),
            tier,
            activity: Activity::Unknown,
            quiet: Vec::new(),
            stretches: seen.then_some(stretch).into_iter().collect(),
            findings: Vec::new(),
        }
    }

    #[test]
    fn the_worst_account_counts_and_one_that_may_be_anothers_proves_nothing() {
        let (app, policy) = (SystemId::parse("crm").unwrap(), Policy::default());
        let begin = LeaversBegin { app: app.clone(), at: at(0), n_left_out: 0, since: at(0) };
        let cx = LeaverContext {
            app: &app,
            policy: &policy,
            begin: &begin,
            findings: &FxHashMap::default(),
            waivers: &[],
            now: at(100),
        };
        let sure = Some(Tier::ExternalId);
        let met = || account(sure, Some(-5), Some(3));
        let missed = || account(sure, Some(30), None);
        #[rustfmt::skip]
        let table = [
            ( vec![met()],                                       SlaOutcome::Met,       "off before the deadline" ),
            ( vec![missed()],                                    SlaOutcome::Missed,    "on after it" ),
            ( vec![met(), missed()],                             SlaOutcome::Missed,    "one of two" ),
            ( vec![met(), account(sure, None, None)],            SlaOutcome::NotProven, "one was not seen" ),
            ( vec![met(), account(sure, Some(5), None)],         SlaOutcome::NotProven, "one is on, before the deadline" ),
            ( vec![account(None, Some(-5), Some(3))],            SlaOutcome::NotProven, "off, and perhaps another's" ),
            ( vec![account(None, Some(30), None)],               SlaOutcome::NotProven, "on, and perhaps another's" ),
            ( vec![met(), account(None, Some(30), None)],        SlaOutcome::NotProven, "theirs is off, another may be" ),
        ];
        for (accounts, outcome, case) in table {
            let started = Interval { earliest: Some(at(0)), latest: Some(at(0)) };
            let found = cx.sla_of(LeaverKind::Left, started, &accounts);
            assert_eq!(found.outcome, outcome, "{case}: {}", found.because);
        }
    }
}
