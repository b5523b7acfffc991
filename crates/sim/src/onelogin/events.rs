//! OneLogin's events, version 1 of its API: an envelope with a cursor in the body, the newest first,
//! and the numbers of their types.

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Call, MEDIA_TYPE, error};
use crate::page::Page;
use crate::subdomain::{OneLoginEvent, Subdomain};
use crate::wire::{Answer, Window, timestamp};

/// Rows of a page at most.
const PAGE_MAX: usize = 50;

/// Types of events that happen here, and some others.
const TYPES: &[(u64, &str, &str)] = &[
    (1, "APP_ADDED_TO_ROLE", "App %app% added to role %role%"),
    (2, "APP_REMOVED_FROM_ROLE", "App %app% removed from role %role%"),
    (15, "USER_DEACTIVATED", "%actor_user% deactivated %user%"),
    (16, "USER_ACTIVATED", "%actor_user% activated %user%"),
    (17, "USER_DELETED", "%actor_user% deleted %user%"),
    (21, "USER_SUSPENDED", "%actor_user% suspended %user%"),
    (32, "USER_REACTIVATED", "%actor_user% reactivated %user%"),
    (53, "USER_SUSPENDED_IN_APP", "User suspended in app"),
    (55, "USER_DELETED_IN_APP", "User deleted in app"),
    (60, "DO_NOTHING_WARNING", "Provisioning: deprovisioning mode 'Do nothing' warning"),
    (61, "USER_SUSPENSION_FAILED_IN_APP", "User suspension failed in app"),
    (63, "USER_DELETION_FAILED_IN_APP", "User deletion failed in app"),
];

/// The list of types.
pub(super) fn types() -> Value {
    let types = TYPES.iter();
    let types: Vec<Value> = types
        .map(|(id, name, description)| json!({"id": id, "name": name, "description": description}))
        .collect();
    json!({"status": success(), "data": types})
}

/// A page of events.
pub(super) fn page(subdomain: &Subdomain, call: &Call<'_>) -> Result<Answer, Answer> {
    let since = call.ask.param("since").map(|it| DateTime::parse_from_rfc3339(&it));
    let since = since.transpose().map_err(|_| error::bad_cursor())?;
    let types = call.ask.param("event_type_id");
    let is_wanted = |it: &OneLoginEvent| {
        types.as_ref().is_none_or(|types| types.split(',').any(|id| id == it.type_id.to_string()))
    };
    let mut events: Vec<(usize, &OneLoginEvent)> = subdomain.events.iter().enumerate().collect();
    events.retain(|(_, it)| is_wanted(it) && since.is_none_or(|since| it.at >= since));
    // In which order they come is not documented.
    events.reverse();
    let limit =
        call.ask.number("limit").and_then(Result::ok).and_then(|it| usize::try_from(it).ok());
    let limit = limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX).min(subdomain.door.page_max);
    let start = call.ask.param("after_cursor").map_or(Ok(0), |it| it.parse());
    let start = start.map_err(|_| error::bad_cursor())?;
    let app = &subdomain.app;
    let write = |(n, event): &(usize, &OneLoginEvent)| {
        json!({
            "id": 900_000 + n,
            "account_id": 77,
            "event_type_id": event.type_id,
            "created_at": timestamp(event.at),
            "user_id": event.user,
            "user_name": subdomain.users.get(&event.user).map(|it| &it.username),
            "app_id": event.is_in_app.then_some(app.id),
            "app_name": event.is_in_app.then_some(&app.name),
            "actor_user_id": null,
            "actor_system": "Provisioning",
            "error_description": null,
            "notes": null,
        })
    };
    let page = Page::cut(&events, Window { start, limit }, call.faults, write);
    let after = page.next.map(|it| it.to_string());
    let body = json!({
        "status": success(),
        "pagination": {
            "before_cursor": null,
            "after_cursor": after,
            "previous_link": null,
            "next_link": null,
        },
        "data": page.rows,
    });
    Ok(Answer::json(200, MEDIA_TYPE, body))
}

fn success() -> Value {
    json!({"error": false, "code": 200, "type": "success", "message": "Success"})
}
