//! Times that cannot be: of an entry that says an earlier one than a run that stands ahead of it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Kind;
use crate::entry::time;

/// How far a clock may go back between a run and what follows it: clocks of machines are put right.
pub const CLOCK_BACK_MAX: TimeDelta = TimeDelta::minutes(5);

/// An entry whose time lies before that of a run ahead of it, by more than [`CLOCK_BACK_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untimely {
    /// Its place.
    pub seq: u64,
    /// Its type.
    pub kind: String,
    /// The time that it says.
    pub at: DateTime<Utc>,
    /// The run ahead of it with the latest time: place of its entry, and that time.
    pub run: (u64, DateTime<Utc>),
}

impl std::fmt::Display for Untimely {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seq, kind, at, run } = self;
        let (at, run_at) = (time(*at), time(run.1));
        write!(f, "entry {seq} ({kind}) says {at}, before that of entry {}, a run: {run_at}", run.0)
    }
}

/// Takes entries in their order, and tells those that cannot have been written when they say.
#[derive(Clone, Debug, Default)]
pub struct Order {
    latest_run: Option<(u64, DateTime<Utc>)>,
}

impl Order {
    /// Takes the next entry: place, type and time. `Some`: a run ahead of it is later than it says.
    pub fn take(&mut self, seq: u64, kind: &str, at: DateTime<Utc>) -> Option<Untimely> {
        let run = self.latest_run.filter(|it| at < it.1 - CLOCK_BACK_MAX);
        if kind == Kind::RunCompleted.name() && self.latest_run.is_none_or(|it| at > it.1) {
            self.latest_run = Some((seq, at));
        }
        run.map(|run| Untimely { seq, kind: kind.to_owned(), at, run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_untimely_behind_a_run_that_is_later_by_more_than_clocks_are_apart() {
        let at = |minutes: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let mut order = Order::default();
        let mut take = |seq, kind, minutes| order.take(seq, kind, at(minutes)).map(|it| it.run);
        assert_eq!(take(0, "exception.requested", 90), None);
        assert_eq!(take(1, "run.completed", 60), None, "what a person says is no run");
        assert_eq!(take(2, "exception.approved", 55), None);
        assert_eq!(take(3, "exception.approved", 54), Some((1, at(60))));
        assert_eq!(take(4, "run.completed", 30), Some((1, at(60))));
        assert_eq!(take(5, "exception.approved", 50), Some((1, at(60))), "the latest run counts");
    }
}
