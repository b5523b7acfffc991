//! Exit statuses: documented here, and decided nowhere else.
//!
//! A script may rely on them. Drift outranks incomplete; the summary of a run says both.

use std::process::ExitCode;

use connectors::files::{ProfileError, PullError};
use domain::Severity;
use evidence::EvidenceError;
use ledger::LedgerError;
use report::ReportError;
use store::StoreError;

use crate::print::OutputError;
use crate::settings::SettingsError;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and nothing to report at or above `--fail-on`.
    Fine = 0,
    /// Drift at or above `--fail-on`.
    Drift = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The settings cannot be used.
    Settings = 3,
    /// A pull failed or is incomplete: what was seen was judged, the rest is not proven. Or a
    /// channel did not take a notice, or a bag has no PDF that it should have.
    Incomplete = 4,
    /// The database or an output cannot be used, or another process holds it.
    Store = 5,
    /// Evidence is broken: what is kept is not what was written.
    Broken = 6,
    /// Evidence cannot be checked.
    Unchecked = 7,
    /// A bug in Driftline.
    Bug = 70,
}

/// What `--help` says at its end.
pub(crate) const HELP: &str = "\
Exit status:
   0  fine
   1  drift at or above --fail-on (default: none for run, high for check)
   2  the command line cannot be understood
   3  the settings cannot be used
   4  a pull failed or is incomplete, a channel did not take a notice, or a bag lacks its PDF
   5  the database or an output cannot be used, or another process holds it
   6  evidence is broken
   7  evidence cannot be checked
  70  a bug in driftline";

impl Exit {
    /// The status of a run that came to its end. `worst` is the severity of the gravest live
    /// finding, pending ones too; `None` is none. `fail_on` of `None` never fails.
    #[must_use]
    pub(crate) fn of_run(
        worst: Option<Severity>,
        fail_on: Option<Severity>,
        is_complete: bool,
    ) -> Self {
        match (worst, fail_on) {
            (Some(worst), Some(limit)) if worst >= limit => Self::Drift,
            _ if is_complete => Self::Fine,
            _ => Self::Incomplete,
        }
    }

    /// The status of an error: that of the first known type in its chain. What no type
    /// explains is a bug.
    #[must_use]
    pub(crate) fn of_error(error: &anyhow::Error) -> Self {
        error.chain().find_map(of_link).unwrap_or(Self::Bug)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The status of one link of a chain; `None` for a type that says nothing about it.
fn of_link(error: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if error.is::<UsageError>() {
        Some(Exit::Usage)
    } else if error.is::<SettingsError>() || error.is::<ProfileError>() {
        Some(Exit::Settings)
    } else if error.is::<PullError>() {
        Some(Exit::Incomplete)
    } else if let Some(error) = error.downcast_ref::<StoreError>() {
        Some(of_store(error))
    } else if let Some(error) = error.downcast_ref::<ReportError>() {
        // A document of another version cannot be read by this one; a page that is too large, or
        // that cannot be made, is an output that cannot be used.
        let is_foreign = matches!(error, ReportError::NotAReport(_));
        Some(if is_foreign { Exit::Unchecked } else { Exit::Store })
    } else if let Some(error) = error.downcast_ref::<LedgerError>() {
        Some(of_ledger(error))
    } else if let Some(error) = error.downcast_ref::<EvidenceError>() {
        Some(of_evidence(error))
    } else if error.is::<OutputError>() {
        Some(Exit::Store)
    } else {
        None
    }
}

const fn of_store(error: &StoreError) -> Exit {
    match error {
        // What the rules of waivers forbid was asked for in vain.
        StoreError::Refused(_) => Exit::Usage,
        // A kept report is evidence, and so is the ledger.
        StoreError::ReportDamaged { .. } | StoreError::Ledger(_) => Exit::Broken,
        StoreError::Entry(error) => of_ledger(error),
        StoreError::Closed | StoreError::Stale { .. } => Exit::Bug,
        _ => Exit::Store,
    }
}

const fn of_ledger(error: &LedgerError) -> Exit {
    match error {
        // The settings name another key than the one that has to sign, or none.
        LedgerError::KeyUnknown { .. }
        | LedgerError::KeyRevoked { .. }
        | LedgerError::KeyNeeded { .. }
        | LedgerError::KeyOfAnother { .. } => Exit::Settings,
        LedgerError::TooLong { .. } | LedgerError::NotCanonical { .. } => Exit::Bug,
        // What was given to check the ledger against is nothing of the kind.
        _ => Exit::Unchecked,
    }
}

const fn of_evidence(error: &EvidenceError) -> Exit {
    match error {
        EvidenceError::NotAKey(_) => Exit::Usage,
        // What was given as a bag, or to check it against, is nothing of the kind.
        EvidenceError::NotABag(_) | EvidenceError::NotATrust(_) => Exit::Unchecked,
        EvidenceError::NotALeaver(_) => Exit::Broken,
        _ => Exit::Store,
    }
}

/// A command line that can be read and asks for what cannot be done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_outranks_incomplete() {
        use Severity::{Critical, High, Low};
        #[rustfmt::skip]
        let table = [
            // worst         | fail on       | complete | status
            (  None,           None,           true,      Exit::Fine       ),
            (  None,           None,           false,     Exit::Incomplete ),
            (  Some(Critical), None,           true,      Exit::Fine       ),
            (  Some(Critical), None,           false,     Exit::Incomplete ),
            (  Some(High),     Some(High),     true,      Exit::Drift      ),
            (  Some(Critical), Some(High),     false,     Exit::Drift      ),
            (  Some(Low),      Some(High),     true,      Exit::Fine       ),
            (  Some(Low),      Some(High),     false,     Exit::Incomplete ),
        ];
        for (worst, fail_on, is_complete, status) in table {
            let found = Exit::of_run(worst, fail_on, is_complete);
            assert_eq!(found, status, "{worst:?}, {fail_on:?}, complete: {is_complete}");
        }
    }

    #[test]
    fn the_first_known_error_of_the_chain_decides() {
        let usage = anyhow::Error::new(UsageError("say `--once`".to_owned()));
        assert_eq!(Exit::of_error(&usage.context("while running")), Exit::Usage);
        assert_eq!(Exit::of_error(&anyhow::anyhow!("nobody knows")), Exit::Bug);
    }

    #[test]
    fn the_help_names_every_status() {
        use Exit::{Broken, Bug, Drift, Fine, Incomplete, Settings, Store, Unchecked, Usage};
        for exit in [Fine, Drift, Usage, Settings, Incomplete, Store, Broken, Unchecked, Bug] {
            let number = format!("{:>4}  ", exit as u8);
            assert!(HELP.lines().any(|line| line.starts_with(&number)), "{exit:?}");
        }
    }
}
