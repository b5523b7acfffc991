//! What people decided: whose account it is, and what is accepted for a while.

use chrono::{DateTime, Utc};

use crate::{Cause, Fingerprint, SystemId, Text};

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
