//! Somebody writes to the database behind Driftline's back: what is caught, and by what.

use std::path::{Path, PathBuf};

use ledger::{Broken, Checkpoint, Edge, Note, SecretKey, leaf_hash};
use rusqlite::Connection;
use store::{Held, Store, StoreError};

use crate::entries::{head, key, run};
use crate::world::folder;

/// Three runs of three entries each; signed, where there is a key: then the key is entry 0.
async fn written(is_signed: bool) -> (tempfile::TempDir, PathBuf, Checkpoint) {
    let (folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    if is_signed {
        let key = key(&store, 1).await;
        store = store.signed_by(key);
    }
    run(&store).await;
    run(&store).await;
    let held = head(&store).await;
    run(&store).await;
    (folder, path, held)
}

/// Writes to the tables as their owner can: what forbids it is dropped first.
fn tamper(path: &Path, work: impl Fn(&Connection)) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER ledger_entry_no_update; DROP TRIGGER ledger_entry_no_delete;
             DROP TRIGGER checkpoint_no_update; DROP TRIGGER checkpoint_no_delete;
             PRAGMA foreign_keys = OFF;",
        )
        .unwrap();
    work(&connection);
}

fn sql(path: &Path, sql: &str) {
    tamper(path, |connection| connection.execute_batch(sql).unwrap());
}

async fn verify(path: &Path, held: Held) -> Result<(), Broken> {
    match Store::open_existing_read_only(path).unwrap().verify_ledger(held).await {
        Ok(_) => Ok(()),
        Err(StoreError::Ledger(broken)) => Err(broken),
        Err(other) => panic!("{other}"),
    }
}

async fn broken(path: &Path) -> Broken {
    verify(path, Held::default()).await.unwrap_err()
}

/// Makes hashes and checkpoints anew from the entries that there are, and signs them, if it can.
fn recompute(path: &Path, key: Option<&SecretKey>) {
    tamper_again(path, |connection| {
        let mut statement =
            connection.prepare("SELECT seq, entry FROM ledger_entry ORDER BY seq").unwrap();
        let entries: Vec<(i64, Vec<u8>)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut statement = connection.prepare("SELECT size, note FROM checkpoint").unwrap();
        let notes: Vec<(i64, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut edge = Edge::default();
        for (seq, entry) in entries {
            let hash = leaf_hash(&entry);
            connection
                .execute("UPDATE ledger_entry SET hash = ?1 WHERE seq = ?2", (&hash[..], seq))
                .unwrap();
            edge.push(hash);
            let Some((size, note)) = notes.iter().find(|it| it.0 == seq + 1) else { continue };
            let old = Note::parse(note).unwrap();
            let origin = Checkpoint::parse(old.text()).unwrap().origin;
            let new = Checkpoint { origin, size: edge.size(), root: edge.root() }.to_string();
            let mut signed = Note::new(new.clone());
            key.into_iter().for_each(|it| signed.sign(it));
            // Without the key: the old signature under the new text.
            let forged = note.replacen(old.text(), &new, 1);
            let note = if key.is_some() { signed.to_string() } else { forged };
            connection
                .execute(
                    "UPDATE checkpoint SET note = ?1, peaks = ?2 WHERE size = ?3",
                    (note, edge.peaks().as_flattened(), size),
                )
                .unwrap();
        }
    });
}

fn tamper_again(path: &Path, work: impl Fn(&Connection)) {
    work(&Connection::open(path).unwrap());
}

const EDIT: &str = "UPDATE ledger_entry SET entry = CAST(replace(CAST(entry AS TEXT), '\"waiver\":7', '\"waiver\":8') AS BLOB) WHERE seq = 4";
const BACK_DATE: &str = "UPDATE ledger_entry SET entry = CAST(replace(CAST(entry AS TEXT), '\"at\":\"2024', '\"at\":\"2023') AS BLOB) WHERE seq = 4";
const REMOVE: &str = "DELETE FROM ledger_entry WHERE seq = 4";
const REORDER: &str = "UPDATE ledger_entry SET seq = -1 WHERE seq = 4; UPDATE ledger_entry SET seq = 4 WHERE seq = 3; UPDATE ledger_entry SET seq = 3 WHERE seq = -1";
const TRUNCATE: &str =
    "DELETE FROM ledger_entry WHERE seq >= 6; DELETE FROM checkpoint WHERE size > 6";
const CLOSE_UP: &str = "UPDATE ledger_entry SET seq = seq - 1 WHERE seq > 4; UPDATE checkpoint SET size = size - 1 WHERE size > 4";

#[tokio::test]
async fn the_database_itself_refuses_changes_of_the_ledger() {
    let (_folder, path, _) = written(false).await;
    let connection = Connection::open(&path).unwrap();
    for statement in [EDIT, REMOVE, "UPDATE checkpoint SET note = ''", "DELETE FROM checkpoint"] {
        let error = connection.execute_batch(statement).unwrap_err();
        assert!(error.to_string().contains("in the ledger is never"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn what_is_changed_without_more_is_named_exactly() {
    for (attack, expected) in [
        (EDIT, Broken::Altered { seq: 4 }),
        (BACK_DATE, Broken::Altered { seq: 4 }),
        (REMOVE, Broken::Missing { seq: 4 }),
        (REORDER, Broken::Altered { seq: 3 }),
        (TRUNCATE, Broken::NoRun { run: 3 }),
        ("DELETE FROM ledger_entry WHERE seq >= 6", Broken::Missing { seq: 6 }),
        ("DELETE FROM checkpoint WHERE size > 6", Broken::Unchecked { seq: 6 }),
        (
            "UPDATE ledger_entry SET kind = 'run.completed' WHERE seq = 4",
            Broken::Altered { seq: 4 },
        ),
        (
            "UPDATE checkpoint SET peaks = zeroblob(64) WHERE size = 6",
            Broken::Checkpoint { size: 6 },
        ),
        ("UPDATE checkpoint SET note = 'x' WHERE size = 6", Broken::Checkpoint { size: 6 }),
        (
            "UPDATE report SET sha256 = zeroblob(32) WHERE run = 2",
            Broken::Report { run: 2, seq: 5 },
        ),
    ] {
        let (_folder, path, _) = written(false).await;
        sql(&path, attack);
        assert_eq!(broken(&path).await, expected, "{attack}");
        let problems = Store::open(&path).unwrap().verify().await.unwrap();
        let said = expected.to_string();
        assert!(problems.iter().any(|it| it.contains(&said)), "{attack}: {problems:?}");
    }
}

#[tokio::test]
async fn a_tree_made_anew_without_the_key_is_caught_by_the_signatures() {
    for attack in [EDIT, BACK_DATE] {
        let (_folder, path, _) = written(true).await;
        sql(&path, attack);
        recompute(&path, None);
        assert!(matches!(broken(&path).await, Broken::Forged { size: 7, .. }), "{attack}");
    }
    let (_folder, path, _) = written(true).await;
    sql(&path, EDIT);
    recompute(&path, None);
    tamper_again(&path, |connection| {
        let sql = "UPDATE checkpoint SET note = substr(note, 1, instr(note, char(10, 10)))";
        connection.execute(sql, []).unwrap();
    });
    let Broken::Unsigned { size: 4, .. } = broken(&path).await else { panic!() };
}

#[tokio::test]
async fn a_tree_made_anew_without_any_key_is_caught_by_a_checkpoint_that_somebody_holds() {
    for attack in [EDIT, BACK_DATE] {
        let (_folder, path, held) = written(false).await;
        sql(&path, attack);
        recompute(&path, None);
        assert_eq!(verify(&path, Held::default()).await, Ok(()), "{attack}: unsigned");
        let held = Held { checkpoint: Some(held), key: None };
        assert_eq!(verify(&path, held).await, Err(Broken::Rewritten { held: 6 }), "{attack}");
    }
}

#[tokio::test]
async fn a_history_made_anew_with_the_key_is_caught_by_a_checkpoint_that_somebody_holds() {
    let (_folder, path, held) = written(true).await;
    let secret = key(&Store::open(&path).unwrap(), 1).await;
    sql(&path, EDIT);
    recompute(&path, Some(&secret));
    let trusting = |checkpoint| Held { checkpoint, key: Some(secret.public().clone()) };
    assert_eq!(verify(&path, trusting(None)).await, Ok(()), "whoever has the key can sign");
    let caught = verify(&path, trusting(Some(held))).await;
    assert_eq!(caught, Err(Broken::Rewritten { held: 7 }));
}

#[tokio::test]
async fn newest_entries_taken_off_with_their_run_are_caught_by_a_checkpoint_that_somebody_holds() {
    let (_folder, path, held) = written(false).await;
    sql(
        &path,
        "DELETE FROM ledger_entry WHERE seq >= 3; DELETE FROM checkpoint WHERE size > 3;
         DELETE FROM report WHERE run > 1; DELETE FROM run WHERE id > 1",
    );
    assert_eq!(verify(&path, Held::default()).await, Ok(()));
    let held = Held { checkpoint: Some(held), key: None };
    assert_eq!(verify(&path, held).await, Err(Broken::Shorter { size: 3, held: 6 }));
}

#[tokio::test]
async fn an_entry_that_was_moved_says_another_place_than_it_has_though_the_tree_is_made_anew() {
    for (attack, seq) in [(format!("{REMOVE}; {CLOSE_UP}"), 4), (REORDER.to_owned(), 3)] {
        let (_folder, path, _) = written(false).await;
        sql(&path, &attack);
        recompute(&path, None);
        assert_eq!(broken(&path).await, Broken::Altered { seq }, "{attack}");
    }
}

#[tokio::test]
async fn a_changed_fact_beside_an_entry_is_named() {
    let (_folder, path, _) = written(false).await;
    let store = Store::open(&path).unwrap();
    store.add_decisions(vec![crate::entries::decision("Ada")]).await.unwrap();
    drop(store);
    sql(&path, "UPDATE disclosure SET text = 'WyJzYWx0IiwgImJ5IiwgIkdyYWNlIl0' WHERE nth = 1");
    assert_eq!(broken(&path).await, Broken::Fact { seq: 9 });
}

#[tokio::test]
async fn nothing_is_appended_to_a_head_that_is_not_what_was_written() {
    for attack in [
        "UPDATE checkpoint SET peaks = zeroblob(64) WHERE size = 9",
        "DELETE FROM checkpoint WHERE size > 6",
    ] {
        let (_folder, path, _) = written(false).await;
        sql(&path, attack);
        let store = Store::open(&path).unwrap();
        let decisions = vec![crate::entries::decision("Ada")];
        let error = store.add_decisions(decisions).await.unwrap_err();
        assert!(matches!(error, StoreError::Ledger(_)), "{attack}: {error}");
    }
    // What is broken further back stops nothing, and stays broken.
    let (_folder, path, _) = written(false).await;
    sql(&path, EDIT);
    let store = Store::open(&path).unwrap();
    run(&store).await;
    assert_eq!(broken(&path).await, Broken::Altered { seq: 4 });
}
