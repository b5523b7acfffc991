//! An entry of the ledger, as tables and events read it.

use domain::Cause;
use ledger::{EntryHead, Order, Untimely};
use serde::Deserialize;
use serde_json::Value;

/// An entry of the ledger.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// What happened: the name of a [`ledger::Kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// When, as it is written: RFC 3339 in UTC.
    pub at: String,
    /// The place that it says it has.
    pub seq: u64,
    /// Who did it: `driftline`, or the random name of a person.
    #[serde(default)]
    pub actor: String,
    /// The random name of whom it is about; `None`: nobody alone.
    #[serde(default)]
    pub subject: Option<String>,
    /// What it says in clear.
    pub body: Value,
}

impl Entry {
    /// Reads one; `None`: it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Reads the one of this place; `None`: it is none, or one of another place.
    #[must_use]
    pub fn read(place: u64, bytes: &[u8]) -> Option<Self> {
        Self::parse(bytes).filter(|it| it.seq == place)
    }

    /// What its body says; `None`: it is of another form.
    #[must_use]
    pub fn says<T: for<'d> Deserialize<'d>>(&self) -> Option<T> {
        T::deserialize(&self.body).ok()
    }

    /// Whether it tells all that is known of a leaver, so that what is new of it depends on those
    /// before.
    #[must_use]
    pub fn is_of_leaver(&self) -> bool {
        matches!(&*self.kind, "leaver.found" | "leaver.changed")
    }

    /// Whether it tells of a finding of the app that sources disagree whether somebody left.
    #[must_use]
    pub fn is_of_dispute(&self, app: &str) -> bool {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str);
        self.kind.starts_with("finding.")
            && text("app") == Some(app)
            && text("cause") == Some(Cause::SourcesDisagree.name())
    }

    /// Whether a person decided by it whose an account is.
    #[must_use]
    pub fn is_decision(&self) -> bool {
        self.kind == "match.changed" && self.is_by_person()
    }

    /// Whether a person did it, and not a run.
    #[must_use]
    pub fn is_by_person(&self) -> bool {
        self.actor.starts_with("sub_")
    }
}

/// The entries of a bag that say an earlier time than a run ahead of them.
pub(crate) fn untimely<'e>(entries: impl Iterator<Item = (u64, &'e [u8])>) -> Vec<Untimely> {
    let mut order = Order::default();
    let heads = entries.filter_map(|(at, it)| EntryHead::parse(it).filter(|it| it.seq == at));
    heads.filter_map(|it| order.take(it.seq, it.kind, it.at.parse().ok()?)).collect()
}
