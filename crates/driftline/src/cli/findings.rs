//! `findings`: list, show, and what people decide.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::{Cause, FindingId, FindingState, Severity};

use super::ListFormat;
use super::words::named;

/// List, show and decide on findings.
#[derive(Debug, Subcommand)]
pub(crate) enum FindingsCommand {
    /// List the findings of the last run
    List(ListArgs),
    /// Show one finding: what was seen, why it is drift, what to do
    #[command(after_help = "Example:\n  driftline findings show DL-17")]
    Show {
        /// Its number, as DL-17
        #[arg(value_parser = finding_id)]
        id: FindingId,

        /// With names and logins
        #[arg(long)]
        names: bool,
    },
    /// Decide whose account it is, or that it is not somebody's
    Link(LinkArgs),
    /// Register accounts that belong to no person
    Register(RegisterArgs),
    /// Take a finding until a date: nobody else is called about it before
    #[command(after_help = "\
Examples:
  driftline findings ack DL-17
  driftline findings ack DL-17 DL-18 --until 2026-11-23 --reason 'waiting for the vendor'")]
    Ack {
        /// What is said of which findings, and by whom
        #[command(flatten)]
        word: WordArgs,

        /// Why
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,

        /// When it ends: a date, which counts to its end, or an instant. Default: in 24 hours
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// Say that a finding never was one. It comes back when its facts change
    #[command(
        after_help = "Example:\n  driftline findings false-positive DL-17 --reason 'a test account'"
    )]
    FalsePositive(ReasonArgs),
    /// Close a finding that can neither be seen nor shown to be gone
    #[command(
        after_help = "Example:\n  driftline findings close DL-17 --reason 'deleted, says the vendor'"
    )]
    Close(ReasonArgs),
    /// Take back an acknowledgement, or that a finding never was one
    #[command(after_help = "Example:\n  driftline findings reopen DL-17 --reason 'it is real'")]
    Reopen(ReasonArgs),
    /// Accept a finding for a while: one person asks, another approves
    #[command(subcommand)]
    Waive(WaiveCommand),
}

/// The findings of the last run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline findings list --severity high
  driftline findings list --state open,pending --cause leaver_active --format csv > leavers.csv")]
pub(crate) struct ListArgs {
    /// Which of them
    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// What is printed on stdout
    #[arg(long, default_value = "text")]
    pub(crate) format: ListFormat,

    /// With names and logins in the text; the other formats have them
    #[arg(long)]
    pub(crate) names: bool,
}

/// Which findings.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// In these states
    #[arg(long, value_name = "STATE,...", value_delimiter = ',', value_parser = state)]
    pub(crate) state: Vec<FindingState>,

    /// Of these causes
    #[arg(long, value_name = "CAUSE,...", value_delimiter = ',', value_parser = cause)]
    pub(crate) cause: Vec<Cause>,

    /// At least this grave
    #[arg(long, value_parser = severity)]
    pub(crate) severity: Option<Severity>,

    /// Of this app
    #[arg(long)]
    pub(crate) app: Option<String>,

    /// Those that are over, too, also since earlier runs
    #[arg(long)]
    pub(crate) all: bool,
}

/// Findings, and who says something of them.
#[derive(Debug, Args)]
pub(crate) struct WordArgs {
    /// Their numbers, as DL-17
    #[arg(required = true, value_parser = finding_id)]
    pub(crate) ids: Vec<FindingId>,

    /// Who says it; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// What is said of findings, with the reason.
#[derive(Debug, Args)]
pub(crate) struct ReasonArgs {
    /// Of which, and by whom
    #[command(flatten)]
    pub(crate) word: WordArgs,

    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}

/// A decision on whose account it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline findings link --account 7a57 --identity okta/00u1 --reason 'same person, asked her'
  driftline findings link --account 7a57 --identity okta/00u2 --not --reason 'another Andrea'
  driftline findings link --from decisions.csv

The CSV file has the columns account, identity and reason, and may have app, not and by. It may be
`findings list --format csv` with the columns identity and reason put beside: then subject_key is
the account, and rows without an identity are passed over. Every row is checked before any is kept.
The next run judges by them.")]
pub(crate) struct LinkArgs {
    /// The account's id in the app
    #[arg(long, value_name = "ID", required_unless_present = "from", requires = "identity")]
    pub(crate) account: Option<String>,

    /// Whose it is: the identity provider, and the identity's id there
    #[arg(long, value_name = "SYSTEM/ID", requires = "account")]
    pub(crate) identity: Option<String>,

    /// It is not theirs
    #[arg(long, requires = "account")]
    pub(crate) not: bool,

    /// Why
    #[arg(long, required_unless_present = "from")]
    pub(crate) reason: Option<String>,

    /// Which app; needed where several are configured
    #[arg(long)]
    pub(crate) app: Option<String>,

    /// Who decides; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,

    /// Take many decisions from a CSV file
    #[arg(long, value_name = "CSV", conflicts_with_all = ["account", "identity", "not", "reason"])]
    pub(crate) from: Option<PathBuf>,
}

/// Registration of non-human accounts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline findings register --account bot-1 --owner ada@example.com --purpose 'nightly export' \\
    --attest-by 2027-01-31
  driftline findings register --from robots.csv

To attest an account again, register it again with a later date.

The CSV file has the column account (id, user name or address in the app), and may have owner,
purpose and attest_by, a date. It may be `findings list --format csv` with those put beside: then
subject_key is the account, and rows without owner and purpose are passed over. All of its rows are
kept, or none. The next run judges by them.")]
pub(crate) struct RegisterArgs {
    /// The account's id, user name or address in the app
    #[arg(long, value_name = "ID", required_unless_present = "from")]
    pub(crate) account: Option<String>,

    /// Who answers for it: an address, login or id of a person
    #[arg(long, value_name = "PERSON", requires = "account")]
    pub(crate) owner: Option<String>,

    /// What it is for
    #[arg(long, value_name = "TEXT", requires = "account")]
    pub(crate) purpose: Option<String>,

    /// When the owner must confirm it again
    #[arg(long, value_name = "DATE", requires = "account")]
    pub(crate) attest_by: Option<String>,

    /// Register many accounts from a CSV file
    #[arg(long, value_name = "CSV", conflicts_with = "account")]
    pub(crate) from: Option<PathBuf>,

    /// Who registers them; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// Accept a finding for a while.
#[derive(Debug, Subcommand)]
pub(crate) enum WaiveCommand {
    /// Ask for a waiver. It is in force once somebody else approves it
    Request(WaiveRequestArgs),
    /// Approve waivers that somebody else asked for: all of them, or none
    #[command(after_help = "\
Examples:
  driftline findings waive approve 3 --by 'Ilse van der Meer'
  driftline findings waive approve 4-280 --by 'Ilse van der Meer'")]
    Approve {
        /// Their numbers, as 3 or 4-280
        #[arg(required = true, value_name = "NUMBER", value_parser = waivers)]
        waivers: Vec<std::ops::RangeInclusive<i64>>,

        /// Who approves; default: who is logged in
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// List the waivers: in force, waiting, expired and void
    List,
}

/// A request to accept findings for a while.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline findings waive request DL-17 --reason 'handover until Friday' --until 2026-11-27
  driftline findings list --format csv > triage.csv
  driftline findings waive request --from triage.csv --until 2027-01-31

The CSV file has the columns id and reason, and may have until. It may be
`findings list --format csv` with columns put beside: identity and reason for `link`; owner, purpose
and attest_by for `register`; reason and until for this. Each command takes the rows that are filled
in for it. Every row is checked before any is kept.")]
pub(crate) struct WaiveRequestArgs {
    /// The finding's number, as DL-17
    #[arg(value_parser = finding_id, required_unless_present = "from", requires = "reason")]
    #[arg(requires = "until")]
    pub(crate) id: Option<FindingId>,

    /// Why
    #[arg(long)]
    pub(crate) reason: Option<String>,

    /// When it ends: a date, which counts to its end, or an instant
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,

    /// Ask for many waivers from a CSV file
    #[arg(long, value_name = "CSV", conflicts_with_all = ["id", "reason"])]
    pub(crate) from: Option<PathBuf>,

    /// Who asks; default: who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

fn finding_id(text: &str) -> Result<FindingId, String> {
    FindingId::parse(text).ok_or_else(|| "write the number of a finding, as DL-17".to_owned())
}

/// Reads `3` or `4-280`.
fn waivers(text: &str) -> Result<std::ops::RangeInclusive<i64>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(first..=last),
        _ => Err("write the number of a waiver, as 3, or several, as 4-280".to_owned()),
    }
}

fn state(text: &str) -> Result<FindingState, String> {
    let names: Vec<&str> = FindingState::ALL.iter().map(|it| it.name()).collect();
    named(text, FindingState::parse, &names)
}

fn cause(text: &str) -> Result<Cause, String> {
    let names: Vec<&str> = Cause::ALL.iter().map(|it| it.name()).collect();
    named(text, Cause::parse, &names)
}

fn severity(text: &str) -> Result<Severity, String> {
    let names: Vec<&str> = Severity::ALL.iter().map(|it| it.name()).collect();
    named(text, Severity::parse, &names)
}
