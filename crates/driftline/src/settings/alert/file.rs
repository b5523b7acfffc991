//! What is written of channels and routes.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use crate::settings::words::{Facility, MailSecurity, SyslogTransport, Weekday};

/// What all alerts have in common.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(in crate::settings) struct Alerting {
    /// Where people read the report: it stands in every notice. Default: the command to read it.
    pub(super) report_url: Option<String>,
    /// More findings of one app at once than this are told as one. 1 to 1000.
    #[cfg_attr(test, schemars(range(min = 1, max = 1000)))]
    pub(super) storm_over: u32,
    /// Who is told when a channel does not take notices. Default: the others; pagers only when the
    /// dead one is a pager, or when there is nobody else.
    pub(super) fallback: Vec<String>,
}

impl Default for Alerting {
    fn default() -> Self {
        Self { report_url: None, storm_over: 10, fallback: Vec::new() }
    }
}

/// Who gets the report of each run, besides the folder of reports.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(in crate::settings) struct ReportTable {
    /// The channels that get it: mailboxes get the page, which names people; webhooks and programs
    /// get grades, counts and the head of the evidence log. Default: nobody.
    pub(super) to: Vec<String>,
    /// Do webhooks and programs also get the whole document, which names people?
    pub(super) json: bool,
}

/// One channel: exactly one of the tables below says how it speaks.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(in crate::settings) struct Alert {
    /// May names and logins be shown there? Default: accounts are named by key.
    pub(super) names: bool,
    /// Certificates in PEM that are trusted besides those of the system.
    pub(super) ca_bundle: Option<String>,
    /// An HTTP proxy, `http://proxy.example.com:3128`. The environment is not asked.
    pub(super) proxy: Option<String>,
    /// `user:password` for the proxy: `env:NAME` or `file:PATH`.
    pub(super) proxy_credentials: Option<String>,
    /// PagerDuty, Events API v2.
    pub(super) pagerduty: Option<PagerDuty>,
    /// Jira Service Management Operations.
    pub(super) jsm: Option<Jsm>,
    /// A Slack incoming webhook.
    pub(super) slack_webhook: Option<WebhookUrl>,
    /// A Slack bot, which answers in threads.
    pub(super) slack_bot: Option<SlackBot>,
    /// A Microsoft Teams workflow.
    pub(super) teams: Option<WebhookUrl>,
    /// Alertmanager, API v2.
    pub(super) alertmanager: Option<Alertmanager>,
    /// A webhook that is signed as Standard Webhooks says.
    pub(super) webhook: Option<Webhook>,
    /// E-mail over SMTP.
    pub(super) email: Option<Email>,
    /// Syslog, RFC 5424.
    pub(super) syslog: Option<Syslog>,
    /// A program that gets each notice on its standard input.
    pub(super) command: Option<Command>,
}

/// One integration of PagerDuty.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct PagerDuty {
    /// The integration key: `env:NAME` or `file:PATH`.
    pub(super) routing_key: String,
    /// Where events go: another address in another region.
    #[serde(default = "PagerDuty::url")]
    pub(super) url: String,
}

impl PagerDuty {
    fn url() -> String {
        alerting::pagerduty::URL.to_owned()
    }
}

/// One API integration of Jira Service Management.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Jsm {
    /// The API key: `env:NAME` or `file:PATH`.
    pub(super) api_key: String,
    /// The address above `/v2/alerts`.
    #[serde(default = "Jsm::url")]
    pub(super) url: String,
}

impl Jsm {
    fn url() -> String {
        alerting::jsm::URL.to_owned()
    }
}

/// A webhook whose address is its secret.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct WebhookUrl {
    /// The address: `env:NAME` or `file:PATH`.
    pub(super) webhook_url: String,
}

/// A Slack bot with the scope `chat:write`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct SlackBot {
    /// The bot's token, `xoxb-...`: `env:NAME` or `file:PATH`.
    pub(super) token: String,
    /// The id of the channel, `C0123456789`.
    pub(super) channel: String,
    /// Where messages are posted.
    #[serde(default = "SlackBot::url")]
    pub(super) url: String,
}

impl SlackBot {
    fn url() -> String {
        alerting::slack::URL.to_owned()
    }
}

/// One Alertmanager.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Alertmanager {
    /// Its address, above `/api/v2/alerts`.
    pub(super) url: String,
    /// A bearer token: `env:NAME` or `file:PATH`. Default: none.
    #[serde(default)]
    pub(super) token: Option<String>,
}

/// One receiver of signed webhooks.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Webhook {
    /// Its address.
    pub(super) url: String,
    /// The secrets, `whsec_...`, newest first, each as `env:NAME` or `file:PATH`. While you rotate
    /// them, each signs.
    pub(super) secrets: Vec<String>,
}

/// One mail server, and to whom.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Email {
    /// The mail server.
    pub(super) host: String,
    /// Its port. Default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(default)]
    pub(super) port: Option<u16>,
    /// How the connection is secured. `none` only to this machine.
    #[serde(default = "Email::security")]
    pub(super) security: MailSecurity,
    /// As whom to log in. Default: without a login.
    #[serde(default)]
    pub(super) user: Option<String>,
    /// The password: `env:NAME` or `file:PATH`.
    #[serde(default)]
    pub(super) password: Option<String>,
    /// The sender's address.
    pub(super) from: String,
    /// To whom, one address or more.
    pub(super) to: Vec<String>,
}

impl Email {
    const fn security() -> MailSecurity {
        MailSecurity::Starttls
    }
}

/// One receiver of syslog.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Syslog {
    /// Its name or address.
    pub(super) host: String,
    /// Its port. Default: 514 with `udp`, 601 with `tcp`, 6514 with `tls`.
    #[serde(default)]
    pub(super) port: Option<u16>,
    /// How it is reached. `udp` does not notice what is lost.
    #[serde(default = "Syslog::transport")]
    pub(super) transport: SyslogTransport,
    /// The facility.
    #[serde(default = "Syslog::facility")]
    pub(super) facility: Facility,
}

impl Syslog {
    const fn transport() -> SyslogTransport {
        SyslogTransport::Tcp
    }

    const fn facility() -> Facility {
        Facility::Local0
    }
}

/// One program.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Command {
    /// The program.
    pub(super) program: String,
    /// Its arguments.
    #[serde(default)]
    pub(super) args: Vec<String>,
    /// How long it may take before it is killed. 1s to 10m.
    #[serde(default = "Command::timeout")]
    pub(super) timeout: String,
}

impl Command {
    fn timeout() -> String {
        "30s".to_owned()
    }
}

/// Who is told what. Every route that matches counts.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Route {
    /// The channels that are told.
    pub(super) to: Vec<String>,
    /// Are they told of findings about people?
    #[serde(default = "Route::findings")]
    pub(super) findings: bool,
    /// Only of findings with these causes. Default: any.
    #[serde(default)]
    pub(super) causes: Vec<String>,
    /// Only of findings at least so grave: `low`, `medium`, `high` or `critical`.
    #[serde(default = "Route::severity")]
    pub(super) severity: crate::settings::words::Severity,
    /// Only of findings in these apps. Default: any.
    #[serde(default)]
    pub(super) apps: Vec<String>,
    /// Only of accounts that are known to be privileged.
    #[serde(default)]
    pub(super) privileged: bool,
    /// Only of findings that are at least so old. Default: any.
    #[serde(default)]
    pub(super) older_than: Option<String>,
    /// Which findings about Driftline's own sight they are told.
    #[serde(default = "Route::watcher")]
    pub(super) watcher: Vec<String>,
    /// The hours in which they are told, but for holidays of `policy.calendar`; the rest waits for
    /// them. Default: at all times.
    #[serde(default)]
    pub(super) hours: Option<Hours>,
    /// What is still open and not acknowledged is told again after this. Default: never.
    #[serde(default)]
    pub(super) repeat_after: Option<String>,
    /// What nobody acknowledged for so long is also told to `escalate_to`. Default: never.
    #[serde(default)]
    pub(super) escalate_after: Option<String>,
    /// The channels that it is told to then.
    #[serde(default)]
    pub(super) escalate_to: Vec<String>,
    /// Not one by one, but all that is open, once a day at this time of the policy's zone
    /// (`07:30`). Default: one by one.
    #[serde(default)]
    pub(super) digest_at: Option<String>,
}

impl Route {
    const fn findings() -> bool {
        true
    }

    const fn severity() -> crate::settings::words::Severity {
        crate::settings::words::Severity::Low
    }

    fn watcher() -> Vec<String> {
        vec![domain::Watcher::SourceStale.name().to_owned()]
    }
}

/// Hours of a week.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Hours {
    /// On which days.
    #[serde(default = "Hours::days")]
    pub(super) days: Vec<Weekday>,
    /// From when, as `08:00`.
    pub(super) from: String,
    /// Until when, later on the same day.
    pub(super) until: String,
    /// The zone of both (an IANA name). Default: the policy's.
    #[serde(default)]
    pub(super) zone: Option<String>,
}

impl Hours {
    fn days() -> Vec<Weekday> {
        vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri]
    }
}
