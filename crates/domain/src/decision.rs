//! What people decided: whose account it is, what is accepted for a while, and what they say of a
//! finding.

use chrono::{DateTime, Utc};

use crate::{Cause, FindingId, Fingerprint, Folded, SystemId, Text, named};

/// A person's decision on whose account it is. Final, and silences conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The app.
    pub app: SystemId,
    /// The account's id.
    pub account: Text,
    /// The IdP and the identity's id there.
    pub identity: (SystemId, Text),
    /// Is it theirs, or is it not?
    pub is_owner: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// The entry of the ledger that tells of it; `None`: it is not saved yet, or a version that did
    /// not keep that saved it.
    pub entry: Option<u64>,
}

/// A finding accepted for a while. In force once approved by somebody else than who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its number.
    pub id: i64,
    /// Which finding, over its reopenings.
    pub fingerprint: Fingerprint,
    /// The cause it was asked for: another cause voids it.
    pub cause: Cause,
    /// Employment it was asked for: a new one voids it.
    pub episode: u32,
    /// Why.
    pub reason: String,
    /// Who asked, when, and on which machine.
    pub requested: Signature,
    /// Who approved; `None` while it waits.
    pub approved: Option<Signature>,
    /// When it ends. Mandatory.
    pub expires_at: DateTime<Utc>,
    /// When changed facts made it void; `None` while they hold.
    pub voided_at: Option<DateTime<Utc>>,
}

impl Waiver {
    /// Returns true when it holds at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.approved.is_some() && self.voided_at.is_none() && now < self.expires_at
    }
}

named! {
    /// What a person says of one finding.
    pub enum Word {
        /// I have it, until a date.
        Acknowledge = "acknowledge",
        /// It never was one.
        FalsePositive = "false_positive",
        /// It is over, although nothing can show that.
        Close = "close",
        /// What was said before does not hold any more.
        Reopen = "reopen",
    }
}

/// A person's word on one finding. Counts at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// Which finding.
    pub finding: FindingId,
    /// What they say.
    pub word: Word,
    /// Why; empty only for an acknowledgement, which needs no reason.
    pub reason: String,
    /// Who says it.
    pub said: Signature,
    /// When an acknowledgement ends; `None` for all other words.
    pub until: Option<DateTime<Utc>>,
}

/// Who did something, when and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name they gave, or the login of the machine.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Login and host.
    pub place: String,
}

impl Signature {
    /// Whether it is of whom a name is: in whatever letters, two people have two names.
    #[must_use]
    pub fn is_by(&self, name: &str) -> bool {
        Folded::new(&self.by) == Folded::new(name)
    }
}
