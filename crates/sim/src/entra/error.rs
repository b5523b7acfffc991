//! Graph's error answers: a code, a sentence and the id of the request.

use serde_json::json;

use crate::wire::Answer;

/// An error as Graph writes it.
pub(crate) fn with_status(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error": {
        "code": code,
        "message": message,
        "innerError": {
            "date": "2026-02-01T10:00:00",
            "request-id": "11111111-2222-3333-4444-555555555555",
            "client-request-id": "11111111-2222-3333-4444-555555555555",
        },
    }});
    Answer::json(status, "application/json", body)
}

pub(crate) fn not_found(id: &str) -> Answer {
    let message = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    with_status(404, "Request_ResourceNotFound", &message)
}

pub(crate) fn invalid_token() -> Answer {
    with_status(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
}

pub(crate) fn forbidden() -> Answer {
    let message = "Insufficient privileges to complete the operation.";
    with_status(403, "Authorization_RequestDenied", message)
}

pub(crate) fn unlicensed() -> Answer {
    let message = "Neither tenant is B2C or tenant doesn't have premium license";
    with_status(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", message)
}

pub(crate) fn expired_page() -> Answer {
    with_status(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
}

pub(crate) fn no_method() -> Answer {
    with_status(405, "Request_BadRequest", "Specified HTTP method is not allowed.")
}

pub(crate) fn too_many() -> Answer {
    with_status(429, "TooManyRequests", "Too many requests.")
}

/// An error of the token endpoint, which has a form of its own.
pub(crate) fn of_token(status: u16, error: &str, number: u32, what: &str) -> Answer {
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{number}: {what}"),
        "error_codes": [number],
        "timestamp": "2026-02-01 10:00:00Z",
        "trace_id": "11111111-2222-3333-4444-555555555555",
        "correlation_id": "11111111-2222-3333-4444-555555555555",
    });
    Answer::json(status, "application/json", body).with("cache-control", "no-store")
}
