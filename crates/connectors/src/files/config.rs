//! What an operator says about export files. Filled in by the program; no defaults hide here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::{Channel, Lifecycle, SystemId, SystemKind};

/// The export files of one system.
#[derive(Clone, Debug)]
pub struct Config {
    /// The system's name.
    pub system: SystemId,
    /// What it is to us; only profiles of this kind are considered.
    pub kind: SystemKind,
    /// Its files. Several may feed one list.
    pub files: Vec<FileConfig>,
    /// For dates without a zone where neither file nor profile names one.
    pub zone: Option<Tz>,
}

/// One export file, or one folder of page files.
#[derive(Clone, Debug)]
pub struct FileConfig {
    /// A file, or a folder of page files, read in natural order of their names.
    pub path: PathBuf,
    /// How errors and reports name it.
    pub shown_as: String,
    /// The profile that reads it; `None`: recognise it among those of the system's kind.
    pub profile: Option<String>,
    /// As of when it speaks; `None`: what the data says, else the file's time, marked as assumed.
    pub as_of: Option<DateTime<Utc>>,
    /// The zone of its dates that name none.
    pub zone: Option<Tz>,
    /// How many rows it must have; another number makes it partial.
    pub rows: Option<u64>,
    /// Whether it holds the whole list; `None`: what the profile says.
    pub whole: Option<bool>,
    /// The group whose members it lists; `None` for all other files.
    pub group: Option<String>,
    /// The way in which its accounts were seen; `None`: what the profile says.
    pub channel: Option<Channel>,
    /// What raw statuses of identities mean, over what the profile says.
    pub statuses: BTreeMap<String, Lifecycle>,
    /// Where nobody declares it whole: take it on the operator's word instead of calling it partial.
    pub on_your_word: bool,
}

/// Nothing said: what holds of the answers of a server, and of a file until somebody says more.
pub(crate) static UNSAID: FileConfig = FileConfig {
    path: PathBuf::new(),
    shown_as: String::new(),
    profile: None,
    as_of: None,
    zone: None,
    rows: None,
    whole: None,
    group: None,
    channel: None,
    statuses: BTreeMap::new(),
    on_your_word: false,
};

impl FileConfig {
    /// A file about which nothing is said.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { shown_as: path.display().to_string(), path, ..UNSAID.clone() }
    }
}
