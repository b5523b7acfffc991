//! PagerDuty, Events API v2: an alert is triggered, and resolved under the same key.
//!
//! Limits: summary 1024 characters, key 255, 512 KB in all, about 120 events a minute for each
//! integration. Without an open alert a resolve is dropped there; a trigger after a resolve opens a
//! new one. 400 is final. Source: PagerDuty, "Send an Event".

use outbound::{Poster, Secret};
use serde_json::{Value, json};

use crate::letter::{cut, grave, time};
use crate::sender::{json, of_answer};
use crate::{Letter, Sent};

/// Where events go, unless the settings say otherwise.
pub const URL: &str = "https://events.pagerduty.com/v2/enqueue";

const SUMMARY_MAX: usize = 1024;

/// Far below the limit of 512 KB, and more than anybody reads at night.
const DETAILS_MAX: usize = 20_000;

/// One integration.
#[derive(Clone, Debug)]
pub struct PagerDuty {
    /// To [`URL`], or a region's own.
    pub poster: Poster,
    /// The integration key of 32 characters.
    pub routing_key: Secret,
}

impl PagerDuty {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        of_answer(self.poster.post(&[], self.event(letter)).await)
    }

    fn event(&self, letter: &Letter) -> Vec<u8> {
        let notice = &letter.notice;
        let (routing_key, dedup_key) = (self.routing_key.expose(), &*notice.key);
        if letter.is_over() {
            return json(&json!({
                "routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key,
            }));
        }
        let app = notice.app.as_ref().map_or("driftline", |it| it.as_str());
        let links = letter.report_url.iter().map(|url| json!({ "href": url, "text": "Report" }));
        json(&json!({
            "routing_key": routing_key,
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "payload": {
                "summary": cut(&letter.title(), SUMMARY_MAX),
                "source": app,
                "component": app,
                "group": "offboarding",
                "class": class(letter),
                "severity": grave(notice.severity),
                "timestamp": time(notice.at),
                "custom_details": { "text": letter.body(DETAILS_MAX) },
            },
            "client": "driftline",
            "links": links.collect::<Vec<Value>>(),
        }))
    }
}

/// The cause where there is one, else the reason.
fn class(letter: &Letter) -> &'static str {
    match (&*letter.notice.items, letter.notice.reason) {
        ([one], _) => one.cause.name(),
        (_, reason) => reason.name(),
    }
}
