//! How Okta lets callers in: API tokens, and access tokens for a signed assertion, bound to a key
//! by DPoP where wanted (RFC 7521, RFC 7523, RFC 9449). Claims are checked; signatures are not.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::error;
use crate::endpoint::Endpoint;
use crate::wire::{Answer, Ask, pairs};
use crate::world::{Door, Role};

/// Algorithms that Okta takes for assertions and proofs.
const ALGORITHMS: &[&str] = &["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];
/// How far in the future an assertion may expire.
const ASSERTION_S: i64 = 3_600;
/// How far off the time of a proof may be.
const PROOF_S: i64 = 300;
/// The form of client assertion that is taken.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What was handed out, and what was used up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    given: BTreeMap<String, Given>,
    /// Tokens handed out so far.
    n_given: u64,
    /// Ids of assertions and proofs: each is good once.
    used: BTreeSet<String>,
    /// Tokens that died before their time.
    dead: BTreeSet<String>,
    pub(crate) windows: BTreeMap<String, (DateTime<Utc>, u32)>,
    pub(crate) n_answers: u64,
}

#[derive(Clone, Debug)]
struct Given {
    expires_at: DateTime<Utc>,
    scopes: BTreeSet<String>,
    is_bound: bool,
}

impl Tokens {
    /// Every credential that was ever handed out.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        self.given.keys()
    }

    /// Ends a token's life now.
    pub(crate) fn kill(&mut self, token: &str) {
        self.dead.insert(token.to_owned());
    }
}

/// Answers a token request. `url` is that of the token endpoint.
pub(crate) fn grant(
    door: &Door,
    tokens: &mut Tokens,
    ask: &Ask,
    url: &str,
    now: DateTime<Utc>,
) -> Result<Answer, Answer> {
    let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&ask.body)).collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("grant_type") != "client_credentials" {
        let what = "the grant type must be client_credentials";
        return Err(error::of_token(400, "unsupported_grant_type", what));
    }
    if field("client_assertion_type") != JWT_BEARER {
        let what = "the client authenticates with private_key_jwt only";
        return Err(error::of_token(401, "invalid_client", what));
    }
    check_assertion(door, tokens, field("client_assertion"), url, now)
        .map_err(|what| error::of_token(401, "invalid_client", &what))?;
    let is_bound = match ask.header("dpop") {
        None if door.needs_dpop => {
            let what = "The DPoP proof JWT header is missing.";
            return Err(error::of_token(400, "invalid_dpop_proof", what));
        }
        None => false,
        Some(proof) => {
            check_proof(tokens, proof, "POST", url, now, Bound::ToNonce)?;
            true
        }
    };
    let scopes: BTreeSet<String> = field("scope").split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() || !scopes.is_subset(&door.scopes) {
        let what = "One or more scopes are not configured for the authorization server resource.";
        return Err(error::of_token(400, "invalid_scope", what));
    }
    tokens.n_given += 1;
    let token = format!("sim-access-token-{}", tokens.n_given);
    let answer = json!({
        "token_type": if is_bound { "DPoP" } else { "Bearer" },
        "expires_in": door.token_lives_s,
        "access_token": token,
        "scope": field("scope"),
    });
    let expires_at = now + TimeDelta::seconds(door.token_lives_s.into());
    tokens.given.insert(token, Given { expires_at, scopes, is_bound });
    Ok(Answer::json(200, "application/json", answer).with("cache-control", "no-store"))
}

/// Lets a caller in, or answers why not. `url` is the one asked for, without its query.
pub(crate) fn admit(
    door: &Door,
    tokens: &mut Tokens,
    ask: &Ask,
    endpoint: Endpoint,
    url: &str,
    now: DateTime<Utc>,
) -> Result<(), Answer> {
    let (scheme, credential) = ask.credential().ok_or_else(error::invalid_token)?;
    if tokens.dead.contains(credential) {
        return Err(error::invalid_token());
    }
    if scheme == "SSWS" {
        if credential != door.api_token {
            return Err(error::invalid_token());
        }
    } else {
        let given = tokens.given.get(credential).filter(|it| it.expires_at > now).cloned();
        let given = given.ok_or_else(error::invalid_token)?;
        match (scheme, given.is_bound) {
            ("Bearer", false) => {}
            ("DPoP", true) => {
                let proof = ask.header("dpop").ok_or_else(|| bad_proof("the proof is missing"))?;
                let bound = Bound::ToToken(credential);
                check_proof(tokens, proof, ask.method.as_str(), url, now, bound)?;
            }
            _ => return Err(error::invalid_token()),
        }
        if scope_for(endpoint).is_some_and(|it| !given.scopes.contains(it)) {
            return Err(error::forbidden());
        }
    }
    if door.role == Role::Refused { Err(error::forbidden()) } else { Ok(()) }
}

/// The scope that an endpoint wants.
fn scope_for(endpoint: Endpoint) -> Option<&'static str> {
    Some(match endpoint {
        Endpoint::OktaUsers | Endpoint::OktaUser | Endpoint::OktaUserGroups => "okta.users.read",
        Endpoint::OktaApps
        | Endpoint::OktaApp
        | Endpoint::OktaFeatures
        | Endpoint::OktaAppUsers
        | Endpoint::OktaAppUser
        | Endpoint::OktaAppGroups => "okta.apps.read",
        Endpoint::OktaGroups | Endpoint::OktaGroup | Endpoint::OktaGroupUsers => "okta.groups.read",
        Endpoint::OktaLog => "okta.logs.read",
        _ => return None,
    })
}

/// The claims of an assertion, as Okta's guide for service apps lists them.
fn check_assertion(
    door: &Door,
    tokens: &mut Tokens,
    assertion: &str,
    url: &str,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let jwt = Jwt::parse(assertion).ok_or("the client_assertion is no signed JWT")?;
    if !jwt.is_signed_well() {
        return Err("the algorithm of the client_assertion is not supported".to_owned());
    }
    let client = Some(door.client_id.as_str());
    if jwt.claim("iss") != client || jwt.claim("sub") != client {
        return Err("iss and sub of the client_assertion must be the client id".to_owned());
    }
    if jwt.claim("aud") != Some(url) {
        return Err(format!("aud of the client_assertion must be {url}"));
    }
    let now = now.timestamp();
    let is_near = |at: i64| (1..=ASSERTION_S).contains(&at.saturating_sub(now));
    if !jwt.time("exp").is_some_and(is_near) {
        return Err("exp of the client_assertion must lie within the next hour".to_owned());
    }
    if jwt.time("iat").is_some_and(|it| it > now + PROOF_S) {
        return Err("iat of the client_assertion lies in the future".to_owned());
    }
    if jwt.claim("jti").is_some_and(|it| !tokens.used.insert(format!("assertion {it}"))) {
        return Err("the client_assertion was used before".to_owned());
    }
    Ok(())
}

/// What a proof has to show besides the request.
#[derive(Clone, Copy)]
enum Bound<'a> {
    /// The server's nonce.
    ToNonce,
    /// The access token.
    ToToken(&'a str),
}

/// A DPoP proof (RFC 9449, 4.3).
fn check_proof(
    tokens: &mut Tokens,
    proof: &str,
    method: &str,
    url: &str,
    now: DateTime<Utc>,
    bound: Bound<'_>,
) -> Result<(), Answer> {
    let jwt = Jwt::parse(proof).ok_or_else(|| bad_proof("it is no signed JWT"))?;
    let key = jwt.header.get("jwk").and_then(Value::as_object);
    let is_public = |it: &Map<String, Value>| !it.contains_key("d") && !it.contains_key("k");
    let is_near = |at: i64| at.abs_diff(now.timestamp()) <= PROOF_S.unsigned_abs();
    let jti = jwt.claim("jti");
    for (is_right, what) in [
        (jwt.header.get("typ").is_some_and(|it| it == "dpop+jwt"), "typ must be dpop+jwt"),
        (jwt.is_signed_well(), "the algorithm is not supported"),
        (key.is_some_and(|it| it.contains_key("kty")), "jwk must be the public key"),
        (key.is_some_and(is_public), "jwk holds a private key"),
        (jwt.claim("htm") == Some(method), "htm must be the method"),
        (jwt.claim("htu") == Some(url), "htu must be the URL without its query"),
        (jwt.time("iat").is_some_and(is_near), "iat is too far from the time of the server"),
        (jti.is_some(), "jti is missing"),
    ] {
        if !is_right {
            return Err(bad_proof(what));
        }
    }
    match bound {
        Bound::ToNonce if jwt.claim("nonce") != Some(&nonce(now)) => {
            let what = "Authorization server requires nonce in DPoP proof.";
            let refusal = error::of_token(400, "use_dpop_nonce", what);
            return Err(refusal.with("dpop-nonce", nonce(now)));
        }
        Bound::ToToken(token) if jwt.claim("ath") != Some(&hash(token)) => {
            return Err(bad_proof("ath must be the hash of the access token"));
        }
        _ => {}
    }
    if !tokens.used.insert(format!("proof {}", jti.unwrap_or_default())) {
        return Err(bad_proof("jti was used before"));
    }
    Ok(())
}

/// The nonce of the day: Okta's changes every 24 hours.
fn nonce(now: DateTime<Utc>) -> String {
    format!("sim-nonce-{}", now.date_naive())
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

fn bad_proof(what: &str) -> Answer {
    error::of_token(400, "invalid_dpop_proof", &format!("The DPoP proof is not valid: {what}."))
        .with("www-authenticate", "DPoP error=\"invalid_dpop_proof\"")
}

/// A JWT, not verified.
pub(crate) struct Jwt {
    pub(crate) header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Jwt {
    /// Reads a signed JWT; `None`: it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else { return None };
        let object = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let is_signed = URL_SAFE_NO_PAD.decode(signature).is_ok_and(|it| !it.is_empty());
        if is_signed {
            Some(Self { header: object(header)?, claims: object(claims)? })
        } else {
            None
        }
    }

    fn is_signed_well(&self) -> bool {
        let algorithm = self.header.get("alg").and_then(Value::as_str);
        algorithm.is_some_and(|it| ALGORITHMS.contains(&it))
    }

    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A time in epoch seconds.
    pub(crate) fn time(&self, name: &str) -> Option<i64> {
        self.claims.get(name)?.as_i64()
    }
}
