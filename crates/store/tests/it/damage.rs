//! A damaged file is found, and never brings the process down.

use std::fs;
use std::path::Path;

use domain::{Body, RunId, SnapshotId};
use store::{Store, StoreError};

use crate::world::{accounts, commit, complete, folder, people, snapshot};

/// Two lists, a report and a raw row.
async fn write(path: &Path) {
    let store = Store::open(path).unwrap();
    let mut state = store.load().await.unwrap();
    let mut commit = commit(
        &mut state,
        vec![
            snapshot("okta", complete(), people(60)),
            snapshot("app", complete(), accounts(&[("a1", true), ("a2", false)])),
        ],
    );
    let entity = commit.judged.snapshots[1].1.entities[0];
    commit.told.bodies = vec![Body { entity, bytes: b"{\"id\":\"a1\",\"active\":true}".to_vec() }];
    store.commit(commit).await.unwrap();
}

/// Everything that digests cover, as text.
async fn covered(store: &Store) -> Result<String, StoreError> {
    let (people, accounts) = (store.rows(SnapshotId(1)).await?, store.rows(SnapshotId(2)).await?);
    let report = store.report(RunId(1)).await?;
    let bodies = match accounts.entities.first() {
        Some(entity) => store.bodies(*entity).await?,
        None => Vec::new(),
    };
    Ok(format!("{:?} {:?} {report:?} {bodies:?}", people.rows, accounts.rows))
}

#[tokio::test]
async fn a_flipped_byte_is_an_error_or_a_problem_or_changes_nothing_that_was_seen() {
    let (_folder, path) = folder();
    write(&path).await;
    let sound = fs::read(&path).unwrap();
    let store = Store::open(&path).unwrap();
    let expected = covered(&store).await.unwrap();
    drop(store);

    let mut n_found = 0;
    for place in (0..sound.len()).step_by(211) {
        let mut damaged = sound.clone();
        damaged[place] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        let Ok(store) = Store::open(&path) else {
            n_found += 1;
            continue;
        };
        store.load().await.ok(); // A typed error at worst.
        match (store.verify().await, covered(&store).await) {
            (Ok(problems), Ok(read)) if problems.is_empty() => {
                assert_eq!(read, expected, "byte {place} went unnoticed");
            }
            _ => n_found += 1,
        }
    }
    assert!(n_found > 50, "{n_found} of {} found", sound.len() / 211);
}

#[tokio::test]
async fn verify_says_which_list_report_and_row_are_not_what_was_written() {
    let (_folder, path) = folder();
    write(&path).await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "UPDATE version_pack SET versions = unhex(replace(hex(versions), hex('a1'), hex('a3')))
                 WHERE first = 61;
             DELETE FROM version_pack WHERE first = 1;
             UPDATE report SET sha256 = zeroblob(32);
             UPDATE body SET len = len - 1;",
        )
        .unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    insta::assert_snapshot!(store.verify().await.unwrap().join("\n"), @"
    snapshot 1 of okta identities has 0 rows, not 60
    table `version_pack`, version 61 does not match its hash
    snapshot 2 of app accounts (scim) does not match its digest
    the report of run 1 does not match its digest: restore a backup
    raw row 1 does not match its digest
    the ledger is broken: the report of run 1 is not the one that entry 0 has the digest of; keep this database for whoever looks into it, and compare it with a backup
    ");
    let error = store.report(RunId(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::ReportDamaged { run: RunId(1) }), "{error}");
}

#[tokio::test]
async fn a_pack_of_rows_that_cannot_be_ours_is_named() {
    let (_folder, path) = folder();
    write(&path).await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute(
            "UPDATE version_pack SET versions = CAST(versions || x'00' AS BLOB) WHERE first = 1",
            [],
        )
        .unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    let error = store.rows(SnapshotId(1)).await.unwrap_err();
    insta::assert_snapshot!(error, @"table `version_pack`, column `versions`, key 61 holds what driftline never writes: restore a backup");
}
