//! The machine's clock.

use chrono::{DateTime, Utc};
use domain::Clock;

/// The machine's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
