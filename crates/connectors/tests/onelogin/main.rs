//! OneLogin over a real socket: a subdomain in, what the operator sees out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod doctor;
mod events;
mod examples;
mod pull;
mod reread;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/told.rs"]
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connectors::files::Profiles;
use connectors::live::{LivePull, SwitchedOff};
use connectors::onelogin::{self, Config, OneLogin};
use domain::{At, SystemId};
use outbound::{Auth, Client, Limits, Pace, Secret, Url};
use serde_json::{Value, json};

use server::{Answers, Reply, Server, number};

/// What no log line, error, report or URL may hold.
const TOKEN: &str = "the-access-token-of-this-test";

/// Bodies by path without query; each list states its total, and leads to no other page.
#[derive(Default)]
struct Subdomain(BTreeMap<&'static str, Value>);

impl Answers for Subdomain {
    const REQUEST_ID: &'static str = "X-Request-Id";

    fn answer(&mut self, _: &str, path: &str) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        // More than the documents promise is refused, as OneLogin might.
        let most = if path.ends_with("/api/2/users") { 100 } else { 1000 };
        assert!(
            number(query, "limit=").is_none_or(|it| (1..=most).contains(&it)),
            "{path}?{query}"
        );
        match path {
            "/api/1/events/types" => return Reply::json(&events::types()),
            "/api/1/events" => return events::page(&[], None),
            _ => {}
        }
        match self.0.get(path.strip_prefix("/api/2/").unwrap_or_default()) {
            Some(Value::Array(rows)) => page(rows, rows.len(), ""),
            Some(body) => Reply::json(body),
            None => missing(),
        }
    }
}

impl Subdomain {
    /// Two users who both have the app.
    fn of_two() -> Self {
        let app = json!({
            "id": 3001, "name": "Secureframe", "provisioning": {"enabled": true}, "role_ids": null,
        });
        let users = json!([user(1, 1), user(2, 1)]);
        let app_users = json!([{"id": 1, "username": "u1"}, {"id": 2, "username": "u2"}]);
        Self([("apps/3001", app), ("users", users), ("apps/3001/users", app_users)].into())
    }
}

/// A user as the list and the read by id give it; nulls are as documented.
fn user(id: u64, status: u8) -> Value {
    json!({
        "id": id, "username": format!("u{id}"), "email": format!("u{id}@acme.test"),
        "firstname": null, "lastname": null, "status": status, "state": 1,
        "created_at": "2025-11-03T09:12:44.120Z", "updated_at": null, "activated_at": null,
        "last_login": null, "external_id": null, "directory_id": null, "group_id": null,
    })
}

fn page(rows: &[Value], total: usize, after: &str) -> Reply {
    Reply::json(&json!(rows)).with("Total-Count", total.to_string()).with("After-Cursor", after)
}

fn missing() -> Reply {
    let body = json!({"statusCode": 404, "name": "NotFoundError", "message": "u1@acme.test"});
    Reply { status: 404, ..Reply::json(&body) }
}

/// The time of our clock, and of the server's `Date`.
fn now() -> At {
    At("2026-11-24T02:00:00Z".parse().unwrap())
}

fn connect(server: &Server<Subdomain>) -> OneLogin {
    with_canaries(server, &[])
}

/// These users must have the app.
fn with_canaries(server: &Server<Subdomain>, assigned: &[&str]) -> OneLogin {
    let client = outbound::Config {
        base: Url::parse(&server.url()).unwrap().join(onelogin::API).unwrap(),
        ca_bundle: None,
        proxy: None,
        limits: Limits { attempts: 2, backoff: Duration::from_millis(1), ..Limits::default() },
        user_agent: "driftline-test".to_owned(),
        auth: Auth::Bearer(Secret::new(TOKEN.to_owned())),
        pace: Pace::OneLogin,
        accept: "application/json",
    };
    let client = Client::new(client, Arc::new(now())).unwrap();
    let config = Config {
        system: SystemId::parse("onelogin").unwrap(),
        app: SystemId::parse("secureframe").unwrap(),
        app_id: "3001".into(),
        suspended: SwitchedOff::Left,
        canaries: Vec::new(),
        assigned_canaries: assigned.iter().map(|it| (*it).into()).collect(),
        event_pages: 3,
    };
    OneLogin::new(config, client.reader(), &Profiles::builtin().unwrap()).unwrap()
}

/// A pull as an operator sees it, with the server's address made the same in every run.
async fn told(server: &Server<Subdomain>) -> (LivePull, String) {
    let pull = connect(server).pull(&now(), None).await;
    let text = told::lines(&pull);
    assert!(!text.contains(TOKEN) && !text.contains("@acme.test"), "{text}");
    (pull, text.replace(&server.url(), "ONELOGIN"))
}
