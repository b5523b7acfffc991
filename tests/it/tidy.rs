//! The rules of the house, as tests: which crate may use which, what pure code never touches, and
//! what the documents promise. Each message says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::Cause;

/// Which of our crates each of our crates uses. A new arrow is a decision: make it here.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("graph", &["domain"]),
    ("ledger", &["domain"]),
    ("report", &["domain"]),
    ("outbound", &["domain"]),
    ("connectors", &["domain", "outbound"]),
    ("alerting", &["domain", "outbound"]),
    ("anchors", &["domain", "ledger", "outbound"]),
    ("store", &["domain", "ledger"]),
    ("drift", &["domain", "graph"]),
    (
        "engine",
        &[
            "alerting",
            "anchors",
            "connectors",
            "domain",
            "drift",
            "graph",
            "ledger",
            "report",
            "store",
        ],
    ),
    ("evidence", &["domain", "ledger", "report"]),
    ("web", &["domain", "report", "store"]),
    (
        "driftline",
        &[
            "alerting",
            "anchors",
            "connectors",
            "domain",
            "drift",
            "engine",
            "evidence",
            "graph",
            "ledger",
            "outbound",
            "report",
            "store",
            "web",
        ],
    ),
    // Not shipped.
    ("testkit", &["domain", "drift", "graph"]),
    ("sim", &["alerting", "connectors", "domain", "drift", "engine", "graph", "outbound", "store"]),
    (
        "bench",
        &["connectors", "domain", "drift", "engine", "graph", "ledger", "outbound", "sim", "store"],
    ),
];

/// Crates from values to values.
const PURE: &[&str] = &["domain", "graph", "drift", "ledger", "report", "evidence"];

/// What such a crate never touches, tests in its sources included.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::{", // Written out, so that the three above are seen.
    "SystemTime",
    "Utc::now",
    "tracing::",
    "tokio::",
    "rusqlite::",
];

#[test]
fn crates_use_each_other_as_the_table_says() {
    let mut problems = Vec::new();
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let crates = crates();
    for name in table.keys().filter(|it| !crates.contains(**it)) {
        problems
            .push(format!("`ARROWS` names `{name}`, and there is no such crate: remove its line"));
    }
    for name in &crates {
        let Some(arrows) = table.get(name.as_str()) else {
            problems.push(format!(
                "`{name}` has no line in `ARROWS`: add it, with the crates it may use"
            ));
            continue;
        };
        let manifest = manifest(&format!("crates/{name}/Cargo.toml"));
        let allowed: BTreeSet<String> = arrows.iter().map(|it| (*it).to_owned()).collect();
        let used = ours(&manifest, "dependencies", &crates);
        for other in used.difference(&allowed) {
            problems.push(format!(
                "`{name}` may not use `{other}`: move the code, or decide on the arrow in `ARROWS`"
            ));
        }
        for other in allowed.difference(&used) {
            problems
                .push(format!("`{name}` does not use `{other}` any more: take it out of `ARROWS`"));
        }
        for other in ours(&manifest, "dev-dependencies", &crates) {
            if other != "testkit" && other != "sim" {
                problems.push(format!(
                    "tests of `{name}` use `{other}`: only `testkit` and `sim` are for the tests of others"
                ));
            }
        }
    }
    none(&problems);
}

/// The fuzzers are a workspace of their own, whose lock file no build of this one looks at.
#[test]
fn the_lock_file_of_the_fuzzers_has_what_our_crates_need() {
    const LOCK: &str = "tests/fuzz/Cargo.lock";
    let lock = manifest(LOCK);
    let mut problems = Vec::new();
    for package in lock["package"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if !crates().contains(name) {
            continue;
        }
        // Of two versions of one crate, each stands here as `name version`.
        let locked: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_str()?.split(' ').next())
            .collect();
        let needed = manifest(&format!("crates/{name}/Cargo.toml"));
        for other in needed["dependencies"].as_table().into_iter().flat_map(toml::Table::keys) {
            if !locked.contains(other.as_str()) {
                problems.push(format!(
                    "{LOCK}: `{name}` lacks `{other}`: run `cargo metadata --manifest-path tests/fuzz/Cargo.toml`"
                ));
            }
        }
    }
    none(&problems);
}

#[test]
fn pure_crates_touch_nothing_outside() {
    let mut problems = Vec::new();
    for name in PURE {
        for (path, text) in sources(&format!("crates/{name}/src")) {
            for word in IMPURE.iter().filter(|it| text.contains(**it)) {
                problems.push(format!(
                    "{path}: `{word}` in a pure crate: let the caller pass the value in"
                ));
            }
        }
    }
    none(&problems);
}

#[test]
fn connectors_have_nothing_that_sends_more_than_get() {
    let mut problems = Vec::new();
    for (path, text) in sources("crates/connectors") {
        for word in ["Poster", "Patcher", "Method::POST", "reqwest::"]
            .iter()
            .filter(|it| text.contains(**it))
        {
            problems.push(format!(
                "{path}: `{word}` in a connector: connectors read, and hold a `Reader`"
            ));
        }
    }
    none(&problems);
}

#[test]
fn nothing_but_a_probe_can_write_to_an_app() {
    // Where the client is made, where its settings are, and the probe itself.
    let own = [
        "outbound/src/lib.rs",
        "outbound/src/patcher.rs",
        "outbound/src/poster.rs",
        "driftline/src/settings/live.rs",
        "driftline/src/commands/probe.rs",
    ];
    let mut problems = Vec::new();
    let shipped =
        crates().into_iter().filter(|it| !["sim", "bench", "testkit"].contains(&it.as_str()));
    for name in shipped {
        for (path, text) in sources(&format!("crates/{name}/src")) {
            let is_own = own.iter().any(|it| path.ends_with(it));
            if !is_own && (text.contains("Patcher") || text.contains("Method::PATCH")) {
                problems.push(format!("{path}: only a probe writes to an app"));
            }
        }
    }
    none(&problems);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut problems = Vec::new();
    for name in crates() {
        let manifest = manifest(&format!("crates/{name}/Cargo.toml"));
        let inherits =
            manifest.get("lints").and_then(|it| it.get("workspace")).and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            problems
                .push(format!("crates/{name}/Cargo.toml: add `[lints]` with `workspace = true`"));
        }
    }
    none(&problems);
}

#[test]
fn no_lint_is_allowed_away_and_no_test_is_ignored() {
    let mut problems = Vec::new();
    for (path, text) in sources("crates").into_iter().chain(sources("tests")) {
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
                problems.push(format!(
                    "{path}: write `#[expect(LINT, reason = \"...\")]` for `{line}`"
                ));
            }
            if line.starts_with("#[ignore") {
                problems.push(format!("{path}: mend the ignored test, or remove it"));
            }
        }
    }
    none(&problems);
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut problems = Vec::new();
    for name in crates() {
        for (path, text) in sources(&format!("crates/{name}/src")) {
            if !text.starts_with("//!") {
                problems.push(format!(
                    "{path}: begin with `//!` and two or three lines on what it is and never does"
                ));
            }
        }
    }
    none(&problems);
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let tests = ["tests/it", "crates"].map(|it| files(it, "rs")).concat();
    let tests: String = tests.iter().map(|it| fs::read_to_string(it).unwrap()).collect();
    let page = read("docs/evidence.md");
    let named = page.split('`').filter(|it| it.matches('_').count() >= 5 && !it.contains(' '));
    let missing: Vec<String> = named
        .filter(|it| !tests.contains(&format!("fn {it}()")))
        .map(|it| format!("docs/evidence.md: there is no test `{it}`"))
        .collect();
    none(&missing);
}

#[test]
fn every_cause_has_a_page_and_every_page_a_cause() {
    let mut problems = Vec::new();
    let index = read("docs/rules/README.md");
    let wanted: BTreeSet<String> =
        Cause::ALL.iter().map(|it| it.name().replace('_', "-")).collect();
    let pages: BTreeSet<String> = files("docs/rules", "md")
        .iter()
        .map(|it| it.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|it| it != "README")
        .collect();
    for page in wanted.difference(&pages) {
        problems.push(format!("write docs/rules/{page}.md: its cause has no page"));
    }
    for page in pages.difference(&wanted) {
        problems
            .push(format!("docs/rules/{page}.md has no cause: remove it, or name it after one"));
    }
    for page in wanted.iter().filter(|it| !index.contains(&format!("({it}.md)"))) {
        problems.push(format!("docs/rules/README.md: add a line for `{page}.md`"));
    }
    none(&problems);
}

#[test]
fn the_readme_lists_the_crates_that_there_are() {
    let readme = read("README.md");
    let table = readme.lines().skip_while(|it| !it.starts_with("| Crate |")).skip(2);
    let listed: Vec<String> = table
        .take_while(|it| it.starts_with('|'))
        .filter_map(|it| Some(it.split('`').nth(1)?.to_owned()))
        .collect();
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), unique.len(), "README.md lists a crate twice: {listed:?}");
    assert_eq!(
        unique,
        crates(),
        "README.md lists other crates (left) than there are (right): correct its table"
    );
}

#[test]
fn documents_name_no_lines_and_no_source_files() {
    let mut problems = Vec::new();
    for (path, text) in documents() {
        let words: Vec<&str> = text.split_whitespace().filter(|it| !it.contains("://")).collect();
        for word in &words {
            if names_a_source_file(word) {
                problems.push(format!("{path}: name the type, not the file: `{word}`"));
            }
            if names_a_place(word) {
                problems.push(format!("{path}: name the type, not the line: `{word}`"));
            }
        }
        for pair in words.windows(2) {
            let is_line = matches!(pair[0].to_lowercase().as_str(), "line" | "lines");
            if is_line
                && pair[1].trim_start_matches('`').starts_with(|it: char| it.is_ascii_digit())
            {
                problems.push(format!(
                    "{path}: name the type, not the line: `{} {}`",
                    pair[0], pair[1]
                ));
            }
        }
    }
    none(&problems);
}

/// Is there a Rust file in it?
fn names_a_source_file(word: &str) -> bool {
    let ends = word.split(".rs").skip(1);
    ends.into_iter().any(|rest| !rest.starts_with(|it: char| it.is_alphanumeric()))
}

/// Is it `name.ext:12`? A time of day is not.
fn names_a_place(word: &str) -> bool {
    let before_digit = |rest: &str| rest.starts_with(|it: char| it.is_ascii_digit());
    word.match_indices(':').any(|(at, _)| {
        let (name, rest) = (&word[..at], &word[at + 1..]);
        name.contains('.') && name.ends_with(|it: char| it.is_alphabetic()) && before_digit(rest)
    })
}

#[test]
fn names_of_files_and_lines_are_told_from_other_words() {
    for (word, is_file, is_place) in [
        ("`lib.rs`,", true, false),
        ("(crates/domain/src/lib.rs)", true, false),
        ("main.rs:12", true, true),
        ("settings.toml:7:3", false, true),
        ("2026-11-20T02:00:00Z", false, false),
        ("a.rs_b", true, false),
        ("others.", false, false),
        ("first.rsync", false, false),
    ] {
        assert_eq!((names_a_source_file(word), names_a_place(word)), (is_file, is_place), "{word}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut problems = Vec::new();
    for (path, text) in documents() {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if !link.contains("://") && !file.is_empty() && !folder.join(file).exists() {
                problems
                    .push(format!("{path}: `{link}` leads nowhere: correct or remove the link"));
            }
        }
    }
    none(&problems);
}

#[test]
fn types_that_the_documents_name_exist() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (_, text) in sources("crates") {
        let words = text.split(|it: char| !it.is_alphanumeric() && it != '_');
        known.extend(words.filter(|it| is_type(it)).map(str::to_owned));
    }
    let mut problems = Vec::new();
    for path in ["README.md", "docs/architecture.md"] {
        let text = read(path);
        for code in
            text.split('`').skip(1).step_by(2).filter(|it| !it.contains(char::is_whitespace))
        {
            for word in code.split("::").filter(|it| is_type(it) && !known.contains(*it)) {
                problems.push(format!(
                    "{path}: there is no `{word}` in the sources: name what took its place"
                ));
            }
        }
    }
    none(&problems);
}

/// Is it written as types are: `Snapshot`, `RunRecord`?
fn is_type(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_uppercase())
        && word.contains(|it: char| it.is_ascii_lowercase())
        && word.chars().all(|it| it.is_ascii_alphanumeric())
}

#[test]
fn the_changelog_has_the_version_of_the_workspace() {
    let workspace = manifest("Cargo.toml");
    let version = workspace["workspace"]["package"]["version"].as_str().unwrap();
    let has = |line: &str| {
        line.strip_prefix("## ").and_then(|it| it.split_whitespace().next()) == Some(version)
    };
    assert!(read("CHANGELOG.md").lines().any(has), "CHANGELOG.md: add a section `## {version}`");
}

/// The folder of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest(path: &str) -> toml::Table {
    toml::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of our crates: the folders of `crates/` that have a manifest.
fn crates() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|it| it.unwrap().path());
    let crates = folders.filter(|it| it.join("Cargo.toml").exists());
    crates.map(|it| it.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Our crates among the dependencies of one table of a manifest.
fn ours(manifest: &toml::Table, table: &str, crates: &BTreeSet<String>) -> BTreeSet<String> {
    let names =
        manifest.get(table).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    names.filter(|it| crates.contains(*it)).cloned().collect()
}

/// The Rust files under a folder, with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
    texts(files(folder, "rs"))
}

/// Everything written for people, with its text.
fn documents() -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "CHANGELOG.md"].iter().map(|it| root().join(it)).collect();
    for folder in ["docs", "config", "crates", "tests"] {
        paths.extend(files(folder, "md"));
    }
    texts(paths)
}

fn texts(paths: Vec<PathBuf>) -> Vec<(String, String)> {
    let root = root();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let text = read(&name);
        (name, text)
    };
    paths.into_iter().map(named).collect()
}

/// The files with this extension under a folder, in order of name.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    assert!(
        !found.is_empty(),
        "no `.{extension}` file in {folder}: this test looks in the wrong place"
    );
    found.sort();
    found
}

fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
