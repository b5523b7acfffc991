//! Everybody who has left, as a run sees them: worlds in, a line for each leaver out.

use testkit::{leavers, world};

#[track_caller]
fn check(estate: &str, expected: &[&str]) {
    assert_eq!(leavers(&world(estate)), expected.join("\n"), "{estate}");
}

#[test]
fn every_leaver_is_seen_whether_anything_is_the_matter_or_not() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED
           u2 bob@x.test DEPROVISIONED
           u3 cem@x.test ACTIVE assigned ends=-30h
           u4 dan@x.test DEPROVISIONED
           u5 eve@x.test ACTIVE assigned
           u6 fay@x.test SUSPENDED assigned
           u7 gus@x.test ACTIVE
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test off
           a3 u3 cem@x.test on
           a5 u5 eve@x.test on
           a6 u6 fay@x.test on
           a7 u7 gus@x.test on",
        &[
            "u1 left by [okta] a1 active",
            "u2 left by [okta] a2 inactive",
            "u3 expired by [okta] a3 active",
            "u4 left by [okta]",
        ],
    );
}

#[test]
fn who_says_so_is_hr_or_the_provider_or_both() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED emp=1041
           u2 bob@x.test DEPROVISIONED emp=1042
           u3 cem@x.test ACTIVE emp=1043
         app
           a1 u1 ana@x.test off
           a9 - zoe@x.test on emp=1049
         hr
           emp=1041 left=-5h
           emp=1043 left=-5h
           emp=1044 left=+5h
           emp=1048 left=-5h
           emp=1049 left=-5h",
        &[
            "1048 left by [hr]",
            "1049 left by [hr] a9 active (may mean others)",
            "u1 left by [hr okta] a1 inactive",
            "u2 left by [okta]",
            "u3 left by [hr]",
        ],
    );
}

#[test]
fn an_account_that_may_be_somebody_elses_is_marked() {
    check(
        "okta
           u1 ana@x.test DEPROVISIONED
           u2 ana.b@x.test DEPROVISIONED mail=ana@x.test
         app
           a1 - a@y.test on mail=ana@x.test",
        &["u1 left by [okta] a1? active", "u2 left by [okta] a1? active"],
    );
}

#[test]
fn who_is_in_no_list_any_more_is_one_whom_nobody_says_to_have_left() {
    check(
        "okta
           u1 ana@x.test ACTIVE assigned gone
           u2 bob@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on",
        &["u1 gone by [] a1 active"],
    );
    check(
        "okta (partial)
           u1 ana@x.test ACTIVE assigned gone
           u2 bob@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test on",
        &[], // Not seen is not gone.
    );
}

/// Keys name somebody who left, or a row of HR; a person gives the account to somebody else.
#[test]
fn an_account_that_a_person_alone_keeps_from_a_leaver_is_told_of_them_with_the_entry() {
    let estate = "okta
           u1 ana@x.test DEPROVISIONED
           u2 bob@x.test DEPROVISIONED
           u5 eve@x.test ACTIVE assigned
         app
           a1 u1 ana@x.test on
           a2 u2 bob@x.test off
           a5 u5 eve@x.test on
           a9 - zoe@x.test on emp=1049
         hr
           emp=1049 left=-5h";
    let mut company = world(estate);
    let mut decide = |account: &str, identity: &str, is_owner, entry| {
        company.decisions.push(domain::Decision {
            app: domain::SystemId::parse("app").unwrap(),
            account: account.into(),
            identity: (domain::SystemId::parse("okta").unwrap(), identity.into()),
            is_owner,
            by: "on-call".to_owned(),
            at: testkit::now(),
            reason: "a namesake".to_owned(),
            entry: Some(entry),
        });
    };
    decide("a1", "u1", false, 7);
    decide("a2", "u2", true, 8); // As its keys say.
    decide("a9", "u5", true, 9);
    let told = leavers(&company);
    assert_eq!(
        told,
        "1049 left by [hr] (may mean others) (decided by Some(9))\n\
         u1 left by [okta] (decided by Some(7))\n\
         u2 left by [okta] a2 inactive"
    );
}
