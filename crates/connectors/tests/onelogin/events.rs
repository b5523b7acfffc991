//! Events: which are asked for, how their pages lead on, where the next pull goes on, and what is not
//! believed.

use domain::{LogEvent, Watcher};
use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{Subdomain, connect, now};

/// The types as OneLogin lists them, as far as they matter.
pub(crate) fn types() -> Value {
    let types = [
        (1, "APP_ADDED_TO_ROLE"),
        (16, "USER_ACTIVATED"),
        (17, "USER_DELETED"),
        (21, "USER_SUSPENDED"),
        (32, "USER_REACTIVATED"),
        (53, "USER_SUSPENDED_IN_APP"),
        (55, "USER_DELETED_IN_APP"),
        (60, "DO_NOTHING_WARNING"),
        (61, "USER_SUSPENSION_FAILED_IN_APP"),
        (63, "USER_DELETION_FAILED_IN_APP"),
    ];
    let types = types.map(|(id, name)| json!({"id": id, "name": name, "description": null}));
    json!({"status": {"error": false, "code": 200}, "data": types})
}

/// A page of events, as documented.
pub(crate) fn page(events: &[Value], after: Option<&str>) -> Reply {
    Reply::json(&json!({
        "status": {"error": false, "code": 200, "type": "success", "message": "Success"},
        "pagination": {"before_cursor": null, "after_cursor": after, "previous_link": null,
            "next_link": after.map(|it| format!("https://acme.onelogin.com/api/1/events?after_cursor={it}"))},
        "data": events,
    }))
}

fn event(id: u64, type_id: u64, user: u64, at: &str) -> Value {
    json!({"id": id, "account_id": 77, "event_type_id": type_id, "created_at": at, "user_id": user,
        "user_name": "u1@acme.test", "app_id": 3001, "app_name": "Secureframe", "notes": null})
}

fn shown(events: &[LogEvent]) -> Vec<String> {
    events.iter().map(|it| format!("{} {} {}", it.kind, it.identity, it.at.to_rfc3339())).collect()
}

const SUSPENDED_AT: &str = "2026-11-21T09:00:00.000Z";

#[tokio::test]
async fn pages_follow_the_cursor_in_the_body_and_the_next_pull_goes_on() {
    let server = Server::start(Subdomain::of_two());
    let first = page(&[event(5, 63, 2, "2026-11-22T10:00:00.000Z")], Some("cGFnZTI="));
    let second = page(&[event(4, 21, 2, SUSPENDED_AT), event(3, 148, 1, SUSPENDED_AT)], None);
    server.once("1/events?", [first, second]);
    let pull = connect(&server).pull(&now(), None).await;
    assert_eq!(
        shown(&pull.events),
        ["left 2 2026-11-21T09:00:00+00:00", "push_failed 2 2026-11-22T10:00:00+00:00"]
    );
    assert_eq!(pull.troubles, []);
    let asked: Vec<String> =
        server.requests().into_iter().filter(|it| it.contains("/1/events")).collect();
    let query = "event_type_id=16,17,21,32,53,55,60,61,63&since=2026-08-26T02:00:00.000Z&limit=50";
    assert_eq!(
        asked,
        [
            "GET /api/1/events/types".to_owned(),
            format!("GET /api/1/events?{query}"),
            format!("GET /api/1/events?{query}&after_cursor=cGFnZTI="),
        ]
    );

    // From the newest event on, and some hours before; a light look does not ask for types again.
    let cursor = pull.log_cursor.unwrap();
    let light = connect(&server).pull_log(&now(), Some(&cursor)).await;
    assert_eq!((light.snapshots.len(), light.log_cursor.as_deref()), (0, Some(cursor.as_str())));
    let asked = server.requests();
    assert_eq!(server.n_requests("1/events/types"), 1);
    assert!(asked.last().unwrap().contains("since=2026-11-22T04:00:00.000Z"), "{asked:?}");
}

#[tokio::test]
async fn a_number_that_means_something_else_here_tells_nothing() {
    let server = Server::start(Subdomain::of_two());
    let mut other = types();
    other["data"][3]["name"] = json!("USER_LOCKED");
    server.once("1/events/types", [Reply::json(&other)]);
    server.once("1/events?", [page(&[event(4, 21, 2, SUSPENDED_AT)], None)]);
    let pull = connect(&server).pull(&now(), None).await;
    assert_eq!(pull.events, []);
    let told: Vec<_> = pull.troubles.iter().map(|it| (it.kind, it.text.as_str())).collect();
    assert!(
        matches!(told[..], [(Watcher::SchemaChanged, text)] if text.contains(": 21.")),
        "{told:?}"
    );

    // Once it means that, what was passed over is read: the place to go on is of other types.
    let cursor = pull.log_cursor.unwrap();
    server.once("1/events?", [page(&[event(4, 21, 2, SUSPENDED_AT)], None)]);
    let pull = connect(&server).pull(&now(), Some(&cursor)).await;
    assert_eq!(shown(&pull.events), ["left 2 2026-11-21T09:00:00+00:00"]);
    assert!(server.requests().last().unwrap().contains("since=2026-08-26"));
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_the_lists_count_all_the_same() {
    let forbidden = Reply {
        status: 403,
        ..Reply::json(&json!({"statusCode": 403, "name": "F", "message": "m"}))
    };
    let endless = page(&[event(4, 21, 2, SUSPENDED_AT)], Some("x"));
    for (at, reply, why, n_events) in [
        ("1/events/types", forbidden.clone(), "may not read the types of events", 0),
        ("1/events?", forbidden, "may not read the events", 0),
        ("1/events?", Reply::html(200), "the answer is no list of events", 0),
        ("1/events?", endless, "a page leads back to one that was read", 1),
    ] {
        let server = Server::start(Subdomain::of_two());
        server.always(at, reply);
        let pull = connect(&server).pull(&now(), None).await;
        assert_eq!(pull.snapshots.len(), 2);
        let told: Vec<_> = pull.troubles.iter().map(|it| it.text.as_str()).collect();
        assert!(
            matches!(told[..], [text] if text.contains(why)
            && text.contains("some leave times are not known")),
            "{told:?}"
        );
        assert_eq!((pull.events.len(), pull.log_cursor), (n_events, None), "{why}");
    }
}

#[tokio::test]
async fn more_pages_than_are_read_leave_the_place_where_it_was() {
    let server = Server::start(Subdomain::of_two());
    let pages = (0..4).map(|n| page(&[event(9 - n, 21, 2, SUSPENDED_AT)], Some(&n.to_string())));
    server.once("1/events?", pages);
    let pull = connect(&server).pull(&now(), None).await;
    assert_eq!((pull.events.len(), pull.log_cursor), (3, None));
    assert!(pull.troubles[0].text.contains("more of it than 3 pages"), "{:?}", pull.troubles);
}

#[tokio::test]
async fn that_nothing_is_done_in_the_app_is_named_as_the_cause() {
    let server = Server::start(Subdomain::of_two());
    server.once("1/events?", [page(&[event(4, 60, 2, SUSPENDED_AT)], None)]);
    let pull = connect(&server).pull(&now(), None).await;
    let told: Vec<_> = pull.troubles.iter().map(|it| (it.kind, it.text.as_str())).collect();
    assert!(
        matches!(told[..], [(Watcher::ProvisioningUnhealthy, text)]
            if text.contains("Set Suspend or Delete") && text.contains(SUSPENDED_AT)),
        "{told:?}"
    );
}
