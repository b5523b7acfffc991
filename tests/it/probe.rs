//! `probe deprovision`: a canary is switched off once somebody confirmed what would be sent, what the
//! app makes of it is kept with every request, and nobody's account but a canary is touched.

use rusqlite::Connection;
use sim::Sim;

use crate::live::{FIRM, ask, fault, installed_with};
use crate::site::{Answer, Site};

/// `c9` is the canary; `e7` is of somebody who is in no list any more.
async fn installed(app: &str) -> (Sim, Site) {
    let (sim, site) = ready(app).await;
    ask(&site, &["run", "--once"]);
    (sim, site)
}

/// The same before the first run.
async fn ready(app: &str) -> (Sim, Site) {
    let firm = FIRM.replace("\napp\n", &format!("\napp ({app})\n")).replace(
        "  a9 -",
        "  c9 - canary@firm.test on\n  d1 00ugit00000000000004 gita@firm.test on\n  e7 00ugone0000000000007 gone@firm.test on\n  a9 -",
    );
    let (sim, site) = installed_with(&firm, "").await;
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let probe = "\n[app.secureframe.scim.probe]\ntoken = \"file:write.token\"\ncanaries = [\"c9\", \"d1\", \"a2\", \"e7\", \"zz\"]\n";
    site.write("driftline.toml", settings + probe);
    site.write("write.token", "sim-scim-write-token\n");
    (sim, site)
}

fn probe(site: &Site, more: &[&str]) -> Answer {
    let args = [&["probe", "deprovision", "secureframe"][..], more].concat();
    ask(site, &args)
}

/// The digest that is shown.
fn shown(site: &Site, more: &[&str]) -> String {
    let answer = probe(site, more);
    assert_eq!(answer.status, 0, "{answer}");
    answer.stdout.split("--confirm ").nth(1).unwrap().trim().to_owned()
}

/// Shows, then confirms.
fn confirmed(site: &Site, more: &[&str]) -> Answer {
    let digest = shown(site, more);
    probe(site, &[more, &["--wait", "0", "--confirm", &digest][..]].concat())
}

fn row<T: rusqlite::types::FromSql>(site: &Site, sql: &str) -> T {
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_before_it_is_confirmed_and_then_what_was_shown_and_no_more() {
    let (sim, site) = installed("takes writes").await;
    let answer = probe(&site, &["c9", "--put-back"]);
    let page = answer.stdout.replace(sim.scim_url(), "SCIM");
    let page = page.split("--confirm").next().unwrap();
    insta::assert_snapshot!(page);
    assert_eq!(sim.offences(), Vec::<String>::new(), "it has read, and no more");
    assert_eq!(row::<i64>(&site, "SELECT count(*) FROM probe"), 0);

    let wrong = probe(&site, &["c9", "--confirm", "000000000000"]);
    assert_eq!(wrong.status, 2, "{wrong}");
    assert_eq!(sim.offences(), Vec::<String>::new());

    let done = confirmed(&site, &["c9", "--put-back"]);
    assert_eq!(done.status, 0, "{done}");
    assert!(done.stdout.contains("It stays in the list, inactive."), "{done}");
    assert!(done.stdout.contains("and it is on again"), "{done}");
    let offences = sim.offences();
    assert_eq!(offences.len(), 2, "off and on, and nothing else: {offences:?}");
    assert!(offences.iter().all(|it| it.contains("PATCH") && it.contains("/Users/c9")));
    // A run after it reads as ever, and the ledger is whole.
    assert_eq!(ask(&site, &["run", "--once"]).status, 0);
    assert_eq!(sim.offences().len(), 2);
    let verified = ask(&site, &["ledger", "verify"]);
    assert_eq!(verified.status, 0, "{verified}");
    assert_eq!(ask(&site, &["db", "verify"]).status, 0);
    assert_eq!(ask(&site, &["evidence", "rederive", "1", "2"]).status, 0);
    // A request that somebody takes out is missed.
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER probe_request_no_delete; DELETE FROM probe_request WHERE id = 1;",
        )
        .unwrap();
    let verified = ask(&site, &["ledger", "verify"]);
    assert_eq!(verified.status, 6, "{verified}");
    let told = ask(&site, &["doctor"]).stdout;
    assert!(told.contains("Seen, and not set: 1 account stayed in the list, inactive"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_that_confirms_says_again_all_that_was_said() {
    let (_sim, site) = installed("takes writes").await;
    site.write("my settings.toml", site.read("driftline.toml"));
    let said =
        "--config|my settings.toml|probe|deprovision|secureframe|c9|--put-back|--wait|5|--by|Ada L";
    let shown = ask(&site, &said.split('|').collect::<Vec<_>>());
    let line = shown.stdout.lines().last().unwrap();
    let again = "  driftline --config 'my settings.toml' probe deprovision secureframe c9 --put-back --wait 5 --by 'Ada L' --confirm ";
    assert!(line.starts_with(again), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_without_its_token_is_told_before_anybody_probes() {
    let (_sim, site) = installed("takes writes").await;
    let doctor = ask(&site, &["doctor"]);
    assert!(doctor.stdout.contains("a probe has its token: It is there"), "{doctor}");
    std::fs::remove_file(site.path("write.token")).unwrap();
    let checked = ask(&site, &["config", "check"]);
    assert!(checked.status != 0 && checked.stderr.contains("scim.probe.token"), "{checked}");
    let doctor = ask(&site, &["doctor"]);
    assert_eq!(doctor.status, 4, "{doctor}");
    let told = doctor.stdout.lines().find(|it| it.contains("a probe has its token")).unwrap();
    assert!(told.contains("failed") && told.contains("scim.probe.token"), "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_which_an_app_takes_it_is_told_and_kept_with_every_request() {
    for (app, behaviour, words) in [
        ("takes writes", Some("lists"), "It stays in the list, inactive."),
        ("takes writes, hides inactive", Some("hides"), "by its id it is there, inactive."),
        (
            "takes writes, deletes inactive",
            Some("deletes"),
            "by its id it is gone: deleted, or forgotten",
        ),
        ("ignores writes", None, "It is still shown on."),
        // The token may not write there.
        ("page 2", None, "refused the change (HTTP 401). It is still shown on."),
    ] {
        let (sim, site) = installed(app).await;
        let done = confirmed(&site, &["c9"]);
        assert!(done.stdout.contains(words), "{app}: {done}");
        assert_eq!(done.status, if behaviour.is_some() { 0 } else { 4 }, "{app}: {done}");
        let kept: Option<String> = row(&site, "SELECT behaviour FROM probe_end");
        assert_eq!(kept.as_deref(), behaviour, "{app}");
        let n: i64 = row(&site, "SELECT count(*) FROM deprovision WHERE probe = 1");
        assert_eq!(n, i64::from(behaviour.is_some()));
        let patch = "FROM probe_request WHERE method = 'PATCH' AND sent_sha256 IS NOT NULL";
        assert_eq!(row::<i64>(&site, &format!("SELECT count(*) {patch}")), 1, "{app}");
        let url: String = row(&site, &format!("SELECT url {patch}"));
        assert_eq!(url, format!("{}/Users/c9", sim.scim_url()), "{app}");
        let gets: i64 = row(&site, "SELECT count(*) FROM probe_request WHERE method = 'GET'");
        assert!(gets >= 2, "{app}: the list and the account by id");
        let verified = ask(&site, &["ledger", "verify"]);
        assert_eq!(verified.status, 0, "{app}: {verified}");
        for secret in ["sim-scim-write-token", "sim-scim-token"] {
            assert!(!crate::site::stands_in(&site.read("driftline.db"), secret.as_bytes()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_anybodys_or_not_named_is_refused_and_nothing_is_sent() {
    let (sim, site) = installed("takes writes").await;
    for (account, words) in [
        ("d1", "is no canary"),
        ("a2", "is no canary"),
        ("e7", "of somebody who is in no list any more"),
        ("a9", "is not in `canaries`"),
        ("zz", "no run has seen account `zz`"),
    ] {
        let answer = probe(&site, &[account]);
        assert_eq!(answer.status, 2, "{account}: {answer}");
        assert!(answer.stderr.contains(words), "{account}: {answer}");
    }
    let (blind, dark) = ready("takes writes").await;
    fault(&blind, "okta/users", "cut-body");
    ask(&dark, &["run", "--once"]);
    let answer = probe(&dark, &["c9"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("were not seen whole, so whose it is"), "{answer}");
    assert_eq!(row::<i64>(&dark, "SELECT count(*) FROM probe"), 0);
    // It was given to somebody since the last run.
    sim.world().app.accounts.iter_mut().find(|it| it.id == "c9").unwrap().user_name =
        Some("gita@firm.test".to_owned());
    let answer = probe(&site, &["c9"]);
    assert!(answer.stderr.contains("is no canary"), "{answer}");
    // Somebody switched it off.
    let world = |sim: &Sim| {
        let now = crate::live::now();
        let mut world = sim.world();
        world.app.accounts.iter_mut().find(|it| it.id == "c9").unwrap().user_name =
            Some("canary@firm.test".to_owned());
        world.switch_off("c9", now);
    };
    world(&sim);
    let answer = probe(&site, &["c9"]);
    assert!(answer.stderr.contains("`c9` is not on"), "{answer}");
    assert_eq!(sim.offences(), Vec::<String>::new());
    assert_eq!(row::<i64>(&site, "SELECT count(*) FROM probe"), 0);

    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let (without, _) = settings.split_once("\n[app.secureframe.scim.probe]").unwrap();
    site.write("driftline.toml", without);
    let answer = probe(&site, &["c9"]);
    assert!(answer.stderr.contains("there is no [app.secureframe.scim.probe]"), "{answer}");
    site.write("driftline.toml", settings.replace("[\"c9\", ", "[\"a1\", "));
    let answer = probe(&site, &["c9"]);
    assert!(answer.stderr.contains("is one of the app's"), "a1 must be in every list: {answer}");
}
