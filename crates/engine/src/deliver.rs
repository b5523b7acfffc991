//! Delivery: what the outbox holds leaves by its channels, each for itself and in order.
//!
//! A try is saved before it is made and its outcome after, so what a crash interrupts is sent again
//! under the same key. Dropping the future is such a crash. It decides nothing about people, and
//! never waits for a channel longer than for one message.

use alerting::{Enclosed, First, Letter, Routes, Sender, Sent};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, DeliveryId, FindingId, Notice, NotifyReason, Severity, Text};
use futures_util::future::join_all;
use store::{DeadChannel, Due, Settled, Store, StoreError};
use tracing::{info, warn};

use crate::confirm::{Check, Checked};
use crate::enclose::enclose;
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
/// interrupted run left behind. When a channel does not take notices, others are told.
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
    let known = senders.iter().map(|it| it.name.clone()).collect();
    store.retire_channels(known).await?;
    let mut all = pass.send_all(senders).await?;
    if pass.tell_others().await? {
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
    async fn send_all(&self, senders: &[Sender]) -> Result<Deliveries, StoreError> {
        let now = self.clock.now();
        let mut due = Vec::new();
        for sender in senders {
            due.push(self.store.due(sender.name.clone(), now, PASS_MAX).await?);
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

    /// Tells other channels what dead ones did not take: one notice for each dead channel. Returns
    /// true when there is something new to send.
    async fn tell_others(&self) -> Result<bool, StoreError> {
        let (now, routes) = (self.clock.now(), &self.plan.routes);
        let mut is_new = false;
        for dead in self.store.dead_channels().await? {
            let to = routes.others(&dead.channel);
            let mut stuck = self.store.stuck(dead.channel.clone(), now).await?;
            self.leave_out_what_is_over(&mut stuck).await?;
            if to.is_empty() || stuck.is_empty() || routes.channel(&dead.channel).is_none() {
                continue;
            }
            let ids = stuck.iter().map(|it| it.0).collect();
            self.store.forward(ids, undelivered(routes, &dead, stuck, (to, now))).await?;
            is_new = true;
        }
        Ok(is_new)
    }

    /// Findings that are over by now are not told to others any more.
    async fn leave_out_what_is_over(
        &self,
        stuck: &mut [(DeliveryId, Notice)],
    ) -> Result<(), StoreError> {
        let ids = stuck.iter().flat_map(|it| it.1.findings.iter().copied()).collect();
        let over: Vec<FindingId> = self
            .store
            .findings_by_id(ids)
            .await?
            .iter()
            .filter(|it| !it.is_live())
            .map(|it| it.id)
            .collect();
        for (_, notice) in stuck {
            notice.findings.retain(|it| !over.contains(it));
            notice.items.retain(|it| !over.contains(&it.finding));
        }
        Ok(())
    }
}

/// What others are told of a dead channel: all that it was to tell.
fn undelivered(
    routes: &Routes,
    dead: &DeadChannel,
    stuck: Vec<(DeliveryId, Notice)>,
    (to, now): (Vec<Text>, DateTime<Utc>),
) -> Notice {
    let channel = &dead.channel;
    let first = stuck.first().map_or(0, |it| it.0.0);
    let mut notice = Notice {
        // One for each time: what is stuck later must not take the place of this.
        key: alerting::key(&routes.deployment, "-", &format!("channel-{channel}-{first}")),
        reason: NotifyReason::Undelivered,
        severity: Severity::High,
        app: None,
        run: None,
        at: now,
        title: format!("the channel `{channel}` did not take {} notices", stuck.len()),
        lines: vec![
            format!("It said: {}.", dead.why),
            format!("Next: run `driftline alert test {channel}`, and mend what it says."),
        ],
        findings: Vec::new(),
        items: Vec::new(),
        to: to.into_iter().map(|it| (it, now)).collect(),
    };
    for (_, stuck) in stuck {
        notice.severity = notice.severity.max(stuck.severity);
        notice.lines.push(format!("Not told: {} ({}).", stuck.title, stuck.reason));
        if stuck.reason != NotifyReason::Resolved {
            notice.findings.extend(stuck.findings);
            notice.items.extend(stuck.items);
        }
    }
    notice.findings.sort_unstable();
    notice.findings.dedup();
    notice.items.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.finding));
    notice.items.dedup_by_key(|it| it.finding);
    notice.items.truncate(alerting::ITEMS_MAX);
    notice
}
