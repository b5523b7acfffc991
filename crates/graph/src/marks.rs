//! Which rows may have to do with each other: told fast, and never missed.
//!
//! A mark is a hash of a key, folded, whatever kind of key it is. Two rows that some key joins, or
//! by which somebody may be meant, have a mark in common. Two that have one need not be joined.

use std::hash::BuildHasher as _;

use domain::{
    Account, Assignment, Folded, HrLeaver, Identity, Membership, NonHuman, Principal, Rows, Text,
};
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::index::email_key;
use crate::keys::KeyRules;

/// A hash of a key.
pub type Mark = u32;

/// The marks of rows.
#[derive(Debug)]
pub struct Marks<'r> {
    rules: &'r KeyRules,
    all: FxHashSet<Mark>,
}

impl<'r> Marks<'r> {
    /// Those of no row.
    #[must_use]
    pub fn new(rules: &'r KeyRules) -> Self {
        Self { rules, all: FxHashSet::default() }
    }

    /// Adds these marks.
    pub fn extend(&mut self, marks: &[Mark]) {
        self.all.extend(marks);
    }

    /// Adds the marks of one row of a list.
    pub fn add(&mut self, rows: &Rows, at: usize) {
        let rules = self.rules;
        let all = &mut self.all;
        let mut add = |it| {
            all.insert(it);
        };
        match rows {
            Rows::Identities(rows) => rows.get(at).map(|it| identity(rules, it, &mut add)),
            Rows::Assignments(rows) => rows.get(at).map(|it| assignment(rules, it, &mut add)),
            Rows::Memberships(rows) => rows.get(at).map(|it| membership(it, &mut add)),
            Rows::Accounts(rows) => rows.get(at).map(|it| account(rules, it, &mut add)),
            Rows::NonHumans(rows) => rows.get(at).map(|it| nonhuman(rules, it, &mut add)),
            Rows::Leavers(rows) => rows.get(at).map(|it| leaver(rules, it, &mut add)),
        };
    }

    /// Adds the marks of a name, an address or an id.
    pub fn add_name(&mut self, text: &str) {
        self.all.extend(mark(text));
    }

    /// Adds those of a row of the register.
    pub fn add_nonhuman(&mut self, row: &NonHuman) {
        let all = &mut self.all;
        nonhuman(self.rules, row, &mut |it| {
            all.insert(it);
        });
    }

    /// Whether one of these marks is among them.
    #[must_use]
    pub fn have_any(&self, marks: &[Mark]) -> bool {
        marks.iter().any(|it| self.all.contains(it))
    }
}

/// The marks of an identity, its account and its assignment. Most of their keys are the same text.
pub fn marks_of(
    rules: &KeyRules,
    (user, login, grant): (&Identity, &Account, &Assignment),
    add: &mut impl FnMut(Mark),
) {
    identity(rules, user, add);
    let names = [user.user_name.as_ref(), user.email.as_ref()];
    let is_other = |it: &&Text| !names.contains(&Some(it));
    id(&login.id, add);
    login.external_id.iter().filter(|it| **it != user.id).for_each(|it| id(it, add));
    name(rules, login.user_name.as_ref().filter(is_other), add);
    name(rules, login.email.as_ref().filter(is_other), add);
    number(login.employee_number.as_ref(), add);
    if !matches!(&grant.principal, Principal::Identity(it) if *it == user.id) {
        principal(&grant.principal, add);
    }
    grant.account_id.iter().filter(|it| **it != login.id).for_each(|it| id(it, add));
    name(rules, grant.user_name.as_ref().filter(is_other), add);
}

fn identity(rules: &KeyRules, it: &Identity, add: &mut impl FnMut(Mark)) {
    id(&it.id, add);
    name(rules, it.user_name.as_ref(), add);
    name(rules, it.email.as_ref().filter(|mail| Some(*mail) != it.user_name.as_ref()), add);
    number(it.employee_number.as_ref(), add);
    it.immutable_id.iter().for_each(|it| id(it, add));
    // An app's `externalId` may carry what stands before the `@` of the name in the directory.
    let local = it.user_name.as_ref().and_then(|it| it.split_once('@'));
    if let Some((local, _)) = local.filter(|_| !rules.external_id.is_empty()) {
        id(local, add);
    }
}

fn account(rules: &KeyRules, it: &Account, add: &mut impl FnMut(Mark)) {
    id(&it.id, add);
    it.external_id.iter().for_each(|it| id(it, add));
    name(rules, it.user_name.as_ref(), add);
    name(rules, it.email.as_ref(), add);
    number(it.employee_number.as_ref(), add);
}

fn assignment(rules: &KeyRules, it: &Assignment, add: &mut impl FnMut(Mark)) {
    principal(&it.principal, add);
    it.account_id.iter().for_each(|it| id(it, add));
    name(rules, it.user_name.as_ref(), add);
}

fn membership(it: &Membership, add: &mut impl FnMut(Mark)) {
    principal(&it.member, add);
}

fn nonhuman(rules: &KeyRules, it: &NonHuman, add: &mut impl FnMut(Mark)) {
    name(rules, Some(&it.account), add);
    name(rules, it.owner.as_ref(), add);
}

fn leaver(rules: &KeyRules, it: &HrLeaver, add: &mut impl FnMut(Mark)) {
    name(rules, it.email.as_ref(), add);
    number(it.employee_number.as_ref(), add);
}

fn principal(it: &Principal, add: &mut impl FnMut(Mark)) {
    match it {
        Principal::Identity(it) => id(it, add),
        Principal::Group(_) => {}
    }
}

fn id(text: &str, add: &mut impl FnMut(Mark)) {
    mark(text).into_iter().for_each(add);
}

/// A name, and what it is as an address.
fn name(rules: &KeyRules, text: Option<&Text>, add: &mut impl FnMut(Mark)) {
    let Some(text) = text else { return };
    id(text, add);
    if !rules.domain_aliases.is_empty() {
        email_key(rules, Some(text)).iter().for_each(|it| id(&it.value, add));
    }
}

/// A number as it stands, and without the zeros that spreadsheets take from it.
fn number(text: Option<&Text>, add: &mut impl FnMut(Mark)) {
    let Some(text) = text.map(|it| it.trim()) else { return };
    id(text, add);
    if text.starts_with('0') {
        id(text.trim_start_matches('0'), add);
    }
}

/// `None`: blanks join nobody.
fn mark(text: &str) -> Option<Mark> {
    /// Longer ones are folded as they lie.
    const SHORT: usize = 64;
    let is_blank = |it: Option<&u8>| it.is_none_or(|it| *it <= b' ' || !it.is_ascii());
    let has_blanks = is_blank(text.as_bytes().first()) || is_blank(text.as_bytes().last());
    let text = if has_blanks { text.trim() } else { text };
    if text.is_empty() {
        return None;
    }
    let mut short = [0; SHORT];
    let hash = match short.get_mut(..text.len()).filter(|_| text.is_ascii()) {
        Some(folded) => {
            folded.copy_from_slice(text.as_bytes());
            folded.make_ascii_lowercase();
            FxBuildHasher.hash_one(&*folded)
        }
        None => FxBuildHasher.hash_one(Folded::new(text)?.as_str().as_bytes()),
    };
    // The upper half: the lower one of an Fx hash knows less of the text.
    Mark::try_from(hash >> 32).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_alike_has_one_mark() {
        let long = "A".repeat(70);
        let alike = [
            ("Kim@Example.org", " kim@example.org"),
            ("STRASSE", "straße"),
            ("\u{212a}im", "kim"),
            ("6F9619FF-8B86-D011-B42D-00CF4FC964FF", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
            (&long, &long.to_lowercase()),
        ];
        for (one, other) in alike {
            assert!(mark(one).is_some());
            assert_eq!(mark(one), mark(other), "{one}");
        }
        assert_ne!(mark("kim"), mark("tim"));
        assert_eq!(mark(" \t"), None);
    }
}
