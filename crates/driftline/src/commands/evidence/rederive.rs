//! `evidence rederive`: judges past runs again, and says whether they came out as they are stored.

use std::fmt::Write as _;
use std::sync::Arc;

use connectors::files::Profiles;
use data_encoding::HEXLOWER;
use domain::RunId;
use engine::Rederived;
use store::{Difference, PastRun, Store, StoreError};

use crate::cli::RederiveArgs;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings, SettingsError};

/// Differences that are listed of what the ledger tells of one run, of its conclusions, and of its
/// report; the others are counted.
const SHOWN_MAX: usize = 100;

/// Judges each run again.
///
/// # Errors
///
/// Fails when there is no run of a number, or the database cannot be read.
pub(super) async fn rederive(
    settings: &Settings,
    args: &RederiveArgs,
) -> anyhow::Result<(String, Exit)> {
    let store = Store::open_existing_read_only(&settings.database)?;
    let (mut text, mut worst) = (String::new(), Exit::Fine);
    for run in &args.runs {
        let (said, exit) = one(settings, &store, RunId(*run)).await?;
        text.push_str(&said);
        worst = match (worst, exit) {
            (Exit::Broken, _) | (_, Exit::Broken) => Exit::Broken,
            (Exit::Fine, exit) => exit,
            (worst, _) => worst,
        };
    }
    Ok((text, worst))
}

async fn one(settings: &Settings, store: &Store, run: RunId) -> anyhow::Result<(String, Exit)> {
    let found = match store.past_run(run).await {
        Ok(found) => found,
        Err(error) => return unreadable(run, error),
    };
    let Some(past) = found else {
        let last = store.latest_run().await?;
        let last =
            last.map_or("there is none yet".to_owned(), |it| format!("the last is {}", it.id));
        return Err(UsageError(format!("there is no run {run}: {last}")).into());
    };
    let told = match store.told_otherwise(run).await {
        Ok(told) => told,
        Err(error) => return unreadable(run, error),
    };
    let cannot = |why: &str| {
        if told.is_empty() {
            (format!("run {run}  cannot be judged again: {why}\n"), Exit::Unchecked)
        } else {
            (differs(run, &[&told]), Exit::Broken)
        }
    };
    let plan = of_then(settings, &past).and_then(|then| {
        let plan = Profiles::builtin().map(|it| then.plan_to_judge_again(Arc::new(it)));
        plan.map_err(|it| it.to_string())?.map_err(|it| unusable(&it))
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(why) => return Ok(cannot(&why)),
    };
    Ok(match engine::rederive(store, &past, &plan).await {
        Ok(Rederived::Same { n_findings, report_sha256 }) if told.is_empty() => {
            let hex = HEXLOWER.encode(&report_sha256);
            let text = format!(
                "run {run}  the same: judged again, {n_findings} findings and the report came out \
                 byte for byte, SHA-256 {hex}\n"
            );
            (text, Exit::Fine)
        }
        Ok(Rederived::Same { .. }) => (differs(run, &[&told]), Exit::Broken),
        Ok(Rederived::Differs { conclusions, report }) => {
            let conclusions: Vec<String> = conclusions.iter().map(in_words).collect();
            let report: Vec<String> = report.iter().map(|it| format!("report: {it}")).collect();
            (differs(run, &[&told, &conclusions, &report]), Exit::Broken)
        }
        Ok(Rederived::NotKept) => cannot(NO_INPUTS),
        Err(error) => return unreadable(run, error),
    })
}

const NO_INPUTS: &str = "what it was given is not kept: a version of driftline made it that did not \
                         keep that, or somebody was erased since";

/// The settings of then, or why the run cannot be judged again.
fn of_then(settings: &Settings, past: &PastRun) -> Result<Settings, String> {
    if past.software != crate::SOFTWARE {
        let what = format!("{} made it, and this is {}", past.software, crate::SOFTWARE);
        return Err(format!("{what}: use that version"));
    }
    if !past.has_inputs {
        return Err(NO_INPUTS.to_owned());
    }
    if past.settings_digest == settings.digest {
        return Ok(settings.clone());
    }
    match &past.settings {
        Some(text) => settings::understand(&settings.path, text).map_err(|it| unusable(&it)),
        None => {
            let why = "its settings are others than those of today, and are not kept as they were";
            Err(why.to_owned())
        }
    }
}

fn unusable(error: &SettingsError) -> String {
    format!("its settings cannot be used: {error}")
}

/// A database that holds what is never written is not what was written.
fn unreadable(run: RunId, error: StoreError) -> anyhow::Result<(String, Exit)> {
    match error {
        StoreError::Corrupt { table, column, key } => {
            let text = format!(
                "run {run}  cannot be judged again, for what it rests on was changed: table \
                 `{table}`, column `{column}`, key {key} holds what driftline never writes\n"
            );
            Ok((text, Exit::Broken))
        }
        error => Err(error.into()),
    }
}

fn in_words(it: &Difference) -> String {
    let Difference { what, field, stored, again } = it;
    let field = if field.is_empty() { String::new() } else { format!(" {field}") };
    let value = |it: &Option<String>| it.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{what}{field}: stored {}, again {}", value(stored), value(again))
}

fn differs(run: RunId, kinds: &[&[String]]) -> String {
    let mut text = format!("run {run}  DIFFERS\n");
    for lines in kinds {
        for line in lines.iter().take(SHOWN_MAX) {
            writeln!(text, "  {line}").ok(); // Text never refuses.
        }
        if let Some(n @ 1..) = lines.len().checked_sub(SHOWN_MAX) {
            writeln!(text, "  and {n} more").ok();
        }
    }
    text
}
