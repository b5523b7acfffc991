//! The life of a finding: what this run's claims do to what is known.
//!
//! Opening needs two looks and the end of grace; closing needs a later look that positively shows
//! it is over. A run that could not see changes nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    Activity, Change, Changes, Direction, Family, Finding, FindingEvent, FindingId, FindingRecord,
    FindingState, Fingerprint, Hold, Resolution, RunId, SlaResult, Waiver,
};
use rustc_hash::FxHashSet;

use crate::claimed::{
    Claimed, Unclaimed, claimed, is_anothers, is_still_false, same_employment, unclaimed,
};
use crate::context::Context;
use crate::deadline::breach;
use crate::judge::{Claim, Judgement, Status};
use crate::mass_change::{Allowance, holds};
use crate::rule::rule;
use crate::second_look::may_open;
use crate::sla::sla;
use crate::stretch::expose;

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
    /// What earlier runs let change, of the last [`crate::USUAL_DAYS`] days.
    pub changes: &'k [Changes],
    /// Findings that people released from the guard.
    pub released: &'k FxHashSet<FindingId>,
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
    /// What the guard holds.
    pub holds: Vec<Hold>,
    /// How much this run let change; what people released is not counted.
    pub changes: Option<Changes>,
}

/// Why the guard lets nothing more through, by direction; `None`: it does.
#[derive(Default)]
struct Held {
    openings: Option<String>,
    closings: Option<String>,
}

/// Applies a judgement to what is known.
#[must_use]
pub fn reconcile(cx: &Context<'_>, judgement: &Judgement, known: &Known<'_>) -> Reconciled {
    let mut out = Reconciled::default();
    let mut next = known.next;
    let claimed = claimed(cx, judgement, known);
    let unclaimed = unclaimed(cx, judgement, known, &claimed);
    let held = out.guard(cx, judgement, known, (&claimed, &unclaimed));
    for it in &claimed {
        if let Some(before) = it.before {
            let why = "a new employment began; this finding belongs to the one before".to_owned();
            out.record_end(cx, known, before, Resolution::Superseded, why, None);
        }
        let mut finding = match it.old {
            Some(old) => old.clone(),
            None => {
                let id = next;
                next = FindingId(next.0 + 1);
                detected(cx, known, it.lead, it.print, id)
            }
        };
        let why_held = held.openings.as_deref().filter(|_| it.opens_in_a_mass(known));
        let (change, because) = advance(cx, known, it, &mut finding, why_held, &mut out.voided);
        out.record(cx, known, finding, (change, because), &it.claims);
    }
    for it in unclaimed {
        let why_held = held.closings.as_deref().filter(|_| it.closes_in_a_mass(known));
        out.settle(cx, known, &it, why_held);
    }
    out.records.sort_by_key(|it| (std::cmp::Reverse(it.finding.severity), it.finding.id));
    out.events.sort_by_key(|it| it.finding);
    out.name_holds(&held);
    out
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
        owner: None,
        breached_at: None,
        held: None,
    }
}

/// Moves a claimed finding on, and says what changed and why. `why_held`: the guard does not let it
/// open.
fn advance(
    cx: &Context<'_>,
    known: &Known<'_>,
    claimed: &Claimed<'_>,
    finding: &mut Finding,
    why_held: Option<&str>,
    voided: &mut Vec<i64>,
) -> (Change, String) {
    let (old, claim) = (claimed.old, claimed.lead);
    if old.is_some_and(|it| is_still_false(it, claim)) {
        return (Change::Unchanged, "called a false positive, with a reason".to_owned());
    }
    // What was over, or was called none for other facts, begins anew.
    let is_back = !finding.is_live();
    let is_anothers = change_owner(finding, claim);
    take_up(cx, finding, claim, is_back);
    let is_graver = old.is_some_and(|it| finding.severity > it.severity);

    let was = old.map(|it| it.state);
    let (opens, mut because) = may_open(cx, known, old, finding, claim);
    finding.held = why_held.map(|_| Direction::Openings);
    match (finding.state, why_held) {
        (FindingState::Pending | FindingState::Held | FindingState::NotVisible, Some(why)) => {
            finding.state = FindingState::Held;
            because = format!("{HELD} {why}");
        }
        (FindingState::Pending, None) if opens => finding.state = FindingState::Open,
        (FindingState::NotVisible | FindingState::Held, None) => {
            let was_open = finding.opened_at.is_some();
            finding.state =
                if was_open || opens { FindingState::Open } else { FindingState::Pending };
        }
        (FindingState::Acknowledged, _) if is_anothers => {
            (finding.state, finding.state_until) = (FindingState::Open, None);
            "the account is somebody else's than when it was acknowledged".clone_into(&mut because);
        }
        (FindingState::Acknowledged, _) if finding.state_until.is_some_and(|it| it <= cx.now) => {
            (finding.state, finding.state_until) = (FindingState::Open, None);
            "the acknowledgement has expired".clone_into(&mut because);
        }
        _ => {}
    }
    if let Some(why) = waive(cx, known, finding, is_anothers, voided) {
        because = why;
    }
    if finding.state == FindingState::Open && finding.opened_at.is_none() {
        (finding.opened_at, finding.last_seen_at) = (Some(cx.now), cx.now);
    }
    let is_late = breach(cx, deadline(cx, known, finding), finding, old.is_some() && !is_back);
    if let Some(why) = &is_late {
        because = format!("{because}; {why}");
    }
    let change = match (is_back, was, finding.state) {
        (_, was, FindingState::Held) if was != Some(FindingState::Held) => Change::Held,
        (true, ..) => Change::Reopened,
        (_, was, FindingState::Waived) if was != Some(FindingState::Waived) => Change::Waived,
        (_, was, FindingState::Open) if was != Some(FindingState::Open) => Change::Opened,
        (_, None, _) => Change::Detected,
        _ if is_graver || is_late.is_some() => Change::Worsened,
        _ => Change::Unchanged,
    };
    (change, because)
}

/// How the guard begins its reasons.
const HELD: &str = "held by the guard:";

/// Notes whose it is, and returns true when that is somebody else now.
fn change_owner(finding: &mut Finding, claim: &Claim) -> bool {
    let is_anothers = is_anothers(finding, claim);
    if finding.owner.is_none_or(|it| !claim.owners.contains(&it)) {
        finding.owner = claim.owners.first().copied().or(finding.owner);
    }
    is_anothers
}

/// Lays what is claimed over what was known. Clock and severity never fall while it lives.
fn take_up(cx: &Context<'_>, finding: &mut Finding, claim: &Claim, is_back: bool) {
    let claimed_at = finding.last_seen_at;
    finding.episode = finding.episode.max(claim.episode);
    if is_back {
        finding.state = FindingState::Pending;
        finding.looks.clone_from(&claim.looks);
        (finding.clock_from, finding.grace_until) =
            (claim.clock_from.max(cx.now), cx.now.max(claim.grace_until));
        (finding.opened_at, finding.resolved_at, finding.resolution) = (None, None, None);
        finding.breached_at = None;
        finding.n_reopened += 1;
    }
    // Another claim has its second look ahead.
    if finding.opened_at.is_none() && finding.cause != claim.cause {
        finding.looks.clone_from(&claim.looks);
    }
    finding.cause = claim.cause;
    finding.severity = finding.severity.max(claim.severity);
    finding.clock_from = finding.clock_from.min(claim.clock_from);
    finding.grace_until = finding.grace_until.min(claim.grace_until);
    if is_back || claim.unheard.is_empty() {
        finding.last_seen_at = cx.now;
    }
    if expose(cx, finding, claim, (is_back, claimed_at)) {
        // What this rests on began later than what it rested on before.
        (finding.clock_from, finding.grace_until) = (claim.clock_from, claim.grace_until);
        finding.breached_at = None;
    }
}

/// Applies the waivers of a finding: in force, ended, or void because the facts changed: cause,
/// employment, or whose account it is.
fn waive(
    cx: &Context<'_>,
    known: &Known<'_>,
    finding: &mut Finding,
    is_anothers: bool,
    voided: &mut Vec<i64>,
) -> Option<String> {
    let mine = known.waivers.iter().filter(|it| it.fingerprint == finding.fingerprint);
    let mut in_force = None;
    for waiver in mine.filter(|it| it.voided_at.is_none()) {
        let is_same = same_employment(waiver.episode, finding.episode);
        if waiver.cause != finding.cause || !is_same || is_anothers {
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

/// Freezes a finding that would close. One that somebody has, or that is waived, stays theirs.
fn hold_closing(finding: &mut Finding) -> Change {
    let was_held = finding.held.replace(Direction::Closings).is_some();
    if !matches!(finding.state, FindingState::Acknowledged | FindingState::Waived) {
        finding.state = FindingState::Held;
    }
    if was_held { Change::Unchanged } else { Change::Held }
}

impl Reconciled {
    /// Counts what is about to change, and says what is not let through. In the first run of an app
    /// everything is new, and `check` has no past: there nothing is held.
    fn guard(
        &mut self,
        cx: &Context<'_>,
        judgement: &Judgement,
        known: &Known<'_>,
        (claimed, unclaimed): (&[Claimed<'_>], &[Unclaimed<'_>]),
    ) -> Held {
        if known.is_baseline || cx.policy.is_immediate {
            return Held::default();
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let n_openings = count(claimed.iter().filter(|it| it.opens_in_a_mass(known)).count());
        let n_closings = count(unclaimed.iter().filter(|it| it.closes_in_a_mass(known)).count());
        let allowance = Allowance {
            guard: &cx.policy.guard,
            app: &cx.rules.app,
            n_accounts: judgement.n_accounts,
            history: known.changes,
            now: cx.now,
        };
        let held = Held {
            openings: allowance.why_too_many(Direction::Openings, n_openings),
            closings: allowance.why_too_many(Direction::Closings, n_closings),
        };
        self.changes = Some(Changes {
            app: cx.rules.app.clone(),
            at: cx.now,
            n_openings: if held.openings.is_some() { 0 } else { n_openings },
            n_closings: if held.closings.is_some() { 0 } else { n_closings },
        });
        held
    }

    /// Names what is held, with the reason.
    fn name_holds(&mut self, held: &Held) {
        let findings: Vec<Finding> = self.records.iter().map(|it| it.finding.clone()).collect();
        self.holds = holds(&findings).into_iter().map(|it| it.0).collect();
        for hold in &mut self.holds {
            let why = match hold.direction {
                Direction::Openings => &held.openings,
                Direction::Closings => &held.closings,
            };
            hold.because = why.clone().unwrap_or_default();
        }
    }

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

    /// A living finding that nothing claims in this run: over, out of sight, or as it was. `why_held`:
    /// the guard does not let it close.
    fn settle(
        &mut self,
        cx: &Context<'_>,
        known: &Known<'_>,
        it: &Unclaimed<'_>,
        why_held: Option<&str>,
    ) {
        let old = it.finding;
        let Some(status) = it.status else {
            let why = "nothing was seen of it in this run";
            return self.keep(cx, known, old.clone(), Change::Unchanged, why.to_owned(), None);
        };
        let mut finding = old.clone();
        let (change, why) = match &it.end {
            Some((resolution, why)) if it.is_over => {
                let Some(why_held) = why_held else {
                    let why = why.clone();
                    return self.record_end(cx, known, old, *resolution, why, Some(status));
                };
                (hold_closing(&mut finding), format!("{HELD} {why}, as do too many: {why_held}"))
            }
            Some(_) => (Change::Unchanged, "no later list shows that it is over".to_owned()),
            None if status.activity == Activity::Unknown && status.is_gone => {
                let is_lost = finding.state == FindingState::Open;
                if is_lost {
                    finding.state = FindingState::NotVisible;
                }
                let change = if is_lost { Change::LostSight } else { Change::Unchanged };
                (change, "the account can neither be seen nor shown to be gone".to_owned())
            }
            None => {
                let why = "too little was seen in this run to say that it is over";
                let is_of_one_run =
                    old.state == FindingState::Pending && old.last_seen_at == old.detected_at;
                let why = match is_of_one_run {
                    true => format!("seen once, at {}; {why}", time(old.detected_at)),
                    false => why.to_owned(),
                };
                (Change::Unchanged, why)
            }
        };
        self.keep(cx, known, finding, change, why, Some(status));
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
        // Frozen or unseen, its deadline passes all the same.
        if let Some(why) = breach(cx, deadline(cx, known, &finding), &mut finding, true) {
            because = format!("{because}; {why}");
            if change == Change::Unchanged {
                change = Change::Worsened;
            }
        }
        self.event(cx, known, &finding, change, &because);
        let mut explanation = status.map(|it| it.explanation.clone()).unwrap_or_default();
        explanation.summary = rule(finding.cause).title.to_owned() + ": as seen in an earlier run.";
        self.records.push(FindingRecord {
            sla: deadline(cx, known, &finding),
            next_action: rule(finding.cause)
                .next(status.is_some_and(|it| it.has_left_elsewhere))
                .to_owned(),
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
        finding.held = None;
        let is_off = matches!(resolution, Resolution::InactiveSeen | Resolution::AbsenceProven);
        let seen_by = status.and_then(|it| cx.app_read_by(&it.looks));
        // What was called a false positive was no exposure that could end.
        if let (true, Some(last)) = (is_off && old.is_live(), finding.exposures.last_mut()) {
            last.first_seen_inactive = last.first_seen_inactive.or(seen_by);
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

pub(crate) fn deadline(
    cx: &Context<'_>,
    known: &Known<'_>,
    finding: &Finding,
) -> Option<SlaResult> {
    if finding.family() != Family::AccessRemains {
        return None;
    }
    let mine = known.waivers.iter().filter(|it| {
        it.fingerprint == finding.fingerprint
            && it.voided_at.is_none()
            && same_employment(it.episode, finding.episode)
    });
    let exceptions: Vec<_> =
        mine.filter_map(|it| Some((it.approved.as_ref()?.at, it.expires_at))).collect();
    Some(sla(cx.policy, finding.cause, &finding.exposures, &exceptions, cx.now))
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
