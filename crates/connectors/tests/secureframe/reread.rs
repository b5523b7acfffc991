//! Asking again by id, and what the doctor says.

use std::fmt::Write as _;

use connectors::live::{Answer, Question};
use domain::{ActiveFlag, Rows};
use serde_json::json;

use super::server::{Reply, Server};
use super::{Company, KEY, SECRET, SHAPES, Shape, clock, message, person, secureframe};

const ONE: &str = "00000000-0000-4000-8000-000000000001";

async fn ask(server: &Server<Company>, id: &str) -> String {
    let questions = [Question::Account(id.into())];
    let replies = secureframe(server).reread(&clock(), &questions).await;
    match &replies[0].answer {
        Answer::Found { row: Rows::Accounts(rows), body } => {
            assert!(!body.is_empty() && replies[0].requests.len() == 1);
            format!("found, active is {}", rows.first().unwrap().active == ActiveFlag::Set(true))
        }
        Answer::Found { .. } => "found something else".to_owned(),
        Answer::Gone => "gone".to_owned(),
        Answer::Unknown { why } => {
            format!("unknown: {}", why.replace(&server.url(), "SECUREFRAME"))
        }
    }
}

#[tokio::test]
async fn gone_needs_secureframes_own_word_while_people_are_seen() {
    let mut table = String::new();
    for (name, reply) in [
        ("there", None),
        ("off", Some(Reply::json(&json!({"data": person(1, json!({"active": false}))})))),
        ("bare", Some(Reply::json(&person(1, json!({}))))),
        ("somebody else", Some(Reply::json(&json!({"data": person(2, json!({}))})))),
        ("a list", Some(Reply::json(&json!({"data": [person(1, json!({}))]})))),
        ("404", Some(message(404))),
        ("404 without a body", Some(Reply::text(404, "text/plain", ""))),
        ("404 by a web page", Some(Reply::html(404))),
        ("403", Some(message(403))),
        ("401", Some(message(401))),
    ] {
        let server = Server::start(Company::of(3, Shape::Total));
        if let Some(reply) = reply {
            server.always(ONE, reply);
        }
        writeln!(table, "{name}: {}", ask(&server, ONE).await).unwrap();
    }
    let blind = Server::start(Company::of(0, Shape::Total));
    writeln!(table, "404, and nobody in the list: {}", ask(&blind, ONE).await).unwrap();
    let closed = Server::start(Company::of(3, Shape::Total));
    closed.always("per_page=1", message(403));
    writeln!(table, "404, and a list that is refused: {}", ask(&closed, "9").await).unwrap();
    insta::assert_snapshot!(table, @"
    there: found, active is true
    off: found, active is false
    bare: found, active is true
    somebody else: unknown: Secureframe answered with another object
    a list: unknown: the answer is not one object
    404: gone
    404 without a body: unknown: HTTP 404 from `SECUREFRAME/users/00000000-0000-4000-8000-000000000001`: this is no answer of Secureframe's API: check `url`
    404 by a web page: unknown: HTTP 404 from `SECUREFRAME/users/00000000-0000-4000-8000-000000000001`: this is no answer of Secureframe's API: check `url`
    403: unknown: HTTP 403 from `SECUREFRAME/users/00000000-0000-4000-8000-000000000001`: the owner of the API key may not read personnel: give the owner a role in Secureframe that reads Personnel
    401: unknown: HTTP 401 from `SECUREFRAME/users/00000000-0000-4000-8000-000000000001`: the API key and its secret are not accepted: check that the key still exists, that its owner is active, and that `url` is your region's; else make a new key, and put its halves where `api_key` and `api_secret` refer to
    404, and nobody in the list: unknown: Secureframe answers 404, and that may be for want of permission: Secureframe shows nobody at all, look at the role of the API key's owner
    404, and a list that is refused: unknown: Secureframe answers 404, and that may be for want of permission: HTTP 403 from `SECUREFRAME/users?page=1&per_page=1`: the owner of the API key may not read personnel: give the owner a role in Secureframe that reads Personnel
    ");
}

#[tokio::test]
async fn an_id_never_leaves_its_place() {
    let server = Server::start(Company::of(3, Shape::Total));
    for id in ["../user_accounts", "..", "", "a/b?c=d#e", "."] {
        let said = ask(&server, id).await;
        assert!(said.starts_with("unknown") || said == "gone", "{id}: {said}");
    }
    assert!(
        server.requests().iter().all(|it| it.starts_with("GET /users")),
        "{:?}",
        server.requests()
    );
}

#[tokio::test]
async fn once_the_key_is_refused_nothing_more_is_asked() {
    let server = Server::start(Company::of(3, Shape::Total));
    server.always("/users", message(401));
    let questions: Vec<Question> =
        (0..9).map(|it| Question::Account(it.to_string().into())).collect();
    let replies = secureframe(&server).reread(&clock(), &questions).await;
    assert!(replies.iter().all(|it| matches!(it.answer, Answer::Unknown { .. })));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_doctor_says_what_it_saw_and_what_to_do() {
    let mut table = String::new();
    for (name, shape, reply) in [
        ("fine", Some(SHAPES[0]), None),
        ("no total, no role", Some(SHAPES[1]), None),
        ("refused", None, Some(message(401))),
        ("forbidden", None, Some(message(403))),
    ] {
        let mut company = Company::of(3, shape.unwrap_or(Shape::Total));
        if name == "no total, no role" {
            company.people[0] = person(0, json!({"email": "reader@acme.test"}));
        }
        let server = Server::start(company);
        if let Some(reply) = reply {
            server.always("/users", reply);
        }
        writeln!(table, "{name}").unwrap();
        for check in secureframe(&server).doctor().await {
            let next = check.next.map_or_else(String::new, |it| format!(" {it}"));
            writeln!(table, "  {:?} {}: {}{next}", check.result, check.name, check.seen).unwrap();
        }
    }
    for private in [KEY, SECRET, "@acme.test"] {
        assert!(!table.contains(private), "{table}");
    }
    insta::assert_snapshot!(table, @"
    fine
      Fine the API key is accepted: Secureframe takes it.
      Fine users can be listed: Accounts read: 3; requests: 2.
      Fine list is complete: As many accounts came as the server states.
      Fine the key's owner is seen: They are active, with the role `Read personnel`.
      Warning active canary is seen: None is configured. Name an account that is always on: without one, results are never of grade A.
      Skipped the key cannot write: This cannot be told: a key may do what its owner may. Driftline sends nothing but GET. Give the owner a role of its own that reads Personnel and nothing else.
      Fine our clock agrees with Secureframe's: They differ by 0 s.
    no total, no role
      Fine the API key is accepted: Secureframe takes it.
      Fine users can be listed: Accounts read: 3; requests: 2.
      Warning list is complete: It is partial: the owner of the API key has no role, and a key sees what its owner sees. Nothing is concluded from what it lacks until that is settled.
      Failed the key's owner is seen: In personnel the owner of the API key has no role. Name in `owner` whoever the key belongs to, and look at that person in Secureframe: a key sees what its owner sees.
      Warning active canary is seen: None is configured. Name an account that is always on: without one, results are never of grade A.
      Skipped the key cannot write: This cannot be told: a key may do what its owner may. Driftline sends nothing but GET. Give the owner a role of its own that reads Personnel and nothing else.
      Fine our clock agrees with Secureframe's: They differ by 0 s.
    refused
      Failed the API key is accepted: HTTP 401: the API key and its secret are not accepted. Check that the key still exists, that its owner is active, and that `url` is your region's; else make a new key, and put its halves where `api_key` and `api_secret` refer to.
    forbidden
      Failed the API key is accepted: HTTP 403: the owner of the API key may not read personnel. Give the owner a role in Secureframe that reads Personnel.
    ");
}
