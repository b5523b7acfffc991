//! Secureframe's own view, alone and beside SCIM: the program against a simulated company.

use std::fmt::Write as _;

use serde_json::Value;
use sim::{Active, Endpoint, Fault, Sim, When, World};

use crate::live::{ask, fault, now};
use crate::site::{Answer, Site, stands_in};

/// Bob left three days ago; SCIM has him off, and an HR integration keeps him on in the app itself.
/// Cleo left and is off in both, Dan has the app and was never invited. `x1` is Ana over SCIM, and
/// Cleo in the app.
const FIRM: &str = "\
okta
  00uana00000000000001 ana@firm.test ACTIVE assigned
  00ubob00000000000002 bob@firm.test DEPROVISIONED since=-3d
  00ucle00000000000003 cleo@firm.test DEPROVISIONED since=-9d
  00udan00000000000004 dan@firm.test ACTIVE assigned
app
  x1 00uana00000000000001 ana@firm.test on
  a2 00ubob00000000000002 bob@firm.test off changed=-3d
  a3 00ucle00000000000003 cleo@firm.test off changed=-9d
  a4 00udan00000000000004 dan@firm.test on
personnel (page 2)
  p0 ana@firm.test on role=Super_Admin source=okta
  p2 bob@firm.test on role=Admin source=rippling ends=-3d
  x1 cleo@firm.test off source=okta status=inactive
  p4 dan@firm.test on uninvited status=not_invited
";

const SCIM: &str = "[app.secureframe.scim]\nurl = \"SCIM\"\ntoken = \"file:scim.token\"\n";
const REST: &str = "[app.secureframe.secureframe_api]\nurl = \"REST\"\napi_key = \"file:key\"\n\
                    api_secret = \"file:secret\"\nowner = \"Ana@firm.test\"\n";

/// A company, and an installation that sees its app in these ways.
async fn installed(firm: &str, views: &[&str]) -> (Sim, Site) {
    let sim = Sim::start(World::describe_at(firm, now()).unwrap()).await.unwrap();
    let views =
        views.concat().replace("SCIM", sim.scim_url()).replace("REST", sim.secureframe_url());
    let site = Site::new(&format!(
        "[idp.okta.okta]\nurl = \"{}\"\napp_id = \"0oaapp\"\ntoken = \"file:okta.token\"\n\n\
         [app.secureframe]\nidps = [\"okta\"]\ncanaries = [\"ana@firm.test\"]\n\
         deprovision = \"deletes\"\nprivileged_roles = [\"Super Admin\", \"Admin\"]\n{views}",
        sim.okta_url(),
    ));
    for (name, secret) in [
        ("okta.token", "00sim-api-token"),
        ("scim.token", "sim-scim-token"),
        ("key", "sim-secureframe-key"),
        ("secret", "sim-secureframe-secret"),
    ] {
        site.write(name, secret);
    }
    (sim, site)
}

fn run(site: &Site) -> Answer {
    ask(site, &["run", "--once"])
}

/// Cause, account and state of everything that lives.
fn live(site: &Site) -> Vec<String> {
    let states = tokio::task::block_in_place(|| site.states());
    let mut all: Vec<String> =
        states.into_iter().map(|[cause, key, _, state]| format!("{cause} {key} {state}")).collect();
    all.sort();
    all
}

fn report(site: &Site) -> Value {
    tokio::task::block_in_place(|| site.report())
}

/// How much was seen of each view of the app.
fn views(site: &Site) -> Vec<String> {
    let report = report(site);
    let sources = report["sources"].as_array().unwrap().iter();
    let views = sources.filter(|it| it["list"] == "accounts");
    views
        .map(|it| {
            let seen = match (&it["failed"], &it["coverage"]["kind"]) {
                (Value::String(_), _) => "failed",
                (_, kind) => kind.as_str().unwrap(),
            };
            format!("{} {seen}", it["channel"].as_str().unwrap())
        })
        .collect()
}

fn count(sim: &Sim, endpoint: &str) -> usize {
    sim.count(Endpoint::named(endpoint).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_view_alone_shows_who_kept_access() {
    let (sim, site) = installed(FIRM, &[REST]).await;
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), ["leaver_active p2 open"]);
    assert_eq!(views(&site), ["secureframe_api complete"]);
    assert!(count(&sim, "secureframe/user") > 0, "nobody was asked again by id");
    assert_eq!((count(&sim, "scim"), sim.offences()), (0, Vec::new()));
    // The record, its switch, what set it, the console role and the invitation, each by itself.
    let told = ask(&site, &["explain", "bob@firm.test"]).stdout;
    let told = told.split_whitespace().collect::<Vec<&str>>().join(" ");
    for part in [
        "`active` is `true`, an invitation was sent",
        "set by `rippling`",
        "roles `Admin`",
        "ends `",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = ask(&site, &["explain", "dan@firm.test"]).stdout;
    let told = told.split_whitespace().collect::<Vec<&str>>().join(" ");
    assert!(
        told.contains("`active` is `true`, never invited, status `not_invited`, roles `none`"),
        "{told}"
    );
    assert!(told.contains("e-mail"), "linked by another key than the address: {told}");

    // Whoever is switched off there is over.
    {
        let mut world = sim.world();
        let bob = world.personnel.record("p2").unwrap();
        (bob.active, bob.access_role) = (Active::Set(false), None);
    }
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), Vec::<String>::new());
    let again = ask(&site, &["evidence", "rederive", "2"]);
    assert_eq!(again.status, 0, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_pair_nor_a_half_of_it_is_logged_or_kept() {
    let (sim, site) = installed(FIRM, &[SCIM, REST]).await;
    for answers in ["401", "500", ""] {
        sim.clear_faults();
        if !answers.is_empty() {
            fault(&sim, "secureframe/user", answers);
        }
        let output = tokio::task::block_in_place(|| {
            site.command(&["run", "--once", "-vvv"]).env("RUST_LOG", "trace").output().unwrap()
        });
        let mut texts = vec![output.stdout, output.stderr];
        texts.extend(
            ["driftline.db", "driftline.db-wal"]
                .map(|it| std::fs::read(site.path(it)).unwrap_or_default()),
        );
        let reports = std::fs::read_dir(site.path("reports")).unwrap();
        texts.extend(reports.map(|it| std::fs::read(it.unwrap().path()).unwrap()));
        assert!(sim.secrets().contains(&"sim-secureframe-secret".to_owned()));
        for secret in sim.secrets() {
            let is_in = |it: &Vec<u8>| stands_in(it, secret.as_bytes());
            assert!(!texts.iter().any(is_in), "{answers}: a secret was written");
        }
    }
    // The doctor meets a refusal, too.
    site.write("secret", "sim-secureframe-other");
    let told = ask(&site, &["doctor"]);
    assert_eq!(told.status, 4, "{told}");
    assert!(told.stdout.contains("the API key and its secret are not accepted"), "{told}");
    assert!(!format!("{told}").contains("sim-secureframe-"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_in_one_view_is_on_and_the_views_contradict_each_other() {
    let (sim, site) = installed(FIRM, &[SCIM, REST]).await;
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), ["channel_conflict a2 pending", "leaver_active a2 open"]);
    assert_eq!(views(&site), ["scim complete", "secureframe_api complete"]);
    // Each view was asked again by its own ids.
    for (endpoint, id) in [("scim/user", "a2"), ("secureframe/user", "p2")] {
        let of = Endpoint::named(endpoint).unwrap();
        let asked = sim.requests().into_iter().filter(|it| it.endpoint == of);
        let paths: Vec<String> = asked.map(|it| it.path).collect();
        assert!(paths.iter().any(|it| it.ends_with(id)), "{endpoint}: {paths:?}");
    }

    // Off in both is off, and whoever is off in both never was drift. The console shows a role still.
    sim.world().personnel.record("p2").unwrap().active = Active::Set(false);
    let answer = run(&site);
    assert_eq!(answer.status, 0, "{answer}");
    assert_eq!(live(&site), ["residual_entitlement a2 pending"]);

    // The other way about: the app has her off, and what SCIM was told is on.
    sim.world().app.accounts.iter_mut().find(|it| it.id == "a3").unwrap().active =
        Active::Set(true);
    run(&site);
    let cause = live(&site);
    assert!(cause.contains(&"reactivated a3 open".to_owned()), "{cause:?}");
    assert!(cause.iter().any(|it| it.starts_with("channel_conflict a3")), "{cause:?}");
    for run in ["1", "2", "3"] {
        let again = ask(&site, &["evidence", "rederive", run]);
        assert_eq!(again.status, 0, "{again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_in_two_views_is_two_accounts() {
    // Asked again, `x1` is Ana over SCIM and Cleo in the app.
    let firm = FIRM.replace("x1 cleo@firm.test off", "x1 cleo@firm.test on");
    let (sim, site) = installed(&firm, &[SCIM, REST]).await;
    run(&site);
    assert!(live(&site).contains(&"leaver_active a3 open".to_owned()), "{:?}", live(&site));
    assert!(!live(&site).iter().any(|it| it.contains(" x1 ")), "{:?}", live(&site));
    let light = ask(&site, &["run", "--once", "--light"]);
    assert_eq!(light.status, 0, "{light}");
    assert!(live(&site).contains(&"leaver_active a3 open".to_owned()), "{:?}", live(&site));
    assert!(!live(&site).iter().any(|it| it.contains(" x1 ")), "{:?}", live(&site));
    assert_eq!(sim.offences(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn off_in_one_view_proves_nothing_while_the_other_is_out_of_sight() {
    let mut table = String::new();
    for is_first in [true, false] {
        for (broken, channel) in [
            ("secureframe", "secureframe_api"),
            ("secureframe/users", "secureframe_api"),
            ("scim", "scim"),
        ] {
            let (sim, site) = installed(FIRM, &[SCIM, REST]).await;
            if !is_first {
                run(&site);
            }
            sim.world().personnel.record("p2").unwrap().active = Active::Set(false);
            fault(&sim, broken, "403");
            let answer = run(&site);
            assert_eq!(answer.status, 4, "{broken}: {answer}");
            assert!(views(&site).contains(&format!("{channel} failed")), "{:?}", views(&site));
            // The report says which of the two it was.
            let named = format!("secureframe accounts ({channel}) was not read");
            let told = answer.stdout.split_whitespace().collect::<Vec<&str>>().join(" ");
            assert!(told.contains(&named), "{broken}: {answer}");
            let told = ask(&site, &["explain", "bob@firm.test"]).stdout;
            let verdict = told.lines().find(|it| it.contains("verdict")).unwrap().trim();
            let run = if is_first { "first run" } else { "second run" };
            writeln!(table, "{run}, {broken}: {verdict}; {:?}", live(&site)).unwrap();
        }
    }
    // In the second run either view was seen before: the app's own is on by its last list, unless it
    // says by id that it is off; and SCIM's last list has it off.
    insta::assert_snapshot!(table, @r#"
    first run, secureframe: verdict   indeterminate; []
    first run, secureframe/users: verdict   indeterminate; []
    first run, scim: verdict   indeterminate; []
    second run, secureframe: verdict   leaver_active; ["channel_conflict a2 pending", "leaver_active a2 open"]
    second run, secureframe/users: verdict   confirmed_offboarded; ["residual_entitlement a2 pending"]
    second run, scim: verdict   confirmed_offboarded; ["residual_entitlement a2 pending"]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_owner_lost_sight_shows_nobody_gone() {
    for (name, said) in [
        ("demoted", "the owner of the API key has no role"),
        ("off", "the owner of the API key is not active"),
        ("gone", "the owner of the API key is missing"),
    ] {
        let (sim, site) = installed(FIRM, &[REST]).await;
        run(&site);
        {
            // A role that sees less makes the list quietly shorter: Dan is not in it any more.
            let people = &mut sim.world().personnel.people;
            people.retain(|it| it.id != "p4" && (name != "gone" || it.id != "p0"));
            let owner = people.iter_mut().find(|it| it.id == "p0");
            match (name, owner) {
                ("demoted", Some(owner)) => owner.access_role = None,
                ("off", Some(owner)) => owner.active = Active::Set(false),
                _ => {}
            }
        }
        let answer = run(&site);
        assert_eq!(answer.status, 4, "{name}: {answer}");
        let told = answer.stdout.split_whitespace().collect::<Vec<&str>>().join(" ");
        assert!(told.contains(said), "{name}: {answer}");
        assert_eq!(views(&site), ["secureframe_api partial"], "{name}");
        // Bob, whom it still shows, is a leaver all the same.
        let living = live(&site);
        assert!(living.contains(&"leaver_active p2 open".to_owned()), "{name}: {living:?}");
        assert!(!living.iter().any(|it| it.starts_with("vanished")), "{name}: {living:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_becomes_a_leaver_is_asked_about_in_both_views_between_full_runs() {
    let (sim, site) =
        installed(&FIRM.replacen("okta\n", "okta (deactivation off)\n", 1), &[SCIM, REST]).await;
    run(&site);
    sim.world().deactivate("00udan00000000000004", now());
    let light = ask(&site, &["run", "--once", "--light"]);
    assert_eq!(light.status, 0, "{light}");
    assert!(live(&site).contains(&"leaver_active a4 pending".to_owned()), "{:?}", live(&site));

    // Switched off over SCIM alone, it stays open; in the app too, a light pass sees that it is over.
    sim.world().switch_off("a4", now());
    ask(&site, &["run", "--once", "--light"]);
    assert!(live(&site).contains(&"leaver_active a4 pending".to_owned()), "{:?}", live(&site));
    sim.world().personnel.record("p4").unwrap().active = Active::Set(false);
    sim.fault(Endpoint::named("secureframe/user").unwrap(), Fault::Broken(500), When::next(6));
    ask(&site, &["run", "--once", "--light"]);
    assert!(live(&site).contains(&"leaver_active a4 pending".to_owned()), "{:?}", live(&site));
    ask(&site, &["run", "--once", "--light"]);
    assert!(!live(&site).iter().any(|it| it.contains("a4")), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_one_view_knows_an_account_no_more_does_not_show_it_on() {
    let more = |row: fn(u32) -> String| (10..20).map(row).collect::<String>();
    let firm = FIRM
        .replacen(
            "app\n",
            &(more(|it| format!("  00um{it} m{it}@firm.test ACTIVE assigned\n")) + "app\n"),
            1,
        )
        .replacen(
            "personnel",
            &(more(|it| format!("  m{it} 00um{it} m{it}@firm.test on\n")) + "personnel"),
            1,
        );
    let firm = firm + &more(|it| format!("  q{it} m{it}@firm.test on\n"));
    let (sim, site) = installed(&firm, &[SCIM, REST]).await;
    run(&site);
    let dan = "00udan00000000000004";
    sim.world().deactivate(dan, now() - chrono::TimeDelta::days(3));
    sim.world().app.accounts.retain(|it| it.id != "a4");
    sim.world().personnel.people.retain(|it| it.id != "p4");
    sim.fault(Endpoint::named("scim").unwrap(), Fault::Html(200), When::always());
    run(&site);
    // By SCIM, which does not answer, he was on in the run before; nobody has seen that since.
    assert!(live(&site).contains(&"leaver_active a4 pending".to_owned()), "{:?}", live(&site));
    sim.clear_faults();
    run(&site);
    assert!(!live(&site).iter().any(|it| it.contains("a4")), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_on_again_since_both_views_were_seen_off_last() {
    let (sim, site) =
        installed(&FIRM.replace("p2 bob@firm.test on", "p2 bob@firm.test off"), &[SCIM, REST])
            .await;
    run(&site);
    let off_in_both_until = now();
    sim.fault(Endpoint::named("secureframe").unwrap(), Fault::Html(404), When::always());
    run(&site);
    sim.clear_faults();
    sim.world().personnel.record("p2").unwrap().active = Active::Set(true);
    run(&site);
    assert!(live(&site).contains(&"reactivated a2 open".to_owned()), "{:?}", live(&site));
    let report = report(&site);
    let findings = report["findings"].as_array().unwrap();
    let again = findings.iter().find(|it| it["cause"] == "reactivated").unwrap();
    let earliest = again["exposures"][0]["started_earliest"].as_str().unwrap();
    assert!(
        earliest.parse::<chrono::DateTime<chrono::Utc>>().unwrap() <= off_in_both_until,
        "{again:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_an_account_is_that_one_view_shows_on_is_for_the_other_to_say() {
    let firm = FIRM.replace("p2 bob@firm.test on", "p2 bob@firm.test off");
    let (sim, site) = installed(&firm, &[SCIM, REST]).await;
    run(&site);
    // Somebody new inherits Bob's address, and the app gives them his account.
    let newcomer = "00ubobb0000000000005";
    let mut user = sim.world().okta.users["00uana00000000000001"].clone();
    (user.login, user.email) = ("bob@firm.test".to_owned(), Some("bob@firm.test".to_owned()));
    sim.world().okta.users.insert(newcomer.to_owned(), user);
    let assignment = sim.world().okta.app_users["00uana00000000000001"].clone();
    sim.world().okta.app_users.insert(newcomer.to_owned(), assignment);
    for it in sim.world().app.accounts.iter_mut().filter(|it| it.id == "a2") {
        (it.external_id, it.active) = (Some(newcomer.to_owned()), Active::Set(true));
    }
    sim.world().personnel.record("p2").unwrap().active = Active::Set(true);
    sim.fault(Endpoint::named("scim").unwrap(), Fault::Html(200), When::always());
    run(&site);
    assert!(live(&site).contains(&"reactivated a2 pending".to_owned()), "{:?}", live(&site));
    sim.clear_faults();
    run(&site);
    // Now it is seen to be somebody else's by one key, and Bob's by what is remembered of it.
    assert!(live(&site).contains(&"link_conflict a2 open".to_owned()), "{:?}", live(&site));
    assert!(live(&site).contains(&"reactivated a2 pending".to_owned()), "{:?}", live(&site));
}

#[tokio::test(flavor = "multi_thread")]
async fn views_contradict_each_other_where_both_were_seen() {
    let firm = FIRM.replace("p4 dan@firm.test on uninvited", "p4 dan@firm.test off");
    let (sim, site) = installed(&firm, &[SCIM, REST]).await;
    let conflict = |state: &str| format!("channel_conflict a4 {state}");
    run(&site);
    assert!(live(&site).contains(&conflict("pending")), "{:?}", live(&site));
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let grace = "[policy]\ngrace = { channel_conflict = '0s' }\n";
    site.write("driftline.toml", settings + grace);
    sim.fault(Endpoint::named("secureframe").unwrap(), Fault::Html(404), When::always());
    run(&site);
    // By the view that was not read he may be on by now.
    assert!(live(&site).contains(&conflict("pending")), "{:?}", live(&site));
    sim.clear_faults();
    run(&site);
    assert!(live(&site).contains(&conflict("open")), "{:?}", live(&site));
    // A view that says neither on nor off does not say that the other is right.
    let mut world = sim.world();
    let mut accounts = world.app.accounts.iter_mut();
    accounts.find(|it| it.id == "a4").unwrap().active = Active::Absent;
    drop(world);
    run(&site);
    assert!(live(&site).contains(&conflict("open")), "{:?}", live(&site));
}

/// SCIM hides who is off. Eve's account is, and the app's own view shows it on: each night it takes an answer
/// by id to see that.
#[tokio::test(flavor = "multi_thread")]
async fn that_views_contradict_each_other_is_over_when_both_were_seen_and_seen_once_both_can_be() {
    // With others, so that one who is hidden is no list that shrank.
    let (mut users, mut accounts, mut people) = (String::new(), String::new(), String::new());
    for nth in 5..15 {
        let (id, name) = (format!("00ueve0000000000{nth:04}"), format!("eve{nth}@firm.test"));
        users.push_str(&format!("  {id} {name} ACTIVE assigned\n"));
        accounts.push_str(&format!("  a{nth} {id} {name} on\n"));
        people.push_str(&format!("  p{nth} {name} on source=okta\n"));
    }
    let firm = FIRM
        .replace("app\n", &format!("{users}app (hides inactive)\n"))
        .replace("personnel", &format!("{accounts}personnel"))
        + &people;
    let (sim, site) = installed(&firm, &[SCIM, REST]).await;
    let hides = "deprovision = \"hides\"\ninactive_canaries = [\"a3\"]";
    site.change_settings("deprovision = \"deletes\"", hides);
    let night = |is_answered: bool| {
        sim.clear_faults();
        if !is_answered {
            fault(&sim, "scim/user", "garbage");
        }
        run(&site);
        live(&site).iter().any(|it| it.starts_with("channel_conflict a5 "))
    };
    assert!(!night(true));
    sim.world().switch_off("a5", now());
    assert!(!night(false), "nobody has said that it is off");
    assert!(night(true) && night(false) && night(true));
    // The app's own view shows it off, too.
    let mut world = sim.world();
    let mut people = world.personnel.people.iter_mut();
    people.find(|it| it.id == "p5").unwrap().active = Active::Set(false);
    drop(world);
    assert!(!night(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_view_that_is_added_later_loses_no_leaver() {
    for (first, then) in [(REST, SCIM), (SCIM, REST)] {
        let firm = FIRM.replace(
            "a2 00ubob00000000000002 bob@firm.test off",
            "a2 00ubob00000000000002 bob@firm.test on",
        );
        let (sim, site) = installed(&firm, &[first]).await;
        run(&site);
        assert!(
            live(&site).iter().any(|it| it.starts_with("leaver_active") && it.ends_with("open"))
        );
        let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
        let more = then.replace("SCIM", sim.scim_url()).replace("REST", sim.secureframe_url());
        site.write("driftline.toml", settings + "\n" + &more);
        for _ in 0..2 {
            let answer = run(&site);
            assert_eq!(answer.status, 0, "{answer}");
            let found = live(&site);
            let mut open = found.iter().filter(|it| it.starts_with("leaver_active"));
            assert!(open.any(|it| it.ends_with("open")), "{found:?}");
        }
        // What was told under the id of the first view is over with the account, too.
        sim.world().switch_off("a2", now());
        {
            let mut world = sim.world();
            let bob = world.personnel.record("p2").unwrap();
            (bob.active, bob.access_role) = (Active::Set(false), None);
        }
        let answer = run(&site);
        assert_eq!(answer.status, 0, "{answer}");
        assert_eq!(live(&site), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_comes_from_a_file_too_is_told() {
    let (_sim, site) = installed(FIRM, &[REST]).await;
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    site.write("driftline.toml", settings + "\n[[app.secureframe.file]]\npath = \"people.json\"\n");
    let people = r#"{"data":[{"id":"p0","attributes":{"email":"ana@firm.test","active":true}}]}"#;
    site.write("people.json", people);
    let answer = run(&site);
    assert_eq!(answer.status, 4, "{answer}");
    let told = answer.stdout.split_whitespace().collect::<Vec<&str>>().join(" ");
    assert!(told.contains("secureframe accounts (secureframe_api) came twice"), "{answer}");
    assert_eq!(live(&site), ["leaver_active p2 open"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_each_view_of_an_app() {
    let (_sim, site) = installed(FIRM, &[SCIM, REST]).await;
    let told = ask(&site, &["doctor"]);
    assert_eq!(told.status, 0, "{told}");
    for part in [
        "app `secureframe`, SCIM 2.0",
        "app `secureframe`, Secureframe API",
        "the key's owner is seen: They are active, with the role `Super Admin`",
    ] {
        assert!(told.stdout.contains(part), "{part}: {told}");
    }
    // A probe goes over SCIM, and over nothing else.
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let unset = settings.lines().filter(|it| !it.starts_with("deprovision"));
    site.write("driftline.toml", unset.collect::<Vec<_>>().join("\n"));
    let told = ask(&site, &["doctor"]);
    let (scim, rest) = told.stdout.split_once("app `secureframe`, Secureframe API").unwrap();
    assert!(scim.contains("driftline probe deprovision"), "{told}");
    assert!(rest.contains("deprovision behaviour") && !rest.contains("probe"), "{told}");
    let told = ask(&site, &["config", "check"]);
    assert_eq!(told.status, 0, "{told}");
    assert!(told.stdout.contains("Secureframe API"), "{told}");
}
