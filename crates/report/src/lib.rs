//! Render a run: text, HTML, CSV, XLSX, JSON v1.
//!
//! Everything is rendered from one document, [`v1::Report`], and from nothing
//! else: no clock, no file, no setting. A document read back gives the same
//! bytes in every format. Nothing here judges; it prints what was judged.

mod csv;
mod differences;
mod error;
mod html;
mod list;
mod phrase;
mod text;
pub mod v1;
mod xlsx;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use csv::{COLUMNS, csv, findings_csv, table_csv};
pub use differences::differences;
pub use error::ReportError;
pub use html::{HtmlOptions, Night, html, index_html};
pub use list::{Filter, findings_json};
pub use text::{Style, finding_text, findings_text, text};
pub use xlsx::{Sheet, table_xlsx, xlsx};
