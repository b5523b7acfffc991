//! Okta over a real socket: an organisation in, what the operator sees out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doctor;
mod examples;
mod faults;
mod log;
#[path = "../support/okta_server.rs"]
mod okta_server;
mod pull;
mod reread;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/told.rs"]
mod told;

use std::sync::Arc;
use std::time::Duration;

use connectors::files::Profiles;
use connectors::live::LivePull;
use connectors::okta::{self, Config, Credential, Okta};
use domain::{At, SystemId};
use outbound::{Auth, Client, Limits, Pace, Secret, Url};

use okta_server::{APP, OktaServer};

/// What no log line, error, report or URL may hold.
const TOKEN: &str = "00S-the-token-of-this-test";

/// The time of our clock, and of the server's `Date`.
fn now() -> At {
    At("2026-11-24T02:00:00Z".parse().unwrap())
}

fn config() -> Config {
    Config {
        system: SystemId::parse("okta").unwrap(),
        app: SystemId::parse("secureframe").unwrap(),
        app_id: APP.into(),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        credential: Credential::ApiToken,
        log_pages: 50,
    }
}

/// Waits are a hundredth of the real ones, and three tries are all.
fn limits() -> Limits {
    Limits {
        attempts: 3,
        pages: 60,
        backoff: Duration::from_millis(1),
        idle: Duration::from_secs(5),
        wait: Duration::from_millis(1500),
        waits: Duration::from_secs(4),
        ..Limits::default()
    }
}

fn connect(server: &OktaServer, config: Config) -> Okta {
    connect_as(server, config, Auth::Ssws(Secret::new(TOKEN.to_owned())))
}

fn connect_as(server: &OktaServer, config: Config, auth: Auth) -> Okta {
    let client = outbound::Config {
        base: Url::parse(&server.url()).unwrap().join(okta::API).unwrap(),
        ca_bundle: None,
        proxy: None,
        limits: limits(),
        user_agent: "driftline-test".to_owned(),
        auth,
        pace: Pace::Okta,
        accept: "application/json",
    };
    let client = Client::new(client, Arc::new(now())).unwrap();
    Okta::new(config, client.reader(), &Profiles::builtin().unwrap()).unwrap()
}

async fn pull(server: &OktaServer) -> LivePull {
    connect(server, config()).pull(&now(), None).await
}

/// A pull as an operator sees it, with the server's address made the same in every run.
fn told(server: &OktaServer, pull: &LivePull) -> String {
    let text = told::lines(pull);
    assert!(!text.contains(TOKEN));
    plain(server, &text)
}

/// Texts without what differs from run to run, and with long queries cut.
fn plain(server: &OktaServer, text: &str) -> String {
    let text = text.replace(&server.url(), "https://acme.okta.com");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("filter=") {
        let end = after.find(['&', '`', ' ']).unwrap_or(after.len());
        plain.push_str(before);
        plain.push_str("filter=..");
        rest = &after[end..];
    }
    plain.push_str(rest);
    plain
}
