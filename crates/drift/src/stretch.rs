//! Stretches of exposure: how a look lengthens the last one, or begins the next.

use chrono::{DateTime, Utc};
use domain::{Cause, Exposure, Family, Finding, Interval, Look};

use crate::context::Context;
use crate::judge::Claim;
use crate::sla::started;

/// Adds this look to the exposure, or begins a new stretch: after one that ended, and after a
/// time in which the access was right, or may have been: true where that was between two looks.
pub(crate) fn expose(
    cx: &Context<'_>,
    finding: &mut Finding,
    claim: &Claim,
    (is_back, claimed_at): (bool, DateTime<Utc>),
) -> bool {
    if finding.family() != Family::AccessRemains {
        return false;
    }
    let Some(seen_at) = claim.seen_active_at else { return false };
    // What was seen last stands in for a list that could not be read. It does not show that the
    // right was still over when the account was seen on. Nor does one that does not have them. Nor does
    // one view show that of an account that may be somebody else's by another.
    let is_new = |it: &Look| cx.past.looked_at.get(&it.stream).is_none_or(|at| it.as_of > *at);
    let is_over = claim.is_owner_seen && claim.unheard.is_empty() && claim.looks.iter().all(is_new);
    let last_seen_active = is_over.then_some(seen_at);
    // Without a date, the right had ended when both sides had been looked at.
    let looked_at = claim.looks.iter().map(|it| cx.look_read_by(it)).max().max(Some(seen_at));
    let told = started(cx.policy, &claim.starts, looked_at);
    let mut begun = Interval { latest: told.latest.or(looked_at), ..told };
    // Before it was made it was not on. The app may be wrong about that, so it ends no doubt.
    if let Some(made_at) = claim.made_at.filter(|it| *it <= seen_at) {
        begun.latest = begun.latest.map(|it| it.max(made_at));
    }
    let was_running =
        finding.exposures.last().is_some_and(|it| it.first_seen_inactive.is_none()) && !is_back;
    match finding.exposures.last_mut() {
        Some(last) if was_running && !begins_later(cx, last, claim, (told, claimed_at)) => {
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
                let seen_by = cx.app_read_by(&claim.looks).unwrap_or(seen_at);
                begun.latest = begun
                    .latest
                    .filter(|it| *it >= off)
                    .map_or(Some(seen_by), |it| Some(it.min(seen_by)));
            }
            finding.exposures.push(Exposure {
                started: begun,
                last_seen_active,
                first_seen_inactive: None,
            });
            // Where nobody says since when, grace goes on from before.
            was_running && !(claim.is_of_several && told.latest.is_none())
        }
    }
}

/// Whether the right ended only after the stretch was seen last, so that it was in force again in
/// between; or may have: the account of several possible owners may by now be that of somebody who
/// left later. Who tells when an account was switched on again tells nothing of rights; nor does a
/// source whose clock is ahead, and which tells again of the very end with which the stretch began.
fn begins_later(
    cx: &Context<'_>,
    stretch: &Exposure,
    claim: &Claim,
    (told, claimed_at): (Interval, DateTime<Utc>),
) -> bool {
    let Some(seen) = stretch.last_seen_active.filter(|_| claim.cause != Cause::Reactivated) else {
        return false;
    };
    let at_the_earliest = match (claim.is_of_several, told.latest) {
        // Nobody says when the last of them lost the right: by the run that claimed it last, where
        // nothing was looked at since.
        (true, None) => {
            let is_newest =
                |it: &Look| cx.past.looked_at.get(&it.stream).is_none_or(|at| *at <= claimed_at);
            return !claim.looks.iter().all(is_newest);
        }
        (true, latest) => latest,
        (false, _) => told.earliest,
    };
    let is_of_another_end = |at| stretch.started.latest.is_none_or(|begun| at > begun);
    at_the_earliest.is_some_and(|it| it > seen && is_of_another_end(it))
}
