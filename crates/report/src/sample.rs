//! A run as tests need it: two apps, one seen in part, findings of many causes and states.

use chrono::{DateTime, TimeDelta, Utc};
use domain::*;

/// An RFC 3339 time.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn system(name: &str) -> SystemId {
    SystemId::parse(name).unwrap()
}

/// The time of the sample run.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-11-23T02:00:00Z")
}

/// One finding with the usual parts; tests change what matters to them.
pub(crate) fn finding(
    number: i64,
    app: &str,
    key: &str,
    cause: Cause,
    severity: Severity,
) -> FindingRecord {
    let detected_at = now() - TimeDelta::days(number % 9) - TimeDelta::hours(1);
    let byte = u8::try_from(number % 251).unwrap();
    let stream = Stream { system: system(app), list: List::Accounts, channel: Some(Channel::Scim) };
    FindingRecord {
        finding: Finding {
            id: FindingId(number),
            fingerprint: Fingerprint([byte; 32]),
            app: system(app),
            subject: Subject {
                kind: SubjectKind::Account,
                system: system(app),
                key: key.into(),
                entity: EntityId(number),
            },
            cause,
            severity,
            state: FindingState::Open,
            episode: 1,
            detected_at,
            detected_run: RunId(14 - number % 9),
            looks: vec![Look {
                stream,
                as_of: detected_at,
                is_assumed: false,
                body_digest: [byte; 32],
            }],
            clock_from: detected_at,
            grace_until: detected_at + TimeDelta::hours(4),
            opened_at: Some(detected_at + TimeDelta::days(1)),
            resolved_at: None,
            resolution: None,
            state_until: None,
            last_seen_at: now() - TimeDelta::minutes(20),
            exposures: Vec::new(),
            n_reopened: 0,
            owner: None,
            breached_at: None,
            held: None,
        },
        change: Change::Unchanged,
        because: "the condition still holds".to_owned(),
        person: PersonLabel {
            name: Some(format!("Person {number}")),
            login: Some(format!("person{number}@example.com")),
            identities: vec![format!("okta/00u{number}")],
            ..PersonLabel::default()
        },
        is_privileged: Some(false),
        explanation: Explanation {
            summary: format!("The account is {}.", cause.name().replace('_', " ")),
            facts: vec![Fact {
                text: "`active` is `true`".to_owned(),
                source: format!("{app} accounts, scim-users.json row {number}"),
                at: now() - TimeDelta::minutes(20),
            }],
            trials: Vec::new(),
            absences: Vec::new(),
        },
        sla: None,
        next_action: format!("Look at account `{key}` in {app}."),
    }
}

/// The sample run.
pub(crate) fn record() -> RunRecord {
    RunRecord {
        id: RunId(14),
        pass: Pass::Full,
        now: now(),
        software: "driftline 0.1.0".to_owned(),
        settings_digest: [0xc1; 32],
        policy_version: 3,
        previous: Some((RunId(13), at("2026-11-22T02:00:00Z"))),
        is_immediate: false,
        zone: "Europe/Berlin".to_owned(),
        apps: apps(),
        sources: sources(),
        findings: findings(),
        watcher: vec![WatcherFinding {
            kind: Watcher::SnapshotIncomplete,
            system: Some(system("salesforce")),
            severity: Severity::High,
            text: "page 3 of the account list was cut off after 200 of 214 rows".to_owned(),
            next_action: "Export the account list again, or wait for the next night.".to_owned(),
            root: None,
        }],
        unmapped: vec![Unmapped {
            system: system("okta"),
            field: "status".to_owned(),
            raw: "PENDING_REVIEW".to_owned(),
            count: 2,
        }],
        waivers: vec![Waiver {
            id: 2,
            fingerprint: Fingerprint([9; 32]),
            cause: Cause::UnassignedActive,
            episode: 1,
            reason: "Hands over the audit files until the end of the month; ticket GRC-204."
                .to_owned(),
            requested: Signature {
                by: "m.okafor".to_owned(),
                at: at("2026-11-18T09:12:00Z"),
                place: "mokafor@ops-2".to_owned(),
            },
            approved: Some(Signature {
                by: "s.lindqvist".to_owned(),
                at: at("2026-11-18T13:40:00Z"),
                place: "slindqvist@grc-1".to_owned(),
            }),
            expires_at: at("2026-11-30T22:59:59Z"),
            voided_at: None,
        }],
        history: history(),
        not_checked: vec![
            "Suspects were not asked again by id: export files cannot be asked.".to_owned(),
            "Absence from salesforce was not judged: its account list is partial.".to_owned(),
        ],
        limits: vec![
            "`active` says nothing of open sessions, API tokens or local passwords.".to_owned(),
            "Access through a shared account is visible only where it is registered.".to_owned(),
        ],
        ledger: Some(LedgerHead {
            size: 1204,
            root: [0x5e; 32],
            is_signed: true,
            anchored_at: None,
        }),
    }
}

/// Not set, and seen in two ways.
fn deprovision() -> DeprovisionRecord {
    let tally = |(behaviour, n_accounts)| DeprovisionTally {
        channel: Channel::Scim,
        behaviour,
        n_accounts,
        last_at: at("2026-11-21T02:00:00Z"),
    };
    let seen = [(Deprovisioned::Lists, 3), (Deprovisioned::Deletes, 1)].map(tally).into();
    DeprovisionRecord { set: None, is_on_vendors_word: false, seen }
}

fn apps() -> Vec<AppRecord> {
    let tally = |verdict, count| Tally { verdict, count };
    vec![
        AppRecord {
            app: system("salesforce"),
            idps: vec![system("entra")],
            grade: Grade::C,
            grade_reasons: vec![
                "The account list is partial: page 3 was cut off after 200 of 214 rows.".to_owned(),
            ],
            is_baseline: true,
            first_run: RunId(1),
            tallies: vec![
                tally(Verdict::Confirmed, 171),
                tally(Verdict::ConfirmedOffboarded, 12),
                tally(Verdict::Indeterminate, 31),
                tally(Verdict::Drift(Cause::LeaverActive), 1),
                tally(Verdict::Drift(Cause::DuplicateAccount), 1),
            ],
            n_persons: 216,
            n_accounts: 200,
            time_to_deactivate: None,
            deprovision: None,
        },
        AppRecord {
            app: system("secureframe"),
            idps: vec![system("okta"), system("entra")],
            grade: Grade::B,
            grade_reasons: vec![
                "Suspects were not asked again by id: the account list is a file.".to_owned(),
                "No canary is configured for okta.".to_owned(),
            ],
            is_baseline: false,
            first_run: RunId(1),
            tallies: vec![
                tally(Verdict::Confirmed, 41),
                tally(Verdict::ConfirmedOffboarded, 6),
                tally(Verdict::NoAccount, 3),
                tally(Verdict::Exempt, 3),
                tally(Verdict::NotYet, 1),
                tally(Verdict::Drift(Cause::LeaverActive), 1),
                tally(Verdict::Drift(Cause::Reactivated), 1),
                tally(Verdict::Drift(Cause::UnassignedActive), 2),
                tally(Verdict::Drift(Cause::OrphanActive), 1),
                tally(Verdict::Drift(Cause::Vanished), 1),
                tally(Verdict::Drift(Cause::LinkConflict), 1),
                tally(Verdict::Drift(Cause::AccessInvited), 1),
                tally(Verdict::Drift(Cause::OwnerLeft), 1),
                tally(Verdict::Drift(Cause::IdentifierDrift), 1),
            ],
            n_persons: 62,
            n_accounts: 58,
            time_to_deactivate: Some(TimeToDeactivate {
                n: 12,
                since: now() - TimeDelta::days(90),
                p50: Span { at_least: TimeDelta::hours(2), at_most: Some(TimeDelta::hours(26)) },
                p95: Span { at_least: TimeDelta::hours(31), at_most: Some(TimeDelta::hours(54)) },
                max: Span { at_least: TimeDelta::days(9), at_most: None },
            }),
            deprovision: Some(deprovision()),
        },
    ]
}

fn source(name: &str, kind: SystemKind, list: List, file: &str, n_rows: u64) -> SourceRecord {
    SourceRecord {
        system: system(name),
        kind,
        list,
        channel: (list == List::Accounts).then_some(Channel::Scim),
        grade: Grade::B,
        snapshot: Some(SnapshotId(i64::try_from(n_rows).unwrap())),
        as_of: Some(AsOf { at: at("2026-11-23T01:40:00Z"), basis: AsOfBasis::Stated }),
        coverage: Some(Coverage::Complete(Proof::DeclaredWhole)),
        held: None,
        failed: None,
        n_rows,
        n_changed: Some(3),
        digest: Some([u8::try_from(n_rows % 256).unwrap(); 32]),
        n_requests: 1,
        n_bytes: n_rows * 213,
        requests: vec![file.to_owned()],
        notes: Vec::new(),
    }
}

fn sources() -> Vec<SourceRecord> {
    vec![
        SourceRecord {
            as_of: Some(AsOf { at: at("2026-11-22T23:05:12Z"), basis: AsOfBasis::FileTime }),
            ..source("entra", SystemKind::Idp, List::Identities, "night-2/entra-users.csv", 216)
        },
        SourceRecord {
            notes: vec![
                "`status` holds `PENDING_REVIEW`, which no mapping knows (2 rows)".to_owned(),
            ],
            ..source("okta", SystemKind::Idp, List::Identities, "night-2/okta-users.csv", 62)
        },
        source("okta", SystemKind::Idp, List::Assignments, "night-2/okta-app-users.csv", 57),
        SourceRecord {
            grade: Grade::C,
            coverage: Some(Coverage::Partial {
                reason: "page 3 was cut off after 200 of 214 rows".to_owned(),
            }),
            held: Some("rows fell by 21 %".to_owned()),
            n_requests: 3,
            requests: vec![
                "page-1.json".to_owned(),
                "page-2.json".to_owned(),
                "page-3.json".to_owned(),
            ],
            ..source("salesforce", SystemKind::App, List::Accounts, "", 200)
        },
        SourceRecord {
            coverage: Some(Coverage::Complete(Proof::StatedTotal)),
            ..source("secureframe", SystemKind::App, List::Accounts, "night-2/scim-users.json", 58)
        },
        SourceRecord {
            grade: Grade::F,
            snapshot: None,
            as_of: None,
            coverage: None,
            failed: Some("`hr/leavers.csv` is not there; export it to that path".to_owned()),
            n_changed: None,
            digest: None,
            n_requests: 0,
            requests: Vec::new(),
            ..source("hr", SystemKind::Hr, List::Leavers, "", 0)
        },
    ]
}

fn history() -> Vec<HistoryPoint> {
    let counts = [9, 9, 8, 8, 7, 7, 9, 10, 9, 8, 6, 5, 6];
    (1..)
        .zip(counts)
        .map(|(run, n_open)| HistoryPoint {
            run: RunId(run),
            now: now() - TimeDelta::days(14 - run),
            n_open,
            n_pending: u64::try_from(run % 4).unwrap(),
            n_critical: n_open / 4,
        })
        .collect()
}

fn sla(outcome: SlaOutcome, deadline: &str, because: &str) -> Option<SlaResult> {
    Some(SlaResult {
        outcome,
        clock: ClockStart::EarliestKnown,
        deadline_at: Some(at(deadline)),
        limit: "24 h".to_owned(),
        policy_version: 3,
        because: because.to_owned(),
    })
}

fn exposure(earliest: &str, latest: &str, active: &str, inactive: Option<&str>) -> Exposure {
    Exposure {
        started: Interval { earliest: Some(at(earliest)), latest: Some(at(latest)) },
        last_seen_active: Some(at(active)),
        first_seen_inactive: inactive.map(at),
    }
}

fn findings() -> Vec<FindingRecord> {
    let mut all = grave_findings();
    all.extend(milder_findings());
    all
}

fn leaver() -> FindingRecord {
    let mut it = finding(3, "secureframe", "5f0c2a91-77", Cause::LeaverActive, Severity::Critical);
    it.change = Change::Opened;
    it.because = "grace ended 2026-11-20 21:12 UTC, and a later list shows it again".to_owned();
    it.is_privileged = Some(true);
    it.person.name = Some("Dana Whitfield".to_owned());
    it.person.login = Some("dana.whitfield@example.com".to_owned());
    it.finding.clock_from = at("2026-11-20T17:12:44Z");
    it.finding.grace_until = at("2026-11-20T18:12:44Z");
    it.finding.exposures = vec![exposure(
        "2026-11-20T17:12:44Z",
        "2026-11-20T17:12:44Z",
        "2026-11-23T01:40:00Z",
        None,
    )];
    it.sla = sla(
        SlaOutcome::Missed,
        "2026-11-21T17:12:44Z",
        "seen active 1 d 8 h 27 min 16 s after the deadline",
    );
    it.explanation = Explanation {
        summary: "Deactivated in okta on 20 November; the account in secureframe is still active."
            .to_owned(),
        facts: vec![
            Fact {
                text: "`status` is `DEPROVISIONED`, changed `2026-11-20T17:12:44Z`".to_owned(),
                source: "okta identities, night-2/okta-users.csv line 23".to_owned(),
                at: at("2026-11-23T01:40:00Z"),
            },
            Fact {
                text: "`active` is `true`, `userName` is `dana.whitfield@example.com`".to_owned(),
                source: "secureframe accounts, night-2/scim-users.json row 17".to_owned(),
                at: at("2026-11-23T01:40:00Z"),
            },
        ],
        trials: vec![
            KeyTrial {
                tier: Tier::ExternalId,
                value: "00u3".to_owned(),
                outcome: TrialOutcome::Decided("okta/00u3".to_owned()),
            },
            KeyTrial {
                tier: Tier::EmployeeNumber,
                value: String::new(),
                outcome: TrialOutcome::NotStated,
            },
            KeyTrial {
                tier: Tier::UserName,
                value: "dana.whitfield@example.com".to_owned(),
                outcome: TrialOutcome::Agrees("okta/00u3".to_owned()),
            },
            KeyTrial {
                tier: Tier::Email,
                value: "dana.whitfield@example.com".to_owned(),
                outcome: TrialOutcome::Rejected("entra/7c1d also has it, as an alias".to_owned()),
            },
        ],
        absences: vec!["No row for okta/00u3 in okta assignments, a complete list.".to_owned()],
    };
    it.next_action = "Deactivate account `5f0c2a91-77` in secureframe today.".to_owned();
    it
}

fn reactivated() -> FindingRecord {
    let mut it = finding(9, "secureframe", "b81e0d44-02", Cause::Reactivated, Severity::Critical);
    it.change = Change::Reopened;
    it.because = "confirmed offboarded in run 11, active again".to_owned();
    it.person.name = Some("Tomás Echeverría".to_owned());
    it.finding.fingerprint = Fingerprint([90; 32]);
    it.finding.n_reopened = 1;
    it.finding.exposures = vec![
        exposure(
            "2026-11-12T08:00:00Z",
            "2026-11-12T08:00:00Z",
            "2026-11-12T23:40:00Z",
            Some("2026-11-13T23:40:05Z"),
        ),
        exposure("2026-11-21T23:40:00Z", "2026-11-22T23:40:00Z", "2026-11-23T01:40:00Z", None),
    ];
    it.sla = sla(
        SlaOutcome::NotProven,
        "2026-11-23T23:40:00Z",
        "the deadline has not passed for the latest possible start",
    );
    it
}

fn grave_findings() -> Vec<FindingRecord> {
    let mut partial =
        finding(21, "salesforce", "0051X00000A", Cause::LeaverActive, Severity::Critical);
    partial.finding.state = FindingState::Acknowledged;
    partial.finding.state_until = Some(at("2026-11-24T08:00:00Z"));
    partial.person.identities = vec!["entra/7c1d".to_owned()];
    partial.finding.exposures = vec![exposure(
        "2026-11-19T00:00:00Z",
        "2026-11-20T00:00:00Z",
        "2026-11-22T23:40:00Z",
        None,
    )];

    let mut orphan = finding(5, "secureframe", "svc-backup", Cause::OrphanActive, Severity::High);
    orphan.person =
        PersonLabel { login: Some("backup@example.com".to_owned()), ..PersonLabel::default() };
    orphan.next_action =
        "Find out who uses `svc-backup`: register it as non-human, or remove it.".to_owned();

    let mut waived = finding(10, "secureframe", "2ab7", Cause::UnassignedActive, Severity::High);
    waived.finding.fingerprint = Fingerprint([9; 32]);
    waived.finding.state = FindingState::Waived;
    waived.change = Change::Waived;
    waived.because = "waiver 2 is in force".to_owned();
    waived.finding.state_until = Some(at("2026-11-30T22:59:59Z"));

    let mut conflict = finding(4, "secureframe", "91cc", Cause::LinkConflict, Severity::High);
    conflict.finding.state = FindingState::Held;
    conflict.because = "frozen by the guard".to_owned();

    let mut pending = finding(27, "secureframe", "77d0", Cause::UnassignedActive, Severity::High);
    pending.finding.state = FindingState::Pending;
    pending.finding.opened_at = None;
    pending.finding.grace_until = at("2026-11-24T01:00:00Z");
    pending.change = Change::Detected;
    pending.because = "seen once; opens when a later list shows it again after grace".to_owned();

    let mut owner = finding(13, "secureframe", "ci-bot", Cause::OwnerLeft, Severity::High);
    owner.change = Change::Worsened;
    owner.because = "a privileged role was added".to_owned();
    vec![leaver(), reactivated(), partial, conflict, orphan, waived, owner, pending]
}

fn milder_findings() -> Vec<FindingRecord> {
    let mut invited = finding(19, "secureframe", "inv-3", Cause::AccessInvited, Severity::Medium);
    invited.finding.state = FindingState::NotVisible;
    invited.change = Change::LostSight;
    invited.because = "no longer listed, and absence is not proven".to_owned();

    let mut vanished = finding(36, "secureframe", "00u44", Cause::Vanished, Severity::Medium);
    vanished.finding.subject.kind = SubjectKind::Identity;
    vanished.finding.subject.system = system("okta");
    vanished.change = Change::Detected;
    vanished.finding.state = FindingState::Pending;
    vanished.finding.opened_at = None;
    vanished.explanation.absences =
        vec!["No row with id `e0aa` in secureframe accounts, a complete list of 58.".to_owned()];

    let duplicate =
        finding(22, "salesforce", "0051X00000B", Cause::DuplicateAccount, Severity::Medium);
    let renamed = finding(2, "secureframe", "c3d4", Cause::IdentifierDrift, Severity::Low);

    let mut resolved = finding(6, "secureframe", "aa17", Cause::LeaverActive, Severity::Critical);
    resolved.finding.state = FindingState::Resolved;
    resolved.finding.resolution = Some(Resolution::InactiveSeen);
    resolved.finding.resolved_at = Some(now());
    resolved.change = Change::Resolved;
    resolved.because = "`active` is `false` in a list later than the one that opened it".to_owned();
    resolved.finding.exposures = vec![exposure(
        "2026-11-16T17:00:00Z",
        "2026-11-16T17:00:00Z",
        "2026-11-21T23:40:00Z",
        Some("2026-11-22T23:40:00Z"),
    )];
    resolved.sla =
        sla(SlaOutcome::Missed, "2026-11-17T17:00:00Z", "seen active after the deadline");
    vec![invited, vanished, duplicate, renamed, resolved]
}
