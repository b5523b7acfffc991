//! What a probe switches an account off with: PATCH to what lies below one URL, and nothing else.
//!
//! A type of its own, with a credential and a client of its own: whoever reads identity providers and
//! apps holds a [`Reader`](crate::Reader), from which there is no way to one of these. It follows no
//! redirect and tries nothing again: what was sent may have been acted upon.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{Clock, Request};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::error::Wrong;
use crate::exchange::{Shown, exchange};
use crate::poster::{Inner, failed};
use crate::{OutboundError, OutboundErrorKind, PosterConfig};

/// SCIM's media type (RFC 7644, 3.1).
const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// Sends PATCH below one URL.
#[derive(Clone)]
pub struct Patcher(Arc<Inner>);

/// What was answered, whatever the status.
#[derive(Clone, Debug)]
pub struct Patched {
    /// HTTP status. 3xx was not followed.
    pub status: u16,
    /// Its body; empty when there was none.
    pub body: Bytes,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// Its line, with the URL.
    pub requests: Vec<Request>,
}

impl Patcher {
    /// Sets the client up. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundErrorKind::Setting`] when the URL, a certificate or the credential cannot be
    /// used.
    pub fn new(config: &PosterConfig, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let inner = Inner::new(config, clock).map_err(|Wrong { setting, what }| {
            let kind = OutboundErrorKind::Setting { setting, what };
            failed("set up the client for", String::new(), kind)
        })?;
        Ok(Self(Arc::new(inner)))
    }

    /// The URL that `path` below the base stands for.
    ///
    /// # Errors
    ///
    /// For a path that leads elsewhere.
    pub fn url(&self, path: &str) -> Result<url::Url, OutboundError> {
        let url = self.0.scope.below(path);
        url.map_err(|why| self.failed(path, OutboundErrorKind::PathElsewhere { why }))
    }

    /// Sends one document to what `path` names; ids in it are percent-encoded.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundError`], with the line of the request, when there is no whole answer within the
    /// limits. It may have been acted upon all the same.
    pub async fn patch(&self, path: &str, body: Vec<u8>) -> Result<Patched, OutboundError> {
        let url = self.url(path)?;
        let shown = Shown::of(&url);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, SCIM_JSON);
        headers.insert(ACCEPT, SCIM_JSON);
        if let Some(value) = &self.0.authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        let mut request = reqwest::Request::new(Method::PATCH, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        let (inner, mut lines) = (&self.0, Vec::new());
        let answer =
            exchange(&inner.http, request, shown, &inner.limits, &*inner.clock, &mut lines).await;
        match answer {
            Ok(answer) => Ok(Patched {
                status: answer.status,
                body: answer.body,
                sent_at: answer.sent_at,
                requests: lines,
            }),
            Err(kind) => Err(OutboundError { requests: lines, ..self.failed(path, kind) }),
        }
    }

    fn failed(&self, path: &str, kind: OutboundErrorKind) -> OutboundError {
        let place = self.0.url.origin().ascii_serialization();
        failed("PATCH to", format!("{place} {path}"), kind)
    }
}

impl std::fmt::Debug for Patcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.0.url.origin().ascii_serialization();
        f.debug_struct("Patcher").field("place", &place).finish_non_exhaustive()
    }
}
