//! `residual-entitlement`: an inactive leaver still holds roles or groups. Stands beside the verdict.

use domain::{Account, Activity, Cause, Raw, Right, Severity, counted};
use graph::Standing;

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
    let holds = n_held(case, |it| &it.roles) + n_held(case, |it| &it.groups) > 0;
    let has_left = case.right == Right::Leaver && case.activity == Activity::Inactive;
    (holds && has_left).then_some((Severity::Low, Grace::Hours(7 * DAY_H)))
}

/// How many of one kind the account holds, as far as a list shows it: in the channel that shows most.
fn n_held(case: &Case<'_>, of: impl Fn(&Account) -> &Option<Vec<Raw>>) -> usize {
    let listed = case.rows().filter(|it| it.standing == Standing::Listed);
    listed.filter_map(|it| Some(of(&it.row).as_ref()?.len())).max().unwrap_or(0)
}

fn summary(case: &Case<'_>) -> String {
    format!(
        "The account is inactive and still holds {} and {}: whoever switches it on gets them back.",
        counted(n_held(case, |it| &it.roles), "role"),
        counted(n_held(case, |it| &it.groups), "group"),
    )
}
