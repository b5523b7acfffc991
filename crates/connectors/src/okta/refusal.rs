//! What Okta means when it refuses, in words that say what to do.
//!
//! Source: Okta error codes and its OpenAPI description. A body may be empty or a web page of
//! something before Okta, so nothing here needs one to be JSON. The summary of an error may name
//! a person by address: of an error only its code and Okta's id of it are shown.

use outbound::{Answer, OutboundError};
use serde::Deserialize;

use super::link;
use crate::live::LiveError;
use crate::refusal::{Words, of_answer, of_error};
use crate::walk::{Dialect, Turned};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Users,
    App,
    AppUsers,
    AppGroups,
    Features,
    Log,
}

impl Asked {
    /// The OAuth scope that reads it.
    pub(super) const fn scope(self) -> &'static str {
        match self {
            Self::Users => "okta.users.read",
            Self::App | Self::AppUsers | Self::AppGroups | Self::Features => "okta.apps.read",
            Self::Log => "okta.logs.read",
        }
    }
}

/// Okta's own error answer.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OktaError {
    /// `E0000007`; an answer without one is not Okta's.
    error_code: String,
    error_id: Option<String>,
    error_summary: Option<String>,
}

impl OktaError {
    /// Reads the body of an answer. `None`: it is not one of Okta's API.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    pub(super) fn code(&self) -> &str {
        &self.error_code
    }

    /// The type of resource that it says is not there: `User` of `... 00u9 (User)`.
    pub(super) fn missing_resource(&self) -> Option<&str> {
        let summary = self.error_summary.as_deref()?.trim_end();
        summary.strip_suffix(')')?.rsplit_once('(').map(|(_, resource)| resource)
    }
}

impl Dialect for Asked {
    fn vendor(&self) -> &'static str {
        "Okta"
    }

    fn shown(&self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::App => "the app",
            Self::AppUsers => "the users of the app",
            Self::AppGroups => "the groups of the app",
            Self::Features => "the provisioning settings of the app",
            Self::Log => "the system log",
        }
    }

    fn next(&self, answer: &Answer, _: Turned) -> Result<Option<String>, String> {
        link::of(answer).map_err(|error| error.to_string())
    }

    fn refused(&self, answer: &Answer) -> LiveError {
        of_answer(answer, words_of(answer, *self), is_of_credential(answer))
    }

    fn failed(&self, error: OutboundError) -> LiveError {
        of_error(error, |status, body| {
            OktaError::read(body).map(|said| words(status, Some(&said), *self))
        })
    }

    /// Okta says `E0000007` for a resource that is not there, whichever it is. The app is none
    /// that may be gone.
    fn says_gone(&self, answer: &Answer) -> bool {
        let says = |error: &OktaError| {
            error.code() == "E0000007"
                && !error
                    .missing_resource()
                    .is_some_and(|it| it.starts_with("App") && it != "AppUser")
        };
        answer.status == 404 && OktaError::read(&answer.body).is_some_and(|it| says(&it))
    }
}

/// Whether an answer refuses the credential, whatever it is asked for. Some 401 of Okta are about
/// one feature: those have a code of their own.
fn is_of_credential(answer: &Answer) -> bool {
    let error = OktaError::read(&answer.body);
    let code = error.as_ref().map(OktaError::code);
    answer.status == 401 && matches!(code, None | Some("E0000004" | "E0000011"))
}

/// What an answer that is no success means.
pub(super) fn words_of(answer: &Answer, asked: Asked) -> Words {
    words(answer.status, OktaError::read(&answer.body).as_ref(), asked)
}

fn words(status: u16, error: Option<&OktaError>, asked: Asked) -> Words {
    let (means, next) = meaning(status, error.map(OktaError::code), asked);
    let means = match error {
        None => means,
        Some(OktaError { error_code, error_id: None, .. }) => format!("{means} ({error_code})"),
        Some(OktaError { error_code, error_id: Some(id), .. }) => {
            format!("{means} ({error_code}, Okta's id of this error is {id})")
        }
    };
    Words { means, next: next.replace("{scope}", asked.scope()) }
}

/// What a status with a code means, and what to do; `{scope}` stands for the scope that is needed.
fn meaning(status: u16, code: Option<&str>, asked: Asked) -> (String, &'static str) {
    const LATER: &str = "the next run asks again";
    let shown = asked.shown();
    let (means, next) = match (status, code) {
        (_, Some("E0000011")) => (
            "the token is not valid",
            "make a new one; an API token ends when it is revoked, when it is not used for 30 days, or when its owner is deactivated, and may be bound to a network zone",
        ),
        (401, _) => ("the credential is not accepted", "renew it"),
        (_, Some("E0000006")) | (403, _) => {
            return (
                format!("the credential may not read {shown}"),
                "grant the service app the scope `{scope}` and an admin role such as Read-only Administrator, or make the API token as an admin who may read this",
            );
        }
        (_, Some("E0000008")) => (
            "Okta knows no such address",
            "check that the base URL is that of the organisation, without a path",
        ),
        (404, Some(_)) => match asked {
            Asked::Users | Asked::Log => ("Okta does not know it", "check its id"),
            Asked::App | Asked::AppUsers | Asked::AppGroups | Asked::Features => (
                "Okta knows no such app, or this credential may not see it",
                "check `app_id`, and that the admin role covers the app",
            ),
        },
        (404, None) => ("this is no answer of Okta's API", "check the base URL"),
        (_, Some("E0000010")) => {
            ("Okta is in read-only mode for maintenance and did not answer", LATER)
        }
        (_, Some("E0000047")) => ("there were too many requests", LATER),
        (_, Some("E0000009")) if asked == Asked::Log => {
            ("Okta failed, or the query of the log took longer than 30 s", LATER)
        }
        (500.., _) => ("Okta failed", LATER),
        (400, Some("E0000031" | "E0000053")) => ("Okta does not take the filter", "report this"),
        _ => return (format!("Okta refuses to show {shown}"), "look the code up, or report this"),
    };
    (means.to_owned(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: &str, asked: Asked) -> String {
        let body = format!(
            r#"{{"errorCode":"{code}","errorSummary":"Not found: Resource not found: ana@example.com (User)",
            "errorLink":"{code}","errorId":"oae1","errorCauses":[]}}"#
        );
        let error = OktaError::read(body.as_bytes()).unwrap();
        words(status, Some(&error), asked).into_text()
    }

    #[test]
    fn refusals_say_what_to_do_and_never_whom_they_are_about() {
        for (status, code, asked, words) in [
            (401, "E0000011", Asked::Users, "the token is not valid"),
            (401, "E0000004", Asked::Users, "renew it"),
            (403, "E0000006", Asked::Users, "the scope `okta.users.read` and an admin role"),
            (403, "E0000006", Asked::Log, "the scope `okta.logs.read` and an admin role"),
            (404, "E0000007", Asked::AppUsers, "check `app_id`"),
            (404, "E0000007", Asked::Users, "does not know it"),
            (404, "E0000008", Asked::Users, "check that the base URL"),
            (503, "E0000010", Asked::Users, "read-only mode for maintenance"),
            (429, "E0000047", Asked::Users, "too many requests"),
            (500, "E0000009", Asked::Log, "longer than 30 s"),
            (500, "E0000009", Asked::Users, "Okta failed"),
            (400, "E0000031", Asked::Users, "does not take the filter"),
            (400, "E0000001", Asked::Features, "refuses to show the provisioning settings"),
        ] {
            let said = said(status, code, asked);
            assert!(said.contains(words), "{status} {code}: {said}");
            assert!(
                said.contains(&format!(" ({code}, Okta's id of this error is oae1): ")),
                "{said}"
            );
            assert!(!said.contains('@'), "{said}");
        }
    }

    #[test]
    fn an_answer_without_okta_s_error_is_classified_by_its_status() {
        for (status, words) in [
            (401, "renew it"),
            (403, "may not read users"),
            (404, "no answer of Okta's API"),
            (502, "Okta failed"),
            (418, "refuses to show users"),
        ] {
            let said = super::words(status, None, Asked::Users).into_text();
            assert!(said.contains(words), "{status}: {said}");
        }
    }

    #[test]
    fn what_is_no_error_of_okta_is_none() {
        for body in
            ["", "<html>", "{}", r#"{"errorCode":null}"#, "[]", r#"{"error":"invalid_client"}"#]
        {
            assert_eq!(OktaError::read(body.as_bytes()), None, "{body}");
        }
        let bare = OktaError::read(br#"{"errorCode":"E0000007","errorSummary":null}"#).unwrap();
        assert_eq!((bare.code(), bare.missing_resource()), ("E0000007", None));
    }

    #[test]
    fn a_missing_resource_is_named_by_its_type() {
        for (summary, resource) in [
            ("Not found: Resource not found: 00u9 (User)", Some("User")),
            ("Not found: Resource not found: 0oa1 (AppInstance)", Some("AppInstance")),
            ("Not found: {0}", None),
        ] {
            let body = format!(r#"{{"errorCode":"E0000007","errorSummary":"{summary}"}}"#);
            let error = OktaError::read(body.as_bytes()).unwrap();
            assert_eq!(error.missing_resource(), resource);
        }
    }
}
