//! Tokens bound to a key (RFC 9449): a proof with each request, and what the servers want in it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outbound::{Auth, Client};
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

use crate::tokens::{EC_KEY, is_token_request, json, member, service_app};
use crate::{Reply, Seen, Server, client, config, lines, told};

fn bound(server: &Server) -> Client {
    let mut app = service_app(server, EC_KEY);
    app.dpop = true;
    let mut config = config(&server.url);
    config.auth = Auth::ServiceApp(app);
    client(config)
}

/// Header and claims of the proof of a request, once its own key has confirmed it.
fn proof(seen: &Seen) -> (Value, Value) {
    let proof = seen.header("dpop").unwrap();
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let (header, claims) = (json(header), json(claims));
    assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
    let jwk = &header["jwk"];
    let mut members: Vec<&String> = jwk.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["crv", "kty", "x", "y"], "holds more than the public half");
    let point = [vec![4], member(jwk, "x"), member(jwk, "y")].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    (header, claims)
}

fn nonce(seen: &Seen) -> Option<String> {
    proof(seen).1["nonce"].as_str().map(str::to_owned)
}

/// A server that wants a nonce on both sides, as Okta may.
async fn strict() -> Server {
    Server::start(|seen| match (is_token_request(seen), nonce(seen).as_deref()) {
        (true, Some("n-token")) => {
            Reply::json(r#"{"token_type":"DPoP","expires_in":3600,"access_token":"bound-1"}"#)
        }
        (true, _) => {
            Reply::new(400, r#"{"error":"use_dpop_nonce"}"#).header("dpop-nonce", "n-token")
        }
        (false, Some("n-api-1")) => Reply::json("[]").header("dpop-nonce", "n-api-2"),
        (false, Some("n-api-2")) => Reply::json("[]"),
        (false, _) => Reply::new(401, "")
            .header("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
            .header("dpop-nonce", "n-api-1"),
    })
    .await
}

#[tokio::test]
async fn nonces_are_taken_from_both_servers_and_kept_apart() {
    let server = strict().await;
    let reader = bound(&server).reader();
    let answer = reader.get("users?limit=2").await.unwrap();
    assert_eq!(
        lines(&answer.requests, &server),
        "POST http://server/oauth2/v1/token 400\n\
         POST http://server/oauth2/v1/token 200\n\
         GET http://server/users?limit=2 401\n\
         GET http://server/users?limit=2 200"
    );
    // The next nonce came with a good answer.
    let answer = reader.get("groups").await.unwrap();
    assert_eq!(lines(&answer.requests, &server), "GET http://server/groups 200");
    let nonces: Vec<Option<String>> = server.seen().iter().map(nonce).collect();
    let nonces: Vec<Option<&str>> = nonces.iter().map(Option::as_deref).collect();
    assert_eq!(nonces, [None, Some("n-token"), None, Some("n-api-1"), Some("n-api-2")]);
}

#[tokio::test]
async fn a_proof_names_its_request_and_its_token_and_is_new_each_time() {
    let server = strict().await;
    bound(&server).reader().get("users?limit=2").await.unwrap();
    let seen = server.seen();
    let ids: BTreeSet<String> = seen.iter().map(|it| proof(it).1["jti"].to_string()).collect();
    assert_eq!(ids.len(), seen.len());
    let keys: BTreeSet<String> = seen.iter().map(|it| proof(it).0["jwk"].to_string()).collect();
    assert_eq!(keys.len(), 1);

    let (_, asked) = proof(&seen[1]);
    assert_eq!((&asked["htm"], &asked["iat"]), (&"POST".into(), &1_767_603_640.into()));
    assert_eq!(asked["htu"], server.url.join("oauth2/v1/token").unwrap().as_str());
    assert_eq!(asked["ath"], Value::Null);

    let (_, read) = proof(&seen[3]);
    assert_eq!(read["htm"], "GET");
    assert_eq!(read["htu"], server.url.join("users").unwrap().as_str());
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"bound-1"));
    assert_eq!(read["ath"], hash);
    assert_eq!(seen[3].header("authorization"), Some("DPoP bound-1"));
}

#[tokio::test]
async fn a_server_that_wants_nonces_for_ever_is_given_up() {
    let token = Server::in_turn(vec![
        Reply::new(400, r#"{"error":"use_dpop_nonce"}"#).header("dpop-nonce", "n"),
    ])
    .await;
    let error = bound(&token).reader().get("users").await.unwrap_err();
    assert!(told(&error, &token).contains("`use_dpop_nonce`"), "{error:?}");
    assert_eq!(token.seen().len(), 2);

    let api = Server::start(|seen| match is_token_request(seen) {
        true => Reply::json(r#"{"token_type":"DPoP","expires_in":3600,"access_token":"t"}"#),
        false => Reply::new(401, "")
            .header("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
            .header("dpop-nonce", "n"),
    })
    .await;
    let answer = bound(&api).reader().get("users").await.unwrap();
    assert_eq!(answer.status, 401);
    // A token, a nonce, another token.
    let asked: Vec<&str> = answer.requests.iter().map(|it| &*it.method).collect();
    assert_eq!(asked, ["POST", "GET", "GET", "POST", "GET"]);
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_not_used() {
    let server = Server::in_turn(vec![Reply::json(
        r#"{"token_type":"Bearer","expires_in":3600,"access_token":"hunter2"}"#,
    )])
    .await;
    let error = bound(&server).reader().get("users").await.unwrap_err();
    let text = told(&error, &server);
    assert!(text.contains("switch `dpop` off") && !text.contains("hunter2"), "{text}");
    assert_eq!(server.asked(), "POST /oauth2/v1/token");
}
