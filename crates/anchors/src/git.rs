//! A git repository: a commit for each checkpoint, pushed to a branch that others keep.
//!
//! Runs the `git` program, each argument by itself and no shell between. Never forces a push: a
//! branch that somebody else wrote to is left as it is, and told. The push is believed when the
//! other side shows the commit.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::{Made, NotMade, Parcel};

/// Longest time of one call of `git`: a push over a slow line.
const CALL_MAX: Duration = Duration::from_secs(120);

/// Most of what `git` says that an error repeats, in characters.
const SAID_MAX: usize = 300;

/// A clone with a work tree, and where it is pushed.
#[derive(Clone, Debug)]
pub struct Git {
    /// The clone, which Driftline alone commits to.
    pub repository: PathBuf,
    /// The remote, by its name there.
    pub remote: String,
    /// The branch of the remote, which Driftline alone pushes to.
    pub branch: String,
}

impl Git {
    pub(crate) async fn make(&self, parcel: &Parcel) -> Result<Made, NotMade> {
        let name = parcel.file_name();
        let path = self.repository.join(&name);
        tokio::fs::write(&path, &parcel.note).await.map_err(|error| {
            NotMade::new(format!("failed to write `{}`: {error}", path.display()))
        })?;
        self.call("add", &["--", &name]).await?;
        // Nothing to commit: an earlier try got so far.
        if !self.call("status", &["--porcelain", "--", &name]).await?.is_empty() {
            let message = format!("Checkpoint over {} entries", parcel.checkpoint.size);
            self.call("commit", &["--quiet", "--message", &message, "--", &name]).await?;
        }
        let branch = format!("refs/heads/{}", self.branch);
        self.call("push", &["--quiet", "--", &self.remote, &format!("HEAD:{branch}")]).await?;
        let commit = self.call("rev-parse", &["HEAD"]).await?.trim().to_owned();
        let there = self.call("ls-remote", &["--", &self.remote, &branch]).await?;
        if there.split_whitespace().next() != Some(&*commit) {
            return Err(NotMade::new(format!(
                "`{}` does not show the commit {commit} on `{}`: somebody else writes to that \
                 branch; give Driftline one of its own",
                self.remote, self.branch
            )));
        }
        let place = format!("{} {}: {commit}", self.remote, self.branch);
        Ok(Made { place, proof: commit.into_bytes() })
    }

    /// Runs one command of `git` in the clone, and gives back what it printed.
    async fn call(&self, what: &str, args: &[&str]) -> Result<String, NotMade> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.repository);
        command.args(["-c", "user.name=Driftline", "-c", "user.email=driftline@localhost"]);
        command.arg(what).args(args);
        // Nobody is there to answer a question.
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").stdin(Stdio::null());
        command.kill_on_drop(true);
        let output = match tokio::time::timeout(CALL_MAX, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => {
                return Err(NotMade::new(format!("`git` cannot be started: {error}")));
            }
            Err(_) => {
                let n_s = CALL_MAX.as_secs();
                return Err(NotMade::new(format!("`git {what}` did not end within {n_s} s")));
            }
        };
        if !output.status.success() {
            let said = without_credentials(&String::from_utf8_lossy(&output.stderr));
            return Err(NotMade::new(format!("`git {what}` failed: {said}")));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// What `git` said, in one line, without the user and password of any URL in it.
fn without_credentials(said: &str) -> String {
    let words = said.split_whitespace().map(|word| match word.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => word.to_owned(),
    });
    let line = words.collect::<Vec<String>>().join(" ");
    line.chars().take(SAID_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let said = "fatal: unable to access\n 'https://me:s3cret@git.test:8443/a/b.git/': refused";
        assert_eq!(
            without_credentials(said),
            "fatal: unable to access 'https://git.test:8443/a/b.git/': refused"
        );
        assert_eq!(without_credentials("https://a:b@c"), "https://c");
        assert_eq!(without_credentials("https://p@ss:w@rd@host/x"), "https://host/x");
        assert_eq!(without_credentials(&"x".repeat(1000)).len(), SAID_MAX);
    }
}
