//! One try of one request: sent once, read to its end within its time and size, and kept as a
//! line. Decides nothing.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{Clock, Request};
use reqwest::header::CONTENT_ENCODING;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::address::{bare, shown};
use crate::body::{Body, BodyError};
use crate::{Headers, Limits, OutboundErrorKind};

/// An answer, whatever its status.
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
    pub(crate) sent_at: DateTime<Utc>,
    pub(crate) received_at: DateTime<Utc>,
}

/// How the URL of a request is shown.
pub(crate) struct Shown {
    /// In its line.
    pub(crate) line: String,
    /// In the log.
    pub(crate) log: String,
}

impl Shown {
    /// Without the values of secrets; in the log without the query, which may name people.
    pub(crate) fn of(url: &Url) -> Self {
        Self { line: shown(url), log: bare(url) }
    }
}

/// Sends `request` once and reads the answer. Pushes its line to `lines`, whatever happens.
pub(crate) async fn exchange(
    http: &reqwest::Client,
    request: reqwest::Request,
    as_shown: Shown,
    limits: &Limits,
    clock: &dyn Clock,
    lines: &mut Vec<Request>,
) -> Result<Exchange, OutboundErrorKind> {
    let mut line = Request {
        method: request.method().as_str().into(),
        url: as_shown.line.into(),
        status: None,
        n_bytes: 0,
        sha256: EMPTY_SHA256,
        date: None,
        request_id: None,
        n_rows: 0,
        duration_ms: 0,
        waited_ms: 0,
    };
    let (method, place) = (line.method.clone(), as_shown.log);
    let started = Instant::now();
    let result = read(http, request, limits, clock, &mut line).await;
    line.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &result {
        Ok(_) => tracing::debug!(
            status = line.status,
            n_bytes = line.n_bytes,
            duration_ms = line.duration_ms,
            "{method} `{place}` was answered"
        ),
        Err(kind) => tracing::debug!(
            duration_ms = line.duration_ms,
            "{method} `{place}` was not answered: {kind}"
        ),
    }
    lines.push(line);
    result
}

/// SHA-256 of nothing.
const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

async fn read(
    http: &reqwest::Client,
    request: reqwest::Request,
    limits: &Limits,
    clock: &dyn Clock,
    line: &mut Request,
) -> Result<Exchange, OutboundErrorKind> {
    let sent_at = clock.now();
    let mut patience = Patience { end: Instant::now() + limits.request, limits };
    // The connection has its own limit within this one.
    let silence = limits.connect.saturating_add(limits.idle);
    let answer = patience.wait("no answer", silence, http.execute(request)).await?;
    let mut answer = answer.map_err(|error| of_transport(error, 0, limits))?;

    let headers = Headers(std::mem::take(answer.headers_mut()));
    let status = answer.status().as_u16();
    line.status = Some(status);
    line.date = headers.date();
    line.request_id = request_id(&headers).map(Into::into);

    if answer.content_length().is_some_and(|n_bytes| n_bytes > limits.body_bytes) {
        return Err(OutboundErrorKind::TooLarge { limit: limits.body_bytes });
    }
    let mut body = new_body(&headers, limits)?;
    let result = fill(&mut body, &mut answer, &mut patience).await;
    line.n_bytes = body.n_bytes();
    line.sha256 = body.sha256();
    let n_bytes = body.n_bytes();
    let body = match result {
        Ok(()) => body.finish().map_err(|error| of_body(error, n_bytes, limits))?,
        Err(kind) => return Err(kind),
    };
    Ok(Exchange { status, headers, body, sent_at, received_at: clock.now() })
}

/// How long one try may still take.
struct Patience<'a> {
    end: Instant,
    limits: &'a Limits,
}

impl Patience<'_> {
    async fn wait<T>(
        &mut self,
        what: &'static str,
        silence: Duration,
        future: impl Future<Output = T>,
    ) -> Result<T, OutboundErrorKind> {
        let quiet = Instant::now() + silence;
        let elapsed = |_| match quiet < self.end {
            true => OutboundErrorKind::Timeout { what, after: silence },
            false => OutboundErrorKind::Timeout { what: "no end", after: self.limits.request },
        };
        timeout_at(quiet.min(self.end), future).await.map_err(elapsed)
    }
}

fn new_body(headers: &Headers, limits: &Limits) -> Result<Body, OutboundErrorKind> {
    let encoding: Vec<&str> = headers.all(CONTENT_ENCODING.as_str()).collect();
    let encoding = encoding.join(", ");
    Body::new(&encoding, limits.body_bytes).ok_or_else(|| {
        let encoding = encoding.chars().filter(|it| !it.is_control()).take(40).collect();
        OutboundErrorKind::Encoding { encoding }
    })
}

async fn fill(
    body: &mut Body,
    answer: &mut reqwest::Response,
    patience: &mut Patience<'_>,
) -> Result<(), OutboundErrorKind> {
    let limits = patience.limits;
    loop {
        let piece = patience.wait("no further byte", limits.idle, answer.chunk()).await?;
        match piece.map_err(|error| of_transport(error, body.n_bytes(), limits))? {
            Some(piece) => {
                let pushed = body.push(&piece);
                pushed.map_err(|error| of_body(error, body.n_bytes(), limits))?;
            }
            None => return Ok(()),
        }
    }
}

fn of_body(error: BodyError, n_bytes: u64, limits: &Limits) -> OutboundErrorKind {
    match error {
        BodyError::TooLarge => OutboundErrorKind::TooLarge { limit: limits.body_bytes },
        BodyError::Damaged(source) => OutboundErrorKind::Cut { n_bytes, source: source.into() },
    }
}

fn of_transport(error: reqwest::Error, n_bytes: u64, limits: &Limits) -> OutboundErrorKind {
    // Its own text would print the URL with its query.
    let source = error.without_url();
    if has_tls_error(&source) {
        OutboundErrorKind::Tls { source }
    } else if source.is_connect() && source.is_timeout() {
        OutboundErrorKind::Timeout { what: "no connection", after: limits.connect }
    } else if source.is_connect() {
        OutboundErrorKind::Connect { source }
    } else {
        OutboundErrorKind::Cut { n_bytes, source: source.into() }
    }
}

fn has_tls_error(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || wrapped.is_some_and(|it| it.is::<rustls::Error>()) {
            return true;
        }
        // An I/O error answers with the source of what it wraps, not with what it wraps.
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

/// The id under which the source knows the request: Okta's, Microsoft's, or the common name.
fn request_id(headers: &Headers) -> Option<&str> {
    const LEN_MAX: usize = 200;
    ["x-okta-request-id", "request-id", "x-request-id"]
        .into_iter()
        .find_map(|name| headers.get(name))
        .filter(|id| !id.is_empty() && id.len() <= LEN_MAX)
}
