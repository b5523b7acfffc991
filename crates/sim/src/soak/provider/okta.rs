//! Okta shows the book as it is, but for those whom another provider of the company has.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectors::files::Profiles;
use connectors::okta::{self, Okta};
use domain::SystemId;
use engine::Source;
use outbound::{Auth, Pace, Secret};

use super::{Access, Provider};
use crate::soak::installation::client;
use crate::world::{Account, World};
use crate::{Endpoint, Sim, SimClock};

pub(super) const PLACES: &[Endpoint] = &[
    Endpoint::Okta,
    Endpoint::OktaUsers,
    Endpoint::OktaUser,
    Endpoint::OktaApp,
    Endpoint::OktaFeatures,
    Endpoint::OktaAppUsers,
    Endpoint::OktaAppUser,
    Endpoint::OktaLog,
];

/// The log says that they left. Where Okta gives the account to somebody else, too, lists have to
/// say whose it is.
pub(super) fn logs_leaver(
    world: &World,
    user: &str,
    account: &Account,
    since: DateTime<Utc>,
) -> bool {
    let mut app_users = world.okta.app_users.iter();
    app_users.all(|it| it.0 == user || it.1.external_id.as_ref() != Some(&account.id))
        && world.okta.log.iter().any(|it| {
            it.user == user
                && it.event_type == "user.lifecycle.deactivate"
                && it.published_at > since
        })
}

pub(super) fn access(sim: &Sim) -> Access {
    let world = sim.world();
    Access {
        provider: Provider::Okta,
        url: sim.okta_url().to_owned(),
        app_id: world.okta.app.id.clone(),
        client_id: String::new(),
        secret: world.okta.door.api_token.clone(),
    }
}

pub(super) fn settings(access: &Access) -> String {
    let Access { url, app_id, .. } = access;
    format!("url = \"{url}\"\napp_id = \"{app_id}\"\ntoken = \"env:OKTA\"\n")
}

pub(super) fn source(
    access: Access,
    (system, app): (SystemId, SystemId),
    profiles: &Profiles,
    clock: &Arc<SimClock>,
) -> anyhow::Result<Source> {
    let config = okta::Config {
        system,
        app,
        app_id: access.app_id.as_str().into(),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        credential: okta::Credential::ApiToken,
        log_pages: 200,
    };
    let base = format!("{}{}", access.url, okta::API);
    let token = Auth::Ssws(Secret::new(access.secret));
    let client = client(clock, &base, token, Pace::Okta, "application/json")?;
    Ok(Source::Okta(Okta::new(config, client.reader(), profiles)?))
}
