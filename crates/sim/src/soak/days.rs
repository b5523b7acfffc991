//! A day of the company: what happens to people, to their rights and to their accounts, at random
//! times, each with what the systems do of themselves.

use chrono::{DateTime, TimeDelta, Utc};

use super::company::{CANARY_OFF, CANARY_ON, Company, account};
use crate::world::Active;

/// What may happen, each as likely as its number says.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Joins,
    Starts,
    Leaves,
    IsDeleted,
    IsSuspended,
    ComesBack,
    LosesApp,
    GetsApp,
    Renames,
    Inherits,
    PushFails,
    SwitchedOff,
    SwitchedOn,
    MadeByHand,
    Service,
    Removed,
}

const HAPPENINGS: &[(u32, Happening)] = &[
    (12, Happening::Joins),
    (6, Happening::Starts),
    (12, Happening::Leaves),
    (3, Happening::IsDeleted),
    (4, Happening::IsSuspended),
    (8, Happening::ComesBack),
    (6, Happening::LosesApp),
    (8, Happening::GetsApp),
    (3, Happening::Renames),
    (2, Happening::Inherits),
    (4, Happening::PushFails),
    (14, Happening::SwitchedOff),
    (3, Happening::SwitchedOn),
    (2, Happening::MadeByHand),
    (1, Happening::Service),
    (1, Happening::Removed),
];

impl Company {
    /// Lives through the hours up to the night's look.
    pub(super) fn day(&mut self) {
        self.today += TimeDelta::days(1);
        let n = [0, 0, 1, 1, 2, 3, 5].get(self.rng.usize(0..7)).copied().unwrap_or(1);
        let mut minutes: Vec<i64> = (0..n).map(|_| self.rng.i64(1..1_380)).collect();
        minutes.sort_unstable();
        for minute in minutes {
            self.wait_until(self.today - TimeDelta::days(1) + TimeDelta::minutes(minute));
            self.something();
        }
    }

    /// How often Driftline looks today: mostly once, in the night.
    pub(super) fn looks_today(&mut self) -> u32 {
        if self.rng.u32(0..8) == 0 { 2 } else { 1 }
    }

    /// Waits until the look of that number is due.
    pub(super) fn wait_for_look(&mut self, look: u32) {
        self.wait_until(self.today + TimeDelta::minutes(i64::from(look) * 45));
    }

    fn something(&mut self) {
        let whole: u32 = HAPPENINGS.iter().map(|it| it.0).sum();
        let mut at = self.rng.u32(0..whole);
        let drawn = HAPPENINGS.iter().find(|(weight, _)| {
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
            Happening::Joins => {
                self.join(None);
                None
            }
            Happening::Inherits => {
                let login = self.free_login()?;
                self.join(Some(login));
                None
            }
            Happening::Starts => {
                let user = self.user(&["STAGED"], None)?;
                let mut world = self.sim.world();
                world.activate(&user, now);
                world.assign(&user, now);
                Some(format!("{user} starts"))
            }
            Happening::Leaves => {
                let user = self.user(&["ACTIVE", "SUSPENDED"], None)?;
                self.sim.world().deactivate(&user, now);
                Some(format!("{user} leaves"))
            }
            Happening::IsDeleted => {
                let user = self.user(&["ACTIVE", "DEPROVISIONED"], None)?;
                // Whoever was made and deleted between two looks is a stranger to all but the log.
                let is_known = self.seen_users.contains(&user);
                is_known.then(|| self.sim.world().delete(&user, now))?;
                Some(format!("{user} is deleted"))
            }
            Happening::IsSuspended => {
                let user = self.user(&["ACTIVE"], Some(true))?;
                self.sim.world().suspend(&user, now);
                Some(format!("{user} is suspended"))
            }
            Happening::ComesBack => self.comes_back(now),
            Happening::LosesApp => {
                let user = self.user(&["ACTIVE"], Some(true))?;
                self.sim.world().unassign(&user, now);
                Some(format!("{user} loses the app"))
            }
            Happening::GetsApp => {
                let user = self.user(&["ACTIVE"], Some(false))?;
                self.sim.world().assign(&user, now);
                Some(format!("{user} gets the app"))
            }
            Happening::Renames => self.renames(now),
            Happening::PushFails => self.leaves_and_keeps_the_account(now),
            Happening::SwitchedOff => self.switched_off(now),
            Happening::SwitchedOn => self.switched_on(now),
            Happening::MadeByHand => self.made_by_hand(now),
            Happening::Service => {
                self.n_accounts += 1;
                let id = format!("svc-{}", self.n_accounts);
                let made = account(&id, format!("{id}@tool.test"), true, now);
                self.sim.world().app.accounts.push(made);
                Some(format!("{id} is made, nobody's"))
            }
            Happening::Removed => {
                let account = self.account(|_, _| true)?;
                self.sim.world().app.accounts.retain(|it| it.id != account);
                Some(format!("{account} is removed"))
            }
        }
    }

    fn comes_back(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["SUSPENDED", "DEPROVISIONED"], None)?;
        let mut world = self.sim.world();
        let had_left = world.okta.users.get(&user).is_some_and(|it| it.status == "DEPROVISIONED");
        world.activate(&user, now);
        if had_left {
            world.assign(&user, now);
        }
        Some(format!("{user} comes back"))
    }

    /// Somebody tidies up: mostly where it was due.
    fn switched_off(&mut self, now: DateTime<Utc>) -> Option<String> {
        let is_due = self.rng.u32(0..8) > 0;
        let account =
            self.account(|truth, id| truth.is_on(id, now) && truth.is_exposed(id, now) == is_due)?;
        self.sim.world().switch_off(&account, now);
        Some(format!("{account} is switched off by hand"))
    }

    fn switched_on(&mut self, now: DateTime<Utc>) -> Option<String> {
        let account = self.account(|truth, id| !truth.is_on(id, now))?;
        let mut world = self.sim.world();
        let it = world.app.accounts.iter_mut().find(|it| it.id == account)?;
        it.active = Active::Set(true);
        it.modified_at = now;
        Some(format!("{account} is switched on by hand"))
    }

    fn renames(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], None)?;
        self.n_accounts += 1;
        let login = format!("married{}@firm.test", self.n_accounts);
        let is_pushed = self.rng.bool();
        self.sim.world().rename(&user, &login, is_pushed, now);
        Some(format!("{user} is {login} now, pushed {is_pushed}"))
    }

    fn leaves_and_keeps_the_account(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(true))?;
        let mut world = self.sim.world();
        let before = world.okta.app.provisioning;
        if let Some(provisioning) = &mut world.okta.app.provisioning {
            provisioning.deactivates = false;
        }
        world.deactivate(&user, now);
        world.okta.app.provisioning = before;
        Some(format!("{user} leaves, and the push fails"))
    }

    fn made_by_hand(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(false))?;
        let login = self.sim.world().okta.users.get(&user)?.login.clone();
        let has_one = |it: &crate::Account| {
            it.external_id.as_ref() == Some(&user) || it.user_name.as_ref() == Some(&login)
        };
        if self.sim.world().app.accounts.iter().any(has_one) {
            return None;
        }
        self.n_accounts += 1;
        let id = format!("hand-{}", self.n_accounts);
        self.sim.world().app.accounts.push(account(&id, login, true, now));
        self.truth.made_for.insert(id.clone(), user.clone());
        Some(format!("{id} is made by hand for {user}"))
    }

    /// Anybody of one of these statuses, with or without the app, or either.
    fn user(&mut self, statuses: &[&str], has_app: Option<bool>) -> Option<String> {
        let world = self.sim.world();
        let fit: Vec<String> = world
            .okta
            .users
            .iter()
            .filter(|(_, it)| statuses.contains(&it.status.as_str()))
            .map(|it| it.0.clone())
            .filter(|it| has_app.is_none_or(|has| world.okta.app_users.contains_key(it) == has))
            .collect();
        drop(world);
        self.rng.choice(fit)
    }

    /// Any account that is there and for which this holds.
    fn account(&mut self, holds: impl Fn(&super::truth::Truth, &str) -> bool) -> Option<String> {
        let world = self.sim.world();
        let fit: Vec<String> = world
            .app
            .accounts
            .iter()
            .map(|it| it.id.clone())
            .filter(|it| it != CANARY_ON && it != CANARY_OFF && holds(&self.truth, it))
            .collect();
        drop(world);
        self.rng.choice(fit)
    }

    /// An address that nobody of the organization has any more, and an account still may.
    fn free_login(&mut self) -> Option<String> {
        let world = self.sim.world();
        let taken = |login: &str| world.okta.users.values().any(|it| it.login == login);
        let accounts = world.app.accounts.iter().filter(|it| it.external_id.is_some());
        let names = accounts.filter_map(|it| it.user_name.clone());
        let fit: Vec<String> = names.filter(|it| !taken(it)).collect();
        drop(world);
        self.rng.choice(fit)
    }
}
