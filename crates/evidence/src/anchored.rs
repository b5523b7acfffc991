//! Checkpoints of the ledger that were taken out of the operator's reach, and what each place gave for
//! it: how they lie in a bag, and whether they are of its ledger.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::Digest;
use ledger::{Checkpoint, Note, root_of, sha256};

use crate::bag::Bag;
use crate::tables::time;

/// Where they lie in a bag.
const FOLDER: &str = "data/ledger/anchors/";

/// One checkpoint and one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorTold {
    /// The place, by its name in the settings.
    pub name: String,
    /// What kind of place: `folder`, `git`, `rfc3161`, `s3`.
    pub kind: String,
    /// Entries under the checkpoint.
    pub size: u64,
    /// The checkpoint.
    pub note: String,
    /// When it was asked for.
    pub asked_at: DateTime<Utc>,
    /// `pending`, `made` or `failed`.
    pub state: String,
    /// What came of it; `None`: nothing yet, or never.
    pub taken: Option<Taken>,
    /// What happened at the last try that failed.
    pub why: Option<String>,
}

/// A checkpoint that is out of reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Where.
    pub place: String,
    /// What the place gave, whole; of `rfc3161` the time stamp.
    pub proof: Vec<u8>,
}

/// A time stamp of a bag, and what it should be of.
#[derive(Clone, Debug)]
pub struct Stamp<'b> {
    /// Its path in the bag.
    pub path: &'b str,
    /// The checkpoint that lies beside it; `None`: there is none.
    pub note: Option<&'b [u8]>,
    /// What the authority answered.
    pub response: &'b [u8],
}

impl Stamp<'_> {
    /// The SHA-256 of the checkpoint, in hex; `None`: there is none.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        self.note.map(|it| HEXLOWER.encode(&sha256(it)))
    }
}

/// Puts the checkpoints of a time, what places gave for them, and a table of both into a bag.
pub(crate) fn put(bag: &mut Bag, anchors: &[AnchorTold]) {
    const COLUMNS: &[&str] =
        &["anchor", "kind", "entries", "checkpoint", "asked_at", "state", "at", "where", "why"];
    let rows = anchors.iter().map(|it| {
        let taken = it.taken.as_ref();
        vec![
            it.name.clone(),
            it.kind.clone(),
            it.size.to_string(),
            format!("ledger/anchors/{:012}.checkpoint", it.size),
            time(it.asked_at),
            it.state.clone(),
            taken.map(|it| time(it.at)).unwrap_or_default(),
            taken.map(|it| it.place.clone()).unwrap_or_default(),
            it.why.clone().unwrap_or_default(),
        ]
    });
    bag.put("data/anchors.csv", report::table_csv(COLUMNS, rows));
    for it in anchors {
        let beside = format!("{FOLDER}{:012}", it.size);
        bag.put(format!("{beside}.checkpoint"), it.note.as_bytes());
        if let Some(taken) = &it.taken {
            let extension = if it.kind == "rfc3161" { "tsr" } else { "proof" };
            bag.put(format!("{beside}.{}.{extension}", it.name), taken.proof.as_slice());
        }
    }
}

/// Whether every one of them is over the first entries of this ledger; `None`: there is none.
pub(crate) fn check(
    bag: &Bag,
    origin: &str,
    hashes: &[Digest],
) -> Option<Result<String, Vec<String>>> {
    let paths: Vec<&str> = bag.paths().filter(|it| it.starts_with(FOLDER)).collect();
    let notes: Vec<&str> = paths.iter().copied().filter(|it| it.ends_with(".checkpoint")).collect();
    let problems: Vec<String> = notes
        .iter()
        .filter_map(|path| Some(format!("`{path}` {}", wrong(bag.text(path), origin, hashes)?)))
        .collect();
    match (paths.is_empty(), problems.is_empty()) {
        (true, _) => None,
        (false, true) => {
            let n = notes.len();
            Some(Ok(format!("{n} checkpoints that were taken out of reach are of this ledger")))
        }
        (false, false) => Some(Err(problems)),
    }
}

/// What is wrong with one; `None`: nothing.
fn wrong(text: Option<&str>, origin: &str, hashes: &[Digest]) -> Option<String> {
    let checkpoint =
        text.and_then(|it| Note::parse(it).ok()).and_then(|it| Checkpoint::parse(it.text()).ok());
    let Some(checkpoint) = checkpoint else { return Some("is no checkpoint".to_owned()) };
    if checkpoint.origin != origin {
        return Some(format!("is one of the ledger `{}`", checkpoint.origin));
    }
    let size = checkpoint.size;
    let first = usize::try_from(size).ok().and_then(|it| hashes.get(..it));
    match first.map(|it| root_of(it.iter().copied())) {
        None => Some(format!("is over {size} entries, and the ledger has fewer")),
        Some(root) if root != checkpoint.root => Some(format!(
            "is over {size} other entries than the first of this ledger: the history was written again"
        )),
        Some(_) => None,
    }
}

/// The time stamps of a bag.
#[must_use]
pub fn stamps(bag: &Bag) -> Vec<Stamp<'_>> {
    let paths = bag.paths().filter(|it| it.starts_with(FOLDER) && it.ends_with(".tsr"));
    let stamp = |path| {
        let number = str::strip_prefix(path, FOLDER)?.split('.').next()?;
        let note = bag.get(&format!("{FOLDER}{number}.checkpoint"));
        Some(Stamp { path, note, response: bag.get(path)? })
    };
    paths.filter_map(stamp).collect()
}
