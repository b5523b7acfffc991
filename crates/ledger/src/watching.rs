//! What happens to the watching itself: runs that failed or were missed, a ledger that was found
//! broken, checkpoints that were taken out of reach. One event each; whose fault it was is for
//! people to find out.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{AnchorName, Digest, FailedRuns, RunId, Turn};
use serde_json::{Value, json};

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
        let facts = vec![("why", json!(failed.why))];
        between_runs(Kind::RunFailed, failed.last_ended, body, facts)
    }

    /// A run checked the ledger, and it is not what was written: `what` names the first thing.
    #[must_use]
    pub fn selfcheck_failed(at: (RunId, DateTime<Utc>), what: &str) -> Self {
        by_run(Kind::SelfcheckFailed, at, None, json!({"what": what}))
    }

    /// A checkpoint was taken out of reach; the digest is that of what the place gave.
    #[must_use]
    pub fn anchor_made(anchor: &AnchorName, size: u64, proof: &Digest, at: DateTime<Utc>) -> Self {
        let body = json!({
            "anchor": &*anchor.name,
            "kind": anchor.kind.name(),
            "size": size,
            "proof_sha256": HEXLOWER.encode(proof),
        });
        between_runs(Kind::AnchorMade, at, body, Vec::new())
    }

    /// A checkpoint of this size never was, after so many tries: a later one takes its place.
    #[must_use]
    pub fn anchor_failed(
        anchor: &AnchorName,
        (size, n_attempts): (u64, u32),
        why: &str,
        at: DateTime<Utc>,
    ) -> Self {
        let body = json!({
            "anchor": &*anchor.name,
            "kind": anchor.kind.name(),
            "size": size,
            "tries": n_attempts,
        });
        between_runs(Kind::AnchorFailed, at, body, vec![("why", json!(why))])
    }
}

fn between_runs(
    kind: Kind,
    at: DateTime<Utc>,
    body: Value,
    facts: Vec<(&'static str, Value)>,
) -> Event {
    Event { kind, at, run: None, actor: Actor::Driftline, subject: None, body, facts }
}
