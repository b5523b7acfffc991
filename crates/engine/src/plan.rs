//! What a run has to do: the systems to pull, the apps to judge, the policy to judge by.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::Routes;
use connectors::entra::Entra;
use connectors::files::{Config, Profiles};
use connectors::okta::Okta;
use connectors::onelogin::OneLogin;
use connectors::scim::Scim;
use connectors::secureframe::Secureframe;
use domain::{AnchorName, Channel, Digest, Pass, Stream, SystemId, SystemKind, Turn};
use drift::{AppRules, Policy};
use graph::KeyRules;

/// The plan of a run, made from the settings or from the arguments of `check`.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How much is looked at. A light pass before the first full run is made a full one.
    pub pass: Pass,
    /// Where lists come from. An app may have several sources, each its own channel.
    pub sources: Vec<Source>,
    /// How export files are read.
    pub profiles: Arc<Profiles>,
    /// The apps, in order of name.
    pub apps: Vec<AppPlan>,
    /// The one app of each identity provider over its API that it is asked about, by the provider.
    pub provisioned: BTreeMap<SystemId, SystemId>,
    /// What counts as drift.
    pub policy: Policy,
    /// Whoever there is nothing to weigh of is judged as well.
    pub judges_everybody: bool,
    /// SHA-256 of the settings.
    pub settings_digest: Digest,
    /// The settings as they were written, to be kept for whoever judges a run again; `None`: they
    /// are not.
    pub settings: Option<Arc<str>>,
    /// The key of fingerprints; `None`: the database's own.
    pub fingerprint_key: Option<[u8; 32]>,
    /// The turn of the schedule that it is done for; `None`: somebody asked for it.
    pub turn: Option<Turn>,
    /// Program and version, as `driftline 0.1.0`.
    pub software: String,
    /// Who is told what; by default nobody.
    pub routes: Routes,
    /// Where checkpoints are taken out of reach; by default nowhere.
    pub anchors: Vec<AnchorName>,
}

impl Plan {
    /// Whether the source of a list can be asked by id.
    pub(crate) fn can_ask(&self, list: &Stream) -> bool {
        self.asked(&list.system, list.channel).is_some()
    }

    /// The source that answers by id for one view of a system.
    pub(crate) fn asked(&self, system: &SystemId, channel: Option<Channel>) -> Option<&Source> {
        let mut sources = self.sources.iter();
        sources.find(|it| it.is_live() && it.system() == system && it.channel() == channel)
    }
}

/// Where lists of one system come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Its export files.
    Files(Config),
    /// Okta's API.
    Okta(Okta),
    /// Microsoft Graph, for Entra ID.
    Entra(Entra),
    /// OneLogin's API.
    OneLogin(OneLogin),
    /// The app's SCIM 2.0 endpoint.
    Scim(Scim),
    /// Secureframe's own REST API.
    Secureframe(Secureframe),
    /// One of these that cannot be asked: each of its lists fails, and the others are read.
    NotSetUp {
        /// Its name.
        system: SystemId,
        /// What it is to us.
        kind: SystemKind,
        /// The view of an app that it gives; `None` for all but apps.
        channel: Option<Channel>,
        /// Why, and what to do.
        why: String,
    },
    /// One of these that a past run asked, and that nobody asks now.
    Past {
        /// Its name.
        system: SystemId,
        /// What it is to us.
        kind: SystemKind,
        /// The view of an app that it gave; `None` for all but apps.
        channel: Option<Channel>,
    },
}

impl Source {
    /// The system's name.
    #[must_use]
    pub fn system(&self) -> &SystemId {
        match self {
            Self::Files(config) => &config.system,
            Self::Okta(okta) => okta.system(),
            Self::Entra(entra) => entra.system(),
            Self::OneLogin(onelogin) => onelogin.system(),
            Self::Scim(scim) => scim.system(),
            Self::Secureframe(secureframe) => secureframe.system(),
            Self::NotSetUp { system, .. } | Self::Past { system, .. } => system,
        }
    }

    /// What it is to us.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        match self {
            Self::Files(config) => config.kind,
            Self::NotSetUp { kind, .. } | Self::Past { kind, .. } => *kind,
            Self::Okta(_) | Self::Entra(_) | Self::OneLogin(_) => SystemKind::Idp,
            Self::Scim(_) | Self::Secureframe(_) => SystemKind::App,
        }
    }

    /// The view of an app that it gives over the network; `None` for all else.
    #[must_use]
    pub const fn channel(&self) -> Option<Channel> {
        match self {
            Self::Scim(_) => Some(Channel::Scim),
            Self::Secureframe(_) => Some(Channel::SecureframeApi),
            Self::NotSetUp { channel, .. } | Self::Past { channel, .. } => *channel,
            Self::Files(_) | Self::Okta(_) | Self::Entra(_) | Self::OneLogin(_) => None,
        }
    }

    /// Returns true when it is asked over the network, and can be asked again.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Files(_) => false,
            Self::Okta(_)
            | Self::Entra(_)
            | Self::OneLogin(_)
            | Self::Scim(_)
            | Self::Secureframe(_)
            | Self::NotSetUp { .. }
            | Self::Past { .. } => true,
        }
    }
}

/// One app of a plan.
#[derive(Clone, Debug)]
pub struct AppPlan {
    /// Whose word counts for it, and what its answers mean.
    pub rules: AppRules,
    /// Which keys join its accounts to people.
    pub keys: KeyRules,
}
