//! An Okta organisation of a few people on a loopback socket: lists in pages with `Link` headers,
//! one object by id, the app, its features, and a log to poll.

use serde_json::{Value, json};

pub(crate) use crate::server::Reply;
use crate::server::{Answers, Server, number};

/// An organisation that answers.
pub(crate) type OktaServer = Server<Org>;

/// The app that everything is about.
pub(crate) const APP: &str = "0oaAPP";

/// What the organisation holds. A test changes it before, or while, it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Org {
    pub(crate) users: Vec<Value>,
    pub(crate) app_users: Vec<Value>,
    pub(crate) groups: Vec<Value>,
    /// Pages of the log that were kept so far.
    pub(crate) log: Vec<Vec<Value>>,
    /// Most rows of one page of every list, where less is not asked for.
    pub(crate) page_rows: usize,
}

impl Org {
    /// `n` people, all of them active and assigned, two on a page.
    pub(crate) fn of(n: usize) -> Self {
        Self {
            users: (1..=n).map(|it| user(it, "ACTIVE")).collect(),
            app_users: (1..=n).map(|it| app_user(it, "PROVISIONED")).collect(),
            page_rows: 2,
            ..Self::default()
        }
    }
}

/// The id of a user.
pub(crate) fn id(n: usize) -> String {
    format!("00u{n:017}")
}

/// A user as the list of users shows them.
pub(crate) fn user(n: usize, status: &str) -> Value {
    json!({"id": id(n), "status": status, "created": "2024-01-01T00:00:00.000Z",
        "activated": null, "statusChanged": "2026-01-30T17:02:11.000Z", "lastLogin": null,
        "profile": {"login": format!("u{n}@acme.test"), "email": format!("u{n}@acme.test")}})
}

/// A user as the list of the app's users shows them.
pub(crate) fn app_user(n: usize, status: &str) -> Value {
    json!({"id": id(n), "externalId": format!("sf-{n}"), "scope": "USER", "status": status,
        "statusChanged": "2026-01-30T17:02:14.000Z", "syncState": "DISABLED",
        "credentials": {"userName": format!("u{n}@acme.test")}, "profile": {},
        "_embedded": {"user": user(n, "ACTIVE")}})
}

/// An event of the log about a user.
pub(crate) fn event(uuid: &str, at: &str, event_type: &str, n: usize) -> Value {
    json!({"uuid": uuid, "published": at, "eventType": event_type,
        "outcome": {"result": "SUCCESS", "reason": null},
        "target": [{"id": "0ua9", "type": "AppUser"}, {"id": APP, "type": "AppInstance"},
            {"id": id(n), "type": "User", "detailEntry": null}]})
}

impl Reply {
    /// Okta's own error.
    pub(crate) fn error(status: u16, code: &str, summary: &str) -> Self {
        let body = json!({"errorCode": code, "errorSummary": summary, "errorLink": code,
            "errorId": "oaeTEST", "errorCauses": []});
        Self::text(status, "application/json", &body.to_string())
    }
}

impl Answers for Org {
    const REQUEST_ID: &'static str = "X-Okta-Request-Id";

    fn answer(&mut self, base: &str, path: &str) -> Reply {
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = place.trim_start_matches("/api/v1/").split('/').collect();
        match parts.as_slice() {
            ["users"] => {
                let of_status = |it: &&Value| {
                    query.contains(&format!(
                        "status eq \"{}\"",
                        it["status"].as_str().unwrap_or("-")
                    ))
                };
                let users: Vec<Value> = self.users.iter().filter(of_status).cloned().collect();
                self.page(base, &users, place, query)
            }
            ["users", id] => one(&self.users, id, "User"),
            ["apps", app, ..] if *app != APP => missing(app, "AppInstance"),
            ["apps", _] => Reply::json(&json!({"id": APP, "name": "secureframe",
                "label": "Secureframe", "status": "ACTIVE", "features": []})),
            ["apps", _, "users"] => {
                let app_users = self.app_users.clone();
                self.page(base, &app_users, place, query)
            }
            ["apps", _, "users", id] => one(&self.app_users, id, "AppUser"),
            ["apps", _, "groups"] => {
                let groups = self.groups.clone();
                self.page(base, &groups, place, query)
            }
            ["apps", _, "features"] => Reply::json(&json!([{"name": "USER_PROVISIONING",
                "status": "ENABLED", "capabilities": {"create": {"lifecycleCreate": {"status":
                "ENABLED"}}, "update": {"lifecycleDeactivate": {"status": "ENABLED"}}}}])),
            ["logs"] => self.logged(base, query),
            _ => Reply::error(404, "E0000008", "The requested path was not found"),
        }
    }
}

impl Org {
    /// A page of a list. Its next one is named by where it begins.
    fn page(&self, base: &str, rows: &[Value], place: &str, query: &str) -> Reply {
        let from = number(query, "after=").unwrap_or_default();
        let n_rows = number(query, "limit=").map_or(1, |it| it.min(self.page_rows));
        let page: Vec<Value> = rows.iter().skip(from).take(n_rows).cloned().collect();
        let this = format!("<{base}{place}?{}>; rel=\"self\"", encoded(query));
        let reply = Reply::json(&Value::Array(page)).with("Link", this);
        if from + n_rows >= rows.len() {
            return reply;
        }
        let query = query.split("&after=").next().unwrap_or(query);
        let next = format!("{base}{place}?{}&after={}", encoded(query), from + n_rows);
        reply.with("Link", format!("<{next}>; rel=\"next\""))
    }

    /// The log by its cursor: always a next link, and an empty page at the end.
    fn logged(&self, base: &str, query: &str) -> Reply {
        let from = number(query, "after=").unwrap_or_default();
        let page = self.log.get(from).cloned().unwrap_or_default();
        let next = from + usize::from(from < self.log.len());
        let link = format!("<{base}/api/v1/logs?sortOrder=ASCENDING&after={next}>");
        Reply::json(&Value::Array(page)).with("Link", format!("{link}; rel=\"next\""))
    }
}

fn one(rows: &[Value], id: &str, resource: &str) -> Reply {
    match rows.iter().find(|it| it["id"] == *id) {
        Some(row) => Reply::json(row),
        None => missing(id, resource),
    }
}

/// What Okta answers when something is not there.
pub(crate) fn missing(id: &str, resource: &str) -> Reply {
    Reply::error(404, "E0000007", &format!("Not found: Resource not found: {id} ({resource})"))
}

fn encoded(text: &str) -> String {
    text.replace(' ', "%20").replace('"', "%22")
}
