//! The ledger as static files (C2SP, `tlog-tiles`): hashes in tiles of 256, entries in bundles of
//! as many. Paths and bytes; who writes the files is the caller.

use std::ops::Range;

use domain::Digest;

use crate::LedgerError;
use crate::tree::root_of;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// One tile of a tree, full or, at its right edge, partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0: hashes of entries. Above: each hash is over a full tile of the level below.
    pub level: u32,
    /// Which of its level, from 0.
    pub index: u64,
    /// How many hashes, 1 to 256.
    pub width: u64,
}

/// All tiles of a tree of `size` entries, level by level. Those of level 0 are those of the
/// bundles, too. Made one by one: a size that somebody else wrote may be any.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    let above = |n: &u64| Some(n / TILE_WIDTH).filter(|it| *it > 0);
    let levels = std::iter::successors(Some(size).filter(|it| *it > 0), above);
    (0..).zip(levels).flat_map(|(level, n)| {
        (0..n.div_ceil(TILE_WIDTH)).map(move |index| Tile {
            level,
            index,
            width: TILE_WIDTH.min(n - index * TILE_WIDTH),
        })
    })
}

impl Tile {
    /// Its path below the folder of the ledger, `tile/0/x001/x234/067.p/12`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// The path of the bundle with the entries of a tile of level 0.
    #[must_use]
    pub fn bundle_path(&self) -> String {
        format!("tile/entries/{}", self.place())
    }

    /// The entries that a tile of level 0 is about.
    #[must_use]
    pub const fn entries(&self) -> Range<u64> {
        let first = self.index * TILE_WIDTH;
        first..first + self.width
    }

    fn place(&self) -> String {
        let (mut rest, mut place) = (self.index / 1000, format!("{:03}", self.index % 1000));
        while rest > 0 {
            place = format!("x{:03}/{place}", rest % 1000);
            rest /= 1000;
        }
        if self.width < TILE_WIDTH {
            place.push_str(&format!(".p/{}", self.width));
        }
        place
    }
}

/// The bytes of a tile of a tree with these hashes of entries.
#[must_use]
pub fn tile_hashes(leaves: &[Digest], tile: Tile) -> Vec<u8> {
    let span = TILE_WIDTH.saturating_pow(tile.level);
    let first = tile.index.saturating_mul(TILE_WIDTH).saturating_mul(span);
    let (first, span) =
        (usize::try_from(first).unwrap_or(usize::MAX), usize::try_from(span).unwrap_or(usize::MAX));
    let width = usize::try_from(tile.width).unwrap_or(0);
    let parts = leaves.get(first..).unwrap_or_default().chunks_exact(span).take(width);
    parts.flat_map(|it| root_of(it.iter().copied())).collect()
}

/// The bytes of a bundle: each entry after its length in two bytes, the higher one first.
///
/// # Errors
///
/// [`LedgerError::TooLong`] for an entry that no ledger holds.
pub fn bundle<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Result<Vec<u8>, LedgerError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let len = u16::try_from(entry.len()).map_err(|_| LedgerError::TooLong {
            kind: "unknown",
            len: entry.len(),
            max: crate::LEN_MAX,
        })?;
        bytes.extend(len.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf_hash;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |index, width| Tile { level: 1, index, width }.path();
        assert_eq!(path(1_234_067, 256), "tile/1/x001/x234/067");
        assert_eq!(path(0, 256), "tile/1/000");
        assert_eq!(path(1000, 17), "tile/1/x001/000.p/17");
        let bundle = Tile { level: 0, index: 273, width: 112 };
        assert_eq!(bundle.bundle_path(), "tile/entries/273.p/112");
        assert_eq!(bundle.entries(), 69_888..70_000);
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_that_the_specification_counts() {
        let tiles: Vec<Tile> = tiles(70_000).collect();
        let n = |level, is_full| {
            tiles.iter().filter(|it| it.level == level && (it.width == 256) == is_full).count()
        };
        assert_eq!((n(0, true), n(0, false), n(1, true), n(1, false)), (273, 1, 1, 1));
        let last = |level| tiles.iter().rfind(|it| it.level == level).unwrap().width;
        assert_eq!((last(0), last(1), last(2), n(2, false)), (112, 17, 1, 1));
        assert_eq!(super::tiles(256).count(), 2, "a full tile, and one of a single hash above it");
        assert_eq!(super::tiles(0).count(), 0);
        assert_eq!(super::tiles(u64::MAX).next().unwrap().width, 256, "and makes no others");
    }

    #[test]
    fn a_tree_comes_out_of_its_tiles() {
        let leaves: Vec<Digest> = (0..70_000_u32).map(|it| leaf_hash(&it.to_be_bytes())).collect();
        // The highest tile has one hash, over 65 536 entries; the rest is the right edge below.
        let tile = |level, index, width| {
            let bytes = tile_hashes(&leaves, Tile { level, index, width });
            assert_eq!(bytes.len() as u64, width * 32);
            bytes.chunks(32).map(|it| it.try_into().unwrap()).collect::<Vec<Digest>>()
        };
        assert_eq!(tile(2, 0, 1)[0], root_of(tile(1, 0, 256)));
        let left = tile(2, 0, 1)[0];
        let right: Vec<Digest> = tile(1, 1, 17);
        assert_eq!(right[0], root_of(tile(0, 256, 256)));
        let mut edge = crate::Edge::default();
        leaves.iter().for_each(|it| edge.push(*it));
        assert_eq!(edge.peaks()[0], left);
        assert_eq!(edge.peaks()[1], root_of(right[..16].to_vec()));
    }

    #[test]
    fn a_bundle_holds_entries_after_their_lengths() {
        assert_eq!(bundle([&b"ab"[..], b""]).unwrap(), [0, 2, b'a', b'b', 0, 0]);
        assert!(bundle([&[0; 65_536][..]]).is_err());
    }
}
