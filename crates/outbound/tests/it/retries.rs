//! What is tried again, how often, and what is said in the end.

use std::time::Duration;

use outbound::{Limits, OutboundErrorKind, Reader};
use tokio::net::TcpListener;

use crate::{Reply, Server, client, config, lines, reader, told};

fn limited(server: &Server, change: impl FnOnce(&mut Limits)) -> Reader {
    let mut config = config(&server.url);
    change(&mut config.limits);
    client(config).reader()
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for reply in [
        Reply::new(429, ""),
        Reply::new(500, "<html>"),
        Reply::new(502, ""),
        Reply::new(503, "").header("retry-after", "0.01"),
        Reply::new(504, ""),
        Reply::new(200, "0123456789").cut(4),
        Reply::new(200, "0123456789").cut(0),
        Reply::new(200, "no gzip").header("content-encoding", "gzip"),
        Reply::hang_up(),
    ] {
        let server = Server::in_turn(vec![reply.clone(), reply, Reply::json("[1]")]).await;
        let answer = reader(&server).get("users").await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"[1]"[..]));
        assert_eq!(answer.requests.len(), 3);
        assert_eq!(server.asked(), "GET /users\nGET /users\nGET /users");
    }
}

#[tokio::test]
async fn each_line_says_how_long_was_waited_before_it() {
    let asks = Reply::new(429, "").header("retry-after", "0.05");
    let server = Server::in_turn(vec![asks, Reply::new(500, ""), Reply::json("[1]")]).await;
    let answer = reader(&server).get("users").await.unwrap();
    let waited: Vec<u64> = answer.requests.iter().map(|it| it.waited_ms).collect();
    assert_eq!(waited[0], 0);
    assert!(waited[1] >= 50 && waited[2] >= 1, "{waited:?}");
}

#[tokio::test]
async fn tries_end_and_each_is_a_line() {
    for (reply, end, status) in [
        (Reply::new(500, "x"), "HTTP 500: the server is in trouble, ask again later", "500"),
        (Reply::new(200, "0123456789").cut(4), "the answer was cut off after 4 bytes", "200"),
        (Reply::hang_up(), "the answer was cut off after 0 bytes", "-"),
        (Reply::new(429, ""), "3 tries were refused", "429"),
    ] {
        let server = Server::in_turn(vec![reply]).await;
        let error = reader(&server).get("users").await.unwrap_err();
        let text = told(&error, &server);
        assert!(text.contains(end), "{text}");
        assert!(error.kind.is_transient());
        let line = format!("GET http://server/users {status}");
        assert_eq!(lines(&error.requests, &server), [line.as_str(); 3].join("\n"));
    }
}

#[tokio::test]
async fn a_cut_body_is_kept_as_it_came() {
    let server = Server::in_turn(vec![Reply::new(200, "0123456789").cut(4)]).await;
    let error = reader(&server).get("users").await.unwrap_err();
    assert_eq!(error.requests[0].n_bytes, 4);
    // `printf 0123 | sha256sum`
    assert_eq!(error.requests[0].sha256[..4], [0x1b, 0xe2, 0xe4, 0x52]);
}

#[tokio::test]
async fn trouble_of_a_server_keeps_the_code_of_its_vendor() {
    let body = "{\"errorCode\":\"E0000010\"}".to_owned() + &" ".repeat(10_000);
    let server = Server::in_turn(vec![Reply::new(503, body.clone())]).await;
    let error = reader(&server).get("users").await.unwrap_err();
    let OutboundErrorKind::Server { status: 503, body: excerpt } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(excerpt.0, body.as_bytes()[..4096]);
    assert!(!format!("{error:?}").contains("E0000010"));
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_not_waited() {
    for (asked, limit) in [("301", "5"), ("Mon, 05 Jan 2026 09:05:01 GMT", "5")] {
        let server = Server::in_turn(vec![Reply::new(429, "").header("retry-after", asked)]).await;
        let reader = limited(&server, |limits| limits.wait = Duration::from_secs(300));
        let error = reader.get("users").await.unwrap_err();
        assert_eq!(
            told(&error, &server),
            "failed to GET `http://server/users`: asked to wait 301s more, and a wait is 300s at \
             most: ask again later, or give this credential a larger share",
            "{limit}"
        );
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn all_waits_of_a_pull_have_a_limit_together() {
    let refusal = Reply::new(429, "").header("retry-after", "0.02");
    let server = Server::start(move |seen| match seen.nth % 2 {
        0 => refusal.clone(),
        _ => Reply::json("[]"),
    })
    .await;
    let reader = limited(&server, |limits| limits.waits = Duration::from_millis(50));
    reader.get("a").await.unwrap();
    reader.get("b").await.unwrap();
    let error = reader.get("c").await.unwrap_err();
    let text = told(&error, &server);
    assert!(
        text.contains("all waits of a pull together are 50ms at most, 40ms are spent"),
        "{text}"
    );
    assert!(matches!(error.kind, OutboundErrorKind::RateLimited { .. }));
    reader.new_pull().get("d").await.unwrap();
}

#[tokio::test]
async fn no_connection_is_tried_again_and_told() {
    let server = Server::in_turn(vec![Reply::json("[]")]).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let error = client(config(&url.parse().unwrap())).reader().get("users").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::Connect { .. }), "{error:?}");
    assert_eq!(error.requests.len(), 3);
    assert!(error.requests.iter().all(|line| line.status.is_none() && line.n_bytes == 0));
    let text = told(&error, &server);
    assert!(text.contains("no connection: check the host name"), "{text}");
}
