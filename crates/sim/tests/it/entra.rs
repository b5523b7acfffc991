//! Microsoft Graph and Entra's token endpoint, as they look from outside.

use serde_json::Value;
use sim::{Endpoint, Fault, Sim, When, World};

use crate::ask::{Reply, get, send};

const FIRM: &str = "
entra (page 2)
  a1 ana@x.test on assigned via=b1
  a2 bob@x.test off assigned
  a3 cy@x.test null
  a4 dee@x.test deleted since=-3h
entra-groups
  b1 Staff assigned holds=b2
  b2 Interns hidden
entra-log
  -3h disable a4 failure
";

/// A tenant, and an access token of it.
async fn start(firm: &str) -> (Sim, String) {
    let sim = Sim::start(World::describe(firm).unwrap()).await.unwrap();
    let granted = token(&sim, "client_secret=sim-entra-client-secret").await;
    assert_eq!(granted.status, 200);
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    (sim, token)
}

/// Asks for a token with this credential.
async fn token(sim: &Sim, credential: &str) -> Reply {
    let url = sim.entra_url();
    let (tenant, client) = {
        let world = sim.world();
        (world.entra.door.tenant.clone(), world.entra.door.client_id.clone())
    };
    let scope = format!("{url}/.default");
    let body =
        format!("grant_type=client_credentials&client_id={client}&scope={scope}&{credential}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send("POST", &format!("{url}/{tenant}/oauth2/v2.0/token"), &headers, &body).await
}

async fn ask(sim: &Sim, token: &str, path: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    get(&format!("{}/v1.0/{path}", sim.entra_url()), &[("authorization", bearer.as_str())]).await
}

/// The ids of a page.
fn ids(reply: &Reply) -> Vec<String> {
    let body: Value = reply.json();
    let rows = body["value"].as_array().unwrap().iter();
    rows.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_lead_on_in_the_body_and_deleted_users_are_elsewhere() {
    let (sim, token) = start(FIRM).await;
    let first = ask(&sim, &token, "users?$select=id,accountEnabled&$top=999").await;
    assert_eq!(ids(&first), ["a1", "a2"]);
    let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let path = next.strip_prefix(&format!("{}/v1.0/", sim.entra_url())).unwrap();
    let second = ask(&sim, &token, path).await;
    assert_eq!(ids(&second), ["a3"]);
    assert!(second.json().get("@odata.nextLink").is_none());
    assert!(second.json()["value"][0]["accountEnabled"].is_null());
    let deleted = ask(&sim, &token, "directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(ids(&deleted), ["a4"]);
    assert_eq!(deleted.json()["value"][0]["userPrincipalName"], "a4dee@x.test");
    for (path, status) in [("users/a4", 404), ("directory/deletedItems/a4", 200)] {
        assert_eq!(ask(&sim, &token, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_selected_does_not_come() {
    let (sim, token) = start(FIRM).await;
    let user = ask(&sim, &token, "users/a2").await.json();
    assert!(user.get("accountEnabled").is_none() && user.get("userType").is_none(), "{user}");
    let user = ask(&sim, &token, "users/a2?$select=accountEnabled").await.json();
    assert_eq!(user["accountEnabled"], false);
    for path in ["users?$top=1000", "users?$top=0", "users?$skip=1"] {
        assert_eq!(ask(&sim, &token, path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn assignments_come_by_hand_and_through_groups_one_is_a_direct_member_of() {
    let (sim, token) = start(FIRM).await;
    let app = sim.world().entra.app.id.clone();
    let path = format!("servicePrincipals/{app}/appRoleAssignedTo?$top=999");
    let kinds: Vec<Value> = ask(&sim, &token, &path).await.json()["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["principalType"].clone())
        .collect();
    assert_eq!(kinds, ["User", "User"]);
    let of =
        |user: &str| format!("users/{user}/appRoleAssignments?$filter=resourceId%20eq%20{app}");
    for (user, n) in [("a1", 2), ("a2", 1), ("a3", 0)] {
        assert_eq!(ids(&ask(&sim, &token, &of(user)).await).len(), n, "{user}");
    }
    assert_eq!(ids(&ask(&sim, &token, "groups/b1/members?$select=id").await), ["a1", "b2"]);
    assert!(ids(&ask(&sim, &token, "groups/b2/members").await).is_empty());
    let hidden = ask(&sim, &token, "groups/b2?$select=id,visibility").await.json();
    assert_eq!(hidden["visibility"], "HiddenMembership");
}

#[tokio::test]
async fn who_may_ask_for_what_is_told_by_codes() {
    let firm = FIRM.replace("(page 2)", "(unlicensed, without GroupMember.Read.All)");
    let (sim, token) = start(&firm).await;
    let code = |reply: &Reply| reply.json()["error"]["code"].as_str().unwrap().to_owned();
    let log = ask(&sim, &token, "auditLogs/provisioning").await;
    assert_eq!(code(&log), "Authentication_RequestFromNonPremiumTenantOrB2CTenant");
    let members = ask(&sim, &token, "groups/b1/members").await;
    assert_eq!((members.status, &*code(&members)), (403, "Authorization_RequestDenied"));
    let stranger = ask(&sim, "no-token", "users").await;
    assert_eq!((stranger.status, &*code(&stranger)), (401, "InvalidAuthenticationToken"));
    let refused = self::token(&sim, "client_secret=wrong").await;
    let told = refused.json()["error_description"].as_str().unwrap().to_owned();
    assert!(refused.status == 401 && told.starts_with("AADSTS7000215:"), "{told}");
    assert_eq!(self::token(&sim, "").await.status, 401);
}

#[tokio::test]
async fn a_page_expires_and_the_first_one_never_does() {
    let (sim, token) = start(FIRM).await;
    let id = sim.fault(Endpoint::EntraUsers, Fault::ExpiredPage, When::next(1));
    let first = ask(&sim, &token, "users?$select=id").await;
    let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let path = next.strip_prefix(&format!("{}/v1.0/", sim.entra_url())).unwrap();
    let expired = ask(&sim, &token, path).await;
    assert_eq!(expired.status, 400);
    assert_eq!(expired.json()["error"]["code"], "Directory_ExpiredPageToken");
    assert_eq!((ask(&sim, &token, path).await.status, sim.struck(id)), (200, 1));
    assert_eq!(sim.offences(), Vec::<String>::new());
}

#[test]
fn the_tenant_that_comes_along_can_be_read() {
    let world = World::describe(include_str!("../../companies/entra.txt")).unwrap();
    let tenant = &world.entra;
    assert_eq!((tenant.users.len(), tenant.groups.len(), tenant.assigned.len()), (6, 2, 3));
    for (line, told) in [
        ("entra\n a1 a@x maybe", "`maybe` is not known: write on, off, null, deleted"),
        ("entra (without Anything)", "`Anything` is not granted"),
        ("entra (mars)", "`mars` is not known"),
        ("entra-groups\n b1", "write an object id and a name"),
        ("entra-log\n -3h disable a1 perhaps", "`perhaps` is not known"),
    ] {
        let error = World::describe(line).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
