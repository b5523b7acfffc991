//! A finding and its life.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;

use crate::{
    Cause, Digest, Direction, EntityId, Exposure, Family, RunId, Severity, Stream, SystemId, Text,
    named,
};

/// The number by which people call a finding: `DL-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub i64);

impl FindingId {
    /// Reads `DL-17`, `dl-17` or `17`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = match text.get(..3) {
            Some(prefix) if prefix.eq_ignore_ascii_case("DL-") => text.get(3..)?,
            _ => text,
        };
        digits.parse().ok().filter(|number| *number > 0).map(Self)
    }
}

impl std::fmt::Display for FindingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("DL-{}", self.0))
    }
}

/// HMAC-SHA-256 over app, subject and family under a key of the deployment.
/// The dedup key of every alert; reveals no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

named! {
    /// What a finding is about.
    pub enum SubjectKind {
        /// An account of the app.
        Account = "account",
        /// An identity of an IdP that has no account.
        Identity = "identity",
    }
}

/// Whom a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Account or identity.
    pub kind: SubjectKind,
    /// Of which system.
    pub system: SystemId,
    /// Its id there.
    pub key: Text,
    /// The store's number of the row.
    pub entity: EntityId,
}

named! {
    /// Where a finding stands.
    pub enum FindingState {
        /// Seen, and in grace or not yet seen a second time.
        Pending = "pending",
        /// Told, and to be acted on.
        Open = "open",
        /// Somebody has taken it, until a date.
        Acknowledged = "acknowledged",
        /// Frozen by the guard.
        Held = "held",
        /// Accepted by two people, until a date.
        Waived = "waived",
        /// Neither seen nor proven absent.
        NotVisible = "not_visible",
        /// Over.
        Resolved = "resolved",
        /// Never was one, says a person, with the reason.
        FalsePositive = "false_positive",
    }
}

named! {
    /// Why a finding is over.
    pub enum Resolution {
        /// The account was seen inactive.
        InactiveSeen = "inactive_seen",
        /// The account is proven not to exist.
        AbsenceProven = "absence_proven",
        /// Entitled again, or a new episode began: superseded, exposure kept.
        Superseded = "superseded",
        /// The account was registered as non-human.
        Registered = "registered",
        /// A person decided on the link.
        Decided = "decided",
        /// The facts it rested on are no longer so, as a later list shows.
        Corrected = "corrected",
    }
}

named! {
    /// What a run did to a finding.
    pub enum Change {
        /// Seen for the first time.
        Detected = "detected",
        /// Pending before, open now.
        Opened = "opened",
        /// Graver than before, or its deadline has passed.
        Worsened = "worsened",
        /// Over.
        Resolved = "resolved",
        /// Was over, is back.
        Reopened = "reopened",
        /// Waiver in force.
        Waived = "waived",
        /// Somebody has taken it, until a date.
        Acknowledged = "acknowledged",
        /// A person says that it never was one.
        FalsePositive = "false_positive",
        /// The guard does not let it open or close.
        Held = "held",
        /// Can neither be seen nor shown to be gone.
        LostSight = "lost_sight",
        /// As before.
        Unchanged = "unchanged",
    }
}

/// One look that showed a finding: the list it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Which list.
    pub stream: Stream,
    /// As of when.
    pub as_of: DateTime<Utc>,
    /// True when that time is only the file's modification time.
    pub is_assumed: bool,
    /// The very bytes.
    pub body_digest: Digest,
}

/// A finding as it is kept from run to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its number.
    pub id: FindingId,
    /// Its identity over time.
    pub fingerprint: Fingerprint,
    /// The app.
    pub app: SystemId,
    /// Whom it is about.
    pub subject: Subject,
    /// Why there is one. Gives the family.
    pub cause: Cause,
    /// How much it matters now. Never falls while it lives.
    pub severity: Severity,
    /// Where it stands.
    pub state: FindingState,
    /// The employment it belongs to, counted from 1 for the owner; 0 where there is no owner.
    pub episode: u32,
    /// When a run first saw it.
    pub detected_at: DateTime<Utc>,
    /// That run.
    pub detected_run: RunId,
    /// The lists that showed it first: the second look must be later than each.
    pub looks: Vec<Look>,
    /// When the clock of its grace began: the effective time where known, else detection.
    pub clock_from: DateTime<Utc>,
    /// When grace ends.
    pub grace_until: DateTime<Utc>,
    /// When it was opened; `None` while pending.
    pub opened_at: Option<DateTime<Utc>>,
    /// When it was resolved; `None` while it lives.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Why it is over; `None` while it lives.
    pub resolution: Option<Resolution>,
    /// When an acknowledgement or waiver ends; `None` in other states.
    pub state_until: Option<DateTime<Utc>>,
    /// When a run last saw the condition hold, with everything that might have said otherwise; or told
    /// of it for the first time.
    pub last_seen_at: DateTime<Utc>,
    /// Stretches of exposure, oldest first; empty for families without exposure.
    pub exposures: Vec<Exposure>,
    /// How often it came back.
    pub n_reopened: u32,
    /// Whose account it was, or was presumed to be, when somebody was last; `None` when nobody ever was,
    /// and for findings about identities.
    pub owner: Option<EntityId>,
    /// The run that first saw its deadline passed while nothing showed that access had ended;
    /// `None` while the deadline is ahead, and for families without one.
    pub breached_at: Option<DateTime<Utc>>,
    /// Which way the guard does not let it go; `None` when the guard holds nothing of it.
    pub held: Option<Direction>,
}

impl Finding {
    /// The family, its identity over time.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.cause.family()
    }

    /// Returns true until it is resolved or called a false positive.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self.state, FindingState::Resolved | FindingState::FalsePositive)
    }
}

/// One thing that happened to a finding. Append-only.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingEvent {
    /// Which finding.
    pub finding: FindingId,
    /// When.
    pub at: DateTime<Utc>,
    /// In which run; `None` when a person did it between runs.
    pub run: Option<RunId>,
    /// What.
    pub change: Change,
    /// Cause then.
    pub cause: Cause,
    /// Severity then.
    pub severity: Severity,
    /// State after it.
    pub state: FindingState,
    /// Why, in a sentence.
    pub because: String,
}
