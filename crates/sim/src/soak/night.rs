//! One look of Driftline at the company: sometimes through a fault, sometimes broken off in the
//! middle and done again, always compared with the truth.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use domain::{Change, FindingRecord, Pass, RunId, RunRecord};
use engine::{Outcome, Plan, Rederived};
use store::Store;
use tokio::time::Instant;

use super::check::{Look, compare, has_shrunk};
use super::company::Company;
use super::console;
use super::installation::as_of;
use super::leavers::compare_leavers;
use super::provider::Provider;
use super::provider::exports::{self, Export};
use crate::Endpoint;
use crate::fault::{FAULTS, Fault, Wait, When};

/// What came of one look.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The look in a line.
    pub(super) line: String,
    /// It was broken off once.
    pub(super) crashed: bool,
    /// Another process was killed while it looked.
    pub(super) killed: bool,
    /// Accounts that should have been off.
    pub(super) n_exposed: u64,
    pub(super) problems: Vec<String>,
    /// What Driftline wrote down.
    pub(super) record: Option<RunRecord>,
}

/// Where something may go wrong beside the identity provider.
const PLACES: &[Endpoint] =
    &[Endpoint::Scim, Endpoint::ScimConfig, Endpoint::ScimUsers, Endpoint::ScimUser];

/// The fault, without a wait of real time. `None`: it is nothing but one, or it changes the company
/// itself, which then has another truth.
fn quick(fault: Fault) -> Option<Fault> {
    Some(match fault {
        Fault::TooMany(Wait::Reset { skew_s, .. }) => {
            Fault::TooMany(Wait::Reset { wait_s: 0, skew_s })
        }
        Fault::TooMany(Wait::Date { skew_s, .. }) => {
            Fault::TooMany(Wait::Date { wait_s: 0, skew_s })
        }
        Fault::TooMany(Wait::Seconds(_)) => Fault::TooMany(Wait::Seconds(0)),
        Fault::TooMany(Wait::Fraction(_)) => Fault::TooMany(Wait::Fraction(1)),
        Fault::Silent
        | Fault::Slow(_)
        | Fault::Huge(_)
        | Fault::GzipBomb(_)
        | Fault::EndlessList
        | Fault::Changes(_) => return None,
        other => other,
    })
}

impl Company {
    /// Looks, and compares.
    pub(super) async fn look(&mut self, pass: Pass) -> anyhow::Result<Seen> {
        let mut seen = Seen::default();
        let fault = (self.rng.u32(0..8) == 0).then(|| self.goes_wrong()).flatten();
        let export = self.export(pass);
        self.prepare(pass, export)?;
        // A program that ends opens its database anew; one that goes on does not.
        if self.rng.u32(0..8) == 0 || self.victim.is_some() {
            self.store = None;
        }
        // A daemon that is broken off does not go on with the same turn.
        if self.plan.turn.is_none() && self.rng.u32(0..25) == 0 {
            seen.crashed = self.break_off().await?;
        }
        if let Some(victim) = self.victim.clone() {
            let path = self.database();
            seen.killed = self.kill(&victim, &path).await?;
            seen.problems.extend(verified(&path).await?);
            // The papers speak as of a later look than the one that was killed.
            self.prepare(self.plan.pass, export)?;
        }
        let began_at = self.now();
        let store = self.opened()?;
        let Outcome { record, failures, .. } =
            engine::run(&store, &self.plan, &*self.clock()).await?;
        self.sim.clear_faults();
        if record.id.0 % JUDGED_AGAIN == 0 {
            seen.problems.extend(again(&store, &self.plan, record.id).await?);
        }
        let leavers = store.leavers().await?;
        self.store = Some(store);

        self.note_log(fault.map(|it| it.0), record.pass, (began_at, record.now));
        let is_whole = fault.is_none() && export == Export::Whole;
        let is_held = has_shrunk(&record);
        let world = self.sim.world();
        let look = Look {
            truth: &self.truth,
            idps: &self.idps,
            world: &world,
            papers: &self.papers,
            policy: &self.plan.policy,
            clock_ahead: self.clock_ahead.abs(),
            record: &record,
            began_at,
            has_register: self.has_register,
            is_undisturbed: is_whole && !is_held,
            is_held: is_whole && is_held,
            whole_at: self.whole_at,
            seen_here: &self.seen_here,
            brought_at: self.brought_at,
            unread: &self.unread,
        };
        seen.problems.extend(compare(&look, &mut self.since));
        seen.problems.extend(compare_leavers(&look, &leavers, &mut self.leaves));
        seen.n_exposed = look.n_exposed();
        seen.line = format!(
            "{} run {}, {}: {} findings, {} exposed, fault {fault:?} {export:?}, held {is_held}, broken off {}, {} failures",
            record.now.format("%F %T%.3f"),
            record.id,
            record.pass,
            record.findings.len(),
            seen.n_exposed,
            seen.crashed,
            failures.len(),
        );
        record.findings.iter().for_each(|it| tell(it, &mut seen.line));
        drop(world);
        self.note_whole(is_whole && !is_held, &record);
        seen.problems.extend(self.sim.offences());
        self.sim.forget_requests();
        seen.record = Some(record);
        Ok(seen)
    }

    /// The database, which a program that goes on has open.
    fn opened(&mut self) -> anyhow::Result<Store> {
        let kept = self.store.take();
        Ok(kept.map_or_else(|| Store::open(&self.database()), Ok)?)
    }

    /// Writes down that a full run has seen everybody, if nothing stood in its way.
    fn note_whole(&mut self, is_undisturbed: bool, record: &RunRecord) {
        if is_undisturbed && record.pass == Pass::Full {
            self.seen_users.extend(self.sim.world().okta.users.keys().cloned());
            let here = self.seen_users.iter().filter(|it| !self.truth.is_out(it, record.now));
            self.seen_here.extend(here.cloned());
            self.whole_at = Some(record.now);
        }
    }

    /// Writes down how far the providers' logs were read.
    fn note_log(
        &mut self,
        fault: Option<Endpoint>,
        pass: Pass,
        (began_at, ended_at): (DateTime<Utc>, DateTime<Utc>),
    ) {
        match (fault, pass) {
            // What a full run cannot read of it, it passes over, and says so.
            (Some(place), Pass::Full) if self.idps.is_log(place) => {
                self.unread.push((self.read_at, ended_at));
            }
            (None, _) => self.read_at = began_at,
            _ => {}
        }
    }

    /// What an operator brings for the next look; a light one reads no list. Draws only where something is
    /// exported.
    fn export(&mut self, pass: Pass) -> Export {
        let is_exported = self.idps.has(Provider::Exports) && self.victim.is_none();
        match (is_exported, self.whole_at, pass) {
            (true, Some(_), Pass::Full) => Export::drawn(&mut self.rng),
            _ => Export::Whole,
        }
    }

    /// Writes the papers, and says what is looked at, as of now.
    pub(super) fn prepare(&mut self, pass: Pass, export: Export) -> anyhow::Result<()> {
        self.papers.write(self.folder.path())?;
        let now = self.now();
        // A light pass reads no list, but for the first of all.
        let is_read = pass == Pass::Full || self.whole_at.is_none();
        if self.idps.has(Provider::Exports) && is_read && export != Export::Old {
            exports::write(&self.sim.world(), self.folder.path(), export)?;
            self.exported_at = now;
            if export == Export::Whole {
                self.brought_at = now;
            }
        }
        as_of(&mut self.plan, now, self.exported_at);
        self.plan = Plan { pass, ..self.plan.clone() };
        Ok(())
    }

    /// Looks, and breaks off at a random point. False: it was faster.
    pub(super) async fn break_off(&mut self) -> anyhow::Result<bool> {
        self.store = None;
        let store = Store::open(&self.database())?;
        let patience = Duration::from_micros(self.rng.u64(0..30_000));
        let clock = self.clock();
        let run = engine::run(&store, &self.plan, &*clock);
        Ok(tokio::time::timeout(patience, run).await.is_err())
    }

    /// Something goes wrong, for some requests or for all.
    fn goes_wrong(&mut self) -> Option<(Endpoint, Fault, When)> {
        let console = if self.has_console { console::PLACES } else { &[] };
        let places = [&self.idps.places(), PLACES, console].concat();
        let endpoint = self.rng.choice(places)?;
        let fits = FAULTS.iter().filter_map(|it| quick(it.1)).filter(|it| it.fits(endpoint));
        let fault = self.rng.choice(fits.collect::<Vec<Fault>>())?;
        let when = match self.rng.u32(0..4) {
            0 => When::next(1),
            1 => When::after(1),
            _ => When::always(),
        };
        self.sim.fault(endpoint, fault, when);
        Some((endpoint, fault, when))
    }

    /// Lets a process look, and kills it at a random point. False: it was faster.
    async fn kill(&mut self, victim: &Path, database: &Path) -> anyhow::Result<bool> {
        let mut command = tokio::process::Command::new(victim);
        command.arg("look").arg("--database").arg(database);
        command.arg("--now").arg(self.now().to_rfc3339());
        command.args(self.installation.to_args());
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let longest = u64::try_from(self.longest_look.as_micros())?;
        let patience = Duration::from_micros(self.rng.u64(0..longest));
        let began = Instant::now();
        let mut child = command.spawn().context("start the program that is killed")?;
        if let Ok(ended) = tokio::time::timeout(patience, child.wait()).await {
            ended?;
            // Points are to lie all over a look, and not behind its end.
            self.longest_look = began.elapsed() * 6 / 5;
            return Ok(false);
        }
        child.kill().await?;
        Ok(true)
    }
}

/// Of so many runs one is judged again: it costs as much as the run.
const JUDGED_AGAIN: i64 = 8;

/// What comes out otherwise when a run is judged again from what is stored.
async fn again(store: &Store, plan: &Plan, run: RunId) -> anyhow::Result<Option<String>> {
    let past = store.past_run(run).await?.context("a run that was saved is there")?;
    Ok(match engine::rederive(store, &past, plan).await? {
        Rederived::Same { .. } => None,
        other => Some(format!("AGAIN: {other:?}")),
    })
}

/// What is wrong with the database, as `db verify` finds it.
async fn verified(path: &Path) -> anyhow::Result<Vec<String>> {
    let found = Store::open(path)?.verify().await?;
    Ok(found.into_iter().map(|it| format!("LOST: {it}")).collect())
}

/// What changed about a finding, and why it was judged so, a line each.
fn tell(record: &FindingRecord, line: &mut String) {
    if record.change == Change::Unchanged {
        return;
    }
    let FindingRecord { finding, because, explanation: why, .. } = record;
    let (id, change, cause) = (finding.id, record.change.name(), finding.cause);
    let key = &finding.subject.key;
    line.push_str(&format!("\n    {id} {change} {cause} of {key} ({because}): {}", why.summary));
    for trial in &why.trials {
        line.push_str(&format!("\n        {trial:?}"));
    }
    for fact in &why.facts {
        line.push_str(&format!("\n        {fact:?}"));
    }
    for absence in &why.absences {
        line.push_str(&format!("\n        {absence}"));
    }
}
