//! Asks again by id: the authority where lists may lag.
//!
//! A 404 counts as gone only where Okta's own error says so; for a user only while users can be
//! seen at all, and for an assignment only while the app can be read: without an admin role, and
//! with a wrong app id, everybody is a 404.

use domain::{Clock, List, Request, Text};
use serde::de::IgnoredAny;
use tokio::sync::OnceCell;

use super::health::App;
use super::refusal::Asked;
use super::{Okta, paths};
use crate::abreast::answers;
use crate::asking::{Asking, Heard, Read};
use crate::live::{Answer, Question, Reply};

impl Okta {
    /// Asks about each object, a few at a time, and answers in the order of the questions.
    ///
    /// Where the source as a whole does not answer, the remaining questions are not sent and
    /// their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let round = Round {
            okta: self,
            asking: Asking::new(&self.config.system, self.reader.new_pull()),
            app: OnceCell::new(),
            users: OnceCell::new(),
        };
        answers(questions.iter().map(|it| round.ask(it, clock)).collect()).await
    }
}

/// A round of questions.
struct Round<'o> {
    okta: &'o Okta,
    asking: Asking<'o>,
    /// Whether the app could be read in this round; empty: nobody wanted to know yet.
    app: OnceCell<Result<(), String>>,
    /// Whether users could be seen in this round, likewise.
    users: OnceCell<Result<(), String>>,
}

impl Round<'_> {
    async fn ask(&self, question: &Question, clock: &dyn Clock) -> Reply {
        let heard = match (self.asking.stopped.get(), question) {
            (Some(why), _) => Heard::nothing(format!("not asked, because {why}"), clock),
            (None, Question::Identity(id)) => self.identity(id, clock).await,
            (None, Question::Assignment(id)) => self.assignment(id, clock).await,
            (None, Question::Account(_)) => {
                Heard::nothing("Okta knows no accounts of the app".to_owned(), clock)
            }
        };
        heard.reply(question)
    }

    async fn identity(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let profile = &self.okta.users;
        let read = Read { profile, list: List::Identities, dialect: &Asked::Users, id };
        let mut heard = self.asking.object(&paths::user(id), read, clock).await;
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
        let read = Read { profile, list: List::Assignments, dialect: &Asked::AppUsers, id };
        let mut heard = self.asking.object(&path, read, clock).await;
        if heard.answer == Answer::Gone
            && let Err(why) = self.app_is_there(&mut heard.requests).await
        {
            let why = format!("Okta answers 404, and that may be because of the app: {why}");
            heard.answer = Answer::Unknown { why };
        }
        heard
    }

    /// Looks once in a round whether the app can be read.
    async fn app_is_there(&self, requests: &mut Vec<Request>) -> Result<(), String> {
        let app_id = &self.okta.config.app_id;
        let seen = self.app.get_or_init(async || {
            let body = self.asking.body(&paths::app(app_id), &Asked::App, requests).await?;
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
                let path = paths::user(canary);
                return self.asking.body(&path, &Asked::Users, requests).await.map(drop);
            }
            let body = self.asking.body(&paths::one_user(), &Asked::Users, requests).await?;
            match serde_json::from_slice::<Vec<IgnoredAny>>(&body) {
                Ok(users) if !users.is_empty() => Ok(()),
                Ok(_) => Err("Okta shows nobody at all, look at the admin role".to_owned()),
                Err(_) => Err("Okta's list of users is none".to_owned()),
            }
        });
        seen.await.clone()
    }
}
