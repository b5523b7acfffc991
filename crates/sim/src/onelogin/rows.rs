//! How OneLogin writes its objects down, as its published examples have them.

use serde_json::{Value, json};

use crate::subdomain::{AppLogin, OneLoginApp, OneLoginUser};
use crate::wire::timestamp;

/// A user, as the list and `GET` by id give it.
pub(super) fn user(id: u64, user: &OneLoginUser) -> Value {
    json!({
        "id": id,
        "username": user.username,
        "email": user.email,
        "firstname": null,
        "lastname": null,
        "status": user.status,
        "state": user.state,
        "created_at": timestamp(user.created_at),
        "updated_at": timestamp(user.updated_at),
        "activated_at": timestamp(user.created_at),
        "last_login": null,
        "external_id": null,
        "directory_id": null,
        "group_id": null,
        "locked_until": null,
        "member_of": null,
        "samaccountname": null,
    })
}

/// A user, as the list of those who have the app gives it.
pub(super) fn app_user(id: u64, user: &OneLoginUser) -> Value {
    json!({
        "id": id,
        "firstname": null,
        "lastname": null,
        "username": user.username,
        "email": user.email,
    })
}

/// The app, with the roles that give it.
pub(super) fn app(app: &OneLoginApp, roles: &[u64]) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "connector_id": 50534,
        "auth_method": 2,
        "visible": true,
        "provisioning": {"enabled": app.provisions},
        "role_ids": roles,
    })
}

/// The app, as the list of what one user has gives it.
pub(super) fn app_of_user(app: &OneLoginApp, login: &AppLogin) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "icon_url": null,
        "extension": false,
        "login_id": 415_930_448,
        "provisioning_enabled": app.provisions,
        "provisioning_status": login.status,
        "provisioning_state": login.state,
    })
}

/// Another app, which everybody has.
pub(super) fn other_app() -> Value {
    json!({
        "id": 1,
        "name": "Wiki",
        "icon_url": null,
        "extension": false,
        "login_id": 1,
        "provisioning_enabled": false,
        "provisioning_status": "enabled",
        "provisioning_state": "unknown",
    })
}
