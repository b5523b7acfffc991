//! Values of few kinds, written once: statuses, roles, groups.

use domain::{Raw, Text};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::StoreError;
use crate::cells::Cells;

/// All words there are, and those not yet written.
#[derive(Default)]
pub(crate) struct Words {
    texts: FxHashMap<i64, Raw>,
    ids: FxHashMap<Raw, i64>,
    fresh: Vec<i64>,
    last: i64,
}

impl Words {
    /// Reads them all.
    pub(crate) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut words = Self::default();
        let mut statement = connection.prepare_cached("SELECT id, text FROM word")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut cells = Cells::keyed(row, "word")?;
            let text = Raw::from(cells.str("text")?);
            words.add(cells.key(), text);
        }
        Ok(words)
    }

    fn add(&mut self, id: i64, text: Raw) {
        self.last = self.last.max(id);
        self.texts.insert(id, Raw::clone(&text));
        self.ids.insert(text, id);
    }

    /// The word of that number, shared.
    pub(crate) fn get(&self, id: i64) -> Option<Raw> {
        self.texts.get(&id).cloned()
    }

    /// The number of a word; a new one is written by [`Words::save`].
    pub(crate) fn id(&mut self, text: &str) -> i64 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.last + 1;
        self.add(id, text.into());
        self.fresh.push(id);
        id
    }

    /// The number of an optional word.
    pub(crate) fn maybe_id(&mut self, text: Option<&Raw>) -> Option<i64> {
        text.map(|it| self.id(it))
    }

    /// The number of a list of texts, written as a JSON array.
    pub(crate) fn list_id(&mut self, items: Option<&[Raw]>) -> Option<i64> {
        let items = items?;
        if items.is_empty() {
            return Some(self.id("[]"));
        }
        let texts: Vec<&str> = items.iter().map(|it| &**it).collect();
        Some(self.id(&serde_json::Value::from(texts).to_string()))
    }

    /// The number of a list of `[id, name]`, written as a JSON array.
    pub(crate) fn groups_id(&mut self, groups: &[(&Text, Option<&Text>)]) -> i64 {
        let pairs: Vec<serde_json::Value> = groups
            .iter()
            .map(|(id, name)| serde_json::Value::from(vec![Some(&***id), name.map(|it| &**it)]))
            .collect();
        self.id(&serde_json::Value::from(pairs).to_string())
    }

    /// Writes the new ones.
    pub(crate) fn save(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut insert =
            connection.prepare_cached("INSERT INTO word (id, text) VALUES (?1, ?2)")?;
        for id in self.fresh.drain(..) {
            insert.execute(params![id, self.texts.get(&id).map(|it| &**it)])?;
        }
        Ok(())
    }
}
