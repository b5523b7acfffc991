//! When a pending finding opens: after a second look at the very claim, and after its grace.

use chrono::TimeDelta;
use domain::{Family, Finding, FindingState, Look, Pass, SystemId};

use crate::context::Context;
use crate::judge::Claim;
use crate::looks::standing_in;
use crate::reconcile::{Known, deadline, time};

/// So long a finding may wait for a second look while its cause changes from run to run, or while the
/// files that show it stay the same. Then it opens as what it is: something has been the matter all
/// the time.
const CHANGING_MAX: TimeDelta = TimeDelta::hours(72);

const MAY_BE_OFF: &str = "one view of the app shows it off, and what another shows was not seen in this run; it opens when a later list shows it on";

/// Whether a pending finding opens now, and why, or why not yet.
pub(crate) fn may_open(
    cx: &Context<'_>,
    known: &Known<'_>,
    old: Option<&Finding>,
    finding: &Finding,
    claim: &Claim,
) -> (bool, String) {
    if cx.policy.is_immediate {
        return (true, "grace and second look are off".to_owned());
    }
    let doubt = in_doubt(claim);
    if !matches!(finding.state, FindingState::Pending | FindingState::Held) {
        return match doubt {
            None => (false, "still seen".to_owned()),
            Some(doubt) => (false, format!("nothing shows that it is over; {doubt}")),
        };
    }
    if known.is_baseline && claim.is_leaver && finding.family() == Family::AccessRemains {
        return (true, "found in the first run: a leaver is open at once".to_owned());
    }
    // Sources that disagree are no leaver yet: that waits for the next full run.
    if let (Some(doubt), Pass::Light, Family::Sources) = (&doubt, cx.pass, finding.family()) {
        return (false, format!("it opens in a full run; {doubt}"));
    }
    let by_id = "asked again by id";
    let seen_twice = match old {
        _ if claim.is_asked_again => Ok(by_id),
        Some(_) if let Some(stream) = standing_in(cx, &claim.looks) => Err(format!(
            "{stream} did not show it in this run; it opens when a later list shows it"
        )),
        Some(_) if claim.may_be_off => Err(MAY_BE_OFF.to_owned()),
        // What was seen before was another claim.
        Some(old)
            if old.is_live()
                && old.cause != claim.cause
                && cx.now - old.detected_at < CHANGING_MAX =>
        {
            Err(format!("seen once as `{}`; before, it was `{}`", claim.cause, old.cause))
        }
        Some(old) if old.is_live() => {
            let may_be_copies = !is_late(cx, known, finding);
            second_look(&old.looks, &claim.looks, may_be_copies)
                .map(|()| "seen again by later lists")
        }
        _ => Err("seen once; it opens when a later list shows it again".to_owned()),
    };
    match seen_twice {
        Err(why) => (false, why),
        Ok(how) if cx.now < finding.grace_until => {
            let seen = if how == by_id { by_id } else { "seen twice" };
            (false, format!("{seen}; in grace until {}", time(finding.grace_until)))
        }
        Ok(how) => {
            let doubt = doubt.map(|it| format!("; {it}")).unwrap_or_default();
            (true, format!("{how}, and grace is over{doubt}"))
        }
    }
}

/// Who might say that it is over, and was not seen whole; `None`: nobody.
fn in_doubt(claim: &Claim) -> Option<String> {
    let unheard: Vec<&str> = claim.unheard.iter().map(SystemId::as_str).collect();
    let systems = unheard.join(" or ");
    (!unheard.is_empty())
        .then(|| format!("they may be with {systems} by now, which was not seen whole"))
}

/// Where nothing changes for days, a new export is no other than the old one: once the deadline is
/// over, somebody has to look, copy or not.
fn is_late(cx: &Context<'_>, known: &Known<'_>, finding: &Finding) -> bool {
    let deadline = deadline(cx, known, finding).and_then(|it| it.deadline_at);
    deadline.map_or(cx.now - finding.detected_at >= CHANGING_MAX, |it| it <= cx.now)
}

/// Every list must have been seen again: later, and where the time is only the file's own and it
/// may be a copy, with other bytes, because copying a file makes it look new.
fn second_look(first: &[Look], now: &[Look], may_be_copies: bool) -> Result<(), String> {
    for look in now {
        let Some(before) = first.iter().find(|it| it.stream == look.stream) else { continue };
        if look.as_of <= before.as_of {
            let since = time(before.as_of);
            return Err(format!(
                "seen once; {} has not been seen again since {since}",
                look.stream
            ));
        }
        if may_be_copies && look.is_assumed && look.body_digest == before.body_digest {
            return Err(format!(
                "seen once; {} is the very same file as before (state its `as_of` if it is a new export)",
                look.stream
            ));
        }
    }
    Ok(())
}
