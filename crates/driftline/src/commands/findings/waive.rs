//! `findings waive`: one person asks, another approves, until a date.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::{Finding, FindingId, Signature, Waiver};
use store::{NewWaiver, State, Store};

use super::existing;
use crate::cli::{WaiveCommand, WaiveRequestArgs};
use crate::exit::UsageError;
use crate::settings::Settings;
use crate::table;
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
            request(&existing(settings)?, settings.policy.zone, args, now).await?
        }
        WaiveCommand::Approve { waivers, by } => {
            let store = existing(settings)?;
            approve(&store, waivers, &who::signature(by.as_deref(), now)).await?
        }
        WaiveCommand::List => {
            let store = Store::open_existing_read_only(database)?;
            listing(&store.load().await?, settings.policy.zone, now)?
        }
    })
}

async fn approve(
    store: &Store,
    waivers: &[RangeInclusive<i64>],
    approved: &Signature,
) -> anyhow::Result<String> {
    /// Waivers that are approved at once: as many as one table asks for.
    const MAX: i64 = 100_000;
    let n = waivers.iter().map(|it| it.end() - it.start() + 1).fold(0, i64::saturating_add);
    if n > MAX {
        return Err(UsageError(format!("{n} waivers are too many at once: at most {MAX}")).into());
    }
    let ids: Vec<i64> = waivers.iter().cloned().flatten().collect();
    let named = match &*ids {
        [one] => format!("waiver {one}. It counts"),
        many => format!("{} waivers. They count", many.len()),
    };
    store.approve_waivers(ids, approved.clone()).await?;
    Ok(format!("Approved {named} from the next run on.\n"))
}

/// A waiver as it was typed.
struct Asked {
    /// Where, for errors: a line of a file, or nothing.
    place: String,
    id: FindingId,
    reason: String,
    until: String,
}

async fn request(
    store: &Store,
    zone: Tz,
    args: &WaiveRequestArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let (asked, n_left) = match &args.from {
        Some(path) => of_table(path, args)?,
        None => {
            // The command line is refused without these three.
            let id = args.id.ok_or_else(|| UsageError("which finding?".to_owned()))?;
            let (reason, until) = (args.reason.clone(), args.until.clone());
            let (reason, until) = (reason.unwrap_or_default(), until.unwrap_or_default());
            (vec![Asked { place: String::new(), id, reason, until }], 0)
        }
    };
    let findings = store.findings().await?;
    let requested = who::signature(args.by.as_deref(), now);
    let waivers = asked
        .into_iter()
        .map(|it| waiver(&findings, it, zone, &requested))
        .collect::<Result<Vec<NewWaiver>, UsageError>>()?;
    let named = match &*waivers {
        [one] => {
            let finding = findings.iter().find(|it| it.fingerprint == one.fingerprint);
            let id = finding.map(|it| it.id.to_string()).unwrap_or_default();
            format!(" of {id} ({}) until {}", one.cause, when::shown(one.expires_at, zone))
        }
        many => format!(", one for each of {} findings", many.len()),
    };
    let ids = store.add_waivers(waivers).await?;
    let numbers = match (ids.first(), ids.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
        (first, _) => first.map(i64::to_string).unwrap_or_default(),
    };
    let (kind, pronoun) =
        if ids.len() == 1 { ("waiver", "It is") } else { ("waivers", "They are") };
    let mut text = format!("Asked for {kind} {numbers}{named}.\n");
    if n_left > 0 {
        writeln!(
            text,
            "{n_left} rows were passed over: they have no reason, or ask for something else."
        )?;
    }
    let it = if ids.len() == 1 { "it" } else { "them" };
    writeln!(
        text,
        "{pronoun} in force once somebody else approves {it}: driftline findings waive approve {numbers}"
    )?;
    Ok(text)
}

/// The filled in rows of a table, and how many others it has.
fn of_table(path: &Path, args: &WaiveRequestArgs) -> Result<(Vec<Asked>, usize), UsageError> {
    let rows = table::read(path, &["id", "reason"], &["until"])?;
    let mut asked = Vec::new();
    for row in rows.iter().filter(|row| row.waives()) {
        let reason = row.need("reason")?;
        let id = row.need("id")?;
        asked.push(Asked {
            place: format!("{}: ", row.place),
            id: FindingId::parse(id)
                .ok_or_else(|| row.wrong(&format!("has an `id` that is no finding: `{id}`")))?,
            reason: reason.to_owned(),
            until: row
                .get("until")
                .or(args.until.as_deref())
                .ok_or_else(|| row.wrong("has no `until`: fill it in, or say `--until`"))?
                .to_owned(),
        });
    }
    if asked.is_empty() {
        let what = format!("`{}` has no row with a reason: fill in whom to waive", path.display());
        return Err(UsageError(what));
    }
    let n_left = rows.len() - asked.len();
    Ok((asked, n_left))
}

/// Checks that there is something to waive, and until when.
fn waiver(
    findings: &[Finding],
    asked: Asked,
    zone: Tz,
    requested: &Signature,
) -> Result<NewWaiver, UsageError> {
    let is_typed = asked.place.is_empty();
    let kept = if is_typed { "" } else { "; nothing was kept" };
    let wrong = |what: String| UsageError(format!("{}{what}{kept}", asked.place));
    let expires_at = when::end(&asked.until, zone).ok_or_else(|| {
        let name = if is_typed { "--until" } else { "until" };
        wrong(format!("`{name}` is no date: write it as 2026-12-31, or with time and zone"))
    })?;
    if asked.reason.trim().is_empty() {
        return Err(wrong("a waiver needs a reason: say why".to_owned()));
    }
    let finding = match findings.iter().find(|it| it.id == asked.id) {
        None => return Err(wrong(format!("there is no finding {}", asked.id))),
        Some(it) if !it.is_live() => {
            return Err(wrong(format!("{} is {}: there is nothing to waive", it.id, it.state)));
        }
        Some(it) => it,
    };
    Ok(NewWaiver {
        fingerprint: finding.fingerprint,
        cause: finding.cause,
        episode: finding.episode,
        reason: asked.reason,
        requested: requested.clone(),
        expires_at,
    })
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
        let (id, cause, until) = (waiver.id, waiver.cause, when::shown(waiver.expires_at, zone));
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
