//! Sets a pulled list against the stored past: which rows are new, changed, the same, gone.
//!
//! Pure. New rows are numbered in the order of the list, and so written as they lie in memory;
//! the digest is over the order of keys, which the order of the list does not change.

use std::num::NonZero;

use domain::rows::RowKey;
use domain::{Digest, EntityId, Rows, Snapshot, SnapshotRef};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::known::{Known, OpenVersion};
use crate::rows::{ShortHash, hashes, numbered, short};
use crate::state::State;

/// What can be said of the rows of a list before anything is known of the past: most of the work.
#[derive(Debug)]
pub struct Digested {
    /// The digest of all rows.
    digest: Digest,
    /// What is kept of the hash of each row, in their order.
    hashes: Vec<ShortHash>,
    /// Rows with a key that another row has too, by place: which of them it is.
    repeated: FxHashMap<usize, u32>,
}

/// A list set against the past, ready to be committed with its snapshot.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The snapshot without its rows. `held` is `None`; set it before the commit if it is held.
    pub reference: SnapshotRef,
    /// The numbers of the rows, in the order of the snapshot's rows.
    pub entities: Vec<EntityId>,
    /// Rows of this list seen at some time and not in this snapshot, in order of number. Not
    /// seen is not absent: whether they are gone depends on the coverage.
    pub absent: Vec<EntityId>,
    /// Rows never seen before, or back after some time.
    pub n_new: u64,
    /// Rows that differ from the snapshot before.
    pub n_changed: u64,
    /// Rows that are the same as in the snapshot before.
    pub n_unchanged: u64,
    /// Rows of the snapshot before that are not in this one.
    pub n_gone: u64,
    /// The number of the first version to write.
    pub(crate) first_version: i64,
    /// Of each version to write its row, by place in the snapshot. They are numbered in their order.
    pub(crate) begun: Vec<u32>,
    /// The hash of each of these rows; `None`: they are written, or about to be.
    pub(crate) hashes: Option<Vec<ShortHash>>,
    /// Versions that are over.
    pub(crate) ended: Vec<i64>,
    /// Rows with a key that another row has too, by place in the snapshot: which of them it is.
    pub(crate) repeated: FxHashMap<usize, u32>,
}

impl Digested {
    /// Of these rows.
    #[must_use]
    pub fn of(rows: &Rows) -> Self {
        let hashes = hashes(rows);
        let order = in_order(rows, &hashes);
        Self {
            digest: ledger::root_of(order.iter().filter_map(|it| hashes.get(it.at).copied())),
            repeated: repeated(rows, &order),
            hashes: hashes.iter().map(short).collect(),
        }
    }
}

impl State {
    /// Sets `snapshot` against the past: numbers its rows, and finds what changed. The numbers are taken, so
    /// that what is enrolled must also be committed. What its rows are by themselves comes beside it.
    ///
    /// # Panics
    ///
    /// Panics when a list of this stream was enrolled already: a run has one of each.
    pub fn enrol(&mut self, snapshot: &Snapshot, digested: Digested) -> Enrolled {
        let rows = &snapshot.rows;
        let Digested { digest, hashes, repeated } = digested;
        let id = self.next_snapshot();
        let n_known = self.streams.get(&snapshot.stream).map_or(0, |it| it.known.rows().count());
        let n_begun = rows.len().saturating_sub(n_known);

        let mut enrolled = Enrolled {
            reference: SnapshotRef {
                id,
                stream: snapshot.stream.clone(),
                as_of: snapshot.as_of,
                coverage: snapshot.coverage.clone(),
                population: snapshot.population,
                id_form: snapshot.id_form,
                held: None,
                n_rows: rows.len() as u64,
                digest,
                body_digest: body_digest(snapshot),
            },
            entities: Vec::with_capacity(rows.len()),
            absent: Vec::new(),
            n_new: 0,
            n_changed: 0,
            n_unchanged: 0,
            n_gone: 0,
            first_version: self.next.row,
            begun: Vec::with_capacity(n_begun),
            hashes: Some(Vec::with_capacity(n_begun)),
            ended: Vec::new(),
            repeated,
        };

        let stream = self.streams.entry(snapshot.stream.clone()).or_default();
        assert!(!stream.is_enrolled, "{} is enrolled twice", snapshot.stream);
        stream.is_enrolled = true;
        for (at, hash) in hashes.iter().enumerate() {
            let nth = enrolled.repeated.get(&at).copied().unwrap_or(1);
            let key = rows.key(at).map(|it| numbered(it, nth));
            let known = key.and_then(|it| stream.known.get_mut(&it));
            let entity = enrolled.take_row(known, &mut self.next.row, at, *hash);
            enrolled.entities.push(entity);
        }

        for known in stream.known.not_met_mut() {
            enrolled.absent.push(known.entity);
            if let Some(open) = known.open.take() {
                enrolled.ended.push(open.id.get());
                enrolled.n_gone += 1;
            }
        }
        // A run has one list of each stream: no key is looked for again.
        stream.known.forget_keys();
        enrolled.absent.sort_unstable();
        enrolled.ended.sort_unstable();
        enrolled
    }
}

impl Enrolled {
    /// Rows of which a version is written: new, changed, or back after some time.
    pub fn written(&self) -> impl Iterator<Item = EntityId> + '_ {
        self.begun.iter().filter_map(|it| self.entity_at(*it))
    }

    /// Of these, the rows that earlier snapshots showed.
    pub fn written_again(&self) -> impl Iterator<Item = EntityId> + '_ {
        (self.first_version..).zip(self.written()).filter(|it| it.0 != it.1.0).map(|it| it.1)
    }

    /// Whether these versions are written, or about to be: then of the rows of its snapshot no run needs to
    /// keep more than it weighs.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        self.hashes.is_none()
    }

    pub(crate) fn entity_at(&self, row: u32) -> Option<EntityId> {
        self.entities.get(row as usize).copied()
    }

    fn begin(&mut self, row: u32, hash: ShortHash) {
        self.begun.push(row);
        self.hashes.get_or_insert_default().push(hash);
    }

    /// Takes one row, and notes the version to write when it is new or changed.
    fn take_row(
        &mut self,
        known: Option<&mut Known>,
        next: &mut i64,
        row: usize,
        hash: ShortHash,
    ) -> EntityId {
        let row = u32::try_from(row).expect("no memory holds a list of 4 billion rows");
        let mut number = || {
            let number = *next;
            *next += 1;
            number
        };
        let Some(known) = known else {
            self.begin(row, hash);
            self.n_new += 1;
            return EntityId(number());
        };
        let entity = known.entity;
        match known.open {
            Some(open) if open.hash == hash => {
                self.n_unchanged += 1;
                return entity;
            }
            Some(open) => {
                self.ended.push(open.id.get());
                self.n_changed += 1;
            }
            None => self.n_new += 1,
        }
        let id = number();
        known.open = NonZero::new(id).map(|id| OpenVersion { id, hash });
        self.begin(row, hash);
        entity
    }
}

/// Rows with a key that a row before them in `order` has: a list should have each key once.
fn repeated(rows: &Rows, order: &[Place]) -> FxHashMap<usize, u32> {
    let mut found = FxHashMap::default();
    let (mut nth, mut previous) = (1, None::<&Place>);
    for place in order {
        let has_its_key =
            |it: &&Place| it.first == place.first && rows.key(it.at) == rows.key(place.at);
        nth = if previous.is_some_and(|it| has_its_key(&it)) { nth + 1 } else { 1 };
        previous = Some(place);
        if nth > 1 {
            found.insert(place.at, nth);
        }
    }
    found
}

/// A row in order of key.
struct Place {
    /// The first eight bytes of the key: few rows have the same.
    first: u64,
    /// Which of the rows.
    at: usize,
}

/// The rows in order of key. Those of one and the same key are in order of hash, and then as they came.
fn in_order(rows: &Rows, hashes: &[Digest]) -> Vec<Place> {
    let first = |at| rows.key(at).map_or(0, |it| first_bytes(&it));
    let mut order: Vec<Place> = (0..rows.len()).map(|at| Place { first: first(at), at }).collect();
    order.par_sort_unstable_by_key(|it| it.first);
    for alike in order.chunk_by_mut(|one, other| one.first == other.first) {
        if alike.len() > 1 {
            alike.sort_by_cached_key(|it| (rows.key(it.at), hashes.get(it.at), it.at));
        }
    }
    order
}

fn first_bytes(key: &RowKey<'_>) -> u64 {
    let (front, rest) = key.parts();
    let first = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut short = [0; 8];
        short.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        short
    });
    let first = u64::from_be_bytes(first);
    front.map_or(first, |it| u64::from(it) << 56 | first >> 8)
}

/// SHA-256 over the digests of the requests: the same only for the very same bytes.
fn body_digest(snapshot: &Snapshot) -> Digest {
    let mut hasher = Sha256::new();
    snapshot.requests.iter().for_each(|it| hasher.update(it.sha256));
    hasher.finalize().into()
}
