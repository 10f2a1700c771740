//! Scripted repositories: fixed people and dates, nothing of the machine's configuration.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A repository in a temporary folder.
pub struct Repository {
    folder: TempDir,
    clock: Cell<i64>,
}

/// 2026-03-01T10:00:00Z; every commit is a minute after the one before.
const START: i64 = 1_772_359_200;

impl Repository {
    pub fn new() -> Self {
        let one = Self { folder: TempDir::new().expect("a temporary folder"), clock: Cell::new(START) };
        one.git(&["init", "--quiet", "--initial-branch=main"]);
        one.git(&["config", "user.name", "Ada"]);
        one.git(&["config", "user.email", "ada@example.com"]);
        one
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists")
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().expect("a parent")).expect("folders");
        fs::write(file, text).expect("written");
        self
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("read")
    }

    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path().join(path)).expect("removed");
        self
    }

    /// Runs git, which must succeed, and gives what it prints.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.path(), self.clock.get(), arguments)
    }

    /// Commits everything as it is on disk, and gives the id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.tick();
        self.git(&["rev-parse", "HEAD"])
    }

    /// Lets a minute pass.
    pub fn tick(&self) {
        self.clock.set(self.clock.get() + 60);
    }
}

/// Runs git in a folder, at a time, without any configuration but the repository's.
#[track_caller]
pub fn git(folder: &Path, clock: i64, arguments: &[&str]) -> String {
    let date = format!("{clock} +0100");
    let output = Command::new("git")
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
        .args(arguments)
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_WORK_TREE")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .env("LC_ALL", "C")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// An access policy as a file.
pub fn policy(id: &str) -> String {
    format!("_id: {id}\nservice: report\nactions: [read]\nmembers: [staff]\n")
}
