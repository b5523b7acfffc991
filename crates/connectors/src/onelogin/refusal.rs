//! What OneLogin means when it refuses, in words that say what to do, and how its lists lead on.
//!
//! Source: OneLogin API 2, and its pagination guide. Errors come in three shapes, and a body may be
//! empty or a web page of something before OneLogin. The message of an error may name a person by
//! address: of an error only the name of its kind is shown.

use outbound::{Answer, OutboundError};
use serde::Deserialize;
use serde_json::Value;

use super::{TOKEN, paths};
use crate::live::LiveError;
use crate::refusal::{Words, of_answer, of_error};
use crate::walk::{Dialect, Turned};

/// Who answers.
pub(super) const VENDOR: &str = "OneLogin";

/// Rows of a page where a server heeds no limit, or another than was asked for.
const PAGES: [u64; 3] = [50, 100, 1000];

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Users,
    App,
    AppUsers,
    UserApps,
    Roles,
    Events,
    EventTypes,
}

impl Dialect for Asked {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn shown(&self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::App => "the app",
            Self::AppUsers => "the users of the app",
            Self::UserApps => "the apps of one user",
            Self::Roles => "the roles of the app",
            Self::Events => "the events",
            Self::EventTypes => "the types of events",
        }
    }

    fn next(&self, answer: &Answer, _: Turned) -> Result<Option<String>, String> {
        next_page(answer)
    }

    fn total(&self, answer: &Answer) -> Option<u64> {
        answer.headers.get(TOTAL)?.trim().parse().ok()
    }

    /// A list that states neither total nor cursor may have been cut at a page.
    fn doubts_end(&self, answer: &Answer, n_rows: u64) -> Option<String> {
        let is_silent = answer.headers.get(AFTER).is_none() && self.total(answer).is_none();
        (is_silent && PAGES.contains(&n_rows)).then(|| {
            format!(
                "it states no total, and its last page has exactly {n_rows} rows: there may be more"
            )
        })
    }

    fn refused(&self, answer: &Answer) -> LiveError {
        of_answer(answer, words_of(answer, *self), answer.status == 401)
    }

    /// A credential whose maker was deleted makes the token endpoint fail, and nothing else tells.
    fn failed(&self, error: OutboundError) -> LiveError {
        let is_token = error.url.ends_with(TOKEN);
        of_error(error, |status, body| {
            let said = Said::read(body);
            if is_token && status == 500 {
                return Some(Words {
                    means: "OneLogin gives no access token".to_owned(),
                    next: "look whether the admin who made the API credential was deleted, for that ends it: make a new one; if not, the next run asks again".to_owned(),
                });
            }
            said.map(|said| words(status, Some(&said), *self))
        })
    }

    fn says_gone(&self, answer: &Answer) -> bool {
        let name = Said::read(&answer.body).and_then(|it| it.name);
        answer.status == 404 && name.as_deref() == Some("NotFoundError")
    }
}

/// The cursor is in a header; without one, or with an empty one, no page follows.
pub(super) fn next_page(answer: &Answer) -> Result<Option<String>, String> {
    if !answer.headers.is_text(AFTER) {
        return Err("its cursor is no text".to_owned());
    }
    let cursor = answer.headers.get(AFTER).filter(|it| !it.trim().is_empty());
    Ok(cursor.map(|it| answer.resolve(&paths::next(it))))
}

const AFTER: &str = "after-cursor";
const TOTAL: &str = "total-count";

/// OneLogin's own error answer, in any of its shapes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// `NotFoundError` or `Unauthorized`; `None`: it has none that is a word.
    name: Option<String>,
}

impl Said {
    /// Reads the body of an answer. `None`: it is not one of OneLogin's API.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(body).ok()?;
        let name = match written {
            Written { status_code: Some(_), name, .. } => name,
            Written { status: Some(Value::Object(nested)), .. } => nested.get("type").cloned(),
            Written { status: Some(Value::Number(_)), error: Some(error), .. } => Some(error),
            Written { code: Some(_), kind, .. } => kind,
            _ => return None,
        };
        // Kinds are words; whatever else stands there is shown to nobody.
        let is_word =
            |it: &String| it.bytes().all(|it| it.is_ascii_alphabetic() || it == b' ' || it == b'_');
        let name = name.and_then(|it| it.as_str().map(str::to_owned)).filter(is_word);
        Some(Self { name: name.filter(|it| !it.is_empty()) })
    }
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "statusCode")]
    status_code: Option<Value>,
    name: Option<Value>,
    status: Option<Value>,
    error: Option<Value>,
    code: Option<Value>,
    #[serde(rename = "type")]
    kind: Option<Value>,
}

/// What an answer that is no success means.
pub(super) fn words_of(answer: &Answer, asked: Asked) -> Words {
    words(answer.status, Said::read(&answer.body).as_ref(), asked)
}

fn words(status: u16, said: Option<&Said>, asked: Asked) -> Words {
    let (means, next) = meaning(status, said.is_some(), asked);
    let means = match said.and_then(|it| it.name.as_deref()) {
        Some(name) => format!("{means} ({name})"),
        None => means,
    };
    Words { means, next: next.to_owned() }
}

/// What a status means, and what to do. `is_theirs`: OneLogin's own error came with it.
fn meaning(status: u16, is_theirs: bool, asked: Asked) -> (String, &'static str) {
    const LATER: &str = "the next run asks again";
    let shown = asked.shown();
    let (means, next) = match (status, is_theirs) {
        (401, _) => (
            "the access token is not accepted",
            "check that the API credential is not revoked, and has the scope Read All",
        ),
        (403, _) => {
            return (
                format!("the API credential may not read {shown}"),
                "make one with the scope Read All: Read Users sees no app",
            );
        }
        (404, true) => match asked {
            Asked::App | Asked::AppUsers => (
                "OneLogin knows no such app",
                "check `app_id`: it is the number in the app's address in the admin console",
            ),
            _ => ("OneLogin does not know it", "check its id"),
        },
        (404, false) => ("this is no answer of OneLogin's API", "check `url`"),
        (400, _) => ("OneLogin does not take the query", "report this"),
        (429, _) => ("there were too many requests", LATER),
        (500.., _) => ("OneLogin failed", LATER),
        _ => {
            return (
                format!("OneLogin refuses to show {shown}"),
                "look at its API, or report this",
            );
        }
    };
    (means.to_owned(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_in_each_of_its_shapes() {
        for (body, name) in [
            (r#"{"statusCode":404,"name":"NotFoundError","message":"m"}"#, Some("NotFoundError")),
            (
                r#"{"status":{"error":true,"code":401,"type":"Unauthorized","message":"m"}}"#,
                Some("Unauthorized"),
            ),
            (r#"{"error":true,"code":404,"type":"Not Found","message":"m"}"#, Some("Not Found")),
            (
                r#"{"status":400,"error":"BadRequestError","description":"d"}"#,
                Some("BadRequestError"),
            ),
            (r#"{"statusCode":500,"name":"of ana@example.com","message":null}"#, None),
        ] {
            let said = Said::read(body.as_bytes());
            assert_eq!(said, Some(Said { name: name.map(str::to_owned) }), "{body}");
        }
        for body in ["", "<html>", "{}", "[]", r#"{"error":"invalid_client"}"#, r#"{"id":1}"#] {
            assert_eq!(Said::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn refusals_say_what_to_do_and_never_whom_they_are_about() {
        let said = Said { name: Some("SomeError".to_owned()) };
        for (status, asked, told) in [
            (401, Asked::Users, "has the scope Read All"),
            (403, Asked::AppUsers, "may not read the users of the app (SomeError): make one"),
            (404, Asked::App, "check `app_id`"),
            (404, Asked::Users, "does not know it"),
            (429, Asked::Users, "too many requests"),
            (503, Asked::Users, "OneLogin failed"),
            (418, Asked::Roles, "refuses to show the roles of the app"),
        ] {
            let words = words(status, Some(&said), asked).into_text();
            assert!(words.contains(told) && words.contains("(SomeError)"), "{status}: {words}");
        }
        let words = words(404, None, Asked::Users).into_text();
        assert_eq!(words, "this is no answer of OneLogin's API: check `url`");
    }
}
