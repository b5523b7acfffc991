//! A machine whose clock was ahead for one run, and is right again: what the run with the wrong time
//! left behind blinds none of those after it.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use domain::Watcher;
use engine::{Outcome, run};
use sim::SimClock;
use store::Store;

use crate::year::plan;

/// Looks at the users of a small company, as a run at that time sees them, or fails to.
async fn look(store: &Store, folder: &Path, at: &str, is_blind: bool) -> Outcome {
    let now: DateTime<Utc> = at.parse().unwrap();
    run(store, &plan(folder, is_blind, now, None), &SimClock::starting_at(now)).await.unwrap()
}

fn told(outcome: &Outcome) -> Vec<(Watcher, &str)> {
    outcome.record.watcher.iter().map(|it| (it.kind, &*it.text)).collect()
}

#[tokio::test]
async fn a_list_of_a_run_whose_clock_was_ahead_blinds_no_later_run() {
    let folder = tempfile::tempdir().unwrap();
    let user = r#"[{"id": "00u1", "status": "ACTIVE", "profile": {"login": "ana@firm.test"}}]"#;
    fs::write(folder.path().join("users.json"), user).unwrap();
    let store = Store::open(&folder.path().join("driftline.db")).unwrap();
    let look = async |at, is_blind| look(&store, folder.path(), at, is_blind).await;

    look("2026-01-01T03:00:00Z", false).await;
    look("2026-02-01T03:00:00Z", false).await;
    // What was seen in February does not stand in for January, and on-call hears of it.
    let blind = look("2026-01-02T03:00:00Z", true).await;
    let stale = told(&blind).into_iter().filter(|it| it.0 == Watcher::SourceStale);
    let stale: Vec<&str> = stale.map(|it| it.1).collect();
    assert_eq!(
        stale,
        [
            "the newest list of okta identities speaks as of 2026-02-01T03:00:00Z, which is ahead of \
             this run's clock"
        ]
    );
    // A list of today is the newest there is.
    let seen = look("2026-01-03T03:00:00Z", false).await;
    assert_eq!(told(&seen), []);
    assert!(seen.report.is_complete());
}
