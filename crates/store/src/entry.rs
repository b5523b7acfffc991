//! Appending to the ledger, in the transaction that saves what the entries tell of.
//!
//! The right edge of the tree stands beside the newest checkpoint, so no entry is read but those
//! about keys. Whether the past is what was written is checked elsewhere.

use std::panic::resume_unwind;
use std::thread;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Digest, RunId};
use ledger::{
    Actor, Broken, Checkpoint, Edge, Event, KeyRing, LedgerError, Note, Sealed, SecretKey, Who,
    seal,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap;

use crate::StoreError;
use crate::cells::Cells;

/// What signs checkpoints.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) key: SecretKey,
    /// The key before, as long as it is in force: who trusts that one alone can go on checking.
    pub(crate) previous: Option<SecretKey>,
}

impl Signer {
    /// The keys that sign: both while the one before is in force. Says whether the key itself has
    /// to be announced.
    fn keys<'k>(&'k self, end: &End<'_>) -> Result<(Vec<&'k SecretKey>, bool), LedgerError> {
        let is_new = end.ring.is_new(&end.origin, self.key.public())?;
        let mut keys = vec![&self.key];
        if let Some(previous) = &self.previous {
            match end.ring.is_new(&end.origin, previous.public()) {
                Ok(false) => keys.push(previous),
                // One that was never announced has nobody who trusts it.
                Ok(true) | Err(LedgerError::KeyRevoked { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((keys, is_new))
    }
}

/// Appends events under a checkpoint that `signer` signs, and returns the place of the first of them.
/// The first key that signs is announced first. Nothing is written when there are no events.
///
/// # Errors
///
/// [`StoreError::Ledger`] when the head is not what was written: nothing may be built on it.
/// [`StoreError::Entry`] when the key is not the one that has to sign.
pub(crate) fn append(
    connection: &Connection,
    signer: Option<&Signer>,
    mut events: Vec<Event>,
) -> Result<u64, StoreError> {
    let Some(first) = events.first() else { return Ok(0) };
    let end = End::open(connection)?;
    let (mut before, keys) = announced(&end, signer, (first.at, first.run))?;
    let place = end.edge.size() + before.len() as u64;
    before.append(&mut events);
    end.write(before, &keys)?;
    Ok(place)
}

/// Announces a key that is named and not yet known, so that what there is gets a signature.
///
/// # Errors
///
/// As [`append`].
pub(crate) fn announce(
    connection: &Connection,
    signer: Option<&Signer>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let end = End::open(connection)?;
    match announced(&end, signer, (at, None))? {
        (before, keys) if !before.is_empty() && !keys.is_empty() => end.write(before, &keys),
        _ => Ok(()),
    }
}

/// What has to be said before anything else, and the keys that sign.
fn announced<'k>(
    end: &End<'_>,
    signer: Option<&'k Signer>,
    (at, run): (DateTime<Utc>, Option<RunId>),
) -> Result<(Vec<Event>, Vec<&'k SecretKey>), StoreError> {
    let mut before = Vec::new();
    let first_run = first_run(end.connection)?;
    if end.edge.size() == 0 && first_run > RunId(1) {
        before.push(Event::runs_before(RunId(first_run.0 - 1), at, run));
    }
    let Some(signer) = signer else { return Ok((before, Vec::new())) };
    let (keys, is_new) = signer.keys(end)?;
    if is_new {
        before.push(Event::first_key(signer.key.public(), at, run));
    }
    Ok((before, keys))
}

/// The place that the next event gets, so that what it tells of can name it.
///
/// # Errors
///
/// As [`append`].
pub(crate) fn next_place(
    connection: &Connection,
    signer: Option<&Signer>,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let end = End::open(connection)?;
    Ok(end.edge.size() + announced(&end, signer, (at, None))?.0.len() as u64)
}

/// Appends what is said of keys, under a checkpoint that all of `keys` sign.
///
/// # Errors
///
/// As [`append`].
pub(crate) fn append_keys(
    connection: &Connection,
    keys: &[&SecretKey],
    events: Vec<Event>,
) -> Result<(), StoreError> {
    End::open(connection)?.write(events, keys)
}

/// The end of the ledger, where it goes on.
struct End<'c> {
    connection: &'c Connection,
    origin: String,
    edge: Edge,
    ring: KeyRing,
    random: Random<'c>,
    /// Random names that this batch asked for.
    names: FxHashMap<Who, String>,
}

impl<'c> End<'c> {
    fn open(connection: &'c Connection) -> Result<Self, StoreError> {
        let edge = edge(connection)?;
        let last: Option<i64> =
            connection.query_row("SELECT max(seq) FROM ledger_entry", [], |row| row.get(0))?;
        // Behind the last checkpoint stands only what was put there from outside.
        if last.is_some_and(|it| it.cast_unsigned() >= edge.size()) {
            return Err(Broken::Unchecked { seq: edge.size() }.into());
        }
        let origin = origin(connection)?;
        let ring = ring(connection, &origin)?;
        let random = Random { connection, bytes: Vec::new() };
        Ok(Self { connection, origin, edge, ring, random, names: FxHashMap::default() })
    }

    /// Writes entries, and the checkpoint over all that there are then.
    fn write(mut self, events: Vec<Event>, keys: &[&SecretKey]) -> Result<(), StoreError> {
        let before = self.ring.clone();
        self.seal_and_insert(events)?;
        let public: Vec<_> = keys.iter().map(|it| it.public()).collect();
        self.ring.check_signers(&before, &public)?;
        let (size, root) = (self.edge.size(), self.edge.root());
        let mut note = Note::new(Checkpoint { origin: self.origin, size, root }.to_string());
        keys.iter().for_each(|it| note.sign(it));
        self.connection
            .prepare_cached("INSERT INTO checkpoint (size, peaks, note) VALUES (?1, ?2, ?3)")?
            .execute(params![
                size.cast_signed(),
                self.edge.peaks().as_flattened(),
                note.to_string()
            ])?;
        Ok(())
    }

    /// While a stretch of entries is inserted, another thread seals the next one.
    fn seal_and_insert(&mut self, events: Vec<Event>) -> Result<(), StoreError> {
        let mut events = (self.edge.size()..).zip(events).peekable();
        let mut sealed = seal_all(self.drafts(events.by_ref().take(STRETCH))?);
        thread::scope(|scope| {
            while events.peek().is_some() {
                let drafts = self.drafts(events.by_ref().take(STRETCH))?;
                let sealing = scope.spawn(|| seal_all(drafts));
                self.insert(sealed)?;
                sealed = sealing.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
            self.insert(sealed)
        })
    }

    /// What it takes to seal these events, by their places.
    fn drafts(
        &mut self,
        events: impl Iterator<Item = (u64, Event)>,
    ) -> Result<Vec<Draft>, StoreError> {
        let draft = |(seq, event): (u64, Event)| {
            let actor = match &event.actor {
                Actor::Driftline => "driftline".to_owned(),
                Actor::Person(name) => self.name(&Who::person(name))?,
            };
            let subject = event.subject.as_ref().map(|it| self.name(it)).transpose()?;
            // As many as it takes, so that what gives them can fail before they are asked for.
            let n = 1 + event.facts.len();
            self.random.provide(n)?;
            let random = (0..n).map(|_| self.random.take()).collect();
            Ok(Draft { event, seq, actor, subject, random })
        };
        events.map(draft).collect()
    }

    fn insert(&mut self, sealed: Vec<SealedEntry>) -> Result<(), StoreError> {
        let mut insert_entry = self.connection.prepare_cached(
            "INSERT INTO ledger_entry (seq, kind, hash, entry) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut insert_fact = self
            .connection
            .prepare_cached("INSERT INTO disclosure (entry, nth, text) VALUES (?1, ?2, ?3)")?;
        for (kind, sealed) in sealed {
            let (seq, sealed) = (self.edge.size(), sealed?);
            let taken = self.ring.take(&self.origin, seq, kind, &sealed.entry);
            taken.ok_or(Broken::Key { seq })?;
            let seq = seq.cast_signed();
            insert_entry.execute(params![seq, kind, &sealed.hash[..], sealed.entry])?;
            for (nth, text) in (0_i64..).zip(&sealed.disclosures) {
                insert_fact.execute(params![seq, nth, text])?;
            }
            self.edge.push(sealed.hash);
        }
        Ok(())
    }

    /// The random name that stands for somebody; a new one at first mention.
    fn name(&mut self, who: &Who) -> Result<String, StoreError> {
        if let Some(name) = self.names.get(who) {
            return Ok(name.clone());
        }
        let found: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT name FROM ledger_subject WHERE kind = ?1 AND system = ?2 AND key = ?3",
            )?
            .query_row(params![who.kind, who.system, who.key], |row| row.get(0))
            .optional()?;
        let name = match found {
            Some(name) => name,
            None => self.named(who)?,
        };
        self.names.insert(who.clone(), name.clone());
        Ok(name)
    }

    fn named(&mut self, who: &Who) -> Result<String, StoreError> {
        self.random.provide(1)?;
        let random = HEXLOWER.encode(&self.random.take());
        let name = format!("sub_{random}");
        self.connection
            .prepare_cached(
                "INSERT INTO ledger_subject (name, kind, system, key) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![name, who.kind, who.system, who.key])?;
        Ok(name)
    }
}

/// Entries that are sealed at once. Nearly every run has fewer.
const STRETCH: usize = 1024;

/// An event, and all that is not in it of its entry.
struct Draft {
    event: Event,
    seq: u64,
    actor: String,
    subject: Option<String>,
    /// One for the nonce and for each fact.
    random: Vec<[u8; 16]>,
}

/// The kind of an entry, and the entry.
type SealedEntry = (&'static str, Result<Sealed, LedgerError>);

fn seal_all(drafts: Vec<Draft>) -> Vec<SealedEntry> {
    let seal = |it: Draft| {
        let mut random = it.random.into_iter();
        let random = &mut || random.next().expect("there is one for each fact");
        let who = (&*it.actor, it.subject.as_deref());
        (it.event.kind.name(), seal(&it.event, it.seq, who, random))
    };
    drafts.into_iter().map(seal).collect()
}

/// Random bytes from SQLite, which has them from the system.
struct Random<'c> {
    connection: &'c Connection,
    bytes: Vec<u8>,
}

impl Random<'_> {
    /// Makes sure that there are `n` times 16 bytes to take.
    fn provide(&mut self, n: usize) -> Result<(), StoreError> {
        /// Bytes at a time: a batch of some hundred entries.
        const LOAD: usize = 16 * 1024;
        let n_bytes = 16 * n;
        if self.bytes.len() < n_bytes {
            let load = i64::try_from(LOAD.max(n_bytes)).unwrap_or(i64::MAX);
            let mut statement = self.connection.prepare_cached("SELECT randomblob(?1)")?;
            self.bytes = statement.query_row([load], |row| row.get(0))?;
        }
        Ok(())
    }

    fn take(&mut self) -> [u8; 16] {
        let (rest, taken) = self.bytes.split_last_chunk().expect("`provide` was asked for enough");
        let (n, taken) = (rest.len(), *taken);
        self.bytes.truncate(n);
        taken
    }
}

/// The right edge beside the newest checkpoint, which must be that of the checkpoint.
fn edge(connection: &Connection) -> Result<Edge, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT size, peaks, note FROM checkpoint ORDER BY size DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(Edge::default()) };
    let mut cells = Cells::keyed(row, "checkpoint")?;
    let size = cells.key().cast_unsigned();
    let edge = edge_of(size, cells.blob("peaks")?);
    let root = Note::parse(cells.str("note")?)
        .and_then(|it| Checkpoint::parse(it.text()))
        .map(|it| it.root);
    edge.filter(|it| root == Ok(it.root())).ok_or_else(|| Broken::Checkpoint { size }.into())
}

/// The right edge as it is kept.
pub(crate) fn edge_of(size: u64, peaks: &[u8]) -> Option<Edge> {
    let (peaks, rest) = peaks.as_chunks::<32>();
    if rest.is_empty() { Edge::new(size, peaks.to_vec()) } else { None }
}

/// The keys that entries announce and revoke.
pub(crate) fn ring(connection: &Connection, origin: &str) -> Result<KeyRing, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, kind, entry FROM ledger_entry WHERE kind IN ('key.added', 'key.revoked')
         ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    let mut ring = KeyRing::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "ledger_entry")?;
        let seq = cells.key().cast_unsigned();
        let taken = ring.take(origin, seq, cells.str("kind")?, cells.blob("entry")?);
        taken.ok_or(Broken::Key { seq })?;
    }
    Ok(ring)
}

/// The name of the ledger.
pub(crate) fn origin(connection: &Connection) -> Result<String, StoreError> {
    String::from_utf8(meta(connection, "ledger_origin")?).map_err(|_| corrupt())
}

/// The first run that has an entry; those before it were when there was no ledger.
pub(crate) fn first_run(connection: &Connection) -> Result<RunId, StoreError> {
    let text = String::from_utf8(meta(connection, "ledger_first_run")?).map_err(|_| corrupt())?;
    text.parse().map(RunId).map_err(|_| corrupt())
}

fn meta(connection: &Connection, key: &str) -> Result<Vec<u8>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    statement.query_row([key], |row| row.get(0)).optional()?.ok_or_else(corrupt)
}

const fn corrupt() -> StoreError {
    StoreError::Corrupt { table: "meta", column: "value", key: 0 }
}

/// The hash of each entry, in order, as it is kept.
pub(crate) fn hashes(connection: &Connection, size: u64) -> Result<Vec<Digest>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT seq, hash FROM ledger_entry WHERE seq < ?1 ORDER BY seq")?;
    let mut rows = statement.query([size.cast_signed()])?;
    let mut hashes = Vec::new();
    while let Some(row) = rows.next()? {
        hashes.push(Cells::keyed(row, "ledger_entry")?.bytes("hash")?);
    }
    Ok(hashes)
}
