//! Entra as a live system: the program against a simulated tenant behind real HTTP.

use chrono::{DateTime, Utc};
use sim::{Endpoint, ProvisioningEvent, Sim, World};

use crate::live::fault;
use crate::site::{Answer, Site, json};

/// Bob was deleted three days ago and kept his account, Dora has the app through a group, Kim is a
/// guest, and Nils is in a group within the group.
const FIRM: &str = "\
entra
  a1000000-0000-4000-8000-000000000001 ana@firm.test on assigned
  a1000000-0000-4000-8000-000000000002 bob@firm.test deleted since=-3d
  a1000000-0000-4000-8000-000000000003 dora@firm.test on via=b1000000-0000-4000-8000-000000000001
  a1000000-0000-4000-8000-000000000004 kim_out.test#EXT#@firm.test on guest assigned mail=kim@out.test
  a1000000-0000-4000-8000-000000000005 nils@firm.test on via=b1000000-0000-4000-8000-000000000002
entra-groups
  b1000000-0000-4000-8000-000000000001 Staff assigned holds=b1000000-0000-4000-8000-000000000002
  b1000000-0000-4000-8000-000000000002 Interns
app
  s1 a1000000-0000-4000-8000-000000000001 ana@firm.test on
  s2 a1000000-0000-4000-8000-000000000002 bob@firm.test on
  s3 a1000000-0000-4000-8000-000000000003 dora@firm.test on
  s4 - kim@out.test on
  s5 a1000000-0000-4000-8000-000000000005 nils@firm.test on
";

const DORA: &str = "a1000000-0000-4000-8000-000000000003";
const STAFF: &str = "b1000000-0000-4000-8000-000000000001";

#[expect(clippy::disallowed_methods, reason = "the program has the machine's clock, too")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A company, and an installation that reads it. `more`: settings of the tenant.
async fn installed(more: &str) -> (Sim, Site) {
    // A comment begins with the sign that a guest's name has in it.
    let mut firm = FIRM.replace("#EXT#", "_EXT_");
    // Others in the group, so that one who leaves it is no mass change.
    for nth in 10..20 {
        let id = format!("a1000000-0000-4000-8000-0000000000{nth}");
        let user = format!("\n  {id} m{nth}@firm.test on via={STAFF}\nentra-groups");
        let account = format!("\n  m{nth} {id} m{nth}@firm.test on\n");
        firm = firm.replacen("\nentra-groups", &user, 1) + account.trim_start_matches('\n');
    }
    let mut world = World::describe_at(&firm, now()).unwrap();
    for user in world.entra.users.values_mut() {
        user.principal_name = user.principal_name.replace("_EXT_", "#EXT#");
    }
    let sim = Sim::start(world).await.unwrap();
    let url = sim.entra_url().to_owned();
    let tenant = sim.world().entra.clone();
    let site = Site::new(&format!(
        "[idp.entra.entra]\ntenant = \"{}\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\
         app_id = \"{}\"\nclient_id = \"{}\"\n{more}\n\n\
         [app.secureframe]\nidps = [\"entra\"]\ncanaries = [\"s1\"]\n\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n",
        tenant.door.tenant,
        tenant.app.app_id,
        tenant.door.client_id,
        sim.scim_url()
    ));
    site.write("entra.secret", "sim-entra-client-secret\n");
    site.write("entra.jwt", "sim.federated.token\n");
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../outbound/tests/data/keys/");
    let pem = |name: &str| std::fs::read(format!("{keys}{name}")).unwrap();
    site.write("entra.pem", [pem("rsa.cert.pem"), pem("rsa.pkcs8.pem")].concat());
    site.write("scim.token", "sim-scim-token\n");
    (sim, site)
}

const SECRET: &str = "client_secret = \"file:entra.secret\"";

/// Runs the program while the company answers.
fn ask(site: &Site, args: &[&str]) -> Answer {
    tokio::task::block_in_place(|| site.ask(args))
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
async fn leavers_members_guests_and_nested_groups_are_told_apart() {
    let (sim, site) = installed(SECRET).await;
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    // Nils gets nothing through a group within a group.
    assert_eq!(live(&site), ["leaver_active s2 open", "unassigned_active s5 pending"]);
    assert_eq!(sim.offences(), Vec::<String>::new());
    let report = String::from_utf8(site.read("reports/latest.html")).unwrap();
    assert!(report.contains("whose members get nothing through it"), "the warning is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_whom_the_app_has_by_the_name_of_the_directory_is_no_drift() {
    let (sim, site) = installed(SECRET).await;
    let mut kim = sim.world().app.accounts.iter().find(|it| it.id == "s4").cloned().unwrap();
    kim.external_id = Some("a1000000-0000-4000-8000-000000000004".to_owned());
    for (name, drift) in [("kim_out.test#EXT#@firm.test", false), ("kim@elsewhere.test", true)] {
        kim.user_name = Some(name.to_owned());
        sim.world().app.accounts.retain(|it| it.id != "s4");
        sim.world().app.accounts.push(kim.clone());
        ask(&site, &["run", "--once"]);
        let told = live(&site).contains(&"identifier_drift s4 pending".to_owned());
        assert_eq!(told, drift, "{name}: {:?}", live(&site));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_credential_lets_the_doctor_in() {
    for credential in [
        SECRET,
        "certificate = \"file:entra.pem\"",
        "certificate = \"file:entra.pem\"\nprivate_key = \"file:entra.pem\"",
        "federated_token = \"file:entra.jwt\"",
    ] {
        let (_sim, site) = installed(credential).await;
        let doctor = ask(&site, &["doctor"]);
        assert_eq!(doctor.status, 0, "{credential}: {doctor}");
        assert!(doctor.stdout.contains("Microsoft Graph takes it"), "{doctor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_are_in_scope_nobody_needs_an_assignment() {
    let (sim, site) = installed(&format!("{SECRET}\nscope = \"all\"")).await;
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), ["leaver_active s2 open"]);
    for endpoint in ["entra/assigned", "entra/grants"] {
        assert_eq!(sim.count(Endpoint::named(endpoint).unwrap()), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_app_through_a_group_is_confirmed_by_id() {
    let (sim, site) = installed(SECRET).await;
    ask(&site, &["run", "--once"]);
    sim.world().switch_off("s3", now());
    ask(&site, &["run", "--once"]);
    // Dora is entitled and off: the list says so, and asking by id says so, too.
    assert!(live(&site).contains(&"disabled_entitled s3 pending".to_owned()), "{:?}", live(&site));
    let asked = sim.requests().into_iter().filter(|it| it.path.contains(DORA));
    assert!(asked.clone().any(|it| it.path.ends_with("/appRoleAssignments")), "asked by id");

    // Out of the group, she has lost the app: nothing is missing any more.
    sim.world().entra.groups.get_mut(STAFF).unwrap().members.remove(DORA);
    ask(&site, &["run", "--once"]);
    assert!(!live(&site).iter().any(|it| it.contains("s3")), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_has_the_app_and_is_empty_hides_nobody_who_has_lost_it() {
    for hides_members in [false, true] {
        let (sim, site) = installed(SECRET).await;
        {
            let mut world = sim.world();
            let staff = world.entra.groups.get_mut(STAFF).unwrap();
            staff.members.clear();
            staff.groups.clear();
            // Whose members nobody may see may have any.
            staff.hides_members = hides_members;
        }
        ask(&site, &["run", "--once"]);
        // Everybody in the app who has it by no assignment of their own.
        let n_lost = live(&site).iter().filter(|it| it.starts_with("unassigned_active")).count();
        assert_eq!(n_lost, if hides_members { 0 } else { 12 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_app_with_a_group_had_it_until_then() {
    let (sim, site) = installed(SECRET).await;
    sim.world().entra.assign(DORA, false, now());
    let ana = "a1000000-0000-4000-8000-000000000001".to_owned();
    sim.world().entra.groups.get_mut(STAFF).unwrap().members.insert(ana);
    ask(&site, &["run", "--once"]);
    sim.world().entra.unassign(DORA);
    ask(&site, &["run", "--once"]);
    let seen_with_it = now();
    ask(&site, &["run", "--once"]);
    sim.world().entra.groups.get_mut(STAFF).unwrap().members.remove(DORA);
    ask(&site, &["run", "--once"]);
    let report = json(&ask(&site, &["report", "--format", "json"]).bytes);
    let lost = report["findings"].as_array().unwrap();
    let lost = lost.iter().find(|it| it["subject"]["key"] == "s3").unwrap();
    let earliest = lost["exposures"][0]["started_earliest"].as_str().unwrap();
    assert!(earliest.parse::<DateTime<Utc>>().unwrap() >= seen_with_it, "{lost:#}");
}

/// She is on again, without her group, and its members cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_again_is_entitled_again_by_a_group_whose_members_were_read() {
    let (sim, site) = installed(SECRET).await;
    ask(&site, &["run", "--once"]);
    sim.world().entra.users.get_mut(DORA).unwrap().is_enabled = Some(false);
    ask(&site, &["run", "--once"]);
    let of_dora = || live(&site).into_iter().find(|it| it.contains("s3"));
    assert_eq!(of_dora().as_deref(), Some("leaver_active s3 pending"));
    sim.world().entra.users.get_mut(DORA).unwrap().is_enabled = Some(true);
    sim.world().entra.groups.get_mut(STAFF).unwrap().members.remove(DORA);
    fault(&sim, "entra/members", "garbage");
    fault(&sim, "entra/grants", "garbage");
    ask(&site, &["run", "--once"]);
    assert_eq!(of_dora().as_deref(), Some("leaver_active s3 pending"));
    sim.clear_faults();
    ask(&site, &["run", "--once"]);
    assert_eq!(of_dora().as_deref(), Some("unassigned_active s3 pending"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_who_is_disabled_and_then_deleted_for_good_stays_one() {
    let (sim, site) = installed(SECRET).await;
    ask(&site, &["run", "--once"]);
    let ana = "a1000000-0000-4000-8000-000000000001";
    sim.world().entra.users.get_mut(ana).unwrap().is_enabled = Some(false);
    ask(&site, &["run", "--once"]);
    assert!(live(&site).contains(&"leaver_active s1 pending".to_owned()), "{:?}", live(&site));
    {
        let mut world = sim.world();
        world.entra.users.remove(ana);
        world.entra.unassign(ana);
    }
    ask(&site, &["run", "--once"]);
    assert!(live(&site).contains(&"leaver_active s1 pending".to_owned()), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_deleted_between_two_looks_left_since_the_first_and_by_the_deletion() {
    let (sim, site) = installed(SECRET).await;
    ask(&site, &["run", "--once"]);
    let seen_on = now();
    let deleted = seen_on + chrono::TimeDelta::milliseconds(1);
    {
        let mut world = sim.world();
        world.entra.users.get_mut(ANA).unwrap().deleted_at = Some(deleted);
        world.entra.unassign(ANA);
    }
    // Told by the first run that sees it, and not otherwise by the next.
    for _ in 0..2 {
        ask(&site, &["run", "--once"]);
        let report = json(&ask(&site, &["report", "--format", "json"]).bytes);
        let left = report["findings"].as_array().unwrap();
        let left = left.iter().find(|it| it["subject"]["key"] == "s1").unwrap();
        let bound = |name: &str| -> DateTime<Utc> {
            left["exposures"][0][name].as_str().unwrap().parse().unwrap()
        };
        assert!(bound("started_earliest") <= seen_on, "{left:#}");
        assert!((bound("started_latest") - deleted).abs() < chrono::TimeDelta::seconds(1));
    }
}

/// Ana's time was over three days ago, and her account was on. Entra, which does not say when it disabled
/// somebody, does so after the account is off.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_after_a_stated_end_stays_missed_when_the_user_is_disabled_later() {
    let (sim, site) = installed(SECRET).await;
    let ended = now() - chrono::TimeDelta::days(3);
    let day = |days| (now() + chrono::TimeDelta::days(days)).format("%F").to_string();
    let period = ["--app", "secureframe", "--from", &day(-10), "--to", &day(1)];
    let record = || {
        ask(&site, &["run", "--once"]);
        let list = ["evidence", "leavers", "--format", "json"];
        let list = json(ask(&site, &[&list[..], &period].concat()).stdout.as_bytes());
        let mut rows = list["leavers"].as_array().unwrap().iter();
        let row = rows.find(|it| it["login"] == "ana@firm.test").unwrap();
        let latest = row["started_latest"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert!((latest - ended).abs() < chrono::TimeDelta::seconds(1), "{row:#}");
        let word = |member: &str| row[member].as_str().unwrap().to_owned();
        ["kind", "sla", "activity", "stated_end_at"].map(word)
    };
    sim.world().entra.users.get_mut(ANA).unwrap().leaves_at = Some(ended);
    let [expired, missed, on, at] = record();
    assert_eq!([&*expired, &*missed, &*on], ["expired", "MISSED", "active"]);
    let mut world = sim.world();
    world.app.accounts.iter_mut().find(|it| it.id == "s1").unwrap().active =
        sim::Active::Set(false);
    drop(world);
    let off = "inactive".to_owned();
    assert_eq!(record(), [expired, missed.clone(), off.clone(), at.clone()]);
    sim.world().entra.users.get_mut(ANA).unwrap().is_enabled = Some(false);
    for _ in 0..2 {
        assert_eq!(record(), ["left".to_owned(), missed.clone(), off.clone(), at.clone()]);
    }
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_back_and_whom_hr_struck_out_stays_back_though_they_had_another_user_before() {
    let hr = "[keys]\nperson = [\"employee_number\"]\n\n\
              [hr.workday]\n[[hr.workday.file]]\npath = \"hr.csv\"\nwhole = true";
    let (sim, site) = installed(&format!("{SECRET}\n\n{hr}")).await;
    let before = "a1000000-0000-4000-8000-000000000000";
    let mut user = sim.world().entra.users[ANA].clone();
    user.employee_number = Some("7".to_owned());
    sim.world().entra.users.insert(ANA.to_owned(), user.clone());
    user.is_enabled = Some(false);
    user.principal_name = "ana.before@firm.test".to_owned();
    user.mail = None;
    sim.world().entra.users.insert(before.to_owned(), user);
    let night = |is_enabled: bool, row: &str| {
        sim.world().entra.users.get_mut(ANA).unwrap().is_enabled = Some(is_enabled);
        let others: String =
            (10..30).map(|n| format!("{n},p{n}@elsewhere.test,2026-01-02T18:00:00Z\n")).collect();
        site.write("hr.csv", format!("employee_number,email,left_at\n{row}{others}"));
        ask(&site, &["run", "--once"]);
        live(&site).into_iter().filter(|it| it.contains("s1")).collect::<Vec<_>>()
    };
    let left = "7,ana@firm.test,2026-10-02T18:00:00Z\n";
    night(true, "");
    sim.world().entra.unassign(ANA);
    assert_eq!(night(false, left), ["leaver_active s1 open"]);
    // Each run after it knows that Entra had taken its word back.
    for _ in 0..3 {
        assert_eq!(night(true, ""), ["unassigned_active s1 open"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_the_app_said_yes_and_shows_the_account_on_is_told_with_both_times() {
    let (sim, site) = installed(SECRET).await;
    let bob = "a1000000-0000-4000-8000-000000000002";
    let at = now() - chrono::TimeDelta::days(2);
    for (at, status) in [(at - chrono::TimeDelta::hours(1), "failure"), (at, "success")] {
        sim.world().entra.log.push(ProvisioningEvent {
            at,
            action: "disable".to_owned(),
            status: status.to_owned(),
            user: bob.to_owned(),
        });
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let said = format!(
        "entra says of `{bob}`: the app was told to switch the account off at {at}, and said yes; after that, as of "
    );
    crate::pushes::every_page_says(&site, "s2", &said);
    let why = ask(&site, &["explain", "s2"]).stdout;
    // Deleted three days ago, and disabled at some time before: nobody knows when.
    assert!(why.contains("Since when they have no access is not known"), "{why}");
    // Read again with the next run, it is told once.
    ask(&site, &["run", "--once"]);
    assert_eq!(ask(&site, &["explain", "s2"]).stdout.matches("entra says of").count(), 1);
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_and_a_missing_licence_are_said() {
    let (sim, site) = installed(SECRET).await;
    {
        let mut world = sim.world();
        world.entra.app.job = None;
        world.entra.door.is_licensed = false;
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert!(answer.stdout.contains("has no provisioning job"), "{answer}");
    let report = String::from_utf8(site.read("reports/latest.html")).unwrap();
    assert!(report.contains("it needs Entra ID P1 or P2"), "the report says what was not read");
}

/// Settings with a department that is in scope, over what else is given.
fn filters(more: &str) -> String {
    format!(
        "{SECRET}\n{more}\nscoping_filters = [\n\
         [{{ attribute = \"department\", operator = \"equals\", value = \"Sales\" }}],\n\
         [{{ attribute = \"userType\", operator = \"equals\", value = \"Guest\" }}],\n]"
    )
}

/// Everybody is of Sales but Ana and Dora.
fn in_sales(sim: &Sim) {
    let mut world = sim.world();
    for (id, user) in &mut world.entra.users {
        let is_legal = id == ANA || id == DORA;
        let department = if is_legal { "Legal" } else { "Sales" };
        user.more.insert("department".to_owned(), department.into());
    }
}

const ANA: &str = "a1000000-0000-4000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn whom_scoping_filters_leave_out_has_no_right_by_hand_or_through_a_group() {
    let (sim, site) = installed(&filters("")).await;
    in_sales(&sim);
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    // Ana is assigned by hand, Dora through the group, and the guest passes by the other filter.
    assert_eq!(
        live(&site),
        [
            "leaver_active s2 open",
            "unassigned_active s1 pending",
            "unassigned_active s3 pending",
            "unassigned_active s5 pending"
        ]
    );
    let report = String::from_utf8(site.read("reports/latest.html")).unwrap();
    assert!(report.contains("scoping filters: 11 in scope, 2 left out, 0 undecided"));
    assert_eq!(sim.offences(), Vec::<String>::new());

    // Back in scope both are entitled again.
    for user in sim.world().entra.users.values_mut() {
        user.more.insert("department".to_owned(), "Sales".into());
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), ["leaver_active s2 open", "unassigned_active s5 pending"]);
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_was_not_read_takes_and_gives_no_right() {
    let (sim, site) = installed(&filters("")).await;
    in_sales(&sim);
    for id in [ANA, DORA] {
        sim.world().entra.users.get_mut(id).unwrap().more.clear();
    }
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), ["leaver_active s2 open", "unassigned_active s5 pending"]);
    let report = String::from_utf8(site.read("reports/latest.html")).unwrap();
    assert!(report.contains("scoping filters: 11 in scope, 0 left out, 2 undecided"));
    let told = ask(&site, &["explain", "ana@firm.test"]).stdout;
    assert!(!told.contains("entitled"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_users_the_filters_say_who_has_the_app() {
    let (sim, site) = installed(&filters("scope = \"all\"")).await;
    in_sales(&sim);
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    // Nils is in Sales, and needs no assignment.
    assert_eq!(
        live(&site),
        ["leaver_active s2 open", "unassigned_active s1 pending", "unassigned_active s3 pending"]
    );
    assert_eq!(sim.count(Endpoint::named("entra/assigned").unwrap()), 0);
}
