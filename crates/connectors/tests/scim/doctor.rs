//! What the doctor says of a SCIM app.

use connectors::live::{Check, CheckResult};
use insta::assert_snapshot;

use crate::server::{Said, Server};
use crate::world::{TOKEN, clock, with_canaries};

fn told(checks: &[Check]) -> String {
    let lines = checks.iter().map(|it| {
        let next = it.next.as_deref().map_or(String::new(), |it| format!(" -> {it}"));
        format!("{:?}: {}: {}{next}", it.result, it.name, it.seen)
    });
    lines.collect::<Vec<_>>().join("\n")
}

const PREREQUISITE: &str = r#"
[[prerequisites]]
name = "SSO is on"
text = "It must be."
next = "Look."
"#;

#[tokio::test]
async fn a_healthy_app_is_examined_without_a_write() {
    let server = Server::start(|path| {
        let row = |id: &str, is_on: bool| {
            format!(r#"{{"id":"{id}","userName":"u{id}","externalId":"e{id}","active":{is_on}}}"#)
        };
        let (a, b) = (row("1", true), row("2", false));
        let said = match path {
            "/ServiceProviderConfig" => r#"{"filter":{"supported":true}}"#.to_owned(),
            it if it.contains("nobody") => r#"{"totalResults":0}"#.to_owned(),
            it if it.contains("filter") => format!(r#"{{"totalResults":1,"Resources":[{a}]}}"#),
            _ => format!(r#"{{"totalResults":2,"Resources":[{a},{b}]}}"#),
        };
        Said::json(200, said).with("date", "Mon, 23 Nov 2026 18:00:00 GMT")
    })
    .await;
    let scim = with_canaries(&server, PREREQUISITE, &["1"], &["2"]);
    assert_snapshot!(told(&scim.doctor(&clock()).await), @r"
        Fine: clocks agree: This clock and the server's differ by 0 s.
        Fine: token works: The server accepts the token.
        Fine: users can be listed: Accounts read: 2; requests: 1.
        Fine: list is complete: As many accounts came as the server states.
        Fine: server describes itself: Filters: yes; paging by cursor: not said.
        Fine: `userName` filters work: A known value brings one account, an impossible one none.
        Fine: `externalId` filters work: A known value brings one account, an impossible one none.
        Fine: active canary is seen: Account `1` is in the list.
        Fine: inactive canary is seen: Account `2` is in the list.
        Warning: token can only read: SCIM knows no way to show it, and most tokens can write. -> Keep the token like an administrator's password, and ask the vendor for one that only reads.
        Skipped: prerequisite of the app: SSO is on: It must be. -> Look.
        ");
    assert!(server.asked().iter().all(|it| it.starts_with("GET ")));
}

#[tokio::test]
async fn a_refused_token_is_named_and_not_shown() {
    let server =
        Server::start(|_| Said::json(401, "{}").with("date", "Mon, 23 Nov 2026 18:05:00 GMT"))
            .await;
    let checks = with_canaries(&server, "", &["1"], &[]).doctor(&clock()).await;
    let told = told(&checks);
    assert!(!told.contains(TOKEN));
    let results: Vec<_> = checks.iter().map(|it| it.result).collect();
    assert!(results.contains(&CheckResult::Failed));
    assert_snapshot!(told.replace(server.base.as_str(), "BASE"), @r"
        Warning: clocks agree: This clock is 300 s behind the server's. -> Set this machine's clock by NTP; if it is right, tell the vendor.
        Failed: token works: The server answers HTTP 401. -> The SCIM token is not accepted: look whether what `token` refers to holds it as the app shows it; before you make another, find out whether that ends the one that provisioning uses.
        Failed: users can be listed: HTTP 401 from `BASE/Users?startIndex=1&count=100`: the SCIM token is not accepted: look whether what `token` refers to holds it as the app shows it; before you make another, find out whether that ends the one that provisioning uses. -> Correct that, and run `driftline doctor` again.
        Skipped: list is complete: Could not be looked at: there is none.
        Fine: server describes itself: It does not, and the list is asked for by index.
        Skipped: filters work: Could not be looked at: no account was read to try them with.
        Skipped: active canary is seen: Could not be looked at: there is no list.
        Warning: inactive canary is seen: None is configured. -> Name an account that is always off: it shows whether the list has inactive users.
        Warning: token can only read: SCIM knows no way to show it, and most tokens can write. -> Keep the token like an administrator's password, and ask the vendor for one that only reads.
        ");
}
