//! Trouble of provisioning, and the findings that come of it. It names them, and changes none.
//!
//! A finding comes of it where the provider knows the person, the app is the one that the provider was
//! asked about, the kind of finding is one that such trouble makes, and the person lost the app while it was so.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use connectors::live::Trouble;
use domain::{
    AppRecord, CLOCK_SKEW_MAX, Cause, FindingRecord, FindingState, Interval, Reach, RootCause,
    Severity, SystemId, WatcherFinding, Whom,
};
use report::v1::{self, Report, Watcher};

/// What a run knows when it looks for causes.
pub(crate) struct Scene<'s> {
    pub(crate) apps: &'s [AppRecord],
    /// In the order of the report.
    pub(crate) findings: &'s [FindingRecord],
    /// The full run before, which may have been told of the same.
    pub(crate) before: Option<&'s Report>,
    /// The app that each provider speaks of: what it says of its provisioning is of no other.
    pub(crate) provisioned: &'s BTreeMap<SystemId, SystemId>,
    pub(crate) now: DateTime<Utc>,
}

/// How sure it is that a finding comes of some trouble.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comes {
    Surely,
    Perhaps,
    Not,
}

impl Scene<'_> {
    /// `None`: nothing is known to come of such trouble.
    pub(crate) fn root(&self, system: &SystemId, trouble: &Trouble) -> Option<RootCause> {
        let name = trouble.reach.first()?.name.clone();
        let said = trouble.reach.iter().find_map(|it| match &it.whom {
            Whom::EverybodySince(since) => Some(*since),
            Whom::Users(_) => None,
        });
        let unknown = Interval { earliest: None, latest: None };
        let began = said.map_or(unknown, |said| self.began(system, &name, said));
        // By when a run saw it is a time of our clock, and when people lost the app one of theirs.
        let is_ours = said.is_some_and(|it| it.latest.is_none());
        let slack = if is_ours { CLOCK_SKEW_MAX } else { TimeDelta::zero() };
        let surely = Interval { latest: began.latest.map(|it| it + slack), ..began };
        let (mut explains, mut may_explain) = (Vec::new(), Vec::new());
        for it in self.findings {
            match self.comes(it, system, &trouble.reach, surely) {
                Comes::Surely => explains.push(it.finding.id),
                Comes::Perhaps => may_explain.push(it.finding.id),
                Comes::Not => {}
            }
        }
        let causes = trouble.reach.iter().flat_map(|it| it.causes.iter().copied()).collect();
        Some(RootCause { name, causes, began, explains, may_explain })
    }

    /// What the full run before was told of everybody: a light pass asks no provider how it does.
    pub(crate) fn told_before(&self) -> Vec<WatcherFinding> {
        let Some(before) = self.before else { return Vec::new() };
        let told = before.watcher.iter().filter_map(|it| {
            let (system, root) =
                (SystemId::parse(it.system.as_deref()?).ok()?, it.root_cause.as_ref()?);
            root.began_by?;
            let reach = vec![Reach {
                name: root.name.clone(),
                causes: root.causes.iter().filter_map(|it| Cause::parse(it.name())).collect(),
                whom: Whom::EverybodySince(Interval { earliest: None, latest: None }),
            }];
            let text = format!("As run {} was told: {}", before.run, it.text);
            let trouble = Trouble { kind: domain::Watcher::ProvisioningUnhealthy, text, reach };
            let root = self.root(&system, &trouble).filter(RootCause::has_findings)?;
            Some(WatcherFinding {
                kind: trouble.kind,
                system: Some(system),
                severity: Severity::High,
                text: trouble.text,
                next_action: it.next_action.clone(),
                root: Some(root),
            })
        });
        told.collect()
    }

    /// When trouble of this name began: what the source says, and what runs before were told. It is so
    /// now; a full run before that was not told of it looked before it began.
    fn began(&self, system: &SystemId, name: &str, said: Interval) -> Interval {
        let known = self.before.map(|before| {
            let mut roots = before.watcher.iter().filter_map(|it| {
                it.root_cause.as_ref().filter(|_| it.system.as_deref() == Some(system.as_str()))
            });
            match roots.find(|it| it.name == name) {
                Some(root) => Interval {
                    earliest: root.began_after.map(|it| it.0),
                    latest: root.began_by.map(|it| it.0),
                },
                None => Interval { earliest: looked_at(before, system), latest: Some(self.now) },
            }
        });
        match (said.latest, known) {
            (None, Some(known)) => known,
            (None, None) => Interval { earliest: None, latest: Some(self.now) },
            (Some(_), _) => said,
        }
    }

    fn comes(
        &self,
        record: &FindingRecord,
        system: &SystemId,
        reach: &[Reach],
        began: Interval,
    ) -> Comes {
        let finding = &record.finding;
        let lives = !matches!(finding.state, FindingState::Resolved | FindingState::FalsePositive);
        let app = self.apps.iter().find(|it| it.app == finding.app);
        let is_of_app = self.provisioned.get(system) == Some(&finding.app);
        let is_bound = is_of_app && app.is_some_and(|it| it.idps.contains(system));
        let owners = || record.person.identities.iter().filter_map(|it| it.split_once('/'));
        let theirs = || owners().filter(|it| it.0 == system.as_str()).map(|it| it.1);
        let of_it = reach.iter().filter(|it| it.causes.contains(&finding.cause));
        let comes = of_it.map(|it| match &it.whom {
            Whom::Users(users) if theirs().any(|id| users.iter().any(|it| **it == *id)) => {
                Comes::Surely
            }
            Whom::Users(_) => Comes::Not,
            Whom::EverybodySince(_) => since(began, lost(record)),
        });
        let comes = comes.into_iter().find(|it| *it != Comes::Not);
        match comes.filter(|_| lives && is_bound && theirs().next().is_some()) {
            // Another provider that knows them was to act as well.
            Some(Comes::Surely) if owners().any(|it| it.0 != system.as_str()) => Comes::Perhaps,
            Some(comes) => comes,
            None => Comes::Not,
        }
    }
}

/// Since when at the latest a run read all that the provider says of itself, by the clocks of both;
/// `None`: it did not, or that is not known.
fn looked_at(run: &Report, system: &SystemId) -> Option<DateTime<Utc>> {
    let unread = [Watcher::SnapshotIncomplete, Watcher::CredentialFailed];
    let mut told = run.watcher.iter().filter(|it| it.system.as_deref() == Some(system.as_str()));
    // What an earlier version told has no name: it may have been the same.
    let is_nameless = |it: &v1::WatcherFinding| {
        it.kind == Watcher::ProvisioningUnhealthy && it.root_cause.is_none()
    };
    if !told.all(|it| !unread.contains(&it.kind) && !is_nameless(it)) {
        return None;
    }
    let lists = run.sources.iter().filter(|it| it.system == system.as_str());
    Some(oldest(lists)? - CLOCK_SKEW_MAX)
}

/// Of when the oldest of these lists is; `None`: there is none, or one was not read.
fn oldest<'s>(lists: impl Iterator<Item = &'s v1::Source>) -> Option<DateTime<Utc>> {
    let read = lists.map(|it| it.as_of.filter(|_| it.failed.is_none()).map(|it| it.at.0));
    let read: Option<Vec<DateTime<Utc>>> = read.collect();
    read?.into_iter().min()
}

/// Between when the person lost the app, or was to get it.
fn lost(record: &FindingRecord) -> Interval {
    let finding = &record.finding;
    let seen = Interval { earliest: None, latest: Some(finding.detected_at) };
    finding.exposures.last().map_or(seen, |it| it.started)
}

/// Whether it was so already when the person lost the app.
fn since(began: Interval, lost: Interval) -> Comes {
    let is_before = |one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>| {
        one.zip(other).is_some_and(|(one, other)| one <= other)
    };
    if is_before(began.latest, lost.earliest) {
        Comes::Surely
    } else if is_before(lost.latest, began.earliest) {
        Comes::Not
    } else {
        Comes::Perhaps
    }
}

#[cfg(test)]
mod tests {
    use domain::*;

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn system(name: &str) -> SystemId {
        SystemId::parse(name).unwrap()
    }

    /// Of an account of these identities, who lost the app between these hours.
    fn finding(cause: Cause, identities: &[&str], lost: (Option<i64>, i64)) -> FindingRecord {
        let app = system("app");
        let entity = EntityId(1);
        let exposure = Exposure {
            started: Interval { earliest: lost.0.map(at), latest: Some(at(lost.1)) },
            last_seen_active: None,
            first_seen_inactive: None,
        };
        FindingRecord {
            finding: Finding {
                id: FindingId(1),
                fingerprint: Fingerprint([0; 32]),
                app: app.clone(),
                subject: Subject {
                    kind: SubjectKind::Account,
                    system: app,
                    key: "a".into(),
                    entity,
                },
                cause,
                severity: domain::Severity::High,
                state: FindingState::Open,
                episode: 1,
                detected_at: at(lost.1),
                detected_run: RunId(1),
                looks: Vec::new(),
                clock_from: at(0),
                grace_until: at(0),
                opened_at: None,
                resolved_at: None,
                resolution: None,
                state_until: None,
                last_seen_at: at(9),
                exposures: vec![exposure],
                n_reopened: 0,
                owner: None,
                breached_at: None,
                held: None,
            },
            change: Change::Opened,
            because: String::new(),
            person: PersonLabel {
                identities: identities.iter().map(|it| (*it).to_owned()).collect(),
                ..PersonLabel::default()
            },
            is_privileged: None,
            explanation: Explanation::default(),
            sla: None,
            next_action: String::new(),
        }
    }

    /// `sure`, `perhaps` or `not`, of trouble of Entra with the app `of` that began between these hours.
    fn comes(
        record: FindingRecord,
        began: (Option<i64>, i64),
        idps: &[&str],
        of: &str,
    ) -> &'static str {
        let app = AppRecord {
            app: system("app"),
            idps: idps.iter().map(|it| system(it)).collect(),
            grade: Grade::A,
            grade_reasons: Vec::new(),
            is_baseline: false,
            first_run: RunId(1),
            tallies: Vec::new(),
            n_persons: 1,
            n_accounts: 1,
            time_to_deactivate: None,
            deprovision: None,
        };
        let since = Interval { earliest: began.0.map(at), latest: Some(at(began.1)) };
        let trouble = Trouble {
            kind: domain::Watcher::ProvisioningUnhealthy,
            text: String::new(),
            reach: vec![Reach {
                name: "job stopped".to_owned(),
                causes: vec![Cause::LeaverActive],
                whom: Whom::EverybodySince(since),
            }],
        };
        let scene = Scene {
            apps: &[app],
            findings: &[record],
            before: None,
            provisioned: &[(system("entra"), system(of))].into(),
            now: at(10),
        };
        let root = scene.root(&system("entra"), &trouble).unwrap();
        match (root.explains.len(), root.may_explain.len()) {
            (1, 0) => "sure",
            (0, 1) => "perhaps",
            _ => "not",
        }
    }

    /// Of which hour a list is, and why it failed.
    type Read = (Option<i64>, Option<&'static str>);

    fn list((hour, failed): Read) -> v1::Source {
        v1::Source {
            system: "entra".to_owned(),
            kind: v1::SystemKind::Idp,
            list: v1::List::Identities,
            channel: None,
            grade: v1::Grade::A,
            snapshot: None,
            as_of: hour.map(|it| v1::AsOf { at: v1::Time(at(it)), basis: v1::AsOfBasis::Stated }),
            coverage: None,
            held: None,
            failed: failed.map(str::to_owned),
            n_rows: 0,
            n_changed: None,
            digest: None,
            n_requests: 0,
            n_bytes: 0,
            requests: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_run_looked_no_later_than_its_oldest_list_is_and_not_where_one_was_not_read() {
        let table: [(&[Read], Option<i64>); 5] = [
            (&[(Some(2), None)], Some(2)),
            (&[(Some(4), None), (Some(2), None)], Some(2)),
            (&[(Some(4), None), (Some(2), Some("refused"))], None),
            (&[(Some(4), None), (None, None)], None),
            (&[], None),
        ];
        for (lists, wanted) in table {
            let lists: Vec<v1::Source> = lists.iter().copied().map(list).collect();
            assert_eq!(oldest(lists.iter()), wanted.map(at), "{lists:?}");
        }
    }

    #[test]
    fn a_finding_comes_of_trouble_where_provider_app_kind_and_time_say_so() {
        use Cause::{LeaverActive, OrphanActive};
        let (both, entra) = (&["okta", "entra"][..], &["entra/1"][..]);
        #[rustfmt::skip]
        let table = [
            // kind        | whose                  | lost between  | trouble began | providers | comes
            ( LeaverActive, entra,                   (Some(5), 5),   (Some(4), 4),   both,       "sure"    ),
            ( LeaverActive, entra,                   (Some(5), 5),   (None,    5),   both,       "sure"    ),
            ( LeaverActive, entra,                   (Some(3), 5),   (Some(4), 4),   both,       "perhaps" ),
            ( LeaverActive, entra,                   (None,    5),   (Some(4), 4),   both,       "perhaps" ),
            ( LeaverActive, entra,                   (Some(3), 4),   (Some(4), 4),   both,       "not"     ),
            ( OrphanActive, entra,                   (Some(5), 5),   (Some(4), 4),   both,       "not"     ),
            ( LeaverActive, &["okta/1"],             (Some(5), 5),   (Some(4), 4),   both,       "not"     ),
            // Okta, which works, was to switch them off as well.
            ( LeaverActive, &["entra/1", "okta/1"],  (Some(5), 5),   (Some(4), 4),   both,       "perhaps" ),
            ( LeaverActive, &[],                     (Some(5), 5),   (Some(4), 4),   both,       "not"     ),
            ( LeaverActive, entra,                   (Some(5), 5),   (Some(4), 4),   &["okta"],  "not"     ),
        ];
        for (cause, whose, lost, began, idps, wanted) in table {
            let record = finding(cause, whose, lost);
            assert_eq!(
                comes(record, began, idps, "app"),
                wanted,
                "{cause} {whose:?} {lost:?} {began:?}"
            );
        }
        let mut over = finding(LeaverActive, entra, (Some(5), 5));
        over.finding.state = FindingState::Resolved;
        assert_eq!(comes(over, (Some(4), 4), both, "app"), "not");
        // Entra speaks of another app, and this one names it, too.
        let another = finding(LeaverActive, entra, (Some(5), 5));
        assert_eq!(comes(another, (Some(4), 4), both, "wiki"), "not");
    }
}
