//! Microsoft Teams, through a workflow of Power Automate ("Post to a channel when a webhook request
//! is received"): an adaptive card.
//!
//! Limit: about 28 KB, in practice 21 KB. 202 says that the flow was started, not that it posted.
//! There is no edit and no thread. A flow belongs to a person, and stops when that person leaves.
//! Source: Microsoft, "Create incoming webhooks with Workflows for Microsoft Teams".

use outbound::Poster;
use serde_json::{Value, json};

use crate::letter::cut;
use crate::sender::{json, of_answer};
use crate::{Letter, Sent};

/// 18 000 characters at most, of which many may take more than one byte: so fewer.
const BODY_MAX: usize = 8_000;
const TITLE_MAX: usize = 300;

/// One workflow. Its URL is the secret.
#[derive(Clone, Debug)]
pub struct Teams {
    /// To the workflow.
    pub poster: Poster,
}

impl Teams {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        of_answer(self.poster.post(&[], json(&card(letter))).await)
    }
}

fn card(letter: &Letter) -> Value {
    // A text block reads one new line as none.
    let body = letter.body(BODY_MAX);
    let blocks = body.split("\n\n").map(|it| {
        json!({
            "type": "TextBlock", "wrap": true, "text": escaped(it).replace('\n', "\n\n"),
        })
    });
    let title = json!({
        "type": "TextBlock", "wrap": true, "weight": "Bolder", "size": "Medium",
        "text": escaped(&cut(&letter.title(), TITLE_MAX)),
    });
    let blocks: Vec<Value> = [title].into_iter().chain(blocks).collect();
    let actions = letter
        .report_url
        .iter()
        .map(|url| json!({ "type": "Action.OpenUrl", "title": "Report", "url": url }));
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": actions.collect::<Vec<Value>>(),
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}

/// A text block reads some Markdown: links, emphasis and lists.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '[' | ']' | '*' | '_' | '`' | '\\' | '<' | '>') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
