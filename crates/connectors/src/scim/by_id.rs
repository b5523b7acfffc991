//! One account by its id (RFC 7644, 3.4.1): the authority on what a list shows or leaves out.
//! Only the app's own word that there is no such user counts as gone.

use chrono::{DateTime, Utc};
use domain::{Clock, Request, Rows, SystemId, Text};
use outbound::Reader;

use super::wire;
use crate::files::Profile;
use crate::live::{Answer, Question, Reply, ends_asking};
use crate::page::{self, One};
use crate::path::encoded;

/// Where one account is, below the base URL.
#[must_use]
pub fn path_of(id: &str) -> String {
    format!("Users/{}", encoded(id))
}

/// Asks for one account, and says whether every further question would meet the same. An id that is empty is not asked for: that would be the whole list.
pub(super) async fn ask(
    reader: &Reader,
    mapping: &Profile,
    system: &SystemId,
    clock: &dyn Clock,
    question: &Question,
) -> (Reply, bool) {
    let now = clock.now();
    let unknown = |why: &str| {
        let answer = Answer::Unknown { why: why.to_owned() };
        (reply(question, answer, now, now, Vec::new()), false)
    };
    let Question::Account(id) = question else { return unknown("an app has accounts only") };
    if id.trim().is_empty() || matches!(&**id, "." | "..") {
        return unknown("this id cannot be in a URL");
    }
    match reader.get(&path_of(id)).await {
        Ok(mut answer) => {
            let read = read(mapping, system, id, answer.status, &answer.body);
            if let (Answer::Found { .. }, Some(request)) = (&read, answer.requests.last_mut()) {
                request.n_rows = 1;
            }
            let ends = answer.status == 401;
            (reply(question, read, answer.sent_at, answer.received_at, answer.requests), ends)
        }
        Err(error) => {
            let why = format!("no answer: {}", error.kind);
            let answer = Answer::Unknown { why };
            let ends = ends_asking(&error.kind);
            (reply(question, answer, now, clock.now(), error.requests), ends)
        }
    }
}

/// The answer where nothing is asked any more.
pub(super) fn not_asked(question: &Question, why: &str, clock: &dyn Clock) -> Reply {
    let why = format!("not asked, because {why}");
    let now = clock.now();
    reply(question, Answer::Unknown { why }, now, now, Vec::new())
}

fn reply(
    question: &Question,
    answer: Answer,
    sent_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    requests: Vec<Request>,
) -> Reply {
    Reply { question: question.clone(), answer, sent_at, received_at, requests }
}

/// What an answer says of the account with this id.
fn read(mapping: &Profile, system: &SystemId, id: &Text, status: u16, body: &[u8]) -> Answer {
    let unknown = |why: String| Answer::Unknown { why };
    match status {
        200 => {}
        // A web page comes from something in between, which knows nothing of users.
        404 if wire::error(body).is_some() || wire::is_json_or_empty(body) => return Answer::Gone,
        404 => {
            return unknown("HTTP 404, and not from the app: a web page came with it".to_owned());
        }
        401 => return unknown("HTTP 401: the SCIM token is not accepted".to_owned()),
        403 => return unknown("HTTP 403: the SCIM token may not read this user".to_owned()),
        _ => {
            let kind = wire::error(body).and_then(|it| it.kind);
            let kind = kind.map_or(String::new(), |it| format!(" ({it})"));
            return unknown(format!("HTTP {status}{kind}"));
        }
    }
    match page::one(mapping, system, false, body) {
        Err(error) => unknown(error.to_string()),
        Ok(One { rows, raw: body, .. }) => match rows.into_iter().next() {
            Some(Rows::Accounts(rows)) if rows.first().is_some_and(|it| it.id == *id) => {
                Answer::Found { row: Rows::Accounts(rows), body }
            }
            _ => unknown("another account came than was asked for".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::AppProfiles;

    #[test]
    fn only_the_apps_own_word_counts_as_gone() {
        let app = AppProfiles::builtin().unwrap().get("generic-scim").unwrap();
        let system = SystemId::parse("app").unwrap();
        let scim_404 =
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":404}"#;
        for (status, body, wanted) in [
            (200, r#"{"id":"7","active":false}"#, "found"),
            (200, r#"{"ID":"7"}"#, "found"),
            (200, r#"{"id":"8"}"#, "another account came than was asked for"),
            (200, "{}", "the object is empty"),
            (200, "<html>", "the answer is not one object"),
            (200, "", "the answer is not one object"),
            (200, r#"{"totalResults":1,"Resources":[{"id":"7"}]}"#, "the answer is not one object"),
            (404, scim_404, "gone"),
            (404, r#"{"message":"Not Found"}"#, "gone"),
            (404, "", "gone"),
            (404, "<html>", "HTTP 404, and not from the app: a web page came with it"),
            (401, "", "HTTP 401: the SCIM token is not accepted"),
            (410, "", "HTTP 410"),
            (204, "", "HTTP 204"),
        ] {
            let read = read(&app.mapping, &system, &"7".into(), status, body.as_bytes());
            let shown = match read {
                Answer::Found { .. } => "found".to_owned(),
                Answer::Gone => "gone".to_owned(),
                Answer::Unknown { why } => why,
            };
            assert_eq!(shown, wanted, "{status} {body}");
        }
    }
}
