//! Delivery: what the outbox holds leaves by its channels, each for itself and in order.
//!
//! A try is saved before it is made and its outcome after, so what a crash interrupts is sent again
//! under the same key. Dropping the future is such a crash. It decides nothing about people, and
//! never waits for a channel longer than for one message.

use alerting::{Enclosed, First, Letter, Sender, Sent};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Notice, NotifyReason, Text};
use futures_util::future::join_all;
use store::{Due, Settled, Store, StoreError};
use tracing::{info, warn};

use crate::confirm::{Check, Checked};
use crate::enclose::enclose;
use crate::outage;
use crate::plan::Plan;

/// Messages to one channel in one pass; the rest waits for the next.
const PASS_MAX: u32 = 100;

/// Longest wait that a channel may ask for.
const WAIT_MAX: TimeDelta = TimeDelta::hours(6);

/// What one pass came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Notices that a channel took.
    pub n_delivered: usize,
    /// Not sent: they no longer held.
    pub n_dropped: usize,
    /// Not taken, to be tried again: in this pass or an earlier one.
    pub n_later: usize,
    /// Refused for good, or tried often enough.
    pub n_given_up: usize,
    /// When the next one is due; `None`: nothing waits.
    pub next_due_at: Option<DateTime<Utc>>,
}

/// Sends what is due, by all channels at once and in each one after the other. Also what an
/// interrupted run left behind. When a channel does not take notices, others are told, and told when
/// that is over.
///
/// # Errors
///
/// Returns [`StoreError`] when the outbox cannot be read or written; what was sent before stays
/// written down, and what was sent without being written down is sent again.
pub async fn deliver(
    store: &Store,
    plan: &Plan,
    senders: &[Sender],
    clock: &dyn Clock,
) -> Result<Deliveries, StoreError> {
    let pass = Pass { store, plan, clock };
    pass.hand_over(senders).await?;
    let mut all = pass.send_all(senders).await?;
    if outage::tell_others(store, &plan.routes, clock.now()).await? {
        all.add(&pass.send_all(senders).await?);
    }
    let waiting = store.waiting().await?;
    (all.n_later, all.next_due_at) = (waiting.n_tried, waiting.next_due_at);
    Ok(all)
}

impl Deliveries {
    fn add(&mut self, other: &Self) {
        self.n_delivered += other.n_delivered;
        self.n_dropped += other.n_dropped;
        self.n_given_up += other.n_given_up;
    }
}

struct Pass<'p> {
    store: &'p Store,
    plan: &'p Plan,
    clock: &'p dyn Clock,
}

impl Pass<'_> {
    /// What waits for channels that the settings do not name any more is told by those that they do.
    async fn hand_over(&self, senders: &[Sender]) -> Result<(), StoreError> {
        let known: Vec<Text> = senders.iter().map(|it| it.name.clone()).collect();
        for (id, notice) in self.store.left_behind(known).await? {
            let to = match notice.reason {
                // Of one that is over, no other channel knows; the rest is for that channel alone.
                NotifyReason::Resolved
                | NotifyReason::Digest
                | NotifyReason::Report
                | NotifyReason::Test => Vec::new(),
                _ => self.plan.routes.heirs(notice.severity),
            };
            self.store.hand_over(id, to).await?;
        }
        Ok(())
    }

    async fn send_all(&self, senders: &[Sender]) -> Result<Deliveries, StoreError> {
        let now = self.clock.now();
        let mut due = Vec::new();
        for sender in senders {
            due.push(self.due(&sender.name, now).await?);
        }
        let check = Check::of(self.store, self.plan, &due.concat(), self.clock).await?;
        let channels =
            senders.iter().zip(due).map(|(sender, due)| self.channel(sender, due, &check));
        let mut all = Deliveries::default();
        for of_one in join_all(channels).await {
            all.add(&of_one?);
        }
        Ok(all)
    }

    /// What is due for one channel. What waited for the hours of its route, and was not sent in them,
    /// waits for the next.
    async fn due(&self, channel: &Text, now: DateTime<Utc>) -> Result<Vec<Due>, StoreError> {
        let mut due = Vec::new();
        for one in self.store.due(channel.clone(), now, PASS_MAX).await? {
            let Due { delivery, notice, .. } = &one;
            let has_waited = delivery.n_attempts == 0 && delivery.due_at > notice.at;
            let due_at = match notice.reason {
                NotifyReason::Digest => now,
                _ if has_waited => self.plan.routes.opens(channel, notice, now),
                _ => now,
            };
            if due_at > now {
                let why = "nothing was sent in the hours of its route".to_owned();
                let later = Settled::Later { due_at, why, for_all: false };
                self.store.settle_delivery(delivery.id, later).await?;
            } else {
                due.push(one);
            }
        }
        Ok(due)
    }

    /// What is due for one channel, until one message fails: the others would, too.
    async fn channel(
        &self,
        sender: &Sender,
        due: Vec<Due>,
        check: &Check,
    ) -> Result<Deliveries, StoreError> {
        let mut done = Deliveries::default();
        let mut is_first = true;
        for mut one in due {
            let id = one.delivery.id;
            let unconfirmed = match check.apply(&mut one) {
                Checked::Send { unconfirmed } => unconfirmed,
                Checked::Drop { why } => {
                    info!(
                        notice.id = one.delivery.notice.0,
                        channel = &*sender.name,
                        "Dropped a notice: {why}"
                    );
                    self.store.settle_delivery(id, Settled::Dropped { why }).await?;
                    done.n_dropped += 1;
                    continue;
                }
            };
            if !is_first {
                tokio::time::sleep(sender.rest()).await;
            }
            is_first = false;
            let settled = self.send(sender, one, unconfirmed).await?;
            let is_later = matches!(settled, Settled::Later { .. });
            match settled {
                Settled::Delivered { .. } => done.n_delivered += 1,
                Settled::Later { .. } => {}
                Settled::GivenUp { .. } | Settled::Dropped { .. } => done.n_given_up += 1,
            }
            self.store.settle_delivery(id, settled).await?;
            if is_later {
                break;
            }
        }
        Ok(done)
    }

    async fn send(
        &self,
        sender: &Sender,
        due: Due,
        unconfirmed: Option<String>,
    ) -> Result<Settled, StoreError> {
        let Due { delivery, notice, first, .. } = due;
        let now = self.clock.now();
        self.store.begin_delivery(delivery.id, now).await?;
        let enclosed = match self.enclosed(&notice).await? {
            Ok(enclosed) => enclosed,
            Err(why) => {
                warn!(notice.id = delivery.notice.0, "A report cannot be sent: {why}");
                return Ok(Settled::GivenUp { why });
            }
        };
        let letter = Letter {
            id: delivery.notice,
            notice,
            unconfirmed,
            names: sender.names,
            report_url: self.plan.routes.report_url.clone(),
            first: first.map(|it| First {
                notice: it.notice,
                title: it.title,
                reference: it.reference,
            }),
            enclosed: enclosed.map(|it| *it),
            now,
        };
        let sent = sender.send(&letter).await;
        let (id, channel) = (delivery.notice.0, &*sender.name);
        Ok(match sent {
            Sent::Delivered { reference } => {
                info!(notice.id = id, channel, "Delivered a notice");
                Settled::Delivered { reference }
            }
            Sent::Retry { after, why } => {
                warn!(notice.id = id, channel, "The channel did not take a notice: {why}");
                match sender.retry_after(delivery.n_attempts + 1) {
                    None => Settled::GivenUp { why },
                    Some(wait) => {
                        let wait = wait.max(after.unwrap_or_default());
                        let wait = TimeDelta::from_std(wait).unwrap_or(WAIT_MAX).min(WAIT_MAX);
                        let due_at = self.clock.now() + wait;
                        Settled::Later { due_at, why, for_all: after.is_some() }
                    }
                }
            }
            Sent::Refused { why } => {
                warn!(notice.id = id, channel, "The channel refused a notice: {why}");
                Settled::GivenUp { why }
            }
        })
    }

    /// The report that goes with a notice, if one does; or why it cannot.
    async fn enclosed(
        &self,
        notice: &Notice,
    ) -> Result<Result<Option<Box<Enclosed>>, String>, StoreError> {
        match (notice.reason, notice.run) {
            (NotifyReason::Report, Some(run)) => {
                let shows_document = self.plan.routes.report.shows_document;
                Ok(enclose(self.store, run, shows_document).await?.map(Some))
            }
            _ => Ok(Ok(None)),
        }
    }
}
