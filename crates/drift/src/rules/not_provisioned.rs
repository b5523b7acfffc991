//! `not-provisioned`: assigned to the app, never had an account.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::{left_elsewhere, who};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::NotProvisioned,
    title: "assigned to the app, never had an account",
    severity: Severity::Low,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Look for a failed push in the identity provider's provisioning log, and push again.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} is assigned to the app, and no account in its complete list is theirs.{}",
        who(case).unwrap_or_else(|| "Somebody".to_owned()),
        left_elsewhere(case),
    )
}
