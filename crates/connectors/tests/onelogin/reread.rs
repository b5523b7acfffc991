//! One object asked again by id.

use connectors::live::{Answer, Question, Replies};
use domain::{Grant, Rows};
use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{Subdomain, connect, now, user};

async fn reread(server: &Server<Subdomain>, questions: &[Question]) -> Replies {
    let replies = connect(server).reread(&now(), questions).await;
    assert!(replies.replies.iter().map(|it| &it.question).eq(questions));
    replies
}

fn told(replies: &Replies) -> Vec<String> {
    let told = |answer: &Answer| match answer {
        Answer::Found { row: Rows::Assignments(rows), .. } => {
            format!("found, {}", rows.first().unwrap().grant)
        }
        Answer::Found { body, .. } => {
            assert!(!body.is_empty());
            "found".to_owned()
        }
        Answer::Gone => "gone".to_owned(),
        Answer::Unknown { why } => why.clone(),
    };
    replies.replies.iter().map(|it| told(&it.answer)).collect()
}

/// The app, as the list of what one user has gives it.
fn app(status: &str) -> Value {
    json!([
        {"id": 1127385, "icon_url": null, "extension": false, "login_id": 1, "name": "Wiki",
         "provisioning_status": "enabled", "provisioning_state": "unknown", "provisioning_enabled": false},
        {"id": 3001, "icon_url": null, "extension": false, "login_id": 2, "name": "Secureframe",
         "provisioning_status": status, "provisioning_state": "provisioned", "provisioning_enabled": true},
    ])
}

fn of_two() -> Subdomain {
    let mut subdomain = Subdomain::of_two();
    let mut unlicensed = user(2, 1);
    unlicensed["state"] = json!(3);
    subdomain.0.insert("users/1", user(1, 2));
    subdomain.0.insert("users/2", unlicensed);
    subdomain.0.insert("users/1/apps", app("enabled"));
    subdomain.0.insert("users/2/apps", app("enabled"));
    subdomain.0.insert("users/3/apps", json!([]));
    subdomain
}

fn identity(id: &str) -> Question {
    Question::Identity(id.into())
}

fn assignment(id: &str) -> Question {
    Question::Assignment(id.into())
}

#[tokio::test]
async fn what_is_there_is_found_and_what_is_not_is_gone() {
    let server = Server::start(of_two());
    let questions = [
        identity("1"),
        identity("9"),
        assignment("1"),
        assignment("2"),
        assignment("3"),
        assignment("9"),
        Question::Account("a".into()),
    ];
    let replies = reread(&server, &questions).await;
    assert_eq!(
        told(&replies),
        [
            "found",
            "gone",
            "found, grants",
            // The state of this one takes it.
            "found, denies",
            "gone",
            "gone",
            "OneLogin knows no accounts of the app",
        ]
    );
    assert_eq!(replies.troubles, []);
    assert_eq!(server.n_requests("/users/1/apps?ignore_visibility=true"), 1);
    // Whether users can be seen is looked at once.
    assert_eq!(server.n_requests("/users?limit=1"), 1);
}

#[tokio::test]
async fn a_404_that_is_not_onelogin_s_word_or_of_whom_nobody_is_seen_proves_nothing() {
    let server = Server::start(of_two());
    server.always("/users/9", Reply::html(404));
    let replies = reread(&server, &[identity("9"), assignment("9")]).await;
    assert!(told(&replies).iter().all(|it| it.contains("no answer of OneLogin's API")));

    let server = Server::start(of_two());
    server.change(|it| drop(it.0.insert("users", json!([]))));
    let replies = reread(&server, &[identity("9")]).await;
    let told = told(&replies).remove(0);
    assert!(
        told.contains("shows nobody at all, look at the scope of the API credential"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_being_taken_away_is_undecided_and_told_once() {
    let mut subdomain = of_two();
    for user in ["users/1/apps", "users/2/apps"] {
        subdomain.0.insert(user, app("disabling_pending_approval"));
    }
    let server = Server::start(subdomain);
    let replies = reread(&server, &[assignment("2"), assignment("1")]).await;
    let undecided = format!("found, {}", Grant::Undecided);
    assert_eq!(told(&replies), [undecided.as_str(), undecided.as_str()]);
    let [trouble] = &*replies.troubles else { panic!("{:?}", replies.troubles) };
    assert!(
        trouble.text.contains("for 2 of the users who were asked about (1, 2)"),
        "{}",
        trouble.text
    );
}

#[tokio::test]
async fn whose_state_cannot_be_read_is_not_known_to_have_the_app() {
    let mut subdomain = of_two();
    subdomain.0.remove("users/1");
    let server = Server::start(subdomain);
    let replies = reread(&server, &[assignment("1")]).await;
    assert!(told(&replies)[0].contains("HTTP 404 from"), "{:?}", told(&replies));
}
