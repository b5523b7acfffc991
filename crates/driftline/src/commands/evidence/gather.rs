//! Reads of the database what goes into a bag. Decides nothing about it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    CLOCK_SKEW_MAX, Cause, EntityId, Finding, Folded, Leaver, LeaversBegin, List, LogEventKind,
    Pass, Resolution, Rows, RunId, SaidBy, Stream, SystemId, Text,
};
use evidence::{
    AlertRow, AnchorTold, Contents, Entry, Erasures, ExceptionRow, FindingTold, HrList, LeaverLeaf,
    LeaverTold, LedgerPart, ListRead, ListsTold, PushTold, RawRow, RunDone, Scope, Taken,
    lists_told,
};
use ledger::{Checkpoint, Note};
use serde::Deserialize;
use store::{AnchorLine, AnchorState, LeaverLine, Store};

use crate::exit::UsageError;
use crate::when;

/// Entries at a time: some megabytes.
const ENTRIES_READ: u64 = 4096;

/// All that goes into a bag. `idps` are those bound to the app, and `asked` those whose logs are about it.
pub(super) async fn contents(
    store: &Store,
    scope: Scope,
    (idps, asked): (&[SystemId], &[SystemId]),
) -> anyhow::Result<Contents> {
    let (note, checkpoint) = head(store).await?;
    let period = (scope.from, scope.to);
    let lines = leavers(store, &scope.app, period, &checkpoint).await?;
    let mut findings = findings(store, &scope.app).await?;
    let lists = lists(store, (&scope.app, idps), period).await?;
    let mut numbers = Numbers { lists: &lists, of_list: BTreeMap::new() };
    let mut told = Vec::with_capacity(lines.len());
    let mut settled = BTreeMap::new();
    let mut n_found = vec![0_usize; scope.chosen.len()];
    let logged = logged(store, asked).await?;
    for line in &lines {
        let (entry, leaf, disclosures) = leaf_of(store, line).await?;
        settled.extend(settled_by(&findings, &line.leaver, &leaf));
        let mut is_chosen = scope.chosen.is_empty();
        for (name, n) in scope.chosen.iter().zip(&mut n_found) {
            let is_meant = is_called(&line.leaver, &leaf, name);
            *n += usize::from(is_meant);
            is_chosen |= is_meant;
        }
        told.push(LeaverTold {
            entry: (line.entry, entry),
            disclosures,
            findings: findings_of(&findings, &leaf),
            pushes: pushes(&logged, &line.leaver),
            raw: if is_chosen { raw(store, &mut numbers, &line.leaver).await? } else { Vec::new() },
            is_chosen,
        });
    }
    if let Some((name, _)) = scope.chosen.iter().zip(n_found).find(|it| it.1 == 0) {
        let disputed = match &disputed(store, &scope.app, period).await?[..] {
            [] => String::new(),
            ids => format!("; sources disagree whether somebody left: {}", ids.join(", ")),
        };
        let what = format!(
            "no leaver of the period is called `{name}`: `driftline evidence leavers` lists \
             them{disputed}"
        );
        return Err(UsageError(what).into());
    }
    let lived = |it: &FindingTold| {
        let finding = &it.finding;
        finding.detected_at < scope.to && finding.resolved_at.is_none_or(|at| at >= scope.from)
    };
    findings.retain(lived);
    let begins = store.leavers_begin().await?;
    let begin = begins.into_iter().find(|it| it.app == scope.app);
    let ledger = ledger_part(store, &scope.app, (note, checkpoint), period, &lines).await?;
    Ok(Contents {
        runs: runs(store, &scope.app, &ledger.entries, period).await?,
        ledger,
        hr: hr_lists(store, (&scope, &lists), begin.as_ref()).await?,
        begin,
        lists,
        exceptions: exceptions(store, &findings).await?,
        alerts: alerts(store, period).await?,
        anchors: anchors(store, period.0).await?,
        leavers: told,
        settled,
        findings,
        scope,
    })
}

/// The findings that sources disagree about an account that is a leaver's of whom several sources say that
/// they left: of each account the last, unless they had agreed before that somebody is here, or it was over
/// before the leave began. What they disagree on since somebody is back is settled by none.
fn settled_by(
    findings: &[FindingTold],
    leaver: &Leaver,
    leaf: &LeaverLeaf,
) -> impl Iterator<Item = (String, String)> {
    let accounts: BTreeSet<EntityId> = leaver.accounts.iter().map(|it| it.entity).collect();
    let is_settled = leaver.said_by.len() > 1;
    let (found, back) = (leaver.found_at, leaver.returned_at);
    let began = leaver.began_at();
    let is_of_before = |it: &Finding| {
        let agreed = [Some(Resolution::Corrected), Some(Resolution::Superseded)];
        let over_at = it.resolved_at.filter(|at| *at < found);
        over_at.is_some_and(|at| agreed.contains(&it.resolution) || at < began)
    };
    let of_leave = findings.iter().map(|it| &it.finding).filter(|it| {
        is_settled
            && it.cause == Cause::SourcesDisagree
            && accounts.contains(&it.subject.entity)
            && !is_of_before(it)
            && back.is_none_or(|back| it.detected_at < back)
    });
    let mut last: BTreeMap<EntityId, &Finding> = BTreeMap::new();
    for it in of_leave {
        let known = last.entry(it.subject.entity).or_insert(it);
        if known.detected_at < it.detected_at {
            *known = it;
        }
    }
    let id = leaf.id();
    last.into_values().map(move |it| (it.id.to_string(), id.clone()))
}

/// The findings of a time that sources disagree whether somebody left: of whom no population may have.
pub(super) async fn disputed(
    store: &Store,
    app: &SystemId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> anyhow::Result<Vec<String>> {
    let is_one = |it: &&Finding| {
        it.cause == Cause::SourcesDisagree
            && it.detected_at < to
            && it.resolved_at.is_none_or(|at| at >= from)
    };
    let findings = store.findings_of(app.clone()).await?;
    Ok(findings.iter().filter(is_one).map(|it| it.id.to_string()).collect())
}

/// The newest checkpoint.
pub(super) async fn head(store: &Store) -> anyhow::Result<(Note, Checkpoint)> {
    let Some(note) = store.ledger_head().await? else {
        let what = "the ledger has no entry yet: `driftline run --once` writes the first";
        return Err(UsageError(what.to_owned()).into());
    };
    let checkpoint = Checkpoint::parse(note.text())?;
    Ok((note, checkpoint))
}

/// The leavers of an app in a time, as far as the checkpoint is over their entries.
pub(super) async fn leavers(
    store: &Store,
    app: &SystemId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    checkpoint: &Checkpoint,
) -> anyhow::Result<Vec<LeaverLine>> {
    let mut lines = store.leavers().await?;
    lines.retain(|it| {
        it.leaver.app == *app && it.leaver.is_in(from, to) && it.entry < checkpoint.size
    });
    Ok(lines)
}

/// Who was erased, by the entries under a checkpoint.
pub(super) async fn erasures(store: &Store, checkpoint: &Checkpoint) -> anyhow::Result<Erasures> {
    let entries = store.ledger_entries_of("erasure.done", checkpoint.size).await?;
    Ok(Erasures::of(entries.iter().map(|(at, it)| (*at, &**it))))
}

/// A leaver as their entry tells of them, with all that is disclosed.
pub(super) async fn leaf(
    store: &Store,
    line: &LeaverLine,
) -> anyhow::Result<(Vec<u8>, LeaverLeaf)> {
    let (entry, leaf, _) = leaf_of(store, line).await?;
    Ok((entry, leaf))
}

async fn leaf_of(
    store: &Store,
    line: &LeaverLine,
) -> anyhow::Result<(Vec<u8>, LeaverLeaf, Vec<String>)> {
    let at = line.entry;
    let entry = store.ledger_entries(at..at + 1).await?.pop().unwrap_or_default();
    let disclosures = store.disclosures(at).await?;
    let leaf = LeaverLeaf::read(at, &entry, &disclosures)?;
    Ok((entry, leaf, disclosures))
}

/// Whether a leaver is meant by what somebody typed.
fn is_called(leaver: &Leaver, leaf: &LeaverLeaf, name: &str) -> bool {
    let person = &leaver.person;
    let folded = Folded::new(name);
    let is_login = leaf.fact("login").is_some_and(|it| Folded::new(it) == folded);
    let is_account = leaver
        .accounts
        .iter()
        .any(|it| *it.key == *name || format!("{}/{}", leaver.app, it.key) == name);
    leaf.id() == name
        || leaf.subject == name
        || *person.key == *name
        || format!("{}/{}", person.system, person.key) == name
        || (folded.is_some() && is_login)
        || is_account
}

async fn findings(store: &Store, app: &SystemId) -> anyhow::Result<Vec<FindingTold>> {
    let mut told = Vec::new();
    for finding in store.findings_of(app.clone()).await? {
        let events = store.finding_events(finding.id).await?;
        told.push(FindingTold { finding, events });
    }
    Ok(told)
}

/// The findings that an entry about a leaver names.
fn findings_of(findings: &[FindingTold], leaf: &LeaverLeaf) -> Vec<FindingTold> {
    let named = |id: &String| leaf.body.accounts.iter().any(|it| it.findings.contains(id));
    findings.iter().filter(|it| named(&it.finding.id.to_string())).cloned().collect()
}

/// The store's numbers of rows, by their list and key, of lists of the period.
struct Numbers<'l> {
    lists: &'l [ListRead],
    of_list: BTreeMap<(SystemId, List), BTreeMap<Text, EntityId>>,
}

impl Numbers<'_> {
    /// That of the row that says of somebody that they left; `None`: no list of the period has, or had
    /// by then, such a row.
    async fn of(&mut self, store: &Store, said: &SaidBy) -> anyhow::Result<Option<EntityId>> {
        let list = (said.system.clone(), said.list);
        if !self.of_list.contains_key(&list) {
            let is_it = |it: &&ListRead| {
                (&it.snapshot.stream.system, it.snapshot.stream.list) == (&list.0, list.1)
            };
            let numbers = match self.lists.iter().rfind(is_it) {
                Some(newest) => numbers(store, newest).await?,
                None => BTreeMap::new(),
            };
            self.of_list.insert(list.clone(), numbers);
        }
        Ok(self.of_list.get(&list).and_then(|it| it.get(&said.key)).copied())
    }
}

/// The numbers of the rows of a list, and of those that it had before.
async fn numbers(store: &Store, list: &ListRead) -> anyhow::Result<BTreeMap<Text, EntityId>> {
    let stored = store.rows(list.snapshot.id).await?;
    let mut numbers = BTreeMap::new();
    for gone in store.gone(stored.absent, list.snapshot.id).await? {
        numbers.extend(keys(&gone.row).into_iter().map(|it| (it, gone.entity)));
    }
    numbers.extend(keys(&stored.rows).into_iter().zip(stored.entities));
    Ok(numbers)
}

/// The keys of rows that may say that somebody left.
fn keys(rows: &Rows) -> Vec<Text> {
    match rows {
        Rows::Identities(rows) => rows.iter().map(|it| it.id.clone()).collect(),
        Rows::Leavers(rows) => rows.iter().map(|it| it.id.clone()).collect(),
        _ => Vec::new(),
    }
}

/// HR's newest lists of the period against the leavers on record.
async fn hr_lists(
    store: &Store,
    (scope, lists): (&Scope, &[ListRead]),
    begin: Option<&LeaversBegin>,
) -> anyhow::Result<Vec<HrList>> {
    let on_record = store.leavers().await?;
    let on_record = on_record.iter().filter(|it| it.leaver.app == scope.app);
    let said: BTreeSet<(&SystemId, &Text)> = on_record
        .flat_map(|it| &it.leaver.said_by)
        .filter(|it| it.list == List::Leavers)
        .map(|it| (&it.system, &it.key))
        .collect();
    let of_hr = lists.iter().filter(|it| it.snapshot.stream.list == List::Leavers);
    let newest: BTreeMap<String, &ListRead> =
        of_hr.map(|it| (it.snapshot.stream.to_string(), it)).collect();
    let mut hr = Vec::with_capacity(newest.len());
    for (name, list) in newest {
        let Rows::Leavers(rows) = store.rows(list.snapshot.id).await?.rows else { continue };
        let system = &list.snapshot.stream.system;
        // Who left before the listing looked back to is counted, and not listed.
        let is_in_force = |at: DateTime<Utc>| {
            at < scope.to
                && at <= list.snapshot.as_of.at
                && begin.is_none_or(|begin| at >= begin.since)
        };
        let in_force: Vec<_> = rows.iter().filter(|it| is_in_force(it.left_at)).collect();
        let unmatched = in_force.iter().filter(|it| !said.contains(&(system, &it.id))).count();
        hr.push(HrList { list: name, run: list.run, n_in_force: in_force.len(), unmatched });
    }
    Ok(hr)
}

/// The raw rows of a person, of whatever else says that they left, and of their accounts.
async fn raw(
    store: &Store,
    numbers: &mut Numbers<'_>,
    leaver: &Leaver,
) -> anyhow::Result<Vec<RawRow>> {
    let person = &leaver.person;
    let mut rows = vec![(format!("{}/{}", person.system, person.key), person.entity)];
    for said in &leaver.said_by {
        let entity = numbers.of(store, said).await?.filter(|it| *it != person.entity);
        rows.extend(entity.map(|it| (format!("{}/{}", said.system, said.key), it)));
    }
    let app = &leaver.app;
    rows.extend(leaver.accounts.iter().map(|it| (format!("{app}/{}", it.key), it.entity)));
    let mut raw = Vec::new();
    for (row, entity) in rows {
        for (RunId(run), bytes) in store.bodies(entity).await? {
            raw.push(RawRow { row: row.clone(), run, bytes });
        }
    }
    Ok(raw)
}

/// What logs tell of pushes, by provider and identity.
type Logged = BTreeMap<(SystemId, Text), Vec<PushTold>>;

async fn logged(store: &Store, asked: &[SystemId]) -> anyhow::Result<Logged> {
    let mut logged = Logged::new();
    let all = store.log_events().await?.into_iter();
    for (provider, events) in all.filter(|it| asked.contains(&it.0)) {
        for event in events {
            let has_failed = match event.kind {
                LogEventKind::Pushed => false,
                LogEventKind::PushFailed => true,
                LogEventKind::Left
                | LogEventKind::Suspended
                | LogEventKind::Returned
                | LogEventKind::Unassigned
                | LogEventKind::Assigned => continue,
            };
            let push = PushTold { at: event.at, provider: provider.clone(), has_failed };
            logged.entry((provider.clone(), event.identity)).or_default().push(push);
        }
    }
    Ok(logged)
}

/// Those to the identities that a leaver is on record by: since they left at the earliest, where that is
/// known, and until a run saw them back.
fn pushes(logged: &Logged, leaver: &Leaver) -> Vec<PushTold> {
    let person = &leaver.person;
    let said = leaver.said_by.iter().map(|it| (&it.system, it.list, &it.key));
    let rows = said.chain([(&person.system, person.list, &person.key)]);
    let theirs: BTreeSet<(SystemId, Text)> = rows
        .filter(|it| it.1 == List::Identities)
        .map(|(system, _, key)| (system.clone(), key.clone()))
        .collect();
    let is_since = |it: &&PushTold| {
        leaver.started.earliest.is_none_or(|left| it.at + CLOCK_SKEW_MAX >= left)
            && leaver.returned_at.is_none_or(|back| it.at <= back)
    };
    let all = theirs.iter().filter_map(|it| logged.get(it)).flatten();
    let mut pushes: Vec<PushTold> = all.filter(is_since).cloned().collect();
    pushes.sort();
    pushes
}

/// Whether an instant, as entries write it, is in a time; one that cannot be read is.
fn is_within(at: &str, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> bool {
    when::instant(at).is_none_or(|at| at >= from && at < to)
}

/// Of whom an entry about a leaver tells: random name, app, employment, and which leave of it.
fn leaver_of(entry: &Entry) -> Option<String> {
    let of = ["app", "episode", "leave"].map(|it| entry.body.get(it));
    entry.is_of_leaver().then(|| format!("{:?} {of:?}", entry.subject))
}

async fn ledger_part(
    store: &Store,
    app: &SystemId,
    (note, checkpoint): (Note, Checkpoint),
    period: (DateTime<Utc>, DateTime<Utc>),
    leavers: &[LeaverLine],
) -> anyhow::Result<LedgerPart> {
    let wanted = wanted(store, app, checkpoint.size, period, leavers).await?;
    let mut entries = Vec::new();
    let mut first = 0;
    while first < checkpoint.size {
        let end = (first + ENTRIES_READ).min(checkpoint.size);
        let read = (first..end).zip(store.ledger_entries(first..end).await?);
        entries.extend(read.filter(|it| wanted.contains(&it.0)));
        first = end;
    }
    let standings = store.ledger_keys().await?;
    let in_force = standings.into_iter().filter(|it| it.revoked.is_none());
    Ok(LedgerPart {
        hashes: store.ledger_hashes(checkpoint.size).await?,
        keys: in_force.map(|it| it.key).collect(),
        note,
        checkpoint,
        entries,
    })
}

/// The places of the entries that go into a bag.
async fn wanted(
    store: &Store,
    app: &SystemId,
    size: u64,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    leavers: &[LeaverLine],
) -> anyhow::Result<BTreeSet<u64>> {
    let listed: BTreeSet<u64> = leavers.iter().map(|it| it.entry).collect();
    let mut wanted = listed.clone();
    let mut of_leavers: BTreeMap<String, Vec<(u64, DateTime<Utc>)>> = BTreeMap::new();
    let (mut first, mut end, mut read) = (size, 0, 0);
    while read < size {
        let next = (read + ENTRIES_READ).min(size);
        for (seq, entry) in (read..next).zip(store.ledger_entries(read..next).await?) {
            let told = Entry::read(seq, &entry);
            let Some((told, at)) = told.and_then(|it| when::instant(&it.at).map(|at| (it, at)))
            else {
                wanted.insert(seq); // One that cannot be read is evidence, too.
                continue;
            };
            if at >= from {
                first = first.min(seq);
            }
            if at < to {
                end = seq + 1;
            }
            if told.is_decision()
                || told.kind == "erasure.done"
                || told.kind.starts_with("exception.")
                || told.is_of_dispute(app.as_str())
            {
                wanted.insert(seq);
            }
            if let Some(leaver) = leaver_of(&told) {
                of_leavers.entry(leaver).or_default().push((seq, at));
            }
        }
        read = next;
    }
    // With the entries on both sides of the period, so that nobody can cut it short unnoticed.
    let first = first.saturating_sub(1);
    let period = first.min(end)..(first.max(end) + 1).min(size);
    for entries in of_leavers.values() {
        // What an entry from before the period tells of a leaver is no news in it.
        if entries.iter().any(|it| listed.contains(&it.0)) {
            wanted.extend(entries.iter().rfind(|it| it.1 < from).map(|it| it.0));
        }
        // By a later one they may be of another time.
        if entries.iter().any(|it| period.contains(&it.0)) {
            wanted.extend(entries.last().map(|it| it.0));
        }
    }
    wanted.extend(period);
    Ok(wanted)
}

/// Lists of the app and of its identity providers, and those that belong to no app alone.
async fn lists(
    store: &Store,
    (app, idps): (&SystemId, &[SystemId]),
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> anyhow::Result<Vec<ListRead>> {
    let mut lists = Vec::new();
    let is_theirs = |it: &Stream| {
        it.system == *app
            || idps.contains(&it.system)
            || matches!(it.list, List::Leavers | List::NonHumans)
    };
    let found = store.snapshots_between(from, to).await?;
    for (RunId(run), snapshot) in found.into_iter().filter(|it| is_theirs(&it.1.stream)) {
        let requests = store.requests(snapshot.id).await?;
        lists.push(ListRead { run, snapshot, requests });
    }
    Ok(lists)
}

async fn exceptions(store: &Store, findings: &[FindingTold]) -> anyhow::Result<Vec<ExceptionRow>> {
    let by_print: BTreeMap<_, &Finding> =
        findings.iter().map(|it| (it.finding.fingerprint, &it.finding)).collect();
    let mut rows = Vec::new();
    for waiver in store.waivers().await? {
        let Some(finding) = by_print.get(&waiver.fingerprint) else { continue };
        rows.push(ExceptionRow {
            waiver: waiver.id,
            finding: finding.id.to_string(),
            cause: waiver.cause.to_string(),
            requested_by: waiver.requested.by,
            requested_at: waiver.requested.at,
            reason: waiver.reason,
            approved: waiver.approved.map(|it| (it.by, it.at)),
            expires_at: waiver.expires_at,
            voided_at: waiver.voided_at,
        });
    }
    Ok(rows)
}

async fn alerts(
    store: &Store,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> anyhow::Result<Vec<AlertRow>> {
    let mut lines = store.deliveries(u32::MAX).await?;
    lines.retain(|it| it.at >= from && it.at < to);
    lines.sort_by_key(|it| (it.at, it.delivery.id));
    let row = |it: store::DeliveryLine| AlertRow {
        at: it.at,
        reason: it.reason.to_string(),
        severity: it.severity.to_string(),
        channel: it.delivery.channel.to_string(),
        state: it.delivery.state.to_string(),
        n_attempts: u64::from(it.delivery.n_attempts),
        tried_at: it.delivery.tried_at,
        reference: it.delivery.reference.map(|it| it.to_string()).unwrap_or_default(),
        findings: it.findings,
    };
    Ok(lines.into_iter().map(row).collect())
}

/// Checkpoints that were to be taken out of reach since then, oldest first.
async fn anchors(store: &Store, since: DateTime<Utc>) -> anyhow::Result<Vec<AnchorTold>> {
    let mut lines = store.anchors().await?;
    lines.retain(|it| it.asked_at >= since);
    lines.reverse();
    let told = |it: AnchorLine| {
        let state = it.state.name().to_owned();
        let taken = match it.state {
            AnchorState::Pending | AnchorState::Failed => None,
            AnchorState::Made { at, place, proof } => Some(Taken { at, place, proof }),
        };
        AnchorTold {
            name: it.name.name.to_string(),
            kind: it.name.kind.to_string(),
            size: it.size,
            note: it.note,
            asked_at: it.asked_at,
            state,
            taken,
            why: it.why,
        }
    };
    Ok(lines.into_iter().map(told).collect())
}

/// A run as its entry tells of it.
#[derive(Deserialize)]
struct RunBody {
    run: i64,
    #[serde(default)]
    pass: Option<String>,
    is_complete: bool,
    failed: Vec<String>,
    apps: Vec<AppGrade>,
    #[serde(default)]
    made_at: Option<String>,
}

#[derive(Deserialize)]
struct AppGrade {
    app: String,
    grade: String,
}

/// The runs of the period, by the entries that tell of them.
async fn runs(
    store: &Store,
    app: &SystemId,
    entries: &[(u64, Vec<u8>)],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> anyhow::Result<Vec<RunDone>> {
    let turns: BTreeMap<i64, domain::Turn> =
        store.all_turns().await?.into_iter().map(|(run, turn)| (run.0, turn)).collect();
    let told: Vec<(u64, Entry)> =
        entries.iter().filter_map(|(seq, it)| Some((*seq, Entry::parse(it)?))).collect();
    let of_time = told.iter().map(|it| &it.1).filter(|it| is_within(&it.at, (from, to)));
    let mut lists = lists_told(of_time);
    let done = told.iter().filter_map(|(seq, told)| {
        if told.kind == "run.failed" && is_within(&told.at, (from, to)) {
            return failed(*seq, told);
        }
        let is_run = told.kind == "run.completed" && is_within(&told.at, (from, to));
        let body: RunBody = told.says().filter(|_| is_run)?;
        let at = when::instant(&told.at)?;
        let turn = turns.get(&body.run);
        Some(RunDone {
            run: Some(body.run),
            entry: *seq,
            at,
            pass: body.pass.as_deref().and_then(Pass::parse).unwrap_or(Pass::Full),
            is_complete: body.is_complete,
            grade: body.apps.into_iter().find(|it| it.app == app.as_str()).map(|it| it.grade),
            failed: body.failed,
            due_at: turn.map(|it| it.due),
            n_missed: turn.map_or(0, |it| u64::from(it.n_missed)),
            made_at: body.made_at.as_deref().and_then(when::instant),
            lists: lists.remove(seq).unwrap_or_default(),
        })
    });
    Ok(done.collect())
}

/// Runs of which nothing was saved, as their entry tells of them: how many, and no lists.
fn failed(entry: u64, told: &Entry) -> Option<RunDone> {
    let n = told.body.get("n")?.as_u64()?;
    Some(RunDone {
        run: None,
        entry,
        at: when::instant(&told.at)?,
        pass: Pass::Full,
        is_complete: false,
        grade: None,
        failed: vec![format!("{n} runs failed, and nothing of them was saved")],
        due_at: None,
        n_missed: 0,
        made_at: None,
        lists: ListsTold::default(),
    })
}
