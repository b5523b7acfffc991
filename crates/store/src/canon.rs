//! The canonical bytes of a row, over which its hash goes.
//!
//! One row has one form, and one form is of one row: a version byte, the code of the list, then
//! every modelled field in the order of its domain type, key included.
//!
//! | field | bytes |
//! |---|---|
//! | code of an enum | 1 byte (`codes.rs`) |
//! | text | length as 4 bytes, big-endian, then UTF-8 |
//! | time | milliseconds since 1970 as 8 bytes, big-endian |
//! | list | number of items as 4 bytes, big-endian, then the items |
//! | optional | `0`, or `1` and the value |
//!
//! Volatile fields (`Account::last_used_at`) are not in it. A change of this form gets a new
//! version byte.

use chrono::{DateTime, Utc};
use domain::Raw;

/// Version of the form.
const VERSION: u8 = 1;

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

    /// The number of bytes or items that follow. Saturates: no row of ours has four billion.
    pub(crate) fn count(&mut self, n: usize) {
        self.bytes.extend(u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes());
    }

    /// The bytes of the row begun last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
