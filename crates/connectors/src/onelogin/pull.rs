//! One pull: the app, who has it, all users, the names of the roles that give it, and what is new in
//! the events.

use chrono::{DateTime, Utc};
use domain::{Clock, List, Rows, Watcher};
use serde::Deserialize;

use super::events;
use super::health::{self, App};
use super::refusal::Asked;
use super::{Config, OneLogin, paths};
use crate::files::withhold;
use crate::gather::Gather;
use crate::live::{LivePull, Trouble, chain, clock_trouble};
use crate::roster::{ListPlan, Roster};
use crate::walk::Walked;

/// Roles that a note names; more are counted.
const ROLES_SHOWN_MAX: usize = 10;

/// What a list of nobody means: a subdomain has at least the admin who made the credential.
const NOBODY: &str = "OneLogin shows nobody at all, and a subdomain has at least an admin: check \
     `url`, and make an API credential with the scope Read All";

/// What to do where some users cannot be seen.
const SEE_ALL: &str = "the API credential may see some users only, make one with the scope Read \
     All as an account owner";

impl OneLogin {
    /// Reads everything. What could not be read is in [`LivePull::failures`] and
    /// [`LivePull::troubles`], never in a snapshot.
    ///
    /// Once the credential is refused as a whole, nothing more is asked: one failure says so, for
    /// every list that was not read.
    ///
    /// `log_cursor` is the [`LivePull::log_cursor`] of the last pull that was saved; `None`: events
    /// are read from 90 days back. Events of the last hours come again, with the same ids.
    pub async fn pull(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let mut gather = Gather::new(self.reader.new_pull());
        let app = self.health(&mut gather).await;
        let (users, app_users) = (paths::users(), paths::app_users(&self.config.app_id));
        let roster = self.roster(&users, &app_users);
        let mut assigned = gather.walk(roster.assigned.plan).await;
        let mut users = roster.users(&mut gather, assigned.as_ref()).await;
        if let Some(users) = &mut users {
            self.config.suspended.meant(&mut users.list.rows);
            withhold_from(assigned.as_mut(), users);
        }
        if let Some(assigned) = &mut assigned {
            assigned.list.notes.extend(self.roles(&mut gather, &app).await);
        }
        roster.keep(&mut gather, users, assigned);
        let unread = match gather.stopped {
            Some(why) => Err(format!("they were not asked for, because {why}")),
            None => self.events(&mut gather, (log_cursor, false), clock.now()).await,
        };
        // Where nothing was read, the failures say enough.
        if let (Err(why), false) = (unread, gather.brought.snapshots.is_empty()) {
            events_unread(&mut gather, &why);
        }
        let mut brought = gather.brought;
        brought.troubles.extend(clock_trouble(&gather.reader));
        brought.unmapped.sort();
        brought
    }

    /// Reads what is new in the events, and no list. `log_cursor` is as in [`OneLogin::pull`].
    pub async fn pull_log(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let mut gather = Gather::new(self.reader.new_pull());
        if let Err(why) = self.events(&mut gather, (log_cursor, true), clock.now()).await {
            events_unread(&mut gather, &why);
        }
        let mut brought = gather.brought;
        brought.troubles.extend(clock_trouble(&gather.reader));
        brought
    }

    async fn events(
        &self,
        gather: &mut Gather,
        cursor: (Option<&str>, bool),
        now: DateTime<Utc>,
    ) -> Result<(), String> {
        let Config { app_id, suspended, event_pages, .. } = &self.config;
        let of = events::Of { app_id, suspended: *suspended };
        events::poll(gather, of, cursor, now, *event_pages).await
    }

    /// Looks at the app and whether it is provisioned.
    async fn health(&self, gather: &mut Gather) -> App {
        let app_id = &self.config.app_id;
        match gather.ask(&paths::app(app_id), &Asked::App).await {
            Ok(body) => match App::read(&body, app_id) {
                Some(app) => {
                    gather.brought.troubles.extend(health::of_app(&app, app_id));
                    return app;
                }
                None => gather.unseen(&Asked::App, "the answer is not that of the app"),
            },
            Err(refused) => gather.refused(&Asked::App, refused.error),
        }
        App::default()
    }

    /// The roles that give the app, for people: they are in the list of who has it. `None`: none
    /// do, or it is not known.
    async fn roles(&self, gather: &mut Gather, app: &App) -> Option<String> {
        if app.roles().is_empty() || gather.stopped.is_some() {
            return None;
        }
        let named: Vec<Role> =
            match gather.ask(&paths::roles(&self.config.app_id), &Asked::Roles).await {
                Ok(body) => serde_json::from_slice(&body).unwrap_or_default(),
                Err(refused) => {
                    let why = chain(&refused.error);
                    return Some(format!("the roles of the app could not be read: {why}"));
                }
            };
        let name = |id: &u64| {
            let role = named.iter().find(|it| it.id == Some(*id));
            role.and_then(|it| it.name.clone()).unwrap_or_else(|| id.to_string())
        };
        let shown: Vec<String> = app.roles().iter().take(ROLES_SHOWN_MAX).map(name).collect();
        let n_more = app.roles().len() - shown.len();
        let more = if n_more > 0 { format!(" and {n_more} more") } else { String::new() };
        Some(format!("roles that give the app: {}{more}", shown.join(", ")))
    }

    fn roster<'r>(&'r self, users: &'r str, app_users: &'r str) -> Roster<'r> {
        let Config { system, canaries, assigned_canaries, .. } = &self.config;
        Roster {
            users: ListPlan::new(
                system,
                List::Identities,
                &self.users,
                users,
                &Asked::Users,
                canaries,
            ),
            assigned: ListPlan::new(
                system,
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

fn events_unread(gather: &mut Gather, why: &str) {
    gather.brought.troubles.push(Trouble::new(Watcher::SnapshotIncomplete, format!(
            "OneLogin's events could not be read to their end, so some leave times are not known: {why}."
        )));
}

/// Takes the app from those whose state allows none: the list of who has it does not show that.
fn withhold_from(assigned: Option<&mut Walked>, users: &Walked) {
    let Some(assigned) = assigned else { return };
    if let Rows::Assignments(rows) = &mut assigned.list.rows {
        let note = withhold(rows, &users.list.withheld);
        assigned.list.notes.extend(note);
    }
}

#[derive(Deserialize)]
struct Role {
    id: Option<u64>,
    name: Option<String>,
}
