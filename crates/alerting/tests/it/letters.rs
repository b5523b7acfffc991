//! What people read.

use domain::{FindingId, NotifyReason};

use crate::world::{item, letter};

#[test]
fn a_notice_says_why_how_long_what_next_and_where_to_look() {
    let mut letter = letter(NotifyReason::Opened);
    assert_eq!(letter.title(), "[critical] secureframe: leaver_active, DL-1");
    insta::assert_snapshot!(letter.body(2_000), @"
    A finding has opened.

    DL-1 leaver_active, critical: secureframe/a1, owner okta/00u1
      Now: asked again by id, and grace is over.
      Exposure: at least 2 d 1 h, not seen off.
      SLA: missed.
      Next: Deactivate the account in the app now.

    Look: https://driftline.test/latest.html or `driftline findings show DL-1`
    ");
    letter.unconfirmed = Some("the source did not answer".to_owned());
    letter.report_url = None;
    assert_eq!(letter.title(), "[critical] secureframe: leaver_active, DL-1, unconfirmed");
    let body = letter.body(2_000);
    assert!(body.contains("Unconfirmed, as of 2026-01-05T09:00:00Z: the source did not answer."));
    assert!(body.ends_with("Look: `driftline findings show DL-1`"), "{body}");
}

#[test]
fn names_are_shown_where_the_settings_allow_it_and_addresses_nowhere_else() {
    let mut letter = letter(NotifyReason::Opened);
    letter.notice.lines = vec!["canaries are missing: ana@firm.test, b@firm.test.".to_owned()];
    let body = letter.body(2_000);
    assert!(!body.contains("Bob") && !body.contains('@'), "{body}");
    assert!(body.contains("canaries are missing: (address), (address)."), "{body}");
    letter.names = true;
    let body = letter.body(2_000);
    assert!(body.contains("(Bob <Builder>, bob@firm.test)") && body.contains("ana@firm.test"));
}

#[test]
fn what_is_too_long_loses_whole_findings_and_says_how_many() {
    let mut letter = letter(NotifyReason::Storm);
    letter.notice.items =
        (1..=50).map(|id| domain::NoticeItem { finding: FindingId(id), ..item() }).collect();
    letter.notice.findings = (1..=60).map(FindingId).collect();
    for limit in [400, 1_000, 3_000] {
        let body = letter.body(limit);
        assert!(body.chars().count() <= limit, "{limit}");
        let shown = body.matches("leaver_active").count();
        assert!(body.contains(&format!("And {} more.", 60 - shown)), "{body}");
        assert!(body.ends_with("`driftline findings list`"), "{body}");
    }
    assert!(letter.body(10).chars().count() <= 10);
}
