//! Bad input: each an error that names the file, the place and what to do; no row of it counts.

use std::fs::{self, File};

use connectors::files::{Profiles, PullErrorKind};
use domain::SystemKind::{App, Hr, Idp, Register};

use crate::{config, pull, run, see, shown};

#[test]
fn unreadable_files() {
    let folder = tempfile::tempdir().unwrap();
    let missing = shown(&run(config(App, folder.path(), &["gone.csv"])));
    assert!(missing.starts_with("failed [sys accounts (file)]: failed to read `gone.csv`: the file cannot be opened or read"), "{missing}");
    fs::create_dir(folder.path().join("pages")).unwrap();
    insta::assert_snapshot!(shown(&run(config(App, folder.path(), &["pages"]))), @"failed [sys accounts (file)]: failed to read `pages`: the folder holds no file: export into it, or name the file itself");
    for (name, bytes) in [("empty.csv", ""), ("blank.json", " \n\n "), ("bom.csv", "\u{feff}")] {
        let pulled = pull(App, name, bytes, |_| {});
        assert!(
            matches!(pulled.failures[0].error.kind, PullErrorKind::Empty),
            "{name}: {}",
            shown(&pulled)
        );
        assert!(pulled.snapshots.is_empty());
    }
}

#[test]
fn binary_and_wrong_encodings() {
    for bytes in [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
        b"id,active\n1,\xfftrue\n",
        b"\xfe\xff\0i\0d",
        b"id,active\n1,tr\0ue\n",
    ] {
        let pulled = pull(App, "a.csv", bytes, |_| {});
        assert!(
            matches!(pulled.failures[0].error.kind, PullErrorKind::Encoding { .. }),
            "{}",
            shown(&pulled)
        );
        assert!(pulled.snapshots.is_empty());
    }
    insta::assert_snapshot!(shown(&pull(App, "a.csv", b"id,active\n1,true\n2,\xff\n", |_| {})), @"failed [sys accounts (file)]: failed to read `a.csv`, line 3: the row is not UTF-8: save it as UTF-8, or as UTF-16 with a byte order mark");
}

#[test]
fn cut_off_files() {
    for text in [
        r#"[{"id":"1","userName":"ana"},{"id":"2","userNa"#,
        r#"[{"id":"1","userName":"ana"}"#,
        r#"{"totalResults":1,"Resources":[{"id":"1","userName":"ana"}]"#,
        "{\"id\":\"1\",\"userName\":\"ana\"}\n{\"id\":\"2\",",
    ] {
        let pulled =
            pull(App, "a.json", text, |it| it.files[0].profile = Some("scim-users".to_owned()));
        assert!(
            matches!(pulled.failures[0].error.kind, PullErrorKind::Truncated { .. }),
            "{text}: {}",
            shown(&pulled)
        );
        assert!(pulled.snapshots.is_empty());
    }
    insta::assert_snapshot!(see(App, "a.csv", "id,active,email\n1,true,a@acme.test\n2,tr"), @"failed [sys accounts (file)]: failed to read `a.csv`, line 3: the last row has 2 cells, the header 3: the file is cut off, export or download it again");
    insta::assert_snapshot!(see(App, "a.csv", "id,active\n1,true\n2,\"fal"), @"failed [sys accounts (file)]: failed to read `a.csv`, line 3: a quote is opened here and never closed: the file is cut off, export or download it again");
}

#[test]
fn a_header_with_no_known_column_is_shown_with_a_way_to_map_it() {
    insta::assert_snapshot!(see(App, "a.csv", "Kennung,Aktiv\n1,ja\n"), @r#"
failed [sys accounts (file)]: failed to read `a.csv`: no profile for a system of kind `app` fits the file
  it has: Kennung, Aktiv
  nearest profiles: nothing
  name a profile for the file, or map it: save this as `my-export.toml` in your folder of profiles (`profiles` in the settings, `--profiles` of `check`)

name = "my-export"
title = "My export"
kind = "app"
formats = ["csv"]
recognise = ["Kennung"]

[accounts]
on_words = ["true"]
off_words = ["false"]

[accounts.fields]
id = ["Kennung"]
# active = ["…"]          # whether it is on; without it nothing is judged
# external_id = ["…"]     # the id of the user at the identity provider
# user_name = ["…"]
# email = ["…"]
# employee_number = ["…"]
# display_name = ["…"]
# roles = ["…"]
# last_used_at = ["…"]
"#);
    for kind in [Idp, Hr, Register] {
        let snippet = see(kind, "a.csv", "Kennung,Aktiv\n1,ja\n");
        assert!(
            kind != Hr || snippet.contains("\nleft_at = "),
            "nobody left without it: {snippet}"
        );
        // With each field filled in, it is a profile, too.
        let snippet = snippet.split_once("\n\n").unwrap().1.replace("\n# ", "\n");
        assert!(Profiles::builtin().unwrap().with_profile(&snippet).is_ok(), "{snippet}");
    }
    let snippet = see(App, "a.csv", "E-mail [work],it's \"on\"\n1,ja\n");
    let snippet = snippet.split_once("\n\n").unwrap().1;
    assert!(Profiles::builtin().unwrap().with_profile(snippet).is_ok(), "{snippet}");
    let without_header = see(App, "a.csv", "1,ana@acme.test\n2,bo@acme.test\n");
    assert!(!without_header.contains("ana@"), "{without_header}");
    let named = pull(App, "a.csv", "Kennung,Aktiv\n1,ja\n", |it| {
        it.files[0].profile = Some("generic-accounts".to_owned());
    });
    assert!(matches!(named.failures[0].error.kind, PullErrorKind::Unrecognised(_)));
}

#[test]
fn a_file_of_another_system_is_not_read_as_whatever_has_an_id() {
    let reason = |kind, name, text| {
        let seen = see(kind, name, text);
        seen.lines().next().unwrap_or_default().to_owned()
    };
    let okta = r#"[{"id":"00u1","status":"ACTIVE","profile":{"login":"a@acme.test"}}]"#;
    insta::assert_snapshot!(reason(App, "a.json", okta), @"failed [sys accounts (file)]: failed to read `a.json`: the file looks like `okta-users`, which is of kind `idp` and not `app`: name it there, or name the profile that reads it here");
    let scim = r#"{"Resources":[{"id":"1","userName":"a@acme.test","active":true}]}"#;
    insta::assert_snapshot!(reason(Idp, "a.json", scim), @"failed []: failed to read `a.json`: the file looks like `scim-users`, which is of kind `app` and not `idp`: name it there, or name the profile that reads it here");
    // A few names that are everybody's are no sign of another system.
    let seen = reason(Idp, "a.csv", "id,userName,status\n1,a@acme.test,active\n");
    assert!(!seen.starts_with("failed"), "{seen}");
}

#[test]
fn what_is_no_list_is_no_empty_list() {
    for text in [
        "{}",
        r#"{"message":"Authorization failed"}"#,
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":3}"#,
    ] {
        let pulled =
            pull(App, "scim.json", text, |it| it.files[0].profile = Some("scim-users".to_owned()));
        assert_eq!(
            (pulled.snapshots.len(), pulled.failures.len()),
            (0, 1),
            "{text}: {}",
            shown(&pulled)
        );
    }
    let empty = pull(App, "scim.json", r#"{"totalResults":0}"#, |it| {
        it.files[0].profile = Some("scim-users".to_owned());
    });
    insta::assert_snapshot!(shown(&empty), @"sys accounts (scim) (everyone), complete, stated_total");
}

#[test]
fn rows_that_are_none() {
    insta::assert_snapshot!(see(App, "a.json", r#"[{"id":"1","userName":"a"},{"userName":"b"}]"#), @"failed [sys accounts (scim)]: failed to read `a.json`, row 2: the row has no `id`: complete the export, or map the column that holds it");
    insta::assert_snapshot!(see(App, "a.json", r#"[{"id":"1","userName":"a"},7]"#), @"failed [sys accounts (file)]: failed to read `a.json`, line 1: this is not JSON (a row must follow the `,`): export it again");
    insta::assert_snapshot!(see(App, "a.json", r#"[{"id":"1","userName":"a"} {"id":"2"}]"#), @"failed [sys accounts (file)]: failed to read `a.json`, line 1: this is not JSON (`,` is missing between two rows): export it again");
    insta::assert_snapshot!(see(App, "a.csv", "id,active\n1,true\n2,true,x\n"), @"failed [sys accounts (file)]: failed to read `a.csv`, line 3: the row has 3 cells, the header 2: quote cells that hold the delimiter, or export again");
    insta::assert_snapshot!(see(App, "a.csv", "id,active\n1,\"true\"x\n"), @"failed [sys accounts (file)]: failed to read `a.csv`, line 2: text follows a closing quote: double the quotes inside a cell");
    insta::assert_snapshot!(see(App, "a.csv", "id,active,ID\n1,true,2\n"), @"failed [sys accounts (file)]: failed to read `a.csv`, line 1: two columns are named `ID`, and which one counts is not certain: rename one of them");
    insta::assert_snapshot!(see(Hr, "l.csv", "email,left_at\na@acme.test,2026-10-31\n"), @r#"failed [sys leavers]: failed to read `l.csv`, line 2: the date in `left_at` has no zone: add `zone = "Europe/Berlin"` (or yours) to this file's settings, or `--zone` to `driftline check`"#);
    insta::assert_snapshot!(see(Hr, "l.csv", "employee_id,left_at\n7,soon\n"), @"failed [sys leavers]: failed to read `l.csv`, line 2: `soon` in `left_at` is no date: write it as 2026-01-31 or 2026-01-31T17:00:00Z, or add its form to `date_formats` of a profile");
}

#[test]
fn long_rows_are_refused() {
    let cell = "x".repeat(2 << 20);
    for (name, text) in [
        ("a.csv", format!("id,active\n1,{cell}\n")),
        ("a.json", format!(r#"[{{"id":"1","userName":"{cell}"}}]"#)),
    ] {
        let pulled =
            pull(App, name, text, |it| it.files[0].profile = Some("generic-accounts".to_owned()));
        assert!(
            matches!(pulled.failures[0].error.kind, PullErrorKind::TooLarge { .. }),
            "{name}: {}",
            shown(&pulled)
        );
    }
}

#[test]
fn json_nested_ten_thousand_deep_is_an_error_or_skipped() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    for text in
        [deep("[", "]"), deep(r#"{"id":"#, "}"), format!(r#"[{{"id":{}}}]"#, deep("[", "]"))]
    {
        let pulled = pull(App, "deep.json", &text, |it| {
            it.files[0].profile = Some("generic-accounts".to_owned());
        });
        assert_eq!((pulled.snapshots.len(), pulled.failures.len()), (0, 1), "{}", shown(&pulled));
        assert_eq!(pull(App, "deep.json", &text, |_| {}).failures.len(), 1);
    }
}

#[test]
fn a_sparse_file_of_three_gigabytes_is_refused_at_its_head() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.json"] {
        File::create(folder.path().join(name)).unwrap().set_len(3 << 30).unwrap();
        let pulled = run(config(App, folder.path(), &[name]));
        assert!(
            matches!(pulled.failures[0].error.kind, PullErrorKind::Encoding { .. }),
            "{}",
            shown(&pulled)
        );
    }
}

#[test]
fn wrong_settings_say_what_to_change() {
    let named = |name: &str| {
        shown(&pull(Idp, "a.csv", "id,status\n1,ACTIVE\n", |it| {
            it.files[0].profile = Some(name.to_owned());
        }))
    };
    assert!(
        named("okta").contains("there is no profile `okta`: choose one of okta-users, "),
        "{}",
        named("okta")
    );
    insta::assert_snapshot!(named("scim-users"), @"failed [sys accounts (scim)]: failed to read `a.csv`: the profile `scim-users` is for a system of kind `app`, and this one is `idp`: choose another");
    insta::assert_snapshot!(shown(&pull(Idp, "m.json", r#"[{"id":"1"}]"#, |it| it.files[0].profile = Some("entra-group-members".to_owned()))), @r#"failed [sys memberships]: failed to read `m.json`, row 1: nothing says whose members these are: add `group = "…"` with the group's id to this file's settings"#);
    let apps = "Login,Application name,Assigned on,Unassigned on\na,one,2026-01-01T00:00:00Z,\nb,two,2026-01-01T00:00:00Z,\n";
    insta::assert_snapshot!(see(Idp, "c.csv", apps), @"failed [sys identities, sys assignments]: failed to read `c.csv`, line 3: the file mixes the apps `one` and `two`: export the report for one app");
}

#[test]
fn members_of_a_group_are_not_taken_for_the_users() {
    let members = r##"{"value":[{"@odata.type":"#microsoft.graph.user","id":"0108a2e3-794f-4ae7-8f55-1422d013a505","userPrincipalName":"a@acme.test"}]}"##;
    insta::assert_snapshot!(see(Idp, "members.json", members), @r#"failed []: failed to read `members.json`: the file lists the members of a group (`entra-group-members`) and does not say of which: add `group = "ID"` to this file's settings, or `--group FILE=ID` to `driftline check`; if it lists users, name the profile that reads it"#);
    let of_a_group = pull(Idp, "members.json", members, |it| {
        it.files[0].group = Some("9b3e41c7-0d5f-4e2b-8a96-71c2d4f8e035".to_owned());
    });
    assert!(of_a_group.failures.is_empty());
}
