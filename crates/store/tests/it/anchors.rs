//! Anchors: asked for with a run, once a day, and lost by no crash.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AnchorKind, AnchorName};
use store::{AnchorSettled, AnchorState, Held, Store};

use crate::world::{at, commit, folder};

/// A run at this time, with one anchor in the settings.
async fn run_at(store: &Store, now: DateTime<Utc>) {
    let mut state = store.load().await.unwrap();
    let mut commit = commit(&mut state, Vec::new());
    commit.judged.run.now = now;
    commit.told.anchors = vec![AnchorName { name: "share".into(), kind: AnchorKind::Folder }];
    store.commit(commit).await.unwrap();
}

/// Size and state of every anchor, oldest first.
async fn stand(store: &Store) -> Vec<(u64, &'static str)> {
    let name = |it: &AnchorState| match it {
        AnchorState::Pending => "pending",
        AnchorState::Failed => "failed",
        AnchorState::Made { .. } => "made",
    };
    let lines = store.anchors().await.unwrap();
    lines.iter().rev().map(|it| (it.size, name(&it.state))).collect()
}

#[tokio::test]
async fn an_anchor_is_asked_for_each_day_and_also_after_the_clock_was_set_back() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    for (hours, size) in [(24, 1), (25, 1), (43, 1), (44, 4), (68, 5), (10, 6)] {
        run_at(&store, at(hours)).await;
        let last = *stand(&store).await.last().unwrap();
        assert_eq!(last, (size, "pending"), "at {hours}");
    }
    // Nobody tried any of them: a later one took their place, and there is nothing to tell.
    assert_eq!(stand(&store).await.iter().filter(|it| it.1 == "failed").count(), 3);
    assert_eq!(store.verify_ledger(Held::default()).await.unwrap().size_and_root().0, 6);
}

#[tokio::test]
async fn a_try_that_a_crash_cut_off_is_made_again_and_one_that_was_made_is_made_once() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run_at(&store, at(24)).await;
    let due = store.due_anchors(at(24)).await.unwrap().remove(0);
    let again_at = at(24) + TimeDelta::minutes(1);
    store.begin_anchor(due.id, again_at).await.unwrap();
    drop(store);

    let store = Store::open(&path).unwrap();
    assert_eq!(store.due_anchors(at(24)).await.unwrap(), [], "not all the time");
    let names = || vec!["share".into()];
    assert_eq!(store.next_anchor(names()).await.unwrap(), Some(again_at));
    assert_eq!(store.next_anchor(vec!["other".into()]).await.unwrap(), None, "nobody makes it");
    let again = store.due_anchors(again_at).await.unwrap().remove(0);
    assert_eq!((again.id, again.n_attempts, &again.note), (due.id, 1, &due.note));
    let later = AnchorSettled::Later { due_at: at(25), why: "no answer".to_owned() };
    store.settle_anchor(due.id, later, again_at).await.unwrap();
    assert_eq!(store.load().await.unwrap().anchors[0].why.as_deref(), Some("no answer"));

    let made = || AnchorSettled::Made { place: "there".to_owned(), proof: b"proof".to_vec() };
    store.settle_anchor(due.id, made(), at(26)).await.unwrap();
    store.settle_anchor(due.id, made(), at(27)).await.unwrap();
    assert_eq!(stand(&store).await, [(1, "made")]);
    assert_eq!(store.next_anchor(names()).await.unwrap(), None);
    let stands = store.load().await.unwrap().anchors;
    assert_eq!((stands[0].last_made_at, &stands[0].why), (Some(at(26)), &None));
    assert_eq!(store.ledger_size().await.unwrap(), 2, "one entry tells of it");
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_tried_and_never_made_is_told_when_a_later_one_takes_its_place() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run_at(&store, at(24)).await;
    let due = store.due_anchors(at(24)).await.unwrap().remove(0);
    store.begin_anchor(due.id, at(25)).await.unwrap();
    run_at(&store, at(48)).await;
    assert_eq!(stand(&store).await, [(1, "failed"), (3, "pending")]);
    let entry = store.ledger_entries(1..2).await.unwrap().remove(0);
    let entry: serde_json::Value = serde_json::from_slice(&entry).unwrap();
    assert_eq!(entry["type"], "anchor.failed");
    assert_eq!(
        entry["body"],
        serde_json::json!({"anchor": "share", "kind": "folder", "size": 1, "tries": 1})
    );
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}
