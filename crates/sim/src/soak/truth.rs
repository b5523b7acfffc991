//! What is true at every instant: who may use the app, whose each account is, and whether it can
//! be used. Written down after everything that happens; nothing of it is ever asked of Driftline.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::world::World;

/// Whether somebody should be able to use the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Entitled,
    NotYet,
    Suspended,
    Unassigned,
    Leaver,
}

impl Right {
    /// Access has to end.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Suspended | Self::Unassigned | Self::Leaver)
    }

    /// So long it may remain before somebody is called.
    fn grace(self) -> TimeDelta {
        TimeDelta::hours(if self == Self::Leaver { 4 } else { 24 })
    }
}

/// A value and since when it holds, oldest first.
type History<T> = Vec<(DateTime<Utc>, T)>;

/// All that was ever true.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// By user id.
    rights: BTreeMap<String, History<Right>>,
    /// By account id: whether it can be used. Gone is not.
    on: BTreeMap<String, History<bool>>,
    /// By account id: whose it is.
    owners: BTreeMap<String, History<Option<String>>>,
    /// Owners of accounts that were made by hand, by account id.
    pub(super) made_for: BTreeMap<String, String>,
}

/// A stretch of time in which an account could be used that should have been off. No end: it
/// still can.
pub(super) type Stretch = (DateTime<Utc>, Option<DateTime<Utc>>);

impl Truth {
    /// Writes down what is true from `at` on.
    pub(super) fn note(&mut self, world: &World, at: DateTime<Utc>) {
        for (id, user) in &world.okta.users {
            let right = match (user.status.as_str(), world.okta.app_users.contains_key(id)) {
                ("DEPROVISIONED", _) => Right::Leaver,
                ("SUSPENDED", true) => Right::Suspended,
                ("STAGED", _) => Right::NotYet,
                (_, true) => Right::Entitled,
                (_, false) => Right::Unassigned,
            };
            note(self.rights.entry(id.clone()).or_default(), at, right);
        }
        for (id, history) in &mut self.rights {
            if !world.okta.users.contains_key(id) {
                note(history, at, Right::Leaver);
            }
        }
        for account in &world.app.accounts {
            let named = account.external_id.clone().filter(|it| self.rights.contains_key(it));
            let owner = named.or_else(|| self.made_for.get(&account.id).cloned());
            note(self.owners.entry(account.id.clone()).or_default(), at, owner);
            note(self.on.entry(account.id.clone()).or_default(), at, !account.is_off());
        }
        for (id, history) in &mut self.on {
            if !world.app.accounts.iter().any(|it| it.id == *id) {
                note(history, at, false);
            }
        }
    }

    pub(super) fn right(&self, user: &str, at: DateTime<Utc>) -> Option<Right> {
        value(self.rights.get(user)?, at).copied()
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

    /// Could it be used then, by somebody whose access has to end?
    pub(super) fn is_exposed(&self, account: &str, at: DateTime<Utc>) -> bool {
        let right = self.owner(account, at).and_then(|it| self.right(it, at));
        self.is_on(account, at) && right.is_some_and(Right::is_over)
    }

    /// When somebody has to be called about it at the latest: the end of the grace that began
    /// when the right ended. Who never had the right has no such time: grace begins with the first
    /// look at the account, up to a day after it was on, and ends between two looks. `None`: nobody's, or the right has not ended.
    pub(super) fn due(&self, account: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let rights = self.rights.get(self.owner(account, now)?)?;
        if !self.was_entitled(self.owner(account, now)?) {
            let on = self.on.get(account)?.iter().rev().take_while(|it| it.1).last()?;
            return Some(on.0 + TimeDelta::hours(73));
        }
        let over = rights.iter().rev().skip_while(|it| it.0 > now).take_while(|it| it.1.is_over());
        over.map(|(at, right)| *at + right.grace()).min()
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
        self.ends_of_right(account, at).into_iter().min()
    }

    /// Each step in which the owner's right had ended by then, for the last time.
    pub(super) fn ends_of_right(&self, account: &str, at: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let rights = self.owner(account, at).and_then(|it| self.rights.get(it));
        let before = rights.into_iter().flatten().rev().skip_while(|it| it.0 > at);
        before.take_while(|it| it.1.is_over()).map(|it| it.0).collect()
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
