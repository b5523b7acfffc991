//! `hold`: legal holds, which forbid that somebody is erased, or anybody in an app and a time. One
//! person sets one, two lift it.

use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use domain::Clock;
use store::{HeldOn, Store};

use crate::cli::{HoldCommand, HoldSetArgs, PeriodArgs};
use crate::commands::erase::{day, meant};
use crate::commands::evidence::Period;
use crate::commands::findings::existing;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings};
use crate::{print, who};

/// Does what was asked.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or what was asked cannot be done.
pub(crate) async fn hold(
    config: &Path,
    command: &HoldCommand,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    print::out(answer(&settings, command, clock.now()).await?)?;
    Ok(Exit::Fine)
}

async fn answer(
    settings: &Settings,
    command: &HoldCommand,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    match command {
        HoldCommand::List => {
            let store = Store::open_existing_read_only(&settings.database)?;
            list(settings, &store).await
        }
        HoldCommand::Set(args) => set(settings, args, now).await,
        HoldCommand::Lift { hold, reason, by } => {
            let (reason, by) = (reasoned(reason)?, who::signature(by.as_deref(), now));
            existing(settings)?.ask_to_lift_hold(*hold, reason, by).await?;
            Ok(format!(
                "Asked to lift legal hold {hold}.\nIt stays until somebody else approves: driftline hold \
                 approve {hold}\n"
            ))
        }
        HoldCommand::Approve { hold, by } => {
            let by = who::signature(by.as_deref(), now);
            existing(settings)?.approve_lift_of_hold(*hold, by).await?;
            Ok(format!("Lifted legal hold {hold}.\n"))
        }
    }
}

async fn list(settings: &Settings, store: &Store) -> anyhow::Result<String> {
    let holds = store.legal_holds().await?;
    if holds.is_empty() {
        return Ok("No legal hold is in force.\n".to_owned());
    }
    let mut text = String::new();
    for it in holds {
        let on = match &it.on {
            HeldOn::Person { key, .. } => key.clone(),
            HeldOn::Period { app, from, to } => {
                format!("{app} from {} to {}", day(*from, settings), day(*to, settings))
            }
        };
        writeln!(text, "{:>4}  {on}, since {}, set by {}", it.id, day(it.at, settings), it.by)?;
        writeln!(text, "      {}", it.reason)?;
        if let Some(by) = it.lift_asked_by {
            writeln!(
                text,
                "      {by} asks to lift it; somebody else approves: driftline hold approve {}",
                it.id
            )?;
        }
    }
    Ok(text)
}

async fn set(
    settings: &Settings,
    args: &HoldSetArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let (reason, by) = (reasoned(&args.reason)?, who::signature(args.by.as_deref(), now));
    let store = existing(settings)?;
    if let (Some(app), Some(from), Some(to)) = (&args.app, &args.from, &args.to) {
        let asked = PeriodArgs { app: app.clone(), from: from.clone(), to: to.clone() };
        let Period { app, from, to, .. } = Period::of(settings, &asked)?;
        let id = store.set_legal_hold_on_period(app.clone(), (from, to), reason, by).await?;
        return Ok(format!(
            "Legal hold {id} is on {app} from {} to {}: whoever had an account there in that time, left, or \
             was found, cannot be erased until two people lift it.\n",
            day(from, settings),
            day(to, settings)
        ));
    }
    let name = args.who.as_deref().unwrap_or_default();
    let scope = meant(&store, name).await?;
    let Some(row) = scope.rows.into_iter().next() else {
        return Err(UsageError(format!("no row is kept of `{name}`")).into());
    };
    let key = format!("{}/{}", row.stream.system, row.key);
    let id = store.set_legal_hold(row, reason, by).await?;
    Ok(format!(
        "Legal hold {id} is on {key} and all rows of the same person: they cannot be erased until two people \
         lift it.\n"
    ))
}

fn reasoned(reason: &str) -> Result<String, UsageError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(UsageError("a legal hold needs a reason: say why".to_owned()));
    }
    Ok(reason.to_owned())
}
