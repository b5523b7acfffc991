//! A leaver as an entry of the ledger tells of them, with the facts that are disclosed beside it:
//! what a row of the population is made of, and checked against.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ledger::digest_of;
use serde::Deserialize;
use serde_json::Value;

use crate::{Erasures, EvidenceError};

/// A leaver as an entry tells of them.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaverLeaf {
    /// The entry's place in the ledger.
    pub entry: u64,
    /// The random name that stands for them.
    pub subject: String,
    /// What the entry says in clear.
    pub body: Body,
    /// Disclosed facts, by name; what was not disclosed, or was erased, is not there.
    pub facts: BTreeMap<String, Value>,
    /// When and by which entry whatever named them was erased, in words; `None`: it was not.
    pub erased: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    seq: u64,
    subject: String,
    body: Body,
    #[serde(rename = "_sd")]
    digests: BTreeSet<String>,
}

/// The body of such an entry. Times are RFC 3339 texts, as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Body {
    /// The app.
    pub app: String,
    /// Which employment, from 1.
    pub episode: u32,
    /// Which leave of that employment, from 1.
    #[serde(default = "first")]
    pub leave: u32,
    /// How it ended.
    pub kind: String,
    /// Who says so.
    pub said_by: Vec<SaidBy>,
    /// HR's last day.
    pub hr_termination_at: Option<String>,
    /// The IdP deactivated the identity.
    pub idp_deactivated_at: Option<String>,
    /// The IdP took the app away.
    pub idp_unassigned_at: Option<String>,
    /// The stated end date.
    pub stated_end_at: Option<String>,
    /// When access should have ended, by the clock of the policy.
    pub started: Interval,
    /// Their accounts.
    pub accounts: Vec<Account>,
    /// Was it in time?
    pub sla: Sla,
    /// The entries by which people decided that accounts are not theirs whose keys name them.
    #[serde(default)]
    pub decisions: Vec<u64>,
    /// When a run saw first that they had left.
    pub found_at: String,
    /// When the app was first judged, and they had left by then.
    pub found_at_begin: Option<String>,
    /// When they were seen with the right again.
    pub returned_at: Option<String>,
}

const fn first() -> u32 {
    1
}

/// A source that says that somebody left.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SaidBy {
    /// Which.
    pub system: String,
    /// HR's list (`leavers`) or users of an identity provider.
    pub list: String,
    /// Since when.
    pub at: Option<String>,
    /// When a run first saw that it says otherwise; `None`: it still says so.
    #[serde(default)]
    pub taken_back_at: Option<String>,
    /// When a run last saw them back after this source had said so before, in the same employment;
    /// `None`: none did.
    #[serde(default)]
    pub was_back_at: Option<String>,
}

/// Bounds of a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interval {
    /// At the earliest.
    pub earliest: Option<String>,
    /// At the latest.
    pub latest: Option<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Was it on when it was seen last?
    pub activity: String,
    /// The key that makes it theirs; `None`: not certain.
    pub linked_by: Option<String>,
    /// When it was on and off.
    pub stretches: Vec<Stretch>,
    /// Numbers of findings.
    pub findings: Vec<String>,
}

/// A time in which an account was on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Stretch {
    /// When it should have ended.
    pub started: Interval,
    /// The last look that showed it on.
    pub last_seen_active: Option<String>,
    /// The first that showed it off.
    pub first_seen_inactive: Option<String>,
}

/// The result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sla {
    /// The word.
    pub outcome: String,
    /// Which clock.
    pub clock: String,
    /// The deadline.
    pub deadline_at: Option<String>,
    /// The limit, in words.
    pub limit: String,
    /// Version of the policy.
    pub policy_version: u32,
    /// Why.
    pub because: String,
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    text.parse().ok()
}

impl LeaverLeaf {
    /// Reads an entry with what is disclosed of it.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::NotALeaver`] when it is none, or a disclosure is not one of its own.
    pub fn read(
        at: u64,
        entry: &[u8],
        disclosures: &[impl AsRef<str>],
    ) -> Result<Self, EvidenceError> {
        let wrong = || EvidenceError::NotALeaver(at);
        let written: Written = serde_json::from_slice(entry).map_err(|_| wrong())?;
        let is_leaver = matches!(&*written.kind, "leaver.found" | "leaver.changed");
        if !is_leaver || written.seq != at {
            return Err(wrong());
        }
        let mut facts = BTreeMap::new();
        for disclosure in disclosures {
            if !written.digests.contains(&digest_of(disclosure.as_ref())) {
                return Err(wrong());
            }
            let (name, value) = ledger::disclosed(disclosure.as_ref()).ok_or_else(wrong)?;
            facts.insert(name, value);
        }
        let Written { subject, body, .. } = written;
        Ok(Self { entry: at, subject, body, facts, erased: None })
    }

    /// The same, with what later entries say of an erasure.
    #[must_use]
    pub fn after(mut self, erasures: &Erasures) -> Self {
        self.erased = erasures.of_subject(&self.subject);
        self
    }

    /// What they are called in the bag: a name of a file, and of nobody. Of the first leave of an
    /// employment the number of that alone stands in it.
    #[must_use]
    pub fn id(&self) -> String {
        let Self { subject, body: Body { episode, leave, .. }, .. } = self;
        match leave {
            1 => format!("{subject}-{episode}"),
            _ => format!("{subject}-{episode}.{leave}"),
        }
    }

    /// Their row of the population, in the order of [`crate::COLUMNS`].
    #[must_use]
    pub fn row(&self) -> Vec<String> {
        crate::population::row(self)
    }

    /// A disclosed fact that is a text; `None`: it is not disclosed, or unknown.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name)?.as_str()
    }

    /// A disclosed fact that is a list of texts.
    #[must_use]
    pub fn facts_of(&self, name: &str) -> Vec<&str> {
        let list = self.facts.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether the leave is one of a period, as [`domain::Leaver::is_in`] says: it began before its end,
    /// and was not seen to be over before it began. A time that cannot be read is one of any.
    #[must_use]
    pub fn is_in(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let Body { started, found_at, accounts, returned_at, .. } = &self.body;
        let began = started.earliest.as_ref().or(started.latest.as_ref()).unwrap_or(found_at);
        let (Some(began), returned) = (time(began), returned_at.as_deref().and_then(time)) else {
            return true;
        };
        let off = |it: &Account| time(it.stretches.last()?.first_seen_inactive.as_deref()?);
        let ended = accounts.iter().try_fold(began, |ended, it| Some(off(it)?.max(ended)));
        began < to && ended.or(returned).is_none_or(|it| it >= from)
    }

    /// Whether HR says that they left, and whether an identity provider does.
    #[must_use]
    pub fn said(&self) -> (bool, bool) {
        let still = self.body.said_by.iter().filter(|it| it.taken_back_at.is_none());
        let (hr, idp): (Vec<_>, Vec<_>) = still.partition(|it| it.list == "leavers");
        (!hr.is_empty(), !idp.is_empty())
    }
}
