//! `sim soak`: many companies live, some at a time, and what Driftline says of each is compared with
//! the truth. What has passed can be kept, so that a soak goes on where it was stopped.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sim::soak::{Idp, Life, Lived, Served, Service, live, serve};
use tokio::task::JoinSet;

/// Which companies live, and how it is told.
pub(crate) struct Soak {
    /// One company each.
    pub(crate) seeds: Range<u64>,
    /// Where the people of all of them are; `None`: all ways in turn.
    pub(crate) idp: Option<Idp>,
    /// Does Driftline see the app's own API? Where the ways take turns, it does in every other turn.
    pub(crate) console: bool,
    pub(crate) nights: u32,
    /// `None`: one for each processor.
    pub(crate) at_a_time: Option<NonZero<usize>>,
    /// Who passed before, and who passes now.
    pub(crate) resume: Option<PathBuf>,
    /// Kill a process at a random point before each look?
    pub(crate) kill: bool,
    /// The program Driftline, for auditors. `None`: none come.
    pub(crate) audit: Option<PathBuf>,
    pub(crate) diary: bool,
}

impl Soak {
    /// The life of the company of that seed.
    fn life(&self, seed: u64, victim: Option<PathBuf>) -> Life {
        let n = Idp::ALL.len() as u64;
        let turn = usize::try_from(seed % n).unwrap_or_default();
        let in_turn = Idp::ALL.get(turn).copied().unwrap_or_default();
        let has_console = self.console || (self.idp.is_none() && seed / n % 2 == 1);
        let idp = self.idp.unwrap_or(in_turn);
        let driftline = self.audit.clone();
        Life { seed, idp, has_console, nights: self.nights, victim, driftline }
    }
}

/// What came of all companies so far.
#[derive(Default)]
struct Sum {
    n_passed: u64,
    n_failed: u64,
    n_nights: u64,
    n_runs: u64,
    n_crashes: u64,
    n_killed: u64,
    n_bags: u64,
    n_exposed: u64,
}

/// Lives through all the companies. The last line says how many passed.
///
/// # Errors
///
/// Fails when a company was judged wrongly, or cannot be simulated.
pub(crate) async fn soak(soak: Soak) -> anyhow::Result<()> {
    let mut kept = soak.resume.as_deref().map(Kept::open).transpose()?;
    let passed = kept.as_ref().map(|it| it.passed.clone()).unwrap_or_default();
    let victim = soak.kill.then(std::env::current_exe).transpose()?;
    let lives = soak.seeds.clone().map(|seed| soak.life(seed, victim.clone()));
    let (passed, waiting): (Vec<Life>, Vec<Life>) =
        lives.partition(|it| passed.contains(&Kept::line(it)));
    let mut sum = Sum {
        n_passed: passed.len() as u64,
        n_nights: passed.iter().map(|it| u64::from(it.nights)).sum(),
        ..Sum::default()
    };
    let mut waiting = waiting.into_iter();
    // A process that is just being started holds for a moment what this one has open, locks too.
    let one_at_a_time = NonZero::new(1).filter(|_| soak.diary || soak.kill || soak.audit.is_some());
    let at_a_time =
        one_at_a_time.or(soak.at_a_time).or_else(|| std::thread::available_parallelism().ok());
    let mut living = JoinSet::new();
    loop {
        while living.len() < at_a_time.map_or(1, NonZero::get)
            && let Some(life) = waiting.next()
        {
            living.spawn(one(life, soak.diary));
        }
        let Some(lived) = living.join_next().await else { break };
        let (life, lived) = lived.context("a company broke down")??;
        sum.add(&life, &lived);
        if let Some(kept) = kept.as_mut().filter(|_| lived.problems.is_empty()) {
            kept.add(&life)?;
        }
    }
    let Sum { n_passed, n_failed, n_nights, n_runs, n_crashes, n_killed, n_bags, n_exposed } = sum;
    println!(
        "{n_runs} runs, {n_crashes} broken off, {n_killed} killed, {n_exposed} exposed accounts seen, {n_bags} bags read"
    );
    println!("{n_passed} passed, {n_failed} failed, {:.1} company-years", n_nights as f64 / 365.0);
    anyhow::ensure!(n_failed == 0, "{n_failed} companies were judged wrongly");
    Ok(())
}

/// Lets a daemon serve one company. The last line says what came of it.
///
/// # Errors
///
/// Fails when something was not so, or the company cannot be simulated.
pub(crate) async fn year(service: Service, diary: bool) -> anyhow::Result<()> {
    let told = move |line: &str| {
        if diary {
            println!("{line}");
        }
    };
    let Served {
        n_full,
        n_light,
        n_missed,
        n_processes,
        n_killed,
        n_failed,
        n_reloads,
        n_clock_changes,
        n_deaf_hours,
        told: sum,
        problems,
    } = serve(service, told).await?;
    let Service { seed, days } = service;
    for problem in &problems {
        println!("{problem}\n  again: sim year --seed {seed} --days {days} --diary");
    }
    println!(
        "{n_full} full runs, {n_light} light passes, {n_missed} due times told as missed; \
         {n_processes} processes, {n_killed} killed in a run, {n_failed} runs that failed, \
         {n_reloads} changes of settings, {n_clock_changes} of the clocks"
    );
    println!(
        "{} notices, {} came again, {} unconfirmed; on-call was told of {} accounts, {} times that it \
         is over; channels were deaf for {n_deaf_hours} hours",
        sum.n_notices, sum.n_again, sum.n_unconfirmed, sum.n_paged, sum.n_over
    );
    println!("{days} days, {} problems", problems.len());
    anyhow::ensure!(problems.is_empty(), "something was not so");
    Ok(())
}

async fn one(life: Life, diary: bool) -> anyhow::Result<(Life, Lived)> {
    let told = |line: &str| {
        if diary {
            println!("{line}");
        }
    };
    let lived = live(life.clone(), told).await?;
    Ok((life, lived))
}

impl Sum {
    fn add(&mut self, life: &Life, lived: &Lived) {
        let Life { seed, nights, victim, driftline, .. } = life;
        let kill = if victim.is_some() { " --kill" } else { "" };
        let audit = driftline.as_ref().map(|it| format!(" --audit {}", it.display()));
        let audit = audit.unwrap_or_default();
        let (idp, console) = named(life);
        for problem in &lived.problems {
            println!("{problem}");
            let night = problem.night;
            println!(
                "  again: sim soak --idp {idp}{console} --seed {seed} --nights {night}{kill}{audit} --diary"
            );
        }
        let Lived { n_runs, n_crashes, n_killed, n_bags, n_exposed, problems } = lived;
        println!(
            "seed {seed}, {idp}{console}: {n_runs} runs, {n_crashes} broken off, {n_killed} killed, {n_exposed} exposed accounts seen, {n_bags} bags read, {} problems",
            problems.len()
        );
        self.n_nights += u64::from(*nights);
        self.n_runs += n_runs;
        self.n_crashes += n_crashes;
        self.n_killed += n_killed;
        self.n_bags += n_bags;
        self.n_exposed += n_exposed;
        if problems.is_empty() {
            self.n_passed += 1;
        } else {
            self.n_failed += 1;
        }
    }
}

/// What a company has, as arguments.
fn named(life: &Life) -> (&'static str, &'static str) {
    (life.idp.name(), if life.has_console { " --console" } else { "" })
}

/// The file of those who passed: `SEED NIGHTS`, a line each, with what else the company has behind it
/// where that is not Okta alone.
struct Kept {
    file: File,
    passed: BTreeSet<String>,
}

impl Kept {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let open = OpenOptions::new().create(true).append(true).read(true).open(path);
        let mut file = open.with_context(|| format!("open {}", path.display()))?;
        let text = std::fs::read_to_string(path)?;
        // A last line that was cut off passed nobody, and must not become another with the next.
        if !text.is_empty() && !text.ends_with('\n') {
            writeln!(file)?;
        }
        let lines = text.split_inclusive('\n').filter_map(|it| it.strip_suffix('\n'));
        Ok(Self { file, passed: lines.map(str::to_owned).collect() })
    }

    /// What is written down of a life that passed.
    fn line(life: &Life) -> String {
        let Life { seed, nights, .. } = life;
        match named(life) {
            ("okta", console) => format!("{seed} {nights}{console}"),
            (idp, console) => format!("{seed} {nights} {idp}{console}"),
        }
    }

    fn add(&mut self, life: &Life) -> anyhow::Result<()> {
        writeln!(self.file, "{}", Self::line(life)).context("write down who passed")
    }
}
