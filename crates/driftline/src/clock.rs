//! The machine's clock: the one place where the program asks it.

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::Clock;

/// The machine's time, to the millisecond: as times are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
        Utc::now().trunc_subsecs(3)
    }
}
