//! Okta's error answers: a code, a sentence and an id of the event.

use serde_json::json;

use crate::wire::Answer;

/// An error as the management API writes it.
pub(crate) fn with_status(status: u16, code: &str, summary: &str) -> Answer {
    let body = json!({
        "errorCode": code,
        "errorSummary": summary,
        "errorLink": code,
        "errorId": format!("oae{code}"),
        "errorCauses": [],
    });
    Answer::json(status, "application/json", body)
}

pub(crate) fn invalid(what: &str) -> Answer {
    with_status(400, "E0000001", &format!("Api validation failed: {what}"))
}

pub(crate) fn forbidden() -> Answer {
    let summary = "You do not have permission to perform the requested action";
    with_status(403, "E0000006", summary)
}

pub(crate) fn not_found(id: &str, kind: &str) -> Answer {
    with_status(404, "E0000007", &format!("Not found: Resource not found: {id} ({kind})"))
}

pub(crate) fn no_path() -> Answer {
    with_status(404, "E0000008", "The requested path was not found")
}

pub(crate) fn invalid_token() -> Answer {
    with_status(401, "E0000011", "Invalid token provided")
}

pub(crate) fn no_method() -> Answer {
    with_status(405, "E0000022", "The endpoint does not support the provided HTTP method")
}

pub(crate) fn too_many() -> Answer {
    let summary = "API call exceeded rate limit due to too many requests.";
    with_status(429, "E0000047", summary)
}

/// An error of the token endpoint, which has a form of its own (RFC 6749, 5.2).
pub(crate) fn of_token(status: u16, error: &str, description: &str) -> Answer {
    let body = json!({"error": error, "error_description": description});
    Answer::json(status, "application/json", body).with("cache-control", "no-store")
}
