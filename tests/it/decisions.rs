//! What people decide, and what the next run makes of it.

use std::fs;

use crate::quickstart::ORPHAN;
use crate::site::{Site, copy_all};

/// Reception Hamburg: its address belongs to two people, one of them this.
const SHARED: &str = "7438ca9e-3625-41f0-9da2-ccabb94c13b9";
const ONE_OF_THEM: &str = "okta/00u8eptEllHw05aRgLd7";

/// The night after the two of the sample: the same exports a day later.
fn third_night(site: &Site) {
    let (second, third) = ("samples/2026-11-20", "samples/2026-11-21");
    copy_all(&site.path(second), &site.path(third));
    site.told(&["run", "--once"]);
}

/// The number and the state of the finding about somebody.
fn finding(site: &Site, cause: &str, key: &str) -> Option<(String, String)> {
    let mut states = site.states().into_iter();
    let [_, _, id, state] = states.find(|it| it[0] == cause && it[1] == key)?;
    Some((id, state))
}

#[test]
fn a_waiver_needs_two_people_and_counts_from_the_next_run_on() {
    let site = Site::quickstart_after_nights();
    let (id, state) = finding(&site, "orphan_active", ORPHAN).unwrap();
    assert_eq!(state, "open");
    let until = ["--reason", "handover", "--until", "2099-12-31"];
    let request = [&["findings", "waive", "request", &id, "--by", "Ada"][..], &until].concat();
    let answer = site.told(&request);
    assert!(answer.stdout.contains("waive approve 1"), "{answer}");

    let answer = site.ask(&["findings", "waive", "approve", "1", "--by", "Ada"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("by somebody else"), "{answer}");
    let list = site.told(&["findings", "waive", "list"]).stdout;
    assert!(list.contains("waiting") && list.contains("nobody yet"), "{list}");

    site.told(&["findings", "waive", "approve", "1", "--by", "Grace"]);
    let list = site.told(&["findings", "waive", "list"]).stdout;
    assert!(list.contains("in force") && list.contains("approved by Grace"), "{list}");
    assert_eq!(finding(&site, "orphan_active", ORPHAN).unwrap().1, "open", "no run has been");

    third_night(&site);
    assert_eq!(finding(&site, "orphan_active", ORPHAN), Some((id, "waived".to_owned())));
    let report = site.report();
    assert_eq!(report["waivers"].as_array().unwrap().len(), 1, "every report lists it");
}

#[test]
fn a_waiver_that_nobody_approved_changes_nothing() {
    let site = Site::quickstart_after_nights();
    let (id, _) = finding(&site, "orphan_active", ORPHAN).unwrap();
    let until = ["--reason", "handover", "--until", "2099-12-31"];
    site.told(&[&["findings", "waive", "request", &id, "--by", "Ada"][..], &until].concat());
    third_night(&site);
    assert_eq!(finding(&site, "orphan_active", ORPHAN).unwrap().1, "open");

    let past = ["--reason", "handover", "--until", "2001-01-01"];
    let answer = site.ask(&[&["findings", "waive", "request", &id][..], &past].concat());
    assert_eq!(answer.status, 2, "{answer}");
}

#[test]
fn decisions_from_a_table_link_an_account() {
    let site = Site::quickstart_after_nights();
    assert!(finding(&site, "ambiguous_link", SHARED).is_some());
    site.write(
        "decisions.csv",
        format!("account,identity,reason\n{SHARED},{ONE_OF_THEM},asked them both\n"),
    );
    site.told(&["findings", "link", "--from", "decisions.csv", "--by", "Ada"]);
    third_night(&site);
    assert_eq!(finding(&site, "ambiguous_link", SHARED), None);
    let explained = site.told(&["explain", SHARED]).stdout;
    assert!(explained.contains(ONE_OF_THEM), "{explained}");
}

#[test]
fn a_table_with_one_wrong_row_decides_nothing() {
    let site = Site::quickstart_after_nights();
    let table = format!(
        "account,identity,reason\n{SHARED},{ONE_OF_THEM},asked\nno-such-account,{ONE_OF_THEM},asked\n"
    );
    site.write("decisions.csv", table);
    let answer = site.ask(&["findings", "link", "--from", "decisions.csv"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("`decisions.csv` line 3"), "{answer}");
    third_night(&site);
    assert!(finding(&site, "ambiguous_link", SHARED).is_some());
}

#[test]
fn who_registers_an_account_that_no_list_has_is_told_so() {
    let site = Site::firm_after_first();
    let known = site.told(&["findings", "register", "--account", "acct-0090", "--by", "Ada"]);
    assert!(!known.stdout.contains("No account"), "{known}");
    let unknown = site.told(&["findings", "register", "--account", "zzz", "--by", "Ada"]);
    assert!(unknown.stdout.contains("No account of the last lists is called `zzz`"), "{unknown}");
}

#[test]
fn an_account_that_a_table_registers_is_no_orphan_any_more() {
    let site = Site::quickstart_after_nights();
    site.write(
        "robots.csv",
        format!("account,owner,purpose\n{ORPHAN},katrin.albers@alderquay.example.com,board\n"),
    );
    let answer = site.told(&["findings", "register", "--from", "robots.csv", "--by", "Ada"]);
    assert!(answer.stdout.contains("Registered 1"), "{answer}");
    third_night(&site);
    assert_eq!(finding(&site, "orphan_active", ORPHAN), None);
    assert_eq!(finding(&site, "nonhuman_unowned", ORPHAN), None);
}

#[test]
fn what_was_seen_twice_opens_and_what_is_undone_closes() {
    let site = Site::quickstart_after_nights();
    let reactivated = "ca6d4f1a-394e-434e-8033-918230df1a9b";
    assert_eq!(finding(&site, "reactivated", reactivated).unwrap().1, "pending");
    third_night(&site);
    assert_eq!(finding(&site, "reactivated", reactivated).unwrap().1, "open");

    // The account is gone from a whole list of an app that lists what is switched off.
    copy_all(&site.path("samples/2026-11-20"), &site.path("samples/2026-11-22"));
    let pages = site.path("samples/2026-11-22/secureframe_scim_users");
    for page in fs::read_dir(pages).unwrap() {
        let path = page.unwrap().path();
        let mut list: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for row in list["Resources"].as_array_mut().unwrap() {
            if row["id"] == reactivated {
                row["active"] = false.into();
            }
        }
        fs::write(path, list.to_string()).unwrap();
    }
    site.told(&["run", "--once"]);
    assert_eq!(finding(&site, "reactivated", reactivated), None);
}
