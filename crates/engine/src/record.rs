//! Writes down what a run saw and concluded, so that a report has nothing to look up.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    AppRecord, Change, Changes, Coverage, DeprovisionSeen, Direction, FindingEvent, FindingId,
    FindingRecord, FindingState, Grade, Hold, Pass, RunId, RunRecord, Severity, SourceRecord,
    Stream, SubjectKind, SystemKind, Unmapped, Watcher, WatcherFinding, counted,
};
use drift::{Judgement, is_for_canaries, time_to_deactivate};
use report::v1::Report;
use store::{DeadChannel, State};

use crate::anchor;
use crate::ask::AskedAgain;
use crate::blind::blind;
use crate::deprovision::deprovision_of;
use crate::gaps::gaps;
use crate::lists::{Listing, Missing, is_old, shown};
use crate::plain::Plain;
use crate::plan::{AppPlan, Plan, Source};
use crate::pull::Pulled;
use crate::root_cause::Scene;
use crate::selfcheck::SelfCheck;

/// Names of requests that a report lists for one source; the store keeps all.
const REQUESTS_SHOWN_MAX: usize = 5;

/// What one app came to.
pub(crate) struct AppOutcome<'r> {
    pub(crate) app: &'r AppPlan,
    pub(crate) judgement: Judgement,
    /// What happened to findings, in order of their numbers.
    pub(crate) events: Vec<FindingEvent>,
    /// Waivers that changed facts made void.
    pub(crate) voided: Vec<i64>,
    /// What the guard holds.
    pub(crate) holds: Vec<Hold>,
    /// How much this run let change.
    pub(crate) changes: Option<Changes>,
    pub(crate) grade: (Grade, Vec<String>),
    /// Leaves that HR states and that count for nobody, a sentence each.
    pub(crate) doubts: Vec<String>,
    pub(crate) is_baseline: bool,
    /// People of whom there was nothing to weigh.
    pub(crate) plain: Plain,
}

/// What each app came to, and the findings of all of them.
pub(crate) type Concluded<'c> = (&'c [AppOutcome<'c>], &'c [FindingRecord]);

/// What is known of the run as a whole.
pub(crate) struct Run<'r> {
    pub(crate) id: RunId,
    pub(crate) now: DateTime<Utc>,
    /// When it was made, by the clock of the machine.
    pub(crate) made_at: DateTime<Utc>,
    pub(crate) plan: &'r Plan,
    pub(crate) state: &'r State,
    /// What the sources answered beside their lists.
    pub(crate) pulled: &'r Pulled,
    /// How asking again by id went.
    pub(crate) asked: &'r AskedAgain,
    /// What it found beside the lists.
    pub(crate) beside: &'r Beside,
}

/// What a run finds beside the lists.
pub(crate) struct Beside {
    /// What it found of the ledger.
    pub(crate) ledger: SelfCheck,
    /// The report of the full run before; `None`: there is none, or nothing asks for it.
    pub(crate) before: Option<Report>,
    /// What it saw, and no run before, of what apps do with accounts that are switched off.
    pub(crate) deprovisions: Vec<DeprovisionSeen>,
}

/// How many findings stand where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) n_open: u64,
    pub(crate) n_pending: u64,
    pub(crate) n_critical: u64,
}

pub(crate) fn counts(findings: &[FindingRecord]) -> Counts {
    let mut counts = Counts::default();
    for FindingRecord { finding, .. } in findings {
        match finding.state {
            // What the guard keeps from opening is not open.
            FindingState::Held if finding.opened_at.is_none() => counts.n_pending += 1,
            FindingState::Open | FindingState::Acknowledged | FindingState::Held => {
                counts.n_open += 1;
                counts.n_critical += u64::from(finding.severity == Severity::Critical);
            }
            FindingState::Pending => counts.n_pending += 1,
            FindingState::Waived
            | FindingState::NotVisible
            | FindingState::Resolved
            | FindingState::FalsePositive => {}
        }
    }
    counts
}

/// Puts the record together, of what each app came to and the findings of all of them.
pub(crate) fn record(
    run: &Run<'_>,
    listings: &[Listing],
    outcomes: &[AppOutcome<'_>],
    mut findings: Vec<FindingRecord>,
) -> RunRecord {
    let sources: Vec<SourceRecord> = listings.iter().map(|it| source(run, it)).collect();
    let apps: Vec<AppRecord> = outcomes.iter().map(|it| app(run, it, &findings)).collect();
    findings.sort_by_key(|it| (std::cmp::Reverse(it.finding.severity), it.finding.id));
    let not_checked = not_checked(run, (outcomes, &findings));
    let scene = Scene {
        apps: &apps,
        findings: &findings,
        before: run.beside.before.as_ref(),
        provisioned: &run.plan.provisioned,
        now: run.now,
    };
    RunRecord {
        id: run.id,
        pass: run.plan.pass,
        now: run.now,
        software: run.plan.software.clone(),
        settings_digest: run.plan.settings_digest,
        policy_version: run.plan.policy.version,
        previous: run.state.last_full_run,
        is_immediate: run.plan.policy.is_immediate,
        zone: run.plan.policy.zone.name().to_owned(),
        watcher: watcher(run, listings, &sources, outcomes, &scene),
        apps,
        findings,
        unmapped: unmapped(&run.pulled.unmapped),
        waivers: run
            .state
            .waivers
            .iter()
            .filter(|it| it.voided_at.is_none() && it.expires_at > run.now)
            .cloned()
            .collect(),
        history: run.state.history.clone(),
        not_checked,
        limits: limits(run.plan),
        ledger: run.beside.ledger.head,
        sources,
    }
}

fn app(run: &Run<'_>, outcome: &AppOutcome<'_>, findings: &[FindingRecord]) -> AppRecord {
    let name = &outcome.app.rules.app;
    let records = || findings.iter().map(|it| &it.finding).filter(|it| it.app == *name);
    let known: BTreeSet<FindingId> = records().map(|it| it.id).collect();
    let seen = [&*run.state.deprovisions, &*run.beside.deprovisions].concat();
    let earlier = run.state.findings.iter().filter(|it| it.app == *name && !known.contains(&it.id));
    AppRecord {
        app: name.clone(),
        idps: outcome.app.rules.idps.clone(),
        grade: outcome.grade.0,
        grade_reasons: outcome.grade.1.clone(),
        is_baseline: outcome.is_baseline,
        first_run: run.state.judged_apps.get(name).copied().unwrap_or(run.id),
        tallies: outcome.judgement.tallies.clone(),
        n_persons: outcome.judgement.n_persons,
        n_accounts: outcome.judgement.n_accounts,
        time_to_deactivate: time_to_deactivate(records().chain(earlier), run.now),
        deprovision: (!run.plan.policy.is_immediate)
            .then(|| deprovision_of(&outcome.app.rules, &seen)),
    }
}

fn source(run: &Run<'_>, listing: &Listing) -> SourceRecord {
    let system = &listing.stream.system;
    let kind = run.plan.sources.iter().find(|it| it.system() == system).map(Source::kind);
    let reference = listing.newest();
    let fresh = listing.fresh.as_ref().map(|it| &it.snapshot);
    let requests = fresh.map(|it| &*it.requests).unwrap_or_default();
    let enrolled = listing.fresh.as_ref().map(|it| &it.enrolled);
    let grade = match reference {
        None => Grade::F,
        Some(it) if is_old(it.as_of.at, run.plan.policy.max_age, run.now) => Grade::F,
        Some(it) if !it.supports_absence() || listing.missing.is_some() => Grade::C,
        Some(_) if requests.iter().any(|it| it.status.is_some()) => Grade::A,
        Some(_) => Grade::B,
    };
    SourceRecord {
        system: system.clone(),
        kind: kind.unwrap_or(SystemKind::Idp),
        list: listing.stream.list,
        channel: listing.stream.channel,
        grade,
        snapshot: reference.map(|it| it.id),
        as_of: reference.map(|it| it.as_of),
        coverage: reference.map(|it| it.coverage.clone()),
        held: reference.and_then(|it| it.held.clone()),
        failed: listing.failed().map(str::to_owned),
        n_rows: reference.map_or(0, |it| it.n_rows),
        n_changed: enrolled
            .filter(|_| listing.is_known)
            .map(|it| it.n_new + it.n_changed + it.n_gone),
        digest: reference.map(|it| it.digest),
        n_requests: u64::try_from(requests.len()).unwrap_or(u64::MAX),
        n_bytes: requests.iter().map(|it| it.n_bytes).sum(),
        requests: requests.iter().take(REQUESTS_SHOWN_MAX).map(|it| it.url.to_string()).collect(),
        notes: match &listing.missing {
            Some(Missing::Unasked { .. }) => vec![UNREAD.to_owned()],
            _ => fresh.map(|it| it.notes.clone()).unwrap_or_default(),
        },
    }
}

fn stream(source: &SourceRecord) -> Stream {
    let SourceRecord { system, list, channel, .. } = source;
    Stream { system: system.clone(), list: *list, channel: *channel }
}

/// What is noted of each list in a light pass.
const UNREAD: &str = "a light pass reads no list: this is the last one";
const MEND_THE_FILE: &str = "Mend the file or the settings named, and run again.";
const RELEASE: &str = "If the change is real, two people can release it: `driftline guard status` says how. Else mend the list.";
const FIND_THE_CANARY: &str = "Nobody can release it: find out why the list does not have it, or correct `canaries` of the app.";
const DO_AS_IT_SAYS: &str =
    "Do as it says. Where a setting is behind it, `driftline doctor` shows when it is right again.";
const ASK_THE_DOCTOR: &str = "Run `driftline doctor`, and mend what it finds.";

/// What is wrong with the watching.
fn watcher(
    run: &Run<'_>,
    listings: &[Listing],
    sources: &[SourceRecord],
    outcomes: &[AppOutcome<'_>],
    scene: &Scene<'_>,
) -> Vec<WatcherFinding> {
    let mut found = blind(run.plan, listings, &run.pulled.unseen, run.now);
    for source in sources {
        let list = shown(&stream(source), sources.iter().map(stream));
        let is_read = run.plan.pass == Pass::Full;
        let mut sources = run.plan.sources.iter();
        let is_live = sources.any(|it| it.is_live() && *it.system() == source.system);
        let mut add = |kind, severity, text: String, next_action: &str| {
            let next_action = next_action.to_owned();
            found.push(WatcherFinding {
                kind,
                system: Some(source.system.clone()),
                severity,
                text,
                next_action,
                root: None,
            });
        };
        if let Some(why) = &source.failed {
            // A refused credential is said once, and not for each list; each view of an app has its
            // own.
            let is_told = |it: &String| source.channel.is_none() || it.lines().next() == Some(why);
            if run.pulled.refused.get(&source.system).is_some_and(is_told) {
                continue;
            }
            add(
                Watcher::SnapshotIncomplete,
                Severity::High,
                format!("{list} was not read: {why}"),
                if is_live { ASK_THE_DOCTOR } else { MEND_THE_FILE },
            );
        } else if let Some(Coverage::Partial { reason }) =
            source.coverage.as_ref().filter(|_| is_read)
        {
            add(
                Watcher::SnapshotIncomplete,
                Severity::Medium,
                format!("{list} was not seen whole: {reason}"),
                if is_live { ASK_THE_DOCTOR } else { "Export the list again, whole." },
            );
        }
        if let Some(why) = source.held.as_ref().filter(|_| is_read) {
            let (kind, next_action) = if is_for_canaries(why) {
                (Watcher::CanaryMissing, FIND_THE_CANARY)
            } else {
                (Watcher::MassChangeHeld, RELEASE)
            };
            add(kind, Severity::High, format!("{list} is held: {why}"), next_action);
        }
    }
    found.extend(outcomes.iter().flat_map(|it| &it.holds).map(held));
    found.extend(told(run.pulled, scene));
    if run.plan.pass == Pass::Light {
        found.extend(scene.told_before());
    }
    found.extend(gaps(run.plan, run.state, run.now));
    found.extend(run.beside.ledger.broken.clone());
    found.extend(anchor::missing(&run.plan.anchors, &run.state.anchors, run.now));
    found.extend(undelivered(run));
    found
}

/// One notice for all that the guard holds of one app in one direction.
fn held(hold: &Hold) -> WatcherFinding {
    let Hold { app, direction, n, because, .. } = hold;
    let what = match direction {
        Direction::Openings => "would open because something is not seen",
        Direction::Closings => "would close",
    };
    let why = if because.is_empty() { "too many in an earlier run" } else { because };
    WatcherFinding {
        kind: Watcher::MassChangeHeld,
        system: Some(app.clone()),
        severity: Severity::High,
        text: format!("{app}: {} {what}, which the guard holds: {why}", counted(*n, "finding")),
        next_action: RELEASE.to_owned(),
        root: None,
    }
}

/// Channels of the settings that do not take notices.
fn undelivered(run: &Run<'_>) -> Vec<WatcherFinding> {
    let is_known = |it: &&DeadChannel| run.plan.routes.channel(&it.channel).is_some();
    let dead = run.state.dead_channels.iter().filter(is_known);
    dead.map(|DeadChannel { channel, n_notices, why }| WatcherFinding {
        kind: Watcher::AlertUndelivered,
        system: None,
        severity: Severity::High,
        text: format!(
            "the channel `{channel}` did not take {}, the last: {why}",
            counted(*n_notices, "notice")
        ),
        next_action: format!("Run `driftline alert test {channel}`, and mend what it says."),
        root: None,
    })
    .collect()
}

/// What the sources themselves say, and what no list can be named for.
fn told(pulled: &Pulled, scene: &Scene<'_>) -> Vec<WatcherFinding> {
    let mut found = Vec::new();
    for (system, why) in &pulled.lost {
        found.push(WatcherFinding {
            kind: Watcher::SnapshotIncomplete,
            system: Some(system.clone()),
            severity: Severity::High,
            text: format!("a source was not read: {why}"),
            next_action: MEND_THE_FILE.to_owned(),
            root: None,
        });
    }
    for (system, why) in &pulled.refused {
        found.push(WatcherFinding {
            kind: Watcher::CredentialFailed,
            system: Some(system.clone()),
            severity: Severity::High,
            text: format!("{system} was not read: {why}"),
            next_action: ASK_THE_DOCTOR.to_owned(),
            root: None,
        });
    }
    for (system, trouble) in &pulled.troubles {
        found.push(WatcherFinding {
            kind: trouble.kind,
            system: Some(system.clone()),
            severity: match trouble.kind {
                Watcher::WriteScopePresent | Watcher::ClockSkew => Severity::Medium,
                _ => Severity::High,
            },
            text: trouble.text.clone(),
            next_action: match trouble.kind {
                // The doctor sees settings, and not what comes with single users and events.
                Watcher::ProvisioningUnhealthy | Watcher::SchemaChanged => DO_AS_IT_SAYS,
                _ => ASK_THE_DOCTOR,
            }
            .to_owned(),
            root: scene.root(system, trouble),
        });
    }
    found
}

fn unmapped(unmapped: &[Unmapped]) -> Vec<Unmapped> {
    let mut counts: BTreeMap<(String, String, String), (Unmapped, u64)> = BTreeMap::new();
    for it in unmapped {
        let key = (it.system.to_string(), it.field.clone(), it.raw.clone());
        counts.entry(key).or_insert_with(|| (it.clone(), 0)).1 += it.count;
    }
    counts.into_values().map(|(it, count)| Unmapped { count, ..it }).collect()
}

fn not_checked(run: &Run<'_>, (outcomes, findings): Concluded<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if run.plan.policy.is_immediate {
        notes.push("Grace and second look were off: every finding rests on one look.".to_owned());
    }
    if run.plan.pass == Pass::Light {
        notes.extend(light(run, outcomes));
    }
    for outcome in outcomes {
        let app = &outcome.app.rules.app;
        let indeterminate = outcome
            .judgement
            .tallies
            .iter()
            .find(|it| it.verdict == domain::Verdict::Indeterminate)
            .filter(|_| run.plan.pass == Pass::Full);
        if let Some(tally) = indeterminate {
            notes.push(format!(
                "{app}: of {} persons or accounts too little was seen to judge them.",
                tally.count
            ));
        }
        notes.extend(outcome.doubts.iter().map(|it| format!("{app}: {it}")));
        let without_roles = findings
            .iter()
            .filter(|it| it.finding.app == *app)
            .filter(|it| it.finding.subject.kind == SubjectKind::Account)
            .filter(|it| it.is_privileged.is_none() && it.change != Change::Resolved)
            .count();
        if without_roles > 0 {
            notes.push(format!(
                "{app}: no role was shown of the accounts of {}: whether they are privileged is unknown.",
                counted(without_roles, "finding")
            ));
        }
    }
    let is_live = run.plan.sources.iter().any(Source::is_live);
    if !is_live {
        notes.push("Nobody was asked again by id: export files cannot be asked.".to_owned());
    } else if run.asked.n == 0 {
        notes.push("Nobody was asked again by id: there was nothing to confirm.".to_owned());
    }
    for it in &run.asked.unanswered {
        notes.push(format!(
            "{}: {} of {} questions by id were not answered, the first because: {}. What they are about waits for another look.",
            it.system, it.n, it.n_asked, it.why
        ));
    }
    if run.asked.n_left_out > 0 {
        notes.push(format!(
            "{} suspects were not asked again by id: at most {} are in one run.",
            run.asked.n_left_out,
            drift::ACCOUNTS_MAX
        ));
    }
    notes
}

/// What a light pass leaves to full runs.
fn light(run: &Run<'_>, outcomes: &[AppOutcome<'_>]) -> Vec<String> {
    let mut notes = vec![
        "A light pass: no list was read. It says nothing of those whom it did not ask for by id."
            .to_owned(),
    ];
    let is_judged = |app: &AppPlan| outcomes.iter().any(|it| it.app.rules.app == app.rules.app);
    let unjudged = run.plan.apps.iter().filter(|it| !is_judged(it));
    notes.extend(
        unjudged.map(|it| {
            format!("{}: not judged, for its first time needs every list.", it.rules.app)
        }),
    );
    notes
}

/// What evidence from lists never shows, a sentence each.
pub const LIMITS: [&str; 3] = [
    "`active` says nothing of open sessions, API tokens or local passwords.",
    "True removal lies between the last look that showed an account on and the first that showed it off.",
    "What happened and was undone between two looks was not seen.",
];

fn limits(plan: &Plan) -> Vec<String> {
    const OF_FILES: &str = "An export shows what its console chose to export; who made it and whether it was edited is not known.";
    let has_files = plan.sources.iter().any(|it| !it.is_live());
    LIMITS.into_iter().chain(has_files.then_some(OF_FILES)).map(str::to_owned).collect()
}
