//! The evidence log: what a run saw and concluded and what people did, each an entry that nobody
//! can change unnoticed.
//!
//! A Merkle tree as in RFC 6962 over entries in canonical JSON (RFC 8785), checkpoints as C2SP
//! signed notes, tiles and proofs as in C2SP `tlog-tiles` and `tlog-proof`. Functions from values
//! to values: the caller brings entries, keys, times and random bytes, and keeps what comes out.
//!
//! Never here: a database, a clock, a random number. And never personal data in clear in an
//! entry: what may have to be erased is a salted digest there, and is disclosed beside it.

mod canonical;
mod checkpoint;
mod entry;
mod erasure;
mod error;
mod event;
mod keys;
mod leaver;
mod note;
mod order;
mod proof;
mod tile;
mod tree;
mod verify;
mod watching;

pub use checkpoint::Checkpoint;
pub use entry::{EntryHead, LEN_MAX, Sealed, VERSION, digest_of, disclosed, seal};
pub use erasure::Erasure;
pub use error::LedgerError;
pub use event::{Actor, Basis, Event, Kind, ListSeen, RunSeen, Who};
pub use keys::{KeyRing, KeyStanding};
pub use leaver::Exported;
pub use note::{Note, PublicKey, SecretKey};
pub use order::{CLOCK_BACK_MAX, Order, Untimely};
pub use proof::{Proof, Subtrees, consistency, inclusion, proves_consistency, proves_inclusion};
pub use tile::{TILE_WIDTH, Tile, bundle, tile_hashes, tiles};
pub use tree::{Edge, Hashed, leaf_hash, node_hash, root_of, sha256};
pub use verify::{Broken, StoredEntry, Verified, Verifier};
