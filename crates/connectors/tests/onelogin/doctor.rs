//! What the doctor finds, and what it says to do.

use connectors::live::CheckResult;
use serde_json::json;

use super::{Server, Subdomain, now, with_canaries};

#[tokio::test]
async fn users_who_must_have_the_app_are_looked_at() {
    let mut subdomain = Subdomain::of_two();
    subdomain.0.insert("users/1", super::user(1, 1));
    subdomain.0.insert("users/1/apps", json!([{"id": 3001, "name": "Secureframe"}]));
    subdomain.0.insert("users/2/apps", json!([{"id": 3002, "name": "Another"}]));
    let server = Server::start(subdomain);
    let checks = with_canaries(&server, &["1", "2", "9"]).doctor(&now()).await;
    let told: Vec<_> = checks.iter().filter(|it| it.name == "canaries are seen").collect();
    assert_eq!(told.len(), 3, "{checks:?}");
    assert_eq!((told[0].result, &*told[0].seen), (CheckResult::Fine, "`1` has the app."));
    for (check, id) in told[1..].iter().zip(["2", "9"]) {
        assert_eq!(check.result, CheckResult::Failed, "{check:?}");
        assert!(check.seen.contains(&format!("`{id}` does not have the app")), "{check:?}");
        assert!(check.next.as_ref().unwrap().contains("`assigned_canaries`"), "{check:?}");
    }
}
