//! Somebody who left is erased: what names them is nowhere in the file, and everything still verifies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use domain::{ProbeEnd, ProbeRequest, Signature, SystemId};
use rusqlite::Connection;
use serde_json::Value;
use store::Store;

use crate::firm::{FIRST, Night, SECOND, THIRD, account, settings, user};
use crate::site::{Answer, Site, json, project, stands_in};

/// How the person is called who is number 1 of the firm.
const NAME: &str = "Henrik Sølberg";
const LOGIN: &str = "henrik.solberg@alderquay.example";

/// The basis of an erasure.
const BASIS: &str = "Art. 17(1)(a) GDPR, request 2027-031";

const FOURTH: &str = "2026-11-22";

/// Writes a night in which number 1 has a name and an address of their own.
fn night(site: &Site, date: &str, night: &Night) {
    site.night(date, night);
    for file in ["users", "app_users", "accounts"] {
        let path = format!("exports/{date}/{file}");
        let text = String::from_utf8(site.read(&path)).unwrap().replace("p1@example.com", LOGIN);
        let mut rows: Value = serde_json::from_str(&text).unwrap();
        if let Some(first) = rows.as_array_mut().and_then(|it| it.first_mut())
            && first["id"] == *user(1)
            && file == "users"
        {
            first["profile"]["displayName"] = NAME.into();
        }
        if let Some(first) = rows.pointer_mut("/Resources/0")
            && first["id"] == *account(1)
        {
            first["displayName"] = NAME.into();
        }
        site.write(&path, rows.to_string());
    }
}

/// The firm after nights in which 1 left, was switched off, and was taken out of both lists.
fn left(retention: &str) -> Site {
    let site = Site::new(&(settings(crate::firm::Says::default()) + retention));
    night(&site, FIRST, &Night::planted());
    site.told(&["run", "--once"]);
    let mut off = Night::planted();
    off.accounts[0].is_active = false;
    night(&site, SECOND, &off);
    site.told(&["run", "--once"]);
    site
}

fn gone(site: &Site) {
    let gone = Night::planted().without_users(|it| it == 1).without_accounts(|it| it == 1);
    for date in [THIRD, FOURTH] {
        night(site, date, &gone);
        site.told(&["run", "--once"]);
    }
}

fn refused(answer: &Answer, needles: &[&str]) {
    assert_eq!(answer.status, 2, "{answer}");
    for needle in needles {
        assert!(answer.stderr.contains(needle), "`{needle}` is missing: {answer}");
    }
}

/// The digest under which what would go was shown.
fn shown(answer: &Answer) -> String {
    answer.stdout.trim().rsplit_once("--confirm ").unwrap().1.to_owned()
}

fn erase<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["erase", LOGIN, "--basis", BASIS][..], more].concat()
}

/// Whether a text stands in the database, its write-ahead log or a page of the reports.
fn is_kept(site: &Site, text: &str) -> Vec<String> {
    let pages = fs::read_dir(site.path("reports")).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<PathBuf> = pages.filter(|it| stands_in_file(it, text)).collect();
    files.extend(kept_in_database(site, text));
    files.iter().map(|it| it.display().to_string()).collect()
}

fn kept_in_database(site: &Site, text: &str) -> Vec<PathBuf> {
    let files = ["driftline.db", "driftline.db-wal"].map(|it| site.path(it));
    files.into_iter().filter(|it| stands_in_file(it, text)).collect()
}

fn stands_in_file(path: &Path, text: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| stands_in(&bytes, text.as_bytes()))
}

/// All that the database says, unpacked: what a look at its bytes cannot see, for it is compressed.
fn unpacked(site: &Site) -> String {
    let mut all = String::new();
    for run in 1..=4 {
        let report = site.told(&["report", "--run", &run.to_string(), "--format", "json"]);
        all.push_str(&report.stdout);
    }
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let mut packs = connection.prepare("SELECT zstd FROM body_pack").unwrap();
    for pack in packs.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap() {
        all.push_str(&String::from_utf8_lossy(&zstd::decode_all(&*pack.unwrap()).unwrap()));
    }
    let mut given = connection.prepare("SELECT value FROM meta").unwrap();
    for value in given.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap() {
        let value = value.unwrap();
        let text = zstd::decode_all(&*value).unwrap_or(value);
        all.push_str(&String::from_utf8_lossy(&text));
    }
    for row in connection
        .prepare("SELECT text FROM disclosure")
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
    {
        all.push_str(&ledger::disclosed(&row.unwrap()).unwrap().1.to_string());
    }
    all
}

#[test]
fn who_was_erased_is_nowhere_in_the_file_and_everything_still_verifies() {
    let site = left("[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n");
    gone(&site);
    let waived = ["findings", "show", "DL-1"];
    site.told(&waived);
    assert!(!is_kept(&site, LOGIN).is_empty() && unpacked(&site).contains(LOGIN));
    let held = site.told(&["ledger", "head"]);
    site.write("held.checkpoint", held.bytes);
    let live = site.live();

    let look = site.told(&erase(&[]));
    for it in ["Nothing is erased yet", &user(1), &account(1), NAME, "reports"] {
        assert!(look.stdout.contains(it), "`{it}` is missing: {look}");
    }
    assert!(!is_kept(&site, LOGIN).is_empty(), "a look changes nothing");
    let digest = shown(&look);
    refused(&site.ask(&erase(&["--confirm", "000000000000"])), &["is not what was shown"]);
    let done = site.told(&erase(&["--confirm", &digest, "--by", "Grace Hopper"]));
    assert!(
        done.stdout.starts_with("Erased, by entry ") && !done.stdout.contains("NOT DONE"),
        "{done}"
    );

    for text in [LOGIN, NAME, "henrik.solberg"] {
        assert_eq!(is_kept(&site, text), Vec::<String>::new(), "{text}");
        assert!(!unpacked(&site).contains(text), "{text}");
    }
    site.told(&["db", "verify"]);
    site.told(&["ledger", "verify", "--since", "held.checkpoint"]);
    let judged = site.ask(&["evidence", "rederive", "1"]);
    assert_eq!(judged.status, 7, "{judged}");
    assert!(judged.stdout.contains("or somebody was erased since"), "{judged}");
    let again = site.ask(&["report", "--run", "1", "--names"]);
    assert!(again.stderr.contains("were erased from this report by entry"), "{again}");
    assert!(again.stdout.contains("[erased on ") && again.status == 0, "{again}");
    refused(&site.ask(&["explain", &user(1)]), &["was erased by entry"]);
    refused(&site.ask(&["erase", &user(1), "--basis", BASIS]), &["erased already, by entry"]);

    // The next nights say what they would have said, and bring nobody back.
    let gone = Night::planted().without_users(|it| it == 1).without_accounts(|it| it == 1);
    night(&site, "2026-11-23", &gone);
    site.told(&["run", "--once"]);
    assert_eq!(site.live(), live);
    site.told(&["db", "verify"]);
    site.told(&["evidence", "rederive", "5"]);
    assert!(!unpacked(&site).contains(LOGIN) && is_kept(&site, LOGIN).is_empty());
}

/// Keeps a probe that asked by their address.
async fn probed(site: &Site) {
    let store = Store::open(&site.path("driftline.db")).unwrap();
    let at = "2026-11-22T12:00:00Z".parse().unwrap();
    let asked = Signature { by: "Ada Byron".to_owned(), place: "desk".to_owned(), at };
    let app = SystemId::parse("secureframe").unwrap();
    let probe = store.begin_probe(app, "c9".into(), asked).await.unwrap();
    let request = ProbeRequest {
        method: "GET".into(),
        url: format!("https://scim.example/Users?filter=userName eq \"{LOGIN}\"").into(),
        status: Some(200),
        n_bytes: 2,
        sha256: [1; 32],
        sent_sha256: None,
        at,
    };
    let end = ProbeEnd {
        at,
        behaviour: None,
        outcome: "It is still shown on.".to_owned(),
        is_back_on: false,
        requests: vec![request],
    };
    store.end_probe(probe, end).await.unwrap();
}

#[tokio::test]
async fn a_probe_that_named_them_is_told_without_them_and_everything_still_verifies() {
    let site = left("[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n");
    gone(&site);
    probed(&site).await;
    site.told(&["db", "verify"]);
    let digest = shown(&site.told(&erase(&[])));
    site.told(&erase(&["--confirm", &digest]));
    assert_eq!(is_kept(&site, LOGIN), Vec::<String>::new());
    site.told(&["db", "verify"]);
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let lie = "DROP TRIGGER probe_end_no_update; UPDATE probe_end SET is_back_on = 1";
    connection.execute_batch(lie).unwrap();
    drop(connection);
    let answer = site.ask(&["db", "verify"]);
    assert_ne!(answer.status, 0, "an erasure changes no more than texts: {answer}");
}

#[test]
fn evidence_shows_who_was_erased_as_erased_with_the_result_of_the_ledger() {
    let site = left("[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n");
    gone(&site);
    let period = ["--app", "secureframe", "--from", "2026-10-01", "--to", "2027-01-01"];
    let before = site.told(&[&["evidence", "leavers", "--format", "json"][..], &period].concat());
    let before = json(&before.bytes)["leavers"][0].clone();
    let digest = shown(&site.told(&erase(&[])));
    site.told(&erase(&["--confirm", &digest]));

    let after = site.told(&[&["evidence", "leavers", "--format", "json"][..], &period].concat());
    let after = json(&after.bytes)["leavers"][0].clone();
    assert!(after["person"].as_str().unwrap().starts_with("erased on "), "{after}");
    assert_eq!((&after["login"], &after["accounts"]), (&"erased".into(), &"erased".into()));
    for column in ["leaver", "entry", "sla", "because", "n_accounts", "first_seen_inactive"] {
        assert_eq!(after[column], before[column], "{column}");
    }
    let text = site.told(&[&["evidence", "leavers"][..], &period].concat());
    assert!(text.stdout.contains("erased on "), "{text}");

    for more in [&["--redacted"][..], &[]] {
        let args = [&["evidence", "export", "--output", "bag.zip"][..], &period, more].concat();
        site.told(&args);
        let verified = site.ask(&["evidence", "verify", "bag.zip"]);
        assert!(
            verified.stdout.contains("are what their entries say") && verified.status == 7,
            "{verified}"
        );
        let script = project("crates/evidence/verify.py");
        let mut python = std::process::Command::new("python3");
        site.scrub(&mut python);
        let python = crate::site::answer(&python.arg(script).arg("bag.zip").output().unwrap());
        assert!(
            python.stdout.contains("are what their entries say") && python.status == 7,
            "{python}"
        );
        fs::remove_file(site.path("bag.zip")).unwrap();
    }
}

#[test]
fn who_may_come_back_is_held_or_must_be_kept_is_not_erased() {
    let site = left("");
    refused(
        &site.ask(&erase(&[])),
        &["cannot be erased now", &user(1), "the newest list has it", "have it removed there"],
    );
    refused(
        &site.ask(&["erase", "nobody@example.com", "--basis", BASIS]),
        &["nobody is called so"],
    );
    refused(&site.ask(&["erase", LOGIN, "--basis", " "]), &["needs its legal basis"]);
    for (basis, word) in [
        (LOGIN, "henrik"),
        ("Art. 17 GDPR, asked for by Mr Sølberg", "Sølberg"),
        ("Art. 17 GDPR, SOLBERG 2027-031", "SOLBERG"),
    ] {
        let needles = [&*format!("`{word}` in the basis"), "write your own reference"];
        refused(&site.ask(&["erase", LOGIN, "--basis", basis]), &needles);
    }
    refused(&site.ask(&["erase", "p2@example.com", "--basis", BASIS]), &["about them is not over"]);
    gone(&site);
    refused(&site.ask(&erase(&[])), &["must be kept until", "`retention.findings`"]);

    let kept = settings(crate::firm::Says::default())
        + "[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n";
    site.write("driftline.toml", kept);
    let set = site.told(&["hold", "set", &account(1), "--reason", "his lawsuit", "--by", "Ada"]);
    assert!(set.stdout.contains("Legal hold 1 is on "), "{set}");
    refused(&site.ask(&erase(&[])), &["legal hold 1 is on them"]);
    refused(&site.ask(&["hold", "approve", "1", "--by", "Bob"]), &["nobody asked to lift"]);
    site.told(&["hold", "lift", "1", "--reason", "he withdrew", "--by", "Bob"]);
    refused(
        &site.ask(&["hold", "approve", "1", "--by", "bob"]),
        &["by somebody else than who asked"],
    );
    refused(&site.ask(&erase(&[])), &["legal hold 1 is on them"]);
    site.told(&["hold", "approve", "1", "--by", "Ada"]);
    assert!(site.told(&["hold", "list"]).stdout.contains("No legal hold"));
    let digest = shown(&site.told(&erase(&[])));
    site.told(&erase(&["--confirm", &digest]));
    assert!(is_kept(&site, LOGIN).is_empty());
    // What people wrote about them goes whole, also why they had to be kept.
    for said in ["his lawsuit", "he withdrew"] {
        assert!(is_kept(&site, said).is_empty() && !unpacked(&site).contains(said), "{said}");
    }
    site.told(&["db", "verify"]);
}

#[test]
fn whoever_is_of_an_app_and_a_time_on_which_a_hold_is_is_not_erased() {
    let site = left("[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n");
    gone(&site);
    let set = |from: &str, to: &str| {
        let period = ["--app", "secureframe", "--from", from, "--to", to];
        let more = ["--reason", "audit of the year", "--by", "Ada"];
        site.ask(&[&["hold", "set"][..], &period, &more].concat())
    };
    refused(&set("2026-12-01", "2026-11-01"), &["the period ends before it begins"]);
    refused(
        &site.ask(&["hold", "set", "--app", "secureframe", "--reason", "x"]),
        &["--from <DATE>"],
    );
    // The first list showed them: whether they were there before, nobody looked.
    let before = set("2026-01-01", "2026-10-01");
    assert!(before.stdout.starts_with("Legal hold 1 is on secureframe from "), "{before}");
    refused(&site.ask(&erase(&[])), &["legal hold 1 is on what is kept of secureframe"]);
    site.told(&["hold", "lift", "1", "--reason", "closed", "--by", "Bob"]);
    site.told(&["hold", "approve", "1", "--by", "Ada"]);
    // After all was over.
    assert_eq!(set("2026-12-01", "2027-01-01").status, 0);
    let look = site.told(&erase(&[]));
    let held = set("2026-11-20", "2026-11-21");
    assert!(held.stdout.starts_with("Legal hold 3 is on secureframe from "), "{held}");
    let needles = ["legal hold 3 is on what is kept of secureframe from 2026-11-20 to 2026-11-21"];
    refused(&site.ask(&erase(&[])), &needles);
    // What was shown before the hold was set is not done after it.
    refused(&site.ask(&erase(&["--confirm", &shown(&look)])), &needles);
    let list = site.told(&["hold", "list"]);
    assert_eq!(list.stdout.matches("secureframe from ").count(), 2, "{list}");
    site.told(&["hold", "lift", "3", "--reason", "closed", "--by", "Bob"]);
    site.told(&["hold", "approve", "3", "--by", "Ada"]);
    site.told(&erase(&["--confirm", &shown(&site.told(&erase(&[])))]));
    site.told(&["db", "verify"]);
}

#[test]
fn a_hold_on_a_time_is_on_whoever_may_have_been_there_and_not_on_who_was_seen_not_to_be() {
    let site = Site::new(&settings(crate::firm::Says::default()));
    night(
        &site,
        FIRST,
        &Night::planted().without_users(|it| it == 1).without_accounts(|it| it == 1),
    );
    site.told(&["run", "--once"]);
    night(&site, SECOND, &Night::planted());
    site.told(&["run", "--once"]);
    for to in ["2026-11-01", SECOND] {
        let period = ["--app", "secureframe", "--from", "2026-01-01", "--to", to];
        site.told(&[&["hold", "set", "--reason", "audit", "--by", "Ada"][..], &period].concat());
    }
    // The first list was without them; they came between that and the second.
    let answer = site.ask(&erase(&[]));
    refused(&answer, &["the newest list has it", "legal hold 2 is on what is kept of secureframe"]);
    assert!(!answer.stderr.contains("legal hold 1 is"), "{answer}");
}

/// Kills the program as soon as it is time; returns whether it was met alive.
fn killed(site: &Site, args: &[&str], is_time: impl Fn() -> bool) -> bool {
    let mut command = site.command(args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if is_time() {
            child.kill().unwrap();
            return !child.wait().unwrap().success();
        }
        thread::yield_now();
    }
    false
}

#[test]
fn an_erasure_that_is_killed_before_the_file_is_written_anew_is_finished_by_the_next_opening() {
    let site = left("[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n");
    gone(&site);
    let digest = shown(&site.told(&erase(&[])));
    // Somebody reads, so that the log cannot be emptied: the program waits, and is met there.
    let reader = Connection::open(site.path("driftline.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM run").unwrap();
    let is_committed = || {
        let beside = Connection::open(site.path("driftline.db")).unwrap();
        let sql = "SELECT count(*) FROM meta WHERE key = 'erasure_unfinished'";
        beside.query_row(sql, [], |row| row.get::<_, i64>(0)).is_ok_and(|n| n == 1)
    };
    assert!(killed(&site, &erase(&["--confirm", &digest]), is_committed), "it was faster");
    assert!(!is_kept(&site, LOGIN).is_empty(), "bytes of theirs are in the file or its log");
    drop(reader);
    // What is committed holds, whatever the file still has.
    refused(&site.ask(&["explain", &user(1)]), &["was erased by entry"]);

    site.told(&["run", "--once"]);
    for text in [LOGIN, NAME, "henrik.solberg"] {
        assert_eq!(kept_in_database(&site, text), Vec::<PathBuf>::new(), "{text}");
        assert!(!unpacked(&site).contains(text), "{text}");
    }
    site.told(&["db", "verify"]);
    site.told(&["ledger", "verify"]);
}

#[test]
fn a_database_from_before_there_were_erasures_is_brought_up_to_date_and_erased() {
    let retention = "[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n";
    let site = Site::new(&(settings(crate::firm::Says::default()) + retention));
    let old = fs::File::open(project("tests/data/store/v10.db.zst")).unwrap();
    site.write("driftline.db", zstd::decode_all(old).unwrap());
    let answer = site.ask(&["findings", "list"]);
    assert!(answer.status == 5 && answer.stderr.contains("driftline run"), "{answer}");
    gone(&site);
    assert!(site.path("driftline.db.v10.bak").exists());
    assert!(unpacked(&site).contains(LOGIN) && !kept_in_database(&site, LOGIN).is_empty());
    site.told(&["db", "verify"]);
    // Of runs from before, what they were given was kept, and the ledger had no digest of it.
    site.told(&["evidence", "rederive", "3", "4"]);

    let look = site.told(&erase(&[]));
    let done = site.told(&erase(&["--confirm", &shown(&look)]));
    assert!(done.stdout.contains("driftline.db.v10.bak"), "{done}");
    for text in [LOGIN, NAME, "henrik.solberg"] {
        assert_eq!(kept_in_database(&site, text), Vec::<PathBuf>::new(), "{text}");
        assert!(!unpacked(&site).contains(text), "{text}");
    }
    site.told(&["db", "verify"]);
    site.told(&["ledger", "verify"]);
    let shown = site.told(&["findings", "show", "DL-1"]);
    assert!(shown.stdout.contains("[erased on "), "{shown}");
}

#[test]
fn of_two_erasures_of_one_person_at_once_one_is_done() {
    let site = left("[retention]\nleavers = \"1d\"\nfindings = \"1d\"\n");
    gone(&site);
    let digest = shown(&site.told(&erase(&[])));
    let args = erase(&["--confirm", &digest]);
    let both = [0, 1].map(|_| {
        let mut command = site.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let both = both.map(|it| crate::site::answer(&it.wait_with_output().unwrap()));
    let n_done = both.iter().filter(|it| it.status == 0).count();
    assert_eq!(n_done, 1, "{} {}", both[0], both[1]);
    let other = both.iter().find(|it| it.status != 0).unwrap();
    let is_told = ["in use by another driftline process", "nobody is called so"];
    assert!(is_told.iter().any(|it| other.stderr.contains(it)), "{other}");
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let sql = "SELECT count(*) FROM ledger_entry WHERE kind = 'erasure.done'";
    let n_entries: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(n_entries, 1);
    drop(connection);
    refused(&site.ask(&args), &["nobody is called so"]);
    refused(&site.ask(&["erase", &user(1), "--basis", BASIS]), &["erased already, by entry"]);
    site.told(&["db", "verify"]);
    assert!(kept_in_database(&site, LOGIN).is_empty());
}

#[test]
fn a_row_that_is_only_said_to_be_erased_is_found() {
    let site = left("[retention]\nfindings = \"1d\"\n");
    gone(&site);
    let digest = shown(&site.told(&erase(&[])));
    site.told(&erase(&["--confirm", &digest]));
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let forge = "DROP TRIGGER erased_no_delete; DELETE FROM erased WHERE what = 'version'
                     AND id = (SELECT max(id) FROM erased WHERE what = 'version')";
    connection.execute_batch(forge).unwrap();
    drop(connection);
    let answer = site.ask(&["db", "verify"]);
    assert_eq!(answer.status, 6, "{answer}");
    assert!(answer.stdout.contains("were erased otherwise than the ledger tells"), "{answer}");
    assert_eq!(site.ask(&["ledger", "verify"]).status, 6);
}
