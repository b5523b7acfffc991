//! What a company of a size takes: time, memory and disk of nights on generated export files. Each
//! company has a process of its own, so that its memory is its own.
//!
//! The network is not in it: a pull takes as long as the rate limits of the vendors say.

mod exports;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use connectors::files::{Config, FileConfig, Profiles};
use domain::{At, SystemId, SystemKind};
use drift::Policy;
use engine::{AppPlan, Plan, Source};
use store::Store;

use crate::plan::{Names, plan};
use exports::Exports;

/// People and apps of each line of the table.
const COMPANIES: [(u32, u32); 5] =
    [(1_000, 1), (10_000, 1), (10_000, 5), (100_000, 1), (100_000, 5)];

/// Nights after the first one: enough that reports rest on one another and pages fill.
const NIGHTS: u32 = 10;

/// Nights of a year.
const YEAR: u64 = 365;

/// One company, or the table.
#[derive(Debug, Args)]
pub(crate) struct Capacity {
    /// How many people one company has; without it, the whole table.
    #[arg(long, requires = "apps")]
    people: Option<u32>,
    /// How many apps it has.
    #[arg(long, requires = "people")]
    apps: Option<u32>,
}

/// Prints the table, or its line for one company.
///
/// # Errors
///
/// Returns an error when a run fails, or a list was not read whole.
pub(crate) async fn run(Capacity { people, apps }: Capacity) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if let (Some(people), Some(apps)) = (people, apps) {
        let line = measure(people, apps).await?;
        return Ok(writeln!(out, "{line}")?);
    }
    writeln!(out, "| people | apps | first run | a night | memory | database | in a year |")?;
    writeln!(out, "|--:|--:|--:|--:|--:|--:|--:|")?;
    let program = std::env::current_exe().context("find this program")?;
    for (people, apps) in COMPANIES {
        let (people, apps) = (people.to_string(), apps.to_string());
        let args = ["capacity", "--people", &people, "--apps", &apps];
        let done = Command::new(&program).args(args).output().context("begin a process")?;
        anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        out.write_all(&done.stdout)?;
    }
    Ok(())
}

/// Lives the nights of one company, and gives its line of the table.
async fn measure(people: u32, apps: u32) -> anyhow::Result<String> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let store = Store::open(&folder.path().join("bench.db"))?;
    let mut exports = Exports::new(people, apps);
    let mut now: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    exports.write(folder.path())?;
    let first = night(&store, folder.path(), apps, now).await?;
    let bytes = size(&store, folder.path()).await?;
    let mut later = 0;
    for _ in 0..NIGHTS {
        exports.change();
        now += TimeDelta::days(1);
        exports.write(folder.path())?;
        later += night(&store, folder.path(), apps, now).await?;
    }
    let memory = peak_kib()?;
    let grown = size(&store, folder.path()).await?.saturating_sub(bytes);
    Ok(format!(
        "| {people} | {apps} | {:.1} s | {:.1} s | {} MB | {} MB | {} MB |",
        seconds(first),
        seconds(later) / f64::from(NIGHTS),
        memory / 1024,
        bytes >> 20,
        (bytes + grown * YEAR / u64::from(NIGHTS)) >> 20,
    ))
}

/// Bytes of the database, without the log of what was written last: those of a copy.
async fn size(store: &Store, folder: &Path) -> anyhow::Result<u64> {
    let copy = folder.join("copy.db");
    store.backup(&copy).await?;
    let n_bytes = fs::metadata(&copy).context("look at the copy")?.len();
    fs::remove_file(&copy).context("remove the copy")?;
    Ok(n_bytes)
}

/// Lives one night, and says for how many ticks processors worked for it.
async fn night(store: &Store, folder: &Path, apps: u32, now: DateTime<Utc>) -> anyhow::Result<u64> {
    let plan = plan_of(folder, apps, now)?;
    let began = ticks()?;
    let outcome = engine::run(store, &plan, &At(now)).await?;
    let ticks = ticks()? - began;
    anyhow::ensure!(outcome.report.is_complete(), "not every list was read whole");
    Ok(ticks)
}

fn plan_of(folder: &Path, apps: u32, now: DateTime<Utc>) -> anyhow::Result<Plan> {
    let idp = SystemId::parse("okta")?;
    let file = |name: &str| FileConfig {
        as_of: Some(now),
        whole: Some(true),
        ..FileConfig::new(folder.join(name))
    };
    let config = |system: &SystemId, kind, files| {
        Source::Files(Config { system: system.clone(), kind, files, zone: None })
    };
    let lists = vec![file(exports::USERS), file(exports::APP_USERS)];
    let mut sources = vec![config(&idp, SystemKind::Idp, lists)];
    let mut all: Vec<AppPlan> = Vec::new();
    let profiles = Arc::new(Profiles::builtin()?);
    for app in 0..apps {
        let name = SystemId::parse(&format!("app-{app}"))?;
        sources.push(config(&name, SystemKind::App, vec![file(&exports::accounts(app))]));
        let names = Names { idp: idp.clone(), app: name };
        all.extend(plan(Vec::new(), Arc::clone(&profiles), names, Policy::default()).apps);
    }
    let names = Names { idp: idp.clone(), app: idp };
    Ok(Plan { apps: all, ..plan(sources, profiles, names, Policy::default()) })
}

/// Hundredths of a second that processors worked for this process (proc(5), `utime` and `stime`).
fn ticks() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat").context("read /proc/self/stat")?;
    // The name may have spaces; it ends with the last bracket, and is the second of all fields.
    let fields = stat.rsplit_once(')').map_or("", |it| it.1).split_whitespace();
    let both: Vec<u64> = fields.skip(11).take(2).filter_map(|it| it.parse().ok()).collect();
    anyhow::ensure!(both.len() == 2, "/proc/self/stat is not as proc(5) says");
    Ok(both.iter().sum())
}

#[expect(clippy::cast_precision_loss, reason = "a run has few ticks")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / 100.0
}

/// The most memory that this process had, in KiB (proc(5), `VmHWM`).
fn peak_kib() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let number = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
    number.context("/proc/self/status is not as proc(5) says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_small_company_lives_its_nights_and_fills_a_line() {
        let line = measure(60, 2).await.unwrap();
        assert!(line.starts_with("| 60 | 2 | "), "{line}");
        assert_eq!(line.matches(" s |").count() + line.matches(" MB |").count(), 5, "{line}");
    }
}
