//! `findings waive`: one person asks, another approves, until a date.

use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use domain::{Finding, Waiver};
use store::{NewWaiver, State, Store};

use super::existing;
use crate::cli::{WaiveCommand, WaiveRequestArgs};
use crate::exit::UsageError;
use crate::settings::Settings;
use crate::{when, who};

/// Does what was asked.
pub(super) async fn waive(
    database: &Path,
    settings: &Settings,
    command: &WaiveCommand,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    Ok(match command {
        WaiveCommand::Request(args) => {
            request(&existing(database)?, settings.policy.zone, args, now).await?
        }
        WaiveCommand::Approve { waiver, by } => {
            let store = existing(database)?;
            store.approve_waiver(*waiver, who::signature(by.as_deref(), now)).await?;
            format!("Approved waiver {waiver}. It counts from the next run on.\n")
        }
        WaiveCommand::List => {
            let store = Store::open_existing_read_only(database)?;
            listing(&store.load().await?, settings.policy.zone, now)?
        }
    })
}

async fn request(
    store: &Store,
    zone: Tz,
    args: &WaiveRequestArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let expires_at = when::end(&args.until, zone).ok_or_else(|| {
        UsageError("`--until` is no date: write it as 2026-12-31, or with time and zone".to_owned())
    })?;
    if args.reason.trim().is_empty() {
        return Err(UsageError("a waiver needs a reason: say why".to_owned()).into());
    }
    let state = store.load().await?;
    let finding = live(&state, args)?;
    let waiver = NewWaiver {
        fingerprint: finding.fingerprint,
        cause: finding.cause,
        episode: finding.episode,
        reason: args.reason.clone(),
        requested: who::signature(args.by.as_deref(), now),
        expires_at,
    };
    let id = store.add_waiver(waiver).await?;
    Ok(format!(
        "Asked for waiver {id} of {} ({}) until {}.\nIt is in force once somebody else approves it: \
         driftline findings waive approve {id}\n",
        finding.id,
        finding.cause,
        shown(expires_at, zone)
    ))
}

/// The finding that is meant, which must not be over.
fn live<'a>(state: &'a State, args: &WaiveRequestArgs) -> Result<&'a Finding, UsageError> {
    let found = state.findings.iter().find(|finding| finding.id == args.id);
    match found {
        None => Err(UsageError(format!("there is no finding {}", args.id))),
        Some(finding) if !finding.is_live() => Err(UsageError(format!(
            "{} is {}: there is nothing to waive",
            finding.id, finding.state
        ))),
        Some(finding) => Ok(finding),
    }
}

/// All waivers, oldest first.
fn listing(state: &State, zone: Tz, now: DateTime<Utc>) -> Result<String, std::fmt::Error> {
    if state.waivers.is_empty() {
        return Ok("There are no waivers.\n".to_owned());
    }
    let mut text = String::new();
    for waiver in &state.waivers {
        let finding = state.findings.iter().find(|it| it.fingerprint == waiver.fingerprint);
        let finding = finding.map_or_else(|| "-".to_owned(), |it| it.id.to_string());
        let (id, cause, until) = (waiver.id, waiver.cause, shown(waiver.expires_at, zone));
        writeln!(
            text,
            "{id:>4}  {:<8}  {finding:<8}  {cause}, until {until}",
            standing(waiver, now)
        )?;
        let approved = waiver.approved.as_ref().map_or("nobody yet", |it| it.by.as_str());
        writeln!(text, "      asked by {}, approved by {approved}", waiver.requested.by)?;
        writeln!(text, "      {}", waiver.reason)?;
    }
    Ok(text)
}

/// Where a waiver stands, in a word.
fn standing(waiver: &Waiver, now: DateTime<Utc>) -> &'static str {
    if waiver.voided_at.is_some() {
        "void"
    } else if now >= waiver.expires_at {
        "expired"
    } else if waiver.is_in_force(now) {
        "in force"
    } else {
        "waiting"
    }
}

fn shown(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}
