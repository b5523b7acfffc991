//! Past nights are judged again from what is stored, and come out as they are stored, or what differs
//! is named.

use std::fs;

use rusqlite::Connection;

use crate::light::{ANA, FIRM, Watched};
use crate::quickstart::ORPHAN;
use crate::site::{Answer, Site, copy_all};

fn rederive(site: &Site, runs: &[&str]) -> Answer {
    site.ask(&[&["evidence", "rederive"][..], runs].concat())
}

impl Site {
    /// Every run that there is comes out as it is stored.
    pub(crate) fn rederives_every_run(&self) {
        let connection = Connection::open(self.path("driftline.db")).unwrap();
        let last = connection.query_row("SELECT max(id) FROM run", [], |row| row.get(0));
        self.rederives(usize::try_from(last.unwrap_or(0_i64)).unwrap());
    }

    /// Every run so far, which are so many, comes out as it is stored.
    pub(crate) fn rederives(&self, n_runs: usize) {
        let runs: Vec<String> = (1..=n_runs).map(|it| it.to_string()).collect();
        let runs: Vec<&str> = runs.iter().map(|it| &**it).collect();
        let answer = rederive(self, &runs);
        assert_eq!(answer.status, 0, "{answer}");
        assert_eq!(answer.stdout.matches("  the same: judged again, ").count(), n_runs, "{answer}");
        let beyond = rederive(self, &[&(n_runs + 1).to_string()]);
        assert_eq!(beyond.status, 2, "{beyond}");
    }
}

/// The same exports a day later.
fn another_night(site: &Site, date: &str) {
    copy_all(&site.path("samples/2026-11-20"), &site.path(&format!("samples/{date}")));
    site.told(&["run", "--once"]);
}

fn id_of(site: &Site, cause: &str, key: &str) -> String {
    let mut states = site.states().into_iter();
    states.find(|it| it[0] == cause && it[1] == key).unwrap()[2].clone()
}

#[test]
fn every_night_comes_out_as_it_is_stored_whatever_people_said_between_them() {
    let site = Site::quickstart_after_nights();
    site.rederives(2);

    // A waiver of two people, a link by a person, an acknowledgement, a registered account.
    let orphan = id_of(&site, "orphan_active", ORPHAN);
    let because = ["--reason", "handover", "--until", "2099-12-31", "--by", "Ada"];
    site.told(&[&["findings", "waive", "request", &orphan][..], &because].concat());
    site.told(&["findings", "waive", "approve", "1", "--by", "Grace"]);
    let (shared, owner) = ("7438ca9e-3625-41f0-9da2-ccabb94c13b9", "okta/00u8eptEllHw05aRgLd7");
    let rows = format!("account,identity,reason\n{shared},{owner},asked them both\n");
    site.write("decisions.csv", rows);
    site.told(&["findings", "link", "--from", "decisions.csv", "--by", "Ada"]);
    let is_leaver = |it: &[String; 4]| it[0] == "leaver_active" && it[3] == "open";
    let leaver = site.states().into_iter().find(is_leaver).unwrap();
    site.told(&["findings", "ack", &leaver[2], "--reason", "in work", "--by", "Ada"]);
    another_night(&site, "2026-11-21");
    let states = site.states();
    assert!(states.iter().any(|it| it[3] == "waived"), "{states:?}");

    // Other settings from here on: those of then are kept. Somebody takes their word back.
    site.change_settings("[policy]", "[policy]\nmax_age = \"3d\"");
    site.told(&["findings", "reopen", &leaver[2], "--reason", "not done", "--by", "Ada"]);
    another_night(&site, "2026-11-22");
    site.rederives(4);

    // Lists that cannot be read, and one that is there again.
    let third = site.path("samples/2026-11-23");
    copy_all(&site.path("samples/2026-11-20"), &third);
    fs::write(third.join("okta_users.json"), "[]").unwrap();
    fs::write(third.join("hr_leavers.csv"), "nothing").unwrap();
    assert_eq!(site.run().status, 4);
    another_night(&site, "2026-11-24");
    // The night whose lists were not read is judged again with the next.
    site.rederives(7);
    let verified = site.told(&["db", "verify"]);
    assert!(verified.stdout.contains("is what was written"), "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_accounts_that_was_refused_for_its_date_is_judged_again_as_it_was() {
    let nobody_has_the_app = FIRM.replace(" assigned", "");
    let (sim, site) = crate::live::installed_with(&nobody_has_the_app, "").await;
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let idp = settings.split("[app.secureframe]").next().unwrap();
    let file = |as_of: &str| {
        format!(
            "{idp}[app.secureframe]\nidps = [\"okta\"]\n[[app.secureframe.file]]\n\
             path = \"accounts.json\"\nwhole = true\nas_of = \"{as_of}\"\n"
        )
    };
    site.write("accounts.json", crate::firm::Night::quiet().accounts_json());
    // The list is refused, and yet it says that the app has accounts: a first list of assignments
    // without a row is held.
    site.write("driftline.toml", file("2099-01-01T00:00:00Z"));
    let answer = crate::live::ask(&site, &["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    let report = site.report().to_string();
    assert!(report.contains("which is ahead of"), "{report}");
    assert!(report.contains("no rows in the first list, and the app has accounts"), "{report}");
    drop(sim);
    site.rederives(1);
}

#[tokio::test]
async fn light_passes_and_what_was_asked_by_id_come_out_as_they_are_stored() {
    let firm = Watched::seen(FIRM).await;
    let hours = |n: i64| chrono::TimeDelta::minutes(15 * n);
    for n in 1..=3 {
        firm.sim.clock().advance(hours(n));
        firm.run(domain::Pass::Light).await;
    }
    firm.sim.world().deactivate(ANA, firm.now());
    for n in 1..=3 {
        firm.sim.clock().advance(hours(n));
        firm.run(domain::Pass::Light).await;
    }
    firm.sim.clock().advance(chrono::TimeDelta::hours(20));
    firm.run(domain::Pass::Full).await;
    // The firm is gone: nobody can be asked any more.
    let Watched { sim, store, folder: _folder, plan } = firm;
    drop(sim);
    let mut n_answers = 0;
    for run in 1..=8 {
        let run = domain::RunId(run);
        n_answers += store.observations(run).await.unwrap().len();
        let past = store.past_run(run).await.unwrap().unwrap();
        let found = engine::rederive(&store, &past, &plan).await.unwrap();
        assert!(matches!(found, engine::Rederived::Same { .. }), "run {run}: {found:?}");
    }
    assert!(n_answers > 0, "nobody was asked by id");
}

/// The database is changed past everything that guards it.
fn tamper(site: &Site, sql: &str) {
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let triggers: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        connection.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    assert!(connection.execute(sql, []).unwrap() > 0, "nothing was changed by {sql}");
}

#[test]
fn what_somebody_changed_in_the_database_is_named() {
    for (sql, run, named) in [
        // A verdict, a finding, what happened to it, and a leaver.
        (
            "UPDATE standing SET verdict = 0 WHERE id = (SELECT max(id) FROM standing WHERE run = 1 AND verdict = 6)",
            "1",
            "  verdict of secureframe/",
        ),
        (
            "UPDATE finding SET severity = 'low' WHERE id = 14",
            "2",
            "  finding DL-14 severity: stored \"low\", again \"critical\"",
        ),
        (
            "UPDATE finding_event SET state = 'resolved' WHERE finding = 14 AND run = 1",
            "1",
            "  what happened to DL-14 state: stored \"resolved\", again ",
        ),
        (
            "UPDATE leaver SET record = replace(record, '\"missed\"', '\"met\"') WHERE run = 1",
            "1",
            "  leaver ",
        ),
        (
            "DELETE FROM standing WHERE id = (SELECT max(id) FROM standing WHERE run = 2)",
            "2",
            ": stored nothing, again {",
        ),
        // What the conclusions rest on: a list's digest, a person's word, the clock.
        (
            "UPDATE snapshot SET held = 'no' WHERE run = 1 AND id = 1",
            "1",
            " held: stored \"no\", again null",
        ),
        ("UPDATE run SET now_ms = now_ms + 86400000 WHERE id = 1", "1", " began_at_ms: stored "),
        ("UPDATE run SET n_open = 0 WHERE id = 2", "2", "  run 2 n_open: stored 0, again "),
        // The report, without the digest that goes with it.
        (
            "UPDATE report SET sha256 = zeroblob(32) WHERE run = 2",
            "2",
            "  report: the report of run 2 does not match its digest",
        ),
    ] {
        let site = Site::quickstart_after_nights();
        tamper(&site, sql);
        let answer = rederive(&site, &[run]);
        assert_eq!(answer.status, 6, "{sql}: {answer}");
        assert!(answer.stdout.contains(&format!("run {run}  DIFFERS\n")), "{sql}: {answer}");
        assert!(answer.stdout.contains(named), "{sql}: `{named}` is not told: {answer}");
    }
}

#[test]
fn a_row_that_somebody_changed_is_named_by_its_list() {
    let site = Site::quickstart_after_nights();
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let (first, pack): (i64, Vec<u8>) = connection
        .query_row("SELECT first, versions FROM version_pack ORDER BY first LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let address = pack.windows(4).position(|it| it == b".com").unwrap();
    let mut changed = pack;
    changed[address + 1..address + 4].copy_from_slice(b"net");
    let sql = "UPDATE version_pack SET versions = ?1 WHERE first = ?2";
    connection.execute(sql, rusqlite::params![changed, first]).unwrap();
    drop(connection);
    let answer = rederive(&site, &["1"]);
    assert_eq!(answer.status, 6, "{answer}");
    assert!(answer.stdout.contains("  list "), "{answer}");
    assert!(answer.stdout.contains(" digest: stored "), "{answer}");
}

#[test]
fn a_report_that_was_written_anew_is_named_by_field() {
    let site = Site::quickstart_after_nights();
    let json = String::from_utf8(site.told(&["report", "--format", "json"]).bytes).unwrap();
    let (head, findings) = json.split_at(json.find("\"findings\": [").unwrap());
    let milder = findings.replacen("\"severity\": \"critical\"", "\"severity\": \"low\"", 1);
    assert_ne!(findings, milder);
    let milder = format!("{head}{milder}");
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let zstd = zstd::encode_all(milder.as_bytes(), 3).unwrap();
    let sha256 = ledger::sha256(milder.as_bytes());
    let n_bytes = i64::try_from(milder.len()).unwrap();
    let sql = "UPDATE report SET base = NULL, zstd = ?1, sha256 = ?2, n_bytes = ?3 WHERE run = 2";
    connection.execute(sql, rusqlite::params![zstd, &sha256[..], n_bytes]).unwrap();
    drop(connection);
    let answer = rederive(&site, &["2"]);
    assert_eq!(answer.status, 6, "{answer}");
    let named = "severity: stored \"low\", again \"critical\"";
    assert!(answer.stdout.contains("  report: findings DL-"), "{answer}");
    assert!(answer.stdout.contains(named), "{answer}");
    assert!(answer.stdout.contains("  its report is not the one of entry "), "{answer}");
    assert_eq!(answer.stdout.lines().count(), 3, "{answer}");
}

/// Changes a value of `meta` past everything that guards it: how it is read, and how it is written.
fn tamper_inputs(site: &Site, key: &str, change: impl Fn(&mut serde_json::Value)) {
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let select = "SELECT value FROM meta WHERE key = ?1";
    let value: Vec<u8> = connection.query_row(select, [key], |row| row.get(0)).unwrap();
    let mut value = crate::site::json(&zstd::decode_all(&*value).unwrap());
    let before = value.clone();
    change(&mut value);
    assert_ne!(value, before);
    let value = zstd::encode_all(value.to_string().as_bytes(), 3).unwrap();
    let update = "UPDATE meta SET value = ?2 WHERE key = ?1";
    connection.execute(update, rusqlite::params![key, value]).unwrap();
}

#[test]
fn what_a_run_was_given_is_that_of_the_ledger_or_the_part_that_somebody_changed_is_named() {
    const INPUTS: &str = "inputs/000000000002";
    let site = Site::quickstart_after_nights();
    let given = |named: &str| {
        let answer = rederive(&site, &["2", "1"]);
        assert_eq!(answer.status, 6, "{named}: {answer}");
        let named = format!("run 2  DIFFERS\n  what it was given was changed since: {named}\n");
        assert!(answer.stdout.contains(&named), "`{named}` is not told: {answer}");
        assert!(answer.stdout.contains("run 1  the same"), "{answer}");
    };
    // A part of which nothing that the run concluded tells.
    let before = site.read("driftline.db");
    tamper_inputs(&site, INPUTS, |it| it["overwritten"] = 7.into());
    given("overwritten");
    site.write("driftline.db", &before);
    tamper_inputs(&site, INPUTS, |it| {
        it["unmapped"] = serde_json::json!([["okta", "status", "odd", 1]]);
    });
    given("unmapped");
    // With its digest: what is over all of them is in the ledger.
    tamper_inputs(&site, INPUTS, |it| it["digests"]["unmapped"] = "0".repeat(64).into());
    given("all of it, with the digests of its parts");
    site.write("driftline.db", &before);
    tamper(
        &site,
        "UPDATE meta SET value = (SELECT value FROM meta WHERE key = 'rows/000000000001') WHERE key = 'rows/000000000002'",
    );
    assert_eq!(rederive(&site, &["2"]).status, 6);
    site.write("driftline.db", &before);
    tamper(&site, "DELETE FROM meta WHERE key = 'inputs/000000000002'");
    let answer = rederive(&site, &["2"]);
    assert_eq!(answer.status, 6, "{answer}");
    assert!(answer.stdout.contains("was taken out, and by no erasure"), "{answer}");
}

#[tokio::test]
async fn an_answer_or_a_line_of_a_log_that_somebody_changed_is_named() {
    let firm = Watched::seen(FIRM).await;
    firm.sim.world().deactivate(ANA, firm.now());
    firm.sim.clock().advance(chrono::TimeDelta::minutes(15));
    firm.run(domain::Pass::Light).await;
    let Watched { store, folder, .. } = firm;
    let run = domain::RunId(2);
    assert_eq!(store.told_otherwise(run).await.unwrap(), Vec::<String>::new());
    let connection = Connection::open(folder.path().join("driftline.db")).unwrap();
    for (sql, part) in [
        ("UPDATE observation SET received_at_ms = received_at_ms + 1 WHERE run = 2", "answers"),
        ("UPDATE log_event SET at_ms = at_ms - 1 WHERE run = 2", "logs"),
    ] {
        let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema
                        WHERE type = 'trigger' AND tbl_name IN ('observation', 'log_event')";
        let triggers: Option<String> =
            connection.query_row(triggers, [], |row| row.get(0)).unwrap();
        connection.execute_batch(&triggers.unwrap_or_default()).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        let told = store.told_otherwise(run).await.unwrap().join("; ");
        assert!(told.contains(&format!("was changed since: {part}")), "{told}");
    }
}

#[test]
fn what_cannot_be_judged_again_is_said_with_the_reason() {
    let site = Site::quickstart_after_nights();
    let answer = rederive(&site, &["3"]);
    assert_eq!(answer.status, 2, "{answer}");
    assert!(answer.stderr.contains("there is no run 3: the last is 2"), "{answer}");

    tamper(&site, "UPDATE run SET software = 'driftline 0.0.9' WHERE id = 1");
    let answer = rederive(&site, &["1", "2"]);
    assert_eq!(answer.status, 7, "{answer}");
    assert!(answer.stdout.contains("use that version"), "{answer}");
    assert!(answer.stdout.contains("run 2  the same"), "{answer}");

    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    site.write("driftline.toml", settings + "\n# Another text.\n");
    assert_eq!(rederive(&site, &["2"]).status, 0);
    tamper(&site, "DELETE FROM meta WHERE key LIKE 'settings/%'");
    let answer = rederive(&site, &["2"]);
    assert_eq!(answer.status, 7, "{answer}");
    assert!(answer.stdout.contains("are not kept as they were"), "{answer}");
}

#[test]
fn a_run_whose_entry_has_no_digest_of_what_it_was_given_is_judged_again_all_the_same() {
    let site = Site::quickstart_after_nights();
    tamper(
        &site,
        "UPDATE ledger_entry SET entry = CAST(json_remove(CAST(entry AS TEXT), '$.body.inputs_sha256')
         AS BLOB) WHERE seq = (SELECT max(seq) FROM ledger_entry WHERE kind = 'run.completed')",
    );
    site.rederives(2);
    tamper(&site, "DELETE FROM meta WHERE key LIKE 'inputs/%2'");
    let answer = rederive(&site, &["2", "1"]);
    assert_eq!(answer.status, 7, "{answer}");
    assert!(answer.stdout.contains("what it was given is not kept"), "{answer}");
    assert!(answer.stdout.contains("run 1  the same"), "{answer}");
}
