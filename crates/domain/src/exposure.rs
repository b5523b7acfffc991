//! How long somebody had access who should not have had it: bounds, never a guess.

use chrono::{DateTime, TimeDelta, Utc};

/// A time known to lie between two others, both included. `None` is unbounded on that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// At the earliest.
    pub earliest: Option<DateTime<Utc>>,
    /// At the latest.
    pub latest: Option<DateTime<Utc>>,
}

/// One stretch of exposure. True removal lies in `(last_seen_active, first_seen_inactive]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// When the right ended: exact when the source says so (both sides equal), else between two looks.
    pub started: Interval,
    /// The last look that showed the account on; `None` when it never was seen on.
    pub last_seen_active: Option<DateTime<Utc>>,
    /// The first later look that showed it off; `None` while it is on.
    pub first_seen_inactive: Option<DateTime<Utc>>,
}

impl Exposure {
    /// The shortest exposure that fits what was seen; zero when it may not have happened at all.
    #[must_use]
    pub fn at_least(&self) -> TimeDelta {
        match (self.started.latest, self.last_seen_active) {
            (Some(start), Some(seen)) => (seen - start).max(TimeDelta::zero()),
            _ => TimeDelta::zero(),
        }
    }

    /// The longest exposure that fits what was seen; `None` when it has no bound (yet).
    #[must_use]
    pub fn at_most(&self) -> Option<TimeDelta> {
        Some((self.first_seen_inactive? - self.started.earliest?).max(TimeDelta::zero()))
    }
}
