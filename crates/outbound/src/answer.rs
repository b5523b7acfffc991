//! An answer as it came: status, headers, decoded body, and the line of each request behind it.

use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Request;
use reqwest::header::HeaderMap;
use url::Url;

use crate::address::bare;

/// What a source answered. Any status that another try would not change: 2xx, and 4xx such as
/// 401, 403 or 404. What a 404 means, the caller decides.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Its body, decoded; empty when there was none.
    pub body: Bytes,
    /// When the request that got this answer was sent, by our clock.
    pub sent_at: DateTime<Utc>,
    /// When its last byte had come, by our clock.
    pub received_at: DateTime<Utc>,
    /// One line for each request that was sent for it, in order, tries without an answer and
    /// requests for an access token included; the last is this answer. `n_rows` is 0: the caller
    /// counts. A try without an answer has no status; a body that was cut, what came of it.
    pub requests: Vec<Request>,
    pub(crate) place: Place,
}

/// Where an answer came from. Debug leaves the query out: it may name people.
#[derive(Clone)]
pub(crate) struct Place(pub(crate) Url);

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bare(&self.0))
    }
}

impl Answer {
    /// Returns true when the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A link of this answer in full, for [`Reader::follow`](crate::Reader::follow): a relative one
    /// is relative to where the answer came from, redirects included (RFC 3986, 5.1.3). What is no
    /// URL stays as it is, and is refused there.
    #[must_use]
    pub fn resolve(&self, link: &str) -> String {
        self.place.0.join(link).map_or_else(|_| link.to_owned(), String::from)
    }

    /// The answer's `Date`: when the source says that it answered. `None` when it does not say.
    #[must_use]
    pub fn date(&self) -> Option<DateTime<Utc>> {
        self.headers.date()
    }

    /// How far our clock is ahead of the source's, at receipt; negative: behind. `Date` has whole
    /// seconds, so up to a second is nothing. `None` without a `Date`.
    #[must_use]
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.date().map(|date| self.received_at - date)
    }
}

/// Headers of an answer. Debug prints their names only: values may be cookies.
#[derive(Clone, Default)]
pub struct Headers(pub(crate) HeaderMap);

impl Headers {
    /// The first value under `name`, in any case; `None` when there is none that is text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Each value under `name`, in any case and in order, one for each header line: Okta sends
    /// one `Link` line for each relation. Values that are no text are left out: see
    /// [`Headers::is_text`].
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    }

    /// Whether every value under `name` is text (visible ASCII), so that [`Headers::all`] gives all
    /// of them. True when there is none.
    #[must_use]
    pub fn is_text(&self, name: &str) -> bool {
        self.0.get_all(name).into_iter().all(|value| value.to_str().is_ok())
    }

    /// The `Date` header. `None` when it is missing or no HTTP date (RFC 9110, 5.6.7).
    pub(crate) fn date(&self) -> Option<DateTime<Utc>> {
        self.get("date").and_then(http_date)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Reads an HTTP date in any of its three forms.
pub(crate) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(text.trim()).ok().map(DateTime::from)
}
