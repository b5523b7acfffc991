//! Accounts of people whom no identity provider knows and HR does: a key on HR's row may name them.

use domain::{HrLeaver, Tier};
use rustc_hash::FxHashMap;

use crate::estate::{Estate, Sighting};
use crate::index::{email_key, employee_key};
use crate::keys::KeyRules;
use crate::node::Key;
use crate::person::Persons;

/// HR's rows that name no identity, by the keys that an account may carry.
#[derive(Debug, Default)]
pub(crate) struct Unknown<'e> {
    by_key: FxHashMap<Key<'e>, Vec<usize>>,
}

impl<'e> Unknown<'e> {
    pub(crate) fn of(estate: &'e Estate<'e>, rules: &'e KeyRules, persons: &Persons) -> Self {
        let mut by_key: FxHashMap<Key<'e>, Vec<usize>> = FxHashMap::default();
        for (at, leaver) in estate.leavers.iter().enumerate() {
            if persons.of_leaver.get(at).copied().flatten().is_some() {
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

    /// The row that a key of an account names, and that key, the strongest first; of several rows of
    /// one key the latest leave. `None`: no key does. An account that was made after the leave is not
    /// that employment's.
    pub(crate) fn row_of(
        &self,
        estate: &Estate<'_>,
        rules: &KeyRules,
        account: &Sighting<'_, domain::Account>,
    ) -> Option<(usize, Tier)> {
        let row = account.row;
        let sign_in = row.user_name.as_ref().filter(|it| it.contains('@'));
        let tried = [
            (Tier::EmployeeNumber, employee_key(row.employee_number.as_ref())),
            (Tier::UserName, email_key(rules, sign_in)),
            (Tier::Email, email_key(rules, row.email.as_ref())),
        ];
        tried.into_iter().find_map(|(tier, key)| {
            let named = self.by_key.get(&key?)?.iter();
            let left_at = |at: &usize| estate.leavers.get(*at).map(|it| it.row.left_at);
            let latest = *named.max_by_key(|at| left_at(at))?;
            let is_later = row.created_at.is_some_and(|it| Some(it) > left_at(&latest));
            (!is_later).then_some((latest, tier))
        })
    }
}
