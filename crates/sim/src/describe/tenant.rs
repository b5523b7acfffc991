//! Lines of a description about an Entra tenant: its users, its groups, its provisioning log.

use chrono::TimeDelta;

use super::row::{Row, optional};
use super::{count, time, unknown};
use crate::tenant::{EntraJob, EntraUser, ProvisioningEvent};
use crate::world::World;

/// What may stand in parentheses after `entra`.
pub const TENANT_WORDS: &[&str] =
    &["unlicensed", "no job", "job CODE", "quarantine REASON", "without PERMISSION", "page N"];

/// Reads a word about the tenant.
pub(super) fn word(world: &mut World, word: &str) -> Result<(), String> {
    let tenant = &mut world.entra;
    let job = |code: &str, quarantine: Option<&str>| {
        Some(EntraJob { code: code.to_owned(), quarantine: quarantine.map(str::to_owned) })
    };
    match (word, word.split_once(' ')) {
        ("unlicensed", _) => tenant.door.is_licensed = false,
        ("no job", _) => tenant.app.job = None,
        (_, Some(("job", code))) => tenant.app.job = job(code, None),
        (_, Some(("quarantine", reason))) => tenant.app.job = job("Quarantine", Some(reason)),
        (_, Some(("without", permission))) => {
            if !tenant.door.permissions.remove(permission) {
                return Err(format!("`{permission}` is not granted"));
            }
        }
        (_, Some(("page", n))) => tenant.door.page_max = count(n)?,
        _ => return Err(unknown(word, TENANT_WORDS)),
    }
    Ok(())
}

/// Reads one user.
pub(super) fn user(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let form = "an object id, a sign-in name, and on, off, null or deleted";
    let ([id, name, state], rest) = row.take(form)?;
    row.only(rest, &["assigned", "guest"], &["mail", "emp", "via", "since", "created"])?;
    let created_at = row.time(world, "created")?.unwrap_or(world.begins_at - TimeDelta::days(400));
    let since = row.time(world, "since")?;
    let (is_enabled, is_deleted) = match state {
        "on" => (Some(true), false),
        "off" => (Some(false), false),
        "null" => (None, false),
        "deleted" => (Some(true), true),
        _ => return Err(unknown(state, &["on", "off", "null", "deleted"])),
    };
    let deleted_at = since.unwrap_or(world.begins_at - TimeDelta::days(1));
    let user = EntraUser {
        principal_name: name.to_owned(),
        mail: optional(row.value("mail").unwrap_or_else(|| name.to_owned())),
        is_enabled,
        is_guest: rest.contains(&"guest"),
        employee_number: row.value("emp"),
        created_at,
        deleted_at: is_deleted.then_some(deleted_at),
        leaves_at: None,
        more: row.more().collect(),
    };
    let tenant = &mut world.entra;
    tenant.users.insert(id.to_owned(), user);
    for group in row.values("via") {
        tenant.groups.entry(group).or_default().members.insert(id.to_owned());
    }
    if rest.contains(&"assigned") {
        tenant.assign(id, false, created_at);
    }
    Ok(())
}

/// Reads one group.
pub(super) fn group(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([id, name], rest) = row.take("an object id and a name")?;
    row.only(rest, &["assigned", "hidden"], &["holds"])?;
    let now = world.begins_at;
    let tenant = &mut world.entra;
    let group = tenant.groups.entry(id.to_owned()).or_default();
    name.clone_into(&mut group.name);
    group.groups.extend(row.values("holds"));
    group.hides_members = rest.contains(&"hidden");
    if rest.contains(&"assigned") {
        tenant.assign(id, true, now);
    }
    Ok(())
}

/// Reads one event of the provisioning log.
pub(super) fn event(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([at, action, user], rest) = row.take("a time, an action and a user's object id")?;
    row.only(rest, &["success", "failure", "skipped"], &[])?;
    let event = ProvisioningEvent {
        at: time(world, at)?,
        action: action.to_owned(),
        status: rest.first().map_or("success", |it| it).to_owned(),
        user: user.to_owned(),
    };
    world.entra.log.push(event);
    Ok(())
}
