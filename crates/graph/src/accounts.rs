//! Accounts over channels: what several views show of one login becomes one account.
//!
//! The leading channel's rows are the accounts. A row of another channel joins the one account
//! that has its user name or address; where none or several have it, or its keys name another
//! person than that account's do, it stands alone.

use domain::Account;
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
    pub fn rows<'a>(
        &'a self,
        estate: &'a Estate<'a>,
    ) -> impl Iterator<Item = &'a Sighting<'a, Account>> {
        std::iter::once(&self.leading)
            .chain(&self.others)
            .filter_map(|at| estate.accounts.get(*at as usize))
    }
}

/// Makes one account of the rows that are one.
pub(crate) fn accounts(correlation: &Correlation<'_>) -> Vec<AccountView> {
    let (estate, rules) = (correlation.estate, correlation.rules);
    let all = || estate.accounts.iter().enumerate().map(|(at, it)| (count(at), it));
    if estate.channels.len() < 2 {
        return all().map(|(at, _)| AccountView { leading: at, others: Vec::new() }).collect();
    }
    let mut views: Vec<AccountView> = Vec::new();
    let mut by_key: FxHashMap<Key<'_>, Option<usize>> = FxHashMap::default();
    let mut channels: Vec<u16> = estate.accounts.iter().map(|it| it.system).collect();
    channels.sort_unstable();
    channels.dedup();
    for channel in channels {
        let mut claimed: FxHashMap<usize, u32> = FxHashMap::default();
        let mut fresh = Vec::new();
        // What is only remembered joins after what is there, by keys that are free.
        let listed = |wanted| {
            move |it: &(u32, &Sighting<'_, Account>)| (it.1.standing == Standing::Listed) == wanted
        };
        let mine = || all().filter(|(_, it)| it.system == channel);
        let rows = mine().filter(listed(true)).chain(mine().filter(listed(false)));
        for (at, row) in rows {
            let mut carriers = keys_of(rules, row).filter_map(|key| *by_key.get(&key)?);
            let is_theirs = |view: &usize| {
                views.get(*view).is_some_and(|it| !correlation.are_two_persons(it.leading, at))
            };
            let owner = carriers.find(is_theirs);
            match owner.filter(|it| !claimed.contains_key(it)) {
                Some(view) => {
                    claimed.insert(view, at);
                }
                None => fresh.push(at),
            }
        }
        for (view, at) in claimed {
            if let Some(view) = views.get_mut(view) {
                view.others.push(at);
            }
        }
        for at in fresh {
            let view = views.len();
            views.push(AccountView { leading: at, others: Vec::new() });
            let Some(row) = estate.accounts.get(at as usize) else { continue };
            for key in keys_of(rules, row) {
                // A key that two accounts of one channel carry joins nothing.
                let is_gone = row.standing == Standing::Gone;
                by_key
                    .entry(key)
                    .and_modify(|it| *it = it.filter(|first| is_gone || *first == view))
                    .or_insert(Some(view));
            }
        }
    }
    views
}

/// The keys by which rows of two channels are one account, strongest first. A user name that is
/// an address also counts as one: Secureframe's own API shows addresses only.
fn keys_of<'a>(
    rules: &'a KeyRules,
    row: &'a Sighting<'a, Account>,
) -> impl Iterator<Item = Key<'a>> {
    let name = user_name_key(row.row.user_name.as_ref());
    let address = email_key(rules, row.row.email.as_ref());
    let named = name.as_ref().filter(|it| it.value.contains('@'));
    let as_address = named.map(|it| Key { kind: KeyKind::Email, value: it.value.clone() });
    [address, as_address, name].into_iter().flatten()
}
