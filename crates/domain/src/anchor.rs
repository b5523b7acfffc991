//! Anchors: places out of the operator's reach to which checkpoints of the ledger are taken.

use chrono::{DateTime, Utc};

use crate::{Text, named};

named! {
    /// What kind of place.
    pub enum AnchorKind {
        /// A folder that others own.
        Folder = "folder",
        /// A branch of a git repository that others keep.
        Git = "git",
        /// An authority that stamps the time (RFC 3161).
        Rfc3161 = "rfc3161",
        /// A bucket whose objects nobody can remove before their time.
        S3 = "s3",
    }
}

/// An anchor as the settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorName {
    /// Its name.
    pub name: Text,
    /// What kind of place it is.
    pub kind: AnchorKind,
}

/// How one anchor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorStand {
    /// Its name.
    pub name: Text,
    /// When it was asked for first.
    pub first_asked_at: DateTime<Utc>,
    /// When it was made last; `None`: never.
    pub last_made_at: Option<DateTime<Utc>>,
    /// Why the newest try failed; `None`: it did not, or there was none.
    pub why: Option<String>,
}
