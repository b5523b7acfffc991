//! `completions` and `man`: made from the command line itself, so that they never differ from it.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::print;

/// Prints the completions of a shell.
///
/// # Errors
///
/// Fails when stdout cannot be written.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "driftline", &mut text);
    print::out(text)?;
    Ok(Exit::Fine)
}

/// Prints the manual page, or writes one for each command into a folder.
///
/// # Errors
///
/// Fails when stdout or the folder cannot be written.
pub(crate) fn man(output: Option<&Path>) -> anyhow::Result<Exit> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = output else {
        print::out(page(&command)?)?;
        return Ok(Exit::Fine);
    };
    std::fs::create_dir_all(folder)
        .map_err(|source| print::OutputError::File { path: folder.to_owned(), source })?;
    write_pages(&command, folder)?;
    Ok(Exit::Fine)
}

/// Writes the page of a command and those below it: `driftline-findings-list.1`.
fn write_pages(command: &clap::Command, folder: &Path) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    print::file(&folder.join(format!("{name}.1")), &page(command)?)?;
    command.get_subcommands().try_for_each(|below| write_pages(below, folder))
}

fn page(command: &clap::Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .context("while making a manual page")?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("man1");
        man(Some(&to)).unwrap();
        for name in ["driftline", "driftline-check", "driftline-findings-waive-request"] {
            let text = std::fs::read_to_string(to.join(format!("{name}.1"))).unwrap();
            assert!(text.contains(".SH SYNOPSIS"), "{name}");
        }
    }
}
