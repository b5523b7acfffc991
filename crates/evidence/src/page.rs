//! The page that an auditor opens first: scope, results, coverage, every leaver, and what the
//! evidence does not show. It needs nothing but itself: no script, no font, no picture.

use askama::Template;

use crate::EvidenceError;
use crate::contents::Contents;
use crate::controls;
use crate::leaf::LeaverLeaf;
use crate::population::{COLUMNS, row};
use crate::tables::{TieOut, longest_gap, tie_out, time};

/// What stands in the table of leavers, in the order of the population's columns.
const SHOWN: &[&str] = &[
    "leaver",
    "entry",
    "person",
    "name",
    "said_by",
    "started_earliest",
    "deadline_at",
    "activity",
    "last_seen_active",
    "first_seen_inactive",
    "sla",
    "because",
    "findings",
];

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'p> {
    app: String,
    from: String,
    to: String,
    made_at: String,
    made_by: Option<&'p str>,
    software: &'p str,
    ledger: String,
    is_provisional: bool,
    results: Vec<(&'static str, usize)>,
    n_leavers: usize,
    tie_out: TieOut,
    n_unowned: usize,
    n_runs: usize,
    n_incomplete: usize,
    n_missed: u64,
    longest_gap: String,
    listed_since: Option<String>,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    control_columns: &'static [&'static str],
    controls: &'p [Vec<String>],
    limits: &'p [String],
}

/// Makes the page. `controls` are the rows of `controls.csv`.
///
/// # Errors
///
/// [`EvidenceError::Page`].
pub(crate) fn page(
    contents: &Contents,
    leavers: &[LeaverLeaf],
    controls: &[Vec<String>],
) -> Result<String, EvidenceError> {
    let scope = &contents.scope;
    let outcomes = ["met", "missed", "not_proven", "exception", "out_of_scope"];
    let count = |word: &str| leavers.iter().filter(|it| it.body.sla.outcome == word).count();
    let (gap, since) = longest_gap(contents);
    let full = contents.runs.iter().filter(|it| it.pass == domain::Pass::Full);
    let page = Page {
        app: scope.app.to_string(),
        from: time(scope.from),
        to: time(scope.to),
        made_at: time(scope.now),
        made_by: (!scope.is_redacted).then_some(&*scope.made_by),
        software: &scope.software,
        ledger: contents.ledger.checkpoint.to_string(),
        is_provisional: scope.is_provisional,
        results: outcomes.map(|it| (it, count(it))).to_vec(),
        n_leavers: leavers.len(),
        tie_out: tie_out(leavers),
        n_unowned: contents
            .findings
            .iter()
            .filter(|it| it.finding.family() == domain::Family::Orphan)
            .count(),
        n_runs: contents.runs.iter().filter(|it| it.run.is_some()).count(),
        n_incomplete: full.filter(|it| !it.is_complete).count(),
        n_missed: contents.runs.iter().map(|it| it.n_missed).sum(),
        longest_gap: format!("{} h {} min, since {}", gap.num_hours(), gap.num_minutes() % 60, time(since)),
        listed_since: contents.begin.as_ref().map(|it| {
            format!(
                "{}. {} who had left before {}, or at no known time, and were off by then, are not listed.",
                time(it.at), it.n_left_out, time(it.since)
            )
        }),
        columns: SHOWN,
        rows: leavers.iter().map(shown).collect(),
        control_columns: controls::COLUMNS,
        controls,
        limits: &scope.limits,
    };
    page.render().map_err(EvidenceError::Page)
}

fn shown(leaver: &LeaverLeaf) -> Vec<String> {
    let cells = COLUMNS.iter().zip(row(leaver));
    cells.filter(|(column, _)| SHOWN.contains(*column)).map(|it| it.1).collect()
}
