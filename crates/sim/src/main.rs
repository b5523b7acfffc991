//! Serves a described company on loopback until it is interrupted, for trying Driftline out by
//! hand against systems that answer.
#![expect(clippy::print_stdout, reason = "what it prints is for the person who started it")]

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
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
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Serve { file } = Cli::parse().command;
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
