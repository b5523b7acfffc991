//! Keys as JSON: private ones are read (RFC 7517), and the public half of ours is written for a
//! DPoP proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use crate::key::{KeyError, NOT_OURS, Pair};

/// Members of a private JWK (RFC 7518, 6.2.2 and 6.3.2), unpadded base64url each.
#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

/// Reads a private JWK, and its `kid` if it has one.
pub(crate) fn parse(file: &[u8]) -> Result<(Pair, Option<String>), KeyError> {
    // What serde says may quote the file.
    let jwk: Jwk = serde_json::from_slice(file)
        .map_err(|_| KeyError::new("is no JWK: give one JSON object with `kty` and its members"))?;
    let pair = match jwk.kty.as_deref() {
        Some("EC") if jwk.crv.as_deref() == Some("P-256") => p256(&jwk)?,
        Some("RSA") => rsa(&jwk)?,
        Some(_) => return Err(KeyError::new(NOT_OURS)),
        None => {
            return Err(KeyError::new("has no `kty`: give one private JWK alone, not a set"));
        }
    };
    Ok((pair, jwk.kid))
}

fn p256(jwk: &Jwk) -> Result<Pair, KeyError> {
    let (d, x, y) = (member("d", &jwk.d)?, member("x", &jwk.x)?, member("y", &jwk.y)?);
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &d,
        &point,
        &SystemRandom::new(),
    )
    .map(Pair::P256)
    .map_err(|_| KeyError::new("its `d`, `x` and `y` are no P-256 key: export it again"))
}

fn rsa(jwk: &Jwk) -> Result<Pair, KeyError> {
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: number("n", &jwk.n)?, e: number("e", &jwk.e)? },
        d: number("d", &jwk.d)?,
        p: number("p", &jwk.p)?,
        q: number("q", &jwk.q)?,
        dP: number("dp", &jwk.dp)?,
        dQ: number("dq", &jwk.dq)?,
        qInv: number("qi", &jwk.qi)?,
    };
    RsaKeyPair::from_components(&components).map(Pair::Rsa).map_err(|_| KeyError::new(NOT_OURS))
}

fn member(name: &str, value: &Option<String>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let Some(value) = value else {
        return Err(KeyError::new(format!(
            "has no `{name}`: give the private JWK with all its members, or the key as PEM"
        )));
    };
    let bytes = URL_SAFE_NO_PAD.decode(value.trim_end_matches('='));
    bytes.map(Zeroizing::new).map_err(|_| {
        KeyError::new(format!("its `{name}` is not written in base64url: export it again"))
    })
}

/// A number without the zeros that some libraries write before it.
fn number(name: &str, value: &Option<String>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = member(name, value)?;
    let n_zeros = bytes.iter().take_while(|it| **it == 0).count();
    Ok(Zeroizing::new(bytes.iter().skip(n_zeros).copied().collect()))
}

/// The public JWK of a P-256 key.
pub(crate) fn public(x: &[u8], y: &[u8]) -> serde_json::Value {
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    serde_json::json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
}
