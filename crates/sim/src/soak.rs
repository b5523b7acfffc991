//! Company-years: a random company lives, Driftline looks at it every night, and lightly on some
//! days, with its real connectors, store and run, and what it says is compared with what is true.
//!
//! Everything comes from one seed, so that a night that went wrong can be lived again.

mod accounts;
mod audit;
pub mod calendar;
mod channels;
mod check;
mod company;
mod console;
mod days;
mod idps;
mod installation;
mod leavers;
mod night;
mod operators;
mod papers;
mod people;
mod provider;
mod service;
mod terms;
mod told;
mod truth;

use std::path::PathBuf;

use anyhow::Context as _;

use company::Company;
use domain::Pass;
pub use idps::Idp;
pub use installation::{Installation, look_once};
use night::Seen;
pub use service::{Served, Service, serve};
pub use told::Sum;

/// A stretch of one company's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// What everything comes from.
    pub seed: u64,
    /// Where its people are.
    pub idp: Idp,
    /// Does Driftline see the app's own API, beside SCIM?
    pub has_console: bool,
    /// How many nights.
    pub nights: u32,
    /// A program that takes the arguments of [`look_once`]. Before each look it looks, and is killed
    /// (SIGKILL) at a random point. `None`: nobody is killed.
    pub victim: Option<PathBuf>,
    /// The program Driftline. On some nights and at the end an auditor has it export evidence of a copy
    /// of the database, and reads that with both verifiers. `None`: no auditor comes.
    pub driftline: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lived {
    /// Runs that were compared with the truth.
    pub n_runs: u64,
    /// Runs that were broken off, and done again.
    pub n_crashes: u64,
    /// Processes that were killed while they looked.
    pub n_killed: u64,
    /// Bags of evidence that both verifiers have read.
    pub n_bags: u64,
    /// Accounts that should have been off, counted once a run.
    pub n_exposed: u64,
    /// Everything that Driftline said or left out and that was not so, in order of nights.
    pub problems: Vec<Problem>,
}

/// One thing that was not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The company's seed.
    pub seed: u64,
    /// In which night, counted from 1.
    pub night: u32,
    /// What was said or left out, and what is true.
    pub what: String,
}

impl Lived {
    fn add(&mut self, seen: Seen, seed: u64, night: u32) {
        self.n_runs += 1;
        self.n_crashes += u64::from(seen.crashed);
        self.n_killed += u64::from(seen.killed);
        self.n_exposed += seen.n_exposed;
        self.found(seen.problems, seed, night);
    }

    fn found(&mut self, problems: Vec<String>, seed: u64, night: u32) {
        let problems = problems.into_iter();
        self.problems.extend(problems.map(|what| Problem { seed, night, what }));
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {}, night {}: {}", self.seed, self.night, self.what)
    }
}

/// Lives through it. Stops after the first night with a problem: what follows would follow from it.
/// `told` hears what happens, a line each.
///
/// # Errors
///
/// Returns an error when the company cannot be simulated at all, which says nothing of Driftline.
pub async fn live(life: Life, mut told: impl FnMut(&str)) -> anyhow::Result<Lived> {
    let mut company =
        Company::found(life.seed, life.idp, life.has_console).await.context("found the company")?;
    company.victim.clone_from(&life.victim);
    let mut lived = Lived::default();
    for night in 1..=life.nights {
        let mut times = company.dawn();
        for at in company.light_looks_today() {
            company.pass(&mut times, at);
            company.speak().await?;
            company.diary.drain(..).for_each(|it| told(&it));
            let seen = company.look(Pass::Light).await;
            let seen = seen.with_context(|| format!("day before night {night}"))?;
            told(&seen.line);
            lived.add(seen, life.seed, night);
        }
        company.dusk(times);
        company.diary.drain(..).for_each(|it| told(&it));
        for look in 0..company.looks_today() {
            company.wait_for_look(look);
            company.speak().await?;
            let seen = company.look(Pass::Full).await.with_context(|| format!("night {night}"))?;
            told(&seen.line);
            lived.add(seen, life.seed, night);
        }
        let is_wrong = !lived.problems.is_empty();
        if let Some(driftline) = &life.driftline
            && company.is_audited(is_wrong || night == life.nights)
        {
            let audit = company.audit(driftline, is_wrong).await;
            let (n_bags, problems) = audit.with_context(|| format!("audit of night {night}"))?;
            lived.n_bags += n_bags;
            lived.found(problems, life.seed, night);
        }
        if !lived.problems.is_empty() {
            break;
        }
    }
    Ok(lived)
}
