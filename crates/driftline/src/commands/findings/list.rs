//! `findings list` and `findings show`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ::report::v1::{self, Report};
use ::report::{Filter, finding_text, findings_csv, findings_json, findings_text};
use domain::{Finding, FindingEvent, FindingId, Pass, RunId};
use store::{RunLine, Store};

use crate::cli::{FilterArgs, ListArgs, ListFormat};
use crate::commands::report::document;
use crate::exit::UsageError;
use crate::{print, when};

/// The findings of the last run; with `--all`, also those that ended in earlier runs.
pub(super) async fn list(store: &Store, args: &ListArgs) -> anyhow::Result<Vec<u8>> {
    let mut report = last(store).await?;
    if args.filter.all {
        add_ended(store, &mut report).await?;
    }
    add_words(store, &mut report).await?;
    let filter = filter(&args.filter);
    Ok(match args.format {
        ListFormat::Text => {
            let style = print::style(args.names);
            findings_text(&report, &filter, style).into_bytes()
        }
        ListFormat::Json => findings_json(&report, &filter),
        ListFormat::Csv => findings_csv(&report, &filter),
    })
}

/// One finding, as the newest run that knew it tells it.
pub(super) async fn show(store: &Store, id: FindingId, names: bool) -> anyhow::Result<String> {
    let runs = store.runs().await?;
    // What a light pass knew, the next full run tells.
    let telling = runs.iter().rev().enumerate();
    for (_, run) in telling.filter(|(at, it)| *at == 0 || it.pass == Pass::Full) {
        let mut report = read(store, run.id).await?;
        add_words(store, &mut report).await?;
        if let Some(text) = finding_text(&report, id, print::style(names)) {
            return Ok(text + &history(store, id, &report).await?);
        }
    }
    Err(UsageError(format!("there is no finding {id}: `driftline findings list --all` has them"))
        .into())
}

/// What the arguments mean: those that live, unless states or all are asked for.
fn filter(args: &FilterArgs) -> Filter {
    let chosen = Filter {
        app: args.app.clone(),
        at_least: args.severity.map(v1::Severity::from),
        states: args.state.iter().copied().map(v1::FindingState::from).collect(),
        causes: args.cause.iter().copied().map(v1::Cause::from).collect(),
    };
    if args.all || !args.state.is_empty() {
        chosen
    } else {
        Filter { states: Filter::live().states, ..chosen }
    }
}

/// What people said of findings since the run: where they stand now.
async fn add_words(store: &Store, report: &mut Report) -> anyhow::Result<()> {
    let stored = store.findings().await?;
    let stored: BTreeMap<String, &Finding> =
        stored.iter().map(|it| (it.id.to_string(), it)).collect();
    for finding in &mut report.findings {
        let Some(now) = stored.get(&finding.id) else { continue };
        finding.state = now.state.into();
        finding.state_until = now.state_until.map(v1::Time);
    }
    Ok(())
}

/// What happened to a finding, oldest first, and who said what of it.
async fn history(store: &Store, id: FindingId, report: &Report) -> anyhow::Result<String> {
    let zone = report.zone.parse().unwrap_or(chrono_tz::Tz::UTC);
    let mut text = String::from("\nWhat happened\n");
    for it in store.finding_events(id).await? {
        let at = when::shown(it.at, zone);
        let FindingEvent { change, severity, state, because, .. } = &it;
        writeln!(text, "  {at}  {change}, {severity}, now {state}")?;
        writeln!(text, "    {because}")?;
    }
    Ok(text)
}

/// The report of the last run.
pub(crate) async fn last(store: &Store) -> anyhow::Result<Report> {
    let Some(run) = store.latest_run().await? else {
        let what = "no run is kept yet: do one with `driftline run --once`";
        return Err(UsageError(what.to_owned()).into());
    };
    read(store, run.id).await
}

async fn read(store: &Store, run: RunId) -> anyhow::Result<Report> {
    Ok(Report::parse(&document(store, run).await?)?)
}

/// Adds the findings that ended before this run, each as the newest run that knew it tells it.
async fn add_ended(store: &Store, report: &mut Report) -> anyhow::Result<()> {
    let mut known: BTreeSet<String> = report.findings.iter().map(|it| it.id.clone()).collect();
    let runs = store.runs().await?;
    let is_earlier = |it: &&RunLine| it.pass == Pass::Full && it.id.0 < report.run;
    for run in runs.iter().rev().filter(is_earlier) {
        let earlier = read(store, run.id).await?;
        let ended = earlier.findings.into_iter().filter(|it| known.insert(it.id.clone()));
        report.findings.extend(ended);
    }
    Ok(())
}
