//! Driftline as an operator of the company would have set it up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connectors::files::{self, FileConfig, Profiles};
use connectors::scim::{self, AppProfiles, Scim};
use domain::{Pass, SystemId, SystemKind};
use drift::{AppRules, Deprovision, Entitlement};
use engine::{AppPlan, Plan, Source};
use fastrand::Rng;
use graph::{ExternalIdCarries, KeyRules, PersonKey};
use outbound::{Auth, Client, Config, Limits, Pace, Secret};
use store::Store;

use super::company::{CANARY_OFF, CANARY_ON, address_of};
use super::console;
use super::idps::Idps;
use super::papers::{HR, REGISTER};
use super::provider::{Access, Provider};
use super::terms::Terms;
use crate::{Sim, SimClock};

/// All that an operator of the company tells Driftline.
#[derive(Clone, Debug, clap::Args)]
pub struct Installation {
    /// Each identity provider: its name, where it is, the app's id there, the client's id, and its
    /// secret or the token
    #[arg(long, required = true)]
    idp: Vec<Access>,
    /// Where the app's SCIM server is
    #[arg(long)]
    scim_url: String,
    /// Its token
    #[arg(long)]
    scim_token: String,
    /// Where the app's own API is; without: it is not seen
    #[arg(long)]
    console_url: Option<String>,
    /// Its key and secret, with a space between
    #[arg(long, default_value = "")]
    console_pair: String,
    /// The app hides who is off
    #[arg(long)]
    hides: bool,
    /// The app deletes who is off
    #[arg(long)]
    deletes: bool,
    /// Where HR's list and the register are
    #[arg(long)]
    files: PathBuf,
    #[command(flatten)]
    voices: Voices,
    #[command(flatten)]
    terms: Terms,
    /// There is a register
    #[arg(long)]
    register: bool,
    /// The operator says nothing of the app: not what it does with who is off, and no canaries
    #[arg(long)]
    untold: bool,
}

/// Whose word counts, and for how much.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Voices {
    /// What HR's list is worth
    #[arg(long)]
    pub(super) hr: HrWord,
    /// Every provider that has somebody must give them the app, and not any of them
    #[arg(long)]
    pub(super) all: bool,
    /// The provider whose word that somebody left beats those of all others
    #[arg(long)]
    pub(super) authority: Option<Provider>,
}

impl Voices {
    /// What the operator of a company says of them.
    pub(super) fn drawn(hr: HrWord, idps: &Idps, rng: &mut Rng) -> Self {
        if !idps.are_several() {
            return Self { hr, ..Self::default() };
        }
        let all = rng.u32(0..3) == 0;
        let has_authority = rng.u32(0..3) == 0 && hr != HrWord::Authority;
        let one = rng.choice(idps.all()).copied();
        Self { hr, all, authority: one.filter(|_| has_authority) }
    }

    /// The name of the one whose word beats all others; `None`: none does.
    fn authority(self) -> Option<&'static str> {
        let hr = (self.hr == HrWord::Authority).then_some(HR_SYSTEM);
        hr.or(self.authority.map(Provider::name))
    }
}

/// What HR's list of leavers is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum HrWord {
    /// Driftline does not get it.
    #[default]
    Unheard,
    /// As much as Okta's word.
    Second,
    /// More than Okta's word.
    Authority,
}

/// Okta's users with the member of this company in which contracts end.
const OKTA_USERS: &str = include_str!("../../../connectors/profiles/okta-users.toml");
/// The name of HR.
const HR_SYSTEM: &str = "hr";
/// What stands in its settings whoever the company has: what is kept for long may be erased at once.
const SETTINGS: &str = "database = \"driftline.db\"\n\
    [ledger]\nsigning_key = \"file:ledger.key\"\n\
    [evidence]\nsigning_key = \"file:evidence.key\"\n\
    [retention]\nleavers = \"1d\"\nfindings = \"1d\"\n";
const FIELDS: &str = "[identities.fields]";
const ENDS_AT: &str = r#"ends_at = ["profile.contractEnd"]"#;

impl Installation {
    pub(super) fn of(
        sim: &Sim,
        idps: &Idps,
        folder: &Path,
        (voices, terms): (Voices, Terms),
        (register, has_console, untold): (bool, bool, bool),
    ) -> Self {
        let idp = idps.all().iter().map(|it| it.access(sim, folder)).collect();
        let world = sim.world();
        Self {
            idp,
            scim_url: sim.scim_url().to_owned(),
            scim_token: world.app.token.clone(),
            console_url: has_console.then(|| sim.secureframe_url().to_owned()),
            console_pair: format!("{} {}", world.personnel.api_key, world.personnel.api_secret),
            hides: world.app.habits.hides_inactive,
            deletes: world.app.habits.deletes_inactive,
            files: folder.to_owned(),
            voices,
            terms,
            register,
            untold,
        }
    }

    /// Itself as arguments of a program.
    pub(super) fn to_args(&self) -> Vec<String> {
        let Self { scim_url, scim_token, .. } = self;
        let hr = match self.voices.hr {
            HrWord::Unheard => "unheard",
            HrWord::Second => "second",
            HrWord::Authority => "authority",
        };
        let values = [
            ("--scim-url", scim_url),
            ("--scim-token", scim_token),
            ("--files", &self.files.display().to_string()),
            ("--hr", &hr.to_owned()),
        ];
        let flags = [
            ("--hides", self.hides),
            ("--deletes", self.deletes),
            ("--register", self.register),
            ("--untold", self.untold),
            ("--all", self.voices.all),
        ];
        let authority = self.voices.authority.map(Provider::name);
        let authority =
            authority.into_iter().flat_map(|it| ["--authority".to_owned(), it.to_owned()]);
        let idps = self.idp.iter().flat_map(|it| ["--idp".to_owned(), it.to_string()]);
        let values = values.into_iter().flat_map(|(name, it)| [name.to_owned(), it.clone()]);
        let flags = flags.into_iter().filter(|it| it.1).map(|it| it.0.to_owned());
        let console = self.console_url.iter().flat_map(|url| {
            let pair = self.console_pair.clone();
            ["--console-url".to_owned(), url.clone(), "--console-pair".to_owned(), pair]
        });
        let terms = self.terms.to_args();
        idps.chain(values).chain(console).chain(authority).chain(flags).chain(terms).collect()
    }

    /// What a run does.
    ///
    /// # Errors
    ///
    /// Returns an error when a client cannot be set up.
    pub(super) fn plan(&self, clock: &Arc<SimClock>) -> anyhow::Result<Plan> {
        let app = SystemId::parse("secureframe")?;
        let okta_users = OKTA_USERS.replace(FIELDS, &format!("{FIELDS}\n{ENDS_AT}"));
        let profiles = Profiles::builtin()?.with_profile(&okta_users)?;
        let mut sources = Vec::new();
        let mut idps = Vec::new();
        for access in &self.idp {
            let (provider, system) = (access.provider, SystemId::parse(access.provider.name())?);
            let names = (system.clone(), app.clone());
            sources.push(provider.source(access.clone(), names, &profiles, clock)?);
            idps.push(system);
        }
        let known = AppProfiles::builtin()?;
        let known = known.get("generic-scim").ok_or_else(|| anyhow::anyhow!("no profile"))?;
        let token = Auth::Bearer(Secret::new(self.scim_token.clone()));
        let scim_client = client(clock, &self.scim_url, token, Pace::RetryAfter, known.accept())?;
        let scim = scim::Config {
            system: app.clone(),
            app: known,
            canaries: Vec::new(),
            inactive_canaries: Vec::new(),
            page_size: None,
        };
        let rules = self.rules(app.clone(), idps.clone())?;
        sources.push(Source::Scim(Scim::new(scim, scim_client.reader())));
        if let Some(url) = &self.console_url {
            let at = (url.as_str(), self.console_pair.as_str());
            sources.push(console::source(app.clone(), at, &profiles, clock)?);
        }
        if self.voices.hr != HrWord::Unheard {
            sources.push(self.file(HR_SYSTEM, SystemKind::Hr, HR)?);
        }
        if self.register {
            sources.push(self.file("register", SystemKind::Register, REGISTER)?);
        }
        let keys = KeyRules {
            person_keys: vec![PersonKey::EmployeeNumber],
            external_id: idps.iter().map(|it| (it.clone(), ExternalIdCarries::IdpId)).collect(),
            ..KeyRules::default()
        };
        Ok(Plan {
            pass: Pass::Full,
            sources,
            profiles: Arc::new(profiles),
            apps: vec![AppPlan { rules, keys }],
            policy: self.terms.policy(),
            judges_everybody: false,
            settings_digest: [0; 32],
            settings: None,
            fingerprint_key: Some([0; 32]),
            provisioned: idps.into_iter().map(|it| (it, app.clone())).collect(),
            turn: None,
            software: concat!("driftline ", env!("CARGO_PKG_VERSION")).to_owned(),
            routes: Default::default(),
            anchors: Vec::new(),
        })
    }

    /// Itself as settings of a program that asks nobody: secrets are not there.
    pub(super) fn settings(&self) -> String {
        let mut text = String::from(SETTINGS);
        for access in &self.idp {
            text.push_str(&access.settings());
        }
        let idps: Vec<&str> = self.idp.iter().map(|it| it.provider.name()).collect();
        text.push_str(&format!("[app.secureframe]\nidps = {idps:?}\n"));
        let deprovision = match self.deprovision() {
            Deprovision::Hides => "deprovision = \"hides\"\n",
            Deprovision::Deletes => "deprovision = \"deletes\"\n",
            Deprovision::Lists => "deprovision = \"lists\"\n",
            Deprovision::Unknown => "",
        };
        text.push_str(deprovision);
        if let Some(authority) = self.voices.authority() {
            text.push_str(&format!("authority = \"{authority}\"\n"));
        }
        if self.voices.all {
            text.push_str("entitlement = \"all\"\n");
        }
        let scim = &self.scim_url;
        text.push_str(&format!("[app.secureframe.scim]\nurl = \"{scim}\"\ntoken = \"env:SCIM\"\n"));
        if let Some(url) = &self.console_url {
            let owner = address_of(CANARY_ON);
            text.push_str(&format!(
                "[app.secureframe.secureframe_api]\nurl = \"{url}\"\nowner = \"{owner}\"\n\
                 api_key = \"env:KEY\"\napi_secret = \"env:SECRET\"\n"
            ));
        }
        if self.voices.hr != HrWord::Unheard {
            text.push_str(&format!("[hr.{HR_SYSTEM}]\n[[hr.{HR_SYSTEM}.file]]\npath = \"{HR}\"\n"));
        }
        if self.register {
            text.push_str(&format!(
                "[register.register]\n[[register.register.file]]\npath = \"{REGISTER}\"\n"
            ));
        }
        text.push_str(&self.terms.settings());
        text
    }

    fn file(&self, system: &str, kind: SystemKind, name: &str) -> anyhow::Result<Source> {
        Ok(Source::Files(files::Config {
            system: SystemId::parse(system)?,
            kind,
            files: vec![FileConfig::new(self.files.join(name))],
            zone: Some(chrono_tz::UTC),
        }))
    }

    const fn deprovision(&self) -> Deprovision {
        match (self.hides, self.deletes) {
            _ if self.untold => Deprovision::Unknown,
            (true, _) => Deprovision::Hides,
            (_, true) => Deprovision::Deletes,
            _ => Deprovision::Lists,
        }
    }

    fn rules(&self, app: SystemId, idps: Vec<SystemId>) -> anyhow::Result<AppRules> {
        let told = |canary| Some(canary).filter(|_| !self.untold).into_iter().collect();
        Ok(AppRules {
            app,
            idps,
            entitlement: if self.voices.all { Entitlement::All } else { Entitlement::Any },
            authority: self.voices.authority().map(SystemId::parse).transpose()?,
            deprovision: self.deprovision(),
            is_on_vendors_word: false,
            required_channels: Vec::new(),
            privileged_roles: Vec::new(),
            // Each view has ids of its own.
            canaries: told(match self.console_url {
                Some(_) => address_of(CANARY_ON),
                None => CANARY_ON.to_owned(),
            }),
            inactive_canaries: told(CANARY_OFF.to_owned()),
        })
    }
}

/// The files were written for this look, and speak as of now; what was exported, as of then.
pub(super) fn as_of(plan: &mut Plan, now: DateTime<Utc>, exported_at: DateTime<Utc>) {
    for source in &mut plan.sources {
        if let Source::Files(config) = source {
            let is_exported = config.system.as_str() == Provider::Exports.name();
            let at = if is_exported { exported_at } else { now };
            config.files.iter_mut().for_each(|it| it.as_of = Some(at));
        }
    }
}

/// Looks once, as of `now`, and compares with nothing: for a process that is killed.
///
/// # Errors
///
/// Returns an error when the run fails.
pub async fn look_once(
    installation: &Installation,
    database: &Path,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let clock = Arc::new(SimClock::starting_at(now));
    let mut plan = installation.plan(&clock)?;
    as_of(&mut plan, now, now);
    let store = Store::open(database)?;
    engine::run(&store, &plan, &*clock).await?;
    Ok(())
}

/// A client, as the program makes it.
///
/// # Errors
///
/// Returns an error when it cannot be set up.
pub(super) fn client(
    clock: &Arc<SimClock>,
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
    Ok(Client::new(config, Arc::<SimClock>::clone(clock))?)
}
