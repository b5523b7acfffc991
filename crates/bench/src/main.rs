//! Runs the whole job on a generated company and writes what it found, one `class<TAB>id` a line,
//! so that other programs doing the same can be set beside it. Not shipped.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Parser, ValueEnum};
use connectors::files::{Config, FileConfig, Profiles};
use domain::{Cause, Clock, Family, RunRecord, SystemId, SystemKind};
use drift::{AppRules, Deprovision, Entitlement, Policy};
use engine::{AppPlan, Plan, Source};
use graph::KeyRules;
use store::Store;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benchmarks of Driftline.
#[derive(Debug, Parser)]
enum Bench {
    /// Runs the whole job on a generated company, with grace and second look off.
    Company {
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
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
    Pages,
}

struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Bench::Company { dir, format, db, out } = Bench::parse();
    let folder = tempfile::tempdir().context("make a folder for the database")?;
    let db = db.unwrap_or_else(|| folder.path().join("bench.db"));
    let store = Store::open(&db)?;
    let plan = plan(&dir, format)?;
    let outcome = engine::run(&store, &plan, &Machine).await?;
    anyhow::ensure!(outcome.report.is_complete(), "not every list was read whole");
    write(&outcome.record, &out).with_context(|| format!("write `{}`", out.display()))
}

fn plan(dir: &Path, format: Format) -> anyhow::Result<Plan> {
    let okta = SystemId::parse("okta")?;
    let app = SystemId::parse("app")?;
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
    Ok(Plan {
        sources: vec![
            config(&okta, SystemKind::Idp, vec![file("okta_users"), file("okta_app_users")]),
            config(&app, SystemKind::App, vec![file("scim_users")]),
        ],
        profiles: Arc::new(profiles),
        apps: vec![AppPlan {
            rules: AppRules {
                app,
                idps: vec![okta],
                entitlement: Entitlement::Any,
                authority: None,
                deprovision: Deprovision::Lists,
                required_channels: Vec::new(),
                privileged_roles: Vec::new(),
                canaries: Vec::new(),
                inactive_canaries: Vec::new(),
            },
            keys: KeyRules::default(),
        }],
        policy: Policy {
            is_immediate: true,
            max_age: TimeDelta::days(36_500),
            ..Policy::default()
        },
        settings_digest: [0; 32],
        fingerprint_key: Some([0; 32]),
        software: concat!("driftline ", env!("CARGO_PKG_VERSION")).to_owned(),
    })
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
