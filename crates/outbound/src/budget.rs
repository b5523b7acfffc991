//! What one pull may still take, pages and waits, and how far the two clocks are apart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

use crate::{Limits, OutboundErrorKind};

/// Pages and waits of one pull, counted over all its readers.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Spent>);

#[derive(Debug, Default)]
struct Spent {
    pages: u32,
    waits: Duration,
    /// The smallest skew of all answers: what is slow to arrive makes it larger, never smaller.
    clock_skew: Option<TimeDelta>,
}

impl Budget {
    /// Takes one page.
    pub(crate) fn take_page(&self, limits: &Limits) -> Result<(), OutboundErrorKind> {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.pages >= limits.pages {
            return Err(OutboundErrorKind::TooManyPages { limit: limits.pages });
        }
        spent.pages += 1;
        Ok(())
    }

    /// Notes how far our clock was ahead of the source's at one answer.
    pub(crate) fn note_clock_skew(&self, skew: TimeDelta) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.clock_skew.is_none_or(|it| skew.abs() < it.abs()) {
            spent.clock_skew = Some(skew);
        }
    }

    pub(crate) fn clock_skew(&self) -> Option<TimeDelta> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clock_skew
    }

    /// Takes a wait, before it is waited.
    pub(crate) fn take_wait(
        &self,
        wait: Duration,
        limits: &Limits,
    ) -> Result<(), OutboundErrorKind> {
        let refused = |why| Err(OutboundErrorKind::RateLimited { asked: wait, why });
        if wait > limits.wait {
            return refused(format!("a wait is {:?} at most", limits.wait));
        }
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = spent.waits.saturating_add(wait);
        if waits > limits.waits {
            return refused(format!(
                "all waits of a pull together are {:?} at most, {:?} are spent (`patience`)",
                limits.waits, spent.waits
            ));
        }
        spent.waits = waits;
        Ok(())
    }
}
