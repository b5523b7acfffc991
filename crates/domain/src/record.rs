//! The record of one run: all that a report shows, and nothing it has to look up.

use chrono::{DateTime, Utc};

use crate::{
    AsOf, Change, Channel, Coverage, DeprovisionRecord, Digest, Explanation, Finding, Grade, List,
    Pass, SlaResult, SnapshotId, SystemId, SystemKind, Text, TimeToDeactivate, Verdict, Waiver,
    WatcherFinding,
};

/// The number of a run. Later runs have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// One run as it was committed.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// How much it looked at.
    pub pass: Pass,
    /// The time of its judgement, taken after the pulls.
    pub now: DateTime<Utc>,
    /// Program and version, as `driftline 0.1.0`.
    pub software: String,
    /// SHA-256 of the settings in force.
    pub settings_digest: Digest,
    /// Version of the policy.
    pub policy_version: u32,
    /// The full run before this one; `None`: there was none.
    pub previous: Option<(RunId, DateTime<Utc>)>,
    /// True when grace and second look were off (`check`).
    pub is_immediate: bool,
    /// The IANA zone for times on pages for people.
    pub zone: String,
    /// The apps, in order of name.
    pub apps: Vec<AppRecord>,
    /// Every list that was used or should have been, in order.
    pub sources: Vec<SourceRecord>,
    /// Findings that live, and those resolved in this run; gravest first, then by number.
    pub findings: Vec<FindingRecord>,
    /// Findings about the watching.
    pub watcher: Vec<WatcherFinding>,
    /// Values that no mapping knows.
    pub unmapped: Vec<Unmapped>,
    /// Waivers in force or waiting.
    pub waivers: Vec<Waiver>,
    /// Earlier full runs, oldest first, the last 30, this one not among them.
    pub history: Vec<HistoryPoint>,
    /// What was not checked in this run, a sentence each.
    pub not_checked: Vec<String>,
    /// What the evidence never shows, a sentence each.
    pub limits: Vec<String>,
    /// The head of the ledger before this run, which cannot hold the entry of the run itself;
    /// `None`: the ledger had no entry, or is broken.
    pub ledger: Option<LedgerHead>,
}

/// The head of the ledger: how many entries, and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerHead {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// Has a key of the ledger signed it?
    pub is_signed: bool,
    /// When a checkpoint was taken out of the operator's reach last; `None`: never, as far as is
    /// kept.
    pub anchored_at: Option<DateTime<Utc>>,
}

/// One earlier run, for trends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryPoint {
    /// Its number.
    pub run: RunId,
    /// The time of its judgement.
    pub now: DateTime<Utc>,
    /// Findings open, acknowledged or held at its end.
    pub n_open: u64,
    /// Pending at its end.
    pub n_pending: u64,
    /// Open and critical at its end.
    pub n_critical: u64,
}

/// One app in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct AppRecord {
    /// The app.
    pub app: SystemId,
    /// The IdPs bound to it.
    pub idps: Vec<SystemId>,
    /// How sure its results are.
    pub grade: Grade,
    /// Why not better, a sentence each. Empty for grade A.
    pub grade_reasons: Vec<String>,
    /// True in the first judged run of this app.
    pub is_baseline: bool,
    /// The first judged run of this app: this one, or an earlier one.
    pub first_run: RunId,
    /// Persons and accounts by verdict, in order of verdict; none with count 0.
    pub tallies: Vec<Tally>,
    /// Persons over the bound IdPs.
    pub n_persons: u64,
    /// Accounts of the app.
    pub n_accounts: u64,
    /// How long access remained where it ended lately; `None` where none was seen to end.
    pub time_to_deactivate: Option<TimeToDeactivate>,
    /// What the app does with an account that is switched off; `None` where no past is kept.
    pub deprovision: Option<DeprovisionRecord>,
}

/// How many have one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The verdict.
    pub verdict: Verdict,
    /// How many.
    pub count: u64,
}

/// One list in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRecord {
    /// Whose.
    pub system: SystemId,
    /// What the system is to us.
    pub kind: SystemKind,
    /// Which list.
    pub list: List,
    /// Seen how; `None` for all but accounts.
    pub channel: Option<Channel>,
    /// How sure what rests on it is.
    pub grade: Grade,
    /// The snapshot used; `None` when there is none at all.
    pub snapshot: Option<SnapshotId>,
    /// As of when; `None` without a snapshot.
    pub as_of: Option<AsOf>,
    /// How much was seen; `None` without a snapshot.
    pub coverage: Option<Coverage>,
    /// Why its absences do not count; `None` when they do.
    pub held: Option<String>,
    /// Why the pull failed in this run; `None` when it did not. The snapshot is then an older one.
    pub failed: Option<String>,
    /// Unique rows.
    pub n_rows: u64,
    /// Rows that are new, changed or gone since the snapshot before; `None` on the first.
    pub n_changed: Option<u64>,
    /// Merkle root over the sorted row hashes.
    pub digest: Option<Digest>,
    /// Files or requests read.
    pub n_requests: u64,
    /// Their bytes.
    pub n_bytes: u64,
    /// Their names, the first few.
    pub requests: Vec<String>,
    /// Peculiarities.
    pub notes: Vec<String>,
}

/// One finding in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRecord {
    /// The finding.
    pub finding: Finding,
    /// What this run did to it.
    pub change: Change,
    /// Why it did that: why it is pending, opened, resolved.
    pub because: String,
    /// Who it is about, for people who may read names.
    pub person: PersonLabel,
    /// `true` when a role counts as privileged, `None` when no role was shown.
    pub is_privileged: Option<bool>,
    /// Why there is a finding.
    pub explanation: Explanation,
    /// Was access removed in time? `None` for families without a deadline.
    pub sla: Option<SlaResult>,
    /// What to do next, in a sentence.
    pub next_action: String,
}

/// How people call whom a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonLabel {
    /// Display name; `None` when no row has one.
    pub name: Option<String>,
    /// Login or address; `None` when no row has one.
    pub login: Option<String>,
    /// The owner's keys, as `okta/00u1`; empty when nobody owns it.
    pub identities: Vec<String>,
    /// Every login and address of the account and its owners. A key that is one of them is no id: the
    /// list has none.
    pub logins: Vec<Text>,
}

/// A raw value that no mapping knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmapped {
    /// Whose.
    pub system: SystemId,
    /// Which field, as `status`.
    pub field: String,
    /// The value as written.
    pub raw: String,
    /// In how many rows.
    pub count: u64,
}
