//! The digest of a list: a Merkle root, so that one row can be shown to be in it.
//!
//! The tree is that of RFC 6962, 2.1: a leaf is `SHA-256(0x00 || row)`, a node
//! `SHA-256(0x01 || left || right)`, an empty list has the SHA-256 of nothing.

use domain::Digest;
use sha2::{Digest as _, Sha256};

/// The hash of a row in its canonical form.
pub(crate) fn leaf(row: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(row);
    hasher.finalize().into()
}

/// The root over `level`, whose order counts.
pub(crate) fn root(mut level: Vec<Digest>) -> Digest {
    if level.is_empty() {
        return Sha256::digest([]).into();
    }
    // Pairing from the left and lifting a last odd one gives RFC 6962's split at the largest
    // power of two.
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(left, right),
                odd => odd.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digest: Digest) -> String {
        digest.iter().map(|it| format!("{it:02x}")).collect()
    }

    #[test]
    fn roots_are_those_of_rfc_6962() {
        // The test vectors of Certificate Transparency's reference implementation.
        let rows: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let root_of = |n: usize| hex(root(rows[..n].iter().map(|row| leaf(row)).collect()));
        #[rustfmt::skip]
        let table = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (n, expected) in table {
            assert_eq!(root_of(n), expected, "{n} rows");
        }
    }
}
