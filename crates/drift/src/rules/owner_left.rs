//! `owner-left`: the owner of a non-human account has left. Stands beside the verdict.

use domain::{Cause, Right, Severity};

use crate::case::Case;
use crate::case::RegisterOwner;
use crate::rule::DAY_H;
use crate::rule::{Grace, Rule, When};
use crate::rules::may_be_used;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::OwnerLeft,
    title: "the owner of a non-human account has left",
    severity: Severity::High,
    grace: Grace::Hours(3 * DAY_H),
    when: When::Beside(when),
    summary,
    next_action: "Name a new owner in the register, and rotate the credentials that the old one knew.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let has_left = case.register_owner == Some(RegisterOwner::Known(Right::Leaver));
    (has_left && may_be_used(case.activity)).then_some((Severity::High, Grace::Hours(3 * DAY_H)))
}

fn summary(case: &Case<'_>) -> String {
    let purpose =
        case.registered.and_then(|it| it.purpose.as_deref()).unwrap_or("no stated purpose");
    format!("The registered owner of this account ({purpose}) has left.")
}
