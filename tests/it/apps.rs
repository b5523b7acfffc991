//! Apps whose SCIM server has habits of its own, read with their profile: a leaver who kept the
//! account is found, and whether it is over once the app switched them off, by its own way.
//!
//! What each app does is documented where its profile says (`crates/connectors/profiles/apps`).

use insta::assert_snapshot;
use serde_json::Value;
use sim::{Active, Endpoint, Sim, World};

use crate::live::{ask, now};
use crate::site::Site;

/// Bob left three days ago; Finn long ago, and is off. Twenty others stand around them.
const PEOPLE: &str = "\
okta
  00uana00000000000001 ana@firm.test ACTIVE assigned
  00ubob00000000000002 bob@firm.test DEPROVISIONED since=-3d
  00ufin00000000000003 finn@firm.test DEPROVISIONED since=-9d
company 20
";
const BOB: &str = "00ubob00000000000002 bob@firm.test on";

/// An app as its server is.
struct App {
    profile: &'static str,
    /// What the server does, in the words of `sim::APP_WORDS`.
    habits: &'static str,
    /// Bob's row, behind his id.
    bob: &'static str,
    settings: &'static str,
}

impl App {
    async fn installed(&self) -> (Sim, Site) {
        let Self { profile, habits, bob, settings } = self;
        let firm = format!(
            "{PEOPLE}app{habits}\n  a1 00uana00000000000001 ana@firm.test on\n  a2 {bob}\n"
        );
        let sim = Sim::start(World::describe_at(&firm, now()).unwrap()).await.unwrap();
        let site = Site::new(&format!(
            "[idp.okta.okta]\nurl = \"{}\"\napp_id = \"0oaapp\"\ntoken = \"file:okta.token\"\n\n\
             [app.it]\nidps = [\"okta\"]\ncanaries = [\"a1\"]\n{settings}\n\
             [app.it.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\nprofile = \"{profile}\"\n",
            sim.okta_url(),
            sim.scim_url()
        ));
        site.write("okta.token", "00sim-api-token\n");
        site.write("scim.token", "sim-scim-token\n");
        (sim, site)
    }

    /// What two runs tell of Bob, before and after `meanwhile`.
    async fn told(&self, meanwhile: impl FnOnce(&mut World)) -> (String, Sim, Site) {
        let (sim, site) = self.installed().await;
        let answer = ask(&site, &["run", "--once"]);
        assert_eq!(answer.status, 0, "{answer}");
        let before = of_bob(&site);
        meanwhile(&mut sim.world());
        let answer = ask(&site, &["run", "--once"]);
        let told = format!("kept:    {before}\nthen:    {}", of_bob(&site));
        assert_eq!(answer.status, 0, "{answer}\n{told}");
        assert_eq!(sim.offences(), Vec::<String>::new());
        (told, sim, site)
    }
}

/// The findings about Bob's account, and how they ended.
fn of_bob(site: &Site) -> String {
    let list = ask(site, &["findings", "list", "--all", "--format", "json"]).stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    let of_bob = list.as_array().unwrap().iter().filter(|it| it["subject"]["key"] == "a2");
    let told = of_bob.map(|it| {
        let privileged = match it["is_privileged"].as_bool() {
            Some(true) => "privileged",
            Some(false) => "not privileged",
            None => "roles not shown",
        };
        let word = |key: &str| it[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} ({privileged})", word("cause"), word("state"))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

fn switched_off(world: &mut World) {
    world.switch_off("a2", now());
}

/// The queries that the app was asked with.
fn queries(sim: &Sim) -> Vec<String> {
    let of_app = sim.requests().into_iter().filter(|it| it.path.contains("/scim/"));
    of_app.filter_map(|it| it.query).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn github_keeps_whom_it_suspends_under_an_unreadable_name() {
    let app = App {
        profile: "github-enterprise",
        habits: "",
        bob: "00ubob00000000000002 bob@firm.test on roles=enterprise_owner",
        settings: "",
    };
    let (told, ..) = app
        .told(|world| {
            let bob = world.app.accounts.iter_mut().find(|it| it.id == "a2").unwrap();
            bob.active = Active::Set(false);
            bob.user_name = Some("8d2a5c01_firm".to_owned());
            bob.email = Some("8d2a5c01@users.invalid".to_owned());
        })
        .await;
    assert_snapshot!(told, @r"
        kept:    leaver_active open (privileged)
        then:    leaver_active resolved (privileged), residual_entitlement pending (privileged)
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_documents_that_it_deletes_is_believed_by_list_and_id() {
    let app = App {
        profile: "pagerduty",
        habits: " (deletes inactive)",
        bob: "00ubob00000000000002 bob@firm.test on roles=admin",
        settings: "",
    };
    let (told, _, site) = app.told(switched_off).await;
    let advice = ask(&site, &["config", "check"]).stdout;
    assert!(advice.contains("what its vendor documents counts"), "{advice}");
    assert_snapshot!(told, @r"
        kept:    leaver_active open (privileged)
        then:    leaver_active resolved (privileged)
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_from_an_organisation_of_github_may_be_a_member_still() {
    let app = App {
        profile: "github-organization",
        habits: " (deletes inactive)",
        bob: BOB,
        settings: "",
    };
    let (told, ..) = app.told(switched_off).await;
    assert_snapshot!(told, @r"
        kept:    leaver_active open (roles not shown)
        then:    leaver_active not_visible (roles not shown)
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_know_better_than_the_vendor() {
    let app = App {
        profile: "pagerduty",
        habits: " (deletes inactive)",
        bob: "00ubob00000000000002 bob@firm.test on roles=admin",
        settings: "deprovision = \"unknown\"\nprivileged_roles = [\"owner\"]",
    };
    let (told, ..) = app.told(switched_off).await;
    assert_snapshot!(told, @r"
        kept:    leaver_active open (not privileged)
        then:    leaver_active not_visible (not privileged)
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_view_of_the_app_is_not_bound_by_what_is_documented_of_scim() {
    let app = App {
        profile: "pagerduty",
        habits: " (deletes inactive)",
        bob: BOB,
        settings: "[[app.it.file]]\npath = \"users.csv\"\nprofile = \"generic-accounts\"",
    };
    let (_sim, site) = app.installed().await;
    let advice = ask(&site, &["config", "check"]).stdout;
    assert!(advice.contains("app `it` has `deprovision = \"unknown\"`"), "{advice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_active_users_alone_proves_nothing_without_an_inactive_canary() {
    let app = |settings| App {
        profile: "atlassian",
        habits: " (hides inactive, page 100)",
        bob: "00ubob00000000000002 bob@firm.test on\n  a3 00ufin00000000000003 finn@firm.test off",
        settings,
    };
    // By its id nothing is documented of an account that is off.
    let gone = |world: &mut World| world.app.accounts.retain(|it| it.id != "a2");
    let (told, ..) = app("").told(gone).await;
    assert_snapshot!(told, @r"
        kept:    leaver_active open (roles not shown)
        then:    leaver_active not_visible (roles not shown)
        ");
    let (told, ..) = app("inactive_canaries = [\"a3\"]").told(switched_off).await;
    assert_snapshot!(told, @r"
        kept:    leaver_active open (roles not shown)
        then:    leaver_active resolved (roles not shown)
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_gitlab_is_the_id_that_the_identity_provider_sent() {
    // No address and no name that Okta knows: only the id says whose it is.
    let app = App { profile: "gitlab", habits: "", bob: "- - on", settings: "" };
    let (sim, site) = app.installed().await;
    {
        let mut world = sim.world();
        let bob = world.app.accounts.iter_mut().find(|it| it.id == "a2").unwrap();
        bob.id = "00ubob00000000000002".to_owned();
        bob.user_name = Some("bobk".to_owned());
        bob.email = Some("bobk@elsewhere.test".to_owned());
    }
    assert_eq!(ask(&site, &["run", "--once"]).status, 0);
    let told = ask(&site, &["explain", "bob@firm.test"]).stdout;
    assert!(told.contains("leaver_active"), "{told}");
    assert!(told.contains("externalId"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_documented_an_account_that_is_gone_stays_a_question() {
    for profile in ["workos", "gitlab", "hcp-terraform"] {
        let app = App { profile, habits: " (deletes inactive)", bob: BOB, settings: "" };
        let (told, ..) = app.told(switched_off).await;
        assert!(told.ends_with("leaver_active not_visible (roles not shown)"), "{profile}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terraform_is_asked_for_its_largest_page_and_for_the_filters_it_documents() {
    let app = App { profile: "hcp-terraform", habits: " (page 200)", bob: BOB, settings: "" };
    let (sim, site) = app.installed().await;
    let doctor = ask(&site, &["doctor"]).stdout;
    assert!(doctor.contains("`externalId` filters work"), "{doctor}");
    let queries = queries(&sim);
    assert!(queries.iter().any(|it| it.contains("count=200")), "{queries:?}");
    assert!(queries.iter().any(|it| it.contains("filter=externalId")), "{queries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentry_member_is_listed_without_saying_that_they_are_on() {
    let app = App {
        profile: "sentry",
        habits: " (deletes inactive, page 100)",
        bob: "00ubob00000000000002 bob@firm.test absent +sentryOrgRole=manager",
        settings: "",
    };
    let (told, ..) = app.told(switched_off).await;
    assert_snapshot!(told, @r"
        kept:    leaver_listed open (privileged)
        then:    leaver_listed resolved (privileged)
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn polis_is_read_as_it_answers_and_never_asked_with_a_filter() {
    let app = App {
        profile: "ory-polis",
        habits: " (text booleans, ignores filters, newest first, plain json, no config)",
        bob: BOB,
        settings: "",
    };
    let (told, sim, site) = app.told(switched_off).await;
    assert_snapshot!(told, @r"
        kept:    leaver_active open (roles not shown)
        then:    leaver_active resolved (roles not shown)
        ");
    let doctor = ask(&site, &["doctor"]).stdout;
    assert!(doctor.contains("the app profile says that filters cannot be trusted"), "{doctor}");
    let queries = queries(&sim);
    assert!(!queries.is_empty() && !queries.iter().any(|it| it.contains("filter")), "{queries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_says_that_there_is_nobody_is_not_asked_and_clears_nobody() {
    let app = App { profile: "coder", habits: " (shows nobody)", bob: BOB, settings: "" };
    let (sim, site) = app.installed().await;
    let answer = ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("give its own export of users as a file"), "{answer}");
    assert_eq!(of_bob(&site), "nothing");
    assert_eq!(sim.count(Endpoint::named("scim").unwrap()), 0);
    let doctor = ask(&site, &["doctor"]);
    assert_eq!(doctor.status, 4, "{doctor}");
    assert!(doctor.stdout.contains("users are read elsewhere"), "{doctor}");
    // Read as any SCIM app it is a whole list without anybody.
    site.change_settings("canaries = [\"a1\"]\n", "deprovision = \"lists\"\n");
    site.change_settings("\"coder\"", "\"generic-scim\"");
    let answer = ask(&site, &["run", "--once"]);
    assert!(answer.stdout.contains("0 accounts"), "{answer}");
}
