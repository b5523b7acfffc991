//! How Graph writes its objects down: every member that a reader could miss, and of a user only
//! what is selected.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::tenant::{EntraApp, EntraAssignment, EntraJob, EntraUser, ProvisioningEvent, Tenant};
use crate::wire::{Ask, put, timestamp};

/// Members of a user that come where nothing is selected.
const DEFAULT: &[&str] = &["id", "displayName", "mail", "userPrincipalName"];

/// A user, as lists and `GET` by id give it.
pub(super) fn user(id: &str, user: &EntraUser, ask: &Ask) -> Value {
    let mut row = json!({
        "id": id,
        "userPrincipalName": user.principal_name,
        "mail": user.mail,
        "displayName": user.principal_name,
        "accountEnabled": user.is_enabled,
        "userType": if user.is_guest { "Guest" } else { "Member" },
        "createdDateTime": timestamp(user.created_at),
        "employeeId": user.employee_number,
        "employeeLeaveDateTime": user.leaves_at.map(timestamp),
        "onPremisesImmutableId": null,
    });
    for (name, value) in &user.more {
        put(&mut row, name, value.clone());
    }
    let selected = ask.param("$select");
    let is_wanted = |name: &str| match &selected {
        Some(names) => names.split(',').any(|it| it == name),
        None => DEFAULT.contains(&name),
    };
    if let Value::Object(members) = &mut row {
        members.retain(|name, _| is_wanted(name));
    }
    row
}

/// A user who was deleted. The sign-in name has the object id in front.
pub(super) fn deleted_user(id: &str, user: &EntraUser) -> Value {
    json!({
        "id": id,
        "userPrincipalName": format!("{}{}", id.replace('-', ""), user.principal_name),
        "mail": user.mail,
        "displayName": user.principal_name,
        "userType": if user.is_guest { "Guest" } else { "Member" },
        "createdDateTime": timestamp(user.created_at),
        "deletedDateTime": user.deleted_at.map(timestamp),
        "employeeId": user.employee_number,
    })
}

/// The enterprise app.
pub(super) fn app(app: &EntraApp) -> Value {
    json!({
        "id": app.id,
        "appId": app.app_id,
        "displayName": app.name,
        "accountEnabled": app.is_enabled,
        "appRoleAssignmentRequired": app.needs_assignment,
    })
}

/// One assignment of a user or a group.
pub(super) fn assignment(tenant: &Tenant, id: &str, assignment: &EntraAssignment) -> Value {
    let principal = &assignment.principal;
    let name = match assignment.is_group {
        true => tenant.groups.get(principal).map(|it| &it.name),
        false => tenant.users.get(principal).map(|it| &it.principal_name),
    };
    json!({
        "id": id,
        "appRoleId": "00000000-0000-0000-0000-000000000000",
        "createdDateTime": timestamp(assignment.created_at),
        "deletedDateTime": null,
        "principalDisplayName": name,
        "principalId": principal,
        "principalType": if assignment.is_group { "Group" } else { "User" },
        "resourceDisplayName": tenant.app.name,
        "resourceId": tenant.app.id,
    })
}

/// A provisioning job that ended a cycle a moment ago.
pub(super) fn job(job: &EntraJob, now: DateTime<Utc>) -> Value {
    let quarantine = job.quarantine.as_ref().map(|it| {
        json!({"reason": it, "currentBegan": timestamp(now), "nextAttempt": null, "error": null})
    });
    let ended = timestamp(now - TimeDelta::minutes(20));
    json!({
        "id": "scim.job1",
        "templateId": "scim",
        "schedule": {"interval": "PT40M", "state": "Active", "expiration": null},
        "status": {
            "code": job.code,
            "quarantine": quarantine,
            "lastSuccessfulExecution": {"state": "Succeeded", "timeEnded": ended, "error": null},
        },
    })
}

/// One event of the provisioning log.
pub(super) fn event(tenant: &Tenant, id: &str, event: &ProvisioningEvent) -> Value {
    json!({
        "id": id,
        "activityDateTime": timestamp(event.at),
        "jobId": "scim.job1",
        "provisioningAction": event.action,
        "provisioningStatusInfo": {"status": event.status, "errorInformation": null},
        "servicePrincipal": {"id": tenant.app.id, "displayName": tenant.app.name},
        "sourceIdentity": {"id": event.user, "identityType": "User", "details": {}},
        "targetIdentity": {"id": "", "identityType": "User", "details": {}},
    })
}
