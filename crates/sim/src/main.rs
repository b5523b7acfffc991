//! Serves a described company on loopback until it is interrupted, for trying Driftline out by
//! hand against systems that answer; and lets random companies live for years.
#![expect(clippy::print_stdout, reason = "what it prints is for the person who started it")]

mod years;

use std::num::NonZero;
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
use sim::soak::{Idp, Installation, Service, look_once};
use sim::{Sim, World};
use years::Soak;

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
        /// Where the people of the companies are; default: all ways in turn
        #[arg(long)]
        idp: Option<Idp>,
        /// Driftline sees the app's own API beside SCIM; default without `--idp`: every other company
        #[arg(long)]
        console: bool,
        /// Nights of each company
        #[arg(long, default_value_t = 365)]
        nights: u32,
        /// Companies at a time; default: one for each processor
        #[arg(long)]
        at_a_time: Option<NonZero<usize>>,
        /// Write down who passed, and go on where this file ends; delete it when Driftline changes
        #[arg(long, value_name = "FILE")]
        resume: Option<PathBuf>,
        /// Before each look, let another process look, and kill it at a random point
        #[arg(long)]
        kill: bool,
        /// Have this program, `driftline`, export evidence on some nights and at the end of each life, and
        /// read that with both its verifiers; needs python3, ssh-keygen and openssl
        #[arg(long, value_name = "PROGRAM")]
        audit: Option<PathBuf>,
        /// Tell what happens, day by day
        #[arg(long)]
        diary: bool,
    },
    /// Let a daemon serve a random company: restarted, killed and suspended, under settings that change,
    /// with channels that are down; and compare its runs and what channels are told with the truth
    Year {
        /// What everything comes from
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How long
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// Tell what happens, day by day
        #[arg(long)]
        diary: bool,
    },
    /// Look at a company once: the process that `soak --kill` kills
    #[command(hide = true)]
    Look {
        /// The database
        #[arg(long)]
        database: PathBuf,
        /// What the company's clock shows
        #[arg(long)]
        now: DateTime<Utc>,
        #[command(flatten)]
        installation: Installation,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve { file } => serve(file).await,
        Command::Soak {
            years,
            seed,
            idp,
            console,
            nights,
            at_a_time,
            resume,
            kill,
            audit,
            diary,
        } => {
            let seeds = seed..seed.saturating_add(years);
            let audit = audit.map(std::fs::canonicalize).transpose().context("find --audit")?;
            let soak = Soak { seeds, idp, console, nights, at_a_time, resume, kill, audit, diary };
            years::soak(soak).await
        }
        Command::Year { seed, days, diary } => years::year(Service { seed, days }, diary).await,
        Command::Look { database, now, installation } => {
            look_once(&installation, &database, now).await
        }
    }
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
    let okta = format!(
        r#"# export OKTA_TOKEN={token}
[idp.okta.okta]
url = "{okta}"
app_id = "{app}"
token = "env:OKTA_TOKEN"
# Or as a service app: client id {client}, any RS256 or ES256 key.
"#,
        token = door.api_token,
        okta = sim.okta_url(),
        app = world.okta.app.id,
        client = door.client_id,
    );
    let (door, app) = (&world.entra.door, &world.entra.app);
    let entra = format!(
        r#"# export ENTRA_SECRET={secret}
[idp.entra.entra]
tenant = "{tenant}"
graph_url = "{entra}"
login_url = "{entra}"
app_id = "{app}"
client_id = "{client}"
client_secret = "env:ENTRA_SECRET"
"#,
        secret = door.client_secret,
        tenant = door.tenant,
        entra = sim.entra_url(),
        app = app.app_id,
        client = door.client_id,
    );
    let (door, app) = (&world.onelogin.door, &world.onelogin.app);
    let onelogin = format!(
        r#"# export ONELOGIN_SECRET={secret}
[idp.onelogin.onelogin]
url = "{url}"
app_id = {app}
client_id = "{client}"
client_secret = "env:ONELOGIN_SECRET"
"#,
        secret = door.client_secret,
        url = sim.onelogin_url(),
        app = app.id,
        client = door.client_id,
    );
    // A company without people in one of them has no such provider.
    let idps = [
        ("okta", okta, world.okta.users.is_empty()),
        ("entra", entra, world.entra.users.is_empty()),
        ("onelogin", onelogin, world.onelogin.users.is_empty()),
    ];
    let used: Vec<_> = idps.into_iter().filter(|(.., is_empty)| !is_empty).collect();
    let names: Vec<String> = used.iter().map(|(name, ..)| format!("\"{name}\"")).collect();
    let tables: Vec<String> = used.into_iter().map(|(_, table, _)| table).collect();
    format!(
        r#"{tables}
# export SCIM_TOKEN={scim_token}
[app.{name}]
idps = [{names}]

[app.{name}.scim]
url = "{scim}"
token = "env:SCIM_TOKEN"
"#,
        tables = tables.join("\n"),
        scim_token = world.app.token,
        name = world.okta.app.name,
        names = names.join(", "),
        scim = sim.scim_url(),
    ) + &secureframe(sim, &world)
}

/// The table of the app's own view, where there is one. The first with a role owns the key.
fn secureframe(sim: &Sim, world: &World) -> String {
    let personnel = &world.personnel;
    let mut with_role = personnel.people.iter().filter(|it| it.access_role.is_some());
    let Some(owner) = with_role.find_map(|it| it.email.as_ref()) else { return String::new() };
    format!(
        r#"
# export SECUREFRAME_KEY={key} SECUREFRAME_SECRET={secret}
[app.{name}.secureframe_api]
url = "{url}"
api_key = "env:SECUREFRAME_KEY"
api_secret = "env:SECUREFRAME_SECRET"
owner = "{owner}"
"#,
        key = personnel.api_key,
        secret = personnel.api_secret,
        name = world.okta.app.name,
        url = sim.secureframe_url(),
    )
}

fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the company lives now, not on a dated night")]
    Utc::now()
}
