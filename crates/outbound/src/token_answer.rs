//! What a token endpoint answers (RFC 6749, 5.1 and 5.2): a token, or why there is none.

use std::time::Duration;

use bytes::Bytes;
use secrecy::zeroize::Zeroize as _;
use serde::Deserialize;
use serde_json::Value;

use crate::exchange::Exchange;
use crate::token::LIFE_MAX;
use crate::{OutboundErrorKind, Secret};

/// An access token.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) value: Secret,
    /// How long it is good for, from now.
    pub(crate) life: Duration,
}

/// Life of a token whose answer does not say, in seconds. Short: a renewal is one request.
const LIFE_UNSAID_S: u64 = 300;

#[derive(Deserialize)]
struct Written {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

/// Reads a token. `is_bound` is whether it must be bound to our key.
pub(crate) fn granted(body: &Bytes, is_bound: bool) -> Result<Granted, OutboundErrorKind> {
    let wrong = |what: &str| OutboundErrorKind::TokenAnswer { what: what.to_owned() };
    // What serde says may quote the token.
    let written: Written =
        serde_json::from_slice(body).map_err(|_| wrong("it is no JSON object"))?;
    let mut token = written.access_token.unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|it| it.is_ascii_graphic()) {
        token.zeroize();
        return Err(wrong("it has no `access_token` that a header takes"));
    }
    let value = Secret::new(token);
    let is =
        |name: &str| written.token_type.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(name));
    match is_bound {
        true if !is("DPoP") => {
            return Err(wrong(
                "its token is not bound to our key: switch `dpop` off, or require it there",
            ));
        }
        false if is("DPoP") => {
            return Err(wrong("its token is bound to a key: switch `dpop` on"));
        }
        false if !is("Bearer") => return Err(wrong("its `token_type` is not `Bearer`")),
        _ => {}
    }
    // Some servers write the number as text.
    let life_s = match &written.expires_in {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let life = Duration::from_secs(life_s.unwrap_or(LIFE_UNSAID_S)).min(LIFE_MAX);
    Ok(Granted { value, life })
}

/// Why there is no token, in words that hold nothing secret.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    description: String,
}

/// All forms: OAuth's, that of Okta's API, and those of OneLogin's, one of which lies in `status`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    status: Option<Value>,
    #[serde(rename = "type")]
    kind: Option<Value>,
    name: Option<Value>,
    message: Option<Value>,
    error: Option<Value>,
    error_description: Option<Value>,
    #[serde(rename = "errorCode")]
    error_code: Option<Value>,
    #[serde(rename = "errorSummary")]
    error_summary: Option<Value>,
}

/// Reads a refusal from whatever body it has.
pub(crate) fn refusal(answer: &Exchange) -> Refusal {
    let mut refused: Refused = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(nested @ Value::Object(_)) = refused.status.take() {
        refused = serde_json::from_value(nested).unwrap_or_default();
    }
    let text = |all: &[&Option<Value>]| {
        let text = all.iter().copied().flatten().find_map(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let Refused { error, error_code, kind, name, .. } = &refused;
    let Refused { error_description, error_summary, message, .. } = &refused;
    Refusal {
        code: code(&text(&[error, error_code, kind, name])),
        description: scrubbed(&text(&[error_description, error_summary, message])),
    }
}

impl Refusal {
    pub(crate) fn into_kind(self, answer: &Exchange) -> OutboundErrorKind {
        OutboundErrorKind::TokenRefused {
            status: answer.status,
            code: self.code.into(),
            description: self.description.into(),
            clock_skew: answer.headers.date().map(|date| answer.received_at - date),
        }
    }
}

/// A code as codes are written; `-` for any other text.
fn code(text: &str) -> String {
    const LEN_MAX: usize = 40;
    let is_code = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
    match !text.is_empty() && text.len() <= LEN_MAX && text.bytes().all(is_code) {
        true => text.to_owned(),
        false => "-".to_owned(),
    }
}

/// A description without what may be a token or an address: long words and those with an `@`.
fn scrubbed(text: &str) -> String {
    const WORD_MAX: usize = 32;
    const LEN_MAX: usize = 300;
    let words = text.split(|it: char| it.is_whitespace() || it.is_control());
    let words = words.filter(|it| !it.is_empty()).map(|word| {
        if word.contains('@') || word.chars().count() > WORD_MAX { "(left out)" } else { word }
    });
    words.collect::<Vec<&str>>().join(" ").chars().take(LEN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_answers_that_are_none() {
        #[rustfmt::skip]
        let table = [
            // answer                                                            | bound | life, s, or why not
            ( r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#,   false, Ok(3600)   ),
            ( r#"{"access_token":"t","token_type":"bearer","expires_in":"60"}"#,   false, Ok(60)     ),
            ( r#"{"access_token":"t","token_type":"Bearer","expires_in":null}"#,   false, Ok(300)    ),
            ( r#"{"access_token":"t","token_type":"Bearer","expires_in":-5}"#,     false, Ok(300)    ),
            ( r#"{"access_token":"t","token_type":"Bearer","expires_in":18446744073709551615}"#, false, Ok(86_400) ),
            ( r#"{"access_token":"t","token_type":"DPoP","expires_in":3600}"#,     true,  Ok(3600)   ),
            ( r#"{"access_token":"t","token_type":"Bearer"}"#,                     true,  Err("switch `dpop` off") ),
            ( r#"{"access_token":"t","token_type":"DPoP"}"#,                       false, Err("switch `dpop` on")  ),
            ( r#"{"access_token":"t"}"#,                                           false, Err("token_type")        ),
            ( r#"{"access_token":"","token_type":"Bearer"}"#,                      false, Err("access_token")      ),
            ( r#"{"access_token":"a b","token_type":"Bearer"}"#,                   false, Err("access_token")      ),
            ( "{}",                                                                false, Err("access_token")      ),
            ( "<html>",                                                            false, Err("no JSON")           ),
        ];
        for (answer, is_bound, want) in table {
            match (granted(&Bytes::from(answer), is_bound), want) {
                (Ok(granted), Ok(life_s)) => assert_eq!(granted.life.as_secs(), life_s, "{answer}"),
                (Err(error), Err(why)) => {
                    assert!(error.to_string().contains(why), "{answer}: {error}");
                }
                (got, _) => panic!("{answer}: {got:?}"),
            }
        }
    }

    #[test]
    fn descriptions_lose_what_may_be_secret() {
        for (text, want) in [
            ("The client_assertion is expired.", "The client_assertion is expired."),
            ("token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln\nis bad", "token (left out) is bad"),
            ("no such user ana@example.com", "no such user (left out)"),
            ("\u{1b}[31mred", "[31mred"),
            ("", ""),
        ] {
            assert_eq!(scrubbed(text), want, "`{text}`");
        }
        assert_eq!(scrubbed(&"ab ".repeat(1000)).len(), 300);
        for (text, want) in [("invalid_client", "invalid_client"), ("a b", "-"), ("", "-")] {
            assert_eq!(code(text), want, "`{text}`");
        }
    }
}
