//! The run: look, think, record. One path, whoever wakes it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    Clock, EntityId, FindingEvent, FindingId, FindingRecord, FindingState, Grade, LogEvent,
    LogEventKind, Pass, RunId, RunRecord, SystemId, Text, Verdict,
};
use drift::{
    AppRules, Context, Ended, Judgement, Known, Past, PastVerdict, Push, Reconciled, SaidLeft,
    judge, reconcile,
};
use futures_util::future::join;
use graph::correlate;
use ledger::Hashed;
use report::v1::Report;
use rustc_hash::{FxHashMap, FxHashSet};
use store::{
    FindingChanges, Judged, LinkChange, LogPart, RunSummary, Saving, State, Store, StoreError, Told,
};
use tracing::{Instrument as _, info, info_span};

use crate::ask::AskedAgain;
use crate::deprovision;
use crate::entries::Seen;
use crate::episodes::episodes;
use crate::estate::estate;
use crate::eyes::Eyes;
use crate::inputs::inputs;
use crate::leavers::listed;
use crate::lists::Listing;
use crate::look::{Looked, Times, look};
use crate::plain::Plain;
use crate::plan::{AppPlan, Plan};
use crate::pull::{Pulled, bodies};
use crate::record::{self, AppOutcome, Beside, Concluded};
use crate::selfcheck::self_check;

/// A run that was committed.
#[derive(Debug)]
pub struct Outcome {
    /// All that a report shows.
    pub record: RunRecord,
    /// The report that was stored.
    pub report: Report,
    /// Why files could not be read, one line each.
    pub failures: Vec<String>,
    /// Of all apps, people with whom all is well and of whom there was nothing to weigh.
    pub n_plain: usize,
}

/// Runs one reconciliation.
///
/// # Errors
///
/// Returns [`StoreError`] when the store fails; nothing of the run is saved then. A system that
/// cannot be read is not an error here: its last list stands in, and grows old.
pub async fn run(store: &Store, plan: &Plan, clock: &dyn Clock) -> Result<Outcome, StoreError> {
    // What people say meanwhile would be overwritten: they are asked to wait.
    let _running = store.begin_run().await?;
    let mut state = store.load().await?;
    let plan = &within_reach(plan, &state);
    let id = state.next_run();
    // Every line that is logged from here on names the run.
    let span = info_span!("run", run.id = id.0);
    let done = async {
        let mut looked = look(store, &mut state, plan, &mut Eyes::Open(clock)).await?;
        let mut saving = store.saving(id);
        looked.begin_rows(&mut saving).await?;
        let apart = looked.tell_apart(plan, &state);
        saving.rows_written().await?;
        looked.forget(&apart, &state);
        let looked = (looked, apart);
        let (told, outcome) = think(store, state, plan, looked, (id, &mut saving)).await?;
        saving.commit(told).await?;
        let (n_findings, n_plain) = (outcome.record.findings.len(), outcome.n_plain);
        info!(n_findings, n_plain, "Committed run {id}");
        Ok(outcome)
    };
    done.instrument(span).await
}

/// The plan as far as this run can follow it. Before the first full run there is nothing that a
/// light pass could stand on: it is made a full one.
fn within_reach(plan: &Plan, state: &State) -> Plan {
    let pass = if state.last_full_run.is_none() { Pass::Full } else { plan.pass };
    Plan { pass, ..plan.clone() }
}

/// Judges what a run looked at. What it concludes is given away to be saved; what it tells comes back.
pub(crate) async fn think(
    store: &Store,
    mut state: State,
    plan: &Plan,
    (looked, apart): (Looked, Vec<(&AppPlan, Plain)>),
    (id, saving): (RunId, &mut Saving),
) -> Result<(Told, Outcome), StoreError> {
    let Looked { before, mut pulled, listings, mut heard, n_left_out, times } = looked;
    let Times { now, made_at, .. } = times;
    let asked = &heard.told(n_left_out);
    let (mut outcomes, mut findings) = (Vec::new(), Vec::new());
    for apart in apart {
        let seen = (&*before, &*pulled.log);
        let (outcome, of_app) = judge_app(apart, plan, &listings, &mut state, seen, (id, now));
        outcomes.push(graded(outcome, asked));
        findings.extend(of_app);
    }

    let beside = &Beside {
        ledger: self_check(store, &state.anchors).await?,
        before: full_before(store, &state, &pulled, plan.pass).await?,
        deprovisions: deprovision::seen(store, &state, plan, &listings, &outcomes, id).await?,
    };
    let log = std::mem::take(&mut pulled.log);
    let other_requests = std::mem::take(&mut pulled.other_requests);
    let run = record::Run { id, now, made_at, plan, state: &state, pulled: &pulled, asked, beside };
    let record = record::record(&run, &listings, &outcomes, findings);
    let wanted = not_kept_yet(store, &state, (&outcomes, &record.findings), &listings).await?;
    let links = links(&state, &mut outcomes);
    let is_known = |it: &&LinkChange| state.links.contains_key(&it.account);
    let changed_links: Vec<LinkChange> = links.iter().filter(is_known).copied().collect();
    let fresh = listings.iter().filter_map(|it| it.fresh.as_ref());
    let judged = Judged {
        run: summary(&record, made_at, plan, judged_apps(&outcomes)),
        turn: plan.turn.clone(),
        snapshots: fresh.map(|it| (Arc::clone(&it.snapshot), Arc::clone(&it.enrolled))).collect(),
        log,
        observations: std::mem::take(&mut heard.observations),
        other_requests: other_requests.into_iter().chain(heard.requests.drain(..)).collect(),
        links,
        standings: standings(&state, &outcomes, plan.pass),
        episodes: episodes(&state, &outcomes, &plan.policy, now),
        findings: changed_findings(&state, &record.findings),
        events: events(&outcomes),
        changes: outcomes.iter().filter_map(|it| it.changes.clone()).collect(),
        voided_waivers: voided(&outcomes, now),
        unseen: pulled.unseen.clone(),
        deprovisions: beside.deprovisions.clone(),
    };
    saving.begin_judged(judged).await?;

    let (listings, outcomes) = (&*listings, &*outcomes);
    let seen = Seen { run: &run, listings, outcomes, changed_links: &changed_links };
    let told = told(store, &seen, &record, times.read_at);
    let (mut raw, told) = join(bodies(plan, listings, &wanted), told).await;
    let (report, mut told) = told?;
    raw.extend(heard.bodies(listings));
    told.bodies = raw;
    let n_plain = outcomes.iter().map(|it| it.plain.n).sum();
    pulled.whole_words.dedup();
    Ok((told, Outcome { record, report, failures: pulled.whole_words, n_plain }))
}

/// What a run tells, without the raw rows that it rests on.
async fn told(
    store: &Store,
    seen: &Seen<'_>,
    record: &RunRecord,
    read_at: DateTime<Utc>,
) -> Result<(Report, Told), StoreError> {
    let record::Run { state, plan, now, .. } = *seen.run;
    let report = Report::since(record, told_since(store, state).await?.as_ref());
    let report_json = Hashed::new(report.to_json());
    let listed = listed(store, state, plan, (seen.outcomes, &record.findings), now).await?;
    let is_whole = plan.pass == Pass::Full && report.is_complete();
    let (entries, leavers) = seen.entries((record, &report_json), is_whole, &listed);
    let told = Told {
        report_json,
        bodies: Vec::new(),
        entries,
        anchors: plan.anchors.clone(),
        leavers,
        leavers_begin: listed.begins,
        inputs: inputs(seen.run, seen.listings, &record.findings, read_at),
        notices: alerting::decide(record, &state.told, &plan.routes),
    };
    Ok((report, told))
}

/// The apps that are judged. An app that was never judged waits for a full run: nothing but every
/// list makes a baseline.
pub(crate) fn within_sight<'p>(plan: &'p Plan, state: &State) -> Vec<&'p AppPlan> {
    let is_known = |it: &&AppPlan| plan.pass == Pass::Full || !is_baseline(state, &it.rules);
    plan.apps.iter().filter(is_known).collect()
}

/// The report of the last light pass since the last full run, which tells what all of them changed.
/// `None`: there was none since, or it is damaged, which `db verify` tells.
async fn told_since(store: &Store, state: &State) -> Result<Option<Report>, StoreError> {
    match state.last_run.filter(|_| state.last_run != state.last_full_run) {
        Some((last, _)) => stored(store, last).await,
        None => Ok(None),
    }
}

/// The report of the last full run, where provisioning is not as it should be, or nobody asked how it
/// is: since when is told there. `None`: there was none, or it is damaged, which `db verify` tells.
async fn full_before(
    store: &Store,
    state: &State,
    pulled: &Pulled,
    pass: Pass,
) -> Result<Option<Report>, StoreError> {
    let is_asked_for =
        pass == Pass::Light || pulled.troubles.iter().any(|it| !it.1.reach.is_empty());
    match state.last_full_run.filter(|_| is_asked_for) {
        Some((last, _)) => stored(store, last).await,
        None => Ok(None),
    }
}

/// `None`: it is not there, or damaged.
async fn stored(store: &Store, run: RunId) -> Result<Option<Report>, StoreError> {
    match store.report(run).await {
        Ok(json) => Ok(json.and_then(|it| Report::parse(&it).ok())),
        Err(StoreError::ReportDamaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// As of when each list was seen before, and what this run read of logs.
pub(crate) type Before<'b> = (&'b [(domain::Stream, DateTime<Utc>)], &'b [LogPart]);

fn judge_app<'p>(
    (app, plain): (&'p AppPlan, Plain),
    plan: &Plan,
    listings: &[Listing],
    state: &mut State,
    (before, log): Before<'_>,
    (run, now): (RunId, DateTime<Utc>),
) -> (AppOutcome<'p>, Vec<FindingRecord>) {
    let estate = estate(app, &plan.policy, listings, state, &plain, now);
    let graph = correlate(&estate, &app.keys);
    let past = past(state, app, plan, before, log);
    let (rules, policy, pass) = (&app.rules, &plan.policy, plan.pass);
    let cx = Context { graph: &graph, rules, policy, past: &past, pass, now };
    let mut judgement = judge(&cx);
    let Reconciled { records, events, voided, holds, changes } =
        settle(&cx, &judgement, state, plan, run);
    // Nobody asks for them any more: what they say is in the records.
    (judgement.claims, judgement.statuses) = (Vec::new(), FxHashMap::default());
    let grade = drift::app_grade(&estate, &app.rules);
    let is_baseline = is_baseline(state, &app.rules);
    let doubts = drift::doubts(&cx);
    let outcome = AppOutcome {
        app,
        judgement,
        events,
        voided,
        holds,
        changes,
        grade,
        doubts,
        is_baseline,
        plain,
    };
    (outcome, records)
}

/// An app of which suspects were not asked again is seen less surely.
fn graded<'p>(mut outcome: AppOutcome<'p>, asked: &AskedAgain) -> AppOutcome<'p> {
    let rules = &outcome.app.rules;
    let silent = asked.unanswered.iter().filter(|it| rules.rests_on(&it.system));
    let mut reasons: Vec<String> = silent
        .map(|it| format!("{}: {} suspects were not asked again by id", it.system, it.n))
        .collect();
    if asked.n_left_out > 0 {
        let n = asked.n_left_out;
        reasons.push(format!("{n} suspects were too many to ask again by id"));
    }
    if !reasons.is_empty() {
        outcome.grade.0 = outcome.grade.0.max(Grade::B);
        outcome.grade.1.extend(reasons);
    }
    outcome
}

fn is_baseline(state: &State, rules: &AppRules) -> bool {
    !state.judged_apps.contains_key(&rules.app)
}

pub(crate) fn past(
    state: &State,
    app: &AppPlan,
    plan: &Plan,
    before: &[(domain::Stream, DateTime<Utc>)],
    log: &[LogPart],
) -> Past {
    let rules = &app.rules;
    // What a provider told one app, it did not tell another.
    let is_about_app = |it: &SystemId| plan.provisioned.get(it) == Some(&rules.app);
    let is_over = |it: &domain::Finding| it.state == FindingState::Resolved;
    let mine = state.findings.iter().filter(|it| it.app == rules.app && !is_over(it));
    let since =
        |it: &domain::Finding| Some((it.subject.entity, it.exposures.last()?.started.earliest?));
    Past {
        standings: state.standings.iter().map(|(entity, it)| (*entity, past_verdict(it))).collect(),
        episodes: state.episodes.clone(),
        looked_at: before.iter().cloned().collect(),
        ended: ended(state, log, is_about_app),
        said_left: said_left(state),
        leavers: leavers_of(state, &rules.app),
        remains_since: mine.clone().filter_map(since).collect(),
        watched: mine.map(|it| it.subject.entity).collect(),
    }
}

/// Of whom a provider said itself that they left. Its word was told before it was heard; and after HR's day,
/// where both said it in one run.
fn said_left(state: &State) -> FxHashMap<(SystemId, Text), Vec<SaidLeft>> {
    let mut all: FxHashMap<(SystemId, Text), Vec<SaidLeft>> = FxHashMap::default();
    for leaver in state.leavers.iter().map(|it| &it.leaver) {
        let by_hr = leaver.said_by.iter().filter(|it| it.list == domain::List::Leavers);
        let by_hr = by_hr.filter_map(|it| it.at).max();
        for said in leaver.said_by.iter().filter(|it| it.list == domain::List::Identities) {
            let told = |heard_at: DateTime<Utc>, returned_at: Option<DateTime<Utc>>| {
                let said_since = by_hr.map_or(heard_at, |day| heard_at.max(day));
                SaidLeft {
                    // What was taken back was said before that.
                    said_since: returned_at.map_or(said_since, |back| said_since.min(back)),
                    heard_at,
                    at: said.at,
                    returned_at,
                }
            };
            let words = all.entry((said.system.clone(), said.key.clone())).or_default();
            words.extend(said.was_back_at.map(|back| told(leaver.found_at.min(back), Some(back))));
            words.push(told(leaver.heard_at(said), said.taken_back_at.or(leaver.returned_at)));
        }
    }
    // Of one record, the word before it stays before its own.
    all.values_mut().for_each(|it| it.sort_by_key(|it| it.heard_at));
    all
}

/// Rows that stand for leavers of an app who are not back.
fn leavers_of(state: &State, app: &SystemId) -> FxHashSet<EntityId> {
    let on_record = state.leavers.iter().map(|it| &it.leaver);
    let away = on_record.filter(|it| it.app == *app && it.returned_at.is_none());
    away.map(|it| it.person.entity).collect()
}

const fn past_verdict(it: &store::Standing) -> PastVerdict {
    PastVerdict { verdict: it.verdict, since: it.since_at, seen_until: it.seen_until }
}

/// When logs say that access ended: those of earlier runs, then that of this one; and what the app was
/// told by those that are about it.
fn ended(
    state: &State,
    log: &[LogPart],
    is_about_app: impl Fn(&SystemId) -> bool,
) -> FxHashMap<(SystemId, Text), Ended> {
    let stored =
        state.log_events.iter().flat_map(|(system, it)| it.iter().map(move |it| (system, it)));
    let fresh = log.iter().flat_map(|it| it.events.iter().map(|event| (&it.system, event)));
    let mut events: Vec<(&SystemId, &LogEvent)> = stored.chain(fresh).collect();
    events.sort_by_key(|it| it.1.at);
    let mut all: FxHashMap<(SystemId, Text), Ended> = FxHashMap::default();
    for (system, event) in events {
        let ended = all.entry((system.clone(), event.identity.clone())).or_default();
        match event.kind {
            LogEventKind::Returned | LogEventKind::Assigned => ended.regained = Some(event.at),
            _ => ended.last_told = Some(event.at),
        }
        match event.kind {
            // Who is deactivated may be deleted later: access ended with the first.
            LogEventKind::Left => ended.left = ended.left.or(Some(event.at)),
            LogEventKind::Returned => {
                let was_away = ended.left.take().is_some();
                ended.returned = was_away.then_some(event.at).or(ended.returned);
            }
            LogEventKind::Unassigned => ended.unassigned = ended.unassigned.or(Some(event.at)),
            LogEventKind::Assigned => ended.unassigned = None,
            LogEventKind::Pushed | LogEventKind::PushFailed if is_about_app(system) => {
                let has_failed = event.kind == LogEventKind::PushFailed;
                ended.pushed = ended.pushed.max(Some(Push { at: event.at, has_failed }));
            }
            LogEventKind::Suspended | LogEventKind::Pushed | LogEventKind::PushFailed => {}
        }
    }
    all
}

/// Reconciles one app, and takes as many numbers as it gave to new findings.
fn settle(
    cx: &Context<'_>,
    judgement: &Judgement,
    state: &mut State,
    plan: &Plan,
    run: RunId,
) -> Reconciled {
    let findings: Vec<_> =
        state.findings.iter().filter(|it| it.app == cx.rules.app).cloned().collect();
    let first = state.next_finding();
    let known = Known {
        findings: &findings,
        waivers: &state.waivers,
        changes: &state.changes,
        released: &drift::released(&state.releases, cx.now),
        key: plan.fingerprint_key.as_ref().unwrap_or(&state.fingerprint_key),
        is_baseline: is_baseline(state, cx.rules),
        run,
        next: first,
    };
    let reconciled = reconcile(cx, judgement, &known);
    let last = reconciled.records.iter().map(|it| it.finding.id).max().unwrap_or(FindingId(0));
    // `first` is taken already; the numbers after it that were given are taken now.
    for _ in first.0..last.0 {
        state.next_finding();
    }
    reconciled
}

/// Apps of which something was seen on both sides: a blind run is nobody's first.
fn judged_apps(outcomes: &[AppOutcome<'_>]) -> Vec<SystemId> {
    let seen = outcomes.iter().filter(|it| it.grade.0 != Grade::F);
    seen.map(|it| it.app.rules.app.clone()).collect()
}

fn summary(
    record: &RunRecord,
    made_at: DateTime<Utc>,
    plan: &Plan,
    judged_apps: Vec<SystemId>,
) -> RunSummary {
    let counts = record::counts(&record.findings);
    RunSummary {
        id: record.id,
        pass: record.pass,
        now: record.now,
        started_at: made_at,
        software: record.software.clone(),
        settings_digest: plan.settings_digest,
        policy_version: plan.policy.version,
        n_open: counts.n_open,
        n_pending: counts.n_pending,
        n_critical: counts.n_critical,
        judged_apps,
    }
}

/// Only what differs from what is stored is written. Those of plain people do, and are taken out of the
/// outcomes.
fn links(state: &State, outcomes: &mut [AppOutcome<'_>]) -> Vec<LinkChange> {
    let mut links = Vec::new();
    for AppOutcome { plain, judgement, .. } in outcomes {
        let new = std::mem::take(&mut plain.links);
        if links.is_empty() {
            links = new; // Of most runs that is all, and in the first one it is nearly everybody.
        } else {
            links.extend(new);
        }
        links.extend(judgement.links.iter().filter_map(|(account, identity, tier)| {
            let link = (*identity, *tier);
            let stored = state.links.get(account).map(|it| (it.identity, it.tier));
            (stored != Some(link)).then_some(LinkChange { account: *account, link: Some(link) })
        }));
    }
    links
}

/// A run that could not see does not overwrite what an earlier one saw: it only writes, once, until
/// when that was seen. That all is well is the rule, and is not written of those of whom nothing
/// else was ever said. A light pass says nothing of those whom it did not ask for.
fn standings(
    state: &State,
    outcomes: &[AppOutcome<'_>],
    pass: Pass,
) -> Vec<(EntityId, Verdict, Option<DateTime<Utc>>)> {
    let standings = outcomes.iter().flat_map(|it| &it.judgement.standings);
    standings
        .filter(|(entity, verdict, seen_until)| match state.standings.get(entity) {
            _ if pass == Pass::Light && *verdict == Verdict::Indeterminate => false,
            Some(stored) if *verdict == Verdict::Indeterminate => {
                stored.verdict != *verdict && stored.seen_until.is_none() && seen_until.is_some()
            }
            Some(stored) => stored.verdict != *verdict || stored.seen_until.is_some(),
            None => *verdict != Verdict::Confirmed,
        })
        .copied()
        .collect()
}

fn changed_findings(state: &State, findings: &[FindingRecord]) -> FindingChanges {
    let stored: FxHashMap<FindingId, &domain::Finding> =
        state.findings.iter().map(|it| (it.id, it)).collect();
    let mut changes = FindingChanges::default();
    for finding in findings.iter().map(|it| &it.finding) {
        let last_seen_at = finding.last_seen_at;
        match stored.get(&finding.id) {
            Some(old) if *old == finding => {}
            Some(old) if domain::Finding { last_seen_at, ..(*old).clone() } == *finding => {
                changes.seen_again.push((finding.id, old.last_seen_at, last_seen_at));
            }
            _ => changes.changed.push(finding.clone()),
        }
    }
    changes
}

fn events(outcomes: &[AppOutcome<'_>]) -> Vec<FindingEvent> {
    outcomes.iter().flat_map(|it| it.events.iter().cloned()).collect()
}

fn voided(outcomes: &[AppOutcome<'_>], now: DateTime<Utc>) -> Vec<(i64, DateTime<Utc>)> {
    outcomes.iter().flat_map(|it| it.voided.iter().map(|id| (*id, now))).collect()
}

/// Rows whose raw bytes are kept: what findings and closures rest on, leavers with an account and
/// what says that they left, and after the first run whatever changed.
fn resting_on(
    (outcomes, findings): Concluded<'_>,
    listings: &[Listing],
    is_later_run: bool,
) -> FxHashSet<EntityId> {
    let live = findings.iter().filter(|it| !is_settled(it));
    let mut wanted: FxHashSet<EntityId> = live.map(|it| it.finding.subject.entity).collect();
    for AppOutcome { judgement, .. } in outcomes {
        let leavers: FxHashSet<EntityId> = judgement
            .rights
            .iter()
            .filter(|it| matches!(it.1, domain::Right::Leaver | domain::Right::Expired))
            .map(|it| it.0)
            .collect();
        for (account, identity, _) in &judgement.links {
            if wanted.contains(account) {
                wanted.insert(*identity);
            } else if leavers.contains(identity) {
                wanted.extend([*account, *identity]);
            }
        }
        // Every row that says of them that they left, HR's too.
        let with_account = judgement.leavers.iter().filter(|it| !it.accounts.is_empty());
        wanted.extend(with_account.flat_map(|it| it.also.iter().chain([&it.person.entity])));
    }
    if is_later_run {
        let fresh = listings.iter().filter_map(|it| it.fresh.as_ref());
        wanted.extend(fresh.flat_map(|it| it.enrolled.written()));
    }
    wanted
}

/// Rows that conclusions rest on and whose raw form is not kept, or that say otherwise than it does.
async fn not_kept_yet(
    store: &Store,
    state: &State,
    concluded: Concluded<'_>,
    listings: &[Listing],
) -> Result<FxHashSet<EntityId>, StoreError> {
    let mut kept = store.rows_with_body(state).await?;
    let fresh = listings.iter().filter_map(|it| it.fresh.as_ref());
    for written in fresh.flat_map(|it| it.enrolled.written()) {
        kept.remove(&written);
    }
    let mut wanted = resting_on(concluded, listings, state.last_run.is_some());
    wanted.retain(|it| !kept.contains(it));
    Ok(wanted)
}

fn is_settled(record: &FindingRecord) -> bool {
    record.change == domain::Change::Unchanged
        && record.finding.state == FindingState::FalsePositive
}
