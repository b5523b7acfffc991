//! Budgets: half of each is left for others, by the clock of the vendor.

use std::time::Duration;

use outbound::{Client, Limits, Pace};
use tokio::time::Instant;

use crate::{Reply, Server, client, config, told};

/// `reset` in seconds after the answer's `Date`.
fn budget(reply: Reply, limit: &str, remaining: &str, reset: i64) -> Reply {
    reply
        .header("x-rate-limit-limit", limit)
        .header("x-rate-limit-remaining", remaining)
        .header("x-rate-limit-reset", &(1_767_603_600 + reset).to_string())
}

fn okta(server: &Server, change: impl FnOnce(&mut Limits)) -> Client {
    let mut config = config(&server.url);
    config.pace = Pace::Okta;
    change(&mut config.limits);
    client(config)
}

/// How long the next GET takes.
async fn time(client: &Client, path: &str) -> Duration {
    let began = Instant::now();
    client.reader().get(path).await.unwrap();
    began.elapsed()
}

#[tokio::test]
async fn half_of_a_budget_is_left_and_other_paths_have_their_own() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/api/v1/apps/0oa1/users" => budget(Reply::json("[]"), "100", "50", 30),
        _ => budget(Reply::json("[]"), "600", "599", 30),
    })
    .await;
    // A rest is never longer than the longest wait: here a test's.
    let wait = Duration::from_millis(600);
    let client = okta(&server, |limits| limits.wait = wait);
    let quick = wait / 2;
    assert!(time(&client, "api/v1/users").await < quick);
    assert!(time(&client, "api/v1/apps/0oa1/users").await < quick);
    assert!(time(&client, "api/v1/users").await < quick);
    assert!(time(&client, "api/v1/apps/0oa1/users").await > quick);
}

#[tokio::test]
async fn a_reset_counts_by_the_date_of_the_answer_and_not_by_our_clock() {
    // Our clock is 40 s ahead: by it, the reset would be over.
    let refusal = budget(Reply::new(429, ""), "600", "0", 1);
    let server = Server::in_turn(vec![refusal, Reply::json("[]")]).await;
    let took = time(&okta(&server, |_| ()), "api/v1/users").await;
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_reset_that_is_too_far_off_is_told() {
    let server = Server::in_turn(vec![budget(Reply::new(429, ""), "600", "0", 500)]).await;
    let error = okta(&server, |_| ()).reader().get("api/v1/users").await.unwrap_err();
    let text = told(&error, &server);
    assert!(text.contains("asked to wait 500s more, and a wait is 300s at most"), "{text}");
}

#[tokio::test]
async fn too_many_at_once_is_a_short_wait_whatever_the_reset_says() {
    let refusal = budget(Reply::new(429, ""), "0", "0", 60);
    let server = Server::in_turn(vec![refusal.clone(), refusal, Reply::json("[]")]).await;
    assert!(time(&okta(&server, |_| ()), "api/v1/users").await < Duration::from_secs(5));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_refusal_without_a_reset_is_a_backoff_of_our_own() {
    let server = Server::in_turn(vec![Reply::new(429, ""), Reply::json("[]")]).await;
    assert!(time(&okta(&server, |_| ()), "api/v1/users").await < Duration::from_secs(5));
}

#[tokio::test]
async fn seconds_and_fractions_and_dates_are_waited() {
    for (pause, least_ms) in [("0.15", 150), ("0", 0), ("Mon, 05 Jan 2026 08:00:00 GMT", 0)] {
        let refusal = Reply::new(429, "").header("retry-after", pause);
        let server = Server::in_turn(vec![refusal, Reply::json("[]")]).await;
        let took = time(&client(config(&server.url)), "users").await;
        assert!(took >= Duration::from_millis(least_ms), "{pause}: {took:?}");
        assert!(took < Duration::from_millis(least_ms + 5_000), "{pause}: {took:?}");
    }
}
