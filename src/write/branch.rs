//! The branch moves to the new commit, under its lock.
//!
//! Git moves a branch by making `BRANCH.lock` and renaming it. A process that is killed in between leaves a lock that nobody may take
//! away, because nobody knows whose it is, and then the branch can be moved neither by git nor by the next writer. Ours is
//! therefore made as a second name of a file under `lawbook`, by which it is known again.

use std::fs;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use git2::Oid;

use super::WriteError;
use super::place::Lock;
use super::place::Places;
use crate::history::Repository;

/// A branch that is moved.
pub(super) struct Branch<'a> {
    repository: &'a Repository,
    name: &'a str,
    lock: Lock,
}

impl<'a> Branch<'a> {
    /// Takes the lock of a branch that is to move to `new`; `None` when somebody else has it.
    pub(super) fn take(repository: &'a Repository, places: &Places, name: &'a str, new: Oid) -> Result<Option<Self>, WriteError> {
        let lock = places.branch(name)?;
        let taken = lock.take(format!("{new}\n").as_bytes())?;
        Ok(taken.then_some(Self { repository, name, lock }))
    }

    /// Moves the branch, if it is still where it was.
    pub(super) fn advance(&self, old: Oid, new: Oid, message: &str) -> Result<bool, WriteError> {
        let git = self.repository.git();
        if git.find_reference(self.name).ok().and_then(|branch| branch.target()) != Some(old) {
            return Ok(false);
        }
        // As git does: first the log, while the branch is held, and then the branch.
        self.log(old, new, message)?;
        let place = self.repository.common_dir().join(self.name);
        if place.is_dir() {
            // Empty folders of branches that are gone are in the way of a branch that is packed.
            drop(fs::remove_dir(&place));
        }
        fs::rename(self.lock.path(), &place).map_err(WriteError::io("move the branch", &place))?;
        Ok(true)
    }

    fn log(&self, old: Oid, new: Oid, message: &str) -> Result<(), WriteError> {
        let git = self.repository.git();
        let failed = |error: git2::Error| self.repository.error(&format!("move `{}`", self.name), &error);
        if !is_logged(git).map_err(failed)? {
            return Ok(());
        }
        let who = git.signature().or_else(|_| git2::Signature::now("unknown", "unknown")).map_err(failed)?;
        let offset = who.when().offset_minutes();
        let zone = format!("{}{:02}{:02}", who.when().sign(), offset.abs() / 60, offset.abs() % 60);
        let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let line = format!("{old} {new} {who} {} {zone}\t{message}\n", who.when().seconds());
        append(&self.repository.common_dir().join("logs").join(self.name), &line)?;
        if self.repository.branch().as_deref() == Some(self.name) {
            append(&self.repository.git_dir().join("logs").join("HEAD"), &line)?;
        }
        Ok(())
    }
}

/// Whether git logs where branches move here (`core.logAllRefUpdates`).
fn is_logged(git: &git2::Repository) -> Result<bool, git2::Error> {
    const NAME: &str = "core.logAllRefUpdates";
    let config = git.config()?.snapshot()?;
    match config.get_str(NAME) {
        Ok(always) if always.eq_ignore_ascii_case("always") => Ok(true),
        Ok(_) => config.get_bool(NAME),
        Err(_) => Ok(!git.is_bare()),
    }
}

/// Adds a line in one piece, so that there is never half of one.
fn append(log: &Path, line: &str) -> Result<(), WriteError> {
    let failed = WriteError::io("write the log", log);
    let folder: PathBuf = log.parent().map(Path::to_owned).unwrap_or_default();
    if log.is_dir() {
        drop(fs::remove_dir(log));
    }
    let opened = fs::create_dir_all(folder).and_then(|()| File::options().create(true).append(true).open(log));
    opened.and_then(|mut log| log.write_all(line.as_bytes())).map_err(failed)
}
