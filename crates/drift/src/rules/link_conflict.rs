//! `link-conflict`: keys disagree on whose account it is, or an identifier was used again. Stands beside the verdict.

use domain::{Cause, LinkKind, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::{leaver_active, may_be_used};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::LinkConflict,
    title: "keys disagree on whose account it is, or an identifier was used again",
    severity: Severity::High,
    grace: Grace::None,
    when: When::Beside(when),
    summary,
    next_action: "Decide whose it is with `driftline findings link`, and correct the identifiers in the app.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let is_trouble = case.link == LinkKind::Conflict && may_be_used(case.activity);
    is_trouble.then_some((
        Severity::High,
        if case.leavers_among.0 > 0 { leaver_active::RULE.grace } else { Grace::None },
    ))
}

fn summary(case: &Case<'_>) -> String {
    let (leavers, all) = case.leavers_among;
    format!(
        "Keys of the account name different people ({all} possible owners, {leavers} of them leavers), or an identifier of somebody gone is used again."
    )
}
