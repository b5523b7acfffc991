//! What every live system gives, however it is spoken to: a pull, answers by id, health, and a
//! doctor's checks.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Lifecycle, LogEvent, Reach, Request, Rows, Snapshot, Stream, Text, Unmapped, Watcher,
};
use outbound::{OutboundError, OutboundErrorKind, Reader};

pub use crate::bodies::Bodies;

/// All that a pull of one live system brought.
#[derive(Debug, Default)]
pub struct LivePull {
    /// One for each list that was read, whole or in part, in order of stream.
    pub snapshots: Vec<Snapshot>,
    /// Raw bytes of each snapshot's rows, in the order of `snapshots`.
    pub bodies: Vec<Bodies>,
    /// Raw values that no mapping knows, in order.
    pub unmapped: Vec<Unmapped>,
    /// Lists of which nothing could be read.
    pub failures: Vec<LiveFailure>,
    /// When the source's log says that people left, lost or got the app; in order of time.
    pub events: Vec<LogEvent>,
    /// Where to go on reading the log; `None`: the source has none, or it was not read.
    pub log_cursor: Option<String>,
    /// Requests behind no snapshot, in order: the log, health, lists that were read twice or failed.
    pub requests: Vec<Request>,
    /// What is wrong with provisioning itself, as the source says.
    pub troubles: Vec<Trouble>,
}

/// Lists that could not be read.
#[derive(Debug)]
pub struct LiveFailure {
    /// Which.
    pub lists: Vec<Stream>,
    /// Why.
    pub error: LiveError,
}

/// Why a list could not be read. One variant per reaction; every text ends in what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// There was no answer: the network, a limit, a token that was refused.
    #[error(transparent)]
    Outbound(#[from] OutboundError),

    /// The source refuses: somebody has to mend the credential, its permissions or a setting.
    #[error("HTTP {status} from `{url}`: {why}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What was asked for, without secrets.
        url: String,
        /// What it means and what to do.
        why: String,
    },

    /// The source refuses the credential, whatever it is asked for: nothing more is asked.
    #[error("HTTP {status} from `{url}`: {why}")]
    Credential {
        /// HTTP status.
        status: u16,
        /// What was asked for, without secrets.
        url: String,
        /// What it means and what to do.
        why: String,
    },

    /// It cannot be asked at all: a secret or a certificate of it cannot be read or used.
    #[error("{why}")]
    NotSetUp {
        /// What the settings lack, and where.
        why: String,
    },

    /// Nothing was asked, because of what became of something else.
    #[error("not asked for, because {why}")]
    NotAsked {
        /// What that was; what to do is said there.
        why: String,
    },

    /// The source answered, and not with what was asked for.
    #[error("`{url}` gave no list: {why}")]
    NoList {
        /// What was asked for, without secrets.
        url: String,
        /// What it gave and what to do.
        why: String,
    },
}

impl LiveError {
    /// Returns true when every other request of the same source would meet the same: the
    /// credential was refused, gave no access token, or cannot be read.
    #[must_use]
    pub const fn is_of_credential(&self) -> bool {
        match self {
            Self::Credential { .. } | Self::NotSetUp { .. } => true,
            Self::Outbound(error) => matches!(
                error.kind,
                OutboundErrorKind::TokenRefused { .. } | OutboundErrorKind::TokenAnswer { .. }
            ),
            Self::Refused { .. } | Self::NotAsked { .. } | Self::NoList { .. } => false,
        }
    }

    /// Why nothing more need be asked of the source: it refuses the credential, or cannot be
    /// reached. `None`: another request may fare better.
    pub(crate) const fn ends_pull(&self) -> Option<&'static str> {
        match self {
            _ if self.is_of_credential() => Some("the credential was refused"),
            Self::Outbound(error) => match error.kind {
                OutboundErrorKind::Connect { .. } | OutboundErrorKind::Tls { .. } => {
                    Some("there was no connection")
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// An error with all that caused it, as one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |it| it.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Whether every further question by id would meet the same.
pub(crate) const fn ends_asking(kind: &OutboundErrorKind) -> bool {
    matches!(
        kind,
        OutboundErrorKind::Setting { .. }
            | OutboundErrorKind::Connect { .. }
            | OutboundErrorKind::Tls { .. }
            | OutboundErrorKind::TooManyPages { .. }
            | OutboundErrorKind::RateLimited { .. }
            | OutboundErrorKind::TokenRefused { .. }
            | OutboundErrorKind::TokenAnswer { .. }
    )
}

/// Something that the source itself says is wrong with provisioning or with our view of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it is.
    pub kind: Watcher,
    /// What is wrong and what to do, a sentence each.
    pub text: String,
    /// What it can be behind; empty: of no finding is that known.
    pub reach: Vec<Reach>,
}

impl Trouble {
    /// One that no finding is known to come of.
    pub(crate) const fn new(kind: Watcher, text: String) -> Self {
        Self { kind, text, reach: Vec::new() }
    }
}

/// Above this, times of two systems cannot be compared to the minute, and signed tokens fail.
pub(crate) const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::seconds(30);

/// That our clock and the source's are too far apart; `None`: they are not, or it was not seen.
pub(crate) fn clock_trouble(reader: &Reader) -> Option<Trouble> {
    let skew = reader.clock_skew().filter(|it| it.abs() > CLOCK_SKEW_MAX)?;
    let side = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    let text = format!(
        "This machine's clock is {} s {side} the source's, so times of the two cannot be compared. Switch on time synchronisation on this machine; if its clock is right, tell the vendor.",
        skew.num_seconds().abs()
    );
    Some(Trouble::new(Watcher::ClockSkew, text))
}

/// What it means that a source has switched a user off, where it has one word for two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchedOff {
    /// They have left.
    Left,
    /// They are away, as on long leave.
    Suspended,
}

impl SwitchedOff {
    /// Says of users who are mapped as having left what is meant.
    pub(crate) fn meant(self, rows: &mut Rows) {
        let (Rows::Identities(rows), Self::Suspended) = (rows, self) else { return };
        rows.update(|row| {
            if row.lifecycle == Lifecycle::Left {
                row.lifecycle = Lifecycle::Suspended;
            }
        });
    }
}

/// One object to ask for again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// A user of an IdP, by its id.
    Identity(Text),
    /// Whether this user may use the app, by the user's id.
    Assignment(Text),
    /// An account of an app, by its id.
    Account(Text),
}

/// What a source answered to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What was asked.
    pub question: Question,
    /// What it said.
    pub answer: Answer,
    /// When the request was sent: what it shows was true after this.
    pub sent_at: DateTime<Utc>,
    /// When the answer was received.
    pub received_at: DateTime<Utc>,
    /// The requests behind it, with retries; empty when nothing was sent.
    pub requests: Vec<Request>,
}

/// What a round of questions brought.
#[derive(Debug, Default)]
pub struct Replies {
    /// In the order of the questions.
    pub replies: Vec<Reply>,
    /// What the answers say is wrong with provisioning.
    pub troubles: Vec<Trouble>,
}

impl From<Vec<Reply>> for Replies {
    fn from(replies: Vec<Reply>) -> Self {
        Self { replies, troubles: Vec::new() }
    }
}

/// The answer to a question by id.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is there: exactly one row, with its raw bytes.
    Found {
        /// The one row.
        row: Rows,
        /// As it was read.
        body: Vec<u8>,
    },
    /// The source says that it is not there (404 to an id).
    Gone,
    /// Could not be asked, or answered something else.
    Unknown {
        /// Why, for the operator.
        why: String,
    },
}

/// One thing that the doctor looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, as `users can be listed`.
    pub name: &'static str,
    /// How it went.
    pub result: CheckResult,
    /// What was seen, a sentence.
    pub seen: String,
    /// What to do next; `None` when nothing.
    pub next: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckResult {
    /// As it should be.
    Fine,
    /// Works, and somebody should look at it.
    Warning,
    /// Does not work.
    Failed,
    /// Could not be looked at.
    Skipped,
}
