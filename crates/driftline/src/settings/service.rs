//! The daemon: when it runs, where it answers, and whom it tells that it lives. What is written,
//! and what it means.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use engine::Schedule;
use outbound::{Auth, Client, Config, Limits, Pace, Reader, Url};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::document::Document;
use super::file::File;
use super::source::zone;
use super::{SecretRef, SettingsError};
use crate::clock::MachineClock;
use crate::when::{self, DURATION_FORM};

/// Longest jitter: less than what makes a run late.
const JITTER_MAX: TimeDelta = TimeDelta::minutes(30);

/// Longest patience with a run when asked to stop: longer than any pull's.
const STOP_MAX: TimeDelta = TimeDelta::hours(24);

/// When `driftline run` looks, judges and reports. `run --once` needs none.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleTable {
    /// Cron expressions: minute, hour, day of the month, month, day of the week (`MON-FRI`).
    runs: Vec<String>,
    /// Cron expressions for light passes, which read no list: they read the logs of Okta, Entra and
    /// OneLogin, and ask by id about whoever left by them, suspects and open findings.
    #[serde(default)]
    light: Vec<String>,
    /// The zone of their hours (IANA). Default: the policy's.
    #[serde(default)]
    zone: Option<String>,
    /// A run begins up to so much later, at random. 0s to 30m, and less than the time between two
    /// runs.
    #[serde(default = "ScheduleTable::jitter")]
    jitter: String,
    /// Told to stop, a run that goes on may take so much longer before it is cut. 0s to 24h.
    #[serde(default = "ScheduleTable::stop_within")]
    stop_within: String,
}

impl ScheduleTable {
    fn jitter() -> String {
        "5m".to_owned()
    }

    fn stop_within() -> String {
        "5m".to_owned()
    }
}

/// Health and metrics over HTTP. Without the table nothing is served.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct WebTable {
    /// The address and port to answer at. It asks nobody who they are: let it be this machine's.
    listen: String,
}

impl Default for WebTable {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9637".to_owned() }
    }
}

/// A dead man's switch: asked (GET) after each run that was committed and reported and that saw
/// every list whole. Whoever is asked raises the alarm when nobody asks any more.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
pub(super) struct HeartbeatTable {
    /// Where the address is kept, which is a secret: `file:PATH`, `credential:NAME` or
    /// `env:NAME`.
    url: String,
}

/// What a daemon needs to know besides what a run does.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// When it runs; `None`: nobody said.
    pub(crate) schedule: Option<Schedule>,
    /// A run begins up to so much later.
    pub(crate) jitter: TimeDelta,
    /// How long a run may go on once asked to stop.
    pub(crate) stop_within: Duration,
    /// Where it answers; `None`: nowhere.
    pub(crate) listen: Option<SocketAddr>,
    /// Whom it tells that it lives.
    heartbeat: Option<SecretRef>,
}

/// What the tables mean.
///
/// # Errors
///
/// Returns the first value that cannot be used.
pub(super) fn service(
    document: &Document<'_>,
    file: &File,
    base: &Path,
    policy_zone: Tz,
) -> Result<Service, SettingsError> {
    let (mut jitter, mut stop_within) = (TimeDelta::zero(), TimeDelta::zero());
    let mut schedule = None;
    if let Some(table) = &file.schedule {
        let wrong = |key: &str, what: String| document.wrong(&["schedule", key], what);
        let up_to = |key: &str, text: &str, most: TimeDelta| {
            when::duration(text).filter(|it| *it <= most).ok_or_else(|| {
                wrong(
                    key,
                    format!("is no time of 0s to {}: write {DURATION_FORM}", when::written(most)),
                )
            })
        };
        jitter = up_to("jitter", &table.jitter, JITTER_MAX)?;
        stop_within = up_to("stop_within", &table.stop_within, STOP_MAX)?;
        schedule = Some(when_due(document, table, policy_zone, jitter)?);
    }
    let listen = file.web.as_ref().map(|it| {
        it.listen.parse().map_err(|_| {
            document.wrong(&["web", "listen"], "is no address and port, as `127.0.0.1:9637`")
        })
    });
    let heartbeat = file.heartbeat.as_ref().map(|it| {
        SecretRef::parse(&it.url, base).ok_or_else(|| {
            let what = "must be `file:PATH`, `credential:NAME` or `env:NAME`: who knows the address \
                        can keep the alarm silent";
            document.wrong(&["heartbeat", "url"], what)
        })
    });
    Ok(Service {
        schedule,
        jitter,
        stop_within: stop_within.to_std().unwrap_or_default(),
        listen: listen.transpose()?,
        heartbeat: heartbeat.transpose()?,
    })
}

fn when_due(
    document: &Document<'_>,
    table: &ScheduleTable,
    policy_zone: Tz,
    jitter: TimeDelta,
) -> Result<Schedule, SettingsError> {
    let zone = match &table.zone {
        Some(name) => zone(name).map_err(|what| document.wrong(&["schedule", "zone"], what))?,
        None => policy_zone,
    };
    if table.runs.is_empty() {
        return Err(document.wrong(&["schedule", "runs"], "is empty: write one, as `0 2 * * *`"));
    }
    for (key, expressions) in [("runs", &table.runs), ("light", &table.light)] {
        for (at, expression) in expressions.iter().enumerate() {
            Schedule::parse([&**expression], zone)
                .map_err(|it| document.wrong(&["schedule", key, &at.to_string()], it.what))?;
        }
    }
    let schedule = Schedule::parse(table.runs.iter().map(String::as_str), zone)
        .and_then(|it| it.with_light(table.light.iter().map(String::as_str)))
        .map_err(|it| document.wrong(&["schedule", "runs"], it.what))?;
    match schedule.shortest_gap() {
        Some(gap) if gap <= jitter => {
            let what = format!(
                "is as long as the {} between two runs: make it shorter",
                when::written(gap)
            );
            Err(document.wrong(&["schedule", "jitter"], what))
        }
        _ => Ok(schedule),
    }
}

impl Service {
    /// Whether somebody is told that it lives.
    pub(crate) const fn has_heartbeat(&self) -> bool {
        self.heartbeat.is_some()
    }

    /// Reads the address of the heartbeat and sets its client up. Sends nothing. `None`: nobody is
    /// told.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when the secret cannot be read, or is no address. It never holds
    /// the address.
    pub(crate) fn heartbeat(&self) -> Result<Option<Heartbeat>, SettingsError> {
        /// `http://a` is the shortest address.
        const LEN_MIN: usize = 8;
        let Some(reference) = &self.heartbeat else { return Ok(None) };
        let key = "heartbeat.url";
        let secret = reference
            .read(LEN_MIN)
            .map_err(|source| SettingsError::Secret { key: key.to_owned(), source })?;
        let wrong = |what: &str| SettingsError::Live { at: key.to_owned(), what: what.to_owned() };
        let text = std::str::from_utf8(secret.expose()).map_err(|_| wrong("is no text"))?;
        let url = Url::parse(text.trim()).map_err(|_| wrong("is no address, as `https://...`"))?;
        let mut host = url.clone();
        host.set_path("/");
        host.set_query(None);
        host.set_fragment(None);
        let limits =
            Limits { request: Duration::from_secs(30), body_bytes: 64 << 10, ..Limits::default() };
        let config = Config {
            base: host,
            ca_bundle: None,
            proxy: None,
            limits,
            user_agent: crate::SOFTWARE.replace(' ', "/"),
            auth: Auth::None,
            pace: Pace::RetryAfter,
            accept: "*/*",
        };
        let client = Client::new(config, Arc::new(MachineClock))
            .map_err(|error| wrong(&error.kind.to_string()))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Some(Heartbeat { reader: client.reader(), path }))
    }
}

/// A dead man's switch that can be asked.
pub(crate) struct Heartbeat {
    pub(crate) reader: Reader,
    /// Its path and query: the secret part of the address.
    pub(crate) path: String,
}
