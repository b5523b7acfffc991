//! Takes out of every table what names one person, and writes down of what the digest alone is left.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::rows::Pool;
use domain::{Channel, Digest, EntityId, List, Rows, RunId, Signature};
use ledger::sha256;
use ledger::{Event, leaf_hash};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::whom::ErasureScope;
use super::words::Words;
use crate::cells::Cells;
use crate::entry::Signer;
use crate::rows::{as_erased, erased_form, is_erased, pack, stored_key};
use crate::{StoreError, body, entry, inputs, load, report, snapshot};

/// Columns of texts that never say anything about a person: a login that is also the name of a system
/// must not take that away.
const OTHERS: [&str; 10] = [
    "system",
    "app",
    "list",
    "channel",
    "identity_system",
    "subject_system",
    "software",
    "schedule",
    "kind",
    "what",
];

/// Tables that are looked at in their own way, or name nobody.
const APART: [&str; 6] =
    ["ledger_entry", "checkpoint", "disclosure", "ledger_subject", "meta", "anchor"];

/// What was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The entry of the ledger that says so.
    pub entry: u64,
    /// The random names that stood for them.
    pub subjects: Vec<String>,
    /// Of which runs the report was written again.
    pub runs: Vec<RunId>,
    /// How much.
    pub counts: ErasedCounts,
}

/// How much was taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedCounts {
    /// Versions of rows of lists of which key and hash are left.
    pub versions: u64,
    /// Raw rows of which the SHA-256 is left.
    pub bodies: u64,
    /// Answers to questions by id of which nothing is left.
    pub observations: u64,
    /// Facts beside entries of the ledger.
    pub disclosures: u64,
    /// Random names of which it is not known any more for whom they stand.
    pub subjects: u64,
    /// Lines of other tables that were written again without them.
    pub lines: u64,
    /// Reports that were written again without them.
    pub reports: u64,
}

/// Does all of it. The entry is written last, and names what it is about by the random names that
/// nobody can look up from then on.
pub(super) fn erase(
    connection: &Connection,
    signer: Option<&Signer>,
    scope: &ErasureScope,
    basis: &str,
    by: &Signature,
) -> Result<Erased, StoreError> {
    let seq = entry::next_place(connection, signer, by.at)?;
    let token = token(by.at, seq);
    let subjects = subjects(connection, scope)?;
    let mut sweep = Sweep {
        connection,
        scope,
        token,
        lines: Vec::new(),
        counts: ErasedCounts { subjects: subjects.len() as u64, ..ErasedCounts::default() },
    };
    sweep.versions()?;
    sweep.bodies()?;
    sweep.observations()?;
    sweep.disclosures(&subjects)?;
    sweep.texts()?;
    // A past run would be judged again without them, and come out otherwise.
    inputs::forget(connection)?;
    let runs = sweep.reports()?;
    let Sweep { mut lines, counts, .. } = sweep;
    lines.sort();
    let first = scope.rows.first().map(|it| super::who(&it.stream, &it.key));
    let event = Event::erasure_done(
        &ledger::Erasure {
            subjects: &subjects,
            basis,
            erased: digest_of(&lines),
            counts: &[
                ("versions", counts.versions),
                ("raw_rows", counts.bodies),
                ("answers", counts.observations),
                ("facts", counts.disclosures),
                ("names", counts.subjects),
                ("lines", counts.lines),
                ("reports", counts.reports),
            ],
        },
        first,
        by,
    );
    let placed = entry::append(connection, signer, vec![event])?;
    if placed != seq {
        return Err(StoreError::Closed); // A bug of ours: the marks would name another entry.
    }
    let mut insert = connection
        .prepare("INSERT INTO erased (entry, what, id, was, now) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for it in &lines {
        let now = it.now.as_ref().map(|it| &it[..]);
        insert.execute(params![seq.cast_signed(), it.what, it.id, &it.was[..], now])?;
    }
    forget_subjects(connection, scope)?;
    Ok(Erased { entry: seq, subjects, runs, counts })
}

/// What stands in place of what was erased.
fn token(at: DateTime<Utc>, entry: u64) -> String {
    format!("[erased on {} by entry {entry}]", at.format("%Y-%m-%d"))
}

/// One thing of which the digest is left. The order of the fields is that of the digest over them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ErasedLine {
    pub(crate) what: &'static str,
    pub(crate) id: i64,
    pub(crate) was: Digest,
    pub(crate) now: Option<Digest>,
}

/// SHA-256 over the lines of an erasure in order: what, number, digest as it was, digest as it is or
/// `-`, with a space between and a line end.
pub(crate) fn digest_of(lines: &[ErasedLine]) -> Digest {
    let hex = |it: &Digest| HEXLOWER.encode(it);
    let line = |it: &ErasedLine| {
        let now = it.now.as_ref().map_or_else(|| "-".to_owned(), hex);
        format!("{} {} {} {now}\n", it.what, it.id, hex(&it.was))
    };
    sha256(lines.iter().map(line).collect::<String>().as_bytes())
}

/// What was written down of each erasure, by entry.
pub(crate) fn erased_lines(
    connection: &Connection,
) -> Result<FxHashMap<u64, Vec<ErasedLine>>, StoreError> {
    let mut statement = connection
        .prepare("SELECT entry, what, id, was, now FROM erased ORDER BY entry, what, id")?;
    let mut rows = statement.query([])?;
    let mut all: FxHashMap<u64, Vec<ErasedLine>> = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "erased")?;
        let entry = cells.key().cast_unsigned();
        let what = match cells.str("what")? {
            "body" => "body",
            "report" => "report",
            _ => "version",
        };
        let (id, was) = (cells.int("id")?, cells.digest("was")?);
        let now = match cells.maybe_blob("now")? {
            None => None,
            Some(bytes) => Some(bytes.try_into().map_err(|_| cells.corrupt("now"))?),
        };
        all.entry(entry).or_default().push(ErasedLine { what, id, was, now });
    }
    Ok(all)
}

/// The random names that stand for them.
fn subjects(connection: &Connection, scope: &ErasureScope) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let sql = "SELECT name FROM ledger_subject WHERE kind = ?1 AND system = ?2 AND key = ?3";
    let mut select = connection.prepare(sql)?;
    for row in &scope.rows {
        let who = super::who(&row.stream, &row.key);
        let found: Option<String> = select
            .query_row(params![who.kind, who.system, who.key], |row| row.get(0))
            .optional()?;
        names.extend(found);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn forget_subjects(connection: &Connection, scope: &ErasureScope) -> Result<(), StoreError> {
    let sql = "DELETE FROM ledger_subject WHERE kind = ?1 AND system = ?2 AND key = ?3";
    let mut delete = connection.prepare(sql)?;
    for row in &scope.rows {
        let who = super::who(&row.stream, &row.key);
        delete.execute(params![who.kind, who.system, who.key])?;
    }
    let words = scope.words.clone();
    add_function(connection, words, String::new())?;
    connection.execute("DELETE FROM ledger_subject WHERE without_person(key) <> key", [])?;
    Ok(connection.remove_function("without_person", 1)?)
}

/// Gives SQL a function that replaces in a text, or in the texts of a JSON document.
fn add_function(
    connection: &Connection,
    words: Words,
    token: String,
) -> Result<(), rusqlite::Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("without_person", 1, flags, move |context| {
        let text: Option<String> = context.get(0)?;
        Ok(text.map(|it| words.replaced_in_cell(&it, &token).unwrap_or(it)))
    })
}

struct Sweep<'s> {
    connection: &'s Connection,
    scope: &'s ErasureScope,
    token: String,
    lines: Vec<ErasedLine>,
    counts: ErasedCounts,
}

impl Sweep<'_> {
    /// Of each version of their rows, and of rows of registers that named them, key and hash are left.
    fn versions(&mut self) -> Result<(), StoreError> {
        let entities = self.scope.entities();
        let lists = lists_of_snapshots(self.connection)?;
        let mut packs = Vec::new();
        let mut pool = Pool::default();
        let mut statement =
            self.connection.prepare("SELECT first, snapshot, n, versions FROM version_pack")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut cells = Cells::keyed(row, "version_pack")?;
            let (first, snapshot) = (cells.key(), cells.snapshot("snapshot")?);
            let list = *lists.get(&snapshot.0).ok_or_else(|| cells.corrupt("snapshot"))?;
            let (mut bytes, mut is_changed) = (Vec::new(), false);
            for version in pack::Unpack::new(&mut cells)? {
                let version = version?;
                let left = if is_erased(version.row)
                    || !self.is_theirs(&entities, list, &version, &mut pool)
                {
                    None
                } else {
                    let hash = leaf_hash(version.row);
                    let key = stored_key(list, version.row).ok_or_else(|| version.corrupt())?;
                    let (what, id, was, now) = ("version", version.id, hash, None);
                    self.lines.push(ErasedLine { what, id, was, now });
                    self.counts.versions += 1;
                    is_changed = true;
                    Some(erased_form(list, &key.to_string(), &hash))
                };
                let row = left.as_deref().unwrap_or(version.row);
                version.put(&mut bytes, row);
            }
            if is_changed {
                packs.push((first, bytes));
            }
        }
        let sql = "UPDATE version_pack SET versions = ?2 WHERE first = ?1";
        let mut update = self.connection.prepare(sql)?;
        for pack in packs {
            update.execute(pack)?;
        }
        let sql = "DELETE FROM account_use WHERE entity = ?1";
        let mut forget = self.connection.prepare(sql)?;
        for entity in entities {
            forget.execute([entity.0])?;
        }
        Ok(())
    }

    fn is_theirs(
        &self,
        entities: &FxHashSet<EntityId>,
        list: List,
        version: &pack::Packed<'_>,
        pool: &mut Pool,
    ) -> bool {
        if entities.contains(&version.entity) || list != List::NonHumans {
            return entities.contains(&version.entity);
        }
        let Some(Rows::NonHumans(rows)) = Rows::one(list, version.row, pool) else { return false };
        let texts = rows.iter_packed().flat_map(|it| [it.owner, it.purpose]);
        texts.flatten().any(|it| self.scope.words.replaced(it, "").is_some())
    }

    /// Raw rows of theirs, and those of others that say what only they are called.
    fn bodies(&mut self) -> Result<(), StoreError> {
        let mut tied = FxHashSet::default();
        let sql = "SELECT body FROM row_body WHERE entity = ?1";
        let mut select = self.connection.prepare(sql)?;
        for entity in self.scope.entities() {
            for id in select.query_map([entity.0], |row| row.get::<_, i64>(0))? {
                tied.insert(id?);
            }
        }
        let mut words = Words::default();
        let is_shared = |it: &&String| self.scope.shared.contains(it);
        self.scope.called.iter().filter(|it| !is_shared(it)).for_each(|it| words.add(it));
        let words = words.distinct();
        let is_named = |id, bytes: &[u8]| tied.contains(&id) || words.is_in(bytes);
        let erased = body::erase(self.connection, is_named)?;
        self.counts.bodies = erased.len() as u64;
        let line = |(id, was)| ErasedLine { what: "body", id, was, now: None };
        self.lines.extend(erased.into_iter().map(line));
        Ok(())
    }

    /// What was answered about them by id. Nothing was learned is what is left: never that they are
    /// not there.
    fn observations(&mut self) -> Result<(), StoreError> {
        let sql = "UPDATE observation SET row = NULL, why = ?3
                   WHERE system = ?1 AND key = ?2 AND channel IS ?4 AND (row IS NOT NULL OR why IS NOT NULL)";
        let mut update = self.connection.prepare(sql)?;
        for row in &self.scope.rows {
            let (system, channel) = (row.stream.system.as_str(), row.stream.channel);
            let channel = channel.map(Channel::name);
            let n = update.execute(params![system, row.key, self.token, channel])?;
            self.counts.observations += n as u64;
        }
        Ok(())
    }

    /// Facts beside entries about them, but for who did something; reasons that people gave about
    /// their findings and holds on them; and every other fact that names them.
    fn disclosures(&mut self, subjects: &[String]) -> Result<(), StoreError> {
        let prints: FxHashSet<String> =
            self.scope.findings.iter().map(|it| it.fingerprint.to_string()).collect();
        let holds = self.holds()?;
        let mut statement = self.connection.prepare(
            "SELECT d.entry, d.nth, d.text, e.entry
             FROM disclosure d JOIN ledger_entry e ON e.seq = d.entry ORDER BY d.entry, d.nth",
        )?;
        let mut rows = statement.query([])?;
        let (mut gone, mut about) = (Vec::new(), (-1, About::default()));
        while let Some(row) = rows.next()? {
            let mut cells = Cells::keyed(row, "disclosure")?;
            let (seq, nth, text) = (cells.key(), cells.int("nth")?, cells.string("text")?);
            if about.0 != seq {
                about = (seq, About::read(cells.blob("entry")?, subjects, (&prints, &holds)));
            }
            let Some((name, value)) = ledger::disclosed(&text) else {
                return Err(cells.corrupt("text"));
            };
            let is_who = name == "by" || name == "place";
            let is_theirs =
                (about.1.is_about && !is_who) || (about.1.is_of_theirs && name == "reason");
            if is_theirs || self.scope.words.replaced_in_json(&value.to_string(), "").is_some() {
                gone.push((seq, nth));
            }
        }
        let mut delete =
            self.connection.prepare("DELETE FROM disclosure WHERE entry = ?1 AND nth = ?2")?;
        for it in &gone {
            delete.execute(*it)?;
        }
        self.counts.disclosures = gone.len() as u64;
        Ok(())
    }

    /// Every text of every other table. What is never changed otherwise is changed here: for that its
    /// triggers are taken off, and put on again.
    fn texts(&mut self) -> Result<(), StoreError> {
        let columns = columns_of_texts(self.connection)?;
        let triggers = triggers(self.connection)?;
        for (name, _) in &triggers {
            self.connection.execute_batch(&format!("DROP TRIGGER \"{name}\""))?;
        }
        add_function(self.connection, self.scope.words.clone(), self.token.clone())?;
        for (table, column) in columns {
            let sql = format!(
                "UPDATE \"{table}\" SET \"{column}\" = without_person(\"{column}\")
                 WHERE without_person(\"{column}\") <> \"{column}\""
            );
            self.counts.lines += self.connection.execute(&sql, [])? as u64;
        }
        self.connection.remove_function("without_person", 1)?;
        self.reasons()?;
        for (_, sql) in &triggers {
            self.connection.execute_batch(sql)?;
        }
        Ok(())
    }

    /// The holds that were ever on one of their rows.
    fn holds(&self) -> Result<FxHashSet<i64>, StoreError> {
        let mut select = self.connection.prepare("SELECT id FROM legal_hold WHERE entity = ?1")?;
        let mut holds = FxHashSet::default();
        for entity in self.scope.entities() {
            for id in select.query_map([entity.0], |row| row.get::<_, i64>(0))? {
                holds.insert(id?);
            }
        }
        Ok(holds)
    }

    /// What people wrote about their findings, accounts and holds on them in their own words, whatever
    /// it says.
    fn reasons(&mut self) -> Result<(), StoreError> {
        let token = &self.token;
        let mut n = 0;
        for hold in self.holds()? {
            for (table, column) in [("legal_hold", "id"), ("legal_hold_lift", "hold")] {
                let sql =
                    format!("UPDATE {table} SET reason = ?1 WHERE {column} = ?2 AND reason <> ?1");
                n += self.connection.execute(&sql, params![token, hold])?;
            }
        }
        for it in &self.scope.findings {
            let (id, print) = (it.id.0, &it.fingerprint.0[..]);
            n += self.connection.execute(
                "UPDATE waiver SET reason = ?1 WHERE fingerprint = ?2 AND reason <> ?1",
                params![token, print],
            )?;
            n += self.connection.execute(
                "UPDATE disposition SET reason = ?1 WHERE finding = ?2 AND reason <> ?1",
                params![token, id],
            )?;
        }
        for row in &self.scope.rows {
            let (system, key) = (row.stream.system.as_str(), &row.key);
            n += self.connection.execute(
                "UPDATE decision SET reason = ?1 WHERE reason <> ?1
                     AND ((app = ?2 AND account = ?3) OR (identity_system = ?2 AND identity = ?3))",
                params![token, system, key],
            )?;
        }
        self.counts.lines += n as u64;
        Ok(())
    }

    /// The reports that name them, written again without.
    fn reports(&mut self) -> Result<Vec<RunId>, StoreError> {
        let runs: Vec<RunId> = load::runs(self.connection)?.into_iter().map(|it| it.id).collect();
        let (words, token) = (&self.scope.words, &self.token);
        let without = |json: &str| words.replaced_in_json(json, token);
        let changed = report::rewrite(self.connection, &runs, without)?;
        self.counts.reports = changed.len() as u64;
        let mut runs = Vec::with_capacity(changed.len());
        for (run, was, now) in changed {
            self.lines.push(ErasedLine { what: "report", id: run.0, was, now: Some(now) });
            runs.push(run);
        }
        Ok(runs)
    }
}

/// Whether an entry is about somebody.
#[derive(Default)]
struct About {
    is_about: bool,
    /// About a finding of theirs, or a hold on them.
    is_of_theirs: bool,
}

impl About {
    fn read(
        entry: &[u8],
        subjects: &[String],
        (prints, holds): (&FxHashSet<String>, &FxHashSet<i64>),
    ) -> Self {
        #[derive(Deserialize)]
        struct Entry {
            subject: Option<String>,
            body: Body,
        }
        #[derive(Deserialize)]
        struct Body {
            fingerprint: Option<String>,
            hold: Option<i64>,
        }
        let Ok(Entry { subject, body }) = serde_json::from_slice(entry) else {
            return Self::default();
        };
        let Body { fingerprint, hold } = body;
        Self {
            is_about: subject.is_some_and(|it| subjects.contains(&it)),
            is_of_theirs: fingerprint.is_some_and(|it| prints.contains(&it))
                || hold.is_some_and(|it| holds.contains(&it)),
        }
    }
}

fn lists_of_snapshots(connection: &Connection) -> Result<FxHashMap<i64, List>, StoreError> {
    let streams = snapshot::streams(connection)?;
    let mut statement = connection.prepare("SELECT id, stream FROM snapshot")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(i64, i64)> = found.collect::<Result<_, _>>()?;
    Ok(found.into_iter().filter_map(|(id, it)| Some((id, streams.get(&it)?.list))).collect())
}

/// Every column that may hold a text about somebody, of tables that are there now and later.
fn columns_of_texts(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
               WHERE t.schema = 'main' AND t.type = 'table' AND c.type = 'TEXT'
                   AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid";
    let mut statement = connection.prepare(sql)?;
    let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut all: Vec<(String, String)> = all.collect::<Result<_, _>>()?;
    all.retain(|(table, column)| !APART.contains(&&**table) && !OTHERS.contains(&&**column));
    Ok(all)
}

/// The triggers that keep lines from being changed, but for those of the ledger.
fn triggers(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'
                   AND tbl_name NOT IN ('ledger_entry', 'checkpoint', 'anchor', 'erased')";
    let mut statement = connection.prepare(sql)?;
    let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(all.collect::<Result<_, _>>()?)
}

/// The versions of rows of which key and hash are left, as packs have them.
pub(crate) fn erased_versions(
    connection: &Connection,
) -> Result<FxHashMap<i64, Digest>, StoreError> {
    let lists = lists_of_snapshots(connection)?;
    let mut statement =
        connection.prepare("SELECT first, snapshot, n, versions FROM version_pack")?;
    let mut rows = statement.query([])?;
    let mut all = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "version_pack")?;
        let snapshot = cells.snapshot("snapshot")?;
        let list = *lists.get(&snapshot.0).ok_or_else(|| cells.corrupt("snapshot"))?;
        for version in pack::Unpack::new(&mut cells)? {
            let version = version?;
            if let Some(left) = as_erased(list, version.row) {
                all.insert(version.id, left.hash);
            }
        }
    }
    Ok(all)
}
