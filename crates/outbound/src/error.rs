//! Why a source gave no answer: where outside, why inside, one variant per reaction.

use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use domain::{Request, Text};

/// A request that ended without an answer, or a client that could not be set up. Says what was
/// asked; [`OutboundErrorKind`] says why. Holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing} `{url}`{}", tries(.requests))]
pub struct OutboundError {
    /// What was done: `GET`, `get a token from`, `set up the client for`.
    pub doing: &'static str,
    /// The URL, without its query, which may name people, and without secrets.
    pub url: Text,
    /// One line for each request that was sent, in order; empty when none was.
    pub requests: Vec<Request>,
    /// Why, and what to do.
    #[source]
    pub kind: OutboundErrorKind,
}

/// One variant per reaction. Every text ends in what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboundErrorKind {
    /// The settings of the client, or a header given to it, are wrong.
    #[error("`{setting}`: {what}")]
    Setting {
        /// Which, by its name in [`Config`](crate::Config).
        setting: &'static str,
        /// What is wrong and what to do.
        what: String,
    },

    /// No connection: name lookup, refused, unreachable, or the proxy.
    #[error("no connection: check the host name, the network, and `proxy` if there is one")]
    Connect {
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },

    /// The TLS handshake failed, mostly over the certificate.
    #[error(
        "no secure connection: if a proxy or an own authority signs the certificate, give it in `ca_bundle`"
    )]
    Tls {
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },

    /// Nothing came for too long.
    #[error("{what} within {after:?}: ask again later{}", of_timeout(.what))]
    Timeout {
        /// What did not happen: `no connection`, `no answer`, `no further byte`, `no end`.
        what: &'static str,
        /// The limit.
        after: Duration,
    },

    /// The body ended, or the connection broke, before its end.
    #[error(
        "the answer was cut off after {n_bytes} bytes: ask again later, or look at the proxy between"
    )]
    Cut {
        /// Bytes of the body that had come, as they came.
        n_bytes: u64,
        /// What the transport or the decoder said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The body is compressed in a way that we did not ask for.
    #[error(
        "the answer is encoded as `{encoding}`, which was not asked for: look at the proxy between"
    )]
    Encoding {
        /// The `Content-Encoding` header.
        encoding: String,
    },

    /// The body is longer than the limit.
    #[error("the answer is longer than {limit} bytes: ask for smaller pages, or raise `body_max`")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },

    /// The pull took as many answers as it may.
    #[error(
        "more than {limit} pages in one pull: the list may have no end; if it has, raise `pages_max`"
    )]
    TooManyPages {
        /// The limit.
        limit: u32,
    },

    /// The source asks us to wait longer than we may, or over and over.
    #[error(
        "asked to wait {asked:?} more, and {why}: ask again later, or give this credential a larger share"
    )]
    RateLimited {
        /// How long it asks for; our own backoff where it does not say.
        asked: Duration,
        /// Which limit that exceeds.
        why: String,
    },

    /// HTTP 5xx, to the last try.
    #[error("HTTP {status}: the server is in trouble, ask again later")]
    Server {
        /// The last status.
        status: u16,
        /// How its body begins, for an error code of the vendor. Not printed.
        body: Excerpt,
    },

    /// It redirects out of where we may go, or in circles.
    #[error("HTTP {status} leads to `{to}`, {why}: correct the base URL")]
    Redirected {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to, without secrets.
        to: String,
        /// Why that is not followed.
        why: &'static str,
    },

    /// The link to the next page leaves where we may go. The credential was not sent there.
    #[error(
        "the next page is said to be at `{next}`, {why}: correct the base URL, or ask who answers there"
    )]
    NextElsewhere {
        /// The link, without secrets.
        next: String,
        /// Why that is not followed.
        why: &'static str,
    },

    /// A path of ours leaves where we may go. An id of the source was not escaped.
    #[error("{why}: the request was not sent, report this")]
    PathElsewhere {
        /// Why it was not sent.
        why: &'static str,
    },

    /// The token endpoint refused.
    #[error("no access token, HTTP {status} `{code}`{}{}", said(.description), cure(.code, .description, *.clock_skew))]
    TokenRefused {
        /// HTTP status.
        status: u16,
        /// The OAuth error code (RFC 6749, 5.2); `-` when the answer has none.
        code: Text,
        /// Its `error_description`, shortened, without anything like a token or an address;
        /// empty when there is none.
        description: Text,
        /// How far our clock is ahead of the server's; `None` when it did not say.
        clock_skew: Option<TimeDelta>,
    },

    /// The token endpoint gave what is no access token.
    #[error("the token endpoint's answer is no access token, {what}: check `token_url`")]
    TokenAnswer {
        /// What is wrong with it.
        what: String,
    },
}

/// How the body of a refusal begins, 4 KiB at most. Debug prints its length only: it may name
/// people.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Excerpt(pub Bytes);

impl Excerpt {
    const LEN_MAX: usize = 4 << 10;

    /// The beginning of a body.
    pub(crate) fn of(body: &Bytes) -> Self {
        Self(body.slice(..body.len().min(Self::LEN_MAX)))
    }
}

impl std::fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Excerpt({} bytes)", self.0.len())
    }
}

/// A setting that cannot be used.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) setting: &'static str,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn new(setting: &'static str, what: &str) -> Self {
        Self { setting, what: what.to_owned() }
    }
}

impl OutboundErrorKind {
    /// Returns true when waiting, and nothing else, may cure it.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Cut { .. }
            | Self::RateLimited { .. }
            | Self::Server { .. } => true,
            Self::Setting { .. }
            | Self::Tls { .. }
            | Self::Encoding { .. }
            | Self::TooLarge { .. }
            | Self::TooManyPages { .. }
            | Self::Redirected { .. }
            | Self::NextElsewhere { .. }
            | Self::PathElsewhere { .. }
            | Self::TokenRefused { .. }
            | Self::TokenAnswer { .. } => false,
        }
    }
}

/// How often, when more than once.
fn tries(requests: &[Request]) -> String {
    match requests.len() {
        0 | 1 => String::new(),
        n => format!(", in {n} requests"),
    }
}

fn said(description: &str) -> String {
    if description.is_empty() { String::new() } else { format!(" ({description})") }
}

/// The limit to raise, where the settings have one.
fn of_timeout(what: &str) -> &'static str {
    match what {
        "no connection" => ", or raise `connect_timeout`",
        "no end" => ", or raise `request_timeout`",
        _ => "",
    }
}

/// What to do about a refused token. A wrong clock is the cause that nobody looks for.
fn cure(code: &str, description: &str, clock_skew: Option<TimeDelta>) -> String {
    /// Servers allow some; a minute is past what most of them do.
    const NOTABLE_S: i64 = 60;
    let skew_s = clock_skew.map_or(0, |skew| skew.num_seconds());
    if let Some(what) = of_entra(description) {
        return format!(": {what}");
    }
    match code {
        "invalid_dpop_proof" if skew_s.abs() <= NOTABLE_S => {
            ": the server wants tokens bound to a key, switch `dpop` on".to_owned()
        }
        "invalid_scope" => ": grant the scopes to the client".to_owned(),
        _ if skew_s > NOTABLE_S => format!(": set the clock, it is {skew_s} s ahead of the server"),
        _ if skew_s < -NOTABLE_S => {
            format!(": set the clock, it is {} s behind the server", -skew_s)
        }
        _ => ": check the client id, and that the server knows this key or secret".to_owned(),
    }
}

/// What to do, by the number of Entra that a description begins with (`AADSTS7000222: ...`).
///
/// Source: Microsoft Entra authentication and authorization error codes.
fn of_entra(description: &str) -> Option<&'static str> {
    let number = description.strip_prefix("AADSTS")?.split(':').next()?;
    Some(match number {
        "7000222" => "the client secret has expired, make a new one for the app registration",
        "7000215" => "the client secret is wrong, give its value and not its id",
        "700016" => "the app registration is not in this tenant, check `client_id` and `tenant`",
        "90002" => "there is no such tenant in this cloud, check `tenant` and `cloud`",
        "700027" => "the app registration does not have this certificate, upload it there",
        "53003" => "conditional access blocks this client, exempt it there",
        _ => return None,
    })
}
