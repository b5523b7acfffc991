//! Trouble of provisioning is named once, over the findings that come of it, and changes none of them.

use chrono::TimeDelta;
use domain::Pass;
use report::{Filter, Style, findings_text};
use serde_json::Value;

use crate::light::{ANA, FIRM, Watched};
use crate::live::{ask, installed_with};
use crate::site::json;

/// What the report says comes of it: surely, and perhaps.
fn comes(outcome: &engine::Outcome) -> String {
    let report = json(&outcome.report.to_json());
    let all = report["watcher"].as_array().unwrap().iter();
    let ids = |it: &Value| {
        let ids: Vec<&str> = it.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        ids.join(" ")
    };
    let told = all.filter(|it| it["kind"] == "provisioning_unhealthy").map(|it| {
        let root = &it["root_cause"];
        let name = root["name"].as_str().unwrap();
        format!("{name}: {}; perhaps {}", ids(&root["explains"]), ids(&root["may_explain"]))
    });
    told.collect::<Vec<String>>().join("\n")
}

async fn night(watched: &Watched) -> engine::Outcome {
    watched.sim.clock().advance(TimeDelta::hours(24));
    watched.run(Pass::Full).await
}

/// Okta deactivates nobody any more.
fn switch_off(watched: &Watched) {
    watched.sim.world().okta.app.provisioning.as_mut().unwrap().deactivates = false;
}

/// Deactivated eight hours from now.
fn ana_leaves(watched: &Watched) {
    watched.sim.clock().advance(TimeDelta::hours(8));
    watched.sim.world().deactivate(ANA, watched.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toggle_that_was_off_when_they_left_is_named_once_over_the_findings() {
    let watched = Watched::seen(FIRM).await;
    ana_leaves(&watched);
    let outcome = night(&watched).await;
    assert_eq!(comes(&outcome), "deactivate_users_off: DL-1; perhaps ");
    let page = report::text(&outcome.report, Style::default());
    assert_eq!(page.matches("Deactivate Users").count(), 1, "{page}");
    let list = findings_text(&outcome.report, &Filter::live(), Style::default());
    insta::assert_snapshot!(list);

    // The page that wakes somebody between two nights has it, too.
    let watched = Watched::seen(FIRM).await;
    ana_leaves(&watched);
    watched.sim.clock().advance(TimeDelta::minutes(245));
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(comes(&outcome), "deactivate_users_off: DL-1; perhaps ");
    let due = watched.store.due("hook".into(), watched.now(), 100).await.unwrap();
    let lines: Vec<&String> = due.iter().flat_map(|it| &it.notice.lines).collect();
    assert!(
        lines.iter().any(|it| it.starts_with("Comes of this: As run 1 was told: ")),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_to_have_been_so_already_explains_nothing_for_sure() {
    // Found on the first night: since when it is so nobody knows.
    let watched = Watched::new(
        &FIRM.replace("ana@firm.test ACTIVE assigned", "ana@firm.test DEPROVISIONED since=-3d"),
    )
    .await;
    let outcome = watched.run(Pass::Full).await;
    assert_eq!(comes(&outcome), "deactivate_users_off: ; perhaps DL-1");

    // Switched off after she had left, or before: both were between the same two nights.
    let watched = Watched::seen(&FIRM.replace(" (deactivation off)", "")).await;
    switch_off(&watched);
    ana_leaves(&watched);
    let outcome = night(&watched).await;
    assert_eq!(comes(&outcome), "deactivate_users_off: ; perhaps DL-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toggle_that_was_switched_off_later_explains_nothing() {
    let watched = Watched::seen(&FIRM.replace(" (deactivation off)", "")).await;
    ana_leaves(&watched);
    // Okta switched it off; somebody switched it on again.
    watched.sim.world().app.accounts[0].active = sim::Active::Set(true);
    let outcome = night(&watched).await;
    assert_eq!(comes(&outcome), "", "nothing is wrong with provisioning");
    let before: Vec<_> = outcome.record.findings.iter().map(|it| it.finding.id).collect();
    assert_eq!(before.len(), 1, "and she is found all the same");
    switch_off(&watched);
    let outcome = night(&watched).await;
    assert_eq!(comes(&outcome), "deactivate_users_off: ; perhaps ");
    // It lasts: whoever leaves from now on stays for that.
    watched.sim.clock().advance(TimeDelta::hours(2));
    watched.sim.world().deactivate("00ubea00000000000002", watched.now());
    let outcome = night(&watched).await;
    assert_eq!(comes(&outcome), "deactivate_users_off: DL-2; perhaps ");
}

#[tokio::test(flavor = "multi_thread")]
async fn list_show_and_explain_say_what_a_finding_comes_of_and_the_past_comes_out_again() {
    let (sim, site) =
        installed_with(&crate::live::FIRM.replace("okta\n", "okta (deactivation off)\n"), "").await;
    ask(&site, &["run", "--once"]);
    let list = ask(&site, &["findings", "list"]).stdout;
    let (head, rest) =
        list.split_once("may explain 1 finding: DL-1").unwrap_or_else(|| panic!("{list}"));
    assert!(head.contains("provisioning_unhealthy  okta") && rest.contains("  DL-1"), "{list}");
    let shown = ask(&site, &["findings", "show", "DL-1"]).stdout;
    assert!(shown.contains("may come of"), "{shown}");
    let why = ask(&site, &["explain", "a2"]).stdout;
    assert!(why.contains("DL-1 may come of provisioning_unhealthy: \"Deactivate Users\""), "{why}");
    let csv = ask(&site, &["findings", "list", "--format", "csv"]).stdout;
    assert!(csv.contains(",okta deactivate_users_off (perhaps)"), "{csv}");

    sim.world().deactivate("00uana00000000000001", crate::live::now());
    ask(&site, &["run", "--once"]);
    assert_eq!(ask(&site, &["evidence", "rederive", "1", "2"]).status, 0);
    // So soon after the run that the clocks of two machines may have it the other way round.
    let why = ask(&site, &["explain", "a1"]).stdout;
    assert!(why.contains(" may come of provisioning_unhealthy"), "{why}");
}
