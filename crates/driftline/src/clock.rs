//! The machine's clock: the one place where the program asks it.

use chrono::{DateTime, Utc};
use domain::Clock;

/// The machine's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
        Utc::now()
    }
}
