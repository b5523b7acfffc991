//! `leaver-listed`: a leaver's account exists, and the app does not say whether it is active.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::LeaverListed,
    title: "a leaver's account exists, and the app does not say whether it is active",
    severity: Severity::High,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Look in the app's console whether the account can still be used, and deactivate or delete it.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} has left, the account exists, and the app does not state `active`.",
        who(case).unwrap_or_else(|| "Its owner".to_owned())
    )
}
