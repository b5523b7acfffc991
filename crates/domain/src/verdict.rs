//! What is concluded of one person and account.

use crate::Cause;

/// The conclusion for one (person, account), or for a person without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Entitled, linked, active.
    Confirmed,
    /// Leaver, expired or unassigned, and seen inactive or proven absent.
    ConfirmedOffboarded,
    /// Nobody's and off, or not entitled and without an account.
    NoAccount,
    /// Registered as non-human, or waived.
    Exempt,
    /// Staged, unactivated, or the start is ahead.
    NotYet,
    /// Too little was seen to say.
    Indeterminate,
    /// The app and the IdP disagree.
    Drift(Cause),
}

impl Verdict {
    /// The stable name: the cause's own for drift.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::ConfirmedOffboarded => "confirmed_offboarded",
            Self::NoAccount => "no_account",
            Self::Exempt => "exempt",
            Self::NotYet => "not_yet",
            Self::Indeterminate => "indeterminate",
            Self::Drift(cause) => cause.name(),
        }
    }

    /// The verdict of that name; `None` for any other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Confirmed,
            Self::ConfirmedOffboarded,
            Self::NoAccount,
            Self::Exempt,
            Self::NotYet,
            Self::Indeterminate,
        ]
        .into_iter()
        .find(|it| it.name() == name)
        .or_else(|| Cause::parse(name).map(Self::Drift))
    }
}
