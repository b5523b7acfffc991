//! Signed notes with Ed25519 keys (C2SP, `signed-note`): what a checkpoint is signed as.
//!
//! Keys are written as Go's `golang.org/x/mod/sumdb/note` writes them, which every reader of
//! signed notes knows. A secret key never comes out of [`SecretKey`] again.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::LedgerError;
use crate::tree::sha256;

/// The byte for Ed25519 before keys and in their ids.
const ED25519_TYPE: u8 = 0x01;

/// Most signature lines in one note: the specification wants at least 16 to be taken.
const SIGNATURES_MAX: usize = 64;

/// Before a signature: an em dash and a space.
const MARK: &str = "\u{2014} ";

/// The public part of a key: whose name, and what checks a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: u32,
    bytes: [u8; 32],
}

impl PublicKey {
    fn new(name: &str, bytes: [u8; 32]) -> Result<Self, LedgerError> {
        if name.is_empty() || name.contains(|it: char| it.is_whitespace() || it == '+') {
            return Err(LedgerError::NotAKey {
                what: "its name is empty, or has a space or a `+`",
            });
        }
        let whole = [name.as_bytes(), b"\n", &[ED25519_TYPE], &bytes].concat();
        let [a, b, c, d, ..] = sha256(&whole);
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes([a, b, c, d]), bytes })
    }

    /// Reads `NAME+ID+KEY`, with the id in hexadecimal and the key in base64.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotAKey`] for anything else, also when the id is another key's.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(LedgerError::NotAKey { what: "write it as NAME+ID+KEY" });
        };
        let public = Self::new(name, key_bytes(key)?)?;
        if id != public.short_id() {
            return Err(LedgerError::NotAKey { what: "its id is another key's" });
        }
        Ok(public)
    }

    /// The name: for a ledger's key, the origin of the ledger.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id as people write it: eight hexadecimal digits.
    #[must_use]
    pub fn short_id(&self) -> String {
        format!("{:08x}", self.id)
    }

    fn is_good(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519_TYPE][..], &self.bytes].concat());
        write!(f, "{}+{}+{key}", self.name, self.short_id())
    }
}

/// A key that signs. Shows its public part alone.
pub struct SecretKey {
    public: PublicKey,
    pair: Ed25519KeyPair,
}

impl SecretKey {
    const PREFIX: &str = "PRIVATE+KEY+";

    /// Makes the text of a new key from 32 random bytes: what its file holds.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotAKey`] when no key can have that name.
    pub fn text_of(name: &str, seed: &[u8; 32]) -> Result<String, LedgerError> {
        let id = Self::from_seed(name, seed)?.public.short_id();
        let key = STANDARD.encode([&[ED25519_TYPE][..], seed].concat());
        Ok(format!("{}{name}+{id}+{key}\n", Self::PREFIX))
    }

    /// Reads the text of a key, `PRIVATE+KEY+NAME+ID+SEED`.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotAKey`] for anything else; it never holds the text.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let rest = text.trim_end_matches(['\n', '\r']).strip_prefix(Self::PREFIX);
        let rest = rest.ok_or(LedgerError::NotAKey { what: "it does not begin as one" })?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(seed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(LedgerError::NotAKey { what: "it is not whole" });
        };
        let key = Self::from_seed(name, &key_bytes(seed)?)?;
        if id != key.public.short_id() {
            return Err(LedgerError::NotAKey { what: "its id is another key's" });
        }
        Ok(key)
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, LedgerError> {
        let wrong = LedgerError::NotAKey { what: "its seed makes no Ed25519 key" };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| wrong)?;
        let wrong = LedgerError::NotAKey { what: "its public part has another length" };
        let bytes = pair.public_key().as_ref().try_into().map_err(|_| wrong)?;
        Ok(Self { public: PublicKey::new(name, bytes)?, pair })
    }

    /// Its public part.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public)
    }
}

fn key_bytes(text: &str) -> Result<[u8; 32], LedgerError> {
    let wrong = LedgerError::NotAKey { what: "it is no Ed25519 key in base64" };
    let bytes = STANDARD.decode(text.as_bytes()).ok();
    let key = bytes.as_deref().and_then(|it| it.strip_prefix(&[ED25519_TYPE]));
    key.and_then(|it| it.try_into().ok()).ok_or(wrong)
}

/// A text with the signatures under it. One without any is the text alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One line under a note.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Note {
    /// A note that nobody signed yet.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self { text, signatures: Vec::new() }
    }

    /// Reads a note, signed or not.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotANote`] for anything else.
    pub fn parse(note: &str) -> Result<Self, LedgerError> {
        let wrong = |what| LedgerError::NotANote { what };
        if note.bytes().any(|it| it < 0x20 && it != b'\n') {
            return Err(wrong("it has a control character"));
        }
        if !note.ends_with('\n') {
            return Err(wrong("it does not end with a line end"));
        }
        let Some(at) = note.rfind("\n\n") else { return Ok(Self::new(note.to_owned())) };
        let (text, below) = note.split_at(at + 1);
        let lines: Vec<&str> = below.lines().skip(1).collect();
        if lines.is_empty() || lines.len() > SIGNATURES_MAX {
            return Err(wrong("it has no signature, or too many"));
        }
        let signatures: Option<Vec<Signature>> = lines.into_iter().map(Signature::parse).collect();
        let signatures = signatures.ok_or(wrong("one of its last lines is no signature"))?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// What is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a signature.
    pub fn sign(&mut self, key: &SecretKey) {
        let PublicKey { name, id, .. } = key.public.clone();
        let bytes = key.pair.sign(self.text.as_bytes()).as_ref().to_vec();
        self.signatures.push(Signature { name, id, bytes });
    }

    /// Has this key signed it? `None`: it bears no signature of that name and id. `Some(false)`:
    /// it bears one, and that is wrong.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> Option<bool> {
        let mut mine =
            self.signatures.iter().filter(|it| it.id == key.id && it.name == key.name).peekable();
        mine.peek()?;
        Some(mine.all(|it| key.is_good(&self.text, &it.bytes)))
    }

    /// Bears it any signature, whoever's and good or not?
    #[must_use]
    pub const fn has_signature(&self) -> bool {
        !self.signatures.is_empty()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.has_signature() {
            f.write_str("\n")?;
        }
        for Signature { name, id, bytes } in &self.signatures {
            let bytes = STANDARD.encode([&id.to_be_bytes()[..], bytes].concat());
            writeln!(f, "{MARK}{name} {bytes}")?;
        }
        Ok(())
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.strip_prefix(MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(rest).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        let is_name =
            !name.is_empty() && !name.contains(|it: char| it.is_whitespace() || it == '+');
        is_name.then(|| Self {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Go's package `golang.org/x/mod/sumdb/note`.
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const NOTE: &str = "If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
";

    #[test]
    fn keys_and_notes_are_those_of_other_programs() {
        let (public, secret) =
            (PublicKey::parse(PUBLIC).unwrap(), SecretKey::parse(SECRET).unwrap());
        assert_eq!((secret.public(), public.to_string()), (&public, PUBLIC.to_owned()));
        let read = Note::parse(NOTE).unwrap();
        assert_eq!((read.is_signed_by(&public), read.to_string()), (Some(true), NOTE.to_owned()));
        let mut made = Note::new(read.text().to_owned());
        made.sign(&secret);
        assert_eq!(made, read);
    }

    #[test]
    fn a_signature_of_another_text_or_key_is_told_from_none() {
        let public = PublicKey::parse(PUBLIC).unwrap();
        let changed = Note::parse(&NOTE.replace("answer", "anewer")).unwrap();
        assert_eq!(changed.is_signed_by(&public), Some(false));
        let stranger = SecretKey::text_of("PeterNeumann", &[7; 32]).unwrap();
        let stranger = SecretKey::parse(&stranger).unwrap();
        assert_eq!(Note::parse(NOTE).unwrap().is_signed_by(stranger.public()), None);
        assert_eq!(Note::parse("text\n").unwrap().is_signed_by(&public), None);
    }

    #[test]
    fn what_is_no_note_and_no_key_is_refused() {
        let cut = &NOTE[..NOTE.len() - 1];
        for text in [
            "",
            "text",
            "text\n\n",
            "text\n\nwithout a mark\n",
            "a\tb\n",
            "text\n\n\u{2014} a AAAA\n",
            cut,
        ] {
            let read = Note::parse(text);
            assert!(matches!(read, Err(LedgerError::NotANote { .. })), "{text:?}");
        }
        for text in ["", "a", "a+b", "a+c74f20a3+AAAA", &PUBLIC.replace("c74f", "c74e"), SECRET] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
        }
        for text in ["", PUBLIC, "PRIVATE+KEY+a", &SECRET.replace("c74f", "c74e")] {
            let error = SecretKey::parse(text).unwrap_err();
            assert!(!error.to_string().contains("AYEK"), "{error}");
        }
        assert!(SecretKey::text_of("a b", &[0; 32]).is_err());
        assert!(!format!("{:?}", SecretKey::parse(SECRET).unwrap()).contains("AYEK"));
    }
}
