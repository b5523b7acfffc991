//! How Okta lets a service app in: assertion, nonce, proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Clock as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sim::{Endpoint, Fault, Sim, When};

use crate::ask::{Reply, get, send};
use crate::world::start;

const FORM: &str = "grant_type=client_credentials\
    &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

fn jwt(header: &Value, claims: &Value) -> String {
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signed"))
}

/// An assertion that is right, with some claims replaced.
fn assertion(sim: &Sim, changed: &Value) -> String {
    let now = sim.clock().now().timestamp();
    let mut claims = json!({
        "iss": "0oasimclient",
        "sub": "0oasimclient",
        "aud": format!("{}/oauth2/v1/token", sim.okta_url()),
        "iat": now,
        "exp": now + 300,
    });
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    jwt(&json!({"alg": "ES256", "kid": "k1"}), &claims)
}

/// A proof that is right, with some claims replaced.
fn proof(sim: &Sim, method: &str, path: &str, changed: &Value) -> String {
    let mut claims = json!({
        "htm": method,
        "htu": format!("{}{path}", sim.okta_url()),
        "iat": sim.clock().now().timestamp(),
        "jti": format!("jti{changed}{path}"),
    });
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let key = json!({"kty": "EC", "crv": "P-256", "x": "x", "y": "y"});
    jwt(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key}), &claims)
}

async fn token(sim: &Sim, assertion: &str, scope: &str, proof: Option<&str>) -> Reply {
    let body = format!("{FORM}&scope={scope}&client_assertion={assertion}");
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(proof.map(|it| ("dpop", it)));
    send("POST", &format!("{}/oauth2/v1/token", sim.okta_url()), &headers, &body).await
}

#[tokio::test]
async fn a_right_assertion_gets_a_token_that_works_for_an_hour() {
    let sim = start("okta\n 00u1 ana@x.test ACTIVE").await;
    let scope = "okta.users.read+okta.logs.read";
    let reply = token(&sim, &assertion(&sim, &json!({"jti": "1"})), scope, None).await;
    assert_eq!(reply.status, 200);
    let answer = reply.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&"Bearer".into(), &3_600.into(), &"okta.users.read okta.logs.read".into())
    );
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let url = format!("{}/api/v1/users", sim.okta_url());
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(get(&url, &headers).await.column("id"), ["00u1"]);
    let apps = get(&format!("{}/api/v1/apps", sim.okta_url()), &headers).await;
    assert_eq!((apps.status, &apps.json()["errorCode"]), (403, &"E0000006".into()));
    sim.clock().advance(chrono::TimeDelta::seconds(3_601));
    assert_eq!(get(&url, &headers).await.status, 401);

    assert_eq!(sim.count(Endpoint::OktaToken), 1);
    assert_eq!(sim.offences(), Vec::<String>::new());
    let leak = format!("{url}?token={}", answer["access_token"].as_str().unwrap());
    get(&leak, &headers).await;
    assert_eq!(sim.offences(), ["GET to OktaUsers has a secret in its URL"]);
}

#[tokio::test]
async fn a_token_that_dies_between_two_pages_can_be_replaced() {
    let sim = start("okta\n 00u1 a@x.test ACTIVE\n 00u2 b@x.test ACTIVE").await;
    let id = sim.fault(Endpoint::OktaUsers, Fault::TokenDies, When { skip: 1, times: Some(1) });
    let mut next = format!("{}/api/v1/users?limit=1", sim.okta_url());
    let mut seen = Vec::new();
    for _ in 0..2 {
        let reply = token(&sim, &assertion(&sim, &json!({})), "okta.users.read", None).await;
        let bearer = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
        for _ in 0..3 {
            let reply = get(&next, &[("authorization", &bearer)]).await;
            seen.push(reply.status);
            next = reply.link("next").unwrap_or(next);
        }
    }
    // The dead token stays dead; the new one goes on where the old one stood.
    assert_eq!((seen, sim.struck(id)), (vec![200, 401, 401, 200, 200, 200], 1));
}

#[tokio::test]
async fn a_wrong_assertion_is_told_what_is_wrong() {
    let sim = start("okta").await;
    let now = sim.clock().now().timestamp();
    let scope = "okta.users.read";
    for (changed, what) in [
        (json!({"iss": "other"}), "iss and sub"),
        (
            json!({"aud": "https://other.test"}),
            "aud of the client_assertion must be http://127.0.0.1",
        ),
        (json!({"exp": now + 3_700}), "exp of"),
        (json!({"exp": now - 1}), "exp of"),
        (json!({"iat": now + 3_000}), "iat of"),
    ] {
        let reply = token(&sim, &assertion(&sim, &changed), scope, None).await;
        let told = reply.json();
        assert_eq!((reply.status, &told["error"]), (401, &"invalid_client".into()), "{changed}");
        assert!(told["error_description"].as_str().unwrap().starts_with(what), "{told}");
    }
    let once = assertion(&sim, &json!({"jti": "1"}));
    assert_eq!(token(&sim, &once, scope, None).await.status, 200);
    assert_eq!(token(&sim, &once, scope, None).await.status, 401);
    let reply = token(&sim, &assertion(&sim, &json!({})), "okta.users.manage", None).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &"invalid_scope".into()));
    assert_eq!(token(&sim, "no.jwt", scope, None).await.status, 401);
}

#[tokio::test]
async fn dpop_takes_a_round_for_the_nonce_and_binds_the_token() {
    let sim = start("okta (dpop)\n 00u1 ana@x.test ACTIVE").await;
    let (path, scope) = ("/oauth2/v1/token", "okta.users.read");
    let ask = async |proof: Option<&str>| {
        let reply = token(&sim, &assertion(&sim, &json!({})), scope, proof).await;
        (reply.json()["error"].as_str().unwrap_or_default().to_owned(), reply)
    };
    assert_eq!(ask(None).await.0, "invalid_dpop_proof");
    let (error, reply) = ask(Some(&proof(&sim, "POST", path, &json!({})))).await;
    assert_eq!((error.as_str(), reply.status), ("use_dpop_nonce", 400));
    let with_nonce = json!({"nonce": reply.header("dpop-nonce"), "jti": "2"});
    let wrong = json!({"nonce": reply.header("dpop-nonce"), "htm": "GET"});
    assert_eq!(ask(Some(&proof(&sim, "POST", path, &wrong))).await.0, "invalid_dpop_proof");
    let with_nonce = proof(&sim, "POST", path, &with_nonce);
    let (_, reply) = ask(Some(&with_nonce)).await;
    assert_eq!(reply.json()["token_type"], "DPoP");
    // A proof is good once.
    assert_eq!(ask(Some(&with_nonce)).await.0, "invalid_dpop_proof");

    let answer = reply.json();
    let access_token = answer["access_token"].as_str().unwrap();
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(access_token));
    let bound = format!("DPoP {access_token}");
    let url = format!("{}/api/v1/users?limit=2", sim.okta_url());
    for (changed, status) in [
        (json!({"ath": ath, "jti": "a"}), 200),
        (json!({"ath": ath, "jti": "a"}), 400),
        (json!({"ath": "other", "jti": "b"}), 400),
        (json!({"jti": "c"}), 400),
    ] {
        let proof = proof(&sim, "GET", "/api/v1/users", &changed);
        let reply = get(&url, &[("authorization", &bound), ("dpop", &proof)]).await;
        assert_eq!(reply.status, status, "{changed}");
    }
    let bearer = format!("Bearer {access_token}");
    assert_eq!(get(&url, &[("authorization", &bearer)]).await.status, 401);
}
