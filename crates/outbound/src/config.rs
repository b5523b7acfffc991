//! What one source's client is told: where it may go, as whom, how fast, and how far.

use std::time::Duration;

use url::Url;

use crate::{Auth, Pace, Secret};

/// Settings of one source's client.
#[derive(Clone, Debug)]
pub struct Config {
    /// Scheme, host, port and path prefix; every request stays below it. `https`, or `http` to
    /// this machine; `http` elsewhere only with [`Auth::None`].
    pub base: Url,
    /// Certificates in PEM that are trusted besides those of the system; `None`: no others.
    /// Where the system has none, Mozilla's list as of this build stands in for it.
    pub ca_bundle: Option<Vec<u8>>,
    /// The proxy that everything goes through; `None`: straight. The environment is not asked.
    pub proxy: Option<ProxyConfig>,
    /// How far anything may go.
    pub limits: Limits,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// As whom.
    pub auth: Auth,
    /// Whose clock says how fast.
    pub pace: Pace,
    /// The `Accept` header.
    pub accept: &'static str,
}

/// An HTTP proxy.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// `http://host:port` or `https://host:port`, without credentials.
    pub url: Url,
    /// `user:password` for basic authentication; `None`: none is asked for.
    pub credentials: Option<Secret>,
}

/// How far one client goes. Each limit that is reached is an error, never a short answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body, in bytes, as it comes and decoded alike.
    pub body_bytes: u64,
    /// Most answers of one pull, each counted once however often it was tried.
    pub pages: u32,
    /// Most tries of one request, the first included.
    pub attempts: u32,
    /// Longest time to a connection, with name lookup and TLS.
    pub connect: Duration,
    /// Longest silence: no byte for so long.
    pub idle: Duration,
    /// Longest time of one try, to the last byte of the body.
    pub request: Duration,
    /// The first wait of our own before another try; it doubles with each. The real wait is
    /// between its half and its whole.
    pub backoff: Duration,
    /// The longest single wait that a server may ask for.
    pub wait: Duration,
    /// All waits of one pull together.
    pub waits: Duration,
    /// Share of each budget that the source states which may be used, in percent, 1 to 100; the
    /// rest is left for others.
    pub share_percent: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // An Okta page of 500 app users is 2 MB; some SCIM servers send all users at once,
            // 100 000 of them at 2 KB each.
            body_bytes: 256 << 20,
            // 20 million people at 200 a page.
            pages: 100_000,
            attempts: 6,
            connect: Duration::from_secs(10),
            // Okta gives a log query 30 s before it answers.
            idle: Duration::from_secs(60),
            request: Duration::from_secs(300),
            // 0.5 + 1 + 2 + 4 + 8 s at most over six tries: a restart of a server.
            backoff: Duration::from_millis(500),
            // Rate windows are a minute; Entra and others ask for up to five.
            wait: Duration::from_secs(300),
            waits: Duration::from_secs(3600),
            share_percent: 50,
        }
    }
}
