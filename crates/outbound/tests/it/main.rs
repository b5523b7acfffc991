//! The client over real sockets: what it sends, what it takes, and what it says when it stops.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a panic says where"
)]

mod asking;
mod dpop;
mod limits;
mod pace;
mod proxies;
mod redirects;
mod retries;
mod secrets;
mod server;
mod settings;
mod tls;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{At, Request};
use outbound::{Auth, Client, Config, Limits, OutboundError, Pace, Reader, Secret, Url};

use server::{Reply, Seen, Server};

/// The `Date` of every answer, and the time by the client's clock.
const DATE: &str = "Mon, 05 Jan 2026 09:00:00 GMT";

/// The client's clock: 40 s ahead of the servers'.
fn clock() -> Arc<At> {
    Arc::new(At("2026-01-05T09:00:40Z".parse::<DateTime<Utc>>().unwrap()))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Settings for a server, with the waits of a test.
fn config(base: &Url) -> Config {
    Config {
        base: base.clone(),
        ca_bundle: None,
        proxy: None,
        limits: Limits {
            attempts: 3,
            idle: Duration::from_secs(10),
            request: Duration::from_secs(20),
            backoff: Duration::from_millis(1),
            ..Limits::default()
        },
        user_agent: "driftline-test/1".to_owned(),
        auth: Auth::Bearer(secret("opensesame")),
        pace: Pace::RetryAfter,
        accept: "application/json",
    }
}

fn client(config: Config) -> Client {
    Client::new(config, clock()).unwrap()
}

fn reader(server: &Server) -> Reader {
    client(config(&server.url)).reader()
}

/// The whole chain of an error, as a person reads it, with the server's address taken out.
fn told(error: &OutboundError, server: &Server) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    server.without_address(&text)
}

/// The lines of requests, one each: method, URL, status.
fn lines(requests: &[Request], server: &Server) -> String {
    let line = |it: &Request| {
        let status = it.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        format!("{} {} {status}", it.method, server.without_address(&it.url))
    };
    requests.iter().map(line).collect::<Vec<String>>().join("\n")
}
