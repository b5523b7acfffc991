//! Bodies without end, servers that fall silent, pulls without end: each stops at its limit.

use std::io::Write as _;
use std::time::Duration;

use outbound::{Limits, OutboundErrorKind, Reader};
use tokio::time::Instant;

use crate::{Reply, Server, client, config, reader, told};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn limited(server: &Server, change: impl FnOnce(&mut Limits)) -> Reader {
    let mut config = config(&server.url);
    change(&mut config.limits);
    client(config).reader()
}

#[tokio::test]
async fn a_compressed_body_is_decoded_and_its_line_tells_of_it_as_it_came() {
    let text = "{\"users\":[]}".repeat(1000);
    let sent = gzip(text.as_bytes());
    let n_bytes = sent.len() as u64;
    let server =
        Server::in_turn(vec![Reply::new(200, sent).header("content-encoding", "gzip")]).await;
    let answer = reader(&server).get("users").await.unwrap();
    assert_eq!(answer.body, text);
    assert_eq!(answer.requests[0].n_bytes, n_bytes);
}

#[tokio::test]
async fn a_body_without_end_stops_at_the_limit() {
    let plain = Reply::new(200, vec![b'x'; 1 << 16]).endless();
    // Zeros that compress to a thousandth of their size, over and over.
    let bomb =
        Reply::new(200, gzip(&vec![0; 1 << 24])).header("content-encoding", "gzip").endless();
    for reply in [plain, bomb] {
        let server = Server::in_turn(vec![reply]).await;
        let reader = limited(&server, |limits| limits.body_bytes = 20 << 20);
        let error = reader.get("users").await.unwrap_err();
        assert_eq!(
            told(&error, &server),
            "failed to GET `http://server/users`: the answer is longer than 20971520 bytes: \
             ask for smaller pages, or raise `body_max`"
        );
        assert_eq!(server.seen().len(), 1, "tried again");
        assert!(error.requests[0].n_bytes <= 21 << 20);
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_long_is_not_read() {
    let server = Server::in_turn(vec![Reply::new(200, vec![b'x'; 1000]).cut(0)]).await;
    let error = limited(&server, |limits| limits.body_bytes = 999).get("users").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::TooLarge { limit: 999 }), "{error:?}");
    assert_eq!(error.requests[0].n_bytes, 0);
}

#[tokio::test]
async fn an_encoding_that_was_not_asked_for_is_an_error() {
    let server = Server::in_turn(vec![Reply::new(200, "x").header("content-encoding", "br")]).await;
    let error = reader(&server).get("users").await.unwrap_err();
    assert!(told(&error, &server).contains("encoded as `br`"), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn servers_that_fall_silent_are_given_up() {
    let slow = |n_bytes| Reply::new(200, "0123456789").stall(n_bytes);
    for (reply, what) in [
        (Reply::silence(), "no answer within 130ms"),
        (slow(0), "no further byte within 100ms"),
        (slow(4), "no further byte within 100ms"),
    ] {
        let server = Server::in_turn(vec![reply]).await;
        let reader = limited(&server, |limits| {
            limits.idle = Duration::from_millis(100);
            limits.connect = Duration::from_millis(30);
            limits.attempts = 2;
        });
        let error = reader.get("users").await.unwrap_err();
        let text = told(&error, &server);
        assert!(text.contains(what), "{text}");
        assert_eq!(error.requests.len(), 2);
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_when_its_time_is_over() {
    // It is never silent, so only the time of the whole request can end it.
    let server = Server::in_turn(vec![Reply::new(200, "x").endless()]).await;
    let reader = limited(&server, |limits| {
        limits.body_bytes = u64::MAX;
        limits.request = Duration::from_millis(150);
        limits.attempts = 1;
    });
    let began = Instant::now();
    let error = reader.get("users").await.unwrap_err();
    let text = told(&error, &server);
    assert!(text.contains("no end within 150ms"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_pull_takes_so_many_pages_and_another_pull_its_own() {
    let server = Server::in_turn(vec![Reply::json("[]")]).await;
    let reader = limited(&server, |limits| limits.pages = 3);
    reader.get("a").await.unwrap();
    reader.follow("b").await.unwrap();
    reader.clone().get("c").await.unwrap();
    let error = reader.follow("d").await.unwrap_err();
    assert_eq!(
        told(&error, &server),
        "failed to GET `http://server/d`: more than 3 pages in one pull: the list may have no \
         end; if it has, raise `pages_max`"
    );
    assert_eq!(server.seen().len(), 3);
    reader.new_pull().get("e").await.unwrap();
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let long = "x".repeat(1 << 20);
    let server = Server::in_turn(vec![Reply::json("[]").header("x-long", &long)]).await;
    let error = reader(&server).get("a").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::Cut { .. }), "{error:?}");
}
