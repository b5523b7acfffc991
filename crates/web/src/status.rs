//! What a daemon says of itself: what it waits for, and how its last tries ended.

use chrono::{DateTime, Utc};
use domain::Text;

/// What a daemon says of itself. The rest is in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// When the run that goes on began; `None`: none does.
    pub running_since: Option<DateTime<Utc>>,
    /// When the next run begins; `None`: not known yet, or never.
    pub next_run: Option<DateTime<Utc>>,
    /// Runs since the daemon began that failed, or whose report was not written.
    pub n_failed: u64,
    /// A sentence on how the last run failed, or why its report was not written; `None`: all went
    /// well.
    pub failed: Option<String>,
    /// Why the settings of the last reload are not in force; `None`: they are.
    pub bad_settings: Option<String>,
    /// How long the last run took, in milliseconds; `None` before the first.
    pub took_ms: Option<u64>,
    /// When the heartbeat was last heard; `None`: not since the daemon began.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// Heartbeats that were not heard since the daemon began.
    pub n_unheard: u64,
    /// The channels by which people are told, as the settings in force have them.
    pub channels: Vec<Text>,
    /// Those of them that get the report of each run.
    pub report_to: Vec<Text>,
    /// Where checkpoints are taken out of reach, as the settings in force have it.
    pub anchors: Vec<Text>,
}
