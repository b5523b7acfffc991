//! Asking a source again about one object, by its id, and what it answered.

use chrono::{DateTime, Utc};

use crate::{Channel, List, Rows, Stream, SystemId, Text};

/// One object to ask for again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Whom to ask.
    pub system: SystemId,
    /// [`List::Identities`], [`List::Assignments`] or [`List::Accounts`].
    pub list: List,
    /// By which view of the app; `None` for all but accounts. Each has ids of its own.
    pub channel: Option<Channel>,
    /// The id of the user or the account; for an assignment that of the user.
    pub id: Text,
}

impl Question {
    /// The list that has what is asked for.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream { system: self.system.clone(), list: self.list, channel: self.channel }
    }
}

/// What a source answered to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What was asked.
    pub question: Question,
    /// What it said.
    pub answer: Answer,
    /// When the request was sent: what it shows was true after this.
    pub sent_at: DateTime<Utc>,
    /// When the answer was received.
    pub received_at: DateTime<Utc>,
}

/// The answer to a question by id.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is there: exactly one row.
    Found(Rows),
    /// The source says that it is not there.
    Gone,
    /// Could not be asked, or answered something else. Why, for the operator.
    Unknown(String),
}
