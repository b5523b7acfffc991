//! Runs: what one saves, what a quiet night writes, and that a failed one leaves nothing.

use domain::{
    Body, Change, Episode, FindingEvent, FindingId, FindingState, Resolution, RunId, Tier, Verdict,
};
use ledger::Hashed;
use store::{LinkChange, Store, StoreError};

use crate::world::{accounts, at, commit, complete, count, finding, folder, people, run, snapshot};

#[tokio::test]
async fn what_a_run_concluded_is_there_for_the_next() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let mut state = store.load().await.unwrap();
    let key = state.fingerprint_key;
    let mut first = commit(
        &mut state,
        vec![
            snapshot("okta", complete(), people(2)),
            snapshot("app", complete(), accounts(&[("a1", true), ("a2", true)])),
        ],
    );
    let (person, account) =
        (first.judged.snapshots[0].1.entities[0], first.judged.snapshots[1].1.entities[0]);
    let found = finding(state.next_finding(), first.judged.run.id, account);
    let employment = Episode { number: 2, began_at: at(1), ended_at: Some(at(2)) };
    first.judged.links = vec![LinkChange { account, link: Some((person, Tier::ExternalId)) }];
    first.judged.standings = vec![(account, Verdict::Confirmed, None)];
    first.judged.episodes = vec![(person, employment)];
    first.judged.findings.changed = vec![found.clone()];
    let event = FindingEvent {
        finding: found.id,
        at: at(5),
        run: Some(first.judged.run.id),
        change: Change::Opened,
        cause: found.cause,
        severity: found.severity,
        state: found.state,
        because: "grace is over".to_owned(),
    };
    first.judged.events = vec![event.clone()];
    first.told.bodies = vec![Body { entity: account, bytes: b"{\"id\":\"a1\"}".to_vec() }];
    let json = first.told.report_json.bytes().to_vec();
    store.commit(first).await.unwrap();
    drop(store);

    let store = Store::open(&path).unwrap();
    let mut state = store.load().await.unwrap();
    assert_eq!(state.fingerprint_key, key);
    assert_ne!(key, [0; 32]);
    assert_eq!(state.last_run, Some((RunId(1), at(24))));
    assert_eq!(
        (state.links[&account].identity, state.links[&account].tier),
        (person, Tier::ExternalId)
    );
    assert_eq!(
        (state.standings[&account].since, state.standings[&account].since_at),
        (RunId(1), at(24))
    );
    assert_eq!(state.episodes[&person], employment);
    assert_eq!((state.findings.len(), &state.findings[0]), (1, &found));
    assert_eq!(store.finding_events(found.id).await.unwrap(), [event]);
    assert_eq!(store.bodies(account).await.unwrap(), [(RunId(1), b"{\"id\":\"a1\"}".to_vec())]);
    assert_eq!(store.report(RunId(1)).await.unwrap(), Some(json));
    assert_eq!(store.report(RunId(2)).await.unwrap(), None);
    assert_eq!(store.latest_run().await.unwrap().unwrap().n_open, 2);
    assert_eq!(state.history.len(), 1);

    // What changes later replaces it, and a link may end.
    let mut second = commit(&mut state, Vec::new());
    second.judged.links = vec![LinkChange { account, link: None }];
    second.judged.standings = vec![(account, Verdict::ConfirmedOffboarded, None)];
    second.told.bodies = vec![Body { entity: account, bytes: b"{\"id\":\"a1\"}".to_vec() }];
    store.commit(second).await.unwrap();
    let state = store.load().await.unwrap();
    assert!(!state.links.contains_key(&account));
    assert_eq!(state.standings[&account].verdict, Verdict::ConfirmedOffboarded);
    assert_eq!(state.standings[&account].since, RunId(2));
    assert_eq!(store.bodies(account).await.unwrap().len(), 1, "the same body is kept once");
}

#[tokio::test]
async fn findings_live_on_and_only_the_latest_resolved_one_is_loaded() {
    let store = Store::open_in_memory().unwrap();
    let mut state = store.load().await.unwrap();
    let mut first =
        commit(&mut state, vec![snapshot("app", complete(), accounts(&[("a1", true)]))]);
    let entity = first.judged.snapshots[0].1.entities[0];
    let mut resolved = finding(FindingId(1), RunId(1), entity);
    resolved.state = FindingState::Resolved;
    resolved.resolved_at = Some(at(9));
    resolved.resolution = Some(Resolution::InactiveSeen);
    let later = domain::Finding { id: FindingId(2), ..resolved.clone() };
    let live = finding(FindingId(3), RunId(1), entity);
    first.judged.findings.changed = vec![resolved, later.clone(), live.clone()];
    store.commit(first).await.unwrap();
    let mut state = store.load().await.unwrap();
    assert_eq!(state.findings, [later.clone(), live.clone()]);
    assert_eq!(state.next_finding(), FindingId(4));

    let seen_again = domain::Finding { last_seen_at: at(48), ..live };
    let mut second = commit(&mut state, Vec::new());
    second.judged.findings.changed = vec![seen_again.clone()];
    store.commit(second).await.unwrap();
    let mut state = store.load().await.unwrap();
    assert_eq!(state.findings, [later, seen_again.clone()]);

    let worse = domain::Finding { n_reopened: 1, exposures: Vec::new(), ..seen_again };
    let mut third = commit(&mut state, Vec::new());
    third.judged.findings.changed = vec![worse.clone()];
    store.commit(third).await.unwrap();
    assert_eq!(store.load().await.unwrap().findings[1], worse);
}

#[tokio::test]
async fn a_night_without_change_writes_no_version() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run(&store, vec![snapshot("okta", complete(), people(50))]).await;
    let second = run(&store, vec![snapshot("okta", complete(), people(50))]).await;
    assert_eq!(
        (second[0].n_unchanged, second[0].n_new, second[0].n_changed, second[0].n_gone),
        (50, 0, 0, 0)
    );
    assert_eq!(count(&path, "SELECT sum(n) FROM version_pack"), 50);
    assert_eq!(count(&path, "SELECT count(*) FROM later_version"), 0);
    assert_eq!(count(&path, "SELECT count(*) FROM ended"), 0);
    assert_eq!(count(&path, "SELECT count(*) FROM snapshot"), 2);
}

#[tokio::test]
async fn a_run_that_fails_half_way_leaves_nothing() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let mut state = store.load().await.unwrap();
    let mut broken = commit(&mut state, vec![snapshot("okta", complete(), people(5))]);
    broken.judged.events = vec![FindingEvent {
        finding: FindingId(404),
        at: at(0),
        run: Some(broken.judged.run.id),
        change: Change::Opened,
        cause: domain::Cause::LeaverActive,
        severity: domain::Severity::High,
        state: FindingState::Open,
        because: String::new(),
    }];
    let error = store.commit(broken).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to save a run");
    for table in ["run", "snapshot", "version_pack", "stream", "report"] {
        assert_eq!(count(&path, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    run(&store, vec![snapshot("okta", complete(), people(5))]).await;
    assert_eq!(store.runs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_prepared_on_an_older_state_is_refused() {
    let store = Store::open_in_memory().unwrap();
    let mut state = store.load().await.unwrap();
    let late = commit(&mut state, Vec::new());
    run(&store, Vec::new()).await;
    let error = store.commit(late).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { run: RunId(1) }), "{error}");
}

#[tokio::test]
async fn what_happened_to_a_finding_cannot_be_changed() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let mut state = store.load().await.unwrap();
    let mut first =
        commit(&mut state, vec![snapshot("app", complete(), accounts(&[("a1", true)]))]);
    let found =
        finding(state.next_finding(), first.judged.run.id, first.judged.snapshots[0].1.entities[0]);
    first.judged.events = vec![FindingEvent {
        finding: found.id,
        at: at(0),
        run: None,
        change: Change::Detected,
        cause: found.cause,
        severity: found.severity,
        state: found.state,
        because: "seen".to_owned(),
    }];
    first.judged.findings.changed = vec![found];
    store.commit(first).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    for sql in ["UPDATE finding_event SET because = ''", "DELETE FROM finding_event"] {
        let error = connection.execute(sql, []).unwrap_err();
        assert!(error.to_string().starts_with("what happened to a finding is never"), "{error}");
    }
}

#[tokio::test]
async fn every_report_of_a_long_time_reads_back() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    for _ in 0..34 {
        run(&store, Vec::new()).await;
    }
    for line in store.runs().await.unwrap() {
        let json = store.report(line.id).await.unwrap().unwrap();
        assert!(json.starts_with(format!("{{\"run\": {}, ", line.id).as_bytes()));
    }
    assert_eq!(count(&path, "SELECT count(*) FROM report WHERE base IS NULL"), 2);
    let state = store.load().await.unwrap();
    assert_eq!(state.history.len(), 30);
    assert_eq!(state.history[29].run, RunId(34));
}

#[tokio::test]
async fn reports_that_resemble_an_earlier_one_take_little_room() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    // Text that compresses badly alone, the same in both nights but for one number.
    let text: String =
        (0..20_000_u64).map(|it| format!("{:x}", it.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    for _ in 0..2 {
        let mut state = store.load().await.unwrap();
        let mut commit = commit(&mut state, Vec::new());
        let json = format!("{{\"run\":{},\"text\":\"{text}\"}}", commit.judged.run.id);
        commit.told.report_json = Hashed::new(json.into_bytes());
        store.commit(commit).await.unwrap();
    }
    let size =
        |run: i64| count(&path, &format!("SELECT length(zstd) FROM report WHERE run = {run}"));
    assert!(size(2) * 100 < size(1), "{} against {}", size(2), size(1));
}
