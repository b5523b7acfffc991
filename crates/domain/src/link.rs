//! Whose account is it, and how do we know?

use std::borrow::Cow;
use std::slice;

use crate::named;

named! {
    /// The key that joined an account to an identity, strongest first.
    pub enum Tier {
        /// A person's decision, final.
        Operator = "operator",
        /// The IdP names the account's id (Okta app user `externalId`).
        AccountId = "account_id",
        /// The account's `externalId` is the IdP's user id.
        ExternalId = "external_id",
        /// The same employee number.
        EmployeeNumber = "employee_number",
        /// The same `userName`, case-folded.
        UserName = "user_name",
        /// The same primary address, case-folded, domain aliases applied.
        Email = "email",
    }
}

impl Tier {
    /// Returns true for keys that neither people nor mail systems re-use.
    #[must_use]
    pub const fn is_strong(self) -> bool {
        match self {
            Self::Operator | Self::AccountId | Self::ExternalId | Self::EmployeeNumber => true,
            Self::UserName | Self::Email => false,
        }
    }

    /// What a person calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Operator => "decision of an operator",
            Self::AccountId => "account id named by the identity provider",
            Self::ExternalId => "externalId",
            Self::EmployeeNumber => "employee number",
            Self::UserName => "userName",
            Self::Email => "e-mail address",
        }
    }
}

named! {
    /// Whose account is it? The link without its owners, as the verdict sees it.
    pub enum LinkKind {
        /// One owner, by a key that decides.
        Linked = "linked",
        /// One weak match that could not be shown to be the only one.
        Candidate = "candidate",
        /// Several possible owners.
        Ambiguous = "ambiguous",
        /// Keys disagree; the stronger owner is presumed.
        Conflict = "conflict",
        /// Nobody.
        None = "none",
    }
}

/// Whose account is it? Owners are indices into the identities of one graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// One owner, by a key that decides.
    Linked {
        /// The owner.
        identity: usize,
        /// The key that says so.
        tier: Tier,
    },
    /// One weak match that could not be shown to be the only one.
    Candidate {
        /// The possible owner.
        identity: usize,
        /// The weak key.
        tier: Tier,
    },
    /// Several possible owners.
    Ambiguous {
        /// At least two, in order.
        identities: Vec<usize>,
        /// The key they share.
        tier: Tier,
    },
    /// Keys disagree.
    Conflict {
        /// Whom the stronger key names; `None` when it names somebody unknown there.
        presumed: Option<usize>,
        /// The stronger key.
        tier: Tier,
        /// Whom weaker keys name instead, in order.
        others: Vec<usize>,
    },
    /// Nobody.
    None,
}

impl Link {
    /// The link without its owners.
    #[must_use]
    pub const fn kind(&self) -> LinkKind {
        match self {
            Self::Linked { .. } => LinkKind::Linked,
            Self::Candidate { .. } => LinkKind::Candidate,
            Self::Ambiguous { .. } => LinkKind::Ambiguous,
            Self::Conflict { .. } => LinkKind::Conflict,
            Self::None => LinkKind::None,
        }
    }

    /// The owner, or the presumed one; `None` where several or none are possible.
    #[must_use]
    pub const fn owner(&self) -> Option<usize> {
        match self {
            Self::Linked { identity, .. } | Self::Candidate { identity, .. } => Some(*identity),
            Self::Conflict { presumed, .. } => *presumed,
            Self::Ambiguous { .. } | Self::None => None,
        }
    }

    /// Everyone who may be the owner.
    #[must_use]
    pub fn contenders(&self) -> Cow<'_, [usize]> {
        match self {
            Self::Linked { identity, .. } | Self::Candidate { identity, .. } => {
                slice::from_ref(identity).into()
            }
            Self::Ambiguous { identities, .. } => identities.into(),
            Self::Conflict { presumed, others, .. } => {
                presumed.iter().chain(others).copied().collect()
            }
            Self::None => Cow::default(),
        }
    }
}
