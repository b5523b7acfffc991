//! What Graph means when it refuses, in words that say what to do, and how its lists lead on.
//!
//! Source: Microsoft Graph error responses and paging. A body may be empty or a web page of
//! something before Graph, so nothing here needs one to be JSON. The message of an error may name
//! a person by address: of an error only its code and Graph's id of the request are shown.

use outbound::{Answer, OutboundError};
use serde::Deserialize;

use crate::live::LiveError;
use crate::refusal::{Words, of_answer, of_error};
use crate::walk::{Dialect, Turned};

/// Who answers.
pub(super) const VENDOR: &str = "Microsoft Graph";

/// The tenant has no licence for this.
const UNLICENSED: &str = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Users,
    DeletedUsers,
    App,
    Assigned,
    AssignedToUser,
    Members,
    Group,
    Jobs,
    Log,
}

impl Asked {
    /// The least application permission that reads it.
    pub(super) const fn permission(self) -> &'static str {
        match self {
            Self::Users | Self::DeletedUsers => "User.Read.All",
            Self::App | Self::Assigned => "Application.Read.All",
            Self::AssignedToUser => "Directory.Read.All",
            Self::Members | Self::Group => "GroupMember.Read.All",
            Self::Jobs => "Synchronization.Read.All",
            Self::Log => "AuditLog.Read.All",
        }
    }
}

impl Dialect for Asked {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn shown(&self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::DeletedUsers => "deleted users",
            Self::App => "the enterprise app",
            Self::Assigned => "who is assigned to the app",
            Self::AssignedToUser => "what one user is assigned to",
            Self::Members => "the members of a group",
            Self::Group => "a group",
            Self::Jobs => "the provisioning jobs of the app",
            Self::Log => "the provisioning log",
        }
    }

    fn next(&self, answer: &Answer, _: Turned) -> Result<Option<String>, String> {
        next_page(answer)
    }

    fn refused(&self, answer: &Answer) -> LiveError {
        of_answer(answer, words_of(answer, *self), answer.status == 401)
    }

    fn failed(&self, error: OutboundError) -> LiveError {
        of_error(error, |status, body| {
            GraphError::read(body).map(|said| words(status, Some(&said), *self))
        })
    }

    fn says_gone(&self, answer: &Answer) -> bool {
        let code = GraphError::read(&answer.body).map(|it| it.code);
        answer.status == 404 && code.as_deref() == Some("Request_ResourceNotFound")
    }

    fn is_expired(&self, answer: &Answer) -> bool {
        let code = GraphError::read(&answer.body).map(|it| it.code);
        answer.status == 400 && code.as_deref() == Some("Directory_ExpiredPageToken")
    }

    /// One person may be assigned several roles, a row each.
    fn row_ids(&self, body: &[u8]) -> Option<Vec<String>> {
        if *self != Self::Assigned {
            return None;
        }
        let page: Page = serde_json::from_slice(body).unwrap_or_default();
        Some(page.value.into_iter().flatten().filter_map(|it| it.id).collect())
    }
}

/// Where the page after an answer is, by the link in it.
pub(super) fn next_page(answer: &Answer) -> Result<Option<String>, String> {
    // A body that is no object is told by who reads its rows.
    let next = serde_json::from_slice::<Next>(&answer.body).unwrap_or_default().link;
    match next.as_deref() {
        Some("") => Err("its link to the next page is empty".to_owned()),
        link => Ok(link.map(|it| answer.resolve(it))),
    }
}

/// Whether the tenant has no licence for what was asked.
pub(super) fn is_unlicensed(body: &[u8]) -> bool {
    GraphError::read(body).is_some_and(|it| it.code == UNLICENSED)
}

#[derive(Default, Deserialize)]
struct Next {
    #[serde(rename = "@odata.nextLink")]
    link: Option<String>,
}

#[derive(Default, Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Option<Row>>,
}

#[derive(Deserialize)]
struct Row {
    id: Option<String>,
}

/// Graph's own error answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GraphError {
    /// `Request_ResourceNotFound`; an answer without one is not Graph's.
    pub(super) code: String,
    request_id: Option<String>,
}

impl GraphError {
    /// Reads the body of an answer. `None`: it is not one of Graph.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let Written { error } = serde_json::from_slice(body).ok()?;
        let request_id = error.inner.or(error.inner_lower).and_then(|it| it.request_id);
        // Codes are words; whatever else stands there is shown to nobody.
        let is_code = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        let code = error.code.filter(|it| !it.is_empty() && is_code(it))?;
        let is_id = |it: &String| it.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-');
        Some(Self { code, request_id: request_id.filter(is_id) })
    }
}

#[derive(Deserialize)]
struct Written {
    error: WrittenError,
}

#[derive(Deserialize)]
struct WrittenError {
    code: Option<String>,
    #[serde(rename = "innerError")]
    inner: Option<Inner>,
    /// Some services write it so.
    #[serde(rename = "innererror")]
    inner_lower: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(rename = "request-id")]
    request_id: Option<String>,
}

/// What an answer that is no success means.
pub(super) fn words_of(answer: &Answer, asked: Asked) -> Words {
    words(answer.status, GraphError::read(&answer.body).as_ref(), asked)
}

fn words(status: u16, error: Option<&GraphError>, asked: Asked) -> Words {
    let (means, next) = meaning(status, error.map(|it| it.code.as_str()), asked);
    let means = match error {
        None => means,
        Some(GraphError { code, request_id: None }) => format!("{means} ({code})"),
        Some(GraphError { code, request_id: Some(id) }) => {
            format!("{means} ({code}, Graph's id of this request is {id})")
        }
    };
    Words { means, next: next.replace("{permission}", asked.permission()) }
}

/// What a status with a code means, and what to do; `{permission}` stands for the one that is
/// needed.
fn meaning(status: u16, code: Option<&str>, asked: Asked) -> (String, &'static str) {
    const LATER: &str = "the next run asks again";
    let shown = asked.shown();
    let (means, next) = match (status, code) {
        (401, _) => (
            "the access token is not accepted",
            "check `tenant`, `cloud` and the app registration of `client_id`",
        ),
        (_, Some(UNLICENSED)) => {
            return (
                format!("the tenant has no licence to read {shown}"),
                "it needs Entra ID P1 or P2",
            );
        }
        (403, _) => {
            return (
                format!("the app registration may not read {shown}"),
                "grant it the application permission `{permission}`, with admin consent",
            );
        }
        (_, Some("Directory_ExpiredPageToken")) => {
            ("the link to the next page expired while the list was read, each time", LATER)
        }
        (404, Some(_)) => match asked {
            Asked::App | Asked::Assigned | Asked::Jobs => (
                "Entra knows no such enterprise app",
                "check `app_id`: an app that was deleted and made anew has other ids",
            ),
            _ => ("Entra does not know it", "check its id"),
        },
        (404, None) => ("this is no answer of Microsoft Graph", "check `cloud`, or `graph_url`"),
        (429, _) => ("there were too many requests", LATER),
        (500.., _) => ("Microsoft Graph failed", LATER),
        (400, Some("Request_UnsupportedQuery" | "BadRequest")) => {
            ("Microsoft Graph does not take the query", "report this")
        }
        _ => {
            return (
                format!("Microsoft Graph refuses to show {shown}"),
                "look the code up, or report this",
            );
        }
    };
    (means.to_owned(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: &str, asked: Asked) -> String {
        let body = format!(
            r#"{{"error":{{"code":"{code}","message":"Resource 'ana@example.com' does not exist.",
            "innererror":{{"date":"2026-02-01T10:00:00","request-id":"1111-22"}}}}}}"#
        );
        let error = GraphError::read(body.as_bytes()).unwrap();
        words(status, Some(&error), asked).into_text()
    }

    #[test]
    fn refusals_say_what_to_do_and_never_whom_they_are_about() {
        for (status, code, asked, words) in [
            (401, "InvalidAuthenticationToken", Asked::Users, "check `tenant`, `cloud`"),
            (403, "Authorization_RequestDenied", Asked::Users, "permission `User.Read.All`"),
            (403, "Authorization_RequestDenied", Asked::Members, "`GroupMember.Read.All`"),
            (403, "Authorization_RequestDenied", Asked::Log, "`AuditLog.Read.All`"),
            (403, UNLICENSED, Asked::Log, "needs Entra ID P1 or P2"),
            (400, "Directory_ExpiredPageToken", Asked::Users, "expired while the list was read"),
            (404, "Request_ResourceNotFound", Asked::Assigned, "check `app_id`"),
            (404, "Request_ResourceNotFound", Asked::Users, "Entra does not know it"),
            (429, "TooManyRequests", Asked::Users, "too many requests"),
            (503, "serviceNotAvailable", Asked::Users, "Microsoft Graph failed"),
            (400, "Request_UnsupportedQuery", Asked::Users, "does not take the query"),
            (418, "Teapot", Asked::Jobs, "refuses to show the provisioning jobs"),
        ] {
            let said = said(status, code, asked);
            assert!(said.contains(words), "{status} {code}: {said}");
            let id = format!(" ({code}, Graph's id of this request is 1111-22): ");
            assert!(said.contains(&id) && !said.contains('@'), "{said}");
        }
    }

    #[test]
    fn what_is_no_error_of_graph_is_none() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"error":"invalid_client"}"#,
            r#"{"error":{"code":null}}"#,
            r#"{"error":{"code":"of ana@example.com"}}"#,
            "[]",
        ] {
            assert_eq!(GraphError::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn rows_of_one_person_are_told_apart_by_their_own_ids() {
        let body = br#"{"value":[{"id":"x1","principalId":"a"},{"id":null},null,{"id":"x2","principalId":"a"}]}"#;
        assert_eq!(Asked::Assigned.row_ids(body).unwrap(), ["x1", "x2"]);
        assert_eq!(Asked::Users.row_ids(body), None);
    }
}
