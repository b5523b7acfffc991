//! Every example answer of OneLogin's own description, served and read.

use std::fs;
use std::path::PathBuf;

use connectors::live::{Answer, Question};
use connectors::onelogin;
use domain::{Lifecycle, LogEventKind, Rows};
use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{Subdomain, connect, events, now, page};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/onelogin/examples")
}

/// The examples of one operation or status, in order of their names.
fn examples(kind: &str) -> Vec<Value> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join(kind)).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let read = |it: PathBuf| serde_json::from_str(&fs::read_to_string(it).unwrap()).unwrap();
    let examples: Vec<Value> = paths.into_iter().map(read).collect();
    assert!(!examples.is_empty(), "{kind}");
    examples
}

fn list(body: &Value) -> Reply {
    let rows = body.as_array().unwrap();
    page(rows, rows.len(), "")
}

#[tokio::test]
async fn lists_of_users_and_of_who_has_the_app_and_the_roles_that_give_it() {
    let (users, app_users) = (examples("users").remove(0), examples("app-users").remove(0));
    let server = Server::start(Subdomain::of_two());
    server.always("2/users?", list(&users));
    server.always("2/apps/3001/users?", list(&app_users));
    let mut app = examples("app").remove(0);
    // It is another app than the others are about.
    app["id"] = json!(3001);
    app["role_ids"] = json!([501]);
    server.always("2/apps/3001", Reply::json(&app));
    server.always("2/roles?", list(&examples("roles").remove(0)));
    let pull = connect(&server).pull(&now(), None).await;
    let [users, assigned] = &pull.snapshots[..] else { panic!("{:?}", pull.failures) };
    let Rows::Identities(rows) = &users.rows else { panic!("{:?}", users.stream) };
    assert_eq!((rows.first().unwrap().lifecycle, rows.len()), (Lifecycle::Active, 1));
    assert_eq!(assigned.rows.len(), 1);
    assert!(users.coverage.is_complete() && assigned.coverage.is_complete());
    assert!(assigned.notes.contains(&"roles that give the app: Everyone".to_owned()));
    assert_eq!(pull.unmapped, []);
}

#[tokio::test]
async fn one_user_and_the_apps_of_one_user() {
    let server = Server::start(Subdomain::of_two());
    server.always("2/users/100001/apps", Reply::json(&examples("user-apps").remove(0)));
    server.always("2/users/100001", Reply::json(&examples("user").remove(0)));
    let questions = [Question::Identity("100001".into()), Question::Assignment("100001".into())];
    for reply in connect(&server).reread(&now(), &questions).await.replies {
        assert!(matches!(reply.answer, Answer::Found { .. }), "{reply:?}");
    }
}

#[tokio::test]
async fn events_and_their_types() {
    let server = Server::start(Subdomain::of_two());
    server.always("1/events?", Reply::json(&examples("events").remove(0)));
    let pull = connect(&server).pull(&now(), None).await;
    let told: Vec<_> = pull.events.iter().map(|it| (it.kind, &*it.identity)).collect();
    assert_eq!(told, [(LogEventKind::Pushed, "100001")]);

    // The example of types names one that says nothing here: so no event is believed.
    let server = Server::start(Subdomain::of_two());
    server.always("1/events/types", Reply::json(&examples("event-types").remove(0)));
    let pull = connect(&server).pull(&now(), None).await;
    assert!(pull.troubles[0].text.contains("has none that is known here"), "{:?}", pull.troubles);
    assert_ne!(events::types(), examples("event-types")[0]);
}

#[tokio::test]
async fn errors_in_each_of_their_shapes() {
    for (status, wanted) in [
        (400, "does not take the query"),
        (401, "the access token is not accepted"),
        (404, "OneLogin does not know it"),
        (422, "OneLogin refuses to show users"),
    ] {
        for body in examples(&format!("error-{status}")) {
            let server = Server::start(Subdomain::of_two());
            server.always("2/users?", Reply { status, ..Reply::json(&body) });
            let pull = connect(&server).pull(&now(), None).await;
            let told = format!("{:?}", pull.failures);
            assert!(told.contains(wanted), "{status} {body}: {told}");
        }
    }
}

#[tokio::test]
async fn the_answer_of_the_token_endpoint() {
    use std::sync::Arc;

    use outbound::{Auth, Client, ClientProof, Config, Limits, Pace, Secret, ServiceApp, Url};
    let server = Server::start(Subdomain::of_two());
    server.always("/auth/oauth2/v2/token", Reply::json(&examples("token").remove(0)));
    let base = Url::parse(&server.url()).unwrap();
    let client = Config {
        base: base.join(onelogin::API).unwrap(),
        ca_bundle: None,
        proxy: None,
        limits: Limits::default(),
        user_agent: "driftline-test".to_owned(),
        auth: Auth::ServiceApp(ServiceApp {
            client_id: "c".to_owned(),
            token_url: base.join(onelogin::TOKEN).unwrap(),
            token_elsewhere: false,
            scopes: Vec::new(),
            proof: ClientProof::Secret(Secret::new("hunter2".to_owned())),
            dpop: false,
        }),
        pace: Pace::OneLogin,
        accept: "application/json",
    };
    let reader = Client::new(client, Arc::new(now())).unwrap().reader();
    assert_eq!(reader.get("2/users?limit=1").await.map(|it| it.status).unwrap(), 200);
    assert_eq!(server.n_requests("/auth/oauth2/v2/token"), 1);
}

#[test]
fn every_example_is_read_by_one_of_these_tests() {
    let read = [
        "app",
        "app-users",
        "error-400",
        "error-401",
        "error-404",
        "error-422",
        "event-types",
        "events",
        "roles",
        "token",
        "user",
        "user-apps",
        "users",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let kind = entry.unwrap().file_name().into_string().unwrap();
        assert!(read.contains(&kind.as_str()), "`{kind}` is read by no test");
    }
}
