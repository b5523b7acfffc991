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
    insta::assert_snapshot!(ills(&server, config).await, @"Skipped the credential cannot write: This cannot be told by reading. Driftline sends nothing but GET. Look at the API permissions of the app registration: each should end in `.Read.All`, but for `Member.Read.Hidden`.");
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
async fn the_permission_for_groups_is_tried_with_a_group_of_a_later_page_and_else_it_is_said() {
    let refused = |tenant: Tenant| async {
        let server = GraphServer::start(tenant);
        server.always("/members", error(403, "Authorization_RequestDenied"));
        let ills = ills(&server, config()).await;
        (ills.lines().find(|it| it.contains("members of groups")).unwrap_or("").to_owned(), server)
    };
    let users = |n: usize| (1..=n).map(|it| assigned(it, "User", &id(it))).collect::<Vec<_>>();
    // Users alone on the first two pages, and a group on the third.
    let mut late = Tenant { page_rows: 2, ..Tenant::of(4) };
    late.assigned = users(4);
    late.assigned.push(assigned(9, "Group", &group(1)));
    let (told, _) = refused(late).await;
    assert!(told.starts_with("Failed") && told.contains("`GroupMember.Read.All`"), "{told}");
    // No group in as many pages as are read: nothing was tried.
    let mut many = Tenant { page_rows: 1, ..Tenant::of(2) };
    many.assigned = users(40);
    let (told, server) = refused(many).await;
    assert!(told.starts_with("Skipped") && told.contains("could not be tried"), "{told}");
    assert!(told.contains("`GroupMember.Read.All`"), "{told}");
    let asked = server.requests();
    let pages = asked.iter().filter(|it| it.contains("/appRoleAssignedTo"));
    assert_eq!(pages.count(), 20);
    // No group at all.
    let mut none = Tenant { page_rows: 10, ..Tenant::of(2) };
    none.assigned = users(2);
    assert_eq!(refused(none).await.0, "");
}

#[tokio::test]
async fn an_empty_log_is_said_with_how_much_of_it_was_asked_for() {
    let server = GraphServer::start(tenant());
    let checks = connect(&server, config()).doctor(&now()).await;
    let told = checks.into_iter().find(|it| it.name == "the provisioning log can be read").unwrap();
    assert_eq!(told.result, CheckResult::Fine);
    assert!(told.seen.contains("the last day, which alone was asked for"), "{}", told.seen);
}

#[tokio::test]
async fn users_who_must_have_the_app_are_looked_at() {
    let mut tenant = tenant();
    tenant.assigned.retain(|it| it["principalId"] != id(2).as_str());
    let server = GraphServer::start(tenant);
    let mut config = config();
    config.canaries = vec![id(1).as_str().into()];
    config.assigned_canaries =
        vec![id(1).as_str().into(), id(2).as_str().into(), id(9).as_str().into()];
    let ills = ills(&server, config).await;
    let of = |n: usize| ills.lines().filter(|it| it.contains(&id(n))).collect::<Vec<_>>();
    assert!(of(1).is_empty(), "{ills}");
    for n in [2, 9] {
        let told = of(n);
        assert!(told[0].starts_with("Failed canaries are seen") && told.len() == 1, "{n}: {ills}");
        assert!(
            told[0].contains("does not have the app") && told[0].contains("`assigned_canaries`"),
            "{ills}"
        );
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
