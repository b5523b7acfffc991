//! Microsoft Entra ID over a real socket: a tenant in, what the operator sees out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod doctor;
mod examples;
mod faults;
#[path = "../support/graph_server.rs"]
mod graph_server;
mod pull;
mod reread;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/told.rs"]
mod told;

use std::sync::Arc;
use std::time::Duration;

use connectors::entra::{self, Config, Entra, ProvisioningLog, Scope, ScopingFilters};
use connectors::files::Profiles;
use connectors::live::{LivePull, SwitchedOff};
use domain::{At, SystemId};
use outbound::{Auth, Client, Limits, Pace, Secret, Url};

use graph_server::{APP, GraphServer};
use told::chain;

/// What no log line, error, report or URL may hold.
const TOKEN: &str = "the-access-token-of-this-test";

/// The time of our clock, and of the server's `Date`.
fn now() -> At {
    At("2026-11-24T02:00:00Z".parse().unwrap())
}

fn config() -> Config {
    Config {
        system: SystemId::parse("entra").unwrap(),
        app: SystemId::parse("secureframe").unwrap(),
        app_id: APP.into(),
        scope: Scope::Assigned,
        scoping_filters: ScopingFilters::default(),
        disabled: SwitchedOff::Left,
        log: ProvisioningLog::Pages(50),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
    }
}

fn connect(server: &GraphServer, config: Config) -> Entra {
    let client = outbound::Config {
        base: Url::parse(&server.url()).unwrap().join(entra::API).unwrap(),
        ca_bundle: None,
        proxy: None,
        // Waits are a hundredth of the real ones, and three tries are all.
        limits: Limits {
            attempts: 3,
            pages: 60,
            backoff: Duration::from_millis(1),
            idle: Duration::from_secs(5),
            wait: Duration::from_millis(1500),
            waits: Duration::from_secs(4),
            ..Limits::default()
        },
        user_agent: "driftline-test".to_owned(),
        auth: Auth::Bearer(Secret::new(TOKEN.to_owned())),
        pace: Pace::RetryAfter,
        accept: "application/json",
    };
    let client = Client::new(client, Arc::new(now())).unwrap();
    Entra::new(config, client.reader(), &Profiles::builtin().unwrap()).unwrap()
}

async fn pull(server: &GraphServer) -> LivePull {
    connect(server, config()).pull(&now(), None).await
}

/// A pull as an operator sees it, with the server's address made the same in every run.
fn told(server: &GraphServer, pull: &LivePull) -> String {
    let text = told::lines(pull);
    assert!(!text.contains(TOKEN) && !text.contains("@acme.test"), "{text}");
    text.replace(&server.url(), "GRAPH")
}
