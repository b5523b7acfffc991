//! `erase`: takes out what names somebody. Looks first and shows what would go; done is what was shown.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::Clock;
use engine::refusals;
use sha2::{Digest as _, Sha256};
use store::{Erased, ErasureScope, Meant, Store};

use crate::cli::EraseArgs;
use crate::commands::findings::existing;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings};
use crate::{pages, print, when, who};

/// Characters of the digest that are shown.
const SHOWN: usize = 12;

/// Shows what would be erased, or erases what was shown.
///
/// # Errors
///
/// Fails when nobody or several are called so, when it may not be done, or cannot.
pub(crate) async fn erase(
    config: &Path,
    args: &EraseArgs,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    print::out(answer(&settings, args, clock.now()).await?)?;
    Ok(Exit::Fine)
}

async fn answer(
    settings: &Settings,
    args: &EraseArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let store = existing(settings)?;
    store.finish_erasure().await?; // One before may have been cut short.
    let basis = args.basis.trim().to_owned();
    if basis.is_empty() {
        let what = "an erasure needs its legal basis: name the article and your own reference";
        return Err(UsageError(what.to_owned()).into());
    }
    let scope = meant(&store, &args.who).await?;
    if scope.names(&basis) || scope.called_in(&basis).is_some() {
        let what = match scope.called_in(&basis) {
            Some(word) => format!("`{word}` in the basis is part of what they are called"),
            None => "the basis names whom it is about".to_owned(),
        };
        let what = format!(
            "{what}, and a basis stands in the ledger for ever: write your own reference in its place, or, \
             where it is only a word of the law, another word"
        );
        return Err(UsageError(what).into());
    }
    let why = refusals(&scope, settings.retention, now);
    if !why.is_empty() {
        let why: String = why.iter().map(|it| format!("\n  - {it}")).collect();
        return Err(UsageError(format!("they cannot be erased now:{why}")).into());
    }
    let by = who::signature(args.by.as_deref(), now);
    let tried = store.try_erasure(scope.clone(), basis.clone(), by.clone()).await?;
    let digest = digest(&scope, &tried);
    let Some(confirm) = &args.confirm else {
        return Ok(shown(settings, &scope, &tried, &digest)?);
    };
    if *confirm != digest {
        let what = format!(
            "what would be erased is not what was shown under `{confirm}`: look again without --confirm"
        );
        return Err(UsageError(what).into());
    }
    let erased = store.erase(scope, basis, by).await?;
    let mut text =
        format!("Erased, by entry {} of the ledger: {}.\n", erased.entry, counted(&erased));
    // Done and recorded, whatever comes of the rest: each step says how to catch it up.
    if let Err(error) = store.finish_erasure().await {
        writeln!(
            text,
            "NOT DONE YET: bytes of theirs may be in free pages of the database or its write-ahead log \
             ({error}). Stop what reads it, and run `driftline run --once` or this command again."
        )?;
    }
    let left = pages::write_again(settings, &store, &erased.runs).await;
    for (path, error) in &left {
        writeln!(
            text,
            "NOT DONE YET: `{}` could not be written again ({error:#}): remove it.",
            path.display()
        )?;
    }
    text.push_str(&yours(settings));
    Ok(text)
}

/// The person who is meant.
///
/// # Errors
///
/// Fails when nobody is called so, or several are.
pub(super) async fn meant(store: &Store, name: &str) -> anyhow::Result<ErasureScope> {
    match store.erasure_scope(name.to_owned()).await? {
        Meant::One(scope) => Ok(*scope),
        Meant::Several(keys) => {
            let what = format!("several people are called so: name one of {}", keys.join(", "));
            Err(UsageError(what).into())
        }
        Meant::Nobody => {
            let what = match store.erased_by(name.to_owned()).await? {
                Some(entry) => format!("erased already, by entry {entry} of the ledger"),
                None => "nobody is called so in any list that was ever read: name an address, a \
                         login, SYSTEM/ID or a finding"
                    .to_owned(),
            };
            Err(UsageError(what).into())
        }
    }
}

/// Of what was looked at: rows, findings, and how much would go.
fn digest(scope: &ErasureScope, tried: &Erased) -> String {
    let findings: Vec<_> = scope.findings.iter().map(|it| it.id).collect();
    let looked_at = format!("{:?} {findings:?} {:?} {:?}", scope.rows, tried.counts, tried.runs);
    HEXLOWER
        .encode(&Sha256::digest(looked_at.as_bytes()))
        .get(..SHOWN)
        .unwrap_or_default()
        .to_owned()
}

fn counted(erased: &Erased) -> String {
    let counts = &erased.counts;
    format!(
        "{} versions of rows, {} raw rows, {} answers by id, {} facts beside the ledger, {} of its random \
         names, {} lines of other tables; {} reports written again",
        counts.versions,
        counts.bodies,
        counts.observations,
        counts.disclosures,
        counts.subjects,
        counts.lines,
        counts.reports
    )
}

fn shown(
    settings: &Settings,
    scope: &ErasureScope,
    tried: &Erased,
    digest: &str,
) -> Result<String, std::fmt::Error> {
    let mut text = "Nothing is erased yet.\nWould be erased, as one person:\n".to_owned();
    for row in &scope.rows {
        writeln!(text, "  {}/{} ({})", row.stream.system, row.key, row.stream.list)?;
    }
    writeln!(text, "They are called: {}", scope.called.join(", "))?;
    writeln!(text, "Goes: {}.", counted(tried))?;
    for run in tried.runs.iter().take(1) {
        let last = tried.runs.last().unwrap_or(run);
        writeln!(
            text,
            "  Reports of runs {run} to {last} have `[erased ...]` in place of what they are called."
        )?;
    }
    writeln!(
        text,
        "Stays: the keys above and the hash of each row, on which the digests of lists rest; the SHA-256 of \
         raw rows and reports as they were; every entry of the ledger, with results and times and no name; \
         findings by key, with what happened to them."
    )?;
    if !scope.shared.is_empty() {
        writeln!(
            text,
            "Others are called so, too: {}. Rows of theirs stay as they are; in reports it is taken out of \
             what is said of them as well.",
            scope.shared.join(", ")
        )?;
    }
    text.push_str(&yours(settings));
    writeln!(text, "If that is right, the same command with: --confirm {digest}")?;
    Ok(text)
}

/// What is out of the program's reach.
fn yours(settings: &Settings) -> String {
    let mut text =
        "Left to you: backups and copies of the database, bags and reports that were handed out, \
                    mails and tickets by alerts, logs, and the exports themselves.\n"
            .to_owned();
    for path in copies(&settings.database) {
        text.push_str(&format!("  A copy from before an upgrade: `{}`\n", path.display()));
    }
    text.push_str(&format!(
        "  Other files in `{}` than the pages of runs\n",
        settings.reports.display()
    ));
    text
}

/// Copies that the program made beside the database before it brought it up to date.
fn copies(database: &Path) -> Vec<PathBuf> {
    let folder =
        database.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = database.file_name().and_then(|it| it.to_str()) else { return Vec::new() };
    let begin = format!("{name}.v");
    let Ok(listed) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_copy = |path: &PathBuf| {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        name.starts_with(&begin) && name.ends_with(".bak")
    };
    let mut found: Vec<PathBuf> =
        listed.filter_map(|it| Some(it.ok()?.path())).filter(is_copy).collect();
    found.sort();
    found
}

/// When and by which entries a document was written again; empty: it was not.
pub(super) async fn mark(store: &Store, run: domain::RunId) -> anyhow::Result<String> {
    let entries = store.erased_in_report(run).await?;
    if entries.is_empty() {
        return Ok(String::new());
    }
    let entries: Vec<String> = entries.iter().map(u64::to_string).collect();
    Ok(format!(
        "run {run}: names were erased from this report by entry {} of the ledger; what stands for them says \
         `[erased ...]`",
        entries.join(", ")
    ))
}

/// As a person reads it.
pub(super) fn day(at: DateTime<Utc>, settings: &Settings) -> String {
    when::shown(at, settings.policy.zone)
}
