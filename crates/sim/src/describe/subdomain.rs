//! Lines of a description about OneLogin: its users, and the roles that give the app.

use chrono::TimeDelta;

use super::row::{Row, optional};
use super::{count, time, unknown};
use crate::subdomain::{AppLogin, OneLoginEvent, OneLoginUser};
use crate::world::World;

/// What may stand in parentheses after `onelogin`.
pub const SUBDOMAIN_WORDS: &[&str] =
    &["no provisioning", "reads users", "no owner", "no totals", "limit N", "page N"];

/// Reads a word about the subdomain.
pub(super) fn word(world: &mut World, word: &str) -> Result<(), String> {
    let subdomain = &mut world.onelogin;
    match (word, word.split_once(' ')) {
        ("no provisioning", _) => subdomain.app.provisions = Some(false),
        ("reads users", _) => subdomain.door.reads_all = false,
        ("no owner", _) => subdomain.door.is_ownerless = true,
        ("no totals", _) => subdomain.door.states_pages = false,
        (_, Some(("limit", n))) => subdomain.door.per_hour = count(n)?,
        (_, Some(("page", n))) => subdomain.door.page_max = count(n)?,
        _ => return Err(unknown(word, SUBDOMAIN_WORDS)),
    }
    Ok(())
}

/// Reads one user.
pub(super) fn user(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([id, name, status], rest) = row.take("an id, a sign-in name, and a status or -")?;
    let keys = ["mail", "state", "created", "since", "push", "pushing"];
    row.only(rest, &["assigned", "unlisted"], &keys)?;
    let created_at = row.time(world, "created")?.unwrap_or(world.begins_at - TimeDelta::days(400));
    let number = |text: String| optional(text).map(|it| count(&it)).transpose();
    let user = OneLoginUser {
        username: name.to_owned(),
        email: optional(row.value("mail").unwrap_or_else(|| name.to_owned())),
        status: number(status.to_owned())?,
        state: number(row.value("state").unwrap_or_else(|| "1".to_owned()))?,
        created_at,
        updated_at: row.time(world, "since")?.unwrap_or(created_at),
    };
    let id = count(id)?;
    let subdomain = &mut world.onelogin;
    subdomain.users.insert(id, user);
    let is_listed = rest.contains(&"assigned");
    if is_listed || rest.contains(&"unlisted") {
        let usual = AppLogin::default();
        let login = AppLogin {
            status: row.value("push").unwrap_or(usual.status),
            state: row.value("pushing").unwrap_or(usual.state),
            is_listed,
        };
        subdomain.logins.insert(id, login);
    }
    Ok(())
}

/// Reads one event.
pub(super) fn event(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([at, type_id, user], rest) = row.take("a time, the number of a type and a user's id")?;
    row.only(rest, &["app"], &[])?;
    let event = OneLoginEvent {
        at: time(world, at)?,
        type_id: count(type_id)?,
        user: count(user)?,
        is_in_app: rest.contains(&"app"),
    };
    world.onelogin.events.push(event);
    Ok(())
}

/// Reads one role that gives the app.
pub(super) fn role(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([id, name], rest) = row.take("an id and a name")?;
    row.only(rest, &[], &[])?;
    world.onelogin.roles.insert(count(id)?, name.to_owned());
    Ok(())
}
