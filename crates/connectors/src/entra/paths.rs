//! What Graph is asked for: paths and queries below `https://GRAPH/v1.0/`, each as its reference
//! describes it.
//!
//! Source: Microsoft Graph v1.0 reference.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::path::encoded;

/// Members of a user that are read. `accountEnabled` and `userType` come only when they are named;
/// `employeeLeaveDateTime` stays empty without `User-LifeCycleInfo.Read.All`.
const USER: &str = "id,userPrincipalName,mail,displayName,accountEnabled,userType,createdDateTime,\
    employeeId,employeeLeaveDateTime,onPremisesImmutableId";

/// Members of a deleted user that are read.
const DELETED_USER: &str = "id,userPrincipalName,mail,displayName,userType,createdDateTime,\
    deletedDateTime,employeeId,onPremisesImmutableId";

/// Users, 999 a page, which is the most, with these members besides.
pub(super) fn users(more: &[&str]) -> String {
    format!("users?$select={}&$top=999", selected(more))
}

/// What is selected of a user: members that are named twice come once.
fn selected(more: &[&str]) -> String {
    let is_new = |it: &&&str| !USER.split(',').any(|known| known == **it);
    let more = more.iter().filter(is_new).map(|it| format!(",{it}"));
    std::iter::once(USER.to_owned()).chain(more).collect()
}

/// One user, whoever it is.
pub(super) fn one_user() -> String {
    "users?$select=id,accountEnabled&$top=1".to_owned()
}

/// Some users, with these members besides.
pub(super) fn some_users(more: &[&str]) -> String {
    format!("users?$select={}&$top=20", selected(more))
}

/// One user, by object id, with these members besides.
pub(super) fn user(id: &str, more: &[&str]) -> String {
    format!("users/{}?$select={}", encoded(id), selected(more))
}

/// Users who were deleted in the last 30 days. The cast names which kind of object.
pub(super) fn deleted_users() -> String {
    format!("directory/deletedItems/microsoft.graph.user?$select={DELETED_USER}")
}

/// One deleted object, by id.
pub(super) fn deleted_user(id: &str) -> String {
    format!("directory/deletedItems/{}", encoded(id))
}

/// The service principal of an application id: the enterprise app in this tenant.
pub(super) fn app(app_id: &str) -> String {
    let filter = encoded(&format!("appId eq '{}'", app_id.replace('\'', "''")));
    format!(
        "servicePrincipals?$filter={filter}&$select=id,appId,displayName,accountEnabled,appRoleAssignmentRequired"
    )
}

/// Who is assigned to a service principal: 999 a page, which is the most. Without `$top` some
/// tenants give one page and no link to the next.
pub(super) fn assigned(principal: &str) -> String {
    format!("servicePrincipals/{}/appRoleAssignedTo?$top=999", encoded(principal))
}

/// What one user is assigned of a service principal, by hand or as a direct member of a group.
pub(super) fn assigned_to_user(user: &str, principal: &str) -> String {
    let filter = encoded(&format!("resourceId eq {principal}"));
    format!("users/{}/appRoleAssignments?$filter={filter}", encoded(user))
}

/// Direct members of a group, of every kind; 999 a page, which is the most.
pub(super) fn members(group: &str) -> String {
    format!("groups/{}/members?$select=id&$top=999", encoded(group))
}

/// What a group lets others see.
pub(super) fn group(id: &str) -> String {
    format!("groups/{}?$select=id,visibility", encoded(id))
}

/// The provisioning jobs of a service principal.
pub(super) fn jobs(principal: &str) -> String {
    format!("servicePrincipals/{}/synchronization/jobs", encoded(principal))
}

/// What provisioning to a service principal did after a time.
pub(super) fn log(principal: &str, since: DateTime<Utc>) -> String {
    let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
    let filter = format!("activityDateTime gt {since} and servicePrincipal/id eq '{principal}'");
    format!("auditLogs/provisioning?$filter={}", encoded(&filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_asked_for_with_what_does_not_come_by_itself() {
        let path = users(&["department", "mail"]);
        assert!(path.contains("accountEnabled") && path.contains("userType"), "{path}");
        assert!(path.ends_with("&$top=999") && !path.contains(' '), "{path}");
        // What is read anyway comes once.
        assert!(path.contains(",department&$top") && path.matches("mail").count() == 1, "{path}");
    }

    #[test]
    fn ids_cannot_leave_their_place() {
        assert!(user("a#EXT#@b/../c", &[]).starts_with("users/a%23EXT%23%40b%2F..%2Fc?$select="));
        assert!(app("x' or 1 eq 1").contains("%27x%27%27%20or"));
        assert_eq!(
            assigned_to_user("u", "c1 or true"),
            "users/u/appRoleAssignments?$filter=resourceId%20eq%20c1%20or%20true"
        );
    }
}
