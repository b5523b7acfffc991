//! What was seen reads back: whole snapshots, rows that are gone, the history of one row.

use std::collections::BTreeMap;

use domain::{
    Account, ActiveFlag, Assignment, Coverage, EntityId, Grant, GroupRef, HrLeaver, IdentityKind,
    Invitation, Lifecycle, List, Membership, NonHuman, Principal, Rows, Snapshot, Via,
};
use proptest::prelude::*;
use store::{Digested, Store, StoreError};

use crate::world::{
    account, accounts, at, complete, folder, hold, identity, partial, people, run, snapshot,
    stream, system,
};

/// Every shape that a field of a row can have.
fn one_of_each_shape() -> Vec<Rows> {
    let mut guest = identity("=u", "é\u{1f}1");
    guest.kind = IdentityKind::Guest;
    guest.lifecycle = Lifecycle::Left;
    guest.email = Some("=written so".into());
    guest.immutable_id = Some("".into());
    guest.ends_at = Some(at(1));
    let mut nameless = identity("u2", "x");
    nameless.user_name = None;
    nameless.email = Some("=".into());
    nameless.raw_status = None;

    let mut odd: Vec<Account> = ["a", "b", "c", "d"].map(|id| account(id, false)).into();
    let flags = [
        ActiveFlag::Null,
        ActiveFlag::Absent,
        ActiveFlag::Unparseable("ja".into()),
        ActiveFlag::Set(true),
    ];
    for (account, flag) in odd.iter_mut().zip(flags) {
        account.active = flag;
    }
    odd[0].roles = None;
    odd[1].roles = Some(Vec::new());
    odd[1].invitation = Invitation::Pending;
    odd[2].groups = Some(vec!["Ops".into()]);
    odd[2].active_source = Some("scim".into());
    odd[3].last_used_at = Some(at(2));

    let service = NonHuman {
        account: "svc".into(),
        owner: None,
        purpose: Some("backup".into()),
        attest_by: Some(at(9)),
    };
    let leaver = HrLeaver {
        id: "7".into(),
        employee_number: Some("7".into()),
        email: None,
        display_name: None,
        left_at: at(3),
        reason: Some("resigned".into()),
    };
    vec![
        Rows::Identities(vec![guest, nameless].into()),
        Rows::Accounts(odd.into()),
        Rows::Assignments(assignments().into()),
        Rows::Memberships(memberships().into()),
        Rows::NonHumans(vec![service].into()),
        Rows::Leavers(vec![leaver].into()),
    ]
}

fn user(id: &str) -> Principal {
    Principal::Identity(id.into())
}

fn group(id: &str) -> Principal {
    Principal::Group(id.into())
}

fn assignments() -> Vec<Assignment> {
    let assignment = |principal, via| Assignment {
        principal,
        via,
        grant: Grant::Denies,
        raw_status: Some("DEPROVISIONED".into()),
        account_id: Some("a".into()),
        user_name: None,
        changed_at: Some(at(-1)),
    };
    let named = GroupRef { id: "g1".into(), name: Some("Ops".into()) };
    let unnamed = GroupRef { id: "g2".into(), name: None };
    vec![
        assignment(group("u1"), Via::Direct),
        assignment(user("u1"), Via::Groups(vec![named, unnamed])),
        assignment(user("u2"), Via::Groups(Vec::new())),
        assignment(user("u3"), Via::NotStated),
    ]
}

fn memberships() -> Vec<Membership> {
    vec![
        Membership { group: "a\u{1e}ub".into(), member: group("c") },
        Membership { group: "a".into(), member: user("b\u{1e}uc") },
        Membership { group: "b".into(), member: user("u1") },
    ]
}

#[tokio::test]
async fn every_shape_of_every_row_reads_back() {
    let store = Store::open_in_memory().unwrap();
    let snapshots: Vec<Snapshot> =
        one_of_each_shape().into_iter().map(|rows| snapshot("s", complete(), rows)).collect();
    let enrolled = run(&store, snapshots.clone()).await;
    for (snapshot, enrolled) in snapshots.iter().zip(enrolled) {
        let stored = store.rows(enrolled.reference.id).await.unwrap();
        assert_eq!(stored.rows, snapshot.rows);
        assert_eq!(stored.reference, enrolled.reference);
        assert_eq!(stored.entities, enrolled.entities);
        assert_eq!(stored.notes, snapshot.notes);
        assert_eq!(store.requests(enrolled.reference.id).await.unwrap(), snapshot.requests);
    }
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn last_use_makes_no_version_and_is_told_of_the_newest_snapshot() {
    let store = Store::open_in_memory().unwrap();
    let used = |hours: Option<i64>| {
        let mut used = account("a", true);
        used.last_used_at = hours.map(at);
        snapshot("app", complete(), Rows::Accounts(vec![used].into()))
    };
    let first = run(&store, vec![used(Some(1))]).await;
    let second = run(&store, vec![used(Some(2))]).await;
    assert_eq!((second[0].n_changed, second[0].n_unchanged), (0, 1));
    assert_eq!(first[0].reference.digest, second[0].reference.digest);
    assert_eq!(store.rows(second[0].reference.id).await.unwrap().rows, used(Some(2)).rows);
    assert_eq!(store.rows(first[0].reference.id).await.unwrap().rows, used(None).rows);
    let third = run(&store, vec![used(None)]).await;
    assert_eq!(store.rows(third[0].reference.id).await.unwrap().rows, used(None).rows);
}

#[tokio::test]
async fn a_key_that_a_list_has_twice_is_kept_twice_whatever_the_order() {
    let store = Store::open_in_memory().unwrap();
    let twice = |a: &str, b: &str| {
        snapshot(
            "okta",
            complete(),
            Rows::Identities(vec![identity("u1", a), identity("u1", b)].into()),
        )
    };
    let first = run(&store, vec![twice("ann", "bob")]).await;
    let second = run(&store, vec![twice("bob", "ann")]).await;
    assert_eq!(second[0].n_unchanged, 2);
    assert_eq!(first[0].reference.digest, second[0].reference.digest);
    assert_eq!(store.rows(second[0].reference.id).await.unwrap().rows.len(), 2);
}

#[tokio::test]
async fn the_order_of_a_list_does_not_change_its_digest() {
    let (store, other) = (Store::open_in_memory().unwrap(), Store::open_in_memory().unwrap());
    let rows = people(6_000);
    let forward = run(&store, vec![snapshot("okta", complete(), rows.clone())]).await;
    let rows = rows.select(&Vec::from_iter((0..rows.len()).rev()));
    let backward = run(&other, vec![snapshot("okta", complete(), rows)]).await;
    assert_eq!(forward[0].reference.digest, backward[0].reference.digest);
}

#[tokio::test]
async fn rows_that_are_gone_are_told_with_the_last_list_that_showed_them() {
    let store = Store::open_in_memory().unwrap();
    let list = |all| vec![snapshot("app", complete(), accounts(all))];
    run(&store, list(&[("a", true), ("b", true), ("c", true)])).await;
    run(&store, list(&[("a", true), ("b", false), ("c", true)])).await;
    let third = run(&store, list(&[("a", true), ("c", true)])).await;

    // The next list is set against the past and not yet committed.
    let mut state = store.load().await.unwrap();
    let [snapshot] = &list(&[("a", true)])[..] else { panic!("it is one") };
    let next = state.enrol(snapshot, Digested::of(&snapshot.rows));
    assert_eq!((next.n_gone, next.absent.len()), (1, 2));
    let gone = store.gone(next.absent.clone(), next.reference.id).await.unwrap();
    let told: Vec<(&Rows, i64)> = gone.iter().map(|it| (&it.row, it.last_seen.id.0)).collect();
    assert_eq!(told, [(&accounts(&[("b", false)]), 2), (&accounts(&[("c", true)]), 3)]);
    assert_eq!(gone[0].seen.snapshot.0, 2);

    let stored = store.rows(third[0].reference.id).await.unwrap();
    assert_eq!(stored.absent, third[0].absent);
    assert_eq!(stored.absent, [gone[0].entity]);
}

#[tokio::test]
async fn many_rows_that_are_gone_are_told_like_few() {
    let store = Store::open_in_memory().unwrap();
    run(&store, vec![snapshot("okta", complete(), people(600))]).await;
    let second = run(&store, vec![snapshot("okta", partial(), people(10))]).await;
    let id = second[0].reference.id;
    let all = store.gone(second[0].absent.clone(), id).await.unwrap();
    assert_eq!(all.len(), 590);
    for many in all.iter().step_by(97) {
        assert_eq!(&store.gone(vec![many.entity], id).await.unwrap()[0], many);
    }
}

#[tokio::test]
async fn the_history_of_a_row_has_every_version_and_gap() {
    let store = Store::open_in_memory().unwrap();
    let list = |all| vec![snapshot("app", complete(), accounts(all))];
    let first = run(&store, list(&[("a", true)])).await;
    run(&store, list(&[("a", true)])).await;
    run(&store, list(&[("a", false)])).await;
    run(&store, list(&[])).await;
    run(&store, list(&[("a", false)])).await;
    let history = store.history_of(first[0].entities[0]).await.unwrap();
    let spans: Vec<(i64, i64, Option<i64>)> = history
        .iter()
        .map(|it| (it.first_seen.id.0, it.last_seen.id.0, it.ended.as_ref().map(|it| it.id.0)))
        .collect();
    assert_eq!(spans, [(1, 2, Some(3)), (3, 3, Some(4)), (5, 5, None)]);
    assert_eq!(history[1].row, accounts(&[("a", false)]));
    assert_eq!(store.history_of(EntityId(99)).await.unwrap(), []);
}

#[tokio::test]
async fn a_snapshot_that_never_was_is_an_error() {
    let store = Store::open_in_memory().unwrap();
    let error = store.rows(domain::SnapshotId(3)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "snapshot", key: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_held_or_partial_list_is_the_newest_but_no_base() {
    let store = Store::open_in_memory().unwrap();
    run(&store, vec![snapshot("okta", complete(), people(3))]).await;
    run(&store, vec![snapshot("okta", partial(), people(1))]).await;
    let mut state = store.load().await.unwrap();
    let mut commit =
        crate::world::commit(&mut state, vec![snapshot("okta", complete(), people(2))]);
    hold(&mut commit, Some("fell by a third".to_owned()));
    store.commit(commit).await.unwrap();
    let state = store.load().await.unwrap();
    let okta = &state.streams[&stream("okta", List::Identities)];
    assert_eq!(okta.base.as_ref().unwrap().id.0, 1);
    let latest = okta.latest.as_ref().unwrap();
    assert_eq!((latest.id.0, latest.held.as_deref()), (3, Some("fell by a third")));
    assert_eq!(okta.known.rows().count(), 3);
    assert!(state.judged_apps.contains_key(&system("app")));
}

/// One list of one night: which stream, complete or not, and the state of each row seen.
type Night = (usize, bool, BTreeMap<u8, u8>);

fn rows_of(night: &Night) -> Snapshot {
    let (which, is_complete, rows) = night;
    let coverage: Coverage = if *is_complete { complete() } else { partial() };
    let rows = rows.iter().map(|(key, value)| (format!("k{key}"), *value));
    match which {
        0 => snapshot(
            "okta",
            coverage,
            Rows::Identities(
                rows.map(|(key, value)| identity(&key, &format!("n{value}"))).collect(),
            ),
        ),
        1 => snapshot(
            "entra",
            coverage,
            Rows::Identities(
                rows.map(|(key, value)| identity(&key, &format!("n{value}"))).collect(),
            ),
        ),
        _ => snapshot(
            "app",
            coverage,
            Rows::Accounts(rows.map(|(key, value)| account(&key, value % 2 == 0)).collect()),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_of_lists_reads_back_exactly(
        nights in prop::collection::vec(
            prop::collection::vec(
                (0..3_usize, any::<bool>(), prop::collection::btree_map(0..8_u8, 0..3_u8, 0..8)),
                0..3,
            ),
            1..7,
        )
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_folder, path) = folder();
            let mut seen = Vec::new();
            for night in &nights {
                let store = Store::open(&path).unwrap();
                let once: BTreeMap<usize, &Night> = night.iter().map(|it| (it.0, it)).collect();
                let lists: Vec<Snapshot> = once.into_values().map(rows_of).collect();
                let enrolled = run(&store, lists.clone()).await;
                seen.extend(lists.into_iter().zip(enrolled));
            }
            let store = Store::open(&path).unwrap();
            for (list, enrolled) in &seen {
                let stored = store.rows(enrolled.reference.id).await.unwrap();
                assert_eq!(&stored.rows, &list.rows);
                assert_eq!(&stored.entities, &enrolled.entities);
                assert_eq!(&stored.absent, &enrolled.absent);
                assert_eq!(&stored.reference, &enrolled.reference);
                let gone = store.gone(stored.absent.clone(), enrolled.reference.id).await.unwrap();
                assert_eq!(gone.len(), stored.absent.len());
            }
            assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
        });
    }
}
