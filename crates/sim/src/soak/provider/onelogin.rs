//! What OneLogin shows: users and who has the app, and nothing of when. Who leaves is suspended,
//! or deleted, and then nothing remembers.

use std::sync::Arc;

use connectors::files::Profiles;
use connectors::live::SwitchedOff;
use connectors::onelogin::{self, OneLogin};
use domain::SystemId;
use engine::Source;
use outbound::Pace;

use super::Access;
use crate::soak::installation::client;
use crate::subdomain::{AppLogin, OneLoginUser};
use crate::world::World;
use crate::{Endpoint, Sim, SimClock};

pub(super) const PLACES: &[Endpoint] = &[
    Endpoint::OneLogin,
    Endpoint::OneLoginToken,
    Endpoint::OneLoginUsers,
    Endpoint::OneLoginUser,
    Endpoint::OneLoginApp,
    Endpoint::OneLoginAppUsers,
    Endpoint::OneLoginUserApps,
];

pub(super) fn show(world: &mut World) {
    let (book, subdomain) = (&world.okta, &mut world.onelogin);
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
}

pub(super) fn access(sim: &Sim) -> Access {
    let world = sim.world();
    Access {
        url: sim.onelogin_url().to_owned(),
        app_id: world.onelogin.app.id.to_string(),
        client_id: world.onelogin.door.client_id.clone(),
        secret: world.onelogin.door.client_secret.clone(),
    }
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
    };
    let auth = access.service_app(onelogin::TOKEN, false, Vec::new())?;
    let base = format!("{}{}", access.url, onelogin::API);
    let client = client(clock, &base, auth, Pace::OneLogin, "application/json")?;
    Ok(Source::OneLogin(OneLogin::new(config, client.reader(), profiles)?))
}
