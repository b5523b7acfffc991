//! The findings of one report, chosen by a filter: as text, CSV or JSON.

use crate::v1::{Cause, Finding, FindingState, Report, Severity};

/// Which findings are meant. The default means all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this app; `None` for any.
    pub app: Option<String>,
    /// At least so grave; `None` for any.
    pub at_least: Option<Severity>,
    /// In one of these states; empty for any.
    pub states: Vec<FindingState>,
    /// Of one of these causes; empty for any.
    pub causes: Vec<Cause>,
}

impl Filter {
    /// Those that live: all but resolved ones and false positives.
    #[must_use]
    pub fn live() -> Self {
        Self {
            states: FindingState::ALL.iter().copied().filter(|it| it.is_live()).collect(),
            ..Self::default()
        }
    }

    /// Returns true when `finding` is meant.
    #[must_use]
    pub fn matches(&self, finding: &Finding) -> bool {
        self.app.as_ref().is_none_or(|app| *app == finding.app)
            && self.at_least.is_none_or(|it| finding.severity >= it)
            && (self.states.is_empty() || self.states.contains(&finding.state))
            && (self.causes.is_empty() || self.causes.contains(&finding.cause))
    }

    /// The findings that are meant, in the report's order.
    #[must_use]
    pub fn select<'a>(&self, report: &'a Report) -> Vec<&'a Finding> {
        report.findings.iter().filter(|it| self.matches(it)).collect()
    }
}

/// The chosen findings as a JSON array, each as in the report, with a line end.
#[must_use]
pub fn findings_json(report: &Report, filter: &Filter) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(&filter.select(report))
        .expect("structs of texts and whole numbers always serialize");
    json.push(b'\n');
    json
}
