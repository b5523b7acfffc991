//! OneLogin's API as far as a reader of users and of one app needs it, by its documents: numeric
//! ids, cursors in headers that are offsets in disguise, totals beside them, rate headers in
//! seconds left, three shapes of errors. It takes no writes.

pub(crate) mod error;
mod events;
mod rows;
pub(crate) mod token;

use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::page::{Page, spoil};
use crate::subdomain::Subdomain;
use crate::wire::{Answer, Ask, Window, http_date};

/// One request to OneLogin and what is known about it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) endpoint: Endpoint,
    pub(crate) ids: &'a [String],
    pub(crate) faults: &'a [Fault],
    pub(crate) now: DateTime<Utc>,
}

/// Answers a request.
pub(crate) fn answer(subdomain: &mut Subdomain, call: &Call<'_>) -> Answer {
    let is_token = call.endpoint == Endpoint::OneLoginToken;
    let method = if is_token { Method::POST } else { Method::GET };
    if call.endpoint == Endpoint::Nowhere || call.ask.method != method {
        return error::no_route();
    }
    if is_token {
        return token::grant(subdomain, call).unwrap_or_else(|refusal| refusal);
    }
    token::admit(subdomain, call)
        .and_then(|()| within_rate(subdomain, call.now))
        .and_then(|()| read(subdomain, call))
        .unwrap_or_else(|refusal| refusal)
}

/// The headers of every answer: date, and what is left of the hour, in seconds left.
pub(crate) fn dress(subdomain: &mut Subdomain, now: DateTime<Utc>, mut answer: Answer) -> Answer {
    if !answer.has("x-ratelimit-limit") {
        let limit = subdomain.door.per_hour;
        let (began, used) = subdomain.tokens.window.unwrap_or((now, 0));
        let left = (began + TimeDelta::hours(1) - now).num_seconds().max(0);
        answer = answer
            .with("x-ratelimit-limit", limit.to_string())
            .with("x-ratelimit-remaining", limit.saturating_sub(used).to_string())
            .with("x-ratelimit-reset", left.to_string());
    }
    if answer.has("date") { answer } else { answer.with("date", http_date(now)) }
}

/// Counts the request, and refuses it where the hour's budget is spent.
fn within_rate(subdomain: &mut Subdomain, now: DateTime<Utc>) -> Result<(), Answer> {
    let limit = subdomain.door.per_hour;
    let window = subdomain.tokens.window.get_or_insert((now, 0));
    if now - window.0 >= TimeDelta::hours(1) {
        *window = (now, 0);
    }
    window.1 = window.1.saturating_add(1);
    if window.1 > limit { Err(error::too_many()) } else { Ok(()) }
}

fn read(subdomain: &Subdomain, call: &Call<'_>) -> Result<Answer, Answer> {
    let id = call.ids.first().and_then(|it| it.parse::<u64>().ok()).unwrap_or_default();
    let app = &subdomain.app;
    let is_app = || (id == app.id).then_some(()).ok_or_else(error::not_found);
    let user = || subdomain.users.get(&id).ok_or_else(error::not_found);
    match call.endpoint {
        Endpoint::OneLoginUsers => {
            let users: Vec<_> = subdomain.users.iter().collect();
            list(subdomain, call, (100, 50), &users, |(id, it)| rows::user(**id, it))
        }
        Endpoint::OneLoginUser => Ok(object(call, rows::user(id, user()?))),
        Endpoint::OneLoginUserApps => {
            user()?;
            let ignores = call.ask.param("ignore_visibility").is_some_and(|it| it == "true");
            let login = subdomain.logins.get(&id).filter(|_| ignores);
            let is_empty = call.faults.contains(&Fault::EmptyList);
            let mut apps = vec![rows::other_app()];
            apps.extend(login.map(|it| rows::app_of_user(app, it)));
            if is_empty {
                apps.clear();
            }
            apps.iter_mut().for_each(|it| spoil(it, call.faults));
            Ok(Answer::json(200, MEDIA_TYPE, json!(apps)))
        }
        Endpoint::OneLoginApp => {
            is_app()?;
            let roles: Vec<u64> = subdomain.roles.keys().copied().collect();
            Ok(object(call, rows::app(app, &roles)))
        }
        Endpoint::OneLoginAppUsers => {
            is_app()?;
            let listed = subdomain.logins.iter().filter(|it| it.1.is_listed).map(|it| *it.0);
            let users: Vec<_> =
                listed.filter_map(|id| Some((id, subdomain.users.get(&id)?))).collect();
            list(subdomain, call, (1000, 50), &users, |(id, it)| rows::app_user(*id, it))
        }
        Endpoint::OneLoginRoles => {
            let of_app = call.ask.number("app_id").is_none_or(|it| it == Ok(app.id.cast_signed()));
            let roles: Vec<_> = subdomain.roles.iter().filter(|_| of_app).collect();
            list(
                subdomain,
                call,
                (650, 50),
                &roles,
                |(id, name)| json!({"id": id, "name": name, "apps": [app.id], "admins": []}),
            )
        }
        Endpoint::OneLoginEvents => events::page(subdomain, call),
        Endpoint::OneLoginEventTypes => Ok(object(call, events::types())),
        _ => Err(error::no_route()),
    }
}

const MEDIA_TYPE: &str = "application/json; charset=utf-8";

/// One object by itself.
fn object(call: &Call<'_>, mut body: Value) -> Answer {
    spoil(&mut body, call.faults);
    Answer::json(200, MEDIA_TYPE, body)
}

/// A page of a list by number, which its cursor holds. `limits`: the most, and where nothing is said.
fn list<T>(
    subdomain: &Subdomain,
    call: &Call<'_>,
    limits: (usize, usize),
    rows: &[T],
    write: impl Fn(&T) -> Value,
) -> Result<Answer, Answer> {
    let (most, default) = limits;
    let asked = call.ask.param("cursor").filter(|it| !it.is_empty());
    let (limit, number) = match asked {
        Some(cursor) => cursor::read(&cursor).ok_or_else(error::bad_cursor)?,
        None => {
            let limit = call.ask.number("limit").and_then(Result::ok);
            (limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(default), 1)
        }
    };
    let limit = limit.clamp(1, most).min(subdomain.door.page_max);
    let window = Window { start: (number - 1) * limit, limit };
    let page = Page::cut(rows, window, call.faults, write);
    let n_rows = page.rows.len();
    let answer = Answer::json(200, MEDIA_TYPE, Value::Array(page.rows));
    if !subdomain.door.states_pages {
        return Ok(answer);
    }
    let after = page.next.map_or_else(String::new, |_| cursor::write(limit, number + 1));
    Ok(answer
        .with("current-page", number.to_string())
        .with("page-items", n_rows.to_string())
        .with("total-count", page.total.to_string())
        .with("total-pages", page.total.div_ceil(limit).to_string())
        .with("after-cursor", after))
}

/// Cursors: a page number in base64.
mod cursor {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    pub(super) fn write(limit: usize, number: usize) -> String {
        STANDARD.encode(format!("limit={limit}&sort=id&page={number}&sort_direction=asc"))
    }

    /// Rows of a page, and which page.
    pub(super) fn read(cursor: &str) -> Option<(usize, usize)> {
        let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
        let mut parts = text.split('&').filter_map(|it| it.split_once('='));
        let limit = parts.find(|it| it.0 == "limit")?.1.parse().ok()?;
        let number = parts.find(|it| it.0 == "page")?.1.parse().ok()?;
        (number > 0).then_some((limit, number))
    }
}

impl Subdomain {
    /// Ends the life of the access token that a request carries.
    pub(crate) fn kill_token(&mut self, ask: &Ask) {
        if let Some((_, token)) = ask.credential() {
            self.tokens.kill(token);
        }
    }
}
