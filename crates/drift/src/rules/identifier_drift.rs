//! `identifier-drift`: linked by an immutable id, names or addresses differ. Stands beside the verdict.

use domain::{
    Account, Activity, Cause, Identity, IdentityKind, Lifecycle, LinkKind, Severity, Tier,
    same_name,
};
use graph::{Sighting, Standing};

use crate::case::Case;
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
    let account = &case.row()?.row;
    let is_linked =
        case.link == LinkKind::Linked && case.is_listed() && case.activity == Activity::Active;
    if !is_linked || !is_immutable(case.cx.graph.tier(case.account?)?) {
        return None;
    }
    // Of a user who has left, or is gone, nothing is pushed any more, and a deleted one bears another
    // name.
    if identity.standing != Standing::Listed || identity.row.lifecycle == Lifecycle::Left {
        return None;
    }
    // By its own id it is by now that of somebody whom no list has shown yet.
    if case.cx.graph.ghost(case.account?).is_some() {
        return None;
    }
    let address_differs = match (&account.email, &identity.row.email) {
        (Some(one), Some(other)) => !same_name(one, other),
        _ => false,
    };
    let differs = address_differs || name_differs(case, identity, account);
    differs.then_some((Severity::Low, Grace::Hours(7 * DAY_H)))
}

/// The user name is none that the owner has: not the sign-in name, not the address, and not the
/// one that the identity provider sends to the app.
fn name_differs(case: &Case<'_>, identity: &Sighting<Identity>, account: &Account) -> bool {
    let Some(name) = account.user_name.as_deref() else { return false };
    let own = [identity.row.user_name.as_deref(), identity.row.email.as_deref()];
    if own.iter().flatten().any(|it| same_name(it, name)) {
        return false;
    }
    // A guest's name in the directory is made from the address: the app may have either.
    let is_member = identity.row.kind == IdentityKind::Member;
    let known = own.iter().skip(usize::from(!is_member)).flatten().next();
    let assignments = case.identity.map(|it| case.cx.graph.assignments_of(it)).unwrap_or_default();
    let sent: Vec<&str> = assignments.iter().filter_map(|it| it.row.user_name.as_deref()).collect();
    let is_known = known.is_some() || !sent.is_empty();
    is_known && !sent.iter().any(|it| same_name(it, name))
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
