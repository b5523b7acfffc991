//! `probe`: the one thing that Driftline does to an app, and only when it is told to.

use clap::{Args, Subcommand};

/// So many seconds are waited, where nothing else is said.
pub(crate) const WAIT: u16 = 60;

/// Probes.
#[derive(Debug, Subcommand)]
pub(crate) enum ProbeCommand {
    /// See what becomes of an account that is switched off
    Deprovision(ProbeArgs),
}

/// A canary that is switched off.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline probe deprovision secureframe 2819c223-7f76-453a-919d-413861904646
  driftline probe deprovision secureframe 2819c223-7f76-453a-919d-413861904646 --confirm 3f9a2c41e07b

Without --confirm nothing is written: it says what would be sent, and the digest to confirm. The
account must be in `canaries` of [app.NAME.scim.probe], and nobody's.")]
pub(crate) struct ProbeArgs {
    /// The app, by its name in the settings
    pub(crate) app: String,

    /// The canary, by its id in the app
    pub(crate) account: String,

    /// Switch it on again afterwards
    #[arg(long)]
    pub(crate) put_back: bool,

    /// How long to wait until the app shows it off, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT)]
    pub(crate) wait: u16,

    /// Who asks; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,

    /// Send what was shown under this digest
    #[arg(long, value_name = "DIGEST")]
    pub(crate) confirm: Option<String>,
}
