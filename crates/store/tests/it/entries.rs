//! What is appended to the ledger, under which checkpoint, and signed by whom.

use domain::Decision;
use ledger::{Broken, Checkpoint, Event, Kind, LedgerError, PublicKey, SecretKey};
use store::{Held, Store, StoreError};

use crate::world::{at, commit, count, folder, signature, system};

/// A key of this store's ledger.
pub(crate) async fn key(store: &Store, seed: u8) -> SecretKey {
    let origin = store.ledger_origin().await.unwrap();
    SecretKey::parse(&SecretKey::text_of(&origin, &[seed; 32]).unwrap()).unwrap()
}

/// A run with two entries besides its own.
pub(crate) async fn run(store: &Store) {
    let mut state = store.load().await.unwrap();
    let mut commit = commit(&mut state, Vec::new());
    // Of a kind that no line of a table is behind.
    let at = (commit.judged.run.id, commit.judged.run.now);
    let told = Event { kind: Kind::SelfcheckFailed, ..Event::exception_voided(at, 7) };
    commit.told.entries.splice(0..0, [told.clone(), told]);
    store.commit(commit).await.unwrap();
}

pub(crate) fn decision(by: &str) -> Decision {
    Decision {
        app: system("app"),
        account: "a1".into(),
        identity: (system("okta"), "u1".into()),
        is_owner: true,
        by: by.to_owned(),
        at: at(3),
        reason: "asked Dana Whitfield".to_owned(),
        entry: None,
    }
}

pub(crate) async fn head(store: &Store) -> Checkpoint {
    Checkpoint::parse(store.ledger_head().await.unwrap().unwrap().text()).unwrap()
}

#[tokio::test]
async fn a_run_and_what_people_do_are_appended_with_it() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.ledger_head().await.unwrap(), None);
    run(&store).await;
    store.add_decisions(vec![decision("Ada")]).await.unwrap();
    run(&store).await;
    let verified = store.verify_ledger(Held::default()).await.unwrap();
    assert_eq!((verified.size_and_root().0, verified.n_checkpoints), (7, 3));
    assert!(verified.signed_by.is_empty(), "nobody has a key");
    assert_eq!(head(&store).await.root, ledger::root_of(store.ledger_hashes(7).await.unwrap()));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_not_saved_is_not_in_the_ledger() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run(&store).await;
    let mut state = store.load().await.unwrap();
    let stale = commit(&mut state, Vec::new());
    run(&store).await;
    let error = store.commit(stale).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    assert_eq!(head(&store).await.size, 6);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_entry_names_nobody_and_what_it_hides_is_gone_by_an_erasure_or_is_missed() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.add_decisions(vec![decision("Ada"), decision("Ada")]).await.unwrap();
    let entries = store.ledger_entries(0..9).await.unwrap();
    let texts: Vec<String> = entries.into_iter().map(|it| String::from_utf8(it).unwrap()).collect();
    for text in &texts {
        // As whole values: a nonce may have any few letters.
        for personal in ["\"Ada\"", "\"Dana\"", "\"u1\"", "\"a1\""] {
            assert!(!text.contains(personal), "{personal}: {text}");
        }
    }
    let subject = |text: &str| {
        let entry: serde_json::Value = serde_json::from_str(text).unwrap();
        (entry["actor"].as_str().unwrap().to_owned(), entry["subject"].as_str().unwrap().to_owned())
    };
    assert_eq!(subject(&texts[0]), subject(&texts[1]), "the same people have the same names");
    drop(store);
    // The entries are what they were without it. That nobody was erased is seen.
    let gone = [
        ("DELETE FROM ledger_subject", Broken::Name { seq: 0 }),
        ("DELETE FROM disclosure WHERE nth > 0", Broken::FactGone { seq: 0 }),
    ];
    for (sql, expected) in gone {
        let connection = rusqlite::Connection::open(&path).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0);
        drop(connection);
        let store = Store::open(&path).unwrap();
        match store.verify_ledger(Held::default()).await {
            Err(StoreError::Ledger(broken)) => assert_eq!(broken, expected, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

/// So many are sealed and inserted in stretches, by two threads.
#[tokio::test]
async fn thousands_of_entries_in_one_save_stand_in_their_order_with_their_own_facts() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let by = |at: u64| format!("Ada {at}");
    store.add_decisions((0..2500).map(|at| decision(&by(at))).collect()).await.unwrap();
    let verified = store.verify_ledger(Held::default()).await.unwrap();
    assert_eq!(verified.size_and_root().0, 2500);
    for seq in [0, 1023, 1024, 2047, 2048, 2499] {
        let texts = store.disclosures(seq).await.unwrap();
        let facts: Vec<_> = texts.iter().filter_map(|it| ledger::disclosed(it)).collect();
        assert!(facts.contains(&("by".to_owned(), by(seq).into())), "{seq}: {facts:?}");
    }
}

#[tokio::test]
async fn the_first_key_announces_itself_and_later_ones_are_announced_by_it() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    run(&store).await;
    let (first, second) = (key(&store, 1).await, key(&store, 2).await);
    let public: PublicKey = first.public().clone();
    store = store.signed_by(first);
    run(&store).await;
    let verified = store.verify_ledger(Held::default()).await.unwrap();
    assert_eq!(verified.signed_by, std::slice::from_ref(&public));
    assert_eq!(verified.keys.keys()[0].added, 3, "before what it signs first");

    // A key that nobody announced.
    let stranger = store.clone().signed_by(key(&store, 2).await);
    let error = stranger.add_decisions(vec![decision("Ada")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Entry(LedgerError::KeyUnknown { .. })), "{error}");

    store.add_ledger_key(second, signature("Ada")).await.unwrap();
    run(&stranger).await;
    let held = Held { key: Some(public.clone()), ..Held::default() };
    let verified = store.verify_ledger(held).await.unwrap();
    assert_eq!(verified.signed_by, [stranger_key(&stranger).await]);

    stranger.revoke_ledger_key(public, "rotated".to_owned(), signature("Ada")).await.unwrap();
    let error = store.add_decisions(vec![decision("Ada")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Entry(LedgerError::KeyRevoked { .. })), "{error}");
    run(&stranger).await;
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn in_the_time_of_both_keys_both_sign_and_who_trusts_either_can_check() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run(&store.clone().signed_by(key(&store, 1).await)).await;
    let first = store.clone().signed_by(key(&store, 1).await);
    first.add_ledger_key(key(&store, 2).await, signature("Ada")).await.unwrap();
    let both =
        || async { store.clone().signed_by_both(key(&store, 2).await, key(&store, 1).await) };
    run(&both().await).await;
    let (old, new) = (key(&store, 1).await.public().clone(), stranger_key(&store).await);
    for trusted in [&old, &new] {
        let held = Held { key: Some(trusted.clone()), ..Held::default() };
        let verified = store.verify_ledger(held).await.unwrap();
        assert_eq!(verified.signed_by, [old.clone(), new.clone()]);
    }
    // The old one ends by a word of the new one, and signs no more, though it is still named.
    both().await.revoke_ledger_key(old, "rotated".to_owned(), signature("Ada")).await.unwrap();
    run(&both().await).await;
    let verified = store.verify_ledger(Held::default()).await.unwrap();
    assert_eq!(verified.signed_by, [new]);

    let stranger = store.clone().signed_by_both(key(&store, 2).await, key(&store, 3).await);
    let error = stranger.add_decisions(vec![decision("Ada")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Entry(LedgerError::KeyUnknown { .. })), "{error}");
}

async fn stranger_key(store: &Store) -> PublicKey {
    key(store, 2).await.public().clone()
}

#[tokio::test]
async fn a_ledger_that_is_signed_is_signed_until_its_key_is_revoked() {
    let (_folder, path) = folder();
    let plain = Store::open(&path).unwrap();
    let public = key(&plain, 1).await.public().clone();
    run(&plain.clone().signed_by(key(&plain, 1).await)).await;
    let error = plain.add_decisions(vec![decision("Ada")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Entry(LedgerError::KeyNeeded { .. })), "{error}");
    assert_eq!(plain.load().await.unwrap().decisions, [], "nothing of it is saved");

    plain.revoke_ledger_key(public, "lost".to_owned(), signature("Ada")).await.unwrap();
    run(&plain).await;
    let verified = plain.verify_ledger(Held::default()).await.unwrap();
    assert!(verified.signed_by.is_empty());
    assert!(verified.keys.keys()[0].revoked.is_some());
}

#[tokio::test]
async fn a_database_from_before_the_ledger_says_which_runs_have_no_entry() {
    let (_folder, path) = folder();
    {
        let store = Store::open(&path).unwrap();
        let mut state = store.load().await.unwrap();
        let mut commit = commit(&mut state, Vec::new());
        commit.told.entries = Vec::new();
        store.commit(commit).await.unwrap();
    }
    // As the migration leaves a database of one run.
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "UPDATE meta SET value = CAST(2 AS BLOB) WHERE key = 'ledger_first_run'";
    connection.execute(sql, []).unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    run(&store).await;
    assert!(store.verify_ledger(Held::default()).await.is_ok());
    let first = store.ledger_entries(0..1).await.unwrap().pop().unwrap();
    let first = String::from_utf8(first).unwrap();
    assert!(first.contains("\"gap.declared\"") && first.contains("\"last_run\":1"), "{first}");
    assert_eq!(count(&path, "SELECT count(*) FROM run"), 2);
}
