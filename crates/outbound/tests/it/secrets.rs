//! No secret in any log line, at the most talkative level of every library below us.

use std::io;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outbound::{Auth, OutboundErrorKind, Poster, PosterConfig, ProxyConfig};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::tls::authority;
use crate::tokens::{EC_KEY, is_token_request, service_app};
use crate::{Reply, Server, client, clock, config, secret};

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

#[tokio::test]
async fn what_alerts_are_sent_with_is_in_no_log_line_and_no_error() {
    keep_logs();
    let (ca, acceptor) = authority("localhost");
    let server = Server::start_tls(acceptor, |seen| match seen.nth {
        0 => Reply::new(429, "").header("retry-after", "1.5"),
        1 => Reply::new(302, "").header("location", "https://evil.test/?t=moved-hunter"),
        2 => Reply::hang_up(),
        _ => Reply::new(202, "ok"),
    })
    .await;
    let url = server.url.join("services/T0/path-hunter?sig=sig-hunter").unwrap();
    let config = PosterConfig {
        url: secret(url.as_str()),
        ca_bundle: Some(ca),
        proxy: None,
        connect: Duration::from_secs(10),
        request: Duration::from_secs(20),
        user_agent: "driftline-test/1".to_owned(),
        authorization: Some(secret("GenieKey genie-hunter")),
    };
    let poster = Poster::new(config.clone(), clock()).unwrap();
    let post =
        async || poster.post(&[("webhook-signature", "v1,hmac-hunter")], vec![b'x'; 9]).await;
    let busy = post().await.unwrap();
    assert_eq!((busy.status, busy.retry_after()), (429, Some(Duration::from_millis(1500))));
    assert_eq!(post().await.unwrap().status, 302, "a redirect is an answer, and is not followed");
    let cut = post().await.unwrap_err();
    assert_eq!(cut.url.as_ref(), format!("https://localhost:{}", server.port()));
    assert_eq!(post().await.unwrap().status, 202);
    let seen = server.seen();
    assert_eq!(seen.len(), 4, "nothing is tried again");
    assert_eq!(seen[3].target, "/services/T0/path-hunter?sig=sig-hunter");
    assert_eq!(seen[3].header("authorization"), Some("GenieKey genie-hunter"));
    assert_eq!((seen[3].method.as_str(), seen[3].body.len()), ("POST", 9));

    let below = poster.post_below("../../admin", &[], Vec::new()).await.unwrap_err();
    assert!(matches!(below.kind, OutboundErrorKind::PathElsewhere { .. }), "{below}");
    for (url, what) in [
        ("http://evil.test/path-hunter", "in clear"),
        ("path-hunter", "is no address"),
        ("https://me:pw-hunter@localhost/", "a user name"),
    ] {
        let wrong = PosterConfig { url: secret(url), ..config.clone() };
        let error = Poster::new(wrong, clock()).unwrap_err();
        assert!(error.kind.to_string().contains(what), "{error:?}");
        assert!(!format!("{error:?}{error}").contains("hunter"), "{error:?}");
    }
    let told = format!("{cut}{cut:?}{below}{below:?}{poster:?}");
    assert!(!told.contains("hunter"), "{told}");
    check(&["path-hunter", "sig-hunter", "genie-hunter", "hmac-hunter"].map(str::to_owned));
}
