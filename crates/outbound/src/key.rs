//! Keys that sign: RS256, PS256 and ES256 (RFC 7518, 3.1), read from PEM or JWK. *ring*, which TLS
//! brings along, does the arithmetic.

use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair};
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::jwk;

/// A private key that signs: RSA (RS256) or P-256 (ES256). Debug prints its id only.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Pair>,
    key_id: Option<Arc<str>>,
}

pub(crate) enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// Why a file holds no key that we can sign with. Holds nothing of the key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub struct KeyError {
    /// What is wrong and what to do.
    pub what: String,
}

impl KeyError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl SigningKey {
    /// Reads a private key: PEM (PKCS#8, PKCS#1, SEC1), or a JWK in JSON. `key_id` is the `kid`
    /// that the server knows it by; `None`: the JWK's own, or none.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError`] when it is none of these, or neither RSA of 2048 to 4096 bits nor
    /// P-256.
    pub fn parse(file: &[u8], key_id: Option<&str>) -> Result<Self, KeyError> {
        let (pair, own_id) = match file.trim_ascii_start().first() {
            Some(b'{') => jwk::parse(file)?,
            _ => (of_pem(file)?, None),
        };
        let key_id = key_id.map(Arc::from).or_else(|| own_id.map(Arc::from));
        Ok(Self { pair: Arc::new(pair), key_id })
    }

    /// A new P-256 key of this process. `None` when the system has no randomness to give.
    pub(crate) fn generate() -> Option<Self> {
        let rng = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ES256, &rng).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(&ES256, pkcs8.as_ref(), &rng).ok()?;
        Some(Self { pair: Arc::new(Pair::P256(pair)), key_id: None })
    }

    /// The name of its algorithm.
    pub(crate) fn algorithm(&self) -> &'static str {
        match *self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    /// The name the server knows it by.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The two coordinates of the public half, 32 bytes each. `None` for RSA.
    pub(crate) fn point(&self) -> Option<(&[u8], &[u8])> {
        let Pair::P256(pair) = &*self.pair else { return None };
        // Uncompressed: 4, x, y.
        Some(pair.public_key().as_ref().strip_prefix(&[4])?.split_at(32))
    }

    /// The public modulus, big-endian without leading zeros. `None` for P-256.
    pub(crate) fn modulus(&self) -> Option<Vec<u8>> {
        let Pair::Rsa(pair) = &*self.pair else { return None };
        Some(PublicKeyComponents::<Vec<u8>>::from(pair.public()).n)
    }

    /// Signs. `None` when the arithmetic fails: parts of the key contradict each other.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &*self.pair {
            Pair::Rsa(pair) => sign_rsa(pair, &RSA_PKCS1_SHA256, message),
            Pair::P256(pair) => {
                Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec())
            }
        }
    }

    /// Signs as PS256. `None` when the arithmetic fails, and for P-256.
    pub(crate) fn sign_pss(&self, message: &[u8]) -> Option<Vec<u8>> {
        let Pair::Rsa(pair) = &*self.pair else { return None };
        sign_rsa(pair, &RSA_PSS_SHA256, message)
    }
}

fn sign_rsa(
    pair: &RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Option<Vec<u8>> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature).ok()?;
    Some(signature)
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// What is said of a key of another kind or size.
pub(crate) const NOT_OURS: &str =
    "is neither an RSA key of 2048 to 4096 bits nor a P-256 key: make one of these";

fn of_pem(file: &[u8]) -> Result<Pair, KeyError> {
    if String::from_utf8_lossy(file).contains("ENCRYPTED") {
        return Err(KeyError::new(
            "the key is encrypted: decrypt it with `openssl pkcs8 -in KEY -out PLAIN`, and guard the file",
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(file).map_err(|_| {
        KeyError::new("holds no private key: give it as PEM, with BEGIN PRIVATE KEY, or as a JWK")
    })?;
    let rng = SystemRandom::new();
    let pair = match &key {
        PrivateKeyDer::Pkcs1(key) => {
            RsaKeyPair::from_der(key.secret_pkcs1_der()).ok().map(Pair::Rsa)
        }
        PrivateKeyDer::Sec1(key) => {
            let pkcs8 = secrecy::zeroize::Zeroizing::new(pkcs8_of_sec1(key.secret_sec1_der()));
            EcdsaKeyPair::from_pkcs8(&ES256, &pkcs8, &rng).ok().map(Pair::P256)
        }
        PrivateKeyDer::Pkcs8(key) => {
            let der = key.secret_pkcs8_der();
            let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(Pair::Rsa);
            EcdsaKeyPair::from_pkcs8(&ES256, der, &rng).ok().map(Pair::P256).or_else(rsa)
        }
        _ => None,
    };
    pair.ok_or_else(|| KeyError::new(NOT_OURS))
}

/// Puts an `ECPrivateKey` (RFC 5915) into the PKCS#8 that *ring* reads (RFC 5958), for P-256.
fn pkcs8_of_sec1(sec1: &[u8]) -> Vec<u8> {
    /// Version 0; algorithm id-ecPublicKey over prime256v1.
    const HEAD: &[u8] = &[
        0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    const SEQUENCE: u8 = 0x30;
    const OCTETS: u8 = 0x04;
    der(SEQUENCE, &[HEAD, &der(OCTETS, sec1)].concat())
}

/// One DER value. A length past 65535 is written wrong, and refused by who reads it.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let mut value = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    value.extend_from_slice(content);
    value
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    macro_rules! key {
        ($file:literal) => {
            include_bytes!(concat!("../tests/data/keys/", $file))
        };
    }

    /// Two keys in all their forms, made with `openssl` for this test alone.
    const FORMS: [(&str, &[u8], Option<&str>); 6] = [
        ("RS256", key!("rsa.pkcs8.pem"), None),
        ("RS256", key!("rsa.pkcs1.pem"), None),
        ("RS256", key!("rsa.jwk.json"), Some("rsa-jwk")),
        ("ES256", key!("ec.pkcs8.pem"), None),
        ("ES256", key!("ec.sec1.pem"), None),
        ("ES256", key!("ec.jwk.json"), Some("ec-jwk")),
    ];

    #[test]
    fn every_form_of_a_key_makes_signatures_that_its_public_half_confirms() {
        let public = |of: &str| {
            let file: &[u8] =
                if of == "RS256" { key!("rsa.jwk.json") } else { key!("ec.jwk.json") };
            match &*SigningKey::parse(file, None).unwrap().pair {
                Pair::Rsa(pair) => pair.public().as_ref().to_vec(),
                Pair::P256(pair) => pair.public_key().as_ref().to_vec(),
            }
        };
        for (algorithm, file, key_id) in FORMS {
            let key = SigningKey::parse(file, None).unwrap();
            assert_eq!((key.algorithm(), key.key_id()), (algorithm, key_id));
            let signature = key.sign(b"message").unwrap();
            let public = public(algorithm);
            let confirmed = if algorithm == "RS256" {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
                    .verify(b"message", &signature)
            } else {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
                    .verify(b"message", &signature)
            };
            assert!(confirmed.is_ok(), "{algorithm} {key_id:?}");
        }
    }

    #[test]
    fn a_key_id_of_the_settings_outranks_that_of_the_file() {
        let key = SigningKey::parse(key!("ec.jwk.json"), Some("mine")).unwrap();
        assert_eq!(key.key_id(), Some("mine"));
        assert_eq!(format!("{key:?}"), "SigningKey { key_id: Some(\"mine\"), .. }");
    }

    #[test]
    fn files_that_hold_no_key_of_ours_say_what_to_do_and_nothing_of_themselves() {
        let cut = br#"{"kty":"RSA","n":"AQAB","d":"hunter2"}"#;
        #[rustfmt::skip]
        let table: [(&[u8], &str); 9] = [
            ( key!("ec.encrypted.pem"),                 "decrypt it"             ),
            ( key!("p384.sec1.pem"),                    "P-256"                  ),
            ( key!("rsa1024.pkcs8.pem"),                "2048"                   ),
            ( b"",                                      "BEGIN PRIVATE KEY"      ),
            ( b"hunter2",                               "BEGIN PRIVATE KEY"      ),
            ( cut,                                      "has no `e`"             ),
            ( br#"{"keys":[{"kty":"EC","d":"hunter2"}]}"#, "not a set"           ),
            ( br#"{"kty":"oct","k":"hunter2"}"#,        "P-256"                  ),
            ( br#"{"kty":"EC","crv":"P-256","x":"!","y":"AA","d":"hunter2"}"#, "base64url" ),
        ];
        for (file, want) in table {
            let text = SigningKey::parse(file, None).unwrap_err().to_string();
            assert!(text.contains(want), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
