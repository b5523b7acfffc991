//! One source's client: set up once from its settings, shared by all its readers.

use std::sync::Arc;
use std::time::Duration;

use domain::Clock;
use reqwest::header::HeaderValue;
use url::Url;

use crate::address::{Scope, bare, is_private};
use crate::auth::Authorizer;
use crate::error::Wrong;
use crate::pace::Pacer;
use crate::{Auth, Config, OutboundError, OutboundErrorKind, ProxyConfig, Reader, tls};

/// One source's client: its connections, its access token, and what it knows of its budget.
/// Cloning it is cheap and shares all of these.
#[derive(Clone)]
pub struct Client(Arc<Core>);

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) scope: Scope,
    pub(crate) http: reqwest::Client,
    pub(crate) auth: Authorizer,
    pub(crate) pacer: Pacer,
}

impl Client {
    /// Sets the client up. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`OutboundErrorKind::Setting`] when a URL, a certificate or a header value cannot
    /// be used.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let url = bare(&config.base).into();
        let core = Core::new(config, clock).map_err(|Wrong { setting, what }| OutboundError {
            doing: "set up the client for",
            url,
            requests: Vec::new(),
            kind: OutboundErrorKind::Setting { setting, what },
        })?;
        Ok(Self(Arc::new(core)))
    }

    /// A view that sends GET only, with fresh budgets for one pull.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.0))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &bare(self.0.scope.base())).finish_non_exhaustive()
    }
}

impl Core {
    fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Wrong> {
        let scope = Scope::new(&config.base).map_err(|what| Wrong { setting: "base", what })?;
        if !matches!(config.auth, Auth::None) && !is_private(scope.base()) {
            return Err(Wrong::new("base", "would send the credential in clear: use `https`"));
        }
        if HeaderValue::from_str(config.accept).is_err() {
            return Err(Wrong::new("accept", "is no value of a header"));
        }
        if config.limits.attempts == 0 || config.limits.pages == 0 {
            return Err(Wrong::new(
                "limits",
                "allow nothing: `attempts` and `pages` are 1 or more",
            ));
        }
        if !(1..=100).contains(&config.limits.share_percent) {
            return Err(Wrong::new("limits", "leave no budget: `share_percent` is 1 to 100"));
        }
        let auth = Authorizer::new(&config.auth, scope.base())?;
        let pacer = Pacer::new(config.pace, scope.base());
        let http = connections(&Access {
            ca_bundle: config.ca_bundle.as_deref(),
            proxy: config.proxy.as_ref(),
            user_agent: &config.user_agent,
            connect: config.limits.connect,
        })?;
        Ok(Self { config, clock, scope, http, auth, pacer })
    }
}

/// How connections are made.
pub(crate) struct Access<'a> {
    pub(crate) ca_bundle: Option<&'a [u8]>,
    pub(crate) proxy: Option<&'a ProxyConfig>,
    pub(crate) user_agent: &'a str,
    pub(crate) connect: Duration,
}

pub(crate) fn connections(access: &Access<'_>) -> Result<reqwest::Client, Wrong> {
    let tls = tls::client_config(access.ca_bundle)
        .map_err(|what| Wrong { setting: "ca_bundle", what })?;
    let user_agent = HeaderValue::from_str(access.user_agent)
        .map_err(|_| Wrong::new("user_agent", "is no value of a header: use plain characters"))?;
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // A few requests in flight need no streams, and what goes wrong is easier to see.
        .http1_only()
        // Redirects and further tries are ours: each request is a line, and has its own proof.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(user_agent)
        .connect_timeout(access.connect)
        // Not from the environment.
        .no_proxy();
    if let Some(proxy) = access.proxy {
        builder = builder.proxy(through(proxy)?);
    }
    builder.build().map_err(|error| Wrong { setting: "base", what: error.to_string() })
}

const NO_PROXY: &str =
    "is no `http://HOST:PORT` or `https://HOST:PORT`: give its credentials apart";

/// Reads the URL of a proxy.
///
/// # Errors
///
/// Returns what is wrong with it, without the text: no `http` or `https` URL with a host, or one with a
/// user or a password.
pub fn proxy_url(text: &str) -> Result<Url, &'static str> {
    Url::parse(text).ok().filter(is_plain_proxy).ok_or(NO_PROXY)
}

fn through(config: &ProxyConfig) -> Result<reqwest::Proxy, Wrong> {
    if !is_plain_proxy(&config.url) {
        return Err(Wrong::new("proxy", NO_PROXY));
    }
    let proxy = reqwest::Proxy::all(config.url.clone())
        .map_err(|_| Wrong::new("proxy", "is no `http://HOST:PORT`"))?;
    let Some(credentials) = &config.credentials else { return Ok(proxy) };
    let (user, password) = credentials
        .expose()
        .split_once(':')
        .ok_or_else(|| Wrong::new("proxy", "its credentials are no `user:password`"))?;
    Ok(proxy.basic_auth(user, password))
}

fn is_plain_proxy(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
}
