//! A SCIM 2.0 server as readers meet it (RFC 7643, RFC 7644, RFC 9865), with the habits of real
//! ones. It takes no writes but those of a probe: what a provisioning client would do to it, the
//! company does.

mod rows;

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::filter::Filter;
use crate::page::{Page, spoil};
use crate::serve::Urls;
use crate::wire::{Answer, Ask, Window, put};
use crate::world::{Account, Active, Paging, World};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The token of those who may write.
pub(crate) const WRITE_TOKEN: &str = "sim-scim-write-token";

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// One request to the app and what is known about it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) endpoint: Endpoint,
    pub(crate) ids: &'a [String],
    pub(crate) faults: &'a [Fault],
    pub(crate) urls: &'a Urls,
}

/// An error in SCIM's form (RFC 7644, 3.12).
pub(crate) fn error(status: u16, scim_type: Option<&str>, detail: &str) -> Answer {
    let mut body = json!({"schemas": [ERROR], "status": status.to_string(), "detail": detail});
    if let Some(scim_type) = scim_type {
        put(&mut body, "scimType", scim_type);
    }
    Answer::json(status, "application/scim+json", body)
}

/// Answers a request.
pub(crate) fn answer(world: &mut World, call: &Call<'_>, now: DateTime<Utc>) -> Answer {
    let written = write(world, call, now);
    let mut answer = written.unwrap_or_else(|| read(world, call).unwrap_or_else(|it| it));
    if world.app.habits.says_plain_json {
        for (name, value) in &mut answer.headers {
            if *name == "content-type" {
                *value = value.replace("scim+json", "json");
            }
        }
    }
    answer
}

/// Switches an account off or on, by the one operation that readers know. `None`: it is no such write.
fn write(world: &mut World, call: &Call<'_>, now: DateTime<Utc>) -> Option<Answer> {
    let bearer = call.ask.credential()?;
    let may = world.app.habits.takes_writes && bearer.1 == WRITE_TOKEN;
    if call.ask.method != Method::PATCH || call.endpoint != Endpoint::ScimUser || !may {
        return None;
    }
    let id = call.ids.first()?;
    let body: Value = serde_json::from_slice(&call.ask.body).ok()?;
    let operation = body.get("Operations")?.as_array().filter(|it| it.len() == 1)?.first()?;
    let member = |name: &str| operation.get(name).unwrap_or(&Value::Null);
    let is_active = member("op") == "replace" && member("path") == "active";
    let Some(is_on) = member("value").as_bool().filter(|_| is_active) else {
        return Some(error(400, Some("invalidPath"), "only `active` can be replaced"));
    };
    if !world.app.accounts.iter().any(|it| it.id == *id) {
        return Some(error(404, None, &format!("Resource {id} not found")));
    }
    match (world.app.habits.ignores_writes, is_on) {
        (true, _) => {}
        (false, false) => world.switch_off(id, now),
        (false, true) => {
            let account = world.app.accounts.iter_mut().find(|it| it.id == *id)?;
            (account.active, account.modified_at) = (Active::Set(true), now);
        }
    }
    Some(Answer::text(204, "application/scim+json", ""))
}

fn read(world: &World, call: &Call<'_>) -> Result<Answer, Answer> {
    let not_found = |id: &str| error(404, None, &format!("Resource {id} not found"));
    if call.endpoint == Endpoint::Nowhere {
        return Err(error(404, None, "there is no such endpoint"));
    }
    let bearer = call.ask.credential().filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if bearer.is_none_or(|(_, token)| token != world.app.token) {
        return Err(error(401, None, "the token is not valid"));
    }
    if call.ask.method != Method::GET {
        return Err(error(405, None, "this server takes no writes"));
    }
    let habits = &world.app.habits;
    let id = call.ids.first().map_or("", String::as_str);
    let url = &call.urls.scim;
    match call.endpoint {
        Endpoint::ScimConfig if habits.has_no_config => Err(not_found("ServiceProviderConfig")),
        Endpoint::ScimConfig => Ok(ok(rows::config(habits, url))),
        Endpoint::ScimTypes => Ok(ok(rows::types(url))),
        Endpoint::ScimUsers => {
            let mut accounts: Vec<&Account> = world
                .app
                .accounts
                .iter()
                .filter(|it| !habits.shows_nobody && (!habits.hides_inactive || !it.is_off()))
                .collect();
            if habits.lists_newest_first {
                accounts.reverse();
            }
            list(world, call, accounts, |it| rows::account(world, url, it))
        }
        Endpoint::ScimUser => {
            let mut accounts = world.app.accounts.iter();
            let found = accounts.find(|it| !habits.shows_nobody && it.id == id);
            let mut row = rows::account(world, url, found.ok_or_else(|| not_found(id))?);
            spoil(&mut row, call.faults);
            Ok(ok(row))
        }
        Endpoint::ScimGroups => {
            let groups: Vec<_> = world.app.groups.iter().collect();
            list(world, call, groups, |(key, it)| rows::group(url, key, it))
        }
        Endpoint::ScimGroup => {
            let found = world.app.groups.get(id).ok_or_else(|| not_found(id))?;
            Ok(ok(rows::group(url, id, found)))
        }
        _ => Err(not_found(&call.ask.path)),
    }
}

fn ok(body: Value) -> Answer {
    Answer::json(200, "application/scim+json", body)
}

/// One page of a list, by index or by cursor.
fn list<T>(
    world: &World,
    call: &Call<'_>,
    mut rows: Vec<T>,
    write: impl Fn(&T) -> Value,
) -> Result<Answer, Answer> {
    let habits = &world.app.habits;
    if habits.answers_empty_object {
        return Ok(ok(json!({})));
    }
    if let Some(text) = call.ask.param("filter").filter(|_| !habits.ignores_filters) {
        let filter = Filter::parse(&text)
            .ok_or_else(|| error(400, Some("invalidFilter"), "the filter cannot be read"))?;
        rows.retain(|it| filter.meets(&write(it)));
    }
    let cursor = call.ask.param("cursor");
    let by_cursor = match (habits.paging, cursor.is_some(), call.ask.param("startIndex").is_some())
    {
        (Paging::Index, ..) => false,
        (_, true, true) => {
            let what = "a search cannot have both a cursor and a startIndex";
            return Err(error(400, Some("invalidValue"), what));
        }
        (Paging::Both, has_cursor, _) => has_cursor,
        (Paging::Cursor, _, has_index) => !has_index,
    };
    let number = |name: &str, default: i64| {
        call.ask
            .number(name)
            .unwrap_or(Ok(default))
            .map_err(|_| error(400, Some("invalidValue"), &format!("{name} is no number")))
    };
    // A negative count is 0, a start below 1 is 1 (RFC 7644, 3.4.2.4).
    let count = number("count", i64::MAX)?.max(0);
    let limit = usize::try_from(count).unwrap_or(usize::MAX).min(habits.page_max);
    let start_index = number("startIndex", 1)?.max(1);
    let start = match cursor.filter(|_| by_cursor).as_deref() {
        None if by_cursor => 0,
        None => usize::try_from(start_index - 1).unwrap_or(usize::MAX),
        Some("") => 0,
        Some(cursor) => rows::cursor_start(cursor)
            .ok_or_else(|| error(400, Some("invalidCursor"), "the cursor is not valid"))?,
    };
    let is_endless = call.faults.contains(&Fault::EndlessList);
    let restarts = habits.restarts_past_end && start >= rows.len() && !is_endless;
    let start = if restarts { 0 } else { start };
    let window = Window { start, limit };
    let page = Page::cut(&rows, window, call.faults, write);
    let mut body = json!({
        "schemas": [LIST],
        "totalResults": page.total,
        "itemsPerPage": page.rows.len(),
        "Resources": page.rows,
    });
    if by_cursor {
        if let Some(next) = page.next {
            put(&mut body, "nextCursor", rows::cursor(next));
        }
    } else {
        put(&mut body, "startIndex", start_index);
    }
    Ok(ok(if habits.writes_members_in_lower_case { rows::in_lower_case(body) } else { body }))
}
