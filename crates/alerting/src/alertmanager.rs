//! Alertmanager, API v2: an alert is its set of labels, and ends when `endsAt` is over.
//!
//! What changes from notice to notice stands in annotations, never in a label: another label is
//! another alert. It ends at the time that it is told with and not by itself, so it is told again
//! from run to run. Names of labels are `[a-zA-Z_][a-zA-Z0-9_]*`. 4xx is final. Source:
//! Alertmanager, `api/v2/openapi.yaml`.

use chrono::TimeDelta;
use outbound::Poster;
use serde_json::json;

use crate::letter::{grave, time};
use crate::sender::{json, of_answer};
use crate::{Letter, Sent};

const DESCRIPTION_MAX: usize = 10_000;

/// How long an alert burns when it is not told again: longer than any outage of ours, so that it
/// does not read as over because nobody looked.
const BURNS_FOR: TimeDelta = TimeDelta::days(30);

/// One Alertmanager.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    /// To its address, without `/api/v2/alerts`.
    pub poster: Poster,
}

impl Alertmanager {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        let notice = &letter.notice;
        let app = notice.app.as_ref().map_or("-", |it| it.as_str());
        let ends_at = if letter.is_over() { letter.now } else { letter.now + BURNS_FOR };
        let alert = json!({
            "labels": {
                "alertname": "Driftline",
                "app": app,
                "key": &*notice.key,
            },
            "annotations": {
                "summary": letter.title(),
                "severity": grave(notice.severity),
                "description": letter.body(DESCRIPTION_MAX),
            },
            // One that ended begins anew; the time of the notice is never after its end.
            "startsAt": time(notice.at.min(letter.now - TimeDelta::seconds(1))),
            "endsAt": time(ends_at),
            "generatorURL": letter.report_url.as_deref().unwrap_or_default(),
        });
        of_answer(self.poster.post_below("api/v2/alerts", &[], json(&json!([alert]))).await)
    }
}
