//! `check`: export files in, drift out. The same run as any other, in a database that is dropped.

use std::fmt::Write as _;

use connectors::files::recognise;
use domain::{Clock, Severity};
use engine::{Plan, Source};
use report::{Filter, HtmlOptions, findings_csv, findings_json, html, text};
use store::Store;

use super::run::worst;
use crate::check_plan;
use crate::cli::{CheckArgs, ListFormat};
use crate::exit::Exit;
use crate::{print, profiles};

/// Judges the files that were named.
///
/// # Errors
///
/// Fails when a file cannot be read or recognised, something is said of a file that is not named,
/// or an output cannot be written.
pub(crate) async fn check(args: &CheckArgs, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let profiles = profiles::load(args.profiles.as_deref())?;
    let plan = check_plan::plan(args, profiles)?;
    if args.format == ListFormat::Text {
        print::out(read_as(&plan))?;
    }
    let store = Store::open_in_memory()?;
    let outcome = engine::run(&store, &plan, clock).await?;
    let report = &outcome.report;
    if let Some(path) = &args.html {
        print::file(path, html(report, &HtmlOptions::default())?.as_bytes())?;
    }
    match args.format {
        ListFormat::Text => print::out(text(report, print::style(args.names)))?,
        ListFormat::Json => print::out(findings_json(report, &Filter::live()))?,
        ListFormat::Csv => print::out(findings_csv(report, &Filter::live()))?,
    }
    for failure in &outcome.failures {
        print::err(&format!("error: {failure}"));
    }
    let worst: Option<Severity> = worst(report);
    Ok(Exit::of_run(worst, args.fail_on.severity(), report.is_complete()))
}

/// Which file is read as what: a list of one provider that is taken for another's joins nobody.
fn read_as(plan: &Plan) -> String {
    let mut lines = "READ AS\n".to_owned();
    for source in &plan.sources {
        let Source::Files(config) = source else { continue };
        for file in &config.files {
            let profile = file.profile.clone().or_else(|| {
                recognise(&file.path, config.kind, file.group.is_some(), &plan.profiles).ok()
            });
            let profile = profile.as_deref().unwrap_or("not recognised");
            let path = file.path.display();
            let _ = writeln!(lines, "  {:<10} {profile:<24} {path}", config.system.as_str());
        }
    }
    lines.push('\n');
    lines
}
