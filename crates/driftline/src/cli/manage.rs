//! `report`, `config` and `db`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::DocumentFormat;
use crate::when;

/// The report of a run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline report --output drift.html
  driftline report --night 2026-11-19 --format xlsx --output drift.xlsx
  driftline report --run 7 --format json

The report of a past run comes out byte for byte as it was.")]
pub(crate) struct ReportArgs {
    /// The last full run judged on this date, in the policy's zone. Default: the last one of all
    #[arg(long, value_name = "DATE", value_parser = date, conflicts_with = "run")]
    pub(crate) night: Option<NaiveDate>,

    /// The run of this number, light or full
    #[arg(long, value_name = "N")]
    pub(crate) run: Option<i64>,

    /// The form of the report
    #[arg(long, default_value = "html")]
    pub(crate) format: DocumentFormat,

    /// Write it to this file, not to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// With names and logins in the text; the other formats have them
    #[arg(long)]
    pub(crate) names: bool,
}

/// The settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the settings, say what they mean and what could be better
    #[command(
        after_help = "Example:\n  driftline config check --config /etc/driftline/driftline.toml"
    )]
    Check,
    /// Print the JSON Schema of the settings file
    #[command(after_help = "Example:\n  driftline config schema > driftline.schema.json")]
    Schema,
}

/// The database.
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Copy the database to a new file while it may be in use
    #[command(after_help = "Example:\n  driftline db backup /backup/driftline-2026-11-20.db")]
    Backup {
        /// The new file; it must not exist yet
        to: PathBuf,
    },
    /// Verify that what is kept is what was written
    #[command(
        after_help = "Example:\n  driftline db verify --config /etc/driftline/driftline.toml"
    )]
    Verify,
}

fn date(text: &str) -> Result<NaiveDate, String> {
    when::date(text).ok_or_else(|| "write a date in full, as 2026-11-20".to_owned())
}
