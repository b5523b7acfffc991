//! Live systems: the program against a simulated company behind real HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sim::{Endpoint, Fault, Sim, When, World};

use crate::site::{Answer, Site, stands_in};

/// Bob left three days ago and kept his account; Finn left and lost it; Gita never got one.
pub(crate) const FIRM: &str = "\
okta
  00uana00000000000001 ana@firm.test ACTIVE assigned
  00ubob00000000000002 bob@firm.test DEPROVISIONED since=-3d
  00ufin00000000000003 finn@firm.test DEPROVISIONED since=-9d
  00ugit00000000000004 gita@firm.test ACTIVE assigned
app
  a1 00uana00000000000001 ana@firm.test on
  a2 00ubob00000000000002 bob@firm.test on
  a3 00ufin00000000000003 finn@firm.test off changed=-9d
  a9 - backup@firm.test on
log
  -3d user.lifecycle.deactivate 00ubob00000000000002
";

#[expect(clippy::disallowed_methods, reason = "the program has the machine's clock, too")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A company, and an installation that reads it.
async fn installed(firm: &str) -> (Sim, Site) {
    installed_with(firm, "").await
}

/// Likewise, with more settings of the app.
pub(crate) async fn installed_with(firm: &str, app: &str) -> (Sim, Site) {
    let sim = Sim::start(World::describe_at(firm, now()).unwrap()).await.unwrap();
    let site = Site::new(&format!(
        "[idp.okta.okta]\nurl = \"{}\"\napp_id = \"0oaapp\"\ntoken = \"file:okta.token\"\n\n\
         [app.secureframe]\nidps = [\"okta\"]\ncanaries = [\"a1\"]\n{app}\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n",
        sim.okta_url(),
        sim.scim_url()
    ));
    site.write("okta.token", "00sim-api-token\n");
    site.write("scim.token", "sim-scim-token\n");
    (sim, site)
}

/// A fault that lasts.
pub(crate) fn fault(sim: &Sim, endpoint: &str, fault: &str) {
    let endpoint = Endpoint::named(endpoint).unwrap();
    sim.fault(endpoint, Fault::named(fault).unwrap(), When::always());
}

/// Runs the program while the company answers.
pub(crate) fn ask(site: &Site, args: &[&str]) -> Answer {
    tokio::task::block_in_place(|| site.ask(args))
}

fn run(site: &Site) -> Answer {
    ask(site, &["run", "--once"])
}

/// Cause, account and state of everything that lives.
fn live(site: &Site) -> Vec<String> {
    let answer = ask(site, &["report", "--format", "json"]);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let living = findings.filter(|it| it["change"] != "resolved");
    let mut all: Vec<String> = living
        .map(|it| [&it["cause"], &it["subject"]["key"], &it["state"]].map(text).join(" "))
        .collect();
    all.sort();
    all
}

const FOUND: [&str; 3] = [
    "leaver_active a2 open",
    "not_provisioned 00ugit00000000000004 pending",
    "orphan_active a9 pending",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_may_write_is_told_by_each_run() {
    let (sim, site) = installed(FIRM).await;
    let scopes = [
        "okta.users.read",
        "okta.apps.read",
        "okta.logs.read",
        "okta.groups.read",
        "okta.users.manage",
    ];
    sim.world().okta.door.scopes = scopes.map(str::to_owned).into();
    let key = crate::site::project("crates/outbound/tests/data/keys/rsa.pkcs8.pem");
    std::fs::copy(key, site.path("okta.pem")).unwrap();
    let service_app = format!(
        "client_id = \"0oasimclient\"\nprivate_key = \"file:okta.pem\"\nscopes = {scopes:?}"
    );
    site.change_settings("token = \"file:okta.token\"", &service_app);
    let answer = run(&site);
    assert_eq!(live(&site), FOUND, "{answer}");
    let report = ask(&site, &["report", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let told: Vec<[&Value; 3]> = report["watcher"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| [&it["kind"], &it["severity"], &it["text"]])
        .collect();
    let text = "Tokens are asked for with more than read scopes: okta.users.manage. Take them out of \
                `scopes`, and revoke them in Okta.";
    assert_eq!(told, [["write_scope_present", "medium", text].map(Value::from).each_ref()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_who_kept_the_account_is_found_over_the_apis() {
    let (sim, site) = installed(FIRM).await;
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), FOUND);
    assert_eq!(sim.offences(), Vec::<String>::new());
    // Both sides of the leaver were asked again, after the lists.
    let asked = |endpoint: &str| sim.count(Endpoint::named(endpoint).unwrap());
    assert!(asked("okta/user") > 0 && asked("scim/user") > 0);

    // Switched off, it is over, with the time between the looks.
    sim.world().switch_off("a2", now());
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert!(!live(&site).iter().any(|it| it.contains("a2")), "{:?}", live(&site));
    ask(&site, &["db", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leaver_past_grace_opens_in_the_first_run_that_sees_it() {
    let (sim, site) = installed(&FIRM.replace("okta\n", "okta (deactivation off)\n")).await;
    run(&site);
    // Okta deactivates and tells the app nothing: its "Deactivate Users" is off.
    sim.world().deactivate("00uana00000000000001", now() - TimeDelta::hours(5));
    let answer = run(&site);
    assert!(live(&site).contains(&"leaver_active a1 open".to_owned()), "{:?}", live(&site));
    let shown = ask(&site, &["findings", "list", "--format", "json"]).stdout;
    assert!(shown.contains("asked again by id, and grace is over"), "{shown}");
    assert!(
        answer.stdout.contains("provisioning_unhealthy")
            || answer.stdout.contains("Deactivate Users"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_within_grace_waits_and_who_is_deleted_has_left() {
    let (sim, site) = installed(&FIRM.replace("okta\n", "okta (deactivation off)\n")).await;
    run(&site);
    sim.world().delete("00uana00000000000001", now() - TimeDelta::hours(1));
    run(&site);
    // Okta's list has nobody of that id, and by the id it answers 404: deleted, so a leaver.
    assert!(live(&site).contains(&"leaver_active a1 pending".to_owned()), "{:?}", live(&site));
    let told = ask(&site, &["explain", "ana@firm.test"]);
    assert!(told.stdout.contains("leaver"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_and_then_deleted_has_left_with_the_first() {
    let (sim, site) = installed(&FIRM.replace("okta\n", "okta (deactivation off)\n")).await;
    run(&site);
    sim.world().deactivate("00uana00000000000001", now() - TimeDelta::hours(5));
    sim.world().delete("00uana00000000000001", now() - TimeDelta::hours(1));
    run(&site);
    assert!(live(&site).contains(&"leaver_active a1 open".to_owned()), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_when_somebody_lost_the_app() {
    let firm = FIRM.replace("okta\n", "okta (deactivation off)\n") + "company 20\n";
    let (sim, site) = installed(&firm).await;
    run(&site);
    // No row says when an assignment ended: the row is gone. Between the two looks it is the log.
    sim.world().unassign("00uana00000000000001", now());
    run(&site);
    assert!(live(&site).contains(&"unassigned_active a1 pending".to_owned()), "{:?}", live(&site));
    let report = site.report();
    let mut findings = report["findings"].as_array().unwrap().iter();
    let lost = findings.find(|it| it["cause"] == "unassigned_active").unwrap();
    let exposure = &lost["exposures"][0];
    assert!(exposure["started_earliest"].is_string(), "{exposure}");
    assert_eq!(exposure["started_earliest"], exposure["started_latest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_or_kept() {
    let (sim, site) = installed(FIRM).await;
    let output = tokio::task::block_in_place(|| {
        site.command(&["run", "--once", "-vv"]).env("RUST_LOG", "trace").output().unwrap()
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    let database = site.read("driftline.db");
    let page = String::from_utf8(site.read("reports/latest.html")).unwrap();
    for secret in sim.secrets() {
        let is_in = |bytes: &[u8]| stands_in(bytes, secret.as_bytes());
        assert!(!stderr.contains(&secret) && !page.contains(&secret) && !is_in(&database));
    }
    assert!(stderr.contains("Pulled"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_leaves_everything_as_it_was_and_says_what_to_do() {
    let (_sim, site) = installed(FIRM).await;
    run(&site);
    let before = live(&site);
    site.write("okta.token", "00not-the-token\n");
    let answer = run(&site);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("401") && answer.stderr.contains("token"), "{answer}");
    assert_eq!(answer.stdout.matches("credential_failed").count(), 1, "said once: {answer}");
    assert_eq!(live(&site), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_there_is_tried_for_one_request_and_named() {
    let (sim, site) = installed(FIRM).await;
    run(&site);
    let before = live(&site);
    // Nobody answers any more. Each request that is sent is tried until patience is over.
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let impatient = "[idp.okta.okta.http]\npatience = \"1s\"\n\
                     [app.secureframe.scim.http]\npatience = \"1s\"\n";
    site.write("driftline.toml", settings + impatient);
    drop(sim);
    let answer = run(&site);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("no connection: check the host name"), "{answer}");
    assert_eq!(live(&site), before);
    let told = answer.stderr.matches("/api/v1/").count();
    assert_eq!(told, 1, "the app was asked for, and no list: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_wrong_address_nobody_is_gone() {
    let (sim, site) = installed_with(FIRM, "deprovision = \"deletes\"").await;
    run(&site);
    let before = live(&site);
    // Whatever is asked for there, by id too, the app answers that it is not there.
    site.change_settings("/scim/v2", "/scim/v3");
    let answer = run(&site);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("correct the base URL"), "{answer}");
    assert!(answer.stdout.contains("4 persons, 4 accounts"), "{answer}");
    assert_eq!(live(&site), before);
    assert!(sim.count(Endpoint::named("okta/user").unwrap()) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_short_of_its_total_opens_and_closes_nothing() {
    let (sim, site) = installed(FIRM).await;
    run(&site);
    let before = live(&site);
    fault(&sim, "scim/users", "short-list");
    let answer = run(&site);
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(live(&site), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_list_of_assignments_without_a_row_takes_nobodys_right() {
    let (sim, site) = installed(FIRM).await;
    fault(&sim, "okta/app-users", "empty-list");
    fault(&sim, "okta/app-user", "garbage");
    let answer = run(&site);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stdout.contains("held: no rows in the first list"), "{answer}");
    assert!(!live(&site).iter().any(|it| it.contains("unassigned")), "{:?}", live(&site));
    let answer = ask(&site, &["guard", "status"]);
    assert!(answer.stdout.contains("okta assignments"), "{answer}");

    sim.clear_faults();
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_list_of_assignments_without_a_row_counts_when_two_people_say_so() {
    let nobody = FIRM.replace(" assigned", "");
    let (_sim, site) = installed(&nobody).await;
    assert_eq!(run(&site).status, 4);
    let status = ask(&site, &["guard", "status"]).stdout;
    let digest = status.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let why = ["--reason", "the app is new", "--by"];
    ask(&site, &[&["guard", "release", digest][..], &why, &["Ada"]].concat());
    ask(&site, &["guard", "approve", "1", "--by", "Grace"]);
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert!(live(&site).contains(&"unassigned_active a1 pending".to_owned()), "{:?}", live(&site));
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_is_over_only_when_the_app_says_so_by_id() {
    let firm = FIRM.to_owned() + "company 20\n";
    let (sim, site) = installed_with(&firm, "deprovision = \"deletes\"").await;
    run(&site);
    sim.world().app.accounts.retain(|it| it.id != "a2");
    fault(&sim, "scim/user", "garbage");
    run(&site);
    assert!(live(&site).contains(&"leaver_active a2 not_visible".to_owned()), "{:?}", live(&site));

    sim.clear_faults();
    run(&site);
    assert!(!live(&site).iter().any(|it| it.contains("a2")), "{:?}", live(&site));
    let over = ask(&site, &["findings", "list", "--all", "--format", "json"]).stdout;
    assert!(over.contains("absence_proven"), "{over}");
    // Once it was said, the list is enough: nobody asks every night about who is long gone.
    sim.forget_requests();
    run(&site);
    let asked: Vec<_> = sim.requests().into_iter().filter(|it| it.path.contains("/a2")).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_account_counts_as_off_only_while_a_canary_shows_that_the_app_hides() {
    let hides = "deprovision = \"hides\"\ninactive_canaries = [\"a3\"]";
    let firm = FIRM.replace("app\n", "app (hides inactive)\n") + "company 20\n";
    let (sim, site) = installed_with(&firm, hides).await;
    run(&site);
    sim.world().switch_off("a2", now());
    // The canary itself is gone: what is not in the list may be hidden, or not.
    let canary = sim.world().app.accounts.iter().position(|it| it.id == "a3").unwrap();
    let canary = sim.world().app.accounts.remove(canary);
    fault(&sim, "scim/user", "garbage");
    run(&site);
    assert!(live(&site).contains(&"leaver_active a2 not_visible".to_owned()), "{:?}", live(&site));

    sim.clear_faults();
    sim.world().app.accounts.push(canary);
    run(&site);
    assert!(!live(&site).iter().any(|it| it.contains("a2")), "{:?}", live(&site));
    let doctor = ask(&site, &["doctor"]).stdout;
    assert!(doctor.contains("inactive users are hidden"), "{doctor}");
}

/// The list of the app lacks an account, and no answer by id comes, nights before its owner leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_whose_account_is_in_no_list_is_asked_about_until_an_answer_comes() {
    let firm = FIRM.replace("app\n", "app (hides inactive)\n") + "company 20\n";
    let firm = firm.replace("  a9 -", "  a7 00uhan00000000000007 hana@firm.test on\n  a9 -");
    let user = "  00uhan00000000000007 hana@firm.test ACTIVE assigned\napp (";
    let (sim, site) = installed_with(&firm.replace("app (", user), "deprovision = \"hides\"").await;
    run(&site);
    sim.world().switch_off("a7", now());
    let asked = || sim.requests().iter().filter(|it| it.path.contains("/Users/a7")).count();
    fault(&sim, "scim/user", "garbage");
    run(&site);
    let before = asked();
    run(&site);
    assert_eq!(asked(), before, "nobody knows what it is worth that it is gone");
    // No log tells of it.
    {
        let mut world = sim.world();
        let user = world.okta.users.get_mut("00uhan00000000000007").unwrap();
        (user.status, user.status_changed_at) = ("DEPROVISIONED".to_owned(), Some(now()));
        world.okta.app_users.remove("00uhan00000000000007");
    }
    run(&site);
    assert!(asked() > before);
    sim.clear_faults();
    let before = asked();
    run(&site);
    assert!(asked() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_wrong_and_says_what_to_do() {
    let (sim, site) = installed(FIRM).await;
    let well = ask(&site, &["doctor"]);
    assert_eq!(well.status, 0, "{well}");
    site.write("scim.token", "not-the-token-at-all\n");
    let ill = ask(&site, &["doctor"]);
    assert_eq!(ill.status, 4, "{ill}");
    assert!(ill.stdout.contains("failed") && ill.stdout.contains("secureframe"), "{ill}");
    assert_eq!(sim.offences(), Vec::<String>::new());
}
