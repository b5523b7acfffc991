//! `vanished`: assigned to the app, the account is gone.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::{left_elsewhere, who};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::Vanished,
    title: "assigned to the app, the account is gone",
    severity: Severity::Medium,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Ask the app's administrators who deleted it; push the person again from the identity provider.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} is assigned to the app and had this account; it is not in the app's complete list any more.{}",
        who(case).unwrap_or_else(|| "Its owner".to_owned()),
        left_elsewhere(case),
    )
}
