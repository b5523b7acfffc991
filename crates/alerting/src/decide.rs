//! Decides whom to tell what after a run, and why now. From values to values: reads no clock, sends
//! nothing.
//!
//! It looks at where findings stand and at what each channel was told, not at what a run changed:
//! a route that is new, or a notice that was given up, is made good by the next run.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    AppRecord, Change, Family, FindingId, FindingRecord, FindingState, Notice, NotifyReason, Pass,
    PersonLabel, RunRecord, Severity, SystemId, Text, Told, Watcher, WatcherFinding, counted,
};

use crate::item::{item, key_of};
use crate::routes::{Route, Routes, next_time};

/// Findings that a notice tells in detail; the rest are counted.
pub const ITEMS_MAX: usize = 50;

/// After so long a channel that forgets is told again what still holds: shorter than a day, so that
/// a nightly run does.
const REFRESH_AFTER: TimeDelta = TimeDelta::hours(20);

/// What is to be told after this run. `known` is what channels were told and is not over.
#[must_use]
pub fn decide(record: &RunRecord, known: &[Told], routes: &Routes) -> Vec<Notice> {
    let mut desk = Desk { record, known, routes, notices: Vec::new() };
    let wishes = desk.wishes();
    desk.findings(&wishes);
    desk.baselines(&wishes);
    desk.watcher();
    desk.digests();
    desk.report();
    desk.resolved();
    desk.forget_names();
    desk.notices
}

/// Where a finding stands, for those who tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// To be told.
    Told,
    /// It lives, and nobody new is told: in grace, in somebody's hands, held, or out of sight.
    Quiet,
    /// Over, or accepted by two people.
    Over,
}

fn stand(record: &FindingRecord) -> Stand {
    match record.finding.state {
        FindingState::Open => Stand::Told,
        // A breach of the SLA worsens even what the guard has frozen.
        FindingState::Held if record.change == Change::Worsened => Stand::Told,
        FindingState::Pending
        | FindingState::Acknowledged
        | FindingState::Held
        | FindingState::NotVisible => Stand::Quiet,
        FindingState::Waived | FindingState::Resolved | FindingState::FalsePositive => Stand::Over,
    }
}

/// One finding for one channel.
struct Wish<'r> {
    record: &'r FindingRecord,
    key: Text,
    due_at: DateTime<Utc>,
}

/// Wishes of one app for one channel and reason.
type Wishes<'r> = BTreeMap<(SystemId, Text, NotifyReason), Vec<Wish<'r>>>;

struct Desk<'d> {
    record: &'d RunRecord,
    known: &'d [Told],
    routes: &'d Routes,
    notices: Vec<Notice>,
}

impl<'d> Desk<'d> {
    /// Findings one by one, or as one where there are too many.
    fn findings(&mut self, wishes: &Wishes<'d>) {
        for ((app, channel, reason), wishes) in wishes {
            let (channel, reason) = (channel.clone(), *reason);
            let mut by_key: BTreeMap<&Text, Vec<&Wish<'_>>> = BTreeMap::new();
            for wish in wishes {
                by_key.entry(&wish.key).or_default().push(wish);
            }
            let due_at = |wishes: &[&Wish<'_>]| wishes.iter().map(|it| it.due_at).min();
            if reason == NotifyReason::Baseline {
                continue; // Told with the counts.
            } else if by_key.len() > self.routes.storm_over {
                let all: Vec<&Wish<'_>> = wishes.iter().collect();
                let due_at = due_at(&all).unwrap_or(self.record.now);
                self.storm(app, &channel, reason, (&all, due_at));
            } else {
                for (key, wishes) in by_key {
                    let records: Vec<&FindingRecord> = wishes.iter().map(|it| it.record).collect();
                    let due_at = due_at(&wishes).unwrap_or(self.record.now);
                    let title = title(&records);
                    self.add(
                        key.clone(),
                        reason,
                        &records,
                        title,
                        self.common_causes(&records),
                        (channel.clone(), due_at),
                    );
                }
            }
        }
    }

    fn storm(
        &mut self,
        app: &SystemId,
        channel: &Text,
        reason: NotifyReason,
        (wishes, due_at): (&[&Wish<'_>], DateTime<Utc>),
    ) {
        let records: Vec<&FindingRecord> = wishes.iter().map(|it| it.record).collect();
        let key = self.key(app.as_str(), &format!("run-{}-{reason}", self.record.id));
        let title = format!(
            "{app}: {} at once, {}",
            counted(records.len(), "finding"),
            by_severity(&records)
        );
        let because = match reason {
            NotifyReason::Worsened => "Each is graver than when it was told.",
            NotifyReason::Reminder => "Each is still open.",
            NotifyReason::Escalated => "Nobody acknowledged them in time.",
            _ => "Each has opened.",
        };
        let lines = [because.to_owned()].into_iter().chain(self.common_causes(&records)).collect();
        self.add(key, NotifyReason::Storm, &records, title, lines, (channel.clone(), due_at));
    }

    /// What these findings come of, each cause once, with how many of them come of it.
    fn common_causes(&self, records: &[&FindingRecord]) -> Vec<String> {
        let n_of =
            |ids: &[FindingId]| records.iter().filter(|it| ids.contains(&it.finding.id)).count();
        let causes = self.record.watcher.iter().filter_map(|it| {
            let root = it.root.as_ref()?;
            let of = match (n_of(&root.explains), n_of(&root.may_explain)) {
                (0, 0) => return None,
                (n, _) if n == records.len() => "Comes of".to_owned(),
                (0, n) if n == records.len() => "May come of".to_owned(),
                (0, n) => format!("{n} of {} may come of", records.len()),
                (n, 0) => format!("{n} of {} come of", records.len()),
                (n, perhaps) => {
                    format!("{n} of {}, and perhaps {perhaps} more, come of", records.len())
                }
            };
            let text = it.text.trim_end_matches('.');
            Some(format!("{of} this: {text}. {}", it.next_action))
        });
        causes.collect()
    }

    fn wishes(&self) -> Wishes<'d> {
        let mut all = Wishes::new();
        for record in &self.record.findings {
            for channel in &self.routes.channels {
                let routes = self.routes_to(&channel.name);
                let mine =
                    routes.filter(|it| it.takes(record, self.record.now)).collect::<Vec<_>>();
                let Some(due_at) = mine.iter().map(|it| it.due(self.record.now)).min() else {
                    continue;
                };
                if channel.is_pager && self.is_only_seen_again(record) {
                    continue;
                }
                let wish = self.wish(record, &channel.name, channel.forgets, &mine);
                if let Some((reason, key)) = wish {
                    let bucket = (record.finding.app.clone(), channel.name.clone(), reason);
                    all.entry(bucket).or_default().push(Wish { record, key, due_at });
                }
            }
            for channel in self.escalated(record) {
                let bucket = (record.finding.app.clone(), channel, NotifyReason::Escalated);
                let key = key_of(&self.routes.deployment, &record.finding);
                all.entry(bucket).or_default().push(Wish { record, key, due_at: self.record.now });
            }
        }
        all
    }

    /// Routes that tell one by one.
    fn routes_to<'s>(&'s self, channel: &'s str) -> impl Iterator<Item = &'d Route> + 's {
        let leads = move |it: &&Route| it.to.iter().any(|it| &**it == channel);
        self.routes.routes.iter().filter(|it| it.digest_at.is_none()).filter(leads)
    }

    /// Why a channel is told of a finding now, and under which key; `None`: it is not.
    fn wish(
        &self,
        record: &FindingRecord,
        channel: &str,
        forgets: bool,
        routes: &[&Route],
    ) -> Option<(NotifyReason, Text)> {
        let finding = &record.finding;
        let own = || key_of(&self.routes.deployment, finding);
        let told: Vec<&Told> = self.told_of(finding.id, channel).collect();
        let last = told.iter().max_by_key(|it| it.last_at);
        let since_last = last.map(|it| self.record.now - it.last_at);
        match (stand(record), last) {
            (Stand::Over, _) | (Stand::Quiet, None) => None,
            (Stand::Told, None) if self.is_baseline(&finding.app) => {
                Some((NotifyReason::Baseline, own()))
            }
            (Stand::Told, None) if finding.n_reopened > 0 => Some((NotifyReason::Reopened, own())),
            (Stand::Told, None) => Some((NotifyReason::Opened, own())),
            (Stand::Told, Some(last)) => {
                let worst = told.iter().map(|it| it.severity).max();
                let repeat = routes.iter().filter_map(|it| it.repeat_after).min();
                let is_due = |after: TimeDelta| since_last.is_some_and(|it| it >= after);
                if finding.opened_at.is_some_and(|it| it > last.last_at) {
                    Some((NotifyReason::Reopened, own()))
                } else if worst < Some(finding.severity) || record.change == Change::Worsened {
                    Some((NotifyReason::Worsened, own()))
                } else if record.change == Change::Opened {
                    // An acknowledgement has expired, or it is in sight again.
                    Some((NotifyReason::Opened, own()))
                } else if repeat.is_some_and(is_due) || forgets && is_due(REFRESH_AFTER) {
                    Some((NotifyReason::Reminder, last.key.clone()))
                } else {
                    None
                }
            }
            // What a channel forgets reads as over, which nobody has seen.
            (Stand::Quiet, Some(last)) => {
                let is_due = forgets && since_last.is_some_and(|it| it >= REFRESH_AFTER);
                is_due.then(|| (NotifyReason::Reminder, last.key.clone()))
            }
        }
    }

    /// What was told, or tried in vain.
    fn sent_of<'s>(
        &'s self,
        finding: FindingId,
        channel: &'s str,
    ) -> impl Iterator<Item = &'d Told> + 's {
        let known: &'d [Told] = self.known;
        known.iter().filter(move |it| &*it.channel == channel && it.findings.contains(&finding))
    }

    fn told_of<'s>(
        &'s self,
        finding: FindingId,
        channel: &'s str,
    ) -> impl Iterator<Item = &'d Told> + 's {
        self.sent_of(finding, channel).filter(|it| !it.was_only_tried)
    }

    /// The first run of the app covered it, and it opens for no other reason than that the second
    /// look came: that wakes nobody. Access that remains is told all the same.
    fn is_only_seen_again(&self, record: &FindingRecord) -> bool {
        let finding = &record.finding;
        let mut apps = self.record.apps.iter();
        finding.family() != Family::AccessRemains
            && finding.n_reopened == 0
            && finding.breached_at.is_none()
            && record.change != Change::Worsened
            && apps.any(|it| it.app == finding.app && it.first_run == finding.detected_run)
    }

    fn is_baseline(&self, app: &SystemId) -> bool {
        self.record.apps.iter().any(|it| it.is_baseline && it.app == *app)
    }

    /// Who else is told of an open finding that nobody took in time.
    fn escalated(&self, record: &FindingRecord) -> Vec<Text> {
        let id = record.finding.id;
        let mut channels = Vec::new();
        if record.finding.state != FindingState::Open {
            return channels;
        }
        let wakes = |it: &Text| self.routes.channel(it).is_some_and(|it| it.is_pager);
        let takes = |it: &&Route| it.digest_at.is_none() && it.takes(record, self.record.now);
        for route in self.routes.routes.iter().filter(takes) {
            let Some((after, to)) = &route.escalate else { continue };
            // One that refuses it leaves nobody the time to acknowledge it, either.
            let sent = route.to.iter().flat_map(|it| self.sent_of(id, it));
            let first = sent.map(|it| it.first_due_at).min();
            if first.is_none_or(|it| self.record.now - it < *after) {
                continue;
            }
            let is_new = |it: &&Text| {
                let is_woken = wakes(it) && self.is_only_seen_again(record);
                !is_woken && self.told_of(id, it).next().is_none()
            };
            channels.extend(to.iter().filter(is_new).cloned());
        }
        channels.sort();
        channels.dedup();
        channels
    }

    /// The first judged run of an app: its counts for those who are not woken by them, its leavers
    /// as one group for those who are told of them.
    fn baselines(&mut self, wishes: &Wishes<'d>) {
        for app in self.record.apps.iter().filter(|it| it.is_baseline) {
            for channel in &self.routes.channels {
                let bucket = (app.app.clone(), channel.name.clone(), NotifyReason::Baseline);
                let mine = wishes.get(&bucket).map(Vec::as_slice).unwrap_or_default();
                let may_count = !channel.is_pager
                    && self.routes_to(&channel.name).any(|it| it.takes_app(&app.app));
                if mine.is_empty() && !may_count {
                    continue;
                }
                let records: Vec<&FindingRecord> = mine.iter().map(|it| it.record).collect();
                let due_at = mine.iter().map(|it| it.due_at).min().unwrap_or_else(|| {
                    let routes = self.routes_to(&channel.name).filter(|it| it.takes_app(&app.app));
                    routes.map(|it| it.due(self.record.now)).min().unwrap_or(self.record.now)
                });
                let key = self.key(app.app.as_str(), "baseline");
                let mut lines = self.counts(app);
                lines.extend(self.common_causes(&records));
                let title = match records.len() {
                    0 => format!("{}: judged for the first time", app.app),
                    n => format!("{}: judged for the first time, {n} open at once", app.app),
                };
                self.add(
                    key,
                    NotifyReason::Baseline,
                    &records,
                    title,
                    lines,
                    (channel.name.clone(), due_at),
                );
            }
        }
    }

    /// How an app stands, and how sure that is.
    fn counts(&self, app: &AppRecord) -> Vec<String> {
        let mine = || self.record.findings.iter().filter(|it| it.finding.app == app.app);
        let n = |state| mine().filter(|it| it.finding.state == state).count();
        let n_open = mine().filter(|it| stand(it) == Stand::Told).count();
        let mut lines = vec![format!(
            "{}: {} open, {} acknowledged, {} pending.",
            app.app,
            counted(n_open, "finding"),
            n(FindingState::Acknowledged),
            n(FindingState::Pending)
        )];
        let proven =
            if app.grade.proves_absence() { "" } else { "; what is not here is not proven" };
        lines.push(format!("{}: seen with grade {}{proven}.", app.app, app.grade));
        lines
    }

    /// What is wrong with the watching, one notice for each kind and system. What only a full run
    /// can tell, a light pass neither opens nor calls over.
    fn watcher(&mut self) {
        let mut all: BTreeMap<Text, Vec<&WatcherFinding>> = BTreeMap::new();
        let seen = self.record.watcher.iter().filter(|it| it.kind.is_seen_by(self.record.pass));
        for finding in seen {
            let key = self.watcher_key(finding.kind, finding.system.as_ref());
            all.entry(key).or_default().push(finding);
        }
        for (key, findings) in all {
            let Some(first) = findings.first() else { continue };
            for channel in &self.routes.channels {
                let routes: Vec<&Route> =
                    self.routes_to(&channel.name).filter(|it| it.takes_watcher(first)).collect();
                let Some(due_at) = routes.iter().map(|it| it.due(self.record.now)).min() else {
                    continue;
                };
                let told = self
                    .known
                    .iter()
                    .find(|it| it.key == key && it.channel == channel.name && !it.was_only_tried);
                let repeat = routes.iter().filter_map(|it| it.repeat_after).min();
                let is_due =
                    |last: &Told, after: TimeDelta| self.record.now - last.last_at >= after;
                let reason = match told {
                    None => NotifyReason::Watcher,
                    Some(last) if repeat.is_some_and(|it| is_due(last, it)) => {
                        NotifyReason::Reminder
                    }
                    Some(last) if channel.forgets && is_due(last, REFRESH_AFTER) => {
                        NotifyReason::Reminder
                    }
                    Some(_) => continue,
                };
                let texts = findings.iter().map(|it| it.told());
                self.add_notice(Notice {
                    key: key.clone(),
                    reason,
                    severity: findings.iter().map(|it| it.severity).max().unwrap_or(Severity::Low),
                    app: first.system.clone(),
                    run: Some(self.record.id),
                    at: self.record.now,
                    title: watcher_title(first),
                    lines: texts.collect(),
                    findings: Vec::new(),
                    items: Vec::new(),
                    to: vec![(channel.name.clone(), due_at)],
                });
            }
        }
    }

    fn watcher_key(&self, kind: Watcher, system: Option<&SystemId>) -> Text {
        self.key(system.map_or("-", SystemId::as_str), &format!("watcher-{kind}"))
    }

    /// All that is open, once a day, as a full run has it. The newest one takes the place of one that
    /// was not sent yet.
    fn digests(&mut self) {
        if self.record.pass == Pass::Light {
            return; // It does not know how sure the apps are seen, nor what is wrong with the lists.
        }
        for channel in &self.routes.channels {
            let leads = |it: &&Route| it.digest_at.is_some() && it.to.contains(&channel.name);
            let routes: Vec<&Route> = self.routes.routes.iter().filter(leads).collect();
            let times = routes.iter().filter_map(|it| it.digest_at);
            let Some(due_at) = times.map(|it| next_time(self.record.now, it)).min() else {
                continue;
            };
            let takes = |it: &&FindingRecord| {
                let is_open =
                    stand(it) == Stand::Told || it.finding.state == FindingState::Acknowledged;
                is_open && routes.iter().any(|route| route.takes(it, self.record.now))
            };
            let records: Vec<&FindingRecord> = self.record.findings.iter().filter(takes).collect();
            let apps = self.record.apps.iter();
            let apps = apps.filter(|app| routes.iter().any(|it| it.takes_app(&app.app)));
            let mut lines: Vec<String> = apps.flat_map(|it| self.counts(it)).collect();
            let watching = self.record.watcher.iter();
            let watching = watching.filter(|it| routes.iter().any(|route| route.takes_watcher(it)));
            lines.extend(watching.map(WatcherFinding::told));
            let title = format!(
                "Digest of run {}: {} open",
                self.record.id,
                counted(records.len(), "finding")
            );
            let key = self.key("-", &format!("digest-{}", channel.name));
            self.add(
                key,
                NotifyReason::Digest,
                &records,
                title,
                lines,
                (channel.name.clone(), due_at),
            );
        }
    }

    /// The report of this run, if it is a full one. Each run has its own key: none takes the place
    /// of another.
    fn report(&mut self) {
        let run = self.record;
        if run.pass == Pass::Light {
            return;
        }
        let to: Vec<(Text, DateTime<Utc>)> =
            self.routes.report.to.iter().map(|it| (it.clone(), run.now)).collect();
        if to.is_empty() {
            return;
        }
        let n_open = run.findings.iter().filter(|it| stand(it) == Stand::Told).count();
        let grade = run.apps.iter().map(|it| it.grade).max();
        let grade = grade.map_or_else(String::new, |it| format!("grade {it}, "));
        let date = run.now.format("%Y-%m-%d");
        let n_open = counted(n_open, "finding");
        let title = format!("run {} of {date}: {grade}{n_open} open", run.id);
        let lines: Vec<String> = run.apps.iter().flat_map(|it| self.counts(it)).collect();
        let watching = run.watcher.iter().map(WatcherFinding::told);
        let lines = lines.into_iter().chain(watching).collect();
        let key = self.key("-", &format!("report-{}", run.id));
        let notice = self.notice(key, NotifyReason::Report, &[], title, lines);
        self.add_notice(Notice { to, ..notice });
    }

    /// Says that what a channel was told is over. What was not judged in this run says nothing.
    fn resolved(&mut self) {
        for told in self.known.iter().filter(|it| self.routes.channel(&it.channel).is_some()) {
            let is_watching = told.findings.is_empty() && told.reason != NotifyReason::Baseline;
            let is_over = match is_watching {
                true => self.sees_again(told),
                false => !told.findings.is_empty() && self.are_over(told),
            };
            if !is_over || self.goes_on(told) {
                continue;
            }
            let of = |it: &&FindingRecord| told.findings.contains(&it.finding.id);
            let records: Vec<&FindingRecord> = self.record.findings.iter().filter(of).collect();
            let how = how_it_ended(&records);
            let title = match (&*told.findings, &told.app) {
                ([], Some(system)) => format!("{system}: Driftline sees as it should again"),
                ([], None) => "Driftline sees as it should again".to_owned(),
                ([one], Some(app)) => format!("{app}: {one} is {how}"),
                (all, Some(app)) => format!("{app}: all {} findings are {how}", all.len()),
                (all, None) => format!("all {} findings are {how}", all.len()),
            };
            let mut notice =
                self.notice(told.key.clone(), NotifyReason::Resolved, &records, title, Vec::new());
            notice.severity = told.severity;
            notice.app.clone_from(&told.app);
            notice.findings.clone_from(&told.findings);
            notice.to = vec![(told.channel.clone(), self.record.now)];
            self.add_notice(notice);
        }
    }

    /// What was wrong with the watching is not so any more. Of a system that nobody looks at any
    /// more, that is not known, nor in a light pass of what needs a list.
    fn sees_again(&self, told: &Told) -> bool {
        let mut unseen = Watcher::ALL.iter().filter(|it| !it.is_seen_by(self.record.pass));
        if unseen.any(|it| self.watcher_key(*it, told.app.as_ref()) == told.key) {
            return false;
        }
        let mut wrong =
            self.record.watcher.iter().map(|it| self.watcher_key(it.kind, it.system.as_ref()));
        let is_watched = |system: &SystemId| {
            let mut apps = self.record.apps.iter();
            self.record.sources.iter().any(|it| it.system == *system)
                || apps.any(|it| it.app == *system || it.idps.contains(system))
        };
        told.app.as_ref().is_none_or(is_watched) && wrong.all(|it| it != told.key)
    }

    /// Something new is told under its key, as after a new employment: in the outbox, that it is over
    /// would take the place of that.
    fn goes_on(&self, told: &Told) -> bool {
        let leads = |it: &Notice| it.to.iter().any(|to| to.0 == told.channel);
        self.notices.iter().any(|it| it.key == told.key && leads(it))
    }

    /// Every finding of it is over. One that the run does not know ended in an earlier one, if its
    /// app was judged at all.
    fn are_over(&self, told: &Told) -> bool {
        let is_judged =
            told.app.as_ref().is_some_and(|app| self.record.apps.iter().any(|it| it.app == *app));
        let mine = self.record.findings.iter().filter(|it| told.findings.contains(&it.finding.id));
        is_judged && mine.into_iter().all(|it| stand(it) == Stand::Over)
    }

    /// Names are not kept for channels that never show them.
    fn forget_names(&mut self) {
        for notice in &mut self.notices {
            let mut to = notice.to.iter().filter_map(|it| self.routes.channel(&it.0));
            if !to.any(|it| it.names) {
                notice.items.iter_mut().for_each(|it| it.person = PersonLabel::default());
            }
        }
    }

    fn key(&self, system: &str, subject: &str) -> Text {
        crate::item::key(&self.routes.deployment, system, subject)
    }

    fn add(
        &mut self,
        key: Text,
        reason: NotifyReason,
        records: &[&FindingRecord],
        title: String,
        lines: Vec<String>,
        to: (Text, DateTime<Utc>),
    ) {
        let notice = self.notice(key, reason, records, title, lines);
        self.add_notice(Notice { to: vec![to], ..notice });
    }

    fn notice(
        &self,
        key: Text,
        reason: NotifyReason,
        records: &[&FindingRecord],
        title: String,
        lines: Vec<String>,
    ) -> Notice {
        let mut records = records.to_vec();
        records.sort_by_key(|it| (std::cmp::Reverse(it.finding.severity), it.finding.id));
        let severities = records.iter().map(|it| it.finding.severity);
        Notice {
            key,
            reason,
            severity: severities.max().unwrap_or(Severity::Low),
            app: records.first().map(|it| it.finding.app.clone()),
            run: Some(self.record.id),
            at: self.record.now,
            title,
            lines,
            findings: records.iter().map(|it| it.finding.id).collect(),
            items: records.iter().take(ITEMS_MAX).map(|it| item(it)).collect(),
            to: Vec::new(),
        }
    }

    /// The same words for another channel are the same notice.
    fn add_notice(&mut self, notice: Notice) {
        let is_same = |it: &&mut Notice| {
            it.key == notice.key && it.reason == notice.reason && it.findings == notice.findings
        };
        match self.notices.iter_mut().find(is_same) {
            Some(same) => same.to.extend(notice.to),
            None => self.notices.push(notice),
        }
    }
}

/// `secureframe: leaver_active, DL-14`; of several the count.
fn title(records: &[&FindingRecord]) -> String {
    match records {
        [one] => {
            let finding = &one.finding;
            format!("{}: {}, {}", finding.app, finding.cause, finding.id)
        }
        [first, ..] => {
            format!("{}: {} findings, {}", first.finding.app, records.len(), by_severity(records))
        }
        [] => String::new(),
    }
}

/// `over`, or what people made of it.
fn how_it_ended(records: &[&FindingRecord]) -> &'static str {
    let is = |state| move |it: &&FindingRecord| it.finding.state == state;
    let all = |state| !records.is_empty() && records.iter().all(is(state));
    let any = |state| records.iter().any(is(state));
    if all(FindingState::Waived) {
        "waived"
    } else if all(FindingState::FalsePositive) {
        "called a false positive"
    } else if any(FindingState::Waived) || any(FindingState::FalsePositive) {
        "over, waived or called false positives"
    } else {
        "over"
    }
}

fn watcher_title(finding: &WatcherFinding) -> String {
    match &finding.system {
        Some(system) => format!("{system}: {}", finding.kind),
        None => finding.kind.to_string(),
    }
}

/// `2 critical, 9 high`.
fn by_severity(records: &[&FindingRecord]) -> String {
    let count = |severity: &Severity| {
        let n = records.iter().filter(|it| it.finding.severity == *severity).count();
        (n > 0).then(|| format!("{n} {severity}"))
    };
    Severity::ALL.iter().rev().filter_map(count).collect::<Vec<String>>().join(", ")
}
