//! Sets what a bag says beside its population against the entries of its ledger: tables, counts, events
//! for machines, and what happened to findings. What no entry tells of is not looked at here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use ledger::{Checkpoint, leaf_hash, sha256};
use serde_json::Value;

use crate::bag::Bag;
use crate::coverage::lists_told;
use crate::disputes::{Dispute, disputes, settled};
use crate::{Entry, LeaverLeaf, contents, ocsf, oscal, tables};

/// A place in a document, as RFC 6901 has it; null where there is none.
fn part<'v>(value: &'v Value, place: &str) -> &'v Value {
    static NOTHING: Value = Value::Null;
    value.pointer(place).unwrap_or(&NOTHING)
}

/// The list at a place; empty where there is none.
fn list<'v>(value: &'v Value, place: &str) -> &'v [Value] {
    part(value, place).as_array().map_or(&[], Vec::as_slice)
}

fn when(text: &str) -> Option<DateTime<Utc>> {
    text.parse().ok()
}

/// The ledger of a bag, as far as tables are set against it.
pub(crate) struct Told<'b> {
    bag: &'b Bag,
    app: &'b str,
    period: (DateTime<Utc>, DateTime<Utc>),
    checkpoint: &'b Checkpoint,
    is_signed: bool,
    written: &'b BTreeMap<u64, Vec<u8>>,
    entries: BTreeMap<u64, Entry>,
    leavers: &'b [LeaverLeaf],
}

impl<'b> Told<'b> {
    /// `app` and `period` as `bag-info.txt` has them; the checkpoint, and whether anything signed it;
    /// `leavers` are the rows of the population.
    pub(crate) fn new(
        bag: &'b Bag,
        (app, period): (&'b str, (DateTime<Utc>, DateTime<Utc>)),
        (checkpoint, is_signed): (&'b Checkpoint, bool),
        written: &'b BTreeMap<u64, Vec<u8>>,
        leavers: &'b [LeaverLeaf],
    ) -> Self {
        let read = |(at, it): (&u64, &Vec<u8>)| Some((*at, Entry::parse(it)?));
        let entries = written.iter().filter_map(read).collect();
        Self { bag, app, period, checkpoint, is_signed, written, entries, leavers }
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
        self.decisions(&mut problems);
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

    fn disputes(&self) -> Vec<Dispute> {
        let table = self.rows("reconciliation.csv", tables::RECONCILIATION).unwrap_or_default();
        let settled = settled(&table, self.leavers);
        disputes(self.entries.values(), self.app, self.period, &settled)
    }

    /// HR's lists and accounts that nobody owns follow the others, and have no entry of their own.
    fn sides(&self, problems: &mut Vec<String>) {
        let made = tables::reconciliation(self.leavers, &self.disputes(), (&[], &[]));
        let made = tables::rows(&made, tables::RECONCILIATION).unwrap_or_default();
        let found = self.rows("reconciliation.csv", tables::RECONCILIATION);
        let is_so = |found: &[Vec<String>]| {
            let rest = found.strip_prefix(&*made);
            rest.is_some_and(|it| {
                it.iter().all(|row| row.first().is_some_and(|it| it == "hr" || it == "account"))
            })
        };
        if !found.is_some_and(|it| is_so(&it)) {
            problems.push("`reconciliation.csv` is not what the entries say".to_owned());
        }
    }

    fn counts(&self, problems: &mut Vec<String>) {
        let ipe = self.ipe();
        let n_traces = self.bag.paths().filter(|it| it.starts_with(contents::TRACES)).count();
        let made = (
            contents::counts(self.leavers, n_traces),
            contents::sides(self.leavers, &self.disputes()),
        );
        let is_so = *part(&ipe, "/format") == *contents::IPE_FORM
            && *part(&ipe, "/counts") == made.0
            && *part(&ipe, "/reconciliation") == made.1;
        if !is_so {
            problems.push("the counts of `ipe.json` are not those of the population".to_owned());
        }
    }

    fn ipe(&self) -> Value {
        let ipe = self.bag.get(contents::IPE).and_then(|it| serde_json::from_slice(it).ok());
        ipe.unwrap_or_default()
    }

    /// The results of OSCAL judge as the population does, and say of each leaver, of the log and of the
    /// files what there is.
    fn results(&self, problems: &mut Vec<String>) {
        let Some(bytes) = self.bag.get(oscal::OSCAL) else { return };
        let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let document = part(&document, "/assessment-results");
        let mut check = |is_so: bool, what: &str| {
            if !is_so {
                problems.push(format!("the results of OSCAL {what}"));
            }
        };
        let found = list(document, "/results/0/findings");
        let judged = oscal::Judged::of(self.leavers, &self.disputes());
        let (state, reason) = judged.status();
        check(
            *part(document, "/metadata/oscal-version") == *oscal::VERSION
                && found.iter().all(|it| {
                    let status = part(it, "/target/status");
                    judged.n() > 0
                        && *part(status, "/state") == *state
                        && *part(status, "/reason") == *reason
                        && *part(it, "/description") == *judged.in_words()
                }),
            "judge otherwise than the population",
        );
        let is_judged = judged.n() > 0 && *part(&self.ipe(), "/is_provisional") != true;
        let reviewed = "/results/0/reviewed-controls/control-objective-selections";
        let objectives = list(document, reviewed).iter().filter(|_| is_judged);
        let objectives = objectives.flat_map(|it| list(it, "/include-objectives"));
        check(
            found
                .iter()
                .map(|it| part(it, "/target/target-id"))
                .eq(objectives.map(|it| part(it, "/objective-id"))),
            "have not one finding for each objective, or one where nothing was to be judged",
        );
        let observations = list(document, "/results/0/observations");
        let titled = |title: &str| -> Vec<&Value> {
            observations.iter().filter(|it| *part(it, "/title") == *title).collect()
        };
        let says = |title: &str, text: &str| {
            let of_title = titled(title);
            of_title.len() == 1 && of_title.iter().all(|it| *part(it, "/description") == *text)
        };
        check(
            says(oscal::POPULATION, &oscal::population(self.leavers))
                && says(oscal::LEDGER, &oscal::ledger(self.checkpoint, self.is_signed))
                && titled(oscal::COVERAGE.1).len() == 1,
            "say otherwise how many left, or what the log is",
        );
        let of_leavers = self.leavers.iter().all(|leaver| {
            let of_title = titled(&oscal::title(leaver));
            of_title.len() == 1 && of_title.iter().all(|it| oscal::is_of(it, leaver))
        });
        check(
            of_leavers && observations.len() == self.leavers.len() + 3,
            "say of a leaver what no entry says",
        );
        let ids = |title: &str| titled(title).into_iter().map(|it| part(it, "/uuid").clone());
        let in_scope = self.leavers.iter().filter(|it| it.body.sla.outcome != "out_of_scope");
        let related = in_scope.map(oscal::title).chain([oscal::COVERAGE.1.to_owned()]);
        let related: Vec<Value> = related.flat_map(|it| ids(&it)).collect();
        check(
            found.iter().all(|it| {
                let led = list(it, "/related-observations");
                led.iter().map(|it| part(it, "/observation-uuid")).eq(&related)
            }),
            "lead from a finding to other observations than those of whom it judges",
        );
        check(
            list(document, "/back-matter/resources").iter().all(|it| self.is_resource(it)),
            "name a file by another SHA-256",
        );
    }

    fn is_resource(&self, resource: &Value) -> bool {
        list(resource, "/rlinks").iter().all(|link| {
            let href = part(link, "/href").as_str().and_then(|it| it.strip_prefix("../"));
            let file = href
                .and_then(|it| self.bag.get(&format!("data/{it}")).or_else(|| self.bag.get(it)));
            let digest = file.map(|it| HEXLOWER.encode(&sha256(it)));
            part(link, "/hashes/0/value").as_str() == digest.as_deref() && digest.is_some()
        })
    }

    /// Each run of the period, as the first cells of its row have it: number, entry, time, pass,
    /// whether it was complete, the grade of the app, when it was made, and lists that were held or not
    /// asked for.
    fn runs_told(&self) -> BTreeSet<[String; 9]> {
        let runs = self.entries.iter().filter(|(_, it)| self.is_within(&it.at));
        let lists = lists_told(runs.clone().map(|it| it.1));
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let row = |(seq, it): (&u64, &Entry)| {
            let (at, seq) = (it.at.clone(), seq.to_string());
            if it.kind == "run.failed" {
                let no = ["full".to_owned(), "no".to_owned(), String::new()];
                let [pass, is_complete, grade] = no;
                let [made_at, held, not_asked] = [const { String::new() }; 3];
                let run = String::new();
                return Some([run, seq, at, pass, is_complete, grade, made_at, held, not_asked]);
            }
            let body = Some(&it.body).filter(|_| it.kind == "run.completed")?;
            let pass = body.get("pass").map_or("full".to_owned(), text);
            let is_complete =
                if *part(body, "/is_complete") == true { "yes" } else { "no" }.to_owned();
            let mut apps = part(body, "/apps").as_array().into_iter().flatten();
            let grade =
                apps.find(|it| *part(it, "/app") == *self.app).map(|it| text(part(it, "/grade")));
            let grade = grade.unwrap_or_default();
            let made_at = text(part(body, "/made_at"));
            let lists = lists.get(&it.seq).cloned().unwrap_or_default();
            let (held, not_asked) = (lists.held.join("; "), lists.not_asked.join("; "));
            let run = part(body, "/run").to_string();
            Some([run, seq, at, pass, is_complete, grade, made_at, held, not_asked])
        };
        runs.filter_map(row).collect()
    }

    fn runs(&self, problems: &mut Vec<String>) {
        let Some(table) = self.rows("coverage.csv", tables::COVERAGE) else {
            return problems.push("`coverage.csv` cannot be read".to_owned());
        };
        let row = |cells: &Vec<String>| match &cells[..] {
            [run, entry, at, pass, _, _, is_complete, grade, _, _, made_at, held, not_asked] => {
                [run, entry, at, pass, is_complete, grade, made_at, held, not_asked]
                    .map(String::clone)
            }
            _ => Default::default(),
        };
        let found: Vec<[String; 9]> = table.iter().map(row).collect();
        let told = self.runs_told();
        for row in found.iter().filter(|it| !told.contains(*it)) {
            problems.push(format!("the run of entry {} in `coverage.csv` is another", row[1]));
        }
        for row in told.iter().filter(|it| !found.contains(it)) {
            problems.push(format!("the run of entry {} is not in `coverage.csv`", row[1]));
        }
    }

    /// The fingerprints of `findings.csv`, by finding; `None`: it cannot be read.
    fn fingerprints(&self) -> Option<BTreeMap<String, String>> {
        let table = self.rows("findings.csv", tables::FINDINGS)?;
        let ends = |row: &Vec<String>| Some((row.first()?.clone(), row.last()?.clone()));
        Some(table.iter().filter_map(ends).collect())
    }

    fn findings(&self, problems: &mut Vec<String>) {
        let Some(found) = self.fingerprints() else {
            return problems.push("`findings.csv` cannot be read".to_owned());
        };
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
        for path in self.bag.paths().filter(|it| it.starts_with(contents::TRACES)) {
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
        let prints = self.fingerprints().unwrap_or_default();
        for leaver in self.leavers.iter().filter(|it| it.body.sla.outcome == "exception") {
            let findings = leaver.body.accounts.iter().flat_map(|it| &it.findings);
            let prints: Vec<Option<&String>> = findings.map(|it| prints.get(it)).collect();
            let by = leaver.body.sla.deadline_at.as_deref().and_then(when);
            // Behind a run of after the deadline, nothing was written before it.
            let is_late = |at: u64| {
                self.entries.range(..at).any(|(_, it)| {
                    let late = |by: DateTime<Utc>| when(&it.at).is_some_and(|at| at > by);
                    it.kind == "run.completed"
                        && by.is_some_and(|by| late(by + ledger::CLOCK_BACK_MAX))
                })
            };
            let is_approved = self.entries.iter().any(|(place, it)| {
                it.kind == "exception.approved"
                    && prints.iter().any(|print| {
                        print.is_none_or(|print| *part(&it.body, "/fingerprint") == **print)
                    })
                    && when(&it.at).is_some_and(|at| by.is_none_or(|by| at <= by))
                    && !is_late(*place)
            });
            if !is_approved {
                problems.push(format!(
                    "`{}` is an EXCEPTION, and no entry says that one was approved by the deadline",
                    leaver.id()
                ));
            }
        }
    }

    /// Whoever is without an account because a person decided so has the entry that says it.
    fn decisions(&self, problems: &mut Vec<String>) {
        for leaver in self.leavers {
            let mut decisions = leaver.body.decisions.iter();
            if let Some(at) =
                decisions.find(|at| !self.entries.get(at).is_some_and(Entry::is_decision))
            {
                problems.push(format!(
                    "of `{}` it is said that a person decided by entry {at}, which says no such thing",
                    leaver.id()
                ));
            }
        }
    }

    /// Whether no earlier entry of the bag about the leaver tells that somebody is on again whom a look
    /// showed off. What is known of who comes back is told again by each later entry, with a later look.
    fn is_news(&self, seq: u64, entry: &Entry, off: &str) -> bool {
        let n = |place: u64| {
            let written = self.written.get(&place).map_or(&[][..], Vec::as_slice);
            let leaf = LeaverLeaf::read(place, written, &[] as &[&str]).ok();
            let accounts = leaf.iter().flat_map(|it| &it.body.accounts);
            let all = accounts.flat_map(|it| ocsf::changes(&it.activity, &it.stretches));
            all.filter(|(activity, (from, _))| *activity == ocsf::ENABLE && *from == off).count()
        };
        let is_theirs = |it: &&Entry| {
            it.kind.starts_with("leaver.")
                && it.subject == entry.subject
                && ["/app", "/episode", "/leave"]
                    .iter()
                    .all(|at| part(&it.body, at) == part(&entry.body, at))
        };
        let before = self.entries.range(..seq).filter(|it| is_theirs(&it.1));
        let told = before.map(|(at, _)| n(*at)).max();
        let is_first = entry.kind == "leaver.found";
        told.map_or(is_first, |told| told < n(seq))
    }

    /// Every event is one of its entry, each is there once, and none of one thing alone is missing.
    fn events(&self, problems: &mut Vec<String>) -> usize {
        let Some(bytes) = self.bag.get(ocsf::OCSF) else { return 0 };
        let lines = bytes.strip_suffix(b"\n").map(|it| it.split(|it| *it == b'\n'));
        if lines.is_none() && !bytes.is_empty() {
            problems.push("`ocsf.ndjson` does not end with a line end".to_owned());
        }
        let (mut n, mut with_event, mut uids) = (0, BTreeSet::new(), BTreeSet::new());
        for line in lines.into_iter().flatten() {
            n += 1;
            let event: Value = serde_json::from_slice(line).unwrap_or_default();
            let seq = part(&event, "/unmapped/leaf_index").as_u64();
            let entry = seq.and_then(|it| Some((it, self.entries.get(&it)?)));
            match entry.filter(|(seq, entry)| self.is_of(&event, *seq, entry)) {
                Some((seq, _)) => {
                    with_event.insert(seq);
                    if !uids.insert(part(&event, "/metadata/uid").to_string()) {
                        problems.push(format!("event {n} of `ocsf.ndjson` is there twice"));
                    }
                }
                None => problems.push(format!("event {n} of `ocsf.ndjson` is none of its entry")),
            }
        }
        for (seq, entry) in self.entries.iter().filter(|it| !with_event.contains(it.0)) {
            let is_told = || self.of_one_thing(&Value::Null, *seq, entry).is_some();
            if self.is_within(&entry.at) && is_told() {
                problems.push(format!("entry {seq} has no event in `ocsf.ndjson`"));
            }
        }
        n
    }

    /// The event that an entry of one thing has, with what no entry tells of as it is found: controls,
    /// program and version of OCSF.
    fn of_one_thing(&self, found: &Value, seq: u64, entry: &Entry) -> Option<Value> {
        let bearing = |_| ocsf::Bearing {
            requirements: part(found, "/compliance/requirements").clone(),
            standards: part(found, "/compliance/standards").clone(),
        };
        ocsf::of_entry(self.frame(found, seq, &software(found))?, entry, bearing)
    }

    fn frame<'f>(
        &'f self,
        found: &'f Value,
        seq: u64,
        software: &'f str,
    ) -> Option<ocsf::Frame<'f>> {
        Some(ocsf::Frame {
            app: self.app,
            origin: &self.checkpoint.origin,
            software,
            version: part(found, "/metadata/version").as_str().unwrap_or_default(),
            hash: leaf_hash(self.written.get(&seq)?),
        })
    }

    fn is_of(&self, event: &Value, seq: u64, entry: &Entry) -> bool {
        let version = part(event, "/metadata/version").as_str();
        if !version.is_some_and(|it| ocsf::VERSIONS.contains(&it)) {
            return false;
        }
        if !entry.is_of_leaver() {
            return self.is_within(&entry.at)
                && are_texts(part(event, "/compliance/requirements"))
                && are_texts(part(event, "/compliance/standards"))
                && self.of_one_thing(event, seq, entry).as_ref() == Some(event);
        }
        let software = software(event);
        let (Some(frame), Some(bytes)) =
            (self.frame(event, seq, &software), self.written.get(&seq))
        else {
            return false;
        };
        let place = format!("{}/{seq}/", self.checkpoint.origin);
        let uid = part(event, "/metadata/uid").as_str().unwrap_or_default();
        let nth = uid.strip_prefix(&place).and_then(|it| it.parse().ok()).unwrap_or(0);
        let off = part(event, "/start_time_dt").as_str().unwrap_or_default();
        let is_on_again = *part(event, "/activity_name") == *ocsf::ENABLE.1;
        ocsf::of_leaver(frame, entry, bytes, nth).contains(event)
            && part(event, "/time_dt").as_str().is_some_and(|it| self.is_within(it))
            && (!is_on_again || self.is_news(seq, entry, off))
    }
}

/// Program and version, as the settings of a bag have them.
fn software(event: &Value) -> String {
    let product = part(event, "/metadata/product");
    let text = |name: &str| part(product, name).as_str().unwrap_or_default();
    match text("/version") {
        "" => text("/name").to_owned(),
        version => format!("{} {version}", text("/name")),
    }
}

/// Whether a list is one of texts; nothing is, too.
fn are_texts(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(|it| it.iter().all(Value::is_string))
}
