//! `external-expired`: an end date has passed, the account is active.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::ExternalExpired,
    title: "an end date has passed, the account is active",
    severity: Severity::High,
    grace: Grace::EndOfDay,
    when: When::Verdict,
    summary,
    next_action: "Deactivate the account, or have the end date corrected at the source.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "The end date of {} has passed, and the account is active.",
        who(case).unwrap_or_else(|| "the owner".to_owned())
    )
}
