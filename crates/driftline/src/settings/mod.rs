//! Settings: read as [`file::File`] (what is written), used as [`Settings`] (what it means).
//!
//! Every error names file, line, column and key, and what to do. None prints a secret, nor a
//! line that may hold one.

mod advice;
mod alert;
mod anchor;
mod app;
mod controls;
mod document;
mod entra;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod http;
mod live;
mod meant;
mod misfit;
mod onelogin;
mod policy;
mod post;
mod schema;
mod secret;
mod secureframe;
mod service;
mod source;
mod words;

use std::path::{Path, PathBuf};

pub(crate) use advice::advice;
pub(crate) use document::Place;
pub(crate) use live::Live;
pub(crate) use meant::{Night, Printer, Settings};
pub(crate) use schema::SCHEMA;
pub(crate) use secret::{SecretError, SecretRef};
pub(crate) use service::Heartbeat;

/// Longest settings file, in bytes: some thousands of files by name. More is another file.
const LEN_MAX: u64 = 1024 * 1024;

/// What keeps the settings from being used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    #[error(
        "failed to read the settings file `{path}`: name yours with `--config FILE`, or begin \
         with a copy of `config/driftline.example.toml`",
        path = .path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// Something in it is wrong.
    #[error("{place}: {what}")]
    Wrong {
        /// Where.
        place: Place,
        /// The key, what is wrong with it, and what to do.
        what: String,
    },

    /// It is not a settings file at all.
    #[error("`{path}` is not a settings file: {what}", path = .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Why not.
        what: String,
    },

    /// The mapping of controls cannot be read.
    #[error("failed to read the mapping of controls `{path}`: correct `evidence.controls`", path = .path.display())]
    Controls {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The folder of nights cannot be listed.
    #[error(
        "failed to list the folder of nights `{path}`: correct `nights.folder` in `{settings}`",
        path = .path.display(),
        settings = .settings.display()
    )]
    Nights {
        /// The folder.
        path: PathBuf,
        /// The settings file.
        settings: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// What the settings say of a live system cannot be used.
    #[error("`{at}` cannot be used: {what}")]
    Live {
        /// The way to its table or key.
        at: String,
        /// Why, and what to do.
        what: String,
    },

    /// A secret that the settings refer to cannot be read.
    #[error("failed to read the secret of `{key}`")]
    Secret {
        /// The key.
        key: String,
        /// Why.
        source: SecretError,
    },
}

/// Reads a settings file and what it means. Reads no secret, and no other file but the profiles of the
/// folder that it names: what they say of columns and values is part of the settings, and of their digest.
///
/// # Errors
///
/// Returns the first mistake, in the order: text, secrets in clear, keys, values, references
/// between systems.
pub(crate) fn read(path: &Path) -> Result<Settings, SettingsError> {
    let text = read_text(path)?;
    let settings = understand(path, &text)?;
    match settings.profiles.as_deref().map(in_comments) {
        Some(profiles) if !profiles.is_empty() => understand(path, &format!("{text}{profiles}")),
        _ => Ok(settings),
    }
}

/// The profiles of a folder, in order of name and each line a comment: so they stand behind the settings
/// as those are kept, and a later change of one is a change of the settings. Nothing of a folder or file
/// that cannot be read: whoever loads the profiles says why.
fn in_comments(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
    let mut files: Vec<PathBuf> =
        files.filter(|it| it.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    let mut text = String::new();
    for file in files {
        let Ok(profile) = read_text(&file) else { continue };
        let name = file.file_name().unwrap_or_default().display().to_string();
        // What would end a comment is written otherwise.
        let harmless = |it: &str| it.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        let lines = std::iter::once(&*name).chain(profile.lines());
        text.extend(lines.map(|it| format!("\n# {}", harmless(it))));
    }
    text
}

/// Reads the text of a settings file that is, or was, at `path`. See [`read`].
///
/// # Errors
///
/// As [`read`].
pub(crate) fn understand(path: &Path, text: &str) -> Result<Settings, SettingsError> {
    let shown = path.display().to_string();
    let document = document::Document::parse(&shown, text)?;
    secret::refuse_in_clear(&document)?;
    let file = toml::from_str(text).map_err(|error| misfit::wrong(&document, &error))?;
    meant::mean(path, text, &document, file)
}

fn read_text(path: &Path) -> Result<String, SettingsError> {
    let failed = |source| SettingsError::Read { path: path.to_owned(), source };
    let not_text = |what: String| SettingsError::NotText { path: path.to_owned(), what };
    let n_bytes = std::fs::metadata(path).map_err(failed)?.len();
    if n_bytes > LEN_MAX {
        return Err(not_text(format!("it has {n_bytes} bytes, and at most {LEN_MAX} are read")));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        not_text(format!("byte {at} is not UTF-8: save it as UTF-8"))
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests;
