//! `orphan-active`: an active account that nobody owns.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::OrphanActive,
    title: "an active account that nobody owns",
    severity: Severity::High,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Find out whose it is: link it, register it as non-human with an owner, or deactivate it.",
};

fn summary(case: &Case<'_>) -> String {
    let _ = case;
    "The account is active, and no key of it joins to anybody in the identity providers' complete lists.".to_owned()
}
