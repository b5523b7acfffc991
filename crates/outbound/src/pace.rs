//! How fast: whose clock says when to ask again. Times are measured against the answer's own
//! `Date`, never against ours where it has one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use url::Url;

use crate::answer::http_date;
use crate::{Headers, Limits};

/// Whose clock says how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Okta's `x-rate-limit-limit`, `-remaining` and `-reset` on each answer. Once our share of a
    /// budget is spent, by whomever, the next request waits for the reset.
    Okta,
    /// OneLogin's `x-ratelimit-limit`, `-remaining` and `-reset` on each answer: one budget for the
    /// whole account, whose reset is in seconds left and no time.
    OneLogin,
    /// So many requests a minute, which the source documents and no answer states: our share of
    /// them is kept by our own count, in any minute. Otherwise as [`Pace::RetryAfter`].
    PerMinute(u32),
    /// `Retry-After` on a refusal, in seconds (whole or not) or as a date: SCIM servers and most
    /// others (RFC 9110, 10.2.3).
    RetryAfter,
}

/// What one source has said of its budgets.
#[derive(Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    /// Path prefix of the base URL, which is no part of a lane.
    prefix: usize,
    /// Until when each lane rests.
    rests: Mutex<HashMap<String, Instant>>,
    /// When the next request of an even pace is due; `None`: none was sent. Only for a source that
    /// does not count for us.
    due: Mutex<Option<Instant>>,
}

/// Lanes are few: what stands for an id is not in their names. A source that makes them many
/// loses what it said of them, not our memory.
const LANES_MAX: usize = 256;

impl Pacer {
    pub(crate) fn new(pace: Pace, base: &Url) -> Self {
        Self { pace, prefix: base.path().len(), rests: Mutex::default(), due: Mutex::default() }
    }

    /// The group of paths that a budget is kept for, as near as paths tell: Okta counts by path,
    /// where ids stand in the second and the fourth segment (`apps/ID/users/ID`).
    pub(crate) fn lane(&self, url: &Url) -> String {
        if matches!(self.pace, Pace::OneLogin | Pace::PerMinute(_)) {
            return String::new();
        }
        let path = url.path().get(self.prefix..).unwrap_or_default();
        let segments = path.split('/').take(4).enumerate();
        let named: Vec<&str> = segments
            .map(|(nth, segment)| if matches!(nth, 1 | 3) { "*" } else { segment })
            .collect();
        named.join("/")
    }

    /// How long a lane still rests; zero when it does not.
    pub(crate) fn rest(&self, lane: &str) -> Duration {
        let rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        rests.get(lane).map_or(Duration::ZERO, |until| until.duration_since(Instant::now()))
    }

    /// How long the next request has to wait so that no minute has more than our share; takes its
    /// place. Half of the share may go at once, and the other half follows evenly.
    pub(crate) fn turn(&self, limits: &Limits) -> Duration {
        let Pace::PerMinute(limit) = self.pace else { return Duration::ZERO };
        let half = (u64::from(limit) * u64::from(limits.share_percent) / 200).max(1);
        let minute = Duration::from_secs(60);
        let gap = minute / u32::try_from(half).unwrap_or(u32::MAX);
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mine = due.map_or(now, |it| it.max(now));
        *due = Some(mine + gap);
        mine.duration_since(now).saturating_sub(minute - gap)
    }

    /// Takes note of what an answer says of its lane's budget. A rest is [`Limits::wait`] at most:
    /// a reset further off than that is no promise worth keeping.
    pub(crate) fn note(
        &self,
        lane: String,
        headers: &Headers,
        received_at: DateTime<Utc>,
        limits: &Limits,
    ) {
        let Some(names) = self.pace.headers() else { return };
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        if rests.len() >= LANES_MAX {
            rests.clear();
        }
        let is_spent = is_spent(headers, names, limits.share_percent);
        match is_spent.then(|| self.pace.until_reset(headers, received_at)).flatten() {
            Some(wait) => rests.insert(lane, Instant::now() + wait.min(limits.wait)),
            None => rests.remove(&lane),
        };
    }

    /// How long a refusal (429 or 5xx) asks us to wait. `None` when it does not say, or when what
    /// it says is no promise: our own backoff is due then.
    pub(crate) fn asked(
        &self,
        status: u16,
        headers: &Headers,
        received_at: DateTime<Utc>,
    ) -> Option<Duration> {
        let Some(names) = self.pace.headers() else { return retry_after(headers, received_at) };
        // The reset comes with every answer. It says when to come back only to whom no request is
        // left.
        let is_left = number(headers, names.remaining).is_some_and(|it| it > 0);
        if status != 429 || is_left {
            return retry_after(headers, received_at);
        }
        if self.pace == Pace::Okta && number(headers, names.limit).is_some_and(|it| it <= 0) {
            // Too many at once. The reset says nothing of when one of them ends.
            return None;
        }
        let wait = self.pace.until_reset(headers, received_at);
        wait.or_else(|| retry_after(headers, received_at))
    }
}

/// Names of the headers that state a budget.
#[derive(Clone, Copy)]
struct Names {
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

impl Pace {
    /// The headers of who states a budget; `None`: it states none.
    const fn headers(self) -> Option<Names> {
        match self {
            Self::Okta => Some(Names {
                limit: "x-rate-limit-limit",
                remaining: "x-rate-limit-remaining",
                reset: "x-rate-limit-reset",
            }),
            Self::OneLogin => Some(Names {
                limit: "x-ratelimit-limit",
                remaining: "x-ratelimit-remaining",
                reset: "x-ratelimit-reset",
            }),
            Self::PerMinute(_) | Self::RetryAfter => None,
        }
    }

    /// Time until the budget is whole again, zero when it is. Okta says when, in epoch seconds,
    /// which is measured from the answer's `Date`, and from our clock where it has none; OneLogin
    /// says how many seconds are left.
    fn until_reset(self, headers: &Headers, received_at: DateTime<Utc>) -> Option<Duration> {
        let reset = number(headers, self.headers()?.reset)?;
        match self {
            Self::OneLogin => Some(positive(TimeDelta::try_seconds(reset)?)),
            Self::Okta | Self::PerMinute(_) | Self::RetryAfter => {
                let reset = DateTime::from_timestamp(reset, 0)?;
                Some(positive(reset - headers.date().unwrap_or(received_at)))
            }
        }
    }
}

/// Returns true when no more of a budget is left than what others may have.
fn is_spent(headers: &Headers, names: Names, share_percent: u32) -> bool {
    let (limit, remaining) = (number(headers, names.limit), number(headers, names.remaining));
    let others_percent = i64::from(100_u32.saturating_sub(share_percent));
    // A limit of 0 is Okta's on concurrent requests.
    limit.zip(remaining).is_some_and(|(limit, remaining)| {
        limit > 0 && remaining <= limit.saturating_mul(others_percent) / 100
    })
}

/// The wait that `Retry-After` asks for. `None` without one that can be read.
pub(crate) fn retry_after(headers: &Headers, received_at: DateTime<Utc>) -> Option<Duration> {
    asked_wait(headers.get("retry-after")?, headers.date().unwrap_or(received_at))
}

/// Reads how long a server asks us to wait: seconds, whole or not (`2.128`, as Entra sends), or an
/// HTTP date, measured from `date`. A date that is over asks for no wait. `None` for other text.
fn asked_wait(value: &str, date: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some(positive(http_date(value)? - date)),
    }
}

fn number(headers: &Headers, name: &str) -> Option<i64> {
    headers.get(name)?.trim().parse().ok()
}

fn positive(wait: TimeDelta) -> Duration {
    wait.to_std().unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const DATE: &str = "Mon, 05 Jan 2026 09:00:00 GMT"; // Epoch second 1767603600.

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Headers(map)
    }

    /// Our clock is an hour ahead of the source's: only its own `Date` may count.
    fn received_at() -> DateTime<Utc> {
        "2026-01-05T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn retry_after_in_all_its_forms() {
        let date = http_date(DATE).unwrap();
        #[rustfmt::skip]
        let table = [
            // value                           | wait, ms
            ( "7",                               Some(7_000)      ),
            ( " 0 ",                             Some(0)          ),
            ( "2.128",                           Some(2_128)      ),
            ( "Mon, 05 Jan 2026 09:00:30 GMT",   Some(30_000)     ),
            ( "Mon, 05 Jan 2026 08:59:00 GMT",   Some(0)          ), // Already over.
            ( "Monday, 05-Jan-26 09:00:30 GMT",  Some(30_000)     ),
            ( "86400",                           Some(86_400_000) ),
            ( "-1",                              None             ),
            ( "NaN",                             None             ),
            ( "inf",                             None             ),
            ( "1e300",                           None             ),
            ( "soon",                            None             ),
            ( "",                                None             ),
        ];
        for (value, wait_ms) in table {
            assert_eq!(asked_wait(value, date), wait_ms.map(Duration::from_millis), "`{value}`");
        }
    }

    #[test]
    fn okta_rests_when_its_share_of_a_budget_is_spent_until_the_reset_by_its_own_clock() {
        #[rustfmt::skip]
        let table = [
            // share, % | limit | remaining | reset        | rest, s
            ( 50,         "600",   "301",      "1767603630",  0  ),
            ( 50,         "600",   "300",      "1767603630",  30 ),
            ( 50,         "600",   "0",        "1767603630",  30 ),
            ( 90,         "600",   "61",       "1767603630",  0  ),
            ( 90,         "600",   "60",       "1767603630",  30 ),
            ( 100,        "600",   "1",        "1767603630",  0  ),
            ( 100,        "600",   "0",        "1767603630",  30 ),
            ( 1,          "600",   "594",      "1767603630",  30 ),
            ( 50,         "600",   "0",        "1767603590",  0  ), // Already over.
            ( 50,         "1",     "0",        "1767603601",  1  ),
            ( 50,         "0",     "0",        "1767603630",  0  ), // Too many at once: no budget.
            ( 50,         "600",   "0",        "1767690000",  60 ), // A day off: the longest wait.
            ( 50,         "600",   "0",        "soon",        0  ),
            ( 50,         "600",   "0",        "9223372036854775807", 0 ),
            ( 50,         "9223372036854775807", "0", "1767603630", 30 ),
            ( 50,         "",      "0",        "1767603630",  0  ),
        ];
        let base = Url::parse("https://org.test/").unwrap();
        for (share_percent, limit, remaining, reset, rest_s) in table {
            let pacer = Pacer::new(Pace::Okta, &base);
            let headers = headers(&[
                ("date", DATE),
                ("x-rate-limit-limit", limit),
                ("x-rate-limit-remaining", remaining),
                ("x-rate-limit-reset", reset),
            ]);
            let wait = Duration::from_secs(60);
            let limits = Limits { share_percent, wait, ..Limits::default() };
            pacer.note("users".to_owned(), &headers, received_at(), &limits);
            let rest_ms = pacer.rest("users").as_millis();
            let near = rest_ms <= rest_s * 1000 && rest_ms + 500 > rest_s * 1000;
            assert!(near, "{share_percent} {limit} {remaining} {reset}: {rest_ms} ms");
            assert_eq!(pacer.rest("apps"), Duration::ZERO);
        }
    }

    type Lines = &'static [(&'static str, &'static str)];

    #[test]
    fn a_refusal_is_read_by_the_clock_of_its_vendor() {
        const RESET: (&str, &str) = ("x-rate-limit-reset", "1767603612");
        #[rustfmt::skip]
        let table: [(Pace, Lines, Option<u64>); 7] = [
            ( Pace::Okta,       &[("date", DATE), ("x-rate-limit-limit", "600"), RESET], Some(12)   ),
            ( Pace::Okta,       &[("date", DATE), ("x-rate-limit-limit", "0"), RESET],   None       ),
            ( Pace::Okta,       &[("date", DATE), ("retry-after", "3")],                 Some(3)    ),
            ( Pace::Okta,       &[("date", DATE)],                                       None       ),
            ( Pace::RetryAfter, &[("date", DATE), RESET],                                None       ),
            ( Pace::RetryAfter, &[("date", DATE), ("retry-after", "Mon, 05 Jan 2026 09:00:05 GMT")], Some(5) ),
            // Without a `Date` our own clock has to do.
            ( Pace::RetryAfter, &[("retry-after", "Mon, 05 Jan 2026 10:00:05 GMT")],     Some(5)    ),
        ];
        for (pace, lines, wait_s) in table {
            let pacer = Pacer::new(pace, &Url::parse("https://org.test/").unwrap());
            let wait = pacer.asked(429, &headers(lines), received_at());
            assert_eq!(wait, wait_s.map(Duration::from_secs), "{pace:?} {lines:?}");
        }
    }

    #[test]
    fn the_reset_says_nothing_of_trouble_in_the_server_or_while_requests_are_left() {
        let pacer = Pacer::new(Pace::Okta, &Url::parse("https://org.test/").unwrap());
        let reset =
            [("date", DATE), ("x-rate-limit-limit", "600"), ("x-rate-limit-reset", "1767603612")];
        for (status, remaining, wait_s) in
            [(429, "0", Some(12)), (429, "7", None), (503, "0", None)]
        {
            let lines = [&reset[..], &[("x-rate-limit-remaining", remaining)]].concat();
            let wait = pacer.asked(status, &headers(&lines), received_at());
            assert_eq!(wait, wait_s.map(Duration::from_secs), "{status} {remaining}");
        }
    }

    #[test]
    fn onelogin_states_one_budget_for_all_paths_and_the_seconds_that_are_left() {
        let base = Url::parse("https://acme.test/api/").unwrap();
        let limits = Limits { share_percent: 50, ..Limits::default() };
        for (remaining, reset, rest_s) in
            [("2501", "90", 0), ("2500", "90", 90), ("0", "3312", 300), ("0", "-1", 0)]
        {
            let pacer = Pacer::new(Pace::OneLogin, &base);
            let headers = headers(&[
                ("date", DATE),
                ("x-ratelimit-limit", "5000"),
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset", reset),
            ]);
            let lane = pacer.lane(&base.join("2/users").unwrap());
            pacer.note(lane, &headers, received_at(), &limits);
            let other = pacer.lane(&base.join("1/events").unwrap());
            assert_eq!(pacer.rest(&other).as_secs_f64().round(), f64::from(rest_s), "{reset}");
        }
        let pacer = Pacer::new(Pace::OneLogin, &base);
        for (status, lines, wait_s) in [
            (429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")][..], Some(12)),
            (429, &[("x-ratelimit-reset", "12")], Some(12)),
            (429, &[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "12")], None),
            (429, &[("retry-after", "3")], Some(3)),
            (503, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")], None),
        ] {
            let wait = pacer.asked(status, &headers(lines), received_at());
            assert_eq!(wait, wait_s.map(Duration::from_secs), "{status} {lines:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_than_our_share_of_what_a_source_lets_pass() {
        let pacer = Pacer::new(Pace::PerMinute(500), &Url::parse("https://api.test/").unwrap());
        let limits = Limits { share_percent: 50, ..Limits::default() };
        let began = Instant::now();
        let mut sent = Vec::new();
        for _ in 0..600 {
            tokio::time::advance(pacer.turn(&limits)).await;
            sent.push(Instant::now() - began);
        }
        // 125 at once, as a small company needs; then one every 0.48 s.
        assert_eq!(sent[124], Duration::ZERO);
        assert_eq!(sent[125], Duration::from_millis(480));
        for (first, from) in sent.iter().enumerate() {
            let in_minute =
                sent[first..].iter().filter(|it| **it - *from < Duration::from_secs(60));
            assert!(in_minute.count() <= 250, "from {from:?}");
        }
        assert_eq!(sent[599].as_secs(), 228);
    }

    #[test]
    fn lanes_do_not_hold_ids() {
        let pacer = Pacer::new(Pace::Okta, &Url::parse("https://org.test/api/v1/").unwrap());
        for (path, lane) in [
            ("users?limit=200", "users"),
            ("users/00u1", "users/*"),
            ("apps/0oa1/users", "apps/*/users"),
            ("apps/0oa1/users/00u1", "apps/*/users/*"),
        ] {
            let url = Url::parse(&format!("https://org.test/api/v1/{path}")).unwrap();
            assert_eq!(pacer.lane(&url), lane, "`{path}`");
        }
    }
}
