//! Asks again by id: one user, and which apps one user has, with how provisioning of them does.
//!
//! A 404 counts as gone only where OneLogin's own error says so, and only while users can be seen
//! at all.

use std::sync::{Mutex, PoisonError};

use domain::{Assignment, Clock, Grant, List, Principal, Rows, Text, Via};
use serde_json::Value;

use super::health::{self, Push, UserApp};
use super::refusal::{Asked, next_page};
use super::{OneLogin, paths};
use crate::asking::{Asking, Heard, Read, Round, Sight, ask_each};
use crate::checks::n_rows;
use crate::live::{Answer, Question, Replies};
use crate::page;
use crate::walk::Dialect as _;

impl OneLogin {
    /// Asks about each object, a few at a time, and answers in the order of the questions. Whose
    /// provisioning waits for an admin, or failed, is told beside them.
    ///
    /// Where the source as a whole does not answer, the remaining questions are not sent and
    /// their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Replies {
        let sight = Sight {
            source: "OneLogin",
            dialect: &Asked::Users,
            canary: self.config.canaries.first().map(|it| paths::user(it)),
            anybody: paths::one_user(),
            look_at: "the scope of the API credential",
            n_users: n_rows,
        };
        let asking = Asking::new(&self.config.system, self.reader.new_pull(), sight);
        let asker = Asker { onelogin: self, asking, pushes: Mutex::default() };
        let replies = ask_each(&asker, clock, questions).await;
        let mut pushes = asker.pushes.into_inner().unwrap_or_else(PoisonError::into_inner);
        // They came in the order in which they were answered.
        pushes.sort_by(|one, other| one.0.cmp(&other.0));
        Replies { replies, troubles: health::of_stuck(&pushes).into_iter().collect() }
    }
}

/// Who asks, in one round.
struct Asker<'o> {
    onelogin: &'o OneLogin,
    asking: Asking<'o>,
    /// How provisioning of those does who were asked about.
    pushes: Mutex<Vec<(Text, Push)>>,
}

impl Round for Asker<'_> {
    fn asking(&self) -> &Asking<'_> {
        &self.asking
    }

    async fn identity(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let mut heard = self.asking.object(&paths::user(id), self.user(id), clock).await;
        if let Answer::Found { row, .. } = &mut heard.answer {
            self.onelogin.config.suspended.meant(row);
        }
        self.asking.if_users_are_seen(&mut heard).await;
        heard
    }

    async fn assignment(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let dialect = &Asked::UserApps;
        let said = |answer: &outbound::Answer| {
            if answer.is_success() {
                self.app(answer, id)
            } else if dialect.says_gone(answer) {
                Answer::Gone
            } else {
                self.asking.refused(answer, dialect)
            }
        };
        let mut heard = self.asking.heard(&paths::user_apps(id), dialect, clock, said).await;
        self.asking.if_users_are_seen(&mut heard).await;
        if let Answer::Found { row: Rows::Assignments(rows), .. } = &mut heard.answer
            && rows.iter().any(|it| it.grant == Grant::Grants)
        {
            match self.is_withheld(id, &mut heard.requests).await {
                Ok(true) => rows.update(|it| it.grant = Grant::Denies),
                Ok(false) => {}
                Err(why) => heard.answer = Answer::Unknown { why },
            }
        }
        heard
    }
}

impl Asker<'_> {
    fn user<'r>(&'r self, id: &'r Text) -> Read<'r> {
        let profile = &self.onelogin.users;
        Read { profile, list: List::Identities, dialect: &Asked::Users, id }
    }

    /// What the apps of one user say of this one.
    fn app(&self, answer: &outbound::Answer, id: &Text) -> Answer {
        let unknown = |why: &str| Answer::Unknown { why: why.to_owned() };
        let Ok(rows) = serde_json::from_slice::<Vec<Value>>(&answer.body) else {
            return unknown("the answer is no list of apps");
        };
        for row in rows {
            let raw = row.to_string();
            let Ok(app) = serde_json::from_value::<UserApp>(row) else {
                return unknown("a row of the answer cannot be read");
            };
            if !app.is(&self.onelogin.config.app_id) {
                continue;
            }
            self.pushes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((id.clone(), app.push()));
            let row = Rows::Assignments(
                vec![Assignment {
                    principal: Principal::Identity(id.clone()),
                    via: Via::NotStated,
                    grant: app.grant(),
                    raw_status: app.raw().map(Into::into),
                    account_id: None,
                    user_name: None,
                    changed_at: None,
                }]
                .into(),
            );
            return Answer::Found { row, body: raw.into_bytes() };
        }
        match next_page(answer) {
            Ok(None) => Answer::Gone,
            _ => unknown("the answer is one page of several"),
        }
    }

    /// Whether the user's state takes the app: the list of apps does not show that.
    async fn is_withheld(
        &self,
        id: &Text,
        requests: &mut Vec<domain::Request>,
    ) -> Result<bool, String> {
        let body = self.asking.body(&paths::user(id), &Asked::Users, requests).await?;
        let system = &self.onelogin.config.system;
        let one = page::one(&self.onelogin.users, system, false, &body);
        one.map(|it| it.is_withheld).map_err(|error| error.what)
    }
}
