//! Polls the system log: from 90 days back on the first run, and from where the last run stopped
//! on each later one.
//!
//! Source: Okta System Log query, polling requests. In this mode Okta gives every event once, in
//! the order in which it was kept, and always a `next` link: that link is the place to go on, a
//! time of ours never is. An empty page, or the same link again, means that we caught up.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{LogEvent, Request, Watcher};
use outbound::{Answer, OutboundError, OutboundErrorKind, Reader};

use super::refusal::Asked;
use super::{event, link, paths};
use crate::live::{LiveError, Trouble, chain};
use crate::walk::{Dialect as _, url_of, who_answers};

/// Days that are asked for at first; less where Okta refuses. It keeps events for 90 days, and
/// for 7 in free organisations.
const DAYS_BACK: [i64; 3] = [90, 30, 7];

/// Events of one page, which is the most.
const PAGE_EVENTS: u32 = 1000;

/// What polling brought.
#[derive(Debug, Default)]
pub(super) struct Polled {
    /// In order of time, each once.
    pub(super) events: Vec<LogEvent>,
    /// Where to go on; `None`: nowhere yet.
    pub(super) cursor: Option<String>,
    pub(super) requests: Vec<Request>,
    pub(super) troubles: Vec<Trouble>,
    /// Events of a kind that matters which do not say when, whom or how it went.
    pub(super) n_unusable: u64,
    /// Events of any kind.
    n_seen: u64,
}

/// Reads what is new in the log. `cursor` is what the last poll gave; `None`: there was none.
/// At most `pages_max` pages are read; the next poll goes on after them.
pub(super) async fn poll(
    reader: &Reader,
    app_id: &str,
    cursor: Option<&str>,
    now: DateTime<Utc>,
    pages_max: u32,
) -> Polled {
    let mut polled = Polled { cursor: cursor.map(str::to_owned), ..Polled::default() };
    let link = cursor.and_then(|it| link_of(it, app_id));
    let begun = match link {
        Some(link) => go_on(&mut polled, reader, app_id, link, now).await,
        None => begin(&mut polled, reader, app_id, now).await,
    };
    if let Err(why) = read_on(&mut polled, reader, app_id, begun, pages_max).await {
        polled.trouble(format!(
            "The system log could not be read to its end, so some leave times are not known: {why}"
        ));
    }
    if polled.n_unusable > 0 {
        polled.troubles.push(Trouble::new(Watcher::SchemaChanged, format!(
                "Events of the system log that do not say when, whom or how it went: {}. Their times are not known. Look whether Okta changed its log.",
                polled.n_unusable
            )));
    }
    polled.events.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    polled.events.dedup_by(|one, other| one.id == other.id);
    polled
}

/// An answer of the log, with the link that led to it; `None` for the first of all.
type Begun = Result<(Answer, Option<String>), String>;

/// Asks for the oldest page that Okta gives.
async fn begin(polled: &mut Polled, reader: &Reader, app_id: &str, now: DateTime<Utc>) -> Begun {
    let mut refused = String::new();
    for days in DAYS_BACK {
        let path = paths::log(app_id, now - TimeDelta::days(days), PAGE_EVENTS);
        let answer = polled.answered(reader.get(&path).await)?;
        if answer.is_success() {
            // What was there is of another app, or dead.
            polled.cursor = None;
            if Some(&days) != DAYS_BACK.first() {
                polled.trouble(format!(
                    "Okta refused to show the system log of more than {days} days. Who left before has no time of leaving from the log."
                ));
            }
            return Ok((answer, None));
        }
        refused = chain(&Asked::Log.refused(&answer));
        if answer.status != 400 {
            break;
        }
    }
    Err(refused)
}

/// Asks for what follows the last poll. A link that Okta no longer takes begins again.
async fn go_on(
    polled: &mut Polled,
    reader: &Reader,
    app_id: &str,
    link: &str,
    now: DateTime<Utc>,
) -> Begun {
    let answered = match reader.follow(link).await {
        // The organisation has another address by now.
        Err(OutboundError { kind: OutboundErrorKind::NextElsewhere { .. }, requests, .. }) => {
            polled.requests.extend(requests);
            return begin(polled, reader, app_id, now).await;
        }
        other => polled.answered(other)?,
    };
    if matches!(answered.status, 400 | 404 | 410) {
        return begin(polled, reader, app_id, now).await;
    }
    Ok((answered, Some(link.to_owned())))
}

/// Reads pages from the first answer on, until there is nothing new.
async fn read_on(
    polled: &mut Polled,
    reader: &Reader,
    app_id: &str,
    begun: Begun,
    pages_max: u32,
) -> Result<(), String> {
    let (mut answer, mut current) = begun?;
    let mut n_pages = 1;
    loop {
        let n_seen = polled.page(&answer, app_id)?;
        let next = link::of(&answer).map_err(|it| it.to_string())?;
        let Some(next) = next else {
            // Okta always gives one. Where it does not, the next poll asks for this page again.
            return Ok(());
        };
        polled.cursor = Some(cursor_of(app_id, &next));
        if n_seen == 0 || current.as_ref() == Some(&next) {
            return Ok(());
        }
        if n_pages >= pages_max {
            return Err(format!(
                "there is more of it than {pages_max} pages; the next run goes on from there"
            ));
        }
        n_pages += 1;
        answer = polled.answered(reader.follow(&next).await)?;
        current = Some(next);
    }
}

impl Polled {
    /// Keeps the requests of an answer.
    fn answered(&mut self, answered: Result<Answer, OutboundError>) -> Result<Answer, String> {
        match answered {
            Ok(answer) => {
                self.requests.extend(answer.requests.iter().cloned());
                Ok(answer)
            }
            Err(mut error) => {
                self.requests.append(&mut error.requests);
                Err(chain(&Asked::Log.failed(error)))
            }
        }
    }

    /// Takes the events of a page. Returns how many there were, of any kind.
    fn page(&mut self, answer: &Answer, app_id: &str) -> Result<u64, String> {
        if !answer.is_success() {
            return Err(chain(&Asked::Log.refused(answer)));
        }
        let page = event::read(&answer.body, app_id).map_err(|_| {
            let why = format!("the answer is no list of events: {}", who_answers("Okta"));
            chain(&LiveError::NoList { url: url_of(&answer.requests), why })
        })?;
        if let Some(request) = self.requests.last_mut() {
            request.n_rows = page.n_seen;
        }
        self.n_seen += page.n_seen;
        let n_rows = self.n_seen;
        tracing::debug!(target: "progress", list = "log", n_rows, "Read {n_rows} events of the log");
        self.n_unusable += page.n_unusable;
        self.events.extend(page.events);
        Ok(page.n_seen)
    }

    fn trouble(&mut self, text: String) {
        self.troubles.push(Trouble::new(Watcher::SnapshotIncomplete, text));
    }
}

/// The link as it is kept. It asks for the events of one app, so the app is kept with it.
fn cursor_of(app_id: &str, link: &str) -> String {
    format!("{app_id} {link}")
}

/// The link of a cursor; `None` where it is of another app.
fn link_of<'c>(cursor: &'c str, app_id: &str) -> Option<&'c str> {
    cursor.strip_prefix(app_id)?.strip_prefix(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_one_app() {
        let cursor = cursor_of("0oa1", "https://acme.okta.com/api/v1/logs?after=1");
        assert_eq!(link_of(&cursor, "0oa1"), Some("https://acme.okta.com/api/v1/logs?after=1"));
        for (cursor, app) in [(cursor.as_str(), "0oa2"), (cursor.as_str(), "0oa"), ("", "0oa1")] {
            assert_eq!(link_of(cursor, app), None, "{cursor}, {app}");
        }
    }
}
