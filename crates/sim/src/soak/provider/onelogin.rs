//! What OneLogin shows: users and who has the app, and by its events when somebody was suspended or
//! deleted, and how the app was told. When somebody lost the app it does not say.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectors::files::Profiles;
use connectors::live::SwitchedOff;
use connectors::onelogin::{self, OneLogin};
use domain::SystemId;
use engine::Source;
use outbound::Pace;

use super::{Access, Provider};
use crate::soak::installation::client;
use crate::subdomain::{AppLogin, OneLoginEvent, OneLoginUser};
use crate::world::{DEACTIVATED_IN_APP, World};
use crate::{Endpoint, Sim, SimClock};

/// A user was suspended.
const SUSPENDED: u64 = 21;

pub(super) const PLACES: &[Endpoint] = &[
    Endpoint::OneLogin,
    Endpoint::OneLoginToken,
    Endpoint::OneLoginUsers,
    Endpoint::OneLoginUser,
    Endpoint::OneLoginApp,
    Endpoint::OneLoginAppUsers,
    Endpoint::OneLoginUserApps,
    Endpoint::OneLoginEvents,
    Endpoint::OneLoginEventTypes,
];

pub(super) fn show(world: &mut World) {
    let (book, subdomain) = (&world.okta, &mut world.onelogin);
    // Only ids of its own are numbers.
    let number = |id: &String| id.parse::<u64>().ok();
    let users = book.users.iter().filter_map(|(id, user)| {
        let status = match user.status.as_str() {
            "STAGED" => 0,
            "ACTIVE" => 1,
            _ => 2,
        };
        let shown = OneLoginUser {
            username: user.login.clone(),
            email: user.email.clone(),
            status: Some(status),
            state: Some(1),
            created_at: user.created_at,
            updated_at: user.updated_at,
        };
        Some((number(id)?, shown))
    });
    subdomain.users = users.collect();
    let logins = book.app_users.keys().filter_map(number);
    subdomain.logins = logins.map(|it| (it, AppLogin::default())).collect();
    let events = book.log.iter().filter_map(|it| {
        let type_id = match (it.event_type.as_str(), it.result.as_str()) {
            ("user.lifecycle.deactivate" | "user.lifecycle.suspend", _) => SUSPENDED,
            ("user.lifecycle.delete.completed", _) => 17,
            ("user.lifecycle.unsuspend" | "user.lifecycle.reactivate", _) => 32,
            ("user.lifecycle.activate", _) => 16,
            (DEACTIVATED_IN_APP, "SUCCESS") => 53,
            (DEACTIVATED_IN_APP, _) => 61,
            _ => return None,
        };
        let is_in_app = it.event_type == DEACTIVATED_IN_APP;
        Some(OneLoginEvent { at: it.published_at, type_id, user: number(&it.user)?, is_in_app })
    });
    subdomain.events = events.collect();
}

/// An event says that they were suspended.
pub(super) fn logs_leaver(world: &World, user: &str, since: DateTime<Utc>) -> bool {
    let is_of = |it: &OneLoginEvent| it.user.to_string() == user && it.type_id == SUSPENDED;
    world.onelogin.events.iter().any(|it| is_of(it) && it.at > since)
}

pub(super) fn access(sim: &Sim) -> Access {
    let world = sim.world();
    Access {
        provider: Provider::Onelogin,
        url: sim.onelogin_url().to_owned(),
        app_id: world.onelogin.app.id.to_string(),
        client_id: world.onelogin.door.client_id.clone(),
        secret: world.onelogin.door.client_secret.clone(),
    }
}

pub(super) fn settings(access: &Access) -> String {
    let Access { url, app_id, client_id, .. } = access;
    format!(
        "url = \"{url}\"\napp_id = {app_id}\nclient_id = \"{client_id}\"\n\
         client_secret = \"env:ONELOGIN\"\n"
    )
}

pub(super) fn source(
    access: Access,
    (system, app): (SystemId, SystemId),
    profiles: &Profiles,
    clock: &Arc<SimClock>,
) -> anyhow::Result<Source> {
    let config = onelogin::Config {
        system,
        app,
        app_id: access.app_id.as_str().into(),
        suspended: SwitchedOff::Left,
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        event_pages: 200,
    };
    let auth = access.service_app(onelogin::TOKEN, false, Vec::new())?;
    let base = format!("{}{}", access.url, onelogin::API);
    let client = client(clock, &base, auth, Pace::OneLogin, "application/json")?;
    Ok(Source::OneLogin(OneLogin::new(config, client.reader(), profiles)?))
}
