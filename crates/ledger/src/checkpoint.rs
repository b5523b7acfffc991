//! Checkpoints: the head of a ledger as three lines of text (C2SP, `tlog-checkpoint`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Digest;

use crate::LedgerError;

/// The head of a ledger: which ledger, how many entries, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the ledger, which never changes.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads the text of a checkpoint. Lines after the third are extensions, and passed over.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotACheckpoint`] for anything else.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let wrong = |what| LedgerError::NotACheckpoint { what };
        let text = text.strip_suffix('\n').ok_or(wrong("it does not end with a line end"))?;
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|it| !it.is_empty()).ok_or(wrong("it has no origin"))?;
        let size = lines.next().ok_or(wrong("it has no size"))?;
        let is_plain = size == "0" || !size.starts_with(['0', '+']);
        let size = size.parse().ok().filter(|_| is_plain).ok_or(wrong("its size is no number"))?;
        let root = lines.next().and_then(decoded).ok_or(wrong("its root is no hash"))?;
        if lines.any(str::is_empty) {
            return Err(wrong("it has an empty line"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, encoded(&self.root))
    }
}

/// A hash as text.
pub(crate) fn encoded(digest: &Digest) -> String {
    STANDARD.encode(digest)
}

/// A hash from text.
pub(crate) fn decoded(text: &str) -> Option<Digest> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_and_what_is_none_is_refused() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap(); // The example of the specification.
        assert_eq!((checkpoint.size, checkpoint.to_string()), (20_852_163, text.to_owned()));
        assert_eq!(Checkpoint::parse(&format!("{text}extension\n")).unwrap(), checkpoint);
        for (from, to) in [
            ("20852163", "020852163"),
            ("20852163", "+20852163"),
            ("20852163", ""),
            ("CsUY", "Cs"),
            ("CsUY", "C*UY"),
            ("example.com/behind-the-sofa", ""),
            ("q2I=\n", "q2I=\n\n"),
            ("q2I=\n", "q2I="),
        ] {
            let error = Checkpoint::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(matches!(error, LedgerError::NotACheckpoint { .. }), "{from} {to}");
        }
    }
}
