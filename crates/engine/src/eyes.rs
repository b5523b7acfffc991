//! What a run sees with: the sources themselves, or what they once gave to a run that is judged again.

use chrono::{DateTime, Utc};
use connectors::live::Trouble;
use domain::{Clock, Observation, Question, Text};
use rustc_hash::FxHashSet;
use store::{Before, LogPart, State};

use crate::ask::{Heard, ask};
use crate::plan::Plan;
use crate::pull::{Pulled, PulledList, pull_all};

/// Whom a run asks.
pub(crate) enum Eyes<'e> {
    /// The sources, by the clock.
    Open(&'e dyn Clock),
    /// Nobody: what a past run was given.
    Past(Box<Given>),
}

/// What a past run was given, each part until it is taken.
pub(crate) struct Given {
    pulled: Pulled,
    pulled_at: DateTime<Utc>,
    answers: Vec<Observation>,
    answered_at: DateTime<Utc>,
}

impl Given {
    /// Takes the lists and the log out of `before`. `answers`: what it was told by id; `now`: when it
    /// judged.
    pub(crate) fn of(before: &mut Before, answers: Vec<Observation>, now: DateTime<Utc>) -> Self {
        let inputs = &before.inputs;
        let pulled = Pulled {
            lists: std::mem::take(&mut before.lists)
                .into_iter()
                // The bytes of rows are kept already, and files may be others by now.
                .map(|snapshot| PulledList::of(snapshot, Some(Default::default())))
                .collect(),
            unmapped: inputs.unmapped.clone(),
            apps_of_refused_lists: inputs.apps_of_refused_lists.clone(),
            failed: inputs.failed.clone(),
            lost: inputs.lost.clone(),
            refused: inputs.refused.iter().cloned().collect(),
            troubles: inputs
                .troubles
                .iter()
                .map(|it| {
                    let (kind, text, reach) = (it.kind, it.text.clone(), it.reach.clone());
                    (it.system.clone(), Trouble { kind, text, reach })
                })
                .collect(),
            log: std::mem::take(&mut before.log),
            ..Pulled::default()
        };
        Self { pulled, pulled_at: inputs.pulled_at, answers, answered_at: now }
    }
}

impl Eyes<'_> {
    /// When the run is made, by the machine; of a past one, which is kept already, when it judged.
    pub(crate) fn made_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Open(clock) => clock.by_machine(),
            Self::Past(_) => now,
        }
    }

    /// What the sources give, and when all of it was there. Of logs, what no run before was told.
    pub(crate) async fn pull(&mut self, plan: &Plan, state: &State) -> (Pulled, DateTime<Utc>) {
        match self {
            Self::Open(clock) => {
                let mut pulled = pull_all(plan, &state.log_cursors, *clock).await;
                keep_untold(&mut pulled.log, state);
                (pulled, clock.now()) // After looking, never before.
            }
            Self::Past(given) => (std::mem::take(&mut given.pulled), given.pulled_at),
        }
    }

    /// What they answer, and when the run judges. A past run is told what it was told of what it asks
    /// about now, and nothing else.
    pub(crate) async fn ask(
        &mut self,
        plan: &Plan,
        questions: Vec<Question>,
        pulled_at: DateTime<Utc>,
    ) -> (Heard, DateTime<Utc>) {
        match self {
            Self::Open(clock) => {
                let heard = ask(plan, questions, *clock).await;
                (heard, clock.now().max(pulled_at)) // Answers are looks, too.
            }
            Self::Past(given) => {
                let mut observations = std::mem::take(&mut given.answers);
                observations.retain(|it| questions.contains(&it.question));
                (Heard { observations, ..Heard::default() }, given.answered_at)
            }
        }
    }
}

/// Leaves of logs what no run before was told: they hand out events again, and the first time counts.
fn keep_untold(log: &mut [LogPart], state: &State) {
    for LogPart { system, events, .. } in log {
        let mut fresh: FxHashSet<Text> = events.iter().map(|it| it.id.clone()).collect();
        let known = state.log_events.get(system).filter(|_| !fresh.is_empty());
        known.into_iter().flatten().for_each(|it| _ = fresh.remove(&it.id));
        events.retain(|it| fresh.remove(&it.id));
    }
}
