//! Time comes in through here, and nowhere else.

use chrono::{DateTime, Utc};

/// Tells the time. The program has the machine's; a run over a dated night has that night's.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}
