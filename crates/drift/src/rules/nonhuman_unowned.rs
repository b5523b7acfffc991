//! `nonhuman-unowned`: a non-human account has no valid owner. Stands beside the verdict.

use domain::{Cause, Right, Severity};

use crate::case::Case;
use crate::case::RegisterOwner;
use crate::rule::DAY_H;
use crate::rule::{Grace, Rule, When};
use crate::rules::may_be_used;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::NonhumanUnowned,
    title: "a non-human account has no valid owner",
    severity: Severity::Medium,
    grace: Grace::Hours(14 * DAY_H),
    when: When::Beside(when),
    summary,
    next_action: "Name an owner in the register and have them confirm what the account is for.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let registered = case.registered?;
    let is_late = registered.attest_by.is_some_and(|it| it <= case.cx.now);
    let is_unowned = matches!(case.register_owner, None | Some(RegisterOwner::Nowhere));
    let has_left = case.register_owner == Some(RegisterOwner::Known(Right::Leaver));
    let speaks = (is_late || is_unowned) && !has_left && may_be_used(case.activity);
    speaks.then_some((Severity::Medium, Grace::Hours(14 * DAY_H)))
}

fn summary(case: &Case<'_>) -> String {
    match (case.register_owner, case.registered.and_then(|it| it.attest_by)) {
        (None, _) => "The account is registered as non-human without an owner.".to_owned(),
        (Some(RegisterOwner::Nowhere), _) => {
            "The registered owner of this account is in no list of the identity providers."
                .to_owned()
        }
        (Some(_), by) => format!(
            "The registration of this account was to be confirmed by {}.",
            by.map_or_else(|| "a date".to_owned(), |it| it.format("%Y-%m-%d").to_string()),
        ),
    }
}
