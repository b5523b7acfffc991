//! Time stamps of a bag: that each is of the checkpoint beside it, and whose it is. The authority's
//! signature is checked by `openssl`, as of the time of the stamp, with roots from outside the bag.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{DateTime, SecondsFormat, Utc};
use evidence::{Bag, Check, Outcome, Stamp};

/// The roots of the authority, in the folder of `--trust`.
const ROOTS: &str = "tsa.pem";

/// Checks them; `None`: the bag has none.
pub(super) fn check(bag: &Bag, trust: Option<&Path>) -> Option<Check> {
    let stamps = evidence::stamps(bag);
    let roots = trust.map(|it| it.join(ROOTS)).filter(|it| it.exists());
    let (mut problems, mut times, mut unchecked) = (Vec::new(), Vec::new(), None);
    for stamp in &stamps {
        let path = stamp.path;
        match (of_its_checkpoint(stamp), &roots) {
            (Err(why), _) => problems.push(format!("`{path}`: {why}")),
            (Ok(at), None) => times.push(at),
            (Ok(at), Some(roots)) => match is_signed(stamp, at, roots) {
                Ok(None) => times.push(at),
                Ok(Some(why)) => problems.push(format!("`{path}`: {why}")),
                Err(why) => unchecked = Some(why),
            },
        }
    }
    let time = |it: &DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Secs, true);
    let n = times.len();
    let last = times.iter().max().map(time).unwrap_or_default();
    let outcome = match (problems.is_empty(), unchecked, roots) {
        _ if stamps.is_empty() => return None,
        (false, ..) => Outcome::Broken(problems),
        (true, Some(why), _) => Outcome::Unchecked(why),
        (true, None, None) => Outcome::Unchecked(format!(
            "whose {n} time stamps are, the last of {last}: put the roots of the authority into the \
             folder of `--trust`, as `{ROOTS}`"
        )),
        (true, None, Some(_)) => Outcome::Good(format!(
            "{n} checkpoints are stamped by the authority, the last at {last}"
        )),
    };
    Some(Check { what: "stamps", outcome })
}

fn of_its_checkpoint(stamp: &Stamp<'_>) -> Result<DateTime<Utc>, String> {
    let note = stamp.note.ok_or("its checkpoint is not beside it")?;
    anchors::stamped_at(stamp.response, note).map_err(|it| it.to_string())
}

/// What `openssl` says against it; `None`: nothing.
///
/// # Errors
///
/// Says why it could not be asked.
fn is_signed(stamp: &Stamp<'_>, at: DateTime<Utc>, roots: &Path) -> Result<Option<String>, String> {
    let failed = |error: std::io::Error| format!("openssl cannot be run: {error}");
    let digest = stamp.digest().unwrap_or_default();
    let mut openssl = Command::new("openssl")
        .args(["ts", "-verify", "-in", "/dev/stdin", "-digest", &digest, "-attime"])
        .arg(at.timestamp().to_string())
        .arg("-CAfile")
        .arg(roots)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = openssl.stdin.take() {
        stdin.write_all(stamp.response).ok(); // It ends by itself, and says why.
    }
    let done = openssl.wait_with_output().map_err(failed)?;
    if done.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let why = said.lines().find(|it| it.contains("error:")).unwrap_or("it is not signed by it");
    Ok(Some(format!("the authority that you trust did not give it: {why}")))
}
