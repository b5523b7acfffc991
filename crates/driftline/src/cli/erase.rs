//! `erase` and `hold`: taking out what names somebody, and what forbids it.

use clap::{Args, Subcommand};

/// An erasure.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline erase henrik.solberg@example.com --basis 'Art. 17(1)(a) GDPR, request 2027-031'
  driftline erase okta/00u1a2b3 --basis 'Art. 17(1)(a) GDPR, request 2027-031' --confirm 3f9a2c41e07b

Without --confirm nothing is changed: it says what would go, what stays, and the digest to confirm.
The basis stands in the ledger in clear and for ever: it must not name anybody.")]
pub(crate) struct EraseArgs {
    /// An address, login, name, SYSTEM/ID, random name of the ledger or number of a finding
    pub(crate) who: String,

    /// On what legal basis
    #[arg(long, value_name = "TEXT")]
    pub(crate) basis: String,

    /// Who erases; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,

    /// Erase what was shown under this digest
    #[arg(long, value_name = "DIGEST")]
    pub(crate) confirm: Option<String>,
}

/// Legal holds.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Show the holds in force
    List,
    /// Forbid the erasure of somebody, or of anybody in an app and a time, until two people lift that
    Set(HoldSetArgs),
    /// Ask to lift a hold. It falls once somebody else approves it
    #[command(after_help = "Example:\n  driftline hold lift 2 --reason 'case 17-204 is closed'")]
    Lift {
        /// Its number
        hold: i64,

        /// Why
        #[arg(long)]
        reason: String,

        /// Who asks; default: who is logged in
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Approve that a hold is lifted, for which somebody else asked
    #[command(after_help = "Example:\n  driftline hold approve 2 --by 'Ilse van der Meer'")]
    Approve {
        /// Its number
        hold: i64,

        /// Who approves; default: who is logged in
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// A new hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline hold set henrik.solberg@example.com --reason 'case 17-204'
  driftline hold set --app secureframe --from 2026-01-01 --to 2027-01-01 --reason 'audit of 2026'")]
pub(crate) struct HoldSetArgs {
    /// An address, login, name, SYSTEM/ID, random name of the ledger or number of a finding
    #[arg(required_unless_present = "app", conflicts_with = "app")]
    pub(crate) who: Option<String>,

    /// In place of a person: whoever had an account in this app, left it, or was found there
    #[arg(long, requires = "from", requires = "to")]
    pub(crate) app: Option<String>,

    /// The first day of that time, or its first instant
    #[arg(long, value_name = "DATE", requires = "app")]
    pub(crate) from: Option<String>,

    /// The first day after it, or the first instant
    #[arg(long, value_name = "DATE", requires = "app")]
    pub(crate) to: Option<String>,

    /// Why
    #[arg(long)]
    pub(crate) reason: String,

    /// Who sets it; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}
