//! Nodes, edges and keys of the graph. Small: a company of a million has seven million of them.

use std::borrow::Cow;

/// What a node stands for: an index into the list of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A person, by number.
    Person(u32),
    /// An index into [`crate::Estate::identities`].
    Identity(u32),
    /// A group, by number.
    Group(u32),
    /// An index into [`crate::Estate::assignments`].
    Assignment(u32),
    /// An index into the graph's accounts.
    Account(u32),
}

/// How two nodes hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Identity to person.
    Is,
    /// Identity or account to a key it carries.
    Carries,
    /// Assignment to the identity or the group it names.
    Names,
    /// Assignment to a group it comes through.
    Through,
    /// Identity to a group it is a direct member of.
    MemberOf,
    /// Account to its owner, or its presumed or possible one.
    OwnedBy,
}

impl Edge {
    /// Word on a drawing.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::Carries => "carries",
            Self::Names => "assigns",
            Self::Through => "through",
            Self::MemberOf => "member of",
            Self::OwnedBy => "owned by",
        }
    }
}

/// A key by which rows join, in the form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// What kind of key. Keys of different kinds never meet.
    pub kind: KeyKind,
    /// Its value.
    pub value: Cow<'a, str>,
}

/// What kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The app's account id, as an IdP names it.
    AccountId,
    /// What the app's `externalId` carries, compared exactly.
    ExternalId,
    /// Employee number.
    EmployeeNumber,
    /// `userName`, folded.
    UserName,
    /// E-mail address, folded, domain aliases applied.
    Email,
}
