//! One enterprise app of one Microsoft Entra tenant: what is written, and what it means.

use std::path::PathBuf;

use connectors::entra::{
    self, ATTRIBUTES, Clause, Operator, Pattern, ProvisioningLog, ScopingFilters,
};
use domain::IdForm;
use outbound::{Certificate, ClientProof, Secret, ServiceApp, Url};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::file::File;
use super::http::Http;
use super::live::{Access, Live, Spoken, Table, texts};
use super::words::{ProvisionedScope, SwitchedOff};
use super::{SecretRef, SettingsError};
use crate::nearest::nearest;

/// Pages of the provisioning log that one run reads.
const LOG_PAGES: u32 = 200;

/// One enterprise app of one Microsoft Entra tenant, read over Microsoft Graph.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct EntraApi {
    /// The tenant, by its id or by one of its domains.
    tenant: String,
    /// Which cloud the tenant is in.
    #[serde(default)]
    cloud: Cloud,
    /// Microsoft Graph's address, where it is not that of the cloud.
    #[serde(default)]
    graph_url: Option<String>,
    /// The address of the token endpoint, where it is not that of the cloud.
    #[serde(default)]
    login_url: Option<String>,
    /// The application id of the enterprise app, a GUID.
    app_id: String,
    /// Which `[app.NAME]` that is. Default: the only one that names this identity provider.
    #[serde(default)]
    app: Option<String>,
    /// The application id of Driftline's own app registration, a GUID.
    client_id: String,
    /// Its client secret: `env:NAME` or `file:PATH`. Or give a certificate or a federated token.
    #[serde(default)]
    client_secret: Option<String>,
    /// A certificate that it knows, as PEM: `env:NAME` or `file:PATH`.
    #[serde(default)]
    certificate: Option<String>,
    /// The certificate's private key, RSA, as PEM: `env:NAME` or `file:PATH`. Default: it is in the
    /// same file.
    #[serde(default)]
    private_key: Option<String>,
    /// The file of a token of an issuer that it trusts: `file:PATH`. It is read for each request.
    #[serde(default)]
    federated_token: Option<String>,
    /// Whom provisioning is for: "assigned" users and groups, or "all" of the tenant.
    #[serde(default = "EntraApi::scope")]
    scope: ProvisionedScope,
    /// Scoping filters of the provisioning job, as they stand in its attribute mapping: lists of
    /// clauses that must all hold, of which any may. Whom they leave out has no right to the app.
    /// Default: none.
    #[serde(default)]
    scoping_filters: Vec<Vec<ScopingClause>>,
    /// What a disabled account means: that they have "left", or are "suspended" for now.
    #[serde(default = "EntraApi::disabled")]
    disabled: SwitchedOff,
    /// Read the provisioning log, which needs Entra ID P1 or P2?
    #[serde(default = "EntraApi::provisioning_log")]
    provisioning_log: bool,
    /// Object ids of users who must be among the users.
    #[serde(default)]
    canaries: Vec<String>,
    /// Object ids of users who must have the app, by hand or through a group.
    #[serde(default)]
    assigned_canaries: Vec<String>,
    /// How it is reached, and how far a pull may go.
    #[serde(default)]
    pub(super) http: Http,
}

/// Which cloud a tenant is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(rename_all = "snake_case")]
enum Cloud {
    /// The one that most tenants are in.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DoD).
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Source: Microsoft Graph, national cloud deployments.
    const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    const fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }
}

/// As whom Microsoft Graph is asked.
#[derive(Clone, Debug)]
pub(super) struct Client {
    id: String,
    token_url: Url,
    /// What tokens are for.
    audience: String,
    proof: Proof,
}

/// What proves it, as references.
#[derive(Clone, Debug)]
enum Proof {
    Secret(SecretRef),
    Certificate { certificate: SecretRef, key: SecretRef },
    Federated(PathBuf),
}

/// One clause of a scoping filter.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
struct ScopingClause {
    /// The attribute of the user, as Microsoft Graph calls it: `department`, `userType`,
    /// `extensionAttribute1`.
    attribute: String,
    /// What is asked of it.
    operator: ScopingOperator,
    /// What it is compared with, for operators that compare.
    #[serde(default)]
    value: Option<String>,
}

/// Operators of Entra's scoping filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(rename_all = "snake_case")]
enum ScopingOperator {
    /// EQUALS.
    Equals,
    /// NOT EQUALS.
    NotEquals,
    /// ENDS WITH.
    EndsWith,
    /// Includes.
    Includes,
    /// REGEX MATCH.
    RegexMatch,
    /// NOT REGEX MATCH.
    NotRegexMatch,
    /// Greater Than.
    GreaterThan,
    /// Greater Than OR EQUALS.
    GreaterThanOrEquals,
    /// IS NULL.
    IsNull,
    /// IS NOT NULL.
    IsNotNull,
    /// IS TRUE.
    IsTrue,
    /// IS FALSE.
    IsFalse,
    /// Another (`&`, `!&`): it decides about nobody.
    Other,
}

impl ScopingClause {
    /// What it means, or why it means nothing.
    fn mean(&self) -> Result<Clause, String> {
        use ScopingOperator as Written;
        let value = || match self.value.as_deref() {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err("this operator needs a `value`".to_owned()),
        };
        let number = || {
            let value = value()?;
            value.parse().map_err(|_| format!("`{value}` is no whole number"))
        };
        let pattern = || {
            Pattern::parse(value()?).map_err(|it| format!("its pattern is not understood: {it}"))
        };
        let bare = |operator| match self.value {
            Some(_) => Err("this operator takes no `value`".to_owned()),
            None => Ok(operator),
        };
        let operator = match self.operator {
            Written::Equals => Operator::Equals(value()?.to_owned()),
            Written::NotEquals => Operator::NotEquals(value()?.to_owned()),
            Written::EndsWith => Operator::EndsWith(value()?.to_owned()),
            Written::Includes => Operator::Includes(value()?.to_owned()),
            Written::RegexMatch => Operator::Matches(pattern()?),
            Written::NotRegexMatch => Operator::NotMatches(pattern()?),
            Written::GreaterThan => Operator::GreaterThan(number()?),
            Written::GreaterThanOrEquals => Operator::GreaterOrEquals(number()?),
            Written::IsNull => bare(Operator::IsNull)?,
            Written::IsNotNull => bare(Operator::IsNotNull)?,
            Written::IsTrue => bare(Operator::IsTrue)?,
            Written::IsFalse => bare(Operator::IsFalse)?,
            Written::Other => Operator::Other,
        };
        Clause::new(&self.attribute, operator).ok_or_else(|| {
            let guess = nearest(&self.attribute, ATTRIBUTES.iter().copied())
                .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
            format!(
                "`{}` is no attribute of one value that Microsoft Graph gives{guess}; docs/connectors/entra.md lists them",
                self.attribute
            )
        })
    }
}

impl EntraApi {
    const fn scope() -> ProvisionedScope {
        ProvisionedScope::Assigned
    }

    const fn disabled() -> SwitchedOff {
        SwitchedOff::Left
    }

    const fn provisioning_log() -> bool {
        true
    }

    /// Whether everybody in the tenant is in scope.
    pub(super) fn is_for_all(&self) -> bool {
        self.scope == ProvisionedScope::All && self.scoping_filters.is_empty()
    }

    fn scoping_filters(&self, table: &Table<'_>) -> Result<ScopingFilters, SettingsError> {
        let mut filters = Vec::new();
        for (nth, clauses) in self.scoping_filters.iter().enumerate() {
            if clauses.is_empty() {
                let what = format!("has no clause in filter {}: take it out", nth + 1);
                return Err(table.wrong("scoping_filters", what));
            }
            let mut meant = Vec::new();
            for (at, clause) in clauses.iter().enumerate() {
                meant.push(clause.mean().map_err(|what| {
                    let place = format!("filter {}, clause {}", nth + 1, at + 1);
                    table.wrong("scoping_filters", format!("cannot be used in {place}: {what}"))
                })?);
            }
            filters.push(meant);
        }
        Ok(ScopingFilters(filters))
    }

    /// What the table means.
    ///
    /// # Errors
    ///
    /// Returns the first value that cannot be used.
    pub(super) fn mean(&self, table: &Table<'_>, file: &File) -> Result<Live, SettingsError> {
        for (key, id) in [("app_id", &self.app_id), ("client_id", &self.client_id)] {
            if !IdForm::Entra.fits(id) {
                let what = "is no application id, which is a GUID: take it from the overview of the app in Entra";
                return Err(table.wrong(key, what));
            }
        }
        let url = match &self.graph_url {
            Some(url) => table.url("graph_url", url)?,
            None => table.url("cloud", self.cloud.graph())?,
        };
        let system = table.system()?;
        let spoken = Spoken::Entra(entra::Config {
            system: system.clone(),
            app: table.app(file, self.app.as_deref())?,
            app_id: self.app_id.as_str().into(),
            scope: self.scope.meant(),
            scoping_filters: self.scoping_filters(table)?,
            disabled: self.disabled.meant(),
            log: match (self.provisioning_log, self.cloud) {
                (false, _) => ProvisioningLog::Unwanted,
                (true, Cloud::China) => ProvisioningLog::NotInCloud,
                (true, _) => ProvisioningLog::Pages(LOG_PAGES),
            },
            canaries: texts(&self.canaries),
            assigned_canaries: texts(&self.assigned_canaries),
        });
        let client = Client {
            id: self.client_id.clone(),
            token_url: self.token_url(table)?,
            audience: format!("{}/.default", url.as_str().trim_end_matches('/')),
            proof: self.proof(table)?,
        };
        Ok(Live {
            system,
            url,
            at: table.at(),
            access: Access::Entra(client),
            spoken,
            reach: table.reach(&self.http, false)?,
        })
    }

    fn token_url(&self, table: &Table<'_>) -> Result<Url, SettingsError> {
        let login = match &self.login_url {
            Some(url) => table.url("login_url", url)?,
            None => table.url("cloud", self.cloud.login())?,
        };
        let is_name = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'.';
        let is_one = !matches!(self.tenant.as_str(), "common" | "organizations" | "consumers");
        if self.tenant.is_empty() || !self.tenant.bytes().all(is_name) || !is_one {
            let what =
                "names no tenant: give its id, or one of its domains, as `acme.onmicrosoft.com`";
            return Err(table.wrong("tenant", what));
        }
        login
            .join(&format!("/{}/oauth2/v2.0/token", self.tenant))
            .map_err(|error| table.wrong("tenant", format!("makes no address ({error})")))
    }

    fn proof(&self, table: &Table<'_>) -> Result<Proof, SettingsError> {
        let Self { client_secret, certificate, private_key, federated_token, .. } = self;
        match (client_secret, certificate, federated_token) {
            (Some(secret), None, None) if private_key.is_none() => {
                Ok(Proof::Secret(table.reference("client_secret", secret)?))
            }
            (None, Some(certificate), None) => Ok(Proof::Certificate {
                certificate: table.reference("certificate", certificate)?,
                key: match private_key {
                    Some(key) => table.reference("private_key", key)?,
                    None => table.reference("certificate", certificate)?,
                },
            }),
            (None, None, Some(token)) if private_key.is_none() => {
                match table.reference("federated_token", token)? {
                    SecretRef::File(path) => Ok(Proof::Federated(path)),
                    SecretRef::Env(_) | SecretRef::Credential(_) => Err(table.wrong(
                        "federated_token",
                        "must be `file:PATH`: whoever makes the token replaces it there",
                    )),
                }
            }
            _ => Err(table.wrong(
                "client_id",
                "needs one credential: give `client_secret`, or `certificate` with its `private_key`, or `federated_token`",
            )),
        }
    }
}

impl Client {
    /// Reads the credential.
    ///
    /// # Errors
    ///
    /// Returns what `read` does, or why a certificate cannot be used. `read` reads the secret of a
    /// key.
    pub(super) fn service_app(
        &self,
        read: impl Fn(&str, &SecretRef) -> Result<Vec<u8>, SettingsError>,
        wrong: impl Fn(&str, String) -> SettingsError,
    ) -> Result<ServiceApp, SettingsError> {
        let proof = match &self.proof {
            Proof::Secret(secret) => {
                let secret = String::from_utf8(read("client_secret", secret)?).map_err(|_| {
                    let what = "is not text: write the secret alone into the file";
                    wrong("client_secret", what.to_owned())
                })?;
                ClientProof::Secret(Secret::new(secret.trim().to_owned()))
            }
            Proof::Certificate { certificate, key } => {
                let (certificate, key) =
                    (read("certificate", certificate)?, read("private_key", key)?);
                let certificate = Certificate::parse(&certificate, &key)
                    .map_err(|error| wrong("certificate", error.to_string()))?;
                ClientProof::Certificate(certificate)
            }
            Proof::Federated(path) => ClientProof::Federated(path.clone()),
        };
        Ok(ServiceApp {
            client_id: self.id.clone(),
            token_url: self.token_url.clone(),
            token_elsewhere: true,
            scopes: vec![self.audience.clone()],
            proof,
            dpop: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use connectors::files::Profiles;

    use super::*;
    use crate::settings::Settings;

    const GUID: &str = "3f1c2b6e-8a4d-4e0f-9b7a-5d6c1e2f3a4b";

    /// Settings of one tenant; `more` is added to its table.
    fn understood(tenant: &str, more: &str) -> Result<Settings, SettingsError> {
        let text = format!(
            "[idp.entra.entra]\ntenant = '{tenant}'\napp_id = '{GUID}'\nclient_id = '{GUID}'\n{more}\n\
             [app.a]\nidps = ['entra']\n"
        );
        crate::settings::understand(Path::new("x.toml"), &text)
    }

    #[test]
    fn each_cloud_has_hosts_of_its_own() {
        for (cloud, graph, login) in [
            ("global", "https://graph.microsoft.com/", "https://login.microsoftonline.com/"),
            ("us_gov_l4", "https://graph.microsoft.us/", "https://login.microsoftonline.us/"),
            ("us_gov_l5", "https://dod-graph.microsoft.us/", "https://login.microsoftonline.us/"),
            (
                "china",
                "https://microsoftgraph.chinacloudapi.cn/",
                "https://login.chinacloudapi.cn/",
            ),
        ] {
            let more = format!("cloud = '{cloud}'\nclient_secret = 'env:S'");
            let settings = understood("acme.onmicrosoft.com", &more).unwrap();
            let live = &settings.live[0];
            let (Access::Entra(client), Spoken::Entra(config)) = (&live.access, &live.spoken)
            else {
                panic!("{live:?}")
            };
            assert_eq!(live.url.as_str(), graph);
            let token_url = format!("{login}acme.onmicrosoft.com/oauth2/v2.0/token");
            assert_eq!(client.token_url.as_str(), token_url);
            assert_eq!(client.audience, format!("{graph}.default"));
            let has_log = config.log != ProvisioningLog::NotInCloud;
            assert_eq!(has_log, cloud != "china", "{cloud}");
        }
    }

    #[test]
    fn a_scope_of_all_entitles_everybody() {
        let of = |scope: &str| {
            let more = format!("scope = '{scope}'\nclient_secret = 'env:S'");
            let settings = understood("t", &more).unwrap();
            settings.apps[0].keys.assigns_everyone.iter().map(ToString::to_string).collect()
        };
        let (all, assigned): (Vec<String>, Vec<String>) = (of("all"), of("assigned"));
        assert_eq!(all, ["entra"]);
        assert!(assigned.is_empty());
    }

    #[test]
    fn a_scoping_filter_that_means_nothing_names_its_place() {
        let wrong = |clauses: &str| {
            let more = format!("client_secret = 'env:S'\nscoping_filters = [{clauses}]");
            understood("t", &more).unwrap_err().to_string()
        };
        let fine = "[{ attribute = 'department', operator = 'equals', value = 'Sales' }]";
        for (clause, told) in [
            ("[]", "has no clause in filter 1"),
            (
                "[{ attribute = 'departmnt', operator = 'is_null' }]",
                "filter 1, clause 1: `departmnt` is no attribute of one value that Microsoft Graph gives; did you mean `department`?",
            ),
            ("[{ attribute = 'city', operator = 'equals' }]", "this operator needs a `value`"),
            ("[{ attribute = 'city', operator = 'is_null', value = 'x' }]", "takes no `value`"),
            (
                "[{ attribute = 'employeeId', operator = 'greater_than', value = 'ten' }]",
                "`ten` is no whole number",
            ),
            (
                "[{ attribute = 'city', operator = 'regex_match', value = '(?=x)' }]",
                "its pattern is not understood",
            ),
            (
                "[{ attribute = 'city', operator = 'like', value = 'x' }]",
                "expected one of `equals`",
            ),
        ] {
            let told_us = wrong(clause);
            assert!(told_us.contains(told), "{clause}: {told_us}");
            assert!(wrong(&format!("{fine}, {clause}")).contains("scoping_filters"), "{clause}");
        }
        // Who the filters reach is assigned one by one then.
        let more = format!("scope = 'all'\nclient_secret = 'env:S'\nscoping_filters = [{fine}]");
        let settings = understood("t", &more).unwrap();
        assert!(settings.apps[0].keys.assigns_everyone.is_empty());
    }

    #[test]
    fn what_cannot_be_used_names_its_key_and_says_what_to_do() {
        let secret = "client_secret = 'env:S'";
        for (tenant, more, told) in [
            ("t", "", "`idp.entra.entra.client_id` needs one credential"),
            ("t", "client_secret = 'env:S'\nfederated_token = 'file:t'", "needs one credential"),
            ("t", "client_secret = 'env:S'\nprivate_key = 'file:k'", "needs one credential"),
            ("t", "federated_token = 'env:T'", "federated_token` must be `file:PATH`"),
            ("t", "client_secret = 'hunter2'", "holds a secret in clear"),
            ("common", secret, "`idp.entra.entra.tenant` names no tenant"),
            ("a/b", secret, "`idp.entra.entra.tenant` names no tenant"),
            ("", secret, "`idp.entra.entra.tenant` names no tenant"),
            ("t", "client_secret = 'env:S'\ncloud = 'mars'", "expected one of `global`"),
            ("t", "client_secret = 'env:S'\nscope = 'some'", "expected one of `assigned`, `all`"),
            ("t", "client_secret = 'env:S'\ngraph_url = 'http://graph.test'", "`https://`"),
            ("t", "client_secret = 'env:S'\nhttp.rate_share_percent = 50", "take it out"),
            ("t", "client_secret = 'env:S'\napp = 'b'", "names no app whose `idps` has `entra`"),
        ] {
            let error = understood(tenant, more).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{told}: {error}");
        }
        let text = "[idp.entra.entra]\ntenant = 't'\napp_id = 'Secureframe'\nclient_id = 'x'\n";
        let error = crate::settings::understand(Path::new("x.toml"), text).unwrap_err().to_string();
        assert!(error.contains("`idp.entra.entra.app_id` is no application id"), "{error}");
        for (beside, told) in [
            ("[[idp.entra.file]]\npath = 'a'", "stands beside `entra`"),
            (
                "[idp.entra.okta]\nurl = 'https://a.okta.com'\napp_id = '0oa1'\ntoken = 'env:T'",
                "each identity provider has a name of its own",
            ),
        ] {
            let error = understood("t", &format!("{secret}\n{beside}")).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_certificate_and_its_key_are_read_and_must_belong_together() {
        let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../outbound/tests/data/keys");
        let profiles = Profiles::builtin().unwrap();
        let connected = |certificate: &str, key: &str| {
            let more = format!(
                "certificate = 'file:{keys}/{certificate}'\nprivate_key = 'file:{keys}/{key}'"
            );
            let settings = understood("t", &more).unwrap();
            settings.live[0].connect(&profiles).map(drop).map_err(|it| it.to_string())
        };
        assert_eq!(connected("rsa.cert.pem", "rsa.pkcs8.pem"), Ok(()));
        let error = connected("other.cert.pem", "rsa.pkcs8.pem").unwrap_err();
        let told =
            "`idp.entra.entra.certificate` cannot be used: is not the key of the certificate";
        assert!(error.contains(told), "{error}");
    }
}
