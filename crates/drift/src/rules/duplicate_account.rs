//! `duplicate-account`: one person has several active accounts. Stands beside the verdict.

use domain::{Activity, Cause, LinkKind, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::DuplicateAccount,
    title: "one person has several active accounts",
    severity: Severity::Medium,
    grace: Grace::Hours(72),
    when: When::Beside(when),
    summary,
    next_action: "Keep one account and deactivate the others, or register the others as non-human with an owner.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let is_duplicate = case.n_active > 1
        && case.activity == Activity::Active
        && case.registered.is_none()
        && matches!(case.link, LinkKind::Linked | LinkKind::Candidate);
    is_duplicate.then_some((Severity::Medium, Grace::Hours(72)))
}

fn summary(case: &Case<'_>) -> String {
    format!(
        "{} has {} active accounts, this one among them. Only one of them is switched off when they leave.",
        who(case).unwrap_or_else(|| "The owner".to_owned()),
        case.n_active,
    )
}
