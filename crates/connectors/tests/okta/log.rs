//! The system log, polled from run to run.

use connectors::live::LivePull;
use serde_json::{Value, json};

use super::okta_server::{APP, OktaServer, Org, Reply, event, id};
use super::{config, connect, now, plain};

const AT: &str = "2026-11-20T08:00:00.000Z";

fn org(log: Vec<Vec<Value>>) -> Org {
    Org { log, ..Org::of(1) }
}

fn events(pull: &LivePull) -> Vec<String> {
    pull.events.iter().map(|it| format!("{} {:?} {}", it.id, it.kind, it.identity)).collect()
}

async fn poll(server: &OktaServer, cursor: Option<&str>) -> LivePull {
    connect(server, config()).pull(&now(), cursor).await
}

fn troubles(server: &OktaServer, pull: &LivePull) -> String {
    let texts: Vec<String> =
        pull.troubles.iter().map(|it| format!("{}: {}", it.kind, it.text)).collect();
    plain(server, &texts.join("\n"))
}

#[tokio::test]
async fn the_first_poll_goes_ninety_days_back_and_the_next_one_goes_on() {
    let left = event("e1", AT, "user.lifecycle.deactivate", 1);
    let removed = event("e2", AT, "application.user_membership.remove", 1);
    let server = OktaServer::start(org(vec![vec![removed], vec![left]]));
    let first = poll(&server, None).await;
    let user = id(1);
    assert_eq!(events(&first), [format!("e1 Left {user}"), format!("e2 Unassigned {user}")]);
    let asked: Vec<String> =
        server.requests().into_iter().filter(|it| it.contains("/logs")).collect();
    assert_eq!(asked.len(), 3, "{asked:#?}");
    assert_eq!(
        asked[0],
        format!(
            "GET /api/v1/logs?sortOrder=ASCENDING&limit=1000&since=2026-08-26T02:00:00.000Z&filter=\
             eventType sw \"user.lifecycle\" or (target.id eq \"{APP}\" and (eventType sw \
             \"application.user_membership\" or eventType sw \"application.provision.user\"))"
        )
    );
    assert!(asked.iter().all(|it| !it.contains("until")));

    // Nothing new.
    let cursor = first.log_cursor.unwrap();
    let second = poll(&server, Some(&cursor)).await;
    assert_eq!(events(&second), Vec::<String>::new());
    assert_eq!(second.log_cursor.as_deref(), Some(cursor.as_str()));
    assert_eq!(server.n_requests("since="), 1);

    // Something new, which happened before what was read already.
    let early = event("e0", "2026-11-01T08:00:00.000Z", "user.lifecycle.suspend", 2);
    server.change(|org| org.log.push(vec![early]));
    let third = poll(&server, Some(&cursor)).await;
    assert_eq!(events(&third), [format!("e0 Suspended {}", id(2))]);
    assert_ne!(third.log_cursor.as_deref(), Some(cursor.as_str()));
    assert_eq!(server.n_requests("since="), 1);
}

#[tokio::test]
async fn events_are_in_order_of_time_and_each_once() {
    let one = event("e1", "2026-11-20T08:00:00.000Z", "user.lifecycle.deactivate", 1);
    let earlier = event("e2", "2026-11-19T08:00:00.000Z", "user.lifecycle.suspend", 1);
    let server = OktaServer::start(org(vec![vec![one.clone(), earlier], vec![one]]));
    let pull = poll(&server, None).await;
    assert_eq!(events(&pull), [format!("e2 Suspended {}", id(1)), format!("e1 Left {}", id(1))]);
}

#[tokio::test]
async fn the_same_link_again_means_caught_up() {
    let server = OktaServer::start(org(Vec::new()));
    let link = format!("<{}/api/v1/logs?after=same>; rel=\"next\"", server.url());
    let page = Reply::json(&json!([event("e1", AT, "user.lifecycle.deactivate", 1)]));
    server.always("/logs", page.with("Link", link));
    let pull = poll(&server, None).await;
    assert_eq!(events(&pull), [format!("e1 Left {}", id(1))]);
    assert_eq!(server.n_requests("/logs"), 2);
    assert_eq!(pull.troubles, []);
}

#[tokio::test]
async fn where_okta_keeps_less_than_ninety_days_it_is_asked_for_less() {
    let server = OktaServer::start(org(Vec::new()));
    let refused = Reply::error(400, "E0000001", "Api validation failed: since");
    server.once("/logs", [refused.clone(), refused]);
    let pull = poll(&server, None).await;
    let since: Vec<String> = server
        .requests()
        .iter()
        .filter_map(|it| Some(it.split("since=").nth(1)?[..10].to_owned()))
        .collect();
    assert_eq!(since, ["2026-08-26", "2026-10-25", "2026-11-17"]);
    assert!(pull.log_cursor.is_some());
    insta::assert_snapshot!(troubles(&server, &pull), @"snapshot_incomplete: Okta refused to show the system log of more than 7 days. Who left before has no time of leaving from the log.");
}

#[tokio::test]
async fn a_log_with_no_end_goes_on_in_the_next_run() {
    let pages: Vec<Vec<Value>> = (1..=5)
        .map(|it| vec![event(&format!("e{it}"), AT, "user.lifecycle.deactivate", it)])
        .collect();
    let server = OktaServer::start(org(pages));
    let mut config = config();
    config.log_pages = 2;
    let okta = connect(&server, config);
    let first = okta.pull(&now(), None).await;
    assert_eq!(first.events.len(), 2);
    insta::assert_snapshot!(troubles(&server, &first), @"snapshot_incomplete: The system log could not be read to its end, so some leave times are not known: there is more of it than 2 pages; the next run goes on from there");
    let second = okta.pull(&now(), first.log_cursor.as_deref()).await;
    assert_eq!(second.events.len(), 2);
    let third = okta.pull(&now(), second.log_cursor.as_deref()).await;
    assert_eq!((third.events.len(), third.troubles.len()), (1, 0));
}

#[tokio::test]
async fn a_cursor_that_okta_no_longer_takes_begins_again() {
    for reply in
        [Reply::error(400, "E0000001", "invalid after"), Reply::html(404), Reply::html(410)]
    {
        let server =
            OktaServer::start(org(vec![vec![event("e1", AT, "user.lifecycle.deactivate", 1)]]));
        server.once("after=dead", [reply]);
        let cursor = format!("{APP} {}/api/v1/logs?after=dead", server.url());
        let pull = poll(&server, Some(&cursor)).await;
        assert_eq!(events(&pull), [format!("e1 Left {}", id(1))]);
        assert_eq!(server.n_requests("since=2026-08-26"), 1);
    }
}

#[tokio::test]
async fn a_cursor_is_not_let_go_before_the_log_was_begun_again() {
    let server = OktaServer::start(org(Vec::new()));
    server.always("/logs", Reply::html(404));
    let cursor = format!("{APP} {}/api/v1/logs?after=7", server.url());
    let pull = poll(&server, Some(&cursor)).await;
    assert_eq!((pull.log_cursor, pull.troubles.len()), (Some(cursor), 1));
}

#[tokio::test]
async fn a_cursor_of_another_app_or_another_address_begins_again() {
    let server = OktaServer::start(org(Vec::new()));
    for cursor in [
        format!("0oaOTHER {}/api/v1/logs?after=1", server.url()),
        format!("{APP} https://old.okta.test/api/v1/logs?after=1"),
        "rubbish".to_owned(),
    ] {
        let n_before = server.n_requests("since=2026-08-26");
        let pull = poll(&server, Some(&cursor)).await;
        assert_eq!(server.n_requests("since=2026-08-26"), n_before + 1, "{cursor}");
        assert!(pull.log_cursor.unwrap().starts_with(&format!("{APP} http://127.0.0.1")));
        assert_eq!(pull.troubles, []);
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_keeps_the_cursor_and_says_so() {
    let mut told = String::new();
    for reply in [
        Reply::error(403, "E0000006", "You do not have permission"),
        Reply::error(500, "E0000009", "Internal Server Error"),
        Reply::html(200),
        Reply::json(&json!({})),
    ] {
        let server = OktaServer::start(org(Vec::new()));
        server.always("/logs", reply);
        let cursor = format!("{APP} {}/api/v1/logs?after=1", server.url());
        let pull = poll(&server, Some(&cursor)).await;
        assert_eq!(pull.log_cursor, Some(cursor));
        assert_eq!(pull.snapshots.len(), 2, "the lists do not rest on the log");
        told.push_str(&troubles(&server, &pull));
        told.push('\n');
    }
    insta::assert_snapshot!(told, @"
    snapshot_incomplete: The system log could not be read to its end, so some leave times are not known: HTTP 403 from `https://acme.okta.com/api/v1/logs?after=1`: the credential may not read the system log (E0000006, Okta's id of this error is oaeTEST): grant the service app the scope `okta.logs.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    snapshot_incomplete: The system log could not be read to its end, so some leave times are not known: HTTP 500 from `https://acme.okta.com/api/v1/logs`: Okta failed, or the query of the log took longer than 30 s (E0000009, Okta's id of this error is oaeTEST): the next run asks again
    snapshot_incomplete: The system log could not be read to its end, so some leave times are not known: `https://acme.okta.com/api/v1/logs?after=1` gave no list: the answer is no list of events: check the base URL and what stands between here and Okta
    snapshot_incomplete: The system log could not be read to its end, so some leave times are not known: `https://acme.okta.com/api/v1/logs?after=1` gave no list: the answer is no list of events: check the base URL and what stands between here and Okta
    ");
}

#[tokio::test]
async fn trouble_in_the_middle_of_the_log_keeps_what_was_read() {
    let page = |it: usize| vec![event(&format!("e{it}"), AT, "user.lifecycle.deactivate", it)];
    let server = OktaServer::start(org(vec![page(1), page(2), page(3)]));
    server.once("/api/v1/logs?sortOrder=ASCENDING&after=2", [Reply::html(200)]);
    let first = poll(&server, None).await;
    assert_eq!(first.events.len(), 2);
    assert_eq!(first.troubles.len(), 1);
    let second = poll(&server, first.log_cursor.as_deref()).await;
    assert_eq!(events(&second), [format!("e3 Left {}", id(3))]);
}

#[tokio::test]
async fn events_that_do_not_say_enough_are_counted() {
    let mut vague = event("e1", AT, "user.lifecycle.deactivate", 1);
    vague["target"] = Value::Null;
    let server = OktaServer::start(org(vec![vec![vague]]));
    let pull = poll(&server, None).await;
    assert_eq!(pull.events, []);
    insta::assert_snapshot!(troubles(&server, &pull), @"schema_changed: Events of the system log that do not say when, whom or how it went: 1. Their times are not known. Look whether Okta changed its log.");
}
