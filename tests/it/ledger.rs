//! The evidence log as an operator and an auditor use it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ledger::{Checkpoint, Note, Proof, PublicKey, leaf_hash, root_of};
use rusqlite::Connection;
use serde_json::Value;

use crate::firm::{Night, SECOND, planted};
use crate::quickstart::ORPHAN;
use crate::site::{Answer, Site, json, stands_in};

impl Site {
    /// Names a key in the settings.
    fn sign_with(&self, file: &str) {
        let text = String::from_utf8(self.read("driftline.toml")).unwrap();
        let text = text.split("\n[ledger]").next().unwrap();
        self.write("driftline.toml", format!("{text}\n[ledger]\nsigning_key = \"file:{file}\"\n"));
    }

    /// Makes the first key, and gives back its public part.
    fn new_key(&self, file: &str) -> PublicKey {
        let answer = self.told(&["ledger", "key", "new", "--output", file]);
        self.sign_with(file);
        PublicKey::parse(answer.stdout.lines().last().unwrap().trim()).unwrap()
    }

    /// Every entry, in order.
    fn entries(&self) -> Vec<Value> {
        let size = self.head().size;
        let show = |seq: u64| json(&self.told(&["ledger", "show", &seq.to_string()]).bytes);
        (0..size).map(show).collect()
    }

    /// The entries of one type, in order.
    pub(crate) fn entries_of(&self, kind: &str) -> Vec<Value> {
        self.entries().into_iter().filter(|it| it["type"] == kind).collect()
    }

    fn head(&self) -> Checkpoint {
        let note = Note::parse(&self.told(&["ledger", "head"]).stdout).unwrap();
        Checkpoint::parse(note.text()).unwrap()
    }

    /// Writes to the ledger behind Driftline's back.
    fn tamper(&self, sql: &str) {
        let connection = Connection::open(self.path("driftline.db")).unwrap();
        connection
            .execute_batch("DROP TRIGGER ledger_entry_no_update; DROP TRIGGER checkpoint_no_update")
            .unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

fn is(answer: &Answer, status: i32, needles: &[&str]) {
    assert_eq!(answer.status, status, "{answer}");
    for needle in needles {
        let text = format!("{answer}");
        assert!(text.contains(needle), "`{needle}` is missing: {answer}");
    }
}

const EDIT: &str = "UPDATE ledger_entry SET entry = CAST(replace(CAST(entry AS TEXT), 'critical', 'low') AS BLOB) WHERE kind = 'finding.opened'";

#[test]
fn runs_and_what_people_do_are_entries_that_name_nobody() {
    let site = Site::quickstart_after_nights();
    let orphan = site.states().into_iter().find(|it| it[1] == ORPHAN).unwrap()[2].clone();
    let until = ["--reason", "handover to Grace", "--until", "2099-12-31", "--by", "Ada Byron"];
    site.told(&[&["findings", "waive", "request", &orphan][..], &until].concat());
    site.told(&["findings", "waive", "approve", "1", "--by", "Grace Hopper"]);
    let entries = site.entries();
    let n = |kind: &str| entries.iter().filter(|it| it["type"] == kind).count();
    assert_eq!(n("run.completed"), 2);
    assert_eq!((n("software.started"), n("config.changed"), n("policy.changed")), (1, 1, 1));
    assert_eq!((n("exception.requested"), n("exception.approved")), (1, 1));
    assert!(n("finding.opened") > 5 && n("finding.detected") > 5);
    assert_eq!(n("finding.closed"), 2, "as many as the report of the second night says");
    assert!(n("observation.changed") > 0);
    for entry in &entries {
        let text = entry.to_string();
        for personal in ["@", "Ada Byron", "Grace Hopper", "handover", "tester", ORPHAN] {
            assert!(!text.contains(personal), "`{personal}`: {text}");
        }
    }
    // Each run is told with the digest of its report.
    let report = site.read("reports/2026-11-20-run-2.json");
    let told = entries.iter().rfind(|it| it["type"] == "run.completed").unwrap();
    let digest: String = ledger::sha256(&report).iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(told["body"]["report_sha256"], digest);
    is(&site.ask(&["ledger", "verify"]), 0, &["is what was written", "It is not signed"]);
}

#[test]
fn a_report_shows_the_head_before_its_run() {
    let site = Site::firm_after_first();
    assert_eq!(site.report().get("ledger"), None, "there was none before the first");
    let head = site.head();
    site.night(SECOND, &Night::planted());
    site.told(&["run", "--once"]);
    let told = &site.report()["ledger"];
    let root: String = head.root.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!((&told["size"], &told["root_sha256"]), (&head.size.into(), &root.into()));
    assert!(site.head().size > head.size);
    let page = site.told(&["report", "--format", "text"]).stdout;
    assert!(page.contains("LEDGER") && page.contains("not signed"), "{page}");
}

#[test]
fn a_key_signs_from_the_next_run_on_and_is_handed_over() {
    let site = Site::firm_after_first();
    let first = site.new_key("first.key");
    let mode = fs::metadata(site.path("first.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    site.night(SECOND, &Night::planted());
    site.told(&["run", "--once"]);
    is(&site.ask(&["ledger", "verify", "--key", &first.to_string()]), 0, &["is signed by"]);

    is(&site.ask(&["ledger", "key", "new", "--output", "second.key"]), 2, &["key rotate"]);
    let answer = site.told(&["ledger", "key", "rotate", "--output", "second.key"]);
    let second = PublicKey::parse(answer.stdout.lines().last().unwrap().trim()).unwrap();
    // Both sign, until the first is revoked.
    site.sign_with("second.key\"\nprevious_key = \"file:first.key");
    site.write("robots.csv", "account\nx\n");
    site.told(&["findings", "register", "--from", "robots.csv"]);
    let answer = site.told(&["ledger", "verify"]).stdout;
    let by = format!("is signed by {}, {}", first.short_id(), second.short_id());
    assert!(answer.contains(&by), "{answer}");
    site.told(&["ledger", "key", "revoke", &first.short_id(), "--reason", "rotated"]);
    let answer = site.told(&["ledger", "verify", "--key", &first.to_string()]);
    assert!(answer.stdout.contains(&second.short_id()), "who trusts the first: {answer}");
    let list = site.told(&["ledger", "key", "list"]).stdout;
    assert!(list.contains("revoked in entry") && list.contains(&second.to_string()), "{list}");

    // The old key, no key, and a file that is none.
    let decide = ["findings", "register", "--from", "robots.csv"];
    site.sign_with("first.key");
    is(&site.ask(&decide), 3, &["was revoked in entry"]);
    site.write("driftline.toml", crate::firm::settings(crate::firm::Says::default()));
    is(&site.ask(&decide), 3, &["ledger.signing_key"]);
    site.sign_with("robots.csv");
    is(&site.ask(&["config", "check"]), 3, &["ledger.signing_key"]);
    is(&site.ask(&decide), 3, &["ledger.signing_key", "robots.csv"]);
    let secret = String::from_utf8(site.read("second.key")).unwrap();
    let database = site.read("driftline.db");
    // Base64 has a `+` of its own.
    let seed = secret.trim().splitn(5, '+').nth(4).unwrap().as_bytes();
    assert!(!stands_in(&database, seed), "the secret key is in the database");
}

#[test]
fn a_broken_ledger_is_named_and_stops_no_run() {
    let site = Site::firm_after_first();
    site.tamper(EDIT);
    for command in [&["ledger", "verify"][..], &["db", "verify"]] {
        is(&site.ask(command), 6, &["is not what was written", "entry"]);
    }
    site.night(SECOND, &Night::planted());
    let answer = site.told(&["run", "--once"]);
    assert!(answer.stdout.contains("ledger_broken"), "{answer}");
    assert_eq!(site.live(), planted(), "no leaver is missed for it");
    let report = site.report();
    let kinds: Vec<&Value> =
        report["watcher"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert!(kinds.contains(&&"ledger_broken".into()), "{kinds:?}");
    assert_eq!(report.get("ledger"), None);
    let told = site.entries_of("selfcheck.failed");
    assert_eq!(told.len(), 1, "{told:?}");
    let what = told[0]["body"]["what"].as_str().unwrap();
    assert!(what.contains("is not what was written"), "{what}");
}

#[test]
fn a_run_by_hand_that_failed_is_an_entry_and_one_that_was_saved_is_none() {
    let site = Site::firm_after_first();
    assert_eq!(site.entries_of("run.failed"), Vec::<Value>::new());
    site.night(SECOND, &Night::planted());
    let good = site.read("driftline.toml");
    let text = String::from_utf8(good.clone()).unwrap();
    site.write(
        "driftline.toml",
        format!("{text}\n[deployment]\nfingerprint_key = \"file:nowhere\"\n"),
    );
    is(&site.run(), 3, &["deployment.fingerprint_key"]);
    site.write("driftline.toml", good);
    site.told(&["run", "--once"]);
    let told = site.entries_of("run.failed");
    assert_eq!(told.len(), 1, "{told:?}");
    is(&site.ask(&["ledger", "verify"]), 0, &["is what was written"]);
}

#[test]
fn a_checkpoint_that_somebody_kept_is_what_the_ledger_begins_with() {
    let site = Site::firm_after_first();
    let kept = site.told(&["ledger", "head"]).bytes;
    site.write("kept.checkpoint", &kept);
    site.night(SECOND, &Night::planted());
    site.told(&["run", "--once"]);
    let since = ["ledger", "verify", "--since", "kept.checkpoint"];
    is(&site.ask(&since), 0, &["are those of the checkpoint that you hold"]);

    let text = String::from_utf8(kept).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let other = format!("{}\n{}\n{}\n", lines[0], lines[1], "A".repeat(43) + "=");
    site.write("kept.checkpoint", other);
    is(&site.ask(&since), 6, &["the history was written again"]);
    site.write("kept.checkpoint", format!("{}\n9999\n{}\n", lines[0], lines[2]));
    is(&site.ask(&since), 6, &["entries were taken off its end"]);
    for nonsense in ["", "hello\n", &text.replacen("driftline/", "elsewhere/", 1)] {
        site.write("kept.checkpoint", nonsense);
        is(&site.ask(&since), 7, &["kept.checkpoint"]);
    }
    is(&site.ask(&["ledger", "verify", "--key", "nonsense"]), 7, &["NAME+ID+KEY"]);
    is(&site.ask(&["ledger", "verify", "--since", "nowhere"]), 2, &["failed to read `nowhere`"]);
}

#[test]
fn the_ledger_as_files_is_checked_without_the_program() {
    let site = Site::quickstart_after_nights();
    let key = site.new_key("ledger.key");
    let decide = ["findings", "register", "--from", "robots.csv"];
    site.write("robots.csv", "account\nx\n");
    site.told(&decide);
    let head = site.head();
    site.told(&["ledger", "export", "out"]);
    let note = Note::parse(&String::from_utf8(site.read("out/checkpoint")).unwrap()).unwrap();
    assert_eq!(note.is_signed_by(&key), Some(true));
    let width = head.size;
    assert!(width < 256, "one partial tile");
    let bundle = site.read(&format!("out/tile/entries/000.p/{width}"));
    let (mut rest, mut entries) = (&*bundle, Vec::new());
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*len)));
        entries.push(entry);
        rest = after;
    }
    let hashes: Vec<[u8; 32]> = entries.iter().map(|it| leaf_hash(it)).collect();
    assert_eq!(site.read(&format!("out/tile/0/000.p/{width}")), hashes.as_flattened());
    assert_eq!(root_of(hashes), head.root);
    for at in [0, 7, entries.len() - 1] {
        let proof = site.told(&["ledger", "proof", &at.to_string()]).stdout;
        assert_eq!(Proof::parse(&proof).unwrap().check(entries[at]).unwrap(), head);
    }
    is(&site.ask(&["ledger", "export", "out"]), 5, &["out"]);
    is(&site.ask(&["ledger", "proof", "999"]), 2, &["there is no entry 999"]);
    is(&site.ask(&["ledger", "show", "999"]), 2, &["there is no entry 999"]);
}

/// Somebody writes into the tables of what people did, past the commands.
#[test]
fn what_nobody_did_is_named_by_its_line_though_it_is_in_the_database() {
    let site = Site::quickstart_after_nights();
    let because =
        ["--reason", "handover to Grace Hopper", "--until", "2099-12-31", "--by", "Ada Byron"];
    site.told(&[&["findings", "waive", "request", "DL-14"][..], &because].concat());
    let false_positive = ["findings", "false-positive", "DL-12", "--reason", "no drift"];
    site.told(&[&false_positive[..], &["--by", "Ada Byron"]].concat());
    site.told(&["ledger", "verify"]);
    let kept = site.read("driftline.db");
    #[rustfmt::skip]
    let forgeries = [
        ("line 1 of `waiver_approval`", "INSERT INTO waiver_approval SELECT id, 'Grace Hopper', at_ms, '' FROM waiver"),
        ("line 1 of `waiver_void`", "INSERT INTO waiver_void SELECT id, at_ms FROM waiver"),
        ("line 2 of `waiver`", "INSERT INTO waiver SELECT 2, fingerprint, cause, episode, reason, by, at_ms, place, expires_at_ms FROM waiver"),
        ("line 1 of `waiver`", "DROP TRIGGER waiver_no_update; UPDATE waiver SET expires_at_ms = expires_at_ms + 1"),
        ("line 1 of `waiver`", "DROP TRIGGER waiver_no_update; UPDATE waiver SET reason = 'because'"),
        ("line 1 of `decision`", "INSERT INTO decision VALUES (1, 'secureframe', 'a', 'okta', 'b', 1, 'Ada Byron', 1, 'hers', NULL)"),
        ("line 1 of `nonhuman`", "INSERT INTO nonhuman VALUES (1, 'robot', 'Ada Byron', 'backup', NULL, 'Ada Byron', 1, '')"),
        ("line 2 of `disposition`", "INSERT INTO disposition SELECT 2, 14, word, reason, by, at_ms, place, until_ms FROM disposition"),
        ("line 1 of `disposition`", "DROP TRIGGER disposition_no_update; UPDATE disposition SET by = 'Grace Hopper'"),
        ("line 1 of `guard_release`", "INSERT INTO guard_release VALUES (1, 'secureframe', NULL, NULL, NULL, 'openings', zeroblob(32), 'right', 'Ada Byron', 1, '', 9999999999999)"),
    ];
    each_is_named(&site, &kept, &forgeries);
}

/// Does each of these to the database as it was kept: both checks of it say what.
fn each_is_named(site: &Site, kept: &[u8], forgeries: &[(&str, &str)]) {
    for (what, forgery) in forgeries {
        site.write("driftline.db", kept);
        let connection = rusqlite::Connection::open(site.path("driftline.db")).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute_batch(forgery).unwrap();
        drop(connection);
        for command in [["ledger", "verify"], ["db", "verify"]] {
            let answer = site.ask(&command);
            assert_eq!(answer.status, 6, "{forgery}: {answer}");
            assert!(format!("{answer}").contains(what), "{forgery}: {answer}");
        }
    }
    site.write("driftline.db", kept);
}

/// The rows of a list may still be those of its digest.
#[test]
fn a_list_or_a_request_that_somebody_changed_is_not_the_one_of_its_entry() {
    let site = Site::quickstart_after_nights();
    site.told(&["db", "verify"]);
    let kept = site.read("driftline.db");
    for forgery in [
        "UPDATE request SET status = 304 WHERE snapshot = 1",
        "UPDATE request SET n_bytes = n_bytes + 1 WHERE snapshot = 1 AND nth = 0",
        "DELETE FROM request WHERE snapshot = 1",
        "UPDATE snapshot SET as_of_ms = as_of_ms - 1 WHERE id = 1",
        "UPDATE snapshot SET proof = NULL, partial_reason = 'cut off' WHERE id = 1",
        "UPDATE snapshot SET held = 'too few' WHERE id = 1",
    ] {
        site.write("driftline.db", &kept);
        Connection::open(site.path("driftline.db")).unwrap().execute_batch(forgery).unwrap();
        let answer = site.ask(&["db", "verify"]);
        assert_eq!(answer.status, 6, "{forgery}: {answer}");
        assert!(format!("{answer}").contains("snapshot 1 of "), "{forgery}: {answer}");
        assert!(format!("{answer}").contains("that entry "), "{forgery}: {answer}");
    }
}

/// A leaver of the sample: identity provider, and id there.
const LEAVER: (&str, &str) = ("entra", "538b2759-d1a9-48e0-989e-3123d9c20b9d");

/// Somebody takes out of the tables what people did, or changes whom it is about.
#[test]
fn what_somebody_did_and_no_line_says_any_more_is_named_by_its_entry() {
    let site = Site::quickstart_after_nights();
    let ada = ["--by", "Ada Byron"];
    let told = |command: &[&str]| {
        site.told(&[command, &ada[..]].concat());
        site.head().size - 1
    };
    let because = ["--reason", "handover"];
    let until = ["--until", "2099-12-31"];
    let asked = told(&[&["findings", "waive", "request", "DL-14"][..], &because, &until].concat());
    site.told(&["findings", "waive", "approve", "1", "--by", "Grace Hopper"]);
    let approved = site.head().size - 1;
    let false_positive = told(&[&["findings", "false-positive", "DL-12"][..], &because].concat());
    let robot = ["--account", ORPHAN, "--owner", "Ada Byron", "--purpose", "export"];
    let registered = told(&[&["findings", "register"][..], &robot].concat());
    let owner = ["--account", ORPHAN, "--identity", &format!("{}/{}", LEAVER.0, LEAVER.1)];
    let linked = told(&[&["findings", "link"][..], &owner, &because].concat());
    let held = told(&[&["hold", "set", LEAVER.1][..], &because].concat());
    let period = ["--app", "secureframe", "--from", "2026-01-01", "--to", "2027-01-01"];
    let period_held = told(&[&["hold", "set"][..], &period, &because].concat());
    let lift = told(&[&["hold", "lift", "1"][..], &because].concat());
    site.told(&["hold", "approve", "1", "--by", "Grace Hopper"]);
    let lifted = site.head().size - 1;
    site.told(&["ledger", "verify"]);
    site.told(&["db", "verify"]);
    let entry = |it: u64| format!("entry {it} ");
    let delete = |table: &str| format!("DROP TRIGGER {table}_no_delete; DELETE FROM {table}");
    let change = |table: &str, what: &str| {
        format!("DROP TRIGGER {table}_no_update; UPDATE {table} SET {what}")
    };
    let leaver = "(SELECT min(entry) FROM leaver)";
    let connection = rusqlite::Connection::open(site.path("driftline.db")).unwrap();
    let first_leaver: u64 = connection
        .query_row(&format!("SELECT {leaver}"), [], |row| row.get::<_, i64>(0))
        .unwrap()
        .cast_unsigned();
    drop(connection);
    #[rustfmt::skip]
    let forgeries = [
        (entry(asked), delete("waiver")),
        (entry(approved), delete("waiver_approval")),
        (entry(false_positive), delete("disposition")),
        (entry(registered), delete("nonhuman")),
        (entry(linked), delete("decision")),
        (entry(held), delete("legal_hold") + " WHERE id = 1"),
        (entry(period_held), delete("legal_hold") + " WHERE id = 2"),
        (entry(lift), delete("legal_hold_lift")),
        (entry(lifted), delete("legal_hold_lifted")),
        ("line 1 of `legal_hold`".to_owned(), change("legal_hold", "entity = 1 WHERE id = 1")),
        ("line 2 of `legal_hold`".to_owned(), delete("legal_hold_period")),
        ("line 2 of `legal_hold`".to_owned(), change("legal_hold_period", "to_ms = from_ms + 1")),
        ("line 2 of `legal_hold_lift`".to_owned(), "INSERT INTO legal_hold_lift SELECT 2, reason, by, at_ms, place FROM legal_hold_lift;
            INSERT INTO legal_hold_lifted SELECT 2, by, at_ms, place FROM legal_hold_lifted".to_owned()),
        (entry(linked), format!("DELETE FROM disclosure WHERE entry = {linked} AND nth = 1")),
        (entry(asked), "UPDATE ledger_subject SET key = 'Grace' WHERE key = 'Ada Byron'".to_owned()),
        (entry(approved), "DELETE FROM ledger_subject WHERE key = 'Grace Hopper'".to_owned()),
        (entry(first_leaver), format!("UPDATE leaver SET record = replace(record, '\"missed\"', '\"met\"') WHERE entry = {leaver}")),
        (entry(first_leaver), format!("DELETE FROM leaver WHERE entry = {leaver}")),
        ("of leavers do not fit".to_owned(), format!("UPDATE leaver SET entry = 0 WHERE entry = {leaver}")),
        ("of leavers do not fit".to_owned(), "UPDATE leavers_begin SET n_left_out = n_left_out + 1".to_owned()),
        ("of leavers do not fit".to_owned(), "DELETE FROM leavers_begin".to_owned()),
    ];
    let forgeries: Vec<(&str, &str)> =
        forgeries.iter().map(|(what, it)| (&**what, &**it)).collect();
    each_is_named(&site, &site.read("driftline.db"), &forgeries);
}
