//! Light passes: a leaver is found between two nights, and nothing is said of whom nobody asked.
//!
//! The company's clock is in hand, so that passes follow each other as a schedule would have them.

use std::sync::Arc;

use alerting::{Channel, Match, Route, Routes};
use chrono::{DateTime, TimeDelta, Utc};
use connectors::files::Profiles;
use connectors::okta::{self, Okta};
use connectors::scim::{self, AppProfiles, Scim};
use domain::{Change, Clock as _, Pass, SystemId, Watcher};
use drift::{AppRules, Deprovision, Entitlement, Policy};
use engine::{AppPlan, Outcome, Plan, Source};
use graph::{KeyRules, PersonKey};
use outbound::{Auth, Client, Config, Limits, Pace, Secret};
use serde_json::Value;
use sim::{Endpoint, Sim, World};
use store::Store;

use crate::live::{ask, fault, installed_with};
use crate::site::json;

/// Nothing is wrong. Okta tells the app nothing when somebody leaves.
pub(crate) const FIRM: &str = "\
okta (deactivation off)
  00uana00000000000001 ana@firm.test ACTIVE assigned
  00ubea00000000000002 bea@firm.test ACTIVE assigned
app
  a1 00uana00000000000001 ana@firm.test on
  a2 00ubea00000000000002 bea@firm.test on
";

pub(crate) const ANA: &str = "00uana00000000000001";

/// A company, and what Driftline keeps of it.
pub(crate) struct Watched {
    pub(crate) sim: Sim,
    pub(crate) store: Store,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) plan: Plan,
}

impl Watched {
    /// Before its first run, at two in the night.
    pub(crate) async fn new(firm: &str) -> Self {
        let begins_at = "2026-11-20T02:00:00Z".parse().unwrap();
        let sim = Sim::start(World::describe_at(firm, begins_at).unwrap()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("driftline.db")).unwrap();
        let plan = plan(&sim);
        Self { sim, store, folder, plan }
    }

    /// Likewise, after its first full run.
    pub(crate) async fn seen(firm: &str) -> Self {
        let watched = Self::new(firm).await;
        watched.run(Pass::Full).await;
        watched
    }

    pub(crate) async fn run(&self, pass: Pass) -> Outcome {
        let plan = Plan { pass, ..self.plan.clone() };
        engine::run(&self.store, &plan, &*self.sim.clock()).await.unwrap()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.sim.clock().now()
    }

    /// Waits for a time of that day.
    fn at(&self, time: &str) {
        let date = self.now().date_naive();
        let wanted: DateTime<Utc> = format!("{date}T{time}:00Z").parse().unwrap();
        assert!(wanted > self.now(), "{time} is over");
        self.sim.clock().advance(wanted - self.now());
    }

    /// What waits to be told: reason and title.
    async fn outbox(&self) -> Vec<String> {
        let due = self.store.due("hook".into(), self.now(), 100).await.unwrap();
        due.iter().map(|it| format!("{}: {}", it.notice.reason, it.notice.title)).collect()
    }
}

/// What a run changed, and where that stands: `detected DL-1 leaver_active pending`.
fn changes(outcome: &Outcome) -> String {
    let changed = outcome.record.findings.iter().filter(|it| it.change != Change::Unchanged);
    let lines = changed.map(|it| {
        let finding = &it.finding;
        format!("{} {} {} {}", it.change, finding.id, finding.cause, finding.state)
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") }
}

fn plan(sim: &Sim) -> Plan {
    let [system, name] = ["okta", "secureframe"].map(|it| SystemId::parse(it).unwrap());
    let profiles = Profiles::builtin().unwrap();
    let client = |base: &str, auth, pace, accept| {
        let config = Config {
            base: base.parse().unwrap(),
            ca_bundle: None,
            proxy: None,
            limits: Limits { attempts: 1, ..Limits::default() },
            user_agent: "test/1".to_owned(),
            auth,
            pace,
            accept,
        };
        Client::new(config, sim.clock()).unwrap().reader()
    };
    let secret = |it: &str| Secret::new(it.to_owned());
    let okta = okta::Config {
        system: system.clone(),
        app: name.clone(),
        app_id: "0oaapp".into(),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        credential: okta::Credential::ApiToken,
        log_pages: 200,
    };
    let base = format!("{}{}", sim.okta_url(), okta::API);
    let reader =
        client(&base, Auth::Ssws(secret("00sim-api-token")), Pace::Okta, "application/json");
    let okta = Okta::new(okta, reader, &profiles).unwrap();
    let app = AppProfiles::builtin().unwrap().get("generic-scim").unwrap();
    let auth = Auth::Bearer(secret("sim-scim-token"));
    let reader = client(sim.scim_url(), auth, Pace::RetryAfter, app.accept());
    let (canaries, inactive_canaries) = (Vec::new(), Vec::new());
    let scim =
        scim::Config { system: name.clone(), app, canaries, inactive_canaries, page_size: None };
    let rules = AppRules {
        app: name,
        idps: vec![system],
        entitlement: Entitlement::Any,
        authority: None,
        deprovision: Deprovision::Lists,
        is_on_vendors_word: false,
        required_channels: Vec::new(),
        privileged_roles: Vec::new(),
        canaries: Vec::new(),
        inactive_canaries: Vec::new(),
    };
    let route = Route {
        to: vec!["hook".into()],
        findings: Some(Match::default()),
        watcher: vec![Watcher::SnapshotIncomplete, Watcher::ProvisioningUnhealthy],
        ..Route::on_call(Vec::new())
    };
    let hook = Channel { name: "hook".into(), is_pager: true, forgets: false, names: false };
    Plan {
        pass: Pass::Full,
        sources: vec![Source::Okta(okta), Source::Scim(Scim::new(scim, reader))],
        profiles: Arc::new(profiles),
        provisioned: [(rules.idps[0].clone(), rules.app.clone())].into(),
        apps: vec![AppPlan { rules, keys: KeyRules::default() }],
        policy: Policy::default(),
        judges_everybody: false,
        settings_digest: [0; 32],
        settings: None,
        fingerprint_key: Some([0; 32]),
        turn: None,
        anchors: Vec::new(),
        software: "driftline test".to_owned(),
        routes: Routes { channels: vec![hook], routes: vec![route], ..Routes::default() },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_who_kept_the_account_is_told_by_the_first_light_pass_after_the_grace() {
    let watched = Watched::seen(FIRM).await;
    let told_before = watched.outbox().await.len();
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    let mut line = Vec::new();
    for time in ["10:15", "10:30", "13:45", "14:00", "14:15"] {
        watched.at(time);
        let changed = changes(&watched.run(Pass::Light).await);
        let n_told = watched.outbox().await.len() - told_before;
        line.push(format!("{time} {changed}; {n_told} told"));
    }
    // Deactivated at 10:00, and grace is four hours.
    insta::assert_snapshot!(line.join("\n"), @"
    10:15 detected DL-1 leaver_active pending; 0 told
    10:30 nothing; 0 told
    13:45 nothing; 0 told
    14:00 opened DL-1 leaver_active open; 1 told
    14:15 nothing; 1 told
    ");
    let told = watched.outbox().await;
    assert!(told.contains(&"opened: secureframe: leaver_active, DL-1".to_owned()), "{told:?}");

    // Switched off: the next pass sees it, and between which looks it was.
    watched.at("15:00");
    watched.sim.world().switch_off("a1", watched.now());
    watched.at("15:15");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "resolved DL-1 leaver_active resolved");
    let exposure = outcome.record.findings[0].finding.exposures[0];
    let seen = (exposure.last_seen_active.unwrap(), exposure.first_seen_inactive.unwrap());
    let shown = [seen.0, seen.1].map(|it| it.format("%H:%M").to_string());
    assert_eq!(shown, ["14:15", "15:15"]);

    // The next night tells what the light passes did.
    watched.at("23:00");
    let report = watched.run(Pass::Full).await.report;
    let report: Value = json(&report.to_json());
    assert_eq!(report["previous"]["run"], 1, "it is compared with the last full run");
    let told: Vec<&Value> = report["findings"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 1, "{report:#}");
    assert_eq!((&told[0]["id"], &told[0]["change"]), (&"DL-1".into(), &"resolved".into()));
    assert_eq!(report["summary"]["by_change"][0]["change"], "resolved");
    assert_eq!(report["history"].as_array().unwrap().len(), 1, "light passes are no nights");
    assert_eq!(watched.sim.offences(), Vec::<String>::new());
    // And the night after that has nothing more to tell.
    watched.sim.clock().advance(TimeDelta::days(1));
    assert_eq!(watched.run(Pass::Full).await.report.findings.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_without_the_list_does_not_take_back_what_a_light_pass_was_told() {
    for endpoint in ["okta/users", "okta/app-users", "okta"] {
        let watched = Watched::seen(FIRM).await;
        watched.at("10:00");
        watched.sim.world().deactivate(ANA, watched.now());
        watched.at("14:15");
        let changed = changes(&watched.run(Pass::Light).await);
        assert_eq!(changed, "opened DL-1 leaver_active open");
        watched.at("23:00");
        fault(&watched.sim, endpoint, "garbage");
        assert_eq!(changes(&watched.run(Pass::Full).await), "nothing", "{endpoint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_could_not_be_read_are_asked_for_again_by_the_next_light_pass() {
    let watched = Watched::seen(FIRM).await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.at("10:15");
    fault(&watched.sim, "okta/log", "nulls");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "nothing");
    let report = json(&outcome.report.to_json());
    assert_eq!(report["watcher"][0]["kind"], "schema_changed", "and it is told: {report:#}");
    watched.sim.clear_faults();
    watched.at("10:30");
    let changed = changes(&watched.run(Pass::Light).await);
    assert_eq!(changed, "detected DL-1 leaver_active pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_whose_account_is_off_is_no_finding_whoever_answers_afterwards() {
    let watched = Watched::seen(&FIRM.replace(" (deactivation off)", "")).await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.sim.world().switch_off("a1", watched.now());
    for (time, broken) in [
        ("10:15", None),
        // What was seen last night stands in for nobody.
        ("10:30", Some("scim/user")),
        ("10:45", Some("okta/user")),
        ("11:00", Some("okta/app-user")),
        ("11:15", None),
    ] {
        watched.at(time);
        if let Some(endpoint) = broken {
            fault(&watched.sim, endpoint, "garbage");
        }
        let outcome = watched.run(Pass::Light).await;
        assert_eq!(changes(&outcome), "nothing", "{time} {broken:?}");
        watched.sim.clear_faults();
    }
    // Switched on again by hand, it is back.
    watched.at("12:00");
    watched.sim.world().app.accounts[0].active = sim::Active::Set(true);
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "opened DL-1 reactivated open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_of_a_provider_whose_clock_is_behind_is_asked_for_all_the_same() {
    let watched = Watched::seen(FIRM).await;
    watched.sim.world().deactivate(ANA, watched.now() - TimeDelta::minutes(9));
    watched.at("02:30");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "detected DL-1 leaver_active pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_to_be_gone_is_asked_for_no_more() {
    // Of a firm of three, a third would be gone: such a list is held.
    let others = |row: fn(u32) -> String| (10..30).map(row).collect::<String>();
    let users = others(|it| format!("  00u{it}{it} p{it}@firm.test ACTIVE assigned\n"));
    let accounts = others(|it| format!("  b{it} 00u{it}{it} p{it}@firm.test on\n"));
    let firm = FIRM
        .replace(" (deactivation off)", "")
        .replace("app\n", &format!("{users}app (deletes inactive)\n{accounts}"));
    let mut watched = Watched::new(&firm).await;
    watched.plan.apps[0].rules.deprovision = Deprovision::Deletes;
    watched.run(Pass::Full).await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.sim.world().app.accounts.retain(|it| it.id != "a1");
    let mut asked = Vec::new();
    for (hours, pass, is_deleted) in [
        (1, Pass::Light, false),
        (13, Pass::Full, false),
        (1, Pass::Light, false),
        (23, Pass::Full, true),
        (1, Pass::Light, false),
    ] {
        if is_deleted {
            watched.sim.world().delete(ANA, watched.now());
        }
        watched.sim.clock().advance(TimeDelta::hours(hours));
        watched.sim.forget_requests();
        assert_eq!(changes(&watched.run(pass).await), "nothing");
        let by_id = [Endpoint::ScimUser, Endpoint::OktaUser, Endpoint::OktaAppUser];
        let n_asked: usize = by_id.iter().map(|it| watched.sim.count(*it)).sum();
        asked.push(format!("{pass} {n_asked}"));
    }
    // The log tells of her; the app's list has lost her; then no list has changed about her.
    assert_eq!(asked, ["light 3", "full 3", "light 0", "full 0", "light 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_back_for_an_hour_is_asked_for_while_the_apps_list_cannot_be_read() {
    let watched = Watched::seen(FIRM).await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.sim.world().switch_off("a1", watched.now());
    watched.at("20:00");
    assert_eq!(changes(&watched.run(Pass::Full).await), "nothing");

    watched.at("21:00");
    watched.sim.world().activate(ANA, watched.now());
    watched.sim.world().app.accounts[0].active = sim::Active::Set(true);
    watched.at("22:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.at("23:00");
    fault(&watched.sim, "scim/users", "garbage");
    fault(&watched.sim, "scim/user", "garbage");
    assert_eq!(changes(&watched.run(Pass::Full).await), "nothing");
    // The lists of users know of it since. That of accounts is older than what the log told.
    watched.sim.clear_faults();
    watched.at("23:30");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "opened DL-1 reactivated open");
}

/// The list of before that pass has her on, and stands in: nobody saw her back.
#[tokio::test(flavor = "multi_thread")]
async fn who_left_by_a_light_pass_is_not_back_where_the_next_list_of_users_cannot_be_read() {
    let watched = Watched::seen(FIRM).await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.at("10:15");
    assert_eq!(changes(&watched.run(Pass::Light).await), "detected DL-1 leaver_active pending");
    watched.at("16:00");
    assert_eq!(changes(&watched.run(Pass::Light).await), "opened DL-1 leaver_active open");
    for (list, by_id) in [("okta/users", "okta/user"), ("okta/app-users", "okta/app-user")] {
        fault(&watched.sim, list, "garbage");
        fault(&watched.sim, by_id, "garbage");
    }
    watched.at("23:00");
    assert_eq!(changes(&watched.run(Pass::Full).await), "nothing");
    let leavers = watched.store.leavers().await.unwrap();
    let [line] = &*leavers else { panic!("{leavers:?}") };
    let told = line.leaver.said_by.iter().map(|it| (it.taken_back_at, it.was_back_at));
    assert_eq!((line.leaver.returned_at, told.collect()), (None, vec![(None, None)]));
    let left_at = line.leaver.clocks.idp_deactivated_at.unwrap();
    assert_eq!(left_at.format("%H:%M").to_string(), "10:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_given_to_somebody_new_waits_for_the_next_lists() {
    let watched = Watched::seen(FIRM).await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    // No list has shown them yet.
    watched.sim.world().app.accounts[0].external_id = Some("00ucyn00000000000003".to_owned());
    watched.at("10:15");
    assert_eq!(changes(&watched.run(Pass::Light).await), "nothing");
    watched.sim.world().app.accounts[0].external_id = Some(ANA.to_owned());
    watched.at("10:30");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "detected DL-1 leaver_active pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_given_the_id_of_somebody_who_is_known_need_not_wait() {
    let watched = Watched::new(FIRM).await;
    watched.sim.world().app.accounts[0].external_id = None;
    watched.run(Pass::Full).await;
    watched.at("10:00");
    watched.sim.world().app.accounts[0].external_id = Some(ANA.to_owned());
    watched.sim.world().deactivate(ANA, watched.now());
    watched.at("10:15");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "detected DL-1 leaver_active pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_log_a_light_pass_claims_nothing_and_says_that_it_did_not_see() {
    let watched = Watched::seen(FIRM).await;
    let told_before = watched.outbox().await;
    watched.at("10:00");
    watched.sim.world().deactivate(ANA, watched.now());
    watched.at("10:15");
    fault(&watched.sim, "okta/log", "garbage");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "nothing");
    assert!(!outcome.report.is_complete());
    let kinds: Vec<Watcher> = outcome.record.watcher.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Watcher::SnapshotIncomplete]);
    assert_eq!(watched.outbox().await, told_before, "one pass that is cut off alarms nobody");
    watched.sim.clear_faults();
    watched.at("10:30");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "detected DL-1 leaver_active pending");
    assert!(outcome.report.is_complete());
}

/// They were hired again under a new id, and the old user is deleted: Okta has nobody to answer for.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_whose_user_of_an_earlier_employment_is_deleted_is_found_all_the_same() {
    let firm = "\
people
  1041 Ana Ruiz
okta (deactivation off)
  00uana00000000000001 ana@firm.test ACTIVE emp=1041
  00uana00000000000003 again@firm.test ACTIVE assigned emp=1041
  00ubea00000000000002 bea@firm.test ACTIVE assigned
app
  a1 00uana00000000000003 again@firm.test on
  a2 00ubea00000000000002 bea@firm.test on
company 40
";
    let mut watched = Watched::new(firm).await;
    watched.plan.apps[0].keys.person_keys = vec![PersonKey::EmployeeNumber];
    watched.run(Pass::Full).await;
    watched.at("10:00");
    watched.sim.world().okta.users.remove(ANA);
    // Until a list is without them, nobody knows.
    watched.at("23:00");
    watched.run(Pass::Full).await;
    watched.sim.clock().advance(TimeDelta::hours(11));
    watched.sim.world().deactivate("00uana00000000000003", watched.now());
    watched.at("10:15");
    let outcome = watched.run(Pass::Light).await;
    assert_eq!(changes(&outcome), "detected DL-1 leaver_active pending");
}

/// Without its list, who is gone and who is out of sight cannot be told apart.
#[tokio::test(flavor = "multi_thread")]
async fn users_whom_nobody_may_see_have_not_left() {
    let watched = Watched::seen(&FIRM.replace("ana@firm.test on", "ana@firm.test off")).await;
    for (time, refused) in [("10:00", "okta/user"), ("10:15", "okta/app-user")] {
        watched.at(time);
        fault(&watched.sim, refused, "404");
        let outcome = watched.run(Pass::Light).await;
        assert_eq!(changes(&outcome), "nothing", "{refused}");
        watched.sim.clear_faults();
    }
    let family = domain::Family::AccessMissing;
    assert_eq!(watched.run(Pass::Full).await.record.findings[0].finding.family(), family);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_light_pass_before_the_first_full_run_is_a_full_one() {
    let watched = Watched::new(FIRM).await;
    let first = watched.run(Pass::Light).await.record;
    assert_eq!((first.pass, first.apps[0].is_baseline), (Pass::Full, true));
    watched.at("02:15");
    let second = watched.run(Pass::Light).await.record;
    assert_eq!((second.pass, second.apps[0].is_baseline), (Pass::Light, false));
    assert!(second.sources.iter().all(|it| it.failed.is_none() && it.n_requests == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_watching_is_told_and_called_over_by_full_runs_alone() {
    let watched = Watched::new(FIRM).await;
    fault(&watched.sim, "scim/users", "garbage");
    watched.run(Pass::Full).await;
    watched.sim.clear_faults();
    let told = watched.outbox().await;
    let of_scim = "watcher: secureframe: snapshot_incomplete".to_owned();
    assert!(told.contains(&of_scim), "{told:?}");
    watched.at("02:15");
    watched.run(Pass::Light).await;
    assert_eq!(watched.outbox().await, told, "it has read no list");
    watched.at("02:30");
    watched.run(Pass::Full).await;
    let told = watched.outbox().await;
    assert!(!told.contains(&of_scim), "it was not sent, and is over: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_a_light_pass_and_reads_of_it() {
    let (sim, site) = installed_with(FIRM, "").await;
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 0, "{answer}");
    let pages = || std::fs::read_dir(site.path("reports")).unwrap().count();
    let n_pages = pages();
    sim.world().deactivate(ANA, crate::live::now());
    let answer = ask(&site, &["run", "--once", "--light"]);
    assert_eq!(answer.status, 0, "{answer}");
    assert!(answer.stdout.starts_with("Run 2, a light pass: 1 finding\n"), "{answer}");
    assert!(answer.stdout.contains("A light pass: no list was read."), "{answer}");
    assert_eq!(pages(), n_pages, "a light pass has no page");

    let report = |args: &[&str]| json(&ask(&site, args).bytes);
    assert_eq!(report(&["report", "--format", "json"])["run"], 1);
    assert_eq!(report(&["report", "--run", "2", "--format", "json"])["pass"], "light");
    let listed = report(&["findings", "list", "--format", "json"]);
    assert_eq!(listed[0]["cause"], "leaver_active");
    assert_eq!(ask(&site, &["db", "verify"]).status, 0);

    ask(&site, &["run", "--once"]);
    let night = report(&["report", "--format", "json"]);
    assert_eq!((&night["run"], &night["findings"][0]["change"]), (&3.into(), &"detected".into()));
}
