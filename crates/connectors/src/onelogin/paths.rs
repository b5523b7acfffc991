//! What OneLogin is asked for: paths and queries below `https://SUBDOMAIN.onelogin.com/api/2/`, each
//! as its API describes it.
//!
//! Source: OneLogin API 2.

use crate::path::encoded;

/// Users of every status, 100 a page, which is the most.
pub(super) fn users() -> String {
    "users?limit=100".to_owned()
}

/// One user of any status.
pub(super) fn one_user() -> String {
    "users?limit=1".to_owned()
}

/// One user, by id.
pub(super) fn user(id: &str) -> String {
    format!("users/{}", encoded(id))
}

/// The apps that one user has. Without the query those are left out that the portal does not show.
pub(super) fn user_apps(id: &str) -> String {
    format!("{}/apps?ignore_visibility=true", user(id))
}

/// The app.
pub(super) fn app(app_id: &str) -> String {
    format!("apps/{}", encoded(app_id))
}

/// Who has the app, by role, group or hand; 1000 a page, which is the most.
pub(super) fn app_users(app_id: &str) -> String {
    format!("{}/users?limit=1000", app(app_id))
}

/// One user of the app.
pub(super) fn one_app_user(app_id: &str) -> String {
    format!("{}/users?limit=1", app(app_id))
}

/// Roles that give the app, as many as one page holds.
pub(super) fn roles(app_id: &str) -> String {
    format!("roles?limit=100&app_id={}", encoded(app_id))
}

/// The query of the next page of a list. The cursor holds everything else that was asked.
pub(super) fn next(cursor: &str) -> String {
    format!("?cursor={}", encoded(cursor))
}
