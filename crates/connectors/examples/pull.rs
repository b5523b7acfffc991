//! Pulls export files and prints what came: `pull KIND FILE...`, KIND one of `idp`, `app`, `hr`, `register`.
//! For measuring, together with `time`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectors::files::{Config, FileConfig, Files, Profiles};
use domain::{Clock, SystemId, SystemKind};

struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "an example has the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let kind =
        arguments.next().and_then(|it| SystemKind::parse(&it)).ok_or("usage: pull KIND FILE...")?;
    let files = arguments.map(|it| FileConfig::new(PathBuf::from(it))).collect();
    let config = Config { system: SystemId::parse("example")?, kind, files, zone: None };
    let pull = Files::new(config, Arc::new(Profiles::builtin()?)).pull(&Machine).await;
    for snapshot in &pull.snapshots {
        println!("{}: {} rows, {:?}", snapshot.stream, snapshot.rows.len(), snapshot.coverage);
    }
    for unmapped in &pull.unmapped {
        println!("unmapped {} `{}` in {} rows", unmapped.field, unmapped.raw, unmapped.count);
    }
    for failure in &pull.failures {
        println!("{}", failure.error);
        let mut source = Error::source(&failure.error);
        while let Some(error) = source {
            println!("  {error}");
            source = error.source();
        }
    }
    Ok(())
}
