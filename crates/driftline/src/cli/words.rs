//! Words that stand for a choice on the command line.

use clap::ValueEnum;
use domain::Severity;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    /// For people.
    Text,
    /// For machines: JSON v1.
    Json,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Text,
    /// For machines: JSON v1.
    Json,
    /// For spreadsheets; safe from formulas.
    Csv,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentFormat {
    /// One self-contained page.
    Html,
    /// For the terminal.
    Text,
    /// For spreadsheets; safe from formulas.
    Csv,
    /// A workbook.
    Xlsx,
    /// For machines: JSON v1.
    Json,
}

/// How a neighbourhood is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A picture.
    Svg,
    /// For Graphviz.
    Dot,
    /// For machines.
    Json,
}

/// From which severity on a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Never.
    None,
    /// Any finding.
    Low,
    /// Medium or graver.
    Medium,
    /// High or graver.
    High,
    /// Critical alone.
    Critical,
}

impl FailOn {
    /// The severity; `None` is never.
    #[must_use]
    pub(crate) const fn severity(self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
        }
    }
}

/// Reads a stable name of the domain, or lists them all.
pub(crate) fn named<T>(
    typed: &str,
    parse: impl Fn(&str) -> Option<T>,
    names: &[&str],
) -> Result<T, String> {
    parse(typed).ok_or_else(|| {
        let guess = crate::nearest::nearest(typed, names.iter().copied())
            .map_or_else(String::new, |word| format!("did you mean `{word}`? "));
        format!("{guess}expected one of {}", crate::nearest::listed(names.iter().copied()))
    })
}
