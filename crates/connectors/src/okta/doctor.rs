//! Looks at each permission and setting that a pull rests on, and says what to do next. What to
//! make of each answer is a function of that answer alone. Never writes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Text};
use outbound::{Answer, Reader};

use super::health::{self, App, Deactivation};
use super::refusal::{Asked, OktaError, words_of};
use super::{Credential, Okta, paths};
use crate::checks::{
    Answered, CANARY, clocks, fine, n_rows, no_canary, no_list, refused, unanswered, warning,
};
use crate::live::{Check, CheckResult};

/// How far back the log is asked for: one event is enough.
const LOG_DAYS: i64 = 7;

impl Okta {
    /// Looks at the credential, every list, the app, its provisioning, the log and the clock.
    /// Some ten requests, each for one row.
    pub async fn doctor(&self, clock: &dyn Clock) -> Vec<Check> {
        let reader = self.reader.new_pull();
        let app_id = &self.config.app_id;
        let users = reader.get(&paths::one_user()).await;
        let mut checks = vec![credential(&users)];
        if checks.iter().any(|it| it.result == CheckResult::Failed) {
            // Nothing else can be looked at.
            checks.push(write_scope(&self.config.credential));
            return checks;
        }
        checks.push(listed(USERS, &users, Asked::Users));
        let deactivated = reader.get(&paths::one_deactivated_user()).await;
        let app = reader.get(&paths::app(app_id)).await;
        let app_users = reader.get(&paths::one_app_user(app_id)).await;
        let features = reader.get(&paths::features(app_id)).await;
        let log = reader.get(&log_path(app_id, clock.now())).await;
        checks.push(deactivated_users(&deactivated));
        checks.push(app_is_there(&app, app_id));
        checks.push(listed(APP_USERS, &app_users, Asked::AppUsers));
        checks.push(deactivation(&features, &app, app_id));
        checks.push(listed(LOG, &log, Asked::Log));
        checks.push(write_scope(&self.config.credential));
        checks.push(clocks("our clock agrees with Okta's", "Okta's", &users));
        checks.extend(self.canaries(&reader).await);
        checks
    }

    async fn canaries(&self, reader: &Reader) -> Vec<Check> {
        let mut checks = Vec::new();
        for id in &self.config.canaries {
            checks.push(canary(id, &reader.get(&paths::user(id)).await, Asked::Users));
        }
        for id in &self.config.assigned_canaries {
            let path = paths::app_user(&self.config.app_id, id);
            checks.push(canary(id, &reader.get(&path).await, Asked::AppUsers));
        }
        if checks.is_empty() {
            checks.push(no_canary("ids"));
        }
        checks
    }
}

const VENDOR: &str = "Okta";
const USERS: &str = "users can be listed";
const APP_USERS: &str = "users of the app can be listed";
const LOG: &str = "the system log can be read";

fn log_path(app_id: &str, now: DateTime<Utc>) -> String {
    paths::log(app_id, now - TimeDelta::days(LOG_DAYS), 1)
}

/// Whether Okta takes the credential. A refusal of one list is an answer of Okta, too.
fn credential(first: &Answered) -> Check {
    let name = "the credential is accepted";
    match first {
        Ok(answer) if answer.status == 401 => failed(name, answer, Asked::Users),
        Ok(answer) if !is_of_okta(answer) => Check {
            name,
            result: CheckResult::Failed,
            seen: format!("HTTP {}, and this is no answer of Okta's API.", answer.status),
            next: Some("Check the base URL and what stands between here and Okta.".to_owned()),
        },
        Ok(_) => fine(name, "Okta takes it.".to_owned()),
        Err(error) => unanswered(name, error),
    }
}

fn is_of_okta(answer: &Answer) -> bool {
    if answer.is_success() {
        n_rows(&answer.body).is_some()
    } else {
        OktaError::read(&answer.body).is_some()
    }
}

/// Whether a list answers with rows. The names of the checks are those of the lists.
fn listed(name: &'static str, answered: &Answered, asked: Asked) -> Check {
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return failed(name, answer, asked),
        Err(error) => return unanswered(name, error),
    };
    match (n_rows(&answer.body), asked) {
        (None, _) => no_list(name, VENDOR),
        (Some(0), Asked::Users) => Check {
            name,
            result: CheckResult::Failed,
            seen: "Okta answers with an empty list: nobody at all.".to_owned(),
            next: Some(
                "The scopes are granted and the admin role is missing, or it is limited to nobody. Give the service app, or the admin who made the API token, a role that sees all users, such as Read-only Administrator."
                    .to_owned(),
            ),
        },
        (Some(0), Asked::AppUsers) => Check {
            name,
            result: CheckResult::Warning,
            seen: "Nobody is assigned to the app, or this credential may not see who is.".to_owned(),
            next: Some("Check `app_id`, and that the admin role covers the app.".to_owned()),
        },
        (Some(0), _) => fine(name, "It can be read; nothing of late is about this app.".to_owned()),
        (Some(_), _) => fine(name, "Okta answers with rows.".to_owned()),
    }
}

fn deactivated_users(answered: &Answered) -> Check {
    let name = "deactivated users are shown";
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return failed(name, answer, Asked::Users),
        Err(error) => return unanswered(name, error),
    };
    match n_rows(&answer.body) {
        None => no_list(name, VENDOR),
        Some(0) => Check {
            name,
            result: CheckResult::Skipped,
            seen: "There is none to be seen: nobody was ever deactivated, or such users are not shown to this credential.".to_owned(),
            next: Some(
                "If Okta's console shows deactivated users, give the credential a role that sees all users."
                    .to_owned(),
            ),
        },
        Some(_) => fine(name, "Okta shows them when asked for every status.".to_owned()),
    }
}

fn app_is_there(answered: &Answered, app_id: &str) -> Check {
    let name = "the app is there and active";
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return failed(name, answer, Asked::App),
        Err(error) => return unanswered(name, error),
    };
    let Some(app) = App::read(&answer.body, app_id) else {
        return Check {
            name,
            result: CheckResult::Failed,
            seen: "The answer is not that of the app.".to_owned(),
            next: Some("Check `app_id` and the base URL.".to_owned()),
        };
    };
    match health::of_app(&app, app_id) {
        None => fine(name, format!("It is {}.", health::shown(&app, app_id))),
        Some(trouble) => warning(name, &trouble.text),
    }
}

fn deactivation(answered: &Answered, app: &Answered, app_id: &str) -> Check {
    let name = "Okta deactivates users in the app";
    let app = app.as_ref().ok().and_then(|it| App::read(&it.body, app_id)).unwrap_or_default();
    let state = match answered {
        Ok(answer) if answer.is_success() => match health::deactivation(&answer.body) {
            Ok(state) => state,
            Err(_) => return no_list(name, VENDOR),
        },
        Ok(answer) if answer.status == 400 && OktaError::read(&answer.body).is_some() => {
            Deactivation::NotSetUp
        }
        Ok(answer) => return failed(name, answer, Asked::Features),
        Err(error) => return unanswered(name, error),
    };
    match (health::of_deactivation(state, &app, app_id), state) {
        (Some(trouble), _) => warning(name, &trouble.text),
        (None, Deactivation::On) => fine(name, "\"Deactivate Users\" is on.".to_owned()),
        (None, _) => Check {
            name,
            result: CheckResult::Skipped,
            seen: "Okta does not say whether \"Deactivate Users\" is on.".to_owned(),
            next: Some("Look at the provisioning settings of the app, under To App.".to_owned()),
        },
    }
}

/// What can be known without writing: which scopes are asked for, and of an API token nothing.
fn write_scope(credential: &Credential) -> Check {
    let name = "the credential cannot write";
    match credential {
        Credential::ApiToken => Check {
            name,
            result: CheckResult::Warning,
            seen: "This cannot be told: an API token may do all that the admin may who made it. Driftline sends nothing but GET.".to_owned(),
            next: Some(
                "Make the token as a Read-only Administrator, or use a service app with read scopes."
                    .to_owned(),
            ),
        },
        Credential::ServiceApp { scopes } => {
            let more = write_scopes(scopes);
            if more.is_empty() {
                fine(name, "Tokens are asked for with read scopes only. Whether the service app was granted more cannot be told.".to_owned())
            } else {
                Check {
                    name,
                    result: CheckResult::Warning,
                    seen: format!("Tokens are asked for with more than read scopes: {}.", more.join(", ")),
                    next: Some("Take them out of `scopes`, and revoke them in Okta.".to_owned()),
                }
            }
        }
    }
}

/// Scopes that are no read scopes.
pub(super) fn write_scopes(scopes: &[String]) -> Vec<&str> {
    scopes.iter().map(String::as_str).filter(|it| !it.ends_with(".read")).collect()
}

fn canary(id: &Text, answered: &Answered, asked: Asked) -> Check {
    match answered {
        Ok(answer) if answer.is_success() => fine(CANARY, format!("`{id}` is there.")),
        Ok(answer) if answer.status == 404 => Check {
            name: CANARY,
            result: CheckResult::Failed,
            seen: match asked {
                Asked::AppUsers => {
                    format!("`{id}` is not assigned to the app, or may not be seen.")
                }
                _ => format!("`{id}` is not a user, or may not be seen."),
            },
            next: Some(
                "Correct the canaries, or give the credential a role that sees them.".to_owned(),
            ),
        },
        Ok(answer) => failed(CANARY, answer, asked),
        Err(error) => unanswered(CANARY, error),
    }
}

fn failed(name: &'static str, answer: &Answer, asked: Asked) -> Check {
    refused(name, answer.status, words_of(answer, asked))
}
