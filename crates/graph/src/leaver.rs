//! HR's rows: which of several of one person counts, which accounts their keys name where no IdP knows
//! these, and rows by which somebody else may be meant. Never joins anybody by a guess.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{HrLeaver, Lifecycle, Tier};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::estate::{Estate, Sighting, Standing};
use crate::index::{Index, email_key, employee_key, user_name_key};
use crate::keys::KeyRules;
use crate::node::Key;
use crate::person::{Persons, is_key, is_one_each};

/// The keys of HR's rows that were not taken back: of people whom no IdP knows, and of those whom one
/// knows, what names nobody else there.
#[derive(Debug, Default)]
pub(crate) struct KeysByHr<'e> {
    by_key: FxHashMap<Key<'e>, Vec<usize>>,
}

impl<'e> KeysByHr<'e> {
    pub(crate) fn of(
        estate: &'e Estate,
        rules: &'e KeyRules,
        index: &Index<'_>,
        persons: &Persons,
    ) -> Self {
        let mut by_key: FxHashMap<Key<'e>, Vec<usize>> = FxHashMap::default();
        for (at, leaver) in estate.leavers.iter().enumerate() {
            if estate.is_taken_back(leaver) {
                continue;
            }
            let row: &'e HrLeaver = &leaver.row;
            let person = persons.of_leaver(at);
            let names_another = |key: &Key<'_>| {
                let carriers = index.carriers(key).iter();
                person.is_some() && carriers.copied().any(|it| persons.of(it) != person)
            };
            let number = employee_key(row.employee_number.as_ref());
            let name = user_name_key(row.email.as_ref()).filter(|it| !names_another(it));
            let address = email_key(rules, row.email.as_ref()).filter(|_| name.is_some());
            for key in [number, address].into_iter().flatten().filter(|it| !names_another(it)) {
                by_key.entry(key).or_default().push(at);
            }
        }
        Self { by_key }
    }

    /// Of each list, the row that a key of an account names, and that key, the strongest first; of
    /// several rows of one key the latest leave. Empty: no key does. An account that was made after
    /// the leave is not that employment's.
    pub(crate) fn rows_of(
        &self,
        estate: &Estate,
        rules: &KeyRules,
        account: &Sighting<domain::Account>,
    ) -> Vec<(usize, Tier)> {
        let row = &account.row;
        let sign_in = row.user_name.as_ref().filter(|it| it.contains('@'));
        let tried = [
            (Tier::EmployeeNumber, employee_key(row.employee_number.as_ref())),
            (Tier::UserName, email_key(rules, sign_in)),
            (Tier::Email, email_key(rules, row.email.as_ref())),
        ];
        let is_theirs =
            |leaver: &Sighting<HrLeaver>| row.created_at.is_none_or(|it| it <= leaver.row.left_at);
        let mut found: Vec<(usize, Tier)> = Vec::new();
        for (tier, key) in tried {
            let named = key.and_then(|it| self.by_key.get(&it)).into_iter().flatten().copied();
            for at in last_leaves(estate, named) {
                let Some(leaver) = estate.leavers.get(at) else { continue };
                let list = |it: &(usize, Tier)| estate.leavers.get(it.0).map(|it| it.system);
                let is_known = found.iter().any(|it| list(it) == Some(leaver.system));
                found.extend((is_theirs(leaver) && !is_known).then_some((at, tier)));
            }
        }
        found
    }
}

/// Of each list the latest of these leaves, in the order of the lists: an earlier one was followed
/// by a rehire.
#[must_use]
pub fn last_leaves(estate: &Estate, leaves: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut last: BTreeMap<u16, (DateTime<Utc>, usize)> = BTreeMap::new();
    for at in leaves {
        let Some(leaver) = estate.leavers.get(at) else { continue };
        let latest = last.entry(leaver.system).or_insert((leaver.row.left_at, at));
        if latest.0 < leaver.row.left_at {
            *latest = (leaver.row.left_at, at);
        }
    }
    last.into_values().map(|it| it.1).collect()
}

impl Estate {
    /// Returns true for a leave that HR has struck out before its day had come: it was taken back, or
    /// the list is one of the coming weeks.
    #[must_use]
    pub fn is_taken_back(&self, leaver: &Sighting<HrLeaver>) -> bool {
        let last_seen = self.snapshot(leaver.snapshot).reference.as_of.at;
        leaver.standing == Standing::Gone && last_seen < leaver.row.left_at
    }
}

/// Why a row of HR's does not name somebody who may be meant by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unnamed {
    /// Several people carry its number or its address, and one of them was there before the leave and
    /// still is.
    Several,
    /// A number of somebody else differs from its own in leading zeros or letter case alone.
    AlmostNumber,
    /// Its number names one user of an IdP and its address another, who was there before the leave and
    /// still is. The number decided.
    TwoUsers,
}

/// HR's rows of today by which somebody may be meant whom they do not name, in order. Nobody is joined by
/// a guess, and nobody is to be missed without a word.
pub(crate) fn unnamed(
    estate: &Estate,
    rules: &KeyRules,
    index: &Index<'_>,
    persons: &Persons,
) -> Vec<(usize, Unnamed)> {
    let listed =
        || estate.leavers.iter().enumerate().filter(|it| it.1.standing == Standing::Listed);
    let names_nobody = |at: usize| persons.of_leaver(at).is_none();
    let of_nobody = listed().filter(|it| names_nobody(it.0));
    let almost = almost_numbers(estate, of_nobody.map(|it| &it.1.row));
    let why = |at: usize, leaver: &HrLeaver| {
        if !names_nobody(at) {
            let mut others = persons.named.get(at)?.others.iter();
            let is_meant = others.any(|it| may_be_meant(estate, *it, leaver));
            return is_meant.then_some(Unnamed::TwoUsers);
        }
        if is_of_several(estate, rules, index, leaver) {
            return Some(Unnamed::Several);
        }
        let number = employee_key(leaver.employee_number.as_ref())?;
        almost.contains(&*loose(&number.value)).then_some(Unnamed::AlmostNumber)
    };
    listed().filter_map(|(at, leaver)| Some((at, why(at, &leaver.row)?))).collect()
}

/// Who was made after the leave is not meant, and who has left is told by the IdP.
fn may_be_meant(estate: &Estate, identity: u32, leaver: &HrLeaver) -> bool {
    estate.identities.get(identity as usize).is_some_and(|it| {
        it.standing == Standing::Listed
            && it.row.lifecycle != Lifecycle::Left
            && it.row.created_at.is_none_or(|it| it <= leaver.left_at)
    })
}

fn is_of_several(estate: &Estate, rules: &KeyRules, index: &Index<'_>, leaver: &HrLeaver) -> bool {
    let address = leaver.email.as_ref();
    let number = employee_key(leaver.employee_number.as_ref());
    let addressed = [email_key(rules, address), user_name_key(address)];
    let by_number = number.iter().map(|it| index.carriers(it)).filter(|it| !is_key(estate, it));
    let by_address = addressed.iter().flatten().map(|it| index.carriers(it));
    let by_address = by_address.filter(|it| !is_one_each(estate, it));
    by_number.chain(by_address).flatten().any(|it| may_be_meant(estate, *it, leaver))
}

/// Of the numbers of these rows those that an identity or an account carries otherwise written, in
/// the form in which they are the same.
fn almost_numbers<'r>(
    estate: &Estate,
    leavers: impl Iterator<Item = &'r HrLeaver>,
) -> FxHashSet<String> {
    let numbers = leavers.filter_map(|it| employee_key(it.employee_number.as_ref()));
    let wanted: FxHashSet<String> = numbers.map(|it| loose(&it.value).into_owned()).collect();
    if wanted.is_empty() {
        return wanted;
    }
    let of_identities = estate.identities.iter().map(|it| it.row.employee_number.as_ref());
    let of_accounts = estate.accounts.iter().map(|it| it.row.employee_number.as_ref());
    let carried = of_identities.chain(of_accounts).filter_map(employee_key);
    carried.filter_map(|it| wanted.get(&*loose(&it.value)).cloned()).collect()
}

/// A number without what spreadsheets and people change of it: leading zeros and letter case.
pub(crate) fn loose(number: &str) -> Cow<'_, str> {
    let number = number.trim().trim_start_matches('0');
    let is_plain = number.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
    if is_plain { number.into() } else { number.to_lowercase().into() }
}
