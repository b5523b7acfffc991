//! `doctor`: tries every credential and permission, and says what to do about what does not work.

use std::path::Path;

use connectors::live::{Check, CheckResult};
use domain::{Clock, SystemId};
use engine::Source;
use serde::Serialize;

use crate::cli::{DoctorArgs, TextFormat};
use crate::exit::Exit;
use crate::settings::{self, Live};
use crate::{print, profiles};

/// What was found of one system.
struct Examined<'s> {
    live: &'s Live,
    checks: Vec<Check>,
}

/// Examines every live system. Sends nothing but GET, and token requests.
///
/// # Errors
///
/// Fails when the settings cannot be used, or stdout cannot be written.
pub(crate) async fn doctor(
    config: &Path,
    args: &DoctorArgs,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let profiles = profiles::load(settings.profiles.as_deref())?;
    let mut examined = Vec::new();
    for live in &settings.live {
        let checks = match live.connect(&profiles)? {
            Source::Okta(okta) => okta.doctor(clock).await,
            Source::Entra(entra) => entra.doctor(clock).await,
            Source::OneLogin(onelogin) => onelogin.doctor(clock).await,
            Source::Scim(scim) => scim.doctor(clock).await,
            Source::Secureframe(secureframe) => secureframe.doctor().await,
            Source::Files(_) | Source::Past { .. } => Vec::new(),
        };
        examined.push(Examined { live, checks });
    }
    let missing: Vec<String> = missing_files(&settings);
    match args.format {
        TextFormat::Text => print::out(text(&examined, &missing))?,
        TextFormat::Json => print::out(json(&examined, &missing)?)?,
    }
    let failed = |it: &Check| it.result == CheckResult::Failed;
    let is_ill = examined.iter().flat_map(|it| &it.checks).any(failed) || !missing.is_empty();
    Ok(if is_ill { Exit::Incomplete } else { Exit::Fine })
}

/// Export files that are not there, a sentence each. Dated nights are not looked at: each has its
/// own.
fn missing_files(settings: &settings::Settings) -> Vec<String> {
    if settings.nights.is_some() {
        return Vec::new();
    }
    let sources = settings.sources(None);
    let files = sources.iter().flat_map(|it| it.files.iter().map(|file| (&it.system, file)));
    files
        .filter(|(_, file)| !file.path.exists())
        .map(|(system, file)| {
            format!("`{system}`: there is no `{}`; correct its path", file.path.display())
        })
        .collect()
}

fn text(examined: &[Examined<'_>], missing: &[String]) -> String {
    let mut page = String::new();
    let colour = print::is_coloured();
    for Examined { live, checks } in examined {
        page.push_str(&format!(
            "{} `{}`, {}, {}\n",
            live.kind(),
            live.system,
            live.protocol(),
            live.url
        ));
        for check in checks {
            page.push_str(&format!(
                "  {}  {}: {}\n",
                mark(check.result, colour),
                check.name,
                check.seen
            ));
            if let Some(next) = check.next.as_ref().filter(|_| check.result != CheckResult::Fine) {
                page.push_str(&format!("           {next}\n"));
            }
        }
        page.push('\n');
    }
    for what in missing {
        page.push_str(&format!("  {}  {what}\n", mark(CheckResult::Failed, colour)));
    }
    if examined.is_empty() {
        page.push_str("No system is read over the network: there is nobody to ask.\n");
    }
    page
}

const fn word(result: CheckResult) -> &'static str {
    match result {
        CheckResult::Fine => "fine",
        CheckResult::Warning => "warning",
        CheckResult::Failed => "failed",
        CheckResult::Skipped => "skipped",
    }
}

fn mark(result: CheckResult, colour: bool) -> String {
    let word = format!("{:<7}", word(result));
    let code = match result {
        CheckResult::Fine => "32",
        CheckResult::Warning => "33",
        CheckResult::Failed => "31",
        CheckResult::Skipped => "2",
    };
    if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word }
}

#[derive(Serialize)]
struct CheckLine<'c> {
    name: &'c str,
    result: &'static str,
    seen: &'c str,
    next: Option<&'c str>,
}

#[derive(Serialize)]
struct SystemLine<'c> {
    system: &'c str,
    kind: &'static str,
    url: String,
    checks: Vec<CheckLine<'c>>,
}

fn json(examined: &[Examined<'_>], missing: &[String]) -> Result<String, serde_json::Error> {
    let systems: Vec<SystemLine<'_>> = examined
        .iter()
        .map(|it| SystemLine {
            system: SystemId::as_str(&it.live.system),
            kind: it.live.kind().name(),
            url: it.live.url.to_string(),
            checks: it
                .checks
                .iter()
                .map(|check| CheckLine {
                    name: check.name,
                    result: word(check.result),
                    seen: &check.seen,
                    next: check.next.as_deref(),
                })
                .collect(),
        })
        .collect();
    let all = serde_json::json!({ "systems": systems, "missing_files": missing });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
