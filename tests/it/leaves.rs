//! What is on record of leavers: what was seen of their accounts after they left, held to the policy
//! of the run that found them, whatever became of findings, clocks and accounts since.

use serde_json::{Value, json};

use crate::site::{self, Site};

const SETTINGS: &str = "\
database = \"d.db\"
reports = \"r\"
[nights]
folder = \"n\"
time = \"02:00:00Z\"
[idp.okta]
[[idp.okta.file]]
path = \"users.json\"
whole = true
[[idp.okta.file]]
path = \"app_users.json\"
whole = true
[app.crm]
idps = [\"okta\"]
deprovision = \"lists\"
[[app.crm.file]]
path = \"accounts.json\"
";

const HR: &str = "\
[hr.workday]
[[hr.workday.file]]
path = \"hr.csv\"
";

/// A firm with Anna, whose user is `A`; `a` is a later user of hers, `B` is somebody else.
struct Firm(Site);

impl Firm {
    fn new(policy: &str, more: &str) -> Self {
        let firm = Self(Site::new(""));
        firm.settings(policy, more);
        firm
    }

    fn settings(&self, policy: &str, more: &str) {
        let settings = format!("{SETTINGS}{more}[policy]\nzone = \"UTC\"\n{policy}\n");
        self.0.write("driftline.toml", settings);
    }

    /// A night of November 2026. Users and app users: whose, their status, and since when it is so
    /// (`A DEPROVISIONED 17T12:00`), and of users when they were made. Accounts: their id, whose (`A/B`: by id, and by
    /// name), and `on`, `off` or `unsaid`.
    fn night(&self, day: u32, users: &str, app_users: &str, accounts: &str) -> &Self {
        let others = (0..8).map(|it| format!("f{it} ACTIVE"));
        let users = others.clone().chain(words(users)).map(|it| user(&it));
        let app_users = others.chain(words(app_users)).map(|it| app_user(&it));
        let others = (0..8).map(|it| format!("acc-f{it} f{it} on"));
        let accounts: Vec<Value> = others.chain(words(accounts)).map(|it| account(&it)).collect();
        let accounts = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": accounts.len(), "startIndex": 1, "itemsPerPage": accounts.len(),
            "Resources": accounts});
        self.write(day, "users.json", &Value::from_iter(users).to_string());
        self.write(day, "app_users.json", &Value::from_iter(app_users).to_string());
        self.write(day, "accounts.json", &accounts.to_string());
        self
    }

    /// HR's list of a night: who left, and on which day of the month.
    fn hr(&self, day: u32, leavers: &[(&str, u32)]) -> &Self {
        let rows = leavers.iter().map(|(who, left)| {
            let login = login(who);
            format!("{},{login},N,2026-11-{left:02},x\n", number(who))
        });
        let head = "employee_number,email,name,last_day,reason\n9999,gone@f.test,N,2026-10-01,x\n";
        self.write(day, "hr.csv", &(head.to_owned() + &rows.collect::<String>()));
        self
    }

    fn write(&self, day: u32, name: &str, text: &str) {
        self.0.write(&format!("n/2026-11-{day:02}/{name}"), text);
    }

    /// With a second provider, and whether all of them must give the app, or any.
    fn of_two(entitlement: &str) -> Self {
        let firm = Self::new(
            "",
            "[idp.second]\n[[idp.second.file]]\npath = \"second_users.json\"\nwhole = true\n\
             [[idp.second.file]]\npath = \"second_app_users.json\"\nwhole = true\n",
        );
        let both = format!("idps = [\"okta\", \"second\"]\nentitlement = \"{entitlement}\"");
        firm.0.change_settings("idps = [\"okta\"]", &both);
        firm
    }

    /// What the second one has of Anna in a night: a user of her number, and its status; or nobody.
    fn second(&self, day: u32, anna: &str, has_app: bool) -> &Self {
        let others = (0..8).map(|it| format!("s{it} ACTIVE"));
        let anna = (!anna.is_empty()).then(|| format!("a {anna}"));
        let users = others.clone().chain(anna).map(|it| user(&it));
        self.write(day, "second_users.json", &Value::from_iter(users).to_string());
        let app_users = others.chain(has_app.then(|| "a".to_owned())).map(|it| app_user(&it));
        self.write(day, "second_app_users.json", &Value::from_iter(app_users).to_string());
        self
    }

    /// Runs, and gives what is on record of Anna: result, last seen on, first seen off, deadline.
    #[track_caller]
    fn anna(&self) -> [String; 4] {
        self.0.run();
        self.told()
    }

    /// All that is on record of leavers.
    fn listed(&self) -> Value {
        let list = ["evidence", "leavers", "--format", "json"];
        site::json(&self.0.told(&[&list[..], &NOVEMBER].concat()).bytes)
    }

    /// Each leave that is on record: which it is, result, findings, and when they were seen back.
    fn leaves(&self) -> Vec<String> {
        let told = |it: &Value| {
            let word = |member: &str| it[member].as_str().unwrap().to_owned();
            let (leaver, back) = (word("leaver"), word("returned_at"));
            let back = back.replace("2026-11-", "").replace(":00.000Z", "");
            let (_, nth) = leaver.split_once('-').unwrap();
            format!("{nth} {} {} back {back}", word("sla"), word("findings"))
        };
        self.listed()["leavers"].as_array().unwrap().iter().map(told).collect()
    }

    #[track_caller]
    fn told(&self) -> [String; 4] {
        let list = self.listed();
        let rows = list["leavers"].as_array().unwrap();
        let is_annas = |it: &&Value| it["person"].as_str().unwrap().contains(&id("A"));
        let anna = rows.iter().find(is_annas).unwrap_or_else(|| panic!("{list}"));
        ["sla", "last_seen_active", "first_seen_inactive", "deadline_at"].map(|it| {
            let text = anna[it].as_str().unwrap_or_default();
            text.replace("2026-11-", "").replace(":00.000Z", "").replace(":00Z", "")
        })
    }
}

fn words(line: &str) -> impl Iterator<Item = String> {
    line.split(", ").filter(|it| !it.is_empty()).map(str::to_owned)
}

fn id(who: &str) -> String {
    format!("00u{who:x>17}")
}

/// A later user of somebody has the number of the first.
fn number(who: &str) -> String {
    who.to_uppercase()
}

fn login(who: &str) -> String {
    format!("{}@f.test", who.to_lowercase())
}

fn at(time: Option<&str>) -> String {
    match time {
        Some(time) => format!("2026-11-{time}:00.000Z"),
        None => "2026-01-05T09:00:00.000Z".to_owned(),
    }
}

fn user(line: &str) -> Value {
    let mut words = line.split(' ');
    let (who, status) = (words.next().unwrap(), words.next().unwrap());
    // The login of somebody who left is free for their later user.
    let login = if status == "DEPROVISIONED" { format!("old.{}", login(who)) } else { login(who) };
    let changed: Value = match words.next() {
        Some("undated") => Value::Null,
        time => at(time).into(),
    };
    let created = match words.next() {
        Some(time) => at(Some(time)),
        None => "2025-01-05T09:00:00.000Z".to_owned(),
    };
    json!({"id": id(who), "status": status, "created": created, "statusChanged": changed, "lastUpdated": changed,
        "profile": {"login": login, "email": login, "employeeNumber": number(who)}})
}

fn app_user(line: &str) -> Value {
    let mut words = line.split(' ');
    let who = words.next().unwrap();
    let status = words.next().unwrap_or("ACTIVE");
    json!({"id": id(who), "scope": "USER", "status": status, "statusChanged": at(words.next()),
        "created": "2025-01-05T09:00:00.000Z", "syncState": "SYNCHRONIZED",
        "credentials": {"userName": login(who)}})
}

fn account(line: &str) -> Value {
    let words: Vec<&str> = line.split(' ').collect();
    let [key, who, state] = words[..] else { panic!("{line}") };
    let (who, named) = who.split_once('/').unwrap_or((who, who));
    let mut account = json!({"id": key, "externalId": id(who), "userName": login(named),
        "emails": [{"value": login(named), "primary": true}],
        "meta": {"resourceType": "User", "created": "2025-02-05T09:00:00Z"}});
    if state != "unsaid" {
        account["active"] = (state == "on").into();
    }
    account
}

const NOVEMBER: [&str; 6] = ["--app", "crm", "--from", "2026-11-01", "--to", "2026-12-01"];
const ON: &str = "acc A on";
const OFF: &str = "acc A off";

#[test]
fn what_was_seen_before_somebody_left_says_nothing_of_the_removal() {
    // Off while the app was taken away, and on again; nobody looked for five days after the leave.
    let lost = "A DEPROVISIONED 17T01:30";
    for then in [OFF, "", "acc A unsaid"] {
        let firm = Firm::new("sla = \"48h\"", "");
        firm.night(16, "A ACTIVE", "A", ON).night(17, "A ACTIVE", lost, ON);
        firm.night(18, "A ACTIVE", lost, OFF).night(19, "A ACTIVE", "A ACTIVE 18T10:00", ON);
        firm.night(20, "A ACTIVE", "A ACTIVE 18T10:00", ON);
        for day in [25, 26] {
            firm.night(day, "A DEPROVISIONED 20T03:00", "", then);
        }
        let [sla, on, off, due] = firm.anna();
        assert_eq!((&*sla, &*due), ("NOT_PROVEN", "22T03:00"), "{then}");
        if then != "acc A unsaid" {
            assert_eq!((&*on, &*off), ("20T02:00", "25T02:00"), "{then}");
        }
    }
}

#[test]
fn what_an_earlier_suspension_or_loss_of_the_app_left_on_convicts_no_prompt_leave() {
    let suspended = "A SUSPENDED 16T12:00";
    let lost = "A DEPROVISIONED 16T12:00";
    for (users, app_users) in [(suspended, "A"), ("A ACTIVE", lost)] {
        let firm = Firm::new("", "");
        firm.night(16, "A ACTIVE", "A", ON);
        for day in 17..=19 {
            firm.night(day, users, app_users, ON);
        }
        for day in 20..=24 {
            firm.night(day, "A ACTIVE 19T10:00", "A ACTIVE 19T10:00", ON);
        }
        for day in 25..=26 {
            firm.night(day, "A DEPROVISIONED 24T12:00", "", OFF);
        }
        let met = ["MET", "24T02:00", "25T02:00", "25T12:00"];
        assert_eq!(firm.anna(), met, "{users}, {app_users}");
    }
}

#[test]
fn what_is_on_record_stays_when_the_account_goes_to_a_later_user() {
    let left = "A DEPROVISIONED 17T12:00";
    let handed_on = |on_until: u32, off: bool| {
        let firm = Firm::new("", "");
        firm.night(16, "A ACTIVE", "A", ON).night(17, "A ACTIVE", "A", ON);
        for day in 18..=on_until {
            firm.night(day, left, "", ON);
        }
        if off {
            firm.night(on_until + 1, left, "", OFF);
        }
        for (later, number) in [("a", 24), ("a", 25)] {
            let users = format!("{left}, {later} ACTIVE 22T13:00");
            firm.night(number, &users, later, "acc a on");
        }
        firm.anna()
    };
    assert_eq!(handed_on(19, false), ["MISSED", "19T02:00", "", "18T12:00"]);
    assert_eq!(handed_on(18, false), ["NOT_PROVEN", "18T02:00", "", "18T12:00"]);
    assert_eq!(handed_on(17, true), ["MET", "17T02:00", "18T02:00", "18T12:00"]);
    // Nobody looked between the leave and the return.
    assert_eq!(handed_on(17, false), ["NOT_PROVEN", "", "", "18T12:00"]);
}

#[test]
fn an_account_that_is_on_again_when_whose_it_is_is_not_certain_was_not_removed() {
    let left = "A DEPROVISIONED 17T12:00";
    let later = |removed: &str| {
        let firm = Firm::new("", "");
        firm.night(17, "A ACTIVE, B ACTIVE", "A, B", ON);
        for day in 18..=19 {
            firm.night(day, &format!("{left}, B ACTIVE"), "B", removed);
        }
        firm.night(20, &format!("{left}, B ACTIVE"), "B", OFF);
        // The account carries Anna's id and Bob's name.
        for day in 21..=22 {
            firm.night(day, &format!("{left}, B ACTIVE"), "B", "acc A/B on");
        }
        firm.anna()
    };
    assert_eq!(later(OFF), ["NOT_PROVEN", "17T02:00", "18T02:00", "18T12:00"]);
    assert_eq!(later(ON), ["MISSED", "19T02:00", "20T02:00", "18T12:00"]);
}

#[test]
fn who_is_gone_from_a_list_is_off_only_as_long_as_the_settings_say_so() {
    let left = "A DEPROVISIONED 17T12:00";
    let firm = Firm::new("", "");
    firm.night(17, "A ACTIVE", "A", ON).night(18, left, "", "");
    assert_eq!(firm.anna(), ["MET", "17T02:00", "18T02:00", "18T12:00"]);
    firm.0.change_settings("\"lists\"", "\"unknown\"");
    firm.night(19, left, "", "");
    assert_eq!(firm.anna(), ["NOT_PROVEN", "17T02:00", "", "18T12:00"]);
}

#[test]
fn a_result_follows_the_clock_that_sources_correct() {
    let left = "A DEPROVISIONED 19T15:00";
    let corrected = |first: &[(&str, u32)], then: &[(&str, u32)], until: u32| {
        let firm = Firm::new("sla = \"48h\"", HR);
        firm.night(18, "A ACTIVE", "A", ON).hr(18, &[]);
        for day in 19..=until {
            firm.night(day, if day < 20 { "A ACTIVE" } else { left }, "A", ON).hr(day, first);
        }
        for day in until + 1..=until + 3 {
            let hr = if day == until + 1 { first } else { then };
            firm.night(day, left, "", OFF).hr(day, hr);
        }
        firm.anna()
    };
    // HR says it after the account was seen off: a week earlier, or later than it had said.
    assert_eq!(corrected(&[], &[("A", 10)], 19), ["MISSED", "19T02:00", "20T02:00", "13T00:00"]);
    let (early, late) = (&[("A", 10)][..], &[("A", 19)][..]);
    assert_eq!(corrected(early, early, 20)[0], "MISSED");
    assert_eq!(corrected(early, late, 20), ["MET", "20T02:00", "21T02:00", "21T15:00"]);
}

#[test]
fn who_was_seen_to_have_left_left_by_then_whatever_later_date_is_told() {
    let ahead = "A DEPROVISIONED 19T12:00";
    let firm = Firm::new("", "");
    firm.night(16, "A ACTIVE", "A", ON).night(17, "A ACTIVE", "A", ON);
    firm.night(18, ahead, "", ON);
    for day in 19..=21 {
        firm.night(day, ahead, "", OFF);
    }
    assert_eq!(firm.anna(), ["NOT_PROVEN", "18T02:00", "19T02:00", "19T02:00"]);
}

#[test]
fn who_was_back_has_left_anew_where_nothing_dates_either_leave() {
    let left = "A DEPROVISIONED undated";
    let firm = Firm::new("rehire_after = \"72h\"\nsla = \"30h\"", "");
    firm.night(10, "A ACTIVE", "A", ON).night(11, left, "", ON);
    for day in 12..=17 {
        firm.night(day, "A ACTIVE", "A", ON);
    }
    firm.night(18, left, "", ON).night(19, left, "", OFF);
    let [sla, on, off, due] = firm.anna();
    assert_eq!([&*sla, &*on, &*off], ["NOT_PROVEN", "18T02:00", "19T02:00"]);
    assert_eq!(due, "19T08:00");
}

#[test]
fn who_was_back_within_an_employment_is_not_dated_by_hrs_day_of_the_leave_before() {
    let left = "A DEPROVISIONED undated";
    let firm = Firm::new("rehire_after = \"72h\"", HR);
    firm.night(10, "A ACTIVE", "A", ON).hr(10, &[]);
    firm.night(11, left, "", OFF).hr(11, &[("A", 10)]);
    for day in 12..=17 {
        firm.night(day, "A ACTIVE undated", "A", ON).hr(day, &[]);
    }
    firm.night(18, left, "", ON).hr(18, &[]);
    let begun = ["NOT_PROVEN", "18T02:00", "", "19T02:00"];
    assert_eq!(firm.anna(), begun);
    firm.night(19, left, "", OFF).hr(19, &[]);
    assert_eq!(firm.anna(), ["NOT_PROVEN", "18T02:00", "19T02:00", "19T02:00"]);
}

#[test]
fn who_was_back_before_they_left_by_hr_alone_has_left_when_hrs_list_has_them_no_more() {
    let firm = Firm::new("rehire_after = \"72h\"", HR);
    firm.0.change_settings("[app.crm]\n", "[app.crm]\nauthority = \"workday\"\n");
    firm.night(10, "A ACTIVE", "A", ON).hr(10, &[]);
    firm.night(11, "A DEPROVISIONED undated", "", OFF).hr(11, &[]);
    for day in 12..=17 {
        firm.night(day, "A ACTIVE undated", "A", ON).hr(day, &[]);
    }
    for day in 18..=21 {
        let by_hr = if day < 20 { &[("A", 17)][..] } else { &[] };
        firm.night(day, "A ACTIVE undated", "A", ON).hr(day, by_hr).0.run();
        let report = firm.0.report();
        let mine = report["findings"].as_array().unwrap().iter();
        let mine: Vec<_> =
            mine.filter(|it| it["subject"]["key"] == "acc").map(|it| &it["cause"]).collect();
        assert_eq!(mine, ["leaver_active"], "{day}");
    }
}

/// Anna left by the first provider, whose word decides, and was hired again at the second one, which gives
/// her the app: that gives her no right, and moves no deadline.
#[test]
fn who_left_by_the_authority_is_dated_by_no_other_provider_that_gives_the_app_later() {
    let left = "A DEPROVISIONED 10T12:00";
    let firm = Firm::of_two("any");
    firm.0.change_settings("entitlement = \"any\"", "authority = \"okta\"");
    firm.0.change_settings("[policy]", &format!("{HR}[policy]"));
    for day in 10..=18 {
        firm.hr(day, if day < 17 { &[] } else { &[("A", 16)] });
    }
    firm.night(10, "A ACTIVE", "A", ON).second(10, "", false);
    firm.night(11, left, "", ON).second(11, "", false);
    firm.night(12, left, "", ON).second(12, "", false);
    firm.night(13, left, "", OFF).second(13, "", false);
    let missed = ["MISSED", "12T02:00", "13T02:00", "11T12:00"];
    assert_eq!(firm.anna(), missed);
    for day in 14..=16 {
        firm.night(day, left, "", OFF).second(day, "ACTIVE 13T12:00", true);
    }
    assert_eq!(firm.anna(), missed);
    // HR tells the end of that employment.
    firm.night(17, left, "", OFF).second(17, "ACTIVE 13T12:00", true);
    assert_eq!(firm.anna(), missed);
    firm.night(18, left, "", OFF).second(18, "DEPROVISIONED 17T12:00", false);
    assert_eq!(firm.anna(), missed);
}

/// All have to give her the app, and each of them had let her go before the first one has her back: it is one
/// leave, which began with the first.
#[test]
fn a_provider_that_has_somebody_back_moves_no_deadline_of_a_leave_that_goes_on() {
    for back in ["A ACTIVE 13T12:00", "A SUSPENDED 13T12:00"] {
        let (left, left_second) = ("A DEPROVISIONED 08T12:00", "DEPROVISIONED 11T12:00");
        let firm = Firm::of_two("all");
        firm.night(8, "A ACTIVE", "A", ON).second(8, "ACTIVE", true);
        for day in 9..=11 {
            firm.night(day, left, "", ON).second(day, "ACTIVE", true);
        }
        firm.night(12, left, "", OFF).second(12, left_second, false);
        let missed = ["MISSED", "11T02:00", "12T02:00", "09T12:00"];
        assert_eq!(firm.anna(), missed);
        for day in 13..=15 {
            firm.night(day, back, "", OFF).second(day, left_second, false);
        }
        assert_eq!(firm.anna(), missed, "{back}");
    }
}

/// Likewise where none of them says when; and then HR tells its day.
#[test]
fn what_was_over_when_it_was_found_began_no_later_whatever_hr_says_then() {
    let left = "A DEPROVISIONED undated";
    let firm = Firm::of_two("all");
    firm.0.change_settings("[policy]", &format!("{HR}[policy]"));
    firm.night(8, "A ACTIVE undated", "A", ON).second(8, "ACTIVE undated", true);
    for day in 9..=17 {
        let user = if (13..15).contains(&day) { "A ACTIVE undated" } else { left };
        let second = if day < 10 { "ACTIVE undated" } else { "DEPROVISIONED undated" };
        firm.night(day, user, "", if day < 11 { ON } else { OFF }).second(day, second, day < 10);
    }
    for day in 8..=17 {
        firm.hr(day, if day < 16 { &[] } else { &[("A", 9)] });
    }
    assert_eq!(firm.anna(), ["MISSED", "10T02:00", "11T02:00", "10T02:00"]);
}

/// The authority's list cannot be read for some nights, and says then that she left, and not when; the other
/// one let her go in between.
#[test]
fn who_left_the_authority_at_no_known_time_may_have_left_before_the_other_one_let_her_go() {
    let left = "A DEPROVISIONED undated";
    let firm = Firm::of_two("any");
    firm.0.change_settings("entitlement = \"any\"", "authority = \"okta\"");
    firm.night(8, "A ACTIVE undated", "A", ON).second(8, "ACTIVE", true);
    for day in 9..=15 {
        let second = if day < 11 { "ACTIVE" } else { "DEPROVISIONED 10T12:00" };
        firm.night(day, left, "", if day < 11 { ON } else { OFF }).second(day, second, day < 11);
        if day < 15 {
            firm.write(day, "users.json", "garbage");
        }
    }
    let [sla, on, off, _] = firm.anna();
    assert_eq!([&*sla, &*on, &*off], ["NOT_PROVEN", "10T02:00", "11T02:00"]);
}

/// What another provider has of her changes nothing of the authority's word.
#[test]
fn the_authority_needs_no_other_list_to_open_a_finding_or_to_end_it() {
    let left = "A DEPROVISIONED 10T12:00";
    let firm = Firm::of_two("any");
    firm.0.change_settings("entitlement = \"any\"", "authority = \"okta\"");
    let told = || {
        firm.0.run();
        let of = |it: &[String; 4]| it[1] == "acc";
        firm.0.states().into_iter().find(of).map(|it| format!("{} {}", it[0], it[3]))
    };
    firm.night(10, "A ACTIVE", "A", ON).second(10, "ACTIVE", true);
    let dead = |day| {
        firm.second(day, "ACTIVE", true);
        firm.write(day, "second_users.json", "garbage");
    };
    for day in 11..=12 {
        firm.night(day, left, "", ON);
        dead(day);
    }
    assert_eq!(told().as_deref(), Some("leaver_active open"));
    firm.night(13, "A ACTIVE 12T12:00", "A", ON);
    dead(13);
    assert_eq!(told(), None);
}

/// The second one let her go in time, and the authority gave her the app until it did, nobody knows when.
#[test]
fn the_authority_may_have_given_the_app_after_the_other_one_ended() {
    let firm = Firm::of_two("any");
    firm.0.change_settings("entitlement = \"any\"", "authority = \"okta\"");
    for day in [8, 9, 10, 14, 15, 16] {
        let (user, app_user) = match day < 14 {
            true => ("A ACTIVE undated", "A"),
            false => ("A DEPROVISIONED undated", ""),
        };
        let second = if day < 11 { "ACTIVE" } else { "DEPROVISIONED 10T12:00" };
        firm.night(day, user, app_user, if day < 15 { ON } else { OFF });
        firm.second(day, second, day < 11);
    }
    assert_eq!(firm.anna()[..3], ["NOT_PROVEN", "14T02:00", "15T02:00"]);
}

/// She had left the authority when it was first seen, and another one has her.
#[test]
fn who_had_left_the_authority_before_the_first_look_had_by_then() {
    let firm = Firm::of_two("any");
    firm.0.change_settings("entitlement = \"any\"", "authority = \"okta\"");
    for day in 13..=18 {
        firm.night(day, "A DEPROVISIONED undated", "", ON).second(day, "ACTIVE", true);
    }
    let [sla, .., due] = firm.anna();
    assert_eq!([&*sla, &*due], ["MISSED", "14T02:00"]);
}

/// HR tells a day after she was found, and corrects it.
#[test]
fn what_was_over_when_it_was_found_began_no_later_however_often_hr_says_so() {
    let firm = Firm::of_two("any");
    firm.0.change_settings("[policy]", &format!("{HR}[policy]"));
    for day in 8..=16 {
        let (user, app_user) = match day < 10 {
            true => ("A ACTIVE undated", "A"),
            false => ("A DEPROVISIONED undated", ""),
        };
        let second = if day < 14 { "ACTIVE" } else { "DEPROVISIONED 13T12:00" };
        firm.night(day, user, app_user, if day < 13 { ON } else { OFF });
        firm.second(day, second, false);
        match day {
            ..14 => firm.hr(day, &[]),
            14..16 => firm.hr(day, &[("A", 13)]),
            _ => firm.hr(day, &[("A", 14)]),
        };
    }
    assert_eq!(firm.anna()[..3], ["MISSED", "12T02:00", "13T02:00"]);
}

/// HR's word is the last, but of whom the provider has hired again it says nothing.
#[test]
fn a_deadline_by_hr_is_missed_where_the_provider_was_heard() {
    let firm = Firm::new("", HR);
    firm.0.change_settings("[app.crm]\n", "[app.crm]\nauthority = \"workday\"\n");
    firm.night(10, "A ACTIVE", "A", ON).hr(10, &[]);
    firm.night(11, "A ACTIVE", "A", ON).hr(11, &[("A", 10)]);
    firm.night(12, "A ACTIVE", "A", ON).hr(12, &[("A", 10)]);
    firm.write(12, "users.json", "garbage");
    assert_eq!(firm.anna()[0], "NOT_PROVEN");
    firm.night(13, "A ACTIVE", "A", ON).hr(13, &[("A", 10)]);
    assert_eq!(firm.anna()[..2], ["MISSED", "13T02:00"]);
}

/// The one that said so cannot be read in the next night, and has her on in the one after that.
#[test]
fn a_dispute_opens_when_whoever_says_otherwise_was_heard_again() {
    let firm = Firm::of_two("any");
    let state = |day, second: &str| {
        firm.night(day, "A ACTIVE", "A", ON).second(day, second, true);
        if second.is_empty() {
            firm.write(day, "second_users.json", "garbage");
        }
        firm.0.run();
        firm.0.states().into_iter().find(|it| it[1] == "acc").map(|it| it[3].clone())
    };
    assert_eq!(state(9, "ACTIVE"), None);
    assert_eq!(state(10, "DEPROVISIONED 09T12:00").as_deref(), Some("pending"));
    assert_eq!(state(11, "").as_deref(), Some("pending"));
    assert_eq!(state(12, "ACTIVE 10T12:00"), None);
}

/// Who is back, and is on HR's list no more, may be so by the provider's, which is that of the night before.
#[test]
fn a_row_that_hr_has_struck_out_opens_nothing_before_the_provider_is_heard() {
    let firm = Firm::new("", HR);
    firm.0.change_settings("[app.crm]\n", "[app.crm]\nauthority = \"workday\"\n");
    let left = "A DEPROVISIONED 11T12:00";
    firm.night(10, "A ACTIVE", "A", ON).hr(10, &[]);
    firm.night(11, "A ACTIVE", "A", ON).hr(11, &[("A", 10)]);
    for day in 12..=13 {
        firm.night(day, left, "", OFF).hr(day, &[("A", 10)]);
    }
    let state = |day| {
        firm.night(day, left, "", ON).hr(day, &[]);
        firm.write(day, "users.json", "garbage");
        firm.0.run();
        firm.0.states().into_iter().find(|it| it[1] == "acc").map(|it| it[3].clone())
    };
    assert_eq!(state(14).as_deref(), Some("pending"));
    assert_eq!(state(15).as_deref(), Some("pending"));
}

/// Half a list of the second provider does not show what she is there.
#[test]
fn who_left_one_of_all_providers_has_left_whatever_another_one_shows() {
    let left = "A DEPROVISIONED 10T12:00";
    let firm = Firm::of_two("all");
    firm.night(10, "A ACTIVE", "A", ON).second(10, "ACTIVE", true);
    for day in 11..=13 {
        firm.night(day, left, "", ON).second(day, "ACTIVE", true);
        firm.write(day, "second_users.json", "garbage");
    }
    let [sla, on, ..] = firm.anna();
    // That it was seen on once more is on no record.
    assert_eq!([&*sla, &*on], ["MISSED", "12T02:00"]);
}

/// Files are older than the run that reads them. She is on in the one after that in which she had left, and the
/// next one cannot be read.
#[test]
#[expect(clippy::disallowed_methods, reason = "files have times of the machine's clock")]
fn a_word_of_an_older_file_outdates_no_row_of_a_newer_one() {
    let site = Site::new("");
    let now = std::time::SystemTime::now();
    let hours_ago = |hours| now - std::time::Duration::from_secs(hours * 3_600);
    let run = |hours: u64, users: &str, app_users: &str| {
        let others = || (0..8).map(|it| format!("f{it} ACTIVE"));
        let of = |text: &str, row: fn(&str) -> Value| match text {
            "garbage" => text.to_owned(),
            _ => Value::from_iter(others().chain(words(text)).map(|it| row(&it))).to_string(),
        };
        let files = [("users.json", of(users, user)), ("app_users.json", of(app_users, app_user))];
        for (name, text) in files {
            site.write(name, text);
            let file = std::fs::File::options().append(true).open(site.path(name)).unwrap();
            file.set_modified(hours_ago(hours)).unwrap();
        }
        site.run();
    };
    let nights = "[nights]\nfolder = \"n\"\ntime = \"02:00:00Z\"\n";
    site.write("driftline.toml", SETTINGS.replace(nights, ""));
    let accounts: Vec<Value> = words("acc-f0 f0 on, acc A on").map(|it| account(&it)).collect();
    let list = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 2, "startIndex": 1, "itemsPerPage": 2, "Resources": accounts});
    site.write("accounts.json", list.to_string());
    run(9, "A ACTIVE undated", "A");
    run(8, "A DEPROVISIONED undated", "");
    run(4, "A ACTIVE 20T12:00", "garbage");
    run(2, "garbage", "garbage");
    let explained = site.told(&["explain", "acc"]).stdout;
    assert!(!explained.contains("asked by id since"), "{explained}");
    assert!(!explained.contains("has left, and the account is active"), "{explained}");
}

/// HR, the authority, has said the wrong day; the provider, which dates nothing, has them on until the right
/// one.
#[test]
fn a_day_that_hr_corrects_dates_no_word_of_a_provider_that_was_heard_later() {
    for off in [20, 21] {
        let firm = Firm::new("", HR);
        firm.0.change_settings("[app.crm]\n", "[app.crm]\nauthority = \"workday\"\n");
        for day in 8..25 {
            let (user, app_user) = match day < 20 {
                true => ("A ACTIVE undated", "A"),
                false => ("A DEPROVISIONED undated", ""),
            };
            firm.night(day, user, app_user, if day < off { ON } else { OFF });
            match day {
                ..10 => firm.hr(day, &[]),
                10..22 => firm.hr(day, &[("A", 9)]),
                _ => firm.hr(day, &[("A", 19)]),
            };
        }
        let [sla, on, off_by, due] = firm.anna();
        let last_on = format!("{}T02:00", off - 1);
        assert_eq!([on, off_by], [last_on, format!("{off}T02:00")]);
        // Not missed: how long before HR's day the provider ended it is no longer known.
        assert_eq!([&*sla, &*due], ["NOT_PROVEN", "21T00:00"]);
    }
}

#[test]
fn who_was_away_and_is_back_may_have_had_the_app_again_until_it_is_seen_that_they_do_not() {
    let left = "A DEPROVISIONED undated";
    let firm = Firm::new("", "");
    firm.night(10, "A ACTIVE", "A", ON).night(11, left, "", OFF).night(12, left, "", "");
    let back = |day, state: &str| {
        firm.night(day, "A ACTIVE undated", "", "acc2 A on").0.run();
        let report = firm.0.report();
        let lost = report["findings"].as_array().unwrap().iter();
        let lost = lost.filter(|it| it["subject"]["key"] == "acc2").collect::<Vec<_>>();
        let [lost] = lost[..] else { panic!("{report:#}") };
        let began = &lost["exposures"][0];
        let told = [&lost["cause"], &lost["state"], &began["started_earliest"]];
        assert_eq!(told, ["unassigned_active", state, "2026-11-10T02:00:00Z"], "{lost:#}");
        assert_eq!(began["started_latest"], "2026-11-13T02:00:00Z", "{lost:#}");
    };
    back(13, "pending");
    back(14, "open");
}

#[test]
fn a_policy_that_is_loosened_later_changes_no_result() {
    let left = "A DEPROVISIONED 17T12:00";
    for is_off in [false, true] {
        let firm = Firm::new("", "");
        firm.night(16, "A ACTIVE", "A", ON).night(17, "A ACTIVE", "A", ON);
        for day in 18..=20 {
            firm.night(day, left, "", ON);
        }
        let missed = ["MISSED", "19T02:00", "", "18T12:00"];
        assert_eq!(firm.anna(), missed);
        firm.settings("sla = \"30d\"\nversion = 2", "");
        firm.night(21, left, "", if is_off { OFF } else { ON });
        let [sla, _, off, due] = firm.anna();
        let told = if is_off { "21T02:00" } else { "" };
        assert_eq!([&*sla, &*off, &*due], ["MISSED", told, "18T12:00"]);
    }
}

#[test]
fn what_one_person_says_of_a_finding_changes_nothing_of_what_was_seen() {
    let left = "A DEPROVISIONED 17T03:00";
    let firm = Firm::new("", "");
    firm.night(16, "A ACTIVE", "A", ON).night(17, "A ACTIVE", "A", ON);
    firm.night(18, left, "", ON);
    firm.0.run();
    let word = ["findings", "false-positive", "DL-1", "--by", "ann", "--reason", "a test account"];
    firm.0.told(&word);
    firm.night(19, left, "", ON).night(20, left, "", ON);
    // That it was seen on once more is nothing new.
    assert_eq!(firm.anna(), ["MISSED", "19T02:00", "", "18T03:00"]);
    firm.night(21, left, "", OFF);
    assert_eq!(firm.anna(), ["MISSED", "20T02:00", "21T02:00", "18T03:00"]);
}

#[test]
fn what_hr_said_of_a_leave_stays_when_they_are_hired_again_under_a_new_id() {
    let firm = Firm::new("", HR);
    let by_hr = &[("A", 16)][..];
    firm.night(16, "A ACTIVE", "A", ON).hr(16, &[]);
    for day in 17..=21 {
        firm.night(day, "A ACTIVE", "A", ON).hr(day, by_hr);
    }
    let left = "A DEPROVISIONED 21T17:00";
    firm.night(22, left, "", OFF).hr(22, by_hr);
    let missed = ["MISSED", "21T02:00", "22T02:00", "18T00:00"];
    assert_eq!(firm.anna(), missed);
    // HR's row is of the employment before: of the new one it says nothing.
    let hired = "a ACTIVE 22T13:00 22T13:00";
    for day in 23..=24 {
        firm.night(day, &format!("{left}, {hired}"), "a", OFF).hr(day, by_hr);
    }
    assert_eq!(firm.anna(), missed);
    // HR writes the next leave into the same row.
    for day in 25..=26 {
        let users = format!("{left}, a DEPROVISIONED 24T12:00 22T13:00");
        firm.night(day, &users, "", OFF).hr(day, &[("A", 24)]);
    }
    assert_eq!(firm.anna(), missed);
}

#[test]
fn a_leave_that_was_missed_stays_on_record_when_they_are_back_without_the_app_and_leave_again() {
    let left = "A DEPROVISIONED 10T12:00";
    let firm = Firm::new("", "");
    firm.night(10, "A ACTIVE", "A", ON);
    firm.night(11, left, "", ON).night(12, left, "", ON).night(13, left, "", OFF);
    assert_eq!(firm.anna(), ["MISSED", "12T02:00", "13T02:00", "11T12:00"]);
    firm.night(14, "A ACTIVE 13T12:00", "", OFF).night(15, "A ACTIVE 13T12:00", "", OFF);
    for day in 16..=17 {
        firm.night(day, "A DEPROVISIONED 15T12:00", "", OFF);
    }
    assert_eq!(firm.anna(), ["MISSED", "12T02:00", "13T02:00", "11T12:00"]);
    assert_eq!(firm.leaves(), ["1 MISSED DL-1 back 14T02:00", "1.2 MET  back "]);
    let export = ["evidence", "export", "--output", "november.zip"];
    firm.0.told(&[&export[..], &NOVEMBER].concat());
    crate::auditor::is_whole(&crate::auditor::verified(&firm.0, "november"));
    firm.0.told(&["db", "verify"]);
    firm.0.rederives(8);
}

/// Both providers have to give the app. The second one takes it from Anna by an undated leave, and her access
/// remains for longer than it may; the first one, which dates a leave, follows.
#[test]
fn an_undated_leave_that_was_missed_stays_so_when_another_provider_dates_a_later_one() {
    let firm = Firm::of_two("all");
    firm.second(10, "ACTIVE", true).night(10, "A ACTIVE", "A", ON);
    for day in 11..=13 {
        firm.second(day, "DEPROVISIONED undated", false);
        firm.night(day, "A ACTIVE", "A", if day < 13 { ON } else { OFF });
    }
    let missed = ["MISSED", "12T02:00", "13T02:00", "12T02:00"];
    assert_eq!(firm.anna(), missed);
    firm.second(14, "DEPROVISIONED undated", false);
    firm.night(14, "A DEPROVISIONED 13T12:00", "", OFF);
    assert_eq!(firm.anna(), missed);
    firm.0.rederives(5);
}

#[test]
fn what_was_missed_stays_so_when_a_provider_that_never_gave_the_app_dates_a_later_leave() {
    let firm = Firm::of_two("any");
    firm.second(10, "ACTIVE", false).night(10, "A ACTIVE", "A", ON);
    for day in 11..=13 {
        firm.second(day, "ACTIVE", false);
        let account = if day < 13 { ON } else { OFF };
        firm.night(day, "A DEPROVISIONED 10T12:00", "", account);
    }
    let missed = ["MISSED", "12T02:00", "13T02:00", "12T02:00"];
    assert_eq!(firm.anna(), missed);
    for day in 14..=15 {
        firm.second(day, "DEPROVISIONED 13T12:00", false);
        firm.night(day, "A DEPROVISIONED 10T12:00", "", OFF);
    }
    assert_eq!(firm.anna(), missed);
    firm.0.rederives(6);
}

/// Nothing bounds when she left: the first night has her so, and her account on.
#[test]
fn who_had_left_on_the_first_night_should_have_been_off_since_where_both_must_give_the_app() {
    let firm = Firm::of_two("all");
    for day in 10..=13 {
        firm.second(day, "ACTIVE", true);
        firm.night(day, "A DEPROVISIONED undated", "", if day < 13 { ON } else { OFF });
    }
    assert_eq!(firm.anna(), ["MISSED", "12T02:00", "13T02:00", "11T02:00"]);
}

/// Without a log, the provider's own word that they had left, and that they are active since, shows it.
#[test]
fn who_is_back_without_the_app_is_so_when_hr_has_struck_them_out() {
    let firm = Firm::new("", HR);
    firm.night(10, "A ACTIVE", "A", ON).hr(10, &[]);
    for day in 11..=12 {
        firm.night(day, "A DEPROVISIONED 10T12:00", "", OFF).hr(day, &[("A", 10)]);
    }
    for day in 13..=15 {
        firm.night(day, "A ACTIVE 12T12:00", "", OFF).hr(day, &[]);
    }
    firm.0.run();
    assert_eq!(firm.leaves(), ["1 MET  back 13T02:00"]);
    firm.0.rederives(6);
}

/// Of exports nobody can ask what became of whom they have no more.
#[test]
fn who_was_hired_again_and_is_gone_from_the_list_left_a_second_time() {
    for first in ["A DEPROVISIONED 10T12:00", ""] {
        let again = ["a ACTIVE 11T12:00 11T12:00", first].join(", ");
        let firm = Firm::new("", "");
        firm.night(10, "A ACTIVE", "A", ON).night(11, first, "", OFF);
        for day in 12..=15 {
            let account = if day == 12 { OFF } else { "acc A off, acc-2 a on" };
            firm.night(day, &again, "a", account);
        }
        firm.night(16, first, "", "acc A off, acc-2 a on");
        firm.0.run();
        assert_eq!(firm.leaves(), ["1 MET  back ", "1 NOT_PROVEN DL-1 back "], "{first}");
        firm.0.rederives(7);
    }
}

#[test]
fn a_second_leave_is_judged_by_what_was_seen_since_it() {
    let first = "A DEPROVISIONED 09T12:00";
    let firm = Firm::new("", "");
    firm.night(9, "A ACTIVE", "A", ON).night(10, first, "", OFF).night(11, first, "", OFF);
    // Back without the app, and the account is on; Okta dates the next leave three nights late.
    for day in 12..=17 {
        firm.night(day, "A ACTIVE 11T12:00", "", ON);
    }
    firm.night(18, "A DEPROVISIONED 14T12:00", "", OFF);
    assert_eq!(firm.anna(), ["MET", "09T02:00", "10T02:00", "10T12:00"]);
    assert_eq!(firm.leaves(), ["1 MET  back 12T02:00", "1.2 MISSED DL-1 back "]);
}

#[test]
fn a_leave_that_counted_does_so_under_settings_by_which_it_would_not_have() {
    let first = "A DEPROVISIONED 09T12:00";
    let firm = Firm::new("", "");
    firm.night(9, "A ACTIVE", "A", ON).night(10, first, "", ON).night(11, first, "", ON);
    firm.night(12, first, "", OFF).night(13, "A ACTIVE 12T12:00", "", OFF);
    assert_eq!(firm.anna()[0], "MISSED");
    firm.settings("rehire_after = \"30d\"", "");
    firm.night(14, "A DEPROVISIONED 13T12:00", "", OFF);
    assert_eq!(firm.anna()[0], "MISSED");
    assert_eq!(firm.leaves(), ["1 MISSED DL-1 back 13T02:00", "1.2 MET  back "]);
}

#[test]
fn what_was_seen_before_they_were_back_is_no_part_of_the_leave_after() {
    let firm = Firm::new("", HR);
    let lost = "A DEPROVISIONED 10T12:00";
    firm.night(10, "A ACTIVE", "A", ON).hr(10, &[]);
    for day in 11..=21 {
        let hr = if day < 14 { 10 } else { 20 };
        firm.night(day, "A ACTIVE", lost, if day < 13 { ON } else { OFF }).hr(day, &[("A", hr)]);
    }
    assert_eq!(firm.anna(), ["MISSED", "12T02:00", "13T02:00", "11T12:00"]);
    assert_eq!(firm.leaves(), ["1 MISSED DL-1 back 14T02:00", "1.2 MET  back "]);
}

#[test]
fn who_is_back_is_so_whatever_became_of_a_user_of_theirs_before() {
    let firm = Firm::new("", HR);
    let lost = "a DEPROVISIONED 10T12:00";
    let user = "a ACTIVE 01T08:00 01T08:00";
    // An earlier user of hers is deleted after the first night.
    firm.night(8, &format!("A DEPROVISIONED, {user}"), "a", "acc a on").hr(8, &[]);
    for day in 9..=25 {
        let hr: &[(&str, u32)] = match day {
            ..11 => &[],
            11..13 => &[("a", 10)],
            13.. => &[("a", 20)],
        };
        let account = if (11..14).contains(&day) || day > 20 { "acc a off" } else { "acc a on" };
        firm.night(day, user, if day < 11 { "a" } else { lost }, account).hr(day, hr);
    }
    firm.0.run();
    assert_eq!(firm.leaves(), ["1 MET  back 13T02:00", "1.2 MISSED DL-1 back "]);
}
