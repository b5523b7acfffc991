//! A random company of 30 to 80 people, and an installation of Driftline that watches it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use domain::Clock as _;
use engine::Plan;
use fastrand::Rng;
use tempfile::TempDir;

use super::installation::Installation;
use super::truth::Truth;
use crate::world::{Account, Active, OktaUser, Paging, Provisioning, World};
use crate::{Sim, SimClock};

/// A company that lives.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) sim: Sim,
    /// What a run does.
    pub(super) plan: Plan,
    /// A program that looks and is killed; `None`: nobody is.
    pub(super) victim: Option<PathBuf>,
    /// How long a look by that program takes.
    pub(super) longest_look: Duration,
    pub(super) rng: Rng,
    pub(super) truth: Truth,
    /// What happened since it was read last, a line each.
    pub(super) diary: Vec<String>,
    /// The folder of the database.
    pub(super) folder: TempDir,
    /// Midnight of the day that is lived.
    pub(super) today: DateTime<Utc>,
    /// Users that some undisturbed run has seen.
    pub(super) seen_users: BTreeSet<String>,
    /// Since which undisturbed run an account nobody owns is on.
    pub(super) orphans: std::collections::BTreeMap<String, DateTime<Utc>>,
    pub(super) n_users: u32,
    pub(super) n_accounts: u32,
}

/// An account that is kept off, to show what the app does with such accounts.
pub(super) const CANARY_OFF: &str = "canary-off";
/// An account that is kept on.
pub(super) const CANARY_ON: &str = "canary-on";

impl Company {
    /// A company of its seed, with people, an app, habits and a clock of its own.
    pub(super) async fn found(seed: u64) -> anyhow::Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let day = TimeDelta::days(i64::from(rng.u32(0..3_650)));
        let today = DateTime::UNIX_EPOCH + TimeDelta::days(16_000) + day;
        let mut world = World::empty(today);
        habits(&mut world, &mut rng);
        let sim = Sim::start(world).await?;
        let mut company = Self {
            plan: Installation::of(&sim).plan(&sim.clock())?,
            victim: None,
            longest_look: Duration::from_millis(100),
            sim,
            rng,
            truth: Truth::default(),
            diary: Vec::new(),
            folder: tempfile::tempdir()?,
            today,
            seen_users: BTreeSet::new(),
            orphans: Default::default(),
            n_users: 0,
            n_accounts: 0,
        };
        company.canaries();
        for _ in 0..company.rng.u32(30..=80) {
            company.join(None);
        }
        company.diary.clear();
        Ok(company)
    }

    pub(super) fn clock(&self) -> std::sync::Arc<SimClock> {
        self.sim.clock()
    }

    /// What its clock shows, in whole milliseconds: systems tell no more.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.sim.clock().now().trunc_subsecs(3)
    }

    /// Puts the clock to this time of the day, if that is ahead.
    pub(super) fn wait_until(&self, at: DateTime<Utc>) {
        let ahead = at - self.now();
        if ahead > TimeDelta::zero() {
            self.sim.clock().advance(ahead);
        }
    }

    /// Writes down that something happened, and what is true since.
    pub(super) fn happened(&mut self, at: DateTime<Utc>, what: String) {
        let world = self.sim.world();
        self.truth.note(&world, at);
        drop(world);
        self.diary.push(format!("{} {what}", at.format("%F %T%.3f")));
    }

    /// Somebody joins; `login`: with the address of somebody before.
    pub(super) fn join(&mut self, login: Option<String>) {
        let at = self.now();
        self.n_users += 1;
        let id = format!("00u{:017}", self.n_users);
        let login = login.unwrap_or_else(|| format!("person{}@firm.test", self.n_users));
        let is_staged = self.rng.u32(0..20) == 0;
        let user = OktaUser {
            employee_number: Some(format!("{}", 10_000 + self.n_users)),
            login: login.clone(),
            email: Some(login.clone()),
            status: if is_staged { "STAGED" } else { "ACTIVE" }.to_owned(),
            created_at: at,
            status_changed_at: Some(at),
            updated_at: at,
            last_login_at: None,
        };
        let gets_app = !is_staged && self.rng.u32(0..10) > 0;
        let mut world = self.sim.world();
        world.okta.users.insert(id.clone(), user);
        if gets_app {
            world.assign(&id, at);
        }
        drop(world);
        self.happened(at, format!("{id} joins as {login}, app {gets_app}, staged {is_staged}"));
    }

    fn canaries(&mut self) {
        let at = self.now();
        for (id, is_on) in [(CANARY_ON, true), (CANARY_OFF, false)] {
            let account = account(id, format!("{id}@firm.test"), is_on, at);
            self.sim.world().app.accounts.push(account);
        }
        self.happened(at, "the canaries are made".to_owned());
    }
}

/// An account that was made by hand.
pub(super) fn account(id: &str, name: String, is_on: bool, at: DateTime<Utc>) -> Account {
    Account {
        id: id.to_owned(),
        external_id: None,
        user_name: Some(name.clone()),
        email: Some(name),
        active: Active::Set(is_on),
        roles: Vec::new(),
        employee_number: None,
        created_at: at,
        modified_at: at,
        more: Default::default(),
    }
}

/// How the systems behave, by chance.
fn habits(world: &mut World, rng: &mut Rng) {
    world.okta.app.provisioning =
        Some(Provisioning { creates: true, updates: true, deactivates: rng.u32(0..5) > 0 });
    let habits = &mut world.app.habits;
    match rng.u32(0..6) {
        0 => habits.hides_inactive = true,
        1 => habits.deletes_inactive = true,
        _ => {}
    }
    habits.ignores_filters = rng.u32(0..4) == 0;
    habits.restarts_past_end = rng.u32(0..4) == 0;
    habits.lists_newest_first = rng.u32(0..4) == 0;
    habits.writes_booleans_as_text = rng.u32(0..4) == 0;
    habits.writes_members_in_lower_case = rng.u32(0..8) == 0;
    habits.says_plain_json = rng.bool();
    habits.has_no_config = rng.bool();
    habits.paging = match rng.u32(0..3) {
        0 => Paging::Cursor,
        1 => Paging::Both,
        _ => Paging::Index,
    };
    habits.page_max = [10, 25, 100].get(rng.usize(0..3)).copied().unwrap_or(100);
}
