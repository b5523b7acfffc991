//! People as Secureframe documents them: every member of its schema, every value that it names, in
//! each shape of the list.

use domain::{ActiveFlag, Invitation};
use serde_json::{Map, Value, json};

use super::server::Server;
use super::{Company, SHAPES, accounts, secureframe};

/// The schema `User`, and the values that filters take.
fn documented() -> Value {
    serde_json::from_str(include_str!("../../../../tests/data/secureframe/user-2023-10-18.json"))
        .unwrap()
}

/// A person with every member of the schema, of its type.
fn whole(nth: usize) -> Value {
    let mut attributes = Map::new();
    for (name, kind) in documented()["User"].as_object().unwrap() {
        let value = match (kind["type"].as_str().unwrap(), kind["format"].as_str()) {
            ("boolean", _) => json!(true),
            ("string", Some("uuid")) => json!(format!("00000000-0000-4000-8000-{nth:012}")),
            ("string", Some("date-time")) => json!("2026-11-01T08:30:00.000Z"),
            ("string", None) if kind["enum"].is_array() => kind["enum"][0].clone(),
            ("string", None) if name == "email" => json!(format!("p{nth}@acme.test")),
            ("string", None) => json!(format!("{name} {nth}")),
            other => panic!("{name}: {other:?}"),
        };
        attributes.insert(name.clone(), value);
    }
    json!({"id": attributes["id"], "type": "company_user", "attributes": attributes, "links": {}})
}

#[tokio::test]
async fn every_documented_member_and_value_is_read_in_every_shape() {
    let documented = documented();
    let values = documented["filter_values"].as_object().unwrap();
    for shape in SHAPES {
        let mut company = Company::of(1, shape);
        company.people.push(whole(1));
        for (name, values) in values {
            for value in values.as_array().unwrap() {
                let mut person = whole(company.people.len());
                person["attributes"][name] = value.clone();
                company.people.push(person);
            }
        }
        let people = company.people.clone();
        let server = Server::start(company);
        let pull = secureframe(&server).pull().await;
        assert!(pull.snapshots[0].coverage.is_complete(), "{:?}", pull.snapshots[0].coverage);
        assert_eq!(pull.unmapped, [], "{shape:?}");
        let read = accounts(&pull);
        assert_eq!(read.len(), people.len());
        for (account, person) in read.iter().zip(&people).skip(1) {
            let attributes = &person["attributes"];
            let text = |name: &str| attributes[name].as_str();
            assert_eq!((Some(&*account.id), account.email.as_deref()), (text("id"), text("email")));
            assert_eq!(account.display_name.as_deref(), text("name"));
            assert_eq!(
                (&account.active, account.invitation),
                (&ActiveFlag::Set(true), Invitation::Sent)
            );
            assert_eq!(account.raw_status.as_deref(), text("personnel_status"));
            assert_eq!(account.active_source.as_deref(), text("active_source"));
            assert_eq!(account.roles.as_ref().unwrap().len(), 1);
            for time in [account.ends_at, account.created_at, account.modified_at] {
                assert_eq!(time.unwrap().to_rfc3339(), "2026-11-01T08:30:00+00:00");
            }
        }
    }
}
