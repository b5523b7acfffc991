//! A program of the operator's: it gets the notice on its standard input, as the JSON of the signed
//! webhook, and says with its exit status what came of it.
//!
//! 0: taken. 64 to 78 but 75: it never will be (sysexits.h). Everything else, and a program that
//! does not end in time, is tried again. Its environment is empty but for `PATH`, and what it
//! prints is not read.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::{Letter, Sent};

/// One program.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, the same for every notice.
    pub args: Vec<String>,
    /// How long it may take before it is killed.
    pub timeout: Duration,
}

/// "The user is invited to retry" (sysexits.h, `EX_TEMPFAIL`).
const TEMPORARY: i32 = 75;

impl Hook {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let why = format!("`{}` cannot be started: {error}", self.program.display());
                return Sent::Retry { after: None, why };
            }
        };
        let body = crate::webhook::body(letter);
        let input = child.stdin.take();
        let work = async {
            if let Some(mut input) = input {
                // One that does not read its input may still have done its work.
                input.write_all(body.as_bytes()).await.ok();
            }
            child.wait().await
        };
        let program = self.program.display();
        let status = match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                return Sent::Retry { after: None, why: format!("`{program}` was lost: {error}") };
            }
            Err(_) => {
                let why = format!("`{program}` did not end within {:?}", self.timeout);
                return Sent::Retry { after: None, why };
            }
        };
        match status.code() {
            Some(0) => Sent::Delivered { reference: None },
            Some(code @ 64..=78) if code != TEMPORARY => {
                Sent::Refused { why: format!("`{program}` ended with status {code}") }
            }
            Some(code) => {
                Sent::Retry { after: None, why: format!("`{program}` ended with status {code}") }
            }
            None => Sent::Retry { after: None, why: format!("`{program}` was killed by a signal") },
        }
    }
}
