//! The company's clock: it begins where it is told, goes with tokio's time, and can be put forward.
//! Whoever judges the company must go by it too, or tokens and rate windows make no sense.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use domain::Clock;
use tokio::time::Instant;

/// A clock of its own. Tests that pause tokio's time pause it too.
#[derive(Debug)]
pub struct SimClock {
    began: Instant,
    epoch: Mutex<DateTime<Utc>>,
}

impl SimClock {
    /// A clock that shows `epoch` now.
    #[must_use]
    pub fn starting_at(epoch: DateTime<Utc>) -> Self {
        Self { began: Instant::now(), epoch: Mutex::new(epoch) }
    }

    /// Puts the clock forward, or back where `by` is negative. Nobody waits for it.
    pub fn advance(&self, by: TimeDelta) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for SimClock {
    fn now(&self) -> DateTime<Utc> {
        let gone = TimeDelta::from_std(self.began.elapsed()).unwrap_or(TimeDelta::MAX);
        let epoch = *self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        let now = epoch.checked_add_signed(gone).unwrap_or(DateTime::<Utc>::MAX_UTC);
        now.trunc_subsecs(3) // As the program's own clock.
    }
}
