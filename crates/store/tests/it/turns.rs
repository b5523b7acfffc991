//! Turns of the schedule and what health checks read: saved with their runs, and read back.

use domain::{List, Pass, Turn};
use store::{Store, Turns};

use crate::world::{at, commit, complete, folder, hold, partial, people, snapshot, stream};

#[tokio::test]
async fn the_newest_turn_is_read_back_and_what_was_missed_adds_up() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.turns().await.unwrap(), Turns::default());

    let turn = |hours: i64, n_missed| Turn {
        due: at(hours),
        began: at(hours + 1),
        n_missed,
        first_missed: (n_missed > 0).then(|| at(hours - 24)),
        schedule: "UTC; 0 2 * * *".to_owned(),
    };
    // The third run was asked for, and is no turn.
    for turn in [Some(turn(24, 0)), Some(turn(96, 2)), None] {
        let mut state = store.load().await.unwrap();
        let mut commit = commit(&mut state, Vec::new());
        commit.judged.turn = turn;
        store.commit(commit).await.unwrap();
    }
    let turns = store.turns().await.unwrap();
    assert_eq!(turns, Turns { last: Some(turn(96, 2)), n_missed: 2 });
}

#[tokio::test]
async fn a_light_pass_is_a_run_and_neither_the_last_turn_nor_a_night() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let turn = |hours: i64| Turn {
        due: at(hours),
        began: at(hours),
        n_missed: 0,
        first_missed: None,
        schedule: "UTC; 0 2 * * *; light */15 * * * *".to_owned(),
    };
    for (pass, hours) in [(Pass::Full, 24), (Pass::Light, 25)] {
        let mut state = store.load().await.unwrap();
        let mut commit = commit(&mut state, Vec::new());
        commit.judged.run.pass = pass;
        commit.judged.turn = Some(turn(hours));
        store.commit(commit).await.unwrap();
    }
    assert_eq!(store.turns().await.unwrap().last, Some(turn(24)));
    let state = store.load().await.unwrap();
    let number = |it: Option<(domain::RunId, _)>| it.map(|it| it.0.0);
    assert_eq!((number(state.last_run), number(state.last_full_run)), (Some(2), Some(1)));
    assert_eq!(state.history.len(), 1);
    let (last, full) = (store.latest_run().await.unwrap(), store.latest_full_run().await.unwrap());
    assert_eq!((last.unwrap().id.0, full.unwrap().id.0), (2, 1));
}

#[tokio::test]
async fn a_list_was_last_seen_whole_when_it_was_whole_and_believed() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    for (hours, coverage, held) in [
        // By a clock that was ahead.
        (900, complete(), None),
        (2, complete(), None),
        (3, partial(), None),
        (4, complete(), Some("rows fell by 40 %".to_owned())),
    ] {
        let mut state = store.load().await.unwrap();
        let mut list = snapshot("okta", coverage, people(3));
        list.as_of.at = at(hours);
        let mut commit = commit(&mut state, vec![list]);
        hold(&mut commit, held);
        store.commit(commit).await.unwrap();
    }
    let whole = store.last_whole().await.unwrap();
    assert_eq!(whole, vec![(stream("okta", List::Identities), at(2))]);

    let requested = store.requested(domain::RunId(4)).await.unwrap();
    assert_eq!((requested.len(), requested[0].n, requested[0].duration_ms), (1, 1, 3));
    assert_eq!(store.requested(domain::RunId(9)).await.unwrap(), Vec::new());
    assert!(store.sizes().unwrap().database > 0);
}
