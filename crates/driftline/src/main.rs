//! Driftline: proves that leavers lost access.
//!
//! This crate is the door: it reads arguments, environment and settings, hands values to the
//! crates that do the work, and prints what they found. It decides nothing about drift.

mod cli;
mod commands;
mod exit;
mod logs;
mod nearest;
mod print;
mod settings;
mod when;

use std::panic;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use exit::Exit;

/// Runs of a hundred thousand people are mostly small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            answer.print().ok(); // Nobody reads it: then nobody misses it.
            return if answer.use_stderr() { Exit::Usage } else { Exit::Fine }.into();
        }
    };
    logs::begin(cli.global.log, cli.global.verbose);
    match panic::catch_unwind(|| run(&cli)) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => {
            print::err(&format!("error: {error:#}"));
            Exit::of_error(&error).into()
        }
        Err(_) => {
            print::err("error: this is a bug in driftline; what was saved before is untouched");
            Exit::Bug.into()
        }
    }
}

/// Does what was typed.
fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let config = &cli.global.config;
    match &cli.command {
        Command::Config(command) => commands::config::config(config, command),
        Command::Completions { shell } => commands::completions::completions(*shell),
        Command::Man { output } => commands::completions::man(output.as_deref()),
        _ => anyhow::bail!("not wired"),
    }
}
