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

/// A duration known to lie between two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// At least.
    pub at_least: TimeDelta,
    /// At most; `None` where nothing bounds it.
    pub at_most: Option<TimeDelta>,
}

/// How long access remained after it should have ended, until it was seen to be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToDeactivate {
    /// Stretches of exposure that were seen to end.
    pub n: u64,
    /// Since when they ended.
    pub since: DateTime<Utc>,
    /// The median.
    pub p50: Span,
    /// So long, or less, in 95 of 100.
    pub p95: Span,
    /// The longest.
    pub max: Span,
}

/// One stretch of exposure. True removal lies in `(last_seen_active, first_seen_inactive]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// When it began: when the right ended, exact where the source says so (both sides equal), else
    /// between two looks. Where the account was made later, as the app says, perhaps only then.
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
