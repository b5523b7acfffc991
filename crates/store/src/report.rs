//! The report of each run, byte for byte.
//!
//! Two nights' reports are nearly the same text, so most are compressed against an earlier one
//! that stands alone, and take up what changed.

use std::io;

use chrono::{DateTime, Utc};
use domain::{Digest, HistoryPoint, Pass, RunId};
use ledger::{Hashed, sha256};
use rusqlite::{Connection, params};
use zstd::zstd_safe::{self, CCtx, CParameter, DCtx};

use crate::cells::Cells;
use crate::{Store, StoreError, load};

/// zstd's own default: ten times smaller at half a gigabyte a second.
const LEVEL: i32 = 3;

/// Where a report rests on another, what is left to say is little.
const LEVEL_OF_CHANGES: i32 = 1;

/// The largest window that a decoder which reads a stream grants without being asked: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// zstd's own for texts of this kind.
const HASH_LOG_MIN: u32 = 14;

/// How many reports may rest on one, so that damage to it costs at most a month.
const DEPENDENTS_MAX: i64 = 30;

/// One line of the list of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLine {
    /// Its number.
    pub id: RunId,
    /// How much it looked at.
    pub pass: Pass,
    /// The time of its judgement.
    pub now: DateTime<Utc>,
    /// Findings open, acknowledged or held at its end.
    pub n_open: u64,
    /// Pending at its end.
    pub n_pending: u64,
    /// Open and critical at its end.
    pub n_critical: u64,
}

impl From<RunLine> for HistoryPoint {
    fn from(it: RunLine) -> Self {
        Self {
            run: it.id,
            now: it.now,
            n_open: it.n_open,
            n_pending: it.n_pending,
            n_critical: it.n_critical,
        }
    }
}

impl Store {
    /// All runs, oldest first.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn runs(&self) -> Result<Vec<RunLine>, StoreError> {
        self.read("list the runs", load::runs).await
    }

    /// The newest run of any kind; `None` before the first.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn latest_run(&self) -> Result<Option<RunLine>, StoreError> {
        Ok(self.runs().await?.pop())
    }

    /// The newest full run; `None` before the first.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when the database cannot be read.
    pub async fn latest_full_run(&self) -> Result<Option<RunLine>, StoreError> {
        Ok(self.runs().await?.into_iter().rfind(|it| it.pass == Pass::Full))
    }

    /// The JSON document of a run, as it was committed; `None` for a number that no run has.
    ///
    /// # Errors
    ///
    /// [`StoreError::ReportDamaged`] when it does not match its digest.
    pub async fn report(&self, run: RunId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a report", move |connection| read(connection, run)).await
    }
}

/// Writes the report of `run`.
pub(crate) fn insert(
    connection: &Connection,
    run: RunId,
    report: &Hashed,
) -> Result<(), StoreError> {
    let json = report.bytes();
    let base = base_for(connection, json.len())?;
    let (base_run, zstd) = match &base {
        Some((base_run, base)) => (Some(base_run.0), compress(json, base)),
        None => (None, compress(json, &[])),
    };
    let zstd = zstd.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare_cached(
            "INSERT INTO report (run, base, n_bytes, sha256, zstd) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![run.0, base_run, json.len().cast_signed(), &report.sha256()[..], zstd])?;
    Ok(())
}

/// The newest report that stands alone, if one more may rest on it. A damaged one is passed over:
/// tonight's run must not fail for it.
fn base_for(connection: &Connection, len: usize) -> Result<Option<(RunId, Vec<u8>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT r.run, (SELECT count(*) FROM report d WHERE d.base = r.run)
         FROM report r WHERE r.base IS NULL ORDER BY r.run DESC LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "report")?;
    let run = RunId(cells.key());
    if cells.int("base")? >= DEPENDENTS_MAX {
        return Ok(None);
    }
    match read(connection, run) {
        Ok(Some(base)) if window_log(base.len() + len) <= WINDOW_LOG_MAX => Ok(Some((run, base))),
        Ok(_) | Err(StoreError::ReportDamaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the report of `run`, and the one it rests on.
pub(crate) fn read(connection: &Connection, run: RunId) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(line) = line(connection, run)? else { return Ok(None) };
    let base = match line.base {
        None => Vec::new(),
        Some(base_run) => {
            let base = self::line(connection, base_run)?.filter(|it| it.base.is_none());
            base.ok_or(StoreError::ReportDamaged { run: base_run })?.unpack(base_run, &[])?
        }
    };
    line.unpack(run, &base).map(Some)
}

/// A report as it is stored.
struct Line {
    base: Option<RunId>,
    n_bytes: u64,
    sha256: Digest,
    zstd: Vec<u8>,
}

impl Line {
    fn unpack(&self, run: RunId, base: &[u8]) -> Result<Vec<u8>, StoreError> {
        match decompress(&self.zstd, base, self.n_bytes) {
            Ok(json) if sha256(&json) == self.sha256 => Ok(json),
            Ok(_) | Err(_) => Err(StoreError::ReportDamaged { run }),
        }
    }
}

fn line(connection: &Connection, run: RunId) -> Result<Option<Line>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT run, base, n_bytes, sha256, zstd FROM report WHERE run = ?1")?;
    let mut rows = statement.query([run.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut cells = Cells::keyed(row, "report")?;
    Ok(Some(Line {
        base: cells.maybe_int("base")?.map(RunId),
        n_bytes: cells.count("n_bytes")?,
        sha256: cells.digest("sha256")?,
        zstd: cells.blob("zstd")?.to_vec(),
    }))
}

/// The smallest window that spans `len` bytes, as a power of two.
fn window_log(len: usize) -> u32 {
    /// zstd's least.
    const MIN: u32 = 10;
    len.next_power_of_two().trailing_zeros().max(MIN)
}

fn compress(bytes: &[u8], base: &[u8]) -> io::Result<Vec<u8>> {
    let level = if base.is_empty() { LEVEL } else { LEVEL_OF_CHANGES };
    let mut context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
    let mut set = |it| context.set_parameter(it).map_err(named);
    set(CParameter::CompressionLevel(level))?;
    if !base.is_empty() {
        let window = window_log(base.len() + bytes.len());
        set(CParameter::WindowLog(window))?;
        // One place in sixteen is remembered: what two reports share is long. zstd's own search for
        // matches that are far away finds no more, and takes twice as long.
        set(CParameter::HashLog(window.saturating_sub(4).max(HASH_LOG_MIN)))?;
        context.ref_prefix(base).map_err(named)?;
    }
    // In one piece: a stream would copy all of it first.
    let mut zstd = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
    context.compress2(&mut zstd, bytes).map_err(named)?;
    zstd.shrink_to_fit();
    Ok(zstd)
}

/// Fails where there is more than there should be, whatever damaged data claims.
fn decompress(zstd: &[u8], base: &[u8], n_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // The least of what two places say: either may be damaged. Older reports say it in one.
    let stated = zstd_safe::get_frame_content_size(zstd)
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let n_bytes = n_bytes.min(stated.unwrap_or(u64::MAX));
    bytes.try_reserve_exact(usize::try_from(n_bytes).map_err(io::Error::other)?)?;
    let mut context = DCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
    context.ref_prefix(base).map_err(named)?;
    // In one piece: a stream would copy all of it once more.
    context.decompress(&mut bytes, zstd).map_err(named)?;
    Ok(bytes)
}

fn named(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}

/// Writes reports again as `change` has them; `None`: as they are. Returns the run, the SHA-256 before
/// and the one after of each that changed.
pub(crate) fn rewrite(
    connection: &Connection,
    runs: &[RunId],
    change: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(RunId, Digest, Digest)>, StoreError> {
    let mut changed = Vec::new();
    // What others rest on is looked at first, in its old form, and they are written against the new.
    let mut bases: Option<(RunId, Vec<u8>, Vec<u8>)> = None;
    for run in runs {
        let Some(line) = line(connection, *run)? else { continue };
        let (old_base, new_base) = match (line.base, &bases) {
            (None, _) => (Vec::new(), Vec::new()),
            (Some(base), Some((known, old, new))) if *known == base => (old.clone(), new.clone()),
            (Some(base), _) => return Err(StoreError::ReportDamaged { run: base }),
        };
        let old = line.unpack(*run, &old_base)?;
        let text = str::from_utf8(&old).map_err(|_| StoreError::ReportDamaged { run: *run })?;
        let new = change(text).map_or_else(|| old.clone(), String::into_bytes);
        if new != old || new_base != old_base {
            let zstd = compress(&new, &new_base)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let sql = "UPDATE report SET n_bytes = ?2, sha256 = ?3, zstd = ?4 WHERE run = ?1";
            connection.prepare_cached(sql)?.execute(params![
                run.0,
                new.len().cast_signed(),
                &sha256(&new)[..],
                zstd
            ])?;
        }
        if new != old {
            changed.push((*run, line.sha256, sha256(&new)));
        }
        if line.base.is_none() {
            bases = Some((*run, old, new));
        }
    }
    Ok(changed)
}
