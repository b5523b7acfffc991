//! What an app does with an account that is switched off: seen of leavers, told, and never judged by.

use chrono::TimeDelta;
use domain::{Deprovisioned, Pass};

use crate::light::{ANA, FIRM, Watched};
use crate::live::{ask, installed_with, now};

/// What was seen, one line for each account.
async fn seen(watched: &Watched) -> Vec<String> {
    let seen = watched.store.deprovisions().await.unwrap();
    seen.iter().map(|it| format!("{} {} {}", it.channel, it.account, it.behaviour)).collect()
}

async fn night(watched: &Watched) -> engine::Outcome {
    watched.sim.clock().advance(TimeDelta::hours(24));
    watched.run(Pass::Full).await
}

/// A company whose app does `so` with who is switched off, with others in it, so that one who goes is
/// no mass change.
fn firm(so: &str) -> String {
    let others: String = (3..20).map(|nth| format!("  x{nth} - x{nth}@firm.test on\n")).collect();
    FIRM.replace(" (deactivation off)", "").replace("\napp\n", &format!("\napp{so}\n")) + &others
}

/// Ana leaves, and is switched off.
fn ana_goes(watched: &Watched) {
    watched.sim.clock().advance(TimeDelta::hours(8));
    watched.sim.world().deactivate(ANA, watched.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_leavers_account_is_seen_once_and_told_by_each_report() {
    for (does, wanted) in [
        ("", Deprovisioned::Lists),
        (" (hides inactive)", Deprovisioned::Hides),
        (" (deletes inactive)", Deprovisioned::Deletes),
    ] {
        let mut watched = Watched::seen(&firm(does)).await;
        watched.plan.apps[0].rules.deprovision = drift::Deprovision::Unknown;
        ana_goes(&watched);
        let outcome = night(&watched).await;
        assert_eq!(seen(&watched).await, [format!("scim a1 {wanted}")]);
        let record = outcome.record.apps[0].deprovision.clone().unwrap();
        assert_eq!((record.set, record.seen[0].behaviour), (None, wanted));
        assert!(record.is_known(), "evidence is not provisional any more");
        night(&watched).await;
        assert_eq!(seen(&watched).await.len(), 1, "once");
    }
}

/// The light pass sees the account off by its id, and what the list makes of it nobody knows yet.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_light_pass_saw_off_is_seen_by_the_next_full_run() {
    for (does, wanted) in [
        ("", Deprovisioned::Lists),
        (" (hides inactive)", Deprovisioned::Hides),
        (" (deletes inactive)", Deprovisioned::Deletes),
    ] {
        let watched = Watched::seen(&firm(does)).await;
        ana_goes(&watched);
        watched.sim.clock().advance(TimeDelta::hours(1));
        watched.run(Pass::Light).await;
        assert_eq!(seen(&watched).await, Vec::<String>::new(), "a light pass reads no list");
        night(&watched).await;
        assert_eq!(seen(&watched).await, [format!("scim a1 {wanted}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_seen_where_the_list_is_not_whole_or_nobody_left() {
    let watched = Watched::seen(&firm("")).await;
    watched.sim.world().switch_off("a2", watched.now());
    night(&watched).await;
    assert_eq!(seen(&watched).await, Vec::<String>::new(), "Bea did not leave");
    ana_goes(&watched);
    crate::live::fault(&watched.sim, "scim/users", "cut-body");
    night(&watched).await;
    assert_eq!(seen(&watched).await, Vec::<String>::new(), "the list is not whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_the_report_and_the_bag_say_what_is_set_and_what_was_seen() {
    let (sim, site) = installed_with(&firm(""), "").await;
    let told = ask(&site, &["doctor"]).stdout;
    assert!(told.contains("deprovision behaviour: Neither set nor seen yet"), "{told}");
    ask(&site, &["run", "--once"]);
    sim.world().deactivate(ANA, now());
    ask(&site, &["run", "--once"]);
    let told = ask(&site, &["doctor"]).stdout;
    assert!(told.contains("Seen, and not set: 1 account stayed in the list, inactive"), "{told}");
    let page = ask(&site, &["report", "--format", "text"]).stdout;
    let words = page.split_whitespace().collect::<Vec<&str>>().join(" ");
    let line =
        "is switched off: not in the settings; seen: 1 account stayed in the list, inactive (scim,";
    assert!(words.contains(line), "{page}");
    let period = ["--app", "secureframe", "--from", "2020-01-01", "--to", "2100-01-01"];
    let export = [&["evidence", "export"][..], &period, &["--output", "bag.zip"]].concat();
    let said = ask(&site, &export);
    assert!(!said.stdout.contains("Provisional"), "{said}");
    assert_eq!(ask(&site, &["evidence", "rederive", "1", "2"]).status, 0);

    // Another app does otherwise than the settings say.
    site.change_settings("idps =", "deprovision = \"deletes\"\nidps =");
    let told = ask(&site, &["doctor"]).stdout;
    assert!(told.contains("As the settings say, it is `deletes`, and other was seen"), "{told}");
    let export = [&["evidence", "export"][..], &period, &["--output", "other.zip"]].concat();
    let said = ask(&site, &export);
    assert!(said.stdout.contains("or otherwise than set"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_absence_never_shows_removal_nobody_is_told_to_take_it_for_that() {
    let (sim, site) = installed_with(&firm(" (deletes inactive, takes writes)"), "").await;
    let plain = String::from_utf8(site.read("driftline.toml")).unwrap();
    let plain = plain.replace("canaries = [\"a1\"]", "canaries = [\"a2\"]"); // Ana's own goes.
    let canary =
        "\n[app.secureframe.scim.probe]\ntoken = \"file:write.token\"\ncanaries = [\"x5\"]\n";
    let profile = "scim.token\"\nprofile = \"github-organization\"\n";
    let settings = plain.replace("scim.token\"\n", profile) + canary;
    site.write("driftline.toml", &settings);
    site.write("write.token", "sim-scim-write-token\n");
    ask(&site, &["run", "--once"]);
    sim.world().deactivate(ANA, now());
    ask(&site, &["run", "--once"]);
    let config = ask(&site, &["config", "check"]).stdout;
    assert!(config.contains("leave `deprovision` unset"), "{config}");
    assert!(!config.contains("record what you observed"), "{config}");
    let doctor = ask(&site, &["doctor"]).stdout;
    assert!(doctor.contains("Seen: 1 account left the list"), "{doctor}");
    assert!(
        doctor.contains("Leave `deprovision` unset") && !doctor.contains("Set `deprovision"),
        "{doctor}"
    );
    let page = ask(&site, &["report", "--format", "text"]).stdout;
    let words = page.split_whitespace().collect::<Vec<&str>>().join(" ");
    let line = "by its vendor never shown by who is gone from the list; seen: 1 account left";
    assert!(words.contains(line) && words.contains("Evidence is provisional."), "{page}");
    let shown = ask(&site, &["probe", "deprovision", "secureframe", "x5"]).stdout;
    let digest = shown.split("--confirm ").nth(1).unwrap().trim().to_owned();
    let probe = ["probe", "deprovision", "secureframe", "x5", "--wait", "0", "--confirm", &digest];
    let probed = ask(&site, &probe).stdout;
    assert!(probed.contains("by its id it is gone"), "{probed}");
    assert!(
        probed.contains("leave `deprovision` unset") && !probed.contains("set `deprovision ="),
        "{probed}"
    );

    // The settings say it all the same.
    site.write("driftline.toml", settings.replace("idps =", "deprovision = \"deletes\"\nidps ="));
    let config = ask(&site, &["config", "check"]).stdout;
    assert!(config.contains("a leaver would be missed; take it out"), "{config}");
    let doctor = ask(&site, &["doctor"]).stdout;
    assert!(doctor.contains("Take `deprovision` out of the settings of the app."), "{doctor}");
}
