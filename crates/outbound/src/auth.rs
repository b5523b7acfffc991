//! As whom requests are sent: the headers that say so, and what to do when they are refused.

use std::path::PathBuf;

use reqwest::header::HeaderValue;
use url::Url;

use crate::error::Wrong;
use crate::exchange::Exchange;
use crate::token::Session;
use crate::tries::Call;
use crate::{Certificate, OutboundError, Secret, SigningKey};

/// As whom requests are sent.
#[derive(Clone, Debug)]
pub enum Auth {
    /// As nobody.
    None,
    /// `Authorization: SSWS TOKEN`: an Okta API token.
    Ssws(Secret),
    /// `Authorization: Bearer TOKEN` (RFC 6750).
    Bearer(Secret),
    /// `Authorization: VALUE`, the whole value as given.
    Header(Secret),
    /// OAuth 2.0 client credentials.
    ServiceApp(ServiceApp),
}

/// A client of an OAuth 2.0 server that acts for itself (`client_credentials`: RFC 6749, 4.4).
#[derive(Clone, Debug)]
pub struct ServiceApp {
    /// The client's id.
    pub client_id: String,
    /// Where tokens are given: `https`, or `http` to this machine. For Okta
    /// `https://ORG/oauth2/v1/token`, for Entra `https://LOGIN/TENANT/oauth2/v2.0/token`.
    pub token_url: Url,
    /// Whether the token endpoint may be on another host than the base URL.
    pub token_elsewhere: bool,
    /// What is asked for; empty: whatever the server gives.
    pub scopes: Vec<String>,
    /// What shows that it is this client.
    pub proof: ClientProof,
    /// Whether tokens are bound to a key of this process (DPoP, RFC 9449).
    pub dpop: bool,
}

/// What shows the token endpoint that a request comes from the client.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// An assertion signed by a key that the server knows by its id (`private_key_jwt`: RFC 7523,
    /// 2.2).
    Key(SigningKey),
    /// An assertion signed by the key of a certificate that the server knows: PS256, with
    /// `x5t#S256`, as Entra takes it.
    Certificate(Certificate),
    /// A password of the client, in the body of the request (RFC 6749, 2.3.1).
    Secret(Secret),
    /// An assertion that another issuer made, in this file. It is read for each request, because
    /// who writes it replaces it before it expires (workload identity federation).
    Federated(PathBuf),
}

/// What makes the headers.
pub(crate) enum Authorizer {
    Nobody,
    Fixed(HeaderValue),
    App(Box<Session>),
}

/// The headers of one request, each marked as sensitive.
#[derive(Default)]
pub(crate) struct Pass {
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) dpop: Option<HeaderValue>,
    /// Which access token it is, counted from 1; 0: none.
    pub(crate) serial: u64,
}

impl Authorizer {
    pub(crate) fn new(auth: &Auth, base: &Url) -> Result<Self, Wrong> {
        let fixed = |scheme: &str, secret: &Secret| {
            let value = secrecy::zeroize::Zeroizing::new(format!("{scheme}{}", secret.expose()));
            sensitive(&value).filter(|_| !secret.expose().trim().is_empty()).map(Self::Fixed).ok_or(
                Wrong::new("auth", "the token is empty, or has characters that no header takes"),
            )
        };
        match auth {
            Auth::None => Ok(Self::Nobody),
            Auth::Ssws(token) => fixed("SSWS ", token),
            Auth::Bearer(token) => fixed("Bearer ", token),
            Auth::Header(value) => fixed("", value),
            Auth::ServiceApp(app) => Ok(Self::App(Box::new(Session::new(app.clone(), base)?))),
        }
    }

    /// The headers for a GET of `url`. Asks for an access token when there is none that is fresh.
    pub(crate) async fn pass(&self, url: &Url, call: &mut Call<'_>) -> Result<Pass, OutboundError> {
        match self {
            Self::Nobody => Ok(Pass::default()),
            Self::Fixed(value) => {
                Ok(Pass { authorization: Some(value.clone()), dpop: None, serial: 0 })
            }
            Self::App(session) => session.pass(url, call).await,
        }
    }

    /// Takes note of an answer. Returns true when it refuses a token, or a proof, that can be
    /// renewed: worth one more try each, which `renewals` counts.
    pub(crate) async fn is_worth_renewing(
        &self,
        answer: &Exchange,
        serial: u64,
        renewals: &mut Renewals,
    ) -> bool {
        match self {
            Self::Nobody | Self::Fixed(_) => false,
            Self::App(session) => session.is_worth_renewing(answer, serial, renewals).await,
        }
    }
}

/// What one call has renewed.
#[derive(Default)]
pub(crate) struct Renewals {
    pub(crate) nonce: bool,
    pub(crate) token: bool,
}

/// A header value that no log prints. `None` when it cannot be a value.
pub(crate) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
