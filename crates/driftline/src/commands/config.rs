//! `config`: what the settings mean, what could be better, and their JSON Schema.

use std::fmt::Write as _;
use std::path::Path;

use domain::AnchorName;
use domain::SlaLimit;

use crate::cli::ConfigCommand;
use crate::exit::Exit;
use crate::settings::{self, Settings};
use crate::{print, profiles, when};

/// Does what was asked.
///
/// # Errors
///
/// Fails when the settings cannot be used, or stdout cannot be written.
pub(crate) fn config(path: &Path, command: &ConfigCommand) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Check => check(path),
        ConfigCommand::Schema => {
            print::out(settings::SCHEMA)?;
            Ok(Exit::Fine)
        }
    }
}

fn check(path: &Path) -> anyhow::Result<Exit> {
    let settings = settings::read(path)?;
    let nights = settings.nights()?;
    settings.fingerprint_key()?;
    settings.service.heartbeat()?;
    settings.senders()?;
    settings.anchors()?;
    settings.ledger_keys()?;
    settings.evidence_key()?;
    settings.controls()?;
    for live in &settings.live {
        live.prober()?;
    }
    let profiles = profiles::load(settings.profiles.as_deref())?;
    let mut text = summary(&settings, nights.len())?;
    for advice in settings::advice(&settings, &profiles) {
        text.push_str(&format!("warning: {advice}\n"));
    }
    print::out(text)?;
    Ok(Exit::Fine)
}

/// What the settings mean, in a few lines.
fn summary(settings: &Settings, n_nights: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "{}: fine", settings.path.display())?;
    writeln!(text, "  database  {}", settings.database.display())?;
    writeln!(text, "  reports   {}", settings.reports.display())?;
    if let Some(profiles) = &settings.profiles {
        writeln!(text, "  profiles  {}", profiles.display())?;
    }
    if let Some(nights) = &settings.nights {
        let (folder, time) = (&nights.shown_as, nights.time.format("%H:%M:%S"));
        writeln!(text, "  nights    {n_nights} in `{folder}`, judged at {time} {}", nights.offset)?;
    }
    if let Some(schedule) = &settings.service.schedule {
        writeln!(text, "  schedule  {schedule}")?;
    }
    if let Some(address) = settings.service.listen {
        writeln!(text, "  web       {address}")?;
    }
    let policy = &settings.policy;
    let max_age = when::written(policy.max_age);
    let sla = match &policy.sla {
        SlaLimit::Span(span) => when::written(*span),
        limit @ SlaLimit::BusinessDays(_) => policy.calendar.describe(limit),
    };
    writeln!(
        text,
        "  policy    version {}, SLA {sla} from {}, lists count for {max_age}, zone {}",
        policy.version, policy.sla_clock, policy.zone
    )?;
    for app in &settings.apps {
        let idps: Vec<&str> = app.rules.idps.iter().map(domain::SystemId::as_str).collect();
        let idps = if idps.is_empty() { "nobody".to_owned() } else { idps.join(" and ") };
        writeln!(text, "  judged    `{}` against {idps}", app.rules.app)?;
    }
    for source in settings.sources(None).into_iter().filter(|it| !it.files.is_empty()) {
        let files: Vec<&str> = source.files.iter().map(|file| file.shown_as.as_str()).collect();
        writeln!(text, "  {:<8}  `{}`: {}", source.kind, source.system, files.join(", "))?;
    }
    for live in &settings.live {
        let (kind, url) = (live.kind(), &live.url);
        writeln!(text, "  {kind:<8}  `{}`: {} at {url}", live.system, live.protocol())?;
    }
    for channel in &settings.channels {
        writeln!(text, "  alert     `{}`: {}", channel.name, channel.protocol())?;
    }
    for anchor in &settings.anchors {
        let AnchorName { name, kind } = anchor.named();
        writeln!(text, "  anchor    `{name}`: {kind}")?;
    }
    Ok(text)
}
