//! What becomes of findings from night to night.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Cause, ClockStart, Direction, Disposition, Finding, FindingState, Release, Released, Severity,
    Signature, Waiver, Word,
};
use drift::{Disposed, dispose, holds};
use testkit::{Life, world};

/// Holds that a night of this company gives exactly these lines.
#[track_caller]
fn night(life: &mut Life, estate: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(life.night(world(estate)), expected.join("\n"), "{estate}");
}

const QUIET: &str = "okta
       u1 ana@x.test ACTIVE assigned
     app
       a1 u1 ana@x.test on";

#[test]
fn a_finding_whose_cause_changed_waits_for_a_second_look_at_the_new_claim() {
    let mut life = Life::new();
    let suspended = QUIET.replace("ACTIVE", "SUSPENDED");
    let left = QUIET.replace("ACTIVE", "DEPROVISIONED");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &suspended, "a1 suspended_active medium detected pending");
    night(&mut life, &left, "a1 leaver_active critical worsened pending");
    night(&mut life, &left, "a1 leaver_active critical opened open");
}

/// `n` people of whom each has an account, as lines of a company: the first `n_unassigned` of them
/// are not assigned, and the accounts of the first `n_off` are off.
fn many(n: usize, n_unassigned: usize, n_off: usize) -> String {
    let mut okta = String::from("okta\n");
    let mut app = String::from("app\n");
    for at in 0..n {
        let assigned = if at < n_unassigned { "" } else { "assigned" };
        let state = if at < n_off { "off" } else { "on" };
        okta.push_str(&format!("u{at} p{at}@x.test ACTIVE {assigned}\n"));
        app.push_str(&format!("a{at} u{at} p{at}@x.test {state}\n"));
    }
    okta + &app
}

/// How many lines of a night say each thing, `21 held` say.
fn counted(night: &str) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in night.lines() {
        *counts.entry(line.split(' ').nth(3).unwrap_or(line)).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(what, n)| format!("{n} {what}")).collect();
    counts.join(", ")
}

fn look(life: &mut Life, estate: &str) -> String {
    counted(&life.night(world(estate)))
}

/// A release of what was held last, signed by two people.
fn release(life: &Life, hours: i64) -> Release {
    let (hold, findings) =
        holds(&life.findings.values().cloned().collect::<Vec<_>>()).pop().unwrap();
    let signed = |by: &str| Signature { by: by.to_owned(), at: life.now(), place: String::new() };
    Release {
        id: 1,
        digest: hold.digest,
        what: Released::Changes { app: hold.app, direction: hold.direction, findings },
        reason: "a team was moved".to_owned(),
        requested: signed("Ann"),
        approved: Some(signed("Bob")),
        expires_at: life.now() + TimeDelta::hours(hours),
    }
}

#[test]
fn too_many_claims_from_absence_are_held_until_two_people_release_them() {
    let mut life = Life::new();
    assert_eq!(look(&mut life, &many(60, 0, 0)), "1 nothing");
    assert_eq!(look(&mut life, &many(60, 21, 0)), "21 held");
    assert_eq!(life.holds.len(), 1, "one notice, not one each");
    assert_eq!(life.holds[0].n, 21);
    assert_eq!(
        look(&mut life, &many(60, 21, 0)),
        "21 worsened",
        "the deadline passes all the same"
    );
    assert!(life.findings.values().all(|it| it.state == FindingState::Held));

    life.releases.push(release(&life, 36));
    assert_eq!(look(&mut life, &many(60, 21, 0)), "21 opened");
    assert!(life.holds.is_empty());
}

#[test]
fn a_release_lets_through_what_was_held_and_nothing_else() {
    let mut life = Life::new();
    look(&mut life, &many(90, 0, 0));
    assert_eq!(look(&mut life, &many(90, 21, 0)), "21 held");
    life.releases.push(release(&life, 36));
    // The list is worse: another 30 people are missing from it.
    let night = look(&mut life, &many(90, 51, 0));
    assert_eq!(night, "30 held, 21 opened");
    assert_eq!(life.holds[0].n, 30);
}

#[test]
fn a_release_that_nobody_approved_or_that_has_expired_lets_nothing_through() {
    let mut life = Life::new();
    look(&mut life, &many(60, 0, 0));
    look(&mut life, &many(60, 21, 0));
    life.releases.push(Release { approved: None, ..release(&life, 36) });
    life.releases.push(release(&life, 0));
    look(&mut life, &many(60, 21, 0));
    assert!(life.findings.values().all(|it| it.state == FindingState::Held));
}

#[test]
fn twenty_changes_in_a_night_pass_and_more_than_forty_in_a_week_do_not() {
    let mut life = Life::new();
    look(&mut life, &many(90, 0, 0));
    assert_eq!(look(&mut life, &many(90, 20, 0)), "20 detected");
    assert_eq!(look(&mut life, &many(90, 40, 0)), "20 detected, 20 opened");
    assert_eq!(look(&mut life, &many(90, 41, 0)), "1 held, 20 opened");
}

#[test]
fn when_the_list_is_right_again_what_was_held_is_over_without_ever_opening() {
    let mut life = Life::new();
    look(&mut life, &many(60, 0, 0));
    assert_eq!(look(&mut life, &many(60, 30, 0)), "30 held");
    assert_eq!(look(&mut life, &many(60, 0, 0)), "30 resolved");
    assert!(life.findings.values().all(|it| it.opened_at.is_none()));
}

#[test]
fn what_a_wrong_first_list_did_not_show_is_over_without_ever_opening() {
    let mut life = Life::new();
    assert_eq!(look(&mut life, &many(60, 30, 0)), "30 detected");
    assert_eq!(look(&mut life, &many(60, 0, 0)), "30 resolved");
    assert!(life.holds.is_empty());
    assert!(life.findings.values().all(|it| it.opened_at.is_none()));
}

#[test]
fn leavers_who_wait_for_their_second_look_are_not_over_in_a_mass() {
    let mut life = Life::new();
    look(&mut life, &many(60, 0, 0));
    let left = |n_off| many(60, 0, n_off).replace("ACTIVE", "DEPROVISIONED");
    assert_eq!(look(&mut life, &left(0)), "60 detected");
    assert_eq!(look(&mut life, &left(21)), "21 held, 39 opened");
}

#[test]
fn leavers_are_never_held_however_many_they_are() {
    let mut life = Life::new();
    look(&mut life, &many(60, 0, 0));
    let left = many(60, 0, 0).replace("ACTIVE", "DEPROVISIONED");
    assert_eq!(look(&mut life, &left), "60 detected");
    assert_eq!(look(&mut life, &left), "60 opened");
}

#[test]
fn too_many_closings_are_held_and_go_on_when_the_accounts_are_seen_on_again() {
    let mut life = Life::new();
    let left = |n_off| many(60, 0, n_off).replace("ACTIVE", "DEPROVISIONED");
    assert_eq!(look(&mut life, &left(0)), "60 opened", "leavers of the first run are open at once");
    assert_eq!(look(&mut life, &left(21)), "21 held, 39 worsened");
    let held = |it: &&Finding| it.held == Some(Direction::Closings);
    assert_eq!(life.findings.values().filter(held).count(), 21);
    assert!(
        life.findings.values().filter(held).all(|it| it.exposures[0].first_seen_inactive.is_none())
    );
    // One of them is seen on again, and twenty are few enough to close.
    let back = left(21).replace("a3 u3 p3@x.test off", "a3 u3 p3@x.test on");
    assert_eq!(look(&mut life, &back), "1 opened, 20 resolved");
}

#[test]
fn the_first_run_of_an_app_holds_nothing() {
    let mut life = Life::new();
    assert_eq!(look(&mut life, &many(300, 300, 0)), "300 detected");
    assert_eq!(look(&mut life, &many(300, 300, 0)), "300 opened");
}

#[test]
fn a_deadline_that_passes_makes_a_finding_graver_once() {
    let mut life = Life::new();
    life.policy.severity.insert(Cause::UnassignedActive, Severity::Medium);
    let moved = QUIET.replace(" assigned", "");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &moved, "a1 unassigned_active medium detected pending");
    night(&mut life, &moved, "a1 unassigned_active high opened open");
    night(&mut life, &moved, "nothing");
    assert!(life.findings.values().all(|it| it.breached_at.is_some()));
}

#[test]
fn only_who_has_left_becomes_critical_by_a_deadline() {
    let mut life = Life::new();
    let ended = QUIET.replace("assigned", "assigned ends=+22h");
    let moved = QUIET.replace(" assigned", "");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &ended, "a1 external_expired high detected pending");
    night(&mut life, &ended, "a1 external_expired critical opened open");
    let mut other = Life::new();
    night(&mut other, QUIET, "nothing");
    night(&mut other, &moved, "a1 unassigned_active high detected pending");
    night(&mut other, &moved, "a1 unassigned_active high opened open");
}

const TWO_OWNERS: &str = "okta
       u1 ana@x.test DEPROVISIONED
       u2 bob@x.test DEPROVISIONED
     app
       a1 u1 - on";

/// Two people waive the only finding, from one time to another, as seen from the next night.
fn waive(life: &mut Life, from: TimeDelta, to: TimeDelta) {
    let now = life.now();
    let signed = |by: &str| Signature { by: by.to_owned(), at: now + from, place: String::new() };
    let finding = life.findings.values().next().unwrap();
    life.waivers.push(Waiver {
        id: 1,
        fingerprint: finding.fingerprint,
        cause: finding.cause,
        episode: 1,
        reason: "handover".to_owned(),
        requested: signed("Ann"),
        approved: Some(signed("Bob")),
        expires_at: now + to,
        voided_at: None,
    });
}

#[test]
fn a_waiver_is_void_when_the_account_is_somebody_elses() {
    let mut life = Life::new();
    night(&mut life, TWO_OWNERS, "a1 leaver_active critical opened open");
    waive(&mut life, TimeDelta::zero(), TimeDelta::days(90));
    night(&mut life, TWO_OWNERS, "a1 leaver_active critical waived waived");
    night(&mut life, TWO_OWNERS, "nothing");
    let anothers = TWO_OWNERS.replace("a1 u1", "a1 u2");
    night(&mut life, &anothers, "a1 leaver_active critical opened open");
    assert!(life.waivers[0].voided_at.is_some());
}

#[test]
fn a_waiver_and_an_acknowledgement_are_void_when_the_report_shows_somebody_else_as_the_owner() {
    let by_name = TWO_OWNERS.replace("a1 u1 -", "a1 - ana@x.test");
    let contested = TWO_OWNERS.replace("a1 u1 -", "a1 u2 ana@x.test");
    let contested_anew = TWO_OWNERS.replace("a1 u1 -", "a1 u1 bob@x.test");
    let opened = "a1 leaver_active critical opened open";
    let beside = "a1 link_conflict high detected pending";

    let mut life = Life::new();
    night(&mut life, &by_name, opened);
    waive(&mut life, TimeDelta::zero(), TimeDelta::days(90));
    night(&mut life, &by_name, "a1 leaver_active critical waived waived");
    night(&mut life, &contested, &format!("{opened}\n{beside}"));
    assert!(life.waivers[0].voided_at.is_some());

    let mut life = Life::new();
    night(&mut life, &by_name, opened);
    say(&mut life, Word::Acknowledge, Some(300));
    night(&mut life, &contested, &format!("{opened}\n{beside}"));
    // Whose it is was never certain, and another is presumed now.
    let mut life = Life::new();
    night(&mut life, &contested, &format!("{opened}\n{beside}"));
    say(&mut life, Word::Acknowledge, Some(300));
    night(&mut life, &contested_anew, &format!("{opened}\na1 link_conflict high opened open"));
}

#[test]
fn a_waiver_that_ended_before_access_was_lost_again_excuses_no_deadline() {
    let mut life = Life::new();
    let lost = |at: i64| QUIET.replace("assigned", &format!("denied changed={at:+}h"));
    night(&mut life, QUIET, "nothing");
    night(&mut life, &lost(20), "a1 unassigned_active high detected pending");
    waive(&mut life, TimeDelta::zero(), TimeDelta::days(3));
    night(&mut life, &lost(20), "a1 unassigned_active high waived waived");
    night(&mut life, QUIET, "a1 unassigned_active high resolved resolved");
    life.wait(60);
    let hours = 24 * 64 - 4;
    night(&mut life, &lost(hours), "a1 unassigned_active high reopened pending");
    night(&mut life, &lost(hours), "a1 unassigned_active high opened open");
    assert!(life.findings.values().all(|it| it.breached_at.is_some()), "{:?}", life.findings);
}

#[test]
fn a_waiver_that_ends_while_access_goes_on_excuses_the_deadline_only_as_long_as_it_held() {
    let mut life = Life::new();
    let left = QUIET.replace("ACTIVE", "DEPROVISIONED since=+20h");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &left, "a1 leaver_active critical detected pending");
    // Approved in the morning after the leave.
    waive(&mut life, TimeDelta::hours(-18), TimeDelta::hours(36));
    let outcome = |life: &Life| {
        let finding = life.findings.values().next().unwrap();
        let exceptions = [(life.waivers[0].requested.at, life.waivers[0].expires_at)];
        let looked_at = life.now() - TimeDelta::days(1);
        let (cause, exposures) = (finding.cause, &finding.exposures);
        drift::sla(&life.policy, cause, exposures, &exceptions, looked_at).outcome
    };
    // The deadline is in the evening before the third night; the waiver ends after the fourth.
    night(&mut life, &left, "a1 leaver_active critical waived waived");
    night(&mut life, &left, "nothing");
    assert_eq!(outcome(&life), domain::SlaOutcome::Exception);
    night(&mut life, &left, "a1 leaver_active critical opened open");
    assert_eq!(outcome(&life), domain::SlaOutcome::Missed);
    assert!(life.findings.values().all(|it| it.breached_at.is_some()), "{:?}", life.findings);
}

/// What a person says of the only finding.
fn say(life: &mut Life, word: Word, until: Option<i64>) -> String {
    let finding = life.findings.values().next().unwrap().clone();
    let said = Disposition {
        finding: finding.id,
        word,
        reason: "asked".to_owned(),
        said: Signature { by: "Ann".to_owned(), at: life.now(), place: String::new() },
        until: until.map(|it| life.now() + TimeDelta::hours(it)),
    };
    match dispose(&finding, &said) {
        Disposed::Refused(why) => format!("refused: {why}"),
        Disposed::Done(done) => {
            let (finding, event) = *done;
            life.findings.insert(finding.id, finding);
            format!("{} {}: {}", event.change, event.state, event.because)
        }
    }
}

#[test]
fn what_is_called_a_false_positive_comes_back_when_it_is_somebody_elses_or_graver() {
    let mut life = Life::new();
    night(&mut life, TWO_OWNERS, "a1 leaver_active critical opened open");
    assert_eq!(
        say(&mut life, Word::FalsePositive, None),
        "false_positive false_positive: by Ann: asked"
    );
    night(&mut life, TWO_OWNERS, "nothing");
    let anothers = TWO_OWNERS.replace("a1 u1", "a1 u2");
    night(&mut life, &anothers, "a1 leaver_active critical reopened pending");
}

#[test]
fn what_was_called_a_false_positive_and_was_over_since_is_told_when_it_begins_again() {
    let cases = [
        ("ACTIVE", "DEPROVISIONED", "a1 leaver_active critical"),
        (" assigned", "", "a1 unassigned_active high"),
    ];
    for (right, lost, claim) in cases {
        let mut life = Life::new();
        // Back soon: it is one and the same employment.
        life.policy.rehire_after = TimeDelta::days(3);
        let over = QUIET.replace(right, lost);
        night(&mut life, QUIET, "nothing");
        night(&mut life, &over, &format!("{claim} detected pending"));
        say(&mut life, Word::FalsePositive, None);
        night(&mut life, &over, "nothing");
        night(&mut life, QUIET, &format!("{claim} resolved resolved"));
        life.wait(100);
        night(&mut life, &over, &format!("{claim} reopened pending"));
        night(&mut life, &over, &format!("{claim} opened open"));
    }
}

#[test]
fn a_blind_night_ends_no_false_positive() {
    let mut life = Life::new();
    let over = QUIET.replace(" assigned", "");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &over, "a1 unassigned_active high detected pending");
    say(&mut life, Word::FalsePositive, None);
    night(&mut life, &over.replace("okta", "okta (partial)"), "nothing");
    night(&mut life, &over, "nothing");
}

#[test]
fn what_one_run_alone_showed_says_so_until_it_is_seen_again() {
    let mut life = Life::new();
    let lost = QUIET.replace(" assigned", "");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &lost, "a1 unassigned_active high detected pending");
    let partial = lost.replace("okta", "okta (partial)");
    night(&mut life, &partial, "a1 unassigned_active high worsened pending");
    let because = life.because.values().next().unwrap();
    assert!(because.starts_with("seen once, at 2026-11-21T03:00:00Z; too little"), "{because}");
}

#[test]
fn an_acknowledgement_ends_on_its_day_and_with_its_owner() {
    let mut life = Life::new();
    night(&mut life, TWO_OWNERS, "a1 leaver_active critical opened open");
    assert_eq!(
        say(&mut life, Word::Acknowledge, Some(20)),
        "acknowledged acknowledged: by Ann until 2026-11-21T23:00:00Z: asked"
    );
    // It stays somebody's, and its deadline passes.
    night(&mut life, TWO_OWNERS, "a1 leaver_active critical worsened acknowledged");
    night(&mut life, TWO_OWNERS, "a1 leaver_active critical opened open");

    say(&mut life, Word::Acknowledge, Some(300));
    let anothers = TWO_OWNERS.replace("a1 u1", "a1 u2");
    night(&mut life, &anothers, "a1 leaver_active critical opened open");
}

#[test]
fn words_that_do_not_fit_are_refused_and_say_what_can_be_done() {
    let mut life = Life::new();
    let moved = QUIET.replace(" assigned", "");
    night(&mut life, &moved, "a1 unassigned_active high detected pending");
    #[rustfmt::skip]
    let table = [
        (Word::Acknowledge,   Some(5),    "refused: DL-1 is `pending`: only what is open can be acknowledged"),
        (Word::Close,         None,       "refused: DL-1 is `pending`: a look closes it, and a person only what is `not_visible`"),
        (Word::Reopen,        None,       "refused: DL-1 is `pending`: only what is acknowledged or called a false positive is reopened"),
        (Word::FalsePositive, None,       "false_positive false_positive: by Ann: asked"),
        (Word::FalsePositive, None,       "refused: DL-1 is called a false positive already"),
        (Word::Reopen,        None,       "reopened pending: by Ann: asked"),
    ];
    for (word, until, expected) in table {
        assert_eq!(say(&mut life, word, until), expected);
    }
    night(&mut life, &moved, "a1 unassigned_active high opened open");
    for hours in [0, 24 * 31] {
        assert_eq!(
            say(&mut life, Word::Acknowledge, Some(hours)),
            "refused: DL-1 is acknowledged until a date ahead, at most 30 days away"
        );
    }
}

#[test]
fn an_account_that_was_confirmed_off_is_watched_for_years_even_when_its_owner_is_in_no_list() {
    let mut life = Life::new();
    let left = QUIET.replace("ACTIVE assigned", "DEPROVISIONED");
    night(&mut life, QUIET, "nothing");
    night(&mut life, &left.replace("x.test on", "x.test off"), "nothing");
    life.wait(2_000);
    let gone = left.replace("DEPROVISIONED", "DEPROVISIONED gone");
    night(&mut life, &gone, "a1 reactivated critical detected pending");
    night(&mut life, &gone, "a1 reactivated critical opened open");
}

#[test]
fn an_account_that_stayed_off_when_the_app_was_lost_as_well_is_switched_on_again_not_left_on() {
    let mut life = Life::new();
    night(&mut life, QUIET, "nothing");
    let expired = QUIET.replace("assigned", "assigned ends=12h");
    night(&mut life, &expired.replace("x.test on", "x.test off"), "nothing");
    let lost = QUIET.replace("assigned", "denied changed=26h");
    night(&mut life, &lost.replace("x.test on", "x.test off"), "nothing");
    life.wait(10);
    night(&mut life, &lost, "a1 reactivated critical detected pending");
    let began = life.findings.values().next().unwrap().exposures[0].started;
    let seen_off = testkit::now() + TimeDelta::days(2) - TimeDelta::hours(1);
    assert_eq!(began.earliest, Some(seen_off), "by the list of that night");
}

#[test]
fn who_is_rehired_and_leaves_again_has_a_finding_of_that_employment() {
    let mut life = Life::new();
    let left = QUIET.replace("ACTIVE assigned", "DEPROVISIONED");
    night(&mut life, &left, "a1 leaver_active critical opened open");
    life.wait(3);
    night(&mut life, QUIET, "a1 leaver_active critical resolved resolved");
    life.wait(30);
    night(&mut life, &left, "a1 leaver_active critical detected pending");
    let employments: Vec<u32> = life.findings.values().map(|it| it.episode).collect();
    assert_eq!(employments, [1, 2], "two findings, and the clock of the first is not the second's");
    assert!(life.findings.values().all(|it| it.n_reopened == 0));
}

#[test]
fn the_clock_may_start_with_the_last_day_that_hr_states() {
    let mut life = Life::new();
    life.policy.sla_clock = ClockStart::HrTermination;
    let left = "okta
       u1 ana@x.test DEPROVISIONED since=-1h emp=7
     app
       a1 u1 ana@x.test on
     hr
       emp=7 left=-9h";
    night(&mut life, left, "a1 leaver_active critical opened open");
    let finding = life.findings.values().next().unwrap();
    let started = finding.exposures[0].started;
    assert_eq!(started.earliest, Some(testkit::now() - TimeDelta::hours(9)));
    assert_eq!(started.latest, started.earliest);
}

#[test]
fn an_account_that_was_made_after_the_right_ended_was_on_no_longer_than_it_was_there() {
    let mut life = Life::new();
    let left = "okta
       u1 ana@x.test DEPROVISIONED since=-90h
     app
       a1 u1 ana@x.test on created=-2h";
    night(&mut life, left, "a1 leaver_active critical opened open");
    let exposure = &life.findings.values().next().unwrap().exposures[0];
    let ago = |hours| Some(testkit::now() - TimeDelta::hours(hours));
    // The app may be wrong about when it was made, so the longest is as long as ever.
    assert_eq!((exposure.started.earliest, exposure.started.latest), (ago(90), ago(2)));
    assert!(exposure.at_least() < TimeDelta::hours(3), "{exposure:?}");
}

#[test]
fn who_had_not_got_the_app_before_their_time_was_over_used_it_since_nobody_knows_when() {
    let started = |before: &str, after: &str| {
        let mut life = Life::new();
        let on = |user: &str| format!("okta\n u1 ana@x.test {user}\napp\n a1 u1 ana@x.test on");
        life.night(world(&on(before).replace("a1 u1 ana@x.test on", "")));
        life.night(world(&on(after)));
        let started =
            life.findings.values().find_map(|it| Some(it.exposures.first()?.started)).unwrap();
        let hours = |at: chrono::DateTime<chrono::Utc>| (at - testkit::now()).num_hours();
        (started.earliest.map(hours), started.latest.map(hours))
    };
    let over = "ACTIVE ends=+19h";
    assert_eq!(started("ACTIVE", over), (None, Some(19)));
    assert_eq!(started("ACTIVE", "DEPROVISIONED since=+19h"), (None, Some(19)));
    // Who had it by the last list before is taken for having had it until then.
    assert_eq!(started("ACTIVE assigned", &format!("{over} assigned")), (Some(19), Some(19)));
    // They left before that list.
    let left = "DEPROVISIONED since=-19h";
    assert_eq!(started(left, left), (Some(-19), Some(-19)));
}

#[test]
fn a_leaver_of_hrs_list_whose_address_changes_there_was_decided_by_nobody() {
    let mut life = Life::new();
    let left = "okta
       u1 ana@x.test ACTIVE assigned
     app
       a1 u1 ana@x.test on
       a2 - two@x.test on
     hr
       emp=7 mail=two@x.test left=-20h";
    night(&mut life, left, "a2 leaver_active critical opened open");
    let renamed = left.replace("mail=two", "mail=three");
    night(
        &mut life,
        &renamed,
        "a2 leaver_active critical worsened open
         a2 orphan_active high detected pending",
    );
}

/// A company whose lists are asked for over the network.
fn live(text: &str) -> testkit::World {
    let mut company = world(text);
    company.is_live = true;
    company
}

#[test]
fn access_had_ended_when_the_answer_came_and_not_when_it_was_asked_for() {
    let mut life = Life::new();
    // From 01:00, two hours before the first run: to 02:30 of the next night.
    life.policy.sla = domain::SlaLimit::Span(TimeDelta::minutes(25 * 60 + 30));
    let left = QUIET.replace("ACTIVE", "DEPROVISIONED since=-2h");
    life.night(live(&left));
    let read_by = life.now();
    life.night(live(&left.replace("x.test on", "x.test off")));
    // Asked for at 02:00 and read by 03:00, it may have been switched off at 02:45.
    let finding = life.findings.values().next().unwrap();
    assert_eq!(finding.exposures[0].first_seen_inactive, Some(read_by));
    let sla = drift::sla(&life.policy, finding.cause, &finding.exposures, &[], life.now());
    assert_eq!(sla.outcome, domain::SlaOutcome::NotProven);
}

#[test]
fn who_was_switched_off_and_deleted_between_two_looks_left_at_the_deletion_at_the_latest() {
    let mut life = Life::new();
    // From the deletion to four o'clock of the third night; from the first night to the second morning.
    life.policy.sla = domain::SlaLimit::Span(TimeDelta::hours(30));
    life.night(world(QUIET));
    let deleted = QUIET.replace("ACTIVE assigned", "deleted assigned since=+19h");
    let hour = |hours| Some(testkit::now() + TimeDelta::hours(hours));
    let started = |life: &Life| {
        let started = life.findings.values().next().unwrap().exposures[0].started;
        (started.earliest, started.latest)
    };
    life.night(world(&deleted));
    assert_eq!(started(&life), (Some(testkit::as_of()), hour(19)));
    // It pages when grace since the deletion is over, not when grace since tonight is.
    assert_eq!(life.findings.values().next().unwrap().grace_until, hour(23).unwrap());
    life.night(world(&deleted.replace("x.test on", "x.test off")));
    assert_eq!(started(&life), (Some(testkit::as_of()), hour(19)));
    let finding = life.findings.values().next().unwrap();
    let sla = drift::sla(&life.policy, finding.cause, &finding.exposures, &[], life.now());
    assert_eq!(sla.outcome, domain::SlaOutcome::NotProven);
}

#[test]
fn a_right_had_ended_when_the_list_without_it_was_read() {
    let gone =
        QUIET.replace("u1 ana@x.test ACTIVE assigned\n", "u1 ana@x.test ACTIVE assigned gone\n");
    for lost in [QUIET.replace(" assigned", ""), gone] {
        let mut life = Life::new();
        life.night(live(QUIET));
        let read_by = life.now();
        life.night(live(&lost));
        let finding = life.findings.values().next().unwrap();
        assert_eq!(finding.exposures[0].started.latest, Some(read_by), "{lost}");
    }
}

#[test]
fn who_is_a_leaver_by_hr_alone_is_no_orphan_any_more() {
    let mut life = Life::new();
    let orphan = "okta
       u1 ana@x.test ACTIVE assigned
     app
       a1 u1 ana@x.test on
       a2 - two@x.test on";
    night(&mut life, orphan, "a2 orphan_active high detected pending");
    let named = format!("{orphan}\n hr\n mail=two@x.test left=+20h");
    night(
        &mut life,
        &named,
        "a2 leaver_active critical detected pending
         a2 orphan_active high resolved resolved",
    );
    night(&mut life, &named, "a2 leaver_active critical opened open");
}

#[test]
fn somebody_with_two_identities_and_no_account_is_one_finding_whichever_of_them_entitles() {
    let mut life = Life::new();
    let company = |okta: &str, entra: &str| {
        format!(
            "okta
               u1 ana@x.test ACTIVE {okta} emp=1041
             entra
               e1 ana@y.test ACTIVE {entra} emp=1041
             app
               a2 - svc@x.test off"
        )
    };
    let both = company("assigned", "assigned");
    night(&mut life, &both, "u1 not_provisioned low detected pending");
    let by_entra = company("undecided", "assigned");
    night(&mut life, &by_entra, "u1 not_provisioned low opened open");
    night(&mut life, &both, "nothing");
    night(&mut life, &company("", ""), "u1 not_provisioned low resolved resolved");
}

#[test]
fn a_source_whose_clock_is_ahead_makes_no_second_stretch_of_one_access() {
    let mut life = Life::new();
    // By their clock two hours later than by ours: after the run that reads it.
    let left = QUIET.replace("ACTIVE", "DEPROVISIONED since=+1h");
    night(&mut life, QUIET, "nothing");
    life.night(world(&left));
    life.night(world(&left));
    life.policy.sla = domain::SlaLimit::Span(TimeDelta::hours(72));
    let off = left.replace("x.test on", "x.test off");
    night(&mut life, &off, "a1 leaver_active critical resolved resolved");
    let finding = life.findings.values().next().unwrap();
    assert_eq!(finding.exposures.len(), 1, "{:?}", finding.exposures);
    let (cause, exposures) = (finding.cause, &finding.exposures);
    let sla = drift::sla(&life.policy, cause, exposures, &[], life.now());
    assert_eq!(sla.outcome, domain::SlaOutcome::Met);
}

#[test]
fn an_account_that_went_to_a_next_user_who_left_later_is_exposed_since_then() {
    let mut life = Life::new();
    let guest = |first: &str, rest: &str| format!("entra\n u1 ana@x.test {first}\n{rest}");
    let own = "app\n a1 u1 ana@x.test on";
    night(&mut life, &guest("ACTIVE assigned", own), "nothing");
    let deleted = "DEPROVISIONED since=-1d";
    life.night(world(&guest(deleted, own)));
    life.night(world(&guest("DEPROVISIONED since=-2d", own)));
    // Invited again: another user, who takes over the account and not its address.
    let next = |status: &str| {
        format!(
            "u2 ana2@x.test {status} mail=bob@x.test\napp\n a1 u2 ana2@x.test on mail=ana@x.test"
        )
    };
    for day in 3..6 {
        let first = format!("DEPROVISIONED since=-{day}d");
        life.night(world(&guest(&first, &next("ACTIVE assigned"))));
    }
    let had_it = life.now() - TimeDelta::days(1);
    for day in 6..9 {
        let first = format!("DEPROVISIONED since=-{day}d");
        life.night(world(&guest(&first, &next("DEPROVISIONED"))));
    }
    let exposed = life.findings.values().find(|it| it.cause == Cause::LeaverActive).unwrap();
    let [before, since] = &*exposed.exposures else { panic!("{:?}", exposed.exposures) };
    assert!(before.last_seen_active.is_some_and(|it| it < had_it), "{before:?}");
    assert_eq!(since.started.earliest, None);
    assert!(since.started.latest.is_some_and(|it| it > had_it), "{since:?}");
}

#[test]
fn an_account_of_several_leavers_of_no_date_waits_for_nothing_though_the_lists_speak_as_of_other_times()
 {
    let mut life = Life::new();
    let behind = |estate: &str| {
        let mut world = world(estate);
        world.app_behind = TimeDelta::minutes(30);
        world
    };
    let app = "app\n a1 u1 ana@x.test on mail=bob@x.test";
    let people =
        |status: &str| format!("entra\n u1 ana@x.test {status}\n u2 bob@x.test {status}\n");
    life.night(behind(&(people("ACTIVE assigned") + app)));
    let told: Vec<String> =
        (0..3).map(|_| life.night(behind(&(people("DEPROVISIONED") + app)))).collect();
    assert!(told[1].contains("a1 leaver_active critical opened open"), "{told:?}");
    let exposed = life.findings.values().find(|it| it.cause == Cause::LeaverActive).unwrap();
    assert_eq!(exposed.exposures.len(), 1, "{:?}", exposed.exposures);
    assert!(exposed.breached_at.is_some(), "its deadline passes");
}
