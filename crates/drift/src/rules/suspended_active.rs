//! `suspended-active`: suspended at the source, the account is active.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::SuspendedActive,
    title: "suspended at the source, the account is active",
    severity: Severity::Medium,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Deactivate the account for as long as the suspension lasts.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} is suspended, and the account is active. Okta sends nothing to the app on suspension.",
        who(case).unwrap_or_else(|| "Its owner".to_owned())
    )
}
