//! A new repository, for a law book that begins in a plain folder.

use std::path::Path;
use std::path::PathBuf;

use crate::history::Repository;
use crate::history::RepositoryError;

/// Why a folder cannot become a repository.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum InitError {
    /// git refuses.
    #[error("`{}` cannot become a git repository: {why}", dir.display())]
    #[diagnostic(help("run `git init` there, and then `lawbook init` again"))]
    Git {
        /// The folder.
        dir: PathBuf,
        /// What git says.
        why: String,
    },
    /// There is a repository that cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
}

/// Makes the folder a repository on the branch `main`, unless it lies in one already. Says whether it did.
///
/// # Errors
/// The folder cannot be written, or lies in a repository that cannot be read.
pub fn init_repository(dir: &Path) -> Result<bool, InitError> {
    match Repository::open(dir) {
        Ok(_) => return Ok(false),
        Err(RepositoryError::None { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut options = git2::RepositoryInitOptions::new();
    options.initial_head("main").no_reinit(true);
    match git2::Repository::init_opts(dir, &options) {
        Ok(_) => Ok(true),
        Err(error) => Err(InitError::Git { dir: dir.to_owned(), why: error.message().to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_folder_becomes_a_repository_once() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(init_repository(folder.path()).expect("a new repository"));
        assert!(!init_repository(folder.path()).expect("there is one"));
        assert_eq!(Repository::open(folder.path()).expect("opens").branch().as_deref(), Some("refs/heads/main"));
    }
}
