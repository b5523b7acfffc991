//! One pull: the app's health, who is assigned, all users, and what is new in the log.
//!
//! Those who are assigned are read first: who is assigned then must be among the users later,
//! whatever changes in between.

use chrono::{DateTime, Utc};
use domain::{Clock, List, Rows, Stream, Watcher};
use outbound::Reader;

use super::crosscheck::{missing, shown, strangers, strangers_reason};
use super::doctor::write_scopes;
use super::health::{self, App, Deactivation};
use super::refusal::{self, Asked, OktaError, url_of};
use super::walk::{self, End, Plan, Unread, Walked, chain};
use super::{Credential, Okta, groups, paths, poll};
use crate::files::Profile;
use crate::live::{LiveError, LiveFailure, LivePull, Trouble, clock_trouble};
use crate::page::ListRead;

/// What a list of nobody means: an organisation has at least the admin who made the credential.
const NOBODY: &str = "Okta shows nobody at all. The scopes are granted and the admin role is missing, \
     or it is limited to nobody: give the service app, or the admin who made the API token, a role \
     that sees all users, such as Read-only Administrator";

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
        let mut pull = Pull {
            okta: self,
            reader: self.reader.new_pull(),
            brought: LivePull::default(),
            stopped: None,
            refusal: None,
        };
        pull.health().await;
        let assigned = pull.assigned().await;
        let users = pull.users(assigned.as_ref()).await;
        pull.keep(users, assigned);
        pull.log(log_cursor, clock.now()).await;
        pull.brought.troubles.extend(clock_trouble(&pull.reader));
        pull.brought.troubles.extend(self.write_trouble());
        pull.brought.unmapped.sort();
        pull.brought
    }
}

/// One pull while it runs.
struct Pull<'o> {
    okta: &'o Okta,
    reader: Reader,
    brought: LivePull,
    /// Why nothing is asked any more; `None`: more is asked.
    stopped: Option<&'static str>,
    /// What was met then, for lists that are not asked for; `None` where there was none.
    refusal: Option<LiveError>,
}

impl Pull<'_> {
    /// Looks at the app and at what its provisioning does.
    async fn health(&mut self) {
        let app = self.app().await.unwrap_or_default();
        let app_id = &self.okta.config.app_id;
        self.brought.troubles.extend(health::of_app(&app, app_id));
        if self.stopped.is_some() {
            return;
        }
        let deactivation = match self.ask(&paths::features(app_id), Asked::Features).await {
            Ok(body) => health::deactivation(&body)
                .map_err(|_| "the answer is no list of settings".to_owned()),
            Err(refused) if refused.is_not_set_up() => Ok(Deactivation::NotSetUp),
            Err(refused) => return self.refused(Asked::Features, refused.error),
        };
        match deactivation {
            Ok(it) => self.brought.troubles.extend(health::of_deactivation(it, &app, app_id)),
            Err(why) => self.unseen(Asked::Features, &why),
        }
    }

    /// Reads the app. `None`: it could not be read, and that is kept.
    async fn app(&mut self) -> Option<App> {
        let app_id = &self.okta.config.app_id;
        match self.ask(&paths::app(app_id), Asked::App).await {
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
            self.stop(why, error);
        } else {
            self.unseen(asked, &chain(&error));
        }
    }

    /// Lets nothing more be asked.
    fn stop(&mut self, why: &'static str, error: LiveError) {
        self.stopped = Some(why);
        self.refusal = Some(error);
    }

    /// Walks the list of those who are assigned. `None`: it was not asked for.
    async fn assigned(&mut self) -> Option<Walked> {
        if self.stopped.is_some() {
            return None;
        }
        let path = paths::app_users(&self.okta.config.app_id);
        let plan = self.okta.plan(&self.okta.app_users, &path, Asked::AppUsers);
        let mut walked = walk::walk(&self.reader, plan, &mut self.brought.requests).await?;
        self.stop_after(&walked, Asked::AppUsers);
        if self.stopped.is_some() {
            return Some(walked);
        }
        let groups = groups::read(&self.reader, &self.okta.config.app_id).await;
        if let Some(why) = groups.ends_pull {
            self.stop(why, not_asked(why, Asked::AppGroups));
        }
        if let Rows::Assignments(rows) = &mut walked.list.rows {
            groups.name(rows);
        }
        walked.list.notes.extend(groups.note());
        self.brought.requests.extend(groups.requests);
        Some(walked)
    }

    /// Walks the list of users; once more where somebody is assigned who is not in it. `None`: it
    /// was not asked for.
    async fn users(&mut self, assigned: Option<&Walked>) -> Option<Walked> {
        if self.stopped.is_some() {
            return None;
        }
        let path = paths::users();
        let plan = self.okta.plan(&self.okta.users, &path, Asked::Users);
        let mut walked = walk::walk(&self.reader, plan, &mut self.brought.requests).await?;
        if walked.is_whole()
            && let Some(assigned) = assigned
            && !walked.list.rows.is_empty()
            && !strangers(&assigned.list.rows, &walked.list.rows).is_empty()
        {
            walked = walk::again(&self.reader, plan, walked, &mut self.brought.requests).await?;
        }
        self.stop_after(&walked, Asked::Users);
        Some(walked)
    }

    /// Lets nothing more be asked where a walk met the refusal of the credential.
    fn stop_after(&mut self, walked: &Walked, asked: Asked) {
        if let Some(why) = walked.ends_pull() {
            self.stop(why, not_asked(why, asked));
        }
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
                of_users.extend(is_told.then(|| strangers_reason(&strangers)).flatten());
            }
            of_users.extend(without_status(&users.list));
            of_users.extend(self.canaries(List::Identities, users));
        }
        if let Some(assigned) = &assigned {
            of_assigned.extend(self.canaries(List::Assignments, assigned));
        }
        let mut unasked = Vec::new();
        for (list, walked, profile, reasons) in [
            (List::Identities, users, &self.okta.users, of_users),
            (List::Assignments, assigned, &self.okta.app_users, of_assigned),
        ] {
            match walked {
                None if self.stopped.is_some() => unasked.push(self.okta.stream(list)),
                walked => self.add(list, walked, profile, reasons),
            }
        }
        if !unasked.is_empty() {
            self.fail_too(unasked);
        }
    }

    /// Lists that were not asked for fail with the one that met the refusal, so that it is said
    /// once.
    fn fail_too(&mut self, mut lists: Vec<Stream>) {
        let mut failures = self.brought.failures.iter_mut();
        if let Some(failure) = failures.find(|it| it.error.ends_pull().is_some()) {
            failure.lists.append(&mut lists);
        } else if let Some(error) = self.refusal.take() {
            self.brought.failures.push(LiveFailure { lists, error });
        }
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
        if let Some(why) = self.stopped {
            // Where nothing was read, that says enough.
            if !self.brought.snapshots.is_empty() {
                let text = format!(
                    "The system log was not read, because {why}, so some leave times are not known."
                );
                self.brought.troubles.push(Trouble { kind: Watcher::SnapshotIncomplete, text });
            }
            return;
        }
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

/// Why the rest is not asked for.
fn not_asked(why: &str, met_at: Asked) -> LiveError {
    let why = format!("{why} for {}", met_at.shown());
    LiveError::NotAsked { why }
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
