//! The raw bytes of pulled rows until the run is saved. Few rows are ever asked for, so pages
//! wait compressed, in blocks of which one is open at a time.

use std::sync::Arc;

use domain::RowOrigin;

/// Bytes of one block before it is compressed: a usual page is one, and an answer of 200 MB is
/// not unpacked whole for one row.
const BLOCK_LEN: usize = 1 << 20;

/// The fastest level: pages repeat their member names, and a pull waits for this.
const LEVEL: i32 = 1;

/// The raw bytes of each row of one list, in the order of its rows.
#[derive(Clone, Debug, Default)]
pub struct Bodies {
    parts: Vec<Part>,
}

/// The rows of pages that were read together.
#[derive(Clone, Debug, Default)]
struct Part {
    pages: Arc<Vec<PackedPage>>,
    rows: Vec<RowOrigin>,
}

/// One answer, compressed block by block; empty for a request that brought no page.
#[derive(Debug, Default)]
pub(crate) struct PackedPage(Vec<Box<[u8]>>);

/// The block that was read last, by part, page and number.
type Open = Option<((usize, u32, usize), Vec<u8>)>;

impl Bodies {
    /// `rows` says in which of `pages` each row is, and where in it.
    pub(crate) fn new(pages: Arc<Vec<PackedPage>>, rows: Vec<RowOrigin>) -> Self {
        Self { parts: vec![Part { pages, rows }] }
    }

    /// Adds the rows of another list after these.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.parts.append(&mut other.parts);
    }

    /// Keeps the rows for which `keeps` says so, by their numbers.
    pub(crate) fn retain(&mut self, keeps: impl Fn(usize) -> bool) {
        let mut at = 0;
        for part in &mut self.parts {
            part.rows.retain(|_| {
                at += 1;
                keeps(at - 1)
            });
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|it| it.rows.len()).sum()
    }

    /// Returns true when there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of some rows, by their numbers and in that order; ascending numbers are fastest.
    /// `None` for a number that no row has.
    #[must_use]
    pub fn read(&self, rows: &[usize]) -> Vec<Option<Vec<u8>>> {
        let mut open = None;
        rows.iter().map(|it| self.row(*it, &mut open)).collect()
    }

    fn row(&self, mut number: usize, open: &mut Open) -> Option<Vec<u8>> {
        for (nth, part) in self.parts.iter().enumerate() {
            match part.rows.get(number) {
                Some(origin) => return part.row(nth, *origin, open),
                None => number -= part.rows.len(),
            }
        }
        None
    }
}

impl Part {
    fn row(&self, nth: usize, origin: RowOrigin, open: &mut Open) -> Option<Vec<u8>> {
        let mut at = usize::try_from(origin.offset).ok()?;
        let end = at.checked_add(usize::try_from(origin.len).ok()?)?;
        let mut bytes = Vec::with_capacity(end - at);
        while at < end {
            let block = at / BLOCK_LEN;
            let unpacked = self.block((nth, origin.request, block), open)?;
            let piece = unpacked.get(at % BLOCK_LEN..unpacked.len().min(end - block * BLOCK_LEN));
            let piece = piece.filter(|it| !it.is_empty())?;
            bytes.extend_from_slice(piece);
            at += piece.len();
        }
        Some(bytes)
    }

    fn block<'o>(&self, place: (usize, u32, usize), open: &'o mut Open) -> Option<&'o [u8]> {
        if open.as_ref().is_none_or(|it| it.0 != place) {
            let (_, page, block) = place;
            let packed = self.pages.get(usize::try_from(page).ok()?)?.0.get(block)?;
            let unpacked = zstd::bulk::decompress(packed, BLOCK_LEN).ok()?;
            *open = Some((place, unpacked));
        }
        open.as_ref().map(|it| &*it.1)
    }
}

impl PackedPage {
    /// Packs the decoded body of one answer. `None` when there is no memory for that.
    pub(crate) fn new(body: &[u8]) -> Option<Self> {
        let blocks = body.chunks(BLOCK_LEN);
        let packed = blocks.map(|it| zstd::bulk::compress(it, LEVEL).map(Vec::into_boxed_slice));
        packed.collect::<Result<_, _>>().map(Self).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_several_lists_follow_each_other() {
        let list = |body: &[u8]| {
            let pages = Arc::new(vec![PackedPage::new(body).unwrap()]);
            Bodies::new(pages, vec![origin(0, 0, 1), origin(0, 1, 1)])
        };
        let mut all = list(b"ab");
        all.append(list(b"cd"));
        assert_eq!(all.len(), 4);
        let read = |all: &Bodies| -> Vec<u8> {
            all.read(&(0..all.len()).collect::<Vec<_>>()).into_iter().flatten().flatten().collect()
        };
        assert_eq!(read(&all), b"abcd");
        all.retain(|it| it != 0 && it != 2);
        assert_eq!(read(&all), b"bd");
        assert_eq!(all.read(&[2]), [None]);
    }

    fn origin(request: u32, offset: usize, len: usize) -> RowOrigin {
        RowOrigin {
            request,
            line: 1,
            offset: u64::try_from(offset).unwrap(),
            len: u32::try_from(len).unwrap(),
        }
    }

    #[test]
    fn rows_come_back_as_they_were_wherever_the_blocks_end() {
        // A page of three blocks, in which no two places look alike.
        let long: Vec<u8> = (0..1_u32 << 20).flat_map(|it| it.to_le_bytes()).collect();
        let long = &long[..BLOCK_LEN * 5 / 2];
        let pages = [long, b"", br#"[{"id":1},{"id":2}]"#].map(|it| PackedPage::new(it).unwrap());
        let rows = vec![
            origin(0, 0, 10),
            origin(0, BLOCK_LEN - 3, 7),
            origin(0, 5, 2 * BLOCK_LEN + 1),
            origin(2, 10, 8),
            origin(2, 12, 8), // Behind the end of its page.
            origin(1, 0, 1),  // On a page without a body.
            origin(9, 0, 1),  // On no page.
        ];
        let bodies = Bodies::new(Arc::new(pages.into()), rows);
        assert_eq!(
            bodies.read(&[3, 0, 1, 2, 4, 5, 6, 7]),
            [
                Some(br#"{"id":2}"#.to_vec()),
                Some(long[..10].to_vec()),
                Some(long[BLOCK_LEN - 3..BLOCK_LEN + 4].to_vec()),
                Some(long[5..2 * BLOCK_LEN + 6].to_vec()),
                None,
                None,
                None,
                None,
            ]
        );
    }
}
