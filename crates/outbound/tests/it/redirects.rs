//! Redirects: followed below the base URL, refused elsewhere.

use outbound::{Answer, OutboundErrorKind};

use crate::{Reply, Server, client, config, lines, reader, told};

#[tokio::test]
async fn redirects_below_the_base_are_followed_with_a_line_each() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |seen| match seen.target.as_str() {
            "/v2/users" => Reply::new(status, "").header("location", "/v2/people?x=1"),
            _ => Reply::json("[]"),
        })
        .await;
        let reader = client(config(&server.url.join("v2").unwrap())).reader();
        let answer = reader.get("users").await.unwrap();
        assert_eq!(
            lines(&answer.requests, &server),
            format!("GET http://server/v2/users {status}\nGET http://server/v2/people?x=1 200")
        );
        assert_eq!(server.seen()[1].header("authorization"), Some("Bearer opensesame"));
    }
}

#[tokio::test]
async fn links_are_relative_to_where_the_answer_came_from() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/v2/users" => Reply::new(302, "").header("location", "/v2/moved/people?page=1"),
        _ => Reply::json("[]"),
    })
    .await;
    let reader = client(config(&server.url.join("v2").unwrap())).reader();
    let straight = reader.get("teams/7?page=1").await.unwrap();
    let redirected = reader.get("users").await.unwrap();
    let resolved = |answer: &Answer, link| server.without_address(&answer.resolve(link));
    for (link, from_straight, from_redirected) in [
        ("?page=2", "http://server/v2/teams/7?page=2", "http://server/v2/moved/people?page=2"),
        ("next", "http://server/v2/teams/next", "http://server/v2/moved/next"),
        ("/v2/next", "http://server/v2/next", "http://server/v2/next"),
        ("http://evil.test/", "http://evil.test/", "http://evil.test/"),
        ("http://[", "http://[", "http://["),
    ] {
        assert_eq!(resolved(&straight, link), from_straight);
        assert_eq!(resolved(&redirected, link), from_redirected);
    }
    reader.follow(&redirected.resolve("?page=2")).await.unwrap();
    assert!(server.asked().ends_with("GET /v2/moved/people?page=2"), "{}", server.asked());
}

#[tokio::test]
async fn redirects_elsewhere_are_not_followed() {
    let other = Server::in_turn(vec![Reply::json("[]")]).await;
    for (to, why) in [
        (other.url.join("v2/users?t=hunter2").unwrap().to_string(), "scheme, host and port"),
        ("//localhost.evil.test/v2/".to_owned(), "scheme, host and port"),
        ("/login?t=hunter2".to_owned(), "below the path"),
        ("/v2/../login".to_owned(), "below the path"),
    ] {
        let server = Server::in_turn(vec![Reply::new(302, "").header("location", &to)]).await;
        let reader = client(config(&server.url.join("v2").unwrap())).reader();
        let error = reader.get("users").await.unwrap_err();
        assert!(matches!(error.kind, OutboundErrorKind::Redirected { status: 302, .. }));
        let text = told(&error, &server);
        assert!(text.contains(why) && text.ends_with("correct the base URL"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(error.requests.len(), 1);
        assert_eq!(server.seen().len(), 1);
    }
    assert_eq!(other.asked(), "");
}

#[tokio::test]
async fn redirects_in_circles_end() {
    let server = Server::in_turn(vec![Reply::new(302, "").header("location", "/again")]).await;
    let error = reader(&server).get("users").await.unwrap_err();
    let text = told(&error, &server);
    assert!(text.contains("one redirect too many"), "{text}");
    assert_eq!(error.requests.len(), 6);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_answer() {
    let server = Server::in_turn(vec![Reply::new(302, "where?")]).await;
    let answer = reader(&server).get("users").await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (302, &b"where?"[..]));
}
