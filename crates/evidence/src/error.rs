//! What keeps a bag from being made or read.

/// Why there is no bag. Never holds a secret or personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// An entry of the ledger cannot be read as a leaver.
    #[error("entry {0} of the ledger does not tell of a leaver")]
    NotALeaver(u64),

    /// A text that should be a key is none.
    #[error("that is no key that signs evidence: {0}")]
    NotAKey(&'static str),

    /// What was given as a bag is none.
    #[error("that is no bag of evidence: {0}")]
    NotABag(String),

    /// What was given to check against is nothing to check against.
    #[error("that cannot be checked against: {0}")]
    NotATrust(String),

    /// The archive cannot be written.
    #[error("failed to write the archive")]
    Zip(#[source] zip::result::ZipError),

    /// A page or workbook cannot be made.
    #[error("failed to make the pages of the bag")]
    Report(#[source] report::ReportError),

    /// The page cannot be made.
    #[error("failed to make the page of the bag")]
    Page(#[source] askama::Error),

    /// The ledger has something that cannot be put into a bag.
    #[error("failed to put the ledger into the bag")]
    Ledger(#[from] ledger::LedgerError),
}
