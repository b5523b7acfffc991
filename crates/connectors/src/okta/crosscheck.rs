//! What the two lists of Okta say of each other and of known users: reasons to believe that a
//! list which was read to its end is still not all of it.

use domain::{Grant, Principal, Rows, Text};
use rustc_hash::FxHashSet;

/// Ids that a reason names; more are counted.
const SHOWN_MAX: usize = 3;

/// Users who have the app by its list and are not among the users, in order of the list.
pub(super) fn strangers<'r>(assigned: &'r Rows, users: &Rows) -> Vec<&'r Text> {
    let Rows::Assignments(assigned) = assigned else { return Vec::new() };
    let known = ids(users);
    assigned
        .iter()
        .filter(|it| it.grant == Grant::Grants)
        .filter_map(|it| match &it.principal {
            Principal::Identity(id) => Some(id),
            Principal::Group(_) => None,
        })
        .filter(|id| !known.contains(id.as_ref()))
        .collect()
}

/// Why a list of users with strangers is not all of it.
pub(super) fn strangers_reason(strangers: &[&Text]) -> Option<String> {
    (!strangers.is_empty()).then(|| {
        format!(
            "users who have the app are not in the list of users ({}): the admin role of this \
             credential may be limited to some users, give it all of them",
            shown(strangers)
        )
    })
}

/// Canaries that are not in a list.
pub(super) fn missing<'c>(canaries: &'c [Text], rows: &Rows) -> Vec<&'c Text> {
    let known = ids(rows);
    canaries.iter().filter(|it| !known.contains(it.as_ref())).collect()
}

/// A few ids, for people.
pub(super) fn shown(ids: &[&Text]) -> String {
    let first: Vec<&str> = ids.iter().take(SHOWN_MAX).map(|it| it.as_ref()).collect();
    let n_more = ids.len().saturating_sub(first.len());
    let more = if n_more > 0 { format!(" and {n_more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// The ids of the users that a list names.
fn ids(rows: &Rows) -> FxHashSet<&str> {
    match rows {
        Rows::Identities(rows) => rows.iter().map(|it| it.id.as_ref()).collect(),
        Rows::Assignments(rows) => rows
            .iter()
            .filter_map(|it| match &it.principal {
                Principal::Identity(id) => Some(id.as_ref()),
                Principal::Group(_) => None,
            })
            .collect(),
        _ => FxHashSet::default(),
    }
}
