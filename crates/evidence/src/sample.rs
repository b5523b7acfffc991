//! Sampling that an auditor can repeat: nobody knows the order before the auditor has named a text,
//! and nobody can change it after.

use data_encoding::HEXLOWER;
use ledger::{Checkpoint, sha256};

/// Draws `n` of these leavers: those that come first by the SHA-256 of root, nonce and id. The root
/// is that of the bag's checkpoint, in hexadecimal; a line end is between the three.
#[must_use]
pub fn drawn<'l>(
    checkpoint: &Checkpoint,
    nonce: &str,
    leavers: impl IntoIterator<Item = &'l str>,
    n: usize,
) -> Vec<&'l str> {
    let root = HEXLOWER.encode(&checkpoint.root);
    let mut ordered: Vec<_> = leavers
        .into_iter()
        .map(|it| (sha256(format!("{root}\n{nonce}\n{it}").as_bytes()), it))
        .collect();
    ordered.sort_unstable();
    ordered.into_iter().take(n).map(|it| it.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draw_hangs_on_the_head_and_on_the_nonce_and_not_on_the_order() {
        let checkpoint = |root| Checkpoint { origin: "driftline/1".to_owned(), size: 9, root };
        let ids: Vec<String> = (0..40).map(|it| format!("sub_{it}-1")).collect();
        let draw =
            |root, nonce| drawn(&checkpoint([root; 32]), nonce, ids.iter().map(|it| &**it), 5);
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        let backwards = drawn(&checkpoint([1; 32]), "a", ids.iter().rev().map(|it| &**it), 5);
        assert_eq!(backwards, draw(1, "a"));
        assert_eq!(drawn(&checkpoint([1; 32]), "a", ["x"], 5), ["x"], "all, where there are fewer");
    }
}
