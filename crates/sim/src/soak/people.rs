//! What happens to people: they join, move between groups, are suspended, leave, come back.

use chrono::{DateTime, TimeDelta, Utc};

use super::company::Company;
use super::days::Later;
use super::papers::end_of;
use super::provider::Provider;
use super::truth::has_not_left;
use crate::world::{OktaUser, World};

/// Who joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With an employee number.
    Employee,
    /// The same, until a day.
    Contractor,
    /// Of another firm: no employee number, and an address that is not the login.
    Guest,
}

/// The groups that give the app, and one that does not.
pub(super) const GROUPS: &[(&str, bool)] =
    &[("00geng", true), ("00gops", true), ("00gnews", false)];

impl Company {
    /// Somebody joins; `login`: with the name of somebody before.
    pub(super) fn join(&mut self, kind: Kind, login: Option<String>, at: DateTime<Utc>) -> String {
        self.n_users += 1;
        let n = self.n_users;
        let login = login.unwrap_or_else(|| match kind {
            Kind::Guest => format!("person{n}#ext@firm.test"),
            Kind::Employee | Kind::Contractor => format!("person{n}@firm.test"),
        });
        let email =
            if kind == Kind::Guest { format!("person{n}@partner.test") } else { login.clone() };
        let days = i64::from(self.rng.u32(1..90));
        let provider = self.idps.of_new(kind, &mut self.rng);
        let id = provider.user_id(n);
        let user = OktaUser {
            employee_number: (kind != Kind::Guest && provider.numbers())
                .then(|| format!("{}", 10_000 + n)),
            email: Some(email),
            ends_on: (kind == Kind::Contractor && provider.tells_contracts())
                .then(|| at.date_naive() + TimeDelta::days(days)),
            ..self.user_named(&id, login, at)
        };
        self.add(id, user, at)
    }

    fn user_named(&self, id: &str, login: String, at: DateTime<Utc>) -> OktaUser {
        let at = self.by_clock_of(id, at);
        OktaUser {
            employee_number: None,
            email: Some(login.clone()),
            login,
            status: "ACTIVE".to_owned(),
            created_at: at,
            status_changed_at: Some(at),
            updated_at: at,
            last_login_at: None,
            ends_on: None,
        }
    }

    /// A new user, mostly with the app.
    fn add(&mut self, id: String, mut user: OktaUser, at: DateTime<Utc>) -> String {
        let is_staged = self.rng.u32(0..20) == 0 && Provider::of(&id).stages();
        if is_staged {
            "STAGED".clone_into(&mut user.status);
        }
        let gets_app = !is_staged && self.rng.u32(0..10) > 0;
        let login = user.login.clone();
        let mut world = self.sim.world();
        if self.idps.has(Provider::Okta) && Provider::of(&id) != Provider::Okta {
            world.okta.elsewhere.insert(id.clone());
        }
        world.okta.users.insert(id.clone(), user);
        drop(world);
        if gets_app {
            self.give_app(&id, at);
        }
        format!("{id} joins as {login}, app {gets_app}, staged {is_staged}")
    }

    /// Gives the app, directly or by a group.
    fn give_app(&mut self, user: &str, now: DateTime<Utc>) {
        let at = self.by_clock_of(user, now);
        let by = self.rng.usize(0..6);
        let mut world = self.sim.world();
        match GROUPS.get(by).filter(|it| it.1) {
            Some((group, _)) => world.join_group(user, group, at),
            None => world.assign(user, at),
        }
    }

    pub(super) fn starts(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["STAGED"], None)?;
        let at = self.by_clock_of(&user, now);
        self.sim.world().activate(&user, at);
        self.give_app(&user, now);
        Some(format!("{user} starts"))
    }

    pub(super) fn leaves(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE", "SUSPENDED"], None)?;
        let at = self.by_clock_of(&user, now);
        self.sim.world().deactivate(&user, at);
        self.hr_hears(&user, 4, now);
        Some(format!("{user} leaves"))
    }

    /// HR knows, and Okta some days later.
    pub(super) fn leaves_by_hr_alone(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], None)?;
        let day = self.hr_hears(&user, 1, now)?;
        let hours = i64::from(self.rng.u32(0..120));
        self.later.push((end_of(day) + TimeDelta::hours(hours), Later::OktaHears(user.clone())));
        Some(format!("{user} leaves, and HR alone knows: {day}"))
    }

    /// HR writes down the last day, today or soon: always, or in all but one of `but_one_of` cases.
    /// What it has written of this employment it does not change.
    fn hr_hears(
        &mut self,
        user: &str,
        but_one_of: u32,
        now: DateTime<Utc>,
    ) -> Option<chrono::NaiveDate> {
        let days = i64::from(self.rng.u32(0..3));
        let forgets = but_one_of > 1 && self.rng.u32(0..but_one_of) == 0;
        let number = self.truth.numbers.get(user).filter(|_| !forgets)?;
        let day = now.date_naive() + TimeDelta::days(days);
        let begun = self.sim.world().okta.users.get(user).map(|it| it.created_at);
        let written = self.papers.leavers.get(number).copied();
        let day = written.filter(|it| begun.is_some_and(|at| at <= end_of(*it))).unwrap_or(day);
        self.papers.leavers.insert(number.clone(), day);
        Some(day)
    }

    pub(super) fn leaves_and_keeps_the_account(
        &mut self,
        is_late: bool,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(true))?;
        let at = self.by_clock_of(&user, now);
        let hours = i64::from(self.rng.u32(1..60));
        let mut world = self.sim.world();
        let before = world.okta.app.provisioning;
        if let Some(provisioning) = &mut world.okta.app.provisioning {
            provisioning.deactivates = false;
        }
        let account = world.okta.app_users.get(&user).and_then(|it| it.external_id.clone());
        world.deactivate(&user, at);
        world.okta.app.provisioning = before;
        if !is_late {
            world.push_fails(&user, at);
        }
        drop(world);
        if let (true, Some(account)) = (is_late, account) {
            let push = Later::PushArrives { user: user.clone(), account };
            self.later.push((now + TimeDelta::hours(hours), push));
            return Some(format!("{user} leaves, and the push comes {hours} h later"));
        }
        Some(format!("{user} leaves, and the push fails"))
    }

    pub(super) fn is_deleted(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE", "DEPROVISIONED"], None)?;
        // Whoever was made and deleted between two looks is a stranger to all but the log.
        let is_known = self.seen_users.contains(&user);
        let at = self.by_clock_of(&user, now);
        is_known.then(|| self.sim.world().delete(&user, at))?;
        Some(format!("{user} is deleted"))
    }

    pub(super) fn is_suspended(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(true)).filter(|it| Provider::of(it).suspends())?;
        let at = self.by_clock_of(&user, now);
        self.sim.world().suspend(&user, at);
        Some(format!("{user} is suspended"))
    }

    /// With the user of before. HR strikes the row out, but not of somebody who was here all along with
    /// another provider, or by every look at one that dates no return: nothing would show that they are
    /// back.
    pub(super) fn comes_back(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["SUSPENDED", "DEPROVISIONED"], None)?;
        let at = self.by_clock_of(&user, now);
        let mut world = self.sim.world();
        let found = world.okta.users.get(&user)?;
        let had_left = found.status == "DEPROVISIONED";
        let seen_at = self.whole_at.filter(|it| found.status_changed_at.is_some_and(|at| at < *it));
        let is_unseen = !Provider::of(&user).dates_ends() && seen_at.is_none();
        // Somebody who came back with a new user does not come back with the old one, too.
        let is_another = |id: &String| {
            *id != user
                && Provider::of(id) == Provider::of(&user)
                && self.truth.is_same_person(id, &user)
        };
        if had_left && world.okta.users.keys().any(is_another) {
            return None;
        }
        world.activate(&user, at);
        let is_other_here = |it: &str| *it != *user && has_not_left(&world, it);
        let was_here = is_unseen || self.truth.users_of(&user).any(is_other_here);
        drop(world);
        if had_left {
            if let Some(number) = self.truth.numbers.get(&user).filter(|_| !was_here) {
                self.papers.leavers.remove(number);
            }
            let is_without = self.rng.u32(0..3) == 0;
            if is_without {
                take_app(&mut self.sim.world(), &user, at);
                return Some(format!("{user} comes back without the app"));
            }
            self.give_app(&user, now);
        }
        Some(format!("{user} comes back"))
    }

    /// With a new user, of any provider, and the employee number of before.
    pub(super) fn is_rehired(&mut self, now: DateTime<Utc>) -> Option<String> {
        let world = self.sim.world();
        let has_left = |id: &&String| {
            let mut theirs =
                world.okta.users.iter().filter(|it| self.truth.is_same_person(it.0, id));
            self.seen_users.contains(*id) && theirs.all(|it| it.1.status == "DEPROVISIONED")
        };
        let fit: Vec<String> = self.truth.numbers.keys().filter(has_left).cloned().collect();
        drop(world);
        let before = self.rng.choice(fit)?;
        let number = self.truth.numbers.get(&before).cloned()?;
        if self.papers.leavers.get(&number).is_some_and(|it| end_of(*it) > now) {
            self.papers.leavers.remove(&number);
        }
        let provider = self.idps.where_numbered(Provider::of(&before), true, &mut self.rng)?;
        self.n_users += 1;
        let login = format!("again{}@firm.test", self.n_users);
        let id = provider.user_id(self.n_users);
        let user = OktaUser { employee_number: Some(number), ..self.user_named(&id, login, now) };
        Some(format!("{before} is hired again: {}", self.add(id, user, now)))
    }

    /// Somebody gets a user of another provider as well, mostly of the same name.
    pub(super) fn gets_second_user(&mut self, now: DateTime<Utc>) -> Option<String> {
        let one = self.user(&["ACTIVE"], None)?;
        let number = self.truth.numbers.get(&one).cloned()?;
        let provider = self.idps.where_numbered(Provider::of(&one), false, &mut self.rng)?;
        let world = self.sim.world();
        let is_there =
            |id: &String| Provider::of(id) == provider && self.truth.is_same_person(id, &one);
        let login = world.okta.users.get(&one)?.login.clone();
        if world.okta.users.keys().any(is_there) {
            return None;
        }
        drop(world);
        self.n_users += 1;
        let login = match self.rng.u32(0..4) {
            0 => format!("second{}@firm.test", self.n_users),
            _ => login,
        };
        let id = provider.user_id(self.n_users);
        let user = OktaUser { employee_number: Some(number), ..self.user_named(&id, login, now) };
        Some(format!("{one} has another user: {}", self.add(id, user, now)))
    }

    pub(super) fn loses_app(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(true))?;
        let at = self.by_clock_of(&user, now);
        take_app(&mut self.sim.world(), &user, at);
        Some(format!("{user} loses the app"))
    }

    pub(super) fn gets_app(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(false))?;
        self.give_app(&user, now);
        Some(format!("{user} gets the app"))
    }

    /// From one group into another: from one that gives the app to one that does is no change.
    pub(super) fn changes_group(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], None)?;
        let at = self.by_clock_of(&user, now);
        let (to, _) = self.rng.choice(GROUPS)?;
        let mut world = self.sim.world();
        world.join_group(&user, to, at);
        for (group, _) in GROUPS.iter().filter(|it| it.0 != *to) {
            world.leave_group(&user, group, at);
        }
        Some(format!("{user} moves to the group {to}"))
    }

    /// A contract is made longer, or shorter, or has no end any more.
    pub(super) fn contract_changes(&mut self, now: DateTime<Utc>) -> Option<String> {
        let days = i64::from(self.rng.u32(0..60));
        let is_ended = self.rng.u32(0..4) > 0;
        let mut world = self.sim.world();
        let with_end = world.okta.users.iter().filter(|it| it.1.ends_on.is_some());
        let fit: Vec<String> = with_end.map(|it| it.0.clone()).collect();
        let user = self.rng.choice(fit)?;
        let found = world.okta.users.get_mut(&user)?;
        found.ends_on = is_ended.then(|| now.date_naive() + TimeDelta::days(days));
        found.updated_at = self.by_clock_of(&user, now);
        Some(format!("the contract of {user} ends {:?}", found.ends_on))
    }

    pub(super) fn renames(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], None)?;
        self.n_accounts += 1;
        let login = format!("married{}@firm.test", self.n_accounts);
        let is_pushed = self.rng.bool();
        let at = self.by_clock_of(&user, now);
        self.sim.world().rename(&user, &login, is_pushed, at);
        Some(format!("{user} is {login} now, pushed {is_pushed}"))
    }

    /// Anybody of one of these statuses, with or without the app, or either.
    pub(super) fn user(&mut self, statuses: &[&str], has_app: Option<bool>) -> Option<String> {
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
}

/// Takes the app away, however they have it: a group that gave it would give it again.
fn take_app(world: &mut World, user: &str, at: DateTime<Utc>) {
    for (group, _) in GROUPS {
        world.leave_group(user, group, at);
    }
    world.unassign(user, at);
}
