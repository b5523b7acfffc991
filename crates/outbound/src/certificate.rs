//! A certificate with its private key: who signs with the key says by the certificate's hash which
//! one it is. Never checks who issued it or until when it is good: that is the server's to do.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::{KeyError, SigningKey};

/// A certificate and its RSA key. Debug prints neither.
#[derive(Clone)]
pub struct Certificate {
    key: SigningKey,
    /// SHA-256 of the certificate as DER (`x5t#S256`: RFC 7515, 4.1.8).
    thumbprint: Arc<[u8]>,
}

impl Certificate {
    /// Reads a certificate and its private key, both as PEM. They may be the same file; of several
    /// certificates the first counts.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError`] when either is missing, when the key is not RSA, or when it is not the
    /// key of the certificate.
    pub fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, KeyError> {
        let der = CertificateDer::from_pem_slice(certificate).map_err(|_| {
            KeyError::new("holds no certificate: give it as PEM, with BEGIN CERTIFICATE")
        })?;
        let key = SigningKey::parse(key, None)?;
        let modulus = key.modulus().ok_or_else(|| {
            KeyError::new("is no RSA key, and Entra takes no other for a certificate")
        })?;
        // The certificate holds the modulus of its key, whole and once.
        if !der.windows(modulus.len()).any(|it| it == modulus) {
            return Err(KeyError::new(
                "is not the key of the certificate: give the two that belong together",
            ));
        }
        let thumbprint = digest(&SHA256, &der).as_ref().into();
        Ok(Self { key, thumbprint })
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn thumbprint(&self) -> &[u8] {
        &self.thumbprint
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! file {
        ($file:literal) => {
            include_bytes!(concat!("../tests/data/keys/", $file)) as &[u8]
        };
    }

    #[test]
    fn a_certificate_is_known_by_the_hash_of_its_bytes() {
        let certificate =
            Certificate::parse(file!("rsa.cert.pem"), file!("rsa.pkcs8.pem")).unwrap();
        let hex: String = certificate.thumbprint().iter().map(|it| format!("{it:02X}")).collect();
        // As `openssl x509 -fingerprint -sha256` prints it.
        assert_eq!(hex, "E6397443FDAB9AD83A2CA26009FB1B723AED0D5AC3C718C026E2DCF789E03586");
        assert_eq!(format!("{certificate:?}"), "Certificate { .. }");
    }

    #[test]
    fn what_does_not_belong_together_says_so() {
        for (certificate, key, what) in [
            (file!("rsa.pkcs8.pem"), file!("rsa.pkcs8.pem"), "BEGIN CERTIFICATE"),
            (file!("rsa.cert.pem"), file!("rsa.cert.pem"), "BEGIN PRIVATE KEY"),
            (file!("rsa.cert.pem"), file!("ec.pkcs8.pem"), "is no RSA key"),
            (file!("other.cert.pem"), file!("rsa.pkcs8.pem"), "not the key of the certificate"),
        ] {
            let error = Certificate::parse(certificate, key).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
