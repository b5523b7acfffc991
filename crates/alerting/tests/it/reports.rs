//! The report of a run: who gets it, and what leaves by mail and by webhook.

use alerting::webhook::{Webhook, WebhookSecret};
use alerting::{
    AppStand, ENCLOSED_MAX, Enclosed, Head, Kind, Letter, ReportTo, Routes, Sender, Sent, decide,
};
use domain::{Change, FindingState, Grade, NotifyReason, Pass, Severity, Watcher};
use serde_json::{Value, json};

use crate::mail::{email, server};
use crate::server::{Reply, Server};
use crate::world::{at, blind, leaver, letter, poster, routes, run, stands};

const PAGE: &str = "<!doctype html><p>Bob Builder, bob@firm.test</p>";
const DOCUMENT: &str = r#"{"format": "driftline.report.v1", "person": "bob@firm.test"}"#;

fn enclosed() -> Enclosed {
    let checkpoint = "driftline/main\n1204\nXl5eXl4=\n\n\u{2014} driftline/main AAAA\n";
    Enclosed {
        judged_at: at(-1),
        is_complete: true,
        apps: vec![AppStand {
            app: "secureframe".to_owned(),
            grade: Grade::B,
            by_state: vec![("pending", 2), ("open", 3)],
            n_open_critical: 1,
        }],
        head: Some(Head { size: 1204, root: [0x5e; 32], checkpoint: checkpoint.to_owned() }),
        page: PAGE.into(),
        document: DOCUMENT.into(),
        shows_document: false,
    }
}

/// The notice of a report, with it.
fn report(enclosed: Enclosed) -> Letter {
    let to = ReportTo { to: vec!["hook".into()], shows_document: false };
    let routes = Routes { report: to, ..routes(&["hook"], Vec::new()) };
    let notice = decide(&run(0, vec![leaver(1)]), &[], &routes).remove(0);
    Letter { notice, enclosed: Some(enclosed), ..letter(NotifyReason::Report) }
}

#[test]
fn each_run_has_a_report_of_its_own_and_it_says_how_sure_it_is() {
    let mut record =
        run(0, vec![leaver(1), stands(leaver(2), FindingState::Pending, Change::Detected)]);
    record.apps[0].grade = Grade::C;
    record.watcher = vec![blind(Watcher::SnapshotIncomplete, "okta identities was not seen whole")];
    let mut routes = routes(&["mail", "hook"], Vec::new());
    assert!(decide(&record, &[], &routes).is_empty(), "nobody asked for it");
    routes.report.to = vec!["mail".into(), "hook".into()];
    let notices = decide(&record, &[], &routes);
    let [notice] = &notices[..] else { panic!("{notices:#?}") };
    assert_eq!(notice.title, "run 7 of 2026-01-05: grade C, 1 finding open");
    assert_eq!(&*notice.key, "driftline:main:-:report-7");
    assert_eq!((notice.severity, notice.to.len()), (Severity::Low, 2));
    assert_eq!(
        notice.lines,
        [
            "secureframe: 1 finding open, 0 acknowledged, 1 pending.",
            "secureframe: seen with grade C; what is not here is not proven.",
            "okta identities was not seen whole. Run `driftline doctor`.",
        ]
    );
    assert!(notice.findings.is_empty() && notice.items.is_empty(), "nobody is named");
    record.pass = Pass::Light;
    assert!(decide(&record, &[], &routes).is_empty(), "a light pass is no report");
}

/// What a mailbox got.
async fn mailed(letter: &Letter) -> String {
    let (port, heard) = server("XXXX", "").await;
    let kind = Kind::Email(Box::new(email(port)));
    let sent = Sender { name: "mail".into(), names: false, kind }.send(letter).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    heard.lock().unwrap().clone()
}

#[tokio::test]
async fn a_mailbox_gets_the_page_and_the_checkpoint_in_the_thread_of_reports() {
    let heard = mailed(&report(enclosed())).await;
    for line in [
        "Subject: Driftline: run 7 of 2026-01-05: grade A, 1 finding open",
        "Auto-Submitted: auto-generated",
        "References: <reports.main@firm.test>",
        "Message-ID: <12.driftline.main.-.report-7@firm.test>",
    ] {
        assert!(heard.lines().any(|it| it == line), "no `{line}` in {heard}");
    }
    for part in [
        "filename=\"2026-01-05-run-7.html\"",
        "filename=\"2026-01-05-run-7.checkpoint\"",
        "[report] run 7 of 2026-01-05",
        "Head of the evidence log: 1204 entries, root 5e5e5e5e",
        "driftline report --format html --output drift.html --run 7",
        "It names people.",
    ] {
        // Long lines are folded on their way.
        let whole = heard.replace("=\n", "");
        assert!(whole.contains(part), "no `{part}` in {whole}");
    }
    let body = heard.split("Content-Disposition: attachment").next().unwrap();
    assert!(!body.contains("Bob") && !body.contains("bob@"), "only the page names people: {body}");
}

#[tokio::test]
async fn a_page_that_is_too_large_for_mail_is_left_out_and_that_is_said() {
    let page = vec![b'x'; ENCLOSED_MAX + 1];
    let heard = mailed(&report(Enclosed { page, ..enclosed() })).await.replace("=\n", "");
    assert!(!heard.contains("run-7.html") && heard.contains("run-7.checkpoint"), "{heard}");
    let said = "The page of the report is not attached: it has 12582913 bytes, and at most \
                12582912 are sent.";
    assert!(heard.contains(said), "{heard}");
}

/// What a receiver of webhooks got.
async fn posted(letter: &Letter) -> Value {
    let server = Server::in_turn(vec![Reply::new(204, "")]).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let secrets = vec![WebhookSecret::parse(secret).unwrap()];
    let kind = Kind::Webhook(Webhook { poster: poster(&server.url, None), secrets });
    let sent = Sender { name: "hook".into(), names: false, kind }.send(letter).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    let seen = server.seen().remove(0);
    assert_eq!(seen.header("webhook-id"), Some("driftline:main:-:report-7#12"));
    assert!(seen.header("webhook-signature").unwrap().starts_with("v1,"));
    serde_json::from_str(&seen.body).unwrap()
}

#[tokio::test]
async fn a_webhook_gets_counts_and_the_head_and_nobody_is_named() {
    let event = posted(&report(enclosed())).await;
    let app = json!({
        "app": "secureframe",
        "grade": "B",
        "by_state": { "pending": 2, "open": 3 },
        "n_open_critical": 1,
    });
    let ledger = json!({
        "size": 1204,
        "root_sha256": "5e".repeat(32),
        "checkpoint": enclosed().head.unwrap().checkpoint,
    });
    let wanted = json!({
        "type": "driftline.report",
        "timestamp": "2026-01-05T09:00:00Z",
        "data": {
            "key": "driftline:main:-:report-7",
            "notice": 12,
            "reason": "report",
            "run": 7,
            "judged_at": "2026-01-05T08:00:00Z",
            "is_complete": true,
            "grade": "B",
            "apps": [app],
            "ledger": ledger,
            // By `sha256sum`.
            "report_sha256": "42dbf87598af5f27a1e76b29c386e7fc5222020a5f38ce38485c940d28913744",
            "report_url": "https://driftline.test/latest.html",
        },
    });
    assert_eq!(event, wanted);
}

#[tokio::test]
async fn a_webhook_gets_the_document_where_the_settings_say_so_and_it_is_not_too_large() {
    let event = posted(&report(Enclosed { shows_document: true, ..enclosed() })).await;
    assert_eq!(event["data"]["report"]["person"], "bob@firm.test");
    assert_eq!(event["data"]["report_left_out"], Value::Null);

    let document = vec![b' '; ENCLOSED_MAX + 1];
    let large = Enclosed { shows_document: true, document, ..enclosed() };
    let event = posted(&report(large)).await;
    assert_eq!(event["data"]["report"], Value::Null);
    let why = event["data"]["report_left_out"].as_str().unwrap();
    assert!(why.starts_with("it has 12582913 bytes"), "{why}");
}

#[tokio::test]
async fn a_log_without_entries_has_no_head() {
    let letter = report(Enclosed { head: None, ..enclosed() });
    assert_eq!(posted(&letter).await["data"]["ledger"], Value::Null);
    let heard = mailed(&letter).await;
    assert!(heard.contains("The evidence log has no head yet."), "{heard}");
    assert!(!heard.contains(".checkpoint"), "{heard}");
}
