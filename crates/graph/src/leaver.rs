//! HR's rows: which of several of one person counts, and accounts of people whom HR alone knows,
//! which a key on its row may name.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{HrLeaver, Tier};
use rustc_hash::FxHashMap;

use crate::estate::{Estate, Sighting, Standing};
use crate::index::{email_key, employee_key};
use crate::keys::KeyRules;
use crate::node::Key;
use crate::person::Persons;

/// HR's rows that name no identity and were not taken back, by the keys that an account may carry.
#[derive(Debug, Default)]
pub(crate) struct Unknown<'e> {
    by_key: FxHashMap<Key<'e>, Vec<usize>>,
}

impl<'e> Unknown<'e> {
    pub(crate) fn of(estate: &'e Estate<'e>, rules: &'e KeyRules, persons: &Persons) -> Self {
        let mut by_key: FxHashMap<Key<'e>, Vec<usize>> = FxHashMap::default();
        for (at, leaver) in estate.leavers.iter().enumerate() {
            let is_of_person = persons.of_leaver.get(at).copied().flatten().is_some();
            if is_of_person || estate.is_taken_back(leaver) {
                continue;
            }
            let row: &'e HrLeaver = leaver.row;
            let keys =
                [employee_key(row.employee_number.as_ref()), email_key(rules, row.email.as_ref())];
            for key in keys.into_iter().flatten() {
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
        estate: &Estate<'_>,
        rules: &KeyRules,
        account: &Sighting<'_, domain::Account>,
    ) -> Vec<(usize, Tier)> {
        let row = account.row;
        let sign_in = row.user_name.as_ref().filter(|it| it.contains('@'));
        let tried = [
            (Tier::EmployeeNumber, employee_key(row.employee_number.as_ref())),
            (Tier::UserName, email_key(rules, sign_in)),
            (Tier::Email, email_key(rules, row.email.as_ref())),
        ];
        let is_theirs = |leaver: &Sighting<'_, HrLeaver>| {
            row.created_at.is_none_or(|it| it <= leaver.row.left_at)
        };
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
pub fn last_leaves(estate: &Estate<'_>, leaves: impl Iterator<Item = usize>) -> Vec<usize> {
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

impl Estate<'_> {
    /// Returns true for a leave that HR has struck out before its day had come: it was taken back, or
    /// the list is one of the coming weeks.
    #[must_use]
    pub fn is_taken_back(&self, leaver: &Sighting<'_, HrLeaver>) -> bool {
        let last_seen = self.snapshot(leaver.snapshot).reference.as_of.at;
        leaver.standing == Standing::Gone && last_seen < leaver.row.left_at
    }
}
