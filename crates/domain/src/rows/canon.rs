//! The canonical bytes of a row: as it is kept, in memory and in the database, and over which its
//! hash goes.
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
use rustc_hash::FxHashSet;

use super::codes;
use crate::{List, Raw, Text};

/// Version of the form.
const VERSION: u8 = 1;

/// In place of an address that is the user name.
const SAME: u8 = 2;

/// Writes the canonical bytes of a row behind others.
#[derive(Debug)]
pub struct Canon<'b> {
    bytes: &'b mut Vec<u8>,
}

impl<'b> Canon<'b> {
    /// Begins a row of this list.
    pub(super) fn begin(bytes: &'b mut Vec<u8>, list: List) -> Self {
        bytes.extend([VERSION, codes::code(codes::LISTS, &list)]);
        Self { bytes }
    }

    #[inline]
    pub(super) fn code(&mut self, code: u8) {
        self.bytes.push(code);
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend(text.as_bytes());
    }

    pub(super) fn maybe_text(&mut self, text: Option<&impl AsRef<str>>) {
        match text {
            None => self.bytes.push(0),
            Some(text) => {
                self.bytes.push(1);
                self.text(text.as_ref());
            }
        }
    }

    #[inline]
    pub(super) fn time(&mut self, time: DateTime<Utc>) {
        self.bytes.extend(time.timestamp_millis().to_be_bytes());
    }

    #[inline]
    pub(super) fn maybe_time(&mut self, time: Option<DateTime<Utc>>) {
        match time {
            None => self.bytes.push(0),
            Some(time) => {
                self.bytes.push(1);
                self.time(time);
            }
        }
    }

    pub(super) fn maybe_list(&mut self, items: Option<&[impl AsRef<str>]>) {
        match items {
            None => self.bytes.push(0),
            Some(items) => {
                self.bytes.push(1);
                self.count(items.len());
                items.iter().for_each(|it| self.text(it.as_ref()));
            }
        }
    }

    /// An address: mostly the user name again, and half the bytes.
    pub(super) fn email<T: AsRef<str>>(&mut self, email: Option<&T>, user_name: Option<&T>) {
        let is_same =
            email.is_some_and(|it| user_name.is_some_and(|of| of.as_ref() == it.as_ref()));
        if is_same { self.bytes.push(SAME) } else { self.maybe_text(email) }
    }

    /// The number of bytes or items that follow.
    #[inline]
    pub(super) fn count(&mut self, n: usize) {
        put_count(self.bytes, n as u64);
    }
}

/// Writes a count behind other bytes.
#[inline]
pub fn put_count(bytes: &mut Vec<u8>, mut n: u64) {
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
#[inline]
pub fn take_count(bytes: &mut &[u8]) -> Option<u64> {
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

/// What becomes of texts that are read.
pub trait Words<'b> {
    /// Of a text of its own.
    type Text: Clone;
    /// Of a value of few kinds.
    type Raw;

    /// Takes a text of its own; `None` for bytes that are none.
    fn text(&mut self, bytes: &'b [u8]) -> Option<Self::Text>;

    /// Takes a value of few kinds; `None` for bytes that are none.
    fn raw(&mut self, bytes: &'b [u8]) -> Option<Self::Raw>;
}

/// Texts are borrowed from the bytes.
#[derive(Debug)]
pub struct AsItLies;

impl<'b> Words<'b> for AsItLies {
    type Text = &'b str;
    type Raw = &'b str;

    fn text(&mut self, bytes: &'b [u8]) -> Option<&'b str> {
        str::from_utf8(bytes).ok()
    }

    fn raw(&mut self, bytes: &'b [u8]) -> Option<&'b str> {
        self.text(bytes)
    }
}

/// Texts are borrowed as bytes, of which nobody looks whether they are UTF-8, and values of few kinds
/// are passed over: what has to look at every row of a list compares keys.
#[derive(Debug)]
pub struct Skim;

impl<'b> Words<'b> for Skim {
    type Text = &'b [u8];
    type Raw = ();

    fn text(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        Some(bytes)
    }

    fn raw(&mut self, _: &'b [u8]) -> Option<()> {
        Some(())
    }
}

/// Values of few kinds (statuses, roles), each kept once for all the rows that are read.
#[derive(Debug, Default)]
pub struct Pool {
    met: FxHashSet<Raw>,
}

impl<'b> Words<'b> for &mut Pool {
    type Text = Text;
    type Raw = Raw;

    fn text(&mut self, bytes: &'b [u8]) -> Option<Text> {
        str::from_utf8(bytes).ok().map(Text::from)
    }

    fn raw(&mut self, bytes: &'b [u8]) -> Option<Raw> {
        let text = str::from_utf8(bytes).ok()?;
        if let Some(raw) = self.met.get(text) {
            return Some(Raw::clone(raw));
        }
        let raw: Raw = text.into();
        self.met.insert(Raw::clone(&raw));
        Some(raw)
    }
}

/// Reads canonical bytes. Each call reads the next field; `None` for bytes that are not of this
/// form.
#[derive(Debug)]
pub struct Fields<'b, W> {
    bytes: &'b [u8],
    words: W,
}

impl<'b, W: Words<'b>> Fields<'b, W> {
    /// The fields of a row of this list; `None` for any other row.
    pub(super) fn of(bytes: &'b [u8], list: List, words: W) -> Option<Self> {
        let bytes = bytes.strip_prefix(&[VERSION, codes::code(codes::LISTS, &list)])?;
        Some(Self { bytes, words })
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.bytes.is_empty().then_some(())
    }

    pub(super) fn code(&mut self) -> Option<u8> {
        let (code, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*code)
    }

    /// A code that stands for one of `values`.
    pub(super) fn value<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        codes::value(values, i64::from(self.code()?))
    }

    fn counted(&mut self) -> Option<&'b [u8]> {
        let n = usize::try_from(take_count(&mut self.bytes)?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(text)
    }

    pub(super) fn text(&mut self) -> Option<W::Text> {
        let bytes = self.counted()?;
        self.words.text(bytes)
    }

    /// A value of few kinds.
    pub(super) fn raw(&mut self) -> Option<W::Raw> {
        let bytes = self.counted()?;
        self.words.raw(bytes)
    }

    pub(super) fn time(&mut self) -> Option<DateTime<Utc>> {
        let (ms, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        DateTime::from_timestamp_millis(i64::from_be_bytes(*ms))
    }

    /// An optional value, read by `read`.
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.code()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    pub(super) fn maybe_text(&mut self) -> Option<Option<W::Text>> {
        self.maybe(Self::text)
    }

    pub(super) fn maybe_raw(&mut self) -> Option<Option<W::Raw>> {
        self.maybe(Self::raw)
    }

    pub(super) fn maybe_time(&mut self) -> Option<Option<DateTime<Utc>>> {
        self.maybe(Self::time)
    }

    /// An address beside this user name.
    pub(super) fn email(&mut self, user_name: Option<&W::Text>) -> Option<Option<W::Text>> {
        match self.bytes.first() {
            Some(&SAME) => {
                self.code()?;
                user_name.map(|it| Some(it.clone()))
            }
            _ => self.maybe_text(),
        }
    }

    /// A list, each item read by `read`.
    pub(super) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Not reserved by the count: it may be a damaged one.
        let n = usize::try_from(take_count(&mut self.bytes)?).ok()?;
        (0..n).map(|_| read(self)).collect()
    }

    pub(super) fn maybe_list(&mut self) -> Option<Option<Vec<W::Raw>>> {
        self.maybe(|it| it.list(Self::raw))
    }
}
