//! Through a proxy, with credentials that only the proxy sees.

use outbound::{OutboundErrorKind, ProxyConfig};

use crate::tls::authority;
use crate::{Reply, Server, client, config, secret, told};

/// `printf 'ann:hunter2' | base64`
const BASIC: &str = "Basic YW5uOmh1bnRlcjI=";

#[tokio::test]
async fn a_server_over_tls_is_reached_through_a_tunnel() {
    let (ca, acceptor) = authority("localhost");
    let server = Server::start_tls(acceptor, |_| Reply::json("[]")).await;
    let port = server.port();
    let proxy = Server::start(move |_| Reply::tunnel(port)).await;
    let mut config = config(&server.url);
    config.ca_bundle = Some(ca);
    config.proxy =
        Some(ProxyConfig { url: proxy.url.clone(), credentials: Some(secret("ann:hunter2")) });
    let reader = client(config).reader();
    assert_eq!(reader.get("users").await.unwrap().status, 200);

    assert_eq!(proxy.asked(), format!("CONNECT localhost:{port}"));
    assert_eq!(proxy.seen()[0].header("proxy-authorization"), Some(BASIC));
    assert_eq!(proxy.seen()[0].header("authorization"), None);
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer opensesame"));
    assert_eq!(server.seen()[0].header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_no_connection() {
    let proxy = Server::in_turn(vec![Reply::new(407, "")]).await;
    let mut config = config(&"https://app.test/".parse().unwrap());
    config.proxy =
        Some(ProxyConfig { url: proxy.url.clone(), credentials: Some(secret("ann:hunter2")) });
    let error = client(config).reader().get("users").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::Connect { .. }), "{error:?}");
    let text = told(&error, &proxy);
    assert!(text.contains("`proxy`") && !text.contains("hunter2"), "{text}");
    assert!(proxy.asked().starts_with("CONNECT app.test:443"), "{}", proxy.asked());
}
