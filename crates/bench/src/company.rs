//! The whole job on a generated company's export files, and what it found, one `class<TAB>id` a
//! line, so that other programs doing the same can be set beside it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use connectors::files::{Config, FileConfig, Profiles};
use domain::{Cause, Clock as _, Family, RunRecord, SystemId, SystemKind};
use drift::Policy;
use engine::{Plan, Source};
use store::Store;

use crate::clock::Machine;
use crate::plan::{Names, plan};

/// What to read and where to write.
#[derive(Debug, Args)]
pub(crate) struct Company {
    /// The company's folder.
    dir: PathBuf,
    /// Which of its exports to read.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The database; kept, so that a second night can follow. Without it, one that is dropped.
    #[arg(long)]
    db: Option<PathBuf>,
    /// Where to write what was found.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
    Pages,
}

/// Runs it once.
///
/// # Errors
///
/// Returns an error when the run fails, when a list was not read whole, or when what was found
/// cannot be written.
pub(crate) async fn run(company: Company) -> anyhow::Result<()> {
    let Company { dir, format, db, out } = company;
    let folder = tempfile::tempdir().context("make a folder for the database")?;
    let db = db.unwrap_or_else(|| folder.path().join("bench.db"));
    let store = Store::open(&db)?;
    let plan = plan_of(&dir, format)?;
    let outcome = engine::run(&store, &plan, &Machine).await?;
    anyhow::ensure!(outcome.report.is_complete(), "not every list was read whole");
    write(&outcome.record, &out).with_context(|| format!("write `{}`", out.display()))
}

fn plan_of(dir: &Path, format: Format) -> anyhow::Result<Plan> {
    let names = Names { idp: SystemId::parse("okta")?, app: SystemId::parse("app")? };
    let file = |kind: &str| {
        let (path, profile) = match (format, kind) {
            (Format::Jsonl, _) => (format!("{kind}.jsonl"), None),
            (Format::Pages, _) => (format!("pages/{kind}"), None),
            (Format::Csv, _) => {
                (format!("{kind}.csv"), Some(format!("bench-{}-csv", kind.replace('_', "-"))))
            }
        };
        FileConfig {
            profile,
            as_of: Some(Machine.now()),
            whole: Some(true),
            ..FileConfig::new(dir.join(path))
        }
    };
    let config = |system: &SystemId, kind, files| {
        Source::Files(Config { system: system.clone(), kind, files, zone: None })
    };
    let profiles = [
        include_str!("../profiles/okta-users-csv.toml"),
        include_str!("../profiles/okta-app-users-csv.toml"),
        include_str!("../profiles/scim-users-csv.toml"),
    ];
    let profiles =
        profiles.into_iter().try_fold(Profiles::builtin()?, |all, text| all.with_profile(text))?;
    let sources = vec![
        config(&names.idp, SystemKind::Idp, vec![file("okta_users"), file("okta_app_users")]),
        config(&names.app, SystemKind::App, vec![file("scim_users")]),
    ];
    let policy =
        Policy { is_immediate: true, max_age: TimeDelta::days(36_500), ..Policy::default() };
    Ok(plan(sources, Arc::new(profiles), names, policy))
}

/// The class of a cause in the generator's words; `None` for what it does not plant.
fn class(cause: Cause) -> Option<&'static str> {
    match (cause.family(), cause) {
        (Family::AccessRemains, _) => Some("stale_active"),
        (_, Cause::OrphanActive) => Some("orphan"),
        (_, Cause::DisabledEntitled) => Some("inactive_but_assigned"),
        (_, Cause::NotProvisioned | Cause::Vanished) => Some("missing_account"),
        (_, Cause::DuplicateAccount) => Some("ambiguous_duplicate"),
        (_, Cause::AmbiguousLink | Cause::LinkConflict) => Some("ambiguous_conflict"),
        _ => None,
    }
}

/// An account with link trouble counts as that only, whatever else is the matter with it.
fn write(record: &RunRecord, out: &Path) -> anyhow::Result<()> {
    let living = || record.findings.iter().map(|it| &it.finding).filter(|it| it.is_live());
    let troubled: Vec<i64> = {
        let links = living().filter(|it| it.family() == Family::Link);
        let mut entities: Vec<i64> = links.map(|it| it.subject.entity.0).collect();
        entities.sort_unstable();
        entities
    };
    let mut lines: Vec<String> = living()
        .filter(|it| {
            it.family() == Family::Link || troubled.binary_search(&it.subject.entity.0).is_err()
        })
        .filter_map(|it| Some(format!("{}\t{}", class(it.cause)?, it.subject.key)))
        .collect();
    lines.sort();
    let mut file = BufWriter::new(File::create(out)?);
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.flush()?;
    Ok(())
}
