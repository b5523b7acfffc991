//! One pull: how pages lead on, what totals prove, and what states take.

use domain::{Coverage, Grant, Proof, Rows};
use serde_json::json;

use super::server::{Reply, Server};
use super::{Subdomain, page, told, user};

#[tokio::test]
async fn both_lists_are_whole_by_their_totals_and_what_is_null_is_no_trouble() {
    let server = Server::start(Subdomain::of_two());
    let (pull, text) = told(&server).await;
    insta::assert_snapshot!(text, @r"
    onelogin identities: 2 rows, complete
    onelogin assignments: 2 rows, complete
    ");
    for snapshot in &pull.snapshots {
        assert_eq!(snapshot.coverage, Coverage::Complete(Proof::StatedTotal));
    }
    assert_eq!(pull.unmapped, []);
    assert_eq!(
        server.requests(),
        [
            "GET /api/2/apps/3001",
            "GET /api/2/apps/3001/users?limit=1000",
            "GET /api/2/users?limit=100",
            "GET /api/1/events/types",
            "GET /api/1/events?event_type_id=16,17,21,32,53,55,60,61,63&since=2026-08-26T02:00:00.000Z&limit=50"
        ]
    );
}

#[tokio::test]
async fn a_page_leads_on_by_its_cursor_alone() {
    let server = Server::start(Subdomain::of_two());
    server.once("2/users?limit=100", [page(&[user(1, 1)], 2, "bGltaXQ9MQ==")]);
    server.always("2/users?cursor=bGltaXQ9MQ==", page(&[user(2, 2)], 2, ""));
    let (_, text) = told(&server).await;
    assert!(text.starts_with("onelogin identities: 2 rows, complete\n"), "{text}");
    assert_eq!(server.n_requests("2/users?cursor=bGltaXQ9MQ=="), 1);
}

#[tokio::test]
async fn a_list_that_differs_from_its_total_is_read_again_and_then_partial() {
    let server = Server::start(Subdomain::of_two());
    server.always("/api/2/users?", page(&[user(1, 1), user(2, 1)], 3, ""));
    let (_, text) = told(&server).await;
    assert!(text.contains("it states a total of 3, and 2 different rows were read"), "{text}");
    assert_eq!(server.n_requests("/api/2/users?"), 2);
}

#[tokio::test]
async fn a_page_that_is_cut_leaves_what_was_read_before() {
    let server = Server::start(Subdomain::of_two());
    server.once("2/users?limit=100", [page(&[user(1, 1)], 2, "b")]);
    server.always("2/users?cursor=b", page(&[user(2, 2)], 2, "").cut_after(9));
    let (_, text) = told(&server).await;
    assert!(text.starts_with("onelogin identities: 1 rows, partial: failed to GET"), "{text}");
}

#[tokio::test]
async fn a_cursor_that_leads_back_is_met_once() {
    let server = Server::start(Subdomain::of_two());
    server.once("2/users?limit=100", [page(&[user(1, 1)], 3, "a"), page(&[user(1, 1)], 3, "a")]);
    server.always("2/users?cursor=a", page(&[user(2, 1)], 3, "a"));
    let (_, text) = told(&server).await;
    assert!(text.contains("a page leads back to one that was read before"), "{text}");
}

#[tokio::test]
async fn a_state_takes_the_app_and_one_that_is_missing_is_said() {
    let mut subdomain = Subdomain::of_two();
    let mut unlicensed = user(1, 1);
    unlicensed["state"] = json!(3);
    let mut unsaid = user(2, 1);
    unsaid["state"] = json!(null);
    subdomain.0.insert("users", json!([unlicensed, unsaid]));
    let server = Server::start(subdomain);
    let (pull, text) = told(&server).await;
    let Rows::Assignments(rows) = &pull.snapshots[1].rows else { panic!("{text}") };
    let grants: Vec<Grant> = rows.iter().map(|it| it.grant).collect();
    assert_eq!(grants, [Grant::Denies, Grant::Grants]);
    insta::assert_snapshot!(text, @r"
    onelogin identities: 2 rows, complete
      note: rows without `state`, taken for approved: 1
    onelogin assignments: 2 rows, complete
      note: assignments without access, because the user's state is not approved: 1
    ");
}

#[tokio::test]
async fn roles_that_give_the_app_are_named_and_nothing_rests_on_them() {
    let mut subdomain = Subdomain::of_two();
    subdomain.0.get_mut("apps/3001").unwrap()["role_ids"] = json!([501, 502]);
    subdomain.0.insert("roles", json!([{"id": 501, "name": "Finance"}, {"id": 9, "name": "No"}]));
    let server = Server::start(subdomain);
    let (_, text) = told(&server).await;
    assert!(text.contains("note: roles that give the app: Finance, 502"), "{text}");
    server.always("/roles", Reply::html(401));
    let (_, text) = told(&server).await;
    assert!(text.contains("the roles of the app could not be read: HTTP 401"), "{text}");
    assert_eq!(text.matches("complete\n").count(), 2, "{text}");
}
