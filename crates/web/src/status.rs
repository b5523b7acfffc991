//! What a daemon says of itself: what it waits for, and how its last tries ended.

use chrono::{DateTime, Utc};

/// What a daemon says of itself. The rest is in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// When the run that goes on began; `None`: none does.
    pub running_since: Option<DateTime<Utc>>,
    /// When the next run begins; `None`: not known yet, or never.
    pub next_run: Option<DateTime<Utc>>,
    /// Runs that failed since the daemon began: nothing of them was saved.
    pub n_failed: u64,
    /// Why the last run failed; `None`: it did not.
    pub failed: Option<String>,
    /// Why the settings of the last reload are not in force; `None`: they are.
    pub bad_settings: Option<String>,
    /// How long the last run took, in milliseconds; `None` before the first.
    pub took_ms: Option<u64>,
    /// When the heartbeat was last heard; `None`: not since the daemon began.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// Heartbeats that were not heard since the daemon began.
    pub n_unheard: u64,
}
