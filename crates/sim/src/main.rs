//! Serves a described company on loopback until it is interrupted, for trying Driftline out by
//! hand against systems that answer.
#![expect(clippy::print_stdout, reason = "what it prints is for the person who started it")]

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
use sim::soak::{Life, live};
use sim::{Sim, World};

/// A simulated company.
#[derive(Parser)]
#[command(name = "sim")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a described company on loopback until interrupted
    Serve {
        /// The description
        file: PathBuf,
    },
    /// Let random companies live for years, look at them every night, and compare with the truth
    Soak {
        /// Years of companies, one company each
        #[arg(long, default_value_t = 1)]
        years: u64,
        /// The seed of the first company; the others follow
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Nights of each company
        #[arg(long, default_value_t = 365)]
        nights: u32,
        /// Tell what happens, day by day
        #[arg(long)]
        diary: bool,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve { file } => serve(file).await,
        Command::Soak { years, seed, nights, diary } => {
            soak(seed..seed.saturating_add(years), nights, diary).await
        }
    }
}

/// Lives through all the companies. The last line says how many passed.
async fn soak(seeds: Range<u64>, nights: u32, diary: bool) -> anyhow::Result<()> {
    let (mut n_passed, mut n_failed, mut n_nights) = (0_u64, 0_u64, 0_u64);
    for seed in seeds {
        let lived = live(Life { seed, nights }, |line| {
            if diary {
                println!("{line}");
            }
        })
        .await?;
        for problem in &lived.problems {
            println!("{problem}");
            println!("  again: sim soak --seed {seed} --nights {} --diary", problem.night);
        }
        println!(
            "seed {seed}: {} runs, {} broken off, {} exposed accounts seen, {} problems",
            lived.n_runs,
            lived.n_crashes,
            lived.n_exposed,
            lived.problems.len()
        );
        n_nights += u64::from(nights);
        if lived.problems.is_empty() { n_passed += 1 } else { n_failed += 1 }
    }
    println!("{n_passed} passed, {n_failed} failed, {:.1} company-years", n_nights as f64 / 365.0);
    anyhow::ensure!(n_failed == 0, "{n_failed} companies were judged wrongly");
    Ok(())
}

async fn serve(file: PathBuf) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("read the description {}", file.display()))?;
    let sim = Sim::start(World::describe_at(&text, now())?).await.context("start the servers")?;
    println!("{}", settings(&sim));
    println!("# Interrupt to stop.");
    tokio::signal::ctrl_c().await.context("wait to be interrupted")?;
    println!("# {} requests.", sim.requests().len());
    for offence in sim.offences() {
        println!("# {offence}");
    }
    Ok(())
}

/// Settings of Driftline that lead here. Secrets are read from the environment.
fn settings(sim: &Sim) -> String {
    let world = sim.world();
    let door = &world.okta.door;
    format!(
        r#"# export OKTA_TOKEN={token} SCIM_TOKEN={scim_token}
[idp.okta.okta]
url = "{okta}"
app_id = "{app}"
token = "env:OKTA_TOKEN"
# Or as a service app: client id {client}, any RS256 or ES256 key.

[app.{name}]
idps = ["okta"]

[app.{name}.scim]
url = "{scim}"
token = "env:SCIM_TOKEN"
"#,
        token = door.api_token,
        scim_token = world.app.token,
        okta = sim.okta_url(),
        app = world.okta.app.id,
        client = door.client_id,
        name = world.okta.app.name,
        scim = sim.scim_url(),
    )
}

fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the company lives now, not on a dated night")]
    Utc::now()
}
