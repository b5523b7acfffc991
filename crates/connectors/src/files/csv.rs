//! Walks CSV as a stream (RFC 4180): rows are split in place in the window.
//!
//! Written here and not taken from a library because a row needs its exact place, line and
//! bytes, a bound on its length, and an error when its last quote is never closed.
//! A law holds it to the `csv` crate: what this reads, that reads the same.

use std::borrow::Cow;
use std::io::Read;

use super::error::{Place, PullErrorKind};
use super::json::{Placed, Span};
use super::limits::{COLUMNS_MAX, ROW_BYTES_MAX};
use super::window::{Fill, Window, line_ends};

/// Delimiters that are looked for in the header.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The cells of one row, borrowed from it.
#[derive(Debug)]
pub(crate) struct Cells<'b> {
    row: &'b str,
    cells: &'b [Cell],
}

/// Where a cell is in its row, without its quotes.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: usize,
    end: usize,
    has_doubled_quotes: bool,
}

impl<'b> Cells<'b> {
    /// How many.
    pub(crate) const fn len(&self) -> usize {
        self.cells.len()
    }

    /// One cell; `None` behind the last.
    pub(crate) fn get(&self, at: usize) -> Option<Cow<'b, str>> {
        let cell = self.cells.get(at)?;
        let text = self.row.get(cell.start..cell.end)?;
        Some(if cell.has_doubled_quotes { text.replace("\"\"", "\"").into() } else { text.into() })
    }
}

/// Takes one row. `Ok(false)`: nobody wants more.
pub(crate) type TakeCells<'f> =
    dyn FnMut(Cells<'_>, &str, Span) -> Result<bool, PullErrorKind> + 'f;

/// Walks a whole file. The first row handed out is the header.
pub(crate) fn walk<R: Read>(
    window: &mut Window<R>,
    take: &mut TakeCells<'_>,
) -> Result<(), Placed> {
    let mut cells = Vec::new();
    let (mut line, mut n_columns, mut delimiter) = (1_u64, None, b',');
    loop {
        let here = Place::Line(line);
        if n_columns.is_none() && !window.bytes().is_empty() {
            delimiter = guess_delimiter(window.bytes());
        }
        match split(window.bytes(), delimiter, window.is_at_end(), &mut cells)
            .map_err(|kind| (here, kind))?
        {
            Split::More => {
                match window.fill().map_err(|error| (here, PullErrorKind::of_io(error)))? {
                    Fill::RowTooLong => {
                        let what = format!(
                            "a row has more than {} KiB, perhaps a quote that is never closed",
                            ROW_BYTES_MAX >> 10
                        );
                        return Err((here, PullErrorKind::TooLarge { what }));
                    }
                    Fill::More => {}
                    Fill::End if window.is_at_end() && window.bytes().is_empty() => {
                        return if n_columns.is_none() {
                            Err((Place::File, PullErrorKind::Empty))
                        } else {
                            Ok(())
                        };
                    }
                    Fill::End => {}
                }
            }
            Split::Blank { next } => {
                line += 1;
                window.consume(next);
            }
            Split::Row { len, next } => {
                let bytes = window.bytes();
                let row = bytes.get(..len).unwrap_or_default();
                let row = str::from_utf8(row).map_err(|_| {
                    (here, PullErrorKind::Encoding { what: "the row is not UTF-8".to_owned() })
                })?;
                if let Some(n_columns) = n_columns
                    && n_columns != cells.len()
                {
                    return Err((
                        here,
                        unequal(cells.len(), n_columns, window.is_at_end() && next == bytes.len()),
                    ));
                }
                n_columns = Some(cells.len());
                let span = Span { place: here, offset: window.offset() };
                if !take(Cells { row, cells: &cells }, row, span).map_err(|kind| (here, kind))? {
                    return Ok(());
                }
                line += line_ends(bytes.get(..next).unwrap_or_default());
                window.consume(next);
            }
        }
    }
}

fn unequal(n_cells: usize, n_columns: usize, is_last: bool) -> PullErrorKind {
    if is_last && n_cells < n_columns {
        return PullErrorKind::Truncated {
            what: format!("the last row has {n_cells} cells, the header {n_columns}"),
        };
    }
    PullErrorKind::Malformed {
        what: format!(
            "the row has {n_cells} cells, the header {n_columns}: quote cells that hold the delimiter, or export again"
        ),
    }
}

/// The delimiter that occurs most in the first line, quoted parts aside; `,` when none does.
fn guess_delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut is_quoted = false;
    for byte in bytes {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => break,
            _ if is_quoted => {}
            byte => {
                for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
                    *count += usize::from(*byte == delimiter);
                }
            }
        }
    }
    let best = counts.iter().max().copied().unwrap_or_default();
    counts
        .iter()
        .zip(DELIMITERS)
        .find(|(count, _)| **count == best)
        .map_or(b',', |(_, delimiter)| delimiter)
}

enum Split {
    /// Not all of the row is in the window.
    More,
    /// An empty line, which ends at `next`.
    Blank { next: usize },
    /// A row of `len` bytes; the next one begins at `next`.
    Row { len: usize, next: usize },
}

/// Splits the row at the beginning of `bytes`.
fn split(
    bytes: &[u8],
    delimiter: u8,
    is_last: bool,
    cells: &mut Vec<Cell>,
) -> Result<Split, PullErrorKind> {
    cells.clear();
    let mut at = 0;
    loop {
        if cells.len() == COLUMNS_MAX {
            return Err(PullErrorKind::TooLarge {
                what: format!("a row has more than {COLUMNS_MAX} cells"),
            });
        }
        let Some((cell, end)) = (if bytes.get(at) == Some(&b'"') {
            quoted(bytes, at, is_last)?
        } else {
            unquoted(bytes, at, delimiter, is_last)?
        }) else {
            return Ok(Split::More);
        };
        cells.push(cell);
        let line_end = match bytes.get(end..).unwrap_or_default() {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [b'\r'] | [] if !is_last => return Ok(Split::More),
            [b'\r'] => 1,
            [] => 0,
            [byte, ..] if *byte == delimiter => {
                at = end + 1;
                continue;
            }
            _ => {
                return Err(PullErrorKind::Malformed {
                    what: "text follows a closing quote: double the quotes inside a cell"
                        .to_owned(),
                });
            }
        };
        let next = end + line_end;
        return Ok(if end == 0 && next == 0 {
            Split::More
        } else if end == 0 {
            Split::Blank { next }
        } else {
            Split::Row { len: end, next }
        });
    }
}

/// A cell in quotes at `start`, and where what follows it begins. `None`: it goes on behind the window.
fn quoted(
    bytes: &[u8],
    start: usize,
    is_last: bool,
) -> Result<Option<(Cell, usize)>, PullErrorKind> {
    let mut at = start + 1;
    let mut has_doubled_quotes = false;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match rest.iter().position(|it| *it == b'"') {
            None if is_last => {
                return Err(PullErrorKind::Truncated {
                    what: "a quote is opened here and never closed".to_owned(),
                });
            }
            None => return Ok(None),
            Some(n) => at += n,
        }
        match bytes.get(at + 1) {
            Some(b'"') => {
                has_doubled_quotes = true;
                at += 2;
            }
            None if !is_last => return Ok(None),
            _ => return Ok(Some((Cell { start: start + 1, end: at, has_doubled_quotes }, at + 1))),
        }
    }
}

/// A cell without quotes at `start`, and where what follows it begins.
fn unquoted(
    bytes: &[u8],
    start: usize,
    delimiter: u8,
    is_last: bool,
) -> Result<Option<(Cell, usize)>, PullErrorKind> {
    let rest = bytes.get(start..).unwrap_or_default();
    let end = match rest.iter().position(|it| *it == delimiter || *it == b'\n' || *it == 0) {
        Some(n) => start + n,
        None if is_last => bytes.len(),
        None => return Ok(None),
    };
    if bytes.get(end) == Some(&0) {
        return Err(PullErrorKind::Encoding { what: "the row holds a zero byte".to_owned() });
    }
    let has_return =
        end > start && bytes.get(end - 1) == Some(&b'\r') && bytes.get(end) != Some(&delimiter);
    let end = if has_return { end - 1 } else { end };
    Ok(Some((Cell { start, end, has_doubled_quotes: false }, end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rows of `text`, or `None` when it is refused. The window is fed a byte at a time.
    fn rows(text: &str) -> Option<Vec<Vec<String>>> {
        struct Drip<'t>(&'t [u8]);
        impl Read for Drip<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(&mut buffer[..1])
            }
        }
        let mut rows = Vec::new();
        let walked = walk(&mut Window::new(Drip(text.as_bytes())), &mut |cells, row, span| {
            let start = usize::try_from(span.offset).unwrap();
            assert_eq!(&text[start..start + row.len()], row, "a row is where its span says");
            rows.push((0..cells.len()).map(|at| cells.get(at).unwrap().into_owned()).collect());
            Ok(true)
        });
        walked.is_ok().then_some(rows)
    }

    #[test]
    fn quotes_lines_and_delimiters() {
        let text = "a;b\r\n\"x;\n\"\"y\"\"\";\r\n\n1;2";
        assert_eq!(rows(text).unwrap(), [["a", "b"], ["x;\n\"y\"", ""], ["1", "2"]]);
        for refused in ["a,b\n1\n", "a,b\n\"1,2\n", "a\n\"1\"2\n", ""] {
            assert_eq!(rows(refused), None, "{refused:?}");
        }
    }

    proptest! {
        /// What is read here, the `csv` crate reads the same.
        #[test]
        fn agrees_with_the_csv_crate(pieces in prop::collection::vec(prop::sample::select(vec!["a", ",", "\n", "\r\n", "\"", "\"\"", " ", "é"]), 0..40)) {
            let text = pieces.concat();
            if let Some(rows) = rows(&text) {
                let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
                let theirs: Vec<Vec<String>> = reader.records().map(|it| it.unwrap().iter().map(str::to_owned).collect()).collect();
                prop_assert_eq!(rows, theirs);
            }
        }
    }
}
