//! Anchors: checkpoints of the ledger taken to where the operator cannot write again, one file for
//! each kind of place.
//!
//! An anchor is made once and says what came of it; when to try again is the caller's to say.
//! Doing it twice for the same checkpoint is no harm. Nothing that was taken away is ever changed
//! or removed, and nothing of a ledger leaves but the checkpoint: name, size, root, signatures.

mod folder;
mod git;
mod rfc3161;
mod s3;
mod sigv4;

use chrono::{DateTime, Utc};
use domain::{AnchorKind, AnchorName, Text};
use ledger::Checkpoint;
use outbound::OutboundError;

pub use folder::Folder;
pub use git::Git;
pub use rfc3161::{NoStamp, Rfc3161, stamped_at};
pub use s3::S3;
pub use sigv4::AccessKey;

/// One anchor of the settings, ready to be made.
#[derive(Debug)]
pub struct Anchor {
    /// Its name.
    pub name: Text,
    /// Where it takes checkpoints.
    pub place: Place,
}

/// Where checkpoints are taken.
#[derive(Debug)]
pub enum Place {
    /// A folder, such as a share that others own.
    Folder(Folder),
    /// A branch of a git repository that others keep.
    Git(Git),
    /// Nowhere: an authority stamps the time on it (RFC 3161).
    Rfc3161(Rfc3161),
    /// A bucket whose objects nobody can remove before their time (S3 Object Lock).
    S3(S3),
}

/// A checkpoint on its way out.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note, byte for byte as it is kept.
    pub note: String,
    /// When it is taken there.
    pub at: DateTime<Utc>,
}

/// A checkpoint that is out of reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where it is, for people: a path, a commit, an object, or the time that was stamped.
    pub place: String,
    /// What the place gave as proof, whole: a time stamp with its certificates, the id of a commit
    /// or of a version, the path of a file.
    pub proof: Vec<u8>,
}

/// Why an anchor was not made; it may be tried again. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotMade {
    /// What happened, and what to do.
    pub why: String,
}

impl NotMade {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// A request without a whole answer. Nothing of the URL but its host is in the error.
fn told(error: &OutboundError) -> NotMade {
    NotMade::new(format!("{error}: {}", error.kind))
}

impl Anchor {
    /// Name and kind.
    #[must_use]
    pub fn named(&self) -> AnchorName {
        let kind = match self.place {
            Place::Folder(_) => AnchorKind::Folder,
            Place::Git(_) => AnchorKind::Git,
            Place::Rfc3161(_) => AnchorKind::Rfc3161,
            Place::S3(_) => AnchorKind::S3,
        };
        AnchorName { name: self.name.clone(), kind }
    }

    /// Takes a checkpoint there, once.
    ///
    /// # Errors
    ///
    /// Returns [`NotMade`] when nothing shows that it is there. It may be there all the same.
    pub async fn make(&self, parcel: &Parcel) -> Result<Made, NotMade> {
        match &self.place {
            Place::Folder(folder) => folder.make(parcel).await,
            Place::Git(git) => git.make(parcel).await,
            Place::Rfc3161(authority) => authority.make(parcel).await,
            Place::S3(bucket) => bucket.make(parcel).await,
        }
    }
}

impl Parcel {
    /// The name of its file: ledger and size, so that all of them sort by size.
    #[must_use]
    pub fn file_name(&self) -> String {
        let plain = |it: char| if it.is_ascii_alphanumeric() { it } else { '-' };
        let origin: String = self.checkpoint.origin.chars().map(plain).collect();
        format!("{origin}-{:012}.checkpoint", self.checkpoint.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_sort_by_size_and_lead_nowhere_else() {
        let name = |origin: &str, size| {
            let checkpoint = Checkpoint { origin: origin.to_owned(), size, root: [0; 32] };
            let note = checkpoint.to_string();
            Parcel { checkpoint, note, at: DateTime::UNIX_EPOCH }.file_name()
        };
        assert_eq!(name("driftline/1a2b", 1204), "driftline-1a2b-000000001204.checkpoint");
        assert_eq!(name("../x y", 1), "---x-y-000000000001.checkpoint");
        assert!(name("a", 9) < name("a", 10));
    }
}
