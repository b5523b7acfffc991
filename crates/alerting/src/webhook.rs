//! A webhook, signed as Standard Webhooks says: whoever receives it can tell that it is ours, that
//! it is fresh, and that it came before.
//!
//! `webhook-id` stays the same over all tries: it is the key of idempotency. The signature is
//! HMAC-SHA-256 over `id.timestamp.body`, one for each secret while they are rotated. 410 is final,
//! and so is a redirect. Payloads stay below 20 KB, but for a report whose document is asked for.
//! Source: Standard Webhooks, specification 1.0.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use outbound::Poster;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::letter::time;
use crate::sender::{json, of_answer};
use crate::{Letter, Sent};

const TEXT_MAX: usize = 6_000;

/// One receiver.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// To the receiver.
    pub poster: Poster,
    /// The secrets, newest first: each signs, so that a receiver that knows one of them is served.
    pub secrets: Vec<WebhookSecret>,
}

/// A secret of 24 to 64 bytes, written `whsec_` and base64.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Reads one. `None` when it is none: nothing of it is said.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The signature of `id.timestamp.body`, as `v1,` and base64.
    #[must_use]
    pub fn sign(&self, signed: &str) -> String {
        // HMAC takes a key of any length, so there is always one.
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map(|mut mac| {
            mac.update(signed.as_bytes());
            STANDARD.encode(mac.finalize().into_bytes())
        });
        format!("v1,{}", mac.unwrap_or_default())
    }
}

impl Webhook {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        let body = body(letter);
        let id = id(letter);
        let timestamp = letter.now.timestamp().to_string();
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures: Vec<String> = self.secrets.iter().map(|it| it.sign(&signed)).collect();
        let headers = [
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", timestamp.as_str()),
            ("webhook-signature", &signatures.join(" ")),
        ];
        of_answer(self.poster.post(&headers, body.into_bytes()).await)
    }
}

/// The same for every try of one notice, and for no other notice of the deployment.
fn id(letter: &Letter) -> String {
    format!("{}#{}", letter.notice.key, letter.id)
}

/// What a program wants to know, beside the text for people. At most [`TEXT_MAX`] characters of
/// it, and the numbers of at most 100 findings. Of a report, what [`crate::Enclosed`] says.
pub(crate) fn body(letter: &Letter) -> String {
    let (kind, data) = match &letter.enclosed {
        Some(report) => ("driftline.report", report.data(letter)),
        None if letter.is_over() => ("driftline.resolved", data(letter)),
        None => ("driftline.notice", data(letter)),
    };
    let value = json!({ "type": kind, "timestamp": time(letter.notice.at), "data": data });
    String::from_utf8(json(&value)).unwrap_or_default()
}

fn data(letter: &Letter) -> Value {
    const FINDINGS_MAX: usize = 100;
    let notice = &letter.notice;
    let findings = notice.findings.iter().take(FINDINGS_MAX).map(ToString::to_string);
    json!({
        "key": &*notice.key,
        "notice": letter.id.0,
        "reason": notice.reason.name(),
        "severity": notice.severity.name(),
        "app": notice.app.as_ref().map(|it| it.as_str()),
        "run": notice.run.map(|it| it.0),
        "title": letter.title(),
        "text": letter.body(TEXT_MAX),
        "findings": findings.collect::<Vec<String>>(),
        "n_findings": notice.findings.len(),
        "unconfirmed": letter.unconfirmed.is_some(),
        "report_url": letter.report_url,
    })
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}
