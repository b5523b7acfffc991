//! The findings, counted once, so that every page shows the same numbers.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cause, Change, Finding, FindingState, Severity};

/// The findings of one report, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Findings that live: all but resolved ones and false positives.
    pub n_live: u64,
    /// Open, acknowledged, or held since it opened.
    pub n_open: u64,
    /// Pending: in grace, not yet seen a second time, or held before it opened.
    pub n_pending: u64,
    /// Waived or not visible.
    pub n_aside: u64,
    /// Ended since the full run before: resolved, or called a false positive.
    pub n_over: u64,
    /// Open, acknowledged or held, by severity, gravest first; also those with 0.
    pub open_by_severity: Vec<SeverityCount>,
    /// By cause, gravest first; none without a finding.
    pub by_cause: Vec<CauseCount>,
    /// By state, in order; none with 0.
    pub by_state: Vec<StateCount>,
    /// By what was done since the full run before, in order; none with 0.
    pub by_change: Vec<ChangeCount>,
}

/// Findings of one severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SeverityCount {
    /// The severity.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// Findings of one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CauseCount {
    /// The cause.
    pub cause: Cause,
    /// The gravest severity among them.
    pub severity: Severity,
    /// Open, acknowledged or held.
    pub n_open: u64,
    /// Pending.
    pub n_pending: u64,
    /// Waived or not visible.
    pub n_aside: u64,
    /// Ended since the full run before.
    pub n_over: u64,
    /// Not live at the end of the full run before, and live now: detected or reopened since.
    pub n_new: u64,
}

/// Findings in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StateCount {
    /// The state.
    pub state: FindingState,
    /// How many.
    pub count: u64,
}

/// Findings to which one thing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeCount {
    /// What was done.
    pub change: Change,
    /// How many.
    pub count: u64,
}

impl Summary {
    /// Counts `findings`. `since`: the full run before; 0: there was none.
    pub(super) fn of(findings: &[Finding], since: i64) -> Self {
        let mut summary = Self::default();
        for finding in findings {
            match Standing::of(finding) {
                Standing::Open => summary.n_open += 1,
                Standing::Pending => summary.n_pending += 1,
                Standing::Aside => summary.n_aside += 1,
                Standing::Over => summary.n_over += 1,
            }
        }
        summary.n_live = summary.n_open + summary.n_pending + summary.n_aside;
        summary.open_by_severity = Severity::ALL
            .iter()
            .rev()
            .map(|&severity| SeverityCount {
                severity,
                count: count(findings, |it| {
                    matches!(Standing::of(it), Standing::Open) && it.severity == severity
                }),
            })
            .collect();
        summary.by_cause = by_cause(findings, since);
        summary.by_state = FindingState::ALL
            .iter()
            .map(|&state| StateCount { state, count: count(findings, |it| it.state == state) })
            .filter(|it| it.count > 0)
            .collect();
        summary.by_change = Change::ALL
            .iter()
            .map(|&change| ChangeCount { change, count: count(findings, |it| it.change == change) })
            .filter(|it| it.count > 0)
            .collect();
        summary
    }
}

/// The four columns of the drift table.
enum Standing {
    Open,
    Pending,
    Aside,
    Over,
}

impl Standing {
    const fn of(finding: &Finding) -> Self {
        match finding.state {
            // What the guard keeps from opening is not open.
            FindingState::Held if finding.opened_at.is_none() => Self::Pending,
            FindingState::Open | FindingState::Acknowledged | FindingState::Held => Self::Open,
            FindingState::Pending => Self::Pending,
            FindingState::Waived | FindingState::NotVisible => Self::Aside,
            FindingState::Resolved | FindingState::FalsePositive => Self::Over,
        }
    }
}

fn count(findings: &[Finding], is_meant: impl Fn(&Finding) -> bool) -> u64 {
    findings.iter().filter(|it| is_meant(it)).count() as u64
}

/// One line per cause that has a finding; gravest first, then in the order of the causes.
fn by_cause(findings: &[Finding], since: i64) -> Vec<CauseCount> {
    let mut lines: Vec<CauseCount> = Vec::new();
    for &cause in Cause::ALL {
        let mut line: Option<CauseCount> = None;
        for finding in findings.iter().filter(|it| it.cause == cause) {
            let line = line.get_or_insert(CauseCount {
                cause,
                severity: finding.severity,
                n_open: 0,
                n_pending: 0,
                n_aside: 0,
                n_over: 0,
                n_new: 0,
            });
            line.severity = line.severity.max(finding.severity);
            match Standing::of(finding) {
                Standing::Open => line.n_open += 1,
                Standing::Pending => line.n_pending += 1,
                Standing::Aside => line.n_aside += 1,
                Standing::Over => line.n_over += 1,
            }
            if finding.state.is_live() && is_new(finding, since) {
                line.n_new += 1;
            }
        }
        lines.extend(line);
    }
    lines.sort_by_key(|it| std::cmp::Reverse(it.severity));
    lines
}

/// Detected since that run, even if opened at once, or back since.
fn is_new(finding: &Finding, since: i64) -> bool {
    finding.detected_run > since || finding.change == Change::Reopened
}
