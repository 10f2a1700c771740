//! A change becomes exactly one checked commit, or nothing at all.
//!
//! [`write`](fn@write) reads the tip of a branch, changes the bytes of the files concerned and no others, makes a commit that nothing
//! refers to, compiles the law book of that commit, and only then moves the branch, by compare-and-swap. Where the branch is
//! checked out, file and index entry move with it, under the lock of the index and after a journal has been written; an
//! interrupted change is settled by [`recover`], and by the next write.
//!
//! Hooks of the repository are not run, and no filter is applied: files are stored and checked out byte for byte, and one that a
//! filter (`core.autocrlf`, for instance) has altered on disk differs from its commit and is not written to.

mod branch;
mod change;
mod checkout;
mod commit;
mod error;
mod init;
mod journal;
mod place;
mod put;
mod restore;

use std::fs;
use std::path::Path;
use std::time::Duration;

use git2::Oid;

use crate::bundle::SigningKey;
use crate::history::Demand;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::history::Signers;
use crate::workspace::Origin;
use crate::workspace::Workspace;

use branch::Branch;
use change::Plan;
use checkout::After;
use checkout::Checkout;
use checkout::Step;
use commit::Made;
use journal::Journal;
use place::Places;

pub use change::Change;
pub use change::FileChange;
pub use change::Find;
pub use change::Holds;
pub use commit::Authorship;
pub use error::WriteError;
pub use init::InitError;
pub use init::init_repository;
pub use journal::Recovery;
pub use put::NewFile;
pub use put::delete;
pub use put::put;
pub use restore::Former;

/// How often a change is made again on a branch that has moved.
const ATTEMPTS: usize = 8;

/// How much longer is waited before each of them.
const PAUSE: Duration = Duration::from_millis(5);

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The full name of the branch.
    pub branch: String,
    /// The commit that the change was made on, in hexadecimal.
    pub parent: String,
    /// The commit, in hexadecimal; the parent when there was nothing to change.
    pub commit: String,
    /// Whether the policy is now in force, when it was toggled.
    pub enabled: Option<bool>,
}

/// Writes a change to a branch (`None`: the one that is checked out) of the repository in which the law book `dir` lies.
/// A branch without a commit cannot be written to: its first commit is its owner's.
///
/// # Errors
/// The change cannot be made, or is refused; then the repository is as it was. Only after [`WriteError::Io`] there may be
/// something left to settle, which the next write or [`recover`] does.
pub fn write(dir: &Path, branch: Option<&str>, change: &Change<'_>, authorship: &Authorship) -> Result<Written, WriteError> {
    write_stepwise(dir, branch, change, authorship, None, &|_| Ok(()))
}

/// The same, as a signed commit.
///
/// # Errors
/// As for [`write`](fn@write).
pub fn write_signed(
    dir: &Path,
    branch: Option<&str>,
    change: &Change<'_>,
    authorship: &Authorship,
    key: &SigningKey,
) -> Result<Written, WriteError> {
    write_stepwise(dir, branch, change, authorship, Some(key), &|_| Ok(()))
}

/// Whether a commit on a branch could be made with this key, or without one, as far as signatures go.
///
/// # Errors
/// It could not, and why.
pub fn may_write(dir: &Path, branch: Option<&str>, key: Option<&SigningKey>) -> Result<(), WriteError> {
    let repository = Repository::open(dir)?;
    let tip = repository.revision(&full_name(&repository, branch)?)?;
    may_sign(&repository, &tip.commit, key)
}

/// Whether a commit after this one may be made with a key, or without one.
fn may_sign(repository: &Repository, parent: &str, key: Option<&SigningKey>) -> Result<(), WriteError> {
    let signers = Signers::default();
    if !signers.are_required(repository, parent)? {
        return Ok(());
    }
    let Some(key) = key else { return Err(WriteError::NoKey) };
    signers.vouch_for(repository, parent, key.public().as_bytes())?.map(drop).map_err(|why| WriteError::NotASigner {
        key: key.id().to_string(),
        public: key.public().to_line(),
        why,
    })
}

/// Completes or undoes a change that was interrupted, at any instant, in the worktree of the law book `dir`.
///
/// # Errors
/// The journal cannot be read, or another process holds the index; then nothing has been done, and it can be tried again.
pub fn recover(dir: &Path) -> Result<Recovery, WriteError> {
    let repository = match Repository::open(dir) {
        Err(RepositoryError::None { .. }) => return Ok(Recovery::Nothing),
        repository => repository?,
    };
    let untouched = |base: &Path| !base.join("lawbook").exists();
    if untouched(repository.git_dir()) && untouched(repository.common_dir()) {
        return Ok(Recovery::Nothing);
    }
    let places = Places::new(&repository)?;
    let _lock = places.lock()?;
    journal::settle(&repository, &places)
}

fn write_stepwise(
    dir: &Path,
    branch: Option<&str>,
    change: &Change<'_>,
    authorship: &Authorship,
    key: Option<&SigningKey>,
    after: After<'_>,
) -> Result<Written, WriteError> {
    let repository = Repository::open(dir)?;
    let branch = full_name(&repository, branch)?;
    let places = Places::new(&repository)?;
    let _lock = places.lock()?;
    journal::settle(&repository, &places)?;
    for round in 0..ATTEMPTS {
        // Whoever moved the branch may still hold its lock.
        std::thread::sleep(PAUSE.saturating_mul(u32::try_from(round).unwrap_or(1)));
        let attempt = Attempt { repository: &repository, places: &places, branch: &branch, authorship, key, after };
        if let Some(written) = attempt.run(change)? {
            return Ok(written);
        }
    }
    Err(WriteError::Contended { branch, attempts: ATTEMPTS })
}

/// The full name of a branch that commits can be made on.
fn full_name(repository: &Repository, branch: Option<&str>) -> Result<String, WriteError> {
    const BRANCHES: &str = "refs/heads/";
    let Some(name) = branch else {
        return repository.branch().ok_or_else(|| WriteError::Detached { dir: repository.dir().to_owned() });
    };
    if name == "HEAD" {
        return full_name(repository, None);
    }
    let full = if name.starts_with("refs/") { name.to_owned() } else { format!("{BRANCHES}{name}") };
    let is_branch = full.starts_with(BRANCHES) && git2::Reference::is_valid_name(&full);
    if is_branch { Ok(full) } else { Err(WriteError::NotABranch { name: name.to_owned() }) }
}

struct Attempt<'a> {
    repository: &'a Repository,
    places: &'a Places,
    branch: &'a str,
    authorship: &'a Authorship,
    key: Option<&'a SigningKey>,
    after: After<'a>,
}

impl Attempt<'_> {
    /// Makes the change on the tip of the branch; `None` when the branch has moved meanwhile.
    fn run(&self, change: &Change<'_>) -> Result<Option<Written>, WriteError> {
        let checked_out = self.is_checked_out()?;
        let tip = self.repository.revision(self.branch)?;
        let parent = self.repository.commit(&tip.commit)?;
        let workspace = self.open(&tip.commit)?;
        let Plan { subject, mut files, enabled } = change::plan(change, &workspace, &tip.commit)?;
        files.retain(|file| file.old != file.new);
        let mut written = Written { branch: self.branch.to_owned(), parent: tip.commit.clone(), commit: tip.commit, enabled };
        if files.is_empty() {
            return Ok(Some(written));
        }
        may_sign(self.repository, &written.parent, self.key)?;
        let made = commit::make(self.repository, &parent, &subject, &files, self.authorship, self.key)?;
        written.commit = made.id.to_string();
        self.judge(&written.commit)?;
        (self.after)(Step::Made)?;
        let moved =
            if checked_out { self.check_out(parent.id(), &made, &subject)? } else { self.advance_alone(parent.id(), made.id, &subject)? };
        Ok(moved.then_some(written))
    }

    fn open(&self, commit: &str) -> Result<Workspace, WriteError> {
        Ok(Workspace::open(self.repository.dir(), &Origin::Revision(commit.to_owned()))?)
    }

    /// Refuses a commit that no server would load.
    fn judge(&self, commit: &str) -> Result<(), WriteError> {
        let mut workspace = self.open(commit)?;
        workspace.hold(Demand::Written)?;
        workspace.compile().map(drop).map_err(|findings| WriteError::Blocked { findings })
    }

    /// Moves the branch, if it is still where it was.
    fn advance(&self, old: Oid, new: Oid, subject: &str) -> Result<bool, WriteError> {
        let Some(branch) = Branch::take(self.repository, self.places, self.branch, new)? else { return Ok(false) };
        let moved = (self.after)(Step::Taken).and_then(|()| branch.advance(old, new, &format!("lawbook: {subject}")));
        #[cfg(test)]
        if matches!(moved, Err(WriteError::Killed)) {
            return moved;
        }
        let released = self.places.release_branch();
        // What has happened has happened, and what is left over is taken away by the next writer.
        if matches!(moved, Ok(true)) { Ok(true) } else { released.and(moved) }
    }

    /// Moves the branch, if it is still where it was and nobody has checked it out meanwhile. A worktree that the branch is
    /// moved away under seems to have the reverse of the change staged.
    fn advance_alone(&self, old: Oid, new: Oid, subject: &str) -> Result<bool, WriteError> {
        if self.repository.worktree().is_some() && !self.places.take_head()? {
            return Ok(false);
        }
        let moved = (self.after)(Step::Head).and_then(|()| match self.is_checked_out()? {
            true => Ok(false),
            false => self.advance(old, new, subject),
        });
        #[cfg(test)]
        if matches!(moved, Err(WriteError::Killed)) {
            return moved;
        }
        self.places.release_head()?;
        moved
    }

    /// Moves the branch together with the worktree.
    fn check_out(&self, old: Oid, made: &Made, subject: &str) -> Result<bool, WriteError> {
        let checkout = Checkout::new(self.repository, self.places)?;
        let journal = Journal::new(self.branch, old, made.id, &made.blobs, checkout.worktree());
        let lost = std::cell::Cell::new(false);
        let advance = || match self.advance(old, made.id, subject)? {
            true => Ok(()),
            false => {
                lost.set(true);
                Err(WriteError::Contended { branch: self.branch.to_owned(), attempts: 1 })
            }
        };
        match checkout.apply(&journal, advance, self.after) {
            Ok(()) => Ok(true),
            #[cfg(test)]
            Err(WriteError::Killed) => Err(WriteError::Killed),
            Err(error) => match journal::settle(self.repository, self.places)? {
                journal::Recovery::Completed(_) => Ok(true),
                _ if lost.get() => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Whether the branch is checked out in this worktree. In another one it must not be.
    fn is_checked_out(&self) -> Result<bool, WriteError> {
        let (own, common) = (self.repository.git_dir(), self.repository.common_dir());
        let linked = fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten().map(|entry| entry.path());
        let main = git2::Repository::open(common).is_ok_and(|main| !main.is_bare()).then(|| common.to_owned());
        let others = linked.filter(|git_dir| !is_gone(git_dir)).chain(main);
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let own = canonical(own);
        for git_dir in others.filter(|git_dir| canonical(git_dir) != own) {
            let head = fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
            if head.trim().strip_prefix("ref: ") == Some(self.branch) {
                return Err(WriteError::Elsewhere { branch: self.branch.to_owned(), worktree: git_dir });
            }
        }
        Ok(self.repository.worktree().is_some() && self.repository.branch().as_deref() == Some(self.branch))
    }
}

/// Whether a linked worktree was deleted without telling git. One that is locked may be on a disk that is away.
fn is_gone(git_dir: &Path) -> bool {
    let file = fs::read_to_string(git_dir.join("gitdir")).unwrap_or_default();
    // Since `worktree.useRelativePaths` the path may start from where it is written; joining keeps an absolute one.
    !git_dir.join("locked").exists() && !git_dir.join(file.trim()).exists()
}

#[cfg(test)]
mod tests;
