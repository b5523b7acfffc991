//! Asks live sources again by id: for each what the judgement wants confirmed, all at once.

use std::collections::BTreeMap;

use connectors::live::{self, Replies, Trouble};
use domain::{
    Activity, Answer, At, Body, Channel, Clock, EntityId, Grant, Identity, Lifecycle, List,
    Observation, Question, Request, Rows, Stream, SystemId, Text,
};
use rustc_hash::{FxHashMap, FxHashSet};
use tracing::info;

use crate::lists::{Listing, Missing};
use crate::plan::{Plan, Source};

/// What asking again brought.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) observations: Vec<Observation>,
    pub(crate) requests: Vec<(SystemId, Request)>,
    /// The raw bytes of what was found.
    pub(crate) bodies: Vec<(Question, Vec<u8>)>,
    /// What the answers say is wrong with provisioning.
    pub(crate) troubles: Vec<(SystemId, Trouble)>,
}

/// How asking again went.
#[derive(Debug)]
pub(crate) struct AskedAgain {
    /// Questions that were asked.
    pub(crate) n: usize,
    /// Accounts that were too many to ask about.
    pub(crate) n_left_out: usize,
    /// Of which systems questions got no answer that says anything.
    pub(crate) unanswered: Vec<Unanswered>,
}

/// Questions by id that one system did not answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) system: SystemId,
    /// How many.
    pub(crate) n: usize,
    /// Of how many.
    pub(crate) n_asked: usize,
    /// Why the first was not.
    pub(crate) why: String,
}

/// Why an answer that came is none.
const NOT_SAID: &str = "the answer does not say whether it is on";

/// One view of a system: by which it is asked, and has ids of its own.
type View = (SystemId, Option<Channel>);

/// Asks. Questions to sources that cannot be asked are left out.
pub(crate) async fn ask(plan: &Plan, questions: Vec<Question>, clock: &dyn Clock) -> Heard {
    let now = At(clock.now());
    let mut by_view: BTreeMap<View, Vec<Question>> = BTreeMap::new();
    for question in questions {
        let view = (question.system.clone(), question.channel);
        by_view.entry(view).or_default().push(question);
    }
    let mut asked = Vec::new();
    for (view, questions) in by_view {
        let Some(source) = plan.asked(&view.0, view.1) else { continue };
        let source = source.clone();
        let wire: Vec<live::Question> = questions.iter().filter_map(wire).collect();
        let task = tokio::spawn(async move {
            match source {
                Source::Okta(okta) => okta.reread(&now, &wire).await.into(),
                Source::Entra(entra) => entra.reread(&now, &wire).await.into(),
                Source::OneLogin(onelogin) => onelogin.reread(&now, &wire).await,
                Source::Scim(scim) => scim.reread(&now, &wire).await.into(),
                Source::Secureframe(secureframe) => secureframe.reread(&now, &wire).await.into(),
                Source::Files(_) | Source::NotSetUp { .. } | Source::Past { .. } => {
                    Replies::default()
                }
            }
        });
        asked.push((view, task));
    }
    let mut heard = Heard::default();
    for (view, task) in asked {
        match task.await {
            Ok(Replies { replies, troubles }) => {
                heard.add(&view, replies);
                heard.troubles.extend(troubles.into_iter().map(|it| (view.0.clone(), it)));
            }
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
    heard
}

fn wire(question: &Question) -> Option<live::Question> {
    match question.list {
        List::Identities => Some(live::Question::Identity(question.id.clone())),
        List::Assignments => Some(live::Question::Assignment(question.id.clone())),
        List::Accounts => Some(live::Question::Account(question.id.clone())),
        List::Memberships | List::NonHumans | List::Leavers => None,
    }
}

impl Heard {
    fn add(&mut self, (system, channel): &View, replies: Vec<live::Reply>) {
        info!(system.id = %system, n_asked = replies.len(), "Asked `{system}` again by id");
        for reply in replies {
            let (list, id) = match reply.question {
                live::Question::Identity(id) => (List::Identities, id),
                live::Question::Assignment(id) => (List::Assignments, id),
                live::Question::Account(id) => (List::Accounts, id),
            };
            let question = Question { system: system.clone(), list, channel: *channel, id };
            let answer = match reply.answer {
                live::Answer::Found { row, body } => {
                    self.bodies.push((question.clone(), body));
                    Answer::Found(row)
                }
                live::Answer::Gone => Answer::Gone,
                live::Answer::Unknown { why } => Answer::Unknown(why),
            };
            self.requests.extend(reply.requests.into_iter().map(|it| (system.clone(), it)));
            let (sent_at, received_at) = (reply.sent_at, reply.received_at);
            self.observations.push(Observation { question, answer, sent_at, received_at });
        }
    }

    /// What is told of it. `n_left_out`: accounts that were too many to ask about.
    pub(crate) fn told(&self, n_left_out: usize) -> AskedAgain {
        AskedAgain { n: self.observations.len(), n_left_out, unanswered: self.unanswered() }
    }

    fn unanswered(&self) -> Vec<Unanswered> {
        let mut all: BTreeMap<&SystemId, Unanswered> = BTreeMap::new();
        for Observation { question, answer, .. } in &self.observations {
            let system = &question.system;
            let of = all.entry(system).or_insert_with(|| Unanswered {
                system: system.clone(),
                n: 0,
                n_asked: 0,
                why: String::new(),
            });
            of.n_asked += 1;
            let why = match answer {
                Answer::Unknown(why) => why,
                Answer::Found(row) if !says_what_was_asked(row) => NOT_SAID,
                Answer::Found(_) | Answer::Gone => continue,
            };
            if of.n == 0 {
                why.clone_into(&mut of.why);
            }
            of.n += 1;
        }
        all.into_values().filter(|it| it.n > 0).collect()
    }

    /// The raw bytes of what was found, for the rows that are known.
    pub(crate) fn bodies(&mut self, listings: &[Listing]) -> Vec<Body> {
        let mut known: FxHashMap<(&Stream, Text), EntityId> = FxHashMap::default();
        for listing in listings {
            for (id, answered) in &listing.answers {
                let key = (&listing.stream, id.clone());
                known.extend(answered.entity.map(|it| (key, it)));
            }
        }
        std::mem::take(&mut self.bodies)
            .into_iter()
            .filter_map(|(it, bytes)| {
                let entity = *known.get(&(&it.stream(), it.id))?;
                Some(Body { entity, bytes })
            })
            .collect()
    }
}

/// What was answered about one row of a list.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// The row as it is now; `None`: it is not there.
    pub(crate) row: Option<Rows>,
    /// When it was asked.
    pub(crate) sent_at: chrono::DateTime<chrono::Utc>,
    /// The row's number; `None` when no list ever had it.
    pub(crate) entity: Option<EntityId>,
}

/// Puts answers beside the lists that they are about.
pub(crate) fn put_beside(listings: &mut [Listing], observations: &[Observation]) {
    for listing in listings {
        let mine = observations.iter().filter(|it| it.question.stream() == listing.stream);
        let mine: FxHashMap<&str, &Observation> = mine.map(|it| (&*it.question.id, it)).collect();
        if mine.is_empty() {
            continue;
        }
        let is_of_accounts = listing.stream.list == List::Accounts;
        let is_unasked = matches!(listing.missing, Some(Missing::Unasked { .. }));
        let mut entities: FxHashMap<Text, (EntityId, Option<Identity>)> = FxHashMap::default();
        for (id, entity, (rows, at)) in listing.known_rows() {
            if mine.contains_key(id) {
                let identity = if let Rows::Identities(rows) = rows { rows.get(at) } else { None };
                entities.insert(id.into(), (entity, identity));
            }
        }
        let listed: FxHashSet<EntityId> = listing.entities_of_run().iter().copied().collect();
        for (id, observation) in mine {
            let known = entities.get(id);
            let row = match &observation.answer {
                Answer::Unknown(_) => continue,
                // It says less than a list does.
                Answer::Found(row) if !says_what_was_asked(row) => continue,
                Answer::Found(row) => Some(row.clone()),
                // The list of the same run has it: one of the two is wrong, and the next run sees.
                Answer::Gone if known.is_some_and(|it| listed.contains(&it.0)) => continue,
                // A light pass has seen nobody: this one is gone, or all of them are out of sight.
                // Who has left has no app, whoever else is in sight; and a user who was gone from the
                // last list does not come back.
                Answer::Gone
                    if is_unasked
                        && !has_left(observations, observation)
                        && !known.is_some_and(|it| listing.was_gone(it.0)) =>
                {
                    continue;
                }
                // Where the list is not to be had, nobody may be: the address may be wrong.
                Answer::Gone if listing.missing.is_some() && is_of_accounts => continue,
                Answer::Gone => known.and_then(|it| it.1.clone()).map(deleted),
            };
            let entity = known.map(|it| it.0);
            let sent_at = observation.sent_at;
            listing.answers.insert(id.into(), Answered { row, sent_at, entity });
        }
    }
}

/// Whether what was asked is the assignment of somebody who has left, by an answer of the same run.
fn has_left(observations: &[Observation], asked: &Observation) -> bool {
    let Question { system, list, id, channel: _ } = &asked.question;
    let is_left = |it: &Observation| match &it.answer {
        Answer::Found(Rows::Identities(rows)) => {
            it.question.system == *system
                && it.question.id == *id
                && rows.iter().all(|it| it.lifecycle == Lifecycle::Left)
        }
        Answer::Found(_) | Answer::Gone | Answer::Unknown(_) => false,
    };
    *list == List::Assignments && observations.iter().any(is_left)
}

/// Whether an answer says if the account is on, if the user has left, or if the assignment grants.
fn says_what_was_asked(row: &Rows) -> bool {
    match row {
        Rows::Accounts(rows) => {
            let is_said = |it| !matches!(it, Activity::NotStated | Activity::Unknown);
            rows.iter_packed().all(|it| is_said(Activity::of(&it)))
        }
        Rows::Identities(rows) => {
            rows.iter().all(|it| !matches!(it.lifecycle, Lifecycle::NotStated | Lifecycle::Unknown))
        }
        Rows::Assignments(rows) => rows.iter().all(|it| it.grant != Grant::Undecided),
        Rows::Memberships(_) | Rows::NonHumans(_) | Rows::Leavers(_) => true,
    }
}

/// Deleted where it had been seen: that person has left. When is known only of somebody who had
/// left before.
fn deleted(identity: Identity) -> Rows {
    let had_left = identity.lifecycle == Lifecycle::Left;
    let gone = Identity {
        lifecycle: Lifecycle::Left,
        status_changed_at: identity.status_changed_at.filter(|_| had_left),
        ..identity
    };
    Rows::Identities(vec![gone].into())
}
