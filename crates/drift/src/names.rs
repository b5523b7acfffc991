//! When two names mean the same account or role.

use domain::{Account, Folded};

/// Returns true when `name` is the account's id, or its user name or address, case-folded.
pub(crate) fn names(account: &Account, name: &str) -> bool {
    *account.id == *name
        || [&account.user_name, &account.email].into_iter().flatten().any(|it| same(it, name))
}

/// Compares two names, case-folded. Blank names are the same as nothing.
pub(crate) fn same(one: &str, other: &str) -> bool {
    if one == other {
        return !one.trim_start().is_empty(); // Nearly all: no need to fold them.
    }
    Folded::new(one).is_some_and(|it| Some(it) == Folded::new(other))
}
