//! A run whose rows are written ahead of the rest is saved as any other: all of it, or none.

use std::sync::Arc;
use std::time::Duration;

use store::{Commit, Saving, Store, StoreError};

use crate::world::{accounts, commit, complete, count, folder, people, snapshot};

/// A night of these people, and one account.
async fn night(store: &Store, n: usize) -> Commit {
    let mut state = store.load().await.unwrap();
    let of_app = snapshot("app", complete(), accounts(&[("a1", n.is_multiple_of(2))]));
    commit(&mut state, vec![snapshot("okta", complete(), people(n)), of_app])
}

/// Writes the rows of its lists.
async fn write_ahead(saving: &mut Saving, mut commit: Commit) -> Result<Commit, StoreError> {
    saving.begin_rows(commit.judged.snapshots.iter_mut().map(|it| (&it.0, &mut it.1))).await?;
    saving.rows_written().await?;
    Ok(commit)
}

/// The file without what differs between two databases that were told the same.
fn dump(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    ["version_pack", "later_version", "snapshot", "ended"]
        .into_iter()
        .flat_map(|table| {
            let mut all = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let n = all.column_count();
            let line = |row: &rusqlite::Row<'_>| {
                (0..n).map(|at| row.get_ref(at).map(|it| format!("{it:?}"))).collect()
            };
            let lines: Vec<String> = all.query_map([], line).unwrap().map(Result::unwrap).collect();
            lines
        })
        .collect()
}

#[tokio::test]
async fn rows_that_are_written_ahead_are_the_same_rows() {
    let (_folder, path) = folder();
    let (_other_folder, other) = folder();
    for n in [3, 5, 4] {
        let store = Store::open(&path).unwrap();
        let commit = night(&store, n).await;
        let mut saving = store.saving(commit.judged.run.id);
        let mut commit = write_ahead(&mut saving, commit).await.unwrap();
        assert!(commit.judged.snapshots.iter().all(|it| it.1.is_written()));
        // What they say is needed no more, and nobody else has seen anything of it yet.
        for (snapshot, _) in &mut commit.judged.snapshots {
            Arc::get_mut(snapshot).unwrap().rows.forget(|_| false);
        }
        let run = commit.judged.run.id;
        saving.begin_judged(commit.judged).await.unwrap();
        let beside = Store::open_existing_read_only(&path).unwrap();
        assert_eq!(beside.load().await.unwrap().next_run(), run);
        saving.commit(commit.told).await.unwrap();
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());

        let store = Store::open(&other).unwrap();
        store.commit(night(&store, n).await).await.unwrap();
    }
    assert_eq!(dump(&path), dump(&other));
}

#[tokio::test]
async fn of_a_run_that_is_given_up_nothing_is_saved() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let first = night(&store, 3).await;
    store.commit(first).await.unwrap();
    let (n_packs, n_runs) = ("SELECT count(*) FROM version_pack", "SELECT count(*) FROM run");
    let before = count(&path, n_packs);

    let given_up = night(&store, 5).await;
    let mut saving = store.saving(given_up.judged.run.id);
    let given_up = write_ahead(&mut saving, given_up).await.unwrap();
    drop(saving);
    // Its rows are not there any more: it cannot be saved without them.
    let error = store.commit(given_up).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    assert_eq!((count(&path, n_packs), count(&path, n_runs)), (before, 1));

    // So it is when what it concluded was written, and what it tells was not.
    let given_up = night(&store, 5).await;
    let run = given_up.judged.run.id;
    let mut saving = store.saving(run);
    let given_up = write_ahead(&mut saving, given_up).await.unwrap();
    saving.begin_judged(given_up.judged).await.unwrap();
    drop(saving);
    let error = store.saving(run).commit(given_up.told).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error}");
    assert_eq!((count(&path, n_packs), count(&path, n_runs)), (before, 1));

    // The same night is saved by the next that looks at it.
    let again = night(&store, 5).await;
    let mut saving = store.saving(again.judged.run.id);
    let again = write_ahead(&mut saving, again).await.unwrap();
    saving.begin_judged(again.judged).await.unwrap();
    saving.commit(again.told).await.unwrap();
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    assert!(count(&path, n_packs) > before);
}

#[tokio::test]
async fn a_store_that_is_dropped_in_the_middle_of_a_run_is_closed() {
    let (_folder, path) = folder();
    for _ in 0..20 {
        // It would be locked if somebody still had it.
        let store = Store::open(&path).unwrap();
        let commit = night(&store, 500).await;
        let mut saving = store.saving(commit.judged.run.id);
        write_ahead(&mut saving, commit).await.unwrap();
        drop(store);
        drop(saving);
    }
    let store = Store::open(&path).unwrap();
    assert!(store.load().await.unwrap().last_run.is_none());
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());

    // Whoever gives up waiting for the commit has it all the same.
    let commit = night(&store, 500).await;
    let waited = tokio::time::timeout(Duration::ZERO, store.commit(commit)).await;
    assert!(waited.is_err(), "nothing of 500 people is written in no time");
    drop(store);
    let store = Store::open(&path).unwrap();
    assert!(store.load().await.unwrap().last_run.is_some());
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn rows_of_a_run_on_an_older_state_are_refused_at_once() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let late = night(&store, 5).await;
    store.commit(night(&store, 3).await).await.unwrap();
    let error = write_ahead(&mut store.saving(late.judged.run.id), late).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

/// A light pass judges the last lists. What a channel took meanwhile is written down at once.
#[tokio::test]
async fn a_run_without_lists_keeps_nobody_waiting_while_it_judges() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let mut state = store.load().await.unwrap();
    let run = commit(&mut state, Vec::new());
    let mut saving = store.saving(run.judged.run.id);
    let run = write_ahead(&mut saving, run).await.unwrap();
    let wait = Duration::from_secs(20);
    let written = tokio::time::timeout(wait, store.add_notices(Vec::new())).await;
    written.expect("it waits for the run").unwrap();
    saving.begin_judged(run.judged).await.unwrap();
    saving.commit(run.told).await.unwrap();
    assert!(store.load().await.unwrap().last_run.is_some());
}

#[tokio::test]
async fn in_memory_nothing_is_written_ahead_and_all_of_it_is_saved() {
    let store = Store::open_in_memory().unwrap();
    let commit = night(&store, 3).await;
    let mut saving = store.saving(commit.judged.run.id);
    let commit = write_ahead(&mut saving, commit).await.unwrap();
    assert!(commit.judged.snapshots.iter().all(|it| !it.1.is_written()));
    // It can be read meanwhile.
    let run = commit.judged.run.id;
    assert_eq!(store.load().await.unwrap().next_run(), run);
    saving.begin_judged(commit.judged).await.unwrap();
    // Of what it concluded, too.
    assert_eq!(store.load().await.unwrap().next_run(), run);
    saving.commit(commit.told).await.unwrap();
    assert!(store.load().await.unwrap().last_run.is_some());
}
