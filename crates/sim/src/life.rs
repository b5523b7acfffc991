//! What happens in a company, each as the systems themselves would record and pass it on: status,
//! assignment, log, and the push to the app where its switch is on. Failed or late pushes are made
//! by changing the account afterwards, or by switching `deactivates` off before.

use chrono::{DateTime, Utc};

use crate::world::{Account, Active, AppUser, DEACTIVATED_IN_APP, Group, LogEvent, World};

impl Account {
    /// Does the account say that it cannot be used?
    #[must_use]
    pub fn is_off(&self) -> bool {
        match &self.active {
            Active::Set(is_on) => !is_on,
            Active::Text(text) => text.eq_ignore_ascii_case("false"),
            Active::Null | Active::Absent => false,
        }
    }
}

impl World {
    /// Okta deactivates a user: no app any more, groups stay. Nothing happens if there is none.
    pub fn deactivate(&mut self, user: &str, now: DateTime<Utc>) {
        if self.set_status(user, "DEPROVISIONED", now) {
            self.log(user, "user.lifecycle.deactivate", now);
            self.unassign(user, now);
        }
    }

    /// Okta activates a user: who starts, or is back. Assignments are as they were.
    pub fn activate(&mut self, user: &str, now: DateTime<Utc>) {
        let event = match self.okta.users.get(user).map(|it| it.status.as_str()) {
            Some("SUSPENDED") => "user.lifecycle.unsuspend",
            Some("DEPROVISIONED") => "user.lifecycle.reactivate",
            _ => "user.lifecycle.activate",
        };
        if self.set_status(user, "ACTIVE", now) {
            self.log(user, event, now);
        }
    }

    /// A user gets another name and address, which may be passed on to the account.
    pub fn rename(&mut self, user: &str, login: &str, is_pushed: bool, now: DateTime<Utc>) {
        let Some(found) = self.okta.users.get_mut(user) else { return };
        login.clone_into(&mut found.login);
        found.email = Some(login.to_owned());
        found.updated_at = now;
        let Some(app_user) = self.okta.app_users.get_mut(user).filter(|_| is_pushed) else {
            return;
        };
        app_user.user_name = Some(login.to_owned());
        let pushed = app_user.external_id.as_ref();
        if let Some(account) = self.app.accounts.iter_mut().find(|it| Some(&it.id) == pushed) {
            account.user_name = Some(login.to_owned());
            account.email = Some(login.to_owned());
            account.modified_at = now;
        }
    }

    /// Okta suspends a user. Assignments stay, and nothing is pushed.
    pub fn suspend(&mut self, user: &str, now: DateTime<Utc>) {
        if self.set_status(user, "SUSPENDED", now) {
            self.log(user, "user.lifecycle.suspend", now);
        }
    }

    /// Okta removes a user for good: only the log remembers.
    pub fn delete(&mut self, user: &str, now: DateTime<Utc>) {
        if self.okta.users.contains_key(user) {
            self.deactivate(user, now);
            self.okta.users.remove(user);
            for group in self.okta.groups.values_mut() {
                group.members.remove(user);
            }
            self.log(user, "user.lifecycle.delete.completed", now);
        }
    }

    /// Gives a user the app directly, and switches the account on or makes one, where Okta does
    /// that.
    pub fn assign(&mut self, user: &str, now: DateTime<Utc>) {
        self.assign_by(user, None, now);
    }

    /// Puts a user into a group; one that has the app gives it, to whom does not have it yet.
    pub fn join_group(&mut self, user: &str, group: &str, now: DateTime<Utc>) {
        let Some(found) = self.okta.groups.get_mut(group) else { return };
        found.members.insert(user.to_owned());
        if found.is_assigned && !self.okta.app_users.contains_key(user) {
            self.assign_by(user, Some(group), now);
        }
    }

    /// Takes a user out of a group. Who had the app through it keeps it where another group gives
    /// it, and loses it where none does.
    pub fn leave_group(&mut self, user: &str, group: &str, now: DateTime<Utc>) {
        if let Some(found) = self.okta.groups.get_mut(group) {
            found.members.remove(user);
        }
        let gives = |it: &(&String, &Group)| it.1.is_assigned && it.1.members.contains(user);
        let other = self.okta.groups.iter().find(gives).map(|it| it.0.clone());
        let had = self.okta.app_users.get_mut(user).filter(|it| it.group.as_deref() == Some(group));
        match (had, other) {
            (None, _) => {}
            (Some(app_user), Some(other)) => app_user.group = Some(other),
            (Some(_), None) => self.unassign(user, now),
        }
    }

    fn assign_by(&mut self, user: &str, group: Option<&str>, now: DateTime<Utc>) {
        let Some(found) = self.okta.users.get(user) else { return };
        let (login, email) = (found.login.clone(), found.email.clone());
        self.log(user, "application.user_membership.add", now);
        let pushes = self.okta.app.provisioning.is_some_and(|it| it.creates);
        let account = pushes.then(|| self.switch_on(user, &login, email, now));
        let app_user = AppUser {
            group: group.map(str::to_owned),
            status: if pushes { "PROVISIONED" } else { "ACTIVE" }.to_owned(),
            external_id: account,
            user_name: Some(login),
            created_at: now,
            status_changed_at: Some(now),
        };
        self.okta.app_users.insert(user.to_owned(), app_user);
    }

    /// Takes the app from a user, and switches the account off where Okta does that.
    pub fn unassign(&mut self, user: &str, now: DateTime<Utc>) {
        let Some(app_user) = self.okta.app_users.remove(user) else { return };
        self.log(user, "application.user_membership.remove", now);
        let is_elsewhere = !self.okta.shows(user);
        let pushes = self.okta.app.provisioning.is_some_and(|it| it.deactivates || is_elsewhere);
        if let (true, Some(account)) = (pushes, app_user.external_id) {
            self.log(user, DEACTIVATED_IN_APP, now);
            self.switch_off(&account, now);
        }
    }

    /// The app switches an account off, and forgets it if that is its habit.
    pub fn switch_off(&mut self, account: &str, now: DateTime<Utc>) {
        if self.app.habits.deletes_inactive {
            self.app.accounts.retain(|it| it.id != account);
        } else if let Some(account) = self.app.accounts.iter_mut().find(|it| it.id == account) {
            account.active = Active::Set(false);
            account.modified_at = now;
        }
    }

    /// Every credential that there is.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let fixed = [&self.okta.door.api_token, &self.app.token];
        let written = crate::scim::WRITE_TOKEN.to_owned();
        fixed
            .into_iter()
            .chain(self.okta.tokens.secrets())
            .chain(self.entra.secrets())
            .chain(self.onelogin.secrets())
            .cloned()
            .chain(self.personnel.secrets())
            .chain([written])
            .collect()
    }

    /// The account of a user, on: the one that has its id, else the one of its name, which Okta
    /// matches before it makes one, else a new one.
    fn switch_on(
        &mut self,
        user: &str,
        login: &str,
        email: Option<String>,
        now: DateTime<Utc>,
    ) -> String {
        let is_theirs = |it: &Account| it.external_id.as_deref() == Some(user);
        let is_named = |it: &Account| it.user_name.as_deref() == Some(login);
        let accounts = &mut self.app.accounts;
        let known = accounts.iter().position(is_theirs).or(accounts.iter().position(is_named));
        if let Some(account) = known.and_then(|it| accounts.get_mut(it)) {
            account.external_id = Some(user.to_owned());
            account.active = Active::Set(true);
            account.modified_at = now;
            return account.id.clone();
        }
        self.app.n_made += 1;
        let id = format!("acc-{user}-{}", self.app.n_made);
        self.app.accounts.push(Account {
            id: id.clone(),
            external_id: Some(user.to_owned()),
            user_name: Some(login.to_owned()),
            email,
            active: Active::Set(true),
            roles: Vec::new(),
            employee_number: None,
            created_at: now,
            modified_at: now,
            more: Default::default(),
        });
        id
    }

    fn set_status(&mut self, user: &str, status: &str, now: DateTime<Utc>) -> bool {
        let Some(user) = self.okta.users.get_mut(user) else { return false };
        status.clone_into(&mut user.status);
        user.status_changed_at = Some(now);
        user.updated_at = now;
        true
    }

    pub(crate) fn log(&mut self, user: &str, event_type: &str, now: DateTime<Utc>) {
        self.log_result(user, (event_type, "SUCCESS"), now);
    }

    /// The push to switch an account off did not arrive.
    pub(crate) fn push_fails(&mut self, user: &str, now: DateTime<Utc>) {
        self.log_result(user, (DEACTIVATED_IN_APP, "FAILURE"), now);
    }

    fn log_result(&mut self, user: &str, (event_type, result): (&str, &str), now: DateTime<Utc>) {
        self.okta.log.push(LogEvent {
            published_at: now,
            event_type: event_type.to_owned(),
            result: result.to_owned(),
            reason: None,
            user: user.to_owned(),
        });
    }
}
