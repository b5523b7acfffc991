//! One user of one identity provider.

use chrono::{DateTime, Utc};

use crate::{Raw, Text, named};

/// One user of one IdP, as a list or a `GET` by id showed them. `T` are its texts, `R` its words of few
/// kinds: owned, or borrowed from where the row lies packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<T = Text, R = Raw> {
    /// The source's immutable id, compared exactly; for a source without ids, the login.
    pub id: T,
    /// The sign-in name (Okta `profile.login`, Entra `userPrincipalName`, OneLogin `username`).
    pub user_name: Option<T>,
    /// The primary e-mail address, as written.
    pub email: Option<T>,
    /// Employee number. An immutable key where the settings say so.
    pub employee_number: Option<T>,
    /// On-premises immutable id (Entra `onPremisesImmutableId`).
    pub immutable_id: Option<T>,
    /// What people call them. Never a key.
    pub display_name: Option<T>,
    /// Member or guest.
    pub kind: IdentityKind,
    /// What `raw_status` means.
    pub lifecycle: Lifecycle,
    /// The status as the source wrote it; `None` when it wrote none.
    pub raw_status: Option<R>,
    /// When the source says the identity was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When the source says the status last changed; in a list of the deleted, when it deleted them.
    /// `None` is unknown.
    pub status_changed_at: Option<DateTime<Utc>>,
    /// The first instant of access; `None` when none is stated.
    pub starts_at: Option<DateTime<Utc>>,
    /// The instant at which access ends (a date counts to its end, in its zone).
    pub ends_at: Option<DateTime<Utc>>,
}

impl Identity {
    /// Returns true when `status_changed_at` of somebody who has left is when they left. A list of the
    /// deleted has no status: it says when they were deleted, and they may have been switched off
    /// before (Microsoft Graph v1.0, `deletedDateTime` of `user`).
    #[must_use]
    pub const fn dates_leave(&self) -> bool {
        self.raw_status.is_some()
    }
}

named! {
    /// Whether an identity belongs to the house.
    pub enum IdentityKind {
        /// One of the directory's own.
        Member = "member",
        /// Invited from elsewhere: matched by object id, then by mail.
        Guest = "guest",
    }
}

named! {
    /// Where an identity stands in its life, mapped from the raw status.
    pub enum Lifecycle {
        /// May sign in, or could after a reset.
        Active = "active",
        /// Blocked for now; expected back.
        Suspended = "suspended",
        /// Made and not yet in use.
        NotYet = "not_yet",
        /// Deactivated, disabled or deleted.
        Left = "left",
        /// The source does not know the lifecycle (an assignment list).
        NotStated = "not_stated",
        /// The source says something that no mapping knows. Never guessed.
        Unknown = "unknown",
    }
}
