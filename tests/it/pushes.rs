//! What a provider's log says of telling the app to switch somebody off stands beside the account that is
//! still on: a fact, which changes no verdict and tells nobody anything anew.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Cause, Change, FindingId, Pass, RunId};
use evidence::Bag;
use report::{Style, finding_text};
use serde_json::Value;
use sim::{Active, LogEvent};

use crate::light::{ANA, FIRM, Watched};
use crate::live::{self, ask, installed_with};
use crate::site::Site;

/// What Okta's log says of a push.
fn pushed(watched: &Watched, result: &str, at: DateTime<Utc>) {
    watched.sim.world().okta.log.push(LogEvent {
        published_at: at,
        event_type: "application.provision.user.deactivate".to_owned(),
        result: result.to_owned(),
        reason: None,
        user: ANA.to_owned(),
    });
}

/// Ana is deactivated eight hours from now, and a minute later Okta tells the app, which does nothing.
fn ana_leaves(watched: &Watched, result: &str) {
    watched.sim.clock().advance(TimeDelta::hours(8));
    watched.sim.world().deactivate(ANA, watched.now());
    watched.sim.clock().advance(TimeDelta::minutes(1));
    pushed(watched, result, watched.now());
}

async fn after(watched: &Watched, hours: i64) -> engine::Outcome {
    watched.sim.clock().advance(TimeDelta::hours(hours));
    watched.run(Pass::Full).await
}

/// What the log is quoted for, over all findings.
fn said(outcome: &engine::Outcome) -> Vec<String> {
    let facts = outcome.report.findings.iter().flat_map(|it| &it.explanation.facts);
    let of_log = facts.filter(|it| it.source.ends_with(" log"));
    of_log.map(|it| it.text.clone()).collect()
}

async fn n_told(watched: &Watched) -> usize {
    watched.store.due("hook".into(), watched.now(), 100).await.unwrap().len()
}

/// How often anything happened to Ana's finding.
async fn n_events(watched: &Watched) -> usize {
    watched.store.finding_events(FindingId(1)).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_push_is_told_beside_the_account_and_nobody_is_told_of_it_anew() {
    let watched = Watched::seen(FIRM).await;
    ana_leaves(&watched, "FAILURE");
    let failed = after(&watched, 16).await;
    let shown = finding_text(&failed.report, FindingId(1), Style::default()).unwrap();
    let seen = shown.split("What was seen\n").nth(1).unwrap().split("\n\n").next().unwrap();
    insta::assert_snapshot!(seen, @"
    - account `a1`: `active` is `true`, last changed `2025-10-16T02:00:00Z`
      [secureframe accounts (scim), row `a1`, asked by id, as of 2026-11-21 02:01
      +00:00]
    - okta identity `00uana00000000000001`: status `DEPROVISIONED` (left), since
      2026-11-20T10:00:00Z [okta identities, row `00uana00000000000001`, asked by
      id, as of 2026-11-21 02:01 +00:00]
    - was last seen as: assignment of `00uana00000000000001` directly: grants,
      status `PROVISIONED` [okta assignments, row `00uana00000000000001`, snapshot
      2, as of 2026-11-20 02:00 +00:00]
    - okta says of `00uana00000000000001`: the app was told to switch the account
      off at 2026-11-20T10:01:00Z, and that failed [okta log, as of 2026-11-20
      10:01 +00:00]
    ");

    // Once more, and now the app says yes; and it shows her on all the same.
    pushed(&watched, "SUCCESS", watched.now() + TimeDelta::minutes(10));
    let before = (n_told(&watched).await, n_events(&watched).await);
    let said_yes = after(&watched, 1).await;
    insta::assert_snapshot!(said(&said_yes).join("\n"), @"okta says of `00uana00000000000001`: the app was told to switch the account off at 2026-11-21T02:11:00Z, and said yes; after that, as of 2026-11-21T03:01:00Z, it shows this account on");
    let finding = &said_yes.record.findings[0];
    assert_eq!(finding.change, Change::Unchanged);
    let mut as_before = failed.record.findings[0].finding.clone();
    as_before.last_seen_at = finding.finding.last_seen_at;
    as_before.exposures[0].last_seen_active = finding.finding.exposures[0].last_seen_active;
    assert_eq!(finding.finding, as_before);
    assert_eq!((n_told(&watched).await, n_events(&watched).await), before);

    // Each of the runs comes out again with what it knew, and nothing of what came later.
    pushed(&watched, "FAILURE", watched.now());
    after(&watched, 1).await;
    let Watched { sim, store, folder: _folder, plan } = watched;
    drop(sim);
    for run in 1..=4 {
        let past = store.past_run(RunId(run)).await.unwrap().unwrap();
        let found = engine::rederive(&store, &past, &plan).await.unwrap();
        assert!(matches!(found, engine::Rederived::Same { .. }), "run {run}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_before_they_had_access_last_is_told_no_more() {
    let watched = Watched::seen(FIRM).await;
    ana_leaves(&watched, "FAILURE");
    assert_eq!(said(&after(&watched, 16).await).len(), 1);
    // She is back, and leaves again: Okta tells the app nothing, or the log has nothing of it.
    watched.sim.world().activate(ANA, watched.now());
    watched.sim.world().assign(ANA, watched.now());
    assert_eq!(said(&after(&watched, 24).await), Vec::<String>::new());
    watched.sim.world().deactivate(ANA, watched.now());
    let outcome = after(&watched, 24).await;
    assert!(outcome.record.findings.iter().any(|it| it.finding.is_live()));
    assert_eq!(said(&outcome), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_before_the_account_was_seen_off_is_told_no_more() {
    let watched = Watched::seen(FIRM).await;
    ana_leaves(&watched, "FAILURE");
    let account = watched.sim.world().app.accounts[0].id.clone();
    watched.sim.world().switch_off(&account, watched.now());
    after(&watched, 16).await;
    // Somebody switches her on again: that the app was told in vain before explains nothing of it.
    watched.sim.world().app.accounts[0].active = Active::Set(true);
    for _ in 0..3 {
        let outcome = after(&watched, 24).await;
        assert_eq!(outcome.record.findings[0].finding.cause, Cause::Reactivated);
        assert_eq!(said(&outcome), Vec::<String>::new());
    }
    // Once more Okta tells the app, and that is of now.
    pushed(&watched, "FAILURE", watched.now());
    assert_eq!(said(&after(&watched, 24).await).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_seen_off_needs_no_word_of_the_log() {
    let watched = Watched::seen(FIRM).await;
    ana_leaves(&watched, "SUCCESS");
    let account = watched.sim.world().app.accounts[0].id.clone();
    watched.sim.world().switch_off(&account, watched.now());
    let outcome = after(&watched, 16).await;
    assert_eq!(said(&outcome), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bag_has_the_pushes_beside_the_leaver_and_not_those_of_before() {
    let log = "\
log
  -9d application.provision.user.deactivate 00ubob00000000000002
  -2d application.provision.user.deactivate 00ubob00000000000002 FAILURE
  -1d application.provision.user.deactivate 00ubob00000000000002
";
    let (_sim, site) = installed_with(&live::FIRM.replace("log\n", log), "").await;
    ask(&site, &["run", "--once"]);
    let (from, to) = (days(-30), days(1));
    let args = ["--app", "secureframe", "--from", &from, "--to", &to, "--output", "bag.zip"];
    let answer = ask(&site, &[&["evidence", "export"][..], &args].concat());
    assert_eq!(answer.status, 0, "{answer}");
    let bag = Bag::from_zip(&site.read("bag.zip")).unwrap();
    let traces = bag.paths().filter(|it| it.starts_with("data/leavers/"));
    let mut told: Vec<String> = traces
        .map(|it| {
            let trace: Value = serde_json::from_str(bag.text(it).unwrap()).unwrap();
            let pushes = trace["pushes"].as_array().unwrap().iter();
            let said = pushes.map(|it| format!("{} {}", it["provider"], it["outcome"]));
            format!("{}: {:?}", trace["disclosed"]["login"], said.collect::<Vec<_>>())
        })
        .collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "bob@firm.test": ["\"okta\" \"failed\"", "\"okta\" \"said_yes\""]
    "finn@firm.test": []
    "#);
    let verified = ask(&site, &["evidence", "verify", "bag.zip"]);
    assert_eq!(verified.status, 7, "nothing is wrong, and nothing is signed: {verified}");
}

/// The date so many days from today.
fn days(n: i64) -> String {
    (live::now() + TimeDelta::days(n)).format("%Y-%m-%d").to_string()
}

/// Every page that tells why says what the log says, by these words.
pub(crate) fn every_page_says(site: &Site, account: &str, wanted: &str) {
    let ask = |args: &[&str]| {
        let answer = tokio::task::block_in_place(|| site.ask(args)).stdout;
        answer.split_whitespace().collect::<Vec<&str>>().join(" ")
    };
    let report = ask(&["report", "--format", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|it| it["subject"]["key"] == account).unwrap();
    assert!(finding["explanation"]["facts"].to_string().contains(wanted), "{finding:#}");
    let shown = ask(&["findings", "show", finding["id"].as_str().unwrap()]);
    assert!(shown.contains(wanted), "{shown}");
    let why = ask(&["explain", account]);
    assert!(why.contains(wanted), "{why}");
    let page = String::from_utf8(site.read("reports/latest.html")).unwrap();
    assert!(page.contains("the app was told to switch the account off at "), "the page says it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_told_another_app_is_not_told_of_this_one() {
    let mut watched = Watched::seen(FIRM).await;
    let [okta, crm] = ["okta", "crm"].map(|it| domain::SystemId::parse(it).unwrap());
    watched.plan.provisioned = [(okta, crm)].into();
    ana_leaves(&watched, "FAILURE");
    let outcome = after(&watched, 16).await;
    assert_eq!((outcome.report.findings.len(), said(&outcome)), (1, vec![]));
}
