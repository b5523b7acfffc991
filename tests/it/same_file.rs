//! Exports without a time of their own, some of which stay the same for days because nothing changes:
//! a copy of an old file looks just so, and a leaver must be told all the same.

#![expect(clippy::disallowed_methods, reason = "the program goes by the machine's clock")]

use std::fs::File;
use std::time::{Duration, SystemTime};

use crate::firm::Night;
use crate::site::Site;

const SETTINGS: &str = r#"database = "driftline.db"
reports = "reports"
[idp.okta]
[[idp.okta.file]]
path = "users.json"
whole = true
[[idp.okta.file]]
path = "app_users.json"
whole = true
[app.secureframe]
idps = ["okta"]
deprovision = "lists"
[[app.secureframe.file]]
path = "accounts.json"
"#;

/// Since when whoever left is gone, and whether a deadline of a day is over.
const LONG_AGO: &str = "2026-11-01T00:00:00.000Z";

/// A look at exports of so many hours ago. `stamp` makes the bytes of a list others than before.
fn look(site: &Site, night: &Night, hours: u64, left_at: &str, stamps: [&str; 3]) -> String {
    let lists = [
        ("users.json", night.users_json().replace(LONG_AGO, left_at)),
        ("app_users.json", night.app_users_json()),
        ("accounts.json", night.accounts_json()),
    ];
    let at = SystemTime::now() - Duration::from_secs(hours * 3_600);
    for ((name, text), stamp) in lists.into_iter().zip(stamps) {
        site.write(name, text + stamp);
        File::options().write(true).open(site.path(name)).unwrap().set_modified(at).unwrap();
    }
    site.run();
    let states = site.states();
    let leaver = states.into_iter().find(|it| it[0] == "leaver_active");
    leaver.map_or_else(|| "unknown".to_owned(), |it| it[3].clone())
}

fn with_leaver() -> Night {
    let mut night = Night::quiet();
    night.users[0].1 = "DEPROVISIONED";
    night
}

fn an_hour_ago() -> String {
    let at = chrono::Utc::now() - chrono::TimeDelta::hours(9);
    at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

#[test]
fn a_leaver_waits_for_no_other_list_of_assignments() {
    let (site, left_at) = (Site::new(SETTINGS), an_hour_ago());
    assert_eq!(look(&site, &Night::quiet(), 8, &left_at, ["", "", ""]), "unknown");
    assert_eq!(look(&site, &with_leaver(), 7, &left_at, ["", "", ""]), "pending");
    assert_eq!(look(&site, &with_leaver(), 6, &left_at, ["\n", "", "\n"]), "open");
}

#[test]
fn a_list_that_stays_the_same_may_be_a_copy_until_the_deadline_is_over() {
    let (site, left_at) = (Site::new(SETTINGS), an_hour_ago());
    assert_eq!(look(&site, &Night::quiet(), 8, &left_at, ["", "", ""]), "unknown");
    assert_eq!(look(&site, &with_leaver(), 7, &left_at, ["", "", ""]), "pending");
    assert_eq!(look(&site, &with_leaver(), 6, &left_at, ["\n", "\n", ""]), "pending");

    let site = Site::new(SETTINGS);
    assert_eq!(look(&site, &Night::quiet(), 8, LONG_AGO, ["", "", ""]), "unknown");
    assert_eq!(look(&site, &with_leaver(), 7, LONG_AGO, ["", "", ""]), "pending");
    assert_eq!(look(&site, &with_leaver(), 6, LONG_AGO, ["", "", ""]), "open");
}
