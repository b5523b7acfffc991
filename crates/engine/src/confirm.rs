//! Asks again before something is told that was decided, or seen, a while ago: what is over meanwhile
//! is not sent, and what cannot be asked is sent with a mark.
//!
//! Only what is known drops anything: what people and later runs have said, also that it goes on, an account that is seen off
//! of an app that is seen in no other way, and an owner who is seen to have the right again where nobody
//! else has a say in it. One that is not found is not shown to be gone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Activity, Answer, Clock, Family, Finding, FindingId, FindingState, List, NotifyReason,
    Observation, Question, Rows, SubjectKind, SystemId,
};
use store::{Due, Store, StoreError};

use crate::ask::ask;
use crate::back::Owner;
use crate::plan::{Plan, Source};

/// What was decided, or seen, longer ago is asked about before it is sent.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(10);

/// Accounts that one pass asks about; those beyond are sent unconfirmed.
const ACCOUNTS_MAX: usize = 200;

/// What is known of a finding now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Now {
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
        let ids_of = |wanted: &dyn Fn(&&Due) -> bool| -> BTreeSet<FindingId> {
            let wanted = due.iter().filter(wanted);
            wanted.flat_map(|it| &it.notice.findings).copied().collect()
        };
        let (all, old) = (ids_of(&|it| !is_bound(it)), ids_of(&|it| is_old(it, now)));
        let findings = store.findings_by_id(all.into_iter().collect()).await?;
        let mut check = Self { now, known: BTreeMap::new() };
        let mut doubts: Vec<Doubt> = Vec::new();
        for finding in findings {
            if !old.contains(&finding.id) && !is_unseen(plan, &finding, now) {
                check.known.insert(finding.id, (finding, Now::Holds));
                continue;
            }
            let accounts = questions(plan, &finding);
            let state = match (by_state(&finding), accounts.is_empty()) {
                (Some(state), _) => state,
                (None, false) if doubts.len() < ACCOUNTS_MAX => {
                    let items = due.iter().flat_map(|it| &it.notice.items);
                    let mut items = items.filter(|it| it.finding == finding.id);
                    let owner = items.next().and_then(|it| Owner::of(plan, &finding, &it.owners));
                    doubts.push(Doubt { finding: finding.id, accounts, owner });
                    Now::Unknown("the source did not answer".to_owned())
                }
                (None, false) => Now::Unknown("too many accounts to ask about".to_owned()),
                (None, true) if finding.state == FindingState::NotVisible => {
                    Now::Unknown("it is out of sight since, and cannot be asked about".to_owned())
                }
                (None, true) => Now::Unknown("it cannot be asked about by id".to_owned()),
            };
            check.known.insert(finding.id, (finding, state));
        }
        check.ask(plan, &doubts, clock).await;
        Ok(check)
    }

    async fn ask(&mut self, plan: &Plan, doubts: &[Doubt], clock: &dyn Clock) {
        if doubts.is_empty() {
            return;
        }
        let mut asked: Vec<Question> = doubts.iter().flat_map(Doubt::questions).collect();
        asked.sort();
        asked.dedup();
        let heard = ask(plan, asked, clock).await.observations;
        let answer = |question: &Question| heard.iter().find(|it| it.question == *question);
        for doubt in doubts {
            let Some((finding, state)) = self.known.get_mut(&doubt.finding) else { continue };
            let is_only = is_only(plan, &finding.app);
            let said = doubt.accounts.iter().filter_map(answer).map(|it| of_answer(it, is_only));
            // One view that shows it on is enough; of the others none may know its id.
            if let Some(said) =
                said.reduce(|one, other| if other == Now::Holds { other } else { one })
            {
                *state = said;
            }
            if let (Some(owner), false) = (&doubt.owner, matches!(state, Now::Over(_))) {
                *state = owner.now(finding.cause, answer).unwrap_or_else(|| state.clone());
            }
        }
    }

    /// What becomes of one of them. Findings that are over are taken out of a notice about several.
    pub(crate) fn apply(&self, due: &mut Due) -> Checked {
        let reason = due.notice.reason;
        if reason == NotifyReason::Resolved {
            return match (due.was_sent, self.goes_on(&due.notice.findings)) {
                (false, _) => Checked::Drop { why: "over before it was told".to_owned() },
                (true, Some(why)) => Checked::Drop { why },
                (true, None) => Checked::Send { unconfirmed: None },
            };
        }
        if is_bound(due) {
            return Checked::Send { unconfirmed: None };
        }
        if due.notice.findings.is_empty() {
            let what = is_old(due, self.now).then(|| "it was not looked at again".to_owned());
            return Checked::Send { unconfirmed: what };
        }
        let (mut unconfirmed, mut over) = (None, None);
        due.notice.findings.retain(|id| {
            match self.state(*id) {
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

    /// Which of these is not over any more, and how it stands.
    fn goes_on(&self, findings: &[FindingId]) -> Option<String> {
        let known = findings.iter().filter_map(|it| self.known.get(it)).map(|it| &it.0);
        let mut live = known.filter(|it| it.is_live() && it.state != FindingState::Waived);
        live.next().map(|it| format!("{}: {} again", it.id, it.state))
    }

    fn state(&self, id: FindingId) -> Now {
        let known = self.known.get(&id).map(|it| it.1.clone());
        known.unwrap_or_else(|| Now::Unknown("the finding is not in the database".to_owned()))
    }
}

/// A finding that is asked about.
struct Doubt {
    finding: FindingId,
    /// One for each view of the app that can be asked.
    accounts: Vec<Question>,
    /// Who may have the right again; `None`: nobody who can be asked for.
    owner: Option<Owner>,
}

impl Doubt {
    fn questions(&self) -> impl Iterator<Item = Question> {
        let of_owner = self.owner.iter().flat_map(Owner::questions).cloned();
        self.accounts.iter().cloned().chain(of_owner)
    }
}

/// Whether the app is seen in one way alone: another may have shown the account on.
fn is_only(plan: &Plan, app: &SystemId) -> bool {
    plan.sources.iter().filter(|it| it.system() == app).count() < 2
}

/// A digest and a report say as of when they speak, and a test says nothing.
const fn is_bound(due: &Due) -> bool {
    matches!(due.notice.reason, NotifyReason::Digest | NotifyReason::Report | NotifyReason::Test)
}

fn is_old(due: &Due, now: DateTime<Utc>) -> bool {
    let is_over = due.notice.reason == NotifyReason::Resolved;
    !is_bound(due) && !is_over && now - due.notice.at > FRESH_FOR
}

/// The run that decided on it rested on an earlier look at the account, as where the app did not
/// answer.
fn is_unseen(plan: &Plan, finding: &Finding, now: DateTime<Utc>) -> bool {
    let seen_at = finding.exposures.last().and_then(|it| it.last_seen_active);
    seen_at.is_some_and(|it| now - it > FRESH_FOR) && !questions(plan, finding).is_empty()
}

/// What later runs and people have said; `None`: that it still stands. What is held is told only once
/// its deadline is over. An account that is out of sight may be on: its leaver is told.
pub(crate) fn by_state(finding: &Finding) -> Option<Now> {
    match finding.state {
        FindingState::Open | FindingState::NotVisible => None,
        FindingState::Held if finding.breached_at.is_some() => None,
        FindingState::Pending => Some(Now::Over("pending again".to_owned())),
        FindingState::Acknowledged
        | FindingState::Held
        | FindingState::Waived
        | FindingState::Resolved
        | FindingState::FalsePositive => Some(Now::Over(format!("{} meanwhile", finding.state))),
    }
}

/// What to ask about a finding, of each view of the app that can be asked. Empty when no answer by
/// id decides it, or nobody can be asked.
fn questions(plan: &Plan, finding: &Finding) -> Vec<Question> {
    let subject = &finding.subject;
    if finding.family() != Family::AccessRemains || subject.kind != SubjectKind::Account {
        return Vec::new();
    }
    let is_live = |it: &&Source| it.is_live() && *it.system() == subject.system;
    let question = |it: &Source| Question {
        system: subject.system.clone(),
        list: List::Accounts,
        channel: it.channel(),
        id: subject.key.clone(),
    };
    plan.sources.iter().filter(is_live).map(question).collect()
}

/// `is_only`: the app is seen in no other way, which may have shown the account on.
fn of_answer(observation: &Observation, is_only: bool) -> Now {
    let unknown = |why: &str| Now::Unknown(why.to_owned());
    let at = observation.received_at.to_rfc3339();
    match &observation.answer {
        Answer::Found(Rows::Accounts(rows)) => match rows.first().map(|it| Activity::of(&it)) {
            Some(Activity::Active | Activity::Invited) => Now::Holds,
            Some(Activity::Inactive) if !is_only => unknown(
                "asked again, the account was off, and the app's other lists cannot be asked",
            ),
            Some(Activity::Inactive) => {
                Now::Over(format!("asked again, the account was off at {at}"))
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
    use domain::{Account, ActiveFlag, Channel, Invitation};

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
            let (sent_at, received_at) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
            let system = SystemId::parse("app").unwrap();
            let (channel, id) = (Some(Channel::Scim), "a1".into());
            let question = Question { system, list: List::Accounts, channel, id };
            let answer = Answer::Found(Rows::Accounts(vec![account(is_on)].into()));
            of_answer(&Observation { question, answer, sent_at, received_at }, is_only)
        };
        assert!(matches!(told(false, true), Now::Over(_)));
        assert!(matches!(told(false, false), Now::Unknown(_)));
        assert_eq!(told(true, false), Now::Holds);
    }
}
