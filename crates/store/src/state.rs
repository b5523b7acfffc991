//! The stored past that a run needs, as values: the run reads it once and writes once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    AnchorStand, Changes, Decision, DeprovisionSeen, EntityId, Episode, Finding, FindingId,
    HistoryPoint, LeaversBegin, LogEvent, NonHuman, Release, RunId, SnapshotId, SnapshotRef,
    Stream, SystemId, Text, Tier, Told, Unseen, Verdict, Waiver,
};
use rustc_hash::FxHashMap;

use crate::LeaverLine;
use crate::known::KnownRows;

/// What earlier runs left behind. Numbers taken from it are new only until the commit: load
/// again before the next run, and after a commit that failed.
#[derive(Clone, Debug)]
pub struct State {
    /// The key of fingerprints, made with the database. Never print it.
    pub fingerprint_key: [u8; 32],
    /// The last run and the time of its judgement; `None` before the first.
    pub last_run: Option<(RunId, DateTime<Utc>)>,
    /// The last full run, likewise.
    pub last_full_run: Option<(RunId, DateTime<Utc>)>,
    /// Every list that was ever seen.
    pub streams: BTreeMap<Stream, StreamState>,
    /// Whose each account is, by account. Links outlive the account.
    pub links: FxHashMap<EntityId, StoredLink>,
    /// The newest verdict on each account, or identity without an account.
    pub standings: FxHashMap<EntityId, Standing>,
    /// Employments, of those identities whose first one ended at some time.
    pub episodes: FxHashMap<EntityId, Episode>,
    /// All that live, and the latest resolved one of each fingerprint; by number.
    pub findings: Vec<Finding>,
    /// What people decided on links, oldest first.
    pub decisions: Vec<Decision>,
    /// All waivers, in force or not, by number.
    pub waivers: Vec<Waiver>,
    /// All releases from the guard, in force or not, by number.
    pub releases: Vec<Release>,
    /// How much the runs of the last 30 days let change, oldest first.
    pub changes: Vec<Changes>,
    /// Non-human accounts registered by command, the newest word on each.
    pub nonhumans: Vec<NonHuman>,
    /// The last 30 full runs, oldest first.
    pub history: Vec<HistoryPoint>,
    /// Apps judged in some run, and the first of these: any other has its baseline ahead.
    pub judged_apps: BTreeMap<SystemId, RunId>,
    /// Where to go on reading the log of each source that has one.
    pub log_cursors: BTreeMap<SystemId, String>,
    /// What the logs said so far, oldest first.
    pub log_events: BTreeMap<SystemId, Vec<LogEvent>>,
    /// Every leaver of every app, each as the newest run that saw something new of them.
    pub leavers: Vec<LeaverLine>,
    /// Since when the leavers of each app are listed; an app without a line has that ahead.
    pub leavers_begin: Vec<LeaversBegin>,
    /// Lists that were asked for and never seen whole.
    pub unseen: Vec<Unseen>,
    /// What apps were seen to do with accounts that are switched off, oldest first.
    pub deprovisions: Vec<DeprovisionSeen>,
    /// What channels were told and is not over.
    pub told: Vec<Told>,
    /// Channels that do not take notices, in order of name.
    pub dead_channels: Vec<DeadChannel>,
    /// How each anchor that was ever asked for stands, by name.
    pub anchors: Vec<AnchorStand>,
    pub(crate) next: Counters,
}

/// A channel that took none of the last notices that were sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadChannel {
    /// Its name in the settings.
    pub channel: Text,
    /// Notices that it did not take and that may be tried again, or were given up.
    pub n_notices: u64,
    /// What it said last.
    pub why: String,
}

/// One list, as the past knows it.
#[derive(Clone, Debug, Default)]
pub struct StreamState {
    /// The newest snapshot; `None` before the first commit.
    pub latest: Option<SnapshotRef>,
    /// The newest one from whose absences claims may be made: complete and not held.
    pub base: Option<SnapshotRef>,
    /// Every row ever seen, by key. Those first seen by this run are not among them.
    pub known: KnownRows,
    /// A list of this stream was set against the past already.
    pub(crate) is_enrolled: bool,
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// The owner.
    pub identity: EntityId,
    /// The key that said so.
    pub tier: Tier,
    /// Since which run.
    pub since: RunId,
}

/// The newest verdict on one account, or identity without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The verdict.
    pub verdict: Verdict,
    /// Since which run.
    pub since: RunId,
    /// The time of that run's judgement.
    pub since_at: DateTime<Utc>,
    /// As of when it was seen last, where later looks could not tell. `None`: by every look.
    pub seen_until: Option<DateTime<Utc>>,
}

/// The next free numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    pub run: i64,
    pub snapshot: i64,
    /// Of entities and versions alike.
    pub row: i64,
    pub finding: i64,
}

impl State {
    /// A past in which nothing was seen, for the first run.
    #[must_use]
    pub fn empty(fingerprint_key: [u8; 32]) -> Self {
        Self {
            fingerprint_key,
            last_run: None,
            last_full_run: None,
            streams: BTreeMap::new(),
            links: FxHashMap::default(),
            standings: FxHashMap::default(),
            episodes: FxHashMap::default(),
            findings: Vec::new(),
            decisions: Vec::new(),
            waivers: Vec::new(),
            releases: Vec::new(),
            changes: Vec::new(),
            nonhumans: Vec::new(),
            history: Vec::new(),
            judged_apps: BTreeMap::new(),
            log_cursors: BTreeMap::new(),
            log_events: BTreeMap::new(),
            leavers: Vec::new(),
            leavers_begin: Vec::new(),
            unseen: Vec::new(),
            deprovisions: Vec::new(),
            told: Vec::new(),
            dead_channels: Vec::new(),
            anchors: Vec::new(),
            next: Counters { run: 1, snapshot: 1, row: 1, finding: 1 },
        }
    }

    /// Takes the number of the next run.
    pub const fn next_run(&mut self) -> RunId {
        let run = RunId(self.next.run);
        self.next.run += 1;
        run
    }

    /// Takes the number of the next finding.
    pub const fn next_finding(&mut self) -> FindingId {
        let finding = FindingId(self.next.finding);
        self.next.finding += 1;
        finding
    }

    pub(crate) const fn next_snapshot(&mut self) -> SnapshotId {
        let snapshot = SnapshotId(self.next.snapshot);
        self.next.snapshot += 1;
        snapshot
    }
}
