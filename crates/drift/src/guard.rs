//! Hard holds: lists that changed more than can be believed. Their rows count as positive facts,
//! their absences count for nothing.

use domain::{List, Rows, Snapshot, SnapshotRef};

use crate::policy::Policy;

/// Why the absences of a new list do not count; `None` when they do.
///
/// `before` is the newest list whose absences counted. HR's list of leavers and the register are
/// windows and notes of people: they may shrink as they like.
#[must_use]
pub fn hard_hold(
    policy: &Policy,
    canaries: &[String],
    before: Option<&SnapshotRef>,
    new: &Snapshot,
) -> Option<String> {
    if !new.coverage.is_complete() {
        return None; // Its absences count for nothing as it is.
    }
    if let Rows::Accounts(accounts) = &new.rows {
        let missing: Vec<&str> = canaries
            .iter()
            .filter(|it| !accounts.iter().any(|account| account.is_named(it)))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Some(format!(
                "{} of {} canaries are not in the list: it does not show everybody",
                missing.len(),
                canaries.len()
            ));
        }
    }
    match new.stream.list {
        List::Leavers | List::NonHumans => return None,
        List::Identities | List::Assignments | List::Memberships | List::Accounts => {}
    }
    let before = before?.n_rows;
    let now = u64::try_from(new.rows.len()).unwrap_or(u64::MAX);
    if now == 0 && before > 0 {
        return Some(format!("no rows, after {before} in the list before"));
    }
    let lost = before.saturating_sub(now);
    let is_shrunk = lost * 100 > before * u64::from(policy.shrink_max_percent);
    is_shrunk.then(|| {
        format!(
            "{now} rows, after {before} in the list before: more than {} % are missing",
            policy.shrink_max_percent
        )
    })
}
