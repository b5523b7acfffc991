//! One pull: the app's health, who is assigned, all users, and what is new in the log.

use chrono::{DateTime, Utc};
use domain::{Clock, List, Rows, Watcher};

use super::doctor::write_scopes;
use super::health::{self, App, Deactivation};
use super::refusal::{Asked, OktaError};
use super::{Config, Credential, Okta, groups, paths, poll};
use crate::gather::{Gather, Refused, not_asked};
use crate::live::{LivePull, Trouble, clock_trouble};
use crate::roster::{ListPlan, Roster};
use crate::walk::{Dialect as _, Walked};

/// What a list of nobody means: an organisation has at least the admin who made the credential.
const NOBODY: &str = "Okta shows nobody at all. The scopes are granted and the admin role is missing, \
     or it is limited to nobody: give the service app, or the admin who made the API token, a role \
     that sees all users, such as Read-only Administrator";

/// What to do where some users cannot be seen.
const SEE_ALL: &str =
    "the admin role of this credential may be limited to some users, give it all of them";

impl Okta {
    /// Reads everything. What could not be read is in [`LivePull::failures`] and
    /// [`LivePull::troubles`], never in a snapshot.
    ///
    /// Once the credential is refused as a whole, nothing more is asked: one failure says so, for
    /// every list that was not read.
    ///
    /// `log_cursor` is the [`LivePull::log_cursor`] of the last pull that was saved; `None`: the
    /// log is read from 90 days back. Where Okta no longer takes it, the log is begun again: events
    /// that were given before come again, with the same ids.
    pub async fn pull(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let mut pull = Pull { okta: self, gather: Gather::new(self.reader.new_pull()) };
        pull.health().await;
        let (users, app_users) = (paths::users(), paths::app_users(&self.config.app_id));
        let roster = self.roster(&users, &app_users);
        let assigned = pull.assigned(&roster).await;
        let users = roster.users(&mut pull.gather, assigned.as_ref()).await;
        roster.keep(&mut pull.gather, users, assigned);
        pull.log(log_cursor, clock.now()).await;
        let mut brought = pull.gather.brought;
        brought.troubles.extend(clock_trouble(&pull.gather.reader));
        brought.troubles.extend(self.write_trouble());
        brought.unmapped.sort();
        brought
    }

    /// Reads what is new in the log, and no list. `log_cursor` is as in [`Okta::pull`].
    ///
    /// After events that cannot be read it stays where it was: no list shows what they tell, so the
    /// next one asks for them again. A whole pull goes on after them.
    pub async fn pull_log(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let mut pull = Pull { okta: self, gather: Gather::new(self.reader.new_pull()) };
        let is_legible = pull.log(log_cursor, clock.now()).await;
        let mut brought = pull.gather.brought;
        if !is_legible {
            brought.log_cursor = log_cursor.map(str::to_owned);
        }
        brought.troubles.extend(clock_trouble(&pull.gather.reader));
        brought
    }
}

/// One pull while it runs.
struct Pull<'o> {
    okta: &'o Okta,
    gather: Gather,
}

impl Pull<'_> {
    /// Looks at the app and at what its provisioning does.
    async fn health(&mut self) {
        let app = self.app().await.unwrap_or_default();
        let app_id = &self.okta.config.app_id;
        self.gather.brought.troubles.extend(health::of_app(&app, app_id));
        if self.gather.stopped.is_some() {
            return;
        }
        let asked = self.gather.ask(&paths::features(app_id), &Asked::Features).await;
        let deactivation = match asked {
            Ok(body) => health::deactivation(&body)
                .map_err(|_| "the answer is no list of settings".to_owned()),
            Err(refused) if is_not_set_up(&refused) => Ok(Deactivation::NotSetUp),
            Err(refused) => return self.gather.refused(&Asked::Features, refused.error),
        };
        match deactivation {
            Ok(it) => {
                self.gather.brought.troubles.extend(health::of_deactivation(it, &app, app_id));
            }
            Err(why) => self.gather.unseen(&Asked::Features, &why),
        }
    }

    /// Reads the app. `None`: it could not be read, and that is kept.
    async fn app(&mut self) -> Option<App> {
        let app_id = &self.okta.config.app_id;
        match self.gather.ask(&paths::app(app_id), &Asked::App).await {
            Ok(body) => {
                let app = App::read(&body, app_id);
                if app.is_none() {
                    self.gather.unseen(&Asked::App, "the answer is not that of the app");
                }
                app
            }
            Err(refused) => {
                self.gather.refused(&Asked::App, refused.error);
                None
            }
        }
    }

    /// Walks the list of those who are assigned. `None`: it was not asked for.
    async fn assigned(&mut self, roster: &Roster<'_>) -> Option<Walked> {
        let mut walked = self.gather.walk(roster.assigned.plan).await?;
        if self.gather.stopped.is_some() {
            return Some(walked);
        }
        let groups = groups::read(&self.gather.reader, &self.okta.config.app_id).await;
        if let Some(why) = groups.ends_pull {
            self.gather.stop(why, not_asked(why, Asked::AppGroups.shown()));
        }
        if let Rows::Assignments(rows) = &mut walked.list.rows {
            groups.name(rows);
        }
        walked.list.notes.extend(groups.note());
        self.gather.brought.requests.extend(groups.requests);
        Some(walked)
    }

    /// Returns whether each event that was read says what it has to.
    async fn log(&mut self, cursor: Option<&str>, now: DateTime<Utc>) -> bool {
        if let Some(why) = self.gather.stopped {
            // Where nothing was read, that says enough.
            if !self.gather.brought.snapshots.is_empty() {
                let text = format!(
                    "The system log was not read, because {why}, so some leave times are not known."
                );
                self.gather.brought.troubles.push(Trouble::new(Watcher::SnapshotIncomplete, text));
            }
            return true;
        }
        let config = &self.okta.config;
        let polled =
            poll::poll(&self.gather.reader, &config.app_id, cursor, now, config.log_pages).await;
        let is_legible = polled.n_unusable == 0;
        self.gather.brought.events = polled.events;
        self.gather.brought.log_cursor = polled.cursor;
        self.gather.brought.requests.extend(polled.requests);
        self.gather.brought.troubles.extend(polled.troubles);
        is_legible
    }
}

/// Okta answers 400 where provisioning was never set up.
fn is_not_set_up(refused: &Refused) -> bool {
    refused.status == Some(400) && OktaError::read(&refused.body).is_some()
}

impl Okta {
    /// That tokens are asked for that can do more than read.
    fn write_trouble(&self) -> Option<Trouble> {
        let Credential::ServiceApp { scopes } = &self.config.credential else { return None };
        let more = write_scopes(scopes);
        let text = format!(
            "Tokens are asked for with more than read scopes: {}. Take them out of `scopes`, and revoke them in Okta.",
            more.join(", ")
        );
        let kind = Watcher::WriteScopePresent;
        (!more.is_empty()).then_some(Trouble::new(kind, text))
    }

    fn roster<'r>(&'r self, users: &'r str, app_users: &'r str) -> Roster<'r> {
        let Config { system, canaries, assigned_canaries, .. } = &self.config;
        let list = |list, profile, path, asked, canaries| {
            ListPlan::new(system, list, profile, path, asked, canaries)
        };
        Roster {
            users: list(List::Identities, &self.users, users, &Asked::Users, canaries),
            assigned: list(
                List::Assignments,
                &self.app_users,
                app_users,
                &Asked::AppUsers,
                assigned_canaries,
            ),
            nobody: NOBODY,
            see_all: SEE_ALL,
        }
    }
}
