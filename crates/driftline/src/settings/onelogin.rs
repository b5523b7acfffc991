//! One app of one OneLogin subdomain: what is written, and what it means.

use connectors::onelogin;
use domain::Text;
use outbound::{ClientProof, Secret, ServiceApp, Url};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::file::File;
use super::http::Http;
use super::live::{Access, Live, Spoken, Table};
use super::words::SwitchedOff;
use super::{SecretRef, SettingsError};

/// Pages of events that one run reads, of 50 each: the first run reads 90 days, of types that are
/// rare.
const EVENT_PAGES: u32 = 200;

/// One app of one OneLogin subdomain, read over OneLogin's API.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct OneLoginApi {
    /// The subdomain's address, `https://acme.onelogin.com`; or that of a region.
    url: String,
    /// The app's id in OneLogin, the number in its address in the admin console.
    app_id: u64,
    /// Which `[app.NAME]` that is. Default: the only one that names this identity provider.
    #[serde(default)]
    app: Option<String>,
    /// The client id of an API credential with the scope Read All.
    client_id: String,
    /// Its client secret: `env:NAME` or `file:PATH`.
    client_secret: String,
    /// What a suspended user is: one who has "left", or is "suspended" for now.
    #[serde(default = "OneLoginApi::suspended")]
    suspended: SwitchedOff,
    /// Ids of users who must be among the users.
    #[serde(default)]
    canaries: Vec<u64>,
    /// Ids of users who must have the app.
    #[serde(default)]
    assigned_canaries: Vec<u64>,
    /// How it is reached, and how far a pull may go.
    #[serde(default)]
    http: Http,
}

/// As whom OneLogin is asked.
#[derive(Clone, Debug)]
pub(super) struct Client {
    id: String,
    secret: SecretRef,
}

impl OneLoginApi {
    const fn suspended() -> SwitchedOff {
        SwitchedOff::Left
    }

    /// What the table means.
    ///
    /// # Errors
    ///
    /// Returns the first value that cannot be used.
    pub(super) fn mean(&self, table: &Table<'_>, file: &File) -> Result<Live, SettingsError> {
        let system = table.system()?;
        let spoken = Spoken::OneLogin(onelogin::Config {
            system: system.clone(),
            app: table.app(file, self.app.as_deref())?,
            app_id: self.app_id.to_string().into(),
            suspended: self.suspended.meant(),
            canaries: numbers(&self.canaries),
            assigned_canaries: numbers(&self.assigned_canaries),
            event_pages: EVENT_PAGES,
        });
        let secret = table.reference("client_secret", &self.client_secret)?;
        Ok(Live {
            system,
            url: table.url("url", &self.url)?,
            at: table.at(),
            access: Access::OneLogin(Client { id: self.client_id.clone(), secret }),
            spoken,
            reach: table.reach(&self.http, true)?,
        })
    }
}

impl Client {
    /// Reads the credential.
    ///
    /// # Errors
    ///
    /// Returns what `read` does, which reads the secret of a key.
    pub(super) fn service_app(
        &self,
        token_url: Url,
        read: impl Fn(&str, &SecretRef) -> Result<Secret, SettingsError>,
    ) -> Result<ServiceApp, SettingsError> {
        Ok(ServiceApp {
            client_id: self.id.clone(),
            token_url,
            token_elsewhere: false,
            scopes: Vec::new(),
            proof: ClientProof::Secret(read("client_secret", &self.secret)?),
            dpop: false,
        })
    }
}

fn numbers(all: &[u64]) -> Vec<Text> {
    all.iter().map(|it| it.to_string().into()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn understood(more: &str) -> Result<crate::settings::Settings, SettingsError> {
        let text = format!("[idp.ol.onelogin]\n{more}\n[app.a]\nidps = ['ol']\n");
        crate::settings::understand(Path::new("x.toml"), &text)
    }

    const WHOLE: &str = "url = 'https://acme.onelogin.com'\napp_id = 3001\nclient_id = 'c'\n\
                         client_secret = 'env:S'";

    #[test]
    fn a_table_says_where_as_whom_and_for_which_app() {
        let more = format!("{WHOLE}\nsuspended = 'suspended'\ncanaries = [7]");
        let live = understood(&more).unwrap().live.remove(0);
        assert_eq!(live.url.as_str(), "https://acme.onelogin.com/");
        let Spoken::OneLogin(config) = live.spoken else { panic!("{:?}", live.spoken) };
        assert_eq!((config.app_id.as_ref(), config.app.as_str()), ("3001", "a"));
        assert_eq!(config.suspended, connectors::live::SwitchedOff::Suspended);
        assert_eq!(config.canaries, ["7".into()]);
    }

    #[test]
    fn what_cannot_be_used_names_its_key_and_says_what_to_do() {
        let with = |from: &str, to: &str| WHOLE.replace(from, to);
        for (more, told) in [
            (with("https://", "http://"), "`idp.ol.onelogin.url` must begin with `https://`"),
            (with("3001", "'Secureframe'"), "must be a whole number"),
            (with("env:S", "hunter2"), "holds a secret in clear"),
            (with("client_id = 'c'\n", ""), "lacks the key `client_id`: add it"),
            (format!("{WHOLE}\nsuspended = 'gone'"), "expected one of `left`, `suspended`"),
            (format!("{WHOLE}\napp = 'b'"), "names no app whose `idps` has `ol`"),
            (
                format!("{WHOLE}\n[[idp.ol.file]]\npath = 'a'"),
                "`idp.ol.file` stands beside `onelogin`",
            ),
        ] {
            let error = understood(&more).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{told}: {error}");
        }
        let two = format!(
            "{WHOLE}\n[idp.ol.okta]\nurl = 'https://a.okta.com'\napp_id = '0oa1'\ntoken = 'env:T'"
        );
        let error = understood(&two).unwrap_err().to_string();
        assert!(error.contains("each identity provider has a name of its own"), "{error}");
    }
}
