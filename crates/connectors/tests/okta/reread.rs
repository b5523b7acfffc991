//! One object asked again by id.

use connectors::live::{Answer, Question, Reply as Said};
use serde_json::json;

use super::okta_server::{APP, OktaServer, Org, Reply, id, missing, user};
use super::{config, connect, now, plain};

async fn reread(server: &OktaServer, questions: &[Question]) -> Vec<Said> {
    let replies = connect(server, config()).reread(&now(), questions).await;
    assert!(replies.iter().map(|it| &it.question).eq(questions));
    replies
}

fn told(server: &OktaServer, replies: &[Said]) -> String {
    let lines: Vec<String> = replies
        .iter()
        .map(|reply| match &reply.answer {
            Answer::Found { row, body } => {
                assert!(!body.is_empty());
                format!("{:?}: found in {}", reply.question, row.list())
            }
            Answer::Gone => format!("{:?}: gone", reply.question),
            Answer::Unknown { why } => format!("{:?}: {why}", reply.question),
        })
        .collect();
    plain(server, &lines.join("\n")).replace("00u00000000000000", "00u..")
}

fn identity(n: usize) -> Question {
    Question::Identity(id(n).into())
}

fn assignment(n: usize) -> Question {
    Question::Assignment(id(n).into())
}

#[tokio::test]
async fn what_is_there_is_found_and_what_is_not_is_gone() {
    let mut org = Org::of(2);
    org.users[1] = user(2, "DEPROVISIONED");
    org.app_users.pop();
    let server = OktaServer::start(org);
    let questions =
        [identity(1), identity(2), identity(3), assignment(1), assignment(2), assignment(3)];
    let replies = reread(&server, &questions).await;
    insta::assert_snapshot!(told(&server, &replies), @r#"
    Identity("00u..001"): found in identities
    Identity("00u..002"): found in identities
    Identity("00u..003"): gone
    Assignment("00u..001"): found in assignments
    Assignment("00u..002"): gone
    Assignment("00u..003"): gone
    "#);
    assert_eq!(replies[0].sent_at, now().0);
    assert_eq!(replies[0].requests.len(), 1);
    assert_eq!(replies[0].requests[0].n_rows, 1);
    // The app is looked at once, for the first 404 of an assignment; users likewise.
    assert_eq!(server.n_requests(&format!("GET /api/v1/apps/{APP}")), 3 + 1);
    assert_eq!(server.n_requests("GET /api/v1/users?limit=1&"), 1);
    // Whichever of those two came first has it.
    assert_eq!(replies[4].requests.len() + replies[5].requests.len(), 3);
}

#[tokio::test]
async fn a_404_that_is_not_okta_s_word_on_the_object_proves_nothing() {
    let mut all = String::new();
    for reply in [
        Reply::html(404),
        Reply::text(404, "application/json", ""),
        Reply::error(404, "E0000008", "The requested path was not found"),
        missing(APP, "AppInstance"),
    ] {
        let server = OktaServer::start(Org::of(1));
        server.always("/users/", reply);
        let replies = reread(&server, &[identity(1), assignment(1)]).await;
        all.push_str(&told(&server, &replies));
        all.push('\n');
    }
    insta::assert_snapshot!(all, @r#"
    Identity("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/users/00u..001`: this is no answer of Okta's API: check the base URL
    Assignment("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/apps/0oaAPP/users/00u..001?expand=user`: this is no answer of Okta's API: check the base URL
    Identity("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/users/00u..001`: this is no answer of Okta's API: check the base URL
    Assignment("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/apps/0oaAPP/users/00u..001?expand=user`: this is no answer of Okta's API: check the base URL
    Identity("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/users/00u..001`: Okta knows no such address (E0000008, Okta's id of this error is oaeTEST): check that the base URL is that of the organisation, without a path
    Assignment("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/apps/0oaAPP/users/00u..001?expand=user`: Okta knows no such address (E0000008, Okta's id of this error is oaeTEST): check that the base URL is that of the organisation, without a path
    Identity("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/users/00u..001`: Okta does not know it (E0000007, Okta's id of this error is oaeTEST): check its id
    Assignment("00u..001"): HTTP 404 from `https://acme.okta.com/api/v1/apps/0oaAPP/users/00u..001?expand=user`: Okta knows no such app, or this credential may not see it (E0000007, Okta's id of this error is oaeTEST): check `app_id`, and that the admin role covers the app
    "#);
}

#[tokio::test]
async fn nobody_is_unassigned_because_the_app_id_is_wrong() {
    let server = OktaServer::start(Org::of(1));
    server.always("/users/", missing(&id(1), "AppUser"));
    let mut config = config();
    config.app_id = "0oaOTHER".into();
    let replies = connect(&server, config).reread(&now(), &[assignment(1), assignment(2)]).await;
    insta::assert_snapshot!(told(&server, &replies), @r#"
    Assignment("00u..001"): Okta answers 404, and that may be because of the app: HTTP 404 from `https://acme.okta.com/api/v1/apps/0oaOTHER`: Okta knows no such app, or this credential may not see it (E0000007, Okta's id of this error is oaeTEST): check `app_id`, and that the admin role covers the app
    Assignment("00u..002"): Okta answers 404, and that may be because of the app: HTTP 404 from `https://acme.okta.com/api/v1/apps/0oaOTHER`: Okta knows no such app, or this credential may not see it (E0000007, Okta's id of this error is oaeTEST): check `app_id`, and that the admin role covers the app
    "#);
    assert_eq!(server.n_requests("0oaOTHER"), 3, "the app is asked for once");
}

#[tokio::test]
async fn nobody_left_because_the_admin_role_is_missing() {
    // Such a credential sees an empty list, and a 404 for everybody.
    let server = OktaServer::start(Org::default());
    let replies = reread(&server, &[identity(1), identity(2)]).await;
    insta::assert_snapshot!(told(&server, &replies), @r#"
    Identity("00u..001"): Okta answers 404, and that may be for want of permission: Okta shows nobody at all, look at the admin role
    Identity("00u..002"): Okta answers 404, and that may be for want of permission: Okta shows nobody at all, look at the admin role
    "#);
    assert_eq!(server.requests().len(), 3, "the list is asked for once");
    // With a canary, that is who must be seen.
    let mut config = config();
    config.canaries = vec![id(7).into()];
    for (users, is_gone) in [(vec![user(7, "ACTIVE")], true), (vec![user(8, "ACTIVE")], false)] {
        server.change(|org| org.users = users);
        let replies = connect(&server, config.clone()).reread(&now(), &[identity(1)]).await;
        assert_eq!(replies[0].answer == Answer::Gone, is_gone, "{replies:?}");
    }
}

#[tokio::test]
async fn an_answer_about_somebody_else_proves_nothing() {
    let mut all = String::new();
    for reply in [
        Reply::json(&json!({})),
        Reply::json(&json!([user(1, "ACTIVE")])),
        Reply::json(&user(2, "ACTIVE")),
        Reply::json(&json!({"id": null})),
        Reply::html(200),
    ] {
        let server = OktaServer::start(Org::of(1));
        server.always("/users/", reply);
        let replies = reread(&server, &[identity(1)]).await;
        all.push_str(&told(&server, &replies));
        all.push('\n');
    }
    insta::assert_snapshot!(all, @r#"
    Identity("00u..001"): a row has no `id`
    Identity("00u..001"): the answer is not one object
    Identity("00u..001"): Okta answered with another object
    Identity("00u..001"): a row has no `id`
    Identity("00u..001"): the answer is not one object
    "#);
}

#[tokio::test]
async fn a_refused_credential_stops_the_round_and_a_refused_object_does_not() {
    let server = OktaServer::start(Org::of(3));
    server.once("/users/", [Reply::error(403, "E0000006", "You do not have permission")]);
    let replies = reread(&server, &[identity(1), identity(2)]).await;
    assert!(matches!(replies[0].answer, Answer::Unknown { .. }));
    assert!(matches!(replies[1].answer, Answer::Found { .. }));

    let server = OktaServer::start(Org::of(3));
    server.always("/users/", Reply::error(401, "E0000011", "Invalid token provided"));
    let replies = reread(&server, &[identity(1), identity(2), assignment(3)]).await;
    insta::assert_snapshot!(told(&server, &replies), @r#"
    Identity("00u..001"): HTTP 401 from `https://acme.okta.com/api/v1/users/00u..001`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone
    Identity("00u..002"): not asked, because HTTP 401 from `https://acme.okta.com/api/v1/users/00u..001`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone
    Assignment("00u..003"): not asked, because HTTP 401 from `https://acme.okta.com/api/v1/users/00u..001`: the token is not valid (E0000011, Okta's id of this error is oaeTEST): make a new one; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone
    "#);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn okta_is_not_asked_for_accounts() {
    let server = OktaServer::start(Org::of(1));
    let replies = reread(&server, &[Question::Account("sf-1".into())]).await;
    assert_eq!(
        replies[0].answer,
        Answer::Unknown { why: "Okta knows no accounts of the app".to_owned() }
    );
    assert_eq!(server.requests(), Vec::<String>::new());
}
