//! One turn of the schedule: a time at which a run was due, and what it stands in for.

use chrono::{DateTime, Utc};

/// A run that the schedule asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When it was due: the newest due time that had passed when it began.
    pub due: DateTime<Utc>,
    /// When it began. Due times up to here need no run any more.
    pub began: DateTime<Utc>,
    /// Due times before [`Turn::due`] that no run was done for.
    pub n_missed: u32,
    /// The first of them; `None`: none was missed.
    pub first_missed: Option<DateTime<Utc>>,
    /// The schedule in force when it began, as text. One before may have asked for it.
    pub schedule: String,
}
