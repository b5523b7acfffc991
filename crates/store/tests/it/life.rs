//! What people say of findings, what they release, and what the guard counts.

use std::time::Duration;

use domain::{
    Change, Changes, Direction, Disposition, Finding, FindingEvent, FindingId, FindingState, Hold,
    List, Released, Signature, Word,
};
use ledger::Broken;
use store::{Disposal, Held, NewRelease, Refusal, Store, StoreError};

use crate::world::{
    accounts, at, commit, complete, finding, folder, run, signature, snapshot, stream, system,
};

/// A store that holds one open finding.
async fn with_finding(store: &Store) -> Finding {
    let mut state = store.load().await.unwrap();
    let mut first =
        commit(&mut state, vec![snapshot("app", complete(), accounts(&[("a1", true)]))]);
    let entity = first.judged.snapshots[0].1.entities[0];
    let found = finding(state.next_finding(), first.judged.run.id, entity);
    first.judged.findings.changed = vec![found.clone()];
    first.judged.changes = vec![Changes {
        app: system("app"),
        at: first.judged.run.now,
        n_openings: 3,
        n_closings: 1,
    }];
    store.commit(first).await.unwrap();
    found
}

fn acknowledged(before: &Finding) -> Disposal {
    let until = Some(at(48));
    let after = Finding { state: FindingState::Acknowledged, state_until: until, ..before.clone() };
    let event = FindingEvent {
        finding: before.id,
        at: at(6),
        run: None,
        change: Change::Acknowledged,
        cause: before.cause,
        severity: before.severity,
        state: after.state,
        because: "by Ann".to_owned(),
    };
    let said = Disposition {
        finding: before.id,
        word: Word::Acknowledge,
        reason: "calling them".to_owned(),
        said: signature("Ann"),
        until,
    };
    Disposal { said, before: before.clone(), after, event }
}

#[tokio::test]
async fn a_word_is_saved_with_what_it_does_and_never_changed() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let before = with_finding(&store).await;
    let disposal = acknowledged(&before);
    store.dispose(vec![disposal.clone()]).await.unwrap();
    assert_eq!(store.findings().await.unwrap(), [disposal.after]);
    assert_eq!(store.finding_events(before.id).await.unwrap(), [disposal.event]);
    assert_eq!(store.dispositions(before.id).await.unwrap(), [disposal.said]);
    assert_eq!(store.dispositions(FindingId(9)).await.unwrap(), []);
    drop(store);

    let connection = rusqlite::Connection::open(&path).unwrap();
    for sql in ["UPDATE disposition SET reason = ''", "DELETE FROM disposition"] {
        let error = connection.execute(sql, []).unwrap_err();
        assert!(error.to_string().starts_with("what a person did is never"), "{error}");
    }
}

#[tokio::test]
async fn a_word_on_a_finding_that_has_changed_since_keeps_nothing() {
    let store = Store::open_in_memory().unwrap();
    let before = with_finding(&store).await;
    store.dispose(vec![acknowledged(&before)]).await.unwrap();
    let error = store.dispose(vec![acknowledged(&before)]).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Refused(Refusal::Changed(it)) if it == before.id),
        "{error}"
    );
    assert_eq!(store.dispositions(before.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_release_needs_two_people_and_names_what_it_lets_through() {
    let store = Store::open_in_memory().unwrap();
    let found = with_finding(&store).await;
    let release = |what| NewRelease {
        what,
        digest: [7; 32],
        reason: "moved".to_owned(),
        requested: signature("Ann"),
        expires_at: at(24),
    };
    let changes = Released::Changes {
        app: system("app"),
        direction: Direction::Closings,
        findings: vec![found.id],
    };
    let list = Released::List { stream: stream("app", List::Accounts), n_rows: 40 };
    let first = store.add_release(release(changes.clone())).await.unwrap();
    let second = store.add_release(release(list.clone())).await.unwrap();

    let refused = async |id, by: &str, hours| {
        let approval = Signature { at: at(hours), ..signature(by) };
        match store.approve_release(id, approval).await {
            Err(StoreError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(9, "Bob", 1).await, Refusal::NoSuchRelease(9));
    assert_eq!(refused(first, " ann ", 1).await, Refusal::OwnRelease(first));
    assert_eq!(refused(first, "Bob", 24).await, Refusal::ReleaseExpired(first));
    store.approve_release(first, signature("Bob")).await.unwrap();
    assert_eq!(refused(first, "Cyd", 1).await, Refusal::ReleaseApproved(first));

    let releases = store.load().await.unwrap().releases;
    let found: Vec<_> =
        releases.iter().map(|it| (it.id, &it.what, it.is_in_force(at(1)))).collect();
    assert_eq!(found, [(first, &changes, true), (second, &list, false)]);
    assert!(!releases[0].is_in_force(at(24)));
}

/// What a release lets through is what somebody looked at, or the check of the ledger names it.
#[tokio::test]
async fn a_release_that_lets_through_what_nobody_looked_at_is_named() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let found = with_finding(&store).await;
    let (app, direction) = (system("app"), Direction::Closings);
    let held = ledger::sha256(&Hold::digested(&app, direction, vec![found.fingerprint]));
    let release = |what, digest| NewRelease {
        what,
        digest,
        reason: "moved".to_owned(),
        requested: signature("Ann"),
        expires_at: at(24),
    };
    let changes = Released::Changes { app, direction, findings: vec![found.id] };
    let enrolled = run(&store, vec![snapshot("app", complete(), accounts(&[("a1", true)]))]).await;
    let seen = &enrolled[0].reference;
    let list = Released::List { stream: seen.stream.clone(), n_rows: seen.n_rows };
    store.add_release(release(changes, held)).await.unwrap();
    store.add_release(release(list, seen.digest)).await.unwrap();
    store.verify_ledger(Held::default()).await.unwrap();
    drop(store);
    let kept = std::fs::read(&path).unwrap();
    let change =
        |sql: &str| format!("DROP TRIGGER guard_release_no_update; UPDATE guard_release SET {sql}");
    #[rustfmt::skip]
    let forgeries = [
        (1, "DROP TRIGGER guard_release_finding_no_delete; DELETE FROM guard_release_finding".to_owned()),
        (1, change("direction = 'openings' WHERE id = 1")),
        (2, change("system = 'okta' WHERE id = 2")),
        (2, change("n_rows = 0 WHERE id = 2")),
    ];
    for (id, forgery) in forgeries {
        std::fs::write(&path, &kept).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(&forgery).unwrap();
        let store = Store::open(&path).unwrap();
        match store.verify_ledger(Held::default()).await {
            Err(StoreError::Ledger(Broken::NotSaid { table: "guard_release", id: named })) => {
                assert_eq!(named, id, "{forgery}");
            }
            other => panic!("{forgery}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_runs_let_change_is_there_for_the_guard() {
    let store = Store::open_in_memory().unwrap();
    with_finding(&store).await;
    let changes = store.load().await.unwrap().changes;
    assert_eq!(changes, [Changes { app: system("app"), at: at(24), n_openings: 3, n_closings: 1 }]);
}

#[tokio::test]
async fn no_word_is_written_while_a_run_goes_on_and_no_run_begins_beside_a_word() {
    let (_folder, path) = folder();
    let daemon = Store::open(&path).unwrap();
    let found = with_finding(&daemon).await;

    let running = daemon.begin_run().await.unwrap();
    let error = Store::open_beside_runs(&path).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    drop(running);

    let word = Store::open_beside_runs(&path).unwrap();
    let mut running = std::pin::pin!(daemon.begin_run());
    assert!(tokio::time::timeout(Duration::ZERO, &mut running).await.is_err(), "it waits");
    word.dispose(vec![acknowledged(&found)]).await.unwrap();
    drop(word);
    running.await.unwrap();
    let state = daemon.load().await.unwrap().findings[0].state;
    assert_eq!(state, FindingState::Acknowledged, "the run knows of it");
}
