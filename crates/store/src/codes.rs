//! The small numbers that stand for names in the big tables. Those of rows are in `domain`.
//!
//! A value's code is its place. New values go to the end; nothing is moved or removed.

pub(crate) use domain::rows::codes::{code, value};
use domain::{Cause, Tier, Verdict};

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
        assert_eq!(code(TIERS, &Tier::ExternalId), 2);
    }
}
