//! Looks at each permission and setting that a pull rests on, and says what to do next. What to
//! make of each answer is a function of that answer alone. Never writes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Text};
use outbound::{Answer, Reader};
use serde::Deserialize;

use super::health::{self, App, Found};
use super::pull::NO_APP;
use super::refusal::{Asked, GraphError, VENDOR, is_unlicensed, next_page, words_of};
use super::{Entra, ProvisioningLog, Scope, paths};
use crate::checks::{
    Answered, CANARY, assigned_canaries, clocks, fine, no_canary, no_list, of_assigned, refused,
    skipped, unanswered, warning,
};
use crate::live::{Check, CheckResult};

const CREDENTIAL: &str = "the credential is accepted";
const USERS: &str = "users can be listed";
const DELETED: &str = "deleted users can be listed";
const APP: &str = "the enterprise app is there";
const ASSIGNED: &str = "who is assigned can be listed";
const BY_USER: &str = "one user's assignment can be asked for";
const MEMBERS: &str = "members of groups can be listed";
const JOBS: &str = "provisioning runs";
const LOG: &str = "the provisioning log can be read";
const SCOPED: &str = "scoping filters can be judged";

/// How far back the log is asked for.
const LOG_DAYS: i64 = 1;

/// Pages of assignments that a group is looked for in: 999 rows each.
const ASSIGNED_PAGES: usize = 20;

impl Entra {
    /// Looks at the credential, every list, the app, its provisioning, the log and the clock.
    /// Some ten requests.
    pub async fn doctor(&self, clock: &dyn Clock) -> Vec<Check> {
        let reader = self.reader.new_pull();
        let users = reader.get(&paths::one_user()).await;
        let mut checks = vec![credential(&users)];
        if checks.iter().any(|it| it.result == CheckResult::Failed) {
            // Nothing else can be looked at.
            return checks;
        }
        checks.push(some_users(&users));
        checks.extend(self.scoping_filters(&reader).await);
        checks.push(listed(
            DELETED,
            &reader.get(&paths::deleted_users()).await,
            Asked::DeletedUsers,
        ));
        let app = reader.get(&paths::app(&self.config.app_id)).await;
        match enterprise_app(&app, &self.config.app_id) {
            Err(check) => checks.push(check),
            Ok((app, found)) => {
                checks.extend(found);
                checks.extend(self.of_app(&reader, &app, clock.now()).await);
            }
        }
        checks.push(permissions());
        checks.push(clocks("our clock agrees with Graph's", "Graph's", &users));
        checks.extend(self.canaries(&reader, clock).await);
        checks
    }

    /// Whether the scoping filters can be judged, by some users. `None`: there are none.
    async fn scoping_filters(&self, reader: &Reader) -> Option<Check> {
        let filters = &self.config.scoping_filters;
        if filters.is_empty() {
            return None;
        }
        let answered = reader.get(&paths::some_users(&filters.members())).await;
        let shown = match &answered {
            Ok(answer) if answer.is_success() => filters.shown(&answer.body),
            _ => None,
        };
        Some(match shown {
            Some((seen, true)) => fine(SCOPED, seen),
            Some((seen, false)) => warning(
                SCOPED,
                &format!(
                    "{seen} Compare `scoping_filters` with the attribute mapping in Entra, and with what the tenant keeps in these attributes."
                ),
            ),
            None => listed(SCOPED, &answered, Asked::Users),
        })
    }

    /// What is asked for by the app's object id.
    async fn of_app(&self, reader: &Reader, app: &App, now: DateTime<Utc>) -> Vec<Check> {
        let mut checks = Vec::new();
        match self.config.scope {
            Scope::Everyone => {
                let seen = "Everybody in the tenant is in scope, as the settings say.".to_owned();
                checks.push(fine(ASSIGNED, seen));
            }
            Scope::Assigned => {
                let assigned = reader.get(&paths::assigned(&app.id)).await;
                checks.push(listed(ASSIGNED, &assigned, Asked::Assigned));
                checks.extend(self.of_principals(reader, &assigned, app).await);
            }
        }
        checks.extend(jobs(&reader.get(&paths::jobs(&app.id)).await, app, now));
        match self.config.log {
            ProvisioningLog::Pages(_) => {
                let since = now - TimeDelta::days(LOG_DAYS);
                checks.push(log(&reader.get(&paths::log(&app.id, since)).await));
            }
            ProvisioningLog::Unwanted => {}
            ProvisioningLog::NotInCloud => {
                let seen = "This cloud has none.".to_owned();
                checks.push(Check { name: LOG, result: CheckResult::Skipped, seen, next: None });
            }
        }
        checks
    }

    /// Asks by the first user and the first group that are assigned.
    async fn of_principals(&self, reader: &Reader, assigned: &Answered, app: &App) -> Vec<Check> {
        let Some(answer) = assigned.as_ref().ok().filter(|it| it.is_success()) else {
            return Vec::new();
        };
        let Principals { user, group, is_whole } = principals(reader, answer).await;
        let mut checks = Vec::new();
        if let Some(user) = user {
            let path = paths::assigned_to_user(&user, &app.id);
            let check = listed(BY_USER, &reader.get(&path).await, Asked::AssignedToUser);
            checks.push(match check.result {
                // Lists show the same, a night later.
                CheckResult::Failed => Check { result: CheckResult::Warning, ..check },
                _ => check,
            });
        }
        checks.push(match (group, is_whole) {
            (Some(group), _) => {
                listed(MEMBERS, &reader.get(&paths::members(&group)).await, Asked::Members)
            }
            (None, true) => fine(MEMBERS, "No group is assigned: nothing was tried.".to_owned()),
            (None, false) => skipped(
                MEMBERS,
                "No group was found among the assignments that were read, so it could not be tried.",
                "Look whether the app registration has the application permission `GroupMember.Read.All`, with admin consent.",
            ),
        });
        checks
    }

    async fn canaries(&self, reader: &Reader, clock: &dyn Clock) -> Vec<Check> {
        let mut checks = Vec::new();
        for id in &self.config.canaries {
            checks.push(canary(id, &reader.get(&paths::user(id, &[])).await));
        }
        checks.extend(assigned_canaries(
            self.reread(clock, &of_assigned(&self.config.assigned_canaries)).await,
        ));
        if checks.is_empty() {
            checks.push(no_canary("object ids"));
        }
        checks
    }
}

/// The first user and the first group among assignments.
#[derive(Default)]
struct Principals {
    user: Option<String>,
    group: Option<String>,
    /// Whether every page was read.
    is_whole: bool,
}

impl Principals {
    fn add(&mut self, body: &[u8]) {
        for row in rows(body).unwrap_or_default() {
            let place = match row.kind.as_deref() {
                Some("User") => &mut self.user,
                Some("Group") => &mut self.group,
                _ => continue,
            };
            *place = place.take().or(row.principal);
        }
    }
}

/// Reads assignments from their first page on, until there is a group.
async fn principals(reader: &Reader, first: &Answer) -> Principals {
    let mut found = Principals::default();
    found.add(&first.body);
    let mut next = next_page(first);
    for _ in 1..ASSIGNED_PAGES {
        let Ok(Some(url)) = &next else { break };
        if found.group.is_some() {
            break;
        }
        let Ok(page) = reader.follow(url).await else { break };
        if !page.is_success() {
            break;
        }
        found.add(&page.body);
        next = next_page(&page);
    }
    Principals { is_whole: next == Ok(None), ..found }
}

/// Whether Graph takes the credential. A refusal of one list is an answer of Graph, too.
fn credential(first: &Answered) -> Check {
    match first {
        Ok(answer) if answer.status == 401 => failed(CREDENTIAL, answer, Asked::Users),
        Ok(answer) if !is_of_graph(answer) => Check {
            name: CREDENTIAL,
            result: CheckResult::Failed,
            seen: format!("HTTP {}, and this is no answer of {VENDOR}.", answer.status),
            next: Some(format!(
                "Check `cloud` and `graph_url`, and what stands between here and {VENDOR}."
            )),
        },
        Ok(_) => fine(CREDENTIAL, format!("{VENDOR} takes it.")),
        Err(error) => unanswered(CREDENTIAL, error),
    }
}

fn is_of_graph(answer: &Answer) -> bool {
    if answer.is_success() {
        rows(&answer.body).is_some()
    } else {
        GraphError::read(&answer.body).is_some()
    }
}

fn some_users(answered: &Answered) -> Check {
    let check = listed(USERS, answered, Asked::Users);
    let n = answered.as_ref().ok().and_then(|it| rows(&it.body)).map(|it| it.len());
    if check.result != CheckResult::Fine || n != Some(0) {
        return check;
    }
    Check {
        name: USERS,
        result: CheckResult::Failed,
        seen: "The list is empty: nobody at all.".to_owned(),
        next: Some(
            "Check `tenant`, and grant the app registration the application permission `User.Read.All`, with admin consent."
                .to_owned(),
        ),
    }
}

/// Whether a list answers with rows. The names of the checks are those of the lists.
fn listed(name: &'static str, answered: &Answered, asked: Asked) -> Check {
    match answered {
        Ok(answer) if !answer.is_success() => failed(name, answer, asked),
        Ok(answer) => match rows(&answer.body).map(|it| it.len()) {
            None => no_list(name, VENDOR),
            Some(0) => fine(name, "It can be read, and is empty.".to_owned()),
            Some(_) => fine(name, format!("{VENDOR} answers with rows.")),
        },
        Err(error) => unanswered(name, error),
    }
}

/// The app, with what there is to say of it; or why it is not known.
fn enterprise_app(answered: &Answered, app_id: &str) -> Result<(App, Vec<Check>), Check> {
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return Err(failed(APP, answer, Asked::App)),
        Err(error) => return Err(unanswered(APP, error)),
    };
    match App::read(&answer.body, app_id) {
        Found::App(app) => {
            let mut checks = vec![match health::of_app(&app) {
                None => fine(APP, format!("It is {}.", app.shown())),
                Some(trouble) => warning(APP, &trouble.text),
            }];
            if app.needs_assignment() == Some(false) {
                checks.push(warning(
                    "only who is assigned may sign in",
                    "Assignment required is off: everybody in the tenant may sign in. Switch it on in the properties of the enterprise app.",
                ));
            }
            Ok((app, checks))
        }
        Found::None => Err(Check {
            name: APP,
            result: CheckResult::Failed,
            seen: crate::checks::sentence(NO_APP),
            next: None,
        }),
        Found::NoList => Err(no_list(APP, VENDOR)),
    }
}

fn jobs(answered: &Answered, app: &App, now: DateTime<Utc>) -> Vec<Check> {
    let answer = match answered {
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) => return vec![failed(JOBS, answer, Asked::Jobs)],
        Err(error) => return vec![unanswered(JOBS, error)],
    };
    let Ok(jobs) = health::jobs(&answer.body) else { return vec![no_list(JOBS, VENDOR)] };
    let troubles = health::of_jobs(&jobs, app, now);
    if troubles.is_empty() {
        return vec![fine(JOBS, "Nothing is wrong with it.".to_owned())];
    }
    troubles.iter().map(|it| warning(JOBS, &it.text)).collect()
}

fn log(answered: &Answered) -> Check {
    match answered {
        Ok(answer) if is_unlicensed(&answer.body) => Check {
            name: LOG,
            result: CheckResult::Skipped,
            seen: "It needs Entra ID P1 or P2, and the tenant has neither.".to_owned(),
            next: Some("Nothing has to be done: nothing is judged by it.".to_owned()),
        },
        Ok(answer) if answer.is_success() && rows(&answer.body).is_some_and(|it| it.is_empty()) => {
            let seen =
                "It can be read; the last day, which alone was asked for, has nothing of this app.";
            fine(LOG, seen.to_owned())
        }
        _ => listed(LOG, answered, Asked::Log),
    }
}

/// What cannot be known without writing.
fn permissions() -> Check {
    Check {
        name: "the credential cannot write",
        result: CheckResult::Skipped,
        seen: "This cannot be told by reading. Driftline sends nothing but GET.".to_owned(),
        next: Some(
            "Look at the API permissions of the app registration: each should end in `.Read.All`, but for `Member.Read.Hidden`."
                .to_owned(),
        ),
    }
}

fn canary(id: &Text, answered: &Answered) -> Check {
    match answered {
        Ok(answer) if answer.is_success() => fine(CANARY, format!("`{id}` is there.")),
        Ok(answer) if answer.status == 404 => Check {
            name: CANARY,
            result: CheckResult::Failed,
            seen: format!("`{id}` is not a user."),
            next: Some("Correct the canaries: they are object ids of users.".to_owned()),
        },
        Ok(answer) => failed(CANARY, answer, Asked::Users),
        Err(error) => unanswered(CANARY, error),
    }
}

fn failed(name: &'static str, answer: &Answer, asked: Asked) -> Check {
    refused(name, answer.status, words_of(answer, asked))
}

/// Rows of a list; `None` where the body is none.
fn rows(body: &[u8]) -> Option<Vec<Row>> {
    serde_json::from_slice::<Page>(body).ok().map(|it| it.value)
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "principalType")]
    kind: Option<String>,
    #[serde(rename = "principalId")]
    principal: Option<String>,
}
