//! Alerts: what is told, that a crash loses none of it, and that it is asked again before it is
//! told late.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alerting::command::Hook;
use alerting::{Kind, Route, Routes, Sender};
use chrono::TimeDelta;
use connectors::files::Profiles;
use connectors::scim::{self, AppProfiles, Scim};
use domain::{At, Pass, SystemId};
use drift::Policy;
use engine::{Deliveries, Plan, Source};
use outbound::{Auth, Client, Config, Limits, Pace, Secret};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sim::Sim;
use store::Store;

use crate::crash::kill_when;
use crate::live::{FIRM, ask, fault, installed_with, now};
use crate::site::{Site, json, stands_in};

/// Writes down each notice, a line each.
const TELL: &str = "echo >> told; cat >> told; echo >> told";

/// A channel that is a program of the shell.
fn channel(name: &str, script: &str) -> String {
    format!("[alert.{name}.command]\nprogram = '/bin/sh'\nargs = ['-c', '''{script}''']\n\n")
}

impl Site {
    /// The sample company, with more settings.
    fn telling(more: &str) -> Self {
        let site = Self::quickstart();
        let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
        site.write("driftline.toml", settings + "\n" + more);
        site
    }

    /// What the channel was told, in order. What was cut when the program was killed was not told.
    fn was_told(&self) -> Vec<Value> {
        if !self.path("told").exists() {
            return Vec::new();
        }
        let told = String::from_utf8(self.read("told")).unwrap();
        let whole = told.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
        whole.map(|it| it["data"].clone()).collect()
    }

    /// The outbox: channel, reason and state.
    fn outbox(&self) -> Vec<String> {
        let list = json(&self.told(&["alert", "list", "--format", "json"]).bytes);
        let words = |it: &Value| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            format!("{} {} {}", text("channel"), text("reason"), text("state"))
        };
        let mut all: Vec<String> = list.as_array().unwrap().iter().map(words).collect();
        all.reverse();
        all
    }
}

fn reasons(told: &[Value]) -> Vec<&str> {
    told.iter().map(|it| it["reason"].as_str().unwrap()).collect()
}

#[test]
fn two_nights_tell_the_leavers_of_the_first_as_one_and_then_what_opened() {
    let site = Site::telling(&channel("hook", TELL));
    site.told(&["run", "--once"]);
    let told = site.was_told();
    assert_eq!(reasons(&told), ["baseline", "opened"]);
    assert_eq!(site.outbox(), ["hook baseline delivered", "hook opened delivered"]);
    let all = site.read("told");
    let all = String::from_utf8_lossy(&all);
    assert!(!all.contains("@") && !all.contains("Henrik"), "no name and no address: {all}");
    assert!(all.contains("driftline findings show DL-14"), "{all}");
    // Nothing new, nobody told.
    site.told(&["run", "--once"]);
    assert_eq!(site.was_told().len(), 2);
    site.told(&["db", "verify"]);
}

#[test]
fn a_login_without_an_address_names_nobody_either() {
    let settings = "database = 'driftline.db'\n\
        [[idp.directory.file]]\npath = 'users.csv'\nwhole = true\n\
        [app.crm]\nidps = ['directory']\n\
        [[app.crm.file]]\npath = 'accounts.csv'\nwhole = true\n\n";
    let site = Site::new(&format!("{settings}{}", channel("hook", TELL)));
    site.write("accounts.csv", "login,email,active\nada.lovelace,ada@firm.test,true\n");
    site.write("users.csv", "login,email,status\nalovelace,ada@firm.test,left\n");
    let answer = site.ask(&["run", "--once"]);
    let told = String::from_utf8(site.read("told")).unwrap();
    assert!(told.contains("DL-1 leaver_active, critical: crm/"), "{answer}{told}");
    assert!(!told.contains("lovelace"), "{told}");
}

#[test]
fn without_channels_nobody_is_told_and_nothing_is_kept() {
    let site = Site::quickstart_after_nights();
    assert_eq!(site.told(&["alert", "list"]).stdout, "Nobody was told anything yet.\n");
    let answer = site.ask(&["alert", "test"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("add an `[alert.NAME]`"), "{answer}");
}

#[test]
fn killed_between_the_commit_and_the_delivery_a_run_loses_no_notice() {
    let undisturbed = Site::telling(&channel("hook", TELL));
    undisturbed.told(&["run", "--once"]);
    let number = |it: &Value| it["notice"].as_i64().unwrap();
    let wanted: BTreeSet<i64> = undisturbed.was_told().iter().map(number).collect();

    let mut n_killed = 0;
    for point in ["first commit", "second commit", "pages", "first notice"] {
        let site = Site::telling(&channel("hook", TELL));
        let is_time = || match point {
            "first commit" => site.path("reports/2026-11-19-run-1.json").exists(),
            "second commit" => site.path("reports/2026-11-20-run-2.html").exists(),
            "pages" => site.path("reports/2026-11-20-run-2.json").exists(),
            _ => site.path("told").exists(),
        };
        n_killed += usize::from(kill_when(&site, is_time));
        site.told(&["run", "--once"]);
        let told: BTreeSet<i64> = site.was_told().iter().map(number).collect();
        assert_eq!(told, wanted, "killed at {point}");
        assert!(site.outbox().iter().all(|it| it.ends_with("delivered")), "killed at {point}");
        site.told(&["db", "verify"]);
    }
    assert!(n_killed > 0, "no run was met alive");
}

#[test]
fn a_channel_that_refuses_is_told_by_another_with_all_that_it_was_to_tell() {
    let site = Site::telling(&(channel("dead", "exit 65") + &channel("hook", TELL)));
    let answer = site.ask(&["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("see `driftline alert list`"), "{answer}");
    let told = site.was_told();
    assert_eq!(reasons(&told), ["baseline", "opened", "undelivered"]);
    let text = told[2]["text"].as_str().unwrap();
    assert!(text.contains("run `driftline alert test dead`") && text.contains("DL-14"), "{text}");
    assert_eq!(told[2]["severity"], "critical");
    // The next report says so, too.
    site.write("samples/2026-11-21/okta_users.json", "[]");
    site.ask(&["run", "--once"]);
    let watcher = site.report()["watcher"].to_string();
    assert!(watcher.contains("alert_undelivered") && watcher.contains("`dead`"), "{watcher}");
    site.rederives_every_run();
}

#[test]
fn a_test_says_of_each_channel_whether_it_took_it() {
    let more = channel("dead", "exit 65") + &channel("hook", TELL);
    let site = Site::telling(&more);
    let answer = site.ask(&["alert", "test"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(answer.stdout, "dead: refused: `/bin/sh` ended with status 65\nhook: taken\n");
    let answer = site.told(&["alert", "test", "hook"]);
    assert_eq!(answer.stdout, "hook: taken\n");
    let told = site.was_told();
    assert_eq!(reasons(&told), ["test", "test"]);
    let answer = site.ask(&["alert", "test", "hok"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("did you mean `hook`?"), "{answer}");
    assert!(!site.path("driftline.db").exists(), "a test keeps nothing");
}

#[test]
fn a_test_that_is_taken_shows_that_the_channel_lives() {
    let fickle = channel("hook", "test -e mended || exit 65; cat > /dev/null");
    let site = Site::telling(&(fickle + &channel("other", "cat > /dev/null")));
    assert_eq!(site.ask(&["run", "--once"]).status, 4);
    let watcher = |name: &str| {
        site.write(&format!("samples/{name}/okta_users.json"), "[]");
        site.ask(&["run", "--once"]);
        site.report()["watcher"].to_string()
    };
    assert!(watcher("2026-11-21").contains("alert_undelivered"));
    site.write("mended", "");
    site.told(&["alert", "test", "hook"]);
    assert_eq!(site.outbox().last().unwrap(), "hook test delivered");
    assert!(!watcher("2026-11-22").contains("alert_undelivered"));
    site.told(&["db", "verify"]);
}

#[test]
fn no_secret_of_a_channel_is_logged_kept_or_printed() {
    let site = Site::telling(
        "[alert.slack.slack_webhook]\nwebhook_url = 'file:slack.url'\n\
         [alert.pager.pagerduty]\nrouting_key = 'file:pager.key'\nurl = 'http://127.0.0.1:9/v2'\n\
         [alert.bot.slack_bot]\ntoken = 'file:bot.token'\nchannel = 'C1'\nurl = 'http://127.0.0.1:9/'\n",
    );
    site.write("slack.url", "http://127.0.0.1:9/services/T0/url-hunter?sig=query-hunter\n");
    site.write("pager.key", "R0-key-hunter\n");
    site.write("bot.token", "xoxb-token-hunter\n");
    let answer = site.ask(&["-vvv", "alert", "test"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stdout.contains("slack: not taken, try again later"), "{answer}");
    assert!(answer.stderr.contains("TRACE") || answer.stderr.contains("DEBUG"), "{answer}");
    assert!(!answer.to_string().contains("hunter"), "{answer}");
    // Killed while it waits for another try: the outbox has what went wrong.
    kill_when(&site, || {
        let wal = site.path("driftline.db-wal");
        wal.exists() && std::fs::read(wal).is_ok_and(|it| stands_in(&it, b"no connection"))
    });
    let listed = site.told(&["alert", "list"]).stdout;
    assert!(listed.contains("no connection") && !listed.contains("hunter"), "{listed}");
    for file in ["driftline.db", "driftline.db-wal"] {
        let bytes = std::fs::read(site.path(file)).unwrap_or_default();
        assert!(!stands_in(&bytes, b"hunter"), "{file}");
    }
}

/// A company whose leaver is to be told, and was not yet: the run was killed while it waited to try
/// its channel again.
async fn told_late(more: &str) -> (Sim, Site) {
    let (sim, site) = installed_with(FIRM, "").await;
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    site.write("driftline.toml", settings + &channel("hook", "touch called; exit 1") + more);
    let called = site.path("called");
    let is_killed = tokio::task::block_in_place(|| {
        kill_when(&site, || called.exists() && has_failed(&site.path("driftline.db-wal")))
    });
    assert!(is_killed, "it waits half a minute before it tries again");
    (sim, site)
}

fn has_failed(wal: &Path) -> bool {
    std::fs::read(wal).is_ok_and(|it| stands_in(&it, b"ended with status 1"))
}

/// Delivers what waits, an hour later.
async fn deliver_late(sim: &Sim, site: &Site) -> Deliveries {
    let at = At(now() + TimeDelta::hours(1));
    let system = SystemId::parse("secureframe").unwrap();
    let app = AppProfiles::builtin().unwrap().get("generic-scim").unwrap();
    let config = Config {
        base: outbound::Url::parse(sim.scim_url()).unwrap(),
        ca_bundle: None,
        proxy: None,
        limits: Limits { attempts: 1, ..Limits::default() },
        user_agent: "test/1".to_owned(),
        auth: Auth::Bearer(Secret::new("sim-scim-token".to_owned())),
        pace: Pace::RetryAfter,
        accept: app.accept(),
    };
    let reader = Client::new(config, Arc::new(at)).unwrap().reader();
    let (canaries, inactive_canaries) = (Vec::new(), Vec::new());
    let scim = scim::Config { system, app, canaries, inactive_canaries, page_size: None };
    let script = format!("cd '{}'; {TELL}", site.path("").display());
    let hook = Hook {
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script],
        timeout: Duration::from_secs(30),
    };
    let sender = Sender { name: "hook".into(), names: false, kind: Kind::Command(hook) };
    let plan = Plan {
        pass: Pass::Full,
        provisioned: BTreeMap::new(),
        turn: None,
        anchors: Vec::new(),
        sources: vec![Source::Scim(Scim::new(scim, reader))],
        profiles: Arc::new(Profiles::builtin().unwrap()),
        apps: Vec::new(),
        policy: Policy::default(),
        judges_everybody: false,
        settings_digest: [0; 32],
        settings: None,
        fingerprint_key: None,
        software: "test".to_owned(),
        routes: Routes {
            channels: vec![sender.channel()],
            routes: vec![Route::on_call(vec!["hook".into()])],
            ..Routes::default()
        },
    };
    let store = Store::open(&site.path("driftline.db")).unwrap();
    engine::deliver(&store, &plan, &[sender], &at).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_holds_when_it_is_asked_again_is_told_as_confirmed() {
    let (sim, site) = told_late("").await;
    let done = deliver_late(&sim, &site).await;
    assert_eq!((done.n_delivered, done.n_dropped), (1, 0), "{done:?}");
    let told = site.was_told();
    assert_eq!((&told[0]["unconfirmed"], &told[0]["reason"]), (&false.into(), &"baseline".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_when_it_is_asked_again_is_dropped_and_recorded() {
    let (sim, site) = told_late("").await;
    sim.world().switch_off("a2", now());
    let done = deliver_late(&sim, &site).await;
    assert_eq!((done.n_delivered, done.n_dropped), (0, 1), "{done:?}");
    assert_eq!(site.was_told().len(), 0);
    let listed = ask(&site, &["alert", "list"]).stdout;
    assert!(listed.contains("dropped"), "{listed}");
    assert!(listed.contains("asked again, the account was off at"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_again_is_told_unconfirmed() {
    let (sim, site) = told_late("").await;
    fault(&sim, "scim/user", "garbage");
    let done = deliver_late(&sim, &site).await;
    assert_eq!((done.n_delivered, done.n_dropped), (1, 0), "{done:?}");
    let told = site.was_told();
    assert_eq!(told[0]["unconfirmed"], true);
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("asked again, there was no usable answer"), "{text}");
}

/// The sample company, of which the report goes to these channels.
fn reporting(table: &str, more: &str) -> Site {
    Site::telling(&format!("[report]\n{table}\n\n{more}"))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

#[test]
fn the_report_of_each_run_leaves_with_its_counts_and_the_head_and_names_nobody() {
    let site = reporting("to = ['hook']", &channel("hook", TELL));
    site.told(&["run", "--once"]);
    let told = site.was_told();
    assert_eq!(reasons(&told), ["baseline", "report", "opened", "report"]);
    let report = &told[3];
    assert_eq!((&report["run"], &report["grade"]), (&2.into(), &"B".into()));
    let open = &report["apps"][0]["by_state"]["open"];
    let listed = json(&site.told(&["findings", "list", "--format", "json"]).bytes);
    let is_open = |it: &&Value| it["state"] == "open";
    let n_open = listed.as_array().unwrap().iter().filter(is_open).count();
    assert_eq!(open.as_u64(), Some(n_open as u64), "{report:#}");
    assert!(!report.to_string().contains('@') && report.get("report").is_none(), "{report:#}");

    // It is that of the run, and its head is one that can be checked against.
    let kept = site.told(&["report", "--format", "json"]).bytes;
    assert_eq!(report["report_sha256"], sha256(&kept));
    site.write("head.checkpoint", report["ledger"]["checkpoint"].as_str().unwrap());
    site.ask(&["run", "--once"]);
    site.told(&["ledger", "verify", "--since", "head.checkpoint"]);
    site.told(&["db", "verify"]);
}

#[test]
fn the_whole_document_leaves_where_the_settings_say_so() {
    let site = reporting("to = ['hook']\njson = true", &channel("hook", TELL));
    site.told(&["run", "--once"]);
    let report = &site.was_told()[3]["report"];
    assert_eq!(report, &site.report());
    let advice = site.told(&["config", "check"]).to_string();
    assert!(advice.contains("alert `hook` gets the whole report, which names people"), "{advice}");
}

#[test]
fn a_report_that_is_not_taken_is_told_by_another_channel_and_is_an_alarm() {
    let more = channel("dead", "exit 65") + &channel("hook", TELL);
    let site = reporting("to = ['dead']", &(more + "[[route]]\nto = ['hook']\n"));
    let answer = site.ask(&["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    let told = site.was_told();
    let text =
        |it: &&Value| it["text"].as_str().is_some_and(|it| it.contains("Not told: run 1 of"));
    assert!(told.iter().any(|it| it["reason"] == "undelivered" && text(&it)), "{told:#?}");
    let outbox = site.outbox();
    assert!(outbox.contains(&"dead report given_up".to_owned()), "{outbox:?}");
    site.rederives_every_run();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_damaged_is_given_up_and_holds_up_nobody() {
    let (sim, site) = told_late("[report]\nto = ['hook']\n").await;
    let database = rusqlite::Connection::open(site.path("driftline.db")).unwrap();
    let damage = "DROP TRIGGER IF EXISTS report_no_update; UPDATE report SET sha256 = zeroblob(32)";
    database.execute_batch(damage).unwrap();
    drop(database);
    let done = deliver_late(&sim, &site).await;
    assert_eq!((done.n_delivered, done.n_given_up), (1, 1), "{done:?}");
    assert_eq!(reasons(&site.was_told()), ["baseline"]);
    let listed = ask(&site, &["alert", "list"]).stdout;
    assert!(listed.contains("given_up    hook  low       report"), "{listed}");
    assert!(listed.contains("the report of run 1 does not match its digest"), "{listed}");
}
