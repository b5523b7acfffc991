//! `run --once`: look, judge, keep and report; with dated nights, every night not judged yet.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use alerting::Sender;
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use connectors::files::Profiles;
use domain::{Clock, FailedRuns, Pass, Severity, Turn};
use engine::{Outcome, Plan};
use report::text;
use report::v1::{self, Report};
use store::Store;

use crate::cli::{RunArgs, TextFormat};
use crate::exit::{Exit, UsageError};
use crate::print::OutputError;
use crate::settings::{self, Night, Settings};
use crate::{pages, print, profiles};

/// Does what is due, and prints the last report.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or a report cannot be written. What
/// was committed before stays.
pub(crate) async fn run(config: &Path, args: &RunArgs, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let pass = if args.light { Pass::Light } else { Pass::Full };
    if args.light && settings.nights.is_some() {
        let what = "`[nights]` are folders of exports, which cannot be asked by id: leave `--light` \
                    out";
        return Err(UsageError(what.to_owned()).into());
    }
    let profiles = profiles::load(settings.profiles.as_deref())?;
    // A channel or an anchor that cannot be set up is known before the run.
    let (senders, anchors) = (settings.senders()?, settings.anchors()?);
    let store = open(&settings)?;
    let due = Due { settings: &settings, profiles, store: &store };
    let mut done = due.work_off(pass, clock).await?;
    done.last.is_complete &= due.tell(&senders, clock).await?;
    for (name, why) in engine::anchor(&store, &anchors, clock).await?.not_made {
        print::err(&format!(
            "error: the anchor `{name}` took no checkpoint, and is tried again with the next run: \
             {why}"
        ));
    }
    match args.format {
        TextFormat::Text => print::out(page(&settings, &done, args.names))?,
        TextFormat::Json => print::out(done.last.report.to_json())?,
    }
    Ok(Exit::of_run(done.last.worst, args.fail_on.severity(), done.last.is_complete))
}

/// Opens the database, and makes its folder where there is none.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Store> {
    if let Some(folder) = settings.database.parent().filter(|it| !it.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|source| OutputError::File { path: folder.to_owned(), source })?;
    }
    Ok(settings.sign(Store::open(&settings.database)?)?)
}

/// What is due.
pub(crate) struct Due<'d> {
    pub(crate) settings: &'d Settings,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) store: &'d Store,
}

/// What was done.
struct Done {
    /// One line for each run that was committed.
    lines: Vec<String>,
    /// The last run, of today or of before.
    last: Last,
    /// Where its page is; `None`: a light pass has none.
    page: Option<PathBuf>,
}

/// The last run, as its report has it.
struct Last {
    report: Report,
    worst: Option<Severity>,
    is_complete: bool,
}

/// The clock of a dated night: it stands still, and knows when the night is judged.
struct OfNight<'c> {
    at: DateTime<Utc>,
    machine: &'c dyn Clock,
}

impl Clock for OfNight<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.at
    }

    fn by_machine(&self) -> DateTime<Utc> {
        self.machine.now()
    }
}

impl Due<'_> {
    async fn work_off(&self, pass: Pass, clock: &dyn Clock) -> anyhow::Result<Done> {
        let mut lines = Vec::new();
        if self.settings.nights.is_none() {
            lines.push(self.one(pass, None, clock).await?);
        }
        for night in self.nights().await? {
            let at = OfNight { at: night.at, machine: clock };
            lines.push(self.one(pass, Some(&night), &at).await?);
        }
        if lines.is_empty() {
            self.store.announce_ledger_key(clock.now()).await?;
        }
        let last = self.last().await?;
        let is_paged = last.report.pass == v1::Pass::Full;
        if is_paged {
            self.write_missing_pages().await?;
        }
        let page = is_paged.then(|| self.settings.reports.join(pages::LATEST));
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
            let now = clock.now();
            // More may be due than one pass sends, and goes on leaving while it is taken.
            let is_due_now = told.next_due_at.is_some_and(|it| it <= now);
            match told.next_due_at {
                Some(due_at)
                    if is_due_now && told.n_delivered > 0
                        || told.n_later > 0 && due_at <= until =>
                {
                    let wait = (due_at - now).to_std().unwrap_or_default();
                    tokio::time::sleep(wait).await;
                }
                _ => {
                    is_told &= told.n_later == 0 && !is_due_now;
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
            anyhow::bail!(UsageError(format!(
                "`{}` holds no folder that is named by a date: put the exports of a night into one, as `2026-11-20`",
                nights.shown_as
            )));
        }
        Ok(nights)
    }

    async fn one(
        &self,
        pass: Pass,
        night: Option<&Night>,
        clock: &dyn Clock,
    ) -> anyhow::Result<String> {
        let began = clock.now();
        let committed = self.commit(pass, night, None, clock).await;
        if let Err(error) = &committed {
            let failed = FailedRuns::one(began, clock.now(), format!("{error:#}"));
            // What kept it from being saved may keep this, too, and the error itself is told.
            self.store.add_failed_runs(failed).await.ok();
        }
        let outcome = committed?;
        if pass == Pass::Full {
            self.write_missing_pages().await?;
        }
        Ok(told(night, &outcome))
    }

    /// Does one run, up to its commit: the one path of `run --once` and of the daemon.
    ///
    /// # Errors
    ///
    /// Fails when the plan cannot be made, or the run not be committed: it is not there then.
    pub(crate) async fn commit(
        &self,
        pass: Pass,
        night: Option<&Night>,
        turn: Option<Turn>,
        clock: &dyn Clock,
    ) -> anyhow::Result<Outcome> {
        let plan = self.settings.plan(night, Arc::clone(&self.profiles))?;
        Ok(engine::run(self.store, &Plan { pass, turn, ..plan }, clock).await?)
    }

    /// Writes the pages of the last full run, unless they are there. One that ended between its
    /// commit and its pages left none behind; a light pass has none.
    ///
    /// # Errors
    ///
    /// Fails when one cannot be made or written. The run stays committed.
    pub(crate) async fn write_missing_pages(&self) -> anyhow::Result<()> {
        let Some(run) = self.store.latest_full_run().await? else { return Ok(()) };
        if pages::are_there(&self.settings.reports, &run) {
            return Ok(());
        }
        let report = Report::parse(&super::report::document(self.store, run.id).await?)?;
        pages::write(self.settings, self.store, &report).await
    }

    async fn last(&self) -> anyhow::Result<Last> {
        let last = self.store.latest_run().await?;
        let run = last.context("no run was committed")?.id;
        let report = Report::parse(&super::report::document(self.store, run).await?)?;
        Ok(Last { worst: worst(&report), is_complete: is_complete(&report), report })
    }
}

/// One line for a run that was committed. What failed is told on stderr.
fn told(night: Option<&Night>, outcome: &Outcome) -> String {
    for failure in &outcome.failures {
        print::err(&format!("error: {failure}"));
    }
    let when = night.map_or_else(String::new, |it| format!(" of the night {}", it.date));
    let counts = outcome.record.findings.iter().filter(|it| it.finding.is_live()).count();
    let whole = match (&outcome.report, outcome.record.pass) {
        (it, _) if is_complete(it) => "",
        (it, _) if it.apps.is_empty() => {
            ", and no app was judged: add an `[app.NAME]` to the settings"
        }
        (_, Pass::Full) => ", not every list was seen whole",
        (_, Pass::Light) => ", not every log was read",
    };
    let light = if outcome.record.pass == Pass::Light { ", a light pass" } else { "" };
    format!("Run {}{light}{when}: {}{whole}", outcome.record.id, domain::counted(counts, "finding"))
}

/// Returns true when an app was judged, and nothing was missing for it.
pub(crate) fn is_complete(report: &Report) -> bool {
    !report.apps.is_empty() && report.is_complete()
}

/// The gravest finding that lives.
pub(crate) fn worst(report: &Report) -> Option<Severity> {
    let live = report::Filter::live();
    let severities = live.select(report).into_iter().map(|it| it.severity);
    severities.filter_map(|it| Severity::parse(it.name())).max()
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
    page.push_str(&format!("\nKept in `{}`.\n", tidy(&settings.database).display()));
    if let Some(report) = done.page.as_deref().map(tidy) {
        let report = report.display();
        page.push_str(&format!("The report is `{report}`: open it in a browser.\n"));
    }
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
