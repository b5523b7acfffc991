//! When a finding is over: only a later look that positively shows it ends one.

use chrono::{DateTime, Utc};
use domain::{Activity, Cause, Family, Finding, LinkKind, Look, Resolution, Right, Tier, Verdict};

use crate::context::Context;
use crate::judge::Status;
use crate::looks::standing_in;

/// Whether the lists that show the end are later than those that showed the finding: the app's
/// own for an account that is off, every list for all other endings. That somebody may use it again, or may
/// not any more, is seen in this run.
pub(crate) fn is_later(
    cx: &Context<'_>,
    old: &Finding,
    status: &Status,
    resolution: Resolution,
) -> bool {
    let seen_on = old.exposures.last().and_then(|it| it.last_seen_active);
    let mine = |it: &&Look| it.stream.system == old.app;
    match resolution {
        Resolution::InactiveSeen | Resolution::AbsenceProven => {
            let before = seen_on.or_else(|| old.looks.iter().filter(mine).map(|it| it.as_of).max());
            account_look(old, status).is_some_and(|it| before.is_none_or(|before| it > before))
        }
        Resolution::Registered | Resolution::Decided => true,
        Resolution::Superseded if standing_in(cx, &status.looks).is_some() => false,
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

/// As of when the list of the app speaks that shows it off.
fn account_look(finding: &Finding, status: &Status) -> Option<DateTime<Utc>> {
    let theirs = status.looks.iter().filter(|it| it.stream.system == finding.app);
    theirs.map(|it| it.as_of).max()
}

/// Why a finding is over, if what was seen shows it positively; `None` when it does not.
pub(crate) fn ending(finding: &Finding, status: &Status) -> Option<(Resolution, String)> {
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
        // Whose it was by HR's list alone, or by no list, was never linked: nobody undid that.
        Family::AccessRemains
            if is_orphan(status)
                && finding.owner.is_some_and(|it| status.not_theirs.contains(&it)) =>
        {
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
        // Of whom one view says nothing, that one may contradict the others as before.
        Family::Sources if finding.cause == Cause::ChannelConflict && !status.is_seen_by_all => {
            None
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
