//! The app's SCIM server, and each of its habits.

use serde_json::Value;
use sim::Sim;

use crate::ask::{Reply, get, send};
use crate::world::{BEARER, FIRM, start};

async fn ask(sim: &Sim, path: &str) -> Reply {
    get(&format!("{}{path}", sim.scim_url()), &[BEARER]).await
}

/// A company whose app has these habits.
async fn with(habits: &str) -> Sim {
    start(&FIRM.replace("\napp\n", &format!("\napp ({habits})\n"))).await
}

/// `ids of total` of one list.
fn ids(reply: &Reply) -> String {
    format!("{} of {}", reply.column("id").join(" "), reply.json()["totalResults"])
}

#[tokio::test]
async fn accounts_are_written_as_they_are() {
    let sim = start(FIRM).await;
    let reply = ask(&sim, "/Users").await;
    assert_eq!(reply.header("content-type"), "application/scim+json");
    let line = |it: &Value| {
        let active = it.get("active").map_or("absent".to_owned(), Value::to_string);
        format!("{} {} {} {active}", it["id"], it["externalId"], it["userName"])
    };
    let body = reply.json();
    let lines: Vec<String> = body["Resources"].as_array().unwrap().iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n").replace("\\\"", "'"), @r#"
    "a1" "00u1" "ana@x.test" true
    "a2" "00u2" "bob@x.test" false
    "a3" null "cy@app.test" null
    "a4" null null absent
    "a5" null "eve@x.test" "False"
    "#);
    let ana = ask(&sim, "/Users/a1").await.json();
    assert_eq!(ana["roles"][0]["value"], "Admin");
    assert_eq!(ana["groups"][0]["display"], "Staff");
    assert_eq!(ana["emails"][0]["value"], "ana@x.test");
    assert_eq!(ask(&sim, "/Users/a4").await.json()["status"], "invited");
    let missing = ask(&sim, "/Users/a9").await;
    assert_eq!((missing.status, &missing.json()["status"]), (404, &"404".into()));
    assert_eq!(ids(&ask(&sim, "/Groups").await), "Staff of 1");
    assert_eq!(ask(&sim, "/Groups/Staff").await.json()["members"][0]["value"], "a1");
}

#[tokio::test]
async fn index_paging_is_clamped_on_both_sides() {
    let sim = with("page 2").await;
    for (query, seen) in [
        ("", "a1 a2 of 5"),
        ("?startIndex=3&count=100", "a3 a4 of 5"),
        ("?startIndex=5", "a5 of 5"),
        ("?startIndex=6", " of 5"),
        ("?startIndex=0&count=1", "a1 of 5"),
        ("?startIndex=-4&count=1", "a1 of 5"),
        ("?count=0", " of 5"),
        ("?count=-1", " of 5"),
    ] {
        assert_eq!(ids(&ask(&sim, &format!("/Users{query}")).await), seen, "{query}");
    }
    assert_eq!(ask(&sim, "/Users?startIndex=x").await.json()["scimType"], "invalidValue");
    let config = ask(&sim, "/ServiceProviderConfig").await.json();
    assert_eq!((&config["filter"]["maxResults"], &config["pagination"]), (&2.into(), &Value::Null));
}

#[tokio::test]
async fn cursor_paging_ends_where_there_is_no_next_cursor() {
    let sim = with("paging cursor, page 2").await;
    let config = ask(&sim, "/ServiceProviderConfig").await.json();
    assert_eq!(config["pagination"]["defaultPaginationMethod"], "cursor");
    let mut seen = Vec::new();
    let mut reply = ask(&sim, "/Users?cursor&count=2").await;
    loop {
        seen.push(reply.column("id").join(" "));
        let Some(next) = reply.json()["nextCursor"].as_str().map(str::to_owned) else { break };
        reply = ask(&sim, &format!("/Users?count=2&cursor={next}")).await;
    }
    assert_eq!(seen, ["a1 a2", "a3 a4", "a5"]);
    assert!(ask(&sim, "/Users").await.json()["nextCursor"].is_string());
    assert_eq!(ids(&ask(&sim, "/Users?startIndex=3").await), "a3 a4 of 5");
    for (query, told) in
        [("cursor=bogus", "invalidCursor"), ("cursor&startIndex=2", "invalidValue")]
    {
        let reply = ask(&sim, &format!("/Users?{query}")).await;
        assert_eq!((reply.status, &reply.json()["scimType"]), (400, &told.into()), "{query}");
    }
    let both = with("paging both").await;
    assert_eq!(ask(&both, "/Users").await.json()["startIndex"], 1);
}

#[tokio::test]
async fn filters_find_by_name_and_external_id() {
    let sim = start(FIRM).await;
    for (filter, seen) in [
        ("userName%20eq%20%22ANA@x.test%22", "a1 of 1"),
        ("userName+eq+%22nobody%22", " of 0"),
        ("externalId+eq+%2200u2%22", "a2 of 1"),
    ] {
        assert_eq!(ids(&ask(&sim, &format!("/Users?filter={filter}")).await), seen, "{filter}");
    }
    let odd = ask(&sim, "/Users?filter=userName").await;
    assert_eq!((odd.status, &odd.json()["scimType"]), (400, &"invalidFilter".into()));
}

#[tokio::test]
async fn each_habit_shows() {
    for (habit, path, seen) in [
        ("hides inactive", "/Users", "a1 a3 a4 of 3"),
        ("ignores filters", "/Users?filter=userName+eq+%22nobody%22", "a1 a2 a3 a4 a5 of 5"),
        ("restarts past end, page 2", "/Users?startIndex=7", "a1 a2 of 5"),
        ("newest first, page 2", "/Users", "a5 a4 of 5"),
    ] {
        assert_eq!(ids(&ask(&with(habit).await, path).await), seen, "{habit}");
    }
    let hidden = with("hides inactive").await;
    assert_eq!(ask(&hidden, "/Users/a2").await.json()["active"], false);
    let empty = with("empty object").await;
    assert_eq!(ask(&empty, "/Users").await.json(), serde_json::json!({}));
    let text = with("text booleans").await;
    assert_eq!(ask(&text, "/Users/a1").await.json()["active"], "True");
    let plain = with("plain json").await;
    assert_eq!(ask(&plain, "/Users").await.header("content-type"), "application/json");
    let lower = with("lower case").await;
    assert_eq!(ask(&lower, "/Users").await.json()["resources"][0]["username"], "ana@x.test");
    let bare = with("no config").await;
    assert_eq!(ask(&bare, "/ServiceProviderConfig").await.status, 404);
    let forgets = with("deletes inactive").await;
    let now = forgets.world().begins_at;
    forgets.world().deactivate("00u1", now);
    assert_eq!(ask(&forgets, "/Users/a1").await.status, 404);
}

#[tokio::test]
async fn writes_are_refused_and_remembered() {
    let sim = start(FIRM).await;
    let url = format!("{}/Users/a1", sim.scim_url());
    assert_eq!(send("PATCH", &url, &[BEARER], "{}").await.status, 405);
    assert_eq!(get(&url, &[]).await.status, 401);
    assert_eq!(sim.offences(), ["PATCH /scim/v2/Users/a1 is neither GET nor a token request"]);
    assert_eq!(sim.world().app.accounts.len(), 5);
}
