//! What cannot be read as what it should be, or is too long to be kept.

/// Why something is no part of a ledger. Never holds a secret or what an entry says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// An entry would be longer than tiles can hold.
    #[error("an entry of the type `{kind}` would have {len} bytes, and at most {max} can be kept")]
    TooLong {
        /// Its type.
        kind: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The longest that there is.
        max: usize,
    },

    /// An entry holds a number that is not whole, or larger than every reader has it exactly.
    #[error("an entry of the type `{kind}` cannot be written as canonical JSON")]
    NotCanonical {
        /// Its type.
        kind: &'static str,
    },

    /// Not the text of a key.
    #[error("that is no key of a ledger: {what}")]
    NotAKey {
        /// Why not.
        what: &'static str,
    },

    /// Not a signed note.
    #[error("that is no signed note: {what}")]
    NotANote {
        /// Why not.
        what: &'static str,
    },

    /// Not a checkpoint.
    #[error("that is no checkpoint: {what}")]
    NotACheckpoint {
        /// Why not.
        what: &'static str,
    },

    /// Not a proof.
    #[error("that is no proof of an entry: {what}")]
    NotAProof {
        /// Why not.
        what: &'static str,
    },

    /// The proof does not lead to the root.
    #[error("that is not entry {index} of the checkpoint")]
    NotProven {
        /// Which entry it should be.
        index: u64,
    },

    /// The key was never announced, and another one is in force.
    #[error(
        "the key {id} was never announced in the ledger, and {in_force} is in force: sign with that one, \
         or announce the new one with `driftline ledger key rotate`"
    )]
    KeyUnknown {
        /// The key's id.
        id: String,
        /// Ids of the keys in force.
        in_force: String,
    },

    /// The key was revoked.
    #[error(
        "the key {id} was revoked in entry {seq}: make a new one with `driftline ledger key new`"
    )]
    KeyRevoked {
        /// The key's id.
        id: String,
        /// Where.
        seq: u64,
    },

    /// The ledger is signed, and nothing is there to sign with.
    #[error(
        "the ledger is signed with the key {in_force}, and the settings name none: name it as \
         `ledger.signing_key`, or, if it is lost, revoke it with `driftline ledger key revoke`"
    )]
    KeyNeeded {
        /// Ids of the keys in force.
        in_force: String,
    },

    /// The key is for another ledger.
    #[error("the key is one of the ledger `{name}`, and this one is `{origin}`: name its own key")]
    KeyOfAnother {
        /// Whose key it is.
        name: String,
        /// This ledger.
        origin: String,
    },
}
