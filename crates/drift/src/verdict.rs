//! The verdict: a total function of right, activity and link, without a wildcard.
//!
//! What the axes mean where there is no single owner:
//! - `Ambiguous`, `Conflict`: the right is the one that *all* possible owners share, else `Unknown`.
//! - `None`: `SourceGone` when the account's `externalId` names somebody unknown in a complete
//!   list, `Unassigned` when every list is whole and knows no owner, else `Unknown`. For a person
//!   without an account the right is the person's, and the activity `Absent` or `Unknown`.

use domain::{Activity, Cause, LinkKind, Right, Verdict};

/// Judges one (person, account), or a person without an account.
#[must_use]
pub fn verdict(right: Right, activity: Activity, link: LinkKind) -> Verdict {
    match link {
        LinkKind::Linked => linked(right, activity),
        LinkKind::Candidate => candidate(right, activity),
        LinkKind::Ambiguous => uncertain(right, activity, Cause::AmbiguousLink),
        LinkKind::Conflict => uncertain(right, activity, Cause::LinkConflict),
        LinkKind::None => ownerless(right, activity),
    }
}

#[rustfmt::skip]
const fn linked(right: Right, activity: Activity) -> Verdict {
    use Activity as A;
    use Right as R;
    use Verdict::{Confirmed, ConfirmedOffboarded, Drift, Indeterminate, NotYet};
    match (right, activity) {
        (R::Entitled,   A::Active)    => Confirmed,
        (R::Entitled,   A::Inactive)  => Drift(Cause::DisabledEntitled),
        (R::Entitled,   A::Invited)   => NotYet,
        (R::Entitled,   A::Absent)    => Drift(Cause::Vanished),
        (R::Entitled,   A::NotStated | A::Unknown) => Indeterminate,

        (R::Leaver,     A::Active)    => Drift(Cause::LeaverActive),
        (R::Leaver,     A::NotStated) => Drift(Cause::LeaverListed),
        (R::Expired,    A::Active)    => Drift(Cause::ExternalExpired),
        (R::Unassigned, A::Active)    => Drift(Cause::UnassignedActive),
        (R::SourceGone, A::Active)    => Drift(Cause::SourceGoneActive),
        (R::Leaver | R::Expired | R::Unassigned | R::SourceGone, A::Inactive | A::Absent) => ConfirmedOffboarded,
        (R::Leaver | R::Expired | R::Unassigned | R::SourceGone, A::Invited) => Drift(Cause::AccessInvited),
        (R::Leaver,     A::Unknown)   => Indeterminate,
        (R::Expired | R::Unassigned | R::SourceGone, A::NotStated | A::Unknown) => Indeterminate,

        (R::Suspended,  A::Active)    => Drift(Cause::SuspendedActive),
        (R::Suspended,  A::Invited)   => Drift(Cause::AccessInvited),
        (R::Suspended,  A::Inactive | A::Absent) => NotYet,
        (R::Suspended,  A::NotStated | A::Unknown) => Indeterminate,

        (R::NotYet,     A::Active | A::Inactive | A::Invited | A::Absent | A::NotStated | A::Unknown) => NotYet,
        (R::Unknown,    A::Active | A::Inactive | A::Invited | A::Absent | A::NotStated | A::Unknown) => Indeterminate,
    }
}

/// One weak match that may not be the only one. It counts as a possible owner: a leaver is not
/// hidden, and nothing else is claimed of it.
#[rustfmt::skip]
const fn candidate(right: Right, activity: Activity) -> Verdict {
    use Activity as A;
    use Right as R;
    use Verdict::{Drift, Indeterminate};
    match (right, activity) {
        (R::Leaver,  A::Active)    => Drift(Cause::LeaverActive),
        (R::Leaver,  A::NotStated) => Drift(Cause::LeaverListed),
        (R::Expired, A::Active)    => Drift(Cause::ExternalExpired),
        (R::Leaver,  A::Inactive | A::Invited | A::Absent | A::Unknown) => Indeterminate,
        (R::Expired, A::Inactive | A::Invited | A::Absent | A::NotStated | A::Unknown) => Indeterminate,
        (R::Entitled | R::Unassigned | R::Suspended | R::NotYet | R::SourceGone | R::Unknown,
         A::Active | A::Inactive | A::Invited | A::Absent | A::NotStated | A::Unknown) => Indeterminate,
    }
}

/// Several possible owners, or keys that disagree. What holds for all of them holds; an account
/// that is off harms nobody; everything else is the link's own finding.
#[rustfmt::skip]
const fn uncertain(right: Right, activity: Activity, trouble: Cause) -> Verdict {
    use Activity as A;
    use Right as R;
    use Verdict::{ConfirmedOffboarded, Drift, Indeterminate};
    match (right, activity) {
        (R::Leaver,     A::Active)    => Drift(Cause::LeaverActive),
        (R::Leaver,     A::NotStated) => Drift(Cause::LeaverListed),
        (R::Expired,    A::Active)    => Drift(Cause::ExternalExpired),
        (R::Leaver | R::Expired | R::Unassigned | R::SourceGone, A::Inactive | A::Absent) => ConfirmedOffboarded,
        (R::Entitled | R::Suspended | R::NotYet | R::Unknown,    A::Inactive | A::Absent) => Indeterminate,
        (R::Unassigned | R::Suspended | R::SourceGone | R::Entitled | R::NotYet | R::Unknown, A::Active | A::NotStated) => Drift(trouble),
        (R::Expired,    A::NotStated) => Drift(trouble),
        (R::Entitled | R::Leaver | R::Expired | R::Unassigned | R::Suspended | R::NotYet | R::SourceGone | R::Unknown,
         A::Invited)   => Drift(trouble),
        (R::Entitled | R::Leaver | R::Expired | R::Unassigned | R::Suspended | R::NotYet | R::SourceGone | R::Unknown,
         A::Unknown)   => Indeterminate,
    }
}

#[rustfmt::skip]
const fn ownerless(right: Right, activity: Activity) -> Verdict {
    use Activity as A;
    use Right as R;
    use Verdict::{Drift, Indeterminate, NoAccount, NotYet};
    match (right, activity) {
        // An account.
        (R::Unassigned, A::Active)  => Drift(Cause::OrphanActive),
        (R::SourceGone, A::Active)  => Drift(Cause::SourceGoneActive),
        (R::Unassigned | R::SourceGone, A::Invited)   => Drift(Cause::AccessInvited),
        (R::Unassigned | R::SourceGone, A::NotStated) => Indeterminate,
        (R::Unknown,    A::Active | A::Invited | A::NotStated) => Indeterminate,
        // An account that is off, or a person who has none.
        (R::Entitled,   A::Absent)  => Drift(Cause::NotProvisioned),
        (R::NotYet,     A::Absent)  => NotYet,
        (R::Leaver | R::Expired | R::Unassigned | R::Suspended | R::SourceGone, A::Absent) => NoAccount,
        (R::Unassigned | R::SourceGone | R::Unknown, A::Inactive) => NoAccount,
        (R::Unknown,    A::Absent)  => Indeterminate,
        // Not seen.
        (R::Entitled | R::Leaver | R::Expired | R::Unassigned | R::Suspended | R::NotYet | R::SourceGone | R::Unknown,
         A::Unknown) => Indeterminate,
        // A person's right beside an account's activity: an account without an owner has no such right.
        (R::Entitled | R::Leaver | R::Expired | R::Suspended | R::NotYet,
         A::Active | A::Inactive | A::Invited | A::NotStated) => Indeterminate,
    }
}
