//! Runs, findings and letters in a line each.

use std::sync::Arc;
use std::time::Duration;

use alerting::{Channel, Letter, Route, Routes};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    AppRecord, At, Cause, Change, EntityId, Explanation, Exposure, Finding, FindingId,
    FindingRecord, FindingState, Fingerprint, Grade, Interval, Notice, NoticeId, NoticeItem,
    NotifyReason, Pass, PersonLabel, RunId, RunRecord, Severity, Subject, SubjectKind, SystemId,
    Told, Watcher, WatcherFinding,
};
use outbound::{Poster, PosterConfig, Secret, Url};

pub(crate) fn at(hours: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-01-05T09:00:00Z".parse().unwrap();
    start + TimeDelta::hours(hours)
}

pub(crate) fn app() -> SystemId {
    SystemId::parse("secureframe").unwrap()
}

/// A finding about `a<id>`, open since hour 0.
pub(crate) fn finding(id: i64, cause: Cause, severity: Severity) -> FindingRecord {
    FindingRecord {
        finding: Finding {
            id: FindingId(id),
            fingerprint: Fingerprint([u8::try_from(id).unwrap(); 32]),
            app: app(),
            subject: Subject {
                kind: SubjectKind::Account,
                system: app(),
                key: format!("a{id}").into(),
                entity: EntityId(id),
            },
            cause,
            severity,
            state: FindingState::Open,
            episode: 1,
            detected_at: at(0),
            detected_run: RunId(1),
            looks: Vec::new(),
            clock_from: at(0),
            grace_until: at(0),
            opened_at: Some(at(0)),
            resolved_at: None,
            resolution: None,
            state_until: None,
            last_seen_at: at(0),
            exposures: vec![Exposure {
                started: Interval { earliest: Some(at(-49)), latest: Some(at(-49)) },
                last_seen_active: Some(at(0)),
                first_seen_inactive: None,
            }],
            n_reopened: 0,
            owner: None,
            breached_at: None,
            held: None,
        },
        change: Change::Opened,
        because: "asked again by id, and grace is over".to_owned(),
        person: PersonLabel {
            name: Some("Bob Builder".to_owned()),
            login: Some("bob@firm.test".to_owned()),
            identities: vec![format!("okta/00u{id}")],
            ..PersonLabel::default()
        },
        is_privileged: Some(false),
        explanation: Explanation::default(),
        sla: None,
        next_action: "Deactivate the account in the app now.".to_owned(),
    }
}

pub(crate) fn leaver(id: i64) -> FindingRecord {
    finding(id, Cause::LeaverActive, Severity::Critical)
}

pub(crate) fn stands(
    mut record: FindingRecord,
    state: FindingState,
    change: Change,
) -> FindingRecord {
    (record.finding.state, record.change) = (state, change);
    record
}

/// Run 7 at this hour.
pub(crate) fn run(hour: i64, findings: Vec<FindingRecord>) -> RunRecord {
    RunRecord {
        ledger: None,
        id: RunId(7),
        pass: Pass::Full,
        now: at(hour),
        software: "driftline test".to_owned(),
        settings_digest: [0; 32],
        policy_version: 1,
        previous: None,
        is_immediate: false,
        zone: "UTC".to_owned(),
        apps: vec![AppRecord {
            app: app(),
            idps: vec![SystemId::parse("okta").unwrap()],
            grade: Grade::A,
            grade_reasons: Vec::new(),
            is_baseline: false,
            first_run: RunId(0),
            tallies: Vec::new(),
            n_persons: 0,
            n_accounts: 0,
            time_to_deactivate: None,
            deprovision: None,
        }],
        sources: Vec::new(),
        findings,
        watcher: Vec::new(),
        unmapped: Vec::new(),
        waivers: Vec::new(),
        history: Vec::new(),
        not_checked: Vec::new(),
        limits: Vec::new(),
    }
}

pub(crate) fn blind(kind: Watcher, text: &str) -> WatcherFinding {
    WatcherFinding {
        kind,
        system: Some(SystemId::parse("okta").unwrap()),
        severity: Severity::High,
        text: text.to_owned(),
        next_action: "Run `driftline doctor`.".to_owned(),
        root: None,
    }
}

pub(crate) fn channel(name: &str) -> Channel {
    Channel {
        name: name.into(),
        is_pager: name == "pager",
        forgets: name == "alertmanager",
        names: name == "mail",
    }
}

/// Routes to these channels.
pub(crate) fn routes(channels: &[&str], routes: Vec<Route>) -> Routes {
    let channels = channels.iter().map(|it| channel(it)).collect();
    Routes { channels, routes, ..Routes::default() }
}

/// Everything, to these channels.
pub(crate) fn all_to(channels: &[&str]) -> Route {
    Route {
        findings: Some(alerting::Match::default()),
        watcher: Watcher::ALL.to_vec(),
        ..Route::on_call(channels.iter().map(|it| (*it).into()).collect())
    }
}

/// What the pager was told at this hour of these findings.
pub(crate) fn told(key: &str, hour: i64, findings: &[i64]) -> Told {
    Told {
        key: key.into(),
        channel: "pager".into(),
        reason: NotifyReason::Opened,
        app: Some(app()),
        severity: Severity::Critical,
        first_due_at: at(hour),
        last_at: at(hour),
        findings: findings.iter().map(|it| FindingId(*it)).collect(),
        was_only_tried: false,
    }
}

/// A letter about one leaver.
pub(crate) fn letter(reason: NotifyReason) -> Letter {
    Letter {
        id: NoticeId(12),
        notice: Notice {
            key: "driftline:main:secureframe:0101".into(),
            reason,
            severity: Severity::Critical,
            app: Some(app()),
            run: Some(RunId(7)),
            at: at(0),
            title: "secureframe: leaver_active, DL-1".to_owned(),
            lines: Vec::new(),
            findings: vec![FindingId(1)],
            items: vec![item()],
            to: Vec::new(),
        },
        unconfirmed: None,
        names: false,
        report_url: Some("https://driftline.test/latest.html".to_owned()),
        first: None,
        enclosed: None,
        now: at(0),
    }
}

pub(crate) fn item() -> NoticeItem {
    NoticeItem {
        finding: FindingId(1),
        cause: Cause::LeaverActive,
        severity: Severity::Critical,
        subject: "secureframe/a1".to_owned(),
        owners: vec!["okta/00u1".to_owned()],
        person: PersonLabel {
            name: Some("Bob <Builder>".to_owned()),
            login: Some("bob@firm.test".to_owned()),
            ..PersonLabel::default()
        },
        exposed_for: Some(TimeDelta::hours(49)),
        is_on: true,
        sla: Some(domain::SlaOutcome::Missed),
        because: "asked again by id, and grace is over".to_owned(),
        next_action: "Deactivate the account in the app now.".to_owned(),
    }
}

/// A poster to a test's server, with waits of a test.
pub(crate) fn poster(url: &Url, authorization: Option<&str>) -> Poster {
    let config = PosterConfig {
        url: Secret::new(url.to_string()),
        ca_bundle: None,
        proxy: None,
        connect: Duration::from_secs(5),
        request: Duration::from_millis(500),
        user_agent: "driftline-test/1".to_owned(),
        authorization: authorization.map(|it| Secret::new(it.to_owned())),
    };
    Poster::new(config, Arc::new(At(at(0)))).unwrap()
}
