//! Okta's lists, objects, log and limits.

use sim::{Endpoint, Sim};

use crate::ask::{Reply, get, send};
use crate::world::{FIRM, SSWS, start};

async fn ask(sim: &Sim, path: &str) -> Reply {
    get(&format!("{}{path}", sim.okta_url()), &[SSWS]).await
}

/// Every page of a list, one column, pages parted by `|`.
async fn pages(sim: &Sim, path: &str, column: &str) -> String {
    let mut url = format!("{}{path}", sim.okta_url());
    let mut pages = Vec::new();
    loop {
        let reply = get(&url, &[SSWS]).await;
        assert_eq!(reply.status, 200, "{url}");
        pages.push(reply.column(column).join(" "));
        match reply.link("next") {
            Some(next) if pages.len() < 9 => url = next,
            _ => return pages.join(" | "),
        }
    }
}

#[tokio::test]
async fn users_without_a_question_leave_the_deactivated_out() {
    let sim = start(FIRM).await;
    assert_eq!(pages(&sim, "/api/v1/users", "id").await, "00u1 00u3 00u4 00u5");
    for every in [
        "filter=status+eq+%22ACTIVE%22+or+status+eq+%22DEPROVISIONED%22+or+status+eq+%22STAGED%22",
        "search=status+pr",
    ] {
        assert!(pages(&sim, &format!("/api/v1/users?{every}"), "id").await.contains("00u2"));
    }
    let two = pages(&sim, "/api/v1/users?search=status%20pr&limit=2", "status").await;
    assert_eq!(two, "ACTIVE DEPROVISIONED | SUSPENDED STAGED | LOCKED_OUT");
}

#[tokio::test]
async fn a_list_has_one_link_line_for_each_relation_and_carries_its_question_on() {
    let sim = start(FIRM).await;
    let reply = ask(&sim, "/api/v1/users?limit=1&search=status%20pr").await;
    let origin = sim.okta_url();
    let own = format!("<{origin}/api/v1/users?limit=1&search=status%20pr>; rel=\"self\"");
    let next =
        format!("<{origin}/api/v1/users?limit=1&search=status+pr&after=MDowMHUx>; rel=\"next\"");
    assert_eq!(reply.all("link"), [own, next]);
}

#[tokio::test]
async fn a_user_has_every_member_that_a_reader_needs() {
    let sim = start(FIRM).await;
    let user = ask(&sim, "/api/v1/users/00u2").await.json();
    assert_eq!(user["status"], "DEPROVISIONED");
    assert_eq!(user["statusChanged"], "2026-11-20T00:00:00.000Z");
    assert_eq!(user["profile"]["employeeNumber"], "1042");
    assert_eq!(user["profile"]["firstName"], "Bob");
    assert_eq!(ask(&sim, "/api/v1/users/bob").await.json()["id"], "00u2");
    assert!(ask(&sim, "/api/v1/users/00u4").await.json()["profile"]["email"].is_null());
    let missing = ask(&sim, "/api/v1/users/00u9").await;
    assert_eq!((missing.status, &missing.json()["errorCode"]), (404, &"E0000007".into()));
}

#[tokio::test]
async fn app_users_say_scope_status_and_account() {
    let sim = start(FIRM).await;
    let reply = ask(&sim, "/api/v1/apps/0oaapp/users?limit=500&expand=user").await;
    let rows = reply.json();
    let line = |it: &serde_json::Value| {
        format!(
            "{} {} {} {} {} {}",
            it["id"],
            it["scope"],
            it["status"],
            it["externalId"],
            it["credentials"]["userName"],
            it["_embedded"]["user"]["status"]
        )
        .replace('"', "")
    };
    let lines: Vec<String> = rows.as_array().unwrap().iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    00u1 GROUP PROVISIONED a1 ana@x.test ACTIVE
    00u3 USER ACTIVE null cy@app.test SUSPENDED
    00u5 USER PENDING a9 eve@x.test LOCKED_OUT
    ");
    assert!(ask(&sim, "/api/v1/apps/0oaapp/users").await.json()[0]["_embedded"].is_null());
    assert_eq!(ask(&sim, "/api/v1/apps/0oaapp/users/00u1").await.status, 200);
    assert_eq!(ask(&sim, "/api/v1/apps/0oaapp/users/00u2").await.status, 404);
    let groups = ask(&sim, "/api/v1/apps/0oaapp/groups?limit=200&expand=group").await.json();
    assert_eq!(groups[0]["_embedded"]["group"]["profile"]["name"], "Everybody");
    assert_eq!(pages(&sim, "/api/v1/groups/00g1/users", "id").await, "00u1");
}

#[tokio::test]
async fn features_say_whether_accounts_are_switched_off() {
    for (head, status, word) in [
        ("okta", 200, "ENABLED"),
        ("okta (deactivation off)", 200, "DISABLED"),
        ("okta (no provisioning)", 400, ""),
    ] {
        let sim = start(head).await;
        let reply = ask(&sim, "/api/v1/apps/0oaapp/features").await;
        assert_eq!(reply.status, status, "{head}");
        let said = &reply.json()[0]["capabilities"]["update"]["lifecycleDeactivate"]["status"];
        assert_eq!(said.as_str().unwrap_or_default(), word);
    }
}

#[tokio::test]
async fn what_okta_refuses_it_refuses_with_its_code() {
    let sim = start(FIRM).await;
    for (path, status, code) in [
        ("/api/v1/users?limit=201", 400, "E0000001"),
        ("/api/v1/users?limit=x", 400, "E0000001"),
        ("/api/v1/users?after=made-up", 400, "E0000001"),
        ("/api/v1/users?filter=status+sw+%22A%22", 400, "E0000053"),
        ("/api/v1/users?search=status", 400, "E0000031"),
        ("/api/v1/apps/0oaapp/users?limit=501", 400, "E0000001"),
        ("/api/v1/apps/0oaother/users", 404, "E0000007"),
        ("/api/v1/logs?since=2026-11-01T00:00:00Z&after=MDo", 400, "E0000001"),
        ("/api/v1/logs?since=2026-01-01T00:00:00Z", 400, "E0000001"),
        ("/api/v1/logs?filter=published+gt+%222026%22", 400, "E0000031"),
        ("/api/v2/users", 404, "E0000008"),
    ] {
        let reply = ask(&sim, path).await;
        let seen = (reply.status, reply.json()["errorCode"].as_str().unwrap().to_owned());
        assert_eq!(seen, (status, code.to_owned()), "{path}");
    }
    let url = format!("{}/api/v1/users", sim.okta_url());
    assert_eq!(get(&url, &[("authorization", "SSWS wrong")]).await.status, 401);
    assert_eq!(get(&url, &[]).await.json()["errorCode"], "E0000011");
    assert_eq!(send("POST", &url, &[SSWS], "{}").await.status, 405);
}

#[tokio::test]
async fn a_credential_without_a_role_sees_nothing_in_one_of_two_ways() {
    let refused = start(&FIRM.replace("okta\n", "okta (role refused)\n")).await;
    assert_eq!(ask(&refused, "/api/v1/users").await.json()["errorCode"], "E0000006");
    let blind = start(&FIRM.replace("okta\n", "okta (role blind)\n")).await;
    let reply = ask(&blind, "/api/v1/users").await;
    assert_eq!((reply.status, reply.json()), (200, serde_json::json!([])));
}

#[tokio::test]
async fn rate_headers_count_down_by_the_servers_clock_and_bite() {
    let sim = start("okta (limit 2)").await;
    let first = ask(&sim, "/api/v1/users").await;
    assert_eq!(first.header("x-rate-limit-limit"), "2");
    assert_eq!(first.header("x-rate-limit-remaining"), "1");
    let began = 1_795_143_600;
    let reset: i64 = first.header("x-rate-limit-reset").parse().unwrap();
    assert!((began + 60..began + 90).contains(&reset), "{reset}");
    assert!(first.header("date").starts_with("Fri, 20 Nov 2026 03:0"));
    assert!(first.header("x-okta-request-id").starts_with("req"));
    assert_eq!(ask(&sim, "/api/v1/users").await.header("x-rate-limit-remaining"), "0");
    let refused = ask(&sim, "/api/v1/users").await;
    assert_eq!((refused.status, &refused.json()["errorCode"]), (429, &"E0000047".into()));
    // Each bucket is counted by itself, and a new window begins after a minute.
    assert_eq!(ask(&sim, "/api/v1/groups").await.status, 200);
    sim.clock().advance(chrono::TimeDelta::seconds(61));
    assert_eq!(ask(&sim, "/api/v1/users").await.status, 200);
}

#[tokio::test]
async fn polling_the_log_gives_every_event_once_though_one_was_written_late() {
    let sim = start(FIRM).await;
    let since = "/api/v1/logs?since=2026-11-19T00:00:00Z&limit=2&sortOrder=ASCENDING";
    let first = ask(&sim, since).await;
    assert_eq!(first.column("published"), ["2026-11-19T23:00:00.000Z", "2026-11-20T00:00:00.000Z"]);
    let second = get(&first.link("next").unwrap(), &[SSWS]).await;
    // Written last, though it happened first.
    assert_eq!(second.column("published"), ["2026-11-19T22:00:00.000Z"]);
    let caught_up = get(&second.link("next").unwrap(), &[SSWS]).await;
    assert_eq!(caught_up.json(), serde_json::json!([]));
    let checkpoint = caught_up.link("next").unwrap();
    assert_eq!(get(&checkpoint, &[SSWS]).await.link("next").as_ref(), Some(&checkpoint));

    let now = sim.world().begins_at;
    sim.world().suspend("00u1", now);
    let later = get(&checkpoint, &[SSWS]).await;
    assert_eq!(later.column("eventType"), ["user.lifecycle.suspend"]);
    assert_eq!(later.json()[0]["target"][0]["id"], "00u1");
}

#[tokio::test]
async fn the_log_between_two_times_is_in_order_of_time_and_ends() {
    let sim = start(FIRM).await;
    let between = "since=2026-11-19T00:00:00Z&until=2026-11-20T03:00:00Z&limit=2";
    let days = pages(&sim, &format!("/api/v1/logs?{between}"), "published").await;
    assert_eq!(
        days,
        "2026-11-19T22:00:00.000Z 2026-11-19T23:00:00.000Z | 2026-11-20T00:00:00.000Z"
    );
    let of_app = format!("/api/v1/logs?{between}&filter=target.id+eq+%220oaapp%22");
    assert_eq!(
        pages(&sim, &of_app, "eventType").await,
        "application.provision.user.deactivate application.user_membership.add"
    );
}

#[tokio::test]
async fn a_large_company_takes_as_many_requests_as_its_pages() {
    let sim = start("company 1000 (leavers 20)").await;
    let users = pages(&sim, "/api/v1/users?search=status+pr&limit=200", "id").await;
    assert_eq!(users.split_whitespace().filter(|it| *it != "|").count(), 1_000);
    assert_eq!(sim.count(Endpoint::OktaUsers), 5);
    let app_users = pages(&sim, "/api/v1/apps/0oaapp/users?limit=500", "id").await;
    assert_eq!(app_users.split_whitespace().filter(|it| *it != "|").count(), 980);
    assert_eq!(sim.count(Endpoint::OktaAppUsers), 2);
    assert_eq!(sim.count(Endpoint::Okta), 7);
    assert_eq!(sim.offences(), Vec::<String>::new());
}
