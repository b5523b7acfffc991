//! Microsoft Graph as far as a reader of users and assignments needs it, by its reference: members
//! of a user that come only when they are selected, deleted users apart from the others, several
//! rows of one person, next links in the body, fractional `Retry-After`. It takes no writes.

pub(crate) mod error;
mod rows;
pub(crate) mod token;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::page::{Page, spoil};
use crate::record::Server;
use crate::serve::Urls;
use crate::tenant::{EntraAssignment, EntraUser, ProvisioningEvent, Tenant};
use crate::wire::{Answer, Ask, Window, http_date, put};
use crate::world::World;

/// Most rows of a page, and how many come where nothing is said.
const PAGE: (i64, i64) = (999, 100);

/// One request to Graph and what is known about it.
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

/// Answers a request.
pub(crate) fn answer(world: &mut World, call: &Call<'_>) -> Answer {
    let tenant = &mut world.entra;
    if call.endpoint == Endpoint::EntraToken {
        if call.ask.method != Method::POST {
            return error::no_method();
        }
        return token::grant(tenant, call).unwrap_or_else(|refusal| refusal);
    }
    if call.endpoint == Endpoint::Nowhere {
        return error::with_status(404, "BadRequest", "Resource not found for the segment.");
    }
    if call.ask.method != Method::GET {
        return error::no_method();
    }
    token::admit(tenant, call).and_then(|()| read(tenant, call)).unwrap_or_else(|refusal| refusal)
}

/// The headers of every answer: date and request id.
pub(crate) fn dress(world: &mut World, now: DateTime<Utc>, answer: Answer) -> Answer {
    let tokens = &mut world.entra.tokens;
    tokens.n_answers += 1;
    let answer = answer.with("request-id", format!("{:08}-0000-4000-8000-0000", tokens.n_answers));
    if answer.has("date") { answer } else { answer.with("date", http_date(now)) }
}

fn read(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, Answer> {
    let id = |at: usize| call.ids.get(at).map_or("", String::as_str);
    let user = |id: &str| tenant.users.get(id).filter(|it| it.deleted_at.is_none());
    let is_app = || (id(0) == tenant.app.id).then_some(()).ok_or(error::not_found(id(0)));
    let every_user = || tenant.users.iter();
    match call.endpoint {
        Endpoint::EntraUsers => {
            let listed = every_user().filter(|(_, it)| it.deleted_at.is_none()).collect();
            list(call, listed, |id, it| rows::user(id, it, call.ask))
        }
        Endpoint::EntraUser => {
            let found = user(id(0)).ok_or_else(|| error::not_found(id(0)))?;
            Ok(object(call, rows::user(id(0), found, call.ask)))
        }
        Endpoint::EntraDeletedUsers => {
            let deleted = every_user().filter(|(_, it)| it.deleted_at.is_some()).collect();
            list(call, deleted, rows::deleted_user)
        }
        Endpoint::EntraDeletedUser => {
            let deleted = tenant.users.get(id(0)).filter(|it: &&EntraUser| it.deleted_at.is_some());
            let found = deleted.ok_or_else(|| error::not_found(id(0)))?;
            let mut body = rows::deleted_user(id(0), found);
            put(&mut body, "@odata.type", "#microsoft.graph.user");
            Ok(object(call, body))
        }
        Endpoint::EntraApps => {
            let filter = call.ask.param("$filter").unwrap_or_default();
            let is_it = filter == format!("appId eq '{}'", tenant.app.app_id);
            let apps = [(tenant.app.id.clone(), &tenant.app)];
            let apps = apps.iter().filter(|_| is_it).map(|(id, it)| (id, it)).collect();
            list(call, apps, |_, it| rows::app(it))
        }
        Endpoint::EntraAssigned => {
            is_app()?;
            let all = tenant.assigned.iter().collect();
            list(call, all, |id, it| rows::assignment(tenant, id, it))
        }
        Endpoint::EntraUserAssigned => assigned_to_user(tenant, call, id(0)),
        Endpoint::EntraMembers | Endpoint::EntraGroup => of_group(tenant, call, id(0)),
        Endpoint::EntraJobs => {
            is_app()?;
            let jobs: Vec<_> = tenant.app.job.iter().map(|it| rows::job(it, call.now)).collect();
            let jobs = jobs.into_iter().map(|mut it| {
                spoil(&mut it, call.faults);
                it
            });
            Ok(Answer::json(200, MEDIA_TYPE, json!({"value": jobs.collect::<Vec<_>>()})))
        }
        Endpoint::EntraLog => log(tenant, call),
        _ => Err(error::with_status(404, "BadRequest", "Resource not found for the segment.")),
    }
}

/// What one user is assigned of the app, by hand or through groups.
fn assigned_to_user(tenant: &Tenant, call: &Call<'_>, user: &str) -> Result<Answer, Answer> {
    let is_there = tenant.users.get(user).is_some_and(|it| it.deleted_at.is_none());
    if !is_there {
        return Err(error::not_found(user));
    }
    let filter = call.ask.param("$filter").unwrap_or_default();
    let is_app = filter == format!("resourceId eq {}", tenant.app.id);
    // Only groups that the user is a direct member of.
    let has = |it: &EntraAssignment| match it.is_group {
        true => tenant.groups.get(&it.principal).is_some_and(|it| it.members.contains(user)),
        false => it.principal == user,
    };
    let theirs = tenant.assigned.iter().filter(|(_, it)| is_app && has(it)).collect();
    list(call, theirs, |id, it| rows::assignment(tenant, id, it))
}

/// A group, or its direct members.
fn of_group(tenant: &Tenant, call: &Call<'_>, id: &str) -> Result<Answer, Answer> {
    let group = tenant.groups.get(id).ok_or_else(|| error::not_found(id))?;
    if call.endpoint == Endpoint::EntraGroup {
        let visibility = group.hides_members.then_some("HiddenMembership");
        return Ok(object(call, json!({"id": id, "visibility": visibility})));
    }
    let may_see = !group.hides_members || tenant.door.permissions.contains("Member.Read.Hidden");
    let users = group.members.iter().map(|it| (it, "#microsoft.graph.user"));
    let groups = group.groups.iter().map(|it| (it, "#microsoft.graph.group"));
    let kinds: Vec<(&String, &str)> = users.chain(groups).filter(|_| may_see).collect();
    list(
        call,
        kinds.iter().map(|(id, kind)| (*id, kind)).collect(),
        |id, kind| json!({"@odata.type": kind, "id": id}),
    )
}

/// The provisioning log, newest first, after a time.
fn log(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, Answer> {
    if !tenant.door.is_licensed {
        return Err(error::unlicensed());
    }
    let filter = call.ask.param("$filter").unwrap_or_default();
    let of_app = format!(" and servicePrincipal/id eq '{}'", tenant.app.id);
    let since = filter
        .strip_prefix("activityDateTime gt ")
        .and_then(|it| it.strip_suffix(&of_app))
        .and_then(|it| it.parse::<DateTime<Utc>>().ok())
        .ok_or_else(|| error::with_status(400, "BadRequest", "Invalid filter clause"))?;
    let ids: Vec<String> = (0..tenant.log.len()).map(|it| format!("event-{it:06}")).collect();
    let all = ids.iter().zip(&tenant.log);
    let mut after: Vec<(&String, &ProvisioningEvent)> =
        all.filter(|(_, it)| it.at > since).collect();
    after.reverse();
    list(call, after, |id, it| rows::event(tenant, id, it))
}

pub(crate) const MEDIA_TYPE: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// One object by itself.
fn object(call: &Call<'_>, mut body: Value) -> Answer {
    spoil(&mut body, call.faults);
    Answer::json(200, MEDIA_TYPE, body)
}

/// A page of a list, whose rows are in the order of their keys.
fn list<T: ?Sized>(
    call: &Call<'_>,
    rows: Vec<(&String, &T)>,
    write: impl Fn(&str, &T) -> Value,
) -> Result<Answer, Answer> {
    let (most, default) = PAGE;
    let top = call.ask.number("$top").unwrap_or(Ok(default));
    let top = top.ok().filter(|it| (1..=most).contains(it)).and_then(|it| usize::try_from(it).ok());
    let limit = top.ok_or_else(|| {
        error::with_status(
            400,
            "Request_BadRequest",
            "Invalid page size specified. Must be between 1 and 999 inclusive.",
        )
    })?;
    if call.ask.param("$skip").is_some() {
        return Err(error::with_status(400, "Request_BadRequest", "'$skip' is not supported."));
    }
    // A token is the key of the row before it, as real ones are: rows there may come and go.
    let token = call.ask.param("$skiptoken").map(|it| key(&it)).transpose()?;
    let start = token.map_or(0, |(key, skipped)| {
        let at = rows.iter().position(|(it, _)| **it == key).map(|it| it + 1);
        at.unwrap_or_else(|| rows.iter().take_while(|(it, _)| **it <= key).count()) + skipped
    });
    let window = Window { start, limit: limit.min(call.page_max) };
    let page = Page::cut(&rows, window, call.faults, |(id, it)| write(id, it));
    let last = rows.last().map_or("", |it| it.0);
    let mut body = json!({"@odata.context": format!("{}/v1.0/$metadata", call.urls.entra)});
    if let Some(next) = page.next {
        let (key, skipped) = match next.checked_sub(1).and_then(|it| rows.get(it)) {
            Some((key, _)) => (key.as_str(), 0),
            // Only where a fault makes the list longer than it is.
            None => (last, next - rows.len()),
        };
        let url = match page.misleads_to {
            Some(place) => call.urls.misleading(Server::Entra, place),
            None => format!("{}{}", call.urls.entra, call.ask.path),
        };
        let token = URL_SAFE_NO_PAD.encode(format!("{skipped}:{key}"));
        let mut query = call.ask.query_without(&["$skiptoken"]);
        let query = query.append_pair("$skiptoken", &token).finish();
        put(&mut body, "@odata.nextLink", format!("{url}?{query}"));
    }
    put(&mut body, "value", page.rows);
    Ok(Answer::json(200, MEDIA_TYPE, body))
}

/// Reads a token for a page: the key before it, and rows to pass by after that.
fn key(token: &str) -> Result<(String, usize), Answer> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|it| String::from_utf8(it).ok());
    let read = text.and_then(|it| {
        let (skipped, key) = it.split_once(':')?;
        Some((key.to_owned(), skipped.parse().ok()?))
    });
    read.ok_or_else(error::expired_page)
}
