//! The identity providers that a company may have. What happens to people is written into one book,
//! which is the organization of Okta; what another provider would show of its part is written down
//! after everything that happens. A provider more is one more file here.

mod entra;
pub(super) mod exports;
mod okta;
mod onelogin;

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use connectors::files::Profiles;
use domain::SystemId;
use engine::Source;
use outbound::{Auth, ClientProof, Secret, ServiceApp};

use crate::world::{Account, World};
use crate::{Endpoint, Sim, SimClock};

/// An identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Provider {
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Entra,
    /// OneLogin.
    Onelogin,
    /// Okta, by exported files alone.
    Exports,
}

/// How to reach a provider, and as whom. Written as an argument, its parts are parted by commas.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) provider: Provider,
    pub(super) url: String,
    /// The app's id there.
    pub(super) app_id: String,
    /// The client's id; empty where a token is enough.
    pub(super) client_id: String,
    /// The client's secret, or the token.
    pub(super) secret: String,
}

impl Access {
    /// Its tables in settings, without its secret.
    pub(super) fn settings(&self) -> String {
        let keys = match self.provider {
            Provider::Okta => okta::settings(self),
            Provider::Entra => entra::settings(self),
            Provider::Onelogin => onelogin::settings(self),
            Provider::Exports => return exports::settings(),
        };
        let name = self.provider.name();
        format!("[idp.{name}.{name}]\n{keys}")
    }

    /// Client credentials, for tokens that the provider gives at `token_path`.
    fn service_app(
        &self,
        token_path: &str,
        token_elsewhere: bool,
        scopes: Vec<String>,
    ) -> anyhow::Result<Auth> {
        Ok(Auth::ServiceApp(ServiceApp {
            client_id: self.client_id.clone(),
            token_url: format!("{}{token_path}", self.url).parse()?,
            token_elsewhere,
            scopes,
            proof: ClientProof::Secret(Secret::new(self.secret.clone())),
            dpop: false,
        }))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, url, app_id, client_id, secret } = self;
        write!(f, "{},{url},{app_id},{client_id},{secret}", provider.name())
    }
}

impl FromStr for Access {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<String> = text.split(',').map(str::to_owned).collect();
        let parts = <[String; 5]>::try_from(parts).ok().context("an access has five parts")?;
        let [name, url, app_id, client_id, secret] = parts;
        let provider = Provider::ALL.into_iter().find(|it| it.name() == name);
        let provider = provider.with_context(|| format!("no provider is named {name}"))?;
        Ok(Self { provider, url, app_id, client_id, secret })
    }
}

impl Provider {
    const ALL: [Self; 4] = [Self::Okta, Self::Entra, Self::Onelogin, Self::Exports];

    /// The one whose user has this id: ids of each have a form of their own.
    pub(super) fn of(user: &str) -> Self {
        match user {
            _ if user.starts_with("00u") => Self::Okta,
            _ if user.starts_with("00x") => Self::Exports,
            _ if user.contains('-') => Self::Entra,
            _ => Self::Onelogin,
        }
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Onelogin => "onelogin",
            Self::Exports => "exports",
        }
    }

    /// The id of the user of that number, in the form of the provider's ids.
    pub(super) fn user_id(self, n: u32) -> String {
        match self {
            Self::Okta => format!("00u{n:017}"),
            Self::Entra => format!("a0000000-0000-4000-8000-{n:012}"),
            Self::Onelogin => format!("{}", 10_000_000 + n),
            Self::Exports => format!("00x{n:017}"),
        }
    }

    /// Has it users who have not started yet?
    pub(super) const fn stages(self) -> bool {
        matches!(self, Self::Okta | Self::Onelogin | Self::Exports)
    }

    /// Does it tell who is suspended from who has left?
    pub(super) const fn suspends(self) -> bool {
        matches!(self, Self::Okta | Self::Exports)
    }

    /// Does it tell employee numbers? Without, HR's list names nobody.
    pub(super) const fn numbers(self) -> bool {
        matches!(self, Self::Okta | Self::Entra | Self::Exports)
    }

    /// Does it tell when contracts end?
    pub(super) const fn tells_contracts(self) -> bool {
        matches!(self, Self::Okta | Self::Entra | Self::Exports)
    }

    /// Does it tell when somebody left or lost the app? Otherwise it is dated by looks.
    pub(super) const fn dates_ends(self) -> bool {
        matches!(self, Self::Okta)
    }

    /// Writes down what it shows of its part of the book, as of `at`.
    pub(super) fn show(self, world: &mut World, at: DateTime<Utc>) {
        match self {
            Self::Okta | Self::Exports => {}
            Self::Entra => entra::show(world, at),
            Self::Onelogin => onelogin::show(world),
        }
    }

    /// Where something may go wrong.
    pub(super) const fn places(self) -> &'static [Endpoint] {
        match self {
            Self::Okta => okta::PLACES,
            Self::Entra => entra::PLACES,
            Self::Onelogin => onelogin::PLACES,
            Self::Exports => &[],
        }
    }

    /// Where its log is; `None`: it has none.
    pub(super) const fn log(self) -> Option<Endpoint> {
        match self {
            Self::Okta => Some(Endpoint::OktaLog),
            Self::Entra => Some(Endpoint::EntraLog),
            Self::Onelogin => Some(Endpoint::OneLoginEvents),
            Self::Exports => None,
        }
    }

    /// Whether its log says, of the time since then, that this user left, so that a light pass looks
    /// at the account.
    pub(super) fn logs_leaver(
        self,
        world: &World,
        user: &str,
        account: &Account,
        since: DateTime<Utc>,
    ) -> bool {
        match self {
            Self::Okta => okta::logs_leaver(world, user, account, since),
            Self::Entra => entra::logs_leaver(world, user, since),
            Self::Onelogin => onelogin::logs_leaver(world, user, since),
            Self::Exports => false,
        }
    }

    /// How to reach it in a company, which keeps files in `folder`.
    pub(super) fn access(self, sim: &Sim, folder: &Path) -> Access {
        match self {
            Self::Okta => okta::access(sim),
            Self::Entra => entra::access(sim),
            Self::Onelogin => onelogin::access(sim),
            Self::Exports => exports::access(folder),
        }
    }

    /// The connector that reads it.
    ///
    /// # Errors
    ///
    /// Returns an error when a client cannot be set up.
    pub(super) fn source(
        self,
        access: Access,
        (system, app): (SystemId, SystemId),
        profiles: &Profiles,
        clock: &Arc<SimClock>,
    ) -> anyhow::Result<Source> {
        match self {
            Self::Okta => okta::source(access, (system, app), profiles, clock),
            Self::Entra => entra::source(access, (system, app), profiles, clock),
            Self::Onelogin => onelogin::source(access, (system, app), profiles, clock),
            Self::Exports => Ok(exports::source(&access, system)),
        }
    }
}
