//! Databases and disks that cannot be used: each is named with what to do, the last commit stands.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use rusqlite::Connection;

use crate::firm::{FIRST, Night, SECOND, planted};
use crate::site::{Answer, Site};

/// Checks status 5, and that the words are there.
fn is_store_error(what: &str, answer: &Answer, needles: &[&str]) {
    assert_eq!(answer.status, 5, "{what}: {answer}");
    for needle in needles {
        assert!(answer.stderr.contains(needle), "{what}: `{needle}` is missing: {answer}");
    }
}

fn reading_and_writing() -> [&'static [&'static str]; 4] {
    [&["run", "--once"], &["findings", "list"], &["report"], &["db", "verify"]]
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "user_version", 9999).unwrap();
    drop(connection);
    let before = site.read("driftline.db");
    for args in reading_and_writing() {
        let needles = ["driftline.db`", "newer driftline", "version 9999", "use that version"];
        is_store_error("newer", &site.ask(args), &needles);
    }
    assert!(site.read("driftline.db") == before);
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    connection.pragma_update(None, "user_version", version).unwrap();
    drop(connection);
    site.told(&["run", "--once"]);
    assert_eq!(site.live(), planted());
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    for (what, bytes) in [
        (
            "text",
            b"dear diary, this is not a database, though it is longer than a header of one is, \
                   which takes a hundred bytes or so"
                .to_vec(),
        ),
        ("somebody else's", {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("other.db");
            let other = Connection::open(&path).unwrap();
            other.execute_batch("CREATE TABLE song (title TEXT)").unwrap();
            drop(other);
            fs::read(path).unwrap()
        }),
    ] {
        let site = Site::firm();
        site.night(FIRST, &Night::planted());
        site.write("driftline.db", &bytes);
        for args in reading_and_writing() {
            let needles = ["`driftline.db` is not a driftline database", "check the path"];
            is_store_error(what, &site.ask(args), &needles);
        }
        assert!(site.read("driftline.db") == bytes, "{what}: it was changed");
    }
}

#[test]
fn flipped_bytes_are_found_and_nothing_is_judged_by_them() {
    let site = Site::firm_after_first();
    let good = site.read("driftline.db");
    let page = 16_384;
    let mut n_found = 0;
    // One page at a time, its header and its middle. Pages without content may hide a flip.
    for at in (1..good.len() / page).flat_map(|it| [it * page, it * page + page - 200]) {
        site.write("driftline.db", &good);
        let file = fs::File::options().write(true).open(site.path("driftline.db")).unwrap();
        file.write_all_at(&[good[at] ^ 0xff, good[at + 1] ^ 0xff], at as u64).unwrap();
        drop(file);
        let answer = site.ask(&["db", "verify"]);
        let is_found = match answer.status {
            0 => false,
            5 => answer.stderr.contains("restore a backup"),
            _ => answer.stdout.contains("restore a backup"),
        };
        assert!(is_found || answer.status == 0, "byte {at}: {answer}");
        assert!(matches!(answer.status, 0 | 5 | 6), "byte {at}: {answer}");
        n_found += usize::from(is_found);
        // Whatever a run makes of it: it ends with a documented status, and without a panic.
        let listed = site.ask(&["findings", "list"]);
        assert!(matches!(listed.status, 0 | 5 | 6 | 7), "byte {at}: {listed}");
    }
    assert!(n_found * 2 > good.len() / page, "{n_found} flips were found");
    // A backup mends it.
    site.write("driftline.db", &good);
    site.told(&["db", "verify"]);
    assert_eq!(site.live(), planted());
}

#[test]
fn a_run_on_a_damaged_database_says_so_and_commits_nothing() {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    // Every page but the first, so that whatever is read is damaged.
    let mut bytes = site.read("driftline.db");
    bytes[16_384..].iter_mut().for_each(|it| *it ^= 0xff);
    site.write("driftline.db", &bytes);
    is_store_error("damaged", &site.run(), &["driftline.db` is damaged", "restore a backup"]);
    assert!(!site.path("reports/2026-11-20-run-2.json").exists());
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    // A file where a folder should be: no rights help against that, not even root's.
    let site = Site::firm();
    site.night(FIRST, &Night::planted());
    let text = String::from_utf8(site.read("driftline.toml")).unwrap();
    site.write("a-file", "");
    for key in ["database = \"", "reports = \""] {
        site.write("driftline.toml", text.replace(key, &format!("{key}a-file/")));
        is_store_error(key, &site.run(), &["a-file"]);
    }
    site.write("driftline.toml", &text);
    site.told(&["run", "--once"]);
    assert_eq!(site.live(), planted());
}

#[test]
fn a_read_only_database_is_named_and_can_still_be_read() {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    let mode = |name: &str, mode| {
        fs::set_permissions(site.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("driftline.db", 0o444);
    mode("driftline.db.lock", 0o444);
    mode("", 0o555);
    let is_root = fs::File::create(site.path("probe")).is_ok(); // Root may write anywhere.
    let answer = site.run();
    if !is_root {
        is_store_error("read-only", &answer, &["driftline.db", "check the owner and mode"]);
        assert_eq!(site.live(), planted());
    }
    mode("", 0o755);
}

#[test]
fn a_full_disk_is_named_and_the_last_commit_stands() {
    // A limit on the size of files, in blocks of 512 or 1024 bytes by shell, is met like a full
    // disk. The second night is a hundred people more, so that it must grow.
    let site = Site::firm_after_first();
    let states = site.states();
    let mut night = Night::planted();
    night.users.extend((1_000..3_000).map(|it| (it, "ACTIVE")));
    site.night(SECOND, &night);
    let answer = site.limited("ulimit -f 250", &["run", "--once"]);
    is_store_error("full", &answer, &["driftline.db"]);
    site.told(&["db", "verify"]);
    assert_eq!(site.states(), states, "{answer}");
    assert_eq!(site.report()["run"], 1);
    // Room again: the night is judged.
    site.told(&["run", "--once"]);
    assert_eq!(site.report()["run"], 2);
}

#[test]
fn outputs_on_a_full_disk_are_named() {
    let site = Site::firm_after_first();
    for args in [
        &["report", "--output", "/dev/full"][..],
        &["report", "--format", "xlsx", "--output", "/dev/full"],
        &["graph", "p1@example.com", "--format", "svg", "--output", "/dev/full"],
    ] {
        is_store_error("output", &site.ask(args), &["`/dev/full`", "make room"]);
    }
    for args in
        [&["findings", "list"][..], &["report"], &["run", "--once"], &["explain", "p1@example.com"]]
    {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = site.command(args).stdout(full).output().unwrap();
        let answer = crate::site::answer(&output);
        is_store_error("stdout", &answer, &["failed to write to stdout"]);
    }
    assert_eq!(site.live(), planted());
}
