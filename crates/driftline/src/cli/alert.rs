//! `alert`.

use clap::{Args, Subcommand};

use super::TextFormat;

/// The channels by which people are told.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Send a test to every channel, or to one
    Test(AlertTestArgs),
    /// List the newest notices: what waits, what was delivered, what was given up, and why
    List(AlertListArgs),
}

/// A test.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline alert test
  driftline alert test oncall

The test is marked as one, and tells nothing of anybody. A pager wakes people all the same, and is
told at once that it is over. The exit status is 4 when a channel does not take it.")]
pub(crate) struct AlertTestArgs {
    /// The channel, by its name in the settings. Default: each
    pub(crate) channel: Option<String>,
}

/// A list of the outbox.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline alert list
  driftline alert list --limit 500 --format json | jq '.[] | select(.state != \"delivered\")'")]
pub(crate) struct AlertListArgs {
    /// How many, newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,

    /// What is printed on stdout
    #[arg(long, default_value = "text")]
    pub(crate) format: TextFormat,
}
