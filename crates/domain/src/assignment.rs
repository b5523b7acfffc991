//! An identity may use an app, directly or through a group.

use chrono::{DateTime, Utc};

use crate::{Raw, Text, named};

/// One row of an IdP's assignment list for one app. `T` are its texts, `R` its words of few kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<T = Text, R = Raw> {
    /// Who is assigned.
    pub principal: Principal<T>,
    /// How the grant comes about.
    pub via: Via<T>,
    /// What `raw_status` means.
    pub grant: Grant,
    /// The status as the source wrote it; `None` when it wrote none.
    pub raw_status: Option<R>,
    /// The account's id in the app as the IdP knows it (Okta app user `externalId`).
    pub account_id: Option<T>,
    /// The `userName` that the IdP sends to the app; `None` means the identity's own.
    pub user_name: Option<T>,
    /// When the source says the grant last changed: given, or taken when it denies.
    pub changed_at: Option<DateTime<Utc>>,
}

/// Whom an assignment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<T = Text> {
    /// One identity, by its id.
    Identity(T),
    /// A group: its direct members are assigned (Entra never cascades to nested groups).
    Group(T),
}

impl<T: AsRef<str>> Principal<T> {
    /// With its text borrowed.
    #[must_use]
    pub fn as_ref(&self) -> Principal<&str> {
        match self {
            Self::Identity(id) => Principal::Identity(id.as_ref()),
            Self::Group(id) => Principal::Group(id.as_ref()),
        }
    }
}

/// How a grant comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via<T = Text> {
    /// By hand, to this identity.
    Direct,
    /// Through these groups. Empty: through a group that the source does not name.
    Groups(Vec<GroupRef<T>>),
    /// The source does not say.
    NotStated,
}

/// A group, by id and, where known, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRef<T = Text> {
    /// The source's id.
    pub id: T,
    /// What people call it; `None` when the source does not say.
    pub name: Option<T>,
}

/// One direct member of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership<T = Text> {
    /// The group's id.
    pub group: T,
    /// The member: an identity, or a nested group, which grants nothing.
    pub member: Principal<T>,
}

named! {
    /// What an assignment row says about access.
    pub enum Grant {
        /// Should have access.
        Grants = "grants",
        /// Should not (any more).
        Denies = "denies",
        /// The source has not decided, or says something that no mapping knows.
        Undecided = "undecided",
    }
}
