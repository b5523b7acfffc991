//! Whether Entra keeps the app in step: the enterprise app itself, and its provisioning jobs.
//!
//! Source: Microsoft Graph v1.0, servicePrincipal and synchronizationJob. Where no job runs,
//! everybody who loses the app keeps the account: the root of many findings at once.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use domain::{Cause, Interval, Reach, Text, Watcher, Whom};
use serde::Deserialize;

use crate::live::Trouble;

/// A job whose last success is older than this is behind. Cycles begin every 40 minutes; a first
/// one of a large tenant takes hours.
const BEHIND: TimeDelta = TimeDelta::hours(6);

/// The enterprise app, as the tenant has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct App {
    /// The object id, which all paths use.
    pub(super) id: Text,
    app_id: Option<String>,
    display_name: Option<String>,
    account_enabled: Option<bool>,
    app_role_assignment_required: Option<bool>,
}

/// What a search for the enterprise app gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    App(App),
    /// The tenant has none of this application id.
    None,
    /// The answer is no list of enterprise apps.
    NoList,
}

impl App {
    /// Reads the answer to a search by application id.
    pub(super) fn read(body: &[u8], app_id: &str) -> Found {
        let Ok(List { value }) = serde_json::from_slice::<List<Self>>(body) else {
            return Found::NoList;
        };
        let is_it =
            |it: &Self| it.app_id.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(app_id));
        match value.into_iter().find(is_it) {
            Some(app) => Found::App(app),
            None => Found::None,
        }
    }

    /// How people call it.
    pub(super) fn shown(&self) -> String {
        match &self.display_name {
            Some(name) => format!("`{name}` ({})", self.id),
            None => self.id.to_string(),
        }
    }

    /// Whether it lets only those sign in who are assigned; `None`: it does not say.
    pub(super) const fn needs_assignment(&self) -> Option<bool> {
        self.app_role_assignment_required
    }
}

/// What is wrong with the app. `None`: nothing, or nothing that was seen.
pub(super) fn of_app(app: &App) -> Option<Trouble> {
    (app.account_enabled == Some(false)).then(|| {
        let text = format!(
            "The enterprise app {} is disabled for users to sign in. Enable it in Entra, or take it out of the settings if it is no longer used.",
            app.shown()
        );
        // Whether its jobs go on is not documented.
        Trouble::new(Watcher::ProvisioningUnhealthy, text)
    })
}

/// One provisioning job. Every member may be null or missing.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    id: Option<String>,
    schedule: Option<Schedule>,
    status: Option<Status>,
}

/// Reads the jobs of an app.
///
/// # Errors
///
/// Returns the decoder's error when the body is no list of jobs.
pub(super) fn jobs(body: &[u8]) -> Result<Vec<Job>, serde_json::Error> {
    serde_json::from_slice::<List<Job>>(body).map(|it| it.value)
}

/// What is wrong with provisioning to the app; empty: nothing, or nothing that Entra says.
pub(super) fn of_jobs(jobs: &[Job], app: &App, now: DateTime<Utc>) -> Vec<Trouble> {
    if jobs.is_empty() {
        let text = format!(
            "The enterprise app {} has no provisioning job: Entra will never deactivate anybody there. Set up automatic provisioning, or remove accounts by hand.",
            app.shown()
        );
        return vec![unhealthy(text, Some(("no_job".to_owned(), None)))];
    }
    let all: Vec<Ill> = jobs.iter().filter_map(|job| job.trouble(&app.shown(), now)).collect();
    // Which of several jobs provisions whom is not known, so one that works may have been the one.
    let none_works = all.len() == jobs.len();
    let of = |it: Ill| unhealthy(it.text, it.stopped.filter(|_| none_works));
    all.into_iter().map(of).collect()
}

/// What is wrong with one job.
struct Ill {
    text: String,
    /// It provisions nobody: what that is called, and when it last ended well; `None`: that is not
    /// known.
    stopped: Option<Stopped>,
}

type Stopped = (String, Option<DateTime<Utc>>);

/// Who lost the app after the last cycle that ended well was not deactivated by a later one.
fn unhealthy(text: String, stopped: Option<Stopped>) -> Trouble {
    // Kept, and compared, to the millisecond.
    let reach = stopped.map(|(name, since)| (name, since.map(|it| it.trunc_subsecs(3))));
    let reach = reach.map(|(name, since)| Reach {
        name,
        causes: vec![
            Cause::LeaverActive,
            Cause::UnassignedActive,
            Cause::SuspendedActive,
            Cause::NotProvisioned,
        ],
        whom: Whom::EverybodySince(Interval { earliest: since, latest: since }),
    });
    Trouble { kind: Watcher::ProvisioningUnhealthy, text, reach: reach.into_iter().collect() }
}

impl Job {
    fn trouble(&self, app: &str, now: DateTime<Utc>) -> Option<Ill> {
        let job = self.id.as_deref().unwrap_or("without an id");
        let name = format!("The provisioning job {job} of {app}");
        let status = self.status.as_ref();
        let ended = status.and_then(|it| instant(it.last_success.as_ref()?.time_ended.as_deref()));
        let ill = |word: &str, text: String| {
            let stopped = Some((format!("job {job} {word}"), ended));
            Some(Ill { text, stopped })
        };
        let quarantine = status.and_then(|it| it.quarantine.as_ref());
        let code = status.and_then(|it| it.code.as_deref());
        if code == Some("Quarantine") || quarantine.is_some() {
            let text = quarantine
                .map_or_else(|| format!("{name} is in quarantine. {RESTART}"), |it| it.text(&name));
            return ill("in quarantine", text);
        }
        let schedule = self.schedule.as_ref().and_then(|it| it.state.as_deref());
        let stopped = [schedule, code].into_iter().flatten().find(|it| *it != "Active");
        if let Some(state) = stopped {
            return match state {
                "Paused" | "Disabled" => ill(
                    "stopped",
                    format!(
                        "{name} is {}: Entra deactivates nobody there. Start provisioning again.",
                        state.to_lowercase()
                    ),
                ),
                "NotConfigured" | "NotRun" => ill(
                    "never run",
                    format!(
                        "{name} has never run: Entra deactivates nobody there. Finish its set-up and start provisioning."
                    ),
                ),
                other => Some(Ill {
                    text: format!(
                        "{name} is in the state `{other}`, which Driftline does not know. Look at provisioning in Entra."
                    ),
                    stopped: None,
                }),
            };
        }
        let hours = ended.map(|it| now - it).filter(|it| *it > BEHIND)?.num_hours();
        ill(
            "behind",
            format!(
                "{name} last ended well {hours} h ago: who lost access since then was not deactivated. Look at its provisioning logs in Entra."
            ),
        )
    }
}

const RESTART: &str = "Mend what is wrong, and restart provisioning.";

impl Quarantine {
    fn text(&self, name: &str) -> String {
        let reason = self.reason.as_deref().unwrap_or("which it does not say");
        let meaning = match reason {
            "TooManyDeletes" => {
                " (more accounts are to go than the limit for accidental deletion allows, and none goes until an admin says so)"
            }
            "EncounteredEscrowProportionThreshold"
            | "EncounteredBaseEscrowThreshold"
            | "EncounteredTotalEscrowThreshold" => " (too many accounts failed)",
            _ => "",
        };
        let code = self.error.as_ref().and_then(|it| it.code.as_deref());
        let code = code.map_or_else(String::new, |it| format!(", error {it}"));
        let next = instant(self.next_attempt.as_deref()).map_or_else(String::new, |it| {
            format!(", next try at {}", it.format("%Y-%m-%d %H:%M UTC"))
        });
        format!("{name} is in quarantine for {reason}{meaning}{code}{next}. {RESTART}")
    }
}

/// A time of Graph. `None`: there is none, or it cannot be read.
pub(super) fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|it| it.to_utc())
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    /// `Active`, `Disabled` or `Paused`; open.
    state: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    /// `NotConfigured`, `NotRun`, `Active`, `Paused` or `Quarantine`; open.
    code: Option<String>,
    quarantine: Option<Quarantine>,
    #[serde(rename = "lastSuccessfulExecution")]
    last_success: Option<Execution>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    time_ended: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quarantine {
    reason: Option<String>,
    next_attempt: Option<String>,
    error: Option<QuarantineError>,
}

#[derive(Debug, Deserialize)]
struct QuarantineError {
    code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let body = br#"{"value":[{"id":"c1","appId":"C2","displayName":"Secureframe","accountEnabled":true}]}"#;
        match App::read(body, "c2") {
            Found::App(app) => app,
            other => panic!("{other:?}"),
        }
    }

    fn told(job: &str) -> String {
        let body = format!(r#"{{"value":[{job}]}}"#);
        let now = "2026-02-01T12:00:00Z".parse().unwrap();
        let troubles = of_jobs(&jobs(body.as_bytes()).unwrap(), &app(), now);
        troubles.into_iter().map(|it| it.text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_job_that_does_not_run_is_told_with_its_cause() {
        let at = |ended: &str| {
            format!(
                r#"{{"id":"scim.1","schedule":{{"state":"Active"}},"status":{{"code":"Active","quarantine":null,
                "lastSuccessfulExecution":{{"timeEnded":"{ended}"}}}}}}"#
            )
        };
        assert_eq!(told(&at("2026-02-01T11:20:00Z")), "");
        for (job, words) in [
            (at("2026-01-31T12:00:00Z"), "last ended well 24 h ago"),
            (r#"{"id":"scim.1","schedule":{"state":"Paused"},"status":{"code":"Paused"}}"#.to_owned(), "is paused: Entra deactivates nobody"),
            (r#"{"id":"scim.1","schedule":{"state":"Disabled"},"status":null}"#.to_owned(), "is disabled"),
            (r#"{"id":null,"schedule":null,"status":{"code":"NotRun"}}"#.to_owned(), "without an id of `Secureframe` (c1) has never run"),
            (r#"{"status":{"code":"Sleeping"}}"#.to_owned(), "in the state `Sleeping`"),
            (r#"{"status":{"code":"Quarantine","quarantine":null}}"#.to_owned(), "is in quarantine. Mend"),
            (r#"{"status":{"code":"Quarantine","quarantine":{"reason":"TooManyDeletes","nextAttempt":"2026-02-01T18:00:00Z","error":{"code":"X"}}}}"#.to_owned(),
             "for TooManyDeletes (more accounts are to go than the limit for accidental deletion allows, and none goes until an admin says so), error X, next try at 2026-02-01 18:00 UTC. Mend"),
        ] {
            let told = told(&job);
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(told(r#"{"id":null,"schedule":null,"status":null}"#), "");
        assert!(
            of_jobs(&[], &app(), DateTime::UNIX_EPOCH)[0].text.contains("has no provisioning job")
        );
        for body in ["", "{}", "[]", "<html>"] {
            assert!(jobs(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn who_lost_the_app_after_the_last_good_cycle_is_touched_unless_another_job_works() {
        let job = |id: &str, state: &str| {
            format!(
                r#"{{"id":"{id}","schedule":{{"state":"{state}"}},"status":{{"code":"{state}",
                "lastSuccessfulExecution":{{"timeEnded":"2026-02-01T11:20:00Z"}}}}}}"#
            )
        };
        let reach = |all: &[String]| -> Vec<Reach> {
            let body = format!(r#"{{"value":[{}]}}"#, all.join(","));
            let now = "2026-02-01T12:00:00Z".parse().unwrap();
            let troubles = of_jobs(&jobs(body.as_bytes()).unwrap(), &app(), now);
            troubles.into_iter().flat_map(|it| it.reach).collect()
        };
        let [paused] = &reach(&[job("scim.1", "Paused")])[..] else { panic!("one is paused") };
        let ended = Some("2026-02-01T11:20:00Z".parse().unwrap());
        assert_eq!(paused.name, "job scim.1 stopped");
        assert_eq!(paused.whom, Whom::EverybodySince(Interval { earliest: ended, latest: ended }));
        assert_eq!(reach(&[job("scim.1", "Paused"), job("scim.2", "Active")]), []);
        assert_eq!(reach(&[job("scim.1", "Paused"), job("scim.2", "Paused")]).len(), 2);
        assert_eq!(reach(&[job("scim.1", "Sleeping")]), [], "what it does then is not known");
        let [none] = &reach(&[])[..] else { panic!("there is no job") };
        assert_eq!(none.whom, Whom::EverybodySince(Interval { earliest: None, latest: None }));
    }

    #[test]
    fn the_app_is_the_one_of_the_application_id() {
        assert_eq!(app().shown(), "`Secureframe` (c1)");
        assert_eq!(App::read(br#"{"value":[{"id":"c1","appId":"other"}]}"#, "c2"), Found::None);
        assert_eq!(App::read(br#"{"value":[]}"#, "c2"), Found::None);
        for body in [&b"{}"[..], b"[]", b"", b"<html>", br#"{"value":[{"appId":"c2"}]}"#] {
            assert_eq!(App::read(body, "c2"), Found::NoList);
        }
    }
}
