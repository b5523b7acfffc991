//! How sure a report can be of one app: no surer than the worst list it rests on.

use domain::{Grade, Proof};
use graph::{Estate, ListView};

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
    for list in estate.hr.iter().filter(|it| it.latest.is_none() || it.is_stand_in) {
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
