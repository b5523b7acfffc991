//! What can go wrong while a report is read or rendered.

/// A report that could not be read or rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The bytes are not a report of version 1. Render it with the program that wrote it.
    #[error("this is not a Driftline report of version 1; use the program version that wrote it")]
    NotAReport(#[source] serde_json::Error),

    /// The page could not be put together.
    #[error("failed to render the page")]
    Page(#[source] askama::Error),

    /// The workbook could not be put together.
    #[error("failed to write the workbook; the CSV holds the same findings")]
    Workbook(#[source] rust_xlsxwriter::XlsxError),
}
