//! `findings link`: a person's word on whose account it is.

use chrono::{DateTime, Utc};
use domain::{Decision, List, Signature, Stream, SystemId, SystemKind};
use store::{State, Store};

use crate::cli::LinkArgs;
use crate::exit::UsageError;
use crate::nearest::listed;
use crate::settings::Settings;
use crate::table::{self, Row};
use crate::who;

/// Keeps one decision, or all of a table. Each is checked before any is kept.
pub(super) async fn link(
    store: &Store,
    settings: &Settings,
    args: &LinkArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let signature = who::signature(args.by.as_deref(), now);
    let asked = match &args.from {
        Some(path) => {
            let rows =
                table::read(path, &["account", "identity", "reason"], &["app", "not", "by"])?;
            let decided = rows.iter().filter(|row| row.decides());
            decided.map(|row| of_row(row, args)).collect::<Result<Vec<Asked>, UsageError>>()?
        }
        None => vec![of_args(args)],
    };
    let state = store.load().await?;
    let decisions = asked
        .into_iter()
        .map(|asked| decision(settings, &state, asked, &signature))
        .collect::<Result<Vec<Decision>, UsageError>>()?;
    let n_decisions = decisions.len();
    store.add_decisions(decisions).await?;
    let decisions = if n_decisions == 1 { "decision" } else { "decisions" };
    Ok(format!("Kept {n_decisions} {decisions}. The next run judges by what is kept.\n"))
}

/// A decision as it was typed.
struct Asked {
    /// Where, for errors: a line of a file, or nothing.
    place: String,
    app: Option<String>,
    account: String,
    identity: String,
    is_owner: bool,
    reason: String,
    by: Option<String>,
}

fn of_args(args: &LinkArgs) -> Asked {
    Asked {
        place: String::new(),
        app: args.app.clone(),
        // The command line is refused without these three.
        account: args.account.clone().unwrap_or_default(),
        identity: args.identity.clone().unwrap_or_default(),
        is_owner: !args.not,
        reason: args.reason.clone().unwrap_or_default(),
        by: None,
    }
}

fn of_row(row: &Row, args: &LinkArgs) -> Result<Asked, UsageError> {
    let is_owner = match row.get("not").unwrap_or("no").to_lowercase().as_str() {
        "no" | "false" | "0" => true,
        "not" | "yes" | "true" | "1" | "x" => false,
        _ => return Err(row.wrong("has something in `not` that is neither `yes` nor `no`")),
    };
    Ok(Asked {
        place: format!("{}: ", row.place),
        app: row.get("app").map(str::to_owned).or_else(|| args.app.clone()),
        account: account(row)?.to_owned(),
        identity: row.need("identity")?.to_owned(),
        is_owner,
        reason: row.need("reason")?.to_owned(),
        by: row.get("by").map(str::to_owned),
    })
}

/// The account of a row; an error where there is none.
pub(super) fn account(row: &Row) -> Result<&str, UsageError> {
    row.account().ok_or_else(|| row.wrong("names no account: only accounts can be decided on"))
}

/// Checks that everything it names is known: a decision on a slip of the finger decides nothing.
fn decision(
    settings: &Settings,
    state: &State,
    asked: Asked,
    signature: &Signature,
) -> Result<Decision, UsageError> {
    let wrong = |what: String| UsageError(format!("{}{what}; nothing was kept", asked.place));
    if asked.reason.trim().is_empty() {
        return Err(wrong("a decision needs a reason: say why".to_owned()));
    }
    let app = app(settings, asked.app.as_deref()).map_err(&wrong)?;
    let (system, identity) = identity(settings, &asked.identity).map_err(&wrong)?;
    if !has_seen(state, &app, List::Accounts, &asked.account) {
        return Err(wrong(format!("no account `{}` of `{app}` was ever seen", asked.account)));
    }
    if !has_seen(state, &system, List::Identities, identity) {
        return Err(wrong(format!("no identity `{identity}` of `{system}` was ever seen")));
    }
    Ok(Decision {
        app,
        identity: (system, identity.into()),
        account: asked.account.into(),
        is_owner: asked.is_owner,
        by: asked.by.unwrap_or_else(|| signature.by.clone()),
        at: signature.at,
        reason: asked.reason,
        entry: None,
    })
}

/// The app of that name, or the only one.
fn app(settings: &Settings, name: Option<&str>) -> Result<SystemId, String> {
    let apps: Vec<&SystemId> = settings.apps.iter().map(|app| &app.rules.app).collect();
    let names = || listed(apps.iter().map(|app| app.as_str()));
    match (name, apps.as_slice()) {
        (Some(name), _) => apps
            .iter()
            .find(|app| app.as_str() == name)
            .map(|app| (*app).clone())
            .ok_or_else(|| format!("there is no app `{name}`; the settings have {}", names())),
        (None, [app]) => Ok((*app).clone()),
        (None, []) => Err("the settings have no app".to_owned()),
        (None, _) => Err(format!("which app? say `--app` with one of {}", names())),
    }
}

/// Reads `okta/00u1`.
fn identity<'a>(settings: &Settings, text: &'a str) -> Result<(SystemId, &'a str), String> {
    let sources = settings.sources(None);
    let idps: Vec<&SystemId> = sources
        .iter()
        .filter(|source| source.kind == SystemKind::Idp)
        .map(|source| &source.system)
        .collect();
    text.split_once('/')
        .filter(|(_, id)| !id.is_empty())
        .and_then(|(system, id)| {
            idps.iter().find(|idp| idp.as_str() == system).map(|idp| ((*idp).clone(), id))
        })
        .ok_or_else(|| {
            let names = listed(idps.iter().map(|idp| idp.as_str()));
            format!("`{text}` is no identity: write SYSTEM/ID, with one of {names}")
        })
}

/// Whether a list of that kind ever held a row of that key, in any channel.
fn has_seen(state: &State, system: &SystemId, list: List, key: &str) -> bool {
    let is_meant = |stream: &Stream| stream.system == *system && stream.list == list;
    state.streams.iter().any(|(stream, known)| is_meant(stream) && known.known.has(key))
}
