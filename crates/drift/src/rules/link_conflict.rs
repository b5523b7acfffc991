//! `link-conflict`: keys disagree on whose account it is, or an identifier was used again. Stands beside the verdict.

use domain::{Cause, LinkKind, Severity};

use crate::case::{Case, PossibleOwners};
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
    let is_trouble = (case.link == LinkKind::Conflict || case.possible_owners.n_beside > 0)
        && may_be_used(case.activity);
    is_trouble.then_some((
        Severity::High,
        if case.possible_owners.n_leavers > 0 { leaver_active::RULE.grace } else { Grace::None },
    ))
}

fn summary(case: &Case<'_>) -> String {
    let PossibleOwners { n, n_beside, n_leavers, .. } = case.possible_owners;
    if n_beside > 0 {
        return format!(
            "Another view of the app shows an account of somebody else under its name or address, and shows that off: this may be the same one ({n} possible owners, {n_leavers} of them leavers)."
        );
    }
    format!(
        "Keys of the account name different people ({n} possible owners, {n_leavers} of them leavers), or an identifier of somebody gone is used again."
    )
}
