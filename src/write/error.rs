//! Why a change was not written. Whatever the reason, the repository is as it was.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::bundle::KeyError;
use crate::finding::Finding;
use crate::history::HistoryError;
use crate::history::RepositoryError;
use crate::syntax::EditError;
use crate::workspace::LoadError;

/// Why a change was not written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum WriteError {
    /// There is no repository, no such branch, or git cannot read it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
    /// The law book cannot be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// There is no policy of this id.
    #[error("there is no policy `{id}` in commit `{commit}`")]
    #[diagnostic(help("check the spelling of the id; upper and lower case count"))]
    UnknownPolicy {
        /// The id.
        id: String,
        /// The commit that was looked at.
        commit: String,
    },
    /// The text of the file does not allow the change.
    #[error("`{path}` in commit `{commit}`: {why}")]
    #[diagnostic(help("edit the file by hand and commit it"))]
    Edit {
        /// The file.
        path: String,
        /// The commit that it was read from.
        commit: String,
        /// Why.
        why: EditError,
    },
    /// The id belongs to another policy.
    #[error("commit `{commit}` has a policy `{id}` already")]
    #[diagnostic(help("choose another id; upper and lower case do not tell two apart"))]
    Taken {
        /// The id of that policy.
        id: String,
        /// The commit that was looked at.
        commit: String,
    },
    /// The path can be no file of a law book.
    #[error("`{path}` cannot be the path of a file in a law book")]
    #[diagnostic(help("use a relative path without `..`, `.git` and control characters"))]
    BadPath {
        /// The path.
        path: String,
    },
    /// A new file would not be part of the law book.
    #[error("`{path}` is not among the policy files of commit `{commit}`")]
    #[diagnostic(help("change `files` in `lawbook.toml`, or `new-file` under `[server]`, so that they agree"))]
    NotSelected {
        /// The path.
        path: String,
        /// The commit whose configuration says so.
        commit: String,
    },
    /// The file is not what it was thought to be.
    #[error("`{path}` {why}")]
    #[diagnostic(help("{help}"))]
    Conflict {
        /// The file, relative to the root of the repository, or the worktree.
        path: String,
        /// In which way.
        why: String,
        /// What to do next.
        help: String,
    },
    /// The revision is not what the change was meant for.
    #[error("commit `{commit}` is not what the change was meant for")]
    #[diagnostic(help("read the policies again, and try again"))]
    Changed {
        /// The tip of the branch.
        commit: String,
    },
    /// The law book would not compile.
    #[error("the change would leave a law book that does not compile: {}", .findings.first().map_or("", |finding| finding.message.as_str()))]
    #[diagnostic(help("correct what `lawbook check` reports as blocking, and try again"))]
    Blocked {
        /// What would be wrong.
        findings: Vec<Finding>,
    },
    /// Commits have to be signed, and there is nothing to sign with.
    #[error("the law book requires signed commits, and there is no key to sign this one with")]
    #[diagnostic(help(
        "start the server with `--commit-signing-key FILE`, or make the change in a clone and commit it with `git commit -S`; what `lawbook restore` would change is what it prints with `--dry-run`, for `git apply`"
    ))]
    NoKey,
    /// Commits have to be signed by somebody else.
    #[error("the law book requires signed commits, and the key `{key}` may not sign them: {why}")]
    #[diagnostic(help("add the key to the file of allowed signers, in a signed commit: `lawbook@localhost {public}`"))]
    NotASigner {
        /// The fingerprint of the key.
        key: String,
        /// The key, as a line of allowed signers has it.
        public: String,
        /// Why it may not.
        why: String,
    },
    /// The key does not sign.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Key(#[from] KeyError),
    /// The history cannot be held to what the law book requires of it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    History(#[from] HistoryError),
    /// Somebody else was faster, again and again.
    #[error("`{branch}` could not be moved in {attempts} attempts: somebody else moves it, or holds its lock")]
    #[diagnostic(help("try again; if no other git command is running, remove the `.lock` file that one left beside the branch"))]
    Contended {
        /// The branch.
        branch: String,
        /// How often it was tried.
        attempts: usize,
    },
    /// Somebody else is at work.
    #[error("`{}` is held by another process", lock.display())]
    #[diagnostic(help("wait for the other git command to end; remove the file if none is running"))]
    Busy {
        /// The lock.
        lock: PathBuf,
    },
    /// The branch belongs to another worktree.
    #[error("`{branch}` is checked out in `{}`", worktree.display())]
    #[diagnostic(help("make the change there, or check out another branch in it"))]
    Elsewhere {
        /// The branch.
        branch: String,
        /// The git directory of that worktree.
        worktree: PathBuf,
    },
    /// No branch is checked out.
    #[error("no branch is checked out in `{}`", dir.display())]
    #[diagnostic(help("check out a branch with `git switch`; `lawbook serve` also takes one with `--ref`"))]
    Detached {
        /// The folder.
        dir: PathBuf,
    },
    /// It is something else.
    #[error("`{name}` is not a branch")]
    #[diagnostic(help("name a branch of this repository, such as `main`"))]
    NotABranch {
        /// What was named.
        name: String,
    },
    /// The system refuses.
    #[error("cannot {what} `{}`: {why}", path.display())]
    #[diagnostic(help("make room and check the permissions; the next write completes or undoes what was begun"))]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// What an interrupted change left behind cannot be understood.
    #[error("the journal `{}` cannot be read: {why}", path.display())]
    #[diagnostic(help("compare the worktree with `git status`, then remove the journal and `index.lock` beside its folder"))]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A test stops here, as a process does that is killed.
    #[cfg(test)]
    #[error("killed")]
    Killed,
}

impl WriteError {
    /// Whether the state of the repository is the reason, so that the same change may succeed later.
    pub fn is_conflict(&self) -> bool {
        !matches!(self, Self::UnknownPolicy { .. } | Self::Io { .. } | Self::Journal { .. } | Self::Key(_))
    }

    /// For `map_err`: what the system says, with the place.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |why| Self::Io { what, path: path.to_owned(), why }
    }
}
