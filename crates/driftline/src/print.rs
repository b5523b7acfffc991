//! What people read goes to stdout, in one piece; everything else goes to stderr.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use report::Style;

/// Prints on stdout. A reader that has gone away (`| head`) is no error: what the program
/// found does not change because nobody reads it, and neither does its exit status.
///
/// # Errors
///
/// Returns what the system said when stdout cannot be written, as on a full disk.
pub(crate) fn out(bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(OutputError::Stdout(error)).context("while printing the result")
        }
        _ => Ok(()),
    }
}

/// Writes a file that a person asked for, all of it or none: beside its place first, then over
/// it. What is no plain file (`/dev/stdout`, a pipe, a link) is written to as it is.
///
/// # Errors
///
/// Returns the file's name and what the system said.
pub(crate) fn file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = |source| OutputError::File { path: path.to_owned(), source };
    let found = std::fs::symlink_metadata(path);
    if found.is_ok_and(|found| !found.is_file()) {
        return Ok(std::fs::write(path, bytes).map_err(failed)?);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let written = std::fs::write(beside, bytes).and_then(|()| std::fs::rename(beside, path));
    if written.is_err() {
        std::fs::remove_file(beside).ok(); // Half a file is none.
    }
    Ok(written.map_err(failed)?)
}

/// Writes a secret to a file that must be new, and that only its owner may read.
///
/// # Errors
///
/// Returns the file's name and what the system said.
pub(crate) fn secret_file(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = |source| OutputError::File { path: path.to_owned(), source };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    Ok(file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?)
}

/// Prints to stdout, or writes to a file where one is named.
///
/// # Errors
///
/// Returns what the system said.
pub(crate) fn to(output: Option<&Path>, bytes: &[u8]) -> anyhow::Result<()> {
    match output {
        Some(path) => file(path, bytes),
        None => out(bytes),
    }
}

/// Prints on stderr. There is nobody left to tell when that fails.
pub(crate) fn err(text: &str) {
    writeln!(io::stderr().lock(), "{text}").ok();
}

/// Whether stdout shows colours: it is a terminal, and `NO_COLOR` is not set (no-color.org).
pub(crate) fn is_coloured() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the program reads the environment")]
    let wish = std::env::var_os("NO_COLOR");
    io::stdout().is_terminal() && wish.is_none_or(|value| value.is_empty())
}

/// How pages for the terminal look: every finding, and names only where they were asked for.
pub(crate) fn style(names: bool) -> Style {
    /// Wide enough for every table, and for most terminals.
    const COLUMNS: usize = 100;
    Style { colour: is_coloured(), width: COLUMNS, limit: None, names }
}

/// A result that could not be handed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// stdout cannot be written.
    #[error("failed to write to stdout")]
    Stdout(#[source] io::Error),
    /// A file cannot be written.
    #[error(
        "failed to write `{path}`: name another place, or make room there",
        path = .path.display()
    )]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
