//! The keys of a ledger, as its own entries name them: which are in force, and which of them a
//! checkpoint has to be signed with.

use serde::Deserialize;

use crate::event::Kind;
use crate::{LedgerError, Note, PublicKey};

/// Where one key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStanding {
    /// The key.
    pub key: PublicKey,
    /// The entry that announced it.
    pub added: u64,
    /// The entry that revoked it; `None` while it is in force.
    pub revoked: Option<u64>,
}

/// The keys of a ledger so far, in the order in which they were announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRing {
    keys: Vec<KeyStanding>,
}

/// What the entries about keys say.
#[derive(Deserialize)]
struct KeyEntry {
    body: KeyBody,
}

#[derive(Deserialize)]
struct KeyBody {
    key: String,
}

impl KeyRing {
    /// All keys.
    #[must_use]
    pub fn keys(&self) -> &[KeyStanding] {
        &self.keys
    }

    /// The keys in force.
    #[must_use]
    pub fn in_force(&self) -> Vec<&PublicKey> {
        self.keys.iter().filter(|it| it.revoked.is_none()).map(|it| &it.key).collect()
    }

    /// Takes in one entry, if it is about a key. `None`: it is, and cannot be understood, names a
    /// key of another ledger, announces one twice or revokes one that is not in force.
    #[must_use]
    pub fn take(&mut self, origin: &str, seq: u64, kind: &str, entry: &[u8]) -> Option<()> {
        let (is_added, is_revoked) =
            (kind == Kind::KeyAdded.name(), kind == Kind::KeyRevoked.name());
        if !is_added && !is_revoked {
            return Some(());
        }
        let entry: KeyEntry = serde_json::from_slice(entry).ok()?;
        let key = PublicKey::parse(&entry.body.key).ok().filter(|it| it.name() == origin)?;
        let known = self.keys.iter_mut().find(|it| it.key == key);
        match known {
            None if is_added => self.keys.push(KeyStanding { key, added: seq, revoked: None }),
            Some(known) if is_revoked && known.revoked.is_none() => known.revoked = Some(seq),
            _ => return None,
        }
        Some(())
    }

    /// Of which keys one has to sign the checkpoint over entries that were taken in since `before`:
    /// one that was in force before them and still is. Where there was none, one that they
    /// announce. Empty: nobody has to sign it.
    #[must_use]
    pub fn signers(&self, before: &Self) -> Vec<&PublicKey> {
        let still: Vec<&PublicKey> =
            self.in_force().into_iter().filter(|key| before.in_force().contains(key)).collect();
        if still.is_empty() && before.in_force().is_empty() { self.in_force() } else { still }
    }

    /// Checks a key that is to sign the next checkpoint. Returns true when it has to be announced
    /// first: it is the first one that is in force.
    ///
    /// # Errors
    ///
    /// [`LedgerError::KeyOfAnother`], [`LedgerError::KeyUnknown`] and [`LedgerError::KeyRevoked`].
    pub fn is_new(&self, origin: &str, key: &PublicKey) -> Result<bool, LedgerError> {
        if key.name() != origin {
            let (name, origin) = (key.name().to_owned(), origin.to_owned());
            return Err(LedgerError::KeyOfAnother { name, origin });
        }
        let known = self.keys.iter().find(|it| it.key == *key);
        let in_force = self.in_force();
        match known.map(|it| it.revoked) {
            Some(None) => Ok(false),
            Some(Some(seq)) => Err(LedgerError::KeyRevoked { id: key.short_id(), seq }),
            None if in_force.is_empty() => Ok(true),
            None => Err(LedgerError::KeyUnknown { id: key.short_id(), in_force: ids(&in_force) }),
        }
    }

    /// Checks that one of `keys` is one that has to sign: see [`KeyRing::signers`].
    ///
    /// # Errors
    ///
    /// [`LedgerError::KeyNeeded`].
    pub fn check_signers(&self, before: &Self, keys: &[&PublicKey]) -> Result<(), LedgerError> {
        let signers = self.signers(before);
        if signers.is_empty() || signers.iter().any(|it| keys.contains(it)) {
            Ok(())
        } else {
            Err(LedgerError::KeyNeeded { in_force: ids(&signers) })
        }
    }

    /// The first known key of which the note bears a wrong signature.
    pub(crate) fn forged(&self, note: &Note) -> Option<&PublicKey> {
        self.keys.iter().map(|it| &it.key).find(|it| note.is_signed_by(it) == Some(false))
    }
}

/// Ids of keys as people read them.
pub(crate) fn ids(keys: &[&PublicKey]) -> String {
    keys.iter().map(|it| it.short_id()).collect::<Vec<String>>().join(", ")
}
