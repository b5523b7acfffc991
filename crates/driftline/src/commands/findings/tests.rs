//! The sample company in a real database: what people ask and decide, and what they read.

use std::path::{Path, PathBuf};

use clap::Parser as _;

use super::*;
use crate::cli::{Cli, Command};
use crate::commands::sample::{Company, Stopped};

impl Company {
    /// What the operator reads: the answer, or the error.
    async fn asks(&self, line: &str) -> String {
        let words = shell_words(line);
        let words = ["driftline", "findings"].into_iter().chain(words.iter().map(String::as_str));
        let Command::Findings(command) = Cli::try_parse_from(words).unwrap().command else {
            panic!("`{line}` is another command");
        };
        match answer(&self.settings, &command, self.now).await {
            Ok(answer) => String::from_utf8(answer).unwrap(),
            Err(error) => format!("error: {error:#}"),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// Splits at blanks, but not within quotes.
fn shell_words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// The number of the finding of a cause, as `DL-3`.
fn number(list: &str, cause: &str) -> String {
    let line = list.lines().find(|line| line.contains(cause)).unwrap();
    line.split_whitespace().find(|word| word.starts_with("DL-")).unwrap().to_owned()
}

#[tokio::test]
async fn findings_are_listed_and_shown() {
    let company = Company::after_its_nights().await;
    let list = company.asks("list --cause vanished,reactivated").await;
    assert!(list.contains("vanished") && list.contains("reactivated"), "{list}");
    assert!(!list.contains("orphan_active"), "{list}");

    let shown = company.asks(&format!("show {}", number(&list, "reactivated"))).await;
    assert!(shown.contains("reactivated"), "{shown}");

    let csv = company.asks("list --severity critical --format csv").await;
    assert!(csv.lines().count() > 1, "{csv}");
    let json = company.asks("list --state resolved --format json").await;
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().is_array(), "{json}");

    assert_eq!(
        company.asks("show DL-9999").await,
        "error: there is no finding DL-9999: `driftline findings list --all` has them"
    );
}

#[tokio::test]
async fn a_waiver_needs_two_people_and_a_date_ahead() {
    let company = Company::after_its_nights().await;
    let id = number(&company.asks("list --cause orphan_active").await, "orphan_active");
    let request = |rest: &str| format!("waive request {id} --reason 'board portal' {rest}");

    let asked = company.asks(&request("--until 2026-12-31 --by Ilse")).await;
    assert_eq!(
        asked,
        format!(
            "Asked for waiver 1 of {id} (orphan_active) until 2027-01-01T00:00:00+01:00.\nIt is in \
             force once somebody else approves it: driftline findings waive approve 1\n"
        )
    );
    #[rustfmt::skip]
    let table = [
        (request("--until 31.12.2026"),
         "error: `--until` is no date: write it as 2026-12-31, or with time and zone"),
        (request("--until 2026-11-01"),
         "error: a waiver must end after it begins"),
        ("waive approve 1 --by ILSE".to_owned(),
         "error: waiver 1 must be approved by somebody else than who asked for it"),
        ("waive approve 7 --by Ben".to_owned(),
         "error: there is no waiver 7"),
        ("waive request DL-9999 --reason r --until 2026-12-31".to_owned(),
         "error: there is no finding DL-9999"),
        ("waive approve 1 --by Ben".to_owned(),
         "Approved waiver 1. It counts from the next run on.\n"),
        ("waive approve 1 --by Ben".to_owned(),
         "error: waiver 1 is approved already"),
    ];
    for (line, expected) in table {
        assert_eq!(company.asks(&line).await, expected, "{line}");
    }
    let list = company.asks("waive list").await;
    assert!(list.contains("in force") && list.contains("asked by Ilse, approved by Ben"), "{list}");
}

#[tokio::test]
async fn a_decision_names_what_was_seen() {
    let company = Company::after_its_nights().await;
    let account = "7438ca9e-3625-41f0-9da2-ccabb94c13b9";
    let link = |rest: &str| format!("link --reason 'asked at the desk' {rest}");
    #[rustfmt::skip]
    let table = [
        (link(&format!("--account {account} --identity okta/00ueOdVg0L897oZ3wId7")),
         "Kept 1 decision. The next run judges by what is kept.\n"),
        (link(&format!("--account {account} --identity okta/nobody --not")),
         "error: no identity `nobody` of `okta` was ever seen; nothing was kept"),
        (link("--account nothing --identity okta/00ueOdVg0L897oZ3wId7"),
         "error: no account `nothing` of `secureframe` was ever seen; nothing was kept"),
        (link(&format!("--account {account} --identity octa/1")),
         "error: `octa/1` is no identity: write SYSTEM/ID, with one of `entra`, `okta`; nothing was kept"),
        (link(&format!("--account {account} --identity okta/1 --app slack")),
         "error: there is no app `slack`; the settings have `secureframe`; nothing was kept"),
    ];
    for (line, expected) in table {
        assert_eq!(company.asks(&line).await, expected, "{line}");
    }
}

#[tokio::test]
async fn tables_are_kept_whole_or_not_at_all() {
    let company = Company::after_its_nights().await;
    let known = "7438ca9e-3625-41f0-9da2-ccabb94c13b9,okta/00ueOdVg0L897oZ3wId7";
    let good = company.file("good.csv", &format!("account,identity,reason\n{known},desk\n"));
    let bad =
        company.file("bad.csv", &format!("account,identity,reason\n{known},desk\nx,okta/y,\n"));
    let robots =
        company.file("robots.csv", "account;owner;attest_by\nbot-1;a@b.test;2027-01-31\nbot-2;;\n");
    let undated = company.file("undated.csv", "account,attest_by\nbot-3,soon\n");

    let asks = async |verb: &str, path: &Path| {
        let answer = company.asks(&format!("{verb} --from {}", path.display())).await;
        answer.replace(&path.display().to_string(), "FILE")
    };
    assert_eq!(
        asks("link", &good).await,
        "Kept 1 decision. The next run judges by what is kept.\n"
    );
    assert_eq!(
        asks("link", &bad).await,
        "error: `FILE` line 3 has no `reason`: fill it in; nothing was kept"
    );
    assert_eq!(
        asks("register", &robots).await,
        "Registered 2 non-human accounts. The next run judges by them.\n1 of them have no owner: that is `nonhuman_unowned`.\nNo account of the last lists is called `bot-1` or `bot-2`: it counts once there is one. Check how it is written.\n"
    );
    assert_eq!(
        asks("register", &undated).await,
        "error: `FILE` line 2 has an `attest_by` that is no date: write it as 2026-12-31; nothing was kept"
    );
    let store = Store::open_existing_read_only(&company.settings.database).unwrap();
    let state = store.load().await.unwrap();
    assert_eq!((state.decisions.len(), state.nonhumans.len()), (1, 2));
}

#[tokio::test]
async fn one_account_is_registered_and_attested_again() {
    let company = Company::after_its_nights().await;
    let register = |date: &str| {
        format!("register --account bot-1 --owner a@b.test --purpose export --attest-by {date}")
    };
    let done = "Registered 1 non-human account. The next run judges by it.\nNo account of the last lists is called `bot-1`: it counts once there is one. Check how it is written.\n";
    for (date, expected) in [
        ("2027-01-31", done),
        ("2028-01-31", done),
        ("soon", "error: `--attest-by` is no date: write it as 2026-12-31"),
    ] {
        assert_eq!(company.asks(&register(date)).await, expected, "{date}");
    }
    let store = Store::open_existing_read_only(&company.settings.database).unwrap();
    let state = store.load().await.unwrap();
    let attest_by = state.nonhumans[0].attest_by.unwrap().to_rfc3339();
    assert_eq!(attest_by, "2028-01-31T23:00:00+00:00", "the newest word on each");
}

#[tokio::test]
async fn nothing_is_decided_on_a_database_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("driftline.toml");
    std::fs::write(&config, "database = 'nowhere.db'").unwrap();
    let line = ["driftline", "findings", "waive", "approve", "1"];
    let Command::Findings(command) = Cli::try_parse_from(line).unwrap().command else { panic!() };
    let error = findings(&config, &command, &Stopped(DateTime::UNIX_EPOCH)).await.unwrap_err();
    assert_eq!(Exit::of_error(&error), Exit::Store);
    assert!(error.to_string().starts_with("no database at "), "{error}");
    assert!(!folder.path().join("nowhere.db").exists());
}
