//! What goes into a bag, and where: from what was read of the database to the files. Personal data
//! goes into `leavers/`, `raw/` and the columns of people alone, and nowhere in a redacted bag.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Cause, Digest, Finding, FindingEvent, Grade, LeaversBegin, SystemId};
use ledger::{Checkpoint, Note, Proof, PublicKey, Subtrees, sha256};
use serde_json::{Value, json};

use crate::anchored::{self, AnchorTold};
use crate::bag::{Bag, SIGNATURE, TAG_MANIFEST};
use crate::controls::{self, Controls};
use crate::disputes::{Dispute, disputes};
use crate::entry::untimely;
use crate::leaf::LeaverLeaf;
use crate::ocsf::{self, OcsfVersion};
use crate::oscal;
use crate::population::{COLUMNS, population_csv, row};
use crate::tables::{
    self, AlertRow, ExceptionRow, HrList, ListRead, RunDone, longest_gap, tie_out, time,
};
use crate::{Entry, Erasures, EvidenceError, SigningKey, page};

/// The verifier in Python, put into every bag for convenience: the one to trust comes from outside.
const VERIFY_PY: &str = include_str!("../verify.py");

/// Untimely entries that are named in a sentence.
const UNTIMELY_MAX: usize = 5;

/// Where the requests are, and of which form that file is.
pub(crate) const IPE: &str = "data/ipe.json";
pub(crate) const IPE_FORM: &str = "driftline.ipe.v1";

/// Where the traces are, and of which form each is.
pub(crate) const TRACES: &str = "data/leavers/";
pub(crate) const TRACE_FORM: &str = "driftline.leaver.v1";

/// What the bag is about, and how it came about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The app.
    pub app: SystemId,
    /// The first instant of the period.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
    /// Both as people write them, in their zone.
    pub days: (String, String),
    /// When it was made.
    pub now: DateTime<Utc>,
    /// Who made it.
    pub made_by: String,
    /// Program and version.
    pub software: String,
    /// SHA-256 of the settings.
    pub settings: Digest,
    /// Version of the policy.
    pub policy_version: u32,
    /// Without personal data?
    pub is_redacted: bool,
    /// Whose traces are in it, as they were asked for; empty: everybody's.
    pub chosen: Vec<String>,
    /// What the app does with an account that is switched off is not known, or was seen otherwise than set.
    pub is_provisional: bool,
    /// What the evidence never shows, a sentence each.
    pub limits: Vec<String>,
    /// Which control it is evidence for.
    pub controls: Controls,
    /// The version of OCSF that its events have.
    pub ocsf: OcsfVersion,
}

impl Scope {
    /// Whether an instant, as entries write it, is in the period.
    pub(crate) fn has(&self, at: &str) -> bool {
        at.parse::<DateTime<Utc>>().is_ok_and(|it| it >= self.from && it < self.to)
    }
}

/// The ledger, as far as the bag needs it.
#[derive(Clone, Debug)]
pub struct LedgerPart {
    /// The newest checkpoint.
    pub note: Note,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The hash of every entry under it.
    pub hashes: Vec<Digest>,
    /// The entries from the one before the first of the period to the one after its last, of each
    /// leaver the newest and the last from before that, and those that tell of erasures and
    /// exceptions; in order.
    pub entries: Vec<(u64, Vec<u8>)>,
    /// The keys in force.
    pub keys: Vec<PublicKey>,
}

/// A leaver of the period.
#[derive(Clone, Debug)]
pub struct LeaverTold {
    /// The entry that tells of them, and its place.
    pub entry: (u64, Vec<u8>),
    /// What is disclosed of it.
    pub disclosures: Vec<String>,
    /// The findings that the entry names.
    pub findings: Vec<FindingTold>,
    /// Raw rows that it rests on.
    pub raw: Vec<RawRow>,
    /// What providers' logs say of telling the app to switch them off, oldest first. Empty: nothing, which
    /// says nothing.
    pub pushes: Vec<PushTold>,
    /// Is their trace wanted?
    pub is_chosen: bool,
}

/// A finding, and what happened to it.
#[derive(Clone, Debug)]
pub struct FindingTold {
    /// The finding.
    pub finding: Finding,
    /// What happened, oldest first.
    pub events: Vec<FindingEvent>,
}

/// A row as a source sent it.
#[derive(Clone, Debug)]
pub struct RawRow {
    /// Whose, as `okta/00u1`.
    pub row: String,
    /// In which run it was read.
    pub run: i64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// That a provider told the app to switch somebody's account off, by its log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PushTold {
    /// When, by its clock.
    pub at: DateTime<Utc>,
    /// Which.
    pub provider: SystemId,
    /// It failed; else the app said yes.
    pub has_failed: bool,
}

/// All that goes into a bag.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What it is about.
    pub scope: Scope,
    /// Since when leavers of the app are listed; `None`: they are not yet.
    pub begin: Option<LeaversBegin>,
    /// The leavers of the period.
    pub leavers: Vec<LeaverTold>,
    /// The ledger.
    pub ledger: LedgerPart,
    /// The runs of the period, oldest first.
    pub runs: Vec<RunDone>,
    /// HR's newest lists of the period.
    pub hr: Vec<HrList>,
    /// The lists that they read.
    pub lists: Vec<ListRead>,
    /// Findings that sources disagree about the owner of an account, each with the leaver of the period
    /// whose account that is by now.
    pub settled: BTreeMap<String, String>,
    /// Findings of the app that lived in the period.
    pub findings: Vec<FindingTold>,
    /// Exceptions to them.
    pub exceptions: Vec<ExceptionRow>,
    /// What was told in the period.
    pub alerts: Vec<AlertRow>,
    /// Checkpoints that were to be taken out of reach since the period began.
    pub anchors: Vec<AnchorTold>,
}

/// Puts everything into a bag, which is not sealed yet.
///
/// # Errors
///
/// [`EvidenceError`] when an entry is none of a leaver, or a page cannot be made.
pub fn pack(contents: &Contents) -> Result<Bag, EvidenceError> {
    let leavers: Vec<LeaverLeaf> =
        contents.leavers.iter().map(|it| leaf(contents, it)).collect::<Result<_, _>>()?;
    let disputes = contents.disputes();
    let mut bag = Bag::default();
    bag.put("data/population.csv", population_csv(&leavers));
    let rows: Vec<Vec<String>> = leavers.iter().map(row).collect();
    let title = format!("Leavers of {}", contents.scope.app);
    let sheet = report::Sheet { title: &title, author: &contents.scope.software, name: "Leavers" };
    let workbook = report::table_xlsx(&sheet, contents.scope.now, COLUMNS, &rows);
    bag.put("data/population.xlsx", workbook.map_err(EvidenceError::Report)?);
    bag.put("data/exceptions.csv", tables::exceptions(contents));
    bag.put("data/findings.csv", tables::findings(contents));
    bag.put("data/alerts.csv", tables::alerts(contents));
    bag.put("data/coverage.csv", tables::coverage(contents));
    let entries = contents.ledger.entries.iter().map(|(at, it)| (*at, &**it));
    bag.put("data/config-changes.csv", tables::config_changes(entries));
    let reconciliation =
        tables::reconciliation(&leavers, &disputes, (&contents.hr, &tables::unowned(contents)));
    bag.put("data/reconciliation.csv", reconciliation);
    bag.put(IPE, json_file(&ipe(contents, &leavers, &disputes)));
    let subtrees = Subtrees::of(&contents.ledger.hashes);
    for (told, leaver) in contents.leavers.iter().zip(&leavers).filter(|it| it.0.is_chosen) {
        put_leaver(&mut bag, contents, &subtrees, (told, leaver))?;
    }
    put_ledger(&mut bag, contents)?;
    anchored::put(&mut bag, &contents.anchors);
    bag.put(ocsf::OCSF, ocsf::events(contents));
    if let Some(results) = oscal::assessment_results(contents, &leavers, &bag) {
        bag.put(oscal::OSCAL, json_file(&results));
    }
    let mapped = controls::rows(&contents.scope.controls, &bag);
    bag.put(crate::PAGE, page::page(contents, &leavers, &mapped)?);
    bag.put("data/controls.csv", report::table_csv(controls::COLUMNS, mapped));
    bag.put("START-HERE.txt", start_here(contents, &leavers));
    bag.put("verify/verify.py", VERIFY_PY);
    if !contents.ledger.keys.is_empty() {
        let keys: String = contents.ledger.keys.iter().map(|it| format!("{it}\n")).collect();
        bag.put("verify/log.vkey", keys);
    }
    Ok(bag)
}

/// Seals a bag, signs it where there is a key, and returns the SHA-256 of its tag manifest.
///
/// # Errors
///
/// [`EvidenceError::NotAKey`] when the key cannot sign.
pub fn sealed(
    bag: &mut Bag,
    contents: &Contents,
    key: Option<&SigningKey>,
) -> Result<Digest, EvidenceError> {
    let (scope, checkpoint) = (&contents.scope, &contents.ledger.checkpoint);
    if let Some(key) = key {
        bag.put("verify/allowed_signers", key.allowed());
        bag.put("verify/checkpoint.ssh", key.sign(contents.ledger.note.to_string().as_bytes())?);
    }
    let digest = bag.seal(&[
        ("External-Identifier", contents.name()),
        ("Bagging-Date", scope.now.format("%Y-%m-%d").to_string()),
        ("Driftline-Made-At", time(scope.now)),
        ("Driftline-Software", scope.software.clone()),
        ("Driftline-App", scope.app.to_string()),
        ("Driftline-From", time(scope.from)),
        ("Driftline-To", time(scope.to)),
        ("Driftline-Ledger", checkpoint.origin.clone()),
        ("Driftline-Ledger-Size", checkpoint.size.to_string()),
        ("Driftline-Redacted", scope.is_redacted.to_string()),
    ]);
    if let Some(key) = key {
        let manifest = bag.get(TAG_MANIFEST).unwrap_or_default().to_vec();
        bag.put(SIGNATURE, key.sign(&manifest)?);
    }
    Ok(digest)
}

impl Contents {
    /// Whether a table may say whom a finding is about: where some are chosen, only of theirs.
    pub(crate) fn names_subject(&self, finding: &Finding) -> bool {
        let chosen = self.leavers.iter().filter(|it| it.is_chosen);
        let mut theirs = chosen.flat_map(|it| &it.findings);
        !self.scope.is_redacted
            && (self.scope.chosen.is_empty() || theirs.any(|it| it.finding.id == finding.id))
    }

    /// People of whom sources disagree whether they left, in the period.
    pub(crate) fn disputes(&self) -> Vec<Dispute> {
        let Scope { app, from, to, .. } = &self.scope;
        // Few entries are of such a finding, and this is asked often.
        let may_be = |it: &[u8]| {
            str::from_utf8(it).is_ok_and(|it| it.contains(Cause::SourcesDisagree.name()))
        };
        let entries = self.ledger.entries.iter().filter(|it| may_be(&it.1));
        let entries: Vec<Entry> = entries.filter_map(|(at, it)| Entry::read(*at, it)).collect();
        disputes(entries.iter(), app.as_str(), (*from, *to), &self.settled)
    }

    /// Who is not in the population because sources disagree about them; `None`: nobody.
    pub(crate) fn undecided(&self) -> Option<String> {
        let mut disputes = self.disputes();
        disputes.retain(Dispute::is_undecided);
        let findings: Vec<&str> = disputes.iter().map(|it| &*it.finding).collect();
        (!findings.is_empty()).then(|| {
            format!(
                "{} of people of whom one source (HR or an identity provider) says that they left, \
                 and another one that they may use {}: {}. They are not in the population, and \
                 whether they left, nobody decided: see data/findings.csv and \
                 data/reconciliation.csv.",
                domain::counted(findings.len(), "account"),
                self.scope.app,
                findings.join(", "),
            )
        })
    }

    /// Rows of HR that say of somebody that they left, and on which no leaver on record rests; `None`:
    /// there is none.
    pub(crate) fn unmatched_by_hr(&self) -> Option<String> {
        let unmatched = self.hr.iter().filter(|it| it.unmatched > 0);
        let lists =
            unmatched.map(|it| format!("{} of {} in {}", it.unmatched, it.n_in_force, it.list));
        let lists: Vec<String> = lists.collect();
        (!lists.is_empty()).then(|| {
            format!(
                "Rows of HR that say of somebody that they left, and on which no leaver of {} on \
                 record rests: {} (newest list of the period). People of whom sources disagree are \
                 among them; of the others, ask for the rows.",
                self.scope.app,
                lists.join("; "),
            )
        })
    }

    /// Runs that were made at another time than they speak of; `None`: none was.
    pub(crate) fn made_apart(&self) -> Option<String> {
        let apart: Vec<&RunDone> = self.runs.iter().filter(|it| it.is_made_apart()).collect();
        let (first, last) = (apart.first()?, apart.last()?);
        let one = |it: &RunDone| {
            let made_at = it.made_at.map(time).unwrap_or_default();
            format!(
                "run {} speaks of {} and was made at {made_at}",
                it.run.unwrap_or(0),
                time(it.at)
            )
        };
        let and_last = match apart.len() {
            1 => String::new(),
            _ => format!(", the last {}", one(last)),
        };
        Some(format!(
            "{} made at another time than they speak of, by more than a day: the first {}{and_last}. \
             What they judged was kept until then by whoever kept it, and nobody was told in \
             between. data/coverage.csv has both times of each.",
            match apart.len() {
                1 => "1 run was".to_owned(),
                n => format!("{n} runs were"),
            },
            one(first),
        ))
    }

    /// Entries that say an earlier time than a run ahead of them; `None`: none does.
    pub(crate) fn untimely(&self) -> Option<String> {
        let found = untimely(self.ledger.entries.iter().map(|(at, it)| (*at, &**it)));
        let named: Vec<String> = found.iter().take(UNTIMELY_MAX).map(ToString::to_string).collect();
        (!found.is_empty()).then(|| {
            format!(
                "{} a time before that of a run ahead of them, as if the clock had been set back; \
                 when they were written, nobody can tell: {}.",
                match found.len() {
                    1 => "1 entry of the ledger has".to_owned(),
                    n => format!("{n} entries of the ledger have"),
                },
                named.join("; "),
            )
        })
    }

    /// Why there is no leaver in it; `None`: there is one.
    pub(crate) fn empty_because(&self) -> Option<String> {
        let (Scope { app, from, to, .. }, (first, end)) = (&self.scope, &self.scope.days);
        let seen: Vec<Grade> = self.runs.iter().filter_map(RunDone::saw).collect();
        let why = match &self.begin {
            _ if !self.leavers.is_empty() => return None,
            None => format!("leavers of {app} are not listed yet, for no full run saw it"),
            Some(it) if it.at >= *to || it.at > *from && it.n_left_out > 0 => format!(
                "leavers of {app} are listed since {}, {} the period: who had left before {}, or at \
                 no known time, and was off by then, was counted ({}) and not listed",
                time(it.at),
                if it.at >= *to { "after" } else { "in" },
                time(it.since),
                it.n_left_out,
            ),
            Some(_) if seen.is_empty() => {
                format!(
                    "no full run of {first} to {end} saw {app}: whether anybody left, nobody looked"
                )
            }
            Some(_) if !seen.iter().any(|it| it.proves_absence()) => format!(
                "whether anybody left is not proven, for lists were partial in each of the {} full runs \
                 that saw {app}",
                seen.len(),
            ),
            Some(_) if self.undecided().is_some() => {
                "nobody left of whom all sources agree, and of some they disagree".to_owned()
            }
            Some(_) => format!(
                "no source says that anybody left {app} in that time, or was still on from before: \
                 {} full runs of it saw the app, and data/coverage.csv has the gaps between them",
                seen.len(),
            ),
        };
        Some(format!("There is no leaver in it: {why}."))
    }

    /// The name of the bag, and of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        let Scope { app, days: (from, to), is_redacted, .. } = &self.scope;
        let root = HEXLOWER.encode(&self.ledger.checkpoint.root);
        let redacted = if *is_redacted { "_redacted" } else { "" };
        let root = root.get(..8).unwrap_or_default();
        format!("driftline-evidence_{app}_{from}_{to}_{root}{redacted}")
    }
}

/// Of whom no trace is wanted, nothing is disclosed.
fn leaf(contents: &Contents, told: &LeaverTold) -> Result<LeaverLeaf, EvidenceError> {
    let entries = contents.ledger.entries.iter().map(|(at, it)| (*at, &**it));
    let leaf = LeaverLeaf::read(told.entry.0, &told.entry.1, disclosed(contents, told))?;
    Ok(leaf.after(&Erasures::of(entries)))
}

fn disclosed<'t>(contents: &Contents, told: &'t LeaverTold) -> &'t [String] {
    if told.is_chosen && !contents.scope.is_redacted { &told.disclosures } else { &[] }
}

/// One leaver's trace: the entry, what is disclosed of it, findings, raw rows, and the proof.
fn put_leaver(
    bag: &mut Bag,
    contents: &Contents,
    subtrees: &Subtrees,
    (told, leaver): (&LeaverTold, &LeaverLeaf),
) -> Result<(), EvidenceError> {
    let is_redacted = contents.scope.is_redacted;
    let mut raw = Vec::new();
    for it in told.raw.iter().filter(|_| !is_redacted) {
        let sha256 = HEXLOWER.encode(&sha256(&it.bytes));
        let path = format!("raw/sha256/{}/{sha256}", sha256.get(..2).unwrap_or_default());
        bag.put(format!("data/{path}"), it.bytes.clone());
        raw.push(json!({"row": it.row, "run": it.run, "sha256": sha256, "file": path}));
    }
    let findings: Vec<Value> = told.findings.iter().map(|it| finding(it, is_redacted)).collect();
    let outcome = |it: &PushTold| if it.has_failed { "failed" } else { "said_yes" };
    let push = |it: &PushTold| json!({"provider": it.provider.as_str(), "at": time(it.at), "outcome": outcome(it)});
    let pushes = told.pushes.iter().filter(|_| leaver.erased.is_none());
    let pushes: Vec<Value> = pushes.map(push).collect();
    let (at, entry) = &told.entry;
    let proof = format!("ledger/proofs/{at}.tlog-proof");
    let trace = json!({
        "format": TRACE_FORM,
        "leaver": leaver.id(),
        "entry": at,
        "leaf": String::from_utf8_lossy(entry),
        "proof": proof,
        "disclosures": disclosed(contents, told),
        "disclosed": leaver.facts,
        "erased": leaver.erased,
        "raw": raw,
        "findings": findings,
        "pushes": pushes,
        "after_leave_use": "not available: what an app tells of sign-ins is not kept in time",
    });
    bag.put(format!("{TRACES}{}.json", leaver.id()), json_file(&trace));
    let path = subtrees.inclusion(*at).ok_or(EvidenceError::NotALeaver(*at))?;
    let text = Proof { index: *at, path, note: contents.ledger.note.clone() }.to_string();
    bag.put(format!("data/{proof}"), text);
    Ok(())
}

fn finding(told: &FindingTold, is_redacted: bool) -> Value {
    let finding = &told.finding;
    let because = |text: &str| if is_redacted { Value::Null } else { json!(text) };
    let events: Vec<Value> = told
        .events
        .iter()
        .map(|it| {
            json!({
                "at": time(it.at), "run": it.run.map(|it| it.0), "change": it.change.name(),
                "severity": it.severity.name(), "state": it.state.name(),
                "because": because(&it.because),
            })
        })
        .collect();
    json!({
        "finding": finding.id.to_string(),
        "cause": finding.cause.name(),
        "severity": finding.severity.name(),
        "state": finding.state.name(),
        "detected_at": time(finding.detected_at),
        "opened_at": finding.opened_at.map(time),
        "resolved_at": finding.resolved_at.map(time),
        "resolution": finding.resolution.map(domain::Resolution::name),
        "exposures": tables::exposures(finding),
        "events": events,
    })
}

fn put_ledger(bag: &mut Bag, contents: &Contents) -> Result<(), EvidenceError> {
    let LedgerPart { note, checkpoint, hashes, entries, .. } = &contents.ledger;
    bag.put("data/ledger/checkpoint", note.to_string());
    let (mut lines, mut index) = (Vec::new(), String::new());
    for (at, entry) in entries {
        lines.extend(entry);
        lines.push(b'\n');
        index.push_str(&format!("{at}\n"));
    }
    bag.put("data/ledger/entries.jsonl", lines);
    bag.put("data/ledger/entries.index", index);
    for tile in ledger::tiles(checkpoint.size) {
        bag.put(format!("data/ledger/{}", tile.path()), ledger::tile_hashes(hashes, tile));
    }
    Ok(())
}

/// How many leavers came to what.
pub(crate) fn counts(leavers: &[LeaverLeaf], n_traces: usize) -> Value {
    let result = |word: &str| leavers.iter().filter(|it| it.body.sla.outcome == word).count();
    json!({
        "leavers": leavers.len(),
        "traces": n_traces,
        "with_account": tie_out(leavers).with_account,
        "met": result("met"), "missed": result("missed"), "not_proven": result("not_proven"),
        "exception": result("exception"), "out_of_scope": result("out_of_scope"),
    })
}

/// How many leavers each side knows, and of how many accounts' owners sources disagree.
pub(crate) fn sides(leavers: &[LeaverLeaf], disputes: &[Dispute]) -> Value {
    let it = tie_out(leavers);
    json!({
        "hr": it.both + it.hr_alone, "idp": it.both + it.idp_alone, "both": it.both,
        "hr_alone": it.hr_alone, "idp_alone": it.idp_alone, "neither": it.neither,
        "disputed": disputes.len(),
        "undecided": disputes.iter().filter(|it| it.is_undecided()).count(),
    })
}

/// Where everything came from, by which requests: what completeness and accuracy are tested with.
fn ipe(contents: &Contents, leavers: &[LeaverLeaf], disputes: &[Dispute]) -> Value {
    let Scope { app, from, to, .. } = &contents.scope;
    let (gap, since) = longest_gap(contents);
    let made_by = (!contents.scope.is_redacted).then_some(&contents.scope.made_by);
    json!({
        "format": IPE_FORM,
        "report": "leaver population",
        "generated_at": time(contents.scope.now),
        "zone": "UTC",
        "generated_by": made_by,
        "software": contents.scope.software,
        "settings_sha256": HEXLOWER.encode(&contents.scope.settings),
        "policy_version": contents.scope.policy_version,
        "controls_sha256": HEXLOWER.encode(&contents.scope.controls.digest),
        "is_provisional": contents.scope.is_provisional,
        "filter": format!(
            "every leaver of {app} whose clock began before {} and of whom an account was not seen \
             off before {}; for each the newest entry of the ledger that tells of them",
            time(*to), time(*from),
        ),
        "listed_since": contents.begin.as_ref().map(|it| json!({
            "at": time(it.at), "looked_back_to": time(it.since), "left_out": it.n_left_out,
        })),
        "counts": counts(leavers, contents.leavers.iter().filter(|it| it.is_chosen).count()),
        "reconciliation": sides(leavers, disputes),
        "coverage": {
            "runs": contents.runs.iter().filter(|it| it.run.is_some()).count(),
            "missed": contents.runs.iter().map(|it| it.n_missed).sum::<u64>(),
            "incomplete": tables::incomplete(contents).0,
            "incomplete_times": tables::incomplete(contents).1,
            "longest_gap_s": gap.num_seconds(),
            "longest_gap_since": time(since),
        },
        "hr_lists": contents.hr.iter().map(|it| json!({
            "list": it.list, "run": it.run, "in_force": it.n_in_force, "unmatched": it.unmatched,
        })).collect::<Vec<Value>>(),
        "lists": contents.lists.iter().map(|it| list(it, contents.scope.is_redacted)).collect::<Vec<Value>>(),
        "known_limits": contents.scope.limits,
    })
}

/// Reasons in words may name somebody: a redacted bag says that there is one.
fn list(it: &ListRead, is_redacted: bool) -> Value {
    let snapshot = &it.snapshot;
    let (proof, partial) = match &snapshot.coverage {
        domain::Coverage::Complete(proof) => (Some(proof.name()), None),
        domain::Coverage::Partial { reason } => (None, Some(reason)),
    };
    let in_words = |why: Option<&String>| match why {
        Some(_) if is_redacted => json!("redacted"),
        why => json!(why),
    };
    let requests = it.requests.iter().map(|it| {
        json!({
            "method": it.method.to_string(), "url": it.url.to_string(), "status": it.status,
            "bytes": it.n_bytes, "sha256": HEXLOWER.encode(&it.sha256), "date": it.date.map(time),
            "request_id": it.request_id.as_ref().map(ToString::to_string), "rows": it.n_rows,
            "duration_ms": it.duration_ms,
        })
    });
    json!({
        "run": it.run,
        "list": snapshot.stream.to_string(),
        "as_of": time(snapshot.as_of.at),
        "as_of_basis": snapshot.as_of.basis.name(),
        "complete_because": proof,
        "partial_because": in_words(partial),
        "held_because": in_words(snapshot.held.as_ref()),
        "rows": snapshot.n_rows,
        "rows_sha256": HEXLOWER.encode(&snapshot.digest),
        "body_sha256": HEXLOWER.encode(&snapshot.body_digest),
        "requests": requests.collect::<Vec<Value>>(),
    })
}

fn json_file(value: &Value) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value)
        .expect("texts, whole numbers and lists of them always serialize");
    json.push(b'\n');
    json
}

/// Who says when something was written.
pub(crate) fn times(contents: &Contents) -> &'static str {
    let is_stamped = contents.anchors.iter().any(|it| it.kind == "rfc3161" && it.taken.is_some());
    if is_stamped {
        "What a stamped checkpoint is over was written by then (data/anchors.csv). Of what came after the last one, when it was written is the operator's own claim, bounded by checkpoints that you received."
    } else {
        "No third party has stamped the time of anything in it: when it was written is the operator's own claim, bounded by checkpoints that you received earlier."
    }
}

fn start_here(contents: &Contents, leavers: &[LeaverLeaf]) -> String {
    let Scope { app, days, is_redacted, is_provisional, limits, controls, .. } = &contents.scope;
    let controls = controls::in_words(controls);
    let namespace = crate::NAMESPACE;
    let mut notes: Vec<String> =
        contents.empty_because().into_iter().chain(contents.undecided()).collect();
    notes.extend(contents.unmatched_by_hr());
    notes.extend(contents.made_apart());
    notes.extend(contents.untimely());
    if *is_provisional {
        notes.push(format!(
            "PROVISIONAL: what {app} does with an account that is switched off is neither in the \
             settings (`deprovision`) nor was it seen of leavers, or it was seen in two ways, or otherwise than set. Who is gone from its list is not shown to be off, or by its vendor's word alone."
        ));
    }
    if !contents.ledger.note.has_signature() {
        notes.push("The ledger of this bag is not signed: only a checkpoint that you kept can show that it was not written anew.".to_owned());
    }
    if *is_redacted {
        notes.push("This bag is redacted: names, addresses, keys of people and raw rows are left out. The proofs hold all the same.".to_owned());
    }
    let n_erased = leavers.iter().filter(|it| it.erased.is_some()).count();
    if n_erased > 0 {
        notes.push(format!(
            "{} {} erased since: the rows say by which entry of the ledger. Results \
             are as they were recorded there; whom they are about, and raw rows, nobody can show any more.",
            domain::counted(n_erased, "leaver"),
            if n_erased == 1 { "was" } else { "were" },
        ));
    }
    notes.push(times(contents).to_owned());
    notes.extend(limits.iter().cloned());
    let notes: String = notes.iter().map(|it| format!("- {it}\n")).collect();
    format!(
        "Evidence on the leavers of {app}, {} to {} (the end is not in it)
{}. Begin with data/report.html; data/population.csv has a row for each.

HOW TO CHECK IT

Take verify.py, allowed_signers and log.vkey from the copies that you were given earlier, never from
this bag. In the folder of the bag:

1  Nothing was changed
     sha256sum -c tagmanifest-sha256.txt manifest-sha256.txt
2  Who signed it
     ssh-keygen -Y verify -f TRUST/allowed_signers -I WHO -n {namespace} \\
       -s tagmanifest-sha256.txt.sig < tagmanifest-sha256.txt
3  All of it, and the ledger: every file, every row of the population against its entry, every entry
   against the checkpoint, and that against the one that you kept
     python3 TRUST/verify.py . --trust TRUST --since OLDER.checkpoint
   or, the same without Python
     driftline evidence verify . --trust TRUST --since OLDER.checkpoint
4  One entry by hand
     {{ printf '\\0'; sed -n 1p data/ledger/entries.jsonl | tr -d '\\n'; }} | sha256sum
   is the hash in data/ledger/tile/0 at the place that data/ledger/entries.index names.
{stamp}
Status 0: it is what was written. 6: it is not. 7: something could not be checked.

WHICH CONTROLS IT IS EVIDENCE FOR

data/controls.csv, and the page, say for each which files to look at, and what they do not show. That
is a map: whether a control is met, you judge.
{controls}

WHAT IT DOES NOT SHOW

- What was left out when it was written. Compare the population with HR's own list, and the requests
  in data/ipe.json with the logs of the sources.
- That what a source answered was true.
- That a file in data/raw is what a source sent: no entry has a digest of one row. Whoever signed the
  bag says so, and so with the pushes in a trace, which logs of providers tell of. Where none is told,
  that says nothing.
{notes}",
        days.0,
        days.1,
        domain::counted(leavers.len(), "leaver"),
        stamp = stamp(contents).unwrap_or_default(),
    )
}

/// How to check the last time stamp by hand; `None`: there is none.
fn stamp(contents: &Contents) -> Option<String> {
    let stamped = |it: &&AnchorTold| it.kind == "rfc3161" && it.taken.is_some();
    let AnchorTold { name, size, .. } = contents.anchors.iter().rev().find(stamped)?;
    Some(format!(
        "5  When a checkpoint was there, by a time stamp authority whose roots you hold as tsa.pem
     openssl ts -verify -CAfile TRUST/tsa.pem -data data/ledger/anchors/{size:012}.checkpoint \\
       -in data/ledger/anchors/{size:012}.{name}.tsr
   After its certificates have expired, with -attime and the time of the stamp; verify.py does that.
"
    ))
}
