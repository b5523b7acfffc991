//! Who was erased since, as entries of the ledger tell: so that a leaver of whom nothing is disclosed
//! any more is not taken for one who had no name and no account.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The type of the entries that tell of erasures.
const KIND: &str = "erasure.done";

/// By which entry a random name was erased, and on which day.
#[derive(Clone, Debug, Default)]
pub struct Erasures(BTreeMap<String, (u64, String)>);

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    at: String,
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    subjects: Vec<String>,
}

impl Erasures {
    /// Reads them out of entries and their places.
    #[must_use]
    pub fn of<'e>(entries: impl IntoIterator<Item = (u64, &'e [u8])>) -> Self {
        let mut erased = BTreeMap::new();
        for (at, entry) in entries {
            let told: Option<Written> = serde_json::from_slice(entry).ok();
            let Some(told) = told.filter(|it| it.kind == KIND) else { continue };
            let day = told.at.get(..10).unwrap_or_default().to_owned();
            let subjects = told.body.subjects.into_iter();
            erased.extend(subjects.map(|it| (it, (at, day.clone()))));
        }
        Self(erased)
    }

    /// In words, when and by which entry a random name was erased; `None`: it was not.
    #[must_use]
    pub fn of_subject(&self, subject: &str) -> Option<String> {
        let (entry, day) = self.0.get(subject)?;
        Some(format!("erased on {day} by entry {entry}"))
    }
}
