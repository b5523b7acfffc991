//! `ledger key`: the keys that sign checkpoints. A secret key is written to its file, once, and
//! never to the database.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use ledger::{KeyStanding, SecretKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use store::Store;

use crate::cli::KeyCommand;
use crate::commands::findings::existing;
use crate::exit::UsageError;
use crate::print;
use crate::settings::Settings;
use crate::who;

/// Does what was asked, and says what the operator reads.
pub(super) async fn key(
    settings: &Settings,
    command: &KeyCommand,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let database = &settings.database;
    match command {
        KeyCommand::List => list(&Store::open_existing_read_only(database)?).await,
        KeyCommand::New { output } => new(&Store::open_existing_read_only(database)?, output).await,
        KeyCommand::Rotate { output, by } => {
            rotate(&existing(settings)?, output, who::signature(by.as_deref(), now)).await
        }
        KeyCommand::Revoke { id, reason, by } => {
            revoke(&existing(settings)?, id, reason, who::signature(by.as_deref(), now)).await
        }
    }
}

async fn list(store: &Store) -> anyhow::Result<String> {
    let mut text = String::new();
    let keys = store.ledger_keys().await?;
    if keys.is_empty() {
        text.push_str("The ledger has no key: `driftline ledger key new` makes one.\n");
    }
    standings(&mut text, &keys)?;
    for standing in keys {
        writeln!(text, "{}", standing.key)?;
    }
    Ok(text)
}

/// Where each key stands, a line each.
pub(super) fn standings(text: &mut String, keys: &[KeyStanding]) -> std::fmt::Result {
    if !keys.is_empty() {
        text.push_str(
            "Its keys, as it names them itself; compare them with what you were given:\n",
        );
    }
    for KeyStanding { key, added, revoked } in keys {
        let until = match revoked {
            None => "in force".to_owned(),
            Some(seq) => format!("revoked in entry {seq}"),
        };
        writeln!(text, "  {}  announced in entry {added}, {until}", key.short_id())?;
    }
    Ok(())
}

async fn new(store: &Store, output: &Path) -> anyhow::Result<String> {
    if let Some(present) = store.ledger_keys().await?.iter().find(|it| it.revoked.is_none()) {
        return Err(UsageError(format!(
            "the key {} is in force: `driftline ledger key rotate` makes another one",
            present.key.short_id()
        ))
        .into());
    }
    let key = make(store, output).await?;
    Ok(format!(
        "Made the key {}. {}The next run or export announces it.\n{}",
        key.public().short_id(),
        named(output),
        published(&key)
    ))
}

async fn rotate(store: &Store, output: &Path, by: domain::Signature) -> anyhow::Result<String> {
    let present = store.ledger_keys().await?.into_iter().rfind(|it| it.revoked.is_none());
    let Some(present) = present else {
        let what = "no key is in force: `driftline ledger key new` makes the first";
        return Err(UsageError(what.to_owned()).into());
    };
    let key = make(store, output).await?;
    let public = key.public().clone();
    let text = format!(
        "Made the key {}, and announced it. {}Name the file of the key before as `previous_key` \
         beside it, and both sign. Give people a week to learn of the new one, then revoke the key \
         {}: driftline ledger key revoke {2} --reason rotated\n{}",
        public.short_id(),
        named(output),
        present.key.short_id(),
        published(&key)
    );
    if let Err(error) = store.add_ledger_key(key, by).await {
        fs::remove_file(output).ok(); // A key that nobody knows signs nothing.
        return Err(error.into());
    }
    Ok(text)
}

async fn revoke(
    store: &Store,
    id: &str,
    reason: &str,
    by: domain::Signature,
) -> anyhow::Result<String> {
    if reason.trim().is_empty() {
        return Err(UsageError("a key is revoked for a reason: say why".to_owned()).into());
    }
    let keys = store.ledger_keys().await?;
    let in_force = || keys.iter().filter(|it| it.revoked.is_none());
    let Some(found) = in_force().find(|it| it.key.short_id() == id) else {
        let ids: Vec<String> = in_force().map(|it| it.key.short_id()).collect();
        let ids = if ids.is_empty() { "none is".to_owned() } else { ids.join(", ") };
        return Err(UsageError(format!("no key `{id}` is in force; in force: {ids}")).into());
    };
    store.revoke_ledger_key(found.key.clone(), reason.to_owned(), by).await?;
    Ok(format!("Revoked the key {id}. What it signed until now still counts.\n"))
}

/// Makes a key and writes it to a file of its own, which only its owner may read.
async fn make(store: &Store, output: &Path) -> anyhow::Result<SecretKey> {
    let origin = store.ledger_origin().await?;
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| anyhow::anyhow!("the system has no random bytes to give"))?;
    let text = SecretKey::text_of(&origin, &seed)?;
    print::secret_file(output, &text)?;
    SecretKey::parse(&text).context("while reading the new key")
}

fn named(output: &Path) -> String {
    // Paths in the settings start from their own folder, and this one from where we are.
    let path = std::path::absolute(output).unwrap_or_else(|_| output.to_owned());
    let path = path.display();
    format!("Name it in the settings:\n  [ledger]\n  signing_key = \"file:{path}\"\n")
}

fn published(key: &SecretKey) -> String {
    format!(
        "Its public part, for those who check the ledger; give it to them by another way:\n  {}\n",
        key.public()
    )
}
