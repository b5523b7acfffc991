//! What the doctor sees, and what it says to do next.

use std::fmt::Write as _;

use connectors::live::Check;
use connectors::okta::Credential;
use serde_json::json;

use super::okta_server::{OktaServer, Org, Reply, id, user};
use super::{TOKEN, config, connect, now, plain};

fn told(server: &OktaServer, checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        writeln!(text, "{:?}: {}. {}", check.result, check.name, check.seen).unwrap();
        if let Some(next) = &check.next {
            writeln!(text, "  next: {next}").unwrap();
        }
    }
    assert!(!text.contains(TOKEN));
    plain(server, &text)
}

#[tokio::test]
async fn everything_is_fine() {
    let mut org = Org::of(2);
    org.users.push(user(3, "DEPROVISIONED"));
    let server = OktaServer::start(org);
    let mut config = config();
    config.canaries = vec![id(1).into()];
    config.assigned_canaries = vec![id(2).into()];
    config.credential = Credential::ServiceApp {
        scopes: vec!["okta.users.read".to_owned(), "okta.apps.read".to_owned()],
    };
    let checks = connect(&server, config).doctor(&now()).await;
    insta::assert_snapshot!(told(&server, &checks), @r#"
    Fine: the credential is accepted. Okta takes it.
    Fine: users can be listed. Okta answers with rows.
    Fine: deactivated users are shown. Okta shows them when asked for every status.
    Fine: the app is there and active. It is `Secureframe` (0oaAPP).
    Fine: users of the app can be listed. Okta answers with rows.
    Fine: Okta deactivates users in the app. "Deactivate Users" is on.
    Fine: the system log can be read. It can be read; nothing of late is about this app.
    Fine: the credential cannot write. Tokens are asked for with read scopes only. Whether the service app was granted more cannot be told.
    Fine: our clock agrees with Okta's. They differ by 0 s.
    Fine: canaries are seen. `00u00000000000000001` is there.
    Fine: canaries are seen. `00u00000000000000002` is there.
    "#);
    assert!(server.requests().iter().all(|it| it.starts_with("GET ")));
}

#[tokio::test]
async fn a_token_that_is_not_valid_ends_the_visit() {
    let server = OktaServer::start(Org::of(2));
    server.always("", Reply::error(401, "E0000011", "Invalid token provided"));
    let checks = connect(&server, config()).doctor(&now()).await;
    insta::assert_snapshot!(told(&server, &checks), @"
    Failed: the credential is accepted. HTTP 401: the token is not valid (E0000011, Okta's id of this error is oaeTEST).
      next: Make a new one; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone.
    Warning: the credential cannot write. This cannot be told: an API token may do all that the admin may who made it. Driftline sends nothing but GET.
      next: Make the token as a Read-only Administrator, or use a service app with read scopes.
    ");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn everything_is_wrong() {
    let server = OktaServer::start(Org { page_rows: 2, ..Org::default() });
    server.always("/logs", Reply::error(403, "E0000006", "You do not have permission"));
    server.always("/features", Reply::error(400, "E0000001", "Api validation failed: feature"));
    server.always("DEPROVISIONED\"&x", Reply::html(200));
    let late = Reply::json(&json!([])).with("Date", "Tue, 24 Nov 2026 01:58:00 GMT");
    server.always("limit=1&filter=status eq \"STAGED\"", late);
    server.hook(|_, path| {
        path.ends_with("/apps/0oaAPP")
            .then(|| Reply::json(&json!({"id": "0oaAPP", "label": "SF", "status": "INACTIVE"})))
    });
    let mut config = config();
    config.canaries = vec![id(1).into()];
    config.assigned_canaries = vec![id(2).into()];
    config.credential = Credential::ServiceApp {
        scopes: vec!["okta.users.read".to_owned(), "okta.users.manage".to_owned()],
    };
    let checks = connect(&server, config).doctor(&now()).await;
    insta::assert_snapshot!(told(&server, &checks), @r#"
    Fine: the credential is accepted. Okta takes it.
    Failed: users can be listed. Okta answers with an empty list: nobody at all.
      next: The scopes are granted and the admin role is missing, or it is limited to nobody. Give the service app, or the admin who made the API token, a role that sees all users, such as Read-only Administrator.
    Skipped: deactivated users are shown. There is none to be seen: nobody was ever deactivated, or such users are not shown to this credential.
      next: If Okta's console shows deactivated users, give the credential a role that sees all users.
    Warning: the app is there and active. The app `SF` (0oaAPP) is INACTIVE in Okta.
      next: Activate it, or take it out of the settings if it is no longer used.
    Warning: users of the app can be listed. Nobody is assigned to the app, or this credential may not see who is.
      next: Check `app_id`, and that the admin role covers the app.
    Warning: Okta deactivates users in the app. Provisioning is not set up for the app `SF` (0oaAPP): Okta will never deactivate anybody there.
      next: Set it up with "Deactivate Users" on, or remove accounts by hand.
    Failed: the system log can be read. HTTP 403: the credential may not read the system log (E0000006, Okta's id of this error is oaeTEST).
      next: Grant the service app the scope `okta.logs.read` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this.
    Warning: the credential cannot write. Tokens are asked for with more than read scopes: okta.users.manage.
      next: Take them out of `scopes`, and revoke them in Okta.
    Warning: our clock agrees with Okta's. Our clock is 120 s ahead of Okta's.
      next: Switch on time synchronisation on this machine.
    Failed: canaries are seen. `00u00000000000000001` is not a user, or may not be seen.
      next: Correct the canaries, or give the credential a role that sees them.
    Failed: canaries are seen. `00u00000000000000002` is not assigned to the app, or may not be seen.
      next: Correct the canaries, or give the credential a role that sees them.
    "#);
}

#[tokio::test]
async fn something_else_answers() {
    let server = OktaServer::start(Org::of(1));
    server.always("", Reply::html(200));
    let checks = connect(&server, config()).doctor(&now()).await;
    insta::assert_snapshot!(told(&server, &checks), @"
    Failed: the credential is accepted. HTTP 200, and this is no answer of Okta's API.
      next: Check the base URL and what stands between here and Okta.
    Warning: the credential cannot write. This cannot be told: an API token may do all that the admin may who made it. Driftline sends nothing but GET.
      next: Make the token as a Read-only Administrator, or use a service app with read scopes.
    ");
}
