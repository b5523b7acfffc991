//! Why a file taught us nothing: where outside, why inside, one variant per reaction.

use std::fmt;
use std::io;

/// A file that could not be read as a list. Says where; [`PullErrorKind`] says why.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `{file}`{place}")]
pub struct PullError {
    /// The file as the settings name it; for a folder, with the page file's name.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// Why, and what to do.
    #[source]
    pub kind: PullErrorKind,
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(u64),
    /// A row of an array, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line) => write!(f, ", line {line}"),
            Self::Row(row) => write!(f, ", row {row}"),
        }
    }
}

/// One variant per reaction. Every text ends in what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullErrorKind {
    /// Missing, not readable for us, or the disk failed.
    #[error("the file cannot be opened or read: check the path and the permissions")]
    Unreadable {
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// Nothing in it.
    #[error("the file is empty: export it again")]
    Empty,

    /// A folder of pages without one.
    #[error("the folder holds no file: export into it, or name the file itself")]
    EmptyFolder,

    /// Binary data, or text in an encoding that cannot be told.
    #[error("{what}: save it as UTF-8, or as UTF-16 with a byte order mark")]
    Encoding {
        /// What was met.
        what: String,
    },

    /// It ends in the middle.
    #[error("{what}: the file is cut off, export or download it again")]
    Truncated {
        /// What was open at its end.
        what: String,
    },

    /// It is not what its form promises.
    #[error("{what}")]
    Malformed {
        /// What was met, and what to do.
        what: String,
    },

    /// A limit was reached.
    #[error("{what}: split the export, or check that it is one")]
    TooLarge {
        /// Which limit.
        what: String,
    },

    /// No profile fits, or several do.
    #[error("{0}")]
    Unrecognised(Box<Unrecognised>),

    /// The answer of a server that is no list.
    #[error("{what}: an answer without a list is no empty list, capture it again")]
    NotAList {
        /// What was met.
        what: String,
    },

    /// A row without the field that names it.
    #[error("the row has no {field}: complete the export, or map the column that holds it")]
    NoKey {
        /// The columns or members that were looked for.
        field: String,
    },

    /// A row of an answer with a member that cannot be read.
    #[error("{what}: correct it in the source")]
    BadRow {
        /// What was met.
        what: String,
    },

    /// A date or time that does not say in which zone.
    #[error(
        "the date in `{column}` has no zone: add `zone = \"Europe/Berlin\"` (or yours) to this file's settings, or `--zone` to `driftline check`"
    )]
    NoZone {
        /// The column or member.
        column: String,
    },

    /// A date that no format reads.
    #[error(
        "`{value}` in `{column}` is no date: write it as 2026-01-31 or 2026-01-31T17:00:00Z, or add its form to `date_formats` of a profile"
    )]
    NoDate {
        /// The column or member.
        column: String,
        /// The value.
        value: String,
    },

    /// The settings of this file do not fit it.
    #[error("{what}")]
    Setting {
        /// What to change.
        what: String,
    },
}

/// What was seen in a file that no profile fits, and how to map it.
#[derive(Debug, thiserror::Error)]
#[error(
    "{reason}\n  it has: {}\n  nearest profiles: {}\n  name a profile for the file, or map it: save this as `my-export.toml` in your folder of profiles (`profiles` in the settings, `--profiles` of `check`)\n\n{snippet}",
    list(.saw), list(.nearest)
)]
pub struct Unrecognised {
    /// No profile fits, or which ones do.
    pub reason: String,
    /// Columns or members of the first rows, the first 60.
    pub saw: Vec<String>,
    /// The profiles that came nearest, each with what it misses.
    pub nearest: Vec<String>,
    /// A profile to begin with.
    pub snippet: String,
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

impl PullErrorKind {
    /// Puts the error at a place.
    pub(crate) fn at(self, file: &str, place: Place) -> PullError {
        PullError { file: file.to_owned(), place, kind: self }
    }

    /// Tells a bad file from a bad disk: decoders report both as I/O errors.
    pub(crate) fn of_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::Truncated { what: "the compressed data ends in the middle".to_owned() }
            }
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Malformed {
                what: format!("the compressed data is damaged ({error}): copy the file again"),
            },
            io::ErrorKind::FileTooLarge => Self::TooLarge { what: error.to_string() },
            _ => Self::Unreadable { source: error },
        }
    }
}
