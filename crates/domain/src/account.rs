//! One login in an app.

use chrono::{DateTime, Utc};

use crate::{Raw, Text, named, same_name};

/// One login in an app, as one channel showed it. `T` are its texts, `R` its words of few kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account<T = Text, R = Raw> {
    /// The app's immutable id (SCIM `id`), compared exactly; without ids, the user name or address.
    pub id: T,
    /// SCIM `externalId`, compared exactly.
    pub external_id: Option<T>,
    /// SCIM `userName`, as written.
    pub user_name: Option<T>,
    /// The primary e-mail address, as written.
    pub email: Option<T>,
    /// Employee number (SCIM enterprise extension `employeeNumber`).
    pub employee_number: Option<T>,
    /// What people call them. Never a key.
    pub display_name: Option<T>,
    /// The `active` flag, exactly as it came over the wire.
    pub active: ActiveFlag<R>,
    /// Whether an invitation is open.
    pub invitation: Invitation,
    /// The app's own status word (Secureframe `personnel_status`); `None` when it has none.
    pub raw_status: Option<R>,
    /// What the app says set `active` (Secureframe `active_source`).
    pub active_source: Option<R>,
    /// Roles inside the app. `None`: the app does not show them. Empty: it shows there are none.
    pub roles: Option<Vec<R>>,
    /// Groups inside the app, likewise.
    pub groups: Option<Vec<R>>,
    /// When the app says the person's time ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// When the app says the account was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When the app says the account last changed (SCIM `meta.lastModified`). Supporting data only.
    pub modified_at: Option<DateTime<Utc>>,
    /// Last sign-in. Volatile: kept apart, and no reason for a new version of the row.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl<T: AsRef<str>, R> Account<T, R> {
    /// Returns true when `name` is the account's id, or its user name or address, case-folded.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        let names = [&self.user_name, &self.email].into_iter().flatten();
        self.id.as_ref() == name || names.into_iter().any(|it| same_name(it.as_ref(), name))
    }
}

/// The four states of `active` on the wire. RFC 7643 gives it no default, so
/// what was not said stays not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActiveFlag<R = Raw> {
    /// `true` or `false`, also as text (`"False"`).
    Set(bool),
    /// JSON `null`, or an empty cell.
    Null,
    /// The member, or the column, is not there.
    Absent,
    /// Something else, kept as written.
    Unparseable(R),
}

named! {
    /// Whether an invitation to the app is open.
    pub enum Invitation {
        /// Sent, and not yet accepted.
        Pending = "pending",
        /// Accepted.
        Accepted = "accepted",
        /// Sent once; the app does not say whether it was accepted.
        Sent = "sent",
        /// None was ever sent.
        NotSent = "not_sent",
        /// The app says nothing of invitations.
        NotStated = "not_stated",
    }
}
