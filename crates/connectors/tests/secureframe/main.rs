//! Secureframe's own API over a real socket: people in, what the operator sees out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod documented;
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
use connectors::secureframe::{Config, PER_MINUTE, Secureframe};
use domain::{Account, At, Rows, SystemId};
use outbound::{Auth, Client, Limits, Pace, Secret, Url};
use serde_json::{Value, json};

use server::{Answers, Reply, Server, number};

/// The most that one page has, whatever is asked for.
const CAP: usize = 100;

/// The halves of the credential.
const KEY: &str = "the-key-half-of-this-test";
const SECRET: &str = "the-secret-half-of-this-test";

/// Whose the key is.
const OWNER: &str = "Reader@acme.test";

/// What stands around the rows of a page.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Total,
    NoTotal,
    Bare,
}

const SHAPES: [Shape; 3] = [Shape::Total, Shape::NoTotal, Shape::Bare];

/// What a page behind the end is: no document says.
#[derive(Clone, Copy, Debug)]
enum PastEnd {
    Empty,
    NotFound,
    LastPage,
}

/// Everybody, in order of id, and how it is told.
struct Company {
    people: Vec<Value>,
    shape: Shape,
    past_end: PastEnd,
    takes_sort: bool,
    /// What it says in place of the number of people.
    claims: Option<usize>,
}

impl Company {
    /// So many people, the owner of the key first.
    fn of(n: usize, shape: Shape) -> Self {
        let owner =
            person(0, json!({"email": "reader@acme.test", "access_role": "Read personnel"}));
        let others = (1..n).map(|it| person(it, json!({})));
        let people = std::iter::once(owner).chain(others).take(n).collect();
        Self { people, shape, past_end: PastEnd::Empty, takes_sort: true, claims: None }
    }

    fn page(&self, rows: &[Value]) -> Value {
        let total = self.claims.unwrap_or(self.people.len());
        match self.shape {
            Shape::Total => json!({"data": rows, "meta": {"total": total}, "included": []}),
            Shape::NoTotal => json!({"data": rows}),
            Shape::Bare => rows.iter().map(|it| json!({"data": it, "included": []})).collect(),
        }
    }
}

impl Answers for Company {
    const REQUEST_ID: &'static str = "X-Request-Id";

    fn answer(&mut self, _: &str, path: &str) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some(id) = path.strip_prefix("/users/") {
            let found = self.people.iter().find(|it| it["id"] == id);
            return found.map_or_else(|| message(404), |it| Reply::json(&json!({"data": it})));
        }
        assert_eq!(path, "/users");
        if query.contains("sort=") && !self.takes_sort {
            return message(400);
        }
        let limit = number(query, "per_page=").unwrap().min(CAP);
        let mut page = number(query, "page=").unwrap();
        let last = self.people.len().div_ceil(limit).max(1);
        if page > last {
            match self.past_end {
                PastEnd::Empty => {}
                PastEnd::NotFound => return message(404),
                PastEnd::LastPage => page = last,
            }
        }
        let rows: Vec<Value> =
            self.people.iter().skip((page - 1) * limit).take(limit).cloned().collect();
        Reply::json(&self.page(&rows))
    }
}

/// One person, active and without a role, but for `more`.
fn person(nth: usize, more: Value) -> Value {
    let id = format!("00000000-0000-4000-8000-{nth:012}");
    let mut attributes = json!({
        "email": format!("p{nth}@acme.test"), "name": format!("P {nth}"), "active": true,
        "active_source": "okta", "access_role": null, "invited": true,
        "personnel_status": "all_tasks_completed", "end_date": null,
    });
    let members = attributes.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    json!({"id": id, "type": "company_user", "attributes": attributes, "relationships": {}})
}

/// A refusal as Secureframe writes it, with what must be shown to nobody.
fn message(status: u16) -> Reply {
    let body = json!({"message": format!("Authorization failed for {KEY} {SECRET}, p1@acme.test")});
    Reply { status, ..Reply::json(&body) }
}

fn secureframe(server: &Server<Company>) -> Secureframe {
    let limits = Limits {
        attempts: 2,
        backoff: Duration::from_millis(1),
        connect: Duration::from_secs(5),
        ..Limits::default()
    };
    let config = outbound::Config {
        base: Url::parse(&server.url()).unwrap(),
        ca_bundle: None,
        proxy: None,
        limits,
        user_agent: "driftline/test".to_owned(),
        auth: Auth::Header(Secret::new(format!("{KEY} {SECRET}"))),
        pace: Pace::PerMinute(PER_MINUTE),
        accept: "application/json",
    };
    let client = Client::new(config, Arc::new(clock())).unwrap();
    let config = Config {
        system: SystemId::parse("secureframe").unwrap(),
        owner: OWNER.into(),
        canaries: Vec::new(),
    };
    Secureframe::new(config, client.reader(), &Profiles::builtin().unwrap()).unwrap()
}

fn clock() -> At {
    At("2026-11-24T02:00:00Z".parse().unwrap())
}

fn accounts(pulled: &LivePull) -> Vec<Account> {
    match pulled.snapshots.first().map(|it| &it.rows) {
        Some(Rows::Accounts(accounts)) => accounts.to_vec(),
        _ => Vec::new(),
    }
}
