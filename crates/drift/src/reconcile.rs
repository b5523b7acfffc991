//! The life of a finding: what this run's claims do to what is known.
//!
//! Opening needs two looks and the end of grace; closing needs a later look that positively shows
//! it is over. A run that could not see changes nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    Activity, Cause, Change, Exposure, Family, Finding, FindingEvent, FindingId, FindingRecord,
    FindingState, Fingerprint, Interval, LinkKind, Look, Resolution, Right, RunId, SlaResult,
    Stream, Tier, Verdict, Waiver,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::Context;
use crate::fingerprint::fingerprint;
use crate::judge::{Claim, Judgement, Status};
use crate::rule::rule;
use crate::sla::{sla, started};

/// What is known of this app's findings, and how new ones are named.
#[derive(Debug)]
pub struct Known<'k> {
    /// Living findings, and the latest resolved one of each fingerprint.
    pub findings: &'k [Finding],
    /// Waivers, in force or not.
    pub waivers: &'k [Waiver],
    /// The key of the deployment.
    pub key: &'k [u8; 32],
    /// True in the first judged run of this app.
    pub is_baseline: bool,
    /// The run.
    pub run: RunId,
    /// The number of the next new finding.
    pub next: FindingId,
}

/// What the run did.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// Findings that live and those resolved in this run, gravest first, then by number.
    pub records: Vec<FindingRecord>,
    /// What happened, in order of the findings' numbers.
    pub events: Vec<FindingEvent>,
    /// Waivers that changed facts made void.
    pub voided: Vec<i64>,
}

/// Applies a judgement to what is known.
#[must_use]
pub fn reconcile(cx: &Context<'_>, judgement: &Judgement, known: &Known<'_>) -> Reconciled {
    let mut out = Reconciled::default();
    let mut next = known.next;
    let before: FxHashMap<Fingerprint, &Finding> =
        known.findings.iter().map(|it| (it.fingerprint, it)).collect();
    let mut claimed: FxHashSet<Fingerprint> = FxHashSet::default();
    for (print, claims) in by_fingerprint(cx, judgement, known.key) {
        claimed.insert(print);
        let Some(claim) = claims.first() else { continue };
        let old = before.get(&print).copied();
        let is_same_employment = old.is_none_or(|it| same_employment(it.episode, claim.episode));
        if let (Some(old), false) = (old, is_same_employment)
            && old.is_live()
        {
            let why = "a new employment began; this finding belongs to the one before".to_owned();
            out.record_end(cx, known, old, Resolution::Superseded, why, None);
        }
        let old = old.filter(|_| is_same_employment);
        let mut finding = match old {
            Some(old) => old.clone(),
            None => {
                let id = next;
                next = FindingId(next.0 + 1);
                detected(cx, known, claim, print, id)
            }
        };
        let (change, because) = advance(cx, known, old, &mut finding, claim, &mut out.voided);
        out.record(cx, known, finding, (change, because), &claims);
    }
    for finding in
        known.findings.iter().filter(|it| it.is_live() && !claimed.contains(&it.fingerprint))
    {
        out.settle(cx, known, finding, judgement.statuses.get(&finding.subject.entity));
    }
    out.records.sort_by_key(|it| (std::cmp::Reverse(it.finding.severity), it.finding.id));
    out.events.sort_by_key(|it| it.finding);
    out
}

/// One finding per subject and family: the gravest claim leads, the others stand beside it.
fn by_fingerprint<'j>(
    cx: &Context<'_>,
    judgement: &'j Judgement,
    key: &[u8; 32],
) -> Vec<(Fingerprint, Vec<&'j Claim>)> {
    let mut order: Vec<(Fingerprint, Vec<&Claim>)> = Vec::new();
    let mut at: FxHashMap<Fingerprint, usize> = FxHashMap::default();
    for claim in &judgement.claims {
        let print =
            fingerprint(key, &cx.rules.app, &claim.subject, claim.has_id, claim.cause.family());
        let place = *at.entry(print).or_insert_with(|| {
            order.push((print, Vec::new()));
            order.len() - 1
        });
        if let Some((_, claims)) = order.get_mut(place) {
            claims.push(claim);
        }
    }
    for (_, claims) in &mut order {
        claims.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.cause));
    }
    order
}

/// 0 is "no single owner": it contradicts no employment.
const fn same_employment(one: u32, other: u32) -> bool {
    one == other || one == 0 || other == 0
}

fn detected(
    cx: &Context<'_>,
    known: &Known<'_>,
    claim: &Claim,
    print: Fingerprint,
    id: FindingId,
) -> Finding {
    Finding {
        id,
        fingerprint: print,
        app: cx.rules.app.clone(),
        subject: claim.subject.clone(),
        cause: claim.cause,
        severity: claim.severity,
        state: FindingState::Pending,
        episode: claim.episode,
        detected_at: cx.now,
        detected_run: known.run,
        looks: claim.looks.clone(),
        clock_from: claim.clock_from,
        grace_until: claim.grace_until,
        opened_at: None,
        resolved_at: None,
        resolution: None,
        state_until: None,
        last_seen_at: cx.now,
        exposures: Vec::new(),
        n_reopened: 0,
    }
}

/// Moves a claimed finding on, and says what changed and why.
fn advance(
    cx: &Context<'_>,
    known: &Known<'_>,
    old: Option<&Finding>,
    finding: &mut Finding,
    claim: &Claim,
    voided: &mut Vec<i64>,
) -> (Change, String) {
    let is_same = finding.cause == claim.cause && finding.severity >= claim.severity;
    if finding.state == FindingState::FalsePositive && is_same {
        return (Change::Unchanged, "called a false positive, with a reason".to_owned());
    }
    // What was over, or was called none for another cause, begins anew.
    let is_back = !finding.is_live();
    finding.episode = finding.episode.max(claim.episode);
    if is_back {
        finding.state = FindingState::Pending;
        finding.looks.clone_from(&claim.looks);
        (finding.clock_from, finding.grace_until) =
            (claim.clock_from.max(cx.now), cx.now.max(claim.grace_until));
        (finding.opened_at, finding.resolved_at, finding.resolution) = (None, None, None);
        finding.n_reopened += 1;
    }
    let is_graver = claim.severity > finding.severity;
    finding.cause = claim.cause;
    finding.severity = finding.severity.max(claim.severity);
    finding.clock_from = finding.clock_from.min(claim.clock_from);
    finding.grace_until = finding.grace_until.min(claim.grace_until);
    finding.last_seen_at = cx.now;
    if expose(cx, finding, claim, is_back) {
        // What this rests on began later than what it rested on before.
        (finding.clock_from, finding.grace_until) = (claim.clock_from, claim.grace_until);
    }

    let was = finding.state;
    let (opens, mut because) = may_open(cx, known, old, finding, claim);
    match finding.state {
        FindingState::Pending if opens => finding.state = FindingState::Open,
        FindingState::NotVisible | FindingState::Held => {
            let was_open = finding.opened_at.is_some();
            finding.state =
                if was_open || opens { FindingState::Open } else { FindingState::Pending };
        }
        FindingState::Acknowledged if finding.state_until.is_some_and(|it| it <= cx.now) => {
            finding.state = FindingState::Open;
            because = "the acknowledgement has expired".to_owned();
        }
        _ => {}
    }
    if let Some(why) = waive(cx, known, finding, voided) {
        because = why;
    }
    if finding.state == FindingState::Open && finding.opened_at.is_none() {
        finding.opened_at = Some(cx.now);
    }
    let change = match (is_back, old.is_none(), was, finding.state) {
        (true, ..) => Change::Reopened,
        (_, _, before, FindingState::Waived) if before != FindingState::Waived => Change::Waived,
        (_, _, before, FindingState::Open) if before != FindingState::Open => Change::Opened,
        (_, true, ..) => Change::Detected,
        _ if is_graver => Change::Worsened,
        _ => Change::Unchanged,
    };
    (change, because)
}

/// Whether a pending finding opens now, and why, or why not yet.
fn may_open(
    cx: &Context<'_>,
    known: &Known<'_>,
    old: Option<&Finding>,
    finding: &Finding,
    claim: &Claim,
) -> (bool, String) {
    if cx.policy.is_immediate {
        return (true, "grace and second look are off".to_owned());
    }
    if finding.state != FindingState::Pending {
        return (false, "still seen".to_owned());
    }
    if known.is_baseline && claim.is_leaver && finding.family() == Family::AccessRemains {
        return (true, "found in the first run: a leaver is open at once".to_owned());
    }
    let by_id = "asked again by id";
    let seen_twice = match old {
        _ if claim.is_asked_again => Ok(by_id),
        Some(_) if let Some(stream) = standing_in(cx, claim) => {
            Err(format!("{stream} was not read in this run; it opens when a later list shows it"))
        }
        Some(old) if old.is_live() => {
            second_look(&old.looks, &claim.looks).map(|()| "seen again by later lists")
        }
        _ => Err("seen once; it opens when a later list shows it again".to_owned()),
    };
    match seen_twice {
        Err(why) => (false, why),
        Ok(how) if cx.now < finding.grace_until => {
            let seen = if how == by_id { by_id } else { "seen twice" };
            (false, format!("{seen}; in grace until {}", time(finding.grace_until)))
        }
        Ok(how) => (true, format!("{how}, and grace is over")),
    }
}

/// A list that the claim rests on and that this run could not read: what an earlier run saw of it
/// stands in, and shows nothing of today.
fn standing_in<'c>(cx: &Context<'_>, claim: &'c Claim) -> Option<&'c Stream> {
    let lists = || cx.graph.estate().lists();
    let stands_in = |it: &&Look| lists().any(|list| list.is_stand_in && list.stream == it.stream);
    claim.looks.iter().find(stands_in).map(|it| &it.stream)
}

/// Every list must have been seen again: later, and where the time is only the file's own, with
/// other bytes, because copying a file makes it look new.
fn second_look(first: &[Look], now: &[Look]) -> Result<(), String> {
    for look in now {
        let Some(before) = first.iter().find(|it| it.stream == look.stream) else { continue };
        if look.as_of <= before.as_of {
            let since = time(before.as_of);
            return Err(format!(
                "seen once; {} has not been seen again since {since}",
                look.stream
            ));
        }
        if look.is_assumed && look.body_digest == before.body_digest {
            return Err(format!(
                "seen once; {} is the very same file as before (state its `as_of` if it is a new export)",
                look.stream
            ));
        }
    }
    Ok(())
}

/// Adds this look to the exposure, or begins a new stretch: after one that ended, and after a
/// time in which the access was right, or may have been: true where that was between two looks.
fn expose(cx: &Context<'_>, finding: &mut Finding, claim: &Claim, is_back: bool) -> bool {
    if finding.family() != Family::AccessRemains {
        return false;
    }
    let Some(seen_at) = claim.seen_active_at else { return false };
    // What was seen last stands in for a list that could not be read. It does not show that the
    // right was still over when the account was seen on.
    let is_new = |it: &Look| cx.past.looked_at.get(&it.stream).is_none_or(|at| it.as_of > *at);
    let last_seen_active = claim.looks.iter().all(is_new).then_some(seen_at);
    // Without a date, the right had ended when both sides had been looked at.
    let looked_at = claim.looks.iter().map(|it| it.as_of).max().max(Some(seen_at));
    let mut begun = started(cx.policy, &claim.starts, looked_at);
    let was_running =
        finding.exposures.last().is_some_and(|it| it.first_seen_inactive.is_none()) && !is_back;
    match finding.exposures.last_mut() {
        Some(last) if was_running && !begins_later(last, claim, begun) => {
            // Begun by lists that stood in for those of that night: it may have ended since.
            if last.last_seen_active.is_none() {
                last.started.latest = last.started.latest.max(begun.latest);
            }
            last.last_seen_active = last.last_seen_active.max(last_seen_active);
            // A source may tell later that it began earlier.
            if let (Some(known), Some(told)) = (last.started.earliest, begun.earliest) {
                last.started.earliest = Some(known.min(told));
            }
            false
        }
        ended => {
            // After a removal that was seen, the next stretch begins after that, and by this look.
            if let Some(off) = ended.and_then(|it| it.first_seen_inactive) {
                begun.earliest = begun.earliest.max(Some(off));
                begun.latest = begun
                    .latest
                    .filter(|it| *it >= off)
                    .map_or(Some(seen_at), |it| Some(it.min(seen_at)));
            }
            finding.exposures.push(Exposure {
                started: begun,
                last_seen_active,
                first_seen_inactive: None,
            });
            was_running
        }
    }
}

/// Whether the right ended only after the stretch was seen last, so that it was in force again in
/// between; or may have: the account of several possible owners may by now be that of somebody who
/// left later. Who tells when an account was switched on again tells nothing of rights.
fn begins_later(stretch: &Exposure, claim: &Claim, told: Interval) -> bool {
    let Some(seen) = stretch.last_seen_active.filter(|_| claim.cause != Cause::Reactivated) else {
        return false;
    };
    let at_the_earliest = if claim.is_of_several { told.latest } else { told.earliest };
    at_the_earliest.is_some_and(|it| it > seen)
}

/// Applies the waivers of a finding: in force, ended, or void because the facts changed.
fn waive(
    cx: &Context<'_>,
    known: &Known<'_>,
    finding: &mut Finding,
    voided: &mut Vec<i64>,
) -> Option<String> {
    let mine = known.waivers.iter().filter(|it| it.fingerprint == finding.fingerprint);
    let mut in_force = None;
    for waiver in mine.filter(|it| it.voided_at.is_none()) {
        let is_same = same_employment(waiver.episode, finding.episode);
        if waiver.cause != finding.cause || !is_same {
            voided.push(waiver.id);
        } else if waiver.is_in_force(cx.now) {
            in_force = Some(waiver);
        }
    }
    match (in_force, finding.state) {
        (Some(waiver), _) => {
            finding.state = FindingState::Waived;
            finding.state_until = Some(waiver.expires_at);
            Some(format!("waived until {}", time(waiver.expires_at)))
        }
        (None, FindingState::Waived) => {
            finding.state = FindingState::Open;
            finding.state_until = None;
            Some("the waiver has ended, or the facts it was given for have changed".to_owned())
        }
        (None, _) => None,
    }
}

impl Reconciled {
    fn record(
        &mut self,
        cx: &Context<'_>,
        known: &Known<'_>,
        finding: Finding,
        (change, because): (Change, String),
        claims: &[&Claim],
    ) {
        let Some((claim, beside)) = claims.split_first() else { return };
        let mut explanation = claim.explanation.clone();
        for other in beside {
            explanation
                .summary
                .push_str(&format!(" Also `{}`: {}", other.cause, other.explanation.summary));
        }
        self.event(cx, known, &finding, change, &because);
        self.records.push(FindingRecord {
            sla: deadline(cx, known, &finding),
            finding,
            change,
            because,
            person: claim.person.clone(),
            is_privileged: claim.is_privileged,
            explanation,
            next_action: claim.next_action.to_owned(),
        });
    }

    /// A living finding that nothing claims in this run: over, out of sight, or as it was.
    fn settle(
        &mut self,
        cx: &Context<'_>,
        known: &Known<'_>,
        old: &Finding,
        status: Option<&Status>,
    ) {
        let Some(status) = status else {
            let why = "nothing was seen of it in this run";
            return self.keep(cx, known, old.clone(), Change::Unchanged, why.to_owned(), None);
        };
        match ending(old, status) {
            Some((resolution, why)) if is_later(old, status, resolution) => {
                self.record_end(cx, known, old, resolution, why, Some(status));
            }
            Some(_) => {
                let why = "no later list shows that it is over";
                self.keep(cx, known, old.clone(), Change::Unchanged, why.to_owned(), Some(status));
            }
            None if status.activity == Activity::Unknown && status.is_gone => {
                let mut finding = old.clone();
                let lost = finding.state == FindingState::Open;
                if lost {
                    finding.state = FindingState::NotVisible;
                }
                let change = if lost { Change::LostSight } else { Change::Unchanged };
                let why = "the account can neither be seen nor shown to be gone";
                self.keep(cx, known, finding, change, why.to_owned(), Some(status));
            }
            None => {
                let why = "too little was seen in this run to say that it is over";
                self.keep(cx, known, old.clone(), Change::Unchanged, why.to_owned(), Some(status));
            }
        }
    }

    fn keep(
        &mut self,
        cx: &Context<'_>,
        known: &Known<'_>,
        mut finding: Finding,
        mut change: Change,
        mut because: String,
        status: Option<&Status>,
    ) {
        // A waiver or an acknowledgement ends on its day, seen or not.
        let is_aside = matches!(finding.state, FindingState::Waived | FindingState::Acknowledged);
        if is_aside && finding.state_until.is_some_and(|it| it <= cx.now) {
            finding.state = FindingState::Open;
            finding.state_until = None;
            finding.opened_at = finding.opened_at.or(Some(cx.now));
            change = Change::Opened;
            because = "the waiver or acknowledgement has expired".to_owned();
        }
        self.event(cx, known, &finding, change, &because);
        let mut explanation = status.map(|it| it.explanation.clone()).unwrap_or_default();
        explanation.summary = rule(finding.cause).title.to_owned() + ": as seen in an earlier run.";
        self.records.push(FindingRecord {
            sla: deadline(cx, known, &finding),
            next_action: rule(finding.cause).next_action.to_owned(),
            finding,
            change,
            because,
            person: status.map(|it| it.person.clone()).unwrap_or_default(),
            is_privileged: status.and_then(|it| it.is_privileged),
            explanation,
        });
    }

    fn record_end(
        &mut self,
        cx: &Context<'_>,
        known: &Known<'_>,
        old: &Finding,
        resolution: Resolution,
        why: String,
        status: Option<&Status>,
    ) {
        let mut finding = old.clone();
        finding.state = FindingState::Resolved;
        finding.resolved_at = Some(cx.now);
        finding.resolution = Some(resolution);
        finding.state_until = None;
        let is_off = matches!(resolution, Resolution::InactiveSeen | Resolution::AbsenceProven);
        let seen_at = status.and_then(|it| account_look(&finding, it));
        if let (true, Some(last)) = (is_off, finding.exposures.last_mut()) {
            last.first_seen_inactive = last.first_seen_inactive.or(seen_at);
        }
        self.event(cx, known, &finding, Change::Resolved, &why);
        let mut explanation = status.map(|it| it.explanation.clone()).unwrap_or_default();
        explanation.summary = format!("Over: {why}.");
        self.records.push(FindingRecord {
            sla: deadline(cx, known, &finding),
            finding,
            change: Change::Resolved,
            because: why,
            person: status.map(|it| it.person.clone()).unwrap_or_default(),
            is_privileged: status.and_then(|it| it.is_privileged),
            explanation,
            next_action: "Nothing: it is over.".to_owned(),
        });
    }

    fn event(
        &mut self,
        cx: &Context<'_>,
        known: &Known<'_>,
        finding: &Finding,
        change: Change,
        because: &str,
    ) {
        if change == Change::Unchanged {
            return;
        }
        self.events.push(FindingEvent {
            finding: finding.id,
            at: cx.now,
            run: Some(known.run),
            change,
            cause: finding.cause,
            severity: finding.severity,
            state: finding.state,
            because: because.to_owned(),
        });
    }
}

/// Whether the lists that show the end are later than those that showed the finding: the app's
/// own for an account that is off, every list for all other endings.
fn is_later(old: &Finding, status: &Status, resolution: Resolution) -> bool {
    let seen_on = old.exposures.last().and_then(|it| it.last_seen_active);
    let mine = |it: &&Look| it.stream.system == old.app;
    match resolution {
        Resolution::InactiveSeen | Resolution::AbsenceProven => {
            let before = seen_on.or_else(|| old.looks.iter().filter(mine).map(|it| it.as_of).max());
            account_look(old, status).is_some_and(|it| before.is_none_or(|before| it > before))
        }
        Resolution::Registered | Resolution::Decided => true,
        Resolution::Superseded | Resolution::Corrected => {
            let earlier = |look: &Look| old.looks.iter().find(|it| it.stream == look.stream);
            status.looks.iter().all(|look| earlier(look).is_none_or(|it| look.as_of >= it.as_of))
                && status
                    .looks
                    .iter()
                    .any(|look| earlier(look).is_none_or(|it| look.as_of > it.as_of))
        }
    }
}

/// As of when the app's list showed it off.
fn account_look(finding: &Finding, status: &Status) -> Option<DateTime<Utc>> {
    let theirs = status.looks.iter().filter(|it| it.stream.system == finding.app);
    theirs.map(|it| it.as_of).max()
}

fn deadline(cx: &Context<'_>, known: &Known<'_>, finding: &Finding) -> Option<SlaResult> {
    if finding.family() != Family::AccessRemains {
        return None;
    }
    let mine = known.waivers.iter().filter(|it| it.fingerprint == finding.fingerprint);
    let approved = mine.filter(|it| it.voided_at.is_none()).filter_map(|it| it.approved.as_ref());
    let approved_at = approved.map(|it| it.at).min();
    Some(sla(cx.policy, finding.cause, &finding.exposures, approved_at))
}

/// Why a finding is over, if what was seen shows it positively; `None` when it does not.
fn ending(finding: &Finding, status: &Status) -> Option<(Resolution, String)> {
    let over = |resolution, why: &str| Some((resolution, why.to_owned()));
    match status.activity {
        Activity::Inactive
            if finding.family() != Family::AccessMissing && finding.family() != Family::Record =>
        {
            return over(Resolution::InactiveSeen, "the account was seen inactive");
        }
        Activity::Absent
            if finding.subject.kind == domain::SubjectKind::Account
                && finding.family() != Family::AccessMissing =>
        {
            return over(Resolution::AbsenceProven, "the account is gone from a complete list");
        }
        _ => {}
    }
    if status.verdict == Verdict::Exempt && finding.family() == Family::Orphan {
        return over(Resolution::Registered, "the account was registered as non-human");
    }
    let is_known = status.right != Right::Unknown && status.activity != Activity::Unknown;
    let is_linked = status.link == LinkKind::Linked;
    let is_decided = status.tier == Some(Tier::Operator);
    let decided_or = |resolution, why: &str| match is_decided {
        true => over(Resolution::Decided, "a person decided whose account it is"),
        false => over(resolution, why),
    };
    match finding.family() {
        Family::AccessRemains if is_linked && status.right == Right::Entitled => {
            decided_or(Resolution::Superseded, "the owner is entitled again")
        }
        Family::AccessRemains if is_orphan(status) => {
            over(Resolution::Decided, "it was decided not to be theirs; nobody owns it now")
        }
        Family::Orphan if is_linked && is_known => {
            decided_or(Resolution::Corrected, "a later list shows whose account it is")
        }
        Family::Link if is_linked && is_known && (status.is_whole || is_decided) => {
            decided_or(Resolution::Corrected, "later lists show whose account it is")
        }
        Family::AccessMissing
            if finding.subject.kind == domain::SubjectKind::Identity && is_linked =>
        {
            over(Resolution::Corrected, "the person has an account")
        }
        Family::AccessMissing if is_linked && status.activity == Activity::Active => {
            over(Resolution::Corrected, "the account is active")
        }
        Family::AccessMissing if status.verdict == Verdict::NoAccount && is_linked => {
            over(Resolution::Corrected, "the person has another account")
        }
        Family::AccessMissing
            if is_known
                && status.right != Right::Entitled
                && (is_linked || finding.subject.kind == domain::SubjectKind::Identity) =>
        {
            over(Resolution::Superseded, "the person is no longer entitled")
        }
        Family::Sources | Family::NonHuman | Family::Record if is_known && status.is_whole => {
            over(Resolution::Corrected, "later lists do not show it any more")
        }
        _ => None,
    }
}

/// Nobody owns the account, as complete lists show: only a person's word undoes a link.
fn is_orphan(status: &Status) -> bool {
    matches!(status.verdict, Verdict::Drift(Cause::OrphanActive) | Verdict::Exempt)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
