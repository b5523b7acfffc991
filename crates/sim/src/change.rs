//! A list that changes while it is read: the company really changes, as it would, a moment before
//! a later page is served.

use chrono::{DateTime, Utc};

use crate::endpoint::Endpoint;
use crate::fault::Change;
use crate::world::World;

/// Changes the list behind an endpoint where the reader has already been.
pub(crate) fn strike(world: &mut World, endpoint: Endpoint, change: Change, now: DateTime<Utc>) {
    if matches!(change, Change::Removed | Change::Swapped) {
        remove(world, endpoint);
    }
    if matches!(change, Change::Added | Change::Swapped) {
        add(world, endpoint, now);
    }
}

fn remove(world: &mut World, endpoint: Endpoint) {
    match endpoint {
        Endpoint::OktaUsers => {
            world.okta.users.pop_first();
        }
        Endpoint::OktaAppUsers => {
            world.okta.app_users.pop_first();
        }
        Endpoint::EntraUsers => {
            world.entra.users.pop_first();
        }
        Endpoint::EntraAssigned => {
            world.entra.assigned.pop_first();
        }
        Endpoint::OneLoginUsers => {
            world.onelogin.users.pop_first();
        }
        Endpoint::OneLoginAppUsers => {
            world.onelogin.logins.pop_first();
        }
        Endpoint::SecureframeUsers => {
            let people = &mut world.personnel.people;
            people.sort_by(|one, other| one.id.cmp(&other.id));
            if !people.is_empty() {
                people.remove(0);
            }
        }
        _ => {
            let accounts = &mut world.app.accounts;
            if world.app.habits.lists_newest_first {
                accounts.pop();
            } else if !accounts.is_empty() {
                accounts.remove(0);
            }
        }
    }
}

/// Adds a copy of the first row under an id that sorts before all others, or, by index, where new
/// accounts go.
fn add(world: &mut World, endpoint: Endpoint, now: DateTime<Utc>) {
    match endpoint {
        Endpoint::OktaUsers => {
            let first = world.okta.users.first_key_value();
            if let Some((id, mut user)) = first.map(|(id, it)| (id.clone(), it.clone())) {
                user.login = format!("new-{}", user.login);
                user.created_at = now;
                world.okta.users.insert(before(&id), user);
            }
        }
        Endpoint::OktaAppUsers => {
            let first = world.okta.app_users.first_key_value();
            if let Some((id, app_user)) = first.map(|(id, it)| (id.clone(), it.clone())) {
                world.okta.app_users.insert(before(&id), app_user);
            }
        }
        Endpoint::EntraUsers => {
            let first = world.entra.users.first_key_value();
            if let Some((id, mut user)) = first.map(|(id, it)| (id.clone(), it.clone())) {
                user.principal_name = format!("new-{}", user.principal_name);
                user.created_at = now;
                world.entra.users.insert(before(&id), user);
            }
        }
        Endpoint::EntraAssigned => {
            let first = world.entra.assigned.first_key_value();
            if let Some((id, assignment)) = first.map(|(id, it)| (id.clone(), it.clone())) {
                world.entra.assigned.insert(before(&id), assignment);
            }
        }
        Endpoint::OneLoginUsers => {
            let first = world.onelogin.users.first_key_value();
            if let Some((id, mut user)) = first.map(|(id, it)| (*id, it.clone())) {
                user.username = format!("new-{}", user.username);
                user.created_at = now;
                world.onelogin.users.insert(id.saturating_sub(1), user);
            }
        }
        Endpoint::OneLoginAppUsers => {
            let first = world.onelogin.logins.first_key_value();
            if let Some((id, login)) = first.map(|(id, it)| (*id, it.clone())) {
                world.onelogin.logins.insert(id.saturating_sub(1), login);
            }
        }
        Endpoint::SecureframeUsers => {
            let number = world.personnel.people.len();
            if let Some(mut record) = world.personnel.people.first().cloned() {
                record.id = before(&format!("{}-new-{number}", record.id));
                record.email = record.email.map(|it| format!("new-{number}-{it}"));
                record.created_at = now;
                world.personnel.people.push(record);
            }
        }
        _ => {
            let number = world.app.accounts.len();
            if let Some(mut account) = world.app.accounts.first().cloned() {
                account.id = format!("{}-new-{number}", account.id);
                account.user_name = account.user_name.map(|it| format!("new-{number}-{it}"));
                account.created_at = now;
                world.app.accounts.push(account);
            }
        }
    }
}

/// An id that sorts before this one.
fn before(id: &str) -> String {
    format!("!{id}")
}
