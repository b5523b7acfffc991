//! Verification: everything computed anew from the entries as they are kept, and the first thing
//! named that is not what was written.
//!
//! What it shows: no entry was changed, taken out, put in or moved since a checkpoint that
//! somebody holds, or since it was signed with a key that the forger does not have. What it cannot
//! show: what was left out when it was written.

use domain::Digest;

use crate::keys::ids;
use crate::tree::leaf_hash;
use crate::{Checkpoint, Edge, EntryHead, KeyRing, Note, Order, PublicKey, Untimely, VERSION};

/// An entry as it is kept, with what is kept beside it.
#[derive(Clone, Copy, Debug)]
pub struct StoredEntry<'e> {
    /// Its place.
    pub seq: u64,
    /// Its type.
    pub kind: &'e str,
    /// Its bytes.
    pub entry: &'e [u8],
    /// Its hash.
    pub hash: &'e [u8],
}

/// The first thing that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// An entry is not there, though later ones or a checkpoint say that it was.
    #[error("entry {seq} is missing")]
    Missing {
        /// Which.
        seq: u64,
    },

    /// An entry does not match its own hash, or says another place or type than it has.
    #[error("entry {seq} is not what was written")]
    Altered {
        /// Which.
        seq: u64,
    },

    /// Entries match their own hashes, and not the checkpoint over them.
    #[error("entries {first} to {last} are not those of the checkpoint over {size} entries", size = .last + 1)]
    Replaced {
        /// The first that may be meant.
        first: u64,
        /// The last.
        last: u64,
    },

    /// Entries are behind the last checkpoint: they were put there.
    #[error("entry {seq} is behind the last checkpoint, and no checkpoint was ever made over it")]
    Unchecked {
        /// The first of them.
        seq: u64,
    },

    /// A checkpoint cannot be read, or says another ledger or size than it has.
    #[error("the checkpoint over {size} entries is not what was written")]
    Checkpoint {
        /// Entries under it.
        size: u64,
    },

    /// A signature under a checkpoint is wrong.
    #[error("the signature of the key {id} under the checkpoint over {size} entries is wrong")]
    Forged {
        /// Entries under it.
        size: u64,
        /// The key's id.
        id: String,
    },

    /// A checkpoint is not signed, though a key was in force.
    #[error(
        "the checkpoint over {size} entries is not signed by a key that was in force ({in_force})"
    )]
    Unsigned {
        /// Entries under it.
        size: u64,
        /// Ids of the keys in force.
        in_force: String,
    },

    /// An entry about a key cannot be understood, or says what cannot be.
    #[error("entry {seq} is about a key, and says what cannot be")]
    Key {
        /// Which.
        seq: u64,
    },

    /// A disclosed fact is not the one whose digest an entry has.
    #[error("a fact that is kept beside entry {seq} is not the one that was written")]
    Fact {
        /// Which entry.
        seq: u64,
    },

    /// A run was saved, and no entry says so.
    #[error("run {run} is kept, and no entry tells of it")]
    NoRun {
        /// Which.
        run: i64,
    },

    /// The report that is kept is not the one whose digest the entry of its run has.
    #[error("the report of run {run} is not the one that entry {seq} has the digest of")]
    Report {
        /// Which run.
        run: i64,
        /// The entry of that run.
        seq: u64,
    },

    /// What a place gave for a checkpoint is not what its entry has the digest of, or one of the
    /// two is not there.
    #[error(
        "what the anchor `{name}` gave for the checkpoint over {size} entries is not what was written"
    )]
    Anchor {
        /// Its name.
        name: String,
        /// Entries under the checkpoint.
        size: u64,
    },

    /// A line says what a person did, and no entry tells of that.
    #[error("line {id} of `{table}` says what a person did, and no entry tells of it")]
    NotSaid {
        /// Of which table.
        table: &'static str,
        /// Which.
        id: i64,
    },

    /// An entry tells what a person did, and no line says so.
    #[error(
        "entry {seq} ({kind}) tells what a person did, and no line of the tables says so any more"
    )]
    NotKept {
        /// Its place.
        seq: u64,
        /// Its type.
        kind: String,
    },

    /// A fact beside an entry is not there, and nobody was erased since.
    #[error(
        "a fact that was kept beside entry {seq} is gone, and no erasure after it tells of that"
    )]
    FactGone {
        /// Which entry.
        seq: u64,
    },

    /// A random name stands for somebody else than the facts beside an entry say, or for nobody.
    #[error("`ledger_subject` has another name for whom entry {seq} is about, or for who did it")]
    Name {
        /// Which entry.
        seq: u64,
    },

    /// What is kept of leavers, and the entry that tells of it, differ; or one is not there.
    #[error("entry {seq} and what `{table}` has of leavers do not fit")]
    Leaver {
        /// The entry.
        seq: u64,
        /// Which table.
        table: &'static str,
    },

    /// What is left of what was erased, and the entry that tells of it, differ; or one is not there.
    #[error("entry {seq} and what was erased by it do not fit")]
    Erasure {
        /// Its place.
        seq: u64,
    },

    /// The ledger is shorter than a checkpoint that somebody holds.
    #[error(
        "the ledger has {size} entries, and the checkpoint that you hold is over {held}: entries were taken off its end"
    )]
    Shorter {
        /// What there is.
        size: u64,
        /// What there was.
        held: u64,
    },

    /// The ledger does not begin with what a checkpoint that somebody holds is over.
    #[error(
        "the first {held} entries are not those of the checkpoint that you hold: the history was written again"
    )]
    Rewritten {
        /// Entries under the checkpoint.
        held: u64,
    },

    /// The head is not signed by a key that the one that somebody holds vouches for.
    #[error("the newest checkpoint is not signed by the key {id}, nor by one that it announced")]
    Untrusted {
        /// The id of the key that somebody holds.
        id: String,
    },
}

/// A ledger that is what was written, as far as can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its newest checkpoint; `None`: it has no entry.
    pub head: Option<Checkpoint>,
    /// How many checkpoints were checked.
    pub n_checkpoints: u64,
    /// Its keys.
    pub keys: KeyRing,
    /// Which of them signed the newest checkpoint. Empty: nobody did.
    pub signed_by: Vec<PublicKey>,
    /// Entries that say an earlier time than a run ahead of them, the first few. They are what was
    /// written, and not when they say.
    pub untimely: Vec<Untimely>,
    /// How many there are.
    pub n_untimely: u64,
}

/// Untimely entries that are named: enough to look for the cause.
const UNTIMELY_MAX: usize = 20;

/// Takes in a ledger from its first entry on, each checkpoint after the last entry under it.
#[derive(Clone, Debug)]
pub struct Verifier {
    origin: String,
    edge: Edge,
    ring: KeyRing,
    /// The keys at the last checkpoint.
    before: KeyRing,
    head: Option<(Checkpoint, Note)>,
    n_checkpoints: u64,
    held: Option<Checkpoint>,
    trusted: Option<Trusted>,
    order: Order,
    untimely: Vec<Untimely>,
    n_untimely: u64,
}

/// A key that somebody holds, and those that it vouches for.
#[derive(Clone, Debug)]
struct Trusted {
    held: PublicKey,
    keys: Vec<PublicKey>,
}

impl Verifier {
    /// Begins with nothing but the name of the ledger.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            edge: Edge::default(),
            ring: KeyRing::default(),
            before: KeyRing::default(),
            head: None,
            n_checkpoints: 0,
            held: None,
            trusted: None,
            order: Order::default(),
            untimely: Vec::new(),
            n_untimely: 0,
        }
    }

    /// Checks besides that the ledger begins with what this checkpoint is over.
    #[must_use]
    pub fn since(mut self, held: Checkpoint) -> Self {
        self.held = Some(held);
        self
    }

    /// Checks besides that the newest checkpoint is signed by this key, or by one that was
    /// announced under its signature.
    #[must_use]
    pub fn trusting(mut self, key: PublicKey) -> Self {
        self.trusted = Some(Trusted { held: key.clone(), keys: vec![key] });
        self
    }

    /// How many entries it took in.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The right edge of the tree over what it took in.
    #[must_use]
    pub const fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Takes in the next entry, and gives back its head.
    ///
    /// # Errors
    ///
    /// [`Broken`] when it is not what was written.
    pub fn entry<'e>(&mut self, stored: StoredEntry<'e>) -> Result<EntryHead<'e>, Broken> {
        let StoredEntry { seq, kind, entry, hash } = stored;
        if seq != self.size() {
            return Err(Broken::Missing { seq: self.size() });
        }
        let leaf = leaf_hash(entry);
        let head = EntryHead::parse(entry)
            .filter(|it| leaf == hash && it.v == VERSION && it.seq == seq && it.kind == kind)
            .ok_or(Broken::Altered { seq })?;
        self.ring.take(&self.origin, seq, kind, entry).ok_or(Broken::Key { seq })?;
        self.edge.push(leaf);
        let at = head.at.parse().ok();
        if let Some(it) = at.and_then(|at| self.order.take(seq, kind, at)) {
            self.n_untimely += 1;
            if self.untimely.len() < UNTIMELY_MAX {
                self.untimely.push(it);
            }
        }
        match &self.held {
            Some(held) if held.size == self.size() && held.root != self.edge.root() => {
                Err(Broken::Rewritten { held: held.size })
            }
            _ => Ok(head),
        }
    }

    /// Takes in the checkpoint over `size` entries.
    ///
    /// # Errors
    ///
    /// [`Broken`] when it, or an entry under it, is not what was written.
    pub fn checkpoint(&mut self, size: u64, note: &str) -> Result<(), Broken> {
        if size > self.size() {
            return Err(Broken::Missing { seq: self.size() });
        }
        let wrong = || Broken::Checkpoint { size };
        let note = Note::parse(note).map_err(|_| wrong())?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_| wrong())?;
        if size != self.size() || (checkpoint.size, &checkpoint.origin) != (size, &self.origin) {
            return Err(wrong());
        }
        if checkpoint.root != self.edge.root() {
            let first = self.head.as_ref().map_or(0, |it| it.0.size);
            return Err(Broken::Replaced { first, last: size.saturating_sub(1) });
        }
        self.check_signatures(size, &note)?;
        self.before.clone_from(&self.ring);
        self.head = Some((checkpoint, note));
        self.n_checkpoints += 1;
        Ok(())
    }

    fn check_signatures(&mut self, size: u64, note: &Note) -> Result<(), Broken> {
        if let Some(key) = self.ring.forged(note) {
            return Err(Broken::Forged { size, id: key.short_id() });
        }
        let signers = self.ring.signers(&self.before);
        if !signers.is_empty() && !signers.iter().any(|it| note.is_signed_by(it) == Some(true)) {
            return Err(Broken::Unsigned { size, in_force: ids(&signers) });
        }
        if let Some(trusted) = &mut self.trusted
            && trusted.keys.iter().any(|it| note.is_signed_by(it) == Some(true))
        {
            let new = self.ring.keys().iter().skip(self.before.keys().len());
            trusted.keys.extend(new.map(|it| it.key.clone()));
        }
        Ok(())
    }

    /// Says what came of it, after the last entry and checkpoint.
    ///
    /// # Errors
    ///
    /// [`Broken`] when the end is not that of the ledger.
    pub fn finish(self) -> Result<Verified, Broken> {
        let n_checked = self.head.as_ref().map_or(0, |it| it.0.size);
        if self.size() > n_checked {
            return Err(Broken::Unchecked { seq: n_checked });
        }
        if let Some(held) = self.held.filter(|it| it.size > self.edge.size()) {
            return Err(Broken::Shorter { size: self.edge.size(), held: held.size });
        }
        let (head, note) = self.head.unzip();
        let is_signed =
            |key: &PublicKey| note.as_ref().and_then(|it| it.is_signed_by(key)) == Some(true);
        let signed_by: Vec<PublicKey> =
            self.ring.in_force().into_iter().filter(|it| is_signed(it)).cloned().collect();
        if let Some(Trusted { held, keys }) = &self.trusted
            && !signed_by.iter().any(|it| keys.contains(it))
        {
            return Err(Broken::Untrusted { id: held.short_id() });
        }
        Ok(Verified {
            head,
            n_checkpoints: self.n_checkpoints,
            keys: self.ring,
            signed_by,
            untimely: self.untimely,
            n_untimely: self.n_untimely,
        })
    }
}

impl Verified {
    /// How many entries, and the root over them; of an empty ledger 0 and nothing.
    #[must_use]
    pub fn size_and_root(&self) -> (u64, Option<Digest>) {
        self.head.as_ref().map_or((0, None), |it| (it.size, Some(it.root)))
    }
}
