//! Checking the ledger: every entry, fact and checkpoint computed anew, and set against the runs
//! and reports that it tells of. Names the first thing that is not what was written.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use domain::RunId;
use ledger::{
    Broken, Checkpoint, Kind, PublicKey, StoredEntry, Verified, Verifier, digest_of, sha256,
};
use rusqlite::{Connection, Rows};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cells::Cells;
use crate::said::{SaidTold, check_said, is_said};
use crate::subject::Subjects;
use crate::{Store, StoreError, entry, erase, leaver, load};

/// What somebody holds, and the ledger is checked against besides. Nothing: the ledger is checked
/// in itself.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// An older checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// A key of the ledger.
    pub key: Option<PublicKey>,
}

impl Store {
    /// Checks the whole ledger.
    ///
    /// # Errors
    ///
    /// [`StoreError::Ledger`] names the first thing that is not what was written; otherwise what
    /// disks do.
    pub async fn verify_ledger(&self, held: Held) -> Result<Verified, StoreError> {
        self.read("verify the ledger", move |connection| verify(connection, held)).await
    }
}

pub(crate) fn verify(connection: &Connection, held: Held) -> Result<Verified, StoreError> {
    let mut verifier = Verifier::new(&entry::origin(connection)?);
    if let Some(checkpoint) = held.checkpoint {
        verifier = verifier.since(checkpoint);
    }
    if let Some(key) = held.key {
        verifier = verifier.trusting(key);
    }
    let told = walk(connection, &mut verifier)?;
    let verified = verifier.finish()?;
    let erased = check_erasures(connection, &told.erasures)?;
    check_runs(connection, &told.runs, &erased)?;
    check_anchors(connection, told.anchors)?;
    check_said(connection, told.said, told.erasures.keys().max().copied())?;
    leaver::check_told(connection)?;
    Ok(verified)
}

/// What entries tell of that is kept apart from them.
#[derive(Default)]
struct Told {
    runs: Vec<RunTold>,
    erasures: FxHashMap<u64, String>,
    anchors: FxHashSet<AnchorTold>,
    said: Vec<SaidTold>,
    /// The first thing that is gone since the last erasure.
    gone: Option<Broken>,
}

/// What a place gave for a checkpoint, as the entry about it has it.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct AnchorTold {
    anchor: String,
    size: u64,
    proof_sha256: String,
}

/// What the entry of a run has of it.
pub(crate) struct RunTold {
    run: i64,
    pub(crate) seq: u64,
    pub(crate) report_sha256: String,
    pub(crate) settings_sha256: Option<String>,
    /// The digest over what it was given; `None`: entries had none yet.
    pub(crate) inputs_sha256: Option<String>,
}

/// Takes entries and checkpoints through the verifier, in order.
fn walk(connection: &Connection, verifier: &mut Verifier) -> Result<Told, StoreError> {
    let mut statement =
        connection.prepare("SELECT seq, kind, entry, hash FROM ledger_entry ORDER BY seq")?;
    let mut entries = statement.query([])?;
    let mut statement =
        connection.prepare("SELECT size, peaks, note FROM checkpoint ORDER BY size")?;
    let mut checkpoints = Checkpoints { rows: statement.query([])?, next: None };
    let mut statement =
        connection.prepare("SELECT entry, text FROM disclosure ORDER BY entry, nth")?;
    let mut facts = Facts { rows: statement.query([])?, next: None };
    checkpoints.advance()?;
    facts.advance()?;
    let mut told = Told::default();
    let subjects = Subjects::load(connection)?;
    while let Some(row) = entries.next()? {
        let mut cells = Cells::keyed(row, "ledger_entry")?;
        let seq = cells.key().cast_unsigned();
        let (kind, entry) = (cells.str("kind")?, cells.blob("entry")?);
        let head = verifier.entry(StoredEntry { seq, kind, entry, hash: cells.blob("hash")? })?;
        let disclosed = facts.check(seq, &head.digests)?;
        let is_gone = disclosed.len() < head.digests.len();
        let gone = if is_gone { Some(Broken::FactGone { seq }) } else { None };
        told.gone = told.gone.or(gone).or(subjects.check(&head, &disclosed)?);
        if kind == Kind::RunCompleted.name() {
            told.runs.push(run_told(seq, entry).ok_or(Broken::Altered { seq })?);
        } else if kind == Kind::ErasureDone.name() {
            told.erasures.insert(seq, erasure_told(entry).ok_or(Broken::Altered { seq })?);
            told.gone = None;
        } else if kind == Kind::AnchorMade.name() {
            told.anchors.insert(body(entry).ok_or(Broken::Altered { seq })?);
        } else if is_said(kind) {
            told.said.extend(SaidTold::read(seq, entry, disclosed));
        }
        checkpoints.check(verifier)?;
    }
    while checkpoints.next.is_some() {
        checkpoints.check_next(verifier)?; // Over more entries than there are.
    }
    match facts.next {
        Some((seq, _)) => Err(Broken::Fact { seq }.into()),
        None => told.gone.take().map_or(Ok(told), |it| Err(it.into())),
    }
}

/// The checkpoints in order of size, one read ahead.
struct Checkpoints<'s> {
    rows: Rows<'s>,
    next: Option<(u64, Vec<u8>, String)>,
}

impl Checkpoints<'_> {
    fn advance(&mut self) -> Result<(), StoreError> {
        self.next = match self.rows.next()? {
            None => None,
            Some(row) => {
                let mut cells = Cells::keyed(row, "checkpoint")?;
                let size = cells.key().cast_unsigned();
                Some((size, cells.blob("peaks")?.to_vec(), cells.string("note")?))
            }
        };
        Ok(())
    }

    /// Checks the next one, if the verifier has come to it.
    fn check(&mut self, verifier: &mut Verifier) -> Result<(), StoreError> {
        if self.next.as_ref().is_some_and(|it| it.0 <= verifier.size()) {
            self.check_next(verifier)?;
        }
        Ok(())
    }

    fn check_next(&mut self, verifier: &mut Verifier) -> Result<(), StoreError> {
        let Some((size, peaks, note)) = self.next.take() else { return Ok(()) };
        verifier.checkpoint(size, &note)?;
        if entry::edge_of(size, &peaks).as_ref() != Some(verifier.edge()) {
            return Err(Broken::Checkpoint { size }.into());
        }
        self.advance()
    }
}

/// The facts beside entries, one read ahead.
struct Facts<'s> {
    rows: Rows<'s>,
    next: Option<(u64, String)>,
}

impl Facts<'_> {
    fn advance(&mut self) -> Result<(), StoreError> {
        self.next = match self.rows.next()? {
            None => None,
            Some(row) => {
                let mut cells = Cells::keyed(row, "disclosure")?;
                Some((cells.key().cast_unsigned(), cells.string("text")?))
            }
        };
        Ok(())
    }

    /// Checks those of one entry against the digests in it, and gives them back: names and values.
    /// One that was erased is not there.
    fn check(&mut self, seq: u64, digests: &[&str]) -> Result<Vec<(String, Value)>, StoreError> {
        let mut checked = Vec::new();
        while let Some((of, text)) = &self.next
            && *of <= seq
        {
            let is_its = *of == seq && digests.contains(&&*digest_of(text));
            let fact = ledger::disclosed(text).filter(|_| is_its);
            checked.push(fact.ok_or(Broken::Fact { seq: *of })?);
            self.advance()?;
        }
        Ok(checked)
    }
}

/// What an entry says in clear; `None`: it is of another form.
fn body<T: DeserializeOwned>(entry: &[u8]) -> Option<T> {
    #[derive(Deserialize)]
    struct Entry<T> {
        body: T,
    }
    serde_json::from_slice(entry).ok().map(|it: Entry<T>| it.body)
}

fn run_told(seq: u64, entry: &[u8]) -> Option<RunTold> {
    #[derive(Deserialize)]
    struct Body {
        run: i64,
        report_sha256: String,
        settings_sha256: Option<String>,
        inputs_sha256: Option<String>,
    }
    let Body { run, report_sha256, settings_sha256, inputs_sha256 } = body(entry)?;
    Some(RunTold { run, seq, report_sha256, settings_sha256, inputs_sha256 })
}

/// The lists of each run as its entry tells of them, with its place. Of a run with more lists than an
/// entry has room for, nothing.
pub(crate) fn lists_told(
    connection: &Connection,
) -> Result<Vec<(i64, u64, Vec<Value>)>, StoreError> {
    #[derive(Deserialize)]
    struct Body {
        run: i64,
        n_lists: usize,
        lists: Vec<Value>,
    }
    let sql = "SELECT seq, entry FROM ledger_entry WHERE kind = ?1 ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([Kind::RunCompleted.name()])?;
    let mut told = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "ledger_entry")?;
        let Some(Body { run, n_lists, lists }) = body(cells.blob("entry")?) else { continue };
        if n_lists == lists.len() {
            told.push((run, cells.key().cast_unsigned(), lists));
        }
    }
    Ok(told)
}

/// What the ledger was told of a run; `None`: nothing.
pub(crate) fn told_of_run(
    connection: &Connection,
    run: RunId,
) -> Result<Option<RunTold>, StoreError> {
    let sql = "SELECT seq, entry FROM ledger_entry WHERE kind = ?1 ORDER BY seq DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([Kind::RunCompleted.name()])?;
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "ledger_entry")?;
        let seq = cells.key().cast_unsigned();
        let told = run_told(seq, cells.blob("entry")?).ok_or(Broken::Altered { seq })?;
        if told.run == run.0 {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

/// The entry of the newest erasure; `None`: nobody was erased.
pub(crate) fn last_erasure(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT max(seq) FROM ledger_entry WHERE kind = ?1";
    let last: Option<i64> =
        connection.query_row(sql, [Kind::ErasureDone.name()], |row| row.get(0))?;
    Ok(last.map(i64::cast_unsigned))
}

/// Whether somebody was erased after an entry was written.
pub(crate) fn has_erasure_since(connection: &Connection, seq: u64) -> Result<bool, StoreError> {
    Ok(last_erasure(connection)?.is_some_and(|it| it > seq))
}

fn erasure_told(entry: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        erased_sha256: String,
    }
    body(entry).map(|it: Body| it.erased_sha256)
}

/// The digest of a report before an erasure, and after it.
type Rewritten = FxHashMap<i64, Vec<(String, String)>>;

/// Everything of which the digest alone is left has an entry that says so, and each such entry all of
/// it. Returns what became of the digests of reports, in order.
fn check_erasures(
    connection: &Connection,
    told: &FxHashMap<u64, String>,
) -> Result<Rewritten, StoreError> {
    let all = erase::erased_lines(connection)?;
    let mut seqs: Vec<u64> = told.keys().chain(all.keys()).copied().collect();
    seqs.sort_unstable();
    seqs.dedup();
    let mut rewritten = Rewritten::default();
    for seq in seqs {
        let lines = all.get(&seq).map(|it| &**it).unwrap_or_default();
        if told.get(&seq) != Some(&HEXLOWER.encode(&erase::digest_of(lines))) {
            return Err(Broken::Erasure { seq }.into());
        }
        for it in lines {
            if let Some(now) = &it.now {
                rewritten
                    .entry(it.id)
                    .or_default()
                    .push((HEXLOWER.encode(&it.was), HEXLOWER.encode(now)));
            }
        }
    }
    Ok(rewritten)
}

/// Every anchor that was made has its entry, every entry its anchor, and both the same proof.
fn check_anchors(
    connection: &Connection,
    mut told: FxHashSet<AnchorTold>,
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare("SELECT id, name, size, proof FROM anchor WHERE state = 'made' ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "anchor")?;
        let (anchor, size) = (cells.string("name")?, cells.count("size")?);
        let proof_sha256 = HEXLOWER.encode(&sha256(cells.blob("proof")?));
        let made = AnchorTold { anchor, size, proof_sha256 };
        if !told.remove(&made) {
            return Err(Broken::Anchor { name: made.anchor, size }.into());
        }
    }
    match told.into_iter().next() {
        Some(it) => Err(Broken::Anchor { name: it.anchor, size: it.size }.into()),
        None => Ok(()),
    }
}

/// Every run since there is a ledger has its entry, and the report that the entry says.
fn check_runs(
    connection: &Connection,
    told: &[RunTold],
    rewritten: &Rewritten,
) -> Result<(), StoreError> {
    let first = entry::first_run(connection)?;
    let mut statement =
        connection.prepare("SELECT run, lower(hex(sha256)) FROM report ORDER BY run")?;
    let mut rows = statement.query([])?;
    let mut reports = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "report")?;
        reports.insert(cells.key(), cells.string("sha256")?);
    }
    let mut runs: BTreeSet<i64> = load::runs(connection)?.iter().map(|it| it.id.0).collect();
    for RunTold { run, seq, report_sha256, .. } in told {
        let after = |is: Option<String>, (was, now): &(String, String)| {
            is.filter(|it| it == was).map(|_| now.clone())
        };
        let erased = rewritten.get(run).into_iter().flatten();
        if reports.get(run).cloned() != erased.fold(Some(report_sha256.clone()), after) {
            return Err(Broken::Report { run: *run, seq: *seq }.into());
        }
        runs.remove(run);
    }
    match runs.range(first.0..).next() {
        Some(run) => Err(Broken::NoRun { run: *run }.into()),
        None => Ok(()),
    }
}
