//! The answers that faults give in place of the system's own.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Fault, Place, Wait};
use crate::record::Server;
use crate::serve::Urls;
use crate::wire::{Answer, Payload, http_date};
use crate::{entra, okta, onelogin, scim, secureframe};

/// What a proxy in between shows people.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Just a moment</title></head>\
                    <body><h1>Please wait</h1><p>Checking your browser.</p></body></html>\n";

/// The answer that stands in for the real one; `None`: the fault is of another kind.
pub(crate) fn instead(
    fault: Fault,
    server: Server,
    urls: &Urls,
    now: DateTime<Utc>,
) -> Option<Answer> {
    Some(match fault {
        Fault::TooMany(wait) => too_many(wait, server, now),
        Fault::Broken(status @ (502 | 504)) => Answer::text(status, "text/html", PAGE),
        Fault::Broken(status) => match server {
            Server::Okta => okta::error::with_status(status, "E0000009", "Internal Server Error"),
            Server::Entra => {
                entra::error::with_status(status, "serviceNotAvailable", "Service unavailable.")
            }
            Server::OneLogin => onelogin::error::broken(status),
            Server::Secureframe => secureframe::error(status, "Internal server error"),
            _ => scim::error(status, None, "the server cannot answer now"),
        },
        Fault::Refused(status) => match (server, status) {
            (Server::Okta, 401) => okta::error::invalid_token(),
            (Server::Okta, 403) => okta::error::forbidden(),
            (Server::Okta, _) => okta::error::not_found("it", "Object"),
            (Server::Entra, 401) => entra::error::invalid_token(),
            (Server::Entra, 403) => entra::error::forbidden(),
            (Server::Entra, _) => entra::error::not_found("it"),
            (Server::OneLogin, 401) => onelogin::error::unauthorized(),
            (Server::OneLogin, 403) => onelogin::error::forbidden(),
            (Server::OneLogin, _) => onelogin::error::not_found(),
            (Server::Secureframe, status) => secureframe::error(status, "Authorization failed"),
            (_, status) => scim::error(status, None, "refused"),
        },
        Fault::ReadOnly => {
            okta::error::with_status(503, "E0000010", "Service is in read only mode.")
        }
        Fault::ExpiredPage => entra::error::expired_page(),
        Fault::Html(status) => Answer::text(status, "text/html; charset=utf-8", PAGE),
        Fault::Redirect(place) => {
            Answer::text(302, "text/plain", "").with("location", urls.misleading(server, place))
        }
        Fault::Garbage => Answer::text(200, media_type(server), "{\"Resources\": [{\"id\": \"a"),
        Fault::EmptyObject => Answer::json(200, media_type(server), json!({})),
        Fault::Huge(bytes) => Answer {
            status: 200,
            headers: vec![("content-type", media_type(server).to_owned())],
            body: Payload::Endless(bytes),
        },
        Fault::GzipBomb(bytes) => Answer {
            status: 200,
            headers: vec![
                ("content-type", media_type(server).to_owned()),
                ("content-encoding", "gzip".to_owned()),
            ],
            body: Payload::Bomb(bytes),
        },
        Fault::TokenDies => match server {
            Server::Okta => okta::error::invalid_token(),
            Server::Entra => entra::error::invalid_token(),
            Server::OneLogin => onelogin::error::unauthorized(),
            Server::Secureframe => secureframe::error(401, "Authorization failed"),
            _ => scim::error(401, None, "the token is not valid"),
        },
        _ => return None,
    })
}

fn too_many(wait: Wait, server: Server, now: DateTime<Utc>) -> Answer {
    let answer = match server {
        Server::Okta => okta::error::too_many(),
        Server::Entra => entra::error::too_many(),
        Server::OneLogin => onelogin::error::too_many(),
        Server::Secureframe => secureframe::error(429, "Too many requests"),
        _ => scim::error(429, None, "too many requests"),
    };
    let limits = |answer: Answer, limit: u32, reset: DateTime<Utc>| {
        answer
            .with("x-rate-limit-limit", limit.to_string())
            .with("x-rate-limit-remaining", "0")
            .with("x-rate-limit-reset", reset.timestamp().to_string())
    };
    match wait {
        Wait::Reset { wait_s, skew_s } => {
            let theirs = now + TimeDelta::seconds(skew_s.into());
            limits(answer, 600, theirs + TimeDelta::seconds(wait_s.into()))
                .with("date", http_date(theirs))
        }
        Wait::Concurrency => limits(answer, 0, now + TimeDelta::hours(1)),
        Wait::Left(wait_s) => answer
            .with("x-ratelimit-limit", "5000")
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", wait_s.to_string()),
        Wait::Seconds(wait_s) => answer.with("retry-after", wait_s.to_string()),
        Wait::Fraction(wait_ms) => {
            answer.with("retry-after", format!("{}.{:03}", wait_ms / 1_000, wait_ms % 1_000))
        }
        Wait::Date { wait_s, skew_s } => {
            let theirs = now + TimeDelta::seconds(skew_s.into());
            let until = theirs + TimeDelta::seconds(wait_s.into());
            answer.with("retry-after", http_date(until)).with("date", http_date(theirs))
        }
        Wait::Unsaid => answer,
    }
}

fn media_type(server: Server) -> &'static str {
    match server {
        Server::Okta | Server::Entra | Server::OneLogin | Server::Secureframe => "application/json",
        _ => "application/scim+json",
    }
}

impl Urls {
    /// A URL that looks like one of this server's, at a place that the reader must not go to.
    pub(crate) fn misleading(&self, server: Server, place: Place) -> String {
        let own = match server {
            Server::Okta => &self.okta,
            Server::Entra => &self.entra,
            Server::OneLogin => &self.onelogin,
            Server::Secureframe => &self.secureframe_origin,
            _ => &self.scim_origin,
        };
        match place {
            Place::OtherHost => format!("http://localhost:{}/api/v1/users", self.elsewhere_port),
            Place::OtherPort => format!("http://127.0.0.1:{}/api/v1/users", self.elsewhere_port),
            Place::OutsidePrefix => format!("{own}/elsewhere/users"),
        }
    }
}
