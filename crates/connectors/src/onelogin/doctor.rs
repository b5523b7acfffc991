//! Looks at each permission and setting that a pull rests on, and says what to do next. What to
//! make of each answer is a function of that answer alone. Never writes.

use chrono::{SecondsFormat, TimeDelta};
use domain::{Clock, Text};
use outbound::{Answer, Reader};

use super::events::Confirmed;
use super::health::{self, App};
use super::refusal::{Asked, Said, VENDOR, words_of};
use super::{OneLogin, paths};
use crate::checks::{
    Answered, CANARY, assigned_canaries, clocks, failed, fine, n_rows, no_canary, no_list,
    of_assigned, refused, skipped, unanswered, warning,
};
use crate::live::{Check, CheckResult};
use crate::walk::Dialect as _;

const CREDENTIAL: &str = "the credential is accepted";
const USERS: &str = "users can be listed";
const APP: &str = "the app is there";
const PROVISIONING: &str = "OneLogin provisions the app";
const APP_USERS: &str = "users of the app can be listed";
const EVENTS: &str = "events can be read";
const WRITES: &str = "the credential cannot write";

/// How far back events are asked for.
const EVENT_DAYS: i64 = 1;

impl OneLogin {
    /// Looks at the credential, every list, the app, its provisioning, the events and the clock. Some
    /// seven requests, each for one row but the types of events.
    pub async fn doctor(&self, clock: &dyn Clock) -> Vec<Check> {
        let reader = self.reader.new_pull();
        let app_id = &self.config.app_id;
        let users = match reader.get(&paths::one_user()).await {
            Ok(users) => users,
            // Who made the credential may have been deleted, and that has words of its own.
            Err(error) => return vec![unanswered(CREDENTIAL, &Asked::Users.failed(error))],
        };
        let mut checks = vec![credential(&users)];
        let users = Ok(users);
        if checks.iter().any(|it| it.result == CheckResult::Failed) {
            // Nothing else can be looked at.
            return checks;
        }
        checks.push(listed(USERS, &users, Asked::Users));
        let app = reader.get(&paths::app(app_id)).await;
        checks.extend(app_is_there(&app, app_id));
        let app_users = reader.get(&paths::one_app_user(app_id)).await;
        checks.push(listed(APP_USERS, &app_users, Asked::AppUsers));
        let since = (clock.now() - TimeDelta::days(EVENT_DAYS))
            .to_rfc3339_opts(SecondsFormat::Millis, true);
        let events = reader.get(&paths::one_event(&since)).await;
        checks.push(events_are_read(&events, &reader.get(paths::EVENT_TYPES).await));
        checks.push(skipped(
            WRITES,
            "This cannot be told: OneLogin does not say which scope a credential has. Driftline sends nothing but GET.",
            "Look at the API credential in OneLogin: it needs Read All, and Manage All is too much.",
        ));
        checks.push(clocks("our clock agrees with OneLogin's", "OneLogin's", &users));
        checks.extend(self.canaries(&reader, clock).await);
        checks
    }

    async fn canaries(&self, reader: &Reader, clock: &dyn Clock) -> Vec<Check> {
        let mut checks = Vec::new();
        for id in &self.config.canaries {
            checks.push(canary(id, &reader.get(&paths::user(id)).await));
        }
        let asked = self.reread(clock, &of_assigned(&self.config.assigned_canaries)).await;
        checks.extend(assigned_canaries(asked.replies));
        if checks.is_empty() {
            checks.push(no_canary("ids"));
        }
        checks
    }
}

/// Whether OneLogin takes the credential. A refusal of one list is an answer of OneLogin, too.
fn credential(first: &Answer) -> Check {
    if first.status == 401 {
        return refusal(CREDENTIAL, first, Asked::Users);
    }
    if is_of_onelogin(first) {
        return fine(CREDENTIAL, "OneLogin takes it.".to_owned());
    }
    failed(
        CREDENTIAL,
        format!("HTTP {}, and this is no answer of OneLogin's API.", first.status),
        "Check `url`, and what stands between here and OneLogin.",
    )
}

fn is_of_onelogin(answer: &Answer) -> bool {
    if answer.is_success() {
        n_rows(&answer.body).is_some()
    } else {
        Said::read(&answer.body).is_some()
    }
}

/// Whether a list answers with rows.
fn listed(name: &'static str, answered: &Answered, asked: Asked) -> Check {
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return refusal(name, answer, asked),
        Err(error) => return unanswered(name, error),
    };
    match (n_rows(&answer.body), asked) {
        (None, _) => no_list(name, VENDOR),
        (Some(0), Asked::Users) => failed(
            name,
            "The list is empty: nobody at all.".to_owned(),
            "Check `url`, and make an API credential with the scope Read All.",
        ),
        (Some(0), _) => {
            warning(name, "Nobody has the app. Check `app_id`, and who has the app in OneLogin.")
        }
        (Some(_), _) => fine(name, format!("{VENDOR} answers with rows.")),
    }
}

fn app_is_there(answered: &Answered, app_id: &str) -> Vec<Check> {
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return vec![refusal(APP, answer, Asked::App)],
        Err(error) => return vec![unanswered(APP, error)],
    };
    let Some(app) = App::read(&answer.body, app_id) else {
        let seen = "The answer is not that of the app.".to_owned();
        return vec![failed(APP, seen, "Check `app_id` and `url`.")];
    };
    let provisioning = match (health::of_app(&app, app_id), app.is_provisioned()) {
        (Some(trouble), _) => warning(PROVISIONING, &trouble.text),
        (None, Some(_)) => fine(
            PROVISIONING,
            "It is on. What is set for who loses the app is not in OneLogin's API: it should be Suspend or Delete.".to_owned(),
        ),
        (None, None) => skipped(
            PROVISIONING,
            "OneLogin does not say.",
            "Look at the app in OneLogin, under Provisioning.",
        ),
    };
    vec![fine(APP, format!("It is {}.", health::shown(&app, app_id))), provisioning]
}

/// Whether events can be read, and what the numbers of their types mean.
fn events_are_read(events: &Answered, types: &Answered) -> Check {
    for (answered, asked) in [(events, Asked::Events), (types, Asked::EventTypes)] {
        match answered {
            Ok(answer) if answer.is_success() => {}
            Ok(answer) => return refusal(EVENTS, answer, asked),
            Err(error) => return unanswered(EVENTS, error),
        }
    }
    let confirmed = types.as_ref().ok().and_then(|it| Confirmed::read(&it.body).ok());
    let Some(missing) = confirmed.map(|it| it.missing()) else { return no_list(EVENTS, VENDOR) };
    if missing.is_empty() {
        return fine(EVENTS, "They are, and their types mean what is known of them.".to_owned());
    }
    let missing: Vec<String> = missing.iter().map(u64::to_string).collect();
    warning(
        EVENTS,
        &format!(
            "They are, and OneLogin's list of types does not say of these what is known of them: {}. Such events tell nothing: report it.",
            missing.join(", ")
        ),
    )
}

fn canary(id: &Text, answered: &Answered) -> Check {
    match answered {
        Ok(answer) if answer.is_success() => fine(CANARY, format!("`{id}` is there.")),
        Ok(answer) if answer.status == 404 => failed(
            CANARY,
            format!("`{id}` is not a user, or may not be seen."),
            "Correct the canaries: they are ids of users.",
        ),
        Ok(answer) => refusal(CANARY, answer, Asked::Users),
        Err(error) => unanswered(CANARY, error),
    }
}

fn refusal(name: &'static str, answer: &Answer, asked: Asked) -> Check {
    refused(name, answer.status, words_of(answer, asked))
}
