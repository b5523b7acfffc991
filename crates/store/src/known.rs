//! Every row of one list that was ever seen, by key: what a run sets its own list against.
//!
//! Lists come in much the same order night after night, and rows are remembered in the order in
//! which they were first listed. So the row after the one found last is looked at first, and most
//! keys are never hashed.

use std::hash::BuildHasher as _;
use std::num::NonZero;

use domain::EntityId;
use domain::rows::RowKey;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::rows::ShortHash;

/// Every row of one list that was ever seen. Those first seen by this run are not among them.
#[derive(Clone, Debug, Default)]
pub struct KnownRows {
    rows: Vec<Known>,
    /// Of each row, whether it was looked for by its key: the list that is enrolled shows it.
    met: Vec<bool>,
    /// The keys of the rows, one behind the other: each on its own would cost more than its bytes.
    keys: Vec<u8>,
    /// Where the key of each row ends.
    ends: Vec<usize>,
    /// The places of rows by key; empty until a key is asked for out of order.
    places: HashTable<usize>,
    /// The place after that of the row found last.
    next: usize,
}

/// One row that was seen at some time.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its number.
    pub entity: EntityId,
    /// Its current version; `None` when the newest snapshot does not show it.
    pub open: Option<OpenVersion>,
}

/// The current version of a row.
#[derive(Clone, Copy, Debug)]
pub struct OpenVersion {
    pub(crate) id: NonZero<i64>,
    pub(crate) hash: ShortHash,
}

impl KnownRows {
    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &Known> {
        self.rows.iter()
    }

    /// Whether a row of this key was ever seen. Looks at one key after the other.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        let key = Some(key.as_bytes());
        (0..self.rows.len()).any(|at| key_at(&self.keys, &self.ends, at) == key)
    }

    /// Gives back the memory of keys. No row is found by its key after that.
    pub(crate) fn forget_keys(&mut self) {
        (self.keys, self.ends, self.places) = (Vec::new(), Vec::new(), HashTable::new());
    }

    /// Rows that were not looked for by their keys.
    pub(crate) fn not_met_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.rows.iter_mut().zip(&self.met).filter(|it| !it.1).map(|it| it.0)
    }

    /// Makes room for about so many more rows.
    pub(crate) fn reserve(&mut self, n: usize) {
        /// Longer than most ids. What is not written to is no memory yet.
        const KEY_BYTES: usize = 40;
        // A hint, and so no reason to fail: the stated number may be a damaged one.
        let n_bytes = n.saturating_mul(KEY_BYTES);
        let reserved = self.rows.try_reserve(n).and_then(|()| self.ends.try_reserve(n));
        reserved.and_then(|()| self.keys.try_reserve(n_bytes)).ok();
    }

    /// Adds a row whose key no other has. All are added before one is looked for.
    pub(crate) fn add(&mut self, key: &RowKey<'_>, known: Known) {
        let (front, rest) = key.parts();
        self.keys.extend(front);
        self.keys.extend(rest);
        self.ends.push(self.keys.len());
        self.rows.push(known);
        self.met.push(false);
    }

    /// The row of this key. It counts as met.
    pub(crate) fn get_mut(&mut self, key: &RowKey<'_>) -> Option<&mut Known> {
        let is_next = key_at(&self.keys, &self.ends, self.next).is_some_and(|it| key.is(it));
        let at = if is_next { self.next } else { self.find(key)? };
        self.next = at + 1;
        self.met.get_mut(at).into_iter().for_each(|it| *it = true);
        self.rows.get_mut(at)
    }

    fn find(&mut self, key: &RowKey<'_>) -> Option<usize> {
        let Self { rows, keys, ends, places, .. } = self;
        let hash_at = |at: &usize| hash(key_at(keys, ends, *at).unwrap_or_default());
        if places.is_empty() {
            places.reserve(rows.len(), hash_at);
            for at in 0..rows.len() {
                places.insert_unique(hash_at(&at), at, hash_at);
            }
        }
        let hash = match key.parts() {
            (None, text) => hash(text),
            (_, rest) => FxBuildHasher.hash_one(rest),
        };
        places.find(hash, |at| key_at(keys, ends, *at).is_some_and(|it| key.is(it))).copied()
    }
}

/// Of all but the first byte, which is the front of keys that have one.
fn hash(text: &[u8]) -> u64 {
    FxBuildHasher.hash_one(text.get(1..).unwrap_or_default())
}

/// The key of the row at a place; `None` behind the last.
fn key_at<'k>(keys: &'k [u8], ends: &[usize], at: usize) -> Option<&'k [u8]> {
    let begins = at.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    keys.get(begins..*ends.get(at)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(keys: &[String]) -> KnownRows {
        let mut rows = KnownRows::default();
        for (at, key) in keys.iter().enumerate() {
            let entity = EntityId(i64::try_from(at).unwrap());
            rows.add(&key.clone().into(), Known { entity, open: None });
        }
        rows
    }

    fn key(text: &str) -> RowKey<'static> {
        text.to_owned().into()
    }

    #[test]
    fn a_key_that_begins_like_another_is_another() {
        let mut rows = known(&["ab".to_owned(), "a".to_owned(), String::new()]);
        assert_eq!(rows.get_mut(&key("a")).unwrap().entity, EntityId(1));
        assert_eq!(rows.get_mut(&key("")).unwrap().entity, EntityId(2));
        assert_eq!(rows.get_mut(&key("ab")).unwrap().entity, EntityId(0));
        assert!(rows.get_mut(&key("b")).is_none() && rows.get_mut(&key("aba")).is_none());
        assert!(rows.has("") && rows.has("ab") && !rows.has("b"));
    }

    proptest! {
        /// In whatever order keys are asked for, each finds its own row, and others find none.
        #[test]
        fn every_key_finds_its_row(
            keys in prop::collection::hash_set("[a-c]{0,4}", 0..20),
            asked in prop::collection::vec("[a-c]{0,4}", 0..40),
        ) {
            let keys: Vec<String> = keys.into_iter().collect();
            let mut rows = known(&keys);
            let in_order = keys.iter().chain(&asked).chain(&keys);
            for key in in_order {
                let place = keys.iter().position(|it| it == key);
                let found = rows.get_mut(&key.clone().into()).map(|it| it.entity.0);
                prop_assert_eq!(found, place.map(|it| i64::try_from(it).unwrap()));
            }
        }
    }
}
