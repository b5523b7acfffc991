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

/// Reads a settings file and what it means. Reads no other file and no secret.
///
/// # Errors
///
/// Returns the first mistake, in the order: text, secrets in clear, keys, values, references
/// between systems.
pub(crate) fn read(path: &Path) -> Result<Settings, SettingsError> {
    let text = read_text(path)?;
    understand(path, &text)
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
