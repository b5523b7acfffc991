//! `unassigned-active`: not assigned to the app, the account is active.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::UnassignedActive,
    title: "not assigned to the app, the account is active",
    severity: Severity::High,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Deactivate the account, or assign the app in the identity provider if the access is meant.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} is not assigned to the app, and the account is active.",
        who(case).unwrap_or_else(|| "Its owner".to_owned())
    )
}
