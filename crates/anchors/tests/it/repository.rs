//! Git repositories.

use std::fs;
use std::path::Path;
use std::process::Command;

use anchors::{Git, Place};
use tempfile::TempDir;

use crate::{parcel, take};

/// A repository that others keep, and a clone of it.
struct Kept(TempDir);

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "kept.git"]);
        git(folder.path(), &["clone", "--quiet", "kept.git", "clone"]);
        Self(folder)
    }

    fn place(&self) -> Place {
        let repository = self.0.path().join("clone");
        Place::Git(Git { repository, remote: "origin".to_owned(), branch: "main".to_owned() })
    }

    /// What the keeper has under this name.
    fn shown(&self, name: &str) -> String {
        git(&self.0.path().join("kept.git"), &["show", &format!("main:{name}")])
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let who = ["-c", "user.name=t", "-c", "user.email=t@t.test"];
    let output = Command::new("git").arg("-C").arg(folder).args(who).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_checkpoint_is_committed_and_pushed_and_twice_is_no_harm() {
    let kept = Kept::new();
    let first = parcel(12);
    let made = take(kept.place(), &first).await.unwrap();
    assert_eq!(kept.shown(&first.file_name()), first.note);
    assert_eq!(take(kept.place(), &first).await.unwrap(), made);
    let second = parcel(13);
    let made = take(kept.place(), &second).await.unwrap();
    assert_eq!(kept.shown(&second.file_name()), second.note);
    let head = git(&kept.0.path().join("kept.git"), &["rev-parse", "main"]);
    assert_eq!(made.proof, head.trim().as_bytes());
}

#[tokio::test]
async fn what_somebody_else_pushed_is_not_overwritten() {
    let kept = Kept::new();
    take(kept.place(), &parcel(12)).await.unwrap();
    git(kept.0.path(), &["clone", "--quiet", "--branch", "main", "kept.git", "other"]);
    let other = kept.0.path().join("other");
    fs::write(other.join("theirs"), "theirs").unwrap();
    git(&other, &["add", "theirs"]);
    git(&other, &["commit", "--quiet", "-m", "theirs"]);
    git(&other, &["push", "--quiet", "origin", "HEAD:main"]);
    let why = take(kept.place(), &parcel(13)).await.unwrap_err().why;
    assert!(why.contains("`git push` failed"), "{why}");
    assert_eq!(kept.shown("theirs"), "theirs");
    // Brought together by a person, it goes on, with what it could not push before.
    git(&kept.0.path().join("clone"), &["pull", "--quiet", "--rebase", "origin", "main"]);
    take(kept.place(), &parcel(14)).await.unwrap();
    assert_eq!(kept.shown(&parcel(13).file_name()), parcel(13).note);
}

#[tokio::test]
async fn a_folder_that_is_no_repository_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let git = Git {
        repository: folder.path().to_owned(),
        remote: "origin".to_owned(),
        branch: "main".to_owned(),
    };
    let why = take(Place::Git(git), &parcel(12)).await.unwrap_err().why;
    assert!(why.contains("not a git repository"), "{why}");
}
