//! A company of any size behind real HTTP, and what the program would read it with.

use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta};
use connectors::files::Profiles;
use connectors::okta::{self, Okta};
use connectors::scim::{self, AppProfiles, Scim};
use connectors::secureframe::{self, Secureframe};
use domain::{SystemId, Text};
use drift::Policy;
use engine::{Plan, Source};
use outbound::{Auth, Client, Config, Limits, Pace, Secret};
use sim::{Active, Paging, Shape, Sim, Staff, World};

use crate::plan::{Names, plan};

/// What is known of the app. Secureframe publishes no page size, so the profile's is the vendor's.
const PROFILE: &str = "secureframe";
/// As the program sets it.
const LOG_PAGES: u32 = 200;

/// A company and its watcher.
pub(super) struct Firm {
    /// The servers.
    pub(super) sim: Sim,
    /// Reads the identity provider.
    pub(super) okta: Okta,
    /// Reads the app.
    pub(super) scim: Scim,
    /// Reads the app's own view, for itself: it is no part of the runs.
    pub(super) secureframe: Secureframe,
    /// A run with both.
    pub(super) plan: Plan,
}

impl Firm {
    /// Founds a company. One in fifty has left, and every fourth of those kept an account.
    pub(super) async fn found(people: u32) -> anyhow::Result<Self> {
        let profile = AppProfiles::builtin()?.get(PROFILE).context("find the app's profile")?;
        let mut world = World::empty(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        world.hire(Staff { people, leavers: people / 50, kept: people / 200 });
        world.app.habits.page_max = usize::try_from(profile.page_size())?;
        world.enlist();
        let owner = owner(&mut world).context("find an owner of the API key")?;
        let pair = format!("{} {}", world.personnel.api_key, world.personnel.api_secret);
        let (app_id, canaries) = (Text::from(world.okta.app.id.as_str()), Canaries::of(&world));
        let okta_token = Secret::new(world.okta.door.api_token.clone());
        let scim_token = Secret::new(world.app.token.clone());
        let sim = Sim::start(world).await.context("start the servers")?;

        let names = Names { idp: SystemId::parse("okta")?, app: SystemId::parse(PROFILE)? };
        let profiles = Profiles::builtin()?;
        let base = format!("{}{}", sim.okta_url(), okta::API);
        let client = connect(&sim, &base, Auth::Ssws(okta_token), Pace::Okta, "application/json")?;
        let config = okta::Config {
            system: names.idp.clone(),
            app: names.app.clone(),
            app_id,
            canaries: canaries.users.clone(),
            assigned_canaries: canaries.users,
            credential: okta::Credential::ApiToken,
            log_pages: LOG_PAGES,
        };
        let okta = Okta::new(config, client.reader(), &profiles)?;
        let accept = profile.accept();
        let client =
            connect(&sim, sim.scim_url(), Auth::Bearer(scim_token), Pace::RetryAfter, accept)?;
        let config = scim::Config {
            system: names.app.clone(),
            app: profile,
            // A run looks for them by the plan's rules.
            canaries: Vec::new(),
            inactive_canaries: Vec::new(),
            page_size: None,
        };
        let scim = Scim::new(config, client.reader());
        let secureframe = {
            let auth = Auth::Header(Secret::new(pair));
            // Not at the pace of the program: this counts requests, and a minute of it has few.
            let pace = Pace::RetryAfter;
            let client = connect(&sim, sim.secureframe_url(), auth, pace, "application/json")?;
            let (system, canaries) = (names.app.clone(), Vec::new());
            let config = secureframe::Config { system, owner, canaries };
            Secureframe::new(config, client.reader(), &profiles)?
        };
        let sources = vec![Source::Okta(okta.clone()), Source::Scim(scim.clone())];
        let mut plan = plan(sources, Arc::new(profiles), names, Policy::default());
        for app in &mut plan.apps {
            app.rules.canaries.clone_from(&canaries.on);
            app.rules.inactive_canaries.clone_from(&canaries.off);
        }
        Ok(Self { sim, okta, scim, secureframe, plan })
    }

    /// Lets the app page in this way from now on.
    pub(super) fn page_by(&self, paging: Paging) {
        self.sim.world().app.habits.paging = paging;
    }

    /// Lets the app's own API write pages in this shape from now on.
    pub(super) fn shape_by(&self, shape: Shape) {
        self.sim.world().personnel.habits.shape = shape;
    }
}

/// Gives the first who is on a role, and the API key.
fn owner(world: &mut World) -> Option<Text> {
    let mut people = world.personnel.people.iter_mut();
    let owner = people.find(|it| it.active == Active::Set(true))?;
    owner.access_role = Some("Super Admin".to_owned());
    owner.email.as_deref().map(Text::from)
}

/// Who must be in the lists, as an operator would have set it: they cost no request.
#[derive(Debug, Default)]
struct Canaries {
    users: Vec<Text>,
    on: Vec<String>,
    off: Vec<String>,
}

impl Canaries {
    fn of(world: &World) -> Self {
        let accounts = &world.app.accounts;
        let that_is = |active: bool| accounts.iter().rfind(|it| it.active == Active::Set(active));
        Self {
            users: world.okta.app_users.keys().take(1).map(|it| it.as_str().into()).collect(),
            on: that_is(true).map(|it| it.id.clone()).into_iter().collect(),
            off: that_is(false).map(|it| it.id.clone()).into_iter().collect(),
        }
    }
}

fn connect(
    sim: &Sim,
    base: &str,
    auth: Auth,
    pace: Pace,
    accept: &'static str,
) -> anyhow::Result<Client> {
    let config = Config {
        base: base.parse()?,
        ca_bundle: None,
        proxy: None,
        limits: Limits::default(),
        user_agent: "driftline-bench".to_owned(),
        auth,
        pace,
        accept,
    };
    Ok(Client::new(config, sim.clock())?)
}
