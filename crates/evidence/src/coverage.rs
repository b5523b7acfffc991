//! What the entries of runs tell of their lists: which were held, and which other runs of the time asked
//! for and this one did not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::Entry;

/// Lists of a run that show nobody's absence, by name, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListsTold {
    /// Those that were held: read, and too few to be believed.
    pub held: Vec<String>,
    /// Those that another full run of the time had, and this one did not ask for. Empty of a light pass,
    /// and of a run whose entry does not name all of its lists.
    pub not_asked: Vec<String>,
}

/// The body of such an entry.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    pass: Option<String>,
    n_lists: usize,
    lists: Vec<ListTold>,
    failed: Vec<String>,
}

#[derive(Deserialize)]
struct ListTold {
    list: String,
    is_held: bool,
}

impl Body {
    fn is_full(&self) -> bool {
        self.pass.as_deref().is_none_or(|it| it == "full")
    }

    /// A list that failed has no view beside its name.
    fn asked_for(&self, list: &str) -> bool {
        let name = list.split_once(" (").map_or(list, |it| it.0);
        self.lists.iter().any(|it| it.list == list) || self.failed.iter().any(|it| it == name)
    }
}

/// The lists of each run, by the place of its entry. `entries` are those of the time.
pub fn lists_told<'e>(entries: impl Iterator<Item = &'e Entry>) -> BTreeMap<u64, ListsTold> {
    let runs = entries.filter(|it| it.kind == "run.completed");
    let runs: Vec<(u64, Body)> = runs.filter_map(|it| Some((it.seq, it.says()?))).collect();
    let full = runs.iter().filter(|it| it.1.is_full());
    let all: BTreeSet<&str> = full.flat_map(|it| &it.1.lists).map(|it| &*it.list).collect();
    let told = |(seq, body): &(u64, Body)| {
        let held = body.lists.iter().filter(|it| it.is_held).map(|it| it.list.clone()).collect();
        let is_named = body.is_full() && body.n_lists == body.lists.len();
        let not_asked = all.iter().filter(|it| is_named && !body.asked_for(it));
        (*seq, ListsTold { held, not_asked: not_asked.map(|it| (*it).to_owned()).collect() })
    };
    runs.iter().map(told).collect()
}
