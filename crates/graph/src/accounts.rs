//! Accounts over channels: what several views show of one login becomes one account.
//!
//! The leading channel's rows are the accounts. A row of another channel joins the one account
//! that has its user name or address; where none or several have it, or several rows of that channel
//! do, or its keys name another person than that account's do, it stands alone. Of accounts that are
//! gone, only the last that was seen has its keys: what another channel shows is of today, or of its own
//! last look, and an account that was gone by then, or before the row was made, is not it. Rows that
//! have a key in common and stand alone may be one account, and are not known to be.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{Account, CLOCK_SKEW_MAX};
use rustc_hash::FxHashMap;

use crate::correlate::Correlation;
use crate::estate::{Estate, Sighting, Standing};
use crate::index::{email_key, user_name_key};
use crate::keys::KeyRules;
use crate::node::{Key, KeyKind};
use crate::person::count;

/// One login of the app, over all channels that show it. Indices into [`Estate::accounts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The row of the leading channel that shows it.
    pub leading: u32,
    /// Its rows in other channels.
    pub others: Vec<u32>,
}

impl AccountView {
    /// Every row of it, the leading one first.
    pub fn rows<'a>(&'a self, estate: &'a Estate) -> impl Iterator<Item = &'a Sighting<Account>> {
        std::iter::once(&self.leading)
            .chain(&self.others)
            .filter_map(|at| estate.accounts.get(*at as usize))
    }
}

/// Accounts that stand alone and have a key in common with rows of other channels.
#[derive(Debug, Default)]
pub(crate) struct Unpaired {
    /// For each key that leading rows of several channels have, the accounts of each channel, in order.
    by_key: Vec<BTreeMap<u16, Vec<usize>>>,
    /// By account, the places of its keys in that.
    keys: FxHashMap<usize, Vec<usize>>,
}

impl Unpaired {
    fn of(correlation: &Correlation<'_>, views: &[AccountView]) -> Self {
        let estate = correlation.estate;
        let mut by_key: FxHashMap<Key<'_>, BTreeMap<u16, Vec<usize>>> = FxHashMap::default();
        let is_missed = |it: &&AccountView| it.others.len() + 1 < estate.channels.len();
        for (at, view) in views.iter().enumerate().filter(|it| is_missed(&it.1)) {
            let Some(leading) = view.rows(estate).next().map(|it| it.system) else { continue };
            for key in view.rows(estate).flat_map(|it| keys_of(correlation.rules, it)) {
                let theirs = by_key.entry(key).or_default().entry(leading).or_default();
                if theirs.last() != Some(&at) {
                    theirs.push(at);
                }
            }
        }
        let mut all = Self::default();
        for theirs in by_key.into_values().filter(|it| it.len() > 1) {
            for at in theirs.values().flatten() {
                all.keys.entry(*at).or_default().push(all.by_key.len());
            }
            all.by_key.push(theirs);
        }
        all
    }

    /// The accounts that have a key in common with this one and are led by another channel than `led_by`,
    /// which leads it; some more than once.
    pub(crate) fn beside(&self, account: usize, led_by: u16) -> impl Iterator<Item = usize> {
        let keys = self.keys.get(&account).into_iter().flatten();
        let channels = keys.filter_map(|it| self.by_key.get(*it)).flatten();
        channels.filter(move |it| *it.0 != led_by).flat_map(|it| it.1).copied()
    }
}

/// Makes one account of the rows that are one, and tells which of the others may be.
pub(crate) fn accounts(correlation: &Correlation<'_>) -> (Vec<AccountView>, Unpaired) {
    let (estate, rules) = (correlation.estate, correlation.rules);
    let all = || estate.accounts.iter().enumerate().map(|(at, it)| (count(at), it));
    if estate.channels.len() < 2 {
        let alone = |at| AccountView { leading: at, others: Vec::new() };
        return (all().map(|(at, _)| alone(at)).collect(), Unpaired::default());
    }
    let mut views: Vec<AccountView> = Vec::new();
    let mut by_key: FxHashMap<Key<'_>, Option<usize>> = FxHashMap::default();
    let mut channels: Vec<u16> = estate.accounts.iter().map(|it| it.system).collect();
    channels.sort_unstable();
    channels.dedup();
    for channel in channels {
        let is_listed = |it: &Sighting<Account>| it.standing == Standing::Listed;
        // What is only remembered joins after what is there, by keys that are free.
        let mut rows: Vec<_> = all().filter(|(_, it)| it.system == channel).collect();
        rows.sort_by_key(|(_, it)| gone(estate, it));
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(at, row)| {
                let mut carriers = keys_of(rules, row).filter_map(|key| *by_key.get(&key)?);
                let is_theirs = |view: &usize| {
                    views.get(*view).is_some_and(|it| {
                        !correlation.are_two_persons(it.leading, at)
                            && !is_made_since(estate, it.leading, row)
                    })
                };
                (at, row, carriers.find(is_theirs))
            })
            .collect();
        // By account: the first row that would join it, and how many do that are listed.
        let mut joining: FxHashMap<usize, (u32, u32)> = FxHashMap::default();
        for (at, row, view) in &rows {
            if let Some(view) = view {
                joining.entry(*view).or_insert((*at, 0)).1 += u32::from(is_listed(row));
            }
        }
        let mut fresh = Vec::new();
        for (at, row, view) in rows {
            let is_it = |view: &usize| {
                joining.get(view).is_some_and(|(first, n_listed)| *first == at && *n_listed < 2)
            };
            match view.filter(is_it).and_then(|it| views.get_mut(it)) {
                Some(view) => view.others.push(at),
                None => fresh.push((at, row)),
            }
        }
        for (at, row) in fresh {
            let view = views.len();
            views.push(AccountView { leading: at, others: Vec::new() });
            for key in keys_of(rules, row) {
                // A key that two accounts of one channel carry joins nothing, unless one was still
                // there when the other was gone.
                let is_newer = |first: &usize| {
                    let first = views.get(*first).and_then(|it| it.rows(estate).next());
                    first.is_some_and(|it| gone(estate, it) < gone(estate, row))
                };
                by_key
                    .entry(key)
                    .and_modify(|it| *it = it.filter(|it| *it == view || is_newer(it)))
                    .or_insert(Some(view));
            }
        }
    }
    let unpaired = Unpaired::of(correlation, &views);
    (views, unpaired)
}

/// Was a row made after the account that is gone was seen last? Then it is another one.
fn is_made_since(estate: &Estate, leading: u32, row: &Sighting<Account>) -> bool {
    let account = estate.accounts.get(leading as usize);
    let gone = account.filter(|it| it.standing == Standing::Gone);
    let seen_at = gone.map(|it| estate.snapshot(it.snapshot).reference.as_of.at);
    seen_at.zip(row.row.created_at).is_some_and(|(seen, made)| made > seen + CLOCK_SKEW_MAX)
}

/// Orders rows: those in their list first, then those that are gone, the last seen first. `None`: it is in
/// its list.
fn gone(estate: &Estate, row: &Sighting<Account>) -> Option<Reverse<DateTime<Utc>>> {
    let is_gone = row.standing == Standing::Gone;
    is_gone.then(|| Reverse(estate.snapshot(row.snapshot).reference.as_of.at))
}

/// The keys by which rows of two channels are one account, strongest first. A user name that is
/// an address also counts as one: Secureframe's own API shows addresses only.
fn keys_of<'a>(rules: &'a KeyRules, row: &'a Sighting<Account>) -> impl Iterator<Item = Key<'a>> {
    let name = user_name_key(row.row.user_name.as_ref());
    let address = email_key(rules, row.row.email.as_ref());
    let named = name.as_ref().filter(|it| it.value.contains('@'));
    let as_address = named.map(|it| Key { kind: KeyKind::Email, value: it.value.clone() });
    [address, as_address, name].into_iter().flatten()
}
