//! `findings`: what was found, and what people decide about it.

mod link;
mod list;
mod register;
mod waive;
mod word;

pub(crate) use list::last;

use std::path::Path;

use chrono::{DateTime, Utc};
use domain::{Clock, Word};
use store::Store;

use crate::cli::FindingsCommand;
use crate::exit::Exit;
use crate::print;
use crate::settings::{self, Settings};

/// Does what was asked. Reading needs no lock; deciding does, so it waits for no run: it says
/// that one is going on.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or what was asked cannot be done.
pub(crate) async fn findings(
    config: &Path,
    command: &FindingsCommand,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    print::out(answer(&settings, command, clock.now()).await?)?;
    Ok(Exit::Fine)
}

/// Does it, and says what the operator reads.
async fn answer(
    settings: &Settings,
    command: &FindingsCommand,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<u8>> {
    let database = &settings.database;
    let text = match command {
        FindingsCommand::List(args) => {
            return list::list(&Store::open_existing_read_only(database)?, args).await;
        }
        FindingsCommand::Show { id, names } => {
            list::show(&Store::open_existing_read_only(database)?, *id, *names).await?
        }
        FindingsCommand::Link(args) => {
            link::link(&existing(settings)?, settings, args, now).await?
        }
        FindingsCommand::Register(args) => {
            register::register(&existing(settings)?, settings, args, now).await?
        }
        FindingsCommand::Ack { word, reason, until } => {
            let said = (&**reason, until.as_deref());
            word::acknowledge(&existing(settings)?, settings, word, said, now).await?
        }
        FindingsCommand::FalsePositive(args) => {
            let store = existing(settings)?;
            word::with_reason(&store, &args.word, Word::FalsePositive, &args.reason, now).await?
        }
        FindingsCommand::Close(args) => {
            let store = existing(settings)?;
            word::with_reason(&store, &args.word, Word::Close, &args.reason, now).await?
        }
        FindingsCommand::Reopen(args) => {
            let store = existing(settings)?;
            word::with_reason(&store, &args.word, Word::Reopen, &args.reason, now).await?
        }
        FindingsCommand::Waive(command) => waive::waive(database, settings, command, now).await?,
    };
    Ok(text.into_bytes())
}

/// Opens a database for writing that must be there: a decision makes none. A daemon may have it
/// open, between two of its runs.
pub(super) fn existing(settings: &Settings) -> anyhow::Result<Store> {
    Ok(settings.sign(Store::open_beside_runs(&settings.database)?)?)
}

#[cfg(test)]
mod tests;
