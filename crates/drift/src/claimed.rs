//! What this run claims, set beside the findings that are known; and those that nothing claims.

use domain::{Cause, Direction, Family, Finding, FindingState, Fingerprint, Resolution, Subject};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::Context;
use crate::ending::{ending, is_later};
use crate::fingerprint::fingerprint;
use crate::judge::{Claim, Judgement, Status};
use crate::reconcile::Known;

/// What is claimed of one finding, and the finding as it was; `None`: there is none yet, or it
/// belongs to an employment before this one.
pub(crate) struct Claimed<'a> {
    pub(crate) print: Fingerprint,
    pub(crate) claims: Vec<&'a Claim>,
    pub(crate) lead: &'a Claim,
    pub(crate) old: Option<&'a Finding>,
    /// The living finding of an employment before, which ends here.
    pub(crate) before: Option<&'a Finding>,
}

/// A finding that nothing claims and that is not over yet, and how its subject stands. One that was
/// called a false positive is among them only where its facts are over: what comes after is another
/// matter.
pub(crate) struct Unclaimed<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) status: Option<&'a Status>,
    /// Why it is over; `None`: nothing shows that it is.
    pub(crate) end: Option<(Resolution, String)>,
    /// A later look shows that it is over.
    pub(crate) is_over: bool,
}

pub(crate) fn claimed<'a>(
    cx: &Context<'_>,
    judgement: &'a Judgement,
    known: &Known<'a>,
) -> Vec<Claimed<'a>> {
    let before: FxHashMap<Fingerprint, &Finding> =
        known.findings.iter().map(|it| (it.fingerprint, it)).collect();
    let mut all = Vec::new();
    for (print, claims) in by_fingerprint(cx, judgement, known.key, &before) {
        let Some(lead) = claims.first().copied() else { continue };
        let known = before.get(&print).copied();
        let (old, earlier) = match known {
            Some(it) if same_employment(it.episode, lead.episode) => (Some(it), None),
            other => (None, other.filter(|it| it.is_live())),
        };
        all.push(Claimed { print, claims, lead, old, before: earlier });
    }
    all
}

pub(crate) fn unclaimed<'a>(
    cx: &Context<'_>,
    judgement: &'a Judgement,
    known: &Known<'a>,
    claimed: &[Claimed<'a>],
) -> Vec<Unclaimed<'a>> {
    let prints: FxHashSet<Fingerprint> = claimed.iter().map(|it| it.print).collect();
    let begun = known.findings.iter().filter(|it| it.state != FindingState::Resolved);
    let others = begun.filter(|it| !prints.contains(&it.fingerprint));
    others
        .map(|finding| {
            let status = judgement.statuses.get(&finding.subject.entity);
            let end = status.and_then(|it| ending(finding, it));
            let shown = end.as_ref().zip(status);
            let is_over = shown.is_some_and(|(it, status)| is_later(cx, finding, status, it.0));
            Unclaimed { finding, status, end, is_over }
        })
        .filter(|it| it.finding.is_live() || it.is_over)
        .collect()
}

impl Claimed<'_> {
    /// A claim from absence that no earlier run let through: the guard counts it.
    pub(crate) fn opens_in_a_mass(&self, known: &Known<'_>) -> bool {
        let is_new = self.old.is_none_or(|it| match it.state {
            FindingState::Resolved => true,
            FindingState::FalsePositive => !is_still_false(it, self.lead),
            _ => it.held == Some(Direction::Openings),
        });
        self.lead.is_from_absence
            && is_new
            && self.old.is_none_or(|it| !known.released.contains(&it.id))
    }
}

impl Unclaimed<'_> {
    /// A closing on what lists show: the guard counts it. Not where something was not seen once and
    /// never opened: that a later list shows it is what was waited for.
    pub(crate) fn closes_in_a_mass(&self, known: &Known<'_>) -> bool {
        let is_by_people = |it: &(Resolution, String)| {
            matches!(it.0, Resolution::Decided | Resolution::Registered)
        };
        self.is_over
            && self.finding.is_live()
            && !self.end.as_ref().is_some_and(is_by_people)
            && (self.finding.opened_at.is_some() || !may_rest_on_absence(self.finding.cause))
            && !known.released.contains(&self.finding.id)
    }
}

/// Whether not seeing something may be why there is a finding of this cause.
const fn may_rest_on_absence(cause: Cause) -> bool {
    matches!(cause.family(), Family::Orphan | Family::AccessMissing)
        || matches!(cause, Cause::UnassignedActive | Cause::SourceGoneActive)
}

/// One finding per account and family, by whichever of its rows it began: the gravest claim leads,
/// the others stand beside it.
fn by_fingerprint<'j>(
    cx: &Context<'_>,
    judgement: &'j Judgement,
    key: &[u8; 32],
    before: &FxHashMap<Fingerprint, &Finding>,
) -> Vec<(Fingerprint, Vec<&'j Claim>)> {
    let mut order: Vec<(Fingerprint, Vec<&Claim>)> = Vec::new();
    let mut at: FxHashMap<Fingerprint, usize> = FxHashMap::default();
    for claim in &judgement.claims {
        let print_of = |subject: &Subject, has_id| {
            fingerprint(key, &cx.rules.app, subject, has_id, claim.cause.family())
        };
        let own = print_of(&claim.subject, claim.has_id);
        let others = claim.also.iter().map(|(subject, has_id)| print_of(subject, *has_id));
        let print = taken_up(claim, own, others, before);
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

/// The fingerprint that a claim goes on with: of its leading row, unless a finding of this employment
/// is about another row of the account. One that lives goes before one that is over.
fn taken_up(
    claim: &Claim,
    own: Fingerprint,
    others: impl Iterator<Item = Fingerprint>,
    before: &FxHashMap<Fingerprint, &Finding>,
) -> Fingerprint {
    let is_mine = |it: &&Finding| same_employment(it.episode, claim.episode);
    let of_others = others.filter_map(|it| before.get(&it).copied().filter(is_mine));
    let known = before.get(&own).copied().into_iter().chain(of_others);
    let taken_up = known.min_by_key(|it| !it.is_live());
    taken_up.map_or(own, |it| it.fingerprint)
}

/// 0 is "no single owner": it contradicts no employment.
pub(crate) const fn same_employment(one: u32, other: u32) -> bool {
    one == other || one == 0 || other == 0
}

/// Called a false positive, and nothing has changed since: neither the cause, nor whose it is, nor how
/// grave it is.
pub(crate) fn is_still_false(old: &Finding, claim: &Claim) -> bool {
    old.state == FindingState::FalsePositive
        && old.cause == claim.cause
        && old.severity >= claim.severity
        && !is_anothers(old, claim)
}

/// Whether the account was shown as one person's, and is shown as another's now.
pub(crate) fn is_anothers(old: &Finding, claim: &Claim) -> bool {
    !claim.owners.is_empty() && old.owner.is_some_and(|it| !claim.owners.contains(&it))
}
