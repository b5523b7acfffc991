//! How something is sent to one place of the settings: certificates, proxy and secrets beside it.
//! An alert channel or an anchor; neither reads an identity provider or an app with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outbound::{OutboundErrorKind, Poster, PosterConfig, ProxyConfig, Secret, Url};

use super::document::Document;
use super::{SecretRef, SettingsError};
use crate::clock::MachineClock;

/// Longest time to a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Longest time of one request: receivers of webhooks are given 15 to 30 s.
const REQUEST: Duration = Duration::from_secs(30);

/// Shorter than any key or password: an empty one is a mistake.
const SECRET_LEN_MIN: usize = 4;

/// What is written of it.
pub(super) struct Written<'w> {
    /// The way to its table, as `alert`, `mail`.
    pub(super) at: [&'w str; 2],
    pub(super) ca_bundle: Option<&'w str>,
    pub(super) proxy: Option<&'w str>,
    pub(super) proxy_credentials: Option<&'w str>,
}

/// What it means.
#[derive(Clone, Debug)]
pub(super) struct Post {
    /// The way to its table, as `alert.mail`.
    at: String,
    ca_bundle: Option<PathBuf>,
    proxy: Option<(Url, Option<SecretRef>)>,
}

impl Post {
    /// Reads what is written. Opens no file.
    ///
    /// # Errors
    ///
    /// Returns the first value that cannot be used.
    pub(super) fn of(
        document: &Document<'_>,
        base: &Path,
        written: &Written<'_>,
    ) -> Result<Self, SettingsError> {
        let [kind, name] = written.at;
        let wrong = |key: &str, what: String| document.wrong(&[kind, name, key], what);
        let proxy = match (written.proxy, written.proxy_credentials) {
            (None, Some(_)) => {
                let what = "are for a proxy: name it in `proxy`".to_owned();
                return Err(wrong("proxy_credentials", what));
            }
            (None, None) => None,
            (Some(url), credentials) => {
                let url =
                    outbound::proxy_url(url).map_err(|what| wrong("proxy", what.to_owned()))?;
                let reference =
                    |it| reference(document, base, &[kind, name, "proxy_credentials"], it);
                Some((url, credentials.map(reference).transpose()?))
            }
        };
        let ca_bundle = written.ca_bundle.map(|it| base.join(it));
        Ok(Self { at: format!("{kind}.{name}"), ca_bundle, proxy })
    }

    /// The way to one of its keys.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.at)
    }

    /// Reads a secret.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when it is not there or not text. It never holds the secret.
    pub(super) fn secret(&self, key: &str, reference: &SecretRef) -> Result<Secret, SettingsError> {
        let at = self.key(key);
        let bytes = reference
            .read(SECRET_LEN_MIN)
            .map_err(|source| SettingsError::Secret { key: at.clone(), source })?;
        let text = String::from_utf8(bytes.expose().to_vec()).map_err(|_| {
            let what = "is not text: write the secret alone into the file";
            SettingsError::Live { at, what: what.to_owned() }
        })?;
        Ok(Secret::new(text.trim().to_owned()))
    }

    /// Reads the certificates that are trusted besides those of the system.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when they cannot be read.
    pub(super) fn ca_bundle(&self) -> Result<Option<Vec<u8>>, SettingsError> {
        let Some(path) = &self.ca_bundle else { return Ok(None) };
        std::fs::read(path).map(Some).map_err(|error| SettingsError::Live {
            at: self.key("ca_bundle"),
            what: format!("cannot be read from `{}`: {error}", path.display()),
        })
    }

    /// Sets the client of one URL up; `at` is the key that says it. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when the URL, a secret or a certificate cannot be used.
    pub(super) fn poster(
        &self,
        at: &str,
        url: Secret,
        authorization: Option<Secret>,
    ) -> Result<Poster, SettingsError> {
        let proxy = self.proxy.as_ref().map(|(url, credentials)| {
            let credentials = credentials.as_ref().map(|it| self.secret("proxy_credentials", it));
            Ok::<_, SettingsError>(ProxyConfig {
                url: url.clone(),
                credentials: credentials.transpose()?,
            })
        });
        let config = PosterConfig {
            url,
            ca_bundle: self.ca_bundle()?,
            proxy: proxy.transpose()?,
            connect: CONNECT,
            request: REQUEST,
            user_agent: crate::SOFTWARE.replace(' ', "/"),
            authorization,
        };
        Poster::new(config, Arc::new(MachineClock)).map_err(|error| match error.kind {
            OutboundErrorKind::Setting { setting: key @ ("ca_bundle" | "proxy"), what } => {
                SettingsError::Live { at: self.key(key), what }
            }
            OutboundErrorKind::Setting { what, .. } => {
                SettingsError::Live { at: self.key(at), what }
            }
            kind => SettingsError::Live { at: self.key(at), what: kind.to_string() },
        })
    }
}

/// Where a secret is kept.
///
/// # Errors
///
/// Returns [`SettingsError`] when that is no reference.
pub(super) fn reference(
    document: &Document<'_>,
    base: &Path,
    at: &[&str],
    text: &str,
) -> Result<SecretRef, SettingsError> {
    SecretRef::parse(text, base)
        .ok_or_else(|| document.wrong(at, "must be `file:PATH` or `env:NAME`"))
}
