//! OneLogin as a live system: the program against a simulated subdomain behind real HTTP.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use sim::{Endpoint, Fault, OneLoginEvent, Sim, When, World};

use crate::pushes::every_page_says;
use crate::site::{Answer, Site};

/// Bob was suspended three days ago and kept his account, Cem has lost the app, Dora's licence was
/// taken, Eve has not begun, and Fay may not be in the list of who has it.
const FIRM: &str = "\
onelogin (page 4)
  101 ana@firm.test 1 assigned
  102 bob@firm.test 2 assigned since=-3d
  103 cem@firm.test 1
  104 dora@firm.test 3 assigned state=3
  105 eve@firm.test 0 assigned
onelogin-roles
  501 Finance
app
  s1 101 ana@firm.test on
  s2 102 bob@firm.test on
  s3 103 cem@firm.test on
  s4 104 dora@firm.test on
  s5 105 eve@firm.test off
";

#[expect(clippy::disallowed_methods, reason = "the program has the machine's clock, too")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A company, and an installation that reads it. `more`: settings of OneLogin.
async fn installed(more: &str) -> (Sim, Site) {
    // Others with the app, so that one who loses it is no mass change.
    let others: Vec<u32> = (110..122).collect();
    let users: String =
        others.iter().map(|it| format!("  {it} m{it}@firm.test 1 assigned\n")).collect();
    let accounts: String =
        others.iter().map(|it| format!("  m{it} {it} m{it}@firm.test on\n")).collect();
    let firm = FIRM.replace("onelogin-roles", &format!("{users}onelogin-roles"));
    let firm = firm + &accounts;
    let sim = Sim::start(World::describe_at(&firm, now()).unwrap()).await.unwrap();
    let site = Site::new(&format!(
        "[idp.onelogin.onelogin]\nurl = \"{}\"\napp_id = 3001\nclient_id = \"sim-onelogin-client\"\n\
         client_secret = \"file:onelogin.secret\"\n{more}\n\n\
         [app.secureframe]\nidps = [\"onelogin\"]\ncanaries = [\"s1\"]\n\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n",
        sim.onelogin_url(),
        sim.scim_url()
    ));
    site.write("onelogin.secret", "sim-onelogin-client-secret\n");
    site.write("scim.token", "sim-scim-token\n");
    (sim, site)
}

/// Runs the program while the company answers.
fn ask(site: &Site, args: &[&str]) -> Answer {
    tokio::task::block_in_place(|| site.ask(args))
}

/// What it printed, without the ends of lines.
fn in_one_line(answer: &Answer) -> String {
    answer.stdout.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// Cause, account and state of everything that lives.
fn live(site: &Site) -> Vec<String> {
    let states = tokio::task::block_in_place(|| site.states());
    let mut all: Vec<String> =
        states.into_iter().map(|[cause, key, _, state]| format!("{cause} {key} {state}")).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn leavers_the_unassigned_and_the_unlicensed_are_told_apart() {
    let (sim, site) = installed("").await;
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(
        live(&site),
        ["leaver_active s2 open", "unassigned_active s3 pending", "unassigned_active s4 pending"]
    );
    assert_eq!(sim.offences(), Vec::<String>::new());
    let report = String::from_utf8(site.read("reports/latest.html")).unwrap();
    for said in ["as many unique rows as the source states", "roles that give the app: Finance"] {
        assert!(report.contains(said), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_has_left_and_the_answer_by_id_tells() {
    let (sim, site) = installed("").await;
    ask(&site, &["run", "--once"]);
    sim.world().onelogin.delete(101, now());
    ask(&site, &["run", "--once"]);
    assert!(live(&site).contains(&"leaver_active s1 pending".to_owned()), "{:?}", live(&site));
    let asked = sim.requests().into_iter().any(|it| it.path.ends_with("/users/101"));
    assert!(asked, "asked by id");
}

/// The finding about an account, as the report has it.
fn finding(site: &Site, account: &str) -> Value {
    let report = ask(site, &["report", "--format", "json"]).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    let mut findings = report["findings"].as_array().unwrap().iter();
    findings.find(|it| it["subject"]["key"] == account).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn grace_and_sla_run_from_when_the_events_say_that_somebody_was_suspended() {
    let (sim, site) = installed("").await;
    // No event says when Bob was suspended: it is dated by the look.
    ask(&site, &["run", "--once"]);
    let undated = finding(&site, "s2");

    let (told, dated_site) = installed("").await;
    let at = now() - TimeDelta::days(3);
    for (at, type_id) in [(at, 21), (at + TimeDelta::minutes(2), 61)] {
        told.world().onelogin.events.push(OneLoginEvent {
            at,
            type_id,
            user: 102,
            is_in_app: type_id == 61,
        });
    }
    let answer = ask(&dated_site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    let dated = finding(&dated_site, "s2");
    let failed_at = (at + TimeDelta::minutes(2)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let failed = format!(
        "onelogin says of `102`: the app was told to switch the account off at {failed_at}, and that \
         failed"
    );
    every_page_says(&dated_site, "s2", &failed);
    assert_eq!(told.offences(), Vec::<String>::new());
    drop(sim);
    let told = [undated, dated].map(|it| {
        format!("{} ({}), exposure {}", it["sla"]["outcome"], it["sla"]["because"], it["exposure"])
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    "not_proven" ("the source does not say when the right ended: found when it was first seen"), exposure {"at_least_s":0,"at_most_s":null}
    "missed" ("seen active at or after the deadline, counted from the latest possible start"), exposure {"at_least_s":259200,"at_most_s":null}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_is_told_by_a_light_pass_minutes_later() {
    let (sim, site) = installed("").await;
    ask(&site, &["run", "--once"]);
    sim.world().onelogin.set_status(101, 2, now());
    sim.forget_requests();
    let answer = ask(&site, &["run", "--once", "--light"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert!(live(&site).iter().any(|it| it.starts_with("leaver_active s1")), "{:?}", live(&site));
    let count = |endpoint: &str| sim.count(Endpoint::named(endpoint).unwrap());
    assert_eq!((count("onelogin/app-users"), count("onelogin/types")), (0, 0));
    assert!(count("onelogin/events") > 0 && count("onelogin/user") > 0);
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn that_onelogin_does_nothing_in_the_app_is_told_until_it_does() {
    let (sim, site) = installed("").await;
    let happens = |minutes: i64, type_id: u64| {
        let at = now() + TimeDelta::minutes(minutes);
        let event = OneLoginEvent { at, type_id, user: 102, is_in_app: true };
        sim.world().onelogin.events.push(event);
    };
    let is_told =
        |args: &[&str]| in_one_line(&ask(&site, args)).contains("OneLogin did nothing in the app");
    assert!(!is_told(&["run", "--once"]));
    happens(-60, 60);
    // A light pass reads the event, and is no place to tell of it.
    ask(&site, &["run", "--once", "--light"]);
    assert!(is_told(&["run", "--once"]));
    assert!(is_told(&["run", "--once"]), "nobody has mended it");
    happens(-30, 55);
    assert!(!is_told(&["run", "--once"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_users_are_away_where_the_settings_say_so() {
    let (_sim, site) = installed("suspended = \"suspended\"").await;
    ask(&site, &["run", "--once"]);
    assert!(live(&site).contains(&"suspended_active s2 pending".to_owned()), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_admin_is_named_as_the_cause() {
    let (sim, site) = installed("").await;
    {
        let mut world = sim.world();
        let bob = world.onelogin.logins.get_mut(&102).unwrap();
        bob.status = "disabling_pending_approval".to_owned();
        bob.is_listed = false;
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    let told = "waits for an admin's approval, for 1 of the users who were asked about (102)";
    assert!(in_one_line(&answer).contains(told), "{answer}");
    assert!(live(&site).contains(&"leaver_active s2 open".to_owned()), "{:?}", live(&site));
    // OneLogin says it of his own push: that is sure, and of nobody else.
    let under = "explains 1 finding: DL-1 critical leaver_active";
    assert!(in_one_line(&answer).contains(under), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_by_id_says_what_the_state_takes() {
    let (sim, site) = installed("").await;
    ask(&site, &["run", "--once"]);
    // Off and without a licence is as it should be, whatever the lists of apps say.
    sim.world().switch_off("s4", now());
    ask(&site, &["run", "--once"]);
    assert!(!live(&site).iter().any(|it| it.contains("s4")), "{:?}", live(&site));
    let by_id = |end: &str| sim.requests().into_iter().any(|it| it.path.ends_with(end));
    assert!(by_id("/users/104/apps") && by_id("/users/104"));
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioning_that_is_off_is_said_once_above_the_findings() {
    let (sim, site) = installed("").await;
    sim.world().onelogin.app.provisions = Some(false);
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(
        answer.stdout.matches("Provisioning to the app `Secureframe` (3001) is off").count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_wrong_with_a_credential() {
    let (sim, site) = installed("canaries = [101]").await;
    let doctor = ask(&site, &["doctor"]);
    assert_eq!(doctor.status, 0, "{doctor}");
    let well = [
        "OneLogin takes it",
        "It is `Secureframe` (3001)",
        "`101` is there",
        "their types mean what is known of them",
    ];
    for said in well {
        assert!(doctor.stdout.contains(said), "{said}: {doctor}");
    }
    sim.world().onelogin.door.reads_all = false;
    let doctor = ask(&site, &["doctor"]);
    assert!(doctor.stdout.contains("Make one with the scope Read All"), "{doctor}");
    let events = Endpoint::named("onelogin/events").unwrap();
    let put = sim.fault(events, Fault::named("403").unwrap(), When::always());
    let doctor = ask(&site, &["doctor"]);
    assert!(sim.struck(put) > 0);
    assert!(in_one_line(&doctor).contains("may not read the events"), "{doctor}");
    sim.world().onelogin.door.is_ownerless = true;
    let doctor = ask(&site, &["doctor"]);
    assert!(
        doctor.stdout.contains("the admin who made the API credential was deleted"),
        "{doctor}"
    );
    site.write("onelogin.secret", "another-secret\n");
    let doctor = ask(&site, &["doctor"]);
    assert!(doctor.stdout.contains("no access token, HTTP 401 `Unauthorized`"), "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_not_as_long_as_it_says_is_partial() {
    let (sim, site) = installed("").await;
    ask(&site, &["run", "--once"]);
    let users = Endpoint::named("onelogin/users").unwrap();
    let put = sim.fault(users, Fault::named("short-list").unwrap(), When::always());
    let answer = ask(&site, &["run", "--once"]);
    assert!(sim.struck(put) > 0);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(
        in_one_line(&answer).contains("it states a total of 17, and 9 different rows were read"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_totals_a_list_of_exactly_one_page_is_not_believed() {
    let (sim, site) = installed("").await;
    {
        let mut world = sim.world();
        world.onelogin.door.states_pages = false;
        world.onelogin.door.page_max = usize::MAX;
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "17 users are no page: {answer}");
    let mut extra = sim.world().onelogin.users[&103].clone();
    for id in 200..300 {
        extra.username = format!("u{id}@firm.test");
        sim.world().onelogin.users.insert(id, extra.clone());
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(in_one_line(&answer).contains("its last page has exactly 100 rows"), "{answer}");
}
