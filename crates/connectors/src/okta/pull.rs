//! One pull: the app's health, who is assigned, all users, and what is new in the log.
//!
//! Those who are assigned are read first: who is assigned then must be among the users later,
//! whatever changes in between.

use chrono::{DateTime, Utc};
use domain::{Clock, List, Rows, Stream, Watcher};
use outbound::Reader;

use super::crosscheck::{missing, shown, strangers, strangers_reason};
use super::health::{self, App, Deactivation};
use super::refusal::{self, Asked, OktaError, url_of};
use super::walk::{self, End, Plan, Unread, Walked, chain};
use super::{Okta, groups, paths, poll};
use crate::files::Profile;
use crate::live::{LiveError, LiveFailure, LivePull, Trouble};

/// What a list of nobody means: an organisation has at least the admin who made the credential.
const NOBODY: &str = "Okta shows nobody at all. The scopes are granted and the admin role is missing, \
     or it is limited to nobody: give the service app, or the admin who made the API token, a role \
     that sees all users, such as Read-only Administrator";

impl Okta {
    /// Reads everything. What could not be read is in [`LivePull::failures`] and
    /// [`LivePull::troubles`], never in a snapshot.
    ///
    /// `log_cursor` is the [`LivePull::log_cursor`] of the last pull that was saved; `None`: the
    /// log is read from 90 days back. Where Okta no longer takes it, the log is begun again: events
    /// that were given before come again, with the same ids.
    pub async fn pull(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let mut pull =
            Pull { okta: self, reader: self.reader.new_pull(), brought: LivePull::default() };
        pull.health().await;
        let assigned = pull.assigned().await;
        let users = pull.users(assigned.as_ref()).await;
        pull.keep(users, assigned);
        pull.log(log_cursor, clock.now()).await;
        pull.brought.unmapped.sort();
        pull.brought
    }
}

/// One pull while it runs.
struct Pull<'o> {
    okta: &'o Okta,
    reader: Reader,
    brought: LivePull,
}

impl Pull<'_> {
    /// Looks at the app and at what its provisioning does.
    async fn health(&mut self) {
        let app = self.app().await.unwrap_or_default();
        let app_id = &self.okta.config.app_id;
        self.brought.troubles.extend(health::of_app(&app, app_id));
        let deactivation = match self.ask(&paths::features(app_id), Asked::Features).await {
            Ok(body) => health::deactivation(&body)
                .map_err(|_| "the answer is no list of settings".to_owned()),
            Err(refused) if refused.is_not_set_up() => Ok(Deactivation::NotSetUp),
            Err(refused) => Err(chain(&refused.error)),
        };
        match deactivation {
            Ok(it) => self.brought.troubles.extend(health::of_deactivation(it, &app, app_id)),
            Err(why) => self.unseen(Asked::Features, &why),
        }
    }

    /// Reads the app. `None`: it could not be read, and a trouble says so.
    async fn app(&mut self) -> Option<App> {
        let app_id = &self.okta.config.app_id;
        let why = match self.ask(&paths::app(app_id), Asked::App).await {
            Ok(body) => match App::read(&body, app_id) {
                Some(app) => return Some(app),
                None => "the answer is not that of the app".to_owned(),
            },
            Err(refused) => chain(&refused.error),
        };
        self.unseen(Asked::App, &why);
        None
    }

    /// Walks the list of those who are assigned.
    async fn assigned(&mut self) -> Option<Walked> {
        let path = paths::app_users(&self.okta.config.app_id);
        let plan = self.okta.plan(&self.okta.app_users, &path, Asked::AppUsers);
        let mut walked = walk::walk(&self.reader, plan, &mut self.brought.requests).await?;
        let groups = groups::read(&self.reader, &self.okta.config.app_id).await;
        if let Rows::Assignments(rows) = &mut walked.list.rows {
            groups.name(rows);
        }
        walked.list.notes.extend(groups.note());
        self.brought.requests.extend(groups.requests);
        Some(walked)
    }

    /// Walks the list of users; once more where somebody is assigned who is not in it.
    async fn users(&mut self, assigned: Option<&Walked>) -> Option<Walked> {
        let path = paths::users();
        let plan = self.okta.plan(&self.okta.users, &path, Asked::Users);
        let walked = walk::walk(&self.reader, plan, &mut self.brought.requests).await?;
        if walked.is_whole()
            && let Some(assigned) = assigned
            && !walked.list.rows.is_empty()
            && !strangers(&assigned.list.rows, &walked.list.rows).is_empty()
        {
            return walk::again(&self.reader, plan, walked, &mut self.brought.requests).await;
        }
        Some(walked)
    }

    /// Makes snapshots of both lists, each with the reasons why it is not all.
    fn keep(&mut self, users: Option<Walked>, assigned: Option<Walked>) {
        let (mut of_users, mut of_assigned) = (Vec::new(), Vec::new());
        let (mut users, mut assigned) = (users, assigned);
        if let Some(users) = &mut users {
            let sees_nobody = users.is_whole() && users.list.rows.is_empty();
            if sees_nobody {
                users.end = End::Broken(nobody(users));
                if let Some(assigned) = assigned.as_mut().filter(|it| it.list.rows.is_empty()) {
                    assigned.end = End::Broken(nobody(assigned));
                }
            } else if let Some(assigned) = &assigned {
                let strangers = strangers(&assigned.list.rows, &users.list.rows);
                of_users.extend(users.is_whole().then(|| strangers_reason(&strangers)).flatten());
            }
            of_users.extend(self.canaries(List::Identities, users));
        }
        if let Some(assigned) = &assigned {
            of_assigned.extend(self.canaries(List::Assignments, assigned));
        }
        self.add(List::Identities, users, &self.okta.users, of_users);
        self.add(List::Assignments, assigned, &self.okta.app_users, of_assigned);
    }

    /// Why a list that was read to its end is not believed; `None`: no canary is missing.
    fn canaries(&mut self, list: List, walked: &Walked) -> Option<String> {
        let config = &self.okta.config;
        let canaries = match list {
            List::Identities => &config.canaries,
            _ => &config.assigned_canaries,
        };
        let missing = missing(canaries, &walked.list.rows);
        // A list that was not read to its end says so already.
        if missing.is_empty() || !walked.is_whole() {
            return None;
        }
        let missing = shown(&missing);
        self.brought.troubles.push(Trouble {
            kind: Watcher::CanaryMissing,
            text: format!(
                "Users who must be in the list `{}` are not: {missing}. Look whether they still should be, and whether the credential may see everybody.",
                self.okta.stream(list)
            ),
        });
        Some(format!("canaries are not in it ({missing})"))
    }

    fn add(&mut self, list: List, walked: Option<Walked>, profile: &Profile, reasons: Vec<String>) {
        let stream = self.okta.stream(list);
        let Some(mut walked) = walked else {
            let why = format!("the profile `{}` gives no such list: correct it", profile.name());
            let error = LiveError::NoList { url: profile.name().to_owned(), why };
            self.brought.failures.push(LiveFailure { lists: vec![stream], error });
            return;
        };
        self.brought.unmapped.append(&mut walked.list.unmapped);
        match walked.into_snapshot(stream.clone(), profile.id_form, reasons) {
            Ok((snapshot, bodies)) => {
                self.brought.snapshots.push(snapshot);
                self.brought.bodies.push(bodies);
            }
            Err(Unread { error, requests }) => {
                self.brought.requests.extend(requests);
                self.brought.failures.push(LiveFailure { lists: vec![stream], error: *error });
            }
        }
    }

    async fn log(&mut self, cursor: Option<&str>, now: DateTime<Utc>) {
        let config = &self.okta.config;
        let polled = poll::poll(&self.reader, &config.app_id, cursor, now, config.log_pages).await;
        self.brought.events = polled.events;
        self.brought.log_cursor = polled.cursor;
        self.brought.requests.extend(polled.requests);
        self.brought.troubles.extend(polled.troubles);
    }

    /// Asks for one object. Keeps the requests.
    async fn ask(&mut self, path: &str, asked: Asked) -> Result<outbound::Bytes, Refused> {
        match self.reader.get(path).await {
            Ok(answer) if answer.is_success() => {
                self.brought.requests.extend(answer.requests);
                Ok(answer.body)
            }
            Ok(answer) => {
                let is_error_of_okta = OktaError::read(&answer.body).is_some();
                let error = refusal::of_answer(&answer, asked);
                self.brought.requests.extend(answer.requests);
                Err(Refused { status: Some(answer.status), is_error_of_okta, error })
            }
            Err(mut error) => {
                self.brought.requests.append(&mut error.requests);
                let error = refusal::of_error(error, asked);
                Err(Refused { status: None, is_error_of_okta: false, error })
            }
        }
    }

    /// Says that something about the app could not be looked at.
    fn unseen(&mut self, asked: Asked, why: &str) {
        self.brought.troubles.push(Trouble {
            kind: Watcher::SnapshotIncomplete,
            text: format!(
                "Could not read {}, so whether Okta keeps the app in step is not known: {why}.",
                asked.shown()
            ),
        });
    }
}

/// A refusal of one object.
struct Refused {
    /// HTTP status; `None`: there was no answer.
    status: Option<u16>,
    is_error_of_okta: bool,
    error: LiveError,
}

impl Refused {
    /// Okta answers 400 where provisioning was never set up.
    fn is_not_set_up(&self) -> bool {
        self.status == Some(400) && self.is_error_of_okta
    }
}

fn nobody(walked: &Walked) -> LiveError {
    LiveError::NoList { url: url_of(&walked.requests), why: NOBODY.to_owned() }
}

impl Okta {
    fn stream(&self, list: List) -> Stream {
        Stream { system: self.config.system.clone(), list, channel: None }
    }

    fn plan<'p>(&'p self, profile: &'p Profile, path: &'p str, asked: Asked) -> Plan<'p> {
        Plan {
            system: &self.config.system,
            profile,
            path,
            asked,
            // Who is assigned is named by the list of users.
            skips_identities: asked == Asked::AppUsers,
        }
    }
}
