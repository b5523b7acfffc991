//! Version 1 of the document that every page is rendered from. Frozen: a field
//! may be explained better, but not renamed, removed or given another meaning;
//! what must change becomes version 2. Unknown fields are refused.

mod app;
mod finding;
mod since;
mod source;
mod summary;
mod time;
mod words;

use data_encoding::HEXLOWER;
use domain::RunRecord;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ReportError;

pub use app::{App, Deprovision, DeprovisionTally, Tally, TimeToDeactivate};
pub use finding::{
    Bounds, Explanation, Exposure, Fact, Finding, KeyTrial, Look, Person, SlaResult, Subject,
    TrialOutcome,
};
pub use source::{AsOf, Coverage, CoverageKind, RootCause, Source, Unmapped, WatcherFinding};
pub use summary::{CauseCount, ChangeCount, SeverityCount, StateCount, Summary};
pub use time::Time;
pub use words::{
    AsOfBasis, Cause, Change, Channel, ClockStart, Deprovisioned, Family, FindingState, Grade,
    List, Pass, Proof, Resolution, Severity, SlaOutcome, SubjectKind, SystemKind, Tier, Verdict,
    Watcher,
};

/// The name of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Format {
    /// This one.
    #[serde(rename = "driftline.report.v1")]
    V1,
}

/// One run: all that a report shows, and nothing that has to be looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which format this is.
    pub format: Format,
    /// The number of the run.
    pub run: i64,
    /// How much it looked at; not there: at every list.
    #[serde(default = "Report::full", skip_serializing_if = "Report::is_pass_full")]
    pub pass: Pass,
    /// When the run judged, after its pulls.
    pub now: Time,
    /// Program and version.
    pub software: String,
    /// SHA-256 of the settings in force, hexadecimal.
    pub settings_sha256: String,
    /// Version of the policy.
    pub policy_version: u32,
    /// The full run before; `null` on the first. Changes are those since then.
    pub previous: Option<PreviousRun>,
    /// True when grace and second look were off.
    pub is_immediate: bool,
    /// The IANA time zone of pages for people.
    pub zone: String,
    /// The findings, counted.
    pub summary: Summary,
    /// The apps, in order of name.
    pub apps: Vec<App>,
    /// Every list that was used or should have been.
    pub sources: Vec<Source>,
    /// Findings that live, and those that ended since the full run before; gravest first.
    pub findings: Vec<Finding>,
    /// Findings about the watching itself.
    pub watcher: Vec<WatcherFinding>,
    /// Raw values that no mapping knows.
    pub unmapped: Vec<Unmapped>,
    /// Waivers in force, waiting, or lately void.
    pub waivers: Vec<Waiver>,
    /// Earlier full runs, oldest first, this one not among them.
    pub history: Vec<HistoryPoint>,
    /// What was not checked in this run, a sentence each.
    pub not_checked: Vec<String>,
    /// What the evidence never shows, a sentence each.
    pub limits: Vec<String>,
    /// The head of the ledger before this run, which cannot hold the entry of the run itself; not
    /// there when the ledger had no entry, or is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerHead>,
}

/// The head of the ledger: what anybody who keeps it can check a later one against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LedgerHead {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them (RFC 6962), hexadecimal.
    pub root_sha256: String,
    /// True when a key of the ledger signed it.
    pub is_signed: bool,
    /// When a checkpoint was taken out of the operator's reach last; not there when none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchored_at: Option<Time>,
}

/// The run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviousRun {
    /// Its number.
    pub run: i64,
    /// When it judged.
    pub now: Time,
}

/// One earlier run, for trends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HistoryPoint {
    /// Its number.
    pub run: i64,
    /// When it judged.
    pub now: Time,
    /// Findings open, acknowledged or held at its end.
    pub n_open: u64,
    /// Findings pending at its end.
    pub n_pending: u64,
    /// Findings open and critical at its end.
    pub n_critical: u64,
}

/// A finding accepted for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Its number.
    pub id: i64,
    /// The finding it is for; `null` when that is not in this report.
    pub finding: Option<String>,
    /// The finding's fingerprint, hexadecimal.
    pub fingerprint: String,
    /// The cause it was asked for: another cause voids it.
    pub cause: Cause,
    /// The employment it was asked for: a new one voids it.
    pub episode: u32,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested: Signature,
    /// Who approved; `null` while it waits.
    pub approved: Option<Signature>,
    /// When it ends.
    pub expires_at: Time,
    /// When changed facts made it void; `null` while they hold.
    pub voided_at: Option<Time>,
    /// True when it held at the time of the run.
    pub is_in_force: bool,
}

/// Who did something, when and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The name they gave, or the login of the machine.
    pub by: String,
    /// When.
    pub at: Time,
    /// Login and host.
    pub place: String,
}

impl Report {
    const fn full() -> Pass {
        Pass::Full
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    const fn is_pass_full(pass: &Pass) -> bool {
        matches!(pass, Pass::Full)
    }

    /// Returns true when all that a run of its kind looks at was seen: of a full run every list,
    /// whole and believable; of a light pass the logs and whoever was asked by id.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let blinds = [Watcher::SnapshotIncomplete, Watcher::CredentialFailed];
        let is_blind = self.watcher.iter().any(|it| blinds.contains(&it.kind));
        match self.pass {
            Pass::Full => !is_blind && self.sources.iter().all(Source::is_whole),
            Pass::Light => !is_blind,
        }
    }

    /// The document of one run that was preceded by a full one, or by none.
    #[must_use]
    pub fn of(record: &RunRecord) -> Self {
        Self::since(record, None)
    }

    /// The document of one run. `told`: that of the last light pass since the full run before, for
    /// what has changed since then; `None`: there was none.
    #[must_use]
    pub fn since(record: &RunRecord, told: Option<&Self>) -> Self {
        let mut findings: Vec<Finding> = record.findings.iter().map(Finding::of).collect();
        told.into_iter().for_each(|it| since::add_changes(&mut findings, &it.findings));
        let since = record.previous.map_or(0, |it| it.0.0);
        Self {
            format: Format::V1,
            run: record.id.0,
            pass: record.pass.into(),
            now: Time(record.now),
            software: record.software.clone(),
            settings_sha256: HEXLOWER.encode(&record.settings_digest),
            policy_version: record.policy_version,
            previous: record.previous.map(|(run, now)| PreviousRun { run: run.0, now: Time(now) }),
            is_immediate: record.is_immediate,
            zone: record.zone.clone(),
            summary: Summary::of(&findings, since),
            apps: record.apps.iter().map(|app| App::of(app, &findings)).collect(),
            sources: record.sources.iter().map(Source::of).collect(),
            watcher: record.watcher.iter().map(WatcherFinding::of).collect(),
            unmapped: record.unmapped.iter().map(Unmapped::of).collect(),
            waivers: record
                .waivers
                .iter()
                .map(|it| Waiver::of(it, record.now, &findings))
                .collect(),
            history: record.history.iter().map(HistoryPoint::of).collect(),
            not_checked: record.not_checked.clone(),
            limits: record.limits.clone(),
            ledger: record.ledger.map(|it| LedgerHead {
                size: it.size,
                root_sha256: HEXLOWER.encode(&it.root),
                is_signed: it.is_signed,
                anchored_at: it.anchored_at.map(Time),
            }),
            findings,
        }
    }

    /// The document as JSON: indented, in the order of its fields, with a line end.
    /// The same report gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        /// About as much as one takes.
        const FINDING_BYTES: usize = 4096;
        let mut json = Vec::with_capacity((self.findings.len() + 8) * FINDING_BYTES);
        serde_json::to_writer_pretty(&mut json, self)
            .expect("structs of texts and whole numbers always serialize");
        json.push(b'\n');
        json
    }

    /// Reads a document of this version.
    ///
    /// # Errors
    ///
    /// Returns [`ReportError::NotAReport`] for anything else, also for a field that version 1
    /// does not have.
    pub fn parse(json: &[u8]) -> Result<Self, ReportError> {
        serde_json::from_slice(json).map_err(ReportError::NotAReport)
    }

    /// What is wrong with provisioning and behind findings about people, each with its root cause.
    pub fn root_causes(&self) -> impl Iterator<Item = (&WatcherFinding, &RootCause)> {
        let roots = self.watcher.iter().filter_map(|it| Some((it, it.root_cause.as_ref()?)));
        roots.filter(|it| it.1.has_findings())
    }

    /// What the finding of this number comes of, and whether that is sure.
    pub fn causes_of<'s>(
        &'s self,
        id: &'s str,
    ) -> impl Iterator<Item = (&'s WatcherFinding, bool)> {
        self.root_causes().filter_map(move |(it, root)| {
            let names = |all: &[String]| all.iter().any(|it| it == id);
            let is_sure = names(&root.explains);
            (is_sure || names(&root.may_explain)).then_some((it, is_sure))
        })
    }

    /// The finding of that number; `None` when it is not in this report.
    #[must_use]
    pub fn finding(&self, id: domain::FindingId) -> Option<&Finding> {
        let id = id.to_string();
        self.findings.iter().find(|it| it.id == id)
    }
}

impl HistoryPoint {
    fn of(point: &domain::HistoryPoint) -> Self {
        Self {
            run: point.run.0,
            now: Time(point.now),
            n_open: point.n_open,
            n_pending: point.n_pending,
            n_critical: point.n_critical,
        }
    }
}

impl Waiver {
    fn of(
        waiver: &domain::Waiver,
        now: chrono::DateTime<chrono::Utc>,
        findings: &[Finding],
    ) -> Self {
        let fingerprint = waiver.fingerprint.to_string();
        Self {
            id: waiver.id,
            finding: findings
                .iter()
                .find(|it| it.fingerprint == fingerprint)
                .map(|it| it.id.clone()),
            fingerprint,
            cause: waiver.cause.into(),
            episode: waiver.episode,
            reason: waiver.reason.clone(),
            requested: Signature::of(&waiver.requested),
            approved: waiver.approved.as_ref().map(Signature::of),
            expires_at: Time(waiver.expires_at),
            voided_at: waiver.voided_at.map(Time),
            is_in_force: waiver.is_in_force(now),
        }
    }
}

impl Signature {
    fn of(signature: &domain::Signature) -> Self {
        Self { by: signature.by.clone(), at: Time(signature.at), place: signature.place.clone() }
    }
}

/// The JSON Schema of [`Report`], with a line end. Committed as
/// `schema/report-v1.schema.json`.
#[cfg(test)]
pub(crate) fn schema() -> String {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".to_owned(), "Driftline report, version 1".into());
    let mut text = format!("{:#}", schema.as_value());
    text.push('\n');
    text
}
