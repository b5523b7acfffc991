//! Time comes in through here, and nowhere else.

use chrono::{DateTime, TimeDelta, Utc};

/// The clocks of two systems differ by less, or somebody should look at them.
pub const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::minutes(5);

/// Tells the time. The program has the machine's; a run over a dated night has that night's.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;

    /// The time by the machine: of a dated night, when it is judged.
    fn by_machine(&self) -> DateTime<Utc> {
        self.now()
    }
}

/// A clock that stands still: the time of a dated night, or the moment at which systems were asked.
#[derive(Clone, Copy, Debug)]
pub struct At(pub DateTime<Utc>);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
