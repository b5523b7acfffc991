//! Systems that are read over the network: where they are, as whom, and what is known of them.

use std::path::Path;
use std::sync::Arc;

use connectors::entra::{self, Entra};
use connectors::files::{ProfileError, Profiles};
use connectors::okta::{self, Okta};
use connectors::onelogin::{self, OneLogin};
use connectors::scim::{self, AppProfile, AppProfiles, Scim};
use connectors::secureframe::{self, Secureframe};
use domain::{Channel, SystemId, SystemKind, Text};
use engine::Source;
use outbound::{
    Auth, Client, ClientProof, Config, OutboundError, OutboundErrorKind, Pace, Patcher,
    PosterConfig, Secret, ServiceApp, SigningKey, Url,
};

use super::document::Document;
use super::file::{App, File, OktaApi, Probe as WrittenProbe, ScimApi};
use super::http::{Http, Reach, Written};
use super::source::system_id;
use super::{
    SecretRef, SettingsError, entra as written_entra, onelogin as written_onelogin,
    secureframe as written_secureframe,
};
use crate::clock::MachineClock;
use crate::nearest::nearest;

/// The shortest secret that is worth the name: an empty one is a mistake.
const SECRET_LEN_MIN: usize = 8;

/// Pages of Okta's log that one run reads, of 1000 events each: the first run of a large
/// organisation may need several to catch up with 90 days.
const LOG_PAGES: u32 = 200;

/// One system that is read over the network.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// Its name.
    pub(crate) system: SystemId,
    /// Where it is.
    pub(crate) url: Url,
    /// The way to its table, as `idp.okta.okta`.
    pub(super) at: String,
    pub(super) access: Access,
    pub(super) spoken: Spoken,
    pub(super) reach: Reach,
}

/// As whom.
#[derive(Clone, Debug)]
pub(super) enum Access {
    Token(SecretRef),
    Entra(written_entra::Client),
    OneLogin(written_onelogin::Client),
    Secureframe(written_secureframe::Pair),
    ServiceApp {
        client_id: String,
        private_key: SecretRef,
        key_id: Option<String>,
        scopes: Vec<String>,
        dpop: bool,
    },
}

/// What is spoken there.
#[derive(Clone, Debug)]
pub(super) enum Spoken {
    Entra(entra::Config),
    OneLogin(onelogin::Config),
    Secureframe(secureframe::Config),
    Okta {
        app: SystemId,
        app_id: Text,
        canaries: Vec<Text>,
        assigned_canaries: Vec<Text>,
    },
    Scim {
        app: Arc<AppProfile>,
        canaries: Vec<Text>,
        inactive_canaries: Vec<Text>,
        page_size: Option<u32>,
        probe: Option<Probe>,
    },
}

/// With what a probe may switch which accounts off.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    token: SecretRef,
    canaries: Vec<Text>,
}

impl Live {
    /// What it is to us.
    pub(crate) const fn kind(&self) -> SystemKind {
        match self.spoken {
            Spoken::Okta { .. } | Spoken::Entra(_) | Spoken::OneLogin(_) => SystemKind::Idp,
            Spoken::Scim { .. } | Spoken::Secureframe(_) => SystemKind::App,
        }
    }

    /// The view of an app that it gives; `None` for all but apps.
    pub(crate) const fn channel(&self) -> Option<Channel> {
        match self.spoken {
            Spoken::Scim { .. } => Some(Channel::Scim),
            Spoken::Secureframe(_) => Some(Channel::SecureframeApi),
            Spoken::Okta { .. } | Spoken::Entra(_) | Spoken::OneLogin(_) => None,
        }
    }

    /// Whether who is gone from its list may have access all the same, by the app's profile.
    pub(crate) fn never_shows_removal(&self) -> bool {
        matches!(&self.spoken, Spoken::Scim { app, .. }
            if app.deprovision() == Some(connectors::scim::Deprovision::NeverShown))
    }

    /// The app that an identity provider is asked about; `None`: it is an app itself.
    pub(crate) const fn provisioned(&self) -> Option<&SystemId> {
        match &self.spoken {
            Spoken::Okta { app, .. } => Some(app),
            Spoken::Entra(config) => Some(&config.app),
            Spoken::OneLogin(config) => Some(&config.app),
            Spoken::Scim { .. } | Spoken::Secureframe(_) => None,
        }
    }

    /// What is spoken there, for people.
    pub(crate) const fn protocol(&self) -> &'static str {
        match self.spoken {
            Spoken::Okta { .. } => "Okta API",
            Spoken::Entra(_) => "Microsoft Graph",
            Spoken::OneLogin(_) => "OneLogin API",
            Spoken::Scim { .. } => "SCIM 2.0",
            Spoken::Secureframe(_) => "Secureframe API",
        }
    }

    /// How far a pull of it may go.
    #[cfg(test)]
    pub(super) const fn limits(&self) -> &outbound::Limits {
        &self.reach.limits
    }

    /// Where its API lies: nothing else of the host is asked.
    fn base(&self) -> Result<Url, SettingsError> {
        match self.spoken {
            Spoken::Okta { .. } => self.joined(okta::API),
            Spoken::Entra(_) => self.joined(entra::API),
            Spoken::OneLogin(_) => self.joined(onelogin::API),
            Spoken::Scim { .. } | Spoken::Secureframe(_) => Ok(self.url.clone()),
        }
    }

    fn joined(&self, path: &str) -> Result<Url, SettingsError> {
        self.url
            .join(path)
            .map_err(|error| SettingsError::Live { at: self.key("url"), what: error.to_string() })
    }

    /// It, as one that cannot be asked.
    pub(crate) fn not_set_up(&self, error: SettingsError) -> Source {
        let why = format!("{:#}", anyhow::Error::from(error));
        let (system, kind, channel) = (self.system.clone(), self.kind(), self.channel());
        Source::NotSetUp { system, kind, channel, why }
    }

    /// Reads its secrets and sets its client up. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when a secret or a certificate cannot be read or used.
    pub(crate) fn connect(&self, profiles: &Profiles) -> Result<Source, SettingsError> {
        let config = Config {
            base: self.base()?,
            ca_bundle: self.reach.ca_bundle()?,
            proxy: self.reach.proxy(|key, it| self.secret(key, it))?,
            limits: self.reach.limits.clone(),
            user_agent: crate::SOFTWARE.replace(' ', "/"),
            auth: self.auth()?,
            pace: match self.spoken {
                Spoken::Okta { .. } => Pace::Okta,
                Spoken::OneLogin(_) => Pace::OneLogin,
                Spoken::Secureframe(_) => Pace::PerMinute(secureframe::PER_MINUTE),
                Spoken::Entra(_) | Spoken::Scim { .. } => Pace::RetryAfter,
            },
            accept: match &self.spoken {
                Spoken::Okta { .. }
                | Spoken::Entra(_)
                | Spoken::OneLogin(_)
                | Spoken::Secureframe(_) => "application/json",
                Spoken::Scim { app, .. } => app.accept(),
            },
        };
        let client =
            Client::new(config, Arc::new(MachineClock)).map_err(|error| self.unusable(error))?;
        let (system, reader) = (self.system.clone(), client.reader());
        Ok(match &self.spoken {
            Spoken::Okta { app, app_id, canaries, assigned_canaries } => {
                let config = okta::Config {
                    system,
                    app: app.clone(),
                    app_id: app_id.clone(),
                    canaries: canaries.clone(),
                    assigned_canaries: assigned_canaries.clone(),
                    credential: match &self.access {
                        Access::ServiceApp { scopes, .. } => {
                            okta::Credential::ServiceApp { scopes: scopes.clone() }
                        }
                        Access::Token(_)
                        | Access::Entra(_)
                        | Access::OneLogin(_)
                        | Access::Secureframe(_) => okta::Credential::ApiToken,
                    },
                    log_pages: LOG_PAGES,
                };
                Source::Okta(Okta::new(config, reader, profiles).map_err(|it| self.unread(it))?)
            }
            Spoken::Entra(config) => {
                let entra = Entra::new(config.clone(), reader, profiles);
                Source::Entra(entra.map_err(|it| self.unread(it))?)
            }
            Spoken::OneLogin(config) => {
                let onelogin = OneLogin::new(config.clone(), reader, profiles);
                Source::OneLogin(onelogin.map_err(|it| self.unread(it))?)
            }
            Spoken::Secureframe(config) => {
                let secureframe = Secureframe::new(config.clone(), reader, profiles);
                Source::Secureframe(secureframe.map_err(|it| self.unread(it))?)
            }
            Spoken::Scim { app, canaries, inactive_canaries, page_size, probe: _ } => {
                let config = scim::Config {
                    system,
                    app: Arc::clone(app),
                    canaries: canaries.clone(),
                    inactive_canaries: inactive_canaries.clone(),
                    page_size: *page_size,
                };
                Source::Scim(Scim::new(config, reader))
            }
        })
    }

    /// A profile that there is not.
    fn unread(&self, error: ProfileError) -> SettingsError {
        SettingsError::Live { at: self.at.clone(), what: with_causes(error) }
    }

    fn auth(&self) -> Result<Auth, SettingsError> {
        match (&self.access, &self.spoken) {
            (Access::Token(token), Spoken::Okta { .. }) => {
                Ok(Auth::Ssws(self.secret(self.key("token"), token)?))
            }
            (Access::Entra(client), _) => {
                let read = |key: &str, it: &SecretRef| self.secret_bytes(self.key(key), it);
                let wrong = |key: &str, what| SettingsError::Live { at: self.key(key), what };
                Ok(Auth::ServiceApp(client.service_app(read, wrong)?))
            }
            (Access::OneLogin(client), _) => {
                let read = |key: &str, it: &SecretRef| self.secret(self.key(key), it);
                let token_url = self.joined(onelogin::TOKEN)?;
                Ok(Auth::ServiceApp(client.service_app(token_url, read)?))
            }
            (Access::Secureframe(pair), _) => {
                let read = |key: &str, it: &SecretRef| self.secret(self.key(key), it);
                let wrong = |key: &str, what| SettingsError::Live { at: self.key(key), what };
                pair.auth(read, wrong)
            }
            (
                Access::Token(token),
                Spoken::Scim { .. }
                | Spoken::Entra(_)
                | Spoken::OneLogin(_)
                | Spoken::Secureframe(_),
            ) => Ok(Auth::Bearer(self.secret(self.key("token"), token)?)),
            (Access::ServiceApp { client_id, private_key, key_id, scopes, dpop }, _) => {
                let bytes = self.secret_bytes(self.key("private_key"), private_key)?;
                let key = SigningKey::parse(&bytes, key_id.as_deref()).map_err(|error| {
                    SettingsError::Live { at: self.key("private_key"), what: error.to_string() }
                })?;
                let token_url = self.joined("/oauth2/v1/token")?;
                Ok(Auth::ServiceApp(ServiceApp {
                    client_id: client_id.clone(),
                    token_url,
                    token_elsewhere: false,
                    scopes: scopes.clone(),
                    proof: ClientProof::Key(key),
                    dpop: *dpop,
                }))
            }
        }
    }

    /// What the client says of its settings, by the keys that they are written under.
    fn unusable(&self, error: OutboundError) -> SettingsError {
        match error.kind {
            OutboundErrorKind::Setting { setting: key @ ("ca_bundle" | "proxy"), what } => {
                SettingsError::Live { at: self.reach.key(key), what }
            }
            _ => SettingsError::Live { at: self.at.clone(), what: with_causes(error) },
        }
    }

    /// The accounts that a probe may switch off, and what it would do that with. `None`: the settings
    /// allow none. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when the token or a certificate cannot be read or used.
    pub(crate) fn prober(&self) -> Result<Option<(&[Text], Patcher)>, SettingsError> {
        let Spoken::Scim { probe: Some(probe), .. } = &self.spoken else { return Ok(None) };
        let token = self.secret(self.key("probe.token"), &probe.token)?;
        let config = PosterConfig {
            url: Secret::new(self.url.to_string()),
            ca_bundle: self.reach.ca_bundle()?,
            proxy: self.reach.proxy(|key, it| self.secret(key, it))?,
            connect: self.reach.limits.connect,
            request: self.reach.limits.request,
            user_agent: crate::SOFTWARE.replace(' ', "/"),
            authorization: Some(Secret::new(format!("Bearer {}", token.expose()))),
        };
        let patcher =
            Patcher::new(&config, Arc::new(MachineClock)).map_err(|error| self.unusable(error))?;
        Ok(Some((&probe.canaries, patcher)))
    }

    /// The way to one of its keys.
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.at)
    }

    fn secret(&self, key: String, reference: &SecretRef) -> Result<Secret, SettingsError> {
        let bytes = self.secret_bytes(key.clone(), reference)?;
        let text = String::from_utf8(bytes).map_err(|_| SettingsError::Live {
            at: key,
            what: "is not text: write the secret alone into the file".to_owned(),
        })?;
        Ok(Secret::new(text.trim().to_owned()))
    }

    fn secret_bytes(&self, key: String, reference: &SecretRef) -> Result<Vec<u8>, SettingsError> {
        let secret = reference
            .read(SECRET_LEN_MIN)
            .map_err(|source| SettingsError::Secret { key, source })?;
        Ok(secret.expose().to_vec())
    }
}

pub(super) fn texts(all: &[String]) -> Vec<Text> {
    all.iter().map(|it| Text::from(it.as_str())).collect()
}

/// The error with its causes, in one line.
fn with_causes(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// The live systems, identity providers first, each kind by name.
///
/// # Errors
///
/// Returns the first value that cannot be used.
pub(super) fn live(
    document: &Document<'_>,
    file: &File,
    base: &Path,
    profiles: &AppProfiles,
) -> Result<Vec<Live>, SettingsError> {
    let mut all = Vec::new();
    for (name, idp) in &file.idp {
        let table = |key| Table { document, base, path: ["idp", name, key] };
        let (key, live) = match (&idp.okta, &idp.entra, &idp.onelogin) {
            (None, None, None) => continue,
            (Some(api), None, None) => ("okta", table("okta").okta(file, api)?),
            (None, Some(api), None) => ("entra", api.mean(&table("entra"), file)?),
            (None, None, Some(api)) => ("onelogin", api.mean(&table("onelogin"), file)?),
            (okta, entra, onelogin) => {
                let all = [
                    ("okta", okta.is_some()),
                    ("entra", entra.is_some()),
                    ("onelogin", onelogin.is_some()),
                ];
                let mut keys = all.into_iter().filter(|it| it.1).map(|it| it.0);
                let (first, second) = (keys.next(), keys.next());
                let what = format!(
                    "stands beside `{}`: each identity provider has a name of its own",
                    first.unwrap_or_default()
                );
                return Err(document.wrong(&["idp", name, second.unwrap_or_default()], what));
            }
        };
        if !idp.file.is_empty() {
            let what = format!(
                "stands beside `{key}`: read this identity provider from files or over its API"
            );
            return Err(document.wrong(&["idp", name, "file"], what));
        }
        all.push(live);
    }
    for (name, app) in &file.app {
        let table = |key| Table { document, base, path: ["app", name, key] };
        if let Some(api) = &app.scim {
            all.push(table("scim").scim(app, api, profiles)?);
        }
        if let Some(api) = &app.secureframe_api {
            all.push(api.mean(&table("secureframe_api"), app)?);
        }
        refuse_twice(document, name, app)?;
    }
    Ok(all)
}

/// A view of an app is read from files or over the network.
fn refuse_twice(document: &Document<'_>, name: &str, app: &App) -> Result<(), SettingsError> {
    for (index, file) in app.file.iter().enumerate() {
        let table = match file.channel.map(super::words::Channel::meant) {
            Some(Channel::Scim) if app.scim.is_some() => "scim",
            Some(Channel::SecureframeApi) if app.secureframe_api.is_some() => "secureframe_api",
            _ => continue,
        };
        let what = format!("is what `{table}` reads over the network: take one of them out");
        return Err(document.wrong(&["app", name, "file", &index.to_string(), "channel"], what));
    }
    Ok(())
}

/// One table of settings of a live system.
pub(super) struct Table<'t> {
    document: &'t Document<'t>,
    base: &'t Path,
    path: [&'t str; 3],
}

impl Table<'_> {
    fn okta(&self, file: &File, api: &OktaApi) -> Result<Live, SettingsError> {
        if !api.app_id.starts_with("0oa") {
            return Err(self.wrong(
                "app_id",
                "is no id of an Okta app, which begins with `0oa`: take it from the app's address in the admin console",
            ));
        }
        let spoken = Spoken::Okta {
            app: self.app(file, api.app.as_deref())?,
            app_id: api.app_id.as_str().into(),
            canaries: texts(&api.canaries),
            assigned_canaries: texts(&api.assigned_canaries),
        };
        Ok(Live {
            system: self.system()?,
            url: self.url("url", &api.url)?,
            at: self.path.join("."),
            access: self.access(api)?,
            spoken,
            reach: self.reach(&api.http, true)?,
        })
    }

    fn scim(&self, of: &App, api: &ScimApi, profiles: &AppProfiles) -> Result<Live, SettingsError> {
        let app = profiles.get(&api.profile).ok_or_else(|| {
            let guess = nearest(&api.profile, profiles.names())
                .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
            let names: Vec<&str> = profiles.names().collect();
            self.wrong("profile", format!("is none of {}{guess}", names.join(", ")))
        })?;
        if api.page_size == Some(0) {
            return Err(self.wrong("page_size", "must be 1 or more"));
        }
        Ok(Live {
            system: self.system()?,
            url: self.url("url", &api.url)?,
            at: self.path.join("."),
            access: Access::Token(self.reference("token", &api.token)?),
            spoken: Spoken::Scim {
                app,
                canaries: texts(&of.canaries),
                inactive_canaries: texts(&of.inactive_canaries),
                page_size: api.page_size,
                probe: api.probe.as_ref().map(|it| self.probe(of, it)).transpose()?,
            },
            reach: self.reach(&api.http, false)?,
        })
    }

    fn probe(&self, of: &App, probe: &WrittenProbe) -> Result<Probe, SettingsError> {
        if probe.canaries.is_empty() {
            return Err(self.wrong("probe", "needs `canaries`: ids of accounts that are nobody's"));
        }
        if let Some(both) = probe.canaries.iter().find(|it| of.canaries.contains(it)) {
            let what = format!(
                "has `{both}` in its `canaries`, which is one of the app's: without it no list would be believed, name another"
            );
            return Err(self.wrong("probe", what));
        }
        let token = self.reference("probe", &probe.token)?;
        Ok(Probe { token, canaries: texts(&probe.canaries) })
    }

    /// The way to it, as `idp.okta.okta`.
    pub(super) fn at(&self) -> String {
        self.path.join(".")
    }

    pub(super) fn system(&self) -> Result<SystemId, SettingsError> {
        let [section, name, _] = self.path;
        system_id(self.document, &[section, name], name)
    }

    /// The app that the assignments are for: the one named, or the only one that names this
    /// identity provider.
    pub(super) fn app(&self, file: &File, named: Option<&str>) -> Result<SystemId, SettingsError> {
        let [_, idp, _] = self.path;
        let bound: Vec<&str> = file
            .app
            .iter()
            .filter(|(_, app)| app.idps.iter().any(|it| it == idp))
            .map(|(name, _)| name.as_str())
            .collect();
        match (named, &*bound) {
            (Some(name), _) if bound.contains(&name) => system_id(self.document, &["app", name], name),
            (Some(_), _) => Err(self.wrong(
                "app",
                format!("names no app whose `idps` has `{idp}`: correct one of them"),
            )),
            (None, [only]) => system_id(self.document, &["app", only], only),
            (None, _) => Err(self.wrong(
                "app_id",
                format!(
                    "is the id of one app, and {} name `{idp}` in `idps`: say which with `app = \"NAME\"`",
                    bound.len()
                ),
            )),
        }
    }

    fn access(&self, api: &OktaApi) -> Result<Access, SettingsError> {
        match (&api.token, &api.client_id, &api.private_key) {
            (Some(token), None, None) => Ok(Access::Token(self.reference("token", token)?)),
            (None, Some(client_id), Some(key)) => Ok(Access::ServiceApp {
                client_id: client_id.clone(),
                private_key: self.reference("private_key", key)?,
                key_id: api.key_id.clone(),
                scopes: api.scopes.clone(),
                dpop: api.dpop,
            }),
            (Some(_), _, _) => Err(self.wrong(
                "token",
                "is one credential, and `client_id` or `private_key` are of another: take one of the two out",
            )),
            _ => Err(self.wrong(
                "url",
                "needs a credential: give `token`, or both `client_id` and `private_key` of a service app",
            )),
        }
    }

    pub(super) fn url(&self, key: &str, text: &str) -> Result<Url, SettingsError> {
        let url = Url::parse(text).map_err(|error| {
            self.wrong(key, format!("is no address ({error}): write https://…"))
        })?;
        outbound::check_base(&url).map_err(|what| self.wrong(key, what))?;
        let host = url.host_str().unwrap_or_default();
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_here => Ok(url),
            _ => Err(self.wrong(key, "must begin with `https://`: it carries a credential")),
        }
    }

    pub(super) fn reach(&self, http: &Http, states_limits: bool) -> Result<Reach, SettingsError> {
        let Self { document, base, path } = *self;
        Written { document, base, path, states_limits }.mean(http)
    }

    pub(super) fn reference(&self, key: &str, text: &str) -> Result<SecretRef, SettingsError> {
        SecretRef::parse(text, self.base)
            .ok_or_else(|| self.wrong(key, "must be `file:PATH`, `credential:NAME` or `env:NAME`"))
    }

    pub(super) fn wrong(&self, key: &str, what: impl std::fmt::Display) -> SettingsError {
        let [section, name, table] = self.path;
        self.document.wrong(&[section, name, table, key], what)
    }
}
