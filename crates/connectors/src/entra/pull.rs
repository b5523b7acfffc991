//! One pull: the app, its provisioning jobs, who is assigned, the members of its groups, all users
//! with those who were deleted, and what is new in the provisioning log.
//!
//! Those who have the app are read first: who has it then must be among the users later, whatever
//! changes in between. Deleted users are read after users: who is deleted in between is in both,
//! and has left.

use chrono::{DateTime, Utc};
use domain::{Clock, List, Rows, Stream, Watcher};
use rustc_hash::FxHashSet;

use super::groups::{self, Members};
use super::health::{self, App, Found};
use super::log::{self, Unread};
use super::refusal::Asked;
use super::{Entra, ProvisioningLog, Scope, paths};
use crate::crosscheck::{strangers, strangers_reason};
use crate::files::Profile;
use crate::gather::Gather;
use crate::live::{LiveError, LiveFailure, LivePull, Trouble, chain, clock_trouble};
use crate::walk::{End, Plan, Walked, url_of};

/// What a list of nobody means: a tenant has at least the admin who consented.
const NOBODY: &str = "Microsoft Graph shows nobody at all, and a tenant has at least an admin: \
     check `tenant`, and grant the app registration the application permission `User.Read.All`, \
     with admin consent";

/// That the application id leads nowhere.
pub(super) const NO_APP: &str = "the tenant has no enterprise app of this `app_id`: give its \
     application id, and not the object id";

/// What to do where some users cannot be seen.
const SEE_ALL: &str = "they may have been deleted for good, or the app registration may see some \
     users only: grant it the application permission `User.Read.All`, with admin consent";

impl Entra {
    /// Reads everything. What could not be read is in [`LivePull::failures`] and
    /// [`LivePull::troubles`], never in a snapshot.
    ///
    /// Once the credential is refused as a whole, nothing more is asked: one failure says so, for
    /// every list that was not read.
    ///
    /// `log_cursor` is the [`LivePull::log_cursor`] of the last pull that was saved; `None`: the
    /// log is read from 30 days back. Events of the last hours come again, with the same ids.
    pub async fn pull(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let gather = Gather::new(self.reader.new_pull());
        let mut pull = Pull { entra: self, gather, no_app: None };
        let app = pull.app().await;
        if let Some(app) = &app {
            pull.jobs(app, clock.now()).await;
        }
        let (mut assigned, mut members) = match (&app, self.config.scope) {
            (Some(app), Scope::Assigned) => pull.assigned(app).await,
            _ => (None, None),
        };
        let users = pull.users(assigned.as_ref(), members.as_ref()).await;
        let filters = &self.config.scoping_filters;
        match (&mut assigned, &users) {
            _ if filters.is_empty() => {}
            (Some(assigned), users) => {
                filters.withhold(users.as_ref(), assigned, members.as_mut());
            }
            (None, Some(users)) if self.config.scope == Scope::Everyone => {
                assigned = Some(filters.assign(users));
            }
            (None, _) => {}
        }
        pull.keep(users, assigned, members);
        if let Some(app) = &app {
            pull.log(app, log_cursor, clock.now()).await;
        }
        let mut brought = pull.gather.brought;
        brought.troubles.extend(clock_trouble(&pull.gather.reader));
        brought.unmapped.sort();
        brought
    }

    /// Reads what is new in the provisioning log, and no list. `log_cursor` is as in
    /// [`Entra::pull`]. Nothing is asked where the settings or the cloud have no log.
    pub async fn pull_log(&self, clock: &dyn Clock, log_cursor: Option<&str>) -> LivePull {
        let gather = Gather::new(self.reader.new_pull());
        let mut pull = Pull { entra: self, gather, no_app: None };
        if let ProvisioningLog::Pages(pages_max) = self.config.log {
            let polled = match pull.app().await {
                Some(app) => {
                    let now = clock.now();
                    log::poll(&mut pull.gather, &app.id, log_cursor, now, pages_max).await
                }
                None => Err(Unread::Failed(pull.why_no_app())),
            };
            if let Err(Unread::Failed(why)) = polled {
                pull.log_unread(&why);
            }
        }
        let mut brought = pull.gather.brought;
        brought.troubles.extend(clock_trouble(&pull.gather.reader));
        brought
    }
}

/// One pull while it runs.
struct Pull<'e> {
    entra: &'e Entra,
    gather: Gather,
    /// Why the app is not known, so that nobody can be asked who has it; `None`: it is, or nothing
    /// more is asked at all.
    no_app: Option<LiveError>,
}

impl Pull<'_> {
    /// Looks the enterprise app up. `None`: it is not known, and why is kept.
    async fn app(&mut self) -> Option<App> {
        let app_id = &self.entra.config.app_id;
        let asked = self.gather.ask(&paths::app(app_id), &Asked::App).await;
        let body = match asked {
            Ok(body) => body,
            Err(refused) => {
                match refused.error.ends_pull() {
                    Some(why) => self.gather.stop(why, refused.error),
                    None => self.no_app = Some(refused.error),
                }
                return None;
            }
        };
        let why = match App::read(&body, app_id) {
            Found::App(app) => {
                self.gather.brought.troubles.extend(health::of_app(&app));
                return Some(app);
            }
            Found::None => NO_APP,
            Found::NoList => "the answer is no list of enterprise apps",
        };
        let url = url_of(&self.gather.brought.requests);
        self.no_app = Some(LiveError::NoList { url, why: why.to_owned() });
        None
    }

    /// Looks at what provisioning does.
    async fn jobs(&mut self, app: &App, now: DateTime<Utc>) {
        match self.gather.ask(&paths::jobs(&app.id), &Asked::Jobs).await {
            Ok(body) => match health::jobs(&body) {
                Ok(jobs) => {
                    self.gather.brought.troubles.extend(health::of_jobs(&jobs, app, now));
                }
                Err(_) => self.gather.unseen(&Asked::Jobs, "the answer is no list of jobs"),
            },
            Err(refused) => self.gather.refused(&Asked::Jobs, refused.error),
        }
    }

    /// Walks who is assigned, and the members of the groups among them. `None`: not asked for.
    async fn assigned(&mut self, app: &App) -> (Option<Walked>, Option<Members>) {
        let path = paths::assigned(&app.id);
        let plan = self.entra.plan(&self.entra.assigned, &path, &Asked::Assigned);
        let Some(mut walked) = self.gather.walk(plan).await else { return (None, None) };
        if app.needs_assignment() == Some(false) {
            walked.list.notes.push(format!(
                "{} lets everybody sign in, assigned or not: Assignment required is off",
                app.shown()
            ));
        }
        let found = groups::of(&walked);
        let mut members = groups::read(&mut self.gather, self.entra, &found).await;
        if let Some(members) = &mut members {
            if found.is_empty() {
                // That no group is assigned is what the list of assignments shows.
                members.walked.requests.clone_from(&walked.requests);
                members.walked.began_at = walked.began_at;
            }
            if !walked.is_whole() {
                members.reasons.push("which groups are assigned could not all be read".to_owned());
            }
        }
        (Some(walked), members)
    }

    /// Walks the lists of users and of deleted users; both once more where somebody has the app
    /// who is in neither. `None`: they were not asked for.
    async fn users(
        &mut self,
        assigned: Option<&Walked>,
        members: Option<&Members>,
    ) -> Option<Walked> {
        let users = self.users_once().await?;
        let lists = [assigned.map(|it| &it.list.rows), members.map(|it| &it.walked.list.rows)];
        let has_strangers = |users: &Walked| {
            let mut lists = lists.iter().flatten();
            lists.any(|it| !strangers(it, &users.list.rows).is_empty())
        };
        if !users.is_whole() || users.list.rows.is_empty() || !has_strangers(&users) {
            return Some(users);
        }
        let again = self.users_once().await;
        match again {
            Some(mut again) if again.is_whole() => {
                self.gather.brought.requests.extend(users.requests);
                let note = "the list changed while it was read, and was read again";
                again.list.notes.push(note.to_owned());
                Some(again)
            }
            again => {
                self.gather.brought.requests.extend(again.into_iter().flat_map(|it| it.requests));
                Some(users)
            }
        }
    }

    async fn users_once(&mut self) -> Option<Walked> {
        let path = paths::users(&self.entra.config.scoping_filters.members());
        let plan = self.entra.plan(&self.entra.users, &path, &Asked::Users);
        let mut users = self.gather.walk(plan).await?;
        self.entra.config.disabled.meant(&mut users.list.rows);
        if users.list.rows.is_empty() && users.is_whole() && users.list.n_silent == 0 {
            users.end = End::Broken(LiveError::NoList {
                url: url_of(&users.requests),
                why: NOBODY.to_owned(),
            });
            return Some(users);
        }
        let path = paths::deleted_users();
        let plan = self.entra.plan(&self.entra.deleted, &path, &Asked::DeletedUsers);
        let Some(mut deleted) = self.gather.walk(plan).await else {
            let why = self.gather.stopped.unwrap_or("there is no such list");
            users.unread = Some(format!("deleted users were not read, because {why}"));
            return Some(users);
        };
        if let End::Broken(error) | End::Expired(error) = &deleted.end {
            let why = format!("deleted users could not all be read: {}", chain(error));
            deleted.unread = Some(why);
            deleted.end = End::Whole;
        }
        let gone: FxHashSet<&str> = match &deleted.list.rows {
            Rows::Identities(rows) => rows.iter_packed().map(|it| it.id).collect(),
            _ => FxHashSet::default(),
        };
        users.list.leave_out(&gone);
        users.append(deleted);
        Some(users)
    }

    /// Makes snapshots of all lists, each with the reasons why it is not all.
    fn keep(&mut self, users: Option<Walked>, assigned: Option<Walked>, members: Option<Members>) {
        let config = &self.entra.config;
        let (mut of_users, mut of_assigned) = (Vec::new(), Vec::new());
        if let Some(users) = &users {
            let lists = [assigned.as_ref(), members.as_ref().map(|it| &it.walked)];
            // Whoever is missing may be one of those whose row says nothing.
            if users.is_whole() && users.list.n_silent == 0 {
                let lists = lists.iter().flatten();
                let unknown: Vec<_> =
                    lists.flat_map(|it| strangers(&it.list.rows, &users.list.rows)).collect();
                of_users.extend(strangers_reason(&unknown, SEE_ALL));
            }
            of_users.extend(without_status(users));
            let stream = self.entra.stream(List::Identities);
            of_users.extend(self.gather.canaries(&stream, &config.canaries, users, None));
        }
        if let Some(assigned) = &assigned {
            let stream = self.entra.stream(List::Assignments);
            let rows = members.as_ref().map(|it| &it.walked.list.rows);
            let canaries = &config.assigned_canaries;
            of_assigned.extend(self.gather.canaries(&stream, canaries, assigned, rows));
            // Members of groups are in it by themselves then.
            let is_short = |it: &Members| !it.reasons.is_empty() || !it.walked.is_whole();
            if !config.scoping_filters.is_empty() && members.as_ref().is_some_and(is_short) {
                of_assigned.push("the members of assigned groups were not all read".to_owned());
            }
        }
        let (members, of_members) = match members {
            Some(Members { walked, reasons }) => (Some(walked), reasons),
            None => (None, Vec::new()),
        };
        let (mut unasked, mut without_app) = (Vec::new(), Vec::new());
        let all = [
            (List::Identities, users, &self.entra.users, of_users),
            (List::Assignments, assigned, &self.entra.assigned, of_assigned),
            (List::Memberships, members, &self.entra.members, of_members),
        ];
        for (list, walked, profile, reasons) in all {
            let is_made = list == List::Assignments && !config.scoping_filters.is_empty();
            let is_read = list == List::Identities || config.scope == Scope::Assigned || is_made;
            match walked {
                None if !is_read => {}
                None if self.no_app.is_some() && list != List::Identities => {
                    without_app.push(self.entra.stream(list));
                }
                None if self.gather.stopped.is_some() => unasked.push(self.entra.stream(list)),
                walked => self.gather.add(self.entra.stream(list), walked, profile, reasons),
            }
        }
        self.gather.fail_too(unasked);
        match self.no_app.take() {
            Some(error) if without_app.is_empty() => {
                self.gather.unseen(&Asked::App, &chain(&error));
            }
            Some(error) => {
                self.gather.brought.failures.push(LiveFailure { lists: without_app, error });
            }
            None => {}
        }
    }

    async fn log(&mut self, app: &App, cursor: Option<&str>, now: DateTime<Utc>) {
        let pages_max = match self.entra.config.log {
            ProvisioningLog::Unwanted => return,
            ProvisioningLog::NotInCloud => {
                return self.note("the provisioning log was not read: this cloud has none");
            }
            ProvisioningLog::Pages(pages_max) => pages_max,
        };
        let polled = match self.gather.stopped {
            Some(why) => Err(Unread::Failed(format!("it was not asked for, because {why}"))),
            None => log::poll(&mut self.gather, &app.id, cursor, now, pages_max).await,
        };
        match polled {
            Ok(()) => {}
            Err(Unread::Unlicensed) => self.note(
                "the provisioning log was not read: it needs Entra ID P1 or P2, and the tenant has neither",
            ),
            // Where nothing was read, the failures say enough.
            Err(Unread::Failed(_)) if self.gather.brought.snapshots.is_empty() => {}
            Err(Unread::Failed(why)) => self.log_unread(&why),
        }
    }

    fn log_unread(&mut self, why: &str) {
        self.gather.brought.troubles.push(Trouble::new(Watcher::SnapshotIncomplete, format!(
                "The provisioning log could not be read to its end, so whether Entra told the app is not known: {why}."
            )));
    }

    /// Why the app is not known, so that its log cannot be asked for.
    fn why_no_app(&mut self) -> String {
        match (self.no_app.take(), self.gather.stopped) {
            (Some(error), _) => chain(&error),
            (None, stopped) => {
                let why = stopped.unwrap_or("the app was not found");
                format!("it was not asked for, because {why}")
            }
        }
    }

    /// Says something beside what was read.
    fn note(&mut self, note: &str) {
        let mut snapshots = self.gather.brought.snapshots.iter_mut().rev();
        if let Some(snapshot) = snapshots.find(|it| it.stream.list != List::Memberships) {
            snapshot.notes.push(note.to_owned());
        }
    }
}

/// That the list does not say of everybody whether they have left. Graph gives `accountEnabled` of
/// everybody when it is asked for.
fn without_status(users: &Walked) -> Option<String> {
    let Rows::Identities(rows) = &users.list.rows else { return None };
    let unsaid = rows
        .iter_packed()
        .filter(|it| it.raw_status.is_none() && it.lifecycle != domain::Lifecycle::Left);
    let n = users.list.n_silent + unsaid.count() as u64;
    (n > 0).then(|| format!("users without `accountEnabled`: {n}"))
}

impl Entra {
    fn stream(&self, list: List) -> Stream {
        Stream { system: self.config.system.clone(), list, channel: None }
    }

    fn plan<'p>(&'p self, profile: &'p Profile, path: &'p str, asked: &'p Asked) -> Plan<'p> {
        let system = &self.config.system;
        Plan { system, profile, path, dialect: asked, skips_identities: false, group: None }
    }
}
