//! Which rows may have to do with each other: told fast, and never missed.
//!
//! A mark is a hash of a key, folded, whatever kind of key it is. Two rows that some key joins, or
//! by which somebody may be meant, have a mark in common. Two that have one need not be joined.

use std::hash::BuildHasher as _;

use domain::rows::Skimmed;
use domain::{
    Account, Assignment, Folded, HrLeaver, Identity, Membership, NonHuman, Principal, Rows,
};
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use crate::index::email_key;
use crate::keys::KeyRules;
use crate::leaver::loose;

/// A hash of a key.
type Mark = u32;

/// The marks of users and of what is theirs, by number, and of all other rows.
#[derive(Debug)]
pub struct Marks<'r> {
    rules: &'r KeyRules,
    /// Each mark, and below it whose it is.
    put: Vec<u64>,
}

/// Texts that rows may have or not.
type Texts<'t> = &'t [Option<&'t [u8]>];

/// Ids and names of a user that were put before.
type Known<'t> = (Texts<'t>, Texts<'t>);

/// Of none of the users.
pub const NOBODY: u32 = u32::MAX;

impl<'r> Marks<'r> {
    /// Those of no row, with room for that many users.
    #[must_use]
    pub fn new(rules: &'r KeyRules, n_users: usize) -> Self {
        Self { rules, put: Vec::with_capacity(5 * n_users) }
    }

    /// Those of no row, by the same rules.
    #[must_use]
    pub const fn none(&self) -> Self {
        Self { rules: self.rules, put: Vec::new() }
    }

    /// Adds those of other rows.
    pub fn append(&mut self, mut more: Self) {
        self.put.append(&mut more.put);
    }

    /// Of each of so many users, whether they, or what is theirs, share a key with anybody else.
    #[must_use]
    pub fn shared(mut self, n_users: usize) -> Vec<bool> {
        let mut is_shared = vec![false; n_users];
        // Marks that are alike come to lie together: to look each up would be a walk through memory.
        self.put.par_sort_unstable();
        for alike in self.put.chunk_by(|one, other| one >> u32::BITS == other >> u32::BITS) {
            if alike.first() == alike.last() {
                continue;
            }
            for put in alike {
                let user = usize::try_from(put & u64::from(NOBODY)).ok();
                if let Some(it) = user.and_then(|it| is_shared.get_mut(it)) {
                    *it = true;
                }
            }
        }
        is_shared
    }

    fn put(&mut self, text: &[u8], user: u32) {
        if let Some(mark) = mark(text) {
            self.put.push(u64::from(mark) << u32::BITS | u64::from(user));
        }
    }

    /// A user.
    pub fn put_identity(&mut self, it: &Skimmed<'_, Identity>, user: u32) {
        self.put(it.id, user);
        self.put_name(it.user_name, user);
        self.put_names([it.email], user, &[it.user_name]);
        self.put_number(it.employee_number, user);
        it.immutable_id.iter().for_each(|it| self.put(it, user));
        // An app's `externalId` may carry what stands before the `@` of the name in the directory.
        if let Some(name) = it.user_name.filter(|_| !self.rules.external_id.is_empty()) {
            let at = name.iter().position(|it| *it == b'@');
            at.and_then(|it| name.get(..it)).iter().for_each(|it| self.put(it, user));
        }
    }

    /// An assignment, by the user whom it names. `ids` and `names` of theirs were put as such before.
    pub fn put_assignment(
        &mut self,
        it: &Skimmed<'_, Assignment>,
        user: u32,
        (ids, names): Known<'_>,
    ) {
        if let Principal::Identity(id) = it.principal {
            self.put_ids([Some(id)], user, ids);
        }
        self.put_ids([it.account_id], user, ids);
        self.put_names([it.user_name], user, names);
    }

    /// An account, by the user whom its id names. `ids` and `names` of theirs were put as such before.
    pub fn put_account(&mut self, it: &Skimmed<'_, Account>, user: u32, (ids, names): Known<'_>) {
        self.put_ids([Some(it.id), it.external_id], user, ids);
        self.put_names([it.user_name, it.email], user, names);
        self.put_number(it.employee_number, user);
    }

    /// An account of which the names and the `externalId`, if it has one, are those of the user, and so were
    /// put before. `is_named`: its id too.
    pub fn put_own_account(&mut self, it: &Skimmed<'_, Account>, user: u32, is_named: bool) {
        if !is_named {
            self.put(it.id, user);
        }
        self.put_number(it.employee_number, user);
    }

    fn put_ids<const N: usize>(&mut self, all: [Option<&[u8]>; N], user: u32, known: Texts<'_>) {
        for it in all.into_iter().flatten().filter(|it| !known.contains(&Some(it))) {
            self.put(it, user);
        }
    }

    fn put_names<const N: usize>(&mut self, all: [Option<&[u8]>; N], user: u32, known: Texts<'_>) {
        for it in all.into_iter().flatten().filter(|it| !known.contains(&Some(it))) {
            self.put_name(Some(it), user);
        }
    }

    /// A row of a list, of none of the users.
    pub fn put_row(&mut self, rows: &Rows, at: usize) {
        match rows {
            Rows::Identities(rows) => {
                rows.skimmed(at).iter().for_each(|it| self.put_identity(it, NOBODY));
            }
            Rows::Assignments(rows) => {
                rows.skimmed(at).iter().for_each(|it| self.put_assignment(it, NOBODY, (&[], &[])));
            }
            Rows::Memberships(rows) => {
                rows.skimmed(at).iter().for_each(|it| self.put_membership(it));
            }
            Rows::Accounts(rows) => {
                rows.skimmed(at).iter().for_each(|it| self.put_account(it, NOBODY, (&[], &[])));
            }
            Rows::NonHumans(rows) => {
                rows.packed(at).iter().for_each(|it| self.put_nonhuman(it));
            }
            Rows::Leavers(rows) => rows.skimmed(at).iter().for_each(|it| self.put_leaver(it)),
        }
    }

    /// A name, an address or an id, of none of the users.
    pub fn put_text(&mut self, text: &str) {
        self.put(text.as_bytes(), NOBODY);
    }

    /// A row of the register.
    pub fn put_nonhuman<T: AsRef<str>>(&mut self, it: &NonHuman<T>) {
        self.put_name(Some(it.account.as_ref().as_bytes()), NOBODY);
        self.put_name(it.owner.as_ref().map(|it| it.as_ref().as_bytes()), NOBODY);
    }

    fn put_membership(&mut self, it: &Skimmed<'_, Membership>) {
        if let Principal::Identity(member) = it.member {
            self.put(member, NOBODY);
        }
    }

    fn put_leaver(&mut self, it: &Skimmed<'_, HrLeaver>) {
        self.put_name(it.email, NOBODY);
        self.put_number(it.employee_number, NOBODY);
    }

    /// A name, and what it is as an address.
    fn put_name(&mut self, text: Option<&[u8]>, user: u32) {
        let Some(text) = text else { return };
        self.put(text, user);
        if !self.rules.domain_aliases.is_empty() {
            let text = String::from_utf8_lossy(text);
            let key = email_key(self.rules, Some(&text));
            key.iter().for_each(|it| self.put(it.value.as_bytes(), user));
        }
    }

    /// A number as it stands, and as it may be written elsewhere.
    fn put_number(&mut self, text: Option<&[u8]>, user: u32) {
        let Some(text) = text else { return };
        self.put(text, user);
        let is_loose = |it: &u8| matches!(it, b'!'..=b'~') && !it.is_ascii_uppercase();
        if text.first() == Some(&b'0') || !text.iter().all(is_loose) {
            self.put(loose(&String::from_utf8_lossy(text)).as_bytes(), user);
        }
    }
}

/// `None`: blanks join nobody.
fn mark(text: &[u8]) -> Option<Mark> {
    /// Longer ones are folded as they lie.
    const SHORT: usize = 64;
    let is_whole = |it: Option<&u8>| it.is_some_and(|it| *it > b' ');
    let is_trimmed = is_whole(text.first()) && is_whole(text.last()) && text.is_ascii();
    let mut short = [0; SHORT];
    let hash = match short.get_mut(..text.len()).filter(|_| is_trimmed) {
        Some(folded) => {
            folded.copy_from_slice(text);
            folded.make_ascii_lowercase();
            FxBuildHasher.hash_one(&*folded)
        }
        None => {
            let text = String::from_utf8_lossy(text);
            FxBuildHasher.hash_one(Folded::new(&text)?.as_str().as_bytes())
        }
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
            assert!(mark(one.as_bytes()).is_some());
            assert_eq!(mark(one.as_bytes()), mark(other.as_bytes()), "{one}");
        }
        assert_ne!(mark(b"kim"), mark(b"tim"));
        assert_eq!(mark(b" \t"), None);
        assert_eq!(mark("\u{a0}".as_bytes()), None);
    }
}
