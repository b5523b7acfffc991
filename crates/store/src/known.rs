//! Every row of one list that was ever seen, by key: what a run sets its own list against.
//!
//! Lists come in much the same order night after night, and rows are remembered in the order in
//! which they were first listed. So the row after the one found last is looked at first, and most
//! keys are never hashed.

use std::hash::BuildHasher as _;

use domain::EntityId;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::rows::ShortHash;

/// Every row of one list that was ever seen. Those first seen by this run are not among them.
#[derive(Clone, Debug, Default)]
pub struct KnownRows {
    rows: Vec<Known>,
    /// The keys of the rows, one behind the other: each on its own would cost more than its bytes.
    keys: String,
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
    /// The snapshot enrolled last that showed it; 0 for what was loaded.
    pub(crate) enrolled: i64,
}

/// The current version of a row.
#[derive(Clone, Copy, Debug)]
pub struct OpenVersion {
    pub(crate) id: i64,
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
        (0..self.rows.len()).any(|at| key_at(&self.keys, &self.ends, at) == Some(key))
    }

    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.rows.iter_mut()
    }

    /// Makes room for about so many more rows.
    pub(crate) fn reserve(&mut self, n: usize) {
        // A hint, and so no reason to fail: the stated number may be a damaged one.
        self.rows.try_reserve(n).and_then(|()| self.ends.try_reserve(n)).ok();
    }

    /// Adds a row whose key no other has. All are added before one is looked for.
    pub(crate) fn add(&mut self, key: &str, known: Known) {
        self.keys.push_str(key);
        self.ends.push(self.keys.len());
        self.rows.push(known);
    }

    /// The row of this key.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Known> {
        let is_next = key_at(&self.keys, &self.ends, self.next) == Some(key);
        let at = if is_next { self.next } else { self.find(key)? };
        self.next = at + 1;
        self.rows.get_mut(at)
    }

    fn find(&mut self, key: &str) -> Option<usize> {
        let Self { rows, keys, ends, places, .. } = self;
        let hash_at = |at: &usize| FxBuildHasher.hash_one(key_at(keys, ends, *at));
        if places.is_empty() {
            places.reserve(rows.len(), hash_at);
            for at in 0..rows.len() {
                places.insert_unique(hash_at(&at), at, hash_at);
            }
        }
        let hash = FxBuildHasher.hash_one(Some(key));
        places.find(hash, |at| key_at(keys, ends, *at) == Some(key)).copied()
    }
}

/// The key of the row at a place; `None` behind the last.
fn key_at<'k>(keys: &'k str, ends: &[usize], at: usize) -> Option<&'k str> {
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
            rows.add(key, Known { entity, open: None, enrolled: 0 });
        }
        rows
    }

    #[test]
    fn a_key_that_begins_like_another_is_another() {
        let mut rows = known(&["ab".to_owned(), "a".to_owned(), String::new()]);
        assert_eq!(rows.get_mut("a").unwrap().entity, EntityId(1));
        assert_eq!(rows.get_mut("").unwrap().entity, EntityId(2));
        assert_eq!(rows.get_mut("ab").unwrap().entity, EntityId(0));
        assert!(rows.get_mut("b").is_none() && rows.get_mut("aba").is_none());
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
                let found = rows.get_mut(key).map(|it| it.entity.0);
                prop_assert_eq!(found, place.map(|it| i64::try_from(it).unwrap()));
            }
        }
    }
}
