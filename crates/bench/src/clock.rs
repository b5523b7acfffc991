//! The machine's clock.

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::Clock;

/// The machine's time, to the millisecond: as the program keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}
