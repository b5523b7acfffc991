//! `report`: the report of a run, written again from the document that was kept with it.

use std::io::IsTerminal as _;
use std::path::Path;

use ::report::v1::Report;
use ::report::{HtmlOptions, Style, csv, html, text, xlsx};
use chrono::NaiveDate;
use chrono_tz::Tz;
use domain::{Pass, RunId};
use store::{RunLine, Store};

use crate::cli::{DocumentFormat, ReportArgs};
use crate::commands::erase;
use crate::exit::{Exit, UsageError};
use crate::{print, settings};

/// Writes the report of the run that was asked for.
///
/// # Errors
///
/// Fails when there is no such run, the database cannot be read, or the output not be written.
pub(crate) async fn report(config: &Path, args: &ReportArgs) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let is_workbook = args.format == DocumentFormat::Xlsx;
    if is_workbook && args.output.is_none() && std::io::stdout().is_terminal() {
        let what = "a workbook is not for the terminal: name a file with `--output`";
        return Err(UsageError(what.to_owned()).into());
    }
    let store = Store::open_existing_read_only(&settings.database)?;
    let zone = settings.policy.zone;
    let mark = erase::mark(&store, choose(&store.runs().await?, args, zone)?).await?;
    if !mark.is_empty() {
        print::err(&mark);
    }
    print::to(args.output.as_deref(), &written(&store, zone, args).await?)?;
    Ok(Exit::Fine)
}

/// The report as it is written.
async fn written(store: &Store, zone: Tz, args: &ReportArgs) -> anyhow::Result<Vec<u8>> {
    let run = choose(&store.runs().await?, args, zone)?;
    let json = document(store, run).await?;
    let colour = args.output.is_none() && print::is_coloured();
    render(&json, args.format, Style { colour, ..print::style(args.names) })
}

/// Renders a stored document. JSON is handed out as it was kept, byte for byte.
fn render(json: &[u8], format: DocumentFormat, style: Style) -> anyhow::Result<Vec<u8>> {
    if format == DocumentFormat::Json {
        return Ok(json.to_vec());
    }
    let report = Report::parse(json)?;
    Ok(match format {
        DocumentFormat::Html => html(&report, &HtmlOptions::default())?.into_bytes(),
        DocumentFormat::Text => text(&report, style).into_bytes(),
        DocumentFormat::Csv => csv(&report),
        DocumentFormat::Xlsx => xlsx(&report)?,
        DocumentFormat::Json => json.to_vec(),
    })
}

/// The run that is meant: by number, or among the full runs by date, else the last.
fn choose(runs: &[RunLine], args: &ReportArgs, zone: Tz) -> Result<RunId, UsageError> {
    let Some(last) = runs.last() else {
        return Err(UsageError(
            "no run is kept yet: do one with `driftline run --once`".to_owned(),
        ));
    };
    // What a light pass changed is told by the full run after it.
    let full: Vec<&RunLine> = runs.iter().filter(|it| it.pass == Pass::Full).collect();
    match (args.run, args.night) {
        (Some(number), _) => {
            let found = runs.iter().find(|run| run.id.0 == number);
            found.map(|run| run.id).ok_or_else(|| {
                UsageError(format!("there is no run {number}: the last one is {}", last.id))
            })
        }
        (None, Some(night)) => on_night(&full, night, zone).ok_or_else(|| {
            let last = full.last().unwrap_or(&last).now.with_timezone(&zone).date_naive();
            UsageError(format!("no run was judged on {night} ({zone}): the last one was on {last}"))
        }),
        (None, None) => Ok(full.last().unwrap_or(&last).id),
    }
}

/// The last run judged on a date.
fn on_night(runs: &[&RunLine], night: NaiveDate, zone: Tz) -> Option<RunId> {
    let is_on = |run: &&&RunLine| run.now.with_timezone(&zone).date_naive() == night;
    runs.iter().rev().find(is_on).map(|run| run.id)
}

/// The document of a run that is there.
pub(crate) async fn document(store: &Store, run: RunId) -> anyhow::Result<Vec<u8>> {
    let json = store.report(run).await?;
    // Every run is kept with its document, in one transaction.
    json.ok_or_else(|| anyhow::anyhow!("run {run} has no report, though it was committed"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    #[tokio::test]
    async fn the_report_of_a_past_night_comes_out_again_in_every_format() {
        let company = crate::commands::sample::Company::after_its_nights().await;
        let store = Store::open_existing_read_only(&company.settings.database).unwrap();
        let night = company.settings.nights().unwrap().first().map(|night| night.date);
        #[rustfmt::skip]
        let table: [(DocumentFormat, &[u8]); 5] = [
            ( DocumentFormat::Html, b"<!doctype html>"  ),
            ( DocumentFormat::Text, b"Drift report, run 1, 2026-11-19" ),
            ( DocumentFormat::Csv,  b"\xef\xbb\xbfrun,id" ),
            ( DocumentFormat::Xlsx, b"PK"               ),
            ( DocumentFormat::Json, b"{\n  \"format\": \"driftline.report.v1\"" ),
        ];
        for (format, begin) in table {
            let output = Some("a file".into());
            let args = ReportArgs { night, run: None, format, output, names: false };
            let once = written(&store, company.settings.policy.zone, &args).await.unwrap();
            let again = written(&store, company.settings.policy.zone, &args).await.unwrap();
            let head = once.get(..begin.len()).unwrap();
            assert!(
                head.eq_ignore_ascii_case(begin),
                "{format:?}: {}",
                String::from_utf8_lossy(head)
            );
            assert!(once == again, "{format:?} differs from itself");
        }
    }

    fn run(id: i64, now: &str) -> RunLine {
        let now: DateTime<Utc> = now.parse().unwrap();
        RunLine { id: RunId(id), pass: Pass::Full, now, n_open: 0, n_pending: 0, n_critical: 0 }
    }

    #[test]
    fn a_run_is_chosen_by_number_by_date_or_as_the_last() {
        let runs = [
            run(1, "2026-11-19T02:00:00Z"),
            run(2, "2026-11-20T02:00:00Z"),
            run(3, "2026-11-20T23:30:00Z"),
        ];
        let berlin = chrono_tz::Europe::Berlin;
        let args = |night: &str, run| ReportArgs {
            night: night.parse().ok(),
            run,
            format: DocumentFormat::Html,
            output: None,
            names: false,
        };
        #[rustfmt::skip]
        let table = [
            // night       | run     | zone    | chosen
            ( "",            None,     berlin,   Ok(3) ),
            ( "2026-11-19",  None,     berlin,   Ok(1) ),
            ( "2026-11-20",  None,     berlin,   Ok(2) ),
            ( "2026-11-20",  None,     Tz::UTC,  Ok(3) ),
            ( "2026-11-21",  None,     berlin,   Ok(3) ),
            ( "",            Some(2),  berlin,   Ok(2) ),
            ( "",            Some(9),  berlin,   Err("there is no run 9: the last one is 3") ),
            ( "2026-11-18",  None,     Tz::UTC,  Err("no run was judged on 2026-11-18 (UTC): the last one was on 2026-11-20") ),
        ];
        for (night, number, zone, expected) in table {
            let chosen = choose(&runs, &args(night, number), zone);
            let chosen = chosen.map(|run| run.0).map_err(|error| error.to_string());
            assert_eq!(chosen, expected.map_err(str::to_owned), "{night} {number:?} {zone}");
        }
        let error = choose(&[], &args("", None), berlin).unwrap_err();
        assert_eq!(error.to_string(), "no run is kept yet: do one with `driftline run --once`");
    }
}
