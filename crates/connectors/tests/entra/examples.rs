//! Every example answer of Microsoft Graph that is kept here, served and read.

use std::fs;
use std::path::PathBuf;

use connectors::live::{Answer, LivePull, Question};
use domain::LogEventKind;
use serde_json::Value;

use super::graph_server::{GraphServer, Reply, Tenant, assigned, group};
use super::{config, connect, now, pull, told};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/entra/examples")
}

/// The examples of one operation, by name, in order.
fn examples(kind: &str) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join(kind)).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: PathBuf| {
        let name = format!("{kind}/{}", path.file_stem().unwrap().to_str().unwrap());
        (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    paths.into_iter().map(read).collect()
}

/// The first page of an example: its link leads to Microsoft.
fn first_page(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("@odata.nextLink");
    body
}

fn n_rows(body: &Value) -> usize {
    body["value"].as_array().unwrap().len()
}

/// A pull in which one address answers with an example.
async fn pulled(part: &'static str, body: &Value) -> (GraphServer, LivePull) {
    let server = GraphServer::start(Tenant { assigned: Vec::new(), ..Tenant::of(1) });
    server.always(part, Reply::json(body));
    let pull = pull(&server).await;
    (server, pull)
}

#[tokio::test]
async fn lists_of_users_and_of_deleted_users() {
    for (name, body) in examples("users").into_iter().chain(examples("members-users")) {
        let body = first_page(body);
        let (_, pull) = pulled("/v1.0/users?", &body).await;
        assert_eq!(pull.snapshots[0].rows.len(), n_rows(&body), "{name}");
        assert!(pull.snapshots[0].coverage.is_complete(), "{name}");
        assert_eq!(pull.unmapped, [], "{name}");
    }
    for (name, body) in examples("deleted-users") {
        let (_, pull) = pulled("/deletedItems/microsoft", &body).await;
        assert_eq!(pull.snapshots[0].rows.len(), 1 + n_rows(&body), "{name}");
        assert_eq!(pull.unmapped, [], "{name}");
    }
}

#[tokio::test]
async fn a_link_that_leads_to_microsoft_is_not_followed_from_here() {
    for (name, body) in examples("users").into_iter().chain(examples("assigned")) {
        if body.get("@odata.nextLink").is_none() {
            continue;
        }
        let part = if name.starts_with("users") { "/v1.0/users?" } else { "appRoleAssignedTo" };
        let (server, pull) = pulled(part, &body).await;
        let told = told(&server, &pull);
        assert!(told.contains("the next page is said to be at `https://graph.microsoft.com/"));
    }
}

#[tokio::test]
async fn one_user() {
    for (name, body) in examples("user") {
        let id = body["id"].as_str().unwrap().into();
        let server = GraphServer::start(Tenant::of(1));
        server.always("/v1.0/users/", Reply::json(&body));
        let replies = connect(&server, config()).reread(&now(), &[Question::Identity(id)]).await;
        assert!(matches!(replies[0].answer, Answer::Found { .. }), "{name}: {replies:?}");
    }
}

#[tokio::test]
async fn apps() {
    let single = examples("app").into_iter().map(|(name, body)| {
        // One app alone is a row of the list.
        (name, serde_json::json!({"value": [body]}))
    });
    for (name, body) in examples("apps").into_iter().chain(single) {
        let server = GraphServer::start(Tenant::of(1));
        server.always("/servicePrincipals?", Reply::json(&body));
        let mut config = config();
        config.app_id = body["value"][0]["appId"].as_str().unwrap().into();
        let pull = connect(&server, config).pull(&now(), None).await;
        assert!(pull.failures.is_empty() && pull.troubles.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn assignments_and_members() {
    for (name, body) in examples("assigned") {
        let body = first_page(body);
        let (_, pull) = pulled("appRoleAssignedTo", &body).await;
        let principals: std::collections::BTreeSet<&str> = body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["principalId"].as_str().unwrap())
            .collect();
        assert_eq!(pull.snapshots[1].rows.len(), principals.len(), "{name}");
        assert!(pull.snapshots[1].coverage.is_complete(), "{name}");
    }
    for (name, body) in examples("members") {
        let mut tenant = Tenant::of(1);
        tenant.assigned.push(assigned(2, "Group", &group(1)));
        let server = GraphServer::start(tenant);
        server.always("/members?", Reply::json(&body));
        let pull = pull(&server).await;
        assert_eq!(pull.snapshots[2].rows.len(), n_rows(&body), "{name}");
        assert!(told(&server, &pull).contains("holds groups"), "{name}");
    }
    for (name, body) in examples("group") {
        let mut tenant = Tenant::of(1);
        tenant.assigned.push(assigned(2, "Group", &group(1)));
        let server = GraphServer::start(tenant);
        server.always("?$select=id,visibility", Reply::json(&body));
        let told = told(&server, &pull(&server).await);
        assert!(told.contains("entra memberships: 0 rows, complete"), "{name}: {told}");
    }
}

#[tokio::test]
async fn jobs_and_the_log() {
    for (name, body) in examples("jobs") {
        let (server, pull) = pulled("/synchronization/jobs", &body).await;
        let told = told(&server, &pull);
        let words =
            if name.ends_with("quarantine") { "is in quarantine" } else { "last ended well" };
        assert!(told.contains(words), "{name}: {told}");
    }
    for (name, mut body) in examples("log") {
        body["value"][0]["servicePrincipal"]["id"] = super::graph_server::PRINCIPAL.into();
        let (_, pull) = pulled("/auditLogs/provisioning", &body).await;
        let kinds: Vec<_> = pull.events.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [LogEventKind::Pushed], "{name}");
    }
}

#[tokio::test]
async fn errors() {
    for (name, body) in examples("errors") {
        let (status, words) = match name.as_str() {
            "errors/error400" => (400, "expired while the list was read"),
            "errors/error401" => (401, "the access token is not accepted"),
            "errors/error403" => (403, "`User.Read.All`"),
            "errors/error404" => (404, "Entra does not know it"),
            "errors/error429" => (429, "tries were refused"),
            "errors/error503" => (503, "Microsoft Graph failed"),
            // Of the token endpoint: read where tokens are.
            "errors/tokenError" => continue,
            other => panic!("`{other}` is read by no test"),
        };
        let server = GraphServer::start(Tenant::of(1));
        server.always("/v1.0/users?", Reply::text(status, "application/json", &body.to_string()));
        let told = told(&server, &pull(&server).await);
        assert!(told.contains(words), "{name}: {told}");
    }
}

#[tokio::test]
async fn answers_of_the_token_endpoint() {
    use outbound::{Auth, Client, ClientProof, Config, Limits, Pace, Secret, ServiceApp, Url};
    let ask = async |status: u16, body: &Value| {
        let server = GraphServer::start(Tenant::of(1));
        server.always("/token", Reply::text(status, "application/json", &body.to_string()));
        let base = Url::parse(&server.url()).unwrap();
        let auth = Auth::ServiceApp(ServiceApp {
            client_id: "c".to_owned(),
            token_url: base.join("/t/oauth2/v2.0/token").unwrap(),
            token_elsewhere: true,
            scopes: vec!["https://graph.microsoft.com/.default".to_owned()],
            proof: ClientProof::Secret(Secret::new("hunter2".to_owned())),
            dpop: false,
        });
        let client = Config {
            base: base.join("/v1.0/").unwrap(),
            ca_bundle: None,
            proxy: None,
            limits: Limits::default(),
            user_agent: "driftline-test".to_owned(),
            auth,
            pace: Pace::RetryAfter,
            accept: "application/json",
        };
        let reader = Client::new(client, std::sync::Arc::new(now())).unwrap().reader();
        reader.get("users?$top=1").await.map(|it| it.status).map_err(|it| super::chain(&it))
    };
    for (name, body) in examples("token") {
        assert_eq!(ask(200, &body).await, Ok(200), "{name}");
    }
    let refused = examples("errors").into_iter().find(|it| it.0.ends_with("tokenError")).unwrap().1;
    let error = ask(401, &refused).await.unwrap_err();
    assert!(error.contains("the client secret has expired"), "{error}");
}

#[test]
fn every_example_is_read_by_one_of_these_tests() {
    let read = [
        "users",
        "members-users",
        "deleted-users",
        "user",
        "apps",
        "app",
        "assigned",
        "members",
        "group",
        "jobs",
        "log",
        "errors",
        "token",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let kind = entry.unwrap().file_name().into_string().unwrap();
        assert!(read.contains(&kind.as_str()), "`{kind}` is read by no test");
    }
}
