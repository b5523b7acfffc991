//! What judging a past run again needs: a copy of the database as it was before that run, what the
//! run was given, and what it concluded. The database itself is only read.

use chrono::{DateTime, Utc};
use domain::{Digest, Pass, Rows, RunId, Snapshot, SnapshotId, Turn};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap;

use crate::cells::{Cells, ms};
use crate::inputs::Kept;
use crate::moment::Moment;
use crate::{Inputs, ListInput, LogPart, Store, StoreError, audit, entry, inputs, log, turn};

/// A run as it was saved, without what it concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// Its number.
    pub id: RunId,
    /// How much it looked at.
    pub pass: Pass,
    /// The time of its judgement.
    pub now: DateTime<Utc>,
    /// Program and version.
    pub software: String,
    /// SHA-256 of its settings.
    pub settings_digest: Digest,
    /// Those settings; `None`: they were not kept.
    pub settings: Option<String>,
    /// The turn of the schedule that it was done for.
    pub turn: Option<Turn>,
    /// Whether what it was given beside lists is kept.
    pub has_inputs: bool,
}

/// The database as it was before a run, in memory, and what that run was given.
#[derive(Debug)]
pub struct Before {
    /// The copy.
    pub store: Store,
    /// What the run was given beside lists, answers and log.
    pub inputs: Inputs,
    /// Its lists as they came, in the order of their snapshots.
    pub lists: Vec<Snapshot>,
    /// What it was told by logs.
    pub log: Vec<LogPart>,
}

impl Store {
    /// The run of that number; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn past_run(&self, run: RunId) -> Result<Option<PastRun>, StoreError> {
        self.read("read a run", move |connection| past_run(connection, run)).await
    }

    /// What of a run is not as the ledger was told: of what it was given, by name, and its report; empty
    /// where all is, or where the ledger was not told yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when what the run was given cannot be read; otherwise what disks do.
    pub async fn told_otherwise(&self, run: RunId) -> Result<Vec<String>, StoreError> {
        self.read("read what the ledger tells of a run", move |connection| {
            told_otherwise(connection, run)
        })
        .await
    }

    /// Copies the database into memory, and brings the copy back to before a run; `None` when what
    /// the run was given is not kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when what the run was given cannot be read; otherwise what disks do.
    pub async fn before(&self, run: RunId) -> Result<Option<Before>, StoreError> {
        let Some((kept, mut given)) = self
            .read("read what a run was given", move |connection| {
                let kept = inputs::load(connection, run)?;
                kept.map(|it| Ok((it, Given::of(connection, run)?))).transpose()
            })
            .await?
        else {
            return Ok(None);
        };
        let Kept { inputs, before, .. } = kept;
        let mut lists = Vec::with_capacity(inputs.lists.len());
        let snapshots = std::mem::take(&mut given.snapshots);
        if snapshots.len() != inputs.lists.len() {
            return Err(StoreError::Corrupt { table: "snapshot", column: "run", key: run.0 });
        }
        for (id, list) in snapshots.into_iter().zip(&inputs.lists) {
            lists.push(self.as_pulled(id, list, &inputs).await?);
        }
        let copy = self.read("copy the database", in_memory).await?;
        prepare(&copy, &before, &inputs, run)
            .map_err(|error| error.at(self.path(), "bring a copy back to before a run"))?;
        let store = Self::of_memory(copy)?;
        Ok(Some(Before { store, inputs, lists, log: given.log }))
    }

    /// One list as it came: rows in the order of the source, and what the pull noted.
    async fn as_pulled(
        &self,
        id: SnapshotId,
        list: &ListInput,
        inputs: &Inputs,
    ) -> Result<Snapshot, StoreError> {
        let corrupt = || StoreError::Corrupt { table: "snapshot", column: "rows", key: id.0 };
        let stored = self.rows(id).await?;
        let places: FxHashMap<_, _> =
            stored.entities.iter().enumerate().map(|(at, it)| (*it, at)).collect();
        if stored.entities.len() as u64 != list.rows.n_rows() {
            return Err(corrupt());
        }
        let order: Option<Vec<usize>> =
            list.rows.iter().map(|(entity, ..)| places.get(&entity).copied()).collect();
        let mut rows = stored.rows.select(&order.ok_or_else(corrupt)?);
        if let Rows::Accounts(accounts) = &mut rows {
            let uses: FxHashMap<_, _> = inputs.last_uses.iter().copied().collect();
            for (at, (entity, ..)) in list.rows.iter().enumerate() {
                accounts.set_beside(at, uses.get(&entity).copied());
            }
        }
        let origin = |(_, request, line): (_, u32, u32)| domain::RowOrigin {
            request,
            line,
            offset: 0, // Its bytes are not there to be read again.
            len: 0,
        };
        let reference = stored.reference;
        Ok(Snapshot {
            stream: reference.stream,
            as_of: reference.as_of,
            coverage: reference.coverage,
            population: reference.population,
            id_form: reference.id_form,
            origins: list.rows.iter().map(origin).collect(),
            rows,
            requests: self.requests(id).await?,
            notes: stored.notes.into_iter().take(list.n_notes).collect(),
        })
    }
}

/// What a run was given and tables keep.
struct Given {
    snapshots: Vec<SnapshotId>,
    log: Vec<LogPart>,
}

impl Given {
    fn of(connection: &Connection, run: RunId) -> Result<Self, StoreError> {
        let sql = "SELECT id FROM snapshot WHERE run = ?1 ORDER BY id";
        let mut statement = connection.prepare_cached(sql)?;
        let ids = statement.query_map([run.0], |row| row.get(0).map(SnapshotId))?;
        Ok(Self { snapshots: ids.collect::<Result<_, _>>()?, log: log::of_run(connection, run)? })
    }
}

/// A copy of all of it, in memory.
fn in_memory(connection: &Connection) -> Result<Connection, StoreError> {
    /// As many as there are.
    const PAGES: std::ffi::c_int = std::ffi::c_int::MAX;
    let mut copy = Connection::open_in_memory()?;
    let backup = Backup::new(connection, &mut copy)?;
    backup.run_to_completion(PAGES, std::time::Duration::ZERO, None)?;
    drop(backup);
    Ok(copy)
}

/// Brings a copy back to before a run.
fn prepare(
    copy: &Connection,
    before: &Moment,
    inputs: &Inputs,
    run: RunId,
) -> Result<(), StoreError> {
    // Rows go here that nothing may take out of the database itself.
    copy.execute_batch("PRAGMA foreign_keys = OFF")?;
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> =
        copy.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for trigger in triggers {
        copy.execute(&format!("DROP TRIGGER \"{trigger}\""), [])?;
    }
    before.bring_back(copy)?;
    for key in ["inputs", "rows"] {
        let from = format!("{key}/{:012}", run.0);
        copy.execute("DELETE FROM meta WHERE key >= ?1 AND key < ?2", [&from, &format!("{key}0")])?;
    }
    copy.execute("DELETE FROM account_use", [])?;
    for (entity, at) in &inputs.last_uses {
        copy.execute("INSERT INTO account_use VALUES (?1, ?2)", params![entity.0, ms(*at)])?;
    }
    Ok(())
}

fn past_run(connection: &Connection, run: RunId) -> Result<Option<PastRun>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, pass, now_ms, software, settings_digest FROM run WHERE id = ?1",
    )?;
    let mut rows = statement.query([run.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "run")?;
    let (pass, now) = (cells.name("pass", Pass::parse)?, cells.time("now_ms")?);
    let (software, settings_digest) = (cells.string("software")?, cells.digest("settings_digest")?);
    Ok(Some(PastRun {
        id: run,
        pass,
        now,
        software,
        settings_digest,
        settings: inputs::settings(connection, &settings_digest)?,
        turn: turn::of_run(connection, run)?,
        has_inputs: inputs::load(connection, run)?.is_some(),
    }))
}

fn told_otherwise(connection: &Connection, run: RunId) -> Result<Vec<String>, StoreError> {
    let Some(told) = audit::told_of_run(connection, run)? else {
        let is_before = run < entry::first_run(connection)?;
        return Ok(if is_before {
            Vec::new()
        } else {
            vec!["the ledger has no entry of it".to_owned()]
        });
    };
    let mut problems = Vec::new();
    // A report that an erasure wrote again is bound to its entry by the one of the erasure.
    let sql = "SELECT lower(hex(sha256)) FROM report WHERE run = ?1
                   AND NOT EXISTS (SELECT 1 FROM erased WHERE what = 'report' AND id = ?1)";
    let report: Option<String> = connection.query_row(sql, [run.0], |row| row.get(0)).optional()?;
    if report.is_some_and(|it| it != told.report_sha256) {
        problems.push(format!("its report is not the one of entry {}", told.seq));
    }
    let sql = "SELECT lower(hex(settings_digest)) FROM run WHERE id = ?1";
    let settings: String = connection.query_row(sql, [run.0], |row| row.get(0))?;
    if told.settings_sha256.is_some_and(|it| it != settings) {
        problems.push(format!("its settings are not those of entry {}", told.seq));
    }
    let Some(inputs) = told.inputs_sha256 else { return Ok(problems) };
    match inputs::changed(connection, run, &inputs)? {
        Some(parts) => problems
            .extend(parts.iter().map(|it| format!("what it was given was changed since: {it}"))),
        None if !audit::has_erasure_since(connection, told.seq)? => {
            problems.push("what it was given was taken out, and by no erasure".to_owned());
        }
        None => {}
    }
    Ok(problems)
}
