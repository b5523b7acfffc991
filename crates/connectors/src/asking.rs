//! A round of questions by id, whoever is asked: what one object is, or that it is gone. What an
//! answer means, and which other one it needs, is each connector's.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use domain::{Clock, List, Principal, Request, Rows, SystemId, Text};
use outbound::{Bytes, Reader};
use tokio::sync::OnceCell;

use crate::abreast::answers;
use crate::files::Profile;
use crate::live::{Answer, Question, Reply, chain, ends_asking};
use crate::page;
use crate::walk::Dialect;

/// A round of questions.
pub(crate) struct Asking<'a> {
    system: &'a SystemId,
    reader: Reader,
    sight: Sight<'a>,
    /// Why nothing is asked any more; empty: questions are still asked.
    stopped: OnceLock<String>,
    /// Whether users could be seen in this round; empty: nobody wanted to know yet.
    users_are_seen: OnceCell<Result<(), String>>,
}

/// How it shows that users can be seen at all. Where they cannot, everybody is a 404.
pub(crate) struct Sight<'a> {
    /// Who answers 404, for people.
    pub(crate) source: &'static str,
    pub(crate) dialect: &'a dyn Dialect,
    /// Where a user is who must be there; `None`: none is known.
    pub(crate) canary: Option<String>,
    /// Where a list of one user is.
    pub(crate) anybody: String,
    /// What to look at where that list is empty.
    pub(crate) look_at: &'static str,
    /// Counts the users of such a list; `None`: it is none.
    pub(crate) n_users: fn(&[u8]) -> Option<usize>,
}

/// What a connector makes of a question.
pub(crate) trait Round: Sync {
    fn asking(&self) -> &Asking<'_>;

    /// What a user is. An app has none.
    fn identity(&self, _: &Text, clock: &dyn Clock) -> impl Future<Output = Heard> + Send {
        self.knows_no("users of an identity provider", clock)
    }

    /// Whether a user may use the app. An app does not say.
    fn assignment(&self, _: &Text, clock: &dyn Clock) -> impl Future<Output = Heard> + Send {
        self.knows_no("assignments", clock)
    }

    /// What an account is. An identity provider has none.
    fn account(&self, _: &Text, clock: &dyn Clock) -> impl Future<Output = Heard> + Send {
        self.knows_no("accounts of the app", clock)
    }

    /// The answer where there is nobody to ask.
    fn knows_no(&self, what: &str, clock: &dyn Clock) -> std::future::Ready<Heard> {
        let source = self.asking().sight.source;
        std::future::ready(Heard::nothing(format!("{source} knows no {what}"), clock))
    }
}

/// Asks about each object, a few at a time, and answers in the order of the questions.
pub(crate) async fn ask_each(
    round: &impl Round,
    clock: &dyn Clock,
    questions: &[Question],
) -> Vec<Reply> {
    answers(questions.iter().map(|it| ask(round, clock, it)).collect()).await
}

async fn ask(round: &impl Round, clock: &dyn Clock, question: &Question) -> Reply {
    let asking = round.asking();
    let heard = match (asking.stopped.get(), question) {
        (Some(why), _) => Heard::nothing(format!("not asked, because {why}"), clock),
        (None, Question::Identity(id)) => round.identity(id, clock).await,
        (None, Question::Assignment(id)) => round.assignment(id, clock).await,
        (None, Question::Account(id)) => round.account(id, clock).await,
    };
    heard.reply(question)
}

/// What came of one question.
pub(crate) struct Heard {
    pub(crate) answer: Answer,
    sent_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    pub(crate) requests: Vec<Request>,
}

/// What an answer must be.
#[derive(Clone, Copy)]
pub(crate) struct Read<'r> {
    pub(crate) profile: &'r Profile,
    pub(crate) list: List,
    pub(crate) dialect: &'r dyn Dialect,
    pub(crate) id: &'r Text,
}

impl<'a> Asking<'a> {
    /// Begins a round.
    pub(crate) fn new(system: &'a SystemId, reader: Reader, sight: Sight<'a>) -> Self {
        let (stopped, users_are_seen) = (OnceLock::new(), OnceCell::new());
        Self { system, reader, sight, stopped, users_are_seen }
    }

    /// Makes that somebody is gone unknown where users cannot be seen at all: a 404 is no word of
    /// its own there.
    pub(crate) async fn if_users_are_seen(&self, heard: &mut Heard) {
        if heard.answer == Answer::Gone
            && let Err(why) = self.users_are_seen(&mut heard.requests).await
        {
            let source = self.sight.source;
            let why =
                format!("{source} answers 404, and that may be for want of permission: {why}");
            heard.answer = Answer::Unknown { why };
        }
    }

    /// Looks once in a round whether users can be seen: a canary where there is one, else anybody.
    async fn users_are_seen(&self, requests: &mut Vec<Request>) -> Result<(), String> {
        let Sight { dialect, canary, anybody, look_at, n_users, .. } = &self.sight;
        let vendor = dialect.vendor();
        let seen = self.users_are_seen.get_or_init(async || {
            if let Some(canary) = canary {
                return self.body(canary, *dialect, requests).await.map(drop);
            }
            let body = self.body(anybody, *dialect, requests).await?;
            match n_users(&body) {
                Some(0) => Err(format!("{vendor} shows nobody at all, look at {look_at}")),
                Some(_) => Ok(()),
                None => Err(format!("{vendor}'s list of users is none")),
            }
        });
        seen.await.clone()
    }

    /// Lets no further question be asked. The first reason stays.
    fn stop(&self, why: &str) {
        self.stopped.get_or_init(|| why.to_owned());
    }

    /// Asks for one object.
    pub(crate) async fn object(&self, path: &str, read: Read<'_>, clock: &dyn Clock) -> Heard {
        self.heard(path, read.dialect, clock, |answer| self.said(answer, read)).await
    }

    /// Asks, and lets `said` tell what a final answer means.
    pub(crate) async fn heard(
        &self,
        path: &str,
        dialect: &dyn Dialect,
        clock: &dyn Clock,
        said: impl FnOnce(&outbound::Answer) -> Answer,
    ) -> Heard {
        let began_at = clock.now();
        match self.reader.get(path).await {
            Ok(answer) => {
                let (sent_at, received_at) = (answer.sent_at, answer.received_at);
                let said = said(&answer);
                let mut requests = answer.requests;
                if let (Answer::Found { .. }, Some(last)) = (&said, requests.last_mut()) {
                    last.n_rows = 1;
                }
                Heard { answer: said, sent_at, received_at, requests }
            }
            Err(mut error) => {
                let requests = std::mem::take(&mut error.requests);
                let is_general = ends_asking(&error.kind);
                let why = chain(&dialect.failed(error));
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
        if read.dialect.says_gone(answer) {
            return Answer::Gone;
        }
        self.refused(answer, read.dialect)
    }

    /// What a refusal means for this question, and for those after it.
    pub(crate) fn refused(&self, answer: &outbound::Answer, dialect: &dyn Dialect) -> Answer {
        let refused = dialect.refused(answer);
        let why = chain(&refused);
        if refused.ends_pull().is_some() {
            self.stop(&why);
        }
        Answer::Unknown { why }
    }

    fn found(&self, body: &[u8], read: Read<'_>) -> Answer {
        let skips_identities = read.list == List::Assignments;
        let one = match page::one(read.profile, self.system, skips_identities, body) {
            Ok(one) => one,
            Err(error) => return Answer::Unknown { why: error.what },
        };
        let body = one.raw;
        match one.rows.into_iter().find(|it| it.list() == read.list) {
            Some(row) if is_about(&row, read.id) => Answer::Found { row, body },
            _ => {
                let why = format!("{} answered with another object", read.dialect.vendor());
                Answer::Unknown { why }
            }
        }
    }

    /// The body of a success, or why there is none.
    pub(crate) async fn body(
        &self,
        path: &str,
        dialect: &dyn Dialect,
        requests: &mut Vec<Request>,
    ) -> Result<Bytes, String> {
        match self.reader.get(path).await {
            Ok(answer) => {
                requests.extend(answer.requests.iter().cloned());
                if answer.is_success() {
                    Ok(answer.body)
                } else {
                    Err(chain(&dialect.refused(&answer)))
                }
            }
            Err(mut error) => {
                requests.append(&mut error.requests);
                Err(chain(&dialect.failed(error)))
            }
        }
    }
}

impl Heard {
    /// A question that was not asked.
    pub(crate) fn nothing(why: String, clock: &dyn Clock) -> Self {
        let now = clock.now();
        let answer = Answer::Unknown { why };
        Self { answer, sent_at: now, received_at: now, requests: Vec::new() }
    }

    /// The reply to a question.
    pub(crate) fn reply(self, question: &Question) -> Reply {
        let Self { answer, sent_at, received_at, requests } = self;
        Reply { question: question.clone(), answer, sent_at, received_at, requests }
    }
}

/// Sources take a login for an id as well, so the answer must name the id that was asked for.
fn is_about(row: &Rows, id: &Text) -> bool {
    match row {
        Rows::Identities(rows) => rows.iter().all(|it| it.id == *id),
        Rows::Assignments(rows) => {
            rows.iter().all(|it| it.principal == Principal::Identity(id.clone()))
        }
        Rows::Accounts(rows) => rows.iter().all(|it| it.id == *id),
        _ => false,
    }
}
