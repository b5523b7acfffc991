//! `ledger`: its head, whether it is what was written, and the ledger as files.

mod anchors;
mod key;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use chrono::SecondsFormat;
use domain::{AnchorStand, Clock};
use ledger::{Checkpoint, LedgerError, Note, Proof, PublicKey, Verified};
use store::{Held, Store, StoreError};

use crate::cli::{LedgerCommand, VerifyArgs};
use crate::exit::{Exit, UsageError};
use crate::print::{self, OutputError};
use crate::settings::{self, Settings};

/// Largest file that is read as a checkpoint, in bytes: some hundred signatures.
const CHECKPOINT_LEN_MAX: u64 = 64 * 1024;

/// Does what was asked.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or what was asked cannot be done.
pub(crate) async fn ledger(
    config: &Path,
    command: &LedgerCommand,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let (text, exit) = answer(&settings, command, clock).await?;
    print::out(text)?;
    Ok(exit)
}

/// Does it, and says what the operator reads.
async fn answer(
    settings: &Settings,
    command: &LedgerCommand,
    clock: &dyn Clock,
) -> anyhow::Result<(String, Exit)> {
    let existing = || Store::open_existing_read_only(&settings.database);
    let text = match command {
        LedgerCommand::Verify(args) => return verify(&existing()?, args).await,
        LedgerCommand::Anchors(args) => return anchors::list(&existing()?, args).await,
        LedgerCommand::Head => head(&existing()?).await?.to_string(),
        LedgerCommand::Show { entry } => shown(&existing()?, *entry).await?,
        LedgerCommand::Proof { entry } => proof(&existing()?, *entry).await?.to_string(),
        LedgerCommand::Export { to } => export(&existing()?, to).await?,
        LedgerCommand::Key(command) => key::key(settings, command, clock.now()).await?,
    };
    Ok((text, Exit::Fine))
}

async fn head(store: &Store) -> anyhow::Result<Note> {
    let Some(note) = store.ledger_head().await? else {
        return Err(UsageError(EMPTY.to_owned()).into());
    };
    if !note.has_signature() {
        print::err(&format!("This checkpoint is not signed: {TO_SIGN}."));
    }
    Ok(note)
}

/// What to do for a ledger that is signed.
pub(super) const TO_SIGN: &str = "`driftline ledger key new` makes a key, and the next run \
                                  or export after the settings name it announces it";

const EMPTY: &str = "the ledger has no entry yet: `driftline run --once` writes the first";

async fn verify(store: &Store, args: &VerifyArgs) -> anyhow::Result<(String, Exit)> {
    let key = args.key.as_deref().map(PublicKey::parse).transpose().context("`--key`")?;
    let origin = store.ledger_origin().await?;
    let checkpoint = match &args.since {
        Some(path) => {
            let named = || format!("the checkpoint `{}`", path.display());
            Some(held(store, &origin, path).await.with_context(named)?)
        }
        None => None,
    };
    let size = checkpoint.as_ref().map(|it| it.size);
    match store.verify_ledger(Held { checkpoint, key }).await {
        Ok(verified) if verified.head.is_none() => Ok((format!("{EMPTY}.\n"), Exit::Unchecked)),
        Ok(verified) => match anchors::wrong_stamp(store).await? {
            None => {
                let stands = store.anchor_stands().await?;
                Ok((sound(&origin, &verified, size, &stands)?, Exit::Fine))
            }
            Some((name, size, why)) => {
                let what = format!(
                    "what the anchor `{name}` gave for the checkpoint over {size} entries is no \
                     time stamp of it: {why}"
                );
                Ok((unsound(&origin, &what), Exit::Broken))
            }
        },
        Err(StoreError::Ledger(broken)) => Ok((unsound(&origin, &broken), Exit::Broken)),
        Err(error) => Err(error.into()),
    }
}

/// A checkpoint that somebody kept. One under a wrong signature of this ledger is worth nothing.
async fn held(store: &Store, origin: &str, path: &Path) -> anyhow::Result<Checkpoint> {
    let failed = |error| UsageError(format!("failed to read `{}`: {error}", path.display()));
    let is_long = fs::metadata(path).map_err(failed)?.len() > CHECKPOINT_LEN_MAX;
    let wrong = |what| LedgerError::NotACheckpoint { what };
    let bytes = if is_long { Vec::new() } else { fs::read(path).map_err(failed)? };
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
    let note = Note::parse(&text)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != origin {
        return Err(wrong("it is one of another ledger").into());
    }
    for standing in store.ledger_keys().await? {
        if note.is_signed_by(&standing.key) == Some(false) {
            return Err(wrong("its signature is wrong").into());
        }
    }
    Ok(checkpoint)
}

fn sound(
    origin: &str,
    verified: &Verified,
    held: Option<u64>,
    anchors: &[AnchorStand],
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let (size, n_checkpoints) = (verified.size_and_root().0, verified.n_checkpoints);
    writeln!(
        text,
        "The ledger `{origin}` is what was written: {size} entries under {n_checkpoints} checkpoints."
    )?;
    if let Some(held) = held {
        writeln!(text, "Its first {held} entries are those of the checkpoint that you hold.")?;
    }
    let ids: Vec<String> = verified.signed_by.iter().map(PublicKey::short_id).collect();
    if ids.is_empty() {
        text.push_str(
            "It is not signed: whoever can write to the database could have written all of it \
             again.\n`driftline ledger key new` makes a key.\n",
        );
    } else {
        writeln!(text, "The newest checkpoint is signed by {}.", ids.join(", "))?;
    }
    if verified.n_untimely > 0 {
        writeln!(
            text,
            "{} a time before that of a run ahead of them, as if the clock had been set back; when \
             they were written, nobody can tell:",
            match verified.n_untimely {
                1 => "1 entry has".to_owned(),
                n => format!("{n} entries have"),
            }
        )?;
        for it in &verified.untimely {
            writeln!(text, "  {it}")?;
        }
    }
    key::standings(&mut text, verified.keys.keys())?;
    let made = anchors.iter().filter_map(|it| Some((&it.name, it.last_made_at?)));
    for (name, at) in made {
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        writeln!(text, "`{name}` took a checkpoint out of reach last at {at}.")?;
    }
    text.push_str("What was left out when it was written, no ledger can show.\n");
    Ok(text)
}

fn unsound(origin: &str, broken: &dyn std::fmt::Display) -> String {
    format!(
        "The ledger `{origin}` is broken: {broken}.\n\
         Keep this database for whoever looks into it, and compare it with a backup.\n"
    )
}

async fn shown(store: &Store, entry: u64) -> anyhow::Result<String> {
    let found = store.ledger_entries(entry..entry.saturating_add(1)).await?.pop();
    let Some(bytes) = found else { return Err(no_entry(entry).into()) };
    Ok(String::from_utf8_lossy(&bytes).into_owned() + "\n")
}

fn no_entry(entry: u64) -> UsageError {
    UsageError(format!(
        "there is no entry {entry} under the newest checkpoint: `driftline ledger head` says how many there are"
    ))
}

async fn proof(store: &Store, entry: u64) -> anyhow::Result<Proof> {
    let note = head(store).await?;
    let size = Checkpoint::parse(note.text())?.size;
    let hashes = store.ledger_hashes(size).await?;
    let path = ledger::inclusion(&hashes, entry).ok_or_else(|| no_entry(entry))?;
    Ok(Proof { index: entry, path, note })
}

async fn export(store: &Store, to: &Path) -> anyhow::Result<String> {
    let note = head(store).await?;
    let size = Checkpoint::parse(note.text())?.size;
    let hashes = store.ledger_hashes(size).await?;
    make_folder(to)?;
    let (mut n_tiles, mut n_bundles) = (0_u64, 0_u64);
    for tile in ledger::tiles(size) {
        write(&to.join(tile.path()), &ledger::tile_hashes(&hashes, tile))?;
        n_tiles += 1;
        if tile.level == 0 {
            let entries = store.ledger_entries(tile.entries()).await?;
            let bundle = ledger::bundle(entries.iter().map(Vec::as_slice))?;
            write(&to.join(tile.bundle_path()), &bundle)?;
            n_bundles += 1;
        }
    }
    write(&to.join("checkpoint"), note.to_string().as_bytes())?; // Last: what it is over is there.
    let to = to.display();
    Ok(format!("Wrote {size} entries to `{to}`: {n_tiles} tiles, {n_bundles} bundles.\n"))
}

/// Makes a folder that must be new, so that nothing is ever written over.
fn make_folder(path: &Path) -> anyhow::Result<()> {
    let failed = |source| OutputError::File { path: path.to_owned(), source };
    Ok(fs::create_dir(path).map_err(failed)?)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        let failed = |source| OutputError::File { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
    }
    print::file(path, bytes)
}
