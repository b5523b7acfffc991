//! `ledger anchors`: which checkpoints are out of reach, where, and what the places gave; and those
//! as files, for whoever checks them.

use std::path::Path;

use anchors::{NoStamp, Parcel, stamped_at};
use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::HEXLOWER;
use domain::AnchorKind;
use ledger::{Checkpoint, Note};
use serde::Serialize;
use store::{AnchorLine, AnchorState, Held, Store, StoreError};

use super::{make_folder, unsound, write};
use crate::cli::{AnchorsArgs, TextFormat};
use crate::exit::Exit;

/// Lists them, newest first, and checks them.
pub(super) async fn list(store: &Store, args: &AnchorsArgs) -> anyhow::Result<(String, Exit)> {
    let lines = store.anchors().await?;
    let rows: Vec<Row<'_>> = lines.iter().map(Row::of).collect::<Result<_, _>>()?;
    if let Some(folder) = &args.output {
        export(&lines, folder)?;
    }
    let mut exit =
        if rows.iter().any(|it| it.is_sound == Some(false)) { Exit::Broken } else { Exit::Fine };
    let broken = match store.verify_ledger(Held::default()).await {
        Ok(_) => String::new(),
        Err(StoreError::Ledger(broken)) => {
            exit = Exit::Broken;
            unsound(&store.ledger_origin().await?, &broken)
        }
        Err(error) => return Err(error.into()),
    };
    let text = match args.format {
        TextFormat::Json => serde_json::to_string_pretty(&rows)? + "\n",
        TextFormat::Text if rows.is_empty() => {
            let none =
                "No checkpoint was taken out of reach yet: name a place with `[anchor.NAME]`.\n";
            none.to_owned() + &broken
        }
        TextFormat::Text => rows.iter().map(Row::to_string).collect::<String>() + &broken,
    };
    Ok((text, exit))
}

/// The first time stamp that is kept and is none of its checkpoint.
pub(super) async fn wrong_stamp(
    store: &Store,
) -> Result<Option<(String, u64, NoStamp)>, StoreError> {
    let lines = store.anchors().await?;
    let wrong = |it: &AnchorLine| Some((it.name.name.to_string(), it.size, stamp(it)?.err()?));
    Ok(lines.iter().rev().find_map(wrong))
}

/// When an authority says that it saw the checkpoint; `None`: it was none, or not yet.
fn stamp(line: &AnchorLine) -> Option<Result<DateTime<Utc>, NoStamp>> {
    match (line.name.kind, &line.state) {
        (AnchorKind::Rfc3161, AnchorState::Made { proof, .. }) => {
            Some(stamped_at(proof, line.note.as_bytes()))
        }
        _ => None,
    }
}

/// One anchor of one checkpoint, as it is shown.
#[derive(Serialize)]
struct Row<'l> {
    anchor: &'l str,
    kind: &'static str,
    state: &'static str,
    size: u64,
    root_sha256: String,
    asked_at: String,
    made_at: Option<String>,
    place: Option<&'l str>,
    proof_sha256: Option<String>,
    /// Whether what the place gave is about the checkpoint; `None`: only the place itself can show.
    is_sound: Option<bool>,
    why: Option<&'l str>,
}

impl<'l> Row<'l> {
    fn of(line: &'l AnchorLine) -> Result<Self, StoreError> {
        let made = match &line.state {
            AnchorState::Pending | AnchorState::Failed => None,
            AnchorState::Made { at, place, proof } => Some((at, place, proof)),
        };
        Ok(Self {
            anchor: &line.name.name,
            kind: line.name.kind.name(),
            state: line.state.name(),
            size: line.size,
            root_sha256: HEXLOWER.encode(&checkpoint(line)?.root),
            asked_at: time(line.asked_at),
            made_at: made.map(|it| time(*it.0)),
            place: made.map(|it| it.1.as_str()),
            proof_sha256: made.map(|it| HEXLOWER.encode(&ledger::sha256(it.2))),
            is_sound: stamp(line).map(|it| it.is_ok()),
            why: line.why.as_deref(),
        })
    }
}

impl std::fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// Enough to compare by eye, as in reports.
        const ROOT_SHOWN: usize = 16;
        let at = self.made_at.as_ref().unwrap_or(&self.asked_at);
        let root = self.root_sha256.get(..ROOT_SHOWN).unwrap_or_default();
        let Self { state, anchor, kind, size, .. } = self;
        writeln!(f, "{at}  {state:<7}  {anchor}  {kind}  {size} entries, root {root}")?;
        if let Some(place) = self.place {
            writeln!(f, "    {place}")?;
        }
        if self.is_sound == Some(false) {
            writeln!(f, "    what was given is no time stamp of this checkpoint")?;
        }
        match self.why {
            Some(why) => writeln!(f, "    {why}"),
            None => Ok(()),
        }
    }
}

/// Writes each checkpoint that is out of reach, and the time stamps beside them.
fn export(lines: &[AnchorLine], folder: &Path) -> anyhow::Result<()> {
    make_folder(folder)?;
    for line in lines {
        let AnchorState::Made { at, proof, .. } = &line.state else { continue };
        let parcel = Parcel { checkpoint: checkpoint(line)?, note: line.note.clone(), at: *at };
        let path = folder.join(parcel.file_name());
        if !path.exists() {
            write(&path, line.note.as_bytes())?;
        }
        if line.name.kind == AnchorKind::Rfc3161 {
            let extension = format!("{}.tsr", line.name.name);
            write(&path.with_extension(extension), proof)?;
        }
    }
    Ok(())
}

fn checkpoint(line: &AnchorLine) -> Result<Checkpoint, StoreError> {
    let parsed = Note::parse(&line.note).and_then(|it| Checkpoint::parse(it.text()));
    let key = line.size.cast_signed();
    parsed.map_err(|_| StoreError::Corrupt { table: "checkpoint", column: "note", key })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
