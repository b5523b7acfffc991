//! The sample company: two nights, what has to be found in them, and all that can be asked
//! afterwards.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::site::{Site, copy_all, json, live, project};

/// Who is asked about: somebody in order, a leaver who is still on, and an account of nobody.
const HEALTHY: &str = "katrin.albers@alderquay.example.com";
const LEAVER: &str = "9d89f726-6b4a-4d2a-8fbd-3b927b06c0c0";
pub(crate) const ORPHAN: &str = "5b9f3948-9c0b-42b0-8f65-77436898165e";

impl Site {
    /// The sample company in a folder of its own, before its first night.
    pub(crate) fn quickstart() -> Self {
        let settings = fs::read_to_string(project("config/quickstart.toml")).unwrap();
        let site = Self::new(&settings.replace("../target/quickstart/", ""));
        copy_all(&project("config/samples"), &site.path("samples"));
        site
    }

    /// The sample company after its two nights.
    pub(crate) fn quickstart_after_nights() -> Self {
        let site = Self::quickstart();
        site.told(&["run", "--once"]);
        site
    }
}

/// What has to live after a night, by the table that comes with the sample.
pub(crate) fn expected(night: &str) -> BTreeSet<(String, String)> {
    let table = fs::read_to_string(project("tests/data/quickstart/expected.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let cells = rows.map(|line| line.split('\t').collect::<Vec<_>>());
    cells
        .filter(|cells| cells[0] == night)
        .map(|cells| (cells[1].to_owned(), cells[2].to_owned()))
        .collect()
}

fn live_of_report(report: &Value) -> BTreeSet<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let is_live = |it: &&Value| it["state"] != "resolved" && it["state"] != "false_positive";
    live(&Value::from_iter(findings.filter(is_live).cloned()))
}

#[test]
fn each_night_finds_what_is_planted_and_nothing_else() {
    let site = Site::quickstart_after_nights();
    for (night, file) in [("1", "2026-11-19-run-1.json"), ("2", "2026-11-20-run-2.json")] {
        let report = json(&site.read(&format!("reports/{file}")));
        assert_eq!(live_of_report(&report), expected(night), "night {night}");
    }
    assert_eq!(site.live(), expected("2"));
    let causes: BTreeSet<String> =
        ["1", "2"].into_iter().flat_map(expected).map(|it| it.0).collect();
    assert!(causes.len() >= 12, "{causes:?}");
}

#[test]
fn the_run_prints_the_drift_table_and_where_the_report_is() {
    let site = Site::quickstart();
    let answer = site.told(&["run", "--once"]);
    for (cause, _) in expected("2") {
        let is_row = |line: &str| line.split_whitespace().next() == Some(&*cause);
        assert!(answer.stdout.lines().any(is_row), "{cause} is not in the table: {answer}");
    }
    assert!(answer.stdout.contains("latest.html"), "{answer}");
    assert!(!answer.stdout.contains('@'), "an address without `--names`: {answer}");
    assert!(answer.stderr.is_empty(), "{answer}");

    let html = String::from_utf8(site.read("reports/latest.html")).unwrap();
    assert!(html.to_lowercase().starts_with("<!doctype html>") && html.contains("reactivated"));
    for foreign in ["src=\"http", "href=\"http", "url(http", "<script src", "@import"] {
        assert!(!html.contains(foreign), "one file, nothing fetched: {foreign}");
    }
}

#[test]
fn a_page_that_is_missing_from_the_capture_closes_and_opens_nothing_by_absence() {
    let site = Site::quickstart();
    fs::remove_file(site.path("samples/2026-11-20/secureframe_scim_users/page-2.json")).unwrap();
    let answer = site.ask(&["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    let (found, first) = (site.live(), expected("1"));
    let over: BTreeSet<_> = first.difference(&found).collect();
    let positively: BTreeSet<_> = first.difference(&expected("2")).cloned().collect();
    assert!(over.iter().all(|it| positively.contains(*it)), "closed by absence: {over:?}");
    let new: BTreeSet<_> = found.difference(&first).cloned().collect();
    assert!(new.is_subset(&expected("2")), "opened by absence: {new:?}");
    assert!(!found.iter().any(|it| it.0 == "vanished"), "{answer}");
}

#[test]
fn a_second_run_says_that_nothing_is_new() {
    let site = Site::quickstart_after_nights();
    let before = site.read("reports/latest.html");
    let answer = site.told(&["run", "--once"]);
    assert!(answer.stdout.starts_with("Nothing new:"), "{answer}");
    assert!(site.read("reports/latest.html") == before);
    assert_eq!(site.report()["run"], 2);
}

#[test]
fn drift_ends_a_run_with_status_1_where_it_is_asked_for() {
    let site = Site::quickstart_after_nights();
    assert_eq!(site.ask(&["run", "--once", "--fail-on", "critical"]).status, 1);
    assert_eq!(site.ask(&["run", "--once", "--fail-on", "none"]).status, 0);
}

#[test]
fn the_report_of_a_past_night_comes_out_byte_for_byte() {
    let site = Site::quickstart_after_nights();
    for format in ["json", "html"] {
        let answer = site.told(&["report", "--night", "2026-11-19", "--format", format]);
        let written = site.read(&format!("reports/2026-11-19-run-1.{format}"));
        assert!(answer.bytes == written, "{format} differs from what was written that night");
    }
    for format in ["csv", "xlsx", "text"] {
        let args = ["report", "--night", "2026-11-19", "--format", format];
        let once = site.told(&args).bytes;
        assert!(!once.is_empty());
        assert!(once == site.told(&args).bytes, "{format} differs from itself");
        site.told(&[&args[..], &["--output", "out"]].concat());
        assert!(once == site.read("out"), "{format} differs in a file");
    }
    let answer = site.ask(&["report", "--night", "2026-11-18"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("no run was judged on 2026-11-18"), "{answer}");
}

#[test]
fn the_json_report_keeps_its_schema() {
    let site = Site::quickstart_after_nights();
    let path = project("crates/report/schema/report-v1.schema.json");
    let schema = jsonschema::validator_for(&json(&fs::read(path).unwrap())).unwrap();
    for run in ["1", "2"] {
        let report = json(&site.told(&["report", "--run", run, "--format", "json"]).bytes);
        let errors: Vec<String> = schema.iter_errors(&report).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "run {run}: {errors:#?}");
    }
    let mut broken = site.report();
    broken["findings"][0]["severity"] = "terrible".into();
    assert!(!schema.is_valid(&broken));
}

#[test]
fn anybody_can_be_explained_drift_or_not() {
    let site = Site::quickstart_after_nights();
    #[rustfmt::skip]
    let table: [(&str, &[&str]); 4] = [
        ( HEALTHY, &["verdict   confirmed", "decides: okta/00ueOdVg0L897oZ3wId7", "okta identities, row `00ueOdVg0L897oZ3wId7`, snapshot "] ),
        ( LEAVER,  &["verdict   leaver_active", "DEPROVISIONED", "secureframe accounts (scim), row `9d89f726"] ),
        ( ORPHAN,  &["verdict   orphan_active", "matches nobody"] ),
        ( "okta/00uEJDzbwRXMDAbJGTd7", &["verdict   not_provisioned", "no account"] ),
    ];
    for (who, needles) in table {
        let answer = site.told(&["explain", who]);
        for needle in needles {
            assert!(answer.stdout.contains(needle), "{who}: `{needle}` is missing: {answer}");
        }
    }
    let answer = site.ask(&["explain", "nobody@example.com"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("nobody is called"), "{answer}");
}

#[test]
fn a_neighbourhood_is_drawn_in_three_forms() {
    let site = Site::quickstart_after_nights();
    let draw = |format| site.told(&["graph", HEALTHY, "--format", format]);
    assert!(draw("svg").stdout.contains("<svg ") && draw("svg").stdout.contains("</svg>"));
    assert!(draw("dot").stdout.contains("graph"), "{}", draw("dot"));
    let graph = json(&draw("json").bytes);
    assert!(graph["nodes"].as_array().unwrap().len() >= 3, "{graph:#}");
    site.told(&["graph", HEALTHY, "--format", "svg", "--output", "who.svg"]);
    for _ in 0..8 {
        assert!(site.read("who.svg") == draw("svg").bytes, "the same facts, another drawing");
    }
}

#[test]
fn findings_are_listed_as_csv_and_json() {
    let site = Site::quickstart_after_nights();
    let csv = site.told(&["findings", "list", "--format", "csv"]).stdout;
    let lines = csv.trim_start_matches('\u{feff}').lines().count();
    assert_eq!(lines, 1 + expected("2").len(), "{csv}");
    for (cause, key) in expected("2") {
        let is_row = |line: &str| line.contains(&cause) && line.contains(&key);
        assert!(csv.lines().any(is_row), "{cause} {key}: {csv}");
    }
    let resolved = site.told(&["findings", "list", "--state", "resolved", "--format", "json"]);
    let over: BTreeSet<_> = expected("1").difference(&expected("2")).cloned().collect();
    assert_eq!(live(&json(&resolved.bytes)), over);
    let leavers = site.told(&["findings", "list", "--cause", "leaver_active", "--format", "json"]);
    assert_eq!(live(&json(&leavers.bytes)).len(), 2);
}

#[test]
fn the_database_is_verified_and_copied() {
    let site = Site::quickstart_after_nights();
    site.told(&["db", "verify"]);
    site.told(&["db", "backup", "copy.db"]);
    let live = site.live();
    fs::remove_file(site.path("driftline.db")).unwrap();
    fs::rename(site.path("copy.db"), site.path("driftline.db")).unwrap();
    site.told(&["db", "verify"]);
    assert_eq!(site.live(), live);
}

#[test]
fn the_settings_of_the_sample_are_in_order() {
    let site = Site::quickstart();
    let answer = site.told(&["config", "check"]);
    assert!(answer.stdout.contains("secureframe"), "{answer}");
}

#[test]
fn without_hrs_list_that_was_asked_for_coverage_is_not_complete() {
    let site = Site::quickstart();
    let night = |file: &str| format!("samples/2026-11-20/{file}");
    let (users, app_users) = (night("okta_users.json"), night("okta_app_users.json"));
    let (accounts, hr) = (night("secureframe_scim_users"), night("hr_leavers.csv"));
    let files = ["check", "--idp", &users, "--idp", &app_users, "--app", &accounts];
    let hr_of = |hr: &str| {
        let answer = site.ask(&[&files[..], &["--hr", hr, "--zone", "Europe/Berlin"]].concat());
        let lines: Vec<String> = answer.stdout.lines().map(str::to_owned).collect();
        let line = |needle| lines.iter().find(|it| it.contains(needle)).cloned();
        (line("Coverage").unwrap_or_default(), line("- hr leavers"))
    };
    assert_eq!(hr_of(&hr).1, None);
    let (grade, why) = hr_of("not-there.csv");
    assert!(grade.contains("Coverage C"), "{grade}");
    assert_eq!(why.as_deref(), Some("    - hr leavers: no data"));
}
