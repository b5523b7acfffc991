//! How the SCIM server writes its objects down.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::wire::{put, timestamp};
use crate::world::{Account, Active, AppGroup, Habits, Paging, World};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// An account, as lists and `GET` by id give it.
pub(super) fn account(world: &World, url: &str, account: &Account) -> Value {
    let habits = &world.app.habits;
    let mut row = json!({
        "schemas": [USER],
        "id": account.id,
        "userName": account.user_name,
        "meta": {
            "resourceType": "User",
            "created": timestamp(account.created_at),
            "lastModified": timestamp(account.modified_at),
            "location": format!("{url}/Users/{}", account.id),
        },
    });
    let mut set = |name: &str, value: Value| put(&mut row, name, value);
    if let Some(external_id) = &account.external_id {
        set("externalId", json!(external_id));
    }
    match &account.active {
        Active::Set(is_on) if habits.writes_booleans_as_text => {
            set("active", json!(if *is_on { "True" } else { "False" }));
        }
        Active::Set(is_on) => set("active", json!(is_on)),
        Active::Null => set("active", Value::Null),
        Active::Absent => {}
        Active::Text(text) => set("active", json!(text)),
    }
    if let Some(email) = &account.email {
        set("emails", json!([{"value": email, "type": "work", "primary": true}]));
    }
    if !account.roles.is_empty() {
        let roles: Vec<Value> = account.roles.iter().map(|it| json!({"value": it})).collect();
        set("roles", json!(roles));
    }
    let groups = world.app.groups.iter().filter(|(_, it)| it.members.contains(&account.id));
    let groups: Vec<Value> =
        groups.map(|(id, it)| json!({"value": id, "display": it.name})).collect();
    if !groups.is_empty() {
        set("groups", json!(groups));
    }
    if let Some(number) = &account.employee_number {
        set("schemas", json!([USER, ENTERPRISE]));
        set(ENTERPRISE, json!({"employeeNumber": number}));
    }
    for (name, value) in &account.more {
        set(name, value.clone());
    }
    if habits.writes_members_in_lower_case { in_lower_case(row) } else { row }
}

/// A group of the app.
pub(super) fn group(url: &str, id: &str, group: &AppGroup) -> Value {
    let members = group.members.iter();
    let members: Vec<Value> = members
        .map(|it| json!({"value": it, "$ref": format!("{url}/Users/{it}"), "type": "User"}))
        .collect();
    json!({
        "schemas": [GROUP],
        "id": id,
        "displayName": group.name,
        "members": members,
        "meta": {"resourceType": "Group", "location": format!("{url}/Groups/{id}")},
    })
}

/// What the server can do (RFC 7643, 5; paging as in RFC 9865, 4).
pub(super) fn config(habits: &Habits, url: &str) -> Value {
    let mut config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": habits.page_max},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": false},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A bearer token in the Authorization header",
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{url}/ServiceProviderConfig"),
        },
    });
    if habits.paging != Paging::Index {
        let default = if habits.paging == Paging::Cursor { "cursor" } else { "index" };
        let pagination = json!({
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": default,
            "defaultPageSize": habits.page_max,
            "maxPageSize": habits.page_max,
            "cursorTimeout": 3600,
        });
        put(&mut config, "pagination", pagination);
    }
    config
}

/// The kinds of objects there are.
pub(super) fn types(url: &str) -> Value {
    let kind = |name: &str, schema: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": format!("/{name}s"),
            "schema": schema,
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("{url}/ResourceTypes/{name}"),
            },
        })
    };
    json!({
        "schemas": [super::LIST],
        "totalResults": 2,
        "startIndex": 1,
        "itemsPerPage": 2,
        "Resources": [kind("User", USER), kind("Group", GROUP)],
    })
}

/// The same object, with the names of its own members in lower case; inner ones stay.
pub(super) fn in_lower_case(object: Value) -> Value {
    match object {
        Value::Object(members) => {
            let lower = members.into_iter().map(|(name, value)| (name.to_lowercase(), value));
            Value::Object(lower.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// The cursor of the page that begins after so many rows: characters that a URL may hold as they
/// are (RFC 9865, 2.1).
pub(super) fn cursor(start: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{start}"))
}

/// Where the page of a cursor begins; `None`: it is none of ours.
pub(super) fn cursor_start(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("after:")?.parse().ok()
}
