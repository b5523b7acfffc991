//! What the settings of routes mean.

use alerting::{Hours, Match, ReportTo, Routes};
use chrono::{NaiveTime, TimeDelta};
use domain::{Cause, SystemId, Text, Watcher};
use drift::Policy;

use super::ChannelSettings;
use super::file::{self, Route};
use crate::nearest::{listed, nearest};
use crate::settings::SettingsError;
use crate::settings::document::Document;
use crate::settings::file::File;
use crate::settings::source::{system_id, zone};
use crate::when::{self, DURATION_FORM};

/// The routes of the settings; without any, on-call's to every channel.
///
/// # Errors
///
/// Returns the first value that cannot be used, or names what there is not.
pub(in crate::settings) fn routes(
    document: &Document<'_>,
    file: &File,
    channels: &[ChannelSettings],
    policy: &Policy,
) -> Result<Routes, SettingsError> {
    let deployment = system_id(document, &["deployment", "name"], &file.deployment.name)?;
    let names: Vec<&str> = channels.iter().map(|it| &*it.name).collect();
    let mut routes = Vec::new();
    for (index, route) in file.route.iter().enumerate() {
        let index = index.to_string();
        let table = Table { document, file, names: &names, index: &index, policy };
        routes.push(table.route(route)?);
    }
    if file.route.is_empty() {
        routes.push(alerting::Route::on_call(names.iter().map(|it| Text::from(*it)).collect()));
    }
    let storm_over = usize::try_from(file.alerting.storm_over).unwrap_or(usize::MAX);
    if !(1..=1000).contains(&storm_over) {
        return Err(document.wrong(&["alerting", "storm_over"], "must be 1 to 1000"));
    }
    let mut fallback = Vec::new();
    for (index, name) in file.alerting.fallback.iter().enumerate() {
        let at = ["alerting", "fallback", &index.to_string()];
        fallback.push(known(document, &at, name, &names)?);
    }
    let report_url = file.alerting.report_url.clone();
    if report_url.as_ref().is_some_and(|it| outbound::Url::parse(it).is_err()) {
        return Err(document.wrong(&["alerting", "report_url"], "is no address: write https://…"));
    }
    Ok(Routes {
        deployment: deployment.as_str().to_owned(),
        channels: channels.iter().map(ChannelSettings::channel).collect(),
        routes,
        storm_over,
        fallback,
        report_url,
        report: report(document, file, channels, &names)?,
    })
}

/// Who gets the report of each run.
fn report(
    document: &Document<'_>,
    file: &File,
    channels: &[ChannelSettings],
    names: &[&str],
) -> Result<ReportTo, SettingsError> {
    let mut to: Vec<Text> = Vec::new();
    for (index, name) in file.report.to.iter().enumerate() {
        let at = ["report", "to", &index.to_string()];
        let name = known(document, &at, name, names)?;
        let channel = channels.iter().find(|it| it.name == name);
        if let Some(other) = channel.filter(|it| !it.takes_reports()) {
            let what = format!(
                "is a channel of {}, which carries no report: name one with `email`, `webhook` or \
                 `command`",
                other.protocol()
            );
            return Err(document.wrong(&at, what));
        }
        if to.contains(&name) {
            return Err(document.wrong(&at, "is there twice: take one out"));
        }
        to.push(name);
    }
    if file.report.json && to.is_empty() {
        let what = "is for channels that get the report: name one in `to`";
        return Err(document.wrong(&["report", "json"], what));
    }
    Ok(ReportTo { to, shows_document: file.report.json })
}

/// A name of a channel, or what is meant.
fn known(
    document: &Document<'_>,
    at: &[&str],
    name: &str,
    names: &[&str],
) -> Result<Text, SettingsError> {
    if names.contains(&name) {
        return Ok(name.into());
    }
    let guess = nearest(name, names.iter().copied())
        .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
    let there = match names {
        [] => String::new(),
        names => format!("; there is {}", listed(names.iter().copied())),
    };
    let what = format!(
        "names `{name}`, which is no channel of this file{guess}{there}; or add `[alert.{name}]`"
    );
    Err(document.wrong(at, what))
}

/// One `[[route]]`.
struct Table<'t> {
    document: &'t Document<'t>,
    file: &'t File,
    names: &'t [&'t str],
    index: &'t str,
    policy: &'t Policy,
}

impl Table<'_> {
    fn route(&self, route: &Route) -> Result<alerting::Route, SettingsError> {
        if route.to.is_empty() {
            return Err(self.wrong(&["to"], "is empty: name a channel"));
        }
        let digest_at = route.digest_at.as_deref().map(|it| self.clock(&["digest_at"], it));
        let digest_at = digest_at.transpose()?.map(|it| (it, self.policy.zone));
        let one_by_one = [
            ("hours", route.hours.is_some()),
            ("repeat_after", route.repeat_after.is_some()),
            ("escalate_after", route.escalate_after.is_some()),
        ];
        if digest_at.is_some()
            && let Some((key, _)) = one_by_one.into_iter().find(|it| it.1)
        {
            let what =
                "is for what is told one by one, and this route has `digest_at`: make two routes";
            return Err(self.wrong(&[key], what));
        }
        Ok(alerting::Route {
            to: self.channels("to", &route.to)?,
            findings: self.findings(route)?,
            watcher: self.watcher(&route.watcher)?,
            hours: route.hours.as_ref().map(|it| self.hours(it)).transpose()?,
            repeat_after: self.maybe_time("repeat_after", route.repeat_after.as_deref())?,
            escalate: self.escalate(route)?,
            digest_at,
        })
    }

    fn findings(&self, route: &Route) -> Result<Option<Match>, SettingsError> {
        let mut causes = Vec::new();
        for (index, name) in route.causes.iter().enumerate() {
            let all = Cause::ALL.iter().map(|it| it.name());
            causes.push(self.word(
                &["causes", &index.to_string()],
                name,
                Cause::parse(name),
                all,
            )?);
        }
        let mut apps = Vec::new();
        for (index, name) in route.apps.iter().enumerate() {
            let all = self.file.app.keys().map(String::as_str);
            let app = SystemId::parse(name).ok().filter(|_| self.file.app.contains_key(name));
            apps.push(self.word(&["apps", &index.to_string()], name, app, all)?);
        }
        let older_than = self.maybe_time("older_than", route.older_than.as_deref())?;
        Ok(route.findings.then_some(Match {
            causes,
            at_least: Some(route.severity.meant()),
            apps,
            privileged: route.privileged,
            older_than,
        }))
    }

    fn watcher(&self, names: &[String]) -> Result<Vec<Watcher>, SettingsError> {
        let mut kinds = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let all = Watcher::ALL.iter().map(|it| it.name());
            let at = index.to_string();
            kinds.push(self.word(&["watcher", &at], name, Watcher::parse(name), all)?);
        }
        Ok(kinds)
    }

    fn escalate(&self, route: &Route) -> Result<Option<(TimeDelta, Vec<Text>)>, SettingsError> {
        let after = self.maybe_time("escalate_after", route.escalate_after.as_deref())?;
        let to = self.channels("escalate_to", &route.escalate_to)?;
        match (after, to.is_empty()) {
            (Some(after), false) => Ok(Some((after, to))),
            (None, true) => Ok(None),
            _ => {
                let what = "and `escalate_to` go together: give both";
                Err(self.wrong(&["escalate_after"], what))
            }
        }
    }

    fn hours(&self, hours: &file::Hours) -> Result<Hours, SettingsError> {
        let from = self.clock(&["hours", "from"], &hours.from)?;
        let until = self.clock(&["hours", "until"], &hours.until)?;
        if from >= until {
            let what = "is not after `from`: hours begin and end on one day";
            return Err(self.wrong(&["hours", "until"], what));
        }
        if hours.days.is_empty() {
            return Err(self.wrong(&["hours", "days"], "is empty: name a day"));
        }
        let zone = match &hours.zone {
            None => self.policy.zone,
            Some(text) => zone(text).map_err(|what| self.wrong(&["hours", "zone"], what))?,
        };
        let days = hours.days.iter().map(|it| it.meant()).collect();
        Ok(Hours { days, from, until, zone, holidays: self.policy.calendar.holidays.clone() })
    }

    fn clock(&self, at: &[&str], text: &str) -> Result<NaiveTime, SettingsError> {
        NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| self.wrong(at, "is no time of day: write it as `07:30`"))
    }

    fn maybe_time(
        &self,
        key: &str,
        text: Option<&str>,
    ) -> Result<Option<TimeDelta>, SettingsError> {
        let Some(text) = text else { return Ok(None) };
        match when::duration(text) {
            Some(time) if time > TimeDelta::zero() => Ok(Some(time)),
            _ => Err(self.wrong(&[key], format!("is no time above 0: write {DURATION_FORM}"))),
        }
    }

    fn channels(&self, key: &str, names: &[String]) -> Result<Vec<Text>, SettingsError> {
        let mut channels = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let at = index.to_string();
            let path = ["route", self.index, key, &at];
            channels.push(known(self.document, &path, name, self.names)?);
        }
        Ok(channels)
    }

    /// A word that stands for something, or the words that do.
    fn word<'a, T>(
        &self,
        at: &[&str],
        typed: &str,
        found: Option<T>,
        all: impl Iterator<Item = &'a str>,
    ) -> Result<T, SettingsError> {
        found.ok_or_else(|| {
            let all: Vec<&str> = all.collect();
            let guess = nearest(typed, all.iter().copied())
                .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
            self.wrong(at, format!("is none of {}{guess}", listed(all)))
        })
    }

    fn wrong(&self, at: &[&str], what: impl std::fmt::Display) -> SettingsError {
        let path: Vec<&str> = ["route", self.index].into_iter().chain(at.iter().copied()).collect();
        self.document.wrong(&path, what)
    }
}
