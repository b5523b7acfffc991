//! Companies for the tests, and what to ask them with.

use sim::{Sim, World};

pub(crate) const SSWS: (&str, &str) = ("authorization", "SSWS 00sim-api-token");
pub(crate) const BEARER: (&str, &str) = ("authorization", "Bearer sim-scim-token");

/// A few people of every kind.
pub(crate) const FIRM: &str = "
people
  1041 Ana Ruiz
  1042 Bob Khan left=-3h
okta
  00u1 ana@x.test ACTIVE via=00g1 emp=1041
  00u2 bob@x.test DEPROVISIONED since=-3h emp=1042
  00u3 cy@x.test SUSPENDED assigned as=cy@app.test
  00u4 dee@x.test STAGED mail=-
  00u5 eve@x.test LOCKED_OUT assigned account=a9 access=PENDING
groups
  00g1 Everybody
app
  a1 00u1 ana@x.test on roles=Admin groups=Staff
  a2 00u2 bob@x.test off
  a3 -    cy@app.test null
  a4 -    -           absent +status=invited
  a5 -    eve@x.test  False
log
  -4h application.user_membership.add 00u1
  -3h user.lifecycle.deactivate 00u2
  -5h application.provision.user.deactivate 00u2 FAILURE reason=500
";

/// Starts a company.
pub(crate) async fn start(text: &str) -> Sim {
    Sim::start(World::describe(text).unwrap()).await.unwrap()
}

#[test]
fn a_description_that_cannot_be_read_names_line_and_cure() {
    for (text, told) in [
        (
            "00u1 ana",
            "line 1 of the company: `00u1` begins no section: write people, okta, groups, app, log, entra, entra-groups, entra-log, onelogin, onelogin-roles, personnel, faults or company first",
        ),
        ("okta\n  00u1 ana@x.test", "line 2 of the company: write an id, a login and a status"),
        (
            "okta\n\n  00u1 a@x ACTIVE asigned",
            "line 3 of the company: `asigned` is not known: write assigned",
        ),
        (
            "okta\n  00u1 a@x ACTIVE since=yesterday",
            "line 2 of the company: `yesterday` is no time: write -3h, +10d or -5m",
        ),
        ("app (page ten)", "line 1 of the company: `ten` is no number"),
        (
            "app (sorts)",
            "line 1 of the company: `sorts` is not known: write hides inactive, deletes inactive, shows nobody, ignores filters, restarts past end, newest first, text booleans, empty object, lower case, plain json, no config, paging both, paging cursor, page N",
        ),
        (
            "faults\n  scim/users next-outside",
            "line 2 of the company: `next-outside` can never strike `scim/users`",
        ),
        ("faults\n  scim/user cutbody", "line 2 of the company: `cutbody` is no fault"),
    ] {
        assert_eq!(World::describe(text).unwrap_err().to_string(), told);
    }
}

#[test]
fn what_happens_in_a_company_reaches_log_and_app_as_the_switches_say() {
    for (switches, is_off, events) in [
        ("okta", true, "application.user_membership.remove application.provision.user.deactivate"),
        ("okta (deactivation off)", false, "application.user_membership.remove"),
    ] {
        let text =
            format!("{switches}\n 00u1 ana@x.test ACTIVE assigned\napp\n a1 00u1 ana@x.test on");
        let mut world = World::describe(&text).unwrap();
        let now = world.begins_at;
        world.deactivate("00u1", now);
        assert_eq!(world.okta.users["00u1"].status, "DEPROVISIONED");
        assert!(world.okta.app_users.is_empty());
        assert_eq!(world.app.accounts[0].is_off(), is_off, "{switches}");
        let log: Vec<&str> = world.okta.log.iter().map(|it| it.event_type.as_str()).collect();
        assert_eq!(log.join(" "), format!("user.lifecycle.deactivate {events}"));
    }
}

#[test]
fn a_suspended_user_keeps_app_and_account() {
    let mut world =
        World::describe("okta\n 00u1 a@x ACTIVE assigned\napp\n a1 00u1 a@x on").unwrap();
    let now = world.begins_at;
    world.suspend("00u1", now);
    assert_eq!(world.okta.users["00u1"].status, "SUSPENDED");
    assert_eq!(world.okta.app_users.len(), 1);
    assert!(!world.app.accounts[0].is_off());
}

#[test]
fn somebody_assigned_again_has_the_account_of_before() {
    let mut world =
        World::describe("okta\n 00u1 a@x ACTIVE assigned\napp\n a1 00u1 a@x on").unwrap();
    let now = world.begins_at;
    world.unassign("00u1", now);
    assert!(world.app.accounts[0].is_off());
    world.assign("00u1", now);
    assert!(!world.app.accounts[0].is_off());
    assert_eq!(world.okta.app_users["00u1"].external_id.as_deref(), Some("a1"));
    world.delete("00u1", now);
    assert!(world.okta.users.is_empty());
    assert!(world.app.accounts[0].is_off());
}

#[test]
fn the_company_that_comes_along_can_be_read() {
    let world = World::describe(include_str!("../../companies/small.txt")).unwrap();
    assert_eq!((world.okta.users.len(), world.app.accounts.len()), (7, 7));
    // Linked as after a push, and one that was never pushed.
    let accounts = world.okta.app_users.values().map(|it| it.external_id.as_deref());
    assert_eq!(accounts.collect::<Vec<_>>(), [Some("a1"), Some("a3"), Some("a5"), None]);
    assert_eq!(world.faults.len(), 1);
}

#[test]
fn companies_of_any_size_are_the_same_each_time() {
    let world = World::describe("company 1000 (leavers 20, kept 3)").unwrap();
    assert_eq!(world.people.len(), 1_000);
    assert_eq!(world.people.values().filter(|it| it.left_at.is_some()).count(), 20);
    assert_eq!(world.okta.users.len(), 1_000);
    assert_eq!(world.okta.app_users.len(), 980);
    assert_eq!(world.app.accounts.iter().filter(|it| it.is_off()).count(), 17);
    let again = World::describe("company 1000 (leavers 20, kept 3)").unwrap();
    assert_eq!(world.okta.users, again.okta.users);
    assert_eq!(world.app.accounts, again.app.accounts);
}
