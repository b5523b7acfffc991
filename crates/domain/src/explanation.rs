//! Why Driftline says what it says: a value, so that every page prints the same one.

use chrono::{DateTime, Utc};

use crate::Tier;

/// The reasons behind one verdict or finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// One or two sentences for a reader in a hurry.
    pub summary: String,
    /// What was seen, where, and when.
    pub facts: Vec<Fact>,
    /// Which keys were tried, strongest first, and what each gave.
    pub trials: Vec<KeyTrial>,
    /// What is claimed from not seeing something, and the list it rests on.
    pub absences: Vec<String>,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What the row says, in words, with the raw values in backquotes.
    pub text: String,
    /// Where: system, list, and the row in it (`okta users, users.csv line 12`).
    pub source: String,
    /// As of when.
    pub at: DateTime<Utc>,
}

/// One key that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTrial {
    /// Which key.
    pub tier: Tier,
    /// Its value, as compared.
    pub value: String,
    /// What it gave.
    pub outcome: TrialOutcome,
}

/// What a key gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialOutcome {
    /// It decided: this identity (by key, `okta/00u1`).
    Decided(String),
    /// It names the same owner as a stronger key.
    Agrees(String),
    /// It was rejected, and why.
    Rejected(String),
    /// It matched nobody.
    NoMatch,
    /// The account or the identity does not carry it.
    NotStated,
}
