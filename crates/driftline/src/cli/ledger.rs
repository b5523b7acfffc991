//! `ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TextFormat;

/// The evidence log.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print the newest checkpoint: keep it where Driftline cannot write
    #[command(after_help = "Example:\n  driftline ledger head > ledger-2026-11-20.checkpoint")]
    Head,
    /// Check every entry, checkpoint and signature, and name the first that is broken
    Verify(VerifyArgs),
    /// List the checkpoints that were taken out of reach, and check what the places gave
    Anchors(AnchorsArgs),
    /// Print an entry as it was written
    #[command(after_help = "Example:\n  driftline ledger show 12 | jq .body")]
    Show {
        /// Its place, from 0
        entry: u64,
    },
    /// Print the proof that an entry is under the newest checkpoint (C2SP tlog-proof)
    #[command(after_help = "Example:\n  driftline ledger proof 12 > 12.tlog-proof")]
    Proof {
        /// Its place, from 0
        entry: u64,
    },
    /// Write the whole ledger as static files (C2SP tlog-tiles)
    #[command(after_help = "Example:\n  driftline ledger export /audit/ledger")]
    Export {
        /// A folder that does not exist yet
        to: PathBuf,
    },
    /// Make, announce, revoke and list the keys that sign checkpoints
    #[command(subcommand)]
    Key(KeyCommand),
}

/// What the ledger is checked against.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline ledger verify
  driftline ledger verify --since ledger-2026-07-01.checkpoint --key \"$(cat driftline.vkey)\"

Without --since and --key it shows that the ledger is sound in itself: whoever can write to the
database and has its key could still have written all of it again.")]
pub(crate) struct VerifyArgs {
    /// A checkpoint that you kept: the ledger must begin with what it is over
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Option<PathBuf>,

    /// A public key that you were given: it, or one that it announced, must have signed the head
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
}

/// Which anchors, and how.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline ledger anchors
  driftline ledger anchors --output /audit/anchors
  openssl ts -verify -data /audit/anchors/X.checkpoint -in /audit/anchors/X.tsa.tsr -CAfile roots.pem

A time stamp is checked to be one of its checkpoint; the authority's signature is checked with
openssl, and roots that you chose. What lies in a folder, a repository or a bucket is checked with
`driftline ledger verify --since FILE`.")]
pub(crate) struct AnchorsArgs {
    /// Also write them as files: each checkpoint, and each time stamp beside it. A new folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,

    /// What is printed on stdout
    #[arg(long, default_value = "text")]
    pub(crate) format: TextFormat,
}

/// The keys of the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make the first key; the next run or export announces it
    #[command(
        after_help = "Example:\n  driftline ledger key new --output /etc/driftline/ledger.key"
    )]
    New {
        /// The new file, readable by its owner alone; it must not exist yet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Make another key, and announce it under the signature of the present one
    #[command(
        after_help = "Example:\n  driftline ledger key rotate --output /etc/driftline/ledger-2027.key"
    )]
    Rotate {
        /// The new file, readable by its owner alone; it must not exist yet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,

        /// Who does it; default: the login
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Say that a key is not in force any more
    #[command(after_help = "Example:\n  driftline ledger key revoke 1a2b3c4d --reason \"rotated\"")]
    Revoke {
        /// Its id, eight digits, as `ledger key list` prints it
        id: String,

        /// Why: rotated, lost or stolen
        #[arg(long, value_name = "TEXT")]
        reason: String,

        /// Who does it; default: the login
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// List the public keys, for those who check the ledger
    List,
}
