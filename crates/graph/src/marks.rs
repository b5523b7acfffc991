//! Which rows may have to do with each other: told fast, and never missed.
//!
//! A mark is a hash of a key, folded, whatever kind of key it is. Two rows that some key joins, or
//! by which somebody may be meant, have a mark in common. Two that have one need not be joined.

use std::hash::BuildHasher as _;

use domain::{
    Account, Assignment, Folded, HrLeaver, Identity, Membership, NonHuman, Principal, Rows, Text,
};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::index::email_key;
use crate::keys::KeyRules;
use crate::leaver::loose;

/// A hash of a key.
type Mark = u32;

/// Whose each mark is: users and what is theirs, by number.
#[derive(Debug)]
pub struct Marks<'r> {
    rules: &'r KeyRules,
    whose: FxHashMap<Mark, u32>,
    is_shared: Vec<bool>,
}

/// Texts that rows may have or not.
type Texts<'t> = &'t [Option<&'t Text>];

/// Ids and names of a user that were put before.
type Known<'t> = (Texts<'t>, Texts<'t>);

/// Of none of the users, or of several.
pub const NOBODY: u32 = u32::MAX;

impl<'r> Marks<'r> {
    /// Those of no row, with room for that many users.
    #[must_use]
    pub fn new(rules: &'r KeyRules, n_users: usize) -> Self {
        let whose = FxHashMap::with_capacity_and_hasher(4 * n_users, FxBuildHasher);
        Self { rules, whose, is_shared: vec![false; n_users] }
    }

    /// Whether a user, or what is theirs, shares a key with anybody else.
    #[must_use]
    pub fn is_shared(&self, user: u32) -> bool {
        self.is_shared.get(user as usize).is_none_or(|it| *it)
    }

    /// Whose this id is, or one that has its mark.
    #[must_use]
    pub fn whose(&self, id: &str) -> Option<u32> {
        self.whose.get(&mark(id)?).copied().filter(|it| *it != NOBODY)
    }

    fn put(&mut self, text: &str, user: u32) {
        let Some(mark) = mark(text) else { return };
        let known = self.whose.entry(mark).or_insert(user);
        if *known == user {
            return;
        }
        for sharer in [*known, user] {
            if let Some(it) = self.is_shared.get_mut(sharer as usize) {
                *it = true;
            }
        }
        *known = NOBODY;
    }

    /// A user.
    pub fn put_identity(&mut self, it: &Identity, user: u32) {
        self.put(&it.id, user);
        self.put_name(it.user_name.as_ref(), user);
        self.put_names([it.email.as_ref()], user, &[it.user_name.as_ref()]);
        self.put_number(it.employee_number.as_ref(), user);
        it.immutable_id.iter().for_each(|it| self.put(it, user));
        // An app's `externalId` may carry what stands before the `@` of the name in the directory.
        let local = it.user_name.as_ref().and_then(|it| it.split_once('@'));
        if let Some((local, _)) = local.filter(|_| !self.rules.external_id.is_empty()) {
            self.put(local, user);
        }
    }

    /// An assignment, by the user whom it names. `ids` and `names` of theirs were put as such before.
    pub fn put_assignment(&mut self, it: &Assignment, user: u32, (ids, names): Known<'_>) {
        if let Principal::Identity(id) = &it.principal {
            self.put_ids([Some(id)], user, ids);
        }
        self.put_ids([it.account_id.as_ref()], user, ids);
        self.put_names([it.user_name.as_ref()], user, names);
    }

    /// An account, by the user whom its id names. `ids` and `names` of theirs were put as such before.
    pub fn put_account(&mut self, it: &Account, user: u32, (ids, names): Known<'_>) {
        self.put_ids([Some(&it.id), it.external_id.as_ref()], user, ids);
        self.put_names([it.user_name.as_ref(), it.email.as_ref()], user, names);
        self.put_number(it.employee_number.as_ref(), user);
    }

    fn put_ids<const N: usize>(&mut self, all: [Option<&Text>; N], user: u32, known: Texts<'_>) {
        for it in all.into_iter().flatten().filter(|it| !known.contains(&Some(it))) {
            self.put(it, user);
        }
    }

    fn put_names<const N: usize>(&mut self, all: [Option<&Text>; N], user: u32, known: Texts<'_>) {
        for it in all.into_iter().flatten().filter(|it| !known.contains(&Some(it))) {
            self.put_name(Some(it), user);
        }
    }

    /// A row of a list, of none of the users.
    pub fn put_row(&mut self, rows: &Rows, at: usize) {
        match rows {
            Rows::Identities(rows) => {
                rows.get(at).into_iter().for_each(|it| self.put_identity(it, NOBODY));
            }
            Rows::Assignments(rows) => {
                rows.get(at).into_iter().for_each(|it| self.put_assignment(it, NOBODY, (&[], &[])));
            }
            Rows::Memberships(rows) => {
                rows.get(at).into_iter().for_each(|it| self.put_membership(it));
            }
            Rows::Accounts(rows) => {
                rows.get(at).into_iter().for_each(|it| self.put_account(it, NOBODY, (&[], &[])));
            }
            Rows::NonHumans(rows) => rows.get(at).into_iter().for_each(|it| self.put_nonhuman(it)),
            Rows::Leavers(rows) => rows.get(at).into_iter().for_each(|it| self.put_leaver(it)),
        }
    }

    /// A name, an address or an id, of none of the users.
    pub fn put_text(&mut self, text: &str) {
        self.put(text, NOBODY);
    }

    /// A row of the register.
    pub fn put_nonhuman(&mut self, it: &NonHuman) {
        self.put_name(Some(&it.account), NOBODY);
        self.put_name(it.owner.as_ref(), NOBODY);
    }

    fn put_membership(&mut self, it: &Membership) {
        if let Principal::Identity(member) = &it.member {
            self.put(member, NOBODY);
        }
    }

    fn put_leaver(&mut self, it: &HrLeaver) {
        self.put_name(it.email.as_ref(), NOBODY);
        self.put_number(it.employee_number.as_ref(), NOBODY);
    }

    /// A name, and what it is as an address.
    fn put_name(&mut self, text: Option<&Text>, user: u32) {
        let Some(text) = text else { return };
        self.put(text, user);
        if !self.rules.domain_aliases.is_empty() {
            email_key(self.rules, Some(text)).iter().for_each(|it| self.put(&it.value, user));
        }
    }

    /// A number as it stands, and as it may be written elsewhere.
    fn put_number(&mut self, text: Option<&Text>, user: u32) {
        let Some(text) = text else { return };
        self.put(text, user);
        let loose = loose(text);
        if *loose != **text {
            self.put(&loose, user);
        }
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
