//! What is sent, and what comes back.

use chrono::TimeDelta;
use outbound::{Auth, OutboundErrorKind, Url};

use crate::{Reply, Server, client, config, lines, reader, secret, told};

#[tokio::test]
async fn a_reader_sends_get_below_its_base_with_its_headers() {
    let server = Server::in_turn(vec![Reply::json("{}")]).await;
    let base = server.url.join("scim/v2").unwrap();
    let reader = client(config(&base)).reader();
    reader.get("/Users?count=2").await.unwrap();
    let prefer = [("Accept", "application/scim+json"), ("Prefer", "x")];
    reader.get_with("Users/7", &prefer).await.unwrap();
    reader.follow("/scim/v2/Users?cursor=a%20b").await.unwrap();
    reader.follow(base.join("v2/Users?cursor=c").unwrap().as_str()).await.unwrap();

    assert_eq!(
        server.asked(),
        "GET /scim/v2/Users?count=2\n\
         GET /scim/v2/Users/7\n\
         GET /scim/v2/Users?cursor=a%20b\n\
         GET /scim/v2/Users?cursor=c"
    );
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some("Bearer opensesame"));
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[0].header("accept-encoding"), Some("gzip"));
    assert_eq!(seen[0].header("user-agent"), Some("driftline-test/1"));
    assert_eq!(seen[1].header("accept"), Some("application/scim+json"));
    assert_eq!(seen[1].header("prefer"), Some("x"));
}

#[tokio::test]
async fn each_way_of_saying_who_we_are() {
    for (auth, want) in [
        (Auth::None, None),
        (Auth::Ssws(secret("00t")), Some("SSWS 00t")),
        (Auth::Bearer(secret("b")), Some("Bearer b")),
        (Auth::Header(secret("Token k s")), Some("Token k s")),
    ] {
        let server = Server::in_turn(vec![Reply::json("{}")]).await;
        let mut config = config(&server.url);
        config.auth = auth;
        client(config).reader().get("x").await.unwrap();
        assert_eq!(server.seen()[0].header("authorization"), want);
    }
}

#[tokio::test]
async fn an_answer_carries_its_headers_its_times_and_its_line() {
    let reply = Reply::json("[]")
        .header("link", "<https://a/>; rel=\"self\"")
        .header("Link", "<https://b/>; rel=\"next\"")
        .header("x-okta-request-id", "abc");
    let server = Server::in_turn(vec![reply]).await;
    let answer = reader(&server).get("users?limit=2&access_token=hunter2").await.unwrap();

    assert_eq!((answer.status, answer.is_success(), &answer.body[..]), (200, true, &b"[]"[..]));
    let links: Vec<&str> = answer.headers.all("LINK").collect();
    assert_eq!(links, ["<https://a/>; rel=\"self\"", "<https://b/>; rel=\"next\""]);
    assert_eq!(answer.headers.get("content-type"), Some("application/json"));
    assert_eq!(answer.clock_skew(), Some(TimeDelta::seconds(40)));
    assert!(answer.sent_at <= answer.received_at);

    let [line] = &answer.requests[..] else { panic!("{:?}", answer.requests) };
    let url = server.without_address(&line.url);
    assert_eq!(
        (&*line.method, &*url),
        ("GET", "http://server/users?limit=2&access_token=(secret)")
    );
    assert_eq!((line.status, line.n_bytes, line.n_rows), (Some(200), 2, 0));
    // `printf '[]' | sha256sum`
    let sha256: String = line.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sha256, "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945");
    assert_eq!(line.date, answer.date());
    assert_eq!(line.request_id.as_deref(), Some("abc"));
    assert!(!format!("{answer:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_header_value_that_is_no_text_is_left_out_and_told() {
    let reply = Reply::json("[]").header("link", "<a>; rel=\"next\"; title=\"ü\"").header("x", "y");
    let server = Server::in_turn(vec![reply]).await;
    let headers = reader(&server).get("users").await.unwrap().headers;
    assert_eq!((headers.all("link").count(), headers.is_text("Link")), (0, false));
    assert!(headers.is_text("x") && headers.is_text("absent"));
}

#[tokio::test]
async fn an_answer_without_a_date_says_nothing_of_clocks() {
    let server = Server::in_turn(vec![Reply::json("[]").without_date()]).await;
    let answer = reader(&server).get("users").await.unwrap();
    assert_eq!((answer.date(), answer.clock_skew()), (None, None));
}

#[tokio::test]
async fn refusals_that_another_try_would_not_change_are_answers() {
    for status in [400, 401, 403, 404, 410, 501] {
        let server = Server::in_turn(vec![Reply::new(status, "no")]).await;
        let answer = reader(&server).get("users").await.unwrap();
        assert_eq!(
            (answer.status, answer.is_success(), &answer.body[..]),
            (status, false, &b"no"[..])
        );
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let server = Server::in_turn(vec![Reply::json("{}")]).await;
    let other = Server::in_turn(vec![Reply::json("{}")]).await;
    let base = server.url.join("api/v1").unwrap();
    let reader = client(config(&base)).reader();
    for (next, why) in [
        (
            other.url.join("api/v1/users?token=hunter2").unwrap().to_string(),
            "scheme, host and port",
        ),
        (server.url.join("admin").unwrap().to_string(), "below the path"),
        (base.as_str().replace("http://", "http://me:hunter2@") + "/users", "a user name"),
        (base.as_str().replace("http://", "https://") + "/users", "scheme, host and port"),
        ("http://[".to_owned(), "no URL"),
    ] {
        let error = reader.follow(&next).await.unwrap_err();
        assert!(matches!(error.kind, OutboundErrorKind::NextElsewhere { .. }), "{error:?}");
        let text = told(&error, &server);
        assert!(text.contains(why), "{text}");
        assert!(!format!("{text}{error:?}").contains("hunter2"), "{text}");
    }
    assert_eq!((server.asked(), other.asked()), (String::new(), String::new()));
}

#[tokio::test]
async fn a_path_of_ours_cannot_climb_out() {
    let server = Server::in_turn(vec![Reply::json("{}")]).await;
    let reader = client(config(&server.url.join("scim/v2").unwrap())).reader();
    for path in ["Users/../../admin", "Users/%2e%2e/%2e%2e/admin", "Users/..%2f..%2fadmin"] {
        let error = reader.get(path).await.unwrap_err();
        assert!(matches!(error.kind, OutboundErrorKind::PathElsewhere { .. }), "{error:?}");
    }
    assert_eq!(server.asked(), "");
}

#[tokio::test]
async fn headers_that_are_not_for_callers_are_refused() {
    let server = Server::in_turn(vec![Reply::json("{}")]).await;
    let reader = reader(&server);
    for (name, value) in [
        ("Authorization", "x"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("cookie", "x"),
        ("host", "evil.test"),
        ("prefer", "a\r\nx: y"),
    ] {
        let error = reader.get_with("users", &[(name, value)]).await.unwrap_err();
        let kind = &error.kind;
        assert!(matches!(kind, OutboundErrorKind::Setting { setting: "headers", .. }), "{name}");
    }
    assert_eq!(server.asked(), "");
}

#[tokio::test]
async fn an_error_names_the_url_without_its_query() {
    let server = Server::in_turn(vec![Reply::new(503, "")]).await;
    let filter = "users?filter=login%20eq%20%22ana@example.com%22";
    let error = reader(&server).get(filter).await.unwrap_err();
    assert_eq!(
        told(&error, &server),
        "failed to GET `http://server/users`, in 3 requests: HTTP 503: the server is in trouble, \
         ask again later"
    );
    assert_eq!(lines(&error.requests[..1], &server), format!("GET http://server/{filter} 503"));
    let readers_url = Url::parse(&error.url).unwrap();
    assert_eq!(readers_url.query(), None);
}
