//! `run --once`: look, judge, keep and report; with dated nights, every night not judged yet.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use alerting::Sender;
use anyhow::Context as _;
use chrono::TimeDelta;
use connectors::files::Profiles;
use domain::{At, Clock, Severity};
use report::v1::Report;
use report::{HtmlOptions, html, text};
use store::Store;

use crate::cli::{RunArgs, TextFormat};
use crate::exit::Exit;
use crate::print::OutputError;
use crate::settings::{self, Night, Settings};
use crate::{print, profiles};

/// Does what is due, and prints the last report.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or a report cannot be written. What
/// was committed before stays.
pub(crate) async fn run(config: &Path, args: &RunArgs, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let profiles = profiles::load(settings.profiles.as_deref())?;
    let senders = settings.senders()?; // A channel that cannot be set up is known before the run.
    let store = open(&settings)?;
    let due = Due { settings: &settings, profiles, store: &store };
    let mut done = due.work_off(clock).await?;
    done.last.is_complete &= due.tell(&senders, clock).await?;
    match args.format {
        TextFormat::Text => print::out(page(&settings, &done, args.names))?,
        TextFormat::Json => print::out(done.last.report.to_json())?,
    }
    Ok(Exit::of_run(done.last.worst, args.fail_on.severity(), done.last.is_complete))
}

/// Opens the database, and makes its folder where there is none.
fn open(settings: &Settings) -> anyhow::Result<Store> {
    if let Some(folder) = settings.database.parent().filter(|it| !it.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|source| OutputError::File { path: folder.to_owned(), source })?;
    }
    Ok(Store::open(&settings.database)?)
}

/// What is due.
struct Due<'d> {
    settings: &'d Settings,
    profiles: Arc<Profiles>,
    store: &'d Store,
}

/// What was done.
struct Done {
    /// One line for each run that was committed.
    lines: Vec<String>,
    /// The last run, of today or of before.
    last: Last,
    /// Where its page is.
    page: PathBuf,
}

/// The last run, as its report has it.
struct Last {
    report: Report,
    worst: Option<Severity>,
    is_complete: bool,
}

impl Due<'_> {
    async fn work_off(&self, clock: &dyn Clock) -> anyhow::Result<Done> {
        let mut lines = Vec::new();
        if self.settings.nights.is_none() {
            lines.push(self.one(None, clock).await?);
        }
        for night in self.nights().await? {
            let at = At(night.at);
            lines.push(self.one(Some(&night), &at).await?);
        }
        let last = self.last().await?;
        // A run that ended between its commit and its pages left none behind.
        let latest = self.settings.reports.join("latest.html");
        if !latest.exists() || !self.settings.reports.join(name(&last.report) + ".json").exists() {
            write_pages(&self.settings.reports, &last.report)?;
        }
        let page = latest;
        Ok(Done { lines, last, page })
    }

    /// Sends what there is to tell, also what an earlier run left behind. What a channel does not
    /// take is sent again while that can be waited for; the next run tries the rest. Returns true
    /// when nothing is left that was due.
    async fn tell(&self, senders: &[Sender], clock: &dyn Clock) -> anyhow::Result<bool> {
        /// Long enough for the first tries of every channel.
        const PATIENCE: TimeDelta = TimeDelta::seconds(90);
        if senders.is_empty() {
            return Ok(true);
        }
        let plan = self.settings.plan(None, Arc::clone(&self.profiles));
        // Dated nights stand beside no live system, and nobody can be asked again.
        let plan =
            plan.or_else(|_| self.settings.plan_of_the_past(None, Arc::clone(&self.profiles)))?;
        let until = clock.now() + PATIENCE;
        let mut is_told = true;
        loop {
            let told = engine::deliver(self.store, &plan, senders, clock).await?;
            is_told &= told.n_given_up == 0;
            match told.next_due_at {
                Some(due_at) if told.n_later > 0 && due_at <= until => {
                    let wait = (due_at - clock.now()).to_std().unwrap_or_default();
                    tokio::time::sleep(wait).await;
                }
                _ => {
                    is_told &= told.n_later == 0;
                    break;
                }
            }
        }
        if !is_told {
            print::err("error: a channel did not take a notice: see `driftline alert list`");
        }
        Ok(is_told)
    }

    /// Nights that are not judged yet, and the last one again if a list of it could not be read.
    async fn nights(&self) -> anyhow::Result<Vec<Night>> {
        let last = self.store.latest_run().await?;
        let mut nights = self.settings.nights()?;
        if let Some(last) = last {
            let again =
                nights.iter().any(|it| it.at == last.now) && !self.last().await?.is_complete;
            nights.retain(|it| it.at > last.now || (again && it.at == last.now));
        } else if nights.is_empty()
            && let Some(nights) = &self.settings.nights
        {
            anyhow::bail!(crate::exit::UsageError(format!(
                "`{}` holds no folder that is named by a date: put the exports of a night into one, as `2026-11-20`",
                nights.shown_as
            )));
        }
        Ok(nights)
    }

    async fn one(&self, night: Option<&Night>, clock: &dyn Clock) -> anyhow::Result<String> {
        let plan = self.settings.plan(night, Arc::clone(&self.profiles))?;
        let outcome = engine::run(self.store, &plan, clock).await?;
        let when = night.map_or_else(String::new, |it| format!(" of the night {}", it.date));
        write_pages(&self.settings.reports, &outcome.report)?;
        for failure in &outcome.failures {
            print::err(&format!("error: {failure}"));
        }
        let counts = outcome.record.findings.iter().filter(|it| it.finding.is_live()).count();
        let whole =
            if outcome.report.is_complete() { "" } else { ", not every list was seen whole" };
        Ok(format!("Run {}{when}: {counts} findings{whole}", outcome.record.id))
    }

    async fn last(&self) -> anyhow::Result<Last> {
        let last = self.store.latest_run().await?;
        let run = last.context("no run was committed")?.id;
        let report = Report::parse(&super::report::document(self.store, run).await?)?;
        Ok(Last { worst: worst(&report), is_complete: report.is_complete(), report })
    }
}

/// The gravest finding that lives.
pub(crate) fn worst(report: &Report) -> Option<Severity> {
    let live = report::Filter::live();
    let severities = live.select(report).into_iter().map(|it| it.severity);
    severities.filter_map(|it| Severity::parse(it.name())).max()
}

/// The name of a run's pages, as `2026-11-20-run-2`.
fn name(report: &Report) -> String {
    format!("{}-run-{}", report.now.0.format("%Y-%m-%d"), report.run)
}

/// Writes a run's pages into the folder of reports: under the run's name, and as the latest.
fn write_pages(folder: &Path, report: &Report) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|source| OutputError::File { path: folder.to_owned(), source })?;
    let name = name(report);
    let page = html(report, &HtmlOptions::default())?;
    let json = report.to_json();
    for (file, bytes) in [
        (format!("{name}.html"), page.as_bytes()),
        (format!("{name}.json"), &*json),
        ("latest.html".to_owned(), page.as_bytes()),
    ] {
        print::file(&folder.join(file), bytes)?;
    }
    Ok(())
}

/// What the operator reads.
fn page(settings: &Settings, done: &Done, names: bool) -> String {
    let mut page = String::new();
    if done.lines.is_empty() {
        let at = done.last.report.now;
        page.push_str(&format!("Nothing new: every night up to {at} is judged. Its report:\n"));
    }
    for line in &done.lines {
        page.push_str(line);
        page.push('\n');
    }
    page.push('\n');
    page.push_str(&text(&done.last.report, print::style(names)));
    let (database, report) = (tidy(&settings.database), tidy(&done.page));
    let (database, report) = (database.display(), report.display());
    page.push_str(&format!(
        "\nKept in `{database}`.\nThe report is `{report}`: open it in a browser.\n"
    ));
    page
}

/// A path as a person would write it: `config/../target` is `target`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        let is_folder =
            tidy.components().next_back().is_some_and(|it| matches!(it, Component::Normal(_)));
        if part == Component::ParentDir && is_folder {
            tidy.pop();
        } else {
            tidy.push(part);
        }
    }
    tidy
}
