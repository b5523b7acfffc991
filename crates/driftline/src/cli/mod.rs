//! The command line as it is typed. What it means is decided by each command in `commands`.

mod alert;
mod check;
mod erase;
mod evidence;
mod findings;
mod guard;
mod ledger;
mod manage;
mod probe;
mod words;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use alert::{AlertCommand, AlertListArgs, AlertTestArgs};
pub(crate) use check::{CheckArgs, StatedFile};
pub(crate) use erase::{EraseArgs, HoldCommand, HoldSetArgs};
pub(crate) use evidence::{
    EvidenceCommand, EvidenceKeyCommand, ExportArgs, PeriodArgs, RederiveArgs, SampleArgs,
    VerifyBagArgs,
};
pub(crate) use findings::{
    FilterArgs, FindingsCommand, LinkArgs, ListArgs, RegisterArgs, WaiveCommand, WaiveRequestArgs,
    WordArgs,
};
pub(crate) use guard::{GuardCommand, GuardReleaseArgs};
pub(crate) use ledger::{AnchorsArgs, KeyCommand, LedgerCommand, VerifyArgs};
pub(crate) use manage::{ConfigCommand, DbCommand, ReportArgs};
pub(crate) use probe::{ProbeArgs, ProbeCommand, WAIT};
pub(crate) use words::{DocumentFormat, FailOn, GraphFormat, ListFormat, LogFormat, TextFormat};

/// Proves that leavers lost access.
///
/// Driftline sets the lists of identity providers, which say who should have access, against
/// the account lists of apps, which say who has it, and reports where they disagree. It reads
/// export files and APIs, and writes to its own database and report folder. `probe` alone writes
/// to an app: to a canary account, once you confirm what would be sent.
#[derive(Debug, Parser)]
#[command(name = "driftline", version, after_help = crate::exit::HELP, max_term_width = 100)]
#[command(propagate_version = false, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The settings file, where no other is named.
pub(crate) const CONFIG: &str = "driftline.toml";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The settings file
    #[arg(long, global = true, value_name = "FILE", default_value = CONFIG)]
    #[arg(help_heading = "Options of every command")]
    pub(crate) config: PathBuf,

    /// How log lines are written to stderr
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    #[arg(help_heading = "Options of every command")]
    pub(crate) log: LogFormat,

    /// Log more: -v what is done, -vv how
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    #[arg(help_heading = "Options of every command")]
    pub(crate) verbose: u8,

    /// Log errors alone, and show no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    #[arg(help_heading = "Options of every command")]
    pub(crate) quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look, judge, keep and report: on schedule, or once
    Run(RunArgs),
    /// Show when the next runs are due, and whether any was missed
    Schedule(ScheduleArgs),
    /// Judge export files, without settings and without a database
    Check(Box<CheckArgs>),
    /// List, show and decide on findings
    #[command(subcommand)]
    Findings(Box<FindingsCommand>),
    /// Try the channels by which people are told, or list what they were told
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Try every credential and permission of the systems that are read over the network
    Doctor(DoctorArgs),
    /// Switch a canary account off, to see what the app makes of it
    #[command(subcommand)]
    Probe(ProbeCommand),
    /// Show what the guard holds because too much changed at once, and release it
    #[command(subcommand)]
    Guard(GuardCommand),
    /// Say why Driftline says what it says of somebody
    Explain(ExplainArgs),
    /// Draw what is known around somebody
    Graph(GraphArgs),
    /// Write the report of a run again
    Report(ReportArgs),
    /// Check the settings, or print their JSON Schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Back up the database, or verify what it keeps
    #[command(subcommand)]
    Db(DbCommand),
    /// Print, check and export the evidence log, and look after its keys
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// List leavers, and give auditors evidence that they can check without us
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Take out what names somebody, and keep what evidence rests on
    Erase(EraseArgs),
    /// Show, set and lift legal holds, which forbid erasures
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Print the completions of a shell
    #[command(
        after_help = "Example:\n  driftline completions bash > /etc/bash_completion.d/driftline"
    )]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    #[command(after_help = "Example:\n  driftline man --output /usr/local/share/man/man1")]
    Man {
        /// Write one page for each command into this folder
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

/// One run, or a daemon.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline run --once --config config/quickstart.toml
  driftline run --once --format json --fail-on high > night.json
  driftline run --once --light
  driftline run -v --log json

With [nights] in the settings, every night that is not judged yet is judged, oldest first.
Without --once it runs whenever [schedule] says, until it is told to stop. SIGTERM ends it after
the run that goes on, a second one at once; SIGHUP reads the settings again; SIGUSR1 runs now.")]
pub(crate) struct RunArgs {
    /// Do one run, print its report, and end
    #[arg(long)]
    pub(crate) once: bool,

    /// Read no list: ask by id about suspects, open findings, and whoever left by the logs
    #[arg(long, requires = "once")]
    pub(crate) light: bool,

    /// What is printed on stdout
    #[arg(long, requires = "once", default_value = "text")]
    pub(crate) format: TextFormat,

    /// With names and logins in the text; the other formats have them
    #[arg(long, requires = "once")]
    pub(crate) names: bool,

    /// End with status 1 when a live finding is at least this grave
    #[arg(long, requires = "once", value_name = "SEVERITY", default_value = "none")]
    pub(crate) fail_on: FailOn,
}

/// The next runs.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  driftline schedule --number 20")]
pub(crate) struct ScheduleArgs {
    /// How many
    #[arg(short, long, value_name = "N", default_value_t = 5)]
    pub(crate) number: u16,
}

/// An examination of every live system.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline doctor
  driftline doctor --format json | jq '.systems[].checks[] | select(.result != \"fine\")'

Nothing is written anywhere: it asks what a run would ask.")]
pub(crate) struct DoctorArgs {
    /// What is printed on stdout
    #[arg(long, default_value = "text")]
    pub(crate) format: TextFormat,
}

/// Why somebody is judged as they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline explain priyanka.desai@example.com
  driftline explain okta/00u1a2b3c4d5e6f7g8h9 --app secureframe
  driftline explain DL-17")]
pub(crate) struct ExplainArgs {
    /// An address, login, name, SYSTEM/ID, account id or number of a finding
    pub(crate) who: String,

    /// In this app alone
    #[arg(long)]
    pub(crate) app: Option<String>,
}

/// Somebody's neighbourhood in the identity graph.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline graph priyanka.desai@example.com --format svg --output priyanka.svg
  driftline graph okta/00u1a2b3c4d5e6f7g8h9 --format dot | dot -Tpng > priyanka.png")]
pub(crate) struct GraphArgs {
    /// An address, login, name, SYSTEM/ID, account id or number of a finding
    pub(crate) who: String,

    /// The form of the drawing
    #[arg(long)]
    pub(crate) format: GraphFormat,

    /// Write it to this file, not to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
