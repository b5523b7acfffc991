//! A moment of the database: where each table ended, and how what changes in place stood. With it a
//! copy can be brought back to that moment. Never touches the database itself.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::{StoreError, overwritten, tails};

/// One moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// The last row of each table whose rows are numbered.
    tails: BTreeMap<String, i64>,
    /// Approvals and ends, whose rows bear the number of what they are about.
    approved_waivers: Vec<i64>,
    void_waivers: Vec<i64>,
    approved_releases: Vec<i64>,
    /// Anchors that waited.
    pending_anchors: Vec<i64>,
    /// Lists that were asked for and never seen whole: written anew by each run.
    unseen: Vec<(String, Option<String>, i64)>,
    /// What was written over in findings until then.
    overwritten: i64,
}

/// Tables without numbered rows, all that a run reads: what of them is later than the moment, by the last row of the table
/// that they belong to.
const LATER: [(&str, &str, &str); 8] = [
    ("judged_app", "first_run", "run"),
    ("other_request", "run", "run"),
    ("row_body", "run", "run"),
    ("guard_count", "run", "run"),
    ("request", "snapshot", "snapshot"),
    ("ended", "snapshot", "snapshot"),
    ("guard_release_finding", "guard_release", "guard_release"),
    ("disclosure", "entry", "ledger_entry"),
];

impl Moment {
    /// This one.
    pub(crate) fn of(connection: &Connection) -> Result<Self, StoreError> {
        let ids = |sql: &str| -> Result<Vec<i64>, StoreError> {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        };
        // Its places count from 0, where other tables have no row.
        let mut tails = tails::all(connection)?;
        let last = "SELECT coalesce(max(seq), -1) FROM ledger_entry";
        tails.insert("ledger_entry".to_owned(), connection.query_row(last, [], |row| row.get(0))?);
        let sql = "SELECT system, list, since_ms FROM unseen ORDER BY id";
        let mut unseen = connection.prepare_cached(sql)?;
        let unseen = unseen.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Self {
            tails,
            approved_waivers: ids("SELECT waiver FROM waiver_approval ORDER BY waiver")?,
            void_waivers: ids("SELECT waiver FROM waiver_void ORDER BY waiver")?,
            approved_releases: ids(
                "SELECT guard_release FROM guard_release_approval ORDER BY guard_release",
            )?,
            pending_anchors: ids("SELECT id FROM anchor WHERE state = 'pending' ORDER BY id")?,
            unseen: unseen.collect::<Result<_, _>>()?,
            overwritten: overwritten::last(connection)?,
        })
    }

    /// The same with `n` entries in the ledger.
    pub(crate) fn with_entries(mut self, n: u64) -> Self {
        self.tails.insert("ledger_entry".to_owned(), n.cast_signed() - 1);
        self.tails.insert("checkpoint".to_owned(), n.cast_signed());
        self
    }

    fn tail(&self, table: &str) -> Result<i64, StoreError> {
        let missing = StoreError::Corrupt { table: "meta", column: "moment", key: 0 };
        self.tails.get(table).copied().ok_or(missing)
    }

    /// Brings a copy back to it. Nothing that guards the rows of the database may be in force there.
    pub(crate) fn bring_back(&self, copy: &Connection) -> Result<(), StoreError> {
        overwritten::bring_back(copy, self.overwritten, self.tail("finding")?)?;
        let first_version = "SELECT coalesce(min(first), 9223372036854775807) FROM version_pack WHERE snapshot > ?1";
        let first_version: i64 =
            copy.query_row(first_version, [self.tail("snapshot")?], |row| row.get(0))?;
        copy.execute("DELETE FROM later_version WHERE version >= ?1", [first_version])?;
        copy.execute("DELETE FROM version_pack WHERE snapshot > ?1", [self.tail("snapshot")?])?;
        for (table, column, of) in LATER {
            let sql = format!("DELETE FROM {table} WHERE {column} > ?1");
            copy.execute(&sql, [self.tail(of)?])?;
        }
        let kept = [
            ("waiver_approval", "waiver", &self.approved_waivers),
            ("waiver_void", "waiver", &self.void_waivers),
            ("guard_release_approval", "guard_release", &self.approved_releases),
        ];
        for (table, column, ids) in kept {
            let mut all = copy.prepare(&format!("SELECT {column} FROM {table}"))?;
            let all: Vec<i64> = all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for id in all.iter().filter(|it| ids.binary_search(it).is_err()) {
                copy.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [id])?;
            }
        }
        for table in tails::all(copy)?.keys() {
            // A table that came with a later version had no row then.
            let tail = self.tails.get(table).copied().unwrap_or(i64::MIN);
            copy.execute(&format!("DELETE FROM \"{table}\" WHERE rowid > ?1"), [tail])?;
        }
        for id in &self.pending_anchors {
            copy.execute(
                "UPDATE anchor SET state = 'pending', made_at_ms = NULL, place = NULL, proof = NULL
                 WHERE id = ?1",
                [id],
            )?;
        }
        copy.execute("DELETE FROM unseen", [])?;
        for (system, list, since) in &self.unseen {
            copy.execute(
                "INSERT INTO unseen (system, list, since_ms) VALUES (?1, ?2, ?3)",
                params![system, list, since],
            )?;
        }
        Ok(())
    }
}
