//! Which identities are one person: by immutable key or HR row. The same address never suffices.

use domain::{Lifecycle, Text, is_placeholder};
use petgraph::unionfind::UnionFind;
use rustc_hash::FxHashMap;

use crate::estate::{Estate, Standing};
use crate::index::{CARRIERS_MAX, Index, email_key, employee_key, user_name_key};
use crate::keys::{KeyRules, PersonKey};
use crate::node::Key;

/// Persons: for each identity the number of its person, and how many persons there are.
#[derive(Debug)]
pub(crate) struct Persons {
    pub(crate) of_identity: Vec<u32>,
    pub(crate) count: u32,
    /// Whom each of HR's rows names.
    pub(crate) named: Vec<NamedByHr>,
}

/// Whom one row of HR's names, as identities.
#[derive(Debug, Default)]
pub(crate) struct NamedByHr {
    /// In order, all of one person; empty when nobody is known by its keys.
    pub(crate) identities: Vec<u32>,
    /// Whom its address names at an IdP where its number names another user.
    pub(crate) others: Vec<u32>,
}

impl Persons {
    /// The person whom a row of HR's names; `None` when nobody is known by its keys.
    pub(crate) fn of_leaver(&self, leaver: usize) -> Option<u32> {
        self.of(*self.named.get(leaver)?.identities.first()?)
    }

    pub(crate) fn of(&self, identity: u32) -> Option<u32> {
        self.of_identity.get(identity as usize).copied()
    }
}

/// Joins identities into persons. Numbers follow the order of the identities.
pub(crate) fn persons(estate: &Estate, rules: &KeyRules, index: &Index<'_>) -> Persons {
    let mut joined = UnionFind::<u32>::new(estate.identities.len());
    for key in &rules.person_keys {
        join_by(estate, *key, &mut joined);
    }
    let named: Vec<NamedByHr> = estate
        .leavers
        .iter()
        .map(|leaver| named_by_hr(estate, rules, index, &leaver.row))
        .collect();
    for it in &named {
        join(&mut joined, &it.identities);
    }
    let (count, of_identity) = number(&joined, estate.identities.len());
    Persons { of_identity, count, named }
}

fn join(joined: &mut UnionFind<u32>, identities: &[u32]) {
    if let Some((first, rest)) = identities.split_first() {
        for other in rest {
            joined.union(*first, *other);
        }
    }
}

fn join_by(estate: &Estate, key: PersonKey, joined: &mut UnionFind<u32>) {
    let value = |at: usize| -> Option<&Text> {
        let row = &estate.identities.get(at)?.row;
        match key {
            PersonKey::EmployeeNumber => row.employee_number.as_ref(),
            PersonKey::ImmutableId => row.immutable_id.as_ref(),
        }
    };
    let mut carriers: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
    for at in 0..estate.identities.len() {
        let Some(value) = value(at).map(|it| it.trim()).filter(|it| !is_placeholder(it)) else {
            continue;
        };
        carriers.entry(value).or_default().push(count(at));
    }
    for identities in carriers.values().filter(|it| is_of_one(estate, it)) {
        join(joined, identities);
    }
}

/// Who is hired again and again leaves so many identities behind at one IdP, and no more.
const LEFT_BEHIND_MAX: usize = 9;

/// A key that more people share is none. Counted in each IdP by itself, and among those who are
/// listed: one person has an identity in each, and leaves some behind.
pub(crate) fn is_key(estate: &Estate, carriers: &[u32]) -> bool {
    carriers.len() <= CARRIERS_MAX
        || listed(estate, carriers).all(|(here, left)| here + left <= CARRIERS_MAX)
}

/// Whether identities of one number may be one person's. Of those who left, more may be: each
/// employment leaves one behind.
fn is_of_one(estate: &Estate, carriers: &[u32]) -> bool {
    carriers.len() <= CARRIERS_MAX
        || listed(estate, carriers)
            .all(|(here, left)| here <= CARRIERS_MAX && left <= LEFT_BEHIND_MAX)
}

/// How many are listed at each IdP: those who did not leave, and those who did.
fn listed(estate: &Estate, carriers: &[u32]) -> impl Iterator<Item = (usize, usize)> {
    let mut listed: FxHashMap<u16, (usize, usize)> = FxHashMap::default();
    for at in carriers {
        let identity = estate.identities.get(*at as usize);
        if let Some(it) = identity.filter(|it| it.standing == Standing::Listed) {
            let (here, left) = listed.entry(it.system).or_default();
            let has_left = it.row.lifecycle == Lifecycle::Left;
            *(if has_left { left } else { here }) += 1;
        }
    }
    listed.into_values()
}

/// Whom an HR row names: by employee number, and at each IdP by an address that one identity has
/// there, or where none has it, by that sign-in name. HR says that all of these are one person: but two
/// users of one IdP are one by a number that both carry alone. Where the address is that of another user
/// than the number, it was given again, or one of the two is a mistake, and it names nobody anywhere.
fn named_by_hr(
    estate: &Estate,
    rules: &KeyRules,
    index: &Index<'_>,
    leaver: &domain::HrLeaver,
) -> NamedByHr {
    let by_number = employee_key(leaver.employee_number.as_ref())
        .map(|key| index.carriers(&key))
        .filter(|it| is_of_one(estate, it))
        .unwrap_or_default();
    let carriers =
        |key: Option<Key<'_>>| key.map(|it| index.carriers(&it).to_vec()).unwrap_or_default();
    let fits = |it: &[u32]| is_one_each(estate, it) && !belongs_to_another(estate, it, leaver);
    let mut by_address = carriers(email_key(rules, leaver.email.as_ref()));
    let mut by_name = carriers(user_name_key(leaver.email.as_ref()));
    let idp = |at: &u32| estate.identities.get(*at as usize).map(|it| it.system);
    by_name.retain(|it| !by_address.iter().any(|mail| idp(mail) == idp(it)));
    if fits(&by_address) {
        by_address.extend(Some(by_name).filter(|it| fits(it)).into_iter().flatten());
    } else {
        by_address.clear();
    }
    let is_another =
        |at: &u32| !by_number.contains(at) && by_number.iter().any(|it| idp(it) == idp(at));
    let others: Vec<u32> = by_address.iter().copied().filter(is_another).collect();
    if !others.is_empty() {
        by_address.clear();
    }
    let mut identities: Vec<u32> = by_number.iter().copied().chain(by_address).collect();
    identities.sort_unstable();
    identities.dedup();
    NamedByHr { identities, others }
}

/// Whether these are identities at different IdPs: two of one IdP are two people, or one whose address
/// was given again.
pub(crate) fn is_one_each(estate: &Estate, carriers: &[u32]) -> bool {
    let idps = carriers.iter().map(|at| estate.identities.get(*at as usize).map(|it| it.system));
    let mut idps: Vec<Option<u16>> = idps.collect();
    idps.sort_unstable();
    idps.windows(2).all(|it| it.first() != it.last())
}

/// The address is now that of somebody with another employee number: it was given again.
fn belongs_to_another(estate: &Estate, carriers: &[u32], leaver: &domain::HrLeaver) -> bool {
    let theirs = |at: &u32| {
        let identity = estate.identities.get(*at as usize)?;
        employee_key(identity.row.employee_number.as_ref())
    };
    let hr = employee_key(leaver.employee_number.as_ref());
    hr.is_some() && carriers.iter().filter_map(theirs).any(|it| Some(it) != hr)
}

/// How many persons there are, and for each identity the number of its person.
fn number(joined: &UnionFind<u32>, n_identities: usize) -> (u32, Vec<u32>) {
    let mut numbers: Vec<Option<u32>> = vec![None; n_identities];
    let mut n_persons = 0;
    let of_identity: Vec<u32> = (0..n_identities)
        .filter_map(|at| {
            let number = numbers.get_mut(joined.find(count(at)) as usize)?;
            Some(*number.get_or_insert_with(|| {
                n_persons += 1;
                n_persons - 1
            }))
        })
        .collect();
    (n_persons, of_identity)
}

/// Rows of one list fit 32 bits: a list of four billion people is none.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
