//! The canonical bytes of a row: as it is kept, and over which its hash goes.
//!
//! One row has one form, and one form is of one row: a version byte, the code of the list, then
//! every modelled field in the order of its domain type, key included.
//!
//! | field | bytes |
//! |---|---|
//! | code of an enum | 1 byte (`codes.rs`) |
//! | count | seven bits a byte, the lowest first; the high bit says that more follow |
//! | text | count of its bytes, then UTF-8 |
//! | time | milliseconds since 1970 as 8 bytes, big-endian |
//! | list | count of its items, then the items |
//! | optional | `0`, or `1` and the value |
//! | address | `0`, `1` and the value, or `2` where it is the user name |
//!
//! Volatile fields (`Account::last_used_at`) are not in it. A change of this form gets a new
//! version byte.

use chrono::{DateTime, Utc};
use domain::{Raw, Text};
use rustc_hash::FxHashSet;

/// Version of the form.
const VERSION: u8 = 1;

/// In place of an address that is the user name.
const SAME: u8 = 2;

/// Writes the canonical bytes of one row after the other into one buffer.
pub(crate) struct Canon {
    bytes: Vec<u8>,
}

impl Canon {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::with_capacity(512) }
    }

    /// Begins a row of the list with this code.
    pub(crate) fn begin(&mut self, list: u8) {
        self.bytes.clear();
        self.bytes.extend([VERSION, list]);
    }

    pub(crate) fn code(&mut self, code: u8) {
        self.bytes.push(code);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend(text.as_bytes());
    }

    pub(crate) fn maybe_text(&mut self, text: Option<&str>) {
        match text {
            None => self.bytes.push(0),
            Some(text) => {
                self.bytes.push(1);
                self.text(text);
            }
        }
    }

    pub(crate) fn time(&mut self, time: DateTime<Utc>) {
        self.bytes.extend(time.timestamp_millis().to_be_bytes());
    }

    pub(crate) fn maybe_time(&mut self, time: Option<DateTime<Utc>>) {
        match time {
            None => self.bytes.push(0),
            Some(time) => {
                self.bytes.push(1);
                self.time(time);
            }
        }
    }

    pub(crate) fn maybe_list(&mut self, items: Option<&[Raw]>) {
        match items {
            None => self.bytes.push(0),
            Some(items) => {
                self.bytes.push(1);
                self.count(items.len());
                items.iter().for_each(|it| self.text(it));
            }
        }
    }

    /// An address: mostly the user name again, and half the bytes.
    pub(crate) fn email(&mut self, email: Option<&Text>, user_name: Option<&Text>) {
        if email.is_some() && email == user_name {
            self.bytes.push(SAME);
        } else {
            self.maybe_text(email.map(|it| &**it));
        }
    }

    /// The number of bytes or items that follow.
    pub(crate) fn count(&mut self, n: usize) {
        put_count(&mut self.bytes, n as u64);
    }

    /// The bytes of the row begun last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes a count behind other bytes.
pub(crate) fn put_count(bytes: &mut Vec<u8>, mut n: u64) {
    loop {
        let [low, ..] = n.to_le_bytes();
        n >>= 7;
        if n == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

/// Takes a count off the front; `None` for bytes that are none.
pub(crate) fn take_count(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

/// Reads canonical bytes. Each call reads the next field; `None` for bytes that are not of this
/// form.
pub(crate) struct Fields<'b, 'p> {
    bytes: &'b [u8],
    pool: &'p mut Pool,
}

impl<'b, 'p> Fields<'b, 'p> {
    /// The fields of a row of the list with this code; `None` for any other row.
    pub(crate) fn of(bytes: &'b [u8], list: u8, pool: &'p mut Pool) -> Option<Self> {
        let bytes = bytes.strip_prefix(&[VERSION, list])?;
        Some(Self { bytes, pool })
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Option<()> {
        self.bytes.is_empty().then_some(())
    }

    pub(crate) fn code(&mut self) -> Option<u8> {
        let (code, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*code)
    }

    /// A code that stands for one of `values`.
    pub(crate) fn value<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        crate::codes::value(values, i64::from(self.code()?))
    }

    pub(crate) fn count(&mut self) -> Option<usize> {
        usize::try_from(take_count(&mut self.bytes)?).ok()
    }

    pub(crate) fn str(&mut self) -> Option<&'b str> {
        let n = self.count()?;
        let (text, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        str::from_utf8(text).ok()
    }

    pub(crate) fn text(&mut self) -> Option<Text> {
        self.str().map(Text::from)
    }

    /// A value of few kinds, shared by the rows that carry it.
    pub(crate) fn raw(&mut self) -> Option<Raw> {
        let text = self.str()?;
        Some(self.pool.keep(text))
    }

    pub(crate) fn time(&mut self) -> Option<DateTime<Utc>> {
        let (ms, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        DateTime::from_timestamp_millis(i64::from_be_bytes(*ms))
    }

    /// An optional value, read by `read`.
    pub(crate) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.code()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    pub(crate) fn maybe_text(&mut self) -> Option<Option<Text>> {
        self.maybe(Self::text)
    }

    pub(crate) fn maybe_raw(&mut self) -> Option<Option<Raw>> {
        self.maybe(Self::raw)
    }

    pub(crate) fn maybe_time(&mut self) -> Option<Option<DateTime<Utc>>> {
        self.maybe(Self::time)
    }

    /// An address beside this user name.
    pub(crate) fn email(&mut self, user_name: Option<&Text>) -> Option<Option<Text>> {
        match self.bytes.first() {
            Some(&SAME) => {
                self.code()?;
                user_name.map(|it| Some(it.clone()))
            }
            _ => self.maybe_text(),
        }
    }

    /// A list, each item read by `read`.
    pub(crate) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Not reserved by the count: it may be a damaged one.
        (0..self.count()?).map(|_| read(self)).collect()
    }

    pub(crate) fn maybe_list(&mut self) -> Option<Option<Vec<Raw>>> {
        self.maybe(|it| it.list(Self::raw))
    }
}

/// Values of few kinds (statuses, roles), each kept once for all the rows that are read.
#[derive(Default)]
pub(crate) struct Pool {
    met: FxHashSet<Raw>,
}

impl Pool {
    fn keep(&mut self, text: &str) -> Raw {
        if let Some(raw) = self.met.get(text) {
            return Raw::clone(raw);
        }
        let raw: Raw = text.into();
        self.met.insert(Raw::clone(&raw));
        raw
    }
}
