//! The direct members of the groups that give the app. Members of a group within a group get
//! nothing: neither assignment nor provisioning cascades.
//!
//! Source: Microsoft Graph v1.0, list group members. Of a group with hidden membership nobody is
//! shown without `Member.Read.Hidden`.

use domain::{GroupRef, List, Principal, Rows};
use serde::Deserialize;

use super::refusal::Asked;
use super::{Entra, paths};
use crate::crosscheck::shown;
use crate::gather::Gather;
use crate::live::chain;
use crate::walk::{self, End, Plan, Walked};

/// Members of all groups, in one list.
pub(super) struct Members {
    pub(super) walked: Walked,
    /// Why they are not all there; empty: they are.
    pub(super) reasons: Vec<String>,
}

/// Reads the members of each group. `None`: the profile gives no such list.
pub(super) async fn read(
    gather: &mut Gather,
    entra: &Entra,
    groups: &[GroupRef],
) -> Option<Members> {
    let mut all = Members { walked: Walked::empty(plan(entra, "", None))?, reasons: Vec::new() };
    let mut failed = None;
    for (nth, group) in groups.iter().enumerate() {
        if let Some(why) = gather.stopped {
            let n = groups.len() - nth;
            all.reasons.push(format!("the members of {n} groups were not read, because {why}"));
            break;
        }
        let path = paths::members(&group.id);
        let plan = plan(entra, &path, Some(&group.id));
        let mut walked = walk::walk(&gather.reader, plan, &mut gather.brought.requests).await?;
        gather.stop_after(&walked, &Asked::Members);
        let name = named(group);
        match std::mem::replace(&mut walked.end, End::Whole) {
            End::Whole if walked.list.rows.is_empty() => {
                all.reasons.extend(hidden(gather, group).await);
            }
            End::Whole => {}
            End::Changed(why) => {
                all.reasons
                    .push(format!("the members of {name} changed while they were read: {why}"));
            }
            End::Broken(error) | End::Expired(error) => {
                let why = chain(&error);
                all.reasons.push(format!("the members of {name} could not all be read: {why}"));
                failed = failed.or(Some(error));
            }
        }
        walked.list.notes = nested(&walked.list.rows, &name).into_iter().collect();
        all.walked.append(walked);
    }
    if all.walked.list.rows.is_empty()
        && let Some(error) = failed
    {
        all.walked.end = End::Broken(error);
    }
    Some(all)
}

pub(super) fn plan<'p>(entra: &'p Entra, path: &'p str, group: Option<&'p str>) -> Plan<'p> {
    let system = &entra.config.system;
    let profile = &entra.members;
    Plan { system, profile, path, dialect: &Asked::Members, skips_identities: false, group }
}

/// How people call a group.
fn named(group: &GroupRef) -> String {
    match &group.name {
        Some(name) => format!("`{name}` ({})", group.id),
        None => group.id.to_string(),
    }
}

/// That a group holds groups. `None`: it holds none.
fn nested(rows: &Rows, name: &str) -> Option<String> {
    let Rows::Memberships(rows) = rows else { return None };
    let groups = rows.iter_packed().filter_map(|it| match it.member {
        Principal::Group(id) => Some(id),
        Principal::Identity(_) => None,
    });
    let groups: Vec<_> = groups.collect();
    (!groups.is_empty()).then(|| {
        format!(
            "{name} holds groups ({}), whose members get nothing through it: assign those groups themselves, or make their members its own",
            shown(&groups)
        )
    })
}

/// Why a group that shows nobody may have members. `None`: it has none.
async fn hidden(gather: &mut Gather, group: &GroupRef) -> Option<String> {
    let name = named(group);
    let body = match gather.ask(&paths::group(&group.id), &Asked::Group).await {
        Ok(body) => body,
        Err(refused) => {
            let why = chain(&refused.error);
            return Some(format!(
                "{name} shows no member, and whether it hides them is not known: {why}"
            ));
        }
    };
    let visibility = serde_json::from_slice::<Group>(&body).ok().and_then(|it| it.visibility);
    (visibility.as_deref() == Some("HiddenMembership")).then(|| {
        format!(
            "{name} hides its members: grant the app registration the application permission `Member.Read.Hidden`, with admin consent"
        )
    })
}

#[derive(Deserialize)]
struct Group {
    visibility: Option<String>,
}

/// The groups that a list of assignments names, each once, in order of the list.
pub(super) fn of(assigned: &Walked) -> Vec<GroupRef> {
    assert!(assigned.list.rows.list() == List::Assignments, "groups are those of assignments");
    let Rows::Assignments(rows) = &assigned.list.rows else { return Vec::new() };
    rows.iter()
        .filter_map(|it| match (&it.principal, &it.via) {
            (Principal::Group(_), domain::Via::Groups(groups)) => groups.first().cloned(),
            _ => None,
        })
        .collect()
}
