//! One page cut out of a list, and how faults bend it. Both systems page through here; how a page
//! is written down is theirs.

use serde_json::Value;

use crate::fault::{Fault, Place};
use crate::wire::Window;

/// Beyond all ids that are numbers.
const FAR: usize = 1_000_000;

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Value>,
    /// What the list says that it holds in all.
    pub(crate) total: usize,
    /// Rows up to and with the last one here; `None`: this is the last page.
    pub(crate) next: Option<usize>,
    /// Where the next page is said to be, if not where it is.
    pub(crate) misleads_to: Option<Place>,
}

impl Page {
    /// Cuts a page out of `rows`, each written by `write` only if it is on the page.
    pub(crate) fn cut<T>(
        rows: &[T],
        window: Window,
        faults: &[Fault],
        write: impl Fn(&T) -> Value,
    ) -> Self {
        let has = |fault: Fault| faults.contains(&fault);
        let half = rows.len().div_ceil(2);
        let bent = [Fault::EmptyList, Fault::ShortTotal, Fault::ShortList];
        let (listed, total) = match bent.into_iter().find(|it| has(*it)) {
            Some(Fault::EmptyList) => (0, 0),
            Some(Fault::ShortTotal) => (half, half),
            Some(_) => (half, rows.len()),
            None => (rows.len(), rows.len()),
        };
        let end = window.start.saturating_add(window.limit).min(listed);
        let shift = if has(Fault::RepeatedPage) { window.limit.min(window.start) } else { 0 };
        let shown = (window.start - shift)..(end.saturating_sub(shift));
        let shown = rows.get(shown).unwrap_or_default();
        let mut page = Self {
            rows: shown.iter().map(&write).collect(),
            total,
            next: (end < listed && window.limit > 0).then_some(end),
            misleads_to: None,
        };
        if has(Fault::EmptyLastPage) && page.next.is_none() && !page.rows.is_empty() {
            page.next = Some(end);
        }
        if has(Fault::EndlessList) {
            page.go_on(rows.first().map(&write), window);
        }
        if page.next.is_some() {
            page.misleads_to = faults.iter().find_map(|it| match it {
                Fault::NextElsewhere(place) => Some(*place),
                _ => None,
            });
        }
        for row in &mut page.rows {
            spoil(row, faults);
        }
        page
    }

    /// Fills the page up with rows that nobody has seen, and promises another.
    fn go_on(&mut self, like: Option<Value>, window: Window) {
        let mut number = window.start + self.rows.len();
        let end = window.start.saturating_add(window.limit);
        while let (Some(like), true) = (&like, number < end) {
            let mut row = like.clone();
            for name in ["id", "uuid"] {
                match row.get_mut(name) {
                    Some(Value::String(id)) => *id = format!("{id}-{number}"),
                    Some(id @ Value::Number(_)) => *id = Value::from(FAR + number),
                    _ => {}
                }
            }
            self.rows.push(row);
            number += 1;
        }
        self.next = Some(end);
        self.total = self.total.max(end.saturating_add(window.limit));
    }
}

/// Nulls in one row, where a fault wants them.
pub(crate) fn spoil(row: &mut Value, faults: &[Fault]) {
    let Value::Object(members) = row else { return };
    for (_, value) in members.iter_mut().filter(|(name, _)| *name != "id" && *name != "uuid") {
        if faults.contains(&Fault::Nulls) {
            *value = Value::Null;
        } else if faults.contains(&Fault::NullLeaves) {
            null_leaves(value);
        }
    }
}

fn null_leaves(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.iter_mut().filter(|(it, _)| *it != "id").for_each(|(_, it)| null_leaves(it));
        }
        Value::Array(list) => list.iter_mut().for_each(null_leaves),
        leaf => *leaf = Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Reads a list of five in pages of two, at most six pages, as `rows/total` of each.
    fn read(faults: &[Fault]) -> String {
        let rows = ["a", "b", "c", "d", "e"];
        let (mut pages, mut start) = (Vec::new(), Some(0));
        while let (Some(at), true) = (start, pages.len() < 6) {
            let window = Window { start: at, limit: 2 };
            let page = Page::cut(&rows, window, faults, |it| json!({"id": it, "name": it}));
            let ids = page.rows.iter().map(|it| it["id"].as_str().unwrap());
            pages.push(format!("{}/{}", ids.collect::<Vec<_>>().join(","), page.total));
            start = page.next;
        }
        pages.join(" ")
    }

    #[test]
    fn faults_bend_a_list() {
        for (faults, seen) in [
            (&[][..], "a,b/5 c,d/5 e/5"),
            (&[Fault::ShortList], "a,b/5 c/5"),
            (&[Fault::ShortTotal], "a,b/3 c/3"),
            (&[Fault::RepeatedPage], "a,b/5 a,b/5 c/5"),
            (&[Fault::EmptyLastPage], "a,b/5 c,d/5 e/5 /5"),
            (&[Fault::EndlessList], "a,b/5 c,d/6 e,a-5/8 a-6,a-7/10 a-8,a-9/12 a-10,a-11/14"),
        ] {
            assert_eq!(read(faults), seen, "{faults:?}");
        }
    }

    #[test]
    fn nulls_spare_the_id() {
        let row = json!({"id": "a", "name": "b", "profile": {"id": "c", "mail": "d", "n": [1]}});
        for (fault, seen) in [
            (Fault::Nulls, json!({"id": "a", "name": null, "profile": null})),
            (
                Fault::NullLeaves,
                json!({"id": "a", "name": null, "profile": {"id": "c", "mail": null, "n": [null]}}),
            ),
        ] {
            let mut row = row.clone();
            spoil(&mut row, &[fault]);
            assert_eq!(row, seen);
        }
    }
}
