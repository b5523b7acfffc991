//! One pull: the app's health, who is assigned, all users, and what is new in the log.
//!
//! Those who are assigned are read first: who is assigned then must be among the users later,
//! whatever changes in between.

use chrono::{DateTime, Utc};
use domain::{Clock, List, Rows, Stream, Watcher};

use super::doctor::write_scopes;
use super::health::{self, App, Deactivation};
use super::refusal::{Asked, OktaError};
use super::{Credential, Okta, groups, paths, poll};
use crate::crosscheck::{strangers, strangers_reason};
use crate::files::Profile;
use crate::gather::{Gather, Refused, not_asked};
use crate::live::{LiveError, LivePull, Trouble, clock_trouble};
use crate::page::ListRead;
use crate::walk::{self, End, Plan, Walked, chain, url_of};

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
        let assigned = pull.assigned().await;
        let users = pull.users(assigned.as_ref()).await;
        pull.keep(users, assigned);
        pull.log(log_cursor, clock.now()).await;
        let mut brought = pull.gather.brought;
        brought.troubles.extend(clock_trouble(&pull.gather.reader));
        brought.troubles.extend(self.write_trouble());
        brought.unmapped.sort();
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
            Err(refused) => return self.refused(Asked::Features, refused.error),
        };
        match deactivation {
            Ok(it) => {
                self.gather.brought.troubles.extend(health::of_deactivation(it, &app, app_id));
            }
            Err(why) => self.unseen(Asked::Features, &why),
        }
    }

    /// Reads the app. `None`: it could not be read, and that is kept.
    async fn app(&mut self) -> Option<App> {
        let app_id = &self.okta.config.app_id;
        match self.gather.ask(&paths::app(app_id), &Asked::App).await {
            Ok(body) => {
                let app = App::read(&body, app_id);
                if app.is_none() {
                    self.unseen(Asked::App, "the answer is not that of the app");
                }
                app
            }
            Err(refused) => {
                self.refused(Asked::App, refused.error);
                None
            }
        }
    }

    /// Keeps a refusal: of the credential, or of one thing.
    fn refused(&mut self, asked: Asked, error: LiveError) {
        if let Some(why) = error.ends_pull() {
            self.gather.stop(why, error);
        } else {
            self.unseen(asked, &chain(&error));
        }
    }

    fn unseen(&mut self, asked: Asked, why: &str) {
        self.gather.unseen(&asked, asked.shown(), why);
    }

    /// Walks the list of those who are assigned. `None`: it was not asked for.
    async fn assigned(&mut self) -> Option<Walked> {
        if self.gather.stopped.is_some() {
            return None;
        }
        let path = paths::app_users(&self.okta.config.app_id);
        let plan = self.okta.plan(&self.okta.app_users, &path, &Asked::AppUsers);
        let Gather { reader, brought, .. } = &mut self.gather;
        let mut walked = walk::walk(reader, plan, &mut brought.requests).await?;
        self.gather.stop_after(&walked, Asked::AppUsers.shown());
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

    /// Walks the list of users; once more where somebody is assigned who is not in it. `None`: it
    /// was not asked for.
    async fn users(&mut self, assigned: Option<&Walked>) -> Option<Walked> {
        if self.gather.stopped.is_some() {
            return None;
        }
        let path = paths::users();
        let plan = self.okta.plan(&self.okta.users, &path, &Asked::Users);
        let Gather { reader, brought, .. } = &mut self.gather;
        let mut walked = walk::walk(reader, plan, &mut brought.requests).await?;
        if walked.is_whole()
            && let Some(assigned) = assigned
            && !walked.list.rows.is_empty()
            && !strangers(&assigned.list.rows, &walked.list.rows).is_empty()
        {
            walked = walk::again(reader, plan, walked, &mut brought.requests).await?;
        }
        self.gather.stop_after(&walked, Asked::Users.shown());
        Some(walked)
    }

    /// Makes snapshots of both lists, each with the reasons why it is not all.
    fn keep(&mut self, users: Option<Walked>, assigned: Option<Walked>) {
        let (mut of_users, mut of_assigned) = (Vec::new(), Vec::new());
        let (mut users, mut assigned) = (users, assigned);
        if let Some(users) = &mut users {
            let sees_nobody =
                users.is_whole() && users.list.rows.is_empty() && users.list.n_silent == 0;
            if sees_nobody {
                users.end = End::Broken(nobody(users));
                if let Some(assigned) = assigned.as_mut().filter(|it| it.list.rows.is_empty()) {
                    assigned.end = End::Broken(nobody(assigned));
                }
            } else if let Some(assigned) = &assigned {
                let strangers = strangers(&assigned.list.rows, &users.list.rows);
                // Whoever is missing may be one of those whose row says nothing.
                let is_told = users.is_whole() && users.list.n_silent == 0;
                of_users.extend(is_told.then(|| strangers_reason(&strangers, SEE_ALL)).flatten());
            }
            of_users.extend(without_status(&users.list));
            let stream = self.okta.stream(List::Identities);
            of_users.extend(self.gather.canaries(&stream, &self.okta.config.canaries, users, None));
        }
        if let Some(assigned) = &assigned {
            let stream = self.okta.stream(List::Assignments);
            let canaries = &self.okta.config.assigned_canaries;
            of_assigned.extend(self.gather.canaries(&stream, canaries, assigned, None));
        }
        let mut unasked = Vec::new();
        for (list, walked, profile, reasons) in [
            (List::Identities, users, &self.okta.users, of_users),
            (List::Assignments, assigned, &self.okta.app_users, of_assigned),
        ] {
            match walked {
                None if self.gather.stopped.is_some() => unasked.push(self.okta.stream(list)),
                walked => self.gather.add(self.okta.stream(list), walked, profile, reasons),
            }
        }
        self.gather.fail_too(unasked);
    }

    async fn log(&mut self, cursor: Option<&str>, now: DateTime<Utc>) {
        if let Some(why) = self.gather.stopped {
            // Where nothing was read, that says enough.
            if !self.gather.brought.snapshots.is_empty() {
                let text = format!(
                    "The system log was not read, because {why}, so some leave times are not known."
                );
                self.gather
                    .brought
                    .troubles
                    .push(Trouble { kind: Watcher::SnapshotIncomplete, text });
            }
            return;
        }
        let config = &self.okta.config;
        let polled =
            poll::poll(&self.gather.reader, &config.app_id, cursor, now, config.log_pages).await;
        self.gather.brought.events = polled.events;
        self.gather.brought.log_cursor = polled.cursor;
        self.gather.brought.requests.extend(polled.requests);
        self.gather.brought.troubles.extend(polled.troubles);
    }
}

/// Okta answers 400 where provisioning was never set up.
fn is_not_set_up(refused: &Refused) -> bool {
    refused.status == Some(400) && OktaError::read(&refused.body).is_some()
}

/// That the list does not say of everybody whether they have left. Okta documents a status of each.
fn without_status(list: &ListRead) -> Option<String> {
    let Rows::Identities(users) = &list.rows else { return None };
    let n = list.n_silent + users.iter().filter(|it| it.raw_status.is_none()).count() as u64;
    (n > 0).then(|| format!("users without a `status`: {n}"))
}

fn nobody(walked: &Walked) -> LiveError {
    LiveError::NoList { url: url_of(&walked.requests), why: NOBODY.to_owned() }
}

impl Okta {
    fn stream(&self, list: List) -> Stream {
        Stream { system: self.config.system.clone(), list, channel: None }
    }

    /// That tokens are asked for that can do more than read.
    fn write_trouble(&self) -> Option<Trouble> {
        let Credential::ServiceApp { scopes } = &self.config.credential else { return None };
        let more = write_scopes(scopes);
        let text = format!(
            "Tokens are asked for with more than read scopes: {}. Take them out of `scopes`, and revoke them in Okta.",
            more.join(", ")
        );
        let kind = Watcher::WriteScopePresent;
        (!more.is_empty()).then_some(Trouble { kind, text })
    }

    fn plan<'p>(&'p self, profile: &'p Profile, path: &'p str, asked: &'p Asked) -> Plan<'p> {
        Plan {
            system: &self.config.system,
            profile,
            path,
            dialect: asked,
            // Who is assigned is named by the list of users.
            skips_identities: *asked == Asked::AppUsers,
            group: None,
        }
    }
}
