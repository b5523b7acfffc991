//! Signatures of `ssh-keygen -Y`, which auditors have: made and checked with Ed25519 keys. Who may
//! sign, and when, stands in a file of `allowed_signers` that comes from outside the bag.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig};

use crate::EvidenceError;

/// What a signature is for: one that was made for something else is none of a bag.
pub const NAMESPACE: &str = "driftline-evidence-v1";

/// A key that signs bags. Shows its public part alone.
pub struct SigningKey {
    public: PublicKey,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

impl SigningKey {
    /// Makes the text of a new key from 32 random bytes: what its file holds. `identity` is who signs
    /// with it, as `evidence@example.com`.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::NotAKey`] when nobody can be called so.
    pub fn text_of(identity: &str, seed: &[u8; 32]) -> Result<String, EvidenceError> {
        let is_plain = !identity.is_empty()
            && identity.chars().all(|it| it.is_ascii_graphic() && !"\",*?!".contains(it));
        if !is_plain {
            let why = "write who signs with it without spaces, as `evidence@example.com`";
            return Err(EvidenceError::NotAKey(why));
        }
        let wrong = EvidenceError::NotAKey("its seed makes no Ed25519 key");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| wrong)?;
        let wrong = |_| EvidenceError::NotAKey("its public part has another length");
        let public = pair.public_key().as_ref().try_into().map(Ed25519PublicKey).map_err(wrong)?;
        let private = Ed25519PrivateKey::from_bytes(seed);
        let data = KeypairData::Ed25519(Ed25519Keypair { public, private });
        let unwritten = |_| EvidenceError::NotAKey("it cannot be written");
        let key = PrivateKey::new(data, identity).map_err(unwritten)?;
        Ok(key.to_openssh(LineEnding::LF).map_err(unwritten)?.to_string())
    }

    /// Reads an OpenSSH private key, Ed25519 and without a passphrase.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::NotAKey`] for anything else; it never holds the text.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let wrong = |why| EvidenceError::NotAKey(why);
        let key = PrivateKey::from_openssh(text).map_err(|_| {
            wrong("it is no OpenSSH private key: `driftline evidence key new` makes one")
        })?;
        if key.is_encrypted() {
            return Err(wrong("it has a passphrase, and nobody is there to type it"));
        }
        let KeypairData::Ed25519(pair) = key.key_data() else {
            return Err(wrong("it is no Ed25519 key"));
        };
        let (seed, public) = (pair.private.to_bytes(), pair.public.0);
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public)
            .map_err(|_| wrong("its two parts are not of one key"))?;
        Ok(Self { public: key.public_key().clone(), pair })
    }

    /// Its line of a file of `allowed_signers`, for those who check.
    #[must_use]
    pub fn allowed(&self) -> String {
        let key = PublicKey::new(self.public.key_data().clone(), "");
        let key = key.to_openssh().unwrap_or_default();
        let identity = self.identity();
        format!("{identity} namespaces=\"{NAMESPACE}\" {}\n", key.trim_end())
    }

    /// Who signs with it.
    #[must_use]
    pub fn identity(&self) -> &str {
        if self.public.comment().is_empty() { "evidence" } else { self.public.comment() }
    }

    /// Its fingerprint, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Signs some bytes: what `ssh-keygen -Y sign` writes.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::NotAKey`] when the signature cannot be written.
    pub fn sign(&self, message: &[u8]) -> Result<String, EvidenceError> {
        self.sign_for(NAMESPACE, message)
    }

    fn sign_for(&self, namespace: &str, message: &[u8]) -> Result<String, EvidenceError> {
        let unwritten = |_| EvidenceError::NotAKey("its signature cannot be written");
        let data = SshSig::signed_data(namespace, HashAlg::Sha512, message).map_err(unwritten)?;
        let bytes = self.pair.sign(&data).as_ref().to_vec();
        let signature = Signature::new(Algorithm::Ed25519, bytes).map_err(unwritten)?;
        let key = self.public.key_data().clone();
        SshSig::new(key, namespace, HashAlg::Sha512, signature)
            .and_then(|it| it.to_pem(LineEnding::LF))
            .map_err(unwritten)
    }
}

/// Who may sign, by the file that somebody brings along.
#[derive(Clone, Debug, Default)]
pub struct AllowedSigners {
    lines: Vec<Allowed>,
}

/// One line of such a file.
#[derive(Clone, Debug)]
struct Allowed {
    principal: String,
    namespaces: Option<Vec<String>>,
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    key: KeyData,
}

impl AllowedSigners {
    /// Reads a file of `allowed_signers` (`ssh-keygen(1)`). Keys of other kinds than Ed25519 are
    /// passed over.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::NotATrust`] naming the line that is none.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let mut lines = Vec::new();
        for (at, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = allowed(line).ok_or_else(|| {
                EvidenceError::NotATrust(format!("line {at} of `allowed_signers` is none"))
            })?;
            lines.extend(read);
        }
        Ok(Self { lines })
    }

    /// Checks a signature over some bytes that were signed at `at`, as those who signed say. Returns
    /// who it was.
    ///
    /// # Errors
    ///
    /// Why it is not one that was allowed, in a sentence.
    pub fn check(
        &self,
        signature: &str,
        message: &[u8],
        at: DateTime<Utc>,
    ) -> Result<String, String> {
        let signature =
            SshSig::from_pem(signature).map_err(|_| "it is no SSH signature".to_owned())?;
        if signature.namespace() != NAMESPACE {
            let found = signature.namespace();
            return Err(format!("it was made for `{found}`, and not for `{NAMESPACE}`"));
        }
        let key = signature.public_key();
        let Some(bytes) = key.ed25519() else {
            return Err("its key is no Ed25519 key".to_owned());
        };
        let print = key.fingerprint(HashAlg::Sha256);
        let data = SshSig::signed_data(NAMESPACE, signature.hash_alg(), message);
        let is_good = data.is_ok_and(|data| {
            UnparsedPublicKey::new(&ED25519, bytes.0)
                .verify(&data, signature.signature_bytes())
                .is_ok()
        });
        if !is_good {
            return Err(format!("it is not one of the key {print} over this file"));
        }
        let of_key: Vec<&Allowed> = self.lines.iter().filter(|it| it.key == *key).collect();
        if of_key.is_empty() {
            return Err(format!("the key {print} is not in your `allowed_signers`"));
        }
        let for_this = |it: &&&Allowed| {
            it.namespaces.as_ref().is_none_or(|it| it.iter().any(|it| it == NAMESPACE))
        };
        let Some(first) = of_key.iter().find(for_this) else {
            return Err(format!("the key {print} may not sign for `{NAMESPACE}`"));
        };
        let in_time = |it: &&&Allowed| {
            it.after.is_none_or(|after| after <= at) && it.before.is_none_or(|before| at < before)
        };
        match of_key.iter().filter(for_this).find(in_time) {
            Some(it) => Ok(format!("{} with the key {print}", it.principal)),
            None => Err(format!("the key {print} of {} was not valid at {at}", first.principal)),
        }
    }
}

/// One line; `Some(None)`: a key that is not ours to check.
fn allowed(line: &str) -> Option<Option<Allowed>> {
    let (principal, mut rest) = line.split_once(char::is_whitespace)?;
    let (mut namespaces, mut after, mut before) = (None, None, None);
    rest = rest.trim_start();
    while !rest.starts_with("ssh-") && !rest.starts_with("ecdsa-") && !rest.starts_with("sk-") {
        let (option, left) = split_option(rest)?;
        match option.split_once('=') {
            Some((name, value)) => {
                let value = value.trim_matches('"');
                if name.eq_ignore_ascii_case("namespaces") {
                    namespaces = Some(value.split(',').map(str::to_owned).collect());
                } else if name.eq_ignore_ascii_case("valid-after") {
                    after = Some(time(value)?);
                } else if name.eq_ignore_ascii_case("valid-before") {
                    before = Some(time(value)?);
                } else {
                    return None;
                }
            }
            None if option.eq_ignore_ascii_case("cert-authority") => return Some(None),
            None => return None,
        }
        rest = left;
    }
    let key = PublicKey::from_openssh(rest).ok()?;
    if !key.key_data().is_ed25519() {
        return Some(None);
    }
    let (principal, key) = (principal.to_owned(), key.key_data().clone());
    Some(Some(Allowed { principal, namespaces, after, before, key }))
}

/// The first option and what follows it: commas and spaces in quotes are its own.
fn split_option(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    for (at, it) in text.char_indices() {
        match it {
            '"' => is_quoted = !is_quoted,
            ',' | ' ' | '\t' if !is_quoted => {
                let (option, rest) = text.split_at(at);
                return Some((option, rest.trim_start_matches([',', ' ', '\t'])));
            }
            _ => {}
        }
    }
    None
}

/// `YYYYMMDD[Z]` or `YYYYMMDDHHMM[SS][Z]`, taken as UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_end_matches('Z');
    let at = match text.len() {
        8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok()?.and_hms_opt(0, 0, 0)?,
        12 => NaiveDateTime::parse_from_str(&format!("{text}00"), "%Y%m%d%H%M%S").ok()?,
        14 => NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok()?,
        _ => return None,
    };
    Some(at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        let text = SigningKey::text_of("evidence@example.com", &[seed; 32]).unwrap();
        SigningKey::parse(&text).unwrap()
    }

    fn at() -> DateTime<Utc> {
        "2026-11-20T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_signature_is_good_for_its_file_its_key_its_purpose_and_its_time() {
        let (mine, other) = (key(1), key(2));
        let signature = mine.sign(b"manifest").unwrap();
        let line = mine.allowed();
        let check = |allowed: &str, message: &[u8]| {
            AllowedSigners::parse(allowed).unwrap().check(&signature, message, at())
        };
        assert!(
            check(&line, b"manifest").unwrap().starts_with("evidence@example.com with the key")
        );
        let dated = |dates: &str| line.replace("namespaces", &format!("{dates},namespaces"));
        #[rustfmt::skip]
        let table = [
            ( line.clone(),                                   &b"Manifest"[..], "over this file" ),
            ( other.allowed(),                                b"manifest",      "not in your `allowed_signers`" ),
            ( line.replace(NAMESPACE, "git"),                 b"manifest",      "may not sign for" ),
            ( dated("valid-before=\"20261120Z\""),            b"manifest",      "was not valid at" ),
            ( dated("valid-after=\"202611200801Z\""),         b"manifest",      "was not valid at" ),
        ];
        for (allowed, message, why) in table {
            let error = check(&allowed, message).unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
        }
        assert!(
            check(&dated("valid-after=\"20261120Z\",valid-before=\"20271120Z\""), b"manifest")
                .is_ok()
        );
        let for_git = mine.sign_for("git", b"manifest").unwrap();
        let anybody = line.replace(&format!("namespaces=\"{NAMESPACE}\" "), "");
        let error = AllowedSigners::parse(&anybody).unwrap().check(&for_git, b"manifest", at());
        assert!(error.unwrap_err().contains("was made for `git`"));
        assert!(AllowedSigners::parse("# nobody\n\n").is_ok());
        assert!(AllowedSigners::parse("somebody").is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        for text in ["", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n"] {
            let error = SigningKey::parse(text).unwrap_err().to_string();
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
        assert!(SigningKey::text_of("two words", &[1; 32]).is_err());
        assert!(!format!("{:?}", key(1)).contains("PRIVATE"));
    }
}
