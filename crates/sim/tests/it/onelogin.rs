//! OneLogin's API and its token endpoint, as they look from outside.

use serde_json::json;
use sim::{Endpoint, Fault, Sim, When, World};

use crate::ask::{Reply, get, send};

const FIRM: &str = "
onelogin (page 2)
  101 ana@x.test 1 assigned
  102 bob@x.test 2 unlisted push=disabling_pending_approval
  103 cy@x.test - state=-
onelogin-roles
  501 Staff
";

async fn token(sim: &Sim, secret: &str) -> Reply {
    let url = format!("{}/auth/oauth2/v2/token", sim.onelogin_url());
    let body = format!(
        "grant_type=client_credentials&client_id=sim-onelogin-client&client_secret={secret}"
    );
    send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], &body).await
}

/// A subdomain, and an access token of it.
async fn start(firm: &str) -> (Sim, String) {
    let sim = Sim::start(World::describe(firm).unwrap()).await.unwrap();
    let granted = token(&sim, "sim-onelogin-client-secret").await;
    assert_eq!(granted.status, 200);
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    (sim, token)
}

async fn ask(sim: &Sim, token: &str, path: &str) -> Reply {
    let bearer = format!("bearer {token}");
    get(&format!("{}/api/2/{path}", sim.onelogin_url()), &[("authorization", bearer.as_str())])
        .await
}

#[tokio::test]
async fn pages_lead_on_in_a_header_and_are_numbers_in_disguise() {
    let (sim, token) = start(FIRM).await;
    let first = ask(&sim, &token, "users?limit=100").await;
    assert_eq!(first.column("id"), ["101", "102"]);
    assert_eq!((first.header("total-count"), first.header("total-pages")), ("3", "2"));
    // Who goes moves everybody behind.
    let now = sim.world().begins_at;
    sim.world().onelogin.delete(101, now);
    let cursor = first.header("after-cursor").to_owned();
    let second = ask(&sim, &token, &format!("users?cursor={cursor}")).await;
    assert_eq!((second.column("id").len(), second.header("total-count")), (0, "2"));
    assert_eq!(second.header("after-cursor"), "");
    let refused = ask(&sim, &token, "users?cursor=765415").await;
    assert_eq!(refused.json()["description"], "Invalid pagination cursor");
}

#[tokio::test]
async fn a_token_is_given_again_and_its_scope_says_what_may_be_seen() {
    let (sim, first) = start(FIRM).await;
    let again = token(&sim, "sim-onelogin-client-secret").await;
    assert_eq!(again.json()["access_token"], first.as_str());
    let refused = token(&sim, "wrong").await;
    assert_eq!((refused.status, &refused.json()["status"]["type"]), (401, &"Unauthorized".into()));
    for (path, status) in [("apps/3001", 200), ("apps/3002", 404), ("users/101/apps", 200)] {
        assert_eq!(ask(&sim, &first, path).await.status, status, "{path}");
    }
    sim.world().onelogin.door.reads_all = false;
    assert_eq!(ask(&sim, &first, "apps/3001/users").await.status, 403);
    assert_eq!(ask(&sim, "another", "users").await.json()["name"], "UnauthorizedError");
    sim.world().onelogin.door.is_ownerless = true;
    assert_eq!(token(&sim, "sim-onelogin-client-secret").await.status, 500);
    assert_eq!(sim.offences(), Vec::<String>::new());
}

#[tokio::test]
async fn what_waits_is_seen_by_id_alone_and_the_hour_has_one_budget() {
    let (sim, token) = start(&FIRM.replace("page 2", "limit 3")).await;
    assert_eq!(ask(&sim, &token, "apps/3001/users").await.column("id"), ["101"]);
    let apps = ask(&sim, &token, "users/102/apps?ignore_visibility=true").await;
    assert_eq!(apps.json()[1]["provisioning_status"], "disabling_pending_approval");
    assert_eq!(apps.header("x-ratelimit-remaining"), "1");
    assert_eq!(ask(&sim, &token, "users/102/apps").await.json().as_array().unwrap().len(), 1);
    let refused = ask(&sim, &token, "users").await;
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (429, "0"));
    assert!(refused.header("x-ratelimit-reset").parse::<u32>().unwrap() <= 3600);
    sim.fault(Endpoint::OneLoginUsers, Fault::named("429-left").unwrap(), When::next(1));
    assert_eq!(ask(&sim, &token, "users").await.header("x-ratelimit-reset"), "1");
}

#[test]
fn the_subdomain_that_comes_along_can_be_read() {
    let world = World::describe(include_str!("../../companies/onelogin.txt")).unwrap();
    let subdomain = &world.onelogin;
    assert_eq!((subdomain.users.len(), subdomain.logins.len(), subdomain.roles.len()), (6, 4, 1));
    for (line, told) in [
        ("onelogin\n 101 a@x maybe", "`maybe` is no number"),
        ("onelogin (mars)", "`mars` is not known"),
        ("onelogin-roles\n 501", "write an id and a name"),
    ] {
        let error = World::describe(line).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn events_come_in_an_envelope_with_the_cursor_in_the_body() {
    let (sim, token) = start(FIRM).await;
    let now = sim.world().begins_at;
    sim.world().onelogin.set_status(101, 2, now);
    sim.world().onelogin.set_status(101, 1, now);
    sim.world().onelogin.delete(101, now);
    let events = async |query: &str| {
        let bearer = format!("bearer {token}");
        let url = format!("{}/api/1/events{query}", sim.onelogin_url());
        get(&url, &[("authorization", bearer.as_str())]).await.json()
    };
    let types = |body: &serde_json::Value| {
        let data = body["data"].as_array().unwrap().clone();
        data.iter().map(|it| it["event_type_id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = events("?limit=2&event_type_id=17,21,32").await;
    assert_eq!(types(&first), [17, 32]);
    let after = first["pagination"]["after_cursor"].as_str().unwrap();
    let second = events(&format!("?limit=2&event_type_id=17,21,32&after_cursor={after}")).await;
    assert_eq!((types(&second), &second["pagination"]["after_cursor"]), (vec![21], &json!(null)));
    assert!(events("/types").await["data"].as_array().unwrap().iter().any(|it| it["id"] == 21));
}
