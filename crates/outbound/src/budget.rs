//! What one pull may still take: pages and waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::{Limits, OutboundErrorKind};

/// Pages and waits of one pull, counted over all its readers.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Spent>);

#[derive(Debug, Default)]
struct Spent {
    pages: u32,
    waits: Duration,
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
