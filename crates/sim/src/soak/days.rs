//! A day of the company: what happens to people, to their rights and to their accounts, at random
//! times, each with what the systems do of themselves.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::company::Company;
use super::papers::end_of;
use super::people::Kind;
use crate::world::DEACTIVATED_IN_APP;

/// What may happen, each as likely as its number says.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Joins(Kind),
    Starts,
    Leaves,
    LeavesByHrAlone,
    LeavesAndThePushIsLate,
    LeavesAndThePushFails,
    IsDeleted,
    IsSuspended,
    ComesBack,
    IsRehired,
    GetsSecondUser,
    LosesApp,
    GetsApp,
    ChangesGroup,
    ContractChanges,
    Renames,
    Inherits,
    SwitchIsTurned,
    SwitchedOff,
    SwitchedOn,
    MadeByHand,
    Service,
    ServiceChangesOwner,
    Removed,
    ListIsWorkedThrough,
    SetInConsole,
    ConsoleIsSetBack,
}

const HAPPENINGS: &[(u32, Happening)] = &[
    (8, Happening::Joins(Kind::Employee)),
    (3, Happening::Joins(Kind::Contractor)),
    (2, Happening::Joins(Kind::Guest)),
    (6, Happening::Starts),
    (8, Happening::Leaves),
    (3, Happening::LeavesByHrAlone),
    (3, Happening::LeavesAndThePushIsLate),
    (4, Happening::LeavesAndThePushFails),
    (3, Happening::IsDeleted),
    (4, Happening::IsSuspended),
    (7, Happening::ComesBack),
    (2, Happening::IsRehired),
    (6, Happening::LosesApp),
    (8, Happening::GetsApp),
    (4, Happening::ChangesGroup),
    (2, Happening::ContractChanges),
    (3, Happening::Renames),
    (2, Happening::Inherits),
    (1, Happening::SwitchIsTurned),
    (15, Happening::SwitchedOff),
    (3, Happening::SwitchedOn),
    (2, Happening::MadeByHand),
    (1, Happening::Service),
    (1, Happening::ServiceChangesOwner),
    (1, Happening::Removed),
    (12, Happening::ListIsWorkedThrough),
];

/// What may happen besides where people are with several providers.
const AMONG_SEVERAL: &[(u32, Happening)] = &[(6, Happening::GetsSecondUser)];

/// What may happen besides where Driftline sees the app's own view.
const IN_CONSOLE: &[(u32, Happening)] =
    &[(2, Happening::SetInConsole), (3, Happening::ConsoleIsSetBack)];

/// What was set going, and happens when its time comes.
#[derive(Clone, Debug)]
pub(super) enum Later {
    /// The app is told that a user's account is to be off.
    PushArrives {
        /// The user, by id.
        user: String,
        /// The account, by id.
        account: String,
    },
    /// Okta is told what HR knew before.
    OktaHears(String),
}

impl Company {
    /// Begins a day: when something happens in it, in order.
    pub(super) fn dawn(&mut self) -> VecDeque<DateTime<Utc>> {
        let begins_at = self.today;
        self.today += TimeDelta::days(1);
        let n = [0, 0, 1, 1, 2, 3, 5].get(self.rng.usize(0..7)).copied().unwrap_or(1);
        let mut times: Vec<DateTime<Utc>> =
            (0..n).map(|_| begins_at + TimeDelta::minutes(self.rng.i64(15..1_380))).collect();
        times.sort_unstable();
        times.into()
    }

    /// When Driftline looks lightly today, in order: on some days not at all.
    pub(super) fn light_looks_today(&mut self) -> Vec<DateTime<Utc>> {
        let n = self.rng.usize(0..4).saturating_sub(1);
        let begins_at = self.today - TimeDelta::days(1);
        let mut times: Vec<DateTime<Utc>> =
            (0..n).map(|_| begins_at + TimeDelta::minutes(self.rng.i64(60..1_380))).collect();
        times.sort_unstable();
        times
    }

    /// Lives through the hours up to `at`, with what happens in them.
    pub(super) fn pass(&mut self, times: &mut VecDeque<DateTime<Utc>>, at: DateTime<Utc>) {
        while times.front().is_some_and(|it| *it <= at)
            && let Some(next) = times.pop_front()
        {
            self.until(next);
            self.something();
        }
        self.until(at);
    }

    /// Lives through the hours that are left, up to the night's look.
    pub(super) fn dusk(&mut self, mut times: VecDeque<DateTime<Utc>>) {
        self.pass(&mut times, self.today);
        self.days_that_end();
    }

    /// Lives through days and hours, up to `at`.
    pub(super) fn live_until(&mut self, at: DateTime<Utc>) {
        let mut times = std::mem::take(&mut self.times);
        while self.today <= at {
            self.dusk(times);
            times = self.dawn();
        }
        self.pass(&mut times, at);
        self.times = times;
    }

    /// How often Driftline looks today: mostly once, in the night.
    pub(super) fn looks_today(&mut self) -> u32 {
        if self.rng.u32(0..8) == 0 { 2 } else { 1 }
    }

    /// Waits until the look of that number is due.
    pub(super) fn wait_for_look(&mut self, look: u32) {
        self.wait_until(self.today + TimeDelta::minutes(i64::from(look) * 45));
    }

    /// Waits, and lets what was set going come.
    fn until(&mut self, at: DateTime<Utc>) {
        loop {
            let due = self.later.iter().enumerate().filter(|(_, it)| it.0 <= at);
            let Some(next) = due.min_by_key(|(_, it)| it.0).map(|it| it.0) else { break };
            let (due_at, later) = self.later.swap_remove(next);
            self.wait_until(due_at);
            let now = self.now();
            if let Some(what) = self.comes(later, now) {
                self.happened(now, what);
            }
        }
        self.wait_until(at);
    }

    fn comes(&mut self, later: Later, now: DateTime<Utc>) -> Option<String> {
        let (Later::PushArrives { user, .. } | Later::OktaHears(user)) = &later;
        let its_now = self.by_clock_of(user, now);
        let mut world = self.sim.world();
        match later {
            Later::PushArrives { user, account } => {
                // Who has the app again keeps the account.
                let is_off = !world.okta.app_users.contains_key(&user);
                is_off.then(|| {
                    world.log(&user, DEACTIVATED_IN_APP, its_now);
                    world.switch_off(&account, now);
                    format!("the push for {account} of {user} arrives")
                })
            }
            Later::OktaHears(user) => {
                let is_here = world
                    .okta
                    .users
                    .get(&user)
                    .is_some_and(|it| matches!(it.status.as_str(), "ACTIVE" | "SUSPENDED"));
                is_here.then(|| {
                    world.deactivate(&user, its_now);
                    format!("{user} is deactivated at last")
                })
            }
        }
    }

    /// Contracts and employments that end at midnight: nothing happens, and a right is over.
    fn days_that_end(&mut self) {
        let at = self.today;
        let contracts = self
            .sim
            .world()
            .okta
            .users
            .values()
            .any(|it| it.ends_on.is_some_and(|it| end_of(it) == at));
        if contracts || self.papers.leavers.values().any(|it| end_of(*it) == at) {
            self.happened(at, "a last day is over".to_owned());
        }
    }

    fn something(&mut self) {
        let among_several = if self.idps.are_several() { AMONG_SEVERAL } else { &[] };
        let in_console = if self.has_console { IN_CONSOLE } else { &[] };
        let all = || HAPPENINGS.iter().chain(among_several).chain(in_console);
        let mut at = self.rng.u32(0..all().map(|it| it.0).sum());
        let drawn = all().find(|(weight, _)| {
            let is_it = at < *weight;
            at = at.saturating_sub(*weight);
            is_it
        });
        let Some((_, happening)) = drawn else { return };
        let now = self.now();
        if let Some(what) = self.happens(*happening, now) {
            self.happened(now, what);
        }
    }

    /// Makes it happen; `None` where there is nobody to whom it could.
    fn happens(&mut self, happening: Happening, now: DateTime<Utc>) -> Option<String> {
        match happening {
            Happening::Joins(kind) => Some(self.join(kind, None, now)),
            Happening::Inherits => {
                let login = self.free_login()?;
                Some(self.join(Kind::Employee, Some(login), now))
            }
            Happening::Starts => self.starts(now),
            Happening::Leaves => self.leaves(now),
            Happening::LeavesByHrAlone => self.leaves_by_hr_alone(now),
            Happening::LeavesAndThePushIsLate => self.leaves_and_keeps_the_account(true, now),
            Happening::LeavesAndThePushFails => self.leaves_and_keeps_the_account(false, now),
            Happening::IsDeleted => self.is_deleted(now),
            Happening::IsSuspended => self.is_suspended(now),
            Happening::ComesBack => self.comes_back(now),
            Happening::IsRehired => self.is_rehired(now),
            Happening::GetsSecondUser => self.gets_second_user(now),
            Happening::LosesApp => self.loses_app(now),
            Happening::GetsApp => self.gets_app(now),
            Happening::ChangesGroup => self.changes_group(now),
            Happening::ContractChanges => self.contract_changes(now),
            Happening::Renames => self.renames(now),
            Happening::SwitchIsTurned => self.switch_is_turned(),
            Happening::SwitchedOff => self.switched_off(now),
            Happening::SwitchedOn => self.switched_on(now),
            Happening::MadeByHand => self.made_by_hand(now),
            Happening::Service => Some(self.service(now)),
            Happening::ServiceChangesOwner => self.service_changes_owner(now),
            Happening::Removed => self.removed(),
            Happening::ListIsWorkedThrough => self.list_is_worked_through(now),
            Happening::SetInConsole => self.set_in_console(),
            Happening::ConsoleIsSetBack => self.console_is_set_back(),
        }
    }
}
