//! How Entra lets callers in: access tokens for a client secret, for an assertion signed with a
//! certificate, or for a token of an issuer that it trusts. Claims are checked; signatures are not.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Call, error};
use crate::endpoint::Endpoint;
use crate::okta::token::{JWT_BEARER, Jwt};
use crate::tenant::{EntraDoor, Tenant};
use crate::wire::{Answer, Ask, pairs};

/// How far in the future an assertion may expire.
const ASSERTION_S: i64 = 600;

/// What was handed out.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntraTokens {
    given: BTreeMap<String, DateTime<Utc>>,
    /// Tokens that died before their time.
    dead: BTreeSet<String>,
    /// Ids of assertions: each is good once.
    used: BTreeSet<String>,
    n_given: u64,
    pub(crate) n_answers: u64,
}

impl EntraTokens {
    /// Every access token that was ever handed out.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        self.given.keys()
    }
}

/// Ends the life of the access token that a request carries.
pub(crate) fn kill(tenant: &mut Tenant, ask: &Ask) {
    if let Some((_, token)) = ask.credential() {
        tenant.tokens.dead.insert(token.to_owned());
    }
}

/// Answers a token request.
pub(super) fn grant(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, Answer> {
    let Tenant { door, tokens, .. } = tenant;
    let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&call.ask.body)).collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if call.ids.first() != Some(&door.tenant) {
        return Err(error::of_token(400, "invalid_request", 90_002, "Tenant not found."));
    }
    if field("grant_type") != "client_credentials" {
        let what = "The grant type must be client_credentials.";
        return Err(error::of_token(400, "unsupported_grant_type", 70_003, what));
    }
    if field("client_id") != door.client_id {
        let what = "The application was not found in the directory.";
        return Err(error::of_token(400, "unauthorized_client", 700_016, what));
    }
    if field("scope") != format!("{}/.default", call.urls.entra) {
        let what = "The scope is not valid: it is that of the resource with /.default.";
        return Err(error::of_token(400, "invalid_scope", 1_002_012, what));
    }
    let invalid = |number, what: &str| error::of_token(401, "invalid_client", number, what);
    if form.contains_key("client_secret") {
        if field("client_secret") != door.client_secret {
            return Err(invalid(7_000_215, "Invalid client secret provided."));
        }
    } else if field("client_assertion_type") != JWT_BEARER {
        return Err(invalid(7_000_216, "client_assertion or client_secret is required."));
    } else if field("client_assertion") != door.federated_token {
        let url = format!("{}{}", call.urls.entra, call.ask.path);
        let jti = check_assertion(door, field("client_assertion"), &url, call.now)
            .map_err(|what| invalid(700_027, what))?;
        if !tokens.used.insert(jti) {
            return Err(invalid(700_027, "The assertion was used before."));
        }
    }
    tokens.n_given += 1;
    let token = format!("sim-entra-token-{}", tokens.n_given);
    let expires_at = call.now + TimeDelta::seconds(door.token_lives_s.into());
    tokens.given.insert(token.clone(), expires_at);
    let answer = json!({
        "token_type": "Bearer",
        "expires_in": door.token_lives_s,
        "ext_expires_in": door.token_lives_s,
        "access_token": token,
    });
    Ok(Answer::json(200, "application/json", answer).with("cache-control", "no-store"))
}

/// The claims of an assertion, as Microsoft's page on certificate credentials lists them. Returns
/// its id.
fn check_assertion(
    door: &EntraDoor,
    assertion: &str,
    url: &str,
    now: DateTime<Utc>,
) -> Result<String, &'static str> {
    let jwt = Jwt::parse(assertion).ok_or("The assertion is no signed JWT.")?;
    let head = |name: &str| jwt.header.get(name).and_then(Value::as_str);
    let client = Some(door.client_id.as_str());
    let now = now.timestamp();
    let is_near = |at: i64| (1..=ASSERTION_S).contains(&at.saturating_sub(now));
    for (is_right, what) in [
        (head("alg") == Some("PS256"), "alg must be PS256."),
        (head("typ") == Some("JWT"), "typ must be JWT."),
        (head("x5t#S256").is_some_and(|it| it.len() == 43), "x5t#S256 must name the certificate."),
        (
            jwt.claim("iss") == client && jwt.claim("sub") == client,
            "iss and sub must be the client.",
        ),
        (jwt.claim("aud") == Some(url), "aud must be the token endpoint."),
        (jwt.time("exp").is_some_and(is_near), "exp must lie within ten minutes."),
        (jwt.time("nbf").is_some_and(|it| it <= now + 300), "nbf lies in the future."),
    ] {
        if !is_right {
            return Err(what);
        }
    }
    jwt.claim("jti").map(str::to_owned).ok_or("jti is missing.")
}

/// Lets a caller in, or answers why not.
pub(super) fn admit(tenant: &Tenant, call: &Call<'_>) -> Result<(), Answer> {
    let tokens = &tenant.tokens;
    let (scheme, token) = call.ask.credential().ok_or_else(error::invalid_token)?;
    let is_alive = tokens.given.get(token).is_some_and(|it| *it > call.now);
    if scheme != "Bearer" || !is_alive || tokens.dead.contains(token) {
        return Err(error::invalid_token());
    }
    let granted = &tenant.door.permissions;
    match permission(call.endpoint) {
        Some(it) if !granted.contains(it) => Err(error::forbidden()),
        _ => Ok(()),
    }
}

/// The application permission that an endpoint wants.
fn permission(endpoint: Endpoint) -> Option<&'static str> {
    Some(match endpoint {
        Endpoint::EntraUsers
        | Endpoint::EntraUser
        | Endpoint::EntraDeletedUsers
        | Endpoint::EntraDeletedUser => "User.Read.All",
        Endpoint::EntraApps | Endpoint::EntraAssigned => "Application.Read.All",
        Endpoint::EntraUserAssigned => "Directory.Read.All",
        Endpoint::EntraMembers | Endpoint::EntraGroup => "GroupMember.Read.All",
        Endpoint::EntraJobs => "Synchronization.Read.All",
        Endpoint::EntraLog => "AuditLog.Read.All",
        _ => return None,
    })
}
