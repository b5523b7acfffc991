//! Driftline: proves that leavers lost access.
//!
//! This crate is the door: it reads arguments, environment and settings, hands values to the
//! crates that do the work, and prints what they found. It decides nothing about drift.

mod check_plan;
mod cli;
mod clock;
mod commands;
mod exit;
mod heartbeat;
mod logs;
mod nearest;
mod pages;
mod print;
mod profiles;
mod progress;
mod settings;
mod table;
mod when;
mod who;

use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use domain::Clock;

use cli::{Cli, Command, ProbeCommand};
use clock::MachineClock;
use exit::Exit;

/// Program and version, as every run keeps it.
const SOFTWARE: &str = concat!("driftline ", env!("CARGO_PKG_VERSION"));

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            answer.print().ok(); // Nobody reads it: then nobody misses it.
            return if answer.use_stderr() { Exit::Usage } else { Exit::Fine }.into();
        }
    };
    logs::begin(&cli.global);
    match panic::catch_unwind(AssertUnwindSafe(|| begin(&cli))) {
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

/// Cores on which lists are read apart and judged.
const CORES_MAX: usize = 8;

/// Does what was typed, on a runtime of its own.
fn begin(cli: &Cli) -> anyhow::Result<Exit> {
    // A run works on them in pieces, and more would not be done sooner. Where threads are counted, as under
    // systemd's `TasksMax`, one for each core of a large machine may be too many.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(cores.min(CORES_MAX))
        .build_global()
        .context("failed to start threads")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start threads")?;
    runtime.block_on(run(cli, &MachineClock))
}

async fn run(cli: &Cli, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let config = &cli.global.config;
    match &cli.command {
        Command::Findings(command) => commands::findings::findings(config, command, clock).await,
        Command::Guard(command) => commands::guard::guard(config, command, clock).await,
        Command::Alert(command) => commands::alert::alert(config, command, clock).await,
        Command::Report(args) => commands::report::report(config, args).await,
        Command::Db(command) => commands::db::db(config, command).await,
        Command::Ledger(command) => commands::ledger::ledger(config, command, clock).await,
        Command::Evidence(command) => commands::evidence::evidence(config, command, clock).await,
        Command::Erase(args) => commands::erase::erase(config, args, clock).await,
        Command::Hold(command) => commands::hold::hold(config, command, clock).await,
        Command::Config(command) => commands::config::config(config, command),
        Command::Completions { shell } => commands::completions::completions(*shell),
        Command::Man { output } => commands::completions::man(output.as_deref()),
        Command::Run(args) if !args.once => commands::daemon::daemon(config).await,
        Command::Run(args) => commands::run::run(config, args, clock).await,
        Command::Schedule(args) => commands::schedule::schedule(config, args, clock).await,
        Command::Check(args) => commands::check::check(args, clock).await,
        Command::Doctor(args) => commands::doctor::doctor(config, args, clock).await,
        Command::Probe(ProbeCommand::Deprovision(args)) => {
            commands::probe::deprovision(config, args, clock).await
        }
        Command::Explain(args) => commands::explain::explain(config, args).await,
        Command::Graph(args) => commands::explain::graph(config, args).await,
    }
}
