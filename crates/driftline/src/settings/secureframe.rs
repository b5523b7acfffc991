//! One company in Secureframe, read over its own REST API: what is written, and what it means.

use connectors::secureframe;
use outbound::{Auth, Secret};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::file::App;
use super::http::Http;
use super::live::{Access, Live, Spoken, Table, texts};
use super::{SecretRef, SettingsError};

/// Secureframe's own REST API: the app's own view, beside SCIM or alone.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct SecureframeApi {
    /// Where it is: `https://api.secureframe.com`, or `https://api-uk.secureframe.com` in the United
    /// Kingdom.
    #[serde(default = "SecureframeApi::url")]
    url: String,
    /// The API key: `env:NAME` or `file:PATH`.
    api_key: String,
    /// Its secret: `env:NAME` or `file:PATH`.
    api_secret: String,
    /// The address of the key's owner. A key sees what its owner sees: where the owner is missing,
    /// not active or without a role, the list proves nobody's absence.
    owner: String,
    /// How it is reached, and how far a pull may go.
    #[serde(default)]
    http: Http,
}

/// As whom Secureframe is asked.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    key: SecretRef,
    secret: SecretRef,
}

impl SecureframeApi {
    fn url() -> String {
        secureframe::US.to_owned()
    }

    /// What the table means.
    ///
    /// # Errors
    ///
    /// Returns the first value that cannot be used.
    pub(super) fn mean(&self, table: &Table<'_>, of: &App) -> Result<Live, SettingsError> {
        let is_address = self.owner.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.contains('.') && !self.owner.contains(char::is_whitespace)
        });
        if !is_address {
            return Err(table.wrong(
                "owner",
                "is no address: name the person to whom the API key belongs, by mail address",
            ));
        }
        let system = table.system()?;
        let pair = Pair {
            key: table.reference("api_key", &self.api_key)?,
            secret: table.reference("api_secret", &self.api_secret)?,
        };
        Ok(Live {
            system: system.clone(),
            url: table.url("url", &self.url)?,
            at: table.at(),
            access: Access::Secureframe(pair),
            spoken: Spoken::Secureframe(secureframe::Config {
                system,
                owner: self.owner.as_str().into(),
                canaries: texts(&of.canaries),
            }),
            reach: table.reach(&self.http, true)?,
        })
    }
}

impl Pair {
    /// Reads both halves. They stand in one header, with one blank between and no word before.
    ///
    /// # Errors
    ///
    /// Returns what `read` does, which reads the secret of a key, and [`SettingsError`] for a half
    /// with a blank in it.
    pub(super) fn auth(
        &self,
        read: impl Fn(&str, &SecretRef) -> Result<Secret, SettingsError>,
        wrong: impl Fn(&str, String) -> SettingsError,
    ) -> Result<Auth, SettingsError> {
        let half = |name: &str, it: &SecretRef| {
            let half = read(name, it)?;
            if half.expose().contains(char::is_whitespace) {
                let what =
                    "has a blank in it: keep the key and its secret apart, each alone in its place";
                return Err(wrong(name, what.to_owned()));
            }
            Ok(half)
        };
        let (key, secret) = (half("api_key", &self.key)?, half("api_secret", &self.secret)?);
        Ok(Auth::Header(Secret::new(format!("{} {}", key.expose(), secret.expose()))))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const WHOLE: &str = "api_key = 'env:K'\napi_secret = 'env:S'\nowner = 'reader@acme.test'";

    fn understood(more: &str) -> Result<crate::settings::Settings, SettingsError> {
        let text = format!("[app.sf]\n[app.sf.secureframe_api]\n{more}\n");
        crate::settings::understand(Path::new("x.toml"), &text)
    }

    #[test]
    fn a_table_says_where_as_whom_and_whose_the_key_is() {
        for (more, url) in [
            (WHOLE.to_owned(), "https://api.secureframe.com/"),
            (format!("url = '{}'\n{WHOLE}", secureframe::UK), "https://api-uk.secureframe.com/"),
        ] {
            let live = understood(&more).unwrap().live.remove(0);
            assert_eq!(live.url.as_str(), url);
            let Spoken::Secureframe(config) = live.spoken else { panic!("{:?}", live.spoken) };
            assert_eq!((config.system.as_str(), &*config.owner), ("sf", "reader@acme.test"));
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_key_and_says_what_to_do() {
        let with = |from: &str, to: &str| WHOLE.replace(from, to);
        for (more, told) in [
            (with("reader@acme.test", "Reader"), "`app.sf.secureframe_api.owner` is no address"),
            (with("env:K", "hunter2"), "`app.sf.secureframe_api.api_key` holds a secret in clear"),
            (with("env:S", "hunter2"), "`app.sf.secureframe_api.api_secret` holds a secret"),
            (with("api_key = 'env:K'\n", ""), "lacks the key `api_key`: add it"),
            (format!("url = 'http://api.secureframe.com'\n{WHOLE}"), "must begin with `https://`"),
            (
                format!("{WHOLE}\n[[app.sf.file]]\npath = 'a'\nchannel = 'secureframe_api'"),
                "`app.sf.file[0].channel` is what `secureframe_api` reads over",
            ),
        ] {
            let error = understood(&more).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{told}: {error}");
        }
    }

    #[test]
    fn a_half_of_the_pair_is_one_word() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "the-key-half\n").unwrap();
        std::fs::write(folder.path().join("both"), "the-key-half the-secret-half\n").unwrap();
        let reference = |name: &str| format!("file:{}", folder.path().join(name).display());
        let profiles = connectors::files::Profiles::builtin().unwrap();
        let connect = |secret: &str| {
            let more =
                WHOLE.replace("env:K", &reference("key")).replace("env:S", &reference(secret));
            understood(&more).unwrap().live[0].connect(&profiles).map(|it| it.channel())
        };
        assert_eq!(connect("key").unwrap(), Some(domain::Channel::SecureframeApi));
        let told = connect("both").unwrap_err().to_string();
        assert!(told.contains("`app.sf.secureframe_api.api_secret`"), "{told}");
        assert!(!told.contains("the-key-half"), "{told}");
    }
}
