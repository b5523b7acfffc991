//! How OneLogin lets callers in: access tokens for a client id and secret. The same one is given
//! again until it ends.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Call, error};
use crate::endpoint::Endpoint;
use crate::subdomain::Subdomain;
use crate::wire::{Answer, pairs, timestamp};

/// What was handed out, and what was used of the hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct OneLoginTokens {
    given: BTreeMap<String, DateTime<Utc>>,
    /// When the window of requests began, and how many came.
    pub(super) window: Option<(DateTime<Utc>, u32)>,
}

impl OneLoginTokens {
    /// Every access token that was ever handed out.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        self.given.keys()
    }

    /// Ends a token's life.
    pub(super) fn kill(&mut self, token: &str) {
        if let Some(ends_at) = self.given.get_mut(token) {
            *ends_at = DateTime::UNIX_EPOCH;
        }
    }
}

/// Answers a token request.
pub(super) fn grant(subdomain: &mut Subdomain, call: &Call<'_>) -> Result<Answer, Answer> {
    let Subdomain { door, tokens, .. } = subdomain;
    let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&call.ask.body)).collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("grant_type") != "client_credentials" {
        return Err(error::of_token(400, "bad request", "grant_type is incorrect/absent"));
    }
    if field("client_id") != door.client_id || field("client_secret") != door.client_secret {
        return Err(error::of_token(401, "Unauthorized", "Authentication Failure"));
    }
    if door.is_ownerless {
        return Err(error::of_token(500, "Internal Server Error", "An unexpected error occurred"));
    }
    let alive = tokens.given.iter().find(|it| *it.1 > call.now).map(|it| it.0.clone());
    let token = alive.unwrap_or_else(|| {
        let token = format!("sim-onelogin-token-{}", tokens.given.len() + 1);
        let ends_at = call.now + TimeDelta::seconds(door.token_lives_s.into());
        tokens.given.insert(token.clone(), ends_at);
        token
    });
    let answer = json!({
        "access_token": token,
        "created_at": timestamp(call.now),
        "expires_in": door.token_lives_s,
        "refresh_token": "",
        "token_type": "bearer",
        "account_id": 77,
    });
    Ok(Answer::json(200, "application/json", answer))
}

/// Lets a caller in, or answers why not.
pub(super) fn admit(subdomain: &Subdomain, call: &Call<'_>) -> Result<(), Answer> {
    let (scheme, token) = call.ask.credential().ok_or_else(error::unauthorized)?;
    let is_alive = subdomain.tokens.given.get(token).is_some_and(|it| *it > call.now);
    if !scheme.eq_ignore_ascii_case("bearer") || !is_alive {
        return Err(error::unauthorized());
    }
    let is_of_app = matches!(call.endpoint, Endpoint::OneLoginApp | Endpoint::OneLoginAppUsers);
    if is_of_app && !subdomain.door.reads_all { Err(error::forbidden()) } else { Ok(()) }
}
