//! One pull: shapes, ends that no document names, totals that lie, and whose key it is.

use std::fmt::Write as _;

use domain::{ActiveFlag, Coverage, Invitation, Proof};
use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{
    Company, KEY, OWNER, PastEnd, SECRET, SHAPES, Shape, accounts, message, person, secureframe,
    told,
};

/// A pull as an operator sees it.
async fn text_of(server: &Server<Company>) -> String {
    let pull = secureframe(server).pull().await;
    let text = told::lines(&pull);
    for private in [KEY, SECRET, "@acme.test"] {
        assert!(!text.contains(private), "{text}");
    }
    text.replace(&server.url(), "SECUREFRAME")
}

#[tokio::test]
async fn every_shape_is_read_whole_whatever_comes_behind_its_end() {
    let mut table = String::new();
    for shape in SHAPES {
        for past_end in [PastEnd::Empty, PastEnd::NotFound, PastEnd::LastPage] {
            for n in [1, 100, 250] {
                let server = Server::start(Company { past_end, ..Company::of(n, shape) });
                let pull = secureframe(&server).pull().await;
                let seen = match &pull.snapshots[0].coverage {
                    Coverage::Complete(proof) => proof.name(),
                    Coverage::Partial { .. } => "partial",
                };
                let n_read = accounts(&pull).len();
                assert!(n_read == n, "{shape:?} {past_end:?} {n}: {n_read}");
                let n_sent = server.requests().len();
                writeln!(table, "{shape:?} {past_end:?} {n}: {seen}, {n_sent} requests").unwrap();
            }
        }
    }
    // Without a total a last page that comes again looks as a fault does, and a full one with the
    // total of a page does, too.
    insta::assert_snapshot!(table, @"
    Total Empty 1: stated_total, 2 requests
    Total Empty 100: stated_total, 2 requests
    Total Empty 250: stated_total, 3 requests
    Total NotFound 1: stated_total, 2 requests
    Total NotFound 100: stated_total, 2 requests
    Total NotFound 250: stated_total, 3 requests
    Total LastPage 1: stated_total, 2 requests
    Total LastPage 100: partial, 4 requests
    Total LastPage 250: stated_total, 3 requests
    NoTotal Empty 1: read_to_end, 2 requests
    NoTotal Empty 100: read_to_end, 4 requests
    NoTotal Empty 250: read_to_end, 8 requests
    NoTotal NotFound 1: read_to_end, 2 requests
    NoTotal NotFound 100: read_to_end, 4 requests
    NoTotal NotFound 250: read_to_end, 8 requests
    NoTotal LastPage 1: partial, 4 requests
    NoTotal LastPage 100: partial, 4 requests
    NoTotal LastPage 250: partial, 8 requests
    Bare Empty 1: read_to_end, 2 requests
    Bare Empty 100: read_to_end, 4 requests
    Bare Empty 250: read_to_end, 8 requests
    Bare NotFound 1: read_to_end, 2 requests
    Bare NotFound 100: read_to_end, 4 requests
    Bare NotFound 250: read_to_end, 8 requests
    Bare LastPage 1: partial, 4 requests
    Bare LastPage 100: partial, 4 requests
    Bare LastPage 250: partial, 8 requests
    ");
}

#[tokio::test]
async fn a_row_keeps_the_record_its_switch_and_the_role_apart() {
    for shape in SHAPES {
        let mut company = Company::of(1, shape);
        company.people.extend([
            person(1, json!({"access_role": "Super Admin", "active_source": "rippling"})),
            person(2, json!({"access_role": "none", "invited": false})),
            person(3, json!({"active": false, "personnel_status": "offboarded", "end_date": "2026-11-01"})),
            person(4, json!({"active": null, "access_role": null})),
        ]);
        let server = Server::start(company);
        let pull = secureframe(&server).pull().await;
        let [_, admin, bare, off, silent] = &accounts(&pull)[..] else { panic!("{pull:?}") };
        let roles = |it: &domain::Account| it.roles.clone().unwrap().len();
        assert_eq!((&admin.active, roles(admin)), (&ActiveFlag::Set(true), 1), "{shape:?}");
        assert_eq!(admin.active_source.as_deref(), Some("rippling"));
        assert_eq!((&bare.active, roles(bare)), (&ActiveFlag::Set(true), 0));
        assert_eq!((admin.invitation, bare.invitation), (Invitation::Sent, Invitation::NotSent));
        assert_eq!(
            (&off.active, off.raw_status.as_deref()),
            (&ActiveFlag::Set(false), Some("offboarded"))
        );
        assert!(off.ends_at.is_some());
        assert_eq!(silent.active, ActiveFlag::Null);
        // There is no key but the address.
        assert!(
            accounts(&pull).iter().all(|it| it.external_id.is_none() && it.user_name.is_none())
        );
        assert_eq!(pull.unmapped, []);
    }
}

#[tokio::test]
async fn a_total_that_is_one_page_is_not_believed() {
    let server = Server::start(Company { claims: Some(100), ..Company::of(250, Shape::Total) });
    let text = text_of(&server).await;
    assert!(text.contains("it states a total of 100, and 250 different rows were read"), "{text}");
    assert!(text.contains("250 rows, partial"), "{text}");
}

#[tokio::test]
async fn a_list_that_is_shorter_than_it_states_is_read_again_and_then_partial() {
    let server = Server::start(Company { claims: Some(251), ..Company::of(250, Shape::Total) });
    let text = text_of(&server).await;
    assert!(text.contains("it states a total of 251, and 250 different rows were read"), "{text}");
    // Three pages and an empty one, twice.
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn whoever_is_passed_by_because_others_went_is_found_by_reading_again() {
    for shape in [Shape::NoTotal, Shape::Bare] {
        let server = Server::start(Company::of(250, shape));
        let mut is_first = true;
        server.hook(move |company, path| {
            if path.contains("page=2&") && std::mem::take(&mut is_first) {
                company.people.remove(5);
            }
            None
        });
        let pull = secureframe(&server).pull().await;
        assert_eq!(accounts(&pull).len(), 249, "{shape:?}");
        assert_eq!(pull.snapshots[0].coverage, Coverage::Complete(Proof::ReadToEnd), "{shape:?}");
    }
}

#[tokio::test]
async fn a_list_without_total_that_never_stays_the_same_is_partial() {
    let server = Server::start(Company::of(250, Shape::NoTotal));
    server.hook(|company, path| {
        if path.contains("page=2&") {
            company.people.remove(5);
        }
        None
    });
    let text = text_of(&server).await;
    assert!(text.contains("no two readings showed the same people"), "{text}");
}

#[tokio::test]
async fn without_sort_the_list_is_read_as_it_is() {
    for shape in SHAPES {
        let server = Server::start(Company { takes_sort: false, ..Company::of(150, shape) });
        let pull = secureframe(&server).pull().await;
        assert_eq!(accounts(&pull).len(), 150, "{shape:?}");
        let notes = pull.snapshots[0].notes.join("; ");
        assert!(notes.contains("Secureframe takes no `sort`"), "{notes}");
        assert!(pull.snapshots[0].coverage.is_complete(), "{shape:?}");
    }
}

#[tokio::test]
async fn a_list_is_worth_what_the_owner_of_the_key_may_see() {
    let mut table = String::new();
    for (name, more) in [
        ("a role", json!({"access_role": "Auditor"})),
        ("no word on roles", json!({"access_role": {}})),
        ("none", json!({"access_role": "none"})),
        ("null", json!({"access_role": null})),
        ("off", json!({"active": false, "access_role": "Admin"})),
        ("not stated", json!({"active": null, "access_role": "Admin"})),
        ("another address", json!({"email": "other@acme.test", "access_role": "Admin"})),
    ] {
        let mut company = Company::of(2, Shape::Total);
        let mut owner = json!({"email": OWNER});
        owner.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        company.people[0] = person(0, owner);
        let text = text_of(&Server::start(company)).await;
        writeln!(table, "{name}: {}", text.trim_end()).unwrap();
    }
    insta::assert_snapshot!(table, @"
    a role: secureframe accounts (secureframe_api): 2 rows, complete
      note: read with a key whose owner has the role `Auditor`
    no word on roles: secureframe accounts (secureframe_api): 2 rows, complete
    none: secureframe accounts (secureframe_api): 2 rows, partial: the owner of the API key has no role, and a key sees what its owner sees
    canary_missing: In the list `secureframe accounts (secureframe_api)` the owner of the API key has no role. Look at that person in Secureframe, and name in `owner` whoever the key belongs to.
    null: secureframe accounts (secureframe_api): 2 rows, partial: the owner of the API key has no role, and a key sees what its owner sees
    canary_missing: In the list `secureframe accounts (secureframe_api)` the owner of the API key has no role. Look at that person in Secureframe, and name in `owner` whoever the key belongs to.
    off: secureframe accounts (secureframe_api): 2 rows, partial: the owner of the API key is not active, and a key sees what its owner sees
    canary_missing: In the list `secureframe accounts (secureframe_api)` the owner of the API key is not active. Look at that person in Secureframe, and name in `owner` whoever the key belongs to.
    not stated: secureframe accounts (secureframe_api): 2 rows, partial: the owner of the API key is not active, and a key sees what its owner sees
    canary_missing: In the list `secureframe accounts (secureframe_api)` the owner of the API key is not active. Look at that person in Secureframe, and name in `owner` whoever the key belongs to.
    another address: secureframe accounts (secureframe_api): 2 rows, partial: the owner of the API key is missing, and a key sees what its owner sees
    canary_missing: In the list `secureframe accounts (secureframe_api)` the owner of the API key is missing. Look at that person in Secureframe, and name in `owner` whoever the key belongs to.
    ");
}

#[tokio::test]
async fn a_page_that_is_cut_off_or_asks_to_wait_leaves_what_was_read_before() {
    let server = Server::start(Company::of(250, Shape::Total));
    server.once("page=2&", [message(429).with("Retry-After", "0")]);
    assert!(text_of(&server).await.contains("250 rows, complete"));
    assert_eq!(server.n_requests("page=2&"), 2);
    server.change(|it| it.people.truncate(150));
    server.always("page=2&", Reply::json(&json!({"data": []})).cut_after(3));
    let text = text_of(&server).await;
    assert!(text.contains("100 rows, partial: failed to GET"), "{text}");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let mut table = String::new();
    for status in [400, 401, 403, 404, 418, 429, 500] {
        let server = Server::start(Company::of(2, Shape::Total));
        server.always("/users", message(status));
        writeln!(table, "{}", text_of(&server).await.trim_end()).unwrap();
    }
    insta::assert_snapshot!(table, @"
    secureframe accounts (secureframe_api): failed: HTTP 400 from `SECUREFRAME/users?page=1&per_page=100`: Secureframe does not take the query: report this
    secureframe accounts (secureframe_api): failed: HTTP 401 from `SECUREFRAME/users?page=1&per_page=100&sort=id`: the API key and its secret are not accepted: check that the key still exists, that its owner is active, and that `url` is your region's; else make a new key, and put its halves where `api_key` and `api_secret` refer to
    secureframe accounts (secureframe_api): failed: HTTP 403 from `SECUREFRAME/users?page=1&per_page=100&sort=id`: the owner of the API key may not read personnel: give the owner a role in Secureframe that reads Personnel
    secureframe accounts (secureframe_api): failed: HTTP 404 from `SECUREFRAME/users?page=1&per_page=100&sort=id`: there is no list of people here: check `url`: it is https://api.secureframe.com, or https://api-uk.secureframe.com in the United Kingdom
    secureframe accounts (secureframe_api): failed: HTTP 418 from `SECUREFRAME/users?page=1&per_page=100&sort=id`: Secureframe refuses to answer: look at its API, or report this
    secureframe accounts (secureframe_api): failed: failed to GET `SECUREFRAME/users`: asked to wait 2ms more, and 2 tries were refused: ask again later, or give this credential a larger share
    secureframe accounts (secureframe_api): failed: HTTP 500 from `SECUREFRAME/users`: Secureframe failed: the next run asks again
    ");
}

#[tokio::test]
async fn what_is_no_list_is_never_nobody() {
    let mut table = String::new();
    let rows = |rows: Value| Reply::json(&rows);
    for (name, reply) in [
        ("an empty object", rows(json!({}))),
        ("nobody", rows(json!({"data": []}))),
        ("nobody, bare", rows(json!([]))),
        ("a web page", Reply::html(200)),
        ("one person", rows(json!({"data": person(1, json!({}))}))),
        ("errors", rows(json!({"errors": []}))),
        ("people without an id", rows(json!({"data": [{"attributes": {"email": "a@acme.test"}}]}))),
        ("people without an address", rows(json!({"data": [person(1, json!({"email": null}))]}))),
    ] {
        let server = Server::start(Company::of(2, Shape::Total));
        server.always("page=1&", reply);
        server.always("page=2&", rows(json!({"data": []})));
        let text = text_of(&server).await;
        assert!(!text.contains(", complete"), "{name}: {text}");
        writeln!(table, "{name}: {}", text.lines().next().unwrap_or_default()).unwrap();
    }
    insta::assert_snapshot!(table, @"
    an empty object: secureframe accounts (secureframe_api): failed: `SECUREFRAME/users?page=1&per_page=100&sort=id` gave no list: the object is empty: check the base URL and what stands between here and Secureframe
    nobody: secureframe accounts (secureframe_api): 0 rows, partial: the owner of the API key is missing, and a key sees what its owner sees
    nobody, bare: secureframe accounts (secureframe_api): 0 rows, partial: the owner of the API key is missing, and a key sees what its owner sees
    a web page: secureframe accounts (secureframe_api): failed: `SECUREFRAME/users?page=1&per_page=100&sort=id` gave no list: the answer is a web page and no list: check the base URL and what stands between here and Secureframe
    one person: secureframe accounts (secureframe_api): 1 rows, partial: the owner of the API key is missing, and a key sees what its owner sees
    errors: secureframe accounts (secureframe_api): failed: `SECUREFRAME/users?page=1&per_page=100&sort=id` gave no list: a row has no `id` or `data.id`: check the base URL and what stands between here and Secureframe
    people without an id: secureframe accounts (secureframe_api): failed: `SECUREFRAME/users?page=1&per_page=100&sort=id` gave no list: a row has no `id` or `data.id` (row 1): check the base URL and what stands between here and Secureframe
    people without an address: secureframe accounts (secureframe_api): 1 rows, partial: the owner of the API key is missing, and a key sees what its owner sees; people without an address: 1
    ");
}

#[tokio::test]
async fn the_key_its_secret_and_what_refusals_say_stay_out_of_sight() {
    let server = Server::start(Company::of(250, Shape::Total));
    server.once("page=2&", [message(401)]);
    let pull = secureframe(&server).pull().await;
    let shown = format!("{pull:?} {:?}", secureframe(&server));
    for private in [KEY, SECRET, "Authorization failed"] {
        assert!(!shown.contains(private), "{private}");
    }
    assert!(server.requests().iter().all(|it| it.starts_with("GET ") && !it.contains(KEY)));
}
