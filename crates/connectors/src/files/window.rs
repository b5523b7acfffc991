//! A sliding window over a stream of bytes: rows are parsed in place, in bounded
//! memory, and borrowed from it. Never holds more than two rows' worth of bytes.

use std::io::{self, Read};

use super::limits::{ROW_BYTES_MAX, WINDOW_BYTES};

/// The part of a stream that is in memory.
pub(crate) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the unread bytes begin in `buffer`.
    start: usize,
    /// Where they end.
    end: usize,
    /// Where they begin in the stream.
    offset: u64,
    is_at_end: bool,
}

/// What a call for more bytes brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// More bytes.
    More,
    /// The stream is at its end.
    End,
    /// The window is full, and its reader has not consumed a single row.
    RowTooLong,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, offset: 0, is_at_end: false }
    }

    /// The unread bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the unread bytes begin in the stream.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// True when the unread bytes are the last.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Marks the first `n` unread bytes as read.
    pub(crate) fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Reads more bytes behind the unread ones, and grows while a row needs it.
    pub(crate) fn fill(&mut self) -> io::Result<Fill> {
        if self.is_at_end {
            return Ok(Fill::End);
        }
        let n_unread = self.end - self.start;
        if n_unread > ROW_BYTES_MAX {
            return Ok(Fill::RowTooLong);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, n_unread);
        let wanted = WINDOW_BYTES.max(n_unread * 2);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < self.buffer.len() {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(free) {
                Ok(0) => {
                    self.is_at_end = true;
                    break;
                }
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if self.end > n_unread { Fill::More } else { Fill::End })
    }
}

/// How many line ends there are. Counts in bytes, 255 at a time, which the compiler makes fast.
pub(crate) fn line_ends(bytes: &[u8]) -> u64 {
    bytes
        .chunks(255)
        .map(|chunk| u64::from(chunk.iter().map(|it| u8::from(*it == b'\n')).sum::<u8>()))
        .sum()
}
