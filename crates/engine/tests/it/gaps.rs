//! A system that was watched, and that the settings name no more: told as long as anybody may think
//! that it still is.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use domain::Watcher;
use engine::{Plan, run};
use sim::SimClock;
use store::Store;

use crate::year::plan;

#[tokio::test]
async fn a_system_that_is_watched_no_more_is_told_until_what_was_seen_of_it_is_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let user = r#"[{"id": "00u1", "status": "ACTIVE", "profile": {"login": "ana@firm.test"}}]"#;
    fs::write(folder.path().join("users.json"), user).unwrap();
    let store = Store::open(&folder.path().join("driftline.db")).unwrap();
    let began: DateTime<Utc> = "2026-11-20T02:00:00Z".parse().unwrap();
    let told = async |hours, is_named| {
        let now = began + TimeDelta::hours(hours);
        let mut plan: Plan = plan(folder.path(), false, now, None);
        plan.sources.retain(|_| is_named);
        let outcome = run(&store, &plan, &SimClock::starting_at(now)).await.unwrap();
        let found = outcome.record.watcher.into_iter();
        let dropped = found.filter(|it| it.kind == Watcher::CoverageDropped);
        dropped.map(|it| it.text).collect::<Vec<String>>()
    };
    assert!(told(0, true).await.is_empty());
    let text = "okta was read by the run before, and the settings name it no more";
    assert_eq!(told(1, false).await, [text]);
    assert_eq!(told(25, false).await, [text]);
    assert!(told(27, false).await.is_empty(), "by then nobody takes it for watched");
}
