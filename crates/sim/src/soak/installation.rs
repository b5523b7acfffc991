//! Driftline as an operator of the company would have set it up.

use std::sync::Arc;
use std::time::Duration;

use connectors::files::Profiles;
use connectors::okta::{self, Okta};
use connectors::scim::{self, AppProfiles, Scim};
use domain::SystemId;
use drift::{AppRules, Deprovision, Entitlement, Policy};
use engine::{AppPlan, Plan, Source};
use graph::KeyRules;
use outbound::{Auth, Client, Config, Limits, Pace, Secret};

use super::company::{CANARY_OFF, CANARY_ON};
use crate::{Sim, World};

/// What a run of it does.
///
/// # Errors
///
/// Returns an error when a client cannot be set up.
pub(super) fn plan(sim: &Sim) -> anyhow::Result<Plan> {
    let (system, app) = (SystemId::parse("okta")?, SystemId::parse("secureframe")?);
    let profiles = Profiles::builtin()?;
    let world = sim.world();
    let okta = okta::Config {
        system: system.clone(),
        app: app.clone(),
        app_id: world.okta.app.id.as_str().into(),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
        credential: okta::Credential::ApiToken,
        log_pages: 200,
    };
    let token = Auth::Ssws(Secret::new(world.okta.door.api_token.clone()));
    let base = format!("{}{}", sim.okta_url(), okta::API);
    let okta_client = client(sim, &base, token, Pace::Okta, "application/json")?;
    let known = AppProfiles::builtin()?;
    let known = known.get("generic-scim").ok_or_else(|| anyhow::anyhow!("no profile"))?;
    let token = Auth::Bearer(Secret::new(world.app.token.clone()));
    let scim_client = client(sim, sim.scim_url(), token, Pace::RetryAfter, known.accept())?;
    let scim = scim::Config {
        system: app.clone(),
        app: known,
        canaries: Vec::new(),
        inactive_canaries: Vec::new(),
        page_size: None,
    };
    let rules = rules(&world, app, system);
    Ok(Plan {
        sources: vec![
            Source::Okta(Okta::new(okta, okta_client.reader(), &profiles)?),
            Source::Scim(Scim::new(scim, scim_client.reader())),
        ],
        profiles: Arc::new(profiles),
        apps: vec![AppPlan { rules, keys: KeyRules::default() }],
        policy: Policy::default(),
        settings_digest: [0; 32],
        fingerprint_key: Some([0; 32]),
        software: concat!("driftline ", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

fn client(
    sim: &Sim,
    url: &str,
    auth: Auth,
    pace: Pace,
    accept: &'static str,
) -> anyhow::Result<Client> {
    let limits = Limits { backoff: Duration::from_millis(1), ..Limits::default() };
    let config = Config {
        base: url.parse()?,
        ca_bundle: None,
        proxy: None,
        limits,
        user_agent: "driftline-soak".to_owned(),
        auth,
        pace,
        accept,
    };
    Ok(Client::new(config, sim.clock())?)
}

fn rules(world: &World, app: SystemId, idp: SystemId) -> AppRules {
    let habits = &world.app.habits;
    AppRules {
        app,
        idps: vec![idp],
        entitlement: Entitlement::Any,
        authority: None,
        deprovision: if habits.hides_inactive {
            Deprovision::Hides
        } else if habits.deletes_inactive {
            Deprovision::Deletes
        } else {
            Deprovision::Lists
        },
        required_channels: Vec::new(),
        privileged_roles: Vec::new(),
        canaries: vec![CANARY_ON.to_owned()],
        inactive_canaries: vec![CANARY_OFF.to_owned()],
    }
}
