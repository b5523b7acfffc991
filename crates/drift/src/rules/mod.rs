//! The rules, one file each. A new one is a file, a line in [`RULES`], a page and a test.

use domain::Activity;

use crate::case::Case;
use crate::rule::Rule;

mod access_invited;
mod ambiguous_link;
mod channel_conflict;
mod disabled_entitled;
mod duplicate_account;
mod external_expired;
mod identifier_drift;
pub(crate) mod leaver_active;
mod leaver_listed;
mod link_conflict;
mod nonhuman_unowned;
mod not_provisioned;
mod orphan_active;
mod owner_left;
mod reactivated;
mod residual_entitlement;
mod source_gone_active;
mod sources_disagree;
mod suspended_active;
mod unassigned_active;
mod vanished;

/// Every rule, in the order of the table of verdicts.
pub const RULES: &[&Rule] = &[
    &leaver_active::RULE,
    &reactivated::RULE,
    &source_gone_active::RULE,
    &external_expired::RULE,
    &unassigned_active::RULE,
    &suspended_active::RULE,
    &leaver_listed::RULE,
    &access_invited::RULE,
    &orphan_active::RULE,
    &disabled_entitled::RULE,
    &vanished::RULE,
    &not_provisioned::RULE,
    &link_conflict::RULE,
    &ambiguous_link::RULE,
    &duplicate_account::RULE,
    &sources_disagree::RULE,
    &channel_conflict::RULE,
    &owner_left::RULE,
    &nonhuman_unowned::RULE,
    &residual_entitlement::RULE,
    &identifier_drift::RULE,
];

/// Names the owner by key; `None` where there is no single owner.
fn who(case: &Case<'_>) -> Option<String> {
    case.identity.map(|it| format!("`{}`", case.cx.graph.identity_key(it)))
}

/// What another source says against giving the owner access, with a space before it; empty where none
/// does.
fn left_elsewhere(case: &Case<'_>) -> &'static str {
    match case.has_left_elsewhere() {
        true if case.starts().hr.is_some() => " HR states that they have left.",
        true => " Another source says that they have left.",
        false => "",
    }
}

/// Seen, and not shown to be off.
const fn may_be_used(activity: Activity) -> bool {
    matches!(activity, Activity::Active | Activity::Invited | Activity::NotStated)
}

#[cfg(test)]
mod tests {
    use domain::Cause;

    use super::*;

    #[test]
    fn every_cause_has_one_rule() {
        let ruled: Vec<Cause> = RULES.iter().map(|it| it.cause).collect();
        assert_eq!(ruled, Cause::ALL);
    }
}
