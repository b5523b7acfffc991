//! `residual-entitlement`: an inactive leaver still holds roles or groups. Stands beside the verdict.

use domain::{Activity, Cause, Right, Severity, counted};

use crate::case::Case;
use crate::rule::DAY_H;
use crate::rule::{Grace, Rule, When};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::ResidualEntitlement,
    title: "an inactive leaver still holds roles or groups",
    severity: Severity::Low,
    grace: Grace::Hours(7 * DAY_H),
    when: When::Beside(when),
    summary,
    next_action: "Take the roles and groups away in the app.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let row = case.row()?.row;
    let holds = [&row.roles, &row.groups].into_iter().flatten().any(|it| !it.is_empty());
    let has_left = case.right == Right::Leaver && case.activity == Activity::Inactive;
    (holds && has_left && case.is_listed()).then_some((Severity::Low, Grace::Hours(7 * DAY_H)))
}

fn summary(case: &Case<'_>) -> String {
    let row = case.row().map(|it| it.row);
    let held = |it: Option<&Vec<domain::Raw>>| it.map_or(0, Vec::len);
    format!(
        "The account is inactive and still holds {} and {}: whoever switches it on gets them back.",
        counted(held(row.and_then(|it| it.roles.as_ref())), "role"),
        counted(held(row.and_then(|it| it.groups.as_ref())), "group"),
    )
}
