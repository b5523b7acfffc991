//! `identifier-drift`: linked by an immutable id, names or addresses differ. Stands beside the verdict.

use domain::{Activity, Cause, IdentityKind, LinkKind, Severity, Tier};

use crate::case::Case;
use crate::names::same;
use crate::rule::DAY_H;
use crate::rule::{Grace, Rule, When};

pub(crate) const RULE: Rule = Rule {
    cause: Cause::IdentifierDrift,
    title: "linked by an immutable id, names or addresses differ",
    severity: Severity::Low,
    grace: Grace::Hours(7 * DAY_H),
    when: When::Beside(when),
    summary,
    next_action: "Let the identity provider push the profile again, or correct the name in the app.",
};

fn when(case: &Case<'_>) -> Option<(Severity, Grace)> {
    let identity = case.cx.graph.estate().identities.get(case.identity?)?;
    let account = case.row()?.row;
    let is_linked =
        case.link == LinkKind::Linked && case.is_listed() && case.activity == Activity::Active;
    if !is_linked || !is_immutable(case.cx.graph.tier(case.account?)?) {
        return None;
    }
    // The user name that the IdP sends may be another than the one it is signed in with.
    let mut sent = case
        .cx
        .graph
        .assignments_of(case.identity?)
        .into_iter()
        .filter_map(|it| it.row.user_name.as_deref());
    // A guest's name in the directory is made from the address, and never is the app's.
    let own = identity.row.user_name.as_deref().filter(|_| identity.row.kind == IdentityKind::Member);
    let name_differs = account.user_name.as_deref().is_some_and(|name| {
        let known = own.into_iter().chain(sent.by_ref()).chain(identity.row.email.as_deref());
        let mut known = known.peekable();
        known.peek().is_some() && !known.any(|it| same(it, name))
    });
    let address_differs = match (&account.email, &identity.row.email) {
        (Some(one), Some(other)) => !same(one, other),
        _ => false,
    };
    (name_differs || address_differs).then_some((Severity::Low, Grace::Hours(7 * DAY_H)))
}

/// A person's decision is no id: it was made because the identifiers differ.
const fn is_immutable(tier: Tier) -> bool {
    matches!(tier, Tier::AccountId | Tier::ExternalId | Tier::EmployeeNumber)
}

fn summary(case: &Case<'_>) -> String {
    let _ = case;
    "The account is linked by an immutable id, and its user name or address is not the owner's."
        .to_owned()
}
