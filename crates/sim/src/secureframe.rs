//! Secureframe's REST API as far as a reader of personnel needs it (version 2023-10-18), with what
//! documents and reports of it say against each other. It takes no writes.

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::page::{Page, spoil};
use crate::personnel::{Personnel, Record, Shape};
use crate::wire::{Answer, Ask, Window, put, timestamp};
use crate::world::Active;

/// One request to Secureframe and what is known about it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) endpoint: Endpoint,
    pub(crate) ids: &'a [String],
    pub(crate) faults: &'a [Fault],
}

/// An error: a message and nothing else.
pub(crate) fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, MEDIA_TYPE, json!({"message": message}))
}

const MEDIA_TYPE: &str = "application/json; charset=utf-8";

/// Rows of a page where nothing is asked for.
const PER_PAGE: usize = 100;

/// Answers a request.
pub(crate) fn answer(personnel: &Personnel, call: &Call<'_>) -> Answer {
    read(personnel, call).unwrap_or_else(|refusal| refusal)
}

fn read(personnel: &Personnel, call: &Call<'_>) -> Result<Answer, Answer> {
    // No scheme: the key stands where others have one.
    let pair = (personnel.api_key.as_str(), personnel.api_secret.as_str());
    if call.ask.credential() != Some(pair) {
        return Err(error(401, "Authorization failed"));
    }
    if call.ask.method != Method::GET {
        return Err(error(405, "this server takes no writes"));
    }
    if personnel.habits.forbids {
        return Err(error(403, "You are not authorized to perform this action"));
    }
    match call.endpoint {
        Endpoint::SecureframeUsers => list(personnel, call),
        Endpoint::SecureframeUser => {
            let id = call.ids.first().map_or("", String::as_str);
            let found = personnel.people.iter().find(|it| it.id == id);
            let mut row = row(found.ok_or_else(|| error(404, "Resource not found"))?);
            spoil(&mut row, call.faults);
            Ok(Answer::json(200, MEDIA_TYPE, json!({"data": row, "included": []})))
        }
        _ => Err(error(404, "Resource not found")),
    }
}

fn list(personnel: &Personnel, call: &Call<'_>) -> Result<Answer, Answer> {
    let habits = &personnel.habits;
    let mut people: Vec<&Record> = personnel.people.iter().collect();
    match call.ask.param("sort").as_deref() {
        Some(_) if habits.refuses_sort => {
            return Err(error(400, "found unpermitted parameter: :sort"));
        }
        Some("id") => people.sort_by(|one, other| one.id.cmp(&other.id)),
        Some(field) => return Err(error(400, &format!("User is not sortable by {field}"))),
        None => {}
    }
    let number = |name: &str, default: usize| match call.ask.number(name) {
        None => Ok(default),
        Some(number) => number
            .ok()
            .and_then(|it| usize::try_from(it).ok())
            .filter(|it| *it > 0)
            .ok_or_else(|| error(400, &format!("{name} is not valid"))),
    };
    let limit = number("per_page", PER_PAGE)?.min(habits.page_max);
    let mut page = number("page", 1)?;
    let n_pages = people.len().div_ceil(limit).max(1);
    let is_endless = call.faults.contains(&Fault::EndlessList);
    if page > n_pages && !is_endless {
        if habits.refuses_past_end {
            return Err(error(404, "Resource not found"));
        }
        if habits.repeats_past_end {
            page = n_pages;
        }
    }
    let window = Window { start: (page - 1) * limit, limit };
    let page = Page::cut(&people, window, call.faults, |it| row(it));
    let body = match habits.shape {
        Shape::Total => {
            json!({"data": page.rows, "meta": {"total": page.total}, "included": []})
        }
        Shape::NoTotal => json!({"data": page.rows}),
        Shape::Bare => {
            let rows = page.rows.into_iter().map(|it| json!({"data": it, "included": []}));
            rows.collect()
        }
    };
    Ok(Answer::json(200, MEDIA_TYPE, body))
}

/// A person, as lists and the read by id give it.
fn row(record: &Record) -> Value {
    let time = |it: DateTime<Utc>| timestamp(it);
    let mut attributes = json!({
        "email": record.email,
        "name": record.email.as_deref().and_then(|it| it.split('@').next()),
        "access_role": record.access_role,
        "active_source": record.active_source,
        "employee_type": "employee",
        "in_audit_scope": true,
        "invited": record.invited,
        "personnel_status": record.status,
        "end_date": record.ends_at.map(time),
        "created_at": time(record.created_at),
        "updated_at": time(record.updated_at),
    });
    match &record.active {
        Active::Set(is_on) => put(&mut attributes, "active", *is_on),
        Active::Null => put(&mut attributes, "active", Value::Null),
        Active::Absent => {}
        Active::Text(text) => put(&mut attributes, "active", text.as_str()),
    }
    json!({
        "id": record.id,
        "type": "company_user",
        "attributes": attributes,
        "relationships": {},
        "links": {"self": format!("/users/{}", record.id)},
    })
}
