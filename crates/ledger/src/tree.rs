//! The Merkle tree of RFC 6962, 2.1: hashes of entries and nodes, and the right edge of a tree,
//! which is all that appending needs.
//!
//! A leaf is `SHA-256(0x00 || entry)`, a node `SHA-256(0x01 || left || right)`, and an empty tree
//! has the SHA-256 of nothing.

use domain::Digest;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Bytes with their SHA-256, which is computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    bytes: Vec<u8>,
    sha256: Digest,
}

impl Hashed {
    /// Hashes the bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let sha256 = sha256(&bytes);
        Self { bytes, sha256 }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their SHA-256.
    #[must_use]
    pub const fn sha256(&self) -> &Digest {
        &self.sha256
    }
}

/// The hash of an entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    hasher.finalize().into()
}

/// The hash over two subtrees.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The root over hashes of entries, whose order counts.
#[must_use]
pub fn root_of(leaves: impl IntoIterator<Item = Digest>) -> Digest {
    let mut edge = Edge::default();
    leaves.into_iter().for_each(|it| edge.push(it));
    edge.root()
}

/// The right edge of a tree: its size, and the roots of the full subtrees that it is made of,
/// largest first. There are as many as the size has binary ones, so at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    peaks: Vec<Digest>,
}

impl Edge {
    /// Takes up an edge that was kept. `None` when that many roots make no tree of that size.
    #[must_use]
    pub fn new(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        let n_peaks = u32::try_from(peaks.len()).ok()?;
        (n_peaks == size.count_ones()).then_some(Self { size, peaks })
    }

    /// Entries in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its full subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Appends the hash of an entry.
    pub fn push(&mut self, leaf: Digest) {
        let mut peak = leaf;
        // Every full subtree of the same height as the new one is joined with it.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                peak = node_hash(&left, &peak);
            }
        }
        self.peaks.push(peak);
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return sha256(&[]) };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn hex(digest: Digest) -> String {
        digest.iter().map(|it| format!("{it:02x}")).collect()
    }

    /// The entries of the test vectors of Certificate Transparency's reference implementation
    /// (`merkletree/merkle_tree_test.cc`), which later implementations of RFC 6962 share.
    pub(crate) fn vectors() -> Vec<Vec<u8>> {
        vec![
            vec![],
            vec![0x00],
            vec![0x10],
            vec![0x20, 0x21],
            vec![0x30, 0x31],
            vec![0x40, 0x41, 0x42, 0x43],
            (0x50..0x58).collect(),
            (0x60..0x70).collect(),
        ]
    }

    #[test]
    fn roots_are_those_of_rfc_6962() {
        #[rustfmt::skip]
        let table = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
            (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (n, expected) in table {
            let leaves = vectors();
            let root = root_of(leaves.iter().take(n).map(|it| leaf_hash(it)));
            assert_eq!(hex(root), expected, "{n} entries");
        }
    }

    /// RFC 6962, 2.1, as it is written there: split at the largest power of two below the size.
    pub(crate) fn root_by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn an_edge_that_was_kept_goes_on_as_the_tree_does() {
        let leaves: Vec<Digest> = (0..200_u8).map(|it| leaf_hash(&[it])).collect();
        let mut edge = Edge::default();
        for (n, leaf) in leaves.iter().enumerate() {
            assert_eq!(edge.root(), root_by_definition(&leaves[..n]), "{n} entries");
            edge = Edge::new(edge.size(), edge.peaks().to_vec()).unwrap();
            edge.push(*leaf);
        }
        assert_eq!(Edge::new(5, vec![[0; 32]; 3]), None, "5 has two ones");
    }
}
