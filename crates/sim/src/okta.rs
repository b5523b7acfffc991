//! Okta's management API as far as a reader of users and assignments needs it, by its published
//! documents: bounds of `limit`, deactivated users left out where nothing is asked for, one `Link`
//! line for each relation, opaque cursors, rate headers in epoch seconds. It takes no writes.

pub(crate) mod error;
mod log;
mod rows;
pub(crate) mod token;

use std::collections::BTreeMap;
use std::ops::Bound;

use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::filter::{Filter, Op};
use crate::page::{Page, spoil};
use crate::record::Server;
use crate::serve::Urls;
use crate::wire::{Answer, Ask, Window, http_date};
use crate::world::{AppUser, Group, OktaUser, Role, World};

/// What `filter` on users may look at.
const USER_FILTERS: &[&str] = &[
    "status",
    "lastUpdated",
    "id",
    "profile.login",
    "profile.email",
    "profile.firstName",
    "profile.lastName",
];

/// Bounds of `limit` where a list has no others.
const ALL: (i64, i64, i64) = (1, 10_000, 10_000);

/// One request to Okta and what is known about it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) endpoint: Endpoint,
    pub(crate) ids: &'a [String],
    pub(crate) faults: &'a [Fault],
    pub(crate) urls: &'a Urls,
    pub(crate) now: DateTime<Utc>,
    /// Rows of a page at most, whatever is asked for.
    pub(crate) page_max: usize,
}

/// What an operator exports of those users: all that Okta's lists of users and of the app's users show.
pub(crate) fn exported(world: &World, is_theirs: impl Fn(&str) -> bool) -> (Value, Value) {
    let (org, url) = (&world.okta, "https://firm.okta.test");
    let users = org.users.iter().filter(|it| is_theirs(it.0));
    let users = users.map(|(id, it)| rows::user(world, url, id, it)).collect();
    let app_users = org.app_users.iter().filter(|it| is_theirs(it.0));
    let app_users = app_users.map(|(id, it)| rows::app_user(world, url, id, it, false)).collect();
    (users, app_users)
}

/// Answers a request.
pub(crate) fn answer(world: &mut World, call: &Call<'_>) -> Answer {
    let url = format!("{}{}", call.urls.okta, call.ask.path);
    let org = &mut world.okta;
    if call.endpoint == Endpoint::OktaToken {
        if call.ask.method != Method::POST {
            return error::no_method();
        }
        return token::grant(&org.door, &mut org.tokens, call.ask, &url, call.now)
            .unwrap_or_else(|refusal| refusal);
    }
    if call.endpoint == Endpoint::Nowhere {
        return error::no_path();
    }
    if call.ask.method != Method::GET {
        return error::no_method();
    }
    token::admit(&org.door, &mut org.tokens, call.ask, call.endpoint, &url, call.now)
        .and_then(|()| within_rate(world, call))
        .and_then(|()| read(world, call))
        .unwrap_or_else(|refusal| refusal)
}

/// Ends the life of the access token that a request carries; an API token lives on.
pub(crate) fn kill_token(world: &mut World, ask: &Ask) {
    if let Some((_, token)) = ask.credential().filter(|(scheme, _)| *scheme != "SSWS") {
        world.okta.tokens.kill(token);
    }
}

/// The headers of every answer: date, request id, and what is left of the window.
pub(crate) fn dress(world: &mut World, call: &Call<'_>, mut answer: Answer) -> Answer {
    let tokens = &mut world.okta.tokens;
    tokens.n_answers += 1;
    answer = answer.with("x-okta-request-id", format!("req{:024}", tokens.n_answers));
    if !answer.has("x-rate-limit-limit") {
        let limit = world.okta.door.per_minute;
        let (began, used) = tokens.windows.get(&bucket(call)).copied().unwrap_or((call.now, 0));
        let reset = (began + world.okta.clock_ahead + TimeDelta::seconds(60)).timestamp();
        answer = answer
            .with("x-rate-limit-limit", limit.to_string())
            .with("x-rate-limit-remaining", limit.saturating_sub(used).to_string())
            .with("x-rate-limit-reset", reset.to_string());
    }
    if answer.has("date") {
        answer
    } else {
        answer.with("date", http_date(call.now + world.okta.clock_ahead))
    }
}

/// Counts the request, and refuses it if the bucket of its path is empty.
fn within_rate(world: &mut World, call: &Call<'_>) -> Result<(), Answer> {
    let limit = world.okta.door.per_minute;
    let window = world.okta.tokens.windows.entry(bucket(call)).or_insert((call.now, 0));
    if call.now - window.0 >= TimeDelta::seconds(60) {
        *window = (call.now, 0);
    }
    window.1 = window.1.saturating_add(1);
    if window.1 > limit { Err(error::too_many()) } else { Ok(()) }
}

/// The part of the API whose requests are counted together: coarser than Okta's own parts.
fn bucket(call: &Call<'_>) -> String {
    call.ask.path.split('/').take(4).collect::<Vec<_>>().join("/")
}

fn read(world: &World, call: &Call<'_>) -> Result<Answer, Answer> {
    let url = &call.urls.okta;
    let org = &world.okta;
    if call.endpoint.is_list() && org.door.role == Role::Blind {
        return Ok(linked(call, Page::default(), cursor::of_number, &[]));
    }
    let id = |at: usize| call.ids.get(at).map_or("", String::as_str);
    let is_expanded = |what: &str| call.ask.param("expand").is_some_and(|it| it == what);
    let is_app =
        || (id(0) == org.app.id).then_some(()).ok_or(error::not_found(id(0), "AppInstance"));
    let group = || org.groups.get(id(0)).ok_or_else(|| error::not_found(id(0), "UserGroup"));
    match call.endpoint {
        Endpoint::OktaUsers => users(world, call),
        Endpoint::OktaUser => {
            let by_login = |(key, it): &(&String, &OktaUser)| *key == id(0) || login_is(it, id(0));
            let found = org.users.get_key_value(id(0)).or_else(|| org.users.iter().find(by_login));
            let found = found.filter(|it| org.shows(it.0));
            let (key, user) = found.ok_or_else(|| error::not_found(id(0), "User"))?;
            Ok(object(call, rows::user(world, url, key, user)))
        }
        Endpoint::OktaUserGroups => {
            let is_member = |_: &str, it: &Group| it.members.contains(id(0));
            list(call, &org.groups, ALL, is_member, |key, it| rows::group(world, key, it))
        }
        Endpoint::OktaApps => {
            let filter = call.ask.param("filter").and_then(|it| Filter::parse(&it));
            let apps = BTreeMap::from([(org.app.id.clone(), rows::app(world, url))]);
            let is_wanted = |_: &str, it: &Value| filter.as_ref().is_none_or(|by| by.meets(it));
            list(call, &apps, (1, 200, 200), is_wanted, |_, it| it.clone())
        }
        Endpoint::OktaApp => is_app().map(|()| object(call, rows::app(world, url))),
        Endpoint::OktaFeatures => {
            is_app()?;
            let what = "Provisioning is not supported for this application.";
            let features = rows::features(world, url).ok_or_else(|| error::invalid(what))?;
            Ok(object(call, features))
        }
        Endpoint::OktaAppUsers => {
            is_app()?;
            let is_shown = |key: &str, _: &AppUser| org.shows(key);
            list(call, &org.app_users, (1, 500, 50), is_shown, |key, it| {
                rows::app_user(world, url, key, it, is_expanded("user"))
            })
        }
        Endpoint::OktaAppUser => {
            is_app()?;
            let found = org.app_users.get(id(1)).filter(|_| org.shows(id(1)));
            let found = found.ok_or_else(|| error::not_found(id(1), "AppUser"))?;
            Ok(object(call, rows::app_user(world, url, id(1), found, is_expanded("user"))))
        }
        Endpoint::OktaAppGroups => {
            is_app()?;
            let is_assigned = |_: &str, it: &Group| it.is_assigned;
            list(call, &org.groups, (20, 200, 20), is_assigned, |key, it| {
                rows::app_group(world, key, it, is_expanded("group"))
            })
        }
        Endpoint::OktaGroups => {
            list(call, &org.groups, ALL, every, |key, it| rows::group(world, key, it))
        }
        Endpoint::OktaGroup => Ok(object(call, rows::group(world, id(0), group()?))),
        Endpoint::OktaGroupUsers => {
            let found = group()?;
            let is_member = |key: &str, _: &OktaUser| found.members.contains(key) && org.shows(key);
            list(call, &org.users, (1, 1_000, 1_000), is_member, |key, it| {
                rows::user(world, url, key, it)
            })
        }
        Endpoint::OktaLog => log::answer(world, call),
        _ => Err(error::no_path()),
    }
}

/// Users: without a question those that are not deactivated, with one those that meet it.
fn users(world: &World, call: &Call<'_>) -> Result<Answer, Answer> {
    let parsed = |name: &str, code: &str| {
        let refused = || error::with_status(400, code, "Invalid search criteria.");
        call.ask.param(name).map(|it| Filter::parse(&it).ok_or_else(refused)).transpose()
    };
    let filter = parsed("filter", "E0000053")?;
    let search = parsed("search", "E0000031")?;
    let is_known = |(name, op): &(&str, Option<Op>)| {
        USER_FILTERS.contains(name) && (*op == Some(Op::Eq) || *name == "lastUpdated")
    };
    if filter.as_ref().is_some_and(|it| !it.members().iter().all(is_known)) {
        return Err(error::with_status(400, "E0000053", "Invalid filter"));
    }
    let condition = filter.or(search);
    let write = |key: &str, it: &OktaUser| rows::user(world, &call.urls.okta, key, it);
    let meets = |key: &str, it: &OktaUser| match &condition {
        None => it.status != "DEPROVISIONED",
        Some(condition) => condition.meets(&write(key, it)),
    };
    let is_wanted = |key: &str, it: &OktaUser| world.okta.shows(key) && meets(key, it);
    list(call, &world.okta.users, (1, 200, 200), is_wanted, write)
}

fn login_is(user: &OktaUser, name: &str) -> bool {
    user.login == name || user.login.split_once('@').is_some_and(|(short, _)| short == name)
}

/// One object by itself.
fn object(call: &Call<'_>, mut body: Value) -> Answer {
    spoil(&mut body, call.faults);
    Answer::json(200, "application/json", body)
}

/// A page of a list that goes by key. `limits`: the least, the most, and where nothing is said.
fn list<T>(
    call: &Call<'_>,
    rows: &BTreeMap<String, T>,
    limits: (i64, i64, i64),
    is_wanted: impl Fn(&str, &T) -> bool,
    write: impl Fn(&str, &T) -> Value,
) -> Result<Answer, Answer> {
    let limit = call.limit(limits)?;
    // The cursor is a key, as a real one is: rows before it may come and go.
    let after = call.ask.param("after").map(|it| cursor::key(&it)).transpose()?;
    let (after, skipped) = after.unwrap_or_default();
    let is_wanted = |(key, it): &(&String, &T)| is_wanted(key, it);
    let (rows, start): (Vec<(&String, &T)>, usize) = if call.faults.is_empty() {
        // One more row than is shown tells whether there is a next page.
        let following = rows.range::<str, _>((Bound::Excluded(after.as_str()), Bound::Unbounded));
        (following.filter(is_wanted).skip(skipped).take(limit + 1).collect(), 0)
    } else {
        let rows: Vec<_> = rows.iter().filter(is_wanted).collect();
        let start = rows.partition_point(|(it, _)| **it <= after) + skipped;
        (rows, start)
    };
    let window = Window { start, limit };
    let page = Page::cut(&rows, window, call.faults, |(key, it)| write(key, it));
    let last = rows.last().map_or("", |it| it.0);
    let next = |end: usize| match end.checked_sub(1).and_then(|it| rows.get(it)) {
        Some((key, _)) => cursor::of_key(key, 0),
        // Only where a fault makes the list longer than it is.
        None => cursor::of_key(last, end - rows.len()),
    };
    Ok(linked(call, page, next, &[]))
}

/// Keeps every row of a list.
fn every<T>(_: &str, _: &T) -> bool {
    true
}

/// The answer for a page, with a `Link` line for itself and one for what follows. Parameters in
/// `dropped` are not carried on.
fn linked(
    call: &Call<'_>,
    page: Page,
    cursor: impl Fn(usize) -> String,
    dropped: &[&str],
) -> Answer {
    let url = format!("{}{}", call.urls.okta, call.ask.path);
    let own = call.ask.query.as_ref().map_or_else(|| url.clone(), |it| format!("{url}?{it}"));
    let mut answer = Answer::json(200, "application/json", Value::Array(page.rows))
        .with("link", format!("<{own}>; rel=\"self\""));
    if let Some(next) = page.next {
        let url = match page.misleads_to {
            Some(place) => call.urls.misleading(Server::Okta, place),
            None => url,
        };
        let mut query = call.ask.query_without(&[dropped, &["after"]].concat());
        let query = query.append_pair("after", &cursor(next)).finish();
        answer = answer.with("link", format!("<{url}?{query}>; rel=\"next\""));
    }
    answer
}

impl Call<'_> {
    /// The `limit` asked for. Out of bounds is refused, so that no reader rests on more than the
    /// documents promise.
    fn limit(&self, (least, most, default): (i64, i64, i64)) -> Result<usize, Answer> {
        let limit = self.ask.number("limit").unwrap_or(Ok(default));
        let limit = limit.ok().filter(|it| (least..=most).contains(it));
        limit
            .and_then(|it| usize::try_from(it).ok())
            .map(|it| it.min(self.page_max))
            .ok_or_else(|| error::invalid(&format!("limit must lie between {least} and {most}")))
    }
}

/// Opaque cursors.
mod cursor {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{Answer, error};

    /// After this key, and after so many rows that follow it.
    pub(super) fn of_key(key: &str, skipped: usize) -> String {
        URL_SAFE_NO_PAD.encode(format!("{skipped}:{key}"))
    }

    pub(super) fn key(cursor: &str) -> Result<(String, usize), Answer> {
        let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|it| String::from_utf8(it).ok());
        text.and_then(|it| {
            let (skipped, key) = it.split_once(':')?;
            Some((key.to_owned(), skipped.parse().ok()?))
        })
        .ok_or_else(|| error::invalid("after is not a cursor of this list"))
    }

    pub(super) fn of_number(number: usize) -> String {
        of_key("", number)
    }

    pub(super) fn number(cursor: &str) -> Result<usize, Answer> {
        key(cursor).map(|(_, number)| number)
    }
}
