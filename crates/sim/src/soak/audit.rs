//! What an auditor does with what Driftline kept of a company: has the database and the ledger verified
//! and evidence exported, lets both verifiers read it, and once more after somebody was erased. Of a
//! copy: the company lives on as if nobody had come.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::Context as _;
use chrono::{NaiveDate, TimeDelta};
use domain::Leaver;
use fastrand::Rng;
use store::Store;
use tempfile::TempDir;
use tokio::process::Command;

use super::company::Company;

/// The verifier that needs no Driftline.
const VERIFY_PY: &str = include_str!("../../../evidence/verify.py");
/// Of so many nights an auditor comes after one, and after the last.
const NIGHTS: u32 = 40;
/// The longest part of a life that is asked for by itself.
const DAYS_MAX: i64 = 92;
/// So many leavers it is tried to erase until one can be.
const ASKED: usize = 12;
/// A checkpoint that an auditor kept.
const KEPT: &str = "kept.checkpoint";
const IDENTITY: &str = "evidence@firm.test";

impl Company {
    /// Does an auditor come after this night?
    pub(super) fn is_audited(&mut self, is_last: bool) -> bool {
        let comes = self.audits.u32(0..NIGHTS) == 0;
        comes || is_last
    }

    /// How many bags an auditor had of the program `driftline`, and what is not as it should be.
    /// Where something was wrong with the look before it (`is_wrong`), too, the folder is kept.
    pub(super) async fn audit(
        &mut self,
        driftline: &Path,
        is_wrong: bool,
    ) -> anyhow::Result<(u64, Vec<String>)> {
        let store = self.store.as_ref().context("somebody looked before")?;
        let mut leavers: Vec<Leaver> =
            store.leavers().await?.into_iter().map(|it| it.leaver).collect();
        let office = Office::opened(driftline, store, &self.installation.settings()).await?;
        // What an auditor took along from the first visit has to be of the same history for ever.
        let kept = match self.checkpoint.take() {
            Some(kept) => kept,
            None => office.told(&["ledger", "head"]).await?,
        };
        fs::write(office.path(KEPT), &kept)?;
        self.checkpoint = Some(kept);
        let (born, today) = (self.born.date_naive(), self.today.date_naive());
        let all = (born - TimeDelta::days(500), today + TimeDelta::days(2));
        let lived = (today - born).num_days().max(1);
        let from = born + TimeDelta::days(self.audits.i64(0..lived));
        let part = (from, from + TimeDelta::days(self.audits.i64(1..=DAYS_MAX)));
        let mut problems = office.is_whole().await?;
        problems.extend(office.bag(all, &[]).await?);
        problems.extend(office.bag(part, redacted(&mut self.audits)).await?);
        let mut n_bags = 2;
        self.audits.shuffle(&mut leavers);
        if let Some(key) = office.erased(&leavers).await? {
            n_bags += 1;
            let mut after = office.is_whole().await?;
            after.extend(office.bag(all, redacted(&mut self.audits)).await?);
            problems.extend(after.iter().map(|it| format!("{it}, with {key} erased")));
        }
        if is_wrong || !problems.is_empty() {
            problems.push(format!("KEPT for a look: {}", office.folder.keep().display()));
        }
        Ok((n_bags, problems))
    }
}

fn redacted(rng: &mut Rng) -> &'static [&'static str] {
    if rng.bool() { &["--redacted"] } else { &[] }
}

/// A folder with a copy of the database, settings, keys, and what the auditor was given beforehand.
struct Office<'o> {
    driftline: &'o Path,
    folder: TempDir,
}

impl<'o> Office<'o> {
    async fn opened(driftline: &'o Path, store: &Store, settings: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let office = Self { driftline, folder };
        store.backup(&office.path("driftline.db")).await?;
        fs::write(office.path("verify.py"), VERIFY_PY)?;
        fs::create_dir(office.path("given"))?;
        fs::write(office.path("driftline.toml"), "database = \"driftline.db\"\n")?;
        let new = ["key", "new", "--output"];
        let log = [&["ledger"], &new[..], &["ledger.key"]].concat();
        let bags = [&["evidence"], &new[..], &["evidence.key", "--identity", IDENTITY]].concat();
        for (command, given) in [(log, "log.vkey"), (bags, "allowed_signers")] {
            let told = office.told(&command).await?;
            let key = told.lines().last().unwrap_or_default().trim();
            fs::write(office.path("given").join(given), format!("{key}\n"))?;
        }
        fs::write(office.path("driftline.toml"), settings)?;
        Ok(office)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program here.
    async fn run(&self, program: &Path, args: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).args(args).kill_on_drop(true);
        let output = command.output().await;
        output.with_context(|| format!("run {} {}", program.display(), args.join(" ")))
    }

    /// What the program says, which does not fail.
    async fn told(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self.run(self.driftline, args).await?;
        anyhow::ensure!(output.status.success(), "`{}`: {}", args.join(" "), said(&output));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What is wrong with the database and its ledger.
    async fn is_whole(&self) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        for what in ["db", "ledger"] {
            let output = self.run(self.driftline, &[what, "verify"]).await?;
            if !output.status.success() {
                problems.push(format!("AUDIT of {what}: {}", said(&output)));
            }
        }
        Ok(problems)
    }

    /// What either verifier has against the bag of a time.
    async fn bag(
        &self,
        (from, to): (NaiveDate, NaiveDate),
        more: &[&str],
    ) -> anyhow::Result<Vec<String>> {
        let (from, to) = (from.to_string(), to.to_string());
        let period = ["--app", "secureframe", "--from", &from, "--to", &to];
        let export = [&["evidence", "export", "--output", "bag.zip"], &period[..], more].concat();
        self.told(&export).await?;
        let trust = ["bag.zip", "--trust", "given", "--since", KEPT];
        let ours = [&["evidence", "verify"], &trust[..]].concat();
        let ours = self.run(self.driftline, &ours).await?;
        let script = [&["verify.py"], &trust[..]].concat();
        let script = self.run(Path::new("python3"), &script).await?;
        fs::rename(self.path("bag.zip"), self.path("last.zip"))?;
        let is_good = ours.status.success() && script.status.success();
        Ok(match is_good && found(&ours) == found(&script) {
            true => Vec::new(),
            false => vec![format!(
                "BAG from {from} to {to} {more:?}:\n{}\nby verify.py:\n{}",
                said(&ours),
                said(&script)
            )],
        })
    }

    /// Erases the first of whom nothing is left anywhere else, as their employer would be asked to, and
    /// gives the key. `None`: each was refused.
    async fn erased(&self, leavers: &[Leaver]) -> anyhow::Result<Option<String>> {
        for leaver in leavers.iter().take(ASKED) {
            let who = format!("{}/{}", leaver.person.system, leaver.person.key);
            let erase = ["erase", &*who, "--basis", "request 7"];
            let shown = self.run(self.driftline, &erase).await?;
            let shown = String::from_utf8(shown.stdout)?;
            let Some((_, digest)) = shown.split_once("--confirm ") else { continue };
            let digest = digest.split_whitespace().next().unwrap_or_default();
            self.told(&[&erase[..], &["--confirm", digest]].concat()).await?;
            return Ok(Some(who));
        }
        Ok(None)
    }
}

/// What a verifier found, a line each; of the signature each tells in words of its own.
fn found(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|it| !it.starts_with("good         signature: "));
    lines.map(str::to_owned).collect()
}

/// How a program ended, and what it said.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    format!("{}: {}{}", output.status, text(&output.stdout), text(&output.stderr))
}
