//! What alerts and anchors are sent with: POST, and PUT where an object is made, to one URL that
//! the settings name and to what lies below it.
//!
//! A type of its own, with settings and a client of its own: whoever reads identity providers and
//! apps holds a [`Reader`](crate::Reader), from which there is no way to one of these. It follows
//! no redirect and tries nothing again: a refusal is an answer, and what to do about it is the
//! caller's to say. The URL is as secret as a password, so of it only the host is ever shown.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::Clock;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::address::{Scope, is_private};
use crate::auth::sensitive;
use crate::client::{Access, connections};
use crate::error::Wrong;
use crate::exchange::{Exchange, Shown, exchange};
use crate::pace::retry_after;
use crate::{Headers, Limits, OutboundError, OutboundErrorKind, ProxyConfig, Secret};

/// Settings of one poster.
#[derive(Clone, Debug)]
pub struct PosterConfig {
    /// The URL: `https`, or `http` to this machine or without `authorization`. A query is kept.
    pub url: Secret,
    /// Certificates in PEM that are trusted besides those of the system; `None`: no others.
    pub ca_bundle: Option<Vec<u8>>,
    /// The proxy that everything goes through; `None`: straight.
    pub proxy: Option<ProxyConfig>,
    /// Longest time to a connection, with name lookup and TLS.
    pub connect: Duration,
    /// Longest time of one request, to the last byte of its answer.
    pub request: Duration,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The whole `Authorization` header; `None`: none.
    pub authorization: Option<Secret>,
}

/// Sends POST to one URL, and to what lies below it. Cloning it is cheap.
#[derive(Clone)]
pub struct Poster(Arc<Inner>);

/// What a [`Poster`] and a [`Patcher`](crate::Patcher) are made of.
pub(crate) struct Inner {
    pub(crate) url: Url,
    pub(crate) scope: Scope,
    pub(crate) http: reqwest::Client,
    pub(crate) limits: Limits,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Longest answer that is read, in bytes: they are a word or a short document.
const ANSWER_LEN_MAX: u64 = 64 << 10;

/// What was answered, whatever the status.
#[derive(Clone, Debug)]
pub struct Posted {
    /// HTTP status. 3xx was not followed.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Its body; empty when there was none.
    pub body: Bytes,
    /// When its last byte had come, by our clock.
    pub received_at: DateTime<Utc>,
}

impl Posted {
    /// How long the server asks us to wait (`Retry-After`, RFC 9110, 10.2.3). `None`: it does not
    /// say, or says it in no form that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, self.received_at)
    }
}

impl Poster {
    /// Sets the client up. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundErrorKind::Setting`] when the URL, a certificate or a header value cannot
    /// be used.
    pub fn new(config: PosterConfig, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let inner = Inner::new(&config, clock).map_err(|Wrong { setting, what }| {
            let kind = OutboundErrorKind::Setting { setting, what };
            failed("set up the client for", String::new(), kind)
        })?;
        Ok(Self(Arc::new(inner)))
    }

    /// Sends one request to the URL itself.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundError`] when there is no whole answer within the limits. It may have been
    /// acted upon all the same.
    pub async fn post(
        &self,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Posted, OutboundError> {
        self.send(Method::POST, self.0.url.clone(), headers, body).await
    }

    /// Sends one request to what lies below the URL; `path` is relative to it, and ids in it are
    /// percent-encoded.
    ///
    /// # Errors
    ///
    /// As [`Poster::post`], and for a path that leads elsewhere.
    pub async fn post_below(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Posted, OutboundError> {
        self.send(Method::POST, self.below(&Method::POST, path)?, headers, body).await
    }

    /// Makes what `path` below the URL names, or a new version of it.
    ///
    /// # Errors
    ///
    /// As [`Poster::post_below`].
    pub async fn put_below(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Posted, OutboundError> {
        self.send(Method::PUT, self.below(&Method::PUT, path)?, headers, body).await
    }

    fn below(&self, method: &Method, path: &str) -> Result<Url, OutboundError> {
        let url = self.0.scope.below(path);
        url.map_err(|why| self.failed(method, OutboundErrorKind::PathElsewhere { why }))
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Posted, OutboundError> {
        let wrong =
            |what: &str| OutboundErrorKind::Setting { setting: "headers", what: what.into() };
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = sensitive(value)
                .ok_or_else(|| self.failed(&method, wrong("a value is no value of a header")))?;
            map.insert(HeaderName::from_static(name), value);
        }
        if let Some(value) = &self.0.authorization {
            map.insert(AUTHORIZATION, value.clone());
        }
        let mut request = reqwest::Request::new(method.clone(), url);
        *request.headers_mut() = map;
        *request.body_mut() = Some(body.into());
        let place = self.place();
        let shown = Shown { line: place.clone(), log: place };
        let (limits, clock, mut lines) = (&self.0.limits, &*self.0.clock, Vec::new());
        match exchange(&self.0.http, request, shown, limits, clock, &mut lines).await {
            Ok(Exchange { status, headers, body, received_at, .. }) => {
                Ok(Posted { status, headers, body, received_at })
            }
            Err(kind) => Err(OutboundError { requests: lines, ..self.failed(&method, kind) }),
        }
    }

    fn failed(&self, method: &Method, kind: OutboundErrorKind) -> OutboundError {
        let doing = if *method == Method::PUT { "PUT to" } else { "POST to" };
        failed(doing, self.place(), kind)
    }

    /// Scheme, host and port: all of the URL that may be shown.
    fn place(&self) -> String {
        self.0.url.origin().ascii_serialization()
    }
}

impl Inner {
    pub(crate) fn new(config: &PosterConfig, clock: Arc<dyn Clock>) -> Result<Self, Wrong> {
        let url = Url::parse(config.url.expose().trim())
            .map_err(|error| Wrong { setting: "url", what: format!("is no address ({error})") })?;
        // The query is the secret of some webhooks: it stays, and nothing lies below it.
        let mut base = url.clone();
        base.set_query(None);
        let scope = Scope::new(&base).map_err(|what| Wrong { setting: "url", what })?;
        if config.authorization.is_some() && !is_private(&url) {
            return Err(Wrong::new("url", "would send the credential in clear: use `https`"));
        }
        let limits = Limits {
            body_bytes: ANSWER_LEN_MAX,
            connect: config.connect,
            idle: config.request,
            request: config.request,
            ..Limits::default()
        };
        let authorization = config.authorization.as_ref().map(|it| {
            let value = sensitive(it.expose()).filter(|_| !it.expose().trim().is_empty());
            value.ok_or(Wrong::new(
                "authorization",
                "is empty, or has characters that no header takes",
            ))
        });
        let access = Access {
            ca_bundle: config.ca_bundle.as_deref(),
            proxy: config.proxy.as_ref(),
            user_agent: &config.user_agent,
            connect: config.connect,
        };
        let http = connections(&access)?;
        Ok(Self { url, scope, http, limits, authorization: authorization.transpose()?, clock })
    }
}

pub(crate) fn failed(doing: &'static str, place: String, kind: OutboundErrorKind) -> OutboundError {
    OutboundError { doing, url: place.into(), requests: Vec::new(), kind }
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poster").field("place", &self.place()).finish_non_exhaustive()
    }
}
