//! Hard holds: lists that changed more than can be believed. Their rows count as positive facts,
//! their absences count for nothing.

use chrono::{DateTime, Utc};
use domain::{Coverage, List, Proof, Release, Released, Rows, Snapshot, SnapshotRef};

use crate::policy::Policy;

/// Why the absences of a new list do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardHold {
    /// In words.
    pub why: String,
    /// Rows are missing, which people may release. Missing canaries nobody can.
    pub can_be_released: bool,
}

/// In the reason of each list that is held for want of a canary.
const CANARIES_MISSING: &str = "canaries are not in the list";

/// Users or accounts of the list before that a new one must have, in percent, however long it is:
/// the list of another company is as long as it likes.
const SAME_MIN_PERCENT: u32 = 50;

/// Whether the absences of a new list count; `None` when they do.
///
/// `before` is the newest list whose absences counted, and `n_missing` says how many of its rows the
/// new one does not have. `has_accounts`: there are accounts that people need a right for. HR's list
/// of leavers may shrink as it likes, and not to nothing: an export that went wrong has a header, too.
/// One that is a window says so, and is partial. The register is notes of people.
#[must_use]
pub fn hard_hold(
    policy: &Policy,
    canaries: &[String],
    (before, n_missing): (Option<&SnapshotRef>, u64),
    new: &Snapshot,
    has_accounts: bool,
) -> Option<HardHold> {
    if !new.coverage.is_complete() {
        return None; // Its absences count for nothing as it is.
    }
    if let Rows::Accounts(accounts) = &new.rows {
        let is_missing = |it: &&String| !accounts.iter().any(|account| account.is_named(it));
        let missing: Vec<String> = (1..)
            .zip(canaries)
            .filter(|it| is_missing(&it.1))
            .map(|(number, it)| shown(number, it))
            .collect();
        if !missing.is_empty() {
            let why = format!(
                "{} of {} {CANARIES_MISSING} ({}): it does not show everybody",
                missing.len(),
                canaries.len(),
                missing.join(", ")
            );
            return Some(HardHold { why, can_be_released: false });
        }
    }
    let is_window = match new.stream.list {
        List::NonHumans => return None,
        List::Leavers => true,
        List::Identities | List::Assignments | List::Memberships | List::Accounts => false,
    };
    let hold = |why: String| Some(HardHold { why, can_be_released: true });
    let now = u64::try_from(new.rows.len()).unwrap_or(u64::MAX);
    let Some(before) = before.map(|it| it.n_rows) else {
        // A file that counts although it has no row was said to have none.
        let is_said = new.coverage == Coverage::Complete(Proof::DeclaredWhole);
        let is_assignments = new.stream.list == List::Assignments;
        let is_doubtful = now == 0 && has_accounts && is_assignments && !is_said;
        let why =
            "no rows in the first list, and the app has accounts: is it the list of this app?";
        return if is_doubtful { hold(why.to_owned()) } else { None };
    };
    if now == 0 && before > 0 {
        let said = format!("no rows, after {before} in the list before");
        return hold(if is_window {
            format!("{said}; of an export of the latest leavers alone, say `whole = false`")
        } else {
            said
        });
    }
    if is_window {
        return None;
    }
    let is_more = |n: u64, percent: u32| n * 100 > before * u64::from(percent);
    if is_more(before.saturating_sub(now), policy.shrink_max_percent) {
        return hold(format!(
            "{now} rows, after {before} in the list before: more than {} % are missing",
            policy.shrink_max_percent
        ));
    }
    let is_of_rows = matches!(new.stream.list, List::Identities | List::Accounts);
    if is_of_rows && is_more(n_missing, policy.shrink_max_percent.max(SAME_MIN_PERCENT)) {
        return hold(format!(
            "{n_missing} of the {before} rows of the list before are not in it: is it the list of another company?"
        ));
    }
    None
}

/// Which canary: by its number in the settings where it may be an address.
fn shown(number: usize, canary: &str) -> String {
    if canary.contains('@') {
        format!("number {number} of `canaries`")
    } else {
        format!("`{canary}`")
    }
}

/// Whether a list is held for want of a canary, which nobody can release. `why`: as it was held.
#[must_use]
pub fn is_for_canaries(why: &str) -> bool {
    why.contains(CANARIES_MISSING)
}

/// The release that lets a held list count: of the very list that a person looked at, or of one from
/// which as many or more were missing. `None`: there is none in force.
///
/// `before` and `n_missing`: as [`hard_hold`] takes them.
#[must_use]
pub fn list_release<'r>(
    releases: &'r [Release],
    before: Option<&SnapshotRef>,
    n_missing: u64,
    list: &SnapshotRef,
    now: DateTime<Utc>,
) -> Option<&'r Release> {
    let n_before = before.map_or(0, |it| it.n_rows);
    releases.iter().filter(|it| it.is_in_force(now)).find(|it| match &it.what {
        // From one of others as many rows are missing as there were.
        Released::List { stream, n_rows } => {
            let is_no_worse =
                list.n_rows >= *n_rows && n_missing <= n_before.saturating_sub(*n_rows);
            *stream == list.stream && (it.digest == list.digest || is_no_worse)
        }
        Released::Changes { .. } => false,
    })
}
