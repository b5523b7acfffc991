//! The record of one leaver: what a run sees, laid over what earlier runs saw. It says when each
//! account was seen on last and off first, and whether that was in time; never more than was seen.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Activity, CLOCK_SKEW_MAX, Cause, ClockStart, EntityId, Exposure, Family, Finding, FindingId,
    Interval, Leaver, LeaverAccount, LeaverClocks, LeaverKind, LeaversBegin, List, PastLook,
    SaidBy, SlaOutcome, SlaResult, SystemId, Text, Waiver,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::leavers::{AccountSeen, Decided, LeaverSeen};
use crate::policy::Policy;
use crate::sla::{sla, started};

/// Leavers of so long before an app was first judged are listed then: an audit period of a year,
/// and the month in which it begins.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(400);

/// Why a leave has no result that somebody was back from before it counted as one.
const TAKEN_BACK: &str = "the leave was taken back before it counted as one";

/// Whether what a run sees is the leave on record, and not a later one: who was back since has left anew,
/// unless a clock shows that it is that one.
#[must_use]
pub fn is_same_leave(seen: &LeaverSeen, past: &Leaver) -> bool {
    let told = clocks(seen).to_the_millisecond();
    past.returned_at.is_none() || (told != LeaverClocks::default() && past.clocks == told)
}

/// Whether the clocks of today put the end of a right later than a run heard from a provider that it was
/// over: they are those of something else, as of a user of another provider who left after that. HR may
/// correct its day, and whoever stated an end that one.
fn is_of_another_end(past: &Leaver, told: LeaverClocks, anew: Interval) -> bool {
    stated(told) == stated(past.clocks) && over_before(past, anew).is_some()
}

/// What was stated of the end of a right, and may be corrected.
const fn stated(it: LeaverClocks) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    (it.hr_termination_at, it.stated_end_at)
}

/// By when the right was over by what providers had said, also where they have taken it back since, if that
/// is before these bounds.
fn over_before(past: &Leaver, anew: Interval) -> Option<DateTime<Utc>> {
    let by_idps = past.said_by.iter().filter(|it| it.list == List::Identities);
    let heard = by_idps.map(|it| past.heard_at(it)).max()?;
    let over_by = if was_found_by_idps(past) { past.found_at } else { heard };
    anew.latest.filter(|it| *it > over_by + CLOCK_SKEW_MAX).map(|_| over_by)
}

/// Whether it was providers alone who had ended the right when a run found that it was over: HR had told no day
/// by then, and none was stated before.
fn was_found_by_idps(past: &Leaver) -> bool {
    let mut by_hr = past.said_by.iter().filter(|it| it.list == List::Leavers);
    past.clocks.stated_end_at.is_none() && by_hr.all(|it| past.heard_at(it) > past.found_at)
}

/// The bounds of when a right ended, which was over when a run found that it was, by no stated day.
fn no_later_than_found(past: &Leaver, anew: Interval) -> Interval {
    let over_by = over_before(past, anew).filter(|_| was_found_by_idps(past));
    over_by.map_or(anew, |by| Interval {
        earliest: anew.earliest.filter(|it| *it <= by),
        latest: Some(by),
    })
}

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
    /// By the settings of today, who is gone from the app's list is off.
    pub proves_absence: bool,
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
    /// that this run sees off and that is not off by the record. `back_at`: when they were back from the
    /// leave before, of the same employment; `None`: there was none.
    #[must_use]
    pub fn record(
        &self,
        seen: &LeaverSeen,
        (past, back_at): (Option<&Leaver>, Option<DateTime<Utc>>),
        looks_at: impl Fn(EntityId) -> Vec<PastLook>,
    ) -> Leaver {
        let told = clocks(seen).to_the_millisecond();
        let (before, past) = (past, past.filter(|it| is_same_leave(seen, it)));
        let is_another = past.is_none() && before.is_some_and(|it| it.sla.because != TAKEN_BACK);
        let leave = before.map_or(1, |it| it.leave + u32::from(is_another));
        let terms = past.and_then(|it| it.terms.clone()).unwrap_or_else(|| self.policy.terms());
        let policy = self.policy.with_terms(terms.clone());
        let starts = back_at.map_or(seen.starts, |back| seen.starts.since(back));
        let anew = started(&policy, &starts, Some(self.now));
        let is_kept = |it: &&Leaver| seen.is_left_behind || is_of_another_end(it, told, anew);
        let clocks = past.filter(is_kept).map_or(told, |it| it.clocks);
        let is_earliest = policy.sla_clock == ClockStart::EarliestKnown;
        let started = match past {
            Some(past) if past.clocks == clocks => past.started,
            Some(past) if is_earliest && !seen.is_left_behind => no_later_than_found(past, anew),
            _ => anew,
        };
        // What was missed when nobody had excused it is excused by nothing that is dated back.
        let is_missed =
            past.is_some_and(|it| it.sla.outcome == SlaOutcome::Missed && it.started == started);
        let look = Look {
            episode: seen.episode,
            back_at,
            started,
            was_started: past.map(|it| it.started),
            is_seen_anew: seen.is_seen_anew,
            proves_absence: self.proves_absence,
        };
        let mut accounts: Vec<LeaverAccount> = Vec::with_capacity(seen.accounts.len());
        let mut met: FxHashSet<EntityId> = FxHashSet::default();
        for it in &seen.accounts {
            let known = past.map(|past| seen.on_record(it, past)).unwrap_or_default();
            met.extend(known.iter().map(|it| it.entity));
            accounts.extend(self.accounts(&look, it, &known, &looks_at));
        }
        let others = past.map(|it| &*it.accounts).unwrap_or_default();
        let others = others.iter().filter(|it| !met.contains(&it.entity));
        accounts.extend(others.filter_map(|it| look.no_longer_theirs(it, &seen.decided)));
        accounts.sort_by(|one, other| one.key.cmp(&other.key));
        let found_at_begin = match past {
            Some(past) => past.found_at_begin,
            None => Some(self.begin.at).filter(|it| *it == self.now && before.is_none()),
        };
        let found_at = past.map_or(self.now, |it| it.found_at);
        let mut leaver = Leaver {
            app: self.app.clone(),
            person: before.map_or_else(|| seen.person.clone(), |it| it.person.clone()),
            episode: seen.episode,
            leave,
            kind: seen.kind,
            said_by: self.said_by(seen, before.filter(|it| it.leave == leave), found_at),
            clocks,
            terms: Some(terms),
            started,
            sla: self.sla_of(&policy, seen.kind, started, (&accounts, is_missed)),
            accounts,
            decisions: seen.decided.iter().filter_map(|it| it.entry).collect(),
            found_at_begin,
            returned_at: None,
            found_at,
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

    /// Who says that they left, and who did and has taken it back, or had before they said so anew: that
    /// they were here in between is not known otherwise where a provider dates nothing. What a provider said
    /// when it was asked for somebody whom no list has any more it has not taken back.
    fn said_by(
        &self,
        seen: &LeaverSeen,
        past: Option<&Leaver>,
        found_at: DateTime<Utc>,
    ) -> Vec<SaidBy> {
        fn row(it: &SaidBy) -> (&SystemId, List, &Text) {
            (&it.system, it.list, &it.key)
        }
        let is_of = |rows: &[(SystemId, List, Text)], it: &SaidBy| {
            rows.iter().any(|(system, list, key)| (system, *list, key) == row(it))
        };
        let known = past.map(|it| &*it.said_by).unwrap_or_default();
        let back_at = |it: &SaidBy| it.taken_back_at.or(past?.returned_at);
        let heard = |it: &SaidBy| past.map(|past| past.heard_at(it)).filter(|it| *it != found_at);
        let said = seen.said_by.iter().map(|it| {
            let before = known.iter().find(|old| row(old) == row(it));
            let was_back_at = before.and_then(|old| back_at(old).max(old.was_back_at));
            let heard_at = match before.filter(|old| back_at(old).is_none()) {
                Some(old) => heard(old),
                None => it.heard_at.or(Some(self.now)).filter(|it| *it != found_at),
            };
            SaidBy { heard_at, was_back_at, ..it.clone() }
        });
        let is_silent = |it: &&SaidBy| !seen.said_by.iter().any(|said| row(said) == row(it));
        let is_same = past.is_some_and(|it| it.returned_at.is_none());
        let taken_back = known.iter().filter(is_silent).filter_map(|it| {
            if is_of(&seen.silent, it) {
                return is_same.then(|| it.clone()); // Of the leave before it is no word of this one.
            }
            let at = back_at(it).or_else(|| is_of(&seen.denied_by, it).then_some(self.now))?;
            Some(SaidBy { heard_at: heard(it), taken_back_at: Some(at), ..it.clone() })
        });
        let mut all: Vec<SaidBy> = said.chain(taken_back).collect();
        all.sort_by(|one, other| (&one.system, &one.key).cmp(&(&other.system, &other.key)));
        all
    }

    /// The record of somebody who has the right again, or may have it.
    #[must_use]
    pub fn returned(&self, past: &Leaver) -> Leaver {
        let mut leaver = Leaver { returned_at: Some(self.now), ..past.clone() };
        if self.now - past.found_at < self.policy.rehire_after {
            let outcome = SlaOutcome::OutOfScope;
            leaver.sla = SlaResult { outcome, because: TAKEN_BACK.to_owned(), ..leaver.sla };
        }
        leaver.to_the_millisecond()
    }

    /// The records of one account: one under its leading row, or those that there are of its rows.
    /// What was an account of its own when nothing joined it to the other keeps its record.
    fn accounts(
        &self,
        look: &Look,
        it: &AccountSeen,
        known: &[&LeaverAccount],
        looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
    ) -> Vec<LeaverAccount> {
        let ids = |row: &EntityId| self.findings_of(*row, look).map(|it| it.id);
        let is_apart = |row: &EntityId| known.iter().skip(1).any(|it| it.entity == *row);
        let rows = it.rows.iter().map(|it| it.0);
        let mine: Vec<EntityId> = rows.filter(|it| !is_apart(it)).collect();
        let findings = mine.iter().flat_map(ids).collect();
        let first = look.account(it, known.first().copied(), findings, looks_at);
        let apart = known.iter().skip(1).map(|old| {
            // The first record tells of it where it comes on again.
            let it = AccountSeen { on_at: None, ..it.clone() };
            look.account(&it, Some(*old), ids(&old.entity).collect(), looks_at)
        });
        std::iter::once(first).chain(apart).collect()
    }

    /// Findings of a row that access remained after this leave.
    fn findings_of(&self, row: EntityId, look: &Look) -> impl Iterator<Item = &Finding> {
        let (episode, back_at) = (look.episode, look.back_at);
        let is_of_before = move |it: &Finding| {
            back_at.is_some_and(|back| it.resolved_at.is_some_and(|it| it <= back))
        };
        self.findings.get(&row).into_iter().flatten().copied().filter(move |finding| {
            finding.family() == Family::AccessRemains
                && (finding.episode == episode || finding.episode == 0)
                && !finding.exposures.is_empty()
                && !is_of_before(finding)
        })
    }

    /// The result over all accounts: the one that is worst. An account that may be somebody else's
    /// convicts nobody, and acquits nobody.
    fn sla_of(
        &self,
        policy: &Policy,
        kind: LeaverKind,
        started: Interval,
        (accounts, is_missed): (&[LeaverAccount], bool),
    ) -> SlaResult {
        let cause = match kind {
            LeaverKind::Left => Cause::LeaverActive,
            LeaverKind::Expired => Cause::ExternalExpired,
            LeaverKind::Gone => Cause::SourceGoneActive,
        };
        let unseen = Exposure { started, last_seen_active: None, first_seen_inactive: None };
        let result = |stretches: &[Exposure], exceptions: &[_]| {
            sla(policy, cause, stretches, exceptions, self.now)
        };
        let of_account = |it: &LeaverAccount| {
            if it.stretches.is_empty() {
                let because = "the account was not seen on or off since".to_owned();
                return SlaResult { because, ..result(&[unseen], &[]) };
            }
            let exceptions = if is_missed { Vec::new() } else { self.exceptions(it) };
            let found = result(&it.stretches, &exceptions);
            if found.outcome == SlaOutcome::NotProven && it.activity == Activity::Unknown {
                let because = "no look shows that the account was off while it was theirs";
                return SlaResult { because: because.to_owned(), ..found };
            }
            // Else a stretch would have begun with that.
            if found.outcome == SlaOutcome::Met && it.activity == Activity::Active {
                let because = "the account is on again, and whose it is now is not certain";
                let outcome = SlaOutcome::NotProven;
                return SlaResult { outcome, because: because.to_owned(), ..found };
            }
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

/// What one look shows of a leaver, whichever account it is of.
struct Look {
    /// The employment.
    episode: u32,
    /// When they were back from the leave before; `None`: there was none in this employment.
    back_at: Option<DateTime<Utc>>,
    /// When access should have ended.
    started: Interval,
    /// When it should have ended by the record; `None`: there is none.
    was_started: Option<Interval>,
    /// This run saw anew that the right is over.
    is_seen_anew: bool,
    /// Who is gone from the app's list is off.
    proves_absence: bool,
}

impl Look {
    /// The record of an account after this look. Findings that access remained are named: what a
    /// person says of them changes nothing of what was seen.
    fn account(
        &self,
        it: &AccountSeen,
        past: Option<&LeaverAccount>,
        findings: Vec<FindingId>,
        looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
    ) -> LeaverAccount {
        // It is somebody else's now, or may be: what was seen while it was theirs stays.
        let is_out = |past: &&LeaverAccount| past.tier.is_some() && it.tier.is_none();
        match past.filter(|past| it.is_anothers || is_out(past)) {
            Some(past) if it.is_anothers => return self.left_to_another(past),
            Some(past) if it.on_at.is_some() => {
                let activity = Activity::Active;
                return self.dated(LeaverAccount { activity, ..past.clone() });
            }
            Some(past) => return self.dated(out_of_sight(past)),
            None => {}
        }
        let by_row = past.filter(|old| it.rows.iter().any(|row| row.0 == old.entity));
        let (key, entity) = by_row.map_or((&it.key, it.entity), |old| (&old.key, old.entity));
        let mut account = self.dated(LeaverAccount {
            key: key.clone(),
            entity,
            tier: it.tier,
            activity: match (past, it.activity) {
                (Some(past), Activity::Unknown) => past.activity,
                (_, seen) => seen,
            },
            stretches: past.map(|it| it.stretches.clone()).unwrap_or_default(),
            findings,
        });
        let is_gone = account.activity == Activity::Absent && it.activity == Activity::Unknown;
        if let Some(last) = account.stretches.last_mut().filter(|_| is_gone && !self.proves_absence)
        {
            // By the settings of today that shows nothing.
            (last.first_seen_inactive, account.activity) = (None, Activity::Unknown);
        }
        self.lengthen(&mut account.stretches, it, looks_at);
        account
    }

    /// The record of an account that was theirs and is somebody else's now. `None`: a person decided
    /// that it is not theirs.
    fn no_longer_theirs(&self, past: &LeaverAccount, decided: &[Decided]) -> Option<LeaverAccount> {
        if decided.iter().any(|it| it.account == past.key) {
            return None;
        }
        Some(self.left_to_another(past))
    }

    /// A weak key may have named the wrong one from the beginning.
    fn left_to_another(&self, past: &LeaverAccount) -> LeaverAccount {
        let tier = past.tier.filter(|it| it.is_strong());
        self.dated(LeaverAccount { tier, ..out_of_sight(past) })
    }

    /// The same account, by the clock as sources tell it today.
    fn dated(&self, mut account: LeaverAccount) -> LeaverAccount {
        let Some(was) = self.was_started.filter(|it| *it != self.started) else { return account };
        let mut off = None;
        for stretch in &mut account.stretches {
            let known = stretch.started;
            // It was made, or came on again, later than access should have ended.
            let is_later = known.latest > was.latest;
            stretch.started = Interval {
                earliest: self.started.earliest.max(off).or(known.earliest.filter(|_| is_later)),
                latest: self.started.latest.max(known.latest.filter(|_| is_later)),
            };
            off = stretch.first_seen_inactive;
        }
        account
    }

    /// Lays the look over what was seen before.
    fn lengthen(
        &self,
        stretches: &mut Vec<Exposure>,
        it: &AccountSeen,
        looks_at: &impl Fn(EntityId) -> Vec<PastLook>,
    ) {
        let on_at = it.on_at.filter(|_| self.is_seen_anew);
        let off_by = matches!(it.activity, Activity::Inactive | Activity::Absent);
        let off_by = Some(it.read_by).filter(|_| off_by);
        match (stretches.last_mut(), on_at, off_by) {
            (Some(last), on_at, off_by) if last.first_seen_inactive.is_none() => {
                // That it was seen on once more is on no record.
                let (on_before, off_by) = match off_by {
                    Some(_) => bounds_of(it, looks_at),
                    None => (None, None),
                };
                let on = last.last_seen_active.max(on_at).max(on_before);
                last.last_seen_active = on;
                // A look that is older than one that showed it on shows nothing.
                last.first_seen_inactive = off_by.filter(|off| on.is_none_or(|on| on < *off));
            }
            (Some(last), Some(on_at), _) => {
                let earliest = last.first_seen_inactive.filter(|off| *off < on_at);
                if earliest.is_some() {
                    let started = Interval { earliest, latest: Some(on_at) };
                    stretches.push(stretch(started, Some(on_at), None));
                }
            }
            (None, _, Some(_)) => {
                let (on, off) = bounds_of(it, looks_at);
                stretches.push(stretch(self.started, on, off));
            }
            (None, Some(on_at), _) => {
                let mut started = self.started;
                // Before it was made it was not on. The app may be wrong about that, so it ends no doubt.
                let made_at = it.made_at.filter(|it| *it <= on_at);
                started.latest = started.latest.map(|it| made_at.map_or(it, |made| made.max(it)));
                stretches.push(stretch(started, Some(on_at), None));
            }
            (_, None, _) => {}
        }
    }
}

/// An account of which no look tells any more whether it is theirs.
fn out_of_sight(past: &LeaverAccount) -> LeaverAccount {
    let is_off = past.stretches.last().is_some_and(|it| it.first_seen_inactive.is_some());
    let activity = if is_off { past.activity } else { Activity::Unknown };
    LeaverAccount { activity, ..past.clone() }
}

const fn stretch(
    started: Interval,
    last_seen_active: Option<DateTime<Utc>>,
    first_seen_inactive: Option<DateTime<Utc>>,
) -> Exposure {
    Exposure { started, last_seen_active, first_seen_inactive }
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
    for row in &it.may_be {
        off = off.max(bounds(&looks_at(*row), it.read_by).1);
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
            proves_absence: true,
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
            let found = cx.sla_of(&policy, LeaverKind::Left, started, (&accounts, false));
            assert_eq!(found.outcome, outcome, "{case}: {}", found.because);
        }
    }
}
