//! The provisioning log: when Entra told the app to switch somebody off, and how that went.
//!
//! Source: Microsoft Graph v1.0, provisioningObjectSummary. It needs a licence (P1 or P2), keeps 30
//! days, and there is none in China. It gives no cursor that lasts: each run asks from the newest
//! event of the last one on, and some hours before, because events come late. An event that comes
//! again has the same id.

use chrono::{DateTime, SecondsFormat, SubsecRound as _, TimeDelta, Utc};
use domain::{LogEvent, LogEventKind, Text, Watcher};
use outbound::Answer;
use rustc_hash::FxHashSet;
use serde::Deserialize;

use super::health::instant;
use super::paths;
use super::refusal::{Asked, VENDOR, is_unlicensed, next_page};
use crate::gather::Gather;
use crate::live::{LiveError, Trouble, chain};
use crate::walk::{Dialect as _, url_of, who_answers};

/// Days that are asked for at first, which is as long as Entra keeps them.
const DAYS_BACK: i64 = 30;

/// Hours before the newest known event that are asked for again.
const OVERLAP_HOURS: i64 = 6;

/// Why the log was not read.
pub(super) enum Unread {
    /// The tenant has no licence: no fault, and worth saying.
    Unlicensed,
    /// Something is wrong.
    Failed(String),
}

/// Reads what is new in the log about one service principal. `cursor` is what the last poll gave.
pub(super) async fn poll(
    gather: &mut Gather,
    principal: &str,
    cursor: Option<&str>,
    now: DateTime<Utc>,
    pages_max: u32,
) -> Result<(), Unread> {
    let known = cursor.and_then(|it| time_of(it, principal));
    let since =
        known.map_or(now - TimeDelta::days(DAYS_BACK), |it| it - TimeDelta::hours(OVERLAP_HOURS));
    gather.brought.log_cursor = known.map(|it| cursor_of(principal, it));
    let (mut page, mut newest, mut links) = (Page::default(), known, FxHashSet::default());
    let mut next = None;
    for _ in 0..pages_max {
        let answer = answered(gather, next.as_deref(), &paths::log(principal, since)).await?;
        let seen = read(&answer.body, principal).map_err(|_| {
            let why = format!("the answer is no list of events: {}", who_answers(VENDOR));
            Unread::Failed(chain(&LiveError::NoList { url: url_of(&answer.requests), why }))
        })?;
        if let Some(request) = gather.brought.requests.last_mut() {
            request.n_rows = seen.n_seen;
        }
        newest = newest.max(seen.newest);
        page.add(seen);
        next = next_page(&answer).map_err(Unread::Failed)?;
        match &next {
            None => {
                page.keep(gather);
                gather.brought.log_cursor = newest.map(|it| cursor_of(principal, it));
                return Ok(());
            }
            Some(link) if links.insert(link.clone()) => {}
            Some(_) => {
                page.keep(gather);
                return Err(Unread::Failed("a page leads back to one that was read".to_owned()));
            }
        }
    }
    page.keep(gather);
    Err(Unread::Failed(format!("there is more of it than {pages_max} pages")))
}

/// Asks for a page. Keeps the requests.
async fn answered(gather: &mut Gather, next: Option<&str>, first: &str) -> Result<Answer, Unread> {
    let asked = match next {
        Some(link) => gather.reader.follow(link).await,
        None => gather.reader.get(first).await,
    };
    match asked {
        Ok(answer) => {
            gather.brought.requests.extend(answer.requests.iter().cloned());
            match answer.is_success() {
                true => Ok(answer),
                false if is_unlicensed(&answer.body) => Err(Unread::Unlicensed),
                false => Err(Unread::Failed(chain(&Asked::Log.refused(&answer)))),
            }
        }
        Err(mut error) => {
            gather.brought.requests.append(&mut error.requests);
            Err(Unread::Failed(chain(&Asked::Log.failed(error))))
        }
    }
}

/// What pages said.
#[derive(Debug, Default)]
struct Page {
    events: Vec<LogEvent>,
    /// Events of any kind.
    n_seen: u64,
    /// Events of a kind that matters which do not say when, whom or how it went.
    n_unusable: u64,
    newest: Option<DateTime<Utc>>,
}

impl Page {
    fn add(&mut self, mut other: Self) {
        self.events.append(&mut other.events);
        self.n_seen += other.n_seen;
        self.n_unusable += other.n_unusable;
    }

    /// Gives what was read to the pull: in order of time, each event once.
    fn keep(mut self, gather: &mut Gather) {
        self.events.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        self.events.dedup_by(|one, other| one.id == other.id);
        gather.brought.events = self.events;
        if self.n_unusable > 0 {
            gather.brought.troubles.push(Trouble::new(Watcher::SchemaChanged, format!(
                    "Events of the provisioning log that do not say when, whom or how it went: {}. They tell nothing. Look whether Entra changed its log.",
                    self.n_unusable
                )));
        }
    }
}

/// Reads one page of the log.
fn read(body: &[u8], principal: &str) -> Result<Page, serde_json::Error> {
    let Written { value } = serde_json::from_slice(body)?;
    let mut page = Page { n_seen: value.len() as u64, ..Page::default() };
    for event in value {
        page.newest = page.newest.max(instant(event.at.as_deref()));
        match event.meaning(principal) {
            Meaning::Nothing => {}
            Meaning::Unusable => page.n_unusable += 1,
            Meaning::Event(event) => page.events.push(event),
        }
    }
    Ok(page)
}

enum Meaning {
    Nothing,
    Unusable,
    Event(LogEvent),
}

impl Event {
    fn meaning(self, principal: &str) -> Meaning {
        let Some(action) = self.action else { return Meaning::Unusable };
        // A delete that is staged was not sent: the job is in quarantine then, and says so.
        if action != "disable" && action != "delete" {
            return Meaning::Nothing;
        }
        match self.principal.and_then(|it| it.id).as_deref() {
            Some(id) if id == principal => {}
            Some(_) => return Meaning::Nothing,
            None => return Meaning::Unusable,
        }
        let source = self.source.unwrap_or_default();
        if source.kind.is_some_and(|it| !it.eq_ignore_ascii_case("User")) {
            return Meaning::Nothing;
        }
        let kind = match self.status.and_then(|it| it.status).as_deref() {
            Some("success") => LogEventKind::Pushed,
            Some("failure") => LogEventKind::PushFailed,
            // What was skipped did not happen.
            Some(_) => return Meaning::Nothing,
            None => return Meaning::Unusable,
        };
        let at = instant(self.at.as_deref()).map(|it| it.trunc_subsecs(3));
        match (self.id, at, source.id.filter(|it| !it.is_empty())) {
            (Some(id), Some(at), Some(identity)) => {
                Meaning::Event(LogEvent { id, at, kind, identity })
            }
            _ => Meaning::Unusable,
        }
    }
}

/// The cursor as it is kept. It is of one app, so the app is kept with it.
fn cursor_of(principal: &str, at: DateTime<Utc>) -> String {
    format!("{principal} {}", at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The time of a cursor; `None` where it is of another app.
fn time_of(cursor: &str, principal: &str) -> Option<DateTime<Utc>> {
    instant(cursor.strip_prefix(principal)?.strip_prefix(' '))
}

#[derive(Deserialize)]
struct Written {
    value: Vec<Event>,
}

/// As much of an event as is read. Every member may be null or missing.
#[derive(Deserialize)]
struct Event {
    id: Option<Text>,
    #[serde(rename = "activityDateTime")]
    at: Option<String>,
    #[serde(rename = "provisioningAction")]
    action: Option<String>,
    #[serde(rename = "provisioningStatusInfo")]
    status: Option<Status>,
    #[serde(rename = "servicePrincipal")]
    principal: Option<Named>,
    #[serde(rename = "sourceIdentity")]
    source: Option<Named>,
}

#[derive(Deserialize)]
struct Status {
    status: Option<String>,
}

#[derive(Default, Deserialize)]
struct Named {
    id: Option<Text>,
    #[serde(rename = "identityType")]
    kind: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(action: &str, status: &str, more: &str) -> String {
        let body = format!(
            r#"{{"value":[{{"id":"e1","activityDateTime":"2026-02-01T10:31:05Z","provisioningAction":{action},
            "provisioningStatusInfo":{{"status":{status},"errorInformation":null}},
            "servicePrincipal":{{"id":"c1","displayName":null}},
            "sourceIdentity":{{"id":"a1","identityType":"User","details":{{}}}}{more}}}]}}"#
        );
        let page = read(body.as_bytes(), "c1").unwrap();
        assert_eq!(page.n_seen, 1);
        match page.events.as_slice() {
            [] if page.n_unusable == 1 => "unusable".to_owned(),
            [] => "nothing".to_owned(),
            [event] => format!("{} {} {}", event.kind, event.identity, event.at),
            _ => unreachable!("one event is one event"),
        }
    }

    #[test]
    fn events_say_whether_the_app_was_told() {
        let at = "a1 2026-02-01 10:31:05 UTC";
        for (action, status, said) in [
            (r#""disable""#, r#""success""#, format!("pushed {at}")),
            (r#""delete""#, r#""failure""#, format!("push_failed {at}")),
            (r#""disable""#, r#""skipped""#, "nothing".to_owned()),
            (r#""stagedDelete""#, r#""success""#, "nothing".to_owned()),
            (r#""create""#, r#""failure""#, "nothing".to_owned()),
            (r#""disable""#, "null", "unusable".to_owned()),
            ("null", r#""success""#, "unusable".to_owned()),
        ] {
            assert_eq!(one(action, status, ""), said, "{action} {status}");
        }
    }

    #[test]
    fn an_event_is_dated_as_exactly_as_it_is_kept() {
        let body = r#"{"value":[{"id":"e1","activityDateTime":"2026-02-01T10:31:05.1234567Z",
            "provisioningAction":"disable","provisioningStatusInfo":{"status":"success"},
            "servicePrincipal":{"id":"c1"},"sourceIdentity":{"id":"a1"}}]}"#;
        let page = read(body.as_bytes(), "c1").unwrap();
        assert_eq!(page.events[0].at.to_rfc3339(), "2026-02-01T10:31:05.123+00:00");
    }

    #[test]
    fn a_cursor_is_of_one_app() {
        let at = "2026-02-01T10:31:05Z".parse().unwrap();
        let cursor = cursor_of("c1", at);
        assert_eq!(time_of(&cursor, "c1"), Some(at));
        for (cursor, principal) in [(cursor.as_str(), "c2"), (cursor.as_str(), "c"), ("", "c1")] {
            assert_eq!(time_of(cursor, principal), None, "{cursor}, {principal}");
        }
    }
}
