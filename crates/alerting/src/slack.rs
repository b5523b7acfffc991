//! Slack: an incoming webhook, which knows no threads, and a bot, which answers in them.
//!
//! Limits: a header of 150 characters, a section of 3000, 50 blocks; all text of blocks together
//! fails near 13 000 characters (`msg_blocks_too_long`); one message a second. A webhook answers
//! `ok` and nothing else. The bot's API answers 200 also when it refuses, with `ok: false`.
//! Source: Slack, "Sending messages using incoming webhooks", "chat.postMessage".

use domain::{NotifyReason, Text};
use outbound::{OutboundError, Posted, Poster};
use serde_json::{Map, Value, json};

use crate::letter::cut;
use crate::sender::{code, json, of_answer, of_error};
use crate::{Letter, Sent};

/// Where a bot's messages go, unless the settings say otherwise.
pub const URL: &str = "https://slack.com/api/chat.postMessage";

const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3_000;
const SECTIONS_MAX: usize = 4; // 150 + 4 * 3000 is below 13 000.

/// An incoming webhook. Its URL is the secret.
#[derive(Clone, Debug)]
pub struct SlackWebhook {
    /// To the webhook.
    pub poster: Poster,
}

/// A bot with `chat:write`. Its token is in the poster's `Authorization`.
#[derive(Clone, Debug)]
pub struct SlackBot {
    /// To [`URL`].
    pub poster: Poster,
    /// The channel's id, `C0123456789`, or its name with `#`.
    pub channel: String,
}

impl SlackWebhook {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        of_answer(self.poster.post(&[], json(&Value::Object(message(letter)))).await)
    }
}

impl SlackBot {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        let mut message = message(letter);
        message.insert("channel".to_owned(), self.channel.as_str().into());
        let thread = letter.first.as_ref().and_then(|it| it.reference.as_deref());
        if let Some(thread) = thread {
            message.insert("thread_ts".to_owned(), thread.into());
            // What is over or graver is told to the channel as well.
            let is_news = letter.notice.reason != NotifyReason::Reminder;
            message.insert("reply_broadcast".to_owned(), is_news.into());
        }
        of_bot(self.poster.post(&[], json(&Value::Object(message))).await)
    }
}

/// The bot's API says in the body what came of it.
fn of_bot(answer: Result<Posted, OutboundError>) -> Sent {
    /// Codes that another try may cure.
    const LATER: &[&str] = &[
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
    ];
    let answer = match answer {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return of_answer(Ok(answer)),
        Err(error) => return of_error(&error),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if body.get("ok") == Some(&Value::Bool(true)) {
        let reference = body.get("ts").and_then(Value::as_str).map(Text::from);
        return Sent::Delivered { reference };
    }
    let said = code(&answer.body).unwrap_or_else(|| "no answer of Slack's".to_owned());
    match LATER.contains(&&*said) {
        true => Sent::Retry { after: answer.retry_after(), why: format!("Slack says `{said}`") },
        false => Sent::Refused {
            why: format!("Slack says `{said}`: correct the channel, or invite the bot to it"),
        },
    }
}

fn message(letter: &Letter) -> Map<String, Value> {
    let title = letter.title();
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": cut(&title, HEADER_MAX) },
    })];
    let body = letter.body(SECTIONS_MAX * SECTION_MAX);
    blocks.extend(sections(&body).into_iter().map(|text| {
        // Plain text: a name of somebody else's must not be read as markup, nor call @channel.
        json!({ "type": "section", "text": { "type": "plain_text", "text": text, "emoji": false } })
    }));
    [("text".to_owned(), escaped(&title).into()), ("blocks".to_owned(), blocks.into())]
        .into_iter()
        .collect()
}

/// A text in pieces that sections take, parted at line ends where there are any.
fn sections(text: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let line = cut(line, SECTION_MAX);
        match sections.last_mut() {
            Some(last) if last.chars().count() + line.chars().count() <= SECTION_MAX => {
                last.push_str(&line);
            }
            _ => sections.push(line),
        }
    }
    sections.truncate(SECTIONS_MAX);
    sections
}

/// The fallback text is markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
