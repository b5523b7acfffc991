//! What goes wrong on the way: refusals, limits, broken answers, and links that lead elsewhere.
//! Each in what the operator reads, and never as an empty or a complete list.

use connectors::live::LivePull;
use domain::Coverage;
use outbound::{Auth, ClientProof, ServiceApp, SigningKey};
use serde_json::json;

use super::okta_server::{OktaServer, Org, Reply, user};
use super::{TOKEN, config, connect_as, now, pull, told};

/// The lines about the list of users.
fn of_users(told: &str) -> String {
    let lines = told.lines().filter(|it| it.starts_with("okta identities"));
    lines.collect::<Vec<_>>().join("\n")
}

async fn with_users(reply: Reply) -> (OktaServer, LivePull) {
    let server = OktaServer::start(Org::of(3));
    server.always("/api/v1/users?", reply);
    let pull = pull(&server).await;
    (server, pull)
}

#[tokio::test]
async fn refusals_are_failures_with_what_to_do() {
    let mut told_all = String::new();
    for reply in [
        Reply::error(401, "E0000011", "Invalid token provided"),
        Reply::error(403, "E0000006", "You do not have permission"),
        Reply::error(404, "E0000008", "The requested path was not found"),
        Reply::error(400, "E0000031", "Invalid search criteria."),
        Reply::html(404),
        Reply::html(403),
        Reply::text(403, "application/json", ""),
    ] {
        let (server, pull) = with_users(reply).await;
        assert_eq!(pull.failures.len(), 1);
        told_all.push_str(&of_users(&told(&server, &pull)));
        told_all.push('\n');
    }
    insta::assert_snapshot!(told_all, @"
    okta identities: failed: HTTP 401 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone
    okta identities: failed: HTTP 403 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: the credential may not read users (E0000006, Okta's id of this error is oaeTEST): grant the service app the scope `okta.users.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    okta identities: failed: HTTP 404 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: Okta knows no such address (E0000008, Okta's id of this error is oaeTEST): check that the base URL is that of the organisation, without a path
    okta identities: failed: HTTP 400 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: Okta does not take the filter (E0000031, Okta's id of this error is oaeTEST): report this
    okta identities: failed: HTTP 404 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: this is no answer of Okta's API: check the base URL
    okta identities: failed: HTTP 403 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: the credential may not read users: grant the service app the scope `okta.users.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    okta identities: failed: HTTP 403 from `https://acme.okta.com/api/v1/users?limit=200&filter=..`: the credential may not read users: grant the service app the scope `okta.users.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    ");
}

#[tokio::test]
async fn answers_that_are_no_list_are_failures() {
    let mut told_all = String::new();
    for reply in [
        Reply::html(200),
        Reply::text(200, "application/json", ""),
        Reply::text(200, "application/json", "{}"),
        Reply::text(200, "application/json", "{\"users\":[]}"),
        Reply::text(200, "application/json", "null"),
        Reply::text(200, "application/json", "[1]"),
        Reply::text(200, "application/json", "[{\"status\":\"ACTIVE\"}]"),
        Reply::text(200, "application/json", "[{\"id\":"),
    ] {
        let (server, pull) = with_users(reply).await;
        assert_eq!(pull.snapshots.len(), 1, "the other list is not touched");
        told_all.push_str(&of_users(&told(&server, &pull)));
        told_all.push('\n');
    }
    insta::assert_snapshot!(told_all, @"
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer is a web page and no list: check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer is empty: check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer is one object and no list: check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer is one object and no list: check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer is no list: check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer is not JSON: check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: a row has no `id` (row 1): check the base URL and what stands between here and Okta
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the answer ends in the middle: check the base URL and what stands between here and Okta
    ");
}

#[tokio::test]
async fn trouble_in_the_middle_keeps_what_was_read_as_a_part() {
    let mut told_all = String::new();
    for reply in [
        Reply::error(403, "E0000006", "You do not have permission"),
        Reply::error(503, "E0000010", "The service is in read only mode."),
        Reply::html(200),
        Reply::html(502),
        Reply::json(&json!([user(3, "ACTIVE")])).cut_after(10),
    ] {
        let server = OktaServer::start(Org::of(3));
        server.always("&after=2", reply);
        let pull = pull(&server).await;
        let users = &pull.snapshots[0];
        assert!(matches!(users.coverage, Coverage::Partial { .. }));
        assert_eq!(users.rows.len(), 2);
        let of_users = of_users(&told(&server, &pull));
        told_all.push_str(&of_users);
        told_all.push('\n');
    }
    insta::assert_snapshot!(told_all, @"
    okta identities: 2 rows, partial: HTTP 403 from `https://acme.okta.com/api/v1/users?limit=200&filter=..&after=2`: the credential may not read users (E0000006, Okta's id of this error is oaeTEST): grant the service app the scope `okta.users.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    okta identities: 2 rows, partial: HTTP 503 from `https://acme.okta.com/api/v1/users`: Okta is in read-only mode for maintenance and did not answer (E0000010, Okta's id of this error is oaeTEST): the next run asks again
    okta identities: 2 rows, partial: `https://acme.okta.com/api/v1/users?limit=200&filter=..&after=2` gave no list: the answer is a web page and no list: check the base URL and what stands between here and Okta
    okta identities: 2 rows, partial: failed to GET `https://acme.okta.com/api/v1/users`: HTTP 502: the server is in trouble, ask again later
    okta identities: 2 rows, partial: failed to GET `https://acme.okta.com/api/v1/users`: the answer was cut off after 10 bytes: ask again later, or look at the proxy between: error decoding response body: error reading a body from connection: end of file before message length reached
    ");
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_before_it_counts() {
    for reply in [Reply::html(503), Reply::error(500, "E0000009", "Internal Server Error")] {
        let server = OktaServer::start(Org::of(3));
        server.once("/api/v1/users?", [reply.clone(), reply]);
        let pull = pull(&server).await;
        assert!(told(&server, &pull).starts_with("okta identities: 3 rows, complete"));
        // Each try is a line, and the rows are counted where they came.
        let n_rows: Vec<u64> = pull.snapshots[0].requests.iter().map(|it| it.n_rows).collect();
        assert_eq!(n_rows, [0, 0, 2, 1]);
    }
}

#[tokio::test]
async fn read_only_mode_and_maintenance_are_named() {
    let (server, pull) =
        with_users(Reply::error(503, "E0000010", "The service is in read only mode.")).await;
    insta::assert_snapshot!(of_users(&told(&server, &pull)), @"okta identities: failed: HTTP 503 from `https://acme.okta.com/api/v1/users`: Okta is in read-only mode for maintenance and did not answer (E0000010, Okta's id of this error is oaeTEST): the next run asks again");
}

#[tokio::test]
async fn both_kinds_of_429_are_waited_for() {
    // The server's clock says 02:00:00 in its `Date`; a second later the window is over.
    let window = Reply::error(429, "E0000047", "API call exceeded rate limit")
        .with("X-Rate-Limit-Limit", "600")
        .with("X-Rate-Limit-Remaining", "0")
        .with("X-Rate-Limit-Reset", "1795485601");
    let concurrency = Reply::error(429, "E0000047", "Too many concurrent requests")
        .with("X-Rate-Limit-Limit", "0")
        .with("X-Rate-Limit-Remaining", "0")
        .with("X-Rate-Limit-Reset", "1795489200");
    for reply in [window, concurrency] {
        let server = OktaServer::start(Org::of(1));
        server.once("/api/v1/users?", [reply]);
        let pull = pull(&server).await;
        assert!(told(&server, &pull).starts_with("okta identities: 1 rows, complete"));
        assert_eq!(server.n_requests("/api/v1/users?"), 2);
    }
}

#[tokio::test]
async fn a_429_that_never_ends_is_a_failure() {
    let (server, pull) = with_users(
        Reply::error(429, "E0000047", "API call exceeded rate limit")
            .with("X-Rate-Limit-Limit", "600")
            .with("X-Rate-Limit-Remaining", "0")
            .with("X-Rate-Limit-Reset", "1795489200"),
    )
    .await;
    insta::assert_snapshot!(of_users(&told(&server, &pull)), @"okta identities: failed: failed to GET `https://acme.okta.com/api/v1/users`: asked to wait 3600s more, and a wait is 1.5s at most: ask again later, or give this credential a larger share");
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let other = OktaServer::start(Org::of(9));
    let server = OktaServer::start(Org::of(3));
    let next = format!("<{}/api/v1/users?after=2>; rel=\"next\"", other.url());
    let rows = json!([user(1, "ACTIVE"), user(2, "ACTIVE")]);
    server.always("/api/v1/users?", Reply::json(&rows).with("Link", next));
    let pull = pull(&server).await;
    let told = told(&server, &pull).replace(&other.url(), "https://elsewhere.test");
    insta::assert_snapshot!(of_users(&told), @"okta identities: 2 rows, partial: failed to GET `https://acme.okta.com/api/v1/`: the next page is said to be at `https://elsewhere.test/api/v1/users`, which is not on the scheme, host and port of the base URL: correct the base URL, or ask who answers there");
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_list_without_an_end_stops_at_the_limit_of_pages() {
    let server = OktaServer::start(Org::of(1));
    let url = server.url();
    let mut n = 1;
    server.hook(move |_, path| {
        path.starts_with("/api/v1/users?").then(|| {
            n += 1;
            let next = format!("<{url}/api/v1/users?after={n}>; rel=\"next\"");
            Reply::json(&json!([user(n, "ACTIVE")])).with("Link", next)
        })
    });
    let pull = pull(&server).await;
    let told = of_users(&told(&server, &pull));
    assert!(told.contains("partial: ") && told.contains("more than 60 pages"), "{told}");
    assert!(server.requests().len() <= 61);
}

#[tokio::test]
async fn one_list_that_fails_does_not_take_the_other_with_it() {
    let server = OktaServer::start(Org::of(3));
    server.always("&expand=user", Reply::error(403, "E0000006", "You do not have permission"));
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 3 rows, complete
    okta assignments: failed: HTTP 403 from `https://acme.okta.com/api/v1/apps/0oaAPP/users?limit=500&expand=user`: the credential may not read the users of the app (E0000006, Okta's id of this error is oaeTEST): grant the service app the scope `okta.apps.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    ");
}

#[tokio::test]
async fn an_unreadable_app_is_named_and_the_lists_still_come() {
    let server = OktaServer::start(Org::of(1));
    server.once("/api/v1/apps/0oaAPP", [Reply::error(403, "E0000006", "No")]);
    server.always("/features", Reply::html(200));
    server.always("/groups?", Reply::error(403, "E0000006", "No"));
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 1 rows, complete
    okta assignments: 1 rows, complete
      note: the groups of the app could not be read: HTTP 403 from `https://acme.okta.com/api/v1/apps/0oaAPP/groups?limit=200&expand=group`: the credential may not read the groups of the app (E0000006, Okta's id of this error is oaeTEST): grant the service app the scope `okta.apps.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this
    snapshot_incomplete: Could not read the app, so whether Okta keeps the app in step is not known: HTTP 403 from `https://acme.okta.com/api/v1/apps/0oaAPP`: the credential may not read the app (E0000006, Okta's id of this error is oaeTEST): grant the service app the scope `okta.apps.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this.
    snapshot_incomplete: Could not read the provisioning settings of the app, so whether Okta keeps the app in step is not known: the answer is no list of settings.
    ");
}

#[tokio::test]
async fn the_token_is_in_no_request_line() {
    let server = OktaServer::start(Org::of(3));
    let pull = pull(&server).await;
    let lines = pull.snapshots.iter().flat_map(|it| &it.requests).chain(&pull.requests);
    assert_eq!(lines.clone().count(), server.requests().len());
    assert!(lines.clone().all(|it| !it.url.contains(TOKEN) && &*it.method == "GET"));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_makes_the_list_partial_and_the_others_count() {
    let mut org = Org::of(4);
    org.users[1] = json!({"id": null, "status": "ACTIVE"});
    org.users[3]["created"] = "once".into();
    let server = OktaServer::start(org);
    let pull = pull(&server).await;
    insta::assert_snapshot!(of_users(&told(&server, &pull)), @"okta identities: 3 rows, partial: rows that cannot be read: 1, the first in `https://acme.okta.com/api/v1/users?limit=200&filter=..`: a row has no `id` (row 2)");
    // A date that cannot be read is not known, and is told as any other word.
    let unmapped: Vec<_> = pull.unmapped.iter().map(|it| (&*it.field, &*it.raw)).collect();
    assert_eq!(unmapped, [("created", "once")]);
}

#[tokio::test]
async fn a_relative_link_counts_from_the_page_that_it_stands_on() {
    let server = OktaServer::start(Org::of(3));
    let next = "?limit=200&filter=status%20eq%20%22ACTIVE%22&after=2";
    let rows = json!([user(1, "ACTIVE"), user(2, "ACTIVE")]);
    let link = format!("<{next}>; rel=\"next\"");
    server.once("/api/v1/users?", [Reply::json(&rows).with("Link", link)]);
    let pull = pull(&server).await;
    assert_eq!(of_users(&told(&server, &pull)), "okta identities: 3 rows, complete");
    assert_eq!(server.n_requests("GET /api/v1/users?limit=200"), 2);
}

#[tokio::test]
async fn a_link_that_is_no_text_is_not_the_end_of_a_list() {
    let server = OktaServer::start(Org::of(3));
    let rows = json!([user(1, "ACTIVE"), user(2, "ACTIVE")]);
    let link = "</api/v1/users?after=2>; rel=\"next\"; title=\"nächste\"";
    server.always("/api/v1/users?", Reply::json(&rows).with("Link", link));
    let pull = pull(&server).await;
    insta::assert_snapshot!(of_users(&told(&server, &pull)), @"okta identities: 2 rows, partial: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the `Link` header of the answer cannot be read, so where the list ends is not known: check the base URL and what stands between here and Okta");
}

/// How often each kind of address is asked for where the credential is refused from the n-th
/// request on, and what is told.
async fn refused_from(nth: usize) -> (usize, String) {
    let server = OktaServer::start(Org::of(3));
    let mut n = 0;
    server.hook(move |_, _| {
        n += 1;
        (n >= nth).then(|| Reply::error(401, "E0000011", "Invalid token provided"))
    });
    let pull = pull(&server).await;
    let told = told(&server, &pull).replace("; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone", "");
    (server.requests().len(), told)
}

#[tokio::test]
async fn a_refused_credential_is_met_once_and_said_once() {
    let (n_requests, told) = refused_from(1).await;
    assert_eq!(n_requests, 1);
    insta::assert_snapshot!(told, @"
    okta identities: failed: HTTP 401 from `https://acme.okta.com/api/v1/apps/0oaAPP`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one
    okta assignments: failed: HTTP 401 from `https://acme.okta.com/api/v1/apps/0oaAPP`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one
    ");
    // At the first list.
    let (n_requests, told) = refused_from(3).await;
    assert_eq!(n_requests, 3);
    insta::assert_snapshot!(told, @"
    okta assignments: failed: HTTP 401 from `https://acme.okta.com/api/v1/apps/0oaAPP/users?limit=500&expand=user`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one
    okta identities: failed: HTTP 401 from `https://acme.okta.com/api/v1/apps/0oaAPP/users?limit=500&expand=user`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one
    ");
    // On the second page of the first list: what was read counts.
    let (n_requests, told) = refused_from(4).await;
    assert_eq!(n_requests, 4);
    insta::assert_snapshot!(told, @"
    okta assignments: 2 rows, partial: HTTP 401 from `https://acme.okta.com/api/v1/apps/0oaAPP/users?limit=500&expand=user&after=2`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one
    okta identities: failed: not asked for, because the credential was refused for the users of the app
    snapshot_incomplete: The system log was not read, because the credential was refused, so some leave times are not known.
    ");
}

#[tokio::test]
async fn a_service_app_without_a_token_asks_for_nothing() {
    let server = OktaServer::start(Org::of(3));
    let body = json!({"error": "invalid_client"}).to_string();
    server.always("/oauth2/v1/token", Reply::text(401, "application/json", &body));
    let key = include_bytes!("../../../outbound/tests/data/keys/ec.sec1.pem");
    let auth = Auth::ServiceApp(ServiceApp {
        client_id: "0oaCLIENT".to_owned(),
        token_url: format!("{}/oauth2/v1/token", server.url()).parse().unwrap(),
        token_elsewhere: false,
        scopes: Vec::new(),
        proof: ClientProof::Key(SigningKey::parse(key, None).unwrap()),
        dpop: false,
    });
    let pull = connect_as(&server, config(), auth).pull(&now(), None).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: failed: failed to get a token from `https://acme.okta.com/oauth2/v1/token`: no access token, HTTP 401 `invalid_client`: check the client id, and that the server knows this key or secret
    okta assignments: failed: failed to get a token from `https://acme.okta.com/oauth2/v1/token`: no access token, HTTP 401 `invalid_client`: check the client id, and that the server knows this key or secret
    ");
    assert_eq!(server.requests(), ["POST /oauth2/v1/token"]);
}

#[tokio::test]
async fn a_401_about_one_feature_does_not_stop_the_others() {
    let server = OktaServer::start(Org::of(1));
    server.always("/features", Reply::error(401, "E0000015", "No access to the feature"));
    let pull = pull(&server).await;
    assert_eq!((pull.snapshots.len(), pull.failures.len(), pull.troubles.len()), (2, 0, 1));
    assert!(pull.log_cursor.is_some());
}
