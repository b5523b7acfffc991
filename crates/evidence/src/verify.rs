//! Checks a bag with what somebody holds from outside it: without the database, without a network,
//! and without running anything in it. Every check says what it found; nothing stops the others.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::Digest;
use ledger::{Checkpoint, Note, Proof, PublicKey, leaf_hash, root_of, sha256};
use serde::Deserialize;
use serde_json::Value;

use crate::anchored;
use crate::bag::{Bag, MANIFEST, SIGNATURE, TAG_MANIFEST, is_plain};
use crate::compare::Told;
use crate::contents::{IPE, IPE_FORM, TRACE_FORM, TRACES};
use crate::entry::untimely;
use crate::leaf::LeaverLeaf;
use crate::ocsf::{self, OCSF};
use crate::oscal::{self, OSCAL};
use crate::population::{COLUMNS, population_csv};
use crate::{AllowedSigners, Erasures, sample, tables};

/// What somebody holds from outside the bag.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Who may sign bags; `None`: nobody said.
    pub signers: Option<AllowedSigners>,
    /// Keys of the ledger; empty: none was given.
    pub log_keys: Vec<PublicKey>,
    /// A checkpoint that was received earlier.
    pub since: Option<Checkpoint>,
    /// A sample to draw again: nonce and number.
    pub sample: Option<(String, usize)>,
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is what was written.
    Good(String),
    /// It is not, and what is wrong; the first few of a kind.
    Broken(Vec<String>),
    /// It could not be checked, and why.
    Unchecked(String),
    /// It is what was written, and somebody should know: it cannot have been as it says, or is not as
    /// it was said before; the first few of a kind.
    Noted(Vec<String>),
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub what: &'static str,
    /// What it came to.
    pub outcome: Outcome,
}

/// Problems of one kind that are named; the rest is counted.
const NAMED_MAX: usize = 20;

/// Checks everything.
#[must_use]
pub fn verify(bag: &Bag, trust: &Trust) -> Vec<Check> {
    let mut checks = vec![
        check("files", files(bag)),
        Check { what: "signature", outcome: signature(bag, trust) },
    ];
    match Ledger::read(bag) {
        Ok(ledger) => {
            checks.push(check("ledger", ledger.entries_are_in_it(bag)));
            checks.push(Check { what: "checkpoint", outcome: ledger.is_signed(trust) });
            checks.push(Check { what: "history", outcome: ledger.goes_on(trust) });
            let anchors = anchored::check(bag, &ledger.checkpoint.origin, &ledger.hashes);
            checks.extend(anchors.map(|it| check("anchors", it)));
            if let Some(why) = ledger.unknown_form(bag) {
                let outcome = Outcome::Unchecked(why);
                let all =
                    ["leavers", "tables"].map(|what| Check { what, outcome: outcome.clone() });
                checks.extend(all);
                return checks;
            }
            let told = ledger.told_of(bag);
            let (leavers, rows) = ledger.leavers(bag, &told);
            checks.push(check("leavers", leavers));
            checks.extend(moved(bag, &told));
            checks.push(check("tables", ledger.tables(bag, &rows)));
            checks.extend(ledger.times());
            if let Some((nonce, n)) = &trust.sample {
                checks.push(check("sample", ledger.sample(bag, nonce, *n)));
            }
        }
        Err(why) => checks.push(Check { what: "ledger", outcome: Outcome::Broken(vec![why]) }),
    }
    checks
}

/// What entries tell of each leaver, by what they are called in the bag, oldest first.
type ToldOf = BTreeMap<String, Vec<LeaverLeaf>>;

/// Leavers of the period by the newest entry of each, of whom the population has no row, or one
/// of an older entry.
fn left_out(bag: &Bag, rows: &[(String, u64)], told: &ToldOf) -> Vec<String> {
    let Some((from, to)) = period(bag) else { return vec![NO_PERIOD.to_owned()] };
    let rows: BTreeMap<&str, u64> = rows.iter().map(|(id, at)| (&**id, *at)).collect();
    let newest = told.iter().filter_map(|(id, all)| Some((id, all.last()?)));
    let problems = newest.filter_map(|(id, leaver)| match rows.get(&**id) {
        Some(at) if *at == leaver.entry => None,
        Some(at) => {
            Some(format!("the row of `{id}` is of entry {at}, and entry {} is newer", leaver.entry))
        }
        None if leaver.is_in(from, to) => Some(format!(
            "`{id}` left in the period by entry {}, and is not in the population",
            leaver.entry
        )),
        None => None,
    });
    problems.collect()
}

/// Leavers of the period by an entry, and of another time by the newest; `None`: there are none.
fn moved(bag: &Bag, told: &ToldOf) -> Option<Check> {
    let (from, to) = period(bag)?;
    let moved = |(id, all): (&String, &Vec<LeaverLeaf>)| {
        let newest = all.last().filter(|it| !it.is_in(from, to))?;
        let before = all.iter().rfind(|it| it.is_in(from, to))?;
        let (before, newest) = (before.entry, newest.entry);
        Some(format!(
            "`{id}` is of the period by entry {before}, and of another time by entry {newest}"
        ))
    };
    let found: Vec<String> = told.iter().filter_map(moved).collect();
    noted("leavers", found)
}

/// `None`: there is nothing to note.
fn noted(what: &'static str, found: Vec<String>) -> Option<Check> {
    let outcome = Outcome::Noted(first_few(found));
    (outcome != Outcome::Noted(Vec::new())).then_some(Check { what, outcome })
}

fn check(what: &'static str, found: Result<String, Vec<String>>) -> Check {
    let outcome = match found {
        Ok(good) => Outcome::Good(good),
        Err(problems) => Outcome::Broken(first_few(problems)),
    };
    Check { what, outcome }
}

fn first_few(mut problems: Vec<String>) -> Vec<String> {
    let n = problems.len();
    problems.truncate(NAMED_MAX);
    if n > NAMED_MAX {
        problems.push(format!("and {} more", n - NAMED_MAX));
    }
    problems
}

/// Every file is in a manifest with its SHA-256, and every line of a manifest is a file.
fn files(bag: &Bag) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let mut listed: BTreeMap<String, String> = BTreeMap::new();
    for manifest in [MANIFEST, TAG_MANIFEST] {
        let Some(text) = bag.text(manifest) else {
            problems.push(format!("`{manifest}` is missing"));
            continue;
        };
        for line in text.lines() {
            let parts = line
                .split_once("  ")
                .filter(|(digest, path)| digest.len() == 64 && path.split('/').all(is_plain));
            let Some((digest, path)) = parts else {
                problems.push(format!("`{manifest}` has a line that is none of a manifest"));
                continue;
            };
            if path.starts_with("data/") != (manifest == MANIFEST) {
                problems.push(format!("`{path}` is in the wrong manifest"));
            }
            if listed.insert(path.to_owned(), digest.to_owned()).is_some() {
                problems.push(format!("`{path}` is listed twice"));
            }
        }
    }
    for (path, digest) in &listed {
        match bag.get(path) {
            None => problems.push(format!("`{path}` was taken out")),
            Some(bytes) if HEXLOWER.encode(&sha256(bytes)) != *digest => {
                problems.push(format!("`{path}` was changed"));
            }
            Some(_) => {}
        }
    }
    let beside = [TAG_MANIFEST, SIGNATURE, "tagmanifest-sha256.txt.tsr"];
    for path in bag.paths().filter(|it| !listed.contains_key(*it) && !beside.contains(it)) {
        problems.push(format!("`{path}` was put in"));
    }
    if !bag.text("bagit.txt").is_some_and(|it| it.starts_with("BagIt-Version: 1.0\n")) {
        problems.push("`bagit.txt` is none of BagIt 1.0".to_owned());
    }
    if problems.is_empty() {
        Ok(format!("{} files are as listed", listed.len()))
    } else {
        Err(problems)
    }
}

fn signature(bag: &Bag, trust: &Trust) -> Outcome {
    let Some(signature) = bag.text(SIGNATURE) else {
        return match &trust.signers {
            Some(_) => Outcome::Broken(vec![
                "the bag is not signed, and you hold a file of those who sign".to_owned(),
            ]),
            None => Outcome::Unchecked("the bag is not signed".to_owned()),
        };
    };
    let Some(signers) = &trust.signers else {
        let why = "who signed it: give `--trust` a folder with the `allowed_signers` that you hold";
        return Outcome::Unchecked(why.to_owned());
    };
    let made_at = info(bag, "Driftline-Made-At").and_then(|it| it.parse::<DateTime<Utc>>().ok());
    let Some(made_at) = made_at else {
        return Outcome::Broken(vec!["`bag-info.txt` does not say when it was made".to_owned()]);
    };
    match signers.check(signature, bag.get(TAG_MANIFEST).unwrap_or_default(), made_at) {
        Ok(who) => Outcome::Good(format!("signed by {who}")),
        Err(why) => Outcome::Broken(vec![format!("the signature: {why}")]),
    }
}

/// A line of `bag-info.txt`.
fn info<'b>(bag: &'b Bag, key: &str) -> Option<&'b str> {
    let mut lines = bag.text("bag-info.txt")?.lines();
    lines.find_map(|it| it.strip_prefix(key)?.strip_prefix(": "))
}

const NO_PERIOD: &str = "`bag-info.txt` does not say of which time it is";

fn when(text: &str) -> Option<DateTime<Utc>> {
    text.parse().ok()
}

/// The period of a bag; the end is not in it.
fn period(bag: &Bag) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    Some((when(info(bag, "Driftline-From")?)?, when(info(bag, "Driftline-To")?)?))
}

/// The ledger as the bag has it.
struct Ledger {
    note: Note,
    checkpoint: Checkpoint,
    hashes: Vec<Digest>,
    entries: BTreeMap<u64, Vec<u8>>,
}

/// A trace of a leaver, as far as it is checked.
#[derive(Deserialize)]
struct Trace {
    format: String,
    leaver: String,
    entry: u64,
    leaf: String,
    proof: String,
    disclosures: Vec<String>,
    disclosed: BTreeMap<String, Value>,
    raw: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    sha256: String,
    file: String,
}

impl Ledger {
    fn read(bag: &Bag) -> Result<Self, String> {
        let missing = |what: &str| format!("`data/ledger/{what}` is missing, or is none");
        let note = bag.text("data/ledger/checkpoint").and_then(|it| Note::parse(it).ok());
        let note = note.ok_or_else(|| missing("checkpoint"))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_| missing("checkpoint"))?;
        let mut hashes = Vec::new();
        for tile in ledger::tiles(checkpoint.size).filter(|it| it.level == 0) {
            let bytes = bag.get(&format!("data/ledger/{}", tile.path()));
            let (whole, rest) = bytes.unwrap_or_default().as_chunks::<32>();
            if whole.len() as u64 != tile.width || !rest.is_empty() {
                return Err(missing(&tile.path()));
            }
            hashes.extend_from_slice(whole);
        }
        let index =
            bag.text("data/ledger/entries.index").ok_or_else(|| missing("entries.index"))?;
        let places: Option<Vec<u64>> = index.lines().map(|it| it.parse().ok()).collect();
        let places = places.ok_or_else(|| missing("entries.index"))?;
        let lines = bag.get("data/ledger/entries.jsonl").ok_or_else(|| missing("entries.jsonl"))?;
        let lines: Vec<&[u8]> = match lines.strip_suffix(b"\n") {
            Some(lines) => lines.split(|it| *it == b'\n').collect(),
            None if lines.is_empty() => Vec::new(),
            None => return Err("`entries.jsonl` does not end with a line end".to_owned()),
        };
        if lines.len() != places.len() {
            return Err("`entries.jsonl` and `entries.index` are not of one length".to_owned());
        }
        let written: String = places.iter().map(|it| format!("{it}\n")).collect();
        if index != written || !places.is_sorted_by(|it, next| it < next) {
            let why = "`entries.index` has no place a line, each higher than the one before";
            return Err(why.to_owned());
        }
        let entries = places.into_iter().zip(lines).map(|(at, it)| (at, it.to_vec())).collect();
        Ok(Self { note, checkpoint, hashes, entries })
    }

    /// The hashes make the root of the checkpoint, and every entry is the one of its place.
    fn entries_are_in_it(&self, bag: &Bag) -> Result<String, Vec<String>> {
        let mut problems = Vec::new();
        if root_of(self.hashes.iter().copied()) != self.checkpoint.root {
            problems.push("the tiles do not make the root of the checkpoint".to_owned());
        }
        for tile in ledger::tiles(self.checkpoint.size).filter(|it| it.level > 0) {
            let path = format!("data/ledger/{}", tile.path());
            if bag.get(&path) != Some(&ledger::tile_hashes(&self.hashes, tile)) {
                problems.push(format!("`{path}` is not made of the tiles below it"));
            }
        }
        for (at, entry) in &self.entries {
            let place = usize::try_from(*at).ok().and_then(|at| self.hashes.get(at));
            if place != Some(&leaf_hash(entry)) {
                problems.push(format!("entry {at} is not the one of the ledger"));
            }
        }
        problems.extend(self.holes(bag));
        let (n, size) = (self.entries.len(), self.checkpoint.size);
        if problems.is_empty() {
            Ok(format!("{n} entries are among the {size} of the checkpoint"))
        } else {
            Err(problems)
        }
    }

    /// From the entry before the first of the period to the one after its last, none is missing: so
    /// the bag shows where the period begins and ends.
    fn holes(&self, bag: &Bag) -> Option<String> {
        let Some((from, to)) = period(bag) else { return Some(NO_PERIOD.to_owned()) };
        let at = |it: &[u8]| when(serde_json::from_slice::<Value>(it).ok()?.get("at")?.as_str()?);
        let times = || self.entries.iter().filter_map(|(place, it)| Some((*place, at(it)?)));
        let size = self.checkpoint.size;
        let first = times().find(|it| it.1 >= from).map_or(size, |it| it.0).saturating_sub(1);
        let end = times().rfind(|it| it.1 < to).map_or(0, |it| it.0 + 1);
        let wanted = first.min(end)..first.max(end).saturating_add(1).min(size);
        let here = self.entries.range(wanted.clone()).count() as u64;
        let missing = (wanted.end - wanted.start).saturating_sub(here);
        (missing > 0).then(|| {
            let (first, end) = (wanted.start, wanted.end);
            format!("{missing} of the entries {first} to {} are not here: they are of the period, or end it", end - 1)
        })
    }

    fn is_signed(&self, trust: &Trust) -> Outcome {
        if trust.log_keys.is_empty() {
            let why = "whose the checkpoint is: put the key of the ledger into the folder of `--trust`, as `log.vkey`";
            return Outcome::Unchecked(why.to_owned());
        }
        let signed = trust.log_keys.iter().map(|it| (it, self.note.is_signed_by(it)));
        let signed: Vec<(&PublicKey, Option<bool>)> = signed.collect();
        if let Some((key, _)) = signed.iter().find(|it| it.1 == Some(false)) {
            let why = format!(
                "the signature of the key {} under the checkpoint is wrong",
                key.short_id()
            );
            return Outcome::Broken(vec![why]);
        }
        match signed.iter().find(|it| it.1 == Some(true)) {
            Some((key, _)) => {
                Outcome::Good(format!("the checkpoint is signed by the key {}", key.short_id()))
            }
            None => Outcome::Broken(vec![
                "the checkpoint is not signed by a key that you hold".to_owned(),
            ]),
        }
    }

    /// The ledger begins with what an older checkpoint is over.
    fn goes_on(&self, trust: &Trust) -> Outcome {
        let Some(held) = &trust.since else {
            let why =
                "whether the history was written anew: give `--since` a checkpoint that you kept";
            return Outcome::Unchecked(why.to_owned());
        };
        if held.origin != self.checkpoint.origin {
            let (held, found) = (&held.origin, &self.checkpoint.origin);
            return Outcome::Broken(vec![format!(
                "your checkpoint is one of the ledger `{held}`, and this bag is of `{found}`"
            )]);
        }
        let n = usize::try_from(held.size).ok().filter(|it| *it <= self.hashes.len());
        let Some(first) = n.and_then(|it| self.hashes.get(..it)) else {
            return Outcome::Unchecked(format!(
                "your checkpoint is over {} entries, and the bag over {}: it is older than that",
                held.size, self.checkpoint.size
            ));
        };
        if root_of(first.iter().copied()) == held.root {
            Outcome::Good(format!("the first {} entries are those of your checkpoint", held.size))
        } else {
            Outcome::Broken(vec![format!(
                "the first {} entries are not those of your checkpoint: the history was written again",
                held.size
            )])
        }
    }

    /// What says that it is of a form that this program does not know; `None`: nothing does. What says
    /// of none is what the other checks find wrong.
    fn unknown_form(&self, bag: &Bag) -> Option<String> {
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
        let files = bag.paths().filter_map(|path| match path {
            IPE => Some((path, "/format", &[IPE_FORM][..])),
            OSCAL => Some((path, "/assessment-results/metadata/oscal-version", &[oscal::VERSION])),
            _ if path.starts_with(TRACES) => Some((path, "/format", &[TRACE_FORM][..])),
            _ => None,
        });
        let documents = files.filter_map(|(path, place, known)| {
            Some((path.to_owned(), read(bag.get(path)?)?, place, known))
        });
        let lines = bag.get(OCSF).unwrap_or_default().split(|it| *it == b'\n');
        let events = lines.filter_map(|it| {
            Some((OCSF.to_owned(), read(it)?, "/metadata/version", &ocsf::VERSIONS[..]))
        });
        let mut stated = documents.chain(events).filter_map(|(path, value, place, known)| {
            let form = value.pointer(place)?.as_str()?;
            (!known.contains(&form)).then(|| format!("`{path}` is of the form `{form}`"))
        });
        let entry = |(at, bytes): (&u64, &Vec<u8>)| {
            let v = read(bytes)?.get("v")?.as_u64()?;
            (v != u64::from(ledger::VERSION)).then(|| format!("entry {at} is of the form `{v}`"))
        };
        let what = stated.next().or_else(|| self.entries.iter().find_map(entry))?;
        Some(format!("{what}, which this program does not know: take a newer one"))
    }

    /// Entries that say an earlier time than a run ahead of them; `None`: there is none.
    fn times(&self) -> Option<Check> {
        let entries = self.entries.iter().map(|(at, it)| (*at, &**it));
        let found = untimely(entries).iter().map(ToString::to_string).collect::<Vec<String>>();
        noted("times", found)
    }

    /// What a bag says beside its population is what the entries say.
    fn tables(&self, bag: &Bag, leavers: &[LeaverLeaf]) -> Result<String, Vec<String>> {
        let Some(period) = period(bag) else { return Err(vec![NO_PERIOD.to_owned()]) };
        let app = info(bag, "Driftline-App").unwrap_or_default();
        let checkpoint = (&self.checkpoint, self.note.has_signature());
        Told::new(bag, (app, period), checkpoint, &self.entries, leavers).compare()
    }

    /// Every row of the population is what its entry says, every trace is that of its entry. With the
    /// rows as their entries make them.
    fn leavers(&self, bag: &Bag, told: &ToldOf) -> (Result<String, Vec<String>>, Vec<LeaverLeaf>) {
        let mut problems = Vec::new();
        let traces = self.traces(bag, &mut problems);
        let rows = population(bag).unwrap_or_else(|| {
            problems.push(format!("`{POPULATION}` is missing, or has other columns"));
            Vec::new()
        });
        let erasures = Erasures::of(self.entries.iter().map(|(at, it)| (*at, &**it)));
        let mut leavers = Vec::new();
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for (id, at) in &rows {
            let none = Vec::new();
            let disclosures = traces.get(&**id).map_or(&none, |it| &it.disclosures);
            let entry = self.entries.get(at);
            let leaver = entry.and_then(|it| LeaverLeaf::read(*at, it, disclosures).ok());
            match leaver.filter(|it| it.id() == *id) {
                Some(leaver) => {
                    if traces.get(&**id).is_some_and(|it| it.disclosed != leaver.facts) {
                        problems.push(format!("the facts about `{id}` are not those disclosed"));
                    }
                    leavers.push(leaver.after(&erasures));
                }
                None => problems.push(format!("`{id}` of the population has no such entry {at}")),
            }
            if !named.insert(id) {
                problems.push(format!("`{id}` is in the population twice"));
            }
        }
        for id in traces.keys().filter(|it| !named.contains(&***it)) {
            problems.push(format!("`{id}` has a trace, and is not in the population"));
        }
        problems.extend(left_out(bag, &rows, told));
        if problems.is_empty() {
            problems.extend(differences(bag, &leavers));
        }
        if problems.is_empty() {
            let (n, n_traces) = (rows.len(), traces.len());
            let good = format!(
                "{n} rows of the population and {n_traces} traces are what their entries say"
            );
            (Ok(good), leavers)
        } else {
            (Err(problems), leavers)
        }
    }

    /// What entries tell of each leaver of the app, oldest first.
    fn told_of(&self, bag: &Bag) -> ToldOf {
        let app = info(bag, "Driftline-App").unwrap_or_default();
        let mut told = ToldOf::new();
        for (at, entry) in &self.entries {
            let leaver = LeaverLeaf::read(*at, entry, &[] as &[&str]).ok();
            if let Some(leaver) = leaver.filter(|it| it.body.app == app) {
                told.entry(leaver.id()).or_default().push(leaver);
            }
        }
        told
    }

    fn traces(&self, bag: &Bag, problems: &mut Vec<String>) -> BTreeMap<String, Trace> {
        let mut traces = BTreeMap::new();
        for path in bag.paths().filter(|it| it.starts_with(TRACES)) {
            let trace: Option<Trace> = bag.get(path).and_then(|it| serde_json::from_slice(it).ok());
            let is_one = |it: &Trace| {
                it.format == TRACE_FORM && path == format!("{TRACES}{}.json", it.leaver)
            };
            let Some(trace) = trace.filter(is_one) else {
                problems.push(format!("`{path}` is no trace of a leaver"));
                continue;
            };
            if self.entries.get(&trace.entry).map(Vec::as_slice) != Some(trace.leaf.as_bytes()) {
                problems.push(format!("`{path}` shows another entry than the ledger"));
            }
            if !self.proves(bag, &trace) {
                problems.push(format!("`{}` does not prove entry {}", trace.proof, trace.entry));
            }
            for raw in &trace.raw {
                let bytes = bag.get(&format!("data/{}", raw.file));
                if bytes.map(|it| HEXLOWER.encode(&sha256(it))).as_ref() != Some(&raw.sha256) {
                    problems.push(format!("`{}` is not the raw row that `{path}` names", raw.file));
                }
            }
            traces.insert(trace.leaver.clone(), trace);
        }
        traces
    }

    fn proves(&self, bag: &Bag, trace: &Trace) -> bool {
        let text = bag.text(&format!("data/{}", trace.proof));
        let proof = text.and_then(|it| Proof::parse(it).ok());
        proof.is_some_and(|it| {
            it.index == trace.entry
                && it.note == self.note
                && it.check(trace.leaf.as_bytes()).is_ok()
        })
    }

    /// The traces that a sample of this nonce draws are in the bag.
    fn sample(&self, bag: &Bag, nonce: &str, n: usize) -> Result<String, Vec<String>> {
        let rows = population(bag).unwrap_or_default();
        let drawn = sample::drawn(&self.checkpoint, nonce, rows.iter().map(|it| &*it.0), n);
        let is_missing = |it: &&&str| bag.get(&format!("data/leavers/{it}.json")).is_none();
        let missing: Vec<String> = drawn
            .iter()
            .filter(is_missing)
            .map(|it| format!("`{it}` is drawn by your nonce, and has no trace"))
            .collect();
        if missing.is_empty() {
            Ok(format!(
                "the {} leavers that your nonce draws are in it: {}",
                drawn.len(),
                drawn.join(" ")
            ))
        } else {
            Err(missing)
        }
    }
}

const POPULATION: &str = "data/population.csv";

/// Id and entry of each row; `None`: it is no population of ours.
fn population(bag: &Bag) -> Option<Vec<(String, u64)>> {
    let rows = tables::rows(bag.get(POPULATION)?, COLUMNS)?;
    rows.iter().map(|it| Some((it.first()?.clone(), it.get(1)?.parse().ok()?))).collect()
}

/// The rows that are not what their entries say.
fn differences(bag: &Bag, leavers: &[LeaverLeaf]) -> Vec<String> {
    let rows = |it: &[u8]| tables::rows(it, COLUMNS).unwrap_or_default();
    let (found, made) =
        (rows(bag.get(POPULATION).unwrap_or_default()), rows(&population_csv(leavers)));
    let pairs = found.iter().zip(&made).filter(|(found, made)| found != made);
    let id = |it: &[String]| it.first().cloned().unwrap_or_default();
    pairs.map(|(it, _)| format!("the row of `{}` is not what its entry says", id(it))).collect()
}
