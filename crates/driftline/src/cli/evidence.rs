//! `evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ListFormat;

/// What auditors are given.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// List every leaver of an app in a period, whether anything was the matter or not
    Leavers(LeaversArgs),
    /// Write a bag of evidence: one ZIP that an auditor can check without Driftline
    Export(ExportArgs),
    /// Check a bag against what you hold, without database and network
    Verify(VerifyBagArgs),
    /// Draw a sample of leavers that an auditor can draw again
    Sample(SampleArgs),
    /// Judge past runs again from what is stored, and compare the results byte for byte
    Rederive(RederiveArgs),
    /// Print the mapping of controls that is in the program, for a copy of your own
    Controls,
    /// Make the key that signs bags
    #[command(subcommand)]
    Key(EvidenceKeyCommand),
}

/// Which app, and which time.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// The app
    #[arg(long)]
    pub(crate) app: String,

    /// The first day of the period, or its first instant
    #[arg(long, value_name = "DATE")]
    pub(crate) from: String,

    /// The first day after the period, or the first instant
    #[arg(long, value_name = "DATE")]
    pub(crate) to: String,
}

/// The leavers of a period.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftline evidence leavers --app secureframe --from 2026-07-01 --to 2026-10-01 --format csv

A leaver is in it whose clock began before the end, and whose access was not seen to be over before
the beginning. CSV and JSON name people; the text does not.")]
pub(crate) struct LeaversArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// What is printed on stdout
    #[arg(long, default_value = "text")]
    pub(crate) format: ListFormat,
}

/// A bag of evidence.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline evidence export --app secureframe --from 2026-07-01 --to 2026-10-01 --output q3.zip
  driftline evidence export --app secureframe --from 2026-07-01 --to 2026-10-01 \\
    --person okta/00u1a2b3c4d5e6f7g8h9 --output one.zip

Everybody of the period is in the population; with --person, traces, names and raw rows are those of
the named alone. The ledger is told of the bag.")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// With the trace of this leaver: id, SYSTEM/KEY, key, login or account. Default: of everybody
    #[arg(long, value_name = "KEY")]
    pub(crate) person: Vec<String>,

    /// Without personal data: the proofs hold all the same
    #[arg(long)]
    pub(crate) redacted: bool,

    /// The ZIP to write
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Who makes it; by default who is logged in
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// A check of a bag.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftline evidence verify q3.zip --trust given-in-july --since ledger-2026-07-01.checkpoint

The folder of --trust holds what you were given by another way than the bag: allowed_signers with
those who sign bags, and log.vkey with the keys of the ledger. Nothing in the bag is run.
Ends with 0 when all of it is what was written, 6 when something is not, and 7 when something could
not be checked.")]
pub(crate) struct VerifyBagArgs {
    /// The bag: its ZIP or its folder
    pub(crate) bag: PathBuf,

    /// The folder with what you hold
    #[arg(long, value_name = "DIR")]
    pub(crate) trust: Option<PathBuf>,

    /// A checkpoint of the ledger that you kept
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Option<PathBuf>,

    /// Draw the sample of this text again
    #[arg(long, value_name = "TEXT")]
    pub(crate) nonce: Option<String>,

    /// How many were drawn
    #[arg(short, long, value_name = "N", default_value_t = 25)]
    pub(crate) number: usize,
}

/// A sample.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftline evidence sample --app secureframe --from 2026-07-01 --to 2026-10-01 --nonce 'Q3, coin'

The auditor chooses the text. Leavers are drawn in the order of the SHA-256 of the ledger's root,
that text, and their id. The draw holds for a bag that is made of the same checkpoint.")]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// A text that the auditor chooses
    #[arg(long, value_name = "TEXT")]
    pub(crate) nonce: String,

    /// How many
    #[arg(short, long, value_name = "N", default_value_t = 25)]
    pub(crate) number: usize,
}

/// Past runs, judged again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftline evidence rederive 41

The lists, answers and words of people as they were stored before that run are judged again in a copy
in memory, by the settings of then, and verdicts, links, findings, leavers and the report are compared
with those that are stored. The database is only read, and no source is asked.
Ends with 0 when all of it is the same; with 6 when something differs, which is named; and with 7 when
a run cannot be judged again: another version of the program made it, or what it was given, or its
settings, are not kept.")]
pub(crate) struct RederiveArgs {
    /// The number of the run, as reports have it; several are judged one after the other
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<i64>,
}

/// The key that signs bags.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceKeyCommand {
    /// Make it, in the form of OpenSSH
    #[command(after_help = "\
Example:
  driftline evidence key new --identity evidence@example.com --output /etc/driftline/evidence.key")]
    New {
        /// Who signs with it
        #[arg(long, value_name = "WHO")]
        identity: String,
        /// The new file, readable by its owner alone; it must not exist yet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}
