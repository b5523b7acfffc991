//! Whom the random names of the ledger stand for, set against the facts beside the entries that have
//! them. Never changes either.

use ledger::{Broken, EntryHead};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::StoreError;

/// All random names, each with the name of the fact that says whom it stands for, and what it says.
pub(crate) struct Subjects {
    known: FxHashMap<String, (String, String)>,
}

impl Subjects {
    pub(crate) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement =
            connection.prepare("SELECT name, kind, system, key FROM ledger_subject")?;
        let mut rows = statement.query([])?;
        let mut known = FxHashMap::default();
        while let Some(row) = rows.next()? {
            let (kind, system, key): (String, String, String) =
                (row.get(1)?, row.get(2)?, row.get(3)?);
            let whom = match &*kind {
                "person" => ("by".to_owned(), key),
                _ => (kind, format!("{system}/{key}")),
            };
            known.insert(row.get(0)?, whom);
        }
        Ok(Self { known })
    }

    /// Whether the names in an entry stand for whom the facts beside it say. `Some`: one stands for
    /// nobody any more, as after an erasure.
    ///
    /// # Errors
    ///
    /// [`Broken::Name`] where one stands for somebody else.
    pub(crate) fn check(
        &self,
        head: &EntryHead<'_>,
        facts: &[(String, Value)],
    ) -> Result<Option<Broken>, Broken> {
        let by = (head.actor != "driftline").then_some((head.actor, &["by"][..]));
        let about = head.subject.map(|it| (it, &["account", "identity"][..]));
        for (name, told_as) in by.into_iter().chain(about) {
            let told = |kind: &str| facts.iter().find(|it| it.0 == kind).map(|it| &it.1);
            let known = self.known.get(name);
            match known.and_then(|(kind, whom)| Some((told(kind)?, whom))) {
                Some((told, whom)) if told == whom => {}
                Some(_) => return Err(Broken::Name { seq: head.seq }),
                None if told_as.iter().all(|it| told(it).is_none()) => {}
                None => return Ok(Some(Broken::Name { seq: head.seq })),
            }
        }
        Ok(None)
    }
}
