//! Secureframe in a description: how its API behaves, and one line for each person.

use chrono::TimeDelta;

use super::row::{self, Row, optional};
use super::{count, unknown};
use crate::personnel::{Record, Shape};
use crate::world::World;

/// What may stand in parentheses after `personnel`.
pub const PERSONNEL_WORDS: &[&str] = &[
    "no total",
    "bare",
    "sort refused",
    "refused past end",
    "repeated past end",
    "forbidden",
    "page N",
];

/// Reads one word about the API.
pub(super) fn word(world: &mut World, word: &str) -> Result<(), String> {
    let habits = &mut world.personnel.habits;
    match (word, word.split_once(' ')) {
        ("no total", _) => habits.shape = Shape::NoTotal,
        ("bare", _) => habits.shape = Shape::Bare,
        ("sort refused", _) => habits.refuses_sort = true,
        ("refused past end", _) => habits.refuses_past_end = true,
        ("repeated past end", _) => habits.repeats_past_end = true,
        ("forbidden", _) => habits.forbids = true,
        (_, Some(("page", n))) => habits.page_max = count(n)?,
        _ => return Err(unknown(word, PERSONNEL_WORDS)),
    }
    Ok(())
}

/// Reads one person.
pub(super) fn record(world: &mut World, line: &Row<'_>) -> Result<(), String> {
    let ([id, email, active], rest) = line.take("an id, an address or -, and on, off or null")?;
    line.only(rest, &["uninvited"], &["role", "source", "status", "ends", "created", "changed"])?;
    let created_at = line.time(world, "created")?.unwrap_or(world.begins_at - TimeDelta::days(400));
    let record = Record {
        id: id.to_owned(),
        email: optional(email.to_owned()),
        active: row::active(active),
        active_source: line.value("source"),
        access_role: line.value("role").map(|it| it.replace('_', " ")),
        status: line.value("status"),
        invited: !rest.contains(&"uninvited"),
        ends_at: line.time(world, "ends")?,
        created_at,
        updated_at: line.time(world, "changed")?.unwrap_or(created_at),
    };
    world.personnel.people.push(record);
    Ok(())
}
