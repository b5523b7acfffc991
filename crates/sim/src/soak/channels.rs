//! The far ends of two channels, on loopback: they take what they are sent, or do not for hours, and
//! keep all that came with when it came.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::webhook::{Webhook, WebhookSecret};
use alerting::{Kind, Sender};
use anyhow::Context as _;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::{Clock as _, FindingId, NotifyReason};
use outbound::{Poster, PosterConfig, Secret};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::SimClock;

/// A notice has at most some kilobytes.
const BODY_MAX: usize = 1 << 20;

/// What a channel does with what it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    /// Takes it.
    #[default]
    Takes,
    /// Is asked too often.
    Busy,
    /// Is down.
    Down,
    /// Takes it, and nobody learns that it did.
    TakesInSilence,
}

/// One notice, as it came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) channel: String,
    /// The same for each try of one notice.
    pub(super) id: String,
    pub(super) key: String,
    pub(super) reason: NotifyReason,
    pub(super) findings: Vec<FindingId>,
    pub(super) is_unconfirmed: bool,
    /// When Driftline decided on it.
    pub(super) decided_at: DateTime<Utc>,
    /// When it came, by the company's clock.
    pub(super) came_at: DateTime<Utc>,
    /// The channel took it, whether it said so or not.
    pub(super) is_taken: bool,
    /// Nobody learnt that it did.
    pub(super) is_silent: bool,
}

/// Both ends of the channels.
#[derive(Debug)]
pub(super) struct Channels {
    /// As Driftline has them, in order of name.
    pub(super) senders: Vec<Sender>,
    desk: Arc<Mutex<Desk>>,
    served: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Desk {
    moods: BTreeMap<String, Mood>,
    heard: Vec<Heard>,
    /// What came and could not be read.
    illegible: Vec<String>,
}

impl Channels {
    /// Opens a channel for each name.
    pub(super) async fn open(names: &[&str], clock: &Arc<SimClock>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let desk = Arc::<Mutex<Desk>>::default();
        let router = router(Arc::clone(&desk), Arc::clone(clock));
        // It ends with the channels, or with a problem that its senders notice.
        let served = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        let senders = names.iter().map(|name| sender(name, &origin, clock));
        Ok(Self { senders: senders.collect::<anyhow::Result<_>>()?, desk, served })
    }

    pub(super) fn set_mood(&self, channel: &str, mood: Mood) {
        self.desk().moods.insert(channel.to_owned(), mood);
    }

    /// What came since this was asked last, in order; and what is wrong with it.
    pub(super) fn take_heard(&self) -> (Vec<Heard>, Vec<String>) {
        let mut desk = self.desk();
        (std::mem::take(&mut desk.heard), std::mem::take(&mut desk.illegible))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        self.served.abort();
    }
}

fn sender(name: &str, origin: &str, clock: &Arc<SimClock>) -> anyhow::Result<Sender> {
    let secret = WebhookSecret::parse("whsec_b25lIG9mIHRoZSBzaW11bGF0ZWQgY2hhbm5lbHM=");
    let config = PosterConfig {
        url: Secret::new(format!("{origin}/{name}")),
        ca_bundle: None,
        proxy: None,
        connect: Duration::from_secs(10),
        request: Duration::from_secs(20),
        user_agent: "driftline-soak".to_owned(),
        authorization: None,
    };
    let poster = Poster::new(config, Arc::<SimClock>::clone(clock))?;
    let secrets = vec![secret.context("the secret of the channels is none")?];
    Ok(Sender { name: name.into(), names: false, kind: Kind::Webhook(Webhook { poster, secrets }) })
}

fn router(desk: Arc<Mutex<Desk>>, clock: Arc<SimClock>) -> Router {
    Router::new().fallback(move |request: Request| {
        let (desk, clock) = (Arc::clone(&desk), Arc::clone(&clock));
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, BODY_MAX).await.unwrap_or_default();
            let channel = parts.uri.path().trim_start_matches('/').to_owned();
            let id = parts.headers.get("webhook-id").and_then(|it| it.to_str().ok());
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            let mood = desk.moods.get(&channel).copied().unwrap_or_default();
            match read(&channel, id, &body, clock.now()) {
                Some(heard) => {
                    let is_taken = matches!(mood, Mood::Takes | Mood::TakesInSilence);
                    let is_silent = mood == Mood::TakesInSilence;
                    desk.heard.push(Heard { is_taken, is_silent, ..heard });
                }
                None => desk.illegible.push(format!(
                    "TOLD: {channel} cannot read {}",
                    String::from_utf8_lossy(&body)
                )),
            }
            match mood {
                Mood::Takes => StatusCode::NO_CONTENT,
                Mood::Busy => StatusCode::TOO_MANY_REQUESTS,
                Mood::Down => StatusCode::SERVICE_UNAVAILABLE,
                Mood::TakesInSilence => StatusCode::GATEWAY_TIMEOUT,
            }
        }
    })
}

fn read(channel: &str, id: Option<&str>, body: &[u8], came_at: DateTime<Utc>) -> Option<Heard> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let data = event.get("data")?;
    let text = |name: &str| data.get(name)?.as_str();
    let findings = data.get("findings")?.as_array()?;
    let findings = findings.iter().map(|it| FindingId::parse(it.as_str()?));
    Some(Heard {
        channel: channel.to_owned(),
        id: id?.to_owned(),
        key: text("key")?.to_owned(),
        reason: NotifyReason::parse(text("reason")?)?,
        findings: findings.collect::<Option<_>>()?,
        is_unconfirmed: data.get("unconfirmed")?.as_bool()?,
        decided_at: event.get("timestamp")?.as_str()?.parse().ok()?,
        came_at,
        is_taken: false,
        is_silent: false,
    })
}
