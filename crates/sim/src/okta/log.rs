//! Okta's system log: by polling in the order of writing, each event once and with a next link
//! always; between two times in the order of time, to an end.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Call, cursor, error, linked};
use crate::filter::Filter;
use crate::page::Page;
use crate::wire::{Answer, Window, timestamp};
use crate::world::{LogEvent, World};

/// Events a page holds at most, and where nothing is said.
const LIMITS: (i64, i64, i64) = (0, 1_000, 100);
/// How far back `since` may lie.
const SINCE_MAX_DAYS: i64 = 180;

pub(super) fn answer(world: &World, call: &Call<'_>) -> Result<Answer, Answer> {
    let limit = call.limit(LIMITS)?;
    let time = |name: &str| call.ask.param(name).map(|it| parse_time(name, &it)).transpose();
    let (since, until) = (time("since")?, time("until")?);
    let after = call.ask.param("after");
    let descends = call.ask.param("sortOrder").is_some_and(|it| it == "DESCENDING");
    let polls = until.is_none() && !descends;
    if polls && since.is_some() && after.is_some() {
        return Err(error::invalid("since and after exclude each other"));
    }
    if since.is_some_and(|it| it < call.now - TimeDelta::days(SINCE_MAX_DAYS)) {
        return Err(error::invalid("since is more than 180 days back"));
    }
    let filter = call.ask.param("filter").map(|it| {
        Filter::parse(&it)
            .filter(|it| it.members().iter().all(|(name, _)| *name != "published"))
            .ok_or_else(|| error::with_status(400, "E0000031", "Invalid search criteria."))
    });
    let filter = filter.transpose()?;
    let until = until.unwrap_or(call.now);
    let since = since.or((after.is_none()).then_some(until - TimeDelta::days(7)));
    let mut rows: Vec<(usize, &LogEvent)> = world.okta.log.iter().enumerate().collect();
    rows.retain(|(_, it)| world.okta.shows(&it.user));
    if let Some(since) = since {
        rows.retain(|(_, it)| it.published_at >= since);
    }
    if polls {
        // The cursor is a place in the log, so what is written late comes late, and comes.
        let start = after.map_or(Ok(0), |it| cursor::number(&it))?;
        rows.retain(|(number, _)| *number >= start);
    } else {
        rows.retain(|(_, it)| it.published_at < until);
        rows.sort_by_key(|(number, it)| (it.published_at, *number));
        if descends {
            rows.reverse();
        }
    }
    let write = |number: usize, event: &LogEvent| write(world, number, event);
    if let Some(filter) = &filter {
        rows.retain(|(number, it)| filter.meets(&write(*number, it)));
    }
    if polls {
        let window = Window { start: 0, limit };
        let mut page = Page::cut(&rows, window, call.faults, |(n, it)| write(*n, it));
        // After what was handed out, or, once all was, after what there is. An empty page is no step.
        let is_kept_back = page.rows.is_empty() && !rows.is_empty();
        let next = if is_kept_back { Some(0) } else { page.next };
        let done = next.and_then(|it| rows.get(it)).map_or(world.okta.log.len(), |it| it.0);
        page.next = Some(done);
        return Ok(linked(call, page, cursor::of_number, &["since"]));
    }
    let start = call.ask.param("after").map_or(Ok(0), |it| cursor::number(&it))?;
    let window = Window { start, limit };
    let page = Page::cut(&rows, window, call.faults, |(n, it)| write(*n, it));
    Ok(linked(call, page, cursor::of_number, &[]))
}

fn parse_time(name: &str, text: &str) -> Result<DateTime<Utc>, Answer> {
    DateTime::parse_from_rfc3339(text)
        .map(|it| it.to_utc())
        .map_err(|_| error::invalid(&format!("{name} is no time")))
}

/// One event. `number` is its place in the log.
fn write(world: &World, number: usize, event: &LogEvent) -> Value {
    let app = &world.okta.app;
    let login = world.okta.users.get(&event.user).map(|it| &it.login);
    let target = |id: &str, kind: &str, name: Option<&String>| {
        json!({
            "id": id,
            "type": kind,
            "alternateId": name,
            "displayName": name,
            "detailEntry": null,
        })
    };
    // The order of targets is not fixed: it changes from event to event here.
    let mut targets = vec![target(&event.user, "User", login)];
    if event.event_type.starts_with("application.") {
        targets.push(target(&app.id, "AppInstance", Some(&app.label)));
        targets.push(target(&format!("0ua{}", event.user), "AppUser", login));
    }
    let shift = number % targets.len();
    targets.rotate_left(shift);
    json!({
        "uuid": format!("00000000-0000-4000-8000-{number:012}"),
        "published": timestamp(event.published_at),
        "eventType": event.event_type,
        "version": "0",
        "severity": if event.result == "FAILURE" { "ERROR" } else { "INFO" },
        "legacyEventType": null,
        "displayMessage": null,
        "actor": {
            "id": "spr1",
            "type": "SystemPrincipal",
            "alternateId": "system@okta.com",
            "displayName": "Okta System",
            "detailEntry": null,
        },
        "outcome": {"result": event.result, "reason": event.reason},
        "target": targets,
        "transaction": {"type": "JOB", "id": format!("ttt{number}"), "detail": {}},
        "debugContext": {"debugData": {}},
    })
}
