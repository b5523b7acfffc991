//! Every example answer of Okta's own OpenAPI description, served and read.

use std::fs;
use std::path::PathBuf;

use connectors::live::{Answer, LivePull, Question};
use serde_json::Value;

use super::okta_server::{APP, OktaServer, Org, Reply};
use super::{config, connect, now, pull, told};

/// The examples of one operation, by name, in order.
fn examples(kind: &str) -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/okta/examples");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root.join(kind)).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: PathBuf| {
        let name = format!("{kind}/{}", path.file_stem().unwrap().to_str().unwrap());
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn json(body: &str) -> Reply {
    Reply::text(200, "application/json", body)
}

fn n_rows(body: &str) -> usize {
    serde_json::from_str::<Value>(body).unwrap().as_array().unwrap().len()
}

/// A pull in which one address answers with an example.
async fn pulled(part: &'static str, body: &str) -> (OktaServer, LivePull) {
    let server = OktaServer::start(Org { app_users: Vec::new(), ..Org::of(1) });
    server.always(part, json(body));
    let pull = pull(&server).await;
    (server, pull)
}

#[tokio::test]
async fn lists_of_users() {
    for kind in ["users", "group-users"] {
        for (name, body) in examples(kind) {
            let (server, pull) = pulled("/api/v1/users?", &body).await;
            let expected = format!("okta identities: {} rows, complete", n_rows(&body));
            let told = told(&server, &pull);
            assert!(told.starts_with(&expected), "{name}: {told}");
            assert_eq!(pull.unmapped, [], "{name}");
        }
    }
}

#[tokio::test]
async fn lists_of_app_users() {
    for (name, body) in examples("app-users") {
        let (server, pull) = pulled("&expand=user", &body).await;
        let expected = format!("okta assignments: {} rows, complete", n_rows(&body));
        assert!(told(&server, &pull).contains(&expected), "{name}");
        assert_eq!(pull.unmapped, [], "{name}");
    }
}

#[tokio::test]
async fn lists_of_app_groups() {
    for (name, body) in examples("app-groups") {
        let (server, pull) = pulled("/groups?", &body).await;
        let told = told(&server, &pull);
        assert!(told.contains("note: groups that give the app: "), "{name}: {told}");
        assert_eq!(pull.troubles, [], "{name}");
    }
    // One such group alone is a row of that list.
    for (name, body) in examples("app-group") {
        let (server, pull) = pulled("/groups?", &format!("[{body}]")).await;
        assert!(told(&server, &pull).contains("Football Group"), "{name}");
    }
}

#[tokio::test]
async fn one_user_and_one_app_user() {
    for (kind, part) in [("user", "/api/v1/users/"), ("app-user", "/users/")] {
        for (name, body) in examples(kind) {
            let id = serde_json::from_str::<Value>(&body).unwrap()["id"].as_str().unwrap().into();
            let server = OktaServer::start(Org::of(1));
            server.always(part, json(&body));
            let question =
                if kind == "user" { Question::Identity(id) } else { Question::Assignment(id) };
            let replies = connect(&server, config()).reread(&now(), &[question]).await;
            assert!(matches!(replies[0].answer, Answer::Found { .. }), "{name}: {replies:?}");
        }
    }
}

#[tokio::test]
async fn apps() {
    let lists = examples("apps").into_iter().flat_map(|(name, body)| {
        let apps: Vec<Value> = serde_json::from_str(&body).unwrap();
        apps.into_iter().map(move |app| (name.clone(), app))
    });
    let single = examples("app")
        .into_iter()
        .map(|(name, body)| (name, serde_json::from_str::<Value>(&body).unwrap()));
    let mut n_apps = 0;
    for (name, app) in lists.chain(single) {
        let server = OktaServer::start(Org::of(1));
        let mut config = config();
        config.app_id = app["id"].as_str().unwrap().into();
        server.always("/users?limit=500", json("[]"));
        server.always("/groups?", json("[]"));
        server.always("/features", json("[]"));
        server.always("/api/v1/apps/", json(&app.to_string()));
        let pull = connect(&server, config).pull(&now(), None).await;
        assert_eq!(pull.troubles, [], "{name}");
        n_apps += 1;
    }
    assert!(n_apps >= 5);
}

#[tokio::test]
async fn features() {
    for (name, body) in examples("features") {
        let (server, pull) = pulled("/features", &body).await;
        let told = told(&server, &pull);
        assert!(told.contains("\"Deactivate Users\" is off"), "{name}: {told}");
    }
}

#[tokio::test]
async fn pages_of_the_log() {
    for (name, body) in examples("logs") {
        // Some examples are one event, or a part of one.
        let page = if body.starts_with('[') { body } else { format!("[{body}]") };
        let server = OktaServer::start(Org::of(1));
        let link = format!("<{}/api/v1/logs?after=1>; rel=\"next\"", server.url());
        server.always("/logs", json(&page).with("Link", link));
        let pull = pull(&server).await;
        assert_eq!(pull.events, [], "{name}");
        // One example has a part of an event, without its type: that is told.
        let is_part = !page.contains("\"eventType\"");
        let kinds: Vec<_> = pull.troubles.iter().map(|it| it.kind).collect();
        let told = if is_part { vec![domain::Watcher::SchemaChanged] } else { Vec::new() };
        assert_eq!(kinds, told, "{name}");
        assert!(pull.log_cursor.is_some(), "{name}");
    }
}

#[tokio::test]
async fn errors() {
    for (status, words) in [
        (400, "Okta refuses to show users"),
        (403, "the scope `okta.users.read` and an admin role"),
        (404, "Okta does not know it"),
    ] {
        for (name, body) in examples(&format!("error-{status}")) {
            let server = OktaServer::start(Org::of(1));
            server.always("/api/v1/users?", Reply::text(status, "application/json", &body));
            let pull = pull(&server).await;
            let told = told(&server, &pull);
            assert!(told.contains(words) && told.contains("(E00000"), "{name}: {told}");
        }
    }
    // A 429 without a time to wait for is tried again, and then given up.
    for (name, body) in examples("error-429") {
        let server = OktaServer::start(Org::of(1));
        server.always("/api/v1/users?", Reply::text(429, "application/json", &body));
        let pull = pull(&server).await;
        assert_eq!(pull.failures.len(), 1, "{name}");
        assert_eq!(server.n_requests("/api/v1/users?"), 3, "{name}");
    }
}

#[test]
fn every_example_is_read_by_one_of_these_tests() {
    let read = [
        "users",
        "group-users",
        "app-users",
        "app-groups",
        "app-group",
        "user",
        "app-user",
        "apps",
        "app",
        "features",
        "logs",
        "error-400",
        "error-403",
        "error-404",
        "error-429",
    ];
    // Groups are known by their ids; nothing reads these two operations.
    let unread = ["group", "user-groups"];
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/okta/examples");
    for entry in fs::read_dir(root).unwrap() {
        let kind = entry.unwrap().file_name().into_string().unwrap();
        let is_known = read.contains(&kind.as_str()) || unread.contains(&kind.as_str());
        assert!(is_known, "`{kind}` is read by no test (the app is {APP})");
        for (name, body) in examples(&kind) {
            assert!(serde_json::from_str::<Value>(&body).is_ok(), "{name}");
        }
    }
}
