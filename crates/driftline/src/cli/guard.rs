//! `guard`: what is held because too much changed at once, and its release.

use clap::{Args, Subcommand};

/// What the guard holds, and its release by two people.
#[derive(Debug, Subcommand)]
pub(crate) enum GuardCommand {
    /// Show what is held, why, and the releases
    Status,
    /// Ask to let through what is held. It counts once somebody else approves it
    Release(GuardReleaseArgs),
    /// Approve a release that somebody else asked for
    #[command(after_help = "Example:\n  driftline guard approve 3 --by 'Ilse van der Meer'")]
    Approve {
        /// Its number
        release: i64,

        /// Who approves; default: who is logged in
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// A request to let through what is held.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftline guard release 3f9a2c41e07b --reason 'the Lisbon office was closed'

A release lets through exactly what was held, until it expires. What changes beyond that is held
again.")]
pub(crate) struct GuardReleaseArgs {
    /// The digest of what is held, as `guard status` shows it: its first 8 characters or more
    pub(crate) digest: String,

    /// Why
    #[arg(long)]
    pub(crate) reason: String,

    /// Who asks; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}
