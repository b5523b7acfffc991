//! Access tokens of a service app: proven by a signed assertion, shared, renewed, refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outbound::{
    Auth, Certificate, Client, ClientProof, OutboundErrorKind, Secret, ServiceApp, SigningKey,
};
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use crate::{DATE, Reply, Seen, Server, client, config, lines, told};

pub(crate) const EC_KEY: &[u8] = include_bytes!("../data/keys/ec.jwk.json");
const RSA_KEY: &[u8] = include_bytes!("../data/keys/rsa.jwk.json");

/// A service app whose tokens are given at `/oauth2/v1/token` of the server.
pub(crate) fn service_app(server: &Server, key: &[u8]) -> ServiceApp {
    ServiceApp {
        client_id: "0oaCLIENT".to_owned(),
        token_url: server.url.join("oauth2/v1/token").unwrap(),
        token_elsewhere: false,
        scopes: vec!["okta.users.read".to_owned(), "okta.apps.read".to_owned()],
        proof: ClientProof::Key(SigningKey::parse(key, None).unwrap()),
        dpop: false,
    }
}

fn client_of(server: &Server, key: &[u8]) -> Client {
    let mut config = config(&server.url);
    config.auth = Auth::ServiceApp(service_app(server, key));
    client(config)
}

pub(crate) fn is_token_request(seen: &Seen) -> bool {
    seen.target == "/oauth2/v1/token"
}

fn token(nth: usize) -> Reply {
    Reply::json(&format!(
        r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"token-{nth}","scope":"x"}}"#
    ))
}

pub(crate) fn json(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub(crate) fn member(json: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(json[name].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_assertion_is_signed_by_the_key_and_says_who_to_whom_and_until_when() {
    for (key, algorithm) in [(RSA_KEY, "RS256"), (EC_KEY, "ES256")] {
        let server = Server::start(|seen| match is_token_request(seen) {
            true => token(1),
            false => Reply::json("[]"),
        })
        .await;
        let answer = client_of(&server, key).reader().get("users").await.unwrap();
        assert_eq!(server.asked(), "POST /oauth2/v1/token\nGET /users");
        assert_eq!(
            lines(&answer.requests, &server),
            "POST http://server/oauth2/v1/token 200\nGET http://server/users 200"
        );
        let seen = server.seen();
        assert_eq!(seen[1].header("authorization"), Some("Bearer token-1"));
        let form = |name| seen[0].form(name);
        assert_eq!(form("grant_type").unwrap(), "client_credentials");
        assert_eq!(form("scope").unwrap(), "okta.users.read okta.apps.read");
        assert_eq!(
            form("client_assertion_type").unwrap(),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(seen[0].header("authorization"), None);

        let assertion = form("client_assertion").unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let (header, claims) = (json(header), json(claims));
        let jwk: Value = serde_json::from_slice(key).unwrap();
        assert_eq!((&header["alg"], &header["kid"]), (&algorithm.into(), &jwk["kid"]));
        assert_eq!((&claims["iss"], &claims["sub"]), (&"0oaCLIENT".into(), &"0oaCLIENT".into()));
        assert_eq!(claims["aud"], server.url.join("oauth2/v1/token").unwrap().as_str());
        assert_eq!(claims["iat"], 1_767_603_640);
        assert_eq!(claims["exp"], 1_767_603_640 + 300);
        assert!(claims["jti"].as_str().unwrap().len() >= 20);

        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let confirmed = if algorithm == "RS256" {
            PublicKeyComponents { n: member(&jwk, "n"), e: member(&jwk, "e") }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                signed.as_bytes(),
                &signature,
            )
        } else {
            let point = [vec![4], member(&jwk, "x"), member(&jwk, "y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
        };
        assert!(confirmed.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn requests_at_once_share_one_token_and_so_do_later_ones() {
    let server = Server::start(|seen| match is_token_request(seen) {
        true => token(1),
        false => Reply::json("[]"),
    })
    .await;
    let client = client_of(&server, EC_KEY);
    let at_once: Vec<_> = (0..10)
        .map(|_| client.reader())
        .map(|reader| tokio::spawn(async move { reader.get("users").await.unwrap().status }))
        .collect();
    for task in at_once {
        assert_eq!(task.await.unwrap(), 200);
    }
    client.reader().get("users").await.unwrap();
    let n_tokens = server.seen().iter().filter(|it| is_token_request(it)).count();
    assert_eq!(n_tokens, 1);
}

#[tokio::test]
async fn a_token_that_ends_during_a_run_is_renewed_once() {
    let n_tokens = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.header("authorization") {
        _ if is_token_request(seen) => token(1 + n_tokens.fetch_add(1, Ordering::Relaxed)),
        Some("Bearer token-1") if seen.target == "/late" => Reply::new(401, ""),
        _ => Reply::json("[]"),
    })
    .await;
    let reader = client_of(&server, EC_KEY).reader();
    reader.get("early").await.unwrap();
    let answer = reader.get("late").await.unwrap();
    assert_eq!(
        lines(&answer.requests, &server),
        "GET http://server/late 401\n\
         POST http://server/oauth2/v1/token 200\n\
         GET http://server/late 200"
    );
    assert_eq!(server.seen().last().unwrap().header("authorization"), Some("Bearer token-2"));
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_an_answer() {
    let server = Server::start(|seen| match is_token_request(seen) {
        true => token(1),
        false => Reply::new(401, "no"),
    })
    .await;
    let answer = client_of(&server, EC_KEY).reader().get("users").await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (401, &b"no"[..]));
    assert_eq!(answer.requests.len(), 4);
}

#[tokio::test]
async fn a_token_past_its_life_is_not_used() {
    let server = Server::start(|seen| match is_token_request(seen) {
        true => Reply::json(r#"{"token_type":"Bearer","expires_in":0,"access_token":"t"}"#),
        false => Reply::json("[]"),
    })
    .await;
    let reader = client_of(&server, EC_KEY).reader();
    reader.get("a").await.unwrap();
    reader.get("b").await.unwrap();
    assert_eq!(server.asked(), "POST /oauth2/v1/token\nGET /a\nPOST /oauth2/v1/token\nGET /b");
}

#[tokio::test]
async fn a_refused_token_says_why_and_nothing_secret() {
    let refused = |body: &str| Reply::new(400, body);
    let long_ago = "Mon, 05 Jan 2026 08:30:00 GMT";
    let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiIwb2EifQ.c2lnbmF0dXJlc2ln";
    #[rustfmt::skip]
    let table = [
        (
            refused(&format!(r#"{{"error":"invalid_client","error_description":"The {assertion} of ana@example.com is bad."}}"#)),
            "HTTP 400 `invalid_client` (The (left out) of (left out) is bad.): check the client id, and that the server knows this key or secret",
        ),
        (
            Reply::new(401, r#"{"error":"invalid_client"}"#).without_date().header("date", long_ago),
            "HTTP 401 `invalid_client`: set the clock, it is 1840 s ahead of the server",
        ),
        (
            refused(r#"{"error":"invalid_scope","error_description":"One or more scopes are not configured."}"#),
            "HTTP 400 `invalid_scope` (One or more scopes are not configured.): grant the scopes to the client",
        ),
        (
            refused(r#"{"error":"invalid_dpop_proof","error_description":"The DPoP proof JWT header is missing."}"#),
            "HTTP 400 `invalid_dpop_proof` (The DPoP proof JWT header is missing.): the server wants tokens bound to a key, switch `dpop` on",
        ),
        (
            refused(r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#),
            "HTTP 400 `E0000007` (Not found): check the client id, and that the server knows this key or secret",
        ),
        (
            Reply::new(403, "<html>").header("x", DATE),
            "HTTP 403 `-`: check the client id, and that the server knows this key or secret",
        ),
    ];
    for (reply, want) in table {
        let server = Server::in_turn(vec![reply]).await;
        let error = client_of(&server, EC_KEY).reader().get("users").await.unwrap_err();
        assert!(matches!(error.kind, OutboundErrorKind::TokenRefused { .. }), "{error:?}");
        assert_eq!(
            told(&error, &server),
            format!(
                "failed to get a token from `http://server/oauth2/v1/token`: no access token, {want}"
            )
        );
        assert_eq!(server.asked(), "POST /oauth2/v1/token");
        assert_eq!(error.requests.len(), 1);
    }
}

#[tokio::test]
async fn a_token_endpoint_in_trouble_is_asked_again() {
    let server = Server::start(|seen| match seen.nth {
        0 => Reply::new(503, ""),
        1 => Reply::new(429, "").header("retry-after", "0.01"),
        _ if is_token_request(seen) => token(1),
        _ => Reply::json("[]"),
    })
    .await;
    let answer = client_of(&server, EC_KEY).reader().get("users").await.unwrap();
    assert_eq!((answer.status, answer.requests.len()), (200, 4));
    let assertions: Vec<_> =
        server.seen().iter().filter_map(|it| it.form("client_assertion")).collect();
    // Servers take an assertion once.
    assert!(assertions[0] != assertions[1] && assertions[1] != assertions[2]);
}

#[tokio::test]
async fn a_token_endpoint_that_gives_something_else_is_told() {
    for (reply, what) in [
        (Reply::new(200, "<html>hunter2</html>"), "it is no JSON object"),
        (Reply::json(r#"{"token_type":"DPoP","access_token":"hunter2"}"#), "switch `dpop` on"),
    ] {
        let server = Server::in_turn(vec![reply]).await;
        let error = client_of(&server, EC_KEY).reader().get("users").await.unwrap_err();
        let text = told(&error, &server);
        assert!(text.contains(what) && !format!("{text}{error:?}").contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_token_endpoint_that_redirects_gets_no_assertion_elsewhere() {
    let other = Server::in_turn(vec![token(1)]).await;
    let to = other.url.join("oauth2/v1/token").unwrap();
    let server = Server::in_turn(vec![Reply::new(307, "").header("location", to.as_str())]).await;
    let error = client_of(&server, EC_KEY).reader().get("users").await.unwrap_err();
    assert!(matches!(error.kind, OutboundErrorKind::TokenRefused { status: 307, .. }), "{error:?}");
    assert_eq!(other.asked(), "");
}

/// One request of a client that proves itself like this, and what it asked the token endpoint.
async fn token_form_of(proof: ClientProof) -> impl Fn(&str) -> Option<String> {
    let server = Server::start(|seen| match is_token_request(seen) {
        true => token(1),
        false => Reply::json("[]"),
    })
    .await;
    let mut config = config(&server.url);
    config.auth = Auth::ServiceApp(ServiceApp { proof, ..service_app(&server, EC_KEY) });
    client(config).reader().get("users").await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[1].header("authorization"), Some("Bearer token-1"));
    move |name| seen[0].form(name)
}

#[tokio::test]
async fn a_certificate_signs_with_pss_and_is_named_by_its_hash() {
    let file = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    };
    let both = [file("rsa.cert.pem"), file("rsa.pkcs8.pem")].concat();
    let certificate = Certificate::parse(&both, &both).unwrap();
    let form = token_form_of(ClientProof::Certificate(certificate)).await;
    assert_eq!(form("client_id").unwrap(), "0oaCLIENT");
    assert_eq!(form("client_secret"), None);
    let assertion = form("client_assertion").unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let (header, claims) = (json(header), json(claims));
    assert_eq!((&header["alg"], &header["typ"]), (&"PS256".into(), &"JWT".into()));
    // `openssl x509 -in rsa.cert.pem -outform der | openssl dgst -sha256 -binary | basenc --base64url`
    assert_eq!(header["x5t#S256"], "5jl0Q_2rmtg6LKJgCfsbcjrtDVrDxxjAJuLc94ngNYY");
    assert_eq!((&claims["nbf"], &claims["iat"]), (&1_767_603_640.into(), &1_767_603_640.into()));
    let jwk: Value = serde_json::from_slice(RSA_KEY).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    PublicKeyComponents { n: member(&jwk, "n"), e: member(&jwk, "e") }
        .verify(&RSA_PSS_2048_8192_SHA256, signed.as_bytes(), &signature)
        .unwrap();
}

#[tokio::test]
async fn a_client_secret_is_sent_in_the_body_alone() {
    let form = token_form_of(ClientProof::Secret(Secret::new("hunter2+/=".to_owned()))).await;
    assert_eq!(form("client_secret").unwrap(), "hunter2+/=");
    assert_eq!(form("client_id").unwrap(), "0oaCLIENT");
    assert_eq!(form("client_assertion"), None);
}

#[tokio::test]
async fn a_federated_token_is_read_anew_for_each_request() {
    let file = std::env::temp_dir().join(format!("driftline-federated-{}", std::process::id()));
    std::fs::write(&file, "header.first.signature\n").unwrap();
    // Each token is over at once.
    let server = Server::start(|seen| match is_token_request(seen) {
        true => Reply::json(r#"{"token_type":"Bearer","expires_in":0,"access_token":"t"}"#),
        false => Reply::json("[]"),
    })
    .await;
    let mut config = config(&server.url);
    let proof = ClientProof::Federated(file.clone());
    config.auth = Auth::ServiceApp(ServiceApp { proof, ..service_app(&server, EC_KEY) });
    let reader = client(config).reader();
    reader.get("a").await.unwrap();
    std::fs::write(&file, "header.second.signature").unwrap();
    reader.get("b").await.unwrap();
    let seen = server.seen();
    let sent: Vec<_> = seen.iter().filter_map(|it| it.form("client_assertion")).collect();
    assert_eq!(sent, ["header.first.signature", "header.second.signature"]);

    std::fs::remove_file(&file).unwrap();
    let error = reader.get("c").await.unwrap_err();
    let text = format!("{error}: {}", error.kind);
    assert!(text.contains("`federated_token`: cannot be read from `"), "{text}");
}

#[tokio::test]
async fn what_entra_says_of_a_refused_client_leads_to_what_to_do() {
    for (number, next) in [
        (7_000_222, "make a new one for the app registration"),
        (7_000_215, "give its value and not its id"),
        (700_016, "check `client_id` and `tenant`"),
        (90_002, "check `tenant` and `cloud`"),
        (700_027, "upload it there"),
        (53_003, "exempt it there"),
        (1, "the server knows this key or secret"),
    ] {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS{number}: Trace: x"}}"#
        );
        let server = Server::in_turn(vec![Reply::new(401, body.as_str())]).await;
        let error = client_of(&server, EC_KEY).reader().get("users").await.unwrap_err();
        assert!(told(&error, &server).ends_with(next), "{number}: {}", told(&error, &server));
    }
}

#[tokio::test]
async fn a_refusal_is_read_in_each_shape_that_onelogin_gives_it() {
    for body in [
        r#"{"status":{"error":true,"code":401,"type":"Unauthorized","message":"No such pair"}}"#,
        r#"{"error":true,"code":401,"type":"Unauthorized","message":"No such pair"}"#,
        r#"{"statusCode":401,"name":"Unauthorized","message":"No such pair"}"#,
    ] {
        let server = Server::in_turn(vec![Reply::new(401, body)]).await;
        let error = client_of(&server, EC_KEY).reader().get("users").await.unwrap_err();
        let told = told(&error, &server);
        assert!(told.contains("HTTP 401 `Unauthorized` (No such pair)"), "{told}");
    }
}
