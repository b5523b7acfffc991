//! `disabled-entitled`: assigned to the app, the account is off.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::{left_elsewhere, who};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::DisabledEntitled,
    title: "assigned to the app, the account is off",
    severity: Severity::Medium,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Activate the account, or take the assignment away; a push from the identity provider may have failed.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} is assigned to the app, and the account is inactive.{}",
        who(case).unwrap_or_else(|| "Its owner".to_owned()),
        left_elsewhere(case),
    )
}
