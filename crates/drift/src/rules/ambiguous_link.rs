//! `ambiguous-link`: several people may own the account. Stands beside the verdict.

use domain::{Cause, LinkKind, Severity};

use crate::case::{Case, PossibleOwners};
use crate::rule::{Grace, Rule, When};
use crate::rules::{leaver_active, may_be_used};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::AmbiguousLink,
    title: "several people may own the account",
    severity: Severity::Medium,
    grace: Grace::Hours(72),
    when: When::Beside(when),
    summary,
    next_action: "Decide whose it is with `driftline findings link`.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let is_trouble = case.link == LinkKind::Ambiguous && may_be_used(case.activity);
    is_trouble.then_some(match case.possible_owners.n_leavers {
        0 => (Severity::Medium, Grace::Hours(72)),
        // Some possible owner has left: as urgent as a leaver's, and told as a question.
        _ => (Severity::High, leaver_active::RULE.grace),
    })
}

fn summary(case: &Case<'_>) -> String {
    let PossibleOwners { n, n_leavers, .. } = case.possible_owners;
    format!("{n} people may own the account, {n_leavers} of them leavers; no key decides.")
}
