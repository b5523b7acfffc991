//! Runs and the daemon's loop under paused time, with a clock in hand and a real store.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod attend;
mod clock;
mod gaps;
mod plain;
mod year;
