//! Was all of the list seen? From what the pages said and brought, without looking at a row.
//! Whatever is not shown is partial, with a reason that says what would settle it.

use domain::Proof;

/// What one walk over a list saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Each page's total, in order; `None` for a page that states none.
    pub(super) totals: Vec<Option<u64>>,
    /// Different accounts.
    pub(super) n_ids: u64,
    /// Rows that came again on a later page, which had new ones too.
    pub(super) n_repeated: u64,
    /// Accounts of which two pages said different things.
    pub(super) n_conflicts: u64,
    /// Rows of the largest page.
    pub(super) page_rows: u64,
    /// Pages with rows.
    pub(super) n_full: u64,
    /// The most rows that a page can hold: as asked for, or less by the server's word.
    pub(super) count: u64,
    /// Which rows could not be read; `None`: each could.
    pub(super) unread: Option<String>,
    /// Accounts that carry nothing to tell whose they are: no name, no `externalId`, no address.
    pub(super) n_nameless: u64,
    /// How it ended.
    pub(super) end: End,
}

/// How a walk over a list ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// A page behind the last row was empty.
    #[default]
    EmptyPage,
    /// As many accounts as the server states.
    Total,
    /// Cursors: no next one (RFC 9865, 2).
    NoCursor,
    /// This page, from 1, had only rows that earlier ones had.
    NothingNew(usize),
    /// It could not go on.
    Broken(String),
    /// It could not go on, and a new walk may: the cursor is no longer good.
    Expired(String),
}

/// What a walk proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proved {
    /// All of the list.
    Complete(Proof),
    /// The pages do not fit together: the list may have changed under us. Worth one more walk.
    Unsteady(String),
    /// A part of it.
    Partial(String),
}

/// Judges one walk.
pub(super) fn judge(seen: &Seen) -> Proved {
    match &seen.end {
        End::Broken(why) => return Proved::Partial(why.clone()),
        End::Expired(why) => return Proved::Unsteady(why.clone()),
        _ => {}
    }
    if let Some(why) = &seen.unread {
        return Proved::Partial(why.clone());
    }
    if seen.n_nameless > 0 {
        // Any of them may be the account of somebody who seems to have none.
        return Proved::Partial(format!(
            "accounts without `userName`, which RFC 7643 (4.1.1) requires, `externalId` and address: {}",
            seen.n_nameless
        ));
    }
    let first = seen.totals.first().copied().flatten();
    if let Some(other) = seen.totals.iter().find(|it| **it != first) {
        return Proved::Unsteady(format!(
            "the list states {} on its first page and {} on another: it changed while it was read",
            total(first),
            total(*other)
        ));
    }
    let n_ids = seen.n_ids;
    if let Some(stated) = first
        && stated != n_ids
    {
        let at = match seen.end {
            End::NothingNew(page) => format!(", and page {page} added nothing new"),
            _ => String::new(),
        };
        return Proved::Unsteady(format!(
            "the list states {}, and {n_ids} different accounts were read{at}",
            total(first)
        ));
    }
    if seen.n_conflicts > 0 {
        let n = seen.n_conflicts;
        return Proved::Unsteady(format!("accounts that came twice and differ: {n}"));
    }
    if seen.n_repeated > 0 {
        let n = seen.n_repeated;
        return Proved::Unsteady(format!(
            "rows that moved between pages while they were read: {n}"
        ));
    }
    if first.is_some() { Proved::Complete(Proof::StatedTotal) } else { without_total(seen) }
}

/// A list that states no total is whole only where its end was seen.
fn without_total(seen: &Seen) -> Proved {
    let partial = |why: &str| Proved::Partial(format!("the list states no total, and {why}"));
    match seen.end {
        End::NoCursor => Proved::Complete(Proof::ReadToEnd),
        End::NothingNew(page) => partial(&format!("page {page} added nothing new")),
        _ if seen.n_ids == 0 => partial("it has no rows"),
        _ if seen.n_full == 1 && seen.page_rows >= seen.count => {
            partial("all that came is exactly one page: there may be more")
        }
        _ => Proved::Complete(Proof::ReadToEnd),
    }
}

fn total(total: Option<u64>) -> String {
    total.map_or("no total".to_owned(), |it| format!("a total of {it}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(totals: &[Option<u64>], n_ids: u64, end: End) -> Seen {
        let n_full = u64::from(n_ids > 0);
        let (count, page_rows) = (100, n_ids);
        Seen { totals: totals.to_vec(), n_ids, end, n_full, count, page_rows, ..Seen::default() }
    }

    fn check(seen: &Seen, wanted: &str) {
        let shown = match judge(seen) {
            Proved::Complete(proof) => proof.name().to_owned(),
            Proved::Unsteady(why) => format!("unsteady: {why}"),
            Proved::Partial(why) => format!("partial: {why}"),
        };
        assert_eq!(shown, wanted, "{seen:?}");
    }

    #[test]
    fn a_list_is_whole_only_when_that_was_shown() {
        let two = [Some(5), Some(5)];
        check(&seen(&two, 5, End::Total), "stated_total");
        check(&seen(&two, 5, End::NoCursor), "stated_total");
        check(&seen(&[Some(0)], 0, End::Total), "stated_total");
        check(&seen(&[None], 40, End::NoCursor), "read_to_end");
        check(&seen(&[None, None], 40, End::EmptyPage), "read_to_end");
        check(
            &seen(&two, 4, End::EmptyPage),
            "unsteady: the list states a total of 5, and 4 different accounts were read",
        );
        check(
            &seen(&two, 3, End::NothingNew(2)),
            "unsteady: the list states a total of 5, and 3 different accounts were read, and page 2 added nothing new",
        );
        check(
            &seen(&[Some(5), Some(6)], 5, End::Total),
            "unsteady: the list states a total of 5 on its first page and a total of 6 on another: it changed while it was read",
        );
        check(
            &seen(&[Some(5), None], 5, End::Total),
            "unsteady: the list states a total of 5 on its first page and no total on another: it changed while it was read",
        );
        check(
            &seen(&[None], 100, End::EmptyPage),
            "partial: the list states no total, and all that came is exactly one page: there may be more",
        );
        check(
            &seen(&[None, None], 40, End::NothingNew(2)),
            "partial: the list states no total, and page 2 added nothing new",
        );
        check(
            &seen(&[None], 0, End::EmptyPage),
            "partial: the list states no total, and it has no rows",
        );
        check(&seen(&two, 5, End::Broken("page 2 is HTML".to_owned())), "partial: page 2 is HTML");
        let nameless = Seen { n_nameless: 2, ..seen(&two, 5, End::Total) };
        check(
            &nameless,
            "partial: accounts without `userName`, which RFC 7643 (4.1.1) requires, `externalId` and address: 2",
        );
        let repeated = Seen { n_repeated: 1, ..seen(&two, 5, End::Total) };
        check(&repeated, "unsteady: rows that moved between pages while they were read: 1");
    }
}
