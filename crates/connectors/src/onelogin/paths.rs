//! What OneLogin is asked for: paths and queries below `https://SUBDOMAIN.onelogin.com/api/`, each as
//! its API describes it.
//!
//! Source: OneLogin API 2, and API 1 for events.

use crate::path::encoded;

/// Users of every status, 100 a page, which is the most.
pub(super) fn users() -> String {
    "2/users?limit=100".to_owned()
}

/// One user of any status.
pub(super) fn one_user() -> String {
    "2/users?limit=1".to_owned()
}

/// One user, by id.
pub(super) fn user(id: &str) -> String {
    format!("2/users/{}", encoded(id))
}

/// The apps that one user has. Without the query those are left out that the portal does not show.
pub(super) fn user_apps(id: &str) -> String {
    format!("{}/apps?ignore_visibility=true", user(id))
}

/// The app.
pub(super) fn app(app_id: &str) -> String {
    format!("2/apps/{}", encoded(app_id))
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
    format!("2/roles?limit=100&app_id={}", encoded(app_id))
}

/// What the numbers of event types mean.
pub(super) const EVENT_TYPES: &str = "1/events/types";

/// Events of these types since a time, 50 a page, which is the most. In which order they come is not
/// documented.
pub(super) fn events(types: &str, since: &str) -> String {
    format!("1/events?event_type_id={}&since={}&limit=50", encoded(types), encoded(since))
}

/// The page of events after a cursor. What was asked is said again: the cursor is a place alone.
pub(super) fn events_after(first: &str, cursor: &str) -> String {
    format!("{first}&after_cursor={}", encoded(cursor))
}

/// One event since a time.
pub(super) fn one_event(since: &str) -> String {
    format!("1/events?since={}&limit=1", encoded(since))
}

/// The query of the next page of a list. The cursor holds everything else that was asked.
pub(super) fn next(cursor: &str) -> String {
    format!("?cursor={}", encoded(cursor))
}
