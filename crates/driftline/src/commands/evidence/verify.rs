//! `evidence verify`: reads a bag, and what somebody holds, and says what every check found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use evidence::{AllowedSigners, Bag, Check, EvidenceError, Outcome, Trust};
use ledger::{Checkpoint, Note, PublicKey};

use super::stamps;
use crate::cli::VerifyBagArgs;
use crate::exit::{Exit, UsageError};

/// Folders below one another in a bag: tiles of a ledger larger than any have fewer.
const DEPTH_MAX: usize = 16;

/// Checks it.
pub(super) fn verify(args: &VerifyBagArgs) -> anyhow::Result<(Vec<u8>, Exit)> {
    let trust = trust(args)?;
    let bag = bag(&args.bag)
        .with_context(|| format!("failed to read the bag `{}`", args.bag.display()))?;
    let mut checks = evidence::verify(&bag, &trust);
    checks.extend(stamps::check(&bag, args.trust.as_deref()));
    let exit = checks.iter().map(|it| &it.outcome).fold(Exit::Fine, |exit, it| match (exit, it) {
        (_, Outcome::Broken(_)) | (Exit::Broken, _) => Exit::Broken,
        (_, Outcome::Unchecked(_)) => Exit::Unchecked,
        (exit, Outcome::Good(_) | Outcome::Noted(_)) => exit,
    });
    Ok((said(&checks).into_bytes(), exit))
}

/// A line for each thing that was found.
fn said(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { what, outcome } in checks {
        match outcome {
            Outcome::Good(good) => text.push_str(&format!("good         {what}: {good}\n")),
            Outcome::Unchecked(why) => text.push_str(&format!("not checked  {what}: {why}\n")),
            Outcome::Noted(found) => {
                found.iter().for_each(|it| text.push_str(&format!("note         {what}: {it}\n")));
            }
            Outcome::Broken(problems) => {
                problems
                    .iter()
                    .for_each(|it| text.push_str(&format!("BROKEN       {what}: {it}\n")));
            }
        }
    }
    text
}

fn trust(args: &VerifyBagArgs) -> anyhow::Result<Trust> {
    let mut trust =
        Trust { sample: args.nonce.clone().map(|it| (it, args.number)), ..Trust::default() };
    if let Some(folder) = &args.trust {
        if !folder.is_dir() {
            let what = format!("`{}` is no folder with what you hold", folder.display());
            return Err(UsageError(what).into());
        }
        let read = |name: &str| {
            let path = folder.join(name);
            path.exists().then(|| text(&path)).transpose()
        };
        trust.signers =
            read("allowed_signers")?.map(|it| AllowedSigners::parse(&it)).transpose()?;
        let keys = read("log.vkey")?.unwrap_or_default();
        let keys = keys.lines().map(str::trim).filter(|it| !it.is_empty());
        trust.log_keys = keys
            .map(PublicKey::parse)
            .collect::<Result<_, _>>()
            .with_context(|| format!("`{}`", folder.join("log.vkey").display()))?;
    }
    if let Some(path) = &args.since {
        let held = Note::parse(&text(path)?).and_then(|it| Checkpoint::parse(it.text()));
        trust.since = Some(held.with_context(|| format!("`{}`", path.display()))?);
    }
    Ok(trust)
}

fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).map_err(|error| {
        EvidenceError::NotATrust(format!("`{}` cannot be read: {error}", path.display())).into()
    })
}

/// Reads a ZIP, or a folder.
fn bag(path: &Path) -> Result<Bag, EvidenceError> {
    let failed = |error: std::io::Error| EvidenceError::NotABag(error.to_string());
    if !path.is_dir() {
        return Bag::from_zip(&fs::read(path).map_err(failed)?);
    }
    let mut files = BTreeMap::new();
    read_folder(path, "", DEPTH_MAX, &mut files)?;
    Ok(Bag::new(files))
}

fn read_folder(
    folder: &Path,
    below: &str,
    depth: usize,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), EvidenceError> {
    let wrong = |what: String| EvidenceError::NotABag(what);
    let failed = |error: std::io::Error| wrong(format!("`{}`: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(wrong(format!("`{}` has a name that is no UTF-8", entry.path().display())));
        };
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_symlink() {
            return Err(wrong(format!("`{path}` is a link")));
        }
        if kind.is_dir() {
            let Some(depth) = depth.checked_sub(1) else {
                return Err(wrong(format!("`{path}` is deeper than any bag")));
            };
            read_folder(&entry.path(), &path, depth, files)?;
        } else {
            files.insert(path, fs::read(entry.path()).map_err(failed)?);
        }
    }
    Ok(())
}
