//! Access tokens: asked for with what proves the client, kept until shortly before their end,
//! renewed once when refused, and bound to a key of this process where the server wants it (DPoP).

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use crate::address::{bare, is_private, same_place};
use crate::auth::{ClientProof, Pass, Renewals, sensitive};
use crate::error::Wrong;
use crate::exchange::Exchange;
use crate::jwt::{self, Proof};
use crate::token_answer::{Granted, granted, refusal};
use crate::tries::{Call, Tries};
use crate::{Headers, Limits, OutboundError, OutboundErrorKind, Secret, ServiceApp, SigningKey};

/// Longest answer of a token endpoint, in bytes: tokens are a few KiB.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Lives of tokens that we believe: a day at most, so that nothing overflows.
pub(crate) const LIFE_MAX: Duration = Duration::from_secs(86_400);

/// What a service app holds while the process lives.
pub(crate) struct Session {
    app: ServiceApp,
    dpop: Option<Dpop>,
    /// Held while a token is asked for, so that requests at once share one.
    slot: tokio::sync::Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    token: Option<Token>,
    /// How many tokens there have been.
    serial: u64,
}

struct Token {
    value: Secret,
    fresh_until: Instant,
}

/// The key that tokens are bound to, and what the servers want to see in the next proof. The token
/// endpoint and the API give nonces of their own (RFC 9449, 8 and 9).
struct Dpop {
    key: SigningKey,
    token_nonce: Mutex<Option<String>>,
    api_nonce: Mutex<Option<String>>,
}

impl Session {
    pub(crate) fn new(app: ServiceApp, base: &Url) -> Result<Self, Wrong> {
        if !is_private(&app.token_url) {
            return Err(Wrong::new("token_url", "would send the credential in clear: use `https`"));
        }
        if !app.token_elsewhere && !same_place(&app.token_url, base) {
            return Err(Wrong::new(
                "token_url",
                "is on another host than the base URL: correct it, or allow that",
            ));
        }
        if !app.token_url.username().is_empty() || app.token_url.password().is_some() {
            return Err(Wrong::new("token_url", "holds a user name or a password: remove it"));
        }
        let can_sign = match &app.proof {
            ClientProof::Key(key) => key.sign(b"").is_some(),
            ClientProof::Certificate(certificate) => certificate.key().sign_pss(b"").is_some(),
            ClientProof::Secret(_) | ClientProof::Federated(_) => true,
        };
        if !can_sign {
            return Err(Wrong::new("key", "its parts contradict each other: export it again"));
        }
        let dpop = match app.dpop {
            true => Some(Dpop::new().ok_or_else(|| {
                Wrong::new("dpop", "the system has no randomness to make a key from")
            })?),
            false => None,
        };
        Ok(Self { app, dpop, slot: tokio::sync::Mutex::default() })
    }

    /// The headers for a GET of `url`.
    pub(crate) async fn pass(&self, url: &Url, call: &mut Call<'_>) -> Result<Pass, OutboundError> {
        let mut slot = self.slot.lock().await;
        let is_fresh = |token: &Token| Instant::now() < token.fresh_until;
        if !slot.token.as_ref().is_some_and(is_fresh) {
            let granted = self.fetch(call).await.map_err(|kind| self.failed(kind))?;
            slot.serial += 1;
            // The last tenth of its life is left for the way and for clocks.
            let life = granted.life.mul_f64(0.9);
            slot.token = Some(Token { value: granted.value, fresh_until: Instant::now() + life });
        }
        let pass =
            slot.token.as_ref().and_then(|token| self.headers(url, token, slot.serial, call));
        pass.ok_or_else(|| self.failed(unsigned()))
    }

    fn headers(&self, url: &Url, token: &Token, serial: u64, call: &Call<'_>) -> Option<Pass> {
        let value = &token.value;
        let scheme = if self.dpop.is_some() { "DPoP" } else { "Bearer" };
        let authorization =
            secrecy::zeroize::Zeroizing::new(format!("{scheme} {}", value.expose()));
        let proof = match &self.dpop {
            Some(dpop) => {
                let nonce = held(&dpop.api_nonce);
                let nonce = nonce.as_deref();
                let proof = Proof { method: "GET", url, token: Some(value), nonce };
                Some(sensitive(&jwt::proof(&proof, &dpop.key, call.core.clock.now())?)?)
            }
            None => None,
        };
        Some(Pass { authorization: Some(sensitive(&authorization)?), dpop: proof, serial })
    }

    /// Takes note of a nonce, and drops a token that was refused. Returns true when the request
    /// should be made anew.
    pub(crate) async fn is_worth_renewing(
        &self,
        answer: &Exchange,
        serial: u64,
        renewals: &mut Renewals,
    ) -> bool {
        let has_nonce = self.dpop.as_ref().is_some_and(|it| keep(&it.api_nonce, &answer.headers));
        if answer.status != 401 {
            return false;
        }
        let mut challenges = answer.headers.all("www-authenticate");
        if has_nonce && !renewals.nonce && challenges.any(|it| it.contains("use_dpop_nonce")) {
            renewals.nonce = true;
            return true;
        }
        if renewals.token {
            return false;
        }
        renewals.token = true;
        let mut slot = self.slot.lock().await;
        // Another request may have renewed it already.
        if slot.serial == serial {
            slot.token = None;
        }
        true
    }

    /// Asks for a token.
    async fn fetch(&self, call: &mut Call<'_>) -> Result<Granted, OutboundErrorKind> {
        let limits = &call.core.config.limits;
        let body_bytes = ANSWER_BYTES_MAX.min(limits.body_bytes);
        let limits = Limits { body_bytes, ..limits.clone() };
        let (mut tries, mut is_nonce_known) = (Tries::default(), false);
        loop {
            let request = self.request(call)?;
            let Some(answer) = call.send(request, &limits, &mut tries).await? else { continue };
            let has_nonce =
                self.dpop.as_ref().is_some_and(|it| keep(&it.token_nonce, &answer.headers));
            if answer.status == 200 {
                return granted(&answer.body, self.dpop.is_some());
            }
            let refusal = refusal(&answer);
            let wants_nonce = refusal.code == "use_dpop_nonce";
            if !(wants_nonce && has_nonce && !is_nonce_known) {
                return Err(refusal.into_kind(&answer));
            }
            is_nonce_known = true;
        }
    }

    /// The one request that is no GET.
    fn request(&self, call: &Call<'_>) -> Result<reqwest::Request, OutboundErrorKind> {
        let app = &self.app;
        let now = call.core.clock.now();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !app.scopes.is_empty() {
            form.append_pair("scope", &app.scopes.join(" "));
        }
        self.prove(&mut form, now)?;

        let mut request = reqwest::Request::new(Method::POST, app.token_url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(dpop) = &self.dpop {
            let nonce = held(&dpop.token_nonce);
            let nonce = nonce.as_deref();
            let proof = Proof { method: "POST", url: &app.token_url, token: None, nonce };
            let proof = jwt::proof(&proof, &dpop.key, now).and_then(|it| sensitive(&it));
            headers.insert("dpop", proof.ok_or_else(unsigned)?);
        }
        *request.body_mut() = Some(form.finish().into());
        Ok(request)
    }

    /// Adds what shows that we are the client. An assertion of a key names the client itself.
    fn prove(
        &self,
        form: &mut form_urlencoded::Serializer<'_, String>,
        now: DateTime<Utc>,
    ) -> Result<(), OutboundErrorKind> {
        let ServiceApp { client_id, token_url, proof, .. } = &self.app;
        if !matches!(proof, ClientProof::Key(_)) {
            form.append_pair("client_id", client_id);
        }
        let assertion = match proof {
            ClientProof::Secret(secret) => {
                form.append_pair("client_secret", secret.expose());
                return Ok(());
            }
            ClientProof::Key(key) => {
                jwt::assertion(client_id, token_url, key, now).ok_or_else(unsigned)?
            }
            ClientProof::Certificate(certificate) => {
                jwt::assertion_of_certificate(client_id, token_url, certificate, now)
                    .ok_or_else(unsigned)?
            }
            ClientProof::Federated(file) => federated(file)?,
        };
        form.append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        );
        form.append_pair("client_assertion", assertion.expose());
        Ok(())
    }

    fn failed(&self, kind: OutboundErrorKind) -> OutboundError {
        let url = bare(&self.app.token_url).into();
        OutboundError { doing: "get a token from", url, requests: Vec::new(), kind }
    }
}

/// The assertion that another issuer wrote down for us.
fn federated(file: &Path) -> Result<Secret, OutboundErrorKind> {
    let unusable = |what: String| OutboundErrorKind::Setting { setting: "federated_token", what };
    let bytes = std::fs::read(file)
        .map_err(|error| unusable(format!("cannot be read from `{}`: {error}", file.display())))?;
    let text = String::from_utf8(bytes).ok().map(|it| it.trim().to_owned());
    match text.filter(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_graphic())) {
        Some(text) => Ok(Secret::new(text)),
        None => {
            Err(unusable(format!("`{}` holds no token: look at who writes it", file.display())))
        }
    }
}

impl Dpop {
    fn new() -> Option<Self> {
        let key = SigningKey::generate()?;
        Some(Self { key, token_nonce: Mutex::default(), api_nonce: Mutex::default() })
    }
}

fn held(nonce: &Mutex<Option<String>>) -> Option<String> {
    nonce.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Keeps the nonce of an answer for the next proof. Returns true when it has one.
fn keep(nonce: &Mutex<Option<String>>, headers: &Headers) -> bool {
    /// Okta's have 32 characters; no server needs a page.
    const LEN_MAX: usize = 1024;
    let Some(new) = headers.get("dpop-nonce").filter(|it| it.len() <= LEN_MAX) else {
        return false;
    };
    *nonce.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.to_owned());
    true
}

fn unsigned() -> OutboundErrorKind {
    OutboundErrorKind::Setting {
        setting: "key",
        what: "signing failed: the system has no randomness, or the key is damaged".to_owned(),
    }
}
