//! Two apps over one directory: of whom there is nothing to weigh for one of them, there may be something
//! to tell for the other.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::site::Site;

const PEOPLE: usize = 8;

/// The two apps, each with its provider.
fn settings(crm: &str, erp: &str) -> String {
    let file = |of: &str, path: &str| format!("[[{of}.file]]\npath = \"{path}\"\nwhole = true\n");
    let idp = |name: &str| {
        let files = ["users", "app_users"]
            .map(|it| file(&format!("idp.{name}"), &format!("{name}_{it}.json")));
        format!("[idp.{name}]\n{}", files.concat())
    };
    let app = |name: &str, idp: &str| {
        format!(
            "[app.{name}]\nidps = [\"{idp}\"]\n{}",
            file(&format!("app.{name}"), &format!("{name}.json"))
        )
    };
    let idps: String = ["okta", "other"].into_iter().map(idp).collect();
    format!("database = \"d.db\"\n{idps}{}{}", app("crm", crm), app("erp", erp))
}

/// The id of a user of one of the providers.
fn id(idp: &str, nth: usize) -> String {
    format!("00u{idp:x>16}{nth}")
}

fn login(nth: usize) -> String {
    format!("p{nth}@f.test")
}

fn write_users(site: &Site, idp: &str) {
    let user = |it| {
        json!({"id": id(idp, it), "status": "ACTIVE", "created": "2025-01-05T09:00:00.000Z",
            "statusChanged": "2025-01-05T09:00:00.000Z",
            "profile": {"login": login(it), "email": login(it)}})
    };
    let app_user = |it| {
        json!({"id": id(idp, it), "scope": "USER", "status": "ACTIVE", "syncState": "SYNCHRONIZED",
            "created": "2025-01-05T09:00:00.000Z", "credentials": {"userName": login(it)}})
    };
    let all: [Value; 2] = [(0..PEOPLE).map(user).collect(), (0..PEOPLE).map(app_user).collect()];
    for (name, rows) in ["users", "app_users"].into_iter().zip(all) {
        site.write(&format!("{idp}_{name}.json"), rows.to_string());
    }
}

/// The accounts of an app, each with the id of a user of this provider.
fn write_accounts(site: &Site, app: &str, idp: &str) {
    let account = |it| {
        json!({"id": format!("{app}-{it}"), "externalId": id(idp, it), "userName": login(it), "active": true,
            "emails": [{"value": login(it), "primary": true}],
            "meta": {"resourceType": "User", "created": "2025-02-05T09:00:00Z"}})
    };
    let rows: Vec<Value> = (0..PEOPLE).map(account).collect();
    let list = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": PEOPLE, "startIndex": 1, "itemsPerPage": PEOPLE, "Resources": rows});
    site.write(&format!("{app}.json"), list.to_string());
}

/// The facts of this name that the ledger was told.
fn facts(site: &Site, name: &str) -> Vec<Value> {
    let connection = Connection::open(site.path("d.db")).unwrap();
    let mut texts = connection.prepare("SELECT text FROM disclosure").unwrap();
    let texts = texts.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let facts = texts.filter_map(|it| ledger::disclosed(&it.unwrap()));
    facts.filter(|it| it.0 == name).map(|it| it.1).collect()
}

#[test]
fn who_owned_an_account_before_is_told_though_another_app_has_nothing_to_weigh_of_them() {
    let site = Site::new(&settings("okta", "okta"));
    for idp in ["okta", "other"] {
        write_users(&site, idp);
    }
    for app in ["crm", "erp"] {
        write_accounts(&site, app, "okta");
    }
    site.run();
    assert_eq!(facts(&site, "was"), Vec::<Value>::new());
    // One of the apps moves to the other provider, with all of its accounts.
    site.write("driftline.toml", settings("other", "okta"));
    write_accounts(&site, "crm", "other");
    let told = site.run();
    let mut was = facts(&site, "was");
    was.sort_by_key(ToString::to_string);
    let owners: Vec<Value> =
        (0..PEOPLE).map(|it| format!("okta/{}", id("okta", it)).into()).collect();
    assert_eq!(was, owners, "{told}");
}
