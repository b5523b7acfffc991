//! What must hold whatever bytes a server sends around its answers: one function for each parser,
//! for the fuzzers under `tests/fuzz` and for the test below, which reads again what they kept.
//! Each panics when something does not hold. Never part of the program.

#![expect(clippy::missing_panics_doc, reason = "to panic is what they are for")]

use bytes::Bytes;
use chrono::DateTime;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::address::{Scope, shown};
use crate::body::{Body, BodyError};
use crate::exchange::Exchange;
use crate::pace::Pacer;
use crate::token::LIFE_MAX;
use crate::token_answer::{granted, refusal};
use crate::{Headers, Limits, Pace};

/// The longest body that [`body`] takes.
const BODY_MAX: u64 = 4 << 10;

/// A link that a server gives: whoever follows it stays on the host and below the path.
pub fn next_address(bytes: &[u8]) {
    let Ok(link) = str::from_utf8(bytes) else { return };
    let base = Url::parse("https://app.test:8443/scim/v2/").expect("a URL");
    let scope = Scope::new(&base).expect("a base");
    for url in [scope.link(&base, link), scope.below(link)].into_iter().flatten() {
        let place = (url.scheme(), url.host_str(), url.port());
        assert_eq!(place, ("https", Some("app.test"), Some(8443)), "another place");
        assert!(url.path().starts_with("/scim/v2/"), "outside the path");
        assert!(url.username().is_empty() && url.password().is_none(), "with a user");
        assert_eq!(url.fragment(), None);
        // As the server may read it.
        let again = Url::parse(&url.path().replace("%2f", "/").replace("%2F", "/"))
            .or_else(|_| base.join(&url.path().replace("%2f", "/").replace("%2F", "/")));
        let stays = again.is_ok_and(|it| it.path().starts_with("/scim/v2/"));
        assert!(stays, "outside the path where slashes are decoded first");
        // Shown, and no control character in it: it goes into logs.
        assert!(!shown(&url).chars().any(char::is_control), "a control character is shown");
    }
}

/// Headers that say how fast, a line each: no wait is longer than the limit.
pub fn answer_headers(bytes: &[u8]) {
    let headers = headers(bytes);
    let limits = Limits::default();
    let base = Url::parse("https://org.test/").expect("a URL");
    let received_at = DateTime::UNIX_EPOCH;
    for pace in [Pace::Okta, Pace::RetryAfter] {
        let pacer = Pacer::new(pace, &base);
        pacer.note("users".to_owned(), &headers, received_at, &limits);
        assert!(pacer.rest("users") <= limits.wait, "a rest without end");
        for status in [429, 503] {
            pacer.asked(status, &headers, received_at);
        }
    }
}

/// The answer of a token endpoint: a token that a header takes, or why there is none.
pub fn token_answer(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    for is_bound in [false, true] {
        if let Ok(granted) = granted(&body, is_bound) {
            assert!(granted.life <= LIFE_MAX, "a token that lives too long");
            let value = format!("Bearer {}", granted.value.expose());
            assert!(HeaderValue::from_str(&value).is_ok(), "a token that no header takes");
        }
    }
    let answer = Exchange {
        status: 400,
        headers: Headers::default(),
        body,
        sent_at: DateTime::UNIX_EPOCH,
        received_at: DateTime::UNIX_EPOCH,
    };
    let kind = refusal(&answer).into_kind(&answer);
    let told = kind.to_string();
    assert!(!told.contains('@'), "an address is told");
    assert!(!told.chars().any(char::is_control), "a control character is told");
}

/// A compressed body: the byte that says where it is cut into pieces, then the body. However it
/// comes, it is the same, and never longer than its limit.
pub fn body(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    let (head, tail) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    let read = |pieces: &[&[u8]]| -> Result<Bytes, BodyError> {
        let mut body = Body::new("gzip", BODY_MAX).expect("a coding that we know");
        for piece in pieces {
            body.push(piece)?;
        }
        body.finish()
    };
    match (read(&[bytes]), read(&[head, tail])) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other, "in pieces it is another");
            assert!(one.len() as u64 <= BODY_MAX, "longer than its limit");
        }
        (Err(_), Err(_)) => {}
        _ => panic!("in pieces it is read, or not, otherwise"),
    }
}

/// Lines of `name: value`; what can be no header is left out, as no server could send it.
fn headers(bytes: &[u8]) -> Headers {
    let mut map = HeaderMap::new();
    for line in bytes.split(|it| *it == b'\n') {
        let at = line.iter().position(|it| *it == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(at);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            map.append(name, value);
        }
    }
    Headers(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzers_kept_still_holds() {
        testkit::replay("next_address", next_address);
        testkit::replay("answer_headers", answer_headers);
        testkit::replay("token_answer", token_answer);
        testkit::replay("body", body);
    }
}
