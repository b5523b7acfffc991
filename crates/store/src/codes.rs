//! The small numbers that stand for names in the big tables and in row hashes.
//!
//! A value's code is its place. New values go to the end; nothing is moved or removed.

use domain::{Cause, Grant, IdentityKind, Invitation, Lifecycle, List, Tier, Verdict};

pub(crate) const LISTS: &[List] = &[
    List::Identities,
    List::Assignments,
    List::Memberships,
    List::Accounts,
    List::NonHumans,
    List::Leavers,
];

pub(crate) const KINDS: &[IdentityKind] = &[IdentityKind::Member, IdentityKind::Guest];

pub(crate) const LIFECYCLES: &[Lifecycle] = &[
    Lifecycle::Active,
    Lifecycle::Suspended,
    Lifecycle::NotYet,
    Lifecycle::Left,
    Lifecycle::NotStated,
    Lifecycle::Unknown,
];

pub(crate) const GRANTS: &[Grant] = &[Grant::Grants, Grant::Denies, Grant::Undecided];

pub(crate) const INVITATIONS: &[Invitation] = &[
    Invitation::Pending,
    Invitation::Accepted,
    Invitation::NotStated,
    Invitation::Sent,
    Invitation::NotSent,
];

pub(crate) const TIERS: &[Tier] = &[
    Tier::Operator,
    Tier::AccountId,
    Tier::ExternalId,
    Tier::EmployeeNumber,
    Tier::UserName,
    Tier::Email,
];

pub(crate) const VERDICTS: &[Verdict] = &[
    Verdict::Confirmed,
    Verdict::ConfirmedOffboarded,
    Verdict::NoAccount,
    Verdict::Exempt,
    Verdict::NotYet,
    Verdict::Indeterminate,
    Verdict::Drift(Cause::LeaverActive),
    Verdict::Drift(Cause::Reactivated),
    Verdict::Drift(Cause::SourceGoneActive),
    Verdict::Drift(Cause::ExternalExpired),
    Verdict::Drift(Cause::UnassignedActive),
    Verdict::Drift(Cause::SuspendedActive),
    Verdict::Drift(Cause::LeaverListed),
    Verdict::Drift(Cause::AccessInvited),
    Verdict::Drift(Cause::OrphanActive),
    Verdict::Drift(Cause::DisabledEntitled),
    Verdict::Drift(Cause::Vanished),
    Verdict::Drift(Cause::NotProvisioned),
    Verdict::Drift(Cause::LinkConflict),
    Verdict::Drift(Cause::AmbiguousLink),
    Verdict::Drift(Cause::DuplicateAccount),
    Verdict::Drift(Cause::SourcesDisagree),
    Verdict::Drift(Cause::ChannelConflict),
    Verdict::Drift(Cause::OwnerLeft),
    Verdict::Drift(Cause::NonhumanUnowned),
    Verdict::Drift(Cause::ResidualEntitlement),
    Verdict::Drift(Cause::IdentifierDrift),
];

/// The codes of [`domain::ActiveFlag`], whose fourth state carries a text.
pub(crate) mod active {
    pub(crate) const FALSE: u8 = 0;
    pub(crate) const TRUE: u8 = 1;
    pub(crate) const NULL: u8 = 2;
    pub(crate) const ABSENT: u8 = 3;
    pub(crate) const UNPARSEABLE: u8 = 4;
}

/// The codes of [`domain::Via`], of which one carries a list.
pub(crate) mod via {
    pub(crate) const DIRECT: u8 = 0;
    pub(crate) const GROUPS: u8 = 1;
    pub(crate) const NOT_STATED: u8 = 2;
}

/// The code of `value`: its place in `codes`. A value without a code, which a test rules out,
/// gets one that cannot be read back.
pub(crate) fn code<T: PartialEq>(codes: &[T], value: &T) -> u8 {
    codes.iter().position(|it| it == value).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

/// The value of `code`; `None` when no value has it.
pub(crate) fn value<T: Copy>(codes: &[T], code: i64) -> Option<T> {
    codes.get(usize::try_from(code).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_code() {
        fn all_in<T: PartialEq + Copy + std::fmt::Debug>(all: &[T], codes: &[T]) {
            assert_eq!(all.len(), codes.len(), "{all:?}");
            for it in all {
                assert_eq!(value(codes, i64::from(code(codes, it))), Some(*it));
            }
        }
        all_in(List::ALL, LISTS);
        all_in(IdentityKind::ALL, KINDS);
        all_in(Lifecycle::ALL, LIFECYCLES);
        all_in(Grant::ALL, GRANTS);
        all_in(Invitation::ALL, INVITATIONS);
        all_in(Tier::ALL, TIERS);
        for cause in Cause::ALL {
            assert!(VERDICTS.contains(&Verdict::Drift(*cause)), "{cause}");
        }
        assert_eq!(VERDICTS.len(), Cause::ALL.len() + 6);
    }

    #[test]
    fn codes_in_databases_out_there_keep_their_meaning() {
        let named: Vec<String> =
            VERDICTS.iter().enumerate().map(|(code, it)| format!("{code} {}", it.name())).collect();
        assert_eq!(named[0], "0 confirmed");
        assert_eq!(named[6], "6 leaver_active");
        assert_eq!(named[14], "14 orphan_active");
        assert_eq!(named[26], "26 identifier_drift");
        assert_eq!(code(LIFECYCLES, &Lifecycle::Left), 3);
        assert_eq!(code(TIERS, &Tier::ExternalId), 2);
    }
}
