//! Sets a pulled list against the stored past: which rows are new, changed, the same, gone.
//!
//! Pure. New rows are numbered in the order of the list, and so written as they lie in memory;
//! the digest is over the order of keys, which the order of the list does not change.

use std::borrow::Cow;
use std::thread;

use domain::{Digest, EntityId, Snapshot, SnapshotRef};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::known::{Known, OpenVersion};
use crate::rows::{ShortHash, Version, hashes, keys, numbered, short};
use crate::state::State;

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
    /// Versions to write, in order of their numbers.
    pub(crate) versions: Vec<Version>,
    /// Versions that are over.
    pub(crate) ended: Vec<i64>,
    /// Rows with a key that another row has too, by place in the snapshot: which of them it is.
    pub(crate) repeated: FxHashMap<usize, u32>,
}

/// From this many rows on, a second thread pays.
const TWO_THREADS_MIN: usize = 5_000;

impl State {
    /// Sets `snapshot` against the past: numbers its rows, finds what changed, and computes its
    /// digest. The numbers are taken, so that what is enrolled must also be committed.
    ///
    /// # Panics
    ///
    /// Panics when a list of this stream was enrolled already: a run has one of each.
    pub fn enrol(&mut self, snapshot: &Snapshot) -> Enrolled {
        let hashes = hash_all(snapshot);
        let keys = keys(&snapshot.rows);
        let order = in_order(&keys, &hashes);
        let id = self.next_snapshot();
        let mut places = vec![EntityId(0); keys.len()];

        let mut enrolled = Enrolled {
            reference: SnapshotRef {
                id,
                stream: snapshot.stream.clone(),
                as_of: snapshot.as_of,
                coverage: snapshot.coverage.clone(),
                population: snapshot.population,
                id_form: snapshot.id_form,
                held: None,
                n_rows: keys.len() as u64,
                digest: ledger::root_of(order.iter().filter_map(|at| hashes.get(*at).copied())),
                body_digest: body_digest(snapshot),
            },
            entities: Vec::new(),
            absent: Vec::new(),
            n_new: 0,
            n_changed: 0,
            n_unchanged: 0,
            n_gone: 0,
            versions: Vec::new(),
            ended: Vec::new(),
            repeated: repeated(&keys, &order),
        };

        let stream = self.streams.entry(snapshot.stream.clone()).or_default();
        assert!(!stream.is_enrolled, "{} is enrolled twice", snapshot.stream);
        stream.is_enrolled = true;
        let rows = keys.iter().zip(&hashes).zip(&mut places).enumerate();
        for (at, ((own, hash), place)) in rows {
            let nth = enrolled.repeated.get(&at).copied().unwrap_or(1);
            let known = stream.known.get_mut(&numbered(own, nth));
            *place = enrolled.take_row(known, &mut self.next.row, at, short(hash));
        }
        enrolled.entities = places;

        for known in stream.known.rows_mut().filter(|it| it.enrolled != id.0) {
            enrolled.absent.push(known.entity);
            if let Some(open) = known.open.take() {
                enrolled.ended.push(open.id);
                enrolled.n_gone += 1;
            }
        }
        enrolled.absent.sort_unstable();
        enrolled.ended.sort_unstable();
        enrolled
    }
}

impl Enrolled {
    /// Rows of which a version is written: new, changed, or back after some time.
    pub fn written(&self) -> impl Iterator<Item = EntityId> + '_ {
        self.versions.iter().map(|it| it.entity)
    }

    /// Of these, the rows that earlier snapshots showed.
    pub fn written_again(&self) -> impl Iterator<Item = EntityId> + '_ {
        self.versions.iter().filter(|it| it.id != it.entity.0).map(|it| it.entity)
    }

    /// Takes one row, and notes the version to write when it is new or changed.
    fn take_row(
        &mut self,
        known: Option<&mut Known>,
        next: &mut i64,
        row: usize,
        hash: ShortHash,
    ) -> EntityId {
        let mut number = || {
            let number = *next;
            *next += 1;
            number
        };
        let Some(known) = known else {
            let id = number();
            let entity = EntityId(id);
            self.versions.push(Version { id, entity, row, hash });
            self.n_new += 1;
            return entity;
        };
        known.enrolled = self.reference.id.0;
        let entity = known.entity;
        match known.open {
            Some(open) if open.hash == hash => {
                self.n_unchanged += 1;
                return entity;
            }
            Some(open) => {
                self.ended.push(open.id);
                self.n_changed += 1;
            }
            None => self.n_new += 1,
        }
        let id = number();
        known.open = Some(OpenVersion { id, hash });
        self.versions.push(Version { id, entity, row, hash });
        entity
    }
}

/// Rows with a key that a row before them in `order` has: a list should have each key once.
fn repeated(keys: &[Cow<'_, str>], order: &[usize]) -> FxHashMap<usize, u32> {
    let mut found = FxHashMap::default();
    let (mut nth, mut previous) = (1, None);
    for at in order {
        let key = keys.get(*at);
        nth = if previous == key { nth + 1 } else { 1 };
        previous = key;
        if nth > 1 {
            found.insert(*at, nth);
        }
    }
    found
}

/// The hashes of all rows, in their order.
fn hash_all(snapshot: &Snapshot) -> Vec<Digest> {
    let rows = &snapshot.rows;
    let (half, end) = (rows.len() / 2, rows.len());
    if end < TWO_THREADS_MIN {
        return hashes(rows, 0..end);
    }
    thread::scope(|scope| {
        let second = scope.spawn(|| hashes(rows, half..end));
        let mut all = hashes(rows, 0..half);
        match second.join() {
            Ok(rest) => all.extend(rest),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        all
    })
}

/// The places of the rows in order of key. Rows of one and the same key are in order of hash.
fn in_order(keys: &[Cow<'_, str>], hashes: &[Digest]) -> Vec<usize> {
    // Most comparisons end in the first eight bytes, which need no look at the key itself.
    let mut order: Vec<(u64, usize)> =
        keys.iter().enumerate().map(|(at, key)| (first_bytes(key), at)).collect();
    order.sort_unstable_by(|(a_first, a), (b_first, b)| {
        a_first
            .cmp(b_first)
            .then_with(|| keys.get(*a).cmp(&keys.get(*b)))
            .then_with(|| hashes.get(*a).cmp(&hashes.get(*b)))
    });
    order.into_iter().map(|(_, at)| at).collect()
}

fn first_bytes(key: &str) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(key.bytes()).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(first)
}

/// SHA-256 over the digests of the requests: the same only for the very same bytes.
fn body_digest(snapshot: &Snapshot) -> Digest {
    let mut hasher = Sha256::new();
    snapshot.requests.iter().for_each(|it| hasher.update(it.sha256));
    hasher.finalize().into()
}
