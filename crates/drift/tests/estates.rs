//! What a world in text cannot say: lists of several ages, members of groups, two views of an app.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use domain::{Cause, List};
use testkit::{rules, world};

/// What `ask` says of a company where somebody has the app through a group. `change`: of the list
/// of members, whose second member is somebody else. The last snapshot is like it, but old.
fn with_a_group<T>(
    user: &str,
    change: impl FnOnce(&mut graph::Estate),
    ask: impl FnOnce(&graph::Estate, &drift::AppRules) -> T,
) -> T {
    let company = world(&format!(
        "okta
           u1 ana@x.test ACTIVE {user}
         app
           a1 u1 ana@x.test on"
    ));
    let (mut estate, rules) = (company.estate(), rules(&company));
    let group = domain::Assignment {
        principal: domain::Principal::Group("team".into()),
        via: domain::Via::Direct,
        grant: domain::Grant::Grants,
        raw_status: None,
        account_id: None,
        user_name: None,
        changed_at: None,
    };
    let member = |id: &str| domain::Membership {
        group: "team".into(),
        member: domain::Principal::Identity(id.into()),
    };
    let (ana, eve) = (member("u1"), member("u9"));
    let seen = estate.idps[0].assignments.as_ref().and_then(|it| it.latest).unwrap();
    let mut view = estate.snapshot(seen).clone();
    view.reference.stream.list = List::Memberships;
    estate.snapshots.push(view.clone());
    view.is_stale = true;
    estate.snapshots.push(view);
    let snapshot = u32::try_from(estate.snapshots.len()).unwrap() - 2;
    let row = |entity, row| graph::Sighting {
        row,
        entity: domain::EntityId(entity),
        snapshot,
        system: 0,
        origin: None,
        standing: graph::Standing::Listed,
    };
    estate.memberships = vec![row(9_001, ana), row(9_002, eve)];
    let given = graph::Sighting {
        row: group,
        entity: domain::EntityId(9_003),
        snapshot: seen,
        system: 0,
        origin: None,
        standing: graph::Standing::Listed,
    };
    estate.assignments.push(given);
    estate.idps[0].memberships = Some(graph::ListView {
        stream: estate.snapshot(snapshot).reference.stream.clone(),
        latest: Some(snapshot),
        base: Some(snapshot),
        why_no_base: None,
        is_stand_in: false,
        hidden: Vec::new(),
        answers: None,
        is_live: false,
    });
    change(&mut estate);
    ask(&estate, &rules)
}

/// The verdict on the account of somebody in a group that gives the app.
fn of_a_member(user: &str, change: impl FnOnce(&mut graph::Estate)) -> domain::Verdict {
    with_a_group(user, change, |estate, rules| {
        let keys = testkit::keys();
        let graph = graph::correlate(estate, &keys);
        let (policy, past) = (drift::Policy::default(), drift::Past::default());
        let (policy, past, graph) = (&policy, &past, &graph);
        let (pass, now) = (domain::Pass::Full, testkit::now());
        let cx = drift::Context { graph, rules, policy, past, pass, now };
        drift::judge(&cx).standings[0].1
    })
}

#[test]
fn an_assigned_group_whose_members_nobody_read_leaves_an_app_seen_in_part() {
    let grade = |change: fn(&mut graph::Estate)| with_a_group("", change, drift::app_grade);
    let unread = |(grade, reasons): (domain::Grade, Vec<String>)| {
        let told = reasons.into_iter().filter(|it| it.contains("assigned group"));
        (grade, told.collect::<Vec<_>>())
    };
    let told = "okta: 1 assigned group without a member in any list: give its members, the list of each group as a file of its own";
    assert_eq!(unread(grade(|_| ())), (domain::Grade::B, Vec::new()));
    let no_file: fn(&mut graph::Estate) = |estate| {
        estate.memberships.clear();
        estate.idps[0].memberships = None;
    };
    assert_eq!(unread(grade(no_file)), (domain::Grade::C, vec![told.to_owned()]));
    let file_of_another: fn(&mut graph::Estate) = |estate| estate.memberships.clear();
    assert_eq!(unread(grade(file_of_another)), (domain::Grade::C, vec![told.to_owned()]));
    // The provider itself was asked for the members, and has none.
    let is_empty: fn(&mut graph::Estate) = |estate| {
        estate.memberships.clear();
        estate.idps[0].memberships.as_mut().unwrap().is_live = true;
    };
    assert_eq!(unread(grade(is_empty)), (domain::Grade::B, Vec::new()));
}

#[test]
fn an_app_is_seen_in_part_where_the_list_of_leavers_is_old_held_or_missing() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE emp=1041 assigned
         app
           a1 u1 ana@x.test on
         hr
           emp=1042 left=-5h",
    );
    let grade = |change: fn(&mut graph::Estate, usize)| {
        let (mut estate, rules) = (company.estate(), rules(&company));
        let at = estate.hr[0].latest.unwrap() as usize;
        change(&mut estate, at);
        drift::app_grade(&estate, &rules)
    };
    assert_eq!(grade(|_, _| ()).0, domain::Grade::B);
    let (old, reasons) = grade(|estate, at| {
        estate.snapshots[at].is_stale = true;
        estate.hr[0].base = None;
    });
    assert_eq!(old, domain::Grade::C);
    let why = "hr leavers: the newest list is too old to support a claim".to_owned();
    assert!(reasons.contains(&why), "{reasons:?}");
    let (held, reasons) = grade(|estate, at| {
        estate.snapshots[at].reference.held = Some("no rows".to_owned());
        (estate.hr[0].base, estate.hr[0].why_no_base) = (None, Some("held: no rows".to_owned()));
    });
    assert_eq!(held, domain::Grade::C);
    assert!(reasons.contains(&"hr leavers: held: no rows".to_owned()), "{reasons:?}");
    let (missing, _) = grade(|estate, _| estate.hr[0].is_stand_in = true);
    assert_eq!(missing, domain::Grade::C);
}

#[test]
fn an_old_row_of_a_member_entitles_nobody_whatever_a_newer_part_of_the_list_shows() {
    use domain::Verdict::{Confirmed, Indeterminate};
    assert_eq!(of_a_member("", |_| ()), Confirmed);
    // The newest list is a part, and does not have them; the last that did is too old.
    let is_partly_old = |estate: &mut graph::Estate| {
        estate.idps[0].memberships.as_mut().unwrap().base = None;
        let old = u32::try_from(estate.snapshots.len()).unwrap() - 1;
        estate.memberships[0].snapshot = old;
    };
    assert_eq!(of_a_member("", is_partly_old), Indeterminate);
}

#[test]
fn who_lost_an_assignment_of_their_own_may_still_have_another_through_a_group_that_was_not_seen() {
    use domain::Verdict::{Confirmed, Drift, Indeterminate};
    assert_eq!(of_a_member("denied", |_| ()), Confirmed);
    let is_no_member = |estate: &mut graph::Estate| {
        estate.memberships.remove(0);
    };
    assert_eq!(of_a_member("denied", is_no_member), Drift(Cause::UnassignedActive));
    let is_unseen = |estate: &mut graph::Estate| {
        estate.memberships.remove(0);
        estate.idps[0].memberships.as_mut().unwrap().base = None;
    };
    assert_eq!(of_a_member("denied", is_unseen), Indeterminate);
    assert_eq!(of_a_member("denied", |estate| estate.memberships.clear()), Indeterminate);
}

/// What is judged of a leaver whose account the app shows in two ways: over SCIM, asked again by id,
/// and in an export of yesterday.
fn of_two_channels(left: &str, by_scim: &str, by_export: &str) -> drift::Judgement {
    of_two_channels_where(left, (by_scim, by_export), |_| ())
}

/// `change`: of what was asked, and of SCIM's list, which is the first channel.
fn of_two_channels_where(
    left: &str,
    (by_scim, by_export): (&str, &str),
    change: impl FnOnce(&mut graph::Estate),
) -> drift::Judgement {
    let company = world(&format!(
        "okta
           u1 ana@x.test DEPROVISIONED since={left}
         app
           a1 u1 ana@x.test {by_scim}
           a1 u1 ana@x.test {by_export}"
    ));
    let (mut estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
    let mut export = estate.snapshot(estate.accounts[1].snapshot).clone();
    export.reference.as_of.at -= chrono::TimeDelta::hours(20);
    export.reference.stream.channel = Some(domain::Channel::File);
    let at = u32::try_from(estate.snapshots.len()).unwrap();
    let mut view = estate.channels[0].clone();
    (view.stream, view.latest, view.base) = (export.reference.stream.clone(), Some(at), Some(at));
    estate.snapshots.push(export);
    estate.channels.push(view);
    (estate.accounts[1].snapshot, estate.accounts[1].system) = (at, 1);
    let asked = [
        (List::Identities, estate.identities[0].entity),
        (List::Accounts, estate.accounts[0].entity),
    ];
    estate.asked_again = asked.into_iter().collect();
    change(&mut estate);
    let graph = graph::correlate(&estate, &keys);
    let (policy, past) = (drift::Policy::default(), drift::Past::default());
    let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
    let (pass, now) = (domain::Pass::Full, testkit::now());
    drift::judge(&drift::Context { graph, rules, policy, past, pass, now })
}

#[test]
fn who_was_seen_on_only_before_the_leave_is_not_accused_by_another_channel_that_shows_them_off() {
    let verdict = |left| of_two_channels(left, "off", "on").standings[0].1;
    assert_eq!(verdict("-3h"), domain::Verdict::Indeterminate);
    assert_eq!(verdict("-30h"), domain::Verdict::Drift(Cause::LeaverActive));
}

#[test]
fn an_answer_by_id_that_shows_an_account_off_is_no_second_look_at_an_export_that_has_it_on() {
    let is_asked_again = |by_scim| {
        let claims = of_two_channels("-30h", by_scim, "on").claims;
        let leaver = claims.iter().find(|it| it.cause == Cause::LeaverActive).unwrap();
        leaver.is_asked_again
    };
    assert!(is_asked_again("on"));
    assert!(!is_asked_again("off"));
}

#[test]
fn an_account_that_may_be_somebody_elses_by_now_is_no_second_one_to_a_light_pass() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 u1 ana.old on
           p1 u1 ana@x.test on",
    );
    let told = |is_owner_of_a1_seen: bool| {
        let (mut estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
        // The second view shows the first account, under another id.
        let mut view = estate.channels[0].clone();
        view.stream.channel = Some(domain::Channel::SecureframeApi);
        estate.channels.push(view);
        estate.accounts[2].system = 1;
        for channel in &mut estate.channels {
            (channel.base, channel.is_stand_in, channel.is_live) = (None, true, true);
        }
        let ana = estate.identities[0].entity;
        let accounts = estate.accounts.iter().map(|it| (List::Accounts, it.entity));
        let asked = [(List::Identities, ana), (List::Assignments, ana)].into_iter().chain(accounts);
        let a1 = (List::Accounts, estate.accounts[0].entity);
        estate.asked_again = asked.filter(|it| is_owner_of_a1_seen || *it != a1).collect();
        let graph = graph::correlate(&estate, &keys);
        assert_eq!(graph.accounts().len(), 2);
        let (policy, past) = (drift::Policy::default(), drift::Past::default());
        let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
        let (pass, now) = (domain::Pass::Light, testkit::now());
        let judgement = drift::judge(&drift::Context { graph, rules, policy, past, pass, now });
        let claims = judgement.claims.iter();
        claims.filter(|it| it.cause == Cause::DuplicateAccount).count()
    };
    assert_eq!((told(true), told(false)), (2, 0));
}

#[test]
fn that_a_list_which_was_not_read_did_not_have_an_account_before_does_not_show_whose_it_is() {
    let is_seen = |is_read: bool, is_answered: bool| {
        let claims = of_two_channels_where("-30h", ("on gone", "on"), |estate| {
            estate.asked_again.insert((List::Accounts, estate.accounts[1].entity));
            if !is_answered {
                estate.asked_again.remove(&(List::Accounts, estate.accounts[0].entity));
            }
            if !is_read {
                (estate.channels[0].base, estate.channels[0].is_stand_in) = (None, true);
            }
        })
        .claims;
        let leaver = claims.iter().find(|it| it.cause == Cause::LeaverActive).unwrap();
        assert_eq!(leaver.is_owner_seen, leaver.is_asked_again);
        leaver.is_owner_seen
    };
    assert!(is_seen(true, false));
    assert!(is_seen(false, true));
    // It may have gone to somebody else since.
    assert!(!is_seen(false, false));
}

#[test]
fn what_an_inactive_leaver_still_holds_may_be_shown_by_one_channel_alone() {
    let is_told = |by_scim, by_export| {
        let claims = of_two_channels("-30h", by_scim, by_export).claims;
        claims.iter().any(|it| it.cause == Cause::ResidualEntitlement)
    };
    assert!(is_told("off groups=Everyone", "off"));
    assert!(is_told("off", "off groups=Everyone"));
    assert!(!is_told("off", "off"));
}

#[test]
fn a_log_says_when_the_app_was_lost_unless_a_list_has_shown_it_since() {
    let lost_at = testkit::now() - chrono::TimeDelta::days(9);
    let told = |last_seen: i64| {
        let company = world(
            "okta
               u1 ana@x.test ACTIVE assigned gone
             app
               a1 u1 ana@x.test on",
        );
        let (mut estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
        estate.identities[0].standing = graph::Standing::Listed;
        let mut earlier = estate.snapshot(estate.assignments[0].snapshot).clone();
        earlier.reference.as_of.at -= chrono::TimeDelta::days(last_seen);
        estate.assignments[0].snapshot = u32::try_from(estate.snapshots.len()).unwrap();
        estate.snapshots.push(earlier);
        let lost = drift::Ended {
            unassigned: Some(lost_at),
            last_told: Some(lost_at),
            ..drift::Ended::default()
        };
        let okta = domain::SystemId::parse("okta").unwrap();
        let past = drift::Past {
            ended: std::iter::once(((okta, "u1".into()), lost)).collect(),
            ..drift::Past::default()
        };
        let graph = graph::correlate(&estate, &keys);
        let (policy, past, rules, graph) = (&drift::Policy::default(), &past, &rules, &graph);
        let (pass, now) = (domain::Pass::Full, testkit::now());
        let claims = drift::judge(&drift::Context { graph, rules, policy, past, pass, now }).claims;
        claims[0].starts.unassigned
    };
    assert_eq!(told(10), Some(lost_at));
    // They had it through another group, or were given it again and the log has a gap.
    assert_eq!(told(1), None);
}

#[test]
fn an_account_that_was_made_since_the_app_was_lost_may_be_of_the_app_given_again() {
    let days = |it: i64| testkit::now() - chrono::TimeDelta::days(it);
    let started = |made: &str| {
        let company = world(&format!(
            "entra
               u1 ana@x.test ACTIVE assigned gone
             app
               a1 u1 ana@x.test on created={made}"
        ));
        let (mut estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
        estate.identities[0].standing = graph::Standing::Listed;
        let mut earlier = estate.snapshot(estate.assignments[0].snapshot).clone();
        earlier.reference.as_of.at = days(5);
        estate.assignments[0].snapshot = u32::try_from(estate.snapshots.len()).unwrap();
        estate.missed_by.insert(estate.assignments[0].entity, days(4));
        estate.snapshots.push(earlier);
        let graph = graph::correlate(&estate, &keys);
        let (past, policy) = (drift::Past::default(), drift::Policy::default());
        let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
        let (pass, now) = (domain::Pass::Full, testkit::now());
        let claims = drift::judge(&drift::Context { graph, rules, policy, past, pass, now }).claims;
        let began = drift::started(policy, &claims[0].starts, None);
        (claims[0].cause, began.earliest, began.latest, claims[0].clock_from)
    };
    let cause = Cause::UnassignedActive;
    assert_eq!(started("-90d"), (cause, Some(days(5)), Some(days(4)), days(4)));
    // Since an hour ago at the earliest; what is known is that it was over by this look.
    assert_eq!(started("-1h"), (cause, Some(days(5)), None, testkit::now()));
}
