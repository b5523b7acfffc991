//! A channel as notices leave by it: one kind for each file beside this one. It sends once and says
//! what came of it; when to try again is written down by whoever keeps the outbox.

use std::time::Duration;

use domain::Text;
use outbound::{OutboundError, Posted};

use crate::alertmanager::Alertmanager;
use crate::command::Hook;
use crate::email::Email;
use crate::jsm::Jsm;
use crate::pagerduty::PagerDuty;
use crate::slack::{SlackBot, SlackWebhook};
use crate::syslog::Syslog;
use crate::teams::Teams;
use crate::webhook::Webhook;
use crate::{Channel, Letter};

/// A channel that is set up.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its name in the settings.
    pub name: Text,
    /// It may show names and logins.
    pub names: bool,
    /// How it speaks.
    pub kind: Kind,
}

/// How a channel speaks.
#[derive(Clone, Debug)]
pub enum Kind {
    /// PagerDuty Events v2.
    PagerDuty(PagerDuty),
    /// Jira Service Management Operations.
    Jsm(Jsm),
    /// A Slack incoming webhook.
    SlackWebhook(SlackWebhook),
    /// A Slack bot, which answers in threads.
    SlackBot(SlackBot),
    /// A Microsoft Teams workflow.
    Teams(Teams),
    /// Alertmanager v2.
    Alertmanager(Alertmanager),
    /// A signed webhook.
    Webhook(Webhook),
    /// E-mail over SMTP.
    Email(Box<Email>),
    /// Syslog, RFC 5424.
    Syslog(Syslog),
    /// A program of the operator's.
    Command(Hook),
}

/// What came of sending once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The channel took it.
    Delivered {
        /// What it calls the message; `None` where it does not say.
        reference: Option<Text>,
    },
    /// It may take it later. It may have taken it now: a time-out says nothing of that.
    Retry {
        /// How long it asks us to wait; `None`: the channel's own schedule.
        after: Option<Duration>,
        /// What happened, without secrets.
        why: String,
    },
    /// It will not take it, however often it is sent.
    Refused {
        /// What it said, and what to do, without secrets.
        why: String,
    },
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Waits before each further try of what has no rules of its own: over a day in all.
const USUAL: &[Duration] =
    &[s(30), s(30), s(120), s(600), s(1_800), s(3_600), s(7_200), s(14_400), s(28_800), s(28_800)];

/// As the specification of Standard Webhooks recommends ("Deliverability and reliability").
const WEBHOOK: &[Duration] =
    &[s(5), s(300), s(1_800), s(7_200), s(18_000), s(36_000), s(50_400), s(72_000), s(86_400)];

/// Mail servers that greylist want minutes; a day is what senders commonly try (RFC 5321, 4.5.4.1,
/// would allow five).
const MAIL: &[Duration] =
    &[s(300), s(900), s(1_800), s(3_600), s(7_200), s(14_400), s(28_800), s(28_800)];

impl Sender {
    /// Sends once.
    pub async fn send(&self, letter: &Letter) -> Sent {
        match &self.kind {
            Kind::PagerDuty(it) => it.send(letter).await,
            Kind::Jsm(it) => it.send(letter).await,
            Kind::SlackWebhook(it) => it.send(letter).await,
            Kind::SlackBot(it) => it.send(letter).await,
            Kind::Teams(it) => it.send(letter).await,
            Kind::Alertmanager(it) => it.send(letter).await,
            Kind::Webhook(it) => it.send(letter).await,
            Kind::Email(it) => it.send(letter).await,
            Kind::Syslog(it) => it.send(letter).await,
            Kind::Command(it) => it.send(letter).await,
        }
    }

    /// The wait before the next try, after so many; `None`: it has been tried often enough.
    #[must_use]
    pub fn retry_after(&self, n_attempts: u32) -> Option<Duration> {
        let schedule = match self.kind {
            Kind::Webhook(_) => WEBHOOK,
            Kind::Email(_) => MAIL,
            _ => USUAL,
        };
        let nth = usize::try_from(n_attempts).unwrap_or(usize::MAX).saturating_sub(1);
        schedule.get(nth).copied()
    }

    /// How long to rest between two messages, by the channel's own limits.
    #[must_use]
    pub const fn rest(&self) -> Duration {
        match self.kind {
            // One message a second for each channel or webhook.
            Kind::SlackWebhook(_) | Kind::SlackBot(_) => s(1),
            // About 120 events a minute for each integration key.
            Kind::PagerDuty(_) => Duration::from_millis(500),
            // More than four requests a second were throttled.
            Kind::Teams(_) | Kind::Jsm(_) => Duration::from_millis(250),
            _ => Duration::ZERO,
        }
    }

    /// The channel as routes see it.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Channel {
            name: self.name.clone(),
            is_pager: matches!(self.kind, Kind::PagerDuty(_) | Kind::Jsm(_)),
            forgets: matches!(self.kind, Kind::Alertmanager(_)),
            names: self.names,
        }
    }
}

/// What an answer over HTTP means where the channel has no words of its own: 2xx is taken, 408,
/// 429 and 5xx may be taken later, and all else is final. A redirect is not followed.
pub(crate) fn of_answer(answer: Result<Posted, OutboundError>) -> Sent {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return of_error(&error),
    };
    match answer.status {
        200..300 => Sent::Delivered { reference: None },
        status @ (408 | 429 | 500..600) => {
            Sent::Retry { after: answer.retry_after(), why: format!("HTTP {status}") }
        }
        status @ 300..400 => Sent::Refused {
            why: format!("HTTP {status}: it leads elsewhere, and is not followed; correct the URL"),
        },
        status => {
            let said = code(&answer.body).map_or_else(String::new, |it| format!(" `{it}`"));
            Sent::Refused { why: format!("HTTP {status}{said}: correct the channel's settings") }
        }
    }
}

/// A request without a whole answer. Nothing of the URL but its host is in the error.
pub(crate) fn of_error(error: &OutboundError) -> Sent {
    let why = format!("{error}: {}", error.kind);
    // A certificate is mended by people, and may be by the time of another try.
    let is_tls = matches!(error.kind, outbound::OutboundErrorKind::Tls { .. });
    match error.kind.is_transient() || is_tls {
        true => Sent::Retry { after: None, why },
        false => Sent::Refused { why },
    }
}

/// The error code of a refusal, where its whole body or its `error` is one word such as
/// `channel_not_found`. Nothing else of a body is repeated: it may hold what was sent.
pub(crate) fn code(body: &[u8]) -> Option<String> {
    const LEN_MAX: usize = 60;
    let is_code = |text: &str| {
        (1..=LEN_MAX).contains(&text.len())
            && text.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
    };
    let json = || serde_json::from_slice::<serde_json::Value>(body).ok();
    let text = str::from_utf8(body).ok()?.trim();
    if is_code(text) {
        return Some(text.to_owned());
    }
    json()?.get("error")?.as_str().filter(|it| is_code(it)).map(str::to_owned)
}

/// A document of ours as bytes.
pub(crate) fn json(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
