//! What happens to the watching itself: runs that failed or were missed, and a ledger that was
//! found broken. One event each; whose fault it was is for people to find out.

use chrono::{DateTime, Utc};
use domain::{FailedRuns, RunId, Turn};
use serde_json::json;

use crate::entry::time;
use crate::event::by_run;
use crate::{Actor, Event, Kind};

impl Event {
    /// Due times of the schedule that no run was done for, told by the run that makes up for them.
    /// `None`: none was missed.
    #[must_use]
    pub fn run_missed(at: (RunId, DateTime<Utc>), turn: &Turn) -> Option<Self> {
        let first = turn.first_missed.filter(|_| turn.n_missed > 0)?;
        let body = json!({
            "n": turn.n_missed,
            "first_due_at": time(first),
            "made_up_for_at": time(turn.began),
            "schedule": turn.schedule,
        });
        Some(by_run(Kind::RunMissed, at, None, body))
    }

    /// Runs of which nothing was saved. They have no number: the next one takes it.
    #[must_use]
    pub fn run_failed(failed: &FailedRuns) -> Self {
        let body = json!({
            "n": failed.n,
            "first_began_at": time(failed.first_began),
            "last_began_at": time(failed.last_began),
        });
        Self {
            kind: Kind::RunFailed,
            at: failed.last_ended,
            run: None,
            actor: Actor::Driftline,
            subject: None,
            body,
            facts: vec![("why", json!(failed.why))],
        }
    }

    /// A run checked the ledger, and it is not what was written: `what` names the first thing.
    #[must_use]
    pub fn selfcheck_failed(at: (RunId, DateTime<Utc>), what: &str) -> Self {
        by_run(Kind::SelfcheckFailed, at, None, json!({"what": what}))
    }
}
