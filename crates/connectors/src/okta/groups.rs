//! The groups that give the app: only to say through which group somebody has it. Okta has
//! already expanded them into the users of the app, so nothing is judged by this list.

use std::collections::BTreeMap;

use domain::{Assignment, Request, Table, Text, Via};
use outbound::Reader;
use serde::Deserialize;

use super::paths;
use super::refusal::Asked;
use crate::live::chain;
use crate::walk::{Counts, End, follow};

/// Groups that a note names; more are counted.
const SHOWN_MAX: usize = 10;

/// The groups of an app.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Names by id; `None`: Okta did not say.
    pub(super) names: BTreeMap<Text, Option<Text>>,
    pub(super) requests: Vec<Request>,
    /// Why they are not all of them; `None`: they are.
    pub(super) missing: Option<String>,
    /// Why nothing more need be asked of Okta; `None`: another request may fare better.
    pub(super) ends_pull: Option<&'static str>,
}

/// Reads the groups of an app.
pub(super) async fn read(reader: &Reader, app_id: &str) -> Groups {
    let mut groups = Groups::default();
    let followed =
        follow(reader, &paths::app_groups(app_id), &Asked::AppGroups, &mut |mut request, body| {
            let added = body.map(|it| add(&mut groups.names, it)).transpose();
            request.n_rows = added.as_ref().ok().copied().flatten().unwrap_or_default().n_rows;
            groups.requests.push(request);
            Ok(added?.unwrap_or_default())
        })
        .await;
    groups.missing = match followed.end {
        End::Whole => None,
        End::Changed(why) => Some(why),
        End::Broken(error) | End::Expired(error) => {
            groups.ends_pull = error.ends_pull();
            Some(chain(&error))
        }
    };
    groups
}

/// Adds one page. A row without an id names no group.
fn add(names: &mut BTreeMap<Text, Option<Text>>, body: &[u8]) -> Result<Counts, String> {
    let rows: Vec<Row> =
        serde_json::from_slice(body).map_err(|_| "the answer is no list of groups".to_owned())?;
    let mut counts = Counts::default();
    for row in rows {
        counts.n_rows += 1;
        let Some(id) = row.id else { continue };
        let name = row.embedded.and_then(|it| it.group?.profile?.name);
        if names.insert(id.into(), name.map(Into::into)).is_none() {
            counts.n_new += 1;
        }
    }
    Ok(counts)
}

impl Groups {
    /// Names the groups of assignments that say only an id.
    pub(super) fn name(&self, assignments: &mut Table<Assignment>) {
        assignments.update(|assignment| {
            let Via::Groups(groups) = &mut assignment.via else { return };
            for group in groups.iter_mut().filter(|it| it.name.is_none()) {
                group.name = self.names.get(&group.id).cloned().flatten();
            }
        });
    }

    /// What the report should say of them; `None`: there are none.
    pub(super) fn note(&self) -> Option<String> {
        if let Some(why) = &self.missing {
            return Some(format!("the groups of the app could not be read: {why}"));
        }
        let shown: Vec<&str> = self
            .names
            .iter()
            .take(SHOWN_MAX)
            .map(|(id, name)| name.as_deref().unwrap_or(id.as_ref()))
            .collect();
        let n_more = self.names.len().saturating_sub(shown.len());
        let more = if n_more > 0 { format!(" and {n_more} more") } else { String::new() };
        (!shown.is_empty()).then(|| format!("groups that give the app: {}{more}", shown.join(", ")))
    }
}

#[derive(Deserialize)]
struct Row {
    id: Option<String>,
    #[serde(rename = "_embedded")]
    embedded: Option<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    group: Option<Group>,
}

#[derive(Deserialize)]
struct Group {
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    name: Option<String>,
}

#[cfg(test)]
mod tests {
    use domain::{Grant, GroupRef, Principal};

    use super::*;

    #[test]
    fn groups_are_named_where_okta_names_them() {
        let mut groups = Groups::default();
        let body =
            br#"[{"id":"00g1","_embedded":{"group":{"profile":{"name":"Finance"}}}},{"id":"00g2"},
            {"id":"00g3","_embedded":{"group":null}},{"id":null,"priority":null}]"#;
        let counts = add(&mut groups.names, body).unwrap();
        assert_eq!((counts.n_rows, counts.n_new), (4, 3));
        assert_eq!(groups.note().unwrap(), "groups that give the app: Finance, 00g2, 00g3");
        let of = |id: &str| Assignment {
            principal: Principal::Identity("00u1".into()),
            via: Via::Groups(vec![GroupRef { id: id.into(), name: None }]),
            grant: Grant::Grants,
            raw_status: None,
            account_id: None,
            user_name: None,
            changed_at: None,
        };
        let mut rows = Table::from(vec![of("00g1"), of("00g2"), of("00g9")]);
        groups.name(&mut rows);
        let names: Vec<_> = rows
            .iter()
            .map(|it| match it.via {
                Via::Groups(groups) => groups[0].name.clone(),
                _ => None,
            })
            .collect();
        assert_eq!(names, [Some("Finance".into()), None, None]);
        for body in ["{}", "<html>", ""] {
            assert!(add(&mut groups.names, body.as_bytes()).is_err(), "{body}");
        }
    }
}
