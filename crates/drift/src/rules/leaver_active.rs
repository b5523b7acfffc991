//! `leaver-active`: a `Leaver` whose account is `Active`. The reason this program exists.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::LeaverActive,
    title: "a leaver's account is still active",
    severity: Severity::Critical,
    grace: Grace::Hours(4),
    when: When::Verdict,
    summary,
    next_action: "Deactivate the account in the app now, then find out why the deprovisioning did not reach it.",
};

fn summary(case: &Case<'_>) -> String {
    match who(case) {
        Some(who) => format!("{who} has left, and the account is active."),
        None if case.owner.is_some() => {
            "By HR's list its owner has left, and the account is active. No identity provider knows them.".to_owned()
        }
        None => "Everyone who may own this account has left, and it is active.".to_owned(),
    }
}
