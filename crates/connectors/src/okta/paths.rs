//! What Okta is asked for: paths and queries below `https://ORG/api/v1/`, each as its API describes
//! it.
//!
//! Source: Okta Admin Management API 2026.06.3.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::path::encoded;

/// Every status that a user can have. The list without a filter leaves `DEPROVISIONED` out.
const STATUSES: [&str; 8] = [
    "STAGED",
    "PROVISIONED",
    "ACTIVE",
    "RECOVERY",
    "PASSWORD_EXPIRED",
    "LOCKED_OUT",
    "SUSPENDED",
    "DEPROVISIONED",
];

/// Users of every status, 200 a page, which is the most.
pub(super) fn users() -> String {
    users_by_status(&STATUSES, 200)
}

/// One user who was deactivated, to see whether such users are shown.
pub(super) fn one_deactivated_user() -> String {
    users_by_status(&["DEPROVISIONED"], 1)
}

/// One user of any status.
pub(super) fn one_user() -> String {
    users_by_status(&STATUSES, 1)
}

fn users_by_status(statuses: &[&str], limit: u32) -> String {
    let terms: Vec<String> = statuses.iter().map(|it| format!("status eq \"{it}\"")).collect();
    format!("users?limit={limit}&filter={}", encoded(&terms.join(" or ")))
}

/// One user, by id or login.
pub(super) fn user(id: &str) -> String {
    format!("users/{}", encoded(id))
}

/// The app.
pub(super) fn app(app_id: &str) -> String {
    format!("apps/{}", encoded(app_id))
}

/// What provisioning of the app does.
pub(super) fn features(app_id: &str) -> String {
    format!("{}/features", app(app_id))
}

/// Who is assigned to the app, each with the whole user; 500 a page, which is the most.
pub(super) fn app_users(app_id: &str) -> String {
    format!("{}/users?limit=500&expand=user", app(app_id))
}

/// One of those who are assigned.
pub(super) fn one_app_user(app_id: &str) -> String {
    format!("{}/users?limit=1", app(app_id))
}

/// One user's assignment to the app.
pub(super) fn app_user(app_id: &str, user_id: &str) -> String {
    format!("{}/users/{}?expand=user", app(app_id), encoded(user_id))
}

/// The groups that are assigned to the app, each with its name; 200 a page, which is the most.
pub(super) fn app_groups(app_id: &str) -> String {
    format!("{}/groups?limit=200&expand=group", app(app_id))
}

/// The first page of the system log as it is polled: no end, and in the order in which events were
/// kept, so that every event is given once. Life cycle events have no app as a target.
pub(super) fn log(app_id: &str, since: DateTime<Utc>, limit: u32) -> String {
    let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
    let filter = format!(
        "eventType sw \"user.lifecycle\" or (target.id eq {} and (eventType sw \
         \"application.user_membership\" or eventType sw \"application.provision.user\"))",
        quoted(app_id)
    );
    format!(
        "logs?sortOrder=ASCENDING&limit={limit}&since={}&filter={}",
        encoded(&since),
        encoded(&filter)
    )
}

/// A value in a filter. Source: RFC 7644, 3.4.2.2: values are JSON.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_users_names_every_status() {
        let path = users();
        assert!(path.starts_with("users?limit=200&filter=status%20eq%20%22STAGED%22%20or%20"));
        assert_eq!(path.matches("status%20eq%20").count(), 8);
        assert!(path.ends_with("status%20eq%20%22DEPROVISIONED%22"));
    }

    #[test]
    fn ids_cannot_leave_their_place_in_the_path() {
        assert_eq!(user("../apps?x#y é"), "users/..%2Fapps%3Fx%23y%20%C3%A9");
        assert_eq!(app_user("0oa1", "a/b"), "apps/0oa1/users/a%2Fb?expand=user");
    }

    #[test]
    fn the_log_is_polled_without_an_end() {
        let since = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
        let path = log("0oa\"1", since, 1000);
        insta::assert_snapshot!(path.replace("%20", " ").replace("%22", "'"), @"logs?sortOrder=ASCENDING&limit=1000&since=2023-11-14T22%3A13%3A20.123Z&filter=eventType sw 'user.lifecycle' or %28target.id eq '0oa%5C'1' and %28eventType sw 'application.user_membership' or eventType sw 'application.provision.user'%29%29");
        assert!(!path.contains("until"));
    }
}
