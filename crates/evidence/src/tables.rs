//! The tables of a bag beside the population: runs and their gaps, lists that were read, findings,
//! exceptions, alerts, changed settings, and the tie-out of HR, identity providers and app.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{Finding, FindingId, Grade, Pass, Request, SnapshotRef};

use crate::contents::{Contents, FindingTold};
use crate::coverage::ListsTold;
use crate::disputes::Dispute;
use crate::leaf::LeaverLeaf;

/// A run of the period, as its entry and the schedule tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDone {
    /// Its number; `None`: it failed, and nothing of it was saved.
    pub run: Option<i64>,
    /// Its entry in the ledger.
    pub entry: u64,
    /// When it judged.
    pub at: DateTime<Utc>,
    /// How much it looked at.
    pub pass: Pass,
    /// Was every list read, whole and believable? A light pass reads none.
    pub is_complete: bool,
    /// The grade of the app; `None`: it was not judged.
    pub grade: Option<String>,
    /// Lists that could not be read, or that it failed.
    pub failed: Vec<String>,
    /// When it was due; `None`: somebody asked for it.
    pub due_at: Option<DateTime<Utc>>,
    /// Due times before it that had no run.
    pub n_missed: u64,
    /// When it was really made, which for the exports of a past night is later than when it judged;
    /// `None`: its entry does not say.
    pub made_at: Option<DateTime<Utc>>,
    /// Lists that show nobody's absence.
    pub lists: ListsTold,
}

impl RunDone {
    /// Whether it was made at another time than it speaks of, by more than a day.
    pub(crate) fn is_made_apart(&self) -> bool {
        self.made_at.is_some_and(|it| (it - self.at).abs() > TimeDelta::days(1))
    }

    /// How well it saw the app; `None`: it saw nothing of it, or was a light run.
    pub(crate) fn saw(&self) -> Option<Grade> {
        let grade = self.grade.as_deref().and_then(Grade::parse);
        grade.filter(|it| *it != Grade::F && self.pass == Pass::Full)
    }
}

/// A list that was read in the period.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRead {
    /// In which run.
    pub run: i64,
    /// The list.
    pub snapshot: SnapshotRef,
    /// The requests or files behind it.
    pub requests: Vec<Request>,
}

/// HR's newest list of the period, against the leavers on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HrList {
    /// The list.
    pub list: String,
    /// In which run it was read.
    pub run: i64,
    /// Its rows that say of somebody that they left: by the end of the period, by the time of the list,
    /// and not before the listing looked back to.
    pub n_in_force: usize,
    /// Those of them on which no leaver of the app on record rests.
    pub unmatched: usize,
}

/// An exception to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionRow {
    /// The waiver's number.
    pub waiver: i64,
    /// Of which finding.
    pub finding: String,
    /// For which cause.
    pub cause: String,
    /// Who asked; left out of a redacted bag, as are reason and approver.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Who approved, and when; `None`: nobody did.
    pub approved: Option<(String, DateTime<Utc>)>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When changed facts made it void.
    pub voided_at: Option<DateTime<Utc>>,
}

/// One notice to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// How grave.
    pub severity: String,
    /// By which channel.
    pub channel: String,
    /// What became of it.
    pub state: String,
    /// How often it was tried.
    pub n_attempts: u64,
    /// When it was tried last.
    pub tried_at: Option<DateTime<Utc>>,
    /// What the channel calls it.
    pub reference: String,
    /// The findings that it is about; empty: it is about the watching.
    pub findings: Vec<FindingId>,
}

/// The rows of a table, without its heading; `None`: it is none, or one of other columns.
pub(crate) fn rows(table: &[u8], columns: &[&str]) -> Option<Vec<Vec<String>>> {
    let table = table.strip_prefix("\u{feff}".as_bytes()).unwrap_or(table);
    let mut reader = csv::Reader::from_reader(table);
    if reader.headers().ok()? != columns {
        return None;
    }
    let row = |it: csv::StringRecord| it.iter().map(str::to_owned).collect();
    reader.into_records().map(|it| it.ok().map(row)).collect()
}

/// A time as every table has it.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn maybe(at: Option<DateTime<Utc>>) -> String {
    at.map(time).unwrap_or_default()
}

/// The longest time in the period without a full run that saw anything of the app, and when it began.
pub(crate) fn longest_gap(contents: &Contents) -> (TimeDelta, DateTime<Utc>) {
    let scope = &contents.scope;
    let end = scope.to.min(scope.now);
    let (mut last, mut longest) = (scope.from, (TimeDelta::zero(), scope.from));
    let times = contents.runs.iter().filter(|it| it.saw().is_some()).map(|it| it.at);
    for at in times.chain([end]) {
        if at - last > longest.0 {
            longest = (at - last, last);
        }
        last = last.max(at);
    }
    longest
}

/// Full runs that failed, or in which a list was not read whole, and of how many times they speak: a run
/// of which nothing was seen is made again.
pub(crate) fn incomplete(contents: &Contents) -> (usize, usize) {
    let full = contents.runs.iter().filter(|it| it.pass == Pass::Full && !it.is_complete);
    let times: BTreeSet<DateTime<Utc>> = full.clone().map(|it| it.at).collect();
    (full.count(), times.len())
}

/// Which lists showed nobody's absence in how many runs, a sentence each.
pub(crate) fn lists_amiss(contents: &Contents) -> Vec<String> {
    let mut amiss: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for run in &contents.runs {
        let held = run.lists.held.iter().map(|it| (&**it, "was held: too few rows to be believed"));
        let not_asked = run.lists.not_asked.iter();
        let not_asked = not_asked.map(|it| (&**it, "was not asked for, though other runs have it"));
        held.chain(not_asked).for_each(|it| *amiss.entry(it).or_default() += 1);
    }
    let sentence = |((list, what), n): ((&str, &str), usize)| {
        format!("{list} {what}, in {}", domain::counted(n, "run"))
    };
    amiss.into_iter().map(sentence).collect()
}

pub(crate) const COVERAGE: &[&str] = &[
    "run",
    "entry",
    "at",
    "pass",
    "due_at",
    "missed_before",
    "is_complete",
    "grade",
    "failed",
    "since_run_before_s",
    "made_at",
    "held",
    "not_asked",
];

/// `coverage.csv`: every run, and what was missed before it.
pub(crate) fn coverage(contents: &Contents) -> Vec<u8> {
    let mut last: Option<DateTime<Utc>> = None;
    let rows = contents.runs.iter().map(|it| {
        let since = last.replace(it.at).map(|last| (it.at - last).num_seconds().to_string());
        vec![
            it.run.map(|it| it.to_string()).unwrap_or_default(),
            it.entry.to_string(),
            time(it.at),
            it.pass.name().to_owned(),
            maybe(it.due_at),
            it.n_missed.to_string(),
            if it.is_complete { "yes" } else { "no" }.to_owned(),
            it.grade.clone().unwrap_or_default(),
            it.failed.join("; "),
            since.unwrap_or_default(),
            maybe(it.made_at),
            it.lists.held.join("; "),
            it.lists.not_asked.join("; "),
        ]
    });
    report::table_csv(COVERAGE, rows)
}

pub(crate) const FINDINGS: &[&str] = &[
    "finding",
    "cause",
    "severity",
    "state",
    "subject",
    "episode",
    "detected_at",
    "opened_at",
    "resolved_at",
    "resolution",
    "exposures",
    "n_events",
    "fingerprint",
];

/// `findings.csv`: every finding of the app that lived in the period.
pub(crate) fn findings(contents: &Contents) -> Vec<u8> {
    let rows = contents.findings.iter().map(|it| {
        let finding = &it.finding;
        let subject = match contents.names_subject(finding) {
            true => format!("{}/{}", finding.subject.system, finding.subject.key),
            false => String::new(),
        };
        vec![
            finding.id.to_string(),
            finding.cause.to_string(),
            finding.severity.to_string(),
            finding.state.to_string(),
            subject,
            finding.episode.to_string(),
            time(finding.detected_at),
            maybe(finding.opened_at),
            maybe(finding.resolved_at),
            finding.resolution.map(|it| it.to_string()).unwrap_or_default(),
            exposures(finding),
            it.events.len().to_string(),
            finding.fingerprint.to_string(),
        ]
    });
    report::table_csv(FINDINGS, rows)
}

/// Each as `start earliest/start latest/last seen active/first seen inactive`, `..` for unknown.
pub(crate) fn exposures(finding: &Finding) -> String {
    let bound = |it: Option<DateTime<Utc>>| it.map_or("..".to_owned(), time);
    let stretch = |it: &domain::Exposure| {
        let bounds =
            [it.started.earliest, it.started.latest, it.last_seen_active, it.first_seen_inactive];
        bounds.map(bound).join("/")
    };
    finding.exposures.iter().map(stretch).collect::<Vec<String>>().join("; ")
}

/// `exceptions.csv`.
pub(crate) fn exceptions(contents: &Contents) -> Vec<u8> {
    const COLUMNS: &[&str] = &[
        "waiver",
        "finding",
        "cause",
        "requested_by",
        "requested_at",
        "reason",
        "approved_by",
        "approved_at",
        "expires_at",
        "voided_at",
    ];
    let shown = |text: &str| {
        if contents.scope.is_redacted { String::new() } else { text.to_owned() }
    };
    let rows = contents.exceptions.iter().map(|it| {
        let approved = it.approved.as_ref();
        vec![
            it.waiver.to_string(),
            it.finding.clone(),
            it.cause.clone(),
            shown(&it.requested_by),
            time(it.requested_at),
            shown(&it.reason),
            approved.map(|it| shown(&it.0)).unwrap_or_default(),
            maybe(approved.map(|it| it.1)),
            time(it.expires_at),
            maybe(it.voided_at),
        ]
    });
    report::table_csv(COLUMNS, rows)
}

/// `alerts.csv`: what was told in the period, of any app, with the findings that it is about and, where
/// the bag may say so, whom they are about.
pub(crate) fn alerts(contents: &Contents) -> Vec<u8> {
    const COLUMNS: &[&str] = &[
        "at",
        "reason",
        "severity",
        "channel",
        "state",
        "attempts",
        "tried_at",
        "reference",
        "findings",
        "subjects",
    ];
    let subject = |id: &FindingId| {
        let mut findings = contents.findings.iter().map(|it| &it.finding);
        let finding = findings.find(|it| it.id == *id && contents.names_subject(it))?;
        Some(format!("{}/{}", finding.subject.system, finding.subject.key))
    };
    let rows = contents.alerts.iter().map(|it| {
        let findings: Vec<String> = it.findings.iter().map(ToString::to_string).collect();
        let subjects: Vec<String> = it.findings.iter().filter_map(subject).collect();
        vec![
            time(it.at),
            it.reason.clone(),
            it.severity.clone(),
            it.channel.clone(),
            it.state.clone(),
            it.n_attempts.to_string(),
            maybe(it.tried_at),
            it.reference.clone(),
            findings.join(" "),
            subjects.join("; "),
        ]
    });
    report::table_csv(COLUMNS, rows)
}

/// Entries that say that settings, policy, program or keys are others than before.
pub(crate) const CONFIG_KINDS: &[&str] =
    &["config.changed", "policy.changed", "software.started", "key.added", "key.revoked"];

pub(crate) const CONFIG_CHANGES: &[&str] = &["entry", "at", "change", "was", "is"];

/// `config-changes.csv`, from the entries of the period.
pub(crate) fn config_changes<'e>(entries: impl Iterator<Item = (u64, &'e [u8])>) -> Vec<u8> {
    let rows = entries.filter_map(|(at, entry)| {
        let value: serde_json::Value = serde_json::from_slice(entry).ok()?;
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let kind = text("type").filter(|it| CONFIG_KINDS.contains(&&**it))?;
        let body = value.get("body")?;
        let shown = |name: &str| match body.get(name) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let is = if kind.starts_with("key.") { shown("key") } else { shown("is") };
        Some(vec![at.to_string(), text("at")?, kind, shown("was"), is])
    });
    report::table_csv(CONFIG_CHANGES, rows)
}

/// How many leavers each side knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TieOut {
    pub(crate) both: usize,
    pub(crate) hr_alone: usize,
    pub(crate) idp_alone: usize,
    pub(crate) neither: usize,
    pub(crate) with_account: usize,
}

pub(crate) fn tie_out(leavers: &[LeaverLeaf]) -> TieOut {
    let mut tie_out = TieOut::default();
    for leaver in leavers {
        let count = match leaver.said() {
            (true, true) => &mut tie_out.both,
            (true, false) => &mut tie_out.hr_alone,
            (false, true) => &mut tie_out.idp_alone,
            (false, false) => &mut tie_out.neither,
        };
        *count += 1;
        tie_out.with_account += usize::from(!leaver.body.accounts.is_empty());
    }
    tie_out
}

pub(crate) const RECONCILIATION: &[&str] =
    &["what", "id", "in_hr", "in_idp", "n_accounts", "unmatched"];

/// `reconciliation.csv`: every leaver with the sides that know them, and by number the findings of
/// people of whom sources disagree, HR's lists, and the accounts that nobody owns.
pub(crate) fn reconciliation(
    leavers: &[LeaverLeaf],
    disputes: &[Dispute],
    (hr, unowned): (&[HrList], &[String]),
) -> Vec<u8> {
    let yes = |it: bool| if it { "yes" } else { "no" }.to_owned();
    let of_leavers = leavers.iter().map(|it| {
        let (hr, idp) = it.said();
        let unmatched = match (hr, idp, it.body.accounts.is_empty()) {
            (true, false, _) => "no identity provider says that they left",
            (false, true, _) => "HR does not say that they left",
            (false, false, _) => "gone from a list, and nobody says that they left",
            (true, true, true) => "no account in the app",
            (true, true, false) => "",
        };
        vec![
            "leaver".to_owned(),
            it.id(),
            yes(hr),
            yes(idp),
            it.body.accounts.len().to_string(),
            unmatched.to_owned(),
        ]
    });
    let disputed = disputes.iter().map(|it| {
        let nothing = String::new(); // Which side says what, no entry tells.
        let (id, why) = (it.finding.clone(), it.in_words());
        vec!["disputed".to_owned(), id, nothing.clone(), nothing, "1".to_owned(), why]
    });
    let of_hr = hr.iter().map(|it| {
        let HrList { list, n_in_force, unmatched, .. } = it;
        let why = format!(
            "{unmatched} of {n_in_force} rows say that somebody left, and no leaver of the app on \
             record rests on them"
        );
        let (yes, nothing) = ("yes".to_owned(), String::new());
        vec!["hr".to_owned(), list.clone(), yes, nothing.clone(), nothing, why]
    });
    let orphans = unowned.iter().map(|finding| {
        let why = "an account of the app that nobody owns".to_owned();
        let (no, one) = ("no".to_owned(), "1".to_owned());
        vec!["account".to_owned(), finding.clone(), no.clone(), no, one, why]
    });
    report::table_csv(RECONCILIATION, of_leavers.chain(disputed).chain(of_hr).chain(orphans))
}

/// The findings of accounts that nobody owns.
pub(crate) fn unowned(contents: &Contents) -> Vec<String> {
    let is_unowned = |it: &&FindingTold| it.finding.family() == domain::Family::Orphan;
    contents.findings.iter().filter(is_unowned).map(|it| it.finding.id.to_string()).collect()
}
