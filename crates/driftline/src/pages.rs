//! The folder of reports: the pages of each run, the newest one as `latest.html`, and an index of
//! past nights. Pages that are old are taken out, and nothing else in the folder is touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::report::v1::{HistoryPoint, Report, Time};
use ::report::{HtmlOptions, Night, html, index_html};
use chrono::{DateTime, Utc};
use domain::{Pass, RunId};
use store::{RunLine, Store};

use crate::commands::report;
use crate::print::{self, OutputError};
use crate::settings::Settings;

/// The page of the last run.
pub(crate) const LATEST: &str = "latest.html";

/// The page that lists the others.
const INDEX: &str = "index.html";

/// The files of one run.
const ENDINGS: [&str; 2] = ["html", "json"];

/// Writes the pages of a run, and the index anew.
///
/// # Errors
///
/// Fails when a page cannot be made or written, or the list of runs not be read.
pub(crate) async fn write(
    settings: &Settings,
    store: &Store,
    report: &Report,
) -> anyhow::Result<()> {
    let folder = &settings.reports;
    std::fs::create_dir_all(folder)
        .map_err(|source| OutputError::File { path: folder.to_owned(), source })?;
    let name = name(report.now.0, report.run);
    let page = html(report, &HtmlOptions::default())?;
    for file in [&format!("{name}.html"), LATEST] {
        print::file(&folder.join(file), page.as_bytes())?;
    }
    let mut runs = store.runs().await?;
    runs.retain(|it| it.pass == Pass::Full); // A light pass has no page.
    if let Some(keep) = settings.reports_keep {
        let old = runs.iter().filter(|it| report.now.0 - it.now > keep);
        old.for_each(|it| take_out(folder, it));
    }
    print::file(&folder.join(INDEX), index(folder, &runs, settings.policy.zone)?.as_bytes())?;
    // The last one, for it says that all are there.
    print::file(&folder.join(format!("{name}.json")), &report.to_json())
}

/// Writes the pages of these runs again from the documents that are kept, as far as they are there.
/// Returns what could not be, and why.
pub(crate) async fn write_again(
    settings: &Settings,
    store: &Store,
    runs: &[RunId],
) -> Vec<(PathBuf, anyhow::Error)> {
    let folder = &settings.reports;
    let mut left = Vec::new();
    let newest = match store.latest_full_run().await {
        Ok(newest) => newest.map(|it| it.id),
        Err(error) => return vec![(folder.clone(), error.into())],
    };
    for run in runs {
        let document = match report::document(store, *run).await {
            Ok(json) => Report::parse(&json).map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        let page = document.and_then(|it| Ok((html(&it, &HtmlOptions::default())?, it)));
        let (page, document) = match page {
            Ok(made) => made,
            Err(error) => {
                left.push((folder.join(format!("run {run}")), error));
                continue;
            }
        };
        let name = name(document.now.0, run.0);
        let json = document.to_json();
        let files = [(format!("{name}.html"), page.as_bytes()), (format!("{name}.json"), &*json)];
        let latest = (LATEST.to_owned(), page.as_bytes());
        let latest = Some(latest).filter(|_| newest == Some(*run));
        for (file, bytes) in files.into_iter().chain(latest) {
            let path = folder.join(file);
            if path.exists()
                && let Err(error) = print::file(&path, bytes)
            {
                left.push((path, error));
            }
        }
    }
    left
}

/// Whether the pages of a run are there.
pub(crate) fn are_there(folder: &Path, run: &RunLine) -> bool {
    let json = folder.join(name(run.now, run.id.0) + ".json");
    folder.join(LATEST).exists() && json.exists()
}

/// The name of a run's pages, as `2026-11-20-run-2`.
fn name(now: DateTime<Utc>, run: i64) -> String {
    format!("{}-run-{run}", now.format("%Y-%m-%d"))
}

/// A page that cannot be taken out is there in the next run, too.
fn take_out(folder: &Path, run: &RunLine) {
    for ending in ENDINGS {
        std::fs::remove_file(folder.join(format!("{}.{ending}", name(run.now, run.id.0)))).ok();
    }
}

fn index(folder: &Path, runs: &[RunLine], zone: chrono_tz::Tz) -> anyhow::Result<String> {
    let listed = std::fs::read_dir(folder)
        .map_err(|source| OutputError::File { path: folder.to_owned(), source })?;
    let files: BTreeSet<String> =
        listed.filter_map(|it| it.ok()?.file_name().into_string().ok()).collect();
    let night = |it: &RunLine| {
        let page = name(it.now, it.id.0) + ".html";
        files.contains(&page).then(|| Night { point: point(it), page })
    };
    let nights: Vec<Night> = runs.iter().rev().filter_map(night).collect();
    let n_without_page = runs.len().saturating_sub(nights.len()) as u64;
    Ok(index_html(&nights, n_without_page, zone)?)
}

const fn point(it: &RunLine) -> HistoryPoint {
    HistoryPoint {
        run: it.id.0,
        now: Time(it.now),
        n_open: it.n_open,
        n_pending: it.n_pending,
        n_critical: it.n_critical,
    }
}
