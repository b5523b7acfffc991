//! No secret in any log line, at the most talkative level of every library below us.

use std::io;
use std::sync::{Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outbound::{Auth, ProxyConfig};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::tls::authority;
use crate::tokens::{EC_KEY, is_token_request, service_app};
use crate::{Reply, Server, client, config, secret};

/// All that was logged in this process, through `log` and through `tracing`.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Keep;

impl io::Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Keep {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl log::Log for Keep {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {} {}\n", record.level(), record.target(), record.args());
        LOGGED.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

fn keep_logs() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        log::set_logger(&Keep).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(Keep)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// Checks that the log has lines of each library, and none of `secrets` in any form.
fn check(secrets: &[String]) {
    let logged = String::from_utf8_lossy(&LOGGED.lock().unwrap()).into_owned();
    for talker in ["outbound", "reqwest", "rustls", "hyper_util"] {
        assert!(logged.contains(talker), "nothing was heard of `{talker}`");
    }
    for secret in secrets {
        assert!(!secret.is_empty());
        for form in [secret.clone(), STANDARD.encode(secret), format!("{:?}", secret.as_bytes())] {
            let line = logged.lines().find(|line| line.contains(&form));
            assert!(line.is_none(), "`{secret}` is in: {line:?}");
        }
    }
}

#[tokio::test]
async fn tokens_and_passwords_are_in_no_log_line() {
    keep_logs();
    let (ca, acceptor) = authority("localhost");
    let server = Server::start_tls(acceptor, |seen| match (seen.target.as_str(), seen.nth) {
        ("/moved", _) => Reply::new(302, "").header("location", "/ok"),
        ("/busy", nth) if nth % 2 == 0 => Reply::new(429, "").header("retry-after", "0.01"),
        ("/denied", _) => Reply::new(401, "").header("set-cookie", "sid=cookie-hunter"),
        ("/cut", _) => Reply::new(200, "0123456789").cut(3),
        ("/away", _) => Reply::new(302, "").header("location", "https://evil.test/?t=link-hunter"),
        _ => Reply::json("[]"),
    })
    .await;
    let port = server.port();
    let proxy = Server::start(move |_| Reply::tunnel(port)).await;
    let mut config = config(&server.url);
    config.ca_bundle = Some(ca);
    config.proxy = Some(ProxyConfig {
        url: proxy.url.clone(),
        credentials: Some(secret("proxy-user:proxy-hunter")),
    });
    for auth in [
        Auth::Ssws(secret("ssws-hunter")),
        Auth::Bearer(secret("bearer-hunter")),
        Auth::Header(secret("Custom header-hunter")),
    ] {
        config.auth = auth;
        let reader = client(config.clone()).reader();
        for path in ["ok?access_token=query-hunter", "moved", "busy", "busy", "denied"] {
            reader.get(path).await.unwrap();
        }
        for path in ["cut", "away"] {
            reader.get(path).await.unwrap_err();
        }
        reader.follow("https://u:user-hunter@evil.test/").await.unwrap_err();
    }
    let secrets = [
        "ssws-hunter",
        "bearer-hunter",
        "header-hunter",
        "query-hunter",
        "cookie-hunter",
        "link-hunter",
        "proxy-hunter",
        "proxy-user:proxy-hunter",
        "user-hunter",
    ];
    check(&secrets.map(str::to_owned));
}

#[tokio::test]
async fn assertions_and_access_tokens_are_in_no_log_line() {
    keep_logs();
    let (ca, acceptor) = authority("localhost");
    let server = Server::start_tls(acceptor, |seen| match is_token_request(seen) {
        true if seen.nth == 0 => {
            Reply::new(400, r#"{"error":"use_dpop_nonce"}"#).header("dpop-nonce", "n")
        }
        true => {
            Reply::json(r#"{"token_type":"DPoP","expires_in":3600,"access_token":"access-hunter"}"#)
        }
        false if seen.target == "/denied" => Reply::new(401, ""),
        false => Reply::json("[]"),
    })
    .await;
    let mut app = service_app(&server, EC_KEY);
    app.dpop = true;
    let mut config = config(&server.url);
    (config.ca_bundle, config.auth) = (Some(ca), Auth::ServiceApp(app));
    let reader = client(config).reader();
    reader.get("ok").await.unwrap();
    assert_eq!(reader.get("denied").await.unwrap().status, 401);

    let seen = server.seen();
    let assertions = seen.iter().filter_map(|it| it.form("client_assertion"));
    let proofs = seen.iter().filter_map(|it| it.header("dpop")).map(str::to_owned);
    let mut secrets: Vec<String> = assertions.chain(proofs).collect();
    assert!(secrets.len() > 5);
    secrets.push("access-hunter".to_owned());
    let key: serde_json::Value = serde_json::from_slice(EC_KEY).unwrap();
    secrets.push(key["d"].as_str().unwrap().to_owned());
    check(&secrets);
}
