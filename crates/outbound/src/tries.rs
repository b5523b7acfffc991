//! One call: its tries, the waits between them, and the lines of what was sent. Only requests that
//! change nothing are tried again: GET, and those for a token.

use std::time::Duration;

use domain::Request;

use crate::budget::Budget;
use crate::client::Core;
use crate::error::Excerpt;
use crate::exchange::{Exchange, Shown, exchange};
use crate::{Limits, OutboundErrorKind, random};

/// One call from its first request to its end.
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Core,
    pub(crate) budget: &'a Budget,
    /// A line for each request sent so far.
    pub(crate) lines: Vec<Request>,
    /// What was waited since the last of them.
    pub(crate) waited: Duration,
}

/// How often one request of a call has failed.
#[derive(Default)]
pub(crate) struct Tries(u32);

impl<'a> Call<'a> {
    pub(crate) const fn new(core: &'a Core, budget: &'a Budget) -> Self {
        Self { core, budget, lines: Vec::new(), waited: Duration::ZERO }
    }

    /// Sends a request once. An answer may have any status that another try would not change;
    /// `None`: it is time to try again.
    pub(crate) async fn send(
        &mut self,
        request: reqwest::Request,
        limits: &Limits,
        tries: &mut Tries,
    ) -> Result<Option<Exchange>, OutboundErrorKind> {
        let core = self.core;
        let clock = core.clock.as_ref();
        let (shown, lines) = (Shown::of(request.url()), &mut self.lines);
        let answer = exchange(&core.http, request, shown, limits, clock, lines).await;
        if let Some(line) = lines.last_mut() {
            line.waited_ms = ms(std::mem::take(&mut self.waited));
        }
        let (asked, why) = match answer {
            Ok(exchange) if may_change(exchange.status) => self.refusal(&exchange, tries),
            Ok(exchange) => return Ok(Some(exchange)),
            Err(kind) if kind.is_transient() => (None, kind),
            Err(kind) => return Err(kind),
        };
        self.wait_for_another(asked, why, tries).await.map(|()| None)
    }

    /// How long a refusal asks us to wait, and what to say of it if there is no other try.
    fn refusal(&self, exchange: &Exchange, tries: &Tries) -> (Option<Duration>, OutboundErrorKind) {
        let asked = self.core.pacer.asked(exchange.status, &exchange.headers, exchange.received_at);
        let why = match exchange.status {
            429 => OutboundErrorKind::RateLimited {
                asked: asked.unwrap_or_else(|| self.backoff(tries)),
                why: format!("{} tries were refused", tries.0 + 1),
            },
            status => OutboundErrorKind::Server { status, body: Excerpt::of(&exchange.body) },
        };
        (asked, why)
    }

    async fn wait_for_another(
        &mut self,
        asked: Option<Duration>,
        why: OutboundErrorKind,
        tries: &mut Tries,
    ) -> Result<(), OutboundErrorKind> {
        let limits = &self.core.config.limits;
        let backoff = random::jittered(self.backoff(tries));
        tries.0 += 1;
        if tries.0 >= limits.attempts {
            return Err(why);
        }
        match asked {
            Some(asked) => {
                self.budget.take_wait(asked, limits)?;
                // Whoever else was told the same time comes at it, too.
                let wait = asked.saturating_add(random::jittered(limits.backoff));
                self.wait(wait, "it asks for that").await;
            }
            // Without budget for a wait of our own, what failed is the better reason.
            None if self.budget.take_wait(backoff, limits).is_err() => return Err(why),
            None => {
                self.wait(backoff, "an answer failed").await;
            }
        }
        Ok(())
    }

    /// Waits, and says so: whoever watches wants to know why nothing is heard for a while.
    pub(crate) async fn wait(&mut self, wait: Duration, why: &str) {
        let wait_ms = ms(wait);
        tracing::debug!(target: "progress", wait_ms, why, "Waiting {wait_ms} ms: {why}");
        tokio::time::sleep(wait).await;
        self.waited = self.waited.saturating_add(wait);
    }

    /// The wait of our own before the next try: it doubles, up to the longest single wait.
    fn backoff(&self, tries: &Tries) -> Duration {
        let limits = &self.core.config.limits;
        limits.backoff.saturating_mul(2_u32.saturating_pow(tries.0)).min(limits.wait)
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns true for a status that another try may change. 501 is none: the server says that it
/// does not know the request (RFC 9110, 15.6.2).
fn may_change(status: u16) -> bool {
    status == 429 || status >= 500 && status != 501
}
