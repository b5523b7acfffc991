//! OneLogin's error answers, in the three shapes that its parts have.

use serde_json::json;

use crate::wire::Answer;

/// As version 2 of the API writes them.
fn of_v2(status: u16, name: &str, message: &str) -> Answer {
    let body = json!({"statusCode": status, "name": name, "message": message});
    Answer::json(status, "application/json", body)
}

/// As the token endpoint writes them.
pub(super) fn of_token(status: u16, kind: &str, message: &str) -> Answer {
    let said = json!({"error": true, "code": status, "type": kind, "message": message});
    Answer::json(status, "application/json", json!({"status": said}))
}

pub(crate) fn unauthorized() -> Answer {
    of_v2(401, "UnauthorizedError", "Unauthorized")
}

pub(crate) fn forbidden() -> Answer {
    of_v2(403, "ForbiddenError", "Insufficient Permission")
}

pub(crate) fn not_found() -> Answer {
    of_v2(404, "NotFoundError", "The resource with the given id could not be found")
}

pub(super) fn no_route() -> Answer {
    let body =
        json!({"error": true, "code": 404, "type": "Not Found", "message": "No Route Exists"});
    Answer::json(404, "application/json", body)
}

pub(super) fn bad_cursor() -> Answer {
    let body = json!({
        "status": 400,
        "error": "BadRequestError",
        "description": "Invalid pagination cursor",
    });
    Answer::json(400, "application/json", body)
}

pub(crate) fn too_many() -> Answer {
    of_v2(429, "TooManyRequestsError", "Rate limit exceeded")
}

pub(crate) fn broken(status: u16) -> Answer {
    of_v2(status, "InternalServerError", "An unexpected error occurred")
}
