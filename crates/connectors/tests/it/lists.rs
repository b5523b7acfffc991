//! Coverage, times, duplicates, several files for one list, profiles of one's own.

use std::fs;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectors::files::{Files, Profiles, recognise};
use domain::SystemKind::{App, Idp};
use domain::{AsOf, AsOfBasis, Coverage, Lifecycle, Proof};

use crate::{Noon, config, pull, pull_all, run, see, shown};

const TWO: &str = "id,status\n1,ACTIVE\n2,DEPROVISIONED\n";

#[test]
fn whole_is_declared_counted_or_taken_on_your_word() {
    let coverage = |whole: Option<bool>, rows: Option<u64>, on_your_word: bool| {
        let pulled = pull(Idp, "a.csv", TWO, |it| {
            (it.files[0].whole, it.files[0].rows, it.files[0].on_your_word) =
                (whole, rows, on_your_word);
        });
        match &pulled.snapshots[0].coverage {
            Coverage::Complete(proof) => Some(*proof),
            Coverage::Partial { .. } => None,
        }
    };
    #[rustfmt::skip]
    let table = [
        // whole       | rows    | your word | proof
        (None,           None,     false,      None),
        (None,           None,     true,       Some(Proof::YourWord)),
        (Some(true),     None,     false,      Some(Proof::DeclaredWhole)),
        (Some(false),    None,     true,       None),
        (None,           Some(2),  false,      Some(Proof::DeclaredWhole)),
        (Some(true),     Some(3),  true,       None),
    ];
    for (whole, rows, on_your_word, proof) in table {
        assert_eq!(coverage(whole, rows, on_your_word), proof, "{whole:?} {rows:?} {on_your_word}");
    }
}

#[test]
fn scim_must_state_its_total_or_end_its_cursor() {
    let page =
        |members: &str| format!(r#"{{{members}"Resources":[{{"id":"1","userName":"ana"}}]}}"#);
    let table = [
        (page(r#""totalResults":1,"#), true),
        (page(r#""totalResults":2,"#), false),
        (page(""), false),
        (
            format!(
                "{}{}",
                page(r#""nextCursor":"x","#),
                r#"{"Resources":[{"id":"2","userName":"bo"}]}"#
            ),
            true,
        ),
        (page(r#""nextCursor":"x","#), false),
        (
            format!(
                "{}{}",
                page(r#""totalResults":2,"#),
                r#"{"totalResults":3,"Resources":[{"id":"2","userName":"bo"}]}"#
            ),
            false,
        ),
    ];
    for (text, is_complete) in table {
        let pulled = pull(App, "scim.json", &text, |it| it.files[0].on_your_word = true);
        assert_eq!(
            pulled.snapshots[0].coverage.is_complete(),
            is_complete,
            "{text}: {}",
            shown(&pulled)
        );
    }
}

#[test]
fn duplicates_are_dropped_and_contradictions_named() {
    let text = "id,status\n1,ACTIVE\n2,ACTIVE\n1,ACTIVE\n2,DEPROVISIONED\n";
    insta::assert_snapshot!(shown(&pull(Idp, "a.csv", text, |it| it.files[0].whole = Some(true))), @"
sys identities (everyone), partial: `a.csv` line 3 and `a.csv` line 5 are about the same id and say different things
  1 member active name=- mail=- no=- ends=-
  2 member unknown name=- mail=- no=- ends=-
  note: rows dropped, which say what one before them says: 1
");
    let across = pull_all(
        Idp,
        &[("a.csv", TWO.as_bytes()), ("b.csv", b"id,status\n2,ACTIVE\n3,ACTIVE\n")],
        |it| {
            it.files[0].whole = Some(true);
            it.files[1].whole = Some(true);
        },
    );
    insta::assert_snapshot!(shown(&across), @"
sys identities (everyone), partial: `a.csv` line 3 and `b.csv` line 2 are about the same id and say different things
  1 member active name=- mail=- no=- ends=-
  2 member unknown name=- mail=- no=- ends=-
  3 member active name=- mail=- no=- ends=-
");
}

#[test]
fn a_broken_file_takes_its_lists_and_no_others() {
    let users = r#"[{"id":"1","status":"ACTIVE","profile":{"login":"ana"}}]"#;
    let app = r#"[{"id":"1","scope":"USER","status":"ACTIVE","credentials":{"userName":"ana"}}]"#;
    let pulled = pull_all(
        Idp,
        &[("users.json", users.as_bytes()), ("app.json", app.as_bytes()), ("more.json", b"[{")],
        |it| {
            it.files[2].profile = Some("okta-app-users".to_owned());
        },
    );
    insta::assert_snapshot!(shown(&pulled), @"
sys identities (everyone), partial: `users.json` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  1 member active name=ana mail=- no=- ends=-
failed [sys assignments]: failed to read `more.json`, row 1: a value is not closed at its end: the file is cut off, export or download it again
");
    let unknown =
        pull_all(Idp, &[("users.json", users.as_bytes()), ("what.csv", b"a,b\n1,2\n")], |it| {
            it.files[0].whole = Some(true);
        });
    let text = shown(&unknown);
    assert!(
        text.contains("partial: `what.csv` could not be read and may belong to this list"),
        "{text}"
    );
}

#[test]
fn as_of_is_stated_or_in_the_data_or_the_file_time() {
    let as_of = |tweak: fn(&mut connectors::files::Config), text: &str| {
        pull(App, "a.csv", text, tweak).snapshots[0].as_of
    };
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let dated = "id,active,as_of\n1,true,2026-11-02T00:00:00Z\n2,true,2026-11-01T00:00:00Z\n";
    assert_eq!(
        as_of(|_| {}, dated),
        AsOf { at: at("2026-11-23T06:00:00Z"), basis: AsOfBasis::Stated }
    );
    assert_eq!(
        as_of(|it| it.files[0].as_of = None, dated),
        AsOf { at: at("2026-11-01T00:00:00Z"), basis: AsOfBasis::InData }
    );
    let assumed = as_of(|it| it.files[0].as_of = None, "id,active\n1,true\n");
    assert_eq!(assumed.basis, AsOfBasis::FileTime);
    assert!(assumed.at <= at("2026-11-23T12:00:00Z"), "never ahead of the clock");
}

#[test]
fn who_has_left_by_two_rows_that_differ_in_a_name_has_left() {
    let text = "id,login,status\n1,ana,DEPROVISIONED\n1,ana.ruiz,DEPROVISIONED\n2,bo,ACTIVE\n2,bo.li,DEPROVISIONED\n";
    insta::assert_snapshot!(shown(&pull(Idp, "a.csv", text, |it| it.files[0].whole = Some(true))), @"
sys identities (everyone), partial: `a.csv` line 2 and `a.csv` line 3 are about the same id and say different things; `a.csv` line 4 and `a.csv` line 5 are about the same id and say different things
  1 member left name=ana mail=- no=- ends=-
  2 member unknown name=bo mail=- no=- ends=-
");
}

#[test]
fn an_operator_maps_statuses_over_the_profile() {
    let pulled = pull(Idp, "a.csv", "id,status\n1,On Leave\n2,retired\n3,odd\n", |it| {
        it.files[0].statuses =
            [("retired".to_owned(), Lifecycle::Left), ("on leave".to_owned(), Lifecycle::Left)]
                .into();
    });
    insta::assert_snapshot!(shown(&pulled), @"
sys identities (everyone), partial: `a.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  1 member left name=- mail=- no=- ends=-
  2 member left name=- mail=- no=- ends=-
  3 member unknown name=- mail=- no=- ends=-
unmapped status `odd` x1
");
}

#[test]
fn the_zone_of_the_file_goes_before_that_of_the_system() {
    let text = "id,status,ends_at\n1,ACTIVE,2026-12-31\n";
    let ends = |file: Option<&str>, system: Option<&str>| {
        let zone = |it: Option<&str>| it.map(|it| it.parse().unwrap());
        shown(&pull(Idp, "a.csv", text, |it| {
            (it.files[0].zone, it.zone) = (zone(file), zone(system));
        }))
    };
    assert!(ends(None, Some("Asia/Tokyo")).contains("ends=2026-12-31 15:00:00 UTC"));
    assert!(
        ends(Some("America/New_York"), Some("Asia/Tokyo")).contains("ends=2027-01-01 05:00:00 UTC")
    );
    insta::assert_snapshot!(ends(None, None), @r#"failed [sys identities]: failed to read `a.csv`, line 2: the date in `ends_at` has no zone: add `zone = "Europe/Berlin"` (or yours) to this file's settings, or `--zone` to `driftline check`"#);
}

#[test]
fn profiles_of_ones_own_extend_and_override() {
    let toml = r#"
name = "acme"
title = "Acme's export"
kind = "idp"
formats = ["csv"]
recognise = ["Kennung"]
date_formats = ["%d.%m.%Y"]
zone = "Europe/Berlin"

[identities]
lists = "everyone"
lifecycle = true
statuses = { da = "active", weg = "left" }

[identities.fields]
id = ["Kennung"]
status = ["Stand"]
ends_at = ["Ende"]
"#;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("acme.toml"), toml).unwrap();
    let profiles = Profiles::builtin().unwrap().with_folder(folder.path()).unwrap();
    assert_eq!(profiles.get("acme").map(connectors::files::Profile::title), Some("Acme's export"));
    fs::write(folder.path().join("a.csv"), "Kennung;Stand;Ende\n1;da;31.12.2026\n2;WEG;\n")
        .unwrap();
    assert_eq!(recognise(&folder.path().join("a.csv"), Idp, false, &profiles).unwrap(), "acme");
    let files = Files::new(config(Idp, folder.path(), &["a.csv"]), Arc::new(profiles));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    insta::assert_snapshot!(shown(&runtime.block_on(files.pull(&Noon))), @"
sys identities (everyone), partial: `a.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  1 member active name=- mail=- no=- ends=2026-12-31 23:00:00 UTC
  2 member left name=- mail=- no=- ends=-
");

    for (wrong, right) in [
        ("\"identities\"", "lists = \"all\""),
        ("title", "titel = 1\ntitle"),
        ("id = [\"Kennung\"]", "id = []"),
    ] {
        let broken = if wrong == "\"identities\"" {
            toml.replace("lists = \"everyone\"", right)
        } else {
            toml.replace(wrong, right)
        };
        let error = Profiles::builtin().unwrap().with_profile(&broken).unwrap_err().to_string();
        assert!(error.starts_with("`the profile` is not a profile: "), "{error}");
    }
}

#[test]
fn a_list_of_every_builtin_profile_has_its_name_once() {
    let profiles = Profiles::builtin().unwrap();
    let mut names: Vec<&str> = profiles.names().collect();
    assert_eq!(names.len(), 21);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 21);
}

#[test]
fn a_system_with_no_files_brings_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(shown(&run(config(Idp, folder.path(), &[]))), "");
    assert_eq!(see(Idp, "a.csv", "id,status\n").lines().count(), 1);
}
