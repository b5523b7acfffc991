//! Signed tokens of ours: the client assertion (RFC 7523) and the DPoP proof (RFC 9449, 4.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use url::Url;

use crate::{Certificate, Secret, SigningKey, jwk, random};

/// How long an assertion is good for, in seconds. Okta takes up to an hour, Entra advises 5 to 10
/// minutes; a wrong clock needs some.
const ASSERTION_LIFE_S: i64 = 300;

/// Proves that we are the client: `private_key_jwt`. `None` when signing fails.
pub(crate) fn assertion(
    client_id: &str,
    token_url: &Url,
    key: &SigningKey,
    now: DateTime<Utc>,
) -> Option<Secret> {
    let mut header = json!({ "alg": key.algorithm(), "typ": "JWT" });
    if let (Some(key_id), Some(header)) = (key.key_id(), header.as_object_mut()) {
        header.insert("kid".to_owned(), key_id.into());
    }
    let claims = claims(client_id, token_url, now)?;
    sign(&header, &claims, |it| key.sign(it)).map(Secret::new)
}

/// Proves that we are the client by a certificate. `None` when signing fails.
///
/// Source: Microsoft identity platform, application authentication certificate credentials.
pub(crate) fn assertion_of_certificate(
    client_id: &str,
    token_url: &Url,
    certificate: &Certificate,
    now: DateTime<Utc>,
) -> Option<Secret> {
    let thumbprint = URL_SAFE_NO_PAD.encode(certificate.thumbprint());
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
    let mut claims = claims(client_id, token_url, now)?;
    if let Some(claims) = claims.as_object_mut() {
        claims.insert("nbf".to_owned(), now.timestamp().into());
    }
    sign(&header, &claims, |it| certificate.key().sign_pss(it)).map(Secret::new)
}

/// Who says so, to whom, and until when.
fn claims(client_id: &str, token_url: &Url, now: DateTime<Utc>) -> Option<Value> {
    Some(json!({
        "iss": client_id,
        "sub": client_id,
        "aud": token_url.as_str(),
        "iat": now.timestamp(),
        "exp": now.timestamp() + ASSERTION_LIFE_S,
        "jti": random::id()?,
    }))
}

/// What a DPoP proof is for.
pub(crate) struct Proof<'a> {
    /// The method of the request.
    pub(crate) method: &'static str,
    /// Its URL.
    pub(crate) url: &'a Url,
    /// The access token that goes along; `None` for a request for one.
    pub(crate) token: Option<&'a Secret>,
    /// What the server gave last; `None` when it gave none.
    pub(crate) nonce: Option<&'a str>,
}

/// Proves that we hold the key that the token is bound to. `None` when signing fails.
pub(crate) fn proof(proof: &Proof<'_>, key: &SigningKey, now: DateTime<Utc>) -> Option<String> {
    let (x, y) = key.point()?;
    let header = json!({ "typ": "dpop+jwt", "alg": key.algorithm(), "jwk": jwk::public(x, y) });
    let mut url = proof.url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let mut claims = json!({
        "htm": proof.method,
        "htu": url.as_str(),
        "iat": now.timestamp(),
        "jti": random::id()?,
    });
    let members = claims.as_object_mut()?;
    if let Some(token) = proof.token {
        let hash = digest(&SHA256, token.expose().as_bytes());
        members.insert("ath".to_owned(), URL_SAFE_NO_PAD.encode(hash).into());
    }
    if let Some(nonce) = proof.nonce {
        members.insert("nonce".to_owned(), nonce.into());
    }
    sign(&header, &claims, |it| key.sign(it))
}

fn sign(
    header: &Value,
    claims: &Value,
    signature: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<String> {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut token = format!("{}.{}", encode(header), encode(claims));
    let signature = signature(token.as_bytes())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Some(token)
}
