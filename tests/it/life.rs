//! What people say of findings, what the guard holds, and what the next night makes of it.

use crate::firm::{Account, FIRST, Night, SECOND, THIRD, account, user};
use crate::site::{Site, json};

/// A firm of so many people in which nothing is wrong.
fn firm_of(n: u32) -> Night {
    let account = |number| Account { number, owner: Some(number), is_active: true };
    Night {
        users: (1..=n).map(|it| (it, "ACTIVE")).collect(),
        assigned: (1..=n).collect(),
        accounts: (1..=n).map(account).collect(),
        total: None,
    }
}

/// A firm of three hundred, without the assignments of the first `n`.
fn unassigned(n: u32) -> Night {
    let mut night = firm_of(300);
    night.assigned.retain(|it| *it > n);
    night
}

/// Judges a night, whose lists may be held.
fn judge(site: &Site, date: &str, night: &Night) {
    site.night(date, night);
    let answer = site.run();
    assert!(matches!(answer.status, 0 | 4), "{answer}");
}

/// The number and the state of the finding about an account.
fn finding(site: &Site, cause: &str, key: &str) -> (String, String) {
    let mut all = site.states().into_iter().filter(|it| it[0] == cause && it[1] == key);
    let [_, _, id, state] = all.next().unwrap();
    (id, state)
}

fn n_in_state(site: &Site, state: &str) -> usize {
    site.states().iter().filter(|it| it[3] == state).count()
}

/// The digest of the first thing that the guard holds.
fn digest(site: &Site) -> String {
    let status = site.told(&["guard", "status"]).stdout;
    let line = status.lines().nth(1).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn somebody_takes_a_finding_and_gives_it_back() {
    let site = Site::firm_after_first();
    let (id, state) = finding(&site, "leaver_active", &account(1));
    assert_eq!(state, "open");
    let answer = site.told(&["findings", "ack", &id, "--by", "Ada", "--reason", "calling them"]);
    assert!(answer.stdout.starts_with(&format!("Acknowledged {id} until ")), "{answer}");
    assert_eq!(finding(&site, "leaver_active", &account(1)).1, "acknowledged", "at once");

    judge(&site, SECOND, &Night::planted());
    assert_eq!(finding(&site, "leaver_active", &account(1)).1, "acknowledged");
    site.told(&["findings", "reopen", &id, "--by", "Ada", "--reason", "not mine"]);
    assert_eq!(finding(&site, "leaver_active", &account(1)).1, "open");

    let shown = site.told(&["findings", "show", &id]).stdout;
    for what in ["by Ada until", "calling them", "by Ada: not mine"] {
        assert!(shown.contains(what), "{what}: {shown}");
    }
}

#[test]
fn a_false_positive_is_silent_until_its_facts_change() {
    let site = Site::firm_after_first();
    judge(&site, SECOND, &Night::planted());
    let (id, _) = finding(&site, "unassigned_active", &account(2));
    let answer = site.ask(&["findings", "false-positive", &id, "--reason", " "]);
    assert_eq!(answer.status, 2, "{answer}");
    site.told(&["findings", "false-positive", &id, "--reason", "a test account", "--by", "Ada"]);
    assert!(!site.live().contains(&("unassigned_active".to_owned(), account(2))));

    judge(&site, THIRD, &Night::planted());
    assert!(!site.live().contains(&("unassigned_active".to_owned(), account(2))));
    let mut left = Night::planted();
    left.users[1].1 = "DEPROVISIONED";
    judge(&site, "2026-11-22", &left);
    assert!(site.live().contains(&("leaver_active".to_owned(), account(2))));
}

#[test]
fn what_is_said_of_several_findings_is_kept_of_all_or_none() {
    let site = Site::firm_after_first();
    let (open, _) = finding(&site, "leaver_active", &account(1));
    let (pending, _) = finding(&site, "unassigned_active", &account(2));
    let answer = site.ask(&["findings", "ack", &open, &pending]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("only what is open can be acknowledged"), "{answer}");
    assert_eq!(finding(&site, "leaver_active", &account(1)).1, "open");

    let answer = site.ask(&["findings", "close", &open, "--reason", "gone, they say"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("a look closes it"), "{answer}");
}

#[test]
fn a_mass_of_claims_from_absence_is_one_notice_and_opens_when_two_people_say_so() {
    let site = Site::firm();
    judge(&site, FIRST, &firm_of(300));
    assert_eq!(site.told(&["guard", "status"]).stdout, "The guard holds nothing.\n");
    judge(&site, SECOND, &unassigned(21));
    assert_eq!(n_in_state(&site, "held"), 21);
    let watcher = site.report()["watcher"].clone();
    let held: Vec<_> =
        watcher.as_array().unwrap().iter().filter(|it| it["kind"] == "mass_change_held").collect();
    assert_eq!(held.len(), 1, "{watcher}");
    let text = held[0]["text"].as_str().unwrap();
    assert!(text.contains("21 findings would open"), "{text}");

    let digest = digest(&site);
    let answer = site.ask(&["guard", "release", "0123456789ab", "--reason", "moved"]);
    assert_eq!(answer.status, 2, "{answer}");
    let answer = site.told(&["guard", "release", &digest, "--reason", "moved", "--by", "Ada"]);
    assert!(answer.stdout.contains("21 openings, and no others"), "{answer}");
    let answer = site.ask(&["guard", "approve", "1", "--by", "ada"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("somebody else"), "{answer}");
    site.told(&["guard", "approve", "1", "--by", "Grace"]);
    let status = site.told(&["guard", "status"]).stdout;
    assert!(status.contains("in force") && status.contains("approved by Grace"), "{status}");

    // Thirty more are missing: they were not released.
    judge(&site, THIRD, &unassigned(51));
    assert_eq!((n_in_state(&site, "open"), n_in_state(&site, "held")), (21, 30));
    site.rederives(3);
}

#[test]
fn a_list_that_shrank_counts_when_two_people_say_so_and_not_when_it_shrinks_further() {
    let site = Site::firm();
    judge(&site, FIRST, &firm_of(60));
    let smaller = |n: u32| firm_of(60).without_users(|it| it <= n);
    judge(&site, SECOND, &smaller(20));
    let digest = digest(&site);
    let answer =
        site.told(&["guard", "release", &digest, "--reason", "Lisbon closed", "--by", "Ada"]);
    assert!(answer.stdout.contains("okta identities of 40 rows or more"), "{answer}");
    site.told(&["guard", "approve", "1", "--by", "Grace"]);

    let sources = |site: &Site| {
        let report = site.report();
        let mut sources = report["sources"].as_array().unwrap().iter();
        sources.find(|it| it["list"] == "identities").unwrap().clone()
    };
    // The night whose list was held is judged again.
    site.told(&["run", "--once"]);
    let list = sources(&site);
    assert!(list["held"].is_null(), "{list}");
    assert!(list["notes"].to_string().contains("by release 1 of Ada, approved by Grace"), "{list}");
    assert!(site.live().contains(&("source_gone_active".to_owned(), account(1))));

    judge(&site, THIRD, &smaller(30));
    let list = sources(&site);
    assert!(!list["held"].is_null(), "30 rows are fewer than what was released: {list}");
    site.rederives(4);
}

#[test]
fn a_list_of_others_does_not_count_by_the_release_of_one_that_is_as_long() {
    let site = Site::firm();
    judge(&site, FIRST, &firm_of(60));
    judge(&site, SECOND, &firm_of(60).without_accounts(|it| it <= 20));
    let digest = digest(&site);
    site.told(&["guard", "release", &digest, "--reason", "Lisbon closed", "--by", "Ada"]);
    site.told(&["guard", "approve", "1", "--by", "Grace"]);
    let mut others = firm_of(60);
    others.accounts.iter_mut().for_each(|it| (it.number, it.owner) = (it.number + 500, None));
    judge(&site, THIRD, &others);
    let report = site.report();
    let mut sources = report["sources"].as_array().unwrap().iter();
    let list = sources.find(|it| it["list"] == "accounts").unwrap();
    assert!(list["held"].to_string().contains("another company"), "{list}");
}

#[test]
fn three_hundred_old_orphans_are_one_baseline_that_a_spreadsheet_triages() {
    let site = Site::firm();
    let mut night = firm_of(60);
    let orphan = |number| Account { number, owner: None, is_active: true };
    night.accounts.extend((1_001..=1_300).map(orphan));
    judge(&site, FIRST, &night);
    let report = site.report();
    assert_eq!(report["apps"][0]["is_baseline"], true);
    assert_eq!((n_in_state(&site, "pending"), n_in_state(&site, "open")), (300, 0));
    assert!(
        report["watcher"].as_array().unwrap().iter().all(|it| it["kind"] != "mass_change_held")
    );

    // One spreadsheet for all commands: one is linked, two are registered, all others but one waived.
    let list = site.told(&["findings", "list", "--format", "csv"]).stdout;
    let mut rows = list.lines();
    let header = rows.next().unwrap().to_owned();
    let key = header.split(',').position(|it| it == "subject_key").unwrap();
    let mut triage = format!("{header},identity,reason,until,owner,purpose\n");
    for row in rows {
        let number: u32 =
            row.split(',').nth(key).unwrap().strip_prefix("acct-").unwrap().parse().unwrap();
        let filled = match number {
            1_001 => format!("okta/{},their second account,,,", user(7)),
            1_002 => ",,,p1@example.com,a robot".to_owned(),
            1_003 => ",,,p2@example.com,another".to_owned(),
            1_004 => ",,,,".to_owned(),
            _ => ",from before,2099-12-31,,".to_owned(),
        };
        triage.push_str(&format!("{row},{filled}\n"));
    }
    site.write("triage.csv", triage);
    let answer = site.told(&["findings", "link", "--from", "triage.csv", "--by", "Ada"]);
    assert!(answer.stdout.contains("Kept 1 decision"), "{answer}");
    let answer = site.told(&["findings", "register", "--from", "triage.csv", "--by", "Ada"]);
    assert!(answer.stdout.contains("Registered 2"), "{answer}");
    let answer =
        site.told(&["findings", "waive", "request", "--from", "triage.csv", "--by", "Ada"]);
    assert!(answer.stdout.contains("Asked for waivers 1-296"), "{answer}");
    site.told(&["findings", "waive", "approve", "1-296", "--by", "Grace"]);

    judge(&site, SECOND, &night);
    assert_eq!(n_in_state(&site, "waived"), 296);
    assert_eq!(finding(&site, "orphan_active", &account(1_004)).1, "open");
    let list = json(&site.told(&["findings", "list", "--format", "json"]).bytes);
    let orphans = list.as_array().unwrap().iter().filter(|it| it["cause"] == "orphan_active");
    assert_eq!(orphans.count(), 297, "one has an owner, two are registered");
}

#[test]
fn grace_of_an_account_made_for_somebody_who_lost_the_app_long_ago_is_over() {
    let site = Site::firm();
    let mut lost = firm_of(60);
    lost.accounts.retain(|it| it.owner != Some(1));
    judge(&site, FIRST, &lost);
    lost.assigned.retain(|it| *it != 1);
    judge(&site, SECOND, &lost);
    judge(&site, THIRD, &lost);
    lost.accounts.insert(0, Account { number: 1, owner: Some(1), is_active: true });
    judge(&site, "2026-11-23", &lost);
    let (id, state) = finding(&site, "unassigned_active", &account(1));
    assert_eq!(state, "pending", "seen once");
    let shown = site.told(&["findings", "show", &id]).stdout;
    assert!(!shown.contains("in grace until"), "{shown}");
    judge(&site, "2026-11-24", &lost);
    assert_eq!(finding(&site, "unassigned_active", &account(1)).1, "open");
}
