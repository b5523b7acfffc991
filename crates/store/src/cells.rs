//! Reading a row of SQLite, cell by cell in the order of its SELECT: by place, because finding a
//! column by name costs more than reading it. A cell that we never write is corruption.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Digest, EntityId, RunId, Signature, SnapshotId, SystemId, Text};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;

/// zstd's own default.
const LEVEL: i32 = 3;

/// The cells of one row. Each call reads the next one.
pub(crate) struct Cells<'r, 's> {
    row: &'r Row<'s>,
    table: &'static str,
    key: i64,
    next: usize,
}

impl<'r, 's> Cells<'r, 's> {
    /// Starts at the first cell, which is the row's number.
    pub(crate) fn keyed(row: &'r Row<'s>, table: &'static str) -> Result<Self, StoreError> {
        let mut cells = Self { row, table, key: 0, next: 0 };
        cells.key = cells.int("id")?;
        Ok(cells)
    }

    /// The row's number, the first cell.
    pub(crate) const fn key(&self) -> i64 {
        self.key
    }

    pub(crate) const fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, key: self.key }
    }

    fn cell(&mut self, column: &'static str) -> Result<ValueRef<'r>, StoreError> {
        let cell = self.row.get_ref(self.next).map_err(|_| self.corrupt(column))?;
        self.next += 1;
        Ok(cell)
    }

    pub(crate) fn maybe_int(&mut self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.cell(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(self.corrupt(column)),
        }
    }

    pub(crate) fn int(&mut self, column: &'static str) -> Result<i64, StoreError> {
        self.maybe_int(column)?.ok_or_else(|| self.corrupt(column))
    }

    /// A number that is never negative and fits its type.
    pub(crate) fn count<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn maybe_str(
        &mut self,
        column: &'static str,
    ) -> Result<Option<&'r str>, StoreError> {
        match self.cell(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => {
                str::from_utf8(bytes).map(Some).map_err(|_| self.corrupt(column))
            }
            _ => Err(self.corrupt(column)),
        }
    }

    pub(crate) fn str(&mut self, column: &'static str) -> Result<&'r str, StoreError> {
        self.maybe_str(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn maybe_text(&mut self, column: &'static str) -> Result<Option<Text>, StoreError> {
        Ok(self.maybe_str(column)?.map(Text::from))
    }

    pub(crate) fn string(&mut self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.str(column)?.to_owned())
    }

    /// A text that is one of an enum's names.
    pub(crate) fn name<T>(
        &mut self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(self.str(column)?).ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn maybe_name<T>(
        &mut self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        match self.maybe_str(column)? {
            None => Ok(None),
            Some(name) => parse(name).map(Some).ok_or_else(|| self.corrupt(column)),
        }
    }

    /// A code that stands for one of `values`.
    pub(crate) fn code<T: Copy>(
        &mut self,
        column: &'static str,
        values: &[T],
    ) -> Result<T, StoreError> {
        crate::codes::value(values, self.int(column)?).ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn maybe_time(
        &mut self,
        column: &'static str,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        match self.maybe_int(column)? {
            None => Ok(None),
            Some(ms) => {
                DateTime::from_timestamp_millis(ms).map(Some).ok_or_else(|| self.corrupt(column))
            }
        }
    }

    pub(crate) fn time(&mut self, column: &'static str) -> Result<DateTime<Utc>, StoreError> {
        self.maybe_time(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn blob(&mut self, column: &'static str) -> Result<&'r [u8], StoreError> {
        match self.cell(column)? {
            ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(self.corrupt(column)),
        }
    }

    pub(crate) fn maybe_blob(
        &mut self,
        column: &'static str,
    ) -> Result<Option<&'r [u8]>, StoreError> {
        match self.cell(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(self.corrupt(column)),
        }
    }

    /// A blob of a known length.
    pub(crate) fn bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError> {
        self.blob(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn digest(&mut self, column: &'static str) -> Result<Digest, StoreError> {
        self.bytes(column)
    }

    pub(crate) fn system(&mut self, column: &'static str) -> Result<SystemId, StoreError> {
        SystemId::parse(self.str(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn entity(&mut self, column: &'static str) -> Result<EntityId, StoreError> {
        self.int(column).map(EntityId)
    }

    pub(crate) fn run(&mut self, column: &'static str) -> Result<RunId, StoreError> {
        self.int(column).map(RunId)
    }

    pub(crate) fn snapshot(&mut self, column: &'static str) -> Result<SnapshotId, StoreError> {
        self.int(column).map(SnapshotId)
    }

    /// Who did something, in three cells.
    pub(crate) fn signature(&mut self) -> Result<Signature, StoreError> {
        Ok(Signature {
            by: self.string("by")?,
            at: self.time("at_ms")?,
            place: self.string("place")?,
        })
    }

    /// The same of a joined table; `None`: it has no such row.
    pub(crate) fn maybe_signature(&mut self) -> Result<Option<Signature>, StoreError> {
        let (by, at) = (self.maybe_str("by")?, self.maybe_time("at_ms")?);
        let (by, place) = (by.map(str::to_owned), self.maybe_str("place")?.map(str::to_owned));
        Ok(by.zip(at).zip(place).map(|((by, at), place)| Signature { by, at, place }))
    }

    /// A text that is JSON of ours.
    pub(crate) fn json<T: DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(self.str(column)?).map_err(|_| self.corrupt(column))
    }
}

/// A time as it is written.
pub(crate) const fn ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// An optional time as it is written.
pub(crate) fn maybe_ms(time: Option<DateTime<Utc>>) -> Option<i64> {
    time.map(ms)
}

/// A cell as JSON has it; bytes are hexadecimal.
pub(crate) fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => HEXLOWER.encode(bytes).into(),
    }
}

/// JSON, compressed: for what is written with every run and hardly ever read.
pub(crate) fn packed<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        StoreError::from(rusqlite::Error::ToSqlConversionFailure(error))
    };
    let json = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
    zstd::bulk::compress(&json, LEVEL).map_err(|error| failed(error.into()))
}

/// What [`packed`] made; `None` for bytes that it never makes.
pub(crate) fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(&zstd::decode_all(bytes).ok()?).ok()
}
