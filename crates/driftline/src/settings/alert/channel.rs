//! What the settings of a channel mean, and the channel as it is set up from them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alerting::alertmanager::Alertmanager;
use alerting::command::Hook;
use alerting::email::{Email, Security};
use alerting::jsm::Jsm;
use alerting::pagerduty::PagerDuty;
use alerting::slack::{SlackBot, SlackWebhook};
use alerting::syslog::{Syslog, Transport};
use alerting::teams::Teams;
use alerting::webhook::{Webhook, WebhookSecret};
use alerting::{Kind, Sender};
use domain::Text;
use outbound::Secret;

use super::file::{self, Alert};
use crate::settings::document::Document;
use crate::settings::file::File;
use crate::settings::post::{Post, Written, reference};
use crate::settings::source::system_id;
use crate::settings::words::SyslogTransport;
use crate::settings::{SecretRef, SettingsError};
use crate::when::{self, DURATION_FORM};

/// One channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelSettings {
    /// Its name.
    pub(crate) name: Text,
    /// It may show names and logins.
    names: bool,
    post: Post,
    speaks: Speaks,
}

/// How it speaks: the address as written or where it is kept, and the secrets beside it.
#[derive(Clone, Debug)]
enum Speaks {
    PagerDuty { url: String, routing_key: SecretRef },
    Jsm { url: String, api_key: SecretRef },
    SlackWebhook { url: SecretRef },
    SlackBot { url: String, token: SecretRef, channel: String },
    Teams { url: SecretRef },
    Alertmanager { url: String, token: Option<SecretRef> },
    Webhook { url: String, secrets: Vec<SecretRef> },
    Email(Mail),
    Syslog { host: String, port: u16, transport: SyslogTransport, facility: u8 },
    Command(Hook),
}

#[derive(Clone, Debug)]
struct Mail {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, SecretRef)>,
    from: String,
    to: Vec<String>,
}

impl ChannelSettings {
    /// How it speaks, for people.
    pub(crate) const fn protocol(&self) -> &'static str {
        match self.speaks {
            Speaks::PagerDuty { .. } => "PagerDuty",
            Speaks::Jsm { .. } => "Jira Service Management",
            Speaks::SlackWebhook { .. } => "Slack webhook",
            Speaks::SlackBot { .. } => "Slack bot",
            Speaks::Teams { .. } => "Teams workflow",
            Speaks::Alertmanager { .. } => "Alertmanager",
            Speaks::Webhook { .. } => "signed webhook",
            Speaks::Email(_) => "e-mail",
            Speaks::Syslog { .. } => "syslog",
            Speaks::Command(_) => "command",
        }
    }

    /// The channel as routes see it.
    pub(super) fn channel(&self) -> alerting::Channel {
        alerting::Channel {
            name: self.name.clone(),
            is_pager: matches!(self.speaks, Speaks::PagerDuty { .. } | Speaks::Jsm { .. }),
            forgets: matches!(self.speaks, Speaks::Alertmanager { .. }),
            names: self.names,
        }
    }

    /// Whether it can carry the report of a run.
    pub(super) const fn takes_reports(&self) -> bool {
        matches!(self.speaks, Speaks::Email(_) | Speaks::Webhook { .. } | Speaks::Command(_))
    }

    /// Whether it is read as mail.
    pub(crate) const fn is_mailbox(&self) -> bool {
        matches!(self.speaks, Speaks::Email(_))
    }

    /// Whether it ends when a person leaves.
    pub(crate) const fn belongs_to_a_person(&self) -> bool {
        matches!(self.speaks, Speaks::Teams { .. })
    }

    /// Whether it shows names and logins.
    pub(crate) const fn shows_names(&self) -> bool {
        self.names
    }

    /// Reads its secrets and sets it up. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when a secret or a certificate cannot be read or used.
    pub(crate) fn connect(&self) -> Result<Sender, SettingsError> {
        let kind = match &self.speaks {
            Speaks::PagerDuty { url, routing_key } => Kind::PagerDuty(PagerDuty {
                poster: self.post.poster("pagerduty.url", Secret::new(url.clone()), None)?,
                routing_key: self.post.secret("pagerduty.routing_key", routing_key)?,
            }),
            Speaks::Jsm { url, api_key } => {
                let key = self.post.secret("jsm.api_key", api_key)?;
                let header = Secret::new(format!("GenieKey {}", key.expose()));
                let url = Secret::new(url.clone());
                Kind::Jsm(Jsm { poster: self.post.poster("jsm.url", url, Some(header))? })
            }
            Speaks::SlackWebhook { url } => {
                let url = self.post.secret("slack_webhook.webhook_url", url)?;
                let poster = self.post.poster("slack_webhook.webhook_url", url, None)?;
                Kind::SlackWebhook(SlackWebhook { poster })
            }
            Speaks::SlackBot { url, token, channel } => {
                let bearer = self.bearer("slack_bot.token", token)?;
                let url = Secret::new(url.clone());
                let poster = self.post.poster("slack_bot.url", url, Some(bearer))?;
                Kind::SlackBot(SlackBot { poster, channel: channel.clone() })
            }
            Speaks::Teams { url } => {
                let url = self.post.secret("teams.webhook_url", url)?;
                refuse_connectors(&self.post.key("teams.webhook_url"), &url)?;
                Kind::Teams(Teams { poster: self.post.poster("teams.webhook_url", url, None)? })
            }
            Speaks::Alertmanager { url, token } => {
                let token = token.as_ref().map(|it| self.bearer("alertmanager.token", it));
                let url = Secret::new(url.clone());
                let poster = self.post.poster("alertmanager.url", url, token.transpose()?)?;
                Kind::Alertmanager(Alertmanager { poster })
            }
            Speaks::Webhook { url, secrets } => Kind::Webhook(Webhook {
                poster: self.post.poster("webhook.url", Secret::new(url.clone()), None)?,
                secrets: secrets.iter().map(|it| self.signing(it)).collect::<Result<_, _>>()?,
            }),
            Speaks::Email(mail) => Kind::Email(Box::new(self.email(mail)?)),
            Speaks::Syslog { host, port, transport, facility } => Kind::Syslog(Syslog {
                host: host.clone(),
                port: *port,
                transport: match transport {
                    SyslogTransport::Udp => Transport::Udp,
                    SyslogTransport::Tcp => Transport::Tcp,
                    SyslogTransport::Tls => Transport::Tls(self.tls()?),
                },
                facility: *facility,
            }),
            Speaks::Command(hook) => Kind::Command(hook.clone()),
        };
        Ok(Sender { name: self.name.clone(), names: self.names, kind })
    }

    fn email(&self, mail: &Mail) -> Result<Email, SettingsError> {
        let login = mail.login.as_ref().map(|(user, password)| {
            Ok::<_, SettingsError>((user.clone(), self.post.secret("email.password", password)?))
        });
        Ok(Email {
            host: mail.host.clone(),
            port: mail.port,
            security: mail.security,
            tls: self.tls()?,
            login: login.transpose()?,
            from: mail.from.clone(),
            to: mail.to.clone(),
        })
    }

    fn signing(&self, reference: &SecretRef) -> Result<WebhookSecret, SettingsError> {
        let key = "webhook.secrets";
        WebhookSecret::parse(self.post.secret(key, reference)?.expose()).ok_or_else(|| {
            let what = "holds what is no `whsec_` and 24 to 64 bytes in base64: copy it again";
            SettingsError::Live { at: self.post.key(key), what: what.to_owned() }
        })
    }

    fn bearer(&self, key: &str, reference: &SecretRef) -> Result<Secret, SettingsError> {
        Ok(Secret::new(format!("Bearer {}", self.post.secret(key, reference)?.expose())))
    }

    fn tls(&self) -> Result<Arc<alerting::TlsConfig>, SettingsError> {
        outbound::tls(self.post.ca_bundle()?.as_deref())
            .map_err(|what| SettingsError::Live { at: self.post.key("ca_bundle"), what })
    }
}

/// Office 365 connectors were switched off in 2026: what is sent there is lost.
fn refuse_connectors(at: &str, url: &Secret) -> Result<(), SettingsError> {
    if !url.expose().contains("webhook.office.com") {
        return Ok(());
    }
    let what = "is an Office 365 connector, and Microsoft has retired those: make a workflow with \
                the template \"Post to a channel when a webhook request is received\"";
    Err(SettingsError::Live { at: at.to_owned(), what: what.to_owned() })
}

/// The channels, by name.
///
/// # Errors
///
/// Returns the first value that cannot be used.
pub(in crate::settings) fn channels(
    document: &Document<'_>,
    file: &File,
    base: &Path,
) -> Result<Vec<ChannelSettings>, SettingsError> {
    let mut channels = Vec::new();
    for (name, alert) in &file.alert {
        system_id(document, &["alert", name], name)?;
        channels.push(Table { document, base, name }.channel(alert)?);
    }
    Ok(channels)
}

/// One table of the settings.
struct Table<'t> {
    document: &'t Document<'t>,
    base: &'t Path,
    name: &'t str,
}

impl Table<'_> {
    fn channel(&self, alert: &Alert) -> Result<ChannelSettings, SettingsError> {
        let mut spoken = self.spoken(alert)?.into_iter();
        let (Some(speaks), None) = (spoken.next(), spoken.next()) else {
            let what = "needs one table that says how it speaks, and no more than one: pagerduty, \
                        jsm, slack_webhook, slack_bot, teams, alertmanager, webhook, email, syslog \
                        or command";
            return Err(self.wrong(&[], what));
        };
        let written = Written {
            at: ["alert", self.name],
            ca_bundle: alert.ca_bundle.as_deref(),
            proxy: alert.proxy.as_deref(),
            proxy_credentials: alert.proxy_credentials.as_deref(),
        };
        let post = Post::of(self.document, self.base, &written)?;
        self.refuse_the_useless(alert, &speaks)?;
        Ok(ChannelSettings { name: self.name.into(), names: alert.names, post, speaks })
    }

    /// A proxy or certificates that nothing would go by.
    fn refuse_the_useless(&self, alert: &Alert, speaks: &Speaks) -> Result<(), SettingsError> {
        let (name, is_http, is_tls) = match speaks {
            Speaks::Email(_) => ("e-mail", false, true),
            Speaks::Syslog { transport: SyslogTransport::Tls, .. } => ("syslog", false, true),
            Speaks::Syslog { transport: SyslogTransport::Udp, .. } => {
                ("syslog over UDP", false, false)
            }
            Speaks::Syslog { transport: SyslogTransport::Tcp, .. } => {
                ("syslog over TCP", false, false)
            }
            Speaks::Command(_) => ("command", false, false),
            _ => ("", true, true),
        };
        let refused = |key: &str, what: &str| {
            let what = format!("is for channels that {what}, and {name} does not: take it out");
            Err(self.wrong(&[key], what))
        };
        match alert {
            Alert { proxy: Some(_), .. } if !is_http => refused("proxy", "speak HTTP"),
            Alert { ca_bundle: Some(_), .. } if !is_tls => refused("ca_bundle", "speak TLS"),
            _ => Ok(()),
        }
    }

    /// Every way of speaking that is written.
    fn spoken(&self, alert: &Alert) -> Result<Vec<Speaks>, SettingsError> {
        let mut all = Vec::new();
        if let Some(it) = &alert.pagerduty {
            let routing_key = self.reference(&["pagerduty", "routing_key"], &it.routing_key)?;
            all.push(Speaks::PagerDuty { url: it.url.clone(), routing_key });
        }
        if let Some(it) = &alert.jsm {
            let api_key = self.reference(&["jsm", "api_key"], &it.api_key)?;
            all.push(Speaks::Jsm { url: it.url.clone(), api_key });
        }
        if let Some(it) = &alert.slack_webhook {
            let url = self.reference(&["slack_webhook", "webhook_url"], &it.webhook_url)?;
            all.push(Speaks::SlackWebhook { url });
        }
        if let Some(it) = &alert.slack_bot {
            let (url, channel) = (it.url.clone(), it.channel.clone());
            let token = self.reference(&["slack_bot", "token"], &it.token)?;
            all.push(Speaks::SlackBot { url, token, channel });
        }
        if let Some(it) = &alert.teams {
            let url = self.reference(&["teams", "webhook_url"], &it.webhook_url)?;
            all.push(Speaks::Teams { url });
        }
        if let Some(it) = &alert.alertmanager {
            let token = it.token.as_ref().map(|it| self.reference(&["alertmanager", "token"], it));
            all.push(Speaks::Alertmanager { url: it.url.clone(), token: token.transpose()? });
        }
        if let Some(it) = &alert.webhook {
            all.push(self.webhook(it)?);
        }
        if let Some(it) = &alert.email {
            all.push(Speaks::Email(self.mail(it)?));
        }
        if let Some(it) = &alert.syslog {
            let default = match it.transport {
                SyslogTransport::Udp => 514,
                SyslogTransport::Tcp => 601,
                SyslogTransport::Tls => 6514,
            };
            let (port, facility) = (it.port.unwrap_or(default), it.facility.meant());
            let (host, transport) = (it.host.clone(), it.transport);
            all.push(Speaks::Syslog { host, port, transport, facility });
        }
        if let Some(it) = &alert.command {
            all.push(self.command(it)?);
        }
        Ok(all)
    }

    fn webhook(&self, it: &file::Webhook) -> Result<Speaks, SettingsError> {
        let mut secrets = Vec::new();
        for (index, text) in it.secrets.iter().enumerate() {
            secrets.push(self.reference(&["webhook", "secrets", &index.to_string()], text)?);
        }
        if secrets.is_empty() {
            let what = "is empty: without a secret nobody can tell that a notice is ours";
            return Err(self.wrong(&["webhook", "secrets"], what));
        }
        Ok(Speaks::Webhook { url: it.url.clone(), secrets })
    }

    fn mail(&self, it: &file::Email) -> Result<Mail, SettingsError> {
        let security = it.security.meant();
        let is_here = matches!(it.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if security == Security::Clear && !is_here {
            let what =
                "is `none`, which is for a mail server on this machine: use `starttls` or `tls`";
            return Err(self.wrong(&["email", "security"], what));
        }
        let is_address = |text: &str| {
            let is_plain = text.bytes().all(|it| it.is_ascii_graphic() && !b"<>,\"".contains(&it));
            is_plain
                && text.split_once('@').is_some_and(|(user, host)| {
                    !user.is_empty() && !host.is_empty() && !host.contains('@')
                })
        };
        if !is_address(&it.from) {
            return Err(self.wrong(&["email", "from"], "is no address: write `name@example.com`"));
        }
        if let Some(index) = it.to.iter().position(|it| !is_address(it)) {
            let at = index.to_string();
            return Err(
                self.wrong(&["email", "to", &at], "is no address: write `name@example.com`")
            );
        }
        if it.to.is_empty() {
            return Err(self.wrong(&["email", "to"], "is empty: name somebody"));
        }
        let login = match (&it.user, &it.password) {
            (Some(user), Some(password)) => {
                Some((user.clone(), self.reference(&["email", "password"], password)?))
            }
            (None, None) => None,
            _ => {
                return Err(self.wrong(&["email", "user"], "and `password` go together: give both"));
            }
        };
        let default = match security {
            Security::StartTls => 587,
            Security::Implicit => 465,
            Security::Clear => 25,
        };
        Ok(Mail {
            host: it.host.clone(),
            port: it.port.unwrap_or(default),
            security,
            login,
            from: it.from.clone(),
            to: it.to.clone(),
        })
    }

    fn command(&self, it: &file::Command) -> Result<Speaks, SettingsError> {
        let bounds = Duration::from_secs(1)..=Duration::from_secs(600);
        let timeout = when::duration(&it.timeout).and_then(|it| it.to_std().ok());
        let timeout = timeout.filter(|it| bounds.contains(it)).ok_or_else(|| {
            let what = format!("is no time of 1s to 10m: write {DURATION_FORM}");
            self.wrong(&["command", "timeout"], what)
        })?;
        let program = self.base.join(&it.program);
        Ok(Speaks::Command(Hook { program, args: it.args.clone(), timeout }))
    }

    fn reference(&self, at: &[&str], text: &str) -> Result<SecretRef, SettingsError> {
        let at: Vec<&str> = ["alert", self.name].into_iter().chain(at.iter().copied()).collect();
        reference(self.document, self.base, &at, text)
    }

    fn wrong(&self, at: &[&str], what: impl std::fmt::Display) -> SettingsError {
        let path: Vec<&str> = ["alert", self.name].into_iter().chain(at.iter().copied()).collect();
        self.document.wrong(&path, what)
    }
}
