//! Whom we trust: the system's certificates, or Mozilla's list where there are none, and the
//! operator's own bundle.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// TLS for what is not HTTP: mail and syslog. The text says what is wrong with `ca_bundle`, which
/// adds certificates in PEM to those of the system.
///
/// # Errors
///
/// Returns the text when the bundle holds no certificate that can be used.
pub fn tls(ca_bundle: Option<&[u8]>) -> Result<Arc<ClientConfig>, String> {
    let mut config = client_config(ca_bundle)?;
    config.alpn_protocols.clear();
    Ok(Arc::new(config))
}

/// TLS 1.2 and 1.3 on *ring*. The text says what is wrong with `ca_bundle`.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's certificates, as in curl and OpenSSL.
pub(crate) fn client_config(ca_bundle: Option<&[u8]>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // What cannot be read or parsed is left out, as every other client on the system does.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(bundle) = ca_bundle {
        add(&mut roots, bundle)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn add(roots: &mut RootCertStore, bundle: &[u8]) -> Result<(), String> {
    let mut n_certs = 0;
    for cert in CertificateDer::pem_slice_iter(bundle) {
        n_certs += 1;
        let cert = cert.map_err(|error| format!("is no PEM ({error}): export it again"))?;
        roots.add(cert).map_err(|error| {
            format!("its certificate {n_certs} cannot be used ({error}): export it again")
        })?;
    }
    if n_certs == 0 {
        return Err("holds no certificate: give it as PEM, with BEGIN CERTIFICATE".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        for (bundle, want) in [
            (&b""[..], "holds no certificate"),
            (b"hello", "holds no certificate"),
            (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "is no PEM"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
        ] {
            let text = client_config(Some(bundle)).unwrap_err();
            assert!(text.contains(want), "{text}");
        }
        assert!(client_config(None).is_ok());
    }
}
