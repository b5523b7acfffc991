//! How Okta writes its objects down: every member that the published examples have and that a
//! reader could miss.

use serde_json::{Value, json};

use crate::wire::{put, timestamp};
use crate::world::{AppUser, Group, OktaUser, World};

/// A user, as lists and `GET` by id give it.
pub(super) fn user(world: &World, url: &str, id: &str, user: &OktaUser) -> Value {
    let person = user.employee_number.as_ref().and_then(|it| world.people.get(it));
    let mut profile = json!({
        "login": user.login,
        "email": user.email,
        "firstName": person.map(|it| &it.given_name),
        "lastName": person.map(|it| &it.family_name),
        "mobilePhone": null,
        "secondEmail": null,
    });
    if let Some(number) = &user.employee_number {
        put(&mut profile, "employeeNumber", number.as_str());
    }
    if let Some(day) = user.ends_on {
        put(&mut profile, "contractEnd", day.to_string());
    }
    let is_activated = user.status != "STAGED";
    json!({
        "id": id,
        "status": user.status,
        "created": timestamp(user.created_at),
        "activated": is_activated.then(|| timestamp(user.created_at)),
        "statusChanged": user.status_changed_at.map(timestamp),
        "lastLogin": user.last_login_at.map(timestamp),
        "lastUpdated": timestamp(user.updated_at),
        "passwordChanged": null,
        "type": {"id": "oty1"},
        "profile": profile,
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": format!("{url}/api/v1/users/{id}")}},
    })
}

/// One user of the application.
pub(super) fn app_user(
    world: &World,
    url: &str,
    id: &str,
    app_user: &AppUser,
    is_expanded: bool,
) -> Value {
    let app = &world.okta.app.id;
    let mut row = json!({
        "id": id,
        "created": timestamp(app_user.created_at),
        "lastUpdated": timestamp(app_user.status_changed_at.unwrap_or(app_user.created_at)),
        "scope": if app_user.group.is_some() { "GROUP" } else { "USER" },
        "status": app_user.status,
        "statusChanged": app_user.status_changed_at.map(timestamp),
        "passwordChanged": null,
        // The common value; it says nothing of whether Okta pushes.
        "syncState": "DISABLED",
        "credentials": {"userName": app_user.user_name},
        "profile": {"email": app_user.user_name},
        "_links": {
            "app": {"href": format!("{url}/api/v1/apps/{app}")},
            "user": {"href": format!("{url}/api/v1/users/{id}")},
        },
    });
    if let Some(external_id) = &app_user.external_id {
        put(&mut row, "externalId", external_id.as_str());
    }
    if let (true, Some(found)) = (is_expanded, world.okta.users.get(id)) {
        put(&mut row, "_embedded", json!({"user": user(world, url, id, found)}));
    }
    row
}

/// The application.
pub(super) fn app(world: &World, url: &str) -> Value {
    let app = &world.okta.app;
    let mut features = Vec::new();
    if let Some(on) = app.provisioning {
        for (is_on, feature) in [
            (on.creates, "PUSH_NEW_USERS"),
            (on.updates, "PUSH_PROFILE_UPDATES"),
            (on.deactivates, "PUSH_USER_DEACTIVATION"),
        ] {
            features.extend(is_on.then_some(feature));
        }
    }
    json!({
        "id": app.id,
        "name": app.name,
        "label": app.label,
        "status": app.status,
        "created": timestamp(world.begins_at),
        "lastUpdated": timestamp(world.begins_at),
        "signOnMode": "SAML_2_0",
        "features": features,
        "_links": {"users": {"href": format!("{url}/api/v1/apps/{}/users", app.id)}},
    })
}

/// What Okta does in the application; `None`: provisioning is not set up.
pub(super) fn features(world: &World, url: &str) -> Option<Value> {
    let on = world.okta.app.provisioning?;
    let app = &world.okta.app.id;
    let word = |is_on: bool| if is_on { "ENABLED" } else { "DISABLED" };
    Some(json!([{
        "name": "USER_PROVISIONING",
        "status": "ENABLED",
        "description": "User provisioning settings from Okta to a downstream application",
        "capabilities": {
            "create": {"lifecycleCreate": {"status": word(on.creates)}},
            "update": {
                "profile": {"status": word(on.updates)},
                "lifecycleDeactivate": {"status": word(on.deactivates)},
                "password": {"status": "DISABLED", "seed": "RANDOM", "change": "KEEP_EXISTING"},
            },
        },
        "_links": {"self": {
            "href": format!("{url}/api/v1/apps/{app}/features/USER_PROVISIONING"),
            "hints": {"allow": ["GET", "PUT"]},
        }},
    }]))
}

/// A group of the organization.
pub(super) fn group(world: &World, id: &str, group: &Group) -> Value {
    json!({
        "id": id,
        "created": timestamp(world.begins_at),
        "lastUpdated": timestamp(world.begins_at),
        "lastMembershipUpdated": timestamp(world.begins_at),
        "objectClass": ["okta:user_group"],
        "type": "OKTA_GROUP",
        "profile": {"name": group.name, "description": null},
    })
}

/// A group to which the application is assigned.
pub(super) fn app_group(world: &World, id: &str, found: &Group, is_expanded: bool) -> Value {
    let mut row = json!({
        "id": id,
        "priority": 0,
        "lastUpdated": timestamp(world.begins_at),
        "profile": {},
    });
    if is_expanded {
        put(&mut row, "_embedded", json!({"group": group(world, id, found)}));
    }
    row
}
