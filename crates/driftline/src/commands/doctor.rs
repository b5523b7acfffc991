//! `doctor`: tries every credential and permission, and says what to do about what does not work.

use std::path::Path;

use connectors::live::{Check, CheckResult};
use domain::{
    Channel, Clock, DeprovisionRecord, DeprovisionSeen, DeprovisionTally, Deprovisioned, SystemId,
    counted,
};
use engine::{Source, deprovision_of};
use serde::Serialize;
use store::Store;

use crate::cli::{DoctorArgs, TextFormat};
use crate::exit::Exit;
use crate::settings::{self, Live, SettingsError};
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
    let seen = seen(&settings).await?;
    let mut examined = Vec::new();
    for live in &settings.live {
        let source = match live.connect(&profiles) {
            Ok(source) => source,
            Err(error) => {
                examined.push(Examined { live, checks: vec![not_set_up(error)] });
                continue;
            }
        };
        let deprovision = deprovision(&settings, &seen, live, &source);
        let mut checks = match source {
            Source::Okta(okta) => okta.doctor(clock).await,
            Source::Entra(entra) => entra.doctor(clock).await,
            Source::OneLogin(onelogin) => onelogin.doctor(clock).await,
            Source::Scim(scim) => scim.doctor(clock).await,
            Source::Secureframe(secureframe) => secureframe.doctor().await,
            Source::Files(_) | Source::NotSetUp { .. } | Source::Past { .. } => Vec::new(),
        };
        checks.extend(deprovision);
        checks.extend(prober(live));
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

/// That nothing could be asked for, and why.
fn not_set_up(error: SettingsError) -> Check {
    Check {
        name: "it can be asked",
        result: CheckResult::Failed,
        seen: format!("{:#}.", anyhow::Error::from(error)),
        next: Some(
            "Correct that: until then its lists fail in every run, and grow old.".to_owned(),
        ),
    }
}

/// What apps were seen to do with accounts that are switched off; nothing before the first run.
async fn seen(settings: &settings::Settings) -> anyhow::Result<Vec<DeprovisionSeen>> {
    if !settings.database.exists() {
        return Ok(Vec::new());
    }
    Ok(Store::open_existing_read_only(&settings.database)?.deprovisions().await?)
}

/// What to do while nobody knows what becomes of an account; where only SCIM shows it, a probe can.
const UNSEEN: &str =
    "It is seen when a leaver's account is switched off. Then set `deprovision` of the app.";
const UNSEEN_OVER_SCIM: &str = "It is seen when a leaver's account is switched off, or by `driftline \
                                probe deprovision`. Then set `deprovision` of the app.";

/// Whether a probe would have its token; `None`: the settings allow none.
fn prober(live: &Live) -> Option<Check> {
    let name = "a probe has its token";
    match live.prober() {
        Ok(None) => None,
        Ok(Some(_)) => Some(Check {
            name,
            result: CheckResult::Fine,
            seen: "It is there; nothing was sent with it.".to_owned(),
            next: None,
        }),
        Err(error) => Some(Check {
            name,
            result: CheckResult::Failed,
            seen: format!("{:#}.", anyhow::Error::from(error)),
            next: Some("Correct that, or take the table `probe` out of the settings.".to_owned()),
        }),
    }
}

/// What is set of one view of an app, beside what was seen there; `None`: it is no view of an app.
fn deprovision(
    settings: &settings::Settings,
    seen: &[DeprovisionSeen],
    live: &Live,
    source: &Source,
) -> Option<Check> {
    let name = "deprovision behaviour";
    let channel = source.channel()?;
    let rules = settings.apps.iter().map(|it| &it.rules).find(|it| it.app == *source.system())?;
    let known = deprovision_of(rules, seen);
    let mine: Vec<&DeprovisionTally> =
        known.seen.iter().filter(|it| it.channel == channel).collect();
    let tally = |it: &&DeprovisionTally| {
        let what = match it.behaviour {
            Deprovisioned::Lists => "stayed in the list, inactive",
            Deprovisioned::Hides => "left the list, and by id was there, inactive",
            Deprovisioned::Deletes => {
                "left the list, and by id was gone (deleted, or forgotten by what answers)"
            }
        };
        format!("{} {what}, last on {}", counted(it.n_accounts, "account"), it.last_at.date_naive())
    };
    let by = if known.is_on_vendors_word { "its vendor documents" } else { "the settings say" };
    let told: Vec<String> = mine.iter().map(tally).collect();
    let told = told.join("; ");
    if live.never_shows_removal() {
        return Some(never_shown(name, &known, &told));
    }
    let unseen = match channel {
        Channel::Scim => UNSEEN_OVER_SCIM,
        _ => UNSEEN,
    };
    let (result, seen, next) = match (known.set, known.seen_in(channel), mine.is_empty()) {
        (Some(set), Some(one), _) if set == one => {
            (CheckResult::Fine, format!("As {by}, `{set}`: {told}."), None)
        }
        (Some(set), None, true) if known.is_on_vendors_word => (
            CheckResult::Warning,
            format!("By its vendor `{set}`; neither set nor seen yet: evidence is provisional."),
            Some(unseen.to_owned()),
        ),
        (Some(set), None, true) => (CheckResult::Fine, format!("By the settings `{set}`; not seen yet."), None),
        (None, None, true) => (
            CheckResult::Warning,
            "Neither set nor seen yet: evidence is provisional.".to_owned(),
            Some(unseen.to_owned()),
        ),
        (None, Some(one), _) => (
            CheckResult::Warning,
            format!("Seen, and not set: {told}."),
            Some(format!("Set `deprovision = \"{one}\"` for the app, if it is always so: until then, who is gone from its list is not shown to be off.")),
        ),
        (Some(set), _, _) => (
            CheckResult::Warning,
            format!("As {by}, it is `{set}`, and other was seen: {told}. Evidence is provisional."),
            Some("Find out who switched these accounts off, and how; correct `deprovision` of the app.".to_owned()),
        ),
        (None, None, false) => (
            CheckResult::Warning,
            format!("Mixed: {told}. Evidence is provisional."),
            Some("Find out who switched these accounts off, and how. Until `deprovision` is set, who is gone from its list is not shown to be off.".to_owned()),
        ),
    };
    Some(Check { name, result, seen, next })
}

/// Of an app whose profile says that absence never shows removal. `told`: what was seen all the same.
fn never_shown(name: &'static str, known: &DeprovisionRecord, told: &str) -> Check {
    let never = "by the app's profile, who is gone from its list may have access all the same";
    let (seen, next) = match known.set {
        Some(set) => (
            format!("The settings say `{set}`, and {never}: a leaver would be missed."),
            "Take `deprovision` out of the settings of the app.",
        ),
        None => (
            format!("Never shown by absence: {never}. Evidence is provisional."),
            "Leave `deprovision` unset, and look in the app itself at who is gone from its list.",
        ),
    };
    let seen = if told.is_empty() { seen } else { format!("{seen} Seen: {told}.") };
    Check { name, result: CheckResult::Warning, seen, next: Some(next.to_owned()) }
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
