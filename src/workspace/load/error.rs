//! Why a law book cannot be loaded at all, and why one of its files cannot.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::config;
use crate::history::Repository;
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
    #[diagnostic(help("name the folder of the law book, `{}`, not one of its files", folder(dir)))]
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
    #[diagnostic(help("name a revision: `--rev {branch}`, or `--ref {branch}` for `lawbook serve`", branch = branch(dir)))]
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

/// The folder of the law book that a file lies in: the nearest one above that looks like one, else its own.
fn folder(file: &Path) -> String {
    let looks_like_one = |folder: &&Path| folder.join(config::FILE_NAME).is_file() || folder.join("policies").is_dir();
    let folders = || file.ancestors().skip(1);
    let found = folders().find(looks_like_one).or_else(|| folders().find(|folder| folder.is_dir())).unwrap_or(Path::new(""));
    if found.as_os_str().is_empty() { ".".to_owned() } else { found.display().to_string() }
}

/// The branch that a repository is at.
fn branch(repository: &Path) -> String {
    let name = Repository::open(repository).ok().and_then(|repository| repository.branch());
    name.map_or_else(|| "main".to_owned(), |name| name.trim_start_matches("refs/heads/").to_owned())
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
