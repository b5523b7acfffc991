//! Whether the owner of an account has the right again, by what their identity provider answers just
//! now. It judges nothing: where anybody else has a say in the right, what it hears is a doubt.

use chrono::{DateTime, Utc};
use domain::{
    Answer, Cause, Finding, Grant, Identity, Lifecycle, List, Observation, Question, Rows,
    SystemId, SystemKind,
};

use crate::confirm::Now;
use crate::plan::{AppPlan, Plan, Source};

/// Whose account it is, and what to ask of them.
pub(crate) struct Owner {
    identity: Question,
    /// `None`: everybody at that identity provider has the app.
    assignment: Option<Question>,
    /// Nobody but this identity provider has a say in the right.
    is_sole: bool,
}

impl Owner {
    /// Who may have the right again; `None` when that is nobody, or several, or cannot be asked.
    /// `owners` are keys, as `okta/00u1`.
    pub(crate) fn of(plan: &Plan, finding: &Finding, owners: &[String]) -> Option<Self> {
        let [owner] = owners else { return None };
        let (system, id) = owner.split_once('/')?;
        let system = SystemId::parse(system).ok()?;
        let app = plan.apps.iter().find(|it| it.rules.app == finding.app)?;
        let mut sources = plan.sources.iter();
        if !sources.any(|it| it.is_live() && *it.system() == system) {
            return None;
        }
        let question =
            |list| Question { system: system.clone(), list, channel: None, id: id.into() };
        let is_assigned = app.keys.assigns_everyone.contains(&system);
        Some(Self {
            identity: question(List::Identities),
            assignment: (!is_assigned).then(|| question(List::Assignments)),
            is_sole: is_sole(plan, app, &system),
        })
    }

    pub(crate) fn questions(&self) -> impl Iterator<Item = &Question> {
        [&self.identity].into_iter().chain(&self.assignment)
    }

    /// What the answers say against a finding; `None`: nothing.
    pub(crate) fn now<'a>(
        &self,
        cause: Cause,
        answer: impl Fn(&Question) -> Option<&'a Observation>,
    ) -> Option<Now> {
        let heard = |question| answer(question).map(|it| &it.answer);
        let unanswered = || Now::Unknown(format!("{} did not answer", self.identity.system));
        let (identity, at) = match answer(&self.identity) {
            None => return Some(unanswered()),
            Some(it) => (row(&it.answer), it.received_at),
        };
        let is_active = identity.as_ref().is_some_and(|it| may_sign_in(it, at));
        let is_assigned = match self.assignment.as_ref().map(heard) {
            None => Some(true),
            Some(None | Some(Answer::Unknown(_))) => None,
            Some(Some(Answer::Gone)) => Some(false),
            Some(Some(Answer::Found(rows))) => grants(rows),
        };
        let is_unheard = matches!(heard(&self.identity), Some(Answer::Unknown(_)));
        let is_left = identity.is_some_and(|it| it.lifecycle == Lifecycle::Left);
        let (who, at) = (&self.identity.system, at.to_rfc3339());
        match (is_active, is_assigned) {
            (true, Some(true)) if self.is_sole && cause != Cause::Reactivated => {
                Some(Now::Over(format!("asked again, the owner had the right by {who} at {at}")))
            }
            (true, Some(true)) => {
                Some(Now::Unknown(format!("asked again, the owner had the right by {who}")))
            }
            // Who is not assigned has no right, whatever the status is.
            _ if cause == Cause::UnassignedActive && is_assigned == Some(false) => None,
            (true, _) if cause != Cause::UnassignedActive => {
                Some(Now::Unknown(format!("asked again, the owner was active at {who}")))
            }
            _ if is_unheard || (is_assigned.is_none() && !is_left) => Some(unanswered()),
            _ => None,
        }
    }
}

/// Whether the word of one identity provider is all there is: no other is bound to the app, nobody is
/// the authority, and HR has no list.
fn is_sole(plan: &Plan, app: &AppPlan, idp: &SystemId) -> bool {
    let has_hr = plan.sources.iter().any(|it| Source::kind(it) == SystemKind::Hr);
    app.rules.idps == [idp.clone()] && app.rules.authority.is_none() && !has_hr
}

fn row(answer: &Answer) -> Option<Identity> {
    match answer {
        Answer::Found(Rows::Identities(rows)) => rows.first(),
        _ => None,
    }
}

fn may_sign_in(identity: &Identity, now: DateTime<Utc>) -> bool {
    identity.lifecycle == Lifecycle::Active
        && identity.starts_at.is_none_or(|it| it <= now)
        && identity.ends_at.is_none_or(|it| it > now)
}

/// Whether a row gives the app; `None`: the source has not decided.
fn grants(rows: &Rows) -> Option<bool> {
    let Rows::Assignments(rows) = rows else { return None };
    let is = |grant| rows.iter().any(|it| it.grant == grant);
    if is(Grant::Grants) { Some(true) } else { (!is(Grant::Undecided)).then_some(false) }
}
