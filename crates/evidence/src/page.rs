//! The page that an auditor opens first: scope, results, coverage, every leaver, and what the
//! evidence does not show. It needs nothing but itself: no script, no font, no picture.

use std::collections::HashMap;

use askama::Template;
use chrono::{DateTime, Utc};

use crate::EvidenceError;
use crate::contents::{Contents, times};
use crate::controls;
use crate::leaf::LeaverLeaf;
use crate::population::{COLUMNS, row};
use crate::tables::{TieOut, incomplete, lists_amiss, longest_gap, tie_out, time};

/// A leaver in the table: cells of the population, by column.
struct Row(HashMap<&'static str, String>);

impl Row {
    fn of(leaver: &LeaverLeaf) -> Self {
        Self(COLUMNS.iter().copied().zip(row(leaver)).collect())
    }

    fn cell(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// A cell of several parts, each on a line of its own.
    fn parts(&self, column: &str) -> Vec<String> {
        self.cell(column).split("; ").map(to_the_second).collect()
    }

    /// When each account was last seen on, and first seen off; empty: never.
    fn looks(&self) -> Vec<(String, String)> {
        let (on, off) = (self.parts("last_seen_active"), self.parts("first_seen_inactive"));
        on.into_iter().zip(off).filter(|(on, off)| !(on.is_empty() && off.is_empty())).collect()
    }

    fn at(&self, column: &str) -> String {
        to_the_second(self.cell(column))
    }
}

/// A text with its times as people read them: the tables have the milliseconds.
fn to_the_second(text: &str) -> String {
    let word = |word: &str| match word.parse::<DateTime<Utc>>() {
        Ok(at) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<String>>().join(" ")
}

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
    /// Why there is none.
    empty_because: Option<String>,
    /// Who is not in it because sources disagree.
    undecided: Option<String>,
    n_undecided: usize,
    /// Rows of HR that no leaver rests on.
    unmatched_by_hr: Option<String>,
    tie_out: TieOut,
    n_unowned: usize,
    n_runs: usize,
    /// Full runs that are not complete, and of how many times they speak.
    incomplete: (usize, usize),
    /// What else is the matter with runs and times.
    amiss: Vec<String>,
    lists_amiss: Vec<String>,
    n_missed: u64,
    longest_gap: String,
    listed_since: Option<String>,
    rows: Vec<Row>,
    times: &'static str,
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
        empty_because: contents.empty_because(),
        undecided: contents.undecided(),
        unmatched_by_hr: contents.unmatched_by_hr(),
        n_undecided: contents.disputes().iter().filter(|it| it.is_undecided()).count(),
        tie_out: tie_out(leavers),
        n_unowned: contents
            .findings
            .iter()
            .filter(|it| it.finding.family() == domain::Family::Orphan)
            .count(),
        n_runs: contents.runs.iter().filter(|it| it.run.is_some()).count(),
        incomplete: incomplete(contents),
        amiss: contents.made_apart().into_iter().chain(contents.untimely()).collect(),
        lists_amiss: lists_amiss(contents),
        n_missed: contents.runs.iter().map(|it| it.n_missed).sum(),
        longest_gap: format!("{} h {} min, since {}", gap.num_hours(), gap.num_minutes() % 60, time(since)),
        listed_since: contents.begin.as_ref().map(|it| {
            format!(
                "{}. {} who had left before {}, or at no known time, and were off by then, are not listed.",
                time(it.at), it.n_left_out, time(it.since)
            )
        }),
        rows: leavers.iter().map(Row::of).collect(),
        times: times(contents),
        control_columns: controls::COLUMNS,
        controls,
        limits: &scope.limits,
    };
    page.render().map_err(EvidenceError::Page)
}
