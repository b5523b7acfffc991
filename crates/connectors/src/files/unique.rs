//! Each key once: exact duplicates are dropped, contradictions are named, and rows that
//! come several to a key by nature become one.

use std::hash::BuildHasher as _;

use domain::rows::Row;
use domain::{
    Account, Activity, Assignment, Grant, HrLeaver, Identity, Lifecycle, Principal, RowOrigin,
    Rows, Table, Via,
};
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// What was found beside unique rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Duplicates {
    /// Rows dropped because an equal one stands before them.
    pub(crate) n_exact: u64,
    /// Rows dropped because the same person left later, too.
    pub(crate) n_earlier: u64,
    /// Rows dropped although they say something else: where the one that is kept is, and where they are.
    pub(crate) conflicts: Vec<(RowOrigin, RowOrigin)>,
    /// Where rows are of which one that was dropped says otherwise what matters most.
    unclear: Vec<RowOrigin>,
}

/// What names a row: group (of a membership), whether it is a group itself, id.
type Key<'r> = (&'r str, bool, &'r str);

/// Makes the keys of a list unique. The first row of a key stays, unless a later one contradicts
/// it with what must not be missed: an account that is on. Where an identity stands in its life
/// is unknown when two rows contradict each other in that.
pub(crate) fn make(rows: &mut Rows, origins: &mut Vec<RowOrigin>, folds: bool) -> Duplicates {
    match rows {
        Rows::Identities(rows) => unless_unique(rows, origins, |rows, origins| {
            let is_unclear = |one: &Identity, other: &Identity| one.lifecycle != other.lifecycle;
            let duplicates = keep_one(rows, origins, |it| ("", false, &it.id), |_| 0, is_unclear);
            for kept in &duplicates.unclear {
                let row = origins.iter().position(|it| it == kept).and_then(|at| rows.get_mut(at));
                if let Some(row) = row {
                    row.lifecycle = Lifecycle::Unknown;
                }
            }
            duplicates
        }),
        Rows::Accounts(rows) => unless_unique(rows, origins, |rows, origins| {
            let weight = |it: &Account| match Activity::of(it) {
                Activity::Active => 2,
                Activity::NotStated => 1,
                _ => 0,
            };
            keep_one(rows, origins, |it| ("", false, &it.id), weight, |_, _| false)
        }),
        Rows::NonHumans(rows) => unless_unique(rows, origins, |rows, origins| {
            keep_one(rows, origins, |it| ("", false, &it.account), |_| 0, |_, _| false)
        }),
        Rows::Leavers(rows) => unless_unique(rows, origins, |rows, origins| {
            let n_earlier = keep_last_leaves(rows, origins);
            let duplicates =
                keep_one(rows, origins, |it| ("", false, &it.id), |it| it.left_at, |_, _| false);
            Duplicates { n_earlier, ..duplicates }
        }),
        Rows::Memberships(rows) => unless_unique(rows, origins, |rows, origins| {
            keep_one(rows, origins, |it| principal(&it.group, &it.member), |_| 0, |_, _| false)
        }),
        Rows::Assignments(rows) => unless_unique(rows, origins, |rows, origins| {
            if folds {
                fold(rows);
            }
            keep_one(rows, origins, |it| principal("", &it.principal), |_| 0, |_, _| false)
        }),
    }
}

/// Settles a list in which a key may come twice. That none does is the rule, and told by hashes
/// alone: a false alarm costs only the longer way.
fn unless_unique<T: Row>(
    rows: &mut Table<T>,
    origins: &mut Vec<RowOrigin>,
    settle: impl FnOnce(&mut Vec<T>, &mut Vec<RowOrigin>) -> Duplicates,
) -> Duplicates {
    let places = (0..rows.len()).into_par_iter();
    let hashes: Vec<u64> = places.map(|at| FxBuildHasher.hash_one(rows.key(at))).collect();
    if are_different(&hashes) {
        return Duplicates::default();
    }
    let mut all = rows.to_vec();
    let duplicates = settle(&mut all, origins);
    *rows = all.into();
    duplicates
}

/// Whether no two hashes are the same. Each marks one of eight bits a hash, by its upper bits, which know most
/// of a key; only those that share a bit are compared.
fn are_different(hashes: &[u64]) -> bool {
    let n_bits = (8 * hashes.len()).next_power_of_two().max(64);
    let bit = |hash: &u64| {
        let at = (hash >> 32) as usize % n_bits;
        (at / 64, 1_u64 << (at % 64))
    };
    let (mut met, mut shared) = (vec![0_u64; n_bits / 64], vec![0_u64; n_bits / 64]);
    for (word, bit) in hashes.iter().map(bit) {
        if let (Some(met), Some(shared)) = (met.get_mut(word), shared.get_mut(word)) {
            *shared |= *met & bit;
            *met |= bit;
        }
    }
    let is_shared = |it: &&u64| {
        let (word, bit) = bit(it);
        shared.get(word).is_some_and(|it| it & bit != 0)
    };
    let mut compared: Vec<&u64> = hashes.iter().filter(is_shared).collect();
    compared.sort_unstable();
    compared.is_sorted_by(|one, other| one != other)
}

fn principal<'r>(group: &'r str, it: &'r Principal) -> Key<'r> {
    match it {
        Principal::Identity(id) => (group, false, id),
        Principal::Group(id) => (group, true, id),
    }
}

/// Keeps one row of each key. `weight`: of two that contradict each other, the heavier one.
/// `is_unclear`: whether two contradict each other in what matters most.
fn keep_one<T: PartialEq, W: PartialOrd>(
    rows: &mut Vec<T>,
    origins: &mut Vec<RowOrigin>,
    key: fn(&T) -> Key<'_>,
    weight: fn(&T) -> W,
    is_unclear: fn(&T, &T) -> bool,
) -> Duplicates {
    let mut duplicates = Duplicates::default();
    let mut dropped = Vec::new();
    let mut kept: FxHashMap<Key<'_>, (usize, &T)> = FxHashMap::default();
    kept.reserve(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let one = kept.entry(key(row)).or_insert((at, row));
        let (before, known) = *one;
        if before == at {
            continue;
        }
        if known == row {
            duplicates.n_exact += 1;
        } else {
            let both = origins.get(before).copied().zip(origins.get(at).copied());
            duplicates.conflicts.extend(both);
            duplicates.unclear.extend(both.filter(|_| is_unclear(known, row)).map(|it| it.0));
        }
        if weight(row) > weight(known) {
            *one = (at, row);
            dropped.push(before);
        } else {
            dropped.push(at);
        }
    }
    drop(kept);
    dropped.sort_unstable();
    drop_all(rows, &dropped);
    drop_all(origins, &dropped);
    duplicates
}

/// Drops the leaves of who left again later: HR lists each employment. Says how many. Another address
/// may be that of somebody else with the same number, and is left to contradict.
fn keep_last_leaves(rows: &mut Vec<HrLeaver>, origins: &mut Vec<RowOrigin>) -> u64 {
    let mut last: FxHashMap<_, _> = FxHashMap::default();
    for row in rows.iter() {
        let left_at = last.entry((&row.id, &row.email)).or_insert(row.left_at);
        *left_at = row.left_at.max(*left_at);
    }
    let is_earlier =
        |row: &HrLeaver| last.get(&(&row.id, &row.email)).is_some_and(|it| row.left_at < *it);
    let dropped: Vec<usize> =
        rows.iter().enumerate().filter(|it| is_earlier(it.1)).map(|it| it.0).collect();
    drop(last);
    drop_all(rows, &dropped);
    drop_all(origins, &dropped);
    dropped.len() as u64
}

/// Drops the items at these places, which are in order.
fn drop_all<T>(items: &mut Vec<T>, dropped: &[usize]) {
    if dropped.is_empty() {
        return;
    }
    let mut dropped = dropped.iter().peekable();
    let mut at = 0;
    items.retain(|_| {
        let is_dropped = dropped.next_if(|it| **it == at).is_some();
        at += 1;
        !is_dropped
    });
}

/// A principal on its own: is it a group, and its id.
type Named = (bool, Box<str>);

/// Makes the rows of one principal equal: they all say what is true of it together.
/// A grant outweighs an end, the first grant and the last end count, by hand outweighs groups.
fn fold(rows: &mut [Assignment]) {
    let mut together: FxHashMap<Named, Assignment> = FxHashMap::default();
    for row in rows.iter() {
        let (_, is_group, id) = principal("", &row.principal);
        match together.get_mut(&(is_group, id.into())) {
            None => drop(together.insert((is_group, id.into()), row.clone())),
            Some(known) => join(known, row),
        }
    }
    for row in rows {
        let (_, is_group, id) = principal("", &row.principal);
        if let Some(known) = together.get(&(is_group, id.into())) {
            row.clone_from(known);
        }
    }
}

fn join(known: &mut Assignment, row: &Assignment) {
    let weight = |grant| match grant {
        Grant::Grants => 2,
        Grant::Undecided => 1,
        Grant::Denies => 0,
    };
    let via = match (&known.via, &row.via) {
        (Via::Direct, _) | (_, Via::Direct) => Via::Direct,
        (Via::Groups(some), Via::Groups(others)) => {
            let mut groups = some.clone();
            groups.extend(others.iter().filter(|it| !some.contains(it)).cloned());
            Via::Groups(groups)
        }
        (Via::Groups(groups), Via::NotStated) | (Via::NotStated, Via::Groups(groups)) => {
            Via::Groups(groups.clone())
        }
        (Via::NotStated, Via::NotStated) => Via::NotStated,
    };
    let changed_at = match weight(known.grant).cmp(&weight(row.grant)) {
        std::cmp::Ordering::Greater => known.changed_at,
        std::cmp::Ordering::Less => {
            known.clone_from(row);
            row.changed_at
        }
        std::cmp::Ordering::Equal if known.grant == Grant::Denies => {
            known.changed_at.max(row.changed_at)
        }
        std::cmp::Ordering::Equal => [known.changed_at, row.changed_at].into_iter().flatten().min(),
    };
    known.via = via;
    known.changed_at = changed_at;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Hashes that share a bit are no more the same than others.
        #[test]
        fn the_same_hash_is_told_and_no_other(
            upper in prop::collection::vec(0_u64..40, 0..60),
            lower in prop::collection::vec(0_u64..3, 60),
        ) {
            let hashes: Vec<u64> = upper.iter().zip(&lower).map(|it| it.0 << 32 | it.1).collect();
            let different: std::collections::BTreeSet<_> = hashes.iter().collect();
            prop_assert_eq!(are_different(&hashes), different.len() == hashes.len());
        }
    }
}
