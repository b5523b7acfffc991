//! Asks again by id: the authority where lists may lag.
//!
//! A 404 counts as gone only where Okta's own error says so; for a user only while users can be
//! seen at all, and for an assignment only while the app can be read: without an admin role, and
//! with a wrong app id, everybody is a 404.

use domain::{Clock, List, Request, Text};
use tokio::sync::OnceCell;

use super::health::App;
use super::refusal::Asked;
use super::{Okta, paths};
use crate::asking::{Asking, Heard, Read, Round, Sight, ask_each};
use crate::checks::n_rows;
use crate::live::{Answer, Question, Reply};

impl Okta {
    /// Asks about each object, a few at a time, and answers in the order of the questions.
    ///
    /// Where the source as a whole does not answer, the remaining questions are not sent and
    /// their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let sight = Sight {
            source: "Okta",
            dialect: &Asked::Users,
            canary: self.config.canaries.first().map(|it| paths::user(it)),
            anybody: paths::one_user(),
            look_at: "the admin role",
            n_users: n_rows,
        };
        let asking = Asking::new(&self.config.system, self.reader.new_pull(), sight);
        ask_each(&Asker { okta: self, asking, app: OnceCell::new() }, clock, questions).await
    }
}

/// Who asks, in one round.
struct Asker<'o> {
    okta: &'o Okta,
    asking: Asking<'o>,
    /// Whether the app could be read in this round; empty: nobody wanted to know yet.
    app: OnceCell<Result<(), String>>,
}

impl Round for Asker<'_> {
    fn asking(&self) -> &Asking<'_> {
        &self.asking
    }

    async fn identity(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let profile = &self.okta.users;
        let read = Read { profile, list: List::Identities, dialect: &Asked::Users, id };
        let mut heard = self.asking.object(&paths::user(id), read, clock).await;
        self.asking.if_users_are_seen(&mut heard).await;
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
}

impl Asker<'_> {
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
}
