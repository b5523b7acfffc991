//! Asks again before something is told that was decided a while ago: what is over meanwhile is not
//! sent, and what cannot be asked is sent with a mark.
//!
//! Only a positive answer drops anything: an account that is seen off, of an app that is seen in no other
//! way. One that is not found is not shown to be gone.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Activity, Answer, Clock, Family, Finding, FindingId, FindingState, List, NotifyReason,
    Question, Rows, SubjectKind,
};
use store::{Due, Store, StoreError};

use crate::ask::ask;
use crate::plan::{Plan, Source};

/// A notice older than this is asked about before it is sent.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(10);

/// Accounts that one pass asks about; those beyond are sent unconfirmed.
const QUESTIONS_MAX: usize = 200;

/// What is known of a finding now.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Now {
    /// The account was seen on.
    Holds,
    /// It is over, or not to be told any more, and why.
    Over(String),
    /// It may be either, and why.
    Unknown(String),
}

/// What becomes of a notice that is due.
pub(crate) enum Checked {
    /// To be sent, with a reason where it is not confirmed.
    Send { unconfirmed: Option<String> },
    /// Not to be sent, and why.
    Drop { why: String },
}

/// Checks all that is due in one pass: each account is asked about once.
pub(crate) struct Check {
    now: DateTime<Utc>,
    known: BTreeMap<FindingId, (Finding, Now)>,
}

impl Check {
    /// Asks about what is not fresh any more.
    pub(crate) async fn of(
        store: &Store,
        plan: &Plan,
        due: &[Due],
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let old = due.iter().filter(|it| is_old(it, now));
        let mut ids: Vec<FindingId> =
            old.flat_map(|it| it.notice.findings.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        let findings = store.findings_by_id(ids).await?;
        let mut check = Self { now, known: BTreeMap::new() };
        let mut questions: Vec<(Question, FindingId)> = Vec::new();
        for finding in findings {
            let state = match (by_state(&finding), question(plan, &finding)) {
                (Some(state), _) => state,
                (None, Some(question)) if questions.len() < QUESTIONS_MAX => {
                    questions.push((question, finding.id));
                    Now::Unknown("the source did not answer".to_owned())
                }
                (None, Some(_)) => Now::Unknown("too many accounts to ask about".to_owned()),
                (None, None) => Now::Unknown("it cannot be asked about by id".to_owned()),
            };
            check.known.insert(finding.id, (finding, state));
        }
        check.ask(plan, questions, clock).await;
        Ok(check)
    }

    async fn ask(&mut self, plan: &Plan, questions: Vec<(Question, FindingId)>, clock: &dyn Clock) {
        if questions.is_empty() {
            return;
        }
        let mut asked: Vec<Question> = questions.iter().map(|it| it.0.clone()).collect();
        asked.sort();
        asked.dedup();
        let heard = ask(plan, asked, clock).await;
        for observation in heard.observations {
            let about = questions.iter().filter(|it| it.0 == observation.question);
            for (_, id) in about {
                if let Some((finding, state)) = self.known.get_mut(id) {
                    let sources = plan.sources.iter();
                    let is_only = sources.filter(|it| *it.system() == finding.app).count() < 2;
                    *state = of_answer(&observation.answer, observation.received_at, is_only);
                }
            }
        }
    }

    /// What becomes of one of them. Findings that are over are taken out of a notice about several.
    pub(crate) fn apply(&self, due: &mut Due) -> Checked {
        let reason = due.notice.reason;
        if reason == NotifyReason::Resolved {
            return match due.was_sent {
                true => Checked::Send { unconfirmed: None },
                false => Checked::Drop { why: "over before it was told".to_owned() },
            };
        }
        if !is_old(due, self.now) {
            return Checked::Send { unconfirmed: None };
        }
        if due.notice.findings.is_empty() {
            let what = "it was not looked at again";
            return Checked::Send { unconfirmed: Some(what.to_owned()) };
        }
        let (mut unconfirmed, mut over) = (None, None);
        due.notice.findings.retain(|id| {
            match self.state(*id, reason) {
                Now::Holds => {}
                Now::Unknown(why) => unconfirmed = Some(why),
                Now::Over(why) => {
                    over = Some(format!("{id}: {why}"));
                    return false;
                }
            }
            true
        });
        let (findings, items) = (&due.notice.findings, &mut due.notice.items);
        items.retain(|it| findings.contains(&it.finding));
        match over {
            Some(why) if findings.is_empty() => Checked::Drop { why },
            _ => Checked::Send { unconfirmed },
        }
    }

    fn state(&self, id: FindingId, reason: NotifyReason) -> Now {
        let Some((finding, state)) = self.known.get(&id) else {
            return Now::Unknown("the finding is not in the database".to_owned());
        };
        let asks_for_hands = matches!(reason, NotifyReason::Reminder | NotifyReason::Escalated);
        if asks_for_hands && finding.state == FindingState::Acknowledged {
            return Now::Over("acknowledged meanwhile".to_owned());
        }
        state.clone()
    }
}

/// A digest and a report say as of when they speak, and a test says nothing.
fn is_old(due: &Due, now: DateTime<Utc>) -> bool {
    let is_bound = matches!(
        due.notice.reason,
        NotifyReason::Digest | NotifyReason::Report | NotifyReason::Test | NotifyReason::Resolved
    );
    !is_bound && now - due.notice.at > FRESH_FOR
}

/// What later runs and people have said; `None`: that it still stands.
fn by_state(finding: &Finding) -> Option<Now> {
    match finding.state {
        FindingState::Resolved | FindingState::FalsePositive | FindingState::Waived => {
            Some(Now::Over(format!("{} meanwhile", finding.state)))
        }
        FindingState::Pending
        | FindingState::Open
        | FindingState::Acknowledged
        | FindingState::Held
        | FindingState::NotVisible => None,
    }
}

/// What to ask about a finding; `None` when no answer by id decides it, or nobody can be asked.
fn question(plan: &Plan, finding: &Finding) -> Option<Question> {
    let subject = &finding.subject;
    let is_live = |it: &Source| it.is_live() && *it.system() == subject.system;
    let is_askable = finding.family() == Family::AccessRemains
        && subject.kind == SubjectKind::Account
        && plan.sources.iter().any(is_live);
    is_askable.then(|| Question {
        system: subject.system.clone(),
        list: List::Accounts,
        id: subject.key.clone(),
    })
}

/// `is_only`: the app is seen in no other way, which may have shown the account on.
fn of_answer(answer: &Answer, at: DateTime<Utc>, is_only: bool) -> Now {
    let unknown = |why: &str| Now::Unknown(why.to_owned());
    match answer {
        Answer::Found(Rows::Accounts(rows)) => match rows.first().map(Activity::of) {
            Some(Activity::Active | Activity::Invited) => Now::Holds,
            Some(Activity::Inactive) if !is_only => unknown(
                "asked again, the account was off, and the app's other lists cannot be asked",
            ),
            Some(Activity::Inactive) => {
                Now::Over(format!("asked again, the account was off at {}", at.to_rfc3339()))
            }
            _ => unknown("asked again, the answer does not say whether the account is on"),
        },
        Answer::Gone => {
            unknown("asked again, the account was not found, which does not show it off")
        }
        Answer::Found(_) | Answer::Unknown(_) => unknown("asked again, there was no usable answer"),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Account, ActiveFlag, Invitation};

    use super::*;

    #[test]
    fn an_account_that_one_list_of_several_shows_off_is_told_all_the_same() {
        let account = |is_on| Account {
            id: "a1".into(),
            external_id: None,
            user_name: None,
            email: None,
            employee_number: None,
            display_name: None,
            active: ActiveFlag::Set(is_on),
            invitation: Invitation::NotStated,
            raw_status: None,
            active_source: None,
            roles: None,
            groups: None,
            ends_at: None,
            created_at: None,
            modified_at: None,
            last_used_at: None,
        };
        let told = |is_on, is_only| {
            let answer = Answer::Found(Rows::Accounts(vec![account(is_on)]));
            of_answer(&answer, DateTime::UNIX_EPOCH, is_only)
        };
        assert!(matches!(told(false, true), Now::Over(_)));
        assert!(matches!(told(false, false), Now::Unknown(_)));
        assert_eq!(told(true, false), Now::Holds);
    }
}
