//! Which export files each system has, and what the operator says about them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use connectors::files::{Config, FileConfig};
use domain::{SystemId, SystemKind};

use super::SettingsError;
use super::document::Document;
use super::file::{File, SourceFile};
use crate::when;

/// Names one system, or says where the name is and why it cannot be one.
pub(super) fn system_id(
    document: &Document<'_>,
    path: &[&str],
    name: &str,
) -> Result<SystemId, SettingsError> {
    SystemId::parse(name)
        .map_err(|error| document.wrong(path, format_args!("cannot be used: {error}")))
}

/// The files of every system, kinds in their order, then by name. Paths are as written.
///
/// # Errors
///
/// Returns the first name or value that cannot be used.
pub(super) fn sources(
    document: &Document<'_>,
    file: File,
    zone: Tz,
) -> Result<Vec<Config>, SettingsError> {
    let mut systems: Vec<(SystemKind, &str, String, Vec<SourceFile>)> = Vec::new();
    for (name, idp) in file.idp {
        systems.push((SystemKind::Idp, "idp", name, idp.file));
    }
    for (name, app) in file.app {
        systems.push((SystemKind::App, "app", name, app.file));
    }
    for (name, hr) in file.hr {
        systems.push((SystemKind::Hr, "hr", name, hr.file));
    }
    for (name, register) in file.register {
        systems.push((SystemKind::Register, "register", name, register.file));
    }

    let mut configs: Vec<Config> = Vec::new();
    for (kind, section, name, files) in systems {
        let system = system_id(document, &[section, &name], &name)?;
        if configs.iter().any(|other| other.system == system) {
            let what = "names a second system of this name: every system needs one of its own";
            return Err(document.wrong(&[section, &name], what));
        }
        let files = files
            .into_iter()
            .enumerate()
            .map(|(index, file)| {
                let at = [section, &name, "file", &index.to_string()].map(str::to_owned);
                file_config(document, &at, kind, file)
            })
            .collect::<Result<Vec<FileConfig>, SettingsError>>()?;
        configs.push(Config { system, kind, files, zone: Some(zone) });
    }
    Ok(configs)
}

/// What is said about one file; `at` is the way to it.
fn file_config(
    document: &Document<'_>,
    at: &[String; 4],
    kind: SystemKind,
    file: SourceFile,
) -> Result<FileConfig, SettingsError> {
    let [section, name, list, index] = at;
    let wrong = |key: &str, what: &str| document.wrong(&[section, name, list, index, key], what);

    if file.path.is_empty() {
        return Err(wrong("path", "is empty: name a file or a folder of page files"));
    }
    if file.group.is_some() && kind != SystemKind::Idp {
        return Err(wrong("group", "belongs to the files of an identity provider: take it out"));
    }
    if file.channel.is_some() && kind != SystemKind::App {
        return Err(wrong("channel", "belongs to the files of an app: take it out"));
    }
    if !file.statuses.is_empty() && kind != SystemKind::Idp {
        return Err(wrong("statuses", "belongs to the files of an identity provider: take it out"));
    }
    let as_of = file.as_of.map(|text| instant(&wrong, &text)).transpose()?;
    let zone =
        file.zone.map(|text| self::zone(&text).map_err(|what| wrong("zone", &what))).transpose()?;
    let statuses: BTreeMap<String, domain::Lifecycle> =
        file.statuses.into_iter().map(|(raw, word)| (raw, word.meant())).collect();
    Ok(FileConfig {
        shown_as: file.path.clone(),
        path: PathBuf::from(file.path),
        profile: file.profile,
        as_of,
        zone,
        rows: file.rows,
        whole: file.whole,
        group: file.group,
        channel: file.channel.map(super::words::Channel::meant),
        statuses,
        on_your_word: false,
    })
}

fn instant(
    wrong: &impl Fn(&str, &str) -> SettingsError,
    text: &str,
) -> Result<DateTime<Utc>, SettingsError> {
    when::instant(text).ok_or_else(|| {
        wrong("as_of", "is no instant: write date, time and zone, as \"2026-11-20T02:00:00Z\"")
    })
}

/// Reads the name of a zone, or says what one looks like.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| "is no zone: write its IANA name, as \"Europe/Berlin\" or \"UTC\"".to_owned())
}
