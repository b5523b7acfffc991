//! Whom we trust.

use std::sync::Arc;

use outbound::{Auth, OutboundErrorKind, Reader, Url};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{Reply, Server, client, config, told};

/// An authority of its own that signed a certificate for `name`: its PEM, and a server's side.
pub(crate) fn authority(name: &str) -> (Vec<u8>, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let cert = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (issuer.pem().into_bytes(), TlsAcceptor::from(Arc::new(server)))
}

fn trusting(base: &Url, ca_bundle: Option<Vec<u8>>) -> Reader {
    let mut config = config(base);
    config.ca_bundle = ca_bundle;
    client(config).reader()
}

#[tokio::test]
async fn an_authority_of_the_operator_is_trusted_beside_others() {
    let (ca, acceptor) = authority("localhost");
    let (other_ca, _) = authority("localhost");
    let server = Server::start_tls(acceptor, |_| Reply::json("[]")).await;
    let bundle = [b"A note before it.\n".to_vec(), other_ca, ca].concat();
    let answer = trusting(&server.url, Some(bundle)).get("users").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer opensesame"));
}

#[tokio::test]
async fn other_authorities_and_other_names_are_refused_at_once() {
    let (ca, acceptor) = authority("app.test");
    let (_, unknown) = authority("localhost");
    for (acceptor, why) in [(acceptor, "app.test"), (unknown, "invalid peer certificate")] {
        let server = Server::start_tls(acceptor, |_| Reply::json("[]")).await;
        let error = trusting(&server.url, Some(ca.clone())).get("users").await.unwrap_err();
        assert!(matches!(error.kind, OutboundErrorKind::Tls { .. }), "{error:?}");
        let text = told(&error, &server);
        assert!(text.contains(why) && text.contains("`ca_bundle`"), "{text}");
        assert_eq!((error.requests.len(), server.seen().len()), (1, 0));
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_no_secure_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    // Answers the greeting of TLS as a web server in clear does.
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    let error = trusting(&url.parse().unwrap(), None).get("users").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::Tls { .. }), "{error:?}");
    task.abort();
}

#[tokio::test]
async fn a_redirect_from_tls_to_clear_text_is_not_followed() {
    let (ca, acceptor) = authority("localhost");
    let server = Server::start_tls(acceptor, |seen| {
        let host = seen.header("host").unwrap_or_default();
        Reply::new(302, "").header("location", &format!("http://{host}/users"))
    })
    .await;
    let mut config = config(&server.url);
    (config.ca_bundle, config.auth) = (Some(ca), Auth::None);
    let error = client(config).reader().get("users").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::Redirected { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}
