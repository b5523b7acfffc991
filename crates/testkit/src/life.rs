//! A company over several nights: worlds in, what becomes of its findings out.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Change, Changes, EntityId, Finding, FindingId, FindingState, Hold, Release, RunId, Verdict,
    Waiver,
};
use drift::{
    AppRules, Context, Known, Past, PastVerdict, Policy, Reconciled, SaidLeft, judge, next_episode,
    reconcile, released,
};
use graph::correlate;

use crate::{World, keys, now, rules};

/// A company that is looked at once a night.
#[derive(Debug)]
pub struct Life {
    /// What the operator chose.
    pub policy: Policy,
    /// Chosen of the app; `None`: as [`rules`] has it.
    pub rules: Option<AppRules>,
    /// Waivers, in force or not.
    pub waivers: Vec<Waiver>,
    /// The findings as the last night left them, by number.
    pub findings: BTreeMap<FindingId, Finding>,
    /// Why each is as the last night left it.
    pub because: BTreeMap<FindingId, String>,
    /// Releases from the guard, in force or not.
    pub releases: Vec<Release>,
    /// What the last night's guard held.
    pub holds: Vec<Hold>,
    changes: Vec<Changes>,
    past: Past,
    n_nights: i32,
}

impl Life {
    /// A company that was never looked at.
    #[must_use]
    pub fn new() -> Self {
        Self {
            policy: Policy::default(),
            rules: None,
            waivers: Vec::new(),
            findings: BTreeMap::new(),
            because: BTreeMap::new(),
            releases: Vec::new(),
            holds: Vec::new(),
            changes: Vec::new(),
            past: Past::default(),
            n_nights: 0,
        }
    }

    /// The time of the next night's run.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        now() + TimeDelta::days(self.n_nights.into())
    }

    /// Looks, a day after the night before. Returns a line for each finding to which something
    /// happened, in order: subject, cause, severity, what, and its state after it.
    pub fn night(&mut self, mut world: World) -> String {
        world.later = TimeDelta::days(self.n_nights.into());
        let reconciled = self.look(&world);
        let mut lines: Vec<String> = reconciled
            .records
            .iter()
            .filter(|it| it.change != Change::Unchanged)
            .map(|it| {
                let finding = &it.finding;
                format!(
                    "{} {} {} {} {}",
                    finding.subject.key, finding.cause, finding.severity, it.change, finding.state
                )
            })
            .collect();
        lines.sort();
        if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
    }

    /// Lets nights pass in which nobody looks.
    pub const fn wait(&mut self, n_nights: i32) {
        self.n_nights += n_nights;
    }

    fn look(&mut self, world: &World) -> Reconciled {
        let now = self.now();
        let rules = self.rules.clone().unwrap_or_else(|| rules(world));
        let estate = world.estate();
        let keys = keys();
        let graph = correlate(&estate, &keys);
        let begun = self.findings.values().filter(|it| it.state != FindingState::Resolved);
        self.past.watched = begun.map(|it| it.subject.entity).collect();
        let cx = Context {
            graph: &graph,
            rules: &rules,
            policy: &self.policy,
            past: &self.past,
            pass: domain::Pass::Full,
            now,
        };
        let judgement = judge(&cx);
        let findings: Vec<Finding> = self.findings.values().cloned().collect();
        let known = Known {
            findings: &findings,
            waivers: &self.waivers,
            key: &[0; 32],
            is_baseline: self.past.looked_at.is_empty(),
            run: RunId(i64::from(self.n_nights) + 1),
            next: FindingId(findings.iter().map(|it| it.id.0).max().unwrap_or(0) + 1),
            changes: &self.changes,
            released: &released(&self.releases, now),
        };
        let reconciled = reconcile(&cx, &judgement, &known);
        self.remember(&judgement.standings, now);
        for said in judgement.leavers.iter().flat_map(|it| &it.said_by) {
            let all = self.past.said_left.entry((said.system.clone(), said.key.clone()));
            all.or_insert_with(|| {
                vec![SaidLeft { said_since: now, heard_at: now, at: said.at, returned_at: None }]
            });
        }
        for (entity, right) in &judgement.rights {
            let old = self.past.episodes.get(entity);
            if let Some(next) = next_episode(old, *right, &self.policy, now) {
                self.past.episodes.insert(*entity, next);
            }
        }
        self.past.looked_at = estate
            .snapshots
            .iter()
            .map(|it| &it.reference)
            .map(|it| (it.stream.clone(), it.as_of.at))
            .collect();
        for record in &reconciled.records {
            self.findings.insert(record.finding.id, record.finding.clone());
            self.because.insert(record.finding.id, record.because.clone());
        }
        for waiver in self.waivers.iter_mut().filter(|it| reconciled.voided.contains(&it.id)) {
            waiver.voided_at = Some(now);
        }
        self.changes.extend(reconciled.changes.clone());
        self.holds.clone_from(&reconciled.holds);
        self.n_nights += 1;
        reconciled
    }

    fn remember(
        &mut self,
        standings: &[(EntityId, Verdict, Option<DateTime<Utc>>)],
        now: DateTime<Utc>,
    ) {
        for (entity, verdict, _) in standings {
            let known = self.past.standings.get(entity);
            if *verdict != Verdict::Indeterminate && known.is_none_or(|it| it.verdict != *verdict) {
                let standing = PastVerdict { verdict: *verdict, since: now, seen_until: None };
                self.past.standings.insert(*entity, standing);
            }
        }
    }
}

impl Default for Life {
    fn default() -> Self {
        Self::new()
    }
}
