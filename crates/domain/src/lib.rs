//! The vocabulary: what Driftline observes and what it concludes.
//!
//! Values only. Nothing here reads a clock, a file or a socket, and nothing but the parsing of a
//! name can fail. Every boundary (connector, database, JSON) has types of its own and maps them to
//! these. Rows of lists alone have a form in bytes, in which they are held, hashed and kept.

mod account;
mod activity;
mod anchor;
mod assignment;
mod calendar;
mod cause;
mod clock;
mod decision;
mod deprovision;
mod explanation;
mod exposure;
mod failed;
mod finding;
mod grade;
mod guard;
mod identity;
mod leaver;
mod link;
mod log;
mod name;
mod notice;
mod pass;
mod person;
mod question;
mod record;
mod register;
mod right;
pub mod rows;
mod sla;
mod snapshot;
mod turn;
mod unseen;
mod verdict;
mod watcher;

pub use account::{Account, ActiveFlag, Invitation};
pub use activity::Activity;
pub use anchor::{AnchorKind, AnchorName, AnchorStand};
pub use assignment::{Assignment, Grant, GroupRef, Membership, Principal, Via};
pub use calendar::{Calendar, SlaLimit, day_of, end_of_day};
pub use cause::{Cause, Family, Severity};
pub use clock::{At, CLOCK_SKEW_MAX, Clock};
pub use decision::{Decision, Disposition, Signature, Waiver, Word};
pub use deprovision::{
    DeprovisionRecord, DeprovisionSeen, DeprovisionTally, DeprovisionWitness, Deprovisioned, Probe,
    ProbeEnd, ProbeRequest,
};
pub use explanation::{Explanation, Fact, KeyTrial, TrialOutcome};
pub use exposure::{Exposure, Interval, Span, TimeToDeactivate};
pub use failed::FailedRuns;
pub use finding::{
    Change, Finding, FindingEvent, FindingId, FindingState, Fingerprint, Look, Resolution, Subject,
    SubjectKind,
};
pub use grade::Grade;
pub use guard::{Changes, Direction, Hold, Release, Released};
pub use identity::{Identity, IdentityKind, Lifecycle};
pub use leaver::{
    Leaver, LeaverAccount, LeaverClocks, LeaverKey, LeaverKind, LeaversBegin, PastLook, SaidBy,
};
pub use link::{Link, LinkKind, Tier};
pub use log::{LogEvent, LogEventKind};
pub use name::{Folded, NameError, Raw, SystemId, Text, counted, is_placeholder, same_name};
pub use notice::{
    Delivery, DeliveryId, DeliveryState, Notice, NoticeId, NoticeItem, NotifyReason, Told,
};
pub use pass::Pass;
pub use person::{Episode, EpisodeId};
pub use question::{Answer, Observation, Question};
pub use record::{
    AppRecord, FindingRecord, HistoryPoint, LedgerHead, PersonLabel, RunId, RunRecord,
    SourceRecord, Tally, Unmapped,
};
pub use register::{HrLeaver, NonHuman};
pub use right::Right;
pub use rows::{Rows, Table};
pub use sla::{ClockStart, SlaOutcome, SlaResult, SlaTerms};
pub use snapshot::{
    AsOf, AsOfBasis, Body, Channel, Coverage, Digest, EntityId, IdForm, List, Population, Proof,
    Request, RowOrigin, Snapshot, SnapshotId, SnapshotRef, Stream, SystemKind,
};
pub use turn::Turn;
pub use unseen::Unseen;
pub use verdict::Verdict;
pub use watcher::{Reach, RootCause, Watcher, WatcherFinding, Whom};

/// Declares an enum whose values have one stable name each, used alike in the
/// database, in JSON and on pages. Gives `ALL`, `name` and `parse`.
macro_rules! named {
    ($(#[$meta:meta])* pub enum $enum:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $enum { $($(#[$doc])* $variant,)+ }

        impl $enum {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The value of that name; `None` for any other text.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
use named;
