//! What people do: decisions, waivers, registrations.

use domain::{Cause, Decision, Fingerprint, NonHuman};
use store::{NewWaiver, Refusal, Store, StoreError};

use crate::world::{at, commit, count, folder, signature, system};

fn waiver() -> NewWaiver {
    NewWaiver {
        fingerprint: Fingerprint([9; 32]),
        cause: Cause::OrphanActive,
        episode: 0,
        reason: "shared mailbox".to_owned(),
        requested: signature("Ann"),
        expires_at: at(48),
    }
}

#[tokio::test]
async fn a_waiver_needs_two_people() {
    let store = Store::open_in_memory().unwrap();
    let id = store.add_waivers(vec![waiver()]).await.unwrap()[0];
    for own in ["Ann", " ann "] {
        let error = store.approve_waivers(vec![id], signature(own)).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(Refusal::OwnRequest(1))), "{error}");
    }
    assert!(!store.load().await.unwrap().waivers[0].is_in_force(at(1)));
    store.approve_waivers(vec![id], signature("Bob")).await.unwrap();
    let waivers = store.load().await.unwrap().waivers;
    assert_eq!(waivers[0].approved, Some(signature("Bob")));
    assert_eq!(waivers[0].requested, signature("Ann"));
    assert!(waivers[0].is_in_force(at(1)) && !waivers[0].is_in_force(at(48)));
}

#[tokio::test]
async fn waivers_that_cannot_be_approved() {
    let store = Store::open_in_memory().unwrap();
    let id = store.add_waivers(vec![waiver()]).await.unwrap()[0];
    let refused = async |id, by: &str, hours| {
        let approval = domain::Signature { at: at(hours), ..signature(by) };
        match store.approve_waivers(vec![id], approval).await {
            Err(StoreError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(7, "Bob", 1).await, Refusal::NoSuchWaiver(7));
    assert_eq!(refused(id, "Bob", 48).await, Refusal::Expired(id));
    store.approve_waivers(vec![id], signature("Bob")).await.unwrap();
    assert_eq!(refused(id, "Cyd", 1).await, Refusal::Approved(id));

    let mut state = store.load().await.unwrap();
    let mut commit = commit(&mut state, Vec::new());
    commit.judged.voided_waivers = vec![(id, at(2))];
    store.commit(commit).await.unwrap();
    assert_eq!(store.load().await.unwrap().waivers[0].voided_at, Some(at(2)));
    assert_eq!(refused(id, "Cyd", 1).await, Refusal::Void(id));

    let never = NewWaiver { expires_at: at(0), ..waiver() };
    let error = store.add_waivers(vec![waiver(), never]).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(Refusal::NeverInForce)), "{error}");

    let [first, second] = &*store.add_waivers(vec![waiver(), waiver()]).await.unwrap() else {
        panic!("two were asked for");
    };
    let error = store.approve_waivers(vec![*first, id], signature("Bob")).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(Refusal::Void(_))), "{error}");
    let waivers = store.load().await.unwrap().waivers;
    assert!(waivers.iter().all(|it| it.id == id || it.approved.is_none()), "all or none");
    store.approve_waivers(vec![*first, *second], signature("Bob")).await.unwrap();
}

#[tokio::test]
async fn decisions_and_registrations_are_kept_and_never_changed() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let decision = Decision {
        app: system("app"),
        account: "a1".into(),
        identity: (system("okta"), "u1".into()),
        is_owner: false,
        by: "Ann".to_owned(),
        at: at(0),
        reason: "namesake".to_owned(),
        entry: Some(0),
    };
    store.add_decisions(vec![decision.clone()]).await.unwrap();
    let robot = |owner: &str| NonHuman {
        account: "svc".into(),
        owner: Some(owner.into()),
        purpose: None,
        attest_by: Some(at(9)),
    };
    store.register_nonhumans(vec![robot("ann")], signature("Ann")).await.unwrap();
    store.register_nonhumans(vec![robot("bob")], signature("Ann")).await.unwrap();
    let state = store.load().await.unwrap();
    assert_eq!(state.decisions, [decision]);
    assert_eq!(state.nonhumans, [robot("bob")]);
    assert_eq!(count(&path, "SELECT count(*) FROM nonhuman"), 2);

    let connection = rusqlite::Connection::open(&path).unwrap();
    for table in ["decision", "nonhuman"] {
        let error = connection.execute(&format!("DELETE FROM {table}"), []).unwrap_err();
        assert_eq!(error.to_string(), "what a person did is never deleted", "{table}");
    }
}
