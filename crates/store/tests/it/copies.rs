//! Copies that were made while runs were saved: a backup is one saved state, and a copy of the bare
//! files is one too, or is found to be none. Every way in which such a copy can fall between runs is
//! tried.

use std::fs;
use std::path::{Path, PathBuf};

use domain::{Change, FindingEvent};
use sha2::{Digest as _, Sha256};
use store::Store;

use crate::world::{accounts, at, commit, complete, finding, folder, people, snapshot};

/// Nights that are saved. Every third the program ends, and the log is written into the database.
const NIGHTS: usize = 6;

/// The files of a database at one moment; no log is an empty one.
#[derive(Clone, PartialEq, Eq)]
struct Files {
    database: Vec<u8>,
    log: Vec<u8>,
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

impl Files {
    fn of(path: &Path) -> Self {
        Self {
            database: fs::read(path).unwrap(),
            log: fs::read(beside(path, "-wal")).unwrap_or_default(),
        }
    }

    /// Writes them down as a copy of the bare files would be.
    fn put(&self, path: &Path) {
        for suffix in ["-wal", "-shm", ".lock"] {
            fs::remove_file(beside(path, suffix)).ok(); // There may be none.
        }
        fs::write(path, &self.database).unwrap();
        if !self.log.is_empty() {
            fs::write(beside(path, "-wal"), &self.log).unwrap();
        }
    }
}

/// Saves a night in which people come, accounts change and a finding goes on.
async fn night(store: &Store, n: usize) {
    let mut state = store.load().await.unwrap();
    let lists = vec![
        snapshot("okta", complete(), people(20 + n)),
        snapshot(
            "app",
            complete(),
            accounts(&[("a1", n.is_multiple_of(2)), ("a2", n.is_multiple_of(3))]),
        ),
    ];
    let mut commit = commit(&mut state, lists);
    let run = commit.judged.run.id;
    let account = commit.judged.snapshots[1].1.entities[0];
    let known = state.findings.first().cloned();
    let mut found = known.unwrap_or_else(|| finding(domain::FindingId(1), run, account));
    found.last_seen_at = at(24 * run.0);
    commit.judged.events = vec![FindingEvent {
        finding: found.id,
        at: at(24 * run.0),
        run: Some(run),
        change: Change::Unchanged,
        cause: found.cause,
        severity: found.severity,
        state: found.state,
        because: format!("night {n}"),
    }];
    commit.judged.findings.changed = vec![found];
    store.commit(commit).await.unwrap();
}

/// Everything in a database, as a digest; `None`: it cannot be read.
fn content(path: &Path) -> Option<[u8; 32]> {
    let connection = rusqlite::Connection::open(path).ok()?;
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = connection.prepare(sql).ok()?;
    let names: Result<Vec<String>, _> = names.query_map([], |row| row.get(0)).ok()?.collect();
    let mut digest = Sha256::new();
    for name in names.ok()? {
        digest.update(&name);
        let mut table = connection.prepare(&format!("SELECT * FROM \"{name}\"")).ok()?;
        let n_columns = table.column_count();
        let mut rows = table.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            for at in 0..n_columns {
                digest.update(format!("{:?}", row.get_ref(at).ok()?));
            }
        }
    }
    Some(digest.finalize().into())
}

/// What every copy must be: one of the states that were saved, whole, or found broken.
async fn is_found_broken(path: &Path) -> bool {
    // As `db verify` opens it: a file that holds nothing yet is refused there.
    let Ok(store) = Store::open_existing_read_only(path) else { return true };
    let is_broken = store.verify().await.is_ok_and(|it| !it.is_empty());
    is_broken || store.verify().await.is_err() || store.load().await.is_err()
}

#[tokio::test]
async fn a_copy_of_the_bare_files_is_a_saved_state_or_is_found_broken() {
    let (_folder, path) = folder();
    let (mut moments, mut saved) = (Vec::new(), Vec::new());
    let mut store = Store::open(&path).unwrap();
    for n in 0..NIGHTS {
        night(&store, n).await;
        moments.push(Files::of(&path));
        if n % 3 == 2 {
            // The last one out writes the log into the database.
            drop(store);
            moments.push(Files::of(&path));
            store = Store::open(&path).unwrap();
        }
        saved.push(content(&path).unwrap());
    }
    drop(store);

    let (_other, copy) = folder();
    let (mut n_whole, mut n_broken) = (0, 0);
    for database in &moments {
        for log in &moments {
            // Half of the database was copied at one moment, half at the other.
            let half = database.database.len().min(log.database.len()) / 2;
            let (head, tail) = (&database.database[..half], &log.database[half..]);
            let torn = [head, tail].concat();
            for database in [&database.database, &torn] {
                Files { database: database.clone(), log: log.log.clone() }.put(&copy);
                if is_found_broken(&copy).await {
                    n_broken += 1;
                    continue;
                }
                let is_saved = content(&copy).is_some_and(|it| saved.contains(&it));
                assert!(is_saved, "a copy that nobody saved passes for whole");
                n_whole += 1;
            }
        }
    }
    // Both were met.
    assert!(n_whole > NIGHTS && n_broken > NIGHTS, "{n_whole} whole, {n_broken} broken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_made_while_runs_are_saved_is_one_of_them() {
    let (folder, path) = folder();
    let store = Store::open(&path).unwrap();
    night(&store, 0).await;
    let writer = store.clone();
    let nights = tokio::spawn(async move {
        for n in 1..NIGHTS {
            night(&writer, n).await;
        }
    });
    let mut n_backups = 0;
    let mut is_over = false;
    // One more after the last night.
    while !is_over {
        is_over = nights.is_finished();
        let copy = folder.path().join(format!("copy{n_backups}.db"));
        store.backup(&copy).await.unwrap();
        let copy = Store::open_existing_read_only(&copy).unwrap();
        assert_eq!(copy.verify().await.unwrap(), [""; 0]);
        let n_runs = copy.runs().await.unwrap().len();
        let rows = copy.load().await.unwrap();
        assert_eq!(rows.last_run.map(|it| it.0.0), i64::try_from(n_runs).ok());
        n_backups += 1;
    }
    nights.await.unwrap();
    assert!(n_backups > 1);
}
