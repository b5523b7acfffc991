//! `source-gone-active`: the owner is gone from the source, the account is active.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::SourceGoneActive,
    title: "the owner is gone from the source, the account is active",
    severity: Severity::High,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Look the id up in the identity provider's log; if it was deleted, deactivate the account.",
};

fn summary(case: &Case<'_>) -> String {
    match who(case) {
        Some(who) => format!("{who} is no longer in the source, and the account is active."),
        None => "The account's `externalId` names somebody whom the identity provider does not know (any more), and it is active.".to_owned(),
    }
}
