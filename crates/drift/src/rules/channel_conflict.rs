//! `channel-conflict`: views of the app disagree on whether the account is on. Stands beside the verdict.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::ChannelConflict,
    title: "views of the app disagree on whether the account is on",
    severity: Severity::High,
    grace: Grace::Hours(24),
    when: When::Beside(when),
    summary,
    next_action: "Look at the account in the app's console; treat it as active until both views say otherwise.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    case.is_disputed.then_some((Severity::High, Grace::Hours(24)))
}

fn summary(case: &Case<'_>) -> String {
    let _ = case;
    "One view of the app shows the account active, another shows it off or does not list it."
        .to_owned()
}
