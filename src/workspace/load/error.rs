//! Why a law book cannot be loaded at all, and why one of its files cannot.

use std::io;
use std::path::PathBuf;

use crate::history::RepositoryError;
use crate::source::MAX_FILE_BYTES;
use crate::workspace::Refusal;

/// Why a law book cannot be loaded.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LoadError {
    /// There is no such folder.
    #[error("there is no folder `{}`", dir.display())]
    #[diagnostic(help("name the folder that holds the law book; `lawbook init` makes a new one"))]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// It is something else.
    #[error("`{}` is not a folder", dir.display())]
    #[diagnostic(help("name the folder that holds the law book, not one of its files"))]
    NotAFolder {
        /// What was named.
        dir: PathBuf,
    },
    /// It may not be read.
    #[error("the folder `{}` cannot be read: {why}", dir.display())]
    #[diagnostic(help("give the user that runs lawbook the permission to read and enter it"))]
    Denied {
        /// The folder.
        dir: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// It has no worktree and no index.
    #[error("`{}` is a bare repository: it has no worktree", dir.display())]
    #[diagnostic(help("name a revision, such as its main branch"))]
    Bare {
        /// The repository.
        dir: PathBuf,
    },
    /// It is larger than any law book.
    #[error("the law book in `{}` has more than {limit}", dir.display())]
    #[diagnostic(help("narrow `files` in `lawbook.toml`"))]
    TooLarge {
        /// The folder.
        dir: PathBuf,
        /// What was exceeded.
        limit: String,
    },
    /// The repository does not hold what is asked for.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
}

const LEAVE_OUT: &str = "or leave it out with `exclude` in `lawbook.toml`";

impl Refusal {
    fn new(message: impl Into<String>, step: &str) -> Self {
        Self { message: message.into(), help: format!("{step}, {LEAVE_OUT}") }
    }

    pub(super) fn link() -> Self {
        Self::new("this is a symbolic link, and links are not followed", "put the file itself here")
    }

    pub(super) fn folder() -> Self {
        Self::new("this is a folder with the name of a policy file", "rename it")
    }

    pub(super) fn special(kind: &str) -> Self {
        Self::new(format!("this is a {kind}, not a file"), "put a file here")
    }

    pub(super) fn submodule() -> Self {
        Self::new("this is another repository, and policies in it are not read", "move its policies into this repository")
    }

    pub(super) fn too_large(bytes: u64) -> Self {
        Self::new(format!("the file has {bytes} bytes, and the most that is read is {MAX_FILE_BYTES}"), "split it into smaller files")
    }

    pub(super) fn unreadable(why: &io::Error) -> Self {
        Self::new(format!("this cannot be read: {why}"), "give the user that runs lawbook the permission to read it")
    }

    pub(super) fn damaged(why: &str) -> Self {
        Self::new(format!("its object cannot be read: {why}"), "run `git fsck`, and fetch what is missing")
    }

    pub(super) fn name() -> Self {
        Self::new("the name of this file is not UTF-8", "rename it")
    }

    pub(super) fn conflict() -> Self {
        Self::new("this file has a merge conflict", "resolve it and run `git add`")
    }
}
