//! Which keys join what: the operator's knowledge of their own house.

use domain::SystemId;

/// How identities become persons, and accounts find their owners.
#[derive(Clone, Debug, Default)]
pub struct KeyRules {
    /// Keys that make two identities one person.
    pub person_keys: Vec<PersonKey>,
    /// Mail domains that are one: `(alias, canonical)`, lower case.
    pub domain_aliases: Vec<(String, String)>,
    /// What the app's `externalId` carries, for each IdP. Unlisted: [`ExternalIdCarries::IdpId`].
    pub external_id: Vec<(SystemId, ExternalIdCarries)>,
    /// IdPs whose users are all in scope of the app, assigned or not (Entra "Sync all users").
    pub assigns_everyone: Vec<SystemId>,
}

/// A key that makes two identities one person. The same e-mail alone never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonKey {
    /// Employee number.
    EmployeeNumber,
    /// On-premises immutable id.
    ImmutableId,
}

/// What an IdP writes into the app's `externalId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalIdCarries {
    /// The IdP's own user id (Okta; Entra when mapped to `objectId`).
    IdpId,
    /// The part of the user name before the `@` (Entra's default, `mailNickname`).
    MailNickname,
    /// The employee number.
    EmployeeNumber,
    /// Nothing that joins.
    Nothing,
}
