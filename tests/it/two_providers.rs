//! Two live providers of one app, any of which gives it: Okta and Entra, with people in one of them or in
//! both, joined by employee number.

use chrono::TimeDelta;
use serde_json::Value;
use sim::{Active, AppUser, Sim, World};

use crate::live::{ask, fault, now};
use crate::site::{Site, json};

/// Ana and Bea are in both; Ana has left everywhere, Bea in Okta alone. Cem is in Okta, Dora in Entra,
/// and both have left. Eli has the app through Entra alone, and lost it in Okta.
const FIRM: &str = "\
okta
  00uana00000000000001 ana@firm.test DEPROVISIONED since=-3d emp=1001
  00ubea00000000000002 bea@firm.test DEPROVISIONED since=-3d emp=1002
  00ucem00000000000003 cem@firm.test DEPROVISIONED since=-3d emp=1003
  00ueli00000000000005 eli@firm.test ACTIVE emp=1005
  00ufay00000000000006 fay@firm.test ACTIVE assigned emp=1006
entra
  a1000000-0000-4000-8000-000000000001 ana@firm.test deleted since=-3d emp=1001
  a1000000-0000-4000-8000-000000000002 bea@firm.test on assigned emp=1002
  a1000000-0000-4000-8000-000000000004 dora@firm.test deleted since=-3d emp=1004
  a1000000-0000-4000-8000-000000000005 eli@firm.test on assigned emp=1005
app
  s1 00uana00000000000001 ana@firm.test on
  s2 00ubea00000000000002 bea@firm.test on
  s3 00ucem00000000000003 cem@firm.test on
  s4 a1000000-0000-4000-8000-000000000004 dora@firm.test on
  s5 00ueli00000000000005 eli@firm.test on
  s6 00ufay00000000000006 fay@firm.test on
";

/// Eli's user of each.
const ELI: &str = "00ueli00000000000005";
const ELI_OF_ENTRA: &str = "a1000000-0000-4000-8000-000000000005";

/// A company, and an installation that reads both. `app`: settings of the app.
async fn installed(firm: &str, app: &str) -> (Sim, Site) {
    let sim = Sim::start(World::describe_at(firm, now()).unwrap()).await.unwrap();
    let entra = sim.world().entra.clone();
    let url = sim.entra_url().to_owned();
    let site = Site::new(&format!(
        "[keys]\nperson = [\"employee_number\"]\n\n\
         [idp.okta.okta]\nurl = \"{}\"\napp_id = \"0oaapp\"\ntoken = \"file:okta.token\"\n\n\
         [idp.entra.entra]\ntenant = \"{}\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\
         app_id = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"file:entra.secret\"\n\n\
         [app.secureframe]\nidps = [\"okta\", \"entra\"]\ncanaries = [\"s6\"]\n{app}\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n",
        sim.okta_url(),
        entra.door.tenant,
        entra.app.app_id,
        entra.door.client_id,
        sim.scim_url()
    ));
    site.write("okta.token", "00sim-api-token\n");
    site.write("entra.secret", "sim-entra-client-secret\n");
    site.write("scim.token", "sim-scim-token\n");
    (sim, site)
}

/// The report of another run.
fn night(site: &Site) -> Value {
    ask(site, &["run", "--once"]);
    json(ask(site, &["report", "--format", "json"]).stdout.as_bytes())
}

/// Cause and account of everything that lives.
fn live(report: &Value) -> Vec<String> {
    let word = |it: &Value| it.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let living = findings.filter(|it| it["resolved_at"].is_null());
    let mut all: Vec<String> = living
        .map(|it| format!("{} {}", word(&it["cause"]), word(&it["subject"]["key"])))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_use_it_by_either_may_and_who_left_one_is_told_as_a_quarrel() {
    let (sim, site) = installed(FIRM, "").await;
    let found = ["leaver_active s1", "leaver_active s3", "leaver_active s4", "sources_disagree s2"];
    assert_eq!(live(&night(&site)), found);
    assert_eq!(sim.offences(), Vec::<String>::new());

    // By both: Eli, who has it of Entra alone, has lost it.
    let (_sim, site) = installed(FIRM, "entitlement = \"all\"").await;
    assert!(live(&night(&site)).contains(&"unassigned_active s5".to_owned()));

    // One whose word beats the other: Bea has left.
    let (_sim, site) = installed(FIRM, "authority = \"okta\"").await;
    let found = ["leaver_active s1", "leaver_active s2", "leaver_active s3", "leaver_active s4"];
    assert_eq!(live(&night(&site)), found);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_cannot_be_seen_nobody_is_called_without_a_right_and_leavers_of_the_other_are() {
    for (endpoint, kept) in
        [("entra", ["leaver_active s1", "leaver_active s3"]), ("okta", ["leaver_active s4", ""])]
    {
        let (sim, site) = installed(FIRM, "").await;
        fault(&sim, endpoint, "garbage");
        let found = live(&night(&site));
        for it in kept.iter().filter(|it| !it.is_empty()) {
            assert!(found.contains(&(*it).to_owned()), "{endpoint} is down: {found:?}");
        }
        let claims = |it: &&String| it.starts_with("unassigned") || it.starts_with("orphan");
        assert_eq!(found.iter().filter(claims).count(), 0, "{endpoint} is down: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_read_ends_the_word_of_its_own_system_alone() {
    let (_sim, site) = installed(FIRM, "").await;
    std::fs::remove_file(site.path("entra.secret")).unwrap();
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 4, "{}", answer.stderr);
    let said = "error: failed to read the secret of `idp.entra.entra.client_secret`: failed to read \
                the secret file `";
    assert!(answer.stderr.contains(said), "{}", answer.stderr);
    let report = json(ask(&site, &["report", "--format", "json"]).stdout.as_bytes());
    let ill = report["watcher"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap());
    assert_eq!(ill.filter(|it| *it == "credential_failed").count(), 1, "{report:#}");
    let found = live(&report);
    for leaver in ["leaver_active s1", "leaver_active s3"] {
        assert!(found.contains(&leaver.to_owned()), "{found:?}");
    }
    let claims = |it: &&String| it.starts_with("unassigned") || it.starts_with("orphan");
    assert_eq!(found.iter().filter(claims).count(), 0, "{found:?}");

    let doctor = ask(&site, &["doctor"]);
    assert_eq!(doctor.status, 4, "{}", doctor.stdout);
    assert!(doctor.stdout.contains("failed to read the secret of"), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("okta"), "the others are examined: {}", doctor.stdout);

    // Once it is there, the next run sees all.
    site.write("entra.secret", "sim-entra-client-secret\n");
    assert!(live(&night(&site)).contains(&"leaver_active s4".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_provider_does_not_do_explains_nothing_of_the_others_people() {
    let (_sim, site) = installed(&FIRM.replace("okta\n", "okta (deactivation off)\n"), "").await;
    let report = night(&site);
    let ill = report["watcher"].as_array().unwrap().iter();
    let ill: Vec<&Value> = ill.filter(|it| it["kind"] == "provisioning_unhealthy").collect();
    assert_eq!(ill.len(), 1, "named once: {report:#}");
    let root = &ill[0]["root_cause"];
    assert_eq!(root["explains"], Value::Array(Vec::new()), "since when it is so is not known");
    let named = root["may_explain"].as_array().unwrap().iter();
    let named: Vec<&str> = named.map(|it| it.as_str().unwrap()).collect();
    let findings = report["findings"].as_array().unwrap().iter();
    let under = findings.filter(|it| named.contains(&it["id"].as_str().unwrap()));
    let mut keys: Vec<&str> = under.map(|it| it["subject"]["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["s1", "s3"], "Dora is in Entra alone");
}

/// A light pass.
fn light(site: &Site) {
    let answer = ask(site, &["run", "--once", "--light"]);
    assert_eq!(answer.status, 0, "{answer}");
}

/// What a run says of the finding of an account that is not over: cause and state, why, when it was
/// seen last, and when the account was, without the right.
fn told_of(site: &Site, run: u32, account: &str) -> Option<[Value; 4]> {
    let report = ask(site, &["report", "--run", &run.to_string(), "--format", "json"]);
    let report = json(report.stdout.as_bytes());
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found =
        findings.find(|it| it["resolved_at"].is_null() && it["subject"]["key"] == account)?;
    let word = |member: &str| found[member].as_str().unwrap();
    let what = format!("{} {}", word("cause"), word("state"));
    let seen_on = &found["exposures"][0]["last_seen_active"];
    Some([&what.into(), &found["because"], &found["last_seen_at"], seen_on].map(Clone::clone))
}

/// When the record of a leaver, of which evidence is made, has an account of theirs on for the last time;
/// empty: never.
fn on_record(site: &Site, leaver: &str) -> Value {
    record_of(site, leaver)["last_seen_active"].clone()
}

/// The record of a leaver.
fn record_of(site: &Site, leaver: &str) -> Value {
    let day = |days| (now() + TimeDelta::days(days)).format("%F").to_string();
    let period = ["--from", &day(-10), "--to", &day(1), "--format", "json"];
    let list = ask(site, &[&["evidence", "leavers", "--app", "secureframe"][..], &period].concat());
    let list = json(list.stdout.as_bytes());
    let mut rows = list["leavers"].as_array().unwrap().iter();
    let row = rows.find(|it| it["person"].as_str().unwrap().contains(leaver));
    row.unwrap_or_else(|| panic!("{list:#}")).clone()
}

/// Entra makes a user for somebody, with the app.
fn gets_user(sim: &Sim, id: &str, number: &str) {
    let mut world = sim.world();
    let mut user = world.entra.users["a1000000-0000-4000-8000-000000000005"].clone();
    user.principal_name = format!("again{number}@firm.test");
    user.mail = None;
    user.employee_number = Some(number.to_owned());
    user.created_at = now();
    world.entra.users.insert(id.to_owned(), user);
    world.entra.assign(id, false, now());
}

/// Okta has Eli no more, and its log tells nothing of it.
fn okta_forgets_eli(sim: &Sim) {
    let mut world = sim.world();
    world.okta.users.remove(ELI);
    world.okta.app_users.remove(ELI);
}

fn set_elis_account(sim: &Sim, is_on: bool) {
    let mut world = sim.world();
    let account = world.app.accounts.iter_mut().find(|it| it.id == "s5");
    account.unwrap().active = Active::Set(is_on);
}

/// Asked again, Okta says that Cem has left, and the account is on. Entra's list, read before that, does
/// not have him, and a light pass does not read it.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_be_with_the_other_one_by_now_is_not_seen_without_the_right_before_it_is_seen() {
    let (sim, site) = installed(FIRM, "").await;
    night(&site);
    let [what, _, seen_at, seen_on] = told_of(&site, 1, "s3").unwrap();
    assert_eq!(what, "leaver_active open");
    gets_user(&sim, "a1000000-0000-4000-8000-000000000003", "1003");
    light(&site);
    let why = "nothing shows that it is over; they may be with entra by now, \
               which was not seen whole";
    let kept = [what, why.into(), seen_at, seen_on.clone()];
    assert_eq!(told_of(&site, 2, "s3").unwrap(), kept);
    // Nor by a full run that cannot read it.
    fault(&sim, "entra/users", "garbage");
    night(&site);
    assert_eq!(told_of(&site, 3, "s3").unwrap(), kept);
    sim.clear_faults();
    // Both have had Ana, and were asked of the users that they had of her. She may have a new one.
    let [first, mut light, unread] = [1, 2, 3].map(|run| told_of(&site, run, "s1").unwrap());
    assert_eq!(light[1], kept[1]);
    assert_eq!(light, unread);
    light[1] = first[1].clone();
    assert_eq!(light, first);

    let report = night(&site);
    let ana = told_of(&site, 4, "s1").unwrap();
    assert!(ana[2] != first[2] && ana[3] != first[3], "{ana:?} {first:?}");
    let left =
        ["leaver_active s1", "leaver_active s4", "sources_disagree s2", "sources_disagree s3"];
    assert_eq!(live(&report), left);
    let mut over = report["findings"].as_array().unwrap().iter();
    let over = over.find(|it| it["change"] == "resolved").unwrap();
    assert_eq!(over["exposures"][0]["last_seen_active"], seen_on, "{over:#}");
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_be_hired_by_the_other_one_since_is_not_seen_in_dispute_by_a_light_pass() {
    let (sim, site) = installed(FIRM, "").await;
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let hr = "[hr.workday]\n[[hr.workday.file]]\npath = \"hr.csv\"\nwhole = true\n";
    site.write("driftline.toml", settings + hr);
    let left_at = (now() - TimeDelta::days(2)).to_rfc3339();
    site.write("hr.csv", format!("employee_number,email,left_at\n1006,fay@firm.test,{left_at}\n"));
    night(&site);
    let told = told_of(&site, 1, "s6").unwrap();
    assert_eq!(told[0], "sources_disagree pending");
    gets_user(&sim, "a1000000-0000-4000-8000-000000000006", "1006");
    light(&site);
    let why = "it opens in a full run; they may be with entra by now, which was not seen whole";
    let [what, _, seen_at, _] = told;
    assert_eq!(told_of(&site, 2, "s6").unwrap(), [what, why.into(), seen_at, Value::Null]);
    night(&site);
    assert_eq!(told_of(&site, 3, "s6"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_one_is_told_by_a_light_pass_and_exposed_by_the_next_list_of_the_other() {
    let (sim, site) = installed(&FIRM.replace("okta\n", "okta (deactivation off)\n"), "").await;
    night(&site);
    sim.world().deactivate("00ufay00000000000006", now());
    light(&site);
    let [what, .., seen_on] = told_of(&site, 2, "s6").unwrap();
    assert_eq!((what, seen_on), ("leaver_active pending".into(), Value::Null));
    assert_eq!(on_record(&site, "00ufay"), "");
    night(&site);
    assert!(told_of(&site, 3, "s6").unwrap()[3].is_string());
    assert_ne!(on_record(&site, "00ufay"), "");
}

/// Okta deletes Eli, which it says when it is asked of him, as long as his account is on. Entra has him, and
/// without the app: he is not back because nobody asks of him any more.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_deleted_at_one_and_has_no_right_by_the_other_is_not_back_once_nobody_asks() {
    let firm = FIRM.replace("on assigned emp=1005", "on emp=1005");
    let firm = firm.replace("eli@firm.test ACTIVE emp", "eli@firm.test ACTIVE assigned emp");
    let (sim, site) = installed(&firm, "").await;
    night(&site);
    okta_forgets_eli(&sim);
    assert!(live(&night(&site)).contains(&"leaver_active s5".to_owned()));
    set_elis_account(&sim, false);
    for _ in 0..3 {
        assert!(!live(&night(&site)).contains(&"leaver_active s5".to_owned()));
        assert_eq!(record_of(&site, ELI_OF_ENTRA)["returned_at"], "");
    }
    site.rederives_every_run();
    // Entra gives him the app.
    sim.world().entra.assign(ELI_OF_ENTRA, false, now());
    night(&site);
    assert_ne!(record_of(&site, ELI_OF_ENTRA)["returned_at"], "");
}

/// The same, and Entra is not asked who has the app, or does not say: it may have given it to him, and
/// nothing shows that.
#[tokio::test(flavor = "multi_thread")]
async fn who_left_one_is_not_back_because_the_other_does_not_say_who_has_the_app() {
    let firm = FIRM.replace("on assigned emp=1005", "on emp=1005");
    let firm = firm.replace("eli@firm.test ACTIVE emp", "eli@firm.test ACTIVE assigned emp");
    for is_deleted in [true, false] {
        let (sim, site) = installed(&firm, "").await;
        night(&site);
        if is_deleted {
            okta_forgets_eli(&sim);
        } else {
            sim.world().deactivate(ELI, now());
            set_elis_account(&sim, true);
        }
        assert!(live(&night(&site)).contains(&"leaver_active s5".to_owned()));
        let found_at = record_of(&site, ELI_OF_ENTRA)["found_at"].clone();
        light(&site);
        assert_eq!(record_of(&site, ELI_OF_ENTRA)["returned_at"], "", "{is_deleted}");
        fault(&sim, "entra/assigned", "garbage");
        night(&site);
        sim.clear_faults();
        assert_eq!(record_of(&site, ELI_OF_ENTRA)["returned_at"], "", "{is_deleted}");
        night(&site);
        assert_eq!(record_of(&site, ELI_OF_ENTRA)["found_at"], found_at, "{is_deleted}");
        site.rederives_every_run();
    }
}

/// Okta deletes Eli, and says so once, when it is asked of him; both have to give the app. That leave stays on
/// record as it was found, whatever Entra says of him later.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_said_once_of_somebody_it_deleted_stays_so_where_both_have_to_give_the_app() {
    let firm = FIRM.replace("eli@firm.test ACTIVE emp", "eli@firm.test ACTIVE assigned emp");
    for is_logged in [true, false] {
        let (sim, site) = installed(&firm, "entitlement = \"all\"").await;
        night(&site);
        if is_logged {
            sim.world().delete(ELI, now());
        } else {
            okta_forgets_eli(&sim);
        }
        set_elis_account(&sim, true);
        assert!(live(&night(&site)).contains(&"leaver_active s5".to_owned()));
        let same = || {
            let record = record_of(&site, ELI_OF_ENTRA);
            let started = ["started_earliest", "started_latest", "idp_deactivated_at"];
            [&started[..], &["said_by", "returned_at"]]
                .concat()
                .into_iter()
                .map(|it| {
                    assert!(record[it].is_string(), "{it} of {record:#}");
                    record[it].clone()
                })
                .collect::<Vec<Value>>()
        };
        let found = same();
        set_elis_account(&sim, false);
        for step in 0..3 {
            night(&site);
            assert_eq!(same(), found, "{is_logged}, {step}");
            if step == 0 {
                sim.world().entra.assigned.retain(|_, it| it.principal != ELI_OF_ENTRA);
            } else {
                light(&site);
            }
        }
        site.rederives_every_run();
    }
}

/// Gus left Okta, and Entra gave his account, with its name, to Hal. Hal leaves Entra, and Okta hires them.
#[tokio::test(flavor = "multi_thread")]
async fn on_whom_sources_disagree_is_told_of_an_account_that_was_anothers_once_it_is_known_to_be_theirs()
 {
    const GUS: &str = "00ugus00000000000007";
    const HAL: &str = "00uhal00000000000008";
    const HAL_OF_ENTRA: &str = "a1000000-0000-4000-8000-000000000008";
    let gus = format!("  {GUS} gus@firm.test ACTIVE assigned emp=1007\n");
    let account = format!("  s7 {GUS} gus@firm.test on\n");
    let firm = FIRM.replace("entra\n", &(gus + "entra\n")) + &account;
    let (sim, site) = installed(&firm, "").await;
    sim.world().okta.app_users.get_mut(GUS).unwrap().external_id = Some("s7".to_owned());
    let of_it = |report: &Value| {
        let all = live(report).into_iter();
        all.filter(|it| it.ends_with(" s7")).collect::<Vec<_>>()
    };
    assert_eq!(of_it(&night(&site)), [""; 0]);

    sim.world().deactivate(GUS, now());
    gets_user(&sim, HAL_OF_ENTRA, "1008");
    {
        let mut world = sim.world();
        world.entra.users.get_mut(HAL_OF_ENTRA).unwrap().principal_name =
            "gus@firm.test".to_owned();
        let account = world.app.accounts.iter_mut().find(|it| it.id == "s7").unwrap();
        account.external_id = Some(HAL_OF_ENTRA.to_owned());
        account.active = Active::Set(true);
    }
    assert_eq!(of_it(&night(&site)), ["link_conflict s7"]);

    {
        let mut world = sim.world();
        world.entra.users.get_mut(HAL_OF_ENTRA).unwrap().is_enabled = Some(false);
        let mut user = world.okta.users["00ufay00000000000006"].clone();
        user.login = "hal@firm.test".to_owned();
        user.email = Some("hal@firm.test".to_owned());
        user.employee_number = Some("1008".to_owned());
        user.created_at = now();
        world.okta.users.insert(HAL.to_owned(), user);
        let given = world.okta.app_users["00ufay00000000000006"].clone();
        let user_name = Some("hal@firm.test".to_owned());
        world
            .okta
            .app_users
            .insert(HAL.to_owned(), AppUser { user_name, external_id: None, ..given });
    }
    assert_eq!(of_it(&night(&site)), ["link_conflict s7"]);

    let owner =
        ["--app", "secureframe", "--account", "s7", "--identity", &format!("entra/{HAL_OF_ENTRA}")];
    let because = ["--by", "ann", "--reason", "Hal has it"];
    ask(&site, &[&["findings", "link"][..], &owner, &because].concat());
    assert_eq!(of_it(&night(&site)), ["sources_disagree s7"]);
}
