//! What the guard holds, and what people release.

use chrono::{DateTime, Utc};

use crate::{Digest, FindingId, Fingerprint, Signature, Stream, SystemId, named};

named! {
    /// Which way findings change in a mass.
    pub enum Direction {
        /// They would open on not seeing something.
        Openings = "openings",
        /// They would close.
        Closings = "closings",
    }
}

/// How many findings of one app one run let change. What a person released is not counted: it says
/// nothing of what is usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The app.
    pub app: SystemId,
    /// The time of the run.
    pub at: DateTime<Utc>,
    /// New claims from absence.
    pub n_openings: u64,
    /// Findings that closed.
    pub n_closings: u64,
}

impl Changes {
    /// How many in one direction.
    #[must_use]
    pub const fn count(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Openings => self.n_openings,
            Direction::Closings => self.n_closings,
        }
    }
}

/// Changes of one app that the guard does not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The app.
    pub app: SystemId,
    /// Which way.
    pub direction: Direction,
    /// How many findings are held.
    pub n: u64,
    /// SHA-256 over app, direction and the fingerprints of what is held: a release names it, and
    /// lets through nothing else.
    pub digest: Digest,
    /// How many would be let through, and why these are too many; empty where only the past is
    /// looked at.
    pub because: String,
}

impl Hold {
    /// What the digest of a hold is over: app, direction and the fingerprints of what is held, in
    /// any order.
    #[must_use]
    pub fn digested(app: &SystemId, direction: Direction, mut held: Vec<Fingerprint>) -> Vec<u8> {
        held.sort_unstable();
        let names = [app.as_str(), direction.name()];
        let mut bytes = Vec::new();
        names.iter().for_each(|it| bytes.extend(it.bytes().chain([0])));
        held.iter().for_each(|it| bytes.extend(it.0));
        bytes
    }
}

/// What a release is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// A list whose absences shall count, although rows are missing.
    List {
        /// Which list.
        stream: Stream,
        /// It had so many rows: one with fewer needs a new release.
        n_rows: u64,
    },
    /// Findings of an app that shall change.
    Changes {
        /// The app.
        app: SystemId,
        /// Which way.
        direction: Direction,
        /// Which findings, in order. No other is let through.
        findings: Vec<FindingId>,
    },
}

/// A person's word that a mass change is right. In force once somebody else approves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub what: Released,
    /// The digest of the list, or of the hold, that the person looked at.
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested: Signature,
    /// Who approved; `None` while it waits.
    pub approved: Option<Signature>,
    /// When it ends. Mandatory.
    pub expires_at: DateTime<Utc>,
}

impl Release {
    /// Returns true when it holds at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.approved.is_some() && now < self.expires_at
    }
}
