//! A folder with settings, exports, a database and reports, and the program run in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The project's folder.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A file or folder of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(PROJECT).join(path)
}

/// One installation. Its settings are `driftline.toml`. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Site {
    folder: TempDir,
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What people read, as it was written.
    pub(crate) bytes: Vec<u8>,
    /// The same as text.
    pub(crate) stdout: String,
    /// Logs and errors.
    pub(crate) stderr: String,
    /// The exit status; -1 when a signal ended it.
    pub(crate) status: i32,
}

impl Site {
    /// An empty folder with these settings.
    pub(crate) fn new(settings: &str) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        site.write("driftline.toml", settings);
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and makes the folders that lead to it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes `other` in the place of what its settings say.
    #[track_caller]
    pub(crate) fn change_settings(&self, said: &str, other: &str) {
        let settings = String::from_utf8(self.read("driftline.toml")).unwrap();
        assert!(settings.contains(said), "no `{said}` in the settings: {settings}");
        self.write("driftline.toml", settings.replace(said, other));
    }

    /// The program with an empty environment, in this folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_driftline"));
        self.scrub(&mut command);
        command.args(args);
        command
    }

    /// Sets the folder and an environment that no machine changes.
    pub(crate) fn scrub(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.env("PATH", "/usr/bin:/bin").env("USER", "tester");
    }

    /// Runs the program to its end.
    pub(crate) fn ask(&self, args: &[&str]) -> Answer {
        answer(&self.command(args).output().unwrap())
    }

    /// Runs the program under a limit of the shell, as `ulimit -f 100`. What would kill it for
    /// reaching the limit is ignored, so that it meets an error instead.
    pub(crate) fn limited(&self, limit: &str, args: &[&str]) -> Answer {
        let mut command = Command::new("/bin/sh");
        self.scrub(&mut command);
        let script = format!("trap '' XFSZ; {limit}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_driftline")]).args(args);
        answer(&command.output().unwrap())
    }

    /// The answer of a command that must succeed.
    pub(crate) fn told(&self, args: &[&str]) -> Answer {
        let answer = self.ask(args);
        assert_eq!(answer.status, 0, "{args:?}: {answer}");
        answer
    }

    /// `run --once`.
    pub(crate) fn run(&self) -> Answer {
        self.ask(&["run", "--once"])
    }

    /// The report of the last run.
    pub(crate) fn report(&self) -> Value {
        json(&self.told(&["report", "--format", "json"]).bytes)
    }

    /// What lives after the last run: cause and subject.
    pub(crate) fn live(&self) -> BTreeSet<(String, String)> {
        live(&json(&self.told(&["findings", "list", "--format", "json"]).bytes))
    }

    /// What lives after the last run, with numbers and states: cause, subject, number, state.
    pub(crate) fn states(&self) -> BTreeSet<[String; 4]> {
        let list = json(&self.told(&["findings", "list", "--format", "json"]).bytes);
        let words = |it: &Value| {
            [&it["cause"], &it["subject"]["key"], &it["id"], &it["state"]]
                .map(|it| it.as_str().unwrap().to_owned())
        };
        list.as_array().unwrap().iter().map(words).collect()
    }
}

/// Cause and subject of each finding of a list.
pub(crate) fn live(findings: &Value) -> BTreeSet<(String, String)> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let findings = findings.as_array().unwrap().iter();
    findings.map(|it| (text(&it["cause"]), text(&it["subject"]["key"]))).collect()
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// What a program that has ended answered.
pub(crate) fn answer(output: &Output) -> Answer {
    Answer {
        bytes: output.stdout.clone(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status.code().unwrap_or(-1),
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Whether the bytes stand in a file, a database or a log.
pub(crate) fn stands_in(bytes: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(bytes, what).is_some()
}
