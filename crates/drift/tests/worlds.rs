//! Every cause, as a world and what is claimed of it; and what must stay quiet.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::TimeDelta;
use domain::{Cause, List, Tier};
use testkit::{claims, claims_with, leavers, rules, verdicts, world};

/// Holds that a world gives exactly these claims.
#[track_caller]
fn check(estate: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(claims(&world(estate)), expected.join("\n"), "{estate}");
}

#[test]
fn a_company_in_order_has_nothing_to_report() {
    check(
        "okta
           00uAAAAAAAAAAAAAAAA1 ana@x.test ACTIVE assigned
           00uAAAAAAAAAAAAAAAA2 bob@x.test DEPROVISIONED
           00uAAAAAAAAAAAAAAAA3 cem@x.test STAGED assigned
           00uAAAAAAAAAAAAAAAA4 dan@x.test ACTIVE
         app
           a1 00uAAAAAAAAAAAAAAAA1 ana@x.test on
           a2 00uAAAAAAAAAAAAAAAA2 bob@x.test off",
        "nothing",
    );
}

#[test]
fn access_that_remains() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED
           u2 bob@x.test ACTIVE
           u3 cem@x.test SUSPENDED assigned
           u4 dan@x.test ACTIVE assigned ends=-30h
           u5 eve@x.test DEPROVISIONED
           u6 fay@x.test ACTIVE
           u7 gus@x.test SUSPENDED
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on
           a3 u3 cem@x.test on
           a4 u4 dan@x.test on
           a5 u5 eve@x.test null
           a6 u6 fay@x.test invited
           a7 u7 gus@x.test on
           a8 00uGGGGGGGGGGGGGGGGG gone@x.test on",
        "a1 leaver_active critical
         a2 unassigned_active high
         a3 suspended_active medium
         a4 external_expired high
         a5 leaver_listed high
         a6 access_invited medium
         a7 unassigned_active high
         a8 source_gone_active high",
    );
}

#[test]
fn access_that_is_missing_and_accounts_without_owner() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
           u2 bob@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test off
           a9 - svc@x.test on
           a8 - old@x.test off",
        "a1 disabled_entitled medium
         a9 orphan_active high
         u2 not_provisioned low",
    );
}

#[test]
fn an_account_that_was_linked_and_is_gone_has_vanished() {
    let mut company = world(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 - ana@x.test on gone",
    );
    company.stored_links.push(("a1".into(), "u1".into(), Tier::UserName));
    assert_eq!(claims(&company), "a1 vanished medium");
}

#[test]
fn an_account_made_anew_does_not_leave_the_old_one_vanished() {
    let mut company = world(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 - ana@x.test on gone
           a2 u1 ana@x.test on",
    );
    company.stored_links.push(("a1".into(), "u1".into(), Tier::UserName));
    assert_eq!(claims(&company), "nothing");
}

#[test]
fn a_partial_list_of_users_accuses_nobody_by_absence() {
    check(
        "okta (partial)
           u1 ana@x.test DEPROVISIONED
           u2 bob@x.test ACTIVE
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on
           a3 00uGGGGGGGGGGGGGGGGG gone@x.test on
           a4 - svc@x.test on",
        "a1 leaver_active critical",
    );
}

#[test]
fn a_partial_list_of_accounts_proves_nobody_unprovisioned() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
           u2 bob@x.test DEPROVISIONED
         app (partial)
           a2 u2 bob@x.test on",
        "a2 leaver_active critical",
    );
}

#[test]
fn a_status_that_no_mapping_knows_is_never_guessed() {
    let company = world(
        "okta
           u1 ana@x.test HIBERNATING assigned
           u2 bob@x.test ACTIVE undecided
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on",
    );
    assert_eq!(claims(&company), "nothing");
    assert_eq!(verdicts(&company), "a1 indeterminate\na2 indeterminate");
}

#[test]
fn a_lifecycle_list_convicts_leavers_and_never_judges_assignment() {
    check(
        "okta (lifecycle only)
           u1 ana@x.test ACTIVE
           u2 bob@x.test DEPROVISIONED
           u3 cem@x.test SUSPENDED
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on
           a3 u3 cem@x.test on",
        "a2 leaver_active critical
         a3 suspended_active medium",
    );
}

#[test]
fn an_assignment_list_makes_the_unlisted_orphans_until_they_were_once_linked() {
    let estate = "okta (assigned only)
           ana@x.test ana@x.test - assigned
           bob@x.test bob@x.test - assigned gone
         app
           a1 - ana@x.test on
           a2 - bob@x.test on
           a3 - new@x.test on";
    let mut company = world(estate);
    company.stored_links.push(("a2".into(), "bob@x.test".into(), Tier::UserName));
    assert_eq!(claims(&company), "a2 unassigned_active high\na3 orphan_active high");
}

#[test]
fn somebody_gone_from_the_list_was_a_leaver_or_is_gone() {
    let mut company = world(
        "okta
           u1 ana@x.test DEPROVISIONED gone
           u2 bob@x.test ACTIVE assigned gone
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on",
    );
    company.stored_links.push(("a1".into(), "u1".into(), Tier::ExternalId));
    assert_eq!(claims(&company), "a1 leaver_active critical\na2 source_gone_active high");
}

#[test]
fn keys_that_disagree_are_a_conflict_and_never_hide_a_leaver() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
           u2 bob@x.test ACTIVE assigned
           u3 cem@x.test DEPROVISIONED
           u4 dan@x.test DEPROVISIONED
           u5 eve@x.test ACTIVE assigned
         app
           a1 u1 bob@x.test on
           a2 u3 dan@x.test on
           a3 u3 eve@x.test on",
        "a1 link_conflict high
         a2 leaver_active critical
         a2 link_conflict high
         a3 link_conflict high",
    );
}

#[test]
fn several_owners_are_ambiguous_and_all_leavers_are_a_leaver() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned mail=team@x.test
           u2 bob@x.test ACTIVE assigned mail=team@x.test
           u3 cem@x.test DEPROVISIONED mail=old@x.test
           u4 dan@x.test DEPROVISIONED mail=old@x.test
         app
           a1 - shared on mail=team@x.test
           a2 - former on mail=old@x.test
           a3 u1 ana@x.test on mail=team@x.test
           a4 u2 bob@x.test on mail=team@x.test",
        "a1 ambiguous_link medium
         a2 ambiguous_link high
         a2 leaver_active critical",
    );
}

#[test]
fn an_address_of_somebody_gone_that_is_used_again_is_a_conflict() {
    let mut company = world(
        "okta
           00uAAAAAAAAAAAAAAAA1 ana@x.test DEPROVISIONED gone
           00uAAAAAAAAAAAAAAAA2 ana@x.test ACTIVE assigned
         app
           a1 - ana@x.test on",
    );
    assert_eq!(claims(&company), "a1 link_conflict high");
    company.stored_links.push(("a1".into(), "00uAAAAAAAAAAAAAAAA1".into(), Tier::UserName));
    assert_eq!(claims(&company), "a1 link_conflict high");
}

#[test]
fn an_external_id_of_somebody_gone_outweighs_the_address_of_a_newcomer() {
    check(
        "okta
           00uAAAAAAAAAAAAAAAA2 ana@x.test ACTIVE assigned
         app
           a1 00uAAAAAAAAAAAAAAAA1 ana@x.test on",
        "a1 link_conflict high",
    );
}

#[test]
fn an_account_that_names_somebody_not_seen_yet_is_not_pinned_on_its_old_owner() {
    // The list of users could not be read whole, and somebody new may have taken the account over.
    let mut company = world(
        "okta (partial)
           00uAAAAAAAAAAAAAAAA1 ana@x.test DEPROVISIONED
         app
           a1 00uAAAAAAAAAAAAAAAA2 ana@x.test on",
    );
    assert_eq!(claims(&company), "a1 link_conflict high");
    company.stored_links.push(("a1".into(), "00uAAAAAAAAAAAAAAAA1".into(), Tier::AccountId));
    assert_eq!(claims(&company), "a1 link_conflict high");
}

#[test]
fn an_account_that_names_another_user_of_its_owner_is_of_that_user() {
    // Their user at Okta had it first, left, and was followed by another one.
    let claims_of = |account: &str, linked: &str, tier| {
        let mut company = world(&format!(
            "okta
               u1 ana@x.test DEPROVISIONED emp=1041 created=-400d
               u3 again@x.test ACTIVE assigned emp=1041 created=-20d
             entra
               e2 ana@x.test ACTIVE assigned emp=1041 created=-90d
             app
               a1 {account} ana@x.test on"
        ));
        company.stored_links.push(("a1".into(), linked.into(), tier));
        claims(&company)
    };
    assert_eq!(claims_of("e2", "u1", Tier::AccountId), "nothing");
    // Nor does an id that the account still has make it that of a user who was left behind.
    assert_eq!(claims_of("u1", "e2", Tier::AccountId), "nothing");
    // What no id of today says, stays as it was.
    assert_eq!(claims_of("-", "u1", Tier::AccountId), "a1 leaver_active critical");
    assert_eq!(claims_of("u1", "u1", Tier::AccountId), "a1 leaver_active critical");
}

#[test]
fn an_account_that_names_a_user_who_was_left_behind_is_not_of_another_who_has_left_too() {
    // Nobody by whom they have the right has it: it is of the employment that its id names, whichever
    // of the two users the run before had it linked to.
    let claims_of = |linked: &str| {
        let mut company = world(
            "okta
               u1 ana@x.test DEPROVISIONED emp=1041 created=-400d
             entra
               e2 ana@x.test disabled emp=1041 created=-90d
               e3 again@x.test ACTIVE assigned emp=1041 created=-20d
             app
               a1 e2 ana@x.test on
               a3 e3 again@x.test on",
        );
        company.stored_links.push(("a1".into(), linked.into(), Tier::AccountId));
        claims(&company)
    };
    assert!(claims_of("u1").contains("a1 leaver_active critical"), "{}", claims_of("u1"));
    assert_eq!(claims_of("e2"), claims_of("u1"));
}

#[test]
fn an_account_that_is_assigned_to_somebody_not_seen_yet_is_not_pinned_on_its_old_owner() {
    let text = "okta (partial)
           00uAAAAAAAAAAAAAAAA1 ana@x.test DEPROVISIONED
           00uAAAAAAAAAAAAAAAA2 ana@x.test ACTIVE assigned unlisted account=a1
         app
           a1 00uAAAAAAAAAAAAAAAA1 ana@x.test on";
    let mut company = world(text);
    assert_eq!(claims(&company), "a1 link_conflict high");
    company.stored_links.push(("a1".into(), "00uAAAAAAAAAAAAAAAA1".into(), Tier::AccountId));
    assert_eq!(claims(&company), "a1 link_conflict high");
    // Nor is it anybody's who is seen.
    let nobody = world(&text.replace("a1 00uAAAAAAAAAAAAAAAA1 ana@x.test", "a1 - eve@x.test"));
    assert_eq!(claims(&nobody), "nothing");
}

#[test]
fn one_person_with_two_active_accounts_has_a_duplicate() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 -  ana.old on mail=ANA@X.test",
        "a1 duplicate_account medium
         a2 duplicate_account medium",
    );
}

#[test]
fn two_sources_of_one_person_may_disagree() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         entra
           e1 ana@y.test disabled emp=1041
         app
           a1 u1 ana@x.test on",
        "a1 sources_disagree high",
    );
}

#[test]
fn a_quarrel_of_sources_says_whether_an_authority_is_declared() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         entra
           e1 ana@x.test disabled emp=1041
         app
           a1 u1 ana@x.test on
         hr
           emp=1042 left=-5h",
    );
    let told = |authority: Option<&str>| {
        let mut rules = rules(&company);
        rules.authority = authority.map(|it| domain::SystemId::parse(it).unwrap());
        let (estate, keys) = (company.estate(), testkit::keys());
        let graph = graph::correlate(&estate, &keys);
        let (policy, past) = (drift::Policy::default(), drift::Past::default());
        let cx = drift::Context {
            graph: &graph,
            rules: &rules,
            policy: &policy,
            past: &past,
            pass: domain::Pass::Full,
            now: testkit::now(),
        };
        let claims = drift::judge(&cx).claims;
        claims.into_iter().map(|it| it.explanation.summary).collect::<Vec<_>>().join("\n")
    };
    let quarrel = "One source says that `okta/u1` has left, another entitles them, and";
    assert_eq!(told(None), format!("{quarrel} no lifecycle authority is declared."));
    let silent = "`hr`, whose word would decide, does not say that they have left.";
    assert_eq!(told(Some("hr")), format!("{quarrel} {silent}"));
}

#[test]
fn the_authority_beats_the_entitlement() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on
         hr
           emp=1041 left=-5h",
    );
    assert_eq!(claims(&company), "a1 sources_disagree high");
    let mut by_hr = rules(&company);
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    assert_eq!(claims_with(&company, &by_hr, &drift::Past::default()), "a1 leaver_active critical");
}

#[test]
fn a_rehire_is_not_the_leaver_of_an_old_row_of_hr() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041 created=-2d
         app
           a1 u1 ana@x.test on
         hr
           emp=1041 left=-90d",
    );
    let mut by_hr = rules(&company);
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    assert_eq!(claims_with(&company, &by_hr, &drift::Past::default()), "nothing");
}

#[test]
fn what_hr_struck_out_is_not_of_who_was_hired_again_since_and_is_back_under_the_first_id() {
    let judged = |leaver: &str| {
        claims(&world(&format!(
            "entra
               u1 ana@x.test ACTIVE assigned emp=1041 created=-400d
               u2 again@x.test DEPROVISIONED emp=1041 created=-80d
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-90d {leaver}"
        )))
    };
    assert_eq!(judged("gone"), "nothing");
    assert_eq!(judged(""), "a1 sources_disagree high");
}

#[test]
fn who_is_given_access_again_after_hr_has_struck_them_out_is_no_leaver() {
    let judged = |user: &str, leaver: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {user} emp=1041
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-20d {leaver}"
        ));
        let mut by_hr = rules(&company);
        by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
        claims_with(&company, &by_hr, &drift::Past::default())
    };
    // The user of before is active again, and was given the app again.
    let again = "ACTIVE assigned since=-2d changed=-2d";
    assert_eq!(judged(again, "gone"), "nothing");
    // HR says it still.
    assert_eq!(judged(again, ""), "a1 leaver_active critical");
    // What becomes of the new employment is no matter of the old row.
    let suspended = "SUSPENDED assigned since=-1d changed=-2d";
    assert_eq!(judged(suspended, "gone"), "a1 suspended_active medium");
    // What they may use is not legible tonight: they may well be back, and HR's old word is no proof.
    let illegible = "ACTIVE undecided since=-2d";
    assert_eq!(judged(illegible, "gone"), "nothing");
    assert_eq!(judged(illegible, ""), "a1 leaver_active critical");
    // A row that falls out of a list of the last weeks brings nobody back.
    for never_left in [
        "ACTIVE undecided since=-90d",
        "ACTIVE assigned",
        "ACTIVE assigned since=-2d changed=-90d",
        "ACTIVE assigned since=-90d changed=-2d",
    ] {
        assert_eq!(judged(never_left, "gone"), "a1 leaver_active critical", "{never_left}");
    }
}

#[test]
fn who_was_back_by_the_log_and_lost_the_app_before_a_list_was_read_is_no_leaver_of_hrs_old_row() {
    let judged_as = |assigned: &str, returned_at: Option<i64>, leaver: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test ACTIVE {assigned} since=-2d emp=1041
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-20d {leaver}"
        ));
        let mut by_hr = rules(&company);
        by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
        let returned = returned_at.map(|it| testkit::now() + chrono::TimeDelta::days(it));
        let told = drift::Ended { returned, ..drift::Ended::default() };
        let okta = domain::SystemId::parse("okta").unwrap();
        let ended = std::iter::once(((okta, "u1".into()), told)).collect();
        claims_with(&company, &by_hr, &drift::Past { ended, ..drift::Past::default() })
    };
    let judged = |returned_at, leaver| judged_as("", returned_at, leaver);
    assert_eq!(judged(Some(-2), "gone"), "a1 unassigned_active high");
    // They have what they never lost: activated by mistake, perhaps.
    let kept = judged_as("assigned changed=-90d", Some(-2), "gone");
    assert_eq!(kept, "a1 leaver_active critical");
    // HR says it still; they were back before that leave; nobody says that they had been away.
    assert_eq!(judged(Some(-2), ""), "a1 leaver_active critical");
    assert_eq!(judged(Some(-30), "gone"), "a1 leaver_active critical");
    assert_eq!(judged(None, "gone"), "a1 leaver_active critical");
}

#[test]
fn who_had_left_by_hr_is_a_leaver_when_the_row_has_fallen_out_of_a_list_of_the_coming_weeks() {
    // Listed on Monday for Wednesday; the list of the next Monday does not have it any more.
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on
         hr
           emp=1041 left=-120h gone seen=-168h",
    );
    let mut rules = rules(&company);
    rules.authority = Some(domain::SystemId::parse("hr").unwrap());
    let ended = |hours: i64| {
        let ended_at = Some(testkit::now() - chrono::TimeDelta::hours(hours));
        let episode = domain::Episode { number: 1, began_at: testkit::as_of(), ended_at };
        let entity = company.estate().identities[0].entity;
        drift::Past { episodes: [(entity, episode)].into_iter().collect(), ..Default::default() }
    };
    // On Thursday they were seen to have left.
    assert_eq!(claims_with(&company, &rules, &ended(96)), "a1 leaver_active critical");
    // Nobody ever saw that, or only of an employment before: it may have been taken back.
    assert_eq!(claims_with(&company, &rules, &ended(900)), "nothing");
    assert_eq!(claims_with(&company, &rules, &drift::Past::default()), "nothing");
}

#[test]
fn an_address_of_hr_names_a_person_at_each_idp_and_may_be_their_sign_in_name() {
    let at_both = "okta
           u1 ana@x.test ACTIVE assigned
         entra
           e1 ana@x.test ACTIVE
         app
           a1 u1 ana@x.test on
         hr
           mail=ana@x.test left=-5h";
    check(at_both, "a1 sources_disagree high");
    let mut by_hr = rules(&world(at_both));
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    let judged = |text: &str| claims_with(&world(text), &by_hr, &drift::Past::default());
    assert_eq!(judged(at_both), "a1 leaver_active critical");

    let by_name = at_both
        .replace(
            "u1 ana@x.test ACTIVE assigned",
            "u1 ana@x.test ACTIVE assigned mail=ana.li@x.test",
        )
        .replace("a1 u1 ana@x.test on", "a1 u1 ana@x.test on mail=ana.li@x.test")
        .replace("e1 ana@x.test", "e1 eve@x.test");
    assert_eq!(judged(&by_name), "a1 leaver_active critical");
    // Two of one IdP are two people: HR may mean either.
    let of_two =
        at_both.replace("entra", "").replace("e1 ana@x.test", "u2 bob@x.test mail=ana@x.test");
    assert_eq!(judged(&of_two), "nothing");
}

#[test]
fn of_two_lists_of_hr_each_speaks_for_itself_and_the_authority_first() {
    let company = |hr: &str, payroll: &str| {
        world(&format!(
            "okta
               u1 ana@x.test ACTIVE assigned emp=1041
             app
               a1 u1 ana@x.test on
             hr
               emp={hr}
             payroll
               emp={payroll}"
        ))
    };
    let judged = |company: &testkit::World, authority: Option<&str>| {
        let mut rules = rules(company);
        rules.authority = authority.map(|it| domain::SystemId::parse(it).unwrap());
        claims_with(company, &rules, &drift::Past::default())
    };
    // The last pay day comes after the last day.
    let paid_later = company("1041 left=-5d", "1041 left=+20d");
    assert_eq!(judged(&paid_later, Some("hr")), "a1 leaver_active critical");
    assert_eq!(judged(&paid_later, None), "a1 sources_disagree high");
    // Who has moved to another payroll has left that one only.
    let moved = company("1999 left=-5d", "1041 left=-5d");
    assert_eq!(judged(&moved, Some("hr")), "a1 sources_disagree high");
    assert_eq!(judged(&moved, Some("payroll")), "a1 leaver_active critical");
}

#[test]
fn an_idp_that_was_not_seen_whole_hides_no_leaver_of_another_and_convicts_nobody_else() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED
           u2 bob@x.test ACTIVE
           u3 cem@x.test ACTIVE denied
           u4 dan@x.test DEPROVISIONED emp=7
         entra (partial)
           e4 dan@y.test ACTIVE undecided emp=7
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on
           a3 u3 cem@x.test on
           a4 u4 dan@x.test on",
        "a1 leaver_active critical",
    );
}

#[test]
fn who_has_left_an_idp_that_was_not_seen_whole_may_be_there_again_under_another_id() {
    let unheard = |[okta, entra]: [&str; 2], other: &str, account: &str| {
        let company = world(&format!(
            "okta {okta}
               u1 ana@x.test DEPROVISIONED emp=7
             entra {entra}
               e1 ana@y.test {other} emp=7
             app
               a1 u1 ana@x.test on
               a2 e1 ana@y.test on"
        ));
        let claim = claim_on(&company, &drift::Past::default(), account);
        assert_eq!(claim.cause, domain::Cause::LeaverActive);
        claim.unheard.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (left, whole) = ("DEPROVISIONED", ["", ""]);
    assert_eq!(unheard(["", "(partial)"], left, "a1"), ["entra"]);
    assert_eq!(unheard(whole, left, "a1"), [""; 0]);
    // A new user of the same IdP leaves the old one behind.
    assert_eq!(unheard(["", "(partial)"], left, "a2"), [""; 0]);
    assert_eq!(unheard(["(partial)", ""], left, "a2"), ["okta"]);
    assert_eq!(unheard(["(partial)", ""], left, "a1"), [""; 0]);
    // Who has not left there is known there.
    assert_eq!(unheard(["", "(partial)"], "ACTIVE denied", "a1"), [""; 0]);
}

#[test]
fn a_leaver_whom_their_idp_has_deleted_since_is_not_hidden_by_another_that_was_not_seen() {
    for okta in ["okta", "okta (partial)"] {
        let mut company = world(&format!(
            "{okta}
           u1 ana@x.test DEPROVISIONED gone
         entra (partial)
           e9 eve@y.test ACTIVE
         app
           a1 u1 ana@x.test on"
        ));
        company.stored_links.push(("a1".into(), "u1".into(), Tier::ExternalId));
        assert_eq!(claims(&company), "a1 leaver_active critical", "{okta}");
    }
}

#[test]
fn an_owner_who_left_and_had_the_address_of_somebody_gone_has_left() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned gone
           u2 ana@x.test DEPROVISIONED
         app
           s1 - ci@x.test on
         register
           s1 owner=ana@x.test attest=+10d",
        "s1 owner_left high",
    );
}

#[test]
fn registered_accounts_need_an_owner_and_are_no_orphans() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
           u2 bob@x.test DEPROVISIONED
         app
           a1 u1 ana@x.test on
           s1 - ci@x.test on
           s2 - etl@x.test on
           s3 - bot@x.test on
           s4 - sync@x.test on
         register
           s1 owner=ana@x.test attest=+10d
           etl@x.test owner=bob@x.test
           s3
           s4 owner=ana@x.test attest=-1d",
        "s2 owner_left high
         s3 nonhuman_unowned medium
         s4 nonhuman_unowned medium",
    );
}

#[test]
fn registration_hides_nobody_whom_a_key_names() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED
           u2 bob@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on
         register
           a1 owner=bob@x.test",
        "a1 leaver_active critical",
    );
}

#[test]
fn records_that_are_not_in_order() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED
           u2 bea.new@x.test ACTIVE assigned
           u3 cem@x.test ACTIVE assigned as=c.sent@x.test
         app
           a1 u1 ana@x.test off groups=Everyone
           a2 u2 bea.old@x.test on
           a3 u3 c.sent@x.test on mail=cem@x.test",
        "a1 residual_entitlement low
         a2 identifier_drift low",
    );
}

#[test]
fn an_account_that_names_somebody_new_by_id_does_not_have_its_owners_old_name() {
    let mut company = world(
        "okta (partial)
           00uAAAAAAAAAAAAAAAAA ana.new@x.test ACTIVE assigned account=a1
         app
           a1 00uBBBBBBBBBBBBBBBBB ana@x.test on",
    );
    company.stored_links.push(("a1".into(), "00uAAAAAAAAAAAAAAAAA".into(), Tier::AccountId));
    assert_eq!(claims(&company), "nothing");
}

#[test]
fn a_privileged_account_is_one_step_graver() {
    check(
        "okta
           u1 ana@x.test ACTIVE
         app
           a1 u1 ana@x.test on roles=admin",
        "a1 unassigned_active critical",
    );
}

#[test]
fn names_fold_as_unicode() {
    check(
        "okta
           u1 jörg.müller@x.test ACTIVE assigned
         app
           a1 - JÖRG.MÜLLER@X.TEST on mail=jm@private.test",
        "nothing",
    );
    // Composed otherwise, and a letter whose capital is two.
    check(
        "okta
           u1 J\u{d6}RG@x.test DEPROVISIONED
           u2 STRASSE@x.test DEPROVISIONED
         app
           a1 - jo\u{308}rg@x.test on
           a2 - stra\u{df}e@X.test on",
        "a1 leaver_active critical
         a2 leaver_active critical",
    );
}

#[test]
fn an_operator_decides_and_silences_the_conflict() {
    let mut company = world(
        "okta
           u1 ana@x.test ACTIVE assigned
           u2 bob@x.test ACTIVE assigned
         app
           a1 u1 bob@x.test on
           a2 u2 b2@x.test on mail=b2@x.test",
    );
    company.decisions.push(domain::Decision {
        app: domain::SystemId::parse("app").unwrap(),
        account: "a1".into(),
        identity: (domain::SystemId::parse("okta").unwrap(), "u1".into()),
        is_owner: true,
        by: "on-call".to_owned(),
        at: testkit::now(),
        reason: "asked her".to_owned(),
        entry: None,
    });
    assert_eq!(claims(&company), "a2 identifier_drift low");
}

#[test]
fn of_a_user_who_has_left_or_is_gone_no_name_is_said_to_differ() {
    let claimed = |user: &str| {
        claims(&world(&format!(
            "okta
               u1 ana@x.test {user}
             app
               a1 u1 other@x.test on mail=other@x.test"
        )))
    };
    assert!(claimed("ACTIVE assigned").contains("identifier_drift"));
    assert!(claimed("ACTIVE").contains("identifier_drift"));
    for user in ["DEPROVISIONED since=-9d", "ACTIVE assigned gone"] {
        assert!(!claimed(user).contains("identifier_drift"), "{user}");
    }
}

#[test]
fn an_employee_number_of_equal_digits_is_somebodys() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=2222
         app
           a1 u1 ana@x.test on
         hr
           emp=2222 left=-5h",
    );
    assert_eq!(claims(&company), "a1 sources_disagree high");
}

#[test]
fn a_rehire_under_a_new_id_leaves_the_old_id_behind() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041 since=-7200h
           u2 ana2@x.test ACTIVE assigned emp=1041
         app
           a2 u2 ana2@x.test on",
        "nothing",
    );
}

#[test]
fn what_a_new_id_may_says_nothing_of_the_old_one_that_is_out_of_sight() {
    let company = world(
        "okta (partial)
           u1 ana@x.test ACTIVE emp=1041 gone
           u2 ana2@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on",
    );
    let (estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
    let graph = graph::correlate(&estate, &keys);
    let (policy, past) = (drift::Policy::default(), drift::Past::default());
    let now = testkit::now();
    let cx = drift::Context {
        graph: &graph,
        rules: &rules,
        policy: &policy,
        past: &past,
        pass: domain::Pass::Full,
        now,
    };
    let verdicts: Vec<_> = drift::judge(&cx).standings.iter().map(|it| it.1).collect();
    assert_eq!(verdicts, [domain::Verdict::Indeterminate]);
}

#[test]
fn who_leaves_a_second_employment_left_when_that_one_ended() {
    let company = world(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041 created=-900d since=-90d
           u2 ana2@x.test DEPROVISIONED emp=1041 created=-30d since=-2h
         app
           a1 u1 ana@x.test on
           a2 u2 ana2@x.test on",
    );
    let left_at = |account: &str| {
        let claim = claim_on(&company, &drift::Past::default(), account);
        (testkit::now() - claim.starts.earliest().unwrap()).num_hours()
    };
    assert_eq!((left_at("a2"), left_at("a1")), (2, 90 * 24));
}

#[test]
fn who_had_two_identities_at_one_idp_lost_the_right_with_the_last_of_them() {
    let left_at = |one: &str, other: &str, account: &str| {
        let company = world(&format!(
            "okta
           u1 ana@x.test {one} emp=1041
           u2 ana2@x.test {other} emp=1041
         app
           a1 {account} on"
        ));
        let claim = claim_on(&company, &drift::Past::default(), "a1");
        (testkit::now() - claim.starts.earliest().unwrap()).num_hours()
    };
    let left = ["DEPROVISIONED since=-9d", "DEPROVISIONED since=-2h"];
    // An account that an id makes one identity's was to end with that one.
    assert_eq!(left_at(left[0], left[1], "u1 ana@x.test"), 9 * 24);
    assert_eq!(left_at(left[0], left[1], "u2 ana@x.test"), 2);
    assert_eq!(left_at(left[0], left[1], "- ana@x.test"), 2);
    let moved = ["ACTIVE denied changed=-9d", "ACTIVE denied changed=-2h"];
    assert_eq!(left_at(moved[0], moved[1], "u1 ana@x.test"), 2);
    assert_eq!(left_at(moved[1], moved[0], "u1 ana@x.test"), 2);
}

#[test]
fn who_had_the_right_by_two_idps_lost_it_with_the_last_of_them_of_which_one_dates_nothing() {
    let ago = |hours| testkit::now() - chrono::TimeDelta::hours(hours);
    // By Entra they were first seen to have left 30 hours ago; it does not say when.
    let started = |okta: &str, hr: &str, lost_app: Option<i64>| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {okta} emp=1041
             entra
               e1 ana@y.test DEPROVISIONED emp=1041
             app
               a1 u1 ana@x.test on{hr}"
        ));
        let [okta, entra] = ["okta", "entra"].map(|it| domain::SystemId::parse(it).unwrap());
        let (said_since, heard_at) = (ago(30), ago(30));
        let said = drift::SaidLeft { said_since, heard_at, at: None, returned_at: None };
        let lost = drift::Ended { unassigned: lost_app.map(ago), ..drift::Ended::default() };
        let past = drift::Past {
            said_left: std::iter::once(((entra, "e1".into()), vec![said])).collect(),
            ended: std::iter::once(((okta, "u1".into()), lost)).collect(),
            ..drift::Past::default()
        };
        let claim = claim_on(&company, &past, "a1");
        let began = drift::started(&drift::Policy::default(), &claim.starts, None);
        (hours_ago(claim.clock_from), began.earliest.map(hours_ago), began.latest.map(hours_ago))
    };
    // Okta's date comes after that look, and is the last.
    assert_eq!(started("DEPROVISIONED since=-9h", "", None), (9, Some(9), Some(9)));
    // It comes before, and they may have left Entra since; what HR says later begins nothing anew.
    let hr = "\n             hr\n               emp=1041 left=-2h";
    assert_eq!(started("DEPROVISIONED since=-40h", "", None).0, 30);
    assert_eq!(started("DEPROVISIONED since=-40h", hr, None), (30, None, Some(30)));
    // Of Okta's user the right was gone long before they left there.
    assert_eq!(started("DEPROVISIONED since=-9h", hr, Some(90)), (30, None, Some(30)));
    // By Okta they have the right still, or lost it at no known time: nothing dates the last.
    assert_eq!(started("ACTIVE", "", None).0, 0);
}

#[test]
fn whose_time_is_over_by_one_of_all_has_left_where_hr_says_so() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041 ends=-5d
         entra
           e1 ana@y.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on
         hr
           emp=1041 left=-9d",
    );
    let rules = drift::AppRules { entitlement: drift::Entitlement::All, ..rules(&company) };
    let claim = claim_by(&rules, &company, &drift::Past::default(), "a1");
    assert_eq!(claim.cause, Cause::LeaverActive);
}

/// The authority took the app away days before it let her go, and another one has given it, nobody knows since
/// when, or ended it in the meantime.
#[test]
fn who_left_by_the_authority_lost_the_right_since_it_took_the_app_and_by_the_leave() {
    let ago = |hours| testkit::now() - chrono::TimeDelta::hours(hours);
    let began = |entra: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test DEPROVISIONED since=-9h emp=1041
             entra
               e1 ana@y.test {entra} emp=1041
             app
               a1 u1 ana@x.test on"
        ));
        let okta = domain::SystemId::parse("okta").unwrap();
        let lost = drift::Ended { unassigned: Some(ago(90)), ..drift::Ended::default() };
        let ended = std::iter::once(((okta.clone(), "u1".into()), lost)).collect();
        let past = drift::Past { ended, ..drift::Past::default() };
        let rules = drift::AppRules { authority: Some(okta), ..rules(&company) };
        let claim = claim_by(&rules, &company, &past, "a1");
        let began = drift::started(&drift::Policy::default(), &claim.starts, None);
        (hours_ago(claim.clock_from), began.earliest.map(hours_ago), began.latest.map(hours_ago))
    };
    assert_eq!(began("ACTIVE assigned"), (9, Some(90), Some(9)));
    assert_eq!(began("DEPROVISIONED since=-5h"), (9, Some(9), Some(9)));
    // It was over before.
    assert_eq!(began("DEPROVISIONED since=-20h"), (20, Some(20), Some(20)));
}

#[test]
fn the_last_of_two_rights_ended_as_exactly_as_its_provider_says() {
    let began = |okta: &str, entra: &str, is_first_run: bool| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {okta} emp=1041
             entra
               e1 ana@y.test {entra} emp=1041
             app
               a1 u1 ana@x.test on"
        ));
        let before = testkit::now() - chrono::TimeDelta::hours(33);
        let estate = company.estate();
        let lists = estate.lists().map(|it| (it.stream.clone(), before));
        let looked_at = if is_first_run { Default::default() } else { lists.collect() };
        let past = drift::Past { looked_at, ..drift::Past::default() };
        let claim = claim_on(&company, &past, "a1");
        let began = drift::started(&drift::Policy::default(), &claim.starts, None);
        (began.earliest.map(hours_ago), began.latest.map(hours_ago))
    };
    let left = "DEPROVISIONED assigned since=-9h";
    // A deletion is the latest: they may have been switched off since the list before it.
    assert_eq!(
        began("DEPROVISIONED since=-90h", "deleted assigned since=-9h", false),
        (Some(33), Some(9))
    );
    // Who never had the app by a provider lost nothing there, as far as lists go back.
    assert_eq!(began(left, "ACTIVE", false), (Some(9), Some(9)));
    assert_eq!(began(left, "ACTIVE", true), (Some(9), Some(1)));
}

#[test]
fn a_row_that_hr_has_struck_out_may_be_of_an_earlier_leave() {
    let started = |status: &str, leaver: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {status} emp=1041
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-90d {leaver}"
        ));
        let claim = claim_on(&company, &drift::Past::default(), "a1");
        let days = |it: chrono::DateTime<chrono::Utc>| (testkit::now() - it).num_days();
        let between = drift::started(&drift::Policy::default(), &claim.starts, None);
        (between.earliest.map(days), between.latest.map(days), days(claim.clock_from))
    };
    let left = "DEPROVISIONED since=-2d";
    assert_eq!(started(left, ""), (Some(90), Some(90), 90));
    // Back, and gone again between two looks, or deactivated late: nobody saw.
    assert_eq!(started(left, "gone"), (Some(90), Some(2), 2));
    // No other clock ran since.
    assert_eq!(started("DEPROVISIONED since=-95d", "gone"), (Some(95), Some(95), 95));
    assert_eq!(started("DEPROVISIONED", "gone"), (Some(90), Some(90), 90));
}

#[test]
fn who_was_off_since_hrs_day_and_is_on_again_is_back_when_hr_has_struck_them_out() {
    let claims = |user: &str, leaver: &str, said_left: Option<i64>| {
        let company = world(&format!(
            "entra
               u1 ana@x.test {user}
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-9d {leaver}"
        ));
        let entra = domain::SystemId::parse("entra").unwrap();
        let at = |days| testkit::now() - chrono::TimeDelta::days(days);
        let said_left = said_left.map(|it| {
            let (said_since, heard_at) = (at(it), at(it));
            let said = drift::SaidLeft { said_since, heard_at, at: None, returned_at: None };
            ((entra, "u1".into()), vec![said])
        });
        let past = drift::Past { said_left: said_left.into_iter().collect(), ..Default::default() };
        let rules = rules(&company);
        let (estate, keys, policy) = (company.estate(), testkit::keys(), drift::Policy::default());
        let graph = graph::correlate(&estate, &keys);
        let (pass, now) = (domain::Pass::Full, testkit::now());
        let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
        let cx = drift::Context { graph, rules, policy, past, pass, now };
        let judged = drift::judge(&cx);
        let cause = judged.claims.iter().map(|it| it.cause).find(|it| {
            it.family() == domain::Family::AccessRemains || *it == Cause::SourcesDisagree
        });
        (cause, drift::doubts(&cx).len())
    };
    let on = "ACTIVE assigned emp=1041";
    assert_eq!(claims(on, "gone", Some(5)), (None, 1));
    // Off before HR's day alone, never off, or still on HR's list: HR's word holds.
    assert_eq!(claims(on, "gone", Some(12)), (Some(Cause::SourcesDisagree), 0));
    assert_eq!(claims(on, "gone", None), (Some(Cause::SourcesDisagree), 0));
    assert_eq!(claims(on, "", Some(5)), (Some(Cause::SourcesDisagree), 0));
    // Where the provider dates it, the date decides.
    assert_eq!(
        claims("ACTIVE since=-20d assigned emp=1041", "gone", Some(5)),
        (Some(Cause::SourcesDisagree), 0)
    );
    // Off over a day that is of another employment, which began by then and has ended.
    let later = |created: &str| {
        let row = "emp=1041 created=-400d
               u2 again@x.test DEPROVISIONED emp=1041 created=";
        claims(&format!("ACTIVE assigned {row}{created}"), "gone", Some(12))
    };
    assert_eq!(later("-11d"), (None, 1));
}

/// The list that has her on stands in for one that could not be read, and is older than her provider's word.
#[test]
fn a_list_of_before_a_leave_does_not_show_that_somebody_whom_hr_has_struck_out_is_on_again() {
    let company = world(
        "entra
           u1 ana@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on
         hr
           emp=1041 left=-9d gone",
    );
    let (mut estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
    let list = &mut estate.idps[0].identities;
    (list.is_stand_in, list.base) = (true, None);
    let (heard_at, now) = (testkit::now(), testkit::now());
    let said = drift::SaidLeft { said_since: heard_at, heard_at, at: None, returned_at: None };
    let entra = domain::SystemId::parse("entra").unwrap();
    let said_left = std::iter::once(((entra, "u1".into()), vec![said])).collect();
    let past = drift::Past { said_left, ..Default::default() };
    let policy = drift::Policy::default();
    let graph = graph::correlate(&estate, &keys);
    let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
    let pass = domain::Pass::Full;
    let judged = drift::judge(&drift::Context { graph, rules, policy, past, pass, now });
    let left = judged.claims.iter().find(|it| it.cause == Cause::LeaverActive).unwrap();
    assert_eq!(left.starts.hr.or(left.starts.struck_out), Some(now - chrono::TimeDelta::days(9)));
}

#[test]
fn who_was_seen_back_and_is_deleted_by_now_did_not_leave_when_hr_said_of_the_leave_before() {
    let hr_says = |user: &str| {
        let company = world(&format!(
            "entra
               u1 ana@x.test {user} emp=1041
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-9d gone"
        ));
        let at = |days| testkit::now() - chrono::TimeDelta::days(days);
        let said = |since, returned_at| drift::SaidLeft {
            said_since: at(since),
            heard_at: at(since),
            at: None,
            returned_at,
        };
        let entra = domain::SystemId::parse("entra").unwrap();
        let said = vec![said(9, Some(at(5))), said(3, None)];
        let said_left = std::iter::once(((entra, "u1".into()), said)).collect();
        let past = drift::Past { said_left, ..drift::Past::default() };
        let starts = claim_on(&company, &past, "a1").starts;
        starts.hr.or(starts.struck_out)
    };
    assert_eq!(hr_says("DEPROVISIONED"), None);
    assert_eq!(hr_says("deleted since=-1d"), None);
}

#[test]
fn who_was_seen_back_and_left_again_left_once_more() {
    let company = world(
        "entra
           u1 ana@x.test DEPROVISIONED emp=1041
         app
           a1 u1 ana@x.test on
         hr
           emp=1041 left=-90d gone",
    );
    let began = |found: i64, returned: Option<i64>| {
        let days = |it| testkit::now() - chrono::TimeDelta::days(it);
        let said = drift::SaidLeft {
            said_since: days(found),
            heard_at: days(found),
            at: None,
            returned_at: returned.map(days),
        };
        let entra = domain::SystemId::parse("entra").unwrap();
        let said_left = std::iter::once(((entra, "u1".into()), vec![said])).collect();
        let past = drift::Past { said_left, ..drift::Past::default() };
        claim_on(&company, &past, "a1").starts.hr
    };
    assert!(began(89, None).is_some());
    assert_eq!(began(89, Some(70)), None);
    // Off and on before HR's day, and never off since.
    assert!(began(99, Some(70)).is_some());
}

#[test]
fn an_id_that_no_list_has_shown_is_not_that_of_the_owner_before() {
    let gone = "00uAAAAAAAAAAAAAAAA1";
    let link = |external_id: &str| {
        let mut company = world(&format!(
            "okta (partial)
               {gone} ana@x.test DEPROVISIONED
             app
               a1 {external_id} ana@x.test on"
        ));
        company.stored_links.push(("a1".into(), gone.into(), Tier::ExternalId));
        let (estate, keys) = (company.estate(), testkit::keys());
        let graph = graph::correlate(&estate, &keys);
        matches!(graph.link(0), domain::Link::Linked { .. })
    };
    assert!(link(gone));
    assert!(!link("00uBBBBBBBBBBBBBBBB2"));
}

#[test]
fn a_date_that_comes_after_somebody_was_seen_to_have_left_is_not_when_they_left() {
    let started = |user: &str, hr: &str, is_away: bool| {
        let company = world(&format!(
            "entra
               u1 ana@x.test {user} emp=1041
             app
               a1 u1 ana@x.test on{hr}"
        ));
        let heard_at = testkit::now() - chrono::TimeDelta::hours(30);
        let said = drift::SaidLeft {
            said_since: heard_at,
            heard_at,
            at: None,
            returned_at: (!is_away).then(testkit::now),
        };
        let entra = domain::SystemId::parse("entra").unwrap();
        let said_left = std::iter::once(((entra, "u1".into()), vec![said])).collect();
        let past = drift::Past { said_left, ..drift::Past::default() };
        let claim = claim_on(&company, &past, "a1");
        let began = drift::started(&drift::Policy::default(), &claim.starts, None);
        (hours_ago(claim.clock_from), began.earliest.map(hours_ago), began.latest.map(hours_ago))
    };
    // Deleted after they were switched off; HR's day after that.
    assert_eq!(started("DEPROVISIONED since=-2h", "", true), (30, None, None));
    let hr = "\n             hr\n               emp=1041 left=-2h";
    assert_eq!(started("DEPROVISIONED", hr, true), (30, None, Some(30)));
    assert_eq!(started("DEPROVISIONED since=-2h", hr, true), (30, None, Some(30)));
    // HR's day was before that look, and they may have been switched off before HR's day.
    let hr = "\n             hr\n               emp=1041 left=-31h";
    assert_eq!(started("DEPROVISIONED", hr, true), (31, None, Some(31)));
    // Back in between, or a date that was not told before.
    assert_eq!(started("DEPROVISIONED since=-2h", "", false), (2, Some(2), Some(2)));
    assert_eq!(started("DEPROVISIONED since=-40h", "", true), (40, Some(40), Some(40)));
}

#[test]
fn the_account_of_a_user_that_was_left_behind_may_have_been_right_as_long_as_another_provider_let_them_in()
 {
    let began = |elsewhere: &str, created: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {elsewhere} emp=1041
             entra
               e1 old@x.test DEPROVISIONED since=-200h emp=1041 created=-400d
               e2 new@x.test ACTIVE emp=1041 created={created}
             app
               a1 e1 old@x.test on"
        ));
        let claim = claim_on(&company, &drift::Past::default(), "a1");
        let began = drift::started(&drift::Policy::default(), &claim.starts, None);
        (began.earliest.map(hours_ago), began.latest.map(hours_ago))
    };
    let left = |since: &str| format!("DEPROVISIONED assigned since={since}");
    assert_eq!(began(&left("-9h"), "-5h"), (Some(200), Some(9)));
    // Since the later user was made, it counts, whatever another provider says.
    assert_eq!(began(&left("-3h"), "-5h"), (Some(200), Some(5)));
    assert_eq!(began("ACTIVE assigned", "-5h"), (Some(200), Some(5)));
    assert_eq!(began(&left("-3h"), "-300h"), (Some(200), Some(200)));
    assert_eq!(began(&left("-300h"), "-5h"), (Some(200), Some(200)));
    // It never let them in.
    assert_eq!(began("DEPROVISIONED since=-9h", "-5h"), (Some(200), Some(200)));
    // An earlier user is back, since nobody knows when.
    assert_eq!(began("ACTIVE assigned", "-500d"), (Some(200), Some(0)));
    assert_eq!(began(&left("-3h"), "-500d"), (Some(200), Some(3)));
}

#[test]
fn a_user_that_was_left_behind_left_when_hr_says_that_their_employment_ended() {
    let by_hr = |created: &str, left: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test DEPROVISIONED since=-20h emp=1041 created=-400d
               u2 new@x.test ACTIVE assigned emp=1041 created={created}
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left={left}"
        ));
        claim_on(&company, &drift::Past::default(), "a1").starts.hr.map(hours_ago)
    };
    assert_eq!(by_hr("-10h", "-90h"), Some(90));
    // Of another employment, before or after.
    assert_eq!(by_hr("-10h", "-500d"), None);
    assert_eq!(by_hr("-10h", "-5h"), None);
}

#[test]
fn who_lost_the_app_before_they_left_should_have_had_none_since() {
    let lost_at = testkit::now() - chrono::TimeDelta::days(9);
    let started = |user: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {user}
             app
               a1 u1 ana@x.test on"
        ));
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
        let claim = claim_on(&company, &past, "a1");
        (claim.clock_from == lost_at, claim.starts.unassigned.is_some())
    };
    assert_eq!(started("DEPROVISIONED since=-2h"), (true, true));
    assert_eq!(started("ACTIVE ends=-30h"), (true, true));
    // A list has shown them with the app since then: the log has a gap.
    assert_eq!(started("DEPROVISIONED since=-2h assigned"), (false, false));
    assert_eq!(started("ACTIVE ends=-30h assigned"), (false, false));
}

#[test]
fn a_push_is_told_where_nothing_shows_that_they_had_access_since() {
    let hours = |it: i64| testkit::now() - chrono::TimeDelta::hours(it);
    // Of a push so many hours ago, and when the log says that they got back what they had lost.
    let told = |user: &str, account: &str, pushed: i64, regained: Option<i64>| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {user}
             app
               a1 u1 ana@x.test {account}"
        ));
        let (estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
        let push = drift::Push { at: hours(pushed), has_failed: true };
        let ended = drift::Ended {
            pushed: Some(push),
            regained: regained.map(hours),
            ..drift::Ended::default()
        };
        let okta = domain::SystemId::parse("okta").unwrap();
        let past = drift::Past {
            ended: std::iter::once(((okta, "u1".into()), ended)).collect(),
            ..drift::Past::default()
        };
        let graph = graph::correlate(&estate, &keys);
        let (policy, past, rules, graph) = (&drift::Policy::default(), &past, &rules, &graph);
        let (pass, now) = (domain::Pass::Full, testkit::now());
        let cx = drift::Context { graph, rules, policy, past, pass, now };
        let facts = drift::examine(&cx, Some(0), None).unwrap().explanation.facts;
        let said = facts.iter().find(|it| it.source == "okta log");
        match said {
            Some(it) if it.text.contains("Since when they have no access is not known") => {
                "perhaps"
            }
            Some(_) => "told",
            None => "-",
        }
    };
    let left = "DEPROVISIONED since=-9h";
    #[rustfmt::skip]
    let table = [
        // user                      | account | pushed | regained | what is said
        (left,                         "on",     8,       None,      "told"   ),
        // The clocks of two systems may be so far apart.
        (left,                         "on",     9,       None,      "told"   ),
        (left,                         "on",     10,      None,      "-"      ),
        (left,                         "on",     8,       Some(7),   "-"      ),
        (left,                         "on",     8,       Some(20),  "told"   ),
        (left,                         "off",    8,       None,      "-"      ),
        ("ACTIVE assigned",            "on",     8,       None,      "-"      ),
        ("SUSPENDED assigned",         "on",     8,       None,      "perhaps"),
        ("DEPROVISIONED",              "on",     8,       None,      "perhaps"),
    ];
    for (user, account, pushed, regained, wanted) in table {
        assert_eq!(
            told(user, account, pushed, regained),
            wanted,
            "{user}, {account}, pushed {pushed} h ago, regained {regained:?}"
        );
    }
}

#[test]
fn whose_time_was_over_before_they_left_should_have_had_no_access_since() {
    let started = |user: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {user}
             app
               a1 u1 ana@x.test on"
        ));
        let claim = claim_on(&company, &drift::Past::default(), "a1");
        let began = drift::started(&drift::Policy::default(), &claim.starts, None);
        let began = [began.earliest, began.latest].map(|it| it.map(hours_ago));
        (claim.cause, hours_ago(claim.clock_from), began)
    };
    let left = |user| {
        let (cause, clock, [earliest, latest]) = started(user);
        assert_eq!(cause, Cause::LeaverActive, "{user}");
        assert_eq!(earliest, latest.filter(|_| user.contains("since")), "{user}");
        (clock, latest)
    };
    assert_eq!(left("DEPROVISIONED since=-2h ends=-40h"), (40, Some(40)));
    // They left before the day that was stated for the end.
    assert_eq!(left("DEPROVISIONED since=-40h ends=-2h"), (40, Some(40)));
    assert_eq!(left("DEPROVISIONED since=-2h ends=9d"), (2, Some(2)));
    // Nobody knows when they left, which may have been before: it was over by that day at the latest.
    assert_eq!(left("DEPROVISIONED ends=-40h").1, Some(40));
    assert_eq!(left("DEPROVISIONED ends=9d").1, None);
    assert_eq!(started("ACTIVE ends=-40h"), (Cause::ExternalExpired, 40, [Some(40); 2]));
}

#[test]
fn where_all_idps_must_entitle_an_undated_leave_at_one_may_have_been_before_its_stated_end() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         entra
           e1 ana@y.test DEPROVISIONED ends=-20h emp=1041
         app
           a1 u1 ana@x.test on",
    );
    let rules = drift::AppRules { entitlement: drift::Entitlement::All, ..rules(&company) };
    let claim = claim_by(&rules, &company, &drift::Past::default(), "a1");
    assert_eq!(claim.cause.family(), domain::Family::AccessRemains, "{claim:#?}");
    let began = drift::started(&drift::Policy::default(), &claim.starts, None);
    assert_eq!((began.earliest, began.latest.map(hours_ago)), (None, Some(20)), "{claim:#?}");
}

#[test]
fn a_stated_end_dates_no_leave_that_was_seen_before_it() {
    let company = world(
        "okta
           u1 ana@x.test DEPROVISIONED ends=-20h
         app
           a1 u1 ana@x.test on",
    );
    let ago = |hours| testkit::now() - chrono::TimeDelta::hours(hours);
    let began = |seen: i64| {
        let ended_at = Some(ago(seen));
        let episode = domain::Episode { number: 1, began_at: ago(900), ended_at };
        let user = company.estate().identities[0].entity;
        let episodes = std::iter::once((user, episode)).collect();
        let past = drift::Past { episodes, ..drift::Past::default() };
        let claim = claim_on(&company, &past, "a1");
        drift::started(&drift::Policy::default(), &claim.starts, None).latest.map(hours_ago)
    };
    assert_eq!(began(10), Some(20));
    assert_eq!(began(30), None);
}

#[test]
fn who_is_back_since_hr_was_read_is_no_leaver_to_a_light_pass() {
    let claimed_of = |user: &str, leaves: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test {user} emp=1041
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 {leaves}"
        ));
        let (mut estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
        let users = estate.identities.iter().map(|it| it.entity);
        let asked = users.flat_map(|it| [(List::Identities, it), (List::Assignments, it)]);
        let accounts = estate.accounts.iter().map(|it| (List::Accounts, it.entity));
        estate.asked_again = asked.chain(accounts).collect();
        estate.idps.iter_mut().for_each(|it| it.identities.is_live = true);
        let graph = graph::correlate(&estate, &keys);
        let (policy, past) = (drift::Policy::default(), drift::Past::default());
        let (pass, now) = (domain::Pass::Light, testkit::now());
        let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
        let cx = drift::Context { graph, rules, policy, past, pass, now };
        drift::judge(&cx).claims.iter().map(|it| it.cause).collect::<Vec<Cause>>()
    };
    let claimed = |user| claimed_of(user, "left=-9d");
    // HR, which it has not read, may have struck the row out.
    assert_eq!(claimed("ACTIVE since=-1h assigned changed=-1h"), []);
    // Nothing says that they are back.
    assert_eq!(claimed("ACTIVE since=-90d assigned changed=-90d"), [Cause::SourcesDisagree]);
    assert_eq!(claimed("DEPROVISIONED since=-1h"), [Cause::LeaverActive]);
    // They were back, and have left again.
    assert_eq!(claimed("DEPROVISIONED since=-1h assigned changed=-2d"), [Cause::LeaverActive]);
    // The day was ahead when HR was read, and has come since.
    let claimed = |user| claimed_of(user, "left=0h");
    assert_eq!(claimed("ACTIVE since=0h assigned changed=0h"), []);
    assert_eq!(claimed("ACTIVE since=-9d assigned changed=0h"), [Cause::SourcesDisagree]);
}

#[test]
fn grace_runs_since_a_suspension_whatever_takes_the_right_away_later() {
    for later in ["assigned ends=-3h", "denied changed=-3h"] {
        let company = world(&format!(
            "okta
               u1 ana@x.test SUSPENDED since=-9d {later}
             app
               a1 u1 ana@x.test on"
        ));
        let claim = claim_on(&company, &drift::Past::default(), "a1");
        let limit = claim.starts.earliest().map(hours_ago);
        assert_eq!((hours_ago(claim.clock_from), limit), (9 * 24, Some(3)), "{later}");
    }
}

#[test]
fn a_rehire_under_a_new_id_begins_no_employment_of_the_old_one() {
    let company = world(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041 since=-90d
           u2 ana2@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on",
    );
    let left_at = testkit::now() - chrono::TimeDelta::days(90);
    let entity = company.estate().identities.first().unwrap().entity;
    let episode = domain::Episode { number: 1, began_at: left_at, ended_at: Some(left_at) };
    let past = drift::Past {
        episodes: std::iter::once((entity, episode)).collect(),
        ..drift::Past::default()
    };
    let claim = claim_on(&company, &past, "a1");
    assert_eq!((claim.episode, claim.starts.earliest()), (1, Some(left_at)));
}

/// The first claim about an account.
fn hours_ago(at: chrono::DateTime<chrono::Utc>) -> i64 {
    (testkit::now() - at).num_hours()
}

fn claim_on(company: &testkit::World, past: &drift::Past, account: &str) -> drift::Claim {
    claim_by(&rules(company), company, past, account)
}

fn claim_by(
    rules: &drift::AppRules,
    company: &testkit::World,
    past: &drift::Past,
    account: &str,
) -> drift::Claim {
    let (estate, keys) = (company.estate(), testkit::keys());
    let graph = graph::correlate(&estate, &keys);
    let (policy, now) = (drift::Policy::default(), testkit::now());
    let cx = drift::Context {
        graph: &graph,
        rules,
        policy: &policy,
        past,
        pass: domain::Pass::Full,
        now,
    };
    let claims = drift::judge(&cx).claims;
    let mut claims = claims.into_iter();
    let found = claims.find(|it| *it.subject.key == *account);
    found.unwrap_or_else(|| panic!("nothing is claimed of {account}"))
}

#[test]
fn the_account_of_an_id_that_was_left_behind_is_a_leavers() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041 since=-7200h
           u2 ana2@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on
           a2 u2 ana2@x.test off",
        "a1 leaver_active critical
         a2 disabled_entitled medium",
    );
}

#[test]
fn a_dispute_on_a_new_employment_is_none_on_the_one_before() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041 since=-9d
           u2 ana2@x.test ACTIVE assigned emp=1041 created=-8d
         app
           a1 u1 ana@x.test on
           a2 u2 ana2@x.test on
         hr
           emp=1041 left=-5h",
        "a1 duplicate_account medium
         a1 leaver_active critical
         a2 duplicate_account medium
         a2 sources_disagree high",
    );
}

#[test]
fn an_employee_number_that_many_share_convicts_no_stranger() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1234
           u2 bob@x.test DEPROVISIONED emp=1234
           u3 cem@x.test DEPROVISIONED emp=1234
           u4 dan@x.test DEPROVISIONED emp=1234
           u5 zoe@x.test ACTIVE assigned
         app
           a1 - zoe@x.test on emp=1234",
        "nothing",
    );
}

#[test]
fn who_was_hired_for_the_fifth_time_is_still_one_person_to_hr() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041
           u2 ana2@x.test DEPROVISIONED emp=1041
           u3 ana3@x.test DEPROVISIONED emp=1041
           u4 ana4@x.test DEPROVISIONED emp=1041
           u5 ana5@x.test ACTIVE assigned emp=1041
         app
           a5 u5 ana5@x.test on
         hr
           emp=1041 left=-50h",
        "a5 sources_disagree high",
    );
}

#[test]
fn an_authority_that_was_not_seen_frees_nobody() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         entra (partial)
         app
           a1 u1 ana@x.test on",
    );
    let mut by_entra = rules(&company);
    by_entra.authority = Some(domain::SystemId::parse("entra").unwrap());
    assert_eq!(claims_with(&company, &by_entra, &drift::Past::default()), "nothing");
    assert_eq!(verdicts(&company), "a1 confirmed", "any other entitlement is enough without one");
    let estate = company.estate();
    let keys = testkit::keys();
    let graph = graph::correlate(&estate, &keys);
    let (policy, past) = (drift::Policy::default(), drift::Past::default());
    let now = testkit::now();
    let cx = drift::Context {
        graph: &graph,
        rules: &by_entra,
        policy: &policy,
        past: &past,
        pass: domain::Pass::Full,
        now,
    };
    assert_eq!(drift::judge(&cx).standings[0].1, domain::Verdict::Indeterminate);
}

#[test]
fn an_account_seen_on_only_before_the_leave_accuses_nobody() {
    // The app's list speaks as of an hour before the run; one leave is after that look, one before.
    let mut company = world(
        "okta
           u1 ana@x.test DEPROVISIONED since=-0h
           u2 bob@x.test DEPROVISIONED since=-2h
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on",
    );
    (company.later, company.app_behind) = (TimeDelta::hours(1), TimeDelta::hours(1));
    assert_eq!(claims(&company), "a2 leaver_active critical");
}

#[test]
fn an_account_of_several_possible_owners_seen_on_only_before_the_first_left_accuses_nobody() {
    let told = |first: &str| {
        let mut company = world(&format!(
            "okta
           u1 ana@x.test DEPROVISIONED since={first} mail=old@x.test
           u2 bob@x.test DEPROVISIONED since=-0h mail=old@x.test
         app
           a1 - former on mail=old@x.test"
        ));
        (company.later, company.app_behind) = (TimeDelta::hours(1), TimeDelta::hours(1));
        claims(&company)
    };
    assert_eq!(told("-0h"), "a1 ambiguous_link high");
    assert_eq!(told("-2h"), "a1 ambiguous_link high\na1 leaver_active critical");
}

#[test]
fn guids_differ_in_nothing_but_case() {
    check(
        "entra
           a1000000-0000-4000-8000-00000000000a ana@x.test ACTIVE assigned
         app
           a1 A1000000-0000-4000-8000-00000000000A ana@x.test on",
        "nothing",
    );
}

#[test]
fn an_assignment_list_makes_no_ghost_of_an_id_it_does_not_have() {
    check(
        "okta (assigned only)
           00uAAAAAAAAAAAAAAAA1 ana@x.test - assigned
         app
           a1 00uAAAAAAAAAAAAAAAA1 ana@x.test on
           a2 00uGGGGGGGGGGGGGGGGG bob@x.test on",
        "a2 orphan_active high",
    );
}

#[test]
fn an_address_given_to_somebody_else_is_not_the_leavers() {
    let company = world(
        "okta
           u1 ana.old@x.test DEPROVISIONED emp=1
           u2 ana@x.test ACTIVE assigned emp=2
         app
           a2 u2 ana@x.test on
         hr
           emp=1 mail=ana@x.test left=-9600h",
    );
    let mut by_hr = rules(&company);
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    assert_eq!(claims_with(&company, &by_hr, &drift::Past::default()), "nothing");
}

#[test]
fn a_leaver_whom_hr_alone_knows_is_a_leaver_by_the_keys_of_the_account() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 - two@x.test on emp=1042
           a3 - other on mail=three@x.test
           a4 - Four@X.test on mail=-
           a5 - five@x.test null
           a6 - six@x.test on
           a7 - seven@x.test on emp=1047
         hr
           emp=1042 left=-5h
           mail=three@x.test left=-5h
           mail=four@x.test left=-5h
           mail=five@x.test left=-5h
           mail=eight@x.test left=-5h
           emp=1047 left=+5d",
        "a2 leaver_active critical
         a3 leaver_active critical
         a4 leaver_active critical
         a5 leaver_listed high
         a6 orphan_active high
         a7 orphan_active high",
    );
}

#[test]
fn of_two_lists_of_hr_each_speaks_for_itself_also_of_whom_no_idp_knows() {
    let judged = |hr: &str, payroll: &str| {
        claims(&world(&format!(
            "okta
               u1 ana@x.test ACTIVE assigned
             app
               a1 u1 ana@x.test on
               a2 - two@x.test on emp=1042
             hr
               {hr}
             payroll
               {payroll}"
        )))
    };
    // The last pay day comes after the last day, by whichever key each list names them.
    assert_eq!(judged("emp=1042 left=-5h", "emp=1042 left=+20d"), "a2 leaver_active critical");
    assert_eq!(
        judged("mail=two@x.test left=-5h", "emp=1042 left=+20d"),
        "a2 leaver_active critical"
    );
    assert_eq!(judged("emp=1042 left=+5d", "emp=1042 left=+20d"), "a2 orphan_active high");
    // In one list the last row counts: the leave before it was followed by a rehire.
    let rehired = "emp=1042 left=-90d\n emp=1042 left=+20d";
    assert_eq!(judged(rehired, "emp=1 left=-5h"), "a2 orphan_active high");
}

#[test]
fn a_leave_that_hr_took_back_is_none_when_a_contract_ends_later() {
    let judged = |user: &str| {
        let company = world(&format!(
            "okta
               u1 ana@x.test ACTIVE assigned emp=1041 {user}
             app
               a1 u1 ana@x.test on
             hr
               emp=1041 left=-120h gone seen=-168h missed=-144h"
        ));
        let mut by_hr = rules(&company);
        by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
        let ended_at = Some(testkit::now() - chrono::TimeDelta::hours(30));
        let episode = domain::Episode { number: 1, began_at: testkit::as_of(), ended_at };
        let entity = company.estate().identities[0].entity;
        let past = drift::Past {
            episodes: [(entity, episode)].into_iter().collect(),
            ..Default::default()
        };
        claims_with(&company, &by_hr, &past)
    };
    assert_eq!(judged("ends=-30h"), "a1 external_expired high");
    // The contract is prolonged.
    assert_eq!(judged("ends=+30h"), "nothing");
}

#[test]
fn a_leave_that_hr_took_back_hides_no_other_of_the_same_person() {
    // The row of the planned day named them by address, that of the real one does so by number.
    let hr = "hr
       mail=ana@x.test left=+10d gone seen=-24h
       emp=1041 left=-5h";
    let company = world(&format!(
        "okta
           u1 ana@x.test ACTIVE assigned emp=1041
         app
           a1 u1 ana@x.test on
         {hr}"
    ));
    let mut by_hr = rules(&company);
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    assert_eq!(claims_with(&company, &by_hr, &drift::Past::default()), "a1 leaver_active critical");
    check(
        &format!(
            "okta
           u2 bob@x.test ACTIVE assigned
         app
           a1 - ana@x.test on
           a2 u2 bob@x.test on
         {}",
            hr.replace("emp=1041 left", "emp=1041 mail=ana@x.test left")
        ),
        "a1 leaver_active critical",
    );
}

#[test]
fn a_leaver_whom_hr_alone_knows_and_whose_account_is_off_is_confirmed_off() {
    let company = world(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 - two@x.test off
         hr
           mail=two@x.test left=-5h",
    );
    assert_eq!(verdicts(&company), "a1 confirmed\na2 confirmed_offboarded");
}

#[test]
fn a_leaver_whom_hr_alone_knows_is_one_even_where_the_lists_are_not_whole() {
    check(
        "okta (partial)
           u1 ana@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 - two@x.test on
           a3 - svc@x.test on
         hr
           mail=two@x.test left=-5h",
        "a2 leaver_active critical",
    );
}

#[test]
fn who_is_registered_as_non_human_and_left_by_hr_is_still_a_leaver() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 - svc@x.test on emp=1042
         hr
           emp=1042 left=-5h
         register
           a2 owner=ana@x.test",
        "a2 leaver_active critical",
    );
}

/// What is told of HR's leaves that count for nobody, a line each.
fn doubts(hr_and_others: &str) -> String {
    let company = world(hr_and_others);
    let (estate, keys, rules) = (company.estate(), testkit::keys(), rules(&company));
    let graph = graph::correlate(&estate, &keys);
    let (policy, past) = (drift::Policy::default(), drift::Past::default());
    let (policy, past, rules, graph) = (&policy, &past, &rules, &graph);
    let (pass, now) = (domain::Pass::Full, testkit::now());
    drift::doubts(&drift::Context { graph, rules, policy, past, pass, now }).join("\n")
}

#[test]
fn a_leave_that_counts_for_nobody_is_told_where_somebody_may_be_meant() {
    let told = |users: &str, hr: &str| {
        doubts(&format!(
            "okta
               {users}
             app
               a1 u1 ana@x.test on emp=e7
             hr
               {hr}"
        ))
    };
    let user = "u1 ana@x.test ACTIVE assigned emp=41";
    #[rustfmt::skip]
    let table = [
        // users                                         | HR                                | what is told
        (user.to_owned(),                                  "emp=0041 left=-5h",                Some("leading zeros or letter case")),
        (user.to_owned(),                                  "emp=E7 left=-5h",                  Some("leading zeros or letter case")),
        (user.to_owned(),                                  "emp=0041 left=+5d",                None),
        (user.to_owned(),                                  "emp=41 left=-5h",                  None),
        (user.to_owned(),                                  "emp=99 left=-5h",                  None),
        (format!("{user}\n u2 eve@x.test ACTIVE mail=ana@x.test"), "mail=ana@x.test left=-5h", Some("that of several users")),
        (format!("{user} created=-2d\n u2 ana@x.test DEPROVISIONED gone"), "mail=ana@x.test left=-9d", None),
        (format!("{user} created=-20d\n u2 ana@x.test DEPROVISIONED gone"), "mail=ana@x.test left=-9d", Some("that of several users")),
        (user.to_owned(),                                  "emp=41 left=-5d gone seen=-144h",  Some("struck them out before their day")),
        (user.to_owned(),                                  "emp=41 left=-40d gone seen=-999h", None),
        (format!("{user} created=-90d\n entra\n e1 ana@y.test ACTIVE emp=41 created=-2d"), "emp=41 left=-9d", Some("an older one that was active all along")),
        (format!("{user} created=-90d since=-2d\n entra\n e1 ana@y.test ACTIVE emp=41 created=-2d"), "emp=41 left=-9d", None),
    ];
    for (users, hr, wanted) in table {
        let told = told(&users, hr);
        match wanted {
            Some(words) => assert!(
                told.starts_with("leaves by hr that count for nobody: 1. ") && told.contains(words),
                "{users} {hr}: {told}"
            ),
            None => assert_eq!(told, "", "{users} {hr}"),
        }
    }
}

#[test]
fn an_address_of_hr_that_is_mail_at_one_idp_and_a_sign_in_name_at_another_names_both() {
    let company = world(
        "okta
           u1 ana.li ACTIVE mail=ana@x.test
         entra
           e1 ana@x.test ACTIVE assigned mail=al@x.test
         app
           a1 e1 ana@x.test on mail=al@x.test
         hr
           mail=ana@x.test left=-5h",
    );
    let mut by_hr = rules(&company);
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    assert_eq!(claims_with(&company, &by_hr, &drift::Past::default()), "a1 leaver_active critical");
}

/// What is claimed of a world where HR is the authority, with links of earlier runs.
fn claims_by_hr(text: &str, stored_links: &[(&str, &str, Tier)]) -> String {
    let mut company = world(text);
    let stored = stored_links.iter().map(|it| (it.0.to_owned(), it.1.to_owned(), it.2));
    company.stored_links.extend(stored);
    let mut by_hr = rules(&company);
    by_hr.authority = Some(domain::SystemId::parse("hr").unwrap());
    claims_with(&company, &by_hr, &drift::Past::default())
}

#[test]
fn a_newcomer_whose_address_hrs_row_of_a_leaver_still_carries_is_not_the_leaver() {
    let company = |newcomer: &str| {
        format!(
            "okta
               u1 ana.old@x.test DEPROVISIONED emp=1001 since=-9d
               u2 ana@x.test ACTIVE assigned {newcomer}
             entra
               e2 ana@x.test ACTIVE
             app
               a1 - ana.old@x.test on
               a2 u2 ana@x.test on
             hr
               emp=1001 mail=ana@x.test left=-10d"
        )
    };
    let claimed = |newcomer| claims_by_hr(&company(newcomer), &[("a1", "u1", Tier::UserName)]);
    assert_eq!(claimed("created=-2d"), "a1 leaver_active critical");
    assert_eq!(claimed("created=-99d"), "a1 leaver_active critical");
    assert_eq!(doubts(&company("created=-2d")), "");
    assert_eq!(
        doubts(&company("created=-99d")),
        "leaves by hr whose number is that of one user and whose address is another's: 1. The number \
         decided, and of the other nothing is claimed. Let HR state both of one person."
    );
}

#[test]
fn where_hrs_number_is_one_users_and_its_address_anothers_the_number_decides() {
    let company = "okta
           u1 ana@x.test ACTIVE assigned emp=1001
           u2 bob@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on
         hr
           emp=1001 mail=bob@x.test left=-10d";
    assert_eq!(claims_by_hr(company, &[]), "a1 leaver_active critical");
    assert!(doubts(company).contains("whose address is another's: 1. "));
}

#[test]
fn an_account_by_a_name_of_the_user_who_left_alone_is_not_the_next_ones_of_that_number() {
    let claimed = |account: &str, stored: &[(&str, &str, Tier)]| {
        claims_by_hr(
            &format!(
                "okta
                   u1 ana.old@x.test DEPROVISIONED emp=1041 since=-9d
                   u2 ana@x.test ACTIVE assigned emp=1041 created=-2d
                 app
                   {account}"
            ),
            stored,
        )
    };
    let leaver = "a1 leaver_active critical";
    let stored = [("a1", "u1", Tier::UserName)];
    // Each account                                    | linked before | what is claimed
    assert_eq!(claimed("a1 - ana.old@x.test on", &[]), leaver);
    assert_eq!(claimed("a1 - ana.old@x.test on", &stored), leaver);
    assert_eq!(claimed("a1 - anna on mail=ann@x.test", &stored), leaver);
    // A key of today is that of who is here.
    assert_eq!(claimed("a1 - ana@x.test on", &stored), "nothing");
    assert_eq!(claimed("a1 - ana.old@x.test on mail=ana@x.test", &[]), "nothing");
    let left = world(
        "okta
           u1 ana.old@x.test DEPROVISIONED emp=1041 since=-9d
           u2 ana@x.test ACTIVE assigned emp=1041 created=-2d
         app
           a1 - ana.old@x.test on",
    );
    let starts = claim_on(&left, &drift::Past::default(), "a1").starts;
    assert_eq!(starts.earliest(), Some(testkit::now() - chrono::TimeDelta::days(9)));
    let by_number = claimed("a1 - desk on emp=1041 mail=desk@x.test", &[]);
    assert_eq!(by_number, "a1 identifier_drift low");
}

#[test]
fn a_name_that_only_hr_knows_a_leaver_by_is_a_key_of_theirs_too() {
    let company = |idp: &str, others: &str, accounts: &str| {
        world(&format!(
            "okta {idp}
               u1 ana.new@x.test DEPROVISIONED emp=1001 since=-9d
               {others}
             app
               {accounts}
             hr
               emp=1001 mail=ana.old@x.test left=-10d"
        ))
    };
    let claimed = |others, accounts| claims(&company("", others, accounts));
    let leaver = "a1 leaver_active critical";
    assert_eq!(claimed("", "a1 - ana.old@x.test on"), leaver);
    let explained =
        claim_on(&company("", "", "a1 - ana.old@x.test on"), &drift::Past::default(), "a1");
    let facts: Vec<&str> = explained.explanation.facts.iter().map(|it| &*it.text).collect();
    assert!(
        facts.last().unwrap().ends_with(", and the account carries their userName"),
        "{facts:?}"
    );
    assert_eq!(claimed("", "a1 - ana on mail=Ana.Old@x.test"), leaver);
    assert_eq!(claims(&company("(partial)", "", "a1 - ana.old@x.test on")), leaver);
    assert_eq!(
        leavers(&company("", "", "a1 - ana.old@x.test on")),
        "u1 left by [hr okta] a1 active"
    );
    // Made after the leave, or the name is somebody else's: not theirs.
    assert_eq!(claimed("", "a1 - ana.old@x.test on created=-2d"), "a1 orphan_active high");
    assert_eq!(claimed("u2 ana.old@x.test ACTIVE assigned", "a1 - ana.old@x.test on"), "nothing");
    let elsewhere = "u2 bob@x.test ACTIVE assigned mail=ana.old@x.test";
    assert_eq!(
        claimed(elsewhere, "a1 - ana.old@x.test on mail=desk@x.test"),
        "a1 orphan_active high
u2 not_provisioned low"
    );
    // Another key of the account names somebody.
    assert_eq!(
        claimed("u2 bob@x.test ACTIVE assigned", "a1 u2 ana.old@x.test on"),
        "a1 identifier_drift low"
    );
}

#[test]
fn a_number_that_only_hr_knows_a_leaver_by_is_a_key_of_theirs_too() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED since=-9d
         app
           a1 - desk on emp=1001 mail=desk@x.test
         hr
           emp=1001 mail=ana@x.test left=-10d",
        "a1 leaver_active critical",
    );
}

#[test]
fn who_has_left_by_another_source_is_not_to_be_given_an_account() {
    let company = |others: &str| {
        world(&format!(
            "okta
               u1 ana@x.test ACTIVE assigned emp=1
               u2 bob@x.test ACTIVE assigned emp=2
               u3 cem@x.test ACTIVE assigned emp=3
             entra
               e3 cem@x.test disabled emp=3
             app
               a2 u2 bob@x.test off
             {others}"
        ))
    };
    let said = |company: &testkit::World, subject: &str| {
        let claim = claim_on(company, &drift::Past::default(), subject);
        (claim.cause, claim.explanation.summary, claim.next_action)
    };
    let left = company("hr\n emp=1 left=-5d\n emp=2 left=-5d");
    let settle = "Settle which source is right; give no access meanwhile. If they have left, take the \
                  assignment away.";
    let missing =
        "`okta/u1` is assigned to the app, and no account in its complete list is theirs.";
    let off = "`okta/u2` is assigned to the app, and the account is inactive.";
    let by_hr = "HR states that they have left.";
    assert_eq!(said(&left, "u1"), (Cause::NotProvisioned, format!("{missing} {by_hr}"), settle));
    assert_eq!(said(&left, "a2"), (Cause::DisabledEntitled, format!("{off} {by_hr}"), settle));
    let (_, by_another, next) = said(&left, "u3");
    assert!(by_another.ends_with("Another source says that they have left."), "{by_another}");
    assert_eq!(next, settle);
    let (_, summary, next) = said(&company(""), "u1");
    assert_eq!(summary, missing);
    assert!(next.contains("push again"), "{next}");
}

#[test]
fn an_assignment_whose_end_is_ahead_has_not_ended() {
    let judged = |changed: &str| {
        verdicts(&world(&format!(
            "okta
               u1 ana@x.test ACTIVE denied changed={changed}
             app
               a1 u1 ana@x.test on"
        )))
    };
    assert_eq!(judged("+5d"), "a1 indeterminate");
    assert_eq!(judged("-5d"), "a1 unassigned_active");
}
