//! How sure a report can be of one app: no surer than the worst list it rests on.

use domain::{Grade, Grant, Principal, Proof};
use graph::{Estate, IdpView, ListView, Standing};
use rustc_hash::FxHashSet;

use crate::policy::AppRules;

/// The grade of one list, and why it is not better; `None` for A.
#[must_use]
pub fn list_grade(estate: &Estate, list: &ListView) -> (Grade, Option<String>) {
    let stream = &list.stream;
    let Some(latest) = list.latest.map(|it| estate.snapshot(it)) else {
        return (Grade::F, Some(format!("{stream}: no data")));
    };
    if latest.is_stale {
        return (
            Grade::F,
            Some(format!("{stream}: the newest list is too old to support a claim")),
        );
    }
    match list.base.map(|it| &estate.snapshot(it).reference.coverage) {
        None => {
            let why = list.why_no_base.as_deref().unwrap_or("not seen whole");
            (Grade::C, Some(format!("{stream}: {why}")))
        }
        Some(_) if list.base != list.latest || list.why_no_base.is_some() => {
            let why = list.why_no_base.as_deref().unwrap_or("the newest list is not whole");
            (Grade::C, Some(format!("{stream}: an older complete list stands in; {why}")))
        }
        Some(_) if list.is_live => (Grade::A, None),
        Some(domain::Coverage::Complete(Proof::YourWord)) => {
            (Grade::B, Some(format!("{stream}: whole on your word")))
        }
        Some(domain::Coverage::Complete(Proof::DeclaredWhole)) => (
            Grade::B,
            Some(format!("{stream}: an export, declared whole; it cannot be asked again")),
        ),
        Some(_) => {
            (Grade::B, Some(format!("{stream}: complete; suspects were not asked again by id")))
        }
    }
}

/// The grade of one app, and why it is not better, a sentence each.
#[must_use]
pub fn app_grade(estate: &Estate, rules: &AppRules) -> (Grade, Vec<String>) {
    let idps = estate.idps.iter().flat_map(|it| {
        std::iter::once(&it.identities).chain(&it.assignments).chain(&it.memberships)
    });
    let grades: Vec<(Grade, Option<String>)> =
        estate.channels.iter().chain(idps).map(|it| list_grade(estate, it)).collect();
    let mut worst = grades.iter().map(|it| it.0).max().unwrap_or(Grade::F);
    if estate.idps.iter().any(|it| it.assignments.is_none()) {
        worst = worst.max(Grade::C); // Assignment is not judged at all.
    }
    let seen = |list: &ListView| list_grade(estate, list).0 != Grade::F;
    let sees_app = estate.channels.iter().any(seen);
    let sees_idp = estate.idps.iter().any(|it| seen(&it.identities));
    if worst == Grade::F && sees_app && sees_idp {
        worst = Grade::C; // Something was seen on both sides.
    }
    let mut reasons: Vec<String> = grades.into_iter().filter_map(|it| it.1).collect();
    for idp in estate.idps.iter().filter(|it| it.assignments.is_none()) {
        reasons.push(format!(
            "{}: has no assignment list, so only leavers can be convicted, never assignment judged",
            idp.id
        ));
    }
    for (at, idp) in estate.idps.iter().enumerate() {
        let n = n_unread_groups(estate, at, idp);
        if n > 0 {
            worst = worst.max(Grade::C); // Who of them has the app is not known.
            let (groups, their) = if n == 1 { ("group", "its") } else { ("groups", "their") };
            reasons.push(format!(
                "{}: {n} assigned {groups} without a member in any list: give {their} members, the list of each group as a file of its own",
                idp.id
            ));
        }
    }
    for list in estate.hr.iter().filter(|it| !is_of_today(estate, it)) {
        worst = worst.max(Grade::C); // Leavers of whom HR alone knows are not seen.
        reasons.extend(list_grade(estate, list).1);
    }
    let authority = rules.authority.as_ref();
    let is_hr = authority.is_some_and(|it| !estate.idps.iter().any(|idp| idp.id == *it));
    if is_hr
        && !estate.hr.iter().any(|it| Some(&it.stream.system) == authority && it.base.is_some())
    {
        worst = worst.max(Grade::C);
        reasons.push("the lifecycle authority was not seen whole in this run".to_owned());
    }
    if estate.idps.is_empty() {
        reasons.push("no identity provider is bound to the app".to_owned());
    }
    if rules.canaries.is_empty() {
        worst = worst.max(Grade::B);
        reasons.push("no canary is configured".to_owned());
    }
    (worst, reasons)
}

/// Groups that an IdP assigns, and that no list has a member of. A provider that was asked for the
/// members of each group shows itself which one is empty.
fn n_unread_groups(estate: &Estate, at: usize, idp: &IdpView) -> usize {
    if idp.memberships.as_ref().is_some_and(|it| it.is_live) {
        return 0;
    }
    let mine = |system: u16| usize::from(system) == at;
    let members = estate.memberships.iter();
    let members = members.filter(|it| mine(it.system) && it.standing == Standing::Listed);
    let read: FxHashSet<&str> = members.map(|it| &*it.row.group).collect();
    let given = estate.assignments.iter().filter(|it| {
        mine(it.system) && it.standing == Standing::Listed && it.row.grant == Grant::Grants
    });
    let groups: FxHashSet<&str> = given
        .filter_map(|it| match &it.row.principal {
            Principal::Group(group) => Some(&**group),
            Principal::Identity(_) => None,
        })
        .collect();
    groups.difference(&read).count()
}

/// This run read the list, it is not too old, and it is not held.
fn is_of_today(estate: &Estate, list: &ListView) -> bool {
    let latest = list.latest.map(|it| estate.snapshot(it));
    !list.is_stand_in && latest.is_some_and(|it| !it.is_stale && it.reference.held.is_none())
}
