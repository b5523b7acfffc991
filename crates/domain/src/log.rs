//! What the log of a source says happened to people's access.

use chrono::{DateTime, Utc};

use crate::{Text, named};

/// One thing that happened to one person's access, as the source's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// The source's id of the event.
    pub id: Text,
    /// When it happened, by the source's clock.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: LogEventKind,
    /// The user, by the IdP's id.
    pub identity: Text,
}

named! {
    /// What can happen to a person's access.
    pub enum LogEventKind {
        /// Deactivated or deleted.
        Left = "left",
        /// Suspended.
        Suspended = "suspended",
        /// Active again.
        Returned = "returned",
        /// Lost the app.
        Unassigned = "unassigned",
        /// Got the app.
        Assigned = "assigned",
        /// The IdP told the app to switch the account off, and the app said yes.
        Pushed = "pushed",
        /// The IdP told the app to switch the account off, and it failed.
        PushFailed = "push_failed",
    }
}
