//! Bad exports and bad settings: each is named with its place and what to do, and changes nothing
//! of what was known.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;

use crate::firm::{Night, SECOND, Says, planted, settings, user};
use crate::site::{Answer, Site};

/// Rows of every table that findings and conclusions rest on, of the version that counts.
fn counts(site: &Site) -> Vec<i64> {
    let connection = Connection::open(site.path("driftline.db")).unwrap();
    let tables = ["version_pack", "later_version", "ended", "link", "episode", "finding"];
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    tables.map(count).into()
}

/// A good night, then one with another `users`. Judges it, and checks that no finding was opened
/// or closed because of it.
fn night_with_users(write: impl FnOnce(&Path)) -> (Site, Answer) {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    let live = site.live();
    write(&site.path(&format!("exports/{SECOND}/users")));
    let answer = site.run();
    assert_eq!(site.live(), live, "{answer}");
    assert_eq!(site.report()["summary"]["n_over"], 0, "{answer}");
    site.told(&["db", "verify"]);
    (site, answer)
}

/// A table of users with these rows below a good one.
fn csv(rows: &str) -> Vec<u8> {
    format!("id,login,email,status,created_at\nx1,x1@example.com,x1@example.com,ACTIVE,\n{rows}")
        .into_bytes()
}

fn truncated_json() -> Vec<u8> {
    let mut text = Night::planted().users_json().into_bytes();
    text.truncate(text.len() / 2);
    text
}

fn latin_1() -> Vec<u8> {
    [&csv("x2,x2@example.com,x2@example.com,ACTIVE,\nx3,Jos")[..], b"\xe9,x3@example.com,ACTIVE,\n"]
        .concat()
}

fn twice_different() -> Vec<u8> {
    let rows = format!(
        r#"[{{"id":"{0}","status":"ACTIVE","profile":{{"login":"a@example.com"}}}},
{{"id":"{0}","status":"DEPROVISIONED","profile":{{"login":"a@example.com"}}}}]"#,
        user(9)
    );
    rows.into_bytes()
}

fn nested(depth: usize) -> Vec<u8> {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    let row =
        format!(r#"{{"id":"{}","status":"ACTIVE","profile":{{"login":"a@example.com"}}"#, user(9));
    format!("[{row}}},{row},\"more\":{open}{close}}}]").into_bytes()
}

#[test]
fn bad_exports_are_named_with_place_and_remedy_and_change_nothing() {
    let row_too_long = csv(&format!("x2,\"{}\",x,ACTIVE,\n", "x".repeat(2 << 20)));
    let unclosed = csv("x2,\"x2@example.com,x2@example.com,ACTIVE,\n");
    let longer = csv("x2,x2@example.com,x2@example.com,ACTIVE,,,surplus\n");
    #[rustfmt::skip]
    let table: [(&str, Vec<u8>, &[&str]); 11] = [
        // what              | bytes           | what is said
        ( "empty",             Vec::new(),       &["`2026-11-20/users`", "the file is empty", "export it again"] ),
        ( "only blanks",       b" \n\n".into(),  &["`2026-11-20/users`"] ),
        ( "truncated JSON",    truncated_json(), &["`2026-11-20/users`, row 1", "cut off", "export or download it again"] ),
        ( "open quote",        unclosed,         &["`2026-11-20/users`, line 3", "quote", "cut off"] ),
        ( "binary",            b"\x7fELF\x02\x01\x01\0\0\0\0\0".into(), &["`2026-11-20/users`", "binary", "save it as UTF-8"] ),
        ( "latin-1",           latin_1(),        &["`2026-11-20/users`, line 4", "not UTF-8", "save it as UTF-8"] ),
        ( "unknown columns",   b"colour,shape\nred,round\n".into(), &["`2026-11-20/users`", "colour", "shape", "map it"] ),
        ( "row too long",      row_too_long,     &["`2026-11-20/users`, line 3", "1024 KiB"] ),
        ( "too many cells",    longer,           &["`2026-11-20/users`, line 3", "7 cells", "header 5"] ),
        ( "no date",           csv("x2,x2@example.com,x2@example.com,ACTIVE,last spring\n"), &["`2026-11-20/users`, line 3", "`last spring` in `created_at` is no date", "2026-01-31"] ),
        ( "nested",            nested(10_000),   &["`2026-11-20/users`, row 2"] ),
    ];
    for (what, bytes, needles) in table {
        let (site, answer) = night_with_users(|path| fs::write(path, bytes).unwrap());
        assert_eq!(answer.status, 4, "{what}: {answer}");
        for needle in needles {
            assert!(answer.stderr.contains(needle), "{what}: `{needle}` is missing: {answer}");
        }
        // Mended, the same night is judged as if nothing had been.
        site.night(SECOND, &Night::planted());
        site.told(&["run", "--once"]);
        assert_eq!(site.live(), planted(), "{what}");
    }
}

#[test]
fn an_export_that_cannot_be_read_writes_no_row() {
    let after_first = counts(&Site::firm_after_first());
    for bytes in [Vec::new(), truncated_json(), b"colour,shape\nred,round\n".to_vec()] {
        let (site, answer) = night_with_users(|path| fs::write(path, bytes).unwrap());
        assert_eq!(counts(&site), after_first, "{answer}");
    }
}

#[test]
fn a_missing_export_is_named() {
    let (_, answer) = night_with_users(|path| fs::remove_file(path).unwrap());
    assert_eq!(answer.status, 4, "{answer}");
    for needle in ["`2026-11-20/users`", "cannot be opened or read", "check the path"] {
        assert!(answer.stderr.contains(needle), "`{needle}` is missing: {answer}");
    }
}

#[test]
fn an_id_with_two_contents_is_named_and_its_list_is_partial() {
    let (site, answer) = night_with_users(|path| fs::write(path, twice_different()).unwrap());
    assert_eq!(answer.status, 4, "{answer}");
    let report = site.report();
    let mut sources = report["sources"].as_array().unwrap().iter();
    let users = sources.find(|it| it["list"] == "identities").unwrap().to_string();
    for needle in ["\"partial\"", "`2026-11-20/users` line 1", "line 2", "about the same id"] {
        assert!(users.contains(needle), "`{needle}` is missing: {users}");
    }
}

#[test]
fn a_list_that_another_profile_reads_gives_no_finding_a_second_number() {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    let numbers = || site.states().into_iter().map(|[_, _, id, _]| id).collect::<BTreeSet<_>>();
    let before = numbers();
    site.write(&format!("exports/{SECOND}/users"), csv(""));
    let answer = site.run();
    assert_eq!(answer.status, 4, "{answer}");
    assert_eq!(numbers(), before, "{answer}");
}

#[test]
fn an_empty_folder_is_no_empty_file() {
    let (_, answer) = night_with_users(|path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    });
    assert_eq!(answer.status, 4, "{answer}");
    for needle in ["`2026-11-20/users`", "the folder holds no file", "export into it"] {
        assert!(answer.stderr.contains(needle), "`{needle}` is missing: {answer}");
    }
}

#[test]
fn a_run_that_judges_no_app_is_not_complete() {
    let answer = Site::new("").run();
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stdout.contains("no app was judged: add an `[app.NAME]`"), "{answer}");
}

#[test]
fn a_date_without_zone_asks_for_one() {
    let site = Site::new("");
    site.write("users.csv", csv("x2,x2@example.com,x2@example.com,ACTIVE,2026-11-01 10:00:00\n"));
    site.write("accounts", Night::planted().accounts_json());
    let files = ["check", "--idp", "users.csv", "--app", "accounts", "--fail-on", "none"];
    let answer = site.ask(&files);
    assert_eq!(answer.status, 4, "{answer}");
    for needle in ["`users.csv`, line 3", "`created_at` has no zone", "zone"] {
        assert!(answer.stderr.contains(needle), "`{needle}` is missing: {answer}");
    }
    let answer = site.ask(&[&files[..], &["--zone", "Europe/Berlin"]].concat());
    assert_eq!(answer.status, 0, "{answer}");
    // What is a file of its own, and of no vendor's form, is told.
    for line in [
        "idp        generic-identities       users.csv",
        "app        scim-users               accounts",
    ] {
        assert!(answer.stdout.contains(line), "`{line}` is missing: {answer}");
    }
}

#[test]
fn three_empty_gigabytes_cost_neither_time_nor_memory() {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    let file = File::create(site.path(&format!("exports/{SECOND}/users"))).unwrap();
    file.set_len(3 << 30).unwrap();
    // 2 GiB of address space, in KiB, are less than the file.
    let answer = site.limited("ulimit -v 2097152", &["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("`2026-11-20/users`"), "{answer}");
    assert_eq!(site.live(), planted(), "{answer}");
}

#[test]
fn three_gigabytes_in_one_row_are_refused_at_its_limit() {
    let site = Site::firm_after_first();
    site.night(SECOND, &Night::planted());
    let path = site.path(&format!("exports/{SECOND}/users"));
    // A good beginning, and then nothing but zeros.
    fs::write(&path, csv("x2,")).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(3 << 30).unwrap();
    let answer = site.limited("ulimit -v 2097152", &["run", "--once"]);
    assert_eq!(answer.status, 4, "{answer}");
    assert!(answer.stderr.contains("`2026-11-20/users`"), "{answer}");
    assert_eq!(site.live(), planted(), "{answer}");
}

#[test]
fn bad_settings_are_named_by_line_and_key_and_print_no_secret() {
    let good = settings(Says::default());
    let key = "fingerprint_key = \"hunter2-hunter2-hunter2\"";
    #[rustfmt::skip]
    let table: [(&str, String, &[&str]); 5] = [
        ( "misspelt key",    good.replace("deprovision =", "deprovison ="), &["`driftline.toml`", "line 15", ".deprovison` is not a key", "did you mean `deprovision`"] ),
        ( "misspelt word",   good.replace("\"lists\"", "\"list\""),         &["line 15", "deprovision", "`lists`"] ),
        ( "no TOML",         good.replace("[nights]", "[nights"),           &["`driftline.toml`", "line 3"] ),
        ( "secret in clear", format!("{good}[deployment]\n{key}\n"),        &["line 19", "`deployment.fingerprint_key`", "file:", "env:"] ),
        ( "unknown secret",  format!("{good}[deployment]\napi_token = \"hunter2-hunter2-hunter2\"\n"), &["line 19", "api_token"] ),
    ];
    for (what, text, needles) in table {
        let site = Site::firm_after_first();
        site.night(SECOND, &Night::planted());
        let before = fs::read(site.path("driftline.db")).unwrap();
        site.write("driftline.toml", text);
        for args in [&["run", "--once"][..], &["config", "check"], &["findings", "list"]] {
            let answer = site.ask(args);
            assert_eq!(answer.status, 3, "{what}: {answer}");
            for needle in needles {
                let is_there = answer.stderr.contains(needle);
                assert!(is_there, "{what}: `{needle}` is missing: {answer}");
            }
            let all = answer.to_string();
            assert!(!all.contains("hunter2"), "{what}: the secret was printed");
        }
        assert!(before == fs::read(site.path("driftline.db")).unwrap(), "{what}");
    }
    let site = Site::firm();
    let answer = site.ask(&["run", "--once", "--config", "nowhere.toml"]);
    assert_eq!(answer.status, 3, "{answer}");
    assert!(answer.stderr.contains("`nowhere.toml`"), "{answer}");
}
