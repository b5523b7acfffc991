//! Is Driftline doing its job? A dead watcher looks like perfect compliance, so this asks for what
//! was seen, and not only whether a process answers.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use report::v1::{Channel, Grade, List, Pass};

use crate::{Numbers, Status};

/// A run that is due and does not begin, or that does not end, within this time is an illness:
/// longer than a pull may wait for rate limits by default, and than a run before it takes.
const OVERDUE: TimeDelta = TimeDelta::hours(2);

/// What is wrong, if anything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// A sentence each, with what to do; empty: all is well.
    pub ills: Vec<String>,
    /// What is so, a line each.
    lines: Vec<String>,
}

impl Health {
    /// Judges it. A list that was last seen whole before `now` less `max_age` is an illness.
    #[must_use]
    pub fn of(numbers: &Numbers, status: &Status, max_age: TimeDelta, now: DateTime<Utc>) -> Self {
        let mut health = Self { ills: Vec::new(), lines: Vec::new() };
        health.of_runs(numbers, status, max_age, now);
        health.of_lists(numbers, max_age, now);
        health.ills.extend(status.failed.clone());
        if let Some(why) = &status.bad_settings {
            health.ills.push(format!("the settings of the last reload are not in force: {why}"));
        }
        health
    }

    fn of_runs(
        &mut self,
        numbers: &Numbers,
        status: &Status,
        max_age: TimeDelta,
        now: DateTime<Utc>,
    ) {
        match &numbers.full {
            None => self.ills.push("no run was committed yet".to_owned()),
            Some(report) => {
                let at = report.now.0;
                self.lines.push(format!("last run: {}, {}", report.run, time(at)));
                if now - at > max_age {
                    self.ills.push(format!("the last run is {} old", age(now - at)));
                }
            }
        }
        if let Some(light) = numbers.report.as_ref().filter(|it| it.pass == Pass::Light) {
            let (run, at) = (light.run, time(light.now.0));
            self.lines.push(format!("last light pass: {run}, {at}"));
            if !light.is_complete() {
                self.lines.push("not every log was read in the last light pass".to_owned());
            }
        }
        if let Some(since) = status.running_since {
            self.lines.push(format!("running since: {}", time(since)));
            if now - since > OVERDUE {
                self.ills.push(format!("a run has been going on for {}", age(now - since)));
            }
        } else if let Some(next) = status.next_run {
            self.lines.push(format!("next run: {}", time(next)));
            if now - next > OVERDUE {
                self.ills.push(format!("a run is overdue for {}", age(now - next)));
            }
        }
    }

    fn of_lists(&mut self, numbers: &Numbers, max_age: TimeDelta, now: DateTime<Utc>) {
        let apps = numbers.full.iter().flat_map(|it| &it.apps);
        // A list that nobody ever read is not among those below.
        for app in apps.filter(|it| it.grade == Grade::F) {
            let app = &app.app;
            self.ills
                .push(format!("{app} has no data to be judged by: `driftline report` says why"));
        }
        for (source, whole) in numbers.lists() {
            let name = list_name(&source.system, source.list, source.channel);
            match whole {
                None => self.ills.push(format!("{name} was never seen whole")),
                Some(at) if now - at > max_age => {
                    let age = age(now - at);
                    self.ills.push(format!("{name} was last seen whole {age} ago"));
                }
                Some(at) => self.lines.push(format!("{name}: whole as of {}", time(at))),
            }
        }
    }
}

/// How a list is called, as `app accounts (scim)`.
fn list_name(system: &str, list: List, channel: Option<Channel>) -> String {
    let channel = channel.map_or_else(String::new, |it| format!(" ({})", it.name()));
    format!("{system} {}{channel}", list.name())
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn age(age: TimeDelta) -> String {
    format!("{} h {} min", age.num_hours(), age.num_minutes() % 60)
}

/// As `/healthz` says it.
impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.ills.is_empty() { "ok\n" } else { "ill\n" })?;
        for ill in &self.ills {
            writeln!(f, "- {ill}")?;
        }
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use store::Store;

    use super::*;
    use crate::metrics;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    async fn nothing_yet() -> (tempfile::TempDir, Numbers) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("driftline.db")).unwrap();
        let numbers = Numbers::read(&store).await.unwrap();
        (folder, numbers)
    }

    #[tokio::test]
    async fn whoever_never_ran_is_ill_and_has_metrics() {
        let (_folder, numbers) = nothing_yet().await;
        let status = Status { next_run: Some(at(2)), ..Status::default() };
        let health = Health::of(&numbers, &status, TimeDelta::hours(26), at(1));
        insta::assert_snapshot!(health, @"
        ill
        - no run was committed yet
        next run: 1970-01-01T02:00:00Z
        ");
        let page = metrics(&numbers, &status, "driftline 0.1.0").unwrap();
        assert!(page.contains("driftline_build_info{version=\"0.1.0\"} 1"), "{page}");
        assert!(page.contains("driftline_next_run_timestamp_seconds 7200"), "{page}");
        // What is not known is not there: an alert can tell it from 0.
        assert!(!page.contains("driftline_last_run_timestamp_seconds"), "{page}");
    }

    #[tokio::test]
    async fn channels_of_the_settings_have_metrics_before_anything_was_told() {
        let (_folder, numbers) = nothing_yet().await;
        let status = Status { channels: vec!["mail".into()], ..Status::default() };
        let page = metrics(&numbers, &status, "driftline 0.1.0").unwrap();
        for line in [
            "driftline_notices_total{channel=\"mail\",outcome=\"given_up\"} 0",
            "driftline_notices_waiting{channel=\"mail\"} 0",
            "driftline_channel_dead{channel=\"mail\"} 0",
            "driftline_ledger_entries 0",
        ] {
            assert!(page.lines().any(|it| it == line), "no `{line}` in {page}");
        }
        assert!(!page.contains("driftline_oldest_waiting"), "none waits: {page}");
    }

    #[tokio::test]
    async fn runs_that_are_stuck_overdue_or_failed_and_bad_settings_are_ills() {
        let (_folder, numbers) = nothing_yet().await;
        let told = |status: Status| {
            let ills = Health::of(&numbers, &status, TimeDelta::hours(26), at(10)).ills;
            ills.get(1..).unwrap_or_default().join("; ")
        };
        let well = Status::default();
        assert_eq!(told(Status { running_since: Some(at(9)), ..well.clone() }), "");
        insta::assert_snapshot!(told(Status { running_since: Some(at(7)), ..well.clone() }), @"a run has been going on for 3 h 0 min");
        insta::assert_snapshot!(told(Status { next_run: Some(at(6)), ..well.clone() }), @"a run is overdue for 4 h 0 min");
        insta::assert_snapshot!(told(Status { failed: Some("the last run failed: the disk is full".to_owned()), ..well.clone() }), @"the last run failed: the disk is full");
        insta::assert_snapshot!(told(Status { bad_settings: Some("`databse` is not a key".to_owned()), ..well }), @"the settings of the last reload are not in force: `databse` is not a key");
    }
}
