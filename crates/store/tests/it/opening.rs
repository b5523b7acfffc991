//! Opening a database: locks, versions, files that are something else, killed processes.

use std::fs;
use std::path::Path;

use store::{Store, StoreError};

use crate::world::{complete, count, folder, people, run, snapshot};

/// What a person sees, with the path replaced.
fn told(error: &StoreError, path: &Path) -> String {
    error.to_string().replace(&path.display().to_string(), "DB")
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_database() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }) && error.is_transient());
    insta::assert_snapshot!(told(&error, &path), @"`DB` is in use by another driftline process: wait until it is done, or stop it");

    // A clone shares it; with the last one it is free at once.
    let clone = store.clone();
    drop(store);
    assert!(matches!(Store::open(&path), Err(StoreError::Locked { .. })));
    drop(clone);
    Store::open(&path).unwrap();
}

#[tokio::test]
async fn readers_see_what_was_committed_while_a_run_goes_on_and_never_write() {
    let (_folder, path) = folder();
    let writer = Store::open(&path).unwrap();
    let reader = Store::open_existing_read_only(&path).unwrap();
    assert_eq!(reader.latest_run().await.unwrap(), None);
    run(&writer, vec![snapshot("okta", complete(), people(2))]).await;
    assert_eq!(reader.latest_run().await.unwrap().unwrap().id.0, 1);
    let mut state = reader.load().await.unwrap();
    let commit = crate::world::commit(&mut state, Vec::new());
    let error = reader.commit(commit).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_database_is_not_made_by_reading() {
    let (_folder, path) = folder();
    let error = Store::open_existing_read_only(&path).unwrap_err();
    insta::assert_snapshot!(told(&error, &path), @"no database at `DB`: check the path in the settings, or run `driftline run --once` first");
    assert!(!path.exists());

    let nowhere = path.join("driftline.db");
    assert!(matches!(Store::open(&nowhere), Err(StoreError::Missing { .. })));
}

#[tokio::test]
async fn files_that_are_something_else_are_left_alone() {
    let (_folder, path) = folder();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE cookies (id INTEGER); PRAGMA user_version = 1;").unwrap();
    drop(other);
    let sqlite = fs::read(&path).unwrap();
    let text = b"id,login\n1,ann\n".repeat(100);
    for content in [sqlite, text] {
        fs::write(&path, &content).unwrap();
        for error in
            [Store::open(&path).unwrap_err(), Store::open_existing_read_only(&path).unwrap_err()]
        {
            insta::allow_duplicates! {
                insta::assert_snapshot!(told(&error, &path), @"`DB` is not a driftline database: check the path in the settings");
            }
        }
        assert_eq!(fs::read(&path).unwrap().len(), content.len());
    }
}

#[tokio::test]
async fn a_newer_database_is_left_alone_and_an_older_one_is_not_read() {
    let (_folder, path) = folder();
    drop(Store::open(&path).unwrap());
    let known = count(&path, "SELECT user_version FROM pragma_user_version");
    let set = |version: i64| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    set(99);
    for error in
        [Store::open(&path).unwrap_err(), Store::open_existing_read_only(&path).unwrap_err()]
    {
        insta::allow_duplicates! {
            let told = told(&error, &path).replace(&format!("up to {known}"), "up to KNOWN");
            insta::assert_snapshot!(told, @"`DB` was made by a newer driftline (database version 99, this one knows up to KNOWN): use that version, or restore the backup made before");
        }
    }
    set(known);
    Store::open(&path).unwrap();
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date_with_what_it_holds() {
    let (_folder, path) = folder();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("../../migrations/0001_first.sql")).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection
        .execute_batch(
            "INSERT INTO run VALUES (1, 0, 0, 'driftline', x'00', 1, 1, 0, 0);
             INSERT INTO finding VALUES (1, zeroblob(32), 'app', 'account', 'app', 'a1', 7,
                 'leaver_active', 'critical', 'open', 1, 0, 1, '[]', 0, 0, 0, NULL, NULL, NULL,
                 '[]', 0);
             INSERT INTO finding_seen VALUES (1, 0);",
        )
        .unwrap();
    drop(connection);

    let store = Store::open(&path).unwrap();
    let findings = store.findings().await.unwrap();
    let [finding] = &*findings else { panic!("{findings:?}") };
    assert_eq!((finding.owner, finding.breached_at, finding.held), (None, None, None));
    let copy = format!("{}.v1.bak", path.display());
    assert!(Path::new(&copy).exists(), "the older one is kept");
}

#[tokio::test]
async fn after_a_kill_the_next_run_goes_on_from_the_last_commit() {
    let (folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run(&store, vec![snapshot("okta", complete(), people(20))]).await;
    let wal = |path: &Path| path.with_extension("db-wal");
    let first_len = fs::metadata(wal(&path)).unwrap().len();
    run(&store, vec![snapshot("okta", complete(), people(30))]).await;

    // What a killed process leaves: the file and its WAL, whole, cut short, and garbled.
    let whole = fs::read(wal(&path)).unwrap();
    let cut = whole[..whole.len() - 100].to_vec();
    let mut garbled = whole.clone();
    let in_second = usize::try_from(first_len).unwrap() + 200;
    garbled[in_second] ^= 0xff;
    for (what, left, n_runs) in [("whole", whole, 2), ("cut", cut, 1), ("garbled", garbled, 1)] {
        let copy = folder.path().join(format!("{what}.db"));
        fs::copy(&path, &copy).unwrap();
        fs::write(wal(&copy), left).unwrap();
        let store = Store::open(&copy).unwrap();
        assert_eq!(store.runs().await.unwrap().len(), n_runs, "{what}");
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "{what}");
        run(&store, vec![snapshot("okta", complete(), people(31))]).await;
        assert_eq!(store.runs().await.unwrap().len(), n_runs + 1, "{what}");
    }
}

#[tokio::test]
async fn closing_leaves_one_file_and_its_lock() {
    let (folder, path) = folder();
    let store = Store::open(&path).unwrap();
    run(&store, vec![snapshot("okta", complete(), people(20))]).await;
    store.runs().await.unwrap();
    drop(store);
    let mut left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["driftline.db", "driftline.db.lock"]);
}

#[tokio::test]
async fn a_backup_opens_and_verifies_and_overwrites_nothing() {
    let (folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let enrolled = run(&store, vec![snapshot("okta", complete(), people(20))]).await;
    let to = folder.path().join("copy.db");
    store.backup(&to).await.unwrap();
    let error = store.backup(&to).await.unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error}");

    let copy = Store::open(&to).unwrap();
    assert_eq!(copy.verify().await.unwrap(), Vec::<String>::new());
    let id = enrolled[0].reference.id;
    assert_eq!(copy.rows(id).await.unwrap(), store.rows(id).await.unwrap());
    assert_eq!(
        copy.load().await.unwrap().fingerprint_key,
        store.load().await.unwrap().fingerprint_key
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_may_not_be_written_to_is_said() {
    let path = Path::new("/sys/driftline.db"); // Nobody may make files there, root included.
    let error = Store::open(path).unwrap_err();
    insta::assert_snapshot!(told(&error, path), @"`DB` cannot be written to: check the owner and mode of the file and its folder");
}
