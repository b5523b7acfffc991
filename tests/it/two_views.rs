//! One app in two files: SCIM's users and Secureframe's personnel. What either shows of a leaver
//! counts, whatever row leads the account that night.

use serde_json::{Value, json};

use crate::site::{self, Site};

const SETTINGS: &str = "\
database = \"d.db\"
reports = \"r\"
[nights]
folder = \"n\"
time = \"02:00:00Z\"
[policy]
zone = \"UTC\"
[idp.okta]
[[idp.okta.file]]
path = \"okta.json\"
whole = true
[[idp.okta.file]]
path = \"okta_app.json\"
whole = true
[app.sf]
idps = [\"okta\"]
deprovision = \"lists\"
";

/// Bob's id, and those of ten others.
const BOB: &str = "00u2aaaaaaaaaaaaaaaa";
const N_OTHERS: u32 = 10;

/// How a view shows Bob: his address there, and whether it is on.
#[derive(Clone, Copy)]
enum Bob {
    Row(&'static str, bool),
    NoRow,
    /// The file is not there.
    Unread,
}

use Bob::{NoRow, Row, Unread};

const ON: Bob = Row("bob@f.test", true);
const OFF: Bob = Row("bob@f.test", false);

fn firm(views: &[&str]) -> Site {
    let site = Site::new(SETTINGS);
    see(&site, views);
    site
}

/// Names these files as views of the app.
fn see(site: &Site, views: &[&str]) {
    let files = views.iter().map(|it| format!("[[app.sf.file]]\npath = \"{it}\"\n"));
    site.write("driftline.toml", SETTINGS.to_owned() + &files.collect::<String>());
}

fn others() -> impl Iterator<Item = (String, String)> {
    (0..N_OTHERS).map(|it| (format!("00u1{it:016}"), format!("u{it}@f.test")))
}

/// Writes a night of October 2026. Bob leaves at noon of the day before the night `left`.
fn night(site: &Site, day: u32, left: u32, scim: Bob, personnel: Bob) {
    let file = |name: &str, body: &Value| {
        site.write(&format!("n/2026-10-{day:02}/{name}"), body.to_string());
    };
    let start = "2021-03-01T07:57:43.000Z";
    let user = |id: &str, login: &str, status: &str, changed: &str| {
        json!({"id": id, "status": status, "created": start, "activated": start,
            "statusChanged": changed, "lastUpdated": changed,
            "profile": {"login": login, "email": login, "firstName": login, "lastName": "X"}})
    };
    let mut users: Vec<Value> =
        others().map(|(id, login)| user(&id, &login, "ACTIVE", start)).collect();
    let noon = format!("2026-10-{:02}T12:00:00.000Z", left - 1);
    let (status, changed) =
        if day < left { ("ACTIVE", start) } else { ("DEPROVISIONED", noon.as_str()) };
    users.push(user(BOB, "bob@f.test", status, changed));
    file("okta.json", &json!(users));
    let bob = (BOB.to_owned(), "bob@f.test".to_owned());
    let assigned = others().chain((day < left).then_some(bob));
    let assigned: Vec<Value> = assigned
        .map(|(id, login)| {
            json!({"id": id, "externalId": null, "created": start, "lastUpdated": start,
                "scope": "USER", "status": "ACTIVE", "statusChanged": start,
                "syncState": "SYNCHRONIZED", "credentials": {"userName": login}, "profile": {}})
        })
        .collect();
    file("okta_app.json", &json!(assigned));

    let mut rows: Vec<(String, String, String, bool)> =
        others().map(|(id, login)| (format!("a-{id}"), id, login, true)).collect();
    if let Row(login, is_on) = scim {
        rows.push(("a2".to_owned(), BOB.to_owned(), login.to_owned(), is_on));
    }
    if !matches!(scim, Unread) {
        file("scim.json", &scim_users(&rows));
    }
    let mut rows: Vec<(String, String, bool)> =
        others().map(|(id, login)| (format!("p-{id}"), login, true)).collect();
    if let Row(login, is_on) = personnel {
        rows.push(("p2".to_owned(), login.to_owned(), is_on));
    }
    if !matches!(personnel, Unread) {
        file("personnel.json", &people(&rows));
    }
}

/// Changes a file of a night.
fn rewrite(site: &Site, day: u32, name: &str, change: impl Fn(&mut Value)) {
    let path = format!("n/2026-10-{day:02}/{name}");
    let mut body = site::json(&site.read(&path));
    change(&mut body);
    site.write(&path, body.to_string());
}

/// Users over SCIM: id, `externalId`, user name, and whether they are on.
fn scim_users(rows: &[(String, String, String, bool)]) -> Value {
    let user = |(id, external, login, is_on): &(String, String, String, bool)| {
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id,
            "externalId": external, "userName": login, "active": is_on,
            "emails": [{"value": login, "primary": true}],
            "meta": {"resourceType": "User", "created": "2021-03-01T00:00:00Z"}})
    };
    let users: Vec<Value> = rows.iter().map(user).collect();
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": rows.len(), "startIndex": 1, "itemsPerPage": rows.len(),
        "Resources": users})
}

/// Secureframe's personnel: id, address, and whether they are on.
fn people(rows: &[(String, String, bool)]) -> Value {
    let person = |(id, mail, is_on): &(String, String, bool)| {
        json!({"id": id, "type": "user", "attributes": {"email": mail, "name": mail,
            "active": is_on, "active_source": "okta", "access_role": "Admin", "invited": true,
            "personnel_status": "x", "end_date": null, "created_at": "2021-03-01T00:00:00Z",
            "updated_at": "2021-03-01T00:00:00Z"}})
    };
    let people: Vec<Value> = rows.iter().map(person).collect();
    json!({"data": people, "meta": {"total": rows.len()}})
}

/// The one leaver of the month: result, accounts, last look on, first look off, findings.
fn leaver(site: &Site) -> [String; 5] {
    let period = ["--from", "2026-10-01", "--to", "2026-11-01", "--format", "json"];
    let args = [&["evidence", "leavers", "--app", "sf"][..], &period].concat();
    let list = site::json(&site.told(&args).bytes);
    let [leaver] = &list["leavers"].as_array().unwrap()[..] else { panic!("{list}") };
    ["sla", "accounts", "last_seen_active", "first_seen_inactive", "findings"]
        .map(|it| leaver[it].as_str().unwrap().replace("T02:00:00.000Z", "").replace("2026-", ""))
}

#[test]
fn an_account_is_off_when_the_last_of_its_views_shows_it_off() {
    #[rustfmt::skip]
    let table = [
        // Personnel on until, unread until, how it shows him then | what is proven
        (2,  12, OFF,   ["NOT_PROVEN", "sf/a2", "10-04", "10-13", ""]),
        (2,  12, NoRow, ["NOT_PROVEN", "sf/a2", "10-04", "10-13", ""]),
        (4,   0, OFF,   ["MET",        "sf/a2", "10-04", "10-05", ""]),
        (4,   0, NoRow, ["MET",        "sf/a2", "10-04", "10-05", ""]),
        (0,   0, NoRow, ["MET",        "sf/a2", "10-04", "10-05", ""]),
    ];
    for (on_until, unread_until, then, proven) in table {
        let site = firm(&["scim.json", "personnel.json"]);
        for day in 1..=14 {
            let personnel = match day {
                it if it <= on_until => ON,
                it if it <= unread_until => Unread,
                _ => then,
            };
            night(&site, day, 5, if day < 5 { ON } else { OFF }, personnel);
        }
        site.run();
        assert_eq!(leaver(&site), proven, "on until {on_until}, unread until {unread_until}");
    }
}

#[test]
fn what_was_missed_stays_missed_when_rows_become_one_account() {
    let missed = ["MISSED", "sf/p2", "10-07", "10-08", "DL-1"];
    // SCIM is read from the tenth night on, and had him off.
    let site = firm(&["personnel.json"]);
    for day in 1..=12 {
        night(&site, day, 3, OFF, if day < 8 { ON } else { OFF });
        if day == 9 {
            site.run();
            assert_eq!(leaver(&site), missed, "before");
        }
    }
    see(&site, &["personnel.json", "scim.json"]);
    site.run();
    assert_eq!(leaver(&site), missed, "a second view");

    // SCIM had no row of him until the tenth night.
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=12 {
        let scim = if day < 10 { NoRow } else { OFF };
        night(&site, day, 3, scim, if day < 8 { ON } else { OFF });
    }
    site.run();
    let missed = ["MISSED", "sf/p2", "10-07", "10-08", "DL-2"];
    assert_eq!(leaver(&site), missed, "a row in the other view");

    // Two accounts until his address in one becomes that of the other.
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=12 {
        let address = if day < 10 { "robert@f.test" } else { "bob@f.test" };
        let scim = if day < 3 { ON } else { OFF };
        night(&site, day, 3, scim, Row(address, day < 8));
        rewrite(&site, day, "okta.json", |users| {
            users.as_array_mut().unwrap().last_mut().unwrap()["profile"]["email"] =
                "robert@f.test".into();
        });
        if day == 9 {
            site.run();
        }
    }
    let two = leaver(&site);
    assert_eq!((&*two[0], &*two[1]), ("MISSED", "sf/a2; sf/p2"));
    site.run();
    assert_eq!(leaver(&site), two, "one address");
}

#[test]
fn a_finding_goes_on_when_another_view_leads_its_account() {
    let site = firm(&["personnel.json"]);
    let is_on = |day| if day < 8 { ON } else { OFF };
    for day in 1..=5 {
        night(&site, day, 3, is_on(day), is_on(day));
    }
    site.run();
    site.told(&["findings", "ack", "DL-1", "--by", "ann", "--reason", "asked their lead"]);
    see(&site, &["personnel.json", "scim.json"]);
    for day in 6..=7 {
        night(&site, day, 3, is_on(day), is_on(day));
    }
    site.run();
    let mine = ["leaver_active", "p2", "DL-1", "acknowledged"].map(str::to_owned);
    assert_eq!(site.states().into_iter().collect::<Vec<_>>(), [mine]);
    night(&site, 8, 3, is_on(8), is_on(8));
    site.run();
    // Personnel shows his role still.
    let held = ["residual_entitlement", "a2", "DL-2", "pending"].map(str::to_owned);
    assert_eq!(site.states().into_iter().collect::<Vec<_>>(), [held]);
    assert_eq!(leaver(&site), ["MISSED", "sf/p2", "10-07", "10-08", "DL-1"]);
}

#[test]
fn a_row_whose_keys_name_a_leaver_is_no_part_of_anothers_account() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=4 {
        night(&site, day, 3, NoRow, ON);
        // Over SCIM, the account of the first of the others has Bob's address.
        rewrite(&site, day, "scim.json", |scim| {
            scim["Resources"][0]["emails"][0]["value"] = "bob@f.test".into();
        });
        // And Bob comes first in the other view.
        rewrite(&site, day, "personnel.json", |it| it["data"].as_array_mut().unwrap().reverse());
    }
    site.run();
    let told = site.live();
    assert!(told.contains(&("leaver_active".to_owned(), "p2".to_owned())), "{told:?}");
}

/// Shows a second account with Bob's address, on or off by SCIM, and by the other view.
fn add_second(site: &Site, day: u32, by_scim: bool, by_personnel: bool) {
    rewrite(site, day, "scim.json", |it| {
        let row = ("a3".to_owned(), String::new(), "bob@f.test".to_owned(), by_scim);
        let mut user = scim_users(&[row])["Resources"][0].take();
        (user["externalId"], user["userName"]) = (Value::Null, "bob.admin".into());
        let users = it["Resources"].as_array_mut().unwrap();
        users.push(user);
        it["totalResults"] = users.len().into();
        it["itemsPerPage"] = it["totalResults"].clone();
    });
    rewrite(site, day, "personnel.json", |it| {
        let row = ("p3".to_owned(), "bob@f.test".to_owned(), by_personnel);
        let people_of_it = it["data"].as_array_mut().unwrap();
        people_of_it.push(people(&[row])["data"][0].take());
        it["meta"]["total"] = people_of_it.len().into();
    });
}

/// What is told of accounts, as `cause subject`.
fn told(site: &Site) -> Vec<String> {
    site.live().into_iter().map(|(cause, subject)| format!("{cause} {subject}")).collect()
}

#[test]
fn of_accounts_with_one_address_a_view_says_what_each_of_its_rows_says() {
    const D: [&str; 2] = ["duplicate_account a2", "duplicate_account a3"];
    #[rustfmt::skip]
    let table: [([bool; 4], bool, &[&str]); 8] = [
        // SCIM: a2, a3; personnel: p2, p3 | has Bob left? | what is told
        ([true,  true,  true,  true],  false, &D),
        ([true,  false, true,  false], false, &[]),
        ([true,  false, false, true],  false, &[]),
        ([true,  true,  true,  false], false, &D),
        ([true,  true,  false, false], false,
            &["channel_conflict a2", "channel_conflict a3", D[0], D[1]]),
        ([true,  false, true,  true],  false, &["duplicate_account p2", "duplicate_account p3"]),
        ([true,  false, true,  false], true,  &["leaver_active a2", "leaver_active p2"]),
        ([false, false, true,  false], true,  &["channel_conflict p2", "leaver_active p2"]),
    ];
    for (on, has_left, expected) in table {
        let site = firm(&["scim.json", "personnel.json"]);
        let row = |is_on| if is_on { ON } else { OFF };
        for day in 1..=2 {
            night(&site, day, if has_left { 2 } else { 9 }, row(on[0]), row(on[2]));
            add_second(&site, day, on[1], on[3]);
        }
        site.run();
        let mut told = told(&site);
        told.retain(|it| !it.starts_with("residual_entitlement"));
        assert_eq!(told, expected, "{on:?}, left: {has_left}");
    }
}

#[test]
fn accounts_with_one_address_are_off_when_the_last_row_that_may_be_them_is() {
    let site = firm(&["scim.json", "personnel.json"]);
    let row = |is_on| if is_on { ON } else { OFF };
    for day in 1..=9 {
        night(&site, day, 3, row(day < 3), row(day < 3));
        add_second(&site, day, day < 3, day < 7);
        site.run();
    }
    // Until the seventh, the record that was on may have been that of either.
    let [sla, accounts, on, off, _] = leaver(&site);
    assert_eq!((&*sla, &*accounts), ("MISSED", "sf/a2; sf/a3; sf/p2; sf/p3"));
    assert_eq!(on, "10-02; 10-02; 10-02; 10-06");
    assert_eq!(off, "10-07; 10-07; 10-03; 10-07");
}

#[test]
fn a_record_that_is_on_may_be_the_account_of_a_leaver_that_is_off_by_another_view() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=2 {
        // The first of the others has the address of Bob, who left, and no account over SCIM.
        night(&site, day, 2, Row("u0@f.test", false), NoRow);
        rewrite(&site, day, "scim.json", |it| {
            let users = it["Resources"].as_array_mut().unwrap();
            users.remove(0);
            it["totalResults"] = users.len().into();
            it["itemsPerPage"] = it["totalResults"].clone();
        });
    }
    site.run();
    let record = "p-00u10000000000000000";
    let expected = ["channel_conflict", "link_conflict"].map(|it| format!("{it} {record}"));
    assert_eq!(told(&site), expected);
}

#[test]
fn a_record_with_the_address_of_somebody_elses_account_is_no_second_account() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=2 {
        // Bob's account is known by his id, and bears the name he had.
        let robert = Row("robert@f.test", true);
        night(&site, day, 9, robert, robert);
        // His address is that of an account of the first of the others, by both views.
        rewrite(&site, day, "scim.json", |it| {
            it["Resources"][0]["emails"][0]["value"] = "bob@f.test".into();
        });
        rewrite(&site, day, "personnel.json", |it| {
            it["data"][0]["attributes"]["email"] = "bob@f.test".into();
        });
    }
    site.run();
    let told = told(&site);
    let is_false = |it: &&String| it.starts_with("duplicate") || it.starts_with("channel");
    assert_eq!(told.iter().find(is_false), None, "{told:?}");
    assert!(told.iter().any(|it| it.starts_with("link_conflict a-")), "{told:?}");
}

#[test]
fn a_record_that_may_be_of_an_account_whose_owner_is_disputed_is_no_second_account() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=2 {
        night(&site, day, 9, ON, ON);
        add_second(&site, day, true, true);
        // Okta says that `a2` is Bob's, and the account that it is of the first of the others.
        rewrite(&site, day, "okta_app.json", |it| {
            it.as_array_mut().unwrap().last_mut().unwrap()["externalId"] = "a2".into();
        });
        rewrite(&site, day, "scim.json", |it| {
            it["Resources"][N_OTHERS as usize]["externalId"] = "00u10000000000000000".into();
        });
    }
    site.run();
    assert_eq!(told(&site), ["link_conflict a2"]);
}

#[test]
fn what_a_view_showed_last_is_of_the_newest_of_the_accounts_that_are_gone_from_another() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=8 {
        // Bob's first account is taken away, and he gets another one; then he leaves.
        let shown = if matches!(day, 3 | 4 | 8) { NoRow } else { ON };
        night(&site, day, 8, shown, if day == 8 { Unread } else { shown });
        if matches!(day, 5..=7) {
            let last = |it: &mut Value| it.as_array_mut().unwrap().last_mut().unwrap().take();
            rewrite(&site, day, "scim.json", |it| {
                let mut row = last(&mut it["Resources"]);
                row["id"] = "a3".into();
                *it["Resources"].as_array_mut().unwrap().last_mut().unwrap() = row;
            });
            rewrite(&site, day, "personnel.json", |it| {
                let mut row = last(&mut it["data"]);
                row["id"] = "p3".into();
                *it["data"].as_array_mut().unwrap().last_mut().unwrap() = row;
            });
        }
        site.run();
    }
    let [sla, accounts, on, off, _] = leaver(&site);
    assert_eq!((&*sla, &*accounts), ("NOT_PROVEN", "sf/a2; sf/a3; sf/p2"));
    assert_eq!((&*on, &*off), ("; 10-07; ", "; ; "));
}

#[test]
fn a_record_that_was_made_since_an_account_is_gone_is_another_one() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=5 {
        let shown = if day < 3 { ON } else { NoRow };
        let (scim, personnel) = if day < 5 { (shown, shown) } else { (Unread, ON) };
        night(&site, day, 3, scim, personnel);
    }
    rewrite(&site, 5, "personnel.json", |it| {
        let record = it["data"].as_array_mut().unwrap().last_mut().unwrap();
        record["id"] = "p3".into();
        record["attributes"]["created_at"] = "2026-10-04T12:00:00Z".into();
    });
    site.run();
    assert_eq!(told(&site), ["leaver_active p3"]);
}

#[test]
fn what_a_view_shows_is_of_neither_of_two_accounts_that_went_from_another_at_once() {
    let site = firm(&["scim.json", "personnel.json"]);
    for day in 1..=4 {
        let is_first = day < 3;
        night(&site, day, 3, if is_first { ON } else { NoRow }, ON);
        if is_first {
            add_second(&site, day, true, true);
        }
        site.run();
    }
    let mut told = told(&site);
    told.retain(|it| !it.starts_with("duplicate_account"));
    assert_eq!(told, ["channel_conflict p2", "leaver_active p2"]);
    let [_, accounts, on, off, _] = leaver(&site);
    assert_eq!(accounts, "sf/a2; sf/a3; sf/p2; sf/p3");
    assert_eq!((&*on, &*off), ("; ; 10-04; 10-02", "; ; ; 10-03"));
}

#[test]
fn what_one_view_showed_on_before_opens_nothing_while_the_other_shows_it_off() {
    for (personnel, state) in [(OFF, "pending"), (ON, "open")] {
        let site = firm(&["scim.json", "personnel.json"]);
        let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
        let policy = "[policy]\ngrace = { leaver_active = '40h' }";
        site.write("driftline.toml", settings.replace("[policy]", policy));
        for day in 1..=12 {
            night(&site, day, 10, ON, if day < 12 { ON } else { personnel });
        }
        // The list of the last night breaks off before him.
        rewrite(&site, 12, "scim.json", |it| {
            it["Resources"].as_array_mut().unwrap().pop();
        });
        site.run();
        let states = site.states();
        let mine = ["leaver_active", "a2", "DL-1", state].map(str::to_owned);
        assert!(states.contains(&mine), "{state}: {states:?}");
    }
}

#[test]
fn an_account_whose_owner_was_not_seen_was_not_seen_on_after_they_left() {
    // SCIM shows who is off, or hides them.
    for hidden in [OFF, NoRow] {
        let site = firm(&["scim.json", "personnel.json"]);
        for day in 1..=8 {
            let (scim, personnel) = match day {
                1..4 => (ON, ON),
                4 | 5 => (hidden, OFF),
                // A new colleague has his address, and by now his account.
                6 => (Unread, ON),
                _ => (ON, ON),
            };
            night(&site, day, 3, scim, personnel);
            if day > 5 {
                hire_under_his_address(&site, day);
            }
            if day > 6 {
                rewrite(&site, day, "scim.json", |it| {
                    let users = it["Resources"].as_array_mut().unwrap();
                    users.last_mut().unwrap()["externalId"] = COLLEAGUE.into();
                });
            }
            site.run();
        }
        let [result, accounts, on, off, _] = leaver(&site);
        // Whose it is since the address was used again is for a person to say.
        assert_eq!([&*result, &accounts, &on, &off], ["NOT_PROVEN", "sf/a2", "10-03", "10-04"]);
    }
}

#[test]
fn a_leaver_whom_one_view_hides_and_the_other_shows_on_again_is_told_by_the_second_night() {
    let site = firm(&["scim.json", "personnel.json"]);
    let states = [(6, "pending"), (7, "open")];
    for day in 1..=7 {
        let (scim, personnel) = match day {
            1..4 => (ON, ON),
            4 | 5 => (NoRow, OFF),
            // What says whose the account is cannot be read.
            _ => (Unread, ON),
        };
        night(&site, day, 3, scim, personnel);
        site.run();
        for (_, state) in states.iter().filter(|it| it.0 == day) {
            let told = site.states();
            let is_told = told.iter().any(|it| it[0] == "reactivated" && it[3] == *state);
            assert!(is_told, "{state}: {told:?}");
        }
    }
}

/// Who got Bob's address when he had left.
const COLLEAGUE: &str = "00u3aaaaaaaaaaaaaaaa";

fn hire_under_his_address(site: &Site, day: u32) {
    rewrite(site, day, "okta.json", |it| {
        let users = it.as_array_mut().unwrap();
        let mut user = users[0].clone();
        (user["id"], user["profile"]["login"]) = (COLLEAGUE.into(), "bob2@f.test".into());
        user["profile"]["email"] = "bob@f.test".into();
        users.push(user);
    });
    rewrite(site, day, "okta_app.json", |it| {
        let users = it.as_array_mut().unwrap();
        let mut user = users[0].clone();
        (user["id"], user["credentials"]["userName"]) = (COLLEAGUE.into(), "bob2@f.test".into());
        users.push(user);
    });
}
