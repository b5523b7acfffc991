//! How one live system is reached over HTTP, and how far a pull may go: what is written, and what
//! it means.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outbound::{Limits, ProxyConfig, Secret, Url};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::document::Document;
use super::{SecretRef, SettingsError};
use crate::when::{self, DURATION_FORM};

/// How the system is reached, and how far a pull may go. Every limit that is reached makes the
/// list partial, and the report says so.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Certificates in PEM that are trusted besides those of the system.
    ca_bundle: Option<String>,
    /// An HTTP proxy, `http://proxy.example.com:3128`. The environment is not asked.
    proxy: Option<String>,
    /// `user:password` for the proxy: `env:NAME` or `file:PATH`.
    proxy_credentials: Option<String>,
    /// Longest time to a connection. 1s to 5m.
    connect_timeout: String,
    /// Longest time of one request, to the last byte of its answer. 1s to 1h.
    request_timeout: String,
    /// All waits of one pull together, for rate limits and before other tries. 1s to 24h.
    patience: String,
    /// Longest answer, in `KiB`, `MiB` or `GiB`. 64KiB to 4GiB.
    body_max: String,
    /// Most answers of one pull. 1 to 1000000.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_000_000)))]
    pages_max: u32,
    /// Share of each rate limit that Driftline may use, in percent. 1 to 100. Okta, OneLogin and
    /// Secureframe only: no other's is known beforehand. Default: 50.
    #[cfg_attr(test, schemars(range(min = 1, max = 100)))]
    rate_share_percent: Option<u32>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            ca_bundle: None,
            proxy: None,
            proxy_credentials: None,
            connect_timeout: "10s".to_owned(),
            request_timeout: "5m".to_owned(),
            patience: "1h".to_owned(),
            body_max: "256MiB".to_owned(),
            pages_max: 100_000,
            rate_share_percent: None,
        }
    }
}

/// What it means.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    /// The way to the table, as `idp.okta.okta.http`.
    at: String,
    ca_bundle: Option<PathBuf>,
    proxy: Option<(Url, Option<SecretRef>)>,
    pub(super) limits: Limits,
}

/// The table, and where it stands.
pub(super) struct Written<'w> {
    pub(super) document: &'w Document<'w>,
    /// The folder that paths start from.
    pub(super) base: &'w Path,
    /// The way to the table that it is in.
    pub(super) path: [&'w str; 3],
    /// Whether the system states rate limits.
    pub(super) states_limits: bool,
}

impl Reach {
    /// Reads the certificates, where there are any.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Live`] when the file cannot be read.
    pub(super) fn ca_bundle(&self) -> Result<Option<Vec<u8>>, SettingsError> {
        let Some(path) = &self.ca_bundle else { return Ok(None) };
        fs::read(path).map(Some).map_err(|error| SettingsError::Live {
            at: self.key("ca_bundle"),
            what: format!("cannot be read from `{}`: {error}", path.display()),
        })
    }

    /// The proxy. `read` reads the secret of a key.
    ///
    /// # Errors
    ///
    /// Returns what `read` does.
    pub(super) fn proxy(
        &self,
        read: impl Fn(String, &SecretRef) -> Result<Secret, SettingsError>,
    ) -> Result<Option<ProxyConfig>, SettingsError> {
        let Some((url, credentials)) = &self.proxy else { return Ok(None) };
        let credentials = credentials.as_ref().map(|it| read(self.key("proxy_credentials"), it));
        Ok(Some(ProxyConfig { url: url.clone(), credentials: credentials.transpose()? }))
    }

    /// The way to one of its keys.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.at)
    }
}

impl Written<'_> {
    /// What `http` means.
    ///
    /// # Errors
    ///
    /// Returns the first value that cannot be used.
    pub(super) fn mean(&self, http: &Http) -> Result<Reach, SettingsError> {
        let second = Duration::from_secs(1);
        let defaults = Limits::default();
        let time = |key, text, most_s| self.time(key, text, second..=Duration::from_secs(most_s));
        let waits = time("patience", &http.patience, 86_400)?;
        let limits = Limits {
            connect: time("connect_timeout", &http.connect_timeout, 300)?,
            request: time("request_timeout", &http.request_timeout, 3_600)?,
            waits,
            wait: defaults.wait.min(waits),
            body_bytes: self.size("body_max", &http.body_max)?,
            pages: http.pages_max,
            share_percent: http.rate_share_percent.unwrap_or(defaults.share_percent),
            ..defaults
        };
        if !(1..=1_000_000).contains(&limits.pages) {
            return Err(self.wrong("pages_max", "must be 1 to 1000000"));
        }
        if !(1..=100).contains(&limits.share_percent) {
            return Err(self.wrong("rate_share_percent", "must be 1 to 100"));
        }
        if http.rate_share_percent.is_some() && !self.states_limits {
            let what = "is for Okta, OneLogin and Secureframe, whose limits are known beforehand: take it out";
            return Err(self.wrong("rate_share_percent", what));
        }
        Ok(Reach {
            at: format!("{}.http", self.path.join(".")),
            ca_bundle: http.ca_bundle.as_ref().map(|it| self.base.join(it)),
            proxy: self.proxy(http)?,
            limits,
        })
    }

    fn time(
        &self,
        key: &str,
        text: &str,
        bounds: std::ops::RangeInclusive<Duration>,
    ) -> Result<Duration, SettingsError> {
        let time = when::duration(text).and_then(|it| it.to_std().ok());
        time.filter(|it| bounds.contains(it)).ok_or_else(|| {
            let (least, most) = (bounds.start().as_secs(), bounds.end().as_secs());
            self.wrong(key, format!("is no time of {least}s to {most}s: write {DURATION_FORM}"))
        })
    }

    fn size(&self, key: &str, text: &str) -> Result<u64, SettingsError> {
        size(text).filter(|it| (64 << 10..=4 << 30).contains(it)).ok_or_else(|| {
            self.wrong(key, "is no size of 64KiB to 4GiB: write a number and a unit, as `256MiB`")
        })
    }

    fn proxy(&self, http: &Http) -> Result<Option<(Url, Option<SecretRef>)>, SettingsError> {
        let Some(url) = &http.proxy else {
            return match http.proxy_credentials {
                Some(_) => {
                    Err(self.wrong("proxy_credentials", "are for a proxy: name it in `proxy`"))
                }
                None => Ok(None),
            };
        };
        let url = outbound::proxy_url(url).map_err(|what| self.wrong("proxy", what))?;
        let credentials = http.proxy_credentials.as_ref().map(|it| {
            SecretRef::parse(it, self.base).ok_or_else(|| {
                self.wrong(
                    "proxy_credentials",
                    "must be `file:PATH`, `credential:NAME` or `env:NAME`",
                )
            })
        });
        Ok(Some((url, credentials.transpose()?)))
    }

    fn wrong(&self, key: &str, what: impl std::fmt::Display) -> SettingsError {
        let [section, name, table] = self.path;
        self.document.wrong(&[section, name, table, "http", key], what)
    }
}

/// Reads `64KiB`, `256MiB` or `1GiB`, in bytes. `None` for all else.
fn size(text: &str) -> Option<u64> {
    let at = text.find(|it: char| !it.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let unit: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_a_number_and_a_unit() {
        for (text, n_bytes) in [
            ("64KiB", Some(65_536)),
            ("256MiB", Some(268_435_456)),
            ("4GiB", Some(4_294_967_296)),
            ("0KiB", Some(0)),
            ("256", None),
            ("MiB", None),
            ("1.5GiB", None),
            ("-1MiB", None),
            ("256MB", None),
            ("256 MiB", None),
            ("99999999999999999999GiB", None),
            ("18014398509481984KiB", None),
            ("", None),
        ] {
            assert_eq!(size(text), n_bytes, "`{text}`");
        }
    }

    #[test]
    fn what_is_written_by_default_is_the_default_of_the_client() {
        let document = Document::parse("x.toml", "").unwrap();
        let path = ["idp", "okta", "okta"];
        let base = Path::new("");
        let written = Written { document: &document, base, path, states_limits: true };
        assert_eq!(written.mean(&Http::default()).unwrap().limits, Limits::default());
    }

    /// Settings with one of each live system; `okta` and `scim` are added to their tables.
    fn understood(okta: &str, scim: &str) -> Result<crate::settings::Settings, SettingsError> {
        let text = format!(
            "[idp.okta.okta]\nurl = 'https://acme.okta.com'\napp_id = '0oa1'\ntoken = 'env:T'\n{okta}\n\
             [app.a]\nidps = ['okta']\n\
             [app.a.scim]\nurl = 'https://a.test/scim'\ntoken = 'env:T'\n{scim}\n"
        );
        crate::settings::understand(Path::new("x.toml"), &text)
    }

    #[test]
    fn what_is_written_is_what_is_meant() {
        let http = "http = { connect_timeout = '5s', request_timeout = '30s', patience = '2m', \
             body_max = '1MiB', pages_max = 7 }";
        let settings =
            understood(&http.replace(" }", ", rate_share_percent = 90 }"), http).unwrap();
        let [okta, scim] = [0, 1].map(|it| settings.live[it].limits());
        let meant = Limits {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            waits: Duration::from_secs(120),
            wait: Duration::from_secs(120),
            body_bytes: 1 << 20,
            pages: 7,
            ..Limits::default()
        };
        assert_eq!(*scim, meant);
        assert_eq!(*okta, Limits { share_percent: 90, ..meant });
    }

    #[test]
    fn a_wrong_limit_names_its_key_in_full() {
        let places = [("idp.okta.okta", true), ("app.a.scim", false)];
        for (key, value, what) in [
            ("connect_timeout", "'0s'", "is no time of 1s to 300s"),
            ("connect_timeout", "'6m'", "is no time of 1s to 300s"),
            ("request_timeout", "'2h'", "is no time of 1s to 3600s"),
            ("patience", "'soon'", "is no time of 1s to 86400s: write a number and a unit"),
            ("body_max", "'1KiB'", "is no size of 64KiB to 4GiB"),
            ("body_max", "'5GiB'", "is no size of 64KiB to 4GiB"),
            ("pages_max", "0", "must be 1 to 1000000"),
            ("pages_max", "1000001", "must be 1 to 1000000"),
            ("proxy", "'nowhere'", "is no `http://HOST:PORT`"),
            ("proxy", "'socks5://proxy.test'", "is no `http://HOST:PORT`"),
            ("proxy_credentials", "'env:P'", "are for a proxy: name it in `proxy`"),
            ("patiense", "'1m'", "is not a key; did you mean `patience`?"),
        ] {
            for (place, is_okta) in places {
                let http = format!("http.{key} = {value}");
                let (okta, scim) = if is_okta { (&*http, "") } else { ("", &*http) };
                let told = understood(okta, scim).unwrap_err().to_string();
                assert!(told.contains(&format!("`{place}.http.{key}` {what}")), "{told}");
            }
        }
    }

    #[test]
    fn a_share_of_limits_is_for_those_who_state_them() {
        for (okta, scim, what) in [
            ("http.rate_share_percent = 0", "", "must be 1 to 100"),
            ("http.rate_share_percent = 101", "", "must be 1 to 100"),
            ("", "http.rate_share_percent = 50", "whose limits are known beforehand: take it out"),
        ] {
            let told = understood(okta, scim).unwrap_err().to_string();
            assert!(told.contains("http.rate_share_percent` ") && told.contains(what), "{told}");
        }
    }

    #[test]
    fn certificates_and_proxies_that_cannot_be_used_name_their_key_in_full() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let empty = format!("http.ca_bundle = '{}'", empty.display());
        let profiles = connectors::files::Profiles::builtin().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "a token that is long enough").unwrap();
        let token = format!("token = 'file:{}'", token.display());
        for (http, told) in [
            (&*empty, "`idp.okta.okta.http.ca_bundle` cannot be used: holds no certificate"),
            (
                "http.ca_bundle = '/nowhere/x.pem'",
                "`idp.okta.okta.http.ca_bundle` cannot be used: cannot be read from `/nowhere/x.pem`",
            ),
            (
                "http = { proxy = 'http://proxy.test', proxy_credentials = 'file:/nowhere/x' }",
                "`idp.okta.okta.http.proxy_credentials`",
            ),
        ] {
            let text = format!(
                "[idp.okta.okta]\nurl = 'https://acme.okta.com'\napp_id = '0oa1'\n{token}\n{http}\n\
                 [app.a]\nidps = ['okta']\n"
            );
            let settings = crate::settings::understand(Path::new("x.toml"), &text).unwrap();
            let error = settings.live[0].connect(&profiles).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
