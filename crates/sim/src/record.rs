//! Every request that came, so that tests can count them and say what must never have been sent.
//! Credentials are not kept: of an `Authorization` header only the scheme.

use chrono::{DateTime, Utc};

use crate::endpoint::Endpoint;
use crate::wire::Ask;

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// The identity provider.
    Okta,
    /// Microsoft Graph, with the token endpoint of Entra.
    Entra,
    /// OneLogin, with its token endpoint.
    OneLogin,
    /// The app.
    Scim,
    /// The app's own REST API.
    Secureframe,
    /// A third host, to which only faults lead: nobody has any business there.
    Elsewhere,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When it came, by the company's clock.
    pub at: DateTime<Utc>,
    /// Who was asked.
    pub server: Server,
    /// For what.
    pub endpoint: Endpoint,
    /// In capitals.
    pub method: String,
    /// As sent.
    pub path: String,
    /// As sent, without the `?`; `None`: there was none.
    pub query: Option<String>,
    /// Names of the headers in lower case, in order.
    pub headers: Vec<String>,
    /// `SSWS`, `Bearer`, `DPoP`; `None`: no `Authorization` header.
    pub scheme: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Names of the faults that it met.
    pub faults: Vec<&'static str>,
    /// The status that it was answered with; `None`: it never was.
    pub status: Option<u16>,
}

impl Recorded {
    pub(crate) fn new(at: DateTime<Utc>, server: Server, endpoint: Endpoint, ask: &Ask) -> Self {
        let mut headers: Vec<String> = ask.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        Self {
            at,
            server,
            endpoint,
            method: ask.method.to_string(),
            path: ask.path.clone(),
            query: ask.query.clone(),
            headers,
            // Secureframe's pair has none: its first half is the key.
            scheme: ask
                .credential()
                .filter(|_| server != Server::Secureframe)
                .map(|(scheme, _)| scheme.to_owned()),
            user_agent: ask.header("user-agent").map(str::to_owned),
            faults: Vec::new(),
            status: None,
        }
    }

    /// What this request must not have been, in words; empty: nothing is wrong with it.
    ///
    /// `secrets` are the texts that no URL may hold.
    #[must_use]
    pub fn offences(&self, secrets: &[String]) -> Vec<String> {
        let line = format!("{} {}", self.method, self.path);
        let mut found = Vec::new();
        if self.server == Server::Elsewhere {
            found.push(format!("{line} was sent to another host"));
        }
        if self.method != "GET" && !self.endpoint.gives_tokens() {
            found.push(format!("{line} is neither GET nor a token request"));
        }
        let url = format!("{}?{}", self.path, self.query.as_deref().unwrap_or_default());
        if secrets.iter().any(|it| url.contains(it.as_str())) {
            found.push(format!("{} to {:?} has a secret in its URL", self.method, self.endpoint));
        }
        if self.path.starts_with("/elsewhere/") {
            found.push(format!("{line} left the path prefix"));
        }
        found
    }
}
