//! Compares one run with the truth. Each sentence that it gives is something that Driftline said,
//! or left unsaid, and that is not so.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    CLOCK_SKEW_MAX, Cause, Change, Channel, ClockStart, Coverage, Deprovisioned, Family,
    FindingRecord, FindingState, List, Pass, Resolution, RunRecord, SlaOutcome, SourceRecord,
    SubjectKind,
};

use drift::Policy;

use super::console::{self, account_of};
use super::idps::Idps;
use super::papers::{Papers, end_of};
use super::provider::Provider;
use super::truth::{Dispute, Right, Truth};
use crate::world::{Account, DEACTIVATED_IN_APP, LogEvent, World};

/// One run, and what is true while it ran.
pub(super) struct Look<'l> {
    pub(super) truth: &'l Truth,
    /// Where the company's people are.
    pub(super) idps: &'l Idps,
    pub(super) world: &'l World,
    pub(super) papers: &'l Papers,
    /// What leavers are held to.
    pub(super) policy: &'l Policy,
    /// How far off Okta's clock is, one way or the other.
    pub(super) clock_ahead: TimeDelta,
    pub(super) record: &'l RunRecord,
    pub(super) began_at: DateTime<Utc>,
    /// Does Driftline get to see the register?
    pub(super) has_register: bool,
    /// No fault stood in its way, and no list is held: it must have seen everything.
    pub(super) is_undisturbed: bool,
    /// No fault stood in its way, and a list is held: it must have seen whoever is in the lists.
    pub(super) is_held: bool,
    /// When the last undisturbed full run ended; `None`: there was none.
    pub(super) whole_at: Option<DateTime<Utc>>,
    /// Users that an undisturbed full run had seen by then, and who had not left.
    pub(super) seen_here: &'l BTreeSet<String>,
    /// As of when what an operator exports speaks: a light pass cannot ask what has changed since.
    pub(super) brought_at: DateTime<Utc>,
    /// From when to when Okta's log could not be read, and will not be again.
    pub(super) unread: &'l [(DateTime<Utc>, DateTime<Utc>)],
}

/// Since which undisturbed full run something has been so.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// Accounts of nobody that are on.
    orphans: BTreeMap<String, DateTime<Utc>>,
    /// Accounts that should be off.
    exposed: BTreeMap<String, Exposed>,
}

/// An account that should be off.
#[derive(Clone, Copy, Debug)]
struct Exposed {
    /// When that began, and what the owner's right is.
    state: (DateTime<Utc>, Right),
    /// When an undisturbed full run first saw it so.
    seen_at: DateTime<Utc>,
}

/// Does a run hold a list because it shrank? Many leave at once in a small company, and rightly so.
pub(super) fn has_shrunk(record: &RunRecord) -> bool {
    record.sources.iter().filter_map(|it| it.held.as_ref()).any(|it| is_shrinkage(it))
}

/// Nobody releases a list here: after weeks most of the rows are others.
fn is_shrinkage(why: &str) -> bool {
    ["fell", "are missing", "of another company"].iter().any(|it| why.contains(it))
}

/// Why what a list does not show is not known to be absent; `None`: it was seen whole.
fn why_not_whole(source: &SourceRecord) -> Option<String> {
    let partial = match &source.coverage {
        Some(Coverage::Partial { reason }) => Some(reason.clone()),
        _ => None,
    };
    source.failed.clone().or(partial).or(source.held.clone())
}

/// Compares.
pub(super) fn compare(look: &Look<'_>, since: &mut Since) -> Vec<String> {
    let mut problems = Vec::new();
    if look.is_undisturbed && look.record.pass == Pass::Full {
        look.note_exposed(&mut since.exposed);
    }
    if look.is_undisturbed && look.record.pass == Pass::Light {
        problems.extend(look.missed(since));
    } else if look.is_held && look.record.pass == Pass::Full {
        problems.extend(look.is_blind());
        problems.extend(look.missed(since));
    } else if look.is_undisturbed {
        problems.extend(look.is_blind());
        problems.extend(look.missed(since));
        problems.extend(look.missed_orphans(&mut since.orphans));
        problems.extend(look.missed_owners());
        problems.extend(look.missed_disputes());
        problems.extend(look.missed_conflicts());
    }
    problems.extend(look.false_causes());
    problems.extend(look.false_deprovision());
    for it in &look.record.findings {
        let said = |what: String| {
            let finding = &it.finding;
            format!(
                "{} ({} of {}, {}, {}): {what}",
                finding.id,
                finding.cause,
                finding.subject.key,
                finding.state.name(),
                it.because
            )
        };
        let key = &it.finding.subject.key;
        if look.stands_for_itself(key) || look.is_unclear(account_of(key)) {
            continue;
        }
        problems.extend(look.false_claim(it).map(said));
        problems.extend(look.false_end(it).map(said));
        problems.extend(look.false_bounds(it).map(said));
        problems.extend(look.false_sla(it).map(said));
        problems.extend(look.false_push(it).map(said));
    }
    problems
}

impl Look<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.record.now
    }

    /// A record of the app's own view that is not known to be of the account names whom it names.
    fn stands_for_itself(&self, key: &str) -> bool {
        console::is_record(key) && self.truth.was_apart(account_of(key))
    }

    /// Is it not known whether those whose account, or whose user, it is may use the app?
    fn is_unclear(&self, key: &str) -> bool {
        let mut owners = self.truth.owners(key).chain([key]);
        owners.any(|it| self.truth.is_unclear(it))
    }

    /// Accounts that should be off.
    pub(super) fn n_exposed(&self) -> u64 {
        let accounts = self.world.app.accounts.iter();
        accounts.filter(|it| self.truth.is_exposed(&it.id, self.began_at)).count() as u64
    }

    /// Findings that are said to come of a toggle that was on when the person lost the app, as far as
    /// looks can show: it was off in the full run before that, or when they lost it. And a toggle that
    /// is off and that nothing is said of.
    fn false_causes(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let roots: Vec<_> = self.record.watcher.iter().filter_map(|it| it.root.as_ref()).collect();
        let is_off = self.idps.has(Provider::Okta) && self.truth.keeps_accounts(self.began_at);
        let is_told = roots.iter().any(|it| it.name == "deactivate_users_off");
        if self.record.pass == Pass::Full && self.is_undisturbed && is_off != is_told {
            problems.push(format!("CAUSE: deactivation is off: {is_off}, and told: {is_told}"));
        }
        let is_fresh = |it: &&FindingRecord| {
            it.finding.detected_run == self.record.id
                && !self.stands_for_itself(&it.finding.subject.key)
        };
        for it in self.record.findings.iter().filter(is_fresh) {
            let (id, key) = (it.finding.id, account_of(&it.finding.subject.key));
            let Some(started) = it.finding.exposures.last().map(|it| it.started) else { continue };
            if !roots.iter().any(|it| it.explains.contains(&id)) {
                continue;
            }
            let before = self.record.previous.map(|it| it.1);
            let slack = self.clock_ahead;
            let was_off = |at: DateTime<Utc>| {
                let times = [at - slack, at, at + slack];
                let seen = before.filter(|it| *it <= at + slack);
                seen.into_iter().chain(times).any(|it| self.truth.keeps_accounts(it))
            };
            let fits = |at: &DateTime<Utc>| {
                started.earliest.is_none_or(|it| it <= *at + slack)
                    && started.latest.is_none_or(|it| *at <= it + slack)
            };
            // Where none ended, that they lost it is false by itself, or more than this run need know.
            let ends = self.truth.ends_of_right(key, self.began_at);
            let owner = self.truth.owner(key, self.began_at);
            let mut users = owner.into_iter().flat_map(|it| self.truth.users_of(it));
            if owner.is_some() && !users.any(|it| Provider::of(it) == Provider::Okta) {
                problems.push(format!("CAUSE: {id} of {key} is of nobody in Okta, and {roots:?}"));
            }
            if !ends.is_empty() && !ends.iter().filter(|it| fits(it)).any(|it| was_off(*it)) {
                problems.push(format!("CAUSE: {id} of {key} began {started:?}, of {ends:?}, and is said to come of {roots:?}"));
            }
        }
        problems
    }

    /// What the app is said to do with who is switched off, and does not. What people remove by hand
    /// is gone in every app.
    fn false_deprovision(&self) -> Vec<String> {
        let habits = &self.world.app.habits;
        let known = self.record.apps.iter().filter_map(|it| it.deprovision.as_ref());
        let seen = known.flat_map(|it| &it.seen);
        seen.filter(|it| match (it.behaviour, it.channel) {
            // In its own view the app shows whoever has an account.
            (Deprovisioned::Lists, Channel::SecureframeApi) => false,
            (Deprovisioned::Hides, Channel::SecureframeApi) => true,
            (Deprovisioned::Lists, _) => habits.hides_inactive || habits.deletes_inactive,
            (Deprovisioned::Hides, _) => !habits.hides_inactive,
            (Deprovisioned::Deletes, _) => false,
        })
        .map(|it| format!("DEPROVISION: {it:?} is said of an app of other habits"))
        .collect()
    }

    /// A list that it did not see whole, although nothing stood in its way.
    fn is_blind(&self) -> Vec<String> {
        let sources = self.record.sources.iter();
        sources
            .filter_map(|it| {
                let why = why_not_whole(it)?;
                (!is_shrinkage(&why))
                    .then(|| format!("{} of {} was not seen: {why}", it.list, it.system))
            })
            .collect()
    }

    fn of_account<'f>(&'f self, id: &'f str) -> impl Iterator<Item = &'f FindingRecord> {
        self.record.findings.iter().filter(move |it| {
            it.finding.is_live()
                && it.finding.subject.kind == SubjectKind::Account
                && account_of(&it.finding.subject.key) == id
        })
    }

    /// Writes down what is to be off since this run, if it was not before.
    fn note_exposed(&self, exposed: &mut BTreeMap<String, Exposed>) {
        let now = self.began_at;
        let accounts = self.world.app.accounts.iter();
        let state_of = |id: &String| {
            let begin = self.truth.stretches(id).last()?.0;
            Some((begin, self.truth.right(self.truth.owner(id, now)?, now)?))
        };
        let states: BTreeMap<&String, (DateTime<Utc>, Right)> = accounts
            .map(|it| &it.id)
            .filter(|it| self.truth.is_exposed(it, now))
            .filter_map(|it| Some((it, state_of(it)?)))
            .collect();
        exposed.retain(|id, it| states.get(id) == Some(&it.state));
        for (id, state) in states {
            let seen_at = self.now();
            exposed.entry(id.clone()).or_insert(Exposed { state, seen_at });
        }
    }

    /// When somebody has to be called about an account at the latest. Where a provider of theirs does
    /// not tell when a right ended, grace begins with the run that sees it.
    fn due(&self, account: &str, owner: &str, since: &Since) -> Option<DateTime<Utc>> {
        if self.truth.users_of(owner).all(|it| Provider::of(it).dates_ends()) {
            // By its clock, which tells when they left.
            let due = self.truth.due(account, self.is_suspended(owner), self.began_at);
            return due.map(|it| it + self.clock_ahead);
        }
        let Exposed { state: (_, right), seen_at } = since.exposed.get(account)?;
        Some(*seen_at + self.truth.grace(*right))
    }

    /// Access that remains and is not told.
    fn missed(&self, all_since: &Since) -> Vec<String> {
        let now = self.began_at;
        let exposed = self.world.app.accounts.iter();
        let exposed = exposed.filter(|it| self.truth.is_exposed(&it.id, now));
        exposed
            .filter(|it| self.record.pass == Pass::Full || self.is_told_by_log(it))
            .filter(|it| !self.is_unclear(&it.id))
            .filter_map(|account| {
                let told: Vec<&FindingRecord> = self
                    .of_account(&account.id)
                    .filter(|it| {
                        // Where somebody else may be the owner, the trouble of the link tells it.
                        matches!(it.finding.family(), Family::AccessRemains | Family::Link)
                            || (self.is_stranger(account) && it.finding.family() == Family::Orphan)
                    })
                    .collect();
                let id = &account.id;
                let owner = self.truth.owner(id, now).unwrap_or_default();
                let right = self.truth.right(owner, now)?;
                // While a list is held, who is not in it need not have lost anything.
                let is_there = || self.world.okta.users.contains_key(owner);
                if self.is_held && !(right == Right::Leaver && is_there()) {
                    return None;
                }
                if told.is_empty() {
                    return Some(format!("MISSED: {id} of {owner} is on, {right:?}: nothing is told"));
                }
                // Who never had the right lost it at no known time: grace runs since it was told, or
                // told anew after it was over.
                let is_dated = self.truth.was_entitled(owner) && self.is_dated(owner, right);
                let told_at =
                    |it: &FindingRecord| it.finding.detected_at.max(it.finding.clock_from);
                let since = |it: &&FindingRecord| told_at(it) + TimeDelta::hours(24);
                let due = self.due(id, owner, all_since);
                let is_due = due.is_some_and(|it| it < now)
                    && (is_dated || told.iter().any(|it| since(it) < now));
                // Whose it is, is for lists to say: a light pass opens no trouble of a link.
                let waits = |it: &FindingRecord| {
                    it.finding.family() == Family::Link && self.record.pass == Pass::Light
                };
                let is_open =
                    |it: &&FindingRecord| it.finding.state != FindingState::Pending || waits(it);
                if is_due && !self.is_stranger(account) && !told.iter().any(is_open) {
                    let because: Vec<&str> = told.iter().map(|it| it.because.as_str()).collect();
                    let because = because.join("; ");
                    return Some(format!(
                        "MISSED: {id} of {owner} is on, {right:?}, grace is over, and it is pending: {because}"
                    ));
                }
                None
            })
            .collect()
    }

    fn is_suspended(&self, user: &str) -> bool {
        self.world.okta.users.get(user).is_some_and(|it| it.status == "SUSPENDED")
    }

    /// Can it be known when the right ended? That somebody lost the app, the log alone says.
    fn is_dated(&self, owner: &str, right: Right) -> bool {
        let ended_at =
            self.truth.ended_at(owner, self.began_at).filter(|_| right == Right::Unassigned);
        let is_within = |(from, until): &(DateTime<Utc>, DateTime<Utc>)| {
            ended_at.is_some_and(|it| *from <= it && it <= *until)
        };
        !self.unread.iter().any(is_within)
    }

    /// Whether a light pass must know: the owner left since the last full run that saw both, as the
    /// provider's log says, and the account has been on since before. What is switched on after that
    /// no log tells, and lists of several nights may have shown it off.
    fn is_told_by_log(&self, account: &Account) -> bool {
        let now = self.began_at;
        let Some(owner) = self.truth.owner(&account.id, now) else { return false };
        let Some(whole_at) = self.whole_at else { return false };
        let Some(on_since) = self.truth.on_since(&account.id) else { return false };
        let is_listed = |at: DateTime<Utc>| at < whole_at - self.clock_ahead;
        let user = self.world.okta.users.get(owner);
        self.truth.right(owner, now) == Some(Right::Leaver)
            && is_listed(account.created_at)
            && user.is_some_and(|it| is_listed(it.created_at))
            && Provider::of(owner).logs_leaver(self.world, owner, account, whole_at.max(on_since))
            // What another provider would say now, a light pass need not know.
            && self.truth.users_of(owner).all(|it| Provider::of(it) == Provider::of(owner))
    }

    /// Is there nothing but a name to tell whose it is, and it names nobody that Okta has?
    fn is_stranger(&self, account: &Account) -> bool {
        let known = |id: &String| self.world.okta.users.contains_key(id);
        let names_somebody = self.world.okta.users.values().any(|it| {
            account.user_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&it.login))
        });
        !account.external_id.as_ref().is_some_and(known) && !names_somebody
    }

    /// Does anybody have this name?
    fn is_name(&self, name: &str) -> bool {
        let mut users = self.world.okta.users.values();
        users.any(|it| it.login == name || it.email.as_deref() == Some(name))
    }

    fn missed_orphans(&self, orphans: &mut BTreeMap<String, DateTime<Utc>>) -> Vec<String> {
        let on: BTreeSet<&String> = self
            .world
            .app
            .accounts
            .iter()
            .filter(|it| self.truth.is_on(&it.id, self.began_at))
            .filter(|it| self.truth.owner(&it.id, self.began_at).is_none())
            .filter(|it| !self.is_registered(&it.id))
            .map(|it| &it.id)
            .collect();
        // What was switched off and on again between two nights begins anew.
        let was_off = |id: &str, since| self.truth.on_since(id).is_some_and(|it| it > since);
        orphans.retain(|id, since| on.contains(id) && !was_off(id, *since));
        let mut problems = Vec::new();
        for id in on {
            let since = *orphans.entry(id.clone()).or_insert_with(|| self.now());
            let told = self.of_account(id).find(|it| it.finding.family() == Family::Orphan);
            let is_due = since + TimeDelta::hours(24) < self.began_at;
            match told {
                None => problems.push(format!("MISSED: {id} is on and nobody's: nothing is told")),
                Some(it) if is_due && it.finding.state == FindingState::Pending => {
                    problems
                        .push(format!("MISSED: {id} is nobody's since {since}: {}", it.because));
                }
                Some(_) => {}
            }
        }
        problems
    }

    fn is_registered(&self, account: &str) -> bool {
        self.has_register && self.papers.registered.contains_key(account)
    }

    /// The one who answers for a registered account, by the register. `None`: nobody, or several
    /// people have had that login.
    fn service_owner(&self, account: &str) -> Option<&str> {
        let row = self.papers.registered.get(account).filter(|_| self.has_register)?;
        self.truth.only_owner_of_login(row.owner.as_deref()?)
    }

    /// Accounts of services whose owner has left, and nobody is told.
    fn missed_owners(&self) -> Vec<String> {
        let on = self.world.app.accounts.iter().filter(|it| self.is_on(it));
        on.filter_map(|it| {
            let owner = self.service_owner(&it.id)?;
            let has_left = self.truth.is_out(owner, self.began_at);
            let is_told = self.of_account(&it.id).any(|it| it.finding.family() == Family::NonHuman);
            let id = &it.id;
            (has_left && !is_told).then(|| {
                format!("MISSED: {owner}, who answers for {id}, has left: nothing is told")
            })
        })
        .collect()
    }

    /// Accounts that are on, of people on whom sources disagree, and nobody is told. Whose they are is
    /// certain: where one was somebody else's before, or has the name that somebody else got since, whose
    /// it is comes first, and the trouble of its link tells it. That has to be there, and is asked of no
    /// account that was always theirs.
    fn missed_disputes(&self) -> Vec<String> {
        let now = self.began_at;
        let on = self.world.app.accounts.iter().filter(|it| self.truth.is_on(&it.id, now));
        on.filter_map(|it| {
            let id = &it.id;
            let owner = self.truth.owner(id, now)?;
            let is_disputed = self.truth.dispute(owner, now) == Dispute::Yes;
            let mut owners = self.truth.owners(id);
            let was_anothers = owners.any(|it| !self.truth.is_same_person(it, owner));
            let named = it.user_name.as_deref().and_then(|it| self.truth.only_owner_of_login(it));
            let names_another = named.is_none_or(|it| !self.truth.is_same_person(it, owner));
            let is_told = self.of_account(id).any(|it| match it.finding.family() {
                Family::Sources => true,
                Family::Link => was_anothers || names_another,
                _ => false,
            });
            let is_certain = it.external_id.as_deref() == Some(owner);
            (is_certain && is_disputed && !is_told).then(|| {
                format!("MISSED: sources disagree on {owner}, whose {id} is on: nothing is told")
            })
        })
        .collect()
    }

    /// A claim of this run that is not so.
    fn false_claim(&self, record: &FindingRecord) -> Option<String> {
        let finding = &record.finding;
        // What is kept because it could not be seen claims nothing new.
        if !finding.is_live() || finding.last_seen_at != self.now() {
            return None;
        }
        // Where one side could not be read, what was seen of it last stands in: that may wait for
        // the next night, and must not become a new page.
        if !self.is_undisturbed && record.change != Change::Opened {
            return None;
        }
        // Nor can a light pass ask what changed since something was exported.
        let is_exported = self.idps.has(Provider::Exports);
        let is_light = self.record.pass == Pass::Light;
        if is_exported && is_light && record.change != Change::Opened {
            return None;
        }
        if self.may_be_with_another(record) {
            return None;
        }
        let key = account_of(&finding.subject.key);
        let before = Some(self.brought_at).filter(|_| is_exported);
        let holds = |at| self.holds(finding.cause, finding.subject.kind, key, at);
        let is_so = holds(self.began_at)? || before.is_some_and(|at| holds(at) != Some(false));
        (!is_so).then(|| "FALSE: is claimed, and is not so".to_owned())
    }

    /// Whether a light pass, or a run that did not see every user of that provider, tells of somebody who
    /// left, and who has a user of another provider since, which no list has shown. It need not know; but
    /// it does not say that it saw the access go on.
    fn may_be_with_another(&self, record: &FindingRecord) -> bool {
        let is_told = matches!(record.change, Change::Detected | Change::Opened | Change::Reopened);
        let is_of_right = record.finding.family() == Family::AccessRemains;
        let key = account_of(&record.finding.subject.key);
        let Some(owner) = self.truth.owner(key, self.began_at) else { return false };
        let is_new = |user: &str| {
            let made_at = self.world.okta.users.get(user).map(|it| it.created_at);
            let is_after = |at| made_at.is_some_and(|it| it > at - self.clock_ahead);
            self.whole_at.is_some_and(is_after)
        };
        // Whether sources disagree hangs on every user whom they have.
        let is_dispute = record.finding.cause == Cause::SourcesDisagree;
        if is_dispute && self.record.pass == Pass::Light {
            return self.truth.users_of(owner).any(is_new);
        }
        // The account may be of that user by now.
        let is_unlisted = |user: &str| {
            (user == owner || Provider::of(user) != Provider::of(owner))
                && is_new(user)
                && (self.record.pass == Pass::Light || self.is_partly_unseen(Provider::of(user)))
        };
        let is_elsewhere = self.truth.users_of(owner).any(is_unlisted);
        is_told && is_of_right && is_elsewhere
    }

    /// Did this run not see every user of this provider?
    fn is_partly_unseen(&self, provider: Provider) -> bool {
        let mut lists = self.record.sources.iter().filter(|it| it.list == List::Identities);
        lists.any(|it| it.system.as_str() == provider.name() && why_not_whole(it).is_some())
    }

    /// Whether a claim is so, by the rights of then; `None` for those that this world says nothing of.
    fn holds(
        &self,
        cause: Cause,
        kind: SubjectKind,
        key: &str,
        now: DateTime<Utc>,
    ) -> Option<bool> {
        let account = self.world.app.accounts.iter().find(|it| it.id == key);
        let is_on = account.is_some_and(|it| self.is_on(it));
        let owner = self.truth.owner(key, now);
        let right = owner.and_then(|it| self.truth.right(it, now));
        Some(match cause {
            Cause::LeaverActive => is_on && right == Some(Right::Leaver),
            Cause::UnassignedActive => is_on && right == Some(Right::Unassigned),
            Cause::SuspendedActive => is_on && right == Some(Right::Suspended),
            Cause::Reactivated | Cause::SourceGoneActive => {
                is_on && right.is_some_and(Right::is_over)
            }
            Cause::OrphanActive => {
                is_on
                    && !self.is_registered(key)
                    && (right.is_none() || account.is_some_and(|it| self.is_stranger(it)))
            }
            // An app that hides who is off shows the same of who is gone.
            Cause::DisabledEntitled => {
                let is_there = account.is_some() || self.world.app.habits.hides_inactive;
                is_there && !is_on && right == Some(Right::Entitled)
            }
            Cause::Vanished if kind == SubjectKind::Account => {
                // Of several people who had it one after the other, one misses it.
                let misses = |owner: &str| {
                    let mut accounts = self.world.app.accounts.iter();
                    self.truth.right(owner, now) == Some(Right::Entitled)
                        && !accounts.any(|it| self.is_theirs(&it.id, owner))
                };
                let mut owners = self.truth.owners(key).peekable();
                account.is_none() && (owners.peek().is_none() || owners.any(misses))
            }
            Cause::NotProvisioned | Cause::Vanished => {
                let theirs = self.world.app.accounts.iter().any(|it| {
                    self.is_theirs(&it.id, key)
                        && !(self.world.app.habits.hides_inactive && it.is_off())
                });
                !theirs && self.truth.right(key, now) == Some(Right::Entitled)
            }
            Cause::IdentifierDrift => {
                // By the id that each provider has of it, it is that of any user of theirs.
                let account = account?;
                let theirs = self.truth.users_of(owner?);
                let mut theirs = theirs.filter_map(|it| self.world.okta.users.get(it)).peekable();
                theirs.peek()?;
                theirs.any(|it| {
                    account.user_name.as_deref() != Some(&it.login) || account.email != it.email
                })
            }
            Cause::ExternalExpired => is_on && right == Some(Right::Expired),
            Cause::SourcesDisagree => match self.truth.dispute(owner?, now) {
                Dispute::No => false,
                Dispute::Maybe => return None,
                Dispute::Yes => is_on,
            },
            Cause::DuplicateAccount => {
                let owner = owner?;
                let mut theirs = self.world.app.accounts.iter().filter(|it| {
                    let other = self.truth.owner(&it.id, now);
                    self.is_on(it) && other.is_some_and(|it| self.truth.is_same_person(it, owner))
                });
                is_on && theirs.nth(1).is_some()
            }
            Cause::OwnerLeft | Cause::NonhumanUnowned => {
                return self.holds_of_service(cause, key, is_on, now);
            }
            Cause::ChannelConflict => self.views_differ(account?)?,
            Cause::LinkConflict
            | Cause::AmbiguousLink
            | Cause::LeaverListed
            | Cause::AccessInvited
            | Cause::ResidualEntitlement => return None,
        })
    }

    /// Can the account be used, by either view?
    fn is_on(&self, account: &Account) -> bool {
        console::is_on(self.world, account)
    }

    /// Does one view of the account say that it is on, and the other that it is off? `None`: there is
    /// one view alone.
    fn views_differ(&self, account: &Account) -> Option<bool> {
        console::is_on_here(self.world, account).map(|it| it == account.is_off())
    }

    /// Accounts of which the two views do not say the same, and nobody is told. Where several have one
    /// address, nothing shows whose each record is: each that it may be must be off.
    fn missed_conflicts(&self) -> Vec<String> {
        let is_on_here = |it: &Account| console::is_on_here(self.world, it) == Some(true);
        let accounts = &self.world.app.accounts;
        let differ = |it: &&Account| {
            let mut same = accounts.iter().filter(|other| has_address_of(other, it));
            self.views_differ(it) == Some(true)
                && if it.is_off() { same.all(Account::is_off) } else { !same.any(is_on_here) }
        };
        let is_told =
            |it: &Account| self.of_account(&it.id).any(|it| it.finding.family() == Family::Sources);
        let missed = accounts.iter().filter(differ).filter(|it| !is_told(it));
        missed
            .map(|it| format!("MISSED: the views of {} do not agree: nothing is told", it.id))
            .collect()
    }

    /// Is it the account of this user, or of another that the person has with another provider?
    fn is_theirs(&self, account: &str, user: &str) -> bool {
        self.truth.owner(account, self.began_at).is_some_and(|owner| {
            let is_elsewhere = Provider::of(owner) != Provider::of(user);
            owner == user || is_elsewhere && self.truth.is_same_person(owner, user)
        })
    }

    /// Whether a claim about an account of a service is so.
    fn holds_of_service(
        &self,
        cause: Cause,
        account: &str,
        is_on: bool,
        now: DateTime<Utc>,
    ) -> Option<bool> {
        let owner = self.service_owner(account);
        let has_left = owner.is_some_and(|it| self.truth.is_out(it, now));
        if cause == Cause::OwnerLeft {
            owner?;
            return Some(is_on && has_left);
        }
        let row = self.papers.registered.get(account)?;
        let is_late = end_of(row.attest_by) <= now;
        let is_owned = match &row.owner {
            // A name that nobody has any more is nobody's.
            Some(name) if self.is_name(name) => !is_late,
            Some(_) => return None,
            None => false,
        };
        Some(is_on && !is_owned && !has_left)
    }

    /// A finding that this run calls over, and that is not.
    fn false_end(&self, record: &FindingRecord) -> Option<String> {
        let finding = &record.finding;
        if record.change != Change::Resolved {
            return None;
        }
        let now = self.began_at;
        let key = account_of(&finding.subject.key);
        let account = self.world.app.accounts.iter().find(|it| it.id == key);
        let is_so = match (finding.resolution, finding.family()) {
            (Some(Resolution::InactiveSeen), _) => account.is_none_or(|it| !self.is_on(it)),
            (Some(Resolution::AbsenceProven), _) => account.is_none(),
            // A new employment has a finding of its own.
            _ if self.of_account(key).any(|it| it.finding.family() == finding.family()) => true,
            (_, Family::AccessRemains) => !self.truth.is_exposed(key, now),
            (_, Family::Orphan | Family::AccessMissing) => {
                self.holds(finding.cause, finding.subject.kind, key, now) != Some(true)
            }
            _ => true,
        };
        (!is_so).then(|| format!("FALSE END: {:?}, and it goes on", finding.resolution))
    }

    /// Bounds of exposure that do not contain the truth.
    fn false_bounds(&self, record: &FindingRecord) -> Option<String> {
        // What a list showed that was not the company's waits for a second look.
        if !self.is_undisturbed && record.finding.state == FindingState::Pending {
            return None;
        }
        // Nor was it seen again by this run, which says so: it keeps what one before it claimed.
        let is_kept = record.finding.last_seen_at != self.now();
        if is_kept && record.finding.state == FindingState::Pending {
            return None;
        }
        // It was over before it was told to anybody.
        if record.finding.opened_at.is_none() && !record.finding.is_live() {
            return None;
        }
        let key = account_of(&record.finding.subject.key);
        let true_ones = self.truth.stretches(key);
        let n_before = record.finding.exposures.len().saturating_sub(1);
        record.finding.exposures.iter().enumerate().find_map(|(at, it)| {
            let on = it.last_seen_active?;
            // One run alone showed it, by lists that may have been cut short, and the right was back in
            // the next: it may not have been at all, which is what the bounds of it say. It is kept,
            // because they may have lost the right and got it again as well.
            let is_of_one_run = it.started.latest.is_some_and(|it| on <= it);
            if at < n_before && is_of_one_run && it.first_seen_inactive.is_none() {
                return None;
            }
            let Some((begin, end)) = true_ones
                .iter()
                .find(|(begin, end)| *begin <= on && end.is_none_or(|end| on < end))
            else {
                return Some(format!("BOUNDS: seen on at {on}, and was not exposed then"));
            };
            if let Some(off) = it.first_seen_inactive
                && end.is_none_or(|end| end > off)
            {
                return Some(format!("BOUNDS: seen off at {off}, and it ended {end:?}"));
            }
            if !self.is_by_earliest_clock() {
                return None;
            }
            // It may have been off in between, and nobody looked: any beginning since the right
            // ended is a true one, and so is each step in which it ended: who is suspended may
            // leave.
            let begins = true_ones.iter().map(|it| it.0).filter(|it| *it <= on);
            let fits = begins.chain(self.truth.ends_of_right(key, on)).any(|at| {
                it.started.earliest.is_none_or(|it| it <= at + self.clock_ahead)
                    && it.started.latest.is_none_or(|it| at <= it + self.clock_ahead)
            });
            (!fits).then(|| format!("BOUNDS: began in {:?}, truly at {begin}", it.started))
        })
    }

    /// A push that is said to be in a log, and that no log has, or that went otherwise; or that was before
    /// the right of that user ended.
    fn false_push(&self, record: &FindingRecord) -> Option<String> {
        let mut told = record.explanation.facts.iter().filter(|it| it.source.ends_with(" log"));
        told.find_map(|it| {
            let user = it.text.split('`').nth(1).unwrap_or_default();
            let result = if it.text.contains("and that failed") { "FAILURE" } else { "SUCCESS" };
            let is_it = |event: &LogEvent| {
                event.event_type == DEACTIVATED_IN_APP
                    && event.user == user
                    && event.result == result
                    && (event.published_at - it.at).abs() < TimeDelta::seconds(1)
            };
            if !self.world.okta.log.iter().any(is_it) {
                return Some(format!("PUSH: {} (at {}), and no log has it", it.text, it.at));
            }
            // That it may be of an earlier time is said. Who had the app by another user as well lost it
            // with this one before.
            let is_alone = self.truth.users_of(user).all(|it| it == user);
            let ended_at = self.truth.ended_at(user, self.began_at).filter(|_| is_alone);
            let slack = self.clock_ahead + CLOCK_SKEW_MAX;
            let is_early = ended_at.is_some_and(|end| it.at + slack < end);
            let is_sure = !it.text.contains("is not known");
            (is_early && is_sure)
                .then(|| format!("PUSH: {} (at {}), of before {ended_at:?}", it.text, it.at))
        })
    }

    /// Does the limit run from when the right ended by whichever clock? Else it runs later.
    fn is_by_earliest_clock(&self) -> bool {
        self.policy.sla_clock == ClockStart::EarliestKnown
    }

    /// A deadline that was kept and is said to be missed, or the other way.
    fn false_sla(&self, record: &FindingRecord) -> Option<String> {
        let sla = record.sla.as_ref()?;
        let key = account_of(&record.finding.subject.key);
        let exposures = &record.finding.exposures;
        let seen_on = exposures.last()?.last_seen_active?;
        // All that the exposures of the finding may be, with the deadline of each. What no look saw is in none.
        let stretches = self.truth.stretches(key);
        let theirs = stretches.iter().filter(|(begin, end)| {
            exposures.iter().any(|it| {
                let is_since = |end| it.started.earliest.is_none_or(|since| end > since);
                it.last_seen_active.is_some_and(|on| *begin <= on) && end.is_none_or(is_since)
            })
        });
        // By a clock that is off, a deadline may be a little earlier or later.
        let is_late = |slack: TimeDelta| {
            theirs.clone().any(|(begin, end)| {
                let since = match record.finding.cause {
                    // Its clock starts when the account is on again.
                    Cause::Reactivated => *begin,
                    _ => self.truth.over_since(key, *begin).unwrap_or(*begin),
                };
                end.unwrap_or_else(|| self.now()) > self.policy.deadline(since) + slack
            })
        };
        // What was so at two looks, and not in between, is one to whoever looks.
        let is_late_as_one = || {
            let begun = theirs.clone().map(|it| it.0).min();
            let since = begun.map(|it| self.truth.over_since(key, it).unwrap_or(it));
            since.is_some_and(|it| seen_on + self.clock_ahead >= self.policy.deadline(it))
        };
        let what = match sla.outcome {
            SlaOutcome::Met if self.is_by_earliest_clock() && is_late(self.clock_ahead) => {
                "met, and was on after it"
            }
            SlaOutcome::Missed
                if !is_late(-self.clock_ahead) && !is_late_as_one() && exposures.len() == 1 =>
            {
                "missed, and was off in time"
            }
            _ => return None,
        };
        Some(format!("SLA: said to be {what}: {exposures:?}"))
    }
}

/// Does one of them have the address of the other, or its name? So has each itself.
fn has_address_of(one: &Account, other: &Account) -> bool {
    let has = |it: &Account, address: &Option<String>| {
        address.is_some() && (it.email == *address || it.user_name == *address)
    };
    one.id == other.id || has(one, &other.email) || has(other, &one.email)
}
