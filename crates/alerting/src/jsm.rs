//! Jira Service Management Operations, the successor of Opsgenie: an alert is made, and closed
//! under the same alias.
//!
//! Limits: message 130 characters, alias 512, description 15 000. 202 says that a request was
//! accepted, not that it was carried out. Source: Atlassian, "Integration events API".

use domain::Severity;
use outbound::Poster;
use serde_json::json;

use crate::letter::cut;
use crate::sender::{json, of_answer};
use crate::{Letter, Sent};

/// Where requests go, unless the settings say otherwise.
pub const URL: &str = "https://api.atlassian.com/jsm/ops/integration";

const MESSAGE_MAX: usize = 130;
const DESCRIPTION_MAX: usize = 15_000;

/// One integration. The `GenieKey` is in the poster's `Authorization`.
#[derive(Clone, Debug)]
pub struct Jsm {
    /// To [`URL`].
    pub poster: Poster,
}

impl Jsm {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        let notice = &letter.notice;
        if letter.is_over() {
            // A key has colons, and nothing else that a path does not take.
            let alias = notice.key.replace(':', "%3A");
            let path = format!("v2/alerts/{alias}/close?identifierType=alias");
            let note =
                json!({ "source": "driftline", "note": cut(&letter.title(), DESCRIPTION_MAX) });
            return of_answer(self.poster.post_below(&path, &[], json(&note)).await);
        }
        let alert = json!({
            "message": cut(&letter.title(), MESSAGE_MAX),
            "alias": &*notice.key,
            "description": letter.body(DESCRIPTION_MAX),
            "source": "driftline",
            "priority": priority(notice.severity),
            "tags": ["driftline", notice.reason.name()],
        });
        of_answer(self.poster.post_below("v2/alerts", &[], json(&alert)).await)
    }
}

const fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::High => "P2",
        Severity::Medium => "P3",
        Severity::Low => "P4",
    }
}
