//! The metrics page, in Prometheus' text format. Numbers of the last run are gauges; times are
//! seconds since 1970, so that an alert can say how long ago. Systems, lists, causes and states
//! are labels; people and accounts never are.

use std::collections::BTreeMap;

use domain::{DeliveryState, Finding, Text};
use prometheus::{CounterVec, Encoder as _, GaugeVec, Opts, Registry, TextEncoder};
use report::v1::{
    App, Channel, Family, FindingState, Grade, Pass, Report, Severity, Source, Watcher,
};
use store::ChannelHealth;

use crate::{Numbers, Status};

/// Writes the page. `software` is program and version.
///
/// # Errors
///
/// Returns what the library says: a name or a label that is none.
pub fn metrics(
    numbers: &Numbers,
    status: &Status,
    software: &str,
) -> Result<String, prometheus::Error> {
    let page = Page { registry: Registry::new() };
    page.of_daemon(status, software)?;
    page.of_store(numbers)?;
    page.of_requests(numbers)?;
    page.of_channels(&channels(numbers, status))?;
    page.of_report_channels(status)?;
    page.of_anchors(numbers, status)?;
    if let Some(report) = &numbers.report {
        page.of_light_pass(report)?;
        page.of_findings(report, &numbers.findings)?;
    }
    if let Some(full) = &numbers.full {
        page.of_full_run(full)?;
        page.of_sources(full, numbers)?;
    }
    page.of_watcher(numbers)?;
    let mut bytes = Vec::new();
    TextEncoder::new().encode(&page.registry.gather(), &mut bytes)?;
    String::from_utf8(bytes).map_err(|error| prometheus::Error::Msg(error.to_string()))
}

/// The channels that there are, and the last report of those that get one. What was taken out of the
/// settings is nobody's concern.
fn channels(numbers: &Numbers, status: &Status) -> Vec<ChannelHealth> {
    let of = |name: &Text| {
        let known = numbers.channels.iter().find(|it| it.channel == *name);
        let mut health = known.cloned().unwrap_or_else(|| ChannelHealth::silent(name.clone()));
        health.report_at = health.report_at.filter(|_| status.report_to.contains(name));
        health
    };
    status.channels.iter().map(of).collect()
}

struct Page {
    registry: Registry,
}

impl Page {
    /// One metric with its labels and values.
    fn add<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = ([String; N], f64)>,
    ) -> Result<(), prometheus::Error> {
        let metric = GaugeVec::new(Opts::new(name, help), &labels)?;
        for (labels, value) in values {
            metric.with_label_values(&labels).set(value);
        }
        self.registry.register(Box::new(metric))
    }

    fn counter(&self, name: &str, help: &str, value: u64) -> Result<(), prometheus::Error> {
        self.counters(name, help, [], [([], value)])
    }

    /// Counters of one name, with their labels.
    fn counters<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = ([String; N], u64)>,
    ) -> Result<(), prometheus::Error> {
        let metric = CounterVec::new(Opts::new(name, help), &labels)?;
        for (labels, value) in values {
            metric.with_label_values(&labels).inc_by(count(value));
        }
        self.registry.register(Box::new(metric))
    }

    fn one(&self, name: &str, help: &str, value: f64) -> Result<(), prometheus::Error> {
        self.add(name, help, [], [([], value)])
    }

    /// A metric that may have no value: then it is not there.
    fn maybe(&self, name: &str, help: &str, value: Option<f64>) -> Result<(), prometheus::Error> {
        value.map_or(Ok(()), |value| self.one(name, help, value))
    }

    fn of_daemon(&self, status: &Status, software: &str) -> Result<(), prometheus::Error> {
        let version = software.rsplit(' ').next().unwrap_or(software).to_owned();
        self.add("driftline_build_info", "1, with the version.", ["version"], [([version], 1.0)])?;
        self.one(
            "driftline_run_in_progress",
            "1 while a run goes on.",
            truth(status.running_since.is_some()),
        )?;
        self.maybe(
            "driftline_next_run_timestamp_seconds",
            "When the next run begins.",
            status.next_run.map(seconds),
        )?;
        self.counter(
            "driftline_failed_runs_total",
            "Runs since the daemon began that failed, or whose report was not written.",
            status.n_failed,
        )?;
        self.one(
            "driftline_last_run_failed",
            "1 when the last run failed, or its report was not written.",
            truth(status.failed.is_some()),
        )?;
        self.one(
            "driftline_settings_in_force",
            "0 when the settings of the last reload could not be used.",
            truth(status.bad_settings.is_none()),
        )?;
        self.maybe(
            "driftline_run_duration_seconds",
            "How long the last run of this daemon took.",
            status.took_ms.map(|it| count(it) / 1000.0),
        )?;
        self.maybe(
            "driftline_heartbeat_timestamp_seconds",
            "When the heartbeat was last heard.",
            status.heartbeat_at.map(seconds),
        )?;
        self.counter(
            "driftline_unheard_heartbeats_total",
            "Heartbeats that were not heard since the daemon began.",
            status.n_unheard,
        )
    }

    fn of_store(&self, numbers: &Numbers) -> Result<(), prometheus::Error> {
        self.counter(
            "driftline_missed_runs_total",
            "Scheduled runs that did not take place, of all time.",
            numbers.turns.n_missed,
        )?;
        self.maybe(
            "driftline_last_scheduled_run_timestamp_seconds",
            "When the last committed full run of the schedule began.",
            numbers.turns.last.as_ref().map(|it| seconds(it.began)),
        )?;
        let sizes = [("database", numbers.sizes.database), ("wal", numbers.sizes.wal)];
        self.add(
            "driftline_database_bytes",
            "How large the database is.",
            ["file"],
            sizes.map(|(file, size)| ([file.to_owned()], count(size))),
        )?;
        self.one(
            "driftline_ledger_entries",
            "Entries of the evidence log.",
            count(numbers.n_entries),
        )
    }

    fn of_requests(&self, numbers: &Numbers) -> Result<(), prometheus::Error> {
        let status = |it: &store::Requested| {
            it.status.map_or_else(|| "none".to_owned(), |status| status.to_string())
        };
        self.add(
            "driftline_run_requests",
            "Requests of the last full run, by HTTP status; none: no answer, or a file.",
            ["system", "status"],
            numbers.requested.iter().map(|it| ([it.system.to_string(), status(it)], count(it.n))),
        )?;
        self.add(
            "driftline_run_request_seconds",
            "How long the requests of the last full run took together.",
            ["system", "status"],
            numbers
                .requested
                .iter()
                .map(|it| ([it.system.to_string(), status(it)], count(it.duration_ms) / 1000.0)),
        )?;
        let mut waited: BTreeMap<String, u64> = BTreeMap::new();
        for it in &numbers.requested {
            *waited.entry(it.system.to_string()).or_default() += it.waited_ms;
        }
        self.add(
            "driftline_run_wait_seconds",
            "How long the last run waited for rate limits and after failures, its readers together.",
            ["system"],
            waited.into_iter().map(|(system, ms)| ([system], count(ms) / 1000.0)),
        )
    }

    /// Anchors of the settings. One that never took a checkpoint has no time.
    fn of_anchors(&self, numbers: &Numbers, status: &Status) -> Result<(), prometheus::Error> {
        self.add(
            "driftline_anchor_asked",
            "1 for each anchor that is asked to take checkpoints of the evidence log.",
            ["anchor"],
            status.anchors.iter().map(|it| ([it.to_string()], 1.0)),
        )?;
        let made = numbers.anchors.iter().filter(|it| status.anchors.contains(&it.name));
        self.add(
            "driftline_anchor_last_made_timestamp_seconds",
            "When the anchor last took a checkpoint of the evidence log out of reach.",
            ["anchor"],
            made.filter_map(|it| Some(([it.name.to_string()], seconds(it.last_made_at?)))),
        )
    }

    fn of_channels(&self, channels: &[ChannelHealth]) -> Result<(), prometheus::Error> {
        let name = |it: &ChannelHealth| it.channel.to_string();
        let outcomes = channels.iter().flat_map(|it| {
            let settled = it.by_state.iter().filter(|it| it.0 != DeliveryState::Pending);
            settled.map(|(state, n)| ([name(it), state.name().to_owned()], *n))
        });
        self.counters(
            "driftline_notices_total",
            "Notices by what became of them, of all time.",
            ["channel", "outcome"],
            outcomes,
        )?;
        self.counters(
            "driftline_notice_retries_total",
            "How often a notice was sent again, of all time.",
            ["channel"],
            channels.iter().map(|it| ([name(it)], it.n_retries)),
        )?;
        let waiting = |it: &ChannelHealth| {
            let pending = it.by_state.iter().filter(|it| it.0 == DeliveryState::Pending);
            pending.map(|it| it.1).sum::<u64>()
        };
        self.add(
            "driftline_notices_waiting",
            "Notices that wait: for their time, or for a channel that takes them.",
            ["channel"],
            channels.iter().map(|it| ([name(it)], count(waiting(it)))),
        )?;
        self.add(
            "driftline_oldest_waiting_notice_timestamp_seconds",
            "When the oldest notice that waits was to be told, which may be ahead.",
            ["channel"],
            channels.iter().filter_map(|it| Some(([name(it)], seconds(it.oldest_due_at?)))),
        )?;
        self.add(
            "driftline_channel_dead",
            "1 when the last tries of the channel were all in vain.",
            ["channel"],
            channels.iter().map(|it| ([name(it)], truth(it.is_dead))),
        )?;
        self.add(
            "driftline_report_taken_timestamp_seconds",
            "When the channel last took the report of a run.",
            ["channel"],
            channels.iter().filter_map(|it| Some(([name(it)], seconds(it.report_at?)))),
        )
    }

    /// Channels that get the report. One that never took one has no time.
    fn of_report_channels(&self, status: &Status) -> Result<(), prometheus::Error> {
        self.add(
            "driftline_report_wanted",
            "1 for each channel that is to get the report of each run.",
            ["channel"],
            status.report_to.iter().map(|it| ([it.to_string()], 1.0)),
        )
    }

    /// Of the last run, if it was a light pass.
    fn of_light_pass(&self, report: &Report) -> Result<(), prometheus::Error> {
        if report.pass == Pass::Full {
            return Ok(());
        }
        self.one(
            "driftline_last_light_pass_timestamp_seconds",
            "The time of the last light pass's judgement; not there after a full run.",
            seconds(report.now.0),
        )?;
        self.one(
            "driftline_last_light_pass_complete",
            "1 when the last light pass read every log; not there after a full run.",
            truth(report.is_complete()),
        )
    }

    /// What needs every list: a light pass changes none of it.
    fn of_full_run(&self, report: &Report) -> Result<(), prometheus::Error> {
        self.one(
            "driftline_last_run_timestamp_seconds",
            "The time of the last full run's judgement.",
            seconds(report.now.0),
        )?;
        self.one(
            "driftline_last_run_number",
            "The number of the last full run.",
            count(report.run.unsigned_abs()),
        )?;
        self.one(
            "driftline_last_run_complete",
            "1 when the last full run saw every list whole.",
            truth(report.is_complete()),
        )?;
        let grades = |it: &App| {
            let (app, grade) = (it.app.clone(), it.grade);
            Grade::ALL
                .iter()
                .map(move |one| ([app.clone(), one.name().to_owned()], truth(*one == grade)))
        };
        self.add(
            "driftline_app_grade",
            "1 for the grade of the app in the last full run.",
            ["app", "grade"],
            report.apps.iter().flat_map(grades),
        )
    }

    /// What is wrong with the watching: as the last run has it, where it can tell, else as the last
    /// full run has it.
    fn of_watcher(&self, numbers: &Numbers) -> Result<(), prometheus::Error> {
        let (Some(last), Some(full)) = (&numbers.report, &numbers.full) else { return Ok(()) };
        let watcher = Watcher::ALL.iter().map(|kind| {
            let of = if kind.is_seen_by(last.pass) { last } else { full };
            let n = of.watcher.iter().filter(|it| it.kind == *kind).count();
            ([kind.name().to_owned()], count(n as u64))
        });
        self.add(
            "driftline_watcher_findings",
            "Findings about the watching, of the last run that can tell.",
            ["kind"],
            watcher,
        )
    }

    fn of_sources(&self, report: &Report, numbers: &Numbers) -> Result<(), prometheus::Error> {
        let labels = |it: &Source| {
            let channel = it.channel.map_or("", Channel::name);
            [it.system.as_str(), it.list.name(), channel].map(str::to_owned)
        };
        let names = ["system", "list", "channel"];
        let sources = || report.sources.iter();
        self.add(
            "driftline_source_complete",
            "1 when the last full run read the list, whole and believed.",
            names,
            sources().map(|it| (labels(it), truth(it.is_whole()))),
        )?;
        self.add(
            "driftline_source_last_complete_timestamp_seconds",
            "As of when the list was last seen whole and believed.",
            names,
            numbers.lists().filter_map(|(it, whole)| Some((labels(it), seconds(whole?)))),
        )?;
        self.add(
            "driftline_source_rows",
            "Rows of the list in the last full run.",
            names,
            sources().map(|it| (labels(it), count(it.n_rows))),
        )?;
        self.add(
            "driftline_source_bytes",
            "Bytes read for the list in the last full run.",
            names,
            sources().map(|it| (labels(it), count(it.n_bytes))),
        )?;
        let grades = |it: &Source| {
            let ([system, list, channel], grade) = (labels(it), it.grade);
            Grade::ALL.iter().map(move |one| {
                let labels = [system.clone(), list.clone(), channel.clone(), one.name().to_owned()];
                (labels, truth(*one == grade))
            })
        };
        self.add(
            "driftline_source_grade",
            "1 for the grade of the list in the last full run.",
            ["system", "list", "channel", "grade"],
            sources().flat_map(grades),
        )
    }

    /// Also what is 0, so that an alert can tell none from not known.
    fn of_findings(&self, report: &Report, findings: &[Finding]) -> Result<(), prometheus::Error> {
        let mut counts = BTreeMap::new();
        for app in &report.apps {
            for family in Family::ALL {
                for severity in Severity::ALL {
                    for state in FindingState::ALL.iter().filter(|it| it.is_live()) {
                        let labels = [&*app.app, family.name(), severity.name(), state.name()];
                        counts.insert(labels, 0_u64);
                    }
                }
            }
        }
        for it in findings {
            let (family, severity, state) =
                (it.family().name(), it.severity.name(), it.state.name());
            // What is over is not counted, nor is an app that is not judged any more.
            counts.entry([it.app.as_str(), family, severity, state]).and_modify(|n| *n += 1);
        }
        self.add(
            "driftline_findings",
            "Findings that live: by the last run, full or light, and by what people said since.",
            ["app", "family", "severity", "state"],
            counts.into_iter().map(|(labels, n)| (labels.map(str::to_owned), count(n))),
        )
    }
}

const fn truth(it: bool) -> f64 {
    if it { 1.0 } else { 0.0 }
}

/// Counts stay far below 2^53, from which on a float skips numbers.
#[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats only")]
const fn count(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats only")]
const fn seconds(at: chrono::DateTime<chrono::Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}
