//! `guard`: what is held because too much changed at once, and its release by two people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Cause, Clock, Digest, Direction, Finding, FindingId, Hold, Release, Released};
use drift::{holds, is_for_canaries};
use store::{NewRelease, State, Store};

use crate::cli::{GuardCommand, GuardReleaseArgs};
use crate::commands::findings::existing;
use crate::exit::{Exit, UsageError};
use crate::print;
use crate::settings::{self, Settings};
use crate::{when, who};

/// Characters of a digest that are shown: enough to tell a handful apart.
const SHOWN: usize = 12;
/// Fewest characters by which a digest is named.
const NAMED_MIN: usize = 8;
/// What to do where a canary is missing.
const FIND_THE_CANARY: &str = "find out why the list does not have it, or correct `canaries`";
/// Findings of a hold that are named.
const FINDINGS_SHOWN: usize = 5;

/// Does what was asked.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or what was asked cannot be done.
pub(crate) async fn guard(
    config: &Path,
    command: &GuardCommand,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    print::out(answer(&settings, command, clock.now()).await?)?;
    Ok(Exit::Fine)
}

async fn answer(
    settings: &Settings,
    command: &GuardCommand,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let database = &settings.database;
    match command {
        GuardCommand::Status => {
            let state = Store::open_existing_read_only(database)?.load().await?;
            Ok(status(settings, &state, now)?)
        }
        GuardCommand::Release(args) => release(&existing(settings)?, settings, args, now).await,
        GuardCommand::Approve { release, by } => {
            let approved = who::signature(by.as_deref(), now);
            existing(settings)?.approve_release(*release, approved).await?;
            Ok(format!("Approved release {release}. It counts from the next run on.\n"))
        }
    }
}

/// Something that the guard holds.
struct Held {
    what: Released,
    digest: Digest,
    text: String,
    /// Nobody can release it.
    is_for_canaries: bool,
}

/// All that is held as the last run left it: lists, then findings.
fn held(state: &State) -> Vec<Held> {
    let lists = state.streams.iter().filter_map(|(stream, it)| {
        let list = it.latest.as_ref()?;
        let why = list.held.as_ref()?;
        Some(Held {
            what: Released::List { stream: stream.clone(), n_rows: list.n_rows },
            digest: list.digest,
            text: format!("the list {stream}: {why}\n"),
            is_for_canaries: is_for_canaries(why),
        })
    });
    let changes = holds(&state.findings).into_iter().map(|(hold, ids)| {
        let text = changes(&hold, &ids, &state.findings);
        let Hold { app, direction, digest, .. } = hold;
        let what = Released::Changes { app, direction, findings: ids };
        Held { what, digest, text, is_for_canaries: false }
    });
    lists.chain(changes).collect()
}

/// What is held of one app in one direction: how many, of which causes, and the first of them.
fn changes(hold: &Hold, ids: &[FindingId], findings: &[Finding]) -> String {
    let mut causes: BTreeMap<Cause, u64> = BTreeMap::new();
    for finding in findings.iter().filter(|it| ids.contains(&it.id)) {
        *causes.entry(finding.cause).or_default() += 1;
    }
    let causes: Vec<String> = causes.into_iter().map(|(cause, n)| format!("{n} {cause}")).collect();
    let what = match hold.direction {
        Direction::Openings => "would open because something is not seen",
        Direction::Closings => "would close",
    };
    let first: Vec<String> = ids.iter().take(FINDINGS_SHOWN).map(FindingId::to_string).collect();
    let more = if ids.len() > first.len() { ", ..." } else { "" };
    format!(
        "{}: {} {what}\n{:16}{}; {}{more}\n",
        hold.app,
        domain::counted(hold.n, "finding"),
        "",
        causes.join(", "),
        first.join(", ")
    )
}

fn status(
    settings: &Settings,
    state: &State,
    now: DateTime<Utc>,
) -> Result<String, std::fmt::Error> {
    let held = held(state);
    let mut text = String::new();
    if held.is_empty() {
        text.push_str("The guard holds nothing.\n");
    } else {
        text.push_str("The guard holds:\n");
        for it in &held {
            let digest = HEXLOWER.encode(&it.digest);
            write!(text, "  {}  {}", digest.get(..SHOWN).unwrap_or(&digest), it.text)?;
            if it.is_for_canaries {
                writeln!(text, "{:16}cannot be released: {FIND_THE_CANARY}", "")?;
            }
        }
        if held.iter().any(|it| !it.is_for_canaries) {
            text.push_str(
                "To let one of them through: driftline guard release DIGEST --reason '...'; \
                 somebody else approves it.\n",
            );
        }
        text.push_str("To look first: driftline findings list --state held\n");
    }
    if !state.releases.is_empty() {
        text.push_str("Releases:\n");
    }
    for release in &state.releases {
        let (id, until) = (release.id, when::shown(release.expires_at, settings.policy.zone));
        let (standing, what) = (standing(release, now), named(&release.what));
        let approved = release.approved.as_ref().map_or("nobody yet", |it| it.by.as_str());
        writeln!(text, "{id:>4}  {standing:<8}  {what}, until {until}")?;
        writeln!(text, "      asked by {}, approved by {approved}", release.requested.by)?;
        writeln!(text, "      {}", release.reason)?;
    }
    Ok(text)
}

/// Asks for the release of one thing that is held.
async fn release(
    store: &Store,
    settings: &Settings,
    args: &GuardReleaseArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    if args.reason.trim().is_empty() {
        return Err(UsageError("a release needs a reason: say why".to_owned()).into());
    }
    let digest = args.digest.trim().to_lowercase();
    if digest.len() < NAMED_MIN {
        let what = format!("name the digest by its first {NAMED_MIN} characters or more");
        return Err(UsageError(what).into());
    }
    let held = held(&store.load().await?);
    let mut fitting =
        held.into_iter().filter(|it| HEXLOWER.encode(&it.digest).starts_with(&digest));
    let (Some(it), None) = (fitting.next(), fitting.next()) else {
        let what = format!(
            "the guard holds nothing of digest `{digest}` now: look again with `driftline guard status`"
        );
        return Err(UsageError(what).into());
    };
    if it.is_for_canaries {
        let what = format!("{}cannot be released: {FIND_THE_CANARY}", it.text.replace('\n', ", "));
        return Err(UsageError(what).into());
    }
    let what = named(&it.what);
    let expires_at = now + settings.policy.guard.release_for;
    let new = NewRelease {
        what: it.what,
        digest: it.digest,
        reason: args.reason.trim().to_owned(),
        requested: who::signature(args.by.as_deref(), now),
        expires_at,
    };
    let id = store.add_release(new).await?;
    Ok(format!(
        "Asked for release {id} of {what}, until {}.\nIt is in force once somebody else approves it: \
         driftline guard approve {id}\n",
        when::shown(expires_at, settings.policy.zone)
    ))
}

/// What is released, with its ceiling.
fn named(what: &Released) -> String {
    match what {
        Released::List { stream, n_rows } => format!("the list {stream} of {n_rows} rows or more"),
        Released::Changes { app, direction, findings } => {
            format!("{app}: {} {direction}, and no others", findings.len())
        }
    }
}

/// Where a release stands, in a word.
fn standing(release: &Release, now: DateTime<Utc>) -> &'static str {
    if now >= release.expires_at {
        "expired"
    } else if release.is_in_force(now) {
        "in force"
    } else {
        "waiting"
    }
}
