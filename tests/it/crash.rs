//! Killed at any point, a run has committed or it has not; and there is one process at a time.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use crate::quickstart::expected;
use crate::site::Site;

/// Starts a run and kills it (SIGKILL) as soon as `is_time`. Returns false when the run was
/// faster: a thing that happens, and then nothing was interrupted.
pub(crate) fn kill_when(site: &Site, is_time: impl Fn() -> bool) -> bool {
    let mut command = site.command(&["run", "--once"]);
    let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Ends at the latest when the run does.
    while child.try_wait().unwrap().is_none() {
        if is_time() {
            child.kill().unwrap();
            return !child.wait().unwrap().success();
        }
        thread::yield_now();
    }
    false
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |it| it.len())
}

#[test]
fn a_first_run_that_is_killed_anywhere_is_done_again_from_the_beginning() {
    let undisturbed = Site::company();
    undisturbed.told(&["run", "--once"]);
    let live = undisturbed.live();

    let mut n_killed = 0;
    for wal_bytes in [None, Some(0), Some(1), Some(100_000), Some(400_000), Some(800_000)] {
        let site = Site::company();
        let (lock, wal) = (site.path("driftline.db.lock"), site.path("driftline.db-wal"));
        let is_time = || match wal_bytes {
            None => lock.exists(),
            Some(bytes) => wal.exists() && size(&wal) >= bytes,
        };
        n_killed += usize::from(kill_when(&site, is_time));
        site.told(&["run", "--once"]);
        site.told(&["db", "verify"]);
        assert_eq!(site.live(), live, "killed at {wal_bytes:?} bytes");
        assert_eq!(site.report()["run"], 1, "killed at {wal_bytes:?} bytes: nothing was half done");
    }
    assert!(n_killed > 0, "no run was met alive");
}

#[test]
fn a_night_that_is_killed_leaves_the_night_before_and_is_judged_by_the_next_run() {
    let undisturbed = Site::quickstart_after_nights();
    let states = undisturbed.states();

    let mut n_killed = 0;
    for point in ["first page", "first night", "second night"] {
        let site = Site::quickstart();
        let is_time = || match point {
            "first page" => site.path("reports/2026-11-19-run-1.html").exists(),
            "first night" => site.path("reports/2026-11-19-run-1.json").exists(),
            _ => site.path("reports/2026-11-20-run-2.html").exists(),
        };
        n_killed += usize::from(kill_when(&site, is_time));
        // What was committed is whole before anything mends it.
        site.told(&["db", "verify"]);
        let run = site.report()["run"].as_i64().unwrap();
        assert_eq!(site.live(), expected(&run.to_string()), "killed at {point}");

        site.told(&["run", "--once"]);
        site.told(&["db", "verify"]);
        assert_eq!(site.live(), expected("2"), "killed at {point}");
        assert_eq!(site.states(), states, "killed at {point}");
        for page in ["2026-11-20-run-2.json", "latest.html"] {
            assert!(site.path("reports").join(page).exists(), "killed at {point}: no {page}");
        }
    }
    assert!(n_killed > 0, "no run was met alive");
}

#[test]
fn pages_that_were_not_written_after_a_commit_are_written_by_the_next_run() {
    // What is left when a run is killed between its commit and its pages.
    let site = Site::quickstart_after_nights();
    let page = site.read("reports/latest.html");
    fs::remove_dir_all(site.path("reports")).unwrap();
    let answer = site.told(&["run", "--once"]);
    assert!(answer.stdout.contains("latest.html"), "{answer}");
    assert!(
        site.path("reports/latest.html").exists(),
        "it names a page that is not there: {answer}"
    );
    assert!(site.read("reports/latest.html") == page);
}

#[test]
fn a_second_process_says_that_there_is_one_and_changes_nothing() {
    let site = Site::quickstart_after_nights();
    let states = site.states();
    let lock = |name: &str| {
        let file = File::options().write(true).open(site.path(name)).unwrap();
        file.lock().unwrap();
        file
    };
    // Another process has the database, and a run of it goes on.
    let locks = [lock("driftline.db.lock"), lock("driftline.db.run")];
    for args in [
        &["run", "--once"][..],
        &["findings", "waive", "approve", "1"],
        &["findings", "register", "--from", "robots.csv"],
    ] {
        site.write("robots.csv", "account\nx\n");
        let answer = site.ask(args);
        assert_eq!(answer.status, 5, "{args:?}: {answer}");
        assert!(answer.stderr.contains("in use by another driftline process"), "{answer}");
        assert!(answer.stderr.contains("wait until it is done"), "{answer}");
    }
    // Reading needs no lock.
    assert_eq!(site.states(), states);
    site.told(&["db", "verify"]);
    drop(locks);
    site.told(&["run", "--once"]);
}
