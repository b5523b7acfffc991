//! What an auditor asked of a bag, and what it said: whom sources disagree about, times that cannot be,
//! runs of long ago that were made today, and lists that somebody stopped asking for.

use std::fs;

use serde_json::Value;

use crate::firm::{FIRST, Night, SECOND, Says, THIRD, account, settings, user};
use crate::site::{Answer, Site, answer, json, project};

const HR: &str = "[hr.workday]\n[[hr.workday.file]]\npath = \"hr.csv\"\nwhole = true\n";

/// The firm, with a list of leavers from HR.
fn firm_with_hr() -> Site {
    Site::new(&format!("{}{HR}", settings(Says::default())))
}

/// Writes a night in which HR says of these that their last day was the 18th, and judges it.
fn night(site: &Site, date: &str, night: &Night, hr: &[u32]) {
    let hr: Vec<_> = hr.iter().map(|it| (*it, "2026-11-18")).collect();
    night_by(site, date, night, &hr);
}

/// The same, with the last day of each.
fn night_by(site: &Site, date: &str, night: &Night, hr: &[(u32, &str)]) {
    site.night(date, night);
    let mut users = json(night.users_json().as_bytes());
    for (it, (number, _)) in users.as_array_mut().unwrap().iter_mut().zip(&night.users) {
        it["profile"]["employeeNumber"] = (1000 + number).to_string().into();
    }
    site.write(&format!("exports/{date}/users"), users.to_string());
    let row = |(it, day): &(u32, &str)| {
        format!("{},p{it}@example.com,Person {it},{day},left\n", 1000 + it)
    };
    let rows: String = hr.iter().map(row).collect();
    let hr = format!("employee_number,email,name,last_day,reason\n{rows}");
    site.write(&format!("exports/{date}/hr.csv"), hr);
    let answer = site.run();
    assert!(matches!(answer.status, 0 | 4), "{answer}");
}

/// A bag of November, unpacked: where a file of it is.
fn export(site: &Site, name: &str) -> impl Fn(&str) -> String {
    export_of(site, ("2026-11-01", "2026-12-01"), name)
}

/// The same, of a time.
fn export_of(site: &Site, (from, to): (&str, &str), name: &str) -> impl Fn(&str) -> String {
    let period = ["--app", "secureframe", "--from", from, "--to", to];
    let output = format!("{name}.zip");
    site.told(&[&["evidence", "export"][..], &period, &["--output", &output]].concat());
    let bag = evidence::Bag::from_zip(&site.read(&output)).unwrap();
    move |path| bag.text(path).unwrap_or_else(|| panic!("no {path}")).to_owned()
}

/// What both verifiers say of a bag; they end alike.
pub(crate) fn verified(site: &Site, name: &str) -> [Answer; 2] {
    let zip = format!("{name}.zip");
    let ours = site.ask(&["evidence", "verify", &zip]);
    let mut python = std::process::Command::new("python3");
    site.scrub(&mut python);
    python.arg(project("crates/evidence/verify.py")).arg(&zip);
    let both = [ours, answer(&python.output().unwrap())];
    assert_eq!(both[0].status, both[1].status, "{} {}", both[0], both[1]);
    both
}

/// It has no keys, so it ends with 7; nothing else is wrong with it.
pub(crate) fn is_whole(both: &[Answer; 2]) {
    for it in both {
        assert_eq!(it.status, 7, "{it}");
        assert!(!it.stdout.contains("BROKEN"), "{it}");
    }
}

fn has(text: &str, needles: &[&str]) {
    for needle in needles {
        assert!(text.contains(needle), "`{needle}` is missing: {text}");
    }
}

/// An identity provider takes its word back, and says it anew, while HR's row stands.
#[test]
fn a_word_that_was_taken_back_is_told_with_when_that_was_and_both_verifiers_agree() {
    let site = firm_with_hr();
    site.change_settings("[app.secureframe]\n", "[app.secureframe]\nauthority = \"workday\"\n");
    let mut left = Night::quiet();
    left.users[4].1 = "DEPROVISIONED";
    left.accounts[4].is_active = false;
    let told = |date: &str, state: &Night, words: &[&str], sides: &str| {
        night(&site, date, state, &[5]);
        let file = export(&site, date);
        has(&file("data/population.csv"), words);
        has(&file("data/reconciliation.csv"), &[sides]);
        is_whole(&verified(&site, date));
    };
    night(&site, FIRST, &Night::quiet(), &[]);
    told(SECOND, &left, &["okta 2026-11-01T00:00:00.000Z; workday 2026-11-19T00"], "yes,yes,1");
    let taken_back = ["okta 2026-11-01T00:00:00.000Z, taken back by 2026-11-21T02:00:00.000Z"];
    told(THIRD, &Night::quiet(), &taken_back, "yes,no,1");
    let was_back = ["okta 2026-11-01T00:00:00.000Z, back in between, seen at 2026-11-21T02"];
    told("2026-11-22", &left, &was_back, "yes,yes,1");
    let november = ["--app", "secureframe", "--from", "2026-11-01", "--to", "2026-12-01"];
    let list = site.told(&[&["evidence", "leavers"][..], &november].concat()).stdout;
    let said = "said by okta 2026-11-01T00:00:00.000Z (back in between, seen at 2026-11-21T02:00:00.000Z), workday";
    has(&list, &[said]);
}

/// HR says that somebody left on the 15th, and the night after the period that it was the 20th.
#[test]
fn who_is_of_another_time_by_a_later_word_is_not_missing_in_a_bag() {
    let site = firm_with_hr();
    site.change_settings("[app.secureframe]\n", "[app.secureframe]\nauthority = \"workday\"\n");
    night_by(&site, FIRST, &Night::quiet(), &[]);
    night_by(&site, SECOND, &Night::quiet(), &[(5, "2026-11-15")]);
    let period = ("2026-11-10", "2026-11-21");
    let rows = |name: &str| {
        let population = export_of(&site, period, name)("data/population.csv");
        let both = verified(&site, name);
        is_whole(&both);
        let is_noted = |it: &Answer| it.stdout.contains("note         leavers: `sub_");
        let (n, noted) = (population.lines().count() - 1, both.iter().filter(|it| is_noted(it)));
        (n, noted.count())
    };
    assert_eq!(rows("before"), (1, 0));
    night_by(&site, THIRD, &Night::quiet(), &[(5, "2026-11-20")]);
    assert_eq!(rows("since"), (0, 2));
    let said = site.ask(&["evidence", "verify", "since.zip"]).stdout;
    has(&said, &["is of the period by entry ", ", and of another time by entry "]);
}

/// HR says that somebody left, then their provider does, which takes it back: by then HR is alone again.
#[test]
fn a_dispute_of_somebody_who_is_back_is_not_settled_by_the_leave_before() {
    let site = firm_with_hr();
    let here = Night::quiet();
    let mut left = Night::quiet();
    left.users[4].1 = "DEPROVISIONED";
    night(&site, FIRST, &here, &[]);
    for (date, state) in [(SECOND, &here), (THIRD, &left), ("2026-11-22", &here)] {
        night(&site, date, state, &[5]);
    }
    let file = export(&site, "bag");
    let table = file("data/reconciliation.csv");
    let disputed: Vec<&str> = table.lines().filter(|it| it.starts_with("disputed,")).collect();
    assert_eq!(disputed.len(), 2, "{table}");
    has(disputed[0], &["disputed,DL-1,", "they agree since then, on the leaver sub_"]);
    has(disputed[1], &["since 2026-11-22T02:00:00.000Z: undecided"]);
    is_whole(&verified(&site, "bag"));
}

/// HR says that somebody left, their account is off, and only then their provider says so, too.
#[test]
fn a_dispute_that_was_over_for_another_reason_is_settled_when_sources_agree() {
    let site = firm_with_hr();
    let mut off = Night::quiet();
    off.accounts[4].is_active = false;
    let mut left = off.clone();
    left.users[4].1 = "DEPROVISIONED";
    night(&site, FIRST, &Night::quiet(), &[]);
    for (date, state) in [(SECOND, &Night::quiet()), (THIRD, &off), ("2026-11-22", &left)] {
        night(&site, date, state, &[5]);
    }
    let table = export(&site, "bag")("data/reconciliation.csv");
    has(&table, &["disputed,DL-1,", "they agree since then, on the leaver sub_"]);
    is_whole(&verified(&site, "bag"));
}

#[test]
fn whom_hr_alone_says_to_have_left_is_told_in_a_bag_that_has_no_leaver() {
    let site = firm_with_hr();
    night(&site, FIRST, &Night::quiet(), &[]);
    night(&site, SECOND, &Night::quiet(), &[5]);
    night(&site, THIRD, &Night::quiet(), &[5]);
    let file = export(&site, "bag");
    for path in ["START-HERE.txt", "data/report.html"] {
        let text = file(path);
        has(
            &text,
            &["1 account of people", "DL-1", "says that they left", "not in the population"],
        );
        assert!(!text.contains("no source says that anybody left"), "{text}");
    }
    let row = "disputed,DL-1,,,1,";
    has(
        &file("data/reconciliation.csv"),
        &[row, "undecided", "hr,workday leavers,yes,,,\"1 of 1 rows"],
    );
    let ipe = json(file("data/ipe.json").as_bytes());
    assert_eq!(
        (&ipe["reconciliation"]["disputed"], &ipe["reconciliation"]["undecided"]),
        (&1.into(), &1.into())
    );
    let oscal = json(file("data/machine/oscal-assessment-results.json").as_bytes());
    let findings = oscal["assessment-results"]["results"][0]["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for it in findings {
        let status = &it["target"]["status"];
        assert_eq!(
            (&status["state"], &status["reason"]),
            (&"not-satisfied".into(), &"other".into())
        );
    }
    is_whole(&verified(&site, "bag"));
    // Whoever is asked for by name is told that it is a matter of dispute.
    let november = ["--app", "secureframe", "--from", "2026-11-01", "--to", "2026-12-01"];
    let one = ["--person", &*user(5), "--output", "one.zip"];
    let refused = site.ask(&[&["evidence", "export"][..], &november, &one].concat());
    assert_eq!(refused.status, 2, "{refused}");
    has(&refused.stderr, &["DL-1"]);
    let listed = site.told(&[&["evidence", "leavers"][..], &november].concat());
    has(&listed.stdout, &["0 leavers of", "sources disagreed whether somebody left: DL-1."]);
}

#[test]
fn a_dispute_that_the_sources_ended_themselves_leaves_a_leaver_and_nothing_undecided() {
    let site = firm_with_hr();
    night(&site, FIRST, &Night::quiet(), &[]);
    night(&site, SECOND, &Night::quiet(), &[5]);
    let mut left = Night::quiet();
    left.users.iter_mut().filter(|it| it.0 == 5).for_each(|it| it.1 = "DEPROVISIONED");
    left.assigned.retain(|it| *it != 5);
    left.accounts.iter_mut().filter(|it| it.number == 5).for_each(|it| it.is_active = false);
    night(&site, THIRD, &left, &[5]);
    let file = export(&site, "bag");
    let ipe = json(file("data/ipe.json").as_bytes());
    let sides = &ipe["reconciliation"];
    assert_eq!((&sides["both"], &sides["disputed"]), (&1.into(), &1.into()), "{sides}");
    assert_eq!(sides["undecided"], 0, "{sides}");
    has(
        &file("data/reconciliation.csv"),
        &["they agree since then, on the leaver sub_", "hr,workday leavers,yes,,,\"0 of 1 rows"],
    );
    is_whole(&verified(&site, "bag"));
}

/// What becomes of a file of a bag.
type Lie = fn(&str) -> String;

#[test]
fn a_dispute_that_somebody_leaves_out_of_a_bag_is_named_by_both_verifiers() {
    let site = firm_with_hr();
    night(&site, FIRST, &Night::quiet(), &[]);
    night(&site, SECOND, &Night::quiet(), &[5]);
    drop(export(&site, "bag"));
    let bag = evidence::Bag::from_zip(&site.read("bag.zip")).unwrap();
    let lies: [(&str, Lie); 2] = [
        ("data/reconciliation.csv", |it| {
            it.lines()
                .filter(|it| !it.starts_with("disputed"))
                .map(|it| format!("{it}\n"))
                .collect()
        }),
        ("data/ipe.json", |it| it.replacen("\"undecided\": 1", "\"undecided\": 0", 1)),
    ];
    for (path, lie) in lies {
        let mut files = std::collections::BTreeMap::new();
        for it in bag.paths().filter(|it| {
            it.starts_with("data/") || it.starts_with("verify/") || *it == "START-HERE.txt"
        }) {
            files.insert(it.to_owned(), bag.get(it).unwrap().to_vec());
        }
        let told = lie(bag.text(path).unwrap());
        assert_ne!(told, bag.text(path).unwrap());
        files.insert(path.to_owned(), told.into_bytes());
        let mut forged = evidence::Bag::new(files);
        let info: Vec<(&str, String)> = bag
            .text("bag-info.txt")
            .unwrap()
            .lines()
            .filter_map(|it| it.split_once(": "))
            .filter(|it| it.0 != "Payload-Oxum")
            .map(|(key, value)| (key, value.to_owned()))
            .collect();
        forged.seal(&info);
        site.write("forged.zip", forged.zip("bag").unwrap());
        for it in verified(&site, "forged") {
            assert_eq!(it.status, 6, "{it}");
            has(&it.stdout, &["BROKEN       tables", path.trim_start_matches("data/")]);
        }
    }
}

/// A person says that a finding is none, and the account is seen off later: the look is not of a
/// stretch that the finding has, and there is nothing to tell a machine.
#[test]
fn a_bag_verifies_after_a_persons_word_on_a_finding_whose_account_is_seen_off_later() {
    let site = Site::firm_after_first();
    let why = ["--reason", "he is fine", "--by", "Eve"];
    let states = site.states();
    let finding = &states.iter().find(|it| it[1] == account(1)).unwrap()[2];
    site.told(&[&["findings", "false-positive", finding][..], &why].concat());
    let mut off = Night::planted();
    off.accounts[0].is_active = false;
    for date in [SECOND, THIRD] {
        site.night(date, &off);
        let answer = site.run();
        assert!(matches!(answer.status, 0 | 4), "{answer}");
    }
    let file = export(&site, "bag");
    let entries = file("data/ledger/entries.jsonl");
    let seen = entries.lines().find(|it| it.contains("\"observation.changed\""));
    has(seen.unwrap_or(&entries), &["\"first_seen_inactive\":null"]);
    is_whole(&verified(&site, "bag"));
}

#[test]
fn an_alert_in_a_bag_names_its_findings_and_nobody() {
    let site = Site::firm();
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let channel = "[alert.file.command]\nprogram = \"/bin/cat\"\n[[route]]\nto = [\"file\"]\n";
    site.write("driftline.toml", format!("{settings}{channel}"));
    site.night(FIRST, &Night::quiet());
    site.run();
    for date in [SECOND, THIRD] {
        site.night(date, &Night::planted());
        site.run();
    }
    let file = export(&site, "bag");
    let alerts = file("data/alerts.csv");
    let states = site.states();
    let finding = states.iter().find(|it| it[0] == "leaver_active").unwrap();
    let told = format!(",{},secureframe/{}", finding[2], finding[1]);
    assert!(alerts.lines().any(|it| it.contains(",opened,") && it.ends_with(&told)), "{alerts}");
    assert!(!alerts.contains('@'), "{alerts}");
}

#[test]
fn a_list_that_is_held_or_that_nobody_asked_for_any_more_is_named_where_runs_are_listed() {
    let site = firm_with_hr();
    night(&site, FIRST, &Night::quiet(), &[5]);
    let with_hr = site.read("driftline.toml");
    site.write("driftline.toml", settings(Says::default()));
    night(&site, SECOND, &Night::quiet(), &[5]);
    site.write("driftline.toml", with_hr);
    let few = Night::quiet().without_accounts(|it| it > 5);
    night(&site, THIRD, &few, &[5]);
    let file = export(&site, "bag");
    let coverage = file("data/coverage.csv");
    let rows: Vec<&str> = coverage.lines().collect();
    has(rows[0], &["held", "not_asked"]);
    assert!(!rows[1].contains("workday"), "{coverage}");
    has(rows[2], &["workday leavers"]);
    has(rows[3], &["secureframe accounts"]);
    has(&file("data/report.html"), &["workday leavers", "not asked for"]);
    is_whole(&verified(&site, "bag"));
}

#[test]
fn a_run_that_was_made_long_after_the_time_that_it_speaks_of_says_so() {
    let site = Site::firm();
    for date in ["2024-03-01", "2024-03-02"] {
        site.night(date, &Night::quiet());
    }
    site.told(&["run", "--once"]);
    let march = ["--app", "secureframe", "--from", "2024-03-01", "--to", "2024-04-01"];
    site.told(&[&["evidence", "export"][..], &march, &["--output", "bag.zip"]].concat());
    let bag = evidence::Bag::from_zip(&site.read("bag.zip")).unwrap();
    for path in ["START-HERE.txt", "data/report.html"] {
        has(bag.text(path).unwrap(), &["2 runs", "by more than a day"]);
    }
    let coverage = bag.text("data/coverage.csv").unwrap();
    has(coverage.lines().next().unwrap(), &["made_at"]);
    is_whole(&verified(&site, "bag"));
}

/// The raw rows of each trace: whose.
fn raw_rows(trace: &Value) -> Vec<String> {
    let raw = trace["raw"].as_array().unwrap().iter();
    raw.map(|it| it["row"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_trace_of_a_leaver_has_the_row_of_hr() {
    let site = firm_with_hr();
    let mut left = Night::quiet();
    left.users.iter_mut().filter(|it| it.0 == 5).for_each(|it| it.1 = "DEPROVISIONED");
    left.assigned.retain(|it| *it != 5);
    night(&site, FIRST, &left, &[5]);
    night(&site, SECOND, &left, &[5]);
    drop(export(&site, "bag"));
    let bag = evidence::Bag::from_zip(&site.read("bag.zip")).unwrap();
    let trace = bag.paths().find(|it| it.starts_with("data/leavers/")).unwrap().to_owned();
    let rows = raw_rows(&json(bag.get(&trace).unwrap()));
    assert!(rows.iter().any(|it| it.starts_with("workday/")), "{rows:?}");
    assert!(rows.iter().any(|it| it.starts_with("okta/")), "{rows:?}");
}

#[test]
fn a_profile_that_was_changed_is_a_change_of_settings_and_past_runs_are_judged_by_the_one_of_then()
{
    let site = Site::firm();
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    site.write("driftline.toml", format!("profiles = \"profiles\"\n{settings}"));
    fs::create_dir_all(site.path("profiles")).unwrap();
    let shipped =
        fs::read_to_string(project("crates/connectors/profiles/okta-users.toml")).unwrap();
    site.write("profiles/okta-users.toml", &shipped);
    site.night(FIRST, &Night::planted());
    site.run();
    let lie = shipped.replace("DEPROVISIONED = \"left\"", "DEPROVISIONED = \"active\"");
    assert_ne!(lie, shipped);
    site.write("profiles/okta-users.toml", lie);
    site.night(SECOND, &Night::planted());
    site.run();
    let file = export(&site, "bag");
    let changes = file("data/config-changes.csv");
    let n = changes.lines().filter(|it| it.contains("config.changed")).count();
    assert_eq!(n, 2, "{changes}");
    let again = site.ask(&["evidence", "rederive", "1", "2"]);
    assert_eq!(again.status, 0, "{again}");
    is_whole(&verified(&site, "bag"));
}

/// By the clock of this machine all this is in the future, so that what a person does today is told
/// after runs of later times: as if somebody had set the clock back.
#[test]
fn an_entry_whose_time_is_before_that_of_a_run_ahead_of_it_is_named_and_excuses_nobody() {
    let site = Site::firm();
    let judged = |date: &str, left: bool, sees_app: bool| {
        let mut night = Night::quiet();
        night.users.iter_mut().filter(|it| left && it.0 == 5).for_each(|it| it.1 = "DEPROVISIONED");
        night.assigned.retain(|it| !left || *it != 5);
        site.night(date, &night);
        let mut users = json(night.users_json().as_bytes());
        for it in users.as_array_mut().unwrap().iter_mut() {
            if it["status"] == "DEPROVISIONED" {
                it["statusChanged"] = "2199-01-02T20:00:00.000Z".into();
            }
        }
        site.write(&format!("exports/{date}/users"), users.to_string());
        if !sees_app {
            fs::remove_file(site.path(&format!("exports/{date}/accounts"))).unwrap();
        }
        site.run();
    };
    judged("2199-01-02", false, true);
    judged("2199-01-03", true, true);
    // The deadline has passed, and nobody saw whether the account was on.
    judged("2199-01-06", true, false);
    let january = ["--app", "secureframe", "--from", "2199-01-01", "--to", "2199-02-01"];
    let bag = |name: &str| {
        site.told(&[&["evidence", "export"][..], &january, &["--output", name]].concat());
    };
    let why = ["--reason", "handover", "--until", "2199-12-31", "--by", "Ada"];
    let states = site.states();
    let finding = &states.iter().find(|it| it[0] == "leaver_active").unwrap()[2];
    site.told(&[&["findings", "waive", "request", finding][..], &why].concat());
    site.told(&["findings", "waive", "approve", "1", "--by", "Bea"]);
    judged("2199-01-07", true, true);
    bag("bag.zip");
    for it in verified(&site, "bag") {
        has(&it.stdout, &["note         times: ", "(exception.approved)", "before that of entry"]);
        has(
            &it.stdout,
            &["is an EXCEPTION, and no entry says that one was approved by the deadline"],
        );
        assert_eq!(it.status, 6, "{it}");
    }
    let file = evidence::Bag::from_zip(&site.read("bag.zip")).unwrap();
    for path in ["START-HERE.txt", "data/report.html"] {
        has(file.text(path).unwrap(), &["a time before that of a run ahead of them"]);
    }
    // The ledger is whole, and says it as well.
    let told = site.told(&["ledger", "verify"]);
    has(&told.stdout, &["exception.approved", "before that of entry"]);
}
