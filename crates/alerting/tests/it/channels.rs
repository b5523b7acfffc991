//! Channels over HTTP: what each sends, and what it makes of every kind of answer.

use std::time::Duration;

use alerting::alertmanager::Alertmanager;
use alerting::jsm::Jsm;
use alerting::pagerduty::PagerDuty;
use alerting::slack::{SlackBot, SlackWebhook};
use alerting::teams::Teams;
use alerting::webhook::{Webhook, WebhookSecret};
use alerting::{First, Kind, Letter, Sender, Sent};
use domain::{NoticeId, NotifyReason, Severity};
use outbound::Secret;
use serde_json::Value;

use crate::server::{Reply, Server};
use crate::world::{at, letter, poster};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn sender(kind: Kind) -> Sender {
    Sender { name: "x".into(), names: false, kind }
}

/// Every channel over HTTP, to one server.
fn all(server: &Server) -> Vec<Sender> {
    let poster = |authorization| poster(&server.url, authorization);
    let secrets = vec![WebhookSecret::parse(SECRET).unwrap()];
    [
        Kind::PagerDuty(PagerDuty { poster: poster(None), routing_key: secret("R0key-hunter") }),
        Kind::Jsm(Jsm { poster: poster(Some("GenieKey genie-hunter")) }),
        Kind::SlackWebhook(SlackWebhook { poster: poster(None) }),
        Kind::SlackBot(SlackBot {
            poster: poster(Some("Bearer xoxb-hunter")),
            channel: "C1".into(),
        }),
        Kind::Teams(Teams { poster: poster(None) }),
        Kind::Alertmanager(Alertmanager { poster: poster(None) }),
        Kind::Webhook(Webhook { poster: poster(None), secrets }),
    ]
    .map(sender)
    .into()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// What one channel sent for a letter: the target, and the body.
async fn sent(nth: usize, letter: &Letter) -> (String, Value) {
    let server = Server::in_turn(vec![Reply::json(r#"{"ok":true,"ts":"1.2"}"#)]).await;
    let sent = all(&server)[nth].send(letter).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].method.as_str()), (1, "POST"));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    (seen[0].target.clone(), serde_json::from_str(&seen[0].body).unwrap())
}

#[tokio::test]
async fn every_channel_tells_taken_later_and_never_apart() {
    let moved = || Reply::new(302, "").header("location", "http://127.0.0.1:9/");
    for nth in 0..7 {
        for (reply, wanted) in [
            (Reply::json(r#"{"ok":true}"#), "taken"),
            (Reply::new(202, ""), "taken"),
            (Reply::new(429, "").header("retry-after", "7"), "later, 7 s"),
            (Reply::new(500, ""), "later"),
            (Reply::new(503, "").header("retry-after", "1.5"), "later, 1.5 s"),
            (Reply::new(400, "invalid_payload"), "never"),
            (Reply::new(403, ""), "never"),
            (Reply::new(404, "no_service"), "never"),
            (Reply::new(410, ""), "never"),
            (moved(), "never"),
            (Reply::hang_up(), "later"),
            (Reply::silence(), "later"),
        ] {
            let server = Server::in_turn(vec![reply.clone()]).await;
            let sent = all(&server)[nth].send(&letter(NotifyReason::Opened)).await;
            let told = match &sent {
                Sent::Delivered { .. } => "taken".to_owned(),
                Sent::Retry { after: Some(after), .. } => {
                    format!("later, {} s", after.as_secs_f64())
                }
                Sent::Retry { after: None, .. } => "later".to_owned(),
                Sent::Refused { .. } => "never".to_owned(),
            };
            assert_eq!(told, wanted, "{nth}: {reply:?}, {sent:?}");
            assert_eq!(server.seen().len(), 1, "nothing is tried again here, nothing is followed");
        }
    }
}

#[tokio::test]
async fn what_was_sent_in_vain_is_sent_again_under_the_same_key() {
    for (nth, key) in [(0, "dedup_key"), (1, "alias")] {
        // It is taken, and the answer is lost.
        let server = Server::in_turn(vec![Reply::silence(), Reply::new(202, "")]).await;
        let sender = &all(&server)[nth];
        let letter = letter(NotifyReason::Opened);
        assert!(matches!(sender.send(&letter).await, Sent::Retry { .. }));
        assert!(matches!(sender.send(&letter).await, Sent::Delivered { .. }));
        let keys: Vec<Value> = server.seen().iter().map(|it| body(&it.body)[key].clone()).collect();
        assert_eq!(keys, ["driftline:main:secureframe:0101"; 2]);
    }
    let server = Server::in_turn(vec![Reply::silence(), Reply::new(200, "")]).await;
    let sender = &all(&server)[6];
    let mut letter = letter(NotifyReason::Opened);
    sender.send(&letter).await;
    letter.now = at(1);
    sender.send(&letter).await;
    let [one, other] = &server.seen()[..] else { panic!() };
    assert_eq!(one.header("webhook-id"), other.header("webhook-id"));
    assert_ne!(one.header("webhook-timestamp"), other.header("webhook-timestamp"));
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn pagerduty_is_triggered_and_resolved_under_one_key() {
    let (target, event) = sent(0, &letter(NotifyReason::Opened)).await;
    assert_eq!(target, "/");
    assert_eq!(event["event_action"], "trigger");
    assert_eq!(event["routing_key"], "R0key-hunter");
    assert_eq!(event["dedup_key"], "driftline:main:secureframe:0101");
    let payload = &event["payload"];
    assert_eq!(payload["summary"], "[critical] secureframe: leaver_active, DL-1");
    assert_eq!(
        (&payload["severity"], &payload["class"]),
        (&"critical".into(), &"leaver_active".into())
    );
    assert_eq!(payload["timestamp"], "2026-01-05T09:00:00Z");
    assert_eq!(event["links"][0]["href"], "https://driftline.test/latest.html");
    let (_, event) = sent(0, &letter(NotifyReason::Resolved)).await;
    assert_eq!(event["event_action"], "resolve");
    assert_eq!(event["dedup_key"], "driftline:main:secureframe:0101");
    assert_eq!(event.get("payload"), None);
    let mut long = letter(NotifyReason::Opened);
    long.notice.title = "ü".repeat(3_000);
    let (_, event) = sent(0, &long).await;
    assert_eq!(event["payload"]["summary"].as_str().unwrap().chars().count(), 1024);
}

#[tokio::test]
async fn jira_is_told_and_closed_by_alias() {
    let (target, alert) = sent(1, &letter(NotifyReason::Opened)).await;
    assert_eq!(target, "/v2/alerts");
    assert_eq!(
        (&alert["priority"], &alert["alias"]),
        (&"P1".into(), &"driftline:main:secureframe:0101".into())
    );
    let (target, _) = sent(1, &letter(NotifyReason::Resolved)).await;
    assert_eq!(
        target,
        "/v2/alerts/driftline%3Amain%3Asecureframe%3A0101/close?identifierType=alias"
    );
    let mut long = letter(NotifyReason::Opened);
    long.notice.title = "x".repeat(3_000);
    let (_, alert) = sent(1, &long).await;
    assert_eq!(alert["message"].as_str().unwrap().chars().count(), 130);
}

#[tokio::test]
async fn slack_gets_plain_text_within_its_limits() {
    let mut letter = letter(NotifyReason::Opened);
    letter.names = true;
    let (_, message) = sent(2, &letter).await;
    assert_eq!(message["blocks"][0]["type"], "header");
    assert_eq!(message["blocks"][1]["text"]["type"], "plain_text", "no name is read as markup");
    assert!(message["blocks"][1]["text"]["text"].as_str().unwrap().contains("Bob <Builder>"));
    letter.notice.items = vec![crate::world::item(); 50];
    letter.notice.findings = (1..=50).map(domain::FindingId).collect();
    letter.notice.lines = vec!["y".repeat(20_000)];
    let (_, message) = sent(2, &letter).await;
    let blocks = message["blocks"].as_array().unwrap();
    let lengths: Vec<usize> =
        blocks.iter().map(|it| it["text"]["text"].as_str().unwrap().chars().count()).collect();
    assert!(lengths.iter().all(|it| *it <= 3_000) && lengths.iter().sum::<usize>() < 13_000);
}

#[tokio::test]
async fn a_slack_bot_answers_in_the_thread_and_reads_what_slack_says() {
    let server = Server::in_turn(vec![
        Reply::json(r#"{"ok":true,"ts":"1700.5"}"#),
        Reply::json(r#"{"ok":true,"ts":"1700.6"}"#),
        Reply::json(r#"{"ok":false,"error":"channel_not_found"}"#),
        Reply::json(r#"{"ok":false,"error":"ratelimited"}"#),
        Reply::json("<html>"),
    ])
    .await;
    let bot = &all(&server)[3];
    let mut letter = letter(NotifyReason::Opened);
    let Sent::Delivered { reference } = bot.send(&letter).await else { panic!() };
    assert_eq!(reference.as_deref(), Some("1700.5"));
    letter.first = Some(First { notice: NoticeId(12), title: "t".to_owned(), reference });
    letter.notice.reason = NotifyReason::Resolved;
    bot.send(&letter).await;
    let refused = bot.send(&letter).await;
    let Sent::Refused { why } = refused else { panic!("{refused:?}") };
    assert!(why.contains("`channel_not_found`"), "{why}");
    assert!(matches!(bot.send(&letter).await, Sent::Retry { .. }));
    assert!(matches!(bot.send(&letter).await, Sent::Refused { .. }));
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some("Bearer xoxb-hunter"));
    assert_eq!(body(&seen[0].body).get("thread_ts"), None);
    assert_eq!(body(&seen[1].body)["thread_ts"], "1700.5");
    assert_eq!(body(&seen[1].body)["reply_broadcast"], true);
}

#[tokio::test]
async fn teams_gets_an_adaptive_card_below_its_limit() {
    let mut letter = letter(NotifyReason::Opened);
    letter.notice.lines = vec!["ü".repeat(20_000)];
    let server = Server::in_turn(vec![Reply::new(202, "")]).await;
    all(&server)[4].send(&letter).await;
    let text = server.seen()[0].body.clone();
    assert!(text.len() < 21_000, "{}", text.len());
    let content = &body(&text)["attachments"][0]["content"];
    assert_eq!((&content["type"], &content["version"]), (&"AdaptiveCard".into(), &"1.4".into()));
    letter.notice.title = "[click](https://evil.test) *now*".to_owned();
    let (_, message) = sent(4, &letter).await;
    let title =
        message["attachments"][0]["content"]["body"][0]["text"].as_str().unwrap().to_owned();
    assert!(title.contains(r"\[click\](https://evil.test) \*now\*"), "{title}");
}

#[tokio::test]
async fn alertmanager_keeps_what_changes_out_of_the_labels() {
    let mut letter = letter(NotifyReason::Opened);
    let (target, alerts) = sent(5, &letter).await;
    assert_eq!(target, "/api/v2/alerts");
    letter.notice.severity = Severity::High;
    letter.notice.reason = NotifyReason::Resolved;
    letter.now = at(5);
    let (_, over) = sent(5, &letter).await;
    assert_eq!(alerts[0]["labels"], over[0]["labels"]);
    assert_eq!(alerts[0]["annotations"]["severity"], "critical");
    assert_eq!(alerts[0]["endsAt"], "2026-02-04T09:00:00Z");
    assert_eq!(over[0]["endsAt"], "2026-01-05T14:00:00Z");
}

#[tokio::test]
async fn a_webhook_is_signed_by_each_secret_and_stays_small() {
    let server = Server::in_turn(vec![Reply::new(204, "")]).await;
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDMfKQ9r8G";
    let secrets = [SECRET, other].map(|it| WebhookSecret::parse(it).unwrap()).into();
    let webhook = sender(Kind::Webhook(Webhook { poster: poster(&server.url, None), secrets }));
    let mut letter = letter(NotifyReason::Opened);
    letter.notice.lines = vec!["ü".repeat(50_000)];
    letter.notice.findings = (1..=5_000).map(domain::FindingId).collect();
    webhook.send(&letter).await;
    let seen = &server.seen()[0];
    assert!(seen.body.len() < 20_000, "{}", seen.body.len());
    assert_eq!(seen.header("webhook-timestamp"), Some("1767603600"));
    let signatures: Vec<&str> = seen.header("webhook-signature").unwrap().split(' ').collect();
    assert_eq!(signatures.len(), 2);
    assert!(signatures.iter().all(|it| it.starts_with("v1,") && it.len() == 47), "{signatures:?}");
    let data = &body(&seen.body)["data"];
    assert_eq!(
        (&data["n_findings"], data["findings"].as_array().unwrap().len()),
        (&5_000.into(), 100)
    );
    for wrong in ["whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"] {
        assert!(WebhookSecret::parse(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn the_signature_is_that_of_the_specification() {
    // The worked example of Standard Webhooks.
    let secret = WebhookSecret::parse(SECRET).unwrap();
    let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
    assert_eq!(secret.sign(signed), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn no_secret_is_in_what_is_told_of_a_failure_or_printed() {
    let server = Server::in_turn(vec![Reply::new(400, "R0key-hunter is wrong")]).await;
    let url = server.url.join("services/T0/path-hunter?sig=query-hunter").unwrap();
    let webhook = sender(Kind::SlackWebhook(SlackWebhook { poster: poster(&url, None) }));
    let nobody = outbound::Url::parse("http://127.0.0.1:9/path-hunter?sig=query-hunter").unwrap();
    let away = sender(Kind::Teams(Teams { poster: poster(&nobody, None) }));
    let mut texts = vec![format!("{webhook:?}{away:?}")];
    for sender in all(&server).iter().chain([&webhook, &away]) {
        texts.push(format!("{sender:?}{:?}", sender.send(&letter(NotifyReason::Opened)).await));
    }
    for text in texts {
        assert!(!text.contains("hunter") && !text.contains("MfKQ9r8G"), "{text}");
    }
}

#[test]
fn tries_are_bounded_and_span_a_day() {
    let hook = |kind| sender(kind);
    let email = crate::mail::email(1);
    for sender in
        [hook(Kind::Email(Box::new(email))), hook(Kind::Command(crate::lines::hook("true")))]
    {
        let waits: Vec<Duration> = (1..).map_while(|it| sender.retry_after(it)).collect();
        let day = Duration::from_secs(86_400);
        assert!(
            waits.len() < 12 && waits.iter().sum::<Duration>() >= day - Duration::from_secs(7_200)
        );
    }
}
