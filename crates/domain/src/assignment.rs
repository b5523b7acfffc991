//! An identity may use an app, directly or through a group.

use chrono::{DateTime, Utc};

use crate::{Raw, Text, named};

/// One row of an IdP's assignment list for one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Who is assigned.
    pub principal: Principal,
    /// How the grant comes about.
    pub via: Via,
    /// What `raw_status` means.
    pub grant: Grant,
    /// The status as the source wrote it; `None` when it wrote none.
    pub raw_status: Option<Raw>,
    /// The account's id in the app as the IdP knows it (Okta app user `externalId`).
    pub account_id: Option<Text>,
    /// The `userName` that the IdP sends to the app; `None` means the identity's own.
    pub user_name: Option<Text>,
    /// When the source says the grant last changed: given, or taken when it denies.
    pub changed_at: Option<DateTime<Utc>>,
}

/// Whom an assignment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// One identity, by its id.
    Identity(Text),
    /// A group: its direct members are assigned (Entra never cascades to nested groups).
    Group(Text),
}

/// How a grant comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// By hand, to this identity.
    Direct,
    /// Through these groups. Empty: through a group that the source does not name.
    Groups(Vec<GroupRef>),
    /// The source does not say.
    NotStated,
}

/// A group, by id and, where known, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRef {
    /// The source's id.
    pub id: Text,
    /// What people call it; `None` when the source does not say.
    pub name: Option<Text>,
}

/// One direct member of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group's id.
    pub group: Text,
    /// The member: an identity, or a nested group, which grants nothing.
    pub member: Principal,
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
