//! One look of Driftline at the company: sometimes through a fault, sometimes broken off in the
//! middle and done again, always compared with the truth.

use std::sync::Arc;
use std::time::Duration;

use connectors::files::Profiles;
use connectors::okta::{self, Okta};
use connectors::scim::{self, AppProfiles, Scim};
use domain::{Change, SystemId};
use drift::{AppRules, Deprovision, Entitlement, Policy};
use engine::{AppPlan, Outcome, Plan, Source};
use graph::KeyRules;
use outbound::{Auth, Client, Config, Limits, Pace, Secret};
use store::Store;

use super::check::{Look, compare};
use super::company::{CANARY_OFF, CANARY_ON, Company};
use crate::fault::{Fault, When};
use crate::{Endpoint, World};

/// What came of one look.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The look in a line.
    pub(super) line: String,
    /// It was broken off once.
    pub(super) crashed: bool,
    /// Accounts that should have been off.
    pub(super) n_exposed: u64,
    pub(super) problems: Vec<String>,
}

/// What may go wrong where, without a wait: waits cost real time.
const FAULTS: &[(&str, &str)] = &[
    ("okta/users", "html-200"),
    ("okta/users", "empty-object"),
    ("okta/users", "garbage"),
    ("okta/users", "next-other-host"),
    ("okta/app-users", "html-404"),
    ("okta/app-users", "redirect-outside"),
    ("okta/app-users", "nulls"),
    ("okta/app-users", "null-leaves"),
    ("okta/user", "garbage"),
    ("okta/app-user", "html-404"),
    ("okta/log", "garbage"),
    ("okta", "token-dies"),
    ("scim/users", "html-200"),
    ("scim/users", "empty-object"),
    ("scim/users", "short-list"),
    ("scim/users", "repeated-page"),
    ("scim/users", "nulls"),
    ("scim/users", "null-leaves"),
    ("scim/user", "html-404"),
    ("scim/user", "empty-object"),
    ("scim", "redirect-other-host"),
];

impl Company {
    /// Looks, and compares.
    pub(super) async fn look(&mut self) -> anyhow::Result<Seen> {
        let mut seen = Seen::default();
        let fault = (self.rng.u32(0..8) == 0).then(|| self.rng.choice(FAULTS)).flatten();
        if let Some((place, name)) = fault
            && let (Some(endpoint), Some(fault)) = (Endpoint::named(place), Fault::named(name))
            && fault.fits(endpoint)
        {
            self.sim.fault(endpoint, fault, When::always());
        }
        let path = self.folder.path().join("driftline.db");
        let plan = self.plan()?;
        let clock = self.clock();
        if self.rng.u32(0..25) == 0 {
            let store = Store::open(&path)?;
            let patience = Duration::from_micros(self.rng.u64(0..30_000));
            let run = engine::run(&store, &plan, &*clock);
            seen.crashed = tokio::time::timeout(patience, run).await.is_err();
            drop(store);
        }
        let began_at = self.now();
        let store = Store::open(&path)?;
        let Outcome { record, failures, .. } = engine::run(&store, &plan, &*clock).await?;
        drop(store);
        self.sim.clear_faults();

        let world = self.sim.world();
        let look = Look {
            truth: &self.truth,
            world: &world,
            record: &record,
            began_at,
            is_undisturbed: fault.is_none(),
        };
        let orphans = &mut self.orphans;
        seen.problems = compare(&look, orphans);
        seen.n_exposed = look.n_exposed();
        seen.line = format!(
            "{} run {}: {} findings, {} exposed, fault {fault:?}, broken off {}, {} failures",
            record.now.format("%F %T%.3f"),
            record.id,
            record.findings.len(),
            seen.n_exposed,
            seen.crashed,
            failures.len(),
        );
        let told = record.findings.iter().filter(|it| it.change != Change::Unchanged);
        for it in told {
            let (finding, because) = (&it.finding, &it.because);
            seen.line.push_str(&format!(
                "\n    {} {} {} of {} ({because}): {}",
                finding.id,
                it.change.name(),
                finding.cause,
                finding.subject.key,
                it.explanation.summary
            ));
        }
        if fault.is_none() {
            self.seen_users.extend(world.okta.users.keys().cloned());
        }
        drop(world);
        seen.problems.extend(self.sim.offences());
        self.sim.forget_requests();
        Ok(seen)
    }

    /// What an operator of this company would have set.
    fn plan(&self) -> anyhow::Result<Plan> {
        let (system, app) = (SystemId::parse("okta")?, SystemId::parse("secureframe")?);
        let profiles = Profiles::builtin()?;
        let world = self.sim.world();
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
        let okta_client = self.client(
            &format!("{}{}", self.sim.okta_url(), okta::API),
            token,
            Pace::Okta,
            "application/json",
        )?;
        let known = AppProfiles::builtin()?;
        let known = known.get("generic-scim").ok_or_else(|| anyhow::anyhow!("no profile"))?;
        let token = Auth::Bearer(Secret::new(world.app.token.clone()));
        let scim_client =
            self.client(self.sim.scim_url(), token, Pace::RetryAfter, known.accept())?;
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
        &self,
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
        Ok(Client::new(config, self.clock())?)
    }
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
