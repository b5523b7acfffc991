//! From a run and what is known to notices, as an operator would write them down.

use alerting::{Match, Route, Routes, decide};
use chrono::{NaiveTime, TimeDelta};
use domain::{
    Cause, Change, FindingId, FindingState, Interval, NotifyReason, Pass, RootCause, RunRecord,
    Severity, SystemId, Told, Watcher,
};

use crate::world::{all_to, app, at, blind, finding, leaver, routes, run, stands, told};

/// One line for each notice: reason, subject of the key, channels, title.
fn notices(record: &RunRecord, known: &[Told], routes: &Routes) -> Vec<String> {
    let line = |it: domain::Notice| {
        assert!(it.key.starts_with("driftline:main:") && !it.key.contains('@'), "{}", it.key);
        let to: Vec<&str> = it.to.iter().map(|it| &*it.0).collect();
        let short = it.key.trim_start_matches("driftline:main:");
        let short: String = short.chars().take(24).collect();
        format!("{} {short} to {}: {}", it.reason, to.join(" "), it.title)
    };
    decide(record, known, routes).into_iter().map(line).collect()
}

fn reasons(record: &RunRecord, known: &[Told], routes: &Routes) -> Vec<NotifyReason> {
    decide(record, known, routes).into_iter().map(|it| it.reason).collect()
}

#[test]
fn by_default_on_call_is_paged_for_critical_remains_of_access_and_for_being_blind() {
    use Severity::{Critical, High};
    let mut record = run(
        0,
        vec![
            finding(1, Cause::LeaverActive, Critical),
            finding(2, Cause::UnassignedActive, High),
            finding(3, Cause::UnassignedActive, Critical), // Privileged.
            finding(4, Cause::OrphanActive, Critical),
            finding(5, Cause::LinkConflict, High),
        ],
    );
    record.watcher = vec![
        blind(Watcher::SourceStale, "the newest list of okta identities is 27 h old"),
        blind(Watcher::SnapshotIncomplete, "okta identities was not seen whole"),
        blind(Watcher::MassChangeHeld, "okta identities is held"),
    ];
    let routes = routes(&["pager"], vec![Route::on_call(vec!["pager".into()])]);
    assert_eq!(
        notices(&record, &[], &routes),
        [
            "opened secureframe:010101010101 to pager: secureframe: leaver_active, DL-1",
            "opened secureframe:030303030303 to pager: secureframe: unassigned_active, DL-3",
            "watcher okta:watcher-source_stal to pager: okta: source_stale",
        ]
    );
}

#[test]
fn where_a_finding_stands_decides_what_is_told() {
    use Change::{LostSight, Opened, Reopened, Resolved, Unchanged, Waived, Worsened};
    use FindingState as S;
    let routes = routes(&["pager"], vec![all_to(&["pager"])]);
    #[rustfmt::skip]
    let table = [
        // state           | change   | not told before                   | told before
        (S::Pending,         Unchanged, None,                               None                           ),
        (S::Pending,         Reopened,  None,                               None                           ),
        (S::Open,            Opened,    Some(NotifyReason::Opened),         Some(NotifyReason::Opened)     ),
        (S::Open,            Unchanged, Some(NotifyReason::Opened),         None                           ),
        (S::Open,            Worsened,  Some(NotifyReason::Opened),         Some(NotifyReason::Worsened)   ),
        (S::Acknowledged,    Unchanged, None,                               None                           ),
        (S::Held,            Unchanged, None,                               None                           ),
        (S::Held,            Worsened,  Some(NotifyReason::Opened),         Some(NotifyReason::Worsened)   ),
        (S::NotVisible,      LostSight, None,                               None                           ),
        (S::Waived,          Waived,    None,                               Some(NotifyReason::Resolved)   ),
        (S::FalsePositive,   Unchanged, None,                               Some(NotifyReason::Resolved)   ),
        (S::Resolved,        Resolved,  None,                               Some(NotifyReason::Resolved)   ),
    ];
    for (state, change, fresh, again) in table {
        let record = run(1, vec![stands(leaver(1), state, change)]);
        let known = [told("driftline:main:secureframe:x", 0, &[1])];
        let first = |known: &[Told]| reasons(&record, known, &routes).first().copied();
        assert_eq!((first(&[]), first(&known)), (fresh, again), "{state}, {change}");
    }
}

#[test]
fn what_is_back_is_told_as_such() {
    let routes = routes(&["pager"], vec![all_to(&["pager"])]);
    let mut back = leaver(1);
    (back.finding.n_reopened, back.finding.opened_at) = (1, Some(at(5)));
    let record = run(5, vec![back]);
    assert_eq!(reasons(&record, &[], &routes), [NotifyReason::Reopened]);
    // Told in a group that is not over.
    let group = [told("driftline:main:secureframe:run-3-opened", 0, &[1, 2])];
    assert_eq!(reasons(&record, &group, &routes), [NotifyReason::Reopened]);
}

#[test]
fn a_storm_is_one_notice_for_each_channel_and_names_what_it_comes_of() {
    let findings = (1..=12).map(leaver).collect();
    let mut record = run(0, findings);
    let mut ill = blind(Watcher::ProvisioningUnhealthy, "provisioning of okta is paused");
    ill.root = Some(RootCause {
        name: "paused".to_owned(),
        causes: vec![Cause::LeaverActive],
        began: Interval { earliest: None, latest: None },
        explains: (1..=10).map(FindingId).collect(),
        may_explain: vec![FindingId(11), FindingId(40)],
    });
    record.watcher = vec![ill];
    let one = |channel: &str| Route { watcher: Vec::new(), ..all_to(&[channel]) };
    let routes = routes(&["mail", "pager"], vec![one("mail"), one("pager")]);
    let notices = decide(&record, &[], &routes);
    let [storm] = &notices[..] else { panic!("{notices:#?}") };
    assert_eq!(storm.title, "secureframe: 12 findings at once, 12 critical");
    assert_eq!(&*storm.key, "driftline:main:secureframe:run-7-opened");
    assert_eq!((storm.findings.len(), storm.items.len(), storm.to.len()), (12, 12, 2));
    insta::assert_snapshot!(storm.lines[1], @"10 of 12, and perhaps 1 more, come of this: provisioning of okta is paused. Run `driftline doctor`.");
    // What is wrong is told by itself, too, with what comes of it.
    let whole = Routes { routes: vec![all_to(&["mail"])], ..routes.clone() };
    let told_of = decide(&record, &[], &whole);
    let ill = told_of.iter().find(|it| it.reason == NotifyReason::Watcher).unwrap();
    insta::assert_snapshot!(ill.lines[0], @"provisioning of okta is paused. Run `driftline doctor`. It explains DL-1, DL-2, DL-3, DL-4, DL-5 and 5 more, and may explain DL-11, DL-40.");
    // Each of them was told: the next run is silent, and one reminder is for all.
    let known = [told(&storm.key, 0, &(1..=12).collect::<Vec<i64>>())];
    let mut later = record.clone();
    later.now = at(24);
    later.findings.iter_mut().for_each(|it| it.change = Change::Unchanged);
    let quiet = Routes { routes: vec![one("pager")], ..routes.clone() };
    assert_eq!(notices_of(&later, &known, &quiet), 0);
    let repeat = Route { repeat_after: Some(TimeDelta::hours(24)), ..one("pager") };
    let repeat = Routes { routes: vec![repeat], ..routes };
    assert_eq!(reasons(&later, &known, &repeat), [NotifyReason::Reminder]);
    assert_eq!(&*decide(&later, &known, &repeat)[0].key, &*storm.key);
}

fn notices_of(record: &RunRecord, known: &[Told], routes: &Routes) -> usize {
    decide(record, known, routes).len()
}

#[test]
fn the_first_run_tells_its_counts_and_its_leavers_as_one_group() {
    let mut findings = vec![leaver(1), leaver(2)];
    let orphan = |id| finding(id, Cause::OrphanActive, Severity::High);
    let pending = |id| stands(orphan(id), FindingState::Pending, Change::Detected);
    findings.extend((3..=200).map(pending));
    let mut record = run(0, findings);
    record.apps[0].is_baseline = true;
    let mail = all_to(&["mail"]);
    let routes = routes(&["mail", "pager"], vec![mail, Route::on_call(vec!["pager".into()])]);
    let notices = decide(&record, &[], &routes);
    let [group] = &notices[..] else { panic!("{notices:#?}") };
    assert_eq!(group.reason, NotifyReason::Baseline);
    assert_eq!(group.title, "secureframe: judged for the first time, 2 open at once");
    assert_eq!(group.lines[0], "secureframe: 2 findings open, 0 acknowledged, 198 pending.");
    assert_eq!((group.findings.len(), group.to.len()), (2, 2));

    // Without leavers the pager is silent, and the counts go to the others.
    record.findings.drain(..2);
    let notices = decide(&record, &[], &routes);
    let [counts] = &notices[..] else { panic!("{notices:#?}") };
    assert_eq!(counts.title, "secureframe: judged for the first time");
    assert_eq!((&*counts.to[0].0, counts.to.len(), counts.severity), ("mail", 1, Severity::Low));
}

#[test]
fn reminders_and_escalation_stop_when_somebody_has_it() {
    let route = Route {
        repeat_after: Some(TimeDelta::hours(24)),
        escalate: Some((TimeDelta::hours(2), vec!["boss".into()])),
        ..all_to(&["pager"])
    };
    let routes = routes(&["boss", "pager"], vec![route]);
    let known = [told("driftline:main:secureframe:x", 0, &[1])];
    let at_hour = |hour, state| {
        let record = run(hour, vec![stands(leaver(1), state, Change::Unchanged)]);
        notices(&record, &known, &routes)
    };
    let escalated = "escalated secureframe:010101010101 to boss: secureframe: leaver_active, DL-1";
    let reminder = "reminder secureframe:x to pager: secureframe: leaver_active, DL-1";
    assert_eq!(at_hour(1, FindingState::Open), [""; 0]);
    assert_eq!(at_hour(2, FindingState::Open), [escalated]);
    assert_eq!(at_hour(24, FindingState::Open), [escalated, reminder]);
    assert_eq!(at_hour(24, FindingState::Acknowledged), [""; 0]);
    assert_eq!(at_hour(24, FindingState::NotVisible), [""; 0]);
    // Who was told already is not told twice.
    let boss = Told { channel: "boss".into(), ..known[0].clone() };
    let record = run(3, vec![stands(leaver(1), FindingState::Open, Change::Unchanged)]);
    assert_eq!(notices(&record, &[known[0].clone(), boss], &routes), [""; 0]);
}

#[test]
fn what_the_first_run_covered_wakes_nobody_unless_it_is_more_than_seen_again() {
    let routes = routes(&["mail", "pager"], vec![all_to(&["mail", "pager"])]);
    let told = |change: &dyn Fn(&mut domain::FindingRecord)| {
        let mut orphan = finding(1, Cause::OrphanActive, Severity::High);
        change(&mut orphan);
        let mut record = run(24, vec![orphan]);
        record.apps[0].first_run = domain::RunId(1);
        let notices = decide(&record, &[], &routes);
        let all = notices.iter().flat_map(|it| &it.to).map(|it| it.0.to_string());
        all.collect::<Vec<String>>().join(" ")
    };
    assert_eq!(told(&|_| ()), "mail");
    assert_eq!(told(&|it| it.finding.detected_run = domain::RunId(2)), "mail pager");
    assert_eq!(told(&|it| it.finding.cause = Cause::LeaverActive), "mail pager");
    assert_eq!(told(&|it| it.finding.n_reopened = 1), "mail pager");
    assert_eq!(told(&|it| it.finding.breached_at = Some(at(20))), "mail pager");
    assert_eq!(told(&|it| it.change = Change::Worsened), "mail pager");
}

#[test]
fn over_is_told_when_all_of_it_is_and_never_of_what_was_not_judged() {
    use FindingState::{Open, Resolved};
    let routes = routes(&["pager"], vec![all_to(&["pager"])]);
    let group = [told("driftline:main:secureframe:run-3-opened", 0, &[1, 2])];
    let ended = |id| stands(leaver(id), Resolved, Change::Resolved);
    let lives = |id| stands(leaver(id), Open, Change::Unchanged);
    assert_eq!(notices_of(&run(1, vec![ended(1), lives(2)]), &group, &routes), 0);
    let over = "resolved secureframe:run-3-opened to pager: secureframe: all 2 findings are over";
    assert_eq!(notices(&run(1, vec![ended(1), ended(2)]), &group, &routes), [over]);
    assert_eq!(notices(&run(1, vec![ended(2)]), &group, &routes), [over], "one ended before");
    let waived = |id| stands(leaver(id), FindingState::Waived, Change::Waived);
    let waived_one = [told("driftline:main:secureframe:x", 0, &[1])];
    let line = "resolved secureframe:x to pager: secureframe: DL-1 is waived";
    assert_eq!(notices(&run(1, vec![waived(1)]), &waived_one, &routes), [line]);
    let mut blind = run(1, Vec::new());
    blind.apps.clear();
    assert_eq!(notices_of(&blind, &group, &routes), 0, "the app is not in the settings any more");
}

#[test]
fn what_ends_with_one_employment_and_opens_with_the_next_is_told_to_have_opened() {
    let routes = routes(&["mail", "pager"], vec![all_to(&["mail", "pager"])]);
    let before = stands(leaver(1), FindingState::Resolved, Change::Resolved);
    let mut next = leaver(2);
    next.finding.fingerprint = before.finding.fingerprint;
    let key = "driftline:main:secureframe:01010101010101010101010101010101";
    let known = [told(key, 0, &[1])];
    // Under one key, that it is over would take the place of what has opened.
    assert_eq!(
        notices(&run(1, vec![before.clone(), next.clone()]), &known, &routes),
        ["opened secureframe:010101010101 to mail pager: secureframe: leaver_active, DL-2"]
    );
    let over = "resolved secureframe:010101010101 to pager: secureframe: DL-1 is over";
    let pending = stands(next.clone(), FindingState::Pending, Change::Detected);
    assert_eq!(notices(&run(1, vec![before, pending]), &known, &routes), [over]);
    next = stands(next, FindingState::Resolved, Change::Resolved);
    let both = [told(key, 1, &[1, 2])];
    let over = "resolved secureframe:010101010101 to pager: secureframe: all 2 findings are over";
    assert_eq!(notices(&run(2, vec![next]), &both, &routes), [over]);
}

#[test]
fn the_watching_is_told_once_again_when_asked_for_and_when_it_sees() {
    let mut record = run(48, Vec::new());
    record.watcher = vec![
        blind(Watcher::SourceStale, "the newest list of okta identities is 27 h old"),
        blind(Watcher::SourceStale, "the newest list of okta assignments is 27 h old"),
    ];
    let key = "driftline:main:okta:watcher-source_stale";
    let okta = SystemId::parse("okta").ok();
    let known = [Told { reason: NotifyReason::Watcher, app: okta, ..told(key, 0, &[]) }];
    let once = routes(&["pager"], vec![all_to(&["pager"])]);
    let first = decide(&record, &[], &once);
    assert_eq!((first.len(), first[0].lines.len(), &*first[0].key), (1, 2, key));
    assert_eq!(notices_of(&record, &known, &once), 0);
    let repeat = Route { repeat_after: Some(TimeDelta::hours(24)), ..all_to(&["pager"]) };
    let repeat = routes(&["pager"], vec![repeat]);
    assert_eq!(reasons(&record, &known, &repeat), [NotifyReason::Reminder]);
    record.watcher.clear();
    assert_eq!(reasons(&record, &known, &once), [NotifyReason::Resolved]);
    record.apps[0].idps.clear();
    assert_eq!(notices_of(&record, &known, &once), 0, "nobody looks at it any more");
}

#[test]
fn a_light_pass_neither_opens_nor_calls_over_what_needs_a_list() {
    let routes = routes(&["pager"], vec![all_to(&["pager"])]);
    for kind in Watcher::ALL {
        let can_tell = kind.is_seen_by(Pass::Light);
        let mut record = run(48, Vec::new());
        record.pass = Pass::Light;
        record.watcher = vec![blind(*kind, "something is wrong")];
        let opened = reasons(&record, &[], &routes);
        assert_eq!(opened, [NotifyReason::Watcher][usize::from(!can_tell)..], "{kind}");

        let key = format!("driftline:main:okta:watcher-{kind}");
        let told = Told {
            reason: NotifyReason::Watcher,
            app: SystemId::parse("okta").ok(),
            ..told(&key, 0, &[])
        };
        record.watcher.clear();
        let over = reasons(&record, std::slice::from_ref(&told), &routes);
        assert_eq!(over, [NotifyReason::Resolved][usize::from(!can_tell)..], "{kind}");
        record.pass = Pass::Full;
        assert_eq!(reasons(&record, &[told], &routes), [NotifyReason::Resolved], "{kind}");
    }
}

#[test]
fn a_channel_that_forgets_is_told_again_of_all_that_is_not_over() {
    let routes = routes(&["alertmanager"], vec![all_to(&["alertmanager"])]);
    let known = [Told { channel: "alertmanager".into(), ..told("driftline:main:x:y", 0, &[1]) }];
    for (hour, state, wanted) in [
        (19, FindingState::Open, None),
        (20, FindingState::Open, Some(NotifyReason::Reminder)),
        (20, FindingState::Acknowledged, Some(NotifyReason::Reminder)),
        (20, FindingState::NotVisible, Some(NotifyReason::Reminder)),
        (20, FindingState::Waived, Some(NotifyReason::Resolved)),
    ] {
        let record = run(hour, vec![stands(leaver(1), state, Change::Unchanged)]);
        assert_eq!(reasons(&record, &known, &routes).first().copied(), wanted, "{hour} {state}");
    }
}

#[test]
fn routes_take_by_cause_severity_app_privilege_and_age() {
    let with = |change: &dyn Fn(&mut Match)| {
        let mut route = all_to(&["pager"]);
        change(route.findings.as_mut().unwrap());
        routes(&["pager"], vec![route])
    };
    let mut record = run(3, vec![leaver(1)]);
    let takes = |record: &RunRecord, routes: &Routes| notices_of(record, &[], routes) == 1;
    assert!(takes(&record, &with(&|it| it.causes = vec![Cause::LeaverActive])));
    assert!(!takes(&record, &with(&|it| it.causes = vec![Cause::Reactivated])));
    assert!(takes(&record, &with(&|it| it.apps = vec![app()])));
    assert!(takes(&record, &with(&|it| it.older_than = Some(TimeDelta::hours(3)))));
    assert!(!takes(&record, &with(&|it| it.older_than = Some(TimeDelta::hours(4)))));
    assert!(!takes(&record, &with(&|it| it.privileged = true)));
    record.findings[0].is_privileged = None;
    assert!(!takes(&record, &with(&|it| it.privileged = true)), "unknown is not privileged");
    record.findings[0].is_privileged = Some(true);
    assert!(takes(&record, &with(&|it| it.privileged = true)));
}

#[test]
fn a_digest_tells_all_that_is_open_at_its_time_and_how_sure_that_is() {
    let time = NaiveTime::from_hms_opt(7, 30, 0).unwrap();
    let route = Route { digest_at: Some((time, chrono_tz::UTC)), ..all_to(&["mail"]) };
    let routes = routes(&["mail"], vec![route]);
    let mut record = run(
        0,
        vec![
            leaver(1),
            stands(leaver(2), FindingState::Acknowledged, Change::Unchanged),
            stands(leaver(3), FindingState::Pending, Change::Detected),
        ],
    );
    record.apps[0].grade = domain::Grade::C;
    let notices = decide(&record, &[], &routes);
    let [digest] = &notices[..] else { panic!("{notices:#?}") };
    assert_eq!(digest.title, "Digest of run 7: 2 findings open");
    assert_eq!(
        digest.to[0].1,
        "2026-01-06T07:30:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    );
    assert_eq!(
        digest.lines,
        [
            "secureframe: 1 finding open, 1 acknowledged, 1 pending.",
            "secureframe: seen with grade C; what is not here is not proven.",
        ]
    );
}

#[test]
fn names_are_kept_for_channels_that_may_show_them_alone() {
    let record = run(0, vec![leaver(1)]);
    let of = |name: &str| {
        let routes = routes(&["mail", "pager"], vec![all_to(&[name])]);
        decide(&record, &[], &routes)[0].items[0].person.clone()
    };
    assert_eq!(of("mail").login.as_deref(), Some("bob@firm.test"));
    assert_eq!((of("pager").login, of("pager").name), (None, None));
}

#[test]
fn a_login_that_stands_for_an_id_is_no_subject() {
    let mut record = leaver(1);
    record.finding.subject.key = "bob@firm.test".into();
    let routes = routes(&["pager"], vec![all_to(&["pager"])]);
    let notices = decide(&run(0, vec![record]), &[], &routes);
    assert_eq!(notices[0].items[0].subject, "secureframe/010101010101");
}
