//! Should the account be on?

use crate::named;

named! {
    /// Whether a person should have access to an app.
    pub enum Right {
        /// Yes.
        Entitled = "entitled",
        /// No: deactivated, disabled or deleted at the source, or left by HR.
        Leaver = "leaver",
        /// No: the end date has passed, and nothing else says so.
        Expired = "expired",
        /// No: employed, and not assigned to this app.
        Unassigned = "unassigned",
        /// Not for now.
        Suspended = "suspended",
        /// Not yet: staged, unactivated, or the start is ahead.
        NotYet = "not_yet",
        /// Was known at a source that cannot be asked again, and is gone from it.
        SourceGone = "source_gone",
        /// Could not be seen, or says something that no mapping knows.
        Unknown = "unknown",
    }
}
