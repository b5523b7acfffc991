//! What others ask of the ledger: its head, its entries and hashes, and what is done with its keys.

use chrono::{DateTime, Utc};
use std::ops::Range;
use std::sync::Arc;

use domain::{Digest, FailedRuns, Signature};
use ledger::{Basis, Event, KeyStanding, Note, PublicKey, SecretKey};
use rusqlite::{Connection, OptionalExtension as _};

use crate::cells::Cells;
use crate::entry::Signer;
use crate::{Store, StoreError, entry};

impl Store {
    /// The same store, with a key that signs what it appends to the ledger from now on.
    #[must_use]
    pub fn signed_by(self, key: SecretKey) -> Self {
        self.signed(Signer { key, previous: None })
    }

    /// The same store, with a key that signs and the one before it, which signs besides while it
    /// is in force.
    #[must_use]
    pub fn signed_by_both(self, key: SecretKey, previous: SecretKey) -> Self {
        self.signed(Signer { key, previous: Some(previous) })
    }

    fn signed(mut self, signer: Signer) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// The name of the ledger.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn ledger_origin(&self) -> Result<String, StoreError> {
        self.read("read the name of the ledger", entry::origin).await
    }

    /// The newest checkpoint, as it was written; `None`: the ledger has no entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it is not one; otherwise what disks do.
    pub async fn ledger_head(&self) -> Result<Option<Note>, StoreError> {
        self.read("read the head of the ledger", head).await
    }

    /// How many entries the ledger has, by its newest checkpoint.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn ledger_size(&self) -> Result<u64, StoreError> {
        self.read("read the size of the ledger", |connection| {
            let sql = "SELECT coalesce(max(size), 0) FROM checkpoint";
            let size: i64 = connection.query_row(sql, [], |row| row.get(0))?;
            Ok(u64::try_from(size).unwrap_or(0))
        })
        .await
    }

    /// The keys of the ledger, in the order in which they were announced.
    ///
    /// # Errors
    ///
    /// [`StoreError::Ledger`] when an entry about a key says what cannot be; otherwise what disks
    /// do.
    pub async fn ledger_keys(&self) -> Result<Vec<KeyStanding>, StoreError> {
        self.read("read the keys of the ledger", |connection| {
            Ok(entry::ring(connection, &entry::origin(connection)?)?.keys().to_vec())
        })
        .await
    }

    /// The hashes of the first `size` entries, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when one is none; otherwise what disks do.
    pub async fn ledger_hashes(&self, size: u64) -> Result<Vec<Digest>, StoreError> {
        self.read("read the ledger", move |connection| entry::hashes(connection, size)).await
    }

    /// The entries of a range, in order, as they were written. Fewer where there are no more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when one is none; otherwise what disks do.
    pub async fn ledger_entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read("read the ledger", move |connection| entries(connection, range)).await
    }

    /// The entries of a type among the first `size`, with their places.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when one is none; otherwise what disks do.
    pub async fn ledger_entries_of(
        &self,
        kind: &'static str,
        size: u64,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.read("read the ledger", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, entry FROM ledger_entry WHERE kind = ?1 AND seq < ?2 ORDER BY seq",
            )?;
            let entries = statement.query_map((kind, size.cast_signed()), |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
            })?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// What entry `at` has digests of, as far as it was not erased; in order.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn disclosures(&self, at: u64) -> Result<Vec<String>, StoreError> {
        self.read("read the facts beside an entry", move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT text FROM disclosure WHERE entry = ?1 ORDER BY nth")?;
            let texts = statement.query_map([at.cast_signed()], |row| row.get(0))?;
            Ok(texts.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Tells the ledger of evidence that was put into a bag.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    pub async fn add_export(&self, exported: Event) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("tell the ledger of a bag", move |connection| {
            entry::append(connection, signer.as_deref(), vec![exported]).map(drop)
        })
        .await
    }

    /// Announces the key that signs, if nothing has been signed with it. A run does so by itself.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    pub async fn announce_ledger_key(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("announce the key", move |connection| {
            entry::announce(connection, signer.as_deref(), at)
        })
        .await
    }

    /// Announces a new key, under the signatures of the present one and of the new one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Entry`] when the present key is not there to sign; otherwise as
    /// [`Store::commit`].
    pub async fn add_ledger_key(&self, new: SecretKey, by: Signature) -> Result<(), StoreError> {
        let present = self.signer.clone();
        self.write("announce a key", move |connection| {
            let events = vec![Event::key_added(new.public(), &by)];
            let present = present.as_deref().map(|it| &it.key);
            let keys: Vec<&SecretKey> = present.into_iter().chain([&new]).collect();
            entry::append_keys(connection, &keys, events)
        })
        .await
    }

    /// Revokes a key. Where another one is in force, that one has to sign.
    ///
    /// # Errors
    ///
    /// [`StoreError::Entry`] when it is not there to sign; [`StoreError::Ledger`] when the key is
    /// not in force; otherwise as [`Store::commit`].
    pub async fn revoke_ledger_key(
        &self,
        key: PublicKey,
        reason: String,
        by: Signature,
    ) -> Result<(), StoreError> {
        let present = self.signer.clone();
        self.write("revoke a key", move |connection| {
            let events = vec![Event::key_revoked(&key, &reason, &by)];
            let present = present.as_deref().map(|it| &it.key);
            entry::append_keys(connection, present.as_slice(), events)
        })
        .await
    }

    /// Tells the ledger of runs that failed, in a transaction of its own: theirs is not there.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`]: nothing is told then.
    pub async fn add_failed_runs(&self, failed: FailedRuns) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("save that a run failed", move |connection| {
            entry::append(connection, signer.as_deref(), vec![Event::run_failed(&failed)]).map(drop)
        })
        .await
    }

    /// What the newest run was run with; `None` before the first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn latest_basis(&self) -> Result<Option<Basis>, StoreError> {
        self.read("read what the last run was run with", basis).await
    }
}

fn head(connection: &Connection) -> Result<Option<Note>, StoreError> {
    let sql = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1";
    let found: Option<(i64, String)> =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((key, note)) = found else { return Ok(None) };
    let corrupt = |_| StoreError::Corrupt { table: "checkpoint", column: "note", key };
    Note::parse(&note).map(Some).map_err(corrupt)
}

fn entries(connection: &Connection, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, entry FROM ledger_entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq",
    )?;
    let mut rows = statement.query([range.start.cast_signed(), range.end.cast_signed()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(Cells::keyed(row, "ledger_entry")?.blob("entry")?.to_vec());
    }
    Ok(entries)
}

fn basis(connection: &Connection) -> Result<Option<Basis>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, software, settings_digest, policy_version FROM run ORDER BY id DESC LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "run")?;
    Ok(Some(Basis {
        software: cells.string("software")?,
        settings: cells.digest("settings_digest")?,
        policy_version: cells.count("policy_version")?,
    }))
}
