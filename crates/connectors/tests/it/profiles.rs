//! One small world for each profile.

use domain::SystemKind::{App, Hr, Idp, Register};

use crate::{pull, pull_all, see, shown};

#[test]
fn okta_users() {
    insta::assert_snapshot!(see(Idp, "users.json", r#"[
      {"id":"00u1","status":"ACTIVE","profile":{"login":"ana@acme.test","email":"Ana@acme.test","employeeNumber":"7"}},
      {"id":"00u2","status":"DEPROVISIONED","statusChanged":null,"profile":{"login":"bo@acme.test"}},
      {"id":"00u3","status":"ACTIVATING","profile":{"login":"cy@acme.test"}}]"#), @"
sys identities (everyone), partial: `users.json` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  00u1 member active name=ana@acme.test mail=Ana@acme.test no=7 ends=-
  00u2 member left name=bo@acme.test mail=- no=- ends=-
  00u3 member unknown name=cy@acme.test mail=- no=- ends=-
unmapped status `ACTIVATING` x1
");
}

#[test]
fn okta_app_users_bring_identities_only_where_nobody_else_does() {
    let app_users = r#"
{"id":"00u1","externalId":"sf-1","scope":"GROUP","status":"PROVISIONED","statusChanged":"2025-02-01T08:00:03.000Z","credentials":{"userName":"ana@acme.test"},"_links":{"group":{"href":"https://acme.okta.com/api/v1/groups/00g1"}},"_embedded":{"user":{"id":"00u1","status":"SUSPENDED"}}}
{"id":"00u2","externalId":null,"scope":"USER","status":"REVOKED","credentials":{"userName":"bo@acme.test"}}
{"id":"00u3","scope":"GROUP","status":"IMPORTED","credentials":{"userName":"cy@acme.test"}}
"#;
    insta::assert_snapshot!(see(Idp, "app_users.jsonl", app_users), @r#"
sys identities (assigned), partial: `app_users.jsonl` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  00u1 member suspended name=ana@acme.test mail=- no=- ends=-
  00u2 member not_stated name=bo@acme.test mail=- no=- ends=-
  00u3 member not_stated name=cy@acme.test mail=- no=- ends=-
sys assignments (assigned), partial: `app_users.jsonl` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  00u1 grants (PROVISIONED) via groups ["00g1"] account=sf-1 as=ana@acme.test at=2025-02-01 08:00:03 UTC
  00u2 denies (REVOKED) via direct account=- as=bo@acme.test at=-
  00u3 undecided (IMPORTED) via groups [] account=- as=cy@acme.test at=-
"#);
    let users = br#"[{"id":"00u1","status":"ACTIVE","profile":{"login":"ana@acme.test"}}]"#;
    let both = pull_all(Idp, &[("app.jsonl", app_users.as_bytes()), ("users.json", users)], |it| {
        it.files[1].whole = Some(true);
    });
    insta::assert_snapshot!(shown(&both), @r#"
sys identities (everyone), complete, declared_whole
  00u1 member active name=ana@acme.test mail=- no=- ends=-
sys assignments (assigned), partial: `app.jsonl` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  00u1 grants (PROVISIONED) via groups ["00g1"] account=sf-1 as=ana@acme.test at=2025-02-01 08:00:03 UTC
  00u2 denies (REVOKED) via direct account=- as=bo@acme.test at=-
  00u3 undecided (IMPORTED) via groups [] account=- as=cy@acme.test at=-
"#);
}

#[test]
fn okta_console_reports() {
    insta::assert_snapshot!(see(Idp, "current.csv", "\
User,Login,Application name,Application instance,Application login,Assigned on,Unassigned on,Last login,Last password change
Ana Ruiz,ana@acme.test,secureframe,Secureframe,ana.ruiz@acme.test,2025-02-01T08:00:00Z,,,
Bo Li,bo@acme.test,secureframe,Secureframe,bo@acme.test,2025-02-01T08:00:00Z,2026-11-01T09:00:00Z,,
Bo Li,bo@acme.test,secureframe,Secureframe,bo@acme.test,2026-11-02T08:00:00Z,,,
"), @"
sys identities (assigned), partial: `current.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  ana@acme.test member not_stated name=ana@acme.test mail=- no=- ends=-
  bo@acme.test member not_stated name=bo@acme.test mail=- no=- ends=-
  note: rows dropped, which say what one before them says: 1
sys assignments (assigned), partial: `current.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  ana@acme.test grants (-) via ? account=- as=ana.ruiz@acme.test at=2025-02-01 08:00:00 UTC
  bo@acme.test grants (-) via ? account=- as=bo@acme.test at=2026-11-02 08:00:00 UTC
");
    insta::assert_snapshot!(see(Idp, "health.csv", "\
User,Login,Status,Activation date,Authentication Source,Last Login,Last Password Change
Ana Ruiz,ana@acme.test,Active,2025-02-01T08:00:00Z,Okta,,
Bo Li,bo@acme.test,Deactivated,,Okta,,
Cy Orr,cy@acme.test,Pending user action,,Okta,,
"), @"
sys identities (everyone), partial: `health.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  ana@acme.test member active name=ana@acme.test mail=- no=- ends=-
  bo@acme.test member left name=bo@acme.test mail=- no=- ends=-
  cy@acme.test member active name=cy@acme.test mail=- no=- ends=-
");
    insta::assert_snapshot!(see(Idp, "recent.csv", "\
fullName,assigneeOktaUsername,assigneeAppUsername,assigneeOktaId,unassigned,appUserStatus
Bo Li,bo@acme.test,bo@acme.test,00u2,2026-11-01T09:00:00Z,
Cy Orr,cy@acme.test,cy@acme.test,00u3,2026-11-02T09:00:00Z,DEPROVISIONED
"), @"
sys identities (assigned), partial: `recent.csv` is a `okta-recent-unassignments`, which never holds the whole list
  00u2 member not_stated name=bo@acme.test mail=- no=- ends=-
  00u3 member not_stated name=cy@acme.test mail=- no=- ends=-
sys assignments (assigned), partial: `recent.csv` is a `okta-recent-unassignments`, which never holds the whole list
  00u2 denies (-) via ? account=- as=bo@acme.test at=2026-11-01 09:00:00 UTC
  00u3 denies (DEPROVISIONED) via ? account=- as=cy@acme.test at=2026-11-02 09:00:00 UTC
");
}

#[test]
fn entra_users_and_deleted_users_are_one_list() {
    let users = br#"{"@odata.context":"x","value":[
      {"id":"a1","userPrincipalName":"ana@acme.test","mail":"ana@acme.test","accountEnabled":true,"userType":"Member","employeeId":"7"},
      {"id":"a2","userPrincipalName":"kim_x.test#EXT#@acme.test","mail":"kim@x.test","accountEnabled":false,"userType":"Guest"},
      {"id":"a3","userPrincipalName":"nul@acme.test","accountEnabled":null}]}"#;
    let deleted = br#"{"value":[{"id":"a4","userPrincipalName":"a4dee@acme.test","accountEnabled":true,"deletedDateTime":"2026-11-01T00:00:00Z"}]}"#;
    insta::assert_snapshot!(shown(&pull_all(Idp, &[("users.json", users), ("deleted.json", deleted)], |_| {})), @"
sys identities (everyone), complete, declared_whole
  a1 member active name=ana@acme.test mail=ana@acme.test no=7 ends=-
  a2 guest left name=kim_x.test#EXT#@acme.test mail=kim@x.test no=- ends=-
  a3 member unknown name=nul@acme.test mail=- no=- ends=-
  a4 member left name=a4dee@acme.test mail=- no=- ends=-
  note: rows without `accountEnabled`, of unknown lifecycle (was it selected for the export?): 1
");
}

#[test]
fn a_deleted_user_of_entra_has_the_name_of_before_without_their_own_id() {
    let deleted = br#"{"value":[
      {"id":"A1000000-0000-4000-8000-00000000000E","userPrincipalName":"a100000000004000800000000000000eeve@acme.test","deletedDateTime":"2026-11-01T00:00:00Z"},
      {"id":"a1000000-0000-4000-8000-00000000000a","userPrincipalName":"a100000000004000800000000000000aana@acme.test","deletedDateTime":"2026-11-01T00:00:00Z"},
      {"id":"a1000000-0000-4000-8000-00000000000b","userPrincipalName":"bo@acme.test","deletedDateTime":"2026-11-01T00:00:00Z"},
      {"id":"a1000000-0000-4000-8000-00000000000c","userPrincipalName":"a100000000004000800000000000000c@acme.test","deletedDateTime":"2026-11-01T00:00:00Z"},
      {"id":"a1000000-0000-4000-8000-00000000000d","userPrincipalName":"a100000000004000800000000000000ccy@acme.test","deletedDateTime":"2026-11-01T00:00:00Z"}]}"#;
    insta::assert_snapshot!(shown(&pull_all(Idp, &[("deleted.json", deleted)], |_| {})), @"
sys identities (everyone), complete, declared_whole
  A1000000-0000-4000-8000-00000000000E member left name=eve@acme.test mail=- no=- ends=-
  a1000000-0000-4000-8000-00000000000a member left name=ana@acme.test mail=- no=- ends=-
  a1000000-0000-4000-8000-00000000000b member left name=bo@acme.test mail=- no=- ends=-
  a1000000-0000-4000-8000-00000000000c member left name=a100000000004000800000000000000c@acme.test mail=- no=- ends=-
  a1000000-0000-4000-8000-00000000000d member left name=a100000000004000800000000000000ccy@acme.test mail=- no=- ends=-
");
}

#[test]
fn entra_users_without_account_enabled_are_of_unknown_lifecycle() {
    insta::assert_snapshot!(see(Idp, "u.json", r#"{"value":[{"id":"a1","userPrincipalName":"ana@acme.test"}]}"#), @"
sys identities (everyone), complete, declared_whole
  a1 member unknown name=ana@acme.test mail=- no=- ends=-
  note: rows without `accountEnabled`, of unknown lifecycle (was it selected for the export?): 1
");
}

#[test]
fn entra_download_users() {
    insta::assert_snapshot!(see(Idp, "users.csv", "\u{feff}userPrincipalName;displayName;mail;objectId;userType;Account Enabled
ana@acme.test;\"Ruiz; Ana\";ana@acme.test;a1;Member;True
bo@acme.test;Bo;;a2;Guest;False
cy@acme.test;Cy;;a3;;
"), @"
sys identities (everyone), partial: `users.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  a1 member active name=ana@acme.test mail=ana@acme.test no=- ends=-
  a2 guest left name=bo@acme.test mail=- no=- ends=-
  a3 member unknown name=cy@acme.test mail=- no=- ends=-
  note: rows without `accountEnabled`, of unknown lifecycle (was it selected for the export?): 1
");
}

#[test]
fn entra_app_role_assignments_are_one_for_each_principal() {
    insta::assert_snapshot!(see(Idp, "a.json", r#"{"value":[
      {"id":"x1","appRoleId":"r1","principalId":"a1","principalType":"User","createdDateTime":"2025-03-01T12:00:00.1234567Z"},
      {"id":"x2","appRoleId":"r2","principalId":"a1","principalType":"User","createdDateTime":"2025-01-01T12:00:00Z"},
      {"id":"x3","appRoleId":"r1","principalId":"b1","principalType":"Group","principalDisplayName":"Finance"},
      {"id":"x4","appRoleId":"r1","principalId":"s1","principalType":"ServicePrincipal"}]}"#), @r#"
sys assignments (assigned), complete, declared_whole
  a1 grants (-) via direct account=- as=- at=2025-01-01 12:00:00 UTC
  group b1 grants (-) via groups ["b1"] account=- as=- at=-
  note: rows left out, which name neither a user nor a group: 1
"#);
}

#[test]
fn a_last_page_that_leads_on_is_partial() {
    insta::assert_snapshot!(see(Idp, "a.json", r#"{"value":[{"principalId":"a1","principalType":"User"}],"@odata.nextLink":"https://graph.microsoft.com/x"}"#), @"
sys assignments (assigned), partial: `a.json` ends in a page that leads to a next one
  a1 grants (-) via direct account=- as=- at=-
");
}

#[test]
fn entra_group_members_keep_nested_groups_as_groups() {
    let members = br##"{"value":[{"@odata.type":"#microsoft.graph.user","id":"a1"},{"@odata.type":"#microsoft.graph.group","id":"b9"},{"@odata.type":"#microsoft.graph.device","id":"d1"}]}"##;
    let more = br#"{"value":[{"id":"a1"},{"id":"a1"}]}"#;
    let both = pull_all(Idp, &[("b1.json", members), ("b2.json", more)], |it| {
        it.files[0].group = Some("b1".to_owned());
        it.files[1].group = Some("b2".to_owned());
    });
    insta::assert_snapshot!(shown(&both), @"
sys memberships (assigned), complete, declared_whole
  b1 has a1
  b1 has group b9
  b2 has a1
  note: groups in a group, whose members get nothing through it: 1
  note: rows left out, which name neither a user nor a group: 1
");
}

#[test]
fn onelogin_state_takes_assignments() {
    let users = br#"[{"id":1,"username":"ana","email":"ana@acme.test","firstname":"Ana","lastname":"Ruiz","status":1,"state":1},
      {"id":2,"username":"bo","email":"bo@acme.test","status":1,"state":2},
      {"id":3,"username":"cy","email":null,"status":2,"state":1},{"id":4,"username":"di","email":"di@acme.test","status":6,"state":1}]"#;
    let app =
        br#"[{"id":1,"firstname":"Ana","lastname":"Ruiz","username":"ana","email":"ana@acme.test"},
      {"id":2,"firstname":"Bo","lastname":"Li","username":"bo","email":"bo@acme.test"}]"#;
    insta::assert_snapshot!(shown(&pull_all(Idp, &[("users.json", users), ("app.json", app)], |_| {})), @"
sys identities (everyone), partial: `users.json` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  1 member active name=ana mail=ana@acme.test no=- ends=-
  2 member active name=bo mail=bo@acme.test no=- ends=-
  3 member left name=cy mail=- no=- ends=-
  4 member unknown name=di mail=di@acme.test no=- ends=-
sys assignments (assigned), partial: `app.json` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  1 grants (-) via ? account=- as=- at=-
  2 denies (-) via ? account=- as=- at=-
  note: assignments without access, because the user's state is not approved: 1
unmapped status `6` x1
");
}

#[test]
fn onelogin_users_csv() {
    insta::assert_snapshot!(see(Idp, "u.csv", "Id,Username,Email,Firstname,Lastname,Status,State\n1,ana,ana@acme.test,Ana,Ruiz,Active,Approved\n2,bo,,Bo,Li,2,1\n"), @"
sys identities (everyone), partial: `u.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  1 member active name=ana mail=ana@acme.test no=- ends=-
  2 member left name=bo mail=- no=- ends=-
");
}

#[test]
fn scim_active_has_four_states_and_names_any_case() {
    insta::assert_snapshot!(see(App, "scim.json", r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalresults":5,"resources":[
      {"id":"1","userName":"ana@acme.test","externalId":"00u1","active":true,"emails":[{"value":"x@acme.test"},{"value":"ana@acme.test","primary":"True"}],"groups":[],
       "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"7"}},
      {"ID":"2","USERNAME":"bo","Active":"False","roles":[{"value":"admin"},{"value":"auditor"}],"emails":[{"value":"bo@acme.test"}]},
      {"id":"3","userName":"cy","active":null},
      {"id":"4","userName":"di","emails":[{"value":"a@acme.test"},{"value":"b@acme.test"}]},
      {"id":5,"userName":"ed","active":"perhaps"}]}"#), @r#"
sys accounts (scim) (everyone), complete, stated_total
  1 ext=00u1 name=ana@acme.test mail=ana@acme.test no=7 active=Set(true) invitation=not_stated roles=None groups=Some([]) ends=-
  2 ext=- name=bo mail=bo@acme.test no=- active=Set(false) invitation=not_stated roles=Some(["admin", "auditor"]) groups=None ends=-
  3 ext=- name=cy mail=- no=- active=Null invitation=not_stated roles=None groups=None ends=-
  4 ext=- name=di mail=- no=- active=Absent invitation=not_stated roles=None groups=None ends=-
  5 ext=- name=ed mail=- no=- active=Unparseable("perhaps") invitation=not_stated roles=None groups=None ends=-
  note: rows that write `active` as text: 2
unmapped active `perhaps` x1
"#);
}

#[test]
fn secureframe_personnel_in_three_shapes() {
    let row = r#"{"id":"p1","type":"user","attributes":{"email":"ana@acme.test","name":"Ana Ruiz","active":true,"access_role":"Admin","personnel_status":"incomplete_tasks","end_date":null}}"#;
    let other = r#"{"id":"p2","type":"user","attributes":{"email":"bo@acme.test","active":false,"access_role":null,"end_date":"2026-10-31"}}"#;
    let berlin =
        |it: &mut connectors::files::Config| it.zone = Some("Europe/Berlin".parse().unwrap());
    let first = pull(App, "p.json", format!(r#"{{"data":[{row},{other}]}}"#), berlin);
    insta::assert_snapshot!(shown(&first), @r#"
sys accounts (secureframe_api) (everyone), partial: `p.json` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  p1 ext=- name=- mail=ana@acme.test no=- active=Set(true) invitation=not_stated roles=Some(["Admin"]) groups=None ends=-
  p2 ext=- name=- mail=bo@acme.test no=- active=Set(false) invitation=not_stated roles=Some([]) groups=None ends=2026-10-31 23:00:00 UTC
"#);
    let second = pull(
        App,
        "p.json",
        format!(r#"[{{"data":{row},"included":[]}},{{"data":{other},"included":[]}}]"#),
        berlin,
    );
    assert_eq!(shown(&second), shown(&first));
    let third = pull(
        App,
        "p.json",
        format!(r#"{{"data":[{row},{other}],"included":[{{"a":[1]}}],"meta":{{"total":2}}}}"#),
        berlin,
    );
    assert_eq!(third.snapshots[0].rows, first.snapshots[0].rows);
    assert!(third.snapshots[0].coverage.is_complete());
}

#[test]
fn secureframe_personnel_csv() {
    insta::assert_snapshot!(see(App, "p.csv", "ID,Name,Email,Active,Personnel status,Access role\np1,Ana Ruiz,ana@acme.test,Yes,offboarded,Admin\n,Bo,bo@acme.test,,not_invited,none\n"), @r#"
sys accounts (file) (everyone), partial: `p.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  p1 ext=- name=- mail=ana@acme.test no=- active=Set(true) invitation=not_stated roles=Some(["Admin"]) groups=None ends=-
  bo@acme.test ext=- name=- mail=bo@acme.test no=- active=Null invitation=not_stated roles=Some([]) groups=None ends=-
"#);
}

#[test]
fn register_and_leavers_count_days_to_their_end() {
    let zone = |it: &mut connectors::files::Config| {
        it.files[0].zone = Some("America/New_York".parse().unwrap());
    };
    let register =
        "account,owner,purpose,attest_by\nsvc-ci,ana@acme.test,builds,2026-12-31\nsvc-old,,,\n";
    insta::assert_snapshot!(shown(&pull(Register, "r.csv", register, zone)), @"
sys nonhumans (everyone), complete, declared_whole
  svc-ci owner=ana@acme.test until=2027-01-01 05:00:00 UTC
  svc-old owner=- until=-
");
    let leavers = "employee_id;work_email;last_day;reason\n7;ana@acme.test;2026-10-31;resigned\n;bo@acme.test;2026-11-30T12:00:00Z;\n";
    insta::assert_snapshot!(shown(&pull(Hr, "l.csv", leavers, zone)), @"
sys leavers (everyone), complete, declared_whole
  7 left=2026-11-01T04:00:00+00:00 resigned
  bo@acme.test left=2026-11-30T12:00:00+00:00 -
");
}

#[test]
fn of_several_leaves_of_one_person_the_last_one_counts() {
    let leavers = "employee_id,last_day,reason\n7,2024-01-31T17:00:00Z,resigned\n8,2026-02-01T17:00:00Z,-\n7,2026-11-18T17:00:00Z,laid off\n7,2025-06-30T17:00:00Z,end of contract\n";
    let whole = |_: &mut connectors::files::Config| {};
    insta::assert_snapshot!(shown(&pull(Hr, "l.csv", leavers, whole)), @"
sys leavers (everyone), complete, declared_whole
  8 left=2026-02-01T17:00:00+00:00 -
  7 left=2026-11-18T17:00:00+00:00 laid off
  note: rows left out, of people who left again later: 2
");
    let same_day = "employee_id,last_day,reason\n7,2026-11-18T17:00:00Z,resigned\n7,2026-11-18T17:00:00Z,laid off\n";
    insta::assert_snapshot!(shown(&pull(Hr, "l.csv", same_day, whole)), @"
sys leavers (everyone), partial: `l.csv` line 2 and `l.csv` line 3 are about the same id and say different things
  7 left=2026-11-18T17:00:00+00:00 resigned
");
}

#[test]
fn leavers_who_share_a_number_that_is_none_or_anothers_are_not_lost() {
    let whole = |_: &mut connectors::files::Config| {};
    let contractors = "employee_id,work_email,last_day\nn/a,ana@acme.test,2026-11-17T17:00:00Z\nn/a,bo@acme.test,2026-11-18T17:00:00Z\n";
    insta::assert_snapshot!(shown(&pull(Hr, "l.csv", contractors, whole)), @"
sys leavers (everyone), complete, declared_whole
  ana@acme.test left=2026-11-17T17:00:00+00:00 -
  bo@acme.test left=2026-11-18T17:00:00+00:00 -
");
    let two_companies = "employee_id,work_email,last_day\n7,ana@acme.test,2026-11-17T17:00:00Z\n7,bo@acme.test,2026-11-18T17:00:00Z\n";
    insta::assert_snapshot!(shown(&pull(Hr, "l.csv", two_companies, whole)), @"
sys leavers (everyone), partial: `l.csv` line 2 and `l.csv` line 3 are about the same id and say different things
  7 left=2026-11-18T17:00:00+00:00 -
");
}

#[test]
fn generic_lists() {
    insta::assert_snapshot!(see(Idp, "i.csv", "login,email,status,as_of\nana,ana@acme.test,Enabled,2026-11-20T00:00:00Z\nbo,,gone fishing,2026-11-21T00:00:00Z\n"), @"
sys identities (everyone), partial: `i.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  ana member active name=ana mail=ana@acme.test no=- ends=-
  bo member unknown name=bo mail=- no=- ends=-
unmapped status `gone fishing` x1
");
    insta::assert_snapshot!(see(Idp, "a.csv", "user_id,scope,assigned_at\n7,direct,2026-11-20T00:00:00Z\n8,GROUP,\n"), @"
sys assignments (assigned), partial: `a.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  7 grants (-) via direct account=- as=- at=2026-11-20 00:00:00 UTC
  8 grants (-) via groups [] account=- as=- at=-
");
    let app_users = "id,externalId,userName,email,scope,status,created,lastUpdated,statusChanged\n00u1,a1,ana,,GROUP,PROVISIONED,,,2026-11-01T00:00:00.000Z\n";
    insta::assert_snapshot!(see(Idp, "a.csv", app_users), @"
sys assignments (assigned), partial: `a.csv` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  00u1 grants (PROVISIONED) via groups [] account=a1 as=ana at=2026-11-01 00:00:00 UTC
");
    insta::assert_snapshot!(see(App, "c.json", r#"{"items":[{"user_name":"ana","enabled":1,"role":"admin; auditor"},{"user_name":"bo","enabled":"off","invitation":"pending"}]}"#), @r#"
sys accounts (file) (everyone), partial: `c.json` is not declared to hold the whole list: add `whole = true` or `rows` to its settings if it does
  ana ext=- name=ana mail=- no=- active=Set(true) invitation=not_stated roles=Some(["admin", "auditor"]) groups=None ends=-
  bo ext=- name=bo mail=- no=- active=Unparseable("off") invitation=pending roles=None groups=None ends=-
unmapped active `off` x1
"#);
}
