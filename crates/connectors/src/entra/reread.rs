//! Asks again by id: one user, among the deleted ones too, and what one user is assigned.
//!
//! A 404 counts as gone only where Graph's own error says so, and only while users can be seen at
//! all. Who is assigned is asked for by the user, because that answer holds what comes through
//! groups, and only from groups that the user is a direct member of.

use domain::{Assignment, Clock, Grant, List, Principal, Request, Rows, Text, Via};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::health::{App, Found};
use super::pull::NO_APP;
use super::refusal::{Asked, next_page};
use super::{Entra, Scope, paths, scoping};
use crate::asking::{Asking, Heard, Read, Round, Sight, ask_each};
use crate::live::{Answer, Question, Reply};
use crate::page::{self, One};
use crate::walk::Dialect as _;

impl Entra {
    /// Asks about each object, a few at a time, and answers in the order of the questions.
    ///
    /// Where the source as a whole does not answer, the remaining questions are not sent and
    /// their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let sight = Sight {
            source: "Entra",
            dialect: &Asked::Users,
            canary: self.config.canaries.first().map(|it| paths::user(it, &[])),
            anybody: paths::one_user(),
            look_at: "the permissions of the app registration",
            n_users: |body| serde_json::from_slice::<Page>(body).ok().map(|it| it.value.len()),
        };
        let asking = Asking::new(&self.config.system, self.reader.new_pull(), sight);
        ask_each(&Asker { entra: self, asking, app: OnceCell::new() }, clock, questions).await
    }
}

/// Who asks, in one round.
struct Asker<'e> {
    entra: &'e Entra,
    asking: Asking<'e>,
    /// The app's object id, or why it is not known; empty: nobody wanted to know yet.
    app: OnceCell<Result<Text, String>>,
}

impl Round for Asker<'_> {
    fn asking(&self) -> &Asking<'_> {
        &self.asking
    }

    async fn identity(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let read = |profile, dialect| Read { profile, list: List::Identities, dialect, id };
        let users = read(&self.entra.users, &Asked::Users);
        let mut heard = self.asking.object(&paths::user(id, &[]), users, clock).await;
        if let Answer::Found { row, .. } = &mut heard.answer {
            self.entra.config.disabled.meant(row);
        }
        if heard.answer != Answer::Gone {
            return heard;
        }
        let deleted = read(&self.entra.deleted, &Asked::DeletedUsers);
        let among_deleted = self.asking.object(&paths::deleted_user(id), deleted, clock).await;
        heard.requests.extend(among_deleted.requests);
        // Who is not among the users has gone, whether or not it can be seen since when.
        match among_deleted.answer {
            found @ Answer::Found { .. } => heard.answer = found,
            Answer::Gone | Answer::Unknown { .. } => {
                self.asking.if_users_are_seen(&mut heard).await;
            }
        }
        heard
    }

    async fn assignment(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let filters = &self.entra.config.scoping_filters;
        match (self.entra.config.scope, filters.is_empty()) {
            (Scope::Everyone, false) => self.in_scope(id, clock).await,
            (Scope::Assigned, false) => {
                let assigned = self.assigned_to(id, clock).await;
                self.unless_left_out(assigned, id, clock).await
            }
            (_, true) => self.assigned_to(id, clock).await,
        }
    }
}

impl Asker<'_> {
    /// Whether the scoping filters reach this user: a row that says so.
    async fn in_scope(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let filters = &self.entra.config.scoping_filters;
        let path = paths::user(id, &filters.members());
        let read =
            Read { profile: &self.entra.users, list: List::Identities, dialect: &Asked::Users, id };
        let mut heard = self.asking.object(&path, read, clock).await;
        if let Answer::Found { row, body } = &mut heard.answer {
            let assignment = scoping::assignment(id.clone(), Via::NotStated, filters.reach(body));
            *row = Rows::Assignments(vec![assignment].into());
        }
        self.asking.if_users_are_seen(&mut heard).await;
        heard
    }

    /// What remains of an assignment, by the scoping filters. Of who is not assigned they say nothing.
    async fn unless_left_out(&self, mut heard: Heard, id: &Text, clock: &dyn Clock) -> Heard {
        let Answer::Found { row: Rows::Assignments(rows), .. } = &mut heard.answer else {
            return heard;
        };
        let user = self.in_scope(id, clock).await;
        heard.requests.extend(user.requests);
        match user.answer {
            Answer::Found { row: Rows::Assignments(reached), .. } => {
                if let Some(left_out) = reached.iter().find(|it| it.grant != Grant::Grants) {
                    rows.update(|row| {
                        row.grant = left_out.grant;
                        row.changed_at = None;
                    });
                }
            }
            Answer::Unknown { why } => heard.answer = Answer::Unknown { why },
            Answer::Found { .. } | Answer::Gone => {
                let why = "whether the scoping filters leave them out was not seen".to_owned();
                heard.answer = Answer::Unknown { why };
            }
        }
        heard
    }

    /// Whether this user is assigned, by hand or through a group.
    async fn assigned_to(&self, id: &Text, clock: &dyn Clock) -> Heard {
        let mut requests = Vec::new();
        let app = match self.app(&mut requests).await {
            Ok(app) => app,
            Err(why) => {
                let why = format!("the enterprise app could not be looked up: {why}");
                let mut heard = Heard::nothing(why, clock);
                heard.requests = requests;
                return heard;
            }
        };
        let path = paths::assigned_to_user(id, &app);
        let dialect = &Asked::AssignedToUser;
        let said = |answer: &outbound::Answer| {
            if answer.is_success() {
                self.assigned(answer, id, &app)
            } else if dialect.says_gone(answer) {
                Answer::Gone
            } else {
                self.asking.refused(answer, dialect)
            }
        };
        let mut heard = self.asking.heard(&path, dialect, clock, said).await;
        heard.requests.splice(0..0, requests);
        self.asking.if_users_are_seen(&mut heard).await;
        heard
    }

    /// What the rows of one user say together.
    fn assigned(&self, answer: &outbound::Answer, id: &Text, app: &str) -> Answer {
        let unknown = |why: &str| Answer::Unknown { why: why.to_owned() };
        let Ok(Page { value }) = serde_json::from_slice(&answer.body) else {
            return unknown("the answer is no list of assignments");
        };
        // Whatever becomes of the filter: rows of other apps say nothing of this one.
        let of_app = value.iter().filter(|it| it["resourceId"].as_str() == Some(app));
        let (mut grant, mut groups, mut body) = (None::<Assignment>, Vec::new(), Vec::new());
        let mut is_direct = false;
        for row in of_app {
            let read = page::one(
                &self.entra.assigned,
                &self.entra.config.system,
                true,
                row.to_string().as_bytes(),
            );
            let Ok(One { rows, raw, .. }) = read else {
                return unknown("a row of the answer cannot be read");
            };
            let Some(Rows::Assignments(rows)) = rows.into_iter().next() else { continue };
            for mut row in rows.iter().filter(|it| it.grant == Grant::Grants) {
                match std::mem::replace(&mut row.via, Via::Direct) {
                    Via::Groups(through) => groups.extend(through),
                    _ if row.principal == Principal::Identity(id.clone()) => is_direct = true,
                    _ => return unknown("Microsoft Graph answered about another user"),
                }
                if grant.is_none() {
                    (grant, body) = (Some(row), raw.clone());
                }
            }
        }
        let Some(row) = grant else {
            return match next_page(answer) {
                Ok(None) => Answer::Gone,
                _ => unknown("the answer is one page of several"),
            };
        };
        let principal = Principal::Identity(id.clone());
        let via = if is_direct { Via::Direct } else { Via::Groups(groups) };
        let row = Rows::Assignments(vec![Assignment { principal, via, ..row }].into());
        Answer::Found { row, body }
    }

    /// Looks the app up, once in a round.
    async fn app(&self, requests: &mut Vec<Request>) -> Result<Text, String> {
        let app_id = &self.entra.config.app_id;
        let found = self.app.get_or_init(async || {
            let body = self.asking.body(&paths::app(app_id), &Asked::App, requests).await?;
            match App::read(&body, app_id) {
                Found::App(app) => Ok(app.id),
                Found::None => Err(NO_APP.to_owned()),
                Found::NoList => Err("the answer is no list of enterprise apps".to_owned()),
            }
        });
        found.await.clone()
    }
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Value>,
}
