//! A request as the systems see it, and an answer before it is sent. Values only: the systems
//! answer without a socket, and what sends the answer may still spoil it.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use url::form_urlencoded;

/// One request, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// GET, one hopes.
    pub(crate) method: Method,
    /// As sent, not decoded.
    pub(crate) path: String,
    /// As sent, not decoded, without the `?`.
    pub(crate) query: Option<String>,
    /// As sent.
    pub(crate) headers: HeaderMap,
    /// As sent.
    pub(crate) body: Bytes,
}

impl Ask {
    /// The parts of the path, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        // A plus sign in a path is a plus sign.
        let decode = |it: &str| {
            let it = it.replace('+', "%2B");
            let mut pairs = form_urlencoded::parse(it.as_bytes());
            pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
        };
        self.path.split('/').filter(|it| !it.is_empty()).map(decode).collect()
    }

    /// The first value of a query parameter, decoded. `?name` gives an empty text.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        pairs(self.query.as_deref().unwrap_or_default()).find(|(it, _)| it == name).map(|it| it.1)
    }

    /// A number in the query; `Some(Err)`: something that is no number.
    pub(crate) fn number(&self, name: &str) -> Option<Result<i64, String>> {
        self.param(name).map(|it| it.parse().map_err(|_| it))
    }

    /// The query without some parameters, encoded again.
    pub(crate) fn query_without(&self, names: &[&str]) -> form_urlencoded::Serializer<'_, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = pairs(self.query.as_deref().unwrap_or_default());
        query.extend_pairs(kept.filter(|(name, _)| !names.contains(&name.as_str())));
        query
    }

    /// A header as text; `None`: not sent, or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The scheme and the credential of the `Authorization` header.
    pub(crate) fn credential(&self) -> Option<(&str, &str)> {
        self.header("authorization")?.split_once(' ')
    }
}

/// Names and values of a query or a form, decoded.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In order; a name may stand twice.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Payload,
}

/// What an answer carries.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// JSON.
    Json(Value),
    /// Any text.
    Text(String),
    /// So many bytes of the beginning of a JSON list, made while they are sent.
    Endless(u64),
    /// Gzip that unpacks to so many bytes.
    Bomb(u64),
}

impl Answer {
    pub(crate) fn json(status: u16, media_type: &str, body: Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", media_type.to_owned())],
            body: Payload::Json(body),
        }
    }

    pub(crate) fn text(status: u16, media_type: &str, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", media_type.to_owned())],
            body: Payload::Text(body.to_owned()),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Is a header of this name there already?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(it, _)| *it == name)
    }
}

/// Where a page of a list begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Rows before it.
    pub(crate) start: usize,
    /// Rows in it at most.
    pub(crate) limit: usize,
}

/// Sets a member of a JSON object; nothing happens to anything else.
pub(crate) fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}

/// A time as both systems write it: UTC with milliseconds.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time as an HTTP header has it (RFC 9110, 5.6.7).
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    httpdate::fmt_http_date(time.into())
}
