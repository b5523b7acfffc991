//! What is true at every instant: who may use the app, whose each account is, and whether it can
//! be used. Written down after everything that happens; nothing of it is ever asked of Driftline.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::console;
use super::installation::{HrWord, Voices};
use super::papers::{Papers, end_of};
use super::provider::Provider;
use crate::world::{Account, OktaUser, World};

/// Whether somebody should be able to use the app. In the order in which one beats another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    Leaver,
    Expired,
    Unassigned,
    Suspended,
    NotYet,
    Entitled,
}

impl Right {
    /// Access has to end.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Suspended | Self::Unassigned | Self::Expired | Self::Leaver)
    }
}

/// Whether one source says that somebody left, and another that they may use the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dispute {
    #[default]
    No,
    /// It need not be told: the one that says so deleted them, which is known once it was asked by id,
    /// or a source that always knows best says nothing of a leave.
    Maybe,
    Yes,
}

/// A value and since when it holds, oldest first.
type History<T> = Vec<(DateTime<Utc>, T)>;

/// All that was ever true.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// Whose word counts.
    voices: Voices,
    /// How long a leaver's access may remain before somebody is called.
    pub(super) leaver_grace: TimeDelta,
    /// By user id: the right of the person, or that the user was left behind for another.
    rights: BTreeMap<String, History<Right>>,
    /// By user id: whether sources disagree on them.
    disputed: BTreeMap<String, History<Dispute>>,
    /// By user id: every end that is told of the right, one of which may hide behind another: by HR's
    /// list, by the contract, by a suspension.
    told_ends: BTreeMap<String, History<Vec<DateTime<Utc>>>>,
    /// Employee numbers, by user id, also of those who are gone. Guests have none.
    pub(super) numbers: BTreeMap<String, String>,
    /// When users were made, also those who are gone.
    made_at: BTreeMap<String, DateTime<Utc>>,
    /// Who ever had a login.
    logins: BTreeMap<String, BTreeSet<String>>,
    /// Whose an address ever was, or a login.
    addresses: BTreeMap<String, BTreeSet<String>>,
    /// Accounts of which the app's own view was ever not known to show the same: by its address it is
    /// somebody else's.
    apart: BTreeSet<String>,
    /// By account id: whether it can be used. Gone is not.
    on: BTreeMap<String, History<bool>>,
    /// By account id: whose it is.
    owners: BTreeMap<String, History<Option<String>>>,
    /// By account id: the user whose account it is by the id that Okta has of it, or had last.
    named: BTreeMap<String, String>,
    /// Owners of accounts that were made by hand, by account id.
    pub(super) made_for: BTreeMap<String, String>,
    /// Whether the provider switches accounts off of those who lose the app.
    deactivates: History<bool>,
}

/// A stretch of time in which an account could be used that should have been off. No end: it
/// still can.
pub(super) type Stretch = (DateTime<Utc>, Option<DateTime<Utc>>);

impl Truth {
    /// Nothing yet.
    pub(super) fn new(voices: Voices) -> Self {
        Self { voices, leaver_grace: TimeDelta::hours(4), ..Self::default() }
    }

    /// So long access may remain before somebody is called.
    pub(super) fn grace(&self, right: Right) -> TimeDelta {
        if right == Right::Leaver { self.leaver_grace } else { TimeDelta::hours(24) }
    }

    /// Writes down what is true from `at` on.
    pub(super) fn note(&mut self, world: &World, papers: &Papers, at: DateTime<Utc>) {
        self.note_people(world, papers, at);
        let deactivates = world.okta.app.provisioning.is_some_and(|it| it.deactivates);
        note(&mut self.deactivates, at, deactivates);
        let of_okta = |it: &&String| Provider::of(it) == Provider::Okta;
        for (user, it) in world.okta.app_users.iter().filter(|it| of_okta(&it.0)) {
            self.named.extend(it.external_id.clone().map(|account| (account, user.clone())));
        }
        for account in &world.app.accounts {
            let named = account.external_id.as_ref().filter(|it| self.rights.contains_key(*it));
            let named = named.map(|it| self.keeper(world, &account.id, it).to_owned());
            let owner = named.or_else(|| self.made_for.get(&account.id).cloned());
            note(self.owners.entry(account.id.clone()).or_default(), at, owner);
            let is_on = console::is_on(world, account);
            note(self.on.entry(account.id.clone()).or_default(), at, is_on);
        }
        let apart: Vec<&Account> =
            world.app.accounts.iter().filter(|it| self.is_apart(it, at)).collect();
        self.apart.extend(apart.into_iter().map(|it| it.id.clone()));
        for (id, history) in &mut self.on {
            if !world.app.accounts.iter().any(|it| it.id == *id) {
                note(history, at, false);
            }
        }
    }

    /// Does the address of an account name somebody else?
    fn is_apart(&self, account: &Account, at: DateTime<Utc>) -> bool {
        let Some(address) = &account.email else { return false };
        let owner = self.owner(&account.id, at);
        let mut named = self.addresses.get(address).into_iter().flatten();
        named.any(|it| owner.is_some_and(|owner| !self.is_same_person(owner, it)))
    }

    /// Was the app's own view of it ever not known to show the same?
    pub(super) fn was_apart(&self, account: &str) -> bool {
        self.apart.contains(account)
    }

    /// Whose an account is that bears the id of this user: where they were left behind for another with
    /// their provider, that of a user of the person who is here, whose it is by the id that Okta has of it.
    fn keeper<'t>(&'t self, world: &World, account: &str, user: &'t str) -> &'t str {
        let is_here = |it: &&String| self.is_same_person(it, user) && has_not_left(world, it);
        let keeper = self.named.get(account).filter(is_here);
        keeper.filter(|_| self.is_left_behind(world, user)).map_or(user, |it| it)
    }

    /// Has this user left, and the person another one with the same provider that has not, or that was
    /// made later and has left as well? Ids of one provider are in the order in which users are made.
    fn is_left_behind(&self, world: &World, user: &str) -> bool {
        let is_there = |it: &&str| Provider::of(it) == Provider::of(user);
        let mut others = self.users_of(user).filter(is_there);
        !has_not_left(world, user) && others.any(|it| it > user || has_not_left(world, it))
    }

    fn note_people(&mut self, world: &World, papers: &Papers, at: DateTime<Utc>) {
        for (id, user) in &world.okta.users {
            self.made_at.insert(id.clone(), user.created_at);
            if let Some(number) = &user.employee_number {
                self.numbers.insert(id.clone(), number.clone());
            }
            self.logins.entry(user.login.clone()).or_default().insert(id.clone());
            for address in user.email.iter().chain([&user.login]) {
                self.addresses.entry(address.clone()).or_default().insert(id.clone());
            }
            self.rights.entry(id.clone()).or_default();
        }
        let mut people: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for id in self.rights.keys() {
            let number = self.numbers.get(id).unwrap_or(id);
            people.entry(number.as_str()).or_default().push(id);
        }
        let mut now: Vec<(String, Right, Dispute)> = Vec::new();
        let mut ends: Vec<(String, Vec<DateTime<Utc>>)> = Vec::new();
        for (number, users) in people {
            let (right, dispute) = self.right_of(world, papers, (number, &users), at);
            let by_hr = papers.leavers.get(number).filter(|_| self.voices.hr != HrWord::Unheard);
            ends.extend(users.iter().map(|id| {
                let user = world.okta.users.get(*id);
                let by_contract = user.and_then(|it| it.ends_on);
                // HR's row of an employment before says nothing of this one.
                let is_of_this =
                    |it: &DateTime<Utc>| user.is_none_or(|user| user.created_at <= *it);
                let by_hr = by_hr.copied().map(end_of).filter(is_of_this);
                let over = by_hr.into_iter().chain(by_contract.map(end_of));
                let is_off = |it: &&OktaUser| matches!(&*it.status, "SUSPENDED" | "DEPROVISIONED");
                let off = user.filter(is_off).and_then(|it| it.status_changed_at);
                ((*id).clone(), over.filter(|it| *it <= at).chain(off).collect())
            }));
            // A user that was left behind for another with the same provider stays a leaver, and so
            // does its account.
            now.extend(users.iter().map(|it| match self.is_left_behind(world, it) {
                true => ((*it).clone(), Right::Leaver, Dispute::No),
                false => ((*it).clone(), right, dispute),
            }));
        }
        for (id, ends) in ends {
            note(self.told_ends.entry(id).or_default(), at, ends);
        }
        for (id, right, dispute) in now {
            note(self.disputed.entry(id.clone()).or_default(), at, dispute);
            let history = self.rights.get(&id).filter(|it| it.is_empty() && right.is_over());
            let over = history.map(|_| self.over_before(&id)).unwrap_or_default();
            self.rights.entry(id.clone()).or_default().extend(over);
            note(self.rights.entry(id).or_default(), at, right);
        }
    }

    /// The steps in which the right of a person was over when they got this user, which changes nothing of
    /// it.
    fn over_before(&self, user: &str) -> History<Right> {
        // A user that was left behind is a leaver for another reason.
        let is_over = |it: Right| it.is_over() && it != Right::Leaver;
        let others = self.users_of(user).filter(|it| *it != user);
        let before = others.filter_map(|it| self.rights.get(it));
        let before = before.filter(|it| it.last().is_some_and(|it| is_over(it.1)));
        let steps = |it: &History<Right>| -> History<Right> {
            let n = it.iter().rev().take_while(|it| it.1.is_over()).count();
            it.get(it.len() - n..).unwrap_or_default().to_vec()
        };
        before.map(steps).min().unwrap_or_default()
    }

    /// The right of one person, over all providers, and whether the sources disagree on it.
    fn right_of(
        &self,
        world: &World,
        papers: &Papers,
        (number, users): (&str, &[&String]),
        at: DateTime<Utc>,
    ) -> (Right, Dispute) {
        // Whoever a provider had and has no more left there, too.
        let said: Vec<(&String, Right, Option<&OktaUser>)> = users
            .iter()
            .map(|id| (*id, world.okta.users.get(*id)))
            .map(|(id, user)| {
                (id, user.map_or(Right::Leaver, |it| by_idp(world, id, it, at)), user)
            })
            .collect();
        // A user that left says nothing of a person who has another one there that did not.
        let has_moved_on = |id: &str| {
            let mut there = said.iter().filter(|it| Provider::of(it.0) == Provider::of(id));
            there.any(|it| it.1 != Right::Leaver)
        };
        let counts = |it: &&(&String, Right, Option<&OktaUser>)| {
            it.1 != Right::Leaver || !has_moved_on(it.0)
        };
        let kept: Vec<_> = said.iter().filter(counts).collect();
        let Voices { hr, all, authority } = self.voices;
        let gives = |provider| {
            let mut there = kept.iter().filter(|it| Provider::of(it.0) == provider);
            there.any(|it| it.1 == Right::Entitled)
        };
        let mut providers = kept.iter().map(|it| Provider::of(it.0));
        let is_entitled = if all { providers.all(gives) } else { providers.any(gives) };
        let by_idps = match is_entitled && !kept.is_empty() {
            true => Right::Entitled,
            false => {
                // That files have somebody no more does not say that they left: any other word says more.
                let is_silent = |it: &(&String, Right, Option<&OktaUser>)| {
                    it.2.is_none() && Provider::of(it.0) == Provider::Exports
                };
                let others = || kept.iter().filter(|it| it.1 != Right::Entitled);
                let said = others().filter(|it| !is_silent(it)).map(|it| it.1).min();
                said.or(others().map(|it| it.1).min()).unwrap_or(Right::Leaver)
            }
        };
        let left_at = papers.leavers.get(number).map(|it| end_of(*it));
        let has_left = left_at.is_some_and(|left_at| {
            // Of another employment since, also when its user is deleted by now.
            let is_later = |id: &str| self.made_at.get(id).is_some_and(|it| *it > left_at);
            left_at <= at && !kept.iter().any(|it| is_later(it.0))
        });
        let mut leavers = kept.iter().filter(|it| it.1 == Right::Leaver).peekable();
        // One that deleted them says so only when it is asked for them by id.
        let is_authority =
            |it: &&&(&String, Right, Option<&OktaUser>)| authority == Some(Provider::of(it.0));
        if leavers.clone().filter(is_authority).any(|it| it.2.is_some()) {
            return (Right::Leaver, Dispute::No);
        }
        let dispute = match leavers.peek() {
            Some(_) if is_entitled => {
                let has_authority = hr == HrWord::Authority || authority.is_some();
                let is_told = leavers.any(|it| it.2.is_some()) && !has_authority;
                if is_told { Dispute::Yes } else { Dispute::Maybe }
            }
            _ => Dispute::No,
        };
        match (hr, has_left, is_entitled) {
            (HrWord::Unheard, ..) | (_, false, _) => (by_idps, dispute),
            (HrWord::Second, true, true) => (by_idps, Dispute::Yes),
            (HrWord::Second, true, false) | (HrWord::Authority, true, _) => {
                (Right::Leaver, Dispute::No)
            }
        }
    }

    pub(super) fn right(&self, user: &str, at: DateTime<Utc>) -> Option<Right> {
        value(self.rights.get(user)?, at).copied()
    }

    /// Has this person left, and not been hired again under another id?
    pub(super) fn is_out(&self, user: &str, at: DateTime<Utc>) -> bool {
        let mut theirs = self.rights.keys().filter(|it| self.is_same_person(it, user));
        theirs.all(|it| self.right(it, at).is_none_or(|it| it == Right::Leaver))
    }

    /// Does one source say that they left, where another says that they may use the app?
    pub(super) fn dispute(&self, user: &str, at: DateTime<Utc>) -> Dispute {
        self.disputed.get(user).and_then(|it| value(it, at)).copied().unwrap_or_default()
    }

    /// Did the provider whose word beats all others ever delete somebody to whom another one gave the app?
    /// They have left once it was asked for them, and may use the app before that.
    pub(super) fn is_unclear(&self, user: &str) -> bool {
        let was_open = |it: &str| {
            let disputes = self.disputed.get(it).into_iter().flatten();
            disputes.into_iter().any(|it| it.1 == Dispute::Maybe)
        };
        self.voices.authority.is_some() && self.users_of(user).any(was_open)
    }

    /// Every user that a person ever had, this one among them.
    pub(super) fn users_of(&self, user: &str) -> impl Iterator<Item = &str> {
        let all = self.rights.keys().map(String::as_str);
        all.filter(move |it| self.is_same_person(it, user))
    }

    /// The one who ever had a login; `None`: nobody, or several people.
    pub(super) fn only_owner_of_login(&self, login: &str) -> Option<&str> {
        let users = self.logins.get(login)?;
        let first = users.first()?;
        users.iter().all(|it| self.is_same_person(it, first)).then_some(first)
    }

    /// Are both users of one person?
    pub(super) fn is_same_person(&self, one: &str, other: &str) -> bool {
        one == other || self.numbers.get(one).is_some_and(|it| self.numbers.get(other) == Some(it))
    }

    /// Did the provider switch nobody off then?
    pub(super) fn keeps_accounts(&self, at: DateTime<Utc>) -> bool {
        value(&self.deactivates, at) == Some(&false)
    }

    pub(super) fn owner(&self, account: &str, at: DateTime<Utc>) -> Option<&str> {
        value(self.owners.get(account)?, at)?.as_deref()
    }

    /// Everybody whose it ever was.
    pub(super) fn owners(&self, account: &str) -> impl Iterator<Item = &str> {
        let owners = self.owners.get(account);
        owners.into_iter().flatten().filter_map(|it| it.1.as_deref())
    }

    pub(super) fn is_on(&self, account: &str, at: DateTime<Utc>) -> bool {
        self.on.get(account).and_then(|it| value(it, at)).copied().unwrap_or(false)
    }

    /// Since when it is on; `None`: it is off.
    pub(super) fn on_since(&self, account: &str) -> Option<DateTime<Utc>> {
        Some(self.on.get(account)?.iter().rev().take_while(|it| it.1).last()?.0)
    }

    /// Could it be used then, by somebody whose access has to end?
    pub(super) fn is_exposed(&self, account: &str, at: DateTime<Utc>) -> bool {
        let right = self.owner(account, at).and_then(|it| self.right(it, at));
        self.is_on(account, at) && right.is_some_and(Right::is_over)
    }

    /// When somebody has to be called about it at the latest: the end of the grace that began
    /// when the right ended. Who never had the right has no such time: grace begins with the first
    /// look at the account, up to a day after it was on, and ends between two looks. A suspension that
    /// is over by now (`is_suspended`) began no grace: somebody may have been back before they left. Who
    /// left, and is back without the app, has as long as anybody who lost it.
    /// `None`: nobody's, or the right has not ended.
    pub(super) fn due(
        &self,
        account: &str,
        is_suspended: bool,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let rights = self.rights.get(self.owner(account, now)?)?;
        if !self.was_entitled(self.owner(account, now)?) {
            return Some(self.on_since(account)? + TimeDelta::hours(73));
        }
        let over = rights.iter().rev().skip_while(|it| it.0 > now).take_while(|it| it.1.is_over());
        let counts = |it: &&(DateTime<Utc>, Right)| is_suspended || it.1 != Right::Suspended;
        let of_today = self.grace(*value(rights, now)?);
        over.filter(counts).map(|(at, right)| *at + self.grace(*right).max(of_today)).min()
    }

    /// Whether somebody ever had the right.
    pub(super) fn was_entitled(&self, owner: &str) -> bool {
        self.rights.get(owner).is_some_and(|it| it.iter().any(|it| it.1 == Right::Entitled))
    }

    /// Every stretch of exposure of one account, oldest first; those that touch are one.
    pub(super) fn stretches(&self, account: &str) -> Vec<Stretch> {
        let mut times: Vec<DateTime<Utc>> = Vec::new();
        times.extend(self.on.get(account).into_iter().flatten().map(|it| it.0));
        let owners = self.owners.get(account);
        for (at, owner) in owners.into_iter().flatten() {
            times.push(*at);
            let rights = owner.as_ref().and_then(|it| self.rights.get(it));
            times.extend(rights.into_iter().flatten().map(|it| it.0));
        }
        times.sort_unstable();
        times.dedup();
        let mut all: Vec<Stretch> = Vec::new();
        for at in times {
            let is_open = all.last().is_some_and(|it| it.1.is_none());
            match (self.is_exposed(account, at), is_open) {
                (true, false) => all.push((at, None)),
                (false, true) => all.iter_mut().for_each(|it| it.1 = it.1.or(Some(at))),
                _ => {}
            }
        }
        all
    }

    /// When the owner's right had ended by then, for the last time.
    pub(super) fn over_since(&self, account: &str, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let owner = self.owner(account, at)?;
        let told = self.told_ends.get(owner).and_then(|it| value(it, at));
        self.steps(owner, at).chain(told.into_iter().flatten().copied()).min()
    }

    /// Each step in which the owner's right had ended by then, for the last time, and each end that
    /// was ever told: it began the exposure, also where HR writes of a later employment since.
    pub(super) fn ends_of_right(&self, account: &str, at: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let Some(owner) = self.owner(account, at) else { return Vec::new() };
        let told = self.told_ends.get(owner).into_iter().flatten().filter(|it| it.0 <= at);
        self.steps(owner, at).chain(told.flat_map(|it| it.1.iter().copied())).collect()
    }

    /// When somebody's right had ended by then, for the last time.
    pub(super) fn ended_at(&self, owner: &str, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.steps(owner, at).min()
    }

    /// When somebody who is away then had left, or their contract ended; whichever came later.
    pub(super) fn left_at(&self, owner: &str, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let rights = self.rights.get(owner)?.iter().rev().skip_while(|it| it.0 > at);
        let over = rights.take_while(|it| it.1.is_over());
        over.filter(|it| matches!(it.1, Right::Leaver | Right::Expired)).map(|it| it.0).max()
    }

    fn steps(&self, owner: &str, at: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let rights = self.rights.get(owner);
        let before = rights.into_iter().flatten().rev().skip_while(move |it| it.0 > at);
        before.take_while(|it| it.1.is_over()).map(|it| it.0)
    }
}

/// Is this user there, and not switched off for good?
pub(super) fn has_not_left(world: &World, user: &str) -> bool {
    world.okta.users.get(user).is_some_and(|it| it.status != "DEPROVISIONED")
}

/// What a provider alone says of one user of its.
fn by_idp(world: &World, id: &str, user: &OktaUser, at: DateTime<Utc>) -> Right {
    let has_app = world.okta.app_users.contains_key(id);
    match user.status.as_str() {
        "DEPROVISIONED" => Right::Leaver,
        _ if user.ends_on.is_some_and(|it| end_of(it) <= at) => Right::Expired,
        "SUSPENDED" if has_app => Right::Suspended,
        "STAGED" if has_app => Right::NotYet,
        _ if has_app => Right::Entitled,
        _ => Right::Unassigned,
    }
}

fn note<T: PartialEq>(history: &mut History<T>, at: DateTime<Utc>, value: T) {
    if history.last().is_none_or(|it| it.1 != value) {
        history.push((at, value));
    }
}

fn value<T>(history: &History<T>, at: DateTime<Utc>) -> Option<&T> {
    history.iter().rev().find(|it| it.0 <= at).map(|it| &it.1)
}
