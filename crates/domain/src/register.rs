//! What an operator or HR states in a file: non-human accounts, and who leaves.

use chrono::{DateTime, Utc};

use crate::Text;

/// An account that belongs to a program or a shared purpose, not to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonHuman<T = Text> {
    /// The account's id, `userName` or address in the app.
    pub account: T,
    /// Who answers for it: an e-mail address, login or id of a person. `None`: nobody.
    pub owner: Option<T>,
    /// What it is for.
    pub purpose: Option<T>,
    /// When the owner must confirm it again; `None` when no date was given.
    pub attest_by: Option<DateTime<Utc>>,
}

/// One leaver as HR states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HrLeaver<T = Text> {
    /// Employee number, or where HR gives none, the address: the row's key.
    pub id: T,
    /// Employee number, the key that joins to identities.
    pub employee_number: Option<T>,
    /// E-mail address.
    pub email: Option<T>,
    /// What people call them. Never a key.
    pub display_name: Option<T>,
    /// The instant the employment ends (a date counts to its end, in its zone).
    pub left_at: DateTime<Utc>,
    /// HR's word for it.
    pub reason: Option<T>,
}
