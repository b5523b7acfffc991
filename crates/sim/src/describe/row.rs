//! One line of a description: a person, a user, a group, an account, an event, a fault.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Section, count, personnel, subdomain, tenant, time, unknown};
use crate::endpoint::Endpoint;
use crate::fault::{Fault, Plan, When};
use crate::world::{Account, Active, AppUser, LogEvent, OktaUser, Person, World};

/// Reads one line of a section.
pub(super) fn read(world: &mut World, section: Section, words: &[&str]) -> Result<(), String> {
    let row = Row::of(words);
    match section {
        Section::People => person(world, &row),
        Section::Okta => user(world, &row),
        Section::Groups => group(world, &row),
        Section::App => account(world, &row),
        Section::Log => event(world, &row),
        Section::Entra => tenant::user(world, &row),
        Section::EntraGroups => tenant::group(world, &row),
        Section::EntraLog => tenant::event(world, &row),
        Section::OneLogin => subdomain::user(world, &row),
        Section::OneLoginRoles => subdomain::role(world, &row),
        Section::OneLoginLog => subdomain::event(world, &row),
        Section::Personnel => personnel::record(world, &row),
        Section::Faults => fault(world, &row),
        Section::Company => Err("a company has no lines of its own".to_owned()),
    }
}

/// Links those who have the app to the accounts that carry their id, as a push does.
pub(super) fn link(world: &mut World) {
    let by_external_id: BTreeMap<&str, &str> = world
        .app
        .accounts
        .iter()
        .rev() // The first of several is kept.
        .filter_map(|it| Some((it.external_id.as_deref()?, it.id.as_str())))
        .collect();
    let unlinked = world.okta.app_users.iter_mut().filter(|(_, it)| it.external_id.is_none());
    for (id, app_user) in unlinked {
        if let Some(account) = by_external_id.get(id.as_str()) {
            app_user.external_id = Some((*account).to_owned());
            if app_user.status == LINKED_LATER {
                "PROVISIONED".clone_into(&mut app_user.status);
            }
        }
    }
}

/// The status of those who have the app, until a link says more: Okta's for an app without
/// provisioning.
const LINKED_LATER: &str = "ACTIVE";

/// The words of a line: those that stand by themselves, and those that say `key=value`.
pub(super) struct Row<'a> {
    plain: Vec<&'a str>,
    keyed: BTreeMap<&'a str, &'a str>,
}

impl<'a> Row<'a> {
    fn of(words: &[&'a str]) -> Self {
        let keyed = words.iter().filter_map(|it| it.split_once('=')).collect();
        Self { plain: words.iter().filter(|it| !it.contains('=')).copied().collect(), keyed }
    }

    /// The first words, each of which must be there; then those that may follow.
    pub(super) fn take<const N: usize>(
        &self,
        form: &str,
    ) -> Result<([&'a str; N], &[&'a str]), String> {
        let (first, rest) =
            self.plain.split_first_chunk::<N>().ok_or_else(|| format!("write {form}"))?;
        Ok((*first, rest))
    }

    /// Refuses words and keys that mean nothing.
    pub(super) fn only(&self, rest: &[&str], words: &[&str], keys: &[&str]) -> Result<(), String> {
        if let Some(word) = rest.iter().find(|it| !words.contains(it)) {
            return Err(unknown(word, words));
        }
        let is_odd = |it: &&&str| !keys.contains(it) && !it.starts_with('+');
        match self.keyed.keys().find(is_odd) {
            Some(key) => Err(unknown(key, keys)),
            None => Ok(()),
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<String> {
        self.keyed.get(key).map(|it| (*it).to_owned())
    }

    /// `+name=text`: members as they stand on the wire.
    pub(super) fn more(&self) -> impl Iterator<Item = (String, Value)> {
        let more = self.keyed.iter();
        more.filter_map(|(key, value)| {
            Some((key.strip_prefix('+')?.to_owned(), Value::from(*value)))
        })
    }

    pub(super) fn values(&self, key: &str) -> Vec<String> {
        self.keyed.get(key).into_iter().flat_map(|it| it.split(',')).map(str::to_owned).collect()
    }

    pub(super) fn time(&self, world: &World, key: &str) -> Result<Option<DateTime<Utc>>, String> {
        self.keyed.get(key).map(|it| time(world, it)).transpose()
    }
}

fn person(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([number, given, family], rest) = row.take("a number, a given and a family name")?;
    row.only(rest, &[], &["left"])?;
    let person = Person {
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        left_at: row.time(world, "left")?,
    };
    world.people.insert(number.to_owned(), person);
    Ok(())
}

fn user(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([id, login, status], rest) = row.take("an id, a login and a status")?;
    let keys = ["emp", "mail", "since", "created", "access", "account", "as", "via", "groups"];
    row.only(rest, &["assigned"], &keys)?;
    let created_at = row.time(world, "created")?.unwrap_or(world.begins_at - TimeDelta::days(400));
    let since = row.time(world, "since")?;
    let user = OktaUser {
        employee_number: row.value("emp"),
        login: login.to_owned(),
        email: optional(row.value("mail").unwrap_or_else(|| login.to_owned())),
        status: status.to_owned(),
        created_at,
        status_changed_at: Some(since.unwrap_or(created_at)),
        updated_at: since.unwrap_or(created_at),
        last_login_at: None,
        ends_on: None,
    };
    world.okta.users.insert(id.to_owned(), user);
    let via = row.value("via");
    for name in row.values("groups").into_iter().chain(via.clone()) {
        let group = world.okta.groups.entry(name.clone()).or_default();
        group.members.insert(id.to_owned());
        if via.as_ref() == Some(&name) {
            group.is_assigned = true;
        }
    }
    if via.is_some() || rest.contains(&"assigned") {
        let app_user = AppUser {
            group: via,
            status: row.value("access").unwrap_or_else(|| LINKED_LATER.to_owned()),
            external_id: row.value("account"),
            user_name: optional(row.value("as").unwrap_or_else(|| login.to_owned())),
            created_at,
            status_changed_at: Some(created_at),
        };
        world.okta.app_users.insert(id.to_owned(), app_user);
    }
    Ok(())
}

fn group(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([id, name], rest) = row.take("an id and a name")?;
    row.only(rest, &["assigned"], &[])?;
    let group = world.okta.groups.entry(id.to_owned()).or_default();
    name.clone_into(&mut group.name);
    group.is_assigned |= rest.contains(&"assigned");
    Ok(())
}

fn account(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let form = "an id, an externalId or -, a userName or -, and on, off, null, absent or a text";
    let ([id, external_id, name, active], rest) = row.take(form)?;
    row.only(rest, &[], &["mail", "emp", "roles", "groups", "created", "changed"])?;
    let created_at = row.time(world, "created")?.unwrap_or(world.begins_at - TimeDelta::days(400));
    for name in row.values("groups") {
        let group = world.app.groups.entry(name.clone()).or_default();
        group.name = name;
        group.members.insert(id.to_owned());
    }
    let account = Account {
        id: id.to_owned(),
        external_id: optional(external_id.to_owned()),
        user_name: optional(name.to_owned()),
        email: optional(row.value("mail").unwrap_or_else(|| name.to_owned())),
        active: self::active(active),
        roles: row.values("roles"),
        employee_number: row.value("emp"),
        created_at,
        modified_at: row.time(world, "changed")?.unwrap_or(created_at),
        more: row.more().collect(),
    };
    world.app.accounts.push(account);
    Ok(())
}

fn event(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([at, event_type, user], rest) = row.take("a time, an event type and a user's id")?;
    row.only(rest, &["SUCCESS", "FAILURE"], &["reason"])?;
    let event = LogEvent {
        published_at: time(world, at)?,
        event_type: event_type.to_owned(),
        result: rest.first().map_or("SUCCESS", |it| it).to_owned(),
        reason: row.value("reason"),
        user: user.to_owned(),
    };
    world.okta.log.push(event);
    Ok(())
}

fn fault(world: &mut World, row: &Row<'_>) -> Result<(), String> {
    let ([place, name], rest) = row.take("an endpoint and a fault: scim/users cut-body")?;
    row.only(rest, &[], &["times", "after"])?;
    let endpoint = Endpoint::named(place).ok_or_else(|| format!("`{place}` is no endpoint"))?;
    let fault = Fault::named(name).ok_or_else(|| format!("`{name}` is no fault"))?;
    if !fault.fits(endpoint) {
        return Err(format!("`{name}` can never strike `{place}`"));
    }
    let number = |key: &str| row.value(key).map(|it| count(&it)).transpose();
    let when = When { skip: number("after")?.unwrap_or(0), times: number("times")? };
    world.faults.push(Plan { endpoint, fault, when });
    Ok(())
}

/// Whether an account can be used, as its server writes it.
pub(super) fn active(word: &str) -> Active {
    match word {
        "on" => Active::Set(true),
        "off" => Active::Set(false),
        "null" => Active::Null,
        "absent" => Active::Absent,
        text => Active::Text(text.to_owned()),
    }
}

/// `-` stands for nothing.
pub(super) fn optional(text: String) -> Option<String> {
    (text != "-").then_some(text)
}
