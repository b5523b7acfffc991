//! What happens to accounts, in the app and past Okta: they are switched off and on, made and
//! removed by hand, belong to services, and are forgotten.

use chrono::{DateTime, TimeDelta, Utc};

use super::company::{CANARY_OFF, CANARY_ON, Company, account};
use super::papers::Registered;
use super::truth::{Right, Truth};
use crate::world::{Active, World};

impl Company {
    /// Okta's switch for deactivation is turned over.
    pub(super) fn switch_is_turned(&mut self) -> Option<String> {
        let mut world = self.sim.world();
        let switch = &mut world.okta.app.provisioning.as_mut()?.deactivates;
        *switch = !*switch;
        Some(format!("Okta's deactivation of accounts is {}", if *switch { "on" } else { "off" }))
    }

    /// Somebody tidies up: mostly where it was due.
    pub(super) fn switched_off(&mut self, now: DateTime<Utc>) -> Option<String> {
        let is_due = self.rng.u32(0..8) > 0;
        let account =
            self.account(|truth, id| truth.is_on(id, now) && truth.is_exposed(id, now) == is_due)?;
        self.sim.world().switch_off(&account, now);
        Some(format!("{account} is switched off by hand"))
    }

    pub(super) fn switched_on(&mut self, now: DateTime<Utc>) -> Option<String> {
        let account = self.account(|truth, id| !truth.is_on(id, now))?;
        switch_on(&mut self.sim.world(), &account, now);
        Some(format!("{account} is switched on by hand"))
    }

    /// Somebody goes through everything that is wrong with accounts, and sets most of it right: who
    /// should be off is, who should be on is, what nobody owns is registered or goes, and what was
    /// set in the console is what SCIM says again.
    pub(super) fn list_is_worked_through(&mut self, now: DateTime<Utc>) -> Option<String> {
        let mut done = Vec::new();
        let ids: Vec<String> =
            self.sim.world().app.accounts.iter().map(|it| it.id.clone()).collect();
        for id in ids.into_iter().filter(|it| it != CANARY_ON && it != CANARY_OFF) {
            let owner = self.truth.owner(&id, now);
            let is_on = self.truth.is_on(&id, now);
            let is_entitled =
                owner.and_then(|it| self.truth.right(it, now)) == Some(Right::Entitled);
            let is_nobodys = owner.is_none() && !self.papers.registered.contains_key(&id);
            let is_passed_over = self.rng.u32(0..5) == 0;
            if is_passed_over {
                continue;
            } else if is_nobodys && is_on && self.has_register {
                let row = self.entry(now);
                self.papers.registered.insert(id.clone(), row);
                done.push(format!("{id} registered"));
            } else if is_on && (is_nobodys || self.truth.is_exposed(&id, now)) {
                self.sim.world().switch_off(&id, now);
                done.push(format!("{id} off"));
            } else if !is_on && is_entitled {
                switch_on(&mut self.sim.world(), &id, now);
                done.push(format!("{id} on"));
            }
        }
        done.extend(self.console_is_set_right().into_iter().map(|it| format!("{it} set back")));
        let done = done.join(", ");
        (!done.is_empty()).then(|| format!("somebody works through the list: {done}"))
    }

    pub(super) fn made_by_hand(&mut self, now: DateTime<Utc>) -> Option<String> {
        let user = self.user(&["ACTIVE"], Some(false))?;
        let world = self.sim.world();
        let found = world.okta.users.get(&user)?;
        // Who makes it knows the address, and of guests no other name.
        let name = found.email.clone()?;
        let login = found.login.clone();
        let has_one = |it: &crate::Account| {
            let is_named = |name: &String| it.user_name.as_ref() == Some(name);
            it.external_id.as_ref() == Some(&user) || is_named(&login) || is_named(&name)
        };
        let is_there = world.app.accounts.iter().any(has_one);
        drop(world);
        if is_there {
            return None;
        }
        self.n_accounts += 1;
        let id = format!("hand-{}", self.n_accounts);
        self.sim.world().app.accounts.push(account(&id, name, true, now));
        self.truth.made_for.insert(id.clone(), user.clone());
        Some(format!("{id} is made by hand for {user}"))
    }

    /// An account of a service, mostly registered, mostly with an owner.
    pub(super) fn service(&mut self, now: DateTime<Utc>) -> String {
        self.n_accounts += 1;
        let id = format!("svc-{}", self.n_accounts);
        let made = account(&id, format!("{id}@tool.test"), true, now);
        self.sim.world().app.accounts.push(made);
        let registered = (self.has_register && self.rng.u32(0..3) > 0).then(|| self.entry(now));
        let what = format!("{id} is made for a service, registered: {registered:?}");
        if let Some(row) = registered {
            self.papers.registered.insert(id, row);
        }
        what
    }

    /// Somebody else answers for it from now on.
    pub(super) fn service_changes_owner(&mut self, now: DateTime<Utc>) -> Option<String> {
        let fit: Vec<String> = self.papers.registered.keys().cloned().collect();
        let id = self.rng.choice(fit)?;
        let row = self.entry(now);
        let what = format!("{id} is registered anew: {row:?}");
        self.papers.registered.insert(id, row);
        Some(what)
    }

    /// A row of the register, with anybody as owner.
    fn entry(&mut self, now: DateTime<Utc>) -> Registered {
        let owner = if self.rng.u32(0..6) > 0 { self.user(&["ACTIVE"], None) } else { None };
        let owner = owner.and_then(|it| Some(self.sim.world().okta.users.get(&it)?.login.clone()));
        let days = i64::from(self.rng.u32(20..300));
        Registered { owner, attest_by: now.date_naive() + TimeDelta::days(days) }
    }

    pub(super) fn removed(&mut self) -> Option<String> {
        let account = self.account(|_, _| true)?;
        self.sim.world().app.accounts.retain(|it| it.id != account);
        Some(format!("{account} is removed"))
    }

    /// Any account that is there and for which this holds.
    pub(super) fn account(&mut self, holds: impl Fn(&Truth, &str) -> bool) -> Option<String> {
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
    pub(super) fn free_login(&mut self) -> Option<String> {
        let world = self.sim.world();
        let taken = |login: &str| {
            world
                .okta
                .users
                .values()
                .any(|it| it.login == login || it.email.as_deref() == Some(login))
        };
        let accounts = world.app.accounts.iter().filter(|it| it.external_id.is_some());
        let names = accounts.filter_map(|it| it.user_name.clone());
        let fit: Vec<String> = names.filter(|it| !taken(it)).collect();
        drop(world);
        self.rng.choice(fit)
    }
}

fn switch_on(world: &mut World, account: &str, now: DateTime<Utc>) {
    if let Some(it) = world.app.accounts.iter_mut().find(|it| it.id == account) {
        it.active = Active::Set(true);
        it.modified_at = now;
    }
}
