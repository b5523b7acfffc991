//! What a pull makes of answers that are none, and of lists that do not hold still.

use domain::Coverage;
use serde_json::json;

use super::graph_server::{GraphServer, Reply, Tenant, assigned, error, group, id, member};
use super::{pull, told};

/// Graph says that the link to this page is no longer good.
fn expired() -> Reply {
    error(400, "Directory_ExpiredPageToken")
}

#[tokio::test]
async fn a_list_whose_page_expired_is_begun_again_and_nobody_is_lost() {
    let server = GraphServer::start(Tenant::of(5));
    server.once("/v1.0/users?$skiptoken=4", [expired(), expired()]);
    let pull = pull(&server).await;
    assert!(told(&server, &pull).starts_with("entra identities: 5 rows, complete"));
    // Twice up to the page that had expired, then to the end.
    assert_eq!(server.n_requests("/v1.0/users?$select"), 3);
    let snapshot = &pull.snapshots[0];
    // Three pages of users and one of deleted users; what was given up is kept beside them.
    assert_eq!(snapshot.requests.len(), 4);
    assert!(pull.requests.iter().filter(|it| it.status == Some(400)).count() == 2);
}

#[tokio::test]
async fn a_list_whose_pages_expire_each_time_is_partial() {
    let server = GraphServer::start(Tenant::of(5));
    server.always("/v1.0/users?$skiptoken=4", expired());
    let told = told(&server, &pull(&server).await);
    assert!(told.starts_with("entra identities: 4 rows, partial: HTTP 400"), "{told}");
    assert!(told.contains("expired while the list was read, each time"), "{told}");
    assert_eq!(server.n_requests("/v1.0/users?$select"), 4);
}

#[tokio::test]
async fn a_wait_of_a_fraction_of_a_second_is_waited() {
    let server = GraphServer::start(Tenant::of(1));
    for status in [429, 503] {
        let refused = error(status, "TooManyRequests").with("Retry-After", "0.128");
        server.once("/v1.0/users?", [refused]);
    }
    let pull = pull(&server).await;
    assert!(told(&server, &pull).starts_with("entra identities: 1 rows, complete"));
    assert_eq!(server.n_requests("/v1.0/users?"), 3);
}

#[tokio::test]
async fn an_empty_page_that_leads_on_is_no_end() {
    let server = GraphServer::start(Tenant::of(3));
    let next = format!("{}/v1.0/users?$skiptoken=2&x=1", server.url());
    let page = json!({"value": [], "@odata.nextLink": next});
    server.once("/v1.0/users?$skiptoken=2", [Reply::json(&page)]);
    let told = told(&server, &pull(&server).await);
    assert!(told.starts_with("entra identities: 3 rows, complete"), "{told}");
}

#[tokio::test]
async fn a_repeated_page_is_no_whole_list() {
    for list in ["/v1.0/users?", "/appRoleAssignedTo?"] {
        let server = GraphServer::start(Tenant::of(5));
        server.hook(move |tenant, path| {
            if path.contains(list) && path.contains("$skiptoken=2") {
                // The rows of the page before.
                tenant.users.rotate_right(2);
                tenant.assigned.rotate_right(2);
            }
            None
        });
        let pull = pull(&server).await;
        let at = usize::from(list != "/v1.0/users?");
        let coverage = &pull.snapshots[at].coverage;
        assert!(matches!(coverage, Coverage::Partial { .. }), "{list}: {coverage:?}");
    }
}

#[tokio::test]
async fn a_next_page_on_another_host_is_not_asked_for() {
    let server = GraphServer::start(Tenant::of(3));
    let page = json!({"value": [{"id": id(1), "userPrincipalName": "a", "accountEnabled": true}],
        "@odata.nextLink": "https://elsewhere.test/v1.0/users?$skiptoken=1"});
    server.always("/v1.0/users?", Reply::json(&page));
    let told = told(&server, &pull(&server).await);
    assert!(told.contains("the next page is said to be at `https://elsewhere.test/"), "{told}");
}

#[tokio::test]
async fn what_is_no_list_says_what_to_do() {
    for (reply, words) in [
        (Reply::html(200), "the answer is a web page and no list: check the base URL"),
        (Reply::json(&json!({})), "the object is empty: check the base URL"),
        (Reply::json(&json!([])), "the answer is no list: check the base URL"),
        (Reply::json(&json!({"value": [{"mail": null}]})), "a row has no `id` (row 1): check"),
        (
            Reply::json(&json!({"value": [], "@odata.nextLink": ""})),
            "its link to the next page is empty: check the base URL",
        ),
        (Reply::json(&json!({"value": [{"id": "x"}]})).cut_after(9), "was cut off after 9 bytes"),
        (error(403, "Authorization_RequestDenied"), "the application permission `User.Read.All`"),
        (Reply::html(404), "no answer of Microsoft Graph: check `cloud`, or `graph_url`"),
    ] {
        let server = GraphServer::start(Tenant::of(1));
        server.always("/v1.0/users?", reply);
        let told = told(&server, &pull(&server).await);
        let failed = told.lines().find(|it| it.starts_with("entra identities: failed: "));
        assert!(failed.is_some_and(|it| it.contains(words)), "{words}: {told}");
        assert!(
            told.contains("entra assignments: 1 rows, complete"),
            "the others are read: {told}"
        );
    }
}

#[tokio::test]
async fn nobody_at_all_is_no_empty_tenant() {
    let server = GraphServer::start(Tenant { page_rows: 2, ..Tenant::default() });
    let told = told(&server, &pull(&server).await);
    assert!(told.contains("Microsoft Graph shows nobody at all"), "{told}");
}

#[tokio::test]
async fn without_the_deleted_users_the_list_is_partial_and_users_still_count() {
    let server = GraphServer::start(Tenant::of(2));
    server.always("/deletedItems/", error(403, "Authorization_RequestDenied"));
    let told = told(&server, &pull(&server).await);
    assert!(
        told.starts_with("entra identities: 2 rows, partial: deleted users could not all be read"),
        "{told}"
    );
    assert!(told.contains("`User.Read.All`"), "{told}");
}

#[tokio::test]
async fn members_that_cannot_be_read_make_their_list_partial_and_name_the_group() {
    let mut tenant = Tenant::of(4);
    tenant.assigned = vec![assigned(1, "Group", &group(1)), assigned(2, "Group", &group(2))];
    tenant.members.insert(group(1), vec![member("user", &id(1))]);
    let server = GraphServer::start(tenant);
    server.change(|it| drop(it.members.insert(group(2), vec![member("user", &id(2))])));
    server.always("000002/members", error(403, "Authorization_RequestDenied"));
    let told = told(&server, &pull(&server).await);
    assert!(told.contains("entra memberships: 1 rows, partial: the members of `P2`"), "{told}");
    assert!(told.contains("`GroupMember.Read.All`"), "{told}");
    // Of no group: the list failed, and the last one stands in.
    server.always("/members", error(403, "Authorization_RequestDenied"));
    let told = super::told(&server, &pull(&server).await);
    assert!(told.contains("entra memberships: failed: HTTP 403"), "{told}");
}

#[tokio::test]
async fn an_app_that_is_not_there_leaves_the_users() {
    let server = GraphServer::start(Tenant::of(2));
    server.always("/servicePrincipals?", Reply::json(&json!({"value": []})));
    let pull = pull(&server).await;
    let told = told(&server, &pull);
    assert!(told.starts_with("entra identities: 2 rows, complete"), "{told}");
    for list in ["assignments", "memberships"] {
        assert!(told.contains(&format!("entra {list}: failed: ")), "{told}");
    }
    assert!(told.contains("give its application id, and not the object id"), "{told}");
}

#[tokio::test]
async fn a_refused_credential_is_asked_no_further_and_said_once() {
    let server = GraphServer::start(Tenant::of(2));
    server.always("/v1.0/", error(401, "InvalidAuthenticationToken"));
    let pull = pull(&server).await;
    assert_eq!(pull.failures.len(), 1);
    assert_eq!(pull.failures[0].lists.len(), 3);
    assert!(pull.failures[0].error.is_of_credential());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_job_in_quarantine_is_the_cause_above_the_findings() {
    let server = GraphServer::start(Tenant::of(1));
    let job = json!({"value": [{"id": "scim.1", "schedule": {"state": "Active"}, "status":
        {"code": "Quarantine", "quarantine": {"reason": "EncounteredEscrowProportionThreshold"}}}]});
    server.always("/synchronization/jobs", Reply::json(&job));
    let told = told(&server, &pull(&server).await);
    assert!(told.contains("provisioning_unhealthy: The provisioning job scim.1"), "{told}");
    assert!(told.contains("(too many accounts failed)"), "{told}");
}
