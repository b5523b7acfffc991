//! Asks again by id: the authority where lists may lag.
//!
//! A 404 counts as gone only where Okta's own error says so; for a user only while users can be
//! seen at all, and for an assignment only while the app can be read: without an admin role, and
//! with a wrong app id, everybody is a 404.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use domain::{Clock, List, Principal, Request, Rows, Text};
use outbound::{Bytes, Reader};
use serde::de::IgnoredAny;
use tokio::sync::OnceCell;

use super::health::App;
use super::refusal::{self, Asked, OktaError};
use super::walk::chain;
use super::{Okta, paths};
use crate::abreast::answers;
use crate::files::Profile;
use crate::live::{Answer, Question, Reply, ends_asking};
use crate::page;

impl Okta {
    /// Asks about each object, a few at a time, and answers in the order of the questions.
    ///
    /// Where the source as a whole does not answer, the remaining questions are not sent and
    /// their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let asking = Asking {
            okta: self,
            reader: self.reader.new_pull(),
            app: OnceCell::new(),
            users: OnceCell::new(),
            stopped: OnceLock::new(),
        };
        answers(questions.iter().map(|it| asking.ask(it, clock)).collect()).await
    }
}

/// A round of questions.
struct Asking<'o> {
    okta: &'o Okta,
    reader: Reader,
    /// Whether the app could be read in this round; empty: nobody wanted to know yet.
    app: OnceCell<Result<(), String>>,
    /// Whether users could be seen in this round, likewise.
    users: OnceCell<Result<(), String>>,
    /// Why nothing is asked any more; empty: questions are still asked.
    stopped: OnceLock<String>,
}

/// What came of one request.
struct Heard {
    answer: Answer,
    sent_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    requests: Vec<Request>,
}

impl Asking<'_> {
    async fn ask(&self, question: &Question, clock: &dyn Clock) -> Reply {
        let heard = match (self.stopped.get(), question) {
            (Some(why), _) => unknown_now(format!("not asked, because {why}"), clock),
            (None, Question::Identity(id)) => self.identity(id, clock).await,
            (None, Question::Assignment(id)) => self.assignment(id, clock).await,
            (None, Question::Account(_)) => {
                unknown_now("Okta knows no accounts of the app".to_owned(), clock)
            }
        };
        let Heard { answer, sent_at, received_at, requests } = heard;
        Reply { question: question.clone(), answer, sent_at, received_at, requests }
    }

    async fn identity(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let profile = &self.okta.users;
        let read = Read { profile, list: List::Identities, asked: Asked::Users, id };
        let mut heard = self.object(&paths::user(id), read, clock).await;
        if heard.answer == Answer::Gone
            && let Err(why) = self.users_are_seen(&mut heard.requests).await
        {
            let why = format!("Okta answers 404, and that may be for want of permission: {why}");
            heard.answer = Answer::Unknown { why };
        }
        heard
    }

    async fn assignment(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let path = paths::app_user(&self.okta.config.app_id, id);
        let profile = &self.okta.app_users;
        let read = Read { profile, list: List::Assignments, asked: Asked::AppUsers, id };
        let mut heard = self.object(&path, read, clock).await;
        if heard.answer == Answer::Gone
            && let Err(why) = self.app_is_there(&mut heard.requests).await
        {
            let why = format!("Okta answers 404, and that may be because of the app: {why}");
            heard.answer = Answer::Unknown { why };
        }
        heard
    }

    /// Asks for one object.
    async fn object(&self, path: &str, read: Read<'_>, clock: &dyn Clock) -> Heard {
        let began_at = clock.now();
        match self.reader.get(path).await {
            Ok(answer) => {
                let (sent_at, received_at) = (answer.sent_at, answer.received_at);
                let said = self.said(&answer, read);
                let mut requests = answer.requests;
                if let (Answer::Found { .. }, Some(last)) = (&said, requests.last_mut()) {
                    last.n_rows = 1;
                }
                Heard { answer: said, sent_at, received_at, requests }
            }
            Err(mut error) => {
                let requests = std::mem::take(&mut error.requests);
                let is_general = ends_asking(&error.kind);
                let why = chain(&refusal::of_error(error, read.asked));
                if is_general {
                    self.stop(&why);
                }
                let answer = Answer::Unknown { why };
                Heard { answer, sent_at: began_at, received_at: clock.now(), requests }
            }
        }
    }

    fn said(&self, answer: &outbound::Answer, read: Read<'_>) -> Answer {
        if answer.is_success() {
            return self.found(&answer.body, read);
        }
        let error = OktaError::read(&answer.body);
        if answer.status == 404 && error.as_ref().is_some_and(says_gone) {
            return Answer::Gone;
        }
        let refused = refusal::of_answer(answer, read.asked);
        let why = chain(&refused);
        if refused.ends_pull().is_some() {
            self.stop(&why);
        }
        Answer::Unknown { why }
    }

    /// Lets no further question be asked. The first reason stays.
    fn stop(&self, why: &str) {
        self.stopped.get_or_init(|| why.to_owned());
    }

    fn found(&self, body: &[u8], read: Read<'_>) -> Answer {
        let skips_identities = read.list == List::Assignments;
        let system = &self.okta.config.system;
        let (lists, body) = match page::one(read.profile, system, skips_identities, body) {
            Ok(one) => one,
            Err(error) => return Answer::Unknown { why: error.what },
        };
        match lists.into_iter().find(|it| it.list() == read.list) {
            Some(row) if is_about(&row, read.id) => Answer::Found { row, body },
            _ => Answer::Unknown { why: "Okta answered with another object".to_owned() },
        }
    }

    /// Looks once in a round whether the app can be read.
    async fn app_is_there(&self, requests: &mut Vec<Request>) -> Result<(), String> {
        let app_id = &self.okta.config.app_id;
        let seen = self.app.get_or_init(async || {
            let body = self.body(&paths::app(app_id), Asked::App, requests).await?;
            App::read(&body, app_id)
                .map(drop)
                .ok_or_else(|| "it could not be read, the answer is not that of the app".to_owned())
        });
        seen.await.clone()
    }

    /// Looks once in a round whether users can be seen: a canary where there is one, else anybody.
    async fn users_are_seen(&self, requests: &mut Vec<Request>) -> Result<(), String> {
        let seen = self.users.get_or_init(async || {
            if let Some(canary) = self.okta.config.canaries.first() {
                return self.body(&paths::user(canary), Asked::Users, requests).await.map(drop);
            }
            let body = self.body(&paths::one_user(), Asked::Users, requests).await?;
            match serde_json::from_slice::<Vec<IgnoredAny>>(&body) {
                Ok(users) if !users.is_empty() => Ok(()),
                Ok(_) => Err("Okta shows nobody at all, look at the admin role".to_owned()),
                Err(_) => Err("Okta's list of users is none".to_owned()),
            }
        });
        seen.await.clone()
    }

    /// The body of a success, or why there is none.
    async fn body(
        &self,
        path: &str,
        asked: Asked,
        requests: &mut Vec<Request>,
    ) -> Result<Bytes, String> {
        match self.reader.get(path).await {
            Ok(answer) => {
                requests.extend(answer.requests.iter().cloned());
                if answer.is_success() {
                    Ok(answer.body)
                } else {
                    Err(chain(&refusal::of_answer(&answer, asked)))
                }
            }
            Err(mut error) => {
                requests.append(&mut error.requests);
                Err(chain(&refusal::of_error(error, asked)))
            }
        }
    }
}

/// What an answer must be.
#[derive(Clone, Copy)]
struct Read<'r> {
    profile: &'r Profile,
    list: List,
    asked: Asked,
    id: &'r Text,
}

/// Okta says `E0000007` for a resource that is not there, whichever it is. The app is none that
/// may be gone.
fn says_gone(error: &OktaError) -> bool {
    error.code() == "E0000007"
        && !error.missing_resource().is_some_and(|it| it.starts_with("App") && it != "AppUser")
}

/// Okta takes a login for an id as well, so the answer must name the id that was asked for.
fn is_about(row: &Rows, id: &Text) -> bool {
    match row {
        Rows::Identities(rows) => rows.iter().all(|it| it.id == *id),
        Rows::Assignments(rows) => {
            rows.iter().all(|it| it.principal == Principal::Identity(id.clone()))
        }
        _ => false,
    }
}

fn unknown_now(why: String, clock: &dyn Clock) -> Heard {
    let now = clock.now();
    Heard { answer: Answer::Unknown { why }, sent_at: now, received_at: now, requests: Vec::new() }
}
