//! How much of a list one export is. A claim from absence rests on this, so whatever is
//! not shown or declared is partial, with a reason that says what would settle it.

use domain::{Coverage, Proof, SystemKind};

use super::config::FileConfig;
use super::json::Stated;
use super::profile::Profile;

/// Judges one export. `n_unique` counts the keys of the list, `n_rows` the rows read.
pub(crate) fn of(
    file: &FileConfig,
    profile: &Profile,
    stated: &Stated,
    n_unique: u64,
    n_rows: u64,
) -> Coverage {
    let partial =
        |reason: String| Coverage::Partial { reason: format!("`{}` {reason}", file.shown_as) };
    if let Some(declared) = file.rows.filter(|it| *it != n_rows) {
        return partial(format!("has {n_rows} rows, and {declared} were declared"));
    }
    if file.whole == Some(false) {
        return partial("is declared to be a part".to_owned());
    }
    let mut totals = stated.totals.iter();
    let first = totals.next().copied().flatten();
    if let Some(total) = first {
        if totals.any(|it| *it != first) {
            return partial(format!(
                "does not state the total of {total} on every page: the list changed while it was read"
            ));
        }
        return if total == n_unique {
            Coverage::Complete(Proof::StatedTotal)
        } else {
            partial(format!("states a total of {total}, and {n_unique} different rows were read"))
        };
    }
    let leads_on = stated.has_next.iter().any(|it| *it);
    if stated.has_next.last() == Some(&true) {
        return partial("ends in a page that leads to a next one".to_owned());
    }
    let ends = leads_on || (profile.ends_without_next && !stated.has_next.is_empty());
    let is_declared =
        file.whole == Some(true) || file.rows.is_some() || profile.whole == Some(true);
    // A group may have no members. A company without people is an export that went wrong.
    let is_of_people = matches!(profile.kind(), SystemKind::Idp | SystemKind::App);
    if n_rows == 0 && file.rows.is_none() && is_of_people && profile.memberships.is_none() {
        return partial(
            "has no row, and shows nobody's absence: export it again, or declare `rows = 0`"
                .to_owned(),
        );
    }
    if ends || is_declared {
        return Coverage::Complete(Proof::DeclaredWhole);
    }
    if profile.needs_total && !stated.totals.is_empty() {
        return partial(
            "does not state how many rows there are: capture it again, or declare `rows`"
                .to_owned(),
        );
    }
    if profile.whole == Some(false) {
        return partial(format!("is a `{}`, which never holds the whole list", profile.name()));
    }
    if file.on_your_word {
        return Coverage::Complete(Proof::YourWord);
    }
    partial("is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does".to_owned())
}
