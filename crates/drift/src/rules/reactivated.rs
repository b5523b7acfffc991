//! `reactivated`: was confirmed offboarded, and is active again with no later assignment or episode.
//!
//! The verdict table does not see the past: `judge` turns an access-remains verdict into this one.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::Reactivated,
    title: "an offboarded account is active again",
    severity: Severity::Critical,
    grace: Grace::None,
    when: When::Verdict,
    summary,
    next_action: "Ask the app's administrators who switched it on and why; deactivate it unless a new assignment follows.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "The account was confirmed off, and is active again with no new assignment{}.",
        who(case).map_or(String::new(), |it| format!("; it belongs to {it}")),
    )
}
