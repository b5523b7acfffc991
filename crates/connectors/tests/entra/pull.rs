//! What a pull brings of a tenant that is well.

use connectors::entra::{ProvisioningLog, Scope};
use domain::{
    Assignment, Identity, IdentityKind, Lifecycle, LogEventKind, Membership, Principal, Rows, Via,
};
use serde_json::json;

use super::graph_server::{GraphServer, Tenant, assigned, deleted, event, group, id, member, user};
use super::{config, connect, now, pull, told};
use connectors::live::{LivePull, SwitchedOff};

fn identities(pull: &LivePull) -> Vec<Identity> {
    let Rows::Identities(rows) = &pull.snapshots[0].rows else { panic!("no users") };
    rows.to_vec()
}

fn assignments(pull: &LivePull) -> Vec<Assignment> {
    let Rows::Assignments(rows) = &pull.snapshots[1].rows else { panic!("no assignments") };
    rows.to_vec()
}

fn memberships(pull: &LivePull) -> Vec<Membership> {
    let Rows::Memberships(rows) = &pull.snapshots[2].rows else { panic!("no members") };
    rows.to_vec()
}

#[tokio::test]
async fn all_lists_are_read_to_their_ends() {
    let mut tenant = Tenant::of(5);
    tenant.users[3] = user(4, false);
    tenant.deleted = (6..=8).map(deleted).collect();
    let server = GraphServer::start(tenant);
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @r"
    entra identities: 8 rows, complete
    entra assignments: 5 rows, complete
    entra memberships: 0 rows, complete
    ");
    let left: Vec<_> =
        identities(&pull).into_iter().filter(|it| it.lifecycle == Lifecycle::Left).collect();
    let ids: Vec<String> = left.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, [4, 6, 7, 8].map(id));
    // Only of deleted users does Graph say since when.
    assert_eq!(left[0].status_changed_at, None);
    assert_eq!(left[1].status_changed_at, Some("2026-11-20T17:02:11Z".parse().unwrap()));
    // Each row has the bytes that it was read from, in whichever of the two lists.
    let bodies = pull.bodies[0].read(&[3, 5]);
    let bodies: Vec<String> =
        bodies.into_iter().map(|it| String::from_utf8(it.unwrap()).unwrap()).collect();
    assert!(bodies[0].contains(&id(4)) && bodies[1].contains(&id(6)), "{bodies:?}");
    let asked = server.requests();
    assert!(asked.iter().all(|it| it.starts_with("GET /v1.0/")), "{asked:?}");
    let users = asked.iter().find(|it| it.contains("/users?$select=")).unwrap();
    assert!(users.contains("accountEnabled") && users.ends_with("$top=999"), "{users}");
    assert!(asked.iter().any(|it| it.ends_with("/appRoleAssignedTo?$top=999")), "{asked:?}");
}

#[tokio::test]
async fn several_roles_of_one_person_are_one_assignment() {
    let mut tenant = Tenant::of(1);
    // A whole page brings only rows of somebody who came before.
    tenant.assigned = (1..=4).map(|nth| assigned(nth, "User", &id(1))).collect();
    let server = GraphServer::start(tenant);
    let pull = pull(&server).await;
    assert_eq!(assignments(&pull).len(), 1);
    assert!(told(&server, &pull).contains("entra assignments: 1 rows, complete"));
}

#[tokio::test]
async fn groups_give_the_app_to_their_direct_members_and_to_no_others() {
    let mut tenant = Tenant::of(4);
    tenant.assigned = vec![
        assigned(1, "Group", &group(1)),
        assigned(2, "User", &id(1)),
        assigned(3, "ServicePrincipal", &group(8)),
    ];
    tenant.members.insert(
        group(1),
        vec![
            member("user", &id(2)),
            member("user", &id(3)),
            member("group", &group(2)),
            member("device", &group(3)),
        ],
    );
    tenant.members.insert(group(2), vec![member("user", &id(4))]);
    let server = GraphServer::start(tenant);
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @r"
    entra identities: 4 rows, complete
    entra assignments: 2 rows, complete
      note: rows left out, which name neither a user nor a group: 1
    entra memberships: 3 rows, complete
      note: `P1` (b1000000-0000-4000-8000-000000000001) holds groups (b1000000-0000-4000-8000-000000000002), whose members get nothing through it: assign those groups themselves, or make their members its own
    ");
    let Via::Groups(groups) = &assignments(&pull)[0].via else { panic!("no group") };
    assert_eq!(groups[0].name.as_deref(), Some("P1"));
    let members: Vec<_> = memberships(&pull).into_iter().map(|it| it.member).collect();
    assert_eq!(members[1], Principal::Identity(id(3).as_str().into()));
    // Nobody asks for what is in a group that is in a group.
    assert_eq!(server.n_requests(&format!("groups/{}/members", group(2))), 0);
}

#[tokio::test]
async fn a_group_that_shows_nobody_is_looked_at_for_hidden_members() {
    let mut tenant = Tenant::of(1);
    tenant.assigned.push(assigned(2, "Group", &group(1)));
    let server = GraphServer::start(tenant);
    assert!(told(&server, &pull(&server).await).contains("entra memberships: 0 rows, complete"));
    let hidden = json!({"id": group(1), "visibility": "HiddenMembership"});
    server.always("?$select=id,visibility", super::graph_server::Reply::json(&hidden));
    let told = told(&server, &pull(&server).await);
    assert!(told.contains("entra memberships: 0 rows, partial: `P2`"), "{told}");
    assert!(told.contains("`Member.Read.Hidden`"), "{told}");
}

#[tokio::test]
async fn who_is_deleted_while_users_are_read_has_left_and_comes_once() {
    let server = GraphServer::start(Tenant::of(3));
    server.hook(|tenant, path| {
        if path.contains("/deletedItems/microsoft") && tenant.deleted.is_empty() {
            tenant.users.remove(0);
            tenant.deleted.push(deleted(1));
        }
        None
    });
    let pull = pull(&server).await;
    let lifecycles: Vec<_> =
        identities(&pull).iter().map(|it| (it.id.to_string(), it.lifecycle)).collect();
    let (left, on) = (Lifecycle::Left, Lifecycle::Active);
    assert_eq!(lifecycles, [(id(2), on), (id(3), on), (id(1), left)]);
}

#[tokio::test]
async fn where_everybody_is_in_scope_no_assignment_is_read() {
    let server = GraphServer::start(Tenant::of(2));
    let mut config = config();
    config.scope = Scope::Everyone;
    let pull = connect(&server, config).pull(&now(), None).await;
    assert_eq!(told(&server, &pull), "entra identities: 2 rows, complete\n");
    assert_eq!(server.n_requests("appRoleAssignedTo"), 0);
}

#[tokio::test]
async fn a_disabled_account_may_mean_long_leave_and_a_deleted_one_never_does() {
    let mut tenant = Tenant::of(2);
    tenant.users[0] = user(1, false);
    tenant.deleted = vec![deleted(3)];
    let server = GraphServer::start(tenant);
    let mut config = config();
    config.disabled = SwitchedOff::Suspended;
    let pull = connect(&server, config).pull(&now(), None).await;
    let lifecycles: Vec<_> = identities(&pull).iter().map(|it| it.lifecycle).collect();
    assert_eq!(lifecycles, [Lifecycle::Suspended, Lifecycle::Active, Lifecycle::Left]);
}

#[tokio::test]
async fn without_account_enabled_nobody_is_active() {
    let mut tenant = Tenant::of(2);
    tenant.users[0]["accountEnabled"] = json!(null);
    let server = GraphServer::start(tenant);
    let pull = pull(&server).await;
    assert_eq!(identities(&pull)[0].lifecycle, Lifecycle::Unknown);
    let told = told(&server, &pull);
    assert!(told.contains("partial: users without `accountEnabled`: 1"), "{told}");
}

#[tokio::test]
async fn guests_are_told_from_members() {
    let mut tenant = Tenant::of(2);
    tenant.users[1]["userType"] = json!("Guest");
    tenant.users[1]["userPrincipalName"] = json!("kim_partner.example#EXT#@acme.onmicrosoft.com");
    tenant.users[1]["mail"] = json!("kim@partner.example");
    let server = GraphServer::start(tenant);
    let pull = pull(&server).await;
    let guest = &identities(&pull)[1];
    assert_eq!(guest.kind, IdentityKind::Guest);
    assert_eq!(guest.email.as_deref(), Some("kim@partner.example"));
}

#[tokio::test]
async fn somebody_who_has_the_app_and_is_no_user_makes_the_list_partial() {
    let mut tenant = Tenant::of(3);
    tenant.users.remove(2);
    let server = GraphServer::start(tenant);
    let told = told(&server, &pull(&server).await);
    let id = id(3);
    assert!(told.contains(&format!("are not in the list of users ({id})")), "{told}");
    // It was read again before that was said.
    assert_eq!(server.n_requests("/v1.0/users?$select"), 2);
}

#[tokio::test]
async fn a_canary_may_have_the_app_through_a_group() {
    let mut tenant = Tenant::of(3);
    tenant.assigned = vec![assigned(1, "Group", &group(1))];
    tenant.members.insert(group(1), (1..=3).map(|it| member("user", &id(it))).collect());
    let server = GraphServer::start(tenant);
    let mut config = config();
    config.canaries = vec![id(1).as_str().into()];
    config.assigned_canaries = vec![id(2).as_str().into(), id(9).as_str().into()];
    let pull = connect(&server, config).pull(&now(), None).await;
    let told = told(&server, &pull);
    assert!(told.contains("entra identities: 3 rows, complete"), "{told}");
    let missing = format!("entra assignments: 1 rows, partial: canaries are not in it ({})", id(9));
    assert!(told.contains(&missing) && told.contains("canary_missing"), "{told}");
}

#[tokio::test]
async fn the_log_says_whom_the_app_was_told_about_and_goes_on_where_it_stopped() {
    let mut tenant = Tenant::of(1);
    tenant.log = vec![
        event(3, "2026-11-23T10:00:00Z", "failure", 1),
        event(2, "2026-11-22T10:00:00Z", "skipped", 1),
        event(1, "2026-11-21T10:00:00Z", "success", 1),
    ];
    let server = GraphServer::start(tenant);
    let first = pull(&server).await;
    let kinds: Vec<_> = first.events.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [LogEventKind::Pushed, LogEventKind::PushFailed]);
    let asked = server.requests();
    let log = asked.iter().find(|it| it.contains("/provisioning?")).unwrap();
    assert!(log.contains("activityDateTime gt 2026-10-25T02:00:00Z and servicePrincipal/id eq"));
    let cursor = first.log_cursor.clone().unwrap();
    let second = connect(&server, config()).pull(&now(), Some(&cursor)).await;
    assert_eq!(second.log_cursor, Some(cursor));
    // Some hours before the newest event, because events come late.
    assert_eq!(server.n_requests("activityDateTime gt 2026-11-23T04:00:00Z"), 1);
}

#[tokio::test]
async fn a_tenant_without_a_licence_or_a_cloud_without_a_log_is_said_and_no_fault() {
    let server = GraphServer::start(Tenant::of(1));
    let unlicensed = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    server.always("/auditLogs/", super::graph_server::error(403, unlicensed));
    let pull = pull(&server).await;
    let said = told(&server, &pull);
    assert!(
        said.contains("note: the provisioning log was not read: it needs Entra ID P1"),
        "{said}"
    );
    assert_eq!(pull.troubles, []);
    for (log, n_asked) in [(ProvisioningLog::NotInCloud, 1), (ProvisioningLog::Unwanted, 1)] {
        let mut config = config();
        config.log = log;
        let pull = connect(&server, config).pull(&now(), None).await;
        let is_said = told(&server, &pull).contains("this cloud has none");
        assert_eq!(is_said, log == ProvisioningLog::NotInCloud);
        assert_eq!(server.n_requests("/auditLogs/"), n_asked);
    }
}
