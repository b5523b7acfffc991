//! Checkpoints taken out of the operator's reach: to a folder, a git repository and a time stamp
//! authority, each a real one on this machine.

use std::fs;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;
use sim::Authority;
use store::{AnchorSettled, Store};

use crate::firm::{FIRST, Night, SECOND, THIRD, planted};
use crate::site::{Answer, Site, json};

impl Site {
    /// Adds tables to the settings.
    fn with(&self, tables: &str) {
        let text = String::from_utf8(self.read("driftline.toml")).unwrap();
        self.write("driftline.toml", format!("{text}{tables}"));
    }

    /// Judges a night.
    fn judges(&self, night: &str) -> Answer {
        self.night(night, &Night::planted());
        let answer = self.told(&["run", "--once"]);
        assert_eq!(self.live(), planted(), "no leaver is missed for it");
        answer
    }

    fn anchors(&self) -> Vec<Value> {
        let list = json(&self.told(&["ledger", "anchors", "--format", "json"]).bytes);
        list.as_array().unwrap().clone()
    }

    /// The kinds of findings about the watching, in the last report.
    fn ails(&self) -> Vec<String> {
        let report = self.report();
        let watcher = report["watcher"].as_array().unwrap();
        watcher.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    }

    fn program(&self, program: &str, args: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        self.scrub(&mut command);
        let output = command.args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }
}

const SHARE: &str = "[anchor.share.folder]\npath = \"share\"\n";

fn kinds(anchors: &[Value], state: &str) -> Vec<String> {
    let are = anchors.iter().filter(|it| it["state"] == state);
    let mut kinds: Vec<String> = are.map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

#[test]
fn each_night_a_checkpoint_is_taken_everywhere_and_others_can_check_it() {
    let authority = Authority::start().unwrap();
    let site = Site::firm();
    fs::create_dir(site.path("share")).unwrap();
    assert!(site.program("git", &["init", "--quiet", "--bare", "kept.git"]).0);
    assert!(site.program("git", &["clone", "--quiet", "kept.git", "clone"]).0);
    let url = authority.url();
    site.with(&format!(
        "{SHARE}[anchor.keeper.git]\nrepository = \"clone\"\n[anchor.stamp.rfc3161]\nurl = \"{url}\"\n"
    ));
    site.judges(FIRST);
    let anchors = site.anchors();
    assert_eq!(kinds(&anchors, "made"), ["folder", "git", "rfc3161"], "{anchors:#?}");
    assert_eq!(site.entries_of("anchor.made").len(), 3);
    let size = anchors[0]["size"].as_u64().unwrap();
    assert!(anchors.iter().all(|it| it["size"] == size), "one checkpoint, the one of the run");

    // The same checkpoint lies everywhere, and those who hold it can check the ledger with it.
    site.told(&["ledger", "anchors", "--output", "out"]);
    let files: Vec<String> = fs::read_dir(site.path("out"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    let file = files.iter().find(|it| it.ends_with(".checkpoint")).unwrap();
    let note = site.read(&format!("out/{file}"));
    assert_eq!(site.read(&format!("share/{file}")), note);
    let (_, kept) = site.program("git", &["-C", "kept.git", "show", &format!("main:{file}")]);
    assert_eq!(kept.as_bytes(), note);
    let stamp = files.iter().find(|it| it.ends_with(".stamp.tsr")).unwrap();
    let (data, stamp) = (format!("out/{file}"), format!("out/{stamp}"));
    let root = authority.root();
    let verify =
        ["ts", "-verify", "-data", &data, "-in", &stamp, "-CAfile", root.to_str().unwrap()];
    let (is_good, said) = site.program("openssl", &verify);
    assert!(is_good, "{said}");
    let held = site.told(&["ledger", "verify", "--since", &format!("share/{file}")]);
    assert!(held.stdout.contains("are those of the checkpoint that you hold"), "{held}");
    assert!(held.stdout.contains("`stamp` took a checkpoint out of reach last at"), "{held}");

    // The next night another one, and none between.
    site.told(&["run", "--once"]);
    assert_eq!(site.anchors().len(), 3);
    site.judges(SECOND);
    assert_eq!(kinds(&site.anchors(), "made").len(), 6);
    assert!(site.report()["ledger"]["anchored_at"].is_string());
    let page = site.told(&["report", "--format", "text"]).stdout;
    assert!(page.contains("A checkpoint was last taken"), "{page}");
    for command in [&["ledger", "verify"][..], &["db", "verify"]] {
        site.told(command);
    }
}

#[test]
fn a_place_that_takes_nothing_is_told_tried_again_and_given_up_for_the_next() {
    let site = Site::firm();
    site.with(SHARE);
    let answer = site.judges(FIRST);
    assert!(answer.stderr.contains("the anchor `share` took no checkpoint"), "{answer}");
    let anchors = site.anchors();
    assert_eq!(kinds(&anchors, "pending"), ["folder"]);
    assert!(anchors[0]["why"].as_str().unwrap().contains("share"), "{anchors:?}");
    site.judges(SECOND);
    assert_eq!(site.ails(), Vec::<String>::new(), "a day is not too long");
    site.judges(THIRD);
    assert_eq!(site.ails(), ["anchor_missing"]);
    assert_eq!(kinds(&site.anchors(), "failed").len(), 2);
    assert_eq!(site.entries_of("anchor.failed").len(), 2);

    fs::create_dir(site.path("share")).unwrap();
    site.judges("2026-11-22");
    assert_eq!(kinds(&site.anchors(), "made"), ["folder"]);
    site.judges("2026-11-23");
    assert_eq!(site.ails(), Vec::<String>::new());
    site.told(&["ledger", "verify"]);

    // What the settings name no more waits for nobody.
    fs::remove_dir_all(site.path("share")).unwrap();
    site.judges("2026-11-24");
    site.write("driftline.toml", crate::firm::settings(crate::firm::Says::default()));
    site.judges("2026-11-25");
    assert_eq!(kinds(&site.anchors(), "pending"), Vec::<String>::new());
    assert_eq!(site.ails(), Vec::<String>::new());
    site.rederives_every_run();
}

#[test]
fn nights_that_are_judged_at_once_are_taken_together() {
    let site = Site::firm();
    fs::create_dir(site.path("share")).unwrap();
    site.with(SHARE);
    site.night(FIRST, &Night::planted());
    site.judges(SECOND);
    assert_eq!(kinds(&site.anchors(), "made"), ["folder"]);
    assert_eq!(site.entries_of("anchor.failed"), Vec::<Value>::new());
    assert_eq!(fs::read_dir(site.path("share")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_stamp_of_something_else_is_no_proof_though_the_ledger_says_that_it_was_given() {
    let authority = Authority::start().unwrap();
    let site = Site::firm();
    // Nobody answers there.
    site.with("[anchor.stamp.rfc3161]\nurl = \"http://127.0.0.1:1\"\n");
    site.judges(FIRST);
    site.write("other", "the checkpoint of another history");
    let query = ["ts", "-query", "-sha256", "-cert", "-data", "other", "-out", "query"];
    assert!(site.program("openssl", &query).0);
    let proof = authority.reply(&site.read("query")).unwrap();
    let store = Store::open(&site.path("driftline.db")).unwrap();
    let later = "2100-01-01T00:00:00Z".parse().unwrap();
    let due = store.due_anchors(later).await.unwrap().remove(0);
    let what = AnchorSettled::Made { place: "stamped".to_owned(), proof };
    store.settle_anchor(due.id, what, later).await.unwrap();
    drop(store);
    for command in [&["ledger", "verify"][..], &["ledger", "anchors"]] {
        let answer = site.ask(command);
        assert_eq!(answer.status, 6, "{answer}");
        assert!(answer.stdout.contains("no time stamp of"), "{answer}");
    }
}

#[test]
fn what_a_place_gave_cannot_be_exchanged_unnoticed() {
    let site = Site::firm();
    fs::create_dir(site.path("share")).unwrap();
    site.with(SHARE);
    site.judges(FIRST);
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    connection
        .execute_batch("DROP TRIGGER anchor_is_settled; DROP TRIGGER anchor_no_delete")
        .unwrap();
    for sql in [
        "UPDATE anchor SET proof = CAST('elsewhere' AS BLOB)",
        "UPDATE anchor SET name = 'other'",
        "DELETE FROM anchor",
    ] {
        connection.execute_batch(sql).unwrap();
        for command in [&["ledger", "verify"][..], &["ledger", "anchors"], &["db", "verify"]] {
            let answer = site.ask(command);
            assert_eq!(answer.status, 6, "{sql}: {answer}");
            assert!(answer.to_string().contains("what the anchor `"), "{sql}: {answer}");
        }
    }
}
