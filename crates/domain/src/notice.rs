//! A notice: what somebody is told, why now, and how its delivery went.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Cause, FindingId, PersonLabel, RunId, Severity, SlaOutcome, SystemId, Text, named};

/// The number of a notice in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeId(pub i64);

impl std::fmt::Display for NoticeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// The number of a delivery: one notice to one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

named! {
    /// Why somebody is told now.
    pub enum NotifyReason {
        /// A finding has opened.
        Opened = "opened",
        /// A finding was over and is back.
        Reopened = "reopened",
        /// A finding is graver than when it was told.
        Worsened = "worsened",
        /// It is still open, and the interval of reminders has passed.
        Reminder = "reminder",
        /// Nobody acknowledged it in time.
        Escalated = "escalated",
        /// All that it was about is over.
        Resolved = "resolved",
        /// The first judged run of an app: its counts, and its leavers as one group.
        Baseline = "baseline",
        /// More findings at once than are told one by one.
        Storm = "storm",
        /// The time of day at which all that is open is told.
        Digest = "digest",
        /// Something is wrong with the watching.
        Watcher = "watcher",
        /// Another channel does not take notices.
        Undelivered = "undelivered",
        /// A run was done, and this is its report.
        Report = "report",
        /// A person tries the channel.
        Test = "test",
    }
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Names the condition from its first notice to its last, for channels that know one alert by
    /// one key: `driftline:<deployment>:<app>:<subject>`. At most 255 characters; no address.
    pub key: Text,
    /// Why now.
    pub reason: NotifyReason,
    /// The gravest of what it is about.
    pub severity: Severity,
    /// The app; `None` when it is not one app's.
    pub app: Option<SystemId>,
    /// The run that decided on it; `None`: decided between runs.
    pub run: Option<RunId>,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// In a line, without names.
    pub title: String,
    /// What more there is to say, a sentence each, without names.
    pub lines: Vec<String>,
    /// Every finding it is about; empty when it is about the watching.
    pub findings: Vec<FindingId>,
    /// The first of them in detail, gravest first.
    pub items: Vec<NoticeItem>,
    /// To which channels, and not before when.
    pub to: Vec<(Text, DateTime<Utc>)>,
}

/// One finding in a notice.
#[derive(Clone, Debug, PartialEq)]
pub struct NoticeItem {
    /// Which.
    pub finding: FindingId,
    /// Its cause.
    pub cause: Cause,
    /// Its severity.
    pub severity: Severity,
    /// Whom it is about, by key: `secureframe/9d89`.
    pub subject: String,
    /// The owner's keys; empty when nobody owns it.
    pub owners: Vec<String>,
    /// For channels that may show names alone.
    pub person: PersonLabel,
    /// How long there was access at the least, all stretches together; `None` for families without
    /// exposure.
    pub exposed_for: Option<TimeDelta>,
    /// The account was not seen off since.
    pub is_on: bool,
    /// Was access removed in time? `None` for families without a deadline.
    pub sla: Option<SlaOutcome>,
    /// Why it stands as it does.
    pub because: String,
    /// What to do next, in a sentence.
    pub next_action: String,
}

/// What a channel has been told, or may have been, and is not over: one for each key and channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The key of the notices.
    pub key: Text,
    /// The channel.
    pub channel: Text,
    /// Why it was told first.
    pub reason: NotifyReason,
    /// The app; `None` when it is not one app's.
    pub app: Option<SystemId>,
    /// The gravest that was told.
    pub severity: Severity,
    /// When the first notice was to be told: outside of a route's hours, when they begin.
    pub first_due_at: DateTime<Utc>,
    /// When the last one was.
    pub last_at: DateTime<Utc>,
    /// Every finding that was told under this key.
    pub findings: Vec<FindingId>,
    /// Nothing of it was taken and nothing waits. What was sent may have arrived all the same.
    pub was_only_tried: bool,
}

named! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// To be sent, for the first time or again.
        Pending = "pending",
        /// The channel took it.
        Delivered = "delivered",
        /// Not sent: what it says no longer held when it was due.
        Dropped = "dropped",
        /// Not sent: a later notice of the same key says more.
        Superseded = "superseded",
        /// Refused for good, or tried as often as the channel's rules allow.
        GivenUp = "given_up",
    }
}

/// One notice to one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// The notice.
    pub notice: NoticeId,
    /// The channel, by its name in the settings.
    pub channel: Text,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it may be sent, or sent again.
    pub due_at: DateTime<Utc>,
    /// How often it was sent, answered or not.
    pub n_attempts: u32,
    /// When it was sent last; `None`: never.
    pub tried_at: Option<DateTime<Utc>>,
    /// What the channel calls the message, where it says so.
    pub reference: Option<Text>,
    /// Why it stands there: what the channel said, or why it was not sent.
    pub why: Option<String>,
}
