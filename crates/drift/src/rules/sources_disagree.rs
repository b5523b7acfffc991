//! `sources-disagree`: left by one source, entitled by another. Stands beside the verdict.

use domain::{Cause, LinkKind, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::{may_be_used, who};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::SourcesDisagree,
    title: "left by one source, entitled by another",
    severity: Severity::High,
    grace: Grace::Hours(24),
    when: When::Beside(when),
    summary,
    next_action: "Correct the source that is wrong, or declare the lifecycle authority in the settings.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let is_disputed = case.has_left_elsewhere()
        && may_be_used(case.activity)
        && matches!(case.link, LinkKind::Linked);
    is_disputed.then_some((Severity::High, Grace::Hours(24)))
}

fn summary(case: &Case<'_>) -> String {
    let authority = match &case.cx.rules.authority {
        Some(it) => format!("`{it}`, whose word would decide, does not say that they have left"),
        None => "no lifecycle authority is declared".to_owned(),
    };
    format!(
        "One source says that {} has left, another entitles them, and {authority}.",
        who(case).unwrap_or_else(|| "the owner".to_owned()),
    )
}
