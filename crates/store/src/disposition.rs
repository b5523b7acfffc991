//! What people say of findings. Each word is saved with what it does, or not at all.

use domain::{Disposition, Finding, FindingEvent, FindingId, Word};
use ledger::Event;
use rusqlite::{Connection, params};

use crate::cells::{Cells, maybe_ms, ms};
use crate::{FindingChanges, Refusal, Store, StoreError, entry, finding};

/// A person's word, and what becomes of its finding.
#[derive(Clone, Debug)]
pub struct Disposal {
    /// The word.
    pub said: Disposition,
    /// The finding as it was when the word was weighed.
    pub before: Finding,
    /// The finding as it is now.
    pub after: Finding,
    /// What happened to it.
    pub event: FindingEvent,
}

impl Store {
    /// Saves people's words: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`Refusal::Changed`] when a finding is not any more as it was when the word was weighed;
    /// [`StoreError`] when they cannot be saved.
    pub async fn dispose(&self, disposals: Vec<Disposal>) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("save what was said of findings", move |connection| {
            let mut events = Vec::new();
            for disposal in &disposals {
                save(connection, disposal)?;
                let Disposal { said, after, event, .. } = disposal;
                events.extend(Event::said(event, after, &said.said, &said.reason));
            }
            entry::append(connection, signer.as_deref(), events).map(drop)
        })
        .await
    }

    /// What people said of one finding, oldest first. Empty for a number that no finding has.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn dispositions(&self, finding: FindingId) -> Result<Vec<Disposition>, StoreError> {
        self.read("read what was said of a finding", move |connection| select(connection, finding))
            .await
    }
}

fn save(connection: &Connection, disposal: &Disposal) -> Result<(), StoreError> {
    let Disposal { said, before, after, event } = disposal;
    if finding::one(connection, said.finding)?.as_ref() != Some(before) {
        return Err(Refusal::Changed(said.finding).into());
    }
    connection
        .prepare_cached(
            "INSERT INTO disposition (finding, word, reason, by, at_ms, place, until_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            said.finding.0,
            said.word.name(),
            said.reason,
            said.said.by,
            ms(said.said.at),
            said.said.place,
            maybe_ms(said.until),
        ])?;
    let changed = vec![after.clone()];
    finding::save(connection, &FindingChanges { changed, ..FindingChanges::default() })?;
    finding::insert_events(connection, std::slice::from_ref(event))
}

fn select(connection: &Connection, finding: FindingId) -> Result<Vec<Disposition>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, word, reason, by, at_ms, place, until_ms FROM disposition
         WHERE finding = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([finding.0])?;
    let mut said = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "disposition")?;
        said.push(Disposition {
            finding,
            word: cells.name("word", Word::parse)?,
            reason: cells.string("reason")?,
            said: cells.signature()?,
            until: cells.maybe_time("until_ms")?,
        });
    }
    Ok(said)
}
