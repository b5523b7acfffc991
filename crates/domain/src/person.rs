//! One human, and one employment.

use chrono::{DateTime, Utc};

/// The number of an episode within one deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpisodeId(pub i64);

/// One employment of one identity, from first sight. Clocks, waivers and findings of an
/// episode do not carry over to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Counts from 1 for each identity.
    pub number: u32,
    /// When it was first seen.
    pub began_at: DateTime<Utc>,
    /// When it was seen to have ended; `None` while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
}
