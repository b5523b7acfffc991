//! What the doctor finds, and what it says to do.

use connectors::entra::{Clause, Config, Operator, ScopingFilters};
use connectors::live::CheckResult;
use serde_json::json;

use super::graph_server::{APP, GraphServer, PRINCIPAL, Reply, Tenant, assigned, error, group, id};
use super::{config, connect, now};

/// The checks that are not fine, a line each.
async fn ills(server: &GraphServer, config: Config) -> String {
    let checks = connect(server, config).doctor(&now()).await;
    let ill = checks.into_iter().filter(|it| it.result != CheckResult::Fine);
    let line = |it: connectors::live::Check| {
        format!("{:?} {}: {} {}\n", it.result, it.name, it.seen, it.next.unwrap_or_default())
    };
    ill.map(line).collect::<String>().replace(&server.url(), "GRAPH")
}

fn tenant() -> Tenant {
    let mut tenant = Tenant::of(2);
    tenant.assigned.push(assigned(9, "Group", &group(1)));
    tenant.page_rows = 10;
    tenant
}

#[tokio::test]
async fn a_tenant_that_is_well_has_nothing_to_mend() {
    let server = GraphServer::start(tenant());
    let mut config = config();
    config.canaries = vec![id(1).as_str().into()];
    insta::assert_snapshot!(ills(&server, config).await, @"Skipped the credential cannot write: This cannot be told by reading. Driftline sends nothing but GET. Look at the API permissions of the app registration: each should end in `.Read.All`.");
    let asked = server.requests();
    assert!(asked.len() <= 10 && asked.iter().all(|it| it.starts_with("GET ")), "{asked:?}");
}

#[tokio::test]
async fn scoping_filters_that_decide_about_nobody_are_named() {
    let clause = Clause::new("department", Operator::Equals("Sales".to_owned())).unwrap();
    let of = || Config { scoping_filters: ScopingFilters(vec![vec![clause.clone()]]), ..config() };
    let mut tenant = tenant();
    let checks = connect(&GraphServer::start(tenant.clone()), of()).doctor(&now()).await;
    let told = checks.into_iter().find(|it| it.name == "scoping filters can be judged").unwrap();
    assert_eq!(told.result, CheckResult::Warning);
    assert_eq!(told.seen, "Of some users: scoping filters: 0 in scope, 0 left out, 2 undecided.");
    tenant.users[0]["department"] = json!("Legal");
    let checks = connect(&GraphServer::start(tenant), of()).doctor(&now()).await;
    let told = checks.into_iter().find(|it| it.name == "scoping filters can be judged").unwrap();
    assert_eq!(told.result, CheckResult::Fine);
    assert!(told.seen.contains("1 left out, 1 undecided"), "{}", told.seen);
}

#[tokio::test]
async fn each_missing_permission_is_named() {
    for (part, permission, result) in [
        ("/deletedItems/", "User.Read.All", "Failed"),
        ("/servicePrincipals?", "Application.Read.All", "Failed"),
        ("/appRoleAssignedTo", "Application.Read.All", "Failed"),
        ("/appRoleAssignments", "Directory.Read.All", "Warning"),
        ("/members", "GroupMember.Read.All", "Failed"),
        ("/synchronization/", "Synchronization.Read.All", "Failed"),
        ("/auditLogs/", "AuditLog.Read.All", "Failed"),
    ] {
        let server = GraphServer::start(tenant());
        server.always(part, error(403, "Authorization_RequestDenied"));
        let ills = ills(&server, config()).await;
        let named = ills.lines().find(|it| it.contains(&format!("`{permission}`"))).unwrap_or("");
        assert!(named.starts_with(result), "{part}: {ills}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_app_is_a_warning() {
    let server = GraphServer::start(tenant());
    let app = json!({"value": [{"id": PRINCIPAL, "appId": APP, "displayName": null,
        "accountEnabled": false, "appRoleAssignmentRequired": false}]});
    server.always("/servicePrincipals?", Reply::json(&app));
    server.always("/synchronization/jobs", Reply::json(&json!({"value": []})));
    let ills = ills(&server, config()).await;
    for words in [
        "Warning the enterprise app is there: The enterprise app",
        "Warning only who is assigned may sign in: Assignment required is off",
        "Warning provisioning runs: The enterprise app",
        "Skipped canaries are seen: No canary is configured.",
    ] {
        assert!(ills.contains(words), "{words}: {ills}");
    }
}

#[tokio::test]
async fn an_application_id_of_nothing_and_a_tenant_of_nobody_fail() {
    let server = GraphServer::start(Tenant { page_rows: 2, ..Tenant::default() });
    let mut config = config();
    config.app_id = "c3".into();
    config.canaries = vec![id(1).as_str().into()];
    let ills = ills(&server, config).await;
    for words in [
        "Failed users can be listed: The list is empty: nobody at all.",
        "Failed the enterprise app is there: The tenant has no enterprise app of this `app_id`",
        "Failed canaries are seen: `a1000000-0000-4000-8000-000000000001` is not a user.",
    ] {
        assert!(ills.contains(words), "{words}: {ills}");
    }
}

#[tokio::test]
async fn a_refused_credential_and_a_stranger_end_the_examination() {
    for (reply, words) in [
        (error(401, "InvalidAuthenticationToken"), "the access token is not accepted"),
        (Reply::html(200), "this is no answer of Microsoft Graph"),
    ] {
        let server = GraphServer::start(tenant());
        server.always("/v1.0/", reply);
        let ills = ills(&server, config()).await;
        assert!(ills.contains(words) && ills.lines().count() == 1, "{ills}");
        assert_eq!(server.requests().len(), 1);
    }
}
