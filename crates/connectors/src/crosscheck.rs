//! What the lists of a source say of each other and of known users: reasons to believe that a
//! list which was read to its end is still not all of it.

use domain::{Grant, Principal, Rows, Text};
use rustc_hash::FxHashSet;

/// Ids that a reason names; more are counted.
const SHOWN_MAX: usize = 3;

/// Users who have the app by a list of it, or are in a group that does, and are not among the
/// users, in order of the list.
pub(crate) fn strangers<'r>(assigned: &'r Rows, users: &Rows) -> Vec<&'r str> {
    let known: FxHashSet<&str> = named(users).into_iter().collect();
    let unknown = |id: &&str| !known.contains(id);
    match assigned {
        Rows::Assignments(rows) => {
            let granted = rows.iter_packed().filter(|it| it.grant == Grant::Grants);
            granted.filter_map(|it| user(it.principal)).filter(unknown).collect()
        }
        list => named(list).into_iter().filter(unknown).collect(),
    }
}

/// Why a list of users with strangers is not all of it. `next`: what to do about it.
pub(crate) fn strangers_reason(strangers: &[&str], next: &str) -> Option<String> {
    (!strangers.is_empty()).then(|| {
        format!(
            "users who have the app are not in the list of users ({}): {next}",
            shown(strangers)
        )
    })
}

/// Canaries that are in none of these lists.
pub(crate) fn missing<'c>(canaries: &'c [Text], lists: &[&Rows]) -> Vec<&'c Text> {
    let known: FxHashSet<&str> = lists.iter().flat_map(|it| named(it)).collect();
    canaries.iter().filter(|it| !known.contains(&***it)).collect()
}

/// A few ids, for people.
pub(crate) fn shown(ids: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = ids.iter().take(SHOWN_MAX).map(AsRef::as_ref).collect();
    let n_more = ids.len().saturating_sub(first.len());
    let more = if n_more > 0 { format!(" and {n_more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// The ids of the users that a list names.
fn named(rows: &Rows) -> Vec<&str> {
    match rows {
        Rows::Identities(rows) => rows.iter_packed().map(|it| it.id).collect(),
        Rows::Assignments(rows) => rows.iter_packed().filter_map(|it| user(it.principal)).collect(),
        Rows::Memberships(rows) => rows.iter_packed().filter_map(|it| user(it.member)).collect(),
        Rows::Accounts(_) | Rows::NonHumans(_) | Rows::Leavers(_) => Vec::new(),
    }
}

const fn user(principal: Principal<&str>) -> Option<&str> {
    match principal {
        Principal::Identity(id) => Some(id),
        Principal::Group(_) => None,
    }
}
