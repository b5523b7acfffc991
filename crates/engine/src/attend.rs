//! Waits for what is due and does it, one run at a time, until told to stop.
//!
//! A wake-up carries no message about what changed. What a run is, and what the
//! settings say, belongs to whoever gives the [`Work`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Pass, Turn};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::{Due, Schedule};

/// Longest sleep before looking at the clock again. A machine that was suspended, or whose clock
/// was set, is at most this late.
const NAP_MAX: Duration = Duration::from_secs(60);

/// How long after a run that failed the next try begins: a disk that is full, or a secret that is
/// not there, is mended by a person.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);

/// A clock that was set back by more than this had been wrong, and what it said does not count.
const SET_BACK_MAX: TimeDelta = TimeDelta::hours(1);

/// What wakes a daemon besides its schedule. Each is remembered until it is heeded, between two
/// runs; told twice, it is heeded once.
#[derive(Debug, Default)]
pub struct Wakes {
    /// End after the run that goes on.
    pub stop: Notify,
    /// Read the settings again.
    pub reload: Notify,
    /// Do a full run now, due or not.
    pub run: Notify,
}

/// What a daemon does.
pub trait Work {
    /// Why it cannot go on.
    type Error;

    /// When it is done.
    fn schedule(&self) -> &Schedule;

    /// Is told what is due next, before each wait. `None`: nothing, ever.
    fn wait_for(&mut self, due: Option<Due>);

    /// Does one run, for a turn of the schedule or (`None`) because somebody asked.
    ///
    /// # Errors
    ///
    /// Returns what ends the daemon. A run that failed and may be tried again is
    /// [`Ran::Failed`].
    fn run(
        &mut self,
        pass: Pass,
        turn: Option<Turn>,
    ) -> impl Future<Output = Result<Ran, Self::Error>> + Send;

    /// Reads the settings again. Those in force stay when the new ones cannot be used.
    fn reload(&mut self);
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It was committed, with its turn.
    Committed,
    /// Nothing was saved. It is tried again after a quarter of an hour, and as long as it takes.
    Failed,
}

/// Does `work` whenever it is due, and whenever asked. Returns when told to stop, between two
/// runs; drop the future to stop at once.
///
/// `last` is the last turn that was a full run and was committed. Due times that passed since then
/// are caught up with one run, also those of a schedule that is another since. A start under a
/// schedule that has no turn, and with nothing to catch up, does a full run now. Light passes are not
/// caught up: those that passed while something ran, or nothing did, lapse, and one that is due
/// together with a full run is that.
///
/// # Errors
///
/// Returns what ends the work.
pub async fn attend<W: Work + Send>(
    clock: &dyn Clock,
    last: Option<&Turn>,
    wakes: &Wakes,
    work: &mut W,
) -> Result<(), W::Error> {
    let mut past = Past::of(last, work.schedule(), clock.now());
    loop {
        let now = clock.now();
        let due = past.due(work.schedule(), now);
        work.wait_for(due);
        let left = due.map(|it| (it.begins - now).to_std().unwrap_or(Duration::ZERO));
        let (pass, turn) = match wait(left.unwrap_or(NAP_MAX).min(NAP_MAX), wakes).await {
            Woken::Stop => return Ok(()),
            Woken::Reload => {
                let before = work.schedule().clone();
                work.reload();
                if work.schedule().to_string() != before.to_string() {
                    past = past.under_another(&before, clock.now());
                }
                continue;
            }
            Woken::Asked => (Pass::Full, None),
            // The clock is looked at again after each nap: more may be due by then.
            Woken::Rested => match due.filter(|it| it.begins <= now) {
                Some(due) => (due.pass, Some(due.turn(now, work.schedule()))),
                None => continue,
            },
        };
        let began = turn.as_ref().map(|it| it.began);
        let ran = work.run(pass, turn).await?;
        past.add(pass, began, ran, clock.now());
    }
}

/// Up to when due times are dealt with.
struct Past {
    /// Full runs that were due up to here are done.
    settled: DateTime<Utc>,
    /// Light passes that were due up to here are done, or need not be done any more.
    lapsed: DateTime<Utc>,
    /// What a schedule before asked for, and nobody did.
    owed: Option<Due>,
    /// The schedule in force has no turn: whatever it says, a run is due now.
    is_new: bool,
    /// After a run that failed, none of the schedule begins before.
    rests_until: Option<DateTime<Utc>>,
    /// What is due next, as long as it is not.
    ahead: Option<Due>,
}

impl Past {
    fn of(last: Option<&Turn>, schedule: &Schedule, now: DateTime<Utc>) -> Self {
        let Some(last) = last else { return Self { is_new: true, ..Self::since(now) } };
        let past = Self { lapsed: now, ..Self::since(last.began) };
        if last.schedule == schedule.to_string() {
            return past;
        }
        let before = Schedule::read(&last.schedule);
        let past = before.map_or(Self::since(now), |before| past.under_another(&before, now));
        Self { is_new: past.owed.is_none(), ..past }
    }

    const fn since(now: DateTime<Utc>) -> Self {
        let (owed, is_new, rests_until, ahead) = (None, false, None, None);
        Self { settled: now, lapsed: now, owed, is_new, rests_until, ahead }
    }

    /// From now on the schedule is another one. What this one asked for until now stays due.
    fn under_another(self, before: &Schedule, now: DateTime<Utc>) -> Self {
        let owed = self.passed(before, now);
        let Self { is_new, rests_until, .. } = self;
        Self { owed, is_new, rests_until, ..Self::since(now) }
    }

    fn due(&mut self, schedule: &Schedule, now: DateTime<Utc>) -> Option<Due> {
        if self.settled.max(self.lapsed) > now + SET_BACK_MAX {
            *self = Self { is_new: self.is_new, ..Self::since(now) };
        }
        if self.ahead.is_none_or(|it| it.at <= now) {
            let full = self.full(schedule, now);
            self.ahead = first(full, schedule.light_due(self.lapsed), now);
        }
        // A wrong clock may have said when to try again, too.
        let rests_until = self.rests_until.filter(|it| *it <= now + RETRY_AFTER);
        self.ahead
            .map(|it| Due { begins: rests_until.map_or(it.begins, |at| at.max(it.begins)), ..it })
    }

    /// The full run that is due now, or next.
    fn full(&self, schedule: &Schedule, now: DateTime<Utc>) -> Option<Due> {
        let at_once =
            Due { pass: Pass::Full, at: now, begins: now, n_missed: 0, first_missed: None };
        self.passed(schedule, now)
            .or(self.is_new.then_some(at_once))
            .or_else(|| schedule.due(self.settled, now))
    }

    /// The full run whose due time has passed.
    fn passed(&self, schedule: &Schedule, now: DateTime<Utc>) -> Option<Due> {
        let due = schedule.due(self.settled, now).filter(|it| it.at <= now);
        match (due, self.owed) {
            (Some(due), Some(owed)) => Some(due.instead_of(&owed)),
            (due, owed) => due.or(owed),
        }
    }

    /// `began`: when the turn of the schedule did; `None`: somebody asked.
    fn add(&mut self, pass: Pass, began: Option<DateTime<Utc>>, ran: Ran, now: DateTime<Utc>) {
        match (ran, pass, began) {
            (_, _, None) => {}
            (Ran::Committed, Pass::Full, Some(began)) => *self = Self::since(began),
            (Ran::Committed, Pass::Light, Some(_)) => self.rests_until = None,
            (Ran::Failed, _, Some(_)) => self.rests_until = Some(now + RETRY_AFTER),
        }
        (self.lapsed, self.ahead) = (now, None);
    }
}

/// What is done first. A full run looks at all that a light pass does: where one is due, or both
/// begin together, it is done.
fn first(full: Option<Due>, light: Option<Due>, now: DateTime<Utc>) -> Option<Due> {
    match (full, light) {
        (Some(full), Some(light)) if full.at > now && light.begins < full.begins => Some(light),
        (Some(full), _) => Some(full),
        (None, light) => light,
    }
}

/// What ended a wait.
enum Woken {
    Stop,
    Reload,
    Asked,
    /// Nothing: it was long enough.
    Rested,
}

async fn wait(nap: Duration, wakes: &Wakes) -> Woken {
    tokio::select! {
        biased; // Who asks to stop waits for no other run.
        () = wakes.stop.notified() => Woken::Stop,
        () = wakes.reload.notified() => Woken::Reload,
        () = wakes.run.notified() => Woken::Asked,
        () = sleep(nap) => Woken::Rested,
    }
}
