//! Is the account on?

use crate::{Account, ActiveFlag, Invitation, named};

named! {
    /// Whether an account can be used.
    pub enum Activity {
        /// On.
        Active = "active",
        /// Off, seen or known by profile.
        Inactive = "inactive",
        /// An invitation is open.
        Invited = "invited",
        /// Proven not to exist (any more).
        Absent = "absent",
        /// A row without a usable `active`.
        NotStated = "not_stated",
        /// Could not see.
        Unknown = "unknown",
    }
}

impl Activity {
    /// What one row says. An open invitation is no usable account yet, whatever `active` says;
    /// a row that says inactive is inactive, invited or not.
    #[must_use]
    pub const fn of<T, R>(account: &Account<T, R>) -> Self {
        match (&account.active, account.invitation) {
            (ActiveFlag::Set(false), _) => Self::Inactive,
            (_, Invitation::Pending) => Self::Invited,
            (ActiveFlag::Set(true), _) => Self::Active,
            (ActiveFlag::Null | ActiveFlag::Absent | ActiveFlag::Unparseable(_), _) => {
                Self::NotStated
            }
        }
    }
}
