//! Raw words of one column and what they mean: each kept once, shared by its rows, and
//! counted where no mapping knows it.

use std::sync::Arc;

use domain::{Raw, SystemId, Unmapped};
use rustc_hash::FxHashMap;

use super::limits::UNMAPPED_MAX;
use super::profile::Words;
use super::record::plain;

/// The words of one column as they are met.
pub(crate) struct Dictionary<T> {
    field: &'static str,
    words: Words<T>,
    unknown: T,
    met: FxHashMap<Raw, Met<T>>,
}

struct Met<T> {
    raw: Raw,
    meaning: T,
    is_known: bool,
    count: u64,
}

impl<T: Copy> Dictionary<T> {
    /// `unknown` is what a word means that `words` does not have.
    pub(crate) fn new(field: &'static str, words: Words<T>, unknown: T) -> Self {
        Self { field, words, unknown, met: FxHashMap::default() }
    }

    /// Keeps a word. Returns it with its meaning.
    pub(crate) fn read(&mut self, word: &str) -> (Raw, T) {
        if let Some(met) = self.met.get_mut(word) {
            met.count += 1;
            return (Arc::clone(&met.raw), met.meaning);
        }
        let raw: Raw = word.into();
        let known = self.words.get(&plain(word)).copied();
        let meaning = known.unwrap_or(self.unknown);
        let met = Met { raw: Arc::clone(&raw), meaning, is_known: known.is_some(), count: 1 };
        self.met.insert(Arc::clone(&raw), met);
        (raw, meaning)
    }

    /// The words that no mapping knows, in order, the first hundred.
    pub(crate) fn unmapped(&self, system: &SystemId) -> Vec<Unmapped> {
        let mut unmapped: Vec<Unmapped> = self
            .met
            .iter()
            .filter(|(_, met)| !met.is_known)
            .map(|(raw, met)| Unmapped {
                system: system.clone(),
                field: self.field.to_owned(),
                raw: (**raw).to_owned(),
                count: met.count,
            })
            .collect();
        unmapped.sort();
        unmapped.truncate(UNMAPPED_MAX);
        unmapped
    }
}

/// Words that mean nothing to us beyond themselves (roles, groups): kept once.
#[derive(Default)]
pub(crate) struct Pool {
    met: rustc_hash::FxHashSet<Raw>,
}

impl Pool {
    pub(crate) fn keep(&mut self, word: &str) -> Raw {
        if let Some(raw) = self.met.get(word) {
            return Arc::clone(raw);
        }
        let raw: Raw = word.into();
        self.met.insert(Arc::clone(&raw));
        raw
    }
}
