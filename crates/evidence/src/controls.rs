//! Which control of which framework asks for what, and which part of a bag is evidence for it. A map:
//! nothing here says that a control is met.

use domain::{Cause, Digest};

use crate::bag::Bag;

/// The mapping that is in the program, as TOML. Whoever calls reads it, or one of the operator's own.
pub const CONTROLS: &str = include_str!("../controls.toml");

/// Files and folders of a bag that a mapping may name.
pub const PARTS: &[&str] = &[
    "START-HERE.txt",
    "data/alerts.csv",
    "data/anchors.csv",
    "data/config-changes.csv",
    "data/coverage.csv",
    "data/exceptions.csv",
    "data/findings.csv",
    "data/ipe.json",
    "data/leavers/",
    "data/ledger/",
    "data/machine/",
    "data/population.csv",
    "data/population.xlsx",
    "data/raw/",
    "data/reconciliation.csv",
    "data/report.html",
];

/// A mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controls {
    /// The controls, in the order in which they are shown.
    pub controls: Vec<Control>,
    /// SHA-256 of the text that it was read from.
    pub digest: Digest,
}

/// A control, and what a bag has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Whose it is.
    pub framework: String,
    /// What they call it.
    pub id: String,
    /// What it asks in this field, in our words.
    pub asks: String,
    /// What of that a bag shows.
    pub shows: String,
    /// What it does not; `None`: nothing is said.
    pub not_shown: Option<String>,
    /// Where to look: some of [`PARTS`].
    pub files: Vec<String>,
    /// Causes of findings that bear on it.
    pub causes: Vec<Cause>,
    /// What OSCAL calls it; `None`: no catalog is meant.
    pub oscal: Option<OfCatalog>,
}

/// A control of an OSCAL catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfCatalog {
    /// Its id there, as `ac-2.3`.
    pub id: String,
    /// Its objectives that the results of leavers say something of, as `ac-2.3_obj.b`.
    pub objectives: Vec<String>,
}

impl Control {
    /// The files to look at that this bag does not have.
    fn missing(&self, bag: &Bag) -> Vec<&str> {
        let has = |file: &str| bag.paths().any(|it| it == file || is_below(it, file));
        // Written last.
        let made = |file: &str| file == "START-HERE.txt" || file == "data/report.html";
        self.files.iter().map(String::as_str).filter(|it| !made(it) && !has(it)).collect()
    }
}

/// Whether a file is in a folder, which ends in `/`.
fn is_below(path: &str, folder: &str) -> bool {
    folder.ends_with('/') && path.starts_with(folder)
}

/// The columns of `controls.csv`, which are those of the page.
pub(crate) const COLUMNS: &[&str] =
    &["framework", "control", "asks", "shows", "not_shown", "files", "not_in_this_bag"];

/// A row for each control, about a bag that has everything else.
pub(crate) fn rows(controls: &Controls, bag: &Bag) -> Vec<Vec<String>> {
    let row = |it: &Control| {
        vec![
            it.framework.clone(),
            it.id.clone(),
            it.asks.clone(),
            it.shows.clone(),
            it.not_shown.clone().unwrap_or_default(),
            it.files.join("; "),
            it.missing(bag).join("; "),
        ]
    };
    controls.controls.iter().map(row).collect()
}

/// What the mapping is of, a line for each framework: `SOC 2: CC6.1, CC6.2`.
pub(crate) fn in_words(controls: &Controls) -> String {
    let mut frameworks: Vec<(&str, Vec<&str>)> = Vec::new();
    for it in &controls.controls {
        match frameworks.iter_mut().find(|(name, _)| *name == it.framework) {
            Some((_, ids)) => ids.push(&it.id),
            None => frameworks.push((&it.framework, vec![&it.id])),
        }
    }
    let listed = frameworks.iter().map(|(name, ids)| format!("{name}: {}", ids.join(", ")));
    listed.collect::<Vec<String>>().join("\n")
}
