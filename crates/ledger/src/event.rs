//! What happens that is worth an entry: one event for each run, change or action, and never one
//! for each user and poll.
//!
//! A body holds keys of findings, numbers, times and digests. Whom it is about, who did it, and
//! why in words, are facts apart: they may have to be erased.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{
    Change, Coverage, Decision, Digest, Finding, FindingEvent, NonHuman, Probe, ProbeEnd,
    ProbeRequest, Request, RunId, RunRecord, Signature, SnapshotRef, Stream, Subject, SystemId,
    Tier, Waiver,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::PublicKey;
use crate::entry::time;
use crate::tree::{Hashed, sha256};

/// Lists in the body of a run, so that it stays short enough. The digest covers all.
const LISTS_MAX: usize = 100;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run was saved: what it read, as counts and digests.
    RunCompleted,
    /// An account was seen otherwise than before, and a finding ends with that or came back.
    ObservationChanged,
    /// A list of leavers was read that is not the one before.
    HrImport,
    /// An account has another owner than before, or the same by another key, or a person's word.
    MatchChanged,
    /// A finding was seen for the first time.
    FindingDetected,
    /// A finding opened.
    FindingOpened,
    /// A finding is graver than before.
    FindingWorsened,
    /// A finding is over.
    FindingClosed,
    /// A finding that was over is back.
    FindingReopened,
    /// A waiver came into force for a finding.
    FindingWaived,
    /// A finding can neither be seen nor shown to be over.
    FindingLostSight,
    /// The guard keeps a finding from opening or closing.
    FindingHeld,
    /// Somebody has taken a finding.
    FindingAcknowledged,
    /// Somebody says that a finding never was one.
    FindingFalsePositive,
    /// Something else about a finding changed, such as an acknowledgement that ended.
    FindingChanged,
    /// Somebody asked to release what the guard holds.
    ReleaseRequested,
    /// Somebody else approved it.
    ReleaseApproved,
    /// Somebody asked for a waiver.
    ExceptionRequested,
    /// Somebody else approved it.
    ExceptionApproved,
    /// Changed facts made it void.
    ExceptionVoided,
    /// Somebody registered an account as non-human.
    RegisterChanged,
    /// The settings are not those of the run before.
    ConfigChanged,
    /// The policy has another version than in the run before.
    PolicyChanged,
    /// The program has another version than in the run before.
    SoftwareStarted,
    /// The leavers of an app are listed from here on.
    LeaversListed,
    /// Somebody has left an app's people, and what their accounts show.
    LeaverFound,
    /// What is known of a leaver changed.
    LeaverChanged,
    /// What named somebody was erased.
    ErasureDone,
    /// Whatever is kept of somebody must be kept.
    HoldSet,
    /// Somebody asked to lift such a hold.
    HoldLiftRequested,
    /// Somebody else approved it.
    HoldLifted,
    /// Evidence was put into a bag.
    ExportCreated,
    /// A key is in force from here on.
    KeyAdded,
    /// A key is not in force any more.
    KeyRevoked,
    /// Something happened that is not in the ledger.
    GapDeclared,
    /// Runs came to nothing: nothing of them was saved.
    RunFailed,
    /// Due times of the schedule had no run.
    RunMissed,
    /// A run found the ledger broken.
    SelfcheckFailed,
    /// Somebody asked to switch a canary off, to see what the app makes of it.
    ProbeBegun,
    /// What came of it.
    ProbeEnded,
    /// A checkpoint was taken out of the operator's reach.
    AnchorMade,
    /// A checkpoint never was: a later one takes its place.
    AnchorFailed,
}

impl Kind {
    /// Its name, the `type` of an entry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RunCompleted => "run.completed",
            Self::ObservationChanged => "observation.changed",
            Self::HrImport => "hr.import",
            Self::MatchChanged => "match.changed",
            Self::FindingDetected => "finding.detected",
            Self::FindingOpened => "finding.opened",
            Self::FindingWorsened => "finding.worsened",
            Self::FindingClosed => "finding.closed",
            Self::FindingReopened => "finding.reopened",
            Self::FindingWaived => "finding.waived",
            Self::FindingLostSight => "finding.lost_sight",
            Self::FindingHeld => "finding.held",
            Self::FindingAcknowledged => "finding.acknowledged",
            Self::FindingFalsePositive => "finding.false_positive",
            Self::FindingChanged => "finding.changed",
            Self::ReleaseRequested => "release.requested",
            Self::ReleaseApproved => "release.approved",
            Self::ExceptionRequested => "exception.requested",
            Self::ExceptionApproved => "exception.approved",
            Self::ExceptionVoided => "exception.voided",
            Self::RegisterChanged => "register.changed",
            Self::ConfigChanged => "config.changed",
            Self::PolicyChanged => "policy.changed",
            Self::SoftwareStarted => "software.started",
            Self::LeaversListed => "leaver.listed",
            Self::LeaverFound => "leaver.found",
            Self::LeaverChanged => "leaver.changed",
            Self::ErasureDone => "erasure.done",
            Self::HoldSet => "hold.set",
            Self::HoldLiftRequested => "hold.lift_requested",
            Self::HoldLifted => "hold.lifted",
            Self::ExportCreated => "export.created",
            Self::KeyAdded => "key.added",
            Self::KeyRevoked => "key.revoked",
            Self::GapDeclared => "gap.declared",
            Self::RunFailed => "run.failed",
            Self::RunMissed => "run.missed",
            Self::SelfcheckFailed => "selfcheck.failed",
            Self::ProbeBegun => "probe.begun",
            Self::ProbeEnded => "probe.ended",
            Self::AnchorMade => "anchor.made",
            Self::AnchorFailed => "anchor.failed",
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A run.
    Driftline,
    /// A person, by the name that they gave.
    Person(String),
}

/// Whom an entry is about. In the entry stands a random name for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Who {
    /// `account`, `identity` or `person`.
    pub kind: &'static str,
    /// The system that knows the key; empty for a person who did something.
    pub system: String,
    /// The key there, or the name of the person.
    pub key: String,
}

impl Who {
    /// An account of an app.
    #[must_use]
    pub fn account(app: &SystemId, key: &str) -> Self {
        Self { kind: "account", system: app.to_string(), key: key.to_owned() }
    }

    /// Somebody who did something.
    #[must_use]
    pub fn person(name: &str) -> Self {
        Self { kind: "person", system: String::new(), key: name.to_owned() }
    }

    /// Somebody in a list of an identity provider, or of HR.
    #[must_use]
    pub fn identity(system: &SystemId, key: &str) -> Self {
        Self { kind: "identity", system: system.to_string(), key: key.to_owned() }
    }

    fn of(subject: &Subject) -> Self {
        let (system, key) = (subject.system.to_string(), subject.key.to_string());
        Self { kind: subject.kind.name(), system, key }
    }

    /// The fact that says whom a random name stands for.
    pub(crate) fn fact(&self) -> (&'static str, Value) {
        (self.kind, json!(format!("{}/{}", self.system, self.key)))
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// When, by the clock of the run or of the person's machine.
    pub at: DateTime<Utc>,
    /// In which run; `None` between runs.
    pub run: Option<RunId>,
    /// Who did it.
    pub actor: Actor,
    /// Whom it is about; `None`: nobody alone.
    pub subject: Option<Who>,
    /// What it says in clear: an object of texts, whole numbers, truths, lists and objects.
    pub body: Value,
    /// What may have to be erased: names and values.
    pub facts: Vec<(&'static str, Value)>,
}

/// What a run is run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Program and version.
    pub software: String,
    /// SHA-256 of the settings.
    pub settings: Digest,
    /// Version of the policy.
    pub policy_version: u32,
}

/// A list that a run read.
#[derive(Clone, Debug)]
pub struct ListSeen<'r> {
    /// The list, with its count and digests.
    pub snapshot: &'r SnapshotRef,
    /// The requests behind it.
    pub requests: &'r [Request],
}

/// A run that is about to be saved.
#[derive(Clone, Debug)]
pub struct RunSeen<'r> {
    /// All that its report shows.
    pub record: &'r RunRecord,
    /// The report's JSON document.
    pub report: &'r Hashed,
    /// The lists that it read.
    pub lists: Vec<ListSeen<'r>>,
    /// Was every list read, whole and believable?
    pub is_complete: bool,
    /// When it was made, by the clock of the machine: of a dated night, when that was judged.
    pub made_at: DateTime<Utc>,
}

impl Event {
    /// A run was saved.
    #[must_use]
    pub fn run_completed(seen: &RunSeen<'_>) -> Self {
        let record = seen.record;
        let lists: Vec<Value> = seen.lists.iter().map(ListSeen::told).collect();
        let failed: Vec<String> = record
            .sources
            .iter()
            .filter(|it| it.failed.is_some())
            .map(|it| format!("{} {}", it.system, it.list))
            .collect();
        let apps = record.apps.iter().map(|it| json!({"app": it.app.as_str(), "grade": it.grade.name(), "persons": it.n_persons, "accounts": it.n_accounts}));
        let body = json!({
            "run": record.id.0,
            "pass": record.pass.name(),
            "software": record.software,
            "settings_sha256": HEXLOWER.encode(&record.settings_digest),
            "policy_version": record.policy_version,
            "report_sha256": HEXLOWER.encode(seen.report.sha256()),
            "is_complete": seen.is_complete,
            "made_at": time(seen.made_at),
            "findings": record.findings.iter().filter(|it| it.finding.is_live()).count(),
            "watcher": record.watcher.iter().map(|it| it.kind.name()).collect::<Vec<&str>>(),
            "n_lists": lists.len(),
            "lists_sha256": HEXLOWER.encode(&sha256(&canonical(&lists))),
            "lists": lists.into_iter().take(LISTS_MAX).collect::<Vec<Value>>(),
            "failed": failed.into_iter().take(LISTS_MAX).collect::<Vec<String>>(),
            "apps": apps.take(LISTS_MAX).collect::<Vec<Value>>(),
        });
        by_run(Kind::RunCompleted, (record.id, record.now), None, body)
    }

    /// Adds the digest over what the run was given to the entry that tells of it, and to no other.
    pub fn add_inputs(&mut self, inputs: &Digest) {
        if self.kind == Kind::RunCompleted
            && let Value::Object(body) = &mut self.body
        {
            body.insert("inputs_sha256".to_owned(), json!(HEXLOWER.encode(inputs)));
        }
    }

    /// What a run is run with that the run before was not: all of it when there was none.
    #[must_use]
    pub fn basis_changed(
        (run, now): (RunId, DateTime<Utc>),
        was: Option<&Basis>,
        is: &Basis,
    ) -> Vec<Self> {
        let mut events = Vec::new();
        let mut add = |kind, is: Value, was: Option<Value>| {
            if was.as_ref() != Some(&is) {
                events.push(by_run(kind, (run, now), None, json!({"is": is, "was": was})));
            }
        };
        let software = |it: &Basis| json!(it.software);
        let settings = |it: &Basis| json!(HEXLOWER.encode(&it.settings));
        let policy = |it: &Basis| json!(it.policy_version);
        add(Kind::SoftwareStarted, software(is), was.map(software));
        add(Kind::ConfigChanged, settings(is), was.map(settings));
        add(Kind::PolicyChanged, policy(is), was.map(policy));
        events
    }

    /// A run read a list of leavers that is not the one before.
    #[must_use]
    pub fn hr_import(at: (RunId, DateTime<Utc>), list: &ListSeen<'_>) -> Self {
        by_run(Kind::HrImport, at, None, list.told())
    }

    /// A run gave an account another owner than before, or the same by another key. Account and
    /// owners by system and key; an owner whom no list has any more is `None`.
    #[must_use]
    pub fn match_changed(
        at: (RunId, DateTime<Utc>),
        (app, account): &(String, String),
        (was, was_by): (Option<String>, Tier),
        is: Option<(Option<String>, Tier)>,
    ) -> Self {
        let who = Who { kind: "account", system: app.clone(), key: account.clone() };
        let body = json!({"was_by": was_by.name(), "by": is.as_ref().map(|it| it.1.name())});
        let mut event = by_run(Kind::MatchChanged, at, Some(who), body);
        event.facts.extend([("was", json!(was)), ("is", json!(is.and_then(|it| it.0)))]);
        event
    }

    /// Something happened to a finding, and, where it is over because of what was seen of the
    /// account or back because of that, what was seen.
    #[must_use]
    pub fn finding(event: &FindingEvent, finding: &Finding) -> Vec<Self> {
        let kind = match event.change {
            Change::Detected => Kind::FindingDetected,
            Change::Opened => Kind::FindingOpened,
            Change::Worsened => Kind::FindingWorsened,
            Change::Resolved => Kind::FindingClosed,
            Change::Reopened => Kind::FindingReopened,
            Change::Waived => Kind::FindingWaived,
            Change::LostSight => Kind::FindingLostSight,
            Change::Held => Kind::FindingHeld,
            Change::Acknowledged => Kind::FindingAcknowledged,
            Change::FalsePositive => Kind::FindingFalsePositive,
            Change::Unchanged => Kind::FindingChanged,
        };
        let who = Who::of(&finding.subject);
        let body = json!({
            "finding": finding.id.to_string(),
            "fingerprint": finding.fingerprint.to_string(),
            "app": finding.app.as_str(),
            "cause": event.cause.name(),
            "severity": event.severity.name(),
            "state": event.state.name(),
            "resolution": finding.resolution.map(domain::Resolution::name),
            "detected_at": time(finding.detected_at),
            "looks": looks(finding),
        });
        let run = event.run;
        let facts = vec![who.fact(), ("because", json!(event.because))];
        let actor = Actor::Driftline;
        let told = Self { kind, at: event.at, run, actor, subject: Some(who), body, facts };
        observed(event, finding).into_iter().chain([told]).collect()
    }

    /// Somebody said of a finding what became of it.
    #[must_use]
    pub fn said(
        event: &FindingEvent,
        finding: &Finding,
        by: &Signature,
        reason: &str,
    ) -> Vec<Self> {
        let mut events = Self::finding(event, finding);
        for it in &mut events {
            it.actor = Actor::Person(by.by.clone());
            it.facts.extend([("by", json!(by.by)), ("place", json!(by.place))]);
            it.facts.push(("reason", json!(reason)));
        }
        events
    }

    /// Somebody asked to release what the guard holds: number of the release, digest of what is
    /// held, and why.
    #[must_use]
    pub fn release_requested(
        (release, digest, reason): (i64, &Digest, &str),
        by: &Signature,
        until: DateTime<Utc>,
    ) -> Self {
        let body = json!({"release": release, "held_sha256": HEXLOWER.encode(digest), "expires_at": time(until)});
        by_person(Kind::ReleaseRequested, by, None, body, [("reason", json!(reason))])
    }

    /// Somebody else approved a release.
    #[must_use]
    pub fn release_approved(release: i64, digest: &Digest, by: &Signature) -> Self {
        let body = json!({"release": release, "held_sha256": HEXLOWER.encode(digest)});
        by_person(Kind::ReleaseApproved, by, None, body, [])
    }

    /// Somebody asked for a waiver.
    #[must_use]
    pub fn exception_requested(waiver: &Waiver) -> Self {
        let body = json!({
            "waiver": waiver.id,
            "fingerprint": waiver.fingerprint.to_string(),
            "cause": waiver.cause.name(),
            "episode": waiver.episode,
            "expires_at": time(waiver.expires_at),
        });
        let reason = ("reason", json!(waiver.reason));
        by_person(Kind::ExceptionRequested, &waiver.requested, None, body, [reason])
    }

    /// Somebody approved a waiver.
    #[must_use]
    pub fn exception_approved(waiver: &Waiver, approved: &Signature) -> Self {
        let fingerprint = waiver.fingerprint.to_string();
        let body = json!({"waiver": waiver.id, "fingerprint": fingerprint});
        by_person(Kind::ExceptionApproved, approved, None, body, [])
    }

    /// Changed facts made a waiver void.
    #[must_use]
    pub fn exception_voided(at: (RunId, DateTime<Utc>), waiver: i64) -> Self {
        by_run(Kind::ExceptionVoided, at, None, json!({"waiver": waiver}))
    }

    /// Somebody said whose an account is, or whose it is not.
    #[must_use]
    pub fn decided(decision: &Decision) -> Self {
        let who = Who::account(&decision.app, &decision.account);
        let identity = format!("{}/{}", decision.identity.0, decision.identity.1);
        let body = json!({"app": decision.app.as_str(), "is_owner": decision.is_owner});
        let signature =
            Signature { by: decision.by.clone(), at: decision.at, place: String::new() };
        let facts = [("identity", json!(identity)), ("reason", json!(decision.reason))];
        by_person(Kind::MatchChanged, &signature, Some(who), body, facts)
    }

    /// Somebody registered an account as non-human.
    #[must_use]
    pub fn registered(nonhuman: &NonHuman, by: &Signature) -> Self {
        let body = json!({"attest_by": nonhuman.attest_by.map(time)});
        let text = |it: &Option<domain::Text>| json!(it.as_ref().map(ToString::to_string));
        let facts = [
            ("account", json!(nonhuman.account.to_string())),
            ("owner", text(&nonhuman.owner)),
            ("purpose", text(&nonhuman.purpose)),
        ];
        by_person(Kind::RegisterChanged, by, None, body, facts)
    }

    /// Somebody asked to switch a canary off. Written before anything is sent.
    #[must_use]
    pub fn probe_begun(probe: &Probe) -> Self {
        let who = Who::account(&probe.app, &probe.account);
        let body = json!({"probe": probe.id, "app": probe.app.as_str()});
        by_person(Kind::ProbeBegun, &probe.asked, Some(who), body, [])
    }

    /// What came of a probe: every request that it sent, and what was seen.
    #[must_use]
    pub fn probe_ended(probe: &Probe, end: &ProbeEnd) -> Self {
        let request = |it: &ProbeRequest| {
            json!({
                "method": it.method.to_string(),
                "url": it.url.to_string(),
                "status": it.status,
                "bytes": it.n_bytes,
                "sha256": HEXLOWER.encode(&it.sha256),
                "sent_sha256": it.sent_sha256.map(|it| HEXLOWER.encode(&it)),
                "at": time(it.at),
            })
        };
        let requests: Vec<Value> = end.requests.iter().map(request).collect();
        let body = json!({
            "probe": probe.id,
            "app": probe.app.as_str(),
            "behaviour": end.behaviour.map(domain::Deprovisioned::name),
            "is_back_on": end.is_back_on,
            "n_requests": requests.len(),
            "requests_sha256": HEXLOWER.encode(&sha256(&canonical(&requests))),
        });
        let who = Who::account(&probe.app, &probe.account);
        let by = Signature { at: end.at, ..probe.asked.clone() };
        let facts = [("outcome", json!(end.outcome)), ("requests", json!(requests))];
        by_person(Kind::ProbeEnded, &by, Some(who), body, facts)
    }

    /// A key is in force from here on. The checkpoint over this entry is signed by a key that was
    /// in force before, where there was one.
    #[must_use]
    pub fn key_added(key: &PublicKey, by: &Signature) -> Self {
        by_person(Kind::KeyAdded, by, None, json!({"key": key.to_string()}), [])
    }

    /// The first key of a ledger, taken up by a run.
    #[must_use]
    pub fn first_key(key: &PublicKey, at: DateTime<Utc>, run: Option<RunId>) -> Self {
        let (kind, actor) = (Kind::KeyAdded, Actor::Driftline);
        let body = json!({"key": key.to_string()});
        Self { kind, at, run, actor, subject: None, body, facts: Vec::new() }
    }

    /// A key is not in force any more.
    #[must_use]
    pub fn key_revoked(key: &PublicKey, reason: &str, by: &Signature) -> Self {
        let reason = ("reason", json!(reason));
        by_person(Kind::KeyRevoked, by, None, json!({"key": key.to_string()}), [reason])
    }

    /// These runs were before there was a ledger.
    #[must_use]
    pub fn runs_before(last: RunId, at: DateTime<Utc>, run: Option<RunId>) -> Self {
        let (kind, actor) = (Kind::GapDeclared, Actor::Driftline);
        let body = json!({"first_run": 1, "last_run": last.0, "why": "the ledger began later"});
        Self { kind, at, run, actor, subject: None, body, facts: Vec::new() }
    }
}

/// Texts and whole numbers always have a canonical form.
fn canonical(values: &[Value]) -> Vec<u8> {
    crate::canonical::list(values).unwrap_or_default()
}

/// What a run did.
pub(crate) fn by_run(
    kind: Kind,
    (run, at): (RunId, DateTime<Utc>),
    who: Option<Who>,
    body: Value,
) -> Event {
    let facts = who.iter().map(Who::fact).collect();
    Event { kind, at, run: Some(run), actor: Actor::Driftline, subject: who, body, facts }
}

pub(crate) fn by_person<const N: usize>(
    kind: Kind,
    by: &Signature,
    who: Option<Who>,
    body: Value,
    more: [(&'static str, Value); N],
) -> Event {
    let mut facts: Vec<(&'static str, Value)> = who.iter().map(Who::fact).collect();
    facts.push(("by", json!(by.by)));
    if !by.place.is_empty() {
        facts.push(("place", json!(by.place)));
    }
    facts.extend(more);
    let actor = Actor::Person(by.by.clone());
    Event { kind, at: by.at, run: None, actor, subject: who, body, facts }
}

/// What was seen of the account, where a finding is over or back because of that.
fn observed(event: &FindingEvent, finding: &Finding) -> Option<Event> {
    use domain::Resolution::{AbsenceProven, InactiveSeen};
    let exposure = finding.exposures.last()?;
    let off_before = seen_off_before(event, finding);
    let is = match (event.change, finding.resolution) {
        (Change::Resolved, Some(InactiveSeen)) => "inactive",
        (Change::Resolved, Some(AbsenceProven)) => "absent",
        _ if off_before.is_some() => "active",
        _ => return None,
    };
    let who = Who::of(&finding.subject);
    let body = json!({
        "app": finding.app.as_str(),
        "is": is,
        "last_seen_active": exposure.last_seen_active.map(time),
        "first_seen_inactive": exposure.first_seen_inactive.map(time),
        "was_seen_inactive": off_before.map(time),
    });
    let (run, at, facts) = (event.run, event.at, vec![who.fact()]);
    let (kind, actor) = (Kind::ObservationChanged, Actor::Driftline);
    Some(Event { kind, at, run, actor, subject: Some(who), body, facts })
}

/// When an account that a run sees on again had been seen off. A finding also comes back by a
/// person's word, or where a right ended anew while the account was on all the time: nobody saw
/// either come on.
fn seen_off_before(event: &FindingEvent, finding: &Finding) -> Option<DateTime<Utc>> {
    let [.., before, now] = &finding.exposures[..] else { return None };
    event.run.filter(|_| event.change == Change::Reopened && now.last_seen_active.is_some())?;
    before.first_seen_inactive
}

/// The lists that showed a finding first.
fn looks(finding: &Finding) -> Vec<Value> {
    let look = |it: &domain::Look| json!({"list": name(&it.stream), "as_of": time(it.as_of), "body_sha256": HEXLOWER.encode(&it.body_digest)});
    finding.looks.iter().map(look).collect()
}

impl ListSeen<'_> {
    /// What the entry of a run tells of the list.
    #[must_use]
    pub fn told(&self) -> Value {
        let Self { snapshot, requests } = self;
        let coverage = match &snapshot.coverage {
            Coverage::Complete(proof) => proof.name(),
            Coverage::Partial { .. } => "partial",
        };
        json!({
            "list": name(&snapshot.stream),
            "as_of": time(snapshot.as_of.at),
            "coverage": coverage,
            "is_held": snapshot.held.is_some(),
            "rows": snapshot.n_rows,
            "rows_sha256": HEXLOWER.encode(&snapshot.digest),
            "body_sha256": HEXLOWER.encode(&snapshot.body_digest),
            "requests": requests.len(),
            "requests_sha256": HEXLOWER.encode(&requests_digest(requests)),
        })
    }
}

fn name(stream: &Stream) -> String {
    stream.to_string()
}

/// SHA-256 over the requests, a line each: method, URL, status or `-`, bytes, and the SHA-256 of
/// the body, with a space between and a line end.
fn requests_digest(requests: &[Request]) -> Digest {
    let mut hasher = Sha256::new();
    for it in requests {
        let status = it.status.map_or("-".to_owned(), |it| it.to_string());
        let line = format!(
            "{} {} {status} {} {}\n",
            it.method,
            it.url,
            it.n_bytes,
            HEXLOWER.encode(&it.sha256)
        );
        hasher.update(line);
    }
    hasher.finalize().into()
}
