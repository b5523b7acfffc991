//! Sets what a bag says beside its population against the entries of its ledger: tables, counts, events
//! for machines, and what happened to findings. What no entry tells of is not looked at here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{FindingState, Severity};
use ledger::leaf_hash;
use serde::Deserialize;
use serde_json::Value;

use crate::LeaverLeaf;
use crate::bag::{Bag, hex};
use crate::{contents, ocsf, oscal, tables};

/// A place in a document, as RFC 6901 has it; null where there is none.
fn part<'v>(value: &'v Value, place: &str) -> &'v Value {
    static NOTHING: Value = Value::Null;
    value.pointer(place).unwrap_or(&NOTHING)
}

fn when(text: &str) -> Option<DateTime<Utc>> {
    text.parse().ok()
}

/// An entry of the ledger.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    at: String,
    #[serde(default)]
    subject: Value,
    body: Value,
}

/// The ledger of a bag, as far as tables are set against it.
pub(crate) struct Told<'b> {
    bag: &'b Bag,
    app: &'b str,
    period: (DateTime<Utc>, DateTime<Utc>),
    written: &'b BTreeMap<u64, Vec<u8>>,
    entries: BTreeMap<u64, Entry>,
    leavers: &'b [LeaverLeaf],
}

impl<'b> Told<'b> {
    /// `app` and `period` as `bag-info.txt` has them; `leavers` are the rows of the population.
    pub(crate) fn new(
        bag: &'b Bag,
        (app, period): (&'b str, (DateTime<Utc>, DateTime<Utc>)),
        written: &'b BTreeMap<u64, Vec<u8>>,
        leavers: &'b [LeaverLeaf],
    ) -> Self {
        let read = |(at, it): (&u64, &Vec<u8>)| Some((*at, serde_json::from_slice(it).ok()?));
        let entries = written.iter().filter_map(read).collect();
        Self { bag, app, period, written, entries, leavers }
    }

    /// Everything that entries tell of.
    pub(crate) fn compare(&self) -> Result<String, Vec<String>> {
        let mut problems = Vec::new();
        self.settings(&mut problems);
        self.sides(&mut problems);
        self.counts(&mut problems);
        self.results(&mut problems);
        self.runs(&mut problems);
        self.findings(&mut problems);
        self.traces(&mut problems);
        self.approvals(&mut problems);
        let n_events = self.events(&mut problems);
        if problems.is_empty() {
            let n_runs = self.runs_told().len();
            Ok(format!("{n_runs} runs and {n_events} events are what their entries say"))
        } else {
            Err(problems)
        }
    }

    fn is_within(&self, at: &str) -> bool {
        let (from, to) = self.period;
        when(at).is_some_and(|at| at >= from && at < to)
    }

    /// The rows of a table; `None`: it is missing, or cannot be read.
    fn rows(&self, name: &str, columns: &[&str]) -> Option<Vec<Vec<String>>> {
        tables::rows(self.bag.get(&format!("data/{name}"))?, columns)
    }

    /// Entries about findings of the app, of the period.
    fn about_findings(&self) -> impl Iterator<Item = (u64, &Entry)> {
        let is_ours = |it: &&Entry| {
            it.kind.starts_with("finding.")
                && *part(&it.body, "/app") == *self.app
                && self.is_within(&it.at)
        };
        self.entries.iter().map(|(at, it)| (*at, it)).filter(move |it| is_ours(&it.1))
    }

    fn settings(&self, problems: &mut Vec<String>) {
        let made = tables::config_changes(self.written.iter().map(|(at, it)| (*at, &**it)));
        let made = tables::rows(&made, tables::CONFIG_CHANGES);
        if self.rows("config-changes.csv", tables::CONFIG_CHANGES) != made {
            problems.push("`config-changes.csv` is not what the entries say".to_owned());
        }
    }

    /// Accounts that nobody owns follow the leavers, and have no entry of their own.
    fn sides(&self, problems: &mut Vec<String>) {
        let made = tables::reconciliation(self.leavers, &[]);
        let made = tables::rows(&made, tables::RECONCILIATION).unwrap_or_default();
        let found = self.rows("reconciliation.csv", tables::RECONCILIATION);
        let is_so = |found: &[Vec<String>]| {
            let rest = found.strip_prefix(&*made);
            rest.is_some_and(|it| {
                it.iter().all(|row| row.first().is_some_and(|it| it == "account"))
            })
        };
        if !found.is_some_and(|it| is_so(&it)) {
            problems.push("`reconciliation.csv` is not what the entries of leavers say".to_owned());
        }
    }

    fn counts(&self, problems: &mut Vec<String>) {
        let ipe: Option<Value> =
            self.bag.get("data/ipe.json").and_then(|it| serde_json::from_slice(it).ok());
        let n_traces = self.bag.paths().filter(|it| it.starts_with("data/leavers/")).count();
        let made = (contents::counts(self.leavers, n_traces), contents::sides(self.leavers));
        if !ipe.is_some_and(|it| {
            *part(&it, "/counts") == made.0 && *part(&it, "/reconciliation") == made.1
        }) {
            problems.push("the counts of `ipe.json` are not those of the population".to_owned());
        }
    }

    /// No objective is called satisfied that the population does not satisfy.
    fn results(&self, problems: &mut Vec<String>) {
        const PATH: &str = "data/machine/oscal-assessment-results.json";
        let Some(bytes) = self.bag.get(PATH) else { return };
        let document: Option<Value> = serde_json::from_slice(bytes).ok();
        let n = |word: &str| self.leavers.iter().filter(|it| it.body.sla.outcome == word).count();
        let (missed, open) = (n("missed"), n("not_proven") + n("exception"));
        let (state, reason) = oscal::status(missed, open);
        let is_judged = n("met") + missed + open > 0;
        let is_so = |document: &Value| {
            let findings = part(document, "/assessment-results/results/0/findings").as_array();
            let mut states = findings.into_iter().flatten().map(|it| part(it, "/target/status"));
            states.all(|it| {
                is_judged && *part(it, "/state") == *state && *part(it, "/reason") == *reason
            })
        };
        if !document.as_ref().is_some_and(is_so) {
            problems.push("the results of OSCAL judge otherwise than the population".to_owned());
        }
    }

    /// Each run of the period, as the first cells of its row have it: number, entry, time, pass,
    /// whether it was complete, and the grade of the app.
    fn runs_told(&self) -> BTreeSet<[String; 6]> {
        let runs = self.entries.iter().filter(|(_, it)| self.is_within(&it.at));
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let row = |(seq, it): (&u64, &Entry)| {
            let (at, seq) = (it.at.clone(), seq.to_string());
            if it.kind == "run.failed" {
                let no = ["full".to_owned(), "no".to_owned(), String::new()];
                let [pass, is_complete, grade] = no;
                return Some([String::new(), seq, at, pass, is_complete, grade]);
            }
            let body = Some(&it.body).filter(|_| it.kind == "run.completed")?;
            let pass = body.get("pass").map_or("full".to_owned(), text);
            let is_complete =
                if *part(body, "/is_complete") == true { "yes" } else { "no" }.to_owned();
            let mut apps = part(body, "/apps").as_array().into_iter().flatten();
            let grade =
                apps.find(|it| *part(it, "/app") == *self.app).map(|it| text(part(it, "/grade")));
            let grade = grade.unwrap_or_default();
            Some([part(body, "/run").to_string(), seq, at, pass, is_complete, grade])
        };
        runs.filter_map(row).collect()
    }

    fn runs(&self, problems: &mut Vec<String>) {
        let Some(table) = self.rows("coverage.csv", tables::COVERAGE) else {
            return problems.push("`coverage.csv` cannot be read".to_owned());
        };
        let row = |cells: &Vec<String>| match &cells[..] {
            [run, entry, at, pass, _, _, is_complete, grade, ..] => {
                [run, entry, at, pass, is_complete, grade].map(String::clone)
            }
            _ => Default::default(),
        };
        let found: Vec<[String; 6]> = table.iter().map(row).collect();
        let told = self.runs_told();
        for row in found.iter().filter(|it| !told.contains(*it)) {
            problems.push(format!("the run of entry {} in `coverage.csv` is another", row[1]));
        }
        for row in told.iter().filter(|it| !found.contains(it)) {
            problems.push(format!("the run of entry {} is not in `coverage.csv`", row[1]));
        }
    }

    fn findings(&self, problems: &mut Vec<String>) {
        let Some(table) = self.rows("findings.csv", tables::FINDINGS) else {
            return problems.push("`findings.csv` cannot be read".to_owned());
        };
        let ends = |row: &'_ Vec<String>| Some((row.first()?.clone(), row.last()?.clone()));
        let found: BTreeMap<String, String> = table.iter().filter_map(ends).collect();
        let mut named = BTreeSet::new();
        for (_, it) in self.about_findings() {
            let finding = part(&it.body, "/finding").as_str().unwrap_or_default();
            let is_there =
                found.get(finding).is_some_and(|print| *part(&it.body, "/fingerprint") == **print);
            if !is_there && named.insert(finding) {
                problems.push(format!("{finding} has entries, and is not in `findings.csv`"));
            }
        }
    }

    /// What happened to the findings of traces, between the first entry of the bag and the last: a run
    /// may have been saved while the bag was made.
    fn traces(&self, problems: &mut Vec<String>) {
        let happened = |at: &Value, severity: &Value, state: &Value| {
            [at, severity, state].map(|it| it.as_str().unwrap_or_default().to_owned())
        };
        let mut told: BTreeMap<&str, Vec<[String; 3]>> = BTreeMap::new();
        for (_, it) in self.about_findings() {
            let finding = part(&it.body, "/finding").as_str().unwrap_or_default();
            let at = Value::from(&*it.at);
            let it = happened(&at, part(&it.body, "/severity"), part(&it.body, "/state"));
            told.entry(finding).or_default().push(it);
        }
        let times = self.entries.values().map(|it| &*it.at);
        let (since, until) = (times.clone().min().unwrap_or("9"), times.max().unwrap_or_default());
        for path in self.bag.paths().filter(|it| it.starts_with("data/leavers/")) {
            let trace: Option<Value> =
                self.bag.get(path).and_then(|it| serde_json::from_slice(it).ok());
            let shown = trace.iter().filter_map(|it| part(it, "/findings").as_array()).flatten();
            let shown: Vec<&Value> = shown.collect();
            let id = |it: &Value| part(it, "/finding").as_str().unwrap_or_default().to_owned();
            let mut ids: Vec<String> = shown.iter().map(|it| id(it)).collect();
            ids.sort_unstable();
            if ids != self.findings_named(trace.as_ref()) {
                problems
                    .push(format!("the findings in `{path}` are not those that its entry names"));
            }
            for finding in shown {
                let id = &*id(finding);
                if !self.stands_as_told(finding) {
                    problems.push(format!(
                        "how {id} stands in `{path}` is not what the last of its entries says"
                    ));
                }
                let events = part(finding, "/events").as_array().into_iter().flatten();
                let shown = events
                    .map(|it| happened(part(it, "/at"), part(it, "/severity"), part(it, "/state")));
                let shown = shown
                    .filter(|it| self.is_within(&it[0]) && *it[0] >= *since && *it[0] <= *until);
                if shown.collect::<Vec<_>>() != told.get(id).cloned().unwrap_or_default() {
                    problems.push(format!(
                        "what happened to {id} is in `{path}` otherwise than in its entries"
                    ));
                }
            }
        }
    }

    /// The findings that the entry of a trace names, in order.
    fn findings_named(&self, trace: Option<&Value>) -> Vec<String> {
        let place = trace.and_then(|it| part(it, "/entry").as_u64());
        let entry = place.and_then(|it| self.entries.get(&it));
        let accounts = entry.and_then(|it| part(&it.body, "/accounts").as_array());
        let findings = accounts.into_iter().flatten().map(|it| part(it, "/findings").as_array());
        let ids = findings.flatten().flatten().filter_map(Value::as_str);
        let ids: BTreeSet<String> = ids.map(str::to_owned).collect();
        ids.into_iter().collect()
    }

    /// Whether a finding of a trace stands as the last entry about it says, where nothing happened to
    /// it since.
    fn stands_as_told(&self, finding: &Value) -> bool {
        let is_it = |it: &&Entry| part(&it.body, "/finding") == part(finding, "/finding");
        let Some(told) = self.about_findings().map(|it| it.1).filter(is_it).last() else {
            return true;
        };
        let newest = part(finding, "/events").as_array().and_then(|it| it.last());
        let has_changed = newest.is_some_and(|it| *part(it, "/at") != *told.at);
        let is_same = |name: &&str| part(finding, name) == part(&told.body, name);
        is_same(&"/detected_at")
            && (has_changed || ["/severity", "/state", "/resolution"].iter().all(is_same))
    }

    /// Whoever is called an exception has one that was approved by then.
    fn approvals(&self, problems: &mut Vec<String>) {
        let table = self.rows("findings.csv", tables::FINDINGS).unwrap_or_default();
        let ends = |row: &'_ Vec<String>| Some((row.first()?.clone(), row.last()?.clone()));
        let prints: BTreeMap<String, String> = table.iter().filter_map(ends).collect();
        for leaver in self.leavers.iter().filter(|it| it.body.sla.outcome == "exception") {
            let findings = leaver.body.accounts.iter().flat_map(|it| &it.findings);
            let prints: Vec<Option<&String>> = findings.map(|it| prints.get(it)).collect();
            let by = leaver.body.sla.deadline_at.as_deref().and_then(when);
            let is_approved = self.entries.values().any(|it| {
                it.kind == "exception.approved"
                    && prints.iter().any(|print| {
                        print.is_none_or(|print| *part(&it.body, "/fingerprint") == **print)
                    })
                    && when(&it.at).is_some_and(|at| by.is_none_or(|by| at <= by))
            });
            if !is_approved {
                problems.push(format!(
                    "`{}` is an EXCEPTION, and no entry says that one was approved by the deadline",
                    leaver.id()
                ));
            }
        }
    }

    /// Whether no earlier entry of the bag about the leaver tells of a change already. What is known
    /// of who comes back is told again by each later entry, with a later look.
    fn is_news(&self, seq: u64, bytes: &[u8], entry: &Entry, off: &str) -> bool {
        let n = |bytes: &[u8], entry: &Entry| {
            let is_it = |(activity, [from, _]): &ocsf::ChangeTold| {
                *activity == ocsf::ENABLE && from.as_deref() == Some(off)
            };
            changes(bytes, &entry.body).iter().filter(|it| is_it(it)).count()
        };
        let is_theirs = |it: &&Entry| {
            it.kind.starts_with("leaver.")
                && it.subject == entry.subject
                && ["/app", "/episode"].iter().all(|at| part(&it.body, at) == part(&entry.body, at))
        };
        let before = self.entries.range(..seq).filter(|it| is_theirs(&it.1));
        let told = before.filter_map(|(at, it)| Some(n(self.written.get(at)?, it))).max();
        let is_first = entry.kind == "leaver.found";
        told.map_or(is_first, |told| told < n(bytes, entry))
    }

    /// Every event is one of its entry, and every entry about a finding has its event.
    fn events(&self, problems: &mut Vec<String>) -> usize {
        const PATH: &str = "data/machine/ocsf.ndjson";
        let Some(bytes) = self.bag.get(PATH) else { return 0 };
        let lines = bytes.strip_suffix(b"\n").map(|it| it.split(|it| *it == b'\n'));
        if lines.is_none() && !bytes.is_empty() {
            problems.push("`ocsf.ndjson` does not end with a line end".to_owned());
        }
        let (mut n, mut with_event) = (0, BTreeSet::new());
        for line in lines.into_iter().flatten() {
            n += 1;
            let event: Value = serde_json::from_slice(line).unwrap_or_default();
            let seq = part(&event, "/unmapped/leaf_index").as_u64();
            let entry =
                seq.and_then(|it| Some((it, self.written.get(&it)?, self.entries.get(&it)?)));
            match entry.filter(|(seq, bytes, entry)| self.is_of(&event, *seq, bytes, entry)) {
                Some((seq, ..)) => drop(with_event.insert(seq)),
                None => problems.push(format!("event {n} of `ocsf.ndjson` is none of its entry")),
            }
        }
        for (seq, _) in self.about_findings().filter(|it| !with_event.contains(&it.0)) {
            problems.push(format!("entry {seq} has no event in `ocsf.ndjson`"));
        }
        n
    }

    fn is_of(&self, event: &Value, seq: u64, bytes: &[u8], entry: &Entry) -> bool {
        let (metadata, class) = (part(event, "/metadata"), part(event, "/class_uid").as_u64());
        let number = |name: &str| part(event, &format!("/{name}")).as_u64();
        let times = ["time", "start_time", "end_time"].iter().all(|name| {
            let text = part(event, &format!("/{name}_dt")).as_str();
            part(event, &format!("/{name}")).as_i64() == text.and_then(ocsf::ms)
        });
        let is_its = *part(event, "/unmapped/leaf_hash") == *hex(&leaf_hash(bytes))
            && *part(metadata, "/event_code") == *entry.kind
            && metadata.get("logged_time_dt").is_none_or(|it| *it == *entry.at)
            && class.zip(number("activity_id")).map(|it| it.0 * 100 + it.1) == number("type_uid");
        let body = &entry.body;
        let is_of_period = || part(event, "/time_dt").as_str().is_some_and(|it| self.is_within(it));
        times
            && is_its
            && match class {
                Some(2003) => is_of_finding(event, entry),
                Some(3001) => {
                    let looks = [part(event, "/start_time_dt"), part(event, "/end_time_dt")];
                    let looks = looks.map(|it| it.as_str().map(str::to_owned));
                    let is_of_leaver = entry.kind.starts_with("leaver.");
                    let is_told_again = is_coded(event, "activity", ocsf::ENABLE)
                        && !self.is_news(
                            seq,
                            bytes,
                            entry,
                            looks[0].as_deref().unwrap_or_default(),
                        );
                    !(is_of_leaver && (is_told_again || !is_of_period()))
                        && *part(event, "/user/uid") == entry.subject
                        && part(event, "/time_dt") == part(event, "/end_time_dt")
                        && changes(bytes, body).iter().any(|(activity, bounds)| {
                            is_coded(event, "activity", *activity) && looks == *bounds
                        })
                }
                Some(3005) => {
                    is_of_period()
                        && *part(event, "/user/uid") == entry.subject
                        && number("activity_id") == Some(2)
                        && !part(body, "/idp_unassigned_at").is_null()
                        && part(event, "/time_dt") == part(body, "/idp_unassigned_at")
                }
                Some(3004) => {
                    let text =
                        |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
                    *part(event, "/entity/version") == *text(part(body, "/was"))
                        && *part(event, "/entity_result/version") == *text(part(body, "/is"))
                        && *part(event, "/time_dt") == *entry.at
                }
                _ => false,
            }
    }
}

/// Whether a number of an event and its word are these.
fn is_coded(of: &Value, name: &str, (number, word): ocsf::Coded) -> bool {
    let words = if name == "activity" { "activity_name" } else { name };
    *part(of, &format!("/{name}_id")) == number && *part(of, &format!("/{words}")) == *word
}

fn is_of_finding(event: &Value, entry: &Entry) -> bool {
    let body = &entry.body;
    let text = |name: &str| part(body, &format!("/{name}")).as_str().unwrap_or_default();
    let words = (FindingState::parse(text("state")), Severity::parse(text("severity")));
    let (Some(state), Some(severity)) = words else { return false };
    let codes = ocsf::codes((&entry.kind, &entry.at), text("detected_at"), state, severity);
    let (compliance, info) = (part(event, "/compliance"), part(event, "/finding_info"));
    is_coded(event, "activity", codes.activity)
        && is_coded(event, "severity", codes.severity)
        && is_coded(event, "status", codes.status)
        && is_coded(compliance, "status", codes.verdict)
        && is_coded(part(compliance, "/checks/0"), "status", codes.verdict)
        && part(info, "/uid") == part(body, "/fingerprint")
        && part(info, "/uid_alt") == part(body, "/finding")
        && *part(event, "/resources/0/uid") == entry.subject
        && *part(event, "/time_dt") == *entry.at
}

/// The changes of accounts that an entry tells of.
fn changes(bytes: &[u8], body: &Value) -> Vec<ocsf::ChangeTold> {
    if let Ok(observed) = ocsf::observed(body) {
        return observed.into_iter().collect();
    }
    let seq = serde_json::from_slice::<Value>(bytes).ok().and_then(|it| part(&it, "/seq").as_u64());
    let leaf = seq.and_then(|it| LeaverLeaf::read(it, bytes, &[] as &[&str]).ok());
    let accounts = leaf.iter().flat_map(|it| &it.body.accounts);
    let all = accounts.flat_map(|it| ocsf::changes(&it.activity, &it.stretches));
    all.map(|(activity, (from, to))| (activity, [Some(from.to_owned()), Some(to.to_owned())]))
        .collect()
}
