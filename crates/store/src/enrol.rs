//! Sets a pulled list against the stored past: which rows are new, changed, the same, gone.
//!
//! Pure. Numbers are given in order of keys, so the order in which a source lists its rows
//! changes nothing.

use std::borrow::Cow;
use std::thread;

use domain::{Digest, EntityId, Snapshot, SnapshotRef, Text};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::merkle;
use crate::rows::{Version, hashes, keys, numbered, short};
use crate::state::{Known, OpenVersion, State};

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
    /// Keys of rows whose key is not the row's own alone, by place in the snapshot.
    pub(crate) numbered: FxHashMap<usize, Text>,
}

/// From this many rows on, a second thread pays.
const TWO_THREADS_MIN: usize = 5_000;

impl State {
    /// Sets `snapshot` against the past: numbers its rows, finds what changed, and computes its
    /// digest. Takes the rows into the state, so that what is enrolled must also be committed.
    pub fn enrol(&mut self, snapshot: &Snapshot) -> Enrolled {
        let hashes = hash_all(snapshot);
        let keys = keys(&snapshot.rows);
        let order = in_order(&keys, &hashes);
        let id = self.next_snapshot();

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
                digest: merkle::root(
                    order.iter().filter_map(|at| hashes.get(*at).copied()).collect(),
                ),
                body_digest: body_digest(snapshot),
            },
            entities: vec![EntityId(0); keys.len()],
            absent: Vec::new(),
            n_new: 0,
            n_changed: 0,
            n_unchanged: 0,
            n_gone: 0,
            versions: Vec::new(),
            ended: Vec::new(),
            numbered: FxHashMap::default(),
        };

        let stream = self.streams.entry(snapshot.stream.clone()).or_default();
        let next = &mut self.next.row;
        let mut nth = 1;
        let mut previous: Option<&str> = None;
        for at in order {
            let (Some(own), Some(hash)) = (keys.get(at), hashes.get(at)) else { continue };
            nth = if previous == Some(&**own) { nth + 1 } else { 1 };
            previous = Some(own);
            let key = numbered(own, nth);
            if key != *own {
                enrolled.numbered.insert(at, (&*key).into());
            }
            let entity = enrolled.take_row(&mut stream.known, next, &key, at, hash);
            if let Some(place) = enrolled.entities.get_mut(at) {
                *place = entity;
            }
        }

        for known in stream.known.values_mut().filter(|it| it.enrolled != id.0) {
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

    /// Takes one row into `known`, and notes the version to write when it is new or changed.
    fn take_row(
        &mut self,
        known: &mut FxHashMap<Text, Known>,
        next: &mut i64,
        key: &str,
        row: usize,
        hash: &Digest,
    ) -> EntityId {
        let hash = short(hash);
        let snapshot = self.reference.id.0;
        let mut number = || {
            let number = *next;
            *next += 1;
            number
        };
        let Some(row_known) = known.get_mut(key) else {
            let id = number();
            let entity = EntityId(id);
            let open = Some(OpenVersion { id, hash });
            known.insert(key.into(), Known { entity, open, enrolled: snapshot });
            self.versions.push(Version { id, entity, row, hash });
            self.n_new += 1;
            return entity;
        };
        row_known.enrolled = snapshot;
        let entity = row_known.entity;
        match row_known.open {
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
        row_known.open = Some(OpenVersion { id, hash });
        self.versions.push(Version { id, entity, row, hash });
        entity
    }
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
