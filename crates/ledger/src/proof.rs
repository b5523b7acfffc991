//! Proofs: that an entry is in a tree, and that a tree is the beginning of a larger one.
//!
//! Made as in RFC 6962, 2.1.1 and 2.1.2, and checked as in RFC 9162, 2.1.3.2 and 2.1.4.2.

use std::fmt;

use domain::Digest;

use crate::checkpoint::{decoded, encoded};
use crate::tree::{node_hash, root_of};
use crate::{Checkpoint, LedgerError, Note};

/// The path from an entry to the root: the siblings on the way, lowest first. `leaves` are the
/// hashes of all entries of the tree. `None` when there is no entry at `index`.
#[must_use]
pub fn inclusion(leaves: &[Digest], index: u64) -> Option<Vec<Digest>> {
    let mut at = usize::try_from(index).ok().filter(|it| *it < leaves.len())?;
    let (mut rest, mut path) = (leaves, Vec::new());
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        let other;
        (rest, other, at) =
            if at < left.len() { (left, right, at) } else { (right, left, at - left.len()) };
        path.push(root_of(other.iter().copied()));
    }
    path.reverse();
    Some(path)
}

/// A tree with the roots of all its full subtrees: paths of many entries cost little then.
#[derive(Clone, Debug)]
pub struct Subtrees {
    /// Of each height, from the left: those of height 0 are the hashes of the entries.
    levels: Vec<Vec<Digest>>,
}

impl Subtrees {
    /// Of a tree with these hashes of entries.
    #[must_use]
    pub fn of(leaves: &[Digest]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last().filter(|it| it.len() > 1) {
            let (pairs, _) = below.as_chunks::<2>();
            levels.push(pairs.iter().map(|[left, right]| node_hash(left, right)).collect());
        }
        Self { levels }
    }

    /// The path from an entry to the root, as [`inclusion`] gives it. `None` when there is no entry
    /// at `index`.
    #[must_use]
    pub fn inclusion(&self, index: u64) -> Option<Vec<Digest>> {
        let size = self.levels.first()?.len();
        let at = usize::try_from(index).ok().filter(|it| *it < size)?;
        let (mut first, mut len, mut path) = (0, size, Vec::new());
        while len > 1 {
            let left = split(len);
            if at < first + left {
                path.push(self.root(first + left, len - left)?);
                len = left;
            } else {
                path.push(self.root(first, left)?);
                (first, len) = (first + left, len - left);
            }
        }
        path.reverse();
        Some(path)
    }

    /// The root over `len` entries from `first` on, which begin where a full subtree of that size
    /// would.
    fn root(&self, first: usize, len: usize) -> Option<Digest> {
        if len.is_power_of_two() {
            let height = usize::try_from(len.trailing_zeros()).ok()?;
            return self.levels.get(height)?.get(first / len).copied();
        }
        let left = split(len);
        Some(node_hash(&self.root(first, left)?, &self.root(first + left, len - left)?))
    }
}

/// Shows that the tree over the first `old` of `leaves` is the beginning of the tree over all.
/// Empty when there is nothing to show: `old` is 0, or is all. `None` when `old` is more than all.
#[must_use]
pub fn consistency(leaves: &[Digest], old: u64) -> Option<Vec<Digest>> {
    let mut old = usize::try_from(old).ok().filter(|it| *it <= leaves.len())?;
    let (mut rest, mut path) = (leaves, Vec::new());
    if old == 0 || old == leaves.len() {
        return Some(path);
    }
    // True until the way leaves the left edge: then the old tree is no subtree of its own.
    let mut is_whole = true;
    while old < rest.len() {
        let (left, right) = rest.split_at(split(rest.len()));
        if old <= left.len() {
            path.push(root_of(right.iter().copied()));
            rest = left;
        } else {
            path.push(root_of(left.iter().copied()));
            (rest, old, is_whole) = (right, old - left.len(), false);
        }
    }
    if !is_whole {
        path.push(root_of(rest.iter().copied()));
    }
    path.reverse();
    Some(path)
}

/// The largest power of two below `len`, which is at least 2.
const fn split(len: usize) -> usize {
    len.next_power_of_two() / 2
}

/// Returns true when `path` leads from the entry with this hash, at `index`, to the root of a tree
/// of `size` entries.
#[must_use]
pub fn proves_inclusion(
    (index, leaf): (u64, Digest),
    (size, root): (u64, Digest),
    path: &[Digest],
) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at.is_multiple_of(2) && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    last == 0 && hash == root
}

/// Returns true when `path` shows that the tree `old` is the beginning of the tree `new`, each
/// given by its size and root.
#[must_use]
pub fn proves_consistency(old: (u64, Digest), new: (u64, Digest), path: &[Digest]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size {
        return false;
    }
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    if old_size == 0 {
        return path.is_empty() && old_root == root_of([]);
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else {
        let Some((first, rest)) = path.split_first() else { return false };
        (*first, rest)
    };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at % 2 == 1 {
        (at, last) = (at / 2, last / 2);
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while at.is_multiple_of(2) && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

/// That an entry is in a signed tree, as text that anybody can check offline.
///
/// Source: C2SP, `tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which entry, from 0.
    pub index: u64,
    /// The path from it to the root.
    pub path: Vec<Digest>,
    /// The checkpoint of the tree, with its signatures.
    pub note: Note,
}

impl Proof {
    const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

    /// Reads a proof. Extra data, which nothing vouches for, is passed over.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotAProof`] for anything else.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let wrong = |what| LedgerError::NotAProof { what };
        let (head, note) = text.split_once("\n\n").ok_or(wrong("it has no blank line"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(Self::FIRST_LINE) {
            return Err(wrong("its first line is not that of version 1"));
        }
        let mut lines = lines.skip_while(|it| it.starts_with("extra "));
        let index = lines.next().and_then(|it| it.strip_prefix("index "));
        let index = index.and_then(|it| it.parse().ok()).ok_or(wrong("it has no index"))?;
        let path: Option<Vec<Digest>> = lines.map(decoded).collect();
        let path = path.ok_or(wrong("a line of its path is no hash"))?;
        Ok(Self { index, path, note: Note::parse(note)? })
    }

    /// Checks that `entry` is where the proof says, in the tree of its checkpoint. Whose the
    /// checkpoint is, its signatures say.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotProven`] when it is not; [`LedgerError::NotACheckpoint`].
    pub fn check(&self, entry: &[u8]) -> Result<Checkpoint, LedgerError> {
        let checkpoint = Checkpoint::parse(self.note.text())?;
        let leaf = (self.index, crate::leaf_hash(entry));
        if proves_inclusion(leaf, (checkpoint.size, checkpoint.root), &self.path) {
            Ok(checkpoint)
        } else {
            Err(LedgerError::NotProven { index: self.index })
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nindex {}", Self::FIRST_LINE, self.index)?;
        self.path.iter().try_for_each(|it| writeln!(f, "{}", encoded(it)))?;
        write!(f, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn paths_by_subtrees_are_those_by_definition() {
        let leaves: Vec<Digest> = (0..70_u8).map(|it| leaf_hash(&[it])).collect();
        for size in 0..=leaves.len() {
            let (tree, leaves) = (Subtrees::of(&leaves[..size]), &leaves[..size]);
            for index in 0..=size as u64 {
                assert_eq!(tree.inclusion(index), inclusion(leaves, index), "{index} of {size}");
            }
        }
    }
}
