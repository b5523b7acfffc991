//! A random company of 30 to 80 people, and an installation of Driftline that watches it.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use domain::Clock as _;
use engine::Plan;
use fastrand::Rng;
use store::Store;
use tempfile::TempDir;

use super::check::Since;
use super::console;
use super::days::Later;
use super::idps::{Idp, Idps};
use super::installation::{HrWord, Installation, Voices};
use super::leavers::Past;
use super::papers::Papers;
use super::people::{GROUPS, Kind};
use super::provider::Provider;
use super::terms::Terms;
use super::truth::Truth;
use crate::world::{Account, Active, Group, Paging, Provisioning, World};
use crate::{Sim, SimClock};

/// A company that lives.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) sim: Sim,
    /// Where its people are.
    pub(super) idps: Idps,
    /// The database, while the program goes on; `None`: it is not running.
    pub(super) store: Option<Store>,
    /// What an operator told Driftline.
    pub(super) installation: Installation,
    /// What a run does.
    pub(super) plan: Plan,
    /// A program that looks and is killed; `None`: nobody is.
    pub(super) victim: Option<PathBuf>,
    /// How long a look by that program takes.
    pub(super) longest_look: Duration,
    pub(super) rng: Rng,
    /// Does somebody say something of findings?
    pub(super) has_operators: bool,
    /// When, and what: nothing of it makes the company live otherwise.
    pub(super) operators: Rng,
    /// When auditors come, and what they ask for: nothing of it makes the company live otherwise.
    pub(super) audits: Rng,
    /// The checkpoint that the first of them kept.
    pub(super) checkpoint: Option<String>,
    pub(super) truth: Truth,
    /// What the company keeps in files.
    pub(super) papers: Papers,
    /// Does Driftline get to see the app's own view?
    pub(super) has_console: bool,
    /// Does Driftline get to see the register?
    pub(super) has_register: bool,
    /// When something happens in what is left of the day.
    pub(super) times: VecDeque<DateTime<Utc>>,
    /// What was set going, with when it comes.
    pub(super) later: Vec<(DateTime<Utc>, Later)>,
    /// What happened since it was read last, a line each.
    pub(super) diary: Vec<String>,
    /// How far Okta's clock is ahead of the company's.
    pub(super) clock_ahead: TimeDelta,
    /// The folder of the database and of the files.
    pub(super) folder: TempDir,
    /// Midnight of the day on which its life began.
    pub(super) born: DateTime<Utc>,
    /// Midnight of the day that is lived.
    pub(super) today: DateTime<Utc>,
    /// Users that some undisturbed run has seen.
    pub(super) seen_users: BTreeSet<String>,
    /// Those of them who had not left when an undisturbed full run saw them.
    pub(super) seen_here: BTreeSet<String>,
    /// When the last undisturbed full run ended; `None`: there was none.
    pub(super) whole_at: Option<DateTime<Utc>>,
    /// When an operator last exported anything.
    pub(super) exported_at: DateTime<Utc>,
    /// When all of it could be read.
    pub(super) brought_at: DateTime<Utc>,
    /// When the log of Okta was last read.
    pub(super) read_at: DateTime<Utc>,
    /// From when to when it could not be read, and will not be again.
    pub(super) unread: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Leaves of people who were back since.
    pub(super) leaves: Past,
    /// Since when it is seen what is not to be.
    pub(super) since: Since,
    pub(super) n_users: u32,
    pub(super) n_accounts: u32,
}

/// What makes the draw of providers another than that of everything else, so that a company of one
/// provider lives as it did before there were several.
const IDPS: u64 = 0x1d95;
/// The same, of the habits of the app's own view.
const CONSOLE: u64 = 0xc095;
/// The same, of what people say of findings.
const OPERATORS: u64 = 0x0be2;
/// The same, of what the operator says of the app.
const UNTOLD: u64 = 0x07d0;
/// The same, of whose word counts.
const VOICES: u64 = 0x701c;
/// The same, of what leavers are held to.
const TERMS: u64 = 0x7e25;
/// The same, of auditors.
const AUDITS: u64 = 0xa0d1;

/// An account that is kept off, to show what the app does with such accounts.
pub(super) const CANARY_OFF: &str = "canary-off";
/// An account that is kept on.
pub(super) const CANARY_ON: &str = "canary-on";

impl Company {
    /// A company of its seed, with people, an app, habits and a clock of its own.
    pub(super) async fn found(seed: u64, idp: Idp, has_console: bool) -> anyhow::Result<Self> {
        let idps = Idps::drawn(idp, &mut Rng::with_seed(seed ^ IDPS));
        let mut rng = Rng::with_seed(seed);
        let day = TimeDelta::days(i64::from(rng.u32(0..3_650)));
        let today = DateTime::UNIX_EPOCH + TimeDelta::days(16_000) + day;
        let mut world = World::empty(today);
        habits(&mut world, &mut rng);
        if has_console {
            console::habits(&mut world, &mut Rng::with_seed(seed ^ CONSOLE));
        }
        if !idps.has(Provider::Okta) {
            world.okta.clock_ahead = TimeDelta::zero();
        }
        let hr = [HrWord::Unheard, HrWord::Second, HrWord::Authority].get(rng.usize(0..3)).copied();
        let hr = hr.filter(|_| idps.numbers()).unwrap_or_default();
        let has_register = rng.bool();
        let folder = tempfile::tempdir()?;
        let clock_ahead = world.okta.clock_ahead;
        let sim = Sim::start(world).await?;
        let mut operators = Rng::with_seed(seed ^ OPERATORS);
        let untold = Rng::with_seed(seed ^ UNTOLD).u32(0..3) == 0;
        let voices = Voices::drawn(hr, &idps, &mut Rng::with_seed(seed ^ VOICES));
        let chosen = (voices, Terms::drawn(&mut Rng::with_seed(seed ^ TERMS)));
        let told = (has_register, has_console, untold);
        let installation = Installation::of(&sim, &idps, folder.path(), chosen, told);
        let mut company = Self {
            idps,
            store: None,
            plan: installation.plan(&sim.clock())?,
            installation,
            victim: None,
            longest_look: Duration::from_millis(100),
            sim,
            rng,
            has_operators: operators.bool(),
            operators,
            audits: Rng::with_seed(seed ^ AUDITS),
            checkpoint: None,
            truth: Truth::new(voices),
            papers: Papers::default(),
            has_console,
            has_register,
            times: VecDeque::new(),
            later: Vec::new(),
            diary: Vec::new(),
            folder,
            born: today,
            today,
            clock_ahead,
            seen_users: BTreeSet::new(),
            seen_here: BTreeSet::new(),
            whole_at: None,
            exported_at: today,
            brought_at: today,
            read_at: today,
            unread: Vec::new(),
            leaves: Past::new(),
            since: Since::default(),
            n_users: 0,
            n_accounts: 0,
        };
        company.canaries();
        company.first_people();
        company.diary.clear();
        Ok(company)
    }

    fn first_people(&mut self) {
        // A part of it is to be no smaller than a company of one provider can be.
        let more = if self.idps.are_several() { 30 } else { 0 };
        for _ in 0..self.rng.u32(30..=80) + more {
            let at = self.now();
            let kind = [Kind::Employee, Kind::Contractor, Kind::Guest]
                .get(self.rng.usize(0..12).saturating_sub(9))
                .copied();
            let what = self.join(kind.unwrap_or(Kind::Employee), None, at);
            self.happened(at, what);
        }
    }

    /// Where Driftline keeps what it sees.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("driftline.db")
    }

    pub(super) fn clock(&self) -> std::sync::Arc<SimClock> {
        self.sim.clock()
    }

    /// What its clock shows, in whole milliseconds: systems tell no more.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.sim.clock().now().trunc_subsecs(3)
    }

    /// What the clock of a user's provider shows then: it writes times by that. Only Okta's is off.
    pub(super) fn by_clock_of(&self, user: &str, at: DateTime<Utc>) -> DateTime<Utc> {
        match Provider::of(user) {
            Provider::Okta => at + self.clock_ahead,
            Provider::Entra | Provider::Onelogin | Provider::Exports => at,
        }
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
        let mut world = self.sim.world();
        if self.has_console {
            console::show(&mut world);
        }
        self.truth.note(&world, &self.papers, at);
        self.idps.all().iter().for_each(|it| it.show(&mut world, at));
        drop(world);
        self.diary.push(format!("{} {what}", at.format("%F %T%.3f")));
    }

    fn canaries(&mut self) {
        let at = self.now();
        for (id, is_on) in [(CANARY_ON, true), (CANARY_OFF, false)] {
            let account = account(id, address_of(id), is_on, at);
            self.sim.world().app.accounts.push(account);
        }
        self.happened(at, "the canaries are made".to_owned());
    }
}

/// The address of a canary.
pub(super) fn address_of(canary: &str) -> String {
    format!("{canary}@firm.test")
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
    for (id, is_assigned) in GROUPS {
        let group = Group { name: (*id).to_owned(), is_assigned: *is_assigned, ..Group::default() };
        world.okta.groups.insert((*id).to_owned(), group);
    }
    // A clock of four is off by some minutes.
    let mut ahead = || TimeDelta::seconds(if rng.u32(0..4) == 0 { rng.i64(-600..=600) } else { 0 });
    world.okta.clock_ahead = ahead();
    world.app.clock_ahead = ahead();
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
