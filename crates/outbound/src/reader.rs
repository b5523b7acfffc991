//! The view that connectors get: GET, below one path of one host, within the budgets of one pull.

use std::sync::Arc;

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::address::{bare, bare_link};
use crate::answer::Place;
use crate::auth::{Pass, Renewals};
use crate::budget::Budget;
use crate::client::Core;
use crate::exchange::Exchange;
use crate::tries::{Call, Tries};
use crate::{Answer, OutboundError, OutboundErrorKind};

/// Sends GET, and nothing else, below the base URL. Clones share the budgets of one pull.
#[derive(Clone)]
pub struct Reader {
    core: Arc<Core>,
    budget: Arc<Budget>,
}

/// Most redirects of one request.
const REDIRECTS_MAX: u32 = 5;

/// Headers that a caller may set. No others: some servers take `X-HTTP-Method-Override` as the
/// method, and a reader sends GET.
const HEADERS: &[&str] =
    &["accept", "accept-language", "consistencylevel", "content-type", "prefer"];

impl Reader {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, budget: Arc::default() }
    }

    /// The same source with fresh budgets of pages and waits: one for each pull.
    #[must_use]
    pub fn new_pull(&self) -> Self {
        Self::new(Arc::clone(&self.core))
    }

    /// Asks for `path_and_query`, relative to the base URL with or without a leading slash. Ids in
    /// it must be percent-encoded.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundError`] when there is no final answer within the limits.
    pub async fn get(&self, path_and_query: &str) -> Result<Answer, OutboundError> {
        self.get_with(path_and_query, &[]).await
    }

    /// Like [`Reader::get`], with more headers: `accept` (instead of that of the settings),
    /// `accept-language`, `consistencylevel`, `content-type` and `prefer`.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundError`] when there is no final answer within the limits, or for any other
    /// header.
    pub async fn get_with(
        &self,
        path_and_query: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        let base = self.core.scope.base();
        let headers = more(headers).map_err(|kind| failed(base, kind))?;
        let url = self.core.scope.below(path_and_query);
        let url = url.map_err(|why| failed(base, OutboundErrorKind::PathElsewhere { why }))?;
        self.ask(url, &headers).await
    }

    /// Asks for the next page. `next` is as [`Answer::resolve`] gives it; a relative one counts from
    /// the base URL. It must stay on the base URL's scheme, host and port and below its path.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundErrorKind::NextElsewhere`] for a link that leads elsewhere, without
    /// following it; otherwise as [`Reader::get`].
    pub async fn follow(&self, next: &str) -> Result<Answer, OutboundError> {
        self.follow_with(next, &[]).await
    }

    /// Like [`Reader::follow`], with more headers, as [`Reader::get_with`] takes them.
    ///
    /// # Errors
    ///
    /// As [`Reader::follow`], and for any other header.
    pub async fn follow_with(
        &self,
        next: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        let base = self.core.scope.base();
        let headers = more(headers).map_err(|kind| failed(base, kind))?;
        let url = self.core.scope.link(base, next).map_err(|why| {
            failed(base, OutboundErrorKind::NextElsewhere { next: bare_link(base, next), why })
        })?;
        self.ask(url, &headers).await
    }

    /// How far our clock is ahead of the source's, by the answers of this pull; negative: behind.
    /// `None`: no answer had a `Date`.
    #[must_use]
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.budget.clock_skew()
    }

    async fn ask(&self, url: Url, headers: &HeaderMap) -> Result<Answer, OutboundError> {
        let limits = &self.core.config.limits;
        self.budget.take_page(limits).map_err(|kind| failed(&url, kind))?;
        let mut call = Call::new(&self.core, &self.budget);
        match call.get(url, headers).await {
            Ok((Exchange { status, headers, body, sent_at, received_at }, url)) => {
                let (requests, place) = (call.lines, Place(url));
                let answer =
                    Answer { status, headers, body, sent_at, received_at, requests, place };
                if let Some(skew) = answer.clock_skew() {
                    self.budget.note_clock_skew(skew);
                }
                Ok(answer)
            }
            Err(error) => Err(OutboundError { requests: call.lines, ..error }),
        }
    }
}

impl Call<'_> {
    /// GET, through refusals, redirects and renewals, to an answer that stays as it is, and where
    /// it came from.
    async fn get(
        &mut self,
        url: Url,
        headers: &HeaderMap,
    ) -> Result<(Exchange, Url), OutboundError> {
        let core = self.core;
        let limits = &core.config.limits;
        let mut url = url;
        let (mut tries, mut renewals, mut n_redirects) = (Tries::default(), Renewals::default(), 0);
        loop {
            let lane = core.pacer.lane(&url);
            let rest = core.pacer.rest(&lane).max(core.pacer.turn(limits));
            if !rest.is_zero() {
                self.budget.take_wait(rest, limits).map_err(|kind| failed(&url, kind))?;
                self.wait(rest, "our share of its rate limit is spent").await;
            }
            let pass = core.auth.pass(&url, self).await?;
            let serial = pass.serial;
            let request = core.get_request(url.clone(), headers, pass);
            let sent = self.send(request, limits, &mut tries).await;
            let Some(answer) = sent.map_err(|kind| failed(&url, kind))? else { continue };
            core.pacer.note(lane, &answer.headers, answer.received_at, limits);
            if core.auth.is_worth_renewing(&answer, serial, &mut renewals).await {
                continue;
            }
            let Some(to) = redirect(&answer) else { return Ok((answer, url)) };
            n_redirects += 1;
            url = core.redirected(&url, &answer, to, n_redirects)?;
        }
    }
}

impl Core {
    fn get_request(&self, url: Url, headers: &HeaderMap, pass: Pass) -> reqwest::Request {
        let mut request = reqwest::Request::new(Method::GET, url);
        let map = request.headers_mut();
        if let Ok(accept) = HeaderValue::from_str(self.config.accept) {
            map.insert(ACCEPT, accept);
        }
        map.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        map.extend(headers.clone());
        if let Some(value) = pass.authorization {
            map.insert(AUTHORIZATION, value);
        }
        if let Some(value) = pass.dpop {
            map.insert("dpop", value);
        }
        request
    }

    fn redirected(
        &self,
        from: &Url,
        answer: &Exchange,
        to: &str,
        n_redirects: u32,
    ) -> Result<Url, OutboundError> {
        let link = self.scope.link(from, to);
        let link = if n_redirects > REDIRECTS_MAX { Err("one redirect too many") } else { link };
        link.map_err(|why| {
            let (status, to) = (answer.status, bare_link(from, to));
            failed(from, OutboundErrorKind::Redirected { status, to, why })
        })
    }
}

/// Where an answer sends us; `None` when it is no redirect.
fn redirect(answer: &Exchange) -> Option<&str> {
    let is_redirect = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    is_redirect.then(|| answer.headers.get("location")).flatten()
}

fn more(headers: &[(&str, &str)]) -> Result<HeaderMap, OutboundErrorKind> {
    let wrong = |what| OutboundErrorKind::Setting { setting: "headers", what };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let allowed = HEADERS.iter().find(|it| it.eq_ignore_ascii_case(name));
        let Some(allowed) = allowed else {
            return Err(wrong(format!("`{name}` is not for a reader to set")));
        };
        let value = HeaderValue::from_str(value)
            .map_err(|_| wrong(format!("the value of `{name}` is no value of a header")))?;
        map.insert(HeaderName::from_static(allowed), value);
    }
    Ok(map)
}

fn failed(url: &Url, kind: OutboundErrorKind) -> OutboundError {
    OutboundError { doing: "GET", url: bare(url).into(), requests: Vec::new(), kind }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("base", &bare(self.core.scope.base()))
            .finish_non_exhaustive()
    }
}
