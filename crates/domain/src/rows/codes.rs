//! The small numbers that stand for names in canonical bytes.
//!
//! A value's code is its place. New values go to the end; nothing is moved or removed.

use crate::{Grant, IdentityKind, Invitation, Lifecycle, List};

/// The lists, each at its code.
pub const LISTS: &[List] = &[
    List::Identities,
    List::Assignments,
    List::Memberships,
    List::Accounts,
    List::NonHumans,
    List::Leavers,
];

pub(super) const KINDS: &[IdentityKind] = &[IdentityKind::Member, IdentityKind::Guest];

pub(super) const LIFECYCLES: &[Lifecycle] = &[
    Lifecycle::Active,
    Lifecycle::Suspended,
    Lifecycle::NotYet,
    Lifecycle::Left,
    Lifecycle::NotStated,
    Lifecycle::Unknown,
];

pub(super) const GRANTS: &[Grant] = &[Grant::Grants, Grant::Denies, Grant::Undecided];

pub(super) const INVITATIONS: &[Invitation] = &[
    Invitation::Pending,
    Invitation::Accepted,
    Invitation::NotStated,
    Invitation::Sent,
    Invitation::NotSent,
];

/// The codes of [`crate::ActiveFlag`], whose fourth state carries a text.
pub(super) mod active {
    pub(in crate::rows) const FALSE: u8 = 0;
    pub(in crate::rows) const TRUE: u8 = 1;
    pub(in crate::rows) const NULL: u8 = 2;
    pub(in crate::rows) const ABSENT: u8 = 3;
    pub(in crate::rows) const UNPARSEABLE: u8 = 4;
}

/// The codes of [`crate::Via`], of which one carries a list.
pub(super) mod via {
    pub(in crate::rows) const DIRECT: u8 = 0;
    pub(in crate::rows) const GROUPS: u8 = 1;
    pub(in crate::rows) const NOT_STATED: u8 = 2;
}

/// The code of `value`: its place in `codes`. A value without a code, which a test rules out,
/// gets one that cannot be read back.
#[must_use]
pub fn code<T: PartialEq>(codes: &[T], value: &T) -> u8 {
    codes.iter().position(|it| it == value).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

/// The value of `code`; `None` when no value has it.
#[must_use]
pub fn value<T: Copy>(codes: &[T], code: i64) -> Option<T> {
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
    }

    #[test]
    fn codes_in_databases_out_there_keep_their_meaning() {
        assert_eq!(code(LISTS, &List::Accounts), 3);
        assert_eq!(code(LIFECYCLES, &Lifecycle::Left), 3);
        assert_eq!(code(INVITATIONS, &Invitation::NotSent), 4);
    }
}
