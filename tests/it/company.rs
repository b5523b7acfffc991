//! The company of two thousand: each planted class is found, and nothing else, id by id.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::site::{Site, json, project};

/// Class, then ids.
type Classes = BTreeMap<String, BTreeSet<String>>;

const LISTS: [&str; 3] = ["okta_users.jsonl", "okta_app_users.jsonl", "scim_users.jsonl"];

const SETTINGS: &str = r#"
database = "driftline.db"
reports = "reports"
[nights]
folder = "exports"
time = "02:00:00Z"
[idp.okta]
[[idp.okta.file]]
path = "okta_users.jsonl"
whole = true
[[idp.okta.file]]
path = "okta_app_users.jsonl"
whole = true
[app.secureframe]
idps = ["okta"]
deprovision = "lists"
[[app.secureframe.file]]
path = "scim_users.jsonl"
whole = true
rows = 1851
"#;

impl Site {
    /// The company of two thousand, before its first night.
    pub(crate) fn company() -> Self {
        let site = Self::new(SETTINGS);
        for list in LISTS {
            let packed = project("tests/data/company-2k").join(format!("{list}.zst"));
            let rows = zstd::decode_all(fs::File::open(packed).unwrap()).unwrap();
            site.write(&format!("exports/2026-11-20/{list}"), rows);
        }
        site
    }
}

fn truth() -> Classes {
    let text = fs::read(project("tests/data/company-2k/truth.json")).unwrap();
    let truth = json(&text);
    let ids = |it: &Value| {
        it.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let classes = truth["classes"].as_object().unwrap();
    classes.iter().map(|(class, found)| (class.clone(), ids(found))).collect()
}

/// The classes of the findings. An account with link trouble counts in the ambiguous ones only.
fn classes(findings: &Value) -> Classes {
    let findings = findings.as_array().unwrap();
    let key = |it: &Value| it["subject"]["key"].as_str().unwrap().to_owned();
    let in_trouble: BTreeSet<String> =
        findings.iter().filter(|it| it["family"] == "link").map(key).collect();
    let mut classes = Classes::new();
    for finding in findings {
        let class = match (finding["family"].as_str().unwrap(), finding["cause"].as_str().unwrap())
        {
            (_, "duplicate_account") => "ambiguous_duplicate",
            (_, "ambiguous_link" | "link_conflict") => "ambiguous_conflict",
            _ if in_trouble.contains(&key(finding)) => continue,
            ("access_remains", _) => "stale_active",
            (_, "orphan_active") => "orphan",
            (_, "disabled_entitled") => "inactive_but_assigned",
            (_, "not_provisioned" | "vanished") => "missing_account",
            _ => continue,
        };
        classes.entry(class.to_owned()).or_default().insert(key(finding));
    }
    classes
}

#[test]
fn a_run_finds_what_is_planted_and_nothing_else() {
    let site = Site::company();
    let answer = site.told(&["run", "--once"]);
    let found = json(&site.told(&["findings", "list", "--format", "json"]).bytes);
    assert_eq!(classes(&found), truth(), "{answer}");
}

#[test]
fn of_how_many_accounts_no_role_was_shown_is_told() {
    let site = Site::company();
    site.told(&["run", "--once"]);
    let report = site.report();
    let findings = report["findings"].as_array().unwrap().iter();
    let without_roles =
        findings.filter(|it| it["subject"]["kind"] == "account" && it["is_privileged"].is_null());
    let n = without_roles.count();
    assert!(n > 0);
    let told = format!("secureframe: no role was shown of the accounts of {n} findings: ");
    let mut notes = report["not_checked"].as_array().unwrap().iter();
    assert!(notes.any(|it| it.as_str().unwrap().starts_with(&told)), "{:#}", report["not_checked"]);
}

#[test]
fn check_finds_the_same_without_settings() {
    let site = Site::company();
    let list = |name: &str| format!("exports/2026-11-20/{name}");
    let [users, app_users, accounts] = LISTS.map(list);
    let files = ["check", "--idp", &users, "--idp", &app_users, "--app", &accounts];
    let answer = site.ask(&[&files[..], &["--format", "json"]].concat());
    assert_eq!(answer.status, 1, "{answer}");
    let found = json(&answer.bytes);
    assert_eq!(classes(&found), truth());
    // Grace and second look are off.
    assert!(found.as_array().unwrap().iter().all(|it| it["state"] == "open"), "{found:#}");

    let answer = site.ask(&[&files[..], &["--fail-on", "none", "--html", "drift.html"]].concat());
    assert_eq!(answer.status, 0, "{answer}");
    assert!(answer.stdout.contains("your word"), "{answer}");
    assert!(answer.stdout.contains("Grace and second look were off"), "{answer}");
    assert!(!answer.stdout.contains("Coverage A"), "{answer}");
    assert!(site.read("drift.html").starts_with(b"<!"));
    assert!(!site.path("driftline.db").exists(), "`check` keeps nothing");
}

#[test]
fn compressed_files_say_the_same() {
    let site = Site::company();
    // A copy of today: lists of an older checkout would be too old to be judged.
    let packed = |name: &str| {
        let path = project("tests/data/company-2k").join(format!("{name}.zst"));
        let copy = format!("{name}.zst");
        site.write(&copy, fs::read(path).unwrap());
        copy
    };
    let [users, app_users, accounts] = LISTS.map(packed);
    let files = ["check", "--idp", &users, "--idp", &app_users, "--app", &accounts];
    let answer = site.ask(&[&files[..], &["--format", "json"]].concat());
    assert_eq!(answer.status, 1, "{answer}");
    assert_eq!(classes(&json(&answer.bytes)), truth());
}
