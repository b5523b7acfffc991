//! Whom the random names of the ledger stand for, set against the facts beside the entries that have
//! them. Never changes either.

use ledger::{Broken, EntryHead};
use rusqlite::{Connection, OptionalExtension as _, Statement};
use serde_json::Value;

use crate::StoreError;

/// Looks up random names.
pub(crate) struct Subjects<'c> {
    select: Statement<'c>,
}

impl<'c> Subjects<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let select =
            connection.prepare("SELECT kind, system, key FROM ledger_subject WHERE name = ?1")?;
        Ok(Self { select })
    }

    /// Whether the names in an entry stand for whom the facts beside it say. `Some`: one stands for
    /// nobody any more, as after an erasure.
    ///
    /// # Errors
    ///
    /// [`Broken::Name`] where one stands for somebody else.
    pub(crate) fn check(
        &mut self,
        head: &EntryHead<'_>,
        facts: &[(String, Value)],
    ) -> Result<Option<Broken>, StoreError> {
        let by = (head.actor != "driftline").then_some((head.actor, &["by"][..]));
        let about = head.subject.map(|it| (it, &["account", "identity"][..]));
        for (name, told_as) in by.into_iter().chain(about) {
            let told = |kind: &str| facts.iter().find(|it| it.0 == kind).map(|it| &it.1);
            let known = self.look_up(name)?;
            match known.as_ref().and_then(|(kind, whom)| Some((told(kind)?, whom))) {
                Some((told, whom)) if told == whom => {}
                Some(_) => return Err(Broken::Name { seq: head.seq }.into()),
                None if told_as.iter().all(|it| told(it).is_none()) => {}
                None => return Ok(Some(Broken::Name { seq: head.seq })),
            }
        }
        Ok(None)
    }

    /// Whom a random name stands for: the name of the fact that says so, and what it says.
    fn look_up(&mut self, name: &str) -> Result<Option<(String, String)>, StoreError> {
        let found: Option<(String, String, String)> = self
            .select
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        Ok(found.map(|(kind, system, key)| match &*kind {
            "person" => ("by".to_owned(), key),
            _ => (kind, format!("{system}/{key}")),
        }))
    }
}
