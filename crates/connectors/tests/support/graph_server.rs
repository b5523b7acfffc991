//! A tenant of a few people on a loopback socket, as Microsoft Graph shows it: lists in pages with
//! next links in the body, deleted users, one object by id, the app, its job and its log.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) use crate::server::Reply;
use crate::server::{Answers, Server, number};

/// The application id of the app that everything is about, and its object id.
pub(crate) const APP: &str = "c2000000-0000-4000-8000-000000000002";
pub(crate) const PRINCIPAL: &str = "c1000000-0000-4000-8000-000000000001";

/// A tenant that answers.
pub(crate) type GraphServer = Server<Tenant>;

/// What the tenant holds. A test changes it before, or while, it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tenant {
    pub(crate) users: Vec<Value>,
    pub(crate) deleted: Vec<Value>,
    pub(crate) assigned: Vec<Value>,
    /// Members of groups, by the group's id.
    pub(crate) members: BTreeMap<String, Vec<Value>>,
    pub(crate) log: Vec<Value>,
    /// Most rows of one page of every list.
    pub(crate) page_rows: usize,
}

impl Tenant {
    /// `n` people, all of them enabled and assigned, two on a page.
    pub(crate) fn of(n: usize) -> Self {
        Self {
            users: (1..=n).map(|it| user(it, true)).collect(),
            assigned: (1..=n).map(|it| assigned(it, "User", &id(it))).collect(),
            page_rows: 2,
            ..Self::default()
        }
    }
}

/// The object id of a user.
pub(crate) fn id(n: usize) -> String {
    format!("a1000000-0000-4000-8000-{n:012}")
}

/// The object id of a group.
pub(crate) fn group(n: usize) -> String {
    format!("b1000000-0000-4000-8000-{n:012}")
}

/// A user as the list of users shows them.
pub(crate) fn user(n: usize, is_enabled: bool) -> Value {
    json!({"id": id(n), "userPrincipalName": format!("u{n}@acme.test"), "mail": null,
        "displayName": format!("User {n}"), "accountEnabled": is_enabled, "userType": "Member",
        "createdDateTime": "2024-05-02T08:11:09Z", "employeeId": null,
        "employeeLeaveDateTime": null, "onPremisesImmutableId": null})
}

/// A user as the list of deleted users shows them.
pub(crate) fn deleted(n: usize) -> Value {
    json!({"id": id(n), "userPrincipalName": format!("{}u{n}@acme.test", id(n).replace('-', "")),
        "mail": format!("u{n}@acme.test"), "deletedDateTime": "2026-11-20T17:02:11Z"})
}

/// A row of the list of assignments.
pub(crate) fn assigned(n: usize, kind: &str, principal: &str) -> Value {
    json!({"id": format!("row-{n}"), "appRoleId": "00000000-0000-0000-0000-000000000000",
        "createdDateTime": "2025-03-01T12:00:00.1234567Z", "deletedDateTime": null,
        "principalId": principal, "principalType": kind, "principalDisplayName": format!("P{n}"),
        "resourceId": PRINCIPAL, "resourceDisplayName": "Secureframe"})
}

/// A row of the list of members.
pub(crate) fn member(kind: &str, id: &str) -> Value {
    json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id})
}

/// An event of the provisioning log about a user.
pub(crate) fn event(nth: usize, at: &str, status: &str, n: usize) -> Value {
    json!({"id": format!("e{nth}"), "activityDateTime": at, "provisioningAction": "disable",
        "provisioningStatusInfo": {"status": status, "errorInformation": null},
        "servicePrincipal": {"id": PRINCIPAL}, "sourceIdentity": {"id": id(n), "identityType": "User"}})
}

/// Graph's own error.
pub(crate) fn error(status: u16, code: &str) -> Reply {
    let body = json!({"error": {"code": code, "message": "Of u1@acme.test.",
        "innerError": {"request-id": "1111-22"}}});
    Reply::text(status, "application/json", &body.to_string())
}

impl Answers for Tenant {
    const REQUEST_ID: &'static str = "request-id";

    fn answer(&mut self, base: &str, path: &str) -> Reply {
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = place.trim_start_matches("/v1.0/").split('/').collect();
        let page = |rows: &[Value]| self.page(base, rows, place, query);
        match parts.as_slice() {
            ["users"] => page(&self.users),
            ["users", id] => one(&self.users, id),
            ["users", id, "appRoleAssignments"] => page(&self.assigned_to(id)),
            ["directory", "deletedItems", "microsoft.graph.user"] => page(&self.deleted),
            ["directory", "deletedItems", id] => one(&self.deleted, id),
            ["servicePrincipals"] if query.contains(APP) => page(&[json!({"id": PRINCIPAL,
                "appId": APP, "displayName": "Secureframe", "accountEnabled": true,
                "appRoleAssignmentRequired": true})]),
            ["servicePrincipals"] => page(&[]),
            ["servicePrincipals", _, "appRoleAssignedTo"] => page(&self.assigned),
            ["servicePrincipals", _, "synchronization", "jobs"] => page(&[json!({"id": "scim.1",
                "schedule": {"state": "Active"}, "status": {"code": "Active", "quarantine": null,
                "lastSuccessfulExecution": {"timeEnded": "2026-11-24T01:40:00Z"}}})]),
            ["groups", id, "members"] => page(&self.members.get(*id).cloned().unwrap_or_default()),
            ["groups", id] => Reply::json(&json!({"id": id, "visibility": null})),
            ["auditLogs", "provisioning"] => page(&self.log),
            _ => error(404, "BadRequest"),
        }
    }
}

impl Tenant {
    /// What is assigned to a user, by hand or as a direct member of a group.
    fn assigned_to(&self, id: &str) -> Vec<Value> {
        let is_member = |group: &str| {
            self.members.get(group).is_some_and(|it| it.iter().any(|it| it["id"] == *id))
        };
        let is_theirs = |it: &&Value| {
            it["principalId"] == *id || it["principalId"].as_str().is_some_and(is_member)
        };
        self.assigned.iter().filter(is_theirs).cloned().collect()
    }

    /// A page of a list. Its next one is named by where it begins.
    fn page(&self, base: &str, rows: &[Value], place: &str, query: &str) -> Reply {
        let from = number(query, "$skiptoken=").unwrap_or_default();
        let page: Vec<Value> = rows.iter().skip(from).take(self.page_rows).cloned().collect();
        let mut body = json!({"@odata.context": "https://graph.test/$metadata", "value": page});
        if from + self.page_rows < rows.len() {
            let next = from + self.page_rows;
            body["@odata.nextLink"] = json!(format!("{base}{place}?$skiptoken={next}"));
        }
        Reply::json(&body)
    }
}

fn one(rows: &[Value], id: &str) -> Reply {
    match rows.iter().find(|it| it["id"] == *id) {
        Some(row) => Reply::json(row),
        None => error(404, "Request_ResourceNotFound"),
    }
}
