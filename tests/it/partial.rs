//! Lists that cannot be believed: what was not seen opens nothing and closes nothing, and what
//! was seen counts.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::firm::{Account, FIRST, Night, SECOND, Says, THIRD, account, planted, settings, user};
use crate::site::{Answer, Site, json, live};

/// Judges a second night and says what changed: `detected orphan_active acct-0090`, without what
/// was there before.
fn second(site: &Site, night: &Night) -> (Answer, BTreeSet<String>) {
    site.night(SECOND, night);
    let answer = site.run();
    (answer, changes(&site.report()))
}

fn changes(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    findings
        .filter(|it| it["change"] != "unchanged")
        .map(|it| [&it["change"], &it["cause"], &it["subject"]["key"]].map(text).join(" "))
        .collect()
}

/// Takes exports of a night away.
fn remove(site: &Site, date: &str, lists: &[&str]) {
    for list in lists {
        fs::remove_file(site.path(&format!("exports/{date}/{list}"))).unwrap();
    }
}

/// A list as the report has it: how much of it was seen, and whether it is held.
fn source(report: &Value, list: &str) -> (String, bool) {
    let mut sources = report["sources"].as_array().unwrap().iter();
    let source = sources.find(|it| it["list"] == list).unwrap();
    (source["coverage"]["kind"].as_str().unwrap().to_owned(), !source["held"].is_null())
}

/// The planted night, with an account of person 25, whom no list knew before.
fn with_newcomer() -> Night {
    let mut night = Night::planted();
    night.users.push((25, "ACTIVE"));
    night.assigned.push(25);
    night.accounts.push(Account { number: 25, owner: Some(25), is_active: true });
    night
}

/// Everybody with a drift is in the half that is missing, and so is the newcomer.
fn is_in_missing_half(number: u32) -> bool {
    number <= 10 || number == 25
}

#[test]
fn half_a_list_of_users_opens_nothing_and_closes_nothing() {
    for says in ["rows = 21", "whole = false"] {
        let site = Site::firm_after_first();
        site.says(Says { users: says, ..Says::default() });
        let half = with_newcomer().without_users(is_in_missing_half);
        let (answer, _) = second(&site, &half);

        assert_eq!(answer.status, 4, "{says}: {answer}");
        assert_eq!(site.live(), planted(), "{says}: {answer}");
        let report = site.report();
        assert_eq!(source(&report, "identities"), ("partial".to_owned(), false), "{says}");
        assert_eq!(report["summary"]["n_over"], 0, "{says}: {answer}");
        let orphan = site.states().into_iter().find(|it| it[0] == "orphan_active").unwrap();
        assert_eq!(orphan[3], "pending", "{says}: half a list is no second look for an orphan");
        assert!(answer.stdout.contains("Coverage C"), "{says}: {answer}");
    }
}

#[test]
fn the_same_half_declared_whole_would_open_and_close() {
    // What the test above rests on: with its coverage taken on trust, the same list does both.
    let site = Site::new(
        &settings(Says::default())
            .replace("[idp.okta]", "[policy]\nshrink_max_percent = 100\n[idp.okta]"),
    );
    site.night(FIRST, &Night::planted());
    site.told(&["run", "--once"]);
    let half = with_newcomer().without_users(|it| it == 25);
    let (answer, changes) = second(&site, &half);
    assert_eq!(answer.status, 0, "{answer}");
    let opened = format!("detected source_gone_active {}", account(25));
    assert!(changes.contains(&opened), "{changes:?}");
}

#[test]
fn the_rest_of_the_list_brought_later_the_same_night_is_judged() {
    let site = Site::firm_after_first();
    site.says(Says { users: "rows = 21", ..Says::default() });
    second(&site, &with_newcomer().without_users(is_in_missing_half));
    let mut whole = with_newcomer();
    whole.accounts.push(Account { number: 91, owner: None, is_active: true });
    let (answer, changes) = second(&site, &whole);
    assert_eq!(answer.status, 0, "{answer}");
    assert!(changes.contains(&format!("detected orphan_active {}", account(91))), "{changes:?}");
}

#[test]
fn a_list_twice_as_long_as_declared_is_partial() {
    let site = Site::firm_after_first();
    site.says(Says { users: "rows = 20", ..Says::default() });
    let mut double = Night::planted().without_users(|it| it == 2);
    double.users.extend((101..=121).map(|it| (it, "ACTIVE")));
    let (answer, _) = second(&site, &double);
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.live(), planted());
    assert!(answer.stdout.contains("has 40 rows, and 20 were declared"), "{answer}");
}

#[test]
fn a_list_in_which_every_row_stands_twice_says_what_it_says_once() {
    let site = Site::firm_after_first();
    let mut double = Night::planted();
    double.users.extend(double.users.clone());
    double.assigned.extend(double.assigned.clone());
    let (answer, _) = second(&site, &double);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(site.live(), planted());

    // The app states how many there are: twice as many rows are not what it states.
    let mut double = Night::planted();
    double.accounts.extend(double.accounts.clone());
    site.night(THIRD, &double);
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(source(&site.report(), "accounts"), ("partial".to_owned(), false));
    assert_eq!(site.live(), planted());
}

#[test]
fn lists_that_shrink_too_much_are_held() {
    #[rustfmt::skip]
    let table = [
        // users left | held
        (   1,          true  ),
        (  15,          true  ), // 25 % fewer.
        (  16,          false ), // 20 % fewer, which is allowed.
    ];
    for (left, is_held) in table {
        let site = Site::firm_after_first();
        let users = "whole = true\nprofile = \"okta-users\"";
        site.says(Says { users, ..Says::default() });
        let mut night = Night::planted().without_users(|it| it > left);
        // Their accounts stay, as do their assignments: only the list of users changes.
        night.assigned.retain(|it| *it != 2);
        let (answer, changes) = second(&site, &night);
        let (_, found) = source(&site.report(), "identities");
        assert_eq!(found, is_held, "{left} users left: {answer}");
        assert_eq!(answer.status, if is_held { 4 } else { 0 }, "{left} users left: {answer}");
        if is_held {
            assert_eq!(site.live(), planted(), "{left} users left: {answer}");
            assert!(answer.stdout.contains("driftline guard status"), "{answer}");
        } else {
            let gone = changes.iter().any(|it| it.starts_with("detected"));
            assert!(gone, "four people are gone from a whole list: {answer}");
        }
    }
}

#[test]
fn an_empty_app_list_is_held_and_closes_nothing() {
    let site = Site::firm_after_first();
    let (answer, changes) = second(&site, &Night::planted().without_accounts(|_| true));
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.live(), planted(), "{changes:?}");

    // Where the settings say what it is, an empty list can be read, and is not believed.
    let site = Site::firm_after_first();
    let app = "path = \"accounts\"";
    let text = settings(Says::default());
    site.write("driftline.toml", text.replace(app, &format!("{app}\nprofile = \"scim-users\"")));
    let (answer, changes) = second(&site, &Night::planted().without_accounts(|_| true));
    assert_eq!(answer.status, 4, "{answer}");
    assert!(source(&site.report(), "accounts").1, "{answer}");
    assert_eq!(site.live(), planted(), "{changes:?}");
    site.rederives(2);
}

#[test]
fn the_list_of_another_company_is_held_however_long_it_is() {
    let site = Site::firm_after_first();
    let mut others = Night::planted();
    for it in &mut others.accounts {
        (it.number, it.owner) = (it.number + 500, None);
    }
    for date in [SECOND, THIRD] {
        site.night(date, &others);
        let answer = site.run();
        assert_eq!(answer.status, 4, "{date}: {answer}");
        assert!(source(&site.report(), "accounts").1, "{date}: {answer}");
        assert!(site.live().is_superset(&planted()), "{date}: {answer}");
        assert_eq!(site.report()["summary"]["n_over"], 0, "{date}: {answer}");
    }
    site.night("2026-11-22", &Night::planted());
    let answer = site.run();
    assert_eq!((answer.status, site.live()), (0, planted()), "{answer}");
}

#[test]
fn a_partial_app_list_closes_nothing_and_opens_no_absence() {
    let site = Site::firm_after_first();
    // Without the accounts that findings are about, and without one that is in order.
    let mut night = Night::planted().without_accounts(|it| it <= 5 || it == 90);
    night.total = Some(20);
    let (answer, changes) = second(&site, &night);
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.live(), planted(), "{changes:?}");
    assert_eq!(site.report()["summary"]["n_over"], 0);
    assert!(answer.stdout.contains("Coverage C"), "{answer}");
}

#[test]
fn an_account_positively_seen_inactive_in_a_partial_list_closes_its_finding() {
    let site = Site::firm_after_first();
    let mut night = Night::planted();
    night.accounts[0].is_active = false;
    night.total = Some(40);
    let (answer, changes) = second(&site, &night);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(changes.contains(&format!("resolved leaver_active {}", account(1))), "{changes:?}");
}

#[test]
fn a_leaver_seen_in_half_a_list_counts() {
    let site = Site::firm_after_first();
    site.says(Says { users: "whole = false", ..Says::default() });
    let mut night = Night::planted().without_users(|it| it <= 10);
    night.users.iter_mut().filter(|it| it.0 == 15).for_each(|it| it.1 = "DEPROVISIONED");
    let (answer, _) = second(&site, &night);
    assert_eq!(answer.status, 4, "{answer}");
    let mut expected = planted();
    expected.insert(("leaver_active".to_owned(), account(15)));
    assert_eq!(site.live(), expected, "{answer}");
}

/// Judges a night without some of its exports, and gives cause and state of what lives of account 5.
fn of_five(site: &Site, date: &str, night: &Night, without: &[&str]) -> Option<String> {
    site.night(date, night);
    remove(site, date, without);
    site.run();
    let mine = site.states().into_iter().find(|it| it[1] == account(5));
    mine.map(|it| format!("{} {}", it[0], it[3]))
}

/// Each list is read anew, and no run sees that the account of somebody who left is on since the first that
/// did: the row of an earlier list is no second look, however much later that list is.
#[test]
fn an_account_that_half_a_list_does_not_show_is_not_seen_again() {
    let site = Site::new(&settings(Says::default()));
    let run = |date: &str, night: &Night, without: &[&str]| of_five(&site, date, night, without);
    let mut left = Night::quiet();
    left.users[4].1 = "DEPROVISIONED";
    let half = Night { total: Some(20), ..left.clone().without_accounts(|it| it == 5) };
    assert_eq!(run(FIRST, &Night::quiet(), &[]), None);
    assert_eq!(run(SECOND, &left, &[]).as_deref(), Some("leaver_active pending"));
    assert_eq!(run(THIRD, &left, &["users"]).as_deref(), Some("leaver_active pending"));
    assert_eq!(run("2026-11-22", &half, &[]).as_deref(), Some("leaver_active pending"));
    assert_eq!(run("2026-11-23", &left, &[]).as_deref(), Some("leaver_active open"));
}

/// Who has the app is not read in the night in which somebody is on again: that they had it when they left
/// shows no right of today.
#[test]
fn who_is_on_again_is_entitled_again_when_a_list_shows_it() {
    let site = Site::new(&settings(Says::default()));
    let run = |date: &str, night: &Night, without: &[&str]| of_five(&site, date, night, without);
    let mut left = Night::quiet();
    left.users[4].1 = "DEPROVISIONED";
    assert_eq!(run(FIRST, &Night::quiet(), &[]), None);
    assert_eq!(run(SECOND, &left, &[]).as_deref(), Some("leaver_active pending"));
    assert_eq!(run(THIRD, &left, &[]).as_deref(), Some("leaver_active open"));
    let unread = run("2026-11-22", &Night::quiet(), &["app_users"]);
    assert_eq!(unread.as_deref(), Some("leaver_active open"));
    assert_eq!(run("2026-11-23", &Night::quiet(), &[]), None);
}

#[test]
fn nothing_found_in_partial_lists_is_not_proven() {
    for says in ["", "whole = false"] {
        let site = Site::new(&settings(Says { users: says, app_users: says }));
        site.night(SECOND, &Night::quiet());
        let answer = site.run();
        assert_eq!(answer.status, 4, "{answer}");
        assert!(site.live().is_empty(), "{answer}");
        assert!(answer.stdout.contains("0 findings: not proven"), "{answer}");
        let list = site.told(&["findings", "list"]);
        assert!(list.stdout.contains("not proven"), "{list}");
        let html = String::from_utf8(site.read("reports/latest.html")).unwrap();
        assert!(html.contains("not proven"));
    }
    // The same lists, whole: there it may be said.
    let site = Site::firm();
    site.night(SECOND, &Night::quiet());
    let answer = site.told(&["run", "--once"]);
    assert!(!answer.stdout.contains("not proven"), "{answer}");
}

#[test]
fn a_pull_that_failed_leaves_every_finding_as_it_was() {
    #[rustfmt::skip]
    let table: [&[&str]; 7] = [
        &["users"], &["app_users"], &["accounts"],
        &["users", "app_users"], &["users", "accounts"], &["app_users", "accounts"],
        &["users", "app_users", "accounts"],
    ];
    let mut changed = Vec::new();
    for missing in table {
        let site = Site::firm_after_first();
        site.night(SECOND, &Night::planted());
        remove(&site, SECOND, missing);
        let answer = site.run();
        assert_eq!(answer.status, 4, "{missing:?}: {answer}");
        for list in missing {
            assert!(answer.stderr.contains(&format!("`{SECOND}/{list}`")), "{answer}");
        }
        if site.live() != planted() {
            changed.push((missing, changes(&site.report())));
        }
    }
    assert!(changed.is_empty(), "without these files, this changed: {changed:#?}");
}

#[test]
fn a_partial_night_that_is_judged_again_is_no_second_look() {
    let site = Site::firm_after_first();
    site.says(Says { users: "whole = false", ..Says::default() });
    second(&site, &with_newcomer());
    let states = site.states();
    for _ in 0..3 {
        assert_eq!(site.run().status, 4);
        assert_eq!(site.states(), states);
    }
}

#[test]
fn a_partial_list_of_assignments_takes_nobodys_right() {
    let site = Site::firm_after_first();
    site.says(Says { app_users: "whole = false", ..Says::default() });
    let mut night = Night::planted();
    // Person 3, whose account is off, and 7, whose account is on, are not in it.
    night.assigned.retain(|it| !matches!(it, 3 | 7));
    let (answer, changes) = second(&site, &night);
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.live(), planted(), "{changes:?}");
}

#[test]
fn a_first_run_on_partial_lists_finds_what_was_seen_and_nothing_else() {
    let part = "whole = false";
    let site = Site::new(&settings(Says { users: part, app_users: part }));
    site.night(SECOND, &Night::planted());
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    // Neither the orphan nor the unassigned: both rest on who is not in a list.
    let mut expected = planted();
    expected.retain(|it| !matches!(&*it.0, "orphan_active" | "unassigned_active"));
    assert_eq!(site.live(), expected, "{answer}");
}

#[test]
fn what_a_first_half_list_showed_stands_in_where_the_next_cannot_be_read() {
    let site = Site::firm();
    let half = Night { total: Some(100), ..Night::planted() };
    site.night(FIRST, &half);
    site.run();
    let seen = site.live();
    assert!(seen.contains(&("leaver_active".to_owned(), account(1))), "{seen:?}");
    // The night is judged again.
    remove(&site, FIRST, &["accounts"]);
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.live(), seen, "{answer}");
}

#[test]
fn lists_that_are_too_old_support_no_claim_from_absence() {
    let site = Site::firm_after_first();
    let mut night = Night::planted();
    night.accounts.push(Account { number: 91, owner: None, is_active: true });
    let fourth = "2026-11-22";
    site.night(fourth, &night);
    remove(&site, fourth, &["users", "app_users"]);
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    assert!(!site.live().contains(&("orphan_active".to_owned(), account(91))), "{answer}");
    assert!(
        answer.stdout.contains("source_stale"),
        "nothing says that the users are old: {answer}"
    );
}

/// What the last run says of lists that are too old to judge by.
fn stale(site: &Site) -> Vec<String> {
    let report = site.report();
    let watcher = report["watcher"].as_array().unwrap().iter();
    let stale = watcher.filter(|it| it["kind"] == "source_stale");
    stale.map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_that_was_never_read_or_never_whole_is_told_when_its_time_is_over() {
    let half = Says { users: "whole = false", ..Says::default() };
    let identities = "no run has seen okta identities whole in 48 h";
    let assignments = "no run has seen okta assignments whole in 48 h";
    let accounts = "no run has seen secureframe accounts whole in 48 h";
    let nothing = "no run has read a file of okta in 48 h";
    for (says, missing, told) in [
        // The file that is missing may belong to either list.
        (Says::default(), &["users"][..], &[identities, assignments][..]),
        (Says::default(), &["users", "app_users"], &[nothing]),
        (Says::default(), &["accounts"], &[accounts]),
        (half, &[], &[identities]),
    ] {
        let site = Site::new(&settings(says));
        for (date, is_told) in [(FIRST, false), (SECOND, false), (THIRD, true)] {
            site.night(date, &Night::planted());
            remove(&site, date, missing);
            let answer = site.run();
            assert_eq!(answer.status, 4, "{answer}");
            let expected: &[&str] = if is_told { told } else { &[] };
            assert_eq!(stale(&site), expected, "{date}: {answer}");
        }
        // It comes, whole, and nothing is left to tell.
        site.says(Says::default());
        site.night("2026-11-22", &Night::planted());
        site.run();
        assert_eq!(stale(&site), [""; 0]);
    }
}

#[test]
fn a_list_that_was_whole_once_is_told_when_that_is_too_long_ago() {
    let site = Site::firm_after_first();
    site.says(Says { users: "whole = false", ..Says::default() });
    for (date, expected) in
        [(SECOND, &[][..]), (THIRD, &["the last whole list of okta identities is 48 h old"])]
    {
        site.night(date, &Night::planted());
        let answer = site.run();
        assert_eq!(stale(&site), expected, "{date}: {answer}");
    }
}

#[test]
fn a_list_without_its_canary_is_held_and_nobody_can_release_it() {
    let site = Site::firm_after_first();
    let text = settings(Says::default());
    let canary =
        "deprovision = \"lists\"\ncanaries = [\"acct-0020\", \"acct-0019\", \"p2@example.com\"]";
    site.write("driftline.toml", text.replace("deprovision = \"lists\"", canary));
    let (answer, changes) =
        second(&site, &Night::planted().without_accounts(|it| it == 20 || it == 2));
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stdout.contains("canary_missing"), "{answer}");
    // Which one, and by no address: the report goes to channels that may not show any.
    let report = site.report();
    let watchers = report["watcher"].as_array().unwrap();
    let it = watchers.iter().find(|it| it["kind"] == "canary_missing").unwrap();
    let text = it["text"].as_str().unwrap();
    let which = "2 of 3 canaries are not in the list (`acct-0020`, number 3 of `canaries`)";
    assert!(text.contains(which), "{text}");
    let next = it["next_action"].as_str().unwrap();
    assert!(next.contains("Nobody can release") && !next.contains("two people"), "{next}");
    assert_eq!(site.live(), planted(), "{changes:?}");

    let status = site.told(&["guard", "status"]).stdout;
    let line = status.lines().find(|it| it.contains("canaries")).unwrap();
    let digest = line.trim().split(' ').next().unwrap();
    assert!(status.contains("cannot be released"), "{status}");
    assert!(!status.contains("guard release"), "{status}");
    let release = ["guard", "release", digest, "--reason", "real", "--by", "Ada"];
    let refused = site.ask(&release);
    assert_eq!(refused.status, 2, "{refused}");
    assert!(
        refused.stderr.contains("acct-0020") && refused.stderr.contains("`canaries`"),
        "{refused}"
    );
}

/// The firm with HR's list, of which the file says `says`, on two nights.
fn two_nights_of_leavers(says: &str, first: &str, second: &str) -> Site {
    let hr = format!("[hr.workday]\n[[hr.workday.file]]\npath = \"hr.csv\"\n{says}\n");
    let site = Site::new(&(settings(Says::default()) + &hr));
    for (date, rows) in [(FIRST, first), (SECOND, second)] {
        site.night(date, &Night::quiet());
        site.write(&format!("exports/{date}/hr.csv"), format!("email,left_at\n{rows}"));
        site.run();
    }
    site
}

#[test]
fn a_list_of_leavers_that_was_emptied_is_held_unless_it_shows_the_latest_alone() {
    let (left, gone) = ("p3@example.com,2026-11-18\n", "p4@example.com,2026-11-17\n");
    let both = format!("{left}{gone}");
    #[rustfmt::skip]
    let table = [
        // the file says  | first      | second | held
        ( "",               &*both,      "",      true ),
        ( "whole = true",   &*both,      "",      true ),
        ( "whole = false",  &*both,      "",      false ),
        ( "",               &*both,      left,    false ), // It may shrink.
        ( "",               "",          "",      false ), // It never had a row.
    ];
    for (says, first, second, is_held) in table {
        let site = two_nights_of_leavers(says, first, second);
        let report = site.report();
        assert_eq!(source(&report, "leavers").1, is_held, "{says} {first} {second}: {report}");
        let grade = report["apps"][0]["grade"].as_str().unwrap();
        assert_eq!(grade == "C", is_held, "{says} {first} {second}: {report}");
        // Who was known to have left stays known.
        let knows = report["findings"].to_string().contains("p3@example.com");
        assert_eq!(knows, !first.is_empty(), "{says} {first} {second}: {report}");
    }
}

#[test]
fn a_night_without_any_file_leaves_the_states_as_they_were() {
    let site = Site::firm_after_first();
    let before = site.states();
    fs::create_dir(site.path(&format!("exports/{SECOND}"))).unwrap();
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.states(), before, "{answer}");
    // The files arrive later: the same night is judged again, as if nothing had been.
    site.night(SECOND, &Night::planted());
    site.told(&["run", "--once"]);
    let undisturbed = Site::firm_after_first();
    undisturbed.night(SECOND, &Night::planted());
    undisturbed.told(&["run", "--once"]);
    assert_eq!(site.states(), undisturbed.states());
}

#[test]
fn a_person_deleted_from_a_whole_list_stays_a_leaver() {
    let site = Site::firm_after_first();
    second(&site, &Night::planted().without_users(|it| it == 1));
    assert!(site.live().contains(&("leaver_active".to_owned(), account(1))));
    assert!(!site.live().iter().any(|it| it.0 == "source_gone_active" && it.1 == user(1)));
}

#[test]
fn an_account_younger_than_the_list_that_stands_in_is_nobodys_suspect() {
    // Tonight's users are not there, and yesterday's cannot know who joined today.
    let site = Site::firm_after_first();
    site.night(SECOND, &with_newcomer());
    remove(&site, SECOND, &["users"]);
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(site.live(), planted(), "{answer}");
}

#[test]
fn the_last_app_list_stands_in_for_one_that_failed() {
    // Who left is known tonight, and that the account was on a day ago is known too.
    let site = Site::firm_after_first();
    let mut night = Night::planted();
    night.users.iter_mut().filter(|it| it.0 == 15).for_each(|it| it.1 = "DEPROVISIONED");
    site.night(SECOND, &night);
    remove(&site, SECOND, &["accounts"]);
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    let mut expected = planted();
    expected.insert(("leaver_active".to_owned(), account(15)));
    assert_eq!(site.live(), expected, "{answer}");
}

#[test]
fn the_last_users_stand_in_for_those_that_failed() {
    // Somebody who had left and was off is on again tonight, when no list of users could be read.
    let site = Site::firm();
    let mut night = Night::planted();
    night.users.iter_mut().filter(|it| it.0 == 15).for_each(|it| it.1 = "DEPROVISIONED");
    let of_leaver = |it: &&mut Account| it.number == 15;
    night.accounts.iter_mut().filter(of_leaver).for_each(|it| it.is_active = false);
    site.night(FIRST, &night);
    site.told(&["run", "--once"]);
    assert_eq!(site.live(), planted());

    site.night(SECOND, &Night::planted());
    remove(&site, SECOND, &["users", "app_users"]);
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    let mut expected = planted();
    expected.insert(("reactivated".to_owned(), account(15)));
    assert_eq!(site.live(), expected, "{answer}");
}

/// The console's exports of Okta have the login alone, and those of Secureframe the address alone.
#[test]
fn a_login_that_is_an_address_joins_an_account_that_states_its_address_alone() {
    let site = Site::new("");
    let people = "User,Login,Status,Last Password Change,Activation date\n\
         Anna,anna@firm.test,Active,2026-01-01T00:00:00Z,2024-01-05T09:00:00Z\n\
         Ben,ben@firm.test,Deactivated,2026-01-01T00:00:00Z,2024-01-05T09:00:00Z\n";
    let assigned = "User,Login,Application name,Application instance,Application login,Assigned on,Unassigned on\n\
         Anna,anna@firm.test,Secureframe,Secureframe,anna,2025-01-05T09:00:00Z,\n";
    let accounts = "Name,Email,Status,Personnel status,Access role,End date\n\
         Anna,anna@firm.test,Active,Onboarded,Admin,\n\
         Ben,ben@firm.test,Active,Onboarded,None,\n";
    site.write("people.csv", people);
    site.write("assigned.csv", assigned);
    site.write("accounts.csv", accounts);
    let files = ["--idp", "people.csv", "--idp", "assigned.csv", "--app", "accounts.csv"];
    let answer = site.ask(&[&["check", "--format", "json"][..], &files[..]].concat());
    let ben = ("leaver_active".to_owned(), "ben@firm.test".to_owned());
    assert_eq!(live(&json(answer.stdout.as_bytes())), BTreeSet::from([ben]), "{answer}");
}

#[test]
fn an_export_of_people_with_a_header_alone_shows_nobodys_absence() {
    let site = Site::new("");
    site.write(
        "users.json",
        r#"[{"id":"00u1","status":"ACTIVE","profile":{"login":"a@firm.test"}}]"#,
    );
    site.write("accounts.csv", "Name,Email,Status,Personnel status,Access role,End date\n");
    let answer = site.ask(&["check", "--idp", "users.json", "--app", "accounts.csv"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.to_string().contains("has no row, and shows nobody's absence"), "{answer}");
}

/// Bob has two views of his account, and left on the second day. `views` gives what is there of both
/// on later days.
fn bobs_two_views(views: impl Fn(u32) -> Vec<(&'static str, String)>) -> Site {
    let site = Site::new(
        r#"
[nights]
folder = "nights"
time = "02:00:00Z"
[idp.okta]
[[idp.okta.file]]
path = "okta.json"
whole = true
[app.sf]
idps = ["okta"]
deprovision = "lists"
[[app.sf.file]]
path = "scim.json"
[[app.sf.file]]
path = "personnel.json"
"#,
    );
    for day in 1..=9 {
        let status = if day > 2 { "DEPROVISIONED" } else { "ACTIVE" };
        let changed = if day > 2 { "2026-10-02T12" } else { "2021-03-01T00" };
        let okta = format!(
            r#"[{{"id":"00u2aaaaaaaaaaaaaaaa","status":"{status}","created":"2021-03-01T00:00:00Z","statusChanged":"{changed}:00:00Z","profile":{{"login":"bob@firm.test","email":"bob@firm.test"}}}}]"#
        );
        site.write(&format!("nights/2026-10-{day:02}/okta.json"), okta);
        for (file, text) in views(day) {
            site.write(&format!("nights/2026-10-{day:02}/{file}"), text);
        }
    }
    site.run();
    site
}

fn in_scim(is_on: bool) -> (&'static str, String) {
    let text = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{{"id":"a2","externalId":"00u2aaaaaaaaaaaaaaaa","userName":"bob@firm.test","active":{is_on}}}]}}"#
    );
    ("scim.json", text)
}

fn in_personnel(is_on: bool) -> (&'static str, String) {
    let text = format!(
        r#"{{"data":[{{"id":"p2","type":"user","attributes":{{"email":"bob@firm.test","active":{is_on},"access_role":"Admin"}}}}],"meta":{{"total":1}}}}"#
    );
    ("personnel.json", text)
}

#[test]
fn a_leaver_who_is_on_in_one_view_is_told_whether_or_not_the_other_is_read() {
    let told = |site: &Site| {
        let report = site.report();
        let leaver = report["findings"].as_array().unwrap().iter();
        let leaver = leaver.filter(|it| it["cause"] == "leaver_active").collect::<Vec<_>>();
        assert_eq!(leaver.len(), 1, "{report:#}");
        format!("{} {}", leaver[0]["state"], leaver[0]["sla"]["outcome"]).replace('"', "")
    };
    let both = bobs_two_views(|_| vec![in_scim(true), in_personnel(true)]);
    assert_eq!(told(&both), "open missed");
    let gone = bobs_two_views(|day| match day {
        1 | 2 => vec![in_scim(true), in_personnel(true)],
        _ => vec![in_scim(true)],
    });
    assert_eq!(told(&gone), "open missed");
    // What was on when it was read last is not proven off by the other.
    let off_in_one = bobs_two_views(|day| match day {
        1..=3 => vec![in_scim(true), in_personnel(true)],
        _ => vec![in_scim(false)],
    });
    assert_ne!(told(&off_in_one), "open met");
}

#[test]
fn a_row_of_hr_can_be_explained_whether_or_not_anybody_else_knows_it() {
    let rows = "p3@example.com,2026-11-18\nstranger@example.com,2026-11-17\n";
    let site = two_nights_of_leavers("", rows, rows);
    let known = site.told(&["explain", "workday/p3@example.com"]).stdout;
    assert!(known.contains(&account(3)) && known.contains("verdict"), "{known}");
    let alone = site.told(&["explain", "workday/stranger@example.com"]).stdout;
    assert!(
        alone.contains("left      2026-11-1") && alone.contains("is joined to it by its keys"),
        "{alone}"
    );
    assert_eq!(site.ask(&["explain", "workday/nobody@example.com"]).status, 2);
}
