//! Whether somebody may be erased. Decides on what the store found, and touches nothing.

use chrono::{DateTime, TimeDelta, Utc};
use store::{ErasureScope, HeldOn};

/// How long what is kept of people must be kept after all is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Of whom there never was a finding.
    pub leavers: TimeDelta,
    /// Of whom there was one.
    pub findings: TimeDelta,
}

/// Shown findings, rows and holds; the rest is counted by whoever looks.
const SHOWN: usize = 5;

/// Why somebody may not be erased now, a sentence each; empty: they may.
#[must_use]
pub fn refusals(scope: &ErasureScope, retention: Retention, now: DateTime<Utc>) -> Vec<String> {
    let mut why = Vec::new();
    for row in scope.rows.iter().filter(|it| it.is_there.is_some()).take(SHOWN) {
        let (system, key, list) = (&row.stream.system, &row.key, row.stream.list);
        let because = row.is_there.as_deref().unwrap_or_default();
        why.push(format!(
            "`{system}/{key}` may still be among the {list} of {system}: {because}. The next run would bring \
             it back: have it removed there, and run again"
        ));
    }
    for finding in scope.findings.iter().filter(|it| it.is_live()).take(SHOWN) {
        why.push(format!("{} about them is not over ({})", finding.id, finding.state));
    }
    for hold in scope.holds.iter().take(SHOWN) {
        let whom = match &hold.on {
            HeldOn::Person { .. } => "them".to_owned(),
            HeldOn::Period { app, from, to } => format!(
                "what is kept of {app} from {} to {}, and they are in it",
                from.format("%Y-%m-%d"),
                to.format("%Y-%m-%d")
            ),
        };
        why.push(format!(
            "legal hold {} is on {whom}: two people lift it with `driftline hold lift {}`",
            hold.id, hold.id
        ));
    }
    why.extend(scope.obstacles.iter().cloned());
    if why.is_empty() {
        why.extend(kept_until(scope, retention, now));
    }
    why
}

/// That the time for which it must be kept is not over.
fn kept_until(scope: &ErasureScope, retention: Retention, now: DateTime<Utc>) -> Option<String> {
    let (class, keep) = match scope.findings.is_empty() {
        true => ("leavers", retention.leavers),
        false => ("findings", retention.findings),
    };
    let Some(over) = scope.leave_over_at() else {
        return Some("that their access is over was not seen in every app".to_owned());
    };
    let until = over + keep;
    (until > now).then(|| {
        format!(
            "all was over on {}, and must be kept until {} (`retention.{class}`)",
            over.format("%Y-%m-%d"),
            until.format("%Y-%m-%d")
        )
    })
}
