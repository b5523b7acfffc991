//! Lists that the settings ask for, and that nobody ever saw whole.

use chrono::{DateTime, Utc};

use crate::{List, SystemId};

/// A list that was asked for, and that no run saw whole so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Whose list.
    pub system: SystemId,
    /// Which one; `None`: it failed before anybody could see what it is a list of.
    pub list: Option<List>,
    /// When a run asked for it first.
    pub since: DateTime<Utc>,
}
